/*
 * The one table of operation cases. It serves the comparison with PyTorch (tests/golden/make_ops.py reads the same
 * rows), the gradient check, the agreement of backends (which makes further cases at random) and benchmarks.
 */
#pragma once

#include <aimfair/graph.h>

typedef enum {
    OP_CONV2D,
    OP_BATCH_NORM,
    OP_RELU,
    OP_ADD,
    OP_ADD_RELU,
    OP_MAX_POOL,
    OP_GLOBAL_AVERAGE_POOL,
    OP_LINEAR,
    OP_SIGMOID_CROSS_ENTROPY,
    OP_SOFTMAX_CROSS_ENTROPY,
    OP_LEAKY_RELU,
    OP_SILU,
    OP_GELU,
    OP_QUICK_GELU,
    OP_GEGLU,
    OP_GROUP_NORM,
    OP_LAYER_NORM,
    OP_ATTENTION,
    OP_ADD_CHANNELS,
    OP_CONCAT,
    OP_UPSAMPLE_NEAREST,
    OP_UPSAMPLE_CONV2D,
    OP_TOKENS,
    OP_PLANES,
    OP_EMBEDDING,
    OP_TIMESTEP_EMBEDDING,
    OP_AVERAGE_POOL,
    OP_ADAPTIVE_AVERAGE_POOL,
    OP_SPLIT,
    OP_SLICE,
    OP_PAD,
    OP_TRANSPOSE,
    OP_RESHAPE,
    OP_FLATTEN,
    OP_MATMUL,
    OP_SOFTMAX,
    OP_GELU_TANH,
    OP_SIGMOID,
    OP_TANH,
    OP_HARD_SIGMOID,
    OP_HARD_SWISH,
    OP_LOG,
    OP_ERF,
    OP_RECIPROCAL,
    OP_CLIP,
    OP_SQRT,
    OP_EXP,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_POWER,
    OP_MINIMUM,
    OP_MAXIMUM,
    OP_PRELU,
    OP_EXPAND,
    OP_REDUCE_SUM,
    OP_REDUCE_MEAN,
    OP_REDUCE_MAX,
    OP_N_FAMILIES,
} OpFamily;

/**
 * OpCase: one operation on one set of shapes; fields that an operation does not use are 0.
 * @n, @c, @h, @w, @t: the first operand (n, c, h, w), or (n, t, c) when h is 0, or (n, c) when both are; geglu's is
 *   (n, t, 2 c), planes' (n, h w, c), embedding's (n, t), timestep_embedding's (n); linear's and layer_norm's
 *   (n, h, w, c) when h is not 0; matmul's ([n, [h,]] t, c)
 * @transpose: of matmul, bit 0 the first operand, bit 1 the second, which has o columns; @axis: of softmax
 * @o: output channels or features, channels of concat's second operand, rows of embedding's table
 * @kh, @kw: kernel, pooling window, size of adaptive pooling's result; @kw 0 means @kh for windows; @s: tokens of
 *   attention's keys, rows of embedding's positions
 * @stride, @dilation: of rows; @stride2, @dilation2: of columns, 0 means that of rows
 * @padding: before and after; @padding_after: more of it after rows and columns; @padding2: more before columns
 * @ceil, @counted: pooling's ceil and count_padding
 * @dim: the dimension along which a value is joined or cut, counted from 1; 0 means 2, the channels. concat has a third
 *   operand if @s, its size there; split's first parts have @o and @s, and the second is not used
 * @begin, @end: of slice; how much pad adds in front of @dim and behind it, beside @padding around the last dimension
 * @order: of transpose, a digit for each dimension, counted from 1; reshape, and transpose before it turns, makes two
 *   dimensions of the last one, or of a picture's channels: @groups and the rest
 * @ones_a, @ones_b: bit i: dimension i of the first or second operand is 1; @lack: leading dimensions that the second
 *   operand lacks, or expand's only one; @axes, @keep: of reductions; prelu has @o slopes
 * @scale: a power of two by which the first operand is multiplied, 0 means 1
 * @coarse: operands that bf16 holds exactly, with ties among them; otherwise they use all 24 bits of f32, so that a
 *   kernel that computes with fewer is found out
 * @winograd: the plan is allowed Winograd's algorithm forward
 */
typedef struct {
    OpFamily op;
    int n, c, h, w, t, s, o, kh, kw, stride, padding, padding_after, groups, heads, axis, transpose;
    int stride2, padding2, dilation, dilation2, ceil, counted;
    int bias, training, relu, silu, causal;
    int ones_a, ones_b, lack, axes, keep;
    int scale, coarse, winograd;
    int dim, begin, end, order;
} OpCase;

/** OpTolerance: bounds of the relative 2-norm error per operation, with their reasons in support_op_cases.c. */
typedef struct {
    double f32;  /* against f64 */
    double bf16; /* against the reference backend's f32, on coarse operands */
} OpTolerance;

extern const OpCase op_cases[];
extern const guint n_op_cases;
extern const OpTolerance op_tolerances[OP_N_FAMILIES];
/** op_bf16_dweight_tolerance: the bf16 bound of the gradient of a convolution's weights. */
double op_bf16_dweight_tolerance(const OpCase *c);

const char *op_family_name(OpFamily op);
/** op_is_unary: an activation of x alone; op_is_binary: it broadcasts two operands; op_is_reduction. */
gboolean op_is_unary(OpFamily op);
gboolean op_is_binary(OpFamily op);
gboolean op_is_reduction(OpFamily op);
/** op_case_is_differentiable: whether its operands can be trained. */
gboolean op_case_is_differentiable(const OpCase *c);
/**
 * op_case_name: (owned) the operation and the fields that are not 0, "conv2d/n2_c3_h7_w5_o5_kh3_kw3_stride1_padding1".
 */
char *op_case_name(const OpCase *c);

typedef enum { LEAF_PARAMETER, LEAF_STATE, LEAF_INPUT } OpLeafKind;
/* Away: from 0, above it. */
typedef enum { FILL_SIGNED, FILL_POSITIVE, FILL_BINARY, FILL_INDEX, FILL_AWAY } OpFill;

/**
 * OpLeaf: an operand of the case: @data (n) comes from the case's and the leaf's names by formula; @limit: of an index.
 */
typedef struct {
    const char *name;
    int limit;
    OpLeafKind kind;
    OpFill fill;
    AimfShape shape;
    AimfValue value;
    float *data;
    gsize n;
} OpLeaf;

enum { OP_MAX_LEAVES = 5, OP_ALL_TRAINABLE = ~0 };

/**
 * OpRig: a case, compiled. Every differentiable operand is a parameter; the incoming gradient is an input, "cotangent".
 */
typedef struct {
    char *name;
    const OpCase *c;
    OpLeaf leaves[OP_MAX_LEAVES];
    guint n_leaves;
    AimfValue output;
    OpLeaf cotangent;
    AimfTensors *tensors;
    AimfPlan *plan;
} OpRig;

/**
 * op_rig_new: @trainable: bit i makes leaf i trainable. Returns: (owned), or NULL with what compiling gives. @c is
 * borrowed.
 */
OpRig *op_rig_new(const OpCase *c, const char *device, AimfPrecision precision, int trainable, GError **error);
void op_rig_free(OpRig *rig);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OpRig, op_rig_free)

/** op_rig_run: loads the leaves' data as they are now, states included, and runs the plan once. */
void op_rig_run(OpRig *rig);

/** OpResult: "y", "d_<leaf>" for every trainable leaf, and in training the states after the run, "<leaf>". */
typedef struct {
    char *name;
    float *data;
    gsize n;
} OpResult;

/** op_rig_results: (owned) array of OpResult, copied. */
GPtrArray *op_rig_results(const OpRig *rig);

/**
 * op_results_of: (owned) those of @c run once by @threads threads, everything trainable; NULL, with the test marked as
 * skipped, where the processor has no bf16.
 */
GPtrArray *op_results_of(const OpCase *c, const char *device, AimfPrecision precision, int threads);
