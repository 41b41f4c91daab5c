/* What each file of ops/ gives to the table of operations in ops.c, and what they share. */
#pragma once

#include "graph/graph.h"

/* The type of AimfOp.gradient and AimfOp.flops; see there. */
#define AIMF_GRADIENT(name)                                                                                            \
    void name(AimfGraph *graph, const AimfNode *node, const AimfValue *dy, const gboolean *wanted, AimfValue *dx)
#define AIMF_FLOPS(name) double name(const AimfGraph *graph, const AimfNode *node)

#define AIMF_OP_FUNCTIONS(kind, name, gradient, flops)                                                                 \
    AIMF_GRADIENT(gradient);                                                                                           \
    AIMF_FLOPS(flops);
AIMF_OPS(AIMF_OP_FUNCTIONS)
#undef AIMF_OP_FUNCTIONS

/**
 * aimf_emit: appends a node with one output of @shape; trailing AIMF_NONE operands are allowed. Returns: the output.
 */
AimfValue aimf_emit(AimfGraph *graph, AimfOpKind op, AimfShape shape, const AimfValue *inputs, int n_inputs,
                    const AimfAttributes *attributes);

/** aimf_fail_shape: records that @op cannot take a value of this shape, and what it expects. */
AimfValue aimf_fail_shape(AimfGraph *graph, const char *op, const char *what, AimfValue value, const char *expected);
