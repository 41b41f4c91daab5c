/* AVX-512's vectors for onednn_attention_tile.h. TARGET is defined. */
#include <glib.h>
#include <immintrin.h>

#define VECTOR_INLINE TARGET static inline __attribute__((always_inline))

enum { LANES = 16 };
typedef __m512 Vector;

VECTOR_INLINE Vector vector_load(const float *from)
{
    return _mm512_loadu_ps(from);
}

VECTOR_INLINE void vector_store(float *to, Vector x)
{
    _mm512_storeu_ps(to, x);
}

VECTOR_INLINE Vector vector_fill(float x)
{
    return _mm512_set1_ps(x);
}

VECTOR_INLINE Vector vector_add(Vector a, Vector b)
{
    return _mm512_add_ps(a, b);
}

VECTOR_INLINE Vector vector_subtract(Vector a, Vector b)
{
    return _mm512_sub_ps(a, b);
}

VECTOR_INLINE Vector vector_multiply(Vector a, Vector b)
{
    return _mm512_mul_ps(a, b);
}

VECTOR_INLINE Vector vector_multiply_add(Vector a, Vector b, Vector c)
{
    return _mm512_fmadd_ps(a, b, c);
}

VECTOR_INLINE Vector vector_larger(Vector a, Vector b)
{
    return _mm512_max_ps(a, b);
}

VECTOR_INLINE Vector vector_power(Vector x)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(x), 23));
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
