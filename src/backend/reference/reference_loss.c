/* Cross-entropy losses in the forms that do not overflow. */
#include "backend/reference/reference.h"

#include <math.h>

/* log(1 + exp(x)) */
static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double incoming(const ReferenceCall *call)
{
    const float *dloss = call->in[2];
    return dloss ? (double)*dloss : 1;
}

/* What smoothing makes of a sigmoid's target. */
static double smoothed(const ReferenceCall *call, float target)
{
    return (double)target * (1 - call->attributes.number) + call->attributes.number / 2;
}

/* -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)) = softplus(x) - t x */
void reference_sigmoid_cross_entropy(const ReferenceCall *call)
{
    const float *logits = call->in[0], *targets = call->in[1];
    float *loss = call->out[0];
    gint64 n = aimf_shape_count(&call->in_shape[0]);
    double sum = 0;
    for (gint64 i = 0; i < n; i++)
        sum += softplus(logits[i]) - smoothed(call, targets[i]) * logits[i];
    *loss = (float)(sum / (double)n);
}

void reference_sigmoid_cross_entropy_backward(const ReferenceCall *call)
{
    const float *logits = call->in[0], *targets = call->in[1];
    float *dlogits = call->out[0];
    gint64 n = aimf_shape_count(&call->in_shape[0]);
    for (gint64 i = 0; i < n; i++)
        dlogits[i] =
            (float)(incoming(call) / (double)n * (1 / (1 + exp(-(double)logits[i])) - smoothed(call, targets[i])));
}

static double log_sum_exp(const float *logits, gint64 n)
{
    float most = -INFINITY; /* not double: gcc 12 for ARM fails at the largest of numbers that it converts */
    for (gint64 i = 0; i < n; i++)
        most = fmaxf(most, logits[i]);
    double largest = (double)most, sum = 0;
    for (gint64 i = 0; i < n; i++)
        sum += exp((double)logits[i] - largest);
    return largest + log(sum);
}

/* A target that is no class makes the loss NaN instead of reading beyond the row. */
static double logit_of(const float *logits, gint64 n, float target)
{
    return target >= 0 && target < (float)n ? (double)logits[(gint64)target] : NAN;
}

/* Of the logits, as the smoothed row of targets weighs them: the hit's and, where there is smoothing, the mean. */
static double weighed(const ReferenceCall *call, const float *logits, gint64 n, float target)
{
    double smoothing = call->attributes.number, sum = 0;
    for (gint64 k = 0; k < n; k++)
        sum += (double)logits[k];
    double hit = logit_of(logits, n, target);
    return smoothing > 0 ? (1 - smoothing) * hit + smoothing * sum / (double)n : hit;
}

void reference_softmax_cross_entropy(const ReferenceCall *call)
{
    const float *logits = call->in[0], *targets = call->in[1]; /* (N, K), (N) */
    float *loss = call->out[0];
    gint64 N = call->in_shape[0].dim[0], K = call->in_shape[0].dim[1];
    double sum = 0;
    for (gint64 n = 0; n < N; n++, logits += K)
        sum += log_sum_exp(logits, K) - weighed(call, logits, K, targets[n]);
    *loss = (float)(sum / (double)N);
}

void reference_softmax_cross_entropy_backward(const ReferenceCall *call)
{
    const float *logits = call->in[0], *targets = call->in[1];
    float *dlogits = call->out[0];
    gint64 N = call->in_shape[0].dim[0], K = call->in_shape[0].dim[1];
    double smoothing = call->attributes.number;
    for (gint64 n = 0; n < N; n++, logits += K, dlogits += K) {
        double normaliser = log_sum_exp(logits, K);
        for (gint64 k = 0; k < K; k++) {
            double share = (targets[n] == (float)k ? 1 - smoothing : 0) + smoothing / (double)K;
            dlogits[k] = (float)(incoming(call) / (double)N * (exp(logits[k] - normaliser) - share));
        }
    }
}
