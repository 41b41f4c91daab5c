#include <aimfair/text.h>

#include "text/byte_pairs.h"
#include "text/clean.h"
#include "text/words.h"

#include <string.h>

struct AimfTokenizer {
    AimfVocabulary *vocabulary;
};

AimfTokenizer *aimf_tokenizer_open(const char *path, GError **error)
{
    AimfVocabulary *vocabulary = aimf_vocabulary_open(path, error);
    if (!vocabulary)
        return NULL;
    AimfTokenizer *tokenizer = g_new0(AimfTokenizer, 1);
    tokenizer->vocabulary = vocabulary;
    return tokenizer;
}

void aimf_tokenizer_free(AimfTokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    aimf_vocabulary_free(tokenizer->vocabulary);
    g_free(tokenizer);
}

guint aimf_tokenizer_size(const AimfTokenizer *tokenizer)
{
    return tokenizer->vocabulary->n_tokens;
}

gint32 aimf_tokenizer_begin(const AimfTokenizer *tokenizer)
{
    return tokenizer->vocabulary->begin;
}

gint32 aimf_tokenizer_end(const AimfTokenizer *tokenizer)
{
    return tokenizer->vocabulary->end;
}

static void hash_number(GChecksum *sum, gint64 number)
{
    gint64 bytes = GINT64_TO_LE(number);
    g_checksum_update(sum, (const guchar *)&bytes, sizeof bytes);
}

static void hash_merges(GChecksum *sum, const AimfVocabulary *vocabulary)
{
    for (gsize i = 0; i <= vocabulary->mask; i++) {
        const AimfMerge *merge = &vocabulary->merges[i];
        if (merge->id < 0)
            continue;
        hash_number(sum, (gint64)merge->pair);
        hash_number(sum, merge->rank);
        hash_number(sum, merge->id);
    }
}

char *aimf_tokenizer_hash(const AimfTokenizer *tokenizer)
{
    const AimfVocabulary *vocabulary = tokenizer->vocabulary;
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    const gint64 numbers[] = { vocabulary->begin, vocabulary->end, vocabulary->unknown, vocabulary->original };
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
        hash_number(sum, numbers[i]);
    for (int i = 0; i < 512; i++)
        hash_number(sum, vocabulary->bytes[i / 256][i % 256]);
    for (guint i = 0; i < vocabulary->specials->len; i++) {
        const AimfSpecial *special = &g_array_index(vocabulary->specials, AimfSpecial, i);
        g_checksum_update(sum, (const guchar *)special->text, (gssize)strlen(special->text) + 1);
        hash_number(sum, special->id);
        hash_number(sum, special->folded | special->alone << 1);
    }
    hash_merges(sum, vocabulary);
    return g_strdup(g_checksum_get_string(sum));
}

/* One call's state: the vocabulary, scratch memory and the tokens so far. */
typedef struct {
    const AimfVocabulary *vocabulary;
    AimfBytePairs pairs;
    GArray *ids;
} Encoding;

static void encode_word(Encoding *encoding, const char *at, gsize length)
{
    aimf_byte_pairs_encode(&encoding->pairs, encoding->vocabulary, at, length, encoding->ids);
}

static void encode_words(Encoding *encoding, const char *text)
{
    const AimfVocabulary *vocabulary = encoding->vocabulary;
    AimfWord word;
    while (aimf_word_next(&text, vocabulary->original, &word))
        if (!word.special) {
            encode_word(encoding, word.at, word.length);
        } else if (vocabulary->original) {
            gint32 id = word.at[2] == 's' ? vocabulary->begin : vocabulary->end;
            g_array_append_val(encoding->ids, id);
        } else { /* not taken as a token before: Hugging Face splits such a word a second time, at its brackets */
            encode_word(encoding, word.at, 2);
            encode_word(encoding, word.at + 2, word.length - 4);
            encode_word(encoding, word.at + word.length - 2, 2);
        }
}

/*
 * What \w is to Hugging Face's tokenizers: letters, marks, digits, what connects and the two joiners. Source:
 * Unicode, UTS 18, annex C.
 */
static gboolean is_of_word(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);
    return g_unichar_isalpha(c) || g_unichar_ismark(c) || type == G_UNICODE_DECIMAL_NUMBER ||
           type == G_UNICODE_LETTER_NUMBER || type == G_UNICODE_CONNECT_PUNCTUATION || c == 0x200c || c == 0x200d;
}

/* Whether no part of a word stands before @at in the text that begins with @begin, nor at @end. */
static gboolean is_alone(const char *begin, const char *at, const char *end)
{
    return (at == begin || !is_of_word(g_utf8_get_char(g_utf8_prev_char(at)))) &&
           (!*end || !is_of_word(g_utf8_get_char(end)));
}

/*
 * The first special token spelled from @text on, the longest of those at one place; @at receives where, or the end.
 * @begin: the text's
 */
static const AimfSpecial *find_special(const AimfVocabulary *vocabulary, const char *begin, const char *text,
                                       gboolean folded, const char **at)
{
    const AimfSpecial *found = NULL;
    for (*at = text; **at && !found; *at += !found)
        for (guint i = 0; i < vocabulary->specials->len; i++) {
            const AimfSpecial *special = &g_array_index(vocabulary->specials, AimfSpecial, i);
            gsize length = strlen(special->text);
            if (special->folded == folded && length > 0 && g_str_has_prefix(*at, special->text) &&
                (!special->alone || is_alone(begin, *at, *at + length)) && (!found || length > strlen(found->text)))
                found = special;
        }
    return found;
}

/* Special tokens are taken out first, those that are @folded only once the text between the others is. */
static void encode_specials(Encoding *encoding, const char *text, gboolean folded)
{
    const AimfSpecial *special;
    const char *begin = text;
    do {
        const char *at;
        special = find_special(encoding->vocabulary, begin, text, folded, &at);
        gsize length = (gsize)(at - text);
        if (folded) {
            g_autofree char *part = g_strndup(text, length);
            encode_words(encoding, part);
        } else {
            g_autofree char *part = aimf_text_fold(text, length);
            encode_specials(encoding, part, TRUE);
        }
        if (special) {
            g_array_append_val(encoding->ids, special->id);
            text = at + strlen(special->text);
        }
    } while (special);
}

gint32 *aimf_tokenizer_encode(const AimfTokenizer *tokenizer, const char *text, guint *n)
{
    Encoding encoding = { tokenizer->vocabulary, aimf_byte_pairs_new(), g_array_new(FALSE, FALSE, sizeof(gint32)) };
    g_autofree char *valid = aimf_text_repair(text);
    if (tokenizer->vocabulary->original) {
        g_autofree char *clean = aimf_text_clean(valid);
        encode_words(&encoding, clean);
    } else {
        encode_specials(&encoding, valid, FALSE);
    }
    aimf_byte_pairs_clear(&encoding.pairs);
    *n = encoding.ids->len;
    return (gint32 *)(void *)g_array_free(encoding.ids, FALSE);
}

guint aimf_tokenizer_prompt(const AimfTokenizer *tokenizer, const char *text, gint32 pad,
                            gint32 ids[AIMF_PROMPT_TOKENS])
{
    guint n;
    g_autofree gint32 *tokens = aimf_tokenizer_encode(tokenizer, text, &n);
    guint kept = MIN(n, AIMF_PROMPT_TOKENS - 2);
    ids[0] = aimf_tokenizer_begin(tokenizer);
    for (guint i = 0; i < kept; i++)
        ids[i + 1] = tokens[i];
    ids[kept + 1] = aimf_tokenizer_end(tokenizer);
    for (guint i = kept + 2; i < AIMF_PROMPT_TOKENS; i++)
        ids[i] = pad;
    return n - kept;
}
