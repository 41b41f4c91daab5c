#include "backend/onednn/onednn.h"

AimfKernel *onednn_plan_max_pool(gpointer state, AimfNodePlan *plan, GError **error)
{
    cpu_want_activation(state, plan, 0);
    OnednnOperand x = { cpu_input_shape(plan, 0), plan->in[0].dtype, &plan->in[0] };
    OnednnOperand y = { .shape = cpu_output_shape(plan, 0), .dtype = plan->in[0].dtype };
    OnednnPrimitive *primitive =
        onednn_max_pool(state, &x, &y, &plan->node->attributes.pool, cpu_output_shape(plan, 1) != NULL, error);
    return onednn_kernel(plan, primitive, (const int[]){ DNNL_ARG_SRC, DNNL_ARG_DST, DNNL_ARG_WORKSPACE });
}

AimfKernel *onednn_plan_max_pool_backward(gpointer state, AimfNodePlan *plan, GError **error)
{
    AimfDtype dtype = cpu_compute_dtype(plan);
    OnednnOperand dx = { .shape = cpu_output_shape(plan, 0), .dtype = dtype };
    OnednnOperand dy = { .shape = cpu_input_shape(plan, 0), .dtype = dtype };
    OnednnPrimitive *primitive =
        onednn_max_pool_backward(state, &dx, &dy, &plan->node->attributes.pool, &plan->in[1], error);
    return onednn_kernel(plan, primitive, (const int[]){ DNNL_ARG_DIFF_DST, DNNL_ARG_WORKSPACE, DNNL_ARG_DIFF_SRC });
}
