/*
 * Vectors that the compiler makes of what every processor has, for kernels that are written once for all instruction
 * sets.
 */
#include <glib.h>
#include <string.h>

#define TARGET
#define VECTOR_INLINE TARGET static inline __attribute__((always_inline))

enum { LANES = 4 };
typedef float Vector __attribute__((vector_size(LANES * sizeof(float))));

VECTOR_INLINE Vector vector_load(const float *from)
{
    Vector x;
    memcpy(&x, from, sizeof x);
    return x;
}

VECTOR_INLINE void vector_store(float *to, Vector x)
{
    memcpy(to, &x, sizeof x);
}

VECTOR_INLINE Vector vector_fill(float x)
{
    return (Vector){ x, x, x, x };
}

VECTOR_INLINE Vector vector_add(Vector a, Vector b)
{
    return a + b;
}

VECTOR_INLINE Vector vector_multiply(Vector a, Vector b)
{
    return a * b;
}

VECTOR_INLINE Vector vector_multiply_add(Vector a, Vector b, Vector c)
{
    return a * b + c;
}
