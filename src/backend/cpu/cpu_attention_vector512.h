/* What cpu_attention_tile.h asks of AVX-512's vectors beside cpu_vector_avx512.h. */
#include "backend/cpu/cpu_vector_avx512.h"

VECTOR_INLINE Vector vector_larger(Vector a, Vector b)
{
    return _mm512_max_ps(a, b);
}

VECTOR_INLINE Vector vector_fraction(Vector x)
{
    return _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}

VECTOR_INLINE Vector vector_scale(Vector p, Vector x)
{
    return _mm512_scalef_ps(p, x);
}

VECTOR_INLINE float vector_first_lane(Vector x)
{
    return _mm512_cvtss_f32(x);
}

VECTOR_INLINE float vector_largest_lane(Vector x)
{
    return _mm512_reduce_max_ps(x);
}

VECTOR_INLINE float vector_sum_lanes(Vector x)
{
    return _mm512_reduce_add_ps(x);
}
