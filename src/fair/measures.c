/* Measures of accuracy and fairness from counts per group. */
#include "fair/measures.h"

#include <math.h>
#include <string.h>

static const char *const scalar_names[] = {
    "accuracy",
    "worst_group_accuracy",
    "std_group_accuracy",
    "equalized_odds.mean",
    "equalized_odds.max",
    "equalized_odds.sum",
    "equal_opportunity",
    "demographic_parity",
    "auc",
    "balanced_accuracy",
};
G_STATIC_ASSERT(G_N_ELEMENTS(scalar_names) == AIMF_N_SCALARS);

const char *aimf_scalar_name(guint index)
{
    g_assert(index < AIMF_N_SCALARS);
    return scalar_names[index];
}

double aimf_scalar_at(const AimfScalars *scalars, guint index)
{
    g_assert(index < AIMF_N_SCALARS);
    double values[AIMF_N_SCALARS];
    memcpy(values, scalars, sizeof values);
    return values[index];
}

static double ratio(guint64 part, guint64 whole)
{
    return whole ? (double)part / (double)whole : NAN;
}

/* Welford 1962: one pass, no memory. */
void aimf_spread_add(AimfSpread *spread, double accuracy)
{
    if (isnan(accuracy))
        return;
    spread->worst = spread->n ? MIN(spread->worst, accuracy) : accuracy;
    double difference = accuracy - spread->mean;
    spread->mean += difference / ++spread->n;
    spread->squares += difference * (accuracy - spread->mean);
}

void aimf_spread_store(const AimfSpread *spread, AimfScalars *scalars)
{
    scalars->worst_group_accuracy = spread->n ? spread->worst : NAN;
    scalars->std_group_accuracy = spread->n ? sqrt(spread->squares / spread->n) : NAN;
}

AimfProtectedMeasure aimf_protected_of_cells(const AimfCell *cells, int n_targets, int n_protected, int group)
{
    AimfCell all = { 0 }, positive = { 0 };
    for (int target = 0; target < n_targets; target++) {
        const AimfCell *cell = &cells[target * n_protected + group];
        all.n += cell->n;
        all.correct += cell->correct;
        all.selected += cell->selected;
        if (target == 1)
            positive = *cell;
    }
    return (AimfProtectedMeasure){
        .group = group,
        .n = (guint)all.n,
        .accuracy = ratio(all.correct, all.n),
        .tpr = ratio(positive.selected, positive.n),
        .fpr = ratio(all.selected - positive.selected, all.n - positive.n),
        .selection_rate = ratio(all.selected, all.n),
    };
}

/* Lowest and highest of the rates that exist, and how many there are. */
typedef struct {
    double low, high;
    int n;
} Range;

static void extend(Range *range, double value)
{
    if (isnan(value))
        return;
    range->low = range->n ? MIN(range->low, value) : value;
    range->high = range->n ? MAX(range->high, value) : value;
    range->n++;
}

static double gap(const Range *range)
{
    return range->n > 1 ? range->high - range->low : NAN;
}

static double balanced_accuracy(const AimfCell *cells, int n_targets, int n_protected)
{
    double sum = 0;
    int classes = 0;
    for (int target = 0; target < n_targets; target++) {
        guint64 n = 0, correct = 0;
        for (int group = 0; group < n_protected; group++) {
            n += cells[target * n_protected + group].n;
            correct += cells[target * n_protected + group].correct;
        }
        if (n) {
            sum += ratio(correct, n);
            classes++;
        }
    }
    return classes ? sum / classes : NAN;
}

AimfScalars aimf_scalars_of_cells(const AimfCell *cells, int n_targets, int n_protected, double auc)
{
    AimfSpread spread = { 0 };
    Range tpr = { 0 }, fpr = { 0 }, selection = { 0 };
    guint64 n = 0, correct = 0;
    for (int i = 0; i < n_targets * n_protected; i++) {
        n += cells[i].n;
        correct += cells[i].correct;
        aimf_spread_add(&spread, ratio(cells[i].correct, cells[i].n));
    }
    for (int group = 0; group < n_protected; group++) {
        AimfProtectedMeasure measure = aimf_protected_of_cells(cells, n_targets, n_protected, group);
        extend(&tpr, measure.tpr);
        extend(&fpr, measure.fpr);
        extend(&selection, measure.selection_rate);
    }
    double tpr_gap = gap(&tpr), fpr_gap = gap(&fpr);
    AimfScalars scalars = {
        .accuracy = ratio(correct, n),
        .equalized_odds_mean = (tpr_gap + fpr_gap) / 2,
        .equalized_odds_max = isnan(tpr_gap) || isnan(fpr_gap) ? NAN : MAX(tpr_gap, fpr_gap),
        .equalized_odds_sum = tpr_gap + fpr_gap,
        .equal_opportunity = tpr_gap,
        .demographic_parity = gap(&selection),
        .auc = auc,
        .balanced_accuracy = balanced_accuracy(cells, n_targets, n_protected),
    };
    aimf_spread_store(&spread, &scalars);
    return scalars;
}

double aimf_tally(const AimfTally *tally, const guint32 *weights, AimfCell *cells)
{
    guint64 positives = 0, negatives = 0;
    guint64 tied_positives = 0, tied_negatives = 0;
    guint64 twice_wins = 0; /* pairs (positive, negative) in the right order count 2, ties 1: exact in integers */
    memset(cells, 0, sizeof *cells * (gsize)tally->n_targets * (gsize)tally->n_protected);
    for (guint i = 0; i < tally->n; i++) {
        guint weight = weights ? weights[i] : 1;
        AimfCell *cell = &cells[tally->row_cell[i]];
        guint8 outcome = tally->row_outcome[i];
        cell->n += weight;
        cell->correct += outcome & OUTCOME_CORRECT ? weight : 0;
        cell->selected += outcome & OUTCOME_SELECTED ? weight : 0;
        if (outcome & OUTCOME_POSITIVE)
            tied_positives += weight;
        else
            tied_negatives += weight;
        if (!(outcome & OUTCOME_TIE_ENDS))
            continue;
        twice_wins += tied_positives * (2 * negatives + tied_negatives);
        positives += tied_positives;
        negatives += tied_negatives;
        tied_positives = tied_negatives = 0;
    }
    return positives && negatives ? (double)twice_wins / 2 / ((double)positives * (double)negatives) : NAN;
}

/* --- Building the tally --- */

typedef struct {
    const int *target;
    const int *prediction;
    const float *score;
    const int *group;
} Rows;

static gboolean check_rows(guint n, const Rows *rows, int n_targets, int n_protected, GError **error)
{
    for (guint i = 0; i < n; i++) {
        const char *what = NULL;
        int value = 0, limit = n_targets;
        if ((value = rows->target[i]) < 0 || value >= limit)
            what = "target";
        else if ((value = rows->prediction[i]) < 0 || value >= limit)
            what = "prediction";
        else if ((value = rows->group[i]) < 0 || value >= (limit = n_protected))
            what = "protected group";
        if (what) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "sample %u: its %s is %d; it must be from 0 to %d", i,
                        what, value, limit - 1);
            return FALSE;
        }
        if (rows->score && isnan(rows->score[i])) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "sample %u: its score is not a number", i);
            return FALSE;
        }
    }
    return TRUE;
}

static int compare_scores(gconstpointer a, gconstpointer b, gpointer data)
{
    const float *score = data;
    guint32 i = *(const guint32 *)a, j = *(const guint32 *)b;
    return (score[i] > score[j]) - (score[i] < score[j]);
}

static void tally_clear(AimfTally *tally)
{
    g_free(tally->row_cell);
    g_free(tally->row_outcome);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfTally, tally_clear)

static gboolean no_memory(guint n, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for the measures of %u samples", n);
    return FALSE;
}

static gboolean tally_rows(AimfTally *tally, const Rows *rows, GError **error)
{
    guint n = tally->n;
    g_autofree guint32 *order = g_try_new(guint32, n);
    tally->row_cell = g_try_new(guint32, n);
    tally->row_outcome = g_try_new(guint8, n);
    if (!order || !tally->row_cell || !tally->row_outcome)
        return no_memory(n, error);
    for (guint32 i = 0; i < n; i++)
        order[i] = i;
    if (rows->score)
        g_qsort_with_data(order, (gint)n, sizeof *order, compare_scores, (gpointer)rows->score);
    for (guint i = 0; i < n; i++) {
        guint32 row = order[i];
        int outcome = 0;
        tally->row_cell[i] = (guint32)(rows->target[row] * tally->n_protected + rows->group[row]);
        outcome |= rows->prediction[row] == rows->target[row] ? OUTCOME_CORRECT : 0;
        outcome |= rows->prediction[row] == 1 ? OUTCOME_SELECTED : 0;
        outcome |= rows->target[row] == 1 ? OUTCOME_POSITIVE : 0;
        if (rows->score && (i + 1 == n || rows->score[order[i + 1]] != rows->score[row]))
            outcome |= OUTCOME_TIE_ENDS;
        tally->row_outcome[i] = (guint8)outcome;
    }
    return TRUE;
}

/* --- The measures --- */

void aimf_measures_free(AimfMeasures *measures)
{
    if (!measures)
        return;
    g_free(measures->groups);
    g_free(measures->protected_groups);
    g_free(measures);
}

AimfMeasures *aimf_measures_of_cells(const AimfCell *cells, int n_targets, int n_protected, double auc)
{
    AimfMeasures *measures = g_new0(AimfMeasures, 1);
    measures->n_targets = n_targets;
    measures->n_protected = n_protected;
    measures->groups = g_new0(AimfGroupMeasure, (gsize)n_targets * (gsize)n_protected);
    measures->protected_groups = g_new0(AimfProtectedMeasure, (gsize)n_protected);
    measures->scalars = aimf_scalars_of_cells(cells, n_targets, n_protected, auc);
    for (int i = 0; i < n_targets * n_protected; i++) {
        measures->n += (guint)cells[i].n;
        measures->groups[i] = (AimfGroupMeasure){
            .target = i / n_protected,
            .group = i % n_protected,
            .n = (guint)cells[i].n,
            .accuracy = ratio(cells[i].correct, cells[i].n),
            .selection_rate = ratio(cells[i].selected, cells[i].n),
        };
    }
    for (int group = 0; group < n_protected; group++)
        measures->protected_groups[group] = aimf_protected_of_cells(cells, n_targets, n_protected, group);
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        measures->intervals[i] = (AimfInterval){ NAN, NAN };
    return measures;
}

AimfMeasures *aimf_measure(guint n, const int *target, const int *prediction, const float *score, const int *group,
                           int n_targets, int n_protected, guint resamples, guint64 seed, const AimfMonitor *monitor,
                           GError **error)
{
    enum { MAX_CELLS = 1 << 20 };
    if (n == 0 || n > G_MAXINT) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "there must be from 1 to %d samples to measure, not %u",
                    G_MAXINT, n);
        return NULL;
    }
    if (n_targets < 2 || n_protected < 1 || n_targets > MAX_CELLS / n_protected) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "%d classes and %d protected labels: there must be at least 2 and 1, and at most %d groups",
                    n_targets, n_protected, MAX_CELLS);
        return NULL;
    }
    if (resamples > AIMF_MAX_RESAMPLES) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%u bootstrap resamples; at most %d are possible", resamples,
                    AIMF_MAX_RESAMPLES);
        return NULL;
    }
    Rows rows = { target, prediction, score, group };
    g_auto(AimfTally) tally = { .n = n, .n_targets = n_targets, .n_protected = n_protected };
    if (!check_rows(n, &rows, n_targets, n_protected, error) || !tally_rows(&tally, &rows, error))
        return NULL;
    g_autofree AimfCell *cells = g_new(AimfCell, (gsize)n_targets * (gsize)n_protected);
    double auc = aimf_tally(&tally, NULL, cells);
    g_autoptr(AimfMeasures) measures = aimf_measures_of_cells(cells, n_targets, n_protected, auc);
    if (resamples && !aimf_bootstrap(&tally, resamples, seed, measures->intervals, monitor, error))
        return NULL;
    return g_steal_pointer(&measures);
}
