/* Text as words, and lists of words and phrases to look for in it. */
#pragma once

#include <glib.h>

/**
 * AimfWords: a text's words, without case, accents, invisible characters and the possessive 's; hyphens part words.
 * @words: of owned char *; @breaks: of guint8, whether a mark such as a comma stands before word i
 */
typedef struct {
    GPtrArray *words;
    GByteArray *breaks;
} AimfWords;

/** aimf_words_new: (owned). @text: valid UTF-8 */
AimfWords *aimf_words_new(const char *text);
void aimf_words_free(AimfWords *words);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfWords, aimf_words_free)

static inline const char *aimf_words_at(const AimfWords *words, guint index)
{
    return g_ptr_array_index(words->words, index);
}

/** aimf_words_join: (owned) words @from to before @to, with blanks between. */
char *aimf_words_join(const AimfWords *words, guint from, guint to);

/** aimf_word_is_function: articles, prepositions, conjunctions and the like, which say nothing about a picture. */
gboolean aimf_word_is_function(const char *word);

/** aimf_word_negates: "not", "without", "isn't" … */
gboolean aimf_word_negates(const char *word);

/**
 * AimfPatterns: words and phrases, written as <aimfair/prompts.h> says; a '~' in a phrase stands for up to three
 * words, no mark among them.
 */
typedef GPtrArray AimfPatterns;

AimfPatterns *aimf_patterns_new(void);
/** aimf_pattern_check: FALSE with FORMAT, quoting @text (UTF-8): no word, a '~' at an end or a '*' before it. */
gboolean aimf_pattern_check(const char *text, GError **error);
/** aimf_patterns_add: @list (nullable): NULL-terminated. Gaps in a row are one; what has no words is left out. */
void aimf_patterns_add(AimfPatterns *patterns, char *const *list);
/**
 * aimf_patterns_match: how many words from @at on the longest matching pattern takes, 0 if none; @open: whether it
 * has no '~'.
 */
guint aimf_patterns_match(const AimfPatterns *patterns, const AimfWords *words, guint at, gboolean *open);
/** aimf_patterns_find: whether any pattern is in @words; @at and @n (nullable) receive where the first is. */
gboolean aimf_patterns_find(const AimfPatterns *patterns, const AimfWords *words, guint *at, guint *n);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfPatterns, g_ptr_array_unref)
