/* Scaled dot-product attention with several heads: Vaswani et al. 2017, arXiv 1706.03762, section 3.2. */
#include "graph/ops/emit.h"

AimfValue aimf_attention(AimfGraph *graph, AimfValue q, AimfValue k, AimfValue v, AimfAttention options)
{
    const AimfValue operands[] = { q, k, v };
    if (!aimf_graph_operands(graph, "attention", operands, 3))
        return AIMF_NONE;
    AimfShape qs = *aimf_value_shape(graph, q), ks = *aimf_value_shape(graph, k);
    if (qs.rank != 3)
        return aimf_fail_shape(graph, "attention", "query", q, "(N, T, C)");
    if (ks.rank != 3 || ks.dim[0] != qs.dim[0] || ks.dim[2] != qs.dim[2])
        return aimf_fail_shape(graph, "attention", "key", k, "(N, S, C) with the query's N and C");
    if (!aimf_shape_equal(aimf_value_shape(graph, v), &ks))
        return aimf_fail_shape(graph, "attention", "value", v, "the shape of the key");
    if (options.heads < 1 || qs.dim[2] % options.heads)
        return aimf_graph_fail(graph, "attention: %d heads do not divide %" G_GINT64_FORMAT " channels", options.heads,
                               qs.dim[2]);
    if (options.causal && ks.dim[1] != qs.dim[1])
        return aimf_fail_shape(graph, "attention", "key", k, "as many tokens as the query, being causal");
    return aimf_emit(graph, AIMF_OP_ATTENTION, qs, operands, 3, &(AimfAttributes){ .attention = options });
}

AIMF_GRADIENT(aimf_attention_gradient)
{
    const AimfValue operands[] = { node->inputs[0], node->inputs[1], node->inputs[2], dy[0] };
    aimf_emit_gradients(graph, AIMF_OP_ATTENTION_BACKWARD, node, operands, 4, 3, wanted, dx);
}

/* Of q k^T and the one with v; backward of q k^T, of dy v^T for what q and k get, and of one for each gradient. */
static int count_products(const AimfNode *node)
{
    if (node->op == AIMF_OP_ATTENTION)
        return 2;
    gboolean dq = node->outputs[0] != AIMF_NONE, dk = node->outputs[1] != AIMF_NONE, dv = node->outputs[2] != AIMF_NONE;
    return 1 + (dq || dk) + dq + dk + dv;
}

/* Products over the pairs of tokens that see each other. */
AIMF_FLOPS(aimf_attention_flops)
{
    const AimfShape *q = aimf_value_shape(graph, node->inputs[0]), *k = aimf_value_shape(graph, node->inputs[1]);
    double queries = (double)q->dim[1], keys = (double)k->dim[1];
    double pairs = node->attributes.attention.causal ? queries * (queries + 1) / 2 : queries * keys;
    return 2 * count_products(node) * (double)q->dim[0] * pairs * (double)q->dim[2];
}
