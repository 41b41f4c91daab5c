/*
 * After Goto and van de Geijn 2008 ("Anatomy of high-performance matrix multiplication"): a piece of c is worked on
 * for DEPTH steps at a time, so that a's rows stay in the second cache and one panel of b in the first. Only rows of a
 * that are not contiguous are packed. Where the depth is by far the longest, both are, some parts of it at a time: what
 * is packed then stays in the third cache, and each number is packed once.
 */
#include "backend/cpu/cpu_gemm.h"

#include <omp.h>
#include <string.h>

enum {
    PIECE_ROWS = 96,     /* at most; a multiple of every tile's rows */
    PIECE_COLUMNS = 512, /* at most, so that c's rows stay in the second cache too; a multiple of every panel */
    DEPTH = 256,
    PIECES_PER_THREAD = 4, /* at least, where there are panels enough, for an even load */
    PARTS = 4,             /* of DEPTH steps, packed at a time */
    PACKED_STEPS = 8,      /* at a time: as few as rows of pages that are looked up fast; DEPTH has whole ones of it */
};

static gint64 count(gint64 n, gint64 step)
{
    return (n + step - 1) / step;
}

CpuGemm cpu_gemm(gint64 rows, gint64 columns, gint64 depth, int n_threads)
{
    CpuGemm gemm = {
        .kernels = cpu_product_kernels(), .rows = rows, .columns = columns, .depth = depth, .n_threads = n_threads
    };
    gint64 panel = gemm.kernels->panel, tile = gemm.kernels->rows;
    gint64 panels = count(columns, panel);
    gemm.n_row_pieces = count(rows, PIECE_ROWS);
    gemm.piece_rows = count(count(rows, gemm.n_row_pieces), tile) * tile;
    gemm.n_row_pieces = count(rows, gemm.piece_rows);
    gint64 wanted = MAX(count(columns, PIECE_COLUMNS), count(n_threads * PIECES_PER_THREAD, gemm.n_row_pieces));
    gemm.piece_columns = count(panels, CLAMP(wanted, 1, panels)) * panel;
    gemm.n_column_pieces = count(columns, gemm.piece_columns);
    return gemm;
}

/* --- Packing --- */

gsize cpu_gemm_panels_bytes(gint64 depth, gint64 columns)
{
    gint64 panel = cpu_product_kernels()->panel;
    return (gsize)(count(columns, panel) * panel * depth) * sizeof(float);
}

static void pack_panel(const CpuMatrix *b, gint64 depth, gint64 first, gint64 columns, gint64 panel, float *to)
{
    for (gint64 k = 0; k < depth; k++, to += panel) {
        const float *from = b->data + k * b->row + first * b->column;
        if (b->column == 1)
            memcpy(to, from, (gsize)columns * sizeof *to);
        else
            for (gint64 c = 0; c < columns; c++)
                to[c] = from[c * b->column];
        for (gint64 c = columns; c < panel; c++)
            to[c] = 0;
    }
}

gint64 cpu_gemm_panels(gint64 columns)
{
    return count(columns, cpu_product_kernels()->panel);
}

void cpu_gemm_pack_panel(const CpuMatrix *b, gint64 depth, gint64 columns, gint64 index, float *panels)
{
    gint64 panel = cpu_product_kernels()->panel, first = index * panel;
    pack_panel(b, depth, first, MIN(panel, columns - first), panel, panels + first * depth);
}

void cpu_gemm_pack(const CpuMatrix *b, gint64 depth, gint64 columns, float *panels)
{
#pragma omp parallel for schedule(static)
    for (gint64 i = 0; i < cpu_gemm_panels(columns); i++)
        cpu_gemm_pack_panel(b, depth, columns, i, panels);
}

/*
 * Rows [first, first + rows) of a, @depth columns from @k on, as tiles [rows / tile][depth][tile]; what is no row is
 * zero.
 */
static void pack_rows(const CpuMatrix *a, gint64 first, gint64 rows, gint64 k, gint64 depth, gint64 tile, float *to)
{
    for (gint64 row = 0; row < rows; row += tile, to += tile * depth) {
        const float *from = a->data + (first + row) * a->row + k * a->column;
        gint64 there = MIN(tile, rows - row);
        if (there < tile)
            memset(to, 0, (gsize)(tile * depth) * sizeof *to);
        for (gint64 d = 0; d < depth; d++)
            for (gint64 r = 0; r < there; r++)
                to[d * tile + r] = from[r * a->row + d * a->column];
    }
}

/* --- Multiplying --- */

gsize cpu_gemm_thread_bytes(const CpuGemm *gemm)
{
    return (gsize)(gemm->piece_rows * MIN(DEPTH, gemm->depth) + 15) / 16 * 16 * sizeof(float);
}

gsize cpu_gemm_scratch_bytes(const CpuGemm *gemm)
{
    return (gsize)gemm->n_threads * cpu_gemm_thread_bytes(gemm);
}

/* What the sums of a piece begin with. */
static void fill_biases(const CpuGemmOperands *operands, gint64 first_row, gint64 rows, gint64 first_column,
                        gint64 columns)
{
    for (gint64 r = first_row; r < first_row + rows; r++) {
        float *c = operands->c + r * operands->c_row + first_column;
        if (operands->column_bias)
            memcpy(c, operands->column_bias + first_column, (gsize)columns * sizeof *c);
        else
            for (gint64 i = 0; i < columns; i++)
                c[i] = operands->row_bias[r];
    }
}

gint64 cpu_gemm_pieces(const CpuGemm *gemm)
{
    return gemm->n_row_pieces * gemm->n_column_pieces;
}

void cpu_gemm_run_piece(const CpuGemm *gemm, const CpuGemmOperands *operands, gint64 index)
{
    const CpuMatrix *a = &operands->a;
    float *packed = operands->scratch + (gsize)omp_get_thread_num() * cpu_gemm_thread_bytes(gemm) / sizeof *packed;
    gint64 first_row = index / gemm->n_column_pieces * gemm->piece_rows;
    gint64 first_column = index % gemm->n_column_pieces * gemm->piece_columns;
    gint64 rows = MIN(gemm->piece_rows, gemm->rows - first_row);
    gint64 columns = MIN(gemm->piece_columns, gemm->columns - first_column);
    gint64 tile = gemm->kernels->rows, panel = gemm->kernels->panel;
    gboolean has_bias = operands->row_bias || operands->column_bias, packs = a->column != 1;
    if (has_bias)
        fill_biases(operands, first_row, rows, first_column, columns);
    for (gint64 k = 0; k < gemm->depth; k += DEPTH) {
        gint64 depth = MIN(DEPTH, gemm->depth - k);
        if (packs)
            pack_rows(a, first_row, rows, k, depth, tile, packed);
        gemm->kernels->multiply(&(CpuProduct){
            .rows = rows,
            .columns = columns,
            .depth = depth,
            .a = packs ? packed : a->data + first_row * a->row + k,
            .a_tile = tile * (packs ? depth : a->row),
            .a_row = packs ? 1 : a->row,
            .a_step = packs ? tile : 1,
            .b = operands->panels + first_column * gemm->depth + k * panel,
            .b_step = panel,
            .b_panel = panel * gemm->depth,
            .c = operands->c + first_row * operands->c_row + first_column,
            .c_row = operands->c_row,
            .accumulate = has_bias || k > 0,
        });
    }
}

void cpu_gemm_run(const CpuGemm *gemm, const CpuGemmOperands *operands)
{
#pragma omp parallel for schedule(dynamic) num_threads(gemm->n_threads)
    for (gint64 index = 0; index < cpu_gemm_pieces(gemm); index++)
        cpu_gemm_run_piece(gemm, operands, index);
}

/* --- Long sums --- */

/* Of a part of @n rows as tiles, or columns as panels, of @width, filled up to cache lines. */
static gint64 part_floats(const CpuGemm *gemm, gint64 n, gint64 width)
{
    return count(count(n, width) * width * MIN(DEPTH, gemm->depth), 16) * 16;
}

static gint64 a_part_floats(const CpuGemm *gemm)
{
    return part_floats(gemm, gemm->rows, gemm->kernels->rows);
}

static gint64 b_part_floats(const CpuGemm *gemm)
{
    return part_floats(gemm, gemm->columns, gemm->kernels->panel);
}

static gint64 parts(const CpuGemm *gemm)
{
    return MIN(PARTS, count(gemm->depth, DEPTH));
}

gsize cpu_gemm_long_bytes(const CpuGemm *gemm)
{
    return (gsize)((a_part_floats(gemm) + b_part_floats(gemm)) * parts(gemm)) * sizeof(float);
}

/* Steps of one part, n numbers each, @from on: as [n / width][depth][width]. @width is a constant. */
static inline __attribute__((always_inline)) void pack_widths(const float *from, gint64 step, gint64 n, gint64 steps,
                                                              gint64 depth, float *to, const gint64 width)
{
    for (gint64 i = 0; i < n; i += width, to += depth * width)
        for (gint64 s = 0; s < steps; s++) {
            const gint64 there = MIN(width, n - i);
            float *row = to + s * width;
            if (there == width)
                memcpy(row, from + s * step + i, (gsize)width * sizeof *row);
            else
                for (gint64 c = 0; c < width; c++)
                    row[c] = c < there ? from[s * step + i + c] : 0;
        }
}

static void pack_steps(const float *from, gint64 step, gint64 n, gint64 steps, gint64 depth, float *to, gint64 width)
{
    switch (width) {
    case 6:
        pack_widths(from, step, n, steps, depth, to, 6);
        break;
    case 8:
        pack_widths(from, step, n, steps, depth, to, 8);
        break;
    case 16:
        pack_widths(from, step, n, steps, depth, to, 16);
        break;
    case 32:
        pack_widths(from, step, n, steps, depth, to, 32);
        break;
    default:
        pack_widths(from, step, n, steps, depth, to, width);
    }
}

/* Steps [first, first + PACKED_STEPS) of the depth, or as many as there are, of both factors. */
static void pack_both(const CpuGemm *gemm, const float *a, const float *b, gint64 first, float *as, float *bs)
{
    const gint64 part = first / DEPTH, within = first % DEPTH;
    const gint64 depth = MIN(DEPTH, gemm->depth - part * DEPTH), steps = MIN(PACKED_STEPS, depth - within);
    const gint64 tile = gemm->kernels->rows, panel = gemm->kernels->panel;
    as += part % PARTS * a_part_floats(gemm);
    bs += part % PARTS * b_part_floats(gemm);
    pack_steps(a + first * gemm->rows, gemm->rows, gemm->rows, steps, depth, as + within * tile, tile);
    pack_steps(b + first * gemm->columns, gemm->columns, gemm->columns, steps, depth, bs + within * panel, panel);
}

/* Adds parts from the depth @start on, as many as are packed, to one piece of c. */
static void multiply_parts(const CpuGemm *gemm, gint64 start, gint64 index, const float *as, const float *bs, float *c)
{
    const gint64 tile = gemm->kernels->rows, panel = gemm->kernels->panel;
    const gint64 first_row = index / gemm->n_column_pieces * gemm->piece_rows;
    const gint64 first_column = index % gemm->n_column_pieces * gemm->piece_columns;
    for (gint64 k = start; k < MIN(gemm->depth, start + PARTS * DEPTH); k += DEPTH) {
        const gint64 depth = MIN(DEPTH, gemm->depth - k);
        gemm->kernels->multiply(&(CpuProduct){
            .rows = MIN(gemm->piece_rows, gemm->rows - first_row),
            .columns = MIN(gemm->piece_columns, gemm->columns - first_column),
            .depth = depth,
            .a = as + first_row * depth,
            .a_tile = tile * depth,
            .a_row = 1,
            .a_step = tile,
            .b = bs + first_column * depth,
            .b_step = panel,
            .b_panel = panel * depth,
            .c = c + first_row * gemm->columns + first_column,
            .c_row = gemm->columns,
            .accumulate = k > 0,
        });
        as += a_part_floats(gemm);
        bs += b_part_floats(gemm);
    }
}

void cpu_gemm_run_long(const CpuGemm *gemm, const float *a, const float *b, float *c, float *scratch)
{
    float *as = scratch, *bs = scratch + parts(gemm) * a_part_floats(gemm);
#pragma omp parallel num_threads(gemm->n_threads)
    for (gint64 start = 0; start < gemm->depth; start += PARTS * DEPTH) {
        const gint64 end = MIN(gemm->depth, start + PARTS * DEPTH);
#pragma omp for schedule(static)
        for (gint64 first = start; first < end; first += PACKED_STEPS)
            pack_both(gemm, a, b, first, as, bs);
#pragma omp for schedule(dynamic)
        for (gint64 index = 0; index < cpu_gemm_pieces(gemm); index++)
            multiply_parts(gemm, start, index, as, bs, c);
    }
}
