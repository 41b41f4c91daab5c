/* `aimfair evaluate --impact` through the real binary; tests/fair/test_impact.c has its numbers. */
#include "cli/support_program.h"
#include "data/support_data.h"

#include <json-glib/json-glib.h>
#include <string.h>

static char *folder;

/* Women 1 of 4, men 2 of 2; one person's sex is unknown, and another's race. */
static const char answers[] = "target,protected,sex,race,probability\n"
                              "0,a,f,w,0.1\n1,a,f,b,0.9\n0,b,f,w,0.2\n1,b,f,b,0.3\n"
                              "0,a,m,w,0.8\n1,a, m ,,0.7\n0,b,NA,w,0.6\n";

static JsonObject *category_at(JsonArray *tables, guint table, guint category)
{
    JsonObject *object = json_array_get_object_element(tables, table);
    return json_array_get_object_element(json_object_get_array_member(object, "categories"), category);
}

static void test_json(void)
{
    g_autofree char *path = data_write(folder, "answers.csv", answers);
    g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--json", "--impact", "sex, race");
    g_assert_cmpint(run.status, ==, 0);
    g_assert_cmpstr(run.err, ==, "");
    g_autoptr(JsonNode) root = json_from_string(run.out, NULL);
    JsonArray *impact = json_object_get_array_member(json_node_get_object(root), "impact");
    g_assert_cmpuint(json_array_get_length(impact), ==, 3);
    JsonObject *sex = json_array_get_object_element(impact, 0);
    g_assert_cmpint(json_object_get_int_member(sex, "n"), ==, 7);
    g_assert_cmpint(json_object_get_int_member(sex, "unknown"), ==, 1);
    JsonObject *women = category_at(impact, 0, 0), *men = category_at(impact, 0, 1), *last = category_at(impact, 2, 2);
    g_assert_cmpint(json_object_get_int_member(women, "n"), ==, 4);
    g_assert_cmpint(json_object_get_int_member(women, "selected"), ==, 1);
    g_assert_cmpfloat(json_object_get_double_member(women, "selection_rate"), ==, 0.25);
    g_assert_cmpfloat(json_object_get_double_member(women, "impact_ratio"), ==, 0.25);
    g_assert_true(json_object_get_boolean_member(women, "below_four_fifths"));
    g_assert_false(json_object_get_boolean_member(women, "small"));
    JsonArray *interval = json_object_get_array_member(women, "impact_ratio_interval");
    g_assert_cmpfloat(json_array_get_double_element(interval, 0), <, 0.25);
    g_assert_cmpfloat(json_array_get_double_element(interval, 1), >, 0.25);
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(women, "selection_rate_interval")), ==, 2);
    g_assert_true(json_object_get_boolean_member(men, "reference"));
    g_assert_true(json_object_get_null_member(men, "impact_ratio_interval"));
    g_assert_cmpstr(json_array_get_string_element(json_object_get_array_member(last, "values"), 0), ==, "m");
    g_assert_cmpstr(json_array_get_string_element(json_object_get_array_member(last, "values"), 1), ==, "w");
    JsonObject *scores = json_object_get_object_member(json_node_get_object(root), "impact_scores");
    g_assert_cmpfloat(json_object_get_double_member(scores, "median"), ==, 0.6);
    JsonArray *scoring = json_object_get_array_member(scores, "tables");
    g_assert_cmpint(json_object_get_int_member(category_at(scoring, 0, 1), "above_median"), ==, 2);
    g_assert_cmpfloat(json_object_get_double_member(category_at(scoring, 0, 0), "scoring_rate"), ==, 0.25);
    g_auto(ProgramRun) plain = RUN("evaluate", "--from-predictions", path, "--json");
    g_assert_null(strstr(plain.out, "impact"));
}

static void test_table(void)
{
    g_autofree char *path = data_write(folder, "answers.csv", answers);
    g_auto(ProgramRun) run = RUN("evaluate", "--from-predictions", path, "--impact", "sex,race", "--bootstrap", "0");
    g_assert_cmpint(run.status, ==, 0);
    assert_contains(run.out, "\nimpact ratios: selected are those who were predicted as class 1\n");
    assert_contains(run.out, "\nsex: 7 samples, 1 of unknown category left out\n");
    assert_contains(run.out, "\nf                4     66.67         1     25.00   4.56 – 69.94     0.250   ");
    assert_contains(run.out, "\nm                2     33.33         2    100.00   34.24 – 100.00   1.000 ");
    assert_contains(run.out, "\nsex × race: 7 samples, 2 of unknown category left out\ncategory ");
    assert_contains(run.out, "\nf × b            2     40.00         1     50.00   ");
    assert_contains(run.out, "those whose probability is above the median, 0.6\n");
    g_assert_null(strstr(run.out, "nan"));
    g_assert_null(strstr(run.out, "<2%"));
}

/* Spellings and words for nothing as of labels elsewhere; a word of the table's own for it is told. */
static void test_labels(void)
{
    g_autofree char *path = data_write(folder, "labels.csv",
                                       "target,protected,sex,prediction\n"
                                       "0,a,F,1\n1,a,f,0\n1,b,F,0\n0,b,Unknown,1\n1,b,None,1\n");
    g_auto(ProgramRun) told = RUN("evaluate", "--from-predictions", path, "--json", "--impact", "sex");
    g_assert_cmpint(told.status, ==, 0);
    assert_contains(told.err, "column 'sex': 'F' (2 rows) and 'f' (1); --merge-labels joins them");
    assert_contains(told.err, "'Unknown' of column 'sex' counts as a category like any other");
    assert_contains(told.out, "\"unknown-category\"");
    g_auto(ProgramRun) joined =
        RUN("evaluate", "--from-predictions", path, "--impact", "sex", "--merge-labels", "--missing", "keep");
    g_assert_cmpint(joined.status, ==, 0);
    assert_contains(joined.out, "\nF                3 ");
    assert_contains(joined.out, "\nNone             1 ");
    g_autofree char *lacking =
        data_write(folder, "lacking.csv", "target,protected,prediction\n0,a,1\n1,a,0\n1,,0\n0,b,1\n");
    g_auto(ProgramRun) strict = RUN("evaluate", "--from-predictions", lacking, "--impact", "protected");
    g_assert_cmpint(strict.status, ==, 2); /* it is a group of the other measures too */
    assert_contains(strict.err, "lacking.csv:4: column 'protected': there is no value");
    g_auto(ProgramRun) dropped =
        RUN("evaluate", "--from-predictions", lacking, "--impact", "protected", "--missing", "drop", "--json");
    g_autoptr(JsonNode) root = json_from_string(dropped.out, NULL);
    JsonObject *object = json_node_get_object(root);
    JsonObject *table = json_array_get_object_element(json_object_get_array_member(object, "impact"), 0);
    g_assert_cmpint(json_object_get_int_member(object, "n"), ==, 3);
    g_assert_cmpint(json_object_get_int_member(object, "dropped"), ==, 1);
    g_assert_cmpint(json_object_get_int_member(table, "n"), ==, 4);
    g_assert_cmpint(json_object_get_int_member(table, "unknown"), ==, 1);
}

static void test_wrong_usage(void)
{
    g_autofree char *path = data_write(folder, "answers.csv", answers);
    g_autofree char *three =
        data_write(folder, "three.csv", "target,protected,sex,prediction\n0,a,f,1\n1,a,m,0\n2,b,f,2\n");
    const struct {
        const char *arguments[8];
        const char *message;
    } cases[] = {
        { { "evaluate", "--from-predictions", path, "--impact", "sec" }, "no column 'sec' (did you mean 'sex'?)" },
        { { "evaluate", "--from-predictions", path, "--impact", "sex,race,sex" }, "'sex' is named twice" },
        { { "evaluate", "--from-predictions", path, "--impact", "sex,,race" }, "not 'sex,,race'" },
        { { "evaluate", "--from-predictions", path, "--impact", "a,b,c,d,e,f,g,h,i" }, "1 to 8 columns, not of 9" },
        { { "evaluate", "--from-predictions", three, "--impact", "sex" }, "(--positive)" },
        { { "evaluate", "--average", "a", "b", "--impact", "sex" }, "no meaning with --compare and --average" },
        { { "evaluate", "--compare", path, path, "--impact", "sex" }, "no meaning with --compare and --average" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(ProgramRun) run = run_program(cases[i].arguments);
        if (run.status != 2)
            g_error("case %zu: status %d: %s", i, run.status, run.err);
        assert_contains(run.err, cases[i].message);
    }
    g_auto(ProgramRun) named = RUN("evaluate", "--from-predictions", three, "--impact", "sex", "--positive", "2");
    g_assert_cmpint(named.status, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = data_folder_new();
    g_test_add_func("/cli-evaluate-impact/json", test_json);
    g_test_add_func("/cli-evaluate-impact/table", test_table);
    g_test_add_func("/cli-evaluate-impact/labels", test_labels);
    g_test_add_func("/cli-evaluate-impact/wrong-usage", test_wrong_usage);
    int status = g_test_run();
    data_folder_free(folder);
    return status;
}
