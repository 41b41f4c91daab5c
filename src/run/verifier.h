/* A verification at work: what is known of the run's files, and the lines of the result. */
#pragma once

#include "run/folder_files.h"
#include "run/stage_provenance.h"

#include <aimfair/data.h>
#include <aimfair/run.h>

/** AIMF_VERIFY_MOST_RESAMPLES: more take longer than a folder of nobody knows whom should cost. */
enum { AIMF_VERIFY_MOST_RESAMPLES = 100000 };

/**
 * AimfVerifier: everything owned but @options and @monitor
 * @files: of the run; @hashes: of them as they are now, by path, "" of those that cannot be read
 * @stages: of AimfProvenance, those that could be read; @places: (char *) of each its folder, from the run's
 * @root: (nullable) the folder that data were in, and options->data stands for
 * @lines: of AimfVerifyLine; @left_out: faults and omissions beyond those that are listed
 */
typedef struct {
    const AimfVerifyOptions *options;
    const AimfMonitor *monitor;
    AimfFolderFiles *files;
    GHashTable *hashes;
    GPtrArray *stages;
    GPtrArray *places;
    char *root;
    char *sums_sha256;
    GArray *lines;
    guint refuted;
    guint unchecked;
    guint left_out;
} AimfVerifier;

/** aimf_verifier_add: a line of the result; @what: a path from the run's folder, or what a figure is called */
void aimf_verifier_add(AimfVerifier *verifier, AimfVerifyKind kind, const char *what, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/**
 * aimf_verifier_add_error: the same of @failure (taken); what there was not enough memory for is UNCHECKED. FALSE with
 * @error set where that is INTERRUPTED or IO: then everything ends, as nothing follows for the run.
 */
gboolean aimf_verifier_add_error(AimfVerifier *verifier, AimfVerifyKind kind, const char *what, GError *failure,
                                 GError **error);

/** aimf_verifier_path: (owned) the file @path of the run as a path that can be opened from here. */
char *aimf_verifier_path(const AimfVerifier *verifier, const char *path);
/**
 * aimf_verifier_file: (owned) the same of a regular file that was found in the run's folder; NULL with NOT_FOUND for
 * any other: paths that files of the run say lead nowhere else, and no link does.
 */
char *aimf_verifier_file(const AimfVerifier *verifier, const char *path, GError **error);
/** aimf_verifier_hash: (borrowed, nullable) of the run's file @path; NULL where there is none that can be read. */
const char *aimf_verifier_hash(const AimfVerifier *verifier, const char *path);
/** aimf_verifier_there: whether the run has the file @path, be it that it cannot be read. */
gboolean aimf_verifier_there(const AimfVerifier *verifier, const char *path);
/** aimf_verifier_manifest: (owned) the run's manifest @path, of which only the pictures count; NULL with an error. */
AimfManifest *aimf_verifier_manifest(const AimfVerifier *verifier, const char *path, GError **error);
/**
 * aimf_verifier_pictures: (owned) the pictures of @manifest, rows @rows (n) of it, or all where @rows is NULL, where
 * they are now; without labels. @missing: receives how many are not there, or may not be read
 */
AimfManifest *aimf_verifier_pictures(const AimfVerifier *verifier, const AimfManifest *manifest, const guint32 *rows,
                                     guint n, guint *missing);

/* The checks, each in a file of its own. FALSE with INTERRUPTED or IO alone. */

/** aimf_verify_files: SHA256SUMS against the files; finds files and hashes for all others. */
gboolean aimf_verify_files(AimfVerifier *verifier, GError **error);
/**
 * aimf_verify_stages: keys, inputs and outputs of all stages, which it finds, and files that no stage accounts for.
 */
gboolean aimf_verify_stages(AimfVerifier *verifier, GError **error);
/** aimf_verify_pictures: pictures of manifests, and the marks of generated ones. */
gboolean aimf_verify_pictures(AimfVerifier *verifier, GError **error);
/** aimf_verify_measures: measures.json of each test from the predictions beside it. */
gboolean aimf_verify_measures(AimfVerifier *verifier, GError **error);
/** aimf_verify_predictions: a sample of predictions from models and pictures. */
gboolean aimf_verify_predictions(AimfVerifier *verifier, GError **error);
/** aimf_verify_results: results, card and report from all that is before them. */
gboolean aimf_verify_results(AimfVerifier *verifier, GError **error);
