#include "backend/reference/reference.h"

/* Products of as many pairs of matrices as the leading dimensions say. */
void reference_matmul(const ReferenceCall *call)
{
    const AimfMatmul *options = &call->attributes.matmul;
    const AimfShape *as = &call->in_shape[0], *bs = &call->in_shape[1], *ys = &call->out_shape[0];
    const float *a = call->in[0], *b = call->in[1];
    float *y = call->out[0];
    int last = ys->rank - 1;
    gint64 M = ys->dim[last - 1], N = ys->dim[last], K = as->dim[options->transpose_a ? last - 1 : last];
    gint64 a_row = options->transpose_a ? 1 : as->dim[last], a_step = options->transpose_a ? as->dim[last] : 1;
    gint64 b_column = options->transpose_b ? bs->dim[last] : 1, b_step = options->transpose_b ? 1 : bs->dim[last];
    for (gint64 i = 0, n = aimf_shape_count(ys); i < n; i++) {
        gint64 matrix = i / (M * N), row = i / N % M, column = i % N;
        const float *p = a + matrix * M * K + row * a_row, *q = b + matrix * K * N + column * b_column;
        double sum = 0;
        for (gint64 k = 0; k < K; k++)
            sum += (double)p[k * a_step] * q[k * b_step];
        y[i] = (float)sum;
    }
}
