/* Patterns of words, a line each, and behind them a text in which they are looked for. */
#include "fuzz/support_fuzz.h"
#include "prompts/prompt_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzPart parts[2];
    fuzz_split(data, size, parts, 2);
    g_autoptr(AimfPatterns) patterns = aimf_patterns_new();
    g_auto(GStrv) lines = g_strsplit(parts[0].text, "\n", -1);
    for (char **line = lines; *line; line++) {
        GError *error = NULL;
        if (g_utf8_validate(*line, -1, NULL) && fuzz_check(aimf_pattern_check(*line, &error), &error))
            aimf_patterns_add(patterns, (char *[]){ *line, NULL });
    }
    if (parts[1].text && g_utf8_validate(parts[1].text, -1, NULL)) {
        g_autoptr(AimfWords) words = aimf_words_new(parts[1].text);
        guint at, n;
        if (aimf_patterns_find(patterns, words, &at, &n))
            g_assert_true(n > 0 && at + n <= words->words->len);
    }
    fuzz_parts_clear(parts, 2);
    return 0;
}
