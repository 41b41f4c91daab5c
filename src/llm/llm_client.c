#include "llm/llm_client.h"

#include "base/format.h"
#include "base/monitor.h"
#include "base/random.h"
#include "llm/llm_log.h"

#include <math.h>
#include <string.h>

enum { TICK_MS = 100, LIMIT_BYTES = 4 << 20, BYTES_PER_TOKEN = 4 };

struct AimfLlmClient {
    const AimfLlmOptions *options;
    const AimfMonitor *monitor;
    AimfEndpoint endpoint;
    AimfHttp *http;
    AimfLlmLog *log; /* nullable */
    AimfDialect dialect;
    gboolean odd_place_told; /* once is enough */
    const char *system;
    JsonNode *schema;
    const char *forms[AIMF_ANSWER_TEXT + 1];
    guint max_requests;
    GQueue waiting;     /* of AimfQuestion, in the order asked */
    GHashTable *flying; /* of AimfQuestion, as set */
    guint64 reserved_tokens;
    gint64 hold_us; /* until then nothing is sent: the server is overloaded */
    AimfLlmUsage usage;
};

void aimf_question_free(AimfQuestion *question)
{
    if (!question)
        return;
    g_free(question->about);
    g_free(question->user);
    g_free(question->body);
    g_free(question);
}

static gboolean open_connections(AimfLlmClient *client, GError **error)
{
    const AimfLlmOptions *o = client->options;
    if (!aimf_endpoint_parse(o->url, &client->endpoint, error))
        return FALSE;
    AimfHttpOptions http = {
        .endpoint = &client->endpoint,
        .key = o->key,
        .connect_seconds = o->connect_seconds,
        .total_seconds = o->request_seconds,
        .stall_seconds = o->stall_seconds,
        .limit_bytes = LIMIT_BYTES,
    };
    client->http = aimf_http_new(&http, error);
    if (client->http && o->log_path)
        client->log = aimf_llm_log_open(o->log_path, error);
    return client->http && (client->log || !o->log_path);
}

AimfLlmClient *aimf_llm_client_new(const AimfLlmOptions *options, guint max_requests, const char *system,
                                   JsonNode *schema, const char *json_form, const char *text_form,
                                   const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfLlmClient) client = g_new0(AimfLlmClient, 1);
    client->options = options;
    client->monitor = monitor;
    client->system = system;
    client->schema = schema;
    client->forms[AIMF_ANSWER_SCHEMA] = client->forms[AIMF_ANSWER_OBJECT] = json_form;
    client->forms[AIMF_ANSWER_TEXT] = text_form;
    client->max_requests = max_requests;
    client->flying = g_hash_table_new_full(NULL, NULL, (GDestroyNotify)aimf_question_free, NULL);
    return open_connections(client, error) ? g_steal_pointer(&client) : NULL;
}

void aimf_llm_client_free(AimfLlmClient *client)
{
    if (!client)
        return;
    aimf_http_free(client->http);
    aimf_llm_log_free(client->log);
    aimf_endpoint_clear(&client->endpoint);
    g_queue_clear_full(&client->waiting, (GDestroyNotify)aimf_question_free);
    g_hash_table_unref(client->flying);
    g_free(client);
}

void aimf_llm_client_ask(AimfLlmClient *client, AimfQuestion *question)
{
    g_queue_push_tail(&client->waiting, question);
}

guint aimf_llm_client_flying(const AimfLlmClient *client)
{
    return g_hash_table_size(client->flying);
}

guint aimf_llm_client_open(const AimfLlmClient *client)
{
    return client->waiting.length + aimf_llm_client_flying(client);
}

const AimfLlmUsage *aimf_llm_client_usage(const AimfLlmClient *client)
{
    return &client->usage;
}

static gboolean fail(AimfLlmClient *client, const AimfQuestion *question, AimfErrorCode code, const char *message,
                     GError **error)
{
    g_set_error(error, AIMF_ERROR, (gint)code, "language model '%s' at '%s', %s: %s", client->options->model,
                client->endpoint.host, question->about, message);
    return FALSE;
}

/* --- Sending --- */

static void write_body(AimfLlmClient *client, AimfQuestion *question)
{
    const AimfLlmOptions *o = client->options;
    AimfDialect dialect = client->dialect;
    dialect.form = MAX(dialect.form, question->form);
    g_autofree char *user = g_strconcat(question->user, "\n", client->forms[dialect.form], NULL);
    AimfChatQuestion chat = {
        .model = o->model,
        .system = client->system,
        .user = user,
        .schema = client->schema,
        .temperature = o->temperature,
        .seed = o->seed + client->usage.requests, /* the same questions again are meant to be answered otherwise */
        .max_tokens = o->answer_tokens,
    };
    g_free(question->body);
    question->body = aimf_chat_request(&chat, &dialect);
    question->sent = dialect;
    question->reserved_tokens = strlen(question->body) / BYTES_PER_TOKEN + o->answer_tokens;
}

/* Whether @question may be sent now; FALSE with FAILED where a bound will keep it from ever being sent. */
static gboolean within_bounds(AimfLlmClient *client, const AimfQuestion *question, gboolean *now, GError **error)
{
    const AimfLlmOptions *o = client->options;
    guint64 used = client->usage.prompt_tokens + client->usage.completion_tokens;
    gboolean requests_left = client->usage.requests < client->max_requests;
    gboolean tokens_left =
        !o->max_tokens || used + client->reserved_tokens + question->reserved_tokens <= o->max_tokens;
    *now = requests_left && tokens_left;
    if (*now || aimf_llm_client_flying(client)) /* what is under way may cost less than was set aside for it */
        return TRUE;
    g_autofree char *message =
        requests_left
            ? g_strdup_printf("the bound of %" G_GUINT64_FORMAT
                              " tokens (--llm-max-tokens) would be exceeded: %" G_GUINT64_FORMAT
                              " are used, and a request may take %" G_GUINT64_FORMAT " (--llm-answer-tokens)",
                              o->max_tokens, used, question->reserved_tokens)
            : g_strdup_printf("the bound of %u requests (--llm-max-requests) is reached", client->max_requests);
    return fail(client, question, AIMF_ERROR_FAILED, message, error);
}

static AimfQuestion *next_ready(AimfLlmClient *client)
{
    gint64 now = g_get_monotonic_time();
    for (GList *link = client->waiting.head; link && now >= client->hold_us; link = link->next)
        if (((AimfQuestion *)link->data)->ready_us <= now)
            return link->data;
    return NULL;
}

static gboolean send_ready(AimfLlmClient *client, GError **error)
{
    AimfQuestion *question;
    while (aimf_llm_client_flying(client) < client->options->parallel && (question = next_ready(client))) {
        gboolean now;
        write_body(client, question);
        if (!within_bounds(client, question, &now, error))
            return FALSE;
        if (!now)
            return TRUE;
        if (!aimf_http_post(client->http, question->body, question, error))
            return FALSE;
        g_queue_remove(&client->waiting, question);
        g_hash_table_add(client->flying, question);
        client->reserved_tokens += question->reserved_tokens;
        question->request = ++client->usage.requests;
        client->usage.repeated += question->attempt > 0;
    }
    return TRUE;
}

/* --- Asking again --- */

/* Exponential, and scattered so that clients that failed together do not come back together. */
static double back_off(const AimfLlmClient *client, const AimfQuestion *question)
{
    const AimfLlmOptions *o = client->options;
    AimfRandom random = aimf_random_at(o->seed, AIMF_STREAM_BACK_OFF, question->request);
    double seconds = o->retry_seconds * exp2((double)(question->attempt - 1));
    return MIN(seconds, o->longest_wait_seconds) * (0.5 + 0.5 * aimf_random_uniform(&random));
}

static gboolean repeat_later(AimfLlmClient *client, AimfQuestion *owned, const char *why, double at_least_seconds,
                             double *wait_seconds, GError **error)
{
    g_autoptr(AimfQuestion) question = owned;
    const AimfLlmOptions *o = client->options;
    if (at_least_seconds > o->longest_wait_seconds) {
        g_autofree char *message =
            aimf_format("%s, and wants to be left alone for %g s, longer than the %g s that are waited", why,
                        at_least_seconds, o->longest_wait_seconds);
        return fail(client, question, AIMF_ERROR_FAILED, message, error);
    }
    if (++question->attempt >= o->attempts) {
        g_autofree char *message = g_strdup_printf("%s; that was attempt %u%s", why, question->attempt,
                                                   question->form ? ", without a JSON schema as well" : "");
        return fail(client, question, AIMF_ERROR_FAILED, message, error);
    }
    *wait_seconds = MAX(back_off(client, question), at_least_seconds);
    aimf_message(client->monitor, AIMF_LOG_WARNING, "%s, attempt %u of %u: %s; again in %.1f s", question->about,
                 question->attempt, o->attempts, why, *wait_seconds);
    question->ready_us = g_get_monotonic_time() + (gint64)(*wait_seconds * G_USEC_PER_SEC);
    g_queue_push_head(&client->waiting, g_steal_pointer(&question));
    return TRUE;
}

gboolean aimf_llm_client_repeat(AimfLlmClient *client, AimfQuestion *question, const char *why, GError **error)
{
    double wait;
    /* A server may take a form and then not manage it: the second time it is asked for less. */
    if (question->attempt >= 1 && question->sent.form == client->dialect.form &&
        client->dialect.form != AIMF_ANSWER_TEXT)
        client->dialect.form++;
    return repeat_later(client, question, why, 0, &wait, error);
}

/*
 * A server's constrained decoding may break on a schema without a word about it: a question that meets such a failure
 * for the second time is asked in a freer form, and for the last time in the freest.
 */
static void loosen(const AimfLlmClient *client, AimfQuestion *question)
{
    if (++question->broken < 2 || question->sent.form == AIMF_ANSWER_TEXT)
        return;
    gboolean last = question->attempt + 2 >= client->options->attempts;
    question->form = last ? AIMF_ANSWER_TEXT : question->sent.form + 1;
}

/* What brought an answer to one question is how the others are asked. */
static void learn_form(AimfLlmClient *client, const AimfQuestion *question, const AimfChatAnswer *answer)
{
    if (question->form > client->dialect.form && question->sent.form == question->form) {
        aimf_message(client->monitor, AIMF_LOG_WARNING,
                     "the server fails where %s is asked for, and answers without: the rest is asked without",
                     client->dialect.form == AIMF_ANSWER_SCHEMA ? "a JSON schema" : "a JSON object");
        client->dialect.form = question->form;
    }
    if (answer->outcome == AIMF_CHAT_ANSWER && answer->message && !client->odd_place_told) {
        client->odd_place_told = TRUE;
        aimf_message(client->monitor, AIMF_LOG_INFO, "%s: %s", question->about, answer->message);
    }
}

/* --- Answers --- */

static void account(AimfLlmClient *client, const AimfUsage *usage)
{
    client->usage.prompt_tokens += usage->prompt_tokens;
    client->usage.completion_tokens += usage->completion_tokens;
    client->usage.estimated |= usage->estimated;
}

/* Takes @owned: hands it out with its answer, queues it again, or fails. */
static gboolean settle(AimfLlmClient *client, AimfQuestion *owned, const AimfHttpReply *reply, AimfQuestion **answered,
                       const AimfChatAnswer *answer, GError **error)
{
    g_autoptr(AimfQuestion) question = owned;
    double wait;
    switch (answer->outcome) {
    case AIMF_CHAT_ANSWER:
    case AIMF_CHAT_CUT:
    case AIMF_CHAT_FILTERED:
        learn_form(client, question, answer);
        *answered = g_steal_pointer(&question);
        return TRUE;
    case AIMF_CHAT_OTHERWISE:
        aimf_message(client->monitor, AIMF_LOG_DEBUG, "%s: %s", question->about, answer->message);
        g_queue_push_head(&client->waiting, g_steal_pointer(&question));
        return TRUE;
    case AIMF_CHAT_AGAIN:
        if (answer->broken)
            loosen(client, question);
        if (!repeat_later(client, g_steal_pointer(&question), answer->message, reply->retry_after_seconds, &wait,
                          error))
            return FALSE;
        if (reply->status == 429) /* for all of them */
            client->hold_us = g_get_monotonic_time() + (gint64)(wait * G_USEC_PER_SEC);
        return TRUE;
    case AIMF_CHAT_NEVER:
        break;
    }
    return fail(client, question, answer->code, answer->message, error);
}

/* No longer than until a question's wait is over. */
static guint moment_ms(const AimfLlmClient *client)
{
    gint64 now = g_get_monotonic_time(), first_us = now + TICK_MS * 1000;
    for (GList *link = client->waiting.head; link; link = link->next) {
        gint64 ready_us = MAX(((AimfQuestion *)link->data)->ready_us, client->hold_us);
        if (ready_us > now) /* others only wait for their turn */
            first_us = MIN(first_us, ready_us);
    }
    return (guint)((first_us - now) / 1000 + 1);
}

gboolean aimf_llm_client_wait(AimfLlmClient *client, AimfQuestion **answered, AimfChatAnswer *answer, GError **error)
{
    *answered = NULL;
    *answer = (AimfChatAnswer){ 0 };
    if (!aimf_check_stop(client->monitor, "the language model's work", error) || !send_ready(client, error))
        return FALSE;
    g_autoptr(AimfHttpReply) reply = aimf_http_wait(client->http, moment_ms(client));
    if (!reply)
        return TRUE;
    AimfQuestion *question = reply->tag;
    g_hash_table_steal(client->flying, question);
    client->reserved_tokens -= question->reserved_tokens;
    aimf_chat_read(reply, &question->sent, strlen(question->body), client->options->key, &client->dialect, answer);
    account(client, &answer->usage);
    AimfLlmRecord record = { question->request, question->attempt + 1, question->about, question->body, reply, answer };
    if (client->log && !aimf_llm_log_add(client->log, &record, error)) {
        aimf_question_free(question);
        return FALSE;
    }
    return settle(client, question, reply, answered, answer, error);
}
