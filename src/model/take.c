/* Weights into a model: another head, and everything else strictly. */
#include "model/model.h"

#include "base/monitor.h"
#include "model/misfits.h"
#include "model/places.h"
#include "weights/tensors.h"

#include <math.h>
#include <string.h>

int aimf_weights_outputs(const char *name, const AimfTensors *tensors)
{
    const AimfArchitecture *architecture = aimf_architecture_find(name, NULL);
    g_autofree char *weight = architecture ? g_strconcat(architecture->head, ".weight", NULL) : NULL;
    int index = weight ? aimf_tensors_find(tensors, weight) : -1;
    const AimfTensor *tensor = index >= 0 ? aimf_tensors_at(tensors, (guint)index) : NULL;
    return tensor && tensor->shape.rank == 2 ? (int)MIN(tensor->shape.dim[0], G_MAXINT) : 0;
}

/* For every tensor of the model the entry of its name, or -1. (owned) */
static int *match_names(const AimfModel *model, const AimfTensors *tensors, AimfMisfits *misfits)
{
    guint n = aimf_tensors_count(model->tensors);
    int *entry = g_new(int, n);
    for (guint i = 0; i < n; i++)
        entry[i] = aimf_tensors_find(tensors, aimf_tensors_at(model->tensors, i)->name);
    for (guint i = 0; i < aimf_tensors_count(tensors); i++) {
        const char *name = aimf_tensors_at(tensors, i)->name;
        if (aimf_tensors_find(model->tensors, name) < 0)
            aimf_misfits_add(misfits->surplus, name);
    }
    return entry;
}

/* The model's head, and what stands for it in the weights. */
typedef struct {
    const char *name;
    const AimfTensor *ours;          /* its weight */
    const AimfTensor *weight, *bias; /* theirs, NULL where they are missing */
} Head;

static const AimfTensor *entry_at(const AimfTensors *tensors, int entry)
{
    return entry < 0 ? NULL : aimf_tensors_at(tensors, (guint)entry);
}

static Head find_head(const AimfModel *model, const AimfTensors *tensors, const int *entry)
{
    const char *name = aimf_architecture_find(model->architecture, NULL)->head;
    g_autofree char *weight_name = g_strconcat(name, ".weight", NULL), *bias_name = g_strconcat(name, ".bias", NULL);
    int weight = aimf_tensors_find(model->tensors, weight_name), bias = aimf_tensors_find(model->tensors, bias_name);
    return (Head){ name, entry_at(model->tensors, weight), entry_at(tensors, entry[weight]),
                   entry_at(tensors, entry[bias]) };
}

/* None, or one like the model's but for the number of its classes. */
static gboolean may_stay_fresh(const Head *head)
{
    if (!head->weight || !head->bias)
        return !head->weight && !head->bias;
    const AimfShape *ours = &head->ours->shape, *theirs = &head->weight->shape, *bias = &head->bias->shape;
    return theirs->rank == 2 && theirs->dim[1] == ours->dim[1] && theirs->dim[0] != ours->dim[0] &&
           theirs->dim[0] > 0 && bias->rank == 1 && bias->dim[0] == theirs->dim[0];
}

static void tell_fresh(const Head *head, const AimfMonitor *monitor)
{
    g_autofree char *ours = aimf_shape_text(&head->ours->shape);
    g_autofree char *theirs = head->weight ? aimf_shape_text(&head->weight->shape) : NULL;
    if (theirs)
        aimf_message(monitor, AIMF_LOG_WARNING,
                     "the weights' final layer %s.weight is %s, for %" G_GINT64_FORMAT
                     " output%s: it is replaced by a fresh one, %s",
                     head->name, theirs, head->weight->shape.dim[0], AIMF_PLURAL(head->weight->shape.dim[0]), ours);
    else
        aimf_message(monitor, AIMF_LOG_INFO, "the weights have no final layer: it is a fresh one, %s", ours);
}

static gboolean copy_entry(const AimfModel *model, guint index, const AimfTensors *from, guint entry,
                           const AimfPreprocess *pictures, const AimfMonitor *monitor, GError **error)
{
    const AimfTensor *tensor = aimf_tensors_at(model->tensors, index);
    void *data = aimf_tensors_writable(model->tensors, index);
    AimfPlaces places;
    gboolean other = aimf_places_of(model, tensor, aimf_tensors_at(from, entry), pictures, &places) &&
                     !aimf_places_are_ours(model, &places);
    if (!(other ? aimf_places_resample(model, index, from, entry, &places, monitor, error)
                : aimf_tensors_read(from, entry, tensor->dtype, data, error)))
        return FALSE;
    const float *values = data;
    gint64 n = tensor->dtype == AIMF_F32 ? aimf_shape_count(&tensor->shape) : 0;
    /* The root of a negative variance is NaN, which the following ReLU would turn into an innocent 0. */
    float least = g_str_has_suffix(tensor->name, ".running_var") ? 0 : -G_MAXFLOAT;
    for (gint64 i = 0; i < n; i++) {
        if (isfinite(values[i]) && values[i] >= least)
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "the weights '%s' have the value %g%s at element %" G_GINT64_FORMAT, tensor->name,
                    (double)values[i], aimf_tensors_at(from, entry)->dtype == AIMF_F32 ? "" : " as f32", i);
        return FALSE;
    }
    return TRUE;
}

/* For every tensor of the model the entry that fits, or -1 where it stays as it is. (owned) */
static int *match(const AimfModel *model, const AimfTensors *tensors, const AimfPreprocess *pictures,
                  gboolean fresh_head, const AimfMonitor *monitor, GError **error)
{
    g_auto(AimfMisfits) misfits;
    aimf_misfits_init(&misfits);
    const AimfArchitecture *architecture = aimf_architecture_find(model->architecture, NULL);
    g_autofree int *entry = match_names(model, tensors, &misfits);
    Head head = find_head(model, tensors, entry);
    fresh_head = fresh_head && may_stay_fresh(&head);
    gboolean of_no_square = FALSE;
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        const AimfTensor *ours = aimf_tensors_at(model->tensors, i);
        const AimfTensor *theirs = entry_at(tensors, entry[i]);
        AimfPlaces places;
        if (fresh_head && aimf_is_of_head(architecture, ours->name))
            entry[i] = -1;
        else if (!theirs || !aimf_places_of(model, ours, theirs, pictures, &places)) {
            aimf_misfits_compare(&misfits, ours->name, ours->dtype, &ours->shape, theirs);
            of_no_square = of_no_square || (theirs && !pictures &&
                                            aimf_places_alike(architecture, ours->name, &ours->shape, &theirs->shape));
        }
    }
    if (aimf_misfits_count(&misfits)) {
        aimf_misfits_complain(&misfits, "", model->architecture, error);
        if (of_no_square && aimf_misfits_count(&misfits) == 1)
            g_prefix_error(error, "rows for places can be resampled where they are those of a square input: ");
        return NULL;
    }
    if (fresh_head)
        tell_fresh(&head, monitor);
    return g_steal_pointer(&entry);
}

gboolean aimf_model_fill(AimfModel *model, const AimfTensors *tensors, const AimfPreprocess *pictures,
                         gboolean fresh_head, const AimfMonitor *monitor, GError **error)
{
    g_autofree int *entry = match(model, tensors, pictures, fresh_head, monitor, error);
    if (!entry)
        return FALSE;
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++)
        if (entry[i] >= 0 && !copy_entry(model, i, tensors, (guint)entry[i], pictures, monitor, error))
            return FALSE;
    return aimf_tensors_unchanged(tensors, error);
}

gboolean aimf_model_take_weights(AimfModel *model, const AimfTensors *weights, const AimfMonitor *monitor,
                                 GError **error)
{
    AimfTensors *before = model->tensors;
    AimfPreprocess saved;
    gboolean known = aimf_saved_preprocess(weights, &saved, NULL);
    model->tensors = aimf_tensors_load(before, AIMF_N_DTYPES, error);
    if (model->tensors && aimf_model_fill(model, weights, known ? &saved : NULL, TRUE, monitor, error)) {
        const char *trainings = aimf_tensors_metadata(weights, AIMF_TRAININGS);
        aimf_tensors_set_metadata(model->tensors, AIMF_TRAININGS, trainings);
        aimf_tensors_free(before);
        return TRUE;
    }
    aimf_tensors_free(model->tensors);
    model->tensors = before;
    return FALSE;
}

gboolean aimf_model_set_preprocess(AimfModel *model, const AimfPreprocess *preprocess, const AimfMonitor *monitor,
                                   GError **error)
{
    g_autoptr(AimfModel) changed = aimf_model_blank(model->architecture, preprocess, model->outputs, error);
    if (!changed || !aimf_model_fill(changed, model->tensors, &model->preprocess, FALSE, monitor, error))
        return FALSE;
    g_auto(GStrv) keys = aimf_tensors_metadata_keys(model->tensors);
    for (char **key = keys; *key; key++)
        aimf_tensors_set_metadata(changed->tensors, *key, aimf_tensors_metadata(model->tensors, *key));
    model->preprocess = *preprocess;
    AimfTensors *before = model->tensors;
    model->tensors = changed->tensors;
    changed->tensors = before;
    return TRUE;
}
