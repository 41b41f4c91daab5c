#include "backend/onednn/onednn.h"

/*
 * Activations are row-major here, (N, features), to which further dimensions are so many more rows; oneDNN may choose
 * how the weights lie. Whatever arrives as f32 (the gradient of the logits) is asked for in the computing
 * type, because oneDNN multiplies equals only. In f32 the gradients are products of our own: for the weight oneDNN has
 * its GEMM, for the input a kernel that takes 1.4 times as long (with AVX-512, ViT-S/16's layers).
 */

/* All dimensions but the last as one. */
static AimfShape as_matrix(const AimfShape *shape)
{
    gint64 columns = shape->dim[shape->rank - 1];
    return AIMF_SHAPE(aimf_shape_count(shape) / columns, columns);
}

AimfKernel *onednn_plan_linear(gpointer state, AimfNodePlan *plan, GError **error)
{
    AimfDtype dtype = cpu_compute_dtype(plan);
    AimfShape xs = *cpu_input_shape(plan, 0), ys = *cpu_output_shape(plan, 0);
    AimfDtype result = ys.rank == 2 ? AIMF_F32 : dtype;
    cpu_want_row_major(plan, 0, dtype);
    cpu_want_row_major(plan, 2, AIMF_F32);
    cpu_give_row_major(plan, 0, result);
    AimfShape rows = as_matrix(&xs), results = as_matrix(&ys);
    OnednnOperand x = { &rows, dtype, &plan->in[0] }, y = { &results, result, &plan->out[0] };
    OnednnOperand weight = { .shape = cpu_input_shape(plan, 1), .dtype = dtype };
    OnednnOperand bias = { .shape = cpu_input_shape(plan, 2), .dtype = AIMF_F32 };
    OnednnPrimitive *product = onednn_linear(state, &x, &weight, &bias, &y, error);
    if (onednn_replace_fallback(plan, product))
        return cpu_plan_linear(state, plan, error);
    if (!product)
        return NULL;
    static const int arguments[] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST };
    AimfKernel *kernel = onednn_kernel(plan, product, arguments);
    plan->in[1] = onednn_linear_weight_layout(product);
    return kernel;
}

AimfKernel *onednn_plan_linear_backward_data(gpointer state, AimfNodePlan *plan, GError **error)
{
    AimfDtype dtype = cpu_compute_dtype(plan);
    if (dtype == AIMF_F32)
        return cpu_plan_linear_backward_data(state, plan, error);
    cpu_want_row_major(plan, 0, dtype);
    cpu_give_row_major(plan, 0, dtype);
    AimfShape rows = as_matrix(cpu_input_shape(plan, 0)), results = as_matrix(cpu_output_shape(plan, 0));
    OnednnOperand dy = { &rows, dtype, &plan->in[0] }, dx = { &results, dtype, &plan->out[0] };
    OnednnOperand weight = { .shape = cpu_input_shape(plan, 1), .dtype = dtype };
    OnednnPrimitive *product = onednn_linear_backward_data(state, &dy, &weight, &dx, error);
    return onednn_kernel(plan, product, (const int[]){ DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST });
}

AimfKernel *onednn_plan_linear_backward_weight(gpointer state, AimfNodePlan *plan, GError **error)
{
    AimfDtype dtype = cpu_compute_dtype(plan);
    if (dtype == AIMF_F32)
        return cpu_plan_linear_backward_weight(state, plan, error);
    cpu_want_row_major(plan, 0, dtype);
    cpu_want_row_major(plan, 1, dtype);
    cpu_give_row_major(plan, 0, AIMF_F32);
    AimfShape xs = as_matrix(cpu_input_shape(plan, 0)), ys = as_matrix(cpu_input_shape(plan, 1));
    OnednnOperand x = { &xs, dtype, &plan->in[0] }, dy = { &ys, dtype, &plan->in[1] };
    OnednnOperand dweight = { cpu_output_shape(plan, 0), AIMF_F32, &plan->out[0] };
    OnednnPrimitive *primitive = onednn_linear_backward_weight(state, &x, &dweight, &dy, error);
    return onednn_kernel(plan, primitive, (const int[]){ DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS });
}
