/*
 * Where operations of transformers and diffusion could lose digits or meet what is no number: activations over all
 * sizes of numbers, normalisation far from zero, NaN that must stay visible, ids that no table has. The reference
 * computes in double.
 */
#include "device/support_devices.h"

#include <math.h>
#include <string.h>

/* One operation on one input, with weights of 1 and no biases where it has any. */
typedef struct {
    const char *name;
    AimfValue (*build)(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias);
    AimfShape shape;
    gint64 channels;            /* of weights; 0: none */
    double (*argument)(double); /* (nullable) of the exponential function in an activation; it is rounded to 24 bits */
    double (*function)(double); /* (nullable) C's */
} Operation;

#define UNARY(name)                                                                                                    \
    static AimfValue build_##name(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias)                     \
    {                                                                                                                  \
        (void)weight, (void)bias;                                                                                      \
        return aimf_##name(graph, x);                                                                                  \
    }

UNARY(silu)
UNARY(gelu)
UNARY(gelu_tanh)
UNARY(quick_gelu)
UNARY(sigmoid)
UNARY(tanh)
UNARY(hard_sigmoid)
UNARY(hard_swish)
UNARY(erf)
UNARY(exp)
UNARY(sqrt)
UNARY(log)
UNARY(reciprocal)

static double itself(double x)
{
    return x;
}

static double square(double x)
{
    return x * x;
}

static double gelu_tanh_argument(double x)
{
    return 1.6 * (x + 0.044715 * x * x * x);
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double reciprocal(double x)
{
    return 1 / x;
}

static AimfValue build_group_norm(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias)
{
    return aimf_group_norm(graph, x, weight, bias, (AimfGroupNorm){ .groups = 4 });
}

static AimfValue build_layer_norm(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias)
{
    return aimf_layer_norm(graph, x, weight, bias, 0);
}

static AimfValue build_softmax(AimfGraph *graph, AimfValue x, AimfValue weight, AimfValue bias)
{
    (void)weight, (void)bias;
    return aimf_softmax(graph, x, -1);
}

enum { MANY = 40001 };

static const Operation activations[] = {
    { "silu", build_silu, { 2, { 1, MANY } }, 0, itself, NULL },
    { "gelu", build_gelu, { 2, { 1, MANY } }, 0, square, NULL },
    { "gelu_tanh", build_gelu_tanh, { 2, { 1, MANY } }, 0, gelu_tanh_argument, NULL },
    { "quick_gelu", build_quick_gelu, { 2, { 1, MANY } }, 0, itself, NULL },
    { "sigmoid", build_sigmoid, { 2, { 1, MANY } }, 0, itself, sigmoid },
    { "tanh", build_tanh, { 2, { 1, MANY } }, 0, NULL, tanh },
    { "erf", build_erf, { 2, { 1, MANY } }, 0, NULL, erf },
    { "exp", build_exp, { 2, { 1, MANY } }, 0, itself, exp },
    { "hard_sigmoid", build_hard_sigmoid, { 2, { 1, MANY } }, 0, NULL, NULL },
    { "hard_swish", build_hard_swish, { 2, { 1, MANY } }, 0, NULL, NULL },
};

/* Of positive numbers; of others C's functions say what comes out. */
static const Operation roots[] = {
    { "sqrt", build_sqrt, { 2, { 1, MANY } }, 0, NULL, sqrt },
    { "log", build_log, { 2, { 1, MANY } }, 0, NULL, log },
    { "reciprocal", build_reciprocal, { 2, { 1, MANY } }, 0, NULL, reciprocal },
};

/* Blocks of channels, single planes with a rest, and rows with one. */
static const Operation norms[] = {
    { "group_norm", build_group_norm, { 4, { 2, 32, 70, 61 } }, 32, NULL, NULL },
    { "group_norm", build_group_norm, { 4, { 2, 12, 7, 5 } }, 12, NULL, NULL },
    { "layer_norm", build_layer_norm, { 3, { 2, 9, 77 } }, 77, NULL, NULL },
    { "softmax", build_softmax, { 3, { 2, 9, 77 } }, 0, NULL, NULL },
};

/* (owned) The result for @values, in f32. */
static float *compute(const Operation *operation, const char *device, const float *values)
{
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    g_autoptr(GError) error = NULL;
    AimfValue x = aimf_graph_input(graph, "x", operation->shape), weight = AIMF_NONE, bias = AIMF_NONE;
    if (operation->channels) {
        AimfShape shape = AIMF_SHAPE(operation->channels);
        g_autofree float *ones = g_new(float, operation->channels), *zeros = g_new0(float, operation->channels);
        for (gint64 c = 0; c < operation->channels; c++)
            ones[c] = 1;
        weight = aimf_graph_parameter(graph, "weight", shape);
        bias = aimf_graph_parameter(graph, "bias", shape);
        aimf_tensors_add(tensors, "weight", AIMF_F32, &shape, ones, &error);
        aimf_tensors_add(tensors, "bias", AIMF_F32, &shape, zeros, &error);
    }
    AimfValue y = operation->build(graph, x, weight, bias);
    g_autoptr(AimfDevice) opened = support_device(device);
    AimfCompileOptions options = { .device = opened, .outputs = &y, .n_outputs = 1 };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, tensors, &error));
    support_write(plan, x, values);
    g_assert_true(aimf_plan_run(plan, &error));
    return support_read(plan, y);
}

/* (owned) From tiny to large, both signs. */
static float *all_sizes(void)
{
    float *values = g_new(float, MANY);
    for (int i = 0; i < MANY; i++) {
        double exponent = -30 + 37.0 * (i / 2) / (MANY / 2); /* of 2 */
        values[i] = (float)(exp2(exponent) * (i % 2 ? 1 : -1));
    }
    return values;
}

/* Every element by itself; results near the smallest normal number have no digits to check. */
static void check_activation(const Operation *activation, const float *values)
{
    g_autofree float *expected = compute(activation, "reference", values);
    g_autofree float *result = compute(activation, "cpu", values);
    for (int i = 0; i < MANY; i++) {
        double error = fabs((double)result[i] - (double)expected[i]);
        /* A few roundings, and that of exp's argument to 24 bits: what it changes grows with the argument. */
        double argument = activation->argument ? 1.702 * fabs(activation->argument(values[i])) : 0;
        double allowed = (1e-6 + argument * 0x1p-23) * fabs((double)expected[i]) + 1e-34;
        if (!(error <= allowed) && result[i] != expected[i])
            g_error("%s(%g) = %g, expected %g", activation->name, (double)values[i], (double)result[i],
                    (double)expected[i]);
    }
}

static void test_activations(void)
{
    g_autofree float *values = all_sizes();
    for (guint k = 0; k < G_N_ELEMENTS(activations); k++)
        check_activation(&activations[k], values);
    for (int i = 0; i < MANY; i++)
        values[i] = fabsf(values[i]);
    for (guint k = 0; k < G_N_ELEMENTS(roots); k++)
        check_activation(&roots[k], values);
}

/* Zeros, infinities, what is no number and what has fewer digits, as C has them. */
static void check_specials(const Operation *operation)
{
    const float specials[] = { 0, -0.0f, INFINITY, -INFINITY, NAN, -1, 1e-40f, -1e-40f, 3e38f, -3e38f, 1 };
    g_autofree float *values = g_new(float, MANY);
    for (int i = 0; i < MANY; i++)
        values[i] = specials[i % (int)G_N_ELEMENTS(specials)];
    g_autofree float *result = compute(operation, "cpu", values);
    for (int i = 0; i < MANY; i++) {
        float expected = (float)operation->function(values[i]);
        gboolean is_near = fabs((double)result[i] - (double)expected) <= 1e-6 * fabs((double)expected) + 1e-37;
        if (!(isnan(expected) && isnan(result[i])) && result[i] != expected && !is_near)
            g_error("%s(%g) = %g, expected %g", operation->name, (double)values[i], (double)result[i],
                    (double)expected);
    }
}

static void test_specials(void)
{
    for (guint k = 0; k < G_N_ELEMENTS(activations); k++)
        if (activations[k].function)
            check_specials(&activations[k]);
    for (guint k = 0; k < G_N_ELEMENTS(roots); k++)
        check_specials(&roots[k]);
}

/* (owned) The gradient of the sum of all elements. */
static float *slopes_of(const Operation *operation, const char *device, const float *values)
{
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    g_autoptr(GError) error = NULL;
    aimf_tensors_add(tensors, "x", AIMF_F32, &operation->shape, values, &error);
    AimfValue x = aimf_graph_parameter(graph, "x", operation->shape);
    AimfValue loss = aimf_reduce_sum(graph, operation->build(graph, x, AIMF_NONE, AIMF_NONE), 3, FALSE);
    g_autoptr(AimfDevice) opened = support_device(device);
    AimfCompileOptions options = { .device = opened, .loss = loss, .trainable = &x, .n_trainable = 1 };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, tensors, &error) && aimf_plan_run(plan, &error));
    return support_read(plan, aimf_plan_gradient(plan, x));
}

/* Slopes are about 1, and cross 0: where they are small no relative error can be asked for. */
static void test_slopes(void)
{
    g_autofree float *values = all_sizes();
    values[0] = 1e30f;
    values[1] = -1e30f;
    values[2] = NAN;
    for (guint k = 0; k < G_N_ELEMENTS(activations); k++) {
        g_autofree float *expected = slopes_of(&activations[k], "reference", values);
        g_autofree float *result = slopes_of(&activations[k], "cpu", values);
        for (int i = 0; i < MANY; i++) {
            double error = fabs((double)result[i] - (double)expected[i]);
            double argument = activations[k].build == build_exp ? fabs((double)values[i]) : 0;
            double allowed = 1e-6 + (1e-6 + argument * 0x1p-23) * fabs((double)expected[i]);
            gboolean is_hard = activations[k].build == build_hard_sigmoid || activations[k].build == build_hard_swish;
            if (i == 2 && !is_hard)
                g_assert_true(isnan(result[i]));
            else if (i != 2 && !(error <= allowed) && result[i] != expected[i])
                g_error("the slope of %s at %g is %g, expected %g", activations[k].name, (double)values[i],
                        (double)result[i], (double)expected[i]);
        }
    }
}

/* A mean ten thousand times the spread leaves f32 numbers 10 bits of it; all of these must be used. */
static void test_far_from_zero(void)
{
    for (guint k = 0; k < G_N_ELEMENTS(norms); k++) {
        gsize n = (gsize)aimf_shape_count(&norms[k].shape);
        g_autofree float *values = g_new(float, n);
        for (gsize i = 0; i < n; i++)
            values[i] = 10000 + (float)((i * 2654435761u >> 8) % 2001) / 1000;
        g_autofree float *expected = compute(&norms[k], "reference", values);
        g_autofree float *result = compute(&norms[k], "cpu", values);
        for (gsize i = 0; i < n; i++)
            g_assert_cmpfloat_with_epsilon((double)result[i], (double)expected[i], 1e-5);
    }
}

/* A NaN spoils its element, its group or its row, and nothing else. */
static void check_nan(const Operation *operation, const char *device, gsize begin, gsize end)
{
    gsize n = (gsize)aimf_shape_count(&operation->shape);
    g_autofree float *values = g_new(float, n);
    for (gsize i = 0; i < n; i++)
        values[i] = (float)(i % 7) - 3;
    values[begin] = NAN;
    g_autofree float *result = compute(operation, device, values);
    for (gsize i = 0; i < n; i++)
        g_assert_cmpint(isnan(result[i]) != 0, ==, i >= begin && i < end);
}

static void test_nan(void)
{
    static const char *const devices[] = { "reference", "cpu" };
    for (guint b = 0; b < G_N_ELEMENTS(devices); b++) {
        for (guint k = 0; k < G_N_ELEMENTS(activations); k++)
            check_nan(&activations[k], devices[b], 5, 6);
        for (guint k = 0; k < G_N_ELEMENTS(norms); k++) {
            const AimfShape *shape = &norms[k].shape;
            gsize group =
                shape->rank == 4 ? (gsize)(shape->dim[1] / 4 * shape->dim[2] * shape->dim[3]) : (gsize)shape->dim[2];
            check_nan(&norms[k], devices[b], group, 2 * group);
        }
    }
}

/* What a mask hides, by minus infinity, weighs nothing, along either kind of dimension, beside any other number. */
static void test_hidden(gconstpointer data)
{
    enum { ROWS = 5, COLUMNS = 37 };
    float values[ROWS * COLUMNS];
    for (int i = 0; i < ROWS * COLUMNS; i++)
        values[i] = i % 3 ? (float)(i % 7) * 1000 : -INFINITY;
    for (int axis = 0; axis < 2; axis++) {
        g_autoptr(AimfGraph) graph = aimf_graph_new();
        g_autoptr(GError) error = NULL;
        AimfValue x = aimf_graph_input(graph, "x", AIMF_SHAPE(ROWS, COLUMNS)), y = aimf_softmax(graph, x, axis);
        g_autoptr(AimfDevice) opened = support_device(data);
        AimfCompileOptions options = { .device = opened, .outputs = &y, .n_outputs = 1 };
        g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
        g_assert_no_error(error);
        support_write(plan, x, values);
        g_assert_true(aimf_plan_run(plan, &error));
        g_autofree float *result = support_read(plan, y);
        double sum = 0;
        for (int i = 0; i < ROWS * COLUMNS; i++) {
            g_assert_true(i % 3 ? result[i] >= 0 : result[i] == 0);
            sum += (double)result[i];
        }
        g_assert_cmpfloat_with_epsilon(sum, axis ? ROWS : COLUMNS, 1e-5);
    }
}

static void test_unknown_ids(gconstpointer data)
{
    const float ids[] = { 1, -1, 2, 3, 1e10f, NAN };
    const float table[] = { 1, 2, 3, 4, 5, 6 };
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    g_autoptr(GError) error = NULL;
    AimfShape shape = AIMF_SHAPE(3, 2);
    aimf_tensors_add(tensors, "table", AIMF_F32, &shape, table, &error);
    AimfValue x = aimf_graph_input(graph, "ids", AIMF_SHAPE(1, G_N_ELEMENTS(ids)));
    AimfValue y = aimf_embedding(graph, x, aimf_graph_parameter(graph, "table", shape), AIMF_NONE);
    g_autoptr(AimfDevice) opened = support_device(data);
    AimfCompileOptions options = { .device = opened, .outputs = &y, .n_outputs = 1 };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, tensors, &error));
    support_write(plan, x, ids);
    g_assert_true(aimf_plan_run(plan, &error));
    g_autofree float *result = support_read(plan, y);
    for (guint i = 0; i < G_N_ELEMENTS(ids); i++)
        for (guint c = 0; c < 2; c++) {
            if (i == 0 || i == 2)
                g_assert_cmpfloat(result[2 * i + c], ==, table[2 * (int)ids[i] + (int)c]);
            else
                g_assert_true(isnan(result[2 * i + c]));
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/extremes/activations", test_activations);
    g_test_add_func("/extremes/specials", test_specials);
    g_test_add_func("/extremes/slopes", test_slopes);
    g_test_add_func("/extremes/far_from_zero", test_far_from_zero);
    g_test_add_func("/extremes/nan", test_nan);
    g_test_add_data_func("/extremes/hidden/reference", "reference", test_hidden);
    g_test_add_data_func("/extremes/hidden/onednn", "cpu", test_hidden);
    g_test_add_data_func("/extremes/unknown_ids/reference", "reference", test_unknown_ids);
    g_test_add_data_func("/extremes/unknown_ids/onednn", "cpu", test_unknown_ids);
    return g_test_run();
}
