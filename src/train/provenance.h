/* A training run's description: what must be the same for two runs to give the same bytes. */
#pragma once

#include <aimfair/train.h>
#include <json-glib/json-glib.h>

/**
 * aimf_run_describe: (owned) options, hashes of data and of the weights it begins with; no path, no time, no thread
 * count.
 */
JsonObject *aimf_run_describe(const AimfModel *model, const AimfManifest *train, const AimfManifest *validation,
                              const AimfTrainOptions *options);

/** aimf_run_text: (owned) the description as one line of JSON. */
char *aimf_run_text(JsonObject *run);

/**
 * aimf_run_check: FALSE with INVALID naming every member in which @text (of a state file) differs from @run, FORMAT
 * if damaged. The number of epochs may differ: a run can be made longer.
 */
gboolean aimf_run_check(JsonObject *run, const char *text, GError **error);

/**
 * aimf_run_record: appends the run, the pictures it used and what came out of it to the list of trainings in the
 * model's metadata.
 */
void aimf_run_record(AimfModel *model, JsonObject *run, const AimfManifest *train, const AimfManifest *validation,
                     const AimfTrainResult *result);

/** AimfUse: what a set was for in the trainings that weights carry; the first of them is the pre-training. */
typedef enum { AIMF_USE_NONE, AIMF_USE_VALIDATION, AIMF_USE_TRAINING, AIMF_USE_PRETRAINING } AimfUse;

/**
 * aimf_run_use: how the pictures of @manifest were used in the trainings that @weights' metadata tell of, the
 * strongest use of several; damaged metadata tell of none. A set is known again by the hash of its rows, or by
 * names, sizes and labels of its pictures, whatever their order and folder.
 */
AimfUse aimf_run_use(const AimfTensors *weights, const AimfManifest *manifest);
