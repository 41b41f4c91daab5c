/*
 * Twenty steps of optimizers, clipping, averages, smoothed labels and frozen batch norm beside those of PyTorch and
 * timm in f64 (tests/golden/make_optimizers.py, which has the same cases); what an optimizer remembers, saved and
 * loaded; and that nothing depends on the device or the number of threads.
 */
#include "device/support_devices.h"
#include "graph/support_formula.h"
#include "graph/support_small_net.h"
#include "weights/support_weights.h"

#include <math.h>
#include <string.h>

enum { STEPS = 20, MAX_PARAMETERS = 6 };

/* @classes: of a linear layer whose loss has smoothed labels; 0: the small network; @exempt: (nullable) from decay */
typedef struct {
    const char *name;
    double rate;
    AimfOptimizer optimizer;
    gboolean frozen;
    int classes;
    const char *exempt;
} Run;

static const Run runs[] = {
    { "sgd_weights", 0.1, { .momentum = 0.9, .weight_decay = 0.1, .decay_weights_only = TRUE }, FALSE, 0, NULL },
    { "sgd_clip", 0.3, { .momentum = 0.9, .clip_norm = 0.125 }, FALSE, 0, NULL },
    { "sgd_average", 0.1, { .momentum = 0.9, .average = 0.75 }, FALSE, 0, NULL },
    { "sgd_frozen", 0.1, { .momentum = 0.9, .weight_decay = 0.01 }, TRUE, 0, NULL },
    { "adamw",
      0.01,
      { .kind = AIMF_OPTIMIZER_ADAMW, .weight_decay = 0.05, .betas = { 0.9, 0.999 }, .epsilon = 1e-8 },
      FALSE,
      0,
      NULL },
    { "adamw_all",
      0.02,
      { .kind = AIMF_OPTIMIZER_ADAMW,
        .weight_decay = 0.5,
        .decay_weights_only = TRUE,
        .betas = { 0.8, 0.95 },
        .epsilon = 1e-4,
        .clip_norm = 0.125,
        .average = 0.9 },
      FALSE,
      0,
      NULL },
    { "softmax", 0.5, { .momentum = 0.9 }, FALSE, 3, NULL },
    { "sigmoid", 0.5, { .momentum = 0.9 }, FALSE, 1, NULL },
    { "sgd_exempt",
      0.1,
      { .momentum = 0.9, .weight_decay = 0.1, .decay_weights_only = TRUE },
      FALSE,
      0,
      "conv2.weight" },
};

/* --- The networks --- */

static void add_drawn(SmallNet *net, const char *name, AimfShape shape)
{
    g_autoptr(GError) error = NULL;
    int index = aimf_tensors_add(net->tensors, name, AIMF_F32, &shape, NULL, &error);
    g_assert_no_error(error);
    float *data = aimf_tensors_writable(net->tensors, (guint)index);
    for (guint32 i = 0; i < aimf_shape_count(&shape); i++)
        data[i] = (float)formula_fine(formula_seed(name), i);
}

/* A linear layer, as a small network without all the rest. */
static void linear_init(SmallNet *net, int classes)
{
    const double smoothing = 0.1;
    *net = (SmallNet){ .graph = aimf_graph_new(), .tensors = aimf_tensors_new() };
    AimfGraph *graph = net->graph;
    add_drawn(net, "weight", AIMF_SHAPE(classes, 6));
    add_drawn(net, "bias", AIMF_SHAPE(classes));
    net->images = aimf_graph_input(graph, "x", AIMF_SHAPE(4, 6));
    net->targets = aimf_graph_input(graph, "targets", classes == 1 ? AIMF_SHAPE(4, 1) : AIMF_SHAPE(4));
    net->logits = aimf_linear(graph, net->images, aimf_graph_parameter(graph, "weight", AIMF_SHAPE(classes, 6)),
                              aimf_graph_parameter(graph, "bias", AIMF_SHAPE(classes)));
    net->loss = classes == 1 ? aimf_smooth_sigmoid_cross_entropy(graph, net->logits, net->targets, smoothing)
                             : aimf_smooth_softmax_cross_entropy(graph, net->logits, net->targets, smoothing);
}

static void net_init(SmallNet *net, const Run *run)
{
    if (run->classes)
        linear_init(net, run->classes);
    else if (run->frozen)
        small_net_init_frozen(net);
    else
        small_net_init(net);
    for (guint i = 0; run->exempt && i < aimf_graph_n_parameters(net->graph); i++) {
        AimfValue parameter = aimf_graph_parameter_at(net->graph, i);
        if (strcmp(aimf_graph_name(net->graph, parameter), run->exempt) == 0)
            aimf_graph_exempt_from_decay(net->graph, parameter);
    }
}

static void fill(AimfPlan *plan, const SmallNet *net, const Run *run)
{
    AimfShape shape = aimf_plan_shape(plan, net->images);
    gsize n = (gsize)aimf_shape_count(&shape);
    g_autofree float *images = g_new(float, n);
    for (guint32 i = 0; i < n; i++)
        images[i] = (float)formula_fine(formula_seed(run->classes ? "x" : "images"), i);
    support_write(plan, net->images, images);
    support_write(plan, net->targets,
                  run->classes == 1   ? (const float[]){ 0, 0, 1, 0 }
                  : run->classes == 3 ? (const float[]){ 0, 2, 1, 2 }
                                      : (const float[]){ 1, 0 });
}

/* (owned) Loaded and filled. */
static AimfPlan *compile(const SmallNet *net, const Run *run, const char *device, int threads)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfDevice) opened = support_device(device);
    AimfValue trainable[MAX_PARAMETERS];
    guint n = aimf_graph_n_parameters(net->graph);
    for (guint i = 0; i < n; i++)
        trainable[i] = aimf_graph_parameter_at(net->graph, i);
    AimfCompileOptions options = { .device = opened,
                                   .threads = threads,
                                   .outputs = &net->loss,
                                   .n_outputs = 1,
                                   .loss = net->loss,
                                   .trainable = trainable,
                                   .n_trainable = n,
                                   .optimizer = &run->optimizer };
    AimfPlan *plan = aimf_graph_compile(net->graph, &options, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, net->tensors, &error));
    g_assert_true(aimf_plan_set_learning_rate(plan, run->rate, &error));
    fill(plan, net, run);
    return plan;
}

/* --- Beside PyTorch --- */

static const double *golden_read(const AimfTensors *golden, const char *run, int step, const char *name)
{
    g_autofree char *key = g_strdup_printf("%s/%d/%s", run, step, name);
    int entry = aimf_tensors_find(golden, key);
    return entry < 0 ? NULL : aimf_tensors_data(golden, (guint)entry);
}

/* Of @found, relative to the size of what is expected or of where it came from, whichever is larger. */
static double error_of(const float *found, const double *expected, const float *start, gsize n)
{
    double difference = 0, size = 0, began = 0;
    for (gsize i = 0; i < n; i++) {
        difference += ((double)found[i] - expected[i]) * ((double)found[i] - expected[i]);
        size += expected[i] * expected[i];
        began += (double)start[i] * (double)start[i];
    }
    return sqrt(difference / MAX(size, began));
}

/*
 * Some ten roundings to 24 bits a step, 6e-8 each, and each carried on by the steps that follow: the largest error of
 * any run on any device is 8e-7.
 */
static const double TOLERANCE = 3e-6;

/* @found: with names that begin with @prefix, "" or "average/" */
static guint compare(const Run *run, const SmallNet *net, const AimfTensors *golden, int step, const char *prefix,
                     const AimfTensors *found)
{
    guint compared = 0;
    for (guint i = 0; i < aimf_tensors_count(net->tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(net->tensors, i);
        g_autofree char *name = g_strconcat(prefix, tensor->name, NULL);
        const double *expected = golden_read(golden, run->name, step, name);
        int entry = aimf_tensors_find(found, name);
        if (!expected)
            continue;
        g_assert_cmpint(entry, >=, 0);
        double off = error_of(aimf_tensors_data(found, (guint)entry), expected, aimf_tensors_data(net->tensors, i),
                              (gsize)aimf_shape_count(&tensor->shape));
        if (g_test_verbose())
            g_test_message("%s, step %d, %s: %.1e", run->name, step, name, off);
        g_assert_cmpfloat(off, <=, TOLERANCE);
        compared++;
    }
    return compared;
}

static void check_run(const Run *run, const char *device, const AimfTensors *golden)
{
    g_autoptr(GError) error = NULL;
    g_auto(SmallNet) net;
    net_init(&net, run);
    g_autoptr(AimfPlan) plan = compile(&net, run, device, 0);
    g_autofree char *key = g_strconcat(run->name, "/loss", NULL);
    const double *losses = aimf_tensors_data(golden, (guint)aimf_tensors_find(golden, key));
    guint compared = 0, averages = 0;
    for (int step = 1; step <= STEPS; step++) {
        g_assert_true(aimf_plan_run(plan, &error));
        double loss = (double)support_read_one(plan, net.loss);
        /* A small loss is the difference of logits that are rounded as the others are. */
        g_assert_cmpfloat(fabs(loss - losses[step - 1]), <=, TOLERANCE * MAX(losses[step - 1], 0.5));
        g_autoptr(AimfTensors) now = aimf_tensors_load(net.tensors, AIMF_F32, &error);
        g_autoptr(AimfTensors) state = aimf_plan_optimizer_state(plan, &error);
        g_assert_true(state && aimf_plan_save(plan, now, &error));
        compared += compare(run, &net, golden, step, "", now);
        averages += compare(run, &net, golden, step, "average/", state);
    }
    guint expected = 4 * aimf_tensors_count(net.tensors);
    g_assert_cmpuint(compared, ==, expected);
    g_assert_cmpuint(averages, ==, run->optimizer.average > 0 ? expected : 0);
}

static void test_torch(gconstpointer device)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) file = aimf_tensors_open(GOLDEN_DIR "/optimizers.safetensors", &error);
    g_autoptr(AimfTensors) golden = file ? aimf_tensors_load(file, AIMF_N_DTYPES, &error) : NULL;
    g_assert_no_error(error);
    for (gsize r = 0; r < G_N_ELEMENTS(runs); r++)
        check_run(&runs[r], device, golden);
}

/* --- What is remembered --- */

/* (owned) All that training changes, and what the optimizer remembers. */
static GByteArray *all_of(AimfPlan *plan, const SmallNet *net)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) now = aimf_tensors_load(net->tensors, AIMF_F32, &error);
    g_assert_true(aimf_plan_save(plan, now, &error));
    g_autoptr(AimfTensors) state = aimf_plan_optimizer_state(plan, &error);
    g_assert_no_error(error);
    GByteArray *bytes = g_byte_array_new();
    const AimfTensors *const sets[] = { now, state };
    for (int s = 0; s < 2; s++)
        for (guint i = 0; i < aimf_tensors_count(sets[s]); i++)
            g_byte_array_append(bytes, aimf_tensors_data(sets[s], i), (guint)aimf_tensors_at(sets[s], i)->bytes);
    return bytes;
}

static void run_steps(AimfPlan *plan, int n)
{
    g_autoptr(GError) error = NULL;
    for (int i = 0; i < n; i++)
        g_assert_true(aimf_plan_run(plan, &error));
}

static void assert_same(const GByteArray *a, const GByteArray *b)
{
    support_assert_same_bytes(a->data, a->len, b->data, b->len);
}

/* Three steps and four more by another plan are seven; a reset begins anew. */
static void test_continue(gconstpointer device)
{
    for (gsize r = 0; r < G_N_ELEMENTS(runs); r++) {
        g_autoptr(GError) error = NULL;
        g_auto(SmallNet) net;
        net_init(&net, &runs[r]);
        g_autoptr(AimfPlan) whole = compile(&net, &runs[r], device, 1);
        run_steps(whole, 7);
        g_autoptr(GByteArray) expected = all_of(whole, &net);

        g_autoptr(AimfPlan) first = compile(&net, &runs[r], device, 1), second = compile(&net, &runs[r], device, 1);
        run_steps(first, 3);
        g_autoptr(AimfTensors) weights = aimf_tensors_load(net.tensors, AIMF_F32, &error);
        g_assert_true(aimf_plan_save(first, weights, &error));
        g_autoptr(AimfTensors) state = aimf_plan_optimizer_state(first, &error);
        g_assert_true(aimf_plan_load(second, weights, &error) && aimf_plan_load_optimizer_state(second, state, &error));
        run_steps(second, 4);
        g_autoptr(GByteArray) found = all_of(second, &net);
        assert_same(expected, found);

        g_assert_true(aimf_plan_load(first, net.tensors, &error));
        run_steps(first, 7);
        g_autoptr(GByteArray) anew = all_of(first, &net);
        assert_same(expected, anew);
    }
}

static void test_names(gconstpointer device)
{
    static const char *const expected =
        "exp_avg/conv1.weight exp_avg/conv2.weight exp_avg/fc.weight exp_avg/bn1.weight exp_avg/bn1.bias "
        "exp_avg/fc.bias "
        "exp_avg_sq/conv1.weight exp_avg_sq/conv2.weight exp_avg_sq/fc.weight exp_avg_sq/bn1.weight "
        "exp_avg_sq/bn1.bias "
        "exp_avg_sq/fc.bias average/conv1.weight average/conv2.weight average/fc.weight average/bn1.weight "
        "average/bn1.bias average/fc.bias average/bn1.running_mean average/bn1.running_var step ";
    g_autoptr(GError) error = NULL;
    g_auto(SmallNet) net;
    small_net_init(&net);
    g_autoptr(AimfPlan) plan = compile(&net, &runs[5], device, 1);
    run_steps(plan, 3);
    g_autoptr(AimfTensors) state = aimf_plan_optimizer_state(plan, &error);
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; i < aimf_tensors_count(state); i++)
        g_string_append_printf(names, "%s ", aimf_tensors_at(state, i)->name);
    g_assert_cmpstr(names->str, ==, expected);
    int step = aimf_tensors_find(state, "step");
    g_assert_cmpfloat(*(const double *)aimf_tensors_data(state, (guint)step), ==, 3);
}

static void test_wrong_state(gconstpointer device)
{
    GError *error = NULL;
    g_auto(SmallNet) net;
    small_net_init(&net);
    g_autoptr(AimfPlan) plan = compile(&net, &runs[4], device, 1), other = compile(&net, &runs[0], device, 1);
    g_autoptr(AimfTensors) lying = aimf_plan_optimizer_state(plan, &error),
                           of_sgd = aimf_plan_optimizer_state(other, &error);
    g_autoptr(AimfTensors) state = aimf_tensors_load(lying, AIMF_N_DTYPES, &error);
    g_assert_no_error(error);
    g_assert_false(aimf_plan_load_optimizer_state(plan, of_sgd, &error));
    support_assert_error(&error, AIMF_ERROR_NOT_FOUND, "'exp_avg/conv1.weight' is missing");
    double *steps = aimf_tensors_writable(state, (guint)aimf_tensors_find(state, "step"));
    for (int wrong = 0; wrong < 3; wrong++) {
        *steps = wrong == 0 ? -1 : wrong == 1 ? (double)NAN : (double)INFINITY;
        g_assert_false(aimf_plan_load_optimizer_state(plan, state, &error));
        support_assert_error(&error, AIMF_ERROR_INVALID, "number of steps");
    }
}

/* A norm that is not finite makes every weight not a number, as in PyTorch; nothing hides it. */
static void test_endless_norm(gconstpointer device)
{
    g_autoptr(GError) error = NULL;
    g_auto(SmallNet) net;
    const Run run = { "endless", runs[1].rate, runs[1].optimizer, FALSE, 1, NULL };
    net_init(&net, &run);
    g_autoptr(AimfPlan) plan = compile(&net, &run, device, 1);
    const float endless = INFINITY;
    g_assert_true(aimf_plan_write(plan, net.images, 5, 1, &endless, &error) && aimf_plan_run(plan, &error));
    g_autoptr(AimfTensors) now = aimf_tensors_load(net.tensors, AIMF_F32, &error);
    g_assert_true(aimf_plan_save(plan, now, &error));
    const float *weight = aimf_tensors_data(now, 0);
    g_assert_true(isnan(weight[5]));
}

/* --- Devices and threads --- */

static void test_devices(void)
{
    for (gsize r = 0; r < G_N_ELEMENTS(runs); r++) {
        g_auto(SmallNet) net;
        net_init(&net, &runs[r]);
        g_autoptr(AimfPlan) here = compile(&net, &runs[r], "cpu", 2), there = compile(&net, &runs[r], "mirror", 2);
        run_steps(here, 5);
        run_steps(there, 5);
        g_autoptr(GByteArray) expected = all_of(here, &net), found = all_of(there, &net);
        assert_same(expected, found);
    }
}

/* (owned) What the optimizer remembers after three steps of a layer large enough for several threads. */
static GByteArray *remembered_by(int threads)
{
    enum { INPUTS = 50000 };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    AimfValue weight = aimf_graph_parameter(graph, "weight", AIMF_SHAPE(1, INPUTS));
    AimfValue given = aimf_graph_input(graph, "gradient", AIMF_SHAPE(1, INPUTS));
    aimf_tensors_add(tensors, "weight", AIMF_F32, &AIMF_SHAPE(1, INPUTS), NULL, &error);
    AimfCompileOptions options = { .threads = threads,
                                   .loss = weight,
                                   .loss_gradient = given,
                                   .trainable = &weight,
                                   .n_trainable = 1,
                                   .optimizer = &runs[5].optimizer };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, tensors, &error) && aimf_plan_set_learning_rate(plan, 0.1, &error));
    g_autofree float *gradient = g_new(float, INPUTS);
    for (guint32 i = 0; i < INPUTS; i++)
        gradient[i] = (float)formula_fine(1, i);
    support_write(plan, given, gradient);
    run_steps(plan, 3);
    g_autoptr(AimfTensors) state = aimf_plan_optimizer_state(plan, &error);
    GByteArray *bytes = g_byte_array_new();
    for (guint i = 0; i < aimf_tensors_count(state); i++)
        g_byte_array_append(bytes, aimf_tensors_data(state, i), (guint)aimf_tensors_at(state, i)->bytes);
    return bytes;
}

/* The optimizer itself adds up in an order that knows no threads. */
static void test_threads(void)
{
    g_autoptr(GByteArray) one = remembered_by(1), three = remembered_by(3);
    g_assert_cmpuint(one->len, >, 3 * 50000 * sizeof(float));
    assert_same(one, three);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    static const struct {
        const char *name;
        GTestDataFunc function;
    } tests[] = {
        { "torch", test_torch },
        { "continue", test_continue },
        { "names", test_names },
        { "wrong-state", test_wrong_state },
        { "endless-norm", test_endless_norm },
    };
    for (const char *const *device = support_devices(); *device; device++)
        for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
            g_autofree char *path = g_strdup_printf("/optimizers/%s/%s", *device, tests[i].name);
            g_test_add_data_func(path, *device, tests[i].function);
        }
    g_test_add_func("/optimizers/devices", test_devices);
    g_test_add_func("/optimizers/threads", test_threads);
    return g_test_run();
}
