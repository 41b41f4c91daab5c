/*
 * For our own kernels: the forms each loop is compiled in, element types, and functions that become vector code
 * there. Of the functions' polynomials tools/fit_activations.py is the origin.
 */
#pragma once

#include "backend/cpu/cpu_bf16.h"
#include "base/instruction_set.h"

/* What a loop is compiled for. */
#define CPU_BASELINE
#define CPU_AVX2 __attribute__((target("avx2,fma")))
#define CPU_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))

/*
 * CPU_FORMS: the forms of a loop in a table [bf16][AimfInstructionSet]. Plans in bf16 are for processors that
 * multiply it only.
 */
#define CPU_FORMS(name)                                                                                                \
    {                                                                                                                  \
        { name##_f32, name##_f32_avx2, name##_f32_avx512, name##_f32_avx512 },                                         \
        {                                                                                                              \
            [AIMF_ISA_AVX512_BF16] = name##_bf16                                                                       \
        }                                                                                                              \
    }

/* Loads and stores of f32, beside cpu_from_bf16 and cpu_to_bf16. */
#define CPU_SAME(value) (value)

/*
 * Sums are of CPU_LANES interleaved parts, which makes one order on every processor. They are held in two vectors,
 * whose length gcc 12 keeps in registers from AVX2 on (it leaves vectors of all lanes in memory, and unrolls loops over
 * so few numbers into single ones before it thinks of vectors).
 */
enum { CPU_LANES = 16, CPU_HALF = 8 };
typedef float CpuHalf __attribute__((vector_size(CPU_HALF * sizeof(float))));
typedef guint32 CpuHalfBits __attribute__((vector_size(CPU_HALF * sizeof(guint32))));
typedef guint16 CpuHalfWords __attribute__((vector_size(CPU_HALF * sizeof(guint16))));

/* Loads @from into the CpuHalf @to; macros, because passing such vectors depends on the target. */
#define CPU_LOAD_HALF_F32(to, from) memcpy(&(to), from, sizeof(to))
#define CPU_LOAD_HALF_BF16(to, from)                                                                                   \
    do {                                                                                                               \
        CpuHalfWords words;                                                                                            \
        memcpy(&words, from, sizeof words);                                                                            \
        CpuHalfBits bits_of = __builtin_convertvector(words, CpuHalfBits) << 16;                                       \
        memcpy(&(to), &bits_of, sizeof(to));                                                                           \
    } while (0)

/*
 * Into the double @sum the sum of TERM over @n elements from @x on; it speaks of v: half of the lanes, or one number of
 * those left over.
 */
#define CPU_SUM(sum, x, n, LOAD, LOAD_HALF, TERM)                                                                      \
    do {                                                                                                               \
        CpuHalf low = { 0 }, high = { 0 };                                                                             \
        gint64 full = (n) / CPU_LANES * CPU_LANES;                                                                     \
        for (gint64 c = 0; c < full; c += CPU_LANES) {                                                                 \
            CpuHalf v;                                                                                                 \
            LOAD_HALF(v, (x) + c);                                                                                     \
            low += TERM;                                                                                               \
            LOAD_HALF(v, (x) + c + CPU_HALF);                                                                          \
            high += TERM;                                                                                              \
        }                                                                                                              \
        float parts[CPU_LANES];                                                                                        \
        memcpy(parts, &low, sizeof low);                                                                               \
        memcpy(parts + CPU_HALF, &high, sizeof high);                                                                  \
        for (gint64 c = full; c < (n); c++) {                                                                          \
            float v = LOAD((x)[c]);                                                                                    \
            parts[c - full] += TERM;                                                                                   \
        }                                                                                                              \
        sum = 0;                                                                                                       \
        for (int l = 0; l < CPU_LANES; l++)                                                                            \
            sum += (double)parts[l];                                                                                   \
    } while (0)

/*
 * exp(x) for |x| <= 87, beyond it as at the bound, where the result is still a normal number; relative error 2e-7. Of
 * NaN it makes a number: callers multiply by what came from x. The bound is on bits because gcc 12 makes branches of
 * comparisons of floats, each with all that follows.
 */
static inline __attribute__((always_inline)) float cpu_exp(float x)
{
    guint32 bits, size;
    memcpy(&bits, &x, sizeof bits);
    size = bits & 0x7fffffffu;
    size = MIN(size, 0x42ae0000u); /* 87 */
    bits = (bits & 0x80000000u) | size;
    memcpy(&x, &bits, sizeof x);
    /* Adding 1.5 * 2^23 rounds to a whole number n, which then stands in the lowest bits. */
    float shifted = x * 1.44269504f + 12582912.0f, n = shifted - 12582912.0f;
    float r = x - n * 0.693145752f; /* log(2) in two parts, the first short enough for an exact product */
    r -= n * 1.42860677e-6f;
    float e = 0.00138368424f;
    e = e * r + 0.00837481578f;
    e = e * r + 0.0416682256f;
    e = e * r + 0.166664202f;
    e = e * r + 0.499999921f;
    e = e * r + 1.00000004f;
    e = e * r + 1;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3f800000u;
    float power;
    memcpy(&power, &bits, sizeof power);
    return e * power;
}

/* A weight of softmax: exp(x) for x up to 0, nothing below -87, NaN of NaN. By bits, as cpu_exp. */
static inline __attribute__((always_inline)) float cpu_weight(float x)
{
    float e = cpu_exp(x);
    guint32 bits, weight;
    memcpy(&bits, &x, sizeof bits);
    memcpy(&weight, &e, sizeof weight);
    guint32 size = bits & 0x7fffffffu;
    guint32 is_small = 0u - ((0x42ae0000u - size) >> 31), is_nan = 0u - ((0x7f800000u - size) >> 31);
    weight = (weight & ~is_small) | (bits & is_nan);
    memcpy(&e, &weight, sizeof e);
    return e;
}

static inline __attribute__((always_inline)) float cpu_silu(float x)
{
    return x / (1 + cpu_exp(-x));
}

/* What x gets of a gradient 1 of silu(x). */
static inline __attribute__((always_inline)) float cpu_silu_slope(float x)
{
    float sigmoid = 1 / (1 + cpu_exp(-x));
    return sigmoid * (1 + x * (1 - sigmoid));
}

static inline __attribute__((always_inline)) float cpu_quick_gelu(float x)
{
    return x / (1 + cpu_exp(-1.702f * x));
}

/*
 * x Phi(x) = max(x, 0) - |x| Phi(-|x|); the last factor as exp(-x^2 / 2) times a polynomial, with a relative error of
 * 5e-7.
 */
static inline __attribute__((always_inline)) float cpu_gelu(float x)
{
    float a = __builtin_fabsf(x), t = 1 / (1 + 0.3f * a);
    float p = 0.035674872f;
    p = p * t - 0.157203475f;
    p = p * t + 0.20635415f;
    p = p * t - 0.0536842012f;
    p = p * t + 0.1285619f;
    p = p * t + 0.0999134158f;
    p = p * t + 0.120753967f;
    p = p * t + 0.119629298f;
    float tail = cpu_exp(-0.5f * a * a) * t * p;
    return (0.5f * x + 0.5f * a) - a * tail;
}
