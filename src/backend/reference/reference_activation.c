/* Smooth activations. */
#include "backend/reference/reference.h"

#include <math.h>

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* x Phi(x), Phi being the normal distribution's; erfc keeps its digits where 1 + erf would lose them. */
static double gelu(double x)
{
    return x * 0.5 * erfc(-x / sqrt(2));
}

void reference_silu(const ReferenceCall *call)
{
    const float *x = call->in[0];
    float *y = call->out[0];
    for (gint64 i = 0, n = aimf_shape_count(&call->out_shape[0]); i < n; i++)
        y[i] = (float)(x[i] * sigmoid(x[i]));
}

void reference_gelu(const ReferenceCall *call)
{
    const float *x = call->in[0];
    float *y = call->out[0];
    for (gint64 i = 0, n = aimf_shape_count(&call->out_shape[0]); i < n; i++)
        y[i] = (float)gelu(x[i]);
}

void reference_quick_gelu(const ReferenceCall *call)
{
    const float *x = call->in[0];
    float *y = call->out[0];
    for (gint64 i = 0, n = aimf_shape_count(&call->out_shape[0]); i < n; i++)
        y[i] = (float)(x[i] * sigmoid(1.702 * x[i]));
}

void reference_geglu(const ReferenceCall *call)
{
    const float *x = call->in[0]; /* (N, T, 2 C) */
    float *y = call->out[0];      /* (N, T, C) */
    gint64 C = call->out_shape[0].dim[2], rows = aimf_shape_count(&call->out_shape[0]) / C;
    for (gint64 row = 0; row < rows; row++)
        for (gint64 c = 0; c < C; c++)
            y[row * C + c] = (float)(x[row * 2 * C + c] * gelu(x[row * 2 * C + C + c]));
}
