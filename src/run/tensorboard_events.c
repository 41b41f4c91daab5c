#include "run/tensorboard_events.h"

#include "base/file.h"

#include <math.h>
#include <string.h>

struct AimfEventFile {
    GByteArray *records;
    GByteArray *summary; /* of the step that is being made */
};

/* --- Records --- */

/* Bit by bit, for one byte: the polynomial 0x1EDC6F41, both reflected. */
static guint32 crc_of_byte(guint32 crc)
{
    for (int bit = 0; bit < 8; bit++)
        crc = crc & 1 ? crc >> 1 ^ 0x82F63B78U : crc >> 1;
    return crc;
}

guint32 aimf_crc32c(const void *data, gsize n)
{
    guint32 table[256], crc = 0xFFFFFFFFU;
    const guint8 *bytes = data;
    for (guint32 i = 0; i < G_N_ELEMENTS(table); i++)
        table[i] = crc_of_byte(i);
    for (gsize i = 0; i < n; i++)
        crc = table[(crc ^ bytes[i]) & 0xFF] ^ crc >> 8;
    return ~crc;
}

guint32 aimf_crc32c_masked(const void *data, gsize n)
{
    guint32 crc = aimf_crc32c(data, n);
    return (crc >> 15 | crc << 17) + 0xA282EAD8U;
}

static void append_little(GByteArray *bytes, guint64 value, guint n)
{
    for (guint i = 0; i < n; i++) {
        guint8 byte = (guint8)(value >> 8 * i);
        g_byte_array_append(bytes, &byte, 1);
    }
}

/* Length, its CRC, the data, their CRC. */
static void append_record(GByteArray *records, const GByteArray *data)
{
    guint start = records->len;
    append_little(records, data->len, 8);
    append_little(records, aimf_crc32c_masked(records->data + start, 8), 4);
    g_byte_array_append(records, data->data, data->len);
    append_little(records, aimf_crc32c_masked(data->data, data->len), 4);
}

/* --- Messages --- */

/* Kinds of fields on the wire, and the numbers of those that are written. */
enum { VARINT = 0, EIGHT_BYTES = 1, LENGTH = 2, FOUR_BYTES = 5 };
enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_FILE_VERSION = 3, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_SIMPLE = 2 };

static void append_varint(GByteArray *bytes, guint64 value)
{
    for (; value > 0x7F; value >>= 7)
        append_little(bytes, (value & 0x7F) | 0x80, 1);
    append_little(bytes, value, 1);
}

static void append_key(GByteArray *bytes, guint field, guint kind)
{
    append_varint(bytes, field << 3 | kind);
}

static void append_bytes(GByteArray *bytes, guint field, const void *data, gsize n)
{
    append_key(bytes, field, LENGTH);
    append_varint(bytes, n);
    g_byte_array_append(bytes, data, (guint)n);
}

/* (owned) an event that has its time and step, and no contents yet. */
static GByteArray *event_new(guint step)
{
    GByteArray *event = g_byte_array_new();
    double seconds = step;
    guint64 bits;
    memcpy(&bits, &seconds, sizeof bits);
    append_key(event, EVENT_WALL_TIME, EIGHT_BYTES);
    append_little(event, bits, 8);
    append_key(event, EVENT_STEP, VARINT);
    append_varint(event, step);
    return event;
}

/* --- Files --- */

AimfEventFile *aimf_event_file_new(void)
{
    static const char version[] = "brain.Event:2";
    AimfEventFile *file = g_new0(AimfEventFile, 1);
    g_autoptr(GByteArray) event = event_new(0);
    file->records = g_byte_array_new();
    file->summary = g_byte_array_new();
    append_bytes(event, EVENT_FILE_VERSION, version, strlen(version));
    append_record(file->records, event);
    return file;
}

void aimf_event_file_free(AimfEventFile *file)
{
    if (!file)
        return;
    g_byte_array_unref(file->records);
    g_byte_array_unref(file->summary);
    g_free(file);
}

void aimf_event_file_add(AimfEventFile *file, const char *tag, double value)
{
    g_autofree char *text = g_utf8_make_valid(tag, -1); /* protocol buffers' texts are UTF-8 */
    g_autoptr(GByteArray) message = g_byte_array_new();
    float single = (float)value;
    guint32 bits;
    if (isnan(value))
        return;
    memcpy(&bits, &single, sizeof bits);
    append_bytes(message, VALUE_TAG, text, strlen(text));
    append_key(message, VALUE_SIMPLE, FOUR_BYTES);
    append_little(message, bits, 4);
    append_bytes(file->summary, SUMMARY_VALUE, message->data, message->len);
}

void aimf_event_file_step(AimfEventFile *file, guint step)
{
    if (!file->summary->len)
        return;
    g_autoptr(GByteArray) event = event_new(step);
    append_bytes(event, EVENT_SUMMARY, file->summary->data, file->summary->len);
    append_record(file->records, event);
    g_byte_array_set_size(file->summary, 0);
}

gboolean aimf_event_file_save(const AimfEventFile *file, const char *path, GError **error)
{
    return aimf_file_write(path, file->records->data, file->records->len, error);
}
