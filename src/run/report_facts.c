#include "run/report_facts.h"

#include <stddef.h>
#include <string.h>

#define SCALAR(member) (guint)(offsetof(AimfScalars, member) / sizeof(double))

static const AimfSeedStatistic NOTHING = { NAN, NAN, { NAN, NAN }, { NAN, NAN }, { NAN, NAN }, NAN };

AimfDirection aimf_report_direction(AimfInterval interval, gboolean low_is_bad)
{
    if (!aimf_interval_known(interval))
        return AIMF_NO_INTERVAL;
    if (interval.low <= 0 && interval.high >= 0)
        return AIMF_UNTOLD;
    return (interval.low > 0) == (low_is_bad != FALSE) ? AIMF_BETTER : AIMF_WORSE;
}

/* --- Values --- */

const AimfMeasures *aimf_report_measures(const AimfRunResults *results, guint method)
{
    return method < results->n_methods && results->averages ? results->averages[method].measures : NULL;
}

const AimfMeasures *aimf_report_shape(const AimfRunResults *results)
{
    for (guint m = 0; m < results->n_methods; m++)
        if (aimf_report_measures(results, m))
            return aimf_report_measures(results, m);
    return NULL;
}

double aimf_report_value(const AimfRunResults *results, guint method, guint scalar)
{
    const AimfMeasures *measures = aimf_report_measures(results, method);
    return measures ? aimf_scalar_at(&measures->scalars, scalar) : NAN;
}

/* (nullable) the only comparison of the method, or its first where there is no summary. */
static const AimfComparison *only_comparison(const AimfRunResults *results, guint method)
{
    const AimfSeeds *changes = results->averages ? results->averages[method].changes : NULL;
    const AimfComparison *found = NULL;
    for (guint s = 0; !found && (!changes || changes->n_runs < 2) && s < results->n_seeds; s++)
        found = aimf_run_cell(results, method, s)->comparison;
    return found;
}

AimfSeedStatistic aimf_report_change(const AimfRunResults *results, guint method, guint scalar)
{
    AimfSeedStatistic change = NOTHING;
    if (method >= results->n_methods)
        return change;
    const AimfComparison *comparison = only_comparison(results, method);
    if (results->averages && results->averages[method].changes)
        change = results->averages[method].changes->scalars[scalar];
    if (comparison) {
        change.mean = comparison->changes[scalar];
        change.over_pictures = comparison->intervals[scalar];
    }
    return change;
}

AimfSeedStatistic aimf_report_group_change(const AimfRunResults *results, guint method, guint group)
{
    AimfSeedStatistic change = NOTHING;
    if (method >= results->n_methods)
        return change;
    const AimfComparison *comparison = only_comparison(results, method);
    const AimfSeeds *changes = results->averages ? results->averages[method].changes : NULL;
    if (changes && group < changes->n_groups)
        change = changes->groups[group];
    if (comparison && group < (guint)(comparison->before->n_targets * comparison->before->n_protected)) {
        const AimfGroupPairs *pairs = &comparison->groups[group];
        change.mean = pairs->n ? ((double)pairs->right_after - (double)pairs->right_before) / pairs->n : NAN;
        change.over_pictures = pairs->change;
    }
    return change;
}

AimfInterval aimf_report_widest(const AimfSeedStatistic *change)
{
    return aimf_interval_known(change->over_both) ? change->over_both : change->over_pictures;
}

/* --- Measures --- */

guint aimf_report_odds(const AimfRunResults *results)
{
    const AimfMeasures *shape = aimf_report_shape(results);
    return shape && isnan(shape->scalars.equalized_odds_mean) && isfinite(shape->scalars.macro.equalized_odds_mean)
               ? SCALAR(macro.equalized_odds_mean)
               : SCALAR(equalized_odds_mean);
}

guint aimf_report_headlines(const AimfRunResults *results, guint *scalars)
{
    static const guint wanted[] = {
        SCALAR(accuracy),
        SCALAR(worst_group_accuracy),
        SCALAR(equalized_odds_mean),
        SCALAR(macro.equalized_odds_mean),
        SCALAR(worst.equalized_odds_mean),
        SCALAR(std_group_accuracy),
        SCALAR(balanced_accuracy),
        SCALAR(demographic_parity),
        SCALAR(macro.demographic_parity),
        SCALAR(auc),
        SCALAR(macro.auc),
    };
    guint n = 0;
    for (gsize i = 0; i < G_N_ELEMENTS(wanted) && n < AIMF_MOST_HEADLINES; i++) {
        gboolean known = FALSE;
        for (guint m = 0; m < MIN(results->n_methods, 2U); m++)
            known = known || isfinite(aimf_report_value(results, m, wanted[i]));
        if (known)
            scalars[n++] = wanted[i];
    }
    return n;
}

char *aimf_report_title(guint scalar)
{
    const char *kind = !aimf_scalar_of_classes(scalar)               ? ""
                       : scalar >= SCALAR(worst.equalized_odds_mean) ? ", worst class"
                                                                     : ", mean over classes";
    char *title = g_strconcat(aimf_scalar_title(scalar), kind, NULL);
    title[0] = g_ascii_toupper(title[0]);
    return title;
}

/* --- Names --- */

char *aimf_report_class(const AimfRunResults *results, int target)
{
    for (int i = 0; results->classes && results->classes[i]; i++)
        if (i == target)
            return g_strdup(results->classes[i]);
    return g_strdup_printf("%d", target);
}

const char *aimf_report_label(const AimfRunResults *results, int group)
{
    for (int i = 0; results->labels && results->labels[i]; i++)
        if (i == group)
            return aimf_run_label_name(results, results->labels[i]);
    return "?";
}

char *aimf_report_group(const AimfRunResults *results, int target, int group)
{
    g_autofree char *name = aimf_report_class(results, target);
    return g_strconcat(name, ", ", aimf_report_label(results, group), NULL);
}

/* --- Cells --- */

const AimfRunCell *aimf_report_cell(const AimfRunResults *results, guint method, guint *seed)
{
    guint first = method < results->n_methods ? aimf_run_first_seed(results, method) : results->n_seeds;
    if (first == results->n_seeds)
        return NULL;
    if (seed)
        *seed = first;
    return aimf_run_cell(results, method, first);
}

guint aimf_report_selecting(const AimfRunResults *results)
{
    for (guint m = 1; m < results->n_methods; m++)
        if (results->methods[m].k)
            return m;
    return 0;
}
