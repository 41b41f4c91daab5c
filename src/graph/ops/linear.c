#include "graph/ops/emit.h"

AimfValue aimf_linear(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias)
{
    if (!aimf_graph_operands(graph, "linear", (AimfValue[]){ x, weight, bias }, bias == AIMF_NONE ? 2 : 3))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x), ws = *aimf_value_shape(graph, weight);
    if (xs.rank < 2)
        return aimf_fail_shape(graph, "linear", "input", x, "(..., in), two dimensions or more");
    if (ws.rank != 2 || ws.dim[1] != xs.dim[xs.rank - 1])
        return aimf_fail_shape(graph, "linear", "weight", weight, "(out, in) with the input's in");
    AimfShape bs = AIMF_SHAPE(ws.dim[0]);
    if (bias != AIMF_NONE && !aimf_shape_equal(aimf_value_shape(graph, bias), &bs))
        return aimf_fail_shape(graph, "linear", "bias", bias, "(out)");
    AimfShape ys = xs;
    ys.dim[xs.rank - 1] = ws.dim[0];
    return aimf_emit(graph, AIMF_OP_LINEAR, ys, (AimfValue[]){ x, weight, bias }, 3, NULL);
}

AIMF_GRADIENT(aimf_linear_gradient)
{
    AimfValue x = node->inputs[0], weight = node->inputs[1];
    if (wanted[0])
        dx[0] = aimf_emit(graph, AIMF_OP_LINEAR_BACKWARD_DATA, *aimf_value_shape(graph, x),
                          (AimfValue[]){ dy[0], weight }, 2, NULL);
    if (wanted[1])
        dx[1] = aimf_emit(graph, AIMF_OP_LINEAR_BACKWARD_WEIGHT, *aimf_value_shape(graph, weight),
                          (AimfValue[]){ x, dy[0] }, 2, NULL);
    if (wanted[2])
        dx[2] = aimf_emit(graph, AIMF_OP_ROW_SUM, *aimf_value_shape(graph, node->inputs[2]), dy, 1, NULL);
}

AIMF_FLOPS(aimf_linear_flops)
{
    AimfValue weight = node->op == AIMF_OP_LINEAR_BACKWARD_WEIGHT ? node->outputs[0] : node->inputs[1];
    const AimfShape *rows = aimf_value_shape(graph, node->inputs[0]); /* x or dy: both have the same rows */
    double n_rows = (double)(aimf_shape_count(rows) / rows->dim[rows->rank - 1]);
    return 2 * n_rows * (double)aimf_shape_count(aimf_value_shape(graph, weight));
}
