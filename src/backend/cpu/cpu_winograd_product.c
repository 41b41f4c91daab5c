/* The matrix products of Winograd's convolution, in register tiles of eight rows and two vectors of columns. */
#include "backend/cpu/cpu_winograd.h"

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f")))

enum { ROWS = WINOGRAD_PRODUCT_ROWS };

/* Its 16 sums are enough to hide the latency of the additions: it runs at the processor's peak while b is in the first cache. */
AVX512 static void multiply_tile(const WinogradProduct *product, const float *a, const float *b, float *c)
{
    const gint64 a_row = product->a_row, a_step = product->a_step, b_step = product->b_step, c_row = product->c_row;
    __m512 sums[ROWS][2];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
        sums[r][0] = product->accumulate ? _mm512_loadu_ps(c + r * c_row) : _mm512_setzero_ps();
        sums[r][1] = product->accumulate ? _mm512_loadu_ps(c + r * c_row + 16) : _mm512_setzero_ps();
    }
    for (gint64 k = 0; k < product->depth; k++, a += a_step, b += b_step) {
        __m512 b0 = _mm512_loadu_ps(b), b1 = _mm512_loadu_ps(b + 16);
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; r++) {
            __m512 factor = _mm512_set1_ps(a[r * a_row]);
            sums[r][0] = _mm512_fmadd_ps(factor, b0, sums[r][0]);
            sums[r][1] = _mm512_fmadd_ps(factor, b1, sums[r][1]);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
        _mm512_storeu_ps(c + r * c_row, sums[r][0]);
        _mm512_storeu_ps(c + r * c_row + 16, sums[r][1]);
    }
}

void cpu_winograd_product(const WinogradProduct *product)
{
    for (gint64 panel = 0; panel < product->columns / WINOGRAD_PANEL; panel++)
        for (gint64 r = 0; r < product->rows; r += ROWS)
            multiply_tile(product, product->a + r * product->a_row, product->b + panel * product->b_panel,
                          product->c + r * product->c_row + panel * WINOGRAD_PANEL);
}
