/* Groups: their accuracy before and after, and who is taken for what. */
#include "run/report_sections.h"

enum { MOST_ROWS = 240, MOST_DUMBBELLS = 60, MOST_CLASSES = 12, MOST_LABELS = 40 };

/* --- Accuracy --- */

static guint n_groups(const AimfMeasures *shape)
{
    return (guint)(shape->n_targets * shape->n_protected);
}

static double accuracy_of(const AimfRunResults *results, guint method, guint group)
{
    const AimfMeasures *measures = aimf_report_measures(results, method);
    return measures ? measures->groups[group].accuracy : NAN;
}

static void put_chart(AimfHtml *html, const AimfRunResults *results, guint method)
{
    const AimfMeasures *shape = aimf_report_shape(results);
    AimfDumbbell rows[MOST_DUMBBELLS];
    guint n = 0, n_left = 0;
    for (guint g = 0; g < n_groups(shape); g++) {
        const AimfGroupMeasure *group = &shape->groups[g];
        const double before = accuracy_of(results, 0, g), after = accuracy_of(results, method, g);
        if (!group->n || !isfinite(before) || !isfinite(after) || n == MOST_DUMBBELLS) {
            n_left++;
            continue;
        }
        const double change = aimf_report_group_change(results, method, g).mean;
        rows[n++] = (AimfDumbbell){
            .name = aimf_report_class(results, group->target),
            .second = g_strdup(aimf_report_label(results, group->group)),
            .before = before,
            .after = after,
            .lost = isfinite(change) ? change < 0 : after < before,
            .note = g_strdup(AIMF_POINTS(isfinite(change) ? change : after - before)),
        };
    }
    if (n) {
        g_autofree char *label = g_strdup_printf("Accuracy of %u groups before and after %s; the table below has the "
                                                 "numbers",
                                                 n, results->methods[method].title);
        aimf_dumbbell_legend(html, "after, where the group lost accuracy");
        aimf_html_figure(html, TRUE);
        aimf_svg_dumbbells(html, rows, n, "accuracy, %", label);
        aimf_html_figure_end(html, TRUE, "Accuracy of every group, and its change in points at the right.");
    }
    if (n_left)
        aimf_html_put(html,
                      "<p class=\"note\">%u group%s without pictures, or beyond the first %u, %s not drawn.</p>\n",
                      n_left, AIMF_PLURAL(n_left), (guint)MOST_DUMBBELLS, n_left == 1 ? "is" : "are");
    aimf_dumbbells_clear(rows, n);
}

/* Pictures that were lost and won, of all seeds together; FALSE where nothing was compared. */
static gboolean exchanged(const AimfRunResults *results, guint method, guint group, guint *lost, guint *won)
{
    gboolean any = FALSE;
    *lost = *won = 0;
    for (guint s = 0; s < results->n_seeds; s++) {
        const AimfComparison *comparison = aimf_run_cell(results, method, s)->comparison;
        if (!comparison)
            continue;
        any = TRUE;
        *lost += comparison->groups[group].lost;
        *won += comparison->groups[group].won;
    }
    return any;
}

static void put_group_row(AimfHtml *html, const AimfRunResults *results, guint method, guint g)
{
    const AimfGroupMeasure *group = &aimf_report_shape(results)->groups[g];
    const AimfSeedStatistic change = aimf_report_group_change(results, method, g);
    const AimfInterval interval = aimf_report_widest(&change);
    g_autofree char *class_name = aimf_report_class(results, group->target);
    guint lost, won;
    aimf_html_put(html, "<tr%s><th scope=\"row\">%s, %s</th><td>%s</td><td>%s</td><td>%s</td><td>%s</td><td>%s</td>",
                  change.mean < 0 ? " class=\"lost\"" : "", AIMF_HTML(class_name),
                  AIMF_HTML(aimf_report_label(results, group->group)), AIMF_COUNT(group->n),
                  AIMF_PERCENT(accuracy_of(results, 0, g)), AIMF_PERCENT(accuracy_of(results, method, g)),
                  AIMF_POINTS(change.mean), AIMF_BETWEEN(interval));
    if (exchanged(results, method, g, &lost, &won))
        aimf_html_put(html, "<td>%s</td><td>%s</td>", AIMF_COUNT(lost), AIMF_COUNT(won));
    else
        aimf_html_put(html, "<td>–</td><td>–</td>");
    aimf_html_put(html, "<td class=\"left\">%s</td></tr>\n",
                  group->n ? aimf_html_direction(aimf_report_direction(interval, TRUE))
                           : "<span class=\"apart\">no pictures</span>");
}

void aimf_report_method_groups(AimfHtml *html, const AimfRunResults *results, guint method)
{
    const AimfMeasures *shape = aimf_report_shape(results);
    if (!aimf_report_measures(results, method) || !aimf_report_measures(results, 0)) {
        aimf_html_missing(html, "Every seed failed, so there is nothing to compare.");
        return;
    }
    put_chart(html, results, method);
    aimf_html_table(html, "",
                    "%s: accuracy of each group, and pictures of all seeds that were right before and wrong "
                    "after (lost), or the other way round (won).",
                    AIMF_HTML(results->methods[method].title));
    aimf_html_put(html, "<thead><tr><th class=\"left\" scope=\"col\">Group</th><th scope=\"col\">Pictures</th>"
                        "<th scope=\"col\">Before, %%</th><th scope=\"col\">After, %%</th><th scope=\"col\">Change, "
                        "points</th><th scope=\"col\">95&nbsp;%% interval</th><th scope=\"col\">Lost</th>"
                        "<th scope=\"col\">Won</th><th class=\"left\" scope=\"col\">At 95&nbsp;%%</th></tr></thead>\n"
                        "<tbody>\n");
    for (guint g = 0; g < MIN(n_groups(shape), (guint)MOST_ROWS); g++)
        put_group_row(html, results, method, g);
    aimf_html_put(html, "</tbody>\n");
    aimf_html_table_end(html);
    if (n_groups(shape) > MOST_ROWS)
        aimf_html_missing(html, "There are more groups; the file results.csv has all of them.");
}

void aimf_report_groups(AimfHtml *html, const AimfRunResults *results)
{
    aimf_html_section(html, "groups", "Accuracy of each group");
    aimf_html_put(html, "<p>A group is all test pictures of one class and one label of the protected attribute. A "
                        "method that makes groups more equal by doing worse for some of them is levelling down; such "
                        "groups are marked.</p>\n");
    if (results->n_methods < 2)
        aimf_html_missing(html, "No method was applied, so there is no after.");
    for (guint m = 1; aimf_report_shape(results) && m < results->n_methods; m++) {
        aimf_html_heading(html, results->methods[m].title);
        aimf_report_method_groups(html, results, m);
    }
    aimf_html_section_end(html);
}

/* --- Confusion --- */

/* (owned, nullable) (labels, targets, predictions) of the seeds that neither method 0 nor @method failed in. */
static guint *confusion_of(const AimfRunResults *results, guint method, int n_targets, int n_labels, guint *n_seeds)
{
    g_autofree guint *counts = g_new0(guint, (gsize)n_labels * (gsize)n_targets * (gsize)n_targets);
    *n_seeds = 0;
    for (guint s = 0; s < results->n_seeds; s++) {
        const AimfOutcomes *o = aimf_run_cell(results, method, s)->outcomes;
        const guint other = method || results->n_methods < 2 ? 0 : 1;
        if (!o || !aimf_run_cell(results, other, s)->outcomes)
            continue;
        ++*n_seeds;
        for (guint i = 0; i < o->n; i++)
            if (o->group[i] >= 0 && o->group[i] < n_labels && o->target[i] >= 0 && o->target[i] < n_targets &&
                o->prediction[i] >= 0 && o->prediction[i] < n_targets)
                counts[(o->group[i] * n_targets + o->target[i]) * n_targets + o->prediction[i]]++;
    }
    return *n_seeds ? g_steal_pointer(&counts) : NULL;
}

static void put_cells(AimfHtml *html, const guint *counts, int target, int n_targets)
{
    guint sum = 0;
    for (int p = 0; p < n_targets; p++)
        sum += counts[p];
    for (int p = 0; p < n_targets; p++)
        aimf_html_put(html, "<td%s>%s <span class=\"small\">%s&nbsp;%%</span></td>",
                      p == target ? " class=\"right\"" : "", AIMF_COUNT(counts[p]),
                      AIMF_PERCENT_SHORT(sum ? (double)counts[p] / sum : NAN));
}

static void put_confusion_head(AimfHtml *html, const AimfRunResults *results, int n_targets, guint after)
{
    const guint methods[] = { 0, after };
    aimf_html_put(html, "<thead><tr><th class=\"left\" rowspan=\"2\" scope=\"col\">Is</th>");
    for (guint i = 0; i < (after ? 2U : 1U); i++)
        aimf_html_put(html, "<th class=\"span\" colspan=\"%d\" scope=\"colgroup\">%s: predicted as</th>", n_targets,
                      AIMF_HTML(results->methods[methods[i]].title));
    aimf_html_put(html, "</tr>\n<tr>");
    for (guint i = 0; i < (after ? 2U : 1U); i++)
        for (int p = 0; p < n_targets; p++) {
            g_autofree char *name = aimf_report_class(results, p);
            aimf_html_put(html, "<th scope=\"col\">%s</th>", AIMF_HTML(name));
        }
    aimf_html_put(html, "</tr></thead>\n");
}

static void put_confusion(AimfHtml *html, const AimfRunResults *results, int n_targets, int n_labels)
{
    const guint after = results->n_methods > 1 && aimf_report_cell(results, 1, NULL) ? 1 : 0;
    guint n_seeds = 0, n_after = 0;
    g_autofree guint *before_counts = confusion_of(results, 0, n_targets, n_labels, &n_seeds);
    g_autofree guint *after_counts = after ? confusion_of(results, after, n_targets, n_labels, &n_after) : NULL;
    if (!before_counts) {
        aimf_html_missing(html, "There are no predictions to count.");
        return;
    }
    aimf_html_table(html, "", "Counts of test pictures, %s%s; percentages are of the row. What is right is shaded.",
                    n_seeds > 1 ? "added up over the seeds" : "of one seed", after ? ", before and after" : "");
    put_confusion_head(html, results, n_targets, after);
    for (int g = 0; g < n_labels; g++) {
        aimf_html_put(html, "<tbody>\n<tr><th class=\"group left\" colspan=\"%d\" scope=\"rowgroup\">%s</th></tr>\n",
                      1 + n_targets * (after ? 2 : 1), AIMF_HTML(aimf_report_label(results, g)));
        for (int t = 0; t < n_targets; t++) {
            g_autofree char *name = aimf_report_class(results, t);
            const int row = (g * n_targets + t) * n_targets;
            aimf_html_put(html, "<tr><th scope=\"row\">%s</th>", AIMF_HTML(name));
            put_cells(html, before_counts + row, t, n_targets);
            if (after_counts)
                put_cells(html, after_counts + row, t, n_targets);
            aimf_html_put(html, "</tr>\n");
        }
        aimf_html_put(html, "</tbody>\n");
    }
    aimf_html_table_end(html);
}

void aimf_report_confusion(AimfHtml *html, const AimfRunResults *results)
{
    const AimfMeasures *shape = aimf_report_shape(results);
    aimf_html_section(html, "confusion", "Who is taken for what");
    if (!shape)
        aimf_html_missing(html, "There are no predictions to count.");
    else if (shape->n_targets > MOST_CLASSES)
        aimf_html_missing(html, "With so many classes this table is left out; the predictions in the run’s folder have "
                                "all of it.");
    else
        put_confusion(html, results, shape->n_targets, MIN(shape->n_protected, (int)MOST_LABELS));
    if (shape && shape->n_targets <= MOST_CLASSES && shape->n_protected > MOST_LABELS)
        aimf_html_missing(html,
                          "There are more protected labels; the predictions in the run’s folder have all of them.");
    aimf_html_section_end(html);
}
