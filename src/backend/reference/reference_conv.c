/* Convolution and its two gradients, each in the form that gathers: one sum per element of the result. */
#include "backend/reference/reference.h"

/* All that the loops need: x (N, C, H, W), weight (O, GC, KH, KW), y (N, O, YH, YW); GC and GO channels of a group. */
typedef struct {
    gint64 N, C, H, W, O, GC, GO, KH, KW, YH, YW;
    const AimfConv2d *options;
} Geometry;

static Geometry geometry(const ReferenceCall *call, const AimfShape *x, const AimfShape *weight, const AimfShape *y)
{
    return (Geometry){ .N = x->dim[0],
                       .C = x->dim[1],
                       .H = x->dim[2],
                       .W = x->dim[3],
                       .O = weight->dim[0],
                       .GC = weight->dim[1],
                       .GO = weight->dim[0] / (x->dim[1] / weight->dim[1]),
                       .KH = weight->dim[2],
                       .KW = weight->dim[3],
                       .YH = y->dim[2],
                       .YW = y->dim[3],
                       .options = &call->attributes.conv2d };
}

static gboolean inside(gint64 i, gint64 n)
{
    return i >= 0 && i < n;
}

/* The row (@i: 0) or column (1) of x that tap @tap meets for row or column @at of y; it may be in the padding. */
static gint64 met(const Geometry *g, int i, gint64 at, gint64 tap)
{
    return at * g->options->stride[i] + tap * g->options->dilation[i] - g->options->before[i];
}

/* The row or column of y, of @n, for which tap @tap meets row or column @at of x; -1: none. */
static gint64 meeting(const Geometry *g, int i, gint64 at, gint64 tap, gint64 n)
{
    gint64 found = at + g->options->before[i] - tap * g->options->dilation[i], stride = g->options->stride[i];
    return found % stride || !inside(found / stride, n) ? -1 : found / stride;
}

static gint64 x_at(const Geometry *g, gint64 n, gint64 c, gint64 h, gint64 w)
{
    return ((n * g->C + c) * g->H + h) * g->W + w;
}

static gint64 weight_at(const Geometry *g, gint64 o, gint64 c, gint64 p, gint64 q)
{
    return ((o * g->GC + c) * g->KH + p) * g->KW + q;
}

static gint64 y_at(const Geometry *g, gint64 n, gint64 o, gint64 i, gint64 j)
{
    return ((n * g->O + o) * g->YH + i) * g->YW + j;
}

static double forward_sum(const Geometry *g, const float *x, const float *weight, gint64 n, gint64 o, gint64 i,
                          gint64 j)
{
    double sum = 0;
    gint64 first = o / g->GO * g->GC; /* channel of its group */
    for (gint64 c = 0; c < g->GC; c++)
        for (gint64 p = 0; p < g->KH; p++)
            for (gint64 q = 0; q < g->KW; q++) {
                gint64 h = met(g, 0, i, p), w = met(g, 1, j, q);
                if (inside(h, g->H) && inside(w, g->W))
                    sum += (double)x[x_at(g, n, first + c, h, w)] * weight[weight_at(g, o, c, p, q)];
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

static double data_sum(const Geometry *g, const float *dy, const float *weight, gint64 n, gint64 c, gint64 h, gint64 w)
{
    double sum = 0;
    gint64 first = c / g->GC * g->GO; /* output of its group */
    for (gint64 o = first; o < first + g->GO; o++)
        for (gint64 p = 0; p < g->KH; p++)
            for (gint64 q = 0; q < g->KW; q++) {
                gint64 i = meeting(g, 0, h, p, g->YH), j = meeting(g, 1, w, q, g->YW);
                if (i >= 0 && j >= 0)
                    sum += (double)dy[y_at(g, n, o, i, j)] * weight[weight_at(g, o, c % g->GC, p, q)];
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
    gint64 first = o / g->GO * g->GC;
    for (gint64 n = 0; n < g->N; n++)
        for (gint64 i = 0; i < g->YH; i++)
            for (gint64 j = 0; j < g->YW; j++) {
                gint64 h = met(g, 0, i, p), w = met(g, 1, j, q);
                if (inside(h, g->H) && inside(w, g->W))
                    sum += (double)x[x_at(g, n, first + c, h, w)] * dy[y_at(g, n, o, i, j)];
            }
    return sum;
}

void reference_conv2d_backward_weight(const ReferenceCall *call)
{
    const float *x = call->in[0], *dy = call->in[1];
    float *dweight = call->out[0];
    Geometry g = geometry(call, &call->in_shape[0], &call->out_shape[0], &call->in_shape[1]);
    for (gint64 o = 0; o < g.O; o++)
        for (gint64 c = 0; c < g.GC; c++)
            for (gint64 p = 0; p < g.KH; p++)
                for (gint64 q = 0; q < g.KW; q++)
                    dweight[weight_at(&g, o, c, p, q)] = (float)weight_sum(&g, x, dy, o, c, p, q);
}
