/* Matrix products in f32, in register tiles: a form for each instruction set. Sizes and distances count floats. */
#pragma once

#include <glib.h>

/**
 * CpuProduct: c (rows, columns) = a (rows, depth) b (depth, columns), or += if @accumulate. b comes in panels of as
 * many columns as CpuProductKernels says, the last one filled up: row k of panel p begins at b + p * b_panel + k *
 * b_step. Element (r, k) of a lies at a + tile * a_tile + (r - first row of its tile) * a_row + k * a_step, where a
 * tile has as many rows as CpuProductKernels says. Every element of c is one sum over k in order, so that neither its
 * place nor its neighbours matter to its bits; what it is added to comes last, so that the errors of a long sum in
 * parts grow with the parts' length and number, not with their product.
 */
typedef struct {
    gint64 rows, columns, depth;
    const float *a, *b;
    float *c;
    gint64 a_tile, a_row, a_step, b_step, b_panel, c_row;
    gboolean accumulate;
} CpuProduct;

/** CpuProductKernels: @rows and @panel: of a register tile; they fill the registers of the instruction set. */
typedef struct {
    const char *name;
    int rows, panel;
    void (*multiply)(const CpuProduct *product);
} CpuProductKernels;

enum { CPU_MOST_PRODUCT_ROWS = 8, CPU_MOST_PANEL = 32 };

extern const CpuProductKernels cpu_product_plain, cpu_product_avx2, cpu_product_avx512;
