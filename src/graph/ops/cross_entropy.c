#include "graph/ops/emit.h"

static gboolean check_smoothing(AimfGraph *graph, const char *name, double smoothing)
{
    if (smoothing >= 0 && smoothing < 1)
        return TRUE;
    aimf_graph_fail(graph, "%s: labels are smoothed by 0 to less than 1, not %g", name, smoothing);
    return FALSE;
}

AimfValue aimf_smooth_sigmoid_cross_entropy(AimfGraph *graph, AimfValue logits, AimfValue targets, double smoothing)
{
    if (!aimf_graph_operands(graph, "sigmoid_cross_entropy", (AimfValue[]){ logits, targets }, 2) ||
        !check_smoothing(graph, "sigmoid_cross_entropy", smoothing))
        return AIMF_NONE;
    if (!aimf_shape_equal(aimf_value_shape(graph, logits), aimf_value_shape(graph, targets)))
        return aimf_fail_shape(graph, "sigmoid_cross_entropy", "targets", targets, "the shape of the logits");
    return aimf_emit(graph, AIMF_OP_SIGMOID_CROSS_ENTROPY, (AimfShape){ 0 }, (AimfValue[]){ logits, targets }, 2,
                     &(AimfAttributes){ .number = smoothing });
}

AimfValue aimf_sigmoid_cross_entropy(AimfGraph *graph, AimfValue logits, AimfValue targets)
{
    return aimf_smooth_sigmoid_cross_entropy(graph, logits, targets, 0);
}

AimfValue aimf_smooth_softmax_cross_entropy(AimfGraph *graph, AimfValue logits, AimfValue targets, double smoothing)
{
    if (!aimf_graph_operands(graph, "softmax_cross_entropy", (AimfValue[]){ logits, targets }, 2) ||
        !check_smoothing(graph, "softmax_cross_entropy", smoothing))
        return AIMF_NONE;
    AimfShape ls = *aimf_value_shape(graph, logits);
    if (ls.rank != 2)
        return aimf_fail_shape(graph, "softmax_cross_entropy", "logits", logits, "(N, classes)");
    if (!aimf_shape_equal(aimf_value_shape(graph, targets), &AIMF_SHAPE(ls.dim[0])))
        return aimf_fail_shape(graph, "softmax_cross_entropy", "targets", targets, "(N)");
    return aimf_emit(graph, AIMF_OP_SOFTMAX_CROSS_ENTROPY, (AimfShape){ 0 }, (AimfValue[]){ logits, targets }, 2,
                     &(AimfAttributes){ .number = smoothing });
}

AimfValue aimf_softmax_cross_entropy(AimfGraph *graph, AimfValue logits, AimfValue targets)
{
    return aimf_smooth_softmax_cross_entropy(graph, logits, targets, 0);
}

static void gradient_of_loss(AimfGraph *graph, const AimfNode *node, const char *name, AimfOpKind op, AimfValue dloss,
                             const gboolean *wanted, AimfValue *dx)
{
    AimfValue logits = node->inputs[0], targets = node->inputs[1];
    if (wanted[1])
        aimf_graph_fail(graph, "%s: targets have no gradient", name);
    dx[0] = aimf_emit(graph, op, *aimf_value_shape(graph, logits),
                      (AimfValue[]){ logits, targets, dloss == AIMF_UNIT ? AIMF_NONE : dloss }, 3, &node->attributes);
}

AIMF_GRADIENT(aimf_sigmoid_cross_entropy_gradient)
{
    gradient_of_loss(graph, node, "sigmoid_cross_entropy", AIMF_OP_SIGMOID_CROSS_ENTROPY_BACKWARD, dy[0], wanted, dx);
}

AIMF_GRADIENT(aimf_softmax_cross_entropy_gradient)
{
    gradient_of_loss(graph, node, "softmax_cross_entropy", AIMF_OP_SOFTMAX_CROSS_ENTROPY_BACKWARD, dy[0], wanted, dx);
}
