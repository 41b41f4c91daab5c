#include "text/vocabulary.h"

#include "base/shown.h"
#include "text/words.h"

#include <string.h>

enum { MAX_SPECIALS = 10000 }; /* each is looked for at each place of a text */

/* What a token ends with that stands at the end of a word. */
static const char FINAL[] = "</w>";

/*
 * A byte as a printable character, so that a vocabulary is a text file: itself where Latin-1 has something to see,
 * else the next character from U+0100 on. Source: bytes_to_unicode in openai/gpt-2, src/encoder.py.
 */
static gboolean is_printable(guint byte)
{
    return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad);
}

static void byte_token(guint byte, gboolean final, char token[16])
{
    gunichar c = byte;
    if (!is_printable(byte)) {
        c = 0x100;
        for (guint before = 0; before < byte; before++)
            c += !is_printable(before);
    }
    int length = g_unichar_to_utf8(c, token);
    strcpy(token + length, final ? FINAL : "");
}

AimfVocabulary *aimf_vocabulary_new(void)
{
    AimfVocabulary *vocabulary = g_new0(AimfVocabulary, 1);
    vocabulary->begin = vocabulary->end = vocabulary->unknown = -1;
    vocabulary->specials = g_array_new(FALSE, FALSE, sizeof(AimfSpecial));
    vocabulary->names = g_string_chunk_new(1 << 16);
    vocabulary->ids = g_hash_table_new(g_str_hash, g_str_equal);
    vocabulary->merges_found = g_array_new(FALSE, FALSE, sizeof(AimfMerge));
    return vocabulary;
}

static void forget_names(AimfVocabulary *vocabulary)
{
    g_clear_pointer(&vocabulary->ids, g_hash_table_unref);
    g_clear_pointer(&vocabulary->names, g_string_chunk_free);
    g_clear_pointer(&vocabulary->merges_found, g_array_unref);
}

void aimf_vocabulary_free(AimfVocabulary *vocabulary)
{
    if (!vocabulary)
        return;
    forget_names(vocabulary);
    for (guint i = 0; i < vocabulary->specials->len; i++)
        g_free(g_array_index(vocabulary->specials, AimfSpecial, i).text);
    g_array_unref(vocabulary->specials);
    g_free(vocabulary->merges);
    g_free(vocabulary);
}

gint32 aimf_vocabulary_id(const AimfVocabulary *vocabulary, const char *token)
{
    return GPOINTER_TO_INT(g_hash_table_lookup(vocabulary->ids, token)) - 1;
}

gboolean aimf_vocabulary_add(AimfVocabulary *vocabulary, const char *token, gint32 id, GError **error)
{
    gint32 there = aimf_vocabulary_id(vocabulary, token);
    if (there >= 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the token '%s' is number %d already", AIMF_SHOWN(token),
                    there);
        return FALSE;
    }
    g_hash_table_insert(vocabulary->ids, g_string_chunk_insert(vocabulary->names, token), GINT_TO_POINTER(id + 1));
    vocabulary->n_tokens = MAX(vocabulary->n_tokens, (guint)id + 1);
    return TRUE;
}

void aimf_vocabulary_add_bytes(AimfVocabulary *vocabulary)
{
    for (int final = 0; final < 2; final++)
        for (int printable = 1; printable >= 0; printable--)
            for (guint byte = 0; byte < 256; byte++)
                if (is_printable(byte) == printable) {
                    char token[16];
                    byte_token(byte, final, token);
                    gboolean added = aimf_vocabulary_add(vocabulary, token, (gint32)vocabulary->n_tokens, NULL);
                    g_assert(added);
                }
}

gboolean aimf_vocabulary_merge(AimfVocabulary *vocabulary, const char *left, const char *right, GError **error)
{
    g_autofree char *both = g_strconcat(left, right, NULL);
    const char *const tokens[] = { left, right, both };
    gint32 ids[3];
    for (int i = 0; i < 3; i++) {
        ids[i] = aimf_vocabulary_id(vocabulary, tokens[i]);
        if (ids[i] < 0) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' and '%s' are merged, but '%s' is no token",
                        AIMF_SHOWN(left), AIMF_SHOWN(right), AIMF_SHOWN(tokens[i]));
            return FALSE;
        }
    }
    AimfMerge merge = { (guint64)ids[0] << 32 | (guint32)ids[1], vocabulary->merges_found->len, ids[2] };
    g_array_append_val(vocabulary->merges_found, merge);
    return TRUE;
}

gboolean aimf_vocabulary_special(AimfVocabulary *vocabulary, const char *token, gboolean folded, gboolean alone,
                                 GError **error)
{
    AimfSpecial special = { .id = aimf_vocabulary_id(vocabulary, token), .folded = folded, .alone = alone };
    if (special.id < 0 || !*token) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the special token '%s' is missing", AIMF_SHOWN(token));
        return FALSE;
    }
    if (vocabulary->specials->len >= MAX_SPECIALS) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "there are more than %d added tokens", MAX_SPECIALS);
        return FALSE;
    }
    special.text = folded ? aimf_text_fold(token, strlen(token)) : g_strdup(token);
    for (guint i = 0; i < vocabulary->specials->len; i++) {
        AimfSpecial *there = &g_array_index(vocabulary->specials, AimfSpecial, i);
        if (there->id == special.id) {
            g_free(there->text);
            *there = special;
            return TRUE;
        }
    }
    g_array_append_val(vocabulary->specials, special);
    return TRUE;
}

/* The slot that holds @pair, or the empty one where it belongs. The multiplier is 2^64 over the golden ratio. */
static AimfMerge *slot_of(const AimfVocabulary *vocabulary, guint64 pair)
{
    guint slot = (guint)(pair * 0x9e3779b97f4a7c15u >> 32) & vocabulary->mask;
    while (vocabulary->merges[slot].id >= 0 && vocabulary->merges[slot].pair != pair)
        slot = (slot + 1) & vocabulary->mask;
    return &vocabulary->merges[slot];
}

const AimfMerge *aimf_vocabulary_pair(const AimfVocabulary *vocabulary, gint32 left, gint32 right)
{
    const AimfMerge *merge = slot_of(vocabulary, (guint64)left << 32 | (guint32)right);
    return merge->id >= 0 ? merge : NULL;
}

gboolean aimf_vocabulary_finish(AimfVocabulary *vocabulary, GError **error)
{
    guint slots = 16;
    while (slots < 2 * vocabulary->merges_found->len)
        slots *= 2;
    vocabulary->mask = slots - 1;
    vocabulary->merges = g_new(AimfMerge, slots);
    for (guint i = 0; i < slots; i++)
        vocabulary->merges[i].id = -1;
    for (guint i = 0; i < vocabulary->merges_found->len; i++) {
        const AimfMerge *merge = &g_array_index(vocabulary->merges_found, AimfMerge, i);
        AimfMerge *slot = slot_of(vocabulary, merge->pair);
        if (slot->id >= 0) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "merge %u is the same as merge %u", i + 1,
                        slot->rank + 1);
            return FALSE;
        }
        *slot = *merge;
    }
    for (int final = 0; final < 2; final++)
        for (guint byte = 0; byte < 256; byte++) {
            char token[16];
            byte_token(byte, final, token);
            gint32 id = aimf_vocabulary_id(vocabulary, token);
            vocabulary->bytes[final][byte] = id >= 0 ? id : vocabulary->unknown;
        }
    forget_names(vocabulary);
    return TRUE;
}
