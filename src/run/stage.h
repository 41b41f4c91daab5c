/*
 * Stages: folders whose contents follow from a key. A stage is made beside its place and takes it when it is whole, so
 * that at any moment its place has nothing, the old contents, or the new.
 * What they follow from stands in them: stage_provenance.h.
 */
#pragma once

#include "run/stage_provenance.h"

#include <aimfair/monitor.h>

/**
 * AimfStageState: of a stage's place: nothing, what its key asks for, something else, or files that are not its own.
 */
typedef enum { AIMF_STAGE_MISSING, AIMF_STAGE_DONE, AIMF_STAGE_STALE, AIMF_STAGE_DAMAGED } AimfStageState;

/**
 * AimfPicturesHasher: (owned) the hash of the pictures of the manifest @path; NULL with an error. For outputs that are
 * pictures.
 */
typedef char *(*AimfPicturesHasher)(const char *path, gpointer data, GError **error);

/**
 * aimf_stage_look:
 * @run: the run's folder; @wanted: what its place should have; of it only settings and inputs count
 * @found: (nullable) receives (owned, nullable) what it has
 * Returns: FALSE with IO or MEMORY where that cannot be seen, and what @hasher gives.
 */
gboolean aimf_stage_look(const char *run, const AimfProvenance *wanted, AimfPicturesHasher hasher, gpointer data,
                         AimfStageState *state, AimfProvenance **found, GError **error);
/**
 * aimf_stage_prepare: (owned) the folder in which the stage is made: with what an earlier try with the same key left,
 * but for half written files, else empty. NULL with IO.
 */
char *aimf_stage_prepare(const char *run, const AimfProvenance *wanted, GError **error);
/**
 * aimf_stage_commit: adds the hashes of the made stage's files, but for logs, to @made's outputs, writes
 * provenance.json and gives it its place. What was there before is removed afterwards.
 */
gboolean aimf_stage_commit(const char *run, AimfProvenance *made, GError **error);
/** aimf_stage_recover: ends what a killed aimf_stage_commit of the stage @name began. */
gboolean aimf_stage_recover(const char *run, const char *name, GError **error);

/** aimf_file_sha256: (owned) of the file's bytes; NULL with NOT_FOUND or IO. */
char *aimf_file_sha256(const char *path, GError **error);
/** aimf_folder_remove_parts: the files of @path, not of folders in it, that were half written when they were left. */
gboolean aimf_folder_remove_parts(const char *path, GError **error);
/** aimf_folder_remove: the folder and all in it, without following links; a missing one is none. */
gboolean aimf_folder_remove(const char *path, GError **error);
