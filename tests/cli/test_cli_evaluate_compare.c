/* `aimfair evaluate --compare`, of one pair and of several seeds, which --average takes too. */
#include "cli/support_program.h"
#include "data/support_data.h"

#include <json-glib/json-glib.h>
#include <string.h>

static char *folder;

/* The table and the JSON of a comparison; tests/fair/test_comparison.c has its numbers. */
static void test_compare(void)
{
    g_autofree char *before =
        data_write(folder, "one.csv", "target,protected,prediction\n0,a,0\n1,a,1\n0,b,1\n1,b,1\n");
    g_autofree char *after = data_write(folder, "two.csv", "target,protected,prediction\n0,a,0\n1,a,0\n0,b,0\n1,b,1\n");
    g_autofree char *other = data_write(folder, "ten.csv", "target,protected,prediction\n0,a,0\n");
    g_auto(ProgramRun) table = RUN("evaluate", "--compare", before, after);
    g_assert_cmpint(table.status, ==, 0);
    assert_contains(table.out, "1       a               1    100.00      0.00   -100.00   ");
    assert_contains(table.out, "1 sample lost, 1 won: McNemar's p is 1 (mid-p), 1 (exact)\n");
    assert_contains(table.err, "group 1_a lost 100.00 points of accuracy");
    g_auto(ProgramRun) json = RUN("evaluate", "--compare", before, after, "--json", "--quiet");
    g_autoptr(JsonNode) root = program_json(json.out);
    JsonObject *comparison = json_object_get_object_member(json_node_get_object(root), "comparison");
    g_assert_cmpint(json_object_get_int_member(comparison, "won"), ==, 1);
    g_assert_nonnull(json_object_get_array_member(json_node_get_object(root), "warnings"));
    g_auto(ProgramRun) changes = RUN("evaluate", "--compare", before, after, "--changes", "-", "--quiet");
    assert_contains(changes.out, "row,target,protected,before,after,change\n2,1,a,1,0,lost\n3,0,b,1,0,won\n");
    const struct {
        const char *arguments[8];
        const char *message;
    } cases[] = {
        { { "evaluate", "--compare", before }, "--compare needs two files" },
        { { "evaluate", "--compare", before, other }, "not of the same test set: 4 samples and 1" },
        { { "evaluate", "--compare", before, after, "--data", "x" }, "--data is for models" },
        { { "evaluate", "--compare", before, "m.safetensors" }, "'m.safetensors' is taken for a model" },
        { { "evaluate", "--average", before, "result.json" }, "--average takes results, or tables" },
        { { "evaluate", "--compare", "--average", before, after }, "exclude each other" },
        { { "evaluate", "--from-predictions", before, "--changes", "x" }, "--changes is of --compare" },
        { { "evaluate", "--compare", before, after, "--changes", before }, "would replace" },
        { { "evaluate", "--from-predictions", before, "--chart", "x.svg" }, "--chart is of --compare" },
        { { "evaluate", "--compare", before, after, "--chart", "x.pdf" },
          "--chart: 'x.pdf' is no name of a picture: it must end in .svg or .png" },
        { { "evaluate", "--compare", before, after, "--chart", "-" }, "must end in .svg or .png" },
        { { "evaluate", "--compare", before, after, "--chart", "/no/such/folder/x.svg" }, "/no/such/folder" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(ProgramRun) run = run_program(cases[i].arguments);
        g_assert_cmpint(run.status, ==, 2);
        assert_contains(run.err, cases[i].message);
    }
}

/* A file that can be opened, and none where it would take the place of another one. */
static void test_chart(void)
{
    g_autofree char *before =
        data_write(folder, "one.csv", "target,protected,prediction\n0,a,0\n1,a,1\n0,b,1\n1,b,1\n");
    g_autofree char *after = data_write(folder, "two.csv", "target,protected,prediction\n0,a,0\n1,a,0\n0,b,0\n1,b,1\n");
    g_autofree char *png = g_build_filename(folder, "chart.png", NULL);
    g_autofree char *svg = g_build_filename(folder, "chart.SVG", NULL), *text = NULL;
    g_autoptr(GError) error = NULL;
    g_auto(ProgramRun) one = RUN("evaluate", "--compare", before, after, "--chart", png, "--quiet");
    g_auto(ProgramRun) two = RUN("evaluate", "--compare", before, after, "--chart", svg, "--json", "--quiet");
    g_assert_cmpint(one.status, ==, 0);
    g_assert_cmpint(two.status, ==, 0);
    assert_contains(one.out, "1 sample lost, 1 won");
    g_autoptr(JsonNode) root = program_json(two.out);
    g_assert_true(JSON_NODE_HOLDS_OBJECT(root));
    g_autoptr(AimfImage) image = aimf_image_open(png, &error);
    g_assert_no_error(error);
    g_assert_cmpint(image->width, >, 1000);
    g_assert_true(g_file_get_contents(svg, &text, NULL, NULL));
    assert_contains(text, "</svg>");
    g_auto(ProgramRun) same = RUN("evaluate", "--compare", before, after, "--changes", svg, "--chart", svg);
    g_assert_cmpint(same.status, ==, 2);
    assert_contains(same.err, "would replace");
}

/* Answers of a seed's model: groups of 25, @lost of them wrong in the last. */
static char *write_run(const char *name, int lost)
{
    g_autoptr(GString) text = g_string_new("path,target,protected,prediction\n");
    for (int i = 0; i < 100; i++) {
        int target = i / 50, label = i / 25 % 2, wrong = i >= 75 ? i < 75 + lost : i % 25 < 2;
        g_string_append_printf(text, "%d.png,%d,%c,%d\n", i, target, 'a' + label, wrong ? 1 - target : target);
    }
    return data_write(folder, name, text->str);
}

static void test_seeds(void)
{
    static const int lost[] = { 4, 6, 5, 8, 7 };
    char *before[5], *after[5];
    for (int i = 0; i < 5; i++) {
        g_autofree char *one = g_strdup_printf("before%d.csv", i), *two = g_strdup_printf("after%d.csv", i);
        before[i] = write_run(one, 12 + i);
        after[i] = write_run(two, lost[i]);
    }
    g_auto(ProgramRun) table = RUN("evaluate", "--compare", before[0], before[1], before[2], before[3], before[4],
                                   after[0], after[1], after[2], after[3], after[4], "--bootstrap", "100", "-q");
    g_assert_cmpint(table.status, ==, 0);
    assert_contains(table.out, "5 pairs, 100 samples\n");
    /* 8, 7, 9, 7 and 9 pictures of 25 better: the mean of 32 points, its t interval of 4 degrees of freedom */
    assert_contains(table.out, "accuracy of 1_b                     +32.00 ± 4.00 ");
    assert_contains(table.out, "+27.03 … +36.97 ");
    g_auto(ProgramRun) json = RUN("evaluate", "--compare", before[0], before[1], after[0], after[1], "--json", "-q");
    g_autoptr(JsonNode) root = program_json(json.out);
    JsonObject *object = json_node_get_object(root);
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(object, "pairs")), ==, 2);
    JsonObject *accuracy = json_array_get_object_element(json_object_get_array_member(object, "changes"), 0);
    g_assert_cmpstr(json_object_get_string_member(accuracy, "measure"), ==, "accuracy");
    g_assert_true(json_object_get_null_member(accuracy, "over_seeds"));
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(accuracy, "over_pictures")), ==, 2);
    g_auto(ProgramRun) mean =
        RUN("evaluate", "--average", before[0], before[1], before[2], "--json", "-q", "--require", "accuracy>=0.9");
    g_assert_cmpint(mean.status, ==, 3);
    g_autoptr(JsonNode) average = program_json(mean.out);
    JsonObject *of_mean = json_node_get_object(average);
    g_assert_cmpint(json_object_get_int_member(of_mean, "runs"), ==, 3);
    accuracy = json_array_get_object_element(json_object_get_array_member(of_mean, "seeds"), 0);
    g_assert_cmpfloat_with_epsilon(json_object_get_double_member(accuracy, "mean"), 0.81, 1e-12);
    g_assert_cmpfloat_with_epsilon(json_object_get_double_member(accuracy, "deviation"), 0.01, 1e-12);
    const struct {
        const char *arguments[10];
        const char *message;
    } cases[] = {
        { { "evaluate", "--compare", before[0], before[1], after[0] }, "--compare needs two files" },
        { { "evaluate", "--compare", before[0], before[0], after[0], after[1] }, "are the same answers" },
        { { "evaluate", "--compare", before[0], after[0], before[0], after[0] }, "are the same answers" },
        { { "evaluate", "--compare", before[0], before[1], after[0], after[1], "--changes", "x" }, "about one pair" },
        { { "evaluate", "--average", before[0], before[0] }, "are the same answers" },
        { { "evaluate", "--average", before[0], before[1], "--data", "x" }, "--data is for models" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(ProgramRun) run = run_program(cases[i].arguments);
        g_assert_cmpint(run.status, ==, 2);
        assert_contains(run.err, cases[i].message);
    }
    for (int i = 0; i < 5; i++) {
        g_free(before[i]);
        g_free(after[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = data_folder_new();
    g_test_add_func("/cli-evaluate-compare/compare", test_compare);
    g_test_add_func("/cli-evaluate-compare/chart", test_chart);
    g_test_add_func("/cli-evaluate-compare/seeds", test_seeds);
    int status = g_test_run();
    data_folder_free(folder);
    return status;
}
