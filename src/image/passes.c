/* The inner loops of resizing in plain C. */
#include "image/passes.h"

enum { HALF = 1 << (AIMF_WEIGHT_BITS - 1) };

static guint8 to_sample(gint32 sum)
{
    return (guint8)CLAMP(sum >> AIMF_WEIGHT_BITS, 0, 255);
}

static void horizontal_plain(guint8 *out, const guint8 *in, const AimfTaps *taps)
{
    const gint32 *weights = taps->weights;
    for (int i = 0; i < taps->n; i++, weights += taps->width, out += 3) {
        const guint8 *pixel = in + 3 * (gsize)taps->first[i];
        gint32 red = HALF, green = HALF, blue = HALF;
        for (int t = 0; t < taps->width; t++, pixel += 3) {
            red += weights[t] * pixel[0];
            green += weights[t] * pixel[1];
            blue += weights[t] * pixel[2];
        }
        out[0] = to_sample(red);
        out[1] = to_sample(green);
        out[2] = to_sample(blue);
    }
}

static void vertical_plain(guint8 *out, const guint8 *const *rows, gsize bytes, const AimfTaps *taps, int y)
{
    const gint32 *weights = taps->weights + (gsize)y * (gsize)taps->width;
    for (gsize i = 0; i < bytes; i++) {
        gint32 sum = HALF;
        for (int t = 0; t < taps->width; t++)
            sum += weights[t] * rows[t][i];
        out[i] = to_sample(sum);
    }
}

const AimfPasses aimf_passes_plain = { "plain", horizontal_plain, vertical_plain };
