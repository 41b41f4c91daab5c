/*
 * Winograd's transforms on f32, additions on vectors of one pixel's channels, written once for all instruction sets: a
 * file that includes this has defined KERNELS, NAME, PRODUCT (a CpuProductKernels), and TARGET and the vectors of one
 * of cpu_vector_*.h.
 */
#include "backend/cpu/cpu_winograd_kernels.h"

#define ELEMENT float
enum { PANEL = 2 * LANES };

/* The pixel at row @i and column @j of a patch, zero outside. */
VECTOR_INLINE Vector pixel(const float *block, const WinogradTile *tile, gboolean whole, int i, int j)
{
    const float *at = block + tile->row[i] + tile->column[j];
    return whole ? vector_load(at) : vector_load_if(tile->inside >> (4 * i + j) & 1, at);
}

#include "backend/cpu/cpu_winograd_transforms.h"

VECTOR_INLINE void output(const float *from, gint64 plane, Vector bias, const WinogradTile *tile, float *block)
{
    Vector half[2][4]; /* A' m */
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++, from += plane) {
        Vector m0 = vector_load(from), m1 = vector_load(from + 4 * plane);
        Vector m2 = vector_load(from + 8 * plane), m3 = vector_load(from + 12 * plane);
        half[0][j] = vector_add(vector_add(m0, m1), m2);
        half[1][j] = vector_subtract(vector_subtract(m1, m2), m3);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
        float *row = block + tile->row[i + 1];
        Vector left = vector_add(vector_add(vector_add(half[i][0], half[i][1]), half[i][2]), bias);
        Vector right = vector_add(vector_subtract(vector_subtract(half[i][1], half[i][2]), half[i][3]), bias);
        if (tile->inside >> (4 * (i + 1) + 1) & 1)
            vector_store(row + tile->column[1], left);
        if (tile->inside >> (4 * (i + 1) + 2) & 1)
            vector_store(row + tile->column[2], right);
    }
}

TARGET static void patches(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles,
                           const WinogradActivation *activation, const float *from, const WinogradPlanes *to)
{
    for (gint64 b = 0; b < activation->count / LANES; b++)
        for (gint64 t = 0; t < n_tiles; t++) {
            const float *block = from + find_block(tiling, &tiles[t], activation, b);
            float *target = to->data + t * to->row + b * LANES;
            if (tiles[t].inside == ALL_INSIDE)
                patch(block, &tiles[t], TRUE, target, to->plane);
            else
                patch(block, &tiles[t], FALSE, target, to->plane);
        }
}

TARGET static void gradients(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles,
                             const WinogradActivation *activation, const float *from, const WinogradPlanes *to)
{
    for (gint64 b = 0; b < activation->count / LANES; b++)
        for (gint64 t = 0; t < n_tiles; t++)
            gradient(from + find_block(tiling, &tiles[t], activation, b), &tiles[t], to->data + t * to->row + b * LANES,
                     to->plane);
}

TARGET static void outputs(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles,
                           const WinogradPlanes *from, const WinogradActivation *activation, const float *bias,
                           float *to)
{
    for (gint64 b = 0; b < activation->count / LANES; b++) {
        Vector add = bias ? vector_load(bias + b * LANES) : vector_fill(0);
        for (gint64 t = 0; t < n_tiles; t++)
            output(from->data + t * from->row + b * LANES, from->plane, add, &tiles[t],
                   to + find_block(tiling, &tiles[t], activation, b));
    }
}

/* --- Weights --- */

/* G times a column of three: (a, (a + b + c) / 2, (a - b + c) / 2, c). */
VECTOR_INLINE void spread(Vector a, Vector b, Vector c, Vector *result)
{
    const Vector one_half = vector_fill(0.5f);
    Vector outer = vector_add(a, c);
    result[0] = a;
    result[1] = vector_multiply(one_half, vector_add(outer, b));
    result[2] = vector_multiply(one_half, vector_subtract(outer, b));
    result[3] = c;
}

/*
 * G g G' of as many kernels as there are lanes, @distance floats apart, the taps of each from @first on in steps of
 * @step: 1, or -1 to turn them.
 */
VECTOR_INLINE void kernels(const float *first, gint64 distance, int step, float *to, gint64 plane)
{
    Vector half[3][4]; /* (G g)', by columns of g */
#pragma GCC unroll 3
    for (int j = 0; j < 3; j++)
        spread(vector_load_apart(first + j * step, distance), vector_load_apart(first + (3 + j) * step, distance),
               vector_load_apart(first + (6 + j) * step, distance), half[j]);
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++) {
        Vector whole[4];
        spread(half[0][r], half[1][r], half[2][r], whole);
#pragma GCC unroll 4
        for (int c = 0; c < 4; c++)
            vector_store(to + (4 * r + c) * plane, whole[c]);
    }
}

/* Where row @row and column @column of the planes' matrices, @rows high, lie in their panels. */
static float *in_panels(const WinogradPlanes *planes, gint64 rows, gint64 row, gint64 column)
{
    return planes->data + (column / PANEL * rows + row) * PANEL + column % PANEL;
}

TARGET static void turned(const float *weight, gint64 o, gint64 n_outputs, gint64 n_inputs, const WinogradPlanes *to)
{
    for (gint64 i = 0; i < n_inputs; i += LANES)
        kernels(weight + (o * n_inputs + i) * 9 + 8, 9, -1, in_panels(to, n_outputs, o, i), to->plane);
}

TARGET static void filters(const float *weight, gint64 i, gint64 n_outputs, gint64 n_inputs, const WinogradPlanes *to)
{
    for (gint64 o = 0; o < n_outputs; o += LANES)
        kernels(weight + (o * n_inputs + i) * 9, n_inputs * 9, 1, in_panels(to, n_inputs, i, o), to->plane);
}

/* G' times a column of four: (a + (b + c) / 2, (b - c) / 2, (b + c) / 2 + d). */
VECTOR_INLINE void gather_up(Vector a, Vector b, Vector c, Vector d, Vector *result)
{
    const Vector one_half = vector_fill(0.5f);
    Vector mean = vector_multiply(one_half, vector_add(b, c));
    result[0] = vector_add(a, mean);
    result[1] = vector_multiply(one_half, vector_subtract(b, c));
    result[2] = vector_add(mean, d);
}

TARGET static void weight_gradient(const float *sums, float *dweight)
{
    Vector half[4][3]; /* (G' m)', by columns of m */
    float taps[9][LANES];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        const float *column = sums + j * LANES;
        gather_up(vector_load(column), vector_load(column + 4 * LANES), vector_load(column + 8 * LANES),
                  vector_load(column + 12 * LANES), half[j]);
    }
#pragma GCC unroll 3
    for (int r = 0; r < 3; r++) {
        Vector whole[3];
        gather_up(half[0][r], half[1][r], half[2][r], half[3][r], whole);
        for (int c = 0; c < 3; c++)
            vector_store(taps[3 * r + c], whole[c]);
    }
    for (int lane = 0; lane < LANES; lane++)
        for (int tap = 0; tap < 9; tap++)
            dweight[9 * lane + tap] = taps[tap][lane];
}

const WinogradKernels KERNELS = {
    NAME, LANES, &PRODUCT, patches, gradients, outputs, filters, turned, weight_gradient
};
