/* Batch normalisation: Ioffe and Szegedy 2015; defaults and running statistics as PyTorch's BatchNorm2d. */
#include "graph/ops/emit.h"

AimfValue aimf_batch_norm(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias, AimfValue running_mean,
                          AimfValue running_var, AimfBatchNorm options)
{
    static const char *const names[] = { "input", "weight", "bias", "running mean", "running variance" };
    const AimfValue operands[] = { x, weight, bias, running_mean, running_var };
    if (!aimf_graph_operands(graph, "batch_norm", operands, 5))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x);
    if (xs.rank != 2 && xs.rank != 4)
        return aimf_fail_shape(graph, "batch_norm", "input", x, "(N, C, H, W) or (N, C)");
    AimfShape channels = AIMF_SHAPE(xs.dim[1]);
    for (int i = 1; i < 5; i++)
        if (!aimf_shape_equal(aimf_value_shape(graph, operands[i]), &channels))
            return aimf_fail_shape(graph, "batch_norm", names[i], operands[i], "(C)");
    if (options.training && aimf_shape_count(&xs) / xs.dim[1] < 2)
        return aimf_fail_shape(graph, "batch_norm", "input", x, "more than one value per channel for its statistics");
    if (options.momentum == 0)
        options.momentum = 0.1;
    if (options.epsilon == 0)
        options.epsilon = 1e-5;

    AimfNode node = { .op = AIMF_OP_BATCH_NORM, .n_inputs = 5, .n_outputs = 1, .attributes.batch_norm = options };
    for (int i = 0; i < 5; i++)
        node.inputs[i] = operands[i];
    node.outputs[0] = aimf_graph_add_value(graph, xs);
    if (options.training) {
        node.n_outputs = 4;
        node.outputs[1] = aimf_graph_add_value(graph, channels);
        node.outputs[2] = aimf_graph_add_value(graph, channels);
        node.outputs[3] = options.relu ? aimf_graph_add_workspace(graph) : AIMF_NONE;
    }
    aimf_graph_add_node(graph, &node);
    return node.outputs[0];
}

AIMF_GRADIENT(aimf_batch_norm_gradient)
{
    const AimfBatchNorm *options = &node->attributes.batch_norm;
    AimfValue x = node->inputs[0], gradient = dy[0];
    if (wanted[3] || wanted[4]) {
        aimf_graph_fail(graph, "batch_norm: running statistics have no gradient");
        return;
    }
    if (options->relu &&
        !options->training) /* nothing was remembered: the result itself tells where ReLU let through */
        gradient = aimf_emit(graph, AIMF_OP_RELU_BACKWARD, *aimf_value_shape(graph, x),
                             (AimfValue[]){ node->outputs[0], gradient }, 2, NULL);
    AimfValue operands[] = { x, gradient, node->inputs[1], node->inputs[3], node->inputs[4], AIMF_NONE };
    if (options->training)
        for (int i = 0; i < 3; i++)
            operands[3 + i] = node->outputs[1 + i];
    aimf_emit_gradients(graph, AIMF_OP_BATCH_NORM_BACKWARD, node, operands, 6, 3, wanted, dx);
}
