/* A plan at work: writing, running, reading. */
#include "graph/plan.h"

static void free_steps(GArray *steps)
{
    for (guint i = 0; i < steps->len; i++) {
        AimfStep *step = &g_array_index(steps, AimfStep, i);
        step->kernel->free(step->kernel);
        g_free(step->label);
    }
    g_array_unref(steps);
}

void aimf_plan_free(AimfPlan *plan)
{
    if (!plan)
        return;
    AimfDevice *device = plan->store->device;
    AimfStream *stream = plan->store->stream;
    aimf_stream_drain(stream);
    if (plan->trace && stream->trace == plan->trace)
        stream->trace = NULL;
    aimf_stream_begin(stream);
    free_steps(plan->steps);
    free_steps(plan->packs);
    if (plan->state)
        plan->backend->close(plan->state);
    aimf_stream_end(stream);
    if (plan->shares_store)
        plan->store->planned_bytes -= plan->planned_bytes;
    device->class->release(device, plan->arena, plan->arena_bytes);
    device->class->release(device, plan->resident, plan->allocated_bytes);
    g_array_unref(plan->buffers);
    g_array_unref(plan->trained);
    g_array_unref(plan->buckets);
    g_array_unref(plan->averaged);
    aimf_graph_free(plan->graph);
    aimf_store_free(plan->store);
    g_free(plan->canonical);
    g_free(plan->primary);
    g_free(plan);
}

void aimf_plan_touch_states(AimfPlan *plan)
{
    for (guint i = 1; plan->moves_states && i < plan->graph->values->len; i++)
        if (g_array_index(plan->graph->values, AimfValueInfo, i).leaf == AIMF_LEAF_STATE)
            aimf_store_touch(plan->store, aimf_buffer(plan, plan->canonical[i])->stored);
}

/* What the run changes of what is stored has a new version, even if the run failed on its way. */
static void touch_changed(AimfPlan *plan)
{
    for (guint i = 0; plan->learning_rate != AIMF_NONE && i < plan->trained->len; i++)
        aimf_store_touch(plan->store, aimf_trained(plan, i)->stored);
    aimf_plan_touch_states(plan);
}

/* A tensor that was never loaded would be taken for zeros. */
static gboolean check_filled(AimfPlan *plan, GError **error)
{
    for (guint i = 0; !plan->is_filled && i < plan->buffers->len; i++) {
        const AimfBuffer *buffer = aimf_buffer(plan, (int)i);
        if (buffer->stored < 0 || aimf_stored(plan->store, buffer->stored)->version > 0)
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the tensor '%s' has no values yet: load it before the run",
                    aimf_stored(plan->store, buffer->stored)->name);
        return FALSE;
    }
    plan->is_filled = TRUE;
    return TRUE;
}

gboolean aimf_plan_prepare(AimfPlan *plan, GError **error)
{
    return check_filled(plan, error) && aimf_plan_check_room(plan, error) &&
           (plan->was_reset || aimf_plan_fill_states(plan, error)) &&
           (plan->has_averages || aimf_plan_fill_averages(plan, error)) && aimf_plan_pack(plan, error);
}

static gboolean run(AimfPlan *plan, GError **error)
{
    if (!aimf_plan_prepare(plan, error))
        return FALSE;
    touch_changed(plan);
    for (guint s = 0; s < plan->steps->len; s++)
        if (!aimf_step_run(plan, aimf_step(plan, s), error))
            return FALSE;
    return TRUE;
}

gboolean aimf_plan_run(AimfPlan *plan, GError **error)
{
    aimf_stream_begin(plan->store->stream);
    gboolean good = run(plan, error);
    aimf_stream_end(plan->store->stream);
    return good;
}

gboolean aimf_plan_wait(AimfPlan *plan, GError **error)
{
    return aimf_stream_wait(plan->store->stream, error);
}

/* --- Values in and out --- */

/* The buffer of @value, if @n elements from @first on lie in it as @dtype; NULL with an error. */
static const AimfBuffer *find_elements(const AimfPlan *plan, AimfValue value, AimfDtype dtype, gsize first, gsize n,
                                       GError **error)
{
    const AimfBuffer *buffer = NULL;
    if (aimf_graph_has(plan->graph, value) && plan->canonical[value] != NO_BUFFER)
        buffer = aimf_buffer(plan, plan->canonical[value]);
    if (!buffer || buffer->home == HOME_STAGING || buffer->layout.dtype != dtype) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "value %d is neither an input nor an output of the plan, nor a gradient", value);
        return NULL;
    }
    gsize there = buffer->layout.bytes / aimf_dtype_bytes(dtype);
    if (first <= there && n <= there - first)
        return buffer;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "value %d has %" G_GSIZE_FORMAT " elements, not %" G_GSIZE_FORMAT " from %" G_GSIZE_FORMAT " on", value,
                there, n, first);
    return NULL;
}

gboolean aimf_plan_write(AimfPlan *plan, AimfValue value, gsize first, gsize n, const float *from, GError **error)
{
    const AimfBuffer *buffer = find_elements(plan, value, AIMF_F32, first, n, error);
    if (!buffer)
        return FALSE;
    AimfLeaf leaf = g_array_index(plan->graph->values, AimfValueInfo, value).leaf;
    if (leaf != AIMF_LEAF_INPUT) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "value %d is not an input of the plan", value);
        return FALSE;
    }
    const char *name = aimf_graph_name(plan->graph, value);
    return aimf_stream_upload(plan->store->stream, name, (float *)buffer->address + first, from, n * sizeof(float),
                              error);
}

gboolean aimf_plan_read(AimfPlan *plan, AimfValue value, gsize first, gsize n, float *to, GError **error)
{
    const AimfBuffer *buffer = find_elements(plan, value, AIMF_F32, first, n, error);
    return buffer && aimf_stream_read(plan->store->stream, "reading", to, (const float *)buffer->address + first,
                                      n * sizeof(float), error);
}

AimfShape aimf_plan_shape(const AimfPlan *plan, AimfValue value)
{
    return aimf_graph_shape(plan->graph, value);
}

gboolean aimf_plan_set_learning_rate(AimfPlan *plan, double learning_rate, GError **error)
{
    float rate = (float)learning_rate;
    return plan->learning_rate == AIMF_NONE || aimf_plan_write(plan, plan->learning_rate, 0, 1, &rate, error);
}

AimfValue aimf_plan_gradient(const AimfPlan *plan, AimfValue parameter)
{
    const AimfTrained *trained = aimf_find_trained(plan, parameter);
    return trained ? trained->gradient : AIMF_NONE;
}

gboolean aimf_plan_read_sum(AimfPlan *plan, AimfValue parameter, double *to, GError **error)
{
    const AimfTrained *trained = aimf_find_trained(plan, parameter);
    AimfValue sum = trained ? trained->sum : AIMF_NONE;
    const AimfBuffer *buffer = find_elements(plan, sum, AIMF_F64, 0, 0, error);
    return buffer && aimf_stream_read(plan->store->stream, "reading", to, buffer->address, buffer->layout.bytes, error);
}

/* --- Readings --- */

struct AimfReading {
    AimfStream *stream;
    const void *memory;
    gsize bytes;
    guint64 mark;
    guint n_failures; /* of the stream when it was begun */
    float *numbers;
};

AimfReading *aimf_reading_new(AimfPlan *plan, AimfValue value, GError **error)
{
    const AimfBuffer *buffer = find_elements(plan, value, AIMF_F32, 0, 0, error);
    if (!buffer)
        return NULL;
    float *numbers = g_try_malloc0(buffer->layout.bytes);
    if (!numbers) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory to read value %d", value);
        return NULL;
    }
    AimfReading *reading = g_new(AimfReading, 1);
    *reading = (AimfReading){
        .stream = plan->store->stream, .memory = buffer->address, .bytes = buffer->layout.bytes, .numbers = numbers
    };
    return reading;
}

void aimf_reading_free(AimfReading *reading)
{
    if (!reading)
        return;
    aimf_stream_drain(reading->stream);
    g_free(reading->numbers);
    g_free(reading);
}

gboolean aimf_reading_begin(AimfReading *reading, GError **error)
{
    AimfStream *stream = reading->stream;
    gboolean given = aimf_stream_download(stream, "reading", reading->numbers, reading->memory, reading->bytes, error);
    reading->mark = stream->device->class->mark(stream);
    reading->n_failures = stream->n_failures;
    return given;
}

gboolean aimf_reading_is_there(AimfReading *reading)
{
    return reading->stream->device->class->is_reached(reading->stream, reading->mark);
}

const float *aimf_reading_wait(AimfReading *reading, GError **error)
{
    if (!aimf_stream_wait_for(reading->stream, reading->mark, error))
        return NULL;
    if (reading->n_failures == reading->stream->n_failures)
        return reading->numbers;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED, "passed over, because something given before it has failed");
    return NULL;
}
