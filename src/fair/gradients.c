/*
 * Mean gradients over a data set, without training. Source: arXiv 2503.05665, section 3.3: the model is in training mode, so batch
 * norm uses batch statistics; its running ones drift in the plan alone.
 */
#include "base/monitor.h"
#include "model/model.h"
#include "train/rules.h"

#include <aimfair/fair.h>
#include <math.h>

typedef struct {
    AimfModelGraph built;
    AimfPlan *plan;
    AimfLoader *loader;
    double *sum; /* over batches, of the plan's block of gradients */
    gsize n;
    guint batch;
    gsize image_values;
    guint n_batches;
} Pass;

static void pass_clear(Pass *pass)
{
    aimf_loader_free(pass->loader);
    aimf_plan_free(pass->plan);
    aimf_graph_free(pass->built.graph);
    g_free(pass->sum);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pass, pass_clear)

static gboolean compile(Pass *pass, const AimfModel *model, const AimfGradientOptions *options, GError **error)
{
    guint n;
    if (!aimf_model_build(model, options->batch, TRUE, &pass->built, error))
        return FALSE;
    g_autofree AimfValue *parameters = aimf_train_parameters(pass->built.graph, NULL, &n, error);
    const AimfCompileOptions compile_options = {
        .precision = options->precision,
        .outputs = &pass->built.loss,
        .n_outputs = 1,
        .loss = pass->built.loss,
        .trainable = parameters,
        .n_trainable = n,
    };
    pass->plan = parameters ? aimf_graph_compile(pass->built.graph, &compile_options, error) : NULL;
    return pass->plan && aimf_plan_load(pass->plan, model->tensors, error);
}

static gboolean prepare(Pass *pass, const AimfModel *model, const AimfManifest *manifest,
                        const AimfGradientOptions *options, const AimfMonitor *monitor, GError **error)
{
    aimf_set_threads(options->threads);
    if (!compile(pass, model, options, error))
        return FALSE;
    pass->image_values = 3 * (gsize)model->image_size * (gsize)model->image_size;
    aimf_plan_gradients(pass->plan, &pass->n);
    pass->sum = g_try_new0(double, pass->n);
    if (!pass->sum) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for the mean of %" G_GSIZE_FORMAT " gradients",
                    pass->n);
        return FALSE;
    }
    AimfLoaderOptions loading = aimf_model_loader_options(model);
    loading.batch = options->batch;
    loading.augment = options->augment;
    loading.shuffle = options->shuffle;
    loading.drop_last = TRUE;
    loading.seed = options->seed;
    loading.threads = options->threads;
    loading.skip_bad = options->skip_bad;
    pass->loader = aimf_loader_new(manifest, &loading, monitor, error);
    return pass->loader != NULL;
}

static gboolean add_batch(Pass *pass, const AimfBatch *batch, const char *name, GError **error)
{
    aimf_train_fill(batch, pass->batch, pass->image_values, aimf_plan_data(pass->plan, pass->built.images),
                    aimf_plan_data(pass->plan, pass->built.targets));
    aimf_plan_run(pass->plan);
    pass->n_batches++;
    double loss = (double)*aimf_plan_data(pass->plan, pass->built.loss);
    if (!isfinite(loss)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED, "the loss on the %s set is %g in batch %u", name, loss,
                    pass->n_batches);
        return FALSE;
    }
    const float *gradients = aimf_plan_gradients(pass->plan, &pass->n);
    for (gsize i = 0; i < pass->n; i++)
        pass->sum[i] += (double)gradients[i];
    return TRUE;
}

static gboolean run(Pass *pass, const char *name, const AimfMonitor *monitor, GError **error)
{
    g_autofree char *stage_name = g_strdup_printf("gradients on the %s set", name);
    AimfStage stage;
    AimfBatch batch;
    GError *failure = NULL;
    aimf_stage_begin(&stage, monitor, stage_name, "images", (guint64)aimf_loader_batches(pass->loader) * pass->batch);
    aimf_loader_begin(pass->loader, 0);
    while (aimf_check_stop(monitor, stage_name, &failure) && aimf_loader_next(pass->loader, &batch, &failure)) {
        if (!add_batch(pass, &batch, name, &failure))
            break;
        aimf_stage_step(&stage, pass->batch, NULL);
    }
    if (!failure && pass->n_batches == 0)
        g_set_error(&failure, AIMF_ERROR, AIMF_ERROR_FAILED, "no image of the %s set could be read", name);
    if (failure)
        g_propagate_error(error, failure);
    return !failure;
}

static gboolean store(Pass *pass, const char *prefix, AimfTensors *gradients, GError **error)
{
    const AimfGraph *graph = pass->built.graph;
    const float *block = aimf_plan_gradients(pass->plan, &pass->n);
    for (guint i = 0; i < aimf_graph_n_parameters(graph); i++) {
        AimfValue parameter = aimf_graph_parameter_at(graph, i);
        AimfShape shape = aimf_graph_shape(graph, parameter);
        g_autofree char *name = g_strconcat(prefix, "/", aimf_graph_name(graph, parameter), NULL);
        int entry = aimf_tensors_add(gradients, name, AIMF_F32, &shape, NULL, error);
        if (entry < 0)
            return FALSE;
        const double *sum = pass->sum + (aimf_plan_gradient(pass->plan, parameter) - block);
        float *mean = aimf_tensors_writable(gradients, (guint)entry);
        gint64 n = aimf_shape_count(&shape);
        for (gint64 k = 0; k < n; k++)
            mean[k] = (float)(sum[k] / pass->n_batches);
    }
    return TRUE;
}

gboolean aimf_mean_gradients(const AimfModel *model, const AimfManifest *manifest, const char *prefix,
                             const AimfGradientOptions *options, const AimfMonitor *monitor, AimfTensors *gradients,
                             GError **error)
{
    g_auto(Pass) pass = { .batch = options->batch };
    if (!aimf_model_check_manifest(model, manifest, prefix, error))
        return FALSE;
    if (aimf_manifest_count(manifest) < options->batch) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "the %s set has %u images, fewer than one batch of %u; choose a smaller batch", prefix,
                    aimf_manifest_count(manifest), options->batch);
        return FALSE;
    }
    return prepare(&pass, model, manifest, options, monitor, error) && run(&pass, prefix, monitor, error) &&
           store(&pass, prefix, gradients, error);
}
