/* What a validation set says of a model's answers: its loss, and how many are right, in all and by group. */
#pragma once

#include <aimfair/train.h>

/** AimfValidation: of one set. A group is a (target, protected) pair, target-major; without labels, a target. */
typedef struct AimfValidation AimfValidation;

/** aimf_validation_new: (owned); @manifest must live longer. */
AimfValidation *aimf_validation_new(const AimfManifest *manifest, guint n_classes);
void aimf_validation_free(AimfValidation *validation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfValidation, aimf_validation_free)

guint aimf_validation_n_groups(const AimfValidation *validation);
/** aimf_validation_target, aimf_validation_label: of a group; the label is an index into the manifest's. */
int aimf_validation_target(const AimfValidation *validation, guint group);
int aimf_validation_label(const AimfValidation *validation, guint group);
/** aimf_validation_names: (owned) of the groups, "1 female", or "1" where there are no labels. */
char **aimf_validation_names(const AimfValidation *validation);

/** aimf_validation_has_gaps: whether a class has pictures of two groups, so that equalized odds are known. */
gboolean aimf_validation_has_gaps(const AimfValidation *validation);

/**
 * aimf_validation_measure: what @predictions give: the validation set's members of @epoch, and the counts below.
 * Returns: FALSE with FAILED: all images were skipped.
 */
gboolean aimf_validation_measure(AimfValidation *validation, const AimfPredictions *predictions, AimfEpoch *epoch,
                                 GError **error);
/** aimf_validation_n, aimf_validation_right: pictures of a group, and those that were right, when last measured. */
guint aimf_validation_n(const AimfValidation *validation, guint group);
guint aimf_validation_right(const AimfValidation *validation, guint group);
/** aimf_validation_accuracy: of a group when last measured; NaN where it is empty. */
double aimf_validation_accuracy(const AimfValidation *validation, guint group);
