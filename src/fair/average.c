/* Several seeds to one result, as the paper does it. */
#include "fair/measures.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

gboolean aimf_same_groups(const AimfMeasures *a, const AimfMeasures *b)
{
    if (a->n_targets != b->n_targets || a->n_protected != b->n_protected || a->positive != b->positive)
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

/* What the runs have one of each of. */
typedef const void *(*Holder)(const AimfMeasures *run, gsize index);

/*
 * The mean of @n_values numbers that lie in a row, @offset bytes into what @holder gives of each run, goes to the
 * same place of @into.
 */
static void average_numbers(void *into, const AimfMeasures *const *runs, guint n, Holder holder, gsize index,
                            gsize offset, gsize n_values)
{
    for (gsize v = 0; v < n_values; v++) {
        double sum = 0, value;
        for (guint r = 0; r < n; r++) {
            memcpy(&value, (const char *)holder(runs[r], index) + offset + v * sizeof value, sizeof value);
            sum += value;
        }
        value = sum / n;
        memcpy((char *)into + offset + v * sizeof value, &value, sizeof value);
    }
}

static const void *protected_at(const AimfMeasures *run, gsize index)
{
    return &run->protected_groups[index];
}

static const void *class_at(const AimfMeasures *run, gsize index)
{
    return &run->classes[index];
}

static const void *class_group_at(const AimfMeasures *run, gsize index)
{
    return &run->class_groups[index];
}

static void average_groups(AimfMeasures *average, const AimfMeasures *const *runs, guint n)
{
    for (int i = 0; i < average->n_targets * average->n_protected; i++) {
        AimfGroupMeasure *group = &average->groups[i];
        group->accuracy = group->selection_rate = 0;
        group->interval = (AimfInterval){ NAN, NAN };
        for (guint r = 0; r < n; r++) {
            group->accuracy += runs[r]->groups[i].accuracy / n;
            group->selection_rate += runs[r]->groups[i].selection_rate / n;
        }
    }
    for (int i = 0; i < average->n_protected; i++)
        average_numbers(&average->protected_groups[i], runs, n, protected_at, (gsize)i,
                        offsetof(AimfProtectedMeasure, accuracy), AIMF_N_GROUP_MEASURES);
}

static void average_classes(AimfMeasures *average, const AimfMeasures *const *runs, guint n)
{
    gsize n_targets = (gsize)average->n_targets, n_protected = (gsize)average->n_protected;
    const gsize first = offsetof(AimfClassMeasure, tpr);
    gboolean known = TRUE;
    for (guint r = 0; r < n; r++)
        known = known && runs[r]->classes;
    average->classes = known ? g_memdup2(runs[0]->classes, sizeof(AimfClassMeasure) * n_targets) : NULL;
    average->class_groups =
        known ? g_memdup2(runs[0]->class_groups, sizeof(AimfProtectedMeasure) * n_targets * n_protected) : NULL;
    for (gsize i = 0; known && i < n_targets; i++) {
        average_numbers(&average->classes[i], runs, n, class_at, i, first,
                        (offsetof(AimfClassMeasure, occurs) - first) / sizeof(double));
        for (guint r = 1; r < n; r++)
            average->classes[i].occurs = average->classes[i].occurs || runs[r]->classes[i].occurs;
        average->classes[i].groups = average->class_groups + i * n_protected;
    }
    for (gsize i = 0; known && i < n_targets * n_protected; i++)
        average_numbers(&average->class_groups[i], runs, n, class_group_at, i, offsetof(AimfProtectedMeasure, accuracy),
                        AIMF_N_GROUP_MEASURES);
}

AimfMeasures *aimf_measures_average(const AimfMeasures *const *runs, guint n, GError **error)
{
    if (n == 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "there are no results to average");
        return NULL;
    }
    for (guint r = 1; r < n; r++) {
        if (!aimf_same_groups(runs[0], runs[r])) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "result %u has other groups, groups of other sizes or another positive class than the first; "
                        "only results "
                        "on test sets of the same composition can be averaged",
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
    memset(average->methods, 0, sizeof average->methods);
    average_scalars(average, runs, n);
    average_groups(average, runs, n);
    average_classes(average, runs, n);
    AimfSpread spread = { 0 };
    for (int i = 0; i < average->n_targets * average->n_protected; i++)
        aimf_spread_add(&spread, average->groups[i].accuracy);
    aimf_spread_store(&spread, &average->scalars);
    return average;
}
