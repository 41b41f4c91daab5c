#include "graph/ops/emit.h"

AimfValue aimf_embedding(AimfGraph *graph, AimfValue ids, AimfValue table, AimfValue positions)
{
    const AimfValue operands[] = { ids, table, positions };
    if (!aimf_graph_operands(graph, "embedding", operands, positions == AIMF_NONE ? 2 : 3))
        return AIMF_NONE;
    AimfShape is = *aimf_value_shape(graph, ids), ts = *aimf_value_shape(graph, table);
    if (is.rank != 2)
        return aimf_fail_shape(graph, "embedding", "ids", ids, "(N, T)");
    if (ts.rank != 2)
        return aimf_fail_shape(graph, "embedding", "table", table, "(V, C)");
    if (positions != AIMF_NONE) {
        const AimfShape *ps = aimf_value_shape(graph, positions);
        if (ps->rank != 2 || ps->dim[0] < is.dim[1] || ps->dim[1] != ts.dim[1])
            return aimf_fail_shape(graph, "embedding", "positions", positions,
                                   "(P, C) with the table's C and no fewer rows than there are tokens");
    }
    return aimf_emit(graph, AIMF_OP_EMBEDDING, AIMF_SHAPE(is.dim[0], is.dim[1], ts.dim[1]), operands, 3, NULL);
}

AIMF_GRADIENT(aimf_embedding_gradient)
{
    AimfNode backward = {
        .op = AIMF_OP_EMBEDDING_BACKWARD, .n_inputs = 2, .n_outputs = 2, .inputs = { node->inputs[0], dy[0] }
    };
    if (wanted[0])
        aimf_graph_fail(graph, "embedding: ids have no gradient");
    for (int i = 1; i < 3; i++)
        if (wanted[i])
            dx[i] = backward.outputs[i - 1] = aimf_graph_add_value(graph, *aimf_value_shape(graph, node->inputs[i]));
    aimf_graph_add_node(graph, &backward);
}

AimfValue aimf_timestep_embedding(AimfGraph *graph, AimfValue timesteps, int channels)
{
    if (!aimf_graph_operands(graph, "timestep_embedding", &timesteps, 1))
        return AIMF_NONE;
    AimfShape ts = *aimf_value_shape(graph, timesteps);
    if (ts.rank != 1)
        return aimf_fail_shape(graph, "timestep_embedding", "timesteps", timesteps, "(N)");
    if (channels < 2 || channels % 2)
        return aimf_graph_fail(graph, "timestep_embedding: %d channels are not an even number of them", channels);
    return aimf_emit(graph, AIMF_OP_TIMESTEP_EMBEDDING, AIMF_SHAPE(ts.dim[0], channels), &timesteps, 1, NULL);
}
