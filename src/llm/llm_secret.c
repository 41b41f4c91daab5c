#include "llm/llm_secret.h"

#include <string.h>

enum { SHORTEST_SECRET = 8, LONGEST_LINE = 300, MOST_ESCAPES = 7 }; /* 7: JSON in JSON in JSON */

void aimf_secret_wipe(char *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, strlen(secret));
    g_free(secret);
}

/* Whether four hexadecimal digits at @text stand for @c, as behind JSON's \u. */
static gboolean is_code_of(const char *text, gsize length, char c)
{
    int code = 0;
    for (gsize i = 0; i < 4; i++) {
        int digit = i < length ? g_ascii_xdigit_value(text[i]) : -1;
        if (digit < 0)
            return FALSE;
        code = code * 16 + digit;
    }
    return code == c;
}

/*
 * Bytes of @text that say @secret, 0 if it says something else. JSON may write / as \/ and anything as \u002f, within
 * JSON as \\u002f.
 */
static gsize said(const char *text, gsize length, const char *secret)
{
    gsize at = 0;
    for (; *secret; secret++) {
        gsize escapes = 0;
        while (escapes < MOST_ESCAPES && at + 1 < length && text[at] == '\\' && *secret != '\\') {
            escapes++;
            at++;
        }
        if (at >= length)
            return 0;
        if (escapes && text[at] == 'u' && is_code_of(text + at + 1, length - at - 1, *secret))
            at += 5;
        else if (text[at++] != *secret)
            return 0;
    }
    return at;
}

void aimf_secret_redact(char *text, gsize length, const char *secret)
{
    if (!text || !secret || strlen(secret) < SHORTEST_SECRET)
        return;
    for (gsize i = 0; i < length; i++) {
        gsize n = said(text + i, length - i, secret);
        memset(text + i, '*', n);
        i += n ? n - 1 : 0;
    }
}

static gboolean is_shown(gunichar c)
{
    switch (g_unichar_type(c)) {
    case G_UNICODE_CONTROL:
    case G_UNICODE_FORMAT:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_SURROGATE:
    case G_UNICODE_UNASSIGNED:
        return FALSE;
    default:
        return TRUE;
    }
}

char *aimf_secret_line(const char *text, gssize length, const char *secret)
{
    gsize n = length < 0 ? strlen(text) : strnlen(text, (gsize)length);
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)n);
    aimf_secret_redact(valid, strlen(valid), secret);
    GString *line = g_string_new(NULL);
    for (const char *at = valid; *at && line->len < LONGEST_LINE; at = g_utf8_next_char(at))
        g_string_append_unichar(line, is_shown(g_utf8_get_char(at)) ? g_utf8_get_char(at) : ' ');
    return g_strstrip(g_string_free(line, FALSE));
}
