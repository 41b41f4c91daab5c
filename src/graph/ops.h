/* What each file of ops/ gives to the table of operations in ops.c, and what they share. */
#pragma once

#include "graph/graph.h"

/* The type of AimfOp.gradient and AimfOp.flops; see there. */
#define AIMF_GRADIENT(name)                                                                                            \
    void name(AimfGraph *graph, const AimfNode *node, const AimfValue *dy, const gboolean *wanted, AimfValue *dx)
#define AIMF_FLOPS(name) double name(const AimfGraph *graph, const AimfNode *node)

AIMF_GRADIENT(aimf_conv2d_gradient);
AIMF_GRADIENT(aimf_batch_norm_gradient);
AIMF_GRADIENT(aimf_relu_gradient);
AIMF_GRADIENT(aimf_add_gradient);
AIMF_GRADIENT(aimf_add_relu_gradient);
AIMF_GRADIENT(aimf_max_pool_gradient);
AIMF_GRADIENT(aimf_global_average_pool_gradient);
AIMF_GRADIENT(aimf_linear_gradient);
AIMF_GRADIENT(aimf_sigmoid_cross_entropy_gradient);
AIMF_GRADIENT(aimf_softmax_cross_entropy_gradient);

AIMF_FLOPS(aimf_conv2d_flops);
AIMF_FLOPS(aimf_linear_flops);
AIMF_FLOPS(aimf_attention_flops);
AIMF_FLOPS(aimf_upsample_conv2d_flops);

/**
 * aimf_emit: appends a node with one output of @shape; trailing AIMF_NONE operands are allowed. Returns: the output.
 */
AimfValue aimf_emit(AimfGraph *graph, AimfOpKind op, AimfShape shape, const AimfValue *inputs, int n_inputs,
                    const AimfAttributes *attributes);

/** aimf_fail_shape: records that @op cannot take a value of this shape, and what it expects. */
AimfValue aimf_fail_shape(AimfGraph *graph, const char *op, const char *what, AimfValue value, const char *expected);
