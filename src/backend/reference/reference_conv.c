/* Convolution and its two gradients, each in the form that gathers: one sum per element of the result. */
#include "backend/reference/reference.h"

/* All that the three loops need: x (N, C, H, W), weight (O, C, KH, KW), y (N, O, YH, YW). */
typedef struct {
    gint64 N, C, H, W, O, KH, KW, YH, YW;
    gint64 stride, padding;
} Geometry;

static Geometry geometry(const ReferenceCall *call, const AimfShape *x, const AimfShape *weight, const AimfShape *y)
{
    return (Geometry){ .N = x->dim[0],
                       .C = x->dim[1],
                       .H = x->dim[2],
                       .W = x->dim[3],
                       .O = weight->dim[0],
                       .KH = weight->dim[2],
                       .KW = weight->dim[3],
                       .YH = y->dim[2],
                       .YW = y->dim[3],
                       .stride = call->attributes.conv2d.stride,
                       .padding = call->attributes.conv2d.padding };
}

static gboolean inside(gint64 i, gint64 n)
{
    return i >= 0 && i < n;
}

static gint64 x_at(const Geometry *g, gint64 n, gint64 c, gint64 h, gint64 w)
{
    return ((n * g->C + c) * g->H + h) * g->W + w;
}

static gint64 weight_at(const Geometry *g, gint64 o, gint64 c, gint64 p, gint64 q)
{
    return ((o * g->C + c) * g->KH + p) * g->KW + q;
}

static gint64 y_at(const Geometry *g, gint64 n, gint64 o, gint64 i, gint64 j)
{
    return ((n * g->O + o) * g->YH + i) * g->YW + j;
}

static double forward_sum(const Geometry *g, const float *x, const float *weight, gint64 n, gint64 o, gint64 i,
                          gint64 j)
{
    double sum = 0;
    for (gint64 c = 0; c < g->C; c++)
        for (gint64 p = 0; p < g->KH; p++)
            for (gint64 q = 0; q < g->KW; q++) {
                gint64 h = i * g->stride + p - g->padding, w = j * g->stride + q - g->padding;
                if (inside(h, g->H) && inside(w, g->W))
                    sum += (double)x[x_at(g, n, c, h, w)] * weight[weight_at(g, o, c, p, q)];
            }
    return sum;
}

void reference_conv2d(const ReferenceCall *call)
{
    const float *x = call->in[0], *weight = call->in[1], *bias = call->in[2];
    float *y = call->out[0];
    Geometry g = geometry(call, &call->in_shape[0], &call->in_shape[1], &call->out_shape[0]);
    for (gint64 n = 0; n < g.N; n++)
        for (gint64 o = 0; o < g.O; o++)
            for (gint64 i = 0; i < g.YH; i++)
                for (gint64 j = 0; j < g.YW; j++)
                    y[y_at(&g, n, o, i, j)] =
                        (float)(forward_sum(&g, x, weight, n, o, i, j) + (bias ? (double)bias[o] : 0));
}

/* As it is defined: the 3 x 3 convolution sees pixel (h, w) of the upsampled picture, which is (h / 2, w / 2) of x. */
static double upsampled_sum(const Geometry *g, const float *x, const float *weight, gint64 n, gint64 o, gint64 i,
                            gint64 j)
{
    double sum = 0;
    for (gint64 c = 0; c < g->C; c++)
        for (gint64 p = 0; p < 3; p++)
            for (gint64 q = 0; q < 3; q++) {
                gint64 h = i + p - 1, w = j + q - 1;
                if (inside(h, g->YH) && inside(w, g->YW))
                    sum += (double)x[x_at(g, n, c, h / 2, w / 2)] * weight[weight_at(g, o, c, p, q)];
            }
    return sum;
}

void reference_upsample_conv2d(const ReferenceCall *call)
{
    const float *x = call->in[0], *weight = call->in[1], *bias = call->in[2];
    float *y = call->out[0];
    Geometry g = geometry(call, &call->in_shape[0], &call->in_shape[1], &call->out_shape[0]);
    for (gint64 n = 0; n < g.N; n++)
        for (gint64 o = 0; o < g.O; o++)
            for (gint64 i = 0; i < g.YH; i++)
                for (gint64 j = 0; j < g.YW; j++)
                    y[y_at(&g, n, o, i, j)] =
                        (float)(upsampled_sum(&g, x, weight, n, o, i, j) + (bias ? (double)bias[o] : 0));
}

/* The pixel (h, w) of x was multiplied by weight (p, q) for the pixel of y that solves i * stride + p - padding = h. */
static double data_sum(const Geometry *g, const float *dy, const float *weight, gint64 n, gint64 c, gint64 h, gint64 w)
{
    double sum = 0;
    for (gint64 o = 0; o < g->O; o++)
        for (gint64 p = 0; p < g->KH; p++)
            for (gint64 q = 0; q < g->KW; q++) {
                gint64 i = h + g->padding - p, j = w + g->padding - q;
                if (i % g->stride || j % g->stride || !inside(i / g->stride, g->YH) || !inside(j / g->stride, g->YW))
                    continue;
                sum += (double)dy[y_at(g, n, o, i / g->stride, j / g->stride)] * weight[weight_at(g, o, c, p, q)];
            }
    return sum;
}

void reference_conv2d_backward_data(const ReferenceCall *call)
{
    const float *dy = call->in[0], *weight = call->in[1];
    float *dx = call->out[0];
    Geometry g = geometry(call, &call->out_shape[0], &call->in_shape[1], &call->in_shape[0]);
    for (gint64 n = 0; n < g.N; n++)
        for (gint64 c = 0; c < g.C; c++)
            for (gint64 h = 0; h < g.H; h++)
                for (gint64 w = 0; w < g.W; w++)
                    dx[x_at(&g, n, c, h, w)] = (float)data_sum(&g, dy, weight, n, c, h, w);
}

static double weight_sum(const Geometry *g, const float *x, const float *dy, gint64 o, gint64 c, gint64 p, gint64 q)
{
    double sum = 0;
    for (gint64 n = 0; n < g->N; n++)
        for (gint64 i = 0; i < g->YH; i++)
            for (gint64 j = 0; j < g->YW; j++) {
                gint64 h = i * g->stride + p - g->padding, w = j * g->stride + q - g->padding;
                if (inside(h, g->H) && inside(w, g->W))
                    sum += (double)x[x_at(g, n, c, h, w)] * dy[y_at(g, n, o, i, j)];
            }
    return sum;
}

void reference_conv2d_backward_weight(const ReferenceCall *call)
{
    const float *x = call->in[0], *dy = call->in[1];
    float *dweight = call->out[0];
    Geometry g = geometry(call, &call->in_shape[0], &call->out_shape[0], &call->in_shape[1]);
    for (gint64 o = 0; o < g.O; o++)
        for (gint64 c = 0; c < g.C; c++)
            for (gint64 p = 0; p < g.KH; p++)
                for (gint64 q = 0; q < g.KW; q++)
                    dweight[weight_at(&g, o, c, p, q)] = (float)weight_sum(&g, x, dy, o, c, p, q);
}
