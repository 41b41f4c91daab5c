/* What a training did to the groups of its validation set. */
#include <aimfair/sets.h>

#include "base/format.h"

#include <string.h>

/* A fall of so much means that the model has lost what it could do, whatever has become of the gaps. */
static const double COLLAPSE = 0.05, WORST_COLLAPSE = 0.10;

/* (owned) "1_a", or "class 1" where all have one protected label. */
static char *group_name(const AimfGroupChange *group, const char *const *labels, guint n_labels)
{
    return n_labels > 1 ? g_strdup_printf("%d_%s", group->target, labels[group->group])
                        : g_strdup_printf("class %d", group->target);
}

static double worst_of(const GArray *groups)
{
    double worst = 1;
    for (guint i = 0; i < groups->len; i++) {
        const AimfGroupChange *group = &g_array_index(groups, AimfGroupChange, i);
        if (group->n)
            worst = MIN(worst, (double)group->right_after / group->n);
    }
    return worst;
}

/* A start that gives all pictures one class has groups that are all right by chance alone. */
static gboolean says_one_class(const GArray *groups)
{
    int said = -1;
    for (guint i = 0; i < groups->len; i++) {
        const AimfGroupChange *group = &g_array_index(groups, AimfGroupChange, i);
        if (group->right_before && (group->right_before < group->n || (said >= 0 && said != group->target)))
            return FALSE;
        if (group->right_before)
            said = group->target;
    }
    for (guint i = 0; i < groups->len; i++) {
        const AimfGroupChange *group = &g_array_index(groups, AimfGroupChange, i);
        if (group->target == said && group->right_before < group->n)
            return FALSE;
    }
    return TRUE;
}

static void check_groups(const AimfTrainResult *result, const AimfManifest *validation, AimfFindings *findings)
{
    guint n_labels, n_groups = 0, n_worse = 0;
    const char *const *labels = aimf_manifest_groups(validation, &n_labels);
    g_autoptr(GString) worse = g_string_new(NULL);
    for (guint i = 0; i < result->groups->len; i++) {
        const AimfGroupChange *group = &g_array_index(result->groups, AimfGroupChange, i);
        n_groups += group->n > 0;
        if (group->right_after >= group->right_before)
            continue;
        g_autofree char *name = group_name(group, labels, n_labels);
        double before = 100.0 * group->right_before / group->n, after = 100.0 * group->right_after / group->n;
        aimf_format_append(worse, "%s %s from %.2f to %.2f %% (%+.2f)", n_worse++ ? "," : "", name, before, after,
                           after - before);
    }
    if (n_worse)
        aimf_findings_add(findings, "levelling-down", FALSE,
                          "levelling down: %u of %u groups are worse than at the start, in accuracy on the validation "
                          "set:%s",
                          n_worse, n_groups, worse->str);
}

/* A new final layer says nothing yet; what a model must be better than then is one class for every picture. */
static void check_fresh(const AimfTrainResult *result, AimfFindings *findings)
{
    guint all = 0, most = 0, of_class = 0;
    int common = 0;
    for (guint i = 0; i < result->groups->len; i++) { /* target-major */
        const AimfGroupChange *group = &g_array_index(result->groups, AimfGroupChange, i);
        gboolean same_class = i && group->target == g_array_index(result->groups, AimfGroupChange, i - 1).target;
        of_class = group->n + (same_class ? of_class : 0);
        common = of_class > most ? group->target : common;
        most = MAX(most, of_class);
        all += group->n;
    }
    double share = all ? (double)most / all : 0;
    if (result->kept_start)
        aimf_findings_add(findings, "start-better", FALSE,
                          "no epoch is better than the start, whose final layer is new and right by chance alone; the "
                          "start is kept");
    if (result->best_accuracy <= share)
        aimf_findings_add(findings, "collapse", FALSE,
                          "the model is no better than one that gives every picture the class %d: validation accuracy "
                          "%.2f %%, and that class has %.2f %% of the pictures",
                          common, 100 * result->best_accuracy, 100 * share);
}

void aimf_check_result(const AimfTrainResult *result, const AimfManifest *validation, gboolean fresh_head,
                       AimfFindings *findings)
{
    if (!result->groups)
        return;
    if (fresh_head) {
        check_fresh(result, findings);
        return;
    }
    const AimfEpoch *start = &result->start;
    double best = 0, worst = worst_of(result->groups);
    for (guint i = 0; i < result->history->len; i++)
        best = MAX(best, g_array_index(result->history, AimfEpoch, i).val_accuracy);
    if (best <= start->val_accuracy)
        aimf_findings_add(findings, "start-better", FALSE,
                          "no epoch is better than the start: validation accuracy %.2f %% at the start, %.2f %% in the "
                          "best epoch; %s is kept",
                          100 * start->val_accuracy, 100 * best, result->kept_start ? "the start" : "the epoch");
    if (result->best_accuracy <= start->val_accuracy - COLLAPSE)
        aimf_findings_add(findings, "collapse", FALSE,
                          "the model has lost what it could do: validation accuracy fell from %.2f to %.2f %%; a "
                          "smaller gap does not make it fairer",
                          100 * start->val_accuracy, 100 * result->best_accuracy);
    else if (worst <= start->val_worst_group_accuracy - WORST_COLLAPSE)
        aimf_findings_add(findings, "collapse", FALSE,
                          "the worst group's validation accuracy fell from %.2f to %.2f %%; a smaller gap does not "
                          "make the model fairer",
                          100 * start->val_worst_group_accuracy, 100 * worst);
    if (!says_one_class(result->groups))
        check_groups(result, validation, findings);
}
