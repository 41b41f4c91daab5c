#include "base/shown.h"

#include <string.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

char *aimf_shown(char *buffer, const char *text)
{
    gsize length = 0;
    for (const char *at = text ? text : "(nothing)"; *at;) {
        gunichar c = g_utf8_get_char_validated(at, -1);
        gboolean valid = c != (gunichar)-1 && c != (gunichar)-2, good = valid && !g_unichar_iscntrl(c);
        const char *from = good ? at : replacement;
        gsize n = good ? (gsize)(g_utf8_next_char(at) - at) : strlen(replacement);
        if (length + n > AIMF_SHOWN_BYTES) {
            memcpy(buffer + length, "…", strlen("…"));
            length += strlen("…");
            break;
        }
        memcpy(buffer + length, from, n);
        length += n;
        at += valid ? (gsize)(g_utf8_next_char(at) - at) : 1;
    }
    buffer[length] = 0;
    return buffer;
}

char *aimf_message_text(char *text)
{
    g_autofree char *taken = text;
    g_autofree char *valid = g_utf8_make_valid(taken, -1);
    GString *message = g_string_sized_new(MIN(strlen(valid), AIMF_MESSAGE_BYTES) + sizeof "…");
    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (g_unichar_iscntrl(c) && c != '\n')
            g_string_append(message, replacement);
        else
            g_string_append_len(message, at, g_utf8_next_char(at) - at);
        if (message->len > AIMF_MESSAGE_BYTES) {
            g_string_truncate(message,
                              (gsize)(g_utf8_find_prev_char(message->str, message->str + message->len) - message->str));
            g_string_append(message, "…");
            break;
        }
    }
    return g_string_free(message, FALSE);
}
