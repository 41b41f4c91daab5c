/*
 * Operations that only move elements, in the layouts of activations: each a list of equal chunks, copied by as many
 * threads as there are.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_view.h"

#include <string.h>

typedef struct {
    AimfKernel base;
    CpuView view;    /* of the picture: of concat's first one, of upsample's small one */
    gint64 width;    /* of upsample's small picture */
    gint64 b_blocks; /* of concat's second picture */
    gsize element_bytes;
    const char *x, *b;
    char *y;
    int n_inputs;
} MoveKernel;

/* --- A picture's pixels as rows of channels, and back --- */

enum { TILE = 32 }; /* pixels, whose rows stay in the cache while blocks come by */

/* One tile of one picture between @picture, which is blocked, and @rows; @to_rows says which way. */
static void move_tile(const MoveKernel *kernel, char *picture, char *rows, gint64 tile, gboolean to_rows)
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
    const MoveKernel *kernel = (MoveKernel *)base;
    gint64 tiles = kernel->view.n * ((kernel->view.positions + TILE - 1) / TILE);
#pragma omp parallel for schedule(static)
    for (gint64 tile = 0; tile < tiles; tile++)
        move_tile(kernel, (char *)kernel->x, kernel->y, tile, TRUE);
    return TRUE;
}

static gboolean planes_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const MoveKernel *kernel = (MoveKernel *)base;
    gint64 tiles = kernel->view.n * ((kernel->view.positions + TILE - 1) / TILE);
#pragma omp parallel for schedule(static)
    for (gint64 tile = 0; tile < tiles; tile++)
        move_tile(kernel, kernel->y, (char *)kernel->x, tile, FALSE);
    return TRUE;
}

/* --- Pictures put together, and pixels doubled --- */

static gboolean concat_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const MoveKernel *kernel = (MoveKernel *)base;
    const CpuView *view = &kernel->view;
    gsize bytes = (gsize)(view->positions * view->block) * kernel->element_bytes; /* of a block */
    gint64 blocks = view->blocks + kernel->b_blocks;
#pragma omp parallel for collapse(2) schedule(static)
    for (gint64 n = 0; n < view->n; n++)
        for (gint64 block = 0; block < blocks; block++) {
            const char *from = block < view->blocks
                                   ? kernel->x + (gsize)(n * view->blocks + block) * bytes
                                   : kernel->b + (gsize)(n * kernel->b_blocks + block - view->blocks) * bytes;
            memcpy(kernel->y + (gsize)(n * blocks + block) * bytes, from, bytes);
        }
    return TRUE;
}

static gboolean upsample_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const MoveKernel *kernel = (MoveKernel *)base;
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

/* --- Planning --- */

static void bind(AimfKernel *base, void *const *addresses)
{
    MoveKernel *kernel = (MoveKernel *)base;
    kernel->x = addresses[0];
    kernel->b = addresses[kernel->n_inputs - 1];
    kernel->y = addresses[kernel->n_inputs];
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

static MoveKernel *kernel_new(const AimfNodePlan *plan, const AimfLayout *layout, const AimfShape *shape,
                              gboolean (*run)(AimfKernel *, AimfStream *, GError **))
{
    MoveKernel *kernel = g_new0(MoveKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:copy", bind, run, kernel_free };
    kernel->view = cpu_view(layout, shape);
    kernel->element_bytes = aimf_dtype_bytes(layout->dtype);
    kernel->n_inputs = plan->node->n_inputs;
    return kernel;
}

AimfKernel *cpu_plan_tokens(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    cpu_want_activation(state, plan, 0);
    cpu_want_viewable(plan, 0);
    cpu_give_row_major(plan, 0, plan->in[0].dtype);
    return &kernel_new(plan, &plan->in[0], cpu_input_shape(plan, 0), tokens_run)->base;
}

AimfKernel *cpu_plan_planes(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    AimfDtype dtype = cpu_compute_dtype(plan);
    cpu_want_row_major(plan, 0, dtype);
    plan->out[0] = cpu_layout_activation(state, cpu_output_shape(plan, 0), dtype);
    return &kernel_new(plan, &plan->out[0], cpu_output_shape(plan, 0), planes_run)->base;
}

AimfKernel *cpu_plan_upsample_nearest(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    AimfDtype dtype = cpu_compute_dtype(plan);
    plan->in[0] = cpu_layout_activation(state, cpu_input_shape(plan, 0), dtype);
    plan->out[0] = cpu_layout_activation(state, cpu_output_shape(plan, 0), dtype);
    MoveKernel *kernel = kernel_new(plan, &plan->in[0], cpu_input_shape(plan, 0), upsample_run);
    kernel->width = cpu_input_shape(plan, 0)->dim[3];
    return &kernel->base;
}

/* Whole blocks of both pictures become whole blocks of the result, or else channels are blocks of their own. */
AimfKernel *cpu_plan_concat(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    AimfDtype dtype = cpu_compute_dtype(plan);
    const AimfShape *shapes[] = { cpu_input_shape(plan, 0), cpu_input_shape(plan, 1) };
    for (int i = 0; i < 2; i++)
        plan->in[i] = cpu_layout_activation(state, shapes[i], dtype);
    plan->out[0] = cpu_layout_activation(state, cpu_output_shape(plan, 0), dtype);
    if (!plan->in[0].detail || !plan->in[1].detail || !plan->out[0].detail) {
        cpu_want_row_major(plan, 0, dtype);
        cpu_want_row_major(plan, 1, dtype);
        cpu_give_row_major(plan, 0, dtype);
    }
    MoveKernel *kernel = kernel_new(plan, &plan->in[0], shapes[0], concat_run);
    kernel->b_blocks = cpu_view(&plan->in[1], shapes[1]).blocks;
    return &kernel->base;
}
