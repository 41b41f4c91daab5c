/* Dropout: numbers are drawn where they are used, four in a block of the generator. */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_vector.h"
#include "graph/dropout_draw.h"

/* y = x times what element, or sample, drew; for the elements [begin, end), of which begin is a multiple of four. */
typedef void (*Drop)(const AimfDropoutDraw *draw, const void *x, void *y, gint64 begin, gint64 end);
/* y = x times @factor. */
typedef void (*Scale)(float factor, const void *x, void *y, gint64 begin, gint64 end);

enum { BLOCKS = 64 };

#define DROP(name, TARGET, TYPE, LOAD, STORE)                                                                          \
    TARGET static void name(const AimfDropoutDraw *draw, const void *x, void *y, gint64 begin, gint64 end)             \
    {                                                                                                                  \
        const TYPE *xs = x;                                                                                            \
        TYPE *ys = y;                                                                                                  \
        guint32 numbers[4 * BLOCKS], limit = draw->limit;                                                              \
        float scale = draw->scale;                                                                                     \
        for (gint64 first = begin; first < end; first += 4 * BLOCKS) {                                                 \
            guint64 block = (guint64)first / 4;                                                                        \
            for (guint32 b = 0; b < BLOCKS; b++)                                                                       \
                aimf_dropout_numbers(draw, block + b, numbers + 4 * b);                                                \
            gint64 n = MIN(4 * BLOCKS, end - first);                                                                   \
            for (gint64 i = 0; i < n; i++)                                                                             \
                ys[first + i] = STORE(LOAD(xs[first + i]) * (numbers[i] < limit ? 0 : scale));                         \
        }                                                                                                              \
    }                                                                                                                  \
    TARGET static void name##_scale(float factor, const void *x, void *y, gint64 begin, gint64 end)                    \
    {                                                                                                                  \
        const TYPE *xs = x;                                                                                            \
        TYPE *ys = y;                                                                                                  \
        _Pragma("omp simd") for (gint64 i = begin; i < end; i++) ys[i] = STORE(LOAD(xs[i]) * factor);                  \
    }

DROP(drop_f32, CPU_BASELINE, float, CPU_SAME, CPU_SAME)
DROP(drop_f32_avx2, CPU_AVX2, float, CPU_SAME, CPU_SAME)
DROP(drop_f32_avx512, CPU_AVX512, float, CPU_SAME, CPU_SAME)
DROP(drop_bf16, CPU_AVX512, guint16, cpu_from_bf16, cpu_to_bf16)

static const Drop drops[2][AIMF_N_ISAS] = CPU_FORMS(drop);
static const Scale scales[2][AIMF_N_ISAS] = {
    { drop_f32_scale, drop_f32_avx2_scale, drop_f32_avx512_scale, drop_f32_avx512_scale },
    { [AIMF_ISA_AVX512_BF16] = drop_bf16_scale },
};

typedef struct {
    AimfKernel base;
    AimfDropout options;
    gint64 n, samples; /* elements, padding included */
    Drop drop;
    Scale scale;
    const void *x;
    const float *numbers; /* (2) which tell the draw */
    void *y;
} DropoutKernel;

static void bind(AimfKernel *base, void *const *addresses)
{
    DropoutKernel *kernel = (DropoutKernel *)base;
    kernel->x = addresses[0];
    kernel->numbers = addresses[1];
    kernel->y = addresses[2];
}

enum { CHUNK = 1 << 14 }; /* elements: small beside the cache, large beside the cost of a call */

static gboolean run_elements(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const DropoutKernel *kernel = (DropoutKernel *)base;
    AimfDropoutDraw draw = aimf_dropout_draw(&kernel->options, kernel->numbers);
#pragma omp parallel for schedule(static)
    for (gint64 begin = 0; begin < kernel->n; begin += CHUNK)
        kernel->drop(&draw, kernel->x, kernel->y, begin, MIN(begin + CHUNK, kernel->n));
    return TRUE;
}

static gboolean run_samples(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const DropoutKernel *kernel = (DropoutKernel *)base;
    AimfDropoutDraw draw = aimf_dropout_draw(&kernel->options, kernel->numbers);
    gint64 each = kernel->n / kernel->samples, pieces = (each + CHUNK - 1) / CHUNK;
#pragma omp parallel for collapse(2) schedule(static)
    for (gint64 sample = 0; sample < kernel->samples; sample++)
        for (gint64 piece = 0; piece < pieces; piece++) {
            gint64 begin = sample * each + piece * CHUNK;
            kernel->scale(aimf_dropout_factor(&draw, sample), kernel->x, kernel->y, begin,
                          MIN(begin + CHUNK, (sample + 1) * each));
        }
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

/* Samples lie one behind the other in every layout with a view; elements are counted in row-major order. */
AimfKernel *cpu_plan_dropout(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    const AimfDropout *options = &plan->node->attributes.dropout;
    AimfDtype dtype = plan->in[0].dtype;
    if (options->samples)
        cpu_want_viewable(plan, 0);
    else
        cpu_want_row_major(plan, 0, dtype);
    cpu_want_row_major(plan, 1, AIMF_F32);
    plan->out[0] = plan->in[0];
    plan->overwrites[0] = 0;
    DropoutKernel *kernel = g_new0(DropoutKernel, 1);
    kernel->base = (AimfKernel){ cpu_form_name(), bind, options->samples ? run_samples : run_elements, kernel_free };
    kernel->options = *options;
    kernel->n = (gint64)(plan->in[0].bytes / aimf_dtype_bytes(dtype));
    kernel->samples = options->samples ? cpu_input_shape(plan, 0)->dim[0] : 0;
    kernel->drop = drops[dtype == AIMF_BF16][aimf_instruction_set()];
    kernel->scale = scales[dtype == AIMF_BF16][aimf_instruction_set()];
    return &kernel->base;
}
