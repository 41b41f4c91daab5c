/* Counting: everything but what rests on scores is a function of how many samples of each group were judged how. */
#pragma once

#include <aimfair/fair.h>

/**
 * AimfCell: one (target, protected) group. @selected: predicted as the positive class
 * @predicted: samples of the protected label, whatever their target, that were predicted as this target
 */
typedef struct {
    guint64 n;
    guint64 correct;
    guint64 selected;
    guint64 predicted;
} AimfCell;

/** AimfScores: what the scores of one class against all others say; NaN where unknown. */
typedef struct {
    double auc;
    double auc_variance; /* DeLong's; 0 where it says nothing */
    double calibration_error;
    double calibration_error_gap;
} AimfScores;

/**
 * AimfCounts: what the measures are computed from.
 * @positive: -1 for none; @classes_known: whether predictions are known class by class (old files of results do not
 * say)
 */
typedef struct {
    int n_targets;
    int n_protected;
    int positive;
    gboolean classes_known;
    AimfCell *cells;    /* (n_targets, n_protected), owned */
    guint64 *totals;    /* (n_protected) samples of each label, owned */
    AimfScores *scores; /* (n_targets), owned */
} AimfCounts;

/** aimf_counts_init: cells and totals all 0, scores NaN. FALSE without memory; aimf_counts_clear is for both. */
gboolean aimf_counts_init(AimfCounts *counts, int n_targets, int n_protected, int positive);
void aimf_counts_clear(AimfCounts *counts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfCounts, aimf_counts_clear)

AimfScalars aimf_scalars_of_counts(const AimfCounts *counts);
/**
 * aimf_measures_of_counts: (owned) all measures but the intervals and the scores of each protected label, which are
 * NaN.
 */
AimfMeasures *aimf_measures_of_counts(const AimfCounts *counts);

/**
 * aimf_measures_set_intervals: intervals and methods of @measures, which are of @counts, where they follow from counts
 * and the AUC's variance. STD's and calibration's stay as they are; gaps and ratios of too many labels have none.
 */
void aimf_measures_set_intervals(AimfMeasures *measures, const AimfCounts *counts);
/**
 * aimf_macro_interval: at the level @alpha, of the mean of AimfClassScalars' member @class_scalar, which is no
 * calibration, over the classes of @measures, which has some and is of @counts.
 */
AimfInterval aimf_macro_interval(const AimfMeasures *measures, const AimfCounts *counts, guint class_scalar,
                                 double alpha);
/** AIMF_BOOTSTRAP_METHOD: the method of the intervals that do not. */
#define AIMF_BOOTSTRAP_METHOD "bootstrap, percentiles"

/** aimf_low_is_bad: whether of AimfClassScalars' member @class_scalar the smallest is the worst. */
gboolean aimf_low_is_bad(gsize class_scalar);

/** AimfSpread: lowest and population deviation of the accuracies added so far; NaN while there are none. */
typedef struct {
    int n;
    double worst;
    double mean;
    double squares; /* sum of squared differences from the mean */
} AimfSpread;

/** aimf_spread_add: NaN (an empty group) is left out. */
void aimf_spread_add(AimfSpread *spread, double accuracy);
/** aimf_spread_store: into worst_group_accuracy and std_group_accuracy. */
void aimf_spread_store(const AimfSpread *spread, AimfScalars *scalars);

/** AimfRange: lowest and highest of the numbers that exist, and how many there are. */
typedef struct {
    double low, high;
    int n;
} AimfRange;

/** aimf_range_add: NaN is left out. */
void aimf_range_add(AimfRange *range, double value);
/** aimf_range_gap: NaN for fewer than two numbers. */
double aimf_range_gap(const AimfRange *range);

/**
 * AimfRows: samples to be measured.
 * @score: (n, nullable) larger is more class 1; @probability: (n, nullable) of class 1
 * @class_probability: (n, n_targets; nullable) of every class, with more than two
 */
typedef struct {
    guint n;
    int n_targets;
    int n_protected;
    int positive;
    const int *target;
    const int *prediction;
    const int *group;
    const double *score;
    const double *probability;
    const double *class_probability;
} AimfRows;

/** aimf_same_groups: whether both are of the same classes and labels, as often, and the same positive class. */
gboolean aimf_same_groups(const AimfMeasures *a, const AimfMeasures *b);
/** aimf_count_rows: what is counted of rows, AUCs and their variances too; fails as aimf_measure_rows does. */
gboolean aimf_count_rows(const AimfRows *rows, AimfCounts *counts, GError **error);
/** aimf_outcomes_rows: the rows of @outcomes, borrowed. */
AimfRows aimf_outcomes_rows(const AimfOutcomes *outcomes);
/** aimf_measure_rows: see aimf_measure. */
AimfMeasures *aimf_measure_rows(const AimfRows *rows, guint resamples, guint64 seed, const AimfMonitor *monitor,
                                GError **error);
