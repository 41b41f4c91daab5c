#include "prompts/support_llm_server.h"

#include <aimfair/llm.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <string.h>

#define KEY "sk-3f9-never-shown"
enum { COUNT = 12, BATCH = 5, STOCK = 90 };

/* What the played model knows: good prompts of a task, from the composer; for each request the next few of them. */
typedef struct {
    AimfTask *task;
    AimfPrompts *stock;
    gboolean silly; /* every other one breaks a rule */
} Model;

/* Of faces, made once: composing takes longer than all questions. */
static Model faces;

static Model model_new(const char *task_name)
{
    g_autoptr(GError) error = NULL;
    Model model = { .task = aimf_task_find(task_name, &error) };
    g_assert_no_error(error);
    AimfComposeOptions options = { .count = STOCK, .seed = 5 };
    model.stock = aimf_prompts_compose(model.task, &options, &error);
    g_assert_no_error(error);
    return model;
}

static void model_clear(Model *model)
{
    aimf_prompts_free(model->stock);
    aimf_task_free(model->task);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Model, model_clear)

/* The group that a question is about; -1 where it is for all. */
static int group_of(const Model *model, const char *user)
{
    for (guint g = 0; g < model->stock->n_groups; g++) {
        g_autofree char *asked = g_strdup_printf("of this group: %s (", model->stock->groups[g].words);
        if (strstr(user, asked))
            return (int)g;
    }
    return -1;
}

static void write_item(JsonBuilder *builder, const Model *model, const AimfPrompt *prompt, gboolean whole,
                       gboolean silly)
{
    json_builder_begin_object(builder);
    for (guint c = 0; c < prompt->n_contexts; c++) {
        g_autofree char *name = g_strdelimit(g_strdup(prompt->dimensions[c]), " ", '_');
        gboolean slot = !whole && strcmp(name, "hair") == 0 && strstr(model->task->name, "Hair");
        g_autofree char *hair = g_strdup_printf("{hair colour} %s", prompt->contexts[c]);
        json_builder_set_member_name(builder, name);
        json_builder_add_string_value(builder, slot ? hair : prompt->contexts[c]);
    }
    if (silly && !whole) {
        json_builder_set_member_name(builder, "accessories");
        json_builder_add_string_value(builder, "pearl earrings and a thick beard");
    }
    g_autofree char *text = g_strdup_printf("%s%s", prompt->text, silly ? " Pretty!" : "");
    if (whole) {
        json_builder_set_member_name(builder, "prompt");
        json_builder_add_string_value(builder, text);
    }
    json_builder_end_object(builder);
}

static char *play_model(const char *user, guint index, gpointer data)
{
    const Model *model = data;
    int group = group_of(model, user);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "prompts");
    json_builder_begin_array(builder);
    for (guint i = 0; i < BATCH; i++) {
        guint at = (index * BATCH + i) % STOCK;
        const AimfPromptGroup *stock = &model->stock->groups[MAX(group, 0)];
        write_item(builder, model, &stock->prompts[at], group >= 0, model->silly && i % 2);
    }
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return json_to_string(root, FALSE);
}

/* --- Asking --- */

typedef struct {
    char *folder;
    char *state;
    char *log;
    GString *told;
    int stop;
    guint64 stop_at; /* accepted prompts; 0 for never */
} Place;

static void on_message(AimfLogLevel level, const char *text, gpointer data)
{
    (void)level;
    g_string_append_printf(((Place *)data)->told, "%s\n", text);
}

static void on_progress(const AimfProgress *progress, gpointer data)
{
    Place *place = data;
    g_string_append_printf(place->told, "%s\n", progress->note ? progress->note : "");
    place->stop = place->stop_at && progress->done >= place->stop_at;
}

static void place_init(Place *place)
{
    *place = (Place){ .folder = g_dir_make_tmp("aimfair-XXXXXX", NULL), .told = g_string_new(NULL) };
    place->state = g_build_filename(place->folder, "prompts.json.partial", NULL);
    place->log = g_build_filename(place->folder, "log.jsonl", NULL);
}

/* The key is in no file and was told to nobody. */
static void place_clear(Place *place)
{
    g_assert_null(strstr(place->told->str, KEY));
    const char *const paths[] = { place->state, place->log };
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autofree char *text = NULL;
        if (g_file_get_contents(paths[i], &text, NULL, NULL))
            g_assert_null(strstr(text, KEY));
        g_unlink(paths[i]);
    }
    g_assert_cmpint(g_rmdir(place->folder), ==, 0);
    g_free(place->folder);
    g_free(place->state);
    g_free(place->log);
    g_string_free(place->told, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

typedef struct {
    AimfPrompts *prompts;
    AimfLlmUsage usage;
    AimfCollectStats stats;
    GError *error;
} Outcome;

static void outcome_clear(Outcome *outcome)
{
    aimf_prompts_free(outcome->prompts);
    g_clear_error(&outcome->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

static AimfLlmOptions quick(LlmServer *server, const Place *place, AimfLlmContexts contexts)
{
    AimfLlmOptions options = AIMF_LLM_DEFAULTS;
    options.url = llm_server_url(server);
    options.model = "tiny";
    options.key = KEY;
    options.contexts = contexts;
    options.count = COUNT;
    options.batch = BATCH;
    options.retry_seconds = 0.01;
    options.attempts = 3;
    options.log_path = place->log;
    options.state_path = place->state;
    return options;
}

static Outcome ask(const Model *model, const AimfLlmOptions *options, Place *place)
{
    AimfMonitor monitor = { on_progress, on_message, &place->stop, place };
    Outcome outcome = { 0 };
    outcome.prompts = aimf_prompts_ask(model->task, options, &monitor, &outcome.usage, &outcome.stats, &outcome.error);
    if (outcome.error)
        g_string_append(place->told, outcome.error->message);
    g_assert_true((outcome.prompts != NULL) == (outcome.error == NULL));
    return outcome;
}

static void assert_complete(const Outcome *outcome, const Model *model, gboolean shared)
{
    g_assert_no_error(outcome->error);
    const AimfPrompts *prompts = outcome->prompts;
    g_autoptr(GArray) refused = aimf_prompts_check(prompts, model->task, NULL, NULL);
    g_assert_cmpuint(refused->len, ==, 0);
    for (guint g = 0; g < prompts->n_groups; g++) {
        g_assert_cmpuint(prompts->groups[g].n_prompts, ==, COUNT);
        for (guint i = 0; i < COUNT && shared; i++) {
            const AimfPrompt *one = &prompts->groups[0].prompts[i], *other = &prompts->groups[g].prompts[i];
            g_assert_cmpuint(one->n_contexts, ==, other->n_contexts);
            g_assert_cmpuint(one->n_contexts, >=, 2);
            for (guint c = 0; c < one->n_contexts; c++)
                g_assert_cmpstr(one->contexts[c], ==, other->contexts[c]);
        }
    }
    static const char *const members[] = { "language model", "tiny", "127.0.0.1:", "\"seed\":0", "\"date\":\"20" };
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
        g_assert_nonnull(strstr(prompts->origin, members[i]));
}

/* Every manner of server that gives prompts in the end, in both ways of asking. */
static void test_manners(void)
{
    static const LlmAct manners[][3] = {
        { LLM_GOOD, LLM_GOOD, LLM_GOOD },
        { LLM_FENCED, LLM_FENCED, LLM_FENCED },
        { LLM_PROSE, LLM_PROSE, LLM_PROSE },
        { LLM_THOUGHTS, LLM_THOUGHTS, LLM_THOUGHTS },
        { LLM_BUSY, LLM_BROKEN, LLM_GOOD },
        { LLM_CUT, LLM_CUT, LLM_GOOD },
        { LLM_HANGING_UP, LLM_NO_UTF8, LLM_GOOD },
        { LLM_ESCAPED_BYTES, LLM_NO_CHOICES, LLM_GOOD },
        { LLM_FILTERED, LLM_REFUSING, LLM_GOOD },
        { LLM_CUT_AT_ONCE, LLM_EMPTY, LLM_GOOD },
        { LLM_NO_SCHEMA, LLM_NO_SCHEMA, LLM_NO_SCHEMA },
        { LLM_NO_FORMAT, LLM_NO_FORMAT, LLM_NO_FORMAT },
        { LLM_NEW_MODEL, LLM_NEW_MODEL, LLM_NEW_MODEL },
        { LLM_SCHEMA_BREAKS, LLM_SCHEMA_BREAKS, LLM_SCHEMA_BREAKS },
        { LLM_FORM_BREAKS, LLM_FORM_BREAKS, LLM_FORM_BREAKS },
        { LLM_REASONING_CONTENT, LLM_REASONING, LLM_THOUGHT_PARTS },
        { LLM_ONLY_THOUGHTS, LLM_TOOL_CALL, LLM_OBJECT },
    };
    for (gsize i = 0; i < 2 * G_N_ELEMENTS(manners); i++) {
        AimfLlmContexts contexts = i % 2 ? AIMF_CONTEXTS_PER_GROUP : AIMF_CONTEXTS_SHARED;
        g_autoptr(LlmServer) server = llm_server_new(manners[i / 2], 3, NULL, play_model, &faces);
        g_auto(Place) place;
        place_init(&place);
        AimfLlmOptions options = quick(server, &place, contexts);
        g_auto(Outcome) outcome = ask(&faces, &options, &place);
        g_test_message("act %d, contexts %d: %s", manners[i / 2][0], contexts, place.told->str);
        assert_complete(&outcome, &faces, contexts == AIMF_CONTEXTS_SHARED);
        /* at the end, what is still under way is let go */
        g_assert_cmpuint(llm_server_count(server), <=, outcome.usage.requests);
        g_assert_cmpuint(llm_server_count(server) + options.parallel, >, outcome.usage.requests);
        g_assert_cmpuint(outcome.usage.prompt_tokens, >, 0);
        g_assert_nonnull(strstr(place.told->str, "requests"));
    }
}

/* Refused ones are asked for again, and the model is told why. */
static void test_refused(void)
{
    static const LlmAct good[] = { LLM_GOOD };
    faces.silly = TRUE;
    for (guint i = 0; i < 2; i++) {
        AimfLlmContexts contexts = i ? AIMF_CONTEXTS_PER_GROUP : AIMF_CONTEXTS_SHARED;
        g_autoptr(LlmServer) server = llm_server_new(good, 1, NULL, play_model, &faces);
        g_auto(Place) place;
        place_init(&place);
        AimfLlmOptions options = quick(server, &place, contexts);
        g_auto(Outcome) outcome = ask(&faces, &options, &place);
        assert_complete(&outcome, &faces, !i);
        g_assert_cmpuint(outcome.stats.rounds, >, 1);
        const LlmRequest *last = llm_server_request(server, llm_server_count(server) - 1);
        g_assert_nonnull(strstr(last->body, i ? "Pretty!" : "pearl earring"));
        g_assert_nonnull(strstr(last->body, "exist already"));
    }
    faces.silly = FALSE;
}

/* A colour of hair that is the attribute itself is left open in shared contexts, and filled in for each group. */
static void test_slot(void)
{
    static const LlmAct good[] = { LLM_GOOD };
    g_auto(Model) model = model_new("BlondHair_Male");
    g_autoptr(LlmServer) server = llm_server_new(good, 1, NULL, play_model, &model);
    g_auto(Place) place;
    place_init(&place);
    AimfLlmOptions options = quick(server, &place, AIMF_CONTEXTS_SHARED);
    g_auto(Outcome) outcome = ask(&model, &options, &place);
    g_test_message("%s", place.told->str);
    assert_complete(&outcome, &model, TRUE);
    g_assert_nonnull(strstr(outcome.prompts->groups[3].prompts[0].text, "blond"));
    g_assert_null(strstr(outcome.prompts->groups[0].prompts[0].text, "blond"));
    g_assert_nonnull(strstr(llm_server_request(server, 0)->body, "Write {hair colour}"));
}

/* Every end without prompts says why and keeps what was won. */
static void test_failures(void)
{
    static const struct {
        LlmAct act;
        AimfErrorCode code;
        const char *says;
    } cases[] = {
        { LLM_BROKEN, AIMF_ERROR_FAILED, "the model fell over" },
        { LLM_FILTERED, AIMF_ERROR_FAILED, "every answer was withheld" },
        { LLM_CUT_AT_ONCE, AIMF_ERROR_FAILED, "--llm-answer-tokens" },
        { LLM_ESCAPED_BYTES, AIMF_ERROR_FAILED, "3 rounds brought no new prompt" },
        { LLM_UNAUTHORISED, AIMF_ERROR_INVALID, "AIMFAIR_LLM_API_KEY" },
        { LLM_HTML, AIMF_ERROR_FORMAT, "chat endpoint" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        LlmAct acts[] = { LLM_GOOD, cases[i].act };
        g_autoptr(LlmServer) server = llm_server_new(acts, 2, NULL, play_model, &faces);
        g_auto(Place) place;
        place_init(&place);
        AimfLlmOptions options = quick(server, &place, AIMF_CONTEXTS_PER_GROUP);
        options.parallel = 1;
        g_auto(Outcome) outcome = ask(&faces, &options, &place);
        g_test_message("act %d: %s", cases[i].act, outcome.error ? outcome.error->message : "no error");
        g_assert_error(outcome.error, AIMF_ERROR, (gint)cases[i].code);
        g_assert_nonnull(strstr(outcome.error->message, cases[i].says));
        g_autoptr(AimfPrompts) kept = aimf_prompts_open_partial(place.state, NULL);
        g_assert_nonnull(kept);
        g_assert_cmpuint(kept->groups[0].n_prompts, ==, BATCH);
    }
}

/* Stopped, and run again: what was won is not asked for a second time. */
static void test_stop_and_continue(void)
{
    static const LlmAct acts[] = { LLM_GOOD, LLM_SILENT, LLM_GOOD };
    for (guint i = 0; i < 2; i++) {
        AimfLlmContexts contexts = i ? AIMF_CONTEXTS_PER_GROUP : AIMF_CONTEXTS_SHARED;
        g_autoptr(LlmServer) server = llm_server_new(acts, 3, NULL, play_model, &faces);
        g_auto(Place) place;
        place_init(&place);
        place.stop_at = 1;
        AimfLlmOptions options = quick(server, &place, contexts);
        options.parallel = 1;
        g_auto(Outcome) stopped = ask(&faces, &options, &place);
        g_assert_error(stopped.error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED);
        g_autoptr(AimfPrompts) kept = aimf_prompts_open_partial(place.state, NULL);
        guint won = kept->groups[0].n_prompts;
        g_assert_cmpuint(won, >, 0);
        g_assert_cmpuint(won, <, COUNT);
        place.stop_at = 0;
        place.stop = 0;
        g_auto(Outcome) outcome = ask(&faces, &options, &place);
        assert_complete(&outcome, &faces, !i);
        for (guint p = 0; p < won; p++)
            g_assert_cmpstr(kept->groups[0].prompts[p].text, ==, outcome.prompts->groups[0].prompts[p].text);
        options.model = "other";
        g_auto(Outcome) other = ask(&faces, &options, &place);
        g_assert_error(other.error, AIMF_ERROR, AIMF_ERROR_INVALID);
        g_assert_nonnull(strstr(other.error->message, "model 'tiny', not 'other'"));
    }
}

static void test_bounds(void)
{
    static const LlmAct good[] = { LLM_GOOD };
    g_autoptr(LlmServer) server = llm_server_new(good, 1, NULL, play_model, &faces);
    g_auto(Place) place;
    place_init(&place);
    AimfLlmOptions options = quick(server, &place, AIMF_CONTEXTS_PER_GROUP);
    options.max_requests = 2;
    g_auto(Outcome) outcome = ask(&faces, &options, &place);
    g_assert_error(outcome.error, AIMF_ERROR, AIMF_ERROR_FAILED);
    g_assert_nonnull(strstr(outcome.error->message, "--llm-max-requests"));
    g_assert_cmpuint(llm_server_count(server), ==, 2);
}

static void test_options(void)
{
    static const struct {
        const char *url;
        const char *key;
        gboolean good;
    } cases[] = {
        { "http://localhost:8080/v1", NULL, TRUE },
        { "http://localhost:8080/v1/", KEY, TRUE },
        { "http://127.0.0.1:11434/v1/chat/completions", KEY, TRUE },
        { "http://[::1]:8000/v1", KEY, TRUE },
        { "https://api.openai.com/v1", KEY, TRUE },
        { "http://gpu-box:8000/v1", NULL, TRUE },
        { "http://gpu-box:8000/v1", KEY, FALSE },
        { "http://10.0.0.7/v1", KEY, FALSE },
        { "http://127.0.0.1.example.org/v1", KEY, FALSE },
        { "https://api.openai.com", KEY, FALSE },
        { "https://api.openai.com/v1/completions", KEY, FALSE },
        { "http://localhost:11434/api/chat", NULL, FALSE },
        { "localhost:8080/v1", NULL, FALSE },
        { "ftp://localhost/v1", NULL, FALSE },
        { "file:///v1", NULL, FALSE },
        { "http:///v1", NULL, FALSE },
        { "http://user:pass@localhost/v1", NULL, FALSE },
        { "http://localhost/v1?key=" KEY, NULL, FALSE },
        { "http://localhost/v1#" KEY, NULL, FALSE },
        { "", NULL, FALSE },
        { "https://api.openai.com/v1", "", FALSE },
        { "https://api.openai.com/v1", KEY "\r\nX-Other: 1", FALSE },
        { "https://api.openai.com/v1", KEY " ", FALSE },
    };
    AimfLlmOptions options = AIMF_LLM_DEFAULTS;
    options.model = "tiny";
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        options.url = cases[i].url;
        options.key = cases[i].key;
        g_test_message("%s", cases[i].url);
        g_assert_cmpint(aimf_llm_check(&options, &error), ==, cases[i].good);
        if (cases[i].good)
            continue;
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
        g_assert_null(strstr(error->message, KEY));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/llm-ask/manners", test_manners);
    g_test_add_func("/llm-ask/refused", test_refused);
    g_test_add_func("/llm-ask/slot", test_slot);
    g_test_add_func("/llm-ask/failures", test_failures);
    g_test_add_func("/llm-ask/stop-and-continue", test_stop_and_continue);
    g_test_add_func("/llm-ask/bounds", test_bounds);
    g_test_add_func("/llm-ask/options", test_options);
    faces = model_new("Smiling_Male");
    int status = g_test_run();
    model_clear(&faces);
    return status;
}
