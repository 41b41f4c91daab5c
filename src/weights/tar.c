#include "weights/tar.h"

#include <string.h>

/* Where the fields of a header are. */
enum {
    BLOCK_BYTES = 512,
    NAME_BYTES = 100,
    SIZE_AT = 124,
    SIZE_DIGITS = 11,
    CHECKSUM_AT = 148,
    CHECKSUM_BYTES = 8,
    TYPE_AT = 156,
    MAGIC_AT = 257,
};

static guint64 octal(const guint8 *text, gsize digits)
{
    guint64 value = 0;
    for (gsize i = 0; i < digits && text[i] >= '0' && text[i] <= '7'; i++)
        value = value << 3 | (guint64)(text[i] - '0');
    return value;
}

static gboolean is_header(const guint8 *block)
{
    guint64 sum = 0;
    for (gsize i = 0; i < BLOCK_BYTES; i++)
        sum += i - CHECKSUM_AT < CHECKSUM_BYTES ? ' ' : block[i]; /* the sum counts itself as blanks */
    return memcmp(block + MAGIC_AT, "ustar", 5) == 0 && sum == octal(block + CHECKSUM_AT, CHECKSUM_BYTES);
}

gboolean aimf_is_tar(GBytes *map)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(map, &size);
    return size >= BLOCK_BYTES && is_header(data);
}

const guint8 *aimf_tar_find(GBytes *map, const char *name, gsize *bytes)
{
    gsize size, at = 0;
    const guint8 *data = g_bytes_get_data(map, &size);
    while (size - at >= BLOCK_BYTES && is_header(data + at)) {
        const guint8 *header = data + at;
        guint64 length = octal(header + SIZE_AT, SIZE_DIGITS);
        at += BLOCK_BYTES;
        if (length > size - at)
            return NULL;
        gboolean regular = header[TYPE_AT] == '0' || header[TYPE_AT] == 0;
        if (regular && strlen(name) < NAME_BYTES && strncmp((const char *)header, name, NAME_BYTES) == 0) {
            *bytes = (gsize)length;
            return data + at;
        }
        guint64 padded = (length + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
        at += (gsize)MIN(padded, size - at);
    }
    return NULL;
}
