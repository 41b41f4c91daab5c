#include "backend/reference/reference.h"

void reference_leaky_relu(const ReferenceCall *call)
{
    const float *x = call->in[0];
    float *y = call->out[0];
    for (gint64 i = 0, n = aimf_shape_count(&call->out_shape[0]); i < n; i++)
        y[i] = x[i] > 0 ? x[i] : (float)(call->attributes.number * (double)x[i]);
}

void reference_leaky_relu_backward(const ReferenceCall *call)
{
    const float *y = call->in[0], *dy = call->in[1];
    float *dx = call->out[0];
    for (gint64 i = 0, n = aimf_shape_count(&call->out_shape[0]); i < n; i++)
        dx[i] = y[i] > 0 ? dy[i] : (float)(call->attributes.number * (double)dy[i]);
}
