/* A model in evaluation mode, compiled once for many passes and many sets of weights; for model/ and train/. */
#pragma once

#include <aimfair/model.h>

/**
 * aimf_decide: the class that @logits (outputs) speak for, and what AimfPredictions has as its probability. Two classes
 * are decided by the threshold on what is reported, so that a reader of the numbers decides the same.
 */
int aimf_decide(const float *logits, int outputs, double threshold, float *probability);

typedef struct AimfEvaluator AimfEvaluator;

/**
 * AimfEvaluatorOptions: @store: (nullable) has the weights; NULL: aimf_evaluator_load gives them, on @device
 * (nullable) with @threads
 */
typedef struct {
    AimfStore *store;
    AimfDevice *device;
    int threads;
    AimfPrecision precision;
} AimfEvaluatorOptions;

/**
 * aimf_evaluator_new:
 * @batch: at most; a modest one is chosen for large images, because a second arena should not cost what training's does
 * Returns: (owned), without weights, or NULL with what compiling gives. @model is not needed afterwards.
 */
AimfEvaluator *aimf_evaluator_new(const AimfModel *model, guint batch, const AimfEvaluatorOptions *options,
                                  GError **error);
void aimf_evaluator_free(AimfEvaluator *evaluator);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfEvaluator, aimf_evaluator_free)

/** aimf_evaluator_batch: the most images a batch may have. */
guint aimf_evaluator_batch(const AimfEvaluator *evaluator);
/** aimf_evaluator_load: the weights to use from now on. */
gboolean aimf_evaluator_load(AimfEvaluator *evaluator, const AimfTensors *tensors, GError **error);
/**
 * aimf_evaluator_run:
 * One pass over @manifest through @loader (of that manifest, without augmentation and shuffling).
 * Returns: (owned) or NULL with FAILED (a logit is not finite; names the image), INTERRUPTED or what the loader and
 * aimf_plan_run give.
 */
AimfPredictions *aimf_evaluator_run(AimfEvaluator *evaluator, AimfLoader *loader, const AimfManifest *manifest,
                                    const char *stage, const AimfMonitor *monitor, GError **error);
