/*
 * The gradient of a depthwise convolution's weight, on activations in blocks of channels: dweight[c, p, q] is the sum
 * over n, i and j of dy[n, c, i, j] times the pixel of x[n, c] that tap (p, q) meets there.
 *
 * A few rows of dy at a time: what they see of x is copied with its zeros, so that the loops know no edges, and a row
 * of taps is summed in registers. A strip's sums are added up, and then those of the slices that the pictures are
 * divided into, of which there are more the more threads there are.
 *
 * It stands in for oneDNN's fallback. oneDNN's kernels are up to three times as fast, but have at most 3 x 3 taps.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_vector.h"

#include <omp.h>

enum { STRIP_BYTES = 20 << 10 /* of x, in the first cache */ };

typedef struct DepthwiseKernel DepthwiseKernel;
/*
 * Channels of a strip: rows [@first, @first + @rows) of dy, whose first channel lies at @dy. Adds to @sums (taps,
 * lanes); @strip: room for what is seen of x, whose first channel lies at @x.
 */
typedef void (*Strip)(const DepthwiseKernel *kernel, gint64 first, gint64 rows, const void *x, const void *dy,
                      float *strip, float *sums);

struct DepthwiseKernel {
    AimfKernel base;
    Strip sum_strip;
    AimfConv2d options;
    gint64 n, channels, lanes, block; /* channels that are summed at once, and that lie together */
    gint64 height, width, out_height, out_width, kernel_height, kernel_width;
    gint64 strip_rows, seen_width; /* rows of dy in a strip; columns of a row with its zeros */
    gint64 slices;
    gsize strip_floats;
    int n_threads;
    gsize element_bytes;
    const char *x, *dy;
    float *dweight, *scratch;
};

static void bind(AimfKernel *base, void *const *addresses)
{
    DepthwiseKernel *kernel = (DepthwiseKernel *)base;
    kernel->x = addresses[0];
    kernel->dy = addresses[1];
    kernel->dweight = addresses[2];
    kernel->scratch = addresses[3];
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

/* --- Strips --- */

/*
 * T taps from @x on and all of the strip's positions, U of them at once, so that as many sums are under way as the
 * processor can add at a time. Sums are of type V.
 */
#define TAPS(name, TARGET, V, T, U)                                                                                    \
    TARGET static inline __attribute__((always_inline)) void name(const float *x, gint64 x_row, gint64 x_step,         \
                                                                  gint64 tap_step, const float *dy, gint64 dy_step,    \
                                                                  gint64 rows, gint64 columns, float *to)              \
    {                                                                                                                  \
        V sums[U][T], total, element, factor;                                                                          \
        _Pragma("GCC unroll 8") for (int u = 0; u < (U); u++)                                                          \
        {                                                                                                              \
            _Pragma("GCC unroll 8") for (int t = 0; t < (T); t++) sums[u][t] = (V){ 0 };                               \
        }                                                                                                              \
        for (gint64 i = 0; i < rows; i++, x += x_row, dy += columns * dy_step) {                                       \
            gint64 j = 0;                                                                                              \
            for (; j + (U) <= columns; j += (U)) {                                                                     \
                _Pragma("GCC unroll 8") for (int u = 0; u < (U); u++)                                                  \
                {                                                                                                      \
                    memcpy(&factor, dy + (j + u) * dy_step, sizeof factor);                                            \
                    _Pragma("GCC unroll 8") for (int t = 0; t < (T); t++)                                              \
                    {                                                                                                  \
                        memcpy(&element, x + (j + u) * x_step + t * tap_step, sizeof element);                         \
                        sums[u][t] += factor * element;                                                                \
                    }                                                                                                  \
                }                                                                                                      \
            }                                                                                                          \
            for (; j < columns; j++) {                                                                                 \
                memcpy(&factor, dy + j * dy_step, sizeof factor);                                                      \
                _Pragma("GCC unroll 8") for (int t = 0; t < (T); t++)                                                  \
                {                                                                                                      \
                    memcpy(&element, x + j * x_step + t * tap_step, sizeof element);                                   \
                    sums[0][t] += factor * element;                                                                    \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("GCC unroll 8") for (int t = 0; t < (T); t++)                                                          \
        {                                                                                                              \
            memcpy(&total, to + t * (gint64)(sizeof total / sizeof *to), sizeof total);                                \
            _Pragma("GCC unroll 8") for (int u = 0; u < (U); u++) total += sums[u][t];                                 \
            memcpy(to + t * (gint64)(sizeof total / sizeof *to), &total, sizeof total);                                \
        }                                                                                                              \
    }

/* Rows @first and on of a picture (@height, @width), as floats (rows, columns, lanes), zeros where it has none. */
#define COPY(name, TARGET, TYPE, LOAD, L)                                                                              \
    TARGET static void name(const TYPE *from, gint64 block, gint64 height, gint64 width, gint64 first, gint64 rows,    \
                            gint64 before, gint64 columns, float *to)                                                  \
    {                                                                                                                  \
        gint64 there = CLAMP(columns - before, 0, width);                                                              \
        for (gint64 r = first; r < first + rows; r++, to += columns * (L)) {                                           \
            if (r < 0 || r >= height || !there) {                                                                      \
                memset(to, 0, (gsize)(columns * (L)) * sizeof *to);                                                    \
                continue;                                                                                              \
            }                                                                                                          \
            memset(to, 0, (gsize)(before * (L)) * sizeof *to);                                                         \
            const TYPE *row = from + r * width * block;                                                                \
            for (gint64 c = 0; c < there; c++)                                                                         \
                _Pragma("omp simd") for (int l = 0; l < (L); l++) to[(before + c) * (L) + l] =                         \
                    LOAD(row[c * block + l]);                                                                          \
            memset(to + (before + there) * (L), 0, (gsize)((columns - before - there) * (L)) * sizeof *to);            \
        }                                                                                                              \
    }

/* L lanes of channels at once. */
#define STRIP(name, TARGET, TYPE, LOAD, L)                                                                             \
    typedef float V_##name __attribute__((vector_size((L) * sizeof(float))));                                          \
    TAPS(one_##name, TARGET, V_##name, 1, 8)                                                                           \
    TAPS(three_##name, TARGET, V_##name, 3, 4)                                                                         \
    TAPS(five_##name, TARGET, V_##name, 5, 2)                                                                          \
    TAPS(seven_##name, TARGET, V_##name, 7, 2)                                                                         \
    COPY(copy_##name, TARGET, TYPE, LOAD, L)                                                                           \
    TARGET static void name(const DepthwiseKernel *kernel, gint64 first, gint64 rows, const void *x, const void *dy,   \
                            float *strip, float *sums)                                                                 \
    {                                                                                                                  \
        const AimfConv2d *options = &kernel->options;                                                                  \
        gint64 width = kernel->seen_width, columns = kernel->out_width, dilation = options->dilation[0];               \
        gint64 seen = (rows - 1) * options->stride[0] + (kernel->kernel_height - 1) * dilation + 1;                    \
        gint64 x_row = options->stride[0] * width * (L), x_step = options->stride[1] * (L);                            \
        gint64 tap_step = options->dilation[1] * (L), dy_step = kernel->block;                                         \
        copy_##name(x, kernel->block, kernel->height, kernel->width, first * options->stride[0] - options->before[0],  \
                    seen, options->before[1], width, strip);                                                           \
        const float *dys = dy;                                                                                         \
        if (kernel->element_bytes == sizeof *dys) {                                                                    \
            dys += first * columns * dy_step;                                                                          \
        } else {                                                                                                       \
            float *copied = strip + seen * width * (L);                                                                \
            copy_##name(dy, kernel->block, kernel->out_height, columns, first, rows, 0, columns, copied);              \
            dys = copied;                                                                                              \
            dy_step = (L);                                                                                             \
        }                                                                                                              \
        for (gint64 p = 0; p < kernel->kernel_height; p++)                                                             \
            for (gint64 q = 0, taps; q < kernel->kernel_width; q += taps, sums += taps * (L)) {                        \
                const float *xs = strip + p * dilation * width * (L) + q * tap_step;                                   \
                gint64 left = kernel->kernel_width - q;                                                                \
                taps = left >= 7 ? 7 : left >= 5 ? 5 : left >= 3 ? 3 : 1;                                              \
                if (taps == 7)                                                                                         \
                    seven_##name(xs, x_row, x_step, tap_step, dys, dy_step, rows, columns, sums);                      \
                else if (taps == 5)                                                                                    \
                    five_##name(xs, x_row, x_step, tap_step, dys, dy_step, rows, columns, sums);                       \
                else if (taps == 3)                                                                                    \
                    three_##name(xs, x_row, x_step, tap_step, dys, dy_step, rows, columns, sums);                      \
                else                                                                                                   \
                    one_##name(xs, x_row, x_step, tap_step, dys, dy_step, rows, columns, sums);                        \
            }                                                                                                          \
    }

STRIP(strip_f32, CPU_BASELINE, float, CPU_SAME, 4)
STRIP(strip_f32_avx2, CPU_AVX2, float, CPU_SAME, 8)
STRIP(strip_f32_avx512, CPU_AVX512, float, CPU_SAME, 16)
STRIP(strip_bf16, CPU_AVX512, guint16, cpu_from_bf16, 16)

static const Strip strips[2][AIMF_N_ISAS] = CPU_FORMS(strip);

/* --- Running --- */

static gint64 n_parts(const DepthwiseKernel *kernel)
{
    return (kernel->channels + kernel->block - 1) / kernel->block * (kernel->block / kernel->lanes);
}

static gint64 taps_of(const DepthwiseKernel *kernel)
{
    return kernel->kernel_height * kernel->kernel_width;
}

/* Channels @part of the pictures of slice @slice. */
static void sum_slice(const DepthwiseKernel *kernel, gint64 part, gint64 slice, float *strip, float *sums)
{
    gint64 per_block = kernel->block / kernel->lanes, blocks = n_parts(kernel) / per_block;
    gsize pixel = (gsize)kernel->block * kernel->element_bytes;
    gsize offset = (gsize)(part % per_block * kernel->lanes) * kernel->element_bytes;
    memset(sums, 0, (gsize)(taps_of(kernel) * kernel->lanes) * sizeof *sums);
    for (gint64 i = kernel->n * slice / kernel->slices; i < kernel->n * (slice + 1) / kernel->slices; i++) {
        gsize plane = (gsize)(i * blocks + part / per_block);
        const char *x = kernel->x + plane * (gsize)(kernel->height * kernel->width) * pixel + offset;
        const char *dy = kernel->dy + plane * (gsize)(kernel->out_height * kernel->out_width) * pixel + offset;
        for (gint64 row = 0; row < kernel->out_height; row += kernel->strip_rows)
            kernel->sum_strip(kernel, row, MIN(kernel->strip_rows, kernel->out_height - row), x, dy, strip, sums);
    }
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const DepthwiseKernel *kernel = (DepthwiseKernel *)base;
    gint64 parts = n_parts(kernel), taps = taps_of(kernel), lanes = kernel->lanes;
    float *sums = kernel->scratch + (gsize)kernel->n_threads * kernel->strip_floats; /* (slices, parts, taps, lanes) */
#pragma omp parallel for schedule(dynamic) num_threads(kernel->n_threads)
    for (gint64 index = 0; index < parts * kernel->slices; index++)
        sum_slice(kernel, index % parts, index / parts,
                  kernel->scratch + (gsize)omp_get_thread_num() * kernel->strip_floats, sums + index * taps * lanes);
#pragma omp parallel for schedule(static) num_threads(kernel->n_threads)
    for (gint64 c = 0; c < kernel->channels; c++)
        for (gint64 tap = 0; tap < taps; tap++) {
            float sum = 0;
            for (gint64 slice = 0; slice < kernel->slices; slice++)
                sum += sums[((slice * parts + c / lanes) * taps + tap) * lanes + c % lanes];
            kernel->dweight[c * taps + tap] = sum;
        }
    return TRUE;
}

/* --- Planning --- */

static gint64 seen_along(gint64 outputs, gint64 taps, const AimfConv2d *options, int i)
{
    return (outputs - 1) * options->stride[i] + (taps - 1) * options->dilation[i] + 1;
}

gboolean cpu_is_depthwise(const AimfNodePlan *plan, const AimfShape *weight)
{
    return weight->dim[1] == 1 && weight->dim[0] > 1 && weight->dim[0] == plan->node->attributes.conv2d.groups;
}

AimfKernel *cpu_plan_depthwise_weight(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    static const gint64 lanes[AIMF_N_ISAS] = { 4, 8, 16, 16 };
    const AimfShape *x = cpu_input_shape(plan, 0), *dy = cpu_input_shape(plan, 1), *weight = cpu_output_shape(plan, 0);
    AimfDtype dtype = cpu_compute_dtype(plan);
    DepthwiseKernel *kernel = g_new0(DepthwiseKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:depthwise_weight", bind, run, kernel_free };
    kernel->sum_strip = strips[dtype == AIMF_BF16][aimf_instruction_set()];
    kernel->lanes = lanes[aimf_instruction_set()];
    kernel->block = MAX(kernel->lanes, 8);
    for (int i = 0; i < 2; i++)
        plan->in[i] = cpu_layout_blocked(state, cpu_input_shape(plan, i), kernel->block, dtype);
    cpu_give_row_major(plan, 0, AIMF_F32);
    kernel->options = plan->node->attributes.conv2d;
    kernel->n = x->dim[0];
    kernel->channels = x->dim[1];
    kernel->height = x->dim[2];
    kernel->width = x->dim[3];
    kernel->out_height = dy->dim[2];
    kernel->out_width = dy->dim[3];
    kernel->kernel_height = weight->dim[2];
    kernel->kernel_width = weight->dim[3];
    kernel->element_bytes = aimf_dtype_bytes(dtype);
    kernel->seen_width =
        MAX(seen_along(kernel->out_width, kernel->kernel_width, &kernel->options, 1), kernel->options.before[1]);
    gint64 row_bytes = kernel->seen_width * kernel->lanes * (gint64)sizeof(float);
    gint64 extra = seen_along(1, kernel->kernel_height, &kernel->options, 0);
    gint64 fitting = (STRIP_BYTES / row_bytes - extra) / kernel->options.stride[0] + 1;
    kernel->strip_rows = CLAMP(fitting, 1, kernel->out_height);
    gint64 seen_rows = seen_along(kernel->strip_rows, kernel->kernel_height, &kernel->options, 0);
    gint64 dy_columns = dtype == AIMF_F32 ? 0 : kernel->strip_rows * kernel->out_width;
    kernel->strip_floats = (gsize)((seen_rows * kernel->seen_width + dy_columns) * kernel->lanes + 15) / 16 * 16;
    kernel->n_threads = omp_get_max_threads();
    gint64 parts = n_parts(kernel), wanted = (4 * kernel->n_threads + parts - 1) / parts;
    kernel->slices = kernel->n_threads == 1 ? 1 : MIN(wanted, kernel->n);
    plan->scratch_bytes = ((gsize)kernel->n_threads * kernel->strip_floats +
                           (gsize)(kernel->slices * parts * taps_of(kernel) * kernel->lanes)) *
                          sizeof(float);
    return &kernel->base;
}
