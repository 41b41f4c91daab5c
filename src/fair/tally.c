/* Counting rows: how many of each kind there are, and what their scores say of each class. */
#include "fair/tally.h"

#include <math.h>
#include <string.h>

static gboolean no_memory(guint n, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for the measures of %u samples", n);
    return FALSE;
}

/* --- Scores of one class against all others --- */

static double score_of(const AimfRows *rows, int target, guint row)
{
    if (rows->class_probability)
        return rows->class_probability[(gsize)row * (gsize)rows->n_targets + (gsize)target];
    return target == 1 ? rows->score[row] : -rows->score[row];
}

static double probability_of(const AimfRows *rows, int target, guint row)
{
    if (rows->class_probability)
        return rows->class_probability[(gsize)row * (gsize)rows->n_targets + (gsize)target];
    return target == 1 ? rows->probability[row] : 1 - rows->probability[row];
}

/* Bin b holds (b/15, (b+1)/15], the first one 0 too. */
static guint32 bin_of(double probability)
{
    int bin = CLAMP((int)(probability * AIMF_CALIBRATION_BINS), 0, AIMF_CALIBRATION_BINS - 1);
    while (bin > 0 && probability <= (double)bin / AIMF_CALIBRATION_BINS)
        bin--;
    return (guint32)bin;
}

static int compare_scores(gconstpointer a, gconstpointer b, gpointer data)
{
    const double *score = data;
    guint32 i = *(const guint32 *)a, j = *(const guint32 *)b;
    return (score[i] > score[j]) - (score[i] < score[j]);
}

/* @row receives rows->n rows of @rows in ascending order of the class's score. */
static gboolean view_init(AimfView *view, const AimfRows *rows, int target)
{
    guint n = rows->n;
    gboolean calibrated = rows->probability || rows->class_probability;
    g_autofree double *score = g_try_new(double, n);
    *view = (AimfView){
        .target = target,
        .row = g_try_new(guint32, n),
        .outcome = g_try_new(guint8, n),
        .bin = calibrated ? g_try_new(guint32, n) : NULL,
        .probability = calibrated ? g_try_new(double, n) : NULL,
    };
    if (!score || !view->row || !view->outcome || (calibrated && (!view->bin || !view->probability)))
        return FALSE;
    for (guint32 i = 0; i < n; i++) {
        view->row[i] = i;
        score[i] = score_of(rows, target, i);
    }
    g_qsort_with_data(view->row, (gint)n, sizeof *view->row, compare_scores, score);
    for (guint i = 0; i < n; i++) {
        guint32 row = view->row[i];
        gboolean last = i + 1 == n || score[view->row[i + 1]] != score[row];
        view->outcome[i] =
            (guint8)((rows->target[row] == target ? OUTCOME_POSITIVE : 0) | (last ? OUTCOME_TIE_ENDS : 0));
        if (!calibrated)
            continue;
        view->probability[i] = probability_of(rows, target, row);
        view->bin[i] = (guint32)rows->group[row] * AIMF_CALIBRATION_BINS + bin_of(view->probability[i]);
    }
    return TRUE;
}

static double auc_of(const AimfView *view, guint n, const guint32 *weights)
{
    guint64 positives = 0, negatives = 0;
    guint64 tied_positives = 0, tied_negatives = 0;
    guint64 twice_wins = 0; /* pairs (positive, negative) in the right order count 2, ties 1: exact in integers */
    for (guint i = 0; i < n; i++) {
        guint weight = weights ? weights[view->row ? view->row[i] : i] : 1;
        guint8 outcome = view->outcome[i];
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

static void fill_bins(const AimfView *view, const AimfTally *tally, const guint32 *weights, AimfBin *bins)
{
    memset(bins, 0, sizeof *bins * (gsize)tally->n_protected * AIMF_CALIBRATION_BINS);
    for (guint i = 0; i < tally->n; i++) {
        guint weight = weights ? weights[view->row ? view->row[i] : i] : 1;
        AimfBin *bin = &bins[view->bin[i]];
        bin->n += weight;
        bin->positives += view->outcome[i] & OUTCOME_POSITIVE ? weight : 0;
        bin->probabilities += weight * view->probability[i];
    }
}

/* Guo et al. 2017, equation 3; n times a bin's distance is that of its sums. */
static double calibration_error(const AimfBin *bins)
{
    guint64 n = 0;
    double distance = 0;
    for (guint b = 0; b < AIMF_CALIBRATION_BINS; b++) {
        n += bins[b].n;
        distance += fabs(bins[b].probabilities - (double)bins[b].positives);
    }
    return n ? distance / (double)n : NAN;
}

static AimfScores score_view(const AimfView *view, const AimfTally *tally, const guint32 *weights, AimfBin *bins)
{
    AimfScores scores = { auc_of(view, tally->n, weights), NAN, NAN };
    if (!view->bin)
        return scores;
    AimfBin all[AIMF_CALIBRATION_BINS] = { 0 };
    AimfRange errors = { 0 };
    fill_bins(view, tally, weights, bins);
    for (int group = 0; group < tally->n_protected; group++) {
        const AimfBin *own = bins + (gsize)group * AIMF_CALIBRATION_BINS;
        aimf_range_add(&errors, calibration_error(own));
        for (guint b = 0; b < AIMF_CALIBRATION_BINS; b++) {
            all[b].n += own[b].n;
            all[b].positives += own[b].positives;
            all[b].probabilities += own[b].probabilities;
        }
    }
    scores.calibration_error = calibration_error(all);
    scores.calibration_error_gap = aimf_range_gap(&errors);
    return scores;
}

/* --- Protected labels by themselves --- */

/* The AUC of one label, as auc_of has it; @tie: which run of equal scores its tied ones belong to. */
typedef struct {
    guint64 positives, negatives, tied_positives, tied_negatives, twice_wins;
    guint tie;
} LabelPairs;

static void end_tie(LabelPairs *pairs)
{
    pairs->twice_wins += pairs->tied_positives * (2 * pairs->negatives + pairs->tied_negatives);
    pairs->positives += pairs->tied_positives;
    pairs->negatives += pairs->tied_negatives;
    pairs->tied_positives = pairs->tied_negatives = 0;
}

static void score_labels(const AimfView *view, const AimfTally *tally, LabelPairs *labels, AimfBin *bins,
                         AimfProtectedMeasure *measures)
{
    memset(labels, 0, sizeof *labels * (gsize)tally->n_protected);
    for (guint i = 0, tie = 0; i < tally->n; i++) {
        LabelPairs *label = &labels[tally->kinds[tally->row_kind[view->row ? view->row[i] : i]].group];
        if (label->tie != tie)
            end_tie(label);
        label->tie = tie;
        if (view->outcome[i] & OUTCOME_POSITIVE)
            label->tied_positives++;
        else
            label->tied_negatives++;
        if (view->outcome[i] & OUTCOME_TIE_ENDS)
            tie++;
    }
    if (view->bin)
        fill_bins(view, tally, NULL, bins);
    for (int group = 0; group < tally->n_protected; group++) {
        LabelPairs *label = &labels[group];
        end_tie(label);
        if (label->positives && label->negatives)
            measures[group].auc = (double)label->twice_wins / 2 / ((double)label->positives * (double)label->negatives);
        if (view->bin)
            measures[group].calibration_error = calibration_error(bins + (gsize)group * AIMF_CALIBRATION_BINS);
    }
}

gboolean aimf_tally_score_labels(const AimfTally *tally, AimfCounter *counter, AimfMeasures *measures, GError **error)
{
    g_autofree LabelPairs *labels = g_try_new(LabelPairs, tally->n_protected);
    if (!labels)
        return no_memory(tally->n, error);
    for (guint v = 0; v < tally->n_views; v++) {
        const AimfView *view = &tally->views[v];
        if (view->target == tally->positive)
            score_labels(view, tally, labels, counter->bins, measures->protected_groups);
        if (measures->class_groups)
            score_labels(view, tally, labels, counter->bins,
                         measures->class_groups + (gsize)view->target * (gsize)tally->n_protected);
    }
    return TRUE;
}

/* --- The tally --- */

void aimf_tally_clear(AimfTally *tally)
{
    for (guint v = 0; v < tally->n_views; v++) {
        g_free(tally->views[v].row);
        g_free(tally->views[v].outcome);
        g_free(tally->views[v].bin);
        g_free(tally->views[v].probability);
    }
    g_free(tally->views);
    g_free(tally->kinds);
    g_free(tally->row_kind);
}

static gboolean init_views(AimfTally *tally, const AimfRows *rows)
{
    gboolean all = rows->class_probability && rows->n_targets > 2;
    guint n = all ? (guint)rows->n_targets : rows->score ? 1 : 0;
    tally->views = g_new0(AimfView, n);
    for (guint v = 0; v < n; v++) {
        tally->n_views = v + 1;
        if (!view_init(&tally->views[v], rows, all ? (int)v : rows->n_targets == 2 ? rows->positive : 1))
            return FALSE;
    }
    return TRUE;
}

/*
 * Rows are numbered anew in the first view's order, which then is walked through from end to end without looking rows
 * up.
 */
static gboolean renumber(AimfTally *tally, guint32 *order)
{
    guint n = tally->n;
    for (guint32 i = 0; i < n; i++)
        order[i] = tally->n_views ? tally->views[0].row[i] : i;
    if (!tally->n_views)
        return TRUE;
    g_clear_pointer(&tally->views[0].row, g_free);
    g_autofree guint32 *place = g_try_new(guint32, n);
    if (!place)
        return FALSE;
    for (guint32 i = 0; i < n; i++)
        place[order[i]] = i;
    for (guint v = 1; v < tally->n_views; v++)
        for (guint i = 0; i < n; i++)
            tally->views[v].row[i] = place[tally->views[v].row[i]];
    return TRUE;
}

/* Numbers the kinds as they come. */
static void find_kinds(AimfTally *tally, const AimfRows *rows, const guint32 *order)
{
    guint64 n_targets = (guint64)rows->n_targets, n_protected = (guint64)rows->n_protected;
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    g_autoptr(GArray) kinds = g_array_new(FALSE, FALSE, sizeof(AimfKind));
    for (guint i = 0; i < rows->n; i++) {
        guint32 row = order[i];
        AimfKind kind = { rows->target[row], rows->prediction[row], rows->group[row] };
        guint64 key = ((guint64)kind.target * n_targets + (guint64)kind.prediction) * n_protected + (guint64)kind.group;
        gpointer number = g_hash_table_lookup(known, &key); /* from 1 */
        if (!number) {
            g_array_append_val(kinds, kind);
            number = GUINT_TO_POINTER(kinds->len);
            g_hash_table_insert(known, g_memdup2(&key, sizeof key), number);
        }
        tally->row_kind[i] = GPOINTER_TO_UINT(number) - 1;
    }
    tally->n_kinds = kinds->len;
    tally->kinds = (AimfKind *)(gpointer)g_array_free(g_steal_pointer(&kinds), FALSE);
}

gboolean aimf_tally_init(AimfTally *tally, const AimfRows *rows, GError **error)
{
    *tally = (AimfTally){
        .n = rows->n,
        .n_targets = rows->n_targets,
        .n_protected = rows->n_protected,
        .positive = rows->positive,
        .row_kind = g_try_new(guint32, rows->n),
    };
    g_autofree guint32 *order = g_try_new(guint32, rows->n);
    if (!tally->row_kind || !order || !init_views(tally, rows) || !renumber(tally, order))
        return no_memory(rows->n, error);
    find_kinds(tally, rows, order);
    return TRUE;
}

/* --- Counting --- */

gboolean aimf_counter_init(AimfCounter *counter, const AimfTally *tally)
{
    gboolean counts = aimf_counts_init(&counter->counts, tally->n_targets, tally->n_protected, tally->positive);
    counter->kinds = g_try_new(guint64, tally->n_kinds);
    counter->bins = g_try_new(AimfBin, (gsize)tally->n_protected * AIMF_CALIBRATION_BINS);
    return counts && counter->kinds && counter->bins;
}

void aimf_counter_clear(AimfCounter *counter)
{
    aimf_counts_clear(&counter->counts);
    g_free(counter->kinds);
    g_free(counter->bins);
}

static void count_kind(AimfCounts *counts, const AimfKind *kind, guint64 n)
{
    AimfCell *cell = &counts->cells[kind->target * counts->n_protected + kind->group];
    cell->n += n;
    cell->correct += kind->prediction == kind->target ? n : 0;
    cell->selected += kind->prediction == counts->positive ? n : 0;
    counts->cells[kind->prediction * counts->n_protected + kind->group].predicted += n;
    counts->totals[kind->group] += n;
}

void aimf_tally_count(const AimfTally *tally, const guint32 *weights, AimfCounter *counter)
{
    AimfCounts *counts = &counter->counts;
    gsize n_protected = (gsize)tally->n_protected;
    memset(counter->kinds, 0, sizeof *counter->kinds * tally->n_kinds);
    for (guint i = 0; i < tally->n; i++)
        counter->kinds[tally->row_kind[i]] += weights ? weights[i] : 1;
    memset(counts->cells, 0, sizeof *counts->cells * (gsize)tally->n_targets * n_protected);
    memset(counts->totals, 0, sizeof *counts->totals * n_protected);
    for (guint kind = 0; kind < tally->n_kinds; kind++)
        count_kind(counts, &tally->kinds[kind], counter->kinds[kind]);
    for (guint v = 0; v < tally->n_views; v++)
        counts->scores[tally->views[v].target] = score_view(&tally->views[v], tally, weights, counter->bins);
}
