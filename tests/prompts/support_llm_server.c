#include "prompts/support_llm_server.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>

enum { TICK_US = 5000, LONGEST_TICKS = 4000, HUGE_BYTES = 64 << 20, CHUNK_BYTES = 1 << 16 };

struct LlmServer {
    GSocketListener *listener;
    GCancellable *stop;
    GThread *thread;
    GPtrArray *connections; /* of GThread */
    char *url;
    const LlmServer *neighbour;
    LlmWriter writer;
    gpointer data;
    LlmAct *acts;
    guint n_acts;
    GMutex lock; /* of what follows */
    GPtrArray *requests;
    guint active;
    guint most;
};

/* One connection: one request, one answer. */
typedef struct {
    LlmServer *server;
    GSocketConnection *connection;
    GOutputStream *out;
    const LlmRequest *request;
    guint index;
} Call;

static void request_free(gpointer data)
{
    LlmRequest *request = data;
    g_free(request->head);
    g_free(request->body);
    g_free(request);
}

/* --- Reading --- */

static gsize content_length(const char *head)
{
    g_autofree char *lower = g_ascii_strdown(head, -1);
    const char *at = strstr(lower, "content-length:");
    return at ? (gsize)g_ascii_strtoull(at + strlen("content-length:"), NULL, 10) : 0;
}

/* (owned, nullable) NULL as well for what is no HTTP, such as the first byte of TLS. */
static LlmRequest *read_request(GInputStream *in)
{
    g_autoptr(GString) text = g_string_new(NULL);
    gsize wanted = G_MAXSIZE;
    char *end = NULL;
    while (!end || text->len < wanted) {
        char buffer[4096];
        gssize n = g_input_stream_read(in, buffer, sizeof buffer, NULL, NULL);
        if (n <= 0 || (!text->len && !g_ascii_isupper(*buffer)))
            return NULL;
        g_string_append_len(text, buffer, n);
        end = strstr(text->str, "\r\n\r\n");
        if (end)
            wanted = (gsize)(end + 4 - text->str) + content_length(text->str);
    }
    LlmRequest *request = g_new(LlmRequest, 1);
    request->head = g_strndup(text->str, (gsize)(end - text->str));
    request->body = g_strdup(end + 4);
    return request;
}

static JsonNode *parse_body(const Call *call)
{
    JsonNode *root = json_from_string(call->request->body, NULL);
    g_assert_nonnull(root);
    return root;
}

/* (owned) What the model says to the last message. */
static char *say(const Call *call)
{
    g_autoptr(JsonNode) root = parse_body(call);
    JsonArray *messages = json_object_get_array_member(json_node_get_object(root), "messages");
    JsonObject *last = json_array_get_object_element(messages, json_array_get_length(messages) - 1);
    return call->server->writer(json_object_get_string_member(last, "content"), call->index, call->server->data);
}

/* (owned) The type of response_format that is asked for, NULL without. */
static char *asked_form(const Call *call)
{
    g_autoptr(JsonNode) root = parse_body(call);
    JsonObject *object = json_node_get_object(root);
    return json_object_has_member(object, "response_format")
               ? g_strdup(
                     json_object_get_string_member(json_object_get_object_member(object, "response_format"), "type"))
               : NULL;
}

static gboolean asks_for(const Call *call, const char *member)
{
    g_autoptr(JsonNode) root = parse_body(call);
    return json_object_has_member(json_node_get_object(root), member);
}

/* --- Answering --- */

static gboolean stopped(const Call *call)
{
    return g_cancellable_is_cancelled(call->server->stop);
}

static gboolean put(const Call *call, const char *text, gsize length)
{
    return g_output_stream_write_all(call->out, text, length, NULL, NULL, NULL);
}

static void head(const Call *call, int status, const char *more, gsize length)
{
    g_autofree char *text =
        g_strdup_printf("HTTP/1.1 %d Played\r\nConnection: close\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n%s\r\n\r\n",
                        status, length, more);
    put(call, text, strlen(text));
}

static void reply(const Call *call, int status, const char *more, const char *body)
{
    head(call, status, more, strlen(body));
    put(call, body, strlen(body));
}

static const char JSON_TYPE[] = "Content-Type: application/json";

static void reply_error(const Call *call, int status, const char *more, const char *message, const char *code)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "error");
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "message");
    json_builder_add_string_value(builder, message);
    json_builder_set_member_name(builder, "code");
    json_builder_add_string_value(builder, code);
    json_builder_end_object(builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *body = json_to_string(root, FALSE);
    g_autofree char *lines = g_strconcat(JSON_TYPE, *more ? "\r\n" : "", more, NULL);
    reply(call, status, lines, body);
}

/* (owned) A chat answer. @member: "content" or "refusal" */
static char *completion(const char *member, const char *content, const char *finish_reason)
{
    g_autoptr(JsonNode) text = json_node_init_string(json_node_alloc(), content);
    g_autofree char *quoted = json_to_string(text, FALSE);
    return g_strdup_printf(
        "{\"id\":\"x\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
        "\"assistant\",\"%s\":%s},\"finish_reason\":\"%s\"}],\"usage\":{\"prompt_tokens\":100,"
        "\"completion_tokens\":50,\"total_tokens\":150}}",
        member, quoted, finish_reason);
}

static void answer(const Call *call, const char *content, const char *finish_reason)
{
    g_autofree char *body = completion("content", content, finish_reason);
    reply(call, 200, JSON_TYPE, body);
}

/* (owned) The items of what the model says as a numbered list: whole prompts, or "name: value; …". */
static char *as_lines(const char *json)
{
    g_autoptr(JsonNode) root = json_from_string(json, NULL);
    JsonArray *items = json_object_get_array_member(json_node_get_object(root), "prompts");
    GString *lines = g_string_new(NULL);
    for (guint i = 0; i < json_array_get_length(items); i++) {
        JsonObject *item = json_array_get_object_element(items, i);
        g_string_append_printf(lines, "%u. ", i + 1);
        if (json_object_has_member(item, "prompt")) {
            g_string_append(lines, json_object_get_string_member(item, "prompt"));
        } else {
            g_autoptr(GList) names = json_object_get_members(item);
            for (GList *name = names; name; name = name->next)
                g_string_append_printf(lines, "%s%s: %s", name == names ? "" : "; ", (char *)name->data,
                                       json_object_get_string_member(item, name->data));
        }
        g_string_append_c(lines, '\n');
    }
    return g_string_free(lines, FALSE);
}

/* In whatever words, what was said half-way through a list. */
static void answer_dressed(const Call *call, LlmAct act)
{
    g_autofree char *json = say(call);
    g_autofree char *lines = as_lines(json);
    g_autofree char *text = NULL;
    if (act == LLM_FENCED)
        text = g_strdup_printf("```json\n%s\n```", json);
    else if (act == LLM_PROSE)
        text = g_strdup_printf("Sure! Here they are:\n\n%s\nI hope they are of use.", lines);
    else if (act == LLM_THOUGHTS)
        text = g_strdup_printf("<think>They want [a list]. Maybe {\"prompts\": [\"no\"]}?</think>\n%s", json);
    else if (act == LLM_CUT)
        text = g_strndup(json, strlen(json) / 2);
    else
        text = g_strdup(json);
    answer(call, text, act == LLM_CUT ? "length" : "stop");
}

static void wait_for_end(const Call *call)
{
    for (guint i = 0; i < LONGEST_TICKS && !stopped(call); i++)
        g_usleep(TICK_US);
}

/* Answers that are not whole, or too long. */
static void answer_partly(const Call *call, LlmAct act)
{
    g_autofree char *json = say(call);
    g_autofree char *body = completion("content", json, "stop");
    gsize length = strlen(body);
    head(call, 200, JSON_TYPE, act == LLM_HUGE ? (gsize)HUGE_BYTES : length);
    if (act == LLM_STALLING || act == LLM_HANGING_UP)
        put(call, body, length / 2);
    if (act == LLM_STALLING)
        wait_for_end(call);
    for (gsize i = 0; act == LLM_DRIPPING && i < length && !stopped(call) && put(call, body + i, 1); i++)
        g_usleep(10 * TICK_US);
    g_autofree char *blank = g_strnfill(CHUNK_BYTES, ' ');
    for (gsize i = 0; act == LLM_HUGE && i < HUGE_BYTES && put(call, blank, CHUNK_BYTES); i += CHUNK_BYTES)
        ;
}

static void answer_endless_head(const Call *call)
{
    static const char start[] = "HTTP/1.1 200 Played\r\n";
    g_autofree char *value = g_strnfill(1000, 'x');
    g_autofree char *line = g_strconcat("X-More: ", value, "\r\n", NULL);
    gboolean open = put(call, start, strlen(start));
    for (guint i = 0; i < 100000 && open; i++)
        open = put(call, line, strlen(line));
}

/* The choosy ones, in the words of the real ones. */
static void answer_choosily(const Call *call, LlmAct act)
{
    g_autofree char *form = asked_form(call);
    if (act == LLM_NO_SCHEMA && g_strcmp0(form, "json_schema") == 0)
        reply_error(call, 400, "", "'response_format.type' must be one of text, json_object", "invalid");
    else if (act == LLM_NO_FORMAT && form)
        reply_error(call, 500, "", "response_format type must be \"text\", but got something else", "server_error");
    else if (act == LLM_NEW_MODEL && asks_for(call, "max_tokens"))
        reply_error(call, 400, "",
                    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
                    "instead.",
                    "unsupported_parameter");
    else if (act == LLM_NEW_MODEL && asks_for(call, "temperature"))
        reply_error(call, 400, "", "'temperature' does not support 1 with this model.", "unsupported_value");
    else if (act == LLM_NEW_MODEL && asks_for(call, "seed"))
        reply_error(call, 422, "", "Extra inputs are not permitted: seed", "extra_forbidden");
    else
        answer_dressed(call, form ? LLM_GOOD : LLM_PROSE);
}

/* (owned) @format with @json and with it as a text in JSON, in this order. */
static char *message_of(const char *format, const char *json)
{
    g_autoptr(JsonNode) text = json_node_init_string(json_node_alloc(), json);
    g_autofree char *quoted = json_to_string(text, FALSE);
    g_auto(GStrv) around_json = g_strsplit(format, "@JSON@", 2);
    g_autofree char *with_json = g_strjoinv(json, around_json);
    g_auto(GStrv) around_text = g_strsplit(with_json, "@TEXT@", 2);
    g_autofree char *message = g_strjoinv(quoted, around_text);
    return g_strdup_printf(
        "{\"choices\":[{\"index\":0,%s,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":100,"
        "\"completion_tokens\":50,\"total_tokens\":150}}",
        message);
}

/* What was asked for, but not in the place where it belongs. */
static void answer_elsewhere(const Call *call, LlmAct act)
{
    static const char *const forms[] = {
        [LLM_REASONING_CONTENT] = "\"message\":{\"content\":\"\",\"reasoning_content\":@TEXT@}",
        [LLM_REASONING] = "\"message\":{\"content\":null,\"reasoning\":@TEXT@}",
        [LLM_THOUGHT_PARTS] = "\"message\":{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\","
                              "\"text\":@TEXT@}]}]}",
        [LLM_ONLY_THOUGHTS] = "\"message\":{\"content\":\"  \",\"reasoning_content\":@TEXT@}",
        [LLM_ALL_IN_THOUGHTS] = "\"message\":{\"content\":@TEXT@}",
        [LLM_TOOL_CALL] =
            "\"message\":{\"content\":null,\"reasoning\":\"{\\\"prompts\\\": [1]}\",\"tool_calls\":[{\"type\":"
            "\"function\",\"function\":{\"name\":\"prompts\",\"arguments\":@TEXT@}}]}",
        [LLM_PARTS] = "\"message\":{\"content\":[{\"type\":\"reasoning\",\"text\":\"{[\"},{\"type\":\"text\",\"text\":"
                      "\"So: \"},{\"type\":\"output_text\",\"text\":{\"value\":@TEXT@}},\" and so on\"]}",
        [LLM_OBJECT] = "\"message\":{\"content\":@JSON@}",
        [LLM_COMPLETION] = "\"text\":@TEXT@",
    };
    g_autofree char *json = say(call);
    g_autofree char *lines = as_lines(json);
    g_autofree char *text = NULL;
    if (act == LLM_ONLY_THOUGHTS)
        text = g_strdup(lines);
    else if (act == LLM_REASONING_CONTENT || act == LLM_THOUGHT_PARTS)
        text = g_strdup_printf(
            "They want [a list] of {them}. First {\"prompts\": [\"no\"]}, or:\n%s\nSo %s. That is [1] it.", lines,
            json);
    else
        text = act == LLM_ALL_IN_THOUGHTS ? g_strdup_printf("<think>\n%s\n</think>\n", json) : g_strdup(json);
    g_autofree char *body = message_of(forms[act], text);
    reply(call, 200, JSON_TYPE, body);
}

/* Constrained decoding that falls over, and says nothing about it. */
static void break_on_forms(const Call *call, LlmAct act)
{
    g_autofree char *form = asked_form(call);
    if (form && act == LLM_FORM_BREAKS_WITHIN)
        reply(call, 200, JSON_TYPE, "{\"error\": {\"message\": \"worker died\", \"code\": 502}}");
    else if (form && (act == LLM_FORM_BREAKS || strcmp(form, "json_schema") == 0))
        reply_error(call, act == LLM_FORM_BREAKS ? 502 : 500, "", "Internal Server Error", "internal");
    else
        answer_dressed(call, form ? LLM_GOOD : LLM_PROSE);
}

static void send_elsewhere(const Call *call)
{
    g_autofree char *more = g_strdup_printf("Location: %s/chat/completions", call->server->neighbour->url);
    reply(call, 307, more, "");
}

static void answer_badly(const Call *call, LlmAct act)
{
    static const char escaped[] =
        "{\"choices\":[{\"message\":{\"content\":\"{\\\"prompts\\\": [\\\"\\ud800 \\u0001 lone\\\"]}\"},"
        "\"finish_reason\":\"stop\"}]}";
    static const char bytes[] = "{\"choices\":[{\"message\":{\"content\":\"\xff\xfe\"},\"finish_reason\":\"stop\"}]}";
    g_autofree char *refusal = completion("refusal", "I can't help with that.", "stop");
    if (act == LLM_CUT_AT_ONCE)
        answer(call, "", "length");
    else if (act == LLM_FILTERED)
        answer(call, "", "content_filter");
    else if (act == LLM_REFUSING)
        reply(call, 200, JSON_TYPE, refusal);
    else if (act == LLM_EMPTY)
        answer(call, "", "stop");
    else if (act == LLM_HTML)
        reply(call, 200, "Content-Type: text/html", "<html><body>Welcome to the guest network</body></html>");
    else if (act == LLM_ERROR_WITHIN)
        reply(call, 200, JSON_TYPE, "{\"error\": {\"message\": \"upstream is overloaded\", \"code\": 502}}");
    else if (act == LLM_NO_CHOICES)
        reply(call, 200, JSON_TYPE, "{\"object\":\"list\",\"data\":[]}");
    else if (act == LLM_NO_JSON)
        reply(call, 200, JSON_TYPE, "{\"choices\":[{\"mess");
    else if (act == LLM_NO_UTF8)
        reply(call, 200, JSON_TYPE, bytes);
    else if (act == LLM_ESCAPED_BYTES)
        reply(call, 200, JSON_TYPE, escaped);
}

static void fail(const Call *call, LlmAct act)
{
    if (act == LLM_BUSY)
        reply_error(call, 429, "Retry-After: 0", "Rate limit reached", "rate_limit_exceeded");
    else if (act == LLM_BUSY_FOR_LONG)
        reply_error(call, 429, "Retry-After: 3600", "Rate limit reached", "rate_limit_exceeded");
    else if (act == LLM_NO_QUOTA)
        reply_error(call, 429, "", "You exceeded your current quota", "insufficient_quota");
    else if (act == LLM_BROKEN)
        reply_error(call, 500, "", "the model fell over", "internal");
    else if (act == LLM_TELLTALE)
        reply_error(call, 500, "X-Seen: yes", call->request->head, "internal");
    else if (act == LLM_UNAUTHORISED)
        reply_error(call, 401, "", "Incorrect API key provided", "invalid_api_key");
    else if (act == LLM_NO_MODEL)
        reply_error(call, 404, "", "model 'tiny' not found", "model_not_found");
}

static void play(const Call *call, LlmAct act)
{
    if (act == LLM_GOOD || act == LLM_FENCED || act == LLM_PROSE || act == LLM_THOUGHTS || act == LLM_CUT)
        answer_dressed(call, act);
    else if (act == LLM_NO_SCHEMA || act == LLM_NO_FORMAT || act == LLM_NEW_MODEL)
        answer_choosily(call, act);
    else if (act == LLM_STALLING || act == LLM_DRIPPING || act == LLM_HANGING_UP || act == LLM_HUGE)
        answer_partly(call, act);
    else if (act >= LLM_REASONING_CONTENT)
        answer_elsewhere(call, act);
    else if (act >= LLM_SCHEMA_BREAKS)
        break_on_forms(call, act);
    else if (act == LLM_SILENT)
        wait_for_end(call);
    else if (act == LLM_HUGE_HEAD)
        answer_endless_head(call);
    else if (act == LLM_ELSEWHERE)
        send_elsewhere(call);
    else if (act != LLM_DEAF) {
        answer_badly(call, act);
        fail(call, act);
    }
}

/* --- Connections --- */

static gpointer serve(gpointer data)
{
    Call *call = data;
    LlmServer *server = call->server;
    LlmRequest *request = read_request(g_io_stream_get_input_stream(G_IO_STREAM(call->connection)));
    if (request) {
        g_mutex_lock(&server->lock);
        call->index = server->requests->len;
        g_ptr_array_add(server->requests, request);
        server->active++;
        server->most = MAX(server->most, server->active);
        g_mutex_unlock(&server->lock);
        call->request = request;
        call->out = g_io_stream_get_output_stream(G_IO_STREAM(call->connection));
        play(call, server->acts[MIN(call->index, server->n_acts - 1)]);
        g_mutex_lock(&server->lock);
        server->active--;
        g_mutex_unlock(&server->lock);
    }
    g_io_stream_close(G_IO_STREAM(call->connection), NULL, NULL);
    g_object_unref(call->connection);
    g_free(call);
    return NULL;
}

static gpointer listen_on(gpointer data)
{
    LlmServer *server = data;
    GSocketConnection *connection;
    while ((connection = g_socket_listener_accept(server->listener, NULL, server->stop, NULL))) {
        Call *call = g_new0(Call, 1);
        call->server = server;
        call->connection = connection;
        g_ptr_array_add(server->connections, g_thread_new("llm-call", serve, call));
    }
    return NULL;
}

LlmServer *llm_server_new(const LlmAct *acts, guint n, const LlmServer *neighbour, LlmWriter writer, gpointer data)
{
    LlmServer *server = g_new0(LlmServer, 1);
    g_autoptr(GError) error = NULL;
    g_autoptr(GInetAddress) loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    g_autoptr(GSocketAddress) wanted = g_inet_socket_address_new(loopback, 0);
    g_autoptr(GSocketAddress) address = NULL;
    server->listener = g_socket_listener_new();
    g_socket_listener_add_address(server->listener, wanted, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &address,
                                  &error);
    g_assert_no_error(error);
    guint port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address));
    server->url = g_strdup_printf("http://127.0.0.1:%u/v1", port);
    server->stop = g_cancellable_new();
    server->connections = g_ptr_array_new();
    server->requests = g_ptr_array_new_with_free_func(request_free);
    server->acts = g_memdup2(acts, n * sizeof *acts);
    server->n_acts = n;
    server->neighbour = neighbour;
    server->writer = writer;
    server->data = data;
    g_mutex_init(&server->lock);
    server->thread = g_thread_new("llm-server", listen_on, server);
    return server;
}

void llm_server_free(LlmServer *server)
{
    g_cancellable_cancel(server->stop);
    g_thread_join(server->thread);
    for (guint i = 0; i < server->connections->len; i++)
        g_thread_join(g_ptr_array_index(server->connections, i));
    g_ptr_array_unref(server->connections);
    g_socket_listener_close(server->listener);
    g_object_unref(server->listener);
    g_object_unref(server->stop);
    g_ptr_array_unref(server->requests);
    g_mutex_clear(&server->lock);
    g_free(server->acts);
    g_free(server->url);
    g_free(server);
}

const char *llm_server_url(const LlmServer *server)
{
    return server->url;
}

guint llm_server_count(LlmServer *server)
{
    g_mutex_lock(&server->lock);
    guint n = server->requests->len;
    g_mutex_unlock(&server->lock);
    return n;
}

const LlmRequest *llm_server_request(LlmServer *server, guint index)
{
    g_mutex_lock(&server->lock);
    const LlmRequest *request = g_ptr_array_index(server->requests, index);
    g_mutex_unlock(&server->lock);
    return request;
}

guint llm_server_most(LlmServer *server)
{
    g_mutex_lock(&server->lock);
    guint most = server->most;
    g_mutex_unlock(&server->lock);
    return most;
}
