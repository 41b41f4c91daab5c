#include "base/random.h"

#include <math.h>

/* One Philox 4x32-10 block; constants from the paper's section 4 and its reference implementation Random123. */
static void philox(const guint32 key[2], const guint32 counter[4], guint32 out[4])
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

AimfRandom aimf_random_at(guint64 seed, AimfStream stream, guint64 index)
{
    /* The stream is mixed into the key by one block of its own, so that counters stay free for index and position. */
    AimfRandom random = { .used = 4 };
    guint32 mixed[4];
    philox((guint32[2]){ (guint32)seed, (guint32)(seed >> 32) }, (guint32[4]){ (guint32)stream, 0x61696d66u, 0, 0 },
           mixed);
    random.key[0] = mixed[0];
    random.key[1] = mixed[1];
    random.counter[2] = (guint32)index;
    random.counter[3] = (guint32)(index >> 32);
    return random;
}

guint32 aimf_random_u32(AimfRandom *random)
{
    if (random->used == 4) {
        philox(random->key, random->counter, random->block);
        random->used = 0;
        if (++random->counter[0] == 0)
            random->counter[1]++;
    }
    return random->block[random->used++];
}

guint64 aimf_random_u64(AimfRandom *random)
{
    guint64 high = aimf_random_u32(random);
    return high << 32 | aimf_random_u32(random);
}

double aimf_random_uniform(AimfRandom *random)
{
    return (double)(aimf_random_u64(random) >> 11) * 0x1p-53;
}

guint64 aimf_random_below(AimfRandom *random, guint64 n)
{
    g_assert(n > 0);
    guint64 limit = G_MAXUINT64 - (G_MAXUINT64 % n + 1) % n; /* the last value of a whole number of cycles */
    guint64 value;
    do
        value = aimf_random_u64(random);
    while (value > limit);
    return value % n;
}

double aimf_random_normal(AimfRandom *random)
{
    double u = 1 - aimf_random_uniform(random); /* (0, 1] */
    double v = aimf_random_uniform(random);
    return sqrt(-2 * log(u)) * cos(2 * G_PI * v);
}

void aimf_random_shuffle(AimfRandom *random, guint32 *values, gsize n)
{
    for (gsize i = n; i > 1; i--) {
        gsize j = (gsize)aimf_random_below(random, i);
        guint32 kept = values[i - 1];
        values[i - 1] = values[j];
        values[j] = kept;
    }
}
