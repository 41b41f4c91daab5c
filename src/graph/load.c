/* Parameters and states into a plan and out of it. */
#include "graph/plan.h"

#include "weights/tensors.h"

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

gboolean aimf_plan_reset(AimfPlan *plan, GError **error)
{
    for (guint b = 0; b < plan->buckets->len; b++) {
        const AimfBucket *bucket = &g_array_index(plan->buckets, AimfBucket, b);
        if (!clear(plan, "momenta", bucket->momenta, error) || !clear(plan, "sums", bucket->sums, error))
            return FALSE;
    }
    return aimf_plan_fill_states(plan, error);
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

/* --- Momenta --- */

static gboolean add_momentum(AimfPlan *plan, const AimfTrained *trained, AimfTensors *momenta, GError **error)
{
    const AimfShape *shape = aimf_value_shape(plan->graph, trained->parameter);
    const char *name = aimf_graph_name(plan->graph, trained->parameter);
    void *address = aimf_buffer(plan, plan->canonical[trained->momentum])->address;
    if (plan->store->device->class->on_host)
        return aimf_tensors_add_borrowed(momenta, name, AIMF_F32, shape, address, error);
    return aimf_tensors_add(momenta, name, AIMF_F32, shape, NULL, error) >= 0 &&
           aimf_store_fetch(plan->store, address, name, shape, momenta, error);
}

AimfTensors *aimf_plan_momenta(AimfPlan *plan, GError **error)
{
    g_autoptr(AimfTensors) momenta = aimf_tensors_new();
    for (guint i = 0; i < plan->trained->len; i++)
        if (aimf_trained(plan, i)->momentum != AIMF_NONE && !add_momentum(plan, aimf_trained(plan, i), momenta, error))
            return NULL;
    return aimf_stream_wait(plan->store->stream, error) ? g_steal_pointer(&momenta) : NULL;
}

gboolean aimf_plan_load_momenta(AimfPlan *plan, const AimfTensors *tensors, GError **error)
{
    for (guint i = 0; i < plan->trained->len; i++) {
        const AimfTrained *trained = aimf_trained(plan, i);
        if (trained->momentum == AIMF_NONE)
            continue;
        const AimfValueInfo *info = &g_array_index(plan->graph->values, AimfValueInfo, trained->parameter);
        const AimfBuffer *buffer = aimf_buffer(plan, plan->canonical[trained->momentum]);
        int entry = aimf_store_entry(tensors, info->name, &info->shape, error);
        if (entry < 0 || !aimf_store_upload(plan->store, info->name, buffer->address, buffer->layout.bytes, tensors,
                                            (guint)entry, error))
            return FALSE;
    }
    return aimf_stream_wait(plan->store->stream, error);
}
