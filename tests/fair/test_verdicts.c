/* Demands for evidence: decided as an independent computation decides them, and by hand. */
#include "base/support_locale.h"
#include "fair/intervals.h"
#include "fair/support_golden.h"

#include <aimfair/verdicts.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static JsonParser *golden;

/* --- Made of counts --- */

/* (owned) @right of @n in each of (2 * n_labels) groups, target-major. */
static AimfOutcomes *outcomes_of(const int *right, const int *n, int n_labels)
{
    static const char *const names[] = { "a", "b", "c", "d" };
    AimfOutcomes *outcomes = g_new0(AimfOutcomes, 1);
    for (int i = 0; i < 2 * n_labels; i++)
        outcomes->n += (guint)n[i];
    outcomes->n_targets = 2;
    outcomes->n_protected = n_labels;
    outcomes->positive = 1;
    outcomes->threshold = NAN;
    outcomes->target = g_new(int, outcomes->n);
    outcomes->group = g_new(int, outcomes->n);
    outcomes->prediction = g_new(int, outcomes->n);
    outcomes->labels = g_new0(char *, (gsize)n_labels + 1);
    for (int g = 0; g < n_labels; g++)
        outcomes->labels[g] = g_strdup(names[g]);
    guint row = 0;
    for (int i = 0; i < 2 * n_labels; i++) {
        for (int k = 0; k < n[i]; k++, row++) {
            outcomes->target[row] = i / n_labels;
            outcomes->group[row] = i % n_labels;
            outcomes->prediction[row] = k < right[i] ? i / n_labels : 1 - i / n_labels;
        }
    }
    return outcomes;
}

static AimfVerdicts *judge(const AimfOutcomes *outcomes, const char *const *demands, guint n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfMeasures) measures = aimf_outcomes_measure(outcomes, 0, 0, NULL, &error);
    g_assert_no_error(error);
    g_autofree AimfGate *gates = g_new0(AimfGate, n);
    for (guint i = 0; i < n; i++) {
        g_assert_true(aimf_gate_parse(demands[i], TRUE, &gates[i], &error));
        g_assert_no_error(error);
    }
    AimfVerdicts *verdicts = aimf_judge(gates, n, measures, outcomes, NULL, NULL, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < n; i++)
        aimf_gate_clear(&gates[i]);
    return verdicts;
}

static void test_golden(void)
{
    JsonArray *cases = golden_array(golden, "cases");
    guint seen[3] = { 0 };
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        JsonObject *object = json_array_get_object_element(cases, i);
        g_autofree int *right = golden_ints(object, "right"), *n = golden_ints(object, "n");
        JsonArray *texts = json_object_get_array_member(object, "demands");
        JsonArray *decisions = json_object_get_array_member(object, "decisions");
        JsonArray *levels = json_object_get_array_member(object, "levels");
        int n_labels = (int)json_array_get_length(json_object_get_array_member(object, "n")) / 2;
        guint n_demands = json_array_get_length(texts);
        const char *demands[8];
        g_assert_cmpuint(n_demands, <=, G_N_ELEMENTS(demands));
        for (guint k = 0; k < n_demands; k++)
            demands[k] = json_array_get_string_element(texts, k);
        g_autoptr(AimfOutcomes) outcomes = outcomes_of(right, n, n_labels);
        g_autoptr(AimfVerdicts) verdicts = judge(outcomes, demands, n_demands);
        for (guint k = 0; k < n_demands; k++) {
            const AimfVerdict *verdict = &verdicts->verdicts[k];
            double least = 1;
            for (guint p = 0; p < verdict->n_parts; p++)
                least = MIN(least, verdict->parts[p].p);
            g_test_message("case %u: %s", i, demands[k]);
            g_assert_cmpstr(aimf_decision_name(verdict->decision), ==, json_array_get_string_element(decisions, k));
            double expected = golden_double(levels, k);
            if (expected > 0) /* the golden stops at 1e-14 */
                assert_close(log(least), log(expected), 1e-6, demands[k]);
            else
                g_assert_cmpfloat(least, <, 1e-13);
            seen[verdict->decision]++;
        }
    }
    for (int i = 0; i < 3; i++)
        g_assert_cmpuint(seen[i], >, 10);
}

/* --- By hand --- */

/* 90 of 100 in each group but one. */
static const int HUNDREDS[] = { 100, 100, 100, 100 };

static void test_needs(void)
{
    static const char *const demands[] = { "worst_group_accuracy>=0.7", "equal_opportunity<=0.2", "accuracy>=0.5" };
    const int right[] = { 90, 90, 90, 77 };
    g_autoptr(AimfOutcomes) outcomes = outcomes_of(right, HUNDREDS, 2);
    g_autoptr(AimfVerdicts) verdicts = judge(outcomes, demands, G_N_ELEMENTS(demands));
    const AimfVerdict *worst = &verdicts->verdicts[0];
    g_assert_cmpint(worst->decision, ==, AIMF_NOT_ENOUGH_EVIDENCE);
    g_assert_cmpuint(worst->n_parts, ==, 4);
    g_assert_cmpstr(worst->parts[0].what, ==, "accuracy of 1_b");
    g_assert_cmpuint(worst->n_needs, ==, 1);
    g_assert_cmpstr(worst->needs[0].what, ==, "1_b");
    g_assert_cmpuint(worst->needs[0].n, ==, 100);
    /* That many settle it, and a tenth fewer do not. */
    guint64 needed = worst->needs[0].needed;
    g_assert_cmpfloat(aimf_clopper_pearson((AimfShare){ (needed * 77 + 50) / 100, needed }, 0.05).low, >=, 0.7 - 1e-3);
    g_assert_cmpfloat(aimf_clopper_pearson((AimfShare){ (needed * 693 + 500) / 1000, needed * 9 / 10 }, 0.05).low, <,
                      0.7);
    const AimfVerdict *gap = &verdicts->verdicts[1];
    g_assert_cmpint(gap->decision, ==, AIMF_NOT_ENOUGH_EVIDENCE);
    g_assert_cmpuint(gap->n_needs, ==, 2);
    g_assert_cmpint(verdicts->verdicts[2].decision, ==, AIMF_MET);
    g_autofree char *text = aimf_verdict_text(worst), *none = aimf_verdict_text(&verdicts->verdicts[2]);
    g_assert_nonnull(strstr(text, "accuracy of 1_b is 0.77, 95 %: 0.6751 to 0.8483"));
    g_assert_nonnull(strstr(text, "of 1_b (there are 100) would settle it"));
    g_assert_cmpstr(none, ==, "");
}

/* What is written has a point, whatever the locale of the program that calls the library. */
static void test_locale(void)
{
    static const char *const demands[] = { "worst_group_accuracy>=0.725", "demographic_parity_ratio>=0.875" };
    const int right[] = { 90, 90, 90, 77 };
    g_autoptr(AimfOutcomes) outcomes = outcomes_of(right, HUNDREDS, 2);
    char *texts[2][G_N_ELEMENTS(demands)];
    for (int comma = 0; comma < 2; comma++) {
        if (comma && !support_comma_begin()) {
            g_test_skip("no locale with a comma, and no localedef");
            return;
        }
        g_autoptr(AimfVerdicts) verdicts = judge(outcomes, demands, G_N_ELEMENTS(demands));
        for (guint i = 0; i < G_N_ELEMENTS(demands); i++) {
            g_autofree char *why = aimf_verdict_text(&verdicts->verdicts[i]);
            texts[comma][i] = g_strconcat(why, "; ", verdicts->verdicts[i].parts[0].what, NULL);
        }
    }
    support_comma_end();
    for (guint i = 0; i < G_N_ELEMENTS(demands); i++) {
        g_assert_cmpstr(texts[0][i], ==, texts[1][i]);
        g_free(texts[0][i]);
        g_free(texts[1][i]);
    }
}

/* Nothing is shown of those who are not there, and no number of pictures can be told. */
static void test_empty_groups(void)
{
    static const char *const demands[] = { "worst_group_accuracy>=0.5", "equalized_odds.max<=0.5", "accuracy>=0.5",
                                           "demographic_parity<=0.99" };
    const int right[] = { 90, 90, 90, 0 }, n[] = { 100, 100, 100, 0 };
    g_autoptr(AimfOutcomes) outcomes = outcomes_of(right, n, 2);
    g_autoptr(AimfVerdicts) verdicts = judge(outcomes, demands, G_N_ELEMENTS(demands));
    const AimfDecision expected[] = { AIMF_NOT_ENOUGH_EVIDENCE, AIMF_NOT_ENOUGH_EVIDENCE, AIMF_MET, AIMF_MET };
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_cmpint(verdicts->verdicts[i].decision, ==, expected[i]);
        g_assert_cmpuint(verdicts->verdicts[i].n_needs, ==, 0);
    }
    g_autofree char *text = aimf_verdict_text(&verdicts->verdicts[0]);
    g_assert_nonnull(strstr(text, "accuracy of 1_b is unknown"));
    const int alone[] = { 50, 100 };
    g_autoptr(AimfOutcomes) one = outcomes_of(alone, HUNDREDS, 1);
    g_autoptr(AimfVerdicts) of_one = judge(one, demands + 1, 1);
    g_assert_cmpint(of_one->verdicts[0].decision, ==, AIMF_NOT_ENOUGH_EVIDENCE);
    g_assert_cmpuint(of_one->verdicts[0].n_parts, ==, 0);
}

/* What lies just at the bound is shown by no number of pictures; > and >= part there. */
static void test_bounds(void)
{
    static const char *const demands[] = { "accuracy>=0.9", "accuracy>0", "accuracy>=0",
                                           "accuracy<=1",   "accuracy<1", "equal_opportunity<=0" };
    const int right[] = { 90, 90, 90, 90 }, none[] = { 0, 0, 0, 0 }, all[] = { 100, 100, 100, 100 };
    g_autoptr(AimfOutcomes) outcomes = outcomes_of(right, HUNDREDS, 2), wrong = outcomes_of(none, HUNDREDS, 2),
                            perfect = outcomes_of(all, HUNDREDS, 2);
    g_autoptr(AimfVerdicts) at = judge(outcomes, demands, G_N_ELEMENTS(demands));
    g_autoptr(AimfVerdicts) low = judge(wrong, demands, G_N_ELEMENTS(demands));
    g_autoptr(AimfVerdicts) high = judge(perfect, demands, G_N_ELEMENTS(demands));
    g_assert_cmpint(at->verdicts[0].decision, ==, AIMF_NOT_ENOUGH_EVIDENCE);
    g_assert_cmpuint(at->verdicts[0].n_needs, ==, 0);
    g_assert_cmpint(at->verdicts[5].decision, ==, AIMF_NOT_ENOUGH_EVIDENCE);
    g_assert_cmpint(low->verdicts[1].decision, ==, AIMF_NOT_ENOUGH_EVIDENCE);
    g_assert_cmpint(low->verdicts[2].decision, ==, AIMF_MET);
    g_assert_cmpint(high->verdicts[3].decision, ==, AIMF_MET);
    g_assert_cmpint(high->verdicts[4].decision, ==, AIMF_NOT_ENOUGH_EVIDENCE);
}

static void test_refused(void)
{
    static const char *const bad[] = {
        "std_group_accuracy<=0.1",
        "calibration_error<=0.1",
        "macro.calibration_error_gap<=0.1",
        "worst_group_accuracy<=1",
        "equal_opportunity>=0.1",
        "demographic_parity_ratio<=0.8",
        "accuracy>=1.5",
        "equalized_odds<=-0.1",
        "worst.auc<=0.5",
        "macro.equalized_odds>=0",
        "no_group_worse_than>=0.1",
        "no_group_worse_than<=2",
        "worst.precision_gap>0.1",
        "accuracy>1",
        "equal_opportunity<0",
        "equalized_odds.sum<=2.5",
        "macro.equal_opportunity>0.2",
    };
    static const char *const good[] = { "accuracy<=0.5",
                                        "auc>0.5",
                                        "auc<0.9",
                                        "macro.auc>=0.5",
                                        "worst.auc>=0.5",
                                        "balanced_accuracy<1",
                                        "macro.equalized_odds<=0.1",
                                        "worst.equalized_odds_ratio>=0.8",
                                        "no_group_worse_than<=0.01",
                                        "equalized_odds.sum<=1.5" };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        AimfGate gate = { 0 };
        g_autoptr(GError) error = NULL;
        g_test_message("%s", bad[i]);
        g_assert_false(aimf_gate_parse(bad[i], TRUE, &gate, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
        g_assert_null(gate.text);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        AimfGate gate;
        g_autoptr(GError) error = NULL;
        g_assert_true(aimf_gate_parse(good[i], TRUE, &gate, &error));
        g_assert_no_error(error);
        aimf_gate_clear(&gate);
    }
    /* Without what it is about. */
    g_autoptr(AimfOutcomes) outcomes = outcomes_of(HUNDREDS, HUNDREDS, 2);
    g_autoptr(AimfMeasures) measures = aimf_outcomes_measure(outcomes, 0, 0, NULL, NULL);
    AimfGate gate;
    g_autoptr(GError) error = NULL;
    g_assert_true(aimf_gate_parse("no_group_worse_than<=0.1", FALSE, &gate, NULL));
    g_assert_null(aimf_judge(&gate, 1, measures, outcomes, NULL, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_clear_error(&error);
    aimf_gate_clear(&gate);
    g_assert_true(aimf_gate_parse("accuracy>=0.1", TRUE, &gate, NULL));
    g_assert_null(aimf_judge(&gate, 1, measures, NULL, NULL, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    aimf_gate_clear(&gate);
}

/* No group worse than before: each group's paired change, by Tango. */
static void test_comparison(void)
{
    const int right_before[] = { 90, 90, 90, 60 }, right_after[] = { 88, 90, 90, 80 };
    g_autoptr(AimfOutcomes) before = outcomes_of(right_before, HUNDREDS, 2),
                            after = outcomes_of(right_after, HUNDREDS, 2);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfComparison) comparison = aimf_compare_outcomes(before, after, 0, 0, NULL, &error);
    g_assert_no_error(error);
    const struct {
        const char *text;
        AimfDecision decision;
    } cases[] = { { "no_group_worse_than<=0.1", AIMF_MET },
                  { "no_group_worse_than<=0.03", AIMF_NOT_ENOUGH_EVIDENCE },
                  { "no_group_worse_than<=0", AIMF_NOT_ENOUGH_EVIDENCE } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        AimfGate gate;
        g_assert_true(aimf_gate_parse(cases[i].text, TRUE, &gate, &error));
        g_autoptr(AimfVerdicts) verdicts = aimf_judge(&gate, 1, comparison->after, after, comparison, NULL, &error);
        g_assert_no_error(error);
        g_test_message("%s", cases[i].text);
        g_assert_cmpint(verdicts->verdicts[0].decision, ==, cases[i].decision);
        g_assert_cmpfloat_with_epsilon(verdicts->verdicts[0].value, 0.02, 1e-12);
        g_assert_cmpuint(verdicts->verdicts[0].n_parts, ==, 4);
        AimfInterval tango = aimf_tango((AimfPairs){ 88, 2, 0, 10 }, 0.05);
        gboolean found = FALSE;
        for (guint p = 0; p < 4; p++)
            found |= verdicts->verdicts[0].parts[p].interval.low == tango.low;
        g_assert_true(found);
        aimf_gate_clear(&gate);
    }
    const int worse[] = { 40, 90, 90, 80 };
    g_autoptr(AimfOutcomes) bad = outcomes_of(worse, HUNDREDS, 2);
    g_autoptr(AimfComparison) loss = aimf_compare_outcomes(before, bad, 0, 0, NULL, &error);
    AimfGate gate;
    g_assert_true(aimf_gate_parse("no_group_worse_than<=0.1", TRUE, &gate, &error));
    g_autoptr(AimfVerdicts) verdicts = aimf_judge(&gate, 1, loss->after, bad, loss, NULL, &error);
    g_assert_cmpint(verdicts->verdicts[0].decision, ==, AIMF_NOT_MET);
    aimf_gate_clear(&gate);
}

/* Three classes: the worst is judged class by class, the mean by its interval. */
static void test_classes(void)
{
    AimfOutcomes outcomes = { .n = 1800, .n_targets = 3, .n_protected = 2, .positive = -1, .threshold = NAN };
    char *labels[] = { (char *)"a", (char *)"b", NULL };
    g_autofree int *target = g_new(int, outcomes.n), *group = g_new(int, outcomes.n), *said = g_new(int, outcomes.n);
    for (int i = 0; i < 1800; i++) {
        target[i] = i % 3;
        group[i] = i / 3 % 2;
        /* class 2 of b is taken for class 0 in a third of the cases, all others in a tenth for the next */
        said[i] =
            target[i] == 2 && group[i] == 1 ? (i / 6 % 3 ? 2 : 0) : (i / 6 % 10 ? target[i] : (target[i] + 1) % 3);
    }
    outcomes.target = target;
    outcomes.group = group;
    outcomes.prediction = said;
    outcomes.labels = labels;
    static const char *const demands[] = { "worst.equal_opportunity<=0.1", "worst.equal_opportunity<=0.4",
                                           "macro.equal_opportunity<=0.3", "macro.equal_opportunity<=0.01",
                                           "equal_opportunity<=0.4" };
    const AimfDecision expected[] = { AIMF_NOT_MET, AIMF_MET, AIMF_MET, AIMF_NOT_MET, AIMF_NOT_ENOUGH_EVIDENCE };
    g_autoptr(AimfVerdicts) verdicts = judge(&outcomes, demands, G_N_ELEMENTS(demands));
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_test_message("%s", demands[i]);
        g_assert_cmpint(verdicts->verdicts[i].decision, ==, expected[i]);
    }
    g_assert_cmpuint(verdicts->verdicts[0].n_parts, ==, 3);
    g_assert_true(g_str_has_prefix(verdicts->verdicts[0].parts[0].what, "class 2: TPR of a"));
}

/* The AUC: by the wider of DeLong's and Hanley and McNeil's intervals, of a two-sided demand. */
static void test_scores(void)
{
    const int right[] = { 40, 40, 40, 40 }, n[] = { 50, 50, 50, 50 };
    g_autoptr(AimfOutcomes) outcomes = outcomes_of(right, n, 2);
    outcomes->logit = g_new(double, outcomes->n);
    for (guint i = 0; i < outcomes->n; i++) /* right answers are surer than wrong ones */
        outcomes->logit[i] = (outcomes->prediction[i] ? 1 : -1) *
                             (outcomes->prediction[i] == outcomes->target[i] ? 1 + i % 7 : 0.5 + i % 2);
    g_autoptr(AimfMeasures) measures = aimf_outcomes_measure(outcomes, 0, 0, NULL, NULL);
    double auc = measures->scalars.auc;
    AimfInterval typical = aimf_auc_interval(auc, 0, 100, 100, 0.05), own = measures->intervals[9];
    g_assert_cmpstr(aimf_scalar_name(9), ==, "auc");
    double low = MIN(typical.low, own.low), high = MAX(typical.high, own.high);
    const struct {
        const char *sign;
        double bound;
        AimfDecision decision;
    } cases[] = { { ">=", low - 1e-6, AIMF_MET },
                  { ">=", low + 1e-6, AIMF_NOT_ENOUGH_EVIDENCE },
                  { ">=", high - 1e-6, AIMF_NOT_ENOUGH_EVIDENCE },
                  { ">=", high + 1e-6, AIMF_NOT_MET },
                  { "<=", high + 1e-6, AIMF_MET },
                  { "<=", low - 1e-6, AIMF_NOT_MET } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        char bound[G_ASCII_DTOSTR_BUF_SIZE];
        g_autofree char *text =
            g_strconcat("auc", cases[i].sign, g_ascii_dtostr(bound, sizeof bound, cases[i].bound), NULL);
        g_autoptr(AimfVerdicts) verdicts = judge(outcomes, (const char *const *)&text, 1);
        g_test_message("%s of %g", text, auc);
        g_assert_cmpint(verdicts->verdicts[0].decision, ==, cases[i].decision);
        g_assert_cmpint(verdicts->verdicts[0].n_needs > 0, ==, cases[i].decision == AIMF_NOT_ENOUGH_EVIDENCE);
    }
}

/* Too many labels for every comparison: an error, at once. */
static void test_many_labels(void)
{
    enum { LABELS = 400 };
    g_autoptr(AimfOutcomes) outcomes = g_new0(AimfOutcomes, 1);
    outcomes->n = 4 * LABELS;
    outcomes->n_targets = 2;
    outcomes->n_protected = LABELS;
    outcomes->positive = 1;
    outcomes->threshold = NAN;
    outcomes->target = g_new(int, outcomes->n);
    outcomes->group = g_new(int, outcomes->n);
    outcomes->prediction = g_new(int, outcomes->n);
    outcomes->labels = g_new0(char *, LABELS + 1);
    for (int i = 0; i < LABELS; i++)
        outcomes->labels[i] = g_strdup_printf("%03d", i);
    for (guint i = 0; i < outcomes->n; i++) {
        outcomes->group[i] = (int)(i / 4);
        outcomes->target[i] = (int)(i % 2);
        outcomes->prediction[i] = (int)(i / 2 % 2);
    }
    g_autoptr(AimfMeasures) measures = aimf_outcomes_measure(outcomes, 0, 0, NULL, NULL);
    static const char *const demands[] = { "equalized_odds<=0.1", "equal_opportunity<=0.1",
                                           "equalized_odds_ratio>=0.8" };
    for (gsize i = 0; i < G_N_ELEMENTS(demands); i++) {
        AimfGate gate;
        g_autoptr(GError) error = NULL;
        g_assert_true(aimf_gate_parse(demands[i], TRUE, &gate, NULL));
        g_assert_null(aimf_judge(&gate, 1, measures, outcomes, NULL, NULL, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, "400 protected labels in 2 classes are too many for evidence"));
        aimf_gate_clear(&gate);
    }
}

/* --- JUnit --- */

typedef struct {
    guint cases, not_met, open;
} Seen;

static void begin_element(GMarkupParseContext *context, const char *element, const char **names, const char **values,
                          gpointer data, GError **error)
{
    (void)context, (void)error;
    Seen *seen = data;
    seen->cases += g_str_equal(element, "testcase");
    for (guint i = 0; names[i] && g_str_equal(element, "failure"); i++) {
        seen->not_met += g_str_equal(values[i], "not-met");
        seen->open += g_str_equal(values[i], "not-enough-evidence");
    }
}

static void test_junit(void)
{
    static const char *const demands[] = { "worst_group_accuracy>=0.7", "equal_opportunity<=0.2", "accuracy>=0.5",
                                           "accuracy>=0.99" };
    const int right[] = { 90, 90, 90, 77 };
    g_autoptr(AimfOutcomes) outcomes = outcomes_of(right, HUNDREDS, 2);
    g_free(outcomes->labels[1]);
    outcomes->labels[1] = g_strdup("<b & \"c\">\x01");
    g_autoptr(AimfVerdicts) verdicts = judge(outcomes, demands, G_N_ELEMENTS(demands));
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("aimfair-XXXXXX", NULL), *text = NULL;
    g_autofree char *path = g_build_filename(folder, "junit.xml", NULL);
    gsize length;
    g_assert_true(aimf_verdicts_save_junit(verdicts, "a\xff suite\n", path, &error));
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(path, &text, &length, &error));
    g_assert_true(g_utf8_validate(text, (gssize)length, NULL));
    for (gsize i = 0; i < length; i++)
        g_assert_true((guchar)text[i] >= ' ' || text[i] == '\n');
    g_assert_null(strstr(text, "&#x")); /* XML 1.0 has no such characters, escaped or not */
    const GMarkupParser parser = { .start_element = begin_element };
    Seen seen = { 0 };
    g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&parser, 0, &seen, NULL);
    g_assert_true(g_markup_parse_context_parse(context, text, (gssize)length, &error));
    g_assert_true(g_markup_parse_context_end_parse(context, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(seen.cases, ==, 4);
    g_assert_cmpuint(seen.not_met, ==, 1);
    g_assert_cmpuint(seen.open, ==, 2);
    g_unlink(path);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    golden = golden_open_file("verdicts.json");
    g_test_add_func("/verdicts/golden", test_golden);
    g_test_add_func("/verdicts/needs", test_needs);
    g_test_add_func("/verdicts/locale", test_locale);
    g_test_add_func("/verdicts/empty-groups", test_empty_groups);
    g_test_add_func("/verdicts/bounds", test_bounds);
    g_test_add_func("/verdicts/refused", test_refused);
    g_test_add_func("/verdicts/comparison", test_comparison);
    g_test_add_func("/verdicts/classes", test_classes);
    g_test_add_func("/verdicts/scores", test_scores);
    g_test_add_func("/verdicts/many-labels", test_many_labels);
    g_test_add_func("/verdicts/junit", test_junit);
    int status = g_test_run();
    g_object_unref(golden);
    return status;
}
