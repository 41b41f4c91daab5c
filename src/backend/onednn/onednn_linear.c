#include "backend/onednn/onednn.h"

/*
 * Activations are row-major here, (N, features), to which tokens (N, T, features) are so many more rows; oneDNN may choose how the weights lie. Whatever arrives as f32 (the gradient of the
 * logits) is asked for in the computing type, because oneDNN multiplies equals only.
 */

/* All dimensions but the last as one. */
static AimfShape as_matrix(const AimfShape *shape)
{
    gint64 columns = shape->dim[shape->rank - 1];
    return AIMF_SHAPE(aimf_shape_count(shape) / columns, columns);
}

/*
 * Without AVX-512 oneDNN's products add up a row in an order that depends on where in the matrix it stands. So that a sample's result
 * does not depend on its neighbours, each is a product of its own there.
 */
typedef struct {
    AimfKernel base;
    OnednnPrimitive *product;
    gint64 samples;
    gsize x_bytes, y_bytes; /* of a sample */
    char *x, *y;
} SamplesKernel;

static void samples_bind(AimfKernel *base, void *const *addresses)
{
    SamplesKernel *kernel = (SamplesKernel *)base;
    kernel->x = addresses[0];
    onednn_primitive_bind(kernel->product, DNNL_ARG_WEIGHTS, addresses[1]);
    onednn_primitive_bind(kernel->product, DNNL_ARG_BIAS, addresses[2]);
    kernel->y = addresses[3];
    onednn_primitive_bind(kernel->product, DNNL_ARG_SCRATCHPAD, addresses[4]);
}

static void samples_run(AimfKernel *base)
{
    const SamplesKernel *kernel = (SamplesKernel *)base;
    for (gsize i = 0; i < (gsize)kernel->samples; i++) {
        onednn_primitive_bind(kernel->product, DNNL_ARG_SRC, kernel->x + i * kernel->x_bytes);
        onednn_primitive_bind(kernel->product, DNNL_ARG_DST, kernel->y + i * kernel->y_bytes);
        onednn_primitive_run(kernel->product);
    }
}

static void samples_free(AimfKernel *base)
{
    onednn_primitive_free(((SamplesKernel *)base)->product);
    g_free(base);
}

static AimfKernel *samples_new(AimfNodePlan *plan, OnednnPrimitive *product)
{
    SamplesKernel *kernel = g_new0(SamplesKernel, 1);
    kernel->base = (AimfKernel){ onednn_primitive_name(product), samples_bind, samples_run, samples_free };
    kernel->product = product;
    kernel->samples = cpu_input_shape(plan, 0)->dim[0];
    kernel->x_bytes = plan->in[0].bytes / (gsize)kernel->samples;
    kernel->y_bytes = plan->out[0].bytes / (gsize)kernel->samples;
    plan->scratch_bytes = onednn_primitive_scratch_bytes(product);
    return &kernel->base;
}

AimfKernel *onednn_plan_linear(gpointer state, AimfNodePlan *plan, GError **error)
{
    AimfDtype dtype = cpu_compute_dtype(plan);
    AimfShape xs = *cpu_input_shape(plan, 0), ys = *cpu_output_shape(plan, 0);
    AimfDtype result = ys.rank == 2 ? AIMF_F32 : dtype;
    cpu_want_row_major(plan, 0, dtype);
    cpu_want_row_major(plan, 2, AIMF_F32);
    cpu_give_row_major(plan, 0, result);
    gboolean together = aimf_instruction_set() >= AIMF_ISA_AVX512;
    if (!together)
        xs.dim[0] = ys.dim[0] = 1;
    AimfShape rows = as_matrix(&xs), results = as_matrix(&ys);
    OnednnOperand x = { &rows, dtype, &plan->in[0] }, y = { &results, result, &plan->out[0] };
    OnednnOperand weight = { .shape = cpu_input_shape(plan, 1), .dtype = dtype };
    OnednnOperand bias = { .shape = cpu_input_shape(plan, 2), .dtype = AIMF_F32 };
    OnednnPrimitive *product = onednn_linear(state, &x, &weight, &bias, &y, error);
    if (!product)
        return NULL;
    static const int arguments[] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST };
    AimfKernel *kernel = together ? onednn_kernel(plan, product, arguments) : samples_new(plan, product);
    plan->in[1] = onednn_linear_weight_layout(product);
    return kernel;
}

AimfKernel *onednn_plan_linear_backward_data(gpointer state, AimfNodePlan *plan, GError **error)
{
    AimfDtype dtype = cpu_compute_dtype(plan);
    cpu_want_row_major(plan, 0, dtype);
    cpu_give_row_major(plan, 0, dtype);
    OnednnOperand dy = { cpu_input_shape(plan, 0), dtype, &plan->in[0] };
    OnednnOperand weight = { .shape = cpu_input_shape(plan, 1), .dtype = dtype };
    OnednnOperand dx = { cpu_output_shape(plan, 0), dtype, &plan->out[0] };
    OnednnPrimitive *primitive = onednn_inner_product_backward(state, ONEDNN_BACKWARD_DATA, &dx, &weight, &dy, error);
    return onednn_kernel(plan, primitive, (const int[]){ DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC });
}

AimfKernel *onednn_plan_linear_backward_weight(gpointer state, AimfNodePlan *plan, GError **error)
{
    AimfDtype dtype = cpu_compute_dtype(plan);
    cpu_want_row_major(plan, 0, dtype);
    cpu_want_row_major(plan, 1, dtype);
    cpu_give_row_major(plan, 0, AIMF_F32);
    OnednnOperand x = { cpu_input_shape(plan, 0), dtype, &plan->in[0] };
    OnednnOperand dy = { cpu_input_shape(plan, 1), dtype, &plan->in[1] };
    OnednnOperand dweight = { cpu_output_shape(plan, 0), AIMF_F32, &plan->out[0] };
    OnednnPrimitive *primitive = onednn_inner_product_backward(state, ONEDNN_BACKWARD_WEIGHT, &x, &dweight, &dy, error);
    return onednn_kernel(plan, primitive, (const int[]){ DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS });
}
