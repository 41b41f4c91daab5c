/*
 * State files: what a stopped or killed training needs to go on. Safetensors with weights/<name>, best/<name> for
 * what training changes, what the optimizer remembers (aimf_plan_optimizer_state), and metadata.
 */
#pragma once

#include <aimfair/train.h>
#include <json-glib/json-glib.h>

/**
 * AimfTrainState: all borrowed.
 * @run: the run's description; it has the hash of the weights the run began with, so what is frozen need not be stored
 * @current, @best: weights, in the model's order
 * @graph, @plan: of training; what the plan's optimizer remembers is stored, and loading gives it that and the weights
 * @engine: what computes: its sums are rounded its way. Those of older programs do not say it
 * @result: history, best epoch and, if its groups are there, the measured start
 * @has_start: set by loading: the start was in the file. Those of older programs lack it
 * @other_engine: (nullable, owned) set by loading: what computed before, if that was not @engine
 */
typedef struct {
    JsonObject *run;
    AimfTensors *current;
    AimfTensors *best;
    const char *engine;
    const AimfGraph *graph;
    AimfPlan *plan;
    AimfTrainResult *result;
    gboolean has_start;
    char *other_engine;
} AimfTrainState;

gboolean aimf_train_state_save(const AimfTrainState *state, const char *path, GError **error);
/**
 * aimf_train_state_load: fills @state. FALSE with INVALID (another run: says what differs; more than @epochs),
 * FORMAT or IO.
 */
gboolean aimf_train_state_load(AimfTrainState *state, guint epochs, const char *path, GError **error);
