/* ZIP archives as PyTorch uses them: members below one folder, whose name does not matter. */
#pragma once

#include "base/file.h"

/** AimfArchive: open for reading; its functions may be called from several threads. */
typedef struct AimfArchive AimfArchive;

/** aimf_archive_open: (owned) the archive in @map; its folder is the one that holds @marker. NULL with FORMAT. */
AimfArchive *aimf_archive_open(GBytes *map, const char *marker, GError **error);
void aimf_archive_free(AimfArchive *archive);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfArchive, aimf_archive_free)

/** aimf_archive_find: the number of member @name in the folder, -1 if there is none. */
gint64 aimf_archive_find(AimfArchive *archive, const char *name);
/** aimf_archive_size: what the archive claims to be the member's size, unpacked. */
gboolean aimf_archive_size(AimfArchive *archive, guint64 member, guint64 *bytes, GError **error);
/** aimf_archive_is_packed: whether reading from the middle of the member means unpacking all before it. */
gboolean aimf_archive_is_packed(AimfArchive *archive, guint64 member);
/**
 * aimf_archive_read: @bytes of the member from @begin on; nothing more is unpacked. Read whole, its checksum is
 * verified.
 */
gboolean aimf_archive_read(AimfArchive *archive, guint64 member, gsize begin, void *to, gsize bytes, GError **error);
/** aimf_archive_member: (owned) a whole member, refused above @limit bytes. */
GBytes *aimf_archive_member(AimfArchive *archive, guint64 member, gsize limit, GError **error);

/**
 * AimfArchiveWriter: writes members uncompressed and aligned to 64 bytes, as PyTorch maps them, without time stamps;
 * @writer is borrowed. ZIP64 records are written where sizes need them.
 */
typedef struct AimfArchiveWriter AimfArchiveWriter;

AimfArchiveWriter *aimf_archive_writer_new(AimfWriter *writer, const char *folder);
void aimf_archive_writer_add(AimfArchiveWriter *archive, const char *name, const void *data, gsize bytes);
/** aimf_archive_writer_finish: writes the directory and frees the archive. */
void aimf_archive_writer_finish(AimfArchiveWriter *archive);
