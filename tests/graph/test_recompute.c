/*
 * What the backward pass computes again: the same gradients to the bit as where it is kept, because it is an output of
 * the plan, and less memory.
 */
#include "device/support_devices.h"
#include "graph/support_formula.h"

#include <math.h>
#include <string.h>

enum { N = 3, TOKENS = 17, FEATURES = 24, HIDDEN = 96 };

/* A block of a transformer without attention, and a gate as squeeze-and-excitation has it. */
typedef struct {
    AimfGraph *graph;
    AimfTensors *tensors;
    AimfValue x, targets, loss;
    AimfValue normed, active, gated; /* cheap, and wanted by gradients */
    AimfValue trainable[12];
    guint n_trainable;
} Block;

static AimfValue parameter(Block *block, const char *name, AimfShape shape)
{
    gsize n = (gsize)aimf_shape_count(&shape);
    g_autofree float *data = g_new(float, n);
    for (gsize i = 0; i < n; i++)
        data[i] = (float)formula_fine(formula_seed(name), (guint32)i);
    g_assert_cmpint(aimf_tensors_add(block->tensors, name, AIMF_F32, &shape, data, NULL), >=, 0);
    return block->trainable[block->n_trainable++] = aimf_graph_parameter(block->graph, name, shape);
}

static void block_init(Block *block)
{
    *block = (Block){ .graph = aimf_graph_new(), .tensors = aimf_tensors_new() };
    AimfGraph *graph = block->graph;
    block->x = aimf_graph_input(graph, "x", AIMF_SHAPE(N, TOKENS, FEATURES));
    block->targets = aimf_graph_input(graph, "targets", AIMF_SHAPE(N, FEATURES));
    AimfValue scale = parameter(block, "scale", AIMF_SHAPE(FEATURES)),
              shift = parameter(block, "shift", AIMF_SHAPE(FEATURES));
    AimfValue first = parameter(block, "first", AIMF_SHAPE(FEATURES, FEATURES));
    AimfValue up = parameter(block, "up", AIMF_SHAPE(HIDDEN, FEATURES));
    AimfValue squeeze = parameter(block, "squeeze", AIMF_SHAPE(HIDDEN, HIDDEN));
    AimfValue down = parameter(block, "down", AIMF_SHAPE(FEATURES, HIDDEN));
    AimfValue start = aimf_linear(graph, block->x, first, AIMF_NONE);
    block->normed = aimf_layer_norm(graph, start, scale, shift, 1e-6);
    block->active = aimf_gelu(graph, aimf_linear(graph, block->normed, up, AIMF_NONE));
    AimfValue mean = aimf_reduce_mean(graph, block->active, 1 << 1, TRUE);
    block->gated =
        aimf_multiply(graph, block->active, aimf_sigmoid(graph, aimf_linear(graph, mean, squeeze, AIMF_NONE)));
    AimfValue result = aimf_add(graph, start, aimf_linear(graph, block->gated, down, AIMF_NONE));
    block->loss = aimf_sigmoid_cross_entropy(graph, aimf_reduce_mean(graph, result, 1 << 1, FALSE), block->targets);
}

static AimfValue state(Block *block, const char *name, float value)
{
    enum { CHANNELS = 6 };
    float data[CHANNELS];
    for (guint i = 0; i < CHANNELS; i++)
        data[i] = value;
    AimfShape shape = AIMF_SHAPE(CHANNELS);
    g_assert_cmpint(aimf_tensors_add(block->tensors, name, AIMF_F32, &shape, data, NULL), >=, 0);
    return aimf_graph_state(block->graph, name, shape);
}

static AimfPlan *block_run(const Block *block, const char *device, const AimfValue *outputs, guint n_outputs)
{
    g_autoptr(AimfDevice) opened = support_device(device);
    g_autoptr(GError) error = NULL;
    AimfCompileOptions options = { .device = opened,
                                   .outputs = outputs,
                                   .n_outputs = n_outputs,
                                   .loss = block->loss,
                                   .trainable = block->trainable,
                                   .n_trainable = block->n_trainable };
    AimfPlan *plan = aimf_graph_compile(block->graph, &options, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, block->tensors, NULL));
    float x[N * TOKENS * FEATURES], targets[N * FEATURES]; /* at least as many as any block has */
    for (guint i = 0; i < G_N_ELEMENTS(x); i++)
        x[i] = (float)formula_fine(formula_seed("x"), i);
    for (guint i = 0; i < G_N_ELEMENTS(targets); i++)
        targets[i] = (float)(i % 2);
    support_write(plan, block->x, x);
    support_write(plan, block->targets, targets);
    g_assert_true(aimf_plan_run(plan, NULL));
    return plan;
}

/* Steps of this operation. */
static guint count(const AimfPlan *plan, const char *operation)
{
    g_autofree char *text = aimf_plan_describe(plan);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint n = 0;
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " ", -1);
        guint k = 1;
        while (words[0] && words[k] && !*words[k])
            k++;
        n += words[0] && words[k] && strcmp(words[k], operation) == 0;
    }
    return n;
}

static void test_same_gradients(gconstpointer device)
{
    Block block;
    block_init(&block);
    const AimfValue all[] = { block.loss, block.normed, block.active, block.gated };
    g_autoptr(AimfPlan) again = block_run(&block, device, all, 1);
    g_autoptr(AimfPlan) kept = block_run(&block, device, all, G_N_ELEMENTS(all));
    static const char *const operations[] = { "layer_norm", "gelu", "multiply" };
    for (guint i = 0; i < G_N_ELEMENTS(operations); i++) {
        g_assert_cmpuint(count(again, operations[i]), ==, 2);
        g_assert_cmpuint(count(kept, operations[i]), ==, 1);
    }
    gsize n, n_kept;
    g_autofree float *gradients = support_read_gradients(again, block.graph, &n);
    g_autofree float *expected = support_read_gradients(kept, block.graph, &n_kept);
    g_assert_cmpuint(n, ==, n_kept);
    g_assert_true(memcmp(gradients, expected, n * sizeof *gradients) == 0);
    AimfPlanSummary less = aimf_plan_summary(again), more = aimf_plan_summary(kept);
    gsize tensors = (gsize)(FEATURES + 2 * HIDDEN) * N * TOKENS * sizeof(float);
    g_assert_cmpuint(less.arena_bytes + less.resident_bytes + tensors / 2, <=, more.arena_bytes + more.resident_bytes);
    g_assert_cmpfloat(less.flops, ==, more.flops);
    aimf_graph_free(block.graph);
    aimf_tensors_free(block.tensors);
}

/*
 * Residual blocks: norms, what follows them, and sums whose last norm is computed again for them. The batch's
 * statistics come from the first time, and the running ones move once.
 */
static void test_norms(gconstpointer device)
{
    enum { CHANNELS = 6, SIDE = 5 };
    Block block = { .graph = aimf_graph_new(), .tensors = aimf_tensors_new() };
    AimfGraph *graph = block.graph;
    block.x = aimf_graph_input(graph, "x", AIMF_SHAPE(N, CHANNELS, SIDE, SIDE));
    block.targets = aimf_graph_input(graph, "targets", AIMF_SHAPE(N, CHANNELS));
    AimfValue sum = block.x, kept[9] = { 0 };
    guint n_kept = 1;
    for (guint i = 0; i < 2; i++) {
        static const char *const names[][7] = { { "w0", "g0", "b0", "m0", "v0", "u0", "h0" },
                                                { "w1", "g1", "b1", "m1", "v1", "u1", "h1" } };
        AimfShape shape = AIMF_SHAPE(CHANNELS, CHANNELS, 3, 3), channels = AIMF_SHAPE(CHANNELS);
        AimfValue weight = parameter(&block, names[i][0], shape), second = parameter(&block, names[i][5], shape);
        AimfValue scale = parameter(&block, names[i][1], channels), shift = parameter(&block, names[i][2], channels);
        AimfValue mean = state(&block, names[i][3], 0), variance = state(&block, names[i][4], 1);
        AimfBatchNorm training = { .training = TRUE, .relu = TRUE };
        AimfConv2d same = aimf_conv2d_square(1, 1);
        AimfValue inner = aimf_conv2d(graph, sum, weight, AIMF_NONE, same);
        inner = kept[n_kept++] = aimf_batch_norm(graph, inner, scale, shift, mean, variance, training);
        inner = aimf_conv2d(graph, inner, second, AIMF_NONE, same);
        training.relu = FALSE;
        inner = kept[n_kept++] = aimf_batch_norm(graph, inner, scale, shift, mean, variance, training);
        sum = kept[n_kept++] = aimf_add_relu(graph, sum, inner);
    }
    block.loss = kept[0] = aimf_sigmoid_cross_entropy(graph, aimf_global_average_pool(graph, sum), block.targets);
    g_autoptr(AimfPlan) again = block_run(&block, device, kept, 1);
    g_autoptr(AimfPlan) stored = block_run(&block, device, kept, n_kept);
    g_assert_cmpuint(count(stored, "batch_norm"), ==, 4);
    g_assert_cmpuint(count(stored, "add_relu"), ==, 2);
    g_assert_cmpuint(count(again, "batch_norm"), >, 5);
    g_assert_cmpuint(count(again, "add_relu"), ==, 4);
    gsize n, n_stored;
    g_autofree float *gradients = support_read_gradients(again, graph, &n);
    g_autofree float *expected = support_read_gradients(stored, graph, &n_stored);
    g_assert_cmpuint(n, ==, n_stored);
    for (gsize i = 0; i < n; i++)
        g_assert_true(fabsf(gradients[i] - expected[i]) <= 2e-6F * (1 + fabsf(expected[i])));
    g_autoptr(AimfTensors) moved = aimf_tensors_load(block.tensors, AIMF_N_DTYPES, NULL);
    g_autoptr(AimfTensors) moved_once = aimf_tensors_load(block.tensors, AIMF_N_DTYPES, NULL);
    g_assert_true(aimf_plan_save(again, moved, NULL) && aimf_plan_save(stored, moved_once, NULL));
    for (guint i = 0; i < aimf_tensors_count(moved); i++)
        g_assert_true(memcmp(aimf_tensors_data(moved, i), aimf_tensors_data(moved_once, i),
                             aimf_tensors_at(moved, i)->bytes) == 0);
    aimf_graph_free(graph);
    aimf_tensors_free(block.tensors);
}

/* Where no gradient wants a value it is not computed again, nor where what it comes from is not there any more. */
static void test_only_what_is_needed(gconstpointer device)
{
    Block block;
    block_init(&block);
    AimfValue down = block.trainable[block.n_trainable - 1];
    block.trainable[0] = down;
    block.n_trainable = 1;
    g_autoptr(AimfPlan) plan = block_run(&block, device, &block.loss, 1);
    g_assert_cmpuint(count(plan, "layer_norm"), ==, 1);
    g_assert_cmpuint(count(plan, "gelu"), ==, 1);
    g_assert_cmpuint(count(plan, "multiply"), ==, 1);
    aimf_graph_free(block.graph);
    aimf_tensors_free(block.tensors);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (const char *const *device = support_devices(); *device; device++) {
        g_autofree char *same = g_strdup_printf("/recompute/%s/same_gradients", *device);
        g_test_add_data_func(same, *device, test_same_gradients);
        g_autofree char *only = g_strdup_printf("/recompute/%s/only_what_is_needed", *device);
        g_test_add_data_func(only, *device, test_only_what_is_needed);
        g_autofree char *norms = g_strdup_printf("/recompute/%s/norms", *device);
        g_test_add_data_func(norms, *device, test_norms);
    }
    return g_test_run();
}
