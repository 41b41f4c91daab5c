/* Pooling: maxima, averages over windows, over bins and over everything. */
#include "backend/reference/reference.h"

#include <math.h>
#include <string.h>

/* Rows and columns [first, end) of what a window sees of a picture, and how many of each it divides an average by. */
typedef struct {
    gint64 first[2], end[2], counted[2];
} Window;

/* The window for (@i, @j) of the result. */
static Window window_at(const AimfPool *pool, const AimfShape *x, gint64 i, gint64 j)
{
    Window window;
    for (int k = 0; k < 2; k++) {
        gint64 size = x->dim[2 + k], begin = (k ? j : i) * pool->stride[k] - pool->before[k];
        gint64 end = MIN(begin + pool->window[k], size + pool->after[k]);
        window.first[k] = MAX(begin, 0);
        window.end[k] = MIN(end, size);
        window.counted[k] = pool->count_padding ? end - begin : window.end[k] - window.first[k];
    }
    return window;
}

/* PyTorch's adaptive_avg_pool2d. */
static Window bin_at(const AimfShape *x, const AimfShape *y, gint64 i, gint64 j)
{
    Window window;
    for (int k = 0; k < 2; k++) {
        gint64 size = x->dim[2 + k], bins = y->dim[2 + k], at = k ? j : i;
        window.first[k] = at * size / bins;
        window.end[k] = ((at + 1) * size + bins - 1) / bins;
        window.counted[k] = window.end[k] - window.first[k];
    }
    return window;
}

/* Index within a plane (H, W) of the window's first maximum, or of its last NaN: PyTorch's rule. */
static gint64 window_maximum(const float *plane, gint64 W, const Window *window)
{
    gint64 best = -1;
    for (gint64 h = window->first[0]; h < window->end[0]; h++)
        for (gint64 w = window->first[1]; w < window->end[1]; w++) {
            gint64 i = h * W + w;
            if (best < 0 || plane[i] > plane[best] || isnan(plane[i]))
                best = i;
        }
    return best;
}

void reference_max_pool(const ReferenceCall *call)
{
    const AimfShape *x_shape = &call->in_shape[0], *y_shape = &call->out_shape[0];
    const float *x = call->in[0]; /* (N, C, H, W) */
    float *y = call->out[0];      /* (N, C, H', W') */
    gint32 *chosen = call->out[1];
    gint64 H = x_shape->dim[2], W = x_shape->dim[3];
    for (gint64 plane = 0; plane < x_shape->dim[0] * x_shape->dim[1]; plane++, x += H * W)
        for (gint64 i = 0; i < y_shape->dim[2]; i++)
            for (gint64 j = 0; j < y_shape->dim[3]; j++) {
                Window window = window_at(&call->attributes.pool, x_shape, i, j);
                gint64 best = window_maximum(x, W, &window);
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

/* What an average looks at: PyTorch's windows, or where @pool is NULL its bins. */
static Window averaged(const AimfPool *pool, const AimfShape *x, const AimfShape *y, gint64 i, gint64 j)
{
    return pool ? window_at(pool, x, i, j) : bin_at(x, y, i, j);
}

static double counted(const Window *window)
{
    return (double)(window->counted[0] * window->counted[1]);
}

static void average(const ReferenceCall *call, const AimfPool *pool)
{
    const AimfShape *x_shape = &call->in_shape[0], *y_shape = &call->out_shape[0];
    const float *x = call->in[0];
    float *y = call->out[0];
    gint64 H = x_shape->dim[2], W = x_shape->dim[3];
    for (gint64 plane = 0; plane < x_shape->dim[0] * x_shape->dim[1]; plane++, x += H * W)
        for (gint64 i = 0; i < y_shape->dim[2]; i++)
            for (gint64 j = 0; j < y_shape->dim[3]; j++) {
                Window window = averaged(pool, x_shape, y_shape, i, j);
                double sum = 0;
                for (gint64 h = window.first[0]; h < window.end[0]; h++)
                    for (gint64 w = window.first[1]; w < window.end[1]; w++)
                        sum += (double)x[h * W + w];
                *y++ = (float)(sum / counted(&window));
            }
}

/* What a plane's windows give back to pixel (@h, @w). */
static double given_back(const AimfPool *pool, const AimfShape *x, const AimfShape *y, const float *dy, gint64 h,
                         gint64 w)
{
    double sum = 0;
    for (gint64 i = 0; i < y->dim[2]; i++) {
        Window row = averaged(pool, x, y, i, 0);
        for (gint64 j = 0; j < y->dim[3] && h >= row.first[0] && h < row.end[0]; j++) {
            Window window = averaged(pool, x, y, i, j);
            if (w >= window.first[1] && w < window.end[1])
                sum += (double)dy[i * y->dim[3] + j] / counted(&window);
        }
    }
    return sum;
}

static void average_backward(const ReferenceCall *call, const AimfPool *pool)
{
    const AimfShape *y_shape = &call->in_shape[0], *x_shape = &call->out_shape[0];
    const float *dy = call->in[0];
    float *dx = call->out[0];
    gint64 planes = x_shape->dim[0] * x_shape->dim[1], y_area = y_shape->dim[2] * y_shape->dim[3];
    for (gint64 plane = 0; plane < planes; plane++, dy += y_area)
        for (gint64 h = 0; h < x_shape->dim[2]; h++)
            for (gint64 w = 0; w < x_shape->dim[3]; w++)
                *dx++ = (float)given_back(pool, x_shape, y_shape, dy, h, w);
}

void reference_average_pool(const ReferenceCall *call)
{
    average(call, &call->attributes.pool);
}

void reference_average_pool_backward(const ReferenceCall *call)
{
    average_backward(call, &call->attributes.pool);
}

void reference_adaptive_average_pool(const ReferenceCall *call)
{
    average(call, NULL);
}

void reference_adaptive_average_pool_backward(const ReferenceCall *call)
{
    average_backward(call, NULL);
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
