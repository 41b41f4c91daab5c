/*
 * Convolutions in f32 as matrix products of gathered patches (im2col; Chellapilla et al. 2006), for shapes that oneDNN
 * has no kernel for: its fallbacks divide sums by the number of threads and allocate memory while they run. All three
 * directions, on row-major activations:
 *
 *   y (O, P) = weight (O, K) patches (K, P)      dpatches (K, P) = weight' dy      dweight = dy patches'
 *
 * for one picture after the other and CHUNK of its P output positions at a time; K counts input channels and taps.
 * What is in a chunk depends on the shape of a picture alone.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_gemm.h"

#include <omp.h>
#include <string.h>

enum { CHUNK_BYTES = 4 << 20 /* of patches */ };

typedef struct {
    AimfKernel base;
    gint64 n, inputs, outputs;    /* pictures, channels of x and of y */
    gint64 height, width;         /* of x, when it has been doubled */
    gint64 out_height, out_width; /* of y */
    gint64 kernel_height, kernel_width;
    gint64 stride, padding;         /* padding before; what is after follows from the sizes */
    int halvings;                   /* 1 where x is a picture whose pixels are seen doubled, else 0 */
    gint64 depth, positions, chunk; /* K, P and how many of P at a time */
    int n_inputs, n_threads;
    gsize panels, others; /* floats of scratch memory for panels, and for gradients of patches or the weight */
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
    gint64 y = at.row * kernel->stride + tap_row - kernel->padding;
    gint64 x = at.column * kernel->stride + tap_column - kernel->padding;
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

/* Scratch memory: panels, what else there is, and the product's own. */
static float *product_scratch(const ConvKernel *kernel)
{
    return kernel->scratch + kernel->panels + kernel->others;
}

static gboolean forward_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const ConvKernel *kernel = (ConvKernel *)base;
    for (gint64 i = 0; i < kernel->n; i++)
        for (gint64 first = 0; first < kernel->positions; first += kernel->chunk) {
            gint64 n = MIN(kernel->chunk, kernel->positions - first);
            CpuGemm gemm = cpu_gemm(kernel->outputs, n, kernel->depth, kernel->n_threads);
            gather_by_position(kernel, kernel->in[0] + i * kernel->inputs * pixels(kernel), first, n, kernel->scratch);
            cpu_gemm_run(&gemm, &(CpuGemmOperands){
                                    .a = { kernel->in[1], kernel->depth, 1 },
                                    .panels = kernel->scratch,
                                    .row_bias = kernel->in[2],
                                    .c = kernel->out + i * kernel->outputs * kernel->positions + first,
                                    .c_row = kernel->positions,
                                    .scratch = product_scratch(kernel),
                                });
        }
    return TRUE;
}

static gboolean data_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const ConvKernel *kernel = (ConvKernel *)base;
    gint64 each = kernel->inputs * pixels(kernel);
    float *gradients = kernel->scratch + kernel->panels;
    memset(kernel->out, 0, (gsize)(kernel->n * each) * sizeof *kernel->out);
    for (gint64 i = 0; i < kernel->n; i++)
        for (gint64 first = 0; first < kernel->positions; first += kernel->chunk) {
            gint64 n = MIN(kernel->chunk, kernel->positions - first);
            const float *dy = kernel->in[0] + i * kernel->outputs * kernel->positions + first;
            CpuGemm gemm = cpu_gemm(kernel->depth, n, kernel->outputs, kernel->n_threads);
            cpu_gemm_pack(&(CpuMatrix){ dy, kernel->positions, 1 }, kernel->outputs, n, kernel->scratch);
            cpu_gemm_run(&gemm, &(CpuGemmOperands){
                                    .a = { kernel->in[1], 1, kernel->depth },
                                    .panels = kernel->scratch,
                                    .c = gradients,
                                    .c_row = n,
                                    .scratch = product_scratch(kernel),
                                });
            scatter(kernel, gradients, first, n, kernel->out + i * each);
        }
    return TRUE;
}

/* Each chunk's sums apart and then added up, so that no sum is as long as all positions of all pictures. */
static gboolean weight_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const ConvKernel *kernel = (ConvKernel *)base;
    gint64 elements = kernel->outputs * kernel->depth;
    float *part = kernel->scratch + kernel->panels;
    memset(kernel->out, 0, (gsize)elements * sizeof *kernel->out);
    for (gint64 i = 0; i < kernel->n; i++)
        for (gint64 first = 0; first < kernel->positions; first += kernel->chunk) {
            gint64 n = MIN(kernel->chunk, kernel->positions - first);
            const float *dy = kernel->in[1] + i * kernel->outputs * kernel->positions + first;
            CpuGemm gemm = cpu_gemm(kernel->outputs, kernel->depth, n, kernel->n_threads);
            gather_by_weight(kernel, kernel->in[0] + i * kernel->inputs * pixels(kernel), first, n, kernel->scratch);
            cpu_gemm_run(&gemm, &(CpuGemmOperands){
                                    .a = { dy, kernel->positions, 1 },
                                    .panels = kernel->scratch,
                                    .c = part,
                                    .c_row = kernel->depth,
                                    .scratch = product_scratch(kernel),
                                });
#pragma omp parallel for simd schedule(static) num_threads(kernel->n_threads)
            for (gint64 e = 0; e < elements; e++)
                kernel->out[e] += part[e];
        }
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
    plan->scratch_bytes = (kernel->panels + kernel->others) * sizeof(float) + cpu_gemm_scratch_bytes(&gemm);
}

static ConvKernel *kernel_new(const AimfNodePlan *plan, const AimfShape *x, const AimfShape *weight, const AimfShape *y,
                              int halvings, gboolean (*run)(AimfKernel *, AimfStream *, GError **))
{
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    ConvKernel *kernel = g_new0(ConvKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:patches", bind, run, kernel_free };
    kernel->n = x->dim[0];
    kernel->inputs = x->dim[1];
    kernel->outputs = y->dim[1];
    kernel->height = x->dim[2] << halvings;
    kernel->width = x->dim[3] << halvings;
    kernel->out_height = y->dim[2];
    kernel->out_width = y->dim[3];
    kernel->kernel_height = weight->dim[2];
    kernel->kernel_width = weight->dim[3];
    kernel->stride = halvings ? 1 : options->stride;
    kernel->padding = halvings ? 1 : options->padding;
    kernel->halvings = halvings;
    kernel->depth = weight->dim[1] * weight->dim[2] * weight->dim[3];
    kernel->positions = y->dim[2] * y->dim[3];
    kernel->chunk = MIN(MAX(CHUNK_BYTES / (kernel->depth * (gint64)sizeof(float)), CPU_MOST_PANEL), kernel->positions);
    kernel->n_inputs = plan->node->n_inputs;
    kernel->n_threads = omp_get_max_threads();
    return kernel;
}

static AimfKernel *plan_forward(AimfNodePlan *plan, int halvings)
{
    for (int i = 0; i < plan->node->n_inputs; i++)
        cpu_want_row_major(plan, i, AIMF_F32);
    cpu_give_row_major(plan, 0, AIMF_F32);
    ConvKernel *kernel = kernel_new(plan, cpu_input_shape(plan, 0), cpu_input_shape(plan, 1), cpu_output_shape(plan, 0),
                                    halvings, forward_run);
    plan_scratch(kernel, plan, kernel->outputs, kernel->chunk, kernel->depth, 0);
    return &kernel->base;
}

AimfKernel *cpu_plan_conv2d(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    return plan_forward(plan, 0);
}

/* The doubled picture is never made: patches are gathered from the small one. */
AimfKernel *cpu_plan_upsample_conv2d(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    return plan_forward(plan, 1);
}

AimfKernel *cpu_plan_conv2d_backward_data(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    cpu_want_row_major(plan, 0, AIMF_F32);
    cpu_want_row_major(plan, 1, AIMF_F32);
    cpu_give_row_major(plan, 0, AIMF_F32);
    ConvKernel *kernel =
        kernel_new(plan, cpu_output_shape(plan, 0), cpu_input_shape(plan, 1), cpu_input_shape(plan, 0), 0, data_run);
    plan_scratch(kernel, plan, kernel->depth, kernel->chunk, kernel->outputs, (gsize)(kernel->depth * kernel->chunk));
    return &kernel->base;
}

AimfKernel *cpu_plan_conv2d_backward_weight(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    cpu_want_row_major(plan, 0, AIMF_F32);
    cpu_want_row_major(plan, 1, AIMF_F32);
    cpu_give_row_major(plan, 0, AIMF_F32);
    ConvKernel *kernel =
        kernel_new(plan, cpu_input_shape(plan, 0), cpu_output_shape(plan, 0), cpu_input_shape(plan, 1), 0, weight_run);
    plan_scratch(kernel, plan, kernel->outputs, kernel->depth, kernel->chunk, (gsize)(kernel->outputs * kernel->depth));
    return &kernel->base;
}
