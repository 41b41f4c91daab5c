/*
 * Checkpoints of PyTorch 0.1.10 to 1.5: four pickles, the list of storages, then each storage as its count and its
 * bytes.
 */
#include "weights/checkpoint_stream.h"

#include "base/shown.h"
#include "weights/checkpoint_build.h"
#include "weights/checkpoint_forms.h"
#include "weights/pickle.h"

#include <string.h>

/* 0x1950a86a20f9469cfc6c, torch.serialization.MAGIC_NUMBER, as a pickle stores it. */
static const guint8 magic[] = { 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19 };

enum { PROTOCOL = 1001 };

const AimfPickleValue *aimf_stream_pickle(AimfStream *stream, AimfPickle *pickle, GError **error)
{
    gsize used;
    const AimfPickleValue *value =
        aimf_pickle_load(pickle, stream->data + stream->at, stream->bytes - stream->at, &used, error);
    stream->at += used;
    return value;
}

const guint8 *aimf_stream_take(AimfStream *stream, guint64 bytes, const char *what, GError **error)
{
    if (bytes > stream->bytes - stream->at) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "truncated: %s needs %" G_GUINT64_FORMAT " more bytes, but there are %" G_GSIZE_FORMAT, what, bytes,
                    stream->bytes - stream->at);
        return NULL;
    }
    const guint8 *taken = stream->data + stream->at;
    stream->at += (gsize)bytes;
    return taken;
}

gboolean aimf_stream_storage(AimfStream *stream, AimfPickleStorage *storage, GError **error)
{
    gint64 count;
    if (storage->data) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "storage '%s' is listed twice", AIMF_SHOWN(storage->key));
        return FALSE;
    }
    const guint8 *counted = aimf_stream_take(stream, sizeof count, "a storage", error);
    if (!counted)
        return FALSE;
    memcpy(&count, counted, sizeof count);
    if (count != storage->count) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "storage '%s' has %" G_GINT64_FORMAT " elements, but %" G_GINT64_FORMAT " were announced",
                    storage->key, count, storage->count);
        return FALSE;
    }
    guint64 bytes = (guint64)count * storage->type.bytes;
    return (storage->data = aimf_stream_take(stream, bytes, "a storage", error)) != NULL;
}

gboolean aimf_check_little_endian(const AimfPickleValue *sys_info, GError **error)
{
    const AimfPickleValue *little = aimf_pickle_lookup(sys_info, "little_endian");
    if (little && little->kind == AIMF_PICKLE_BOOL && little->integer)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                "it is not marked as little-endian (save it again on a little-endian machine)");
    return FALSE;
}

static gboolean check_preamble(AimfStream *stream, AimfPickle *pickle, GError **error)
{
    const AimfPickleValue *value = aimf_stream_pickle(stream, pickle, error);
    if (!value)
        return FALSE;
    if (value->kind != AIMF_PICKLE_LONG || value->text.bytes != sizeof magic ||
        memcmp(value->text.data, magic, sizeof magic) != 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "it is a pickle, but torch.save did not write it");
        return FALSE;
    }
    if (!(value = aimf_stream_pickle(stream, pickle, error)))
        return FALSE;
    if (value->kind != AIMF_PICKLE_INT || value->integer != PROTOCOL) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED, "its protocol is not %d, the only one there was",
                    PROTOCOL);
        return FALSE;
    }
    value = aimf_stream_pickle(stream, pickle, error);
    return value && aimf_check_little_endian(value, error);
}

static gboolean find_storages(AimfStream *stream, AimfPickle *pickle, const AimfPickleValue *keys, GError **error)
{
    for (guint i = 0; keys->kind == AIMF_PICKLE_LIST && i < keys->items->len; i++) {
        const AimfPickleValue *key = keys->items->pdata[i];
        g_autofree char *text = key->kind == AIMF_PICKLE_TEXT ? g_strndup(key->text.data, key->text.bytes) : NULL;
        guint index = text ? GPOINTER_TO_UINT(g_hash_table_lookup(pickle->storage_indices, text)) : 0;
        if (!index) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the list of storages names one that no tensor uses");
            return FALSE;
        }
        if (!aimf_stream_storage(stream, &g_array_index(pickle->storages, AimfPickleStorage, index - 1), error))
            return FALSE;
    }
    for (guint i = 0; i < pickle->storages->len; i++) {
        const AimfPickleStorage *storage = &g_array_index(pickle->storages, AimfPickleStorage, i);
        if (!storage->data) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "storage '%s' is missing", AIMF_SHOWN(storage->key));
            return FALSE;
        }
    }
    return TRUE;
}

AimfTensors *aimf_checkpoint_parse_stream(GBytes *map, GError **error)
{
    AimfStream stream = { 0 };
    stream.data = g_bytes_get_data(map, &stream.bytes);
    g_autoptr(AimfPickle) pickle = aimf_pickle_new();
    if (!check_preamble(&stream, pickle, error))
        return NULL;
    const AimfPickleValue *root = aimf_stream_pickle(&stream, pickle, error);
    const AimfPickleValue *keys = root ? aimf_stream_pickle(&stream, pickle, error) : NULL;
    if (!keys || !find_storages(&stream, pickle, keys, error))
        return NULL;
    return aimf_checkpoint_build(pickle, root, map, NULL, error);
}
