#include "prompts_llm.h"

#include <glib/gstdio.h>
#include <string.h>

static const char KEY_VARIABLE[] = "AIMFAIR_LLM_API_KEY";

void prompts_llm_options_init(PromptsLlmOptions *options)
{
    *options = (PromptsLlmOptions){
        .temperature = AIMF_LLM_DEFAULTS.temperature,
        .timeout = AIMF_LLM_DEFAULTS.request_seconds,
        .batch = (gint)AIMF_LLM_DEFAULTS.batch,
        .parallel = (gint)AIMF_LLM_DEFAULTS.parallel,
        .attempts = (gint)AIMF_LLM_DEFAULTS.attempts,
        .answer_tokens = (gint)AIMF_LLM_DEFAULTS.answer_tokens,
    };
}

void prompts_llm_options_clear(PromptsLlmOptions *options)
{
    g_free(options->url);
    g_free(options->model);
    g_free(options->contexts);
    g_free(options->log);
}

/* (owned, nullable) Beside the output; there is nothing beside the standard output. */
static char *state_path(const char *output)
{
    return g_str_equal(output, "-") ? NULL : g_strconcat(output, ".partial", NULL);
}

gboolean prompts_llm_check(const PromptsLlmOptions *o, const char *const *files, gsize n, GError **error)
{
    if (!o->url && (o->model || o->contexts || o->log)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s needs --llm URL",
                    o->model      ? "--llm-model"
                    : o->contexts ? "--llm-contexts"
                                  : "--llm-log");
        return FALSE;
    }
    if (o->url && !o->model) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--llm needs --llm-model NAME: the model's name as the server knows it");
        return FALSE;
    }
    return !o->log || (aimf_cli_check_output("--llm-log", o->log, error) &&
                       aimf_cli_check_apart("--llm-log", o->log, files, n, error));
}

static gboolean take_contexts(const char *text, AimfLlmContexts *contexts, GError **error)
{
    static const char *const ways[] = { "shared", "per-group", NULL };
    int way = text ? aimf_cli_choice("--llm-contexts", text, ways, error) : 0;
    *contexts = way == 1 ? AIMF_CONTEXTS_PER_GROUP : AIMF_CONTEXTS_SHARED;
    return way >= 0;
}

/* (owned, nullable) Taken out of the environment, so that nothing this process starts or shows of itself has it. */
static char *take_key(void)
{
    char *variable = getenv(KEY_VARIABLE);
    if (!variable)
        return NULL;
    char *key = *variable ? g_strdup(variable) : NULL;
    explicit_bzero(variable, strlen(variable));
    g_unsetenv(KEY_VARIABLE);
    return key;
}

static void wipe_key(char *key)
{
    if (key)
        explicit_bzero(key, strlen(key));
    g_free(key);
}

/* Also a failure has cost something, and has left something. */
static void tell_of_failure(AimfCli *cli, const char *state, const PromptsLlmReport *report)
{
    const AimfLlmUsage *usage = &report->usage;
    if (usage->requests)
        aimf_cli_message(cli, AIMF_LOG_INFO,
                         "%u requests were sent, %" G_GUINT64_FORMAT " tokens used, %" G_GUINT64_FORMAT
                         " prompts accepted",
                         usage->requests, usage->prompt_tokens + usage->completion_tokens, report->stats.accepted);
    if (state && g_file_test(state, G_FILE_TEST_EXISTS))
        aimf_cli_message(cli, AIMF_LOG_INFO, "accepted prompts are kept in '%s'; the same command goes on from there",
                         state);
}

AimfPrompts *prompts_from_llm(AimfCli *cli, const PromptsLlmOptions *o, const PromptsJob *job, PromptsLlmReport *report,
                              GError **error)
{
    g_autofree char *state = state_path(job->output);
    AimfLlmOptions options = AIMF_LLM_DEFAULTS;
    options.url = o->url;
    options.model = o->model;
    options.count = job->count;
    options.tokenizer = job->tokenizer;
    options.seed = cli->seed;
    options.batch = (guint)o->batch;
    options.parallel = (guint)o->parallel;
    options.attempts = (guint)o->attempts;
    options.answer_tokens = (guint)o->answer_tokens;
    options.temperature = o->temperature;
    options.request_seconds = o->timeout;
    options.max_requests = (guint)o->max_requests;
    options.max_tokens = (guint64)o->max_tokens;
    options.log_path = o->log;
    options.state_path = state;
    *report = (PromptsLlmReport){ 0 };
    if (!take_contexts(o->contexts, &options.contexts, error))
        return NULL;
    char *key = take_key();
    options.key = key;
    AimfPrompts *prompts = aimf_prompts_ask(job->task, &options, cli->monitor, &report->usage, &report->stats, error);
    wipe_key(key);
    if (!prompts)
        tell_of_failure(cli, state, report);
    return prompts;
}

void prompts_llm_saved(const PromptsJob *job)
{
    g_autofree char *state = state_path(job->output);
    if (state)
        g_unlink(state);
}

void prompts_llm_print(AimfCli *cli, const PromptsLlmReport *report)
{
    const AimfLlmUsage *usage = &report->usage;
    const AimfCollectStats *stats = &report->stats;
    aimf_cli_print(cli, "%u requests (%u repeated), %" G_GUINT64_FORMAT " + %" G_GUINT64_FORMAT " tokens%s\n",
                   usage->requests, usage->repeated, usage->prompt_tokens, usage->completion_tokens,
                   usage->estimated ? ", in part estimated" : "");
    aimf_cli_print(cli, "%" G_GUINT64_FORMAT " prompts offered, %" G_GUINT64_FORMAT " accepted", stats->offered,
                   stats->accepted);
    for (guint r = 0; r < AIMF_N_REFUSALS; r++)
        if (stats->refused[r])
            aimf_cli_print(cli, ", %" G_GUINT64_FORMAT " refused as %s", stats->refused[r], aimf_refusal_name(r));
    aimf_cli_print(cli, "\n");
}

void prompts_llm_json(JsonBuilder *builder, const PromptsLlmReport *report)
{
    json_builder_set_member_name(builder, "llm");
    json_builder_begin_object(builder);
    aimf_cli_json_int(builder, "requests", report->usage.requests);
    aimf_cli_json_int(builder, "repeated", report->usage.repeated);
    aimf_cli_json_int(builder, "prompt_tokens", (gint64)report->usage.prompt_tokens);
    aimf_cli_json_int(builder, "completion_tokens", (gint64)report->usage.completion_tokens);
    aimf_cli_json_bool(builder, "tokens_estimated", report->usage.estimated);
    aimf_cli_json_int(builder, "rounds", report->stats.rounds);
    aimf_cli_json_int(builder, "offered", (gint64)report->stats.offered);
    aimf_cli_json_int(builder, "accepted", (gint64)report->stats.accepted);
    json_builder_set_member_name(builder, "refused");
    json_builder_begin_object(builder);
    for (guint r = 0; r < AIMF_N_REFUSALS; r++)
        aimf_cli_json_int(builder, aimf_refusal_name(r), (gint64)report->stats.refused[r]);
    json_builder_end_object(builder);
    json_builder_end_object(builder);
}
