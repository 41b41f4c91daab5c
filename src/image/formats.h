/* The formats behind aimf_image_decode and aimf_image_save, one file each. */
#pragma once

#include <aimfair/image.h>

/** AimfPicture: an encoded picture and what to call it in errors; all borrowed. */
typedef struct {
    const guint8 *data;
    gsize bytes;
    const char *name;
} AimfPicture;

/**
 * aimf_image_allocate:
 * An image of the size that a file declares. NULL with FORMAT when the size is absurd, MEMORY when there is none.
 */
AimfImage *aimf_image_allocate(guint64 width, guint64 height, const char *name, GError **error);

AimfImage *aimf_jpeg_decode(const AimfPicture *picture, GError **error);
AimfImage *aimf_png_decode(const AimfPicture *picture, GError **error);
AimfImage *aimf_webp_decode(const AimfPicture *picture, GError **error);

/** aimf_jpeg_encode, aimf_png_encode: (owned) the file's bytes; @name is for errors. */
GBytes *aimf_jpeg_encode(const AimfImage *image, const char *name, GError **error);
GBytes *aimf_png_encode(const AimfImage *image, const char *name, GError **error);
