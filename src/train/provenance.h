/* A training run's description: what must be the same for two runs to give the same bytes. */
#pragma once

#include <aimfair/train.h>
#include <json-glib/json-glib.h>

/** aimf_run_describe: (owned) options, hashes of data and of the weights it begins with; no path, no time, no thread count. */
JsonObject *aimf_run_describe(const AimfModel *model, const AimfManifest *train, const AimfManifest *validation,
                              const AimfTrainOptions *options);

/** aimf_run_text: (owned) the description as one line of JSON. */
char *aimf_run_text(JsonObject *run);

/** aimf_run_check: FALSE with INVALID naming every member in which @text (of a state file) differs from @run, FORMAT if damaged. */
gboolean aimf_run_check(JsonObject *run, const char *text, GError **error);

/** aimf_run_record: appends the run and what came out of it to the list of trainings in the model's metadata. */
void aimf_run_record(AimfModel *model, JsonObject *run, const AimfTrainResult *result);
