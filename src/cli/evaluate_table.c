#include "evaluate_table.h"

#include <math.h>

static const char *const titles[] = {
    "accuracy",
    "worst group accuracy (WST)",
    "std of group accuracies (STD)",
    "equalized odds, mean of gaps (EO)",
    "equalized odds, larger gap",
    "equalized odds, sum of gaps",
    "equal opportunity (TPR gap)",
    "demographic parity (selection gap)",
    "AUC",
    "balanced accuracy",
};
G_STATIC_ASSERT(G_N_ELEMENTS(titles) == AIMF_N_SCALARS);

/* printf pads by bytes; labels may be any UTF-8. */
static void print_padded(AimfCli *cli, const char *text, glong width)
{
    glong length = g_utf8_validate(text, -1, NULL) ? g_utf8_strlen(text, -1) : width;
    aimf_cli_print(cli, "%s%*s", text, (int)MAX(width - length, 0), "");
}

static void print_label(AimfCli *cli, const char *label, glong width)
{
    g_autofree char *shown = aimf_cli_label(label);
    print_padded(cli, shown, width);
}

static glong widest(char *const *labels)
{
    glong width = 5;
    for (; *labels; labels++) {
        g_autofree char *shown = aimf_cli_label(*labels);
        if (g_utf8_validate(shown, -1, NULL))
            width = MAX(width, MIN(g_utf8_strlen(shown, -1), 40));
    }
    return width;
}

static void print_percent(AimfCli *cli, double value)
{
    if (isnan(value))
        aimf_cli_print(cli, "%10s", "-");
    else
        aimf_cli_print(cli, "%10.2f", 100 * value);
}

static void print_groups(AimfCli *cli, const AimfEvaluation *evaluation, glong width)
{
    const AimfMeasures *measures = evaluation->measures;
    aimf_cli_print(cli, "\ntarget  ");
    print_padded(cli, "protected", MAX(width, 9));
    aimf_cli_print(cli, "%10s%10s%10s\n", "n", "accuracy", "selected");
    for (int i = 0; i < measures->n_targets * measures->n_protected; i++) {
        const AimfGroupMeasure *group = &measures->groups[i];
        aimf_cli_print(cli, "%-8d", group->target);
        print_label(cli, evaluation->labels[group->group], MAX(width, 9));
        aimf_cli_print(cli, "%10u", group->n);
        print_percent(cli, group->accuracy);
        print_percent(cli, group->selection_rate);
        aimf_cli_print(cli, "%s\n", group->n ? "" : "  no samples: left out");
    }
}

static void print_labels(AimfCli *cli, const AimfEvaluation *evaluation, glong width)
{
    const AimfMeasures *measures = evaluation->measures;
    aimf_cli_print(cli, "\n");
    print_padded(cli, "protected", MAX(width, 9) + 8);
    aimf_cli_print(cli, "%10s%10s%10s%10s%10s\n", "n", "accuracy", "TPR", "FPR", "selected");
    for (int i = 0; i < measures->n_protected; i++) {
        const AimfProtectedMeasure *label = &measures->protected_groups[i];
        print_label(cli, evaluation->labels[i], MAX(width, 9) + 8);
        aimf_cli_print(cli, "%10u", label->n);
        print_percent(cli, label->accuracy);
        print_percent(cli, label->tpr);
        print_percent(cli, label->fpr);
        print_percent(cli, label->selection_rate);
        aimf_cli_print(cli, "\n");
    }
}

static void print_scalars(AimfCli *cli, const AimfEvaluation *evaluation)
{
    const AimfMeasures *measures = evaluation->measures;
    gboolean intervals = !isnan(measures->intervals[0].low);
    const char *what = evaluation->runs > 1 ? "lowest and highest run" : "95 % interval";
    aimf_cli_print(cli, "\n%-36s%8s%s%s\n", "measure", "%", intervals ? "   " : "", intervals ? what : "");
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        AimfInterval interval = measures->intervals[i];
        aimf_cli_print(cli, "%-34s", titles[i]);
        print_percent(cli, aimf_scalar_at(&measures->scalars, i));
        if (!isnan(interval.low))
            aimf_cli_print(cli, "%9.2f – %.2f", 100 * interval.low, 100 * interval.high);
        aimf_cli_print(cli, "\n");
    }
}

void aimf_cli_print_evaluation(AimfCli *cli, const AimfEvaluation *evaluation)
{
    glong width = widest(evaluation->labels);
    if (evaluation->runs > 1)
        aimf_cli_print(cli, "average of %u results on %u samples each\n", evaluation->runs, evaluation->measures->n);
    else
        aimf_cli_print(cli, "%u samples of %s%s%s\n", evaluation->measures->n, evaluation->data,
                       evaluation->model ? ", judged by " : "", evaluation->model ? evaluation->model : "");
    print_groups(cli, evaluation, width);
    print_labels(cli, evaluation, width);
    print_scalars(cli, evaluation);
}
