/*
 * ResNet-18's training step against PyTorch in f64, with PyTorch's own errors at the same precision as the measure: a
 * step through eighteen layers in bf16 has gradients a third off, whoever computes it, so no fixed tolerance would
 * say anything. How far off depends on the instruction set, so PyTorch's errors are those of the level at which this
 * test runs. Goldens, weights, images and places where gradients are compared: tests/golden/make_resnet.py.
 */
#include "base/instruction_set.h"
#include "device/support_devices.h"
#include "graph/support_formula.h"
#include "graph/support_precision.h"

#include <aimfair/model.h>
#include <math.h>
#include <string.h>

enum { BATCH = 16, SIZE = 64, SAMPLES = 256 };

/* A model, its training step and, for the logits in evaluation mode, its forward pass. */
typedef struct {
    AimfModel *model;
    AimfModelGraph built;
    AimfPlan *plan;
} Step;

static void step_clear(Step *step)
{
    g_clear_pointer(&step->plan, aimf_plan_free);
    aimf_graph_free(step->built.graph);
    aimf_model_free(step->model);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Step, step_clear)

/* As tensor_values in tests/golden/make_resnet.py. */
static void tensor_fill(const AimfTensor *tensor, float *data)
{
    const gint64 *dim = tensor->shape.dim;
    double scale = 0.125, offset = 0;
    if (tensor->shape.rank == 4) {
        scale = sqrt(6.0 / (double)(dim[0] * dim[2] * dim[3]));
    } else if (strcmp(tensor->name, "fc.weight") == 0) {
        scale = sqrt(1.0 / (double)dim[1]);
    } else if (g_str_has_suffix(tensor->name, "weight") || g_str_has_suffix(tensor->name, "running_var")) {
        scale = 0.25;
        offset = 1;
    }
    guint32 seed = formula_seed(tensor->name);
    for (guint32 i = 0; i < aimf_shape_count(&tensor->shape); i++)
        data[i] = (float)(formula_fine(seed, i) * scale + offset);
}

/* FALSE, with the test marked as skipped, only where the processor, or what it is capped to, has no bf16. */
static gboolean compile(Step *step, AimfPrecision precision, gboolean training)
{
    g_autoptr(GError) error = NULL;
    step->model = aimf_model_new("resnet18", SIZE, 1, 0, &error);
    g_assert_no_error(error);
    AimfTensors *tensors = step->model->tensors;
    for (guint i = 0; i < aimf_tensors_count(tensors); i++)
        if (aimf_tensors_at(tensors, i)->dtype == AIMF_F32)
            tensor_fill(aimf_tensors_at(tensors, i), aimf_tensors_writable(tensors, i));
    aimf_model_build(step->model, BATCH, &(AimfBuildOptions){ .training = training }, &step->built, &error);
    g_assert_no_error(error);

    const AimfGraph *graph = step->built.graph;
    guint n = training ? aimf_graph_n_parameters(graph) : 0;
    g_autofree AimfValue *trainable = g_new(AimfValue, n + 1);
    for (guint i = 0; i < n; i++)
        trainable[i] = aimf_graph_parameter_at(graph, i);
    AimfValue outputs[] = { step->built.logits, step->built.loss };
    AimfCompileOptions options = { .device = support_device_under_test(),
                                   .precision = precision,
                                   .outputs = outputs,
                                   .n_outputs = 2,
                                   .loss = training ? step->built.loss : AIMF_NONE,
                                   .trainable = trainable,
                                   .n_trainable = n };
    step->plan = aimf_graph_compile(graph, &options, &error);
    if (precision_is_missing(precision, error))
        return FALSE;
    g_assert_no_error(error);
    return TRUE;
}

static void run(Step *step)
{
    g_autoptr(GError) error = NULL;
    aimf_plan_load(step->plan, step->model->tensors, &error);
    g_assert_no_error(error);
    g_autofree float *images = g_new(float, BATCH * 3 * SIZE * SIZE);
    float targets[BATCH];
    for (guint32 i = 0; i < BATCH * 3 * SIZE * SIZE; i++)
        images[i] = (float)formula_fine(formula_seed("images"), i);
    for (guint32 i = 0; i < BATCH; i++)
        targets[i] = (float)(formula_hash(formula_seed("targets"), i) >> 8 & 1);
    support_write(step->plan, step->built.images, images);
    if (step->built.targets != AIMF_NONE)
        support_write(step->plan, step->built.targets, targets);
    g_assert_true(aimf_plan_run(step->plan, &error));
}

static const float *golden_data(const AimfTensors *golden, const char *name, gsize *n)
{
    int index = aimf_tensors_find(golden, name);
    if (index < 0)
        g_error("the golden file lacks '%s': run tests/golden/make_resnet.py", name);
    *n = aimf_tensors_at(golden, (guint)index)->bytes / sizeof(float);
    return aimf_tensors_data(golden, (guint)index);
}

/*
 * By what name the goldens know the level at which this test runs: PyTorch's f32 does not change with the
 * instructions for bf16.
 */
static const char *level_name(void)
{
    static const char *const names[AIMF_N_ISAS] = {
        [AIMF_ISA_BASELINE] = "baseline",
        [AIMF_ISA_AVX2] = "avx2",
        [AIMF_ISA_AVX512] = "avx512",
        [AIMF_ISA_AVX512_BF16] = "avx512",
    };
    return names[aimf_instruction_set()];
}

/* PyTorch's error: the largest of those in its two memory layouts and on different numbers of threads. */
static double torch_error(const AimfTensors *golden, AimfPrecision precision, const char *name)
{
    gsize n;
    g_autofree char *key =
        g_strdup_printf("error/%s/%s/%s", level_name(), precision == AIMF_PRECISION_BF16 ? "bf16" : "f32", name);
    const float *errors = golden_data(golden, key, &n);
    g_assert_cmpuint(n, >=, 2);
    float largest = 0;
    for (gsize i = 0; i < n; i++)
        largest =
            MAX(largest, errors[i]); /* not double: gcc 12 for ARM fails at the largest of numbers that it converts */
    return (double)largest;
}

/* Those entries of the tensor @data (n) that the golden has of it. */
static void sample(const AimfTensors *golden, const char *name, const float *data, gsize n, float found[SAMPLES])
{
    gsize n_samples;
    golden_data(golden, name, &n_samples);
    g_assert_cmpuint(n_samples, ==, MIN(n, SAMPLES));
    g_autofree char *key = g_strdup_printf("sample/%s", name);
    for (guint32 i = 0; i < n_samples; i++)
        found[i] = n <= SAMPLES ? data[i] : data[formula_hash(formula_seed(key), i) % n];
}

/* A ReLU that the golden says may turn, and what the differences from the golden's gradients say of it. */
typedef struct {
    double along, squares; /* The differences times what its turning changes, and the squares of this. */
} Turn;

/* (owned) The ReLU of the golden's entry @i, "turned/<ReLU>/gradient/<parameter>", and the gradient; else NULL. */
static char *turn_of(const AimfTensors *golden, guint i, const char **gradient)
{
    const char *name = aimf_tensors_at(golden, i)->name, *end = strstr(name, "/gradient/");
    if (!g_str_has_prefix(name, "turned/") || !end)
        return NULL;
    *gradient = end + 1;
    return g_strndup(name + strlen("turned/"), (gsize)(end - name) - strlen("turned/"));
}

static double norm(const float *values, gsize n)
{
    double squares = 0;
    for (gsize i = 0; i < n; i++)
        squares += (double)values[i] * (double)values[i];
    return sqrt(squares);
}

/*
 * Takes the turned ReLUs from the gradients: some inputs of ReLUs lie so near 0 that rounding alone decides their side,
 * and each that turns changes all gradients below it by a known amount (make_resnet.py). It has turned, or it has not:
 * what the differences hold of its change, over all gradients, says which, and then the whole of it is taken away.
 * @gradients: from the golden's names to their sampled entries.
 */
static void take_turned_relus(const AimfTensors *golden, GHashTable *gradients)
{
    enum { UNITS = 4096 }; /* Of which a gradient's norm has so many. */
    g_autoptr(GHashTable) turns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (int pass = 0; pass < 2; pass++) {
        for (guint i = 0; i < aimf_tensors_count(golden); i++) {
            const char *gradient = NULL;
            g_autofree char *relu = turn_of(golden, i, &gradient);
            float *found = relu ? g_hash_table_lookup(gradients, gradient) : NULL;
            if (!found)
                continue;
            Turn *turn = g_hash_table_lookup(turns, relu);
            if (!turn) {
                turn = g_new0(Turn, 1);
                g_hash_table_insert(turns, g_strdup(relu), turn);
            }
            gsize n;
            const float *expected = golden_data(golden, gradient, &n), *change = aimf_tensors_data(golden, i);
            double unit = norm(expected, n) / UNITS;
            for (gsize k = 0; pass == 0 && k < n; k++) {
                turn->along += (double)(found[k] - expected[k]) / unit * (double)change[k];
                turn->squares += (double)change[k] * (double)change[k];
            }
            for (gsize k = 0; pass == 1 && turn->along > turn->squares / 2 && k < n; k++)
                found[k] -= (float)((double)change[k] * unit);
        }
    }
    g_assert_cmpuint(g_hash_table_size(turns), >, 0);
    GHashTableIter iter;
    const char *relu;
    const Turn *turn;
    g_hash_table_iter_init(&iter, turns);
    while (g_hash_table_iter_next(&iter, (gpointer *)&relu, (gpointer *)&turn))
        if (turn->along > turn->squares / 2)
            g_test_message("ReLU %s turned: %.3f of its change", relu, turn->along / turn->squares);
}

/* How large our error is beside PyTorch's, over the same entries @found of a tensor. */
static double compare(const AimfTensors *golden, AimfPrecision precision, const char *name, const float *found)
{
    gsize n_samples;
    const float *expected = golden_data(golden, name, &n_samples);
    double ours = relative_error(found, expected, n_samples), theirs = torch_error(golden, precision, name);
    g_test_message("%s: relative error %.2e, PyTorch's %.2e, ratio %.2f", name, ours, theirs, ours / theirs);
    return ours / theirs;
}

/*
 * Of a single number the error may be near 0 by luck, PyTorch's too, and a ratio says nothing: the loss and the
 * gradient of fc.bias are held to what their logits allow. The loss is a mean of cross-entropies, whose derivative is
 * at most 1 in size; the gradient of fc.bias is a mean of sigmoids less targets, whose derivative is at most 1/4. A
 * mean may so be off by @slope times the logits' mean error.
 */
static void check_mean(const AimfTensors *golden, AimfPrecision precision, const char *name, double slope, float found)
{
    gsize n;
    double expected = (double)*golden_data(golden, name, &n);
    g_assert_cmpuint(n, ==, 1);
    const float *logits = golden_data(golden, "logits", &n);
    double allowed = 1.5 * torch_error(golden, precision, "logits") * norm(logits, n) / sqrt((double)n) * slope;
    g_test_message("%s: off by %.2e, allowed %.2e", name, fabs((double)found - expected), allowed);
    g_assert_cmpfloat(fabs((double)found - expected), <=, allowed);
}

static AimfTensors *open_golden(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) file = aimf_tensors_open(GOLDEN_DIR "/resnet.safetensors", &error);
    g_assert_no_error(error);
    AimfTensors *golden = aimf_tensors_load(file, AIMF_F32, &error);
    g_assert_no_error(error);
    return golden;
}

static void test_step(gconstpointer data)
{
    AimfPrecision precision = (AimfPrecision)GPOINTER_TO_INT(data);
    g_autoptr(AimfTensors) golden = open_golden();
    g_auto(Step) step = { 0 };
    if (!compile(&step, precision, TRUE))
        return;
    run(&step);
    g_autofree float *logits = support_read(step.plan, step.built.logits);
    guint n_worse = compare(golden, precision, "logits", logits) > 1.5;
    check_mean(golden, precision, "loss", 1, support_read_one(step.plan, step.built.loss));
    guint n_parameters = aimf_graph_n_parameters(step.built.graph);
    g_assert_cmpuint(n_parameters, ==, 62);
    g_autoptr(GHashTable) gradients = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (guint i = 0; i < n_parameters; i++) {
        AimfValue parameter = aimf_graph_parameter_at(step.built.graph, i);
        AimfShape shape = aimf_graph_shape(step.built.graph, parameter);
        g_autofree char *name = g_strdup_printf("gradient/%s", aimf_graph_name(step.built.graph, parameter));
        g_autofree float *gradient = support_read(step.plan, aimf_plan_gradient(step.plan, parameter));
        if (aimf_shape_count(&shape) == 1) {
            check_mean(golden, precision, name, 0.25, *gradient);
            continue;
        }
        float *found = g_new(float, SAMPLES);
        sample(golden, name, gradient, (gsize)aimf_shape_count(&shape), found);
        g_hash_table_insert(gradients, g_steal_pointer(&name), found);
    }
    if (precision == AIMF_PRECISION_F32)
        take_turned_relus(golden, gradients);
    GHashTableIter iter;
    const char *name;
    const float *found;
    g_hash_table_iter_init(&iter, gradients);
    while (g_hash_table_iter_next(&iter, (gpointer *)&name, (gpointer *)&found))
        n_worse += compare(golden, precision, name, found) > 1.5 ? 1 : 0;
    g_assert_cmpuint(n_worse, ==, 0);
}

static void test_evaluation(gconstpointer data)
{
    AimfPrecision precision = (AimfPrecision)GPOINTER_TO_INT(data);
    g_autoptr(AimfTensors) golden = open_golden();
    g_auto(Step) step = { 0 };
    if (!compile(&step, precision, FALSE))
        return;
    run(&step);
    g_autofree float *logits = support_read(step.plan, step.built.logits);
    g_assert_cmpfloat(compare(golden, precision, "logits_evaluation", logits), <=, 1.5);
}

/* The step's gradients and loss with so many threads. */
static GByteArray *gradients_with(AimfPrecision precision, int threads)
{
    aimf_set_threads(threads);
    g_auto(Step) step = { 0 };
    GByteArray *bytes = g_byte_array_new();
    if (compile(&step, precision, TRUE)) {
        gsize n;
        run(&step);
        g_autofree float *gradients = support_read_gradients(step.plan, step.built.graph, &n);
        float loss = support_read_one(step.plan, step.built.loss);
        g_byte_array_append(bytes, (const guint8 *)gradients, (guint)(n * sizeof(float)));
        g_byte_array_append(bytes, (const guint8 *)&loss, sizeof loss);
    }
    aimf_set_threads(0);
    return bytes;
}

/*
 * The same bytes again with the same number of threads. One thread and two do not give the same bytes with oneDNN
 * 2.6.3: tools/compare_networks.py threads tells which results differ, and by how much.
 */
static void test_repeats(gconstpointer data)
{
    AimfPrecision precision = (AimfPrecision)GPOINTER_TO_INT(data);
    for (int threads = 1; threads <= 2; threads++) {
        g_autoptr(GByteArray) first = gradients_with(precision, threads), again = gradients_with(precision, threads);
        g_assert_cmpuint(first->len, ==, again->len);
        g_assert_true(first->len == 0 || memcmp(first->data, again->data, first->len) == 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    static const char *const names[] = { [AIMF_PRECISION_F32] = "f32", [AIMF_PRECISION_BF16] = "bf16" };
    for (int precision = 0; precision < (int)G_N_ELEMENTS(names); precision++) {
        g_autofree char *step = g_strdup_printf("/resnet/%s/step", names[precision]);
        g_autofree char *evaluation = g_strdup_printf("/resnet/%s/evaluation", names[precision]);
        g_autofree char *repeats = g_strdup_printf("/resnet/%s/repeats", names[precision]);
        g_test_add_data_func(step, GINT_TO_POINTER(precision), test_step);
        g_test_add_data_func(evaluation, GINT_TO_POINTER(precision), test_evaluation);
        g_test_add_data_func(repeats, GINT_TO_POINTER(precision), test_repeats);
    }
    return g_test_run();
}
