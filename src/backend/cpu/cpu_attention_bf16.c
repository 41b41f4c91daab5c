/* Attention in bf16 with AVX512-BF16, whose one instruction multiplies pairs and adds both products. */
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_attention_vector512.h"

#define KERNELS cpu_attention_bf16
#define NAME "aimfair:flash_avx512_bf16"
#define PAIR 2
#define MOST_VECTORS 3
enum { ROWS = 8 };

static gboolean is_supported(void)
{
    return aimf_instruction_set() >= AIMF_ISA_AVX512_BF16;
}

VECTOR_INLINE Vector multiply_words(const guint32 *a, Vector b, Vector c)
{
    return _mm512_dpbf16_ps(c, (__m512bh)_mm512_set1_epi32((int)*a), (__m512bh)b);
}

VECTOR_INLINE void store_weights(float *row, gint64 i, Vector weights)
{
    _mm256_storeu_si256((__m256i *)row + i, (__m256i)_mm512_cvtneps_pbh(weights));
}

VECTOR_INLINE void store_weight_pair(float *row, gint64 i, Vector a, Vector b)
{
    _mm512_storeu_si512((__m512i *)row + i / 2, (__m512i)_mm512_cvtne2ps_pbh(b, a));
}

#include "backend/cpu/cpu_attention_tile.h"
