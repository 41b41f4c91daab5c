#include "graph/ops/emit.h"

static AimfValue binary(AimfGraph *graph, const char *name, AimfOpKind op, AimfValue a, AimfValue b)
{
    if (!aimf_graph_operands(graph, name, (AimfValue[]){ a, b }, 2))
        return AIMF_NONE;
    AimfShape shape = *aimf_value_shape(graph, a);
    if (!aimf_shape_equal(&shape, aimf_value_shape(graph, b)))
        return aimf_fail_shape(graph, name, "second operand", b, "the shape of the first");
    return aimf_emit(graph, op, shape, (AimfValue[]){ a, b }, 2, NULL);
}

AimfValue aimf_add_relu(AimfGraph *graph, AimfValue a, AimfValue b)
{
    return binary(graph, "add_relu", AIMF_OP_ADD_RELU, a, b);
}

AimfValue aimf_add_channels(AimfGraph *graph, AimfValue x, AimfValue offsets)
{
    if (!aimf_graph_operands(graph, "add_channels", (AimfValue[]){ x, offsets }, 2))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x);
    if (xs.rank != 4)
        return aimf_fail_shape(graph, "add_channels", "input", x, "(N, C, H, W)");
    if (!aimf_shape_equal(aimf_value_shape(graph, offsets), &AIMF_SHAPE(xs.dim[0], xs.dim[1])))
        return aimf_fail_shape(graph, "add_channels", "offsets", offsets, "(N, C) as the input has them");
    return aimf_emit(graph, AIMF_OP_ADD_CHANNELS, xs, (AimfValue[]){ x, offsets }, 2, NULL);
}

AIMF_GRADIENT(aimf_add_channels_gradient)
{
    dx[0] = dy[0];
    if (wanted[1])
        dx[1] = aimf_emit(graph, AIMF_OP_PIXEL_SUM, *aimf_value_shape(graph, node->inputs[1]), dy, 1, NULL);
}

AimfValue aimf_relu(AimfGraph *graph, AimfValue x)
{
    return aimf_emit_unary(graph, "relu", AIMF_OP_RELU, x, NULL);
}

/* dy where the result is positive: what ReLU lets through, whatever came before it. */
static AimfValue relu_backward(AimfGraph *graph, const AimfNode *node, AimfValue dy)
{
    AimfValue y = node->outputs[0];
    return aimf_emit(graph, AIMF_OP_RELU_BACKWARD, *aimf_value_shape(graph, y), (AimfValue[]){ y, dy }, 2, NULL);
}

AIMF_GRADIENT(aimf_relu_gradient)
{
    (void)wanted;
    dx[0] = relu_backward(graph, node, dy[0]);
}

AIMF_GRADIENT(aimf_add_relu_gradient)
{
    (void)wanted;
    dx[0] = dx[1] = relu_backward(graph, node, dy[0]);
}
