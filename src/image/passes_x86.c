/*
 * The inner loops of resizing for x86-64, chosen at run time.
 *
 * Both passes take two taps at once: vpmaddwd multiplies 16-bit samples of tap a and tap b, interleaved, with the
 * pair of their weights and adds the two products. Weights have 22 bits, so each is split in a low and a high part
 * (see taps.h), summed apart and joined before rounding. All sums are exact modulo 2^32 and the whole fits in 32
 * bits, so the result is that of plain C.
 */
#include "image/passes.h"

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx2")))

enum { HALF = 1 << (AIMF_WEIGHT_BITS - 1) };

/* Interleaves the samples of two neighbouring RGB pixels, as 16 bits: r0 r1 g0 g1 b0 b1 0 0. */
#define PAIR_PIXELS 0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1

/* --- AVX2 --- */

AVX2 static inline __m256i finish_avx2(__m256i low, __m256i high)
{
    __m256i sum = _mm256_add_epi32(low, _mm256_slli_epi32(high, AIMF_LOW_BITS));
    return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(HALF)), AIMF_WEIGHT_BITS);
}

/* Two output pixels at a time, one in each half of a register; when their number is odd, the last one twice. */
AVX2 static void horizontal_avx2(guint8 *out, const guint8 *in, const AimfTaps *taps)
{
    const __m256i interleave = _mm256_setr_epi8(PAIR_PIXELS, PAIR_PIXELS);
    const __m256i spread_low = _mm256_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2);
    const __m256i spread_high = _mm256_setr_epi32(1, 1, 1, 1, 3, 3, 3, 3);
    for (int i = 0; i < taps->n; i += 2) {
        const guint8 *a = in + 3 * (gsize)taps->first[i];
        const guint8 *b = in + 3 * (gsize)taps->first[i + 1];
        const AimfTapPair *pairs = taps->pairs + i;
        __m256i low = _mm256_setzero_si256(), high = low;
        for (int p = 0; p < taps->n_pairs; p++, a += 6, b += 6, pairs += taps->stride) {
            __m256i pixels = _mm256_set_m128i(_mm_loadl_epi64((const __m128i *)b), _mm_loadl_epi64((const __m128i *)a));
            __m256i weights = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)pairs));
            pixels = _mm256_shuffle_epi8(pixels, interleave);
            low = _mm256_add_epi32(low, _mm256_madd_epi16(pixels, _mm256_permutevar8x32_epi32(weights, spread_low)));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(pixels, _mm256_permutevar8x32_epi32(weights, spread_high)));
        }
        __m256i sum = finish_avx2(low, high);
        __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        __m128i bytes = _mm_packus_epi16(words, words); /* r g b x r g b x, twice */
        bytes = _mm_shuffle_epi8(bytes, _mm_setr_epi8(0, 1, 2, 4, 5, 6, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
        _mm_storel_epi64((__m128i *)(out + 3 * (gsize)i), bytes);
    }
}

AVX2 static void vertical_avx2(guint8 *out, const guint8 *const *rows, gsize bytes, const AimfTaps *taps, int y)
{
    for (gsize i = 0; i < bytes; i += 16) {
        const AimfTapPair *pair = taps->pairs + y;
        __m256i low0 = _mm256_setzero_si256(), low1 = low0, high0 = low0, high1 = low0;
        for (int p = 0; p < taps->n_pairs; p++, pair += taps->stride) {
            __m256i a = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(rows[2 * p] + i)));
            __m256i b = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(rows[2 * p + 1] + i)));
            __m256i even = _mm256_unpacklo_epi16(a, b), odd = _mm256_unpackhi_epi16(a, b);
            __m256i low = _mm256_set1_epi32(pair->low), high = _mm256_set1_epi32(pair->high);
            low0 = _mm256_add_epi32(low0, _mm256_madd_epi16(even, low));
            low1 = _mm256_add_epi32(low1, _mm256_madd_epi16(odd, low));
            high0 = _mm256_add_epi32(high0, _mm256_madd_epi16(even, high));
            high1 = _mm256_add_epi32(high1, _mm256_madd_epi16(odd, high));
        }
        /* Unpacking and packing both work within halves, so the order comes out right. */
        __m256i words = _mm256_packs_epi32(finish_avx2(low0, high0), finish_avx2(low1, high1));
        __m128i samples = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
        _mm_storeu_si128((__m128i *)(out + i), samples);
    }
}

const AimfPasses aimf_passes_avx2 = { "avx2", horizontal_avx2, vertical_avx2 };

/* --- AVX-512 --- */

AVX512 static inline __m512i finish_avx512(__m512i low, __m512i high)
{
    __m512i sum = _mm512_add_epi32(low, _mm512_slli_epi32(high, AIMF_LOW_BITS));
    return _mm512_srai_epi32(_mm512_add_epi32(sum, _mm512_set1_epi32(HALF)), AIMF_WEIGHT_BITS);
}

/* The eight bytes at each of four addresses, one in each quarter's lower half. */
AVX512 static inline __m512i load_quarters(const guint8 *const p[4])
{
    __m256i low = _mm256_set_m128i(_mm_loadl_epi64((const __m128i *)p[1]), _mm_loadl_epi64((const __m128i *)p[0]));
    __m256i high = _mm256_set_m128i(_mm_loadl_epi64((const __m128i *)p[3]), _mm_loadl_epi64((const __m128i *)p[2]));
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* Four output pixels at a time. */
AVX512 static void horizontal_avx512(guint8 *out, const guint8 *in, const AimfTaps *taps)
{
    const __m512i interleave = _mm512_broadcast_i32x4(_mm_setr_epi8(PAIR_PIXELS));
    const __m512i spread_low = _mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6);
    const __m512i spread_high = _mm512_setr_epi32(1, 1, 1, 1, 3, 3, 3, 3, 5, 5, 5, 5, 7, 7, 7, 7);
    const __m128i compact = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    for (int i = 0; i < taps->n; i += 4) {
        const guint8 *pixel[4];
        for (int k = 0; k < 4; k++)
            pixel[k] = in + 3 * (gsize)taps->first[i + k];
        const AimfTapPair *pairs = taps->pairs + i;
        __m512i low = _mm512_setzero_si512(), high = low;
        for (int p = 0; p < taps->n_pairs; p++, pairs += taps->stride) {
            __m512i pixels = _mm512_shuffle_epi8(load_quarters(pixel), interleave);
            __m512i weights = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)pairs));
            low = _mm512_add_epi32(low, _mm512_madd_epi16(pixels, _mm512_permutexvar_epi32(spread_low, weights)));
            high = _mm512_add_epi32(high, _mm512_madd_epi16(pixels, _mm512_permutexvar_epi32(spread_high, weights)));
            for (int k = 0; k < 4; k++)
                pixel[k] += 6;
        }
        __m512i clipped = _mm512_max_epi32(finish_avx512(low, high), _mm512_setzero_si512());
        __m128i bytes = _mm_shuffle_epi8(_mm512_cvtusepi32_epi8(clipped), compact);
        _mm_storeu_si128((__m128i *)(out + 3 * (gsize)i), bytes);
    }
}

AVX512 static void vertical_avx512(guint8 *out, const guint8 *const *rows, gsize bytes, const AimfTaps *taps, int y)
{
    for (gsize i = 0; i < bytes; i += 32) {
        const AimfTapPair *pair = taps->pairs + y;
        __m512i low0 = _mm512_setzero_si512(), low1 = low0, high0 = low0, high1 = low0;
        for (int p = 0; p < taps->n_pairs; p++, pair += taps->stride) {
            __m512i a = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(rows[2 * p] + i)));
            __m512i b = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(rows[2 * p + 1] + i)));
            __m512i even = _mm512_unpacklo_epi16(a, b), odd = _mm512_unpackhi_epi16(a, b);
            __m512i low = _mm512_set1_epi32(pair->low), high = _mm512_set1_epi32(pair->high);
            low0 = _mm512_add_epi32(low0, _mm512_madd_epi16(even, low));
            low1 = _mm512_add_epi32(low1, _mm512_madd_epi16(odd, low));
            high0 = _mm512_add_epi32(high0, _mm512_madd_epi16(even, high));
            high1 = _mm512_add_epi32(high1, _mm512_madd_epi16(odd, high));
        }
        __m512i words = _mm512_packs_epi32(finish_avx512(low0, high0), finish_avx512(low1, high1));
        words = _mm512_max_epi16(words, _mm512_setzero_si512());
        _mm256_storeu_si256((__m256i *)(out + i), _mm512_cvtusepi16_epi8(words));
    }
}

const AimfPasses aimf_passes_avx512 = { "avx512", horizontal_avx512, vertical_avx512 };
