/* Weights into a model: another head, and everything else strictly. */
#include "model/model.h"

#include "base/monitor.h"
#include "weights/element.h"

#include <math.h>
#include <string.h>

enum { MAX_LISTED = 8 };

/* What stands in the way, in three lists for one message. */
typedef struct {
    GPtrArray *missing;
    GPtrArray *surplus;
    GPtrArray *wrong;
} Complaints;

static void append_list(GString *text, const char *title, const GPtrArray *names)
{
    if (names->len == 0)
        return;
    g_string_append_printf(text, "; %s (%u): ", title, names->len);
    for (guint i = 0; i < MIN(names->len, MAX_LISTED); i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "", (const char *)names->pdata[i]);
    if (names->len > MAX_LISTED)
        g_string_append_printf(text, " and %u more", names->len - MAX_LISTED);
}

static gboolean complain(const Complaints *complaints, const char *architecture, GError **error)
{
    if (complaints->missing->len + complaints->surplus->len + complaints->wrong->len == 0)
        return TRUE;
    g_autoptr(GString) text = g_string_new(NULL);
    append_list(text, "missing", complaints->missing);
    append_list(text, "surplus", complaints->surplus);
    append_list(text, "of the wrong shape or type", complaints->wrong);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "these are not the weights of a %s%s", architecture, text->str);
    return FALSE;
}

int aimf_weights_outputs(const char *name, const AimfTensors *tensors)
{
    const AimfArchitecture *architecture = aimf_architecture_find(name, NULL);
    g_autofree char *weight = architecture ? g_strconcat(architecture->head, ".weight", NULL) : NULL;
    int index = weight ? aimf_tensors_find(tensors, weight) : -1;
    const AimfTensor *tensor = index >= 0 ? aimf_tensors_at(tensors, (guint)index) : NULL;
    return tensor && tensor->shape.rank == 2 ? (int)MIN(tensor->shape.dim[0], G_MAXINT) : 0;
}

/* For every tensor of the model the entry of its name, or -1. (owned) */
static int *match_names(const AimfModel *model, const AimfTensors *tensors, Complaints *complaints)
{
    guint n = aimf_tensors_count(model->tensors);
    int *entry = g_new(int, n);
    for (guint i = 0; i < n; i++)
        entry[i] = aimf_tensors_find(tensors, aimf_tensors_at(model->tensors, i)->name);
    for (guint i = 0; i < aimf_tensors_count(tensors); i++) {
        const char *name = aimf_tensors_at(tensors, i)->name;
        if (aimf_tensors_find(model->tensors, name) < 0)
            g_ptr_array_add(complaints->surplus, g_strdup(name));
    }
    return entry;
}

/* A head like the model's but for the number of its classes. */
static gboolean is_other_head(const AimfModel *model, const AimfTensors *tensors, const int *entry, AimfShape *shape)
{
    const AimfArchitecture *architecture = aimf_architecture_find(model->architecture, NULL);
    g_autofree char *weight_name = g_strconcat(architecture->head, ".weight", NULL);
    g_autofree char *bias_name = g_strconcat(architecture->head, ".bias", NULL);
    int weight = aimf_tensors_find(model->tensors, weight_name), bias = aimf_tensors_find(model->tensors, bias_name);
    if (entry[weight] < 0 || entry[bias] < 0)
        return FALSE;
    const AimfShape *ours = &aimf_tensors_at(model->tensors, (guint)weight)->shape;
    const AimfShape *theirs = &aimf_tensors_at(tensors, (guint)entry[weight])->shape;
    const AimfShape *their_bias = &aimf_tensors_at(tensors, (guint)entry[bias])->shape;
    *shape = *theirs;
    return theirs->rank == 2 && theirs->dim[1] == ours->dim[1] && theirs->dim[0] != ours->dim[0] &&
           their_bias->rank == 1 && their_bias->dim[0] == theirs->dim[0];
}

static gboolean is_head(const AimfModel *model, const char *name)
{
    const char *head = aimf_architecture_find(model->architecture, NULL)->head;
    return g_str_has_prefix(name, head) && name[strlen(head)] == '.';
}

static void check_entry(const AimfTensor *ours, const AimfTensor *theirs, Complaints *complaints)
{
    if (!theirs) {
        /* PyTorch before 0.4.1 did not count batches: its files lack the counters, and they begin at 0. */
        if (ours->dtype != AIMF_I64)
            g_ptr_array_add(complaints->missing, g_strdup(ours->name));
        return;
    }
    gboolean fits = ours->dtype == AIMF_I64 ? theirs->dtype == AIMF_I64 : aimf_dtype_is_float(theirs->dtype);
    if (fits && aimf_shape_equal(&ours->shape, &theirs->shape))
        return;
    g_autofree char *expected = aimf_shape_text(&ours->shape);
    g_autofree char *found = aimf_shape_text(&theirs->shape);
    g_ptr_array_add(complaints->wrong,
                    g_strdup_printf("%s is %s %s in place of %s %s", theirs->name, aimf_dtype_name(theirs->dtype),
                                    found, aimf_dtype_name(ours->dtype), expected));
}

static gboolean copy_entry(AimfTensors *to, guint index, const AimfTensors *from, guint entry, GError **error)
{
    const AimfTensor *tensor = aimf_tensors_at(to, index);
    void *data = aimf_tensors_writable(to, index);
    if (!aimf_tensors_read(from, entry, tensor->dtype, data, error))
        return FALSE;
    const float *values = data;
    gint64 n = tensor->dtype == AIMF_F32 ? aimf_shape_count(&tensor->shape) : 0;
    /* The root of a negative variance is NaN, which the following ReLU would turn into an innocent 0. */
    float least = g_str_has_suffix(tensor->name, ".running_var") ? 0 : -G_MAXFLOAT;
    for (gint64 i = 0; i < n; i++) {
        if (isfinite(values[i]) && values[i] >= least)
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "the weights '%s' have the value %g at element %" G_GINT64_FORMAT, tensor->name, (double)values[i],
                    i);
        return FALSE;
    }
    return TRUE;
}

static int *match(const AimfModel *model, const AimfTensors *tensors, gboolean fresh_head, const AimfMonitor *monitor,
                  GError **error)
{
    Complaints complaints = {
        .missing = g_ptr_array_new_with_free_func(g_free),
        .surplus = g_ptr_array_new_with_free_func(g_free),
        .wrong = g_ptr_array_new_with_free_func(g_free),
    };
    g_autofree int *entry = match_names(model, tensors, &complaints);
    AimfShape other;
    gboolean keep_head = fresh_head && is_other_head(model, tensors, entry, &other);
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        const AimfTensor *ours = aimf_tensors_at(model->tensors, i);
        if (keep_head && is_head(model, ours->name))
            entry[i] = -1;
        else
            check_entry(ours, entry[i] < 0 ? NULL : aimf_tensors_at(tensors, (guint)entry[i]), &complaints);
    }
    gboolean strict = complain(&complaints, model->architecture, error);
    if (strict && keep_head) {
        g_autofree char *shape = aimf_shape_text(&other);
        aimf_message(monitor, AIMF_LOG_WARNING,
                     "the weights' final layer %s.weight is %s, for %" G_GINT64_FORMAT
                     " outputs: it is replaced by a fresh one, %dx%" G_GINT64_FORMAT,
                     aimf_architecture_find(model->architecture, NULL)->head, shape, other.dim[0], model->outputs,
                     other.dim[1]);
    }
    g_ptr_array_unref(complaints.missing);
    g_ptr_array_unref(complaints.surplus);
    g_ptr_array_unref(complaints.wrong);
    return strict ? g_steal_pointer(&entry) : NULL;
}

gboolean aimf_model_fill(AimfModel *model, const AimfTensors *tensors, gboolean fresh_head, const AimfMonitor *monitor,
                         GError **error)
{
    g_autofree int *entry = match(model, tensors, fresh_head, monitor, error);
    if (!entry)
        return FALSE;
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++)
        if (entry[i] >= 0 && !copy_entry(model->tensors, i, tensors, (guint)entry[i], error))
            return FALSE;
    return TRUE;
}

gboolean aimf_model_take_weights(AimfModel *model, const AimfTensors *tensors, const AimfMonitor *monitor,
                                 GError **error)
{
    /* The view only counts itself as one more user of @tensors. */
    g_autoptr(AimfTensors) weights =
        aimf_model_select_weights((AimfTensors *)tensors, model->architecture, NULL, monitor, error);
    if (!weights)
        return FALSE;
    AimfTensors *before = model->tensors;
    model->tensors = aimf_tensors_load(before, AIMF_N_DTYPES, error);
    if (model->tensors && aimf_model_fill(model, weights, TRUE, monitor, error)) {
        const char *trainings = aimf_tensors_metadata(weights, AIMF_TRAININGS);
        aimf_tensors_set_metadata(model->tensors, AIMF_TRAININGS, trainings);
        aimf_tensors_free(before);
        return TRUE;
    }
    aimf_tensors_free(model->tensors);
    model->tensors = before;
    return FALSE;
}
