/* What a server of a language model answers, and the prompts in it. The first byte is the answer's status. */
#include "fuzz/support_fuzz.h"
#include "llm/llm_answer.h"
#include "llm/llm_chat.h"

#include <string.h>

static void read_prompts(const char *text)
{
    static const char *const DIMENSIONS[] = { "hair colour", "background" };
    enum { LIMIT = 50 };
    g_autoptr(GArray) prompts = aimf_answer_read(text, DIMENSIONS, G_N_ELEMENTS(DIMENSIONS), LIMIT);
    g_assert_cmpuint(prompts->len, <=, LIMIT);
    for (guint i = 0; i < prompts->len; i++) {
        const AimfPrompt *prompt = &g_array_index(prompts, AimfPrompt, i);
        g_assert_true(prompt->text || prompt->n_contexts);
        g_assert_true(!prompt->text || g_utf8_validate(prompt->text, -1, NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long STATUS[] = { 200, 400, 429, 500 };
    if (!size)
        return 0;
    g_autofree char *body = g_malloc(size);
    memcpy(body, data + 1, size - 1);
    body[size - 1] = 0;
    const AimfHttpReply reply = { .outcome = AIMF_HTTP_ANSWERED,
                                  .status = STATUS[*data % G_N_ELEMENTS(STATUS)],
                                  .content_type = (char *)"application/json",
                                  .body = body,
                                  .length = size - 1 };
    AimfDialect sent = { 0 }, dialect = { 0 };
    g_auto(AimfChatAnswer) answer = { 0 };
    aimf_chat_read(&reply, &sent, 100, "secret-key", &dialect, &answer);
    fuzz_check_text(answer.message);
    if (answer.text) {
        g_assert_true(g_utf8_validate(answer.text, -1, NULL));
        g_assert_null(strstr(answer.text, "secret-key"));
        read_prompts(answer.text);
    }
    if (g_utf8_validate(body, -1, NULL)) {
        read_prompts(body);
        g_free(aimf_answer_json(body));
    }
    return 0;
}
