/* Decoded picture to network input: crop, resize, mirror, scale, normalise, one row at a time. */
#include "image/resize.h"

#include <math.h>
#include <string.h>

/* A picture whose shorter side is resized may become very long; nobody means that. */
enum { MAX_RESIZED_SIDE = 1 << 20 };

/* --- Where the resized picture lies in the input --- */

/*
 * Where @size of the network's input see @whole pixels of the resized picture: the first seen, where in the input,
 * and how many.
 */
typedef struct {
    int first, at, n;
} Window;

/* torchvision's center_crop: an odd rest goes to even when cropping (Python's round), and down when padding. */
static Window central_window(int whole, int size)
{
    if (whole < size)
        return (Window){ 0, (size - whole) / 2, whole };
    return (Window){ (int)rint((whole - size) / 2.0), 0, size };
}

/*
 * (owned) the middle @side x @side pixels of @image, with black where it is smaller, which CenterCrop before Resize
 * gives; NULL with MEMORY.
 */
static AimfImage *cut_square(const AimfImage *image, int side, GError **error)
{
    Window across = central_window(image->width, side), down = central_window(image->height, side);
    AimfImage *square = aimf_image_new(side, side, error);
    if (!square)
        return NULL;
    memset(square->data, 0, 3 * (gsize)side * (gsize)side);
    for (int y = 0; y < down.n; y++)
        memcpy(square->data + 3 * ((gsize)(down.at + y) * (gsize)side + (gsize)across.at),
               image->data + 3 * ((gsize)(down.first + y) * (gsize)image->width + (gsize)across.first),
               3 * (gsize)across.n);
    return square;
}

/* torchvision's Resize of the shorter side; the product of the longer one is rounded down. */
static gboolean resized_size(const AimfBox *box, int shorter, int *width, int *height, GError **error)
{
    gint64 shortest = MIN(box->width, box->height), longest = MAX(box->width, box->height);
    gint64 longer = (gint64)((double)(shorter * longest) / (double)shortest);
    if (longer > MAX_RESIZED_SIDE) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "a picture of %d x %d pixels whose shorter side is resized to %d would be %" G_GINT64_FORMAT
                    " pixels long; at most %d are allowed",
                    box->width, box->height, shorter, longer, MAX_RESIZED_SIDE);
        return FALSE;
    }
    *width = box->width <= box->height ? shorter : (int)longer;
    *height = box->width <= box->height ? (int)longer : shorter;
    return TRUE;
}

/* Fills in the sizes of @options, whose box is known. */
static gboolean place(const AimfPreprocess *p, gboolean crop, AimfResizeOptions *options, Window *across, Window *down,
                      GError **error)
{
    int width = p->width, height = p->height;
    if (crop && !resized_size(&options->box, p->resize, &width, &height, error))
        return FALSE;
    *across = central_window(width, p->width);
    *down = central_window(height, p->height);
    options->width = across->n;
    options->height = down->n;
    options->whole.width = width;
    options->whole.height = height;
    options->whole.x = across->first;
    options->whole.y = down->first;
    if (options->flip)
        across->at = p->width - across->n - across->at;
    return TRUE;
}

/* --- Values --- */

/* The three planes of one row, in the order of the picture's channels: red, green, blue. */
typedef struct {
    float *red, *green, *blue;
} Row;

static Row row_at(const AimfPreprocess *p, float *planes, int x, int y)
{
    gsize plane = (gsize)p->width * (gsize)p->height;
    float *first = planes + (gsize)y * (gsize)p->width + (gsize)x, *last = first + 2 * plane;
    return (Row){ p->bgr ? last : first, first + plane, p->bgr ? first : last };
}

/* What samples of 8 bits become: ToTensor's division, then Normalize's subtraction and division. */
static void fill_table(const AimfPreprocess *p, int colour, float table[256])
{
    for (int i = 0; i < 256; i++) {
        float value = p->full_range ? (float)i : (float)i / 255.0f;
        table[i] = (value - p->mean[colour]) / p->std[colour];
    }
}

static void fill_background(const AimfPreprocess *p, float tables[3][256], float *planes)
{
    gsize plane = (gsize)p->width * (gsize)p->height;
    for (int c = 0; c < 3; c++)
        for (gsize i = 0; i < plane; i++)
            planes[(gsize)c * plane + i] = tables[p->bgr ? 2 - c : c][0];
}

static gboolean fill_from_bytes(const AimfPreprocess *p, const AimfResizeOptions *options, Window across, Window down,
                                float tables[3][256], float *planes, GError **error)
{
    g_autoptr(AimfResizer) resizer = aimf_resizer_new(options, error);
    if (!resizer)
        return FALSE;
    for (int y = 0; y < down.n; y++) {
        const guint8 *pixel = aimf_resizer_row(resizer);
        Row row = row_at(p, planes, across.at, down.at + y);
        for (int x = 0; x < across.n; x++, pixel += 3) {
            row.red[x] = tables[0][pixel[0]];
            row.green[x] = tables[1][pixel[1]];
            row.blue[x] = tables[2][pixel[2]];
        }
    }
    return TRUE;
}

static float clip_to_sample(float value)
{
    return rintf(CLAMP(value, 0, 255)); /* halves to even, as torch.round */
}

/* Rounded samples find their values in @tables; those that are not rounded are normalised one by one. */
static gboolean fill_from_floats(const AimfPreprocess *p, const AimfResizeOptions *options, Window across, Window down,
                                 float tables[3][256], float *planes, GError **error)
{
    float samples[256];
    gboolean rounded = p->resizing == AIMF_RESIZE_TENSOR;
    for (int i = 0; i < 256; i++)
        samples[i] = rounded || p->full_range ? (float)i : (float)i / 255.0f;
    g_autoptr(AimfFloatResizer) resizer = aimf_float_resizer_new(options, samples, error);
    if (!resizer)
        return FALSE;
    for (int y = 0; y < down.n; y++) {
        const float *pixel = aimf_float_resizer_row(resizer);
        Row row = row_at(p, planes, across.at, down.at + y);
        float *const to[3] = { row.red, row.green, row.blue };
        for (int c = 0; c < 3; c++)
            for (int x = 0; x < across.n; x++) {
                float value = pixel[3 * x + c];
                to[c][x] = rounded ? tables[c][(int)clip_to_sample(value)] : (value - p->mean[c]) / p->std[c];
            }
    }
    return TRUE;
}

gboolean aimf_image_to_planes(const AimfImage *image, const AimfBox *box, gboolean flip, const AimfPreprocess *p,
                              float *planes, GError **error)
{
    Window across, down;
    if (!aimf_preprocess_check(p, error))
        return FALSE;
    g_autoptr(AimfImage) square = !box && p->crop_first ? cut_square(image, p->crop_first, error) : NULL;
    if (!box && p->crop_first && !square)
        return FALSE;
    AimfResizeOptions options = { .image = square ? square : image,
                                  .filter = p->filter,
                                  .resizing = p->resizing,
                                  .aliased = p->aliased,
                                  .flip = flip };
    if (!aimf_box_check(options.image, box, &options.box, error) ||
        !place(p, !box && p->resize, &options, &across, &down, error))
        return FALSE;
    float tables[3][256];
    for (int c = 0; c < 3; c++)
        fill_table(p, c, tables[c]);
    if (across.n < p->width || down.n < p->height)
        fill_background(p, tables, planes);
    gboolean in_floats = p->resizing == AIMF_RESIZE_TENSOR || p->resizing == AIMF_RESIZE_FLOAT;
    return (in_floats ? fill_from_floats : fill_from_bytes)(p, &options, across, down, tables, planes, error);
}
