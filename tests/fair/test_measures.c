/* Measures against scikit-learn, fairlearn and the paper's definitions in NumPy. */
#include "fair/support_golden.h"
#include "fair/tally.h"

#include <math.h>
#include <omp.h>
#include <string.h>

/* Both sides sum a few hundred ratios in f64. */
static const double TOLERANCE = 1e-12;

typedef struct {
    JsonObject *json;
    guint n;
    int n_targets, n_protected;
    int *target, *prediction, *group;
    double *score, *probability, *class_probability;
} Case;

static void case_clear(Case *c)
{
    g_free(c->target);
    g_free(c->prediction);
    g_free(c->group);
    g_free(c->score);
    g_free(c->probability);
    g_free(c->class_probability);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Case, case_clear)

static Case case_read(JsonObject *json)
{
    return (Case){
        .json = json,
        .n = json_array_get_length(json_object_get_array_member(json, "target")),
        .n_targets = (int)json_object_get_int_member(json, "n_targets"),
        .n_protected = (int)json_object_get_int_member(json, "n_protected"),
        .target = golden_ints(json, "target"),
        .prediction = golden_ints(json, "prediction"),
        .group = golden_ints(json, "group"),
        .score = golden_doubles(json, "score"),
        .probability = golden_doubles(json, "probability"),
        .class_probability = golden_doubles(json, "class_probability"),
    };
}

static AimfMeasures *case_measure(const Case *c, guint resamples, guint64 seed)
{
    g_autoptr(GError) error = NULL;
    const AimfOutcomes outcomes = {
        .n = c->n,
        .n_targets = c->n_targets,
        .n_protected = c->n_protected,
        .target = c->target,
        .group = c->group,
        .prediction = c->prediction,
        .logit = c->score,
        .probability = c->probability,
        .class_probability = c->class_probability,
        .positive = c->n_targets == 2 ? 1 : -1,
    };
    AimfMeasures *measures = aimf_outcomes_measure(&outcomes, resamples, seed, NULL, &error);
    g_assert_no_error(error);
    return measures;
}

static void check_labels(const AimfProtectedMeasure *labels, JsonArray *expected)
{
    for (guint g = 0; g < json_array_get_length(expected); g++) {
        JsonArray *numbers = json_array_get_array_element(expected, g);
        g_assert_cmpuint(json_array_get_length(numbers), ==, AIMF_N_GROUP_MEASURES);
        g_assert_cmpuint((guint)labels[g].group, ==, g);
        for (guint i = 0; i < AIMF_N_GROUP_MEASURES; i++)
            assert_close(aimf_group_measure_at(&labels[g], i), golden_double(numbers, i), TOLERANCE,
                         aimf_group_measure_name(i));
    }
}

static void check_classes(const AimfMeasures *measures, const Case *c)
{
    const guint first = G_STRUCT_OFFSET(AimfScalars, positive) / sizeof(double);
    JsonArray *classes = json_object_get_array_member(c->json, "classes");
    g_assert_true((json_array_get_length(classes) > 0) == (measures->classes != NULL));
    for (guint k = 0; k < json_array_get_length(classes); k++) {
        JsonObject *class = json_array_get_object_element(classes, k);
        JsonArray *scalars = json_object_get_array_member(class, "scalars");
        const AimfScalars found = { .positive = measures->classes[k].scalars };
        g_assert_cmpuint(json_array_get_length(scalars), ==, AIMF_N_CLASS_SCALARS);
        for (guint i = 0; i < AIMF_N_CLASS_SCALARS; i++)
            assert_close(aimf_scalar_at(&found, first + i), golden_double(scalars, i), TOLERANCE,
                         aimf_scalar_name(first + i));
        check_labels(measures->classes[k].groups, json_object_get_array_member(class, "protected"));
    }
}

static void check_groups(const AimfMeasures *measures, const Case *c)
{
    JsonArray *groups = json_object_get_array_member(c->json, "groups");
    JsonArray *labels = json_object_get_array_member(c->json, "protected");
    guint counted = 0;
    for (int target = 0; target < c->n_targets; target++) {
        JsonArray *row = json_array_get_array_element(groups, (guint)target);
        for (int group = 0; group < c->n_protected; group++) {
            const AimfGroupMeasure *found = &measures->groups[target * c->n_protected + group];
            g_assert_cmpint(found->target, ==, target);
            g_assert_cmpint(found->group, ==, group);
            assert_close(found->accuracy, golden_double(row, (guint)group), TOLERANCE, "group accuracy");
            g_assert_true(isnan(found->accuracy) == (found->n == 0));
            counted += found->n;
        }
    }
    g_assert_cmpuint(counted, ==, c->n);
    check_labels(measures->protected_groups, labels);
    check_classes(measures, c);
}

/* The bootstrap of every measure, also where an interval that holds takes its place. */
static void check_bootstrap(const Case *c)
{
    /* Five standard errors of a percentile of 2000 resamples, and two steps of the finest share there is. */
    const AimfRows rows = {
        .n = c->n,
        .n_targets = c->n_targets,
        .n_protected = c->n_protected,
        .positive = c->n_targets == 2 ? 1 : -1,
        .target = c->target,
        .prediction = c->prediction,
        .group = c->group,
        .score = c->score ? c->score : c->probability,
        .probability = c->probability,
        .class_probability = c->class_probability,
    };
    g_autoptr(GError) error = NULL;
    g_auto(AimfTally) tally = { 0 };
    AimfInterval found[AIMF_N_SCALARS];
    g_assert_true(aimf_tally_init(&tally, &rows, &error));
    g_assert_true(aimf_bootstrap(&tally, 2000, 1, found, NULL, &error));
    JsonArray *intervals = json_object_get_array_member(c->json, "intervals");
    JsonArray *errors = json_object_get_array_member(c->json, "errors");
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        JsonArray *expected = json_array_get_array_element(intervals, i);
        JsonArray *deviation = json_array_get_array_element(errors, i);
        double step = 2.0 / c->n;
        assert_close(found[i].low, golden_double(expected, 0), 5 * golden_double(deviation, 0) + step,
                     aimf_scalar_name(i));
        assert_close(found[i].high, golden_double(expected, 1), 5 * golden_double(deviation, 1) + step,
                     aimf_scalar_name(i));
    }
}

static void test_goldens(void)
{
    g_autoptr(JsonParser) golden = golden_open();
    JsonArray *cases = golden_array(golden, "measures");
    guint with_intervals = 0;
    g_assert_cmpuint(json_array_get_length(cases), ==, 12);
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        g_auto(Case) c = case_read(json_array_get_object_element(cases, i));
        g_test_message("case %s", json_object_get_string_member(c.json, "name"));
        g_autoptr(AimfMeasures) measures = case_measure(&c, 0, 0);
        JsonArray *scalars = json_object_get_array_member(c.json, "scalars");
        g_assert_cmpuint(json_array_get_length(scalars), ==, AIMF_N_SCALARS);
        for (guint s = 0; s < AIMF_N_SCALARS; s++) {
            assert_close(aimf_scalar_at(&measures->scalars, s), golden_double(scalars, s), TOLERANCE,
                         aimf_scalar_name(s));
            gboolean bootstrapped =
                g_str_has_prefix(aimf_scalar_name(s), "std_") || strstr(aimf_scalar_name(s), "calibration") != NULL;
            g_assert_true(isnan(measures->intervals[s].low) == (bootstrapped || isnan(golden_double(scalars, s))));
            g_assert_true(isnan(measures->intervals[s].low) == (measures->methods[s] == NULL));
        }
        check_groups(measures, &c);
        if (json_object_has_member(c.json, "intervals")) {
            check_bootstrap(&c);
            with_intervals++;
        }
    }
    g_assert_cmpuint(with_intervals, ==, 2);
}

static void test_bootstrap_reproducible(void)
{
    g_autoptr(JsonParser) golden = golden_open();
    g_auto(Case) c = case_read(json_array_get_object_element(golden_array(golden, "measures"), 1));
    int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    g_autoptr(AimfMeasures) one = case_measure(&c, 333, 7);
    omp_set_num_threads(3);
    g_autoptr(AimfMeasures) three = case_measure(&c, 333, 7);
    g_autoptr(AimfMeasures) other_seed = case_measure(&c, 333, 8);
    omp_set_num_threads(threads);
    g_assert_cmpint(memcmp(one->intervals, three->intervals, sizeof one->intervals), ==, 0);
    g_assert_cmpint(memcmp(one->intervals, other_seed->intervals, sizeof one->intervals), !=, 0);
}

/* Six right answers of six are no proof; where a measure is unknown so is its interval. */
static void test_always_right(void)
{
    const int target[] = { 0, 1, 0, 1, 1, 1 }, group[] = { 0, 0, 0, 0, 0, 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfMeasures) measures = aimf_measure(6, target, target, NULL, group, 2, 1, 200, 1, NULL, &error);
    g_assert_no_error(error);
    assert_close(measures->intervals[0].low, 6 / (6 + 3.841458820694124), 1e-12, "Wilson's lower end of 6 in 6");
    g_assert_cmpfloat(measures->intervals[0].high, ==, 1);
    g_assert_cmpfloat(measures->intervals[2].high, ==, 0); /* a deviation that no resample has */
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        g_assert_true(isnan(aimf_scalar_at(&measures->scalars, i)) == isnan(measures->intervals[i].low));
}

static void test_rejects(void)
{
    static const struct {
        guint n;
        int target, prediction, group, n_targets, n_protected;
        double score;
        guint resamples;
        const char *message;
    } cases[] = {
        { 0, 0, 0, 0, 2, 1, 0, 0, "from 1 to" },
        { 1, 2, 0, 0, 2, 1, 0, 0, "its target is 2" },
        { 1, -1, 0, 0, 2, 1, 0, 0, "its target is -1" },
        { 1, 0, 2, 0, 2, 1, 0, 0, "its prediction is 2" },
        { 1, 0, 0, 1, 2, 1, 0, 0, "its protected group is 1; it must be from 0 to 0" },
        { 1, 0, 0, 0, 2, 1, NAN, 0, "not a number" },
        { 1, 0, 0, 0, 1, 1, 0, 0, "1 classes" },
        { 1, 0, 0, 0, 2, 0, 0, 0, "0 protected labels" },
        { 1, 0, 0, 0, G_MAXINT, G_MAXINT, 0, 0, "at most" },
        { 1, 0, 0, 0, 2, 1, 0, AIMF_MAX_RESAMPLES + 1, "resamples" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(aimf_measure(cases[i].n, &cases[i].target, &cases[i].prediction, &cases[i].score, &cases[i].group,
                                   cases[i].n_targets, cases[i].n_protected, cases[i].resamples, 0, NULL, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
}

/* Probabilities at the edges of bins: 0.2 is in the third of the fifteen, (2/15, 3/15]. */
static void test_calibration_edges(void)
{
    int target[] = { 1, 0, 1, 0, 1, 0 }, group[] = { 0, 0, 0, 0, 0, 0 }, prediction[] = { 0, 0, 1, 1, 1, 0 };
    double probability[] = { 0.2, 0.19, 0.6, 0.61, 1, 0 };
    const AimfOutcomes outcomes = {
        .n = 6,
        .n_targets = 2,
        .n_protected = 1,
        .target = target,
        .group = group,
        .prediction = prediction,
        .probability = probability,
        .positive = 1,
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfMeasures) measures = aimf_outcomes_measure(&outcomes, 0, 0, NULL, &error);
    g_assert_no_error(error);
    /* Bins: {0.2, 0.19}, one of two right; {0.6}, one of one; {0.61}, none; 1 and 0 are as they say. */
    double expected = (fabs(0.39 - 1) + fabs(0.6 - 1) + 0.61) / 6;
    assert_close(measures->scalars.calibration_error, expected, TOLERANCE, "calibration error");
    assert_close(measures->protected_groups[0].calibration_error, expected, TOLERANCE, "of the label");
    g_assert_true(isnan(measures->scalars.calibration_error_gap));
}

/* Who the positive class is turns TPR into TNR and nothing else about it. */
static void test_positive(void)
{
    int target[] = { 0, 0, 0, 1, 1, 0, 0, 1, 1, 1 }, group[] = { 0, 0, 0, 0, 0, 1, 1, 1, 1, 1 };
    int prediction[] = { 0, 0, 1, 1, 0, 0, 1, 1, 1, 1 };
    double logit[] = { -1, -2, 1, 2, -0.5, -3, 0.5, 1, 2, 3 };
    AimfOutcomes outcomes = {
        .n = 10,
        .n_targets = 2,
        .n_protected = 2,
        .target = target,
        .group = group,
        .prediction = prediction,
        .logit = logit,
        .positive = 1,
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfMeasures) one = aimf_outcomes_measure(&outcomes, 0, 0, NULL, &error);
    outcomes.positive = 0;
    g_autoptr(AimfMeasures) zero = aimf_outcomes_measure(&outcomes, 0, 0, NULL, &error);
    g_assert_no_error(error);
    for (int g = 0; g < 2; g++) {
        g_assert_cmpfloat(one->protected_groups[g].tpr, ==, zero->protected_groups[g].tnr);
        g_assert_cmpfloat(one->protected_groups[g].fnr, ==, zero->protected_groups[g].fpr);
        g_assert_cmpfloat(one->protected_groups[g].auc, ==, zero->protected_groups[g].auc);
        g_assert_cmpfloat(one->protected_groups[g].accuracy, ==, zero->protected_groups[g].accuracy);
    }
    g_assert_cmpfloat(one->scalars.equal_opportunity, ==, 0.5);
    assert_close(zero->scalars.equal_opportunity, 2.0 / 3 - 0.5, 1e-15, "TNR gap");
    assert_close(one->scalars.demographic_parity_ratio, 0.4 / 0.8, 1e-15, "ratio of selection");
    assert_close(zero->scalars.demographic_parity_ratio, 0.2 / 0.6, 1e-15, "ratio of those not selected");
    g_assert_cmpfloat(one->scalars.auc, ==, zero->scalars.auc);
    outcomes.positive = 2;
    g_assert_null(aimf_outcomes_measure(&outcomes, 0, 0, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "the positive class is 2"));
}

/* A perfect classifier has FPR 0 for every label: no ratio, and no reason to call it unfair. */
static void test_ratios_of_nothing(void)
{
    const int target[] = { 0, 1, 0, 1 }, group[] = { 0, 0, 1, 1 }, nobody[] = { 0, 0, 0, 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfMeasures) perfect = aimf_measure(4, target, target, NULL, group, 2, 2, 0, 0, NULL, &error);
    g_autoptr(AimfMeasures) never = aimf_measure(4, target, nobody, NULL, group, 2, 2, 0, 0, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat(perfect->scalars.equalized_odds_ratio, ==, 1);
    g_assert_cmpfloat(perfect->scalars.demographic_parity_ratio, ==, 1);
    g_assert_true(isnan(never->scalars.equalized_odds_ratio) && isnan(never->scalars.demographic_parity_ratio));
    g_assert_true(isnan(never->scalars.precision_gap)); /* of nobody, no share is right */
    g_assert_cmpfloat(never->scalars.false_negative_rate_gap, ==, 0);
}

/* Two seeds that fail on opposite groups: averaged first, as the paper does, the worst group is at 0.5, not at 0. */
static void test_average(void)
{
    const int target[] = { 0, 0, 1, 1 }, group[] = { 0, 1, 0, 1 };
    const int first[] = { 1, 0, 1, 1 }, second[] = { 0, 0, 1, 0 };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfMeasures) a = aimf_measure(4, target, first, NULL, group, 2, 2, 0, 0, NULL, &error);
    g_autoptr(AimfMeasures) b = aimf_measure(4, target, second, NULL, group, 2, 2, 0, 0, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat(a->scalars.worst_group_accuracy, ==, 0);
    g_assert_cmpfloat(b->scalars.worst_group_accuracy, ==, 0);
    g_autoptr(AimfMeasures) mean = aimf_measures_average((const AimfMeasures *const[]){ a, b }, 2, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat(mean->scalars.worst_group_accuracy, ==, 0.5);
    g_assert_cmpfloat(mean->scalars.std_group_accuracy, ==, 0.25); /* of 0.5, 1, 1, 0.5 */
    g_assert_cmpfloat(mean->scalars.accuracy, ==, 0.75);
    g_assert_cmpfloat(mean->scalars.equalized_odds_mean, ==, 0.5); /* both runs */
    g_assert_true(isnan(mean->scalars.auc));
    g_assert_cmpfloat(mean->intervals[1].high, ==, 0); /* the runs' own worst groups */
    g_assert_cmpfloat(mean->groups[3].accuracy, ==, 0.5);
    g_assert_cmpuint(mean->groups[3].n, ==, 1);

    g_autoptr(AimfMeasures) other = aimf_measure(3, target, first, NULL, group, 2, 2, 0, 0, NULL, &error);
    g_assert_null(aimf_measures_average((const AimfMeasures *const[]){ a, other }, 2, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(aimf_measures_average(NULL, 0, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
}

static void test_gates(void)
{
    static const struct {
        const char *text;
        gboolean met;
    } good[] = {
        { "worst_group_accuracy>=0.7", TRUE },
        { "worst_group_accuracy>0.7", FALSE },
        { "worst_group_accuracy > 0.69", TRUE },
        { " worst_group_accuracy <= 0.7 ", TRUE },
        { "worst_group_accuracy<0.7", FALSE },
        { "worst_group_accuracy>=0.71", FALSE },
        { "equalized_odds<=0.1", TRUE },
        { "equalized_odds.mean<=0.1", TRUE },
        { "equalized_odds.sum<=0.1", FALSE },
        { "auc>=0", FALSE },
        { "auc<=1", FALSE },
        { "demographic_parity_ratio>=0.8", TRUE },
        { "equalized_odds_ratio>=0.8", FALSE },
        { "calibration_error_gap<0.05", TRUE },
        { "macro.equalized_odds<=0.2", TRUE },
        { "macro.equalized_odds.mean<0.2", FALSE },
        { "worst.auc>=0.6", TRUE },
    };
    static const char *const bad[] = {
        "",
        ">=0.7",
        "accuracy",
        "accuracy=0.7",
        "accuracy>=",
        "wst>=0.7",
        "accuracy>=0x",
        "accuracy>=nan",
        "accuracy>=0.7,",
        "accuracy>==0.7",
        "macro.accuracy>=0",
        "macro.>=0",
    };
    AimfScalars scalars = {
        .worst_group_accuracy = 0.7,
        .equalized_odds_mean = 0.1,
        .equalized_odds_sum = 0.2,
        .auc = NAN,
        .demographic_parity_ratio = 0.8,
        .equalized_odds_ratio = 0.79,
        .calibration_error_gap = 0.04,
        .macro = { .equalized_odds_mean = 0.2 },
        .worst = { .auc = 0.6 },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        AimfGate gate;
        g_autoptr(GError) error = NULL;
        g_test_message("%s", good[i].text);
        g_assert_true(aimf_gate_parse(good[i].text, FALSE, &gate, &error));
        g_assert_no_error(error);
        g_assert_cmpint(aimf_gate_met(&gate, aimf_scalar_at(&scalars, gate.scalar)), ==, good[i].met);
        aimf_gate_clear(&gate);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        AimfGate gate;
        g_autoptr(GError) error = NULL;
        g_test_message("%s", bad[i]);
        g_assert_false(aimf_gate_parse(bad[i], FALSE, &gate, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    }
}

/* A bootstrap that would take minutes ends at once when asked to. */
static void test_bootstrap_stops(void)
{
    const int stop = 1, target[] = { 0, 1, 0, 1 }, group[] = { 0, 0, 1, 1 };
    const AimfMonitor monitor = { .stop = &stop };
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_measure(4, target, target, NULL, group, 2, 2, AIMF_MAX_RESAMPLES, 0, &monitor, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/measures/goldens", test_goldens);
    g_test_add_func("/measures/bootstrap-reproducible", test_bootstrap_reproducible);
    g_test_add_func("/measures/always-right", test_always_right);
    g_test_add_func("/measures/rejects", test_rejects);
    g_test_add_func("/measures/calibration-edges", test_calibration_edges);
    g_test_add_func("/measures/positive", test_positive);
    g_test_add_func("/measures/ratios-of-nothing", test_ratios_of_nothing);
    g_test_add_func("/measures/average", test_average);
    g_test_add_func("/measures/gates", test_gates);
    g_test_add_func("/measures/bootstrap_stops", test_bootstrap_stops);
    return g_test_run();
}
