#include "run/card_text.h"

#include "base/number.h"
#include "base/shown.h"

#include <string.h>

/*
 * What YAML may hold as it is, in quotes, by both of its versions: of its printable characters those that end no line
 * and that are seen. The rest has escapes.
 */
static gboolean plain_in_yaml(gunichar c)
{
    GUnicodeType type = g_unichar_type(c);
    gboolean ends_line = type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR;
    return c != '"' && c != '\\' && c != 0xFEFF && !ends_line && g_unichar_isprint(c);
}

void aimf_yaml_append(GString *yaml, const char *text)
{
    g_autofree char *valid = aimf_message_text(g_strdup(text));
    g_string_append_c(yaml, '"');
    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (plain_in_yaml(c))
            g_string_append_unichar(yaml, c);
        else if (c == '"' || c == '\\')
            g_string_append_printf(yaml, "\\%c", (char)c);
        else
            g_string_append_printf(yaml, c > 0xFFFF ? "\\U%08x" : "\\u%04x", c);
    }
    g_string_append_c(yaml, '"');
}

void aimf_yaml_append_number(GString *yaml, double value)
{
    char text[AIMF_NUMBER_SIZE];
    aimf_number_text(text, value);
    const char *exponent = strchr(text, 'e');
    if (!exponent || strchr(text, '.')) {
        g_string_append(yaml, text);
        return;
    }
    g_string_append_len(yaml, text, exponent - text);
    g_string_append_printf(yaml, ".0%s", exponent);
}

/* A backslash before any of ASCII's punctuation makes it text (CommonMark 0.31, 2.4). These would be read as such. */
void aimf_markdown_append(GString *markdown, const char *text)
{
    for (const char *c = AIMF_SHOWN(text); *c; c++) {
        if (g_ascii_ispunct(*c) && !strchr(",-'%/", *c))
            g_string_append_c(markdown, '\\');
        g_string_append_c(markdown, *c);
    }
}
