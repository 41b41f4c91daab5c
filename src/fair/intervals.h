/*
 * Intervals for shares of counted things, and for what is made of them. @alpha: two-sided error, 0.05 for 95 %.
 * An interval that cannot be known (nothing was counted) is NaN.
 */
#pragma once

#include <aimfair/fair.h>

/** AimfShare: @x of @n. */
typedef struct {
    guint64 x, n;
} AimfShare;

/** aimf_share_value: x / n; NaN for nothing. */
double aimf_share_value(AimfShare share);

/** aimf_normal_quantile: z with P(Z <= z) = @p, in (0, 1). Source: Wichura 1988, algorithm AS 241, to 1e-15. */
double aimf_normal_quantile(double p);

/**
 * aimf_student_two_sided: P(|T| > @t) of Student's distribution with @freedom degrees of freedom, from 1. Source:
 * Abramowitz and Stegun 1964, 26.7.3 and 26.7.4, which are finite sums. aimf_student_critical: the @t where that is
 * @alpha.
 */
double aimf_student_two_sided(double t, guint freedom);
double aimf_student_critical(double alpha, guint freedom);

/** aimf_wilson: of one share. Source: Wilson 1927; Newcombe 1998a, method 3. */
AimfInterval aimf_wilson(AimfShare share, double alpha);

/**
 * aimf_clopper_pearson: the exact one, which holds its level at every share, and is wider for it. Source: Clopper and
 * Pearson 1934; its ends are quantiles of beta distributions, DLMF 8.17.22.
 */
AimfInterval aimf_clopper_pearson(AimfShare share, double alpha);

/** aimf_newcombe: of the difference a - b of independent shares. Source: Newcombe 1998b, method 10: square-and-add. */
AimfInterval aimf_newcombe(AimfShare a, AimfShare b, double alpha);

/**
 * aimf_ratio_interval: of the ratio a / b of independent shares, by inverting the score test; the upper end may be
 * infinite. NaN if both are 0. Source: Koopman 1984; Miettinen and Nurminen 1985 without their N / (N - 1).
 */
AimfInterval aimf_ratio_interval(AimfShare a, AimfShare b, double alpha);

/** AimfPairs: answers to the same pictures before and after: right both times, lost, won, wrong both times. */
typedef struct {
    guint64 both, lost, won, neither;
} AimfPairs;

/** aimf_group_pairs: those of @group. */
AimfPairs aimf_group_pairs(const AimfGroupPairs *group);

/** aimf_tango: of the change (won - lost) / n of a share. Source: Tango 1998, the score interval for paired shares. */
AimfInterval aimf_tango(AimfPairs pairs, double alpha);

/**
 * aimf_mcnemar: two-sided p of no change of a share. @mid: the mid-p variant, which is closer to its level. 1 without
 * changes. Source: McNemar 1947; Fagerland, Lydersen and Laake 2013.
 */
double aimf_mcnemar(AimfPairs pairs, gboolean mid);

/**
 * aimf_auc_interval: of an AUC by its DeLong variance, on the scale of the logit; where the variance says nothing (0:
 * an AUC of 0 or 1, scores all alike, fewer than two of a kind), from Hanley and McNeil's at the ends. @positives,
 * @negatives: samples. Source: DeLong et al. 1988; Qin and Hotilovac 2008; Newcombe 2006, part 2, method 5.
 */
AimfInterval aimf_auc_interval(double auc, double variance, guint64 positives, guint64 negatives, double alpha);

/**
 * aimf_square_and_add: of the sum of weight * value over (n) independent or weakly dependent estimates @values with
 * @intervals. Source: Zou and Donner 2008 (MOVER), after Newcombe 1998b.
 */
AimfInterval aimf_square_and_add(const double *values, const AimfInterval *intervals, const double *weights, guint n);
