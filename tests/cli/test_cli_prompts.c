/* aimfair prompts through the real binary. */
#include "cli/support_program.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

static char *folder;

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        g_error("expected '%s' in:\n%s", part, text);
}

static JsonObject *parse(const char *text, JsonParser **parser)
{
    g_autoptr(GError) error = NULL;
    *parser = json_parser_new();
    json_parser_load_from_data(*parser, text, -1, &error);
    g_assert_no_error(error);
    return json_node_get_object(json_parser_get_root(*parser));
}

static void test_compose(void)
{
    g_autofree char *output = in_folder("prompts.json"), *again = in_folder("again.json");
    g_autofree char *text = in_folder("prompts.txt");
    g_auto(ProgramRun) run = RUN("prompts", "--target", "Smiling", "--protected", "Male", "--count", "12", "--seed",
                                 "5", "-o", output, "--text", text, "--json");
    g_assert_cmpint(run.status, ==, 0);
    g_autoptr(JsonParser) parser = NULL;
    JsonObject *summary = parse(run.out, &parser);
    g_assert_cmpstr(json_object_get_string_member(summary, "task"), ==, "Smiling_Male");
    g_assert_cmpstr(json_object_get_string_member(summary, "tokens"), ==, "estimated");
    JsonArray *groups = json_object_get_array_member(summary, "groups");
    g_assert_cmpuint(json_array_get_length(groups), ==, 4);
    g_assert_cmpint(json_object_get_int_member(json_array_get_object_element(groups, 3), "prompts"), ==, 12);
    g_assert_true(json_object_has_member(summary, "balance"));
    g_autofree char *people = NULL;
    g_assert_true(g_file_get_contents(text, &people, NULL, NULL));
    assert_says(people, "1_0: smiling woman (12 prompts)");

    g_auto(ProgramRun) repeated =
        RUN("prompts", "--task", "smiling male", "--count", "12", "--seed", "5", "-o", again, "--quiet");
    g_assert_cmpint(repeated.status, ==, 0);
    g_autofree char *a = NULL, *b = NULL;
    g_assert_true(g_file_get_contents(output, &a, NULL, NULL));
    g_assert_true(g_file_get_contents(again, &b, NULL, NULL));
    g_assert_cmpstr(a, ==, b);

    g_auto(ProgramRun) check = RUN("prompts", "check", output);
    g_assert_cmpint(check.status, ==, 0);
    assert_says(check.out, "48 of 48 prompts accepted, task Smiling_Male");
}

static void test_check(void)
{
    g_autofree char *csv = in_folder("mine.csv");
    g_assert_true(g_file_set_contents(csv,
                                      "group,prompt\n1_0,A smiling woman in a park.\n"
                                      "1_1,\"A smiling man, with a beard \x1b[31m.\"\n1_1,A smiling girl in a boat.\n"
                                      "0_1,A serious man on a bench.\n",
                                      -1, NULL));
    g_auto(ProgramRun) run = RUN("prompts", "check", csv, "--task", "Smiling_Male");
    g_assert_cmpint(run.status, ==, 2);
    assert_says(run.out, "1_1, prompt 1: refused (text)");
    assert_says(run.out, "1_1, prompt 2: refused (opposite): 'girl'");
    assert_says(run.out, "2 of 4 prompts accepted");
    g_assert_null(strchr(run.out, '\x1b'));
    g_auto(ProgramRun) json = RUN("prompts", "check", csv, "--target", "Smiling", "--protected", "Male", "--json");
    g_assert_cmpint(json.status, ==, 2);
    g_autoptr(JsonParser) parser = NULL;
    JsonArray *refused = json_object_get_array_member(parse(json.out, &parser), "refused");
    g_assert_cmpuint(json_array_get_length(refused), ==, 2);
    JsonObject *second = json_array_get_object_element(refused, 1);
    g_assert_cmpstr(json_object_get_string_member(second, "refusal"), ==, "opposite");
    g_assert_cmpint(json_object_get_int_member(second, "index"), ==, 1);

    g_assert_true(g_file_set_contents(csv, "group,prompt\n1_0,A kettle on a stove.\n", -1, NULL));
    g_auto(ProgramRun) unknown = RUN("prompts", "check", csv);
    g_assert_cmpint(unknown.status, ==, 0);
    assert_says(unknown.err, "no task is known by the name 'imported'");
}

static void test_wrong_usage(void)
{
    g_autofree char *output = in_folder("never.json"), *yaml = in_folder("task.yaml");
    g_assert_true(g_file_set_contents(yaml, "name: a\nnonsense: b\n", -1, NULL));
    const struct {
        const char *arguments[12];
        const char *says;
    } cases[] = {
        { { "prompts", "-o", output }, "--task, or --target and --protected" },
        { { "prompts", "--task", "Smiling_Male" }, "-o" },
        { { "prompts", "--target", "Smiling", "-o", output }, "--target and --protected" },
        { { "prompts", "--task", "Smiling_Mule", "-o", output }, "no built-in task" },
        { { "prompts", "--task", yaml, "-o", output }, "task.yaml:2" },
        { { "prompts", "--task", yaml, "-o", yaml }, "-o" },
        { { "prompts", "--task", "Dog_Light", "--count", "0", "-o", output }, "--count" },
        { { "prompts", "--task", "Dog_Light", "--dataset", "celeba", "-o", output }, "--dataset" },
        { { "prompts", "--target", "Smiling", "--protected", "Male", "--dataset", "lfw", "-o", output }, "--dataset" },
        { { "prompts", "--task", "Dog_Light", "--tokenizer", "/nowhere", "-o", output }, "/nowhere" },
        { { "prompts", "--task", "Dog_Light", "-o", "/nowhere/prompts.json" }, "/nowhere" },
        { { "prompts", "check" }, "FILE" },
        { { "prompts", "check", "/nowhere.json" }, "/nowhere.json" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(ProgramRun) run = run_program(cases[i].arguments);
        if (run.status != 2 && strcmp(cases[i].says, "/nowhere") != 0)
            g_error("status %d: %s", run.status, run.err);
        g_assert_cmpint(run.status, !=, 0);
        assert_says(run.err, cases[i].says);
    }
    g_assert_false(g_file_test(output, G_FILE_TEST_EXISTS));
}

static void test_tasks(void)
{
    g_auto(ProgramRun) run = RUN("prompts", "tasks");
    g_assert_cmpint(run.status, ==, 0);
    assert_says(run.out, "Female_White");
    assert_says(run.out, "smiling young woman");
    g_auto(ProgramRun) json = RUN("prompts", "tasks", "--json");
    g_autoptr(JsonParser) parser = NULL;
    JsonArray *tasks = json_object_get_array_member(parse(json.out, &parser), "tasks");
    g_assert_cmpuint(json_array_get_length(tasks), ==, 9);
}

static void test_plain(void)
{
    g_autofree char *output = in_folder("plain.json");
    g_auto(ProgramRun) run = RUN("prompts", "--task", "Smiling_Male", "--plain", "-o", output);
    g_assert_cmpint(run.status, ==, 0);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(output, &text, NULL, NULL));
    assert_says(text, "\"A portrait photo of a smiling woman.\"");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("aimfair-prompts-XXXXXX", NULL);
    g_test_add_func("/cli-prompts/compose", test_compose);
    g_test_add_func("/cli-prompts/check", test_check);
    g_test_add_func("/cli-prompts/wrong-usage", test_wrong_usage);
    g_test_add_func("/cli-prompts/tasks", test_tasks);
    g_test_add_func("/cli-prompts/plain", test_plain);
    int status = g_test_run();
    g_autofree char *command = g_strdup_printf("rm -r '%s'", folder);
    g_auto(ProgramRun) removed = run_shell(command);
    g_assert_cmpint(removed.status, ==, 0);
    g_free(folder);
    return status;
}
