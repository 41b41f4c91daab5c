/* The table of operations. */
#include "graph/ops.h"

const AimfOp aimf_ops[AIMF_N_OPS] = {
    [AIMF_OP_CONV2D] = { "conv2d", aimf_conv2d_gradient, aimf_conv2d_flops },
    [AIMF_OP_CONV2D_BACKWARD_DATA] = { "conv2d_backward_data", NULL, aimf_conv2d_flops },
    [AIMF_OP_CONV2D_BACKWARD_WEIGHT] = { "conv2d_backward_weight", NULL, aimf_conv2d_flops },
    [AIMF_OP_BATCH_NORM] = { "batch_norm", aimf_batch_norm_gradient, NULL },
    [AIMF_OP_BATCH_NORM_BACKWARD] = { "batch_norm_backward", NULL, NULL },
    [AIMF_OP_RELU] = { "relu", aimf_relu_gradient, NULL },
    [AIMF_OP_ADD] = { "add", aimf_add_gradient, NULL },
    [AIMF_OP_ADD_RELU] = { "add_relu", aimf_add_relu_gradient, NULL },
    [AIMF_OP_RELU_BACKWARD] = { "relu_backward", NULL, NULL },
    [AIMF_OP_CHANNEL_SUM] = { "channel_sum", NULL, NULL },
    [AIMF_OP_MAX_POOL] = { "max_pool", aimf_max_pool_gradient, NULL },
    [AIMF_OP_MAX_POOL_BACKWARD] = { "max_pool_backward", NULL, NULL },
    [AIMF_OP_GLOBAL_AVERAGE_POOL] = { "global_average_pool", aimf_global_average_pool_gradient, NULL },
    [AIMF_OP_GLOBAL_AVERAGE_POOL_BACKWARD] = { "global_average_pool_backward", NULL, NULL },
    [AIMF_OP_LINEAR] = { "linear", aimf_linear_gradient, aimf_linear_flops },
    [AIMF_OP_LINEAR_BACKWARD_DATA] = { "linear_backward_data", NULL, aimf_linear_flops },
    [AIMF_OP_LINEAR_BACKWARD_WEIGHT] = { "linear_backward_weight", NULL, aimf_linear_flops },
    [AIMF_OP_SIGMOID_CROSS_ENTROPY] = { "sigmoid_cross_entropy", aimf_sigmoid_cross_entropy_gradient, NULL },
    [AIMF_OP_SIGMOID_CROSS_ENTROPY_BACKWARD] = { "sigmoid_cross_entropy_backward", NULL, NULL },
    [AIMF_OP_SOFTMAX_CROSS_ENTROPY] = { "softmax_cross_entropy", aimf_softmax_cross_entropy_gradient, NULL },
    [AIMF_OP_SOFTMAX_CROSS_ENTROPY_BACKWARD] = { "softmax_cross_entropy_backward", NULL, NULL },
};
