/* Portraits on disk, and the manifests over them. */
#pragma once

#include "portraits/portrait.h"

#include <aimfair/data.h>

/**
 * The labels of the protected attribute, by whether the person is bearded. They sort so that a manifest's group 0 is
 * bearded.
 */
extern const char *const AIMF_PORTRAIT_HAIR[2];

/**
 * AimfPortraitSet: pictures of one look in a folder of their own, <folder>/<target>_<protected label>/00000.jpg.
 * @first: number of the first picture, so that sets of one look never share one
 * @count: by [smiling][bearded]
 */
typedef struct {
    const char *folder;
    AimfLook look;
    guint first;
    guint count[2][2];
} AimfPortraitSet;

guint aimf_portrait_set_size(const AimfPortraitSet *set);
/** aimf_portrait_set_path: (owned) of one picture of the set. */
char *aimf_portrait_set_path(const char *directory, const AimfPortraitSet *set, int smiling, int bearded, guint number);
/** aimf_portrait_set_draw: paints and writes all pictures of @set below @directory. */
gboolean aimf_portrait_set_draw(const AimfPortraitSet *set, const char *directory, guint64 seed,
                                const AimfMonitor *monitor, GError **error);
/**
 * aimf_portrait_set_manifest: the first @count pictures of every group of @set, as <directory>/<name>.csv.
 * Returns: (owned) that manifest, or NULL with IO.
 */
AimfManifest *aimf_portrait_set_manifest(const AimfPortraitSet *set, const char *directory, const char *name,
                                         const guint count[2][2], GError **error);
