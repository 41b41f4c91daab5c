/* Texts of any bytes: decoding of files, cleaning, folding, splitting into words and tokens. */
#include "base/shown.h"
#include "base/text_file.h"
#include "fuzz/support_fuzz.h"
#include "prompts/prompt_words.h"
#include "text/clean.h"
#include "text/html.h"
#include "text/words.h"

#include <aimfair/text.h>
#include <string.h>

/* OpenAI's form without merges: every byte is a token, and text is cleaned. */
static AimfTokenizer *tokenizer(void)
{
    static AimfTokenizer *made;
    static const char FILE[] = "#version\nt h\nth e</w>\n";
    if (!made)
        made = aimf_tokenizer_open(fuzz_write("bpe.txt", FILE, strlen(FILE)), NULL);
    g_assert_nonnull(made);
    return made;
}

static void assert_utf8(char *text)
{
    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    g_autoptr(GBytes) bytes = aimf_text_read(fuzz_write("text", data, size), size, &error);
    if (!fuzz_check(bytes != NULL, &error))
        return 0;
    const char *text = g_bytes_get_data(bytes, NULL);
    guint n;
    g_free(aimf_tokenizer_encode(tokenizer(), text, &n));
    fuzz_check_text(*text ? AIMF_SHOWN(text) : "x");
    g_autofree char *valid = aimf_text_repair(text);
    g_assert_true(g_utf8_validate(valid, -1, NULL));
    assert_utf8(aimf_text_clean(valid));
    assert_utf8(aimf_text_fold(valid, strlen(valid)));
    assert_utf8(aimf_html_unescape(valid));
    assert_utf8(aimf_html_unescape_plain(valid));
    g_autoptr(AimfWords) words = aimf_words_new(valid);
    assert_utf8(aimf_words_join(words, 0, words->words->len));
    return 0;
}
