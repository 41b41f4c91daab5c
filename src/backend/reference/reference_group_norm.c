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
