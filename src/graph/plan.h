/*
 * A compiled plan's inside: what compile.c and update.c decide, memory.c places, load.c and run.c execute and
 * describe.c tells.
 */
#pragma once

#include "graph/backend.h"
#include "graph/store.h"

enum { MAX_OPERANDS = AIMF_MAX_INPUTS + AIMF_MAX_OUTPUTS + 1, NO_BUFFER = -1 };

/** Where a buffer lies. */
typedef enum {
    HOME_ARENA,    /* between its first and its last step, sharing memory with others */
    HOME_RESIDENT, /* for the plan's life: inputs, outputs, buckets, private states, packed forms of parameters */
    HOME_STORE,    /* in the store, as long as that: parameters and states in row-major order */
    HOME_STAGING,  /* only while parameters are loaded: the row-major form of a frozen parameter that is used packed */
    HOME_BUCKET,   /* a part of another buffer */
} AimfHome;

/**
 * AimfBuffer: one value in one layout. A value has as many as there are layouts in which it is used.
 * @within: the bucket that a part lies in, or NO_BUFFER
 * @stored: which of the store's tensors it is, or comes from; -1 for none
 */
typedef struct {
    AimfValue value;
    AimfLayout layout;
    AimfHome home;
    int first, last; /* steps between which its contents matter */
    int takes_over;  /* the buffer whose memory it continues, or NO_BUFFER */
    int within;
    int stored;
    gsize offset; /* in its home */
    void *address;
} AimfBuffer;

/** AimfStep: a kernel and what it works on. */
typedef struct {
    AimfKernel *kernel;
    int node;    /* in the graph; -1 for a reorder */
    char *label; /* for errors */
    /* Of a pack: the version of the stored parameter that was packed last, and the stream's failures then. */
    guint64 version;
    guint n_failures;
    int n_operands;
    int operands[MAX_OPERANDS]; /* buffers: inputs, outputs, scratch */
    int n_inputs;
    int overwrites[AIMF_MAX_OUTPUTS];
} AimfStep;

/** AimfMemory: what an optimizer remembers of a parameter, a number for each of its own. */
typedef enum {
    MEMORY_MOMENTUM,
    MEMORY_EXP_AVG,
    MEMORY_EXP_AVG_SQ,
    MEMORY_AVERAGE,
    N_MEMORIES,
} AimfMemory;

/** aimf_memory_name: (static) as aimf_plan_optimizer_state calls it. */
const char *aimf_memory_name(AimfMemory memory);

/**
 * AimfBucket: trainable parameters that lie one after another in the store, and what belongs to them, laid out alike.
 * @first, @n: which of the trainable ones; @memories, @sums: AIMF_NONE where the plan has none; @decays: there is
 * weight decay for them
 */
typedef struct {
    guint first, n;
    gboolean decays;
    AimfValue parameters, gradients, sums, memories[N_MEMORIES];
} AimfBucket;

/** AimfTrained: a trainable parameter; @memories, @sum: AIMF_NONE where the plan has none; @offset: in its bucket */
typedef struct {
    AimfValue parameter, gradient, sum, memories[N_MEMORIES];
    int stored;
    guint bucket;
    gsize offset; /* elements */
    gboolean decays;
} AimfTrained;

/** AimfAveraged: a state and its average. */
typedef struct {
    AimfValue state, average;
} AimfAveraged;

struct AimfPlan {
    AimfGraph *graph; /* with the gradient's nodes, and what is done with gradients after them */
    guint n_forward_nodes;
    guint n_computing_nodes; /* forward and backward */
    AimfStore *store;
    gboolean shares_store;
    gboolean private_states;
    gboolean moves_states; /* a run changes the store's running statistics */
    const AimfBackend *backend;
    gpointer state;
    AimfPrecision precision;
    gboolean winograd;
    GArray *buffers; /* AimfBuffer */
    GArray *steps;   /* AimfStep, one run */
    GArray *packs;  /* AimfStep, when what is stored has changed: frozen parameters into the layouts they are used in */
    int *canonical; /* per value: its row-major buffer if it can be read or written or loaded, else NO_BUFFER */
    int *primary;   /* per value: the buffer that its producer fills */
    GArray *trained;  /* AimfTrained, in the graph's order, but those without weight decay after those with it */
    GArray *buckets;  /* AimfBucket */
    GArray *averaged; /* AimfAveraged */
    AimfValue learning_rate;
    AimfValue n_optimized; /* steps, where the optimizer counts them */
    AimfValue squares;     /* of the gradients, a sum for each bucket, where they are clipped */
    void *arena;
    gsize arena_bytes;
    gboolean has_room;     /* for all of it there is memory; seen before it is first used */
    gboolean was_reset;    /* private states have been filled once */
    gboolean has_averages; /* so have averages */
    gboolean is_filled;    /* so have all stored tensors that it uses */
    AimfTrace *trace;
    void *resident;
    gsize resident_bytes; /* of the plan's own store too */
    gsize allocated_bytes;
    gsize planned_bytes; /* of these and the arena, noted in a store that is shared */
    gsize peak_bytes;
    int peak_step;
};

static inline AimfBuffer *aimf_buffer(const AimfPlan *plan, int index)
{
    return &g_array_index(plan->buffers, AimfBuffer, index);
}

static inline AimfStep *aimf_step(const AimfPlan *plan, guint index)
{
    return &g_array_index(plan->steps, AimfStep, index);
}

static inline AimfTrained *aimf_trained(const AimfPlan *plan, guint index)
{
    return &g_array_index(plan->trained, AimfTrained, index);
}

/** aimf_find_trained: (nullable) the trainable parameter @parameter; NULL if it is frozen, or none. */
static inline const AimfTrained *aimf_find_trained(const AimfPlan *plan, AimfValue parameter)
{
    for (guint i = 0; i < plan->trained->len; i++)
        if (aimf_trained(plan, i)->parameter == parameter)
            return aimf_trained(plan, i);
    return NULL;
}

/** aimf_step_changes_weights: whether a step is one that changes parameters, momenta or sums. */
static inline gboolean aimf_step_changes_weights(const AimfPlan *plan, const AimfStep *step)
{
    return step->node >= (int)plan->n_computing_nodes;
}

/** aimf_plan_add_buffer: a new buffer at @home. */
int aimf_plan_add_buffer(AimfPlan *plan, AimfValue value, AimfLayout layout, AimfHome home);

/**
 * aimf_plan_add_updates: makes room for the trainable parameters in the store, divides them into buckets, and appends
 * to the graph what is done with gradients: accumulation and the optimizer's step.
 */
gboolean aimf_plan_add_updates(AimfPlan *plan, const AimfCompileOptions *options, GError **error);
/** aimf_plan_add_buckets: the buffers of buckets and their parts; those of parameters are there. */
void aimf_plan_add_buckets(AimfPlan *plan);

/** aimf_step_name: (borrowed) the operation of a step, "reorder" for a change of layout. */
static inline const char *aimf_step_name(const AimfPlan *plan, const AimfStep *step)
{
    return step->node < 0 ? "reorder" : aimf_ops[g_array_index(plan->graph->nodes, AimfNode, step->node).op].name;
}

/** aimf_plan_place: finds lifetimes, offsets and addresses of all buffers and binds all kernels of a run. */
gboolean aimf_plan_place(AimfPlan *plan, GError **error);

/** aimf_step_run: gives a step to the plan's stream; FALSE with the kernel's error, which then names the step. */
gboolean aimf_step_run(const AimfPlan *plan, const AimfStep *step, GError **error);

/** aimf_plan_check_room: whether there is memory for all that the plan will touch; FALSE with MEMORY. */
gboolean aimf_plan_check_room(AimfPlan *plan, GError **error);

/** aimf_plan_prepare: what a run begins with: room, private states, packs. */
gboolean aimf_plan_prepare(AimfPlan *plan, GError **error);
/** aimf_plan_touch_states: a run has moved the store's running statistics. */
void aimf_plan_touch_states(AimfPlan *plan);

/** aimf_plan_fill_states: private states become the store's; waits for it. */
gboolean aimf_plan_fill_states(AimfPlan *plan, GError **error);
/** aimf_plan_fill_averages: they become what the store has; waits for it. */
gboolean aimf_plan_fill_averages(AimfPlan *plan, GError **error);
/** aimf_plan_pack: packs again what has changed in the store since it was packed. */
gboolean aimf_plan_pack(AimfPlan *plan, GError **error);

/** aimf_step_bind: hands the addresses of a step's buffers to its kernel. */
void aimf_step_bind(const AimfPlan *plan, const AimfStep *step);
