/* How pictures are cut into tiles, and which kernels work on them. */
#pragma once

#include "backend/cpu/cpu_winograd_kernels.h"

/** cpu_winograd_tiling: of @n pictures. */
WinogradTiling cpu_winograd_tiling(gint64 n, gint64 height, gint64 width, int lanes);
/** cpu_winograd_locate: fills in @tiles (count), the ones from @first on. */
void cpu_winograd_locate(const WinogradTiling *tiling, gint64 first, gint64 count, WinogradTile *tiles);

/** cpu_winograd_kernels: (nullable, borrowed) those of this processor's level; the baseline has none. */
const WinogradKernels *cpu_winograd_kernels(void);
