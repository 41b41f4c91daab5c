/* The oneDNN backend's face. */
#include "backend/backends.h"
#include "backend/onednn/onednn.h"

const AimfBackend aimf_backend_onednn = {
    .name = "onednn",
    .memory = &aimf_host_memory,
    .open = onednn_state_open,
    .close = onednn_state_close,
    .version = onednn_version,
    .layout_equal = onednn_layout_equal,
    .layout_text = onednn_layout_text,
    .plan_reorder = onednn_plan_reorder,
    .sgd = onednn_sgd,
    .plan = {
        [AIMF_OP_CONV2D] = onednn_plan_conv2d,
        [AIMF_OP_CONV2D_BACKWARD_DATA] = onednn_plan_conv2d_backward_data,
        [AIMF_OP_CONV2D_BACKWARD_WEIGHT] = onednn_plan_conv2d_backward_weight,
        [AIMF_OP_BATCH_NORM] = onednn_plan_batch_norm,
        [AIMF_OP_BATCH_NORM_BACKWARD] = onednn_plan_batch_norm_backward,
        [AIMF_OP_RELU] = onednn_plan_elementwise,
        [AIMF_OP_ADD] = onednn_plan_elementwise,
        [AIMF_OP_ADD_RELU] = onednn_plan_elementwise,
        [AIMF_OP_RELU_BACKWARD] = onednn_plan_elementwise,
        [AIMF_OP_CHANNEL_SUM] = onednn_plan_channel_sum,
        [AIMF_OP_MAX_POOL] = onednn_plan_max_pool,
        [AIMF_OP_MAX_POOL_BACKWARD] = onednn_plan_max_pool_backward,
        [AIMF_OP_GLOBAL_AVERAGE_POOL] = onednn_plan_average_pool,
        [AIMF_OP_GLOBAL_AVERAGE_POOL_BACKWARD] = onednn_plan_average_pool_backward,
        [AIMF_OP_LINEAR] = onednn_plan_linear,
        [AIMF_OP_LINEAR_BACKWARD_DATA] = onednn_plan_linear_backward_data,
        [AIMF_OP_LINEAR_BACKWARD_WEIGHT] = onednn_plan_linear_backward_weight,
        [AIMF_OP_SIGMOID_CROSS_ENTROPY] = onednn_plan_loss,
        [AIMF_OP_SIGMOID_CROSS_ENTROPY_BACKWARD] = onednn_plan_loss_backward,
        [AIMF_OP_SOFTMAX_CROSS_ENTROPY] = onednn_plan_loss,
        [AIMF_OP_SOFTMAX_CROSS_ENTROPY_BACKWARD] = onednn_plan_loss_backward,
    },
};
