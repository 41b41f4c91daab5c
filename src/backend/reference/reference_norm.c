/* Batch normalisation: Ioffe and Szegedy 2015, arXiv 1502.03167, algorithm 1 and the gradients after it. */
#include "backend/reference/reference.h"

#include <math.h>

/* The elements of a channel: N runs of @area, and @count of them in all. */
typedef struct {
    gint64 N, C, area, count;
} Channels;

static Channels channels_of(const AimfShape *x)
{
    gint64 N = x->dim[0], C = x->dim[1], area = aimf_shape_count(x) / (N * C);
    return (Channels){ N, C, area, N * area };
}

/* Index in x of the channel's element @k, 0 <= k < count. */
static gint64 element(const Channels *s, gint64 c, gint64 k)
{
    return (k / s->area * s->C + c) * s->area + k % s->area;
}

static void measure(const Channels *s, const float *x, gint64 c, double *mean, double *variance)
{
    double sum = 0, squares = 0;
    for (gint64 k = 0; k < s->count; k++)
        sum += x[element(s, c, k)];
    *mean = sum / (double)s->count;
    for (gint64 k = 0; k < s->count; k++) {
        double deviation = x[element(s, c, k)] - *mean;
        squares += deviation * deviation;
    }
    *variance = squares / (double)s->count;
}

static float blend(double running, double measured, double momentum)
{
    return (float)((1 - momentum) * running + momentum * measured);
}

void reference_batch_norm(const ReferenceCall *call)
{
    const AimfBatchNorm *options = &call->attributes.batch_norm;
    const float *x = call->in[0], *weight = call->in[1], *bias = call->in[2];
    float *running_mean = call->in[3], *running_var = call->in[4];
    float *y = call->out[0], *saved_mean = call->out[1], *saved_variance = call->out[2];
    guint8 *passed = call->out[3];
    Channels s = channels_of(&call->in_shape[0]);
    for (gint64 c = 0; c < s.C; c++) {
        double mean = running_mean[c], variance = running_var[c];
        if (options->training) {
            measure(&s, x, c, &mean, &variance);
            saved_mean[c] = (float)mean;
            saved_variance[c] = (float)variance;
            double unbiased = variance * (double)s.count / (double)(s.count - 1);
            running_mean[c] = blend(running_mean[c], mean, options->momentum);
            running_var[c] = blend(running_var[c], unbiased, options->momentum);
        }
        double scale = weight[c] / sqrt(variance + options->epsilon);
        for (gint64 k = 0; k < s.count; k++) {
            gint64 i = element(&s, c, k);
            double value = (x[i] - mean) * scale + bias[c];
            gboolean blocked = options->relu && value <= 0; /* NaN passes, as in PyTorch */
            y[i] = blocked ? 0 : (float)value;
            if (passed)
                passed[i] = !blocked;
        }
    }
}

void reference_batch_norm_backward(const ReferenceCall *call)
{
    const AimfBatchNorm *options = &call->attributes.batch_norm;
    const float *x = call->in[0], *dy = call->in[1], *weight = call->in[2], *mean = call->in[3];
    const float *variance = call->in[4];
    const guint8 *passed = call->in[5];
    float *dx = call->out[0], *dweight = call->out[1], *dbias = call->out[2];
    Channels s = channels_of(&call->in_shape[0]);
    for (gint64 c = 0; c < s.C; c++) {
        double scale = 1 / sqrt(variance[c] + options->epsilon);
        double sum = 0, product = 0; /* of dy, and of dy with the normalised x */
        for (gint64 k = 0; k < s.count; k++) {
            gint64 i = element(&s, c, k);
            double g = passed && !passed[i] ? 0 : (double)dy[i];
            sum += g;
            product += g * ((double)x[i] - mean[c]) * scale;
        }
        for (gint64 k = 0; dx && k < s.count; k++) {
            gint64 i = element(&s, c, k);
            double g = passed && !passed[i] ? 0 : (double)dy[i];
            double through_statistics = 0;
            if (options->training)
                through_statistics = (sum + ((double)x[i] - mean[c]) * scale * product) / (double)s.count;
            dx[i] = (float)(weight[c] * scale * (g - through_statistics));
        }
        if (dweight)
            dweight[c] = (float)product;
        if (dbias)
            dbias[c] = (float)sum;
    }
}
