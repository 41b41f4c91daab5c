/* The formats behind aimf_image_decode and aimf_image_save, one file each. */
#pragma once

#include "image/decode_budget.h"

/**
 * AimfEncoded: an encoded picture and what to call it in errors; all borrowed.
 * @budget: (nullable) what its pixels are taken from; *@taken: how many bytes of it were
 */
typedef struct {
    const guint8 *data;
    gsize bytes;
    const char *name;
    AimfDecodeBudget *budget;
    gsize *taken;
} AimfEncoded;

/**
 * aimf_image_allocate:
 * An image of the size that @picture declares. NULL with FORMAT when the size is absurd, MEMORY when there is none.
 */
AimfImage *aimf_image_allocate(guint64 width, guint64 height, const AimfEncoded *picture, GError **error);

AimfImage *aimf_jpeg_decode(const AimfEncoded *picture, GError **error);
AimfImage *aimf_png_decode(const AimfEncoded *picture, GError **error);
AimfImage *aimf_webp_decode(const AimfEncoded *picture, GError **error);

/** aimf_jpeg_encode: (owned) the file's bytes; INVALID for sides beyond the format's. */
GBytes *aimf_jpeg_encode(const AimfImage *image, GError **error);
