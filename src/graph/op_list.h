/*
 * The list of operations, forward and backward: each one's kind, name, gradient and count of arithmetic, and above it
 * its operands in the order that a backend sees them. [x] may be AIMF_NONE.
 *
 * Outputs called workspace have a size that only the backend knows: they carry what a forward kernel remembers for its
 * backward. The operations from SGD on work on buckets: values of one long row that are made of many tensors.
 */
#pragma once

/* X(kind, name, gradient, flops); the functions are in the file of ops/ that builds the operation. */
#define AIMF_OPS(X)                                                                                                    \
    /* x (N,C,H,W), weight (O,C/groups,kh,kw), [bias (O)] -> y (N,O,H',W') */                                          \
    X(CONV2D, conv2d, aimf_conv2d_gradient, aimf_conv2d_flops)                                                         \
    /* dy, weight -> dx */                                                                                             \
    X(CONV2D_BACKWARD_DATA, conv2d_backward_data, aimf_no_gradient, aimf_conv2d_flops)                                 \
    /* x, dy -> dweight */                                                                                             \
    X(CONV2D_BACKWARD_WEIGHT, conv2d_backward_weight, aimf_no_gradient, aimf_conv2d_flops)                             \
    /* x, weight, bias, running_mean, running_var -> y [, mean (C), variance (C), workspace]; the bracketed ones in \
     * training only, where the running statistics change; variance is the biased one; workspace only with relu */  \
    X(BATCH_NORM, batch_norm, aimf_batch_norm_gradient, aimf_no_flops)                                                 \
    /* x, dy, weight, mean, variance, [workspace] -> [dx], [dweight], [dbias]; mean and variance of the batch in \
     * training, else the running ones, taken as constants */     \
    X(BATCH_NORM_BACKWARD, batch_norm_backward, aimf_no_gradient, aimf_no_flops)                                       \
    /* x -> y */                                                                                                       \
    X(RELU, relu, aimf_relu_gradient, aimf_no_flops)                                                                   \
    /* a, b -> y */                                                                                                    \
    X(ADD, add, aimf_add_gradient, aimf_no_flops)                                                                      \
    /* a, b -> y */                                                                                                    \
    X(ADD_RELU, add_relu, aimf_add_relu_gradient, aimf_no_flops)                                                       \
    /* y, dy -> dx = dy where y > 0 */                                                                                 \
    X(RELU_BACKWARD, relu_backward, aimf_no_gradient, aimf_no_flops)                                                   \
    /* x -> y */                                                                                                       \
    X(LEAKY_RELU, leaky_relu, aimf_leaky_relu_gradient, aimf_no_flops)                                                 \
    /* y, dy -> dx = dy where y > 0, else the slope times dy */                                                        \
    X(LEAKY_RELU_BACKWARD, leaky_relu_backward, aimf_no_gradient, aimf_no_flops)                                       \
    /* x (N,C,...) -> sums (C), the gradient of a bias */                                                              \
    X(CHANNEL_SUM, channel_sum, aimf_no_gradient, aimf_no_flops)                                                       \
    /* x -> y, workspace */                                                                                            \
    X(MAX_POOL, max_pool, aimf_max_pool_gradient, aimf_no_flops)                                                       \
    /* dy, workspace -> dx */                                                                                          \
    X(MAX_POOL_BACKWARD, max_pool_backward, aimf_no_gradient, aimf_no_flops)                                           \
    /* x (N,C,H,W) -> y (N,C) */                                                                                       \
    X(GLOBAL_AVERAGE_POOL, global_average_pool, aimf_global_average_pool_gradient, aimf_no_flops)                      \
    /* dy (N,C) -> dx (N,C,H,W) */                                                                                     \
    X(GLOBAL_AVERAGE_POOL_BACKWARD, global_average_pool_backward, aimf_no_gradient, aimf_no_flops)                     \
    /* x (N,C,H,W) -> y (N,C,H',W') */                                                                                 \
    X(AVERAGE_POOL, average_pool, aimf_average_pool_gradient, aimf_no_flops)                                           \
    /* dy -> dx */                                                                                                     \
    X(AVERAGE_POOL_BACKWARD, average_pool_backward, aimf_no_gradient, aimf_no_flops)                                   \
    /* x (N,C,H,W) -> y (N,C,H',W') */                                                                                 \
    X(ADAPTIVE_AVERAGE_POOL, adaptive_average_pool, aimf_adaptive_average_pool_gradient, aimf_no_flops)                \
    /* dy -> dx */                                                                                                     \
    X(ADAPTIVE_AVERAGE_POOL_BACKWARD, adaptive_average_pool_backward, aimf_no_gradient, aimf_no_flops)                 \
    /* x (...,I), weight (O,I), [bias (O)] -> y (...,O); that of x (N,I) is f32 */                                     \
    X(LINEAR, linear, aimf_linear_gradient, aimf_linear_flops)                                                         \
    /* dy, weight -> dx */                                                                                             \
    X(LINEAR_BACKWARD_DATA, linear_backward_data, aimf_no_gradient, aimf_linear_flops)                                 \
    /* x, dy -> dweight */                                                                                             \
    X(LINEAR_BACKWARD_WEIGHT, linear_backward_weight, aimf_no_gradient, aimf_linear_flops)                             \
    /* x (...,C) -> sums (C), the gradient of a bias */                                                                \
    X(ROW_SUM, row_sum, aimf_no_gradient, aimf_no_flops)                                                               \
    /* logits, targets (same shape) -> loss (scalar) */                                                                \
    X(SIGMOID_CROSS_ENTROPY, sigmoid_cross_entropy, aimf_sigmoid_cross_entropy_gradient, aimf_no_flops)                \
    /* logits, targets, [dloss (scalar), none means 1] -> dlogits */                                                   \
    X(SIGMOID_CROSS_ENTROPY_BACKWARD, sigmoid_cross_entropy_backward, aimf_no_gradient, aimf_no_flops)                 \
    /* logits (N,K), targets (N) -> loss (scalar) */                                                                   \
    X(SOFTMAX_CROSS_ENTROPY, softmax_cross_entropy, aimf_softmax_cross_entropy_gradient, aimf_no_flops)                \
    /* logits, targets, [dloss] -> dlogits */                                                                          \
    X(SOFTMAX_CROSS_ENTROPY_BACKWARD, softmax_cross_entropy_backward, aimf_no_gradient, aimf_no_flops)                 \
    /* x (N,C,H,W), weight (C), bias (C) -> y */                                                                       \
    X(GROUP_NORM, group_norm, aimf_group_norm_gradient, aimf_no_flops)                                                 \
    /* x, dy, weight, bias -> [dx], [dweight], [dbias] */                                                              \
    X(GROUP_NORM_BACKWARD, group_norm_backward, aimf_no_gradient, aimf_no_flops)                                       \
    /* x (...,C), weight (C), bias (C) -> y */                                                                         \
    X(LAYER_NORM, layer_norm, aimf_layer_norm_gradient, aimf_no_flops)                                                 \
    /* x, dy, weight -> [dx], [dweight], [dbias] */                                                                    \
    X(LAYER_NORM_BACKWARD, layer_norm_backward, aimf_no_gradient, aimf_no_flops)                                       \
    /* q (N,T,C), k (N,S,C), v (N,S,C) -> y (N,T,C) */                                                                 \
    X(ATTENTION, attention, aimf_attention_gradient, aimf_attention_flops)                                             \
    /* q, k, v, dy -> [dq], [dk], [dv] */                                                                              \
    X(ATTENTION_BACKWARD, attention_backward, aimf_no_gradient, aimf_attention_flops)                                  \
    /* a (...,M,K), b (...,K,N), or their last two dimensions swapped -> y (...,M,N) */                                \
    X(MATMUL, matmul, aimf_matmul_gradient, aimf_matmul_flops)                                                         \
    /* x -> y */                                                                                                       \
    X(SOFTMAX, softmax, aimf_softmax_gradient, aimf_no_flops)                                                          \
    /* y, dy -> dx */                                                                                                  \
    X(SOFTMAX_BACKWARD, softmax_backward, aimf_no_gradient, aimf_no_flops)                                             \
    /* x (N,C,H,W), offsets (N,C) -> y */                                                                              \
    X(ADD_CHANNELS, add_channels, aimf_add_channels_gradient, aimf_no_flops)                                           \
    /* x (N,C,H,W) -> y (N,C,2H,2W) */                                                                                 \
    X(UPSAMPLE_NEAREST, upsample_nearest, aimf_upsample_nearest_gradient, aimf_no_flops)                               \
    /* x (N,C,H,W), weight (O,C,3,3), [bias (O)] -> y (N,O,2H,2W) */                                                   \
    X(UPSAMPLE_CONV2D, upsample_conv2d, aimf_upsample_conv2d_gradient, aimf_upsample_conv2d_flops)                     \
    /* x (N,C,H,W) -> y (N,HW,C) */                                                                                    \
    X(TOKENS, tokens, aimf_tokens_gradient, aimf_no_flops)                                                             \
    /* x (N,HW,C) -> y (N,C,H,W) */                                                                                    \
    X(PLANES, planes, aimf_planes_gradient, aimf_no_flops)                                                             \
    /* ids (N,T), table (V,C), [positions (P,C)] -> y (N,T,C) */                                                       \
    X(EMBEDDING, embedding, aimf_embedding_gradient, aimf_no_flops)                                                    \
    /* ids, dy -> [dtable], [dpositions] */                                                                            \
    X(EMBEDDING_BACKWARD, embedding_backward, aimf_no_gradient, aimf_no_flops)                                         \
    /* t (N) -> y (N,C) f32 */                                                                                         \
    X(TIMESTEP_EMBEDDING, timestep_embedding, aimf_no_gradient, aimf_no_flops)                                         \
    /* up to 8 values -> y, one behind the other along an axis */                                                      \
    X(CONCAT, concat, aimf_concat_gradient, aimf_no_flops)                                                             \
    /* x -> up to 4 parts */                                                                                           \
    X(SPLIT, split, aimf_split_gradient, aimf_no_flops)                                                                \
    /* x -> y */                                                                                                       \
    X(SLICE, slice, aimf_slice_gradient, aimf_no_flops)                                                                \
    /* x -> y */                                                                                                       \
    X(PAD, pad, aimf_pad_gradient, aimf_no_flops)                                                                      \
    /* x -> y */                                                                                                       \
    X(TRANSPOSE, transpose, aimf_transpose_gradient, aimf_no_flops)                                                    \
    /* x -> y */                                                                                                       \
    X(RESHAPE, reshape, aimf_reshape_gradient, aimf_no_flops)                                                          \
    /* x, draw (2) -> y */                                                                                             \
    X(DROPOUT, dropout, aimf_dropout_gradient, aimf_no_flops)                                                          \
    /* dy (N,C,2H,2W) -> dx (N,C,H,W) */                                                                               \
    X(UPSAMPLE_NEAREST_BACKWARD, upsample_nearest_backward, aimf_no_gradient, aimf_no_flops)                           \
    /* x (N,C,...) -> sums (N,C) */                                                                                    \
    X(PIXEL_SUM, pixel_sum, aimf_no_gradient, aimf_no_flops)                                                           \
    /* activations, x -> y, each followed by x, dy -> dx */                                                            \
    X(SILU, silu, aimf_from_x_gradient, aimf_no_flops)                                                                 \
    X(SILU_BACKWARD, silu_backward, aimf_no_gradient, aimf_no_flops)                                                   \
    X(GELU, gelu, aimf_from_x_gradient, aimf_no_flops)                                                                 \
    X(GELU_BACKWARD, gelu_backward, aimf_no_gradient, aimf_no_flops)                                                   \
    X(GELU_TANH, gelu_tanh, aimf_from_x_gradient, aimf_no_flops)                                                       \
    X(GELU_TANH_BACKWARD, gelu_tanh_backward, aimf_no_gradient, aimf_no_flops)                                         \
    X(QUICK_GELU, quick_gelu, aimf_from_x_gradient, aimf_no_flops)                                                     \
    X(QUICK_GELU_BACKWARD, quick_gelu_backward, aimf_no_gradient, aimf_no_flops)                                       \
    X(SIGMOID, sigmoid, aimf_from_x_gradient, aimf_no_flops)                                                           \
    X(SIGMOID_BACKWARD, sigmoid_backward, aimf_no_gradient, aimf_no_flops)                                             \
    X(TANH, tanh, aimf_from_x_gradient, aimf_no_flops)                                                                 \
    X(TANH_BACKWARD, tanh_backward, aimf_no_gradient, aimf_no_flops)                                                   \
    X(HARD_SIGMOID, hard_sigmoid, aimf_from_x_gradient, aimf_no_flops)                                                 \
    X(HARD_SIGMOID_BACKWARD, hard_sigmoid_backward, aimf_no_gradient, aimf_no_flops)                                   \
    X(HARD_SWISH, hard_swish, aimf_from_x_gradient, aimf_no_flops)                                                     \
    X(HARD_SWISH_BACKWARD, hard_swish_backward, aimf_no_gradient, aimf_no_flops)                                       \
    X(LOG, log, aimf_from_x_gradient, aimf_no_flops)                                                                   \
    X(LOG_BACKWARD, log_backward, aimf_no_gradient, aimf_no_flops)                                                     \
    X(ERF, erf, aimf_from_x_gradient, aimf_no_flops)                                                                   \
    X(ERF_BACKWARD, erf_backward, aimf_no_gradient, aimf_no_flops)                                                     \
    X(RECIPROCAL, reciprocal, aimf_from_x_gradient, aimf_no_flops)                                                     \
    X(RECIPROCAL_BACKWARD, reciprocal_backward, aimf_no_gradient, aimf_no_flops)                                       \
    X(SQRT, sqrt, aimf_from_x_gradient, aimf_no_flops)                                                                 \
    X(SQRT_BACKWARD, sqrt_backward, aimf_no_gradient, aimf_no_flops)                                                   \
    X(EXP, exp, aimf_from_x_gradient, aimf_no_flops)                                                                   \
    X(EXP_BACKWARD, exp_backward, aimf_no_gradient, aimf_no_flops)                                                     \
    /* the same with y, dy -> dx */                                                                                    \
    X(CLIP, clip, aimf_from_y_gradient, aimf_no_flops)                                                                 \
    X(CLIP_BACKWARD, clip_backward, aimf_no_gradient, aimf_no_flops)                                                   \
    /* x (N,T,2C) -> y (N,T,C), then x, dy -> dx */                                                                    \
    X(GEGLU, geglu, aimf_from_x_gradient, aimf_no_flops)                                                               \
    X(GEGLU_BACKWARD, geglu_backward, aimf_no_gradient, aimf_no_flops)                                                 \
    /* a, b -> y of the shape to which they broadcast, as that of ADD may; followed by a, b, dy -> da, or db */        \
    X(SUBTRACT, subtract, aimf_subtract_gradient, aimf_no_flops)                                                       \
    X(MULTIPLY, multiply, aimf_broadcast_gradient, aimf_no_flops)                                                      \
    X(MULTIPLY_BACKWARD, multiply_backward, aimf_no_gradient, aimf_no_flops)                                           \
    X(DIVIDE, divide, aimf_broadcast_gradient, aimf_no_flops)                                                          \
    X(DIVIDE_BACKWARD, divide_backward, aimf_no_gradient, aimf_no_flops)                                               \
    X(POWER, power, aimf_broadcast_gradient, aimf_no_flops)                                                            \
    X(POWER_BACKWARD, power_backward, aimf_no_gradient, aimf_no_flops)                                                 \
    X(MINIMUM, minimum, aimf_broadcast_gradient, aimf_no_flops)                                                        \
    X(MINIMUM_BACKWARD, minimum_backward, aimf_no_gradient, aimf_no_flops)                                             \
    X(MAXIMUM, maximum, aimf_broadcast_gradient, aimf_no_flops)                                                        \
    X(MAXIMUM_BACKWARD, maximum_backward, aimf_no_gradient, aimf_no_flops)                                             \
    /* x (N,C,...), slopes (1) or (C) -> y, then x, slopes, dy -> dx, or dslopes */                                    \
    X(PRELU, prelu, aimf_broadcast_gradient, aimf_no_flops)                                                            \
    X(PRELU_BACKWARD, prelu_backward, aimf_no_gradient, aimf_no_flops)                                                 \
    /* [x], none means 1 -> y: x, times a number, in all places of the dimensions that it lacks */                     \
    X(EXPAND, expand, aimf_expand_gradient, aimf_no_flops)                                                             \
    /* x -> y, whose dimensions are those of x, except that some are 1 or missing */                                   \
    X(REDUCE_SUM, reduce_sum, aimf_reduce_sum_gradient, aimf_no_flops)                                                 \
    X(REDUCE_MAX, reduce_max, aimf_reduce_max_gradient, aimf_no_flops)                                                 \
    /* x, y, -> how many of x are y; x, y, dy -> dx = dy where x = y, which has been divided by that number */         \
    X(REDUCE_MAX_BACKWARD, reduce_max_backward, aimf_no_gradient, aimf_no_flops)                                       \
    /* parameters, gradients, momenta (n), learning rate (scalar); the first and the third change in place */          \
    X(SGD, sgd, aimf_no_gradient, aimf_no_flops)                                                                       \
    /* gradients (n), sums (n) f64, which change in place */                                                           \
    X(ACCUMULATE, accumulate, aimf_no_gradient, aimf_no_flops)                                                         \
    /* gradients (n), sums (k) f64, of which one becomes the sum of their squares */                                   \
    X(SQUARES, squares, aimf_no_gradient, aimf_no_flops)                                                               \
    /* gradients (n), which change in place, sums (k) f64: the squared norm is all of these together */                \
    X(CLIP_NORM, clip_norm, aimf_no_gradient, aimf_no_flops)                                                           \
    /* steps (scalar) f64, one more in place */                                                                        \
    X(COUNT_STEP, count_step, aimf_no_gradient, aimf_no_flops)                                                         \
    /* parameters, gradients, means, means of squares (n), learning rate (scalar), steps (scalar) f64; the first, \
     * third and fourth change in place */    \
    X(ADAMW, adamw, aimf_no_gradient, aimf_no_flops)                                                                   \
    /* values (n), averages (n), which change in place */                                                              \
    X(AVERAGE, average, aimf_no_gradient, aimf_no_flops)
