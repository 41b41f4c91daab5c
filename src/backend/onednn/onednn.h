/* What the files of the oneDNN backend share. Planners have the type AimfPlanNode; state is an OnednnState. */
#pragma once

#include "backend/onednn/onednn_api.h"

/** onednn_compute_dtype: of activations and of the weights used in computing. */
static inline AimfDtype onednn_compute_dtype(const AimfNodePlan *plan)
{
    return plan->precision == AIMF_PRECISION_BF16 ? AIMF_BF16 : AIMF_F32;
}

/** onednn_input_shape, onednn_output_shape: (nullable, borrowed) of an operand; NULL where none is given. */
static inline const AimfShape *onednn_input_shape(const AimfNodePlan *plan, int i)
{
    AimfValue value = i < plan->node->n_inputs ? plan->node->inputs[i] : AIMF_NONE;
    return value == AIMF_NONE ? NULL : aimf_value_shape(plan->graph, value);
}
static inline const AimfShape *onednn_output_shape(const AimfNodePlan *plan, int i)
{
    AimfValue value = i < plan->node->n_outputs ? plan->node->outputs[i] : AIMF_NONE;
    return value == AIMF_NONE ? NULL : aimf_value_shape(plan->graph, value);
}

/** onednn_want_row_major: asks for input @i in row-major order, if it is given. */
void onednn_want_row_major(AimfNodePlan *plan, int i, AimfDtype dtype);
/** onednn_give_row_major: output @i comes in row-major order, if it is given. */
void onednn_give_row_major(AimfNodePlan *plan, int i, AimfDtype dtype);
/** onednn_want_viewable: takes input @i as it lies if an OnednnView can describe that, row-major otherwise. */
void onednn_want_viewable(AimfNodePlan *plan, int i);
/** onednn_want_activation: asks for input @i as it lies, in the computing type. */
void onednn_want_activation(OnednnState *state, AimfNodePlan *plan, int i);

/**
 * onednn_kernel:
 * @primitive: (owned by the kernel from here on, nullable: then NULL comes back)
 * @arguments: (n_inputs + n_outputs) DNNL_ARG_… of each operand of the node, 0 for those the primitive does not see
 * Sets the layouts of those operands and the size of the scratch memory as the primitive has them; a workspace that comes in
 * stays as the forward kernel made it.
 */
AimfKernel *onednn_kernel(AimfNodePlan *plan, OnednnPrimitive *primitive, const int *arguments);

AimfKernel *onednn_plan_conv2d(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_conv2d_backward_data(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_conv2d_backward_weight(gpointer state, AimfNodePlan *plan, GError **error);
/** onednn_taps_pay: whether a CONV2D_BACKWARD_WEIGHT is faster as matrix products; onednn_plan_taps plans it so. */
gboolean onednn_taps_pay(const AimfNodePlan *plan);
AimfKernel *onednn_plan_taps(gpointer state, AimfNodePlan *plan, GError **error);
/** onednn_winograd_pay: whether a CONV2D, if the plan allows, or its backward is faster with fewer multiplications; the others plan it so. */
gboolean onednn_winograd_pay(const AimfNodePlan *plan);
AimfKernel *onednn_plan_winograd_forward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_winograd_data(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_winograd_weight(gpointer state, AimfNodePlan *plan, GError **error);
/** onednn_winograd_pairs_pay: the same question for CONV2D_BACKWARD_WEIGHT in bf16; onednn_plan_winograd_pairs plans it so. */
gboolean onednn_winograd_pairs_pay(const AimfNodePlan *plan);
AimfKernel *onednn_plan_winograd_pairs(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_batch_norm(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_batch_norm_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_elementwise(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_channel_sum(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_max_pool(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_max_pool_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_average_pool(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_average_pool_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_linear(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_linear_backward_data(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_linear_backward_weight(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_group_norm(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_add_channels(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_layer_norm(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_geglu(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_concat(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_upsample_nearest(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_upsample_conv2d(gpointer state, AimfNodePlan *plan, GError **error);
/** onednn_plan_sum_taps: the reorder that makes the weights of an upsample_conv2d; @to is an onednn_layout_summed_taps. */
AimfKernel *onednn_plan_sum_taps(const AimfLayout *from, const AimfLayout *to, const AimfShape *shape, GError **error);
AimfKernel *onednn_plan_tokens(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_planes(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_embedding(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_timestep_embedding(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_attention(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_loss(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_loss_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_reorder(gpointer state, const AimfLayout *from, const AimfLayout *to, const AimfShape *shape,
                                GError **error);
void onednn_sgd(const AimfSgdRun *run);
