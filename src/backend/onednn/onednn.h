/* What the files of the oneDNN backend share. Planners have the type AimfPlanNode; state is an OnednnState. */
#pragma once

#include "backend/cpu/cpu.h"
#include "backend/onednn/onednn_api.h"
#include "backend/onednn/onednn_layout.h"

/**
 * onednn_kernel:
 * @primitive: (owned by the kernel from here on, nullable: then NULL comes back)
 * @arguments: (n_inputs + n_outputs) DNNL_ARG_… of each operand of the node, 0 for those the primitive does not see
 * Sets the layouts of those operands and the size of the scratch memory as the primitive has them; a workspace that
 * comes in stays as the forward kernel made it.
 */
AimfKernel *onednn_kernel(AimfNodePlan *plan, OnednnPrimitive *primitive, const int *arguments);

/**
 * onednn_replace_fallback: frees @primitive and gives TRUE if a kernel of our own takes its place. That one computes in
 * f32, so in bf16 it does only where oneDNN's computes wrongly.
 */
gboolean onednn_replace_fallback(const AimfNodePlan *plan, OnednnPrimitive *primitive);

AimfKernel *onednn_plan_conv2d(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_conv2d_backward_data(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_conv2d_backward_weight(gpointer state, AimfNodePlan *plan, GError **error);
/** onednn_taps_pay: whether a CONV2D_BACKWARD_WEIGHT is faster as matrix products; onednn_plan_taps plans it so. */
gboolean onednn_taps_pay(const AimfNodePlan *plan);
AimfKernel *onednn_plan_taps(gpointer state, AimfNodePlan *plan, GError **error);
/**
 * onednn_plan_merged_groups: a convolution whose groups have few channels, as one with fewer and larger groups, in any
 * direction; onednn_plan_turned: a CONV2D_BACKWARD_DATA as a forward convolution; onednn_plan_pointwise_weight: the
 * gradient of a 1x1 convolution's weight as that of a linear layer, in place of @convolution, which oneDNN has for it.
 * NULL, without an error, where that is not possible or does not pay.
 */
AimfKernel *onednn_plan_merged_groups(gpointer state, AimfNodePlan *plan);
AimfKernel *onednn_plan_turned(gpointer state, AimfNodePlan *plan);
AimfKernel *onednn_plan_pointwise_weight(gpointer state, AimfNodePlan *plan, const OnednnPrimitive *convolution);
/** onednn_is_pointwise: whether a convolution has this weight of 1x1 taps, no groups and no padding. */
gboolean onednn_is_pointwise(const AimfNodePlan *plan, const AimfShape *weight);
/**
 * onednn_strided: a kernel of a convolution's gradient that works with @inner (owned) on those pixels alone that the
 * stride meets, @met of @all, both channels last in bf16. @operand: of the node's inputs and its output, which one they
 * are: 0 to be gathered first, 2 to be spread at the end. Adds its scratch memory to @plan's.
 */
AimfKernel *onednn_strided(AimfNodePlan *plan, AimfKernel *inner, int operand, const AimfShape *all,
                           const AimfShape *met);
AimfKernel *onednn_plan_batch_norm(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_batch_norm_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_max_pool(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_max_pool_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_linear(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_linear_backward_data(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_linear_backward_weight(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_upsample_conv2d(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *onednn_plan_reorder(gpointer state, const AimfLayout *from, const AimfLayout *to, const AimfShape *shape,
                                GError **error);

extern const AimfBackend aimf_backend_onednn;
