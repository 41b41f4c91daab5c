/* What the readers of weight files share: how a set is built entry by entry, and where its bytes come from. */
#pragma once

#include <aimfair/weights.h>

enum {
    AIMF_MAX_NAME_BYTES = 4096, /* of a tensor; the longest real ones have about a hundred */
};

/**
 * AimfTensorSource: bytes that are neither mapped nor in memory.
 * @read: @bytes bytes of entry @index, in row-major order, from @begin on into @to; called under no lock, so it must
 *   be safe from several threads
 * @names_tensors: @read's errors do: the file's name for it is said, once
 * @release_pages, @unchanged: (nullable) see aimf_tensors_release_pages and _unchanged, for what lies behind the
 * source
 */
typedef struct {
    gboolean (*read)(gpointer source, guint index, gsize begin, gsize bytes, void *to, GError **error);
    gboolean names_tensors;
    void (*free)(gpointer source);
    void (*release_pages)(gpointer source);
    gboolean (*unchanged)(gpointer source, GError **error);
} AimfTensorSource;

/**
 * aimf_tensors_new_from_file: (owned) an empty set whose entries aimf_tensors_append adds.
 * @map: (nullable) kept alive with the set; @type, @source: (nullable, taken) for entries without data
 */
AimfTensors *aimf_tensors_new_from_file(GBytes *map, const AimfTensorSource *type, gpointer source);

/** aimf_tensors_source: (borrowed) the source of a set that was made with @type. */
gpointer aimf_tensors_source(const AimfTensors *tensors, const AimfTensorSource *type);
/** aimf_tensors_ref: @tensors, which aimf_tensors_free must let go of once more. */
AimfTensors *aimf_tensors_ref(AimfTensors *tensors);

/**
 * aimf_tensors_append: one more entry of a set from a file; @data: (nullable) where in the map its bytes lie.
 * Returns: FALSE with FORMAT: a name that is empty, too long, not UTF-8, reserved or there already; a shape whose
 * size overflows.
 */
gboolean aimf_tensors_append(AimfTensors *tensors, const char *name, AimfDtype dtype, const AimfShape *shape,
                             const void *data, GError **error);

/**
 * aimf_tensors_add_borrowed: one more entry of a set in memory, whose bytes are @data: written to as the set's own, and
 * there as long as the set. Returns: FALSE with INVALID: see aimf_tensors_add.
 */
gboolean aimf_tensors_add_borrowed(AimfTensors *tensors, const char *name, AimfDtype dtype, const AimfShape *shape,
                                   void *data, GError **error);

/** aimf_tensors_note_unreadable: the file also has a tensor @name of a @kind (static) that is not read. */
void aimf_tensors_note_unreadable(AimfTensors *tensors, const char *name, const char *kind);
/** aimf_tensors_unreadable_at: (borrowed) the name of the @index-th of them and its @kind; NULL behind the last. */
const char *aimf_tensors_unreadable_at(const AimfTensors *tensors, guint index, const char **kind);

/**
 * aimf_tensors_bytes: (borrowed) the entry's own bytes, aligned or not; if they must be read, into *@buffer, which it
 * allocates.
 * Returns: NULL with IO, FORMAT or MEMORY; never NULL for an empty tensor.
 */
const void *aimf_tensors_bytes(const AimfTensors *tensors, guint index, void **buffer, GError **error);

/**
 * aimf_tensors_read_bytes: copies @bytes of the entry's own bytes from @begin on, which must lie within it; no more
 * is read than that.
 */
gboolean aimf_tensors_read_bytes(const AimfTensors *tensors, guint index, gsize begin, gsize bytes, void *to,
                                 GError **error);

/**
 * aimf_tensors_unchanged: FALSE with IO if a file that the set shows was written to since it was opened. For who has
 * just read from it: all that was read before belongs together.
 */
gboolean aimf_tensors_unchanged(const AimfTensors *tensors, GError **error);

/** aimf_tensors_set_maps_file: the map is a file's pages, not memory. */
void aimf_tensors_set_maps_file(AimfTensors *tensors);

/**
 * aimf_tensors_set_wrapper: (static, nullable) the key that all names had before them in the file, so that it may
 * still be asked for.
 */
void aimf_tensors_set_wrapper(AimfTensors *tensors, const char *wrapper);
const char *aimf_tensors_wrapper(const AimfTensors *tensors);

/**
 * aimf_tensors_beginnings: (owned) what the names begin with, up to their first dot, for messages: "'a', 'b' and 3
 * more".
 */
char *aimf_tensors_beginnings(const AimfTensors *tensors);

/** aimf_tensors_copy_metadata: all texts of @from to @to, over those of the same keys. */
void aimf_tensors_copy_metadata(const AimfTensors *from, AimfTensors *to);
/** aimf_tensors_has_metadata: whether there is any text at all. */
gboolean aimf_tensors_has_metadata(const AimfTensors *tensors);
