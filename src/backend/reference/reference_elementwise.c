/* Operations on elements, and the sum that makes a bias's gradient. NaN passes a ReLU, as in PyTorch. */
#include "backend/reference/reference.h"

static float rectify(float x)
{
    return x <= 0 ? 0 : x;
}

void reference_relu(const ReferenceCall *call)
{
    const float *x = call->in[0];
    float *y = call->out[0];
    for (gint64 i = 0, n = aimf_shape_count(&call->out_shape[0]); i < n; i++)
        y[i] = rectify(x[i]);
}

void reference_add_relu(const ReferenceCall *call)
{
    const float *a = call->in[0], *b = call->in[1];
    float *y = call->out[0];
    for (gint64 i = 0, n = aimf_shape_count(&call->out_shape[0]); i < n; i++)
        y[i] = rectify(a[i] + b[i]);
}

void reference_relu_backward(const ReferenceCall *call)
{
    const float *y = call->in[0], *dy = call->in[1];
    float *dx = call->out[0];
    for (gint64 i = 0, n = aimf_shape_count(&call->out_shape[0]); i < n; i++)
        dx[i] = y[i] <= 0 ? 0 : dy[i];
}

void reference_channel_sum(const ReferenceCall *call)
{
    const AimfShape *shape = &call->in_shape[0];
    const float *x = call->in[0]; /* (N, C, ...) */
    float *sums = call->out[0];
    gint64 N = shape->dim[0], C = shape->dim[1], area = aimf_shape_count(shape) / (N * C);
    for (gint64 c = 0; c < C; c++) {
        double sum = 0;
        for (gint64 n = 0; n < N; n++)
            for (gint64 i = 0; i < area; i++)
                sum += x[(n * C + c) * area + i];
        sums[c] = (float)sum;
    }
}

void reference_pixel_sum(const ReferenceCall *call)
{
    const AimfShape *shape = &call->in_shape[0];
    const float *x = call->in[0]; /* (N, C, ...) */
    float *sums = call->out[0];
    gint64 n = shape->dim[0] * shape->dim[1], area = aimf_shape_count(shape) / n;
    for (gint64 i = 0; i < n; i++) {
        double sum = 0;
        for (gint64 k = 0; k < area; k++)
            sum += x[i * area + k];
        sums[i] = (float)sum;
    }
}

void reference_add_channels(const ReferenceCall *call)
{
    const AimfShape *shape = &call->in_shape[0];
    const float *x = call->in[0], *offsets = call->in[1]; /* (N, C, H, W), (N, C) */
    float *y = call->out[0];
    gint64 area = shape->dim[2] * shape->dim[3];
    for (gint64 i = 0, n = aimf_shape_count(shape); i < n; i++)
        y[i] = x[i] + offsets[i / area];
}
