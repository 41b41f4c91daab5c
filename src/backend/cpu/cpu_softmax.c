/*
 * Softmax along any dimension, and its gradient: rows where that is the last, otherwise strips of columns that lie side
 * by side.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_vector.h"

#include <math.h>

enum {
    COLUMNS = 64, /* that one thread takes at a time */
    CHUNK = 1024, /* numbers that are summed in f32 before double takes over */
};

typedef struct SoftmaxKernel SoftmaxKernel;
/* Works on a row, or on @width columns from element @first on. */
typedef void (*Strip)(const SoftmaxKernel *kernel, gint64 first, gint64 width);

struct SoftmaxKernel {
    AimfKernel base;
    Strip strip;
    gint64 outer, n, step; /* elements of a row or column lie @step apart */
    int n_inputs;
    const void *x, *dy; /* backward: y stands for x, and dx for y */
    void *y;
};

#define SOFTMAX_ROW(name, TARGET, TYPE, LOAD, STORE)                                                                   \
    TARGET static void name(const SoftmaxKernel *kernel, gint64 first, gint64 width)                                   \
    {                                                                                                                  \
        (void)width;                                                                                                   \
        const TYPE *x = (const TYPE *)kernel->x + first;                                                               \
        TYPE *y = (TYPE *)kernel->y + first;                                                                           \
        gint64 n = kernel->n;                                                                                          \
        float most = -INFINITY;                                                                                        \
        _Pragma("omp simd reduction(max : most)") for (gint64 i = 0; i < n; i++) most =                                \
            LOAD(x[i]) > most ? LOAD(x[i]) : most;                                                                     \
        double sum = 0;                                                                                                \
        for (gint64 begin = 0; begin < n; begin += CHUNK) {                                                            \
            gint64 end = MIN(begin + CHUNK, n);                                                                        \
            float part = 0;                                                                                            \
            _Pragma("omp simd reduction(+ : part)") for (gint64 i = begin; i < end; i++) part +=                       \
                cpu_weight(LOAD(x[i]) - most);                                                                         \
            sum += (double)part;                                                                                       \
        }                                                                                                              \
        float scale = (float)(1 / sum);                                                                                \
        _Pragma("omp simd") for (gint64 i = 0; i < n; i++) y[i] = STORE(cpu_weight(LOAD(x[i]) - most) * scale);        \
    }

SOFTMAX_ROW(row_f32, CPU_BASELINE, float, CPU_SAME, CPU_SAME)
SOFTMAX_ROW(row_f32_avx2, CPU_AVX2, float, CPU_SAME, CPU_SAME)
SOFTMAX_ROW(row_f32_avx512, CPU_AVX512, float, CPU_SAME, CPU_SAME)
SOFTMAX_ROW(row_bf16, CPU_AVX512, guint16, cpu_from_bf16, cpu_to_bf16)

#define SOFTMAX_COLUMNS(name, TARGET, TYPE, LOAD, STORE)                                                               \
    TARGET static void name(const SoftmaxKernel *kernel, gint64 first, gint64 width)                                   \
    {                                                                                                                  \
        const TYPE *x = (const TYPE *)kernel->x + first;                                                               \
        TYPE *y = (TYPE *)kernel->y + first;                                                                           \
        gint64 step = kernel->step, n = kernel->n * step;                                                              \
        float most[COLUMNS], scale[COLUMNS];                                                                           \
        double sum[COLUMNS];                                                                                           \
        for (gint64 l = 0; l < width; l++) {                                                                           \
            most[l] = -INFINITY;                                                                                       \
            sum[l] = 0;                                                                                                \
        }                                                                                                              \
        for (gint64 i = 0; i < n; i += step)                                                                           \
            _Pragma("omp simd") for (gint64 l = 0; l < width; l++) most[l] =                                           \
                LOAD(x[i + l]) > most[l] ? LOAD(x[i + l]) : most[l];                                                   \
        for (gint64 i = 0; i < n; i += step)                                                                           \
            _Pragma("omp simd") for (gint64 l = 0; l < width; l++) sum[l] +=                                           \
                (double)cpu_weight(LOAD(x[i + l]) - most[l]);                                                          \
        for (gint64 l = 0; l < width; l++)                                                                             \
            scale[l] = (float)(1 / sum[l]);                                                                            \
        for (gint64 i = 0; i < n; i += step)                                                                           \
            _Pragma("omp simd") for (gint64 l = 0; l < width; l++) y[i + l] =                                          \
                STORE(cpu_weight(LOAD(x[i + l]) - most[l]) * scale[l]);                                                \
    }

SOFTMAX_COLUMNS(columns_f32, CPU_BASELINE, float, CPU_SAME, CPU_SAME)
SOFTMAX_COLUMNS(columns_f32_avx2, CPU_AVX2, float, CPU_SAME, CPU_SAME)
SOFTMAX_COLUMNS(columns_f32_avx512, CPU_AVX512, float, CPU_SAME, CPU_SAME)
SOFTMAX_COLUMNS(columns_bf16, CPU_AVX512, guint16, cpu_from_bf16, cpu_to_bf16)

/*
 * dx = y (dy - mean of dy, y being the weights). Dividing by the sum of y, which rounding to bf16 leaves near 1 only,
 * keeps what nearly cancels where one y is nearly 1.
 */
#define BACKWARD_ROW(name, TARGET, TYPE, LOAD, LOAD_HALF, STORE)                                                       \
    TARGET static void name(const SoftmaxKernel *kernel, gint64 first, gint64 width)                                   \
    {                                                                                                                  \
        (void)width;                                                                                                   \
        const TYPE *y = (const TYPE *)kernel->x + first, *dy = (const TYPE *)kernel->dy + first;                       \
        TYPE *dx = (TYPE *)kernel->y + first;                                                                          \
        gint64 n = kernel->n, whole = n / CPU_HALF * CPU_HALF;                                                         \
        CpuHalf sums = { 0 }, totals = { 0 };                                                                          \
        double sum = 0, total = 0;                                                                                     \
        for (gint64 i = 0; i < whole; i += CPU_HALF) {                                                                 \
            CpuHalf v, g;                                                                                              \
            LOAD_HALF(v, y + i);                                                                                       \
            LOAD_HALF(g, dy + i);                                                                                      \
            sums += v * g;                                                                                             \
            totals += v;                                                                                               \
        }                                                                                                              \
        float parts[2][CPU_HALF];                                                                                      \
        memcpy(parts[0], &sums, sizeof sums);                                                                          \
        memcpy(parts[1], &totals, sizeof totals);                                                                      \
        for (gint64 i = whole; i < n; i++) {                                                                           \
            parts[0][i - whole] += LOAD(y[i]) * LOAD(dy[i]);                                                           \
            parts[1][i - whole] += LOAD(y[i]);                                                                         \
        }                                                                                                              \
        for (int l = 0; l < CPU_HALF; l++) {                                                                           \
            sum += (double)parts[0][l];                                                                                \
            total += (double)parts[1][l];                                                                              \
        }                                                                                                              \
        float mean = (float)(sum / total);                                                                             \
        _Pragma("omp simd") for (gint64 i = 0; i < n; i++) dx[i] = STORE(LOAD(y[i]) * (LOAD(dy[i]) - mean));           \
    }

BACKWARD_ROW(backward_row_f32, CPU_BASELINE, float, CPU_SAME, CPU_LOAD_HALF_F32, CPU_SAME)
BACKWARD_ROW(backward_row_f32_avx2, CPU_AVX2, float, CPU_SAME, CPU_LOAD_HALF_F32, CPU_SAME)
BACKWARD_ROW(backward_row_f32_avx512, CPU_AVX512, float, CPU_SAME, CPU_LOAD_HALF_F32, CPU_SAME)
BACKWARD_ROW(backward_row_bf16, CPU_AVX512, guint16, cpu_from_bf16, CPU_LOAD_HALF_BF16, cpu_to_bf16)

#define BACKWARD_COLUMNS(name, TARGET, TYPE, LOAD, STORE)                                                              \
    TARGET static void name(const SoftmaxKernel *kernel, gint64 first, gint64 width)                                   \
    {                                                                                                                  \
        const TYPE *y = (const TYPE *)kernel->x + first, *dy = (const TYPE *)kernel->dy + first;                       \
        TYPE *dx = (TYPE *)kernel->y + first;                                                                          \
        gint64 step = kernel->step, n = kernel->n * step;                                                              \
        float mean[COLUMNS];                                                                                           \
        double sum[COLUMNS], total[COLUMNS];                                                                           \
        for (gint64 l = 0; l < width; l++)                                                                             \
            sum[l] = total[l] = 0;                                                                                     \
        for (gint64 i = 0; i < n; i += step)                                                                           \
            _Pragma("omp simd") for (gint64 l = 0; l < width; l++)                                                     \
            {                                                                                                          \
                sum[l] += (double)LOAD(y[i + l]) * (double)LOAD(dy[i + l]);                                            \
                total[l] += (double)LOAD(y[i + l]);                                                                    \
            }                                                                                                          \
        for (gint64 l = 0; l < width; l++)                                                                             \
            mean[l] = (float)(sum[l] / total[l]);                                                                      \
        for (gint64 i = 0; i < n; i += step)                                                                           \
            _Pragma("omp simd") for (gint64 l = 0; l < width; l++) dx[i + l] =                                         \
                STORE(LOAD(y[i + l]) * (LOAD(dy[i + l]) - mean[l]));                                                   \
    }

BACKWARD_COLUMNS(backward_columns_f32, CPU_BASELINE, float, CPU_SAME, CPU_SAME)
BACKWARD_COLUMNS(backward_columns_f32_avx2, CPU_AVX2, float, CPU_SAME, CPU_SAME)
BACKWARD_COLUMNS(backward_columns_f32_avx512, CPU_AVX512, float, CPU_SAME, CPU_SAME)
BACKWARD_COLUMNS(backward_columns_bf16, CPU_AVX512, guint16, cpu_from_bf16, cpu_to_bf16)

static const Strip rows[2][AIMF_N_ISAS] = CPU_FORMS(row), columns[2][AIMF_N_ISAS] = CPU_FORMS(columns);
static const Strip backward_rows[2][AIMF_N_ISAS] = CPU_FORMS(backward_row);
static const Strip backward_columns[2][AIMF_N_ISAS] = CPU_FORMS(backward_columns);

static void bind(AimfKernel *base, void *const *addresses)
{
    SoftmaxKernel *kernel = (SoftmaxKernel *)base;
    kernel->x = addresses[0];
    kernel->dy = addresses[kernel->n_inputs - 1];
    kernel->y = addresses[kernel->n_inputs];
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const SoftmaxKernel *kernel = (SoftmaxKernel *)base;
    gint64 width = kernel->step == 1 ? 1 : COLUMNS, strips = (kernel->step + width - 1) / width;
#pragma omp parallel for schedule(static)
    for (gint64 i = 0; i < kernel->outer * strips; i++) {
        gint64 column = i % strips * width;
        kernel->strip(kernel, i / strips * kernel->n * kernel->step + column, MIN(width, kernel->step - column));
    }
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

AimfKernel *cpu_plan_softmax(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    AimfDtype dtype = cpu_compute_dtype(plan);
    const AimfShape *shape = cpu_input_shape(plan, 0);
    gboolean is_backward = plan->node->op == AIMF_OP_SOFTMAX_BACKWARD;
    for (int i = 0; i < plan->node->n_inputs; i++)
        cpu_want_row_major(plan, i, dtype);
    cpu_give_row_major(plan, 0, dtype);
    plan->overwrites[0] = is_backward ? 1 : 0;

    SoftmaxKernel *kernel = g_new0(SoftmaxKernel, 1);
    kernel->base = (AimfKernel){ cpu_form_name(), bind, run, kernel_free };
    kernel->n = shape->dim[plan->node->attributes.axis];
    kernel->step = 1;
    for (int i = plan->node->attributes.axis + 1; i < shape->rank; i++)
        kernel->step *= shape->dim[i];
    kernel->outer = aimf_shape_count(shape) / (kernel->n * kernel->step);
    kernel->n_inputs = plan->node->n_inputs;
    gboolean is_bf16 = dtype == AIMF_BF16, is_row = kernel->step == 1;
    AimfInstructionSet level = aimf_instruction_set();
    if (is_backward)
        kernel->strip = (is_row ? backward_rows : backward_columns)[is_bf16][level];
    else
        kernel->strip = (is_row ? rows : columns)[is_bf16][level];
    return &kernel->base;
}
