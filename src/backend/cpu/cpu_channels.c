/*
 * Reductions over all positions of a channel, and their opposites, on values that lie as [N][C / b][positions][b]:
 * all the layouts of activations, row-major and channels-last included. Sums are in double and in one order at any
 * number of threads.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_bf16.h"
#include "backend/cpu/cpu_view.h"

typedef struct {
    AimfKernel base;
    CpuView view;
    gboolean is_bf16;
    gboolean sums_only; /* no average of them */
    const void *in;
    void *out;
    double *sums; /* one per channel, padding included */
} ChannelKernel;

static float load(const void *data, gboolean is_bf16, gint64 i)
{
    return is_bf16 ? cpu_from_bf16(((const guint16 *)data)[i]) : ((const float *)data)[i];
}

static void store(void *data, gboolean is_bf16, gint64 i, float value)
{
    if (is_bf16)
        ((guint16 *)data)[i] = cpu_to_bf16(value);
    else
        ((float *)data)[i] = value;
}

/* Adds the positions of one image's block @cb to sums (b). */
static void add_positions(const ChannelKernel *kernel, gint64 n, gint64 cb, double *sums)
{
    const CpuView *view = &kernel->view;
    gint64 start = (n * view->blocks + cb) * view->positions * view->block;
    for (gint64 p = 0; p < view->positions; p++)
        for (gint64 lane = 0; lane < view->block; lane++)
            sums[lane] += (double)load(kernel->in, kernel->is_bf16, start + p * view->block + lane);
}

static void bind(AimfKernel *base, void *const *addresses)
{
    ChannelKernel *kernel = (ChannelKernel *)base;
    kernel->in = addresses[0];
    kernel->out = addresses[1];
    kernel->sums = addresses[2];
}

/* (N, C, ...) -> (C) f32 */
static gboolean channel_sum_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const ChannelKernel *kernel = (ChannelKernel *)base;
    const CpuView *view = &kernel->view;
    float *out = kernel->out;
#pragma omp parallel for schedule(static)
    for (gint64 cb = 0; cb < view->blocks; cb++) {
        double *sums = kernel->sums + cb * view->block;
        for (gint64 lane = 0; lane < view->block; lane++)
            sums[lane] = 0;
        for (gint64 n = 0; n < view->n; n++)
            add_positions(kernel, n, cb, sums);
        for (gint64 lane = 0; lane < view->block && cb * view->block + lane < view->channels; lane++)
            out[cb * view->block + lane] = (float)sums[lane];
    }
    return TRUE;
}

/* (N, C, H, W) -> (N, C) */
static gboolean average_pool_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const ChannelKernel *kernel = (ChannelKernel *)base;
    const CpuView *view = &kernel->view;
    double divisor = kernel->sums_only ? 1 : (double)view->positions;
#pragma omp parallel for collapse(2) schedule(static)
    for (gint64 n = 0; n < view->n; n++)
        for (gint64 cb = 0; cb < view->blocks; cb++) {
            double *sums = kernel->sums + (n * view->blocks + cb) * view->block;
            for (gint64 lane = 0; lane < view->block; lane++)
                sums[lane] = 0;
            add_positions(kernel, n, cb, sums);
            for (gint64 lane = 0; lane < view->block && cb * view->block + lane < view->channels; lane++)
                store(kernel->out, kernel->is_bf16, n * view->channels + cb * view->block + lane,
                      (float)(sums[lane] / divisor));
        }
    return TRUE;
}

/* (N, C) -> (N, C, H, W); padding becomes zero. */
static gboolean average_pool_backward_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const ChannelKernel *kernel = (ChannelKernel *)base;
    const CpuView *view = &kernel->view;
#pragma omp parallel for collapse(2) schedule(static)
    for (gint64 n = 0; n < view->n; n++)
        for (gint64 cb = 0; cb < view->blocks; cb++) {
            gint64 start = (n * view->blocks + cb) * view->positions * view->block;
            for (gint64 i = 0; i < view->positions * view->block; i++) {
                gint64 channel = cb * view->block + i % view->block;
                float dy =
                    channel < view->channels ? load(kernel->in, kernel->is_bf16, n * view->channels + channel) : 0;
                store(kernel->out, kernel->is_bf16, start + i, dy / (float)view->positions);
            }
        }
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

static AimfKernel *kernel_new(const AimfLayout *layout, const AimfShape *shape,
                              gboolean (*run)(AimfKernel *, AimfStream *, GError **))
{
    ChannelKernel *kernel = g_new0(ChannelKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:channels", bind, run, kernel_free };
    kernel->is_bf16 = layout->dtype == AIMF_BF16;
    kernel->view = cpu_view(layout, shape);
    return &kernel->base;
}

AimfKernel *cpu_plan_channel_sum(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    cpu_want_viewable(plan, 0);
    cpu_give_row_major(plan, 0, AIMF_F32);
    AimfKernel *kernel = kernel_new(&plan->in[0], cpu_input_shape(plan, 0), channel_sum_run);
    const CpuView *view = &((ChannelKernel *)kernel)->view;
    plan->scratch_bytes = (gsize)(view->blocks * view->block) * sizeof(double);
    return kernel;
}

AimfKernel *cpu_plan_global_average_pool(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    cpu_want_activation(state, plan, 0);
    cpu_want_viewable(plan, 0);
    cpu_give_row_major(plan, 0, plan->in[0].dtype);
    AimfKernel *kernel = kernel_new(&plan->in[0], cpu_input_shape(plan, 0), average_pool_run);
    const CpuView *view = &((ChannelKernel *)kernel)->view;
    plan->scratch_bytes = (gsize)(view->n * view->blocks * view->block) * sizeof(double);
    return kernel;
}

AimfKernel *cpu_plan_pixel_sum(gpointer state, AimfNodePlan *plan, GError **error)
{
    AimfKernel *kernel = cpu_plan_global_average_pool(state, plan, error);
    ((ChannelKernel *)kernel)->sums_only = TRUE;
    return kernel;
}

AimfKernel *cpu_plan_global_average_pool_backward(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    AimfDtype dtype = cpu_compute_dtype(plan);
    cpu_want_row_major(plan, 0, dtype);
    plan->out[0] = cpu_layout_activation(state, cpu_output_shape(plan, 0), dtype);
    return kernel_new(&plan->out[0], cpu_output_shape(plan, 0), average_pool_backward_run);
}
