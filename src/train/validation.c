#include "train/validation.h"

#include <math.h>
#include <string.h>

typedef struct {
    guint n, right;
} Count;

struct AimfValidation {
    const AimfManifest *manifest;
    const char *const *labels;
    guint n_labels, n_classes;
    Count *groups; /* (n_classes, n_labels) */
};

AimfValidation *aimf_validation_new(const AimfManifest *manifest, guint n_classes)
{
    AimfValidation *validation = g_new0(AimfValidation, 1);
    validation->manifest = manifest;
    validation->labels = aimf_manifest_groups(manifest, &validation->n_labels);
    validation->n_classes = n_classes;
    validation->groups = g_new0(Count, (gsize)aimf_validation_n_groups(validation) + 1);
    return validation;
}

void aimf_validation_free(AimfValidation *validation)
{
    if (!validation)
        return;
    g_free(validation->groups);
    g_free(validation);
}

guint aimf_validation_n_groups(const AimfValidation *validation)
{
    return validation->n_classes * validation->n_labels;
}

int aimf_validation_target(const AimfValidation *validation, guint group)
{
    return (int)(group / validation->n_labels);
}

int aimf_validation_label(const AimfValidation *validation, guint group)
{
    return (int)(group % validation->n_labels);
}

char **aimf_validation_names(const AimfValidation *validation)
{
    guint n = aimf_validation_n_groups(validation);
    char **names = g_new0(char *, (gsize)n + 1);
    for (guint i = 0; i < n; i++) {
        int target = aimf_validation_target(validation, i), label = aimf_validation_label(validation, i);
        names[i] = aimf_manifest_has_labels(validation->manifest)
                       ? g_strdup_printf("%d %s", target, validation->labels[label])
                       : g_strdup_printf("%d", target);
    }
    return names;
}

gboolean aimf_validation_has_gaps(const AimfValidation *validation)
{
    g_autofree int *first = g_new(int, (gsize)validation->n_classes + 1); /* label of each class's first picture */
    for (guint c = 0; c < validation->n_classes; c++)
        first[c] = -1;
    for (guint i = 0; i < aimf_manifest_count(validation->manifest); i++) {
        AimfSample sample = aimf_manifest_at(validation->manifest, i);
        if (first[sample.target] < 0)
            first[sample.target] = sample.group;
        if (first[sample.target] != sample.group)
            return aimf_manifest_has_labels(validation->manifest);
    }
    return FALSE;
}

/* --- Measuring --- */

/* Cross-entropy of one picture's logits (n), for one output of a sigmoid. */
static double loss_of(const float *logits, int n, int target)
{
    if (n == 1) {
        double against = target ? -(double)logits[0] : (double)logits[0];
        return fmax(against, 0) + log1p(exp(-fabs(against)));
    }
    float most = logits[0]; /* not double: gcc 12 for ARM fails at the largest of numbers that it converts */
    for (int i = 1; i < n; i++)
        most = fmaxf(most, logits[i]);
    double largest = (double)most;
    double sum = exp((double)logits[0] - largest);
    for (int i = 1; i < n; i++)
        sum += exp((double)logits[i] - largest);
    return largest + log(sum) - (double)logits[target];
}

/* Each non-empty group's accuracy takes part; NaN where there are no labels. */
static double worst_group(const AimfValidation *validation)
{
    double worst = 1;
    for (guint i = 0; i < aimf_validation_n_groups(validation); i++)
        if (validation->groups[i].n)
            worst = fmin(worst, aimf_validation_accuracy(validation, i));
    return aimf_manifest_has_labels(validation->manifest) ? worst : NAN;
}

/*
 * The paper's: of two classes the mean of the gaps between groups of the rates of true and of false positives, which is
 * the gap of the other class's accuracy; of more, the mean over classes. NaN where no class has two groups.
 */
static double equalized_odds(const AimfValidation *validation)
{
    double sum = 0;
    guint n = 0;
    for (guint c = 0; c < validation->n_classes && aimf_manifest_has_labels(validation->manifest); c++) {
        double lowest = INFINITY, highest = -INFINITY;
        guint there = 0;
        for (guint l = 0; l < validation->n_labels; l++) {
            guint group = c * validation->n_labels + l;
            if (!validation->groups[group].n)
                continue;
            double accuracy = aimf_validation_accuracy(validation, group);
            lowest = fmin(lowest, accuracy);
            highest = fmax(highest, accuracy);
            there++;
        }
        if (there < 2)
            continue;
        sum += highest - lowest;
        n++;
    }
    return n ? sum / n : NAN;
}

gboolean aimf_validation_measure(AimfValidation *validation, const AimfPredictions *predictions, AimfEpoch *epoch,
                                 GError **error)
{
    guint n = 0, right = 0;
    double loss = 0;
    memset(validation->groups, 0, aimf_validation_n_groups(validation) * sizeof *validation->groups);
    for (guint i = 0; i < predictions->n; i++) {
        if (predictions->prediction[i] < 0)
            continue;
        AimfSample sample = aimf_manifest_at(validation->manifest, i);
        Count *group = &validation->groups[(guint)sample.target * validation->n_labels + (guint)sample.group];
        gboolean hit = predictions->prediction[i] == sample.target;
        n++;
        right += (guint)hit;
        group->n++;
        group->right += (guint)hit;
        loss +=
            loss_of(predictions->logits + (gsize)i * (gsize)predictions->outputs, predictions->outputs, sample.target);
    }
    if (n == 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED, "no image of the validation set could be read");
        return FALSE;
    }
    epoch->val_accuracy = (double)right / n;
    epoch->val_loss = loss / n;
    epoch->val_worst_group_accuracy = worst_group(validation);
    epoch->val_equalized_odds = equalized_odds(validation);
    return TRUE;
}

guint aimf_validation_n(const AimfValidation *validation, guint group)
{
    return validation->groups[group].n;
}

guint aimf_validation_right(const AimfValidation *validation, guint group)
{
    return validation->groups[group].right;
}

double aimf_validation_accuracy(const AimfValidation *validation, guint group)
{
    const Count *count = &validation->groups[group];
    return count->n ? (double)count->right / count->n : NAN;
}
