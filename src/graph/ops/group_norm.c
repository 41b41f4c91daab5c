/*
 * Normalisation within a sample: groups of channels (Wu and He 2018, arXiv 1803.08494), or the last dimension (Ba et
 * al. 2016).
 */
#include "graph/ops/emit.h"

/* Whether @weight and @bias are both (channels); says which is not. */
static gboolean fits_channels(AimfGraph *graph, const char *op, AimfValue weight, AimfValue bias, gint64 channels)
{
    const AimfValue operands[] = { weight, bias };
    static const char *const names[] = { "weight", "bias" };
    for (int i = 0; i < 2; i++)
        if (!aimf_shape_equal(aimf_value_shape(graph, operands[i]), &AIMF_SHAPE(channels))) {
            aimf_fail_shape(graph, op, names[i], operands[i], "(C)");
            return FALSE;
        }
    return TRUE;
}

AimfValue aimf_group_norm(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias, AimfGroupNorm options)
{
    const AimfValue operands[] = { x, weight, bias };
    if (!aimf_graph_operands(graph, "group_norm", operands, 3))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x);
    if (xs.rank != 4)
        return aimf_fail_shape(graph, "group_norm", "input", x, "(N, C, H, W)");
    if (options.groups < 1 || xs.dim[1] % options.groups)
        return aimf_graph_fail(graph, "group_norm: %d groups do not divide %" G_GINT64_FORMAT " channels",
                               options.groups, xs.dim[1]);
    if (!fits_channels(graph, "group_norm", weight, bias, xs.dim[1]))
        return AIMF_NONE;
    if (options.epsilon == 0)
        options.epsilon = 1e-5;
    return aimf_emit(graph, AIMF_OP_GROUP_NORM, xs, operands, 3, &(AimfAttributes){ .group_norm = options });
}

/* Statistics are taken again from x: what that costs is little beside reading x, which the gradient needs anyway. */
AIMF_GRADIENT(aimf_group_norm_gradient)
{
    const AimfValue operands[] = { node->inputs[0], dy[0], node->inputs[1], node->inputs[2] };
    aimf_emit_gradients(graph, AIMF_OP_GROUP_NORM_BACKWARD, node, operands, 4, 3, wanted, dx);
}

AimfValue aimf_layer_norm(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias, double epsilon)
{
    const AimfValue operands[] = { x, weight, bias };
    if (!aimf_graph_operands(graph, "layer_norm", operands, 3))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x);
    if (xs.rank < 2)
        return aimf_fail_shape(graph, "layer_norm", "input", x, "(..., C), two dimensions or more");
    if (!fits_channels(graph, "layer_norm", weight, bias, xs.dim[xs.rank - 1]))
        return AIMF_NONE;
    return aimf_emit(graph, AIMF_OP_LAYER_NORM, xs, operands, 3,
                     &(AimfAttributes){ .number = epsilon == 0 ? 1e-5 : epsilon });
}

AIMF_GRADIENT(aimf_layer_norm_gradient)
{
    const AimfValue operands[] = { node->inputs[0], dy[0], node->inputs[1] };
    aimf_emit_gradients(graph, AIMF_OP_LAYER_NORM_BACKWARD, node, operands, 3, 3, wanted, dx);
}
