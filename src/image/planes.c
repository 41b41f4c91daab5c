/* Decoded picture to network input: crop, resize, mirror, scale, normalise, one row at a time. */
#include "image/resize.h"

#include <math.h>

/* The only 256 results there are, computed as torchvision does: ToTensor's division, then Normalize's subtraction and division. */
static gboolean fill_table(float table[256], float mean, float std, int channel, GError **error)
{
    if (!isfinite(mean) || !isfinite(std) || std == 0) {
        g_set_error(
            error, AIMF_ERROR, AIMF_ERROR_INVALID,
            "cannot normalise channel %d with mean %g and standard deviation %g: finite numbers are needed, and "
            "a deviation that is not 0",
            channel, (double)mean, (double)std);
        return FALSE;
    }
    for (int i = 0; i < 256; i++)
        table[i] = ((float)i / 255.0f - mean) / std;
    return TRUE;
}

gboolean aimf_image_to_planes(const AimfImage *image, const AimfBox *box, gboolean flip, int size, const float mean[3],
                              const float std[3], float *planes, GError **error)
{
    AimfResizeOptions options = {
        .image = image, .width = size, .height = size, .filter = AIMF_BILINEAR, .flip = flip
    };
    float tables[3][256];
    for (int c = 0; c < 3; c++)
        if (!fill_table(tables[c], mean[c], std[c], c, error))
            return FALSE;
    if (!aimf_box_check(image, box, &options.box, error))
        return FALSE;
    g_autoptr(AimfResizer) resizer = aimf_resizer_new(&options, error);
    if (!resizer)
        return FALSE;
    gsize plane = (gsize)size * (gsize)size;
    for (int y = 0; y < size; y++) {
        const guint8 *pixel = aimf_resizer_row(resizer);
        float *red = planes + (gsize)y * (gsize)size, *green = red + plane, *blue = green + plane;
        for (int x = 0; x < size; x++, pixel += 3) {
            red[x] = tables[0][pixel[0]];
            green[x] = tables[1][pixel[1]];
            blue[x] = tables[2][pixel[2]];
        }
    }
    return TRUE;
}
