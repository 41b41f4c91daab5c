/*
 * Stylised portraits with exact labels: whom a picture shows is drawn from the random generator, then painted with
 * cairo. The target is a smile, the protected attribute the style of hair and beard. Everything else varies
 * independently of both.
 */
#pragma once

#include "base/random.h"

#include <aimfair/image.h>

enum { AIMF_PORTRAIT_PX = 96 }; /* side of the square picture */

/** AimfLook: the two domains, as different as photographs and generated pictures are. */
typedef enum {
    AIMF_LOOK_PHOTOGRAPH, /* shaded, cluttered, blurred, noisy */
    AIMF_LOOK_SYNTHETIC,  /* flat colours on a plain ground */
} AimfLook;

typedef struct {
    double red, green, blue;
} AimfColour;

/**
 * AimfPortrait: everything about one picture. Lengths on the face are in half widths of the head, whose centre is the
 * origin; positions and sizes of the head are shares of the picture's side.
 */
typedef struct {
    AimfLook look;
    gboolean smiling;
    gboolean bearded; /* short hair and a beard; otherwise long hair and none */

    double centre_x, centre_y, head_size;
    double tilt; /* of the head in its plane, radians */
    double turn; /* to the side: how far the features move */
    double jaw, chin;
    double mouth_curve; /* corners up if positive; smiles and other mouths keep a gap between them */
    double mouth_width, mouth_open;
    double eye_distance, eye_open, brow_lift, brow_slope, nose_length;
    double hair_volume, hair_length, parting;
    double beard_length, beard_density;
    gboolean glasses, hat;
    AimfColour skin, hair, eyes, clothes, accessory, ground[2];

    double light_angle, light_strength, warmth, exposure;
    double blur_px, noise; /* standard deviation, of 255 */
    AimfRandom texture;    /* where clutter, strands and grain go on drawing from */
} AimfPortrait;

/** aimf_portrait_draw: the portrait number @index of those that @seed gives for this look and these labels. */
AimfPortrait aimf_portrait_draw(guint64 seed, guint64 index, AimfLook look, gboolean smiling, gboolean bearded);

/** aimf_portrait_paint: (owned) the picture, AIMF_PORTRAIT_PX square; NULL with MEMORY or FAILED (cairo). */
AimfImage *aimf_portrait_paint(const AimfPortrait *portrait, GError **error);

/** aimf_portrait_develop: what a camera does to a picture: light, blur, grain. Photographs only. */
void aimf_portrait_develop(const AimfPortrait *portrait, AimfImage *image);
