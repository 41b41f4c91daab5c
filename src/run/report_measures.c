/* Every measure with what it means, and what another k gives. */
#include "run/report_sections.h"

#include <stddef.h>

#define SCALAR(member) (guint)(offsetof(AimfScalars, member) / sizeof(double))

/* --- Definitions --- */

/* Of the measures of one class, and those before them. */
static const char *const definitions[] = {
    "Share of test pictures whose class was predicted.",
    "Accuracy of the group that has the lowest one.",
    "Standard deviation of the groups’ accuracies; 0 when all are served alike.",
    "Mean over classes of the share that was found.",
    "Mean of two gaps between protected labels: of true and of false positive rates.",
    "The larger of these two gaps.",
    "Their sum.",
    "Largest difference of true positive rates between two protected labels.",
    "Largest difference of the shares that are predicted positive.",
    "Chance that a positive picture scores higher than a negative one.",
    "Lowest selection rate divided by the highest; 100 % when equal.",
    "Smaller of the two ratios, lowest by highest, of true and of false positive rates.",
    "Lowest true positive rate divided by the highest.",
    "Largest difference of the shares of positives that were missed.",
    "Largest difference of the shares of positive answers that are right.",
    "Mean distance between stated probability and how often it came true, in 15 bins.",
    "Largest difference of the calibration errors of protected labels.",
};
enum { N_OWN = G_N_ELEMENTS(definitions) };
G_STATIC_ASSERT(N_OWN == AIMF_N_SCALARS - 2 * AIMF_N_CLASS_SCALARS);

static guint own_scalar(guint scalar)
{
    const guint first = N_OWN - (guint)AIMF_N_CLASS_SCALARS;
    return scalar < N_OWN ? scalar : first + (scalar - N_OWN) % (guint)AIMF_N_CLASS_SCALARS;
}

/* --- All measures --- */

static gboolean is_known(const AimfRunResults *results, guint scalar)
{
    for (guint m = 0; m < results->n_methods; m++)
        if (isfinite(aimf_report_value(results, m, scalar)))
            return TRUE;
    return FALSE;
}

static void put_value(AimfHtml *html, const AimfRunResults *results, guint method, guint scalar)
{
    const AimfSeeds *spread = results->averages[method].spread;
    const double deviation = spread && spread->n_runs > 1 ? spread->scalars[scalar].deviation : NAN;
    aimf_html_put(html, "<td>%s", AIMF_PERCENT(aimf_report_value(results, method, scalar)));
    if (isfinite(deviation))
        aimf_html_put(html, " <span class=\"small\">± %s</span>", AIMF_PERCENT(deviation));
    aimf_html_put(html, "</td>");
}

static const char *heading_of(guint scalar)
{
    if (scalar == 0)
        return "All classes and groups";
    if (scalar == N_OWN - (guint)AIMF_N_CLASS_SCALARS)
        return "The positive class against all others";
    if (scalar == N_OWN)
        return "Mean over the classes, each against all others";
    return scalar == N_OWN + (guint)AIMF_N_CLASS_SCALARS ? "Worst of the classes, each against all others" : NULL;
}

static void put_measures(AimfHtml *html, const AimfRunResults *results)
{
    const char *heading = NULL;
    gboolean open = FALSE;
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        heading = heading_of(i) ? heading_of(i) : heading;
        if (!is_known(results, i))
            continue;
        if (heading) {
            aimf_html_put(html,
                          "%s<tbody>\n<tr><th class=\"group left\" colspan=\"%u\" scope=\"rowgroup\">%s</th></tr>\n",
                          open ? "</tbody>\n" : "", results->n_methods + 1, heading);
            open = TRUE;
            heading = NULL;
        }
        g_autofree char *title = g_strdup(aimf_scalar_title(i));
        title[0] = g_ascii_toupper(title[0]);
        aimf_html_put(html, "<tr><th class=\"wrap\" scope=\"row\">%s <span class=\"definition\">%s</span></th>",
                      AIMF_HTML(title), definitions[own_scalar(i)]);
        for (guint m = 0; m < results->n_methods; m++)
            put_value(html, results, m, i);
        aimf_html_put(html, "</tr>\n");
    }
    aimf_html_put(html, "%s", open ? "</tbody>\n" : "");
}

static const char *positive_class(const AimfRunResults *results, char **owned)
{
    const AimfMeasures *shape = aimf_report_shape(results);
    if (!shape || shape->positive < 0)
        return NULL;
    return *owned = aimf_report_class(results, shape->positive);
}

void aimf_report_all_measures(AimfHtml *html, const AimfRunResults *results)
{
    g_autofree char *owned = NULL;
    const char *positive = positive_class(results, &owned);
    aimf_html_section(html, "measures", "All measures");
    if (!aimf_report_shape(results)) {
        aimf_html_missing(html, "There are no measures.");
        aimf_html_section_end(html);
        return;
    }
    if (positive)
        aimf_html_put(html, "<p>The positive class is “%s”: rates and gaps are of it.</p>\n", AIMF_HTML(positive));
    aimf_html_table(html, "", "Measures on the test set in %%, mean over seeds%s.",
                    results->n_seeds > 1 ? " ± their standard deviation" : "");
    aimf_html_put(html, "<thead><tr><th class=\"left\" scope=\"col\">Measure</th>");
    for (guint m = 0; m < results->n_methods; m++)
        aimf_html_put(html, "<th class=\"name\" scope=\"col\">%s<br><span class=\"small\">%u seed%s</span></th>",
                      AIMF_HTML_FIT(results->methods[m].title, 40), results->averages[m].n,
                      AIMF_PLURAL(results->averages[m].n));
    aimf_html_put(html, "</tr></thead>\n");
    put_measures(html, results);
    aimf_html_table_end(html);
    aimf_html_put(html,
                  "<p class=\"note\">Gaps and errors are better when lower; accuracies, AUC and ratios when higher.%s"
                  "</p>\n",
                  results->n_seeds > 1 ? " Worst group and deviation are those of the groups’ accuracies averaged over "
                                         "seeds, and the deviation after ± that of each seed’s own."
                                       : "");
    aimf_html_section_end(html);
}

/* --- Another k --- */

/* (owned) methods that select tensors, by k; their number in @n. */
static guint *selecting_methods(const AimfRunResults *results, guint *n)
{
    guint *methods = g_new(guint, results->n_methods + 1);
    *n = 0;
    for (guint m = 1; m < results->n_methods; m++) {
        if (!results->methods[m].k || !aimf_report_measures(results, m))
            continue;
        guint at = (*n)++;
        for (; at && results->methods[methods[at - 1]].k > results->methods[m].k; at--)
            methods[at] = methods[at - 1];
        methods[at] = m;
    }
    return methods;
}

static AimfInterval value_interval(const AimfRunResults *results, guint method, guint scalar)
{
    static const AimfInterval unknown = { NAN, NAN };
    const AimfSeeds *spread = results->averages[method].spread;
    if (!spread)
        return unknown;
    const AimfSeedStatistic *statistic = &spread->scalars[scalar];
    return aimf_report_widest(statistic);
}

static void put_bar(AimfHtml *html, double x, const AimfScale *scale, AimfInterval interval)
{
    const double low = aimf_scale_at(scale, interval.low), high = aimf_scale_at(scale, interval.high);
    aimf_html_put(html, "<path class=\"axis\" d=\"M%s %sV%sM%s %sh8M%s %sh8\"/>\n", AIMF_XY(x), AIMF_XY(low),
                  AIMF_XY(high), AIMF_XY(x - 4), AIMF_XY(low), AIMF_XY(x - 4), AIMF_XY(high));
}

static void put_top_panel(AimfHtml *html, const AimfRunResults *results, const guint *methods, guint n, guint scalar)
{
    const double left = 42, right = 312, top = 22, bottom = 178, biased = aimf_report_value(results, 0, scalar);
    double low = biased, high = biased;
    for (guint i = 0; i < n; i++) {
        const double value = aimf_report_value(results, methods[i], scalar);
        const AimfInterval interval = value_interval(results, methods[i], scalar);
        low = fmin(low, fmin(value, interval.low));
        high = fmax(high, fmax(value, interval.high));
    }
    g_autofree char *title = aimf_report_title(scalar), *label = g_strconcat(title, " against k", NULL);
    const double k_low = results->methods[methods[0]].k, k_high = results->methods[methods[n - 1]].k;
    const double margin = fmax((k_high - k_low) * 0.08, 0.5);
    const AimfScale y = aimf_scale_new(low, high, bottom, top, 4, TRUE);
    AimfScale x = { .low = k_low - margin, .high = k_high + margin, .from = left, .to = right };
    aimf_html_put(html, "<div><p class=\"panel-title\">%s, %%</p>\n", AIMF_HTML(title));
    aimf_svg_begin(html, 320, 222, label);
    aimf_svg_axis_y(html, &y, left, right, NULL);
    if (isfinite(biased))
        aimf_html_put(html, "<path class=\"base\" d=\"M%s %sH%s\"><title>%s: %s %%</title></path>\n", AIMF_XY(left),
                      AIMF_XY(aimf_scale_at(&y, biased)), AIMF_XY(right), AIMF_HTML(results->methods[0].title),
                      AIMF_PERCENT(biased));
    double last = -INFINITY;
    for (guint i = 0; i < n; i++) {
        const guint k = results->methods[methods[i]].k;
        const double at = aimf_scale_at(&x, k), value = aimf_report_value(results, methods[i], scalar);
        const AimfInterval interval = value_interval(results, methods[i], scalar);
        g_autofree char *tip = g_strdup_printf("k = %u: %s %%", k, AIMF_PERCENT(value));
        if (at - last >= 22)
            aimf_html_put(html, "<text class=\"s m\" x=\"%s\" y=\"%s\">%u</text>\n", AIMF_XY(at), AIMF_XY(bottom + 16),
                          k);
        last = at - last >= 22 ? at : last;
        if (aimf_interval_known(interval))
            put_bar(html, at, &y, interval);
        if (isfinite(value))
            aimf_svg_mark(html, AIMF_MARK_AFTER, at, aimf_scale_at(&y, value), tip);
    }
    aimf_html_put(html, "<text class=\"s m\" x=\"%s\" y=\"%s\">k, tensors of either ranking</text>\n",
                  AIMF_XY((left + right) / 2), AIMF_XY(bottom + 36));
    aimf_svg_end(html);
    aimf_html_put(html, "</div>\n");
}

void aimf_report_tops(AimfHtml *html, const AimfRunResults *results)
{
    guint n;
    g_autofree guint *methods = selecting_methods(results, &n);
    const guint scalars[] = { SCALAR(worst_group_accuracy), aimf_report_odds(results), SCALAR(accuracy) };
    if (n < 2)
        return;
    aimf_html_section(html, "tops", "What another k gives");
    aimf_html_put(html, "<p>A tensor is trained if it is among the k first of both rankings. A larger k trains more "
                        "tensors.</p>\n");
    aimf_html_figure(html, FALSE);
    aimf_html_put(html, "<div class=\"panels\">\n");
    for (gsize i = 0; i < G_N_ELEMENTS(scalars); i++)
        if (is_known(results, scalars[i]))
            put_top_panel(html, results, methods, n, scalars[i]);
    aimf_html_put(html, "</div>\n");
    aimf_html_figure_end(html, FALSE,
                         "Means over seeds with their 95&nbsp;%% intervals; the broken line is the biased "
                         "classifier. The table below has the numbers.");
    aimf_html_table(html, "", "Measures for each k, in %%.");
    aimf_html_put(html, "<thead><tr><th class=\"left\" scope=\"col\">k</th>");
    for (gsize i = 0; i < G_N_ELEMENTS(scalars); i++) {
        g_autofree char *title = aimf_report_title(scalars[i]);
        aimf_html_put(html, "<th scope=\"col\">%s</th>", AIMF_HTML(title));
    }
    aimf_html_put(html, "</tr></thead>\n<tbody>\n");
    for (guint i = 0; i < n; i++) {
        aimf_html_put(html, "<tr><th scope=\"row\">%u</th>", results->methods[methods[i]].k);
        for (gsize s = 0; s < G_N_ELEMENTS(scalars); s++)
            put_value(html, results, methods[i], scalars[s]);
        aimf_html_put(html, "</tr>\n");
    }
    aimf_html_put(html, "</tbody>\n");
    aimf_html_table_end(html);
    aimf_html_section_end(html);
}
