#include "train/state.h"

#include "train/history.h"
#include "train/run.h"

#include <math.h>

#define FORMAT_VERSION "1"
#define KEY(name) "aimfair.state." name

/* Trained parameters do, and what is no parameter: running statistics and counters. */
static gboolean changes(const AimfTrainState *state, const char *name)
{
    return !g_strv_contains(state->frozen, name);
}

static gboolean add(AimfTensors *to, const char *prefix, const AimfTensor *tensor, const void *data, GError **error)
{
    g_autofree char *name = g_strconcat(prefix, tensor->name, NULL);
    return aimf_tensors_add(to, name, tensor->dtype, &tensor->shape, data, error) >= 0;
}

static gboolean add_changing(AimfTensors *to, const char *prefix, const AimfTrainState *state, const AimfTensors *from,
                             GError **error)
{
    for (guint i = 0; i < aimf_tensors_count(from); i++) {
        const AimfTensor *tensor = aimf_tensors_at(from, i);
        if (changes(state, tensor->name) && !add(to, prefix, tensor, aimf_tensors_data(from, i), error))
            return FALSE;
    }
    return TRUE;
}

static const AimfTensor *trained_tensor(const AimfTrainState *state, const char *name)
{
    int entry = aimf_tensors_find(state->current, name);
    g_assert(entry >= 0);
    return aimf_tensors_at(state->current, (guint)entry);
}

static gboolean add_momenta(AimfTensors *to, const AimfTrainState *state, GError **error)
{
    gsize n;
    const float *momenta = aimf_plan_momenta(state->plan, &n), *end = momenta + n;
    for (const char *const *name = state->trained; *name; name++) {
        const AimfTensor *tensor = trained_tensor(state, *name);
        if (!add(to, "momentum/", tensor, momenta, error))
            return FALSE;
        momenta += aimf_shape_count(&tensor->shape);
    }
    g_assert(momenta == end);
    return TRUE;
}

gboolean aimf_train_state_save(const AimfTrainState *state, const char *path, GError **error)
{
    g_autoptr(AimfTensors) file = aimf_tensors_new();
    if (!add_changing(file, "weights/", state, state->current, error) ||
        !add_changing(file, "best/", state, state->best, error) || !add_momenta(file, state, error))
        return FALSE;
    g_autofree char *run = aimf_run_text(state->run);
    g_autofree char *history = aimf_history_text(state->result->history);
    g_autofree char *best_epoch = g_strdup_printf("%u", state->result->best_epoch);
    char best_accuracy[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_dtostr(best_accuracy, sizeof best_accuracy, state->result->best_accuracy);
    aimf_tensors_set_metadata(file, KEY("format"), FORMAT_VERSION);
    aimf_tensors_set_metadata(file, KEY("run"), run);
    aimf_tensors_set_metadata(file, KEY("history"), history);
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
    return aimf_tensors_read(file, (guint)entry, tensor->dtype, to, error);
}

static gboolean read_changing(const AimfTensors *file, const char *prefix, const AimfTrainState *state, AimfTensors *to,
                              GError **error)
{
    for (guint i = 0; i < aimf_tensors_count(to); i++) {
        const AimfTensor *tensor = aimf_tensors_at(to, i);
        if (changes(state, tensor->name) && !read_tensor(file, prefix, tensor, aimf_tensors_writable(to, i), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean read_momenta(const AimfTensors *file, const AimfTrainState *state, GError **error)
{
    gsize n;
    float *momenta = aimf_plan_momenta(state->plan, &n), *end = momenta + n;
    for (const char *const *name = state->trained; *name; name++) {
        const AimfTensor *tensor = trained_tensor(state, *name);
        if (!read_tensor(file, "momentum/", tensor, momenta, error))
            return FALSE;
        momenta += aimf_shape_count(&tensor->shape);
    }
    g_assert(momenta == end);
    return TRUE;
}

static gboolean read_result(const AimfTensors *file, AimfTrainResult *result, guint epochs, GError **error)
{
    const char *history = aimf_tensors_metadata(file, KEY("history"));
    const char *epoch_text = aimf_tensors_metadata(file, KEY("best_epoch"));
    const char *accuracy_text = aimf_tensors_metadata(file, KEY("best_accuracy"));
    guint64 best_epoch;
    if (!history || !aimf_history_parse(history, result->history, error))
        return history || (g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its history is missing"), FALSE);
    result->best_accuracy = accuracy_text ? g_ascii_strtod(accuracy_text, NULL) : NAN;
    if (!epoch_text || !g_ascii_string_to_unsigned(epoch_text, 10, 0, G_MAXUINT, &best_epoch, NULL) ||
        best_epoch >= result->history->len || result->history->len > epochs ||
        !(result->best_accuracy >= 0 && result->best_accuracy <= 1)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its best epoch does not fit its history");
        return FALSE;
    }
    result->best_epoch = (guint)best_epoch;
    return TRUE;
}

static gboolean load(AimfTrainState *state, guint epochs, const AimfTensors *file, GError **error)
{
    const char *format = aimf_tensors_metadata(file, KEY("format"));
    if (g_strcmp0(format, FORMAT_VERSION) != 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its format is '%s', not '" FORMAT_VERSION "'",
                    format ? format : "(none)");
        return FALSE;
    }
    return aimf_run_check(state->run, aimf_tensors_metadata(file, KEY("run")), error) &&
           read_result(file, state->result, epochs, error) &&
           read_changing(file, "weights/", state, state->current, error) && read_momenta(file, state, error) &&
           read_changing(file, "best/", state, state->best, error);
}

gboolean aimf_train_state_load(AimfTrainState *state, guint epochs, const char *path, GError **error)
{
    g_autoptr(AimfTensors) file = aimf_tensors_open(path, error);
    if (!file)
        return FALSE;
    gboolean loaded = load(state, epochs, file, error);
    if (!loaded)
        g_prefix_error(error, "cannot continue from the state '%s': ", path);
    return loaded;
}
