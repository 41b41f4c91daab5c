#include "prompts/prompt_words.h"

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
    /* Full-width and mathematical letters become plain ones, accents come apart; some of these are capitals only then. */
    g_autofree char *compatible = g_utf8_normalize(text, -1, G_NORMALIZE_ALL);
    g_autofree char *folded = g_utf8_casefold(compatible, -1);
    g_autofree char *plain = g_utf8_normalize(folded, -1, G_NORMALIZE_ALL);
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

typedef struct {
    AimfWords *words; /* "~" cannot be a word: stands as NULL in parts */
    GPtrArray *parts; /* of const char *, NULL for a gap */
    gboolean inflected;
} Pattern;

static void pattern_free(gpointer data)
{
    Pattern *pattern = data;
    aimf_words_free(pattern->words);
    g_ptr_array_unref(pattern->parts);
    g_free(pattern);
}

AimfPatterns *aimf_patterns_new(void)
{
    return g_ptr_array_new_with_free_func(pattern_free);
}

static void add_pattern(AimfPatterns *patterns, const char *text)
{
    Pattern *pattern = g_new(Pattern, 1);
    *pattern = (Pattern){ aimf_words_new(""), g_ptr_array_new(), g_str_has_suffix(text, "*") };
    g_auto(GStrv) pieces = g_strsplit(text, "~", -1);
    g_autoptr(GArray) ends = g_array_new(FALSE, FALSE, sizeof(guint)); /* how many words are before each gap */
    for (char **piece = pieces; *piece; piece++) {
        g_autoptr(AimfWords) words = aimf_words_new(*piece);
        for (guint i = 0; i < words->words->len; i++)
            g_ptr_array_add(pattern->words->words, g_strdup(aimf_words_at(words, i)));
        g_array_append_val(ends, pattern->words->words->len);
    }
    guint gap = 0;
    for (guint i = 0; i < pattern->words->words->len; i++) {
        for (; gap < ends->len && g_array_index(ends, guint, gap) == i; gap++)
            if (i)
                g_ptr_array_add(pattern->parts, NULL);
        g_ptr_array_add(pattern->parts, g_ptr_array_index(pattern->words->words, i));
    }
    if (pattern->parts->len)
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

/* The number of words from @at that parts from @part on take, 0 if they do not match. */
static guint match_parts(const Pattern *pattern, guint part, const AimfWords *words, guint at, gboolean first)
{
    if (part == pattern->parts->len)
        return at;
    const char *base = g_ptr_array_index(pattern->parts, part);
    guint widest = base ? 0 : MAX_GAP;
    if (!base)
        part++;
    base = g_ptr_array_index(pattern->parts, part);
    for (guint skipped = 0; at < words->words->len; at++, skipped++) {
        if ((!first && words->breaks->data[at]) || skipped > widest)
            return 0;
        guint end = word_matches(base, pattern->inflected, aimf_words_at(words, at))
                        ? match_parts(pattern, part + 1, words, at + 1, FALSE)
                        : 0;
        if (end || first)
            return end;
    }
    return 0;
}

guint aimf_patterns_match(const AimfPatterns *patterns, const AimfWords *words, guint at, gboolean *open)
{
    guint longest = 0;
    for (guint p = 0; p < patterns->len; p++) {
        const Pattern *pattern = g_ptr_array_index(patterns, p);
        const char *first = g_ptr_array_index(pattern->parts, 0);
        if (*first != *aimf_words_at(words, at)) /* most are done with here: no ending changes a word's beginning */
            continue;
        guint end = match_parts(pattern, 0, words, at, TRUE);
        if (end > at + longest) {
            longest = end - at;
            *open = !g_ptr_array_find(pattern->parts, NULL, NULL);
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
