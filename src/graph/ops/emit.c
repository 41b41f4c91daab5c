#include "graph/ops/emit.h"

AimfValue aimf_emit(AimfGraph *graph, AimfOpKind op, AimfShape shape, const AimfValue *inputs, int n_inputs,
                    const AimfAttributes *attributes)
{
    AimfNode node = { .op = op, .n_inputs = n_inputs, .n_outputs = 1 };
    for (int i = 0; i < n_inputs; i++)
        node.inputs[i] = inputs[i];
    if (attributes)
        node.attributes = *attributes;
    node.outputs[0] = aimf_graph_add_value(graph, shape);
    aimf_graph_add_node(graph, &node);
    return node.outputs[0];
}

gboolean aimf_fits(const AimfShape *shape)
{
    gint64 count = aimf_shape_count(shape);
    return count >= 0 && count <= G_GINT64_CONSTANT(1) << 48;
}

void aimf_emit_gradients(AimfGraph *graph, AimfOpKind op, const AimfNode *node, const AimfValue *inputs, int n_inputs,
                         int n, const gboolean *wanted, AimfValue *dx)
{
    AimfNode backward = { .op = op, .n_inputs = n_inputs, .n_outputs = n, .attributes = node->attributes };
    for (int i = 0; i < n_inputs; i++)
        backward.inputs[i] = inputs[i];
    for (int i = 0; i < n; i++)
        if (wanted[i])
            dx[i] = backward.outputs[i] = aimf_graph_add_value(graph, *aimf_value_shape(graph, node->inputs[i]));
    aimf_graph_add_node(graph, &backward);
}

AimfValue aimf_fail_shape(AimfGraph *graph, const char *op, const char *what, AimfValue value, const char *expected)
{
    g_autofree char *text = aimf_shape_text(aimf_value_shape(graph, value));
    return aimf_graph_fail(graph, "%s: the %s has the shape %s, expected %s", op, what, text, expected);
}
