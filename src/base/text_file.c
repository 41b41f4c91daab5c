#include "base/text_file.h"

#include "base/file.h"

#include <string.h>

/* So many units of UTF-16 without a mark must look like ASCII before a file is taken for it. */
enum { MIN_PLAIN_UNITS = 4, MAX_PLAIN_UNITS = 64 };

/** Encoding: of the bytes from @start on. @unit_bytes: 1 for UTF-8, 2 for UTF-16. */
typedef struct {
    gsize start;
    int unit_bytes;
    gboolean big_endian;
} Encoding;

/* Text in Latin letters has a 0 in every second byte; a real NUL in a text of bytes has not. */
static gboolean looks_like_utf16(const guint8 *data, gsize size, gboolean big_endian)
{
    gsize n = MIN(size / 2, MAX_PLAIN_UNITS);
    for (gsize i = 0; i < n; i++) {
        guint8 low = data[2 * i + (big_endian ? 1 : 0)], high = data[2 * i + (big_endian ? 0 : 1)];
        if (high != 0 || low == 0 || low > 127)
            return FALSE;
    }
    return n >= MIN_PLAIN_UNITS;
}

static Encoding find_encoding(const guint8 *data, gsize size)
{
    gsize marks = 0; /* programs that put one before a text that has one already */
    while (size - marks >= 3 && memcmp(data + marks, "\xEF\xBB\xBF", 3) == 0)
        marks += 3;
    if (marks)
        return (Encoding){ .start = marks, .unit_bytes = 1 };
    if (size >= 2 && memcmp(data, "\xFF\xFE", 2) == 0)
        return (Encoding){ .start = 2, .unit_bytes = 2 };
    if (size >= 2 && memcmp(data, "\xFE\xFF", 2) == 0)
        return (Encoding){ .start = 2, .unit_bytes = 2, .big_endian = TRUE };
    gboolean little = looks_like_utf16(data, size, FALSE), big = looks_like_utf16(data, size, TRUE);
    return (Encoding){ .unit_bytes = little || big ? 2 : 1, .big_endian = big };
}

static gboolean is_utf32(const guint8 *data, gsize size)
{
    return size >= 4 && (memcmp(data, "\xFF\xFE\0\0", 4) == 0 || memcmp(data, "\0\0\xFE\xFF", 4) == 0);
}

static GBytes *decode_utf16(const guint8 *data, gsize size, gboolean big_endian, const char *name, GError **error)
{
    if (size % 2) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "'%s' is UTF-16 text that ends in half a character; is it cut off?", name);
        return NULL;
    }
    glong n = (glong)(size / 2), n_read = 0, n_written = 0;
    g_autofree gunichar2 *units = g_try_new(gunichar2, size / 2 + 1);
    if (!units) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for the UTF-16 text of '%s'", name);
        return NULL;
    }
    for (glong i = 0; i < n; i++)
        units[i] = (gunichar2)(data[2 * i + big_endian] | data[2 * i + !big_endian] << 8);
    g_autoptr(GError) reason = NULL;
    char *text = g_utf16_to_utf8(units, n, &n_read, &n_written, &reason);
    if (text && n_read == n) /* it stops at a 0 */
        return g_bytes_new_take(text, (gsize)n_written);
    g_free(text);
    gboolean memory = g_error_matches(reason, G_CONVERT_ERROR, G_CONVERT_ERROR_NO_MEMORY);
    g_set_error(error, AIMF_ERROR, memory ? AIMF_ERROR_MEMORY : AIMF_ERROR_FORMAT,
                "'%s' is broken UTF-16 text: character %ld is %s; save it as UTF-8", name, n_read + 1,
                reason ? reason->message : "a NUL");
    return NULL;
}

/* Text of old Macs, and of programs that still write for them: CR alone ends each line. (taken), (owned) */
static GBytes *end_lines(GBytes *bytes, const char *name, GError **error)
{
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    if (size == 0 || !memchr(data, '\r', size) || memchr(data, '\n', size))
        return bytes;
    char *text = g_try_malloc(size + 1);
    if (!text)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for the lines of '%s'", name);
    for (gsize i = 0; text && i < size; i++)
        text[i] = data[i] == '\r' ? '\n' : data[i];
    g_bytes_unref(bytes);
    if (!text)
        return NULL;
    text[size] = 0;
    return g_bytes_new_take(text, size);
}

GBytes *aimf_text_decode(GBytes *bytes, const char *name, GError **error)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    if (size == 0)
        return bytes;
    GBytes *text = NULL;
    if (is_utf32(data, size)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' is UTF-32 text; save it as UTF-8", name);
    } else {
        Encoding e = find_encoding(data, size);
        text = e.unit_bytes == 2 ? decode_utf16(data + e.start, size - e.start, e.big_endian, name, error)
                                 : g_bytes_new_from_bytes(bytes, e.start, size - e.start); /* shares the closing 0 */
    }
    g_bytes_unref(bytes);
    return text ? end_lines(text, name, error) : NULL;
}

GBytes *aimf_text_read(const char *path, gsize limit_bytes, GError **error)
{
    GBytes *bytes = aimf_file_read(path, limit_bytes, error);
    return bytes ? aimf_text_decode(bytes, path, error) : NULL;
}
