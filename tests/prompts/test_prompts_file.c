/* prompts.json: what is written is read again, and what is no prompts.json is refused with its place. */
#include <aimfair/prompts.h>
#include <glib/gstdio.h>
#include <string.h>

static char *scratch_path(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("aimfair-prompts-XXXXXX", &error);
    g_assert_no_error(error);
    return g_build_filename(folder, name, NULL);
}

static void scratch_remove(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_unlink(path);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

#define GROUP(name, target, protected_text, prompts)                                                                   \
    "{\"name\":\"" name "\",\"target\":" target ",\"protected\":\"" protected_text                                     \
    "\",\"words\":\"smiling woman\",\"prompts\":[" prompts "]}"
#define PROMPT "{\"prompt\":\"A smiling woman.\",\"context\":{\"hair\":\"short hair\",\"light\":\"in the shade\"}}"
#define FILE_OF(groups) "{\"version\":1,\"task\":\"Smiling_Male\",\"origin\":{\"seed\":42},\"groups\":[" groups "]}"

static AimfPrompts *read_text(const char *text, gboolean partial, GError **error)
{
    g_autofree char *path = scratch_path("prompts.json");
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    AimfPrompts *prompts = partial ? aimf_prompts_open_partial(path, error) : aimf_prompts_open(path, error);
    scratch_remove(path);
    return prompts;
}

static void test_round_trip(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfPrompts) prompts = read_text(
        FILE_OF(GROUP("1_0", "1", "0", PROMPT "," PROMPT) "," GROUP("0_1_1", "0", "1_1", PROMPT)), FALSE, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(prompts->task, ==, "Smiling_Male");
    g_assert_cmpstr(prompts->origin, ==, "{\"seed\":42}");
    g_assert_cmpuint(prompts->n_groups, ==, 2);
    g_assert_cmpuint(prompts->groups[0].n_prompts, ==, 2);
    g_assert_cmpstr(prompts->groups[1].protected_group, ==, "1_1");
    const AimfPrompt *prompt = &prompts->groups[0].prompts[1];
    g_assert_cmpuint(prompt->n_contexts, ==, 2);
    g_assert_cmpstr(prompt->dimensions[1], ==, "light");
    g_assert_cmpstr(prompt->contexts[1], ==, "in the shade");

    g_autofree char *first = scratch_path("first.json");
    g_autofree char *second = scratch_path("second.json");
    g_assert_true(aimf_prompts_save(prompts, first, &error));
    g_autoptr(AimfPrompts) again = aimf_prompts_open(first, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_prompts_save(again, second, &error));
    g_autofree char *a = NULL, *b = NULL;
    g_assert_true(g_file_get_contents(first, &a, NULL, NULL));
    g_assert_true(g_file_get_contents(second, &b, NULL, NULL));
    g_assert_cmpstr(a, ==, b);
    scratch_remove(first);
    scratch_remove(second);
}

static void test_text_form(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfPrompts) prompts = read_text(FILE_OF(GROUP("1_0", "1", "0", PROMPT)), FALSE, &error);
    g_assert_no_error(error);
    g_autofree char *path = scratch_path("prompts.txt");
    g_assert_true(aimf_prompts_save_text(prompts, path, &error));
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "Smiling_Male\n\n1_0: smiling woman (1 prompt)\n\n   1. A smiling woman.\n");
    scratch_remove(path);
}

static void test_hostile(void)
{
    static const struct {
        const char *text;
        const char *says;
    } CASES[] = {
        { "", "not JSON" },
        { "[]", "not a JSON object" },
        { "{\"version\":2,\"task\":\"a\",\"groups\":[]}", "'version' must be" },
        { "{\"version\":1,\"groups\":[]}", "'task' is missing" },
        { "{\"version\":1,\"task\":7,\"groups\":[]}", "'task' must be a text" },
        { "{\"version\":1,\"task\":\" \",\"groups\":[" GROUP("1_0", "1", "0", PROMPT) "]}", "'task' must be" },
        { "{\"version\":1,\"task\":\"a\",\"origin\":[],\"groups\":[]}", "'origin' must be an object" },
        { "{\"version\":1,\"task\":\"a\",\"groups\":{}}", "'groups' must be an array" },
        { FILE_OF(""), "1 to 1000 groups, not 0" },
        { FILE_OF("7"), "groups[0] must be an object" },
        { FILE_OF(GROUP("1_0", "1", "0", "")), "'1_0' has no prompts" },
        { FILE_OF(GROUP("1_0", "1", "0", "{\"prompt\":\"\"}")), "'1_0', prompts[0]: 'prompt' must be" },
        { FILE_OF(GROUP("1_0", "1", "0", PROMPT ",{\"prompt\":\" \\n\"}")), "'1_0', prompts[1]: a prompt must" },
        { FILE_OF(GROUP("1_0", "1", "0", "{\"prompt\":\"a\",\"context\":{\"hair\":3}}")), "prompts[0]: 'hair'" },
        { FILE_OF(GROUP("1_0", "1", "0", "{\"prompt\":\"a\",\"context\":[]}")), "'context' must be an object" },
        { FILE_OF(GROUP("1_0", "1.5", "0", PROMPT)), "'target' must be" },
        { FILE_OF(GROUP("1_0", "-1", "0", PROMPT)), "'target' must be" },
        { FILE_OF(GROUP("1_0", "0", "0", PROMPT)), "must be called '0_0'" },
        { FILE_OF(GROUP("../1_0", "1", "0", PROMPT)), "plain folder name" },
        { FILE_OF(GROUP("..", "1", "0", PROMPT)), "plain folder name" },
        { FILE_OF(GROUP("1_a/b", "1", "a/b", PROMPT)), "plain folder name" },
        { FILE_OF(GROUP("1_a\\u001b[2J", "1", "a\\u001b[2J", PROMPT)), "plain folder name" },
        { FILE_OF(GROUP("1_0", "1", "0", PROMPT) "," GROUP("1_0", "1", "0", PROMPT)), "'1_0' is there twice" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(read_text(CASES[i].text, FALSE, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
        if (!strstr(error->message, CASES[i].says))
            g_error("expected '%s' in: %s", CASES[i].says, error->message);
    }
}

static void test_partial(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfPrompts) prompts = read_text(FILE_OF(GROUP("1_0", "1", "0", "")), TRUE, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(prompts->groups[0].n_prompts, ==, 0);
}

static void test_long(void)
{
    g_autofree char *words = g_strnfill(AIMF_MAX_PROMPT_BYTES + 1, 'a');
    g_autofree char *text = g_strdup_printf(FILE_OF(GROUP("1_0", "1", "0", "{\"prompt\":\"%s\"}")), words);
    g_autoptr(GError) error = NULL;
    g_assert_null(read_text(text, FALSE, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
}

static void test_nowhere(void)
{
    g_autoptr(GError) missing = NULL;
    g_assert_null(aimf_prompts_open("/nowhere/prompts.json", &missing));
    g_assert_error(missing, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_autoptr(GError) folder = NULL;
    g_assert_null(aimf_prompts_open("/", &folder));
    g_assert_nonnull(folder);

    AimfPromptGroup group = { .name = "1_0", .target = 1, .protected_group = "0", .words = "smiling woman" };
    AimfPrompts prompts = { .task = "a", .origin = "[]", .n_groups = 1, .groups = &group };
    g_autoptr(GError) origin = NULL;
    g_assert_false(aimf_prompts_save(&prompts, "/nowhere/prompts.json", &origin));
    g_assert_error(origin, AIMF_ERROR, AIMF_ERROR_INVALID);
    prompts.origin = NULL;
    g_autoptr(GError) unwritten = NULL;
    g_assert_false(aimf_prompts_save(&prompts, "/nowhere/prompts.json", &unwritten));
    g_assert_nonnull(unwritten);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/prompts-file/round-trip", test_round_trip);
    g_test_add_func("/prompts-file/text-form", test_text_form);
    g_test_add_func("/prompts-file/hostile", test_hostile);
    g_test_add_func("/prompts-file/partial", test_partial);
    g_test_add_func("/prompts-file/long", test_long);
    g_test_add_func("/prompts-file/nowhere", test_nowhere);
    return g_test_run();
}
