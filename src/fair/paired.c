/* Two classifiers on the same pictures, or one before and after. */
#include "base/file.h"
#include "base/json.h"
#include "base/shown.h"
#include "data/csv.h"
#include "fair/interval_json.h"
#include "fair/intervals.h"
#include "fair/same_pictures.h"
#include "fair/tally.h"
#include "fair/verdict_files.h"

#include <aimfair/json.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

static const double ALPHA = 0.05;

void aimf_comparison_free(AimfComparison *comparison)
{
    if (!comparison)
        return;
    aimf_measures_free(comparison->before);
    aimf_measures_free(comparison->after);
    g_free(comparison->groups);
    g_strfreev(comparison->paths);
    g_free(comparison->target);
    g_free(comparison->group);
    g_free(comparison->predicted_before);
    g_free(comparison->predicted_after);
    aimf_verdicts_free(comparison->verdicts);
    g_strfreev(comparison->labels);
    g_strfreev(comparison->classes);
    g_free(comparison);
}

/* --- Groups --- */

static void count_groups(AimfComparison *c, int n_targets, int n_protected)
{
    AimfGroupPairs all = { .n = 0 };
    c->groups = g_new0(AimfGroupPairs, (gsize)n_targets * (gsize)n_protected);
    for (guint i = 0; i < c->n; i++) {
        AimfGroupPairs *group = &c->groups[c->target[i] * n_protected + c->group[i]];
        gboolean before = c->predicted_before[i] == c->target[i], after = c->predicted_after[i] == c->target[i];
        AimfGroupPairs *const both[] = { group, &all };
        for (gsize k = 0; k < G_N_ELEMENTS(both); k++) {
            both[k]->n++;
            both[k]->right_before += before ? 1 : 0;
            both[k]->right_after += after ? 1 : 0;
            both[k]->lost += before && !after ? 1 : 0;
            both[k]->won += after && !before ? 1 : 0;
        }
    }
    for (int i = 0; i < n_targets * n_protected; i++) {
        AimfGroupPairs *group = &c->groups[i];
        group->target = i / n_protected;
        group->group = i % n_protected;
        group->change = aimf_tango(aimf_group_pairs(group), ALPHA);
    }
    const guint accuracy = offsetof(AimfScalars, accuracy) / sizeof(double);
    c->lost = all.lost;
    c->won = all.won;
    c->mcnemar_exact = aimf_mcnemar(aimf_group_pairs(&all), FALSE);
    c->mcnemar_mid = aimf_mcnemar(aimf_group_pairs(&all), TRUE);
    c->intervals[accuracy] = aimf_tango(aimf_group_pairs(&all), ALPHA);
    c->methods[accuracy] = "Tango";
}

/* --- Measures --- */

/* Pearson's, over resamples in which both are known; 0 where either does not vary. */
static double correlation(const AimfScalars *before, const AimfScalars *after, guint n, guint scalar)
{
    double sums[2] = { 0 }, squares[2] = { 0 }, products = 0, known = 0;
    for (guint i = 0; i < n; i++) {
        double a = aimf_scalar_at(&before[i], scalar), b = aimf_scalar_at(&after[i], scalar);
        if (isnan(a) || isnan(b))
            continue;
        known++;
        sums[0] += a;
        sums[1] += b;
        squares[0] += a * a;
        squares[1] += b * b;
        products += a * b;
    }
    double a = squares[0] - sums[0] * sums[0] / known, b = squares[1] - sums[1] * sums[1] / known;
    double r = (products - sums[0] * sums[1] / known) / sqrt(a * b);
    return known > 2 && a > 1e-12 && b > 1e-12 ? CLAMP(r, -1, 1) : 0;
}

/* Zou 2007: distances to the ends of two correlated estimates, as sides of a triangle. */
static AimfInterval difference(double before, AimfInterval of_before, double after, AimfInterval of_after, double r)
{
    double low_a = after - of_after.low, high_a = of_after.high - after;
    double low_b = before - of_before.low, high_b = of_before.high - before;
    return (AimfInterval){ after - before - sqrt(MAX(low_a * low_a - 2 * r * low_a * high_b + high_b * high_b, 0)),
                           after - before + sqrt(MAX(high_a * high_a - 2 * r * high_a * low_b + low_b * low_b, 0)) };
}

/* DeLong's paired variance: that of the differences of placements. */
static gboolean compare_auc(AimfComparison *c, const AimfTally *before, const AimfTally *after, guint scalar)
{
    g_autofree double *one = g_new(double, c->n), *two = g_new(double, c->n);
    if (before->positive < 0 ||
        !aimf_tally_placements(before, before->positive, aimf_scalar_at(&c->before->scalars, scalar), one) ||
        !aimf_tally_placements(after, after->positive, aimf_scalar_at(&c->after->scalars, scalar), two))
        return FALSE;
    for (guint i = 0; i < c->n; i++)
        two[i] -= one[i];
    double deviation = sqrt(aimf_placements_variance(two, c->target, before->positive, c->n));
    if (deviation == 0)
        return FALSE;
    double z = aimf_normal_quantile(1 - ALPHA / 2);
    c->intervals[scalar] =
        (AimfInterval){ MAX(c->changes[scalar] - z * deviation, -1), MIN(c->changes[scalar] + z * deviation, 1) };
    c->methods[scalar] = "DeLong, paired";
    return TRUE;
}

static void compare_scalar(AimfComparison *c, guint scalar, const AimfScalars *before, const AimfScalars *after,
                           guint resamples, double *scratch)
{
    double a = aimf_scalar_at(&c->before->scalars, scalar), b = aimf_scalar_at(&c->after->scalars, scalar);
    const char *method = c->before->methods[scalar];
    if (isnan(b - a) || !method || !c->after->methods[scalar])
        return;
    if (g_str_equal(method, AIMF_BOOTSTRAP_METHOD)) {
        for (guint i = 0; i < resamples; i++)
            scratch[i] = aimf_scalar_at(&after[i], scalar) - aimf_scalar_at(&before[i], scalar);
        c->intervals[scalar] = aimf_percentiles(scratch, resamples);
        c->methods[scalar] = "bootstrap of pairs, percentiles";
        return;
    }
    double r = correlation(before, after, resamples, scalar);
    c->intervals[scalar] = difference(a, c->before->intervals[scalar], b, c->after->intervals[scalar], r);
    c->methods[scalar] = "square-and-add with the pairs' correlation";
}

static gboolean compare_scalars(AimfComparison *c, const AimfOrderedRows *before, const AimfOrderedRows *after,
                                guint resamples, guint64 seed, const AimfMonitor *monitor, GError **error)
{
    const guint accuracy = offsetof(AimfScalars, accuracy) / sizeof(double),
                auc = offsetof(AimfScalars, auc) / sizeof(double);
    g_auto(AimfTally) of_before = { 0 }, of_after = { 0 };
    g_autofree AimfScalars *drawn_before = g_try_new(AimfScalars, MAX(resamples, 1));
    g_autofree AimfScalars *drawn_after = g_try_new(AimfScalars, MAX(resamples, 1));
    g_autofree double *scratch = g_try_new(double, MAX(resamples, 1));
    if (!drawn_before || !drawn_after || !scratch) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for %u resamples of two results", resamples);
        return FALSE;
    }
    if (!aimf_tally_init(&of_before, &before->rows, error) || !aimf_tally_init(&of_after, &after->rows, error) ||
        (resamples &&
         !aimf_bootstrap_pairs(&of_before, &of_after, resamples, seed, drawn_before, drawn_after, monitor, error)))
        return FALSE;
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        c->changes[i] = aimf_scalar_at(&c->after->scalars, i) - aimf_scalar_at(&c->before->scalars, i);
        if (i != accuracy && (i != auc || !compare_auc(c, &of_before, &of_after, auc)))
            compare_scalar(c, i, drawn_before, drawn_after, resamples, scratch);
    }
    return TRUE;
}

/* --- The whole --- */

AimfComparison *aimf_compare_outcomes(const AimfOutcomes *before, const AimfOutcomes *after, guint resamples,
                                      guint64 seed, const AimfMonitor *monitor, GError **error)
{
    gsize n = before->n;
    g_autoptr(AimfComparison) c = g_new0(AimfComparison, 1);
    g_auto(AimfOrderedRows) one = { 0 }, two = { 0 };
    static const AimfTwoSets NAMES = { "before and after", "before", "after" };
    if (!aimf_rows_in_order(&one, before, before, &NAMES, error) ||
        !aimf_rows_in_order(&two, after, before, &NAMES, error))
        return NULL;
    c->n = before->n;
    c->paths = g_strdupv(before->paths);
    c->labels = g_strdupv(before->labels);
    c->classes = g_strdupv(before->classes ? before->classes : after->classes);
    c->target = g_memdup2(before->target, n * sizeof *c->target);
    c->group = g_memdup2(before->group, n * sizeof *c->group);
    c->predicted_before = g_memdup2(before->prediction, n * sizeof *c->predicted_before);
    c->predicted_after = g_memdup2(two.prediction, n * sizeof *c->predicted_after);
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        c->intervals[i] = (AimfInterval){ NAN, NAN };
    c->before = aimf_measure_rows(&one.rows, resamples, seed, monitor, error);
    c->after = c->before ? aimf_measure_rows(&two.rows, resamples, seed, monitor, error) : NULL;
    if (!c->after)
        return NULL;
    count_groups(c, before->n_targets, before->n_protected);
    return compare_scalars(c, &one, &two, resamples, seed, monitor, error) ? g_steal_pointer(&c) : NULL;
}

void aimf_comparison_check(const AimfComparison *c, AimfFindings *findings)
{
    gboolean differ = FALSE;
    for (guint i = 0; i < c->n; i++)
        differ = differ || c->predicted_before[i] != c->predicted_after[i];
    if (!differ)
        aimf_findings_add(findings, "same-set", FALSE, "before and after say the same of all %u samples", c->n);
    for (int i = 0; i < c->before->n_targets * c->before->n_protected; i++) {
        const AimfGroupPairs *group = &c->groups[i];
        if (group->right_after >= group->right_before)
            continue;
        double change = ((double)group->right_after - group->right_before) / group->n;
        aimf_findings_add(findings, "levelling-down", FALSE,
                          "group %d_%s lost %.2f points of accuracy (95 %%: a change of %+.2f to %+.2f): %u of its %u "
                          "pictures, and won %u",
                          group->target, c->labels[group->group], -100 * change, 100 * group->change.low,
                          100 * group->change.high, group->lost, group->n, group->won);
    }
}

/* --- Files --- */

gboolean aimf_comparison_save_changes(const AimfComparison *c, const char *path, GError **error)
{
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    g_autoptr(GString) line = g_string_new(NULL);
    if (!writer)
        return FALSE;
    aimf_writer_printf(writer, "%s,target,protected,before,after,change\n", c->paths ? "path" : "row");
    for (guint i = 0; i < c->n; i++) {
        int before = c->predicted_before[i], after = c->predicted_after[i];
        if (before == after)
            continue;
        g_string_truncate(line, 0);
        if (c->paths)
            aimf_csv_append(line, c->paths[i]);
        else
            g_string_append_printf(line, "%u", i + 1);
        g_string_append_printf(line, ",%d,", c->target[i]);
        aimf_csv_append(line, c->labels[c->group[i]]);
        g_string_append_printf(line, ",%d,%d,%s\n", before, after,
                               before == c->target[i]  ? "lost"
                               : after == c->target[i] ? "won"
                                                       : "other");
        aimf_writer_write(writer, line->str, line->len);
    }
    return aimf_writer_commit(writer, error);
}

static JsonArray *measure_objects(const AimfComparison *c)
{
    JsonArray *array = json_array_new();
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        if (aimf_scalar_of_classes(i) && c->before->n_targets == 2)
            continue;
        JsonObject *object = json_object_new();
        json_object_set_string_member(object, "measure", aimf_scalar_name(i));
        json_object_set_double_member(object, "before", aimf_scalar_at(&c->before->scalars, i));
        json_object_set_double_member(object, "after", aimf_scalar_at(&c->after->scalars, i));
        json_object_set_double_member(object, "change", c->changes[i]);
        aimf_json_set_interval(object, "interval", c->intervals[i]);
        if (c->methods[i])
            json_object_set_string_member(object, "method", c->methods[i]);
        else
            json_object_set_null_member(object, "method");
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonArray *group_objects(const AimfComparison *c)
{
    JsonArray *array = json_array_new();
    for (int i = 0; i < c->before->n_targets * c->before->n_protected; i++) {
        const AimfGroupPairs *group = &c->groups[i];
        JsonObject *object = json_object_new();
        json_object_set_int_member(object, "target", group->target);
        json_object_set_string_member(object, "protected", c->labels[group->group]);
        json_object_set_int_member(object, "n", group->n);
        json_object_set_double_member(object, "before", group->n ? (double)group->right_before / group->n : NAN);
        json_object_set_double_member(object, "after", group->n ? (double)group->right_after / group->n : NAN);
        aimf_json_set_interval(object, "interval", group->change);
        json_object_set_int_member(object, "lost", group->lost);
        json_object_set_int_member(object, "won", group->won);
        json_array_add_object_element(array, object);
    }
    return array;
}

char *aimf_comparison_json(const AimfComparison *c)
{
    JsonObject *object = json_object_new(), *mcnemar = json_object_new();
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(root, object);
    json_object_set_int_member(object, "n", c->n);
    json_object_set_array_member(object, "measures", measure_objects(c));
    json_object_set_array_member(object, "groups", group_objects(c));
    json_object_set_int_member(object, "lost", c->lost);
    json_object_set_int_member(object, "won", c->won);
    json_object_set_double_member(mcnemar, "exact", c->mcnemar_exact);
    json_object_set_double_member(mcnemar, "mid_p", c->mcnemar_mid);
    json_object_set_object_member(object, "mcnemar", mcnemar);
    aimf_json_set_verdicts(object, c->verdicts);
    return aimf_json_write(root, TRUE);
}
