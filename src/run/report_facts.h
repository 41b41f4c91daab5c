/* What a report says again and again about results: changes, names, which cells there are. */
#pragma once

#include "run/results.h"

#include <math.h>

/** AimfDirection: of a change, by whether its interval excludes 0. */
typedef enum { AIMF_UNTOLD, AIMF_BETTER, AIMF_WORSE, AIMF_NO_INTERVAL } AimfDirection;

static inline gboolean aimf_interval_known(AimfInterval interval)
{
    return isfinite(interval.low) && isfinite(interval.high);
}

AimfDirection aimf_report_direction(AimfInterval interval, gboolean low_is_bad);

/** aimf_report_measures: (borrowed, nullable) of the method's seeds together. */
const AimfMeasures *aimf_report_measures(const AimfRunResults *results, guint method);
/** aimf_report_shape: (borrowed, nullable) any measures of the test set, for its groups and their sizes. */
const AimfMeasures *aimf_report_shape(const AimfRunResults *results);
/** aimf_report_value: NaN where unknown. */
double aimf_report_value(const AimfRunResults *results, guint method, guint scalar);

/**
 * aimf_report_change, aimf_report_group_change: of the method against the biased classifier; all NaN where unknown. Of
 * one seed, the intervals are those of its comparison.
 */
AimfSeedStatistic aimf_report_change(const AimfRunResults *results, guint method, guint scalar);
AimfSeedStatistic aimf_report_group_change(const AimfRunResults *results, guint method, guint group);
/** aimf_report_widest: the interval of a change that says most: over seeds and pictures, or over pictures alone. */
AimfInterval aimf_report_widest(const AimfSeedStatistic *change);

/** AIMF_MOST_HEADLINES: measures of the first table. */
enum { AIMF_MOST_HEADLINES = 10 };
/** aimf_report_headlines: the measures of the first table that are known; @scalars: (AIMF_MOST_HEADLINES). */
guint aimf_report_headlines(const AimfRunResults *results, guint *scalars);
/** aimf_report_odds: the measure of equalized odds that there is: of the positive class, or the mean over classes. */
guint aimf_report_odds(const AimfRunResults *results);
/** aimf_report_title: (owned) of a measure, with a capital; what macro and worst ones are said to be. */
char *aimf_report_title(guint scalar);

/** aimf_report_class: (owned) "smiling", or "1" where classes have no names. */
char *aimf_report_class(const AimfRunResults *results, int target);
/** aimf_report_label: (borrowed) "male", as aimf_run_label_name; "?" of a group that there is none of. */
const char *aimf_report_label(const AimfRunResults *results, int group);
/** aimf_report_group: (owned) "smiling, male". */
char *aimf_report_group(const AimfRunResults *results, int target, int group);

/** aimf_report_cell: (borrowed, nullable) of aimf_run_first_seed, which @seed (nullable) receives. */
const AimfRunCell *aimf_report_cell(const AimfRunResults *results, guint method, guint *seed);
/** aimf_report_selecting: the first method that selects tensors; 0 where none does. */
guint aimf_report_selecting(const AimfRunResults *results);
