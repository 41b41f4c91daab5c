/* Which pictures of several manifests are the same, under whatever names. */
#pragma once

#include <aimfair/data.h>

/**
 * AimfPictures: numbers for the rows of (n) manifests, in their order.
 * @file: [manifest][row] the same for one file under any name: relative, through symbolic links, as a hard link
 * @content: [manifest][row] the same for files with the same bytes, too
 */
typedef struct {
    guint n;
    guint *n_rows;   /* (n) */
    guint **file;    /* (n) */
    guint **content; /* (n) */
    guint n_files;   /* numbers are below */
} AimfPictures;

/**
 * AimfCompareFiles: which files are read: none, those that another manifest may have a copy of, or also those of the
 * same manifest.
 */
typedef enum { AIMF_COMPARE_FILES, AIMF_COMPARE_ACROSS, AIMF_COMPARE_ALL } AimfCompareFiles;

/**
 * aimf_pictures_compare:
 * A file is known by its device and inode, one that cannot be looked at by its name. Only files whose size coincides
 * with another's are read, in parallel. Returns: (owned) or NULL with INTERRUPTED.
 */
AimfPictures *aimf_pictures_compare(const AimfManifest *const *manifests, guint n, AimfCompareFiles comparison,
                                    const AimfMonitor *monitor, GError **error);
void aimf_pictures_free(AimfPictures *pictures);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfPictures, aimf_pictures_free)

/**
 * AimfOverlap: of two of the manifests, a and b.
 * @n_files: rows of b whose file is also in a; @n_copies: further ones of which a has a copy; @row_a, @row_b: of the
 *   first of them all
 * @whole: every picture of either is in the other
 */
typedef struct {
    guint n_files;
    guint n_copies;
    guint row_a;
    guint row_b;
    gboolean whole;
} AimfOverlap;

AimfOverlap aimf_pictures_overlap(const AimfPictures *pictures, guint a, guint b);
