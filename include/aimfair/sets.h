/*
 * Whether sets of pictures are what they are given for: swapped, overlapping, with one class; and what a training
 * did to each group.
 *
 * Example:
 *     gboolean may_train(const AimfManifest *train, const AimfManifest *validation, GError **error)
 *     {
 *         const AimfTrainingSets sets = { .train = train, .validation = validation };
 *         const char *const allowed[] = { "overlap", NULL };
 *         g_autoptr(AimfFindings) findings = aimf_findings_new();
 *         return aimf_check_training_sets(&sets, NULL, findings, error) &&
 *                aimf_findings_allow(findings, allowed, error);
 *     }
 */
#pragma once

#include <aimfair/fair.h>
#include <aimfair/train.h>

G_BEGIN_DECLS

/**
 * aimf_check_training_sets: what is wrong with the sets of a training, and what looks doubtful.
 * Certain: "overlap" and "same-set" (pictures of the training set are also for validation), "one-class" (of either
 * set), "names" (see aimf_check_names), "trained-on" (the weights were trained on the validation set), and in
 * fine-tuning "same-set" where the lopsided training set is the one that the weights were trained on before. Doubtful:
 * "empty-group" (of the validation set), "missing-class", "spellings" and "labels" (see aimf_check_labels),
 * "contradiction" (one picture, two targets), "batch-norm" (frozen, and @model's running statistics are of no data,
 * because @start is NULL and this is no fine-tuning), and in fine-tuning "unbalanced" and "chosen-on". What needs
 * protected labels is left out where a set has only one; labels of several sets are compared without their spelling. A
 * picture is known again under any name, through links and in copies: files whose sizes coincide are compared by
 * SHA-256. What weights were trained on is known again by the hashes that they carry: the same pictures in any order,
 * in any folder and however labelled, but not a part of them.
 * Returns: FALSE with INTERRUPTED.
 */
typedef struct {
    const AimfTensors *start; /* (nullable) the weights to begin with, with the metadata of their file */
    const AimfModel *model;   /* (nullable) what is trained, for the names of its classes */
    const AimfManifest *train;
    const AimfManifest *validation;
    gboolean finetuning; /* the training set should be balanced */
    AimfBatchNormMode batch_norm;
} AimfTrainingSets;

gboolean aimf_check_training_sets(const AimfTrainingSets *sets, const AimfMonitor *monitor, AimfFindings *findings,
                                  GError **error);

/**
 * aimf_check_sensitivity_sets: the same for the three sets of a sensitivity pass.
 * Certain: "same-set" (two sets have the same pictures), "overlap" (a picture is real and synthetic), "one-class",
 * "names", "swapped" (the balanced set is far less balanced than the biased one, or a synthetic set is the one that
 * the model was trained on). Doubtful: "swapped" (a little less balanced), "unbalanced", "unbiased", "spellings" and
 * "labels" (see aimf_check_labels), "contradiction".
 * @model: (nullable). Returns: FALSE with INTERRUPTED.
 */
typedef struct {
    const AimfModel *model;
    const AimfManifest *real;
    const AimfManifest *biased;
    const AimfManifest *balanced;
} AimfSensitivitySets;

gboolean aimf_check_sensitivity_sets(const AimfSensitivitySets *sets, const AimfMonitor *monitor,
                                     AimfFindings *findings, GError **error);

/**
 * aimf_check_evaluation_set: doubtful "trained-on" and "chosen-on": @model was trained on @data, or its epoch was
 * chosen on it, as aimf_check_training_sets knows it; "contradiction". And "names" (which may be certain) that the
 * model and the data have for classes, see aimf_check_names.
 */
void aimf_check_evaluation_set(const AimfModel *model, const AimfManifest *data, AimfFindings *findings);

/**
 * aimf_check_batch_norm: doubtful "batch-norm": @model has batch norm, and @sensitivities were measured with it in
 * another mode than the @mode of the training that they choose tensors for.
 */
void aimf_check_batch_norm(const AimfSensitivities *sensitivities, const AimfModel *model, AimfBatchNormMode mode,
                           AimfFindings *findings);

/**
 * aimf_check_sensitivities: where all sensitivities to domain, or all to bias, are 0, certain "same-set" if the hashes
 * in @gradients show that two sets were one, else certain "insensitive": they rank nothing, but why is not certain.
 * @gradients: (nullable) what they were computed from, with AIMF_GRADIENTS_DATA_KEY
 */
void aimf_check_sensitivities(const AimfSensitivities *sensitivities, const AimfTensors *gradients,
                              AimfFindings *findings);

/**
 * aimf_check_results: certain "same-set" where two of the JSON results @paths (n) are one file or say the same,
 * doubtful where they have the same figures; "names" (see aimf_check_names), and doubtful where they say that
 * different things were predicted. Returns: FALSE with what aimf_evaluation_open gives.
 */
gboolean aimf_check_results(const char *const *paths, guint n, AimfFindings *findings, GError **error);

/**
 * aimf_check_runs: certain "same-set" where two of (n) runs, whose answers came from the files @paths, are of one model
 * or one table: by their @evidence (n).
 */
void aimf_check_runs(const AimfEvidence *const *evidence, const char *const *paths, guint n, AimfFindings *findings);

/**
 * aimf_check_result: what @result, with a measured start, did to the groups of @validation. Doubtful, because it may
 * be wanted: "start-better" (no epoch beats the start), "collapse" (overall accuracy fell by 5 points, or the worst
 * group's by 10), "levelling-down" (each group that is worse than at the start, by how much).
 * @fresh_head: the start's final layer was new, and its answers chance. Then nothing is compared with them:
 *   "start-better" is a start that was kept, and "collapse" a model no better than the most frequent class for every
 *   picture.
 */
void aimf_check_result(const AimfTrainResult *result, const AimfManifest *validation, gboolean fresh_head,
                       AimfFindings *findings);

G_END_DECLS
