/* Parameters and states into a plan and out of it. */
#include "graph/plan.h"

#include "base/intern.h"
#include "weights/tensors.h"

#include <math.h>

enum {
    PAGES_KEPT_BYTES = 32 << 20
}; /* of the source, so that a large model is not resident twice while it is loaded */

/* A pack that fails later is told by a wait: then the stream has one failure more than is noted here. */
static gboolean run_pack(const AimfPlan *plan, AimfStep *step, guint64 version, GError **error)
{
    aimf_step_bind(plan, step);
    if (!aimf_step_run(plan, step, error))
        return FALSE;
    step->version = version;
    step->n_failures = plan->store->stream->n_failures;
    return TRUE;
}

/* Runs the packs that begin at buffer @from, whose contents lie at its address now. */
static gboolean pack(AimfPlan *plan, int from, guint64 version, GError **error)
{
    for (guint i = 0; i < plan->packs->len; i++) {
        AimfStep *step = &g_array_index(plan->packs, AimfStep, i);
        if (step->operands[0] == from && !run_pack(plan, step, version, error))
            return FALSE;
    }
    return TRUE;
}

gboolean aimf_plan_pack(AimfPlan *plan, GError **error)
{
    gboolean waited = FALSE;
    for (guint i = 0; i < plan->packs->len; i++) {
        AimfStep *step = &g_array_index(plan->packs, AimfStep, i);
        const AimfBuffer *source = aimf_buffer(plan, step->operands[0]);
        if (source->home != HOME_STORE)
            continue;
        guint64 version = aimf_stored(plan->store, source->stored)->version;
        if (step->version == version && step->n_failures == plan->store->stream->n_failures)
            continue;
        /* Binding may touch memory that work given before still uses. */
        if (!waited && !aimf_stream_wait(plan->store->stream, error))
            return FALSE;
        waited = TRUE;
        if (!run_pack(plan, step, version, error))
            return FALSE;
    }
    return TRUE;
}

/*
 * A frozen parameter that is only used packed needs its row-major form for a moment: as it lies on the host, or a copy.
 */
static gboolean load_staged(AimfPlan *plan, int index, const AimfTensors *tensors, const AimfValueInfo *info,
                            GError **error)
{
    AimfDevice *device = plan->store->device;
    AimfBuffer *buffer = aimf_buffer(plan, index);
    gsize bytes = buffer->layout.bytes;
    int entry = aimf_store_entry(tensors, info->name, &info->shape, error);
    if (entry < 0)
        return FALSE;
    const void *lying = device->class->on_host ? aimf_store_lying(tensors, (guint)entry) : NULL;
    void *copy = lying ? NULL : device->class->allocate(device, bytes, "loading parameters", error);
    buffer->address = lying ? (void *)lying : copy; /* packs only read it */
    gboolean good =
        lying || (copy && aimf_store_upload(plan->store, info->name, copy, bytes, tensors, (guint)entry, error));
    good = good && pack(plan, index, 0, error);
    good = aimf_stream_wait(plan->store->stream, good ? error : NULL) && good;
    buffer->address = NULL;
    device->class->release(device, copy, bytes);
    return good;
}

/* Private states are filled in by the reset that follows. */
static gboolean load_leaf(AimfPlan *plan, int index, const AimfTensors *tensors, const AimfValueInfo *info,
                          GError **error)
{
    const AimfBuffer *buffer = aimf_buffer(plan, index);
    if (buffer->home == HOME_STAGING)
        return load_staged(plan, index, tensors, info, error);
    return aimf_store_fill(plan->store, buffer->stored, tensors, error) &&
           (buffer->home != HOME_STORE || pack(plan, index, aimf_stored(plan->store, buffer->stored)->version, error));
}

static gboolean load(AimfPlan *plan, const AimfTensors *tensors, GError **error)
{
    gsize read_bytes = 0;
    if (!aimf_plan_check_room(plan, error) || !aimf_stream_wait(plan->store->stream, error))
        return FALSE;
    for (guint i = 1; i < plan->graph->values->len; i++) {
        const AimfValueInfo *info = &g_array_index(plan->graph->values, AimfValueInfo, i);
        if (info->leaf != AIMF_LEAF_PARAMETER && info->leaf != AIMF_LEAF_STATE)
            continue;
        if (!load_leaf(plan, plan->canonical[i], tensors, info, error))
            return FALSE;
        read_bytes += (gsize)aimf_shape_count(&info->shape) * sizeof(float);
        if (read_bytes > PAGES_KEPT_BYTES) {
            aimf_tensors_release_pages(tensors);
            read_bytes = 0;
        }
    }
    aimf_tensors_release_pages(tensors);
    return aimf_plan_reset(plan, error) && aimf_tensors_unchanged(tensors, error);
}

gboolean aimf_plan_load(AimfPlan *plan, const AimfTensors *tensors, GError **error)
{
    aimf_stream_begin(plan->store->stream);
    gboolean good = load(plan, tensors, error);
    aimf_stream_end(plan->store->stream);
    return good;
}

static gboolean clear(AimfPlan *plan, const char *what, AimfValue bucket, GError **error)
{
    if (bucket == AIMF_NONE)
        return TRUE;
    const AimfBuffer *buffer = aimf_buffer(plan, plan->canonical[bucket]);
    return aimf_stream_clear(plan->store->stream, what, buffer->address, buffer->layout.bytes, error);
}

gboolean aimf_plan_fill_states(AimfPlan *plan, GError **error)
{
    for (guint i = 1; plan->private_states && i < plan->graph->values->len; i++) {
        if (g_array_index(plan->graph->values, AimfValueInfo, i).leaf != AIMF_LEAF_STATE)
            continue;
        const AimfBuffer *own = aimf_buffer(plan, plan->canonical[i]);
        const AimfStored *stored = aimf_stored(plan->store, own->stored);
        if (!aimf_stream_copy(plan->store->stream, stored->name, own->address, stored->address, stored->bytes, error))
            return FALSE;
    }
    return plan->was_reset = aimf_stream_wait(plan->store->stream, error);
}

/* An average begins as what is averaged. */
static gboolean fill_average(AimfPlan *plan, AimfValue of, AimfValue average, GError **error)
{
    const AimfBuffer *from = aimf_buffer(plan, plan->canonical[of]), *to = aimf_buffer(plan, plan->canonical[average]);
    return aimf_stream_copy(plan->store->stream, aimf_memory_name(MEMORY_AVERAGE), to->address, from->address,
                            to->layout.bytes, error);
}

gboolean aimf_plan_fill_averages(AimfPlan *plan, GError **error)
{
    for (guint b = 0; b < plan->buckets->len; b++) {
        const AimfBucket *bucket = &g_array_index(plan->buckets, AimfBucket, b);
        AimfValue average = bucket->memories[MEMORY_AVERAGE];
        if (average != AIMF_NONE && !fill_average(plan, bucket->parameters, average, error))
            return FALSE;
    }
    for (guint i = 0; i < plan->averaged->len; i++) {
        const AimfAveraged *averaged = &g_array_index(plan->averaged, AimfAveraged, i);
        if (!fill_average(plan, averaged->state, averaged->average, error))
            return FALSE;
    }
    return plan->has_averages = aimf_stream_wait(plan->store->stream, error);
}

gboolean aimf_plan_reset(AimfPlan *plan, GError **error)
{
    for (guint b = 0; b < plan->buckets->len; b++) {
        const AimfBucket *bucket = &g_array_index(plan->buckets, AimfBucket, b);
        for (AimfMemory m = 0; m < MEMORY_AVERAGE; m++)
            if (!clear(plan, aimf_memory_name(m), bucket->memories[m], error))
                return FALSE;
        if (!clear(plan, "sums", bucket->sums, error))
            return FALSE;
    }
    return clear(plan, "step", plan->n_optimized, error) && aimf_plan_fill_states(plan, error) &&
           aimf_plan_fill_averages(plan, error);
}

gboolean aimf_plan_save(AimfPlan *plan, AimfTensors *tensors, GError **error)
{
    for (guint i = 1; i < plan->graph->values->len; i++) {
        const AimfValueInfo *info = &g_array_index(plan->graph->values, AimfValueInfo, i);
        if ((aimf_find_trained(plan, (AimfValue)i) || info->leaf == AIMF_LEAF_STATE) &&
            !aimf_store_fetch(plan->store, aimf_buffer(plan, plan->canonical[i])->address, info->name, &info->shape,
                              tensors, error))
            return FALSE;
    }
    return TRUE;
}

/* --- What the optimizer remembers --- */

/* A number, or all numbers, that the optimizer remembers of @leaf; @name: (owned) in tensors. */
typedef struct {
    char *name;
    AimfValue leaf, value;
} Remembered;

static void remembered_clear(gpointer data)
{
    g_free(((Remembered *)data)->name);
}

static void add_remembered(AimfPlan *plan, GArray *all, AimfMemory memory, AimfValue leaf, AimfValue value)
{
    char *name = g_strdup_printf("%s/%s", aimf_memory_name(memory), aimf_graph_name(plan->graph, leaf));
    if (value != AIMF_NONE)
        g_array_append_val(all, ((Remembered){ name, leaf, value }));
    else
        g_free(name);
}

/* (owned) of Remembered; all but the number of steps. */
static GArray *list_remembered(AimfPlan *plan)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(Remembered));
    g_array_set_clear_func(all, remembered_clear);
    for (AimfMemory m = 0; m < N_MEMORIES; m++)
        for (guint i = 0; i < plan->trained->len; i++)
            add_remembered(plan, all, m, aimf_trained(plan, i)->parameter, aimf_trained(plan, i)->memories[m]);
    for (guint i = 0; i < plan->averaged->len; i++) {
        const AimfAveraged *averaged = &g_array_index(plan->averaged, AimfAveraged, i);
        add_remembered(plan, all, MEMORY_AVERAGE, averaged->state, averaged->average);
    }
    return all;
}

static gboolean save_remembered(AimfPlan *plan, const Remembered *remembered, AimfTensors *tensors, GError **error)
{
    const AimfShape *shape = aimf_value_shape(plan->graph, remembered->leaf);
    void *address = aimf_buffer(plan, plan->canonical[remembered->value])->address;
    if (plan->store->device->class->on_host)
        return aimf_tensors_add_borrowed(tensors, remembered->name, AIMF_F32, shape, address, error);
    return aimf_tensors_add(tensors, remembered->name, AIMF_F32, shape, NULL, error) >= 0 &&
           aimf_store_fetch(plan->store, address, remembered->name, shape, tensors, error);
}

static gboolean save_steps(AimfPlan *plan, AimfTensors *tensors, GError **error)
{
    if (plan->n_optimized == AIMF_NONE)
        return TRUE;
    double n;
    const void *address = aimf_buffer(plan, plan->canonical[plan->n_optimized])->address;
    return aimf_stream_read(plan->store->stream, "step", &n, address, sizeof n, error) &&
           aimf_tensors_add(tensors, "step", AIMF_F64, &(AimfShape){ 0 }, &n, error) >= 0;
}

AimfTensors *aimf_plan_optimizer_state(AimfPlan *plan, GError **error)
{
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    g_autoptr(GArray) all = list_remembered(plan);
    if (!plan->has_averages && !aimf_plan_fill_averages(plan, error))
        return NULL;
    for (guint i = 0; i < all->len; i++)
        if (!save_remembered(plan, &g_array_index(all, Remembered, i), tensors, error))
            return NULL;
    return save_steps(plan, tensors, error) && aimf_stream_wait(plan->store->stream, error) ? g_steal_pointer(&tensors)
                                                                                            : NULL;
}

static gboolean load_steps(AimfPlan *plan, const AimfTensors *tensors, GError **error)
{
    double n;
    if (plan->n_optimized == AIMF_NONE)
        return TRUE;
    int entry = aimf_store_entry(tensors, "step", &(AimfShape){ 0 }, error);
    if (entry < 0 || !aimf_tensors_read(tensors, (guint)entry, AIMF_F64, &n, error))
        return FALSE;
    if (!(n >= 0 && isfinite(n))) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "the optimizer has made %g steps: that is no number of steps", n);
        return FALSE;
    }
    void *address = aimf_buffer(plan, plan->canonical[plan->n_optimized])->address;
    return aimf_stream_upload(plan->store->stream, "step", address, &n, sizeof n, error);
}

gboolean aimf_plan_load_optimizer_state(AimfPlan *plan, const AimfTensors *tensors, GError **error)
{
    g_autoptr(GArray) all = list_remembered(plan);
    for (guint i = 0; i < all->len; i++) {
        const Remembered *remembered = &g_array_index(all, Remembered, i);
        const AimfBuffer *buffer = aimf_buffer(plan, plan->canonical[remembered->value]);
        int entry = aimf_store_entry(tensors, remembered->name, aimf_value_shape(plan->graph, remembered->leaf), error);
        if (entry < 0 || !aimf_store_upload(plan->store, aimf_intern(remembered->name), buffer->address,
                                            buffer->layout.bytes, tensors, (guint)entry, error))
            return FALSE;
    }
    plan->has_averages = TRUE;
    return load_steps(plan, tensors, error) && aimf_stream_wait(plan->store->stream, error);
}
