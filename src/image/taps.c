/*
 * Filter weights as Pillow computes them (src/libImaging/Resample.c, precompute_coeffs and normalize_coeffs_8bpc),
 * and as PyTorch does for 8-bit tensors (aten/src/ATen/native/cpu/UpSampleKernel.cpp): the same filters, other
 * rounding, and a form without antialiasing.
 */
#include "image/taps.h"

#include <math.h>
#include <string.h>

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

static double sinc(double x)
{
    return x == 0 ? 1 : sin(x * G_PI) / (x * G_PI);
}

static double lanczos3(double x)
{
    return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

/* Keys' bicubic convolution; Pillow and antialiasing PyTorch have a = -1/2, PyTorch without antialiasing -3/4. */
static double keys(double x, double a)
{
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static double bicubic(double x)
{
    return keys(x, -0.5);
}

static double sharp_bicubic(double x)
{
    return keys(x, -0.75);
}

typedef struct {
    double (*weight)(double x);
    double support;
} Filter;

static const Filter filters[] = {
    [AIMF_BILINEAR] = { triangle, 1 }, [AIMF_LANCZOS] = { lanczos3, 3 }, [AIMF_BICUBIC] = { bicubic, 2 }
};

/** Run: which inputs an output is made of, before padding to a common width. */
typedef struct {
    double center; /* of the output position, in input positions */
    int first, end;
} Run;

static Run run_at(const AimfAxis *axis, int i)
{
    double scale = (double)axis->in / axis->out, support = filters[axis->filter].support;
    if (axis->aliased) {
        double source = MAX((i + 0.5) * scale - 0.5, axis->filter == AIMF_BILINEAR ? 0 : -1);
        int near = MIN((int)floor(source), axis->in - 1);
        return (Run){ source, MAX(near - (int)support + 1, 0), MIN(near + (int)support + 1, axis->in) };
    }
    double center = (i + 0.5) * scale;
    support *= MAX(scale, 1);
    int first = (int)(center - support + 0.5), end = (int)(center + support + 0.5);
    return (Run){ center, MAX(first, 0), MIN(end, axis->in) };
}

/*
 * Weights of neighbours outside go to the outermost inside. The largest there was, also on the way, counts in
 * PyTorch's rounding.
 */
static double weigh_aliased(const AimfAxis *axis, Run run, double *weights)
{
    double (*weight)(double) = axis->filter == AIMF_BICUBIC ? sharp_bicubic : triangle;
    int support = (int)filters[axis->filter].support, near = MIN((int)floor(run.center), axis->in - 1);
    double fraction = CLAMP(run.center - near, 0, 1), largest = 0;
    for (int t = 0; t < run.end - run.first; t++)
        weights[t] = 0;
    for (int t = 1 - support; t <= support; t++) {
        double *to = &weights[CLAMP(near + t, 0, axis->in - 1) - run.first];
        *to += weight(t - fraction);
        largest = MAX(largest, *to);
    }
    return largest;
}

/* The normalised weights of @run, from @weights on. Returns: the largest. */
static double weigh(const AimfAxis *axis, Run run, double *weights)
{
    if (axis->aliased)
        return weigh_aliased(axis, run, weights);
    double sum = 0, largest = 0, inverse = 1 / MAX((double)axis->in / axis->out, 1);
    int n = run.end - run.first;
    for (int t = 0; t < n; t++) {
        weights[t] = filters[axis->filter].weight((run.first + t - run.center + 0.5) * inverse);
        sum += weights[t];
    }
    for (int t = 0; t < n; t++) {
        weights[t] = sum != 0 ? weights[t] / sum : weights[t];
        largest = MAX(largest, weights[t]);
    }
    return largest;
}

/*
 * Bits behind the point that weights are rounded to. PyTorch takes as many as let the largest weight of all outputs
 * fit 16 bits.
 * Source: PyTorch, UpSampleKernel.cpp, compute_index_ranges_int16_weights.
 */
static int weight_bits(const AimfAxis *axis, double *scratch)
{
    int bits = AIMF_WEIGHT_BITS;
    if (axis->resizing != AIMF_RESIZE_TENSOR_V2)
        return bits;
    double largest = 0;
    for (int i = 0; i < axis->out; i++)
        largest = MAX(largest, weigh(axis, run_at(axis, i), scratch));
    for (bits = 0; bits < AIMF_WEIGHT_BITS && (int)(0.5 + largest * (1 << (bits + 1))) < 1 << 15; bits++)
        ;
    return bits;
}

static gint32 fixed_point(double weight, int bits)
{
    double scaled = weight * (1 << bits);
    return (gint32)(weight < 0 ? scaled - 0.5 : scaled + 0.5) * (1 << (AIMF_WEIGHT_BITS - bits));
}

static gint32 join_halves(gint32 a, gint32 b)
{
    return (gint32)((guint32)(a & 0xffff) | (guint32)b << 16);
}

static AimfTapPair split_pair(gint32 a, gint32 b)
{
    gint32 mask = (1 << AIMF_LOW_BITS) - 1;
    return (AimfTapPair){ .low = join_halves(a & mask, b & mask),
                          .high = join_halves(a >> AIMF_LOW_BITS, b >> AIMF_LOW_BITS) };
}

static void fill_pairs(AimfTaps *taps)
{
    for (int p = 0; p < taps->n_pairs; p++)
        for (int i = 0; i < taps->n; i++) {
            const gint32 *weights = taps->weights + (gsize)i * (gsize)taps->width;
            gint32 partner = 2 * p + 1 < taps->width ? weights[2 * p + 1] : 0;
            taps->pairs[(gsize)p * (gsize)taps->stride + (gsize)i] = split_pair(weights[2 * p], partner);
        }
}

/* FALSE when memory is short; what is there is cleared by the caller. */
static gboolean allocate(AimfTaps *taps)
{
    gsize n = (gsize)taps->n, stride = (gsize)taps->stride, width = (gsize)taps->width, n_pairs = (gsize)taps->n_pairs;
    taps->first = g_try_new0(int, stride);
    taps->weights = width <= G_MAXSIZE / sizeof(gint32) / n ? g_try_new0(gint32, n * width) : NULL;
    taps->pairs =
        n_pairs <= G_MAXSIZE / sizeof(AimfTapPair) / stride ? g_try_new0(AimfTapPair, stride * n_pairs) : NULL;
    return taps->first && taps->weights && taps->pairs;
}

/* The most inputs that an output is made of; of all outputs where @everywhere, else of the wanted. */
static int widest(const AimfAxis *axis, gboolean everywhere)
{
    int width = 0, first = everywhere ? 0 : axis->first, end = everywhere ? axis->out : axis->first + axis->n;
    for (int i = first; i < end; i++) {
        Run run = run_at(axis, i);
        width = MAX(width, run.end - run.first);
    }
    return width;
}

gboolean aimf_taps_init(AimfTaps *taps, const AimfAxis *axis)
{
    *taps = (AimfTaps){ .n = axis->n,
                        .stride = (axis->n + AIMF_GROUP - 1) / AIMF_GROUP * AIMF_GROUP,
                        .width = widest(axis, FALSE) };
    taps->n_pairs = taps->width / 2 + taps->width % 2;
    g_autofree double *scratch =
        g_try_new(double, (gsize)(axis->resizing == AIMF_RESIZE_TENSOR_V2 ? widest(axis, TRUE) : taps->width));
    if (!scratch || !allocate(taps)) {
        aimf_taps_clear(taps);
        return FALSE;
    }
    int bits = weight_bits(axis, scratch);
    for (int i = 0; i < axis->n; i++) {
        Run run = run_at(axis, axis->first + i);
        int at = axis->mirror ? axis->n - 1 - i : i;
        taps->first[at] = MIN(run.first, axis->in - taps->width);
        gint32 *weights = taps->weights + (gsize)at * (gsize)taps->width + (run.first - taps->first[at]);
        weigh(axis, run, scratch);
        for (int t = 0; t < run.end - run.first; t++)
            weights[t] = fixed_point(scratch[t], bits);
    }
    fill_pairs(taps);
    return TRUE;
}

void aimf_taps_clear(AimfTaps *taps)
{
    g_clear_pointer(&taps->first, g_free);
    g_clear_pointer(&taps->weights, g_free);
    g_clear_pointer(&taps->pairs, g_free);
}
