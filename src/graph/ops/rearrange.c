/* Operations that only move elements. */
#include "graph/ops/emit.h"

AimfValue aimf_concat(AimfGraph *graph, AimfValue a, AimfValue b)
{
    if (!aimf_graph_operands(graph, "concat", (AimfValue[]){ a, b }, 2))
        return AIMF_NONE;
    AimfShape as = *aimf_value_shape(graph, a), bs = *aimf_value_shape(graph, b);
    if (as.rank != 4)
        return aimf_fail_shape(graph, "concat", "first operand", a, "(N, A, H, W)");
    if (bs.rank != 4 || bs.dim[0] != as.dim[0] || bs.dim[2] != as.dim[2] || bs.dim[3] != as.dim[3])
        return aimf_fail_shape(graph, "concat", "second operand", b, "(N, B, H, W) with the first one's N, H, W");
    as.dim[1] += bs.dim[1];
    return aimf_emit(graph, AIMF_OP_CONCAT, as, (AimfValue[]){ a, b }, 2, NULL);
}

AimfValue aimf_tokens(AimfGraph *graph, AimfValue x)
{
    if (!aimf_graph_operands(graph, "tokens", &x, 1))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x);
    if (xs.rank != 4)
        return aimf_fail_shape(graph, "tokens", "input", x, "(N, C, H, W)");
    return aimf_emit(graph, AIMF_OP_TOKENS, AIMF_SHAPE(xs.dim[0], xs.dim[2] * xs.dim[3], xs.dim[1]), &x, 1, NULL);
}

AimfValue aimf_planes(AimfGraph *graph, AimfValue x, int height, int width)
{
    if (!aimf_graph_operands(graph, "planes", &x, 1))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x);
    if (height < 1 || width < 1)
        return aimf_graph_fail(graph, "planes: height %d and width %d must be positive", height, width);
    if (xs.rank != 3 || xs.dim[1] != (gint64)height * width)
        return aimf_fail_shape(graph, "planes", "input", x, "(N, height * width, C)");
    return aimf_emit(graph, AIMF_OP_PLANES, AIMF_SHAPE(xs.dim[0], xs.dim[2], height, width), &x, 1, NULL);
}
