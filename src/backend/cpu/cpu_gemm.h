/*
 * Whole matrix products in f32, c = a b + bias, by as many threads as there are. An element of c is summed in the order
 * of its depth, in parts of one length, whatever the other sizes, the number of threads and its place: a row's result
 * does not depend on the other rows, to the bit. Nothing is allocated: the caller gives the scratch memory.
 */
#pragma once

#include "backend/cpu/cpu_product.h"

/** CpuMatrix: element (r, c) lies at data[r * row + c * column]. */
typedef struct {
    const float *data;
    gint64 row, column;
} CpuMatrix;

/**
 * CpuGemm: a product of a (rows, depth) and b (depth, columns) cut into pieces for @n_threads. Fields are cpu_gemm.c's
 * own.
 */
typedef struct {
    const CpuProductKernels *kernels;
    gint64 rows, columns, depth;
    gint64 piece_rows, piece_columns; /* of c, one piece of work */
    gint64 n_row_pieces, n_column_pieces;
    int n_threads;
} CpuGemm;

CpuGemm cpu_gemm(gint64 rows, gint64 columns, gint64 depth, int n_threads);

/** cpu_gemm_panels_bytes: of b as panels, [columns / panel, rounded up][depth][panel], zero where no column is. */
gsize cpu_gemm_panels_bytes(gint64 depth, gint64 columns);
/** cpu_gemm_pack: @b (depth, columns) as panels. */
void cpu_gemm_pack(const CpuMatrix *b, gint64 depth, gint64 columns, float *panels);
/** cpu_gemm_panels, cpu_gemm_pack_panel: how many panels there are; one of them, by the calling thread alone. */
gint64 cpu_gemm_panels(gint64 columns);
void cpu_gemm_pack_panel(const CpuMatrix *b, gint64 depth, gint64 columns, gint64 index, float *panels);

/** cpu_gemm_scratch_bytes: for all threads; cpu_gemm_thread_bytes: for one of them. */
gsize cpu_gemm_scratch_bytes(const CpuGemm *gemm);
gsize cpu_gemm_thread_bytes(const CpuGemm *gemm);
/**
 * CpuGemmOperands: of one run.
 * @panels: b, packed; @c: (rows, columns), rows @c_row apart
 * @row_bias: (rows, nullable), @column_bias: (columns, nullable): what the sums begin with, one of them at most
 * @scratch: of cpu_gemm_scratch_bytes, aligned to 64 bytes
 */
typedef struct {
    CpuMatrix a;
    const float *panels, *row_bias, *column_bias;
    float *c;
    gint64 c_row;
    float *scratch;
} CpuGemmOperands;

void cpu_gemm_run(const CpuGemm *gemm, const CpuGemmOperands *operands);
/** cpu_gemm_pieces, cpu_gemm_run_piece: the same piece by piece, for who has threads and many products of one size. */
gint64 cpu_gemm_pieces(const CpuGemm *gemm);
void cpu_gemm_run_piece(const CpuGemm *gemm, const CpuGemmOperands *operands, gint64 index);

/** cpu_gemm_long_bytes: of scratch memory for cpu_gemm_run_long. */
gsize cpu_gemm_long_bytes(const CpuGemm *gemm);
/**
 * cpu_gemm_run_long: for a depth by far longer than rows and columns. @a: (depth, rows) and @b: (depth, columns), both
 * contiguous; @c: (rows, columns), contiguous; @scratch: aligned to 64 bytes. The bits are those of cpu_gemm_run.
 */
void cpu_gemm_run_long(const CpuGemm *gemm, const float *a, const float *b, float *c, float *scratch);
