/* Demands judged: as they stand, or by what the test set shows of their components. */
#include <aimfair/verdicts.h>

#include "base/monitor.h"
#include "base/shown.h"
#include "fair/components.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double ALPHA = 0.05;

const char *aimf_decision_name(AimfDecision decision)
{
    static const char *const names[] = { "met", "not met", "not enough evidence" };
    return names[decision];
}

static void clear_needs(AimfVerdict *verdict)
{
    for (guint i = 0; i < verdict->n_needs; i++)
        g_free(verdict->needs[i].what);
    g_clear_pointer(&verdict->needs, g_free);
    verdict->n_needs = 0;
}

static void verdict_clear(AimfVerdict *verdict)
{
    aimf_gate_clear(&verdict->gate);
    for (guint i = 0; i < verdict->n_parts; i++)
        g_free(verdict->parts[i].what);
    clear_needs(verdict);
    g_free(verdict->parts);
}

void aimf_verdicts_free(AimfVerdicts *verdicts)
{
    if (!verdicts)
        return;
    for (guint i = 0; i < verdicts->n; i++)
        verdict_clear(&verdicts->verdicts[i]);
    g_free(verdicts->verdicts);
    g_free(verdicts);
}

/* --- Where an interval lies --- */

static gboolean lies_inside(AimfInterval interval, const AimfComponent *c, gboolean strict)
{
    if (isnan(interval.low))
        return FALSE;
    return strict ? interval.low > c->low && interval.high < c->high
                  : interval.low >= c->low && interval.high <= c->high;
}

static gboolean lies_outside(AimfInterval interval, const AimfComponent *c)
{
    return interval.low > c->high || interval.high < c->low;
}

/* The level at which the interval, which widens as it falls, begins to touch what is demanded. */
static double level_outside(const AimfComponent *c, double value)
{
    const double least = log(1e-300), precision = 1e-8;
    if (isnan(value) || (value >= c->low && value <= c->high) ||
        !lies_outside(aimf_component_interval(c, 1 - 1e-9, 0), c))
        return 1;
    double outside = 0, touching = log(0.1); /* logarithms of levels */
    while (touching > least && lies_outside(aimf_component_interval(c, exp(touching), 0), c)) {
        outside = touching;
        touching *= 2;
    }
    while (outside - touching > precision) {
        double middle = (outside + touching) / 2;
        if (lies_outside(aimf_component_interval(c, exp(middle), 0), c))
            outside = middle;
        else
            touching = middle;
    }
    return exp(outside);
}

static AimfVerdictPart judge_part(const AimfComponent *c, gboolean strict)
{
    AimfVerdictPart part = {
        .what = g_strdup(c->what),
        .value = aimf_component_value(c),
        .interval = aimf_component_interval(c, ALPHA, 0),
        .low = c->low,
        .high = c->high,
    };
    part.inside = lies_inside(part.interval, c, strict);
    part.p = part.inside ? 1 : level_outside(c, part.value);
    return part;
}

/* --- Holm --- */

static int by_level(gconstpointer a, gconstpointer b)
{
    double one = (*(AimfVerdictPart *const *)a)->p, other = (*(AimfVerdictPart *const *)b)->p;
    return (one > other) - (one < other);
}

/* Marks what lies outside, all of @verdicts being one family. Returns: how large it is. */
static guint apply_holm(AimfVerdicts *verdicts)
{
    g_autoptr(GPtrArray) family = g_ptr_array_new();
    for (guint v = 0; v < verdicts->n; v++)
        for (guint i = 0; i < verdicts->verdicts[v].n_parts; i++)
            g_ptr_array_add(family, &verdicts->verdicts[v].parts[i]);
    if (family->len)
        qsort(family->pdata, family->len, sizeof *family->pdata, by_level);
    for (guint i = 0; i < family->len; i++) {
        AimfVerdictPart *part = g_ptr_array_index(family, i);
        if (part->p > ALPHA / (family->len - i))
            break;
        part->outside = TRUE;
    }
    return family->len;
}

static AimfDecision decision_of(const AimfVerdict *verdict)
{
    gboolean inside = verdict->n_parts > 0;
    for (guint i = 0; i < verdict->n_parts; i++) {
        if (verdict->parts[i].outside)
            return AIMF_NOT_MET;
        inside = inside && verdict->parts[i].inside;
    }
    return inside ? AIMF_MET : AIMF_NOT_ENOUGH_EVIDENCE;
}

/* --- What would settle it --- */

enum { MOST_PICTURES = 100000000 };

/* How a component is to be settled: inside or, at @level, outside. */
typedef struct {
    const AimfComponent *component;
    gboolean inside;
    gboolean strict;
    double level;
} Aim;

static gboolean settles(const Aim *aim, guint64 least)
{
    AimfInterval interval = aimf_component_interval(aim->component, aim->level, least);
    return aim->inside ? lies_inside(interval, aim->component, aim->strict) : lies_outside(interval, aim->component);
}

/* The least number of pictures of each term, rounded up to two digits; 0 if there is none. */
static guint64 find_least(const Aim *aim)
{
    guint64 few = 1, many = 1, unit = 1;
    while (many <= MOST_PICTURES && !settles(aim, many)) {
        few = many;
        many *= 2;
    }
    while (many <= MOST_PICTURES && many - few > 1 + few / 200) {
        guint64 middle = few + (many - few) / 2;
        if (settles(aim, middle))
            many = middle;
        else
            few = middle;
    }
    while (many / unit >= 100)
        unit *= 10;
    many = (many + unit - 1) / unit * unit;
    while (many <= MOST_PICTURES && !settles(aim, many)) /* counts are whole numbers, so a larger one may not */
        many += unit;
    return many <= MOST_PICTURES ? many : 0;
}

static void add_need(AimfVerdict *verdict, const AimfTerm *term, guint64 needed)
{
    if (term->share.n >= needed)
        return;
    for (guint i = 0; i < verdict->n_needs; i++) {
        if (g_str_equal(verdict->needs[i].what, term->of)) {
            verdict->needs[i].needed = MAX(verdict->needs[i].needed, needed);
            return;
        }
    }
    verdict->needs = g_renew(AimfNeed, verdict->needs, verdict->n_needs + 1);
    verdict->needs[verdict->n_needs++] = (AimfNeed){ g_strdup(term->of), term->share.n, needed };
}

/*
 * Pictures are missing where an interval is not inside or, if the demand will not be met, of the component nearest to
 * showing it. Where a group has none, no rate is known that would say how many; of a mean over classes neither.
 */
static void find_needs(AimfVerdict *verdict, const GPtrArray *components, guint family)
{
    enum { MOST_OPEN = 256 };
    g_autoptr(GPtrArray) open = g_ptr_array_new();
    gboolean inside = aimf_gate_met(&verdict->gate, verdict->value);
    guint telling = 0;
    for (guint i = 0; i < components->len; i++) {
        const AimfVerdictPart *part = &verdict->parts[i];
        if (isnan(part->interval.low) || !((const AimfComponent *)g_ptr_array_index(components, i))->n_terms)
            return;
        telling = part->p < verdict->parts[telling].p ? i : telling;
        if (inside && !part->inside)
            g_ptr_array_add(open, g_ptr_array_index(components, i));
    }
    if (!inside && components->len)
        g_ptr_array_add(open, g_ptr_array_index(components, telling));
    for (guint i = 0; i < open->len && open->len <= MOST_OPEN; i++) {
        const AimfComponent *c = g_ptr_array_index(open, i);
        const Aim aim = { c, inside, verdict->gate.strict, inside ? ALPHA : ALPHA / family };
        guint64 least = find_least(&aim);
        if (!least) { /* nothing settles this one, so nothing all of them */
            clear_needs(verdict);
            return;
        }
        for (guint k = 0; k < c->n_terms; k++)
            add_need(verdict, &c->terms[k], least);
    }
}

/* --- The whole --- */

/* The most telling first: what is unknown, outside, not inside, then by level and how far from where they must be. */
static int by_weight(gconstpointer a, gconstpointer b)
{
    const AimfVerdictPart *one = a, *other = b;
    if (isnan(one->interval.low) || isnan(other->interval.low))
        return (isnan(one->interval.low) ? 0 : 1) - (isnan(other->interval.low) ? 0 : 1);
    if (one->inside != other->inside)
        return one->inside - other->inside;
    if (one->p != other->p)
        return one->p < other->p ? -1 : 1;
    double room = MIN(one->interval.low - one->low, one->high - one->interval.high);
    double others = MIN(other->interval.low - other->low, other->high - other->interval.high);
    return (room > others) - (room < others);
}

static double largest_loss(const AimfComparison *comparison)
{
    double loss = NAN;
    for (int i = 0; i < comparison->before->n_targets * comparison->before->n_protected; i++) {
        const AimfGroupPairs *group = &comparison->groups[i];
        double lost = ((double)group->right_before - (double)group->right_after) / group->n;
        if (group->n && (isnan(loss) || lost > loss))
            loss = lost;
    }
    return loss;
}

static gboolean check_gate(const AimfGate *gate, const AimfOutcomes *outcomes, const AimfComparison *comparison,
                           GError **error)
{
    if (gate->scalar == AIMF_NO_GROUP_WORSE_THAN && !comparison) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' is about a comparison of before and after",
                    AIMF_SHOWN(gate->text));
        return FALSE;
    }
    if (gate->evidence && !outcomes) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s': evidence is found in answers picture by picture, which an average does not have",
                    AIMF_SHOWN(gate->text));
        return FALSE;
    }
    return TRUE;
}

static AimfVerdict stand(const AimfGate *gate, const AimfMeasures *measures, const AimfComparison *comparison)
{
    AimfVerdict verdict = { .gate = *gate };
    verdict.gate.text = g_strdup(gate->text);
    verdict.value = gate->scalar == AIMF_NO_GROUP_WORSE_THAN ? largest_loss(comparison)
                                                             : aimf_scalar_at(&measures->scalars, gate->scalar);
    verdict.decision = aimf_gate_met(gate, verdict.value) ? AIMF_MET : AIMF_NOT_MET;
    return verdict;
}

static gboolean judge_parts(AimfVerdict *verdict, const GPtrArray *components, const AimfMonitor *monitor,
                            GError **error)
{
    verdict->parts = g_new0(AimfVerdictPart, components->len + 1);
    for (guint i = 0; i < components->len; i++) {
        if (!aimf_check_stop(monitor, "the demands", error))
            return FALSE;
        verdict->parts[verdict->n_parts++] = judge_part(g_ptr_array_index(components, i), verdict->gate.strict);
    }
    return TRUE;
}

static gboolean judge_by_parts(AimfVerdicts *all, const AimfMeasures *measures, const AimfOutcomes *outcomes,
                               const AimfComparison *comparison, const AimfMonitor *monitor, GError **error)
{
    const AimfRows rows = aimf_outcomes_rows(outcomes);
    g_auto(AimfCounts) counts = { 0 };
    g_autoptr(GPtrArray) of_all = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    if (!aimf_count_rows(&rows, &counts, error))
        return FALSE;
    for (guint i = 0; i < all->n; i++) {
        GPtrArray *components = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_component_free);
        AimfVerdict *verdict = &all->verdicts[i];
        g_ptr_array_add(of_all, components);
        if (!verdict->gate.evidence)
            continue;
        if (!aimf_components_of(&verdict->gate, measures, &counts, outcomes->labels, comparison, components, error) ||
            !judge_parts(verdict, components, monitor, error))
            return FALSE;
    }
    guint family = apply_holm(all);
    for (guint i = 0; i < all->n; i++) {
        AimfVerdict *verdict = &all->verdicts[i];
        if (!verdict->gate.evidence)
            continue;
        verdict->decision = decision_of(verdict);
        if (verdict->decision == AIMF_NOT_ENOUGH_EVIDENCE)
            find_needs(verdict, g_ptr_array_index(of_all, i), family);
        if (verdict->n_parts)
            qsort(verdict->parts, verdict->n_parts, sizeof *verdict->parts, by_weight);
    }
    return TRUE;
}

AimfVerdicts *aimf_judge(const AimfGate *gates, guint n, const AimfMeasures *measures, const AimfOutcomes *outcomes,
                         const AimfComparison *comparison, const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfVerdicts) all = g_new0(AimfVerdicts, 1);
    gboolean evidence = FALSE;
    all->verdicts = g_new0(AimfVerdict, (gsize)n + 1);
    for (guint i = 0; i < n; i++) {
        if (!check_gate(&gates[i], outcomes, comparison, error))
            return NULL;
        all->verdicts[all->n++] = stand(&gates[i], measures, comparison);
        evidence = evidence || gates[i].evidence;
    }
    return !evidence || judge_by_parts(all, measures, outcomes, comparison, monitor, error) ? g_steal_pointer(&all)
                                                                                            : NULL;
}
