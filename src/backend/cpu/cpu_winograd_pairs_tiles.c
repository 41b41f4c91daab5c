/* The inner loops of cpu_winograd_pairs.c: transforms in f32 that end in pairs of bf16, and the product of pairs. */
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))
#include "backend/cpu/cpu_winograd_pairs_tiles.h"
#include "backend/cpu/cpu_vector_avx512.h"

#include <string.h>

#define ELEMENT guint16
enum { PRODUCT_ROWS = 8 };
G_STATIC_ASSERT((int)LANES == (int)WINOGRAD_PAIR_LANES);

/* The pixel at row @i and column @j of a patch, zero outside. */
VECTOR_INLINE Vector pixel(const guint16 *block, const WinogradTile *tile, gboolean whole, int i, int j)
{
    if (!whole && !(tile->inside >> (4 * i + j) & 1))
        return _mm512_setzero_ps();
    __m256i half = _mm256_loadu_si256((const void *)(block + tile->row[i] + tile->column[j]));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

#include "backend/cpu/cpu_winograd_transforms.h"

/* Two tiles' positions, (16, 16 lanes) each, as pairs. */
VECTOR_INLINE void store_pairs(const float *first, const float *second, guint16 *to, gint64 plane)
{
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    for (int p = 0; p < WINOGRAD_POSITIONS; p++) {
        __m512bh both = _mm512_cvtne2ps_pbh(_mm512_load_ps(second + p * LANES), _mm512_load_ps(first + p * LANES));
        _mm512_storeu_si512(to + p * plane, _mm512_permutexvar_epi16(order, (__m512i)both));
    }
}

static guint16 *find_pairs(const WinogradPairs *to, gint64 channel)
{
    return to->data + channel / WINOGRAD_BLOCK * to->block + channel % WINOGRAD_BLOCK * 2;
}

TARGET static void patches(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles, gint64 channels,
                           gint64 channel, const guint16 *from, const WinogradPairs *to)
{
    _Alignas(64) float both[2][WINOGRAD_POSITIONS * LANES];
    const WinogradActivation activation = { channels, channel, LANES };
    guint16 *target = find_pairs(to, channel);
    for (gint64 t = 0; t < n_tiles; t += 2, target += 2 * WINOGRAD_BLOCK) {
        for (gint64 k = 0; k < 2; k++) {
            const WinogradTile *tile = &tiles[t + k];
            if (t + k == n_tiles)
                memset(both[1], 0, sizeof both[1]);
            else if (tile->inside == ALL_INSIDE)
                patch(from + find_block(tiling, tile, &activation, 0), tile, TRUE, both[k], LANES);
            else
                patch(from + find_block(tiling, tile, &activation, 0), tile, FALSE, both[k], LANES);
        }
        store_pairs(both[0], both[1], target, to->plane);
    }
}

TARGET static void gradients(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles, gint64 channels,
                             gint64 channel, const guint16 *from, const WinogradPairs *to)
{
    _Alignas(64) float both[2][WINOGRAD_POSITIONS * LANES];
    const WinogradActivation activation = { channels, channel, LANES };
    guint16 *target = find_pairs(to, channel);
    for (gint64 t = 0; t < n_tiles; t += 2, target += 2 * WINOGRAD_BLOCK) {
        for (gint64 k = 0; k < 2; k++)
            if (t + k == n_tiles)
                memset(both[1], 0, sizeof both[1]);
            else
                gradient(from + find_block(tiling, &tiles[t + k], &activation, 0), &tiles[t + k], both[k], LANES);
        store_pairs(both[0], both[1], target, to->plane);
    }
}

/* Eight rows and two vectors of columns: 16 sums, more than the latency of their instruction asks for. */
VECTOR_INLINE void multiply_tile(const guint16 *a, const guint16 *b, gint64 n, float *c, gboolean accumulate)
{
    enum { ROWS = PRODUCT_ROWS, STEP = 2 * WINOGRAD_BLOCK };
    __m512 sums[ROWS][2];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
        sums[r][0] = accumulate ? _mm512_loadu_ps(c + r * WINOGRAD_BLOCK) : _mm512_setzero_ps();
        sums[r][1] = accumulate ? _mm512_loadu_ps(c + r * WINOGRAD_BLOCK + LANES) : _mm512_setzero_ps();
    }
    for (gint64 k = 0; k < n; k++, a += STEP, b += STEP) {
        __m512bh b0 = (__m512bh)_mm512_loadu_si512(b), b1 = (__m512bh)_mm512_loadu_si512(b + 2 * LANES);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++) {
            int pair;
            memcpy(&pair, a + 2 * r, sizeof pair);
            __m512bh factor = (__m512bh)_mm512_set1_epi32(pair);
            sums[r][0] = _mm512_dpbf16_ps(sums[r][0], factor, b0);
            sums[r][1] = _mm512_dpbf16_ps(sums[r][1], factor, b1);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
        _mm512_storeu_ps(c + r * WINOGRAD_BLOCK, sums[r][0]);
        _mm512_storeu_ps(c + r * WINOGRAD_BLOCK + LANES, sums[r][1]);
    }
}

TARGET static void multiply(const guint16 *a, const guint16 *b, gint64 n, float *sums, gboolean accumulate)
{
    enum { DEPTH = 256 /* pairs: what a tile reads of both stays in the first cache for the next tile */ };
    for (gint64 k = 0; k < n; k += DEPTH)
        for (gint64 column = 0; column < WINOGRAD_BLOCK; column += 2 * LANES)
            for (gint64 row = 0; row < WINOGRAD_BLOCK; row += PRODUCT_ROWS)
                multiply_tile(a + 2 * (k * WINOGRAD_BLOCK + row), b + 2 * (k * WINOGRAD_BLOCK + column),
                              MIN(DEPTH, n - k), sums + row * WINOGRAD_BLOCK + column, accumulate || k > 0);
}

const WinogradPairKernels cpu_winograd_pairs = { patches, gradients, multiply };
