/*
 * A value (N, C, ...) as [N][C / block][positions][block]: all layouts of activations, row-major and channels-last
 * included.
 */
#pragma once

#include "backend/cpu/cpu.h"

#include <string.h>

typedef struct {
    gint64 n, channels, positions;
    gint64 block, blocks; /* channels in a block, padding included, and how many blocks there are */
} CpuView;

/** cpu_view: @layout has a channel block. */
static inline CpuView cpu_view(const AimfLayout *layout, const AimfShape *shape)
{
    CpuView view = { .n = shape->dim[0], .channels = shape->dim[1], .positions = 1 };
    for (int i = 2; i < shape->rank; i++)
        view.positions *= shape->dim[i];
    view.block = cpu_layout_channel_block(layout, shape);
    view.blocks = (view.channels + view.block - 1) / view.block;
    return view;
}

/** cpu_clear_padding: makes zeros of the channels of the last block that are none. */
static inline void cpu_clear_padding(const CpuView *view, gsize element_bytes, void *data)
{
    gint64 rest = view->blocks * view->block - view->channels;
    for (gint64 n = 0; n < view->n && rest; n++)
        for (gint64 p = 0; p < view->positions; p++) {
            gint64 end = (((n + 1) * view->blocks - 1) * view->positions + p + 1) * view->block;
            memset((char *)data + (gsize)(end - rest) * element_bytes, 0, (gsize)rest * element_bytes);
        }
}

/**
 * cpu_copy_chunk: of one pixel's block. Copies of a constant size become a few instructions, and blocks have few sizes.
 */
static inline void cpu_copy_chunk(char *to, const char *from, gsize bytes)
{
    switch (bytes) {
    case 2:
        memcpy(to, from, 2);
        break;
    case 4:
        memcpy(to, from, 4);
        break;
    case 32:
        memcpy(to, from, 32);
        break;
    case 64:
        memcpy(to, from, 64);
        break;
    default:
        memcpy(to, from, bytes);
    }
}
