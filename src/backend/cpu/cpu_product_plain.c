/* Matrix products for any processor. */
#include "backend/cpu/cpu_vector_plain.h"

#define KERNELS cpu_product_plain
#define NAME "aimfair:product"
#define ROWS 6
#define PREFETCH_NEXT_TILE

#include "backend/cpu/cpu_product_tile.h"
