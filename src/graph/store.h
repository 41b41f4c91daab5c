/* A store's inside: tensors by name in a device's memory, and the stream on which they are worked with. */
#pragma once

#include "graph/device.h"
#include "graph/graph.h"

#include <aimfair/graph.h>

enum { MEMORY_ALIGNMENT = 64 }; /* bytes, of every tensor on a device */

/**
 * AimfStored: @name: interned; @slab: in which it lies; @version: that of the store when this tensor was last changed,
 * 0 if it was never filled
 */
typedef struct {
    const char *name;
    AimfShape shape;
    gsize bytes;
    guint slab;
    void *address;
    guint64 version;
} AimfStored;

struct AimfStore {
    gatomicrefcount references;
    AimfDevice *device;
    AimfStream *stream;
    GArray *stored;      /* AimfStored */
    GHashTable *indices; /* of stored, by interned name */
    GArray *slabs;       /* memory, each for what was reserved at one go */
    gsize bytes;
    gsize planned_bytes; /* what the plans that share it take beside it */
    guint64 version;
};

static inline AimfStored *aimf_stored(const AimfStore *store, int index)
{
    return &g_array_index(store->stored, AimfStored, index);
}

/**
 * aimf_store_reserve: room for the f32 tensors @infos (n) that are not there yet, one after another, each on a
 * boundary of MEMORY_ALIGNMENT; @indices: (n) receives which of the stored ones they are.
 * Returns: FALSE with MEMORY, or INVALID where a tensor of that name has another shape.
 */
gboolean aimf_store_reserve(AimfStore *store, const AimfValueInfo *const *infos, guint n, int *indices, GError **error);

/** aimf_store_take_back: the room of all but the first @n stored tensors, for which nobody has any use. */
void aimf_store_take_back(AimfStore *store, guint n);

/** aimf_store_entry: which tensor of @tensors is for @name, of @shape; -1 with NOT_FOUND or INVALID. */
int aimf_store_entry(const AimfTensors *tensors, const char *name, const AimfShape *shape, GError **error);
/** aimf_store_lying: (nullable, borrowed) entry @entry where it lies, if that is in f32 in the host's memory. */
const void *aimf_store_lying(const AimfTensors *tensors, guint entry);
/** aimf_store_upload: entry @entry of @tensors as f32 to @memory on the device; @what: (interned) for errors. */
gboolean aimf_store_upload(AimfStore *store, const char *what, void *memory, gsize bytes, const AimfTensors *tensors,
                           guint entry, GError **error);
/** aimf_store_fill: the stored tensor @index from @tensors, which is then a new version of it. */
gboolean aimf_store_fill(AimfStore *store, int index, const AimfTensors *tensors, GError **error);
/** aimf_store_fetch: @bytes of the device's @memory into the tensor @name of @tensors, waiting for them. */
gboolean aimf_store_fetch(AimfStore *store, const void *memory, const char *name, const AimfShape *shape,
                          AimfTensors *tensors, GError **error);
/** aimf_store_touch: what is stored at @index has changed. */
void aimf_store_touch(AimfStore *store, int index);
