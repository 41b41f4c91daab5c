#include "image/pixels.h"

#include <aimfair/expansion.h>

/* Pillow's own limit: Image.open raises DecompressionBombError above 2 * Image.MAX_IMAGE_PIXELS. */
#define MAX_PIXELS G_GUINT64_CONSTANT(178956970)

/*
 * So many pixels may cost next to nothing in a file; beyond, a file has a byte for each 10000 of all, which an empty
 * PNG of one bit a pixel has (deflate packs 1032 bytes into one). A WebP of 30 bytes could ask for all of MAX_PIXELS,
 * three times over in memory.
 */
enum { FREE_PIXELS = 1 << 25, PIXELS_PER_BYTE = 10000 };

static AimfImage *allocate(int width, int height)
{
    guint8 *data = g_try_malloc((gsize)width * (gsize)height * 3);
    if (!data)
        return NULL;
    AimfImage *image = g_new(AimfImage, 1);
    *image = (AimfImage){ width, height, data };
    return image;
}

AimfImage *aimf_image_new(int width, int height, GError **error)
{
    if (width < 1 || height < 1 || (guint64)width * (guint64)height > MAX_PIXELS) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "an image cannot have %d x %d pixels: sides begin at 1, and %" G_GUINT64_FORMAT
                    " pixels are the most",
                    width, height, MAX_PIXELS);
        return NULL;
    }
    AimfImage *image = allocate(width, height);
    if (!image)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for an image of %d x %d pixels", width, height);
    return image;
}

AimfImage *aimf_image_allocate(guint64 width, guint64 height, const AimfEncoded *picture, GError **error)
{
    if (width < 1 || height < 1 || width > MAX_PIXELS || height > MAX_PIXELS || width * height > MAX_PIXELS) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "'%s' declares %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT
                    " pixels; pictures of 1 to %" G_GUINT64_FORMAT " pixels are accepted",
                    picture->name, width, height, MAX_PIXELS);
        return NULL;
    }
    if (width * height > FREE_PIXELS && width * height / PIXELS_PER_BYTE / aimf_max_expansion() > picture->bytes) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "'%s' declares %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT " pixels in %" G_GSIZE_FORMAT
                    " bytes; of more than %d pixels, a byte for every %d is expected (--max-expansion takes more of a "
                    "picture that you trust)",
                    picture->name, width, height, picture->bytes, FREE_PIXELS, PIXELS_PER_BYTE);
        return NULL;
    }
    if (picture->budget) {
        *picture->taken = (gsize)(width * height * 3);
        aimf_decode_budget_take(picture->budget, *picture->taken);
    }
    AimfImage *image = allocate((int)width, (int)height);
    if (!image)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY,
                    "no memory for the %" G_GUINT64_FORMAT " x %" G_GUINT64_FORMAT " pixels of '%s'", width, height,
                    picture->name);
    return image;
}

void aimf_image_free(AimfImage *image)
{
    if (!image)
        return;
    g_free(image->data);
    g_free(image);
}
