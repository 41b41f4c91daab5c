/*
 * Prompts written by a language model: any server with OpenAI's chat interface (OpenAI, llama.cpp, Ollama, vLLM).
 *
 * Example:
 *     gboolean ask(const char *model, const char *to, GError **error)
 *     {
 *         AimfLlmOptions options = AIMF_LLM_DEFAULTS;
 *         options.url = "http://localhost:11434/v1";
 *         options.model = model;
 *         AimfLlmUsage usage = { 0 };
 *         g_autoptr(AimfTask) task = aimf_task_find("Smiling_Male", error);
 *         g_autoptr(AimfPrompts) prompts = task ? aimf_prompts_ask(task, &options, NULL, &usage, NULL, error) : NULL;
 *         g_printerr("%u requests\n", usage.requests);
 *         return prompts && aimf_prompts_save(prompts, to, error);
 *     }
 */
#pragma once

#include <aimfair/prompts.h>

G_BEGIN_DECLS

/**
 * AimfLlmContexts:
 * @AIMF_CONTEXTS_SHARED: the model writes contexts once, without knowing a group; each is put into words for every
 *   group and kept only if it passes there. So groups differ in the attributes' words alone, as in aimf_prompts_compose
 * @AIMF_CONTEXTS_PER_GROUP: the model writes whole prompts for each group by itself, as the paper does. What it
 *   believes of a group can show in them: aimf_prompts_balance measures it
 */
typedef enum { AIMF_CONTEXTS_SHARED, AIMF_CONTEXTS_PER_GROUP } AimfLlmContexts;

/**
 * AimfLlmOptions:
 * @url: "http(s)://host[:port]/v1", or the full ".../chat/completions"; @model: its name there
 * @key: (nullable) sent as bearer token to that address and nowhere else; in no file, log, message or error.
 *   aimf_prompts_ask wipes its own copies, and the caller its own
 * @count: prompts wanted in each group; @tokenizer: (nullable) as for the checks
 * @seed: of the hints in the questions and of the waits' jitter, and sent along for servers that draw with it
 * @batch: prompts in one question; @parallel: questions at a time
 * @answer_tokens: an answer's limit; @temperature: of the model's draws
 * @max_requests: in all, 0 for five times what would be needed if all went well; @max_tokens: of questions and
 *   answers in all, 0 for no bound but that of the requests. A request that could exceed it is not sent
 * @attempts: of a question before it counts as failed; @retry_seconds: first wait between them, doubled each time, up
 *   to
 *   @longest_wait_seconds. A server that asks for a longer wait than that ends the work
 * @connect_seconds, @request_seconds: until there is a connection, and for a whole request; @stall_seconds: between
 *   two bytes of an answer that has begun
 * @log_path: (nullable) every request and answer is appended as a line of JSON, without the key; readable for its
 * owner only
 * @state_path: (nullable) what is won is kept there after every answer, and a run begins with what is there. It stays
 *   at the end, for the caller to remove once the result is saved
 */
typedef struct {
    const char *url;
    const char *model;
    const char *key;
    AimfLlmContexts contexts;
    guint count;
    const AimfTokenizer *tokenizer;
    guint64 seed;
    guint batch;
    guint parallel;
    guint answer_tokens;
    double temperature;
    guint max_requests;
    guint64 max_tokens;
    guint attempts;
    double retry_seconds;
    double longest_wait_seconds;
    double connect_seconds;
    double request_seconds;
    double stall_seconds;
    const char *log_path;
    const char *state_path;
} AimfLlmOptions;

/** AIMF_LLM_DEFAULTS: 50 prompts in batches of 10, 4 at a time; url and model are missing. */
extern const AimfLlmOptions AIMF_LLM_DEFAULTS;

/**
 * AimfLlmUsage: what it cost.
 * @requests: sent, repetitions included; @repeated: of these; @estimated: some answers did not say their tokens, and
 *   four bytes were taken for one
 */
typedef struct {
    guint requests;
    guint repeated;
    guint64 prompt_tokens;
    guint64 completion_tokens;
    gboolean estimated;
} AimfLlmUsage;

/** aimf_llm_check: FALSE with INVALID unless @options could be used: address, key, model, ranges. Sends nothing. */
gboolean aimf_llm_check(const AimfLlmOptions *options, GError **error);

/**
 * aimf_prompts_ask:
 * Has a language model write the prompts of @task, checks every one, and asks again for those that were refused,
 * saying why.
 * @usage, @stats: (nullable) filled in also on failure
 * Returns: (owned), origin filled in; or NULL with what aimf_llm_check gives, NOT_FOUND (the server has no such model
 * or path, or no certificates are there to check it by), FORMAT (what answers is no such server, or the state file is
 * none), FAILED (no answer after all attempts, a bound reached, a round without one usable prompt too many: names the
 * group and the main reasons), IO or INTERRUPTED. What was won is then in @options->state_path. A program that calls
 * this with https should ignore SIGPIPE, which a lost connection may raise within TLS.
 */
AimfPrompts *aimf_prompts_ask(const AimfTask *task, const AimfLlmOptions *options, const AimfMonitor *monitor,
                              AimfLlmUsage *usage, AimfCollectStats *stats, GError **error);

G_END_DECLS
