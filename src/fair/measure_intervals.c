/*
 * Intervals of the measures, through the shares that they are made of. A share has Wilson's interval, a signed
 * difference of two Newcombe's, a ratio that of the score test. What is an extreme of several has no interval of its
 * own that holds – a bootstrap of it is wrong – but its components have: of the largest gap, the upper end is the
 * largest of the pairs' upper ends, for that of the truly largest pair is enough; the lower end is the largest of the
 * pairs' lower ends, at a level shared out between them (Bonferroni), since any of them could be too high. Of a
 * minimum, the other way round.
 */
#include "fair/shares.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const double ALPHA = 0.05;
static const AimfInterval UNKNOWN = { NAN, NAN };

/* --- Extremes --- */

static double larger(double a, double b)
{
    return isnan(a) || b > a ? b : a;
}

static double smaller(double a, double b)
{
    return isnan(a) || b < a ? b : a;
}

/* |difference| from the signed interval. */
static AimfInterval fold(AimfInterval signed_one)
{
    if (signed_one.low > 0)
        return signed_one;
    if (signed_one.high < 0)
        return (AimfInterval){ -signed_one.high, -signed_one.low };
    return (AimfInterval){ isnan(signed_one.low) ? NAN : 0, MAX(-signed_one.low, signed_one.high) };
}

/* --- Shares of one class against all others, by protected label --- */

/* The labels' shares that exist. */
static guint collect(const AimfCounts *counts, int target, AimfRate rate, AimfShare *shares)
{
    guint n = 0;
    for (int group = 0; group < counts->n_protected; group++) {
        AimfShare share = aimf_rate_share(counts, target, group, rate);
        if (share.n)
            shares[n++] = share;
    }
    return n;
}

static double pairs(guint n)
{
    return n * (n - 1.0) / 2;
}

/* Of the largest gap between (n) shares. @family: how many such comparisons share the level besides. */
static AimfInterval gap_interval(const AimfShare *shares, guint n, double alpha, double family)
{
    AimfInterval gap = UNKNOWN;
    for (guint i = 0; i < n; i++) {
        for (guint k = 0; k < i; k++) {
            gap.high = larger(gap.high, fold(aimf_newcombe(shares[i], shares[k], alpha)).high);
            gap.low = larger(gap.low, fold(aimf_newcombe(shares[i], shares[k], alpha / (pairs(n) * family))).low);
        }
    }
    return gap;
}

/* Of the smallest ratio between (n) shares; a pair that are both 0 says nothing. */
static AimfInterval ratio_interval(const AimfShare *shares, guint n, double alpha, double family)
{
    AimfInterval ratio = UNKNOWN;
    for (guint i = 0; i < n; i++) {
        for (guint k = 0; k < n; k++) {
            if (i == k)
                continue;
            ratio.low = smaller(ratio.low, aimf_ratio_interval(shares[i], shares[k], alpha).low);
            ratio.high =
                smaller(ratio.high, aimf_ratio_interval(shares[i], shares[k], alpha / (2 * pairs(n) * family)).high);
        }
    }
    return isnan(ratio.low) ? UNKNOWN : (AimfInterval){ MIN(ratio.low, 1), MIN(ratio.high, 1) };
}

/* The larger of two gaps, or the smaller of two ratios; the other where one is unknown. */
static AimfInterval larger_of(AimfInterval a, AimfInterval b)
{
    return (AimfInterval){ larger(a.low, b.low), larger(a.high, b.high) };
}

static AimfInterval smaller_of(AimfInterval a, AimfInterval b)
{
    return (AimfInterval){ smaller(a.low, b.low), smaller(a.high, b.high) };
}

/*
 * Upper end by square-and-add; lower end the mean of the lower ends, since where a gap is near 0 its distance to its
 * own lower end, 0, says little. @low_a, @low_b: lower ends at the level shared between them, as either could be too
 * high
 */
static AimfInterval mean_of_gaps(double a, AimfInterval of_a, double low_a, double b, AimfInterval of_b, double low_b)
{
    const double values[] = { a, b }, weights[] = { 0.5, 0.5 };
    const AimfInterval both[] = { of_a, of_b };
    return (AimfInterval){ (low_a + low_b) / 2, MIN(aimf_square_and_add(values, both, weights, 2).high, 1) };
}

/* --- One class --- */

/* AimfClassScalars' members as intervals. */
typedef struct {
    AimfInterval equalized_odds_mean, equalized_odds_max, equalized_odds_sum, equal_opportunity, demographic_parity;
    AimfInterval auc, demographic_parity_ratio, equalized_odds_ratio, equal_opportunity_ratio;
    AimfInterval false_negative_rate_gap, precision_gap, calibration_error, calibration_error_gap;
} ClassIntervals;
G_STATIC_ASSERT(sizeof(ClassIntervals) == 2 * sizeof(AimfClassScalars));

static AimfInterval auc_interval(const AimfCounts *counts, int target, double alpha)
{
    AimfShare class = aimf_class_share(counts, target);
    const AimfScores *scores = &counts->scores[target];
    return aimf_auc_interval(scores->auc, scores->auc_variance, class.x, class.n - class.x, alpha);
}

/*
 * @family: of classes that the ends that any of them could spoil are shared out among. @shares: (n_protected) scratch
 */
static ClassIntervals class_intervals(const AimfCounts *counts, int target, const AimfClassScalars *values,
                                      double alpha, double family, AimfShare *shares)
{
    guint n = collect(counts, target, AIMF_RATE_TPR, shares);
    AimfInterval tpr = gap_interval(shares, n, alpha, family), tpr_ratio = ratio_interval(shares, n, alpha, family);
    AimfInterval tpr_shared = gap_interval(shares, n, alpha, 2 * family),
                 tpr_ratio_shared = ratio_interval(shares, n, alpha, 2 * family);
    n = collect(counts, target, AIMF_RATE_FPR, shares);
    AimfInterval fpr = gap_interval(shares, n, alpha, family);
    AimfInterval fpr_shared = gap_interval(shares, n, alpha, 2 * family),
                 fpr_ratio_shared = ratio_interval(shares, n, alpha, 2 * family);
    double fpr_gap = values->equalized_odds_sum - values->equal_opportunity;
    ClassIntervals all = {
        .equalized_odds_max = larger_of(tpr_shared, fpr_shared),
        .equal_opportunity = tpr,
        .false_negative_rate_gap = tpr,
        .equal_opportunity_ratio = tpr_ratio,
        .equalized_odds_ratio = smaller_of(tpr_ratio_shared, fpr_ratio_shared),
        .equalized_odds_mean =
            mean_of_gaps(values->equal_opportunity, tpr, tpr_shared.low, fpr_gap, fpr, fpr_shared.low),
        .auc = auc_interval(counts, target, alpha),
        .calibration_error = UNKNOWN,
        .calibration_error_gap = UNKNOWN,
    };
    all.equalized_odds_sum = (AimfInterval){ 2 * all.equalized_odds_mean.low, 2 * all.equalized_odds_mean.high };
    if (family > 1)
        all.auc.high = auc_interval(counts, target, alpha / family).high;
    n = collect(counts, target, AIMF_RATE_PRECISION, shares);
    all.precision_gap = gap_interval(shares, n, alpha, family);
    n = collect(counts, target, AIMF_RATE_SELECTION, shares);
    all.demographic_parity = gap_interval(shares, n, alpha, family);
    all.demographic_parity_ratio = ratio_interval(shares, n, alpha, family);
    return all;
}

/* --- Methods --- */

#define OF_GAPS "Newcombe, over pairs of labels"
#define AUC_METHOD "DeLong, of the logit"
#define OF_RATIOS "score, over pairs of labels"

/* As AimfClassScalars' members. */
static const char *const class_methods[] = {
    "Newcombe, square-and-add above, mean of the lower ends below",
    OF_GAPS,
    "Newcombe, square-and-add above, sum of the lower ends below",
    OF_GAPS,
    OF_GAPS,
    AUC_METHOD,
    OF_RATIOS,
    OF_RATIOS,
    OF_RATIOS,
    OF_GAPS,
    OF_GAPS,
    AIMF_BOOTSTRAP_METHOD,
    AIMF_BOOTSTRAP_METHOD,
};
G_STATIC_ASSERT(G_N_ELEMENTS(class_methods) == AIMF_N_CLASS_SCALARS);

/* Where the members over classes begin. */
enum {
    OWN = offsetof(AimfScalars, positive) / sizeof(double),
    MACRO = offsetof(AimfScalars, macro) / sizeof(double),
    WORST = offsetof(AimfScalars, worst) / sizeof(double)
};

static gboolean is_bootstrapped(guint class_scalar)
{
    return class_scalar >= offsetof(AimfClassScalars, calibration_error) / sizeof(double);
}

static void store(AimfMeasures *measures, guint scalar, AimfInterval interval, const char *method)
{
    gboolean known = !isnan(aimf_scalar_at(&measures->scalars, scalar)) && !isnan(interval.low);
    measures->intervals[scalar] = known ? interval : UNKNOWN;
    measures->methods[scalar] = known ? method : NULL;
}

/* --- Over classes --- */

static AimfInterval interval_at(const ClassIntervals *intervals, guint index)
{
    AimfInterval all[AIMF_N_CLASS_SCALARS];
    memcpy(all, intervals, sizeof all);
    return all[index];
}

/* Sums of ends for the mean, and extremes, of one measure over the classes that have it. */
typedef struct {
    double low, high;
    guint n;
    AimfInterval extreme;
} OverClasses;

/* The end that any class could spoil, the one towards no gap, is at the shared level in the mean as in the extreme. */
static void add_class(OverClasses *over, AimfInterval plain, AimfInterval shared, gboolean low_is_bad)
{
    if (isnan(plain.low))
        return;
    over->low += low_is_bad ? plain.low : shared.low;
    over->high += low_is_bad ? shared.high : plain.high;
    over->n++;
    over->extreme = low_is_bad ? smaller_of(over->extreme, (AimfInterval){ plain.low, shared.high })
                               : larger_of(over->extreme, (AimfInterval){ shared.low, plain.high });
}

static void collect_classes(const AimfMeasures *measures, const AimfCounts *counts, double alpha, AimfShare *shares,
                            OverClasses over[AIMF_N_CLASS_SCALARS])
{
    guint n_classes = 0;
    for (guint i = 0; i < AIMF_N_CLASS_SCALARS; i++)
        over[i] = (OverClasses){ .extreme = UNKNOWN };
    for (int target = 0; target < counts->n_targets; target++)
        n_classes += measures->classes[target].occurs ? 1 : 0;
    for (int target = 0; target < counts->n_targets; target++) {
        const AimfClassMeasure *class = &measures->classes[target];
        if (!class->occurs)
            continue;
        ClassIntervals plain = class_intervals(counts, target, &class->scalars, alpha, 1, shares);
        ClassIntervals shared = class_intervals(counts, target, &class->scalars, alpha, n_classes, shares);
        double values[AIMF_N_CLASS_SCALARS];
        memcpy(values, &class->scalars, sizeof values);
        for (guint i = 0; i < AIMF_N_CLASS_SCALARS; i++)
            if (!isnan(values[i]))
                add_class(&over[i], interval_at(&plain, i), interval_at(&shared, i), aimf_low_is_bad(i));
    }
}

static AimfInterval mean_of_ends(const OverClasses *over)
{
    return over->n ? (AimfInterval){ over->low / over->n, over->high / over->n } : UNKNOWN;
}

static void set_over_classes(AimfMeasures *measures, const AimfCounts *counts, AimfShare *shares)
{
    OverClasses over[AIMF_N_CLASS_SCALARS];
    collect_classes(measures, counts, ALPHA, shares, over);
    for (guint i = 0; i < AIMF_N_CLASS_SCALARS; i++) {
        if (is_bootstrapped(i) || !over[i].n)
            continue;
        store(measures, MACRO + i, mean_of_ends(&over[i]), "mean of the classes' ends");
        store(measures, WORST + i, over[i].extreme, "over the classes");
    }
}

AimfInterval aimf_macro_interval(const AimfMeasures *measures, const AimfCounts *counts, guint class_scalar,
                                 double alpha)
{
    g_autofree AimfShare *shares = g_new(AimfShare, (gsize)counts->n_protected);
    OverClasses over[AIMF_N_CLASS_SCALARS];
    collect_classes(measures, counts, alpha, shares, over);
    return mean_of_ends(&over[class_scalar]);
}

/* --- All classes --- */

static void set_groups(AimfMeasures *measures, const AimfCounts *counts)
{
    AimfInterval worst = UNKNOWN;
    guint n_cells = (guint)(counts->n_targets * counts->n_protected), n_groups = 0;
    for (guint i = 0; i < n_cells; i++)
        n_groups += counts->cells[i].n > 0;
    for (guint i = 0; i < n_cells; i++) {
        const AimfShare share = aimf_group_share(counts, (int)i);
        measures->groups[i].interval = aimf_wilson(share, ALPHA);
        if (!share.n)
            continue;
        worst.low = smaller(worst.low, measures->groups[i].interval.low);
        worst.high = smaller(worst.high, aimf_wilson(share, ALPHA / n_groups).high);
    }
    store(measures, offsetof(AimfScalars, accuracy) / sizeof(double), aimf_wilson(aimf_accuracy_share(counts), ALPHA),
          "Wilson");
    store(measures, offsetof(AimfScalars, worst_group_accuracy) / sizeof(double), worst, "Wilson, over groups");
}

/* Recalls of different classes are of different pictures. */
static void set_balanced_accuracy(AimfMeasures *measures, const AimfCounts *counts)
{
    gsize n_targets = (gsize)counts->n_targets;
    g_autofree double *values = g_new(double, n_targets), *weights = g_new(double, n_targets);
    g_autofree AimfInterval *intervals = g_new(AimfInterval, n_targets);
    guint n = 0;
    for (int target = 0; target < counts->n_targets; target++) {
        AimfShare share = aimf_recall_share(counts, target);
        if (!share.n)
            continue;
        values[n] = aimf_share_value(share);
        intervals[n++] = aimf_wilson(share, ALPHA);
    }
    for (guint i = 0; i < n; i++)
        weights[i] = 1.0 / n;
    if (n)
        store(measures, offsetof(AimfScalars, balanced_accuracy) / sizeof(double),
              aimf_square_and_add(values, intervals, weights, n), "Wilson, square-and-add");
}

void aimf_measures_set_intervals(AimfMeasures *measures, const AimfCounts *counts)
{
    enum { MOST_PAIRS = 1 << 15 }; /* beyond that they cost too much, and there are none */
    gsize n_labels = (gsize)counts->n_protected;
    g_autofree AimfShare *shares = g_new(AimfShare, n_labels);
    set_groups(measures, counts);
    set_balanced_accuracy(measures, counts);
    for (guint i = OWN; i < AIMF_N_SCALARS; i++) /* a bootstrap of an extreme is none */
        if (!is_bootstrapped((i - OWN) % AIMF_N_CLASS_SCALARS))
            store(measures, i, UNKNOWN, NULL);
    if (counts->positive >= 0)
        store(measures, offsetof(AimfScalars, auc) / sizeof(double), auc_interval(counts, counts->positive, ALPHA),
              AUC_METHOD);
    if (n_labels * n_labels > MOST_PAIRS)
        return;
    if (counts->positive >= 0) {
        ClassIntervals own = class_intervals(counts, counts->positive, &measures->scalars.positive, ALPHA, 1, shares);
        for (guint i = 0; i < AIMF_N_CLASS_SCALARS; i++)
            if (!is_bootstrapped(i))
                store(measures, OWN + i, interval_at(&own, i), class_methods[i]);
    }
    if (measures->classes && n_labels * n_labels * (gsize)counts->n_targets <= MOST_PAIRS)
        set_over_classes(measures, counts, shares);
}
