#include "cli/support_program.h"
#include "prompts/support_llm_server.h"

#include <aimfair/prompts.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#define KEY "sk-3f9-never-shown"
enum { COUNT = 6 };

/* The composer's own prompts as contexts of a model's making. */
static char *play_model(const char *user, guint index, gpointer data)
{
    (void)user;
    const AimfPromptGroup *stock = &((const AimfPrompts *)data)->groups[0];
    GString *text = g_string_new("{\"prompts\": [");
    for (guint i = 0; i < 3; i++) {
        const AimfPrompt *prompt = &stock->prompts[(3 * index + i) % stock->n_prompts];
        g_string_append(text, i ? ", {" : "{");
        for (guint c = 0; c < prompt->n_contexts; c++)
            g_string_append_printf(text, "%s\"%s\": \"%s\"", c ? ", " : "", prompt->dimensions[c], prompt->contexts[c]);
        g_string_append_c(text, '}');
    }
    g_string_append(text, "]}");
    return g_string_free(text, FALSE);
}

typedef struct {
    AimfPrompts *stock;
    LlmServer *server;
    char *folder;
} Scene;

static void scene_init(Scene *scene, const LlmAct *acts, guint n)
{
    g_autoptr(AimfTask) task = aimf_task_find("Smiling_Male", NULL);
    AimfComposeOptions options = { .count = 60, .seed = 3 };
    scene->stock = aimf_prompts_compose(task, &options, NULL);
    g_assert_nonnull(scene->stock);
    scene->server = llm_server_new(acts, n, NULL, play_model, scene->stock);
    scene->folder = g_dir_make_tmp("aimfair-XXXXXX", NULL);
}

/* Every file that the program left: none of them has the key. */
static void scene_clear(Scene *scene)
{
    g_autoptr(GDir) dir = g_dir_open(scene->folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(scene->folder, name, NULL);
        g_autofree char *text = NULL;
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        g_assert_null(strstr(text, KEY));
        g_unlink(path);
    }
    g_assert_cmpint(g_rmdir(scene->folder), ==, 0);
    llm_server_free(scene->server);
    aimf_prompts_free(scene->stock);
    g_free(scene->folder);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Scene, scene_clear)

static const char *unless(const char *more, const char *option, const char *otherwise)
{
    return strstr(more, option) ? "" : otherwise;
}

/*
 * Runs aimfair prompts against the server, with the key in the environment; @before: shell words such as "timeout -s
 * INT 1".
 */
static ProgramRun run(const Scene *scene, const char *before, const char *more)
{
    g_autofree char *url = g_strconcat("--llm ", llm_server_url(scene->server), NULL);
    g_autofree char *command = g_strdup_printf(
        "cd %s && AIMFAIR_LLM_API_KEY=" KEY " %s \"$AIMFAIR\" prompts --task Smiling_Male --count %d "
        "--llm-model tiny -o prompts.json %s %s %s %s",
        scene->folder, before, COUNT, unless(more, "--llm ", url), unless(more, "--llm-batch", "--llm-batch 3"),
        unless(more, "--llm-log", "--llm-log log.jsonl"), more);
    ProgramRun result = run_shell(command);
    g_test_message("%d\n%s%s", result.status, result.out, result.err);
    g_assert_null(strstr(result.out, KEY));
    g_assert_null(strstr(result.err, KEY));
    return result;
}

static gboolean has_file(const Scene *scene, const char *name)
{
    g_autofree char *path = g_build_filename(scene->folder, name, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void test_prompts(void)
{
    static const LlmAct acts[] = { LLM_TELLTALE, LLM_GOOD };
    g_auto(Scene) scene;
    scene_init(&scene, acts, 2);
    g_auto(ProgramRun) made = run(&scene, "", "--json --verbose");
    g_assert_cmpint(made.status, ==, 0);
    g_autoptr(JsonNode) root = json_from_string(made.out, NULL);
    JsonObject *llm = json_object_get_object_member(json_node_get_object(root), "llm");
    g_assert_cmpint(json_object_get_int_member(llm, "requests"), ==, llm_server_count(scene.server));
    g_assert_cmpint(json_object_get_int_member(llm, "repeated"), ==, 1);
    g_assert_cmpint(json_object_get_int_member(llm, "accepted"), ==, 4 * COUNT);
    g_assert_cmpint(json_object_get_int_member(llm, "prompt_tokens"), >, 0);
    g_autofree char *path = g_build_filename(scene.folder, "prompts.json", NULL);
    g_autoptr(AimfPrompts) prompts = aimf_prompts_open(path, NULL);
    g_assert_nonnull(prompts);
    g_assert_cmpuint(prompts->groups[3].n_prompts, ==, COUNT);
    g_assert_nonnull(strstr(prompts->origin, "language model"));
    g_assert_true(has_file(&scene, "log.jsonl"));
    g_assert_false(has_file(&scene, "prompts.json.partial"));
    g_assert_nonnull(strstr(llm_server_request(scene.server, 0)->head, "Bearer " KEY));
}

/* Ctrl-C while the server thinks: status 130, what was won is kept, and the same command goes on from there. */
static void test_interrupted(void)
{
    static const LlmAct acts[] = { LLM_GOOD, LLM_SILENT, LLM_GOOD };
    g_auto(Scene) scene;
    scene_init(&scene, acts, 3);
    /* The signal comes once the first answer was kept, so that nothing here depends on how fast the machine is. */
    g_auto(ProgramRun) stopped =
        run(&scene,
            "sh -c '\"$0\" \"$@\" & while [ ! -e prompts.json.partial ]; do sleep 0.05; done; kill -TERM $!; wait $!'",
            "--llm-parallel 1");
    g_assert_cmpint(stopped.status, ==, 130);
    g_assert_true(has_file(&scene, "prompts.json.partial"));
    g_assert_false(has_file(&scene, "prompts.json"));
    g_assert_nonnull(strstr(stopped.err, "goes on from there"));
    g_auto(ProgramRun) finished = run(&scene, "", "");
    g_assert_cmpint(finished.status, ==, 0);
    g_assert_nonnull(strstr(finished.err, "going on with the 12 prompts"));
    g_assert_nonnull(strstr(finished.out, "tokens"));
    g_assert_false(has_file(&scene, "prompts.json.partial"));
}

static void test_usage(void)
{
    static const LlmAct acts[] = { LLM_UNAUTHORISED };
    g_auto(Scene) scene;
    scene_init(&scene, acts, 1);
    g_auto(ProgramRun) unauthorised = run(&scene, "", "--llm-parallel 1");
    g_assert_cmpint(unauthorised.status, ==, 2);
    g_assert_nonnull(strstr(unauthorised.err, "AIMFAIR_LLM_API_KEY"));
    g_assert_cmpuint(llm_server_count(scene.server), ==, 1);
    static const struct {
        const char *more;
        const char *says;
    } cases[] = {
        { "--plain", "--plain" },
        { "--llm-contexts some", "--llm-contexts" },
        { "--llm-batch 0", "--llm-batch" },
        { "--llm-temperature 3", "--llm-temperature" },
        { "--llm-log prompts.json", "--llm-log" },
        { "--llm http://192.0.2.1/v1", "unencrypted" },
        { "--llm http://localhost/", "/v1" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(ProgramRun) result = run(&scene, "", cases[i].more);
        g_assert_cmpint(result.status, ==, 2);
        g_assert_nonnull(strstr(result.err, cases[i].says));
    }
    g_assert_cmpuint(llm_server_count(scene.server), ==, 1);
    g_auto(ProgramRun) no_url = RUN("prompts", "--task", "Smiling_Male", "--llm-model", "tiny", "-o", "/tmp/x.json");
    g_assert_cmpint(no_url.status, ==, 2);
    g_assert_nonnull(strstr(no_url.err, "--llm URL"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-prompts-llm/prompts", test_prompts);
    g_test_add_func("/cli-prompts-llm/interrupted", test_interrupted);
    g_test_add_func("/cli-prompts-llm/usage", test_usage);
    return g_test_run();
}
