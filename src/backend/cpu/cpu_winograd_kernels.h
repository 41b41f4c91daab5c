/*
 * The parts of Winograd's F(2x2, 3x3) (Lavin and Gray 2015, arXiv 1509.09308, section 4.1): a 3x3 convolution of
 * stride 1 and padding 1 gives 2x2 outputs from a 4x4 patch of its input by 16 multiplications instead of 36,
 *
 *   y = A' [(G g G') * (B' d B)] A
 *
 * where ' transposes and * multiplies each of the 16 positions alone, so that over channels and tiles a position is a
 * matrix product. Activations lie as [N][C / lanes][H][W][lanes], weights row-major; channels are multiples of 64.
 * Sizes count floats.
 */
#pragma once

#include "backend/cpu/cpu_product_kernels.h"

enum { WINOGRAD_POSITIONS = 16, WINOGRAD_MOST_LANES = 16 };

/** WinogradTiling: how pictures are cut into 2x2 tiles; the last row and column may hang over. */
typedef struct {
    gint64 n, height, width;
    int lanes;            /* channels of a block */
    gint64 rows, columns; /* of tiles in one picture */
    gint64 tiles;         /* in all pictures */
} WinogradTiling;

/**
 * WinogradTile: the 4x4 patch around a tile, which is the middle of it. Positions outside are moved to the nearest
 * inside.
 */
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

/**
 * WinogradKernels: for one instruction set, whose vectors hold @lanes channels.
 * @patches: B' d B of the patches d around the tiles; @gradients: A d A' of the tiles d themselves
 * @outputs: the tiles A' m A of the sums m, plus @bias (nullable), one for each channel
 * @filters: G g G' of input channel @i of @weight (O, I, 3, 3), into row @i of matrices (I, O) that lie as panels, [O
 * / panel][I][panel]
 * @turned: the same of output channel @o, each 3x3 turned by 180 degrees, which is what the gradient of the input is
 *   convolved with; into row @o of matrices (O, I), [I / panel][O][panel]
 * @weight_gradient: G' m G for @lanes input channels: @sums (16, lanes) to @dweight (lanes, 3, 3)
 */
typedef struct {
    const char *name;
    int lanes;
    const CpuProductKernels *product;
    void (*patches)(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles,
                    const WinogradActivation *activation, const float *from, const WinogradPlanes *to);
    void (*gradients)(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles,
                      const WinogradActivation *activation, const float *from, const WinogradPlanes *to);
    void (*outputs)(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles, const WinogradPlanes *from,
                    const WinogradActivation *activation, const float *bias, float *to);
    void (*filters)(const float *weight, gint64 i, gint64 outputs, gint64 inputs, const WinogradPlanes *to);
    void (*turned)(const float *weight, gint64 o, gint64 outputs, gint64 inputs, const WinogradPlanes *to);
    void (*weight_gradient)(const float *sums, float *dweight);
} WinogradKernels;

extern const WinogradKernels cpu_winograd_avx2, cpu_winograd_avx512;
