/*
 * Operations on elements between convolutions, whose results lie in blocks of channels, with padding where channels do
 * not fill them: devices agree with the reference on results and gradients, and what comes out of a sample depends on
 * neither batch nor threads, to the bit. And what PyTorch does where elements tie or gradients have kinks.
 */
#include "device/support_devices.h"
#include "graph/support_formula.h"

#include <math.h>
#include <string.h>

enum {
    HEIGHT = 5,
    WIDTH = 6,
    IMAGE_CHANNELS = 3,
    OUTPUTS = 4,
    MOST_PARAMETERS = 8,
    MOST_SAMPLES = 3,
    MOST_THREADS = 3
};

typedef struct {
    AimfGraph *graph;
    AimfTensors *tensors;
    AimfValue images, cotangent, output;
    AimfValue parameters[MOST_PARAMETERS];
    guint n_parameters;
    gint64 samples, channels;
} Net;

static AimfValue parameter(Net *net, AimfShape shape)
{
    g_autofree char *name = g_strdup_printf("p%u", net->n_parameters);
    g_autoptr(GError) error = NULL;
    int index = aimf_tensors_add(net->tensors, name, AIMF_F32, &shape, NULL, &error);
    g_assert_no_error(error);
    float *data = aimf_tensors_writable(net->tensors, (guint)index);
    for (guint32 i = 0; i < aimf_shape_count(&shape); i++)
        data[i] = (float)formula_fine(formula_seed(name), i);
    g_assert_cmpuint(net->n_parameters, <, MOST_PARAMETERS);
    return net->parameters[net->n_parameters++] = aimf_graph_parameter(net->graph, name, shape);
}

static AimfValue conv(Net *net, AimfValue x, gint64 outputs)
{
    AimfValue weight = parameter(net, AIMF_SHAPE(outputs, aimf_graph_shape(net->graph, x).dim[1], 1, 1));
    return aimf_conv2d(net->graph, x, weight, parameter(net, AIMF_SHAPE(outputs)), (AimfConv2d){ 0 });
}

/* --- What stands between the convolutions; @which tells apart those of a kind --- */

typedef AimfValue (*Middle)(Net *net, AimfValue x, guint which);

enum { N_UNARIES = 15, N_BINARIES = 7, N_SHAPES = 9, N_MASKS = 16 };

/* Operands for which the function has no values at 0 or below are made positive, and their padding is not. */
static AimfValue unary(Net *net, AimfValue x, guint which)
{
    AimfGraph *g = net->graph;
    AimfValue (*const functions[])(AimfGraph *, AimfValue) = {
        aimf_silu,       aimf_gelu, aimf_gelu_tanh, aimf_quick_gelu, aimf_sigmoid, aimf_tanh,       aimf_hard_sigmoid,
        aimf_hard_swish, aimf_erf,  aimf_exp,       aimf_sqrt,       aimf_log,     aimf_reciprocal,
    };
    if (which == 0)
        return aimf_clip(g, x, 0.25, 0.75);
    if (which == 1)
        return aimf_clip(g, x, -1, -0.25);
    if (which >= 12)
        x = aimf_add(g, aimf_exp(g, x), parameter(net, AIMF_SHAPE(net->channels, 1, 1)));
    if (which >= 12)
        x = aimf_maximum(g, x, aimf_exp(g, parameter(net, AIMF_SHAPE(1))));
    return functions[which - 2](g, x);
}

static AimfShape operand_shape(const Net *net, guint which)
{
    gint64 n = net->samples, c = net->channels;
    const AimfShape shapes[N_SHAPES] = {
        AIMF_SHAPE(1, c, 1, 1),
        AIMF_SHAPE(c, 1, 1),
        AIMF_SHAPE(1),
        AIMF_SHAPE(HEIGHT, 1),
        AIMF_SHAPE(1, 1, 1, WIDTH),
        AIMF_SHAPE(1, c, HEIGHT, WIDTH),
        AIMF_SHAPE(1, 1, HEIGHT, WIDTH),
        { 0 },
        AIMF_SHAPE(c, HEIGHT, 1),
    };
    (void)n;
    return shapes[which];
}

static AimfValue binary(Net *net, AimfValue x, guint which)
{
    AimfGraph *g = net->graph;
    AimfValue (*const functions[N_BINARIES])(AimfGraph *, AimfValue, AimfValue) = {
        aimf_add, aimf_subtract, aimf_multiply, aimf_divide, aimf_power, aimf_minimum, aimf_maximum,
    };
    AimfValue b = parameter(net, operand_shape(net, which % N_SHAPES));
    guint function = which / N_SHAPES % N_BINARIES;
    gboolean is_swapped = which >= N_SHAPES * N_BINARIES;
    AimfValue first = is_swapped ? b : x, second = is_swapped ? x : b;
    if (function == 3)
        second = aimf_exp(g, second);
    if (function == 4)
        first = aimf_exp(g, first);
    return functions[function](g, first, second);
}

/* Two convolutions' results. */
static AimfValue pair(Net *net, AimfValue x, guint which)
{
    AimfGraph *g = net->graph;
    AimfValue b = conv(net, net->images, net->channels);
    switch (which) {
    case 0:
        return aimf_multiply(g, x, b);
    case 1:
        return aimf_divide(g, x, aimf_exp(g, b));
    case 2:
        return aimf_maximum(g, x, b);
    case 3:
        return aimf_add(g, aimf_multiply(g, x, x), b);
    default:
        return aimf_power(g, aimf_exp(g, x), b);
    }
}

/* Squeeze and excitation: Hu et al. 2018. */
static AimfValue excitation(Net *net, AimfValue x, guint which)
{
    AimfGraph *g = net->graph;
    AimfValue s = aimf_reduce_mean(g, x, 12, TRUE);
    s = which ? aimf_relu(g, conv(net, s, net->channels / 2)) : s;
    return aimf_multiply(g, x, aimf_sigmoid(g, which ? conv(net, s, net->channels) : s));
}

/* Every set of dimensions. */
static AimfValue reduction(Net *net, AimfValue x, guint which)
{
    guint axes = which % N_MASKS;
    AimfGraph *g = net->graph;
    AimfValue y = which < N_MASKS       ? aimf_reduce_sum(g, x, axes, TRUE)
                  : which < 2 * N_MASKS ? aimf_reduce_mean(g, x, axes, TRUE)
                                        : aimf_reduce_max(g, x, axes, TRUE);
    return aimf_add(g, x, y);
}

static AimfValue prelu(Net *net, AimfValue x, guint which)
{
    return aimf_prelu(net->graph, x, parameter(net, AIMF_SHAPE(which ? net->channels : 1)));
}

static AimfValue expand(Net *net, AimfValue x, guint which)
{
    AimfShape shape = aimf_graph_shape(net->graph, x);
    AimfValue small = which ? aimf_reduce_max(net->graph, x, 12, TRUE) : parameter(net, AIMF_SHAPE(1, HEIGHT, 1));
    return aimf_add(net->graph, x, aimf_expand(net->graph, small, shape));
}

static const struct {
    const char *name;
    Middle build;
    guint n;
    gboolean mixes_samples; /* at some sets of dimensions */
} middles[] = {
    { "unary", unary, N_UNARIES, FALSE },
    { "binary", binary, 2 * N_BINARIES *N_SHAPES, FALSE },
    { "pair", pair, 5, FALSE },
    { "excitation", excitation, 2, FALSE },
    { "reduction", reduction, 3 * N_MASKS, TRUE },
    { "prelu", prelu, 2, FALSE },
    { "expand", expand, 2, FALSE },
};

/* --- Plans --- */

static void net_init(Net *net, Middle build, guint which, gint64 samples, gint64 channels)
{
    *net = (Net){ .graph = aimf_graph_new(), .tensors = aimf_tensors_new(), .samples = samples, .channels = channels };
    net->images = aimf_graph_input(net->graph, "images", AIMF_SHAPE(samples, IMAGE_CHANNELS, HEIGHT, WIDTH));
    AimfValue x = build(net, conv(net, net->images, channels), which);
    net->output = conv(net, x, OUTPUTS);
    net->cotangent = aimf_graph_input(net->graph, "cotangent", aimf_graph_shape(net->graph, net->output));
}

static void net_clear(Net *net)
{
    aimf_graph_free(net->graph);
    aimf_tensors_free(net->tensors);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Net, net_clear)

static void write_formula(AimfPlan *plan, AimfValue value, const char *name, gsize n)
{
    g_autofree float *data = g_new(float, n);
    for (guint32 i = 0; i < n; i++)
        data[i] = (float)formula_fine(formula_seed(name), i);
    support_write(plan, value, data);
}

/* A plan that has run. */
static AimfPlan *run(const Net *net, const char *device, gboolean backward)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfDevice) opened = support_device(device);
    AimfCompileOptions options = { .device = opened,
                                   .outputs = &net->output,
                                   .n_outputs = 1,
                                   .loss = backward ? net->output : AIMF_NONE,
                                   .loss_gradient = backward ? net->cotangent : AIMF_NONE,
                                   .trainable = net->parameters,
                                   .n_trainable = backward ? net->n_parameters : 0 };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(net->graph, &options, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, net->tensors, &error));
    write_formula(plan, net->images, "images", (gsize)(net->samples * IMAGE_CHANNELS * HEIGHT * WIDTH));
    write_formula(plan, net->cotangent, "cotangent", (gsize)(net->samples * OUTPUTS * HEIGHT * WIDTH));
    g_assert_true(aimf_plan_run(plan, &error));
    return g_steal_pointer(&plan);
}

/* Channels that fill blocks, and such that leave padding. */
static const gint64 widths[] = { 16, 12, 5 };

/*
 * In the 2-norm, relative to what is expected, or to 1: a gradient may be one number, a sum of hundreds of either sign,
 * of which little is left.
 */
static double difference(const float *a, const float *b, gsize n)
{
    double norm = 0;
    for (gsize i = 0; i < n; i++)
        norm += (double)b[i] * (double)b[i];
    return relative_error(a, b, n) * MIN(sqrt(norm), 1);
}

/* As for one operation: three have little to add to one another's rounding. */
static void test_agreement(gconstpointer data)
{
    guint kind = GPOINTER_TO_UINT(data);
    for (const char *const *device = support_devices(); *device; device++)
        for (guint which = 0; which < middles[kind].n; which++)
            for (guint i = 0; i < G_N_ELEMENTS(widths) && strcmp(*device, "reference") != 0; i++) {
                g_auto(Net) net;
                net_init(&net, middles[kind].build, which, 2, widths[i]);
                g_autoptr(AimfPlan) plan = run(&net, *device, TRUE), oracle = run(&net, "reference", TRUE);
                for (guint p = 0; p <= net.n_parameters; p++) {
                    gboolean is_output = p == net.n_parameters;
                    AimfValue value = is_output ? net.output : net.parameters[p];
                    AimfShape shape = aimf_graph_shape(net.graph, value);
                    g_autofree float *result = support_read(plan, is_output ? value : aimf_plan_gradient(plan, value));
                    g_autofree float *expected =
                        support_read(oracle, is_output ? value : aimf_plan_gradient(oracle, value));
                    double error = difference(result, expected, (gsize)aimf_shape_count(&shape));
                    if (!(error <= 1e-5))
                        g_error("%s %u, %d channels, value %u of %u: relative error %g", middles[kind].name, which,
                                (int)widths[i], p, net.n_parameters, error);
                }
            }
}

static float *forward(guint kind, guint which, gint64 channels, gint64 samples, int threads)
{
    g_auto(Net) net;
    net_init(&net, middles[kind].build, which, samples, channels);
    aimf_set_threads(threads);
    g_autoptr(AimfPlan) plan = run(&net, "cpu", FALSE);
    return support_read(plan, net.output);
}

static void test_independence(gconstpointer data)
{
    guint kind = GPOINTER_TO_UINT(data);
    const gsize each = OUTPUTS * HEIGHT * WIDTH * sizeof(float);
    for (guint which = 0; which < middles[kind].n; which++) {
        if (middles[kind].mixes_samples && which & 1)
            continue;
        for (guint i = 0; i < G_N_ELEMENTS(widths); i++) {
            g_autofree float *alone = forward(kind, which, widths[i], 1, 1);
            for (gint64 samples = 1; samples <= MOST_SAMPLES; samples += 2)
                for (int threads = 1; threads <= MOST_THREADS; threads += 2) {
                    g_autofree float *together = forward(kind, which, widths[i], samples, threads);
                    if (memcmp(alone, together, each) != 0)
                        g_error("%s %u, %d channels: another result in a batch of %d on %d threads", middles[kind].name,
                                which, (int)widths[i], (int)samples, threads);
                }
        }
    }
}

/* --- Sums of so many terms that they are of several parts --- */

enum { MANY_ROWS = 301, MANY_COLUMNS = 500, MANY_SAMPLES = 2 };

/* (owned) Over @axes of (N, 301, 500), and with @backward the gradient of a vector of 500 that it was multiplied by. */
static float *sum_many(guint axes, gint64 samples, int threads, const float *numbers, gboolean backward, gsize *n)
{
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    g_autoptr(GError) error = NULL;
    AimfShape shape = AIMF_SHAPE(MANY_COLUMNS);
    aimf_tensors_add(tensors, "scale", AIMF_F32, &shape, numbers, &error);
    AimfValue x = aimf_graph_input(graph, "x", AIMF_SHAPE(samples, MANY_ROWS, MANY_COLUMNS));
    AimfValue scale = aimf_graph_parameter(graph, "scale", shape);
    AimfValue y = aimf_reduce_sum(graph, backward ? aimf_multiply(graph, x, scale) : x, axes, FALSE);
    aimf_set_threads(threads);
    AimfCompileOptions options = { .outputs = &y,
                                   .n_outputs = 1,
                                   .loss = backward ? y : AIMF_NONE,
                                   .trainable = &scale,
                                   .n_trainable = backward ? 1 : 0 };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, tensors, &error));
    support_write(plan, x, numbers);
    g_assert_true(aimf_plan_run(plan, &error));
    AimfValue result = backward ? aimf_plan_gradient(plan, scale) : y;
    AimfShape result_shape = aimf_graph_shape(graph, backward ? scale : y);
    *n = (gsize)aimf_shape_count(&result_shape);
    return support_read(plan, result);
}

static void test_many_terms(void)
{
    const guint sets[] = { 6, 2, 4, 7, 3 }; /* the first three are of each sample */
    gsize count = MANY_SAMPLES * MANY_ROWS * MANY_COLUMNS, n, n_alone;
    g_autofree float *numbers = g_new(float, count);
    g_autofree double *sums = g_new(double, count);
    for (guint32 i = 0; i < count; i++)
        numbers[i] = (float)formula_fine(formula_seed("many"), i) + 0.5f;
    for (guint set = 0; set <= G_N_ELEMENTS(sets); set++) {
        gboolean backward = set == G_N_ELEMENTS(sets);
        guint axes = backward ? 7 : sets[set], kept = backward ? 4 : 7 & ~axes;
        g_autofree float *result = sum_many(axes, MANY_SAMPLES, 3, numbers, backward, &n);
        memset(sums, 0, count * sizeof *sums);
        for (gsize i = 0; i < count; i++) {
            gsize at[] = { i / (MANY_ROWS * MANY_COLUMNS), i / MANY_COLUMNS % MANY_ROWS, i % MANY_COLUMNS }, to = 0;
            const gsize sizes[] = { MANY_SAMPLES, MANY_ROWS, MANY_COLUMNS };
            for (int d = 0; d < 3; d++)
                to = kept >> d & 1 ? to * sizes[d] + at[d] : to;
            sums[to] += (double)numbers[i];
        }
        for (gsize i = 0; i < n; i++)
            g_assert_cmpfloat_with_epsilon((double)result[i], sums[i], 1e-7 * sums[i]);
        g_autofree float *alone = sum_many(axes, set < 3 ? 1 : MANY_SAMPLES, 1, numbers, backward, &n_alone);
        g_assert_cmpint(memcmp(result, alone, n_alone * sizeof(float)), ==, 0);
    }
}

/* --- Ties and kinks --- */

enum { KINKS = 6 };

/* What @build makes of x and b, and their gradients for an incoming gradient of 1, must be what PyTorch 2.15 gives. */
static void check_kinks(const char *device, AimfValue (*build)(AimfGraph *, AimfValue, AimfValue), const float *x,
                        const float *b, const float *dx, const float *db)
{
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    g_autoptr(GError) error = NULL;
    AimfShape shape = AIMF_SHAPE(1, KINKS);
    aimf_tensors_add(tensors, "x", AIMF_F32, &shape, x, &error);
    aimf_tensors_add(tensors, "b", AIMF_F32, &shape, b, &error);
    AimfValue parameters[] = { aimf_graph_parameter(graph, "x", shape), aimf_graph_parameter(graph, "b", shape) };
    AimfValue y = build(graph, parameters[0], parameters[1]);
    AimfValue loss = aimf_reduce_sum(graph, y, (1u << aimf_graph_shape(graph, y).rank) - 1, FALSE);
    g_autoptr(AimfDevice) opened = support_device(device);
    AimfCompileOptions options = { .device = opened, .loss = loss, .trainable = parameters, .n_trainable = db ? 2 : 1 };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, tensors, &error) && aimf_plan_run(plan, &error));
    for (int k = 0; k < (db ? 2 : 1); k++) {
        g_autofree float *gradient = support_read(plan, aimf_plan_gradient(plan, parameters[k]));
        for (int i = 0; i < KINKS; i++) {
            double expected = (double)(k ? db : dx)[i];
            if (!(fabs((double)gradient[i] - expected) <= 1e-6 * fabs(expected) || (double)gradient[i] == expected))
                g_error("%s: gradient %d of operand %d is %g, expected %g", device, i, k + 1, (double)gradient[i],
                        expected);
        }
    }
}

static AimfValue build_clip(AimfGraph *graph, AimfValue x, AimfValue b)
{
    (void)b;
    return aimf_clip(graph, x, 0, 6);
}

static AimfValue build_hard_sigmoid(AimfGraph *graph, AimfValue x, AimfValue b)
{
    (void)b;
    return aimf_hard_sigmoid(graph, x);
}

static AimfValue build_hard_swish(AimfGraph *graph, AimfValue x, AimfValue b)
{
    (void)b;
    return aimf_hard_swish(graph, x);
}

static AimfValue build_reduce_max(AimfGraph *graph, AimfValue x, AimfValue b)
{
    (void)b;
    return aimf_reduce_max(graph, x, 2, FALSE);
}

static void test_kinks(gconstpointer data)
{
    const float x[] = { 0, 6, -1, 7, 3, 0.5f }, threes[] = { -3, 3, 0, -4, 4, 1.5f }, ties[] = { 1, 2, 2, -1, 2, 0 };
    const float other[] = { 1, 3, 2, -2, -2, 0 }, bases[] = { 0, 0, -2, 0, 2, 1 }, exponents[] = { 0, 2, 2, -1, 3, 0 };
    check_kinks(data, build_clip, x, x, (float[]){ 0, 0, 0, 0, 1, 1 }, NULL);
    check_kinks(data, build_hard_sigmoid, threes, x, (float[]){ 0, 0, 1 / 6.0f, 0, 0, 1 / 6.0f }, NULL);
    check_kinks(data, build_hard_swish, threes, x, (float[]){ 0, 1, 0.5f, 0, 1, 1 }, NULL);
    check_kinks(data, build_reduce_max, ties, x, (float[]){ 0, 1 / 3.0f, 1 / 3.0f, 0, 1 / 3.0f, 0 }, NULL);
    check_kinks(data, aimf_minimum, ties, other, (float[]){ 0.5f, 1, 0.5f, 0, 0, 0.5f },
                (float[]){ 0.5f, 0, 0.5f, 1, 1, 0.5f });
    check_kinks(data, aimf_maximum, ties, other, (float[]){ 0.5f, 0, 0.5f, 1, 1, 0.5f },
                (float[]){ 0.5f, 1, 0.5f, 0, 0, 0.5f });
    check_kinks(data, aimf_power, bases, exponents, (float[]){ 0, 0, -4, -INFINITY, 12, 0 }, NULL);
}

static void test_exponents(gconstpointer data)
{
    const float bases[] = { 0, 0, 1, 0, 2, 4 }, exponents[] = { 0, 2, 2, -1, 3, 0.5f };
    check_kinks(data, aimf_power, bases, exponents, (float[]){ 0, 0, 2, -INFINITY, 12, 0.25f },
                (float[]){ 0, 0, 0, -INFINITY, 5.545177444f, 2.772588722f });
}

/* --- Mistakes --- */

static void check_mistake(AimfGraph *graph, AimfValue result, const char *says)
{
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(result, ==, AIMF_NONE);
    g_assert_null(aimf_graph_compile(graph, &(AimfCompileOptions){ 0 }, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    if (!strstr(error->message, says))
        g_error("'%s' does not say '%s'", error->message, says);
    aimf_graph_free(graph);
}

static void test_mistakes(void)
{
#define MISTAKE(says, ...)                                                                                             \
    do {                                                                                                               \
        AimfGraph *graph = aimf_graph_new();                                                                           \
        AimfValue x = aimf_graph_input(graph, "x", AIMF_SHAPE(2, 3, 4, 5)), b;                                         \
        b = aimf_graph_input(graph, "b", AIMF_SHAPE(3, 5));                                                            \
        (void)x, (void)b;                                                                                              \
        check_mistake(graph, __VA_ARGS__, says);                                                                       \
    } while (0)
    MISTAKE("multiply: the shapes 2x3x4x5 and 3x5 do not broadcast", aimf_multiply(graph, x, b));
    MISTAKE("add: the shapes 3x5 and 2x3x4x5 do not broadcast", aimf_add(graph, b, x));
    MISTAKE("maximum: operand 2 is missing", aimf_maximum(graph, x, AIMF_NONE));
    MISTAKE("expand: a value of the shape 3x5", aimf_expand(graph, b, AIMF_SHAPE(3, 4)));
    MISTAKE("expand: a value of the shape 3x5", aimf_expand(graph, b, AIMF_SHAPE(5)));
    MISTAKE("expand: a value of the shape 3x5", aimf_expand(graph, b, AIMF_SHAPE(0, 3, 5)));
    MISTAKE("reduce_mean: the input has the shape 3x5, which lacks", aimf_reduce_mean(graph, b, 4, TRUE));
    MISTAKE("reduce_max: the input has the shape 3x5, which lacks", aimf_reduce_max(graph, b, 1u << 31, TRUE));
    MISTAKE("clip: the lower bound 1 must be below the upper one, 1", aimf_clip(graph, b, 1, 1));
    MISTAKE("clip: the lower bound nan", aimf_clip(graph, b, NAN, 1));
    MISTAKE("prelu: the slopes has the shape 3x5, expected (1) or (C)", aimf_prelu(graph, x, b));
    MISTAKE("sigmoid: operand 1 is missing", aimf_sigmoid(graph, AIMF_NONE));
#undef MISTAKE
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/elements/mistakes", test_mistakes);
    g_test_add_func("/elements/many_terms", test_many_terms);
    for (guint kind = 0; kind < G_N_ELEMENTS(middles); kind++) {
        g_autofree char *agreement = g_strdup_printf("/elements/agreement/%s", middles[kind].name);
        g_autofree char *independence = g_strdup_printf("/elements/independence/%s", middles[kind].name);
        g_test_add_data_func(agreement, GUINT_TO_POINTER(kind), test_agreement);
        g_test_add_data_func(independence, GUINT_TO_POINTER(kind), test_independence);
    }
    for (const char *const *device = support_devices(); *device; device++) {
        g_autofree char *kinks = g_strdup_printf("/elements/kinks/%s", *device);
        g_autofree char *exponents = g_strdup_printf("/elements/exponents/%s", *device);
        g_test_add_data_func(kinks, *device, test_kinks);
        g_test_add_data_func(exponents, *device, test_exponents);
    }
    return g_test_run();
}
