/* bf16 is the upper half of an f32. Plain loops over these become vector code. */
#pragma once

#include <glib.h>
#include <string.h>

static inline __attribute__((always_inline)) float cpu_from_bf16(guint16 value)
{
    guint32 bits = (guint32)value << 16;
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

/* Rounds to nearest, ties to even; a NaN stays one. */
static inline __attribute__((always_inline)) guint16 cpu_to_bf16(float value)
{
    guint32 bits;
    memcpy(&bits, &value, sizeof bits);
    guint32 rounded = (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16;
    guint32 quiet = (bits >> 16) | 0x40u;
    /*
     * All ones for a NaN, by subtraction: of a comparison gcc 12 makes two branches that compute all of @value again.
     */
    guint32 is_nan = 0u - ((0x7f800000u - (bits & 0x7fffffffu)) >> 31);
    return (guint16)((quiet & is_nan) | (rounded & ~is_nan));
}
