/* Patterns: what a task's words match in prompts. */
#include "prompts/prompt_words.h"

#include <aimfair/error.h>
#include <string.h>

/* How many words from word @at of @text on the pattern takes. */
static guint match(const char *pattern, const char *text, guint at)
{
    g_autoptr(AimfPatterns) patterns = aimf_patterns_new();
    char *list[] = { (char *)pattern, NULL };
    aimf_patterns_add(patterns, list);
    g_autoptr(AimfWords) words = aimf_words_new(text);
    gboolean open;
    return aimf_patterns_match(patterns, words, at, &open);
}

static void test_gaps(void)
{
    g_assert_cmpuint(match("grey ~ hair", "grey hair", 0), ==, 2);
    g_assert_cmpuint(match("grey ~ hair", "grey and very thin hair", 0), ==, 5);
    g_assert_cmpuint(match("grey ~ hair", "grey and very very thin hair", 0), ==, 0);
    g_assert_cmpuint(match("grey ~ hair", "grey coat, black hair", 0), ==, 0);
    g_assert_cmpuint(match("grey ~ hair", "a man with grey hair", 3), ==, 2);
    g_assert_cmpuint(match("long ~ grey ~ hair", "long and thick grey straight hair", 0), ==, 6);
    g_assert_cmpuint(match("a ~ b ~ c", "a b x x x x b c", 0), ==, 0);
    g_assert_cmpuint(match("a ~ b ~ c", "a b x b x x c", 0), ==, 7);
}

/* Gaps in a row are one, and one at an end says nothing. */
static void test_gaps_in_a_row(void)
{
    g_assert_cmpuint(match("a~~h", "a g", 0), ==, 0);
    g_assert_cmpuint(match("a~~h", "a g g g h", 0), ==, 5);
    g_assert_cmpuint(match("grey ~ ~ hair", "grey hair", 0), ==, 2);
    g_assert_cmpuint(match("~ ~ a ~", "a g", 0), ==, 1);
    g_assert_cmpuint(match("~", "a g", 0), ==, 0);
    g_assert_cmpuint(match("~~~~", "a", 0), ==, 0);
}

/* Twenty gaps could be gone through in 4^20 ways. */
static void test_many_gaps(void)
{
    g_autoptr(GString) pattern = g_string_new("a"), text = g_string_new(NULL);
    for (int i = 0; i < 20; i++)
        g_string_append(pattern, "~a");
    for (int i = 0; i < 60; i++)
        g_string_append(text, "a ");
    g_assert_cmpuint(match(pattern->str, text->str, 0), ==, 21);
    g_string_append(pattern, "~b");
    for (guint at = 0; at < 60; at++)
        g_assert_cmpuint(match(pattern->str, text->str, at), ==, 0);
}

static void test_grammar(void)
{
    static const char *const GOOD[] = {
        "a", "grey hair", "grey ~ hair", "a~~h", "smile*", "big smile*", "non-smiling"
    };
    static const struct {
        const char *text, *says;
    } BAD[] = { { "", "no word" },   { "~", "no word" },      { "*", "no word" },
                { "?!", "no word" }, { "~ hair", "between" }, { "grey ~", "between" },
                { "sm*le", "'*'" },  { "smile* big", "'*'" }, { "a**", "'*'" } };
    for (gsize i = 0; i < G_N_ELEMENTS(GOOD); i++) {
        g_autoptr(GError) error = NULL;
        aimf_pattern_check(GOOD[i], &error);
        g_assert_no_error(error);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(BAD); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(aimf_pattern_check(BAD[i].text, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
        g_assert_nonnull(strstr(error->message, BAD[i].says));
        g_assert_nonnull(strstr(error->message, BAD[i].text));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/prompt-words/gaps", test_gaps);
    g_test_add_func("/prompt-words/gaps-in-a-row", test_gaps_in_a_row);
    g_test_add_func("/prompt-words/many-gaps", test_many_gaps);
    g_test_add_func("/prompt-words/grammar", test_grammar);
    return g_test_run();
}
