/*
 * The list of operations, forward and backward: each one's kind, name, gradient and count of arithmetic, and above it
 * its operands in the order that a backend sees them. [x] may be AIMF_NONE.
 *
 * Outputs called workspace have a size that only the backend knows: they carry what a forward kernel remembers for its
 * backward. The last two operations work on buckets: values of one long row that are made of many tensors.
 */
#pragma once

/* X(kind, name, gradient, flops); the functions are in the file of ops/ that builds the operation. */
#define AIMF_OPS(X)                                                                                                    \
    /* x (N,C,H,W), weight (O,C,kh,kw), [bias (O)] -> y (N,O,H',W') */                                                 \
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
    /* x -> y */                                                                                                       \
    X(SILU, silu, aimf_no_gradient, aimf_no_flops)                                                                     \
    /* x -> y */                                                                                                       \
    X(GELU, gelu, aimf_no_gradient, aimf_no_flops)                                                                     \
    /* x -> y */                                                                                                       \
    X(QUICK_GELU, quick_gelu, aimf_no_gradient, aimf_no_flops)                                                         \
    /* x (N,T,2C) -> y (N,T,C) */                                                                                      \
    X(GEGLU, geglu, aimf_no_gradient, aimf_no_flops)                                                                   \
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
    X(ADD_CHANNELS, add_channels, aimf_no_gradient, aimf_no_flops)                                                     \
    /* a (N,A,H,W), b (N,B,H,W) -> y (N,A+B,H,W) */                                                                    \
    X(CONCAT, concat, aimf_no_gradient, aimf_no_flops)                                                                 \
    /* x (N,C,H,W) -> y (N,C,2H,2W) */                                                                                 \
    X(UPSAMPLE_NEAREST, upsample_nearest, aimf_no_gradient, aimf_no_flops)                                             \
    /* x (N,C,H,W), weight (O,C,3,3), [bias (O)] -> y (N,O,2H,2W) */                                                   \
    X(UPSAMPLE_CONV2D, upsample_conv2d, aimf_no_gradient, aimf_upsample_conv2d_flops)                                  \
    /* x (N,C,H,W) -> y (N,HW,C) */                                                                                    \
    X(TOKENS, tokens, aimf_no_gradient, aimf_no_flops)                                                                 \
    /* x (N,HW,C) -> y (N,C,H,W) */                                                                                    \
    X(PLANES, planes, aimf_no_gradient, aimf_no_flops)                                                                 \
    /* ids (N,T), table (V,C), [positions (P,C)] -> y (N,T,C) */                                                       \
    X(EMBEDDING, embedding, aimf_embedding_gradient, aimf_no_flops)                                                    \
    /* ids, dy -> [dtable], [dpositions] */                                                                            \
    X(EMBEDDING_BACKWARD, embedding_backward, aimf_no_gradient, aimf_no_flops)                                         \
    /* t (N) -> y (N,C) f32 */                                                                                         \
    X(TIMESTEP_EMBEDDING, timestep_embedding, aimf_no_gradient, aimf_no_flops)                                         \
    /* parameters, gradients, momenta (n), learning rate (scalar); the first and the third change in place */          \
    X(SGD, sgd, aimf_no_gradient, aimf_no_flops)                                                                       \
    /* gradients (n), sums (n) f64, which change in place */                                                           \
    X(ACCUMULATE, accumulate, aimf_no_gradient, aimf_no_flops)
