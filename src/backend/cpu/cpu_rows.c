/* Operations on rows of channels, (N, T, C), each row by itself: layer normalisation and GEGLU. */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_vector.h"

#include <math.h>

typedef struct RowsKernel RowsKernel;
typedef void (*Rows)(const RowsKernel *kernel, gint64 begin, gint64 end);

struct RowsKernel {
    AimfKernel base;
    Rows loop;
    gint64 rows, channels; /* of the result */
    double epsilon;
    int n_inputs;
    const void *x, *dy;
    const float *weight, *bias;
    void *y;
};

#define LAYER_NORM(name, TARGET, TYPE, LOAD, LOAD_HALF, STORE)                                                         \
    TARGET static void name(const RowsKernel *kernel, gint64 begin, gint64 end)                                        \
    {                                                                                                                  \
        gint64 channels = kernel->channels;                                                                            \
        const float *weight = kernel->weight, *bias = kernel->bias;                                                    \
        for (gint64 row = begin; row < end; row++) {                                                                   \
            const TYPE *x = (const TYPE *)kernel->x + row * channels;                                                  \
            TYPE *y = (TYPE *)kernel->y + row * channels;                                                              \
            CPU_ROW_MOMENTS(shift, rest, scale, x, channels, kernel->epsilon, LOAD, LOAD_HALF);                        \
            _Pragma("omp simd") for (gint64 c = 0; c < channels; c++) y[c] =                                           \
                STORE((LOAD(x[c]) - shift - rest) * scale * weight[c] + bias[c]);                                      \
        }                                                                                                              \
    }

LAYER_NORM(layer_norm_f32, CPU_BASELINE, float, CPU_SAME, CPU_LOAD_HALF_F32, CPU_SAME)
LAYER_NORM(layer_norm_f32_avx2, CPU_AVX2, float, CPU_SAME, CPU_LOAD_HALF_F32, CPU_SAME)
LAYER_NORM(layer_norm_f32_avx512, CPU_AVX512, float, CPU_SAME, CPU_LOAD_HALF_F32, CPU_SAME)
LAYER_NORM(layer_norm_bf16, CPU_AVX512, guint16, cpu_from_bf16, CPU_LOAD_HALF_BF16, cpu_to_bf16)

#define GEGLU(name, TARGET, TYPE, LOAD, STORE)                                                                         \
    TARGET static void name(const RowsKernel *kernel, gint64 begin, gint64 end)                                        \
    {                                                                                                                  \
        gint64 channels = kernel->channels;                                                                            \
        for (gint64 row = begin; row < end; row++) {                                                                   \
            const TYPE *x = (const TYPE *)kernel->x + row * 2 * channels, *gate = x + channels;                        \
            TYPE *y = (TYPE *)kernel->y + row * channels;                                                              \
            _Pragma("omp simd") for (gint64 c = 0; c < channels; c++) y[c] =                                           \
                STORE(LOAD(x[c]) * cpu_gelu(LOAD(gate[c])));                                                           \
        }                                                                                                              \
    }

/* (rows, 2 C) and dy (rows, C) -> dx (rows, 2 C) */
#define GEGLU_BACKWARD(name, TARGET, TYPE, LOAD, STORE)                                                                \
    TARGET static void name(const RowsKernel *kernel, gint64 begin, gint64 end)                                        \
    {                                                                                                                  \
        gint64 channels = kernel->channels / 2;                                                                        \
        for (gint64 row = begin; row < end; row++) {                                                                   \
            const TYPE *x = (const TYPE *)kernel->x + row * 2 * channels, *gate = x + channels;                        \
            const TYPE *dy = (const TYPE *)kernel->dy + row * channels;                                                \
            TYPE *dx = (TYPE *)kernel->y + row * 2 * channels, *dgate = dx + channels;                                 \
            _Pragma("omp simd") for (gint64 c = 0; c < channels; c++)                                                  \
            {                                                                                                          \
                float value = LOAD(x[c]), g = LOAD(gate[c]), d = LOAD(dy[c]);                                          \
                dx[c] = STORE(d * cpu_gelu(g));                                                                        \
                dgate[c] = STORE(d * value * cpu_gelu_slope(g));                                                       \
            }                                                                                                          \
        }                                                                                                              \
    }

GEGLU(geglu_f32, CPU_BASELINE, float, CPU_SAME, CPU_SAME)
GEGLU(geglu_f32_avx2, CPU_AVX2, float, CPU_SAME, CPU_SAME)
GEGLU(geglu_f32_avx512, CPU_AVX512, float, CPU_SAME, CPU_SAME)
GEGLU(geglu_bf16, CPU_AVX512, guint16, cpu_from_bf16, cpu_to_bf16)
GEGLU_BACKWARD(geglu_backward_f32, CPU_BASELINE, float, CPU_SAME, CPU_SAME)
GEGLU_BACKWARD(geglu_backward_f32_avx2, CPU_AVX2, float, CPU_SAME, CPU_SAME)
GEGLU_BACKWARD(geglu_backward_f32_avx512, CPU_AVX512, float, CPU_SAME, CPU_SAME)
GEGLU_BACKWARD(geglu_backward_bf16, CPU_AVX512, guint16, cpu_from_bf16, cpu_to_bf16)

static const Rows layer_norms[2][AIMF_N_ISAS] = CPU_FORMS(layer_norm), geglus[2][AIMF_N_ISAS] = CPU_FORMS(geglu),
                  geglu_backwards[2][AIMF_N_ISAS] = CPU_FORMS(geglu_backward);

static void bind(AimfKernel *base, void *const *addresses)
{
    RowsKernel *kernel = (RowsKernel *)base;
    kernel->x = addresses[0];
    kernel->dy = addresses[1];
    kernel->weight = kernel->n_inputs > 1 ? addresses[1] : NULL;
    kernel->bias = kernel->n_inputs > 2 ? addresses[2] : NULL;
    kernel->y = addresses[kernel->n_inputs];
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    enum { ROWS = 16 }; /* at a time: far more work than handing them out */
    const RowsKernel *kernel = (RowsKernel *)base;
#pragma omp parallel for schedule(static)
    for (gint64 row = 0; row < kernel->rows; row += ROWS)
        kernel->loop(kernel, row, MIN(row + ROWS, kernel->rows));
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

static RowsKernel *plan_rows(AimfNodePlan *plan, const Rows loops[2][AIMF_N_ISAS])
{
    AimfDtype dtype = cpu_compute_dtype(plan);
    cpu_want_row_major(plan, 0, dtype);
    cpu_give_row_major(plan, 0, dtype);
    const AimfShape *y = cpu_output_shape(plan, 0);
    RowsKernel *kernel = g_new0(RowsKernel, 1);
    kernel->base = (AimfKernel){ cpu_form_name(), bind, run, kernel_free };
    kernel->loop = loops[dtype == AIMF_BF16][aimf_instruction_set()];
    kernel->channels = y->dim[y->rank - 1];
    kernel->rows = aimf_shape_count(y) / kernel->channels;
    kernel->n_inputs = plan->node->n_inputs;
    return kernel;
}

AimfKernel *cpu_plan_layer_norm(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    RowsKernel *kernel = plan_rows(plan, layer_norms);
    cpu_want_row_major(plan, 1, AIMF_F32);
    cpu_want_row_major(plan, 2, AIMF_F32);
    plan->overwrites[0] = 0;
    kernel->epsilon = plan->node->attributes.number;
    return &kernel->base;
}

AimfKernel *cpu_plan_geglu(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    return &plan_rows(plan, geglus)->base;
}

AimfKernel *cpu_plan_geglu_backward(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    RowsKernel *kernel = plan_rows(plan, geglu_backwards);
    cpu_want_row_major(plan, 1, cpu_compute_dtype(plan));
    plan->overwrites[0] = 0;
    return &kernel->base;
}
