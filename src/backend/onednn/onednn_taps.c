/*
 * The gradient of a convolution's weights where pictures have become small: one matrix product per tap of the kernel.
 *
 * dweight[o, i, t] = sum over the outputs p that tap t reaches: dy[p, o] * x[p shifted by t, i]
 *
 * The rows of x and dy that belong together are gathered (they are small), so padding costs nothing: at 2x2 pixels a
 * 3x3 kernel meets zeros in 20 of its 36 products. oneDNN's own kernels run at a third of their usual speed there.
 */
#include "backend/onednn/onednn.h"

#include <string.h>

enum { MAX_TAPS = 49 };

/* The outputs that a tap reaches: rows [row0, row1) and columns [column0, column1). */
typedef struct {
    gint64 row0, row1, column0, column1;
    OnednnPrimitive *product; /* borrowed from products */
} Tap;

/* An activation as [N][C / block][H][W][block]. */
typedef struct {
    gint64 n, channels, height, width, block;
    gsize element_bytes;
    const char *data;
} Picture;

typedef struct {
    AimfKernel base;
    Picture x, dy;
    gint64 kernel_width, stride[2], before[2];
    int n_taps;
    Tap taps[MAX_TAPS];
    GPtrArray *products;                         /* OnednnPrimitive, one per number of gathered rows */
    GArray *product_rows;                        /* gint64, parallel to products */
    gsize x_rows_offset, product_scratch_offset; /* in the scratch memory, after the rows of dy */
    gboolean falls_back;                         /* whether oneDNN has no kernel for a product */
    char *dweight, *scratch;
} TapsKernel;

static void bind(AimfKernel *base, void *const *addresses)
{
    TapsKernel *kernel = (TapsKernel *)base;
    kernel->x.data = addresses[0];
    kernel->dy.data = addresses[1];
    kernel->dweight = addresses[2];
    kernel->scratch = addresses[3];
    for (guint i = 0; i < kernel->products->len; i++) {
        OnednnPrimitive *product = g_ptr_array_index(kernel->products, i);
        onednn_primitive_bind(product, DNNL_ARG_SRC, kernel->scratch);
        onednn_primitive_bind(product, DNNL_ARG_WEIGHTS, kernel->scratch + kernel->x_rows_offset);
        onednn_primitive_bind(product, DNNL_ARG_SCRATCHPAD, kernel->scratch + kernel->product_scratch_offset);
    }
}

/* One pixel's channels, all blocks of them, into a row. */
static void gather_pixel(const Picture *picture, gint64 n, gint64 y, gint64 x, char *row)
{
    gsize chunk = (gsize)picture->block * picture->element_bytes;
    gint64 blocks = picture->channels / picture->block, pixels = picture->height * picture->width;
    const char *from = picture->data + (gsize)((n * blocks * pixels) + y * picture->width + x) * chunk;
    for (gint64 b = 0; b < blocks; b++, from += (gsize)pixels * chunk, row += chunk)
        memcpy(row, from, chunk);
}

/* The pixels of x and dy that meet under a tap, as rows of two matrices. */
static void gather(const TapsKernel *kernel, const Tap *tap, gint64 tap_y, gint64 tap_x)
{
    gsize x_bytes = (gsize)kernel->x.channels * kernel->x.element_bytes;
    gsize dy_bytes = (gsize)kernel->dy.channels * kernel->dy.element_bytes;
    gint64 rows = tap->row1 - tap->row0, columns = tap->column1 - tap->column0;
    char *x_rows = kernel->scratch + kernel->x_rows_offset, *dy_rows = kernel->scratch;
#pragma omp parallel for schedule(static)
    for (gint64 n = 0; n < kernel->x.n; n++)
        for (gint64 i = 0; i < rows * columns; i++) {
            gint64 y = tap->row0 + i / columns, x = tap->column0 + i % columns;
            gsize row = (gsize)(n * rows * columns + i);
            gather_pixel(&kernel->dy, n, y, x, dy_rows + row * dy_bytes);
            gather_pixel(&kernel->x, n, y * kernel->stride[0] - kernel->before[0] + tap_y,
                         x * kernel->stride[1] - kernel->before[1] + tap_x, x_rows + row * x_bytes);
        }
}

static gboolean run(AimfKernel *base, AimfStream *stream, GError **error)
{
    (void)stream;
    const TapsKernel *kernel = (TapsKernel *)base;
    gsize matrix = (gsize)(kernel->x.channels * kernel->dy.channels) * sizeof(float);
    for (int t = 0; t < kernel->n_taps; t++) {
        const Tap *tap = &kernel->taps[t];
        char *result = kernel->dweight + (gsize)t * matrix;
        if (!tap->product) { /* a tap that only ever sees padding */
            memset(result, 0, matrix);
            continue;
        }
        gather(kernel, tap, t / kernel->kernel_width, t % kernel->kernel_width);
        onednn_primitive_bind(tap->product, DNNL_ARG_DST, result);
        if (!onednn_primitive_run(tap->product, error))
            return FALSE;
    }
    return TRUE;
}

static void kernel_free(AimfKernel *base)
{
    TapsKernel *kernel = (TapsKernel *)base;
    g_ptr_array_unref(kernel->products);
    g_array_unref(kernel->product_rows);
    g_free(kernel);
}

/* The outputs o in [*first, *end) of @outputs for which o * stride - padding + tap is one of @inputs. */
static void find_range(gint64 tap, gint64 stride, gint64 padding, gint64 inputs, gint64 outputs, gint64 *first,
                       gint64 *end)
{
    *first = 0;
    while (*first < outputs && *first * stride - padding + tap < 0)
        (*first)++;
    *end = outputs;
    while (*end > *first && (*end - 1) * stride - padding + tap >= inputs)
        (*end)--;
}

/* The product for @rows gathered rows; taps with as many rows share it. */
static OnednnPrimitive *find_product(TapsKernel *kernel, OnednnState *state, gint64 rows, AimfDtype dtype,
                                     GError **error)
{
    for (guint i = 0; i < kernel->products->len; i++)
        if (g_array_index(kernel->product_rows, gint64, i) == rows)
            return g_ptr_array_index(kernel->products, i);
    OnednnPrimitive *product =
        onednn_transposed_product(state, kernel->dy.channels, kernel->x.channels, rows, dtype, error);
    if (!product)
        return NULL;
    kernel->falls_back |= onednn_falls_back(product);
    g_ptr_array_add(kernel->products, product);
    g_array_append_val(kernel->product_rows, rows);
    return product;
}

static gboolean plan_taps(TapsKernel *kernel, OnednnState *state, const AimfShape *weight, AimfDtype dtype,
                          GError **error)
{
    const Picture *x = &kernel->x, *dy = &kernel->dy;
    kernel->kernel_width = weight->dim[3];
    kernel->n_taps = (int)(weight->dim[2] * weight->dim[3]);
    for (int t = 0; t < kernel->n_taps; t++) {
        Tap *tap = &kernel->taps[t];
        find_range(t / kernel->kernel_width, kernel->stride[0], kernel->before[0], x->height, dy->height, &tap->row0,
                   &tap->row1);
        find_range(t % kernel->kernel_width, kernel->stride[1], kernel->before[1], x->width, dy->width, &tap->column0,
                   &tap->column1);
        gint64 rows = x->n * (tap->row1 - tap->row0) * (tap->column1 - tap->column0);
        if (rows > 0 && !(tap->product = find_product(kernel, state, rows, dtype, error)))
            return FALSE;
    }
    return TRUE;
}

static Picture picture_of(const AimfNodePlan *plan, int input)
{
    const AimfShape *shape = cpu_input_shape(plan, input);
    return (Picture){
        .n = shape->dim[0],
        .channels = shape->dim[1],
        .height = shape->dim[2],
        .width = shape->dim[3],
        .block = cpu_layout_channel_block(&plan->in[input], shape),
        .element_bytes = aimf_dtype_bytes(plan->in[input].dtype),
    };
}

/*
 * Measured for ResNet-18's layers against oneDNN 2.6.3 (Zen 4, 2 threads, batch 128): 3x3 on 2x2 pixels 747 against
 * 190 GFLOP/s in bf16 and 415 against 155 in f32; 4x4 to 4x4 even; larger pictures lose to the gathering. A stride
 * makes oneDNN slower still.
 */
gboolean onednn_taps_pay(const AimfNodePlan *plan)
{
    const AimfShape *x = cpu_input_shape(plan, 0), *dy = cpu_input_shape(plan, 1);
    const AimfShape *weight = cpu_output_shape(plan, 0);
    gint64 pixels = dy->dim[2] * dy->dim[3], taps = weight->dim[2] * weight->dim[3];
    const AimfConv2d *options = &plan->node->attributes.conv2d;
    gint64 most_pixels = cpu_conv_has_stride(options) ? 16 : 4;
    return cpu_conv_is_dense(options) && taps > 1 && taps <= MAX_TAPS && pixels <= most_pixels && x->dim[1] % 16 == 0 &&
           dy->dim[1] % 16 == 0 && x->dim[1] >= 64;
}

AimfKernel *onednn_plan_taps(gpointer state, AimfNodePlan *plan, GError **error)
{
    for (int i = 0; i < 2; i++) {
        cpu_want_activation(state, plan, i);
        gint64 block = cpu_layout_channel_block(&plan->in[i], cpu_input_shape(plan, i));
        if (block < 8 || cpu_input_shape(plan, i)->dim[1] % block) /* short pieces are slow to gather */
            plan->in[i] = cpu_layout_activation(state, cpu_input_shape(plan, i), cpu_compute_dtype(plan));
    }
    const AimfShape *weight = cpu_output_shape(plan, 0);
    TapsKernel *kernel = g_new0(TapsKernel, 1);
    kernel->base = (AimfKernel){ "aimfair:taps", bind, run, kernel_free };
    kernel->x = picture_of(plan, 0);
    kernel->dy = picture_of(plan, 1);
    for (int i = 0; i < 2; i++) {
        kernel->stride[i] = plan->node->attributes.conv2d.stride[i];
        kernel->before[i] = plan->node->attributes.conv2d.before[i];
    }
    kernel->products = g_ptr_array_new_with_free_func((GDestroyNotify)onednn_primitive_free);
    kernel->product_rows = g_array_new(FALSE, FALSE, sizeof(gint64));
    if (!plan_taps(kernel, state, weight, cpu_compute_dtype(plan), error)) {
        kernel_free(&kernel->base);
        return NULL;
    }
    if (kernel->falls_back && plan->precision == AIMF_PRECISION_F32) {
        kernel_free(&kernel->base);
        return cpu_plan_direct_weight(state, plan, error);
    }
    gsize most_rows = 0, product_scratch = 0;
    for (guint i = 0; i < kernel->products->len; i++) {
        most_rows = MAX(most_rows, (gsize)g_array_index(kernel->product_rows, gint64, i));
        product_scratch = MAX(product_scratch, onednn_primitive_scratch_bytes(g_ptr_array_index(kernel->products, i)));
    }
    kernel->x_rows_offset = (most_rows * (gsize)kernel->dy.channels * kernel->dy.element_bytes + 63) / 64 * 64;
    kernel->product_scratch_offset =
        kernel->x_rows_offset + (most_rows * (gsize)kernel->x.channels * kernel->x.element_bytes + 63) / 64 * 64;
    plan->scratch_bytes = kernel->product_scratch_offset + product_scratch;
    plan->out[0] = cpu_layout_taps_first(state, weight);
    return &kernel->base;
}
