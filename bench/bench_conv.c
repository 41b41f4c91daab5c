/*
 * Every distinct convolution of ResNet-18 and some in groups, in their three directions, each kernel alone: billions of
 * multiply-adds counted as two per second, the best of many runs. Changes of the weights' layout are timed apart,
 * because a training step pays for them. Prints JSON.
 *
 *     bench_conv [THREADS [SECONDS_PER_KERNEL [f32|bf16 [IMAGE_SIZE [LAYERS]]]]]
 *
 * IMAGE_SIZE 0 is all of them; LAYERS: those whose names begin so.
 */
#include "backend/onednn/onednn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    const char *name;
    int in, out, kernel, stride, padding;
    int shrink; /* of the picture before this layer */
    int groups;
} Layer;

static const Layer resnet[] = {
    { "conv1", 3, 64, 7, 2, 3, 1, 1 },
    { "layer1", 64, 64, 3, 1, 1, 4, 1 },
    { "layer2.0.conv1", 64, 128, 3, 2, 1, 4, 1 },
    { "layer2.0.downsample", 64, 128, 1, 2, 0, 4, 1 },
    { "layer2", 128, 128, 3, 1, 1, 8, 1 },
    { "layer3.0.conv1", 128, 256, 3, 2, 1, 8, 1 },
    { "layer3.0.downsample", 128, 256, 1, 2, 0, 8, 1 },
    { "layer3", 256, 256, 3, 1, 1, 16, 1 },
    { "layer4.0.conv1", 256, 512, 3, 2, 1, 16, 1 },
    { "layer4.0.downsample", 256, 512, 1, 2, 0, 16, 1 },
    { "layer4", 512, 512, 3, 1, 1, 32, 1 },
};

/* Of MobileNetV3, EfficientNet and ConvNeXt, and a group convolution of ResNeXt. */
static const Layer depthwise[] = {
    { "depthwise 16x112 k3", 16, 16, 3, 1, 1, 2, 16 },     { "depthwise 64x112 k3 s2", 64, 64, 3, 2, 1, 2, 64 },
    { "depthwise 72x56 k5 s2", 72, 72, 5, 2, 2, 4, 72 },   { "depthwise 120x28 k5", 120, 120, 5, 1, 2, 8, 120 },
    { "depthwise 240x14 k3", 240, 240, 3, 1, 1, 16, 240 }, { "depthwise 672x7 k5", 672, 672, 5, 1, 2, 32, 672 },
    { "depthwise 96x56 k7", 96, 96, 7, 1, 3, 4, 96 },      { "groups 128x56 k3", 128, 128, 3, 1, 1, 4, 32 },
};

static const struct {
    int size, batch;
    const Layer *layers;
    gsize n_layers;
} pictures[] = {
    { 224, 32, resnet, G_N_ELEMENTS(resnet) },
    { 64, 128, resnet, G_N_ELEMENTS(resnet) },
    { 224, 32, depthwise, G_N_ELEMENTS(depthwise) },
};

static const struct {
    AimfOpKind op;
    const char *name;
} directions[] = {
    { AIMF_OP_CONV2D, "forward" },
    { AIMF_OP_CONV2D_BACKWARD_DATA, "backward_data" },
    { AIMF_OP_CONV2D_BACKWARD_WEIGHT, "backward_weight" },
};

typedef struct {
    const AimfBackend *backend;
    gpointer state;
    AimfPrecision precision;
    int threads;
    double seconds; /* to spend on each kernel */
    GPtrArray *memory;
} Bench;

/* With one thread its own processor time is read, which other programs on the machine disturb least. */
static double now(const Bench *bench)
{
    struct timespec time;
    clock_gettime(bench->threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Memory with plausible contents: small numbers in either type. */
static void *filled(Bench *bench, gsize bytes)
{
    void *memory = NULL;
    if (posix_memalign(&memory, 64, MAX(bytes, 64)) != 0)
        g_error("no memory");
    memset(memory, 0x3c, bytes);
    g_ptr_array_add(bench->memory, memory);
    return memory;
}

static void run(AimfKernel *kernel)
{
    g_autoptr(GError) error = NULL;
    if (!kernel->run(kernel, NULL, &error))
        g_error("%s", error->message);
}

/* The fastest of the runs that fit into the time, in seconds. */
static double fastest(const Bench *bench, AimfKernel *kernel, void *const *addresses)
{
    kernel->bind(kernel, addresses);
    run(kernel);
    double best = 1e9, end = now(bench) + bench->seconds;
    for (double start = now(bench); start < end; start = now(bench)) {
        run(kernel);
        best = MIN(best, now(bench) - start);
    }
    return best;
}

/* Seconds that changing from one layout to another takes; 0 if they are the same. */
static double reorder_seconds(Bench *bench, const AimfLayout *from, const AimfLayout *to, const AimfShape *shape)
{
    if (from->dtype == to->dtype && from->bytes == to->bytes && from->detail == to->detail)
        return 0;
    g_autoptr(GError) error = NULL;
    AimfKernel *kernel = bench->backend->plan_reorder(bench->state, from, to, shape, &error);
    if (!kernel)
        g_error("%s", error->message);
    double seconds = fastest(bench, kernel, (void *[]){ filled(bench, from->bytes), filled(bench, to->bytes) });
    kernel->free(kernel);
    return seconds;
}

/* The node of @op over values x, weight, y. */
static AimfNode node_of(AimfOpKind op, AimfValue x, AimfValue weight, AimfValue y, AimfConv2d options)
{
    /* A forward convolution has a bias as its third operand, not given here. */
    int n_inputs = op == AIMF_OP_CONV2D ? 3 : 2;
    AimfNode node = { .op = op, .n_inputs = n_inputs, .n_outputs = 1, .attributes.conv2d = options };
    const AimfValue operands[][3] = { { x, weight, y }, { y, weight, x }, { x, y, weight } };
    const AimfValue *mine = operands[op - AIMF_OP_CONV2D];
    node.inputs[0] = mine[0];
    node.inputs[1] = mine[1];
    node.outputs[0] = mine[2];
    return node;
}

static void measure(Bench *bench, const AimfGraph *graph, const AimfNode *node, const char *label, double flops)
{
    g_autoptr(GError) error = NULL;
    AimfNodePlan plan = { .graph = graph, .node = node, .precision = bench->precision };
    AimfDtype dtype = bench->precision == AIMF_PRECISION_BF16 ? AIMF_BF16 : AIMF_F32;
    gboolean is_dweight = node->op == AIMF_OP_CONV2D_BACKWARD_WEIGHT;
    for (int i = 0; i < 2; i++) /* a weight lies as parameters do */
        plan.in[i] =
            aimf_layout_row_major(aimf_value_shape(graph, node->inputs[i]), i == 1 && !is_dweight ? AIMF_F32 : dtype);
    AimfKernel *kernel = bench->backend->plan[node->op](bench->state, &plan, &error);
    if (!kernel)
        g_error("%s", error->message);
    void *addresses[AIMF_MAX_INPUTS + 2] = { filled(bench, plan.in[0].bytes), filled(bench, plan.in[1].bytes) };
    addresses[node->n_inputs] = filled(bench, plan.out[0].bytes);
    addresses[node->n_inputs + 1] = filled(bench, plan.scratch_bytes);
    double seconds = fastest(bench, kernel, addresses), reordering;
    const AimfShape *weight = aimf_value_shape(graph, is_dweight ? node->outputs[0] : node->inputs[1]);
    AimfLayout canonical = aimf_layout_row_major(weight, AIMF_F32);
    reordering = is_dweight ? reorder_seconds(bench, &plan.out[0], &canonical, weight)
                            : reorder_seconds(bench, &canonical, &plan.in[1], weight);
    printf("%s, \"implementation\": \"%s\", \"milliseconds\": %.3f, \"gflops\": %.1f, \"weight_reorder_milliseconds\": "
           "%.3f, \"scratch_mb\": %.2f}",
           label, kernel->implementation, seconds * 1e3, flops / seconds * 1e-9, reordering * 1e3,
           (double)plan.scratch_bytes * 1e-6);
    fflush(stdout);
    kernel->free(kernel);
    g_ptr_array_set_size(bench->memory, 0);
}

static void measure_layer(Bench *bench, const Layer *layer, int size, int batch, const char *separator)
{
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    AimfValue x =
        aimf_graph_input(graph, "x", AIMF_SHAPE(batch, layer->in, size / layer->shrink, size / layer->shrink));
    AimfConv2d options = aimf_conv2d_square(layer->stride, layer->padding);
    options.dilation[0] = options.dilation[1] = 1;
    options.groups = layer->groups;
    AimfValue weight = aimf_graph_parameter(
        graph, "weight", AIMF_SHAPE(layer->out, layer->in / options.groups, layer->kernel, layer->kernel));
    AimfValue y = aimf_conv2d(graph, x, weight, AIMF_NONE, options);
    AimfShape ys = aimf_graph_shape(graph, y), ws = aimf_graph_shape(graph, weight);
    double flops = 2.0 * (double)(ys.dim[0] * ys.dim[2] * ys.dim[3]) * (double)aimf_shape_count(&ws);
    for (gsize d = 0; d < G_N_ELEMENTS(directions); d++) {
        AimfNode node = node_of(directions[d].op, x, weight, y, options);
        g_autofree char *label = g_strdup_printf(
            "%s\n  {\"layer\": \"%s\", \"image_size\": %d, \"batch\": %d, \"precision\": \"%s\", \"direction\": \"%s\"",
            d || *separator ? "," : "", layer->name, size, batch,
            bench->precision == AIMF_PRECISION_BF16 ? "bf16" : "f32", directions[d].name);
        if (layer->in > 3 || node.op != AIMF_OP_CONV2D_BACKWARD_DATA) /* nobody wants the gradient of the picture */
            measure(bench, graph, &node, label, flops);
    }
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 0, only_size = argc > 4 ? atoi(argv[4]) : 0;
    const char *filter = argc > 5 ? argv[5] : NULL;
    double seconds = argc > 2 ? g_ascii_strtod(argv[2], NULL) : 0.1;
    aimf_set_threads(threads);
    g_autofree char *version = aimf_backend_onednn.version();
    printf("{\"backend\": \"%s\", \"threads\": %d, \"kernels\": [", version, threads);
    const char *separator = "";
    for (int precision = AIMF_PRECISION_F32; precision <= AIMF_PRECISION_BF16; precision++) {
        const char *name = precision == AIMF_PRECISION_BF16 ? "bf16" : "f32";
        Bench bench = { .backend = &aimf_backend_onednn,
                        .precision = (AimfPrecision)precision,
                        .threads = threads,
                        .seconds = seconds };
        if ((argc > 3 && strcmp(argv[3], name) != 0) || !(bench.state = bench.backend->open(bench.precision, NULL)))
            continue;
        bench.memory = g_ptr_array_new_with_free_func(free);
        for (gsize p = 0; p < G_N_ELEMENTS(pictures); p++)
            for (gsize i = 0; i < pictures[p].n_layers; i++) {
                const Layer *layer = &pictures[p].layers[i];
                if ((only_size && only_size != pictures[p].size) || (filter && !g_str_has_prefix(layer->name, filter)))
                    continue;
                measure_layer(&bench, layer, pictures[p].size, pictures[p].batch, separator);
                separator = ",";
            }
        g_ptr_array_unref(bench.memory);
        bench.backend->close(bench.state);
    }
    printf("\n]}\n");
    return 0;
}
