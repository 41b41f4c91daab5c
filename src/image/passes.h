/* The inner loops of resizing, a form for each instruction set. */
#pragma once

#include "image/taps.h"

/** What a pass may read or write beyond the end of its rows. */
enum { AIMF_ROW_SLACK = 32 };

/**
 * AimfPasses: one instruction set's inner loops.
 * @horizontal: one row of RGB; reads and writes up to AIMF_ROW_SLACK bytes too far
 * @vertical: output row @y; @rows: (2 * n_pairs) the input rows of its taps, @bytes each, read up to AIMF_ROW_SLACK
 *   bytes too far, as @out is written
 */
typedef struct {
    const char *name;
    void (*horizontal)(guint8 *out, const guint8 *in, const AimfTaps *taps);
    void (*vertical)(guint8 *out, const guint8 *const *rows, gsize bytes, const AimfTaps *taps, int y);
} AimfPasses;

/** aimf_passes_plain: C alone, what the others must equal. aimf_passes_avx2, _avx512: on x86-64 only. */
extern const AimfPasses aimf_passes_plain;
extern const AimfPasses aimf_passes_avx2;
extern const AimfPasses aimf_passes_avx512;
