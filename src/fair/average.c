/* Several seeds to one result, as the paper does it. */
#include "fair/measures.h"

#include <math.h>
#include <string.h>

static gboolean same_groups(const AimfMeasures *a, const AimfMeasures *b)
{
    if (a->n_targets != b->n_targets || a->n_protected != b->n_protected)
        return FALSE;
    for (int i = 0; i < a->n_targets * a->n_protected; i++)
        if (a->groups[i].n != b->groups[i].n)
            return FALSE;
    return TRUE;
}

static void average_scalars(AimfMeasures *average, const AimfMeasures *const *runs, guint n)
{
    double means[AIMF_N_SCALARS] = { 0 };
    for (guint s = 0; s < AIMF_N_SCALARS; s++) {
        double sum = 0;
        AimfInterval range = { INFINITY, -INFINITY };
        for (guint r = 0; r < n; r++) {
            double value = aimf_scalar_at(&runs[r]->scalars, s);
            sum += value;
            range.low = MIN(range.low, value);
            range.high = MAX(range.high, value);
        }
        means[s] = sum / n;
        average->intervals[s] = isnan(sum) ? (AimfInterval){ NAN, NAN } : range;
    }
    memcpy(&average->scalars, means, sizeof means);
}

static void average_groups(AimfMeasures *average, const AimfMeasures *const *runs, guint n)
{
    for (int i = 0; i < average->n_targets * average->n_protected; i++) {
        AimfGroupMeasure *group = &average->groups[i];
        group->accuracy = group->selection_rate = 0;
        for (guint r = 0; r < n; r++) {
            group->accuracy += runs[r]->groups[i].accuracy / n;
            group->selection_rate += runs[r]->groups[i].selection_rate / n;
        }
    }
    for (int i = 0; i < average->n_protected; i++) {
        AimfProtectedMeasure *group = &average->protected_groups[i];
        group->accuracy = group->tpr = group->fpr = group->selection_rate = 0;
        for (guint r = 0; r < n; r++) {
            const AimfProtectedMeasure *run = &runs[r]->protected_groups[i];
            group->accuracy += run->accuracy / n;
            group->tpr += run->tpr / n;
            group->fpr += run->fpr / n;
            group->selection_rate += run->selection_rate / n;
        }
    }
}

AimfMeasures *aimf_measures_average(const AimfMeasures *const *runs, guint n, GError **error)
{
    if (n == 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "there are no results to average");
        return NULL;
    }
    for (guint r = 1; r < n; r++) {
        if (!same_groups(runs[0], runs[r])) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "result %u has other groups, or groups of other sizes, than the first; only results on test "
                        "sets of the "
                        "same composition can be averaged",
                        r + 1);
            return NULL;
        }
    }
    AimfMeasures *average = g_new0(AimfMeasures, 1);
    *average = *runs[0];
    average->groups =
        g_memdup2(runs[0]->groups, sizeof *average->groups * (gsize)average->n_targets * (gsize)average->n_protected);
    average->protected_groups =
        g_memdup2(runs[0]->protected_groups, sizeof *average->protected_groups * (gsize)average->n_protected);
    average_scalars(average, runs, n);
    average_groups(average, runs, n);
    AimfSpread spread = { 0 };
    for (int i = 0; i < average->n_targets * average->n_protected; i++)
        aimf_spread_add(&spread, average->groups[i].accuracy);
    aimf_spread_store(&spread, &average->scalars);
    return average;
}
