#include "text/words.h"

#include "base/normalize.h"
#include "text/characters.h"

#include <string.h>

/* How many bytes at @text begin a character of @length bytes as Unicode's table 3-7 allows it; at least 1. */
static gsize valid_part(const guchar *text, gsize *length)
{
    guchar first = text[0], low = 0x80, high = 0xbf;
    *length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (first == 0xe0)
        low = 0xa0; /* shorter forms exist */
    else if (first == 0xed)
        high = 0x9f; /* surrogates */
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f; /* beyond U+10FFFF */
    gsize n = 1;
    for (; n < *length && text[n] >= low && text[n] <= high; n++) {
        low = 0x80;
        high = 0xbf;
    }
    return n;
}

char *aimf_text_repair(const char *text)
{
    gsize size = strlen(text);
    if (g_utf8_validate_len(text, size, NULL))
        return g_strndup(text, size);
    GString *repaired = g_string_sized_new(size + 16);
    while (*text) {
        gsize length, n = valid_part((const guchar *)text, &length);
        if (n == length)
            g_string_append_len(repaired, text, (gssize)n);
        else
            g_string_append_unichar(repaired, 0xfffd);
        text += n;
    }
    return g_string_free(repaired, FALSE);
}

static gboolean is_ascii(const char *text, gsize length)
{
    guchar all = 0;
    for (gsize i = 0; i < length; i++)
        all |= (guchar)text[i];
    return all < 0x80;
}

char *aimf_text_fold(const char *text, gsize length)
{
    g_autofree char *normal = is_ascii(text, length)
                                  ? g_strndup(text, length)
                                  : aimf_normalize(text, (gssize)length, G_NORMALIZE_DEFAULT_COMPOSE);
    GString *folded = g_string_sized_new(length + 16);
    for (const char *at = normal; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (aimf_character_class(c) != AIMF_SPACE)
            aimf_character_append_lower(folded, c);
        else if (folded->len == 0 || folded->str[folded->len - 1] != ' ')
            g_string_append_c(folded, ' ');
    }
    return g_string_free(folded, FALSE);
}

/*
 * Words that are taken before letters, numbers and the rest are told apart. Source: openai/CLIP, simple_tokenizer.py,
 * "pat"; it ignores case, and the long s is an s then.
 */
static gsize fixed_word(const char *at, gboolean original, gboolean *special)
{
    static const char *const words[] = {
        "<|startoftext|>", "<|endoftext|>", "'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'\xc5\xbf"
    };
    guint n = G_N_ELEMENTS(words) - !original;
    if (*at == '<' || *at == '\'')
        for (guint i = 0; i < n; i++)
            if (g_str_has_prefix(at, words[i])) {
                *special = i < 2;
                return strlen(words[i]);
            }
    return 0;
}

gboolean aimf_word_next(const char **cursor, gboolean original, AimfWord *word)
{
    const char *at = *cursor;
    AimfCharacterClass class = AIMF_SPACE;
    while (*at && (class = aimf_character_class(g_utf8_get_char(at))) == AIMF_SPACE)
        at = g_utf8_next_char(at);
    *word = (AimfWord){ .at = at };
    if (!*at)
        return FALSE;
    word->length = fixed_word(at, original, &word->special);
    if (!word->length) {
        do
            at = g_utf8_next_char(at);
        while (class != AIMF_NUMBER && *at && aimf_character_class(g_utf8_get_char(at)) == class);
        word->length = (gsize)(at - word->at);
    }
    *cursor = word->at + word->length;
    return TRUE;
}
