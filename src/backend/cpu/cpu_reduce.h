/* What the two files of operations on operands of different shapes share. */
#pragma once

#include "backend/cpu/cpu_nest.h"
#include "backend/cpu/cpu_view.h"

/**
 * CpuPiece: rows and lanes of a nest, its last dimension. @in: up to three operands; @out: their result, whose lanes
 * lie side by side; @row, @lane: strides of inputs and result, in elements
 */
typedef struct {
    const void *in[3];
    void *out;
    gint64 row[4], lane[3];
    gint64 rows, lanes;
    float scale;
} CpuPiece;

typedef void (*CpuMap)(const CpuPiece *piece);

typedef struct {
    AimfKernel base;
    CpuNest nests[2];
    int n_nests;
    CpuMap map;       /* (nullable) of a reduction: to f32, none if the terms are the first operand, in f32 */
    gboolean maximum; /* of a reduction */
    double scale;
    gboolean out_is_bf16;
    gsize in_bytes, out_bytes; /* of an element */
    CpuView padded;            /* of the result */
    int n_inputs;
    guint32 one; /* the first operand if it is not given */
    const char *in[3];
    char *out;
    double *scratch;
} CpuBroadcastKernel;

/**
 * cpu_reduce_scratch_bytes, cpu_reduce_run: for every place of the result the sum or maximum of all that the map
 * makes there.
 */
gsize cpu_reduce_scratch_bytes(const CpuBroadcastKernel *kernel);
gboolean cpu_reduce_run(AimfKernel *base, AimfStream *stream, GError **error);
