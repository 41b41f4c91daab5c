/* Demands on `aimfair evaluate`; tests/fair/test_verdicts.c has their decisions. */
#include "cli/support_program.h"
#include "data/support_data.h"

#include <json-glib/json-glib.h>
#include <string.h>

static char *folder;

static void test_gates(void)
{
    g_autofree char *path = data_write(folder, "answers.csv", program_answers);
    g_auto(ProgramRun) met = RUN("evaluate", "--from-predictions", path, "--require", "worst_group_accuracy>=0.5",
                                 "--require", "equalized_odds.mean<=0.5");
    g_assert_cmpint(met.status, ==, 0);
    g_auto(ProgramRun) missed = RUN("evaluate", "--from-predictions", path, "--json", "--quiet", "--require",
                                    "accuracy>=0.7", "--require", "worst_group_accuracy>0.5");
    g_assert_cmpint(missed.status, ==, 3);
    assert_contains(missed.err, "not met: worst_group_accuracy>0.5 (worst_group_accuracy is 0.5)");
    g_assert_null(strstr(missed.err, "accuracy>=0.7"));
    g_autoptr(JsonNode) root = program_json(missed.out);
    JsonArray *gates = json_object_get_array_member(json_node_get_object(root), "require");
    g_assert_true(json_object_get_boolean_member(json_array_get_object_element(gates, 0), "met"));
    g_assert_false(json_object_get_boolean_member(json_array_get_object_element(gates, 1), "met"));
    g_auto(ProgramRun) wrong = RUN("evaluate", "--from-predictions", path, "--require", "wst>=0.7");
    g_assert_cmpint(wrong.status, ==, 2);
    assert_contains(wrong.err, "the measures are accuracy");
}

/* @right of 100 in each of the groups 0_a, 0_b, 1_a, 1_b. */
static char *write_hundreds(const char *name, const int right[4])
{
    g_autoptr(GString) text = g_string_new("path,target,protected,prediction\n");
    for (int group = 0; group < 4; group++)
        for (int i = 0; i < 100; i++)
            g_string_append_printf(text, "%d-%d.png,%d,%c,%d\n", group, i, group / 2, 'a' + group % 2,
                                   i < right[group] ? group / 2 : 1 - group / 2);
    return data_write(folder, name, text->str);
}

static void test_demands_for_evidence(void)
{
    g_autofree char *path = write_hundreds("hundreds.csv", (const int[]){ 90, 90, 90, 77 });
    g_autofree char *better = write_hundreds("better.csv", (const int[]){ 90, 90, 85, 90 });
    const struct {
        const char *arguments[9];
        int status;
        const char *out, *err;
    } cases[] = {
        { { "evaluate", "--from-predictions", path, "--require-evidence", "worst_group_accuracy>=0.6" },
          0,
          "worst_group_accuracy>=0.6               0.7700   met\n",
          "" },
        { { "evaluate", "--from-predictions", path, "--require-evidence", "worst_group_accuracy>=0.7", "--require",
            "worst_group_accuracy>=0.7" },
          4,
          "worst_group_accuracy>=0.7               0.7700   not enough evidence\n",
          "not enough evidence: worst_group_accuracy>=0.7 (worst_group_accuracy is 0.77; accuracy of 1_b is 0.77, 95 "
          "%: 0.6751 to 0.8483; with the rates as they are, about 180 of 1_b (there are 100) would settle it)" },
        { { "evaluate", "--from-predictions", path, "--require-evidence", "worst_group_accuracy>=0.7",
            "--require-evidence", "accuracy>=0.95" },
          3,
          "accuracy>=0.95                          0.8675   not met\n",
          "not met: accuracy>=0.95" },
        { { "evaluate", "--compare", path, better, "--require-evidence", "no_group_worse_than<=0.15", "--require",
            "no_group_worse_than<=0.05" },
          0,
          "no_group_worse_than<=0.15               0.0500   met\n",
          "" },
        { { "evaluate", "--compare", path, better, "--require", "no_group_worse_than<=0.04", "--require-evidence",
            "worst_group_accuracy>=0.8" },
          3,
          "worst_group_accuracy>=0.8               0.8500   not enough evidence\n",
          "not met: no_group_worse_than<=0.04 (no_group_worse_than is 0.05)" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(ProgramRun) run = run_program(cases[i].arguments);
        g_assert_cmpint(run.status, ==, cases[i].status);
        assert_contains(run.out, cases[i].out);
        assert_contains(run.err, cases[i].err);
    }
    g_auto(ProgramRun) json = RUN("evaluate", "--from-predictions", path, "--json", "-q", "--require-evidence",
                                  "worst_group_accuracy>=0.7", "--require", "accuracy>=0.8");
    g_autoptr(JsonNode) root = program_json(json.out);
    JsonObject *object = json_node_get_object(root);
    JsonObject *gate = json_array_get_object_element(json_object_get_array_member(object, "require_evidence"), 0);
    g_assert_cmpstr(json_object_get_string_member(gate, "decision"), ==, "not enough evidence");
    g_assert_cmpint(json_object_get_int_member(gate, "n_components"), ==, 4);
    JsonObject *need = json_array_get_object_element(json_object_get_array_member(gate, "needed"), 0);
    g_assert_cmpstr(json_object_get_string_member(need, "pictures"), ==, "1_b");
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(object, "require")), ==, 1);
    g_auto(ProgramRun) junit = RUN("evaluate", "--from-predictions", path, "-q", "--require-evidence",
                                   "worst_group_accuracy>=0.7", "--require", "accuracy>=0.9", "--junit", "-");
    g_assert_cmpint(junit.status, ==, 3);
    assert_contains(junit.out, "<testsuite name=\"aimfair evaluate\" tests=\"2\" failures=\"2\"");
    assert_contains(junit.out, "<failure type=\"not-met\" message=\"not met: accuracy is 0.8675\"/>");
    assert_contains(junit.out, "<failure type=\"not-enough-evidence\"");
}

static void test_evidence_refused(void)
{
    g_autofree char *path = data_write(folder, "answers.csv", program_answers);
    const struct {
        const char *arguments[8];
        const char *message;
    } cases[] = {
        { { "evaluate", "--from-predictions", path, "--require-evidence", "std_group_accuracy<=0.1" },
          "it has a bootstrap alone, which decides nothing; demand it with --require" },
        { { "evaluate", "--from-predictions", path, "--require-evidence", "equalized_odds>=0.1" },
          "evidence can be demanded that a gap is at most so large" },
        { { "evaluate", "--from-predictions", path, "--require", "no_group_worse_than<=0.1" },
          "no_group_worse_than is about --compare" },
        { { "evaluate", "--from-predictions", path, "--junit", "x.xml" }, "--junit is of --require" },
        { { "evaluate", "--from-predictions", path, "--require", "accuracy>=0", "--junit", path }, "--junit" },
        { { "evaluate", "--average", path, path, "--require-evidence", "accuracy>=0" },
          "--require-evidence has no meaning with --average" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(ProgramRun) run = run_program(cases[i].arguments);
        g_assert_cmpint(run.status, ==, 2);
        assert_contains(run.err, cases[i].message);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = data_folder_new();
    g_test_add_func("/cli-evaluate-demands/gates", test_gates);
    g_test_add_func("/cli-evaluate-demands/demands-for-evidence", test_demands_for_evidence);
    g_test_add_func("/cli-evaluate-demands/evidence-refused", test_evidence_refused);
    int status = g_test_run();
    data_folder_free(folder);
    return status;
}
