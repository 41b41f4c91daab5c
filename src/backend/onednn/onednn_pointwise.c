/*
 * 1x1 convolutions where oneDNN keeps pictures channels last, which it does for its AMX kernels: a pixel is a row of a
 * matrix then.
 *
 * - The gradient of the weight is that of a linear layer, whose kernel is 2.5 times as fast (with ResNet-50's layers).
 * - Where there is a stride, the pixels that it meets are brought close together, or spread from there with zeros in
 *   between, and the convolution is one without a stride: oneDNN's kernels for strides take four times as long.
 */
#include "backend/onednn/onednn.h"

#include <string.h>

gboolean onednn_is_pointwise(const AimfNodePlan *plan, const AimfShape *weight)
{
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    gboolean padded = options->before[0] || options->before[1] || options->after[0] || options->after[1];
    return weight->dim[2] == 1 && weight->dim[3] == 1 && cpu_conv_is_dense(options) && !padded;
}

/* --- Strides --- */

typedef struct {
    AimfKernel base;
    AimfKernel *inner; /* works on the pixels that the stride meets, close together */
    int operand;       /* of two inputs and an output, which one has all the pixels */
    gint64 n, height, width, met_height, met_width, stride[2];
    gsize row, met_bytes; /* of a pixel; of all that are met */
    char *all, *met;
} StridedKernel;

static void strided_bind(AimfKernel *base, void *const *addresses)
{
    StridedKernel *kernel = (StridedKernel *)base;
    char *scratch = addresses[3];
    void *inner[] = { addresses[0], addresses[1], addresses[2], scratch + kernel->met_bytes };
    inner[kernel->operand] = kernel->met = scratch;
    kernel->all = addresses[kernel->operand];
    kernel->inner->bind(kernel->inner, inner);
}

static void gather_line(const StridedKernel *kernel, gint64 line)
{
    gint64 picture = line / kernel->met_height, y = line % kernel->met_height * kernel->stride[0];
    const char *from = kernel->all + (gsize)((picture * kernel->height + y) * kernel->width) * kernel->row;
    char *to = kernel->met + (gsize)(line * kernel->met_width) * kernel->row;
    for (gint64 x = 0; x < kernel->met_width; x++, to += kernel->row, from += (gsize)kernel->stride[1] * kernel->row)
        memcpy(to, from, kernel->row);
}

static void spread_line(const StridedKernel *kernel, gint64 line)
{
    gint64 picture = line / kernel->height, y = line % kernel->height;
    char *to = kernel->all + (gsize)(line * kernel->width) * kernel->row;
    memset(to, 0, (gsize)kernel->width * kernel->row);
    gint64 met = picture * kernel->met_height + y / kernel->stride[0];
    if (y % kernel->stride[0] || y / kernel->stride[0] >= kernel->met_height)
        return;
    const char *from = kernel->met + (gsize)(met * kernel->met_width) * kernel->row;
    for (gint64 x = 0; x < kernel->met_width; x++, from += kernel->row, to += (gsize)kernel->stride[1] * kernel->row)
        memcpy(to, from, kernel->row);
}

static gboolean strided_run(AimfKernel *base, AimfStream *stream, GError **error)
{
    const StridedKernel *kernel = (StridedKernel *)base;
    gboolean gathers = kernel->operand == 0;
    if (gathers) {
#pragma omp parallel for schedule(static)
        for (gint64 line = 0; line < kernel->n * kernel->met_height; line++)
            gather_line(kernel, line);
    }
    if (!kernel->inner->run(kernel->inner, stream, error))
        return FALSE;
    if (!gathers) {
#pragma omp parallel for schedule(static)
        for (gint64 line = 0; line < kernel->n * kernel->height; line++)
            spread_line(kernel, line);
    }
    return TRUE;
}

static void strided_free(AimfKernel *base)
{
    StridedKernel *kernel = (StridedKernel *)base;
    kernel->inner->free(kernel->inner);
    g_free(kernel);
}

AimfKernel *onednn_strided(AimfNodePlan *plan, AimfKernel *inner, int operand, const AimfShape *all,
                           const AimfShape *met)
{
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    StridedKernel *kernel = g_new0(StridedKernel, 1);
    kernel->base = (AimfKernel){ inner->implementation, strided_bind, strided_run, strided_free };
    kernel->inner = inner;
    kernel->operand = operand;
    kernel->n = all->dim[0];
    kernel->height = all->dim[2];
    kernel->width = all->dim[3];
    kernel->met_height = met->dim[2];
    kernel->met_width = met->dim[3];
    for (int i = 0; i < 2; i++)
        kernel->stride[i] = options->stride[i];
    kernel->row = (gsize)all->dim[1] * sizeof(guint16);
    kernel->met_bytes = ((gsize)(met->dim[0] * met->dim[2] * met->dim[3]) * kernel->row + 63) / 64 * 64;
    plan->scratch_bytes += kernel->met_bytes;
    return &kernel->base;
}

/* --- The gradient of the weight --- */

/* Whether a value in this layout is a matrix with a row of all channels for every pixel. */
static gboolean is_matrix(const AimfLayout *layout, const AimfShape *shape)
{
    return layout->dtype == AIMF_BF16 && cpu_layout_channel_block(layout, shape) == shape->dim[1];
}

AimfKernel *onednn_plan_pointwise_weight(gpointer state, AimfNodePlan *plan, const OnednnPrimitive *convolution)
{
    const AimfShape *x = cpu_input_shape(plan, 0), *dy = cpu_input_shape(plan, 1), *weight = cpu_output_shape(plan, 0);
    AimfLayout lies[] = { onednn_primitive_layout(convolution, DNNL_ARG_SRC),
                          onednn_primitive_layout(convolution, DNNL_ARG_DIFF_DST) };
    if (!onednn_is_amx(convolution) || !onednn_is_pointwise(plan, weight) || !is_matrix(&lies[0], x) ||
        !is_matrix(&lies[1], dy))
        return NULL;
    gint64 pixels = dy->dim[0] * dy->dim[2] * dy->dim[3];
    AimfShape xs = AIMF_SHAPE(pixels, x->dim[1]), ys = AIMF_SHAPE(pixels, dy->dim[1]);
    AimfShape ws = AIMF_SHAPE(weight->dim[0], weight->dim[1]);
    AimfLayout x_rows = aimf_layout_row_major(&xs, AIMF_BF16), dy_rows = aimf_layout_row_major(&ys, AIMF_BF16);
    AimfLayout dweight_rows = aimf_layout_row_major(&ws, AIMF_F32);
    OnednnOperand from = { &xs, AIMF_BF16, &x_rows }, to = { &ys, AIMF_BF16, &dy_rows };
    OnednnOperand dweight = { &ws, AIMF_F32, &dweight_rows };
    OnednnPrimitive *product = onednn_linear_backward_weight(state, &from, &dweight, &to, NULL);
    if (!product)
        return NULL;
    AimfKernel *kernel =
        onednn_kernel(plan, product, (const int[]){ DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS });
    plan->in[0] = lies[0];
    plan->in[1] = lies[1];
    cpu_give_row_major(plan, 0, AIMF_F32);
    return cpu_conv_has_stride(&plan->node->attributes.conv2d) ? onednn_strided(plan, kernel, 0, x, dy) : kernel;
}
