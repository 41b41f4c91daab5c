#include "graph/ops/emit.h"

/* Rows or columns of the result; PyTorch's Conv2d but for the padding on one side only. */
static gint64 output_size(gint64 size, gint64 kernel, const AimfConv2d *options)
{
    return (size + 2 * options->padding + options->padding_after - kernel) / options->stride + 1;
}

AimfValue aimf_conv2d(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias, AimfConv2d options)
{
    if (!aimf_graph_operands(graph, "conv2d", (AimfValue[]){ x, weight, bias }, bias == AIMF_NONE ? 2 : 3))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x), ws = *aimf_value_shape(graph, weight);
    if (options.stride == 0)
        options.stride = 1;
    if (options.stride < 0 || options.padding < 0 || options.padding_after < 0)
        return aimf_graph_fail(graph, "conv2d: stride %d, padding %d and padding after %d must not be negative",
                               options.stride, options.padding, options.padding_after);
    if (xs.rank != 4)
        return aimf_fail_shape(graph, "conv2d", "input", x, "(N, C, H, W)");
    if (ws.rank != 4 || ws.dim[1] != xs.dim[1])
        return aimf_fail_shape(graph, "conv2d", "weight", weight, "(O, C, kh, kw) with the input's C");
    AimfShape bs = AIMF_SHAPE(ws.dim[0]);
    if (bias != AIMF_NONE && !aimf_shape_equal(aimf_value_shape(graph, bias), &bs))
        return aimf_fail_shape(graph, "conv2d", "bias", bias, "(O)");
    gint64 zeros = 2 * (gint64)options.padding + options.padding_after;
    if (ws.dim[2] > xs.dim[2] + zeros || ws.dim[3] > xs.dim[3] + zeros)
        return aimf_fail_shape(graph, "conv2d", "input", x, "at least the size of the kernel");
    AimfShape ys = AIMF_SHAPE(xs.dim[0], ws.dim[0], output_size(xs.dim[2], ws.dim[2], &options),
                              output_size(xs.dim[3], ws.dim[3], &options));
    return aimf_emit(graph, AIMF_OP_CONV2D, ys, (AimfValue[]){ x, weight, bias }, 3,
                     &(AimfAttributes){ .conv2d = options });
}

AIMF_GRADIENT(aimf_conv2d_gradient)
{
    AimfValue x = node->inputs[0], weight = node->inputs[1];
    if (wanted[0])
        dx[0] = aimf_emit(graph, AIMF_OP_CONV2D_BACKWARD_DATA, *aimf_value_shape(graph, x),
                          (AimfValue[]){ dy[0], weight }, 2, &node->attributes);
    if (wanted[1])
        dx[1] = aimf_emit(graph, AIMF_OP_CONV2D_BACKWARD_WEIGHT, *aimf_value_shape(graph, weight),
                          (AimfValue[]){ x, dy[0] }, 2, &node->attributes);
    if (wanted[2])
        dx[2] = aimf_emit(graph, AIMF_OP_CHANNEL_SUM, *aimf_value_shape(graph, node->inputs[2]), dy, 1, NULL);
}

/* All three directions do the same multiply-adds: one per weight and output position. */
AIMF_FLOPS(aimf_conv2d_flops)
{
    AimfValue weight, y;
    switch (node->op) {
    case AIMF_OP_CONV2D:
        weight = node->inputs[1];
        y = node->outputs[0];
        break;
    case AIMF_OP_CONV2D_BACKWARD_DATA:
        weight = node->inputs[1];
        y = node->inputs[0];
        break;
    default: /* CONV2D_BACKWARD_WEIGHT */
        weight = node->outputs[0];
        y = node->inputs[1];
        break;
    }
    const AimfShape *ys = aimf_value_shape(graph, y);
    double positions = (double)(ys->dim[0] * ys->dim[2] * ys->dim[3]);
    return 2 * positions * (double)aimf_shape_count(aimf_value_shape(graph, weight));
}
