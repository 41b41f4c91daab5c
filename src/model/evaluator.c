#include "model/evaluator.h"
#include "model/model.h"

#include "base/monitor.h"

#include <math.h>
#include <string.h>

/* Thirty-two pictures of 224 x 224: enough work per run to be fast, little memory beside a training plan. */
enum { EVALUATION_PIXELS = 32 * 224 * 224, DEFAULT_BATCH = 128 };

struct AimfEvaluator {
    AimfPlan *plan;
    AimfValue images;
    AimfValue logits;
    guint batch;
    gsize image_values; /* of one image */
    int outputs;
    float threshold;
    float *numbers; /* (batch, outputs) of a batch */
};

AimfEvaluator *aimf_evaluator_new(const AimfModel *model, guint batch, const AimfEvaluatorOptions *options,
                                  GError **error)
{
    gsize pixels = aimf_model_pixels(model);
    batch = (guint)CLAMP(EVALUATION_PIXELS / pixels, 1, MAX(batch, 1));
    g_auto(AimfBuilder) builder;
    aimf_builder_init(&builder, FALSE);
    AimfValue images, logits;
    if (!aimf_model_walk(model, batch, &builder, &images, &logits, error))
        return NULL;
    AimfCompileOptions compiling = {
        .store = options->store,
        .device = options->device,
        .threads = options->threads,
        .precision = options->precision,
        .outputs = &logits,
        .n_outputs = 1,
    };
    gsize n_logits = (gsize)batch * (gsize)model->outputs;
    AimfPlan *plan = aimf_graph_compile(builder.graph, &compiling, error);
    if (!plan)
        return NULL;
    AimfEvaluator *evaluator = g_new(AimfEvaluator, 1);
    *evaluator = (AimfEvaluator){
        .plan = plan,
        .images = images,
        .logits = logits,
        .batch = batch,
        .image_values = 3 * pixels,
        .outputs = model->outputs,
        .threshold = (float)model->threshold,
        .numbers = g_new(float, n_logits),
    };
    return evaluator;
}

void aimf_evaluator_free(AimfEvaluator *evaluator)
{
    if (!evaluator)
        return;
    aimf_plan_free(evaluator->plan);
    g_free(evaluator->numbers);
    g_free(evaluator);
}

guint aimf_evaluator_batch(const AimfEvaluator *evaluator)
{
    return evaluator->batch;
}

gboolean aimf_evaluator_load(AimfEvaluator *evaluator, const AimfTensors *tensors, GError **error)
{
    return aimf_plan_load(evaluator->plan, tensors, error);
}

/* The largest class; its softmax share goes to @share. */
static int largest(const float *logits, int n, double *share)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (logits[i] > logits[best])
            best = i;
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += exp((double)logits[i] - (double)logits[best]);
    *share = 1 / sum;
    return best;
}

int aimf_decide(const float *logits, int outputs, double threshold, float *probability)
{
    if (outputs > 2) {
        double share;
        int class = largest(logits, outputs, &share);
        *probability = (float)share;
        return class;
    }
    *probability = aimf_model_sigmoid(outputs == 1 ? logits[0] : logits[1] - logits[0]);
    return *probability >= threshold;
}

static gboolean keep(const AimfEvaluator *evaluator, const AimfBatch *batch, const AimfManifest *manifest,
                     AimfPredictions *predictions, GError **error)
{
    gsize outputs = (gsize)evaluator->outputs;
    const float *logits = evaluator->numbers;
    if (!aimf_plan_read(evaluator->plan, evaluator->logits, 0, batch->n * outputs, evaluator->numbers, error))
        return FALSE;
    for (guint i = 0; i < batch->n; i++, logits += outputs) {
        guint32 row = batch->samples[i];
        for (gsize k = 0; k < outputs; k++) {
            if (isfinite(logits[k]))
                continue;
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED,
                        "the model's output for '%s' is not finite (%g): its weights have diverged",
                        aimf_manifest_at(manifest, row).path, (double)logits[k]);
            return FALSE;
        }
        memcpy(predictions->logits + row * outputs, logits, outputs * sizeof(float));
        predictions->prediction[row] =
            aimf_decide(logits, evaluator->outputs, evaluator->threshold, &predictions->probability[row]);
    }
    return TRUE;
}

AimfPredictions *aimf_evaluator_run(AimfEvaluator *evaluator, AimfLoader *loader, const AimfManifest *manifest,
                                    const char *stage_name, const AimfMonitor *monitor, GError **error)
{
    AimfPredictions *predictions = aimf_predictions_new(aimf_manifest_count(manifest), evaluator->outputs, error);
    if (!predictions)
        return NULL;
    AimfStage stage;
    AimfBatch batch;
    GError *failure = NULL;
    aimf_stage_begin(&stage, monitor, stage_name, "images", predictions->n);
    aimf_loader_begin(loader, 0);
    while (aimf_check_stop(monitor, stage_name, &failure) && aimf_loader_next(loader, &batch, &failure)) {
        /* What is left of the batch before in a shorter one is computed too, and not looked at. */
        if (!aimf_plan_write(evaluator->plan, evaluator->images, 0, batch.n * evaluator->image_values, batch.images,
                             &failure) ||
            !aimf_plan_run(evaluator->plan, &failure) || !keep(evaluator, &batch, manifest, predictions, &failure))
            break;
        aimf_stage_step(&stage, batch.n, NULL);
    }
    if (failure) {
        g_propagate_error(error, failure);
        g_clear_pointer(&predictions, aimf_predictions_free);
    }
    return predictions;
}

static AimfPredictions *with_names(AimfPredictions *predictions, const AimfModel *model)
{
    if (predictions) {
        predictions->classes = g_strdupv(model->classes);
        predictions->threshold = model->threshold;
    }
    return predictions;
}

AimfPredictions *aimf_model_predict(const AimfModel *model, const AimfManifest *manifest,
                                    const AimfPredictOptions *options, const AimfMonitor *monitor, GError **error)
{
    guint n = aimf_manifest_count(manifest);
    guint batch = options->batch ? options->batch : DEFAULT_BATCH;
    if (n == 0)
        return with_names(aimf_predictions_new(0, model->outputs, error), model);
    AimfEvaluatorOptions evaluating = { .device = options->device,
                                        .threads = options->threads,
                                        .precision = options->precision };
    g_autoptr(AimfEvaluator) evaluator = aimf_evaluator_new(model, MIN(batch, n), &evaluating, error);
    if (!evaluator || !aimf_evaluator_load(evaluator, model->tensors, error))
        return NULL;
    AimfLoaderOptions loading = aimf_model_loader_options(model);
    loading.batch = evaluator->batch;
    loading.threads = options->threads;
    loading.skip_bad = options->skip_bad;
    g_autoptr(AimfLoader) loader = aimf_loader_new(manifest, &loading, monitor, error);
    return loader ? with_names(aimf_evaluator_run(evaluator, loader, manifest, "predicting", monitor, error), model)
                  : NULL;
}
