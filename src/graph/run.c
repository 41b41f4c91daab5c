/* A plan at work: loading, running, storing. */
#include "graph/plan.h"

#include "weights/tensors.h"

static void free_steps(GArray *steps)
{
    for (guint i = 0; steps && i < steps->len; i++) {
        AimfKernel *kernel = g_array_index(steps, AimfStep, i).kernel;
        kernel->free(kernel);
    }
    g_clear_pointer(&steps, g_array_unref);
}

void aimf_plan_free(AimfPlan *plan)
{
    if (!plan)
        return;
    free_steps(plan->steps);
    free_steps(plan->packs);
    plan->backend->close(plan->state);
    plan->backend->memory->release(plan->arena, plan->arena_bytes);
    plan->backend->memory->release(plan->resident, plan->resident_bytes);
    g_array_unref(plan->buffers);
    aimf_graph_free(plan->graph);
    g_free(plan->canonical);
    g_free(plan->primary);
    g_free(plan->trainable);
    g_free(plan->gradients);
    g_free(plan);
}

/* The entry of @tensors for a leaf, checked; -1 with an error. */
static int find_entry(const AimfTensors *tensors, const AimfValueInfo *info, GError **error)
{
    int entry = aimf_tensors_find(tensors, info->name);
    if (entry < 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "the tensor '%s' is missing", info->name);
        return -1;
    }
    const AimfShape *found = &aimf_tensors_at(tensors, (guint)entry)->shape;
    if (!aimf_shape_equal(found, &info->shape)) {
        g_autofree char *expected = aimf_shape_text(&info->shape), *have = aimf_shape_text(found);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the tensor '%s' has the shape %s, expected %s", info->name,
                    have, expected);
        return -1;
    }
    return entry;
}

/* Runs the packs that begin at buffer @from, whose contents lie at its address now. */
static gboolean pack(AimfPlan *plan, int from, GError **error)
{
    for (guint i = 0; i < plan->packs->len; i++) {
        const AimfStep *step = &g_array_index(plan->packs, AimfStep, i);
        if (step->operands[0] != from)
            continue;
        aimf_step_bind(plan, step);
        if (step->kernel->run(step->kernel, error))
            continue;
        AimfValue value = aimf_buffer(plan, from)->value;
        g_prefix_error(error,
                       "packing the tensor '%s', %s: ", g_array_index(plan->graph->values, AimfValueInfo, value).name,
                       aimf_step_name(plan, step));
        return FALSE;
    }
    return TRUE;
}

/* A tensor's f32 elements where they lie in the host's memory, or NULL. */
static const void *lying_f32(const AimfTensors *tensors, guint entry)
{
    return aimf_tensors_at(tensors, entry)->dtype == AIMF_F32 ? aimf_tensors_data(tensors, entry) : NULL;
}

/* Converts straight into the host's own memory; another device gets what was converted here first. */
static gboolean fill(const AimfPlan *plan, const AimfBuffer *buffer, const AimfTensors *tensors, guint entry,
                     GError **error)
{
    const AimfMemory *memory = plan->backend->memory;
    const void *data = lying_f32(tensors, entry);
    if (!data && memory == &aimf_host_memory)
        return aimf_tensors_read(tensors, entry, AIMF_F32, buffer->address, error);
    g_autofree void *converted = NULL;
    if (!data) {
        data = converted = g_try_malloc(buffer->layout.bytes);
        if (!converted) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory to load '%s'",
                        aimf_tensors_at(tensors, entry)->name);
            return FALSE;
        }
        if (!aimf_tensors_read(tensors, entry, AIMF_F32, converted, error))
            return FALSE;
    }
    memory->upload(buffer->address, data, buffer->layout.bytes);
    return TRUE;
}

/*
 * A frozen parameter that is only used packed needs its row-major form for a moment: as it lies on the host, or a copy.
 */
static gboolean load_staged(AimfPlan *plan, int index, const AimfTensors *tensors, guint entry, GError **error)
{
    const AimfMemory *memory = plan->backend->memory;
    AimfBuffer *buffer = aimf_buffer(plan, index);
    const void *lying = memory == &aimf_host_memory ? lying_f32(tensors, entry) : NULL;
    void *copy = lying ? NULL : memory->allocate(buffer->layout.bytes, "loading parameters", error);
    buffer->address = lying ? (void *)lying : copy; /* packs only read it */
    gboolean good = lying || (copy && fill(plan, buffer, tensors, entry, error));
    good = good && pack(plan, index, error);
    buffer->address = NULL;
    memory->release(copy, buffer->layout.bytes);
    return good;
}

enum {
    PAGES_KEPT_BYTES = 32 << 20
}; /* of the source, so that a large model is not resident twice while it is loaded */

gboolean aimf_plan_load(AimfPlan *plan, const AimfTensors *tensors, GError **error)
{
    gsize read_bytes = 0;
    const AimfMemory *memory = plan->backend->memory;
    if (!plan->has_room && memory->check_room && !memory->check_room(plan->resident_bytes + plan->arena_bytes, error))
        return FALSE;
    plan->has_room = TRUE;
    for (guint i = 1; i < plan->graph->values->len; i++) {
        const AimfValueInfo *info = &g_array_index(plan->graph->values, AimfValueInfo, i);
        if (info->leaf != AIMF_LEAF_PARAMETER && info->leaf != AIMF_LEAF_STATE)
            continue;
        int entry = find_entry(tensors, info, error);
        if (entry < 0)
            return FALSE;
        int index = plan->canonical[i];
        const AimfBuffer *buffer = aimf_buffer(plan, index);
        if (buffer->home == HOME_STAGING) {
            if (!load_staged(plan, index, tensors, (guint)entry, error))
                return FALSE;
        } else {
            if (!fill(plan, buffer, tensors, (guint)entry, error) || !pack(plan, index, error))
                return FALSE;
        }
        read_bytes += aimf_tensors_at(tensors, (guint)entry)->bytes;
        if (read_bytes > PAGES_KEPT_BYTES) {
            aimf_tensors_release_pages(tensors);
            read_bytes = 0;
        }
    }
    aimf_tensors_release_pages(tensors);
    if (!aimf_tensors_unchanged(tensors, error))
        return FALSE;
    if (plan->momenta)
        plan->backend->memory->clear(plan->momenta, plan->block_elements * sizeof(float));
    return TRUE;
}

gboolean aimf_plan_store(const AimfPlan *plan, AimfTensors *tensors, GError **error)
{
    for (guint i = 1; i < plan->graph->values->len; i++) {
        const AimfValueInfo *info = &g_array_index(plan->graph->values, AimfValueInfo, i);
        const AimfBuffer *buffer = plan->canonical[i] == NO_BUFFER ? NULL : aimf_buffer(plan, plan->canonical[i]);
        if (info->leaf != AIMF_LEAF_STATE && !(buffer && buffer->home == HOME_PARAMETER_BLOCK))
            continue;
        int entry = find_entry(tensors, info, error);
        if (entry < 0)
            return FALSE;
        void *to = aimf_tensors_writable(tensors, (guint)entry);
        if (!to || aimf_tensors_at(tensors, (guint)entry)->dtype != AIMF_F32) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the tensor '%s' is not f32 in memory", info->name);
            return FALSE;
        }
        plan->backend->memory->download(to, buffer->address, buffer->layout.bytes);
    }
    return TRUE;
}

float *aimf_plan_data(AimfPlan *plan, AimfValue value)
{
    if (!aimf_graph_has(plan->graph, value) || plan->canonical[value] == NO_BUFFER)
        return NULL;
    const AimfBuffer *buffer = aimf_buffer(plan, plan->canonical[value]);
    AimfLeaf leaf = g_array_index(plan->graph->values, AimfValueInfo, value).leaf;
    return leaf == AIMF_LEAF_INPUT || leaf == AIMF_LEAF_NOT ? buffer->address : NULL;
}

gboolean aimf_step_run(const AimfPlan *plan, guint index, GError **error)
{
    const AimfStep *step = aimf_step(plan, index);
    if (step->kernel->run(step->kernel, error))
        return TRUE;
    g_prefix_error(error, "step %u, %s: ", index, aimf_step_name(plan, step));
    return FALSE;
}

gboolean aimf_plan_run(AimfPlan *plan, GError **error)
{
    for (guint s = 0; s < plan->steps->len; s++)
        if (!aimf_step_run(plan, s, error))
            return FALSE;
    if (plan->has_sgd)
        plan->backend->sgd(&(AimfSgdRun){
            .n = plan->block_elements,
            .sgd = plan->sgd,
            .learning_rate = &plan->learning_rate,
            .parameters = plan->parameters,
            .gradients = plan->parameter_gradients,
            .momenta = plan->momenta,
        });
    return TRUE;
}

void aimf_plan_set_learning_rate(AimfPlan *plan, double learning_rate)
{
    plan->learning_rate = (float)learning_rate;
}

float *aimf_plan_gradients(AimfPlan *plan, gsize *n)
{
    *n = plan->block_elements;
    return plan->parameter_gradients;
}

float *aimf_plan_momenta(AimfPlan *plan, gsize *n)
{
    *n = plan->momenta ? plan->block_elements : 0;
    return plan->momenta;
}

float *aimf_plan_gradient(AimfPlan *plan, AimfValue parameter)
{
    for (guint i = 0; i < plan->n_trainable; i++)
        if (plan->trainable[i] == parameter)
            return plan->parameter_gradients + aimf_buffer(plan, plan->canonical[parameter])->offset / sizeof(float);
    return NULL;
}
