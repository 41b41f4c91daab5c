/* Hashes of pictures, so that a result says which bytes it rests on. */
#pragma once

#include <aimfair/data.h>

/**
 * AimfPictureHashes: SHA-256 of files by their paths, remembered with size, time and inode in a file, so that what has
 * not changed is not read again.
 */
typedef struct AimfPictureHashes AimfPictureHashes;

/** aimf_picture_hashes_open: (owned) @path: (nullable) the file; one that is missing or damaged remembers nothing. */
AimfPictureHashes *aimf_picture_hashes_open(const char *path);
/** aimf_picture_hashes_save: as that file, if anything was added. FALSE with IO. */
gboolean aimf_picture_hashes_save(AimfPictureHashes *hashes, GError **error);
void aimf_picture_hashes_free(AimfPictureHashes *hashes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfPictureHashes, aimf_picture_hashes_free)

/**
 * aimf_pictures_hash: (owned) SHA-256 of the pictures of @manifest: of a line "<SHA-256>\n" for each row, in order;
 * of a picture that is missing or no regular file, or may not be read, "unreadable\n". NULL with INTERRUPTED, IO or
 * MEMORY.
 */
char *aimf_pictures_hash(AimfPictureHashes *hashes, const AimfManifest *manifest, const AimfMonitor *monitor,
                         GError **error);
