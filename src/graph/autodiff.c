/* Reverse-mode differentiation: gradients become ordinary nodes, and only those that the wanted parameters need. */
#include "graph/graph.h"

/* Which values depend on a wanted parameter. */
static guint8 *find_dependent(const AimfGraph *graph, const AimfValue *wanted, guint n)
{
    guint8 *dependent = g_new0(guint8, graph->values->len);
    for (guint i = 0; i < n; i++)
        dependent[wanted[i]] = TRUE;
    for (guint i = 0; i < graph->nodes->len; i++) {
        const AimfNode *node = &g_array_index(graph->nodes, AimfNode, i);
        gboolean any = FALSE;
        for (int k = 0; k < node->n_inputs; k++)
            any |= dependent[node->inputs[k]];
        for (int k = 0; k < node->n_outputs; k++)
            if (node->outputs[k] != AIMF_NONE)
                dependent[node->outputs[k]] = any ? 1 : 0;
    }
    return dependent;
}

/* What the last operation broadcast to become @value, and over which axes; otherwise @value. */
static AimfValue before_expanding(const AimfGraph *graph, AimfValue value, AimfAttributes *attributes)
{
    const AimfNode *last = &g_array_index(graph->nodes, AimfNode, graph->nodes->len - 1);
    if (last->op != AIMF_OP_EXPAND || last->outputs[0] != value || last->inputs[0] == AIMF_NONE ||
        last->attributes.broadcast.scale != 1)
        return value;
    *attributes = last->attributes;
    return last->inputs[0];
}

/* Adding broadcasts by itself, so that a term that has just been broadcast is not needed as a whole. */
static AimfValue accumulate(AimfGraph *graph, AimfValue sum, AimfValue term)
{
    if (term == AIMF_NONE)
        return sum;
    if (sum == AIMF_NONE)
        return term;
    if (sum == AIMF_UNIT || term == AIMF_UNIT)
        return aimf_graph_fail(graph, "the loss is used more than once; pass its gradient as an input");
    AimfNode add = {
        .op = AIMF_OP_ADD,
        .n_inputs = 2,
        .n_outputs = 1,
        .inputs = { sum },
        .outputs = { aimf_graph_add_value(graph, *aimf_value_shape(graph, sum)) },
    };
    add.inputs[1] = before_expanding(graph, term, &add.attributes);
    aimf_graph_add_node(graph, &add);
    return add.outputs[0];
}

/* The gradients of one node's inputs, added to what has already reached them. */
static void differentiate_node(AimfGraph *graph, const AimfNode *node, const guint8 *dependent, AimfValue *gradient)
{
    AimfValue dy[AIMF_MAX_OUTPUTS] = { 0 }, dx[AIMF_MAX_INPUTS] = { 0 };
    gboolean wanted[AIMF_MAX_INPUTS] = { 0 };
    gboolean flows = FALSE, any_wanted = FALSE;
    for (int i = 0; i < node->n_outputs; i++) {
        dy[i] = gradient[node->outputs[i]];
        flows |= dy[i] != AIMF_NONE;
    }
    for (int i = 0; i < node->n_inputs; i++) {
        wanted[i] = dependent[node->inputs[i]];
        any_wanted |= wanted[i];
    }
    if (!flows || !any_wanted)
        return;
    aimf_ops[node->op].gradient(graph, node, dy, wanted, dx);
    for (int i = 0; i < node->n_inputs; i++)
        if (wanted[i])
            gradient[node->inputs[i]] = accumulate(graph, gradient[node->inputs[i]], dx[i]);
}

gboolean aimf_graph_differentiate(AimfGraph *graph, AimfValue loss, AimfValue seed, const AimfValue *wanted, guint n,
                                  AimfValue *gradients)
{
    const AimfShape *shape = aimf_value_shape(graph, loss);
    if (seed == AIMF_NONE && shape->rank != 0)
        aimf_graph_fail(graph, "the loss must be a scalar, or come with its gradient");
    if (seed != AIMF_NONE && !aimf_shape_equal(shape, aimf_value_shape(graph, seed)))
        aimf_graph_fail(graph, "the loss and its gradient have different shapes");
    if (graph->failure)
        return FALSE;

    guint n_forward = graph->nodes->len;
    g_autofree guint8 *dependent = find_dependent(graph, wanted, n);
    g_autofree AimfValue *gradient = g_new0(AimfValue, graph->values->len);
    gradient[loss] = seed == AIMF_NONE ? AIMF_UNIT : seed;
    for (guint i = n_forward; i-- > 0 && !graph->failure;) {
        AimfNode node = g_array_index(graph->nodes, AimfNode, i); /* a copy: the array grows meanwhile */
        differentiate_node(graph, &node, dependent, gradient);
    }
    for (guint i = 0; i < n; i++) {
        gradients[i] = gradient[wanted[i]];
        if (gradients[i] == AIMF_NONE || gradients[i] == AIMF_UNIT)
            aimf_graph_fail(graph, "the loss does not depend on '%s'", aimf_graph_name(graph, wanted[i]));
    }
    return !graph->failure;
}
