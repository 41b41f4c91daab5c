/*
 * Operations on operands of different shapes. In memory a convolution's result is blocks of channels: what has one
 * number per channel, or per sample and channel, is used there as it lies.
 */
#include "backend/cpu/cpu_reduce.h"
#include "backend/cpu/cpu_vector.h"

#include <math.h>

static inline __attribute__((always_inline)) float minimum(float a, float b)
{
    float least = b < a ? b : a;
    return b != b ? b : least;
}

static inline __attribute__((always_inline)) float maximum(float a, float b)
{
    float most = b > a ? b : a;
    return b != b ? b : most;
}

/* How much of dy a gets when the lesser of a and b was taken. */
static inline __attribute__((always_inline)) float lesser_share(float a, float b)
{
    return cpu_choose(a < b, 1, cpu_choose(a == b, 0.5f, 0));
}

/* A constant exponent's base and a constant base's exponent have gradients without NaN, as in PyTorch. */
static inline float base_gradient(float a, float b, float dy)
{
    return b == 0 ? 0 : dy * b * powf(a, b - 1);
}

static inline float exponent_gradient(float a, float b, float dy)
{
    return a == 0 && b >= 0 ? 0 : dy * powf(a, b) * logf(a);
}

/* Of a, b and dy; some need only two of them. */
#define ADD(a, b, c) ((a) + (b))
#define SUBTRACT(a, b, c) ((a) - (b))
#define MULTIPLY(a, b, c) ((a) * (b))
#define DIVIDE(a, b, c) ((a) / (b))
#define POWER(a, b, c) powf(a, b)
#define MINIMUM(a, b, c) minimum(a, b)
#define MAXIMUM(a, b, c) maximum(a, b)
#define PRELU(a, b, c) cpu_choose((a) > 0, a, (b) * (a))
#define SCALED(a, b, c) ((a)*scale)
#define MULTIPLY_A(a, b, c) ((c) * (b))
#define MULTIPLY_B(a, b, c) ((c) * (a))
#define DIVIDE_A(a, b, c) ((c) / (b))
#define DIVIDE_B(a, b, c) (-(c) * ((a) / (b) / (b)))
#define POWER_A(a, b, c) base_gradient(a, b, c)
#define POWER_B(a, b, c) exponent_gradient(a, b, c)
#define LESSER_A(a, b, c) ((c)*lesser_share(a, b))
#define LESSER_B(a, b, c) ((c)*lesser_share(b, a))
#define PRELU_A(a, b, c) cpu_choose((a) > 0, c, (b) * (c))
#define PRELU_B(a, b, c) cpu_choose((a) > 0, 0, (a) * (c))
#define EQUAL_A(a, b, c) ((a) == (b) ? (c) : 0)
#define EQUAL_B(a, b, c) ((a) == (b) ? 1.0f : 0)

/* Lanes that lie side by side, or where one number serves all, become vector code. */
#define LANES(COUNT, VALUE)                                                                                            \
    {                                                                                                                  \
        _Pragma("omp simd") for (gint64 i = 0; i < COUNT; i++) ys[i] = VALUE;                                          \
    }
#define MAP(name, TARGET, FUNCTION, TYPE, LOAD, OUT, STORE)                                                            \
    TARGET static void name(const CpuPiece *piece)                                                                     \
    {                                                                                                                  \
        gint64 n = piece->lanes, sa = piece->lane[0], sb = piece->lane[1], sc = piece->lane[2];                        \
        float scale = piece->scale;                                                                                    \
        (void)scale;                                                                                                   \
        for (gint64 r = 0; r < piece->rows; r++) {                                                                     \
            const TYPE *as = (const TYPE *)piece->in[0] + r * piece->row[0];                                           \
            const TYPE *bs = (const TYPE *)piece->in[1] + r * piece->row[1];                                           \
            const TYPE *cs = (const TYPE *)piece->in[2] + r * piece->row[2];                                           \
            OUT *ys = (OUT *)piece->out + r * piece->row[3];                                                           \
            (void)as, (void)bs, (void)cs;                                                                              \
            if (sa == 1 && sb == 1 && sc == 1)                                                                         \
                LANES(n, STORE(FUNCTION(LOAD(as[i]), LOAD(bs[i]), LOAD(cs[i]))))                                       \
            else if (sa == 1 && sb == 0 && sc == 1)                                                                    \
                LANES(n, STORE(FUNCTION(LOAD(as[i]), LOAD(bs[0]), LOAD(cs[i]))))                                       \
            else if (sa == 0 && sb == 1 && sc == 1)                                                                    \
                LANES(n, STORE(FUNCTION(LOAD(as[0]), LOAD(bs[i]), LOAD(cs[i]))))                                       \
            else                                                                                                       \
                for (gint64 i = 0; i < n; i++)                                                                         \
                    ys[i] = STORE(FUNCTION(LOAD(as[i * sa]), LOAD(bs[i * sb]), LOAD(cs[i * sc])));                     \
        }                                                                                                              \
    }

#define MAPS(name, FUNCTION)                                                                                           \
    MAP(name##_f32, CPU_BASELINE, FUNCTION, float, CPU_SAME, float, CPU_SAME)                                          \
    MAP(name##_f32_avx2, CPU_AVX2, FUNCTION, float, CPU_SAME, float, CPU_SAME)                                         \
    MAP(name##_f32_avx512, CPU_AVX512, FUNCTION, float, CPU_SAME, float, CPU_SAME)                                     \
    MAP(name##_bf16, CPU_AVX512, FUNCTION, guint16, cpu_from_bf16, guint16, cpu_to_bf16)                               \
    MAP(name##_bf16_f32, CPU_AVX512, FUNCTION, guint16, cpu_from_bf16, float, CPU_SAME)

MAPS(add, ADD)
MAPS(subtract, SUBTRACT)
MAPS(multiply, MULTIPLY)
MAPS(divide, DIVIDE)
MAPS(power, POWER)
MAPS(minimum, MINIMUM)
MAPS(maximum, MAXIMUM)
MAPS(prelu, PRELU)
MAPS(scaled, SCALED)
MAPS(multiply_a, MULTIPLY_A)
MAPS(multiply_b, MULTIPLY_B)
MAPS(divide_a, DIVIDE_A)
MAPS(divide_b, DIVIDE_B)
MAPS(power_a, POWER_A)
MAPS(power_b, POWER_B)
MAPS(lesser_a, LESSER_A)
MAPS(lesser_b, LESSER_B)
MAPS(prelu_a, PRELU_A)
MAPS(prelu_b, PRELU_B)
MAPS(equal_a, EQUAL_A)
MAPS(equal_b, EQUAL_B)

/* What an operation does to elements, or the gradient of its second operand; by type: f32, bf16, bf16 to f32. */
enum { MAP_F32, MAP_BF16, MAP_BF16_TO_F32, N_MAP_TYPES };
typedef struct {
    AimfOpKind op;
    int operand;
    CpuMap maps[N_MAP_TYPES][AIMF_N_ISAS];
} Row;

#define FORMS(name)                                                                                                    \
    {                                                                                                                  \
        AIMF_ISA_TABLE(name##_f32, name##_f32_avx2, name##_f32_avx512, name##_f32_avx512),                             \
            AIMF_ISA_TABLE(NULL, NULL, NULL, name##_bf16), AIMF_ISA_TABLE(NULL, NULL, NULL, name##_bf16_f32)           \
    }
static const Row table[] = {
    { AIMF_OP_ADD, 0, FORMS(add) },
    { AIMF_OP_SUBTRACT, 0, FORMS(subtract) },
    { AIMF_OP_MULTIPLY, 0, FORMS(multiply) },
    { AIMF_OP_MULTIPLY_BACKWARD, 0, FORMS(multiply_a) },
    { AIMF_OP_MULTIPLY_BACKWARD, 1, FORMS(multiply_b) },
    { AIMF_OP_DIVIDE, 0, FORMS(divide) },
    { AIMF_OP_DIVIDE_BACKWARD, 0, FORMS(divide_a) },
    { AIMF_OP_DIVIDE_BACKWARD, 1, FORMS(divide_b) },
    { AIMF_OP_POWER, 0, FORMS(power) },
    { AIMF_OP_POWER_BACKWARD, 0, FORMS(power_a) },
    { AIMF_OP_POWER_BACKWARD, 1, FORMS(power_b) },
    { AIMF_OP_MINIMUM, 0, FORMS(minimum) },
    { AIMF_OP_MINIMUM_BACKWARD, 0, FORMS(lesser_a) },
    { AIMF_OP_MINIMUM_BACKWARD, 1, FORMS(lesser_b) },
    { AIMF_OP_MAXIMUM, 0, FORMS(maximum) },
    { AIMF_OP_MAXIMUM_BACKWARD, 0, FORMS(lesser_b) },
    { AIMF_OP_MAXIMUM_BACKWARD, 1, FORMS(lesser_a) },
    { AIMF_OP_PRELU, 0, FORMS(prelu) },
    { AIMF_OP_PRELU_BACKWARD, 0, FORMS(prelu_a) },
    { AIMF_OP_PRELU_BACKWARD, 1, FORMS(prelu_b) },
    { AIMF_OP_EXPAND, 0, FORMS(scaled) },
    { AIMF_OP_REDUCE_SUM, 0, FORMS(scaled) },
    { AIMF_OP_REDUCE_MAX, 0, FORMS(scaled) },
    { AIMF_OP_REDUCE_MAX_BACKWARD, 0, FORMS(equal_a) },
    { AIMF_OP_REDUCE_MAX_BACKWARD, 1, FORMS(equal_b) },
};

/* --- Running --- */

static void bind(AimfKernel *base, void *const *addresses)
{
    CpuBroadcastKernel *kernel = (CpuBroadcastKernel *)base;
    for (int i = 0; i < kernel->n_inputs; i++)
        kernel->in[i] = addresses[i] || i ? addresses[i] : (const char *)&kernel->one;
    kernel->out = addresses[kernel->n_inputs];
    kernel->scratch = addresses[kernel->n_inputs + 1];
}

static gint64 pieces(gint64 n, gint64 size)
{
    return (n + size - 1) / size;
}

static void run_nest(const CpuBroadcastKernel *kernel, const CpuNest *nest)
{
    enum { CHUNK = 1 << 14 }; /* elements: small beside the cache, large beside the cost of a call */
    static const int outer[CPU_NEST_DIMS] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
    int n_outer = nest->n_dims - 2;
    gint64 rows = nest->size[n_outer], lanes = nest->size[n_outer + 1], n = 1;
    gint64 most_lanes = MIN(lanes, CHUNK), most_rows = MAX(CHUNK / lanes, 1);
    gint64 lane_pieces = pieces(lanes, most_lanes), row_pieces = pieces(rows, most_rows);
    for (int d = 0; d < n_outer; d++)
        n *= nest->size[d];
#pragma omp parallel for schedule(static)
    for (gint64 task = 0; task < n * row_pieces * lane_pieces; task++) {
        gint64 at[CPU_NEST_OPERANDS];
        memcpy(at, nest->first, sizeof at);
        cpu_nest_move(nest, outer, n_outer, task / (row_pieces * lane_pieces), at);
        gint64 row = task / lane_pieces % row_pieces * most_rows, lane = task % lane_pieces * most_lanes;
        CpuPiece piece = { .scale = (float)kernel->scale,
                           .rows = MIN(most_rows, rows - row),
                           .lanes = MIN(most_lanes, lanes - lane) };
        for (int k = 0; k < CPU_NEST_OPERANDS; k++) {
            const gint64 *strides = nest->stride[k];
            piece.row[k] = strides[n_outer];
            at[k] += row * strides[n_outer] + lane * strides[n_outer + 1];
        }
        for (int k = 0; k < 3; k++) {
            piece.in[k] = kernel->in[k] ? kernel->in[k] + (gsize)at[k] * kernel->in_bytes : NULL;
            piece.lane[k] = kernel->in[k] ? nest->stride[k][n_outer + 1] : 1;
        }
        piece.out = kernel->out + (gsize)at[3] * kernel->out_bytes;
        kernel->map(&piece);
    }
}

static gboolean map_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    const CpuBroadcastKernel *kernel = (CpuBroadcastKernel *)base;
    for (int i = 0; i < kernel->n_nests; i++)
        run_nest(kernel, &kernel->nests[i]);
    cpu_clear_padding(&kernel->padded, kernel->out_bytes, kernel->out);
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

/* --- Planning --- */

/* The shape of the operand that has all dimensions. */
static const AimfShape *whole_shape(const AimfNodePlan *plan)
{
    const AimfShape *whole = cpu_output_shape(plan, 0);
    for (int i = 0; i < plan->node->n_inputs; i++) {
        const AimfShape *shape = cpu_input_shape(plan, i);
        if (shape && (shape->rank > whole->rank || aimf_shape_count(shape) > aimf_shape_count(whole)))
            whole = shape;
    }
    return whole;
}

static gboolean is_whole(const AimfShape *shape, const AimfShape *whole)
{
    return shape && aimf_shape_equal(shape, whole);
}

/*
 * How the whole lies: as the first such operand that is not row-major, or else row-major, but what is made anew lies as
 * convolutions like it. Where a reduction takes in channels, padding must not be among them.
 */
static AimfLayout whole_layout(gpointer state, const AimfNodePlan *plan, const AimfShape *whole)
{
    AimfDtype dtype = cpu_compute_dtype(plan);
    AimfLayout plain = aimf_layout_row_major(whole, dtype), layout = plain;
    gboolean is_new = TRUE;
    for (int i = 0; i < plan->node->n_inputs; i++)
        if (is_whole(cpu_input_shape(plan, i), whole)) {
            is_new = FALSE;
            if (plan->in[i].detail) {
                layout = cpu_layout_cast(state, &plan->in[i], whole, dtype);
                break;
            }
        }
    if (is_new && plan->node->op == AIMF_OP_EXPAND)
        layout = cpu_layout_activation(state, whole, dtype);
    if (!layout.detail)
        return plain;
    gint64 block = cpu_layout_channel_block(&layout, whole);
    const AimfShape *y = cpu_output_shape(plan, 0);
    AimfShape laid = aimf_broadcast_lay(y, whole->rank, plan->node->attributes.broadcast.axes);
    gboolean splits_channels = block && laid.dim[1] != whole->dim[1] && whole->dim[1] % block;
    return block && !splits_channels ? layout : plain;
}

AimfKernel *cpu_plan_broadcast(gpointer state, AimfNodePlan *plan, GError **error)
{
    const AimfNode *node = plan->node;
    const AimfShape *whole = whole_shape(plan), *y = cpu_output_shape(plan, 0);
    if (node->op == AIMF_OP_ADD && is_whole(cpu_input_shape(plan, 0), whole) &&
        is_whole(cpu_input_shape(plan, 1), whole))
        return cpu_plan_elementwise(state, plan, error);
    const AimfBroadcast *attributes = &node->attributes.broadcast;
    AimfDtype dtype = cpu_compute_dtype(plan);
    AimfLayout layout = whole_layout(state, plan, whole);
    CpuNestOperand operands[CPU_NEST_OPERANDS];
    gint64 block = layout.detail ? cpu_layout_channel_block(&layout, whole) : 1;
    gboolean reduces = !is_whole(y, whole), is_backward = node->n_inputs == 3;
    for (int i = 0; i < CPU_NEST_OPERANDS; i++) {
        const AimfShape *shape = i < 3 ? cpu_input_shape(plan, i) : y, *known = shape ? shape : &(AimfShape){ 0 };
        operands[i].shape = aimf_broadcast_lay(known, whole->rank, attributes->axes);
        operands[i].blocked = block > 1 && is_whole(shape, whole);
        if (i < 3 && shape)
            plan->in[i] = is_whole(shape, whole) ? layout : aimf_layout_row_major(shape, dtype);
        if (i < 3 && is_whole(shape, whole) && !reduces)
            plan->overwrites[0] = i;
    }
    if (reduces)
        cpu_give_row_major(plan, 0, is_backward || y->rank == 0 ? AIMF_F32 : dtype);
    else
        plan->out[0] = layout;

    CpuBroadcastKernel *kernel = g_new0(CpuBroadcastKernel, 1);
    kernel->base = (AimfKernel){ cpu_form_name(), bind, reduces ? cpu_reduce_run : map_run, kernel_free };
    kernel->n_nests = cpu_nests(kernel->nests, operands, whole, block);
    kernel->n_inputs = node->n_inputs;
    kernel->in_bytes = aimf_dtype_bytes(dtype);
    kernel->out_bytes = aimf_dtype_bytes(plan->out[0].dtype);
    kernel->out_is_bf16 = plan->out[0].dtype == AIMF_BF16;
    kernel->one = dtype == AIMF_BF16 ? 0x3f80 : 0x3f800000;
    kernel->maximum = node->op == AIMF_OP_REDUCE_MAX;
    kernel->scale = node->op == AIMF_OP_EXPAND || node->op == AIMF_OP_REDUCE_SUM ? attributes->scale : 1;
    if (!reduces && block > 1)
        kernel->padded = cpu_view(&layout, whole);
    if (reduces)
        plan->scratch_bytes = cpu_reduce_scratch_bytes(kernel);
    gboolean is_plain_reduction = node->op == AIMF_OP_REDUCE_SUM || node->op == AIMF_OP_REDUCE_MAX;
    if (reduces && is_plain_reduction && dtype == AIMF_F32)
        return &kernel->base;
    const Row *row = table;
    while (row->op != node->op || row->operand != attributes->operand)
        row++;
    int type = dtype == AIMF_F32 ? MAP_F32 : reduces ? MAP_BF16_TO_F32 : MAP_BF16;
    kernel->map = row->maps[type][aimf_instruction_set()];
    return &kernel->base;
}
