/* The method's own parts: measures of fairness, sensitivities of parameters, and the selection of what to fine-tune. */
#pragma once

#include <aimfair/model.h>

G_BEGIN_DECLS

/* --- Measures --- */

/** AimfGroupMeasure: one (target, protected) group. Rates of an empty group are NaN. */
typedef struct {
    int target;
    int group; /* index into the protected labels */
    guint n;
    double accuracy;
    double selection_rate; /* share predicted as class 1 */
} AimfGroupMeasure;

/** AimfProtectedMeasure: one protected label over all targets; TPR and FPR are NaN where the label lacks positives or negatives. */
typedef struct {
    int group;
    guint n;
    double accuracy;
    double tpr;
    double fpr;
    double selection_rate;
} AimfProtectedMeasure;

/** AimfInterval: a 95 % percentile bootstrap interval. */
typedef struct {
    double low, high;
} AimfInterval;

/** AimfScalars: the measures that are one number. Gaps over more than two protected labels are the largest pairwise ones. */
typedef struct {
    double accuracy;
    double worst_group_accuracy;
    double std_group_accuracy;  /* population standard deviation over non-empty groups */
    double equalized_odds_mean; /* the paper's: mean of the TPR and the FPR gap */
    double equalized_odds_max;  /* fairlearn's default */
    double equalized_odds_sum;  /* FFB's */
    double equal_opportunity;   /* the TPR gap */
    double demographic_parity;  /* the gap of selection rates */
    double auc;
    double balanced_accuracy;
} AimfScalars;

#define AIMF_N_SCALARS (sizeof(AimfScalars) / sizeof(double))

/** AimfMeasures: @intervals has the order of AimfScalars' members; NaN without bootstrap. */
typedef struct {
    guint n;
    AimfScalars scalars;
    AimfInterval intervals[AIMF_N_SCALARS];
    AimfGroupMeasure *groups;               /* (n_targets * n_protected), target-major, owned */
    AimfProtectedMeasure *protected_groups; /* (n_protected), owned */
    int n_targets;
    int n_protected;
} AimfMeasures;

void aimf_measures_free(AimfMeasures *measures);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfMeasures, aimf_measures_free)

/**
 * aimf_measure:
 * @target: (n) classes; @prediction: (n) classes; @score: (n, nullable) larger is more class 1, for the AUC; @group: (n) in [0, n_protected)
 * @resamples: of the bootstrap, 0 for none; @seed: of the bootstrap
 * Returns: (owned) or NULL with INVALID: n is 0, a label is out of range, a score is NaN.
 * A group without samples has n = 0 and NaN rates and is left out of minima, deviations and gaps.
 * Source: arXiv 2503.05665 section 4; Hardt et al. 2016 for equalized odds.
 */
AimfMeasures *aimf_measure(guint n, const int *target, const int *prediction, const float *score, const int *group,
                           int n_targets, int n_protected, guint resamples, guint64 seed, GError **error);

/* --- Sensitivity --- */

/** AimfSensitivity: of one parameter tensor. Ranks from 1: domain ascending (1 = least sensitive), bias descending (1 = most). */
typedef struct {
    char *name;
    gint64 size;
    double domain; /* mean |g(real) - g(biased synthetic)| */
    double bias;   /* mean |g(biased synthetic) - g(balanced synthetic)| */
    guint domain_rank;
    guint bias_rank;
} AimfSensitivity;

/** AimfSensitivities: @model_hash: of the model they were measured on; @tensors: in the model's order. */
typedef struct {
    char *model_hash;
    guint n;
    AimfSensitivity *tensors;
} AimfSensitivities;

void aimf_sensitivities_free(AimfSensitivities *sensitivities);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfSensitivities, aimf_sensitivities_free)

/** AimfGradientOptions: of the passes: training mode, last incomplete batch dropped. @augment: (nullable) none. */
typedef struct {
    guint batch;
    const AimfAugment *augment;
    gboolean shuffle;
    AimfPrecision precision;
    guint64 seed;
    int threads;
    guint skip_bad;
} AimfGradientOptions;

/**
 * aimf_mean_gradients:
 * One pass over @manifest in training mode: the mean over batches of the gradient of the loss, without changing the model.
 * Adds one f32 tensor "<prefix>/<parameter>" per parameter to @gradients.
 */
gboolean aimf_mean_gradients(const AimfModel *model, const AimfManifest *manifest, const char *prefix,
                             const AimfGradientOptions *options, const AimfMonitor *monitor, AimfTensors *gradients,
                             GError **error);

/** aimf_sensitivities_from_gradients: @gradients has real/…, biased/… and balanced/… for each parameter. (owned) or NULL. */
AimfSensitivities *aimf_sensitivities_from_gradients(const AimfTensors *gradients, const char *model_hash,
                                                     GError **error);
/** aimf_sensitivities_open, _save: sensitivity.json, version 1. */
AimfSensitivities *aimf_sensitivities_open(const char *path, GError **error);
gboolean aimf_sensitivities_save(const AimfSensitivities *sensitivities, const char *path, GError **error);

/**
 * aimf_select_top_k:
 * The intersection of the k least domain-sensitive and the k most bias-sensitive tensors, in the model's order.
 * Returns: (owned) NULL-terminated names, or NULL with INVALID: k out of [1, n], or nothing selected; the message names k and the
 * smallest k that selects something. Source: arXiv 2503.05665 section 3.3.
 */
char **aimf_select_top_k(const AimfSensitivities *sensitivities, guint k, GError **error);

G_END_DECLS
