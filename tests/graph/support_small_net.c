#include "graph/support_small_net.h"
#include "device/support_devices.h"
#include "graph/support_formula.h"

/* Adds the tensor of a leaf: around @offset, within +-@range. */
static void add_tensor(SmallNet *net, const char *name, AimfShape shape, double range, double offset)
{
    g_autoptr(GError) error = NULL;
    int index = aimf_tensors_add(net->tensors, name, AIMF_F32, &shape, NULL, &error);
    g_assert_no_error(error);
    float *data = aimf_tensors_writable(net->tensors, (guint)index);
    for (guint32 i = 0; i < aimf_shape_count(&shape); i++)
        data[i] = (float)(formula_fine(formula_seed(name), i) * range + offset);
}

static AimfValue parameter(SmallNet *net, const char *name, AimfShape shape, double range, double offset)
{
    add_tensor(net, name, shape, range, offset);
    return aimf_graph_parameter(net->graph, name, shape);
}

static AimfValue state(SmallNet *net, const char *name, AimfShape shape, double range, double offset)
{
    add_tensor(net, name, shape, range, offset);
    return aimf_graph_state(net->graph, name, shape);
}

static void init(SmallNet *net, gboolean training)
{
    *net = (SmallNet){ .graph = aimf_graph_new(), .tensors = aimf_tensors_new() };
    AimfGraph *graph = net->graph;
    net->images = aimf_graph_input(graph, "images", AIMF_SHAPE(2, 3, 8, 8));
    net->targets = aimf_graph_input(graph, "targets", AIMF_SHAPE(2, 1));

    net->conv1 = parameter(net, "conv1.weight", AIMF_SHAPE(4, 3, 3, 3), 0.5, 0);
    AimfValue x = aimf_conv2d(graph, net->images, net->conv1, AIMF_NONE, aimf_conv2d_square(1, 1));
    net->bn1_weight = parameter(net, "bn1.weight", AIMF_SHAPE(4), 0.5, 1);
    net->bn1_bias = parameter(net, "bn1.bias", AIMF_SHAPE(4), 0.5, 0);
    AimfValue mean = state(net, "bn1.running_mean", AIMF_SHAPE(4), 0.5, 0);
    AimfValue variance = state(net, "bn1.running_var", AIMF_SHAPE(4), 0.5, 1);
    AimfBatchNorm options = { .training = training, .relu = TRUE };
    x = aimf_batch_norm(graph, x, net->bn1_weight, net->bn1_bias, mean, variance, options);
    net->conv2 = parameter(net, "conv2.weight", AIMF_SHAPE(5, 4, 3, 3), 0.5, 0);
    x = aimf_conv2d(graph, x, net->conv2, AIMF_NONE, aimf_conv2d_square(2, 1));
    x = aimf_global_average_pool(graph, x);
    net->fc_weight = parameter(net, "fc.weight", AIMF_SHAPE(1, 5), 1, 0);
    net->fc_bias = parameter(net, "fc.bias", AIMF_SHAPE(1), 1, 0);
    net->logits = aimf_linear(graph, x, net->fc_weight, net->fc_bias);
    net->loss = aimf_sigmoid_cross_entropy(graph, net->logits, net->targets);
}

void small_net_init(SmallNet *net)
{
    init(net, TRUE);
}

void small_net_init_frozen(SmallNet *net)
{
    init(net, FALSE);
}

void small_net_clear(SmallNet *net)
{
    aimf_graph_free(net->graph);
    aimf_tensors_free(net->tensors);
}

AimfPlan *small_net_compile(const SmallNet *net, const char *device, const AimfValue *trainable, guint n,
                            const AimfOptimizer *sgd)
{
    g_autoptr(GError) error = NULL;
    AimfValue outputs[] = { net->logits, net->loss };
    g_autoptr(AimfDevice) opened = support_device(device);
    AimfCompileOptions options = { .device = opened,
                                   .outputs = outputs,
                                   .n_outputs = 2,
                                   .loss = n ? net->loss : AIMF_NONE,
                                   .trainable = trainable,
                                   .n_trainable = n,
                                   .optimizer = sgd };
    AimfPlan *plan = aimf_graph_compile(net->graph, &options, &error);
    g_assert_no_error(error);
    aimf_plan_load(plan, net->tensors, &error);
    g_assert_no_error(error);
    float images[2 * 3 * 8 * 8];
    for (guint32 i = 0; i < 2 * 3 * 8 * 8; i++)
        images[i] = (float)formula_fine(formula_seed("images"), i);
    support_write(plan, net->images, images);
    support_write(plan, net->targets, (const float[]){ 1, 0 });
    return plan;
}

const float *small_net_read(const AimfTensors *tensors, const char *name, gsize *n)
{
    int index = aimf_tensors_find(tensors, name);
    g_assert_cmpint(index, >=, 0);
    *n = aimf_tensors_at(tensors, (guint)index)->bytes / sizeof(float);
    return aimf_tensors_data(tensors, (guint)index);
}
