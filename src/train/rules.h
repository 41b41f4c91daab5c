/* The method's rules that need no model: learning rate, ties, filling up a batch. */
#pragma once

#include <aimfair/train.h>

/** aimf_train_learning_rate: of epoch @epoch (from 0). Source: torch.optim.lr_scheduler.MultiStepLR. */
double aimf_train_learning_rate(const AimfTrainOptions *options, guint epoch);

/**
 * aimf_train_is_better: whether @accuracy replaces @best under the options' rule for ties; the first epoch always does.
 */
gboolean aimf_train_is_better(gboolean later_tie_wins, gboolean first, double accuracy, double best);

/**
 * aimf_train_fill:
 * Copies a loaded batch into a plan's inputs for @batch images of @image_values values. A batch that skipped images
 * left short is filled up with its own first ones, because batch statistics must come from real pictures. @loaded has
 * at least one image.
 */
void aimf_train_fill(const AimfBatch *loaded, guint batch, gsize image_values, float *images, float *targets);

/** aimf_train_all_finite: of @values (n); a ReLU can hide a NaN before it from the loss. */
gboolean aimf_train_all_finite(const float *values, gsize n);

/**
 * aimf_train_parameters:
 * @names: (nullable) NULL-terminated; NULL for all
 * Returns: (owned) the values of these parameters in the graph's order, @n of them, or NULL with INVALID: an unknown
 * name, or none.
 */
AimfValue *aimf_train_parameters(const AimfGraph *graph, const char *const *names, guint *n, GError **error);
