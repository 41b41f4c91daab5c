/* The inner loops of cpu_depthwise_pairs.c. */
#include "backend/cpu/cpu_depthwise_bf16.h"

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#define INLINE TARGET static inline __attribute__((always_inline))

enum { LANES = DEPTHWISE_LANES, MOST_PIXELS = 14 };

TARGET static void pair_up(const guint16 *pixels, gint64 step, gint64 width, gint64 before, gint64 seen, guint32 *pairs)
{
    __m512i right = _mm512_setzero_si512();
    for (gint64 c = seen; c >= 0; c--) {
        __m512i pixel = _mm512_setzero_si512();
        if (c >= before && c < before + width)
            pixel = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(pixels + (c - before) * step)));
        if (c < seen)
            _mm512_storeu_si512(pairs + c * LANES, _mm512_or_si512(pixel, _mm512_slli_epi32(right, 16)));
        right = pixel;
    }
}

/*
 * @n results side by side, each a sum of its own, so that as many are under way as the instruction takes cycles; a row
 * of taps is @n_taps. Every pair is loaded once, for all the taps that see it. The right neighbour of an odd last
 * tap's pixel is out of its sight: it must not be met, not even by a zero.
 */
INLINE void sum_pixels(const DepthwiseRow *row, gint64 first, const int n, const int n_taps)
{
    const int n_pairs = (n_taps + 1) / 2, n_whole = n_taps / 2;
    const __m512i pixel = _mm512_set1_epi32(0xffff);
    const guint32 *taps = row->taps;
    __m512 sums[MOST_PIXELS];
#pragma GCC unroll 16
    for (int i = 0; i < n; i++)
        sums[i] = _mm512_loadu_ps(row->bias);
    for (gint64 p = 0; p < row->rows; p++, taps += n_pairs * LANES) {
        const guint32 *pairs = row->pairs + p * row->pair_row + first * LANES;
        __m512bh tap[DEPTHWISE_MOST_COLUMNS / 2];
#pragma GCC unroll 4
        for (int t = 0; t < n_pairs; t++)
            tap[t] = (__m512bh)_mm512_loadu_si512(taps + t * LANES);
#pragma GCC unroll 24
        for (int c = 0; c < n + 2 * n_pairs - 2; c++) {
            __m512i pair = _mm512_loadu_si512(pairs + c * LANES);
#pragma GCC unroll 4
            for (int t = 0; t < n_whole; t++)
                if (c - 2 * t >= 0 && c - 2 * t < n)
                    sums[c - 2 * t] = _mm512_dpbf16_ps(sums[c - 2 * t], (__m512bh)pair, tap[t]);
            if (n_pairs > n_whole && c >= 2 * n_whole)
                sums[c - 2 * n_whole] =
                    _mm512_dpbf16_ps(sums[c - 2 * n_whole], (__m512bh)_mm512_and_si512(pair, pixel), tap[n_whole]);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < n; i++)
        _mm256_storeu_si256((void *)(row->to + (first + i) * row->step), (__m256i)_mm512_cvtneps_pbh(sums[i]));
}

#define ROW(n_taps)                                                                                                    \
    TARGET static void row_of_##n_taps(const DepthwiseRow *row)                                                        \
    {                                                                                                                  \
        gint64 i = 0;                                                                                                  \
        for (; i + 14 <= row->width; i += 14)                                                                          \
            sum_pixels(row, i, 14, n_taps);                                                                            \
        for (; i + 7 <= row->width; i += 7)                                                                            \
            sum_pixels(row, i, 7, n_taps);                                                                             \
        for (; i + 2 <= row->width; i += 2)                                                                            \
            sum_pixels(row, i, 2, n_taps);                                                                             \
        if (i < row->width)                                                                                            \
            sum_pixels(row, i, 1, n_taps);                                                                             \
    }
ROW(5)
ROW(6)
ROW(7)
ROW(8)

static void row_of(const DepthwiseRow *row)
{
    static void (*const rows[])(const DepthwiseRow *row) = { row_of_5, row_of_6, row_of_7, row_of_8 };
    rows[row->columns - DEPTHWISE_LEAST_COLUMNS](row);
}

const DepthwisePairKernels cpu_depthwise_bf16 = { pair_up, row_of };
