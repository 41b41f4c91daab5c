/*
 * Depthwise convolutions with wide kernels in bf16, and the gradients of their inputs, which are the same convolution
 * with its kernel turned around. A strip of the picture is laid out with its zeros as pairs of neighbours in a row, and
 * every pair of taps is one instruction for 16 channels, where oneDNN's kernel has one for every tap and another one
 * to load it.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_bf16.h"
#include "backend/cpu/cpu_depthwise_bf16.h"

#include <omp.h>
#include <string.h>

enum { LANES = DEPTHWISE_LANES, STRIP_BYTES = 128 << 10 /* of pairs, in the second cache */ };

static const DepthwisePairKernels *const kernels[AIMF_N_ISAS] = AIMF_ISA_TABLE(NULL, NULL, NULL, &cpu_depthwise_bf16);

typedef struct {
    AimfKernel base;
    const DepthwisePairKernels *kernels;
    gint64 n, channels, block; /* channels that lie together */
    gint64 height, width, out_height, out_width;
    gint64 stride, dilation, before[2]; /* of rows; zeros above and on the left */
    gint64 rows, columns;               /* of the kernel */
    gint64 strip_rows, seen_columns;
    gsize strip_numbers;
    int n_threads, n_inputs;
    const guint16 *x;
    const guint32 *taps;
    const float *bias; /* nullable */
    guint16 *y;
    guint32 *scratch;
} PairsKernel;

static void bind(AimfKernel *base, void *const *addresses)
{
    PairsKernel *kernel = (PairsKernel *)base;
    kernel->x = addresses[0];
    kernel->taps = addresses[1];
    kernel->bias = kernel->n_inputs > 2 ? addresses[2] : NULL;
    kernel->y = addresses[kernel->n_inputs];
    kernel->scratch = addresses[kernel->n_inputs + 1];
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

/* --- Taps: [channels / 16][rows][pairs of columns][16][2], zero where there is no channel or no second tap --- */

static gint64 n_pairs(gint64 columns)
{
    return (columns + 1) / 2;
}

static gsize taps_bytes(const AimfShape *weight)
{
    gint64 blocks = (weight->dim[0] + LANES - 1) / LANES;
    return (gsize)(blocks * weight->dim[2] * n_pairs(weight->dim[3]) * LANES) * sizeof(guint32);
}

typedef struct {
    AimfKernel base;
    gint64 channels, rows, columns;
    gboolean turned;
    gsize bytes;
    const float *weight;
    guint16 *packed;
} PackKernel;

static void pack_bind(AimfKernel *base, void *const *addresses)
{
    PackKernel *kernel = (PackKernel *)base;
    kernel->weight = addresses[0];
    kernel->packed = addresses[1];
}

static gboolean pack_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const PackKernel *kernel = (PackKernel *)base;
    gint64 taps = kernel->rows * kernel->columns, pairs = kernel->rows * n_pairs(kernel->columns);
    memset(kernel->packed, 0, kernel->bytes);
#pragma omp parallel for schedule(static)
    for (gint64 c = 0; c < kernel->channels; c++)
        for (gint64 tap = 0; tap < taps; tap++) {
            gint64 at = kernel->turned ? taps - 1 - tap : tap, row = at / kernel->columns,
                   column = at % kernel->columns;
            gint64 pair = c / LANES * pairs + row * n_pairs(kernel->columns) + column / 2;
            kernel->packed[(pair * LANES + c % LANES) * 2 + column % 2] = cpu_to_bf16(kernel->weight[c * taps + tap]);
        }
    return TRUE;
}

static AimfKernel *plan_pack(gsize bytes, const AimfShape *shape, gboolean turned)
{
    PackKernel *kernel = g_new0(PackKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:depthwise_taps", pack_bind, pack_run, kernel_free };
    kernel->channels = shape->dim[0];
    kernel->rows = shape->dim[2];
    kernel->columns = shape->dim[3];
    kernel->turned = turned;
    kernel->bytes = bytes;
    return &kernel->base;
}

static AimfKernel *plan_forward_pack(const CpuPacking *packing, gsize bytes, const AimfShape *shape, GError **error)
{
    (void)packing, (void)error;
    return plan_pack(bytes, shape, FALSE);
}

static AimfKernel *plan_data_pack(const CpuPacking *packing, gsize bytes, const AimfShape *shape, GError **error)
{
    (void)packing, (void)error;
    return plan_pack(bytes, shape, TRUE);
}

static const CpuPacking FORWARD = { .name = "pairs of taps", .plan = plan_forward_pack },
                        DATA = { .name = "turned pairs of taps", .plan = plan_data_pack };

/* --- Running --- */

/* Results of rows [@first, @end) for channels @part of picture @n. */
static void sum_strip(const PairsKernel *kernel, gint64 n, gint64 part, gint64 first, gint64 end, guint32 *strip)
{
    gint64 per_block = kernel->block / LANES, blocks = (kernel->channels + kernel->block - 1) / kernel->block;
    gint64 plane = n * blocks + part / per_block, within = part % per_block * LANES;
    const guint16 *x = kernel->x + plane * kernel->height * kernel->width * kernel->block + within;
    guint16 *y = kernel->y + plane * kernel->out_height * kernel->out_width * kernel->block + within;
    gint64 top = first * kernel->stride - kernel->before[0], pair_row = kernel->seen_columns * LANES;
    gint64 seen = (end - 1 - first) * kernel->stride + (kernel->rows - 1) * kernel->dilation + 1;
    for (gint64 r = 0; r < seen; r++) {
        gboolean there = top + r >= 0 && top + r < kernel->height;
        const guint16 *pixels = there ? x + (top + r) * kernel->width * kernel->block : x;
        kernel->kernels->pair_up(pixels, kernel->block, there ? kernel->width : 0, kernel->before[1],
                                 kernel->seen_columns, strip + r * pair_row);
    }
    float bias[LANES] = { 0 };
    for (gint64 c = 0; kernel->bias && c < MIN(LANES, kernel->channels - part * LANES); c++)
        bias[c] = kernel->bias[part * LANES + c];
    DepthwiseRow row = {
        .taps = kernel->taps + part * kernel->rows * n_pairs(kernel->columns) * LANES,
        .pair_row = kernel->dilation * pair_row,
        .rows = kernel->rows,
        .columns = kernel->columns,
        .bias = bias,
        .width = kernel->out_width,
        .step = kernel->block,
    };
    for (gint64 r = first; r < end; r++) {
        row.pairs = strip + (r - first) * kernel->stride * pair_row;
        row.to = y + r * kernel->out_width * kernel->block;
        kernel->kernels->row(&row);
    }
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const PairsKernel *kernel = (PairsKernel *)base;
    gint64 parts = (kernel->channels + LANES - 1) / LANES, rows = kernel->strip_rows;
    gint64 strips = (kernel->out_height + rows - 1) / rows;
#pragma omp parallel for schedule(dynamic) num_threads(kernel->n_threads)
    for (gint64 task = 0; task < kernel->n * parts * strips; task++) {
        gint64 first = task % strips * rows;
        sum_strip(kernel, task / strips / parts, task / strips % parts, first, MIN(first + rows, kernel->out_height),
                  kernel->scratch + (gsize)omp_get_thread_num() * kernel->strip_numbers);
    }
    return TRUE;
}

/* --- Planning --- */

static gboolean is_forward(const AimfNodePlan *plan)
{
    return plan->node->op == AIMF_OP_CONV2D;
}

gboolean cpu_depthwise_pairs_pay(const AimfNodePlan *plan)
{
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    const AimfShape *weight = cpu_input_shape(plan, 1);
    if (plan->precision != AIMF_PRECISION_BF16 || !kernels[aimf_instruction_set()] || !cpu_lies_plain(plan, 1) ||
        !cpu_is_depthwise(plan, weight) || weight->dim[3] < DEPTHWISE_LEAST_COLUMNS ||
        weight->dim[3] > DEPTHWISE_MOST_COLUMNS || options->stride[1] != 1 || options->dilation[1] != 1)
        return FALSE;
    const AimfShape *x = cpu_input_shape(plan, 0);
    gint64 span = (weight->dim[2] - 1) * options->dilation[0];
    gint64 lie_together = cpu_layout_channel_block(&plan->in[0], x);
    gboolean fits = (span + 1) * (x->dim[3] + 2 * weight->dim[3]) * LANES * (gint64)sizeof(guint32) <= 2 * STRIP_BYTES;
    if (!fits || (lie_together > LANES && lie_together % LANES))
        return FALSE;
    return is_forward(plan) ||
           (options->stride[0] == 1 && options->before[0] <= span && options->before[1] < weight->dim[3]);
}

/* As many rows as the cache has room for, and fewer where there would not be work for all threads. */
static gint64 choose_rows(const PairsKernel *kernel)
{
    gint64 row_bytes = kernel->seen_columns * LANES * (gint64)sizeof(guint32);
    gint64 extra = (kernel->rows - 1) * kernel->dilation;
    gint64 fitting = CLAMP((STRIP_BYTES / row_bytes - extra) / kernel->stride, 1, kernel->out_height);
    gint64 tasks = kernel->n * ((kernel->channels + LANES - 1) / LANES);
    gint64 strips = MAX((kernel->out_height + fitting - 1) / fitting, (2 * kernel->n_threads + tasks - 1) / tasks);
    return (kernel->out_height + strips - 1) / strips;
}

AimfKernel *cpu_plan_depthwise_pairs(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    const AimfShape *x = cpu_input_shape(plan, 0), *weight = cpu_input_shape(plan, 1), *y = cpu_output_shape(plan, 0);
    PairsKernel *kernel = g_new0(PairsKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:depthwise_pairs", bind, run, kernel_free };
    kernel->kernels = kernels[aimf_instruction_set()];
    kernel->n_inputs = plan->node->n_inputs;
    kernel->n = x->dim[0];
    kernel->channels = x->dim[1];
    kernel->height = x->dim[2];
    kernel->width = x->dim[3];
    kernel->out_height = y->dim[2];
    kernel->out_width = y->dim[3];
    kernel->rows = weight->dim[2];
    kernel->columns = weight->dim[3];
    kernel->stride = options->stride[0];
    kernel->dilation = options->dilation[0];
    for (int i = 0; i < 2; i++) {
        gint64 span = (weight->dim[2 + i] - 1) * options->dilation[i];
        kernel->before[i] = is_forward(plan) ? options->before[i] : span - options->before[i];
    }
    kernel->seen_columns = kernel->out_width + 2 * n_pairs(kernel->columns) - 2;
    kernel->n_threads = omp_get_max_threads();
    kernel->strip_rows = choose_rows(kernel);
    gint64 seen_rows = (kernel->strip_rows - 1) * kernel->stride + (kernel->rows - 1) * kernel->dilation + 1;
    kernel->strip_numbers = (gsize)(seen_rows * kernel->seen_columns * LANES);
    plan->scratch_bytes = (gsize)kernel->n_threads * kernel->strip_numbers * sizeof(guint32);

    gint64 found = plan->in[0].dtype == AIMF_BF16 ? cpu_layout_channel_block(&plan->in[0], x) : 0;
    kernel->block = found == kernel->channels && found % LANES == 0 ? found : LANES;
    plan->in[0] = cpu_layout_blocked(state, x, kernel->block, AIMF_BF16);
    plan->in[1] = cpu_layout_packed(state, is_forward(plan) ? &FORWARD : &DATA, AIMF_BF16, taps_bytes(weight));
    cpu_want_row_major(plan, 2, AIMF_F32);
    plan->out[0] = cpu_layout_blocked(state, y, kernel->block, AIMF_BF16);
    return &kernel->base;
}
