/* AVX2's vectors, with FMA, for kernels that are written once for all instruction sets. */
#include <glib.h>
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))
#define VECTOR_INLINE TARGET static inline __attribute__((always_inline))

enum { LANES = 8 };
typedef __m256 Vector;

VECTOR_INLINE Vector vector_load(const float *from)
{
    return _mm256_loadu_ps(from);
}

/* Zeros where there is nothing. */
VECTOR_INLINE Vector vector_load_if(gboolean exists, const float *from)
{
    return exists ? _mm256_loadu_ps(from) : _mm256_setzero_ps();
}

/* Numbers that lie @distance apart. */
VECTOR_INLINE Vector vector_load_apart(const float *from, gint64 distance)
{
    return _mm256_setr_ps(from[0], from[distance], from[2 * distance], from[3 * distance], from[4 * distance],
                          from[5 * distance], from[6 * distance], from[7 * distance]);
}

VECTOR_INLINE void vector_store(float *to, Vector x)
{
    _mm256_storeu_ps(to, x);
}

VECTOR_INLINE Vector vector_fill(float x)
{
    return _mm256_set1_ps(x);
}

VECTOR_INLINE Vector vector_add(Vector a, Vector b)
{
    return _mm256_add_ps(a, b);
}

VECTOR_INLINE Vector vector_subtract(Vector a, Vector b)
{
    return _mm256_sub_ps(a, b);
}

VECTOR_INLINE Vector vector_multiply(Vector a, Vector b)
{
    return _mm256_mul_ps(a, b);
}

VECTOR_INLINE Vector vector_multiply_add(Vector a, Vector b, Vector c)
{
    return _mm256_fmadd_ps(a, b, c);
}
