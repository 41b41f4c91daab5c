#include "fair/components.h"

#include "base/format.h"
#include "base/shown.h"

#include <math.h>
#include <stddef.h>

enum { MOST_COMPONENTS = 1 << 14, MOST_MACRO_PAIRS = 1 << 11 };

/* Members of AimfScalars, and of AimfClassScalars. */
#define MEMBER(name) offsetof(AimfScalars, name) / sizeof(double)
#define CLASS_MEMBER(name) offsetof(AimfClassScalars, name) / sizeof(double)
enum {
    ACCURACY = MEMBER(accuracy),
    WORST_GROUP = MEMBER(worst_group_accuracy),
    DEVIATION = MEMBER(std_group_accuracy),
    BALANCED = MEMBER(balanced_accuracy),
    OWN = MEMBER(positive),
};
G_STATIC_ASSERT(OWN == 4); /* what is added there has components, or an objection */
enum {
    ODDS_MEAN = CLASS_MEMBER(equalized_odds_mean),
    ODDS_MAX = CLASS_MEMBER(equalized_odds_max),
    ODDS_SUM = CLASS_MEMBER(equalized_odds_sum),
    OPPORTUNITY = CLASS_MEMBER(equal_opportunity),
    PARITY = CLASS_MEMBER(demographic_parity),
    AREA = CLASS_MEMBER(auc),
    PARITY_RATIO = CLASS_MEMBER(demographic_parity_ratio),
    ODDS_RATIO = CLASS_MEMBER(equalized_odds_ratio),
    OPPORTUNITY_RATIO = CLASS_MEMBER(equal_opportunity_ratio),
    FALSE_NEGATIVES = CLASS_MEMBER(false_negative_rate_gap),
    PRECISION = CLASS_MEMBER(precision_gap),
    CALIBRATION = CLASS_MEMBER(calibration_error),
    CALIBRATION_GAP = CLASS_MEMBER(calibration_error_gap),
    N_CLASS_SCALARS = AIMF_N_CLASS_SCALARS,
};
typedef enum { OF_POSITIVE, OF_MEAN, OF_WORST } Scope;

/* What a demand is about: a member of one class's, of its mean over the classes or of the worst, or @scalar itself. */
typedef struct {
    gboolean of_class;
    guint scalar;
    Scope scope;
} Subject;

static Subject subject_of(guint scalar)
{
    if (scalar < OWN || scalar == AIMF_NO_GROUP_WORSE_THAN)
        return (Subject){ FALSE, scalar, OF_POSITIVE };
    return (Subject){ TRUE, (scalar - OWN) % N_CLASS_SCALARS, (Scope)((scalar - OWN) / N_CLASS_SCALARS) };
}

void aimf_component_free(AimfComponent *component)
{
    if (!component)
        return;
    g_free(component->what);
    for (guint i = 0; i < component->n_terms; i++)
        g_free(component->terms[i].of);
    g_free(component->terms);
    g_free(component);
}

const char *aimf_components_objection(const AimfGate *gate)
{
    Subject subject = subject_of(gate->scalar);
    gboolean low_is_bad = gate->scalar < AIMF_N_SCALARS && aimf_scalar_low_is_bad(gate->scalar);
    gboolean gap = subject.of_class && !low_is_bad;
    gboolean single = !subject.of_class ? subject.scalar == ACCURACY || subject.scalar == BALANCED
                                        : subject.scalar == AREA && subject.scope != OF_WORST;
    if (subject.of_class ? subject.scalar == CALIBRATION || subject.scalar == CALIBRATION_GAP
                         : subject.scalar == DEVIATION)
        return "it has a bootstrap alone, which decides nothing; demand it with --require";
    double most = subject.of_class && subject.scalar == ODDS_SUM ? 2 : 1;
    if (gate->bound < 0 || gate->bound > most)
        return "its bound must be one of the values that there are, from 0 to 1, or to 2 for a sum of gaps";
    if (gate->strict && gate->bound == (gate->at_least ? most : 0))
        return "no value meets it";
    if (gap && gate->at_least)
        return "evidence can be demanded that a gap is at most so large, by <= or <";
    if (low_is_bad && !single && !gate->at_least)
        return "evidence can be demanded that the least of several is at least so large, by >= or >";
    return NULL;
}

/* --- Making them --- */

/* What is being made. */
typedef struct {
    const AimfGate *gate;
    const AimfMeasures *measures;
    const AimfCounts *counts;
    char *const *labels;
    int target; /* the class that rates are of */
    gboolean names_class;
    GPtrArray *components;
    guint first; /* of this demand's */
    gboolean too_many;
} Making;

/* (borrowed) @what: taken */
static AimfComponent *add(Making *m, AimfForm form, double low, double high, char *what)
{
    AimfComponent *component = g_new0(AimfComponent, 1);
    component->form = form;
    component->what = m->names_class ? g_strdup_printf("class %d: %s", m->target, what) : g_strdup(what);
    component->low = low;
    component->high = high;
    g_ptr_array_add(m->components, component);
    g_free(what);
    return component;
}

/* @of: taken */
static void add_term(AimfComponent *component, AimfShare share, double weight, char *of)
{
    component->terms = g_renew(AimfTerm, component->terms, component->n_terms + 1);
    component->terms[component->n_terms++] = (AimfTerm){ share, weight, of };
}

/* A measure that is one number: on one side of the bound. */
static AimfComponent *add_single(Making *m, AimfForm form, const char *what)
{
    double bound = m->gate->bound;
    return add(m, form, m->gate->at_least ? bound : -INFINITY, m->gate->at_least ? INFINITY : bound, g_strdup(what));
}

/* (owned) of which pictures a label's rate is. Groups are written as everywhere where they are groups. */
static char *pictures_of(const Making *m, int group, AimfRate rate)
{
    const char *label = m->labels[group];
    switch (rate) {
    case AIMF_RATE_TPR:
        return g_strdup_printf("%d_%s", m->target, label);
    case AIMF_RATE_FPR:
        return m->counts->n_targets == 2 ? g_strdup_printf("%d_%s", 1 - m->target, label)
                                         : g_strdup_printf("%s, not of class %d", label, m->target);
    case AIMF_RATE_PRECISION:
        return g_strdup_printf("%s, said to be of class %d", label, m->target);
    case AIMF_RATE_SELECTION:
        break;
    }
    return g_strdup(label);
}

static const char *name_of(AimfRate rate)
{
    static const char *const names[] = { "TPR", "FPR", "precision", "selection rate" };
    return names[rate];
}

static char *difference_text(const Making *m, AimfRate rate, int a, int b)
{
    return g_strdup_printf("%s of %s - %s of %s", name_of(rate), AIMF_SHOWN(m->labels[a]), name_of(rate),
                           AIMF_SHOWN(m->labels[b]));
}

static void add_difference_terms(const Making *m, AimfComponent *component, AimfRate rate, int a, int b, double weight)
{
    add_term(component, aimf_rate_share(m->counts, m->target, a, rate), weight, pictures_of(m, a, rate));
    add_term(component, aimf_rate_share(m->counts, m->target, b, rate), -weight, pictures_of(m, b, rate));
}

/* Whether there is room for @more; without it nothing is added. */
static gboolean has_room(Making *m, double more)
{
    m->too_many = m->too_many || m->components->len - m->first + more > MOST_COMPONENTS;
    return !m->too_many;
}

static double pairs_of_labels(const Making *m)
{
    return m->counts->n_protected * (m->counts->n_protected - 1.0) / 2;
}

static void add_gaps(Making *m, AimfRate rate)
{
    if (!has_room(m, pairs_of_labels(m)))
        return;
    for (int a = 0; a < m->counts->n_protected; a++)
        for (int b = a + 1; b < m->counts->n_protected; b++)
            add_difference_terms(
                m, add(m, AIMF_SUM_OF_SHARES, -m->gate->bound, m->gate->bound, difference_text(m, rate, a, b)), rate, a,
                b, 1);
}

/* A ratio of two rates is at least r, whichever is above, if of both a - r b and b - r a none is below 0. */
static void add_ratio(Making *m, AimfRate rate, int a, int b)
{
    double r = m->gate->bound;
    char *what = aimf_format("%s of %s - %g x %s of %s", name_of(rate), AIMF_SHOWN(m->labels[a]), r, name_of(rate),
                             AIMF_SHOWN(m->labels[b]));
    AimfComponent *rest = add(m, AIMF_SUM_OF_SHARES, 0, INFINITY, what);
    add_term(rest, aimf_rate_share(m->counts, m->target, a, rate), 1, pictures_of(m, a, rate));
    add_term(rest, aimf_rate_share(m->counts, m->target, b, rate), -r, pictures_of(m, b, rate));
}

static void add_ratios(Making *m, AimfRate rate)
{
    if (!has_room(m, 2 * pairs_of_labels(m)))
        return;
    for (int a = 0; a < m->counts->n_protected; a++)
        for (int b = 0; b < m->counts->n_protected; b++)
            if (a != b)
                add_ratio(m, rate, a, b);
}

/* |x| + |y| is at most so large if both x + y and x - y lie that near 0. @weight: 1/2 for the mean */
static void add_odds(Making *m, double weight)
{
    int n = m->counts->n_protected;
    if (!has_room(m, 2 * pairs_of_labels(m) * pairs_of_labels(m)))
        return;
    for (int a = 0; a < n; a++)
        for (int b = a + 1; b < n; b++)
            for (int c = 0; c < n; c++)
                for (int d = c + 1; d < n; d++)
                    for (int sign = -1; sign <= 1; sign += 2) {
                        g_autofree char *tpr = difference_text(m, AIMF_RATE_TPR, a, b);
                        g_autofree char *fpr = sign > 0 ? difference_text(m, AIMF_RATE_FPR, c, d)
                                                        : difference_text(m, AIMF_RATE_FPR, d, c);
                        char *what = g_strdup_printf(weight < 1 ? "(%s + %s) / 2" : "%s + %s", tpr, fpr);
                        AimfComponent *sum = add(m, AIMF_SUM_OF_SHARES, -m->gate->bound, m->gate->bound, what);
                        add_difference_terms(m, sum, AIMF_RATE_TPR, a, b, weight);
                        add_difference_terms(m, sum, AIMF_RATE_FPR, c, d, sign * weight);
                    }
}

static void add_area(Making *m)
{
    const AimfScores *scores = &m->counts->scores[m->target];
    AimfShare class = aimf_class_share(m->counts, m->target);
    AimfComponent *area = add_single(m, AIMF_AREA, "AUC");
    area->auc = scores->auc;
    area->variance = scores->auc_variance;
    add_term(area, (AimfShare){ 0, class.x }, 0, g_strdup_printf("class %d", m->target));
    add_term(area, (AimfShare){ 0, class.n - class.x }, 0,
             m->counts->n_targets == 2 ? g_strdup_printf("class %d", 1 - m->target)
                                       : g_strdup_printf("classes other than %d", m->target));
}

static void add_of_class(Making *m, guint class_scalar)
{
    switch (class_scalar) {
    case ODDS_MEAN:
        add_odds(m, 0.5);
        break;
    case ODDS_SUM:
        add_odds(m, 1);
        break;
    case ODDS_MAX:
        add_gaps(m, AIMF_RATE_TPR);
        add_gaps(m, AIMF_RATE_FPR);
        break;
    case OPPORTUNITY:
    case FALSE_NEGATIVES: /* what one lacks the other has */
        add_gaps(m, AIMF_RATE_TPR);
        break;
    case PARITY:
        add_gaps(m, AIMF_RATE_SELECTION);
        break;
    case PRECISION:
        add_gaps(m, AIMF_RATE_PRECISION);
        break;
    case AREA:
        add_area(m);
        break;
    case PARITY_RATIO:
        add_ratios(m, AIMF_RATE_SELECTION);
        break;
    case ODDS_RATIO:
        add_ratios(m, AIMF_RATE_TPR);
        add_ratios(m, AIMF_RATE_FPR);
        break;
    case OPPORTUNITY_RATIO:
        add_ratios(m, AIMF_RATE_TPR);
        break;
    default:
        g_assert_not_reached();
    }
}

/* --- Of all classes together --- */

static char *group_name(const Making *m, int group)
{
    int n = m->counts->n_protected;
    return g_strdup_printf("%d_%s", group / n, m->labels[group % n]);
}

static void add_groups(Making *m)
{
    for (int group = 0; group < m->counts->n_targets * m->counts->n_protected; group++) {
        char *name = group_name(m, group);
        AimfComponent *one =
            add(m, AIMF_SUM_OF_SHARES, m->gate->bound, INFINITY, g_strdup_printf("accuracy of %s", AIMF_SHOWN(name)));
        add_term(one, aimf_group_share(m->counts, group), 1, name);
    }
}

static void add_accuracy(Making *m)
{
    add_term(add_single(m, AIMF_SUM_OF_SHARES, "accuracy"), aimf_accuracy_share(m->counts), 1, g_strdup("all"));
}

static void add_balanced(Making *m)
{
    AimfComponent *mean = add_single(m, AIMF_SUM_OF_SHARES, "balanced accuracy");
    for (int target = 0; target < m->counts->n_targets; target++) {
        AimfShare recall = aimf_recall_share(m->counts, target);
        if (recall.n)
            add_term(mean, recall, 0, g_strdup_printf("class %d", target));
    }
    for (guint i = 0; i < mean->n_terms; i++)
        mean->terms[i].weight = 1.0 / mean->n_terms;
}

static void add_losses(Making *m, const AimfComparison *comparison)
{
    for (int i = 0; i < m->counts->n_targets * m->counts->n_protected; i++) {
        const AimfGroupPairs *group = &comparison->groups[i];
        char *name = group_name(m, i);
        AimfComponent *change = add(m, AIMF_PAIRED_CHANGE, -m->gate->bound, INFINITY,
                                    g_strdup_printf("change of the accuracy of %s", AIMF_SHOWN(name)));
        change->pairs = aimf_group_pairs(group);
        add_term(change, (AimfShare){ 0, group->n }, 0, name);
    }
}

static void add_of_classes(Making *m, const Subject *subject)
{
    if (!m->measures->classes)
        return;
    int n_labels = m->counts->n_protected;
    if (subject->scope == OF_MEAN && n_labels * n_labels > MOST_MACRO_PAIRS / m->counts->n_targets) {
        m->too_many = TRUE;
        return;
    }
    if (subject->scope == OF_MEAN) {
        AimfComponent *mean = add_single(m, AIMF_MEAN_OF_CLASSES, aimf_scalar_name(m->gate->scalar));
        mean->class_scalar = subject->scalar;
        mean->measures = m->measures;
        mean->counts = m->counts;
        return;
    }
    m->names_class = TRUE;
    for (m->target = 0; m->target < m->counts->n_targets && !m->too_many; m->target++)
        if (m->measures->classes[m->target].occurs)
            add_of_class(m, subject->scalar);
}

gboolean aimf_components_of(const AimfGate *gate, const AimfMeasures *measures, const AimfCounts *counts,
                            char *const *labels, const AimfComparison *comparison, GPtrArray *components,
                            GError **error)
{
    Making m = {
        .gate = gate,
        .measures = measures,
        .counts = counts,
        .labels = labels,
        .target = counts->positive,
        .components = components,
        .first = components->len,
    };
    Subject subject = subject_of(gate->scalar);
    if (gate->scalar == AIMF_NO_GROUP_WORSE_THAN)
        add_losses(&m, comparison);
    else if (!subject.of_class && subject.scalar == ACCURACY)
        add_accuracy(&m);
    else if (!subject.of_class && subject.scalar == WORST_GROUP)
        add_groups(&m);
    else if (!subject.of_class)
        add_balanced(&m);
    else if (subject.scope != OF_POSITIVE)
        add_of_classes(&m, &subject);
    else if (m.target >= 0)
        add_of_class(&m, subject.scalar);
    if (m.too_many) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s': %d protected labels in %d classes are too many for evidence, which would rest on every "
                    "comparison of them; demand it with --require",
                    AIMF_SHOWN(gate->text), counts->n_protected, counts->n_targets);
        return FALSE;
    }
    return TRUE;
}

/* --- Values and intervals --- */

static double value_of_sum(const AimfComponent *c)
{
    double sum = 0;
    for (guint i = 0; i < c->n_terms; i++)
        sum += c->terms[i].weight * aimf_share_value(c->terms[i].share);
    return sum;
}

double aimf_component_value(const AimfComponent *c)
{
    double n = (double)(c->pairs.both + c->pairs.lost + c->pairs.won + c->pairs.neither);
    switch (c->form) {
    case AIMF_AREA:
        return c->auc;
    case AIMF_PAIRED_CHANGE:
        return n > 0 ? ((double)c->pairs.won - (double)c->pairs.lost) / n : NAN;
    case AIMF_MEAN_OF_CLASSES: {
        const AimfScalars of_mean = { .positive = c->measures->scalars.macro };
        return aimf_scalar_at(&of_mean, OWN + c->class_scalar);
    }
    case AIMF_SUM_OF_SHARES:
        break;
    }
    return value_of_sum(c);
}

static guint64 scaled(guint64 count, double factor)
{
    return (guint64)((double)count * factor + 0.5);
}

static AimfShare enlarged(AimfShare share, guint64 least)
{
    if (!share.n || share.n >= least)
        return share;
    return (AimfShare){ scaled(share.x, (double)least / (double)share.n), least };
}

static AimfInterval interval_of_sum(const AimfComponent *c, double alpha, guint64 least)
{
    g_autofree double *values = g_new(double, c->n_terms), *weights = g_new(double, c->n_terms);
    g_autofree AimfInterval *intervals = g_new(AimfInterval, c->n_terms);
    for (guint i = 0; i < c->n_terms; i++) {
        AimfShare share = enlarged(c->terms[i].share, least);
        values[i] = aimf_share_value(share);
        weights[i] = c->terms[i].weight;
        intervals[i] = aimf_clopper_pearson(share, alpha);
    }
    if (c->n_terms == 1) /* its own, to the last bit */
        return intervals[0];
    return aimf_square_and_add(values, intervals, weights, c->n_terms);
}

/* DeLong's variance, of a few errors, is as often too small: Hanley and McNeil's has its say as well. */
static AimfInterval interval_of_area(const AimfComponent *c, double alpha, guint64 least)
{
    double p = (double)c->terms[0].share.n, q = (double)c->terms[1].share.n;
    guint64 more_p = enlarged(c->terms[0].share, least).n, more_q = enlarged(c->terms[1].share, least).n;
    double shrunk = (1 / (double)more_p + 1 / (double)more_q) / (1 / p + 1 / q);
    AimfInterval own = aimf_auc_interval(c->auc, c->variance * shrunk, more_p, more_q, alpha);
    AimfInterval typical = aimf_auc_interval(c->auc, 0, more_p, more_q, alpha);
    return (AimfInterval){ MIN(own.low, typical.low), MAX(own.high, typical.high) };
}

static AimfInterval interval_of_change(const AimfComponent *c, double alpha, guint64 least)
{
    AimfPairs p = c->pairs;
    double n = (double)(p.both + p.lost + p.won + p.neither), factor = (double)least / n;
    if (n == 0 || factor <= 1)
        return aimf_tango(p, alpha);
    const AimfPairs more = { scaled(p.both, factor), scaled(p.lost, factor), scaled(p.won, factor),
                             scaled(p.neither, factor) };
    return aimf_tango(more, alpha);
}

AimfInterval aimf_component_interval(const AimfComponent *c, double alpha, guint64 least)
{
    switch (c->form) {
    case AIMF_AREA:
        return interval_of_area(c, alpha, least);
    case AIMF_PAIRED_CHANGE:
        return interval_of_change(c, alpha, least);
    case AIMF_MEAN_OF_CLASSES:
        return aimf_macro_interval(c->measures, c->counts, c->class_scalar, alpha);
    case AIMF_SUM_OF_SHARES:
        break;
    }
    return interval_of_sum(c, alpha, least);
}
