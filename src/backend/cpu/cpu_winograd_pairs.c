/*
 * The gradient of a 3x3 convolution's weights in bf16 by Winograd's F(2x2, 3x3).
 *
 * The transformed values are rounded to bf16, which the definition's factors are already: the gradient comes out with
 * an error of about half a percent. It stays in this one tensor, and is small beside what bf16 activations have done
 * to dy before (tests/model compares with PyTorch's bf16). The gradient of x would hand it on, and stays direct.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_winograd_pairs_tiles.h"
#include "backend/cpu/cpu_winograd_tiles.h"

#include <string.h>

enum {
    BLOCK = WINOGRAD_BLOCK,
    GROUP = 32,            /* tiles that are transformed in one go; even */
    CHUNK_BYTES = 6 << 20, /* of transformed values at a time: they stay in the third cache */
    LINE = 32,             /* bf16 numbers in a cache line */
    SUMS = BLOCK * BLOCK,
};

typedef struct {
    AimfKernel base;
    const WinogradPairKernels *kernels;
    WinogradTiling tiling;
    gint64 inputs, outputs; /* channels of x and of y */
    gint64 chunk;           /* tiles, a multiple of GROUP */
    WinogradPairs patches, gradients;
    float *sums; /* [outputs / 64][inputs / 64][16][64][64] */
    const guint16 *x, *dy;
    float *dweight;
} PairsKernel;

/* (nullable) */
static const WinogradPairKernels *pair_kernels(void)
{
    static const WinogradPairKernels *const kernels[AIMF_N_ISAS] =
        AIMF_ISA_TABLE(NULL, NULL, NULL, &cpu_winograd_pairs);
    return kernels[aimf_instruction_set()];
}

static gsize pairs_size(gint64 tiles, gint64 channels)
{
    return (gsize)(WINOGRAD_POSITIONS * (tiles * channels + LINE)) * sizeof(guint16);
}

static void bind(AimfKernel *base, void *const *addresses)
{
    PairsKernel *kernel = (PairsKernel *)base;
    char *scratch = addresses[3];
    kernel->x = addresses[0];
    kernel->dy = addresses[1];
    kernel->dweight = addresses[2];
    kernel->patches.data = (guint16 *)(void *)scratch;
    scratch += pairs_size(kernel->chunk, kernel->inputs);
    kernel->gradients.data = (guint16 *)(void *)scratch;
    scratch += pairs_size(kernel->chunk, kernel->outputs);
    kernel->sums = (float *)(void *)scratch;
}

/* The same planes, from tile @first on. */
static WinogradPairs pairs_from(const WinogradPairs *pairs, gint64 first)
{
    return (WinogradPairs){ pairs->data + first * BLOCK, pairs->plane, pairs->block };
}

/* The tiles [first, first + n) of the chunk that begins at @chunk: all channels of x and of dy. */
static void transform_group(const PairsKernel *kernel, gint64 chunk, gint64 first, gint64 n)
{
    WinogradTile tiles[GROUP];
    cpu_winograd_locate(&kernel->tiling, chunk + first, n, tiles);
    WinogradPairs patches = pairs_from(&kernel->patches, first), gradients = pairs_from(&kernel->gradients, first);
    for (gint64 c = 0; c < kernel->inputs; c += WINOGRAD_PAIR_LANES)
        kernel->kernels->patches(&kernel->tiling, tiles, n, kernel->inputs, c, kernel->x, &patches);
    for (gint64 c = 0; c < kernel->outputs; c += WINOGRAD_PAIR_LANES)
        kernel->kernels->gradients(&kernel->tiling, tiles, n, kernel->outputs, c, kernel->dy, &gradients);
}

/* One position of one pair of channel blocks: nobody else adds to these sums, so threads do not matter to them. */
static void multiply_block(const PairsKernel *kernel, gint64 index, gint64 n_tiles, gboolean accumulate)
{
    gint64 p = index % WINOGRAD_POSITIONS, block = index / WINOGRAD_POSITIONS, across = kernel->inputs / BLOCK;
    const guint16 *a = kernel->gradients.data + p * kernel->gradients.plane + block / across * kernel->gradients.block;
    const guint16 *b = kernel->patches.data + p * kernel->patches.plane + block % across * kernel->patches.block;
    kernel->kernels->multiply(a, b, (n_tiles + 1) / 2, kernel->sums + index * SUMS, accumulate);
}

static void finish(const PairsKernel *kernel, gint64 o)
{
    for (gint64 i = 0; i < kernel->inputs; i += WINOGRAD_PAIR_LANES) {
        gint64 block = o / BLOCK * (kernel->inputs / BLOCK) + i / BLOCK;
        const float *from = kernel->sums + block * WINOGRAD_POSITIONS * SUMS + o % BLOCK * BLOCK + i % BLOCK;
        float sums[WINOGRAD_POSITIONS][WINOGRAD_PAIR_LANES];
        for (int p = 0; p < WINOGRAD_POSITIONS; p++)
            memcpy(sums[p], from + p * SUMS, sizeof sums[p]);
        cpu_winograd_kernels()->weight_gradient(sums[0], kernel->dweight + (o * kernel->inputs + i) * 9);
    }
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const PairsKernel *kernel = (PairsKernel *)base;
    gint64 n_products = kernel->outputs / BLOCK * (kernel->inputs / BLOCK) * WINOGRAD_POSITIONS;
#pragma omp parallel
    {
        for (gint64 chunk = 0; chunk < kernel->tiling.tiles; chunk += kernel->chunk) {
            gint64 n = MIN(kernel->chunk, kernel->tiling.tiles - chunk);
#pragma omp for schedule(static)
            for (gint64 first = 0; first < n; first += GROUP)
                transform_group(kernel, chunk, first, MIN(GROUP, n - first));
#pragma omp for schedule(static)
            for (gint64 i = 0; i < n_products; i++)
                multiply_block(kernel, i, n, chunk > 0);
        }
#pragma omp for schedule(static)
        for (gint64 o = 0; o < kernel->outputs; o++)
            finish(kernel, o);
    }
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

gboolean cpu_winograd_pairs_pay(const AimfNodePlan *plan)
{
    const AimfShape *weight = cpu_output_shape(plan, 0), *dy = cpu_input_shape(plan, 1);
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    if (plan->precision != AIMF_PRECISION_BF16 || !pair_kernels() || weight->dim[2] != 3 || weight->dim[3] != 3 ||
        !cpu_conv_keeps_size(options) || weight->dim[0] % BLOCK || weight->dim[1] % BLOCK)
        return FALSE;
    gint64 height = dy->dim[2], width = dy->dim[3];
    WinogradTiling tiling = cpu_winograd_tiling(dy->dim[0], height, width, WINOGRAD_PAIR_LANES);
    gint64 direct = (3 * height - 2) * (3 * width - 2); /* multiplications, those by padding left out */
    return direct >= WINOGRAD_POSITIONS * tiling.rows * tiling.columns &&
           tiling.tiles >= MAX(BLOCK, weight->dim[0] * weight->dim[1] / 2048);
}

AimfKernel *cpu_plan_winograd_pairs(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    const AimfShape *x = cpu_input_shape(plan, 0), *dy = cpu_input_shape(plan, 1);
    plan->in[0] = cpu_layout_activation(state, x, AIMF_BF16);
    plan->in[1] = cpu_layout_activation(state, dy, AIMF_BF16);
    cpu_give_row_major(plan, 0, AIMF_F32);

    PairsKernel *kernel = g_new0(PairsKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:winograd_bf16", bind, run, kernel_free };
    kernel->kernels = pair_kernels();
    kernel->tiling = cpu_winograd_tiling(x->dim[0], x->dim[2], x->dim[3], WINOGRAD_PAIR_LANES);
    kernel->inputs = x->dim[1];
    kernel->outputs = dy->dim[1];
    gint64 fitting = CHUNK_BYTES / (WINOGRAD_POSITIONS * (kernel->inputs + kernel->outputs) * (gint64)sizeof(guint16));
    kernel->chunk = (MIN(fitting, kernel->tiling.tiles) + GROUP - 1) / GROUP * GROUP;
    kernel->patches = (WinogradPairs){ NULL, kernel->chunk * kernel->inputs + LINE, kernel->chunk * BLOCK };
    kernel->gradients = (WinogradPairs){ NULL, kernel->chunk * kernel->outputs + LINE, kernel->chunk * BLOCK };
    plan->scratch_bytes = pairs_size(kernel->chunk, kernel->inputs) + pairs_size(kernel->chunk, kernel->outputs) +
                          (gsize)(kernel->inputs * kernel->outputs * WINOGRAD_POSITIONS) * sizeof(float);
    return &kernel->base;
}
