/* Filter weights of one direction of resizing. */
#pragma once

#include <aimfair/image.h>

/*
 * Weights are 22-bit fixed point: 32 bits less 8 for a sample and 2 so that a sum with negative lobes cannot overflow.
 * Source: Pillow, src/libImaging/Resample.c, PRECISION_BITS.
 */
enum { AIMF_WEIGHT_BITS = 22 };

/*
 * For the SIMD passes a weight is high * 2^15 + low, with low in [0, 2^15), so that 16-bit multiply-add instructions
 * take two taps at once; sums of both parts are exact in 32 bits.
 */
enum { AIMF_LOW_BITS = 15 };

/**
 * AimfTapPair: the two halves of the weights of two neighbouring taps, the first tap's in the lower 16 bits of each.
 */
typedef struct {
    gint32 low;
    gint32 high;
} AimfTapPair;

/* Outputs that the horizontal pass may take together: what is stored per output is padded to a multiple of it. */
enum { AIMF_GROUP = 4 };

/**
 * AimfTaps: output position i is the sum over t < @width of @weights[i * width + t] times input position @first[i] +
 * t. Every run lies inside the input; weights that do not count are 0. @first never decreases, or never increases
 * when mirrored.
 * @pairs: (n_pairs, stride) the same weights for SIMD; an odd last tap has a partner of weight 0. @first and @pairs
 *   go on to
 * @stride, n rounded up to a multiple of AIMF_GROUP, with outputs of weight 0 at input position 0.
 */
typedef struct {
    int n;
    int stride;
    int width;
    int n_pairs;
    int *first;
    gint32 *weights;
    AimfTapPair *pairs;
} AimfTaps;

/**
 * AimfAxis: one direction of resizing @in positions to @out, of which those from @first on are wanted, @n of them.
 * @mirror: the wanted outputs in reverse order
 */
typedef struct {
    int in, out;
    int first, n;
    AimfFilter filter;
    AimfResizing resizing;
    gboolean aliased;
    gboolean mirror;
} AimfAxis;

/** aimf_taps_init: for resizing to 8 bits. FALSE when memory is short. */
gboolean aimf_taps_init(AimfTaps *taps, const AimfAxis *axis);
void aimf_taps_clear(AimfTaps *taps);
