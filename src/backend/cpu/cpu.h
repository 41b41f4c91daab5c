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

/** cpu_conv_is_dense: whether all outputs see all inputs, through taps that lie side by side. */
static inline gboolean cpu_conv_is_dense(const AimfConv2d *options)
{
    return options->groups == 1 && options->dilation[0] == 1 && options->dilation[1] == 1;
}
/** cpu_conv_has_stride: whether it leaves out positions in some direction. */
static inline gboolean cpu_conv_has_stride(const AimfConv2d *options)
{
    return options->stride[0] > 1 || options->stride[1] > 1;
}
/** cpu_conv_keeps_size: whether a convolution of 3 x 3 taps is one that leaves a picture as large as it is. */
static inline gboolean cpu_conv_keeps_size(const AimfConv2d *options)
{
    gboolean padded =
        options->before[0] == 1 && options->before[1] == 1 && options->after[0] == 1 && options->after[1] == 1;
    return padded && cpu_conv_is_dense(options) && !cpu_conv_has_stride(options);
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
/** cpu_layout_blocked: of a value (N, C, H, W) that lies in blocks of @block channels, 1, 8, 16 or all of them. */
AimfLayout cpu_layout_blocked(gpointer state, const AimfShape *shape, gint64 block, AimfDtype dtype);
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
/** cpu_is_depthwise: whether every channel of a convolution with @weight, or of a gradient of one, sees itself alone. */
gboolean cpu_is_depthwise(const AimfNodePlan *plan, const AimfShape *weight);
/** cpu_plan_depthwise_weight: CONV2D_BACKWARD_WEIGHT of a depthwise one, in f32 and in bf16. */
AimfKernel *cpu_plan_depthwise_weight(gpointer state, AimfNodePlan *plan, GError **error);
/**
 * cpu_depthwise_pairs_pay: whether a depthwise CONV2D or its CONV2D_BACKWARD_DATA is faster by pairs of taps;
 * cpu_plan_depthwise_pairs plans either so.
 */
gboolean cpu_depthwise_pairs_pay(const AimfNodePlan *plan);
AimfKernel *cpu_plan_depthwise_pairs(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_elementwise(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_channel_sum(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_global_average_pool(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_global_average_pool_backward(gpointer state, AimfNodePlan *plan, GError **error);
/** cpu_plan_average_pool: over windows or bins, forward or backward. */
AimfKernel *cpu_plan_average_pool(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_group_norm(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_group_norm_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_add_channels(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_layer_norm(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_layer_norm_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_row_sum(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_geglu(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_geglu_backward(gpointer state, AimfNodePlan *plan, GError **error);
/** cpu_plan_broadcast: of any operation that has an AimfBroadcast. */
AimfKernel *cpu_plan_broadcast(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_concat(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_upsample_nearest(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_tokens(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_planes(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_embedding(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_embedding_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_timestep_embedding(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_attention(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_attention_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_matmul(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_softmax(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_loss(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_loss_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_sgd(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_accumulate(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_squares(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_clip_norm(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_count_step(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_adamw(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_average(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_concat(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_split(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_slice(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_pad(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_transpose(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_reshape(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_dropout(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_upsample_nearest_backward(gpointer state, AimfNodePlan *plan, GError **error);
AimfKernel *cpu_plan_pixel_sum(gpointer state, AimfNodePlan *plan, GError **error);
