/*
 * Gradients at sizes at which kernels cut their work into blocks and hand it to threads: they agree with the reference,
 * and their bytes depend neither on the number of threads nor on the run.
 */
#include "graph/support_formula.h"
#include "graph/support_op_cases.h"

#include <string.h>

enum { MOST_THREADS = 4 };

/* clang-format off */
static const OpCase cases[] = {
    { .op = OP_LAYER_NORM, .n = 8, .t = 197, .c = 44 },
    { .op = OP_LAYER_NORM, .n = 1, .c = 300, .h = 3, .w = 5, .scale = 8 },
    { .op = OP_GROUP_NORM, .n = 2, .c = 16, .h = 70, .w = 61, .groups = 4, .silu = 1 },
    { .op = OP_GROUP_NORM, .n = 3, .c = 6, .h = 70, .w = 61, .groups = 2 },
    { .op = OP_ATTENTION, .n = 2, .t = 400, .s = 400, .c = 128, .heads = 2 },
    { .op = OP_ATTENTION, .n = 1, .t = 300, .s = 300, .c = 40, .heads = 1, .causal = 1 },
    { .op = OP_ATTENTION, .n = 3, .t = 61, .s = 1500, .c = 70, .heads = 1, .scale = 4 },
    { .op = OP_LINEAR, .n = 5, .t = 421, .c = 45, .o = 103, .bias = 1 },
    { .op = OP_LINEAR, .n = 1025, .c = 130, .o = 7 },
    { .op = OP_MATMUL, .n = 2, .t = 200, .c = 300, .o = 600, .transpose = 1 },
    { .op = OP_MATMUL, .t = 7, .c = 520, .o = 530, .transpose = 2 },
    { .op = OP_SOFTMAX, .n = 3, .c = 200, .h = 9, .w = 11, .axis = 1, .scale = 16 },
    { .op = OP_SOFTMAX, .n = 300, .c = 301, .axis = 1 },
    { .op = OP_EMBEDDING, .n = 9, .t = 50, .s = 53, .o = 20, .c = 130 },
};
/* clang-format on */

static void check_agreement(const OpCase *c, const GPtrArray *results, double tolerance)
{
    g_autoptr(GPtrArray) expected = op_results_of(c, "reference", AIMF_PRECISION_F32, 1);
    g_assert_cmpuint(results->len, ==, expected->len);
    for (guint i = 0; i < results->len; i++) {
        const OpResult *result = g_ptr_array_index(results, i), *right = g_ptr_array_index(expected, i);
        double error = relative_error(result->data, right->data, result->n);
        g_test_message("%s: relative error %.2e", result->name, error);
        if (!(error <= tolerance))
            g_error("%s %s: relative error %g is above %g", op_family_name(c->op), result->name, error, tolerance);
    }
}

static void check(const OpCase *c, AimfPrecision precision)
{
    g_autoptr(GPtrArray) results = op_results_of(c, "cpu", precision, 1);
    if (!results)
        return;
    const OpTolerance *tolerance = &op_tolerances[c->op];
    check_agreement(c, results, precision == AIMF_PRECISION_BF16 ? tolerance->bf16 : tolerance->f32);
    for (int threads = 1; threads <= MOST_THREADS; threads++) {
        g_autoptr(GPtrArray) others = op_results_of(c, "cpu", precision, threads);
        for (guint i = 0; i < results->len; i++) {
            const OpResult *one = g_ptr_array_index(results, i), *other = g_ptr_array_index(others, i);
            g_assert_cmpint(memcmp(one->data, other->data, one->n * sizeof(float)), ==, 0);
        }
    }
}

static void test_f32(gconstpointer data)
{
    check(data, AIMF_PRECISION_F32);
}

static void test_bf16(gconstpointer data)
{
    OpCase coarse = *(const OpCase *)data;
    coarse.coarse = TRUE;
    check(&coarse, AIMF_PRECISION_BF16);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = op_case_name(&cases[i]);
        g_autofree char *f32 = g_strdup_printf("/wide_gradients/f32/%s", name);
        g_autofree char *bf16 = g_strdup_printf("/wide_gradients/bf16/%s", name);
        g_test_add_data_func(f32, &cases[i], test_f32);
        g_test_add_data_func(bf16, &cases[i], test_bf16);
    }
    return g_test_run();
}
