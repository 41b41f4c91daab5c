/* Percentile intervals by resampling rows: Efron, "Bootstrap methods: another look at the jackknife", 1979. */
#include "base/monitor.h"
#include "base/random.h"
#include "fair/tally.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * In [0, n) without bias: Lemire, "Fast random integer generation in an interval", 2019. A row costs one 32-bit draw.
 */
static guint32 draw_below(AimfRandom *random, guint32 n)
{
    guint64 product = (guint64)aimf_random_u32(random) * n;
    if ((guint32)product < n) {
        guint32 unfair = (0u - n) % n;
        while ((guint32)product < unfair)
            product = (guint64)aimf_random_u32(random) * n;
    }
    return (guint32)(product >> 32);
}

/* Resample @index drawn into @weights and measured. It depends on (seed, index) only, so any thread may do it. */
static AimfScalars resample(const AimfTally *tally, guint64 seed, guint index, guint32 *weights, AimfCounter *counter)
{
    AimfRandom random = aimf_random_at(seed, AIMF_STREAM_BOOTSTRAP, index);
    memset(weights, 0, sizeof *weights * tally->n);
    for (guint i = 0; i < tally->n; i++)
        weights[draw_below(&random, tally->n)]++;
    aimf_tally_count(tally, weights, counter);
    return aimf_scalars_of_counts(&counter->counts);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Linear between order statistics, as NumPy's default. */
static double percentile(const double *sorted, guint n, double share)
{
    double position = share * (n - 1);
    guint below = (guint)position;
    double fraction = position - below;
    return below + 1 < n ? sorted[below] + fraction * (sorted[below + 1] - sorted[below]) : sorted[below];
}

static AimfInterval interval(const AimfScalars *drawn, guint resamples, guint scalar, double *sorted)
{
    guint n = 0;
    for (guint i = 0; i < resamples; i++) {
        double value = aimf_scalar_at(&drawn[i], scalar);
        if (!isnan(value))
            sorted[n++] = value;
    }
    if (!n)
        return (AimfInterval){ NAN, NAN };
    qsort(sorted, n, sizeof *sorted, compare_doubles);
    return (AimfInterval){ percentile(sorted, n, 0.025), percentile(sorted, n, 0.975) };
}

gboolean aimf_bootstrap(const AimfTally *tally, guint resamples, guint64 seed, AimfInterval intervals[AIMF_N_SCALARS],
                        const AimfMonitor *monitor, GError **error)
{
    g_autofree AimfScalars *drawn = g_try_new(AimfScalars, resamples);
    g_autofree double *sorted = g_try_new(double, resamples);
    gboolean enough = drawn && sorted;
    if (enough) {
#pragma omp parallel
        {
            g_autofree guint32 *weights = g_try_new(guint32, tally->n);
            g_auto(AimfCounter) counter = { 0 };
            gboolean able = aimf_counter_init(&counter, tally) && weights;
            if (!able) {
#pragma omp atomic write
                enough = FALSE;
            }
#pragma omp for schedule(static)
            for (guint i = 0; i < resamples; i++)
                if (able && !(monitor && monitor->stop && *monitor->stop))
                    drawn[i] = resample(tally, seed, i, weights, &counter);
        }
    }
    if (!enough) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for %u bootstrap resamples of %u samples",
                    resamples, tally->n);
        return FALSE;
    }
    if (!aimf_check_stop(monitor, "the bootstrap", error))
        return FALSE;
    for (guint scalar = 0; scalar < AIMF_N_SCALARS; scalar++)
        intervals[scalar] = interval(drawn, resamples, scalar, sorted);
    return TRUE;
}
