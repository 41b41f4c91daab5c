/* The table of operations, made of their list. */
#include "graph/op_functions.h"

AIMF_GRADIENT(aimf_no_gradient)
{
    (void)dy, (void)wanted, (void)dx;
    aimf_graph_fail(graph, "%s has no gradient", aimf_ops[node->op].name);
}

AIMF_FLOPS(aimf_no_flops)
{
    (void)graph, (void)node;
    return 0;
}

#define ROW(kind, name, gradient, flops) [AIMF_OP_##kind] = { #name, gradient, flops },
const AimfOp aimf_ops[AIMF_N_OPS] = { AIMF_OPS(ROW) };
