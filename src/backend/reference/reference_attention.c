/*
 * Attention, one query at a time: a row of scores, its softmax, the mean of the values that it weighs. And softmax by
 * itself.
 */
#include "backend/reference/reference.h"

#include <math.h>

/* The @n scores of a query become weights that sum to 1. */
static void softmax(double *scores, gint64 n)
{
    double largest = -INFINITY, sum = 0;
    for (gint64 s = 0; s < n; s++)
        largest = fmax(largest, scores[s]);
    for (gint64 s = 0; s < n; s++)
        sum += scores[s] = exp(scores[s] - largest);
    for (gint64 s = 0; s < n; s++)
        scores[s] /= sum;
}

/* The weights of one head of one query: q (D), k (seen, D) in rows @stride apart. */
static void weigh(const float *q, const float *k, gint64 seen, gint64 D, gint64 stride, double *weights)
{
    for (gint64 s = 0; s < seen; s++) {
        weights[s] = 0;
        for (gint64 d = 0; d < D; d++)
            weights[s] += (double)q[d] * k[s * stride + d];
        weights[s] /= sqrt((double)D);
    }
    softmax(weights, seen);
}

/* The same with v like k: the result. */
static void attend(const float *q, const float *k, const float *v, gint64 seen, gint64 D, gint64 stride, double *scores,
                   float *y)
{
    weigh(q, k, seen, D, stride, scores);
    for (gint64 d = 0; d < D; d++) {
        double sum = 0;
        for (gint64 s = 0; s < seen; s++)
            sum += scores[s] * v[s * stride + d];
        y[d] = (float)sum;
    }
}

void reference_attention(const ReferenceCall *call)
{
    const AimfAttention *options = &call->attributes.attention;
    const AimfShape *qs = &call->in_shape[0];
    const float *q = call->in[0], *k = call->in[1], *v = call->in[2];
    float *y = call->out[0];
    gint64 N = qs->dim[0], T = qs->dim[1], C = qs->dim[2], S = call->in_shape[1].dim[1], D = C / options->heads;
    g_autofree double *scores = g_new(double, S);
    for (gint64 n = 0; n < N; n++)
        for (gint64 t = 0; t < T; t++)
            for (gint64 c = 0; c < C; c += D) {
                gint64 query = (n * T + t) * C + c, keys = n * S * C + c;
                attend(q + query, k + keys, v + keys, options->causal ? t + 1 : S, D, C, scores, y + query);
            }
}

/*
 * With weights p = softmax(s) and their gradients dp = v dy: ds = p (dp - sum of p dp), the gradient of the scores s,
 * from which those of q and k follow. Sums over queries are in double: dk and dv are (S, D) of one head.
 */
typedef struct {
    gint64 seen, D, stride;
    double *weights, *dweights; /* (S) */
    double *dk, *dv;
} Gradients;

static void attend_backward(const Gradients *g, const float *q, const float *k, const float *v, const float *dy,
                            float *dq)
{
    double mean = 0;
    weigh(q, k, g->seen, g->D, g->stride, g->weights);
    for (gint64 s = 0; s < g->seen; s++) {
        g->dweights[s] = 0;
        for (gint64 d = 0; d < g->D; d++)
            g->dweights[s] += (double)dy[d] * v[s * g->stride + d];
        mean += g->weights[s] * g->dweights[s];
    }
    for (gint64 s = 0; s < g->seen; s++) {
        double dscore = g->weights[s] * (g->dweights[s] - mean) / sqrt((double)g->D);
        for (gint64 d = 0; d < g->D; d++) {
            g->dk[s * g->D + d] += dscore * q[d];
            g->dv[s * g->D + d] += g->weights[s] * dy[d];
        }
        g->dweights[s] = dscore;
    }
    for (gint64 d = 0; dq && d < g->D; d++) {
        double sum = 0;
        for (gint64 s = 0; s < g->seen; s++)
            sum += g->dweights[s] * k[s * g->stride + d];
        dq[d] = (float)sum;
    }
}

/* Rows of one head into their places. */
static void store(const double *from, gint64 S, gint64 D, gint64 stride, float *to)
{
    for (gint64 i = 0; to && i < S * D; i++)
        to[i / D * stride + i % D] = (float)from[i];
}

void reference_attention_backward(const ReferenceCall *call)
{
    const AimfAttention *options = &call->attributes.attention;
    const AimfShape *qs = &call->in_shape[0];
    const float *q = call->in[0], *k = call->in[1], *v = call->in[2], *dy = call->in[3];
    float *dq = call->out[0], *dk = call->out[1], *dv = call->out[2];
    gint64 N = qs->dim[0], T = qs->dim[1], C = qs->dim[2], S = call->in_shape[1].dim[1], D = C / options->heads;
    g_autofree double *weights = g_new(double, S), *dweights = g_new(double, S);
    g_autofree double *dk_sums = g_new(double, S *D), *dv_sums = g_new(double, S *D);
    Gradients g = { .D = D, .stride = C, .weights = weights, .dweights = dweights, .dk = dk_sums, .dv = dv_sums };
    for (gint64 n = 0; n < N; n++)
        for (gint64 c = 0; c < C; c += D) {
            gint64 keys = n * S * C + c;
            for (gint64 i = 0; i < S * D; i++)
                dk_sums[i] = dv_sums[i] = 0;
            for (gint64 t = 0; t < T; t++) {
                gint64 query = (n * T + t) * C + c;
                g.seen = options->causal ? t + 1 : S;
                attend_backward(&g, q + query, k + keys, v + keys, dy + query, dq ? dq + query : NULL);
            }
            store(dk_sums, S, D, C, dk ? dk + keys : NULL);
            store(dv_sums, S, D, C, dv ? dv + keys : NULL);
        }
}

/* A dimension's elements lie @step apart; calls @row with the first of each row. */
static void for_each_row(const ReferenceCall *call, void (*row)(const ReferenceCall *, gint64, gint64, gint64))
{
    const AimfShape *shape = &call->in_shape[0];
    gint64 n = shape->dim[call->attributes.axis], step = 1, count = aimf_shape_count(shape);
    for (int i = call->attributes.axis + 1; i < shape->rank; i++)
        step *= shape->dim[i];
    for (gint64 i = 0; i < count / n; i++)
        row(call, i / step * step * n + i % step, n, step);
}

static void softmax_row(const ReferenceCall *call, gint64 first, gint64 n, gint64 step)
{
    const float *x = (const float *)call->in[0] + first;
    float *y = (float *)call->out[0] + first;
    g_autofree double *weights = g_new(double, n);
    for (gint64 i = 0; i < n; i++)
        weights[i] = x[i * step];
    softmax(weights, n);
    for (gint64 i = 0; i < n; i++)
        y[i * step] = (float)weights[i];
}

void reference_softmax(const ReferenceCall *call)
{
    for_each_row(call, softmax_row);
}

static void softmax_backward_row(const ReferenceCall *call, gint64 first, gint64 n, gint64 step)
{
    const float *y = (const float *)call->in[0] + first, *dy = (const float *)call->in[1] + first;
    float *dx = (float *)call->out[0] + first;
    double mean = 0;
    for (gint64 i = 0; i < n; i++)
        mean += (double)y[i * step] * dy[i * step];
    for (gint64 i = 0; i < n; i++)
        dx[i * step] = (float)(y[i * step] * (dy[i * step] - mean));
}

void reference_softmax_backward(const ReferenceCall *call)
{
    for_each_row(call, softmax_backward_row);
}
