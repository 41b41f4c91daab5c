#include "graph/ops/emit.h"

AimfValue aimf_dropout(AimfGraph *graph, AimfValue x, AimfValue draw, AimfDropout options)
{
    if (!aimf_graph_operands(graph, "dropout", (AimfValue[]){ x, draw }, 2))
        return AIMF_NONE;
    const AimfShape *xs = aimf_value_shape(graph, x);
    if (!(options.share >= 0 && options.share < 1))
        return aimf_graph_fail(graph, "dropout: the share %g must be at least 0 and less than 1", options.share);
    if (!aimf_shape_equal(aimf_value_shape(graph, draw), &AIMF_SHAPE(2)))
        return aimf_fail_shape(graph, "dropout", "draw", draw, "(2)");
    if (options.samples && xs->rank < 1)
        return aimf_fail_shape(graph, "dropout", "input", x, "(N, ...)");
    if (options.share == 0)
        return x;
    return aimf_emit(graph, AIMF_OP_DROPOUT, *xs, (AimfValue[]){ x, draw }, 2, &(AimfAttributes){ .dropout = options });
}

/* The same key and numbers drop the same elements of dy. */
AIMF_GRADIENT(aimf_dropout_gradient)
{
    if (dy[0] == AIMF_UNIT || wanted[1])
        aimf_graph_fail(graph, "dropout: %s",
                        wanted[1] ? "the draw has no gradient" : "a loss that it drops must come with its gradient");
    else
        dx[0] = aimf_dropout(graph, dy[0], node->inputs[1], node->attributes.dropout);
}
