/*
 * The block function of base/random.h, for who draws many numbers at once: block b of the sequence (seed, stream,
 * index) is that of the counter { low half of b, high half, counter[2], counter[3] } under the sequence's key.
 */
#pragma once

#include <glib.h>

/* One Philox 4x32-10 block; constants from the paper's section 4 and its reference implementation Random123. */
static inline __attribute__((always_inline)) void aimf_philox(const guint32 key[2], const guint32 counter[4],
                                                              guint32 out[4])
{
    guint32 k0 = key[0], k1 = key[1];
    guint32 c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    for (int round = 0; round < 10; round++) {
        guint64 p0 = (guint64)0xD2511F53u * c0;
        guint64 p1 = (guint64)0xCD9E8D57u * c2;
        guint32 n0 = (guint32)(p1 >> 32) ^ c1 ^ k0;
        guint32 n2 = (guint32)(p0 >> 32) ^ c3 ^ k1;
        c1 = (guint32)p1;
        c3 = (guint32)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}
