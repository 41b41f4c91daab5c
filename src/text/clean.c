#include "text/clean.h"

#include "base/normalize.h"
#include "text/characters.h"
#include "text/html.h"

#include <string.h>

enum {
    MOST_TIMES = 100
}; /* that something can be escaped in itself and still be read: a bound on time, not on sense */

/* Characters that stand for several Latin letters. Source: ftfy 6.3, chardata.py, LIGATURES. */
static const struct {
    gunichar c;
    const char *letters;
} ligatures[] = {
    { 0x132, "IJ" },         { 0x133, "ij" },        { 0x149, "\xca\xbcn" }, { 0x1f1, "DZ" },        { 0x1f2, "Dz" },
    { 0x1f3, "dz" },         { 0x1c4, "D\xc5\xbd" }, { 0x1c5, "D\xc5\xbe" }, { 0x1c6, "d\xc5\xbe" }, { 0x1c7, "LJ" },
    { 0x1c8, "Lj" },         { 0x1c9, "lj" },        { 0x1ca, "NJ" },        { 0x1cb, "Nj" },        { 0x1cc, "nj" },
    { 0xfb00, "ff" },        { 0xfb01, "fi" },       { 0xfb02, "fl" },       { 0xfb03, "ffi" },      { 0xfb04, "ffl" },
    { 0xfb05, "\xc5\xbft" }, { 0xfb06, "st" },
};

static gboolean append_ligature(GString *out, gunichar c)
{
    for (guint i = 0; i < G_N_ELEMENTS(ligatures); i++)
        if (ligatures[i].c == c) {
            g_string_append(out, ligatures[i].letters);
            return TRUE;
        }
    return FALSE;
}

/* Letters of the width of an ideograph, and ideographs' syllables of half of it. */
static gboolean append_plain_width(GString *out, const char *at, gunichar c)
{
    if (c < 0xff01 || c > 0xffef)
        return FALSE;
    g_autofree char *plain = aimf_normalize(at, g_utf8_next_char(at) - at, G_NORMALIZE_ALL_COMPOSE);
    g_string_append(out, plain);
    return TRUE;
}

static gboolean is_single_quote(gunichar c)
{
    return c == 0x2bc || (c >= 0x2018 && c <= 0x201b);
}

/*
 * (owned) @text character by character: Windows-1252, ligatures, widths, quotes. The order is ftfy's: what one makes,
 * the next sees.
 */
static char *fix_characters(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 16);
    for (; *text; text = g_utf8_next_char(text)) {
        gunichar c = aimf_windows_1252(g_utf8_get_char(text));
        if (c == 0x149) /* a ligature with a quote in it */
            g_string_append(out, "'n");
        else if (is_single_quote(c))
            g_string_append_c(out, '\'');
        else if (c >= 0x201c && c <= 0x201f)
            g_string_append_c(out, '"');
        else if (!append_ligature(out, c) && !append_plain_width(out, text, c))
            g_string_append_unichar(out, c);
    }
    return g_string_free(out, FALSE);
}

/* After the escape character: "[31;1m" and the like; 0 if it is none. */
static gsize terminal_sequence(const char *at)
{
    const char *start = at;
    if (*at++ != '[')
        return 0;
    while (*at == ';' || g_unichar_type(g_utf8_get_char(at)) == G_UNICODE_DECIMAL_NUMBER)
        at = g_utf8_next_char(at);
    return g_ascii_isalpha(*at) ? (gsize)(at + 1 - start) : 0;
}

/* Those that show nothing and join nothing. Source: ftfy 6.3, chardata.py, CONTROL_CHARS. */
static gboolean is_unwanted(gunichar c)
{
    return (c < 0x20 && !strchr("\t\n\f\r", (int)c)) || c == 0x7f || (c >= 0x206a && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xfff9 && c <= 0xfffc);
}

static char *remove_controls(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 1);
    for (; *text; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        if (c == 0x1b)
            text += terminal_sequence(text + 1);
        else if (!is_unwanted(c))
            g_string_append_unichar(out, c);
    }
    return g_string_free(out, FALSE);
}

/* (owned) One line, again and again until nothing changes: what was escaped twice shows only then. */
static char *fix_line(const char *line, gsize length, gboolean unescape)
{
    char *text = g_strndup(line, length);
    for (guint times = 0, changed = TRUE; changed && times < MOST_TIMES; times++) {
        g_autofree char *before = text;
        g_autofree char *read = unescape ? aimf_html_unescape_plain(before) : g_strdup(before);
        g_autofree char *plain = fix_characters(read);
        g_autofree char *visible = remove_controls(plain);
        text = aimf_normalize(visible, -1, G_NORMALIZE_DEFAULT_COMPOSE);
        changed = strcmp(before, text) != 0;
    }
    return text;
}

static char *fix_text(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 16);
    gboolean unescape = TRUE;
    while (*text) {
        gsize length = strcspn(text, "\n");
        length += text[length] == '\n';
        /* Where tags are, escapes may be meant: from that line on ftfy leaves them. */
        unescape = unescape && !memchr(text, '<', length);
        g_autofree char *line = fix_line(text, length, unescape);
        g_string_append(out, line);
        text += length;
    }
    return g_string_free(out, FALSE);
}

/*
 * Characters that are between the letters of a word as if they were not there. Source: Unicode, section 3.13,
 * "case-ignorable".
 */
static gboolean is_case_ignorable(gunichar c)
{
    switch (g_unichar_type(c)) {
    case G_UNICODE_NON_SPACING_MARK:
    case G_UNICODE_ENCLOSING_MARK:
    case G_UNICODE_FORMAT:
    case G_UNICODE_MODIFIER_LETTER:
    case G_UNICODE_MODIFIER_SYMBOL:
        return TRUE;
    default:
        return c == '\'' || c == '.' || c == ':' || c == 0xb7 || c == 0x387 || c == 0x55f || c == 0x5f4 ||
               c == 0x2018 || c == 0x2019 || c == 0x2024 || c == 0x2027 || c == 0xfe13 || c == 0xfe52 || c == 0xfe55;
    }
}

static gboolean is_cased(gunichar c)
{
    return g_unichar_isupper(c) || g_unichar_islower(c) || g_unichar_istitle(c) || c == 0xaa || c == 0xba ||
           (c >= 0x2160 && c <= 0x217f) || (c >= 0x24b6 && c <= 0x24e9);
}

/* Whether the capital sigma at @at ends a word. Source: Unicode, table 3-17, "Final_Sigma". */
static gboolean is_final_sigma(const char *text, const char *at)
{
    const char *before = at, *after = g_utf8_next_char(at);
    do
        before = before > text ? g_utf8_prev_char(before) : NULL;
    while (before && is_case_ignorable(g_utf8_get_char(before)));
    while (*after && is_case_ignorable(g_utf8_get_char(after)))
        after = g_utf8_next_char(after);
    return before && is_cased(g_utf8_get_char(before)) && !(*after && is_cased(g_utf8_get_char(after)));
}

static char *lower(const char *text)
{
    GString *out = g_string_sized_new(strlen(text) + 16);
    for (const char *at = text; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (c == 0x3a3 && is_final_sigma(text, at))
            g_string_append_unichar(out, 0x3c2);
        else
            aimf_character_append_lower(out, c);
    }
    return g_string_free(out, FALSE);
}

/* Most prompts: nothing in them to clean. */
static gboolean is_plain(const char *text)
{
    while (*text >= ' ' && *text < 0x7f && *text != '&')
        text++;
    return !*text;
}

char *aimf_text_clean(const char *text)
{
    if (is_plain(text))
        return g_ascii_strdown(text, -1);
    g_autofree char *fixed = fix_text(text);
    g_autofree char *once = aimf_html_unescape(fixed);
    g_autofree char *twice = aimf_html_unescape(once);
    return lower(twice);
}
