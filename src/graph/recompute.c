/*
 * What is cheap to compute and large to keep is computed again in the backward pass, where the operands are there for
 * reasons of their own: the activation behind a norm, a scaled map, a layer norm, an opened bias. After Chen et al.
 * 2016 ("Training deep nets with sublinear memory cost"), but nothing that was not kept is kept for it, so that
 * memory never grows; and the same kernel works on the same bytes, so that results do not change.
 */
#include "graph/op_functions.h"

/* Nothing but its operands decides the one result, and there is no arithmetic worth counting. */
static gboolean is_cheap(const AimfNode *node)
{
    return node->n_outputs == 1 && aimf_ops[node->op].flops == aimf_no_flops;
}

static gboolean uses(const AimfNode *node, AimfValue value)
{
    for (int i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] == value)
            return TRUE;
    return FALSE;
}

static const AimfNode *node_at(const AimfGraph *graph, guint index)
{
    return &g_array_index(graph->nodes, AimfNode, index);
}

/* The first node of the backward pass that uses @value; the number of nodes if none does. */
static guint first_use(const AimfGraph *graph, guint n_forward, AimfValue value)
{
    guint i = n_forward;
    while (i < graph->nodes->len && !uses(node_at(graph, i), value))
        i++;
    return i;
}

/* Whether @value is there at node @when, whatever becomes of others: a leaf, or what is used then or later. */
static gboolean is_there(const AimfGraph *graph, guint when, AimfValue value)
{
    if (value == AIMF_NONE || g_array_index(graph->values, AimfValueInfo, value).leaf != AIMF_LEAF_NOT)
        return TRUE;
    for (guint i = graph->nodes->len; i-- > when;)
        if (uses(node_at(graph, i), value))
            return TRUE;
    return FALSE;
}

static void compute_again(AimfGraph *graph, const AimfNode *node, guint when)
{
    AimfValue value = node->outputs[0];
    AimfNode again = *node;
    again.outputs[0] = aimf_graph_add_value(graph, *aimf_value_shape(graph, value));
    for (guint i = when; i < graph->nodes->len; i++) {
        AimfNode *user = &g_array_index(graph->nodes, AimfNode, i);
        for (int k = 0; k < user->n_inputs; k++)
            if (user->inputs[k] == value)
                user->inputs[k] = again.outputs[0];
    }
    g_array_insert_val(graph->nodes, when, again);
}

/* From the last node on, so that what a value is computed from is needed at that time too, and may be computed again. */
void aimf_graph_recompute(AimfGraph *graph, guint n_forward, const AimfValue *kept, guint n_kept)
{
    for (guint i = n_forward; i-- > 0;) {
        AimfNode node = *node_at(graph, i); /* a copy: the array grows meanwhile */
        if (!is_cheap(&node))
            continue;
        guint when = first_use(graph, n_forward, node.outputs[0]);
        gboolean can = when < graph->nodes->len;
        for (int k = 0; k < node.n_inputs && can; k++)
            can = is_there(graph, when, node.inputs[k]);
        for (guint k = 0; k < n_kept && can; k++)
            can = kept[k] != node.outputs[0];
        if (can)
            compute_again(graph, &node, when);
    }
}
