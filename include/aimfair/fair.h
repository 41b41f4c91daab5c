/* The method's own parts: measures of fairness, sensitivities of parameters, and the selection of what to fine-tune. */
#pragma once

#include <aimfair/findings.h>
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

/** AimfInterval: from low to high; NaN where unknown. */
typedef struct {
    double low, high;
} AimfInterval;

/**
 * AimfScalars: the measures that are one number. Gaps over more than two protected labels are the largest pairwise ones; a gap
 * between fewer than two labels that have the rate is NaN, as is all that rests on it.
 * With more than two classes, class 1 is the positive one and all others together the negative one.
 */
typedef struct {
    double accuracy;
    double worst_group_accuracy;
    double std_group_accuracy;  /* population standard deviation over non-empty groups */
    double equalized_odds_mean; /* the paper's: mean of the TPR and the FPR gap */
    double equalized_odds_max;  /* fairlearn's default */
    double equalized_odds_sum;  /* FFB's */
    double equal_opportunity;   /* the TPR gap */
    double demographic_parity;  /* the gap of selection rates */
    double auc;                 /* equal scores count half, as scikit-learn's trapezoids do */
    double balanced_accuracy;   /* mean recall of the classes there are */
} AimfScalars;

#define AIMF_N_SCALARS (sizeof(AimfScalars) / sizeof(double))

/** aimf_scalar_name: (borrowed) name of AimfScalars' member @index as in evaluate's JSON: "accuracy", "equalized_odds.mean". */
const char *aimf_scalar_name(guint index);
/** aimf_scalar_at: AimfScalars' member @index. */
double aimf_scalar_at(const AimfScalars *scalars, guint index);

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

/** AIMF_MAX_RESAMPLES: most that a bootstrap may ask for; AIMF_DEFAULT_RESAMPLES: what the program uses. */
#define AIMF_MAX_RESAMPLES 1000000
#define AIMF_DEFAULT_RESAMPLES 1000

/**
 * aimf_measure:
 * @target: (n) classes; @prediction: (n) classes; @score: (n, nullable) larger is more class 1, for the AUC; @group: (n) in [0, n_protected)
 * @resamples: of the bootstrap over rows, 0 for none; @seed: of the bootstrap. The intervals do not depend on the number of threads.
 * @monitor: (nullable) may stop the bootstrap
 * Returns: (owned) or NULL with INVALID: n is 0, a label is out of range, a score is NaN; MEMORY or INTERRUPTED.
 * A group without samples has n = 0 and NaN rates and is left out of minima, deviations and gaps.
 * Intervals are 95 % percentile intervals; resamples in which a measure is undefined are left out of its interval.
 * Source: arXiv 2503.05665 section 4; Hardt et al. 2016 for equalized odds; Efron 1979 for the bootstrap.
 */
AimfMeasures *aimf_measure(guint n, const int *target, const int *prediction, const float *score, const int *group,
                           int n_targets, int n_protected, guint resamples, guint64 seed, const AimfMonitor *monitor,
                           GError **error);

/**
 * aimf_measures_average:
 * @runs: (n) measures of several models (seeds) on test sets with the same groups of the same sizes
 * The mean of every measure, but worst and deviation of group accuracies are those of the averaged group accuracies, as the paper
 * has them. @intervals receives the lowest and the highest of the runs.
 * Returns: (owned) or NULL with INVALID when @n is 0 or the groups differ. Source: the run script of arXiv 2503.05665.
 */
AimfMeasures *aimf_measures_average(const AimfMeasures *const *runs, guint n, GError **error);

/** AimfGate: a demand on a measure. @scalar: index of AimfScalars' member; @text: (owned) as written */
typedef struct {
    char *text;
    guint scalar;
    gboolean at_least; /* >= or >; otherwise <= or < */
    gboolean strict;   /* > or < */
    double bound;
} AimfGate;

/** aimf_gate_parse: "worst_group_accuracy>=0.7", "equalized_odds.mean < 0.1". FALSE with INVALID that lists what there is. */
gboolean aimf_gate_parse(const char *text, AimfGate *gate, GError **error);
void aimf_gate_clear(AimfGate *gate);
/** aimf_gate_met: a measure that is NaN meets no gate. */
gboolean aimf_gate_met(const AimfGate *gate, const AimfScalars *scalars);

/**
 * AimfOutcomes: what a classifier, this library's or another, said about labelled samples; all arrays owned.
 * @paths: (n, nullable) the pictures
 * @logit, @probability: (n, nullable) of class 1; both NULL with more than two classes
 * @labels: (n_protected) sorted protected labels, NULL-terminated, which @group points into
 */
typedef struct {
    guint n;
    int n_targets;
    int n_protected;
    char **paths;
    int *target;
    int *group;
    int *prediction;
    float *logit;
    float *probability;
    char **labels;
} AimfOutcomes;

void aimf_outcomes_free(AimfOutcomes *outcomes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfOutcomes, aimf_outcomes_free)

/**
 * aimf_outcomes_open:
 * @path: a CSV file with a header, the columns target and protected, and one or more of logit, probability (both of class 1) and
 *   prediction (a class); other columns are passed over
 * @threshold: a probability of at least this is class 1; negative: the column prediction counts if it is there, else 0.5
 * Returns: (owned) or NULL with NOT_FOUND, IO, FORMAT or INVALID naming file, line and column.
 */
AimfOutcomes *aimf_outcomes_open(const char *path, double threshold, GError **error);
/**
 * aimf_outcomes_from_predictions: joins a model's answers to a manifest's labels; rows whose picture was skipped are left out.
 * Returns: (owned) or NULL with INVALID: nothing is left, or the manifest has a class that the model does not know.
 */
AimfOutcomes *aimf_outcomes_from_predictions(const AimfManifest *manifest, const AimfPredictions *predictions,
                                             GError **error);
/** aimf_outcomes_save: CSV that aimf_outcomes_open reads: path, target, protected, logit, probability, prediction, as far as known. */
gboolean aimf_outcomes_save(const AimfOutcomes *outcomes, const char *path, GError **error);
/** aimf_outcomes_measure: aimf_measure with the logits, or else the probabilities, as scores. */
AimfMeasures *aimf_outcomes_measure(const AimfOutcomes *outcomes, guint resamples, guint64 seed,
                                    const AimfMonitor *monitor, GError **error);

/**
 * AimfEvaluation: measures and what they are of; everything owned.
 * @model, @data: (nullable) names of files; @labels: the protected labels, NULL-terminated
 * @runs: 1, or how many were averaged; @gates: (n_gates) demands to be reported with the measures
 * @findings: (nullable) what is to be said about the data. "trained-on" and "chosen-on" are also marks of their own
 *   in the JSON
 */
typedef struct {
    char *model;
    char *data;
    char **labels;
    AimfMeasures *measures;
    guint runs;
    AimfGate *gates;
    guint n_gates;
    AimfFindings *findings;
} AimfEvaluation;

void aimf_evaluation_free(AimfEvaluation *evaluation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfEvaluation, aimf_evaluation_free)

/** aimf_evaluation_json: (owned) what `aimfair evaluate --json` prints, ended by a newline; what is unknown is null. */
char *aimf_evaluation_json(const AimfEvaluation *evaluation);
/**
 * aimf_evaluation_open: a file that aimf_evaluation_json made, without its intervals and gates.
 * Returns: (owned) or NULL with NOT_FOUND, IO, or FORMAT, also when measures and groups contradict each other or it is an average.
 */
AimfEvaluation *aimf_evaluation_open(const char *path, GError **error);
/** aimf_evaluations_average: (owned) see aimf_measures_average; NULL with INVALID also when the protected labels differ. */
AimfEvaluation *aimf_evaluations_average(const AimfEvaluation *const *evaluations, guint n, GError **error);

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

/**
 * AimfSensitivities: @model_hash: of the model they were measured on; @tensors: in the model's order; @findings:
 * (nullable) about the sets, kept in the file as its warnings.
 */
typedef struct {
    char *model_hash;
    guint n;
    AimfSensitivity *tensors;
    AimfFindings *findings;
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

/** AimfGradientSet: pictures, and what their gradients are called. */
typedef struct {
    const char *name;
    const AimfManifest *manifest;
} AimfGradientSet;

/**
 * aimf_mean_gradients:
 * One pass over each of @sets (n_sets) in training mode: the mean over batches of the gradient of the loss, without changing the
 * model. Adds one f32 tensor "<name>/<parameter>" per set and parameter to @gradients. All sets are checked before the first pass.
 * Returns: FALSE with INVALID (fewer images than a batch, a target that is no class of the model, a name that @gradients has
 * already), FAILED (the loss is not finite, no image could be read), INTERRUPTED, or what compiling, loading and
 * aimf_plan_run give.
 * Source: arXiv 2503.05665, section 3.3.
 */
gboolean aimf_mean_gradients(const AimfModel *model, const AimfGradientSet *sets, guint n_sets,
                             const AimfGradientOptions *options, const AimfMonitor *monitor, AimfTensors *gradients,
                             GError **error);

/**
 * aimf_sensitivities_from_gradients: @gradients has real/…, biased/… and balanced/… for each parameter; equal values rank in its order.
 * Returns: (owned) or NULL with NOT_FOUND (one of the three is missing), INVALID (shapes differ, other entries), FAILED (not finite).
 */
AimfSensitivities *aimf_sensitivities_from_gradients(const AimfTensors *gradients, const char *model_hash,
                                                     GError **error);
/**
 * aimf_sensitivities_open, _save: sensitivity.json, version 1. A file whose ranks do not follow from its values is refused.
 * Returns: NULL or FALSE with NOT_FOUND, IO, or FORMAT naming the file and the member.
 */
AimfSensitivities *aimf_sensitivities_open(const char *path, GError **error);
gboolean aimf_sensitivities_save(const AimfSensitivities *sensitivities, const char *path, GError **error);
/** aimf_sensitivities_json: (owned) what aimf_sensitivities_save writes. */
char *aimf_sensitivities_json(const AimfSensitivities *sensitivities);

/**
 * aimf_select_top_k:
 * The intersection of the k least domain-sensitive and the k most bias-sensitive tensors, in the model's order.
 * Returns: (owned) NULL-terminated names, or NULL with INVALID: k out of [1, n], or nothing selected; the message names k and the
 * smallest k that selects something. Source: arXiv 2503.05665 section 3.3.
 */
char **aimf_select_top_k(const AimfSensitivities *sensitivities, guint k, GError **error);

G_END_DECLS
