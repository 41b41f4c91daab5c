/* The functions that the list of operations names; see AimfOp for what they do. */
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
