/* A compiled plan's inside: what compile.c decides, memory.c places, run.c executes and describe.c tells. */
#pragma once

#include "graph/backend.h"

enum { MAX_OPERANDS = AIMF_MAX_INPUTS + AIMF_MAX_OUTPUTS + 1, MEMORY_ALIGNMENT = 64, NO_BUFFER = -1 };

/** Where a buffer lies. */
typedef enum {
    HOME_ARENA,    /* between its first and its last step, sharing memory with others */
    HOME_RESIDENT, /* for the plan's life: inputs, outputs, states, frozen parameters and their packed forms */
    HOME_STAGING,  /* only while parameters are loaded: the row-major form of a frozen parameter that is used packed */
    HOME_PARAMETER_BLOCK,
    HOME_GRADIENT_BLOCK,
} AimfHome;

/** AimfBuffer: one value in one layout. A value has as many as there are layouts in which it is used. */
typedef struct {
    AimfValue value;
    AimfLayout layout;
    AimfHome home;
    int first, last; /* steps between which its contents matter */
    int takes_over;  /* the buffer whose memory it continues, or NO_BUFFER */
    gsize offset;    /* in its home */
    void *address;
} AimfBuffer;

/** AimfStep: a kernel and what it works on. */
typedef struct {
    AimfKernel *kernel;
    int node; /* in the graph; -1 for a reorder */
    int n_operands;
    int operands[MAX_OPERANDS]; /* buffers: inputs, outputs, scratch */
    int n_inputs;
    int overwrites[AIMF_MAX_OUTPUTS];
} AimfStep;

struct AimfPlan {
    AimfGraph *graph; /* with the gradient's nodes */
    guint n_forward_nodes;
    const AimfBackend *backend;
    gpointer state;
    AimfPrecision precision;
    gboolean winograd;
    GArray *buffers; /* AimfBuffer */
    GArray *steps;   /* AimfStep, one run */
    GArray *packs;   /* AimfStep, once after loading: frozen parameters into the layouts they are used in */
    int *canonical;  /* per value: its row-major f32 buffer if it is a leaf or an output, else NO_BUFFER */
    int *primary;    /* per value: the buffer that its producer fills */
    AimfValue *trainable;
    AimfValue *gradients; /* of trainable */
    guint n_trainable;
    gsize block_elements; /* of the blocks of trainable parameters, padding included */
    float *parameters;    /* (block_elements) */
    float *parameter_gradients;
    float *momenta;
    gboolean has_sgd;
    AimfSgd sgd;
    float learning_rate;
    void *arena;
    gsize arena_bytes;
    gboolean has_room; /* for all of it there is memory; seen when parameters are first loaded */
    void *resident;
    gsize resident_bytes;
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

/** aimf_step_name: (borrowed) the operation of a step, "reorder" for a change of layout. */
const char *aimf_step_name(const AimfPlan *plan, const AimfStep *step);

/** aimf_plan_place: finds lifetimes, offsets and addresses of all buffers and binds all kernels. */
gboolean aimf_plan_place(AimfPlan *plan, GError **error);

/** aimf_step_run: step @index of a run; FALSE with the kernel's error, which then names the step. */
gboolean aimf_step_run(const AimfPlan *plan, guint index, GError **error);

/** aimf_step_bind: hands the addresses of a step's buffers to its kernel. */
void aimf_step_bind(const AimfPlan *plan, const AimfStep *step);
