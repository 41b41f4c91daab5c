/* Max pooling and global average pooling. */
#include "backend/reference/reference.h"

#include <math.h>
#include <string.h>

/* Index within a plane (H, W) of the window's first maximum, or of its last NaN: PyTorch's rule. */
static gint64 window_maximum(const float *plane, gint64 H, gint64 W, gint64 top, gint64 left, gint64 window)
{
    gint64 best = -1;
    for (gint64 h = MAX(top, 0); h < MIN(top + window, H); h++)
        for (gint64 w = MAX(left, 0); w < MIN(left + window, W); w++) {
            gint64 i = h * W + w;
            if (best < 0 || plane[i] > plane[best] || isnan(plane[i]))
                best = i;
        }
    return best;
}

void reference_max_pool(const ReferenceCall *call)
{
    const AimfPool *pool = &call->attributes.pool;
    const AimfShape *x_shape = &call->in_shape[0], *y_shape = &call->out_shape[0];
    const float *x = call->in[0]; /* (N, C, H, W) */
    float *y = call->out[0];      /* (N, C, H', W') */
    gint32 *chosen = call->out[1];
    gint64 H = x_shape->dim[2], W = x_shape->dim[3];
    for (gint64 plane = 0; plane < x_shape->dim[0] * x_shape->dim[1]; plane++, x += H * W)
        for (gint64 i = 0; i < y_shape->dim[2]; i++)
            for (gint64 j = 0; j < y_shape->dim[3]; j++) {
                gint64 best = window_maximum(x, H, W, i * pool->stride - pool->padding,
                                             j * pool->stride - pool->padding, pool->window);
                *y++ = x[best];
                if (chosen)
                    *chosen++ = (gint32)best;
            }
}

void reference_max_pool_backward(const ReferenceCall *call)
{
    const AimfShape *y_shape = &call->in_shape[0], *x_shape = &call->out_shape[0];
    const float *dy = call->in[0];
    const gint32 *chosen = call->in[1];
    float *dx = call->out[0];
    gint64 planes = x_shape->dim[0] * x_shape->dim[1], x_area = x_shape->dim[2] * x_shape->dim[3];
    gint64 y_area = y_shape->dim[2] * y_shape->dim[3];
    memset(dx, 0, (gsize)(planes * x_area) * sizeof *dx);
    for (gint64 plane = 0; plane < planes; plane++)
        for (gint64 i = 0; i < y_area; i++)
            dx[plane * x_area + chosen[plane * y_area + i]] += dy[plane * y_area + i];
}

void reference_global_average_pool(const ReferenceCall *call)
{
    const AimfShape *shape = &call->in_shape[0];
    const float *x = call->in[0];
    float *y = call->out[0];
    gint64 planes = shape->dim[0] * shape->dim[1], area = shape->dim[2] * shape->dim[3];
    for (gint64 plane = 0; plane < planes; plane++) {
        double sum = 0;
        for (gint64 i = 0; i < area; i++)
            sum += x[plane * area + i];
        y[plane] = (float)(sum / (double)area);
    }
}

void reference_global_average_pool_backward(const ReferenceCall *call)
{
    const AimfShape *shape = &call->out_shape[0];
    const float *dy = call->in[0];
    float *dx = call->out[0];
    gint64 planes = shape->dim[0] * shape->dim[1], area = shape->dim[2] * shape->dim[3];
    for (gint64 plane = 0; plane < planes; plane++)
        for (gint64 i = 0; i < area; i++)
            dx[plane * area + i] = (float)(dy[plane] / (double)area);
}
