#include "graph/support_formula.h"

#include <math.h>

guint32 formula_seed(const char *name)
{
    guint32 hash = 0x811C9DC5u;
    for (const char *c = name; *c; c++)
        hash = (hash ^ (guint8)*c) * 0x01000193u;
    return hash;
}

guint32 formula_hash(guint32 seed, guint32 index)
{
    guint32 h = seed + index * 0x9E3779B9u;
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    return h ^ h >> 16;
}

float formula_coarse(guint32 seed, guint32 index)
{
    return (float)((int)(formula_hash(seed, index) >> 8) % 513 - 256) / 256;
}

double formula_fine(guint32 seed, guint32 index)
{
    return (double)(formula_hash(seed, index) >> 8) * 0x1p-23 - 1;
}

double relative_error(const float *a, const float *b, gsize n)
{
    double error = 0, norm = 0;
    for (gsize i = 0; i < n; i++) {
        error += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        norm += (double)b[i] * b[i];
    }
    if (error == 0)
        return 0;
    return isfinite(error) && norm > 0 ? sqrt(error / norm) : INFINITY;
}
