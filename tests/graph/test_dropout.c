/*
 * Dropout: how much it drops, that the gradient drops the same, that other draws drop others, and that nothing but the
 * draw decides what: neither device nor threads, layout or batch.
 */
#include "device/support_devices.h"
#include "graph/support_formula.h"
#include "graph/support_precision.h"

#include <math.h>
#include <string.h>

typedef struct {
    AimfShape shape;
    AimfDropout options;
    float draw[2];
    gboolean picture; /* as a convolution would give it */
    AimfPrecision precision;
} Case;

/* What came of x and of the gradient that went in, and these; nothing in them is 0. */
typedef struct {
    gsize n;
    float *x, *y, *dy, *dx;
} Result;

static void result_clear(Result *result)
{
    g_free(result->x);
    g_free(result->y);
    g_free(result->dy);
    g_free(result->dx);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Result, result_clear)

static float *numbers(const char *name, gsize n)
{
    float *data = g_new(float, n);
    for (guint32 i = 0; i < n; i++) {
        data[i] = formula_coarse(formula_seed(name), i);
        if (data[i] == 0)
            data[i] = 1;
    }
    return data;
}

/* FALSE if the processor lacks the precision. */
static gboolean drop(const char *device, const Case *c, int threads, Result *result)
{
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    AimfValue x = aimf_graph_parameter(graph, "x", c->shape), y = x;
    AimfValue draw = aimf_graph_input(graph, "draw", AIMF_SHAPE(2));
    AimfValue cotangent = aimf_graph_input(graph, "cotangent", c->shape);
    if (c->picture) /* there and back, in blocks where the channels allow */
        y = aimf_planes(graph, aimf_tokens(graph, y), (int)c->shape.dim[2], (int)c->shape.dim[3]);
    y = aimf_dropout(graph, y, draw, c->options);
    g_autoptr(AimfDevice) opened = support_device(device);
    AimfCompileOptions options = { .device = opened,
                                   .threads = threads,
                                   .precision = c->precision,
                                   .outputs = &y,
                                   .n_outputs = 1,
                                   .loss = y,
                                   .loss_gradient = cotangent,
                                   .trainable = &x,
                                   .n_trainable = 1 };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &options, &error);
    if (precision_is_missing(c->precision, error))
        return FALSE;
    g_assert_no_error(error);
    result->n = (gsize)aimf_shape_count(&c->shape);
    result->x = numbers("x", result->n);
    result->dy = numbers("dy", result->n);
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    aimf_tensors_add(tensors, "x", AIMF_F32, &c->shape, result->x, &error);
    g_assert_no_error(error);
    support_write(plan, draw, c->draw);
    support_write(plan, cotangent, result->dy);
    g_assert_true(aimf_plan_load(plan, tensors, &error) && aimf_plan_run(plan, &error));
    result->y = support_read(plan, y);
    result->dx = support_read(plan, aimf_plan_gradient(plan, x));
    return TRUE;
}

/* The part of units that are dropped; what is not is scaled, in bf16 rounded, and the gradient is treated alike. */
static double share_dropped(const Case *c, const Result *result)
{
    gsize each = c->options.samples ? result->n / (gsize)c->shape.dim[0] : 1, n_dropped = 0;
    float scale = (float)(1 / (1 - c->options.share));
    float rounding = c->precision == AIMF_PRECISION_BF16 ? 0x1p-8f : 0;
    for (gsize first = 0; first < result->n; first += each) {
        gboolean dropped = result->y[first] == 0;
        float factor = dropped ? 0 : scale;
        n_dropped += dropped ? 1 : 0;
        for (gsize i = first; i < first + each; i++) {
            float y = result->x[i] * factor, dx = result->dy[i] * factor;
            g_assert_cmpfloat(fabsf(result->y[i] - y), <=, rounding * fabsf(y));
            g_assert_cmpfloat(fabsf(result->dx[i] - dx), <=, rounding * fabsf(dx));
        }
    }
    return (double)n_dropped * (double)each / (double)result->n;
}

/* Within five standard deviations of a binomial distribution, also in every eighth part of it. */
static void test_share(gconstpointer data)
{
    const double shares[] = { 0.1, 0.5, 0.9, 1e-9 };
    for (guint i = 0; i < G_N_ELEMENTS(shares); i++)
        for (int samples = 0; samples < 2; samples++) {
            Case c = { .shape = samples ? AIMF_SHAPE(20000, 3) : AIMF_SHAPE(41, 17, 33),
                       .options = { .share = shares[i], .key = 7 + i, .samples = samples },
                       .draw = { 3, 5 } };
            g_auto(Result) result = { 0 };
            g_assert_true(drop(data, &c, 0, &result));
            double n = (double)result.n / (samples ? 3 : 1), deviation = sqrt(shares[i] * (1 - shares[i]) / n);
            g_assert_cmpfloat_with_epsilon(share_dropped(&c, &result), shares[i], 5 * deviation);
            double most = 0;
            for (gsize part = 0; part < 8; part++) {
                gsize begin = result.n * part / 8, end = result.n * (part + 1) / 8, n_dropped = 0;
                for (gsize k = begin; k < end; k++)
                    n_dropped += result.y[k] == 0;
                most = fmax(most, fabs((double)n_dropped / (double)(end - begin) - shares[i]));
            }
            g_assert_cmpfloat(most, <=, 5 * sqrt(8) * deviation);
        }
}

/* How many elements only one of the two dropped, of all. */
static double difference(const Result *a, const Result *b)
{
    gsize n = 0;
    for (gsize i = 0; i < a->n; i++)
        n += (a->y[i] == 0) != (b->y[i] == 0);
    return (double)n / (double)a->n;
}

/* Half of the elements drop, so that independent draws differ in half of them: five standard deviations of 10000. */
static void test_draws_differ(gconstpointer data)
{
    const Case base = { .shape = AIMF_SHAPE(100, 100), .options = { .share = 0.5, .key = 1 }, .draw = { 1, 2 } };
    Case others[] = { base, base, base, base, base, base };
    others[0].options.key = 2;
    others[1].options.key = G_GUINT64_CONSTANT(1) << 40 | 1;
    others[2].draw[0] = 2;
    others[3].draw[1] = 0;
    others[4].draw[0] = 0xFFFFFF;
    others[5].draw[0] = 2; /* the two numbers are not alike */
    others[5].draw[1] = 1;
    g_auto(Result) first = { 0 }, again = { 0 };
    g_assert_true(drop(data, &base, 0, &first) && drop(data, &base, 0, &again));
    g_assert_cmpfloat(difference(&first, &again), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(others); i++) {
        g_auto(Result) other = { 0 };
        g_assert_true(drop(data, &others[i], 0, &other));
        g_assert_cmpfloat_with_epsilon(difference(&first, &other), 0.5, 0.025);
    }
}

#define ELEMENTS .options = { .share = 0.3, .key = 11 }, .draw = { 123456, 1 }
#define SAMPLES .options = { .share = 0.4, .key = 12, .samples = TRUE }, .draw = { 123456, 1 }
static const Case kinds[] = {
    { .shape = { 1, { 1 } }, ELEMENTS },
    { .shape = { 2, { 9, 7 } }, ELEMENTS },
    { .shape = { 3, { 3, 197, 190 } }, ELEMENTS },
    { .shape = { 4, { 2, 32, 9, 7 } }, ELEMENTS, .picture = TRUE },
    { .shape = { 4, { 2, 5, 9, 7 } }, ELEMENTS, .picture = TRUE },
    { .shape = { 1, { 7 } }, SAMPLES },
    { .shape = { 2, { 9, 7 } }, SAMPLES },
    { .shape = { 3, { 5, 197, 190 } }, SAMPLES },
    { .shape = { 4, { 11, 32, 9, 7 } }, SAMPLES, .picture = TRUE },
    { .shape = { 4, { 11, 5, 9, 7 } }, SAMPLES, .picture = TRUE },
};

/* What a device drops is what the reference drops, whatever the layout and the number of threads. */
static void test_agreement(gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
        for (int threads = 1; threads <= 3; threads++) {
            g_auto(Result) expected = { 0 }, result = { 0 };
            g_assert_true(drop("reference", &kinds[i], 1, &expected) && drop(data, &kinds[i], threads, &result));
            g_assert_true(memcmp(expected.y, result.y, result.n * sizeof(float)) == 0);
            g_assert_true(memcmp(expected.dx, result.dx, result.n * sizeof(float)) == 0);
            share_dropped(&kinds[i], &result);
        }
}

static void test_bf16(gconstpointer data)
{
    for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
        Case c = kinds[i];
        c.precision = AIMF_PRECISION_BF16;
        g_auto(Result) expected = { 0 }, result = { 0 };
        if (!drop(data, &c, 0, &result))
            return;
        g_assert_true(drop(data, &kinds[i], 0, &expected));
        g_assert_cmpfloat(difference(&result, &expected), ==, 0);
        g_assert_cmpfloat(share_dropped(&c, &result), ==, share_dropped(&kinds[i], &expected));
    }
}

/* Samples behind others drop what they drop alone: the batch's size decides nothing. */
static void test_batch(gconstpointer data)
{
    Case c = { .shape = AIMF_SHAPE(3, 50, 7), .options = { .share = 0.5, .key = 5 }, .draw = { 1, 1 } };
    for (int samples = 0; samples < 2; samples++) {
        c.options.samples = samples;
        c.shape.dim[0] = 3;
        g_auto(Result) small = { 0 }, large = { 0 };
        g_assert_true(drop(data, &c, 0, &small));
        c.shape.dim[0] = 8;
        g_assert_true(drop(data, &c, 0, &large));
        g_assert_true(memcmp(small.y, large.y, small.n * sizeof(float)) == 0);
    }
}

/* No share is no operation; what is not a number is seen behind it, as in PyTorch, dropped or not. */
static void test_nothing_and_nan(gconstpointer data)
{
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    AimfValue x = aimf_graph_input(graph, "x", AIMF_SHAPE(64));
    AimfValue draw = aimf_graph_input(graph, "draw", AIMF_SHAPE(2));
    g_assert_cmpint(aimf_dropout(graph, x, draw, (AimfDropout){ .key = 1 }), ==, x);
    AimfValue y = aimf_dropout(graph, x, draw, (AimfDropout){ .share = 0.5 });
    g_autoptr(AimfDevice) opened = support_device(data);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfPlan) plan =
        aimf_graph_compile(graph, &(AimfCompileOptions){ .device = opened, .outputs = &y, .n_outputs = 1 }, &error);
    g_assert_no_error(error);
    float numbers_in[64];
    for (int i = 0; i < 64; i++)
        numbers_in[i] = NAN;
    support_write(plan, x, numbers_in);
    support_write(plan, draw, (const float[]){ NAN, -1 }); /* no numbers either: they count as 0 */
    g_assert_true(aimf_plan_run(plan, &error));
    g_autofree float *out = support_read(plan, y);
    for (int i = 0; i < 64; i++)
        g_assert_true(isnan(out[i]));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    static const struct {
        const char *name;
        GTestDataFunc function;
    } tests[] = {
        { "share", test_share }, { "draws-differ", test_draws_differ },       { "agreement", test_agreement },
        { "batch", test_batch }, { "nothing-and-nan", test_nothing_and_nan }, { "bf16", test_bf16 },
    };
    for (const char *const *device = support_devices(); *device; device++)
        for (guint i = 0; i < G_N_ELEMENTS(tests); i++) {
            if (tests[i].function == test_bf16 && g_str_equal(*device, "reference"))
                continue;
            g_autofree char *path = g_strdup_printf("/dropout/%s/%s", *device, tests[i].name);
            g_test_add_data_func(path, *device, tests[i].function);
        }
    return g_test_run();
}
