/* Files: whole reads and maps that check what they open, and writes that leave the old file or the new one. */
#pragma once

#include <aimfair/error.h>

/**
 * aimf_io_error: sets AIMF_ERROR_NOT_FOUND (missing, a directory or a ring of links in the way) or AIMF_ERROR_IO from
 * @number (errno).
 */
void aimf_io_error(GError **error, int number, const char *doing, const char *path);

/** aimf_is_fault: @error is one of the machine, IO or MEMORY, which says nothing about what was to be read. */
gboolean aimf_is_fault(const GError *error);

/** AimfPathKind: what a path leads to, through links. */
typedef enum {
    AIMF_PATH_UNKNOWN, /* it cannot be examined */
    AIMF_PATH_MISSING,
    AIMF_PATH_FILE,
    AIMF_PATH_FOLDER,
    AIMF_PATH_OTHER, /* a device, a pipe */
} AimfPathKind;

/**
 * aimf_path_kind: UNKNOWN with an error where neither a file nor that there is none can be seen: what a broken disk
 * hides must not be taken for missing.
 */
AimfPathKind aimf_path_kind(const char *path, GError **error);
/** aimf_path_forbidden: @path may not be read by whoever runs this. */
gboolean aimf_path_forbidden(const char *path);
/** aimf_path_there: *@there: whether anything is at @path; FALSE with an error if that cannot be seen. */
gboolean aimf_path_there(const char *path, gboolean *there, GError **error);

/**
 * aimf_path_below: (borrowed, nullable) what @path has behind the folder @folder, if it lies below; both are absolute,
 * as g_canonicalize_filename makes them. Below "/" nothing counts.
 */
const char *aimf_path_below(const char *path, const char *folder);

/** AimfStamp: by which a file is known that was written to or replaced. */
typedef struct {
    guint64 device, inode;
    gint64 bytes, modified_ns;
} AimfStamp;

/** aimf_file_stamp: of what @path leads to; FALSE with NOT_FOUND or IO. */
gboolean aimf_file_stamp(const char *path, AimfStamp *stamp, GError **error);
gboolean aimf_stamp_equal(const AimfStamp *a, const AimfStamp *b);

/**
 * aimf_file_open: a descriptor of the regular file at @path for reading, and its @stamp; -1 as aimf_file_map. What may
 * not be read is NOT_FOUND.
 */
int aimf_file_open(const char *path, AimfStamp *stamp, GError **error);

/**
 * aimf_file_map:
 * A regular file's bytes, mapped read-only. An empty file gives an empty map.
 * Returns: (owned) or NULL: missing, a directory or device, unreadable.
 */
GBytes *aimf_file_map(const char *path, GError **error);
/**
 * aimf_file_map_unchanged: FALSE with IO if the mapped file was written to since it was mapped, by its size and time.
 * One that took its name is another file, and leaves the map as it was.
 */
gboolean aimf_file_map_unchanged(GBytes *map, GError **error);
/**
 * aimf_file_mapped_at: (nullable, borrowed) the name of the mapped file whose bytes are at @address. For signal
 * handlers: it takes no lock and allocates nothing; valid while the map is.
 */
const char *aimf_file_mapped_at(const void *address);
/** aimf_file_map_release: pages of @map, which aimf_file_map made, leave this process until they are read again. */
void aimf_file_map_release(GBytes *map);

/**
 * aimf_file_read: like aimf_file_map, but read into memory and refused above @limit_bytes. The bytes end with a 0 not
 * counted.
 */
GBytes *aimf_file_read(const char *path, gsize limit_bytes, GError **error);

/** AIMF_PART_ENDING: of the temporary name of a file that is being written; the X are any letters and digits. */
#define AIMF_PART_ENDING ".XXXXXX.aimfair-part"
/** aimf_part_of: (owned) the name of the file that was being written as @name; NULL if this is no temporary name. */
char *aimf_part_of(const char *name);

/**
 * AimfWriter:
 * Writes a file under a temporary name beside it; aimf_writer_commit flushes, syncs and renames. Freed without commit,
 * the temporary file is removed and the old file stays. A link stays, and leads to the new file; what is there and no
 * regular file is refused. Errors stick: after a failed write, later ones do nothing and commit reports it.
 */
typedef struct AimfWriter AimfWriter;

/**
 * aimf_writer_open: also removes temporary files of @path that are left of processes that were killed; those of a
 * writer that is at work are locked (flock) and stay. Returns: (owned) or NULL with NOT_FOUND, IO or INVALID.
 */
AimfWriter *aimf_writer_open(const char *path, GError **error);
void aimf_writer_write(AimfWriter *writer, const void *data, gsize bytes);
void aimf_writer_printf(AimfWriter *writer, const char *format, ...) G_GNUC_PRINTF(2, 3);
/**
 * aimf_writer_finish: all that can take long or fail for want of room, of several files before the first is
 * committed.
 */
gboolean aimf_writer_finish(AimfWriter *writer, GError **error);
gboolean aimf_writer_commit(AimfWriter *writer, GError **error);
void aimf_writer_free(AimfWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfWriter, aimf_writer_free)

/**
 * aimf_file_write: the whole of @data as the file @path, atomically. For many files in one folder: what is left over
 * there is not looked for.
 */
gboolean aimf_file_write(const char *path, const void *data, gsize bytes, GError **error);

/** aimf_directory_make: the directory and its parents, if missing. */
gboolean aimf_directory_make(const char *path, GError **error);

/**
 * aimf_directory_list: (owned) names of a directory's entries, sorted by bytes, without dot files; NULL with an
 * error.
 */
GPtrArray *aimf_directory_list(const char *path, GError **error);
