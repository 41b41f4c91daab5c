/*
 * The products of cpu_product_kernels.h, written once for all instruction sets: a file that includes this has defined
 * KERNELS, NAME, ROWS, and TARGET and the vectors of one of cpu_vector_*.h; PREFETCH_NEXT_TILE if the next rows of c
 * shall be asked for early. A tile is ROWS rows by two vectors of columns: enough sums to hide the latency of the
 * additions, and no more than there are registers.
 */
#include "backend/cpu/cpu_product_kernels.h"

#include <string.h>

enum { PANEL = 2 * LANES };

/* @rows is a constant, so that the sums stay in registers. */
VECTOR_INLINE void multiply_tile(const CpuProduct *product, const float *a, const float *b, float *c, gint64 c_row,
                                 const int rows)
{
    const gint64 a_row = product->a_row, a_step = product->a_step, b_step = product->b_step;
    Vector sums[ROWS][2];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        sums[r][0] = vector_fill(0);
        sums[r][1] = vector_fill(0);
    }
#ifdef PREFETCH_NEXT_TILE
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
        __builtin_prefetch(c + (ROWS + r) * c_row, 1);
#endif
    for (gint64 k = 0; k < product->depth; k++, a += a_step, b += b_step) {
        Vector b0 = vector_load(b), b1 = vector_load(b + LANES);
#pragma GCC unroll 8
        for (int r = 0; r < rows; r++) {
            Vector factor = vector_fill(a[r * a_row]);
            sums[r][0] = vector_multiply_add(factor, b0, sums[r][0]);
            sums[r][1] = vector_multiply_add(factor, b1, sums[r][1]);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        float *to = c + r * c_row;
        vector_store(to, product->accumulate ? vector_add(vector_load(to), sums[r][0]) : sums[r][0]);
        vector_store(to + LANES, product->accumulate ? vector_add(vector_load(to + LANES), sums[r][1]) : sums[r][1]);
    }
}

/* As many rows as are left, up to a whole tile. */
TARGET static void multiply_rows(const CpuProduct *product, gint64 rows, const float *a, const float *b, float *c,
                                 gint64 c_row)
{
    switch (MIN(rows, ROWS)) {
#if ROWS > 6
    case 8:
        multiply_tile(product, a, b, c, c_row, 8);
        break;
    case 7:
        multiply_tile(product, a, b, c, c_row, 7);
        break;
#endif
    case 6:
        multiply_tile(product, a, b, c, c_row, 6);
        break;
    case 5:
        multiply_tile(product, a, b, c, c_row, 5);
        break;
    case 4:
        multiply_tile(product, a, b, c, c_row, 4);
        break;
    case 3:
        multiply_tile(product, a, b, c, c_row, 3);
        break;
    case 2:
        multiply_tile(product, a, b, c, c_row, 2);
        break;
    default:
        multiply_tile(product, a, b, c, c_row, 1);
    }
}

/* A tile that hangs over the last column goes by way of one that does not. */
TARGET static void multiply_edge(const CpuProduct *product, gint64 rows, gsize columns, const float *a, const float *b,
                                 float *c)
{
    float whole[ROWS][PANEL] = { 0 };
    gsize bytes = columns * sizeof *c;
    for (gint64 r = 0; r < MIN(rows, ROWS) && product->accumulate; r++)
        memcpy(whole[r], c + r * product->c_row, bytes);
    multiply_rows(product, rows, a, b, whole[0], PANEL);
    for (gint64 r = 0; r < MIN(rows, ROWS); r++)
        memcpy(c + r * product->c_row, whole[r], bytes);
}

TARGET static void multiply(const CpuProduct *product)
{
    for (gint64 column = 0; column < product->columns; column += PANEL) {
        const float *a = product->a, *b = product->b + column / PANEL * product->b_panel;
        for (gint64 row = 0; row < product->rows; row += ROWS, a += product->a_tile) {
            float *c = product->c + row * product->c_row + column;
            if (column + PANEL <= product->columns)
                multiply_rows(product, product->rows - row, a, b, c, product->c_row);
            else
                multiply_edge(product, product->rows - row, (gsize)(product->columns - column), a, b, c);
        }
    }
}

const CpuProductKernels KERNELS = { NAME, ROWS, PANEL, multiply };
