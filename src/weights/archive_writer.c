/*
 * ZIP archives of uncompressed members. libzip could write them too, but neither aligns members nor streams into
 * AimfWriter.
 * Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3 for the records, 4.4.7 for the checksum.
 */
#include "weights/archive.h"

#include <string.h>

enum {
    ALIGNMENT = 64, /* torch.serialization: the default storage alignment */
    LOCAL_SIGNATURE = 0x04034b50,
    CENTRAL_SIGNATURE = 0x02014b50,
    END_SIGNATURE = 0x06054b50,
    END64_SIGNATURE = 0x06064b50,
    LOCATOR64_SIGNATURE = 0x07064b50,
    LOCAL_BYTES = 30,
    END64_BYTES = 56,
    VERSION = 20,
    VERSION_ZIP64 = 45,
    FIRST_OF_JANUARY_1980 = 0x0021, /* the earliest date there is */
    ZIP64_ID = 0x0001,
    PADDING_ID = 0x4246, /* "FB", what PyTorch pads with */
};

#define IN_ZIP64 0xffffffffu /* in place of a 32-bit number: it stands in the ZIP64 record */

struct AimfArchiveWriter {
    AimfWriter *writer;
    char *folder;
    guint64 offset;
    guint64 n_members;
    GByteArray *directory;
};

AimfArchiveWriter *aimf_archive_writer_new(AimfWriter *writer, const char *folder)
{
    AimfArchiveWriter *archive = g_new0(AimfArchiveWriter, 1);
    archive->writer = writer;
    archive->folder = g_strdup(folder);
    archive->directory = g_byte_array_new();
    return archive;
}

/* The reflected polynomial 0xedb88320, a byte at a time. */
static guint32 checksum(const guint8 *data, gsize bytes)
{
    static guint32 table[256];
    static gsize ready;
    if (g_once_init_enter(&ready)) {
        for (guint32 i = 0; i < 256; i++) {
            guint32 value = i;
            for (int bit = 0; bit < 8; bit++)
                value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
            table[i] = value;
        }
        g_once_init_leave(&ready, 1);
    }
    guint32 crc = 0xffffffffu;
    for (gsize i = 0; i < bytes; i++)
        crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
    return ~crc;
}

static void put(GByteArray *record, gsize bytes, guint64 value)
{
    guint64 little = GUINT64_TO_LE(value);
    g_byte_array_append(record, (const guint8 *)&little, (guint)bytes);
}

static void emit(AimfArchiveWriter *archive, const void *data, gsize bytes)
{
    aimf_writer_write(archive->writer, data, bytes);
    archive->offset += bytes;
}

static guint32 in_32_bits(guint64 value)
{
    return value < IN_ZIP64 ? (guint32)value : IN_ZIP64;
}

/* The fields that local and central headers have in common, from "version needed" to the length of the name. */
static void put_member(GByteArray *record, gboolean zip64, guint32 crc, guint64 bytes, gsize name_bytes)
{
    put(record, 2, zip64 ? VERSION_ZIP64 : VERSION);
    put(record, 2, 0); /* flags */
    put(record, 2, 0); /* stored */
    put(record, 2, 0); /* midnight */
    put(record, 2, FIRST_OF_JANUARY_1980);
    put(record, 4, crc);
    put(record, 4, in_32_bits(bytes));
    put(record, 4, in_32_bits(bytes));
    put(record, 2, name_bytes);
}

static void put_central(AimfArchiveWriter *archive, const char *name, guint32 crc, guint64 bytes, guint64 offset)
{
    GByteArray *record = archive->directory;
    gboolean large = bytes >= IN_ZIP64, far = offset >= IN_ZIP64;
    gsize extra = (large ? 16u : 0u) + (far ? 8u : 0u);
    put(record, 4, CENTRAL_SIGNATURE);
    put(record, 2, VERSION_ZIP64); /* made by */
    put_member(record, large || far, crc, bytes, strlen(name));
    put(record, 2, extra ? extra + 4 : 0);
    put(record, 2, 0); /* comment */
    put(record, 2, 0); /* disk */
    put(record, 2, 0); /* internal attributes */
    put(record, 4, 0); /* external attributes */
    put(record, 4, in_32_bits(offset));
    g_byte_array_append(record, (const guint8 *)name, (guint)strlen(name));
    if (extra) {
        put(record, 2, ZIP64_ID);
        put(record, 2, extra);
    }
    if (large) {
        put(record, 8, bytes);
        put(record, 8, bytes);
    }
    if (far)
        put(record, 8, offset);
}

void aimf_archive_writer_add(AimfArchiveWriter *archive, const char *name, const void *data, gsize bytes)
{
    g_autofree char *full = g_strdup_printf("%s/%s", archive->folder, name);
    g_autoptr(GByteArray) record = g_byte_array_new();
    guint64 offset = archive->offset;
    guint32 crc = checksum(data, bytes);
    gboolean large = bytes >= IN_ZIP64;
    gsize before = LOCAL_BYTES + strlen(full) + (large ? 20u : 0u) + 4u;
    gsize padding = (ALIGNMENT - (gsize)((offset + before) % ALIGNMENT)) % ALIGNMENT;
    put(record, 4, LOCAL_SIGNATURE);
    put_member(record, large, crc, bytes, strlen(full));
    put(record, 2, (large ? 20u : 0u) + 4u + padding);
    g_byte_array_append(record, (const guint8 *)full, (guint)strlen(full));
    if (large) {
        put(record, 2, ZIP64_ID);
        put(record, 2, 16);
        put(record, 8, bytes);
        put(record, 8, bytes);
    }
    put(record, 2, PADDING_ID);
    put(record, 2, padding);
    for (gsize i = 0; i < padding; i++)
        put(record, 1, 'Z');
    emit(archive, record->data, record->len);
    emit(archive, data, bytes);
    put_central(archive, full, crc, bytes, offset);
    archive->n_members++;
}

/* The ZIP64 end of the directory and the locator that points at it. */
static void put_end64(GByteArray *record, const AimfArchiveWriter *archive)
{
    put(record, 4, END64_SIGNATURE);
    put(record, 8, END64_BYTES - 12); /* of what follows */
    put(record, 2, VERSION_ZIP64);
    put(record, 2, VERSION_ZIP64);
    put(record, 4, 0);
    put(record, 4, 0);
    put(record, 8, archive->n_members);
    put(record, 8, archive->n_members);
    put(record, 8, archive->directory->len);
    put(record, 8, archive->offset);
    put(record, 4, LOCATOR64_SIGNATURE);
    put(record, 4, 0);
    put(record, 8, archive->offset + archive->directory->len);
    put(record, 4, 1); /* disks */
}

void aimf_archive_writer_finish(AimfArchiveWriter *archive)
{
    g_autoptr(GByteArray) record = g_byte_array_new();
    guint64 n_members = MIN(archive->n_members, 0xffff);
    if (archive->n_members >= 0xffff || archive->offset >= IN_ZIP64)
        put_end64(record, archive);
    put(record, 4, END_SIGNATURE);
    put(record, 2, 0);
    put(record, 2, 0);
    put(record, 2, n_members);
    put(record, 2, n_members);
    put(record, 4, archive->directory->len);
    put(record, 4, in_32_bits(archive->offset));
    put(record, 2, 0); /* comment */
    emit(archive, archive->directory->data, archive->directory->len);
    emit(archive, record->data, record->len);
    g_byte_array_unref(archive->directory);
    g_free(archive->folder);
    g_free(archive);
}
