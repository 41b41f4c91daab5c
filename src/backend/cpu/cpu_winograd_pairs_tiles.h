/*
 * Winograd's F(2x2, 3x3) for the gradient of weights in bf16: as cpu_winograd_kernels.h has it, but that the
 * transformed values are bf16 and two tiles lie side by side, because VDPBF16PS multiplies two numbers by two numbers
 * and adds both products to a sum in f32.
 */
#pragma once

#include "backend/cpu/cpu_winograd_kernels.h"

enum { WINOGRAD_BLOCK = 64 /* channels of one product */, WINOGRAD_PAIR_LANES = 16 };

/** WinogradPairs: 16 matrices, one for each position, as [channels / 64][pairs of tiles][64][2]. */
typedef struct {
    guint16 *data;
    gint64 plane, block; /* how far apart matrices and their blocks of channels lie */
} WinogradPairs;

/**
 * WinogradPairKernels:
 * @patches, @gradients: B' d B of the patches around the @n_tiles tiles, or A d A' of the tiles themselves, of the 16
 * channels from @channel on; @channels in all. An odd tile is paired with zeros.
 * @multiply: sums (64, 64) = the transposed @a times @b, both [n][64][2], or += if @accumulate
 */
typedef struct {
    void (*patches)(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles, gint64 channels,
                    gint64 channel, const guint16 *from, const WinogradPairs *to);
    void (*gradients)(const WinogradTiling *tiling, const WinogradTile *tiles, gint64 n_tiles, gint64 channels,
                      gint64 channel, const guint16 *from, const WinogradPairs *to);
    void (*multiply)(const guint16 *a, const guint16 *b, gint64 n, float *sums, gboolean accumulate);
} WinogradPairKernels;

extern const WinogradPairKernels cpu_winograd_pairs;
