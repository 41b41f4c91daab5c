#include "graph/ops/emit.h"

AimfValue aimf_softmax(AimfGraph *graph, AimfValue x, int axis)
{
    if (!aimf_graph_operands(graph, "softmax", &x, 1))
        return AIMF_NONE;
    AimfShape shape = *aimf_value_shape(graph, x);
    if (axis < -shape.rank || axis >= shape.rank)
        return aimf_graph_fail(graph, "softmax: the input has no dimension %d, being of rank %d", axis, shape.rank);
    return aimf_emit(graph, AIMF_OP_SOFTMAX, shape, &x, 1,
                     &(AimfAttributes){ .axis = axis < 0 ? axis + shape.rank : axis });
}

AIMF_GRADIENT(aimf_softmax_gradient)
{
    (void)wanted;
    AimfValue y = node->outputs[0];
    dx[0] = aimf_emit(graph, AIMF_OP_SOFTMAX_BACKWARD, *aimf_value_shape(graph, y), (AimfValue[]){ y, dy[0] }, 2,
                      &node->attributes);
}
