/*
 * What the kernels of a kind of device must fill in. The graph decides what is computed, in which order and where in
 * memory; the backend decides how: the kernel for each operation and the layout (element type included) of each
 * operand.
 */
#pragma once

#include "graph/device.h"
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
 * called again when the stream has done what it was given
 * @run: gives the work to @stream; FALSE with MEMORY or FAILED when it could not compute, which a later run may. A
 * stream that works later tells of such failures later
 */
typedef struct AimfKernel AimfKernel;
struct AimfKernel {
    const char *implementation;
    void (*bind)(AimfKernel *kernel, void *const *addresses);
    gboolean (*run)(AimfKernel *kernel, AimfStream *stream, GError **error);
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
 * AimfBackend: kernels.
 * @name: as plans describe it
 * @open: (owned) state for one plan, or NULL with UNSUPPORTED (precision, processor)
 * @version: (owned) text
 * @layout_equal, @layout_text: compare and name layouts whose detail is not NULL; text is owned
 * @plan_reorder: a kernel with one input and one output that changes layout and element type; @from or @to may be
 * row-major
 * @plan: one planner per operation; NULL: unsupported, compile says so
 */
struct AimfBackend {
    const char *name;
    gpointer (*open)(AimfPrecision precision, GError **error);
    void (*close)(gpointer state);
    char *(*version)(void);
    gboolean (*layout_equal)(const AimfLayout *a, const AimfLayout *b);
    char *(*layout_text)(const AimfLayout *layout, const AimfShape *shape);
    AimfKernel *(*plan_reorder)(gpointer state, const AimfLayout *from, const AimfLayout *to, const AimfShape *shape,
                                GError **error);
    AimfPlanNode plan[AIMF_N_OPS];
};

/** aimf_layout_row_major: of a value of @shape. */
static inline AimfLayout aimf_layout_row_major(const AimfShape *shape, AimfDtype dtype)
{
    return (AimfLayout){ .dtype = dtype, .bytes = (gsize)aimf_shape_count(shape) * aimf_dtype_bytes(dtype) };
}
