/*
 * What a device must fill in. The graph decides what is computed, in which order and where in memory; the backend
 * decides how: the kernel for each operation and the layout (element type included) of each operand.
 */
#pragma once

#include "graph/graph.h"

/**
 * AimfLayout: how a value lies in memory.
 * @bytes: with padding; @detail: (nullable) the backend's own description, alive as long as its state; NULL: row-major
 */
typedef struct {
    AimfDtype dtype;
    gsize bytes;
    const void *detail;
} AimfLayout;

/**
 * AimfKernel: a piece of ready-to-run work; backends embed it as the first member of their own structs.
 * @implementation: (borrowed or interned) what will run, for the plan's description
 * @bind: gives the addresses of inputs, outputs and scratch, in that order, NULL for operands not given; may be
 * called again
 * @run: FALSE with MEMORY or FAILED when it could not compute, which a later run may
 */
typedef struct AimfKernel AimfKernel;
struct AimfKernel {
    const char *implementation;
    void (*bind)(AimfKernel *kernel, void *const *addresses);
    gboolean (*run)(AimfKernel *kernel, GError **error);
    void (*free)(AimfKernel *kernel);
};

/**
 * AimfNodePlan: the planning of one node. A planner reads @in (how each input lies now) and may overwrite it with the
 * layout it wants: the plan then inserts a reorder, or finds an earlier one. It fills in @out, @scratch_bytes and
 * @overwrites.
 * @winograd: see AimfCompileOptions
 * @overwrites: for each output the input whose memory it may take over if that input dies here (same bytes), or -1;
 * preset to -1
 */
typedef struct {
    const AimfGraph *graph;
    const AimfNode *node;
    AimfPrecision precision;
    gboolean winograd;
    AimfLayout in[AIMF_MAX_INPUTS];
    AimfLayout out[AIMF_MAX_OUTPUTS];
    gsize scratch_bytes;
    int overwrites[AIMF_MAX_OUTPUTS];
} AimfNodePlan;

/** AimfPlanNode: Returns (owned) the node's kernel, or NULL with an error. */
typedef AimfKernel *(*AimfPlanNode)(gpointer state, AimfNodePlan *plan, GError **error);

/**
 * AimfSgdRun: one optimizer step over contiguous blocks of @n elements; @learning_rate is read at every run.
 */
typedef struct {
    gsize n;
    AimfSgd sgd;
    const float *learning_rate;
    float *parameters;
    const float *gradients;
    float *momenta;
} AimfSgdRun;

/**
 * AimfMemory: where a backend's kernels compute; the addresses are the backend's, the graph only adds offsets to them.
 * @allocate: (owned) zeroed, aligned to 64 bytes or more; NULL with MEMORY that says for @what
 * @check_room: (nullable) whether all of the @bytes that were allocated will be there when they are used; FALSE with
 * MEMORY
 * @release: with the @bytes it was allocated with; nothing for NULL
 * @upload, @download: from and to the host's memory; done when they return
 */
typedef struct {
    void *(*allocate)(gsize bytes, const char *what, GError **error);
    gboolean (*check_room)(gsize bytes, GError **error);
    void (*release)(void *memory, gsize bytes);
    void (*clear)(void *memory, gsize bytes);
    void (*upload)(void *memory, const void *host, gsize bytes);
    void (*download)(void *host, const void *memory, gsize bytes);
} AimfMemory;

/** aimf_host_memory: pages of this process; what lies on the host is used where it is. */
extern const AimfMemory aimf_host_memory;

/**
 * AimfBackend: a device.
 * @memory: of everything that kernels and @sgd are given
 * @open: (owned) state for one plan, or NULL with UNSUPPORTED (precision, processor)
 * @version: (owned) text
 * @layout_equal, @layout_text: compare and name layouts whose detail is not NULL; text is owned
 * @plan_reorder: a kernel with one input and one output that changes layout and element type; @from or @to may be
 * row-major
 * @sgd: runs the optimizer
 * @plan: one planner per operation; NULL: unsupported, compile says so
 */
typedef struct {
    const char *name;
    const AimfMemory *memory;
    gpointer (*open)(AimfPrecision precision, GError **error);
    void (*close)(gpointer state);
    char *(*version)(void);
    gboolean (*layout_equal)(const AimfLayout *a, const AimfLayout *b);
    char *(*layout_text)(const AimfLayout *layout, const AimfShape *shape);
    AimfKernel *(*plan_reorder)(gpointer state, const AimfLayout *from, const AimfLayout *to, const AimfShape *shape,
                                GError **error);
    void (*sgd)(const AimfSgdRun *run);
    AimfPlanNode plan[AIMF_N_OPS];
} AimfBackend;

/** aimf_backends: NULL-terminated, the default first; in backend/backends.c. */
extern const AimfBackend *const aimf_backends[];

/** aimf_layout_row_major: of a value of @shape. */
static inline AimfLayout aimf_layout_row_major(const AimfShape *shape, AimfDtype dtype)
{
    return (AimfLayout){ .dtype = dtype, .bytes = (gsize)aimf_shape_count(shape) * aimf_dtype_bytes(dtype) };
}
