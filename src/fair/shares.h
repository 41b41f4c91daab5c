/* Shares of counted samples, which measures and their intervals are made of. */
#pragma once

#include "fair/intervals.h"
#include "fair/measures.h"

/** AimfRate: of one class against all others: which share of a protected label's samples. */
typedef enum { AIMF_RATE_TPR, AIMF_RATE_FPR, AIMF_RATE_PRECISION, AIMF_RATE_SELECTION } AimfRate;

/** aimf_rate_share: @rate of the class @target among those of the label @group. */
AimfShare aimf_rate_share(const AimfCounts *counts, int target, int group, AimfRate rate);
/** aimf_group_share: right answers in the (target, protected) group @index, target-major. */
AimfShare aimf_group_share(const AimfCounts *counts, int index);
/** aimf_recall_share: right answers among all of the class @target; aimf_accuracy_share: among all. */
AimfShare aimf_recall_share(const AimfCounts *counts, int target);
AimfShare aimf_accuracy_share(const AimfCounts *counts);
/** aimf_class_share: those of the class @target among all. */
AimfShare aimf_class_share(const AimfCounts *counts, int target);
