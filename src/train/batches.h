/*
 * Batches through a plan, without waiting for each one's loss: losses, and answers where they are judged, come back as
 * they are ready, at most a few batches late, and an error still names its batch.
 */
#pragma once

#include "model/model.h"

typedef struct AimfBatches AimfBatches;

/**
 * aimf_batches_new: @built: the graph from which @plan was compiled, of @batch images of @image_values values each.
 * @judge: (nullable) the model whose answers are counted; the plan then has the logits as an output
 * Returns: (owned) or NULL with MEMORY; @plan must live longer.
 */
AimfBatches *aimf_batches_new(AimfPlan *plan, const AimfModelGraph *built, guint batch, gsize image_values,
                              const AimfModel *judge, GError **error);
void aimf_batches_free(AimfBatches *batches);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfBatches, aimf_batches_free)

/**
 * aimf_batches_begin: a new series; @number: what its dropout draws by, beside the number of the batch; @where:
 * (copied) what its batches are called in errors, "epoch 3" for instance; @hint: (static) what follows where a loss is
 * not finite, or "".
 */
void aimf_batches_begin(AimfBatches *batches, guint number, const char *where, const char *hint);
/**
 * aimf_batches_run: gives the plan a loaded batch of at least one image, and takes the losses that are there. A batch
 * that skipped images left short is filled up with its own first ones, because batch statistics must come from real
 * pictures.
 * Returns: FALSE with what aimf_plan_run gives, or FAILED: a loss is not finite.
 */
gboolean aimf_batches_run(AimfBatches *batches, const AimfBatch *loaded, GError **error);
/** aimf_batches_finish: takes the losses that are still to come. */
gboolean aimf_batches_finish(AimfBatches *batches, GError **error);
/** aimf_batches_count, aimf_batches_mean_loss: of the losses taken since the beginning of the series. */
guint aimf_batches_count(const AimfBatches *batches);
double aimf_batches_mean_loss(const AimfBatches *batches);
/** aimf_batches_accuracy: the share of right answers in them; NaN where they are not judged. */
double aimf_batches_accuracy(const AimfBatches *batches);
