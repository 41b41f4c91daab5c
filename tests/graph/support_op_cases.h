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
    OP_MATMUL,
    OP_SOFTMAX,
    OP_N_FAMILIES,
} OpFamily;

/**
 * OpCase: one operation on one set of shapes; fields that an operation does not use are 0.
 * @n, @c, @h, @w, @t: the first operand (n, c, h, w), or (n, t, c) when h is 0, or (n, c) when both are; geglu's is
 *   (n, t, 2 c), planes' (n, h w, c), embedding's (n, t), timestep_embedding's (n); linear's and layer_norm's
 *   (n, h, w, c) when h is not 0; matmul's ([n, [h,]] t, c)
 * @transpose: of matmul, bit 0 the first operand, bit 1 the second, which has o columns; @axis: of softmax
 * @o: output channels or features, channels of concat's second operand, rows of embedding's table
 * @kh, @kw: kernel, @kh also the pooling window; @s: tokens of attention's keys, rows of embedding's positions
 * @scale: a power of two by which the first operand is multiplied, 0 means 1
 * @coarse: operands that bf16 holds exactly, with ties among them; otherwise they use all 24 bits of f32, so that a
 *   kernel that computes with fewer is found out
 * @winograd: the plan is allowed Winograd's algorithm forward
 */
typedef struct {
    OpFamily op;
    int n, c, h, w, t, s, o, kh, kw, stride, padding, padding_after, groups, heads, axis, transpose;
    int bias, training, relu, silu, causal;
    int scale, coarse, winograd;
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
/** op_case_is_differentiable: whether its operands can be trained. */
gboolean op_case_is_differentiable(const OpCase *c);
/**
 * op_case_name: (owned) the operation and the fields that are not 0, "conv2d/n2_c3_h7_w5_o5_kh3_kw3_stride1_padding1".
 */
char *op_case_name(const OpCase *c);

typedef enum { LEAF_PARAMETER, LEAF_STATE, LEAF_INPUT } OpLeafKind;
typedef enum { FILL_SIGNED, FILL_POSITIVE, FILL_BINARY, FILL_INDEX } OpFill;

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
