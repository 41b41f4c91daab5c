#include "graph/ops/emit.h"

/* Pixels that a kernel of @taps spans in one direction; -1 if that is more than can be counted. */
static gint64 span_of(gint64 taps, gint64 dilation)
{
    gint64 span;
    return __builtin_mul_overflow(taps - 1, dilation, &span) || span == G_MAXINT64 ? -1 : span + 1;
}

static gboolean options_are_valid(AimfGraph *graph, AimfConv2d *options)
{
    for (int i = 0; i < 2; i++) {
        if (options->stride[i] == 0)
            options->stride[i] = 1;
        if (options->dilation[i] == 0)
            options->dilation[i] = 1;
        if (options->stride[i] < 0 || options->dilation[i] < 0 || options->before[i] < 0 || options->after[i] < 0) {
            aimf_graph_fail(graph,
                            "conv2d: stride %d, dilation %d, padding %d before and %d after must not be negative",
                            options->stride[i], options->dilation[i], options->before[i], options->after[i]);
            return FALSE;
        }
    }
    if (options->groups == 0)
        options->groups = 1;
    return TRUE;
}

AimfValue aimf_conv2d(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias, AimfConv2d options)
{
    if (!aimf_graph_operands(graph, "conv2d", (AimfValue[]){ x, weight, bias }, bias == AIMF_NONE ? 2 : 3))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x), ws = *aimf_value_shape(graph, weight);
    if (!options_are_valid(graph, &options))
        return AIMF_NONE;
    if (xs.rank != 4)
        return aimf_fail_shape(graph, "conv2d", "input", x, "(N, C, H, W)");
    if (options.groups < 1 || xs.dim[1] % options.groups)
        return aimf_graph_fail(graph, "conv2d: %d groups do not divide %" G_GINT64_FORMAT " channels", options.groups,
                               xs.dim[1]);
    if (ws.rank != 4 || ws.dim[1] != xs.dim[1] / options.groups || ws.dim[0] % options.groups)
        return aimf_fail_shape(graph, "conv2d", "weight", weight,
                               options.groups == 1
                                   ? "(O, C, kh, kw) with the input's C"
                                   : "(O, C / groups, kh, kw) with the input's C and groups dividing O");
    AimfShape bs = AIMF_SHAPE(ws.dim[0]), ys = AIMF_SHAPE(xs.dim[0], ws.dim[0], 0, 0);
    if (bias != AIMF_NONE && !aimf_shape_equal(aimf_value_shape(graph, bias), &bs))
        return aimf_fail_shape(graph, "conv2d", "bias", bias, "(O)");
    for (int i = 0; i < 2; i++) {
        gint64 span = span_of(ws.dim[2 + i], options.dilation[i]), size;
        gint64 zeros = (gint64)options.before[i] + options.after[i];
        if (span < 0 || __builtin_add_overflow(xs.dim[2 + i], zeros, &size) || span > size)
            return aimf_fail_shape(graph, "conv2d", "input", x, "at least the size of the kernel");
        ys.dim[2 + i] = (size - span) / options.stride[i] + 1;
    }
    if (!aimf_fits(&ys))
        return aimf_graph_fail(graph, "conv2d: the result has more elements than any memory");
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
