/*
 * The reference backend's inside: plain loops over row-major f32, accumulating in double. It is the oracle for the
 * others.
 */
#pragma once

#include "graph/backend.h"

/** ReferenceCall: what a kernel works on. Operands in graph.h's order, NULL where not given; all row-major. */
typedef struct {
    AimfAttributes attributes;
    AimfShape in_shape[AIMF_MAX_INPUTS];
    AimfShape out_shape[AIMF_MAX_OUTPUTS]; /* of a workspace: rank 0 */
    void *in[AIMF_MAX_INPUTS];
    void *out[AIMF_MAX_OUTPUTS];
} ReferenceCall;

enum { REFERENCE_NEVER = -1 };

/*
 * Every kernel: operation, function, the input that its first output may overwrite, and the element type of its
 * workspace, which has one element per element of the first output (AIMF_N_DTYPES: there is none).
 */
#define REFERENCE_KERNELS(X)                                                                                           \
    X(CONV2D, conv2d, REFERENCE_NEVER, AIMF_N_DTYPES)                                                                  \
    X(CONV2D_BACKWARD_DATA, conv2d_backward_data, REFERENCE_NEVER, AIMF_N_DTYPES)                                      \
    X(CONV2D_BACKWARD_WEIGHT, conv2d_backward_weight, REFERENCE_NEVER, AIMF_N_DTYPES)                                  \
    X(BATCH_NORM, batch_norm, REFERENCE_NEVER, AIMF_U8)                                                                \
    X(BATCH_NORM_BACKWARD, batch_norm_backward, REFERENCE_NEVER, AIMF_N_DTYPES)                                        \
    X(RELU, relu, 0, AIMF_N_DTYPES)                                                                                    \
    X(ADD, add, 0, AIMF_N_DTYPES)                                                                                      \
    X(ADD_RELU, add_relu, 0, AIMF_N_DTYPES)                                                                            \
    X(RELU_BACKWARD, relu_backward, 1, AIMF_N_DTYPES)                                                                  \
    X(CHANNEL_SUM, channel_sum, REFERENCE_NEVER, AIMF_N_DTYPES)                                                        \
    X(MAX_POOL, max_pool, REFERENCE_NEVER, AIMF_I32)                                                                   \
    X(MAX_POOL_BACKWARD, max_pool_backward, REFERENCE_NEVER, AIMF_N_DTYPES)                                            \
    X(GLOBAL_AVERAGE_POOL, global_average_pool, REFERENCE_NEVER, AIMF_N_DTYPES)                                        \
    X(GLOBAL_AVERAGE_POOL_BACKWARD, global_average_pool_backward, REFERENCE_NEVER, AIMF_N_DTYPES)                      \
    X(LINEAR, linear, REFERENCE_NEVER, AIMF_N_DTYPES)                                                                  \
    X(LINEAR_BACKWARD_DATA, linear_backward_data, REFERENCE_NEVER, AIMF_N_DTYPES)                                      \
    X(LINEAR_BACKWARD_WEIGHT, linear_backward_weight, REFERENCE_NEVER, AIMF_N_DTYPES)                                  \
    X(SIGMOID_CROSS_ENTROPY, sigmoid_cross_entropy, REFERENCE_NEVER, AIMF_N_DTYPES)                                    \
    X(SIGMOID_CROSS_ENTROPY_BACKWARD, sigmoid_cross_entropy_backward, REFERENCE_NEVER, AIMF_N_DTYPES)                  \
    X(SOFTMAX_CROSS_ENTROPY, softmax_cross_entropy, REFERENCE_NEVER, AIMF_N_DTYPES)                                    \
    X(SOFTMAX_CROSS_ENTROPY_BACKWARD, softmax_cross_entropy_backward, REFERENCE_NEVER, AIMF_N_DTYPES)                  \
    X(SILU, silu, 0, AIMF_N_DTYPES)                                                                                    \
    X(GELU, gelu, 0, AIMF_N_DTYPES)                                                                                    \
    X(QUICK_GELU, quick_gelu, 0, AIMF_N_DTYPES)                                                                        \
    X(GEGLU, geglu, REFERENCE_NEVER, AIMF_N_DTYPES)                                                                    \
    X(GROUP_NORM, group_norm, 0, AIMF_N_DTYPES)                                                                        \
    X(LAYER_NORM, layer_norm, 0, AIMF_N_DTYPES)                                                                        \
    X(ATTENTION, attention, REFERENCE_NEVER, AIMF_N_DTYPES)                                                            \
    X(ADD_CHANNELS, add_channels, 0, AIMF_N_DTYPES)                                                                    \
    X(CONCAT, concat, REFERENCE_NEVER, AIMF_N_DTYPES)                                                                  \
    X(UPSAMPLE_NEAREST, upsample_nearest, REFERENCE_NEVER, AIMF_N_DTYPES)                                              \
    X(UPSAMPLE_CONV2D, upsample_conv2d, REFERENCE_NEVER, AIMF_N_DTYPES)                                                \
    X(TOKENS, tokens, REFERENCE_NEVER, AIMF_N_DTYPES)                                                                  \
    X(PLANES, planes, REFERENCE_NEVER, AIMF_N_DTYPES)                                                                  \
    X(EMBEDDING, embedding, REFERENCE_NEVER, AIMF_N_DTYPES)                                                            \
    X(TIMESTEP_EMBEDDING, timestep_embedding, REFERENCE_NEVER, AIMF_N_DTYPES)

#define REFERENCE_DECLARE(op, function, overwrites, workspace) void reference_##function(const ReferenceCall *call);
REFERENCE_KERNELS(REFERENCE_DECLARE)
#undef REFERENCE_DECLARE

extern const AimfBackend aimf_backend_reference;
