/* Operations on single elements. */
#include "graph/ops/emit.h"

AimfValue aimf_emit_unary(AimfGraph *graph, const char *name, AimfOpKind op, AimfValue x,
                          const AimfAttributes *attributes)
{
    if (!aimf_graph_operands(graph, name, &x, 1))
        return AIMF_NONE;
    return aimf_emit(graph, op, *aimf_value_shape(graph, x), &x, 1, attributes);
}

#define UNARY(kind, name)                                                                                              \
    AimfValue aimf_##name(AimfGraph *graph, AimfValue x)                                                               \
    {                                                                                                                  \
        return aimf_emit_unary(graph, #name, AIMF_OP_##kind, x, NULL);                                                 \
    }

UNARY(SILU, silu)
UNARY(GELU, gelu)
UNARY(GELU_TANH, gelu_tanh)
UNARY(QUICK_GELU, quick_gelu)
UNARY(SIGMOID, sigmoid)
UNARY(TANH, tanh)
UNARY(HARD_SIGMOID, hard_sigmoid)
UNARY(HARD_SWISH, hard_swish)
UNARY(SQRT, sqrt)
UNARY(EXP, exp)
UNARY(LOG, log)
UNARY(ERF, erf)
UNARY(RECIPROCAL, reciprocal)

AimfValue aimf_clip(AimfGraph *graph, AimfValue x, double low, double high)
{
    if (!aimf_graph_operands(graph, "clip", &x, 1))
        return AIMF_NONE;
    if (!(low < high))
        return aimf_graph_fail(graph, "clip: the lower bound %g must be below the upper one, %g", low, high);
    return aimf_emit_unary(graph, "clip", AIMF_OP_CLIP, x, &(AimfAttributes){ .clip = { low, high } });
}

AimfValue aimf_geglu(AimfGraph *graph, AimfValue x)
{
    if (!aimf_graph_operands(graph, "geglu", &x, 1))
        return AIMF_NONE;
    AimfShape shape = *aimf_value_shape(graph, x);
    if (shape.rank != 3 || shape.dim[2] % 2)
        return aimf_fail_shape(graph, "geglu", "input", x, "(N, T, 2 C)");
    shape.dim[2] /= 2;
    return aimf_emit(graph, AIMF_OP_GEGLU, shape, &x, 1, NULL);
}

/* The backward operation, which follows its forward one in the list, on what that took or gave. */
static AimfValue backward(AimfGraph *graph, const AimfNode *node, AimfValue of, AimfValue dy)
{
    AimfShape shape = *aimf_value_shape(graph, node->inputs[0]);
    dy = aimf_solid_gradient(graph, dy);
    return aimf_emit(graph, node->op + 1, shape, (AimfValue[]){ of, dy }, 2, &node->attributes);
}

AIMF_GRADIENT(aimf_from_x_gradient)
{
    (void)wanted;
    dx[0] = backward(graph, node, node->inputs[0], dy[0]);
}

AIMF_GRADIENT(aimf_from_y_gradient)
{
    (void)wanted;
    dx[0] = backward(graph, node, node->outputs[0], dy[0]);
}
