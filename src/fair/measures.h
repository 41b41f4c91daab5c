/* Counting: everything but the AUC is a function of how many samples of each group were judged how. */
#pragma once

#include <aimfair/fair.h>

/** AimfCell: one (target, protected) group. @selected: predicted as class 1 */
typedef struct {
    guint64 n;
    guint64 correct;
    guint64 selected;
} AimfCell;

/** aimf_scalars_of_cells: @cells: (n_targets, n_protected); the AUC is passed through. */
AimfScalars aimf_scalars_of_cells(const AimfCell *cells, int n_targets, int n_protected, double auc);

/** aimf_protected_of_cells: one protected label over all targets. */
AimfProtectedMeasure aimf_protected_of_cells(const AimfCell *cells, int n_targets, int n_protected, int group);

/** aimf_measures_of_cells: (owned) all measures but the intervals, which are NaN. */
AimfMeasures *aimf_measures_of_cells(const AimfCell *cells, int n_targets, int n_protected, double auc);

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

/* What is known of one row; the AUC sums up pairs where a tie ends, nowhere without scores. */
enum { OUTCOME_CORRECT = 1, OUTCOME_SELECTED = 2, OUTCOME_POSITIVE = 4, OUTCOME_TIE_ENDS = 8 };

/**
 * AimfTally: the samples in ascending order of score, so that a resample is a weight per row and one pass counts everything.
 * @row_cell: (n) index into cells; @row_outcome: (n) bits of OUTCOME_…
 */
typedef struct {
    guint n;
    int n_targets;
    int n_protected;
    guint32 *row_cell;
    guint8 *row_outcome;
} AimfTally;

/** aimf_tally: counts the rows, each as often as @weights says (NULL: once), into @cells, and returns the AUC. */
double aimf_tally(const AimfTally *tally, const guint32 *weights, AimfCell *cells);

/** aimf_bootstrap: fills @intervals. FALSE with MEMORY or INTERRUPTED. */
gboolean aimf_bootstrap(const AimfTally *tally, guint resamples, guint64 seed, AimfInterval intervals[AIMF_N_SCALARS],
                        const AimfMonitor *monitor, GError **error);
