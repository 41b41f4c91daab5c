/*
 * Mean gradients over a data set, without training. Source: arXiv 2503.05665, section 3.3: the model is in training
 * mode, so batch norm uses batch statistics, unless it is frozen; its running ones drift in the plan alone, and begin
 * anew with each set.
 */
#include "base/monitor.h"
#include "base/work.h"
#include "model/model.h"
#include "train/batches.h"
#include "train/trainable.h"

#include <aimfair/fair.h>
#include <math.h>
#include <string.h>

/* One pass at a time over several sets by one plan, which adds up the gradients. */
typedef struct {
    const AimfModel *model;
    const AimfGradientOptions *options;
    const AimfMonitor *monitor;
    AimfModelGraph built;
    AimfPlan *plan;
    AimfBatches *batches;
    AimfWork work;
} Pass;

static void pass_clear(Pass *pass)
{
    aimf_batches_free(pass->batches);
    aimf_plan_free(pass->plan);
    aimf_graph_free(pass->built.graph);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pass, pass_clear)

static gboolean compile(Pass *pass, GError **error)
{
    guint n;
    /* Without dropout, which would only blur what the gradients are compared for. */
    const AimfBuildOptions building = { .training = TRUE, .batch_norm = pass->options->batch_norm };
    if (!aimf_model_build(pass->model, pass->options->batch, &building, &pass->built, error))
        return FALSE;
    g_autofree AimfValue *parameters = aimf_train_parameters(pass->built.graph, NULL, &n, error);
    const AimfCompileOptions compile_options = {
        .device = pass->options->device,
        .threads = pass->options->threads,
        .precision = pass->options->precision,
        .outputs = &pass->built.loss,
        .n_outputs = 1,
        .loss = pass->built.loss,
        .trainable = parameters,
        .n_trainable = n,
        .accumulate = TRUE,
        .private_states = TRUE,
    };
    pass->plan = parameters ? aimf_graph_compile(pass->built.graph, &compile_options, error) : NULL;
    return pass->plan != NULL;
}

static gboolean prepare(Pass *pass, GError **error)
{
    if (!compile(pass, error))
        return FALSE;
    gsize image_values = 3 * aimf_model_pixels(pass->model);
    pass->batches = aimf_batches_new(pass->plan, &pass->built, pass->options->batch, image_values, NULL, error);
    return pass->batches && aimf_plan_load(pass->plan, pass->model->tensors, error);
}

static AimfLoader *open_loader(const Pass *pass, const AimfManifest *manifest, GError **error)
{
    const AimfGradientOptions *options = pass->options;
    AimfLoaderOptions loading = aimf_model_loader_options(pass->model);
    loading.batch = options->batch;
    loading.augment = options->augment;
    loading.shuffle = options->shuffle;
    loading.drop_last = TRUE;
    loading.seed = options->seed;
    loading.threads = options->threads;
    loading.skip_bad = options->skip_bad;
    return aimf_loader_new(manifest, &loading, pass->monitor, error);
}

static gboolean run(Pass *pass, const AimfGradientSet *set, GError **error)
{
    g_autoptr(AimfLoader) loader = open_loader(pass, set->manifest, error);
    if (!loader || !aimf_plan_reset(pass->plan, error))
        return FALSE;
    guint n_images = pass->options->batch;
    g_autofree char *stage_name = g_strdup_printf("gradients on the %s set", set->name);
    g_autofree char *where = g_strdup_printf("the %s set", set->name);
    AimfStage stage;
    AimfBatch batch;
    GError *failure = NULL;
    guint64 total = (guint64)aimf_loader_batches(loader) * n_images;
    aimf_work_next(&pass->work, (double)total, 1);
    aimf_stage_begin(&stage, pass->monitor, stage_name, "images", total);
    aimf_loader_begin(loader, 0);
    aimf_batches_begin(pass->batches, 0, where, "");
    while (aimf_check_stop(pass->monitor, stage_name, &failure) && aimf_loader_next(loader, &batch, &failure)) {
        if (!aimf_batches_run(pass->batches, &batch, &failure))
            break;
        aimf_stage_step(&stage, n_images, NULL);
    }
    if (!failure)
        aimf_batches_finish(pass->batches, &failure);
    if (!failure && aimf_batches_count(pass->batches) == 0)
        g_set_error(&failure, AIMF_ERROR, AIMF_ERROR_FAILED, "no image of the %s set could be read", set->name);
    if (failure)
        g_propagate_error(error, failure);
    return !failure;
}

static gboolean store_mean(Pass *pass, AimfValue parameter, const char *name, AimfTensors *gradients, GError **error)
{
    AimfShape shape = aimf_graph_shape(pass->built.graph, parameter);
    gsize n = (gsize)aimf_shape_count(&shape);
    int entry = aimf_tensors_add(gradients, name, AIMF_F32, &shape, NULL, error);
    if (entry < 0)
        return FALSE;
    g_autofree double *sum = g_try_new(double, n);
    if (!sum) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for the mean of %" G_GSIZE_FORMAT " gradients", n);
        return FALSE;
    }
    if (!aimf_plan_read_sum(pass->plan, parameter, sum, error))
        return FALSE;
    float *mean = aimf_tensors_writable(gradients, (guint)entry);
    for (gsize k = 0; k < n; k++)
        mean[k] = (float)(sum[k] / aimf_batches_count(pass->batches));
    return TRUE;
}

static gboolean store(Pass *pass, const char *prefix, AimfTensors *gradients, GError **error)
{
    const AimfGraph *graph = pass->built.graph;
    for (guint i = 0; i < aimf_graph_n_parameters(graph); i++) {
        AimfValue parameter = aimf_graph_parameter_at(graph, i);
        g_autofree char *name = g_strconcat(prefix, "/", aimf_graph_name(graph, parameter), NULL);
        if (!store_mean(pass, parameter, name, gradients, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean check_set(const Pass *pass, const AimfGradientSet *set, GError **error)
{
    if (!aimf_model_check_manifest(pass->model, set->manifest, set->name, error))
        return FALSE;
    guint n = aimf_manifest_count(set->manifest);
    if (n >= pass->options->batch)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "the %s set has %u image%s, fewer than one batch of %u; choose a smaller batch", set->name, n,
                AIMF_PLURAL(n), pass->options->batch);
    return FALSE;
}

gboolean aimf_mean_gradients(const AimfModel *model, const AimfGradientSet *sets, guint n_sets,
                             const AimfGradientOptions *options, const AimfMonitor *monitor, AimfTensors *gradients,
                             GError **error)
{
    g_auto(Pass) pass = { .model = model, .options = options };
    guint64 total = 0;
    for (guint i = 0; i < n_sets; i++) {
        if (!check_set(&pass, &sets[i], error))
            return FALSE;
        total += aimf_manifest_count(sets[i].manifest) / options->batch * options->batch;
    }
    aimf_work_begin(&pass.work, monitor, (double)total);
    pass.monitor = monitor ? &pass.work.inner : NULL;
    if (!prepare(&pass, error))
        return FALSE;
    for (guint i = 0; i < n_sets; i++)
        if (!run(&pass, &sets[i], error) || !store(&pass, sets[i].name, gradients, error))
            return FALSE;
    if (options->batch_norm == AIMF_BATCH_NORM_FROZEN)
        aimf_tensors_set_metadata(gradients, AIMF_GRADIENTS_BATCH_NORM_KEY, "frozen");
    return TRUE;
}
