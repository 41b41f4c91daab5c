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

/*
 * What a layer makes of a sample is to depend on neither the samples beside it nor the number of threads. AMX adds up
 * in another order than other kernels, and oneDNN takes it from some number of rows on: so the rows of one sample
 * decide. And from so many terms of a sum on oneDNN cuts it into pieces where the number of rows and of threads decide:
 * with AMX (seen from 1536 terms on, in 2.6), but not in 1x1 convolutions, for which rows are pixels, channels last,
 * which lie the same; without AMX for one row alone (seen in 3.7 from 1056 terms on), so that the products of samples
 * that are one row are ours. The same convolutions take sums that are no whole number of AMX's tiles: in 2.6 products
 * of such depend on rows and threads (seen from 757 terms on), and some end the process (63 terms, 37
 * rows, 807 columns: a tile is loaded that was not set up).
 */
enum { LONG_SUM_AMX = 1281, TERMS_AMX = 32, LONG_ROW = 1025 };

static gboolean takes_amx(gpointer state, const OnednnOperand *x, const OnednnOperand *weight,
                          const OnednnOperand *bias, const OnednnOperand *y, gint64 rows)
{
    AimfShape xs = AIMF_SHAPE(rows, x->shape->dim[1]), ys = AIMF_SHAPE(rows, y->shape->dim[1]);
    const OnednnOperand some_x = { &xs, x->dtype, x->layout }, some_y = { &ys, y->dtype, y->layout };
    return onednn_linear_takes_amx(state, &some_x, weight, bias, &some_y);
}

/* NULL, without an error, where oneDNN has no such kernel with AMX. */
static AimfKernel *plan_odd_sums(gpointer state, AimfNodePlan *plan, gint64 samples, const OnednnOperand *rows,
                                 const OnednnOperand *bias, AimfDtype result)
{
    gint64 in = rows->shape->dim[1], out = cpu_input_shape(plan, 1)->dim[0], n = rows->shape->dim[0] / samples;
    AimfShape xs = AIMF_SHAPE(1, in, samples, n), ws = AIMF_SHAPE(out, in, 1, 1), ys = AIMF_SHAPE(1, out, samples, n);
    AimfLayout x_lies = cpu_layout_blocked(state, &xs, in, rows->dtype);
    AimfLayout y_lies = cpu_layout_blocked(state, &ys, out, result);
    const AimfConv2d options = { .stride = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };
    OnednnOperand x = { &xs, rows->dtype, &x_lies }, y = { &ys, result, &y_lies };
    OnednnOperand weight = { .shape = &ws, .dtype = rows->dtype };
    OnednnPrimitive *convolution = onednn_convolution(state, ONEDNN_FORWARD, &x, &weight, bias, &y, &options, NULL);
    if (!convolution || !onednn_is_amx(convolution) || onednn_primitive_is_faulty(convolution)) {
        onednn_primitive_free(convolution);
        return NULL;
    }
    AimfLayout x_row_major = plan->in[0], y_row_major = plan->out[0];
    static const int arguments[] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST };
    AimfKernel *kernel = onednn_kernel(plan, convolution, arguments);
    plan->in[0] = x_row_major;
    plan->out[0] = y_row_major;
    return kernel;
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
    if (rows.dim[0] == xs.dim[0] && rows.dim[1] >= LONG_ROW)
        return cpu_plan_linear(state, plan, error);
    OnednnOperand x = { &rows, dtype, &plan->in[0] }, y = { &results, result, &plan->out[0] };
    OnednnOperand weight = { .shape = cpu_input_shape(plan, 1), .dtype = dtype };
    OnednnOperand bias = { .shape = cpu_input_shape(plan, 2), .dtype = AIMF_F32 };
    gboolean odd_sum = rows.dim[1] >= LONG_SUM_AMX || rows.dim[1] % TERMS_AMX, bf16 = dtype == AIMF_BF16;
    AimfKernel *kernel = bf16 && odd_sum ? plan_odd_sums(state, plan, xs.dim[0], &x, &bias, result) : NULL;
    if (kernel)
        return kernel;
    gboolean amx = bf16 && !odd_sum && takes_amx(state, &x, &weight, &bias, &y, rows.dim[0] / xs.dim[0]);
    OnednnPrimitive *product = onednn_linear(state, &x, &weight, &bias, &y, !amx, error);
    if (onednn_replace_fallback(plan, product))
        return cpu_plan_linear(state, plan, error);
    if (!product)
        return NULL;
    static const int arguments[] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST };
    kernel = onednn_kernel(plan, product, arguments);
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
