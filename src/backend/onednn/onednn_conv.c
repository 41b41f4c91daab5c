#include "backend/onednn/onednn.h"

/* Strides at which oneDNN's AMX kernels for weights are slower than products of patches in f32: at 16, four times. */
enum { FAR = 8 };

/* The weight's shape as oneDNN wants it. */
static AimfShape weight_of(const AimfNodePlan *plan, const AimfShape *weight)
{
    gint64 groups = plan->node->attributes.conv2d.groups;
    if (groups == 1)
        return *weight;
    return AIMF_SHAPE(groups, weight->dim[0] / groups, weight->dim[1], weight->dim[2], weight->dim[3]);
}

/* A kernel of merged groups in the place of @primitive, or NULL if that is no fallback or they cannot be merged. */
static AimfKernel *merge_groups(gpointer state, AimfNodePlan *plan, OnednnPrimitive *primitive)
{
    AimfKernel *kernel = primitive && onednn_falls_back(primitive) ? onednn_plan_merged_groups(state, plan) : NULL;
    if (kernel)
        onednn_primitive_free(primitive);
    return kernel;
}

AimfKernel *onednn_plan_conv2d(gpointer state, AimfNodePlan *plan, GError **error)
{
    if (cpu_winograd_pay(plan))
        return cpu_plan_winograd_forward(state, plan, error);
    if (cpu_direct_pays(plan))
        return cpu_plan_direct(state, plan, error);
    if (cpu_depthwise_pairs_pay(plan))
        return cpu_plan_depthwise_pairs(state, plan, error);
    AimfDtype dtype = cpu_compute_dtype(plan);
    OnednnOperand x = { .shape = cpu_input_shape(plan, 0), .dtype = dtype };
    AimfShape taps = weight_of(plan, cpu_input_shape(plan, 1));
    OnednnOperand weight = { .shape = &taps, .dtype = dtype };
    OnednnOperand bias = { .shape = cpu_input_shape(plan, 2), .dtype = AIMF_F32 };
    OnednnOperand y = { .shape = cpu_output_shape(plan, 0), .dtype = dtype };
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    OnednnPrimitive *primitive = onednn_convolution(state, ONEDNN_FORWARD, &x, &weight, &bias, &y, options, error);
    AimfKernel *merged = merge_groups(state, plan, primitive);
    if (merged)
        return merged;
    if (onednn_replace_fallback(plan, primitive))
        return cpu_plan_conv2d(state, plan, error);
    return onednn_kernel(plan, primitive, (const int[]){ DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST });
}

AimfKernel *onednn_plan_conv2d_backward_data(gpointer state, AimfNodePlan *plan, GError **error)
{
    if (cpu_winograd_pay(plan))
        return cpu_plan_winograd_data(state, plan, error);
    if (cpu_direct_pays(plan))
        return cpu_plan_direct(state, plan, error);
    if (cpu_depthwise_pairs_pay(plan))
        return cpu_plan_depthwise_pairs(state, plan, error);
    AimfKernel *turned = onednn_plan_turned(state, plan), *merged;
    if (turned)
        return turned;
    AimfDtype dtype = cpu_compute_dtype(plan);
    OnednnOperand dy = { .shape = cpu_input_shape(plan, 0), .dtype = dtype };
    AimfShape taps = weight_of(plan, cpu_input_shape(plan, 1));
    OnednnOperand weight = { .shape = &taps, .dtype = dtype };
    OnednnOperand dx = { .shape = cpu_output_shape(plan, 0), .dtype = dtype };
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    OnednnPrimitive *primitive =
        onednn_convolution(state, ONEDNN_BACKWARD_DATA, &dx, &weight, NULL, &dy, options, error);
    if ((merged = merge_groups(state, plan, primitive)))
        return merged;
    if (onednn_replace_fallback(plan, primitive))
        return cpu_plan_conv2d_backward_data(state, plan, error);
    return onednn_kernel(plan, primitive, (const int[]){ DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC });
}

AimfKernel *onednn_plan_conv2d_backward_weight(gpointer state, AimfNodePlan *plan, GError **error)
{
    if (cpu_direct_weight_pays(plan))
        return cpu_plan_direct_weight(state, plan, error);
    if (onednn_taps_pay(plan))
        return onednn_plan_taps(state, plan, error);
    if (cpu_winograd_pay(plan))
        return cpu_plan_winograd_weight(state, plan, error);
    AimfDtype dtype = cpu_compute_dtype(plan);
    OnednnOperand x = { .shape = cpu_input_shape(plan, 0), .dtype = dtype };
    OnednnOperand dy = { .shape = cpu_input_shape(plan, 1), .dtype = dtype };
    AimfShape taps = weight_of(plan, cpu_output_shape(plan, 0));
    OnednnOperand dweight = { .shape = &taps, .dtype = AIMF_F32 };
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    OnednnPrimitive *primitive =
        onednn_convolution(state, ONEDNN_BACKWARD_WEIGHT, &x, &dweight, NULL, &dy, options, error);
    if (primitive && !onednn_is_amx(primitive) && cpu_winograd_pairs_pay(plan)) {
        onednn_primitive_free(primitive);
        return cpu_plan_winograd_pairs(state, plan, error);
    }
    if (primitive && onednn_is_amx(primitive) && options->stride[0] >= FAR) {
        onednn_primitive_free(primitive);
        return cpu_plan_conv2d_backward_weight(state, plan, error);
    }
    AimfKernel *pointwise = primitive ? onednn_plan_pointwise_weight(state, plan, primitive) : NULL;
    if (pointwise) {
        onednn_primitive_free(primitive);
        return pointwise;
    }
    if (primitive && onednn_falls_back(primitive) && cpu_is_depthwise(plan, cpu_output_shape(plan, 0))) {
        onednn_primitive_free(primitive);
        return cpu_plan_depthwise_weight(state, plan, error);
    }
    AimfKernel *merged = merge_groups(state, plan, primitive);
    if (merged)
        return merged;
    if (onednn_replace_fallback(plan, primitive))
        return cpu_plan_conv2d_backward_weight(state, plan, error);
    return onednn_kernel(plan, primitive, (const int[]){ DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS });
}
