/* Checkpoints of PyTorch 1.6 and later: a ZIP archive of data.pkl, byteorder and a member data/KEY per storage. */
#include "base/shown.h"
#include "weights/checkpoint_build.h"
#include "weights/checkpoint_forms.h"
#include "weights/header.h"
#include "weights/pickle.h"

#include <string.h>

enum { MAX_PICKLE_BYTES = 1 << 26, MAX_METADATA_BYTES = 1 << 24 };

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
    g_autofree char *order = g_strndup(data, bytes);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                "its byte order is '%s'; only 'little' is supported (save it again on a little-endian machine)",
                AIMF_SHOWN(order));
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

static gboolean find_members(AimfArchive *archive, AimfPickle *pickle, GError **error)
{
    for (guint i = 0; i < pickle->storages->len; i++) {
        AimfPickleStorage *storage = &g_array_index(pickle->storages, AimfPickleStorage, i);
        g_autofree char *name = g_strdup_printf("data/%s", storage->key);
        gint64 member = aimf_archive_find(archive, name);
        if (member < 0) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the archive lacks '%s'", name);
            return FALSE;
        }
        storage->member = (guint64)member;
        guint64 bytes, needed = (guint64)storage->count * storage->type.bytes;
        if (!aimf_archive_size(archive, storage->member, &bytes, error))
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

AimfTensors *aimf_checkpoint_parse_zip(GBytes *map, GError **error)
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
    if (!root || !find_members(archive, pickle, error))
        return NULL;
    AimfArchive *opened = archive;
    g_autoptr(AimfTensors) tensors = aimf_checkpoint_build(pickle, root, map, g_steal_pointer(&archive), error);
    return tensors && read_metadata(opened, tensors, error) ? g_steal_pointer(&tensors) : NULL;
}
