/* Attention in f32 for any processor: vectors are left to the compiler. */
#include "backend/cpu/cpu_vector_plain.h"

#include <math.h>

#define KERNELS cpu_attention_plain
#define NAME "aimfair:flash_plain"
#define PAIR 1
#define MOST_VECTORS 2
enum { ROWS = 4 };

#define FOR_LANES(statement)                                                                                           \
    for (int i = 0; i < LANES; i++) {                                                                                  \
        statement;                                                                                                     \
    }

static gboolean is_supported(void)
{
    return TRUE;
}

VECTOR_INLINE Vector vector_larger(Vector a, Vector b)
{
    FOR_LANES(a[i] = a[i] > b[i] ? a[i] : b[i])
    return a;
}

VECTOR_INLINE Vector vector_fraction(Vector x)
{
    x = vector_larger(vector_fill(-127), x);
    FOR_LANES(x[i] -= floorf(x[i]))
    return x;
}

/* Adding 1.5 * 2^23 leaves n + 127 in the lowest bits, an exponent; that of -127 says 0. */
VECTOR_INLINE Vector vector_scale(Vector p, Vector x)
{
    Vector exponents = vector_larger(vector_fill(-127), x);
    guint32 bits[LANES];
    FOR_LANES(exponents[i] = floorf(exponents[i]) + (0x1.8p23F + 127))
    memcpy(bits, &exponents, sizeof bits);
    FOR_LANES(bits[i] <<= 23)
    memcpy(&exponents, bits, sizeof bits);
    return vector_multiply(p, exponents);
}

VECTOR_INLINE float vector_first_lane(Vector x)
{
    return x[0];
}

VECTOR_INLINE float vector_largest_lane(Vector x)
{
    float largest = x[0];
    FOR_LANES(largest = MAX(largest, x[i]))
    return largest;
}

VECTOR_INLINE float vector_sum_lanes(Vector x)
{
    float sum = 0;
    FOR_LANES(sum += x[i])
    return sum;
}

VECTOR_INLINE Vector multiply_words(const guint32 *a, Vector b, Vector c)
{
    float factor;
    memcpy(&factor, a, sizeof factor);
    return vector_multiply_add(vector_fill(factor), b, c);
}

VECTOR_INLINE void store_weights(float *row, gint64 i, Vector weights)
{
    vector_store(row + i * LANES, weights);
}

VECTOR_INLINE void store_weight_pair(float *row, gint64 i, Vector a, Vector b)
{
    store_weights(row, i, a);
    store_weights(row, i + 1, b);
}

#include "backend/cpu/cpu_attention_tile.h"
