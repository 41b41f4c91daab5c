/* Rows of depthwise convolutions in bf16, by VDPBF16PS: two taps at a time. */
#pragma once

#include <glib.h>

enum {
    DEPTHWISE_LANES = 16, /* channels at once */
    DEPTHWISE_LEAST_COLUMNS = 5,
    DEPTHWISE_MOST_COLUMNS = 8,
};

/**
 * DepthwiseRow: a row of results.
 * @pairs, @pair_row: what the first row of taps sees, and how far it is to what the next one sees, in numbers
 * @taps: (@rows, (@columns + 1) / 2, 16) pairs of taps, an odd last one with a zero; @bias: 16
 * @to: @width pixels, @step numbers apart
 */
typedef struct {
    const guint32 *pairs, *taps;
    gint64 pair_row, rows, columns;
    const float *bias;
    guint16 *to;
    gint64 width, step;
} DepthwiseRow;

/**
 * DepthwisePairKernels:
 * @pair_up: @pixels (@width), 16 channels each, @step numbers apart, with @before zeros on the left and as many on the
 * right as it takes, as @pairs (@seen, 16): every pixel, and above it in the number its right neighbour
 * @row: DEPTHWISE_LEAST_COLUMNS to DEPTHWISE_MOST_COLUMNS columns of taps
 */
typedef struct {
    void (*pair_up)(const guint16 *pixels, gint64 step, gint64 width, gint64 before, gint64 seen, guint32 *pairs);
    void (*row)(const DepthwiseRow *row);
} DepthwisePairKernels;

extern const DepthwisePairKernels cpu_depthwise_bf16;
