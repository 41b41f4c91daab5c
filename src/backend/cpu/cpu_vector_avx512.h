/* AVX-512's vectors, for kernels that are written once for all instruction sets. */
#include <glib.h>
#include <immintrin.h>

#ifndef TARGET
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#endif
#define VECTOR_INLINE TARGET static inline __attribute__((always_inline))

enum { LANES = 16 };
typedef __m512 Vector;

VECTOR_INLINE Vector vector_load(const float *from)
{
    return _mm512_loadu_ps(from);
}

/* Zeros where there is nothing. */
VECTOR_INLINE Vector vector_load_if(gboolean exists, const float *from)
{
    return _mm512_maskz_loadu_ps(exists ? 0xffff : 0, from);
}

/* Numbers that lie @distance apart. */
VECTOR_INLINE Vector vector_load_apart(const float *from, gint64 distance)
{
    const __m512i lanes = _mm512_mullo_epi32(_mm512_set1_epi32((int)distance),
                                             _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
    return _mm512_i32gather_ps(lanes, from, 4);
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
