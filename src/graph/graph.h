/* The graph's inside, for graph/ and backend/ only. */
#pragma once

#include "graph/op_list.h"

#include <aimfair/graph.h>

enum { AIMF_MAX_INPUTS = 8, AIMF_MAX_OUTPUTS = 4 };

#define AIMF_OP_KIND(kind, name, gradient, flops) AIMF_OP_##kind,
typedef enum { AIMF_OPS(AIMF_OP_KIND) AIMF_N_OPS } AimfOpKind;
#undef AIMF_OP_KIND

/** AimfPadding: of PAD; the output's shape says how much comes behind. */
typedef struct {
    gint64 before[AIMF_MAX_RANK];
    double value;
} AimfPadding;

/*
 * Of operations on operands of different shapes, the largest of which has all dimensions. Another of lower rank lacks
 * @axes (bit i: dimension i) of them, or the first ones if it lacks another number of them.
 */
typedef struct {
    guint axes;
    double scale; /* of EXPAND and REDUCE_SUM: a factor of the result */
    int operand;  /* of the backward ones: which operand's gradient */
} AimfBroadcast;

typedef union {
    AimfConv2d conv2d;        /* CONV2D and its backward ones; nothing that means 1 is 0 here */
    AimfBatchNorm batch_norm; /* BATCH_NORM and its backward; defaults filled in */
    AimfPool pool;            /* of all pooling; strides are never 0 here */
    AimfGroupNorm group_norm; /* GROUP_NORM and its backward; epsilon is never 0 here */
    double number;            /* of operations that have one: layer norm's epsilon, a loss's smoothing */
    AimfAttention attention;  /* ATTENTION and its backward */
    AimfMatmul matmul;
    AimfOptimizer optimizer;
    int index;                   /* of SQUARES: which of the sums */
    int axis;                    /* CONCAT, SPLIT, SOFTMAX and its backward; not negative here */
    int order[AIMF_MAX_RANK];    /* TRANSPOSE */
    gint64 begin[AIMF_MAX_RANK]; /* SLICE: the output's shape says where it ends */
    AimfPadding padding;
    struct {
        double low, high;
    } clip;
    AimfBroadcast broadcast;
    AimfDropout dropout;
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

/* A bucket is a value made of many tensors, its parts, which lie one after another in it. */
typedef enum {
    AIMF_LEAF_NOT,
    AIMF_LEAF_INPUT,
    AIMF_LEAF_PARAMETER,
    AIMF_LEAF_STATE,
    AIMF_LEAF_BUCKET,
    AIMF_LEAF_PART,
} AimfLeaf;

typedef struct {
    AimfShape shape; /* of a workspace: rank 0, its size is the backend's */
    AimfLeaf leaf;
    gboolean workspace;
    const char *name; /* of a leaf; interned */
    gboolean exempt;  /* of a parameter: see aimf_graph_exempt_from_decay */
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
     * @wanted: which inputs need one; @dx: receives the values.
     */
    void (*gradient)(AimfGraph *graph, const AimfNode *node, const AimfValue *dy, const gboolean *wanted,
                     AimfValue *dx);
    /* Floating-point operations of one run. */
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

/**
 * aimf_broadcast_lay: the @shape of an operand with a 1 for every dimension that it lacks among
 * @rank.
 */
AimfShape aimf_broadcast_lay(const AimfShape *shape, int rank, guint axes);

/**
 * aimf_graph_decays: whether @parameter has weight decay where only weights have it. Source:
 * timm.optim.param_groups_weight_decay.
 */
gboolean aimf_graph_decays(const AimfGraph *graph, AimfValue parameter);
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
/** aimf_graph_add_leaf: a value that no operation produces; @name: (nullable) for descriptions, need not be unique. */
AimfValue aimf_graph_add_leaf(AimfGraph *graph, AimfShape shape, AimfLeaf leaf, const char *name);
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
/**
 * aimf_graph_recompute: has the backward nodes, those from @n_forward on, compute again what is cheap and would be kept
 * for them, except for @kept (n), which stay anyway.
 */
void aimf_graph_recompute(AimfGraph *graph, guint n_forward, const AimfValue *kept, guint n_kept);
