#include "prompts/prompt_words.h"

#include "base/normalize.h"
#include "base/shown.h"

#include <aimfair/error.h>
#include <string.h>

/* --- Text as words --- */

static gboolean is_apostrophe(gunichar c)
{
    return c == '\'' || c == 0x2019 || c == 0x02BC;
}

static gboolean is_hyphen(gunichar c)
{
    return c == '-' || (c >= 0x2010 && c <= 0x2012);
}

/* Accents, and what is not seen at all: "wo\u200bman" is read as a person reads it. */
static gboolean is_invisible(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);
    return g_unichar_ismark(c) || type == G_UNICODE_FORMAT;
}

static void end_word(AimfWords *words, GString *word, gboolean *after_mark)
{
    if (!word->len)
        return;
    gsize n = word->len;
    if (n > 2 && strcmp(word->str + n - 2, "'s") == 0)
        g_string_truncate(word, n - 2);
    char *kept = g_malloc(word->len + 1), *to = kept;
    for (const char *c = word->str; *c; c++)
        if (*c != '\'')
            *to++ = *c;
    *to = 0;
    g_string_truncate(word, 0);
    if (!*kept) {
        g_free(kept);
        return;
    }
    g_ptr_array_add(words->words, kept);
    const guint8 after = *after_mark ? 1 : 0;
    g_byte_array_append(words->breaks, &after, 1);
    *after_mark = FALSE;
}

AimfWords *aimf_words_new(const char *text)
{
    AimfWords *words = g_new(AimfWords, 1);
    *words = (AimfWords){ g_ptr_array_new_with_free_func(g_free), g_byte_array_new() };
    /*
     * Full-width and mathematical letters become plain ones, accents come apart; some of these are capitals only then.
     */
    g_autofree char *compatible = aimf_normalize(text, -1, G_NORMALIZE_ALL);
    g_autofree char *folded = g_utf8_casefold(compatible, -1);
    g_autofree char *plain = aimf_normalize(folded, -1, G_NORMALIZE_ALL);
    g_autoptr(GString) word = g_string_new(NULL);
    gboolean after_mark = FALSE;
    for (const char *at = plain; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (is_invisible(c))
            continue;
        if (g_unichar_isalnum(c)) {
            g_string_append_unichar(word, c);
        } else if (is_apostrophe(c) && word->len) {
            g_string_append_c(word, '\'');
        } else {
            end_word(words, word, &after_mark);
            after_mark = after_mark || !(g_unichar_isspace(c) || is_hyphen(c) || is_apostrophe(c));
        }
    }
    end_word(words, word, &after_mark);
    return words;
}

void aimf_words_free(AimfWords *words)
{
    if (!words)
        return;
    g_ptr_array_unref(words->words);
    g_byte_array_unref(words->breaks);
    g_free(words);
}

char *aimf_words_join(const AimfWords *words, guint from, guint to)
{
    GString *text = g_string_new(NULL);
    for (guint i = from; i < to && i < words->words->len; i++)
        g_string_append_printf(text, "%s%s", i > from ? " " : "", aimf_words_at(words, i));
    return g_string_free(text, FALSE);
}

static gboolean is_one_of(const char *word, const char *const *list)
{
    return g_strv_contains(list, word);
}

gboolean aimf_word_is_function(const char *word)
{
    static const char *const WORDS[] = {
        "a",    "an",   "the",   "and",    "or",  "of",    "in",  "on",  "at",    "to",    "with",  "by",   "for",
        "from", "as",   "is",    "are",    "be",  "being", "was", "who", "that",  "which", "under", "over", "into",
        "near", "next", "front", "behind", "its", "their", "his", "her", "while", "has",   "have",  "it",   NULL,
    };
    return is_one_of(word, WORDS);
}

gboolean aimf_word_negates(const char *word)
{
    static const char *const WORDS[] = { "not",  "no",    "without", "never", "non",     "nor",   "neither",
                                         "isnt", "arent", "doesnt",  "dont",  "lacking", "lacks", NULL };
    return is_one_of(word, WORDS);
}

/* --- Patterns --- */

enum { MAX_GAP = 3 };

/* Words in a row; a gap before the first would say nothing, so it never has one. */
typedef struct {
    GPtrArray *words; /* of owned char * */
    GByteArray *gaps; /* of guint8: whether a gap comes before word i */
    guint n_gaps;
    gboolean inflected;
} Pattern;

static void pattern_free(gpointer data)
{
    Pattern *pattern = data;
    g_ptr_array_unref(pattern->words);
    g_byte_array_unref(pattern->gaps);
    g_free(pattern);
}

AimfPatterns *aimf_patterns_new(void)
{
    return g_ptr_array_new_with_free_func(pattern_free);
}

gboolean aimf_pattern_check(const char *text, GError **error)
{
    g_auto(GStrv) pieces = g_strsplit(text, "~", -1);
    const char *star = strchr(text, '*'), *fault = NULL;
    guint n_words = 0, n_pieces = g_strv_length(pieces);
    for (guint i = 0; i < n_pieces; i++) {
        g_autoptr(AimfWords) words = aimf_words_new(pieces[i]);
        n_words += words->words->len;
        if (n_pieces > 1 && (i == 0 || i + 1 == n_pieces) && !words->words->len)
            fault = "a '~' stands for words between two others";
    }
    if (!n_words)
        fault = "it has no word";
    else if (star && star[1])
        fault = "a '*' can only be the last character";
    if (fault)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' cannot be looked for: %s", AIMF_SHOWN(text), fault);
    return !fault;
}

static void add_pattern(AimfPatterns *patterns, const char *text)
{
    Pattern *pattern = g_new(Pattern, 1);
    *pattern = (Pattern){ g_ptr_array_new_with_free_func(g_free), g_byte_array_new(), 0, g_str_has_suffix(text, "*") };
    g_auto(GStrv) pieces = g_strsplit(text, "~", -1);
    for (char **piece = pieces; *piece; piece++) {
        g_autoptr(AimfWords) words = aimf_words_new(*piece);
        for (guint i = 0; i < words->words->len; i++) {
            const guint8 gap = i == 0 && pattern->words->len ? 1 : 0;
            g_byte_array_append(pattern->gaps, &gap, 1);
            g_ptr_array_add(pattern->words, g_strdup(aimf_words_at(words, i)));
            pattern->n_gaps += gap;
        }
    }
    if (pattern->words->len)
        g_ptr_array_add(patterns, pattern);
    else
        pattern_free(pattern);
}

void aimf_patterns_add(AimfPatterns *patterns, char *const *list)
{
    for (char *const *text = list; text && *text; text++)
        add_pattern(patterns, *text);
}

/* Whether @rest, what a word has beyond @base, makes a plural of it. */
static gboolean is_plural(const char *base, gsize n, const char *word, const char *rest)
{
    if (strcmp(rest, "s") == 0)
        return TRUE;
    if (strcmp(rest, "es") == 0)
        return strchr("sxzho", base[n - 1]) != NULL;
    return base[n - 1] == 'y' && strncmp(word, base, n - 1) == 0 && strcmp(word + n - 1, "ies") == 0;
}

static gboolean is_ending(const char *rest)
{
    static const char *const ENDINGS[] = { "ed", "ing", "er", "est", NULL };
    return is_one_of(rest, ENDINGS);
}

static gboolean word_matches(const char *base, gboolean inflected, const char *word)
{
    gsize n = strlen(base);
    if (strncmp(word, base, n - 1) != 0) /* all endings leave the rest of the base alone */
        return FALSE;
    if (strcmp(word, base) == 0)
        return TRUE;
    gboolean whole = word[n - 1] == base[n - 1];
    if (is_plural(base, n, word, whole ? word + n : ""))
        return TRUE;
    if (!inflected)
        return FALSE;
    if (!whole)
        return base[n - 1] == 'e' && is_ending(word + n - 1); /* smile: smiling */
    const char *rest = word + n;
    if (is_ending(rest) ||
        (base[n - 1] == 'e' && (strcmp(rest, "d") == 0 || strcmp(rest, "r") == 0 || strcmp(rest, "st") == 0)))
        return TRUE;
    return *rest == base[n - 1] && is_ending(rest + 1); /* grin: grinned */
}

/* A pattern being looked for from one word on. */
typedef struct {
    const Pattern *pattern;
    const AimfWords *words;
    guint start;
    guint8 *failed; /* (nullable) by part, then by word from start on: whether this was tried in vain */
} Search;

/* How many words from the search's start on the pattern can span, and one more: the stride of failed. */
static guint span_of(const Pattern *pattern)
{
    return pattern->words->len + MAX_GAP * pattern->n_gaps + 1;
}

/* Where the pattern's words from @part on, looked for from @at on, end; 0 if they are not there. */
static guint match_rest(const Search *search, guint part, guint at)
{
    const Pattern *pattern = search->pattern;
    const AimfWords *words = search->words;
    if (part == pattern->words->len)
        return at;
    guint8 *failed = search->failed ? search->failed + part * span_of(pattern) + (at - search->start) : NULL;
    if (failed && *failed)
        return 0;
    guint last = at + (pattern->gaps->data[part] ? MAX_GAP : 0);
    for (guint i = at; i <= last && i < words->words->len && !words->breaks->data[i]; i++) {
        const char *base = g_ptr_array_index(pattern->words, part);
        guint end =
            word_matches(base, pattern->inflected, aimf_words_at(words, i)) ? match_rest(search, part + 1, i + 1) : 0;
        if (end)
            return end;
    }
    if (failed)
        *failed = TRUE;
    return 0;
}

/* Where @pattern, beginning with the word @at, ends; 0 if it does not begin there. */
static guint match_pattern(const Pattern *pattern, const AimfWords *words, guint at)
{
    const char *first = g_ptr_array_index(pattern->words, 0);
    if (*first != *aimf_words_at(words, at)) /* most are done with here: no ending changes a word's beginning */
        return 0;
    if (!word_matches(first, pattern->inflected, aimf_words_at(words, at)))
        return 0;
    /* From two gaps on, many ways lead to the same place: each is gone once. */
    g_autofree guint8 *failed = pattern->n_gaps > 1 ? g_malloc0_n(pattern->words->len, span_of(pattern)) : NULL;
    const Search search = { pattern, words, at, failed };
    return match_rest(&search, 1, at + 1);
}

guint aimf_patterns_match(const AimfPatterns *patterns, const AimfWords *words, guint at, gboolean *open)
{
    guint longest = 0;
    for (guint p = 0; p < patterns->len; p++) {
        const Pattern *pattern = g_ptr_array_index(patterns, p);
        guint end = match_pattern(pattern, words, at);
        if (end > at + longest) {
            longest = end - at;
            *open = pattern->n_gaps == 0;
        }
    }
    return longest;
}

gboolean aimf_patterns_find(const AimfPatterns *patterns, const AimfWords *words, guint *at, guint *n)
{
    gboolean open;
    for (guint i = 0; i < words->words->len; i++) {
        guint length = aimf_patterns_match(patterns, words, i, &open);
        if (!length)
            continue;
        if (at)
            *at = i;
        if (n)
            *n = length;
        return TRUE;
    }
    return FALSE;
}
