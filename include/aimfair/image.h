/*
 * Pixels: decoding, encoding, resizing as Pillow does, and the training augmentation as torchvision does. No tensors
 * here.
 *
 * Example:
 *     gboolean shrink(const char *from, const char *to, GError **error)
 *     {
 *         g_autoptr(AimfImage) image = aimf_image_open(from, error);
 *         g_autoptr(AimfImage) small = image ? aimf_image_resize(image, NULL, 64, 64, AIMF_BILINEAR, error) : NULL;
 *         return small && aimf_image_save(small, to, error);
 *     }
 */
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
 * JPEG, PNG or WebP, told apart by content, turned into RGB as Pillow's Image.convert("RGB") does: alpha is dropped,
 * 16-bit grey is clipped at 255, CMYK is taken as inverted, an animation gives its first frame, and EXIF orientation
 * is ignored. Like Pillow, errors that libjpeg only warns about are tolerated and pictures of more than 178 956 970
 * pixels are refused; unlike it, so are PNG files whose pixel data have a wrong checksum or too few rows, or that
 * lack their palette.
 * Returns: (owned) or NULL with FORMAT (broken, truncated, not a picture, absurd size) or MEMORY.
 */
AimfImage *aimf_image_decode(const void *data, gsize bytes, const char *name, GError **error);
/** aimf_image_open: decodes the file @path. Returns: as aimf_image_decode, or NULL with NOT_FOUND or IO. */
AimfImage *aimf_image_open(const char *path, GError **error);
/** aimf_image_save: PNG (.png) or JPEG quality 95 (.jpg, .jpeg), atomically. */
gboolean aimf_image_save(const AimfImage *image, const char *path, GError **error);

/**
 * AimfImageText: what a PNG says about itself. @keyword: 1 to 79 printable ASCII characters, "Description"; @text:
 * UTF-8; borrowed
 */
typedef struct {
    const char *keyword;
    const char *text;
} AimfImageText;

/**
 * AimfDigitalSource: how a picture came to be: by a model that has learned from other pictures, or by rules alone.
 * Source: IPTC's vocabulary, cv.iptc.org/newscodes/digitalsourcetype.
 */
typedef enum { AIMF_SOURCE_TRAINED_ALGORITHMIC_MEDIA, AIMF_SOURCE_ALGORITHMIC_MEDIA } AimfDigitalSource;
/** aimf_image_source_text: (static) says it in a PNG to whoever reads XMP. */
AimfImageText aimf_image_source_text(AimfDigitalSource source);

/**
 * aimf_image_encode_png: (owned) the bytes of a PNG with @texts (n) before its pixels: tEXt chunks, iTXt for what is
 * not ASCII, or XMP. The same image and texts always give the same bytes. NULL with INVALID: a keyword, a text that is
 * not UTF-8, absurd sides.
 */
GBytes *aimf_image_encode_png(const AimfImage *image, const AimfImageText *texts, gsize n, GError **error);
/** aimf_image_save_png: the same as a file, atomically, whatever its name. */
gboolean aimf_image_save_png(const AimfImage *image, const AimfImageText *texts, gsize n, const char *path,
                             GError **error);

typedef enum { AIMF_BILINEAR, AIMF_BICUBIC, AIMF_LANCZOS } AimfFilter;

/** AimfBox: a rectangle of whole pixels inside a picture. */
typedef struct {
    int x, y, width, height;
} AimfBox;

/**
 * aimf_image_resize:
 * @box: (nullable) the part to take, cropped before resizing as torchvision's resized_crop does; NULL for all of it
 * Resizes with antialiasing to @width x @height, bit-exact with Image.resize of Pillow 13 on 8-bit RGB. Pillow before
 * 13 differs in one thing: where the height shrinks by more than twice what the width does, in pixels, it does not
 * begin with the vertical pass.
 * Returns: (owned) or NULL with INVALID or MEMORY. Source: Pillow, src/libImaging/Resample.c (fixed point, 22 bits).
 */
AimfImage *aimf_image_resize(const AimfImage *image, const AimfBox *box, int width, int height, AimfFilter filter,
                             GError **error);

/**
 * AimfAugment: what a training picture goes through; all of it drawn from (seed, epoch, sample).
 * @scale: area of the crop as a share of the picture, torchvision's RandomResizedCrop; @ratio: width / height of the
 *   crop
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

/* --- The way into a network --- */

/**
 * AimfResizing: whose arithmetic resizing follows. All but the last give 8 bits a sample.
 * @AIMF_RESIZE_PILLOW: Image.resize of Pillow 13, as aimf_image_resize: what torchvision does to PIL images, always
 *   antialiased
 * @AIMF_RESIZE_TENSOR: torchvision.transforms on uint8 tensors: single precision, rounded at the end
 * @AIMF_RESIZE_TENSOR_V2: torchvision.transforms.v2 on uint8 tensors: weights of 16 bits, rounded after each pass
 * @AIMF_RESIZE_FLOAT: either of them on floating-point tensors: single precision, not rounded
 */
typedef enum { AIMF_RESIZE_PILLOW, AIMF_RESIZE_TENSOR, AIMF_RESIZE_TENSOR_V2, AIMF_RESIZE_FLOAT } AimfResizing;

/**
 * AimfPreprocess: what becomes of a decoded picture before a network sees it. Zero is the default of all but the
 * sizes and @std.
 * @width, @height: of the network's input in pixels
 * @crop_first: 0, or the side of a square that is cut out of the middle before all else, black where the picture is
 *   smaller: torchvision's CenterCrop before Resize
 * @resize: 0: the whole picture is resized to @width x @height, whatever its shape. Otherwise its shorter side is
 *   resized to this many pixels and the middle cut out, black where the picture is smaller: torchvision's Resize and
 *   CenterCrop
 * @filter: AIMF_BILINEAR or AIMF_BICUBIC
 * @aliased: no antialiasing (torchvision's antialias=False), which AIMF_RESIZE_PILLOW cannot do
 * @bgr: the network's channels are blue, green and red
 * @full_range: its values go to 255 rather than to 1, before @mean and @std
 * @mean, @std: (3) of red, green and blue, wherever the network has them: value = (value - mean) / std
 */
typedef struct {
    int width;
    int height;
    int crop_first;
    int resize;
    AimfFilter filter;
    AimfResizing resizing;
    gboolean aliased;
    gboolean bgr;
    gboolean full_range;
    float mean[3];
    float std[3];
} AimfPreprocess;

/**
 * aimf_preprocess_names: (borrowed) NULL-terminated names under which files and options say what may differ from the
 * default: "crop_first", "resize" (pixels, none), "interpolation" (bilinear, bicubic), "resizer" (pillow, tensor,
 * tensor-v2, float), "antialias" (yes, no), "channel_order" (rgb, bgr), "value_range" (1, 255).
 */
const char *const *aimf_preprocess_names(void);
/**
 * aimf_preprocess_set: the member that is called @name to what @value says. FALSE with INVALID that says what it may
 * be.
 */
gboolean aimf_preprocess_set(AimfPreprocess *preprocess, const char *name, const char *value, GError **error);
/** aimf_preprocess_get: (owned) its text as aimf_preprocess_set takes it, NULL for the default. */
char *aimf_preprocess_get(const AimfPreprocess *preprocess, const char *name);
/**
 * aimf_preprocess_resize_input: from an input of some size to one of @width x @height pixels, all above 0. The shorter
 * side is resized along, so that the middle that is cut out shows as much of the picture as before and no black edges;
 * a crop before that stays.
 */
void aimf_preprocess_resize_input(AimfPreprocess *preprocess, int width, int height);
/** aimf_preprocess_check: FALSE with INVALID that says which member does not fit, and why. */
gboolean aimf_preprocess_check(const AimfPreprocess *preprocess, GError **error);
/**
 * aimf_preprocess_text: (owned) on one line: "64x48 pixels, bicubic (pillow), RGB from 0 to 1, mean 0.5,0.5,0.5, std
 * 0.5,0.5,0.5".
 */
char *aimf_preprocess_text(const AimfPreprocess *preprocess);

/**
 * aimf_image_to_planes:
 * @box: (nullable) this part alone, resized to width x height whatever @preprocess->resize and its crop_first say:
 *   torchvision's resized_crop
 * @flip: mirror horizontally after resizing and cropping
 * @planes: (3, height, width) f32, receives the network's input
 * Decoded picture to network input in one go. With 8-bit resizing it equals torchvision's ToTensor and Normalize to
 * the bit.
 * FALSE with INVALID (@preprocess, the box, a picture so long that it would become more than 2^20 pixels) or MEMORY.
 * Source: torchvision 0.29, transforms/functional.py (Resize, CenterCrop) and PyTorch,
 * aten/src/ATen/native/cpu/UpSampleKernel.cpp.
 */
gboolean aimf_image_to_planes(const AimfImage *image, const AimfBox *box, gboolean flip,
                              const AimfPreprocess *preprocess, float *planes, GError **error);

G_END_DECLS
