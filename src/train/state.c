#include "train/state.h"

#include "train/history.h"
#include "train/provenance.h"
#include "train/trainable.h"

#include "base/lock.h"
#include "base/number.h"
#include "base/shown.h"
#include "weights/tensors.h"

#include <math.h>
#include <string.h>

#define FORMAT_VERSION "1"
#define KEY(name) "aimfair.state." name

AimfTrainingLock *aimf_training_lock(const char *state_path, GError **error)
{
    g_autofree char *path = g_strconcat(state_path, ".lock", NULL);
    GError *failure = NULL;
    AimfLock *lock = aimf_lock_take(path, &failure);
    if (!lock && !failure)
        g_set_error(
            &failure, AIMF_ERROR, AIMF_ERROR_INVALID,
            "another process is training with the state '%s' (it holds '%s'); wait for it, stop it, or give another "
            "output",
            state_path, path);
    if (failure)
        g_propagate_error(error, failure);
    return lock;
}

void aimf_training_unlock(AimfTrainingLock *lock)
{
    aimf_lock_free(lock);
}

/* (owned) names of the parameters that training does not move. */
static GHashTable *find_frozen(const AimfTrainState *state)
{
    GHashTable *frozen = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < aimf_graph_n_parameters(state->graph); i++) {
        AimfValue parameter = aimf_graph_parameter_at(state->graph, i);
        if (aimf_plan_gradient(state->plan, parameter) == AIMF_NONE)
            g_hash_table_add(frozen, (gpointer)aimf_graph_name(state->graph, parameter));
    }
    return frozen;
}

/* Borrows the bytes: a state is three times the weights, and they need not be held twice to be written. */
static gboolean add(AimfTensors *to, const char *prefix, const AimfTensor *tensor, const void *data, GError **error)
{
    g_autofree char *name = g_strconcat(prefix, tensor->name, NULL);
    return aimf_tensors_append(to, name, tensor->dtype, &tensor->shape, data, error);
}

/* What is not frozen: trained parameters, running statistics and counters. */
static gboolean add_changing(AimfTensors *to, const char *prefix, GHashTable *frozen, const AimfTensors *from,
                             GError **error)
{
    for (guint i = 0; i < aimf_tensors_count(from); i++) {
        const AimfTensor *tensor = aimf_tensors_at(from, i);
        if (!g_hash_table_contains(frozen, tensor->name) && !add(to, prefix, tensor, aimf_tensors_data(from, i), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_remembered(AimfTensors *to, const AimfTensors *remembered, GError **error)
{
    for (guint i = 0; i < aimf_tensors_count(remembered); i++)
        if (!add(to, "", aimf_tensors_at(remembered, i), aimf_tensors_data(remembered, i), error))
            return FALSE;
    return TRUE;
}

gboolean aimf_train_state_save(const AimfTrainState *state, const char *path, GError **error)
{
    g_autoptr(AimfTensors) file = aimf_tensors_new_from_file(NULL, NULL, NULL);
    g_autoptr(AimfTensors) remembered = aimf_plan_optimizer_state(state->plan, error);
    if (!remembered)
        return FALSE;
    g_autoptr(GHashTable) frozen = find_frozen(state);
    if (!add_changing(file, "weights/", frozen, state->current, error) ||
        !add_changing(file, "best/", frozen, state->best, error) || !add_remembered(file, remembered, error))
        return FALSE;
    g_autofree char *run = aimf_run_text(state->run);
    g_autofree char *history = aimf_history_json(state->result);
    g_autofree char *start = state->result->groups ? aimf_start_json(state->result) : NULL;
    g_autofree char *best_epoch =
        state->result->kept_start ? g_strdup("start") : g_strdup_printf("%u", state->result->best_epoch);
    char best_accuracy[AIMF_NUMBER_SIZE];
    aimf_number_text(best_accuracy, state->result->best_accuracy);
    aimf_tensors_set_metadata(file, KEY("format"), FORMAT_VERSION);
    aimf_tensors_set_metadata(file, KEY("run"), run);
    aimf_tensors_set_metadata(file, KEY("engine"), state->engine);
    aimf_tensors_set_metadata(file, KEY("history"), history);
    if (start)
        aimf_tensors_set_metadata(file, KEY("start"), start);
    aimf_tensors_set_metadata(file, KEY("best_epoch"), best_epoch);
    aimf_tensors_set_metadata(file, KEY("best_accuracy"), best_accuracy);
    return aimf_tensors_save(file, path, error);
}

/* --- Loading --- */

static gboolean read_tensor(const AimfTensors *file, const char *prefix, const AimfTensor *tensor, void *to,
                            GError **error)
{
    g_autofree char *name = g_strconcat(prefix, tensor->name, NULL);
    int entry = aimf_tensors_find(file, name);
    const AimfTensor *found = entry < 0 ? NULL : aimf_tensors_at(file, (guint)entry);
    if (!found || found->dtype != tensor->dtype || !aimf_shape_equal(&found->shape, &tensor->shape)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its tensor '%s' is %s", name,
                    found ? "of the wrong shape or type" : "missing");
        return FALSE;
    }
    if (!aimf_tensors_read(file, (guint)entry, tensor->dtype, to, error))
        return FALSE;
    if (tensor->dtype != AIMF_F32 || aimf_train_all_finite(to, tensor->bytes / sizeof(float)))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its tensor '%s' has values that are not finite", name);
    return FALSE;
}

static gboolean read_changing(const AimfTensors *file, const char *prefix, GHashTable *frozen, AimfTensors *to,
                              GError **error)
{
    for (guint i = 0; i < aimf_tensors_count(to); i++) {
        const AimfTensor *tensor = aimf_tensors_at(to, i);
        if (!g_hash_table_contains(frozen, tensor->name) &&
            !read_tensor(file, prefix, tensor, aimf_tensors_writable(to, i), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean read_remembered(const AimfTensors *file, AimfPlan *plan, AimfTensors *to, GError **error)
{
    for (guint i = 0; i < aimf_tensors_count(to); i++)
        if (!read_tensor(file, "", aimf_tensors_at(to, i), aimf_tensors_writable(to, i), error))
            return FALSE;
    GError *failure = NULL;
    if (aimf_plan_load_optimizer_state(plan, to, &failure))
        return TRUE;
    if (g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_INVALID))
        failure->code = AIMF_ERROR_FORMAT;
    g_propagate_error(error, failure);
    return FALSE;
}

static gboolean read_best(const AimfTensors *file, AimfTrainResult *result, GError **error)
{
    const char *epoch_text = aimf_tensors_metadata(file, KEY("best_epoch"));
    const char *accuracy_text = aimf_tensors_metadata(file, KEY("best_accuracy"));
    guint64 best_epoch = 0;
    result->best_accuracy = accuracy_text ? g_ascii_strtod(accuracy_text, NULL) : NAN;
    result->kept_start = result->groups && g_strcmp0(epoch_text, "start") == 0;
    if (result->history->len == 0 || !epoch_text ||
        (!result->kept_start && !g_ascii_string_to_unsigned(epoch_text, 10, 0, G_MAXUINT, &best_epoch, NULL)) ||
        best_epoch >= result->history->len || !(result->best_accuracy >= 0 && result->best_accuracy <= 1)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its best epoch does not fit its history");
        return FALSE;
    }
    result->best_epoch = (guint)best_epoch;
    return TRUE;
}

static gboolean read_result(const AimfTensors *file, AimfTrainState *state, guint epochs, GError **error)
{
    const char *history = aimf_tensors_metadata(file, KEY("history"));
    const char *start = aimf_tensors_metadata(file, KEY("start"));
    if (!history) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its history is missing");
        return FALSE;
    }
    if (!aimf_history_parse(history, state->result, error) || !read_best(file, state->result, error))
        return FALSE;
    if (state->result->history->len > epochs) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "it has %u epoch%s already, more than the %u wanted",
                    state->result->history->len, AIMF_PLURAL(state->result->history->len), epochs);
        return FALSE;
    }
    state->has_start = state->result->groups && start;
    return !state->has_start || aimf_start_parse(start, state->result, error);
}

static gboolean load(AimfTrainState *state, guint epochs, const AimfTensors *file, GError **error)
{
    const char *format = aimf_tensors_metadata(file, KEY("format"));
    if (g_strcmp0(format, FORMAT_VERSION) != 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its format is '%s', not '" FORMAT_VERSION "'",
                    format ? AIMF_SHOWN(format) : "(none)");
        return FALSE;
    }
    g_autoptr(AimfTensors) remembered = aimf_plan_optimizer_state(state->plan, error);
    if (!remembered)
        return FALSE;
    const char *engine = aimf_tensors_metadata(file, KEY("engine"));
    if (engine && strcmp(engine, state->engine) != 0)
        state->other_engine = g_strdup(AIMF_SHOWN(engine));
    g_autoptr(GHashTable) frozen = find_frozen(state);
    return aimf_run_check(state->run, aimf_tensors_metadata(file, KEY("run")), error) &&
           read_result(file, state, epochs, error) && read_changing(file, "weights/", frozen, state->current, error) &&
           aimf_plan_load(state->plan, state->current, error) &&
           read_remembered(file, state->plan, remembered, error) &&
           read_changing(file, "best/", frozen, state->best, error);
}

gboolean aimf_train_state_load(AimfTrainState *state, guint epochs, const char *path, GError **error)
{
    GError *failure = NULL;
    g_autoptr(AimfTensors) file = aimf_tensors_open(path, &failure);
    if (file && load(state, epochs, file, &failure))
        return TRUE;
    gboolean damaged = g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_FORMAT);
    g_propagate_prefixed_error(error, failure, "cannot continue from the state '%s' of the training%s: ", path,
                               damaged ? ", which is damaged; without it training begins anew" : "");
    return FALSE;
}
