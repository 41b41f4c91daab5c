/* Pictures of twice the size: nearest neighbour, alone and with the convolution that follows it. */
#include "graph/ops/emit.h"

AimfValue aimf_upsample_nearest(AimfGraph *graph, AimfValue x)
{
    if (!aimf_graph_operands(graph, "upsample_nearest", &x, 1))
        return AIMF_NONE;
    AimfShape shape = *aimf_value_shape(graph, x);
    if (shape.rank != 4)
        return aimf_fail_shape(graph, "upsample_nearest", "input", x, "(N, C, H, W)");
    shape.dim[2] *= 2;
    shape.dim[3] *= 2;
    return aimf_emit(graph, AIMF_OP_UPSAMPLE_NEAREST, shape, &x, 1, NULL);
}

AIMF_GRADIENT(aimf_upsample_nearest_gradient)
{
    (void)wanted;
    const AimfShape *xs = aimf_value_shape(graph, node->inputs[0]);
    dx[0] = aimf_emit(graph, AIMF_OP_UPSAMPLE_NEAREST_BACKWARD, *xs, dy, 1, NULL);
}

AimfValue aimf_upsample_conv2d(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias)
{
    if (!aimf_graph_operands(graph, "upsample_conv2d", (AimfValue[]){ x, weight, bias }, bias == AIMF_NONE ? 2 : 3))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x), ws = *aimf_value_shape(graph, weight);
    if (xs.rank != 4)
        return aimf_fail_shape(graph, "upsample_conv2d", "input", x, "(N, C, H, W)");
    if (ws.rank != 4 || ws.dim[1] != xs.dim[1] || ws.dim[2] != 3 || ws.dim[3] != 3)
        return aimf_fail_shape(graph, "upsample_conv2d", "weight", weight, "(O, C, 3, 3) with the input's C");
    if (bias != AIMF_NONE && !aimf_shape_equal(aimf_value_shape(graph, bias), &AIMF_SHAPE(ws.dim[0])))
        return aimf_fail_shape(graph, "upsample_conv2d", "bias", bias, "(O)");
    AimfShape ys = AIMF_SHAPE(xs.dim[0], ws.dim[0], 2 * xs.dim[2], 2 * xs.dim[3]);
    return aimf_emit(graph, AIMF_OP_UPSAMPLE_CONV2D, ys, (AimfValue[]){ x, weight, bias }, 3, NULL);
}

/* That of the convolution after the upsampling, both at the full size. */
AIMF_GRADIENT(aimf_upsample_conv2d_gradient)
{
    AimfNode conv = {
        .op = AIMF_OP_CONV2D,
        .n_inputs = 3,
        .n_outputs = 1,
        .inputs = { aimf_upsample_nearest(graph, node->inputs[0]), node->inputs[1], node->inputs[2] },
        .outputs = { node->outputs[0] },
        .attributes
            .conv2d = { .stride = { 1, 1 }, .dilation = { 1, 1 }, .before = { 1, 1 }, .after = { 1, 1 }, .groups = 1 },
    };
    aimf_conv2d_gradient(graph, &conv, dy, wanted, dx);
    if (wanted[0])
        dx[0] =
            aimf_emit(graph, AIMF_OP_UPSAMPLE_NEAREST_BACKWARD, *aimf_value_shape(graph, node->inputs[0]), dx, 1, NULL);
}

/* Every pixel of the result is a 2 x 2 convolution of the small picture. */
AIMF_FLOPS(aimf_upsample_conv2d_flops)
{
    const AimfShape *x = aimf_value_shape(graph, node->inputs[0]);
    return 2 * 4 * (double)x->dim[1] * (double)aimf_shape_count(aimf_value_shape(graph, node->outputs[0]));
}
