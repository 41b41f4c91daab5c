/*
 * Pictures as rows of pixels and back, at twice the size and back, in the layouts of activations: each a list of equal
 * chunks, done by as many threads as there are.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_vector.h"
#include "backend/cpu/cpu_view.h"

#include <string.h>

/* to (width, block) = the sum of each two pixels of both rows (2 width, block). */
typedef void (*Fold)(const void *upper, const void *lower, void *to, gint64 width, gint64 block);

typedef struct {
    AimfKernel base;
    CpuView view; /* of the picture: of upsample's small one */
    gint64 width; /* of upsample's small picture */
    gsize element_bytes;
    Fold fold;
    const char *x;
    char *y;
} PixelKernel;

/* --- A picture's pixels as rows of channels, and back --- */

enum { TILE = 32 }; /* pixels, whose rows stay in the cache while blocks come by */

/* One tile of one picture between @picture, which is blocked, and @rows; @to_rows says which way. */
static void move_tile(const PixelKernel *kernel, char *picture, char *rows, gint64 tile, gboolean to_rows)
{
    const CpuView *view = &kernel->view;
    gint64 tiles = (view->positions + TILE - 1) / TILE, n = tile / tiles, first = tile % tiles * TILE;
    gint64 end = MIN(first + TILE, view->positions);
    for (gint64 block = 0; block < view->blocks; block++) {
        gsize bytes = (gsize)MIN(view->block, view->channels - block * view->block) * kernel->element_bytes;
        for (gint64 p = first; p < end; p++) {
            gint64 at = ((n * view->blocks + block) * view->positions + p) * view->block;
            char *chunk = picture + (gsize)at * kernel->element_bytes;
            at = (n * view->positions + p) * view->channels + block * view->block;
            char *piece = rows + (gsize)at * kernel->element_bytes;
            if (to_rows)
                cpu_copy_chunk(piece, chunk, bytes);
            else
                cpu_copy_chunk(chunk, piece, bytes);
        }
    }
}

static gboolean tokens_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const PixelKernel *kernel = (PixelKernel *)base;
    gint64 tiles = kernel->view.n * ((kernel->view.positions + TILE - 1) / TILE);
#pragma omp parallel for schedule(static)
    for (gint64 tile = 0; tile < tiles; tile++)
        move_tile(kernel, (char *)kernel->x, kernel->y, tile, TRUE);
    return TRUE;
}

static gboolean planes_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const PixelKernel *kernel = (PixelKernel *)base;
    gint64 tiles = kernel->view.n * ((kernel->view.positions + TILE - 1) / TILE);
#pragma omp parallel for schedule(static)
    for (gint64 tile = 0; tile < tiles; tile++)
        move_tile(kernel, kernel->y, (char *)kernel->x, tile, FALSE);
    return TRUE;
}

/* --- Pixels doubled, and doubled ones added up --- */

static gboolean upsample_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const PixelKernel *kernel = (PixelKernel *)base;
    gint64 width = kernel->width, rows = kernel->view.n * kernel->view.blocks * kernel->view.positions / width;
    gsize chunk = (gsize)kernel->view.block * kernel->element_bytes;
#pragma omp parallel for schedule(static)
    for (gint64 row = 0; row < rows; row++) {
        const char *from = kernel->x + (gsize)(row * width) * chunk;
        char *to = kernel->y + (gsize)(row * 4 * width) * chunk;
        for (gint64 i = 0; i < width; i++) {
            cpu_copy_chunk(to + (gsize)(2 * i) * chunk, from + (gsize)i * chunk, chunk);
            cpu_copy_chunk(to + (gsize)(2 * i + 1) * chunk, from + (gsize)i * chunk, chunk);
        }
        memcpy(to + (gsize)(2 * width) * chunk, to, (gsize)(2 * width) * chunk);
    }
    return TRUE;
}

#define FOLD(name, TARGET, TYPE, LOAD, STORE)                                                                          \
    TARGET static void name(const void *upper, const void *lower, void *to, gint64 width, gint64 block)                \
    {                                                                                                                  \
        const TYPE *a = upper, *b = lower;                                                                             \
        TYPE *y = to;                                                                                                  \
        for (gint64 i = 0; i < width; i++, a += 2 * block, b += 2 * block, y += block)                                 \
            for (gint64 k = 0; k < block; k++)                                                                         \
                y[k] = STORE((LOAD(a[k]) + LOAD(a[block + k])) + (LOAD(b[k]) + LOAD(b[block + k])));                   \
    }

FOLD(fold_f32, CPU_BASELINE, float, CPU_SAME, CPU_SAME)
FOLD(fold_f32_avx2, CPU_AVX2, float, CPU_SAME, CPU_SAME)
FOLD(fold_f32_avx512, CPU_AVX512, float, CPU_SAME, CPU_SAME)
FOLD(fold_bf16, CPU_AVX512, guint16, cpu_from_bf16, cpu_to_bf16)

static const Fold folds[2][AIMF_N_ISAS] = CPU_FORMS(fold);

static gboolean upsample_backward_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const PixelKernel *kernel = (PixelKernel *)base;
    gint64 width = kernel->width, rows = kernel->view.n * kernel->view.blocks * kernel->view.positions / width;
    gsize row_bytes = (gsize)(width * kernel->view.block) * kernel->element_bytes;
#pragma omp parallel for schedule(static)
    for (gint64 row = 0; row < rows; row++) {
        const char *upper = kernel->x + (gsize)row * 4 * row_bytes;
        kernel->fold(upper, upper + 2 * row_bytes, kernel->y + (gsize)row * row_bytes, width, kernel->view.block);
    }
    return TRUE;
}

/* --- Planning --- */

static void bind(AimfKernel *base, void *const *addresses)
{
    PixelKernel *kernel = (PixelKernel *)base;
    kernel->x = addresses[0];
    kernel->y = addresses[1];
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

static PixelKernel *kernel_new(const AimfLayout *layout, const AimfShape *shape,
                               gboolean (*run)(AimfKernel *, AimfStream *, GError **))
{
    PixelKernel *kernel = g_new0(PixelKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:copy", bind, run, kernel_free };
    kernel->view = cpu_view(layout, shape);
    kernel->element_bytes = aimf_dtype_bytes(layout->dtype);
    return kernel;
}

AimfKernel *cpu_plan_tokens(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    cpu_want_activation(state, plan, 0);
    cpu_want_viewable(plan, 0);
    cpu_give_row_major(plan, 0, plan->in[0].dtype);
    return &kernel_new(&plan->in[0], cpu_input_shape(plan, 0), tokens_run)->base;
}

AimfKernel *cpu_plan_planes(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    AimfDtype dtype = cpu_compute_dtype(plan);
    cpu_want_row_major(plan, 0, dtype);
    plan->out[0] = cpu_layout_activation(state, cpu_output_shape(plan, 0), dtype);
    return &kernel_new(&plan->out[0], cpu_output_shape(plan, 0), planes_run)->base;
}

AimfKernel *cpu_plan_upsample_nearest(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    AimfDtype dtype = cpu_compute_dtype(plan);
    plan->in[0] = cpu_layout_activation(state, cpu_input_shape(plan, 0), dtype);
    plan->out[0] = cpu_layout_activation(state, cpu_output_shape(plan, 0), dtype);
    PixelKernel *kernel = kernel_new(&plan->in[0], cpu_input_shape(plan, 0), upsample_run);
    kernel->width = cpu_input_shape(plan, 0)->dim[3];
    return &kernel->base;
}

AimfKernel *cpu_plan_upsample_nearest_backward(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    AimfDtype dtype = cpu_compute_dtype(plan);
    plan->in[0] = cpu_layout_activation(state, cpu_input_shape(plan, 0), dtype);
    plan->out[0] = cpu_layout_activation(state, cpu_output_shape(plan, 0), dtype);
    PixelKernel *kernel = kernel_new(&plan->out[0], cpu_output_shape(plan, 0), upsample_backward_run);
    kernel->width = cpu_output_shape(plan, 0)->dim[3];
    kernel->fold = folds[dtype == AIMF_BF16][aimf_instruction_set()];
    return &kernel->base;
}
