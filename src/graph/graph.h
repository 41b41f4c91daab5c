/* The graph's inside, for graph/ and backend/ only. */
#pragma once

#include <aimfair/graph.h>

enum { AIMF_MAX_INPUTS = 8, AIMF_MAX_OUTPUTS = 4 };

/*
 * Every operation, forward and backward. Operands in the order a backend sees them; [x] may be AIMF_NONE.
 * Outputs called workspace have a size that only the backend knows: they carry what a forward kernel remembers for
 * its backward.
 *
 *   CONV2D                         x (N,C,H,W), weight (O,C,kh,kw), [bias (O)]         -> y (N,O,H',W')
 *   CONV2D_BACKWARD_DATA           dy, weight                                          -> dx
 *   CONV2D_BACKWARD_WEIGHT         x, dy                                               -> dweight
 *   BATCH_NORM                     x, weight, bias, running_mean, running_var          -> y [, mean (C), variance
 *   (C), workspace]
 *       the bracketed ones in training mode only (variance: the biased one); workspace only with relu
 *   BATCH_NORM_BACKWARD            x, dy, weight, mean, variance, [workspace]          -> [dx], [dweight], [dbias]
 *       in training mode; in evaluation mode mean and variance are the running ones, taken as constants
 *   RELU                           x                                                   -> y
 *   ADD                            a, b                                                -> y
 *   ADD_RELU                       a, b                                                -> y
 *   RELU_BACKWARD                  y, dy                                               -> dx = dy where y > 0
 *   CHANNEL_SUM                    x (N,C,...)                                         -> sums (C), the gradient of a
 *   bias MAX_POOL                       x                                                   -> y, workspace
 *   MAX_POOL_BACKWARD              dy, workspace                                       -> dx
 *   GLOBAL_AVERAGE_POOL            x (N,C,H,W)                                         -> y (N,C)
 *   GLOBAL_AVERAGE_POOL_BACKWARD   dy (N,C)                                            -> dx (N,C,H,W)
 *   LINEAR                         x (N,I), weight (O,I), [bias (O)]                   -> y (N,O) f32
 *                                  x (N,T,I), weight (O,I), [bias (O)]                 -> y (N,T,O); has no backward
 *   LINEAR_BACKWARD_DATA           dy, weight                                          -> dx
 *   LINEAR_BACKWARD_WEIGHT         x, dy                                               -> dweight
 *   SIGMOID_CROSS_ENTROPY          logits, targets (same shape)                        -> loss (scalar)
 *   SIGMOID_CROSS_ENTROPY_BACKWARD logits, targets, [dloss (scalar), none means 1]     -> dlogits
 *   SOFTMAX_CROSS_ENTROPY          logits (N,K), targets (N)                           -> loss (scalar)
 *   SOFTMAX_CROSS_ENTROPY_BACKWARD logits, targets, [dloss]                            -> dlogits
 *
 * Forward only:
 *   SILU, GELU, QUICK_GELU         x                                                   -> y
 *   GEGLU                          x (N,T,2C)                                          -> y (N,T,C)
 *   GROUP_NORM                     x (N,C,H,W), weight (C), bias (C)                   -> y
 *   LAYER_NORM                     x (N,[T,]C), weight (C), bias (C)                   -> y
 *   ATTENTION                      q (N,T,C), k (N,S,C), v (N,S,C)                     -> y (N,T,C)
 *   ADD_CHANNELS                   x (N,C,H,W), offsets (N,C)                          -> y
 *   CONCAT                         a (N,A,H,W), b (N,B,H,W)                            -> y (N,A+B,H,W)
 *   UPSAMPLE_NEAREST               x (N,C,H,W)                                         -> y (N,C,2H,2W)
 *   UPSAMPLE_CONV2D                x (N,C,H,W), weight (O,C,3,3), [bias (O)]           -> y (N,O,2H,2W)
 *   TOKENS                         x (N,C,H,W)                                         -> y (N,HW,C)
 *   PLANES                         x (N,HW,C)                                          -> y (N,C,H,W)
 *   EMBEDDING                      ids (N,T), table (V,C), [positions (P,C)]           -> y (N,T,C)
 *   TIMESTEP_EMBEDDING             t (N)                                               -> y (N,C) f32
 */
typedef enum {
    AIMF_OP_CONV2D,
    AIMF_OP_CONV2D_BACKWARD_DATA,
    AIMF_OP_CONV2D_BACKWARD_WEIGHT,
    AIMF_OP_BATCH_NORM,
    AIMF_OP_BATCH_NORM_BACKWARD,
    AIMF_OP_RELU,
    AIMF_OP_ADD,
    AIMF_OP_ADD_RELU,
    AIMF_OP_RELU_BACKWARD,
    AIMF_OP_CHANNEL_SUM,
    AIMF_OP_MAX_POOL,
    AIMF_OP_MAX_POOL_BACKWARD,
    AIMF_OP_GLOBAL_AVERAGE_POOL,
    AIMF_OP_GLOBAL_AVERAGE_POOL_BACKWARD,
    AIMF_OP_LINEAR,
    AIMF_OP_LINEAR_BACKWARD_DATA,
    AIMF_OP_LINEAR_BACKWARD_WEIGHT,
    AIMF_OP_SIGMOID_CROSS_ENTROPY,
    AIMF_OP_SIGMOID_CROSS_ENTROPY_BACKWARD,
    AIMF_OP_SOFTMAX_CROSS_ENTROPY,
    AIMF_OP_SOFTMAX_CROSS_ENTROPY_BACKWARD,
    AIMF_OP_SILU,
    AIMF_OP_GELU,
    AIMF_OP_QUICK_GELU,
    AIMF_OP_GEGLU,
    AIMF_OP_GROUP_NORM,
    AIMF_OP_LAYER_NORM,
    AIMF_OP_ATTENTION,
    AIMF_OP_ADD_CHANNELS,
    AIMF_OP_CONCAT,
    AIMF_OP_UPSAMPLE_NEAREST,
    AIMF_OP_UPSAMPLE_CONV2D,
    AIMF_OP_TOKENS,
    AIMF_OP_PLANES,
    AIMF_OP_EMBEDDING,
    AIMF_OP_TIMESTEP_EMBEDDING,
    AIMF_N_OPS,
} AimfOpKind;

typedef struct {
    int window;
    int stride;
    int padding;
} AimfPool;

typedef union {
    AimfConv2d conv2d;        /* CONV2D and its backward ones; stride is never 0 here */
    AimfBatchNorm batch_norm; /* BATCH_NORM and its backward; defaults filled in */
    AimfPool pool;
    AimfGroupNorm group_norm; /* epsilon is never 0 here */
    double layer_norm_epsilon;
    AimfAttention attention;
} AimfAttributes;

/** AimfNode: one operation. Operands not given are AIMF_NONE. */
typedef struct {
    AimfOpKind op;
    int n_inputs;
    int n_outputs;
    AimfValue inputs[AIMF_MAX_INPUTS];
    AimfValue outputs[AIMF_MAX_OUTPUTS];
    AimfAttributes attributes;
} AimfNode;

typedef enum { AIMF_LEAF_NOT, AIMF_LEAF_INPUT, AIMF_LEAF_PARAMETER, AIMF_LEAF_STATE } AimfLeaf;

typedef struct {
    AimfShape shape; /* of a workspace: rank 0, its size is the backend's */
    AimfLeaf leaf;
    gboolean workspace;
    const char *name; /* of a leaf; interned */
} AimfValueInfo;

struct AimfGraph {
    GArray *nodes;      /* AimfNode, in an order in which every operand is ready */
    GArray *values;     /* AimfValueInfo */
    GArray *parameters; /* AimfValue, in the order they were made */
    char *failure;      /* the first mistake */
};

/** AimfOp: an operation's row. */
typedef struct {
    const char *name;
    /*
     * Emits the gradient of @node as ordinary nodes. @dy: gradient of each output, AIMF_NONE where nothing flows;
     * @wanted: which inputs need one; @dx: receives the values. NULL: the operation has no gradient.
     */
    void (*gradient)(AimfGraph *graph, const AimfNode *node, const AimfValue *dy, const gboolean *wanted,
                     AimfValue *dx);
    /* Floating-point operations of one run; NULL counts as none. */
    double (*flops)(const AimfGraph *graph, const AimfNode *node);
} AimfOp;

extern const AimfOp aimf_ops[AIMF_N_OPS];

/** aimf_value_shape: (borrowed) shape of a value that exists. */
static inline const AimfShape *aimf_value_shape(const AimfGraph *graph, AimfValue value)
{
    return &g_array_index(graph->values, AimfValueInfo, value).shape;
}

/** AIMF_UNIT: as a gradient, the number 1: that of the loss itself. Only losses and sums know what to do with it. */
#define AIMF_UNIT ((AimfValue)-1)

/** aimf_graph_has: whether @value is one of the graph's. */
gboolean aimf_graph_has(const AimfGraph *graph, AimfValue value);
/**
 * aimf_graph_operands: TRUE if all @n operands of @op exist and nothing has failed before; otherwise records the
 * failure.
 */
gboolean aimf_graph_operands(AimfGraph *graph, const char *op, const AimfValue *operands, int n);
/** aimf_graph_fail: records the first mistake; always returns AIMF_NONE. */
AimfValue aimf_graph_fail(AimfGraph *graph, const char *format, ...) G_GNUC_PRINTF(2, 3);
/** aimf_graph_add_value, aimf_graph_add_workspace: a new value that an operation will produce. */
AimfValue aimf_graph_add_value(AimfGraph *graph, AimfShape shape);
AimfValue aimf_graph_add_workspace(AimfGraph *graph);
/** aimf_graph_add_node: appends a copy of @node. */
void aimf_graph_add_node(AimfGraph *graph, const AimfNode *node);
/** aimf_graph_copy: (owned). */
AimfGraph *aimf_graph_copy(const AimfGraph *graph);
/**
 * aimf_graph_differentiate:
 * Appends the gradient of @loss to the graph: only the nodes that @wanted (n) parameters need. @seed: gradient of the
 * loss itself, or AIMF_NONE for 1 (a scalar). @gradients: (n) receives the values. FALSE when the graph records a
 * failure.
 */
gboolean aimf_graph_differentiate(AimfGraph *graph, AimfValue loss, AimfValue seed, const AimfValue *wanted, guint n,
                                  AimfValue *gradients);
