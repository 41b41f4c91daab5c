/*
 * From a graph to steps: which nodes are needed, which kernel runs each, and where layouts must change between them.
 */
#include "graph/plan.h"

#include <string.h>

static gboolean same_layout(const AimfPlan *plan, const AimfLayout *a, const AimfLayout *b)
{
    if (a->dtype != b->dtype || a->bytes != b->bytes)
        return FALSE;
    return a->detail == b->detail || (a->detail && b->detail && plan->backend->layout_equal(a, b));
}

static gboolean is_frozen(const AimfPlan *plan, AimfValue value)
{
    return g_array_index(plan->graph->values, AimfValueInfo, value).leaf == AIMF_LEAF_PARAMETER &&
           !aimf_find_trained(plan, value);
}

/* A step that copies buffer @from into buffer @to, changing the layout. */
static gboolean add_reorder(AimfPlan *plan, GArray *steps, int from, int to, GError **error)
{
    const AimfBuffer *source = aimf_buffer(plan, from), *target = aimf_buffer(plan, to);
    AimfStep step = { .node = -1, .n_operands = 2, .operands = { from, to }, .n_inputs = 1 };
    step.kernel = plan->backend->plan_reorder(plan->state, &source->layout, &target->layout,
                                              aimf_value_shape(plan->graph, source->value), error);
    if (!step.kernel)
        return FALSE;
    for (int i = 0; i < AIMF_MAX_OUTPUTS; i++)
        step.overwrites[i] = -1;
    g_array_append_val(steps, step);
    return TRUE;
}

/* The buffer that holds @value in @layout; made, with the reorder that fills it, where there is none yet. */
static int buffer_in_layout(AimfPlan *plan, AimfValue value, const AimfLayout *layout, GError **error)
{
    for (guint i = 0; i < plan->buffers->len; i++) {
        AimfBuffer *buffer = aimf_buffer(plan, (int)i);
        if (buffer->value != value || !same_layout(plan, &buffer->layout, layout))
            continue;
        if (buffer->home == HOME_STAGING)
            buffer->home = HOME_STORE;
        return (int)i;
    }
    if (!is_frozen(plan, value)) {
        int made = aimf_plan_add_buffer(plan, value, *layout, HOME_ARENA);
        return add_reorder(plan, plan->steps, plan->primary[value], made, error) ? made : NO_BUFFER;
    }
    int made = aimf_plan_add_buffer(plan, value, *layout, HOME_RESIDENT);
    return add_reorder(plan, plan->packs, plan->canonical[value], made, error) ? made : NO_BUFFER;
}

static void fill_operands(const AimfPlan *plan, AimfNodePlan *node_plan)
{
    const AimfNode *node = node_plan->node;
    for (int i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] != AIMF_NONE)
            node_plan->in[i] = aimf_buffer(plan, plan->primary[node->inputs[i]])->layout;
    for (int i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] != AIMF_NONE)
            node_plan->out[i] = aimf_layout_row_major(aimf_value_shape(plan->graph, node->outputs[i]), AIMF_F32);
    for (int i = 0; i < AIMF_MAX_OUTPUTS; i++)
        node_plan->overwrites[i] = -1;
}

static gboolean add_node_step(AimfPlan *plan, guint index, GError **error)
{
    const AimfNode *node = &g_array_index(plan->graph->nodes, AimfNode, index);
    AimfPlanNode planner = plan->backend->plan[node->op];
    if (!planner) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED, "the device '%s' cannot do %s",
                    aimf_device_name(plan->store->device), aimf_ops[node->op].name);
        return FALSE;
    }
    AimfNodePlan node_plan = {
        .graph = plan->graph, .node = node, .precision = plan->precision, .winograd = plan->winograd
    };
    fill_operands(plan, &node_plan);
    AimfKernel *kernel = planner(plan->state, &node_plan, error);
    if (!kernel)
        return FALSE;

    if (node->op == AIMF_OP_BATCH_NORM && node->attributes.batch_norm.training)
        plan->moves_states = !plan->private_states;
    AimfStep step = { .kernel = kernel, .node = (int)index, .n_inputs = node->n_inputs };
    memcpy(step.overwrites, node_plan.overwrites, sizeof step.overwrites);
    for (int i = 0; i < node->n_inputs; i++) {
        int buffer = NO_BUFFER;
        if (node->inputs[i] != AIMF_NONE &&
            (buffer = buffer_in_layout(plan, node->inputs[i], &node_plan.in[i], error)) == NO_BUFFER) {
            kernel->free(kernel);
            return FALSE;
        }
        step.operands[step.n_operands++] = buffer;
    }
    for (int i = 0; i < node->n_outputs; i++) {
        int buffer = NO_BUFFER;
        if (node->outputs[i] != AIMF_NONE)
            buffer = plan->primary[node->outputs[i]] =
                aimf_plan_add_buffer(plan, node->outputs[i], node_plan.out[i], HOME_ARENA);
        step.operands[step.n_operands++] = buffer;
    }
    AimfLayout scratch = { .dtype = AIMF_U8, .bytes = node_plan.scratch_bytes };
    step.operands[step.n_operands++] =
        node_plan.scratch_bytes ? aimf_plan_add_buffer(plan, AIMF_NONE, scratch, HOME_ARENA) : NO_BUFFER;
    g_array_append_val(plan->steps, step);
    return TRUE;
}

/* Which nodes the outputs and the gradients need. */
static guint8 *find_needed(const AimfPlan *plan, const AimfCompileOptions *options)
{
    const GArray *nodes = plan->graph->nodes;
    g_autofree guint8 *value_needed = g_new0(guint8, plan->graph->values->len);
    guint8 *node_needed = g_new0(guint8, nodes->len + 1);
    for (guint i = 0; i < options->n_outputs; i++)
        value_needed[options->outputs[i]] = TRUE;
    for (guint i = 0; i < plan->trained->len; i++)
        value_needed[aimf_trained(plan, i)->gradient] = TRUE;
    for (guint i = nodes->len; i-- > 0;) {
        const AimfNode *node = &g_array_index(nodes, AimfNode, i);
        node_needed[i] = i >= plan->n_computing_nodes;
        for (int k = 0; k < node->n_outputs; k++)
            if (node->outputs[k] != AIMF_NONE)
                node_needed[i] |= value_needed[node->outputs[k]];
        for (int k = 0; k < node->n_inputs && node_needed[i]; k++)
            value_needed[node->inputs[k]] = TRUE;
    }
    return node_needed;
}

/* Where a parameter or state lies in row-major order. */
static AimfHome home_of_leaf(const AimfPlan *plan, AimfValue value, AimfLeaf leaf)
{
    if (leaf == AIMF_LEAF_INPUT || (leaf == AIMF_LEAF_STATE && plan->private_states))
        return HOME_RESIDENT;
    return is_frozen(plan, value) && !plan->shares_store ? HOME_STAGING : HOME_STORE;
}

static void add_leaves(AimfPlan *plan)
{
    for (guint i = 1; i < plan->graph->values->len; i++) {
        const AimfValueInfo *info = &g_array_index(plan->graph->values, AimfValueInfo, i);
        if (info->leaf == AIMF_LEAF_NOT || info->leaf == AIMF_LEAF_BUCKET || info->leaf == AIMF_LEAF_PART)
            continue;
        plan->canonical[i] = plan->primary[i] =
            aimf_plan_add_buffer(plan, (AimfValue)i, aimf_layout_row_major(&info->shape, AIMF_F32),
                                 home_of_leaf(plan, (AimfValue)i, info->leaf));
    }
    aimf_plan_add_buckets(plan);
}

/* Makes @value end up row-major in @home: in place if its producer can write there, through a reorder otherwise. */
static gboolean settle(AimfPlan *plan, AimfValue value, AimfHome home, int *settled, GError **error)
{
    AimfLayout row_major = aimf_layout_row_major(aimf_value_shape(plan->graph, value), AIMF_F32);
    AimfBuffer *primary = aimf_buffer(plan, plan->primary[value]);
    if (primary->home == HOME_ARENA && same_layout(plan, &primary->layout, &row_major)) {
        primary->home = home;
        *settled = plan->primary[value];
        return TRUE;
    }
    *settled = aimf_plan_add_buffer(plan, value, row_major, home);
    return add_reorder(plan, plan->steps, plan->primary[value], *settled, error);
}

/* The gradient of a trainable parameter ends up in its bucket. */
static gboolean settle_gradient(AimfPlan *plan, const AimfTrained *trained, GError **error)
{
    int settled;
    if (!settle(plan, trained->gradient, HOME_BUCKET, &settled, error))
        return FALSE;
    AimfValue bucket = g_array_index(plan->buckets, AimfBucket, trained->bucket).gradients;
    aimf_buffer(plan, settled)->within = plan->canonical[bucket];
    aimf_buffer(plan, settled)->offset = trained->offset * sizeof(float);
    if (plan->canonical[trained->gradient] == NO_BUFFER)
        plan->canonical[trained->gradient] = settled;
    return TRUE;
}

static gboolean settle_results(AimfPlan *plan, guint node, const AimfCompileOptions *options, GError **error)
{
    const AimfNode *produced = &g_array_index(plan->graph->nodes, AimfNode, node);
    for (int k = 0; k < produced->n_outputs; k++) {
        AimfValue value = produced->outputs[k];
        if (value == AIMF_NONE)
            continue;
        for (guint i = 0; i < options->n_outputs; i++)
            if (options->outputs[i] == value && plan->canonical[value] == NO_BUFFER &&
                !settle(plan, value, HOME_RESIDENT, &plan->canonical[value], error))
                return FALSE;
        for (guint i = 0; i < plan->trained->len; i++)
            if (aimf_trained(plan, i)->gradient == value && !settle_gradient(plan, aimf_trained(plan, i), error))
                return FALSE;
    }
    return TRUE;
}

/* Gradients that no node produces: a parameter whose gradient is the loss's own, given as an input. */
static gboolean settle_given_gradients(AimfPlan *plan, GError **error)
{
    for (guint i = 0; i < plan->trained->len; i++) {
        const AimfTrained *trained = aimf_trained(plan, i);
        if (g_array_index(plan->graph->values, AimfValueInfo, trained->gradient).leaf != AIMF_LEAF_NOT &&
            !settle_gradient(plan, trained, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean add_steps(AimfPlan *plan, const AimfCompileOptions *options, GError **error)
{
    guint n_values = plan->graph->values->len;
    plan->canonical = g_new(int, n_values);
    plan->primary = g_new(int, n_values);
    for (guint i = 0; i < n_values; i++)
        plan->canonical[i] = plan->primary[i] = NO_BUFFER;
    add_leaves(plan);
    g_autofree guint8 *needed = find_needed(plan, options);
    for (guint i = 0; i < plan->n_computing_nodes; i++)
        if (needed[i] && (!add_node_step(plan, i, error) || !settle_results(plan, i, options, error)))
            return FALSE;
    if (!settle_given_gradients(plan, error))
        return FALSE;
    for (guint i = plan->n_computing_nodes; i < plan->graph->nodes->len; i++)
        if (!add_node_step(plan, i, error))
            return FALSE;
    return TRUE;
}

static gboolean check_options(const AimfGraph *graph, const AimfCompileOptions *options, GError **error)
{
    const char *mistake = NULL;
    for (guint i = 0; i < options->n_outputs; i++)
        if (!aimf_graph_has(graph, options->outputs[i]))
            mistake = "an output is not a value of the graph";
    for (guint i = 0; i < options->n_trainable; i++)
        if (!aimf_graph_has(graph, options->trainable[i]) ||
            g_array_index(graph->values, AimfValueInfo, options->trainable[i]).leaf != AIMF_LEAF_PARAMETER)
            mistake = "a trainable value is not a parameter";
    if (options->n_trainable && !aimf_graph_has(graph, options->loss))
        mistake = "trainable parameters need a loss";
    if (options->loss_gradient != AIMF_NONE && !aimf_graph_has(graph, options->loss_gradient))
        mistake = "the loss's gradient is not a value of the graph";
    if (options->optimizer && !options->n_trainable)
        mistake = "an optimizer needs trainable parameters";
    if (options->accumulate && !options->n_trainable)
        mistake = "accumulating gradients needs trainable parameters";
    if (options->store && options->device && options->store->device->class != options->device->class)
        mistake = "the store is on another device";
    if (mistake)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "cannot compile: %s", mistake);
    return !mistake;
}

static gboolean decays(const AimfPlan *plan, AimfValue parameter, const AimfOptimizer *optimizer)
{
    return !optimizer || !optimizer->decay_weights_only || aimf_graph_decays(plan->graph, parameter);
}

/* The trainable parameters in the graph's order, each once; those without weight decay last, to be one bucket. */
static void take_trainable(AimfPlan *plan, const AimfCompileOptions *options)
{
    for (guint i = 0; i < 2 * plan->graph->parameters->len; i++) {
        AimfValue parameter = aimf_graph_parameter_at(plan->graph, i % plan->graph->parameters->len);
        AimfTrained trained = { .parameter = parameter, .decays = i < plan->graph->parameters->len };
        for (guint k = 0; k < options->n_trainable; k++)
            if (options->trainable[k] == parameter && decays(plan, parameter, options->optimizer) == trained.decays) {
                g_array_append_val(plan->trained, trained);
                break;
            }
    }
}

static gboolean differentiate(AimfPlan *plan, const AimfCompileOptions *options, GError **error)
{
    guint n = plan->trained->len;
    plan->n_forward_nodes = plan->graph->nodes->len;
    g_autofree AimfValue *wanted = g_new(AimfValue, n + 1);
    g_autofree AimfValue *gradients = g_new0(AimfValue, n + 1);
    for (guint i = 0; i < n; i++)
        wanted[i] = aimf_trained(plan, i)->parameter;
    if (n && !plan->graph->failure)
        aimf_graph_differentiate(plan->graph, options->loss, options->loss_gradient, wanted, n, gradients);
    for (guint i = 0; i < n; i++)
        aimf_trained(plan, i)->gradient = gradients[i];
    aimf_graph_recompute(plan->graph, plan->n_forward_nodes, options->outputs, options->n_outputs);
    plan->n_computing_nodes = plan->graph->nodes->len;
    if (plan->graph->failure)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "cannot compile: %s", plan->graph->failure);
    return !plan->graph->failure;
}

/* Steps are told apart in errors by their place in a run, packs by the parameter that they pack. */
static void name_steps(AimfPlan *plan)
{
    for (guint s = 0; s < plan->steps->len; s++) {
        AimfStep *step = aimf_step(plan, s);
        step->label = g_strdup_printf("step %u, %s", s, aimf_step_name(plan, step));
    }
    for (guint s = 0; s < plan->packs->len; s++) {
        AimfStep *step = &g_array_index(plan->packs, AimfStep, s);
        AimfValue value = aimf_buffer(plan, step->operands[0])->value;
        step->label = g_strdup_printf("packing the tensor '%s', %s", aimf_graph_name(plan->graph, value),
                                      aimf_step_name(plan, step));
    }
}

static AimfPlan *plan_new(const AimfGraph *graph, AimfStore *store, const AimfCompileOptions *options)
{
    AimfPlan *plan = g_new0(AimfPlan, 1);
    plan->graph = aimf_graph_copy(graph);
    plan->store = store;
    plan->shares_store = options->store != NULL;
    plan->private_states = options->private_states;
    plan->backend = store->device->class->backend;
    plan->precision = options->precision;
    plan->winograd = options->winograd;
    plan->buffers = g_array_new(FALSE, TRUE, sizeof(AimfBuffer));
    plan->steps = g_array_new(FALSE, TRUE, sizeof(AimfStep));
    plan->packs = g_array_new(FALSE, TRUE, sizeof(AimfStep));
    plan->trained = g_array_new(FALSE, TRUE, sizeof(AimfTrained));
    plan->buckets = g_array_new(FALSE, TRUE, sizeof(AimfBucket));
    plan->averaged = g_array_new(FALSE, TRUE, sizeof(AimfAveraged));
    return plan;
}

static gboolean compile(AimfPlan *plan, const AimfCompileOptions *options, GError **error)
{
    plan->state = plan->backend->open(options->precision, error);
    if (!plan->state)
        return FALSE;
    take_trainable(plan, options);
    if (!differentiate(plan, options, error) || !aimf_plan_add_updates(plan, options, error) ||
        !add_steps(plan, options, error))
        return FALSE;
    name_steps(plan);
    return aimf_plan_place(plan, error);
}

AimfPlan *aimf_graph_compile(const AimfGraph *graph, const AimfCompileOptions *options, GError **error)
{
    if (graph->failure) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "cannot compile: %s", graph->failure);
        return NULL;
    }
    if (!check_options(graph, options, error))
        return NULL;
    AimfStore *store =
        options->store ? aimf_store_ref(options->store) : aimf_store_new(options->device, options->threads, error);
    if (!store)
        return NULL;
    guint n_stored = store->stored->len;
    g_autoptr(AimfPlan) plan = plan_new(graph, store, options);
    aimf_stream_begin(store->stream);
    gboolean good = compile(plan, options, error);
    aimf_stream_end(store->stream);
    if (!good) {
        g_clear_pointer(&plan, aimf_plan_free);
        if (options->store)
            aimf_store_take_back(options->store, n_stored);
        return NULL;
    }
    if ((plan->trace = options->trace))
        store->stream->trace = options->trace;
    if (plan->shares_store)
        store->planned_bytes += plan->planned_bytes = plan->allocated_bytes + plan->arena_bytes;
    return g_steal_pointer(&plan);
}
