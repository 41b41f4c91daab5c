/* Attention in f32 with AVX2 and FMA. */
#include "backend/cpu/cpu_vector_avx2.h"
#include "base/instruction_set.h"

#define KERNELS cpu_attention_avx2
#define NAME "aimfair:flash_avx2"
#define PAIR 1
#define MOST_VECTORS 3
enum { ROWS = 4 };

static gboolean is_supported(void)
{
    return aimf_instruction_set() >= AIMF_ISA_AVX2;
}

VECTOR_INLINE Vector vector_larger(Vector a, Vector b)
{
    return _mm256_max_ps(a, b);
}

VECTOR_INLINE Vector vector_fraction(Vector x)
{
    x = _mm256_max_ps(_mm256_set1_ps(-127), x);
    return _mm256_sub_ps(x, _mm256_floor_ps(x));
}

/* 2^n is n + 127 as an exponent; that of -127 says 0. */
VECTOR_INLINE Vector vector_scale(Vector p, Vector x)
{
    __m256i n = _mm256_cvtps_epi32(_mm256_floor_ps(_mm256_max_ps(_mm256_set1_ps(-127), x)));
    __m256i exponents = _mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(p, _mm256_castsi256_ps(exponents));
}

VECTOR_INLINE float vector_first_lane(Vector x)
{
    return _mm256_cvtss_f32(x);
}

VECTOR_INLINE float vector_largest_lane(Vector x)
{
    __m128 most = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    most = _mm_max_ps(most, _mm_movehl_ps(most, most));
    return _mm_cvtss_f32(_mm_max_ss(most, _mm_movehdup_ps(most)));
}

VECTOR_INLINE float vector_sum_lanes(Vector x)
{
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

VECTOR_INLINE Vector multiply_words(const guint32 *a, Vector b, Vector c)
{
    return _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_set1_epi32((int)*a)), b, c);
}

VECTOR_INLINE void store_weights(float *row, gint64 i, Vector weights)
{
    _mm256_storeu_ps(row + i * LANES, weights);
}

VECTOR_INLINE void store_weight_pair(float *row, gint64 i, Vector a, Vector b)
{
    store_weights(row, i, a);
    store_weights(row, i + 1, b);
}

#include "backend/cpu/cpu_attention_tile.h"
