/* Pictures as rows of pixels and at twice the size, and what is looked up. */
#include "backend/reference/reference.h"

#include <math.h>

void reference_upsample_nearest(const ReferenceCall *call)
{
    const AimfShape *ys = &call->out_shape[0];
    const float *x = call->in[0];
    float *y = call->out[0];
    gint64 H = ys->dim[2], W = ys->dim[3];
    for (gint64 plane = 0; plane < ys->dim[0] * ys->dim[1]; plane++)
        for (gint64 h = 0; h < H; h++)
            for (gint64 w = 0; w < W; w++)
                y[(plane * H + h) * W + w] = x[(plane * (H / 2) + h / 2) * (W / 2) + w / 2];
}

void reference_upsample_nearest_backward(const ReferenceCall *call)
{
    const AimfShape *xs = &call->out_shape[0];
    const float *dy = call->in[0];
    float *dx = call->out[0];
    gint64 H = xs->dim[2], W = xs->dim[3];
    for (gint64 row = 0; row < xs->dim[0] * xs->dim[1] * H; row++)
        for (gint64 w = 0; w < W; w++) {
            const float *upper = dy + row * 4 * W + 2 * w, *lower = upper + 2 * W;
            dx[row * W + w] = (float)((double)upper[0] + (double)upper[1] + (double)lower[0] + (double)lower[1]);
        }
}

/* Swaps the last two of three dimensions, (N, A, B) -> (N, B, A). */
static void transpose(const float *x, float *y, gint64 N, gint64 A, gint64 B)
{
    for (gint64 n = 0; n < N; n++)
        for (gint64 a = 0; a < A; a++)
            for (gint64 b = 0; b < B; b++)
                y[(n * B + b) * A + a] = x[(n * A + a) * B + b];
}

void reference_tokens(const ReferenceCall *call)
{
    const AimfShape *ys = &call->out_shape[0]; /* (N, H W, C) */
    transpose(call->in[0], call->out[0], ys->dim[0], ys->dim[2], ys->dim[1]);
}

void reference_planes(const ReferenceCall *call)
{
    const AimfShape *xs = &call->in_shape[0]; /* (N, H W, C) */
    transpose(call->in[0], call->out[0], xs->dim[0], xs->dim[1], xs->dim[2]);
}

void reference_embedding(const ReferenceCall *call)
{
    const AimfShape *ys = &call->out_shape[0]; /* (N, T, C) */
    const float *ids = call->in[0], *table = call->in[1], *positions = call->in[2];
    float *y = call->out[0];
    gint64 V = call->in_shape[1].dim[0], T = ys->dim[1], C = ys->dim[2];
    for (gint64 i = 0; i < ys->dim[0] * T; i++)
        for (gint64 c = 0; c < C; c++) {
            gboolean known = ids[i] >= 0 && ids[i] < (float)V;
            double value = known ? (double)table[(gint64)ids[i] * C + c] : NAN;
            y[i * C + c] = (float)(value + (positions ? (double)positions[i % T * C + c] : 0));
        }
}

void reference_embedding_backward(const ReferenceCall *call)
{
    const AimfShape *shape = &call->in_shape[1]; /* (N, T, C) */
    const float *ids = call->in[0], *dy = call->in[1];
    gint64 T = shape->dim[1], C = shape->dim[2];
    for (int k = 0; k < 2; k++) { /* the table, the positions */
        gint64 rows = call->out[k] ? call->out_shape[k].dim[0] : 0;
        g_autofree double *sums = g_new0(double, rows *C + 1);
        for (gint64 i = 0; i < shape->dim[0] * T; i++) {
            gboolean known = k == 1 || (ids[i] >= 0 && ids[i] < (float)rows);
            gint64 row = k == 1 ? i % T : known ? (gint64)ids[i] : 0;
            for (gint64 c = 0; known && call->out[k] && c < C; c++)
                sums[row * C + c] += dy[i * C + c];
        }
        for (gint64 i = 0; i < rows * C; i++)
            ((float *)call->out[k])[i] = (float)sums[i];
    }
}

void reference_timestep_embedding(const ReferenceCall *call)
{
    const float *timesteps = call->in[0];
    float *y = call->out[0]; /* (N, 2 half) */
    gint64 N = call->out_shape[0].dim[0], half = call->out_shape[0].dim[1] / 2;
    for (gint64 n = 0; n < N; n++)
        for (gint64 i = 0; i < half; i++) {
            double angle = timesteps[n] * pow(10000, -(double)i / (double)half);
            y[n * 2 * half + i] = (float)cos(angle);
            y[n * 2 * half + half + i] = (float)sin(angle);
        }
}
