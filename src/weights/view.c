/* Sets that show tensors of other sets under other names, whole or in part. */
#include "weights/tensors.h"

/* What one entry shows. */
typedef struct {
    AimfTensors *from; /* one reference per entry */
    guint index;
    gsize begin;
} Part;

static void part_clear(gpointer data)
{
    aimf_tensors_free(((Part *)data)->from);
}

static void view_free(gpointer source)
{
    g_array_unref(source);
}

static gboolean view_read(gpointer source, guint index, gsize begin, gsize bytes, void *to, GError **error)
{
    const Part *part = &g_array_index((GArray *)source, Part, index);
    return aimf_tensors_read_bytes(part->from, part->index, part->begin + begin, bytes, to, error);
}

/* The set of entry @i, once for those of one file that follow one another: NULL where it is the one before. */
static const AimfTensors *next_set(const GArray *parts, guint i)
{
    const AimfTensors *from = g_array_index(parts, Part, i).from;
    return i && g_array_index(parts, Part, i - 1).from == from ? NULL : from;
}

static void view_release_pages(gpointer source)
{
    const GArray *parts = source;
    for (guint i = 0; i < parts->len; i++) {
        const AimfTensors *from = next_set(parts, i);
        if (from)
            aimf_tensors_release_pages(from);
    }
}

static gboolean view_unchanged(gpointer source, GError **error)
{
    const GArray *parts = source;
    for (guint i = 0; i < parts->len; i++) {
        const AimfTensors *from = next_set(parts, i);
        if (from && !aimf_tensors_unchanged(from, error))
            return FALSE;
    }
    return TRUE;
}

static const AimfTensorSource view_source = {
    .read = view_read,
    .names_tensors = TRUE,
    .free = view_free,
    .release_pages = view_release_pages,
    .unchanged = view_unchanged,
};

AimfTensors *aimf_tensors_new_view(void)
{
    GArray *parts = g_array_new(FALSE, FALSE, sizeof(Part));
    g_array_set_clear_func(parts, part_clear);
    return aimf_tensors_new_from_file(NULL, &view_source, parts);
}

gboolean aimf_tensors_add_view(AimfTensors *view, const char *name, AimfTensors *from, guint index, gint64 first,
                               const AimfShape *shape, GError **error)
{
    GArray *parts = aimf_tensors_source(view, &view_source);
    const AimfTensor *tensor = aimf_tensors_at(from, index);
    gint64 count = aimf_shape_count(shape), there = aimf_shape_count(&tensor->shape);
    if (first < 0 || count < 0 || first > there || count > there - first) {
        g_autofree char *wanted = aimf_shape_text(shape), *found = aimf_shape_text(&tensor->shape);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s' (%s) has no %s elements from number %" G_GINT64_FORMAT " on", tensor->name, found, wanted,
                    first);
        return FALSE;
    }
    Part part = { NULL, index, (gsize)first * aimf_dtype_bytes(tensor->dtype) };
    const guint8 *data = aimf_tensors_data(from, index);
    if (!aimf_tensors_append(view, name, tensor->dtype, shape, data ? data + part.begin : NULL, error))
        return FALSE;
    part.from = aimf_tensors_ref(from);
    g_array_append_val(parts, part);
    return TRUE;
}
