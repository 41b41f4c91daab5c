#include "prompts/lexicon.h"

enum { MAX_GAP = 2, MAX_FILLERS = 6 };

typedef struct {
    guint n_values;
    AimfPatterns **says; /* (n_values) */
    AimfPatterns *describes;
    AimfPatterns *telling;
    AimfPatterns *impossible;
} Attribute;

struct AimfLexicon {
    guint n;
    Attribute *attributes;
};

AimfLexicon *aimf_lexicon_new(const AimfTask *task)
{
    AimfLexicon *lexicon = g_new(AimfLexicon, 1);
    *lexicon = (AimfLexicon){ task->n_attributes, g_new0(Attribute, task->n_attributes) };
    for (guint a = 0; a < lexicon->n; a++) {
        const AimfTaskAttribute *from = &task->attributes[a];
        Attribute *to = &lexicon->attributes[a];
        *to = (Attribute){
            .n_values = from->n_values,
            .says = g_new(AimfPatterns *, from->n_values),
            .describes = aimf_patterns_new(),
            .telling = aimf_patterns_new(),
            .impossible = aimf_patterns_new(),
        };
        aimf_patterns_add(to->describes, from->describes);
        aimf_patterns_add(to->telling, from->telling);
        for (guint v = 0; v < from->n_values; v++) {
            to->says[v] = aimf_patterns_new();
            aimf_patterns_add(to->says[v], from->values[v].words);
            aimf_patterns_add(to->says[v], from->values[v].also);
            aimf_patterns_add(to->impossible, from->values[v].impossible);
        }
    }
    return lexicon;
}

void aimf_lexicon_free(AimfLexicon *lexicon)
{
    if (!lexicon)
        return;
    for (guint a = 0; a < lexicon->n; a++) {
        Attribute *attribute = &lexicon->attributes[a];
        for (guint v = 0; v < attribute->n_values; v++)
            g_ptr_array_unref(attribute->says[v]);
        g_free(attribute->says);
        g_ptr_array_unref(attribute->describes);
        g_ptr_array_unref(attribute->telling);
        g_ptr_array_unref(attribute->impossible);
    }
    g_free(lexicon->attributes);
    g_free(lexicon);
}

/* "white" counts if the next words reach a noun that it can describe: "white elderly woman", not "white wall". */
static gboolean describes(const Attribute *attribute, const AimfWords *words, guint at)
{
    gboolean open;
    for (guint i = at; i < words->words->len && i <= at + MAX_GAP; i++) {
        if (words->breaks->data[i])
            return FALSE;
        if (aimf_patterns_match(attribute->describes, words, i, &open))
            return TRUE;
        const char *word = aimf_words_at(words, i);
        if (aimf_word_is_function(word) && !g_str_equal(word, "and"))
            return FALSE;
    }
    return FALSE;
}

/* Words between a "without" and what it denies: "without any trace of a smile". */
static gboolean is_filler(const char *word)
{
    static const char *const FILLERS[] = { "a",       "an",      "the",       "any",  "even",    "hint",  "trace",
                                           "sign",    "of",      "slightest", "real", "really",  "being", "wearing",
                                           "showing", "much",    "at",        "all",  "visible", "wide",  "broad",
                                           "faint",   "looking", "very",      "sort", "kind",    NULL };
    return g_strv_contains(FILLERS, word);
}

/* Two negations cancel out. No mark may stand between: "without a hat, smiling" smiles. */
static gboolean is_negated(const AimfWords *words, guint at)
{
    gboolean negated = FALSE;
    for (guint back = 0; at > 0 && back < MAX_FILLERS && !words->breaks->data[at]; at--, back++) {
        const char *before = aimf_words_at(words, at - 1);
        if (aimf_word_negates(before))
            negated = !negated;
        else if (!is_filler(before))
            break;
    }
    return negated;
}

/* The longest match of any value at @at: "south asian" is not "asian". */
static guint match_value(const Attribute *attribute, const AimfWords *words, guint at, guint *value)
{
    guint longest = 0;
    for (guint v = 0; v < attribute->n_values; v++) {
        gboolean open = FALSE;
        guint n = aimf_patterns_match(attribute->says[v], words, at, &open);
        if (n > longest && (!attribute->describes->len || !open || describes(attribute, words, at + n))) {
            longest = n;
            *value = v;
        }
    }
    return longest;
}

GArray *aimf_lexicon_mentions(const AimfLexicon *lexicon, guint attribute, const AimfWords *words)
{
    const Attribute *a = &lexicon->attributes[attribute];
    GArray *mentions = g_array_new(FALSE, FALSE, sizeof(AimfMention));
    for (guint at = 0; at < words->words->len;) {
        AimfMention mention = { .at = at };
        mention.n = match_value(a, words, at, &mention.value);
        if (!mention.n) {
            at++;
            continue;
        }
        mention.negated = is_negated(words, at);
        if (mention.negated && a->n_values == 2) {
            mention.value = 1 - mention.value;
            mention.negated = FALSE;
        }
        g_array_append_val(mentions, mention);
        at += mention.n;
    }
    return mentions;
}

gboolean aimf_lexicon_telling(const AimfLexicon *lexicon, guint attribute, const AimfWords *words, guint *at, guint *n)
{
    return aimf_patterns_find(lexicon->attributes[attribute].telling, words, at, n);
}

gboolean aimf_lexicon_impossible(const AimfLexicon *lexicon, guint attribute, const AimfWords *words)
{
    return aimf_patterns_find(lexicon->attributes[attribute].impossible, words, NULL, NULL);
}
