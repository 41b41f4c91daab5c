/*
 * The engine as a whole: what trainability costs, running statistics, the optimizer, loading, repeatability.
 */
#include "device/support_devices.h"
#include "graph/support_formula.h"
#include "graph/support_small_net.h"

#include <math.h>
#include <string.h>

/* --- What trainability costs --- */

/* Multiply-adds count twice: conv1 (2,4,8,8) from 3x3x3, conv2 (2,5,4,4) from 4x3x3, fc (2,1) from 5. */
enum { CONV1 = 2 * 2 * 4 * 8 * 8 * 27, CONV2 = 2 * 2 * 5 * 4 * 4 * 36, FC = 2 * 2 * 5 };

typedef struct {
    AimfValue trainable[6];
    guint n;
    double backward;
    gboolean data_gradients; /* of a convolution */
} Cost;

static void test_cost(gconstpointer data)
{
    const char *device = data;
    g_auto(SmallNet) net;
    small_net_init(&net);
    const Cost costs[] = {
        { { 0 }, 0, 0, FALSE },
        { { net.fc_weight, net.fc_bias }, 2, FC, FALSE },
        { { net.fc_bias }, 1, 0, FALSE },
        { { net.conv2 }, 1, FC + CONV2, FALSE },
        { { net.bn1_bias }, 1, FC + CONV2, TRUE },
        { { net.conv1 }, 1, FC + CONV2 + CONV1, TRUE },
        { { net.conv1, net.bn1_weight, net.bn1_bias, net.conv2, net.fc_weight, net.fc_bias },
          6,
          2 * FC + 2 * CONV2 + CONV1,
          TRUE },
    };
    for (guint i = 0; i < G_N_ELEMENTS(costs); i++) {
        g_autoptr(AimfPlan) plan = small_net_compile(&net, device, costs[i].trainable, costs[i].n, NULL);
        AimfPlanSummary summary = aimf_plan_summary(plan);
        g_assert_cmpfloat(summary.flops_forward, ==, CONV1 + CONV2 + FC);
        g_assert_cmpfloat(summary.flops, ==, CONV1 + CONV2 + FC + costs[i].backward);
        g_autofree char *text = aimf_plan_describe(plan);
        g_assert_cmpint(strstr(text, "conv2d_backward_data") != NULL, ==, costs[i].data_gradients);
        for (guint k = 0; k < aimf_graph_n_parameters(net.graph); k++) {
            AimfValue parameter = aimf_graph_parameter_at(net.graph, k);
            gboolean trainable = FALSE;
            for (guint t = 0; t < costs[i].n; t++)
                trainable |= costs[i].trainable[t] == parameter;
            g_assert_cmpint(aimf_plan_gradient(plan, parameter) != AIMF_NONE, ==, trainable);
        }
    }
}

/*
 * What operations that only go forward multiply, counted by hand: two floating-point operations for each multiply-add.
 */
static void test_forward_cost(gconstpointer data)
{
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    AimfValue x = aimf_graph_input(graph, "x", AIMF_SHAPE(2, 3, 5, 4));
    AimfValue tokens = aimf_graph_input(graph, "tokens", AIMF_SHAPE(2, 7, 6));
    AimfValue context = aimf_graph_input(graph, "context", AIMF_SHAPE(2, 9, 6));
    AimfValue taps = aimf_graph_parameter(graph, "taps", AIMF_SHAPE(8, 3, 3, 3));
    AimfValue depthwise = aimf_graph_parameter(graph, "depthwise", AIMF_SHAPE(6, 1, 3, 3));
    AimfValue matrix = aimf_graph_parameter(graph, "matrix", AIMF_SHAPE(5, 6));
    AimfAttention heads = { .heads = 2 }, causal = { .heads = 2, .causal = TRUE };
    const struct {
        AimfValue output;
        double multiply_adds;
    } costs[] = {
        { aimf_upsample_conv2d(graph, x, taps, AIMF_NONE), 2 * 8 * (10 * 8) * (3 * 4) },
        { aimf_conv2d(graph, x, depthwise, AIMF_NONE, (AimfConv2d){ .groups = 3 }), 2 * 6 * (3 * 2) * 9 },
        { aimf_linear(graph, tokens, matrix, AIMF_NONE), 2 * 7 * 6 * 5 },
        { aimf_attention(graph, tokens, context, context, heads), 2 * (7 * 9) * 6 * 2 },
        { aimf_attention(graph, tokens, tokens, tokens, causal), 2 * (7 * 8 / 2) * 6 * 2 },
        { aimf_concat(graph, (AimfValue[]){ x, aimf_silu(graph, x) }, 2, 1), 0 },
        { aimf_matmul(graph, tokens, context, (AimfMatmul){ .transpose_b = TRUE }), 2 * (7 * 9) * 6 },
    };
    for (guint i = 0; i < G_N_ELEMENTS(costs); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfDevice) opened = support_device(data);
        AimfCompileOptions options = { .device = opened, .outputs = &costs[i].output, .n_outputs = 1 };
        g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
        g_assert_no_error(error);
        g_assert_cmpfloat(aimf_plan_summary(plan).flops, ==, 2 * costs[i].multiply_adds);
    }
}

/* --- Running statistics, the optimizer --- */

static void test_frozen(gconstpointer data)
{
    const char *device = data;
    g_auto(SmallNet) net;
    small_net_init(&net);
    AimfOptimizer sgd = { .momentum = 0.9, .weight_decay = 0.1 };
    AimfValue last[] = { net.fc_weight, net.fc_bias };
    AimfValue all[] = { net.conv1, net.bn1_weight, net.bn1_bias, net.conv2, net.fc_weight, net.fc_bias };
    g_autoptr(AimfPlan) plan = small_net_compile(&net, device, last, 2, &sgd);
    g_autoptr(AimfPlan) full = small_net_compile(&net, device, all, 6, NULL);
    g_assert_true(aimf_plan_set_learning_rate(plan, 0.1, NULL));
    g_autoptr(GError) error = NULL;
    g_assert_true(aimf_plan_run(plan, &error) && aimf_plan_run(full, &error));
    g_autoptr(AimfTensors) after = aimf_tensors_load(net.tensors, AIMF_F32, &error);
    g_autoptr(AimfTensors) expected = aimf_tensors_load(net.tensors, AIMF_F32, &error);
    g_assert_true(aimf_plan_save(plan, after, &error) && aimf_plan_save(full, expected, &error));
    for (guint i = 0; i < aimf_tensors_count(net.tensors); i++) {
        gsize n;
        const char *name = aimf_tensors_at(net.tensors, i)->name;
        const float *before = small_net_read(net.tensors, name, &n), *now = small_net_read(after, name, &n);
        gboolean changed = memcmp(before, now, n * sizeof(float)) != 0;
        gboolean is_state = strstr(name, "running") != NULL;
        g_assert_cmpint(changed, ==, is_state || g_str_has_prefix(name, "fc."));
        if (is_state)
            g_assert_true(memcmp(now, small_net_read(expected, name, &n), n * sizeof(float)) == 0);
    }
}

static double norm(const float *data, gsize n)
{
    double squares = 0;
    for (gsize i = 0; i < n; i++)
        squares += (double)data[i] * (double)data[i];
    return sqrt(squares);
}

/* Compares the plan's parameters and momenta with PyTorch's in f64 after @step steps. */
static void compare_with_torch(AimfPlan *plan, const SmallNet *net, const AimfTensors *golden, int step)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) now = aimf_tensors_load(net->tensors, AIMF_F32, &error);
    g_assert_true(aimf_plan_save(plan, now, &error));
    gsize n;
    g_autoptr(AimfTensors) momenta = aimf_plan_optimizer_state(plan, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < aimf_graph_n_parameters(net->graph); i++) {
        AimfValue parameter = aimf_graph_parameter_at(net->graph, i);
        const char *name = aimf_graph_name(net->graph, parameter);
        g_autofree char *value_name = g_strdup_printf("%d/%s", step, name);
        g_autofree char *momentum_name = g_strdup_printf("%d/momentum/%s", step, name);
        const float *expected = small_net_read(golden, value_name, &n);
        /*
         * Inputs, weights and batch norm are rounded to 24 bits at every step: 1e-6 is some ten roundings, of numbers
         * as large as those that it began with or ended at. fc.bias crosses zero on its way from one to the other.
         */
        const float *found = small_net_read(now, name, &n), *start = small_net_read(net->tensors, name, &n);
        double scale = MAX(1, norm(start, n) / norm(expected, n));
        g_assert_cmpfloat(relative_error(found, expected, n), <=, 1e-6 * scale);
        g_autofree char *state_name = g_strconcat("momentum/", name, NULL);
        const float *momentum = small_net_read(momenta, state_name, &n);
        g_assert_cmpfloat(relative_error(momentum, small_net_read(golden, momentum_name, &n), n), <=, 1e-5);
    }
}

static void test_sgd(gconstpointer data)
{
    static const double learning_rates[] = { 0.5, 0.5, 0.5, 0.05, 0.05 }; /* as in tests/golden/make_ops.py */
    g_auto(SmallNet) net;
    small_net_init(&net);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) file = aimf_tensors_open(GOLDEN_DIR "/sgd.safetensors", &error);
    g_assert_no_error(error);
    g_autoptr(AimfTensors) golden = aimf_tensors_load(file, AIMF_F32, &error);
    g_assert_no_error(error);
    AimfOptimizer sgd = { .momentum = 0.9, .weight_decay = 0.05 };
    AimfValue all[] = { net.conv1, net.bn1_weight, net.bn1_bias, net.conv2, net.fc_weight, net.fc_bias };
    g_autoptr(AimfPlan) plan = small_net_compile(&net, data, all, 6, &sgd);
    for (int step = 0; step < (int)G_N_ELEMENTS(learning_rates); step++) {
        g_assert_true(aimf_plan_set_learning_rate(plan, learning_rates[step], &error));
        g_assert_true(aimf_plan_run(plan, &error));
        gsize n;
        g_autofree char *name = g_strdup_printf("%d/loss", step + 1);
        g_assert_cmpfloat(
            relative_error((const float[]){ support_read_one(plan, net.loss) }, small_net_read(golden, name, &n), 1),
            <=, 1e-5);
        compare_with_torch(plan, &net, golden, step + 1);
    }
}

/* --- Loading, repeatability --- */

static void test_load_refuses(gconstpointer data)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    AimfValue all[] = { net.conv1, net.fc_weight };
    g_autoptr(AimfPlan) plan = small_net_compile(&net, data, all, 2, NULL);
    for (guint wrong = 0; wrong < aimf_tensors_count(net.tensors); wrong++)
        for (int missing = 0; missing < 2; missing++) {
            g_autoptr(AimfTensors) tensors = aimf_tensors_new();
            g_autoptr(GError) error = NULL;
            const char *name = aimf_tensors_at(net.tensors, wrong)->name;
            for (guint i = 0; i < aimf_tensors_count(net.tensors); i++) {
                const AimfTensor *tensor = aimf_tensors_at(net.tensors, i);
                AimfShape shape = tensor->shape;
                if (i == wrong && missing)
                    continue;
                shape.dim[0] += i == wrong;
                aimf_tensors_add(tensors, tensor->name, AIMF_F32, &shape, NULL, &error);
                g_assert_no_error(error);
            }
            g_assert_false(aimf_plan_load(plan, tensors, &error));
            g_assert_error(error, AIMF_ERROR, missing ? AIMF_ERROR_NOT_FOUND : AIMF_ERROR_INVALID);
            g_assert_nonnull(strstr(error->message, name));
        }
}

/* What a file stores as another type is the same model, also where only a packed form of it is kept. */
static void test_load_other_type(gconstpointer data)
{
    g_auto(SmallNet) net;
    g_autoptr(GError) error = NULL;
    small_net_init(&net);
    g_autoptr(AimfPlan) plan = small_net_compile(&net, data, NULL, 0, NULL);
    g_assert_true(aimf_plan_run(plan, &error));
    float expected = support_read_one(plan, net.loss);
    g_autoptr(AimfTensors) zero = aimf_tensors_load(net.tensors, AIMF_F32, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < aimf_tensors_count(zero); i++)
        memset(aimf_tensors_writable(zero, i), 0, aimf_tensors_at(zero, i)->bytes);
    g_assert_true(aimf_plan_load(plan, zero, &error));
    g_assert_true(aimf_plan_run(plan, &error));
    g_assert_cmpfloat(support_read_one(plan, net.loss), !=, expected);
    g_autoptr(AimfTensors) wide = aimf_tensors_load(net.tensors, AIMF_F64, &error);
    g_assert_no_error(error);
    g_assert_cmpint(aimf_tensors_at(wide, 0)->dtype, ==, AIMF_F64);
    g_assert_true(aimf_plan_load(plan, wide, &error));
    g_assert_true(aimf_plan_run(plan, &error));
    g_assert_cmpfloat(support_read_one(plan, net.loss), ==, expected);
}

/* Loads, trains @n steps, and returns all that came of it. */
static GByteArray *train(AimfPlan *plan, const SmallNet *net, int n)
{
    g_autoptr(GError) error = NULL;
    GByteArray *bytes = g_byte_array_new();
    g_assert_true(aimf_plan_load(plan, net->tensors, &error));
    for (int i = 0; i < n; i++)
        g_assert_true(aimf_plan_run(plan, &error));
    gsize n_gradients;
    g_autofree float *gradients = support_read_gradients(plan, net->graph, &n_gradients);
    float loss = support_read_one(plan, net->loss);
    g_byte_array_append(bytes, (const guint8 *)gradients, (guint)(n_gradients * sizeof(float)));
    g_byte_array_append(bytes, (const guint8 *)&loss, sizeof loss);
    g_autoptr(AimfTensors) now = aimf_tensors_load(net->tensors, AIMF_F32, &error);
    g_assert_true(aimf_plan_save(plan, now, &error));
    for (guint i = 0; i < aimf_tensors_count(now); i++)
        g_byte_array_append(bytes, aimf_tensors_data(now, i), (guint)aimf_tensors_at(now, i)->bytes);
    return bytes;
}

static void test_repeats(gconstpointer data)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    AimfOptimizer sgd = { .momentum = 0.9 };
    AimfValue all[] = { net.conv1, net.bn1_weight, net.bn1_bias, net.conv2, net.fc_weight, net.fc_bias };
    g_autoptr(AimfPlan) plan = small_net_compile(&net, data, all, 6, &sgd);
    g_autoptr(AimfPlan) another = small_net_compile(&net, data, all, 6, &sgd);
    g_assert_true(aimf_plan_set_learning_rate(plan, 0.1, NULL));
    g_assert_true(aimf_plan_set_learning_rate(another, 0.1, NULL));
    g_autoptr(GByteArray) first = train(plan, &net, 3), again = train(plan, &net, 3);
    g_autoptr(GByteArray) elsewhere = train(another, &net, 3), longer = train(plan, &net, 4);
    g_assert_true(memcmp(first->data, again->data, first->len) == 0);
    g_assert_true(memcmp(first->data, elsewhere->data, first->len) == 0);
    g_assert_false(memcmp(first->data, longer->data, first->len) == 0);
}

/* --- What moves --- */

/* How many of a plan's steps are @op and say @says. */
static guint count_steps(const char *text, const char *op, const char *says)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *name = g_strdup_printf("  %s ", op);
    guint n = 0;
    for (char **line = lines; *line; line++)
        n += strstr(*line, name) && strstr(*line, says) ? 1 : 0;
    return n;
}

/*
 * Channels joined between convolutions, as in DenseNet, stay in blocks forward and backward, and a row-major value that
 * is not needed any more gets its new shape where it lies.
 */
static void test_stays_where_it_lies(gconstpointer data)
{
    if (g_str_equal(data, "reference")) /* which has no other layouts */
        return;
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    AimfValue image = aimf_graph_input(graph, "image", AIMF_SHAPE(2, 3, 12, 12));
    AimfValue weights[] = {
        aimf_graph_parameter(graph, "first", AIMF_SHAPE(64, 3, 3, 3)),
        aimf_graph_parameter(graph, "second", AIMF_SHAPE(32, 64, 3, 3)),
        aimf_graph_parameter(graph, "third", AIMF_SHAPE(16, 96, 3, 3)),
        aimf_graph_parameter(graph, "last", AIMF_SHAPE(1, 100)),
    };
    AimfValue x = aimf_conv2d(graph, image, weights[0], AIMF_NONE, (AimfConv2d){ 0 });
    AimfValue y = aimf_conv2d(graph, aimf_relu(graph, x), weights[1], AIMF_NONE,
                              (AimfConv2d){ .before = { 1, 1 }, .after = { 1, 1 } });
    y = aimf_concat(graph, (AimfValue[]){ x, aimf_relu(graph, y) }, 2, 1);
    y = aimf_conv2d(graph, aimf_relu(graph, y), weights[2], AIMF_NONE,
                    (AimfConv2d){ .before = { 1, 1 }, .after = { 1, 1 } });
    y = aimf_slice(graph, aimf_tokens(graph, y), -1, 0, 1);
    y = aimf_linear(graph, aimf_reshape(graph, y, AIMF_SHAPE(2, 100)), weights[3], AIMF_NONE);
    AimfValue loss = aimf_sigmoid_cross_entropy(graph, y, aimf_graph_input(graph, "targets", AIMF_SHAPE(2, 1)));
    g_autoptr(AimfDevice) opened = support_device(data);
    g_autoptr(GError) error = NULL;
    AimfCompileOptions options = { .device = opened,
                                   .outputs = &loss,
                                   .n_outputs = 1,
                                   .loss = loss,
                                   .trainable = weights,
                                   .n_trainable = G_N_ELEMENTS(weights) };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
    g_assert_no_error(error);
    g_autofree char *text = aimf_plan_describe(plan);
    g_assert_cmpuint(count_steps(text, "concat", "aBcd"), ==, 1);
    g_assert_cmpuint(count_steps(text, "slice", ""), ==, 3);
    g_assert_cmpuint(count_steps(text, "slice", "aBcd"), ==, 2); /* the third cuts tokens */
    g_assert_cmpuint(count_steps(text, "reshape", "="), ==, 2);  /* memory taken over */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    static const struct {
        const char *name;
        GTestDataFunc function;
    } tests[] = {
        { "cost", test_cost },
        { "forward_cost", test_forward_cost },
        { "frozen", test_frozen },
        { "sgd", test_sgd },
        { "load_refuses", test_load_refuses },
        { "load_other_type", test_load_other_type },
        { "repeats", test_repeats },
        { "stays_where_it_lies", test_stays_where_it_lies },
    };
    for (const char *const *device = support_devices(); *device; device++)
        for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
            g_autofree char *path = g_strdup_printf("/graph/%s/%s", *device, tests[i].name);
            g_test_add_data_func(path, *device, tests[i].function);
        }
    return g_test_run();
}
