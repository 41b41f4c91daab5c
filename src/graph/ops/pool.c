#include "graph/ops/emit.h"

/*
 * Along one direction: PyTorch's pooling_output_shape. Windows lie on the picture with at least one pixel, because
 * padding is less than a window and none begins behind the picture. 0: a window is larger than all there is.
 */
static gint64 output_size(gint64 size, const AimfPool *options, int i)
{
    gint64 seen, window = options->window[i], stride = options->stride[i];
    if (__builtin_add_overflow(size, (gint64)options->before[i] + options->after[i], &seen) ||
        seen > G_MAXINT64 - stride || seen < window)
        return 0;
    gint64 n = (seen - window + (options->ceil ? stride - 1 : 0)) / stride + 1;
    return options->ceil && (n - 1) * stride >= size + options->before[i] ? n - 1 : n;
}

/* Fills in the defaults and gives the result's shape; FALSE: a mistake, which is recorded. */
static gboolean pooled(AimfGraph *graph, const char *op, AimfValue x, AimfPool *options, AimfShape *shape)
{
    if (!aimf_graph_operands(graph, op, &x, 1))
        return FALSE;
    *shape = *aimf_value_shape(graph, x);
    if (shape->rank != 4) {
        aimf_fail_shape(graph, op, "input", x, "(N, C, H, W)");
        return FALSE;
    }
    for (int i = 0; i < 2; i++) {
        int window = options->window[i], before = options->before[i], after = options->after[i];
        if (options->stride[i] == 0)
            options->stride[i] = window;
        if (window < 1 || options->stride[i] < 1 || before < 0 || after < 0 || before >= window || after >= window) {
            aimf_graph_fail(graph,
                            "%s: window %d, stride %d, padding %d before and %d after: padding must be less than the "
                            "window",
                            op, window, options->stride[i], before, after);
            return FALSE;
        }
        shape->dim[2 + i] = output_size(shape->dim[2 + i], options, i);
        if (shape->dim[2 + i] == 0) {
            aimf_fail_shape(graph, op, "input", x, "at least the size of the window");
            return FALSE;
        }
    }
    if (!aimf_fits(shape)) {
        aimf_graph_fail(graph, "%s: the result has more elements than any memory", op);
        return FALSE;
    }
    return TRUE;
}

AimfValue aimf_max_pool(AimfGraph *graph, AimfValue x, AimfPool options)
{
    AimfShape shape;
    if (!pooled(graph, "max_pool", x, &options, &shape))
        return AIMF_NONE;
    AimfNode node = {
        .op = AIMF_OP_MAX_POOL, .n_inputs = 1, .n_outputs = 2, .inputs = { x }, .attributes.pool = options
    };
    node.outputs[0] = aimf_graph_add_value(graph, shape);
    node.outputs[1] = aimf_graph_add_workspace(graph);
    aimf_graph_add_node(graph, &node);
    return node.outputs[0];
}

AIMF_GRADIENT(aimf_max_pool_gradient)
{
    (void)wanted;
    dx[0] = aimf_emit(graph, AIMF_OP_MAX_POOL_BACKWARD, *aimf_value_shape(graph, node->inputs[0]),
                      (AimfValue[]){ dy[0], node->outputs[1] }, 2, &node->attributes);
}

AimfValue aimf_average_pool(AimfGraph *graph, AimfValue x, AimfPool options)
{
    AimfShape shape;
    if (!pooled(graph, "average_pool", x, &options, &shape))
        return AIMF_NONE;
    return aimf_emit(graph, AIMF_OP_AVERAGE_POOL, shape, &x, 1, &(AimfAttributes){ .pool = options });
}

AIMF_GRADIENT(aimf_average_pool_gradient)
{
    (void)wanted;
    dx[0] = aimf_emit(graph, AIMF_OP_AVERAGE_POOL_BACKWARD, *aimf_value_shape(graph, node->inputs[0]), dy, 1,
                      &node->attributes);
}

AimfValue aimf_adaptive_average_pool(AimfGraph *graph, AimfValue x, int height, int width)
{
    if (!aimf_graph_operands(graph, "adaptive_average_pool", &x, 1))
        return AIMF_NONE;
    AimfShape shape = *aimf_value_shape(graph, x);
    if (shape.rank != 4)
        return aimf_fail_shape(graph, "adaptive_average_pool", "input", x, "(N, C, H, W)");
    if (height < 1 || width < 1)
        return aimf_graph_fail(graph, "adaptive_average_pool: the size %d x %d must be at least 1 x 1", height, width);
    /* Which also keeps what finds the bins, (i + 1) H, from overflowing. */
    AimfShape products = AIMF_SHAPE(shape.dim[2], height, shape.dim[3], width);
    shape.dim[2] = height;
    shape.dim[3] = width;
    if (!aimf_fits(&shape) || aimf_shape_count(&products) < 0)
        return aimf_graph_fail(graph, "adaptive_average_pool: the result has more elements than any memory");
    return aimf_emit(graph, AIMF_OP_ADAPTIVE_AVERAGE_POOL, shape, &x, 1, NULL);
}

AIMF_GRADIENT(aimf_adaptive_average_pool_gradient)
{
    (void)wanted;
    dx[0] = aimf_emit(graph, AIMF_OP_ADAPTIVE_AVERAGE_POOL_BACKWARD, *aimf_value_shape(graph, node->inputs[0]), dy, 1,
                      NULL);
}

AimfValue aimf_global_average_pool(AimfGraph *graph, AimfValue x)
{
    if (!aimf_graph_operands(graph, "global_average_pool", &x, 1))
        return AIMF_NONE;
    AimfShape shape = *aimf_value_shape(graph, x);
    if (shape.rank != 4)
        return aimf_fail_shape(graph, "global_average_pool", "input", x, "(N, C, H, W)");
    return aimf_emit(graph, AIMF_OP_GLOBAL_AVERAGE_POOL, AIMF_SHAPE(shape.dim[0], shape.dim[1]), &x, 1, NULL);
}

AIMF_GRADIENT(aimf_global_average_pool_gradient)
{
    (void)wanted;
    dx[0] =
        aimf_emit(graph, AIMF_OP_GLOBAL_AVERAGE_POOL_BACKWARD, *aimf_value_shape(graph, node->inputs[0]), dy, 1, NULL);
}
