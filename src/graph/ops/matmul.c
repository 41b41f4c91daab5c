/* Products of matrices that both are activations, many at a time. */
#include "graph/ops/emit.h"

/* Rows of a as the product sees it and columns of b; FALSE if ranks, leading dimensions or depths differ. */
static gboolean measure(const AimfShape *a, const AimfShape *b, const AimfMatmul *options, gint64 *rows,
                        gint64 *columns)
{
    int rank = a->rank;
    if (rank < 2 || b->rank != rank)
        return FALSE;
    for (int i = 0; i < rank - 2; i++)
        if (a->dim[i] != b->dim[i])
            return FALSE;
    *rows = a->dim[options->transpose_a ? rank - 1 : rank - 2];
    *columns = b->dim[options->transpose_b ? rank - 2 : rank - 1];
    return a->dim[options->transpose_a ? rank - 2 : rank - 1] == b->dim[options->transpose_b ? rank - 1 : rank - 2];
}

AimfValue aimf_matmul(AimfGraph *graph, AimfValue a, AimfValue b, AimfMatmul options)
{
    if (!aimf_graph_operands(graph, "matmul", (AimfValue[]){ a, b }, 2))
        return AIMF_NONE;
    AimfShape ys = *aimf_value_shape(graph, a);
    if (ys.rank < 2)
        return aimf_fail_shape(graph, "matmul", "first operand", a, "(..., M, K)");
    gint64 rows, columns;
    if (!measure(&ys, aimf_value_shape(graph, b), &options, &rows, &columns))
        return aimf_fail_shape(graph, "matmul", "second operand", b, "(..., K, N) with the first one's dimensions");
    ys.dim[ys.rank - 2] = rows;
    ys.dim[ys.rank - 1] = columns;
    return aimf_emit(graph, AIMF_OP_MATMUL, ys, (AimfValue[]){ a, b }, 2, &(AimfAttributes){ .matmul = options });
}

/* For y = a b: da = dy b', db = a' dy; the transposes of these where an operand is one itself. */
AIMF_GRADIENT(aimf_matmul_gradient)
{
    AimfMatmul options = node->attributes.matmul;
    gboolean ta = options.transpose_a, tb = options.transpose_b;
    AimfValue a = node->inputs[0], b = node->inputs[1];
    if (wanted[0])
        dx[0] = ta ? aimf_matmul(graph, b, dy[0], (AimfMatmul){ tb, TRUE })
                   : aimf_matmul(graph, dy[0], b, (AimfMatmul){ FALSE, !tb });
    if (wanted[1])
        dx[1] = tb ? aimf_matmul(graph, dy[0], a, (AimfMatmul){ TRUE, ta })
                   : aimf_matmul(graph, a, dy[0], (AimfMatmul){ !ta, FALSE });
}

AIMF_FLOPS(aimf_matmul_flops)
{
    const AimfShape *a = aimf_value_shape(graph, node->inputs[0]);
    double depth = (double)a->dim[node->attributes.matmul.transpose_a ? a->rank - 2 : a->rank - 1];
    return 2 * depth * (double)aimf_shape_count(aimf_value_shape(graph, node->outputs[0]));
}
