/* Kernels that are one primitive of oneDNN. */
#include "backend/onednn/onednn.h"

typedef struct {
    AimfKernel base;
    OnednnPrimitive *primitive;
    int n;
    int arguments[AIMF_MAX_INPUTS + AIMF_MAX_OUTPUTS];
} PrimitiveKernel;

static void bind(AimfKernel *base, void *const *addresses)
{
    PrimitiveKernel *kernel = (PrimitiveKernel *)base;
    for (int i = 0; i < kernel->n; i++)
        if (kernel->arguments[i])
            onednn_primitive_bind(kernel->primitive, kernel->arguments[i], addresses[i]);
    onednn_primitive_bind(kernel->primitive, DNNL_ARG_SCRATCHPAD, addresses[kernel->n]);
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream;
    return onednn_primitive_run(((PrimitiveKernel *)base)->primitive, error);
}

static void kernel_free(AimfKernel *base)
{
    onednn_primitive_free(((PrimitiveKernel *)base)->primitive);
    g_free(base);
}

static AimfKernel *kernel_new(OnednnPrimitive *primitive, int n, const int *arguments)
{
    PrimitiveKernel *kernel = g_new0(PrimitiveKernel, 1);
    kernel->base = (AimfKernel){ onednn_primitive_name(primitive), bind, run, kernel_free };
    kernel->primitive = primitive;
    kernel->n = n;
    for (int i = 0; i < n; i++)
        kernel->arguments[i] = arguments[i];
    return &kernel->base;
}

AimfKernel *onednn_kernel(AimfNodePlan *plan, OnednnPrimitive *primitive, const int *arguments)
{
    if (!primitive)
        return NULL;
    const AimfNode *node = plan->node;
    for (int i = 0; i < node->n_inputs; i++)
        if (arguments[i] && arguments[i] != DNNL_ARG_WORKSPACE && node->inputs[i] != AIMF_NONE)
            plan->in[i] = onednn_primitive_layout(primitive, arguments[i]);
    for (int i = 0; i < node->n_outputs; i++)
        if (arguments[node->n_inputs + i] && node->outputs[i] != AIMF_NONE)
            plan->out[i] = onednn_primitive_layout(primitive, arguments[node->n_inputs + i]);
    plan->scratch_bytes = onednn_primitive_scratch_bytes(primitive);
    return kernel_new(primitive, node->n_inputs + node->n_outputs, arguments);
}

gboolean onednn_replace_fallback(const AimfNodePlan *plan, OnednnPrimitive *primitive)
{
    gboolean in_f32 = plan->precision == AIMF_PRECISION_F32;
    if (!primitive || !(onednn_primitive_is_faulty(primitive) || (in_f32 && onednn_falls_back(primitive))))
        return FALSE;
    onednn_primitive_free(primitive);
    return TRUE;
}

AimfKernel *onednn_plan_reorder(gpointer state, const AimfLayout *from, const AimfLayout *to, const AimfShape *shape,
                                GError **error)
{
    const CpuPacking *packing = onednn_layout_packing(to);
    if (packing && (from->detail || from->dtype != AIMF_F32)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED, "only a parameter can be packed as %s", packing->name);
        return NULL;
    }
    if (packing)
        return packing->plan(packing, to->bytes, shape, error);
    OnednnOperand source = { shape, from->dtype, from }, target = { shape, to->dtype, to };
    OnednnPrimitive *primitive = onednn_reorder(state, &source, &target, error);
    return primitive ? kernel_new(primitive, 2, (const int[]){ DNNL_ARG_FROM, DNNL_ARG_TO }) : NULL;
}
