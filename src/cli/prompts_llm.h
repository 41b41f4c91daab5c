/* aimfair prompts --llm: prompts from a language model. */
#pragma once

#include "prompts_command.h"

#include <aimfair/llm.h>

/** PromptsLlmOptions: filled by the entries of PROMPTS_LLM_ENTRIES. @url: NULL where no language model is asked for */
typedef struct {
    char *url;
    char *model;
    char *contexts;
    char *log;
    double temperature;
    double timeout;
    gint batch;
    gint parallel;
    gint attempts;
    gint answer_tokens;
    gint max_requests;
    gint64 max_tokens;
} PromptsLlmOptions;

/** prompts_llm_options_init: the library's defaults. */
void prompts_llm_options_init(PromptsLlmOptions *options);
void prompts_llm_options_clear(PromptsLlmOptions *options);

/* clang-format off */
#define PROMPTS_LLM_ENTRIES(o) \
    { "llm", 0, 0, G_OPTION_ARG_STRING, &(o).url, \
      "have a language model write them: the address of its OpenAI-compatible interface, http://localhost:8080/v1", "URL" }, \
    { "llm-model", 0, 0, G_OPTION_ARG_STRING, &(o).model, "the model's name there", "NAME" }, \
    { "llm-contexts", 0, 0, G_OPTION_ARG_STRING, &(o).contexts, \
      "contexts the same for all groups (shared), or whole prompts group by group, as the paper (per-group)", "WAY" }, \
    { "llm-log", 0, 0, G_OPTION_ARG_FILENAME, &(o).log, "append requests and answers here, as lines of JSON", "FILE" }, \
    { "llm-batch", 0, 0, G_OPTION_ARG_INT, &(o).batch, "prompts in one request (10)", "N [1, 100]" }, \
    { "llm-parallel", 0, 0, G_OPTION_ARG_INT, &(o).parallel, "requests at a time (4)", "N [1, 64]" }, \
    { "llm-attempts", 0, 0, G_OPTION_ARG_INT, &(o).attempts, "times a request is tried (5)", "N [1, 100]" }, \
    { "llm-timeout", 0, 0, G_OPTION_ARG_DOUBLE, &(o).timeout, "seconds for one request (600)", "SECONDS [0.001, 1e+06]" }, \
    { "llm-temperature", 0, 0, G_OPTION_ARG_DOUBLE, &(o).temperature, "of the model's draws (1)", "T [0, 2]" }, \
    { "llm-answer-tokens", 0, 0, G_OPTION_ARG_INT, &(o).answer_tokens, "tokens of an answer at most (4096)", "N [1, 2147483647]" }, \
    { "llm-max-requests", 0, 0, G_OPTION_ARG_INT, &(o).max_requests, \
      "requests in all (five times what is needed if all goes well, and ten)", "N [0, 2147483647]" }, \
    { "llm-max-tokens", 0, 0, G_OPTION_ARG_INT64, &(o).max_tokens, "tokens of requests and answers in all (no bound)", "N [0, 9223372036854775807]" }
/* clang-format on */

/** prompts_llm_check: FALSE with INVALID for options that do not fit together or to the job's files (@files: (n)). */
gboolean prompts_llm_check(const PromptsLlmOptions *options, const char *const *files, gsize n, GError **error);

/** PromptsLlmReport: what it cost. */
typedef struct {
    AimfLlmUsage usage;
    AimfCollectStats stats;
} PromptsLlmReport;

/** prompts_from_llm: (owned) or NULL; what was won before a failure is kept beside the output, and told. */
AimfPrompts *prompts_from_llm(AimfCli *cli, const PromptsLlmOptions *options, const PromptsJob *job,
                              PromptsLlmReport *report, GError **error);
/** prompts_llm_saved: the output is complete; what was kept beside it goes. */
void prompts_llm_saved(const PromptsJob *job);

void prompts_llm_print(AimfCli *cli, const PromptsLlmReport *report);
/** prompts_llm_json: the member "llm" of the object that @builder is in. */
void prompts_llm_json(JsonBuilder *builder, const PromptsLlmReport *report);
