/* Text of files, servers and arguments as people are shown it. */
#include "cli.h"

char *aimf_cli_printable(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *shown = g_string_new(NULL);
    for (const char *c = valid; *c; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);
        if (g_unichar_iscntrl(letter))
            g_string_append_printf(shown, "\\u%04x", letter);
        else
            g_string_append_unichar(shown, letter);
    }
    return g_string_free(shown, FALSE);
}

char *aimf_cli_label(const char *label)
{
    g_autofree char *shown = aimf_cli_printable(label);
    gboolean bare = *shown != 0;
    for (const char *c = shown; bare && *c; c = g_utf8_next_char(c))
        bare = !g_unichar_isspace(g_utf8_get_char(c));
    return bare ? g_steal_pointer(&shown) : g_strdup_printf("\"%s\"", shown);
}
