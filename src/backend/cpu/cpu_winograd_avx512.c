/* Winograd's transforms with AVX-512. */
#include "backend/cpu/cpu_vector_avx512.h"

#define KERNELS cpu_winograd_avx512
#define NAME "aimfair:winograd"
#define PRODUCT cpu_product_avx512

#include "backend/cpu/cpu_winograd_tile.h"
