/*
 * Stages: folders whose contents follow from a key. A stage is made beside its place and takes it when it is whole, so
 * that at any moment its place has nothing, the old contents, or the new.
 *
 * provenance.json in a stage says what it follows from:
 *
 *     { "format": "aimfair stage", "version": 1, "stage": "cells/aim-fair-0/model", "key": "<SHA-256>",
 *       "settings": { "finetune.epochs": "10", … }, "inputs": { "cells/biased-0/model/model.safetensors": "<SHA-256>",
 *       … }, "program": "0.1.0", "precision": "f32", "threads": 2, "engine": "oneDNN 2.6.3, AVX2", "instruction_set":
 *       "AVX2", "outputs": { "model.safetensors": "<SHA-256>", … } }
 *
 * Inputs are files of the run, by their path from its folder, or "pictures of <manifest>" with the hash of
 * aimf_pictures_hash, or "<key of the configuration>" with that of a file outside of the run. The key is the SHA-256 of
 * the object without key, engine, instruction_set and outputs, written by aimf_json_write without blanks. Logs are no
 * outputs: they have times.
 */
#pragma once

#include <aimfair/error.h>
#include <aimfair/monitor.h>
#include <json-glib/json-glib.h>

#define AIMF_PROVENANCE "provenance.json"
/** AIMF_PICTURES_OF: begins the name of an input that is the pictures of a manifest. */
#define AIMF_PICTURES_OF "pictures of "

/**
 * AimfProvenance: of a stage; everything owned.
 * @name: "cells/aim-fair-0/model"; @folder: its path, from here
 * @settings, @inputs, @outputs: texts by names, members of JSON
 * @failure: (nullable) why the stage came to nothing: of a cell, whose seed is then left out. Not a part of the key
 */
typedef struct {
    char *name;
    char *key;
    JsonObject *settings;
    JsonObject *inputs;
    JsonObject *outputs;
    char *program;
    char *precision;
    int threads;
    char *engine;
    char *instruction_set;
    char *failure;
} AimfProvenance;

void aimf_provenance_free(AimfProvenance *provenance);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfProvenance, aimf_provenance_free)

/** aimf_provenance_new: (owned) of the stage @name, without settings and inputs; @precision: "f32". */
AimfProvenance *aimf_provenance_new(const char *name, const char *precision, int threads);
/** aimf_provenance_key: (owned) what the key follows to be. */
char *aimf_provenance_key(const AimfProvenance *provenance);
/** aimf_provenance_open: (owned) of the stage in @folder; NULL with NOT_FOUND, IO or FORMAT. The key is as it says. */
AimfProvenance *aimf_provenance_open(const char *folder, GError **error);
/** aimf_provenance_save: as @folder's provenance.json. */
gboolean aimf_provenance_save(const AimfProvenance *provenance, const char *folder, GError **error);

/** AimfStageState: of a stage's place: nothing, what its key asks for, something else, or files that are not its own. */
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
 * Returns: FALSE with IO where that cannot be seen.
 */
gboolean aimf_stage_look(const char *run, const AimfProvenance *wanted, AimfPicturesHasher hasher, gpointer data,
                         AimfStageState *state, AimfProvenance **found, GError **error);
/**
 * aimf_stage_begin: (owned) the folder in which the stage is made: with what an earlier try with the same key left,
 * else empty. NULL with IO.
 */
char *aimf_stage_begin(const char *run, const AimfProvenance *wanted, GError **error);
/**
 * aimf_stage_commit: adds the hashes of the made stage's files, but for logs, to @made's outputs, writes provenance.json
 * and gives it its place. What was there before is removed afterwards.
 */
gboolean aimf_stage_commit(const char *run, AimfProvenance *made, GError **error);
/** aimf_stage_recover: ends what a killed aimf_stage_commit of the stage @name began. */
gboolean aimf_stage_recover(const char *run, const char *name, GError **error);

/** aimf_file_sha256: (owned) of the file's bytes; NULL with NOT_FOUND or IO. */
char *aimf_file_sha256(const char *path, GError **error);
/** aimf_folder_remove: the folder and all in it, without following links; a missing one is none. */
gboolean aimf_folder_remove(const char *path, GError **error);
