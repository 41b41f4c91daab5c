#include "llm/llm_chat.h"

#include "base/json.h"
#include "llm/llm_answer.h"
#include "llm/llm_secret.h"

#include <aimfair/json.h>
#include <string.h>

enum { BYTES_PER_TOKEN = 4, MAX_PART_DEPTH = 4 };

void aimf_chat_answer_clear(AimfChatAnswer *answer)
{
    g_free(answer->text);
    g_free(answer->message);
    *answer = (AimfChatAnswer){ 0 };
}

/* --- Requests --- */

static void add_message(JsonBuilder *builder, const char *role, const char *content)
{
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "role");
    json_builder_add_string_value(builder, role);
    json_builder_set_member_name(builder, "content");
    json_builder_add_string_value(builder, content);
    json_builder_end_object(builder);
}

/*
 * The nesting of OpenAI's interface, which vLLM, llama.cpp's server (from September 2024) and Ollama (from 0.5) read
 * too: its json_schema.schema reaches their constrained decoding. Servers that know only JSON mode or neither are
 * found out by refusal.
 */
static void add_form(JsonBuilder *builder, AimfAnswerForm form, JsonNode *schema)
{
    if (form == AIMF_ANSWER_TEXT || !schema)
        return;
    json_builder_set_member_name(builder, "response_format");
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "type");
    json_builder_add_string_value(builder, form == AIMF_ANSWER_SCHEMA ? "json_schema" : "json_object");
    if (form == AIMF_ANSWER_SCHEMA) {
        json_builder_set_member_name(builder, "json_schema");
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "name");
        json_builder_add_string_value(builder, "prompts");
        json_builder_set_member_name(builder, "strict");
        json_builder_add_boolean_value(builder, TRUE);
        json_builder_set_member_name(builder, "schema");
        json_builder_add_value(builder, json_node_copy(schema));
        json_builder_end_object(builder);
    }
    json_builder_end_object(builder);
}

char *aimf_chat_request(const AimfChatQuestion *question, const AimfDialect *dialect)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "model");
    json_builder_add_string_value(builder, question->model);
    json_builder_set_member_name(builder, "messages");
    json_builder_begin_array(builder);
    add_message(builder, "system", question->system);
    add_message(builder, "user", question->user);
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, dialect->completion_tokens ? "max_completion_tokens" : "max_tokens");
    json_builder_add_int_value(builder, question->max_tokens);
    if (!dialect->no_temperature) {
        json_builder_set_member_name(builder, "temperature");
        json_builder_add_double_value(builder, question->temperature);
    }
    if (!dialect->no_seed) {
        json_builder_set_member_name(builder, "seed");
        json_builder_add_int_value(builder, (gint64)(question->seed & G_MAXINT32));
    }
    add_form(builder, dialect->form, question->schema);
    json_builder_set_member_name(builder, "stream");
    json_builder_add_boolean_value(builder, FALSE);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return aimf_json_write(root, FALSE);
}

/* --- What a server says of a request it did not answer --- */

/* (borrowed, nullable) A member that is a text, of a node that may be anything. */
static const char *text_member(JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;
    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static JsonObject *object_member(JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

/*
 * (owned) What the server says is wrong: {"error":{"message"}} as OpenAI does, {"error":"…"}, {"message":"…"} or
 * {"detail":"…"}, else the body itself: one line, shortened.
 */
static char *said(JsonNode *root, const AimfHttpReply *reply, const char *key)
{
    JsonObject *object = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
    const char *text = text_member(object_member(object, "error"), "message");
    static const char *const names[] = { "error", "message", "detail" };
    for (gsize i = 0; !text && i < G_N_ELEMENTS(names); i++)
        text = text_member(object, names[i]);
    return aimf_secret_line(text ? text : reply->body, text ? -1 : (gssize)reply->length, key);
}

static gboolean mentions(const char *text, const char *const *words, gsize n)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    for (gsize i = 0; i < n; i++)
        if (strstr(lower, words[i]))
            return TRUE;
    return FALSE;
}

/*
 * Whether the refusal @text is about something that can be asked otherwise; then @dialect changes. Servers refuse
 * with 400 or 422, and older llama.cpp with 500, so only the text tells.
 */
static gboolean learn(const char *text, const AimfDialect *sent, AimfDialect *dialect)
{
    static const char *const form_words[] = { "response_format", "json_schema", "json_object", "structured output",
                                              "guided",          "grammar",     "schema" };
    AimfDialect next = *sent;
    if (mentions(text, (const char *[]){ "max_tokens", "max_completion_tokens" }, 2) && !sent->completion_tokens)
        next.completion_tokens = TRUE;
    else if (mentions(text, (const char *[]){ "temperature" }, 1) && !sent->no_temperature)
        next.no_temperature = TRUE;
    else if (mentions(text, form_words, G_N_ELEMENTS(form_words)) && sent->form != AIMF_ANSWER_TEXT)
        next.form = sent->form == AIMF_ANSWER_SCHEMA ? AIMF_ANSWER_OBJECT : AIMF_ANSWER_TEXT;
    else if (mentions(text, (const char *[]){ "seed" }, 1) && !sent->no_seed)
        next.no_seed = TRUE;
    else
        return FALSE;
    dialect->form = MAX(dialect->form, next.form);
    dialect->completion_tokens |= next.completion_tokens;
    dialect->no_temperature |= next.no_temperature;
    dialect->no_seed |= next.no_seed;
    return TRUE;
}

static gboolean never(AimfChatAnswer *answer, AimfErrorCode code, char *message)
{
    answer->outcome = AIMF_CHAT_NEVER;
    answer->code = code;
    answer->message = message;
    return FALSE;
}

static gboolean again(AimfChatAnswer *answer, char *message)
{
    answer->outcome = AIMF_CHAT_AGAIN;
    answer->message = message;
    return FALSE;
}

static gboolean is_passing(long status, JsonNode *root)
{
    if (status != 429)
        return status == 408 || status == 409 || status == 425 || (status >= 500 && status != 501 && status != 505);
    /* OpenAI says "too many requests" also where only paying helps. */
    JsonObject *object = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
    return g_strcmp0(text_member(object_member(object, "error"), "code"), "insufficient_quota") != 0;
}

/* FALSE for every status but success, with what is to be done. */
static gboolean check_status(const AimfHttpReply *reply, JsonNode *root, const AimfDialect *sent, const char *key,
                             AimfDialect *dialect, AimfChatAnswer *answer)
{
    long status = reply->status;
    if (status >= 200 && status < 300)
        return TRUE;
    g_autofree char *text = said(root, reply, key);
    if (status >= 300 && status < 400)
        return never(answer, AIMF_ERROR_INVALID,
                     g_strdup_printf("the server redirects (%ld) to '%s'; redirects are not followed, because the key "
                                     "would go along. If that is the right place, give it as the address",
                                     status, reply->redirect ? reply->redirect : "nowhere"));
    if (status == 401 || status == 403)
        return never(answer, AIMF_ERROR_INVALID,
                     g_strdup_printf("the server refuses the key, or that there is none (%ld: %s); "
                                     "AIMFAIR_LLM_API_KEY must hold a valid one",
                                     status, text));
    if ((status == 400 || status == 422 || status == 500) && learn(text, sent, dialect)) {
        answer->outcome = AIMF_CHAT_OTHERWISE;
        answer->message = g_strdup_printf("asked in another form: the server said %ld: %s", status, text);
        return FALSE;
    }
    answer->broken = status >= 500;
    if (is_passing(status, root))
        return again(answer, g_strdup_printf("the server said %ld: %s", status, text));
    return never(answer, status == 404 ? AIMF_ERROR_NOT_FOUND : AIMF_ERROR_INVALID,
                 g_strdup_printf("the server said %ld: %s%s", status, text,
                                 status == 404 ? " (is the address right, and has it such a model?)" : ""));
}

/* --- Answers --- */

static guint64 count_member(JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;
    gboolean number = node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64;
    return number ? (guint64)CLAMP(json_node_get_int(node), 0, G_MAXINT32) : 0;
}

static AimfUsage read_usage(JsonNode *root, gsize request_bytes, gsize answer_bytes)
{
    JsonObject *object = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
    JsonObject *usage = object_member(object, "usage");
    AimfUsage read = {
        .prompt_tokens = count_member(usage, "prompt_tokens"),
        .completion_tokens = count_member(usage, "completion_tokens"),
    };
    if (read.prompt_tokens || read.completion_tokens)
        return read;
    return (AimfUsage){ request_bytes / BYTES_PER_TOKEN, answer_bytes / BYTES_PER_TOKEN, TRUE };
}

static gboolean is_blank(const char *text)
{
    return !text[strspn(text, " \t\r\n")];
}

/*
 * Appends what @node says: "…", a list of parts, {"text": "…"} or {"text": {"value": "…"}}; thoughts among the parts
 * only if @thoughts.
 */
static void append_said(GString *text, JsonNode *node, gboolean thoughts, guint depth)
{
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING)
        g_string_append(text, json_node_get_string(node));
    if (depth == MAX_PART_DEPTH)
        return;
    if (JSON_NODE_HOLDS_ARRAY(node)) {
        JsonArray *parts = json_node_get_array(node);
        for (guint i = 0; i < json_array_get_length(parts); i++)
            append_said(text, json_array_get_element(parts, i), thoughts, depth + 1);
    } else if (JSON_NODE_HOLDS_OBJECT(node)) {
        JsonObject *part = json_node_get_object(node);
        const char *type = text_member(part, "type");
        gboolean thought = json_object_has_member(part, "thinking") || (type && strstr(type, "reason"));
        static const char *const names[] = { "text", "value", "thinking" };
        for (gsize i = 0; i < G_N_ELEMENTS(names) && (thoughts || !thought); i++)
            if (json_object_has_member(part, names[i]))
                append_said(text, json_object_get_member(part, names[i]), thoughts, depth + 1);
    }
}

/*
 * (owned, nullable) What the member @name says; an object that says nothing may itself be the JSON that was asked for.
 */
static char *said_in(JsonObject *object, const char *name, gboolean thoughts)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;
    if (!node || JSON_NODE_HOLDS_NULL(node))
        return NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    append_said(text, node, thoughts, 0);
    if (!text->len && JSON_NODE_HOLDS_OBJECT(node) && !thoughts) {
        g_autofree char *json = json_to_string(node, FALSE);
        g_string_assign(text, json);
    }
    return is_blank(text->str) ? NULL : g_utf8_make_valid(text->str, (gssize)text->len);
}

/* (owned, nullable) What the model would have a tool called with: some servers make a schema a tool. */
static char *said_to_tool(JsonObject *message)
{
    JsonNode *calls = message ? json_object_get_member(message, "tool_calls") : NULL;
    JsonNode *first = calls && JSON_NODE_HOLDS_ARRAY(calls) && json_array_get_length(json_node_get_array(calls))
                          ? json_array_get_element(json_node_get_array(calls), 0)
                          : NULL;
    JsonObject *call = first && JSON_NODE_HOLDS_OBJECT(first) ? json_node_get_object(first) : NULL;
    JsonObject *function = object_member(call, "function");
    return said_in(function ? function : object_member(message, "function_call"), "arguments", FALSE);
}

/*
 * Reasoning models served without a reasoning parser think within their answer, up to a closing tag. (owned, nullable)
 * the thoughts.
 */
static char *take_thoughts(char *text)
{
    static const char *const ends[] = { "</think>", "</thinking>", "</reasoning>" };
    char *thoughts = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
        char *end = g_strrstr(text, ends[i]);
        if (!end)
            continue;
        g_free(thoughts);
        thoughts = g_strndup(text, (gsize)(end - text));
        memmove(text, end + strlen(ends[i]), strlen(end + strlen(ends[i])) + 1);
    }
    return thoughts;
}

/*
 * (owned, nullable) The text that answers, and where it stood, if in an odd place: the content; else what a tool
 * would be called with; else JSON among the thoughts. A list of lines there may be of what the model decided against.
 */
static char *find_text(JsonObject *choice, const char **source)
{
    static const char *const places[] = { "reasoning_content", "reasoning", "reasoning_details", "thinking",
                                          "content" };
    JsonObject *message = object_member(choice, "message");
    g_autofree char *content = said_in(message, "content", FALSE);
    g_autofree char *thoughts = content ? take_thoughts(content) : NULL;
    *source = NULL;
    if (content && !is_blank(content))
        return g_steal_pointer(&content);
    char *text = said_to_tool(message);
    *source = text ? "a tool's arguments" : thoughts ? "its thoughts" : NULL;
    if (text || (text = said_in(choice, "text", FALSE)))
        return text;
    for (gsize i = 0; !thoughts && i < G_N_ELEMENTS(places); i++)
        if ((thoughts = said_in(message, places[i], TRUE)))
            *source = places[i];
    return thoughts ? aimf_answer_json(thoughts) : NULL;
}

static void read_choice(JsonObject *choice, const char *key, AimfChatAnswer *answer)
{
    const char *reason = text_member(choice, "finish_reason"), *source;
    const char *refusal = text_member(object_member(choice, "message"), "refusal");
    answer->text = find_text(choice, &source);
    aimf_secret_redact(answer->text, answer->text ? strlen(answer->text) : 0, key);
    if (g_strcmp0(reason, "content_filter") == 0 || (refusal && *refusal)) {
        answer->outcome = AIMF_CHAT_FILTERED;
        g_autofree char *line = aimf_secret_line(refusal ? refusal : "", -1, key);
        answer->message = *line ? g_strdup_printf("the model refuses: %s", line)
                                : g_strdup("the server's content filter stopped the answer");
    } else if (g_strcmp0(reason, "length") == 0) {
        answer->outcome = AIMF_CHAT_CUT;
        answer->message = g_strdup("the answer was cut off at the limit of tokens");
    } else if (!answer->text) {
        again(answer,
              source ? g_strdup_printf("the answer has no text, and there is no JSON in %s either; is there a way to "
                                       "turn the model's thinking off?",
                                       source)
                     : g_strdup("the answer has no text"));
    } else {
        answer->outcome = AIMF_CHAT_ANSWER;
        answer->message = source ? g_strdup_printf("the answer's content is empty; taken from %s", source) : NULL;
    }
}

static void not_understood(const AimfHttpReply *reply, const GError *reason, AimfChatAnswer *answer)
{
    const char *type = reply->content_type ? reply->content_type : "of no stated type";
    if (reply->content_type && !strstr(reply->content_type, "json"))
        never(answer, AIMF_ERROR_FORMAT,
              g_strdup_printf("the answer is %s, not JSON; is the address that of a chat endpoint?", type));
    else
        again(answer, g_strdup_printf("the answer is broken: %s", reason ? reason->message : "it has no 'choices'"));
}

/* Routers that have begun to answer, with 200, learn only then that a server behind them fails. */
static void error_within(JsonNode *root, const AimfHttpReply *reply, const char *key, AimfChatAnswer *answer)
{
    g_autofree char *text = said(root, reply, key);
    answer->broken = TRUE;
    again(answer, g_strdup_printf("the server answered with an error: %s", text));
}

void aimf_chat_read(const AimfHttpReply *reply, const AimfDialect *sent, gsize request_bytes, const char *key,
                    AimfDialect *dialect, AimfChatAnswer *answer)
{
    *answer = (AimfChatAnswer){ 0 };
    if (reply->outcome != AIMF_HTTP_ANSWERED) {
        if (reply->outcome == AIMF_HTTP_FAILED)
            again(answer, g_strdup(reply->message));
        else
            never(answer, AIMF_ERROR_FAILED, g_strdup(reply->message));
        return;
    }
    g_autoptr(GError) reason = NULL;
    g_autoptr(JsonNode) root = NULL;
    if (g_utf8_validate(reply->body, (gssize)reply->length, NULL))
        root = aimf_json_parse(reply->body, reply->length, &reason);
    else
        g_set_error(&reason, AIMF_ERROR, AIMF_ERROR_FORMAT, "it is not UTF-8");
    if (!check_status(reply, root, sent, key, dialect, answer))
        return;
    answer->usage = read_usage(root, request_bytes, reply->length);
    JsonObject *object = root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
    JsonNode *choices = object ? json_object_get_member(object, "choices") : NULL;
    JsonNode *first = choices && JSON_NODE_HOLDS_ARRAY(choices) && json_array_get_length(json_node_get_array(choices))
                          ? json_array_get_element(json_node_get_array(choices), 0)
                          : NULL;
    if (first && JSON_NODE_HOLDS_OBJECT(first))
        read_choice(json_node_get_object(first), key, answer);
    else if (object && json_object_has_member(object, "error"))
        error_within(root, reply, key, answer);
    else
        not_understood(reply, reason, answer);
}
