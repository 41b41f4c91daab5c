/*
 * Winograd's transforms of activations, written once for all instruction sets and types of activations: a file that
 * includes this has defined ELEMENT, the type, TARGET and the vectors of one of cpu_vector_*.h, and pixel().
 */
#include "backend/cpu/cpu_winograd_kernels.h"

enum { ALL_INSIDE = 0xffff };

/* A constant @whole makes two versions, the one for the many tiles in the middle without questions. */
VECTOR_INLINE void patch(const ELEMENT *block, const WinogradTile *tile, gboolean whole, float *to, gint64 plane)
{
    Vector half[4][4]; /* B' d */
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        Vector d0 = pixel(block, tile, whole, 0, j), d1 = pixel(block, tile, whole, 1, j);
        Vector d2 = pixel(block, tile, whole, 2, j), d3 = pixel(block, tile, whole, 3, j);
        half[0][j] = vector_subtract(d0, d2);
        half[1][j] = vector_add(d1, d2);
        half[2][j] = vector_subtract(d2, d1);
        half[3][j] = vector_subtract(d1, d3);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++, to += 4 * plane) {
        vector_store(to, vector_subtract(half[i][0], half[i][2]));
        vector_store(to + plane, vector_add(half[i][1], half[i][2]));
        vector_store(to + 2 * plane, vector_subtract(half[i][2], half[i][1]));
        vector_store(to + 3 * plane, vector_subtract(half[i][1], half[i][3]));
    }
}

VECTOR_INLINE void gradient(const ELEMENT *block, const WinogradTile *tile, float *to, gint64 plane)
{
    const Vector zero = vector_fill(0);
    Vector half[4][2]; /* A d */
#pragma GCC unroll 2
    for (int j = 0; j < 2; j++) {
        Vector d0 = pixel(block, tile, FALSE, 1, j + 1), d1 = pixel(block, tile, FALSE, 2, j + 1);
        half[0][j] = d0;
        half[1][j] = vector_add(d0, d1);
        half[2][j] = vector_subtract(d0, d1);
        half[3][j] = vector_subtract(zero, d1);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++, to += 4 * plane) {
        vector_store(to, half[i][0]);
        vector_store(to + plane, vector_add(half[i][0], half[i][1]));
        vector_store(to + 2 * plane, vector_subtract(half[i][0], half[i][1]));
        vector_store(to + 3 * plane, vector_subtract(zero, half[i][1]));
    }
}

/* Where block @b of the wanted channels of the tile's picture begins. */
static inline gint64 find_block(const WinogradTiling *tiling, const WinogradTile *tile,
                                const WinogradActivation *activation, gint64 b)
{
    gint64 channel = tile->picture * activation->channels + activation->first + b * LANES;
    return channel * tiling->height * tiling->width;
}
