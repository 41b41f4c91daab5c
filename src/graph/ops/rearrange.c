/* Pictures as rows of pixels, and back. */
#include "graph/ops/emit.h"

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

AIMF_GRADIENT(aimf_tokens_gradient)
{
    (void)wanted;
    dx[0] = aimf_emit(graph, AIMF_OP_PLANES, *aimf_value_shape(graph, node->inputs[0]), dy, 1, NULL);
}

AIMF_GRADIENT(aimf_planes_gradient)
{
    (void)wanted;
    dx[0] = aimf_emit(graph, AIMF_OP_TOKENS, *aimf_value_shape(graph, node->inputs[0]), dy, 1, NULL);
}
