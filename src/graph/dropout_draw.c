#include "graph/dropout_draw.h"
#include "base/random.h"

AimfDropoutDraw aimf_dropout_draw(const AimfDropout *options, const float *draw)
{
    guint64 numbers[2];
    for (int i = 0; i < 2; i++)
        numbers[i] = draw[i] >= 0 && draw[i] < 0x1p24f ? (guint64)draw[i] : 0;
    AimfRandom random = aimf_random_at(options->key, AIMF_STREAM_DROPOUT, numbers[1] << 32 | numbers[0]);
    return (AimfDropoutDraw){
        .key = { random.key[0], random.key[1] },
        .index = { random.counter[2], random.counter[3] },
        .limit = (guint32)MIN(options->share * 0x1p32 + 0.5, (double)G_MAXUINT32),
        .scale = (float)(1 / (1 - options->share)),
    };
}
