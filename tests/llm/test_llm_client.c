#include "llm/llm_client.h"
#include "prompts/support_llm_server.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEY "sk-3f9/Zq_never-shown"
/* No case may take longer than this, however bad the server's manners. */
enum { LIMIT_SECONDS = 20 };

static char *say_fixed(const char *user, guint index, gpointer data)
{
    (void)user, (void)data;
    return g_strdup_printf("{\"prompts\": [{\"light\": \"dusk\", \"prompt\": \"A photo number %u of the first kind\"},"
                           " {\"light\": \"noon\", \"prompt\": \"A photo number %u of the second kind\"}]}",
                           index, index);
}

/* What everybody was told: messages, errors, the log. The key must be in none of it. */
typedef struct {
    GString *told;
    volatile int stop;
    guint stop_after; /* messages, 0 for never */
    guint n_messages;
} Listener;

static void on_message(AimfLogLevel level, const char *text, gpointer data)
{
    (void)level;
    Listener *listener = data;
    g_string_append_printf(listener->told, "%s\n", text);
    listener->stop = listener->stop_after && ++listener->n_messages >= listener->stop_after;
}

/* How a conversation ended. */
typedef struct {
    GPtrArray *answers; /* texts */
    AimfChatOutcome last;
    GError *error;
    AimfLlmUsage usage;
    char *told;
    char *log;
} Result;

static void result_clear(Result *result)
{
    g_clear_pointer(&result->answers, g_ptr_array_unref);
    g_clear_error(&result->error);
    g_free(result->told);
    g_free(result->log);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Result, result_clear)

static AimfLlmOptions quick(const LlmServer *server)
{
    AimfLlmOptions options = AIMF_LLM_DEFAULTS;
    options.url = llm_server_url(server);
    options.model = "tiny";
    options.key = KEY;
    options.retry_seconds = 0.01;
    options.attempts = 3;
    return options;
}

static AimfQuestion *new_question(guint i)
{
    AimfQuestion *question = g_new0(AimfQuestion, 1);
    question->about = g_strdup_printf("question %u", i);
    question->user = g_strdup("Write two.");
    return question;
}

static void run_client(const AimfLlmOptions *options, guint n, Listener *listener, Result *result)
{
    static const char schema_text[] = "{\"type\": \"object\"}";
    g_autoptr(JsonNode) schema = json_from_string(schema_text, NULL);
    AimfMonitor monitor = { .message = on_message, .stop = &listener->stop, .user_data = listener };
    g_autoptr(AimfLlmClient) client = aimf_llm_client_new(options, options->max_requests, "Be brief.", schema,
                                                          "In JSON.", "In lines.", &monitor, &result->error);
    for (guint i = 0; client && i < n; i++)
        aimf_llm_client_ask(client, new_question(i));
    while (client && aimf_llm_client_open(client) && !result->error) {
        g_autoptr(AimfQuestion) question = NULL;
        g_auto(AimfChatAnswer) answer = { 0 };
        if (!aimf_llm_client_wait(client, &question, &answer, &result->error) || !question)
            continue;
        result->last = answer.outcome;
        g_ptr_array_add(result->answers, g_strdup(answer.text ? answer.text : answer.message));
        g_string_append_printf(listener->told, "%s %s\n", answer.text ? answer.text : "",
                               answer.message ? answer.message : "");
    }
    if (client)
        result->usage = *aimf_llm_client_usage(client);
}

static Result converse(const AimfLlmOptions *base, guint n, guint stop_after)
{
    Result result = { .answers = g_ptr_array_new_with_free_func(g_free) };
    Listener listener = { .told = g_string_new(NULL), .stop_after = stop_after };
    g_autofree char *folder = g_dir_make_tmp("aimfair-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "log.jsonl", NULL);
    AimfLlmOptions options = *base;
    options.log_path = path;
    options.max_requests = options.max_requests ? options.max_requests : 100;
    gint64 began = g_get_monotonic_time();
    run_client(&options, n, &listener, &result);
    g_assert_cmpint((g_get_monotonic_time() - began) / G_USEC_PER_SEC, <, LIMIT_SECONDS);
    struct stat info;
    if (stat(path, &info) == 0) {
        g_assert_cmpint(info.st_mode & 0777, ==, 0600);
        g_file_get_contents(path, &result.log, NULL, NULL);
    }
    g_unlink(path);
    g_rmdir(folder);
    if (result.error)
        g_string_append(listener.told, result.error->message);
    result.told = g_string_free(listener.told, FALSE);
    g_assert_null(strstr(result.told, KEY));
    g_assert_true(!result.log || !strstr(result.log, KEY));
    return result;
}

/* Time limits that only the slow ones feel, so that a busy machine changes nothing for the others. */
static void set_limits(AimfLlmOptions *options, LlmAct act)
{
    if (act == LLM_SILENT || act == LLM_DRIPPING)
        options->request_seconds = 0.4;
    if (act == LLM_STALLING)
        options->stall_seconds = 0.2;
}

static Result meet(const LlmAct *acts, guint n_acts)
{
    g_autoptr(LlmServer) server = llm_server_new(acts, n_acts, NULL, say_fixed, NULL);
    AimfLlmOptions options = quick(server);
    set_limits(&options, acts[0]);
    return converse(&options, 1, 0);
}

/* Every manner in which a server may come to an answer after all, in one request or several. */
static void test_answers(void)
{
    static const struct {
        LlmAct acts[2];
        AimfChatOutcome outcome;
        guint requests;
        guint repeated;
    } cases[] = {
        { { LLM_GOOD, LLM_GOOD }, AIMF_CHAT_ANSWER, 1, 0 },
        { { LLM_FENCED, LLM_GOOD }, AIMF_CHAT_ANSWER, 1, 0 },
        { { LLM_PROSE, LLM_GOOD }, AIMF_CHAT_ANSWER, 1, 0 },
        { { LLM_THOUGHTS, LLM_GOOD }, AIMF_CHAT_ANSWER, 1, 0 },
        { { LLM_CUT, LLM_GOOD }, AIMF_CHAT_CUT, 1, 0 },
        { { LLM_FILTERED, LLM_GOOD }, AIMF_CHAT_FILTERED, 1, 0 },
        { { LLM_REFUSING, LLM_GOOD }, AIMF_CHAT_FILTERED, 1, 0 },
        { { LLM_ESCAPED_BYTES, LLM_GOOD }, AIMF_CHAT_ANSWER, 1, 0 },
        { { LLM_EMPTY, LLM_GOOD }, AIMF_CHAT_ANSWER, 2, 1 },
        { { LLM_BUSY, LLM_GOOD }, AIMF_CHAT_ANSWER, 2, 1 },
        { { LLM_BROKEN, LLM_GOOD }, AIMF_CHAT_ANSWER, 2, 1 },
        { { LLM_TELLTALE, LLM_GOOD }, AIMF_CHAT_ANSWER, 2, 1 },
        { { LLM_DEAF, LLM_GOOD }, AIMF_CHAT_ANSWER, 2, 1 },
        { { LLM_HANGING_UP, LLM_GOOD }, AIMF_CHAT_ANSWER, 2, 1 },
        { { LLM_STALLING, LLM_GOOD }, AIMF_CHAT_ANSWER, 2, 1 },
        { { LLM_SILENT, LLM_GOOD }, AIMF_CHAT_ANSWER, 2, 1 },
        { { LLM_DRIPPING, LLM_GOOD }, AIMF_CHAT_ANSWER, 2, 1 },
        { { LLM_NO_CHOICES, LLM_GOOD }, AIMF_CHAT_ANSWER, 2, 1 },
        { { LLM_NO_JSON, LLM_GOOD }, AIMF_CHAT_ANSWER, 2, 1 },
        { { LLM_NO_UTF8, LLM_GOOD }, AIMF_CHAT_ANSWER, 2, 1 },
        { { LLM_NO_SCHEMA, LLM_NO_SCHEMA }, AIMF_CHAT_ANSWER, 2, 0 },
        { { LLM_NO_FORMAT, LLM_NO_FORMAT }, AIMF_CHAT_ANSWER, 3, 0 },
        { { LLM_NEW_MODEL, LLM_NEW_MODEL }, AIMF_CHAT_ANSWER, 4, 0 },
        { { LLM_SCHEMA_BREAKS, LLM_SCHEMA_BREAKS }, AIMF_CHAT_ANSWER, 3, 2 },
        { { LLM_FORM_BREAKS, LLM_FORM_BREAKS }, AIMF_CHAT_ANSWER, 3, 2 },
        { { LLM_FORM_BREAKS_WITHIN, LLM_FORM_BREAKS_WITHIN }, AIMF_CHAT_ANSWER, 3, 2 },
        { { LLM_REASONING_CONTENT, LLM_GOOD }, AIMF_CHAT_ANSWER, 1, 0 },
        { { LLM_REASONING, LLM_GOOD }, AIMF_CHAT_ANSWER, 1, 0 },
        { { LLM_THOUGHT_PARTS, LLM_GOOD }, AIMF_CHAT_ANSWER, 1, 0 },
        { { LLM_ALL_IN_THOUGHTS, LLM_GOOD }, AIMF_CHAT_ANSWER, 1, 0 },
        { { LLM_ONLY_THOUGHTS, LLM_GOOD }, AIMF_CHAT_ANSWER, 2, 1 },
        { { LLM_TOOL_CALL, LLM_GOOD }, AIMF_CHAT_ANSWER, 1, 0 },
        { { LLM_PARTS, LLM_GOOD }, AIMF_CHAT_ANSWER, 1, 0 },
        { { LLM_OBJECT, LLM_GOOD }, AIMF_CHAT_ANSWER, 1, 0 },
        { { LLM_COMPLETION, LLM_GOOD }, AIMF_CHAT_ANSWER, 1, 0 },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Result) result = meet(cases[i].acts, 2);
        g_test_message("act %d", cases[i].acts[0]);
        g_assert_no_error(result.error);
        g_assert_cmpuint(result.answers->len, ==, 1);
        g_assert_cmpint(result.last, ==, cases[i].outcome);
        g_assert_true(g_utf8_validate(g_ptr_array_index(result.answers, 0), -1, NULL));
        g_assert_cmpuint(result.usage.requests, ==, cases[i].requests);
        g_assert_cmpuint(result.usage.repeated, ==, cases[i].repeated);
    }
}

/*
 * Wherever it stood, what is handed on is the JSON, with nothing of the thoughts but what cannot be taken for prompts.
 */
static void test_odd_places(void)
{
    static const struct {
        LlmAct act;
        const char *says; /* NULL: nothing to be told */
    } cases[] = {
        { LLM_REASONING_CONTENT, "taken from reasoning_content" },
        { LLM_REASONING, "taken from reasoning" },
        { LLM_THOUGHT_PARTS, "taken from content" },
        { LLM_ALL_IN_THOUGHTS, "taken from its thoughts" },
        { LLM_TOOL_CALL, "taken from a tool's arguments" },
        { LLM_OBJECT, NULL },
        { LLM_COMPLETION, NULL },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Result) result = meet(&cases[i].act, 1);
        g_assert_no_error(result.error);
        g_autofree char *said = say_fixed(NULL, 0, NULL);
        g_autoptr(JsonNode) expected = json_from_string(said, NULL);
        g_autoptr(JsonNode) got = json_from_string(g_ptr_array_index(result.answers, 0), NULL);
        g_test_message("act %d: %s", cases[i].act, (char *)g_ptr_array_index(result.answers, 0));
        g_assert_nonnull(got);
        g_assert_true(json_node_equal(got, expected));
        g_assert_true(cases[i].says ? strstr(result.told, cases[i].says) != NULL : !strstr(result.told, "taken from"));
    }
    static const LlmAct parts[] = { LLM_PARTS };
    g_auto(Result) result = meet(parts, 1);
    g_autofree char *said = say_fixed(NULL, 0, NULL);
    g_autofree char *expected = g_strdup_printf("So: %s and so on", said);
    g_assert_cmpstr(g_ptr_array_index(result.answers, 0), ==, expected);
}

/* A server that fails on forms: the first question finds out, the others are asked without, and it is said. */
static void test_forms_that_break(void)
{
    static const LlmAct acts[] = { LLM_SCHEMA_BREAKS, LLM_FORM_BREAKS };
    static const guint requests[] = { 3, 4 };
    for (gsize i = 0; i < G_N_ELEMENTS(acts); i++) {
        g_autoptr(LlmServer) server = llm_server_new(&acts[i], 1, NULL, say_fixed, NULL);
        AimfLlmOptions options = quick(server);
        options.attempts = AIMF_LLM_DEFAULTS.attempts;
        g_auto(Result) one = converse(&options, 1, 0);
        g_assert_no_error(one.error);
        g_assert_cmpuint(one.usage.requests, ==, requests[i]);
        options.parallel = 1;
        g_auto(Result) result = converse(&options, 6, 0);
        g_assert_no_error(result.error);
        g_assert_cmpuint(result.answers->len, ==, 6);
        const char *told = strstr(result.told, "fails where a JSON schema is asked for");
        g_assert_nonnull(told);
        g_assert_null(strstr(told + 1, "fails where a JSON schema is asked for"));
        g_assert_null(strstr(llm_server_request(server, llm_server_count(server) - 1)->body, "json_schema"));
    }
    /* A failure that has nothing to do with the form changes it for nobody but the question that met it. */
    static const LlmAct broken[] = { LLM_BROKEN, LLM_BROKEN, LLM_BROKEN };
    g_auto(Result) result = meet(broken, 3);
    g_assert_nonnull(strstr(result.error->message, "without a JSON schema as well"));
}

/* Every manner that ends the work, at once or after all attempts, and what is said of it. */
static void test_failures(void)
{
    static const struct {
        LlmAct act;
        AimfErrorCode code;
        guint requests;
        const char *says;
    } cases[] = {
        { LLM_BROKEN, AIMF_ERROR_FAILED, 3, "500: the model fell over; that was attempt 3" },
        { LLM_TELLTALE, AIMF_ERROR_FAILED, 3, "Bearer ****" },
        { LLM_BUSY, AIMF_ERROR_FAILED, 3, "429: Rate limit reached" },
        { LLM_BUSY_FOR_LONG, AIMF_ERROR_FAILED, 1, "3600 s, longer than the 120 s" },
        { LLM_NO_QUOTA, AIMF_ERROR_INVALID, 1, "exceeded your current quota" },
        { LLM_UNAUTHORISED, AIMF_ERROR_INVALID, 1, "AIMFAIR_LLM_API_KEY" },
        { LLM_NO_MODEL, AIMF_ERROR_NOT_FOUND, 1, "model 'tiny' not found" },
        { LLM_HTML, AIMF_ERROR_FORMAT, 1, "text/html, not JSON" },
        { LLM_NO_CHOICES, AIMF_ERROR_FAILED, 3, "no 'choices'" },
        { LLM_ERROR_WITHIN, AIMF_ERROR_FAILED, 3, "upstream is overloaded" },
        { LLM_NO_JSON, AIMF_ERROR_FAILED, 3, "not JSON" },
        { LLM_NO_UTF8, AIMF_ERROR_FAILED, 3, "not UTF-8" },
        { LLM_EMPTY, AIMF_ERROR_FAILED, 3, "no text" },
        { LLM_ONLY_THOUGHTS, AIMF_ERROR_FAILED, 3, "no JSON in reasoning_content either" },
        { LLM_DEAF, AIMF_ERROR_FAILED, 3, "no whole answer" },
        { LLM_HANGING_UP, AIMF_ERROR_FAILED, 3, "no whole answer" },
        { LLM_STALLING, AIMF_ERROR_FAILED, 3, "stalled for 0.2 s" },
        { LLM_SILENT, AIMF_ERROR_FAILED, 3, "took too long" },
        { LLM_DRIPPING, AIMF_ERROR_FAILED, 3, "took too long" },
        { LLM_HUGE, AIMF_ERROR_FAILED, 1, "larger than any list of prompts" },
        { LLM_HUGE_HEAD, AIMF_ERROR_FAILED, 1, "headers do not end" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Result) result = meet(&cases[i].act, 1);
        g_test_message("act %d: %s", cases[i].act, result.error ? result.error->message : "no error");
        g_assert_error(result.error, AIMF_ERROR, (gint)cases[i].code);
        g_assert_nonnull(strstr(result.error->message, cases[i].says));
        g_assert_nonnull(strstr(result.error->message, "question 0"));
        g_assert_cmpuint(result.usage.requests, ==, cases[i].requests);
        g_assert_cmpuint(result.answers->len, ==, 0);
    }
}

/* The key goes to the server that was named, as a header, and nowhere else. */
static void test_redirect(void)
{
    static const LlmAct good[] = { LLM_GOOD }, elsewhere[] = { LLM_ELSEWHERE };
    g_autoptr(LlmServer) neighbour = llm_server_new(good, 1, NULL, say_fixed, NULL);
    g_autoptr(LlmServer) server = llm_server_new(elsewhere, 1, neighbour, say_fixed, NULL);
    AimfLlmOptions options = quick(server);
    g_auto(Result) result = converse(&options, 1, 0);
    g_assert_error(result.error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_assert_nonnull(strstr(result.error->message, "redirects are not followed"));
    g_assert_nonnull(strstr(result.error->message, llm_server_url(neighbour)));
    g_assert_cmpuint(llm_server_count(neighbour), ==, 0);
    g_assert_cmpuint(llm_server_count(server), ==, 1);
    const LlmRequest *request = llm_server_request(server, 0);
    g_assert_nonnull(strstr(request->head, "Authorization: Bearer " KEY));
    g_assert_null(strstr(request->body, KEY));
}

static void test_parallel(void)
{
    static const LlmAct acts[] = { LLM_SILENT };
    g_autoptr(LlmServer) silent = llm_server_new(acts, 1, NULL, say_fixed, NULL);
    AimfLlmOptions options = quick(silent);
    set_limits(&options, LLM_SILENT);
    options.attempts = 1;
    options.parallel = 3;
    g_auto(Result) result = converse(&options, 9, 0);
    g_assert_error(result.error, AIMF_ERROR, AIMF_ERROR_FAILED);
    g_assert_cmpuint(llm_server_most(silent), ==, 3);
    static const LlmAct good[] = { LLM_GOOD };
    g_autoptr(LlmServer) server = llm_server_new(good, 1, NULL, say_fixed, NULL);
    options.url = llm_server_url(server);
    options.request_seconds = 20;
    g_auto(Result) all = converse(&options, 9, 0);
    g_assert_no_error(all.error);
    g_assert_cmpuint(all.answers->len, ==, 9);
    g_assert_cmpuint(all.usage.prompt_tokens, ==, 900);
    g_assert_cmpuint(all.usage.completion_tokens, ==, 450);
    g_assert_false(all.usage.estimated);
}

static void test_bounds(void)
{
    static const LlmAct good[] = { LLM_GOOD };
    g_autoptr(LlmServer) server = llm_server_new(good, 1, NULL, say_fixed, NULL);
    AimfLlmOptions options = quick(server);
    options.max_requests = 5;
    g_auto(Result) requests = converse(&options, 9, 0);
    g_assert_error(requests.error, AIMF_ERROR, AIMF_ERROR_FAILED);
    g_assert_nonnull(strstr(requests.error->message, "5 requests (--llm-max-requests)"));
    g_assert_cmpuint(requests.answers->len, ==, 5);
    g_assert_cmpuint(llm_server_count(server), ==, 5);
    /* An answer costs 150 tokens here; 200 and some are set aside for each request. */
    options.max_requests = 0;
    options.answer_tokens = 100;
    options.max_tokens = 1000;
    g_auto(Result) tokens = converse(&options, 9, 0);
    g_assert_error(tokens.error, AIMF_ERROR, AIMF_ERROR_FAILED);
    g_assert_nonnull(strstr(tokens.error->message, "1000 tokens (--llm-max-tokens)"));
    g_assert_cmpuint(tokens.answers->len, >=, 4);
    g_assert_cmpuint(tokens.usage.prompt_tokens + tokens.usage.completion_tokens, <=, 1000);
}

static void test_stop(void)
{
    static const LlmAct acts[] = { LLM_GOOD, LLM_BROKEN, LLM_SILENT };
    g_autoptr(LlmServer) server = llm_server_new(acts, 3, NULL, say_fixed, NULL);
    AimfLlmOptions options = quick(server);
    options.parallel = 1;
    g_auto(Result) result = converse(&options, 3, 1); /* at the message of the second answer */
    g_assert_error(result.error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED);
    g_assert_cmpuint(result.answers->len, ==, 1);
}

static void test_log(void)
{
    static const LlmAct acts[] = { LLM_TELLTALE, LLM_GOOD };
    g_auto(Result) result = meet(acts, 2);
    g_auto(GStrv) lines = g_strsplit(result.log, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 3);
    g_assert_cmpstr(lines[2], ==, "");
    static const char *const outcomes[] = { "again", "answer" };
    for (guint i = 0; i < 2; i++) {
        g_autoptr(JsonNode) root = json_from_string(lines[i], NULL);
        JsonObject *record = json_node_get_object(root);
        g_assert_cmpstr(json_object_get_string_member(record, "outcome"), ==, outcomes[i]);
        g_assert_cmpint(json_object_get_int_member(record, "request"), ==, i + 1);
        g_assert_cmpint(json_object_get_int_member(record, "attempt"), ==, i + 1);
        JsonObject *sent = json_object_get_object_member(record, "sent");
        g_assert_cmpstr(json_object_get_string_member(sent, "model"), ==, "tiny");
        g_assert_true(*json_object_get_string_member(record, "answer") != 0);
    }
}

/* What is asked for, in OpenAI's nesting, and nothing that streams. */
static void test_request(void)
{
    static const LlmAct acts[] = { LLM_NO_FORMAT };
    g_autoptr(LlmServer) server = llm_server_new(acts, 1, NULL, say_fixed, NULL);
    AimfLlmOptions options = quick(server);
    g_auto(Result) result = converse(&options, 1, 0);
    g_assert_no_error(result.error);
    static const char *const types[] = { "json_schema", "json_object", NULL };
    for (guint i = 0; i < 3; i++) {
        g_autoptr(JsonNode) root = json_from_string(llm_server_request(server, i)->body, NULL);
        JsonObject *body = json_node_get_object(root);
        JsonArray *messages = json_object_get_array_member(body, "messages");
        const char *user = json_object_get_string_member(json_array_get_object_element(messages, 1), "content");
        g_assert_cmpstr(user, ==, types[i] ? "Write two.\nIn JSON." : "Write two.\nIn lines.");
        g_assert_false(json_object_get_boolean_member(body, "stream"));
        g_assert_cmpint(json_object_get_int_member(body, "max_tokens"), ==, 4096);
        g_assert_cmpint(json_object_has_member(body, "response_format"), ==, types[i] != NULL);
        if (!types[i])
            continue;
        JsonObject *format = json_object_get_object_member(body, "response_format");
        g_assert_cmpstr(json_object_get_string_member(format, "type"), ==, types[i]);
        if (i)
            continue;
        JsonObject *schema = json_object_get_object_member(format, "json_schema");
        g_assert_true(json_object_get_boolean_member(schema, "strict"));
        g_assert_true(json_object_has_member(schema, "name") && json_object_has_member(schema, "schema"));
    }
}

/* Nothing listens on the port of a server that is gone; TLS spoken to one that does not understand it. */
static void test_no_server(void)
{
    static const LlmAct good[] = { LLM_GOOD };
    LlmServer *gone = llm_server_new(good, 1, NULL, say_fixed, NULL);
    AimfLlmOptions options = quick(gone);
    g_autofree char *url = g_strdup(options.url);
    llm_server_free(gone);
    options.url = url;
    g_auto(Result) closed = converse(&options, 1, 0);
    g_assert_error(closed.error, AIMF_ERROR, AIMF_ERROR_FAILED);
    g_assert_cmpuint(closed.usage.requests, ==, 3);
    g_autoptr(LlmServer) server = llm_server_new(good, 1, NULL, say_fixed, NULL);
    g_autofree char *encrypted = g_strconcat("https", llm_server_url(server) + strlen("http"), NULL);
    options.url = encrypted;
    g_auto(Result) tls = converse(&options, 1, 0);
    g_assert_error(tls.error, AIMF_ERROR, AIMF_ERROR_FAILED);
    g_assert_cmpuint(llm_server_count(server), ==, 0);
}

/* A server whose certificate nobody vouches for, played by the openssl program. */
typedef struct {
    GPid pid;
    int input; /* both kept open: it would end without them */
    FILE *output;
    char *url;
} TlsServer;

static TlsServer tls_server_new(const char *folder)
{
    g_autofree char *files = g_strdup_printf("-keyout %s/key.pem -out %s/cert.pem", folder, folder);
    g_autofree char *make = g_strdup_printf("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                                            "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -days 2 %s",
                                            files);
    int status;
    g_autofree char *noise = NULL;
    g_assert_true(g_spawn_command_line_sync(make, NULL, &noise, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    g_autofree char *play =
        g_strdup_printf("openssl s_server -accept 127.0.0.1:0 -www -key %s/key.pem -cert %s/cert.pem", folder, folder);
    g_auto(GStrv) words = g_strsplit(play, " ", -1);
    TlsServer server = { 0 };
    int output;
    GSpawnFlags flags = G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL;
    g_assert_true(g_spawn_async_with_pipes(NULL, words, NULL, flags, NULL, NULL, &server.pid, &server.input, &output,
                                           NULL, NULL));
    server.output = fdopen(output, "r");
    char line[200];
    guint port = 0;
    while (!port && fgets(line, sizeof line, server.output))
        if (sscanf(line, "ACCEPT 127.0.0.1:%u", &port) != 1)
            port = 0;
    g_assert_cmpuint(port, >, 0);
    server.url = g_strdup_printf("https://127.0.0.1:%u/v1", port);
    return server;
}

static void test_untrusted_certificate(void)
{
    g_autofree char *folder = g_dir_make_tmp("aimfair-XXXXXX", NULL);
    TlsServer server = tls_server_new(folder);
    AimfLlmOptions options = AIMF_LLM_DEFAULTS;
    options.url = server.url;
    options.model = "tiny";
    options.key = KEY;
    g_auto(Result) result = converse(&options, 1, 0);
    g_test_message("%s", result.error ? result.error->message : "no error");
    g_assert_error(result.error, AIMF_ERROR, AIMF_ERROR_FAILED);
    g_assert_nonnull(strstr(result.error->message, "certificate"));
    g_assert_cmpuint(result.usage.requests, ==, 1);
    /* With the certificate vouched for, there is another end: this server has no answer. */
    g_autofree char *certificate = g_build_filename(folder, "cert.pem", NULL);
    g_setenv("SSL_CERT_FILE", certificate, TRUE);
    options.request_seconds = 1;
    options.attempts = 1;
    g_auto(Result) trusted = converse(&options, 1, 0);
    g_test_message("%s", trusted.error ? trusted.error->message : "no error");
    g_assert_error(trusted.error, AIMF_ERROR, AIMF_ERROR_FAILED);
    g_assert_null(strstr(trusted.error->message, "certificate"));
    g_assert_nonnull(strstr(trusted.error->message, "took too long"));
    g_autofree char *none = g_build_filename(folder, "key.pem", NULL); /* a file, and of no certificates */
    g_setenv("SSL_CERT_FILE", none, TRUE);
    g_auto(Result) unreadable = converse(&options, 1, 0);
    g_assert_error(unreadable.error, AIMF_ERROR, AIMF_ERROR_FAILED);
    g_setenv("SSL_CERT_FILE", folder, TRUE);
    g_auto(Result) no_file = converse(&options, 1, 0);
    g_assert_error(no_file.error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_assert_cmpuint(no_file.usage.requests, ==, 0);
    g_setenv("SSL_CERT_FILE", "/nowhere/cert.pem", TRUE);
    g_auto(Result) missing = converse(&options, 1, 0);
    g_assert_error(missing.error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(missing.error->message, "'/nowhere/cert.pem'"));
    g_assert_cmpuint(missing.usage.requests, ==, 0);
    g_unsetenv("SSL_CERT_FILE");
    kill(server.pid, SIGTERM);
    waitpid(server.pid, NULL, 0);
    close(server.input);
    fclose(server.output);
    g_free(server.url);
    const char *const names[] = { "key.pem", "cert.pem" };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
}

static void test_log_refused(void)
{
    static const LlmAct good[] = { LLM_GOOD };
    g_autoptr(LlmServer) server = llm_server_new(good, 1, NULL, say_fixed, NULL);
    AimfLlmOptions options = quick(server);
    static const char *const paths[] = { "/dev/full", "/", "/nowhere/at/all" };
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_auto(Result) result = { .answers = g_ptr_array_new_with_free_func(g_free) };
        Listener listener = { .told = g_string_new(NULL) };
        options.log_path = paths[i];
        run_client(&options, 1, &listener, &result);
        g_assert_nonnull(result.error);
        g_assert_nonnull(strstr(result.error->message, paths[i]));
        g_string_free(listener.told, TRUE);
    }
    g_assert_cmpuint(llm_server_count(server), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/llm-client/answers", test_answers);
    g_test_add_func("/llm-client/odd-places", test_odd_places);
    g_test_add_func("/llm-client/forms-that-break", test_forms_that_break);
    g_test_add_func("/llm-client/failures", test_failures);
    g_test_add_func("/llm-client/redirect", test_redirect);
    g_test_add_func("/llm-client/parallel", test_parallel);
    g_test_add_func("/llm-client/bounds", test_bounds);
    g_test_add_func("/llm-client/stop", test_stop);
    g_test_add_func("/llm-client/log", test_log);
    g_test_add_func("/llm-client/request", test_request);
    g_test_add_func("/llm-client/no-server", test_no_server);
    g_test_add_func("/llm-client/untrusted-certificate", test_untrusted_certificate);
    g_test_add_func("/llm-client/log-refused", test_log_refused);
    return g_test_run();
}
