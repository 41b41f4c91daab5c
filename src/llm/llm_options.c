/* What may be asked of a language model's server. */
#include "llm/llm_endpoint.h"

#include <aimfair/llm.h>

enum { MAX_BATCH = 100, MAX_PARALLEL = 64 };

const AimfLlmOptions AIMF_LLM_DEFAULTS = {
    .count = 50,
    .batch = 10,
    .parallel = 4,
    .answer_tokens = 4096,
    .temperature = 1,
    .attempts = 5,
    .retry_seconds = 1,
    .longest_wait_seconds = 120,
    .connect_seconds = 10,
    .request_seconds = 600,
    .stall_seconds = 30,
};

static gboolean out_of_range(const char *what, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "language model: %s", what);
    return FALSE;
}

gboolean aimf_llm_check(const AimfLlmOptions *o, GError **error)
{
    g_auto(AimfEndpoint) endpoint = { 0 };
    if (!o->url || !aimf_endpoint_parse(o->url, &endpoint, error))
        return o->url ? FALSE : out_of_range("its address is missing", error);
    if (!aimf_endpoint_check_key(&endpoint, o->key, error))
        return FALSE;
    if (!o->model || !*o->model || !g_utf8_validate(o->model, -1, NULL))
        return out_of_range("the model's name is missing", error);
    if (o->count < 1 || o->count > AIMF_MAX_GROUP_PROMPTS)
        return out_of_range("the number of prompts must be from 1 to 100000", error);
    if (o->batch < 1 || o->batch > MAX_BATCH || o->parallel < 1 || o->parallel > MAX_PARALLEL)
        return out_of_range("a question must be for 1 to 100 prompts, and 1 to 64 questions be asked at a time", error);
    if (o->answer_tokens < 1 || o->answer_tokens > G_MAXINT32 || o->attempts < 1)
        return out_of_range("the tokens of an answer and the attempts must be 1 or more", error);
    if (!(o->temperature >= 0 && o->temperature <= 2))
        return out_of_range("the temperature must be from 0 to 2", error);
    const double times[] = { o->connect_seconds, o->request_seconds, o->stall_seconds };
    for (gsize i = 0; i < G_N_ELEMENTS(times); i++)
        if (!(times[i] >= 0.001 && times[i] <= 1e6))
            return out_of_range("time limits must be from 0.001 to 1000000 seconds", error);
    if (!(o->retry_seconds >= 0 && o->retry_seconds <= 1e6 && o->longest_wait_seconds >= 0 &&
          o->longest_wait_seconds <= 1e6))
        return out_of_range("waits must be from 0 to 1000000 seconds", error);
    return TRUE;
}
