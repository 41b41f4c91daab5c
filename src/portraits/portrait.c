#include "portraits/portrait.h"

#include <math.h>

static double between(AimfRandom *random, double low, double high)
{
    return low + (high - low) * aimf_random_uniform(random);
}

static gboolean chance(AimfRandom *random, double probability)
{
    return aimf_random_uniform(random) < probability;
}

/* Hue in [0, 1), saturation and value as usual. */
static AimfColour from_hsv(double hue, double saturation, double value)
{
    double channel[3];
    for (int i = 0; i < 3; i++) {
        double k = fmod(5.0 - 2.0 * i + 6.0 * hue, 6.0);
        double distance = fmax(0, fmin(fmin(k, 4 - k), 1));
        channel[i] = value * (1 - saturation * distance);
    }
    return (AimfColour){ channel[0], channel[1], channel[2] };
}

static AimfColour mix(AimfColour a, AimfColour b, double share)
{
    return (AimfColour){ a.red + (b.red - a.red) * share, a.green + (b.green - a.green) * share,
                         a.blue + (b.blue - a.blue) * share };
}

/* A colour between two neighbours of a palette. */
static AimfColour from_palette(AimfRandom *random, const AimfColour *palette, guint n)
{
    guint i = (guint)aimf_random_below(random, n - 1);
    return mix(palette[i], palette[i + 1], aimf_random_uniform(random));
}

static void draw_colours(AimfPortrait *p, AimfRandom *random)
{
    static const AimfColour skins[] = {
        { 0.98, 0.86, 0.77 }, { 0.94, 0.76, 0.62 }, { 0.82, 0.61, 0.45 }, { 0.63, 0.43, 0.29 }, { 0.42, 0.27, 0.18 },
    };
    static const AimfColour hairs[] = {
        { 0.08, 0.07, 0.08 }, { 0.22, 0.13, 0.09 }, { 0.42, 0.25, 0.13 }, { 0.62, 0.30, 0.14 },
        { 0.80, 0.62, 0.34 }, { 0.62, 0.60, 0.58 }, { 0.86, 0.85, 0.83 },
    };
    static const AimfColour eyes[] = {
        { 0.17, 0.10, 0.06 },
        { 0.36, 0.22, 0.10 },
        { 0.30, 0.42, 0.26 },
        { 0.28, 0.46, 0.62 },
    };
    gboolean photograph = p->look == AIMF_LOOK_PHOTOGRAPH;
    p->skin = from_palette(random, skins, G_N_ELEMENTS(skins));
    p->hair = from_palette(random, hairs, G_N_ELEMENTS(hairs));
    p->eyes = from_palette(random, eyes, G_N_ELEMENTS(eyes));
    p->clothes = from_hsv(aimf_random_uniform(random), between(random, 0.15, 0.75), between(random, 0.2, 0.9));
    p->accessory = from_hsv(aimf_random_uniform(random), between(random, 0.2, 0.8), between(random, 0.15, 0.7));
    for (int i = 0; i < 2; i++) {
        double hue = aimf_random_uniform(random);
        p->ground[i] = photograph ? from_hsv(hue, between(random, 0.05, 0.55), between(random, 0.25, 0.9))
                                  : from_hsv(hue, between(random, 0.12, 0.35), between(random, 0.85, 1.0));
    }
}

static void draw_face(AimfPortrait *p, AimfRandom *random)
{
    p->jaw = between(random, 0.80, 1.12);
    p->chin = between(random, 1.18, 1.42);
    /* The gap between the two ranges makes the label exact; its small size makes it hard to see. */
    p->mouth_curve = p->smiling ? between(random, 0.55, 1.0) : between(random, -0.80, 0.0);
    p->mouth_width = between(random, 0.34, 0.46) + (p->smiling ? 0.08 : 0);
    p->mouth_open = chance(random, p->smiling ? 0.75 : 0.25) ? between(random, 0.05, 0.18) : 0;
    p->eye_distance = between(random, 0.40, 0.50);
    p->eye_open = between(random, 0.09, 0.16) * (p->smiling ? 0.85 : 1);
    p->brow_lift = between(random, 0.20, 0.34);
    p->brow_slope = between(random, -0.10, 0.08);
    p->nose_length = between(random, 0.30, 0.44);
    p->hair_volume = between(random, 0.06, 0.26);
    p->hair_length = between(random, 0.75, 2.1);
    p->parting = between(random, -0.5, 0.5);
    p->beard_length = between(random, 0.02, 0.45);
    p->beard_density = between(random, 0.35, 1.0);
    p->glasses = chance(random, 0.18);
    p->hat = chance(random, 0.2);
}

AimfPortrait aimf_portrait_draw(guint64 seed, guint64 index, AimfLook look, gboolean smiling, gboolean bearded)
{
    gboolean photograph = look == AIMF_LOOK_PHOTOGRAPH;
    /* One sequence per picture, look and labels: asking for more pictures of a group only adds some. */
    guint64 place = index << 3 | (guint64)look << 2 | (guint64)(smiling != 0) << 1 | (guint64)(bearded != 0);
    AimfRandom random = aimf_random_at(seed, AIMF_STREAM_DEMO, place);
    AimfPortrait p = { .look = look, .smiling = smiling, .bearded = bearded };
    double spread = photograph ? 1 : 0.6;
    p.centre_x = 0.5 + 0.06 * spread * between(&random, -1, 1);
    p.centre_y = 0.48 + 0.05 * spread * between(&random, -1, 1);
    p.head_size = between(&random, 0.30, 0.36);
    p.tilt = 0.24 * spread * between(&random, -1, 1);
    p.turn = 0.20 * spread * between(&random, -1, 1);
    draw_face(&p, &random);
    draw_colours(&p, &random);
    p.light_angle = between(&random, 0, 2 * G_PI);
    p.light_strength = between(&random, 0.15, 0.55);
    p.warmth = between(&random, -0.12, 0.12);
    p.exposure = between(&random, 0.72, 1.18);
    p.blur_px = chance(&random, 0.7) ? between(&random, 0.3, 1.1) : 0;
    p.noise = between(&random, 2, 9);
    p.texture = random;
    return p;
}
