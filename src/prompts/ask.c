/* A language model as a source of prompts: what is missing becomes questions, answers become candidates. */
#include "base/file.h"
#include "base/json.h"
#include "base/monitor.h"
#include "llm/llm_answer.h"
#include "llm/llm_client.h"
#include "prompts/instruction.h"
#include "prompts/setting.h"

#include <aimfair/json.h>
#include <string.h>

enum { LIMIT_CANDIDATES = 1000, SHOWN_REFUSALS = 8, SPARE_REQUESTS = 10, EXPECTED_FACTOR = 5 };

typedef struct {
    const AimfLlmOptions *options;
    const AimfTask *task;
    AimfPrompts *prompts;
    AimfLlmClient *client;
    char **dimensions;
    guint batch; /* halved when answers are cut off */
    guint n_questions;
    guint n_candidates; /* of this round */
    char *filtered;     /* what a filter said in this round */
    const AimfMonitor *monitor;
    char note[80];
} Asker;

static void asker_clear(Asker *asker)
{
    aimf_llm_client_free(asker->client);
    g_strfreev(asker->dimensions);
    g_free(asker->filtered);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asker, asker_clear)

/* --- Origin and state --- */

static char *origin_text(const AimfLlmOptions *o)
{
    g_auto(AimfEndpoint) endpoint = { 0 };
    aimf_endpoint_parse(o->url, &endpoint, NULL);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *date = g_date_time_format(now, "%Y-%m-%d");
    g_autoptr(JsonBuilder) builder = json_builder_new();
    const char *const members[][2] = {
        { "method", "language model" },
        { "model", o->model },
        { "host", endpoint.host },
        { "contexts", o->contexts == AIMF_CONTEXTS_SHARED ? "shared" : "per group" },
        { "date", date },
    };
    json_builder_begin_object(builder);
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        json_builder_set_member_name(builder, members[i][0]);
        json_builder_add_string_value(builder, members[i][1]);
    }
    json_builder_set_member_name(builder, "seed");
    json_builder_add_int_value(builder, (gint64)o->seed);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return aimf_json_write(root, FALSE);
}

/*
 * Whether an earlier run, of which @origin tells, asked the same of the same model: so that one file has one origin.
 */
static gboolean same_origin(const char *origin, const char *wanted, const char *path, GError **error)
{
    static const char *const names[] = { "method", "model", "contexts" };
    g_autoptr(JsonNode) a = origin ? aimf_json_parse(origin, strlen(origin), NULL) : NULL;
    g_autoptr(JsonNode) b = aimf_json_parse(wanted, strlen(wanted), NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        JsonObject *object = a && JSON_NODE_HOLDS_OBJECT(a) ? json_node_get_object(a) : NULL;
        JsonNode *node = object ? json_object_get_member(object, names[i]) : NULL;
        const char *was = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_string(node) : NULL;
        const char *is = json_object_get_string_member(json_node_get_object(b), names[i]);
        if (g_strcmp0(was, is) == 0)
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s' has prompts of an unfinished run with %s '%s', not '%s'; finish that, or remove the file",
                    path, names[i], was ? was : "unknown", is);
        return FALSE;
    }
    return TRUE;
}

/* (owned) What an earlier run won, or groups without prompts. */
static AimfPrompts *begin(const AimfTask *task, const AimfLlmOptions *o, const AimfMonitor *monitor, GError **error)
{
    g_autofree char *origin = origin_text(o);
    g_autoptr(AimfPrompts) prompts = NULL;
    gboolean there = FALSE;
    if (o->state_path && !aimf_path_there(o->state_path, &there, error))
        return NULL;
    if (there) {
        prompts = aimf_prompts_open_partial(o->state_path, error);
        if (!prompts || !same_origin(prompts->origin, origin, o->state_path, error))
            return NULL;
        guint n = 0;
        for (guint g = 0; g < prompts->n_groups; g++)
            n += prompts->groups[g].n_prompts;
        aimf_message(monitor, AIMF_LOG_INFO, "going on with the %u prompt%s in '%s'", n, AIMF_PLURAL(n), o->state_path);
    } else {
        prompts = aimf_prompts_new(task);
    }
    g_free(prompts->origin);
    prompts->origin = g_steal_pointer(&origin);
    return g_steal_pointer(&prompts);
}

/* After every answer, so that also a kill loses none. */
static gboolean keep(const Asker *asker, GError **error)
{
    return !asker->options->state_path || aimf_prompts_save(asker->prompts, asker->options->state_path, error);
}

/* --- Questions --- */

/* (owned, texts borrowed) Of a group; for shared contexts of all, because each may refuse for a reason of its own. */
static const char **newest_refusals(const Asker *asker, const AimfPromptSink *sink, guint group)
{
    guint n_groups = aimf_task_groups(asker->task);
    gboolean shared = asker->options->contexts == AIMF_CONTEXTS_SHARED;
    GPtrArray *texts = g_ptr_array_new();
    for (guint g = 0; g < n_groups; g++) {
        const char *const *refused = aimf_prompt_sink_refused(sink, g);
        for (guint n = 0; (shared || g == group) && refused[n] && n < MAX(SHOWN_REFUSALS / (shared ? n_groups : 1), 1);
             n++)
            g_ptr_array_add(texts, (gpointer)refused[n]);
    }
    g_ptr_array_add(texts, NULL);
    return (const char **)g_ptr_array_free(texts, FALSE);
}

static void ask(Asker *asker, AimfPromptSink *sink, guint group, guint n, guint index)
{
    gboolean shared = asker->options->contexts == AIMF_CONTEXTS_SHARED;
    g_autofree char *name = aimf_task_group_name(asker->task, group);
    g_autofree const char **refused = newest_refusals(asker, sink, group);
    AimfInstruction instruction = {
        .task = asker->task,
        .contexts = asker->options->contexts,
        .group = group,
        .n = n,
        .seed = asker->options->seed,
        .index = index,
        .existing = aimf_prompt_sink_group(sink, group),
        .refused = refused,
    };
    AimfQuestion *question = g_new0(AimfQuestion, 1);
    question->about = shared ? g_strdup("contexts") : g_strdup_printf("group '%s'", name);
    question->user = aimf_instruction_question(&instruction);
    question->group = group;
    question->n = n;
    aimf_llm_client_ask(asker->client, question);
}

/* Questions for all that is missing. Groups take turns, so that none is finished long before the others. */
static void ask_for_missing(Asker *asker, AimfPromptSink *sink)
{
    gboolean shared = asker->options->contexts == AIMF_CONTEXTS_SHARED;
    guint n_groups = shared ? 1 : aimf_task_groups(asker->task);
    guint first = asker->n_questions;
    for (guint turn = 0, missing = 1; missing; turn++) {
        missing = 0;
        for (guint g = 0; g < n_groups; g++) {
            guint wanted = aimf_prompt_sink_wanted(sink, g), asked = turn * asker->batch;
            if (wanted <= asked)
                continue;
            ask(asker, sink, g, MIN(wanted - asked, asker->batch), first + turn);
            missing = 1;
        }
        asker->n_questions += missing;
    }
}

/* --- Answers --- */

static guint offer_for_group(Asker *asker, AimfPromptSink *sink, guint group, const GArray *candidates)
{
    guint accepted = 0;
    for (guint i = 0; i < candidates->len; i++) {
        const AimfPrompt *candidate = &g_array_index(candidates, AimfPrompt, i);
        if (!candidate->text)
            continue;
        asker->n_candidates++;
        accepted += aimf_prompt_sink_offer(sink, group, candidate) ? 1 : 0;
    }
    return accepted;
}

/* The same settings for every group, or for none. Accepted settings, and prompts looked at in @n_candidates. */
static guint offer_for_all(Asker *asker, AimfPromptSink *sink, const GArray *settings)
{
    guint accepted = 0, n_groups = aimf_task_groups(asker->task);
    for (guint i = 0; i < settings->len; i++) {
        const AimfPrompt *setting = &g_array_index(settings, AimfPrompt, i);
        if (!setting->n_contexts)
            continue;
        asker->n_candidates++;
        AimfPrompt *prompts = aimf_setting_prompts(asker->task, setting, aimf_prompt_sink_group(sink, 0)->n_prompts);
        accepted += aimf_prompt_sink_offer_all(sink, prompts) ? 1 : 0;
        aimf_setting_prompts_free(prompts, n_groups);
    }
    return accepted;
}

static void show(Asker *asker, AimfPromptSink *sink)
{
    const AimfLlmUsage *usage = aimf_llm_client_usage(asker->client);
    guint64 tokens = usage->prompt_tokens + usage->completion_tokens;
    g_snprintf(asker->note, sizeof asker->note, "%u requests, %u under way, %" G_GUINT64_FORMAT " tokens",
               usage->requests, aimf_llm_client_flying(asker->client), tokens);
    aimf_prompt_sink_note(sink, asker->note);
}

/*
 * The rest of a question whose answer was cut off, in smaller pieces: thinking and writing share the limit of tokens.
 */
static gboolean ask_for_rest(Asker *asker, AimfPromptSink *sink, const AimfQuestion *question, guint n_read,
                             GError **error)
{
    if (question->n == 1 && !n_read) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED,
                    "language model '%s', %s: %u tokens do not suffice for one prompt; allow more "
                    "(--llm-answer-tokens), as models "
                    "that think before they answer need them",
                    asker->options->model, question->about, asker->options->answer_tokens);
        return FALSE;
    }
    guint half = MAX(question->n / 2, 1);
    asker->batch = MIN(asker->batch, half);
    for (guint left = question->n > n_read ? question->n - n_read : 0; left;) {
        guint n = MIN(left, half);
        ask(asker, sink, question->group, n, asker->n_questions++);
        left -= n;
    }
    return TRUE;
}

static gboolean take_answer(Asker *asker, AimfPromptSink *sink, AimfQuestion *owned, const AimfChatAnswer *answer,
                            GError **error)
{
    g_autoptr(AimfQuestion) question = owned;
    if (answer->outcome == AIMF_CHAT_FILTERED) {
        aimf_message(asker->monitor, AIMF_LOG_WARNING, "%s: %s", question->about, answer->message);
        g_free(asker->filtered);
        asker->filtered = g_strdup(answer->message);
        return TRUE;
    }
    guint before = asker->n_candidates;
    g_autoptr(GArray) candidates =
        aimf_answer_read(answer->text ? answer->text : "", (const char *const *)asker->dimensions,
                         g_strv_length(asker->dimensions), LIMIT_CANDIDATES);
    show(asker, sink);
    guint accepted = asker->options->contexts == AIMF_CONTEXTS_SHARED
                         ? offer_for_all(asker, sink, candidates)
                         : offer_for_group(asker, sink, question->group, candidates);
    if (accepted && !keep(asker, error))
        return FALSE;
    if (answer->outcome == AIMF_CHAT_CUT)
        return ask_for_rest(asker, sink, question, asker->n_candidates - before, error);
    return asker->n_candidates > before ||
           aimf_llm_client_repeat(asker->client, g_steal_pointer(&question), "there is no prompt in the answer", error);
}

/* What an earlier run left for shared contexts must have as many for each group, or they were not shared. */
static gboolean check_even(const Asker *asker, const AimfPromptSink *sink, GError **error)
{
    if (asker->options->contexts != AIMF_CONTEXTS_SHARED)
        return TRUE;
    for (guint g = 1; g < aimf_task_groups(asker->task); g++) {
        if (aimf_prompt_sink_wanted(sink, g) == aimf_prompt_sink_wanted(sink, 0))
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s' does not have the same contexts for every group any more; remove it to begin anew",
                    asker->options->state_path);
        return FALSE;
    }
    return TRUE;
}

static gboolean is_wanted(const Asker *asker, const AimfPromptSink *sink)
{
    for (guint g = 0; g < aimf_task_groups(asker->task); g++)
        if (aimf_prompt_sink_wanted(sink, g))
            return TRUE;
    return FALSE;
}

static gboolean supply(AimfPromptSink *sink, guint round, gpointer user_data, GError **error)
{
    Asker *asker = user_data;
    asker->n_candidates = 0;
    g_clear_pointer(&asker->filtered, g_free);
    if (!round && !check_even(asker, sink, error))
        return FALSE;
    ask_for_missing(asker, sink);
    while (aimf_llm_client_open(asker->client) && is_wanted(asker, sink)) {
        AimfQuestion *question;
        g_auto(AimfChatAnswer) answer = { 0 };
        if (!aimf_llm_client_wait(asker->client, &question, &answer, error) ||
            (question && !take_answer(asker, sink, question, &answer, error)))
            return FALSE;
        show(asker, sink);
    }
    if (asker->n_candidates || !asker->filtered)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED, "language model '%s': every answer was withheld: %s",
                asker->options->model, asker->filtered);
    return FALSE;
}

/* --- All of it --- */

/* 0 would be no bound: a server whose every answer is refused must come to an end too. */
static guint bound_requests(const AimfTask *task, const AimfLlmOptions *o)
{
    guint64 lists = o->contexts == AIMF_CONTEXTS_SHARED ? 1 : aimf_task_groups(task);
    guint64 needed = lists * ((o->count + o->batch - 1) / o->batch);
    return o->max_requests ? o->max_requests : (guint)MIN(SPARE_REQUESTS + EXPECTED_FACTOR * needed, G_MAXUINT);
}

static gboolean collect(Asker *asker, AimfCollectStats *stats, GError **error)
{
    const AimfLlmOptions *o = asker->options;
    g_autofree char *json_form = aimf_instruction_json_form(asker->task, o->contexts);
    g_autofree char *text_form = aimf_instruction_text_form(asker->task, o->contexts);
    g_autoptr(JsonNode) schema = aimf_instruction_schema(asker->task, o->contexts);
    asker->client = aimf_llm_client_new(o, bound_requests(asker->task, o), AIMF_INSTRUCTION_SYSTEM, schema, json_form,
                                        text_form, asker->monitor, error);
    if (!asker->client)
        return FALSE;
    AimfPromptSource source = { supply, asker };
    AimfCollectOptions collect_options = { .count = o->count, .tokenizer = o->tokenizer };
    gboolean done =
        aimf_prompts_collect(asker->prompts, asker->task, &source, &collect_options, stats, asker->monitor, error);
    return done;
}

AimfPrompts *aimf_prompts_ask(const AimfTask *task, const AimfLlmOptions *options, const AimfMonitor *monitor,
                              AimfLlmUsage *usage, AimfCollectStats *stats, GError **error)
{
    if (usage)
        *usage = (AimfLlmUsage){ 0 };
    if (stats)
        *stats = (AimfCollectStats){ 0 };
    if (!aimf_llm_check(options, error))
        return NULL;
    g_autoptr(AimfPrompts) prompts = begin(task, options, monitor, error);
    if (!prompts)
        return NULL;
    g_auto(Asker) asker = {
        .options = options,
        .task = task,
        .prompts = prompts,
        .dimensions = aimf_instruction_dimensions(task),
        .batch = options->batch,
        .monitor = monitor,
    };
    gboolean done = collect(&asker, stats, error);
    if (asker.client && usage)
        *usage = *aimf_llm_client_usage(asker.client);
    return done ? g_steal_pointer(&prompts) : NULL;
}
