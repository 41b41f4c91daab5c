#include "weights/checkpoint.h"

#include "weights/archive.h"
#include "weights/header.h"
#include "weights/pickle.h"
#include "weights/state_dict.h"
#include "weights/tensors.h"

#include <string.h>

enum { MAX_PICKLE_BYTES = 1 << 26, MAX_METADATA_BYTES = 1 << 24, PROTOCOL = 1001 };

/* Where a storage's bytes are: mapped, or a member of the archive. */
typedef struct {
    AimfDtype dtype;
    gint64 count;
    const guint8 *data;
    guint64 member;
} Storage;

typedef struct {
    AimfArchive *archive; /* nullable */
    GArray *storages;     /* of Storage */
    GArray *views;        /* of AimfPickleView, one per tensor */
} Checkpoint;

static void checkpoint_free(gpointer data)
{
    Checkpoint *checkpoint = data;
    if (!checkpoint)
        return;
    aimf_archive_free(checkpoint->archive);
    g_array_unref(checkpoint->storages);
    g_array_unref(checkpoint->views);
    g_free(checkpoint);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Checkpoint, checkpoint_free)

/* --- Reading a tensor --- */

static gboolean is_contiguous(const AimfPickleView *view)
{
    gint64 expected = 1;
    if (aimf_shape_count(&view->shape) == 0)
        return TRUE;
    for (int i = view->shape.rank - 1; i >= 0; i--) {
        if (view->shape.dim[i] != 1 && view->stride[i] != expected)
            return FALSE;
        expected *= view->shape.dim[i];
    }
    return TRUE;
}

/* Elements from the view's first to its last, wherever they lie between; 0 for an empty one. */
static gint64 extent(const AimfPickleView *view)
{
    gint64 reach = 1;
    if (aimf_shape_count(&view->shape) == 0)
        return 0;
    for (int i = 0; i < view->shape.rank; i++)
        reach += (view->shape.dim[i] - 1) * view->stride[i];
    return reach;
}

/* Strided elements to row-major order; @from is the view's first element. */
static void gather(const AimfPickleView *view, gsize element_bytes, const guint8 *from, guint8 *to)
{
    gint64 count = aimf_shape_count(&view->shape), index[AIMF_MAX_RANK] = { 0 };
    guint64 at = 0; /* without sign: the stride of a dimension of size 1 may be anything, and is added and taken back */
    for (gint64 n = 0; n < count; n++) {
        memcpy(to + (gsize)n * element_bytes, from + at * element_bytes, element_bytes);
        for (int i = view->shape.rank - 1; i >= 0; i--) {
            at += (guint64)view->stride[i];
            if (++index[i] < view->shape.dim[i])
                break;
            at -= (guint64)index[i] * (guint64)view->stride[i];
            index[i] = 0;
        }
    }
}

static gboolean read_span(const Checkpoint *checkpoint, const Storage *storage, gint64 offset, gint64 count, void *to,
                          GError **error)
{
    gsize element_bytes = aimf_dtype_bytes(storage->dtype);
    gsize begin = (gsize)offset * element_bytes, bytes = (gsize)count * element_bytes;
    if (!storage->data)
        return aimf_archive_read(checkpoint->archive, storage->member, begin, to, bytes, error);
    if (bytes)
        memcpy(to, storage->data + begin, bytes);
    return TRUE;
}

static gboolean read_tensor(gpointer source, guint index, void *to, GError **error)
{
    const Checkpoint *checkpoint = source;
    const AimfPickleView *view = &g_array_index(checkpoint->views, AimfPickleView, index);
    const Storage *storage = &g_array_index(checkpoint->storages, Storage, view->storage);
    gsize element_bytes = aimf_dtype_bytes(storage->dtype);
    gint64 elements = extent(view);
    if (is_contiguous(view))
        return read_span(checkpoint, storage, view->offset, elements, to, error);
    if (storage->data) {
        gather(view, element_bytes, storage->data + (gsize)view->offset * element_bytes, to);
        return TRUE;
    }
    g_autofree guint8 *span = g_try_malloc(MAX((gsize)elements * element_bytes, 1));
    if (!span) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for %" G_GINT64_FORMAT " elements", elements);
        return FALSE;
    }
    if (!read_span(checkpoint, storage, view->offset, elements, span, error))
        return FALSE;
    gather(view, element_bytes, span, to);
    return TRUE;
}

static const AimfTensorSource checkpoint_source = { read_tensor, checkpoint_free };

/* --- Building the set --- */

static Checkpoint *checkpoint_new(const AimfPickle *pickle)
{
    Checkpoint *checkpoint = g_new0(Checkpoint, 1);
    checkpoint->views = g_array_new(FALSE, FALSE, sizeof(AimfPickleView));
    checkpoint->storages = g_array_new(FALSE, TRUE, sizeof(Storage));
    for (guint i = 0; i < pickle->storages->len; i++) {
        const AimfPickleStorage *known = &g_array_index(pickle->storages, AimfPickleStorage, i);
        Storage storage = { .dtype = known->dtype, .count = known->count };
        g_array_append_val(checkpoint->storages, storage);
    }
    return checkpoint;
}

/* Takes @checkpoint, whose storages have been found, in any case. */
static AimfTensors *build(Checkpoint *checkpoint, const AimfPickleValue *root, GBytes *map, GError **error)
{
    g_autoptr(AimfTensors) tensors = aimf_tensors_new_from_file(map, &checkpoint_source, checkpoint);
    g_autoptr(GArray) entries = aimf_state_dict(root, error);
    if (!entries)
        return NULL;
    for (guint i = 0; i < entries->len; i++) {
        const AimfStateEntry *entry = &g_array_index(entries, AimfStateEntry, i);
        if (entry->text) {
            aimf_tensors_set_metadata(tensors, entry->name, entry->text);
            continue;
        }
        const Storage *storage = &g_array_index(checkpoint->storages, Storage, entry->view->storage);
        const guint8 *data = storage->data && is_contiguous(entry->view)
                                 ? storage->data + (gsize)entry->view->offset * aimf_dtype_bytes(storage->dtype)
                                 : NULL;
        if (!aimf_tensors_append(tensors, entry->name, storage->dtype, &entry->view->shape, data, error))
            return NULL;
        g_array_append_val(checkpoint->views, *entry->view);
    }
    return g_steal_pointer(&tensors);
}

/* --- The ZIP form: data.pkl, byteorder, data/KEY --- */

static gboolean check_byte_order(AimfArchive *archive, GError **error)
{
    gint64 member = aimf_archive_find(archive, "byteorder");
    if (member < 0)
        return TRUE; /* files before PyTorch 2.1 have none */
    g_autoptr(GBytes) text = aimf_archive_member(archive, (guint64)member, 16, error);
    if (!text)
        return FALSE;
    gsize bytes;
    const char *data = g_bytes_get_data(text, &bytes);
    if (bytes == 6 && memcmp(data, "little", 6) == 0)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                "its byte order is '%.*s'; only 'little' is supported (save it again on a little-endian machine)",
                (int)bytes, data);
    return FALSE;
}

static gboolean read_metadata(AimfArchive *archive, AimfTensors *tensors, GError **error)
{
    gint64 member = aimf_archive_find(archive, AIMF_CHECKPOINT_METADATA);
    if (member < 0)
        return TRUE;
    g_autoptr(GBytes) text = aimf_archive_member(archive, (guint64)member, MAX_METADATA_BYTES, error);
    g_autoptr(JsonParser) parser =
        text ? aimf_header_parse(g_bytes_get_data(text, NULL), g_bytes_get_size(text), error) : NULL;
    return parser && aimf_header_take_metadata(tensors, json_parser_get_root(parser), error);
}

static gboolean find_members(Checkpoint *checkpoint, const AimfPickle *pickle, GError **error)
{
    for (guint i = 0; i < checkpoint->storages->len; i++) {
        Storage *storage = &g_array_index(checkpoint->storages, Storage, i);
        g_autofree char *name = g_strdup_printf("data/%s", g_array_index(pickle->storages, AimfPickleStorage, i).key);
        gint64 member = aimf_archive_find(checkpoint->archive, name);
        if (member < 0) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the archive lacks '%s'", name);
            return FALSE;
        }
        storage->member = (guint64)member;
        guint64 bytes, needed = (guint64)storage->count * aimf_dtype_bytes(storage->dtype);
        if (!aimf_archive_size(checkpoint->archive, storage->member, &bytes, error))
            return FALSE;
        if (bytes != needed) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                        "the archive's '%s' has %" G_GUINT64_FORMAT " bytes, but its storage needs %" G_GUINT64_FORMAT,
                        name, bytes, needed);
            return FALSE;
        }
    }
    return TRUE;
}

static AimfTensors *parse_archive(GBytes *map, GError **error)
{
    g_autoptr(AimfArchive) archive = aimf_archive_open(map, "data.pkl", error);
    if (!archive || !check_byte_order(archive, error))
        return NULL;
    guint64 member = (guint64)aimf_archive_find(archive, "data.pkl");
    g_autoptr(GBytes) bytes = aimf_archive_member(archive, member, MAX_PICKLE_BYTES, error);
    if (!bytes)
        return NULL;
    g_autoptr(AimfPickle) pickle = aimf_pickle_new();
    gsize used;
    const AimfPickleValue *root =
        aimf_pickle_load(pickle, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), &used, error);
    if (!root)
        return NULL;
    g_autoptr(Checkpoint) checkpoint = checkpoint_new(pickle);
    checkpoint->archive = g_steal_pointer(&archive);
    AimfArchive *opened = checkpoint->archive;
    if (!find_members(checkpoint, pickle, error))
        return NULL;
    g_autoptr(AimfTensors) tensors = build(g_steal_pointer(&checkpoint), root, map, error);
    return tensors && read_metadata(opened, tensors, error) ? g_steal_pointer(&tensors) : NULL;
}

/* --- The older form: four pickles, the keys, then each storage as its count and its bytes --- */

/* 0x1950a86a20f9469cfc6c, torch.serialization.MAGIC_NUMBER, as a pickle stores it. */
static const guint8 magic[] = { 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19 };

typedef struct {
    const guint8 *data;
    gsize bytes;
    gsize at;
} Stream;

static const AimfPickleValue *next_pickle(Stream *stream, AimfPickle *pickle, GError **error)
{
    gsize used;
    const AimfPickleValue *value =
        aimf_pickle_load(pickle, stream->data + stream->at, stream->bytes - stream->at, &used, error);
    stream->at += used;
    return value;
}

static gboolean check_preamble(Stream *stream, AimfPickle *pickle, GError **error)
{
    const AimfPickleValue *value = next_pickle(stream, pickle, error);
    if (!value)
        return FALSE;
    if (value->kind != AIMF_PICKLE_LONG || value->text.bytes != sizeof magic ||
        memcmp(value->text.data, magic, sizeof magic) != 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "it is a pickle, but torch.save did not write it");
        return FALSE;
    }
    if (!(value = next_pickle(stream, pickle, error)))
        return FALSE;
    if (value->kind != AIMF_PICKLE_INT || value->integer != PROTOCOL) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED, "its protocol is not %d, the only one there was",
                    PROTOCOL);
        return FALSE;
    }
    if (!(value = next_pickle(stream, pickle, error)))
        return FALSE;
    const AimfPickleValue *little = aimf_pickle_lookup(value, "little_endian");
    if (little && little->kind == AIMF_PICKLE_BOOL && little->integer)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                "it is not marked as little-endian (save it again on a little-endian machine)");
    return FALSE;
}

static gboolean find_storage_data(Stream *stream, Checkpoint *checkpoint, guint index, const char *key, GError **error)
{
    Storage *storage = &g_array_index(checkpoint->storages, Storage, index);
    gint64 count;
    gsize left = stream->bytes - stream->at;
    guint64 needed = (guint64)storage->count * aimf_dtype_bytes(storage->dtype);
    if (storage->data) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "storage '%s' is listed twice", key);
    } else if (left < sizeof count || left - sizeof count < needed) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "truncated: storage '%s' needs %" G_GUINT64_FORMAT " bytes",
                    key, needed);
    } else {
        memcpy(&count, stream->data + stream->at, sizeof count);
        if (count == storage->count) {
            storage->data = stream->data + stream->at + sizeof count;
            stream->at += sizeof count + (gsize)needed;
            return TRUE;
        }
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "storage '%s' has %" G_GINT64_FORMAT " elements, but %" G_GINT64_FORMAT " were announced", key,
                    count, storage->count);
    }
    return FALSE;
}

static gboolean find_all_storage_data(Stream *stream, Checkpoint *checkpoint, const AimfPickle *pickle,
                                      const AimfPickleValue *keys, GError **error)
{
    for (guint i = 0; keys->kind == AIMF_PICKLE_LIST && i < keys->items->len; i++) {
        const AimfPickleValue *key = keys->items->pdata[i];
        g_autofree char *text = key->kind == AIMF_PICKLE_TEXT ? g_strndup(key->text.data, key->text.bytes) : NULL;
        guint index = text ? GPOINTER_TO_UINT(g_hash_table_lookup(pickle->storage_indices, text)) : 0;
        if (!index) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the list of storages names one that no tensor uses");
            return FALSE;
        }
        if (!find_storage_data(stream, checkpoint, index - 1, text, error))
            return FALSE;
    }
    for (guint i = 0; i < checkpoint->storages->len; i++)
        if (!g_array_index(checkpoint->storages, Storage, i).data) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "storage '%s' is missing",
                        g_array_index(pickle->storages, AimfPickleStorage, i).key);
            return FALSE;
        }
    return TRUE;
}

static AimfTensors *parse_stream(GBytes *map, GError **error)
{
    Stream stream = { 0 };
    stream.data = g_bytes_get_data(map, &stream.bytes);
    g_autoptr(AimfPickle) pickle = aimf_pickle_new();
    if (!check_preamble(&stream, pickle, error))
        return NULL;
    const AimfPickleValue *root = next_pickle(&stream, pickle, error);
    const AimfPickleValue *keys = root ? next_pickle(&stream, pickle, error) : NULL;
    if (!keys)
        return NULL;
    g_autoptr(Checkpoint) checkpoint = checkpoint_new(pickle);
    if (!find_all_storage_data(&stream, checkpoint, pickle, keys, error))
        return NULL;
    return build(g_steal_pointer(&checkpoint), root, map, error);
}

gboolean aimf_is_checkpoint(GBytes *map)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(map, &size);
    return size >= 4 && (memcmp(data, "PK\3\4", 4) == 0 || data[0] == 0x80);
}

AimfTensors *aimf_checkpoint_parse(GBytes *map, GError **error)
{
    return *(const guint8 *)g_bytes_get_data(map, NULL) == 'P' ? parse_archive(map, error) : parse_stream(map, error);
}
