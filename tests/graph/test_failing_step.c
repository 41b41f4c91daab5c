/* A kernel that cannot compute is an error that names its step, and nothing is lost by it. */
#include "graph/plan.h"

#include "device/support_devices.h"
#include "graph/support_formula.h"
#include "graph/support_small_net.h"
#include "weights/support_weights.h"

static gboolean fail(AimfKernel *kernel, AimfStream *stream, GError **error)
{
    (void)stream, (void)kernel;
    g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no room");
    return FALSE;
}

static AimfPlan *compile_training(const SmallNet *net, const char *device)
{
    AimfOptimizer sgd = { .momentum = 0.9, .weight_decay = 0.1 };
    AimfValue all[] = { net->conv1, net->bn1_weight, net->bn1_bias, net->conv2, net->fc_weight, net->fc_bias };
    AimfPlan *plan = small_net_compile(net, device, all, 6, &sgd);
    g_assert_true(aimf_plan_set_learning_rate(plan, 0.1, NULL));
    return plan;
}

static void append_trained(GByteArray *bytes, const AimfTensors *tensors)
{
    for (guint i = 0; i < aimf_tensors_count(tensors); i++)
        if (!strstr(aimf_tensors_at(tensors, i)->name, "running_"))
            g_byte_array_append(bytes, aimf_tensors_data(tensors, i), (guint)aimf_tensors_at(tensors, i)->bytes);
}

/* (owned) What the optimizer changes. */
static GByteArray *trained(AimfPlan *plan, const SmallNet *net)
{
    g_autoptr(GError) error = NULL;
    GByteArray *bytes = g_byte_array_new();
    g_autoptr(AimfTensors) parameters = aimf_tensors_load(net->tensors, AIMF_F32, &error);
    g_autoptr(AimfTensors) momenta = aimf_plan_optimizer_state(plan, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_plan_save(plan, parameters, &error));
    append_trained(bytes, parameters);
    append_trained(bytes, momenta);
    return bytes;
}

/* (owned) All that comes of a run. */
static GByteArray *run(AimfPlan *plan, const SmallNet *net)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(aimf_plan_run(plan, &error));
    g_assert_no_error(error);
    GByteArray *bytes = trained(plan, net);
    gsize n;
    g_autofree float *gradients = support_read_gradients(plan, net->graph, &n);
    float loss = support_read_one(plan, net->loss);
    g_byte_array_append(bytes, (const guint8 *)gradients, (guint)(n * sizeof(float)));
    g_byte_array_append(bytes, (const guint8 *)&loss, sizeof loss);
    return bytes;
}

static void assert_same(const GByteArray *a, const GByteArray *b)
{
    support_assert_same_bytes(a->data, a->len, b->data, b->len);
}

static void assert_run_fails(AimfPlan *plan, guint at)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *message = g_strdup_printf("step %u, %s: no room", at, aimf_step_name(plan, aimf_step(plan, at)));
    g_assert_false(aimf_plan_run(plan, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY);
    g_assert_cmpstr(error->message, ==, message);
    g_clear_error(&error);
    if (aimf_step_changes_weights(plan, aimf_step(plan, at)))
        return;
    g_assert_null(aimf_plan_profile(plan, &error));
    g_assert_cmpstr(error->message, ==, message);
}

static void test_step(gconstpointer data)
{
    g_auto(SmallNet) net;
    small_net_init(&net);
    g_autoptr(AimfPlan) undisturbed = compile_training(&net, data);
    g_autoptr(GByteArray) expected = run(undisturbed, &net);
    g_autoptr(AimfPlan) plan = compile_training(&net, data);
    const guint at[] = { 0, plan->steps->len / 2, plan->steps->len - 1 };
    for (guint i = 0; i < G_N_ELEMENTS(at); i++) {
        g_autoptr(GError) error = NULL;
        AimfKernel *kernel = aimf_step(plan, at[i])->kernel, working = *kernel;
        g_assert_true(aimf_plan_load(plan, net.tensors, &error));
        g_autoptr(GByteArray) before = trained(plan, &net);
        kernel->run = fail;
        assert_run_fails(plan, at[i]);
        g_autoptr(GByteArray) after = trained(plan, &net);
        assert_same(after, before);
        kernel->run = working.run;
        g_autoptr(GByteArray) again = run(plan, &net);
        assert_same(again, expected);
    }
}

static void assert_load_fails(AimfPlan *plan, const AimfTensors *tensors, guint at)
{
    g_autoptr(GError) error = NULL;
    const AimfStep *step = &g_array_index(plan->packs, AimfStep, at);
    AimfValue value = aimf_buffer(plan, step->operands[0])->value;
    g_autofree char *message = g_strdup_printf("packing the tensor '%s', %s: no room",
                                               aimf_graph_name(plan->graph, value), aimf_step_name(plan, step));
    g_assert_false(aimf_plan_load(plan, tensors, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY);
    g_assert_cmpstr(error->message, ==, message);
}

static AimfValue parameter(AimfGraph *graph, AimfTensors *tensors, const char *name, AimfShape shape)
{
    g_autoptr(GError) error = NULL;
    int entry = aimf_tensors_add(tensors, name, AIMF_F32, &shape, NULL, &error);
    g_assert_no_error(error);
    float *to = aimf_tensors_writable(tensors, (guint)entry);
    for (gint64 i = 0; i < aimf_shape_count(&shape); i++)
        to[i] = (float)formula_fine(formula_seed(name), (guint32)i);
    return aimf_graph_parameter(graph, name, shape);
}

/* Frozen weights are packed once, when they are loaded. Which ones depends on the processor, but some always are. */
static void test_pack(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    AimfValue x = aimf_graph_input(graph, "x", AIMF_SHAPE(1, 64, 4, 4));
    AimfValue conv = parameter(graph, tensors, "conv", AIMF_SHAPE(64, 64, 3, 3));
    AimfValue upsample = parameter(graph, tensors, "upsample", AIMF_SHAPE(64, 64, 3, 3));
    AimfValue linear = parameter(graph, tensors, "linear", AIMF_SHAPE(8, 64));
    AimfValue y = aimf_conv2d(graph, x, conv, AIMF_NONE, aimf_conv2d_square(1, 1));
    y = aimf_upsample_conv2d(graph, y, upsample, AIMF_NONE);
    y = aimf_linear(graph, aimf_global_average_pool(graph, y), linear, AIMF_NONE); /* (1, 8) */
    AimfCompileOptions options = { .outputs = &y, .n_outputs = 1 };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(plan->packs->len, >, 0);
    float values[64 * 4 * 4];
    for (guint32 i = 0; i < G_N_ELEMENTS(values); i++)
        values[i] = (float)formula_fine(formula_seed("x"), i);
    support_write(plan, x, values);
    g_assert_true(aimf_plan_load(plan, tensors, &error) && aimf_plan_run(plan, &error));
    g_autofree float *expected = support_read(plan, y);
    for (guint i = 0; i < plan->packs->len; i++) {
        AimfKernel *kernel = g_array_index(plan->packs, AimfStep, i).kernel, working = *kernel;
        kernel->run = fail;
        assert_load_fails(plan, tensors, i);
        kernel->run = working.run;
        g_assert_true(aimf_plan_load(plan, tensors, &error) && aimf_plan_run(plan, &error));
        g_autofree float *result = support_read(plan, y);
        support_assert_same_bytes(result, 8 * sizeof(float), expected, 8 * sizeof(float));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int d = 0; d < 2; d++) {
        static const char *const devices[] = { "cpu", "reference" }; /* where a kernel's failure is told at once */
        g_autofree char *path = g_strdup_printf("/failing_step/step/%s", devices[d]);
        g_test_add_data_func(path, devices[d], test_step);
    }
    g_test_add_func("/failing_step/pack", test_pack);
    return g_test_run();
}
