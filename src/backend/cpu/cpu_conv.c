/*
 * Convolutions in f32 as matrix products of gathered patches (im2col; Chellapilla et al. 2006), for shapes that oneDNN
 * has no kernel for: its fallbacks divide sums by the number of threads and allocate memory while they run. All three
 * directions, on row-major activations:
 *
 *   y (O, P) = weight (O, K) patches (K, P)      dpatches (K, P) = weight' dy      dweight = dy patches'
 *
 * for one picture after the other, group by group, and CHUNK of its P output positions at a time; O and K count the
 * output channels, and the input channels and taps, of a group. The threads share a product, or where there are groups
 * enough each has products of its own.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_gemm.h"

#include <omp.h>
#include <string.h>

enum {
    CHUNK_BYTES = 4 << 20,         /* of patches */
    THREAD_CHUNK_BYTES = 256 << 10 /* where each thread has its own */
};

typedef struct {
    AimfKernel base;
    gint64 n, groups;
    gint64 inputs, outputs;       /* channels of x and of y in a group */
    gint64 height, width;         /* of x, when it has been doubled */
    gint64 out_height, out_width; /* of y */
    gint64 kernel_height, kernel_width;
    AimfConv2d options;
    int halvings;                   /* 1 where x is a picture whose pixels are seen doubled, else 0 */
    gint64 depth, positions, chunk; /* K, P and how many of P at a time */
    int n_inputs;
    int n_tasks_at_once, n_threads;   /* for groups, and for the work on one: one of them is 1 */
    gsize panels, others, task_bytes; /* scratch memory: floats for panels, for gradients of patches or the weight */
    const float *in[3];
    float *out, *scratch;
} ConvKernel;

static void bind(AimfKernel *base, void *const *addresses)
{
    ConvKernel *kernel = (ConvKernel *)base;
    for (int i = 0; i < kernel->n_inputs; i++)
        kernel->in[i] = addresses[i];
    kernel->out = addresses[kernel->n_inputs];
    kernel->scratch = addresses[kernel->n_inputs + 1];
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

/* --- Patches --- */

static gint64 pixels(const ConvKernel *kernel)
{
    return (kernel->height >> kernel->halvings) * (kernel->width >> kernel->halvings);
}

/* A position of y; walked along without divisions. */
typedef struct {
    gint64 row, column;
} Position;

static inline Position position_at(const ConvKernel *kernel, gint64 p)
{
    return (Position){ p / kernel->out_width, p % kernel->out_width };
}

static inline void step(const ConvKernel *kernel, Position *at)
{
    if (++at->column == kernel->out_width)
        *at = (Position){ at->row + 1, 0 };
}

/* Where in a channel of x the position sees a tap; -1 in the padding. */
static inline gint64 source(const ConvKernel *kernel, Position at, gint64 tap_row, gint64 tap_column)
{
    const AimfConv2d *options = &kernel->options;
    gint64 y = at.row * options->stride[0] + tap_row * options->dilation[0] - options->before[0];
    gint64 x = at.column * options->stride[1] + tap_column * options->dilation[1] - options->before[1];
    if (y < 0 || y >= kernel->height || x < 0 || x >= kernel->width)
        return -1;
    return (y >> kernel->halvings) * (kernel->width >> kernel->halvings) + (x >> kernel->halvings);
}

/* The patches of positions [first, first + n) as panels [n / panel][K][panel]. */
static void gather_by_position(const ConvKernel *kernel, const float *x, gint64 first, gint64 n, float *panels)
{
    gint64 panel = cpu_product_kernels()->panel, taps = kernel->kernel_height * kernel->kernel_width;
    gint64 each = pixels(kernel);
#pragma omp parallel for schedule(static) num_threads(kernel->n_threads)
    for (gint64 begin = 0; begin < n; begin += panel)
        for (gint64 tap = 0; tap < taps; tap++) {
            Position at = position_at(kernel, first + begin);
            gint64 from[CPU_MOST_PANEL];
            for (gint64 i = 0; i < panel; i++, step(kernel, &at))
                from[i] =
                    begin + i < n ? source(kernel, at, tap / kernel->kernel_width, tap % kernel->kernel_width) : -1;
            float *to = panels + begin * kernel->depth + tap * panel;
            for (gint64 channel = 0; channel < kernel->inputs; channel++, to += taps * panel)
                for (gint64 i = 0; i < panel; i++)
                    to[i] = from[i] < 0 ? 0 : x[channel * each + from[i]];
        }
}

/* The same positions as panels [K / panel][n][panel]. */
static void gather_by_weight(const ConvKernel *kernel, const float *x, gint64 first, gint64 n, float *panels)
{
    gint64 panel = cpu_product_kernels()->panel, taps = kernel->kernel_height * kernel->kernel_width;
    gint64 each = pixels(kernel), filled = (kernel->depth + panel - 1) / panel * panel;
#pragma omp parallel for schedule(static) num_threads(kernel->n_threads)
    for (gint64 p = 0; p < n; p++) {
        Position at = position_at(kernel, first + p);
        float *to = panels + p * panel;
        for (gint64 tap = 0; tap < taps; tap++) {
            gint64 from = source(kernel, at, tap / kernel->kernel_width, tap % kernel->kernel_width);
            for (gint64 channel = 0, k = tap; channel < kernel->inputs; channel++, k += taps)
                to[k / panel * panel * n + k % panel] = from < 0 ? 0 : x[channel * each + from];
        }
        for (gint64 k = kernel->depth; k < filled; k++)
            to[k / panel * panel * n + k % panel] = 0;
    }
}

/* Adds the gradients (K, n) of positions [first, first + n) to dx: each channel's by one thread. */
static void scatter(const ConvKernel *kernel, const float *gradients, gint64 first, gint64 n, float *dx)
{
    gint64 taps = kernel->kernel_height * kernel->kernel_width, each = pixels(kernel);
#pragma omp parallel for schedule(static) num_threads(kernel->n_threads)
    for (gint64 channel = 0; channel < kernel->inputs; channel++)
        for (gint64 tap = 0; tap < taps; tap++) {
            const float *gradient = gradients + (channel * taps + tap) * n;
            Position at = position_at(kernel, first);
            for (gint64 p = 0; p < n; p++, step(kernel, &at)) {
                gint64 to = source(kernel, at, tap / kernel->kernel_width, tap % kernel->kernel_width);
                if (to >= 0)
                    dx[channel * each + to] += gradient[p];
            }
        }
}

/* --- Runs --- */

/* Scratch memory of a task: panels, what else there is, and the product's own. */
static float *product_scratch(const ConvKernel *kernel, float *scratch)
{
    return scratch + kernel->panels + kernel->others;
}

typedef void (*Task)(const ConvKernel *kernel, gint64 index, float *scratch);

static void run_tasks(const ConvKernel *kernel, gint64 n, Task task)
{
    if (kernel->n_tasks_at_once == 1) {
        for (gint64 index = 0; index < n; index++)
            task(kernel, index, kernel->scratch);
        return;
    }
#pragma omp parallel for schedule(dynamic) num_threads(kernel->n_tasks_at_once)
    for (gint64 index = 0; index < n; index++)
        task(kernel, index, kernel->scratch + (gsize)omp_get_thread_num() * (kernel->task_bytes / sizeof(float)));
}

/* Group @index % groups of picture @index / groups. */
static void forward_task(const ConvKernel *kernel, gint64 index, float *scratch)
{
    gint64 group = index % kernel->groups;
    const float *x = kernel->in[0] + index * kernel->inputs * pixels(kernel);
    const float *weight = kernel->in[1] + group * kernel->outputs * kernel->depth;
    float *y = kernel->out + index * kernel->outputs * kernel->positions;
    for (gint64 first = 0; first < kernel->positions; first += kernel->chunk) {
        gint64 n = MIN(kernel->chunk, kernel->positions - first);
        CpuGemm gemm = cpu_gemm(kernel->outputs, n, kernel->depth, kernel->n_threads);
        gather_by_position(kernel, x, first, n, scratch);
        cpu_gemm_run(&gemm, &(CpuGemmOperands){
                                .a = { weight, kernel->depth, 1 },
                                .panels = scratch,
                                .row_bias = kernel->in[2] ? kernel->in[2] + group * kernel->outputs : NULL,
                                .c = y + first,
                                .c_row = kernel->positions,
                                .scratch = product_scratch(kernel, scratch),
                            });
    }
}

static gboolean forward_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const ConvKernel *kernel = (ConvKernel *)base;
    run_tasks(kernel, kernel->n * kernel->groups, forward_task);
    return TRUE;
}

static void data_task(const ConvKernel *kernel, gint64 index, float *scratch)
{
    gint64 each = kernel->inputs * pixels(kernel);
    const float *dy = kernel->in[0] + index * kernel->outputs * kernel->positions;
    const float *weight = kernel->in[1] + index % kernel->groups * kernel->outputs * kernel->depth;
    float *gradients = scratch + kernel->panels, *dx = kernel->out + index * each;
    memset(dx, 0, (gsize)each * sizeof *dx);
    for (gint64 first = 0; first < kernel->positions; first += kernel->chunk) {
        gint64 n = MIN(kernel->chunk, kernel->positions - first);
        CpuGemm gemm = cpu_gemm(kernel->depth, n, kernel->outputs, kernel->n_threads);
        cpu_gemm_pack(&(CpuMatrix){ dy + first, kernel->positions, 1 }, kernel->outputs, n, scratch);
        cpu_gemm_run(&gemm, &(CpuGemmOperands){
                                .a = { weight, 1, kernel->depth },
                                .panels = scratch,
                                .c = gradients,
                                .c_row = n,
                                .scratch = product_scratch(kernel, scratch),
                            });
        scatter(kernel, gradients, first, n, dx);
    }
}

static gboolean data_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const ConvKernel *kernel = (ConvKernel *)base;
    run_tasks(kernel, kernel->n * kernel->groups, data_task);
    return TRUE;
}

/* A group; each chunk's sums apart and then added up, so that no sum is as long as all positions of all pictures. */
static void weight_task(const ConvKernel *kernel, gint64 group, float *scratch)
{
    gint64 elements = kernel->outputs * kernel->depth;
    float *part = scratch + kernel->panels, *dweight = kernel->out + group * elements;
    memset(dweight, 0, (gsize)elements * sizeof *dweight);
    for (gint64 index = group; index < kernel->n * kernel->groups; index += kernel->groups)
        for (gint64 first = 0; first < kernel->positions; first += kernel->chunk) {
            gint64 n = MIN(kernel->chunk, kernel->positions - first);
            const float *dy = kernel->in[1] + index * kernel->outputs * kernel->positions + first;
            CpuGemm gemm = cpu_gemm(kernel->outputs, kernel->depth, n, kernel->n_threads);
            gather_by_weight(kernel, kernel->in[0] + index * kernel->inputs * pixels(kernel), first, n, scratch);
            cpu_gemm_run(&gemm, &(CpuGemmOperands){
                                    .a = { dy, kernel->positions, 1 },
                                    .panels = scratch,
                                    .c = part,
                                    .c_row = kernel->depth,
                                    .scratch = product_scratch(kernel, scratch),
                                });
#pragma omp parallel for simd schedule(static) num_threads(kernel->n_threads)
            for (gint64 e = 0; e < elements; e++)
                dweight[e] += part[e];
        }
}

static gboolean weight_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const ConvKernel *kernel = (ConvKernel *)base;
    run_tasks(kernel, kernel->groups, weight_task);
    return TRUE;
}

/* --- Planning --- */

static gsize whole_lines(gsize floats)
{
    return (floats + 15) / 16 * 16;
}

/*
 * The products' shape is (rows, columns, depth) for a whole chunk, and the last one needs no more; @other: floats of
 * scratch memory beside panels.
 */
static void plan_scratch(ConvKernel *kernel, AimfNodePlan *plan, gint64 rows, gint64 columns, gint64 depth, gsize other)
{
    CpuGemm gemm = cpu_gemm(rows, columns, depth, kernel->n_threads);
    kernel->panels = whole_lines(cpu_gemm_panels_bytes(depth, columns) / sizeof(float));
    kernel->others = whole_lines(other);
    kernel->task_bytes = (kernel->panels + kernel->others) * sizeof(float) + cpu_gemm_scratch_bytes(&gemm);
    plan->scratch_bytes = (gsize)kernel->n_tasks_at_once * kernel->task_bytes;
}

/* @options: NULL for a picture whose pixels are seen doubled. */
static ConvKernel *kernel_new(const AimfNodePlan *plan, const AimfShape *x, const AimfShape *weight, const AimfShape *y,
                              const AimfConv2d *options, gboolean (*run)(AimfKernel *, AimfStream *, GError **))
{
    ConvKernel *kernel = g_new0(ConvKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:patches", bind, run, kernel_free };
    kernel->options = options ? *options : aimf_conv2d_square(1, 1);
    kernel->halvings = options ? 0 : 1;
    kernel->groups = x->dim[1] / weight->dim[1];
    if (!options)
        kernel->options.dilation[0] = kernel->options.dilation[1] = 1;
    kernel->n = x->dim[0];
    kernel->inputs = weight->dim[1];
    kernel->outputs = y->dim[1] / kernel->groups;
    kernel->height = x->dim[2] << kernel->halvings;
    kernel->width = x->dim[3] << kernel->halvings;
    kernel->out_height = y->dim[2];
    kernel->out_width = y->dim[3];
    kernel->kernel_height = weight->dim[2];
    kernel->kernel_width = weight->dim[3];
    kernel->depth = weight->dim[1] * weight->dim[2] * weight->dim[3];
    kernel->positions = y->dim[2] * y->dim[3];
    kernel->n_inputs = plan->node->n_inputs;
    gboolean is_spread = kernel->groups > 1 && kernel->groups >= omp_get_max_threads();
    kernel->n_tasks_at_once = is_spread ? omp_get_max_threads() : 1;
    kernel->n_threads = is_spread ? 1 : omp_get_max_threads();
    gint64 fitting = (is_spread ? THREAD_CHUNK_BYTES : CHUNK_BYTES) / (kernel->depth * (gint64)sizeof(float));
    kernel->chunk = MIN(MAX(fitting, CPU_MOST_PANEL), kernel->positions);
    return kernel;
}

static AimfKernel *plan_forward(AimfNodePlan *plan, const AimfConv2d *options)
{
    for (int i = 0; i < plan->node->n_inputs; i++)
        cpu_want_row_major(plan, i, AIMF_F32);
    cpu_give_row_major(plan, 0, AIMF_F32);
    ConvKernel *kernel = kernel_new(plan, cpu_input_shape(plan, 0), cpu_input_shape(plan, 1), cpu_output_shape(plan, 0),
                                    options, forward_run);
    plan_scratch(kernel, plan, kernel->outputs, kernel->chunk, kernel->depth, 0);
    return &kernel->base;
}

AimfKernel *cpu_plan_conv2d(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    return plan_forward(plan, &plan->node->attributes.conv2d);
}

/* The doubled picture is never made: patches are gathered from the small one. */
AimfKernel *cpu_plan_upsample_conv2d(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    return plan_forward(plan, NULL);
}

AimfKernel *cpu_plan_conv2d_backward_data(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    cpu_want_row_major(plan, 0, AIMF_F32);
    cpu_want_row_major(plan, 1, AIMF_F32);
    cpu_give_row_major(plan, 0, AIMF_F32);
    ConvKernel *kernel = kernel_new(plan, cpu_output_shape(plan, 0), cpu_input_shape(plan, 1), cpu_input_shape(plan, 0),
                                    &plan->node->attributes.conv2d, data_run);
    plan_scratch(kernel, plan, kernel->depth, kernel->chunk, kernel->outputs, (gsize)(kernel->depth * kernel->chunk));
    return &kernel->base;
}

AimfKernel *cpu_plan_conv2d_backward_weight(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    cpu_want_row_major(plan, 0, AIMF_F32);
    cpu_want_row_major(plan, 1, AIMF_F32);
    cpu_give_row_major(plan, 0, AIMF_F32);
    ConvKernel *kernel = kernel_new(plan, cpu_input_shape(plan, 0), cpu_output_shape(plan, 0), cpu_input_shape(plan, 1),
                                    &plan->node->attributes.conv2d, weight_run);
    plan_scratch(kernel, plan, kernel->outputs, kernel->depth, kernel->chunk, (gsize)(kernel->outputs * kernel->depth));
    return &kernel->base;
}
