/* Operations on operands of different shapes, which broadcast as NumPy's do, and reductions, their opposites. */
#include "graph/ops/emit.h"

static int lacked(guint axes)
{
    return __builtin_popcount(axes);
}

AimfShape aimf_broadcast_lay(const AimfShape *shape, int rank, guint axes)
{
    AimfShape laid = { .rank = rank };
    if (lacked(axes) != rank - shape->rank)
        axes = (1u << (rank - shape->rank)) - 1;
    for (int i = 0, k = 0; i < rank; i++)
        laid.dim[i] = axes >> i & 1 ? 1 : shape->dim[k++];
    return laid;
}

AimfValue aimf_solid_gradient(AimfGraph *graph, AimfValue dy)
{
    if (dy != AIMF_UNIT)
        return dy;
    return aimf_emit(graph, AIMF_OP_EXPAND, (AimfShape){ 0 }, (AimfValue[]){ AIMF_NONE }, 1,
                     &(AimfAttributes){ .broadcast.scale = 1 });
}

/* --- Building --- */

static AimfValue binary(AimfGraph *graph, const char *name, AimfOpKind op, AimfValue a, AimfValue b)
{
    if (!aimf_graph_operands(graph, name, (AimfValue[]){ a, b }, 2))
        return AIMF_NONE;
    AimfShape as = *aimf_value_shape(graph, a), bs = *aimf_value_shape(graph, b),
              ys = { .rank = MAX(as.rank, bs.rank) };
    as = aimf_broadcast_lay(&as, ys.rank, 0);
    bs = aimf_broadcast_lay(&bs, ys.rank, 0);
    for (int i = 0; i < ys.rank; i++) {
        if (as.dim[i] != bs.dim[i] && as.dim[i] != 1 && bs.dim[i] != 1) {
            g_autofree char *first = aimf_shape_text(aimf_value_shape(graph, a));
            g_autofree char *second = aimf_shape_text(aimf_value_shape(graph, b));
            return aimf_graph_fail(graph, "%s: the shapes %s and %s do not broadcast", name, first, second);
        }
        ys.dim[i] = as.dim[i] == 1 ? bs.dim[i] : as.dim[i];
    }
    if (aimf_shape_count(&ys) < 0)
        return aimf_graph_fail(graph, "%s: the result has too many elements", name);
    return aimf_emit(graph, op, ys, (AimfValue[]){ a, b }, 2, NULL);
}

#define BINARY(kind, name)                                                                                             \
    AimfValue aimf_##name(AimfGraph *graph, AimfValue a, AimfValue b)                                                  \
    {                                                                                                                  \
        return binary(graph, #name, AIMF_OP_##kind, a, b);                                                             \
    }

BINARY(ADD, add)
BINARY(SUBTRACT, subtract)
BINARY(MULTIPLY, multiply)
BINARY(DIVIDE, divide)
BINARY(POWER, power)
BINARY(MINIMUM, minimum)
BINARY(MAXIMUM, maximum)

AimfValue aimf_prelu(AimfGraph *graph, AimfValue x, AimfValue slopes)
{
    if (!aimf_graph_operands(graph, "prelu", (AimfValue[]){ x, slopes }, 2))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x), one = AIMF_SHAPE(1), channels = AIMF_SHAPE(xs.dim[1]);
    const AimfShape *ss = aimf_value_shape(graph, slopes);
    if (xs.rank < 1)
        return aimf_fail_shape(graph, "prelu", "input", x, "a dimension or more");
    if (!aimf_shape_equal(ss, &one) && (xs.rank < 2 || !aimf_shape_equal(ss, &channels)))
        return aimf_fail_shape(graph, "prelu", "slopes", slopes, "(1) or (C)");
    guint axes = xs.rank < 2 ? 0 : ((1u << xs.rank) - 1) & ~2u;
    return aimf_emit(graph, AIMF_OP_PRELU, xs, (AimfValue[]){ x, slopes }, 2,
                     &(AimfAttributes){ .broadcast.axes = axes });
}

AimfValue aimf_expand(AimfGraph *graph, AimfValue x, AimfShape shape)
{
    if (!aimf_graph_operands(graph, "expand", &x, 1))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x);
    if (aimf_shape_equal(&xs, &shape))
        return x;
    gboolean fits = shape.rank >= xs.rank && shape.rank <= AIMF_MAX_RANK && aimf_shape_count(&shape) > 0;
    for (int i = 1; fits && i <= xs.rank; i++)
        fits = xs.dim[xs.rank - i] == 1 || xs.dim[xs.rank - i] == shape.dim[shape.rank - i];
    if (!fits) {
        g_autofree char *from = aimf_shape_text(&xs);
        return aimf_graph_fail(graph, "expand: a value of the shape %s does not broadcast to the shape asked for",
                               from);
    }
    return aimf_emit(graph, AIMF_OP_EXPAND, shape, &x, 1, &(AimfAttributes){ .broadcast.scale = 1 });
}

/* @mean: divided by how many there are. */
static AimfValue reduce(AimfGraph *graph, AimfOpKind op, const char *name, AimfValue x, guint axes, gboolean keep,
                        gboolean mean)
{
    if (!aimf_graph_operands(graph, name, &x, 1))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x), ys = { 0 };
    if (axes >> xs.rank) {
        g_autofree char *text = aimf_shape_text(&xs);
        return aimf_graph_fail(graph, "%s: the input has the shape %s, which lacks some of the axes 0x%x", name, text,
                               axes);
    }
    gint64 count = 1;
    for (int i = 0; i < xs.rank; i++) {
        gboolean gone = axes >> i & 1;
        count *= gone ? xs.dim[i] : 1;
        if (!gone || keep)
            ys.dim[ys.rank++] = gone ? 1 : xs.dim[i];
    }
    return aimf_emit(graph, op, ys, &x, 1,
                     &(AimfAttributes){ .broadcast = { .axes = axes, .scale = mean ? 1 / (double)count : 1 } });
}

AimfValue aimf_reduce_sum(AimfGraph *graph, AimfValue x, guint axes, gboolean keep)
{
    return reduce(graph, AIMF_OP_REDUCE_SUM, "reduce_sum", x, axes, keep, FALSE);
}

AimfValue aimf_reduce_mean(AimfGraph *graph, AimfValue x, guint axes, gboolean keep)
{
    return reduce(graph, AIMF_OP_REDUCE_SUM, "reduce_mean", x, axes, keep, TRUE);
}

AimfValue aimf_reduce_max(AimfGraph *graph, AimfValue x, guint axes, gboolean keep)
{
    return reduce(graph, AIMF_OP_REDUCE_MAX, "reduce_max", x, axes, keep, FALSE);
}

/* --- Gradients --- */

/* @scale times the sum of @dy over everything that @operand, which lacks @axes, was broadcast over. */
static AimfValue sum_to(AimfGraph *graph, AimfValue dy, AimfValue operand, guint axes, double scale)
{
    const AimfShape *shape = aimf_value_shape(graph, operand);
    gboolean whole = aimf_shape_equal(shape, aimf_value_shape(graph, dy));
    if (whole && scale == 1)
        return dy;
    return aimf_emit(graph, whole ? AIMF_OP_EXPAND : AIMF_OP_REDUCE_SUM, *shape, &dy, 1,
                     &(AimfAttributes){ .broadcast = { .axes = axes, .scale = scale } });
}

AIMF_GRADIENT(aimf_add_gradient)
{
    AimfValue whole = aimf_solid_gradient(graph, dy[0]);
    for (int i = 0; i < 2; i++)
        if (wanted[i])
            dx[i] = sum_to(graph, whole, node->inputs[i], 0, 1);
}

AIMF_GRADIENT(aimf_subtract_gradient)
{
    AimfValue whole = aimf_solid_gradient(graph, dy[0]);
    for (int i = 0; i < 2; i++)
        if (wanted[i])
            dx[i] = sum_to(graph, whole, node->inputs[i], 0, i ? -1 : 1);
}

AIMF_GRADIENT(aimf_broadcast_gradient)
{
    AimfValue a = node->inputs[0], b = node->inputs[1], whole = aimf_solid_gradient(graph, dy[0]);
    AimfAttributes attributes = node->attributes;
    for (int i = 0; i < 2; i++)
        if (wanted[i]) {
            attributes.broadcast.operand = i;
            dx[i] = aimf_emit(graph, node->op + 1, *aimf_value_shape(graph, node->inputs[i]),
                              (AimfValue[]){ a, b, whole }, 3, &attributes);
        }
}

AIMF_GRADIENT(aimf_expand_gradient)
{
    (void)wanted;
    AimfValue whole = aimf_solid_gradient(graph, dy[0]);
    dx[0] = sum_to(graph, whole, node->inputs[0], node->attributes.broadcast.axes, node->attributes.broadcast.scale);
}

AIMF_GRADIENT(aimf_reduce_sum_gradient)
{
    (void)wanted;
    AimfValue small = aimf_solid_gradient(graph, dy[0]);
    AimfAttributes attributes = node->attributes;
    if (attributes.broadcast.scale != 1)
        small = aimf_emit(graph, AIMF_OP_EXPAND, *aimf_value_shape(graph, small), &small, 1, &attributes);
    attributes.broadcast.scale = 1;
    dx[0] = aimf_emit(graph, AIMF_OP_EXPAND, *aimf_value_shape(graph, node->inputs[0]), &small, 1, &attributes);
}

AIMF_GRADIENT(aimf_reduce_max_gradient)
{
    (void)wanted;
    AimfValue x = node->inputs[0], y = node->outputs[0], whole = aimf_solid_gradient(graph, dy[0]);
    AimfAttributes attributes = node->attributes;
    attributes.broadcast.operand = 1;
    AimfShape ys = *aimf_value_shape(graph, y);
    AimfValue count =
        aimf_emit(graph, AIMF_OP_REDUCE_MAX_BACKWARD, ys, (AimfValue[]){ x, y, AIMF_NONE }, 3, &attributes);
    AimfValue share = aimf_emit(graph, AIMF_OP_DIVIDE, ys, (AimfValue[]){ whole, count }, 2, NULL);
    attributes.broadcast.operand = 0;
    dx[0] = aimf_emit(graph, AIMF_OP_REDUCE_MAX_BACKWARD, *aimf_value_shape(graph, x), (AimfValue[]){ x, y, share }, 3,
                      &attributes);
}
