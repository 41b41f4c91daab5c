/*
 * The method's own parts: measures of fairness, sensitivities of parameters, and the selection of what to fine-tune.
 *
 * Example:
 *     gboolean print_measures(const char *predictions, GError **error)
 *     {
 *         g_autoptr(AimfOutcomes) outcomes = aimf_outcomes_open(predictions, -1, NULL, NULL, error);
 *         g_autoptr(AimfMeasures) measures =
 *             outcomes ? aimf_outcomes_measure(outcomes, AIMF_DEFAULT_RESAMPLES, 1, NULL, error) : NULL;
 *         for (guint i = 0; measures && i < AIMF_N_SCALARS; i++)
 *             g_print("%s: %.3f, from %.3f to %.3f\n", aimf_scalar_name(i), aimf_scalar_at(&measures->scalars, i),
 *                     measures->intervals[i].low, measures->intervals[i].high);
 *         return measures != NULL;
 *     }
 */
#pragma once

#include <aimfair/findings.h>
#include <aimfair/model.h>

G_BEGIN_DECLS

/* --- Measures --- */

/** AimfInterval: from low to high; NaN where unknown. */
typedef struct {
    double low, high;
} AimfInterval;

/** AimfGroupMeasure: one (target, protected) group. Rates of an empty group are NaN. @interval: of the accuracy */
typedef struct {
    int target;
    int group; /* index into the protected labels */
    guint n;
    double accuracy;
    AimfInterval interval;
    double selection_rate; /* share predicted as the positive class; NaN where none is */
} AimfGroupMeasure;

/**
 * AimfProtectedMeasure: one protected label over all targets. TPR, FPR and what follows are of the positive class
 * against the rest: NaN where there is no such class, or where the label lacks what the rate is a share of.
 * @balanced_accuracy: mean recall of the classes that the label has
 * @calibration_error: see AimfClassScalars
 */
typedef struct {
    int group;
    guint n;
    double accuracy;
    double balanced_accuracy;
    double tpr;
    double fpr;
    double tnr;
    double fnr;
    double precision;
    double selection_rate;
    double auc;
    double calibration_error;
} AimfProtectedMeasure;

/** AIMF_N_GROUP_MEASURES: how many numbers AimfProtectedMeasure has, from accuracy on. */
#define AIMF_N_GROUP_MEASURES 10

/** aimf_group_measure_name: (borrowed) name of such a number as in evaluate's JSON: "tpr". */
const char *aimf_group_measure_name(guint index);
/** aimf_group_measure_at: the number @index of @measure. */
double aimf_group_measure_at(const AimfProtectedMeasure *measure, guint index);
/**
 * aimf_group_measure_find: index of the number called @name, as here or as in fairlearn ("true_positive_rate");
 * AIMF_N_GROUP_MEASURES if there is none.
 */
guint aimf_group_measure_find(const char *name);

/**
 * AimfClassScalars: the measures of one class against all others that are one number. Gaps over more than two
 * protected labels are the largest pairwise ones, ratios the smallest: lowest rate by highest. A gap or ratio between
 * fewer than two labels that have the rate is NaN, as is all that rests on it, and so is the ratio of rates that are
 * all 0.
 * Calibration error is the expected calibration error over AIMF_CALIBRATION_BINS bins of equal width, (0, 1/15] and
 * so on: the mean over samples of the distance between a bin's mean probability and its share of the class. Source:
 * Guo et al. 2017, section 2; for more than two classes Kull et al. 2019, classwise.
 * @equalized_odds_mean: the paper's, mean of the TPR and the FPR gap; @equalized_odds_max: fairlearn's default;
 * @equalized_odds_sum: FFB's
 * @equal_opportunity: the TPR gap; @demographic_parity: the gap of selection rates
 * @auc: equal scores count half, as scikit-learn's trapezoids do
 * @equalized_odds_ratio: fairlearn's, the smaller of the TPR and the FPR ratio; one that is NaN since all rates are 0
 * is left out
 * @calibration_error_gap: between the protected labels' own calibration errors
 */
typedef struct {
    double equalized_odds_mean;
    double equalized_odds_max;
    double equalized_odds_sum;
    double equal_opportunity;
    double demographic_parity;
    double auc;
    double demographic_parity_ratio;
    double equalized_odds_ratio;
    double equal_opportunity_ratio;
    double false_negative_rate_gap;
    double precision_gap;
    double calibration_error;
    double calibration_error_gap;
} AimfClassScalars;

#define AIMF_N_CLASS_SCALARS (sizeof(AimfClassScalars) / sizeof(double))
#define AIMF_CALIBRATION_BINS 15

/**
 * AimfScalars: the measures that are one number.
 * @std_group_accuracy: population standard deviation over non-empty groups; @balanced_accuracy: mean recall of the
 * classes there are
 * @positive: of the positive class, whose members are also AimfScalars' own; NaN with more than two classes and none
 * named
 * @macro, @worst: mean over the classes, and the least fair or least good of them, each number by itself; classes in
 * which it is NaN are left out. NaN with two classes.
 */
typedef struct {
    double accuracy;
    double worst_group_accuracy;
    double std_group_accuracy;
    double balanced_accuracy;
    union {
        AimfClassScalars positive;
        struct {
            double equalized_odds_mean;
            double equalized_odds_max;
            double equalized_odds_sum;
            double equal_opportunity;
            double demographic_parity;
            double auc;
            double demographic_parity_ratio;
            double equalized_odds_ratio;
            double equal_opportunity_ratio;
            double false_negative_rate_gap;
            double precision_gap;
            double calibration_error;
            double calibration_error_gap;
        };
    };
    AimfClassScalars macro;
    AimfClassScalars worst;
} AimfScalars;

#define AIMF_N_SCALARS (sizeof(AimfScalars) / sizeof(double))

/**
 * aimf_scalar_name: (borrowed) name of AimfScalars' member @index as in evaluate's JSON: "auc",
 * "macro.equalized_odds.mean".
 */
const char *aimf_scalar_name(guint index);
/**
 * aimf_scalar_title: (borrowed) what people call AimfScalars' member @index: "equalized odds, mean of gaps (EO)"; those
 * of macro and worst have the titles of one class's.
 */
const char *aimf_scalar_title(guint index);
/** aimf_scalar_low_is_bad: whether less of it is worse: of accuracies, AUC and ratios; not of gaps and errors. */
gboolean aimf_scalar_low_is_bad(guint index);
/**
 * aimf_scalar_of_classes: whether member @index is a macro or a worst one, which results of two classes do not have.
 */
gboolean aimf_scalar_of_classes(guint index);
/** aimf_scalar_at: AimfScalars' member @index. */
double aimf_scalar_at(const AimfScalars *scalars, guint index);

/**
 * AimfClassMeasure: class @target against all others.
 * @occurs: whether anybody has it or was predicted to; otherwise it is left out of @macro and @worst of AimfScalars
 * @groups: (n_protected) rates of each protected label, borrowed from AimfMeasures
 */
typedef struct {
    int target;
    guint n;
    double tpr;
    double fpr;
    double precision;
    double selection_rate;
    AimfClassScalars scalars;
    gboolean occurs;
    const AimfProtectedMeasure *groups;
} AimfClassMeasure;

/**
 * AimfMeasures: @intervals, of 95 %, and how each was found have the order of AimfScalars' members: docs/evaluate.md
 * has the methods. NaN and NULL where there is none: those of a bootstrap need resamples.
 * @positive: the class that rates and gaps are of; -1 with more than two classes and none named
 */
typedef struct {
    guint n;
    AimfScalars scalars;
    AimfInterval intervals[AIMF_N_SCALARS];
    const char *methods[AIMF_N_SCALARS];    /* static, nullable */
    AimfGroupMeasure *groups;               /* (n_targets * n_protected), target-major, owned */
    AimfProtectedMeasure *protected_groups; /* (n_protected), owned */
    AimfClassMeasure *classes;              /* (n_targets, nullable) with more than two classes, owned */
    AimfProtectedMeasure *class_groups;     /* (n_targets * n_protected, nullable) target-major, owned */
    int n_targets;
    int n_protected;
    int positive;
} AimfMeasures;

void aimf_measures_free(AimfMeasures *measures);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfMeasures, aimf_measures_free)

/** AIMF_MAX_RESAMPLES: most that a bootstrap may ask for; AIMF_DEFAULT_RESAMPLES: what the program uses. */
#define AIMF_MAX_RESAMPLES 1000000
#define AIMF_DEFAULT_RESAMPLES 1000

/**
 * aimf_measure: of labels and scores without probabilities; aimf_outcomes_measure knows more. Class 1 is the positive
 * one.
 * @target: (n) classes; @prediction: (n) classes; @score: (n, nullable) larger is more class 1, for the AUC; @group:
 *   (n) in [0, n_protected)
 * @resamples: of the bootstrap over rows, for the intervals that do not follow from counts, 0 for none; @seed: of the
 *   bootstrap. The intervals do not depend on the number of threads.
 * @monitor: (nullable) may stop the bootstrap
 * Returns: (owned) or NULL with INVALID: n is 0, a label is out of range, a score is NaN; MEMORY or INTERRUPTED.
 * A group without samples has n = 0 and NaN rates and is left out of minima, deviations and gaps.
 * A bootstrap's intervals are between percentiles; resamples in which a measure is undefined are left out of its
 * interval.
 * Source: arXiv 2503.05665 section 4; Hardt et al. 2016 for equalized odds; Efron 1979 for the bootstrap.
 */
AimfMeasures *aimf_measure(guint n, const int *target, const int *prediction, const double *score, const int *group,
                           int n_targets, int n_protected, guint resamples, guint64 seed, const AimfMonitor *monitor,
                           GError **error);

/**
 * aimf_measures_average:
 * @runs: (n) measures of several models (seeds) on test sets with the same groups of the same sizes
 * The mean of every measure, but worst and deviation of group accuracies are those of the averaged group accuracies,
 * as the paper has them. @intervals receives the lowest and the highest of the runs.
 * Returns: (owned) or NULL with INVALID when @n is 0 or the groups differ. Source: the run script of arXiv 2503.05665.
 */
AimfMeasures *aimf_measures_average(const AimfMeasures *const *runs, guint n, GError **error);

/* --- Demands; verdicts.h judges them --- */

/** AIMF_NO_GROUP_WORSE_THAN: in place of a member's index, of comparisons: the largest loss of accuracy of a group. */
#define AIMF_NO_GROUP_WORSE_THAN AIMF_N_SCALARS

/**
 * AimfGate: a demand on a measure. @scalar: index of AimfScalars' member, or AIMF_NO_GROUP_WORSE_THAN; @text: (owned)
 * as written
 * @evidence: the test set must show it, not its estimate alone
 */
typedef struct {
    char *text;
    guint scalar;
    gboolean at_least; /* >= or >; otherwise <= or < */
    gboolean strict;   /* > or < */
    gboolean evidence;
    double bound;
} AimfGate;

/**
 * aimf_gate_parse: "worst_group_accuracy>=0.7", "macro.equalized_odds.mean < 0.1"; "equalized_odds" alone means its
 * mean.
 * @evidence: of these, what counting can show: no deviation and no calibration; gaps at most, ratios and minima at
 * least, bounds from 0 to 1
 * FALSE with INVALID that lists what there is.
 */
gboolean aimf_gate_parse(const char *text, gboolean evidence, AimfGate *gate, GError **error);
void aimf_gate_clear(AimfGate *gate);
/** aimf_gate_met: whether a measure of @value, as it stands, meets it; NaN does not. */
gboolean aimf_gate_met(const AimfGate *gate, double value);
/** aimf_gate_measure: (borrowed) the name of what it is about. */
const char *aimf_gate_measure(const AimfGate *gate);
/** AimfVerdicts: demands, judged: see verdicts.h. */
typedef struct AimfVerdicts AimfVerdicts;
void aimf_verdicts_free(AimfVerdicts *verdicts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfVerdicts, aimf_verdicts_free)

/** AimfSeeds: what several runs say together: see seeds.h. */
typedef struct AimfSeeds AimfSeeds;
void aimf_seeds_free(AimfSeeds *seeds);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfSeeds, aimf_seeds_free)

/** AIMF_MAX_IMPACT_COLUMNS: columns whose categories may be looked at; each has at most AIMF_MAX_LABELS of them. */
#define AIMF_MAX_IMPACT_COLUMNS 8

/**
 * AimfImpactRows: of which categories samples are, and what was said about them; everything owned.
 * @columns: (n_columns) NULL-terminated names; @categories: (n_columns) of each the sorted NULL-terminated categories
 * @category: (n_columns, n) index into the column's categories, -1 where it is unknown
 * @prediction: (n) classes, NULL until the samples were judged
 * @scores: (n, n_scores; nullable) larger is more the class: of class 1, or with n_scores above 1 of each; @score: what
 *   they are, "logit" or "probability" (static, nullable)
 */
typedef struct {
    guint n;
    guint n_columns;
    char **columns;
    char ***categories;
    int *category;
    int *prediction;
    int n_scores;
    double *scores;
    const char *score;
} AimfImpactRows;

void aimf_impact_rows_free(AimfImpactRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfImpactRows, aimf_impact_rows_free)

/**
 * aimf_impact_rows_new: of all rows of @manifest, not judged yet.
 * @columns: NULL-terminated names of any of its columns but path and target
 * @rules: (nullable) how categories are understood; NULL: a value that is missing is unknown. It always is, but for
 *   AIMF_MISSING_KEEP with a word that says so: no row is left out. @monitor: (nullable) is told what is doubtful
 *   ("spellings", "unknown-category") unless @rules has findings
 * Returns: (owned) or NULL: NOT_FOUND lists the columns there are; INVALID for no column, one that is there twice, more
 * than AIMF_MAX_IMPACT_COLUMNS, or one of more than AIMF_MAX_LABELS values; FORMAT for a value that is not UTF-8.
 */
AimfImpactRows *aimf_impact_rows_new(const AimfManifest *manifest, const char *const *columns,
                                     const AimfLabelRules *rules, const AimfMonitor *monitor, GError **error);

/**
 * AimfOutcomes: what a classifier, this library's or another, said about labelled samples; all arrays owned.
 * @paths: (n, nullable) the pictures, as the manifest or the file's column path has them
 * @logit, @probability: (n, nullable) of class 1; both NULL with more than two classes
 * @class_probability: (n, n_targets; nullable) of every class, with more than two classes. All as a file has them; a
 *   model's singles are the numbers that their shortest texts say, so that saving and reading changes nothing
 * @labels: (n_protected) sorted protected labels, NULL-terminated, which @group points into
 * @n_dropped: rows of the file that were left out because a value was missing; @n_skipped: because their picture could
 * not be read
 * @classes: (nullable) NULL-terminated names of the classes
 * @positive: the class that rates and gaps are measured of: 1 with two classes, -1 for none with more; may be set
 * before measuring
 * @threshold: a probability of at least this was taken for class 1; NaN where the answers were classes already
 * @impact: (nullable) categories in other columns of the same samples and, of a table, of those too that were left out
 *   only because a protected label is missing
 */
typedef struct {
    guint n;
    guint n_dropped;
    guint n_skipped;
    int n_targets;
    int n_protected;
    char **paths;
    int *target;
    int *group;
    int *prediction;
    double *logit;
    double *probability;
    double *class_probability;
    char **labels;
    char **classes;
    int positive;
    double threshold;
    AimfImpactRows *impact;
} AimfOutcomes;

void aimf_outcomes_free(AimfOutcomes *outcomes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfOutcomes, aimf_outcomes_free)

/**
 * aimf_outcomes_open:
 * @path: a CSV file with a header, the columns target and protected, and one or more of logit, probability (both of
 *   class 1), prediction (a class) and a probability of every class: probability_0, probability_1, … or
 *   probability_NAME, … in the order of the classes; other columns are passed over, but for class, the names of the
 *   predicted classes, and path: what one row or picture says twice, and differently, is doubtful ("contradiction")
 * @threshold: a probability of at least this is class 1; negative: the column prediction counts if it is there, else
 *   0.5, or the largest probability of more than two classes
 * @rules: (nullable) how labels are understood; NULL: nothing may be missing. @monitor: (nullable) is told
 *   what is doubtful about labels unless @rules has findings
 * Returns: (owned) or NULL with NOT_FOUND, IO, FORMAT or INVALID naming file, line and column.
 */
AimfOutcomes *aimf_outcomes_open(const char *path, double threshold, const AimfLabelRules *rules,
                                 const AimfMonitor *monitor, GError **error);
/**
 * AimfOutcomesOptions: @threshold, @rules: as of aimf_outcomes_open; @impact: (nullable) NULL-terminated names of
 * columns for AimfOutcomes.impact, see aimf_impact_rows_new
 */
typedef struct {
    double threshold;
    const AimfLabelRules *rules;
    const char *const *impact;
} AimfOutcomesOptions;

/** aimf_outcomes_open_with: as aimf_outcomes_open, with the errors of aimf_impact_rows_new. */
AimfOutcomes *aimf_outcomes_open_with(const char *path, const AimfOutcomesOptions *options, const AimfMonitor *monitor,
                                      GError **error);
/**
 * aimf_outcomes_from_predictions: joins a model's answers to a manifest's labels; rows whose picture was skipped are
 * left out.
 * Returns: (owned) or NULL with INVALID: nothing is left, or the manifest has a class that the model does not know.
 */
AimfOutcomes *aimf_outcomes_from_predictions(const AimfManifest *manifest, const AimfPredictions *predictions,
                                             GError **error);
/**
 * aimf_outcomes_take_impact: @rows (taken) of the manifest that @predictions and @outcomes are of become
 * AimfOutcomes.impact: judged, without those whose picture was skipped.
 */
void aimf_outcomes_take_impact(AimfOutcomes *outcomes, AimfImpactRows *rows, const AimfPredictions *predictions);
/**
 * aimf_outcomes_save: CSV that aimf_outcomes_open reads: path, target, protected, logit, probability, prediction, as
 * far as known; with more than two classes probability_0, …; then class, the name of the predicted class, if classes
 * have names.
 */
gboolean aimf_outcomes_save(const AimfOutcomes *outcomes, const char *path, GError **error);
/**
 * aimf_outcomes_find_class: number of the class that @text names, in whatever case, or numbers; -1 with INVALID that
 * lists the classes and has the nearest.
 */
int aimf_outcomes_find_class(const AimfOutcomes *outcomes, const char *text, GError **error);
/**
 * aimf_outcomes_measure: as aimf_measure, with the logits, or else the probabilities, as scores; INVALID also when
 * there is no class @positive.
 */
AimfMeasures *aimf_outcomes_measure(const AimfOutcomes *outcomes, guint resamples, guint64 seed,
                                    const AimfMonitor *monitor, GError **error);

/* --- Impact ratios --- */

/**
 * AimfImpactCategory: one category of a column, or one combination of categories of several.
 * @values: (columns of its table) owned, NULL-terminated; @n: samples; @share: of those whose category is known
 * @hits: samples that were selected, or that score above the median; @rate: hits / n, with Wilson's @rate_interval
 * @ratio: @rate by the rate of the reference, NaN if that is 0; @ratio_interval: Koopman's, NaN of the reference
 * @reference: of the highest rate among those that are not small; of equal ones the largest, then the first
 * @small: less than 2 % of all samples, known or not: no reference, unless all are small. Its ratio may be above 1.
 * @below_four_fifths: @ratio < 4/5, compared in whole numbers
 */
typedef struct {
    char **values;
    guint n;
    guint hits;
    double share;
    double rate;
    AimfInterval rate_interval;
    double ratio;
    AimfInterval ratio_interval;
    gboolean reference;
    gboolean small;
    gboolean below_four_fifths;
} AimfImpactCategory;

/**
 * AimfImpactTable: the categories of one column, or those combinations of several that occur, sorted; everything owned.
 * @columns: (n_columns) NULL-terminated; @n: all samples; @unknown: those of them that are in no category, since a
 * value is missing in one of the columns
 */
typedef struct {
    guint n_columns;
    char **columns;
    guint n;
    guint unknown;
    guint n_categories;
    AimfImpactCategory *categories;
} AimfImpactTable;

/**
 * AimfImpact: @selection: (n_tables) shares of samples predicted as class @positive: by each column, then, of two
 * columns or more, by all of them together; @scoring: (n_tables, nullable) shares above @median, that of the scores
 * of all samples for the class, NaN without; @score: what they are (static, nullable). Everything else is owned.
 */
typedef struct {
    int positive;
    guint n_tables;
    AimfImpactTable *selection;
    AimfImpactTable *scoring;
    double median;
    const char *score;
} AimfImpact;

void aimf_impact_free(AimfImpact *impact);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfImpact, aimf_impact_free)

/**
 * aimf_impact_measure: @rows: judged; @positive: the class that counts as selection
 * Returns: (owned) or NULL with INVALID: no row, rows that were not judged, no class, a score that is NaN.
 * Sources: New York City's rules for bias audits, 6 RCNY 5-300 and 5-301; the four-fifths rule, 29 CFR 1607.4 D.
 */
AimfImpact *aimf_impact_measure(const AimfImpactRows *rows, int positive, GError **error);

/**
 * AimfEvidence: what a result rests on, so that it can be made again and nothing be passed off for it; everything
 * owned, NULL if unknown.
 * @model_sha256, @data_sha256: of the files' bytes; @weights_sha256: aimf_model_hash; @rows_sha256:
 * aimf_manifest_hash, which models record of the data they were trained on
 * @threshold: NaN where the answers were classes already; @precision, @engine, @instruction_set: NULL where no model
 * was run
 * @results: (nullable) NULL-terminated files that were averaged, @results_sha256 of their bytes
 */
typedef struct {
    char *model_sha256;
    char *weights_sha256;
    char *data_sha256;
    char *rows_sha256;
    double threshold;
    guint resamples;
    guint64 seed;
    const char *precision;       /* borrowed, "f32" */
    char *engine;                /* aimf_device_engine: "oneDNN 2.6.3, AVX2" */
    const char *instruction_set; /* borrowed, of the kernels of our own: "AVX2" */
    char **results;
    char **results_sha256;
} AimfEvidence;

void aimf_evidence_free(AimfEvidence *evidence);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfEvidence, aimf_evidence_free)

/**
 * aimf_evidence_new:
 * @model_path, @model, @manifest: (nullable) what was asked; @data_path: (nullable) manifest or predictions;
 * @options: (nullable where there is no model) how it is asked
 * Returns: (owned) the hashes and the engine, without threshold and bootstrap; NULL with NOT_FOUND or IO.
 */
AimfEvidence *aimf_evidence_new(const char *model_path, const AimfModel *model, const char *data_path,
                                const AimfManifest *manifest, const AimfPredictOptions *options, GError **error);
/** aimf_evidence_of_results: (owned) of an average of the @n files @paths; NULL with NOT_FOUND or IO. */
AimfEvidence *aimf_evidence_of_results(const char *const *paths, guint n, GError **error);

/**
 * AimfEvaluation: measures and what they are of; everything owned.
 * @model, @data: (nullable) names of files; @labels: the protected labels, NULL-terminated
 * @target: (nullable) what is predicted; @classes: (nullable) NULL-terminated names of the classes
 * @runs: 1, or how many were averaged; @verdicts: (nullable) on demands, to be reported with the measures
 * @seeds: (nullable) of an average, what its runs say together; @evidence: (nullable)
 * @n_dropped: rows left out because a value was missing; @n_skipped: because a picture could not be read
 * @impact: (nullable) selection rates of categories; not read from files
 * @findings: (nullable) what is to be said about the data. "trained-on" and "chosen-on" are also marks of their own
 *   in the JSON
 */
typedef struct {
    char *model;
    char *data;
    guint n_dropped;
    guint n_skipped;
    char *target;
    char **classes;
    char **labels;
    AimfMeasures *measures;
    guint runs;
    AimfVerdicts *verdicts;
    AimfSeeds *seeds;
    AimfEvidence *evidence;
    AimfImpact *impact;
    AimfFindings *findings;
} AimfEvaluation;

void aimf_evaluation_free(AimfEvaluation *evaluation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfEvaluation, aimf_evaluation_free)

/**
 * aimf_evaluation_json: (owned) what `aimfair evaluate --json` prints, ended by a newline; what is unknown is null.
 */
char *aimf_evaluation_json(const AimfEvaluation *evaluation);
/**
 * aimf_evaluation_open: a file that aimf_evaluation_json made, without its intervals and gates.
 * Returns: (owned) or NULL with NOT_FOUND, IO, FORMAT, also when measures and groups contradict each other, or INVALID
 * if it is an average.
 */
AimfEvaluation *aimf_evaluation_open(const char *path, GError **error);
/**
 * aimf_evaluations_average: (owned) see aimf_measures_average; NULL with INVALID also when the protected labels
 * differ.
 */
AimfEvaluation *aimf_evaluations_average(const AimfEvaluation *const *evaluations, guint n, GError **error);

/* --- Before against after --- */

/** AimfGroupPairs: one (target, protected) group of pictures, judged twice. @change: the interval of its accuracy's */
typedef struct {
    int target;
    int group; /* index into the protected labels */
    guint n;
    guint right_before;
    guint right_after;
    guint lost; /* right before, wrong after */
    guint won;
    AimfInterval change;
} AimfGroupPairs;

/**
 * AimfComparison: two classifiers, or one before and after, on the same pictures; everything owned.
 * @changes: after - before, and @intervals of 95 % of them with their @methods (static, nullable), in the order of
 *   AimfScalars' members; NaN and NULL where unknown
 * @groups: (n_targets * n_protected) target-major; @lost, @won: over all of them
 * @mcnemar_exact, @mcnemar_mid: p of accuracies that are equal, exact and with half of the middle (mid-p)
 * @n: pictures, in the order before; @paths (nullable), @target, @group and both predictions of each
 * @verdicts: on demands, to be reported with it
 */
typedef struct {
    AimfMeasures *before;
    AimfMeasures *after;
    double changes[AIMF_N_SCALARS];
    AimfInterval intervals[AIMF_N_SCALARS];
    const char *methods[AIMF_N_SCALARS];
    AimfGroupPairs *groups;
    guint lost;
    guint won;
    double mcnemar_exact;
    double mcnemar_mid;
    guint n;
    char **paths;
    int *target;
    int *group;
    int *predicted_before;
    int *predicted_after;
    char **labels;
    char **classes;         /* nullable */
    AimfVerdicts *verdicts; /* nullable */
} AimfComparison;

void aimf_comparison_free(AimfComparison *comparison);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfComparison, aimf_comparison_free)

/**
 * aimf_compare_outcomes:
 * Pairs the samples of both by their paths where both have them, else by their order. @resamples: of the pairs, for how
 * closely two measures go together and for what has no other interval; 0: as if they did not, which makes intervals
 * wider. @seed: of them
 * Returns: (owned) or NULL with INVALID where they are not of the same test set: another number of samples, of classes
 * or other labels; a picture that one lacks; another target or label of one picture; MEMORY or INTERRUPTED.
 * Sources: Tango 1998 for accuracies; McNemar 1947, Fagerland et al. 2013; DeLong et al. 1988; Zou 2007 for others.
 */
AimfComparison *aimf_compare_outcomes(const AimfOutcomes *before, const AimfOutcomes *after, guint resamples,
                                      guint64 seed, const AimfMonitor *monitor, GError **error);
/**
 * aimf_comparison_check: doubtful "levelling-down" for each group that lost, with its interval, and "same-set" where
 * both gave the same answers throughout.
 */
void aimf_comparison_check(const AimfComparison *comparison, AimfFindings *findings);
/**
 * aimf_comparison_json: (owned) what `aimfair evaluate --compare --json` prints, without names of files and warnings.
 */
char *aimf_comparison_json(const AimfComparison *comparison);
/**
 * aimf_comparison_save_changes: CSV of the pictures whose answers differ: path (or row, from 1), target, protected,
 * before, after, change: lost, won, or other where both are wrong.
 */
gboolean aimf_comparison_save_changes(const AimfComparison *comparison, const char *path, GError **error);

/** AIMF_CHART_MOST_GROUPS: rows of groups on a chart; of more groups, those whose accuracy changed most. */
#define AIMF_CHART_MOST_GROUPS 60
/** aimf_chart_check_name: FALSE with INVALID unless @path ends in .svg or .png, so that a chart can be made there. */
gboolean aimf_chart_check_name(const char *path, GError **error);
/**
 * aimf_comparison_draw:
 * @before, @after: what was compared, paths or any text
 * The comparison as one picture: the accuracy of every group before and after with what it lost and won, groups that
 * lost being marked; and the change of every measure with its interval, by whether that excludes no change. What is
 * unknown, and a group without pictures, is left out. A unit of the page is a pixel of SVG and two of PNG; its height
 * follows from the rows. Texts are outlines in the system's sans-serif. The same comparison gives the same bytes.
 * FALSE with INVALID, as aimf_chart_check_name, NOT_FOUND or IO (of the file), MEMORY or FAILED (of drawing).
 */
gboolean aimf_comparison_draw(const AimfComparison *comparison, const char *before, const char *after, const char *path,
                              GError **error);

/* --- Sensitivity --- */

/**
 * AimfSensitivity: of one parameter tensor. Ranks from 1: domain ascending (1 = least sensitive), bias descending (1
 * = most).
 */
typedef struct {
    char *name;
    gint64 size;
    double domain; /* mean |g(real) - g(biased synthetic)| */
    double bias;   /* mean |g(biased synthetic) - g(balanced synthetic)| */
    guint domain_rank;
    guint bias_rank;
} AimfSensitivity;

/**
 * AimfSensitivities: @model_hash: of the model they were measured on; @batch_norm: of the passes; @tensors: in the
 * model's order; @findings: (nullable) about the sets, kept in the file as its warnings.
 */
typedef struct {
    char *model_hash;
    AimfBatchNormMode batch_norm;
    guint n;
    AimfSensitivity *tensors;
    AimfFindings *findings;
} AimfSensitivities;

void aimf_sensitivities_free(AimfSensitivities *sensitivities);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfSensitivities, aimf_sensitivities_free)

/**
 * AimfGradientOptions: of the passes: training mode, last incomplete batch dropped. @augment: (nullable) none;
 * @batch_norm: whether batch norm uses batch statistics; @device: (nullable) where they compute, NULL for "auto";
 * @threads: 0: see aimf_set_threads.
 */
typedef struct {
    guint batch;
    const AimfAugment *augment;
    gboolean shuffle;
    AimfBatchNormMode batch_norm;
    AimfDevice *device;
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

/** AIMF_GRADIENTS_DATA_KEY: metadata of gradients, before a set's name: its aimf_manifest_hash. */
#define AIMF_GRADIENTS_DATA_KEY "aimfair.data."
/** AIMF_GRADIENTS_BATCH_NORM_KEY: metadata of gradients, "frozen" where the passes had AIMF_BATCH_NORM_FROZEN. */
#define AIMF_GRADIENTS_BATCH_NORM_KEY "aimfair.batch_norm"

/**
 * aimf_mean_gradients:
 * One pass over each of @sets (n_sets) in training mode: the mean over batches of the gradient of the loss, without
 * changing the model. Adds one f32 tensor "<name>/<parameter>" per set and parameter to @gradients, and
 * AIMF_GRADIENTS_BATCH_NORM_KEY where it applies. All sets are checked before the first pass.
 * Returns: FALSE with INVALID (fewer images than a batch, a target that is no class of the model, a name that
 * @gradients has already), FAILED (the loss is not finite, no image could be read), INTERRUPTED, or what compiling,
 * loading and aimf_plan_run give.
 * Source: arXiv 2503.05665, section 3.3.
 */
gboolean aimf_mean_gradients(const AimfModel *model, const AimfGradientSet *sets, guint n_sets,
                             const AimfGradientOptions *options, const AimfMonitor *monitor, AimfTensors *gradients,
                             GError **error);

/**
 * aimf_sensitivities_from_gradients: @gradients has real/…, biased/… and balanced/… for each parameter; equal values
 * rank in its order. Their metadata say how batch norm worked.
 * Returns: (owned) or NULL with NOT_FOUND (one of the three is missing), INVALID (shapes differ, other entries,
 * another way of batch norm), FAILED (not finite).
 */
AimfSensitivities *aimf_sensitivities_from_gradients(const AimfTensors *gradients, const char *model_hash,
                                                     GError **error);
/**
 * aimf_sensitivities_open, _save: sensitivity.json, version 1. A file whose ranks do not follow from its values is
 * refused.
 * Returns: NULL or FALSE with NOT_FOUND, IO, or FORMAT naming the file and the member.
 */
AimfSensitivities *aimf_sensitivities_open(const char *path, GError **error);
gboolean aimf_sensitivities_save(const AimfSensitivities *sensitivities, const char *path, GError **error);
/** aimf_sensitivities_json: (owned) what aimf_sensitivities_save writes. */
char *aimf_sensitivities_json(const AimfSensitivities *sensitivities);

/** AIMF_TOP_K_SHARE: the paper's share of the tensors for aimf_top_k: 55 of ResNet-18's 62. */
#define AIMF_TOP_K_SHARE (55.0 / 62)
/** aimf_top_k: @share of @n tensors as a number for aimf_select_top_k: rounded, halves up, and at least 1. */
guint aimf_top_k(guint n, double share);

/**
 * aimf_select_top_k:
 * The intersection of the k least domain-sensitive and the k most bias-sensitive tensors, in the model's order.
 * Returns: (owned) NULL-terminated names, or NULL with INVALID: k out of [1, n], or nothing selected; the message
 * names k and the smallest k that selects something. Source: arXiv 2503.05665 section 3.3.
 */
char **aimf_select_top_k(const AimfSensitivities *sensitivities, guint k, GError **error);

G_END_DECLS
