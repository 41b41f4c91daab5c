/* The draws of training augmentation: torchvision.transforms.RandomResizedCrop.get_params and RandomHorizontalFlip. */
#include <aimfair/image.h>

#include "base/random.h"

#include <math.h>

enum { TRIES = 10 };

static double uniform_between(AimfRandom *random, double low, double high)
{
    return low + aimf_random_uniform(random) * (high - low);
}

/* Sizes are compared as floating point: a ratio or scale that makes them huge or NaN must only fail the try. */
static gboolean try_box(AimfRandom *random, const AimfAugment *augment, int width, int height, AimfBox *box)
{
    double area = (double)width * height;
    double target_area = area * uniform_between(random, augment->scale[0], augment->scale[1]);
    double ratio = exp(uniform_between(random, log(augment->ratio[0]), log(augment->ratio[1])));
    /* Half to even, as Python's round. */
    double w = rint(sqrt(target_area * ratio)), h = rint(sqrt(target_area / ratio));
    if (!(w >= 1 && w <= width && h >= 1 && h <= height))
        return FALSE;
    box->width = (int)w;
    box->height = (int)h;
    box->y = (int)aimf_random_below(random, (guint64)(height - box->height + 1));
    box->x = (int)aimf_random_below(random, (guint64)(width - box->width + 1));
    return TRUE;
}

/*
 * As much of the middle as the nearest allowed ratio leaves; a side that rounds to 0 becomes 1, where torchvision
 * fails.
 */
static AimfBox central_box(const AimfAugment *augment, int width, int height)
{
    double low = MIN(augment->ratio[0], augment->ratio[1]), high = MAX(augment->ratio[0], augment->ratio[1]);
    double ratio = (double)width / height;
    AimfBox box = { .width = width, .height = height };
    if (ratio < low)
        box.height = MAX(1, (int)rint(width / low));
    else if (ratio > high)
        box.width = MAX(1, (int)rint(height * high));
    box.x = (width - box.width) / 2;
    box.y = (height - box.height) / 2;
    return box;
}

void aimf_augment_draw(const AimfAugment *augment, guint64 seed, guint epoch, guint sample, int width, int height,
                       AimfBox *box, gboolean *flip)
{
    AimfRandom random = aimf_random_at(seed, AIMF_STREAM_AUGMENT, (guint64)epoch << 32 | sample);
    gboolean found = FALSE;
    for (int i = 0; i < TRIES && !found; i++)
        found = try_box(&random, augment, width, height, box);
    if (!found)
        *box = central_box(augment, width, height);
    *flip = aimf_random_uniform(&random) < augment->flip;
}
