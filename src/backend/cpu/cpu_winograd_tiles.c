/* Winograd's transforms: additions on vectors of one pixel's 16 channels. */
#include "backend/cpu/cpu_winograd.h"

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f")))
#define INLINE static inline __attribute__((always_inline))

enum { ALL_INSIDE = 0xffff };

WinogradTiling cpu_winograd_tiling(gint64 n, gint64 height, gint64 width)
{
    gint64 rows = (height + 1) / 2, columns = (width + 1) / 2;
    return (WinogradTiling){ n, height, width, rows, columns, n * rows * columns };
}

void cpu_winograd_locate(const WinogradTiling *tiling, gint64 first, gint64 count, WinogradTile *tiles)
{
    for (gint64 t = 0; t < count; t++) {
        gint64 at = (first + t) % (tiling->rows * tiling->columns);
        gint64 top = at / tiling->columns * 2 - 1, left = at % tiling->columns * 2 - 1;
        unsigned rows_inside = 0, columns_inside = 0;
        WinogradTile *tile = &tiles[t];
        tile->picture = (first + t) / (tiling->rows * tiling->columns);
        for (int i = 0; i < 4; i++) {
            gint64 y = CLAMP(top + i, 0, tiling->height - 1), x = CLAMP(left + i, 0, tiling->width - 1);
            tile->row[i] = y * tiling->width * WINOGRAD_LANES;
            tile->column[i] = x * WINOGRAD_LANES;
            rows_inside |= y == top + i ? 0xfu << (4 * i) : 0;
            columns_inside |= x == left + i ? 0x1111u << i : 0;
        }
        tile->inside = rows_inside & columns_inside;
    }
}

/* The pixel at row @i and column @j of a patch, zero outside. */
AVX512 INLINE __m512 pixel(const float *block, const WinogradTile *tile, gboolean whole, int i, int j)
{
    const float *at = block + tile->row[i] + tile->column[j];
    if (whole)
        return _mm512_loadu_ps(at);
    __mmask16 exists = (tile->inside >> (4 * i + j) & 1) ? 0xffff : 0;
    return _mm512_maskz_loadu_ps(exists, at);
}

/* A constant @whole makes two versions, the one for the many tiles in the middle without masks. */
AVX512 INLINE void patch(const float *block, const WinogradTile *tile, gboolean whole, float *to, gint64 plane)
{
    __m512 half[4][4]; /* B' d */
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        __m512 d0 = pixel(block, tile, whole, 0, j), d1 = pixel(block, tile, whole, 1, j);
        __m512 d2 = pixel(block, tile, whole, 2, j), d3 = pixel(block, tile, whole, 3, j);
        half[0][j] = _mm512_sub_ps(d0, d2);
        half[1][j] = _mm512_add_ps(d1, d2);
        half[2][j] = _mm512_sub_ps(d2, d1);
        half[3][j] = _mm512_sub_ps(d1, d3);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++, to += 4 * plane) {
        _mm512_storeu_ps(to, _mm512_sub_ps(half[i][0], half[i][2]));
        _mm512_storeu_ps(to + plane, _mm512_add_ps(half[i][1], half[i][2]));
        _mm512_storeu_ps(to + 2 * plane, _mm512_sub_ps(half[i][2], half[i][1]));
        _mm512_storeu_ps(to + 3 * plane, _mm512_sub_ps(half[i][1], half[i][3]));
    }
}

AVX512 INLINE void gradient(const float *block, const WinogradTile *tile, float *to, gint64 plane)
{
    const __m512 zero = _mm512_setzero_ps();
    __m512 half[4][2]; /* A d */
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
        __m512 d0 = pixel(block, tile, FALSE, 1, j + 1), d1 = pixel(block, tile, FALSE, 2, j + 1);
        half[0][j] = d0;
        half[1][j] = _mm512_add_ps(d0, d1);
        half[2][j] = _mm512_sub_ps(d0, d1);
        half[3][j] = _mm512_sub_ps(zero, d1);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++, to += 4 * plane) {
        _mm512_storeu_ps(to, half[i][0]);
        _mm512_storeu_ps(to + plane, _mm512_add_ps(half[i][0], half[i][1]));
        _mm512_storeu_ps(to + 2 * plane, _mm512_sub_ps(half[i][0], half[i][1]));
        _mm512_storeu_ps(to + 3 * plane, _mm512_sub_ps(zero, half[i][1]));
    }
}

AVX512 INLINE void output(const float *from, gint64 plane, __m512 bias, const WinogradTile *tile, float *block)
{
    __m512 half[2][4]; /* A' m */
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++, from += plane) {
        __m512 m0 = _mm512_loadu_ps(from), m1 = _mm512_loadu_ps(from + 4 * plane);
        __m512 m2 = _mm512_loadu_ps(from + 8 * plane), m3 = _mm512_loadu_ps(from + 12 * plane);
        half[0][j] = _mm512_add_ps(_mm512_add_ps(m0, m1), m2);
        half[1][j] = _mm512_sub_ps(_mm512_sub_ps(m1, m2), m3);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
        float *row = block + tile->row[i + 1];
        __m512 left = _mm512_add_ps(_mm512_add_ps(_mm512_add_ps(half[i][0], half[i][1]), half[i][2]), bias);
        __m512 right = _mm512_add_ps(_mm512_sub_ps(_mm512_sub_ps(half[i][1], half[i][2]), half[i][3]), bias);
        if (tile->inside >> (4 * (i + 1) + 1) & 1)
            _mm512_storeu_ps(row + tile->column[1], left);
        if (tile->inside >> (4 * (i + 1) + 2) & 1)
            _mm512_storeu_ps(row + tile->column[2], right);
    }
}

/* Where block @b of the wanted channels of the tile's picture begins. */
static inline gint64 find_block(const WinogradTiling *tiling, const WinogradTile *tile,
                                const WinogradActivation *activation, gint64 b)
{
    gint64 channel = tile->picture * activation->channels + activation->first + b * WINOGRAD_LANES;
    return channel * tiling->height * tiling->width;
}

AVX512 void cpu_winograd_patches(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles,
                                 const WinogradActivation *activation, const float *from, const WinogradPlanes *to)
{
    for (gint64 b = 0; b < activation->count / WINOGRAD_LANES; b++)
        for (gint64 t = 0; t < n_tiles; t++) {
            const float *block = from + find_block(tiling, &tiles[t], activation, b);
            float *target = to->data + t * to->row + b * WINOGRAD_LANES;
            if (tiles[t].inside == ALL_INSIDE)
                patch(block, &tiles[t], TRUE, target, to->plane);
            else
                patch(block, &tiles[t], FALSE, target, to->plane);
        }
}

AVX512 void cpu_winograd_gradients(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles,
                                   const WinogradActivation *activation, const float *from, const WinogradPlanes *to)
{
    for (gint64 b = 0; b < activation->count / WINOGRAD_LANES; b++)
        for (gint64 t = 0; t < n_tiles; t++)
            gradient(from + find_block(tiling, &tiles[t], activation, b), &tiles[t],
                     to->data + t * to->row + b * WINOGRAD_LANES, to->plane);
}

AVX512 void cpu_winograd_outputs(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles,
                                 const WinogradPlanes *from, const WinogradActivation *activation, const float *bias,
                                 float *to)
{
    for (gint64 b = 0; b < activation->count / WINOGRAD_LANES; b++) {
        __m512 add = bias ? _mm512_loadu_ps(bias + b * WINOGRAD_LANES) : _mm512_setzero_ps();
        for (gint64 t = 0; t < n_tiles; t++)
            output(from->data + t * from->row + b * WINOGRAD_LANES, from->plane, add, &tiles[t],
                   to + find_block(tiling, &tiles[t], activation, b));
    }
}

/* G times a column of three: (a, (a + b + c) / 2, (a - b + c) / 2, c). */
AVX512 INLINE void spread(__m512 a, __m512 b, __m512 c, __m512 *result)
{
    const __m512 one_half = _mm512_set1_ps(0.5f);
    __m512 outer = _mm512_add_ps(a, c);
    result[0] = a;
    result[1] = _mm512_mul_ps(one_half, _mm512_add_ps(outer, b));
    result[2] = _mm512_mul_ps(one_half, _mm512_sub_ps(outer, b));
    result[3] = c;
}

/* G g G' of 16 kernels that lie @distance floats apart, the taps of each from @first on in steps of @step: 1, or -1 to turn them. */
AVX512 INLINE void kernels(const float *first, int distance, int step, float *to, gint64 plane)
{
    const __m512i lanes = _mm512_mullo_epi32(_mm512_set1_epi32(distance),
                                             _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    __m512 half[3][4]; /* (G g)', by columns of g */
#pragma GCC unroll 3
    for (int j = 0; j < 3; j++)
        spread(_mm512_i32gather_ps(lanes, first + j * step, 4), _mm512_i32gather_ps(lanes, first + (3 + j) * step, 4),
               _mm512_i32gather_ps(lanes, first + (6 + j) * step, 4), half[j]);
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) {
        __m512 whole[4];
        spread(half[0][r], half[1][r], half[2][r], whole);
#pragma GCC unroll 4
        for (int c = 0; c < 4; c++)
            _mm512_storeu_ps(to + (4 * r + c) * plane, whole[c]);
    }
}

/* Where row @row and column @column of the planes' matrices, @rows high, lie in their panels. */
static float *in_panels(const WinogradPlanes *planes, gint64 rows, gint64 row, gint64 column)
{
    return planes->data + (column / WINOGRAD_PANEL * rows + row) * WINOGRAD_PANEL + column % WINOGRAD_PANEL;
}

AVX512 void cpu_winograd_weights(const float *weight, gint64 o, gint64 outputs, gint64 inputs, const WinogradPlanes *to)
{
    for (gint64 i = 0; i < inputs; i += WINOGRAD_LANES)
        kernels(weight + (o * inputs + i) * 9 + 8, 9, -1, in_panels(to, outputs, o, i), to->plane);
}

AVX512 void cpu_winograd_filters(const float *weight, gint64 i, gint64 outputs, gint64 inputs, const WinogradPlanes *to)
{
    for (gint64 o = 0; o < outputs; o += WINOGRAD_LANES)
        kernels(weight + (o * inputs + i) * 9, (int)inputs * 9, 1, in_panels(to, inputs, i, o), to->plane);
}

/* G' times a column of four: (a + (b + c) / 2, (b - c) / 2, (b + c) / 2 + d). */
AVX512 INLINE void gather_up(__m512 a, __m512 b, __m512 c, __m512 d, __m512 *result)
{
    const __m512 one_half = _mm512_set1_ps(0.5f);
    __m512 mean = _mm512_mul_ps(one_half, _mm512_add_ps(b, c));
    result[0] = _mm512_add_ps(a, mean);
    result[1] = _mm512_mul_ps(one_half, _mm512_sub_ps(b, c));
    result[2] = _mm512_add_ps(mean, d);
}

AVX512 void cpu_winograd_weight_gradient(const float *sums, float *dweight)
{
    __m512 half[4][3]; /* (G' m)', by columns of m */
    float taps[9][WINOGRAD_LANES];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        const float *column = sums + j * WINOGRAD_LANES;
        gather_up(_mm512_loadu_ps(column), _mm512_loadu_ps(column + 4 * WINOGRAD_LANES),
                  _mm512_loadu_ps(column + 8 * WINOGRAD_LANES), _mm512_loadu_ps(column + 12 * WINOGRAD_LANES), half[j]);
    }
#pragma GCC unroll 3
    for (int r = 0; r < 3; r++) {
        __m512 whole[3];
        gather_up(half[0][r], half[1][r], half[2][r], half[3][r], whole);
        for (int c = 0; c < 3; c++)
            _mm512_storeu_ps(taps[3 * r + c], whole[c]);
    }
    for (int lane = 0; lane < WINOGRAD_LANES; lane++)
        for (int tap = 0; tap < 9; tap++)
            dweight[9 * lane + tap] = taps[tap][lane];
}
