/* `aimfair evaluate` through the real binary, on answers of another program. */
#include "cli/support_program.h"

#include <aimfair/fair.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static char *folder;

/* Group 0: TPR 1/2, FPR 0; group 1: TPR 1, FPR 1/2. Accuracies of (0,a) (0,b) (1,a) (1,b): 1, 1/2, 1/2, 1. */
static const char answers[] = "id,target,protected,logit\n"
                              "1,0,a,-2\n2,0,a,-1\n3,0,b,-0.5\n4,0,b,0.5\n"
                              "5,1,a,-0.25\n6,1,a,3\n7,1,b,0\n8,1,b,2\n";

static char *write_file(const char *name, const char *text)
{
    char *path = g_build_filename(folder, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        g_error("expected '%s' in:\n%s", part, text);
}

static JsonNode *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    JsonNode *root = json_from_string(text, &error);
    g_assert_no_error(error);
    return root;
}

static void test_json(void)
{
    g_autofree char *path = write_file("answers.csv", answers);
    g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--json", "--seed", "1");
    g_assert_cmpint(run.status, ==, 0);
    g_assert_cmpstr(run.err, ==, "");
    g_autoptr(JsonNode) root = parse(run.out);
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
    g_autofree char *path = write_file(name, text);
    g_auto(ProgramRun) run =
        RUN("evaluate", "--from-predictions", path, "--json", threshold ? "--threshold" : NULL, threshold);
    g_assert_cmpstr(run.err, ==, "");
    g_autoptr(JsonNode) root = parse(run.out);
    return json_object_get_double_member(json_node_get_object(root), "accuracy");
}

static void test_threshold(void)
{
    static const char both[] = "target,protected,probability,prediction\n0,a,0.4,1\n1,a,0.6,1\n1,b,0.5,0\n0,b,0.1,0\n";
    static const char scores[] = "target,protected,probability\n0,a,0.4\n1,a,0.6\n1,b,0.5\n0,b,0.1\n";
    g_assert_cmpfloat(json_accuracy("both.csv", both, NULL), ==, 0.5); /* the column prediction */
    g_assert_cmpfloat(json_accuracy("both.csv", both, "0.5"), ==, 1);  /* 0.5 itself is class 1 */
    g_assert_cmpfloat(json_accuracy("scores.csv", scores, NULL), ==, 1);
    g_assert_cmpfloat(json_accuracy("scores.csv", scores, "0.3"), ==, 0.75);
    g_assert_cmpfloat(json_accuracy("four.csv", "target,protected,prediction\n0,a,0\n1,b,1\n2,a,2\n3,b,0\n", NULL), ==,
                      0.75);
}

static void test_table(void)
{
    g_autofree char *path = write_file("empty.csv", "target,protected,prediction\n0,weiß,0\n1,weiß,1\n0,b,1\n");
    g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--bootstrap", "0");
    g_assert_cmpint(run.status, ==, 0);
    assert_contains(run.out, "1       b                 0         -         -  no samples: left out\n");
    assert_contains(run.out, "1       weiß              1    100.00    100.00\n");
    assert_contains(run.out, "worst group accuracy (WST)              0.00\n");
    assert_contains(run.out, "AUC                                        -\n");
    g_assert_null(strstr(run.out, "nan"));
    g_assert_null(strstr(run.out, "interval"));
}

static void test_gates(void)
{
    g_autofree char *path = write_file("answers.csv", answers);
    g_auto(ProgramRun) met = RUN("evaluate", "--from-predictions", path, "--require", "worst_group_accuracy>=0.5",
                                 "--require", "equalized_odds.mean<=0.5");
    g_assert_cmpint(met.status, ==, 0);
    g_auto(ProgramRun) missed = RUN("evaluate", "--from-predictions", path, "--json", "--quiet", "--require",
                                    "accuracy>=0.7", "--require", "worst_group_accuracy>0.5");
    g_assert_cmpint(missed.status, ==, 3);
    assert_contains(missed.err, "not met: worst_group_accuracy>0.5 (worst_group_accuracy is 0.5)");
    g_assert_null(strstr(missed.err, "accuracy>=0.7"));
    g_autoptr(JsonNode) root = parse(missed.out);
    JsonArray *gates = json_object_get_array_member(json_node_get_object(root), "require");
    g_assert_true(json_object_get_boolean_member(json_array_get_object_element(gates, 0), "met"));
    g_assert_false(json_object_get_boolean_member(json_array_get_object_element(gates, 1), "met"));
    g_auto(ProgramRun) wrong = RUN("evaluate", "--from-predictions", path, "--require", "wst>=0.7");
    g_assert_cmpint(wrong.status, ==, 2);
    assert_contains(wrong.err, "the measures are accuracy");
}

/* --- Averages --- */

static char *save_result(const char *name, const char *text)
{
    g_autofree char *path = write_file("run.csv", text);
    g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--json", "--bootstrap", "10");
    g_assert_cmpint(run.status, ==, 0);
    return write_file(name, run.out);
}

static void test_average(void)
{
    /* Opposite groups fail: each run's worst group is at 0, the averaged groups' worst at 0.5. */
    g_autofree char *a = save_result("a.json", "target,protected,prediction\n0,x,1\n0,y,0\n1,x,1\n1,y,1\n");
    g_autofree char *b = save_result("b.json", "target,protected,prediction\n0,x,0\n0,y,0\n1,x,1\n1,y,0\n");
    g_auto(ProgramRun) run = RUN("evaluate", "--average", "--json", a, b);
    g_assert_cmpint(run.status, ==, 0);
    g_autoptr(JsonNode) root = parse(run.out);
    JsonObject *object = json_node_get_object(root);
    g_assert_cmpfloat(json_object_get_double_member(object, "worst_group_accuracy"), ==, 0.5);
    g_assert_cmpfloat(json_object_get_double_member(object, "std_group_accuracy"), ==, 0.25);
    g_assert_cmpint(json_object_get_int_member(object, "runs"), ==, 2);
    g_autofree char *mean = write_file("mean.json", run.out);
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
    g_autofree char *path = write_file("tampered.json", tampered);
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
    assert_tampered(text, "\"selection_rate\" : 1.0", "\"selection_rate\" : 0.3", "not shares of its 1 samples");
    assert_tampered(text, "\"groups\" : [", "\"groups\" : [], \"more\" : [", "from 1 to");
    assert_tampered(text, "\"groups\" : [", "\"groups\" : [ 1 ], \"more\" : [", "groups[0] must be an object");
    assert_tampered(text, "{", "[", "not JSON");
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
        { "target,protected,logit\n1,a,nan\n", "expected a logit, found 'nan'" },
        { "target,protected,logit\n1,a,\n", "expected a logit" },
        { "target,protected,logit\n1,a,1x\n", "expected a logit" },
        { "target,protected,probability\n1,a,1.01\n", "a probability from 0 to 1" },
        { "target,protected,probability\n1,a,-0.01\n", "a probability from 0 to 1" },
        { "target,protected,prediction\n1,a,-1\n", "a class number" },
        { "target,protected,prediction\n1,a,0.5\n", "a class number" },
        { "target,protected,prediction\n99999999,a,1\n", "a class number" },
        { "target,protected,prediction\n-1,a,1\n", "a class number" },
        { "target,protected,prediction\n1,,1\n", "no protected label" },
        { "target,protected,prediction\n1,a\n", ":2" },
        { "target,protected,logit\n2,a,1\n", "3 classes" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = write_file("bad.csv", cases[i].text);
        g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path);
        if (run.status != 2)
            g_error("status %d for:\n%s%s", run.status, cases[i].text, run.err);
        assert_contains(run.err, cases[i].message);
        assert_contains(run.err, "bad.csv");
        g_assert_cmpstr(run.out, ==, "");
    }
}

static void test_wrong_usage(void)
{
    g_autofree char *path = write_file("answers.csv", answers);
    g_autofree char *decided = write_file("decided.csv", "target,protected,prediction\n1,a,1\n");
    const struct {
        const char *arguments[8];
        const char *message;
    } cases[] = {
        { { "evaluate" }, "--model (or --from-predictions, or --average) is missing; 'aimfair help evaluate'" },
        { { "evaluate", "--model", "m" }, "--data is missing" },
        { { "evaluate", "--model", "/no/such/model", "--data", path }, "/no/such/model" },
        { { "evaluate", "--from-predictions", folder }, folder },
        { { "evaluate", "--from-predictions", path, "--model", "m" }, "exclude each other" },
        { { "evaluate", "--from-predictions", path, "surplus" }, "belong to --average" },
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
    g_autofree char *path = write_file("answers.csv", answers);
    g_autofree char *command = g_strdup_printf("\"$AIMFAIR\" evaluate --from-predictions '%s' --json >/dev/full", path);
    g_auto(ProgramRun) run = run_shell(command);
    g_assert_cmpint(run.status, ==, 1);
    assert_contains(run.err, "cannot write the results");
}

static void remove_folder(void)
{
    g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(directory));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("aimfair-XXXXXX", NULL);
    g_test_add_func("/cli-evaluate/json", test_json);
    g_test_add_func("/cli-evaluate/threshold", test_threshold);
    g_test_add_func("/cli-evaluate/table", test_table);
    g_test_add_func("/cli-evaluate/gates", test_gates);
    g_test_add_func("/cli-evaluate/average", test_average);
    g_test_add_func("/cli-evaluate/tampered-result", test_tampered_result);
    g_test_add_func("/cli-evaluate/bad-csv", test_bad_csv);
    g_test_add_func("/cli-evaluate/wrong-usage", test_wrong_usage);
    g_test_add_func("/cli-evaluate/full-device", test_full_device);
    int status = g_test_run();
    remove_folder();
    return status;
}
