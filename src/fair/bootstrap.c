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

/* It depends on (seed, index) only, so any thread may do it. */
void aimf_draw_rows(guint64 seed, guint index, guint n, guint32 *weights)
{
    AimfRandom random = aimf_random_at(seed, AIMF_STREAM_BOOTSTRAP, index);
    memset(weights, 0, sizeof *weights * n);
    for (guint i = 0; i < n; i++)
        weights[draw_below(&random, n)]++;
}

static AimfScalars measure(const AimfTally *tally, const guint32 *weights, AimfCounter *counter)
{
    aimf_tally_count(tally, weights, counter);
    return aimf_scalars_of_counts(&counter->counts);
}

static gboolean no_memory(guint resamples, guint n, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for %u bootstrap resamples of %u samples", resamples,
                n);
    return FALSE;
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

AimfInterval aimf_percentiles(double *values, guint n)
{
    guint known = 0;
    for (guint i = 0; i < n; i++)
        if (!isnan(values[i]))
            values[known++] = values[i];
    if (!known)
        return (AimfInterval){ NAN, NAN };
    qsort(values, known, sizeof *values, compare_doubles);
    return (AimfInterval){ percentile(values, known, 0.025), percentile(values, known, 0.975) };
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
                if (able && !(monitor && monitor->stop && *monitor->stop)) {
                    aimf_draw_rows(seed, i, tally->n, weights);
                    drawn[i] = measure(tally, weights, &counter);
                }
        }
    }
    if (!enough)
        return no_memory(resamples, tally->n, error);
    if (!aimf_check_stop(monitor, "the bootstrap", error))
        return FALSE;
    for (guint scalar = 0; scalar < AIMF_N_SCALARS; scalar++) {
        for (guint i = 0; i < resamples; i++)
            sorted[i] = aimf_scalar_at(&drawn[i], scalar);
        intervals[scalar] = aimf_percentiles(sorted, resamples);
    }
    return TRUE;
}

void aimf_tally_count_in_order(const AimfTally *tally, const guint32 *weights, guint32 *own, AimfCounter *counter)
{
    for (guint i = 0; i < tally->n; i++)
        own[i] = weights[tally->order[i]];
    aimf_tally_count(tally, own, counter);
}

static AimfScalars measure_in_order(const AimfTally *tally, const guint32 *weights, guint32 *own, AimfCounter *counter)
{
    aimf_tally_count_in_order(tally, weights, own, counter);
    return aimf_scalars_of_counts(&counter->counts);
}

gboolean aimf_bootstrap_pairs(const AimfTally *of_before, const AimfTally *of_after, guint resamples, guint64 seed,
                              AimfScalars *before, AimfScalars *after, const AimfMonitor *monitor, GError **error)
{
    guint n = of_before->n;
    gboolean enough = TRUE;
#pragma omp parallel
    {
        g_autofree guint32 *weights = g_try_new(guint32, n), *own = g_try_new(guint32, n);
        g_auto(AimfCounter) one = { 0 }, two = { 0 };
        gboolean able = aimf_counter_init(&one, of_before) && aimf_counter_init(&two, of_after) && weights && own;
        if (!able) {
#pragma omp atomic write
            enough = FALSE;
        }
#pragma omp for schedule(static)
        for (guint i = 0; i < resamples; i++) {
            if (!able || (monitor && monitor->stop && *monitor->stop))
                continue;
            aimf_draw_rows(seed, i, n, weights);
            before[i] = measure_in_order(of_before, weights, own, &one);
            after[i] = measure_in_order(of_after, weights, own, &two);
        }
    }
    return enough ? aimf_check_stop(monitor, "the bootstrap", error) : no_memory(resamples, n, error);
}
