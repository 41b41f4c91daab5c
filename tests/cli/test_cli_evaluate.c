/* `aimfair evaluate` through the real binary, on answers of another program. */
#include "cli/support_program.h"
#include "data/support_data.h"

#include <aimfair/fair.h>
#include <aimfair/image.h>
#include <aimfair/version.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static char *folder;

static void test_json(void)
{
    g_autofree char *path = data_write(folder, "answers.csv", program_answers);
    g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--json", "--seed", "1");
    g_assert_cmpint(run.status, ==, 0);
    g_assert_cmpstr(run.err, ==, "");
    g_autoptr(JsonNode) root = program_json(run.out);
    JsonObject *object = json_node_get_object(root);
    JsonObject *odds = json_object_get_object_member(object, "equalized_odds");
    g_assert_cmpfloat(json_object_get_double_member(object, "accuracy"), ==, 0.75);
    g_assert_cmpfloat(json_object_get_double_member(object, "worst_group_accuracy"), ==, 0.5);
    g_assert_cmpfloat(json_object_get_double_member(object, "std_group_accuracy"), ==, 0.25);
    g_assert_cmpfloat(json_object_get_double_member(odds, "mean"), ==, 0.5);
    g_assert_cmpfloat(json_object_get_double_member(odds, "max"), ==, 0.5);
    g_assert_cmpfloat(json_object_get_double_member(odds, "sum"), ==, 1);
    g_assert_cmpfloat(json_object_get_double_member(object, "equal_opportunity"), ==, 0.5);
    g_assert_cmpfloat(json_object_get_double_member(object, "demographic_parity"), ==, 0.5);
    g_assert_cmpfloat(json_object_get_double_member(object, "auc"), ==, 14.0 / 16); /* 0.5 beats -0.25 and 0 */
    g_assert_cmpfloat(json_object_get_double_member(object, "balanced_accuracy"), ==, 0.75);
    g_assert_cmpint(json_object_get_int_member(object, "n"), ==, 8);
    g_assert_cmpstr(json_object_get_string_member(object, "data"), ==, path);
    g_assert_true(json_object_get_null_member(object, "model"));
    JsonArray *interval = json_object_get_array_member(json_object_get_object_member(object, "intervals"), "accuracy");
    g_assert_cmpfloat(json_array_get_double_element(interval, 0), <, 0.75);
    g_assert_cmpfloat(json_array_get_double_element(interval, 1), >, 0.75);
    JsonArray *groups = json_object_get_array_member(object, "groups");
    g_assert_cmpuint(json_array_get_length(groups), ==, 4);
    JsonObject *last = json_array_get_object_element(groups, 3);
    g_assert_cmpint(json_object_get_int_member(last, "target"), ==, 1);
    g_assert_cmpstr(json_object_get_string_member(last, "protected"), ==, "b");
    g_assert_cmpint(json_object_get_int_member(last, "n"), ==, 2);
    g_assert_cmpfloat(json_object_get_double_member(last, "accuracy"), ==, 1);
    g_assert_cmpfloat(json_object_get_double_member(last, "tpr"), ==, 1);
    g_assert_cmpfloat(json_object_get_double_member(last, "fpr"), ==, 0.5);
    g_auto(ProgramRun) again = RUN("evaluate", "--from-predictions", path, "--json", "--seed", "1", "--threads", "1");
    g_assert_cmpstr(run.out, ==, again.out);
}

static double json_accuracy(const char *name, const char *text, const char *threshold)
{
    g_autofree char *path = data_write(folder, name, text);
    g_auto(ProgramRun) run =
        RUN("evaluate", "--from-predictions", path, "--json", threshold ? "--threshold" : NULL, threshold);
    g_assert_cmpstr(run.err, ==, "");
    g_autoptr(JsonNode) root = program_json(run.out);
    return json_object_get_double_member(json_node_get_object(root), "accuracy");
}

static void test_threshold(void)
{
    static const char both[] = "target,protected,probability,prediction\n0,a,0.4,1\n1,a,0.6,1\n1,b,0.5,1\n0,b,0.1,0\n";
    static const char scores[] = "target,protected,probability\n0,a,0.4\n1,a,0.6\n1,b,0.5\n0,b,0.1\n";
    g_assert_cmpfloat(json_accuracy("both.csv", both, NULL), ==, 0.75); /* the column prediction */
    g_assert_cmpfloat(json_accuracy("both.csv", both, "0.5"), ==, 1);   /* 0.5 itself is class 1 */
    g_assert_cmpfloat(json_accuracy("scores.csv", scores, NULL), ==, 1);
    g_assert_cmpfloat(json_accuracy("scores.csv", scores, "0.3"), ==, 0.75);
    g_assert_cmpfloat(json_accuracy("four.csv", "target,protected,prediction\n0,a,0\n1,b,1\n2,a,2\n3,b,0\n", NULL), ==,
                      0.75);
}

static void test_table(void)
{
    g_autofree char *path = data_write(folder, "empty.csv", "target,protected,prediction\n0,weiß,0\n1,weiß,1\n0,b,1\n");
    g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--bootstrap", "0");
    g_assert_cmpint(run.status, ==, 0);
    assert_contains(run.out, "1       b                 0         -         -  no samples: left out\n");
    assert_contains(run.out, "1       weiß              1    100.00    100.00\n");
    assert_contains(run.out, "worst group accuracy (WST)              0.00     0.00 – 85.14\n");
    assert_contains(run.out, "AUC                                        -\n");
    g_assert_null(strstr(run.out, "nan"));
    assert_contains(run.out, "47.14\n"); /* the deviation, whose interval would be a bootstrap's */
}

/* --- Averages --- */

static char *save_result(const char *name, const char *text)
{
    g_autofree char *path = data_write(folder, "run.csv", text);
    g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--json", "--bootstrap", "10");
    g_assert_cmpint(run.status, ==, 0);
    return data_write(folder, name, run.out);
}

static void test_average(void)
{
    /* Opposite groups fail: each run's worst group is at 0, the averaged groups' worst at 0.5. */
    g_autofree char *a = save_result("a.json", "target,protected,prediction\n0,x,1\n0,y,0\n1,x,1\n1,y,1\n");
    g_autofree char *b = save_result("b.json", "target,protected,prediction\n0,x,0\n0,y,0\n1,x,1\n1,y,0\n");
    g_auto(ProgramRun) run = RUN("evaluate", "--average", "--json", a, b);
    g_assert_cmpint(run.status, ==, 0);
    g_autoptr(JsonNode) root = program_json(run.out);
    JsonObject *object = json_node_get_object(root);
    g_assert_cmpfloat(json_object_get_double_member(object, "worst_group_accuracy"), ==, 0.5);
    g_assert_cmpfloat(json_object_get_double_member(object, "std_group_accuracy"), ==, 0.25);
    g_assert_cmpint(json_object_get_int_member(object, "runs"), ==, 2);
    g_autofree char *mean = data_write(folder, "mean.json", run.out);
    g_auto(ProgramRun) twice = RUN("evaluate", "--average", a, mean);
    g_assert_cmpint(twice.status, ==, 2);
    assert_contains(twice.err, "is an average already");
    g_autofree char *other = save_result("c.json", "target,protected,prediction\n0,x,1\n0,z,0\n1,x,1\n1,z,1\n");
    g_auto(ProgramRun) labels = RUN("evaluate", "--average", a, other);
    g_assert_cmpint(labels.status, ==, 2);
    assert_contains(labels.err, "other protected labels");
    g_auto(ProgramRun) alone = RUN("evaluate", "--average", a);
    g_assert_cmpint(alone.status, ==, 2);
}

/* @text with its first @from turned into @to must be refused with @message. */
static void assert_tampered(const char *text, const char *from, const char *to, const char *message)
{
    g_auto(GStrv) parts = g_strsplit(text, from, 2);
    g_assert_nonnull(parts[1]);
    g_autofree char *tampered = g_strconcat(parts[0], to, parts[1], NULL);
    g_autofree char *path = data_write(folder, "tampered.json", tampered);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfEvaluation) evaluation = aimf_evaluation_open(path, &error);
    g_assert_null(evaluation);
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
    assert_contains(error->message, message);
}

static void test_tampered_result(void)
{
    g_autofree char *a = save_result("a.json", "target,protected,prediction\n0,x,1\n0,y,0\n1,x,1\n1,y,1\n");
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_get_contents(a, &text, NULL, NULL));
    g_autoptr(AimfEvaluation) good = aimf_evaluation_open(a, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(good->measures->n, ==, 4);
    assert_tampered(text, "\"accuracy\" : 0.75", "\"accuracy\" : 0.76", "its groups give 0.75");
    assert_tampered(text, "\"accuracy\" : 0.75", "\"accuracy\" : null", "its groups give 0.75");
    assert_tampered(text, "\"auc\" : null", "\"auc\" : 3", "'auc' must be a number");
    assert_tampered(text, "\"mean\" : ", "\"mittel\" : ", "'mean' is missing");
    assert_tampered(text, "\"target\" : 0", "\"target\" : 1", "out of order");
    assert_tampered(text, "\"target\" : 0", "\"target\" : -1", "'target' must be");
    assert_tampered(text, "\"protected\" : \"x\"", "\"protected\" : \"y\"", "out of order");
    assert_tampered(text, "\"protected\" : \"x\"", "\"protected\" : 7", "'protected' must be a text");
    assert_tampered(text, "\"n\" : 1", "\"n\" : 1.5", "'n' must be a whole number");
    assert_tampered(text, "\"n\" : 1", "\"n\" : 0", "its groups give 1");
    assert_tampered(text, "\"selection_rate\" : 1.0", "\"selection_rate\" : 0.3", "not shares of its 1 sample");
    assert_tampered(text, "\"groups\" : [", "\"groups\" : [], \"more\" : [", "from 1 to");
    assert_tampered(text, "\"groups\" : [", "\"groups\" : [ 1 ], \"more\" : [", "groups[0] must be an object");
    assert_tampered(text, "{", "[", "not JSON");
}

/* Results of before there were more measures, classes and evidence, as that version wrote them. */
static const char old_two[] =
    "{ \"accuracy\" : 0.75, \"worst_group_accuracy\" : 0.66666666666666663, \"std_group_accuracy\" : "
    "0.16666666666666666,"
    " \"equalized_odds\" : { \"mean\" : 0.33333333333333337, \"max\" : 0.33333333333333337, \"sum\" : "
    "0.66666666666666674 },"
    " \"equal_opportunity\" : 0.33333333333333337, \"demographic_parity\" : 0.0, \"auc\" : null,"
    " \"balanced_accuracy\" : 0.75, \"groups\" : ["
    " { \"target\" : 0, \"protected\" : \"a\", \"n\" : 3, \"accuracy\" : 0.66666666666666663, \"selection_rate\" : "
    "0.33333333333333331 },"
    " { \"target\" : 0, \"protected\" : \"b\", \"n\" : 1, \"accuracy\" : 1.0, \"selection_rate\" : 0.0 },"
    " { \"target\" : 1, \"protected\" : \"a\", \"n\" : 1, \"accuracy\" : 1.0, \"selection_rate\" : 1.0 },"
    " { \"target\" : 1, \"protected\" : \"b\", \"n\" : 3, \"accuracy\" : 0.66666666666666663, \"selection_rate\" : "
    "0.66666666666666663 }"
    " ], \"model\" : null, \"data\" : \"old2.csv\", \"n\" : 8 }";
static const char old_three[] =
    "{ \"accuracy\" : 0.7142857142857143, \"worst_group_accuracy\" : 0.0, \"std_group_accuracy\" : 0.38188130791298669,"
    " \"equalized_odds\" : { \"mean\" : 0.5, \"max\" : 0.5, \"sum\" : 1.0 }, \"equal_opportunity\" : 0.5,"
    " \"demographic_parity\" : 0.41666666666666663, \"auc\" : null, \"balanced_accuracy\" : 0.72222222222222221,"
    " \"groups\" : ["
    " { \"target\" : 0, \"protected\" : \"a\", \"n\" : 1, \"accuracy\" : 1.0, \"selection_rate\" : 0.0 },"
    " { \"target\" : 0, \"protected\" : \"b\", \"n\" : 1, \"accuracy\" : 1.0, \"selection_rate\" : 0.0 },"
    " { \"target\" : 1, \"protected\" : \"a\", \"n\" : 1, \"accuracy\" : 1.0, \"selection_rate\" : 1.0 },"
    " { \"target\" : 1, \"protected\" : \"b\", \"n\" : 2, \"accuracy\" : 0.5, \"selection_rate\" : 0.5 },"
    " { \"target\" : 2, \"protected\" : \"a\", \"n\" : 1, \"accuracy\" : 0.0, \"selection_rate\" : 1.0 },"
    " { \"target\" : 2, \"protected\" : \"b\", \"n\" : 1, \"accuracy\" : 1.0, \"selection_rate\" : 0.0 }"
    " ], \"model\" : null, \"data\" : \"old3.csv\", \"n\" : 7 }";

/* What follows from the groups is known of old results too; what does not is null. */
static void test_average_of_old(void)
{
    g_autofree char *a = data_write(folder, "old2a.json", old_two), *b = data_write(folder, "old2b.json", old_two);
    g_auto(ProgramRun) run = RUN("evaluate", "--average", "--json", "--allow", "same-set", a, b);
    assert_contains(run.err, "say the same");
    g_assert_cmpint(run.status, ==, 0);
    g_autoptr(JsonNode) root = program_json(run.out);
    JsonObject *object = json_node_get_object(root);
    g_assert_cmpfloat(json_object_get_double_member(object, "precision_gap"), ==, 0.5);
    g_assert_cmpfloat(json_object_get_double_member(object, "demographic_parity_ratio"), ==, 1);
    g_assert_cmpfloat(json_object_get_double_member(object, "equal_opportunity_ratio"), ==, 2.0 / 3);
    g_assert_true(json_object_get_null_member(object, "calibration_error"));
    JsonArray *results = json_object_get_array_member(json_object_get_object_member(object, "evidence"), "results");
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, old_two, -1);
    JsonObject *first = json_array_get_object_element(results, 0);
    g_assert_cmpstr(json_object_get_string_member(first, "file"), ==, a);
    g_assert_cmpstr(json_object_get_string_member(first, "sha256"), ==, hash);

    g_autofree char *c = data_write(folder, "old3a.json", old_three), *d = data_write(folder, "old3b.json", old_three);
    g_auto(ProgramRun) three = RUN("evaluate", "--average", "--json", "--allow", "same-set", c, d);
    g_assert_cmpint(three.status, ==, 0);
    g_autoptr(JsonNode) of_three = program_json(three.out);
    object = json_node_get_object(of_three);
    g_assert_cmpint(json_object_get_int_member(object, "positive"), ==, 1);
    g_assert_cmpfloat(json_object_get_double_member(object, "precision_gap"), ==, 0.5);
    g_assert_true(json_object_get_null_member(json_object_get_object_member(object, "macro"), "demographic_parity"));
    assert_tampered(old_two, "\"n\" : 8", "\"n\" : 8, \"precision_gap\" : 0.4",
                    "precision_gap is 0.4, but its groups give 0.5");
    assert_tampered(old_two, "\"n\" : 8", "\"n\" : 8, \"positive\" : 2", "its positive class is 2");
    assert_tampered(old_two, "\"n\" : 8", "\"n\" : 8, \"positive\" : null", "its positive class is -1");
}

/* --- More than two classes --- */

/* As predictions of another program, without names and with: the same probabilities. */
static const char three_classes[] =
    "target,protected,probability_0,probability_1,probability_2\n"
    "0,a,0.7,0.2,0.1\n0,a,0.6,0.3,0.1\n1,a,0.5,0.4,0.1\n1,a,0.1,0.8,0.1\n2,a,0.2,0.2,0.6\n"
    "0,b,0.4,0.5,0.1\n0,b,0.8,0.1,0.1\n1,b,0.2,0.6,0.2\n2,b,0.3,0.1,0.6\n2,b,0.6,0.1,0.3\n";

static double at(JsonObject *object, const char *outer, const char *middle, const char *inner)
{
    if (outer)
        object = json_object_get_object_member(object, outer);
    if (middle)
        object = json_object_get_object_member(object, middle);
    return json_object_get_double_member(object, inner);
}

/*
 * Predictions: a 0 0 0 1 2, b 1 0 1 2 0. One against the rest, for a and b: TPR of 0: 1, 1/2; of 1: 1/2, 1; of 2: 1,
 * 1/2. FPR of 0: 1/3, 1/3; of 1: 0, 1/4; of 2: 0, 0. Selection of 0: 3/5, 2/5; of 1: 1/5, 2/5; of 2: 1/5, 1/5.
 */
static void test_classes(void)
{
    g_autofree char *path = data_write(folder, "three.csv", three_classes);
    g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--json", "--bootstrap", "50");
    g_assert_cmpstr(run.err, ==, "");
    g_autoptr(JsonNode) root = program_json(run.out);
    JsonObject *object = json_node_get_object(root);
    g_assert_cmpfloat(at(object, NULL, NULL, "accuracy"), ==, 0.7);
    g_assert_true(json_object_get_null_member(object, "positive"));
    g_assert_true(json_object_get_null_member(object, "equal_opportunity")); /* of which class? */
    g_assert_cmpfloat(at(object, "macro", NULL, "equal_opportunity"), ==, 0.5);
    g_assert_cmpfloat(at(object, "macro", "equalized_odds", "mean"), ==, (0.25 + 0.375 + 0.25) / 3);
    g_assert_cmpfloat(at(object, "worst", "equalized_odds", "mean"), ==, 0.375);
    g_assert_cmpfloat_with_epsilon(at(object, "macro", NULL, "demographic_parity"), 0.4 / 3, 1e-15);
    g_assert_cmpfloat_with_epsilon(at(object, "worst", NULL, "demographic_parity_ratio"), 0.5, 1e-15);
    JsonArray *classes = json_object_get_array_member(object, "classes");
    g_assert_cmpuint(json_array_get_length(classes), ==, 3);
    JsonObject *one = json_array_get_object_element(classes, 1);
    g_assert_cmpint(json_object_get_int_member(one, "n"), ==, 3);
    g_assert_cmpfloat(at(one, NULL, "equalized_odds", "max"), ==, 0.5);
    g_assert_cmpfloat_with_epsilon(at(one, NULL, NULL, "auc"), 20.0 / 21, 1e-15); /* 0.5 of class 0 beats 0.4 */
    JsonArray *labels = json_object_get_array_member(one, "by_group");
    g_assert_cmpfloat(at(json_array_get_object_element(labels, 1), NULL, NULL, "fpr"), ==, 0.25);
    JsonArray *interval = json_object_get_array_member(
        json_object_get_object_member(json_object_get_object_member(object, "intervals"), "worst"), "auc");
    g_assert_cmpfloat(json_array_get_double_element(interval, 0), <=, json_array_get_double_element(interval, 1));

    g_auto(ProgramRun) table = RUN("evaluate", "--from-predictions", path, "--bootstrap", "0");
    assert_contains(table.out, "\neach class against all others\n");
    assert_contains(table.out, "\nmacro: mean over the classes");
    assert_contains(table.out, "equalized odds, mean of gaps (EO)      37.50     0.00 – 67.76  class 1\n");
    g_autofree char *saved = data_write(folder, "three.json", run.out);
    g_auto(ProgramRun) mean = RUN("evaluate", "--average", "--json", "--allow", "same-set", saved, saved);
    assert_contains(mean.err, "are one file");
    g_autoptr(JsonNode) averaged = program_json(mean.out);
    g_assert_cmpfloat(at(json_node_get_object(averaged), "worst", NULL, "auc"), ==, at(object, "worst", NULL, "auc"));
    assert_tampered(run.out, "\"selection_rate\" : 0.6,", "\"selection_rate\" : 0.8,", "but its groups give");
    assert_tampered(run.out, "\"classes\" : [", "\"classes\" : [ {}, {}, {} ], \"more\" : [", "'target' is missing");
    assert_tampered(run.out, "\"classes\" : [", "\"classes\" : [ ], \"more\" : [",
                    "was predicted rightly, but is not among them");
}

static void test_positive(void)
{
    static const char names[] = "probability_young,probability_adult,probability_very old";
    g_auto(GStrv) parts = g_strsplit(three_classes, "probability_0,probability_1,probability_2", 2);
    g_autofree char *named = g_strconcat(parts[0], names, parts[1], NULL);
    g_autofree char *path = data_write(folder, "named.csv", named);
    g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--json", "--positive", "adult", "--require",
                                 "equal_opportunity<=0.5", "--require", "worst.equalized_odds<=0.375");
    g_assert_cmpint(run.status, ==, 0);
    g_autoptr(JsonNode) root = program_json(run.out);
    JsonObject *object = json_node_get_object(root);
    g_assert_cmpint(json_object_get_int_member(object, "positive"), ==, 1);
    g_assert_cmpfloat(at(object, NULL, "equalized_odds", "mean"), ==, 0.375);
    g_assert_cmpstr(json_array_get_string_element(json_object_get_array_member(object, "class_names"), 2), ==,
                    "very old");
    JsonObject *group = json_array_get_object_element(json_object_get_array_member(object, "groups"), 5);
    g_assert_cmpstr(json_object_get_string_member(group, "class"), ==, "very old");
    g_auto(ProgramRun) table = RUN("evaluate", "--from-predictions", path, "--positive", "2", "--bootstrap", "0");
    assert_contains(table.out, "positive class: 2 very old\n");
    assert_contains(table.out, "\n2 very old      b                 2     50.00     50.00\n");
    g_auto(ProgramRun) wrong = RUN("evaluate", "--from-predictions", path, "--positive", "old");
    g_assert_cmpint(wrong.status, ==, 2);
    assert_contains(wrong.err, "--positive: 'old' is no class; there are 0 to 2, called young, adult, very old");
    g_auto(ProgramRun) gate = RUN("evaluate", "--from-predictions", path, "--require", "equalized_odds<=1", "-q");
    g_assert_cmpint(gate.status, ==, 3);
    assert_contains(gate.err, "put macro or worst");
}

static void test_class_columns(void)
{
    static const struct {
        const char *text;
        const char *message;
    } bad[] = {
        { "target,protected,probability_0,probability_1,probability_3\n0,a,1,0,0\n", "but no probability_2" },
        { "target,protected,probability_0,probability_1,probability_2\n3,a,1,0,0\n", "has the class 3" },
        { "target,protected,probability_0,probability_1,probability_2\n0,a,1,0,1.5\n", "a probability from 0 to 1" },
        { "target,protected,probability_0,probability_1,probability_2\n0,a,1,,0\n",
          "column 'probability_1': there is no value" },
        { "target,protected,probability_0,probability_1,probability_2\n0,a,1,nan,0\n",
          "column 'probability_1': 'nan' stands for a missing value" },
        { "target,protected,probability_x\n0,a,1\n", "none of the columns" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *path = data_write(folder, "bad.csv", bad[i].text);
        g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path);
        if (run.status != 2)
            g_error("status %d for:\n%s%s", run.status, bad[i].text, run.err);
        assert_contains(run.err, bad[i].message);
    }
    /* Of two classes the second is class 1; what else begins with the word is left alone beside a probability. */
    g_assert_cmpfloat(
        json_accuracy("pair.csv", "target,protected,probability_0,probability_1\n1,a,0.4,0.6\n0,b,0.9,0.1\n", NULL), ==,
        1);
    g_assert_cmpfloat(
        json_accuracy("raw.csv", "target,protected,probability,probability_raw,probability_old\n1,a,0.6,7,x\n", NULL),
        ==, 1);
}

/* --- Protected labels by themselves --- */

static void test_by_group(void)
{
    g_autofree char *path = data_write(folder, "answers.csv", program_answers);
    g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--json");
    g_autoptr(JsonNode) root = program_json(run.out);
    JsonArray *labels = json_object_get_array_member(json_node_get_object(root), "by_group");
    JsonObject *b = json_array_get_object_element(labels, 1);
    g_assert_cmpstr(json_object_get_string_member(b, "protected"), ==, "b");
    g_assert_cmpfloat(at(b, NULL, NULL, "fnr"), ==, 0);
    g_assert_cmpfloat(at(b, NULL, NULL, "tnr"), ==, 0.5);
    g_assert_cmpfloat_with_epsilon(at(b, NULL, NULL, "precision"), 2.0 / 3, 1e-15);
    g_assert_cmpfloat(at(b, NULL, NULL, "auc"), ==, 0.75); /* 0.5 of class 0 beats 0 */
    g_auto(ProgramRun) table =
        RUN("evaluate", "--from-predictions", path, "--bootstrap", "0", "--by-group", "precision, false_negative_rate");
    assert_contains(table.out, "protected                 n       FNR precision\n");
    assert_contains(table.out, "\nb                         4      0.00     66.67\n");
    g_auto(ProgramRun) all = RUN("evaluate", "--from-predictions", path, "--bootstrap", "0", "--by-group", "all");
    assert_contains(all.out,
                    "  balanced       TPR       FPR       TNR       FNR precision  selected       AUC   calibr.\n");
    g_auto(ProgramRun) wrong = RUN("evaluate", "--from-predictions", path, "--by-group", "precison");
    g_assert_cmpint(wrong.status, ==, 2);
    assert_contains(wrong.err, "did you mean 'precision'?");
    g_auto(ProgramRun) none = RUN("evaluate", "--from-predictions", path, "--by-group", "");
    g_assert_cmpint(none.status, ==, 2);
    g_autofree char *three = data_write(folder, "three.csv", three_classes);
    g_auto(ProgramRun) of_classes =
        RUN("evaluate", "--from-predictions", three, "--bootstrap", "0", "--by-group", "accuracy,tpr");
    assert_contains(of_classes.out, "\nclass 2 against all others\nprotected                 n       TPR\n");
}

/* --- Evidence --- */

static void test_evidence(void)
{
    g_autofree char *path = data_write(folder, "answers.csv", program_answers);
    g_auto(ProgramRun) run =
        RUN("evaluate", "--from-predictions", path, "--json", "--seed", "18446744073709551615", "--bootstrap", "7");
    g_autoptr(JsonNode) root = program_json(run.out);
    JsonObject *evidence = json_object_get_object_member(json_node_get_object(root), "evidence");
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, program_answers, -1);
    g_assert_cmpstr(json_object_get_string_member(evidence, "data_sha256"), ==, hash);
    g_assert_cmpstr(json_object_get_string_member(evidence, "version"), ==, aimf_version());
    g_assert_cmpfloat(at(evidence, NULL, NULL, "threshold"), ==, 0.5);
    g_assert_true(json_object_get_null_member(evidence, "model_sha256"));
    g_assert_true(json_object_get_null_member(evidence, "engine"));
    JsonObject *bootstrap = json_object_get_object_member(evidence, "bootstrap");
    g_assert_cmpint(json_object_get_int_member(bootstrap, "resamples"), ==, 7);
    g_assert_cmpstr(json_object_get_string_member(bootstrap, "seed"), ==, "18446744073709551615");
    g_autofree char *decided = data_write(folder, "decided.csv", "target,protected,prediction\n1,a,1\n0,b,0\n");
    g_auto(ProgramRun) classes = RUN("evaluate", "--from-predictions", decided, "--json", "--seed", "3");
    g_autoptr(JsonNode) of_classes = program_json(classes.out);
    evidence = json_object_get_object_member(json_node_get_object(of_classes), "evidence");
    g_assert_true(json_object_get_null_member(evidence, "threshold")); /* they were classes already */
    g_assert_cmpint(json_object_get_int_member(json_object_get_object_member(evidence, "bootstrap"), "seed"), ==, 3);
}

/* Eighty two of a hundred are not 0.81999999999999995. */
static void test_short_numbers(void)
{
    g_autoptr(GString) text = g_string_new("target,protected,prediction\n");
    for (int i = 0; i < 100; i++)
        g_string_append_printf(text, "%d,%s,%d\n", i % 2, i % 4 < 2 ? "a" : "b", i < 82 ? i % 2 : 1 - i % 2);
    g_autofree char *path = data_write(folder, "hundred.csv", text->str);
    g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--json");
    assert_contains(run.out, "\"accuracy\" : 0.82,\n");
}

/* --- What must be refused --- */

static void test_bad_csv(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        { "", "the file is empty" },
        { "target,protected,prediction\n", "no rows" },
        { "protected,prediction\na,1\n", "'target'" },
        { "target,prediction\n1,1\n", "'protected'" },
        { "target,protected\n1,a\n", "none of the columns logit, probability and prediction" },
        { "target,protected,logit\n1,a,nan\n", "bad.csv:2: column 'logit': 'nan' stands for a missing value" },
        { "target,protected,logit\n1,a,high\n", "expected a logit, found 'high'" },
        { "target,protected,logit\n1,a,\n", "column 'logit': there is no value" },
        { "target,protected,logit\n1,a,1x\n", "expected a logit" },
        { "target,protected,probability\n1,a,1.01\n", "a probability from 0 to 1" },
        { "target,protected,probability\n1,a,-0.01\n", "a probability from 0 to 1" },
        { "target,protected,prediction\n1,a,-1\n", "a class number" },
        { "target,protected,prediction\n1,a,0.5\n", "a class number" },
        { "target,protected,prediction\n99999999,a,1\n", "a class number" },
        { "target,protected,prediction\n1000,a,1\n", "a class number from 0 to 999" },
        { "target,protected,prediction\n1,a,1000\n", "a class number from 0 to 999" },
        { "target,protected,prediction\n-1,a,1\n", "a class number" },
        { "target,protected,prediction\n1,,1\n", "column 'protected': there is no value" },
        { "target,protected,prediction\n1,a\n", ":2" },
        { "target,protected,logit\n2,a,1\n", "3 classes" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = data_write(folder, "bad.csv", cases[i].text);
        g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path);
        if (run.status != 2)
            g_error("status %d for:\n%s%s", run.status, cases[i].text, run.err);
        assert_contains(run.err, cases[i].message);
        assert_contains(run.err, "bad.csv");
        g_assert_cmpstr(run.out, ==, "");
    }
}

/* 'b' with a blank behind it is the label 'b'; what is missing is left out when that is wanted, and counted. */
static void test_labels(void)
{
    static const char blanks[] = "target,protected,prediction\n"
                                 "1,a,1\n1,a,1\n1,b,1\n1,b ,0\n0,a,0\n0,a,0\n0,b,0\n0,b ,0\n0,None,1\n";
    g_autofree char *path = data_write(folder, "blanks.csv", blanks);
    g_auto(ProgramRun) refused = RUN("evaluate", "--from-predictions", path);
    g_assert_cmpint(refused.status, ==, 2);
    assert_contains(refused.err, "blanks.csv:10: column 'protected': 'None' stands for a missing value");
    g_auto(ProgramRun) dropped = RUN("evaluate", "--from-predictions", path, "--missing", "drop", "--json");
    assert_contains(dropped.err, "1 row with missing values left out");
    g_autoptr(JsonNode) root = program_json(dropped.out);
    JsonObject *object = json_node_get_object(root);
    g_assert_cmpfloat(json_object_get_double_member(object, "worst_group_accuracy"), ==, 0.5);
    g_assert_cmpfloat(json_object_get_double_member(json_object_get_object_member(object, "equalized_odds"), "mean"),
                      ==, 0.25);
    g_assert_cmpint(json_object_get_int_member(object, "dropped"), ==, 1);
    g_auto(ProgramRun) kept = RUN("evaluate", "--from-predictions", path, "--missing", "keep");
    assert_contains(kept.out, "\n0       None ");
    g_autofree char *alike =
        data_write(folder, "alike.csv", "target,protected,prediction\n1,light skin,1\n1,Light skin,0\n");
    g_auto(ProgramRun) warned = RUN("evaluate", "--from-predictions", alike);
    assert_contains(warned.err, "'Light skin' (1 row) and 'light skin' (1)");
    assert_contains(warned.out, "1       \"light skin\" ");
    g_auto(ProgramRun) merged = RUN("evaluate", "--from-predictions", alike, "--merge-labels");
    g_assert_cmpstr(merged.err, ==, "");
    g_assert_null(strstr(merged.out, "\"light skin\""));
    g_auto(ProgramRun) wrong = RUN("evaluate", "--from-predictions", alike, "--missing", "ignore");
    assert_contains(wrong.err, "--missing is one of error, drop, keep, not 'ignore'");
}

/* What a table says twice, and differently, is told: as a warning, for its numbers may still be what is meant. */
static void test_contradictions(void)
{
    static const struct {
        const char *text, *says; /* NULL: nothing */
    } cases[] = {
        { "target,protected,logit,probability\n1,a,2,0.88\n0,b,-1,0.27\n", NULL },
        { "target,protected,logit,probability\n1,a,2,0.88\n0,b,2,0.1\n1,b,0,0.9\n",
          "line 3: the logit's sigmoid is 0.8808 and the probability 0.1 (such rows: 2 of 3)" },
        { "target,protected,probability,probability_0,probability_1\n1,a,0.9,0.1,0.9\n0,b,0.9,0.9,0.1\n",
          "line 3: the probability is 0.9 and that of class 1 0.1" },
        { "target,protected,probability_0,probability_1\n1,a,0.1,0.9\n0,b,0.9,0.6\n",
          "line 3: the probabilities of the classes add up to 1.5, not to 1" },
        { "target,protected,probability_0,probability_1,probability_2\n1,a,0.1,0.8,0.1\n2,b,0.3,0.3,0.1\n",
          "line 3: the probabilities of the classes add up to 0.7, not to 1" },
        { "target,protected,prediction,probability_0,probability_1,probability_2\n1,a,0,0.1,0.8,0.1\n2,b,2,0,0,1\n",
          "line 2: the prediction is class 0 and the most probable class 1" },
        { "target,protected,prediction,probability\n1,a,1,0.7\n0,b,0,0.6\n", NULL },
        { "target,protected,prediction,probability\n1,a,1,0.3\n0,b,0,0.8\n",
          "no single threshold makes the predictions of the probabilities: line 2 is class 1 at 0.3, line 3 class 0 at "
          "0.8" },
        { "target,protected,prediction,probability_0,probability_1,probability_2\n1,a,1,0.4,0.4,0.2\n2,b,2,0,0,1\n",
          NULL },
        { "target,protected,prediction,probability\n1,a,1,0.61\n0,b,0,0.62\n", NULL }, /* rounding */
        { "target,protected,prediction,probability\n1,a,2,0.4\n0,b,0,0.9\n", NULL },   /* of the predicted class */
        { "target,protected,prediction,class\n1,a,1,cat\n0,b,0,dog\n1,b,1,dog\n",
          "line 4: class 1 is called 'dog', and 'cat' before" },
        { "path,target,protected,prediction\nx.png,1,a,1\ny.png,0,b,0\nx.png,0,a,1\n",
          "line 4: 'x.png' has the target 0, and 1 before" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = data_write(folder, "said.csv", cases[i].text);
        g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--json", "--bootstrap", "0");
        g_assert_cmpint(run.status, ==, 0);
        if (!cases[i].says)
            g_assert_cmpstr(run.err, ==, "");
        else
            assert_contains(run.err, cases[i].says);
        g_assert_cmpint(strstr(run.out, "\"contradiction\"") != NULL, ==, cases[i].says != NULL);
    }
}

/* Names come from the column class; a class that is never predicted is called by its number. */
static void test_named_predictions(void)
{
    g_autofree char *path = data_write(folder, "named.csv",
                                       "target,protected,prediction,class\n"
                                       "0,a,0,cat\n1,b,1,Dog\n2,a,0, cat\n2,b,1,Dog\n");
    g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--json", "--positive", "dog");
    g_assert_cmpint(run.status, ==, 0);
    g_autoptr(JsonNode) root = program_json(run.out);
    JsonArray *names = json_object_get_array_member(json_node_get_object(root), "class_names");
    g_assert_cmpstr(json_array_get_string_element(names, 0), ==, "cat");
    g_assert_cmpstr(json_array_get_string_element(names, 1), ==, "Dog");
    g_assert_cmpstr(json_array_get_string_element(names, 2), ==, "2");
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(root), "positive"), ==, 1);
    g_auto(ProgramRun) wrong = RUN("evaluate", "--from-predictions", path, "--positive", "Dgo");
    g_assert_cmpint(wrong.status, ==, 2);
    assert_contains(wrong.err, "'Dgo' is no class (did you mean 'Dog'?); there are 0 to 2, called cat, Dog, 2");
}

static void test_wrong_usage(void)
{
    g_autofree char *path = data_write(folder, "answers.csv", program_answers);
    g_autofree char *decided = data_write(folder, "decided.csv", "target,protected,prediction\n1,a,1\n");
    const struct {
        const char *arguments[8];
        const char *message;
    } cases[] = {
        { { "evaluate" }, "--model (or --from-predictions, or --average) is missing; 'aimfair help evaluate'" },
        { { "evaluate", "--model", "m" }, "--data is missing" },
        { { "evaluate", "--model", "/no/such/model", "--data", path }, "/no/such/model" },
        { { "evaluate", "--from-predictions", folder }, folder },
        { { "evaluate", "--from-predictions", path, "--model", "m" }, "exclude each other" },
        { { "evaluate", "--from-predictions", path, "surplus" }, "belong to --average or --compare" },
        { { "evaluate", "--from-predictions", path, "--bootstrap", "-1" }, "--bootstrap is -1" },
        { { "evaluate", "--from-predictions", path, "--bootstrap", "2000000" }, "from 0 to 1000000" },
        { { "evaluate", "--from-predictions", path, "--threshold", "nan" },
          "--threshold is nan; it must be from 0 to 1" },
        { { "evaluate", "--from-predictions", path, "--threshold", "1.5" }, "--threshold is 1.5" },
        { { "evaluate", "--from-predictions", decided, "--threshold", "0.5" }, "a threshold has no meaning" },
        { { "evaluate", "--from-predictions", path, "--seed", "-3" }, "--seed takes" },
        { { "evaluate", "--from-predictions", path, "--threads", "x" }, "--threads takes" },
        { { "evaluate", "--from-predictions", path, "--precision", "f16" }, "--precision is one of f32, bf16" },
        { { "evaluate", "--from-predictions", path, "--quiet", "--verbose" }, "exclude each other" },
        { { "evaluate", "--from-predictions", path, "--positive", "2" },
          "--positive: '2' is no class; there are 0 to 1" },
        { { "evaluate", "--average", "a", "b", "--positive", "1" }, "no meaning with --average" },
        { { "evaluate", "--nonsense" }, "'aimfair help evaluate' lists the options" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(ProgramRun) run = run_program(cases[i].arguments);
        if (run.status != 2)
            g_error("case %zu: status %d: %s", i, run.status, run.err);
        assert_contains(run.err, cases[i].message);
    }
}

static void test_full_device(void)
{
    g_autofree char *path = data_write(folder, "answers.csv", program_answers);
    g_autofree char *command = g_strdup_printf("\"$AIMFAIR\" evaluate --from-predictions '%s' --json >/dev/full", path);
    g_auto(ProgramRun) run = run_shell(command);
    g_assert_cmpint(run.status, ==, 1);
    assert_contains(run.err, "cannot write the results");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = data_folder_new();
    g_test_add_func("/cli-evaluate/json", test_json);
    g_test_add_func("/cli-evaluate/threshold", test_threshold);
    g_test_add_func("/cli-evaluate/table", test_table);
    g_test_add_func("/cli-evaluate/average", test_average);
    g_test_add_func("/cli-evaluate/tampered-result", test_tampered_result);
    g_test_add_func("/cli-evaluate/average-of-old", test_average_of_old);
    g_test_add_func("/cli-evaluate/classes", test_classes);
    g_test_add_func("/cli-evaluate/positive", test_positive);
    g_test_add_func("/cli-evaluate/class-columns", test_class_columns);
    g_test_add_func("/cli-evaluate/by-group", test_by_group);
    g_test_add_func("/cli-evaluate/evidence", test_evidence);
    g_test_add_func("/cli-evaluate/short-numbers", test_short_numbers);
    g_test_add_func("/cli-evaluate/bad-csv", test_bad_csv);
    g_test_add_func("/cli-evaluate/labels", test_labels);
    g_test_add_func("/cli-evaluate/contradictions", test_contradictions);
    g_test_add_func("/cli-evaluate/named-predictions", test_named_predictions);
    g_test_add_func("/cli-evaluate/wrong-usage", test_wrong_usage);
    g_test_add_func("/cli-evaluate/full-device", test_full_device);
    int status = g_test_run();
    data_folder_free(folder);
    return status;
}
