#include "backend/cpu/cpu_winograd_tiles.h"

#include "base/instruction_set.h"

const WinogradKernels *cpu_winograd_kernels(void)
{
    static const WinogradKernels *const kernels[AIMF_N_ISAS] =
        AIMF_ISA_TABLE(NULL, &cpu_winograd_avx2, &cpu_winograd_avx512, &cpu_winograd_avx512);
    return kernels[aimf_instruction_set()];
}

WinogradTiling cpu_winograd_tiling(gint64 n, gint64 height, gint64 width, int lanes)
{
    gint64 rows = (height + 1) / 2, columns = (width + 1) / 2;
    return (WinogradTiling){ n, height, width, lanes, rows, columns, n * rows * columns };
}

void cpu_winograd_locate(const WinogradTiling *tiling, gint64 first, gint64 count, WinogradTile *tiles)
{
    for (gint64 t = 0; t < count; t++) {
        gint64 at = (first + t) % (tiling->rows * tiling->columns);
        gint64 top = at / tiling->columns * 2 - 1, left = at % tiling->columns * 2 - 1;
        unsigned rows_inside = 0, columns_inside = 0;
        WinogradTile *tile = &tiles[t];
        tile->picture = (first + t) / (tiling->rows * tiling->columns);
        for (int i = 0; i < 4; i++) {
            gint64 y = CLAMP(top + i, 0, tiling->height - 1), x = CLAMP(left + i, 0, tiling->width - 1);
            tile->row[i] = y * tiling->width * tiling->lanes;
            tile->column[i] = x * tiling->lanes;
            rows_inside |= y == top + i ? 0xfu << (4 * i) : 0;
            columns_inside |= x == left + i ? 0x1111u << i : 0;
        }
        tile->inside = rows_inside & columns_inside;
    }
}
