/* Filter weights as Pillow computes them: src/libImaging/Resample.c, precompute_coeffs and normalize_coeffs_8bpc. */
#include "image/resize.h"

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

static const struct {
    double (*weight)(double x);
    double support;
} filters[] = { [AIMF_BILINEAR] = { triangle, 1 }, [AIMF_LANCZOS] = { lanczos3, 3 } };

/** Run: which inputs an output is made of, before padding to a common width. */
typedef struct {
    double center; /* of the output position, in input positions */
    int first, end;
} Run;

static Run run_at(int i, int in, double scale, double support)
{
    double center = (i + 0.5) * scale;
    int first = (int)(center - support + 0.5), end = (int)(center + support + 0.5);
    return (Run){ center, MAX(first, 0), MIN(end, in) };
}

static gint32 fixed_point(double weight)
{
    double scaled = weight * (1 << AIMF_WEIGHT_BITS);
    return (gint32)(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

/* The normalised weights of @run, from @weights on; @scratch has room for them. */
static void weigh(gint32 *weights, double *scratch, Run run, double stretch, double (*weight)(double))
{
    double sum = 0, inverse = 1 / stretch;
    for (int x = run.first; x < run.end; x++) {
        double w = weight((x - run.center + 0.5) * inverse);
        scratch[x - run.first] = w;
        sum += w;
    }
    for (int t = 0; t < run.end - run.first; t++)
        weights[t] = fixed_point(sum != 0 ? scratch[t] / sum : scratch[t]);
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

gboolean aimf_taps_init(AimfTaps *taps, int in, int out, AimfFilter filter, gboolean mirror)
{
    double scale = (double)in / out, stretch = MAX(scale, 1);
    double support = filters[filter].support * stretch;
    *taps = (AimfTaps){ .n = out, .stride = (out + AIMF_GROUP - 1) / AIMF_GROUP * AIMF_GROUP };
    for (int i = 0; i < out; i++) {
        Run run = run_at(i, in, scale, support);
        taps->width = MAX(taps->width, run.end - run.first);
    }
    taps->n_pairs = taps->width / 2 + taps->width % 2;
    g_autofree double *scratch = g_try_new(double, (gsize)taps->width);
    if (!scratch || !allocate(taps)) {
        aimf_taps_clear(taps);
        return FALSE;
    }
    for (int i = 0; i < out; i++) {
        Run run = run_at(i, in, scale, support);
        int at = mirror ? out - 1 - i : i;
        taps->first[at] = MIN(run.first, in - taps->width);
        gint32 *weights = taps->weights + (gsize)at * (gsize)taps->width;
        weigh(weights + (run.first - taps->first[at]), scratch, run, stretch, filters[filter].weight);
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
