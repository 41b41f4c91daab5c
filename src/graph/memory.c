/* Where everything lies: buffers, lifetimes, memory taken over in place, offsets in one arena, addresses. */
#include "graph/plan.h"

int aimf_plan_add_buffer(AimfPlan *plan, AimfValue value, AimfLayout layout, AimfHome home)
{
    AimfBuffer buffer = { .value = value,
                          .layout = layout,
                          .home = home,
                          .first = -1,
                          .last = -1,
                          .takes_over = NO_BUFFER,
                          .within = NO_BUFFER,
                          .stored = -1 };
    g_array_append_val(plan->buffers, buffer);
    return (int)plan->buffers->len - 1;
}

static gsize aligned(gsize bytes)
{
    return (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
}

static void find_lifetimes(AimfPlan *plan)
{
    for (guint s = 0; s < plan->steps->len; s++) {
        const AimfStep *step = aimf_step(plan, s);
        for (int i = 0; i < step->n_operands; i++) {
            if (step->operands[i] == NO_BUFFER)
                continue;
            AimfBuffer *buffer = aimf_buffer(plan, step->operands[i]);
            if (buffer->first < 0)
                buffer->first = (int)s;
            buffer->last = (int)s;
        }
    }
}

/* The first owner of the memory that @index uses. */
static int owner(const AimfPlan *plan, int index)
{
    while (aimf_buffer(plan, index)->takes_over != NO_BUFFER)
        index = aimf_buffer(plan, index)->takes_over;
    return index;
}

/* Outputs continue in the memory of an input that dies, where the kernel allows it. */
static void take_over_dying(AimfPlan *plan)
{
    for (guint s = 0; s < plan->steps->len; s++) {
        const AimfStep *step = aimf_step(plan, s);
        for (int o = 0; o < AIMF_MAX_OUTPUTS; o++) {
            int input = step->overwrites[o];
            if (input < 0 || step->operands[input] == NO_BUFFER || step->operands[step->n_inputs + o] == NO_BUFFER)
                continue;
            AimfBuffer *output = aimf_buffer(plan, step->operands[step->n_inputs + o]);
            int old = owner(plan, step->operands[input]);
            AimfBuffer *memory = aimf_buffer(plan, old);
            if (memory->home != HOME_ARENA || output->home != HOME_ARENA || memory->last != (int)s ||
                memory->layout.bytes < output->layout.bytes)
                continue;
            output->takes_over = old;
            memory->last = output->last;
        }
    }
}

static int compare_bytes(gconstpointer a, gconstpointer b, gpointer data)
{
    const AimfPlan *plan = data;
    int x = *(const int *)a, y = *(const int *)b;
    gsize bx = aimf_buffer(plan, x)->layout.bytes, by = aimf_buffer(plan, y)->layout.bytes;
    return bx != by ? (bx < by ? 1 : -1) : (x > y) - (x < y);
}

static gboolean overlap(const AimfBuffer *a, const AimfBuffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset at which @buffer fits beside the @placed ones (n, sorted by offset) that live at the same time. */
static gsize find_gap(const AimfPlan *plan, const AimfBuffer *buffer, const int *placed, guint n)
{
    gsize offset = 0, need = aligned(buffer->layout.bytes);
    for (guint i = 0; i < n; i++) {
        const AimfBuffer *other = aimf_buffer(plan, placed[i]);
        if (!overlap(buffer, other))
            continue;
        if (other->offset >= offset + need)
            break;
        offset = MAX(offset, other->offset + aligned(other->layout.bytes));
    }
    return offset;
}

/* Largest first, each at the lowest place that is free during its life. */
static void place_in_arena(AimfPlan *plan)
{
    g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(int));
    for (int i = 0; i < (int)plan->buffers->len; i++) {
        const AimfBuffer *buffer = aimf_buffer(plan, i);
        if (buffer->home == HOME_ARENA && buffer->takes_over == NO_BUFFER && buffer->first >= 0)
            g_array_append_val(order, i);
    }
    g_array_sort_with_data(order, compare_bytes, plan);
    g_autofree int *placed = g_new(int, order->len + 1);
    for (guint i = 0; i < order->len; i++) {
        int index = g_array_index(order, int, i);
        AimfBuffer *buffer = aimf_buffer(plan, index);
        buffer->offset = find_gap(plan, buffer, placed, i);
        plan->arena_bytes = MAX(plan->arena_bytes, buffer->offset + aligned(buffer->layout.bytes));
        guint k = i;
        for (; k > 0 && aimf_buffer(plan, placed[k - 1])->offset > buffer->offset; k--)
            placed[k] = placed[k - 1];
        placed[k] = index;
    }
}

/* The step with the most bytes alive: what a perfect placement would need. */
static void find_peak(AimfPlan *plan)
{
    g_autofree gsize *alive = g_new0(gsize, plan->steps->len + 1);
    for (guint i = 0; i < plan->buffers->len; i++) {
        const AimfBuffer *buffer = aimf_buffer(plan, (int)i);
        if (buffer->home != HOME_ARENA || buffer->takes_over != NO_BUFFER || buffer->first < 0)
            continue;
        for (int s = buffer->first; s <= buffer->last; s++)
            alive[s] += aligned(buffer->layout.bytes);
    }
    for (guint s = 0; s < plan->steps->len; s++)
        if (alive[s] > plan->peak_bytes) {
            plan->peak_bytes = alive[s];
            plan->peak_step = (int)s;
        }
}

/* Which leaves are in the store, packed or with states of the plan's own included; there is room for them then. */
static gboolean reserve(AimfPlan *plan, GError **error)
{
    guint n = 0, n_values = plan->graph->values->len;
    g_autofree const AimfValueInfo **infos = g_new(const AimfValueInfo *, n_values);
    g_autofree int *buffers = g_new(int, n_values);
    g_autofree int *stored = g_new(int, n_values);
    for (guint i = 1; i < n_values; i++) {
        const AimfValueInfo *info = &g_array_index(plan->graph->values, AimfValueInfo, i);
        if (info->leaf != AIMF_LEAF_STATE &&
            (info->leaf != AIMF_LEAF_PARAMETER || aimf_buffer(plan, plan->canonical[i])->home != HOME_STORE))
            continue;
        infos[n] = info;
        buffers[n++] = plan->canonical[i];
    }
    if (!aimf_store_reserve(plan->store, infos, n, stored, error))
        return FALSE;
    for (guint i = 0; i < n; i++)
        aimf_buffer(plan, buffers[i])->stored = stored[i];
    return TRUE;
}

static gboolean allocate(AimfPlan *plan, GError **error)
{
    AimfDevice *device = plan->store->device;
    gsize offset = 0;
    for (guint i = 0; i < plan->buffers->len; i++) {
        AimfBuffer *buffer = aimf_buffer(plan, (int)i);
        if (buffer->home != HOME_RESIDENT)
            continue;
        buffer->offset = offset;
        offset += aligned(buffer->layout.bytes);
    }
    plan->allocated_bytes = offset;
    plan->resident_bytes = offset + (plan->shares_store ? 0 : plan->store->bytes);
    plan->resident = device->class->allocate(device, offset, "parameters and inputs", error);
    if (!plan->resident)
        return FALSE;
    plan->arena = device->class->allocate(device, plan->arena_bytes, "activations", error);
    return plan->arena != NULL;
}

static void *address_of(const AimfPlan *plan, int index)
{
    const AimfBuffer *buffer = aimf_buffer(plan, index);
    switch (buffer->home) {
    case HOME_ARENA:
        return (char *)plan->arena + aimf_buffer(plan, owner(plan, index))->offset;
    case HOME_RESIDENT:
        return (char *)plan->resident + buffer->offset;
    case HOME_STORE:
        return aimf_stored(plan->store, buffer->stored)->address;
    case HOME_BUCKET:
        return (char *)address_of(plan, buffer->within) + buffer->offset;
    case HOME_STAGING:
    default:
        return NULL;
    }
}

gboolean aimf_plan_place(AimfPlan *plan, GError **error)
{
    find_lifetimes(plan);
    take_over_dying(plan);
    place_in_arena(plan);
    find_peak(plan);
    if (!reserve(plan, error) || !allocate(plan, error))
        return FALSE;
    for (int i = 0; i < (int)plan->buffers->len; i++)
        aimf_buffer(plan, i)->address = address_of(plan, i);
    for (guint s = 0; s < plan->steps->len; s++)
        aimf_step_bind(plan, aimf_step(plan, s));
    return TRUE;
}

gboolean aimf_plan_check_room(AimfPlan *plan, GError **error)
{
    AimfDevice *device = plan->store->device;
    gsize bytes = plan->resident_bytes + plan->arena_bytes;
    if (!plan->has_room && device->class->check_room && !device->class->check_room(device, bytes, error))
        return FALSE;
    plan->has_room = TRUE;
    return TRUE;
}
