#include "base/normalize.h"

#include <string.h>

enum { MOST_MARKS = 64 };

/* Behind the first MOST_MARKS marks in a row that more follow, or at the end. */
static const char *next_cut(const char *text, const char *end)
{
    guint marks = 0;
    for (; text < end; text = g_utf8_next_char(text)) {
        /* No character below U+0300 is a mark. */
        gboolean mark = (guchar)*text >= 0xCC && g_unichar_combining_class(g_utf8_get_char(text)) != 0;
        if (mark && marks == MOST_MARKS)
            return text;
        marks = mark ? marks + 1 : 0;
    }
    return end;
}

/* GLib's gives NULL for lack of memory; this ends the process, as GLib's other functions of text do. */
static char *normalize(const char *text, gssize length, GNormalizeMode mode)
{
    char *normal = g_utf8_normalize(text, length, mode);
    if (!normal)
        g_error("failed to allocate the normal form of a text");
    return normal;
}

char *aimf_normalize(const char *text, gssize length, GNormalizeMode mode)
{
    const char *end = text + (length < 0 ? strlen(text) : (gsize)length), *cut = next_cut(text, end);
    if (cut == end)
        return normalize(text, end - text, mode);
    GString *whole = g_string_sized_new((gsize)(end - text));
    for (const char *at = text; at < end; at = cut, cut = next_cut(at, end)) {
        g_autofree char *part = normalize(at, cut - at, mode);
        g_string_append(whole, part);
    }
    return g_string_free(whole, FALSE);
}
