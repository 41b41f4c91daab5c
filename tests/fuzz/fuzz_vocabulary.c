/* A tokenizer's files, in this order: vocab.json, merges.txt, tokenizer_config.json, added_tokens.json; then a text. */
#include "fuzz/support_fuzz.h"

#include <aimfair/text.h>
#include <glib/gstdio.h>

static const char *const FILES[] = { "vocab.json", "merges.txt", "tokenizer_config.json", "added_tokens.json" };
enum { N_FILES = G_N_ELEMENTS(FILES) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzPart parts[N_FILES + 1];
    fuzz_split(data, size, parts, N_FILES + 1);
    for (guint i = 0; i < N_FILES; i++) {
        g_unlink(fuzz_path(FILES[i]));
        if (parts[i].bytes)
            fuzz_write(FILES[i], parts[i].text, parts[i].bytes);
    }
    GError *error = NULL;
    g_autoptr(AimfTokenizer) tokenizer = aimf_tokenizer_open(fuzz_folder(), &error);
    if (fuzz_check(tokenizer != NULL, &error)) {
        guint n;
        g_autofree gint32 *ids = aimf_tokenizer_encode(tokenizer, parts[N_FILES].text ? parts[N_FILES].text : "", &n);
        for (guint i = 0; i < n; i++)
            g_assert_true(ids[i] >= 0 && (guint)ids[i] < aimf_tokenizer_size(tokenizer));
        g_autofree char *hash = aimf_tokenizer_hash(tokenizer);
        g_assert_nonnull(hash);
    }
    fuzz_parts_clear(parts, N_FILES + 1);
    return 0;
}
