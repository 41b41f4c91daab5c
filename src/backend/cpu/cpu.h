/*
 * Kernels of our own, without a call to a library, for the backend that computes with oneDNN beside them. Planners
 * have the type AimfPlanNode; the state is the backend's. Which form of a kernel runs is base/instruction_set.h's to
 * say.
 */
#pragma once

#include "base/instruction_set.h"
#include "graph/backend.h"

/* --- What planners ask for again and again --- */

/** cpu_compute_dtype: of activations and of the weights used in computing. */
static inline AimfDtype cpu_compute_dtype(const AimfNodePlan *plan)
{
    return plan->precision == AIMF_PRECISION_BF16 ? AIMF_BF16 : AIMF_F32;
}

/** cpu_input_shape, cpu_output_shape: (nullable, borrowed) of an operand; NULL where none is given. */
static inline const AimfShape *cpu_input_shape(const AimfNodePlan *plan, int i)
{
    AimfValue value = i < plan->node->n_inputs ? plan->node->inputs[i] : AIMF_NONE;
    return value == AIMF_NONE ? NULL : aimf_value_shape(plan->graph, value);
}
static inline const AimfShape *cpu_output_shape(const AimfNodePlan *plan, int i)
{
    AimfValue value = i < plan->node->n_outputs ? plan->node->outputs[i] : AIMF_NONE;
    return value == AIMF_NONE ? NULL : aimf_value_shape(plan->graph, value);
}

/** cpu_want_row_major: asks for input @i in row-major order, if it is given. */
void cpu_want_row_major(AimfNodePlan *plan, int i, AimfDtype dtype);
/** cpu_give_row_major: output @i comes in row-major order, if it is given. */
void cpu_give_row_major(AimfNodePlan *plan, int i, AimfDtype dtype);
/** cpu_want_viewable: takes input @i as it lies if a CpuView can describe that, row-major otherwise. */
void cpu_want_viewable(AimfNodePlan *plan, int i);
/** cpu_want_activation: asks for input @i as it lies, in the computing type. */
void cpu_want_activation(gpointer state, AimfNodePlan *plan, int i);

/** cpu_lies_plain: whether input @i lies row-major in f32, as parameters do; only such values can be packed. */
gboolean cpu_lies_plain(const AimfNodePlan *plan, int i);
/**
 * cpu_form_name: (static) of the form in which loops run that the compiler made into vector code, for the plan's
 * description.
 */
const char *cpu_form_name(void);

/**
 * cpu_want_blocked: takes input @i as it lies if that is in f32 and blocks of @block channels, else as activations
 * lie.
 */
void cpu_want_blocked(gpointer state, AimfNodePlan *plan, int i, gint64 block);

/* --- Layouts. Their details are the backend's, which answers these questions (onednn/onednn_layout.c). --- */

/** cpu_layout_cast: the same order of elements, of another type. */
AimfLayout cpu_layout_cast(gpointer state, const AimfLayout *layout, const AimfShape *shape, AimfDtype dtype);
/** cpu_layout_activation: what convolutions like for a value (N, C, H, W) whose order nothing decides yet. */
AimfLayout cpu_layout_activation(gpointer state, const AimfShape *shape, AimfDtype dtype);
/**
 * cpu_layout_channel_block: Returns: b if the value lies as [N][C / b, rounded up][all other dimensions][b], so 1 for
 * row-major and C for channels-last; 0 if it lies in no such order.
 */
gint64 cpu_layout_channel_block(const AimfLayout *layout, const AimfShape *shape);

/** cpu_layout_taps_first: of f32 weights (O, I, kh, kw), lying as [kh][kw][O][I]. */
AimfLayout cpu_layout_taps_first(gpointer state, const AimfShape *shape);

/**
 * CpuPacking: how a parameter lies that was made ready for one kind of kernel, which is more than another order of its
 * elements.
 * @name: (static) of the kind; @part: a layout that the kind leaves open, or bytes 0
 * @plan: the kernel that packs a row-major f32 parameter of @shape; (owned), or NULL with an error
 */
typedef struct CpuPacking CpuPacking;
struct CpuPacking {
    const char *name;
    AimfLayout part;
    AimfKernel *(*plan)(const CpuPacking *packing, gsize bytes, const AimfShape *shape, GError **error);
};
/**
 * cpu_layout_packed: of a parameter that takes @bytes when packed so; compiling plans the packing, once for a frozen
 * parameter.
 */
AimfLayout cpu_layout_packed(gpointer state, const CpuPacking *packing, AimfDtype dtype, gsize bytes);

/* --- Planners --- */

/**
 * cpu_winograd_pay: whether a CONV2D, if the plan allows, or its backward is faster with fewer multiplications; the
 * others plan it so.
 */
gboolean cpu_winograd_pay(const AimfNodePlan *plan);
AimfKernel *cpu_plan_winograd_forward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_winograd_data(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_winograd_weight(gpointer state, AimfNodePlan *plan, GError **error);
/**
 * cpu_winograd_pairs_pay: the same question for CONV2D_BACKWARD_WEIGHT in bf16; cpu_plan_winograd_pairs plans it so.
 */
gboolean cpu_winograd_pairs_pay(const AimfNodePlan *plan);
AimfKernel *cpu_plan_winograd_pairs(gpointer state, AimfNodePlan *plan, GError **error);
/* Any of these in f32. */
AimfKernel *cpu_plan_conv2d(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_conv2d_backward_data(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_conv2d_backward_weight(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_upsample_conv2d(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_linear(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_linear_backward_data(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_linear_backward_weight(gpointer state, AimfNodePlan *plan, GError **error);
/**
 * cpu_direct_pays: whether a CONV2D or its CONV2D_BACKWARD_DATA is faster on our products; cpu_plan_direct plans
 * either so.
 */
gboolean cpu_direct_pays(const AimfNodePlan *plan);
AimfKernel *cpu_plan_direct(gpointer state, AimfNodePlan *plan, GError **error);
/** cpu_direct_weight_pays: the same question for CONV2D_BACKWARD_WEIGHT; cpu_plan_direct_weight plans it so. */
gboolean cpu_direct_weight_pays(const AimfNodePlan *plan);
AimfKernel *cpu_plan_direct_weight(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_elementwise(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_channel_sum(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_average_pool(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_average_pool_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_group_norm(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_add_channels(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_layer_norm(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_geglu(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_geglu_backward(gpointer state, AimfNodePlan *plan, GError **error);
/** cpu_plan_broadcast: of any operation that has an AimfBroadcast. */
AimfKernel *cpu_plan_broadcast(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_concat(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_upsample_nearest(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_tokens(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_planes(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_embedding(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_timestep_embedding(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_attention(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_loss(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_loss_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_sgd(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_accumulate(gpointer state, AimfNodePlan *plan, GError **error);
