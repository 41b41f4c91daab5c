/* Means over seeds, and what they say about other seeds and other pictures. */
#include <aimfair/seeds.h>

#include "base/monitor.h"
#include "base/random.h"
#include "fair/interval_json.h"
#include "fair/intervals.h"
#include "fair/same_pictures.h"
#include "fair/tally.h"

#include <aimfair/json.h>
#include <math.h>
#include <string.h>

static const double ALPHA = 0.05;
static const AimfInterval UNKNOWN = { NAN, NAN };

void aimf_seeds_free(AimfSeeds *seeds)
{
    if (!seeds)
        return;
    g_free(seeds->groups);
    g_free(seeds->values);
    g_free(seeds);
}

/* What there is of each run: the measures, then the groups' accuracies. */
static guint n_values(const AimfSeeds *seeds)
{
    return AIMF_N_SCALARS + seeds->n_groups;
}

static AimfSeedStatistic *statistic_at(AimfSeeds *seeds, guint index)
{
    return index < AIMF_N_SCALARS ? &seeds->scalars[index] : &seeds->groups[index - AIMF_N_SCALARS];
}

/* --- Over seeds --- */

/* @values: (n), every @stride-th */
static AimfSeedStatistic summarise(const double *values, guint n, gsize stride, gboolean changes)
{
    double mean = 0, squares = 0;
    for (guint r = 0; r < n; r++)
        mean += values[r * stride] / n;
    for (guint r = 0; r < n; r++)
        squares += (values[r * stride] - mean) * (values[r * stride] - mean);
    AimfSeedStatistic s = { mean, n > 1 ? sqrt(squares / (n - 1)) : NAN, UNKNOWN, UNKNOWN, UNKNOWN, NAN };
    if (n < AIMF_LEAST_SEEDS || !(s.deviation > 0)) /* without any, Student's t is undefined */
        return s;
    double error = s.deviation / sqrt(n), reach = aimf_student_critical(ALPHA, n - 1) * error;
    s.over_seeds = (AimfInterval){ mean - reach, mean + reach };
    if (changes)
        s.p = aimf_student_two_sided(mean / error, n - 1);
    return s;
}

/* (owned) the means of the runs' @values and @intervals, (n, values). */
static AimfSeeds *seeds_new(guint n, guint n_groups, gboolean changes, double *values, const AimfInterval *intervals)
{
    AimfSeeds *seeds = g_new0(AimfSeeds, 1);
    seeds->n_runs = n;
    seeds->n_groups = n_groups;
    seeds->changes = changes;
    seeds->values = values;
    seeds->groups = g_new0(AimfSeedStatistic, (gsize)n_groups + 1);
    guint width = n_values(seeds);
    for (guint v = 0; v < width; v++) {
        AimfSeedStatistic *statistic = statistic_at(seeds, v);
        *statistic = summarise(values + v, n, width, changes);
        AimfInterval ends = { 0, 0 };
        for (guint r = 0; r < n; r++) {
            ends.low += intervals[(gsize)r * width + v].low / n;
            ends.high += intervals[(gsize)r * width + v].high / n;
        }
        statistic->over_pictures = isnan(ends.low) || isnan(ends.high) ? UNKNOWN : ends;
    }
    return seeds;
}

static gboolean check_groups(const AimfMeasures *first, const AimfMeasures *other, guint run, GError **error)
{
    gboolean same = aimf_same_groups(first, other);
    if (!same)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "run %u has other groups, groups of other sizes or another positive class than the first", run + 1);
    return same;
}

static gboolean no_runs(GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "there are no runs");
    return FALSE;
}

AimfSeeds *aimf_seeds_of_measures(const AimfMeasures *const *runs, guint n, GError **error)
{
    if (!n && !no_runs(error))
        return NULL;
    guint n_groups = (guint)(runs[0]->n_targets * runs[0]->n_protected), width = AIMF_N_SCALARS + n_groups;
    g_autofree double *values = g_new(double, (gsize)n *width);
    g_autofree AimfInterval *intervals = g_new(AimfInterval, (gsize)n * width);
    for (guint r = 0; r < n; r++) {
        if (!check_groups(runs[0], runs[r], r, error))
            return NULL;
        double *value = values + (gsize)r * width;
        AimfInterval *interval = intervals + (gsize)r * width;
        for (guint i = 0; i < AIMF_N_SCALARS; i++) {
            value[i] = aimf_scalar_at(&runs[r]->scalars, i);
            interval[i] = runs[r]->intervals[i];
        }
        for (guint g = 0; g < n_groups; g++) {
            value[AIMF_N_SCALARS + g] = runs[r]->groups[g].accuracy;
            interval[AIMF_N_SCALARS + g] = runs[r]->groups[g].interval;
        }
    }
    return seeds_new(n, n_groups, FALSE, g_steal_pointer(&values), intervals);
}

AimfSeeds *aimf_seeds_of_comparisons(const AimfComparison *const *pairs, guint n, GError **error)
{
    if (!n && !no_runs(error))
        return NULL;
    guint n_groups = (guint)(pairs[0]->before->n_targets * pairs[0]->before->n_protected);
    guint width = AIMF_N_SCALARS + n_groups;
    g_autofree double *values = g_new(double, (gsize)n *width);
    g_autofree AimfInterval *intervals = g_new(AimfInterval, (gsize)n * width);
    for (guint r = 0; r < n; r++) {
        if (!check_groups(pairs[0]->before, pairs[r]->before, r, error))
            return NULL;
        double *value = values + (gsize)r * width;
        AimfInterval *interval = intervals + (gsize)r * width;
        memcpy(value, pairs[r]->changes, sizeof pairs[r]->changes);
        memcpy(interval, pairs[r]->intervals, sizeof pairs[r]->intervals);
        for (guint g = 0; g < n_groups; g++) {
            const AimfGroupPairs *group = &pairs[r]->groups[g];
            value[AIMF_N_SCALARS + g] =
                group->n ? ((double)group->right_after - (double)group->right_before) / group->n : NAN;
            interval[AIMF_N_SCALARS + g] = group->change;
        }
    }
    return seeds_new(n, n_groups, TRUE, g_steal_pointer(&values), intervals);
}

/* --- Over both --- */

/* The runs' rows in one order, and what counts them. */
typedef struct {
    guint n;
    AimfOrderedRows *rows;
    AimfTally *tallies;
} Runs;

static void runs_clear(Runs *runs)
{
    for (guint r = 0; r < runs->n; r++) {
        aimf_tally_clear(&runs->tallies[r]);
        aimf_ordered_rows_clear(&runs->rows[r]);
    }
    g_free(runs->tallies);
    g_free(runs->rows);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Runs, runs_clear)

/* @side: "", or which of two, for errors */
static gboolean runs_init(Runs *runs, const AimfOutcomes *const *outcomes, guint n, const AimfOutcomes *order,
                          const char *side, GError **error)
{
    *runs = (Runs){ n, g_new0(AimfOrderedRows, n), g_new0(AimfTally, n) };
    for (guint r = 0; r < n; r++) {
        g_autofree char *both = g_strdup_printf("run 1 and run %u%s", r + 1, side);
        g_autofree char *other = g_strdup_printf("in run %u%s", r + 1, side);
        const AimfTwoSets names = { both, "in run 1", other };
        if (!aimf_rows_in_order(&runs->rows[r], outcomes[r], order, &names, error) ||
            !aimf_tally_init(&runs->tallies[r], &runs->rows[r].rows, error))
            return FALSE;
    }
    return TRUE;
}

/* What one thread needs for it. */
typedef struct {
    guint32 *weights, *own, *times; /* of rows, in a tally's order, of runs */
    AimfCounter *counters;          /* one for each tally: they differ in size */
    guint n;
} Scratch;

static void scratch_clear(Scratch *s)
{
    for (guint r = 0; s->counters && r < s->n; r++)
        aimf_counter_clear(&s->counters[r]);
    g_free(s->counters);
    g_free(s->weights);
    g_free(s->own);
    g_free(s->times);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scratch, scratch_clear)

static gboolean scratch_init(Scratch *s, const Runs *after, const Runs *before)
{
    guint rows = after->tallies[0].n;
    *s = (Scratch){ g_try_new(guint32, rows), g_try_new(guint32, rows), g_try_new(guint32, after->n),
                    g_try_new0(AimfCounter, (gsize)after->n + before->n), after->n + before->n };
    gboolean able = s->weights && s->own && s->times && s->counters;
    for (guint r = 0; able && r < s->n; r++)
        able = aimf_counter_init(&s->counters[r], r < after->n ? &after->tallies[r] : &before->tallies[r - after->n]);
    return able;
}

/* Adds @weight times the values of what @tally counts by the scratch's rows. */
static void add_run(const AimfTally *tally, Scratch *s, AimfCounter *counter, double weight, double *sums,
                    guint n_groups)
{
    aimf_tally_count_in_order(tally, s->weights, s->own, counter);
    AimfScalars scalars = aimf_scalars_of_counts(&counter->counts);
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        sums[i] += weight * aimf_scalar_at(&scalars, i);
    for (guint g = 0; g < n_groups; g++) {
        const AimfCell *cell = &counter->counts.cells[g];
        sums[AIMF_N_SCALARS + g] += cell->n ? weight * (double)cell->correct / (double)cell->n : NAN;
    }
}

static void resample(const Runs *after, const Runs *before, guint64 seed, guint index, Scratch *s, double *sums,
                     guint n_groups)
{
    AimfRandom random = aimf_random_at(seed, AIMF_STREAM_RUNS, index);
    memset(s->times, 0, sizeof *s->times * after->n);
    for (guint r = 0; r < after->n; r++)
        s->times[aimf_random_below(&random, after->n)]++;
    aimf_draw_rows(seed, index, after->tallies[0].n, s->weights);
    for (guint r = 0; r < after->n; r++) {
        double weight = (double)s->times[r] / after->n;
        if (!s->times[r])
            continue;
        add_run(&after->tallies[r], s, &s->counters[r], weight, sums, n_groups);
        if (before->n)
            add_run(&before->tallies[r], s, &s->counters[after->n + r], -weight, sums, n_groups);
    }
}

static gboolean resample_all(const AimfSeeds *seeds, const Runs *after, const Runs *before, guint resamples,
                             guint64 seed, double *sums, const AimfMonitor *monitor)
{
    gboolean enough = TRUE;
    guint width = n_values(seeds);
#pragma omp parallel
    {
        g_auto(Scratch) scratch = { 0 };
        gboolean able = scratch_init(&scratch, after, before);
        if (!able) {
#pragma omp atomic write
            enough = FALSE;
        }
#pragma omp for schedule(static)
        for (guint i = 0; i < resamples; i++)
            if (able && !(monitor && monitor->stop && *monitor->stop))
                resample(after, before, seed, i, &scratch, sums + (gsize)i * width, seeds->n_groups);
    }
    return enough;
}

/*
 * Of few runs, resamples vary less than other runs would: by (n - 1) / n, and as if their deviation were known. So the
 * percentiles' distances from the mean are made longer, as Student's t is than the normal distribution.
 */
static AimfInterval widen(AimfInterval percentiles, double mean, guint n_runs)
{
    double factor =
        aimf_student_critical(ALPHA, n_runs - 1) / aimf_normal_quantile(1 - ALPHA / 2) * sqrt(n_runs / (n_runs - 1.0));
    return (AimfInterval){ mean - factor * (mean - percentiles.low), mean + factor * (percentiles.high - mean) };
}

gboolean aimf_seeds_resample(AimfSeeds *seeds, const AimfOutcomes *const *outcomes, const AimfOutcomes *const *before,
                             guint resamples, guint64 seed, const AimfMonitor *monitor, GError **error)
{
    g_auto(Runs) after = { 0 }, earlier = { 0 };
    if (!runs_init(&after, outcomes, seeds->n_runs, outcomes[0], "", error) ||
        (before && !runs_init(&earlier, before, seeds->n_runs, outcomes[0], " before", error)))
        return FALSE;
    if (seeds->n_runs < AIMF_LEAST_SEEDS || !resamples)
        return TRUE;
    guint width = n_values(seeds);
    g_autofree double *sums = g_try_new0(double, (gsize)resamples *width);
    g_autofree double *column = g_try_new(double, resamples);
    if (!sums || !column || !resample_all(seeds, &after, &earlier, resamples, seed, sums, monitor)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for %u resamples of %u runs", resamples,
                    seeds->n_runs);
        return FALSE;
    }
    if (!aimf_check_stop(monitor, "the bootstrap", error))
        return FALSE;
    for (guint v = 0; v < width; v++) {
        AimfSeedStatistic *statistic = statistic_at(seeds, v);
        for (guint i = 0; i < resamples; i++)
            column[i] = sums[(gsize)i * width + v];
        statistic->over_both = isnan(statistic->mean)
                                   ? UNKNOWN
                                   : widen(aimf_percentiles(column, resamples), statistic->mean, seeds->n_runs);
    }
    return TRUE;
}

/* --- JSON --- */

static JsonObject *statistic_object(const AimfSeeds *seeds, guint index)
{
    const AimfSeedStatistic *s =
        index < AIMF_N_SCALARS ? &seeds->scalars[index] : &seeds->groups[index - AIMF_N_SCALARS];
    JsonObject *object = json_object_new();
    JsonArray *values = json_array_new();
    for (guint r = 0; r < seeds->n_runs; r++)
        json_array_add_double_element(values, seeds->values[(gsize)r * n_values(seeds) + index]);
    json_object_set_array_member(object, "values", values);
    json_object_set_double_member(object, "mean", s->mean);
    json_object_set_double_member(object, "deviation", s->deviation);
    aimf_json_set_interval(object, "over_seeds", s->over_seeds);
    aimf_json_set_interval(object, "over_pictures", s->over_pictures);
    aimf_json_set_interval(object, "over_both", s->over_both);
    if (seeds->changes)
        json_object_set_double_member(object, "p", s->p);
    return object;
}

char *aimf_seeds_json(const AimfSeeds *seeds, char *const *labels)
{
    JsonArray *array = json_array_new();
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_ARRAY);
    json_node_take_array(root, array);
    guint n_labels = g_strv_length((char **)labels);
    for (guint i = 0; i < n_values(seeds); i++) {
        gboolean group = i >= AIMF_N_SCALARS;
        if (isnan(group ? seeds->groups[i - AIMF_N_SCALARS].mean : seeds->scalars[i].mean))
            continue;
        JsonObject *object = statistic_object(seeds, i);
        if (group) {
            json_object_set_int_member(object, "target", (gint64)((i - AIMF_N_SCALARS) / n_labels));
            json_object_set_string_member(object, "protected", labels[(i - AIMF_N_SCALARS) % n_labels]);
        } else {
            json_object_set_string_member(object, "measure", aimf_scalar_name(i));
        }
        json_array_add_object_element(array, object);
    }
    return aimf_json_write(root, TRUE);
}
