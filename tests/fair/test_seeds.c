/* Means over seeds: against SciPy's t tests, and the bootstrap of both against samples that are really drawn. */
#include "base/random.h"
#include "fair/support_golden.h"
#include "fair/tally.h"

#include <aimfair/json.h>
#include <aimfair/seeds.h>
#include <math.h>
#include <string.h>

enum { N = 48, RUNS = 6, RESAMPLES = 60 };

static const char *const LABELS[] = { "a", "b", NULL };

/* (owned) answers that a run of @seed gave; its rows begin at @first, which its paths undo. */
static AimfOutcomes *outcomes_new(guint64 seed, double accuracy, guint first)
{
    AimfOutcomes *outcomes = g_new0(AimfOutcomes, 1);
    AimfRandom random = aimf_random_at(seed, AIMF_STREAM_TEST, 0);
    outcomes->n = N;
    outcomes->n_targets = outcomes->n_protected = 2;
    outcomes->positive = 1;
    outcomes->threshold = NAN;
    outcomes->labels = g_strdupv((char **)LABELS);
    outcomes->paths = g_new0(char *, N + 1);
    outcomes->target = g_new(int, N);
    outcomes->group = g_new(int, N);
    outcomes->prediction = g_new(int, N);
    outcomes->logit = g_new(double, N);
    for (guint i = 0; i < N; i++) {
        guint row = (i + N - first) % N; /* where picture i stands */
        outcomes->paths[row] = g_strdup_printf("%u.png", i);
        outcomes->target[row] = i % 2;
        outcomes->group[row] = i / 2 % 2;
        double logit = (aimf_random_uniform(&random) < accuracy ? 1 : -1) * (0.1 + aimf_random_uniform(&random));
        outcomes->logit[row] = outcomes->target[row] ? logit : -logit;
        outcomes->prediction[row] = outcomes->logit[row] >= 0;
    }
    return outcomes;
}

static void free_all(AimfOutcomes **outcomes)
{
    for (guint r = 0; r < RUNS; r++)
        aimf_outcomes_free(outcomes[r]);
}

static void fill(AimfOutcomes **outcomes, guint64 seed, double accuracy)
{
    for (guint r = 0; r < RUNS; r++)
        outcomes[r] = outcomes_new(seed + r, accuracy, r * 7);
}

/* --- Over seeds --- */

static void test_golden(void)
{
    g_autoptr(JsonParser) golden = golden_open_file("intervals.json");
    JsonArray *cases = golden_array(golden, "seeds");
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        JsonObject *object = json_array_get_object_element(cases, i);
        g_autofree double *changes = golden_doubles(object, "changes"), *ends = golden_doubles(object, "interval");
        guint n = json_array_get_length(json_object_get_array_member(object, "changes"));
        AimfMeasures sides[2] = { { .n_targets = 2, .n_protected = 1 }, { .n_targets = 2, .n_protected = 1 } };
        AimfGroupMeasure groups[2] = { { .n = 10 }, { .n = 10 } };
        AimfGroupPairs pairs[2] = { { .n = 10 }, { .n = 10 } };
        sides[0].groups = sides[1].groups = groups;
        g_autofree AimfComparison *comparisons = g_new0(AimfComparison, n);
        g_autofree const AimfComparison **all = g_new0(const AimfComparison *, n);
        for (guint r = 0; r < n; r++) {
            comparisons[r] = (AimfComparison){ .before = &sides[0], .after = &sides[1], .groups = pairs };
            comparisons[r].changes[0] = changes[r];
            comparisons[r].intervals[0] = (AimfInterval){ changes[r] - 0.1, changes[r] + 0.2 };
            all[r] = &comparisons[r];
        }
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfSeeds) seeds = aimf_seeds_of_comparisons(all, n, &error);
        g_assert_no_error(error);
        const AimfSeedStatistic *s = &seeds->scalars[0];
        double mean = json_object_get_double_member(object, "mean");
        assert_close(s->mean, mean, 1e-15, "mean");
        assert_close(s->deviation, json_object_get_double_member(object, "deviation"), 1e-15, "deviation");
        assert_close(s->over_pictures.low, mean - 0.1, 1e-15, "mean of the ends");
        assert_close(s->over_pictures.high, mean + 0.2, 1e-15, "mean of the ends");
        g_assert_true(isnan(s->over_seeds.low) == (n < AIMF_LEAST_SEEDS));
        if (n >= AIMF_LEAST_SEEDS) {
            assert_close(s->over_seeds.low, ends[0], 1e-12, "t interval");
            assert_close(s->over_seeds.high, ends[1], 1e-12, "t interval");
            assert_close(s->p, json_object_get_double_member(object, "p"), 1e-12, "paired t test");
        }
        /* Of what is always the same there is no t. */
        g_assert_cmpfloat(seeds->scalars[1].mean, ==, 0);
        g_assert_cmpfloat(seeds->scalars[1].deviation, ==, 0);
        g_assert_true(isnan(seeds->scalars[1].p) && isnan(seeds->scalars[1].over_seeds.low));
    }
}

static void test_measures(void)
{
    AimfOutcomes *outcomes[RUNS];
    const AimfMeasures *measures[RUNS];
    fill(outcomes, 1, 0.8);
    for (guint r = 0; r < RUNS; r++)
        measures[r] = aimf_outcomes_measure(outcomes[r], 0, 0, NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfSeeds) seeds = aimf_seeds_of_measures(measures, RUNS, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(seeds->n_groups, ==, 4);
    double low = 0, mean = 0, group = 0;
    for (guint r = 0; r < RUNS; r++) {
        mean += measures[r]->scalars.worst_group_accuracy / RUNS;
        low += measures[r]->intervals[1].low / RUNS;
        group += measures[r]->groups[3].accuracy / RUNS;
    }
    assert_close(seeds->scalars[1].mean, mean, 1e-15, "WST");
    assert_close(seeds->scalars[1].over_pictures.low, low, 1e-15, "WST, pictures");
    assert_close(seeds->groups[3].mean, group, 1e-15, "a group");
    g_assert_true(isnan(seeds->scalars[0].p) && isnan(seeds->scalars[0].over_both.low));
    g_assert_true(isnan(seeds->scalars[2].over_pictures.low)); /* STD without resamples */
    g_autofree char *text = aimf_seeds_json(seeds, (char **)LABELS);
    g_autoptr(JsonNode) root = json_from_string(text, NULL);
    g_assert_nonnull(root);
    JsonObject *last =
        json_array_get_object_element(json_node_get_array(root), json_array_get_length(json_node_get_array(root)) - 1);
    g_assert_cmpstr(json_object_get_string_member(last, "protected"), ==, "b");
    g_assert_cmpint(json_object_get_int_member(last, "target"), ==, 1);
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(last, "values")), ==, RUNS);
    for (guint r = 0; r < RUNS; r++)
        aimf_measures_free((AimfMeasures *)measures[r]);
    free_all(outcomes);
}

/* --- Over both --- */

/* Rows of picture @i in every run. */
static guint row_of(const AimfOutcomes *outcomes, guint picture)
{
    for (guint row = 0; row < N; row++)
        if ((guint)g_ascii_strtoull(outcomes->paths[row], NULL, 10) == picture)
            return row;
    g_assert_not_reached();
}

/* The measures of pictures that were drawn, each as often as it was: really that many rows. */
static AimfScalars measure_drawn(const AimfOutcomes *outcomes, const AimfOutcomes *order, const guint32 *weights)
{
    int target[N], group[N], prediction[N];
    double score[N];
    guint n = 0;
    for (guint row = 0; row < N; row++) {
        guint own = row_of(outcomes, (guint)g_ascii_strtoull(order->paths[row], NULL, 10));
        for (guint32 k = 0; k < weights[row]; k++, n++) {
            target[n] = outcomes->target[own];
            group[n] = outcomes->group[own];
            prediction[n] = outcomes->prediction[own];
            score[n] = outcomes->logit[own];
        }
    }
    g_assert_cmpuint(n, ==, N);
    g_autoptr(AimfMeasures) measures = aimf_measure(N, target, prediction, score, group, 2, 2, 0, 0, NULL, NULL);
    return measures->scalars;
}

static void test_both(void)
{
    enum { SEED = 5 };
    AimfOutcomes *after[RUNS], *before[RUNS];
    const AimfComparison *pairs[RUNS];
    fill(after, 100, 0.85);
    fill(before, 200, 0.75);
    g_autoptr(GError) error = NULL;
    for (guint r = 0; r < RUNS; r++)
        pairs[r] = aimf_compare_outcomes(before[r], after[r], 0, 0, NULL, NULL);
    g_autoptr(AimfSeeds) seeds = aimf_seeds_of_comparisons(pairs, RUNS, &error);
    g_assert_true(aimf_seeds_resample(seeds, (const AimfOutcomes *const *)after, (const AimfOutcomes *const *)before,
                                      RESAMPLES, SEED, NULL, &error));
    g_assert_no_error(error);
    const guint checked[] = { 0, 1, 3, 4, 9 }; /* accuracy, WST, balanced, EO, AUC */
    double drawn[G_N_ELEMENTS(checked)][RESAMPLES];
    for (guint i = 0; i < RESAMPLES; i++) {
        guint32 weights[N];
        AimfRandom random = aimf_random_at(SEED, AIMF_STREAM_RUNS, i);
        guint chosen[RUNS];
        for (guint r = 0; r < RUNS; r++)
            chosen[r] = (guint)aimf_random_below(&random, RUNS);
        aimf_draw_rows(SEED, i, N, weights);
        for (guint c = 0; c < G_N_ELEMENTS(checked); c++)
            drawn[c][i] = 0;
        for (guint r = 0; r < RUNS; r++) {
            AimfScalars a = measure_drawn(after[chosen[r]], after[0], weights);
            AimfScalars b = measure_drawn(before[chosen[r]], after[0], weights);
            for (guint c = 0; c < G_N_ELEMENTS(checked); c++)
                drawn[c][i] += (aimf_scalar_at(&a, checked[c]) - aimf_scalar_at(&b, checked[c])) / RUNS;
        }
    }
    for (guint c = 0; c < G_N_ELEMENTS(checked); c++) {
        const AimfSeedStatistic *s = &seeds->scalars[checked[c]];
        AimfInterval expected = aimf_percentiles(drawn[c], RESAMPLES), found = s->over_both;
        const double wider = 2.570581835636314 / 1.959963984540054 * sqrt(6.0 / 5); /* t of 5 degrees of freedom */
        expected.low = s->mean + wider * (expected.low - s->mean);
        expected.high = s->mean + wider * (expected.high - s->mean);
        assert_close(found.low, expected.low, 1e-12, aimf_scalar_name(checked[c]));
        assert_close(found.high, expected.high, 1e-12, aimf_scalar_name(checked[c]));
        g_assert_cmpfloat(found.low, <, found.high);
    }
    g_assert_true(!isnan(seeds->groups[0].over_both.low));
    for (guint r = 0; r < RUNS; r++)
        aimf_comparison_free((AimfComparison *)pairs[r]);
    free_all(after);
    free_all(before);
}

static void test_refused(void)
{
    AimfOutcomes *runs[RUNS];
    const AimfMeasures *measures[2];
    fill(runs, 1, 0.8);
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_seeds_of_measures(NULL, 0, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_clear_error(&error);
    for (guint r = 0; r < 2; r++)
        measures[r] = aimf_outcomes_measure(runs[r], 0, 0, NULL, NULL);
    g_autoptr(AimfSeeds) seeds = aimf_seeds_of_measures(measures, 2, NULL);
    /* The same composition, but another picture. */
    g_free(runs[1]->paths[3]);
    runs[1]->paths[3] = g_strdup("other.png");
    g_assert_false(aimf_seeds_resample(seeds, (const AimfOutcomes *const *)runs, NULL, 10, 1, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "run 1 and run 2 are not of the same test set: the picture"));
    g_clear_error(&error);
    const AimfOutcomes *const first[] = { runs[0], runs[2] }, *const before[] = { runs[0], runs[1] };
    g_assert_false(aimf_seeds_resample(seeds, first, before, 10, 1, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "run 1 and run 2 before are not of the same test set: the picture"));
    g_clear_error(&error);
    ((AimfMeasures *)measures[1])->groups[0].n++;
    g_assert_null(aimf_seeds_of_measures(measures, 2, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    for (guint r = 0; r < 2; r++)
        aimf_measures_free((AimfMeasures *)measures[r]);
    free_all(runs);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/seeds/golden", test_golden);
    g_test_add_func("/seeds/measures", test_measures);
    g_test_add_func("/seeds/both", test_both);
    g_test_add_func("/seeds/refused", test_refused);
    return g_test_run();
}
