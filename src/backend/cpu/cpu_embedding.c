/* Rows looked up in a table, and waves that tell of a time. */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_bf16.h"

#include <math.h>

typedef struct {
    AimfKernel base;
    gint64 n, tokens, channels, vocabulary; /* a timestep embedding has neither tokens nor a vocabulary */
    gboolean is_bf16;
    const float *x; /* ids or timesteps */
    const void *table, *positions;
    void *y;
} EmbeddingKernel;

static float load(const EmbeddingKernel *kernel, const void *data, gint64 i)
{
    return kernel->is_bf16 ? cpu_from_bf16(((const guint16 *)data)[i]) : ((const float *)data)[i];
}

static void embed(const EmbeddingKernel *kernel, gint64 i)
{
    float id = kernel->x[i];
    gboolean known = id >= 0 && id < (float)kernel->vocabulary;
    gint64 row = known ? (gint64)id * kernel->channels : 0, position = i % kernel->tokens * kernel->channels;
    for (gint64 c = 0; c < kernel->channels; c++) {
        float value = known ? load(kernel, kernel->table, row + c) : NAN;
        if (kernel->positions)
            value += load(kernel, kernel->positions, position + c);
        if (kernel->is_bf16)
            ((guint16 *)kernel->y)[i * kernel->channels + c] = cpu_to_bf16(value);
        else
            ((float *)kernel->y)[i * kernel->channels + c] = value;
    }
}

static gboolean embedding_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const EmbeddingKernel *kernel = (EmbeddingKernel *)base;
#pragma omp parallel for schedule(static)
    for (gint64 i = 0; i < kernel->n * kernel->tokens; i++)
        embed(kernel, i);
    return TRUE;
}

static gboolean timestep_embedding_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const EmbeddingKernel *kernel = (EmbeddingKernel *)base;
    gint64 half = kernel->channels / 2;
    float *y = kernel->y;
    for (gint64 n = 0; n < kernel->n; n++, y += kernel->channels)
        for (gint64 i = 0; i < half; i++) {
            double angle = (double)kernel->x[n] * pow(10000, -(double)i / (double)half);
            y[i] = (float)cos(angle);
            y[half + i] = (float)sin(angle);
        }
    return TRUE;
}

/*
 * What an embedding's parameters get: a thread takes some channels and adds the tokens' gradients, one after another,
 * to the rows that they came from. What no row is gives nothing.
 */
typedef struct {
    AimfKernel base;
    gint64 n, tokens, channels, vocabulary, positions;
    gboolean is_bf16;
    const float *ids;
    const void *dy;
    float *dtable, *dpositions;
} EmbeddingBackwardKernel;

static void add_gradient(const EmbeddingBackwardKernel *kernel, gint64 i, float *row, gint64 first, gint64 end)
{
    gint64 at = i * kernel->channels;
    for (gint64 c = first; c < end; c++)
        row[c] += kernel->is_bf16 ? cpu_from_bf16(((const guint16 *)kernel->dy)[at + c])
                                  : ((const float *)kernel->dy)[at + c];
}

static void clear(float *rows, gint64 n, gint64 channels, gint64 first, gint64 end)
{
    for (gint64 row = 0; rows && row < n; row++)
        for (gint64 c = first; c < end; c++)
            rows[row * channels + c] = 0;
}

static void take_channels(const EmbeddingBackwardKernel *kernel, gint64 first, gint64 end)
{
    clear(kernel->dtable, kernel->vocabulary, kernel->channels, first, end);
    clear(kernel->dpositions, kernel->positions, kernel->channels, first, end);
    for (gint64 i = 0; i < kernel->n * kernel->tokens; i++) {
        float id = kernel->ids[i];
        if (kernel->dtable && id >= 0 && id < (float)kernel->vocabulary)
            add_gradient(kernel, i, kernel->dtable + (gint64)id * kernel->channels, first, end);
        if (kernel->dpositions)
            add_gradient(kernel, i, kernel->dpositions + i % kernel->tokens * kernel->channels, first, end);
    }
}

static gboolean embedding_backward_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    enum { CHANNELS = 64 };
    const EmbeddingBackwardKernel *kernel = (EmbeddingBackwardKernel *)base;
#pragma omp parallel for schedule(static)
    for (gint64 first = 0; first < kernel->channels; first += CHANNELS)
        take_channels(kernel, first, MIN(first + CHANNELS, kernel->channels));
    return TRUE;
}

static void embedding_backward_bind(AimfKernel *base, void *const *addresses)
{
    EmbeddingBackwardKernel *kernel = (EmbeddingBackwardKernel *)base;
    kernel->ids = addresses[0];
    kernel->dy = addresses[1];
    kernel->dtable = addresses[2];
    kernel->dpositions = addresses[3];
}

static void embedding_bind(AimfKernel *base, void *const *addresses)
{
    EmbeddingKernel *kernel = (EmbeddingKernel *)base;
    kernel->x = addresses[0];
    kernel->table = addresses[1];
    kernel->positions = addresses[2];
    kernel->y = addresses[3];
}

static void timestep_embedding_bind(AimfKernel *base, void *const *addresses)
{
    EmbeddingKernel *kernel = (EmbeddingKernel *)base;
    kernel->x = addresses[0];
    kernel->y = addresses[1];
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

AimfKernel *cpu_plan_embedding(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    AimfDtype dtype = cpu_compute_dtype(plan);
    cpu_want_row_major(plan, 0, AIMF_F32);
    cpu_want_row_major(plan, 1, dtype);
    cpu_want_row_major(plan, 2, dtype);
    cpu_give_row_major(plan, 0, dtype);
    const AimfShape *y = cpu_output_shape(plan, 0); /* (N, T, C) */
    EmbeddingKernel *kernel = g_new0(EmbeddingKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:lookup", embedding_bind, embedding_run, kernel_free };
    kernel->n = y->dim[0];
    kernel->tokens = y->dim[1];
    kernel->channels = y->dim[2];
    kernel->vocabulary = cpu_input_shape(plan, 1)->dim[0];
    kernel->is_bf16 = dtype == AIMF_BF16;
    return &kernel->base;
}

AimfKernel *cpu_plan_embedding_backward(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    AimfDtype dtype = cpu_compute_dtype(plan);
    cpu_want_row_major(plan, 0, AIMF_F32);
    cpu_want_row_major(plan, 1, dtype);
    cpu_give_row_major(plan, 0, AIMF_F32);
    cpu_give_row_major(plan, 1, AIMF_F32);
    const AimfShape *dy = cpu_input_shape(plan, 1); /* (N, T, C) */
    const AimfShape *table = cpu_output_shape(plan, 0), *positions = cpu_output_shape(plan, 1);
    EmbeddingBackwardKernel *kernel = g_new0(EmbeddingBackwardKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:lookup", embedding_backward_bind, embedding_backward_run, kernel_free };
    kernel->n = dy->dim[0];
    kernel->tokens = dy->dim[1];
    kernel->channels = dy->dim[2];
    kernel->vocabulary = table ? table->dim[0] : 0;
    kernel->positions = positions ? positions->dim[0] : 0;
    kernel->is_bf16 = dtype == AIMF_BF16;
    return &kernel->base;
}

AimfKernel *cpu_plan_timestep_embedding(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    cpu_want_row_major(plan, 0, AIMF_F32);
    cpu_give_row_major(plan, 0, AIMF_F32);
    const AimfShape *y = cpu_output_shape(plan, 0); /* (N, C) */
    EmbeddingKernel *kernel = g_new0(EmbeddingKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:waves", timestep_embedding_bind, timestep_embedding_run, kernel_free };
    kernel->n = y->dim[0];
    kernel->channels = y->dim[1];
    return &kernel->base;
}
