/* Attention, one query at a time: a row of scores, its softmax, the mean of the values that it weighs. */
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

/* One head of one query: q (D), k and v (seen, D) in rows @stride apart. */
static void attend(const float *q, const float *k, const float *v, gint64 seen, gint64 D, gint64 stride, double *scores,
                   float *y)
{
    for (gint64 s = 0; s < seen; s++) {
        scores[s] = 0;
        for (gint64 d = 0; d < D; d++)
            scores[s] += (double)q[d] * k[s * stride + d];
        scores[s] /= sqrt((double)D);
    }
    softmax(scores, seen);
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
