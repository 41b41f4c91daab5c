#include "model/support_networks.h"
#include "device/support_devices.h"
#include "graph/support_formula.h"
#include "graph/support_precision.h"

#include <math.h>
#include <string.h>

enum { SAMPLES = 32 };
static const double LEAST = 1e-5; /* as in make_architectures.py */
/* Two errors over SAMPLES entries that are made alike differ by chance, by up to so much among thousands of tensors. */
static const double FACTOR = 3;

typedef struct {
    AimfTensors *golden;
    const char *name;
    guint n, side; /* of the images */
    double shift;  /* of the biases of batch norms */
} Network;

/* The golden's tensor of the network, (n) numbers. */
static const float *expected(const Network *network, const char *what, gsize *n)
{
    g_autofree char *name = g_strdup_printf("%s/%s", network->name, what);
    int index = aimf_tensors_find(network->golden, name);
    if (index < 0)
        g_error("the golden file lacks '%s': run tests/golden/make_architectures.py", name);
    *n = aimf_tensors_at(network->golden, (guint)index)->bytes / sizeof(float);
    return aimf_tensors_data(network->golden, (guint)index);
}

/* As tensor_values in make_architectures.py. */
static void tensor_fill(const AimfTensor *tensor, double shift, float *data)
{
    const AimfShape *shape = &tensor->shape;
    const gint64 *dim = shape->dim;
    double scale = 0.125, offset = 0;
    if (shape->rank == 4) {
        scale = sqrt(6.0 / (double)(dim[1] * dim[2] * dim[3]));
    } else if (shape->rank == 2) {
        scale = sqrt(3.0 / (double)dim[1]);
    } else if (g_str_has_suffix(tensor->name, "weight") || g_str_has_suffix(tensor->name, "running_var") ||
               g_str_has_suffix(tensor->name, "layer_scale")) {
        scale = 0.25;
        offset = 1;
    }
    guint32 seed = formula_seed(tensor->name);
    g_autofree char *off = g_strdup_printf("%s/off", tensor->name);
    guint32 off_seed = formula_seed(off);
    for (guint32 i = 0; i < aimf_shape_count(shape); i++) {
        double above = shift == 0 ? 0 : formula_hash(off_seed, i) >> 29 == 0 ? -13 : shift;
        data[i] = (float)(formula_fine(seed, i) * scale + offset + above);
    }
}

/* Whether it is the bias of a batch norm. */
static gboolean is_norm_bias(const AimfTensors *tensors, const char *name)
{
    if (!g_str_has_suffix(name, ".bias"))
        return FALSE;
    g_autofree char *mean = g_strdup_printf("%.*s.running_mean", (int)(strlen(name) - strlen(".bias")), name);
    return aimf_tensors_find(tensors, mean) >= 0;
}

static AimfModel *make_model(const Network *network)
{
    g_autoptr(GError) error = NULL;
    AimfModel *model = aimf_model_new(network->name, (int)network->side, 1, 0, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(model->tensors, i);
        if (tensor->dtype == AIMF_F32)
            tensor_fill(tensor, is_norm_bias(model->tensors, tensor->name) ? network->shift : 0,
                        aimf_tensors_writable(model->tensors, i));
    }
    return model;
}

/* NULL, with the test marked as skipped, where the processor has no bf16. */
static AimfPlan *compile(const AimfModel *model, const AimfModelGraph *built, AimfPrecision precision,
                         gboolean training)
{
    g_autoptr(GError) error = NULL;
    guint n = training ? aimf_graph_n_parameters(built->graph) : 0;
    g_autofree AimfValue *trainable = g_new(AimfValue, n + 1);
    for (guint i = 0; i < n; i++)
        trainable[i] = aimf_graph_parameter_at(built->graph, i);
    AimfValue outputs[] = { built->logits, built->loss };
    AimfCompileOptions options = { .device = support_device_under_test(),
                                   .precision = precision,
                                   .outputs = outputs,
                                   .n_outputs = 2,
                                   .loss = training ? built->loss : AIMF_NONE,
                                   .trainable = trainable,
                                   .n_trainable = n };
    AimfPlan *plan = aimf_graph_compile(built->graph, &options, &error);
    if (precision_is_missing(precision, error))
        return NULL;
    g_assert_no_error(error);
    aimf_plan_load(plan, model->tensors, &error);
    g_assert_no_error(error);
    return plan;
}

static void run(const Network *network, AimfPlan *plan, const AimfModelGraph *built)
{
    gsize pixels = (gsize)network->n * 3 * network->side * network->side;
    g_autofree float *images = g_new(float, pixels), *targets = g_new(float, network->n);
    for (guint32 i = 0; i < pixels; i++)
        images[i] = (float)formula_fine(formula_seed("images"), i);
    for (guint i = 0; i < network->n; i++)
        targets[i] = (float)(i % 2);
    support_write(plan, built->images, images);
    support_write(plan, built->targets, targets);
    g_autoptr(GError) error = NULL;
    g_assert_true(aimf_plan_run(plan, &error));
}

static double norm(const float *values, gsize n)
{
    double squares = 0;
    for (gsize i = 0; i < n; i++)
        squares += (double)values[i] * (double)values[i];
    return sqrt(squares);
}

/* How large the error of @found is beside that which rounding makes. @least: what errors are at least relative to. */
static double ratio(const char *name, const float *found, const float *wanted, gsize n, double least, double allowed)
{
    double squares = 0;
    for (gsize i = 0; i < n; i++)
        squares += ((double)found[i] - (double)wanted[i]) * ((double)found[i] - (double)wanted[i]);
    double error = sqrt(squares) / fmax(norm(wanted, n), least);
    g_test_message("%s: error %.2e, of rounding %.2e, ratio %.2f", name, error, allowed, error / allowed);
    return isfinite(error) ? error / allowed : INFINITY;
}

/*
 * The sampled entries of every gradient. Where a kink turns, a ReLU's for instance, all gradients below it change, and
 * in which of them that shows differs from run to run: so each is held to the largest error that rounding makes in any
 * of the network, which is small in networks without kinks.
 */
static void check_gradients(const Network *network, AimfPlan *plan, const AimfGraph *graph, GArray *ratios)
{
    gsize n;
    const float *errors = expected(network, "errors", &n) + 2, *wanted = expected(network, "gradients", &n);
    guint n_parameters = aimf_graph_n_parameters(graph);
    g_assert_cmpuint(n, ==, (gsize)n_parameters * SAMPLES);
    double largest = 0, allowed = 0;
    for (guint i = 0; i < n_parameters; i++) {
        largest = fmax(largest, norm(wanted + i * SAMPLES, SAMPLES));
        allowed = fmax(allowed, (double)errors[i]);
    }
    for (guint i = 0; i < n_parameters; i++) {
        AimfValue parameter = aimf_graph_parameter_at(graph, i);
        AimfShape shape = aimf_graph_shape(graph, parameter);
        const char *name = aimf_graph_name(graph, parameter);
        gsize count = (gsize)aimf_shape_count(&shape);
        g_autofree float *gradient = support_read(plan, aimf_plan_gradient(plan, parameter));
        g_autofree char *key = g_strdup_printf("sample/%s", name);
        float found[SAMPLES] = { 0 };
        for (guint32 k = 0; k < MIN(count, SAMPLES); k++)
            found[k] = count <= SAMPLES ? gradient[k] : gradient[formula_hash(formula_seed(key), k) % count];
        double r = ratio(name, found, wanted + i * SAMPLES, SAMPLES, LEAST * largest, allowed);
        g_array_append_val(ratios, r);
    }
}

/*
 * Fresh weights are of PyTorch's distribution: as far as chance lets two samples of it differ. Of @n numbers, means and
 * deviations are off by a deviation over the root of n, and what is compared is the difference of two.
 */
void network_check_initial(const char *architecture)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) golden = aimf_tensors_open(GOLDEN_DIR "/architectures.safetensors", &error);
    g_assert_no_error(error);
    Network network = { .golden = golden, .name = architecture };
    gsize n;
    network.side = (guint)expected(&network, "images", &n)[1];
    g_autoptr(AimfModel) model = aimf_model_new(architecture, (int)network.side, 1, 5, &error);
    g_assert_no_error(error);
    const float *rows = expected(&network, "initial", &n);
    AimfModelGraph built;
    g_assert_true(aimf_model_build(model, 1, NULL, &built, &error));
    g_autoptr(AimfGraph) graph = built.graph;
    g_assert_cmpuint(n, ==, 3 * aimf_graph_n_parameters(graph));
    for (guint i = 0; i < n / 3; i++) {
        const char *name = aimf_graph_name(graph, aimf_graph_parameter_at(graph, i));
        guint index = (guint)aimf_tensors_find(model->tensors, name);
        const float *values = aimf_tensors_data(model->tensors, index);
        gsize count = aimf_tensors_at(model->tensors, index)->bytes / sizeof(float);
        if (count == 1) /* of which there is no distribution to see */
            continue;
        double mean = 0, squares = 0, sizes = 0;
        for (gsize k = 0; k < count; k++)
            mean += (double)values[k] / (double)count;
        for (gsize k = 0; k < count; k++) {
            squares += pow((double)values[k] - mean, 2) / (double)count;
            sizes += fabs((double)values[k] - mean) / (double)count;
        }
        const float *row = rows + 3 * i;
        double deviation = sqrt(squares), wanted = (double)row[1], chance = 6 / sqrt((double)count);
        if (wanted < 1e-12
                ? deviation > 1e-9 || fabs(mean - (double)row[0]) > 1e-7 * fabs(mean)
                : fabs(mean - (double)row[0]) > chance * sqrt(2) * wanted ||
                      fabs(deviation - wanted) > chance * wanted || fabs(sizes / deviation - (double)row[2]) > chance)
            g_error("%s %s: mean %g, deviation %g, size %g; PyTorch's %g, %g, %g", architecture, name, mean, deviation,
                    sizes / deviation, (double)row[0], wanted, (double)row[2]);
    }
}

static gint compare_doubles(gconstpointer a, gconstpointer b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void network_check(const char *architecture, AimfPrecision precision)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) golden = aimf_tensors_open(GOLDEN_DIR "/architectures.safetensors", &error);
    g_assert_no_error(error);
    Network network = { .golden = golden, .name = architecture };
    gsize n;
    const float *images = expected(&network, "images", &n), *errors = expected(&network, "errors", &n);
    network.n = (guint)images[0];
    network.side = (guint)images[1];
    network.shift = (double)images[2];
    g_autoptr(AimfModel) model = make_model(&network);
    g_autoptr(GArray) ratios = g_array_new(FALSE, FALSE, sizeof(double));
    for (int training = 0; training < 2; training++) {
        AimfModelGraph built;
        aimf_model_build(model, network.n, &(AimfBuildOptions){ .training = training }, &built, &error);
        g_assert_no_error(error);
        g_autoptr(AimfGraph) graph = built.graph;
        g_autoptr(AimfPlan) plan = compile(model, &built, precision, training);
        if (!plan)
            return;
        run(&network, plan, &built);
        g_autofree float *logits = support_read(plan, built.logits);
        const float *wanted = expected(&network, training ? "logits" : "logits_evaluation", &n);
        g_assert_cmpuint(n, ==, network.n);
        double r = ratio(training ? "logits" : "logits in evaluation", logits, wanted, n, 0, (double)errors[!training]);
        g_array_append_val(ratios, r);
        if (training)
            check_gradients(&network, plan, graph, ratios);
    }
    g_array_sort(ratios, compare_doubles);
    double largest = g_array_index(ratios, double, ratios->len - 1);
    g_test_message("%s: ratio %.2f (median), %.2f (largest)", architecture,
                   g_array_index(ratios, double, ratios->len / 2), largest);
    g_assert_cmpfloat(largest, <=, FACTOR);
}

static void check_f32(gconstpointer name)
{
    network_check(name, AIMF_PRECISION_F32);
}

static void check_initial(gconstpointer name)
{
    network_check_initial(name);
}

void network_add_tests(const char *const *names, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *path = g_strdup_printf("/%s/step", names[i]);
        g_test_add_data_func(path, names[i], check_f32);
        g_autofree char *initial = g_strdup_printf("/%s/initial", names[i]);
        g_test_add_data_func(initial, names[i], check_initial);
    }
}
