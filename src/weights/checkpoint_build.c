/* The set of a checkpoint's tensors, and how they are read. */
#include "weights/checkpoint_build.h"

#include "base/shown.h"
#include "weights/state_dict.h"
#include "weights/tensors.h"

#include <aimfair/expansion.h>
#include <string.h>

typedef struct {
    AimfArchive *archive; /* nullable */
    GArray *storages;     /* of AimfPickleStorage */
    GArray *views;        /* of AimfPickleView, one per tensor */
} Checkpoint;

static void checkpoint_free(gpointer data)
{
    Checkpoint *checkpoint = data;
    aimf_archive_free(checkpoint->archive);
    g_array_unref(checkpoint->storages);
    g_array_unref(checkpoint->views);
    g_free(checkpoint);
}

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

static gboolean read_storage(const Checkpoint *checkpoint, const AimfPickleStorage *storage, gsize begin, gsize bytes,
                             void *to, GError **error)
{
    if (!storage->data)
        return aimf_archive_read(checkpoint->archive, storage->member, begin, to, bytes, error);
    if (bytes)
        memcpy(to, storage->data + begin, bytes);
    return TRUE;
}

/* All bytes of a tensor whose elements do not lie one after the other. */
static gboolean read_scattered(const Checkpoint *checkpoint, const AimfPickleView *view,
                               const AimfPickleStorage *storage, void *to, GError **error)
{
    gsize element_bytes = aimf_dtype_bytes(view->dtype);
    gsize begin = (gsize)view->offset * element_bytes, bytes = (gsize)extent(view) * element_bytes;
    if (storage->data) {
        gather(view, element_bytes, storage->data + begin, to);
        return TRUE;
    }
    g_autofree guint8 *span = g_try_malloc(MAX(bytes, 1));
    if (!span) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for %" G_GSIZE_FORMAT " bytes", bytes);
        return FALSE;
    }
    if (!read_storage(checkpoint, storage, begin, bytes, span, error))
        return FALSE;
    gather(view, element_bytes, span, to);
    return TRUE;
}

static gboolean read_tensor(gpointer source, guint index, gsize begin, gsize bytes, void *to, GError **error)
{
    const Checkpoint *checkpoint = source;
    const AimfPickleView *view = &g_array_index(checkpoint->views, AimfPickleView, index);
    const AimfPickleStorage *storage = &g_array_index(checkpoint->storages, AimfPickleStorage, view->storage);
    gsize element_bytes = aimf_dtype_bytes(view->dtype);
    gsize whole = (gsize)aimf_shape_count(&view->shape) * element_bytes;
    if (is_contiguous(view))
        return read_storage(checkpoint, storage, (gsize)view->offset * element_bytes + begin, bytes, to, error);
    if (bytes == whole)
        return read_scattered(checkpoint, view, storage, to, error);
    g_autofree guint8 *all = g_try_malloc(MAX(whole, 1));
    if (!all) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for %" G_GSIZE_FORMAT " bytes", whole);
        return FALSE;
    }
    if (!read_scattered(checkpoint, view, storage, all, error))
        return FALSE;
    memcpy(to, all + begin, bytes);
    return TRUE;
}

static const AimfTensorSource checkpoint_source = { .read = read_tensor, .free = checkpoint_free };

/* --- Building the set --- */

/*
 * What reading all tensors may cost, in bytes: a multiple of the file's, which deflate (1032 at most) and tied
 * weights stay below. Views are written in full, so a few bytes of strides could ask for any number of them, and many
 * views of one packed member for unpacking it as often.
 */
enum { COST_PER_BYTE = 1100, FREE_COST = 64 << 20 };

static gboolean add_cost(const Checkpoint *checkpoint, const AimfPickleView *view, guint64 *left, const char *name,
                         GBytes *map, GError **error)
{
    const AimfPickleStorage *storage = &g_array_index(checkpoint->storages, AimfPickleStorage, view->storage);
    gsize element_bytes = aimf_dtype_bytes(view->dtype);
    gint64 count = aimf_shape_count(&view->shape);
    guint64 elements = (guint64)count, reached = 0, cost;
    if (!storage->data && count > 0)
        reached = (guint64)extent(view) +
                  (aimf_archive_is_packed(checkpoint->archive, storage->member) ? (guint64)view->offset : 0);
    if (count >= 0 && !__builtin_add_overflow(elements, reached, &cost) &&
        !__builtin_mul_overflow(cost, element_bytes, &cost) && cost <= *left) {
        *left -= cost;
        return TRUE;
    }
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "up to the tensor '%s', the views in it would take more than %u times the file's %" G_GSIZE_FORMAT
                " bytes to read and hold (--max-expansion takes more of a file that you trust)",
                AIMF_SHOWN(name), COST_PER_BYTE * aimf_max_expansion(), g_bytes_get_size(map));
    return FALSE;
}

AimfTensors *aimf_checkpoint_build(const AimfPickle *pickle, const AimfPickleValue *root, GBytes *map,
                                   AimfArchive *archive, GError **error)
{
    Checkpoint *checkpoint = g_new0(Checkpoint, 1);
    checkpoint->archive = archive;
    checkpoint->storages = g_array_ref(pickle->storages);
    checkpoint->views = g_array_new(FALSE, FALSE, sizeof(AimfPickleView));
    g_autoptr(AimfTensors) tensors = aimf_tensors_new_from_file(map, &checkpoint_source, checkpoint);
    const char *wrapper;
    g_autoptr(GArray) entries = aimf_state_dict(pickle, root, &wrapper, error);
    if (!entries)
        return NULL;
    aimf_tensors_set_wrapper(tensors, wrapper);
    guint64 left = FREE_COST + (guint64)MIN(g_bytes_get_size(map), G_MAXINT64 / COST_PER_BYTE / AIMF_MAX_EXPANSION) *
                                   COST_PER_BYTE * aimf_max_expansion();
    for (guint i = 0; i < entries->len; i++) {
        const AimfStateEntry *entry = &g_array_index(entries, AimfStateEntry, i);
        if (entry->text) {
            aimf_tensors_set_metadata(tensors, entry->name, entry->text);
            continue;
        }
        if (entry->unreadable) {
            aimf_tensors_note_unreadable(tensors, entry->name, entry->unreadable);
            continue;
        }
        const AimfPickleView *view = entry->view;
        const AimfPickleStorage *storage = &g_array_index(checkpoint->storages, AimfPickleStorage, view->storage);
        const guint8 *data = storage->data && is_contiguous(view)
                                 ? storage->data + (gsize)view->offset * aimf_dtype_bytes(view->dtype)
                                 : NULL;
        if (!aimf_tensors_append(tensors, entry->name, view->dtype, &view->shape, data, error) ||
            !add_cost(checkpoint, view, &left, entry->name, map, error))
            return NULL;
        g_array_append_val(checkpoint->views, *view);
    }
    return g_steal_pointer(&tensors);
}
