/* Winograd's transforms with AVX-512. */
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#include "backend/cpu/cpu_vector_avx512.h"

#define KERNELS cpu_winograd_avx512
#define NAME "aimfair:winograd"
#define PRODUCT cpu_product_avx512

#include "backend/cpu/cpu_winograd_tile.h"
