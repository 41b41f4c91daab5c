/*
 * What a step does to whole buckets beside SGD: clipping, AdamW, averages. Loops in f32 that the compiler makes into
 * vector code; the order of every sum depends on the bucket's length alone.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_vector.h"

#include <math.h>

enum { CHUNK = 1 << 14, MAX_OPERANDS_HERE = 6 };

/* All kernels here: the node's operands, scratch behind them. @n: elements of the first */
typedef struct {
    AimfKernel base;
    gsize n, n_sums;
    int n_operands;
    AimfAttributes attributes;
    void *operands[MAX_OPERANDS_HERE + 1];
} UpdateKernel;

static void bind(AimfKernel *base, void *const *addresses)
{
    UpdateKernel *kernel = (UpdateKernel *)base;
    for (int i = 0; i <= kernel->n_operands; i++)
        kernel->operands[i] = addresses[i];
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

/* @f64: the operand that is in f64, or -1 */
static UpdateKernel *kernel_new(AimfNodePlan *plan, int f64, gboolean (*run)(AimfKernel *, AimfStream *, GError **))
{
    UpdateKernel *kernel = g_new0(UpdateKernel, 1);
    for (int i = 0; i < plan->node->n_inputs; i++)
        cpu_want_row_major(plan, i, i == f64 ? AIMF_F64 : AIMF_F32);
    kernel->base = (AimfKernel){ cpu_form_name(), bind, run, kernel_free };
    kernel->n = (gsize)aimf_shape_count(cpu_input_shape(plan, 0));
    kernel->n_operands = plan->node->n_inputs;
    kernel->attributes = plan->node->attributes;
    return kernel;
}

/* --- Clipping: torch.nn.utils.clip_grad_norm_ --- */

static double sum_of_squares(const float *values, gsize n)
{
    enum { LANES = 8 };
    double sums[LANES] = { 0 }, sum = 0;
    gsize i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            sums[k] += (double)values[i + (gsize)k] * (double)values[i + (gsize)k];
    for (; i < n; i++)
        sum += (double)values[i] * (double)values[i];
    for (int k = 0; k < LANES; k++)
        sum += sums[k];
    return sum;
}

static gsize n_chunks(gsize n)
{
    return (n + CHUNK - 1) / CHUNK;
}

static gboolean squares_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const UpdateKernel *kernel = (const UpdateKernel *)base;
    const float *gradients = kernel->operands[0];
    double *sums = kernel->operands[1], *parts = kernel->operands[2], sum = 0;
    gsize n = kernel->n;
#pragma omp parallel for schedule(static)
    for (gsize c = 0; c < n_chunks(n); c++)
        parts[c] = sum_of_squares(gradients + c * CHUNK, MIN((gsize)CHUNK, n - c * CHUNK));
    for (gsize c = 0; c < n_chunks(n); c++)
        sum += parts[c];
    sums[kernel->attributes.index] = sum;
    return TRUE;
}

AimfKernel *cpu_plan_squares(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    UpdateKernel *kernel = kernel_new(plan, 1, squares_run);
    plan->scratch_bytes = n_chunks(kernel->n) * sizeof(double);
    return &kernel->base;
}

static gboolean clip_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const UpdateKernel *kernel = (const UpdateKernel *)base;
    float *gradients = kernel->operands[0];
    const double *sums = kernel->operands[1];
    double squares = 0;
    for (gsize i = 0; i < kernel->n_sums; i++)
        squares += sums[i];
    double factor = kernel->attributes.number / (sqrt(squares) + 1e-6);
    if (factor >= 1)
        return TRUE;
    float scale = (float)factor;
#pragma omp parallel for schedule(static)
    for (gsize begin = 0; begin < kernel->n; begin += CHUNK)
        for (gsize i = begin; i < MIN(begin + CHUNK, kernel->n); i++)
            gradients[i] *= scale;
    return TRUE;
}

AimfKernel *cpu_plan_clip_norm(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    UpdateKernel *kernel = kernel_new(plan, 1, clip_run);
    kernel->n_sums = (gsize)aimf_shape_count(cpu_input_shape(plan, 1));
    return &kernel->base;
}

/* --- AdamW: torch.optim.AdamW without amsgrad --- */

static gboolean count_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    double *steps = ((const UpdateKernel *)base)->operands[0];
    *steps += 1;
    return TRUE;
}

AimfKernel *cpu_plan_count_step(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    return &kernel_new(plan, 0, count_run)->base;
}

/* @new_mean, @new_square: 1 - beta; @kept: what decay leaves of a parameter; @root: of the correction of squares */
typedef struct {
    float new_mean, square_beta, new_square, kept, step, root, epsilon;
} AdamwFactors;

#define ADAMW_LOOP(name, target)                                                                                       \
    target static void name(const AdamwFactors *f, float *restrict p, const float *restrict g, float *restrict m,      \
                            float *restrict v, gsize n)                                                                \
    {                                                                                                                  \
        for (gsize i = 0; i < n; i++) {                                                                                \
            float mean = m[i] + f->new_mean * (g[i] - m[i]);                                                           \
            float square = f->square_beta * v[i] + f->new_square * g[i] * g[i];                                        \
            m[i] = mean;                                                                                               \
            v[i] = square;                                                                                             \
            p[i] = f->kept * p[i] - f->step * (mean / (__builtin_sqrtf(square) / f->root + f->epsilon));               \
        }                                                                                                              \
    }
ADAMW_LOOP(adamw_plain, CPU_BASELINE)
ADAMW_LOOP(adamw_avx2, CPU_AVX2)
ADAMW_LOOP(adamw_avx512, CPU_AVX512)

static gboolean adamw_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    static void (*const loops[AIMF_N_ISAS])(const AdamwFactors *, float *, const float *, float *, float *,
                                            gsize) = { adamw_plain, adamw_avx2, adamw_avx512, adamw_avx512 };
    const UpdateKernel *kernel = (const UpdateKernel *)base;
    const AimfOptimizer *adamw = &kernel->attributes.optimizer;
    float *p = kernel->operands[0], *m = kernel->operands[2], *v = kernel->operands[3];
    const float *g = kernel->operands[1];
    double rate = (double)*(const float *)kernel->operands[4], steps = *(const double *)kernel->operands[5];
    const AdamwFactors factors = {
        .new_mean = (float)(1 - adamw->betas[0]),
        .square_beta = (float)adamw->betas[1],
        .new_square = (float)(1 - adamw->betas[1]),
        .kept = (float)(1 - rate * adamw->weight_decay),
        .step = (float)(rate / (1 - pow(adamw->betas[0], steps))),
        .root = (float)sqrt(1 - pow(adamw->betas[1], steps)),
        .epsilon = (float)adamw->epsilon,
    };
#pragma omp parallel for schedule(static)
    for (gsize at = 0; at < kernel->n; at += CHUNK)
        loops[aimf_instruction_set()](&factors, p + at, g + at, m + at, v + at, MIN((gsize)CHUNK, kernel->n - at));
    return TRUE;
}

AimfKernel *cpu_plan_adamw(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    return &kernel_new(plan, 5, adamw_run)->base;
}

/* --- Averages. In this form the average of what does not change stays what it is. --- */

static gboolean average_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const UpdateKernel *kernel = (const UpdateKernel *)base;
    const float *values = kernel->operands[0];
    float *averages = kernel->operands[1], share = (float)(1 - kernel->attributes.number);
#pragma omp parallel for schedule(static)
    for (gsize begin = 0; begin < kernel->n; begin += CHUNK)
        for (gsize i = begin; i < MIN(begin + CHUNK, kernel->n); i++)
            averages[i] += share * (values[i] - averages[i]);
    return TRUE;
}

AimfKernel *cpu_plan_average(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    return &kernel_new(plan, -1, average_run)->base;
}
