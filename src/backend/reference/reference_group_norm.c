/* Normalisation within a sample. */
#include "backend/reference/reference.h"

#include <math.h>

/* Mean and 1 / sqrt(variance + epsilon) of @n numbers. */
static void measure(const float *x, gint64 n, double epsilon, double *mean, double *scale)
{
    double sum = 0, squares = 0;
    for (gint64 i = 0; i < n; i++)
        sum += x[i];
    *mean = sum / (double)n;
    for (gint64 i = 0; i < n; i++)
        squares += (x[i] - *mean) * (x[i] - *mean);
    *scale = 1 / sqrt(squares / (double)n + epsilon);
}

void reference_group_norm(const ReferenceCall *call)
{
    const AimfGroupNorm *options = &call->attributes.group_norm;
    const AimfShape *shape = &call->in_shape[0];
    const float *x = call->in[0], *weight = call->in[1], *bias = call->in[2];
    float *y = call->out[0];
    gint64 channels = shape->dim[1] / options->groups, area = shape->dim[2] * shape->dim[3]; /* channels of a group */
    for (gint64 group = 0; group < shape->dim[0] * options->groups; group++) {
        const float *members = x + group * channels * area;
        double mean, scale;
        measure(members, channels * area, options->epsilon, &mean, &scale);
        for (gint64 i = 0; i < channels * area; i++) {
            gint64 c = group % options->groups * channels + i / area;
            double value = (members[i] - mean) * scale * weight[c] + bias[c];
            y[group * channels * area + i] = (float)(options->silu ? value / (1 + exp(-value)) : value);
        }
    }
}

/* What the gradient of a value z before SiLU is, per gradient of silu(z). */
static double silu_slope(double z)
{
    double sigmoid = 1 / (1 + exp(-z));
    return sigmoid * (1 + z * (1 - sigmoid));
}

/*
 * The gradient of @n numbers, given those of what they are normalised to and that itself: Ba et al. 2016 and Wu and He
 * 2018 have the same statistics. With g = dy weight: dx = scale (g - mean of g - x' mean of g x').
 */
static void normalise_backward(const double *g, const double *normalised, gint64 n, double scale, float *dx)
{
    double sum = 0, product = 0;
    for (gint64 i = 0; i < n; i++) {
        sum += g[i];
        product += g[i] * normalised[i];
    }
    for (gint64 i = 0; dx && i < n; i++)
        dx[i] = (float)(scale * (g[i] - (sum + normalised[i] * product) / (double)n));
}

/* What the parameters get, in double, into f32. */
static void store(const double *from, gint64 n, float *to)
{
    for (gint64 i = 0; to && i < n; i++)
        to[i] = (float)from[i];
}

void reference_group_norm_backward(const ReferenceCall *call)
{
    const AimfGroupNorm *options = &call->attributes.group_norm;
    const AimfShape *shape = &call->in_shape[0];
    const float *x = call->in[0], *dy = call->in[1], *weight = call->in[2], *bias = call->in[3];
    float *dx = call->out[0];
    gint64 channels = shape->dim[1] / options->groups, area = shape->dim[2] * shape->dim[3], n = channels * area;
    g_autofree double *g = g_new(double, n), *normalised = g_new(double, n);
    g_autofree double *dweight = g_new0(double, shape->dim[1]), *dbias = g_new0(double, shape->dim[1]);
    for (gint64 group = 0; group < shape->dim[0] * options->groups; group++) {
        double mean, scale;
        measure(x + group * n, n, options->epsilon, &mean, &scale);
        for (gint64 i = 0; i < n; i++) {
            gint64 c = group % options->groups * channels + i / area;
            normalised[i] = (x[group * n + i] - mean) * scale;
            double own = dy[group * n + i];
            own *= options->silu ? silu_slope(normalised[i] * weight[c] + bias[c]) : 1;
            dweight[c] += own * normalised[i];
            dbias[c] += own;
            g[i] = own * weight[c];
        }
        normalise_backward(g, normalised, n, scale, dx ? dx + group * n : NULL);
    }
    store(dweight, shape->dim[1], call->out[1]);
    store(dbias, shape->dim[1], call->out[2]);
}

void reference_layer_norm_backward(const ReferenceCall *call)
{
    const float *x = call->in[0], *dy = call->in[1], *weight = call->in[2];
    float *dx = call->out[0];
    gint64 C = call->in_shape[2].dim[0], rows = aimf_shape_count(&call->in_shape[0]) / C;
    g_autofree double *g = g_new(double, C), *normalised = g_new(double, C);
    g_autofree double *dweight = g_new0(double, C), *dbias = g_new0(double, C);
    for (gint64 row = 0; row < rows; row++) {
        double mean, scale;
        measure(x + row * C, C, call->attributes.number, &mean, &scale);
        for (gint64 c = 0; c < C; c++) {
            normalised[c] = (x[row * C + c] - mean) * scale;
            dweight[c] += dy[row * C + c] * normalised[c];
            dbias[c] += dy[row * C + c];
            g[c] = (double)dy[row * C + c] * weight[c];
        }
        normalise_backward(g, normalised, C, scale, dx ? dx + row * C : NULL);
    }
    store(dweight, C, call->out[1]);
    store(dbias, C, call->out[2]);
}

void reference_layer_norm(const ReferenceCall *call)
{
    const float *x = call->in[0], *weight = call->in[1], *bias = call->in[2];
    float *y = call->out[0];
    gint64 C = call->in_shape[1].dim[0], rows = aimf_shape_count(&call->in_shape[0]) / C;
    for (gint64 row = 0; row < rows; row++, x += C, y += C) {
        double mean, scale;
        measure(x, C, call->attributes.number, &mean, &scale);
        for (gint64 c = 0; c < C; c++)
            y[c] = (float)((x[c] - mean) * scale * weight[c] + bias[c]);
    }
}
