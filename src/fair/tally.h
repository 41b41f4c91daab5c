/* Samples put in such an order that a resample is a weight per row and a few passes count everything. */
#pragma once

#include "fair/measures.h"

/** AimfKind: what the counts know of a row; there are few kinds. */
typedef struct {
    int target;
    int prediction;
    int group;
} AimfKind;

/* What the AUC knows of one row; it sums up pairs where a tie ends. */
enum { OUTCOME_POSITIVE = 1, OUTCOME_TIE_ENDS = 2 };

/** AimfView: the rows in ascending order of the score of class @target against all others. */
typedef struct {
    int target;
    guint32 *row;        /* (n, nullable) which row; NULL: in the tally's order */
    guint8 *outcome;     /* (n) bits of OUTCOME_… */
    guint32 *bin;        /* (n, nullable) protected label * AIMF_CALIBRATION_BINS + bin of the probability */
    double *probability; /* (n, nullable) */
} AimfView;

/** AimfTally: everything owned. Rows are numbered in the order of the first view, if there is one. */
typedef struct {
    guint n;
    int n_targets;
    int n_protected;
    int positive;
    guint n_kinds;
    AimfKind *kinds;
    guint32 *row_kind; /* (n) */
    guint32 *order;    /* (n) which of the caller's rows each is */
    guint n_views;
    AimfView *views;
} AimfTally;

/** aimf_tally_init: of @rows, whose numbers were checked. FALSE with MEMORY; aimf_tally_clear is for both. */
gboolean aimf_tally_init(AimfTally *tally, const AimfRows *rows, GError **error);
void aimf_tally_clear(AimfTally *tally);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfTally, aimf_tally_clear)

/** AimfBin: of one protected label's probabilities. */
typedef struct {
    guint64 n;
    guint64 positives;
    double probabilities; /* their sum */
} AimfBin;

/** AimfCounter: where one thread counts. */
typedef struct {
    AimfCounts counts;
    guint64 *kinds; /* (n_kinds), owned */
    AimfBin *bins;  /* (n_protected, AIMF_CALIBRATION_BINS), owned */
} AimfCounter;

/** aimf_counter_init: FALSE without memory; aimf_counter_clear is for both. */
gboolean aimf_counter_init(AimfCounter *counter, const AimfTally *tally);
void aimf_counter_clear(AimfCounter *counter);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfCounter, aimf_counter_clear)

/** aimf_tally_count: counts the rows, each as often as @weights says (NULL: once), into @counter's counts. */
void aimf_tally_count(const AimfTally *tally, const guint32 *weights, AimfCounter *counter);

/**
 * aimf_tally_auc_variances: DeLong's variance of each class's AUC, into @counts, which has the AUCs. FALSE with
 * MEMORY.
 */
gboolean aimf_tally_auc_variances(const AimfTally *tally, const AimfRows *rows, AimfCounts *counts, GError **error);

/**
 * aimf_tally_placements: of class @target: how much each of the caller's rows (n) is above the mean of its kind in the
 * share of the other kind that it wins against. FALSE if the class has no scores, or fewer than two of a kind.
 */
gboolean aimf_tally_placements(const AimfTally *tally, int target, double auc, double *placements);
/** aimf_placements_variance: of the AUC, or for differences of placements that of the AUCs' difference. */
double aimf_placements_variance(const double *placements, const int *target, int positive, guint n);

/** aimf_tally_score_labels: AUC and calibration error of every protected label, into @measures. FALSE with MEMORY. */
gboolean aimf_tally_score_labels(const AimfTally *tally, AimfCounter *counter, AimfMeasures *measures, GError **error);

/**
 * aimf_bootstrap_pairs: @resamples of the rows of both tallies, which are of the same rows in the same order, measured
 * into @before and @after (resamples). FALSE with MEMORY or INTERRUPTED.
 */
gboolean aimf_bootstrap_pairs(const AimfTally *of_before, const AimfTally *of_after, guint resamples, guint64 seed,
                              AimfScalars *before, AimfScalars *after, const AimfMonitor *monitor, GError **error);
/** aimf_draw_rows: how often each of @n rows is in resample @index, into @weights (n): a function of (seed, index). */
void aimf_draw_rows(guint64 seed, guint index, guint n, guint32 *weights);
/** aimf_tally_count_in_order: aimf_tally_count by @weights of the caller's rows; @own: (n) scratch. */
void aimf_tally_count_in_order(const AimfTally *tally, const guint32 *weights, guint32 *own, AimfCounter *counter);
/** aimf_percentiles: from 2.5 to 97.5 % of (n) @values that are not NaN, which it sorts. */
AimfInterval aimf_percentiles(double *values, guint n);

/** aimf_bootstrap: fills @intervals. FALSE with MEMORY or INTERRUPTED. */
gboolean aimf_bootstrap(const AimfTally *tally, guint resamples, guint64 seed, AimfInterval intervals[AIMF_N_SCALARS],
                        const AimfMonitor *monitor, GError **error);
