/* Operations on single elements, and their gradients. NaN passes those that clip, as in PyTorch. */
#include "backend/reference/reference.h"

#include <math.h>

/* y = VALUE(v), and dx = dy times SLOPE(v), where v is an element of x, or of y where the list says so. */
#define UNARY(name, VALUE, SLOPE)                                                                                      \
    void reference_##name(const ReferenceCall *call)                                                                   \
    {                                                                                                                  \
        const AimfAttributes *with = &call->attributes;                                                                \
        (void)with;                                                                                                    \
        for (gint64 i = 0, n = aimf_shape_count(&call->out_shape[0]); i < n; i++) {                                    \
            double v = ((const float *)call->in[0])[i];                                                                \
            ((float *)call->out[0])[i] = (float)(VALUE);                                                               \
        }                                                                                                              \
    }                                                                                                                  \
    void reference_##name##_backward(const ReferenceCall *call)                                                        \
    {                                                                                                                  \
        const AimfAttributes *with = &call->attributes;                                                                \
        (void)with;                                                                                                    \
        for (gint64 i = 0, n = aimf_shape_count(&call->out_shape[0]); i < n; i++) {                                    \
            double v = ((const float *)call->in[0])[i], dy = ((const float *)call->in[1])[i];                          \
            ((float *)call->out[0])[i] = (float)(SLOPE);                                                               \
        }                                                                                                              \
    }

static const double root_half = 0.70710678118654752, root_2_by_pi = 0.79788456080286536, gelu_cubic = 0.044715;

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* Of x sigmoid(x); sigmoid(-x) keeps the digits that 1 - sigmoid(x) would lose. */
static double silu_slope(double x)
{
    return sigmoid(x) * (1 + x * sigmoid(-x));
}

/* The normal distribution's; erfc keeps its digits where 1 + erf would lose them. */
static double phi(double x)
{
    return 0.5 * erfc(-x * root_half);
}

static double gelu_slope(double x)
{
    return phi(x) + x * exp(-x * x / 2) * root_2_by_pi / 2;
}

/* (1 + tanh(u)) / 2 is sigmoid(2 u). */
static double gelu_tanh_argument(double x)
{
    return 2 * root_2_by_pi * (x + gelu_cubic * x * x * x);
}

static double gelu_tanh_slope(double x)
{
    double u = gelu_tanh_argument(x);
    return sigmoid(u) * (1 + x * sigmoid(-u) * 2 * root_2_by_pi * (1 + 3 * gelu_cubic * x * x));
}

static double square(double x)
{
    return x * x;
}

static double clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

UNARY(silu, sigmoid(v) * v, silu_slope(v) * dy)
UNARY(gelu, phi(v) * v, gelu_slope(v) * dy)
UNARY(gelu_tanh, sigmoid(gelu_tanh_argument(v)) * v, gelu_tanh_slope(v) * dy)
UNARY(quick_gelu, sigmoid(1.702 * v) * v, silu_slope(1.702 * v) * dy)
UNARY(sigmoid, sigmoid(v), sigmoid(v) * sigmoid(-v) * dy)
UNARY(tanh, tanh(v), dy / (cosh(v) * cosh(v)))
UNARY(hard_sigmoid, clip(v + 3, 0, 6) / 6, v > -3 && v < 3 ? dy / 6 : 0)
UNARY(hard_swish, clip(v + 3, 0, 6) / 6 * v, v <= -3 ? 0 : v < 3 ? dy * (v / 3 + 0.5) : dy)
UNARY(log, log(v), dy / v)
UNARY(erf, erf(v), exp(-square(v)) * 2 * root_2_by_pi * root_half * dy)
UNARY(clip, clip(v, with->clip.low, with->clip.high), v <= with->clip.low || v >= with->clip.high ? 0 : dy)
UNARY(sqrt, sqrt(v), dy / (2 * sqrt(v)))
UNARY(exp, exp(v), exp(v) * dy)
UNARY(reciprocal, 1 / v, -dy / v / v)

void reference_geglu(const ReferenceCall *call)
{
    const float *x = call->in[0]; /* (N, T, 2 C) */
    float *y = call->out[0];      /* (N, T, C) */
    gint64 C = call->out_shape[0].dim[2], rows = aimf_shape_count(&call->out_shape[0]) / C;
    for (gint64 row = 0; row < rows; row++)
        for (gint64 c = 0; c < C; c++) {
            double gate = x[row * 2 * C + C + c];
            y[row * C + c] = (float)(x[row * 2 * C + c] * gate * phi(gate));
        }
}

void reference_geglu_backward(const ReferenceCall *call)
{
    const float *x = call->in[0], *dy = call->in[1]; /* (N, T, 2 C), (N, T, C) */
    float *dx = call->out[0];
    gint64 C = call->in_shape[1].dim[2], rows = aimf_shape_count(&call->in_shape[1]) / C;
    for (gint64 row = 0; row < rows; row++)
        for (gint64 c = 0; c < C; c++) {
            gint64 value = row * 2 * C + c, gate = value + C;
            double d = dy[row * C + c], g = x[gate];
            dx[value] = (float)(d * g * phi(g));
            dx[gate] = (float)(d * x[value] * gelu_slope(g));
        }
}
