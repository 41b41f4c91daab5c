/* Matrix products with AVX-512. */
#include "backend/cpu/cpu_vector_avx512.h"

#define KERNELS cpu_product_avx512
#define NAME "aimfair:product_avx512"
#define ROWS 8

#include "backend/cpu/cpu_product_tile.h"
