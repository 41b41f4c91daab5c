/*
 * provenance.json in a stage says what it follows from:
 *
 *     { "format": "aimfair stage", "version": 1, "stage": "cells/aim-fair-0/model", "key": "<SHA-256>",
 *       "settings": { "finetune.epochs": "10", … },
 *       "inputs": { "cells/biased-0/model/model.safetensors": "<SHA-256>", … },
 *       "program": "0.1.0", "precision": "f32", "threads": 2,
 *       "engine": "oneDNN 2.6.3, AVX2", "instruction_set": "AVX2",
 *       "outputs": { "model.safetensors": "<SHA-256>", … } }
 *
 * Inputs are files of the run, by their path from its folder, or "pictures of <manifest>" with the hash of
 * aimf_pictures_hash, or something outside of the run by another name: a key of the configuration with its file's
 * hash. Outputs are files of the stage, and "pictures of <manifest>". The key is the SHA-256 of an object of inputs,
 * precision, program, settings, stage and threads, with members sorted by bytes at every level, as aimf_json_write
 * writes it without blanks. Logs are no outputs: they have times.
 */
#pragma once

#include <aimfair/error.h>
#include <json-glib/json-glib.h>

#define AIMF_PROVENANCE "provenance.json"
/** AIMF_PICTURES_OF: begins the name of an input that is the pictures of a manifest. */
#define AIMF_PICTURES_OF "pictures of "

/**
 * AimfProvenance: of a stage; everything owned.
 * @name: "cells/aim-fair-0/model"; @key: what it says
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
/**
 * aimf_provenance_look: @found: receives (owned) the same, NULL where there is none or it is damaged. FALSE with IO or
 * MEMORY.
 */
gboolean aimf_provenance_look(const char *folder, AimfProvenance **found, GError **error);
/** aimf_provenance_save: as @folder's provenance.json. */
gboolean aimf_provenance_save(const AimfProvenance *provenance, const char *folder, GError **error);
