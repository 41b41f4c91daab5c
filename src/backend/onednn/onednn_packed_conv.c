/*
 * Convolutions whose weight is packed by us, so that oneDNN computes something else than the node says, and faster:
 *
 * - Groups of few channels, for which it has no kernel, are merged until they fill its vectors. The weight of merged
 *   groups is zero between channels of different ones, so most is multiplied in vain, which is many times faster than
 *   oneDNN's fallback and products of patches. A number that is not finite makes NaN of the channels merged with its
 *   own.
 * - The gradient of a convolution's input, where it has no stride, is a forward convolution of dy whose kernel is
 *   turned around and whose inputs and outputs are swapped. oneDNN's forward kernels are faster than its backward ones
 *   where the convolution is depthwise, and with AMX.
 */
#include "backend/cpu/cpu_bf16.h"
#include "backend/onednn/onednn.h"

#include <string.h>

/*
 * --- Weights: (O, C / groups, kh, kw), and as oneDNN sees them, (merged groups, O, C, kh, kw), without groups if there
 * is one, and with C before O if turned ---
 */

typedef struct {
    gint64 groups, outputs, inputs, rows, columns; /* of a group before merging */
    gint64 merged;                                 /* groups in one */
    gboolean turned;
    gint64 *offsets[5]; /* of each dimension of the packed weight */
} Geometry;

static void geometry_clear(Geometry *geometry)
{
    for (int i = 0; i < 5; i++)
        g_free(geometry->offsets[i]);
}

static AimfShape merged_shape(const AimfShape *weight, gint64 groups, gint64 merged)
{
    return AIMF_SHAPE(groups / merged, weight->dim[0] / groups * merged, weight->dim[1] * merged, weight->dim[2],
                      weight->dim[3]);
}

static AimfShape turned_shape(const AimfShape *weight, gint64 groups)
{
    if (groups == 1)
        return AIMF_SHAPE(weight->dim[1], weight->dim[0], weight->dim[2], weight->dim[3]);
    return AIMF_SHAPE(groups, weight->dim[1], weight->dim[0] / groups, weight->dim[2], weight->dim[3]);
}

static Geometry geometry_of(const AimfLayout *layout, const AimfShape *weight, gint64 groups, gint64 merged,
                            gboolean turned)
{
    AimfShape shape = turned ? turned_shape(weight, groups) : merged_shape(weight, groups, merged);
    Geometry geometry = {
        groups, weight->dim[0] / groups, weight->dim[1], weight->dim[2], weight->dim[3], merged, turned, { NULL }
    };
    int lacking = 5 - shape.rank;
    for (int i = 0; i < 5; i++)
        geometry.offsets[i] = i < lacking ? g_new0(gint64, 1) : onednn_layout_offsets(layout, &shape, i - lacking);
    return geometry;
}

/* Where the taps of input @c of output @o, both of @group alone, begin in the packed weight. */
static gint64 packed_at(const Geometry *g, gint64 group, gint64 o, gint64 c)
{
    if (g->turned)
        return g->offsets[0][group] + g->offsets[1][c] + g->offsets[2][o];
    gint64 within = group % g->merged;
    return g->offsets[0][group / g->merged] + g->offsets[1][within * g->outputs + o] +
           g->offsets[2][within * g->inputs + c];
}

static gint64 tap_at(const Geometry *g, gint64 row, gint64 column)
{
    return g->offsets[3][g->turned ? g->rows - 1 - row : row] +
           g->offsets[4][g->turned ? g->columns - 1 - column : column];
}

typedef struct {
    AimfKernel base;
    Geometry geometry;
    gsize bytes, element_bytes;
    const float *weight;
    void *packed;
} PackKernel;

static void pack_bind(AimfKernel *base, void *const *addresses)
{
    PackKernel *kernel = (PackKernel *)base;
    kernel->weight = addresses[0];
    kernel->packed = addresses[1];
}

static void pack_output(const PackKernel *kernel, gint64 group, gint64 o)
{
    const Geometry *g = &kernel->geometry;
    const float *from = kernel->weight + (group * g->outputs + o) * g->inputs * g->rows * g->columns;
    for (gint64 c = 0; c < g->inputs; c++)
        for (gint64 tap = 0; tap < g->rows * g->columns; tap++, from++) {
            gint64 to = packed_at(g, group, o, c) + tap_at(g, tap / g->columns, tap % g->columns);
            if (kernel->element_bytes == sizeof(guint16))
                ((guint16 *)kernel->packed)[to] = cpu_to_bf16(*from);
            else
                ((float *)kernel->packed)[to] = *from;
        }
}

static gboolean pack_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const PackKernel *kernel = (PackKernel *)base;
    gint64 groups = kernel->geometry.groups, outputs = kernel->geometry.outputs;
    memset(kernel->packed, 0, kernel->bytes); /* between groups, and padding */
#pragma omp parallel for schedule(static)
    for (gint64 i = 0; i < groups * outputs; i++)
        pack_output(kernel, i / outputs, i % outputs);
    return TRUE;
}

static void pack_free(AimfKernel *base)
{
    geometry_clear(&((PackKernel *)base)->geometry);
    g_free(base);
}

static AimfKernel *plan_pack(const CpuPacking *packing, gsize bytes, const AimfShape *shape, gint64 groups,
                             gint64 merged, gboolean turned)
{
    PackKernel *kernel = g_new0(PackKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:packed", pack_bind, pack_run, pack_free };
    kernel->geometry = geometry_of(&packing->part, shape, groups, merged, turned);
    kernel->bytes = bytes;
    kernel->element_bytes = aimf_dtype_bytes(packing->part.dtype);
    return &kernel->base;
}

/* How many groups there are, and how many of them in one, is seen in the shape that oneDNN has given its part. */
static AimfKernel *plan_merge(const CpuPacking *packing, gsize bytes, const AimfShape *shape, GError **error)
{
    (void)error;
    AimfShape merged = onednn_layout_shape(&packing->part);
    gint64 times = merged.dim[2] / shape->dim[1];
    return plan_pack(packing, bytes, shape, merged.dim[0] * times, times, FALSE);
}

static AimfKernel *plan_turn(const CpuPacking *packing, gsize bytes, const AimfShape *shape, GError **error)
{
    (void)error;
    AimfShape turned = onednn_layout_shape(&packing->part);
    return plan_pack(packing, bytes, shape, turned.rank == 5 ? turned.dim[0] : 1, 1, TRUE);
}

/* --- The gradient of a merged weight --- */

typedef struct {
    AimfKernel base;
    OnednnPrimitive *primitive;
    Geometry geometry;
    gsize merged_bytes;
    const float *merged; /* scratch, as oneDNN lays it out; the primitive's own is behind it */
    float *dweight;
} GradientKernel;

static void gradient_bind(AimfKernel *base, void *const *addresses)
{
    GradientKernel *kernel = (GradientKernel *)base;
    char *scratch = addresses[3];
    onednn_primitive_bind(kernel->primitive, DNNL_ARG_SRC, addresses[0]);
    onednn_primitive_bind(kernel->primitive, DNNL_ARG_DIFF_DST, addresses[1]);
    onednn_primitive_bind(kernel->primitive, DNNL_ARG_DIFF_WEIGHTS, scratch);
    onednn_primitive_bind(kernel->primitive, DNNL_ARG_SCRATCHPAD, scratch + kernel->merged_bytes);
    kernel->dweight = addresses[2];
    kernel->merged = (const float *)(const void *)scratch;
}

static gboolean gradient_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream;
    const GradientKernel *kernel = (GradientKernel *)base;
    const Geometry *g = &kernel->geometry;
    if (!onednn_primitive_run(kernel->primitive, error))
        return FALSE;
#pragma omp parallel for schedule(static)
    for (gint64 group = 0; group < g->groups; group++) {
        float *to = kernel->dweight + group * g->outputs * g->inputs * g->rows * g->columns;
        for (gint64 o = 0; o < g->outputs; o++)
            for (gint64 c = 0; c < g->inputs; c++)
                for (gint64 tap = 0; tap < g->rows * g->columns; tap++)
                    *to++ = kernel->merged[packed_at(g, group, o, c) + tap_at(g, tap / g->columns, tap % g->columns)];
    }
    return TRUE;
}

static void gradient_free(AimfKernel *base)
{
    GradientKernel *kernel = (GradientKernel *)base;
    onednn_primitive_free(kernel->primitive);
    geometry_clear(&kernel->geometry);
    g_free(kernel);
}

static AimfKernel *plan_gradient(AimfNodePlan *plan, OnednnPrimitive *primitive, gint64 merged)
{
    const AimfShape *weight = cpu_output_shape(plan, 0);
    AimfLayout layout = onednn_primitive_layout(primitive, DNNL_ARG_DIFF_WEIGHTS);
    GradientKernel *kernel = g_new0(GradientKernel, 1);
    kernel->base = (AimfKernel){ onednn_primitive_name(primitive), gradient_bind, gradient_run, gradient_free };
    kernel->primitive = primitive;
    kernel->geometry = geometry_of(&layout, weight, plan->node->attributes.conv2d.groups, merged, FALSE);
    kernel->merged_bytes = (layout.bytes + 63) / 64 * 64;
    plan->in[0] = onednn_primitive_layout(primitive, DNNL_ARG_SRC);
    plan->in[1] = onednn_primitive_layout(primitive, DNNL_ARG_DIFF_DST);
    cpu_give_row_major(plan, 0, AIMF_F32);
    plan->scratch_bytes = kernel->merged_bytes + onednn_primitive_scratch_bytes(primitive);
    return &kernel->base;
}

/* --- Planning --- */

/* The fewest groups that fill blocks of channels together, or 1. */
static gint64 find_merged(gint64 groups, const AimfShape *weight)
{
    enum { MOST = 16 };
    gint64 block = aimf_instruction_set() >= AIMF_ISA_AVX512 ? 16 : 8;
    for (gint64 merged = 2; merged <= MIN(MOST, groups); merged++)
        if (groups % merged == 0 && weight->dim[0] / groups * merged % block == 0 &&
            weight->dim[1] * merged % block == 0)
            return merged;
    return 1;
}

/* NULL where oneDNN has no kernel either, without an error. */
static OnednnPrimitive *primitive_or_null(OnednnPrimitive *primitive, int weight)
{
    if (primitive && !onednn_falls_back(primitive) && onednn_primitive_layout(primitive, weight).detail)
        return primitive;
    onednn_primitive_free(primitive);
    return NULL;
}

/* A kernel of @primitive whose second input, the weight, is packed. */
static AimfKernel *packed_kernel(gpointer state, AimfNodePlan *plan, OnednnPrimitive *primitive, const int *arguments,
                                 const char *name,
                                 AimfKernel *(*pack)(const CpuPacking *, gsize, const AimfShape *, GError **))
{
    AimfKernel *kernel = onednn_kernel(plan, primitive, arguments);
    CpuPacking packing = { name, plan->in[1], pack };
    plan->in[1] = cpu_layout_packed(state, &packing, packing.part.dtype, packing.part.bytes);
    return kernel;
}

AimfKernel *onednn_plan_merged_groups(gpointer state, AimfNodePlan *plan)
{
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    gboolean is_forward = plan->node->op == AIMF_OP_CONV2D, is_data = plan->node->op == AIMF_OP_CONV2D_BACKWARD_DATA;
    gboolean is_weight = !is_forward && !is_data;
    const AimfShape *weight_shape = is_weight ? cpu_output_shape(plan, 0) : cpu_input_shape(plan, 1);
    gint64 merged = find_merged(options->groups, weight_shape);
    if (merged == 1 || (!is_weight && !cpu_lies_plain(plan, 1)))
        return NULL;
    AimfShape shape = merged_shape(weight_shape, options->groups, merged);
    AimfDtype dtype = cpu_compute_dtype(plan);
    OnednnOperand weight = { .shape = &shape, .dtype = is_weight ? AIMF_F32 : dtype };
    OnednnOperand x = { .shape = is_data ? cpu_output_shape(plan, 0) : cpu_input_shape(plan, 0), .dtype = dtype };
    OnednnOperand y = { .shape = is_forward ? cpu_output_shape(plan, 0)
                                 : is_data  ? cpu_input_shape(plan, 0)
                                            : cpu_input_shape(plan, 1),
                        .dtype = dtype };
    OnednnOperand bias = { .shape = is_forward ? cpu_input_shape(plan, 2) : NULL, .dtype = AIMF_F32 };
    OnednnDirection direction = is_forward ? ONEDNN_FORWARD : is_data ? ONEDNN_BACKWARD_DATA : ONEDNN_BACKWARD_WEIGHT;
    OnednnPrimitive *primitive =
        primitive_or_null(onednn_convolution(state, direction, &x, &weight, &bias, &y, options, NULL),
                          is_weight ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS);
    if (!primitive)
        return NULL;
    if (is_weight)
        return plan_gradient(plan, primitive, merged);
    static const int forward[] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST };
    static const int data[] = { DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC };
    return packed_kernel(state, plan, primitive, is_forward ? forward : data, "merged groups", plan_merge);
}

/* @options: of the forward convolution from dy to @dx. */
static AimfKernel *plan_turned(gpointer state, AimfNodePlan *plan, const AimfShape *dx, const AimfConv2d *options,
                               gboolean only_amx)
{
    AimfShape shape = turned_shape(cpu_input_shape(plan, 1), options->groups);
    AimfDtype dtype = cpu_compute_dtype(plan);
    OnednnOperand from = { .shape = cpu_input_shape(plan, 0), .dtype = dtype };
    OnednnOperand taps = { .shape = &shape, .dtype = dtype }, to = { .shape = dx, .dtype = dtype };
    OnednnPrimitive *primitive = primitive_or_null(
        onednn_convolution(state, ONEDNN_FORWARD, &from, &taps, NULL, &to, options, NULL), DNNL_ARG_WEIGHTS);
    if (!primitive || (only_amx && !onednn_is_amx(primitive))) {
        onednn_primitive_free(primitive);
        return NULL;
    }
    return packed_kernel(state, plan, primitive, (const int[]){ DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST },
                         "turned taps", plan_turn);
}

/* A 1x1 convolution with a stride, as one without from dy to as many pixels. */
static AimfKernel *plan_turned_strided(gpointer state, AimfNodePlan *plan)
{
    const AimfShape *dy = cpu_input_shape(plan, 0), *dx = cpu_output_shape(plan, 0);
    AimfConv2d options = plan->node->attributes.conv2d;
    options.stride[0] = options.stride[1] = 1;
    AimfShape met = AIMF_SHAPE(dx->dim[0], dx->dim[1], dy->dim[2], dy->dim[3]);
    AimfKernel *kernel = plan_turned(state, plan, &met, &options, TRUE);
    if (!kernel)
        return NULL;
    plan->out[0] = cpu_layout_blocked(state, dx, dx->dim[1], AIMF_BF16);
    return onednn_strided(plan, kernel, 2, dx, &met);
}

AimfKernel *onednn_plan_turned(gpointer state, AimfNodePlan *plan)
{
    AimfConv2d options = plan->node->attributes.conv2d;
    const AimfShape *dy = cpu_input_shape(plan, 0), *weight = cpu_input_shape(plan, 1), *dx = cpu_output_shape(plan, 0);
    gboolean only_amx = !cpu_is_depthwise(plan, weight);
    if ((only_amx && plan->precision != AIMF_PRECISION_BF16) || !cpu_lies_plain(plan, 1))
        return NULL;
    if (cpu_conv_has_stride(&options))
        return only_amx && onednn_is_pointwise(plan, weight) ? plan_turned_strided(state, plan) : NULL;
    for (int i = 0; i < 2; i++) {
        gint64 span = (weight->dim[2 + i] - 1) * options.dilation[i], before = span - options.before[i];
        gint64 after = dx->dim[2 + i] + span - dy->dim[2 + i] - before;
        if (before < 0 || after < 0)
            return NULL;
        options.before[i] = (int)before;
        options.after[i] = (int)after;
    }
    return plan_turned(state, plan, dx, &options, only_amx);
}
