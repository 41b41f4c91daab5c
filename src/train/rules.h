/* The method's rules that need no model: learning rate, ties. */
#pragma once

#include <aimfair/train.h>

/**
 * aimf_train_learning_rate: of epoch @epoch (from 0). Source: torch.optim.lr_scheduler, MultiStepLR or
 * CosineAnnealingLR, after LinearLR in a SequentialLR; the hundredth that warming up begins with is torchvision's
 * (references/classification/train.py, --lr-warmup-decay).
 */
double aimf_train_learning_rate(const AimfTrainOptions *options, guint epoch);

/** aimf_train_score: what makes an epoch the best one, the higher the better. */
double aimf_train_score(AimfSelect select, const AimfEpoch *epoch);
/**
 * aimf_train_is_better: whether @score replaces @best under the rule for ties; the first epoch always does, and so does
 * any after one whose score is unknown.
 */
gboolean aimf_train_is_better(gboolean later_tie_wins, gboolean first, double score, double best);
