/* Operations that put elements elsewhere and change none: cutting, joining, padding, turning, reading anew. */
#include "graph/ops/emit.h"

/* @axis counted from 0, or -1 where @rank dimensions have none such, which the graph then records. */
static int find_axis(AimfGraph *graph, const char *op, int rank, int axis)
{
    if (axis >= -rank && axis < rank)
        return axis < 0 ? axis + rank : axis;
    aimf_graph_fail(graph, "%s: there is no axis %d, the rank is %d", op, axis, rank);
    return -1;
}

/* --- Joining and cutting --- */

AimfValue aimf_concat(AimfGraph *graph, const AimfValue *values, int n, int axis)
{
    if (n < 1 || n > AIMF_MAX_INPUTS)
        return aimf_graph_fail(graph, "concat: %d values, expected 1 to %d", n, AIMF_MAX_INPUTS);
    if (!aimf_graph_operands(graph, "concat", values, n))
        return AIMF_NONE;
    AimfShape shape = *aimf_value_shape(graph, values[0]);
    if ((axis = find_axis(graph, "concat", shape.rank, axis)) < 0)
        return AIMF_NONE;
    for (int i = 1; i < n; i++) {
        AimfShape other = *aimf_value_shape(graph, values[i]);
        gint64 size = other.rank == shape.rank ? other.dim[axis] : 0;
        other.dim[axis] = shape.dim[axis];
        if (!aimf_shape_equal(&other, &shape)) {
            g_autofree char *what = g_strdup_printf("operand %d", i + 1);
            return aimf_fail_shape(graph, "concat", what, values[i], "the shape of the first but for the axis's size");
        }
        shape.dim[axis] += size;
    }
    if (n == 1)
        return values[0];
    return aimf_emit(graph, AIMF_OP_CONCAT, shape, values, n, &(AimfAttributes){ .axis = axis });
}

static AimfValue emit_slice(AimfGraph *graph, AimfValue x, const gint64 *begin, AimfShape shape)
{
    AimfAttributes attributes = { 0 };
    for (int i = 0; i < shape.rank; i++)
        attributes.begin[i] = begin[i];
    return aimf_emit(graph, AIMF_OP_SLICE, shape, &x, 1, &attributes);
}

/* Zeros around @x: @before[i] in front of dimension i, and behind it what @shape still has. */
static AimfValue emit_zeros_around(AimfGraph *graph, AimfValue x, const gint64 *before, AimfShape shape)
{
    AimfAttributes attributes = { 0 };
    for (int i = 0; i < shape.rank; i++)
        attributes.padding.before[i] = before[i];
    return aimf_emit(graph, AIMF_OP_PAD, shape, &x, 1, &attributes);
}

AimfValue aimf_slice(AimfGraph *graph, AimfValue x, int axis, gint64 begin, gint64 end)
{
    if (!aimf_graph_operands(graph, "slice", &x, 1))
        return AIMF_NONE;
    AimfShape shape = *aimf_value_shape(graph, x);
    if ((axis = find_axis(graph, "slice", shape.rank, axis)) < 0)
        return AIMF_NONE;
    if (begin < 0 || begin >= end || end > shape.dim[axis])
        return aimf_graph_fail(graph,
                               "slice: [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
                               ") are no indices of axis %d, whose size is %" G_GINT64_FORMAT,
                               begin, end, axis, shape.dim[axis]);
    if (end - begin == shape.dim[axis])
        return x;
    gint64 from[AIMF_MAX_RANK] = { 0 };
    from[axis] = begin;
    shape.dim[axis] = end - begin;
    return emit_slice(graph, x, from, shape);
}

AIMF_GRADIENT(aimf_slice_gradient)
{
    (void)wanted;
    dx[0] = emit_zeros_around(graph, dy[0], node->attributes.begin, *aimf_value_shape(graph, node->inputs[0]));
}

AIMF_GRADIENT(aimf_concat_gradient)
{
    int axis = node->attributes.axis;
    gint64 begin[AIMF_MAX_RANK] = { 0 };
    for (int i = 0; i < node->n_inputs; i++) {
        AimfShape shape = *aimf_value_shape(graph, node->inputs[i]);
        if (wanted[i])
            dx[i] = emit_slice(graph, dy[0], begin, shape);
        begin[axis] += shape.dim[axis];
    }
}

static gboolean sizes_fit(AimfGraph *graph, const AimfShape *shape, int axis, const gint64 *sizes, int n)
{
    gint64 left = shape->dim[axis];
    for (int i = 0; i < n; i++) {
        if (sizes[i] < 1 || sizes[i] > left) {
            aimf_graph_fail(graph,
                            "split: part %d has the size %" G_GINT64_FORMAT
                            ", expected 1 to what is left, %" G_GINT64_FORMAT,
                            i + 1, sizes[i], left);
            return FALSE;
        }
        left -= sizes[i];
    }
    if (left)
        aimf_graph_fail(graph, "split: the parts leave %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " indices over", left,
                        shape->dim[axis]);
    return !left;
}

void aimf_split(AimfGraph *graph, AimfValue x, int axis, const gint64 *sizes, int n, AimfValue *parts)
{
    for (int i = 0; i < n; i++)
        parts[i] = AIMF_NONE;
    if (!aimf_graph_operands(graph, "split", &x, 1))
        return;
    AimfShape shape = *aimf_value_shape(graph, x);
    if ((axis = find_axis(graph, "split", shape.rank, axis)) < 0 || !sizes_fit(graph, &shape, axis, sizes, n))
        return;
    AimfNode node = { .op = AIMF_OP_SPLIT, .n_inputs = 1, .n_outputs = n, .inputs = { x }, .attributes.axis = axis };
    gint64 begin = 0;
    for (int i = 0; i < n; i++) {
        if (n == 1 || n > AIMF_MAX_OUTPUTS) {
            parts[i] = aimf_slice(graph, x, axis, begin, begin + sizes[i]);
            begin += sizes[i];
            continue;
        }
        shape.dim[axis] = sizes[i];
        node.outputs[i] = parts[i] = aimf_graph_add_value(graph, shape);
    }
    if (node.outputs[0] != AIMF_NONE)
        aimf_graph_add_node(graph, &node);
}

/* Of a part that nothing came of, the gradient is zeros. */
static AimfValue zeros_but_for(AimfGraph *graph, const AimfNode *node, const AimfValue *dy)
{
    AimfShape shape = *aimf_value_shape(graph, node->inputs[0]);
    gint64 begin[AIMF_MAX_RANK] = { 0 };
    int axis = node->attributes.axis;
    AimfValue sum = AIMF_NONE;
    for (int i = 0; i < node->n_outputs; i++) {
        if (dy[i] != AIMF_NONE) {
            AimfValue term = emit_zeros_around(graph, dy[i], begin, shape);
            sum = sum == AIMF_NONE ? term : aimf_add(graph, sum, term);
        }
        begin[axis] += aimf_value_shape(graph, node->outputs[i])->dim[axis];
    }
    return sum;
}

AIMF_GRADIENT(aimf_split_gradient)
{
    (void)wanted;
    gboolean all = TRUE;
    for (int i = 0; i < node->n_outputs; i++)
        all &= dy[i] != AIMF_NONE;
    dx[0] = all ? aimf_concat(graph, dy, node->n_outputs, node->attributes.axis) : zeros_but_for(graph, node, dy);
}

/* --- Padding --- */

AimfValue aimf_pad(AimfGraph *graph, AimfValue x, const gint64 *before, const gint64 *after, double value)
{
    if (!aimf_graph_operands(graph, "pad", &x, 1))
        return AIMF_NONE;
    AimfShape shape = *aimf_value_shape(graph, x);
    AimfAttributes attributes = { .padding.value = value };
    gboolean any = FALSE;
    for (int i = 0; i < shape.rank; i++) {
        if (before[i] < 0 || after[i] < 0 || before[i] > G_MAXINT32 || after[i] > G_MAXINT32)
            return aimf_graph_fail(graph,
                                   "pad: %" G_GINT64_FORMAT " before and %" G_GINT64_FORMAT
                                   " after dimension %d: expected numbers from 0 to %d",
                                   before[i], after[i], i, G_MAXINT32);
        attributes.padding.before[i] = before[i];
        shape.dim[i] += before[i] + after[i];
        any |= before[i] || after[i];
    }
    if (aimf_shape_count(&shape) < 0)
        return aimf_fail_shape(graph, "pad", "input", x, "one that is not too large with its padding");
    return any ? aimf_emit(graph, AIMF_OP_PAD, shape, &x, 1, &attributes) : x;
}

AIMF_GRADIENT(aimf_pad_gradient)
{
    (void)wanted;
    const AimfShape *xs = aimf_value_shape(graph, node->inputs[0]);
    dx[0] = emit_slice(graph, dy[0], node->attributes.padding.before, *xs);
}

/* --- Turning --- */

AimfValue aimf_transpose(AimfGraph *graph, AimfValue x, const int *order)
{
    if (!aimf_graph_operands(graph, "transpose", &x, 1))
        return AIMF_NONE;
    AimfShape xs = *aimf_value_shape(graph, x), ys = xs;
    AimfAttributes attributes = { 0 };
    gboolean taken[AIMF_MAX_RANK] = { FALSE }, any = FALSE;
    for (int i = 0; i < xs.rank; i++) {
        int from = find_axis(graph, "transpose", xs.rank, order[i]);
        if (from < 0)
            return AIMF_NONE;
        if (taken[from])
            return aimf_graph_fail(graph, "transpose: axis %d is in the order twice", from);
        taken[from] = TRUE;
        attributes.order[i] = from;
        ys.dim[i] = xs.dim[from];
        any |= from != i;
    }
    return any ? aimf_emit(graph, AIMF_OP_TRANSPOSE, ys, &x, 1, &attributes) : x;
}

AIMF_GRADIENT(aimf_transpose_gradient)
{
    (void)wanted;
    const AimfShape *xs = aimf_value_shape(graph, node->inputs[0]);
    int back[AIMF_MAX_RANK] = { 0 };
    for (int i = 0; i < xs->rank; i++)
        back[node->attributes.order[i]] = i;
    dx[0] = aimf_transpose(graph, dy[0], back);
}

/* --- Reading anew --- */

AimfValue aimf_reshape(AimfGraph *graph, AimfValue x, AimfShape shape)
{
    if (!aimf_graph_operands(graph, "reshape", &x, 1))
        return AIMF_NONE;
    const AimfShape *xs = aimf_value_shape(graph, x);
    gboolean valid = shape.rank >= 0 && shape.rank <= AIMF_MAX_RANK;
    if (!valid || aimf_shape_count(&shape) != aimf_shape_count(xs)) {
        g_autofree char *text = valid ? aimf_shape_text(&shape) : g_strdup_printf("of rank %d", shape.rank);
        g_autofree char *expected = g_strdup_printf("as many elements as %s", text);
        return aimf_fail_shape(graph, "reshape", "input", x, expected);
    }
    return aimf_shape_equal(&shape, xs) ? x : aimf_emit(graph, AIMF_OP_RESHAPE, shape, &x, 1, NULL);
}

AIMF_GRADIENT(aimf_reshape_gradient)
{
    (void)wanted;
    const AimfShape *xs = aimf_value_shape(graph, node->inputs[0]);
    if (dy[0] == AIMF_UNIT)
        aimf_graph_fail(graph, "reshape: a loss that is another value's elements must come with its gradient");
    else
        dx[0] = aimf_reshape(graph, dy[0], *xs);
}

AimfValue aimf_flatten(AimfGraph *graph, AimfValue x, int axis)
{
    if (!aimf_graph_operands(graph, "flatten", &x, 1))
        return AIMF_NONE;
    const AimfShape *xs = aimf_value_shape(graph, x);
    if (axis != xs->rank && (axis = find_axis(graph, "flatten", xs->rank, axis)) < 0)
        return AIMF_NONE;
    AimfShape shape = AIMF_SHAPE(1, 1);
    for (int i = 0; i < xs->rank; i++)
        shape.dim[i >= axis] *= xs->dim[i];
    return aimf_reshape(graph, x, shape);
}
