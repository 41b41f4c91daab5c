/*
 * Averages over windows and bins, and what they give back, on values in any layout of activations. One loop does all
 * four: an element of the result is a sum over a rectangle, of numbers weighted by their row and column, weighted by
 * its own. Forward the rectangle is the window and the weights are one over its rows and columns; backward it is all
 * windows that have seen the pixel, each with such weights. Sums go along rows and then over them, in an order that
 * the shape of a picture decides.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/cpu_vector.h"

/* Channels that are summed at once. Blocks of 16 are two of them, so that a loop over lanes need not be unrolled. */
enum { WIDE = 8 };
typedef float Wide __attribute__((vector_size(WIDE * sizeof(float))));
typedef guint32 WideBits __attribute__((vector_size(WIDE * sizeof(guint32))));
typedef guint16 WideHalves __attribute__((vector_size(WIDE * sizeof(guint16))));

/* What each row, or column, of the result sums over, [first, end) of what is read. */
typedef struct {
    gint64 first, end;
} Range;

typedef struct {
    gint64 in, out;     /* rows, or columns, of what is read and of the result */
    Range *ranges;      /* (out) */
    float *in_weights;  /* (in) */
    float *out_weights; /* (out) */
} Side;

typedef struct PoolKernel PoolKernel;
/* Channels of a picture that lie together, all or WIDE of them, from @x to @y. */
typedef void (*Plane)(const PoolKernel *kernel, const void *x, void *y);

struct PoolKernel {
    AimfKernel base;
    gint64 planes, block; /* [planes][positions][block] */
    Side rows, columns;
    gsize element_bytes;
    Plane plane;
    const char *x;
    char *y;
};

#define LOAD_WIDE_F32(to, from) memcpy(&(to), from, sizeof(to))
#define STORE_WIDE_F32(to, from) memcpy(to, &(from), sizeof(from))
#define LOAD_WIDE_BF16(to, from)                                                                                       \
    do {                                                                                                               \
        WideHalves halves;                                                                                             \
        memcpy(&halves, from, sizeof halves);                                                                          \
        WideBits wide_bits = __builtin_convertvector(halves, WideBits) << 16;                                          \
        memcpy(&(to), &wide_bits, sizeof(to));                                                                         \
    } while (0)
#define STORE_WIDE_BF16(to, from)                                                                                      \
    for (int lane = 0; lane < WIDE; lane++)                                                                            \
    (to)[lane] = cpu_to_bf16((from)[lane])
#define LOAD_ONE_F32(to, from) (to) = *(from)
#define STORE_ONE_F32(to, from) *(to) = (from)
#define LOAD_ONE_BF16(to, from) (to) = cpu_from_bf16(*(from))
#define STORE_ONE_BF16(to, from) *(to) = cpu_to_bf16(from)

/* Sums of type V, a number or a vector of channels; pixels lie STEP elements apart. */
#define SUMS(V, STEP, LOAD, STORE)                                                                                     \
    for (gint64 i = 0; i < rows->out; i++)                                                                             \
        for (gint64 j = 0; j < columns->out; j++, ys += (STEP)) {                                                      \
            V sum = { 0 };                                                                                             \
            for (gint64 p = rows->ranges[i].first; p < rows->ranges[i].end; p++) {                                     \
                V of_row = { 0 }, element;                                                                             \
                for (gint64 q = columns->ranges[j].first; q < columns->ranges[j].end; q++) {                           \
                    LOAD(element, xs + (p * columns->in + q) * (STEP));                                                \
                    of_row += columns->in_weights[q] * element;                                                        \
                }                                                                                                      \
                sum += rows->in_weights[p] * of_row;                                                                   \
            }                                                                                                          \
            sum *= rows->out_weights[i] * columns->out_weights[j];                                                     \
            STORE(ys, sum);                                                                                            \
        }

#define PLANE(name, TARGET, TYPE, KIND)                                                                                \
    TARGET static void name(const PoolKernel *kernel, const void *x, void *y)                                          \
    {                                                                                                                  \
        const Side *rows = &kernel->rows, *columns = &kernel->columns;                                                 \
        const TYPE *xs = x;                                                                                            \
        TYPE *ys = y;                                                                                                  \
        if (kernel->block == 1)                                                                                        \
            SUMS(float, 1, LOAD_ONE_##KIND, STORE_ONE_##KIND)                                                          \
        else                                                                                                           \
            SUMS(Wide, kernel->block, LOAD_WIDE_##KIND, STORE_WIDE_##KIND)                                             \
    }

PLANE(plane_f32, CPU_BASELINE, float, F32)
PLANE(plane_f32_avx2, CPU_AVX2, float, F32)
PLANE(plane_f32_avx512, CPU_AVX512, float, F32)
PLANE(plane_bf16, CPU_AVX512, guint16, BF16)

static const Plane planes[2][AIMF_N_ISAS] = CPU_FORMS(plane);

static void bind(AimfKernel *base, void *const *addresses)
{
    PoolKernel *kernel = (PoolKernel *)base;
    kernel->x = addresses[0];
    kernel->y = addresses[1];
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const PoolKernel *kernel = (PoolKernel *)base;
    gint64 parts = MAX(kernel->block / WIDE, 1), n = kernel->planes * parts;
    gsize block_bytes = (gsize)kernel->block * kernel->element_bytes;
    gsize from = (gsize)(kernel->rows.in * kernel->columns.in) * block_bytes;
    gsize to = (gsize)(kernel->rows.out * kernel->columns.out) * block_bytes;
#pragma omp parallel for schedule(static)
    for (gint64 i = 0; i < n; i++) {
        gsize plane = (gsize)(i / parts), part = (gsize)(i % parts) * WIDE * kernel->element_bytes;
        kernel->plane(kernel, kernel->x + plane * from + part, kernel->y + plane * to + part);
    }
    return TRUE;
}

static void side_clear(Side *side)
{
    g_free(side->ranges);
    g_free(side->in_weights);
    g_free(side->out_weights);
}

static void kernel_free(AimfKernel *base)
{
    PoolKernel *kernel = (PoolKernel *)base;
    side_clear(&kernel->rows);
    side_clear(&kernel->columns);
    g_free(kernel);
}

/* --- Planning --- */

/* The window, or bin, @at of @n in direction @side of a picture of @size; @weight: one over what it counts there. */
static Range window_at(const AimfNode *node, int side, gint64 at, gint64 size, gint64 n, float *weight)
{
    Range range = { at * size / n, at * size / n + 1 };
    gint64 counted;
    if (node->op == AIMF_OP_AVERAGE_POOL || node->op == AIMF_OP_AVERAGE_POOL_BACKWARD) {
        const AimfPool *pool = &node->attributes.pool;
        gint64 first = at * pool->stride[side] - pool->before[side];
        gint64 end = MIN(first + pool->window[side], size + pool->after[side]);
        range = (Range){ MAX(first, 0), MIN(end, size) };
        counted = pool->count_padding ? end - first : range.end - range.first;
    } else {
        range.end = (at + 1) * size / n + ((at + 1) * size % n != 0);
        counted = range.end - range.first;
    }
    *weight = (float)(1 / (double)counted);
    return range;
}

static void fill(float *to, gint64 n, float value)
{
    for (gint64 i = 0; i < n; i++)
        to[i] = value;
}

/* FALSE: no memory. Windows begin and end in order, so those that have seen a pixel stand side by side. */
static gboolean side_init(Side *side, const AimfNode *node, int direction, gint64 size, gint64 n, gboolean backward)
{
    gint64 in = backward ? n : size, out = backward ? size : n;
    *side = (Side){ in, out, g_try_new(Range, out), g_try_new(float, in), g_try_new(float, out) };
    if (!side->ranges || !side->in_weights || !side->out_weights)
        return FALSE;
    if (!backward) {
        fill(side->in_weights, in, 1);
        for (gint64 i = 0; i < n; i++)
            side->ranges[i] = window_at(node, direction, i, size, n, &side->out_weights[i]);
        return TRUE;
    }
    fill(side->out_weights, out, 1);
    for (gint64 p = 0; p < size; p++)
        side->ranges[p] = (Range){ n, n };
    for (gint64 i = n - 1; i >= 0; i--) {
        Range window = window_at(node, direction, i, size, n, &side->in_weights[i]);
        for (gint64 p = window.first; p < window.end; p++)
            side->ranges[p] = (Range){ i, side->ranges[p].first == n ? i + 1 : side->ranges[p].end };
    }
    return TRUE;
}

AimfKernel *cpu_plan_average_pool(gpointer state, AimfNodePlan *plan, GError **error)
{
    const AimfShape *from = cpu_input_shape(plan, 0), *to = cpu_output_shape(plan, 0);
    const AimfNode *node = plan->node;
    gboolean backward = node->op == AIMF_OP_AVERAGE_POOL_BACKWARD || node->op == AIMF_OP_ADAPTIVE_AVERAGE_POOL_BACKWARD;
    const AimfShape *x = backward ? to : from, *y = backward ? from : to;
    cpu_want_activation(state, plan, 0);
    gint64 block = cpu_layout_channel_block(&plan->in[0], from);
    if (block != 8 && block != 16)
        block = 1;
    plan->in[0] = cpu_layout_blocked(state, from, block, plan->in[0].dtype);
    plan->out[0] = cpu_layout_blocked(state, to, block, plan->in[0].dtype);
    PoolKernel *kernel = g_new0(PoolKernel, 1);
    kernel->base = (AimfKernel){ cpu_form_name(), bind, run, kernel_free };
    kernel->planes = from->dim[0] * ((from->dim[1] + block - 1) / block);
    kernel->block = block;
    kernel->element_bytes = aimf_dtype_bytes(plan->in[0].dtype);
    kernel->plane = planes[plan->in[0].dtype == AIMF_BF16][aimf_instruction_set()];
    if (side_init(&kernel->rows, node, 0, x->dim[2], y->dim[2], backward) &&
        side_init(&kernel->columns, node, 1, x->dim[3], y->dim[3], backward))
        return &kernel->base;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory to plan pooling");
    kernel_free(&kernel->base);
    return NULL;
}
