/* The model's inside, for model/ and train/. */
#pragma once

#include "model/architecture.h"

#include <aimfair/model.h>
#include <math.h>

/** AIMF_TRAININGS: the key of a model's metadata that says how it came about, a JSON list; train/provenance.h */
#define AIMF_TRAININGS "aimfair.trainings"

enum { AIMF_MAX_BATCH = 65536 };

/** aimf_model_n_classes: 2 for one output. */
static inline int aimf_model_n_classes(const AimfModel *model)
{
    return model->outputs == 1 ? 2 : model->outputs;
}

/** aimf_model_pixels: of one input. */
static inline gsize aimf_model_pixels(const AimfModel *model)
{
    return (gsize)model->preprocess.width * (gsize)model->preprocess.height;
}

/** aimf_model_has_batch_norm: whether there are running statistics. */
gboolean aimf_model_has_batch_norm(const AimfModel *model);

/** aimf_model_sigmoid: in f32, as torch.sigmoid, so that a logit next to 0 falls on the same side of the threshold. */
static inline float aimf_model_sigmoid(float logit)
{
    return 1 / (1 + expf(-logit));
}

/**
 * aimf_model_blank: (owned) a model whose tensors are all zero, to be filled from a file.
 * NULL as aimf_model_new.
 */
AimfModel *aimf_model_blank(const char *architecture, const AimfPreprocess *preprocess, int outputs, GError **error);

/**
 * aimf_model_fill:
 * @pictures: (nullable) the input that @tensors are for, where that is known: how a transformer's rows for places lie
 * @fresh_head: leave a final layer for another number of classes, or a missing one, as it is, instead of refusing it
 * Replaces the model's weights by those of the same names in @tensors, and refuses any other; a failure while reading
 * leaves some replaced.
 */
gboolean aimf_model_fill(AimfModel *model, const AimfTensors *tensors, const AimfPreprocess *pictures,
                         gboolean fresh_head, const AimfMonitor *monitor, GError **error);

/** aimf_model_check: FALSE with INVALID or NOT_FOUND: an architecture, outputs or a preprocessing that cannot be. */
gboolean aimf_model_check(const AimfModel *model, GError **error);

/**
 * aimf_model_walk:
 * @images: (nullable) receives the input for @batch images; @logits: (nullable) receives the result
 * Walks over the layers: @builder then has the graph and the tensors. FALSE with INVALID or NOT_FOUND.
 */
gboolean aimf_model_walk(const AimfModel *model, guint batch, AimfBuilder *builder, AimfValue *images,
                         AimfValue *logits, GError **error);

/**
 * aimf_model_check_manifest: FALSE with INVALID: no rows, or a target that is no class of the model (names the line).
 */
gboolean aimf_model_check_manifest(const AimfModel *model, const AimfManifest *manifest, const char *purpose,
                                   GError **error);

/** aimf_softmax_shares: of @logits (n), computed in f64, into @shares (n). */
void aimf_softmax_shares(const float *logits, int n, float *shares);

/** aimf_predictions_new: (owned) for @n images, all as if skipped; NULL with MEMORY. */
AimfPredictions *aimf_predictions_new(guint n, int outputs, GError **error);
