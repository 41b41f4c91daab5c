#include "graph/ops/emit.h"

AimfValue aimf_leaky_relu(AimfGraph *graph, AimfValue x, double slope)
{
    if (!aimf_graph_operands(graph, "leaky_relu", &x, 1))
        return AIMF_NONE;
    if (!(slope >= 0 && slope < 1))
        return aimf_graph_fail(graph, "leaky_relu: the slope %g must be at least 0 and less than 1", slope);
    return aimf_emit(graph, AIMF_OP_LEAKY_RELU, *aimf_value_shape(graph, x), &x, 1,
                     &(AimfAttributes){ .number = slope });
}

/* A slope that is not negative leaves the sign of x to be seen in y, unless it is 0, and then both are alike. */
AIMF_GRADIENT(aimf_leaky_relu_gradient)
{
    (void)wanted;
    AimfValue y = node->outputs[0];
    dx[0] = aimf_emit(graph, AIMF_OP_LEAKY_RELU_BACKWARD, *aimf_value_shape(graph, y), (AimfValue[]){ y, dy[0] }, 2,
                      &node->attributes);
}
