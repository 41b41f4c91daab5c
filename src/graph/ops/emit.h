/* What the files that build operations share. */
#pragma once

#include "graph/op_functions.h"

/**
 * aimf_emit: appends a node with one output of @shape; trailing AIMF_NONE operands are allowed. Returns: the output.
 */
AimfValue aimf_emit(AimfGraph *graph, AimfOpKind op, AimfShape shape, const AimfValue *inputs, int n_inputs,
                    const AimfAttributes *attributes);

/** aimf_fail_shape: records that @op cannot take a value of this shape, and what it expects. */
AimfValue aimf_fail_shape(AimfGraph *graph, const char *op, const char *what, AimfValue value, const char *expected);

/** aimf_emit_unary: the activation @op of x, called @name. */
AimfValue aimf_emit_unary(AimfGraph *graph, const char *name, AimfOpKind op, AimfValue x,
                          const AimfAttributes *attributes);

/** aimf_solid_gradient: @dy, as a value of its own if it is AIMF_UNIT. */
AimfValue aimf_solid_gradient(AimfGraph *graph, AimfValue dy);
