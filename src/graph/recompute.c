/*
 * What is cheap to compute and large to keep is computed again in the backward pass, where the operands are there for
 * reasons of their own: batch norms, the activation behind a norm, a scaled map, a layer norm. After Chen et al. 2016
 * ("Training deep nets with sublinear memory cost"), but nothing that was not kept is kept for it, so that memory never
 * grows.
 */
#include "graph/op_functions.h"

/*
 * The node that computes the first output of @node again, without that output: FALSE if there is none, or it has
 * arithmetic worth counting. A batch norm in training finds its statistics in its other outputs, and leaves the running
 * ones alone.
 */
static gboolean find_cheap(const AimfNode *node, AimfNode *again)
{
    *again = *node;
    if (node->op == AIMF_OP_BATCH_NORM && node->attributes.batch_norm.training) {
        again->inputs[3] = node->outputs[1];
        again->inputs[4] = node->outputs[2];
        again->attributes.batch_norm.training = FALSE;
        again->n_outputs = 1;
    }
    return again->n_outputs == 1 && aimf_ops[node->op].flops == aimf_no_flops;
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

static void insert(AimfGraph *graph, AimfNode *again, guint when)
{
    again->outputs[0] = aimf_graph_add_value(graph, *aimf_value_shape(graph, again->outputs[0]));
    g_array_insert_vals(graph->nodes, when, again, 1);
}

/* From node @when on, what used @value uses @other. */
static void replace(AimfGraph *graph, guint when, AimfValue value, AimfValue other)
{
    for (guint i = when; i < graph->nodes->len; i++) {
        AimfNode *user = &g_array_index(graph->nodes, AimfNode, i);
        for (int k = 0; k < user->n_inputs; k++)
            if (user->inputs[k] == value)
                user->inputs[k] = other;
    }
}

static gboolean are_there(const AimfGraph *graph, guint when, const AimfNode *node)
{
    for (int k = 0; k < node->n_inputs; k++)
        if (!is_there(graph, when, node->inputs[k]))
            return FALSE;
    return TRUE;
}

static gint64 size_of(const AimfGraph *graph, AimfValue value)
{
    return aimf_shape_count(aimf_value_shape(graph, value));
}

/*
 * The operands of @again that are not there at @when but can be computed then from what is, as the last norm of a
 * residual block, and are no larger than what they are for: @before (AIMF_MAX_INPUTS) receives their nodes, with no
 * inputs where there is none. FALSE if one cannot.
 */
static gboolean find_before(const AimfGraph *graph, guint n_forward, guint when, const AimfNode *again,
                            AimfNode *before)
{
    for (int k = 0; k < again->n_inputs; k++) {
        before[k] = (AimfNode){ .n_inputs = 0 };
        if (is_there(graph, when, again->inputs[k]))
            continue;
        guint i = n_forward;
        while (i-- > 0 && node_at(graph, i)->outputs[0] != again->inputs[k])
            ;
        if (i == G_MAXUINT || size_of(graph, again->inputs[k]) > size_of(graph, again->outputs[0]) ||
            !find_cheap(node_at(graph, i), &before[k]) || !are_there(graph, when, &before[k]))
            return FALSE;
    }
    return TRUE;
}

/* From the last node on: what a value is computed from is needed at that time too then, and may be computed again. */
void aimf_graph_recompute(AimfGraph *graph, guint n_forward, const AimfValue *kept, guint n_kept)
{
    for (guint i = n_forward; i-- > 0;) {
        AimfNode again, before[AIMF_MAX_INPUTS];
        if (!find_cheap(node_at(graph, i), &again))
            continue;
        AimfValue value = again.outputs[0];
        guint when = first_use(graph, n_forward, value);
        gboolean can = when < graph->nodes->len && find_before(graph, n_forward, when, &again, before);
        for (guint k = 0; k < n_kept && can; k++)
            can = kept[k] != value;
        for (int k = 0; k < again.n_inputs && can; k++)
            if (before[k].n_inputs) {
                insert(graph, &before[k], when++);
                again.inputs[k] = before[k].outputs[0];
            }
        if (can) {
            insert(graph, &again, when);
            replace(graph, when + 1, value, again.outputs[0]);
        }
    }
}
