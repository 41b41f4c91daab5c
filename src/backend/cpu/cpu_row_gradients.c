/*
 * Gradients of rows: their sum, which is what a bias gets, and those of layer normalisation. What parameters get is
 * summed over all rows: in f32 over a few, and then in double, over blocks of rows whose number depends on that of all
 * rows alone. So the order is one at any number of threads.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_vector.h"

#include <math.h>
#include <string.h>

enum {
    MOST_BLOCKS = 64,
    FEWEST_ROWS = 16, /* of a block */
    CHUNK = 64,       /* rows that are summed in f32 */
};

typedef struct GradientKernel GradientKernel;
/* Works on rows [begin, end) and adds to @sums (n_sums, channels) what the parameters get of them. */
typedef void (*Rows)(const GradientKernel *kernel, gint64 begin, gint64 end, float *sums);

struct GradientKernel {
    AimfKernel base;
    Rows loop;
    gint64 rows, channels, blocks, block_rows;
    double epsilon;
    int n_sums; /* 1: dbias, 2: dweight as well, which comes first */
    const void *x, *dy;
    const float *weight;
    void *dx;
    float *gradients[2];
    double *totals; /* (blocks, n_sums, channels) */
    float *sums;    /* the same */
};

/* With x' the normalised x and g = dy weight: dx = scale (g - mean of g - x' mean of g x'). Statistics as forward. */
#define LAYER_NORM_BACKWARD(name, TARGET, TYPE, LOAD, LOAD_HALF, STORE)                                                \
    TARGET static void name(const GradientKernel *kernel, gint64 begin, gint64 end, float *sums)                       \
    {                                                                                                                  \
        gint64 channels = kernel->channels, whole = channels / CPU_HALF * CPU_HALF;                                    \
        const float *weight = kernel->weight;                                                                          \
        float *dweight = sums, *dbias = sums + channels;                                                               \
        for (gint64 row = begin; row < end; row++) {                                                                   \
            const TYPE *x = (const TYPE *)kernel->x + row * channels, *dy = (const TYPE *)kernel->dy + row * channels; \
            TYPE *dx = (TYPE *)kernel->dx + row * channels;                                                            \
            double product = 0;                                                                                        \
            CPU_ROW_MOMENTS(shift, rest, scale, x, channels, kernel->epsilon, LOAD, LOAD_HALF);                        \
                                                                                                                       \
            CpuHalf g_sums = { 0 }, products = { 0 };                                                                  \
            for (gint64 c = 0; c < whole; c += CPU_HALF) {                                                             \
                CpuHalf v, g, w, a, b;                                                                                 \
                LOAD_HALF(v, x + c);                                                                                   \
                LOAD_HALF(g, dy + c);                                                                                  \
                CPU_LOAD_HALF_F32(w, weight + c);                                                                      \
                CPU_LOAD_HALF_F32(a, dweight + c);                                                                     \
                CPU_LOAD_HALF_F32(b, dbias + c);                                                                       \
                v = (v - shift - rest) * scale;                                                                        \
                a += g * v;                                                                                            \
                b += g;                                                                                                \
                memcpy(dweight + c, &a, sizeof a);                                                                     \
                memcpy(dbias + c, &b, sizeof b);                                                                       \
                g *= w;                                                                                                \
                g_sums += g;                                                                                           \
                products += g * v;                                                                                     \
            }                                                                                                          \
            float parts[2][CPU_HALF];                                                                                  \
            memcpy(parts[0], &g_sums, sizeof g_sums);                                                                  \
            memcpy(parts[1], &products, sizeof products);                                                              \
            for (gint64 c = whole; c < channels; c++) {                                                                \
                float v = (LOAD(x[c]) - shift - rest) * scale, g = LOAD(dy[c]);                                        \
                dweight[c] += g * v;                                                                                   \
                dbias[c] += g;                                                                                         \
                parts[0][c - whole] += g * weight[c];                                                                  \
                parts[1][c - whole] += g * weight[c] * v;                                                              \
            }                                                                                                          \
            if (!kernel->dx)                                                                                           \
                continue;                                                                                              \
            sum = 0;                                                                                                   \
            for (int l = 0; l < CPU_HALF; l++) {                                                                       \
                sum += (double)parts[0][l];                                                                            \
                product += (double)parts[1][l];                                                                        \
            }                                                                                                          \
            float constant = (float)(sum / (double)channels), slope = (float)(product / (double)channels);             \
            _Pragma("omp simd") for (gint64 c = 0; c < channels; c++)                                                  \
            {                                                                                                          \
                float v = (LOAD(x[c]) - shift - rest) * scale;                                                         \
                dx[c] = STORE(scale * (LOAD(dy[c]) * weight[c] - constant - v * slope));                               \
            }                                                                                                          \
        }                                                                                                              \
    }

LAYER_NORM_BACKWARD(layer_norm_f32, CPU_BASELINE, float, CPU_SAME, CPU_LOAD_HALF_F32, CPU_SAME)
LAYER_NORM_BACKWARD(layer_norm_f32_avx2, CPU_AVX2, float, CPU_SAME, CPU_LOAD_HALF_F32, CPU_SAME)
LAYER_NORM_BACKWARD(layer_norm_f32_avx512, CPU_AVX512, float, CPU_SAME, CPU_LOAD_HALF_F32, CPU_SAME)
LAYER_NORM_BACKWARD(layer_norm_bf16, CPU_AVX512, guint16, cpu_from_bf16, CPU_LOAD_HALF_BF16, cpu_to_bf16)

#define ROW_SUM(name, TARGET, TYPE, LOAD)                                                                              \
    TARGET static void name(const GradientKernel *kernel, gint64 begin, gint64 end, float *sums)                       \
    {                                                                                                                  \
        gint64 channels = kernel->channels;                                                                            \
        for (gint64 row = begin; row < end; row++) {                                                                   \
            const TYPE *x = (const TYPE *)kernel->x + row * channels;                                                  \
            _Pragma("omp simd") for (gint64 c = 0; c < channels; c++) sums[c] += LOAD(x[c]);                           \
        }                                                                                                              \
    }

ROW_SUM(row_sum_f32, CPU_BASELINE, float, CPU_SAME)
ROW_SUM(row_sum_f32_avx2, CPU_AVX2, float, CPU_SAME)
ROW_SUM(row_sum_f32_avx512, CPU_AVX512, float, CPU_SAME)
ROW_SUM(row_sum_bf16, CPU_AVX512, guint16, cpu_from_bf16)

static const Rows layer_norms[2][AIMF_N_ISAS] = CPU_FORMS(layer_norm), row_sums[2][AIMF_N_ISAS] = CPU_FORMS(row_sum);

static void run_block(const GradientKernel *kernel, gint64 block)
{
    gint64 n = kernel->n_sums * kernel->channels;
    gint64 begin = block * kernel->block_rows, end = MIN(begin + kernel->block_rows, kernel->rows);
    float *sums = kernel->sums + block * n;
    double *totals = kernel->totals + block * n;
    for (gint64 i = 0; i < n; i++)
        totals[i] = 0;
    for (gint64 row = begin; row < end; row += CHUNK) {
        memset(sums, 0, (gsize)n * sizeof *sums);
        kernel->loop(kernel, row, MIN(row + CHUNK, end), sums);
        for (gint64 i = 0; i < n; i++)
            totals[i] += (double)sums[i];
    }
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const GradientKernel *kernel = (GradientKernel *)base;
    gint64 n = kernel->n_sums * kernel->channels;
#pragma omp parallel for schedule(static)
    for (gint64 block = 0; block < kernel->blocks; block++)
        run_block(kernel, block);
#pragma omp parallel for schedule(static)
    for (gint64 i = 0; i < n; i++) {
        float *gradient = kernel->gradients[i / kernel->channels];
        double sum = 0;
        for (gint64 block = 0; gradient && block < kernel->blocks; block++)
            sum += kernel->totals[block * n + i];
        if (gradient)
            gradient[i % kernel->channels] = (float)sum;
    }
    return TRUE;
}

static void take_scratch(GradientKernel *kernel, void *scratch)
{
    kernel->totals = scratch;
    kernel->sums = (float *)(kernel->totals + kernel->blocks * kernel->n_sums * kernel->channels);
}

static void layer_norm_bind(AimfKernel *base, void *const *addresses)
{
    GradientKernel *kernel = (GradientKernel *)base;
    kernel->x = addresses[0];
    kernel->dy = addresses[1];
    kernel->weight = addresses[2];
    kernel->dx = addresses[3];
    kernel->gradients[0] = addresses[4];
    kernel->gradients[1] = addresses[5];
    take_scratch(kernel, addresses[6]);
}

static void row_sum_bind(AimfKernel *base, void *const *addresses)
{
    GradientKernel *kernel = (GradientKernel *)base;
    kernel->x = addresses[0];
    kernel->gradients[0] = addresses[1];
    take_scratch(kernel, addresses[2]);
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

/* Of operations whose first operand are the rows, in the type that its layout says. */
static GradientKernel *kernel_new(AimfNodePlan *plan, const Rows loops[2][AIMF_N_ISAS], int n_sums,
                                  void (*bind)(AimfKernel *, void *const *))
{
    const AimfShape *shape = cpu_input_shape(plan, 0);
    GradientKernel *kernel = g_new0(GradientKernel, 1);
    kernel->base = (AimfKernel){ cpu_form_name(), bind, run, kernel_free };
    kernel->loop = loops[plan->in[0].dtype == AIMF_BF16][aimf_instruction_set()];
    kernel->channels = shape->dim[shape->rank - 1];
    kernel->rows = aimf_shape_count(shape) / kernel->channels;
    gint64 blocks = MIN((kernel->rows + FEWEST_ROWS - 1) / FEWEST_ROWS, MOST_BLOCKS);
    kernel->block_rows = (kernel->rows + blocks - 1) / blocks;
    kernel->blocks = (kernel->rows + kernel->block_rows - 1) / kernel->block_rows;
    kernel->n_sums = n_sums;
    gsize sums = (gsize)(kernel->blocks * n_sums * kernel->channels);
    plan->scratch_bytes = sums * (sizeof *kernel->totals + sizeof *kernel->sums);
    return kernel;
}

AimfKernel *cpu_plan_layer_norm_backward(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    AimfDtype dtype = cpu_compute_dtype(plan);
    cpu_want_row_major(plan, 0, dtype);
    cpu_want_row_major(plan, 1, dtype);
    cpu_want_row_major(plan, 2, AIMF_F32);
    cpu_give_row_major(plan, 0, dtype);
    cpu_give_row_major(plan, 1, AIMF_F32);
    cpu_give_row_major(plan, 2, AIMF_F32);
    plan->overwrites[0] = 1;
    GradientKernel *kernel = kernel_new(plan, layer_norms, 2, layer_norm_bind);
    kernel->epsilon = plan->node->attributes.number;
    return &kernel->base;
}

AimfKernel *cpu_plan_row_sum(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    cpu_want_row_major(plan, 0, plan->in[0].dtype);
    cpu_give_row_major(plan, 0, AIMF_F32);
    return &kernel_new(plan, row_sums, 1, row_sum_bind)->base;
}
