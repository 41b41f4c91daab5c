/*
 * Named tensors on disk and in memory: safetensors in and out, PyTorch checkpoints in and out.
 *
 * Example:
 *     gboolean list(const char *path, GError **error)
 *     {
 *         g_autoptr(AimfTensors) tensors = aimf_tensors_open(path, error);
 *         for (guint i = 0; tensors && i < aimf_tensors_count(tensors); i++) {
 *             const AimfTensor *tensor = aimf_tensors_at(tensors, i);
 *             g_autofree char *shape = aimf_shape_text(&tensor->shape);
 *             g_print("%s %s %s\n", tensor->name, aimf_dtype_name(tensor->dtype), shape);
 *         }
 *         return tensors != NULL;
 *     }
 */
#pragma once

#include <aimfair/error.h>
#include <aimfair/monitor.h>
#include <aimfair/tensor.h>

G_BEGIN_DECLS

/**
 * AimfTensors:
 * An ordered set of named tensors with text metadata. Opened from a file its data stay there (safetensors are mapped,
 * ZIP members are read one tensor at a time); made by aimf_tensors_new its data are in memory. Little-endian,
 * row-major.
 */
typedef struct AimfTensors AimfTensors;

/** AimfTensor: one entry; all borrowed from the set. */
typedef struct {
    const char *name;
    AimfDtype dtype;
    AimfShape shape;
    gsize bytes;
} AimfTensor;

/**
 * aimf_tensors_open:
 * @path: a safetensors file or a PyTorch checkpoint: a ZIP archive (PyTorch >= 1.6), a stream of pickles (>= 0.1.10)
 *   or a tar file (before that, torchvision's first models among them); told apart by content A checkpoint's nested
 *   dicts become one level with names joined by '.'; numbers and texts in it become metadata. When all tensors lie
 *   below one top-level key such as "state_dict" or "model" (docs/convert.md lists them), their names lose it.
 * Returns: (owned) or NULL with NOT_FOUND, IO, FORMAT (truncated, sizes or offsets that lie, a pickle that names
 * anything but tensors, dicts and numbers, a file of another kind; the message names it), UNSUPPORTED (a tensor's
 * kind: sparse, quantised …; named too) or MEMORY.
 */
AimfTensors *aimf_tensors_open(const char *path, GError **error);
/**
 * aimf_tensors_open_partly: the same, but tensors of kinds that are not read are left out, and no error unless
 * aimf_tensors_check_kinds or aimf_tensors_select is asked for what is below a @prefix of theirs.
 */
AimfTensors *aimf_tensors_open_partly(const char *path, GError **error);
/**
 * aimf_tensors_check_kinds: FALSE with UNSUPPORTED that names the first tensor that was left out, and its kind, of
 * those whose names begin with @prefix.
 */
gboolean aimf_tensors_check_kinds(const AimfTensors *tensors, const char *prefix, GError **error);
/** aimf_tensors_new: (owned) an empty set in memory. */
AimfTensors *aimf_tensors_new(void);
/** aimf_tensors_free: lets go of one reference; the set goes with the last one, and not before views of it do. */
void aimf_tensors_free(AimfTensors *tensors);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfTensors, aimf_tensors_free)

guint aimf_tensors_count(const AimfTensors *tensors);
/** aimf_tensors_at: (borrowed) entry @index in the file's order, valid as long as the set is not changed. */
const AimfTensor *aimf_tensors_at(const AimfTensors *tensors, guint index);
/** aimf_tensors_find: index of @name, or -1. */
int aimf_tensors_find(const AimfTensors *tensors, const char *name);

/**
 * aimf_tensors_read:
 * Copies entry @index into @to (room for all its elements as @dtype), converting between floating types as needed.
 * Returns: FALSE with IO or FORMAT, or UNSUPPORTED for a conversion between integers and floating types.
 */
gboolean aimf_tensors_read(const AimfTensors *tensors, guint index, AimfDtype dtype, void *to, GError **error);
/** aimf_tensors_data: (borrowed, nullable) the bytes where they are mapped or in memory; NULL if they must be read. */
const void *aimf_tensors_data(const AimfTensors *tensors, guint index);
/** aimf_tensors_writable: (borrowed) the bytes of an entry of a set in memory; NULL for a set opened from a file. */
void *aimf_tensors_writable(AimfTensors *tensors, guint index);

/**
 * aimf_tensors_add:
 * Appends a tensor to a set in memory and copies its data (zeros if @data is NULL).
 * Returns: its index, or -1 with INVALID (a duplicate or empty name, a bad shape) or MEMORY.
 */
int aimf_tensors_add(AimfTensors *tensors, const char *name, AimfDtype dtype, const AimfShape *shape, const void *data,
                     GError **error);
/**
 * aimf_tensors_load: (owned) the whole set copied into memory; floating types become @dtype unless it is
 * AIMF_N_DTYPES.
 */
AimfTensors *aimf_tensors_load(const AimfTensors *tensors, AimfDtype dtype, GError **error);

/**
 * aimf_tensors_below: (owned) the prefix that the names of @tensors have for what lies below the key @key of the
 * file: @key and a dot. Shorter by a wrapper that opening has taken away ("" for "state_dict" where that was one). A
 * dot behind @key changes nothing.
 */
char *aimf_tensors_below(const AimfTensors *tensors, const char *key);
/**
 * aimf_tensors_select: (owned) those entries whose name begins with @prefix, without it, copied into memory as by
 * aimf_tensors_load. All metadata come along. NULL also with NOT_FOUND: no name begins so, and how they do begin;
 * INVALID: a name would become empty or be there twice; UNSUPPORTED: see aimf_tensors_check_kinds.
 */
AimfTensors *aimf_tensors_select(const AimfTensors *tensors, const char *prefix, AimfDtype dtype, GError **error);

/* --- Views: tensors of other sets under other names, nothing copied --- */

/** aimf_tensors_new_view: (owned) an empty set for aimf_tensors_add_view. */
AimfTensors *aimf_tensors_new_view(void);
/**
 * aimf_tensors_add_view:
 * Appends entry @index of @from as @name: as many elements as @shape has, in row-major order from element @first on.
 * @from is kept alive and must not change any more.
 * Returns: FALSE with FORMAT (a duplicate or empty name) or INVALID (elements that @from's entry does not have).
 */
gboolean aimf_tensors_add_view(AimfTensors *view, const char *name, AimfTensors *from, guint index, gint64 first,
                               const AimfShape *shape, GError **error);
/**
 * aimf_tensors_rename:
 * @rules: a text file with one rule a line, "PATTERN -> REPLACEMENT", spaces around both not counted: a regular
 *   expression of PCRE and what stands in the place of each of its matches, in which \0 to \9 are the match's groups;
 *   empty lines and lines that begin with # are passed over
 * All of @tensors under the names that the rules make of theirs, each rule from what those before it have made, in the
 * same order, with all metadata. A rule that matches no name is a warning to @monitor.
 * Returns: (owned) a view of @tensors, which must not change any more. NULL with NOT_FOUND, IO or FORMAT (a line that
 * is no rule, named) of the file, or INVALID: two tensors of one name, named both; an empty name or one that is too
 * long; a pattern that tries too many ways to match.
 */
AimfTensors *aimf_tensors_rename(AimfTensors *tensors, const char *rules, const AimfMonitor *monitor, GError **error);
/**
 * aimf_tensors_release_pages: mapped files' pages that reading made resident go; they come back when they are read
 * again. For who has copied what is needed from a large file. Does nothing to sets in memory.
 */
void aimf_tensors_release_pages(const AimfTensors *tensors);

/**
 * aimf_mapped_file_at:
 * (borrowed, nullable) the name of the weight file that is mapped at @address; valid while a set that came from it
 * lives. For a handler of SIGBUS, which is sent where a file has become shorter than its map: it takes no lock and
 * allocates nothing.
 */
const char *aimf_mapped_file_at(const void *address);

/** aimf_tensors_metadata: (borrowed, nullable) the text stored under @key. */
const char *aimf_tensors_metadata(const AimfTensors *tensors, const char *key);
/** aimf_tensors_set_metadata: @value NULL takes the key away. */
void aimf_tensors_set_metadata(AimfTensors *tensors, const char *key, const char *value);
/** aimf_tensors_metadata_keys: (owned) NULL-terminated, sorted. */
char **aimf_tensors_metadata_keys(const AimfTensors *tensors);

/**
 * aimf_is_checkpoint_name: whether @path ends in .pth, .pt or .ckpt, in whatever case: names of PyTorch checkpoints.
 */
gboolean aimf_is_checkpoint_name(const char *path);

/**
 * aimf_tensors_save:
 * Writes the set atomically: as a PyTorch checkpoint in ZIP form if @path is a checkpoint's name, as safetensors
 * otherwise. The same set always gives the same bytes. Returns: FALSE with IO; the old file is then intact.
 */
gboolean aimf_tensors_save(const AimfTensors *tensors, const char *path, GError **error);

G_END_DECLS
