#include "text/html.h"

#include "text/entities.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 32, LONGEST_PLAIN = 24 };

gunichar aimf_windows_1252(gunichar c)
{
    static const guint16 table[32] = {
        0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
        0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178,
    };
    return c >= 0x80 && c <= 0x9f ? table[c - 0x80] : c;
}

static int compare_name(const void *key, const void *entity)
{
    return strcmp(key, ((const AimfEntity *)entity)->name);
}

static const AimfEntity *find_name(const char *name, gsize length)
{
    char key[LONGEST_NAME + 1];
    if (length == 0 || length >= sizeof key)
        return NULL;
    memcpy(key, name, length);
    key[length] = 0;
    return bsearch(key, aimf_entities, aimf_n_entities, sizeof aimf_entities[0], compare_name);
}

static void append_entity(GString *out, const AimfEntity *entity)
{
    g_string_append_unichar(out, entity->first);
    if (entity->second)
        g_string_append_unichar(out, entity->second);
}

/*
 * What the standard's table and rules make of a number. Source: HTML standard, "numeric character reference end state".
 */
static void append_number(GString *out, guint32 number)
{
    gboolean noncharacter = (number >= 0xfdd0 && number <= 0xfdef) || (number & 0xfffe) == 0xfffe;
    gunichar c = aimf_windows_1252(number);
    if (number == 0 || number > 0x10ffff || (number >= 0xd800 && number <= 0xdfff))
        g_string_append_unichar(out, 0xfffd);
    else if (c != number || number == '\r' || (number >= 0x80 && number <= 0x9f))
        g_string_append_unichar(out, c);
    else if (!(noncharacter || number == 0x7f || number == 0xb || (number < 0x20 && !strchr("\t\n\f", (int)number))))
        g_string_append_unichar(out, number);
}

/* "#65;", "#x41": its length with the ";" that may follow, 0 if it is none. */
static gsize numeric_reference(const char *at, guint32 *number)
{
    gboolean hexadecimal = at[1] == 'x' || at[1] == 'X';
    const char *digits = at + 1 + hexadecimal, *end = digits;
    *number = 0;
    for (; hexadecimal ? g_ascii_isxdigit(*end) : g_ascii_isdigit(*end); end++)
        *number = MIN(*number * (hexadecimal ? 16 : 10) + (guint32)g_ascii_xdigit_value(*end), 0x110000);
    return end == digits ? 0 : (gsize)(end - at) + (*end == ';');
}

/*
 * "amp;", "ampersand": appends what the longest name that it begins with means; how much of it was read, 0 if there
 * is no such name.
 */
static gsize named_reference(const char *at, GString *out)
{
    gsize length = 0;
    for (guint n = 0; n < LONGEST_NAME && at[length] && !strchr("\t\n\f <&#;", at[length]); n++)
        length = (gsize)(g_utf8_next_char(at + length) - at);
    const AimfEntity *entity = at[length] == ';' ? find_name(at, length) : NULL;
    if (entity) {
        append_entity(out, entity);
        return length + 1;
    }
    for (; length > 1; length--) {
        entity = find_name(at, length);
        if (entity && entity->bare) {
            append_entity(out, entity);
            return length;
        }
    }
    return 0;
}

char *aimf_html_unescape(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 1);
    while (*text) {
        const char *reference = strchr(text, '&');
        if (!reference)
            break;
        g_string_append_len(out, text, reference - text);
        guint32 number;
        gsize length = reference[1] == '#' ? numeric_reference(reference + 1, &number) : 0;
        if (length)
            append_number(out, number);
        else
            length = named_reference(reference + 1, out);
        if (!length)
            g_string_append_c(out, '&');
        text = reference + 1 + length;
    }
    g_string_append(out, text);
    return g_string_free(out, FALSE);
}

/* "EACUTE" for a name that exists in small letters only: its character as a capital. */
static gboolean append_capital(GString *out, const char *name, gsize length)
{
    g_autofree char *small = g_ascii_strdown(name, (gssize)length),
                    *reference = g_strdup_printf("&%.*s;", (int)length, name);
    g_autofree char *read = aimf_html_unescape(reference);
    const AimfEntity *entity = find_name(small, length);
    for (gsize i = 0; i < length; i++)
        if (g_ascii_islower(name[i]))
            return FALSE;
    if (!entity || strcmp(read, reference) != 0)
        return FALSE;
    /* Sharp s is the one of them whose capital is two letters even once ligatures are undone. */
    if (entity->first == 0xdf)
        g_string_append(out, "SS");
    else
        append_entity(out, &(AimfEntity){ .first = g_unichar_toupper(entity->first),
                                          .second = g_unichar_toupper(entity->second) });
    return TRUE;
}

static gboolean append_plain(GString *out, const char *body, gsize length)
{
    if (*body == '#') {
        guint32 number;
        gboolean whole = numeric_reference(body, &number) == length + 1 && number != ';';
        if (whole)
            append_number(out, number);
        return whole;
    }
    const AimfEntity *entity = find_name(body, length);
    if (!entity)
        return append_capital(out, body, length);
    append_entity(out, entity);
    return TRUE;
}

char *aimf_html_unescape_plain(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 1);
    while (*text) {
        const char *reference = strchr(text, '&');
        if (!reference)
            break;
        g_string_append_len(out, text, reference - text);
        const char *body = reference + 1, *name = body + (*body == '#'), *end = name;
        while (end - name < LONGEST_PLAIN && g_ascii_isalnum(*end))
            end++;
        if (end > name && *end == ';' && append_plain(out, body, (gsize)(end - body))) {
            text = end + 1;
        } else {
            g_string_append_c(out, '&');
            text = body;
        }
    }
    g_string_append(out, text);
    return g_string_free(out, FALSE);
}
