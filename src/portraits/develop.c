/* What a camera adds to a painted scene: uneven light, a colour cast, blur and grain. */
#include "portraits/portrait.h"

#include <math.h>

/*
 * One pass of a three-tap kernel (w, 1 - 2w, w) along rows or columns, in place; repeated passes approach a Gaussian.
 */
static void blur_pass(float *plane, int n_lines, int length, int line_step, int step, float w)
{
    for (int line = 0; line < n_lines; line++) {
        float *at = plane + line * line_step, before = at[0];
        for (int i = 0; i < length; i++) {
            float here = at[i * step], after = at[MIN(i + 1, length - 1) * step];
            at[i * step] = w * before + (1 - 2 * w) * here + w * after;
            before = here;
        }
    }
}

/* Each pass adds a variance of 2w per direction; w = 1/4 is the widest kernel that is still smooth. */
static void blur(float *plane, int side, double sigma)
{
    double variance = sigma * sigma;
    while (variance > 0) {
        double step = MIN(variance, 0.5);
        blur_pass(plane, side, side, side, 1, (float)(step / 2));
        blur_pass(plane, side, side, 1, side, (float)(step / 2));
        variance -= step;
    }
}

void aimf_portrait_develop(const AimfPortrait *portrait, AimfImage *image)
{
    enum { SIDE = AIMF_PORTRAIT_PX };
    g_assert(image->width == SIDE && image->height == SIDE);
    const AimfPortrait *p = portrait;
    const double cast[3] = { 1 + p->warmth, 1, 1 - p->warmth };
    AimfRandom random = p->texture;
    random.counter[1] ^= 0x80000000u; /* grain must not repeat the numbers that placed the clutter */
    random.used = 4;
    g_autofree float *plane = g_new(float, (gsize)SIDE *SIDE);
    for (int channel = 0; channel < 3; channel++) {
        for (int i = 0; i < SIDE * SIDE; i++)
            plane[i] = image->data[i * 3 + channel];
        blur(plane, SIDE, p->blur_px);
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                double dx = (double)x / SIDE - 0.5, dy = (double)y / SIDE - 0.5;
                double light = 1 + p->light_strength * (cos(p->light_angle) * dx + sin(p->light_angle) * dy) -
                               0.5 * (dx * dx + dy * dy);
                double value =
                    plane[y * SIDE + x] * light * p->exposure * cast[channel] + p->noise * aimf_random_normal(&random);
                image->data[(y * SIDE + x) * 3 + channel] = (guint8)lrint(CLAMP(value, 0, 255));
            }
        }
    }
}
