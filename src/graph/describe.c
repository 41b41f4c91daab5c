/* A plan in words: what runs, in which layouts, with how much memory and arithmetic; and where the time goes. */
#include "graph/plan.h"

#include "base/format.h"

#include <string.h>

static double step_flops(const AimfPlan *plan, const AimfStep *step)
{
    if (step->node < 0)
        return 0;
    const AimfNode *node = &g_array_index(plan->graph->nodes, AimfNode, step->node);
    return aimf_ops[node->op].flops(plan->graph, node);
}

double aimf_graph_flops(const AimfGraph *graph)
{
    double flops = 0;
    for (guint i = 0; i < graph->nodes->len; i++) {
        const AimfNode *node = &g_array_index(graph->nodes, AimfNode, i);
        flops += aimf_ops[node->op].flops(graph, node);
    }
    return flops;
}

AimfPlanSummary aimf_plan_summary(const AimfPlan *plan)
{
    AimfPlanSummary summary = {
        .n_steps = plan->steps->len,
        .arena_bytes = plan->arena_bytes,
        .resident_bytes = plan->resident_bytes,
        .peak_bytes = plan->peak_bytes,
        .peak_step = plan->steps->len ? aimf_step_name(plan, aimf_step(plan, (guint)plan->peak_step)) : "",
    };
    for (guint s = 0; s < plan->steps->len; s++) {
        const AimfStep *step = aimf_step(plan, s);
        double flops = step_flops(plan, step);
        summary.flops += flops;
        if (step->node >= 0 && (guint)step->node < plan->n_forward_nodes)
            summary.flops_forward += flops;
        summary.n_reorders += step->node < 0;
    }
    return summary;
}

/* "bn1.weight" for leaves, "%12" for what is computed. */
static void append_value(GString *text, const AimfPlan *plan, const AimfBuffer *buffer)
{
    const AimfValueInfo *info = &g_array_index(plan->graph->values, AimfValueInfo, buffer->value);
    if (buffer->value == AIMF_NONE)
        g_string_append(text, "scratch");
    else if (info->name)
        g_string_append(text, info->name);
    else
        g_string_append_printf(text, "%%%d", buffer->value);
    g_autofree char *shape = buffer->value == AIMF_NONE || info->workspace
                                 ? g_strdup_printf("%" G_GSIZE_FORMAT "B", buffer->layout.bytes)
                                 : aimf_shape_text(&info->shape);
    g_autofree char *layout = buffer->layout.detail ? plan->backend->layout_text(&buffer->layout, &info->shape) : NULL;
    g_string_append_printf(text, "[%s %s%s%s]", shape, aimf_dtype_name(buffer->layout.dtype), layout ? " " : "",
                           layout ? layout : "");
    static const char *const homes[] = {
        [HOME_RESIDENT] = "resident",
        [HOME_STORE] = "store",
        [HOME_STAGING] = "staged",
        [HOME_BUCKET] = "bucket",
    };
    if (buffer->home == HOME_ARENA)
        g_string_append_printf(text, "@%zu%s", (size_t)((const char *)buffer->address - (const char *)plan->arena),
                               buffer->takes_over == NO_BUFFER ? "" : "=");
    else
        g_string_append_printf(text, "@%s", homes[buffer->home]);
}

static void append_step(GString *text, const AimfPlan *plan, guint index)
{
    const AimfStep *step = aimf_step(plan, index);
    g_string_append_printf(text, "%4u  %-30s", index, aimf_step_name(plan, step));
    double flops = step_flops(plan, step);
    if (flops > 0)
        aimf_format_append(text, " %9.1f MFLOP", flops / 1e6);
    else
        g_string_append_printf(text, " %15s", "");
    g_string_append_printf(text, "  %-28s ", step->kernel->implementation ? step->kernel->implementation : "");
    for (int i = 0; i < step->n_operands; i++) {
        if (i == step->n_inputs)
            g_string_append(text, " ->");
        if (step->operands[i] == NO_BUFFER)
            continue;
        g_string_append_c(text, ' ');
        append_value(text, plan, aimf_buffer(plan, step->operands[i]));
    }
    g_string_append_c(text, '\n');
}

char *aimf_plan_describe(const AimfPlan *plan)
{
    GString *text =
        g_string_new("step operation, kernel, operands: value[shape type layout]@place; @n is the offset in the arena, "
                     "= memory taken over\n");
    for (guint s = 0; s < plan->steps->len; s++)
        append_step(text, plan, s);
    AimfPlanSummary summary = aimf_plan_summary(plan);
    aimf_format_append(text,
                       "\n%u steps (%u change a layout), %.3f GFLOP (%.3f forward)\n"
                       "arena %.1f MB; most alive at once %.1f MB, at step %d (%s); resident %.1f MB\n",
                       summary.n_steps, summary.n_reorders, summary.flops / 1e9, summary.flops_forward / 1e9,
                       (double)summary.arena_bytes / 1e6, (double)summary.peak_bytes / 1e6, plan->peak_step,
                       summary.peak_step, (double)summary.resident_bytes / 1e6);
    return g_string_free(text, FALSE);
}

typedef struct {
    const char *name;
    const char *implementation;
    guint calls;
    double seconds;
    double flops;
} Cost;

static int compare_costs(gconstpointer a, gconstpointer b)
{
    double x = ((const Cost *)a)->seconds, y = ((const Cost *)b)->seconds;
    return (x < y) - (x > y);
}

static void add_cost(GArray *costs, const Cost *cost)
{
    for (guint i = 0; i < costs->len; i++) {
        Cost *other = &g_array_index(costs, Cost, i);
        if (strcmp(other->name, cost->name) != 0 || g_strcmp0(other->implementation, cost->implementation) != 0)
            continue;
        other->calls++;
        other->seconds += cost->seconds;
        other->flops += cost->flops;
        return;
    }
    g_array_append_val(costs, *cost);
}

/* One run, timed; costs of the same operation and implementation added up. NULL with an error. */
static GArray *measure_costs(AimfPlan *plan, double *total, GError **error)
{
    g_autoptr(GArray) costs = g_array_new(FALSE, TRUE, sizeof(Cost));
    *total = 0;
    for (guint s = 0; s < plan->steps->len; s++) {
        const AimfStep *step = aimf_step(plan, s);
        if (aimf_step_changes_weights(plan, step))
            continue;
        gint64 start = g_get_monotonic_time();
        if (!aimf_step_run(plan, step, error) || !aimf_stream_wait(plan->store->stream, error))
            return NULL;
        Cost cost = {
            .name = aimf_step_name(plan, step),
            .implementation = step->kernel->implementation,
            .calls = 1,
            .seconds = (double)(g_get_monotonic_time() - start) / G_USEC_PER_SEC,
            .flops = step_flops(plan, step),
        };
        *total += cost.seconds;
        add_cost(costs, &cost);
    }
    g_array_sort(costs, compare_costs);
    return g_steal_pointer(&costs);
}

char *aimf_plan_profile(AimfPlan *plan, GError **error)
{
    double total;
    if (!aimf_plan_wait(plan, error))
        return NULL;
    aimf_stream_begin(plan->store->stream);
    g_autoptr(GArray) costs = aimf_plan_prepare(plan, error) ? measure_costs(plan, &total, error) : NULL;
    aimf_stream_end(plan->store->stream);
    aimf_plan_touch_states(plan);
    if (!costs)
        return NULL;
    GString *text = g_string_new("      ms      %  calls  GFLOP/s  operation\n");
    for (guint i = 0; i < costs->len; i++) {
        const Cost *cost = &g_array_index(costs, Cost, i);
        g_autofree char *rate =
            cost->flops > 0 ? g_strdup_printf("%.0f", cost->flops / cost->seconds / 1e9) : g_strdup("");
        aimf_format_append(text, "%8.2f  %5.1f  %5u  %7s  %s (%s)\n", cost->seconds * 1e3, 100 * cost->seconds / total,
                           cost->calls, rate, cost->name, cost->implementation ? cost->implementation : "");
    }
    aimf_format_append(text, "%8.2f  in all, without the optimizer\n", total * 1e3);
    return g_string_free(text, FALSE);
}
