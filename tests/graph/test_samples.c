/*
 * A network of the kind that denoises pictures, small: the devices agree on it, with operations in the layouts that
 * their neighbours give them, and what it makes of a sample depends on neither the samples beside it nor the number
 * of threads, to the bit.
 */
#include "device/support_devices.h"
#include "graph/support_formula.h"
#include "graph/support_precision.h"

#include <string.h>

enum { HEIGHT = 12, WIDTH = 14, CONTEXT_TOKENS = 5, CONTEXT = 20, OUTPUTS = 3, MOST_SAMPLES = 4, MOST_THREADS = 4 };

/* How a plan may compute. */
typedef struct {
    const char *name;
    AimfPrecision precision;
    gboolean winograd;
} Manner;

static const Manner manners[] = {
    { "f32", AIMF_PRECISION_F32, FALSE },
    { "winograd", AIMF_PRECISION_F32, TRUE },
    { "bf16", AIMF_PRECISION_BF16, FALSE },
};

typedef struct {
    AimfGraph *graph;
    AimfTensors *tensors;
    AimfValue images, timesteps, context, output;
    gint64 channels;
    guint n_parameters;
} Net;

/* A parameter of numbers around @offset; @spread keeps the sizes of activations about 1. */
static AimfValue parameter(Net *net, AimfShape shape, double spread, double offset)
{
    g_autofree char *name = g_strdup_printf("p%u", net->n_parameters++);
    g_autoptr(GError) error = NULL;
    int index = aimf_tensors_add(net->tensors, name, AIMF_F32, &shape, NULL, &error);
    g_assert_no_error(error);
    float *data = aimf_tensors_writable(net->tensors, (guint)index);
    for (guint32 i = 0; i < aimf_shape_count(&shape); i++)
        data[i] = (float)(formula_fine(formula_seed(name), i) * spread + offset);
    return aimf_graph_parameter(net->graph, name, shape);
}

static AimfValue bias(Net *net, gint64 channels)
{
    return parameter(net, AIMF_SHAPE(channels), 0.5, 0);
}

static AimfValue scale(Net *net, gint64 channels)
{
    return parameter(net, AIMF_SHAPE(channels), 0.5, 1);
}

static gint64 channels_of(const Net *net, AimfValue x)
{
    return aimf_graph_shape(net->graph, x).dim[1];
}

static AimfValue conv(Net *net, AimfValue x, gint64 outputs, int size, AimfConv2d options)
{
    AimfValue weight = parameter(net, AIMF_SHAPE(outputs, channels_of(net, x), size, size), 0.2, 0);
    return aimf_conv2d(net->graph, x, weight, bias(net, outputs), options);
}

static AimfValue group_norm(Net *net, AimfValue x, gboolean silu)
{
    gint64 channels = channels_of(net, x);
    return aimf_group_norm(net->graph, x, scale(net, channels), bias(net, channels),
                           (AimfGroupNorm){ .groups = 4, .silu = silu });
}

static AimfValue linear(Net *net, AimfValue x, gint64 outputs)
{
    AimfShape shape = aimf_graph_shape(net->graph, x);
    AimfValue weight = parameter(net, AIMF_SHAPE(outputs, shape.dim[shape.rank - 1]), 0.3, 0);
    return aimf_linear(net->graph, x, weight, bias(net, outputs));
}

static AimfValue layer_norm(Net *net, AimfValue x)
{
    return aimf_layer_norm(net->graph, x, scale(net, net->channels), bias(net, net->channels), 0);
}

static AimfValue residual_block(Net *net, AimfValue x, AimfValue time, gint64 outputs)
{
    AimfValue y = conv(net, group_norm(net, x, TRUE), outputs, 3, aimf_conv2d_square(1, 1));
    y = aimf_add_channels(net->graph, y, linear(net, aimf_silu(net->graph, time), outputs));
    y = conv(net, group_norm(net, y, TRUE), outputs, 3, aimf_conv2d_square(1, 1));
    if (channels_of(net, x) != outputs)
        x = conv(net, x, outputs, 1, (AimfConv2d){ 0 });
    return aimf_add(net->graph, y, x);
}

/* Attention of one head as operations of its own, weighed along the first dimension of tokens as well. */
static AimfValue attention_in_parts(Net *net, AimfValue q, AimfValue k, AimfValue v)
{
    AimfGraph *graph = net->graph;
    AimfValue weights = aimf_softmax(graph, aimf_matmul(graph, q, k, (AimfMatmul){ .transpose_b = TRUE }), -1);
    return aimf_matmul(graph, aimf_softmax(graph, weights, 1), v, (AimfMatmul){ 0 });
}

static AimfValue transformer_block(Net *net, AimfValue x)
{
    AimfGraph *graph = net->graph;
    gint64 channels = net->channels;
    AimfValue y = aimf_tokens(graph, group_norm(net, x, FALSE));
    for (int cross = 0; cross < 2; cross++) {
        AimfValue normed = layer_norm(net, y), seen = cross ? net->context : normed;
        AimfValue q = linear(net, normed, channels), k = linear(net, seen, channels), v = linear(net, seen, channels);
        y = aimf_add(graph, y, linear(net, aimf_attention(graph, q, k, v, (AimfAttention){ .heads = 2 }), channels));
        y = aimf_add(graph, y, attention_in_parts(net, q, k, v));
    }
    AimfValue gated = aimf_geglu(graph, linear(net, layer_norm(net, y), 8 * channels));
    y = aimf_add(graph, y, linear(net, gated, channels));
    return aimf_add(graph, conv(net, aimf_planes(graph, y, HEIGHT, WIDTH), channels, 1, (AimfConv2d){ 0 }), x);
}

static void net_init(Net *net, gint64 channels, gint64 samples)
{
    *net = (Net){ .graph = aimf_graph_new(), .tensors = aimf_tensors_new(), .channels = channels };
    AimfGraph *graph = net->graph;
    net->images = aimf_graph_input(graph, "images", AIMF_SHAPE(samples, 4, HEIGHT, WIDTH));
    net->timesteps = aimf_graph_input(graph, "timesteps", AIMF_SHAPE(samples));
    net->context = aimf_graph_input(graph, "context", AIMF_SHAPE(samples, CONTEXT_TOKENS, CONTEXT));
    AimfValue time = aimf_silu(graph, linear(net, aimf_timestep_embedding(graph, net->timesteps, 32), 24));

    AimfValue skip = conv(net, net->images, channels, 3, aimf_conv2d_square(1, 1));
    AimfValue x = transformer_block(net, residual_block(net, skip, time, channels));
    x = conv(net, x, 2 * channels, 3, (AimfConv2d){ .stride = { 2, 2 }, .after = { 1, 1 } });
    AimfValue weight = parameter(net, AIMF_SHAPE(channels, 2 * channels, 3, 3), 0.2, 0);
    x = aimf_upsample_conv2d(graph, x, weight, bias(net, channels));
    x = residual_block(net, aimf_concat(graph, (AimfValue[]){ x, skip }, 2, 1), time, channels);
    x = group_norm(net, aimf_upsample_nearest(graph, x), TRUE);
    net->output = conv(net, x, OUTPUTS, 3, aimf_conv2d_square(1, 1));
}

static void net_clear(Net *net)
{
    aimf_graph_free(net->graph);
    aimf_tensors_free(net->tensors);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Net, net_clear)

/* Sample @which of an input, the same wherever in a batch it stands. */
static void set_sample(AimfPlan *plan, AimfValue value, const char *name, gsize each, gsize at, guint32 which)
{
    g_autoptr(GError) error = NULL;
    g_autofree float *data = g_new(float, each);
    for (guint32 i = 0; i < each; i++)
        data[i] = (float)formula_fine(formula_seed(name), which * (guint32)each + i);
    aimf_plan_write(plan, value, at * each, each, data, &error);
    g_assert_no_error(error);
}

enum { SAMPLE = OUTPUTS * 4 * HEIGHT * WIDTH };

/*
 * What the network makes of samples @first and on; (owned) (n, SAMPLE), or NULL if the processor lacks the precision.
 */
static float *denoise(const char *device, const Manner *manner, gint64 channels, guint32 first, gsize n, int threads)
{
    g_auto(Net) net;
    net_init(&net, channels, (gint64)n);
    aimf_set_threads(threads);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfDevice) opened = support_device(device);
    AimfCompileOptions options = { .device = opened,
                                   .precision = manner->precision,
                                   .winograd = manner->winograd,
                                   .outputs = &net.output,
                                   .n_outputs = 1 };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(net.graph, &options, &error);
    if (precision_is_missing(manner->precision, error))
        return NULL;
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, net.tensors, &error));
    for (gsize i = 0; i < n; i++) {
        guint32 which = first + (guint32)i;
        set_sample(plan, net.images, "images", 4 * HEIGHT * WIDTH, i, which);
        set_sample(plan, net.context, "context", CONTEXT_TOKENS * CONTEXT, i, which);
        float timestep = (float)(1 + 333 * which);
        g_assert_true(aimf_plan_write(plan, net.timesteps, i, 1, &timestep, &error));
    }
    g_assert_true(aimf_plan_run(plan, &error));
    return support_read(plan, net.output);
}

/* Channels of which all kernels are able, and such that fill no block of 16. */
static const gint64 widths[] = { 64, 12 };

/*
 * f32 as for one operation, though there are some forty; bf16: what a whole network of this kind is allowed, some
 * four times what is seen.
 */
static void test_agreement(gconstpointer data)
{
    const Manner *manner = data;
    for (guint i = 0; i < G_N_ELEMENTS(widths); i++) {
        g_autofree float *reference = denoise("reference", &manners[0], widths[i], 0, 2, 1);
        g_autofree float *result = denoise("cpu", manner, widths[i], 0, 2, 1);
        if (!result)
            return;
        double error = relative_error(result, reference, 2 * SAMPLE);
        g_test_message("relative error %.2e", error);
        g_assert_cmpfloat(error, <=, manner->precision == AIMF_PRECISION_BF16 ? 3e-2 : 1e-5);
    }
}

static void check_independence(const Manner *manner, gint64 channels)
{
    const gsize bytes = SAMPLE * sizeof(float);
    float alone[MOST_SAMPLES][SAMPLE];
    for (guint32 s = 0; s < MOST_SAMPLES; s++) {
        g_autofree float *result = denoise("cpu", manner, channels, s, 1, 1);
        if (!result)
            return;
        memcpy(alone[s], result, bytes);
        g_assert_true(s == 0 || memcmp(alone[s], alone[0], bytes) != 0);
    }
    for (gsize n = 1; n <= MOST_SAMPLES; n++)
        for (int threads = 1; threads <= MOST_THREADS; threads++) {
            g_autofree float *together = denoise("cpu", manner, channels, 0, n, threads);
            g_assert_cmpint(memcmp(together, alone, n * bytes), ==, 0);
        }
}

static void test_independence(gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(widths); i++)
        check_independence(data, widths[i]);
}

enum { ODD_CHANNELS = 24, ODD_SIDE = 11, ODD_IN = ODD_CHANNELS * ODD_SIDE * ODD_SIDE };

/*
 * One layer alone. For some oneDNN has no kernel, and one fallback or another by batch and threads. Without outputs:
 * averages over windows of @kernel.
 */
typedef struct {
    const char *name;
    gint64 outputs;
    int kernel;
    AimfConv2d options;
} OddLayer;

static const OddLayer odd_layers[] = {
    { "convolution", OUTPUTS, 4, { .before = { 3, 3 }, .after = { 4, 4 } } },
    { "dilation", 2 * ODD_CHANNELS, 3, { .dilation = { 2, 2 }, .before = { 2, 2 }, .after = { 2, 2 } } },
    { "depthwise", ODD_CHANNELS, 5, { .before = { 2, 2 }, .after = { 2, 2 }, .groups = ODD_CHANNELS } },
    { "depthwise-stride", ODD_CHANNELS, 3, { .stride = { 2, 2 }, .after = { 1, 1 }, .groups = ODD_CHANNELS } },
    { "multiplier", 2 * ODD_CHANNELS, 3, { .before = { 1, 1 }, .groups = ODD_CHANNELS } },
    { "thin-groups", ODD_CHANNELS, 3, { .before = { 1, 1 }, .after = { 1, 1 }, .groups = ODD_CHANNELS / 4 } },
    { "odd-groups", ODD_CHANNELS / 2, 3, { .before = { 1, 1 }, .after = { 1, 1 }, .groups = 4 } },
    { "groups", 2 * ODD_CHANNELS, 3, { .before = { 1, 1 }, .after = { 1, 1 }, .groups = 3 } },
    { "average", 0, 3, { .stride = { 2, 2 }, .before = { 1, 1 } } },
};

static AimfValue odd_layer(Net *net, const OddLayer *layer, AimfValue x)
{
    const AimfConv2d *options = &layer->options;
    if (!layer->outputs)
        return aimf_average_pool(net->graph, x,
                                 aimf_pool_square(layer->kernel, options->stride[0], options->before[0]));
    gint64 inputs = ODD_CHANNELS / MAX(options->groups, 1);
    AimfValue weight = parameter(net, AIMF_SHAPE(layer->outputs, inputs, layer->kernel, layer->kernel), 0.2, 0);
    return aimf_conv2d(net->graph, x, weight, bias(net, layer->outputs), *options);
}

/* What the layer makes of samples 0 and on; (owned), @each per sample. */
static float *run_oddly(const OddLayer *layer, gsize n, int threads, gsize *each)
{
    g_auto(Net) net = { .graph = aimf_graph_new(), .tensors = aimf_tensors_new() };
    AimfValue x = aimf_graph_input(net.graph, "odd", AIMF_SHAPE((gint64)n, ODD_CHANNELS, ODD_SIDE, ODD_SIDE));
    AimfValue y = odd_layer(&net, layer, x);
    aimf_set_threads(threads);
    g_autoptr(GError) error = NULL;
    AimfCompileOptions options = { .outputs = &y, .n_outputs = 1 };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(net.graph, &options, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, net.tensors, &error));
    for (gsize i = 0; i < n; i++)
        set_sample(plan, x, "odd", ODD_IN, i, (guint32)i);
    g_assert_true(aimf_plan_run(plan, &error));
    AimfShape shape = aimf_graph_shape(net.graph, y);
    *each = (gsize)aimf_shape_count(&shape) / n;
    return support_read(plan, y);
}

static void test_odd_layer(gconstpointer data)
{
    gsize each;
    g_autofree float *first = run_oddly(data, 1, 1, &each);
    for (gsize n = 1; n <= 5; n += 2)
        for (int threads = 1; threads <= MOST_THREADS; threads++) {
            g_autofree float *result = run_oddly(data, n, threads, &each);
            g_assert_cmpint(memcmp(result, first, each * sizeof(float)), ==, 0);
        }
}

/* A linear layer over @rows rows of each sample. */
typedef struct {
    const char *name;
    gint64 rows, in, out;
    AimfPrecision precision;
} Product;

static const Product products[] = {
    { "head", 1, 512, 3, AIMF_PRECISION_F32 },
    { "head-bf16", 1, 512, 3, AIMF_PRECISION_BF16 },
    { "long-row", 1, 2048, 3, AIMF_PRECISION_F32 },
    { "long-row-bf16", 1, 2048, 3, AIMF_PRECISION_BF16 },
    { "tokens-bf16", 50, 384, 192, AIMF_PRECISION_BF16 },
    { "long-sums", 77, 5120, 128, AIMF_PRECISION_F32 },
    { "long-sums-bf16", 77, 5120, 128, AIMF_PRECISION_BF16 },
    { "long-sums-of-odd-rows-bf16", 197, 1536, 384, AIMF_PRECISION_BF16 },
    { "long-odd-sums-bf16", 31, 2411, 49, AIMF_PRECISION_BF16 },
    { "odd-sums-bf16", 60, 1165, 219, AIMF_PRECISION_BF16 },
    { "short-odd-sums-bf16", 37, 63, 807, AIMF_PRECISION_BF16 },
};

/* What the layer makes of sample 0 among @n; (owned); NULL: the precision is missing. */
static float *multiply(const Product *product, gsize n, int threads)
{
    g_auto(Net) net = { .graph = aimf_graph_new(), .tensors = aimf_tensors_new() };
    AimfShape shape =
        product->rows == 1 ? AIMF_SHAPE((gint64)n, product->in) : AIMF_SHAPE((gint64)n, product->rows, product->in);
    AimfValue x = aimf_graph_input(net.graph, "x", shape);
    AimfValue weight = parameter(&net, AIMF_SHAPE(product->out, product->in), 0.2, 0);
    AimfValue y = aimf_linear(net.graph, x, weight, bias(&net, product->out));
    aimf_set_threads(threads);
    g_autoptr(GError) error = NULL;
    AimfCompileOptions options = { .outputs = &y, .n_outputs = 1, .precision = product->precision };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(net.graph, &options, &error);
    if (precision_is_missing(product->precision, error))
        return NULL;
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, net.tensors, &error));
    for (gsize i = 0; i < n; i++)
        set_sample(plan, x, "x", (gsize)(product->rows * product->in), i, (guint32)i);
    g_assert_true(aimf_plan_run(plan, &error));
    return support_read(plan, y);
}

static void test_product(gconstpointer data)
{
    static const gsize numbers[] = { 1, 2, 5, 33, 70 };
    const Product *product = data;
    gsize bytes = (gsize)(product->rows * product->out) * sizeof(float);
    g_autofree float *alone = multiply(product, 1, 1);
    for (guint i = 0; alone && i < G_N_ELEMENTS(numbers); i++)
        for (int threads = 1; threads <= MOST_THREADS; threads++) {
            g_autofree float *together = multiply(product, numbers[i], threads);
            g_assert_cmpint(memcmp(together, alone, bytes), ==, 0);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(products); i++) {
        g_autofree char *path = g_strdup_printf("/samples/independence/linear-%s", products[i].name);
        g_test_add_data_func(path, &products[i], test_product);
    }
    for (guint i = 0; i < G_N_ELEMENTS(odd_layers); i++) {
        g_autofree char *path = g_strdup_printf("/samples/independence/odd-%s", odd_layers[i].name);
        g_test_add_data_func(path, &odd_layers[i], test_odd_layer);
    }
    for (guint i = 0; i < G_N_ELEMENTS(manners); i++) {
        g_autofree char *agreement = g_strdup_printf("/samples/agreement/%s", manners[i].name);
        g_autofree char *independence = g_strdup_printf("/samples/independence/%s", manners[i].name);
        g_test_add_data_func(agreement, &manners[i], test_agreement);
        g_test_add_data_func(independence, &manners[i], test_independence);
    }
    return g_test_run();
}
