/*
 * The parts of Winograd's F(2x2, 3x3) in AVX-512 (Lavin and Gray 2015, arXiv 1509.09308, section 4.1): a 3x3 convolution of stride 1
 * and padding 1 gives 2x2 outputs from a 4x4 patch of its input by 16 multiplications instead of 36,
 *
 *   y = A' [(G g G') * (B' d B)] A
 *
 * where ' transposes and * multiplies each of the 16 positions alone, so that over channels and tiles a position is a matrix product.
 * Activations lie as [N][C / 16][H][W][16], weights row-major; channels are multiples of 64. Sizes count floats.
 */
#pragma once

#include <glib.h>

enum { WINOGRAD_POSITIONS = 16, WINOGRAD_LANES = 16, WINOGRAD_PANEL = 32, WINOGRAD_PRODUCT_ROWS = 8 };

/** WinogradTiling: how pictures are cut into 2x2 tiles; the last row and column may hang over. */
typedef struct {
    gint64 n, height, width;
    gint64 rows, columns; /* of tiles in one picture */
    gint64 tiles;         /* in all pictures */
} WinogradTiling;

/** WinogradTile: the 4x4 patch around a tile, which is the middle of it. Positions outside are moved to the nearest inside. */
typedef struct {
    gint64 picture;
    gint64 row[4], column[4]; /* offsets in a block of channels */
    unsigned inside;          /* bit 4 * i + j: row i, column j exists */
} WinogradTile;

/** WinogradPlanes: 16 matrices (tiles, channels), one for each position. */
typedef struct {
    float *data;
    gint64 row, plane; /* how far apart rows and matrices lie */
} WinogradPlanes;

/** WinogradActivation: of all its @channels those in [first, first + count) are meant. */
typedef struct {
    gint64 channels, first, count;
} WinogradActivation;

/** cpu_winograd_tiling: of @n pictures. */
WinogradTiling cpu_winograd_tiling(gint64 n, gint64 height, gint64 width);
/** cpu_winograd_locate: fills in @tiles (count), the ones from @first on. */
void cpu_winograd_locate(const WinogradTiling *tiling, gint64 first, gint64 count, WinogradTile *tiles);

/** cpu_winograd_patches: B' d B of the patches d around the tiles. */
void cpu_winograd_patches(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles,
                          const WinogradActivation *activation, const float *from, const WinogradPlanes *to);
/** cpu_winograd_gradients: A d A' of the tiles d themselves. */
void cpu_winograd_gradients(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles,
                            const WinogradActivation *activation, const float *from, const WinogradPlanes *to);
/** cpu_winograd_outputs: the tiles A' m A of the sums m, plus @bias (nullable), one for each channel. */
void cpu_winograd_outputs(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles,
                          const WinogradPlanes *from, const WinogradActivation *activation, const float *bias,
                          float *to);

/**
 * cpu_winograd_weights: G g G' of output channel @o of @weight (O, inputs, 3, 3), each 3x3 turned by 180 degrees, which is what
 * the gradient of the input is convolved with. @to: each matrix (O, inputs) as panels of 32 columns, [inputs / 32][O][32].
 */
void cpu_winograd_weights(const float *weight, gint64 o, gint64 outputs, gint64 inputs, const WinogradPlanes *to);
/** cpu_winograd_filters: G g G' of input channel @i of @weight. @to: as panels of 32 columns, [outputs / 32][I][32]. */
void cpu_winograd_filters(const float *weight, gint64 i, gint64 outputs, gint64 inputs, const WinogradPlanes *to);
/** cpu_winograd_weight_gradient: G' m G for 16 input channels: @sums (16, 16 lanes) to @dweight (16, 3, 3). */
void cpu_winograd_weight_gradient(const float *sums, float *dweight);

/**
 * WinogradProduct: c (rows, columns) = a (rows, depth) b (depth, columns), or += if @accumulate. Rows are rounded up to the next
 * multiple of 8, in a and c; columns are a multiple of 32, and b comes in panels of as many. @a_row, @a_step, @b_step, @b_panel and
 * @c_row: how far apart a's rows, its columns, b's rows, b's panels and c's rows lie.
 */
typedef struct {
    gint64 rows, columns, depth;
    const float *a, *b;
    float *c;
    gint64 a_row, a_step, b_step, b_panel, c_row;
    gboolean accumulate;
} WinogradProduct;

void cpu_winograd_product(const WinogradProduct *product);
