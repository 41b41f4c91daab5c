/*
 * Checkpoints before PyTorch 0.1.10, torchvision's first models among them: a tar file of sys_info, storages (type,
 * count, bytes), tensors (sizes, strides) and the pickle, where tensors are persistent ids.
 * Source: PyTorch, torch/serialization.py, legacy_load.
 */
#include "weights/checkpoint_build.h"
#include "weights/checkpoint_forms.h"
#include "weights/checkpoint_stream.h"
#include "weights/pickle_object.h"
#include "weights/tar.h"

#include <string.h>

static gboolean open_member(GBytes *map, const char *name, AimfStream *stream, GError **error)
{
    stream->at = 0;
    stream->data = aimf_tar_find(map, name, &stream->bytes);
    if (stream->data)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "a tar file, but not a whole PyTorch checkpoint: '%s' is missing or truncated", name);
    return FALSE;
}

static gboolean refuse(GError **error, const char *what)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the checkpoint is broken: %s", what);
    return FALSE;
}

/* The pickle that says how many entries follow. */
static gboolean take_count(AimfStream *stream, AimfPickle *pickle, gint64 *count, GError **error)
{
    const AimfPickleValue *value = aimf_stream_pickle(stream, pickle, error);
    if (!value)
        return FALSE;
    *count = value->integer;
    return (value->kind == AIMF_PICKLE_INT && *count >= 0) || refuse(error, "a count is not a number");
}

/* The next pickle, a tuple of @n items of which the first is a number; NULL otherwise. */
static const AimfPickleValue *take_tuple(AimfStream *stream, AimfPickle *pickle, guint n, gint64 *id, GError **error)
{
    const AimfPickleValue *value = aimf_stream_pickle(stream, pickle, error);
    if (!value)
        return NULL;
    const AimfPickleValue *first =
        value->kind == AIMF_PICKLE_TUPLE && value->items->len == n ? value->items->pdata[0] : NULL;
    if (!first || first->kind != AIMF_PICKLE_INT) {
        refuse(error, "an entry is not described as it should be");
        return NULL;
    }
    *id = first->integer;
    return value;
}

/* (key, device, type), then the count and the bytes. */
static gboolean take_storage(AimfStream *stream, AimfPickle *pickle, GHashTable *storages, GError **error)
{
    gint64 id, count;
    AimfPickleElement type;
    const AimfPickleValue *entry = take_tuple(stream, pickle, 3, &id, error);
    if (!entry)
        return FALSE;
    if (!aimf_pickle_storage_type(entry->items->pdata[2], &type))
        return refuse(error, "a storage has no type");
    const guint8 *counted = aimf_stream_take(stream, sizeof count, "a storage", error);
    if (!counted)
        return FALSE;
    memcpy(&count, counted, sizeof count);
    stream->at -= sizeof count; /* aimf_stream_storage wants it too */
    g_autofree char *key = g_strdup_printf("%" G_GINT64_FORMAT, id);
    AimfPickleValue *value = aimf_pickle_storage(pickle, key, &type, count, error);
    if (!value ||
        !aimf_stream_storage(stream, &g_array_index(pickle->storages, AimfPickleStorage, value->storage.index), error))
        return FALSE;
    g_hash_table_replace(storages, g_steal_pointer(&key), value);
    return TRUE;
}

static AimfPickleValue *find_storage(GHashTable *storages, const AimfPickleValue *id, GError **error)
{
    g_autofree char *key = id->kind == AIMF_PICKLE_INT ? g_strdup_printf("%" G_GINT64_FORMAT, id->integer) : NULL;
    AimfPickleValue *storage = key ? g_hash_table_lookup(storages, key) : NULL;
    if (!storage)
        refuse(error, "a storage is used that is not there");
    return storage;
}

/* [(key, root's key, offset, number of elements), …]: parts of other storages. */
static gboolean take_storage_views(AimfStream *stream, AimfPickle *pickle, GHashTable *storages, GError **error)
{
    const AimfPickleValue *views = aimf_stream_pickle(stream, pickle, error);
    if (!views)
        return FALSE;
    if (views->kind != AIMF_PICKLE_LIST)
        return refuse(error, "the list of storage views is none");
    for (guint i = 0; i < views->items->len; i++) {
        const AimfPickleValue *view = views->items->pdata[i];
        gboolean complete = view->kind == AIMF_PICKLE_TUPLE && view->items->len == 4;
        gint64 numbers[4];
        for (guint k = 0; complete && k < 4; k++) {
            const AimfPickleValue *number = view->items->pdata[k];
            complete = number->kind == AIMF_PICKLE_INT;
            numbers[k] = number->integer;
        }
        if (!complete)
            return refuse(error, "a storage view is not described as it should be");
        const AimfPickleValue *root = find_storage(storages, view->items->pdata[1], error);
        AimfPickleValue *part = root ? aimf_pickle_narrow(pickle, root, numbers[2], numbers[3], error) : NULL;
        if (!part)
            return FALSE;
        g_hash_table_replace(storages, g_strdup_printf("%" G_GINT64_FORMAT, numbers[0]), part);
    }
    return TRUE;
}

/* (key, storage's key, type), then rank (in 8 bytes, of which 4 count), sizes, strides and the offset. */
static gboolean take_tensor(AimfStream *stream, AimfPickle *pickle, GHashTable *storages, GError **error)
{
    gint64 id;
    gint32 rank;
    const AimfPickleValue *entry = take_tuple(stream, pickle, 3, &id, error);
    const AimfPickleValue *storage = entry ? find_storage(storages, entry->items->pdata[1], error) : NULL;
    const guint8 *data = storage ? aimf_stream_take(stream, 8, "a tensor", error) : NULL;
    if (!data)
        return FALSE;
    memcpy(&rank, data, sizeof rank);
    if (rank < 0 || rank > AIMF_MAX_RANK)
        return refuse(error, "a tensor has a number of dimensions that is not accepted");
    gsize bytes = (gsize)rank * sizeof(gint64);
    if (!(data = aimf_stream_take(stream, 2 * bytes + sizeof(gint64), "a tensor", error)))
        return FALSE;
    AimfPickleView view = { .shape.rank = rank };
    memcpy(view.shape.dim, data, bytes);
    memcpy(view.stride, data + bytes, bytes);
    memcpy(&view.offset, data + 2 * bytes, sizeof view.offset);
    gboolean negative = view.offset < 0;
    for (int i = 0; i < rank; i++)
        negative |= view.shape.dim[i] < 0 || view.stride[i] < 0;
    if (negative)
        return refuse(error, "a tensor's offset, sizes or strides are negative");
    AimfPickleValue *tensor = aimf_pickle_tensor(pickle, storage, &view, error);
    if (!tensor)
        return FALSE;
    aimf_pickle_define(pickle, id, tensor);
    return TRUE;
}

AimfTensors *aimf_checkpoint_parse_tar(GBytes *map, GError **error)
{
    AimfStream stream = { 0 };
    gint64 count;
    g_autoptr(AimfPickle) pickle = aimf_pickle_new();
    g_autoptr(GHashTable) storages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const AimfPickleValue *value =
        open_member(map, "sys_info", &stream, error) ? aimf_stream_pickle(&stream, pickle, error) : NULL;
    if (!value || !aimf_check_little_endian(value, error))
        return NULL;
    if (!open_member(map, "storages", &stream, error) || !take_count(&stream, pickle, &count, error))
        return NULL;
    for (gint64 i = 0; i < count; i++)
        if (!take_storage(&stream, pickle, storages, error))
            return NULL;
    if (!take_storage_views(&stream, pickle, storages, error))
        return NULL;
    if (!open_member(map, "tensors", &stream, error) || !take_count(&stream, pickle, &count, error))
        return NULL;
    for (gint64 i = 0; i < count; i++)
        if (!take_tensor(&stream, pickle, storages, error))
            return NULL;
    if (!open_member(map, "pickle", &stream, error) || !(value = aimf_stream_pickle(&stream, pickle, error)))
        return NULL;
    return aimf_checkpoint_build(pickle, value, map, NULL, error);
}
