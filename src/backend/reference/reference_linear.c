/* The matrix product of a fully connected layer: x (..., I), weight (O, I), y (..., O). */
#include "backend/reference/reference.h"

void reference_linear(const ReferenceCall *call)
{
    const float *x = call->in[0], *weight = call->in[1], *bias = call->in[2];
    float *y = call->out[0];
    gint64 O = call->in_shape[1].dim[0], I = call->in_shape[1].dim[1], rows = aimf_shape_count(&call->in_shape[0]) / I;
    for (gint64 n = 0; n < rows; n++)
        for (gint64 o = 0; o < O; o++) {
            double sum = bias ? (double)bias[o] : 0;
            for (gint64 i = 0; i < I; i++)
                sum += (double)x[n * I + i] * weight[o * I + i];
            y[n * O + o] = (float)sum;
        }
}

void reference_linear_backward_data(const ReferenceCall *call)
{
    const float *dy = call->in[0], *weight = call->in[1];
    float *dx = call->out[0];
    gint64 O = call->in_shape[1].dim[0], I = call->in_shape[1].dim[1], rows = aimf_shape_count(&call->in_shape[0]) / O;
    for (gint64 n = 0; n < rows; n++)
        for (gint64 i = 0; i < I; i++) {
            double sum = 0;
            for (gint64 o = 0; o < O; o++)
                sum += (double)dy[n * O + o] * weight[o * I + i];
            dx[n * I + i] = (float)sum;
        }
}

void reference_linear_backward_weight(const ReferenceCall *call)
{
    const float *x = call->in[0], *dy = call->in[1];
    float *dweight = call->out[0];
    gint64 O = call->out_shape[0].dim[0], I = call->out_shape[0].dim[1];
    gint64 rows = aimf_shape_count(&call->in_shape[0]) / I;
    for (gint64 o = 0; o < O; o++)
        for (gint64 i = 0; i < I; i++) {
            double sum = 0;
            for (gint64 n = 0; n < rows; n++)
                sum += (double)dy[n * O + o] * x[n * I + i];
            dweight[o * I + i] = (float)sum;
        }
}

/* The gradient of the bias, or of whatever else is added to every row. */
void reference_row_sum(const ReferenceCall *call)
{
    const float *x = call->in[0];
    float *sums = call->out[0];
    gint64 C = call->out_shape[0].dim[0], rows = aimf_shape_count(&call->in_shape[0]) / C;
    for (gint64 c = 0; c < C; c++) {
        double sum = 0;
        for (gint64 row = 0; row < rows; row++)
            sum += x[row * C + c];
        sums[c] = (float)sum;
    }
}
