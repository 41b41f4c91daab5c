#include "base/shown.h"

#include <string.h>

char *aimf_shown(char *buffer, const char *text)
{
    static const char replacement[] = "\xef\xbf\xbd";
    gsize length = 0;
    for (const char *at = text ? text : "(nothing)"; *at;) {
        gunichar c = g_utf8_get_char_validated(at, -1);
        gboolean valid = c != (gunichar)-1 && c != (gunichar)-2;
        const char *from = valid ? at : replacement;
        gsize n = valid ? (gsize)(g_utf8_next_char(at) - at) : strlen(replacement);
        if (length + n > AIMF_SHOWN_BYTES) {
            memcpy(buffer + length, "…", strlen("…"));
            length += strlen("…");
            break;
        }
        memcpy(buffer + length, from, n);
        length += n;
        at += valid ? n : 1;
    }
    buffer[length] = 0;
    return buffer;
}
