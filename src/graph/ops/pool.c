#include "graph/ops/emit.h"

AimfValue aimf_max_pool(AimfGraph *graph, AimfValue x, int window, int stride, int padding)
{
    if (!aimf_graph_operands(graph, "max_pool", &x, 1))
        return AIMF_NONE;
    AimfShape shape = *aimf_value_shape(graph, x);
    if (shape.rank != 4)
        return aimf_fail_shape(graph, "max_pool", "input", x, "(N, C, H, W)");
    if (window < 1 || stride < 1 || padding < 0 || 2 * padding > window)
        return aimf_graph_fail(graph,
                               "max_pool: window %d, stride %d, padding %d: padding may be at most half the window",
                               window, stride, padding);
    for (int i = 2; i < 4; i++) {
        shape.dim[i] = (shape.dim[i] + 2 * padding - window) / stride + 1;
        if (aimf_value_shape(graph, x)->dim[i] + 2 * padding < window)
            return aimf_fail_shape(graph, "max_pool", "input", x, "at least the size of the window");
    }
    AimfNode node = {
        .op = AIMF_OP_MAX_POOL,
        .n_inputs = 1,
        .n_outputs = 2,
        .inputs = { x },
        .attributes.pool = { .window = window, .stride = stride, .padding = padding },
    };
    node.outputs[0] = aimf_graph_add_value(graph, shape);
    node.outputs[1] = aimf_graph_add_workspace(graph);
    aimf_graph_add_node(graph, &node);
    return node.outputs[0];
}

AIMF_GRADIENT(aimf_max_pool_gradient)
{
    (void)wanted;
    dx[0] = aimf_emit(graph, AIMF_OP_MAX_POOL_BACKWARD, *aimf_value_shape(graph, node->inputs[0]),
                      (AimfValue[]){ dy[0], node->outputs[1] }, 2, &node->attributes);
}

AimfValue aimf_global_average_pool(AimfGraph *graph, AimfValue x)
{
    if (!aimf_graph_operands(graph, "global_average_pool", &x, 1))
        return AIMF_NONE;
    AimfShape shape = *aimf_value_shape(graph, x);
    if (shape.rank != 4)
        return aimf_fail_shape(graph, "global_average_pool", "input", x, "(N, C, H, W)");
    return aimf_emit(graph, AIMF_OP_GLOBAL_AVERAGE_POOL, AIMF_SHAPE(shape.dim[0], shape.dim[1]), &x, 1, NULL);
}

AIMF_GRADIENT(aimf_global_average_pool_gradient)
{
    (void)wanted;
    dx[0] =
        aimf_emit(graph, AIMF_OP_GLOBAL_AVERAGE_POOL_BACKWARD, *aimf_value_shape(graph, node->inputs[0]), dy, 1, NULL);
}
