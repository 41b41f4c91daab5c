/* Matrix products with AVX2 and FMA. */
#include "backend/cpu/cpu_vector_avx2.h"

#define KERNELS cpu_product_avx2
#define NAME "aimfair:product_avx2"
#define ROWS 6
/* Where c is wide its rows meet in few sets of the first cache: measured on Zen 3, 76 instead of 55 GFLOP/s. */
#define PREFETCH_NEXT_TILE

#include "backend/cpu/cpu_product_tile.h"
