/* The reference backend's face: its table, and the one planner and kernel that all operations share. */
#include "backend/reference/reference.h"

#include <string.h>

/* A workspace has room for four bytes per element of the first output, which is enough for all. */
#define WORKSPACE_DTYPE AIMF_I32

typedef struct {
    void (*run)(const ReferenceCall *call);
    const char *implementation;
} Row;

#define ROW(kind, name, gradient, flops) [AIMF_OP_##kind] = { reference_##name, "reference:" #name },
static const Row rows[AIMF_N_OPS] = { AIMF_OPS(ROW) };

typedef struct {
    AimfKernel base;
    const Row *row;
    int n_inputs;
    int n_outputs;
    ReferenceCall call;
} Kernel;

static void kernel_bind(AimfKernel *base, void *const *addresses)
{
    Kernel *kernel = (Kernel *)base;
    for (int i = 0; i < kernel->n_inputs; i++)
        kernel->call.in[i] = addresses[i];
    for (int i = 0; i < kernel->n_outputs; i++)
        kernel->call.out[i] = addresses[kernel->n_inputs + i];
}

static gboolean kernel_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    Kernel *kernel = (Kernel *)base;
    kernel->row->run(&kernel->call);
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    g_free(base);
}

static gboolean is_workspace(const AimfGraph *graph, AimfValue value)
{
    return g_array_index(graph->values, AimfValueInfo, value).workspace;
}

static AimfKernel *plan_node(gpointer state, AimfNodePlan *plan, GError **error)
{
    (void)state, (void)error;
    const AimfNode *node = plan->node;
    const Row *row = &rows[node->op];
    Kernel *kernel = g_new0(Kernel, 1);
    kernel->base = (AimfKernel){ row->implementation, kernel_bind, kernel_run, kernel_free };
    kernel->row = row;
    kernel->n_inputs = node->n_inputs;
    kernel->n_outputs = node->n_outputs;
    kernel->call.attributes = node->attributes;

    for (int i = 0; i < node->n_inputs; i++) {
        if (node->inputs[i] == AIMF_NONE || is_workspace(plan->graph, node->inputs[i]))
            continue;
        kernel->call.in_shape[i] = *aimf_value_shape(plan->graph, node->inputs[i]);
        if (plan->in[i].dtype != AIMF_F64) /* sums stay what they are */
            plan->in[i] = aimf_layout_row_major(&kernel->call.in_shape[i], AIMF_F32);
    }
    for (int i = 0; i < node->n_outputs; i++) {
        if (node->outputs[i] == AIMF_NONE)
            continue;
        if (is_workspace(plan->graph, node->outputs[i])) {
            plan->out[i] = aimf_layout_row_major(&kernel->call.out_shape[0], WORKSPACE_DTYPE);
        } else {
            kernel->call.out_shape[i] = *aimf_value_shape(plan->graph, node->outputs[i]);
            plan->out[i] = aimf_layout_row_major(&kernel->call.out_shape[i], AIMF_F32);
        }
    }
    plan->scratch_bytes = 0;
    return &kernel->base;
}

typedef struct {
    AimfKernel base;
    gsize bytes;
    const void *from;
    void *to;
} Copy;

static void copy_bind(AimfKernel *base, void *const *addresses)
{
    Copy *copy = (Copy *)base;
    copy->from = addresses[0];
    copy->to = addresses[1];
}

static gboolean copy_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream, (void)error;
    Copy *copy = (Copy *)base;
    memcpy(copy->to, copy->from, copy->bytes);
    return TRUE;
}

/* There is one layout here, so a reorder can only be a copy. */
static AimfKernel *plan_reorder(gpointer state, const AimfLayout *from, const AimfLayout *to, const AimfShape *shape,
                                GError **error)
{
    (void)state, (void)shape, (void)error;
    g_assert(!from->detail && !to->detail && from->dtype == to->dtype && from->bytes == to->bytes);
    Copy *copy = g_new0(Copy, 1);
    copy->base = (AimfKernel){ "reference:copy", copy_bind, copy_run, kernel_free };
    copy->bytes = from->bytes;
    return &copy->base;
}

static gpointer reference_open(AimfPrecision precision, GError **error)
{
    static char no_state;
    if (precision == AIMF_PRECISION_F32)
        return &no_state;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                "the device \"reference\" computes in f32 only, but another precision was asked for: use f32, or the "
                "device \"cpu\"");
    return NULL;
}

static void reference_close(gpointer state)
{
    (void)state;
}

static char *reference_version(void)
{
    return g_strdup("reference, plain C");
}

#define PLANNER(kind, name, gradient, flops) [AIMF_OP_##kind] = plan_node,
const AimfBackend aimf_backend_reference = {
    .name = "reference",
    .open = reference_open,
    .close = reference_close,
    .version = reference_version,
    .plan_reorder = plan_reorder,
    .plan = { AIMF_OPS(PLANNER) },
};
