/*
 * Group normalisation, with SiLU, its gradient, and the addition of one number per channel, on activations as
 * convolutions leave them.
 *
 * A group's channels may lie across blocks, so sums are taken per channel, over spans of positions, and put together
 * afterwards. Where the spans begin depends on one picture's size alone, and all sums have one order: neither the
 * number of threads nor of pictures changes a result. To lose no digits when the mean is large, sums are of the
 * distance from a channel's first element.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_vector.h"
#include "backend/cpu/cpu_view.h"

#include <math.h>

enum {
    LANES = CPU_LANES,
    SPAN = 4096, /* positions that one thread takes at a time */
    CHUNK = 64,  /* rows that are summed in f32 before double takes over */
};

/*
 * Numbers of up to LANES lanes each in @rows rows, @stride elements apart; lane l is of channel @channel + l % @period.
 */
typedef struct {
    gint64 offset, rows, stride;
    int lanes;
    gint64 channel; /* among the padded ones of all pictures */
    int period;
} Strip;

/* Adds the lanes' distances from shift, and their squares, to sums. */
typedef void (*Measure)(const void *x, const Strip *strip, const float *shift, double *sums, double *squares);
/* y = (x - mean) * scale + bias, lane by lane. */
typedef void (*Apply)(const void *x, void *y, const Strip *strip, const float *mean, const float *scale,
                      const float *bias);

#define MEASURE(name, TARGET, TYPE, LOAD, LOAD_HALF)                                                                   \
    TARGET static void name##_half(const TYPE *xs, const Strip *strip, const float *shift, double *sums,               \
                                   double *squares)                                                                    \
    {                                                                                                                  \
        CpuHalf shifts, distance;                                                                                      \
        CPU_LOAD_HALF_F32(shifts, shift);                                                                              \
        for (gint64 row = 0; row < strip->rows; row += CHUNK) {                                                        \
            CpuHalf sum = { 0 }, square = { 0 };                                                                       \
            gint64 end = MIN(row + CHUNK, strip->rows);                                                                \
            for (gint64 r = row; r < end; r++) {                                                                       \
                LOAD_HALF(distance, xs + r * strip->stride);                                                           \
                distance -= shifts;                                                                                    \
                sum += distance;                                                                                       \
                square += distance * distance;                                                                         \
            }                                                                                                          \
            for (int l = 0; l < CPU_HALF; l++) {                                                                       \
                sums[l] += (double)sum[l];                                                                             \
                squares[l] += (double)square[l];                                                                       \
            }                                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    TARGET static void name(const void *x, const Strip *strip, const float *shift, double *sums, double *squares)      \
    {                                                                                                                  \
        const TYPE *xs = (const TYPE *)x + strip->offset;                                                              \
        if (strip->lanes == LANES) {                                                                                   \
            name##_half(xs, strip, shift, sums, squares);                                                              \
            name##_half(xs + CPU_HALF, strip, shift + CPU_HALF, sums + CPU_HALF, squares + CPU_HALF);                  \
            return;                                                                                                    \
        }                                                                                                              \
        for (gint64 r = 0; r < strip->rows; r++)                                                                       \
            for (int l = 0; l < strip->lanes; l++) {                                                                   \
                double distance = (double)(LOAD(xs[r * strip->stride + l]) - shift[l]);                                \
                sums[l] += distance;                                                                                   \
                squares[l] += distance * distance;                                                                     \
            }                                                                                                          \
    }

#define APPLY_LANES(L, FUNCTION, LOAD, STORE)                                                                          \
    for (gint64 r = 0; r < strip->rows; r++)                                                                           \
        _Pragma("omp simd") for (int l = 0; l < (L); l++) ys[r * strip->stride + l] =                                  \
            STORE(FUNCTION((LOAD(xs[r * strip->stride + l]) - mean[l]) * scale[l] + bias[l]));

#define APPLY(name, TARGET, FUNCTION, TYPE, LOAD, STORE)                                                               \
    TARGET static void name(const void *x, void *y, const Strip *strip, const float *mean, const float *scale,         \
                            const float *bias)                                                                         \
    {                                                                                                                  \
        const TYPE *xs = (const TYPE *)x + strip->offset;                                                              \
        TYPE *ys = (TYPE *)y + strip->offset;                                                                          \
        if (strip->lanes == LANES)                                                                                     \
            APPLY_LANES(LANES, FUNCTION, LOAD, STORE)                                                                  \
        else                                                                                                           \
            APPLY_LANES(strip->lanes, FUNCTION, LOAD, STORE)                                                           \
    }

MEASURE(measure_f32, CPU_BASELINE, float, CPU_SAME, CPU_LOAD_HALF_F32)
MEASURE(measure_f32_avx2, CPU_AVX2, float, CPU_SAME, CPU_LOAD_HALF_F32)
MEASURE(measure_f32_avx512, CPU_AVX512, float, CPU_SAME, CPU_LOAD_HALF_F32)
MEASURE(measure_bf16, CPU_AVX512, guint16, cpu_from_bf16, CPU_LOAD_HALF_BF16)

#define APPLIES(name, FUNCTION)                                                                                        \
    APPLY(name##_f32, CPU_BASELINE, FUNCTION, float, CPU_SAME, CPU_SAME)                                               \
    APPLY(name##_f32_avx2, CPU_AVX2, FUNCTION, float, CPU_SAME, CPU_SAME)                                              \
    APPLY(name##_f32_avx512, CPU_AVX512, FUNCTION, float, CPU_SAME, CPU_SAME)                                          \
    APPLY(name##_bf16, CPU_AVX512, FUNCTION, guint16, cpu_from_bf16, cpu_to_bf16)

APPLIES(affine, CPU_SAME)
APPLIES(silu, cpu_silu)

/*
 * Of the gradient, with y = silu(z), or z itself, z = (x - mean) * scale + base, and g what z gets, lane by lane: sums
 * of g and of g (x - mean); then dx = g scale + (x - mean) slope + constant.
 */
typedef struct {
    const void *x, *dy;
    void *dx;
    const Strip *strip;
    const float *mean, *scale, *base, *slope, *constant;
    double *sums, *products;
} GradientStrip;
typedef void (*Gradient)(const GradientStrip *gradient);

#define MEASURE_GRADIENT_LANES(L, SLOPE, LOAD)                                                                         \
    _Pragma("omp simd") for (int l = 0; l < (L); l++)                                                                  \
    {                                                                                                                  \
        float distance = LOAD(xs[r * strip->stride + l]) - mean[l];                                                    \
        float g = LOAD(dys[r * strip->stride + l]) * SLOPE(distance * scale[l] + base[l]);                             \
        sum[l] += g;                                                                                                   \
        product[l] += g * distance;                                                                                    \
    }

#define MEASURE_GRADIENT(name, TARGET, SLOPE, TYPE, LOAD)                                                              \
    TARGET static void name(const GradientStrip *gradient)                                                             \
    {                                                                                                                  \
        const Strip *strip = gradient->strip;                                                                          \
        const TYPE *xs = (const TYPE *)gradient->x + strip->offset, *dys = (const TYPE *)gradient->dy + strip->offset; \
        const float *mean = gradient->mean, *scale = gradient->scale, *base = gradient->base;                          \
        (void)scale, (void)base;                                                                                       \
        for (gint64 row = 0; row < strip->rows; row += CHUNK) {                                                        \
            float sum[LANES] = { 0 }, product[LANES] = { 0 };                                                          \
            gint64 end = MIN(row + CHUNK, strip->rows);                                                                \
            if (strip->lanes == LANES)                                                                                 \
                for (gint64 r = row; r < end; r++)                                                                     \
                    MEASURE_GRADIENT_LANES(LANES, SLOPE, LOAD)                                                         \
            else                                                                                                       \
                for (gint64 r = row; r < end; r++)                                                                     \
                    MEASURE_GRADIENT_LANES(strip->lanes, SLOPE, LOAD)                                                  \
            for (int l = 0; l < LANES; l++) {                                                                          \
                gradient->sums[l] += (double)sum[l];                                                                   \
                gradient->products[l] += (double)product[l];                                                           \
            }                                                                                                          \
        }                                                                                                              \
    }

#define APPLY_GRADIENT_LANES(L, SLOPE, LOAD, STORE)                                                                    \
    for (gint64 r = 0; r < strip->rows; r++)                                                                           \
        _Pragma("omp simd") for (int l = 0; l < (L); l++)                                                              \
        {                                                                                                              \
            float distance = LOAD(xs[r * strip->stride + l]) - mean[l];                                                \
            float g = LOAD(dys[r * strip->stride + l]) * SLOPE(distance * scale[l] + base[l]);                         \
            dxs[r * strip->stride + l] = STORE(g * scale[l] + distance * slope[l] + constant[l]);                      \
        }

#define APPLY_GRADIENT(name, TARGET, SLOPE, TYPE, LOAD, STORE)                                                         \
    TARGET static void name(const GradientStrip *gradient)                                                             \
    {                                                                                                                  \
        const Strip *strip = gradient->strip;                                                                          \
        const TYPE *xs = (const TYPE *)gradient->x + strip->offset, *dys = (const TYPE *)gradient->dy + strip->offset; \
        TYPE *dxs = (TYPE *)gradient->dx + strip->offset;                                                              \
        const float *mean = gradient->mean, *scale = gradient->scale, *base = gradient->base;                          \
        (void)scale, (void)base;                                                                                       \
        const float *slope = gradient->slope, *constant = gradient->constant;                                          \
        if (strip->lanes == LANES)                                                                                     \
            APPLY_GRADIENT_LANES(LANES, SLOPE, LOAD, STORE)                                                            \
        else                                                                                                           \
            APPLY_GRADIENT_LANES(strip->lanes, SLOPE, LOAD, STORE)                                                     \
    }

#define GRADIENTS(kind, SLOPE)                                                                                         \
    MEASURE_GRADIENT(measure_##kind##_f32, CPU_BASELINE, SLOPE, float, CPU_SAME)                                       \
    MEASURE_GRADIENT(measure_##kind##_f32_avx2, CPU_AVX2, SLOPE, float, CPU_SAME)                                      \
    MEASURE_GRADIENT(measure_##kind##_f32_avx512, CPU_AVX512, SLOPE, float, CPU_SAME)                                  \
    MEASURE_GRADIENT(measure_##kind##_bf16, CPU_AVX512, SLOPE, guint16, cpu_from_bf16)                                 \
    APPLY_GRADIENT(apply_##kind##_f32, CPU_BASELINE, SLOPE, float, CPU_SAME, CPU_SAME)                                 \
    APPLY_GRADIENT(apply_##kind##_f32_avx2, CPU_AVX2, SLOPE, float, CPU_SAME, CPU_SAME)                                \
    APPLY_GRADIENT(apply_##kind##_f32_avx512, CPU_AVX512, SLOPE, float, CPU_SAME, CPU_SAME)                            \
    APPLY_GRADIENT(apply_##kind##_bf16, CPU_AVX512, SLOPE, guint16, cpu_from_bf16, cpu_to_bf16)

#define ONE(z) 1.0f
GRADIENTS(affine_gradient, ONE)
GRADIENTS(silu_gradient, cpu_silu_slope)

static const Gradient gradient_measures[2][2][AIMF_N_ISAS] = { CPU_FORMS(measure_affine_gradient),
                                                               CPU_FORMS(measure_silu_gradient) };
static const Gradient gradient_applies[2][2][AIMF_N_ISAS] = { CPU_FORMS(apply_affine_gradient),
                                                              CPU_FORMS(apply_silu_gradient) };

static const Measure measures[2][AIMF_N_ISAS] = CPU_FORMS(measure);
static const Apply affines[2][AIMF_N_ISAS] = CPU_FORMS(affine), silus[2][AIMF_N_ISAS] = CPU_FORMS(silu);

typedef struct {
    AimfKernel base;
    CpuView view;
    gint64 spans;
    gint64 groups;
    double epsilon;
    Measure measure;
    Apply apply;
    gboolean is_bf16;
    const void *x;
    const float *weight, *bias; /* add_channels: bias is (N, C), and there is no weight */
    void *y;
    double *sums, *squares;                 /* (N, spans, padded channels) */
    float *shifts, *means, *scales, *bases; /* (N, padded channels) */
    /* Of the gradient: */
    Gradient measure_gradient, apply_gradient;
    const void *dy;
    void *dx;
    float *dweight, *dbias, *slopes, *constants; /* the last two (N, padded channels) */
    double *deviations, *rests; /* (N, groups): 1 / sqrt(variance + epsilon); what the means lack, being f32 */
} GroupNormKernel;

static gint64 padded_channels(const CpuView *view)
{
    return view->blocks * view->block;
}

/* The parts of unit @unit, that is of one picture's channel block in one span of positions; calls @take for each. */
static void walk(const GroupNormKernel *kernel, gint64 unit,
                 void (*take)(const GroupNormKernel *, gint64, const Strip *))
{
    const CpuView *view = &kernel->view;
    gint64 span = unit % kernel->spans, block = unit / kernel->spans; /* of all pictures */
    gint64 first = span * SPAN, count = MIN(SPAN, view->positions - first);
    Strip strip = { .offset = (block * view->positions + first) * view->block, .channel = block * view->block };
    if (view->block < LANES && LANES % view->block == 0) { /* several positions make a row, and what is left another */
        strip.period = (int)view->block;
        strip.rows = count * view->block / LANES;
        strip.stride = strip.lanes = LANES;
        take(kernel, span, &strip);
        strip.offset += strip.rows * LANES;
        strip.rows = 1;
        strip.lanes = (int)(count * view->block % LANES);
        take(kernel, span, &strip);
        return;
    }
    strip.period = LANES;
    strip.rows = count;
    strip.stride = view->block;
    for (gint64 lane = 0; lane < view->block; lane += LANES, strip.offset += LANES, strip.channel += LANES) {
        strip.lanes = (int)MIN(LANES, view->block - lane);
        take(kernel, span, &strip);
    }
}

/* A strip's numbers of one kind, per lane. */
static void per_lane(const Strip *strip, const float *per_channel, float *lanes)
{
    for (int l = 0; l < strip->lanes; l++)
        lanes[l] = per_channel[strip->channel + l % strip->period];
}

static void measure_strip(const GroupNormKernel *kernel, gint64 span, const Strip *strip)
{
    float shift[LANES];
    double sums[LANES] = { 0 }, squares[LANES] = { 0 };
    per_lane(strip, kernel->shifts, shift);
    kernel->measure(kernel->x, strip, shift, sums, squares);
    gint64 padded = padded_channels(&kernel->view), n = strip->channel / padded;
    gint64 at = (n * kernel->spans + span) * padded + strip->channel % padded;
    for (int l = 0; l < strip->lanes; l++) {
        kernel->sums[at + l % strip->period] += sums[l];
        kernel->squares[at + l % strip->period] += squares[l];
    }
}

static void apply_strip(const GroupNormKernel *kernel, gint64 span, const Strip *strip)
{
    (void)span;
    float mean[LANES], scale[LANES], bias[LANES];
    per_lane(strip, kernel->means, mean);
    per_lane(strip, kernel->scales, scale);
    per_lane(strip, kernel->bases, bias);
    kernel->apply(kernel->x, kernel->y, strip, mean, scale, bias);
}

static void walk_all(const GroupNormKernel *kernel, void (*take)(const GroupNormKernel *, gint64, const Strip *))
{
    gint64 units = kernel->view.n * kernel->view.blocks * kernel->spans;
#pragma omp parallel for schedule(static)
    for (gint64 unit = 0; unit < units; unit++)
        walk(kernel, unit, take);
}

/* Every channel's first element, in the order of padded channels. */
static void take_shifts(const GroupNormKernel *kernel)
{
    const CpuView *view = &kernel->view;
    for (gint64 i = 0; i < view->n * padded_channels(view); i++) {
        gint64 at = i / view->block * view->positions * view->block + i % view->block;
        kernel->shifts[i] =
            kernel->is_bf16 ? cpu_from_bf16(((const guint16 *)kernel->x)[at]) : ((const float *)kernel->x)[at];
    }
}

/*
 * Sum, and sum of squared distances from the mean, of channel @i of all pictures' padded ones; Chan et al. 1979 for
 * joining.
 */
static void channel_moments(const GroupNormKernel *kernel, gint64 i, double *sum, double *squares)
{
    gint64 padded = padded_channels(&kernel->view), n = i / padded, c = i % padded;
    double positions = (double)kernel->view.positions, distance = 0, square = 0;
    for (gint64 span = 0; span < kernel->spans; span++) {
        gint64 at = (n * kernel->spans + span) * padded + c;
        distance += kernel->sums[at];
        square += kernel->squares[at];
    }
    *sum = positions * (double)kernel->shifts[i] + distance;
    *squares = square - distance * distance / positions;
}

static void finish_group(const GroupNormKernel *kernel, gint64 n, gint64 group)
{
    const CpuView *view = &kernel->view;
    gint64 members = view->channels / kernel->groups, first = group * members;
    gint64 at = n * padded_channels(view) + first; /* of its first channel, padding counted */
    double count = (double)(members * view->positions), total = 0, spread = 0;
    for (gint64 c = 0; c < members; c++) {
        double sum, squares;
        channel_moments(kernel, at + c, &sum, &squares);
        total += sum;
    }
    double mean = total / count;
    for (gint64 c = 0; c < members; c++) {
        double sum, squares;
        channel_moments(kernel, at + c, &sum, &squares);
        double apart = sum / (double)view->positions - mean;
        spread += squares + (double)view->positions * apart * apart;
    }
    double scale = 1 / sqrt(spread / count + kernel->epsilon);
    for (gint64 c = 0; c < members; c++) {
        float own = (float)(scale * (double)kernel->weight[first + c]);
        kernel->means[at + c] = (float)mean;
        kernel->scales[at + c] = own;
        kernel->bases[at + c] = (float)((double)kernel->bias[first + c] - (mean - (double)(float)mean) * (double)own);
    }
    if (kernel->deviations) {
        kernel->deviations[n * kernel->groups + group] = scale;
        kernel->rests[n * kernel->groups + group] = mean - (double)(float)mean;
    }
}

static void clear_sums(const GroupNormKernel *kernel)
{
    for (gint64 i = 0; i < kernel->view.n * padded_channels(&kernel->view) * kernel->spans; i++)
        kernel->sums[i] = kernel->squares[i] = 0;
}

/* What every channel's numbers are normalised with. */
static void take_statistics(const GroupNormKernel *kernel)
{
    const CpuView *view = &kernel->view;
    gint64 padded = view->n * padded_channels(view);
    take_shifts(kernel);
    clear_sums(kernel);
    for (gint64 i = 0; i < padded; i++) /* padding becomes zero */
        kernel->means[i] = kernel->scales[i] = kernel->bases[i] = 0;
    walk_all(kernel, measure_strip);
#pragma omp parallel for collapse(2) schedule(static)
    for (gint64 n = 0; n < view->n; n++)
        for (gint64 group = 0; group < kernel->groups; group++)
            finish_group(kernel, n, group);
}

static gboolean group_norm_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const GroupNormKernel *kernel = (GroupNormKernel *)base;
    take_statistics(kernel);
    walk_all(kernel, apply_strip);
    return TRUE;
}

/* --- The gradient --- */

static void measure_gradient_strip(const GroupNormKernel *kernel, gint64 span, const Strip *strip)
{
    float mean[LANES], scale[LANES], base[LANES];
    double sums[LANES] = { 0 }, products[LANES] = { 0 };
    per_lane(strip, kernel->means, mean);
    per_lane(strip, kernel->scales, scale);
    per_lane(strip, kernel->bases, base);
    kernel->measure_gradient(&(GradientStrip){ .x = kernel->x,
                                               .dy = kernel->dy,
                                               .strip = strip,
                                               .mean = mean,
                                               .scale = scale,
                                               .base = base,
                                               .sums = sums,
                                               .products = products });
    gint64 padded = padded_channels(&kernel->view), n = strip->channel / padded;
    gint64 at = (n * kernel->spans + span) * padded + strip->channel % padded;
    for (int l = 0; l < strip->lanes; l++) {
        kernel->sums[at + l % strip->period] += sums[l];
        kernel->squares[at + l % strip->period] += products[l];
    }
}

static void apply_gradient_strip(const GroupNormKernel *kernel, gint64 span, const Strip *strip)
{
    (void)span;
    float mean[LANES], scale[LANES], base[LANES], slope[LANES], constant[LANES];
    per_lane(strip, kernel->means, mean);
    per_lane(strip, kernel->scales, scale);
    per_lane(strip, kernel->bases, base);
    per_lane(strip, kernel->slopes, slope);
    per_lane(strip, kernel->constants, constant);
    kernel->apply_gradient(&(GradientStrip){ .x = kernel->x,
                                             .dy = kernel->dy,
                                             .dx = kernel->dx,
                                             .strip = strip,
                                             .mean = mean,
                                             .scale = scale,
                                             .base = base,
                                             .slope = slope,
                                             .constant = constant });
}

/* Of channel @c of picture @n: the sum of what it gets, and that times what it is normalised to. */
static void channel_gradients(const GroupNormKernel *kernel, gint64 n, gint64 c, double *sum, double *product)
{
    gint64 padded = padded_channels(&kernel->view);
    gint64 group = n * kernel->groups + c / (kernel->view.channels / kernel->groups);
    *sum = *product = 0;
    for (gint64 span = 0; span < kernel->spans; span++) {
        gint64 at = (n * kernel->spans + span) * padded + c;
        *sum += kernel->sums[at];
        *product += kernel->squares[at];
    }
    *product = (*product - kernel->rests[group] * *sum) * kernel->deviations[group];
}

/* With x' the normalised x and d the deviation: dx = (g weight - mean of g weight - x' mean of g weight x') / d. */
static void finish_group_gradient(const GroupNormKernel *kernel, gint64 n, gint64 group)
{
    const CpuView *view = &kernel->view;
    gint64 members = view->channels / kernel->groups, first = group * members, at = n * padded_channels(view) + first;
    double count = (double)(members * view->positions), total = 0, projection = 0;
    double scale = kernel->deviations[n * kernel->groups + group], rest = kernel->rests[n * kernel->groups + group];
    for (gint64 c = 0; c < members; c++) {
        double sum, product;
        channel_gradients(kernel, n, first + c, &sum, &product);
        total += sum * (double)kernel->weight[first + c];
        projection += product * (double)kernel->weight[first + c];
    }
    double slope = -scale * scale * projection / count, constant = -scale * total / count - slope * rest;
    for (gint64 c = 0; c < members; c++) {
        kernel->slopes[at + c] = (float)slope;
        kernel->constants[at + c] = (float)constant;
    }
}

static gboolean group_norm_backward_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const GroupNormKernel *kernel = (GroupNormKernel *)base;
    const CpuView *view = &kernel->view;
    take_statistics(kernel);
    clear_sums(kernel);
    for (gint64 i = 0; i < view->n * padded_channels(view); i++) /* padding becomes zero */
        kernel->slopes[i] = kernel->constants[i] = 0;
    walk_all(kernel, measure_gradient_strip);
#pragma omp parallel for schedule(static)
    for (gint64 c = 0; c < view->channels; c++) {
        double dweight = 0, dbias = 0;
        for (gint64 n = 0; n < view->n; n++) {
            double sum, product;
            channel_gradients(kernel, n, c, &sum, &product);
            dweight += product;
            dbias += sum;
        }
        if (kernel->dweight)
            kernel->dweight[c] = (float)dweight;
        if (kernel->dbias)
            kernel->dbias[c] = (float)dbias;
    }
    if (!kernel->dx)
        return TRUE;
#pragma omp parallel for collapse(2) schedule(static)
    for (gint64 n = 0; n < view->n; n++)
        for (gint64 group = 0; group < kernel->groups; group++)
            finish_group_gradient(kernel, n, group);
    walk_all(kernel, apply_gradient_strip);
    return TRUE;
}

/* --- Addition --- */

/* y = (x - 0) * 1 + offset */
static gboolean add_channels_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const GroupNormKernel *kernel = (GroupNormKernel *)base;
    const CpuView *view = &kernel->view;
    gint64 padded = padded_channels(view);
    for (gint64 i = 0; i < view->n * padded; i++) {
        gint64 n = i / padded, c = i % padded;
        kernel->means[i] = 0;
        kernel->scales[i] = 1;
        kernel->bases[i] = c < view->channels ? kernel->bias[n * view->channels + c] : 0;
    }
    walk_all(kernel, apply_strip);
    return TRUE;
}

/* Floats of scratch memory lie before the doubles, in numbers that keep both aligned. */
static gint64 floats_per_kind(const GroupNormKernel *kernel)
{
    return (kernel->view.n * padded_channels(&kernel->view) + LANES - 1) / LANES * LANES;
}

static gint64 doubles_per_kind(const GroupNormKernel *kernel)
{
    return kernel->view.n * padded_channels(&kernel->view) * kernel->spans;
}

static void take_scratch(GroupNormKernel *kernel, void *scratch)
{
    gint64 n = floats_per_kind(kernel);
    kernel->shifts = scratch;
    kernel->means = kernel->shifts + n;
    kernel->scales = kernel->means + n;
    kernel->bases = kernel->scales + n;
    kernel->sums = (double *)(void *)(kernel->bases + n);
    kernel->squares = kernel->sums + doubles_per_kind(kernel);
}

/* Behind that, what the gradient needs as well. */
static gsize gradient_scratch_bytes(const GroupNormKernel *kernel)
{
    return (gsize)floats_per_kind(kernel) * 2 * sizeof(float) +
           (gsize)(kernel->view.n * kernel->groups) * 2 * sizeof(double);
}

static void group_norm_backward_bind(AimfKernel *base, void *const *addresses)
{
    GroupNormKernel *kernel = (GroupNormKernel *)base;
    kernel->x = addresses[0];
    kernel->dy = addresses[1];
    kernel->weight = addresses[2];
    kernel->bias = addresses[3];
    kernel->dx = addresses[4];
    kernel->dweight = addresses[5];
    kernel->dbias = addresses[6];
    take_scratch(kernel, addresses[7]);
    kernel->deviations = kernel->squares + doubles_per_kind(kernel);
    kernel->rests = kernel->deviations + kernel->view.n * kernel->groups;
    kernel->slopes = (float *)(void *)(kernel->rests + kernel->view.n * kernel->groups);
    kernel->constants = kernel->slopes + floats_per_kind(kernel);
}

static void group_norm_bind(AimfKernel *base, void *const *addresses)
{
    GroupNormKernel *kernel = (GroupNormKernel *)base;
    kernel->x = addresses[0];
    kernel->weight = addresses[1];
    kernel->bias = addresses[2];
    kernel->y = addresses[3];
    take_scratch(kernel, addresses[4]);
}

static void add_channels_bind(AimfKernel *base, void *const *addresses)
{
    GroupNormKernel *kernel = (GroupNormKernel *)base;
    kernel->x = addresses[0];
    kernel->bias = addresses[1];
    kernel->y = addresses[2];
    take_scratch(kernel, addresses[3]);
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

/* What all of these plan alike: x as it lies, parameters in f32, the result where x was. */
static GroupNormKernel *plan_kernel(gpointer state, AimfNodePlan *plan, gboolean silu)
{
    cpu_want_activation(state, plan, 0);
    cpu_want_viewable(plan, 0);
    for (int i = 1; i < plan->node->n_inputs; i++)
        cpu_want_row_major(plan, i, AIMF_F32);
    if (cpu_output_shape(plan, 0))
        plan->out[0] = plan->in[0];
    plan->overwrites[0] = 0;
    gboolean is_bf16 = plan->in[0].dtype == AIMF_BF16;
    AimfInstructionSet level = aimf_instruction_set();
    GroupNormKernel *kernel = g_new0(GroupNormKernel, 1);
    kernel->view = cpu_view(&plan->in[0], cpu_input_shape(plan, 0));
    kernel->spans = (kernel->view.positions + SPAN - 1) / SPAN;
    kernel->is_bf16 = is_bf16;
    kernel->measure = measures[is_bf16][level];
    kernel->apply = (silu ? silus : affines)[is_bf16][level];
    plan->scratch_bytes = (gsize)floats_per_kind(kernel) * 4 * sizeof(float);
    plan->scratch_bytes += (gsize)doubles_per_kind(kernel) * 2 * sizeof(double);
    return kernel;
}

AimfKernel *cpu_plan_group_norm(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    const AimfGroupNorm *options = &plan->node->attributes.group_norm;
    GroupNormKernel *kernel = plan_kernel(state, plan, options->silu);
    kernel->groups = options->groups;
    kernel->epsilon = options->epsilon;
    kernel->base = (AimfKernel){ cpu_form_name(), group_norm_bind, group_norm_run, kernel_free };
    return &kernel->base;
}

AimfKernel *cpu_plan_group_norm_backward(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    const AimfGroupNorm *options = &plan->node->attributes.group_norm;
    GroupNormKernel *kernel = plan_kernel(state, plan, options->silu);
    plan->in[1] = plan->in[0];
    cpu_give_row_major(plan, 1, AIMF_F32);
    cpu_give_row_major(plan, 2, AIMF_F32);
    kernel->groups = options->groups;
    kernel->epsilon = options->epsilon;
    AimfInstructionSet level = aimf_instruction_set();
    kernel->measure_gradient = gradient_measures[options->silu != FALSE][kernel->is_bf16][level];
    kernel->apply_gradient = gradient_applies[options->silu != FALSE][kernel->is_bf16][level];
    kernel->base = (AimfKernel){ cpu_form_name(), group_norm_backward_bind, group_norm_backward_run, kernel_free };
    plan->scratch_bytes += gradient_scratch_bytes(kernel);
    return &kernel->base;
}

AimfKernel *cpu_plan_add_channels(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)error;
    GroupNormKernel *kernel = plan_kernel(state, plan, FALSE);
    kernel->base = (AimfKernel){ cpu_form_name(), add_channels_bind, add_channels_run, kernel_free };
    return &kernel->base;
}
