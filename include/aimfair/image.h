/* Pixels: decoding, encoding, resizing as Pillow does, and the training augmentation as torchvision does. No tensors here. */
#pragma once

#include <aimfair/error.h>

G_BEGIN_DECLS

/** AimfImage: 8-bit RGB, rows without padding: pixel (x, y) is at data + (y * width + x) * 3. */
typedef struct {
    int width;
    int height;
    guint8 *data; /* (height, width, 3), owned */
} AimfImage;

/** aimf_image_new: (owned) of uninitialised pixels; NULL with INVALID or MEMORY. */
AimfImage *aimf_image_new(int width, int height, GError **error);
void aimf_image_free(AimfImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfImage, aimf_image_free)

/**
 * aimf_image_decode:
 * @name: what to call the picture in errors
 * JPEG, PNG or WebP, told apart by content, turned into RGB as Pillow's Image.convert("RGB") does: alpha is dropped, 16-bit grey
 * is clipped at 255, CMYK is taken as inverted, an animation gives its first frame, and EXIF orientation is ignored. Like Pillow,
 * errors that libjpeg only warns about are tolerated and pictures of more than 178 956 970 pixels are refused; unlike it, so are
 * PNG files whose pixel data have a wrong checksum or too few rows, or that lack their palette.
 * Returns: (owned) or NULL with FORMAT (broken, truncated, not a picture, absurd size) or MEMORY.
 */
AimfImage *aimf_image_decode(const void *data, gsize bytes, const char *name, GError **error);
/** aimf_image_open: decodes the file @path. Returns: as aimf_image_decode, or NULL with NOT_FOUND or IO. */
AimfImage *aimf_image_open(const char *path, GError **error);
/** aimf_image_save: PNG (.png) or JPEG quality 95 (.jpg, .jpeg), atomically. */
gboolean aimf_image_save(const AimfImage *image, const char *path, GError **error);

/** AimfImageText: what a PNG says about itself. @keyword: 1 to 79 printable ASCII characters, "Description"; @text: UTF-8; borrowed */
typedef struct {
    const char *keyword;
    const char *text;
} AimfImageText;

/**
 * aimf_image_encode_png: (owned) the bytes of a PNG with @texts (n) before its pixels: tEXt chunks, iTXt for what is not ASCII. The
 * same image and texts always give the same bytes. NULL with INVALID: a keyword, a text that is not UTF-8, absurd sides.
 */
GBytes *aimf_image_encode_png(const AimfImage *image, const AimfImageText *texts, gsize n, GError **error);
/** aimf_image_save_png: the same as a file, atomically, whatever its name. */
gboolean aimf_image_save_png(const AimfImage *image, const AimfImageText *texts, gsize n, const char *path,
                             GError **error);

typedef enum { AIMF_BILINEAR, AIMF_LANCZOS } AimfFilter;

/** AimfBox: a rectangle of whole pixels inside a picture. */
typedef struct {
    int x, y, width, height;
} AimfBox;

/**
 * aimf_image_resize:
 * @box: (nullable) the part to take, cropped before resizing as torchvision's resized_crop does; NULL for all of it
 * Resizes with antialiasing to @width x @height, bit-exact with Image.resize of Pillow 13 on 8-bit RGB. Pillow before 13 differs
 * in one thing: where the height shrinks by more than twice what the width does, in pixels, it does not begin with the vertical pass.
 * Returns: (owned) or NULL with INVALID or MEMORY. Source: Pillow, src/libImaging/Resample.c (fixed point, 22 bits).
 */
AimfImage *aimf_image_resize(const AimfImage *image, const AimfBox *box, int width, int height, AimfFilter filter,
                             GError **error);

/**
 * AimfAugment: what a training picture goes through; all of it drawn from (seed, epoch, sample).
 * @scale: area of the crop as a share of the picture, torchvision's RandomResizedCrop; @ratio: width / height of the crop
 * @flip: probability of a horizontal flip
 */
typedef struct {
    double scale[2];
    double ratio[2];
    double flip;
} AimfAugment;

/** AIMF_AUGMENT_DEFAULT: scale (0.08, 1), ratio (3/4, 4/3), flip 0.5. */
#define AIMF_AUGMENT_DEFAULT                                                                                           \
    {                                                                                                                  \
        .scale = { 0.08, 1 }, .ratio = { 3.0 / 4, 4.0 / 3 }, .flip = 0.5                                               \
    }

/**
 * aimf_augment_draw:
 * The crop box and the flip of sample @sample in epoch @epoch of a picture of @width x @height.
 * Source: torchvision.transforms.RandomResizedCrop.get_params (ten tries, then the central crop).
 */
void aimf_augment_draw(const AimfAugment *augment, guint64 seed, guint epoch, guint sample, int width, int height,
                       AimfBox *box, gboolean *flip);

/**
 * aimf_image_to_planes:
 * @box: (nullable); @flip: mirror horizontally after resizing
 * @planes: (3, size, size) f32, receives (value / 255 - mean[c]) / std[c] of the bilinearly resized picture
 * Decoded picture to network input in one go, equal to the bit to torchvision's ToTensor and Normalize.
 * FALSE with INVALID (box, size, a deviation of 0, a number that is not finite) or MEMORY.
 */
gboolean aimf_image_to_planes(const AimfImage *image, const AimfBox *box, gboolean flip, int size, const float mean[3],
                              const float std[3], float *planes, GError **error);

G_END_DECLS
