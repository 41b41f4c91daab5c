/* Measures of accuracy and fairness from counts per group. */
#include "fair/measures.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

/* --- Names --- */

#define CLASS_SCALAR_NAMES(prefix)                                                                                     \
    prefix "equalized_odds.mean", prefix "equalized_odds.max", prefix "equalized_odds.sum",                            \
        prefix "equal_opportunity", prefix "demographic_parity", prefix "auc", prefix "demographic_parity_ratio",      \
        prefix "equalized_odds_ratio", prefix "equal_opportunity_ratio", prefix "false_negative_rate_gap",             \
        prefix "precision_gap", prefix "calibration_error", prefix "calibration_error_gap"

static const char *const scalar_names[] = {
    "accuracy",
    "worst_group_accuracy",
    "std_group_accuracy",
    "balanced_accuracy",
    CLASS_SCALAR_NAMES(""),
    CLASS_SCALAR_NAMES("macro."),
    CLASS_SCALAR_NAMES("worst."),
};
G_STATIC_ASSERT(G_N_ELEMENTS(scalar_names) == AIMF_N_SCALARS);
G_STATIC_ASSERT(offsetof(AimfScalars, calibration_error_gap) + sizeof(double) == offsetof(AimfScalars, macro));

/* Of the members before those over classes, which repeat the ones of one class. */
static const char *const titles[] = {
    "accuracy",
    "worst group accuracy (WST)",
    "std of group accuracies (STD)",
    "balanced accuracy",
    "equalized odds, mean of gaps (EO)",
    "equalized odds, larger gap",
    "equalized odds, sum of gaps",
    "equal opportunity (TPR gap)",
    "demographic parity (selection gap)",
    "AUC",
    "demographic parity ratio",
    "equalized odds ratio",
    "equal opportunity ratio",
    "FNR gap",
    "precision gap",
    "calibration error (ECE)",
    "calibration error, gap",
};
enum { N_OWN = G_N_ELEMENTS(titles), N_ACCURACIES = N_OWN - AIMF_N_CLASS_SCALARS };
G_STATIC_ASSERT(N_OWN == AIMF_N_SCALARS - 2 * AIMF_N_CLASS_SCALARS);

/* The place of the same measure of one class. */
static guint own_scalar(guint index)
{
    g_assert(index < AIMF_N_SCALARS);
    return index < N_OWN ? index : N_ACCURACIES + (index - N_OWN) % (guint)AIMF_N_CLASS_SCALARS;
}

const char *aimf_scalar_name(guint index)
{
    g_assert(index < AIMF_N_SCALARS);
    return scalar_names[index];
}

const char *aimf_scalar_title(guint index)
{
    return titles[own_scalar(index)];
}

gboolean aimf_scalar_low_is_bad(guint index)
{
    guint own = own_scalar(index);
    return own < N_ACCURACIES ? own != offsetof(AimfScalars, std_group_accuracy) / sizeof(double)
                              : aimf_low_is_bad(own - N_ACCURACIES);
}

gboolean aimf_scalar_of_classes(guint index)
{
    return index >= offsetof(AimfScalars, macro) / sizeof(double);
}

double aimf_scalar_at(const AimfScalars *scalars, guint index)
{
    g_assert(index < AIMF_N_SCALARS);
    double values[AIMF_N_SCALARS];
    memcpy(values, scalars, sizeof values);
    return values[index];
}

static const struct {
    const char *name;
    const char *fairlearn;
} group_measures[] = {
    { "accuracy", "accuracy_score" },   { "balanced_accuracy", "balanced_accuracy_score" },
    { "tpr", "true_positive_rate" },    { "fpr", "false_positive_rate" },
    { "tnr", "true_negative_rate" },    { "fnr", "false_negative_rate" },
    { "precision", "precision_score" }, { "selection_rate", "selection_rate" },
    { "auc", "roc_auc_score" },         { "calibration_error", "ece" },
};
G_STATIC_ASSERT(G_N_ELEMENTS(group_measures) == AIMF_N_GROUP_MEASURES);
G_STATIC_ASSERT(sizeof(AimfProtectedMeasure) ==
                offsetof(AimfProtectedMeasure, accuracy) + AIMF_N_GROUP_MEASURES * sizeof(double));

const char *aimf_group_measure_name(guint index)
{
    g_assert(index < AIMF_N_GROUP_MEASURES);
    return group_measures[index].name;
}

double aimf_group_measure_at(const AimfProtectedMeasure *measure, guint index)
{
    double value;
    g_assert(index < AIMF_N_GROUP_MEASURES);
    memcpy(&value, (const char *)measure + offsetof(AimfProtectedMeasure, accuracy) + index * sizeof value,
           sizeof value);
    return value;
}

guint aimf_group_measure_find(const char *name)
{
    guint i = 0;
    while (i < AIMF_N_GROUP_MEASURES && strcmp(group_measures[i].name, name) != 0 &&
           strcmp(group_measures[i].fairlearn, name) != 0)
        i++;
    return i;
}

/* --- Counts --- */

gboolean aimf_counts_init(AimfCounts *counts, int n_targets, int n_protected, int positive)
{
    *counts = (AimfCounts){
        .n_targets = n_targets,
        .n_protected = n_protected,
        .positive = positive,
        .classes_known = TRUE,
        .cells = g_try_new0(AimfCell, (gsize)n_targets * (gsize)n_protected),
        .totals = g_try_new0(guint64, n_protected),
        .scores = g_try_new(AimfScores, n_targets),
    };
    for (int target = 0; counts->scores && target < n_targets; target++)
        counts->scores[target] = (AimfScores){ NAN, NAN, NAN, NAN };
    return counts->cells && counts->totals && counts->scores;
}

void aimf_counts_clear(AimfCounts *counts)
{
    g_free(counts->cells);
    g_free(counts->totals);
    g_free(counts->scores);
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

void aimf_range_add(AimfRange *range, double value)
{
    if (isnan(value))
        return;
    range->low = range->n ? MIN(range->low, value) : value;
    range->high = range->n ? MAX(range->high, value) : value;
    range->n++;
}

double aimf_range_gap(const AimfRange *range)
{
    return range->n > 1 ? range->high - range->low : NAN;
}

static double range_ratio(const AimfRange *range)
{
    return range->n > 1 && range->high > 0 ? range->low / range->high : NAN;
}

/* --- One class against all others --- */

/* Rates of one protected label. */
typedef struct {
    double tpr, fpr, tnr, fnr, precision, selection;
} Rates;

static Rates rates_of(const AimfCounts *counts, int target, int group)
{
    if (target < 0)
        return (Rates){ NAN, NAN, NAN, NAN, NAN, NAN };
    const AimfCell *cell = &counts->cells[target * counts->n_protected + group];
    guint64 total = counts->totals[group], others = total - cell->n, false_positives = cell->predicted - cell->correct;
    return (Rates){
        .tpr = ratio(cell->correct, cell->n),
        .fpr = ratio(false_positives, others),
        .tnr = ratio(others - false_positives, others),
        .fnr = ratio(cell->n - cell->correct, cell->n),
        .precision = ratio(cell->correct, cell->predicted),
        .selection = ratio(cell->predicted, total),
    };
}

/* fairlearn takes the smaller ratio; one of rates that are all 0 is none, and then the other counts. */
static double odds_ratio(const AimfRange *tpr, const AimfRange *fpr)
{
    double of_tpr = range_ratio(tpr), of_fpr = range_ratio(fpr);
    return tpr->n > 1 && fpr->n > 1 ? fmin(of_tpr, of_fpr) : NAN;
}

static AimfClassScalars class_scalars(const AimfCounts *counts, int target)
{
    AimfRange tpr = { 0 }, fpr = { 0 }, fnr = { 0 }, precision = { 0 }, selection = { 0 };
    for (int group = 0; group < counts->n_protected; group++) {
        Rates rates = rates_of(counts, target, group);
        aimf_range_add(&tpr, rates.tpr);
        aimf_range_add(&fpr, rates.fpr);
        aimf_range_add(&fnr, rates.fnr);
        aimf_range_add(&precision, rates.precision);
        aimf_range_add(&selection, rates.selection);
    }
    AimfScores scores = target < 0 ? (AimfScores){ NAN, NAN, NAN, NAN } : counts->scores[target];
    double tpr_gap = aimf_range_gap(&tpr), fpr_gap = aimf_range_gap(&fpr);
    return (AimfClassScalars){
        .equalized_odds_mean = (tpr_gap + fpr_gap) / 2,
        .equalized_odds_max = isnan(tpr_gap) || isnan(fpr_gap) ? NAN : MAX(tpr_gap, fpr_gap),
        .equalized_odds_sum = tpr_gap + fpr_gap,
        .equal_opportunity = tpr_gap,
        .demographic_parity = aimf_range_gap(&selection),
        .auc = scores.auc,
        .demographic_parity_ratio = range_ratio(&selection),
        .equalized_odds_ratio = odds_ratio(&tpr, &fpr),
        .equal_opportunity_ratio = range_ratio(&tpr),
        .false_negative_rate_gap = aimf_range_gap(&fnr),
        .precision_gap = aimf_range_gap(&precision),
        .calibration_error = scores.calibration_error,
        .calibration_error_gap = scores.calibration_error_gap,
    };
}

gboolean aimf_low_is_bad(gsize class_scalar)
{
    const gsize good[] = {
        offsetof(AimfClassScalars, auc),
        offsetof(AimfClassScalars, demographic_parity_ratio),
        offsetof(AimfClassScalars, equalized_odds_ratio),
        offsetof(AimfClassScalars, equal_opportunity_ratio),
    };
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        if (class_scalar * sizeof(double) == good[i])
            return TRUE;
    return FALSE;
}

/* A class that nobody has and nobody is said to have is equally far from everybody; it would only dilute the mean. */
static gboolean occurs(const AimfCounts *counts, int target)
{
    const AimfCell *cells = counts->cells + (gsize)target * (gsize)counts->n_protected;
    for (int group = 0; group < counts->n_protected; group++)
        if (cells[group].n || cells[group].predicted)
            return TRUE;
    return FALSE;
}

/* Mean and worst over the classes, each measure by itself. NaN for two classes, whose measures mirror each other. */
static void over_classes(const AimfCounts *counts, AimfClassScalars *macro, AimfClassScalars *worst)
{
    double sums[AIMF_N_CLASS_SCALARS] = { 0 };
    AimfRange ranges[AIMF_N_CLASS_SCALARS] = { 0 };
    gboolean many = counts->n_targets > 2 && counts->classes_known;
    for (int target = 0; many && target < counts->n_targets; target++) {
        double values[AIMF_N_CLASS_SCALARS];
        if (!occurs(counts, target))
            continue;
        AimfClassScalars scalars = class_scalars(counts, target);
        memcpy(values, &scalars, sizeof values);
        for (gsize i = 0; i < AIMF_N_CLASS_SCALARS; i++) {
            sums[i] += isnan(values[i]) ? 0 : values[i];
            aimf_range_add(&ranges[i], values[i]);
        }
    }
    double means[AIMF_N_CLASS_SCALARS] = { 0 }, worsts[AIMF_N_CLASS_SCALARS] = { 0 };
    for (gsize i = 0; i < AIMF_N_CLASS_SCALARS; i++) {
        const AimfRange *range = &ranges[i];
        means[i] = range->n ? sums[i] / range->n : NAN;
        worsts[i] = range->n ? (aimf_low_is_bad(i) ? range->low : range->high) : NAN;
    }
    memcpy(macro, means, sizeof means);
    memcpy(worst, worsts, sizeof worsts);
}

/* --- All classes --- */

/* Mean recall of the classes that occur among the labels from @first on, @n of them. */
static double balanced_accuracy(const AimfCounts *counts, int first, int n_labels)
{
    double sum = 0;
    int classes = 0;
    for (int target = 0; target < counts->n_targets; target++) {
        guint64 n = 0, correct = 0;
        for (int group = first; group < first + n_labels; group++) {
            n += counts->cells[target * counts->n_protected + group].n;
            correct += counts->cells[target * counts->n_protected + group].correct;
        }
        if (n) {
            sum += ratio(correct, n);
            classes++;
        }
    }
    return classes ? sum / classes : NAN;
}

AimfScalars aimf_scalars_of_counts(const AimfCounts *counts)
{
    AimfSpread spread = { 0 };
    guint64 n = 0, correct = 0;
    for (int i = 0; i < counts->n_targets * counts->n_protected; i++) {
        const AimfCell *cell = &counts->cells[i];
        n += cell->n;
        correct += cell->correct;
        aimf_spread_add(&spread, ratio(cell->correct, cell->n));
    }
    AimfScalars scalars = {
        .accuracy = ratio(correct, n),
        .balanced_accuracy = balanced_accuracy(counts, 0, counts->n_protected),
        .positive = class_scalars(counts, counts->positive),
    };
    over_classes(counts, &scalars.macro, &scalars.worst);
    aimf_spread_store(&spread, &scalars);
    return scalars;
}

/* What does not depend on the class that is looked at. */
static AimfProtectedMeasure protected_measure(const AimfCounts *counts, int group)
{
    guint64 correct = 0;
    for (int t = 0; t < counts->n_targets; t++)
        correct += counts->cells[t * counts->n_protected + group].correct;
    return (AimfProtectedMeasure){
        .group = group,
        .n = (guint)counts->totals[group],
        .accuracy = ratio(correct, counts->totals[group]),
        .balanced_accuracy = balanced_accuracy(counts, group, 1),
        .auc = NAN,
        .calibration_error = NAN,
    };
}

static AimfProtectedMeasure with_rates(AimfProtectedMeasure measure, const AimfCounts *counts, int target)
{
    Rates rates = rates_of(counts, target, measure.group);
    measure.tpr = rates.tpr;
    measure.fpr = rates.fpr;
    measure.tnr = rates.tnr;
    measure.fnr = rates.fnr;
    measure.precision = rates.precision;
    measure.selection_rate = rates.selection;
    return measure;
}

/* Rates of all protected labels together. */
static AimfClassMeasure class_measure(const AimfCounts *counts, int target)
{
    guint64 n = 0, correct = 0, predicted = 0, total = 0;
    for (int group = 0; group < counts->n_protected; group++) {
        const AimfCell *cell = &counts->cells[target * counts->n_protected + group];
        n += cell->n;
        correct += cell->correct;
        predicted += cell->predicted;
        total += counts->totals[group];
    }
    return (AimfClassMeasure){
        .target = target,
        .n = (guint)n,
        .tpr = ratio(correct, n),
        .fpr = ratio(predicted - correct, total - n),
        .precision = ratio(correct, predicted),
        .selection_rate = ratio(predicted, total),
        .occurs = occurs(counts, target),
        .scalars = class_scalars(counts, target),
    };
}

static void add_classes(AimfMeasures *measures, const AimfCounts *counts)
{
    gsize n_protected = (gsize)counts->n_protected;
    measures->classes = g_new0(AimfClassMeasure, counts->n_targets);
    measures->class_groups = g_new0(AimfProtectedMeasure, (gsize)counts->n_targets * n_protected);
    for (int target = 0; target < counts->n_targets; target++) {
        AimfProtectedMeasure *groups = measures->class_groups + (gsize)target * n_protected;
        for (int group = 0; group < counts->n_protected; group++)
            groups[group] = with_rates(measures->protected_groups[group], counts, target);
        measures->classes[target] = class_measure(counts, target);
        measures->classes[target].groups = groups;
    }
}

void aimf_measures_free(AimfMeasures *measures)
{
    if (!measures)
        return;
    g_free(measures->groups);
    g_free(measures->protected_groups);
    g_free(measures->classes);
    g_free(measures->class_groups);
    g_free(measures);
}

AimfMeasures *aimf_measures_of_counts(const AimfCounts *counts)
{
    int n_targets = counts->n_targets, n_protected = counts->n_protected;
    AimfMeasures *measures = g_new0(AimfMeasures, 1);
    measures->n_targets = n_targets;
    measures->n_protected = n_protected;
    measures->positive = counts->positive;
    measures->groups = g_new0(AimfGroupMeasure, (gsize)n_targets * (gsize)n_protected);
    measures->protected_groups = g_new0(AimfProtectedMeasure, (gsize)n_protected);
    measures->scalars = aimf_scalars_of_counts(counts);
    for (int i = 0; i < n_targets * n_protected; i++) {
        const AimfCell *cell = &counts->cells[i];
        measures->n += (guint)cell->n;
        measures->groups[i] = (AimfGroupMeasure){
            .target = i / n_protected,
            .group = i % n_protected,
            .n = (guint)cell->n,
            .accuracy = ratio(cell->correct, cell->n),
            .interval = { NAN, NAN },
            .selection_rate = counts->positive < 0 ? NAN : ratio(cell->selected, cell->n),
        };
    }
    for (int group = 0; group < n_protected; group++)
        measures->protected_groups[group] = with_rates(protected_measure(counts, group), counts, counts->positive);
    if (n_targets > 2 && counts->classes_known)
        add_classes(measures, counts);
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        measures->intervals[i] = (AimfInterval){ NAN, NAN };
    return measures;
}
