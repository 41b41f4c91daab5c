/* What the files that build operations share. */
#pragma once

#include "graph/op_functions.h"

/**
 * aimf_emit: appends a node with one output of @shape; trailing AIMF_NONE operands are allowed. Returns: the output.
 */
AimfValue aimf_emit(AimfGraph *graph, AimfOpKind op, AimfShape shape, const AimfValue *inputs, int n_inputs,
                    const AimfAttributes *attributes);

/**
 * aimf_fits: whether any memory could hold a value of @shape; operations whose results may be much larger than their
 * operands ask, so that sizes in bytes, and sums of some thousand of them, cannot overflow.
 */
gboolean aimf_fits(const AimfShape *shape);

/**
 * aimf_emit_gradients: appends @op of @inputs with an output for each of the first @n inputs of @node that is @wanted;
 * @dx: (n) receives them.
 */
void aimf_emit_gradients(AimfGraph *graph, AimfOpKind op, const AimfNode *node, const AimfValue *inputs, int n_inputs,
                         int n, const gboolean *wanted, AimfValue *dx);

/** aimf_fail_shape: records that @op cannot take a value of this shape, and what it expects. */
AimfValue aimf_fail_shape(AimfGraph *graph, const char *op, const char *what, AimfValue value, const char *expected);

/** aimf_emit_unary: the activation @op of x, called @name. */
AimfValue aimf_emit_unary(AimfGraph *graph, const char *name, AimfOpKind op, AimfValue x,
                          const AimfAttributes *attributes);

/** aimf_solid_gradient: @dy, as a value of its own if it is AIMF_UNIT. */
AimfValue aimf_solid_gradient(AimfGraph *graph, AimfValue dy);
