/* AVX-512's vectors for cpu_attention_tile.h. TARGET is defined. */
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
