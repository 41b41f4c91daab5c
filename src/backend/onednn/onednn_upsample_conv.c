/*
 * A 3 x 3 convolution of a picture whose pixels were doubled. Of the three rows that it sees two are the same row of
 * the small picture, and so are two of the three columns: a pixel of the result is a 2 x 2 convolution of the small
 * picture with taps added up. Which ones depends on whether its row and column are even or odd, so there are four
 * such convolutions; each makes a quarter of the pixels.
 */
#include "backend/cpu/cpu_bf16.h"
#include "backend/cpu/cpu_view.h"
#include "backend/onednn/onednn.h"

#include <string.h>

enum { QUARTERS = 4 }; /* number 2 * (odd row) + (odd column) */

typedef struct {
    AimfKernel base;
    OnednnPrimitive *quarters[QUARTERS];
    CpuView view; /* of a quarter of the result */
    gint64 width; /* of a quarter */
    gsize weight_bytes, quarter_bytes, element_bytes;
    const char *scratch; /* the four quarters, then the primitives' own */
    char *y;
} UpsampleConvKernel;

static gsize aligned(gsize bytes)
{
    return (bytes + 63) / 64 * 64;
}

static void bind(AimfKernel *base, void *const *addresses)
{
    UpsampleConvKernel *kernel = (UpsampleConvKernel *)base;
    char *scratch = addresses[4];
    for (gsize q = 0; q < QUARTERS; q++) {
        onednn_primitive_bind(kernel->quarters[q], DNNL_ARG_SRC, addresses[0]);
        onednn_primitive_bind(kernel->quarters[q], DNNL_ARG_WEIGHTS, (char *)addresses[1] + q * kernel->weight_bytes);
        onednn_primitive_bind(kernel->quarters[q], DNNL_ARG_BIAS, addresses[2]);
        onednn_primitive_bind(kernel->quarters[q], DNNL_ARG_DST, scratch + q * kernel->quarter_bytes);
        onednn_primitive_bind(kernel->quarters[q], DNNL_ARG_SCRATCHPAD, scratch + QUARTERS * kernel->quarter_bytes);
    }
    kernel->y = addresses[3];
    kernel->scratch = scratch;
}

/* Row @row of the result, counted over pictures and channel blocks, from the two quarters that have its pixels. */
static void interleave_row(const UpsampleConvKernel *kernel, gint64 row)
{
    gsize chunk = (gsize)kernel->view.block * kernel->element_bytes, width = (gsize)kernel->width;
    const char *even = kernel->scratch + (row % 2 ? 2 : 0) * kernel->quarter_bytes + (gsize)(row / 2) * width * chunk;
    const char *odd = even + kernel->quarter_bytes;
    char *to = kernel->y + (gsize)row * 2 * width * chunk;
    for (gsize i = 0; i < width; i++, to += 2 * chunk) {
        cpu_copy_chunk(to, even + i * chunk, chunk);
        cpu_copy_chunk(to + chunk, odd + i * chunk, chunk);
    }
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream;
    const UpsampleConvKernel *kernel = (UpsampleConvKernel *)base;
    for (int q = 0; q < QUARTERS; q++)
        if (!onednn_primitive_run(kernel->quarters[q], error))
            return FALSE;
    gint64 rows = kernel->view.n * kernel->view.blocks * 2 * kernel->view.positions / kernel->width;
#pragma omp parallel for schedule(static)
    for (gint64 row = 0; row < rows; row++)
        interleave_row(kernel, row);
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    UpsampleConvKernel *kernel = (UpsampleConvKernel *)base;
    for (int q = 0; q < QUARTERS; q++)
        onednn_primitive_free(kernel->quarters[q]);
    g_free(kernel);
}

/* --- The weights: the four summed sets (O, C, 2, 2) one behind the other on multiples of 64 bytes --- */

typedef struct {
    AimfKernel base;
    gint64 outputs, inputs;
    gint64 *offsets[4]; /* of each dimension of (O, C, 2, 2) within a part */
    gsize part_bytes, element_bytes;
    const float *weight; /* (O, C, 3, 3) */
    char *parts;
} SumTapsKernel;

static void sum_taps_bind(AimfKernel *base, void *const *addresses)
{
    SumTapsKernel *kernel = (SumTapsKernel *)base;
    kernel->weight = addresses[0];
    kernel->parts = addresses[1];
}

/* Of a row or column of three taps, those that fall on the small picture's pixel @at of two: [*first, *end). */
static void taps_on(int odd, int at, int *first, int *end)
{
    int split = odd ? 2 : 1;
    *first = at ? split : 0;
    *end = at ? 3 : split;
}

static float tap_sum(const float *taps, int quarter, int row, int column)
{
    int row0, row1, column0, column1;
    taps_on(quarter / 2, row, &row0, &row1);
    taps_on(quarter % 2, column, &column0, &column1);
    float sum = 0;
    for (int i = row0; i < row1; i++)
        for (int j = column0; j < column1; j++)
            sum += taps[3 * i + j];
    return sum;
}

static void sum_output(const SumTapsKernel *kernel, gint64 o)
{
    for (gint64 c = 0; c < kernel->inputs; c++)
        for (int k = 0; k < QUARTERS * 4; k++) {
            int quarter = k / 4, row = k / 2 % 2, column = k % 2;
            float sum = tap_sum(kernel->weight + (o * kernel->inputs + c) * 9, quarter, row, column);
            gint64 at =
                kernel->offsets[0][o] + kernel->offsets[1][c] + kernel->offsets[2][row] + kernel->offsets[3][column];
            char *part = kernel->parts + (gsize)quarter * kernel->part_bytes;
            if (kernel->element_bytes == sizeof(guint16))
                ((guint16 *)(void *)part)[at] = cpu_to_bf16(sum);
            else
                ((float *)(void *)part)[at] = sum;
        }
}

static gboolean sum_taps_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const SumTapsKernel *kernel = (SumTapsKernel *)base;
    memset(kernel->parts, 0, QUARTERS * kernel->part_bytes); /* padding must be zero */
#pragma omp parallel for schedule(static)
    for (gint64 o = 0; o < kernel->outputs; o++)
        sum_output(kernel, o);
    return TRUE;
}

static void sum_taps_free(AimfKernel *base)
{
    SumTapsKernel *kernel = (SumTapsKernel *)base;
    for (int i = 0; i < 4; i++)
        g_free(kernel->offsets[i]);
    g_free(kernel);
}

static AimfKernel *plan_sum_taps(const CpuPacking *packing, gsize bytes, const AimfShape *shape, GError **error)
{
    (void)error;
    AimfShape taps = AIMF_SHAPE(shape->dim[0], shape->dim[1], 2, 2);
    SumTapsKernel *kernel = g_new0(SumTapsKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:sum_taps", sum_taps_bind, sum_taps_run, sum_taps_free };
    kernel->outputs = shape->dim[0];
    kernel->inputs = shape->dim[1];
    for (int i = 0; i < 4; i++)
        kernel->offsets[i] = onednn_layout_offsets(&packing->part, &taps, i);
    kernel->part_bytes = bytes / QUARTERS;
    kernel->element_bytes = aimf_dtype_bytes(packing->part.dtype);
    return &kernel->base;
}

/* --- Planning --- */

/* Even rows see the small picture's row above and their own, odd ones their own and the one below; columns likewise. */
static AimfConv2d options_of(int quarter)
{
    int odd_row = quarter / 2, odd_column = quarter % 2;
    return (AimfConv2d){ .stride = { 1, 1 },
                         .dilation = { 1, 1 },
                         .before = { !odd_row, !odd_column },
                         .after = { odd_row, odd_column },
                         .groups = 1 };
}

AimfKernel *onednn_plan_upsample_conv2d(gpointer state, AimfNodePlan *plan, GError **error)
{
    AimfDtype dtype = cpu_compute_dtype(plan);
    const AimfShape *xs = cpu_input_shape(plan, 0), *ys = cpu_output_shape(plan, 0);
    AimfShape quarter = AIMF_SHAPE(xs->dim[0], ys->dim[1], xs->dim[2], xs->dim[3]);
    AimfShape taps = AIMF_SHAPE(ys->dim[1], xs->dim[1], 2, 2);
    AimfLayout result = cpu_layout_activation(state, &quarter, dtype), chosen, part;
    OnednnOperand x = { .shape = xs, .dtype = dtype }, weight = { .shape = &taps, .dtype = dtype };
    OnednnOperand bias = { .shape = cpu_input_shape(plan, 2), .dtype = AIMF_F32 };
    OnednnOperand y = { &quarter, dtype, &result };

    UpsampleConvKernel *kernel = g_new0(UpsampleConvKernel, 1);
    kernel->base = (AimfKernel){ "", bind, run, kernel_free };
    gsize scratch = 0;
    for (int q = 0; q < QUARTERS; q++) {
        AimfConv2d options = options_of(q);
        kernel->quarters[q] = onednn_convolution(state, ONEDNN_FORWARD, &x, &weight, &bias, &y, &options, error);
        if (onednn_replace_fallback(plan, kernel->quarters[q])) {
            kernel->quarters[q] = NULL;
            kernel_free(&kernel->base);
            return cpu_plan_upsample_conv2d(state, plan, error);
        }
        if (!kernel->quarters[q]) {
            kernel_free(&kernel->base);
            return NULL;
        }
        scratch = MAX(scratch, onednn_primitive_scratch_bytes(kernel->quarters[q]));
        if (q == 0) { /* the other three take what the first one chose */
            chosen = onednn_primitive_layout(kernel->quarters[q], DNNL_ARG_SRC);
            part = onednn_primitive_layout(kernel->quarters[q], DNNL_ARG_WEIGHTS);
            x.layout = &chosen;
            weight.layout = &part;
        }
    }
    plan->in[0] = chosen;
    CpuPacking packing = { "summed taps", part, plan_sum_taps };
    plan->in[1] = cpu_layout_packed(state, &packing, dtype, QUARTERS * aligned(part.bytes));
    cpu_want_row_major(plan, 2, AIMF_F32);
    plan->out[0] = cpu_layout_activation(state, ys, dtype);
    kernel->base.implementation = onednn_primitive_name(kernel->quarters[0]);
    kernel->view = cpu_view(&result, &quarter);
    kernel->width = quarter.dim[3];
    kernel->element_bytes = aimf_dtype_bytes(dtype);
    kernel->quarter_bytes = aligned(result.bytes);
    kernel->weight_bytes = plan->in[1].bytes / QUARTERS;
    plan->scratch_bytes = QUARTERS * kernel->quarter_bytes + scratch;
    return &kernel->base;
}
