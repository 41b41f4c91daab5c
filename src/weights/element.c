#include "weights/element.h"

#include <string.h>

/*
 * The binary interchange formats of IEEE 754-2008, 3.6, bfloat16 and fp8: how wide exponent and fraction are.
 * @finite: the largest exponent has numbers like the others, and only its largest fraction is NaN.
 */
typedef struct {
    guint exponent_bits;
    guint fraction_bits;
    gboolean finite;
} Format;

static const Format formats[AIMF_N_DTYPES] = {
    [AIMF_F32] = { 8, 23, FALSE },  [AIMF_BF16] = { 8, 7, FALSE },   [AIMF_F16] = { 5, 10, FALSE },
    [AIMF_F64] = { 11, 52, FALSE }, [AIMF_F8_E4M3] = { 4, 3, TRUE }, [AIMF_F8_E5M2] = { 5, 2, FALSE },
};

enum { F64_FRACTION = 52, F64_BIAS = 1023, F64_EXPONENT_ONES = 2047 };

gboolean aimf_dtype_is_float(AimfDtype dtype)
{
    return dtype < AIMF_N_DTYPES && formats[dtype].exponent_bits != 0;
}

/* Bits of a value in @format to those of the same value in f64, which holds every value of the others. */
static inline guint64 widen(guint64 bits, Format format)
{
    guint64 fraction = bits & ((1ull << format.fraction_bits) - 1);
    guint64 exponent = bits >> format.fraction_bits & ((1ull << format.exponent_bits) - 1);
    guint64 sign = bits >> (format.fraction_bits + format.exponent_bits) << 63;
    guint64 ones = (1ull << format.exponent_bits) - 1;
    guint64 bias = ones >> 1;
    if (exponent == ones && (!format.finite || fraction == (1ull << format.fraction_bits) - 1))
        exponent = F64_EXPONENT_ONES;
    else if (exponent != 0)
        exponent += F64_BIAS - bias;
    else if (fraction != 0) { /* subnormal there, normal in f64 */
        guint shift = (guint)__builtin_clzll(fraction) - (63 - format.fraction_bits);
        fraction = fraction << shift & ((1ull << format.fraction_bits) - 1);
        exponent = F64_BIAS - bias + 1 - shift;
    }
    return sign | exponent << F64_FRACTION | fraction << (F64_FRACTION - format.fraction_bits);
}

/*
 * Bits of an f64 to those of the nearest value in the narrower @format, ties to even; beyond a @finite format's
 * largest, to its NaN.
 */
static inline guint64 narrow(guint64 bits, Format format)
{
    guint64 fraction = bits & ((1ull << F64_FRACTION) - 1);
    gint64 ones = ((gint64)1 << format.exponent_bits) - 1;
    gint64 exponent = (gint64)(bits >> F64_FRACTION & F64_EXPONENT_ONES);
    guint64 sign = bits >> 63 << (format.fraction_bits + format.exponent_bits);
    guint64 infinity = (guint64)ones << format.fraction_bits;
    guint64 nan = infinity | ((1ull << format.fraction_bits) - 1);
    guint shift = F64_FRACTION - format.fraction_bits;
    if (exponent == F64_EXPONENT_ONES && format.finite)
        return sign | nan;
    if (exponent == F64_EXPONENT_ONES) {
        guint64 kept = fraction >> shift;
        gboolean lost_nan = fraction != 0 && kept == 0; /* its set bits were all below: it must not become infinity */
        return sign | infinity | (lost_nan ? 1ull << (format.fraction_bits - 1) : kept);
    }
    exponent += (ones >> 1) - F64_BIAS;
    if (exponent >= ones + format.finite)
        return sign | (format.finite ? nan : infinity);
    if (exponent <= 0) { /* subnormal in the target: the leading one becomes visible and moves down */
        if (exponent < -(gint64)format.fraction_bits)
            return sign; /* below half of the smallest one */
        fraction |= 1ull << F64_FRACTION;
        shift += (guint)(1 - exponent);
        exponent = 0;
    }
    guint64 quotient = fraction >> shift;
    guint64 rest = fraction & ((1ull << shift) - 1);
    guint64 half = 1ull << (shift - 1);
    if (rest > half || (rest == half && (quotient & 1)))
        quotient++;
    /* A carry out of the fraction is the next exponent, up to infinity: the formats are made that way. */
    return sign | MIN(((guint64)exponent << format.fraction_bits) + quotient, nan);
}

static inline guint64 load(const guint8 *from, gsize bytes)
{
    guint64 bits = 0;
    memcpy(&bits, from, bytes);
    return bits;
}

/* The two ways that whole models go; branchless, so that compilers make vectors of them. */

static void halves_to_singles(gsize n, const guint8 *from, guint8 *to)
{
    for (gsize i = 0; i < n; i++) {
        guint16 half;
        memcpy(&half, from + 2 * i, sizeof half);
        guint32 magnitude = half & 0x7FFFu, rebias = 112u << 23; /* 127 - 15 */
        float small = (float)(gint32)magnitude * 0x1p-24f;       /* subnormals */
        guint32 bits, single = (magnitude << 13) + rebias;
        memcpy(&bits, &small, sizeof bits);
        single = magnitude >= 0x7C00u ? single + rebias : single;
        single = magnitude < 0x0400u ? bits : single;
        single |= (guint32)(half & 0x8000u) << 16;
        memcpy(to + 4 * i, &single, sizeof single);
    }
}

static void bfloats_to_singles(gsize n, const guint8 *from, guint8 *to)
{
    for (gsize i = 0; i < n; i++) {
        guint16 upper;
        memcpy(&upper, from + 2 * i, sizeof upper);
        guint32 single = (guint32)upper << 16;
        memcpy(to + 4 * i, &single, sizeof single);
    }
}

void aimf_elements_convert(gsize n, AimfDtype from_dtype, const void *from, AimfDtype to_dtype, void *to)
{
    gsize from_bytes = aimf_dtype_bytes(from_dtype), to_bytes = aimf_dtype_bytes(to_dtype);
    if (from_dtype == to_dtype) {
        if (n)
            memcpy(to, from, n * to_bytes);
        return;
    }
    g_assert(aimf_dtype_is_float(from_dtype) && aimf_dtype_is_float(to_dtype));
    if (to_dtype == AIMF_F32 && from_dtype == AIMF_F16) {
        halves_to_singles(n, from, to);
        return;
    }
    if (to_dtype == AIMF_F32 && from_dtype == AIMF_BF16) {
        bfloats_to_singles(n, from, to);
        return;
    }
    const guint8 *in = from;
    guint8 *out = to;
    for (gsize i = 0; i < n; i++) {
        guint64 bits = load(in + i * from_bytes, from_bytes);
        if (from_dtype != AIMF_F64)
            bits = widen(bits, formats[from_dtype]);
        if (to_dtype != AIMF_F64)
            bits = narrow(bits, formats[to_dtype]);
        memcpy(out + i * to_bytes, &bits, to_bytes);
    }
}
