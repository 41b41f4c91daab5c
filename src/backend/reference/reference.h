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

/* A kernel for each operation, reference_<name>. */
#define REFERENCE_KERNEL(kind, name, gradient, flops) void reference_##name(const ReferenceCall *call);
AIMF_OPS(REFERENCE_KERNEL)
#undef REFERENCE_KERNEL

extern const AimfBackend aimf_backend_reference;
