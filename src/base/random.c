#include "base/random.h"
#include "base/philox.h"

#include <math.h>

AimfRandom aimf_random_at(guint64 seed, AimfStream stream, guint64 index)
{
    /* The stream is mixed into the key by one block of its own, so that counters stay free for index and position. */
    AimfRandom random = { .used = 4 };
    guint32 mixed[4];
    aimf_philox((guint32[2]){ (guint32)seed, (guint32)(seed >> 32) },
                (guint32[4]){ (guint32)stream, 0x61696d66u, 0, 0 }, mixed);
    random.key[0] = mixed[0];
    random.key[1] = mixed[1];
    random.counter[2] = (guint32)index;
    random.counter[3] = (guint32)(index >> 32);
    return random;
}

guint32 aimf_random_u32(AimfRandom *random)
{
    if (random->used == 4) {
        aimf_philox(random->key, random->counter, random->block);
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
