/* Attention in f32 with AVX-512. */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_attention_vector512.h"

#define KERNELS cpu_attention_avx512
#define NAME "aimfair:flash_avx512"
#define PAIR 1
#define MOST_VECTORS 3
enum { ROWS = 8 };

static gboolean is_supported(void)
{
    return aimf_instruction_set() >= AIMF_ISA_AVX512;
}

VECTOR_INLINE Vector multiply_words(const guint32 *a, Vector b, Vector c)
{
    return _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_set1_epi32((int)*a)), b, c);
}

VECTOR_INLINE void store_weights(float *row, gint64 i, Vector weights)
{
    _mm512_storeu_ps(row + i * LANES, weights);
}

VECTOR_INLINE void store_weight_pair(float *row, gint64 i, Vector a, Vector b)
{
    store_weights(row, i, a);
    store_weights(row, i + 1, b);
}

#include "backend/cpu/cpu_attention_tile.h"
