/*
 * Depthwise convolutions with many taps in a row, which have a kernel of their own in bf16: however strips and rows are
 * cut and results lie, they are the reference's, and the same bytes with any number of threads; and a pixel that is no
 * number is seen by those alone whose taps meet it.
 */
#include "graph/support_formula.h"
#include "graph/support_op_cases.h"
#include "graph/support_precision.h"

#include <math.h>
#include <string.h>

/* clang-format off */
static const OpCase cases[] = {
    { .op = OP_CONV2D, .n = 2, .c = 40, .h = 70, .w = 61, .kh = 7, .kw = 7, .stride = 1, .padding = 3, .bias = 1 },
    { .op = OP_CONV2D, .n = 1, .c = 24, .h = 97, .w = 150, .kh = 9, .kw = 5, .stride = 1, .padding = 2 },
    { .op = OP_CONV2D, .n = 3, .c = 16, .h = 33, .w = 29, .kh = 3, .kw = 6, .stride = 2, .stride2 = 1, .padding = 1, .padding2 = 1, .dilation = 2, .dilation2 = 1, .bias = 1 },
    { .op = OP_CONV2D, .n = 1, .c = 2, .h = 8, .w = 400, .kh = 8, .kw = 8, .stride = 1, .padding = 5, .padding_after = 1 },
    { .op = OP_CONV2D, .n = 70, .c = 50, .h = 7, .w = 7, .kh = 5, .kw = 5, .stride = 1, .padding = 2, .bias = 1 },
    { .op = OP_CONV2D, .n = 2, .c = 17, .h = 9, .w = 30, .kh = 2, .kw = 6, .stride = 1 },
    { .op = OP_CONV2D, .n = 1, .c = 40, .h = 12, .w = 23, .kh = 1, .kw = 8, .stride = 1, .bias = 1 },
    { .op = OP_CONV2D, .n = 1, .c = 33, .h = 5, .w = 5, .kh = 5, .kw = 5, .stride = 1 },
};
/* clang-format on */

static void check_agreement(const GPtrArray *results, const GPtrArray *expected)
{
    for (guint i = 0; i < results->len; i++) {
        const OpResult *result = g_ptr_array_index(results, i), *right = g_ptr_array_index(expected, i);
        double error = relative_error(result->data, right->data, result->n);
        g_test_message("%s: relative error %.2e", result->name, error);
        g_assert_cmpfloat(error, <=, op_tolerances[OP_CONV2D].bf16);
    }
}

/* y and dx are this kernel's; each of their numbers is one sum, however the work is divided. */
static void check_same_bytes(const GPtrArray *results, const GPtrArray *others)
{
    for (guint i = 0; i < results->len; i++) {
        const OpResult *a = g_ptr_array_index(results, i), *b = g_ptr_array_index(others, i);
        if (strcmp(a->name, "y") == 0 || strcmp(a->name, "d_x") == 0)
            g_assert_cmpint(memcmp(a->data, b->data, a->n * sizeof(float)), ==, 0);
    }
}

static void test_case(gconstpointer data)
{
    OpCase c = *(const OpCase *)data;
    c.o = c.groups = c.c;
    c.coarse = TRUE;
    g_autoptr(GPtrArray) expected = op_results_of(&c, "reference", AIMF_PRECISION_F32, 1);
    g_autoptr(GPtrArray) results = op_results_of(&c, "cpu", AIMF_PRECISION_BF16, 1);
    if (!results)
        return;
    check_agreement(results, expected);
    for (int threads = 2; threads <= 4; threads++) {
        g_autoptr(GPtrArray) others = op_results_of(&c, "cpu", AIMF_PRECISION_BF16, threads);
        check_agreement(others, expected);
        check_same_bytes(results, others);
    }
}

/* --- What is no number --- */

enum { CHANNELS = 20, HEIGHT = 9, WIDTH = 17, PIXELS = HEIGHT * WIDTH, ROW = 4, COLUMN = 8 };

/* Where y is finite, when one pixel of every channel is not. */
static gboolean find_finite(const char *device, int columns, float pixel, gboolean *finite)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    AimfConv2d options = { .before = { 2, columns / 2 }, .after = { 2, (columns - 1) / 2 }, .groups = CHANNELS };
    AimfValue x = aimf_graph_input(graph, "x", AIMF_SHAPE(1, CHANNELS, HEIGHT, WIDTH));
    AimfValue weight = aimf_graph_parameter(graph, "weight", AIMF_SHAPE(CHANNELS, 1, 5, columns));
    AimfValue y = aimf_conv2d(graph, x, weight, AIMF_NONE, options);
    g_autoptr(AimfDevice) opened = aimf_device_open(device, &error);
    g_assert_no_error(error);
    AimfPrecision precision = strcmp(device, "cpu") == 0 ? AIMF_PRECISION_BF16 : AIMF_PRECISION_F32;
    AimfCompileOptions compile = { .outputs = &y, .n_outputs = 1, .device = opened, .precision = precision };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(graph, &compile, &error);
    if (precision_is_missing(precision, error))
        return FALSE;
    g_assert_no_error(error);
    g_autofree char *steps = aimf_plan_describe(plan);
    g_assert_true(precision == AIMF_PRECISION_F32 || strstr(steps, "depthwise_pairs"));
    float numbers[CHANNELS * PIXELS], taps[CHANNELS * 5 * 8];
    for (int i = 0; i < CHANNELS * PIXELS; i++)
        numbers[i] = i % PIXELS == ROW * WIDTH + COLUMN ? pixel : (float)(i % 7) - 3;
    for (int i = 0; i < CHANNELS * 5 * 8; i++)
        taps[i] = (float)(i % 5 + 1);
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    aimf_tensors_add(tensors, "weight", AIMF_F32, &AIMF_SHAPE(CHANNELS, 1, 5, columns), taps, NULL);
    aimf_plan_load(plan, tensors, &error);
    g_assert_no_error(error);
    aimf_plan_write(plan, x, 0, CHANNELS * PIXELS, numbers, &error);
    g_assert_no_error(error);
    aimf_plan_run(plan, &error);
    g_assert_no_error(error);
    aimf_plan_read(plan, y, 0, CHANNELS * PIXELS, numbers, &error);
    g_assert_no_error(error);
    for (int i = 0; i < CHANNELS * PIXELS; i++)
        finite[i] = isfinite(numbers[i]);
    return TRUE;
}

static void test_no_number(void)
{
    static const float pixels[] = { NAN, INFINITY, -INFINITY };
    gboolean ours[CHANNELS * PIXELS], right[CHANNELS * PIXELS];
    for (int columns = 5; columns <= 8; columns++)
        for (gsize p = 0; p < G_N_ELEMENTS(pixels); p++) {
            g_assert_true(find_finite("reference", columns, pixels[p], right));
            if (!find_finite("cpu", columns, pixels[p], ours))
                return;
            int n_lost = 0;
            for (int i = 0; i < CHANNELS * PIXELS; i++) {
                g_assert_cmpint(ours[i], ==, right[i]);
                n_lost += !ours[i];
            }
            g_assert_cmpint(n_lost, ==, CHANNELS * 5 * columns);
        }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = op_case_name(&cases[i]);
        g_autofree char *path = g_strdup_printf("/depthwise/%s", name);
        g_test_add_data_func(path, &cases[i], test_case);
    }
    g_test_add_func("/depthwise/no-number", test_no_number);
    return g_test_run();
}
