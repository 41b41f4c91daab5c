#include "evaluate_table.h"

#include <aimfair/names.h>
#include <math.h>
#include <string.h>

/* AimfScalars' members before those over classes, which repeat the ones of one class. */
enum { N_OWN = AIMF_N_SCALARS - 2 * AIMF_N_CLASS_SCALARS };

/* Of AimfProtectedMeasure's numbers. */
static const char *const headings[] = { "accuracy", "balanced",  "TPR",      "FPR", "TNR",
                                        "FNR",      "precision", "selected", "AUC", "calibr." };
G_STATIC_ASSERT(G_N_ELEMENTS(headings) == AIMF_N_GROUP_MEASURES);

enum { OF_ALL_CLASSES = 2 }; /* the first of them do not depend on the class that is looked at */

/* --- Which numbers of a label --- */

static gboolean unknown_measure(const char *name, GError **error)
{
    const char *names[AIMF_N_GROUP_MEASURES + 1] = { NULL };
    for (guint i = 0; i < AIMF_N_GROUP_MEASURES; i++)
        names[i] = aimf_group_measure_name(i);
    g_autofree char *hint = aimf_name_hint(name, names), *list = g_strjoinv(", ", (char **)names);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--by-group: a group has no '%s'%s; it has %s, or all", name,
                hint, list);
    return FALSE;
}

gboolean aimf_cli_by_group(const char *text, AimfByGroup *by_group, GError **error)
{
    static const char usual[] = "accuracy,tpr,fpr,selection_rate", all[] = "all";
    g_auto(GStrv) names = g_strsplit(text ? text : usual, ",", -1);
    *by_group = (AimfByGroup){ .given = text != NULL };
    if (!names[0])
        return unknown_measure("", error);
    for (char **name = names; *name; name++) {
        guint index = aimf_group_measure_find(g_strstrip(*name));
        if (index == AIMF_N_GROUP_MEASURES && strcmp(*name, all) != 0)
            return unknown_measure(*name, error);
        for (guint i = 0; i < AIMF_N_GROUP_MEASURES; i++)
            by_group->shown[i] = by_group->shown[i] || index == AIMF_N_GROUP_MEASURES || i == index;
    }
    return TRUE;
}

/* --- Cells --- */

static void print_label(AimfCli *cli, const char *label, glong width)
{
    g_autofree char *shown = aimf_cli_label(label);
    aimf_cli_print_padded(cli, shown, width);
}

/* Of texts as they are shown; what is not UTF-8 does not count. */
static glong wider(glong width, const char *text)
{
    return g_utf8_validate(text, -1, NULL) ? MAX(width, MIN(g_utf8_strlen(text, -1), 40)) : width;
}

static glong widest(char *const *labels)
{
    glong width = 5;
    for (; labels && *labels; labels++) {
        g_autofree char *shown = aimf_cli_label(*labels);
        width = wider(width, shown);
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

/* (owned) "1 Smiling", or "1" where classes have no names. */
static char *class_text(const AimfEvaluation *evaluation, int target)
{
    const char *name = evaluation->classes ? evaluation->classes[target] : NULL;
    return g_strdup_printf("%d%s%s", target, name ? " " : "", name ? name : "");
}

/* Numbers of classes have at most five digits. */
static glong class_width(const AimfEvaluation *evaluation)
{
    glong width = 5;
    for (char **name = evaluation->classes; name && *name; name++)
        width = wider(width, *name);
    return evaluation->classes ? width + 8 : 8;
}

static void print_class(AimfCli *cli, const AimfEvaluation *evaluation, int target)
{
    g_autofree char *text = class_text(evaluation, target);
    aimf_cli_print_padded(cli, text, class_width(evaluation));
}

/* --- Tables --- */

static void print_groups(AimfCli *cli, const AimfEvaluation *evaluation, glong width)
{
    const AimfMeasures *measures = evaluation->measures;
    gboolean selects = measures->positive >= 0;
    aimf_cli_print(cli, "\n");
    aimf_cli_print_padded(cli, "target", class_width(evaluation));
    aimf_cli_print_padded(cli, "protected", MAX(width, 9));
    aimf_cli_print(cli, selects ? "%10s%10s%10s\n" : "%10s%10s\n", "n", "accuracy", "selected");
    for (int i = 0; i < measures->n_targets * measures->n_protected; i++) {
        const AimfGroupMeasure *group = &measures->groups[i];
        print_class(cli, evaluation, group->target);
        print_label(cli, evaluation->labels[group->group], MAX(width, 9));
        aimf_cli_print(cli, "%10u", group->n);
        print_percent(cli, group->accuracy);
        if (selects)
            print_percent(cli, group->selection_rate);
        aimf_cli_print(cli, "%s\n", group->n ? "" : "  no samples: left out");
    }
}

/* The numbers from @first to before @end that are wanted, a row for each of @labels. */
static void print_labels(AimfCli *cli, const AimfEvaluation *evaluation, const AimfProtectedMeasure *labels,
                         const AimfByGroup *by_group, guint first, guint end)
{
    glong width = MAX(widest(evaluation->labels), 9) + class_width(evaluation);
    aimf_cli_print_padded(cli, "protected", width);
    aimf_cli_print(cli, "%10s", "n");
    for (guint i = first; i < end; i++)
        if (by_group->shown[i])
            aimf_cli_print(cli, "%10s", headings[i]);
    aimf_cli_print(cli, "\n");
    for (int g = 0; g < evaluation->measures->n_protected; g++) {
        print_label(cli, evaluation->labels[g], width);
        aimf_cli_print(cli, "%10u", labels[g].n);
        for (guint i = first; i < end; i++)
            if (by_group->shown[i])
                print_percent(cli, aimf_group_measure_at(&labels[g], i));
        aimf_cli_print(cli, "\n");
    }
}

/* What each protected label has of each class, if that was asked for. */
static void print_labels_of_classes(AimfCli *cli, const AimfEvaluation *evaluation, const AimfByGroup *by_group)
{
    const AimfMeasures *measures = evaluation->measures;
    gboolean any = FALSE;
    for (guint i = OF_ALL_CLASSES; i < AIMF_N_GROUP_MEASURES; i++)
        any = any || by_group->shown[i];
    for (int target = 0; any && by_group->given && measures->classes && target < measures->n_targets; target++) {
        if (!measures->classes[target].occurs)
            continue;
        g_autofree char *text = class_text(evaluation, target);
        aimf_cli_print(cli, "\nclass %s against all others\n", text);
        print_labels(cli, evaluation, measures->classes[target].groups, by_group, OF_ALL_CLASSES,
                     AIMF_N_GROUP_MEASURES);
    }
}

static void print_classes(AimfCli *cli, const AimfEvaluation *evaluation)
{
    const AimfMeasures *measures = evaluation->measures;
    static const char *const columns[] = { "TPR", "FPR", "precision", "selected", "EO", "TPR gap", "sel. gap", "AUC" };
    aimf_cli_print(cli, "\neach class against all others\n");
    aimf_cli_print_padded(cli, "class", class_width(evaluation));
    aimf_cli_print(cli, "%10s", "n");
    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
        aimf_cli_print(cli, "%10s", columns[i]);
    aimf_cli_print(cli, "\n");
    for (int target = 0; target < measures->n_targets; target++) {
        const AimfClassMeasure *m = &measures->classes[target];
        const AimfClassScalars *s = &m->scalars;
        const double values[] = {
            m->tpr,
            m->fpr,
            m->precision,
            m->selection_rate,
            s->equalized_odds_mean,
            s->equal_opportunity,
            s->demographic_parity,
            s->auc,
        };
        if (!m->occurs)
            continue;
        print_class(cli, evaluation, target);
        aimf_cli_print(cli, "%10u", m->n);
        for (gsize i = 0; i < G_N_ELEMENTS(values); i++)
            print_percent(cli, values[i]);
        aimf_cli_print(cli, "\n");
    }
}

/* --- Measures that are one number --- */

/* The first class whose measure is the worst one. */
static void print_worst_class(AimfCli *cli, const AimfEvaluation *evaluation, guint scalar)
{
    const AimfMeasures *measures = evaluation->measures;
    const guint first = N_OWN - AIMF_N_CLASS_SCALARS;
    guint own = scalar - 2 * (guint)AIMF_N_CLASS_SCALARS; /* the same measure of one class */
    for (int target = 0; own >= first && target < measures->n_targets; target++) {
        const AimfScalars scalars = { .positive = measures->classes[target].scalars };
        if (!measures->classes[target].occurs ||
            aimf_scalar_at(&scalars, own) != aimf_scalar_at(&measures->scalars, scalar))
            continue;
        g_autofree char *text = class_text(evaluation, target);
        aimf_cli_print(cli, "  class %s", text);
        return;
    }
}

void aimf_cli_print_title(AimfCli *cli, guint scalar)
{
    guint n_own = N_OWN, n_class = AIMF_N_CLASS_SCALARS;
    const char *of = scalar < n_own ? "" : scalar < n_own + n_class ? "macro, " : "worst, ";
    g_autofree char *text = g_strconcat(of, aimf_scalar_title(scalar), NULL);
    aimf_cli_print_padded(cli, text, 34);
}

char *aimf_cli_interval_text(AimfInterval interval, gboolean with_signs, const char *unknown)
{
    if (isnan(interval.low))
        return g_strdup(unknown);
    return with_signs ? g_strdup_printf("%+.2f … %+.2f", 100 * interval.low, 100 * interval.high)
                      : g_strdup_printf("%.2f – %.2f", 100 * interval.low, 100 * interval.high);
}

static void print_scalar(AimfCli *cli, const AimfEvaluation *evaluation, guint scalar)
{
    const AimfMeasures *measures = evaluation->measures;
    AimfInterval interval = measures->intervals[scalar];
    guint n_own = N_OWN, n_class = AIMF_N_CLASS_SCALARS;
    aimf_cli_print(cli, "%-34s", aimf_scalar_title(scalar));
    print_percent(cli, aimf_scalar_at(&measures->scalars, scalar));
    if (!isnan(interval.low))
        aimf_cli_print(cli, "%9.2f – %.2f", 100 * interval.low, 100 * interval.high);
    if (scalar >= n_own + n_class && measures->classes && evaluation->runs == 1)
        print_worst_class(cli, evaluation, scalar);
    aimf_cli_print(cli, "\n");
}

static void print_scalars(AimfCli *cli, const AimfEvaluation *evaluation)
{
    const AimfMeasures *measures = evaluation->measures;
    gboolean intervals = !isnan(measures->intervals[0].low);
    const char *what = evaluation->runs > 1 ? "lowest and highest run" : "95 % interval";
    const guint n_own = N_OWN, n_class = AIMF_N_CLASS_SCALARS;
    const guint shown = measures->positive < 0 ? n_own - n_class : n_own;
    aimf_cli_print(cli, "\n%-36s%8s%s%s\n", "measure", "%", intervals ? "   " : "", intervals ? what : "");
    for (guint i = 0; i < shown; i++)
        print_scalar(cli, evaluation, i);
    for (guint i = n_own; measures->classes && i < AIMF_N_SCALARS; i++) {
        if ((i - n_own) % n_class == 0)
            aimf_cli_print(cli, i == n_own ? "\nmacro: mean over the classes, each against all others\n"
                                           : "\nworst: of the classes, each against all others\n");
        print_scalar(cli, evaluation, i);
    }
}

static void print_title(AimfCli *cli, const AimfEvaluation *evaluation)
{
    const AimfMeasures *measures = evaluation->measures;
    if (evaluation->runs > 1)
        aimf_cli_print(cli, "average of %u results on %u sample%s each\n", evaluation->runs, measures->n,
                       AIMF_PLURAL(measures->n));
    else {
        g_autofree char *data = aimf_cli_printable(evaluation->data);
        g_autofree char *model = evaluation->model ? aimf_cli_printable(evaluation->model) : NULL;
        aimf_cli_print(cli, "%u sample%s of %s%s%s\n", measures->n, AIMF_PLURAL(measures->n), data,
                       model ? ", judged by " : "", model ? model : "");
    }
    if (evaluation->target) {
        g_autofree char *target = aimf_cli_printable(evaluation->target);
        aimf_cli_print(cli, "target: %s\n", target);
    }
    g_autofree char *positive = measures->positive < 0 ? NULL : class_text(evaluation, measures->positive);
    if (positive && (measures->n_targets > 2 || measures->positive != 1 || evaluation->classes))
        aimf_cli_print(cli, "positive class: %s\n", positive);
}

void aimf_cli_print_evaluation(AimfCli *cli, const AimfEvaluation *evaluation, const AimfByGroup *by_group)
{
    const AimfMeasures *measures = evaluation->measures;
    glong width = widest(evaluation->labels);
    print_title(cli, evaluation);
    print_groups(cli, evaluation, width);
    aimf_cli_print(cli, "\n");
    print_labels(cli, evaluation, measures->protected_groups, by_group, 0,
                 measures->positive < 0 ? OF_ALL_CLASSES : AIMF_N_GROUP_MEASURES);
    if (measures->classes)
        print_classes(cli, evaluation);
    if (measures->positive < 0)
        print_labels_of_classes(cli, evaluation, by_group);
    print_scalars(cli, evaluation);
}
