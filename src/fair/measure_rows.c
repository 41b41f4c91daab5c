/* Samples measured: checked, counted, resampled. What follows from counts is in measures.c. */
#include "fair/tally.h"

#include <math.h>
#include <string.h>

static gboolean check_row(const AimfRows *rows, guint i, GError **error)
{
    const char *what = NULL;
    int value = 0, limit = rows->n_targets;
    if ((value = rows->target[i]) < 0 || value >= limit)
        what = "target";
    else if ((value = rows->prediction[i]) < 0 || value >= limit)
        what = "prediction";
    else if ((value = rows->group[i]) < 0 || value >= (limit = rows->n_protected))
        what = "protected group";
    if (what) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "sample %u: its %s is %d; it must be from 0 to %d", i, what,
                    value, limit - 1);
        return FALSE;
    }
    gboolean unknown = (rows->score && isnan(rows->score[i])) || (rows->probability && isnan(rows->probability[i]));
    for (int k = 0; rows->class_probability && k < rows->n_targets; k++)
        unknown |= isnan(rows->class_probability[(gsize)i * (gsize)rows->n_targets + (gsize)k]);
    if (unknown)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "sample %u: its score is not a number", i);
    return !unknown;
}

static gboolean check_sizes(const AimfRows *rows, guint resamples, GError **error)
{
    enum { MAX_CELLS = 1 << 20 };
    if (rows->n == 0 || rows->n > G_MAXINT)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "there must be from 1 to %d samples to measure, not %u",
                    G_MAXINT, rows->n);
    else if (rows->n_targets < 2 || rows->n_protected < 1 || rows->n_targets > MAX_CELLS / rows->n_protected)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "%d classes and %d protected labels: there must be at least 2 and 1, and at most %d groups",
                    rows->n_targets, rows->n_protected, MAX_CELLS);
    else if (rows->positive >= rows->n_targets || (rows->positive < 0 && rows->n_targets == 2))
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the positive class is %d; it must be from 0 to %d",
                    rows->positive, rows->n_targets - 1);
    else if (resamples > AIMF_MAX_RESAMPLES)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%u bootstrap resamples; at most %d are possible", resamples,
                    AIMF_MAX_RESAMPLES);
    else
        return TRUE;
    return FALSE;
}

static gboolean add_bootstrap(AimfMeasures *measures, const AimfTally *tally, guint resamples, guint64 seed,
                              const AimfMonitor *monitor, GError **error)
{
    if (!aimf_bootstrap(tally, resamples, seed, measures->intervals, monitor, error))
        return FALSE;
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        measures->methods[i] = isnan(measures->intervals[i].low) ? NULL : AIMF_BOOTSTRAP_METHOD;
    return TRUE;
}

static gboolean check_rows(const AimfRows *rows, guint resamples, GError **error)
{
    if (!check_sizes(rows, resamples, error))
        return FALSE;
    for (guint i = 0; i < rows->n; i++)
        if (!check_row(rows, i, error))
            return FALSE;
    return TRUE;
}

static gboolean count(const AimfRows *rows, AimfTally *tally, AimfCounter *counter, GError **error)
{
    if (!aimf_tally_init(tally, rows, error))
        return FALSE;
    if (!aimf_counter_init(counter, tally)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for the measures of %u samples", rows->n);
        return FALSE;
    }
    aimf_tally_count(tally, NULL, counter);
    return aimf_tally_auc_variances(tally, rows, &counter->counts, error);
}

gboolean aimf_count_rows(const AimfRows *rows, AimfCounts *counts, GError **error)
{
    g_auto(AimfTally) tally = { 0 };
    g_auto(AimfCounter) counter = { 0 };
    if (!check_rows(rows, 0, error) || !count(rows, &tally, &counter, error))
        return FALSE;
    *counts = counter.counts;
    memset(&counter.counts, 0, sizeof counter.counts);
    return TRUE;
}

AimfMeasures *aimf_measure_rows(const AimfRows *rows, guint resamples, guint64 seed, const AimfMonitor *monitor,
                                GError **error)
{
    g_auto(AimfTally) tally = { 0 };
    g_auto(AimfCounter) counter = { 0 };
    if (!check_rows(rows, resamples, error) || !count(rows, &tally, &counter, error))
        return NULL;
    g_autoptr(AimfMeasures) measures = aimf_measures_of_counts(&counter.counts);
    if (!aimf_tally_score_labels(&tally, &counter, measures, error) ||
        (resamples && !add_bootstrap(measures, &tally, resamples, seed, monitor, error)))
        return NULL;
    aimf_measures_set_intervals(measures, &counter.counts);
    return g_steal_pointer(&measures);
}

AimfMeasures *aimf_measure(guint n, const int *target, const int *prediction, const double *score, const int *group,
                           int n_targets, int n_protected, guint resamples, guint64 seed, const AimfMonitor *monitor,
                           GError **error)
{
    const AimfRows rows = {
        .n = n,
        .n_targets = n_targets,
        .n_protected = n_protected,
        .positive = 1,
        .target = target,
        .prediction = prediction,
        .group = group,
        .score = score,
    };
    return aimf_measure_rows(&rows, resamples, seed, monitor, error);
}
