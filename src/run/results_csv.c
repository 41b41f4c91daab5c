/* Every figure of a run in a row of its own, for spreadsheets and data frames: docs/results-files.md names them. */
#include "base/number.h"
#include "data/csv.h"
#include "run/results.h"

#include <math.h>
#include <stddef.h>

static const AimfInterval UNKNOWN = { NAN, NAN };

/* What the rows that are being written have alike. @seed: "" of an average; @n: pictures of the test set */
typedef struct {
    GString *text;
    const char *method;
    char *seed;
    guint n;
} Table;

static void append_number(GString *text, double value)
{
    char number[AIMF_NUMBER_SIZE];
    g_string_append_c(text, ',');
    if (!isnan(value))
        g_string_append(text, aimf_number_text(number, value));
}

/* @measure: behind @prefix; @group: "" for all pictures */
static void add(Table *table, const char *prefix, const char *measure, const char *group, double value,
                AimfInterval interval, guint n)
{
    GString *text = table->text;
    aimf_csv_append(text, table->method);
    g_string_append_printf(text, ",%s,%s%s,", table->seed, prefix, measure);
    aimf_csv_append(text, group);
    append_number(text, value);
    append_number(text, interval.low);
    append_number(text, interval.high);
    g_string_append_printf(text, ",%u\n", n);
}

static char *group_name(const AimfRunResults *results, int target, int group)
{
    return g_strdup_printf("%d_%s", target, results->labels[group]);
}

/* --- Measures --- */

/*
 * @seeds: (nullable) of an average, for its intervals. Worst and deviation of averaged groups are not the averages of
 * what the seeds' intervals are of, so they have none.
 */
static AimfInterval scalar_interval(const AimfMeasures *measures, const AimfSeeds *seeds, guint scalar)
{
    if (!seeds)
        return measures->intervals[scalar];
    gboolean own = scalar == offsetof(AimfScalars, worst_group_accuracy) / sizeof(double) ||
                   scalar == offsetof(AimfScalars, std_group_accuracy) / sizeof(double);
    return own ? UNKNOWN : seeds->scalars[scalar].over_pictures;
}

static void add_scalars(Table *table, const AimfMeasures *measures, const AimfSeeds *seeds)
{
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        if (aimf_scalar_of_classes(i) && measures->n_targets == 2)
            continue;
        add(table, "", aimf_scalar_name(i), "", aimf_scalar_at(&measures->scalars, i),
            scalar_interval(measures, seeds, i), table->n);
    }
}

static void add_groups(Table *table, const AimfRunResults *results, const AimfMeasures *measures,
                       const AimfSeeds *seeds)
{
    for (int i = 0; i < measures->n_targets * measures->n_protected; i++) {
        const AimfGroupMeasure *group = &measures->groups[i];
        g_autofree char *name = group_name(results, group->target, group->group);
        add(table, "group_", "accuracy", name, group->accuracy,
            seeds ? seeds->groups[i].over_pictures : group->interval, group->n);
        if (measures->positive >= 0)
            add(table, "group_", "selection_rate", name, group->selection_rate, UNKNOWN, group->n);
    }
    for (int g = 0; g < measures->n_protected; g++)
        for (guint i = 0; i < AIMF_N_GROUP_MEASURES; i++)
            add(table, "", aimf_group_measure_name(i), results->labels[g],
                aimf_group_measure_at(&measures->protected_groups[g], i), UNKNOWN, measures->protected_groups[g].n);
}

/* Each of more than two classes against all others. */
static void add_class(Table *table, const AimfRunResults *results, const AimfClassMeasure *class, int n_protected)
{
    const guint first_scalar = offsetof(AimfScalars, positive) / sizeof(double);
    const guint first_rate = aimf_group_measure_find("tpr");
    const AimfScalars own = { .positive = class->scalars };
    const struct {
        const char *name;
        double value;
    } rates[] = { { "tpr", class->tpr },
                  { "fpr", class->fpr },
                  { "precision", class->precision },
                  { "selection_rate", class->selection_rate } };
    g_autofree char *prefix = g_strdup_printf("class_%d.", class->target);
    for (gsize i = 0; i < G_N_ELEMENTS(rates); i++)
        add(table, prefix, rates[i].name, "", rates[i].value, UNKNOWN, table->n);
    for (guint i = first_scalar; i < first_scalar + AIMF_N_CLASS_SCALARS; i++)
        add(table, prefix, aimf_scalar_name(i), "", aimf_scalar_at(&own, i), UNKNOWN, table->n);
    for (int g = 0; g < n_protected; g++)
        for (guint i = first_rate; i < AIMF_N_GROUP_MEASURES; i++)
            add(table, prefix, aimf_group_measure_name(i), results->labels[g],
                aimf_group_measure_at(&class->groups[g], i), UNKNOWN, class->groups[g].n);
}

static void add_measures(Table *table, const AimfRunResults *results, const AimfMeasures *measures,
                         const AimfSeeds *seeds)
{
    table->n = measures->n;
    add_scalars(table, measures, seeds);
    add_groups(table, results, measures, seeds);
    for (int target = 0; measures->classes && target < measures->n_targets; target++)
        if (measures->classes[target].occurs)
            add_class(table, results, &measures->classes[target], measures->n_protected);
}

/* --- Changes --- */

static void add_comparison(Table *table, const AimfRunResults *results, const AimfComparison *c)
{
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        if (!aimf_scalar_of_classes(i) || c->before->n_targets > 2)
            add(table, "change.", aimf_scalar_name(i), "", c->changes[i], c->intervals[i], c->n);
    for (int i = 0; i < c->before->n_targets * c->before->n_protected; i++) {
        const AimfGroupPairs *group = &c->groups[i];
        g_autofree char *name = group_name(results, group->target, group->group);
        double change = group->n ? ((double)group->right_after - (double)group->right_before) / (double)group->n : NAN;
        add(table, "change.", "group_accuracy", name, change, group->change, group->n);
    }
}

static void add_mean_changes(Table *table, const AimfRunResults *results, const AimfMeasures *measures,
                             const AimfSeeds *seeds)
{
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        if (!aimf_scalar_of_classes(i) || measures->n_targets > 2)
            add(table, "change.", aimf_scalar_name(i), "", seeds->scalars[i].mean, seeds->scalars[i].over_pictures,
                measures->n);
    for (guint i = 0; i < seeds->n_groups; i++) {
        const AimfGroupMeasure *group = &measures->groups[i];
        g_autofree char *name = group_name(results, group->target, group->group);
        add(table, "change.", "group_accuracy", name, seeds->groups[i].mean, seeds->groups[i].over_pictures, group->n);
    }
}

/* --- All of it --- */

static void add_method(Table *table, const AimfRunResults *results, guint m)
{
    const AimfRunAverage *average = &results->averages[m];
    table->method = results->methods[m].name;
    table->seed = g_strdup("");
    if (average->measures && average->spread)
        add_measures(table, results, average->measures, average->spread);
    if (average->measures && average->changes)
        add_mean_changes(table, results, average->measures, average->changes);
    g_free(table->seed);
    for (guint s = 0; s < results->n_seeds; s++) {
        const AimfRunCell *cell = aimf_run_cell(results, m, s);
        table->seed = g_strdup_printf("%" G_GUINT64_FORMAT, results->seeds[s]);
        if (cell->measures)
            add_measures(table, results, cell->measures, NULL);
        if (cell->comparison)
            add_comparison(table, results, cell->comparison);
        g_free(table->seed);
    }
}

char *aimf_results_csv(const AimfRunResults *results)
{
    Table table = { .text = g_string_new("method,seed,measure,group,value,low,high,n\n") };
    for (guint m = 0; m < results->n_methods; m++)
        add_method(&table, results, m);
    return g_string_free(table.text, FALSE);
}
