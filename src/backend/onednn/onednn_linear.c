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

AimfKernel *onednn_plan_linear(gpointer state, AimfNodePlan *plan, GError **error)
{
    AimfDtype dtype = onednn_compute_dtype(plan);
    AimfShape rows = as_matrix(onednn_input_shape(plan, 0)), results = as_matrix(onednn_output_shape(plan, 0));
    AimfDtype result = onednn_output_shape(plan, 0)->rank == 2 ? AIMF_F32 : dtype;
    onednn_want_row_major(plan, 0, dtype);
    onednn_give_row_major(plan, 0, result);
    OnednnOperand x = { &rows, dtype, &plan->in[0] };
    OnednnOperand weight = { .shape = onednn_input_shape(plan, 1), .dtype = dtype };
    OnednnOperand bias = { .shape = onednn_input_shape(plan, 2), .dtype = AIMF_F32 };
    OnednnOperand y = { &results, result, &plan->out[0] };
    OnednnPrimitive *primitive = onednn_linear(state, &x, &weight, &bias, &y, error);
    AimfKernel *kernel =
        onednn_kernel(plan, primitive, (const int[]){ DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST });
    if (kernel)
        plan->in[1] = onednn_linear_weight_layout(primitive);
    return kernel;
}

AimfKernel *onednn_plan_linear_backward_data(gpointer state, AimfNodePlan *plan, GError **error)
{
    AimfDtype dtype = onednn_compute_dtype(plan);
    onednn_want_row_major(plan, 0, dtype);
    onednn_give_row_major(plan, 0, dtype);
    OnednnOperand dy = { onednn_input_shape(plan, 0), dtype, &plan->in[0] };
    OnednnOperand weight = { .shape = onednn_input_shape(plan, 1), .dtype = dtype };
    OnednnOperand dx = { onednn_output_shape(plan, 0), dtype, &plan->out[0] };
    OnednnPrimitive *primitive = onednn_inner_product_backward(state, ONEDNN_BACKWARD_DATA, &dx, &weight, &dy, error);
    return onednn_kernel(plan, primitive, (const int[]){ DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC });
}

AimfKernel *onednn_plan_linear_backward_weight(gpointer state, AimfNodePlan *plan, GError **error)
{
    AimfDtype dtype = onednn_compute_dtype(plan);
    onednn_want_row_major(plan, 0, dtype);
    onednn_want_row_major(plan, 1, dtype);
    onednn_give_row_major(plan, 0, AIMF_F32);
    OnednnOperand x = { onednn_input_shape(plan, 0), dtype, &plan->in[0] };
    OnednnOperand dy = { onednn_input_shape(plan, 1), dtype, &plan->in[1] };
    OnednnOperand dweight = { onednn_output_shape(plan, 0), AIMF_F32, &plan->out[0] };
    OnednnPrimitive *primitive = onednn_inner_product_backward(state, ONEDNN_BACKWARD_WEIGHT, &x, &dweight, &dy, error);
    return onednn_kernel(plan, primitive, (const int[]){ DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS });
}
