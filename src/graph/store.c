#include "graph/store.h"

#include "base/intern.h"
#include "weights/tensors.h"

typedef struct {
    void *memory;
    gsize bytes;
} Slab;

AimfStore *aimf_store_new(AimfDevice *device, int threads, GError **error)
{
    g_autoptr(AimfDevice) used = aimf_device_or_auto(device, error);
    AimfStream *stream = used ? aimf_stream_open(used, threads, error) : NULL;
    if (!stream)
        return NULL;
    AimfStore *store = g_new0(AimfStore, 1);
    g_atomic_ref_count_init(&store->references);
    store->device = g_steal_pointer(&used);
    store->stream = stream;
    store->stored = g_array_new(FALSE, TRUE, sizeof(AimfStored));
    store->indices = g_hash_table_new(g_str_hash, g_str_equal);
    store->slabs = g_array_new(FALSE, FALSE, sizeof(Slab));
    return store;
}

AimfStore *aimf_store_ref(AimfStore *store)
{
    g_atomic_ref_count_inc(&store->references);
    return store;
}

void aimf_store_free(AimfStore *store)
{
    if (!store || !g_atomic_ref_count_dec(&store->references))
        return;
    aimf_stream_close(store->stream);
    for (guint i = 0; i < store->slabs->len; i++) {
        const Slab *slab = &g_array_index(store->slabs, Slab, i);
        store->device->class->release(store->device, slab->memory, slab->bytes);
    }
    g_array_unref(store->slabs);
    g_array_unref(store->stored);
    g_hash_table_unref(store->indices);
    aimf_device_free(store->device);
    g_free(store);
}

guint64 aimf_store_version(const AimfStore *store)
{
    return store->version;
}

void aimf_store_touch(AimfStore *store, int index)
{
    aimf_stored(store, index)->version = ++store->version;
}

/* --- Room --- */

static gsize aligned(gsize bytes)
{
    return (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
}

/* The tensors that are there, and how many bytes the others need. */
static gboolean find_stored(const AimfStore *store, const AimfValueInfo *const *infos, guint n, int *indices,
                            gsize *missing, GError **error)
{
    *missing = 0;
    for (guint i = 0; i < n; i++) {
        gpointer found;
        gboolean there = g_hash_table_lookup_extended(store->indices, infos[i]->name, NULL, &found);
        indices[i] = there ? GPOINTER_TO_INT(found) : -1;
        if (!there)
            *missing += aligned((gsize)aimf_shape_count(&infos[i]->shape) * sizeof(float));
        if (!there || aimf_shape_equal(&aimf_stored(store, indices[i])->shape, &infos[i]->shape))
            continue;
        g_autofree char *has = aimf_shape_text(&aimf_stored(store, indices[i])->shape);
        g_autofree char *wanted = aimf_shape_text(&infos[i]->shape);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "the store's tensor '%s' has the shape %s, and this plan's %s: they cannot share it",
                    infos[i]->name, has, wanted);
        return FALSE;
    }
    return TRUE;
}

gboolean aimf_store_reserve(AimfStore *store, const AimfValueInfo *const *infos, guint n, int *indices, GError **error)
{
    Slab slab;
    if (!find_stored(store, infos, n, indices, &slab.bytes, error))
        return FALSE;
    if (slab.bytes == 0)
        return TRUE;
    slab.memory = store->device->class->allocate(store->device, slab.bytes, "parameters", error);
    if (!slab.memory)
        return FALSE;
    g_array_append_val(store->slabs, slab);
    store->bytes += slab.bytes;
    char *address = slab.memory;
    for (guint i = 0; i < n; i++) {
        if (indices[i] >= 0)
            continue;
        AimfStored stored = {
            .name = infos[i]->name,
            .shape = infos[i]->shape,
            .bytes = (gsize)aimf_shape_count(&infos[i]->shape) * sizeof(float),
            .slab = store->slabs->len - 1,
            .address = address,
        };
        indices[i] = (int)store->stored->len;
        g_array_append_val(store->stored, stored);
        g_hash_table_insert(store->indices, (gpointer)stored.name, GINT_TO_POINTER(indices[i]));
        address += aligned(stored.bytes);
    }
    return TRUE;
}

void aimf_store_take_back(AimfStore *store, guint n)
{
    if (store->stored->len == n)
        return;
    guint n_slabs = aimf_stored(store, (int)n)->slab; /* what is reserved at one go has a slab of its own */
    for (guint i = n; i < store->stored->len; i++)
        g_hash_table_remove(store->indices, aimf_stored(store, (int)i)->name);
    g_array_set_size(store->stored, n);
    for (guint i = n_slabs; i < store->slabs->len; i++) {
        const Slab *slab = &g_array_index(store->slabs, Slab, i);
        store->device->class->release(store->device, slab->memory, slab->bytes);
        store->bytes -= slab->bytes;
    }
    g_array_set_size(store->slabs, n_slabs);
}

/* --- Tensors of the host, in and out --- */

int aimf_store_entry(const AimfTensors *tensors, const char *name, const AimfShape *shape, GError **error)
{
    int entry = aimf_tensors_find(tensors, name);
    if (entry < 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "the tensor '%s' is missing", name);
        return -1;
    }
    const AimfShape *found = &aimf_tensors_at(tensors, (guint)entry)->shape;
    if (aimf_shape_equal(found, shape))
        return entry;
    g_autofree char *expected = aimf_shape_text(shape), *have = aimf_shape_text(found);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the tensor '%s' has the shape %s, expected %s", name, have,
                expected);
    return -1;
}

const void *aimf_store_lying(const AimfTensors *tensors, guint entry)
{
    return aimf_tensors_at(tensors, entry)->dtype == AIMF_F32 ? aimf_tensors_data(tensors, entry) : NULL;
}

/* What must be read or converted goes straight to where it belongs, if that is the host's memory. */
gboolean aimf_store_upload(AimfStore *store, const char *what, void *memory, gsize bytes, const AimfTensors *tensors,
                           guint entry, GError **error)
{
    const void *lying = aimf_store_lying(tensors, entry);
    if (lying == memory)
        return TRUE;
    if (lying)
        return aimf_stream_upload(store->stream, what, memory, lying, bytes, error);
    if (store->device->class->on_host)
        return aimf_tensors_read(tensors, entry, AIMF_F32, memory, error);
    g_autofree void *converted = g_try_malloc(bytes);
    if (!converted) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory to read the tensor '%s'",
                    aimf_tensors_at(tensors, entry)->name);
        return FALSE;
    }
    return aimf_tensors_read(tensors, entry, AIMF_F32, converted, error) &&
           aimf_stream_upload(store->stream, what, memory, converted, bytes, error);
}

gboolean aimf_store_fill(AimfStore *store, int index, const AimfTensors *tensors, GError **error)
{
    const AimfStored *stored = aimf_stored(store, index);
    int entry = aimf_store_entry(tensors, stored->name, &stored->shape, error);
    if (entry < 0)
        return FALSE;
    aimf_store_touch(store, index);
    return aimf_store_upload(store, stored->name, stored->address, stored->bytes, tensors, (guint)entry, error);
}

/* Said before the first of the plans is used, for all of them together: later is in the middle of the work. */
static gboolean check_room(const AimfStore *store, GError **error)
{
    AimfDevice *device = store->device;
    return store->version > 0 || !device->class->check_room ||
           device->class->check_room(device, store->bytes + store->planned_bytes, error);
}

gboolean aimf_store_load(AimfStore *store, const AimfTensors *tensors, GError **error)
{
    if (!check_room(store, error))
        return FALSE;
    for (guint i = 0; i < store->stored->len; i++)
        if (!aimf_store_fill(store, (int)i, tensors, error))
            return FALSE;
    return aimf_stream_wait(store->stream, error) && aimf_tensors_unchanged(tensors, error);
}

gboolean aimf_store_fetch(AimfStore *store, const void *memory, const char *name, const AimfShape *shape,
                          AimfTensors *tensors, GError **error)
{
    int entry = aimf_store_entry(tensors, name, shape, error);
    if (entry < 0)
        return FALSE;
    void *to = aimf_tensors_writable(tensors, (guint)entry);
    if (!to || aimf_tensors_at(tensors, (guint)entry)->dtype != AIMF_F32) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the tensor '%s' is not f32 in memory", name);
        return FALSE;
    }
    if (to == memory)
        return aimf_stream_wait(store->stream, error);
    return aimf_stream_read(store->stream, aimf_intern(name), to, memory,
                            (gsize)aimf_shape_count(shape) * sizeof(float), error);
}

gboolean aimf_store_save(AimfStore *store, AimfTensors *tensors, GError **error)
{
    for (guint i = 0; i < store->stored->len; i++) {
        const AimfStored *stored = aimf_stored(store, (int)i);
        if (!aimf_store_fetch(store, stored->address, stored->name, &stored->shape, tensors, error))
            return FALSE;
    }
    return aimf_stream_wait(store->stream, error);
}

AimfTensors *aimf_store_tensors(AimfStore *store, const AimfTensors *like, GError **error)
{
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    for (guint i = 0; i < aimf_tensors_count(like); i++) {
        const AimfTensor *tensor = aimf_tensors_at(like, i);
        gpointer found;
        gboolean there = g_hash_table_lookup_extended(store->indices, tensor->name, NULL, &found);
        const AimfStored *stored = there ? aimf_stored(store, GPOINTER_TO_INT(found)) : NULL;
        if (stored && store->device->class->on_host) {
            if (!aimf_tensors_add_borrowed(tensors, tensor->name, AIMF_F32, &stored->shape, stored->address, error))
                return NULL;
            continue;
        }
        int index =
            aimf_tensors_add(tensors, tensor->name, stored ? AIMF_F32 : tensor->dtype, &tensor->shape, NULL, error);
        if (index < 0 || (!stored && !aimf_tensors_read(like, i, tensor->dtype,
                                                        aimf_tensors_writable(tensors, (guint)index), error)))
            return NULL;
    }
    return aimf_store_save(store, tensors, error) ? g_steal_pointer(&tensors) : NULL;
}
