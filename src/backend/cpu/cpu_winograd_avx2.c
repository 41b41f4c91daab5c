/* Winograd's transforms with AVX2. */
#include "backend/cpu/cpu_vector_avx2.h"

#define KERNELS cpu_winograd_avx2
#define NAME "aimfair:winograd_avx2"
#define PRODUCT cpu_product_avx2

#include "backend/cpu/cpu_winograd_tile.h"
