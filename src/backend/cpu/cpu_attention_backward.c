/*
 * The gradient of attention. A thread takes a head of a sample and goes over its queries in blocks, whose weights for
 * all keys it computes again; so it needs neither the result nor anything else that the forward kernel knew. With
 * weights p = softmax(q k' / sqrt(d)):
 *
 *   dv = p' dy     dp = dy v'     ds = p (dp - sum of p dp) / sqrt(d)     dq = ds k     dk = ds' q
 *
 * All five are products of cpu_product.h, in f32 also where tensors are bf16. dk and dv are summed over the blocks in
 * order, by one thread: nothing depends on how many there are.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_product.h"
#include "backend/cpu/cpu_vector.h"

#include <math.h>
#include <omp.h>
#include <string.h>

enum {
    LINE = 16,              /* floats in a cache line */
    FEWEST_QUERIES = 24,    /* of a block: a multiple of every product's rows */
    BLOCK_WEIGHTS = 1 << 15 /* about, so that they and their gradients stay in the second cache */
};

/*
 * Where things lie in a thread's scratch, in floats: rows of head_size, filled up to @width with zeros, of keys or
 * queries; panels of keys or values.
 */
typedef struct {
    gint64 k, k_panels, v_panels, dk, dv, q, dy, dq, weights, dweights, end;
} Places;

typedef struct {
    AimfKernel base;
    const CpuProductKernels *products;
    gint64 n, heads, head_size, queries, keys;
    gint64 width, padded_keys; /* multiples of a panel */
    gint64 block, stride;      /* queries at a time; distance of rows of weights */
    gboolean causal, is_bf16;
    float scale;
    Places at;
    int n_threads;
    const void *q, *k, *v, *dy;
    void *dq, *dk, *dv;
    float *scratch;
} AttentionBackwardKernel;

/* --- Weights and what the scores get --- */

/**
 * Weights: of a block's queries: (rows, keys) scores become weights, and the weights' gradients become the scores'.
 * @diagonal: how many keys the first query sees, each further one sees one more; what is not seen becomes 0
 */
typedef struct {
    gint64 rows, keys, diagonal, stride;
    float scale;
    gboolean has_dweights;
    float *weights, *dweights;
} Weights;

#define WEIGH(name, TARGET)                                                                                            \
    TARGET static void name(const Weights *w)                                                                          \
    {                                                                                                                  \
        for (gint64 r = 0; r < w->rows; r++) {                                                                         \
            float *p = w->weights + r * w->stride, *g = w->dweights + r * w->stride;                                   \
            gint64 visible = MIN(w->keys, w->diagonal + r);                                                            \
            float most = -INFINITY, sum = 0, product = 0, scale = w->scale;                                            \
            _Pragma("omp simd reduction(max : most)") for (gint64 i = 0; i < visible; i++) most =                      \
                p[i] > most ? p[i] : most;                                                                             \
            _Pragma("omp simd reduction(+ : sum)") for (gint64 i = 0; i < visible; i++)                                \
            {                                                                                                          \
                p[i] = cpu_weight((p[i] - most) * scale);                                                              \
                sum += p[i];                                                                                           \
            }                                                                                                          \
            float share = 1 / sum;                                                                                     \
            for (gint64 i = visible; i < w->keys; i++)                                                                 \
                p[i] = 0;                                                                                              \
            _Pragma("omp simd") for (gint64 i = 0; i < visible; i++) p[i] *= share;                                    \
            if (!w->has_dweights)                                                                                      \
                continue;                                                                                              \
            _Pragma("omp simd reduction(+ : product)") for (gint64 i = 0; i < visible; i++) product += p[i] * g[i];    \
            _Pragma("omp simd") for (gint64 i = 0; i < visible; i++) g[i] = p[i] * (g[i] - product) * scale;           \
            for (gint64 i = visible; i < w->keys; i++)                                                                 \
                g[i] = 0;                                                                                              \
        }                                                                                                              \
    }

WEIGH(weigh_f32, CPU_BASELINE)
WEIGH(weigh_f32_avx2, CPU_AVX2)
WEIGH(weigh_f32_avx512, CPU_AVX512)

static void weigh(const Weights *weights)
{
    static void (*const forms[AIMF_N_ISAS])(const Weights *) =
        AIMF_ISA_TABLE(weigh_f32, weigh_f32_avx2, weigh_f32_avx512, weigh_f32_avx512);
    forms[aimf_instruction_set()](weights);
}

/* --- Tensors and rows --- */

/* Where row @row of a head lies in a tensor (n, length, heads * head_size), in elements. */
static gint64 row_at(const AttentionBackwardKernel *kernel, gint64 head, gint64 length, gint64 row)
{
    return ((head / kernel->heads * length + row) * kernel->heads + head % kernel->heads) * kernel->head_size;
}

static void load_rows(const AttentionBackwardKernel *kernel, const void *tensor, gint64 at, gint64 rows, float *to)
{
    gint64 size = kernel->head_size, stride = kernel->heads * size, width = kernel->width;
    for (gint64 r = 0; r < rows; r++, at += stride, to += width) {
        if (kernel->is_bf16)
            for (gint64 c = 0; c < size; c++)
                to[c] = cpu_from_bf16(((const guint16 *)tensor)[at + c]);
        else
            memcpy(to, (const float *)tensor + at, (gsize)size * sizeof *to);
        for (gint64 c = size; c < width; c++)
            to[c] = 0;
    }
}

static void store_rows(const AttentionBackwardKernel *kernel, const float *from, void *tensor, gint64 at, gint64 rows)
{
    gint64 size = kernel->head_size, stride = kernel->heads * size, width = kernel->width;
    for (gint64 r = 0; r < rows; r++, at += stride, from += width) {
        if (kernel->is_bf16)
            for (gint64 c = 0; c < size; c++)
                ((guint16 *)tensor)[at + c] = cpu_to_bf16(from[c]);
        else
            memcpy((float *)tensor + at, from, (gsize)size * sizeof *from);
    }
}

/* The transpose of rows of keys or values as panels: [padded_keys / panel][head_size][panel]. */
static void pack_panels(const AttentionBackwardKernel *kernel, const float *rows, float *to)
{
    gint64 panel = kernel->products->panel, size = kernel->head_size;
    for (gint64 first = 0; first < kernel->keys; first += panel, to += size * panel) {
        gint64 there = MIN(panel, kernel->keys - first);
        if (there < panel)
            memset(to, 0, (gsize)(size * panel) * sizeof *to);
        for (gint64 r = 0; r < there; r++)
            for (gint64 c = 0; c < size; c++)
                to[c * panel + r] = rows[(first + r) * kernel->width + c];
    }
}

/* --- Products --- */

/* Products (queries, keys) of rows of queries, or of their gradients, with the panels of keys or values. */
static void multiply_keys(const AttentionBackwardKernel *kernel, gint64 queries, gint64 keys, const float *rows,
                          const float *panels, float *to)
{
    gint64 panel = kernel->products->panel;
    kernel->products->multiply(&(CpuProduct){ .rows = queries,
                                              .columns = (keys + panel - 1) / panel * panel,
                                              .depth = kernel->head_size,
                                              .a = rows,
                                              .a_tile = kernel->products->rows * kernel->width,
                                              .a_row = kernel->width,
                                              .a_step = 1,
                                              .b = panels,
                                              .b_step = panel,
                                              .b_panel = panel * kernel->head_size,
                                              .c = to,
                                              .c_row = kernel->stride });
}

/* (rows, width) from (rows, depth) weights, or from (depth, rows) ones, and (depth, width) rows; added if asked. */
static void multiply_weights(const AttentionBackwardKernel *kernel, gint64 rows, gint64 depth, const float *weights,
                             gboolean transpose, const float *factors, float *to)
{
    gint64 row = transpose ? 1 : kernel->stride;
    kernel->products->multiply(&(CpuProduct){ .rows = rows,
                                              .columns = kernel->width,
                                              .depth = depth,
                                              .a = weights,
                                              .a_tile = kernel->products->rows * row,
                                              .a_row = row,
                                              .a_step = transpose ? kernel->stride : 1,
                                              .b = factors,
                                              .b_step = kernel->width,
                                              .b_panel = kernel->products->panel,
                                              .c = to,
                                              .c_row = kernel->width,
                                              .accumulate = transpose });
}

static void take_queries(const AttentionBackwardKernel *kernel, gint64 head, gint64 first, float *memory)
{
    const Places *at = &kernel->at;
    gint64 queries = MIN(kernel->block, kernel->queries - first), from = row_at(kernel, head, kernel->queries, first);
    gint64 keys = kernel->causal ? MIN(first + queries, kernel->keys) : kernel->keys;
    float *weights = memory + at->weights, *dweights = memory + at->dweights;
    gboolean has_dweights = kernel->dq || kernel->dk;
    load_rows(kernel, kernel->q, from, queries, memory + at->q);
    load_rows(kernel, kernel->dy, from, queries, memory + at->dy);
    multiply_keys(kernel, queries, keys, memory + at->q, memory + at->k_panels, weights);
    if (has_dweights)
        multiply_keys(kernel, queries, keys, memory + at->dy, memory + at->v_panels, dweights);
    weigh(&(Weights){ .rows = queries,
                      .keys = keys,
                      .diagonal = kernel->causal ? first + 1 : keys,
                      .stride = kernel->stride,
                      .scale = kernel->scale,
                      .has_dweights = has_dweights,
                      .weights = weights,
                      .dweights = dweights });
    if (kernel->dv)
        multiply_weights(kernel, keys, queries, weights, TRUE, memory + at->dy, memory + at->dv);
    if (kernel->dk)
        multiply_weights(kernel, keys, queries, dweights, TRUE, memory + at->q, memory + at->dk);
    if (kernel->dq) {
        multiply_weights(kernel, queries, keys, dweights, FALSE, memory + at->k, memory + at->dq);
        store_rows(kernel, memory + at->dq, kernel->dq, from, queries);
    }
}

static void take_head(const AttentionBackwardKernel *kernel, gint64 head, float *memory)
{
    const Places *at = &kernel->at;
    gint64 from = row_at(kernel, head, kernel->keys, 0), rows = kernel->keys * kernel->width;
    load_rows(kernel, kernel->v, from, kernel->keys, memory + at->k); /* in the memory that keys take next */
    pack_panels(kernel, memory + at->k, memory + at->v_panels);
    load_rows(kernel, kernel->k, from, kernel->keys, memory + at->k);
    pack_panels(kernel, memory + at->k, memory + at->k_panels);
    memset(memory + at->dk, 0, (gsize)rows * sizeof *memory);
    memset(memory + at->dv, 0, (gsize)rows * sizeof *memory);
    for (gint64 first = 0; first < kernel->queries; first += kernel->block)
        take_queries(kernel, head, first, memory);
    if (kernel->dk)
        store_rows(kernel, memory + at->dk, kernel->dk, from, kernel->keys);
    if (kernel->dv)
        store_rows(kernel, memory + at->dv, kernel->dv, from, kernel->keys);
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const AttentionBackwardKernel *kernel = (AttentionBackwardKernel *)base;
#pragma omp parallel for schedule(dynamic) num_threads(kernel->n_threads)
    for (gint64 head = 0; head < kernel->n * kernel->heads; head++)
        take_head(kernel, head, kernel->scratch + omp_get_thread_num() * kernel->at.end);
    return TRUE;
}

/* --- Planning --- */

static void bind(AimfKernel *base, void *const *addresses)
{
    AttentionBackwardKernel *kernel = (AttentionBackwardKernel *)base;
    kernel->q = addresses[0];
    kernel->k = addresses[1];
    kernel->v = addresses[2];
    kernel->dy = addresses[3];
    kernel->dq = addresses[4];
    kernel->dk = addresses[5];
    kernel->dv = addresses[6];
    kernel->scratch = addresses[7];
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

static gint64 round_up(gint64 n, gint64 step)
{
    return (n + step - 1) / step * step;
}

/* @floats more; returns where they begin. */
static gint64 reserve(Places *at, gint64 floats)
{
    gint64 begin = at->end;
    at->end += round_up(floats, LINE);
    return begin;
}

/* As equal blocks of queries as can be, and room for them. */
static void cut(AttentionBackwardKernel *kernel)
{
    Places *at = &kernel->at;
    gint64 panel = kernel->products->panel;
    kernel->width = round_up(kernel->head_size, panel);
    kernel->padded_keys = round_up(kernel->keys, panel);
    kernel->stride = kernel->padded_keys + LINE; /* so that rows do not meet in few sets of the first cache */
    gint64 most = MAX(BLOCK_WEIGHTS / kernel->stride, FEWEST_QUERIES);
    gint64 blocks = (kernel->queries + most - 1) / most;
    kernel->block = round_up((kernel->queries + blocks - 1) / blocks, kernel->products->rows);
    at->k = reserve(at, kernel->keys * kernel->width);
    at->dk = reserve(at, kernel->keys * kernel->width);
    at->dv = reserve(at, kernel->keys * kernel->width);
    at->k_panels = reserve(at, kernel->padded_keys * kernel->head_size);
    at->v_panels = reserve(at, kernel->padded_keys * kernel->head_size);
    at->q = reserve(at, kernel->block * kernel->width);
    at->dy = reserve(at, kernel->block * kernel->width);
    at->dq = reserve(at, kernel->block * kernel->width);
    at->weights = reserve(at, kernel->block * kernel->stride);
    at->dweights = reserve(at, kernel->block * kernel->stride);
}

AimfKernel *cpu_plan_attention_backward(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    AimfDtype dtype = cpu_compute_dtype(plan);
    const AimfShape *q = cpu_input_shape(plan, 0), *k = cpu_input_shape(plan, 1);
    const AimfAttention *options = &plan->node->attributes.attention;
    for (int i = 0; i < 4; i++)
        cpu_want_row_major(plan, i, dtype);
    for (int i = 0; i < 3; i++)
        cpu_give_row_major(plan, i, dtype);
    plan->overwrites[0] = 3; /* a block's queries are read before what they get is written */

    AttentionBackwardKernel *kernel = g_new0(AttentionBackwardKernel, 1);
    kernel->base = (AimfKernel){ cpu_product_kernels()->name, bind, run, kernel_free };
    kernel->products = cpu_product_kernels();
    kernel->n = q->dim[0];
    kernel->heads = options->heads;
    kernel->head_size = q->dim[2] / options->heads;
    kernel->queries = q->dim[1];
    kernel->keys = k->dim[1];
    kernel->causal = options->causal;
    kernel->is_bf16 = dtype == AIMF_BF16;
    kernel->scale = (float)(1 / sqrt((double)kernel->head_size));
    kernel->n_threads = omp_get_max_threads();
    cut(kernel);
    plan->scratch_bytes = (gsize)(kernel->n_threads * kernel->at.end) * sizeof(float);
    return &kernel->base;
}
