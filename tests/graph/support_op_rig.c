/* A case built as a graph, compiled, filled and run. */
#include "device/support_devices.h"
#include "graph/support_formula.h"
#include "graph/support_op_cases.h"
#include "graph/support_precision.h"

#include <math.h>
#include <omp.h>
#include <string.h>

static double fill(const OpCase *c, const OpLeaf *leaf, guint32 seed, guint32 index)
{
    double value = c->coarse ? (double)formula_coarse(seed, index) : formula_fine(seed, index);
    switch (leaf->fill) {
    case FILL_POSITIVE:
        return value / 4 + 0.5;
    case FILL_AWAY: /* exact in bf16 if the formula's are */
        return c->coarse ? floor(fabs(value) * 128) / 256 + 0.5 : value / 4 + 0.5;
    case FILL_BINARY:
        return formula_hash(seed, index) >> 8 & 1;
    case FILL_INDEX:
        return (formula_hash(seed, index) >> 8) % (guint32)leaf->limit;
    case FILL_SIGNED:
        break;
    }
    return strcmp(leaf->name, "x") == 0 && c->scale ? value * c->scale : value;
}

static void leaf_fill(const OpRig *rig, OpLeaf *leaf)
{
    g_autofree char *name = g_strdup_printf("%s/%s", rig->name, leaf->name);
    guint32 seed = formula_seed(name);
    leaf->n = (gsize)aimf_shape_count(&leaf->shape);
    leaf->data = g_new(float, leaf->n);
    for (guint32 i = 0; i < leaf->n; i++)
        leaf->data[i] = (float)fill(rig->c, leaf, seed, i);
}

static AimfValue take_leaf(OpRig *rig, AimfGraph *graph, OpLeaf description)
{
    OpLeaf *leaf = &rig->leaves[rig->n_leaves++];
    *leaf = description;
    leaf_fill(rig, leaf);
    if (leaf->kind == LEAF_PARAMETER)
        leaf->value = aimf_graph_parameter(graph, leaf->name, leaf->shape);
    else if (leaf->kind == LEAF_STATE)
        leaf->value = aimf_graph_state(graph, leaf->name, leaf->shape);
    else
        leaf->value = aimf_graph_input(graph, leaf->name, leaf->shape);
    return leaf->value;
}

static AimfValue add_leaf(OpRig *rig, AimfGraph *graph, const char *name, OpLeafKind kind, OpFill how, AimfShape shape)
{
    return take_leaf(rig, graph, (OpLeaf){ .name = name, .kind = kind, .fill = how, .shape = shape });
}

static AimfValue parameter(OpRig *rig, AimfGraph *graph, const char *name, AimfShape shape)
{
    return add_leaf(rig, graph, name, LEAF_PARAMETER, FILL_SIGNED, shape);
}

/* Whole numbers below @limit. */
static AimfValue indices(OpRig *rig, AimfGraph *graph, const char *name, int limit, AimfShape shape)
{
    OpLeaf leaf = { .name = name, .limit = limit, .kind = LEAF_INPUT, .fill = FILL_INDEX, .shape = shape };
    return take_leaf(rig, graph, leaf);
}

static AimfValue build_conv2d(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    AimfValue weight = parameter(rig, graph, "weight", AIMF_SHAPE(c->o, c->c / MAX(c->groups, 1), c->kh, c->kw));
    AimfValue bias = c->bias ? parameter(rig, graph, "bias", AIMF_SHAPE(c->o)) : AIMF_NONE;
    int after = c->padding + c->padding_after;
    AimfConv2d options = { .stride = { c->stride, c->stride2 ? c->stride2 : c->stride },
                           .dilation = { c->dilation, c->dilation2 ? c->dilation2 : c->dilation },
                           .before = { c->padding, c->padding + c->padding2 },
                           .after = { after, after },
                           .groups = c->groups };
    return aimf_conv2d(graph, x, weight, bias, options);
}

static AimfValue build_pool(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    if (c->op == OP_ADAPTIVE_AVERAGE_POOL)
        return aimf_adaptive_average_pool(graph, x, c->kh, c->kw);
    int after = c->padding + c->padding_after;
    AimfPool options = { .window = { c->kh, c->kw ? c->kw : c->kh },
                         .stride = { c->stride, c->stride2 ? c->stride2 : c->stride },
                         .before = { c->padding, c->padding + c->padding2 },
                         .after = { after, after },
                         .ceil = c->ceil,
                         .count_padding = c->counted };
    return c->op == OP_MAX_POOL ? aimf_max_pool(graph, x, options) : aimf_average_pool(graph, x, options);
}

static AimfValue build_batch_norm(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    AimfShape shape = AIMF_SHAPE(rig->c->c);
    AimfValue weight = parameter(rig, graph, "weight", shape), bias = parameter(rig, graph, "bias", shape);
    AimfValue running_mean = add_leaf(rig, graph, "running_mean", LEAF_STATE, FILL_SIGNED, shape);
    AimfValue running_var = add_leaf(rig, graph, "running_var", LEAF_STATE, FILL_POSITIVE, shape);
    AimfBatchNorm options = { .training = rig->c->training, .relu = rig->c->relu };
    return aimf_batch_norm(graph, x, weight, bias, running_mean, running_var, options);
}

static AimfValue build_linear(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    AimfValue weight = parameter(rig, graph, "weight", AIMF_SHAPE(c->o, c->c));
    AimfValue bias = c->bias ? parameter(rig, graph, "bias", AIMF_SHAPE(c->o)) : AIMF_NONE;
    return aimf_linear(graph, x, weight, bias);
}

static AimfValue build_group_norm(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    AimfShape shape = AIMF_SHAPE(rig->c->c);
    AimfValue weight = parameter(rig, graph, "weight", shape), bias = parameter(rig, graph, "bias", shape);
    if (rig->c->op == OP_LAYER_NORM)
        return aimf_layer_norm(graph, x, weight, bias, 0);
    return aimf_group_norm(graph, x, weight, bias, (AimfGroupNorm){ .groups = rig->c->groups, .silu = rig->c->silu });
}

static AimfValue build_attention(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    AimfValue k = parameter(rig, graph, "k", AIMF_SHAPE(c->n, c->s, c->c));
    AimfValue v = parameter(rig, graph, "v", AIMF_SHAPE(c->n, c->s, c->c));
    return aimf_attention(graph, x, k, v, (AimfAttention){ .heads = c->heads, .causal = c->causal });
}

static AimfValue build_upsample_conv2d(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    AimfValue weight = parameter(rig, graph, "weight", AIMF_SHAPE(c->o, c->c, 3, 3));
    AimfValue bias = c->bias ? parameter(rig, graph, "bias", AIMF_SHAPE(c->o)) : AIMF_NONE;
    return aimf_upsample_conv2d(graph, x, weight, bias);
}

static AimfValue build_embedding(OpRig *rig, AimfGraph *graph)
{
    const OpCase *c = rig->c;
    AimfValue ids = indices(rig, graph, "ids", c->o, AIMF_SHAPE(c->n, c->t));
    AimfValue table = parameter(rig, graph, "table", AIMF_SHAPE(c->o, c->c));
    AimfValue positions = c->s ? parameter(rig, graph, "positions", AIMF_SHAPE(c->s, c->c)) : AIMF_NONE;
    return aimf_embedding(graph, ids, table, positions);
}

/* The last two dimensions of a matrix or of many, swapped if asked. */
static AimfShape matrices(const OpCase *c, int rows, int columns, gboolean transpose)
{
    int last[] = { transpose ? columns : rows, transpose ? rows : columns };
    if (c->h)
        return AIMF_SHAPE(c->n, c->h, last[0], last[1]);
    return c->n ? AIMF_SHAPE(c->n, last[0], last[1]) : AIMF_SHAPE(last[0], last[1]);
}

static AimfValue build_matmul(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    gboolean transpose_a = c->transpose & 1, transpose_b = c->transpose >> 1;
    AimfValue b = parameter(rig, graph, "b", matrices(c, c->c, c->o, transpose_b));
    return aimf_matmul(graph, x, b, (AimfMatmul){ transpose_a, transpose_b });
}

/* Which dimensions of the case an operand has: those of @ones as 1, and the first @lack of them not. */
static AimfShape broadcast_shape(const OpCase *c, int ones, int lack)
{
    AimfShape whole = c->h   ? AIMF_SHAPE(c->n, c->c, c->h, c->w)
                      : c->t ? AIMF_SHAPE(c->n, c->t, c->c)
                             : AIMF_SHAPE(c->n, c->c);
    AimfShape shape = { 0 };
    for (int i = lack; i < whole.rank; i++)
        shape.dim[shape.rank++] = ones >> i & 1 ? 1 : whole.dim[i];
    return shape;
}

static AimfValue build_unary(OpFamily op, AimfGraph *graph, AimfValue x)
{
    AimfValue (*const functions[OP_N_FAMILIES])(AimfGraph *, AimfValue) = {
        [OP_SILU] = aimf_silu,
        [OP_GELU] = aimf_gelu,
        [OP_GELU_TANH] = aimf_gelu_tanh,
        [OP_QUICK_GELU] = aimf_quick_gelu,
        [OP_SIGMOID] = aimf_sigmoid,
        [OP_TANH] = aimf_tanh,
        [OP_HARD_SIGMOID] = aimf_hard_sigmoid,
        [OP_HARD_SWISH] = aimf_hard_swish,
        [OP_LOG] = aimf_log,
        [OP_ERF] = aimf_erf,
        [OP_RECIPROCAL] = aimf_reciprocal,
        [OP_SQRT] = aimf_sqrt,
        [OP_EXP] = aimf_exp,
    };
    return op == OP_CLIP ? aimf_clip(graph, x, -0.75, 1.5) : functions[op](graph, x);
}

static AimfValue build_binary(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    AimfValue (*const functions[OP_N_FAMILIES])(AimfGraph *, AimfValue, AimfValue) = {
        [OP_ADD] = aimf_add,         [OP_SUBTRACT] = aimf_subtract, [OP_MULTIPLY] = aimf_multiply,
        [OP_DIVIDE] = aimf_divide,   [OP_POWER] = aimf_power,       [OP_MINIMUM] = aimf_minimum,
        [OP_MAXIMUM] = aimf_maximum,
    };
    const OpCase *c = rig->c;
    AimfShape shape = broadcast_shape(c, c->ones_b, c->lack);
    AimfValue b = c->op == OP_DIVIDE ? add_leaf(rig, graph, "positive", LEAF_PARAMETER, FILL_AWAY, shape)
                                     : parameter(rig, graph, "b", shape);
    return functions[c->op](graph, x, b);
}

static AimfValue build_reduction(const OpCase *c, AimfGraph *graph, AimfValue x)
{
    return c->op == OP_REDUCE_SUM    ? aimf_reduce_sum(graph, x, (guint)c->axes, c->keep)
           : c->op == OP_REDUCE_MEAN ? aimf_reduce_mean(graph, x, (guint)c->axes, c->keep)
                                     : aimf_reduce_max(graph, x, (guint)c->axes, c->keep);
}

static AimfShape first_shape(const OpCase *c)
{
    if (c->op == OP_MATMUL)
        return matrices(c, c->t, c->c, c->transpose & 1);
    if ((c->op == OP_LINEAR || c->op == OP_LAYER_NORM) && c->h)
        return AIMF_SHAPE(c->n, c->h, c->w, c->c);
    if (op_is_binary(c->op) || c->op == OP_EXPAND)
        return broadcast_shape(c, c->ones_a, c->op == OP_EXPAND ? c->lack : 0);
    if (c->op == OP_PLANES)
        return AIMF_SHAPE(c->n, c->h * c->w, c->c);
    if (c->op == OP_GEGLU)
        return AIMF_SHAPE(c->n, c->t, 2 * c->c);
    if (c->h)
        return AIMF_SHAPE(c->n, c->c, c->h, c->w);
    return c->t ? AIMF_SHAPE(c->n, c->t, c->c) : AIMF_SHAPE(c->n, c->c);
}

/* Operations whose first operand are whole numbers, which nothing could train. */
static AimfValue build_from_indices(OpRig *rig, AimfGraph *graph)
{
    const OpCase *c = rig->c;
    if (c->op == OP_EMBEDDING)
        return build_embedding(rig, graph);
    return aimf_timestep_embedding(graph, indices(rig, graph, "timesteps", 1000, AIMF_SHAPE(c->n)), c->c);
}

static int axis_of(const OpCase *c)
{
    return c->dim ? c->dim - 1 : 1;
}

static AimfValue build_concat(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    AimfShape shape = first_shape(c);
    AimfValue values[3] = { x };
    int n = 1, axis = axis_of(c);
    shape.dim[axis] = c->o;
    values[n++] = parameter(rig, graph, "b", shape);
    shape.dim[axis] = c->s;
    if (c->s)
        values[n++] = parameter(rig, graph, "d", shape);
    return aimf_concat(graph, values, n, axis - shape.rank);
}

/* The parts in another order; of three the middle one is left out. */
static AimfValue build_split(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    int axis = axis_of(c), n = c->s ? 3 : 2;
    gint64 size = first_shape(c).dim[axis];
    const gint64 sizes[] = { c->o, c->s ? c->s : size - c->o, size - c->o - c->s };
    AimfValue parts[3];
    aimf_split(graph, x, axis, sizes, n, parts);
    return aimf_concat(graph, (AimfValue[]){ parts[n - 1], parts[0] }, 2, axis);
}

static AimfValue build_pad(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    gint64 before[AIMF_MAX_RANK] = { 0 }, after[AIMF_MAX_RANK] = { 0 };
    int last = first_shape(c).rank - 1;
    before[last] = after[last] = c->padding;
    before[axis_of(c)] += c->begin;
    after[axis_of(c)] += c->end;
    return aimf_pad(graph, x, before, after, c->bias ? 0.75 : 0);
}

static AimfValue build_reshape(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    int rest = c->c / c->groups;
    if (c->h)
        return aimf_reshape(graph, x, AIMF_SHAPE(c->n, c->groups, rest, c->h, c->w));
    return aimf_reshape(graph, x, c->t ? AIMF_SHAPE(c->n, c->t, c->groups, rest) : AIMF_SHAPE(c->n, c->groups, rest));
}

static AimfValue build_transpose(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    int order[AIMF_MAX_RANK] = { 0 }, digits = rig->c->order;
    if (rig->c->groups)
        x = build_reshape(rig, graph, x);
    for (int i = aimf_graph_shape(graph, x).rank - 1; i >= 0; i--, digits /= 10)
        order[i] = digits % 10 - 1;
    return aimf_transpose(graph, x, order);
}

/*
 * Operations that keep what they move as it lies see x as a neighbour would give it: in blocks where activations lie
 * so, and in their precision.
 */
static AimfValue as_activation(const OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    if (c->h)
        return aimf_planes(graph, aimf_tokens(graph, x), c->h, c->w);
    return c->t ? aimf_tokens(graph, aimf_planes(graph, x, c->t, 1)) : x;
}

static AimfValue build_move(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    x = as_activation(rig, graph, x);
    switch (c->op) {
    case OP_CONCAT:
        return build_concat(rig, graph, x);
    case OP_SPLIT:
        return build_split(rig, graph, x);
    case OP_SLICE:
        return aimf_slice(graph, x, axis_of(c), c->begin, c->end);
    case OP_PAD:
        return build_pad(rig, graph, x);
    case OP_TRANSPOSE:
        return build_transpose(rig, graph, x);
    case OP_RESHAPE:
        return build_reshape(rig, graph, x);
    case OP_FLATTEN:
        return aimf_flatten(graph, x, axis_of(c));
    default:
        g_assert_not_reached();
    }
}

static AimfValue build_further(OpRig *rig, AimfGraph *graph, AimfValue x)
{
    const OpCase *c = rig->c;
    switch (c->op) {
    case OP_GEGLU:
        return aimf_geglu(graph, x);
    case OP_GROUP_NORM:
    case OP_LAYER_NORM:
        return build_group_norm(rig, graph, x);
    case OP_ATTENTION:
        return build_attention(rig, graph, x);
    case OP_ADD_CHANNELS:
        return aimf_add_channels(graph, x, parameter(rig, graph, "offsets", AIMF_SHAPE(c->n, c->c)));
    case OP_UPSAMPLE_NEAREST:
        return aimf_upsample_nearest(graph, x);
    case OP_UPSAMPLE_CONV2D:
        return build_upsample_conv2d(rig, graph, x);
    case OP_TOKENS:
        return aimf_tokens(graph, x);
    case OP_PLANES:
        return aimf_planes(graph, x, c->h, c->w);
    case OP_MATMUL:
        return build_matmul(rig, graph, x);
    case OP_SOFTMAX: /* counted from the end, too */
        return aimf_softmax(graph, x, c->axis ? c->axis - aimf_graph_shape(graph, x).rank : 0);
    default:
        return build_move(rig, graph, x);
    }
}

static AimfValue build(OpRig *rig, AimfGraph *graph)
{
    const OpCase *c = rig->c;
    if (c->op == OP_EMBEDDING || c->op == OP_TIMESTEP_EMBEDDING)
        return build_from_indices(rig, graph);
    AimfShape shape = first_shape(c);
    gboolean away = c->op == OP_SQRT || c->op == OP_LOG || c->op == OP_RECIPROCAL || c->op == OP_POWER;
    AimfValue x =
        away ? add_leaf(rig, graph, "positive", LEAF_PARAMETER, FILL_AWAY, shape) : parameter(rig, graph, "x", shape);
    if (op_is_unary(c->op))
        return build_unary(c->op, graph, x);
    if (op_is_binary(c->op))
        return build_binary(rig, graph, x);
    if (op_is_reduction(c->op))
        return build_reduction(c, graph, x);
    switch (c->op) {
    case OP_EXPAND:
        return aimf_expand(graph, x, broadcast_shape(c, 0, 0));
    case OP_PRELU:
        return aimf_prelu(graph, x, parameter(rig, graph, "slopes", AIMF_SHAPE(c->o)));
    case OP_CONV2D:
        return build_conv2d(rig, graph, x);
    case OP_BATCH_NORM:
        return build_batch_norm(rig, graph, x);
    case OP_RELU:
        return aimf_relu(graph, x);
    case OP_LEAKY_RELU:
        return aimf_leaky_relu(graph, x, 0.125);
    case OP_ADD_RELU:
        return aimf_add_relu(graph, x, parameter(rig, graph, "b", shape));
    case OP_MAX_POOL:
    case OP_AVERAGE_POOL:
    case OP_ADAPTIVE_AVERAGE_POOL:
        return build_pool(rig, graph, x);
    case OP_GLOBAL_AVERAGE_POOL:
        return aimf_global_average_pool(graph, x);
    case OP_LINEAR:
        return build_linear(rig, graph, x);
    case OP_SIGMOID_CROSS_ENTROPY:
        return aimf_sigmoid_cross_entropy(graph, x, add_leaf(rig, graph, "targets", LEAF_INPUT, FILL_BINARY, shape));
    case OP_SOFTMAX_CROSS_ENTROPY:
        return aimf_softmax_cross_entropy(graph, x, indices(rig, graph, "targets", c->c, AIMF_SHAPE(c->n)));
    default:
        return build_further(rig, graph, x);
    }
}

OpRig *op_rig_new(const OpCase *c, const char *device, AimfPrecision precision, int trainable, GError **error)
{
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    g_autoptr(OpRig) rig = g_new0(OpRig, 1);
    rig->c = c;
    rig->name = op_case_name(c);
    rig->tensors = aimf_tensors_new();
    rig->output = build(rig, graph);
    rig->cotangent = (OpLeaf){ .name = "cotangent", .shape = aimf_graph_shape(graph, rig->output) };
    leaf_fill(rig, &rig->cotangent);
    rig->cotangent.value = aimf_graph_input(graph, "cotangent", rig->cotangent.shape);

    AimfValue wanted[OP_MAX_LEAVES];
    guint n_wanted = 0;
    for (guint i = 0; i < rig->n_leaves; i++) {
        const OpLeaf *leaf = &rig->leaves[i];
        if (leaf->kind == LEAF_PARAMETER && trainable >> i & 1)
            wanted[n_wanted++] = leaf->value;
        if (leaf->kind != LEAF_INPUT &&
            aimf_tensors_add(rig->tensors, leaf->name, AIMF_F32, &leaf->shape, leaf->data, error) < 0)
            return NULL;
    }
    g_autoptr(AimfDevice) opened = support_device(device);
    AimfCompileOptions options = { .device = opened,
                                   .precision = precision,
                                   .outputs = &rig->output,
                                   .n_outputs = 1,
                                   .loss = n_wanted ? rig->output : AIMF_NONE,
                                   .loss_gradient = n_wanted ? rig->cotangent.value : AIMF_NONE,
                                   .trainable = wanted,
                                   .n_trainable = n_wanted,
                                   .winograd = c->winograd };
    rig->plan = aimf_graph_compile(graph, &options, error);
    return rig->plan ? g_steal_pointer(&rig) : NULL;
}

void op_rig_free(OpRig *rig)
{
    if (!rig)
        return;
    for (guint i = 0; i < rig->n_leaves; i++)
        g_free(rig->leaves[i].data);
    g_free(rig->cotangent.data);
    g_free(rig->name);
    aimf_tensors_free(rig->tensors);
    if (rig->plan)
        aimf_plan_free(rig->plan);
    g_free(rig);
}

void op_rig_run(OpRig *rig)
{
    for (guint i = 0; i < rig->n_leaves; i++) {
        const OpLeaf *leaf = &rig->leaves[i];
        if (leaf->kind == LEAF_INPUT) {
            support_write(rig->plan, leaf->value, leaf->data);
        } else {
            int index = aimf_tensors_find(rig->tensors, leaf->name);
            memcpy(aimf_tensors_writable(rig->tensors, (guint)index), leaf->data, leaf->n * sizeof(float));
        }
    }
    support_write(rig->plan, rig->cotangent.value, rig->cotangent.data);
    g_autoptr(GError) error = NULL;
    if (!aimf_plan_load(rig->plan, rig->tensors, &error) || !aimf_plan_run(rig->plan, &error))
        g_error("%s: %s", rig->name, error->message);
}

static void result_free(gpointer pointer)
{
    OpResult *result = pointer;
    g_free(result->name);
    g_free(result->data);
    g_free(result);
}

static void add_result(GPtrArray *results, const char *prefix, const char *name, const float *data, gsize n)
{
    OpResult *result = g_new(OpResult, 1);
    *result = (OpResult){ g_strconcat(prefix, name, NULL), g_memdup2(data, n * sizeof *data), n };
    g_ptr_array_add(results, result);
}

GPtrArray *op_rig_results(const OpRig *rig)
{
    GPtrArray *results = g_ptr_array_new_with_free_func(result_free);
    g_autofree float *y = support_read(rig->plan, rig->output);
    add_result(results, "", "y", y, rig->cotangent.n);
    g_autoptr(GError) error = NULL;
    if (!aimf_plan_save(rig->plan, rig->tensors, &error))
        g_error("%s: %s", rig->name, error->message);
    for (guint i = 0; i < rig->n_leaves; i++) {
        const OpLeaf *leaf = &rig->leaves[i];
        AimfValue gradient = leaf->kind == LEAF_PARAMETER ? aimf_plan_gradient(rig->plan, leaf->value) : AIMF_NONE;
        if (gradient != AIMF_NONE) {
            g_autofree float *numbers = support_read(rig->plan, gradient);
            add_result(results, "d_", leaf->name, numbers, leaf->n);
        }
        if (leaf->kind == LEAF_STATE && rig->c->training) {
            int index = aimf_tensors_find(rig->tensors, leaf->name);
            add_result(results, "", leaf->name, aimf_tensors_data(rig->tensors, (guint)index), leaf->n);
        }
    }
    return results;
}

GPtrArray *op_results_of(const OpCase *c, const char *device, AimfPrecision precision, int threads)
{
    g_autoptr(GError) error = NULL;
    int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    g_autoptr(OpRig) rig = op_rig_new(c, device, precision, OP_ALL_TRAINABLE, &error);
    omp_set_num_threads(before);
    if (precision_is_missing(precision, error))
        return NULL;
    g_assert_no_error(error);
    op_rig_run(rig);
    return op_rig_results(rig);
}
