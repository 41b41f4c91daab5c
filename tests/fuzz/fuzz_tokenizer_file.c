/* A vocabulary in one file: OpenAI's list of merges, plain or gzipped, or Hugging Face's tokenizer.json. */
#include "fuzz/support_fuzz.h"

#include <aimfair/text.h>
#include <glib/gstdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    gboolean json = size && *data == '{';
    const char *path = fuzz_write(json ? "tokenizer.json" : "bpe.txt", data, size);
    g_autoptr(AimfTokenizer) tokenizer = aimf_tokenizer_open(json ? fuzz_folder() : path, &error);
    g_unlink(path);
    if (!fuzz_check(tokenizer != NULL, &error))
        return 0;
    gint32 ids[AIMF_PROMPT_TOKENS];
    aimf_tokenizer_prompt(tokenizer, "the lowest word <|endoftext|> newer", 0, ids);
    for (guint i = 0; i < AIMF_PROMPT_TOKENS; i++)
        g_assert_true(ids[i] >= 0 && (guint)ids[i] < aimf_tokenizer_size(tokenizer));
    return 0;
}
