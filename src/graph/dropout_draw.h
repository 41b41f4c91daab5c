/* What a draw of dropout means, for every backend alike. */
#pragma once

#include "base/philox.h"

#include <aimfair/graph.h>

/**
 * AimfDropoutDraw: the sequence of numbers that one run of a dropout draws.
 * @key, @index: of the generator; @limit: numbers below it drop; @scale: what the others' elements are multiplied by
 */
typedef struct {
    guint32 key[2], index[2];
    guint32 limit;
    float scale;
} AimfDropoutDraw;

/** aimf_dropout_draw: for the numbers @draw (2); what is none that can be counts as 0. */
AimfDropoutDraw aimf_dropout_draw(const AimfDropout *options, const float *draw);

/** aimf_dropout_numbers: @numbers (4) receives those of the elements, or samples, 4 * @block and on. */
static inline __attribute__((always_inline)) void aimf_dropout_numbers(const AimfDropoutDraw *draw, guint64 block,
                                                                       guint32 *numbers)
{
    aimf_philox(draw->key, (guint32[4]){ (guint32)block, (guint32)(block >> 32), draw->index[0], draw->index[1] },
                numbers);
}

/** aimf_dropout_factor: of one element or sample: 0 or the scale. */
static inline float aimf_dropout_factor(const AimfDropoutDraw *draw, gint64 i)
{
    guint32 numbers[4];
    aimf_dropout_numbers(draw, (guint64)i / 4, numbers);
    return numbers[i % 4] < draw->limit ? 0 : draw->scale;
}
