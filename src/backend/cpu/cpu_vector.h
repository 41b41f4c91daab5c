/*
 * For our own kernels: the forms each loop is compiled in, element types, and functions that become vector code
 * there. Of the functions' polynomials tools/fit_activations.py is the origin.
 */
#pragma once

#include "backend/cpu/cpu_bf16.h"
#include "base/instruction_set.h"

/* What a loop is compiled for; the levels of x86-64 are left out elsewhere. */
#define CPU_BASELINE
#if defined(__x86_64__)
#define CPU_AVX2 __attribute__((target("avx2,fma")))
#define CPU_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#else
#define CPU_AVX2 G_GNUC_UNUSED
#define CPU_AVX512 G_GNUC_UNUSED
#endif

/*
 * CPU_FORMS: the forms of a loop in a table [bf16][AimfInstructionSet]. Plans in bf16 are for processors that
 * multiply it only.
 */
#define CPU_FORMS(name)                                                                                                \
    {                                                                                                                  \
        AIMF_ISA_TABLE(name##_f32, name##_f32_avx2, name##_f32_avx512, name##_f32_avx512),                             \
            AIMF_ISA_TABLE(NULL, NULL, NULL, name##_bf16)                                                              \
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
 * Declares a row's @shift + @rest, its mean, and @scale, 1 over its deviation. Sums are of distances, from the first
 * element and then from the mean, for the sake of rows far from 0.
 */
#define CPU_ROW_MOMENTS(shift, rest, scale, x, n, epsilon, LOAD, LOAD_HALF)                                            \
    float shift = LOAD((x)[0]);                                                                                        \
    double sum, squares;                                                                                               \
    CPU_SUM(sum, x, n, LOAD, LOAD_HALF, v - shift);                                                                    \
    double mean = (double)shift + sum / (double)(n);                                                                   \
    shift = (float)mean;                                                                                               \
    CPU_SUM(squares, x, n, LOAD, LOAD_HALF, (v - shift) * (v - shift));                                                \
    float rest = (float)(mean - (double)shift);                                                                        \
    float scale = (float)(1 / sqrt(squares / (double)(n) + (epsilon)))

/*
 * x, or @bound > 0 with its sign where it is larger, as NaN is taken to be. On bits, because gcc 12 makes branches of
 * comparisons of floats, each with all that follows.
 */
static inline __attribute__((always_inline)) float cpu_within(float x, float bound)
{
    guint32 bits, size, most;
    memcpy(&bits, &x, sizeof bits);
    memcpy(&most, &bound, sizeof most);
    size = bits & 0x7fffffffu;
    size = MIN(size, most);
    bits = (bits & 0x80000000u) | size;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* @value, or NaN where x is one: for functions whose parts make numbers of it. */
static inline __attribute__((always_inline)) float cpu_keep_nan(float value, float x)
{
    guint32 bits, result;
    memcpy(&bits, &x, sizeof bits);
    memcpy(&result, &value, sizeof result);
    guint32 is_nan = 0u - ((0x7f800000u - (bits & 0x7fffffffu)) >> 31);
    result |= is_nan & 0x7fc00000u;
    memcpy(&value, &result, sizeof value);
    return value;
}

/*
 * One of two numbers that are both computed: where a choice could save work, gcc 12 makes branches, and no vector code.
 */
static inline __attribute__((always_inline)) float cpu_choose(gboolean first, float a, float b)
{
    guint32 mask = first ? 0xffffffffu : 0, x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    x = (x & mask) | (y & ~mask);
    memcpy(&a, &x, sizeof a);
    return a;
}

/*
 * exp(x) for |x| <= 87, beyond it as at the bound, where the result is still a normal number; relative error 2e-7. Of
 * NaN it makes a number: callers multiply by what came from x, or keep it.
 */
static inline __attribute__((always_inline)) float cpu_exp(float x)
{
    guint32 bits;
    x = cpu_within(x, 87);
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

static inline __attribute__((always_inline)) float cpu_quick_gelu(float x)
{
    return x / (1 + cpu_exp(-1.702f * x));
}

/* Phi(-a) for a >= 0 by e = exp(-a^2 / 2), times a polynomial with a relative error of 5e-7. */
static inline __attribute__((always_inline)) float cpu_normal_tail(float a, float e)
{
    float t = 1 / (1 + 0.3f * a);
    float p = 0.035674872f;
    p = p * t - 0.157203475f;
    p = p * t + 0.20635415f;
    p = p * t - 0.0536842012f;
    p = p * t + 0.1285619f;
    p = p * t + 0.0999134158f;
    p = p * t + 0.120753967f;
    p = p * t + 0.119629298f;
    return e * t * p;
}

/* x Phi(x) = max(x, 0) - |x| Phi(-|x|) */
static inline __attribute__((always_inline)) float cpu_gelu(float x)
{
    float a = __builtin_fabsf(x), tail = cpu_normal_tail(a, cpu_exp(-0.5f * a * a));
    return (0.5f * x + 0.5f * a) - a * tail;
}

/* Its slope, Phi(x) + x phi(x); both are 0 or 1 for a float beyond 14. */
static inline __attribute__((always_inline)) float cpu_gelu_slope(float x)
{
    float v = cpu_within(x, 14), a = __builtin_fabsf(v), e = cpu_exp(-0.5f * a * a);
    float step = 0.5f + __builtin_copysignf(0.5f, x), tail = __builtin_copysignf(cpu_normal_tail(a, e), x);
    return cpu_keep_nan(step - tail + v * e * 0.398942280f, x);
}

/* (1 + tanh(u)) / 2 = sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3) */
static inline __attribute__((always_inline)) float cpu_gelu_tanh(float x)
{
    return x / (1 + cpu_exp(-1.59576912f * (x + 0.044715f * x * x * x)));
}

static inline __attribute__((always_inline)) float cpu_gelu_tanh_slope(float x)
{
    float v = cpu_within(x, 14), e = cpu_exp(-1.59576912f * (v + 0.044715f * v * v * v)), s = 1 / (1 + e);
    return cpu_keep_nan(s + v * s * (e * s) * 1.59576912f * (1 + 0.134145f * v * v), x);
}

/* Of x sigmoid(x): s (1 + x (1 - s)), 1 - s being e s. */
static inline __attribute__((always_inline)) float cpu_silu_slope(float x)
{
    float v = cpu_within(x, 87), e = cpu_exp(-v), s = 1 / (1 + e);
    return cpu_keep_nan(s + v * s * (e * s), x);
}

static inline __attribute__((always_inline)) float cpu_sigmoid(float x)
{
    return cpu_keep_nan(1 / (1 + cpu_exp(-x)), x);
}

static inline __attribute__((always_inline)) float cpu_sigmoid_slope(float x)
{
    float e = cpu_exp(-__builtin_fabsf(x)), s = 1 / (1 + e);
    return cpu_keep_nan(e * s * s, x);
}

/* exp as C's, of any number: a square, whose root cpu_exp can give. Relative error 5e-7. */
static inline __attribute__((always_inline)) float cpu_any_exp(float x)
{
    float root = cpu_exp(0.5f * x);
    return cpu_keep_nan(root * root, x);
}

/* Relative error 4e-7. */
static inline __attribute__((always_inline)) float cpu_tanh(float x)
{
    float z = x * x;
    float p = 0.00190942302f;
    p = p * z - 0.00793366463f;
    p = p * z + 0.0216152242f;
    p = p * z - 0.0539358256f;
    p = p * z + 0.133331793f;
    p = p * z - 0.333333321f;
    float large = 1 - 2 / (1 + cpu_exp(2 * __builtin_fabsf(x)));
    return cpu_keep_nan(cpu_choose(__builtin_fabsf(x) < 0.75f, x + x * z * p, __builtin_copysignf(large, x)), x);
}

/* Relative error 4e-7; where it is large it is 1 - 2 Phi(-sqrt(2) |x|). */
static inline __attribute__((always_inline)) float cpu_erf(float x)
{
    float z = x * x, a = __builtin_fabsf(x);
    float p = 9.46084987e-05f;
    p = p * z - 0.00083552907f;
    p = p * z + 0.00521668461f;
    p = p * z - 0.0268647407f;
    p = p * z + 0.112837782f;
    p = p * z - 0.376126384f;
    p = p * z + 1.12837917f;
    float large = 1 - 2 * cpu_normal_tail(1.41421356f * a, cpu_exp(-z));
    return cpu_keep_nan(cpu_choose(a < 0.75f, x * p, __builtin_copysignf(large, x)), x);
}

static inline __attribute__((always_inline)) float cpu_erf_slope(float x)
{
    return cpu_keep_nan(1.12837917f * cpu_exp(-x * x), x);
}

/* Between bounds, which must not be constants: of choices that constants decide gcc 12 makes branches. NaN stays. */
static inline __attribute__((always_inline)) float cpu_clip(float x, float low, float high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

/* Its slope: 1, or 0 at the bounds and beyond. */
static inline __attribute__((always_inline)) float cpu_clip_slope(float x, float low, float high)
{
    float slope = x <= low ? 0.0f : 1.0f;
    return x >= high ? 0 : slope;
}

/* Of x (x + 3) / 6 between the bounds -3 and 3, of x above them. */
static inline __attribute__((always_inline)) float cpu_hard_swish_slope(float x, float low, float high)
{
    float above = x >= high ? 1.0f : 0.0f;
    return cpu_clip_slope(x, low, high) * (cpu_within(x, 3) * (1.0f / 3) + 0.5f) + above;
}
