/* What a model says of a picture depends on neither the batch it came in nor the number of threads: to the bit. */
#include "base/random.h"
#include "graph/support_precision.h"
#include "model/model.h"

#include <aimfair/device.h>
#include <string.h>

enum { SIDE = 64, OUTPUTS = 3, SIDE_OF_VIT = 224 };

/* (owned, n * OUTPUTS) of the first pictures of a series; NULL: the precision is missing. */
static float *logits_of(const AimfModel *model, gsize n, int threads, AimfPrecision precision)
{
    g_auto(AimfBuilder) builder;
    aimf_builder_init(&builder, FALSE);
    AimfValue images, logits;
    g_autoptr(GError) error = NULL;
    g_assert_true(aimf_model_walk(model, (guint)n, &builder, &images, &logits, &error));
    AimfCompileOptions options = { .threads = threads, .precision = precision, .outputs = &logits, .n_outputs = 1 };
    g_autoptr(AimfPlan) plan = aimf_graph_compile(builder.graph, &options, &error);
    if (precision_is_missing(precision, error))
        return NULL;
    g_assert_no_error(error);
    g_assert_true(aimf_plan_load(plan, model->tensors, &error));
    gsize each = 3 * aimf_model_pixels(model);
    g_autofree float *picture = g_new(float, each);
    for (gsize i = 0; i < n; i++) {
        AimfRandom random = aimf_random_at(11, AIMF_STREAM_TEST, i);
        for (gsize k = 0; k < each; k++)
            picture[k] = (float)(aimf_random_uniform(&random) * 4 - 2);
        g_assert_true(aimf_plan_write(plan, images, i * each, each, picture, &error));
    }
    g_assert_true(aimf_plan_run(plan, &error));
    float *result = g_new(float, n *OUTPUTS);
    g_assert_true(aimf_plan_read(plan, logits, 0, n * OUTPUTS, result, &error));
    return result;
}

static void test_alone(gconstpointer architecture)
{
    static const guint batches[] = { 2, 7, 33, 70 };
    g_autoptr(GError) error = NULL;
    int side = g_str_has_prefix(architecture, "vit") ? SIDE_OF_VIT : SIDE;
    g_autoptr(AimfModel) model = aimf_model_new(architecture, side, OUTPUTS, 3, &error);
    g_assert_no_error(error);
    for (AimfPrecision precision = AIMF_PRECISION_F32; precision <= AIMF_PRECISION_BF16; precision++) {
        g_autofree float *alone = logits_of(model, 1, 1, precision);
        for (guint i = 0; alone && i < G_N_ELEMENTS(batches); i++) {
            int threads = 1 + (int)i % 3;
            g_autofree float *together = logits_of(model, batches[i], threads, precision);
            if (memcmp(together, alone, OUTPUTS * sizeof *alone) == 0)
                continue;
            g_test_message("%s: %g alone, %g with %u others and %d threads", precision ? "bf16" : "f32",
                           (double)alone[0], (double)together[0], batches[i] - 1, threads);
            g_test_fail();
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (const char *const *name = aimf_architectures(); *name; name++) {
        g_autofree char *path = g_strdup_printf("/alone/%s", *name);
        g_test_add_data_func(path, *name, test_alone);
    }
    return g_test_run();
}
