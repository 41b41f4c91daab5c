/* What came out: the sentence, the first table, the demands, and what stands in the way of both. */
#include "run/report_sections.h"

#include <string.h>

/* --- The sentence --- */

/* "raised the accuracy of the worst group from 60.1 % to 71.3 % (change +11.2 points, 95 % interval +4.1 to +18.0)" */
static void put_change(GString *text, const AimfRunResults *results, guint scalar, const char *what)
{
    const AimfSeedStatistic change = aimf_report_change(results, 1, scalar);
    const AimfInterval interval = aimf_report_widest(&change);
    const gboolean low_is_bad = aimf_scalar_low_is_bad(scalar);
    const AimfDirection direction = aimf_report_direction(interval, low_is_bad);
    const double before = aimf_report_value(results, 0, scalar), after = aimf_report_value(results, 1, scalar);
    if (!isfinite(before) || !isfinite(after)) {
        g_string_append_printf(text, "%s is unknown", what);
        return;
    }
    if (direction == AIMF_UNTOLD || direction == AIMF_NO_INTERVAL)
        g_string_append_printf(text, "%s went from <strong>%s&nbsp;%%</strong> to <strong>%s&nbsp;%%</strong>", what,
                               AIMF_PERCENT_SHORT(before), AIMF_PERCENT_SHORT(after));
    else
        g_string_append_printf(text, "%s %s from <strong>%s&nbsp;%%</strong> to <strong>%s&nbsp;%%</strong>", what,
                               (direction == AIMF_BETTER) == low_is_bad ? "rose" : "fell", AIMF_PERCENT_SHORT(before),
                               AIMF_PERCENT_SHORT(after));
    if (direction == AIMF_NO_INTERVAL)
        g_string_append(text, ", for which there is no interval");
    else
        g_string_append_printf(text, "%s (change %s points, 95&nbsp;%% interval %s)",
                               direction == AIMF_UNTOLD ? ", which is not told apart from no change" : "",
                               AIMF_POINTS_SHORT(change.mean), AIMF_BETWEEN_SHORT(interval));
}

typedef struct {
    guint group;
    double change;
} Loss;

static int by_loss(const void *a, const void *b)
{
    const Loss *one = a, *two = b;
    return one->change != two->change ? (one->change < two->change ? -1 : 1) : one->group < two->group ? -1 : 1;
}

static void put_losses(GString *text, const AimfRunResults *results)
{
    enum { NAMED = 4 };
    const AimfMeasures *shape = aimf_report_shape(results);
    const guint n = (guint)(shape->n_targets * shape->n_protected);
    g_autofree Loss *losses = g_new(Loss, n);
    guint n_lost = 0, n_known = 0;
    for (guint g = 0; g < n; g++) {
        const double change = aimf_report_group_change(results, 1, g).mean;
        n_known += isfinite(change) ? 1 : 0;
        if (change < 0)
            losses[n_lost++] = (Loss){ g, change };
    }
    if (!n_known)
        return;
    if (!n_lost) {
        g_string_append(text, "; no group lost accuracy");
        return;
    }
    qsort(losses, n_lost, sizeof *losses, by_loss);
    g_string_append_printf(text, "; %u of %u groups lost accuracy: ", n_lost, n_known);
    for (guint i = 0; i < MIN(n_lost, (guint)NAMED); i++) {
        const AimfGroupMeasure *group = &shape->groups[losses[i].group];
        const AimfSeedStatistic change = aimf_report_group_change(results, 1, losses[i].group);
        g_autofree char *name = aimf_report_group(results, group->target, group->group);
        const gboolean sure = aimf_report_direction(aimf_report_widest(&change), TRUE) == AIMF_WORSE;
        g_string_append_printf(text, "%s%s (%s points%s)", i ? "; " : "", AIMF_HTML(name),
                               AIMF_POINTS_SHORT(losses[i].change), sure ? "" : ", not told apart from none");
    }
    if (n_lost > NAMED)
        g_string_append_printf(text, "; and %u more", n_lost - NAMED);
}

char *aimf_report_sentence(const AimfRunResults *results)
{
    GString *text = g_string_new(NULL);
    if (!aimf_report_measures(results, 0)) {
        g_string_append(text, "There is no finding, since the classifier that everything is compared with has no "
                              "measures.");
    } else if (results->n_methods < 2) {
        const guint odds = aimf_report_odds(results), worst = 1;
        g_string_append_printf(text,
                               "The classifier’s worst group has an accuracy of <strong>%s&nbsp;%%</strong> and its "
                               "equalized odds are <strong>%s&nbsp;%%</strong>; no method was applied to it.",
                               AIMF_PERCENT_SHORT(aimf_report_value(results, 0, worst)),
                               AIMF_PERCENT_SHORT(aimf_report_value(results, 0, odds)));
    } else if (!aimf_report_measures(results, 1)) {
        g_string_append_printf(text, "There is no finding, since every seed of %s failed.",
                               AIMF_HTML(results->methods[1].title));
    } else {
        g_string_append_printf(text, "With %s, ", AIMF_HTML(results->methods[1].title));
        put_change(text, results, 1, "the accuracy of the worst group");
        g_string_append(text, ", and ");
        put_change(text, results, aimf_report_odds(results), "the gap of equalized odds");
        put_losses(text, results);
        g_string_append_c(text, '.');
    }
    return g_string_free(text, FALSE);
}

/* --- The table --- */

static gboolean has_seed_intervals(const AimfRunResults *results)
{
    const AimfSeeds *changes = results->n_methods > 1 ? results->averages[1].changes : NULL;
    return changes && changes->n_runs >= AIMF_LEAST_SEEDS;
}

/* Half of the widest interval, so that all of a table's intervals have one scale. */
static double interval_reach(const AimfRunResults *results, const guint *scalars, guint n)
{
    double most = 0.01;
    for (guint i = 0; i < n; i++) {
        const AimfSeedStatistic change = aimf_report_change(results, 1, scalars[i]);
        const AimfInterval interval = aimf_report_widest(&change);
        most = fmax(most, fmax(fabs(change.mean), fmax(fabs(interval.low), fabs(interval.high))));
    }
    return most;
}

/* One below the other where there are several. */
static void put_intervals(AimfHtml *html, const AimfSeedStatistic *change, gboolean of_seeds)
{
    if (!of_seeds) {
        aimf_html_put(html, "%s", AIMF_BETWEEN(change->over_pictures));
        return;
    }
    aimf_html_put(html,
                  "<span class=\"lines\"><span class=\"small\">pictures</span> %s</span><span class=\"lines\"><span "
                  "class=\"small\">seeds</span> %s</span><span class=\"lines\"><span class=\"small\">both</span> "
                  "%s</span>",
                  AIMF_BETWEEN(change->over_pictures), AIMF_BETWEEN(change->over_seeds),
                  AIMF_BETWEEN(change->over_both));
}

static void put_row(AimfHtml *html, const AimfRunResults *results, guint scalar, double reach, gboolean of_seeds)
{
    const AimfSeedStatistic change = aimf_report_change(results, 1, scalar);
    const AimfInterval interval = aimf_report_widest(&change);
    const gboolean low_is_bad = aimf_scalar_low_is_bad(scalar);
    const AimfDirection direction = aimf_report_direction(interval, low_is_bad);
    g_autofree char *title = aimf_report_title(scalar);
    aimf_html_put(html, "<tr><th scope=\"row\">%s <span class=\"definition\">%s</span></th><td>%s</td>",
                  AIMF_HTML(title), low_is_bad ? "higher is better" : "lower is better",
                  AIMF_PERCENT(aimf_report_value(results, 0, scalar)));
    if (results->n_methods > 1) {
        aimf_html_put(html, "<td>%s</td><td>%s</td><td>", AIMF_PERCENT(aimf_report_value(results, 1, scalar)),
                      AIMF_POINTS(change.mean));
        put_intervals(html, &change, of_seeds);
        aimf_html_put(html, "</td><td class=\"left\">");
        aimf_svg_interval(html, change.mean, interval, reach, direction);
        aimf_html_put(html, "<span class=\"lines\">%s</span></td>", aimf_html_direction(direction));
    }
    aimf_html_put(html, "</tr>\n");
}

static void put_head(AimfHtml *html, const AimfRunResults *results)
{
    aimf_html_put(html, "<thead><tr><th class=\"left\" scope=\"col\">Measure</th><th scope=\"col\">Before, %%</th>");
    if (results->n_methods > 1)
        aimf_html_put(
            html, "<th scope=\"col\">After, %%</th><th scope=\"col\">Change, points</th><th scope=\"col\">95&nbsp;%% "
                  "interval of the change</th><th scope=\"col\" class=\"left\">Against no change</th>");
    aimf_html_put(html, "</tr></thead>\n<tbody>\n");
}

void aimf_report_changes(AimfHtml *html, const AimfRunResults *results)
{
    guint scalars[AIMF_MOST_HEADLINES];
    const guint n = aimf_report_headlines(results, scalars);
    const gboolean of_seeds = has_seed_intervals(results);
    const double reach = results->n_methods > 1 ? interval_reach(results, scalars, n) : 0;
    if (!n) {
        aimf_html_missing(html, "There are no measures.");
        return;
    }
    if (results->n_methods > 1)
        aimf_html_table(html, "", "Before: %s, mean of %u seed%s. After: %s, mean of %u seed%s.",
                        AIMF_HTML(results->methods[0].title), results->averages[0].n,
                        AIMF_PLURAL(results->averages[0].n), AIMF_HTML(results->methods[1].title),
                        results->averages[1].n, AIMF_PLURAL(results->averages[1].n));
    else
        aimf_html_table(html, "", "%s, mean of %u seed%s.", AIMF_HTML(results->methods[0].title),
                        results->averages[0].n, AIMF_PLURAL(results->averages[0].n));
    put_head(html, results);
    for (guint i = 0; i < n; i++)
        put_row(html, results, scalars[i], reach, of_seeds);
    aimf_html_put(html, "</tbody>\n");
    aimf_html_table_end(html);
    if (results->n_methods < 2)
        return;
    aimf_html_put(html,
                  "<p class=\"note\">Intervals are of the change on the same pictures%s. “Not told apart” means "
                  "that the interval includes no change.%s</p>\n",
                  of_seeds ? ": over other pictures, over other seeds, and over both, which is drawn and decides"
                           : ", and speak of these models alone",
                  results->n_seeds > 1 ? " Before and after of the worst group and of the deviation are those of the "
                                         "accuracies averaged over seeds; changes are the mean of each seed’s own, so "
                                         "that their difference can be another one."
                                       : "");
}

/* --- Demands --- */

static const char *decision_mark(AimfDecision decision)
{
    switch (decision) {
    case AIMF_MET:
        return "<span class=\"better\"><span aria-hidden=\"true\">✓</span> met</span>";
    case AIMF_NOT_MET:
        return "<span class=\"worse\"><span aria-hidden=\"true\">✕</span> not met</span>";
    default:
        return "<span class=\"apart\"><span aria-hidden=\"true\">?</span> not enough evidence</span>";
    }
}

static void put_verdicts(AimfHtml *html, const AimfVerdicts *verdicts, const char *of)
{
    for (guint i = 0; verdicts && i < verdicts->n; i++) {
        const AimfVerdict *verdict = &verdicts->verdicts[i];
        g_autofree char *why = aimf_verdict_text(verdict);
        aimf_html_put(html,
                      "<tr><th scope=\"row\"><code>%s</code></th><td class=\"left\">%s</td><td>%s</td>"
                      "<td class=\"left\">%s</td><td class=\"left wrap\">",
                      AIMF_HTML(verdict->gate.text), of, AIMF_PERCENT(verdict->value),
                      decision_mark(verdict->decision));
        aimf_html_put_text(html, *why ? why : "–", 1000);
        aimf_html_put(html, "</td></tr>\n");
    }
}

void aimf_report_gates(AimfHtml *html, const AimfRunResults *results)
{
    aimf_html_heading(html, "Demands");
    if (!aimf_run_any_gates(results)) {
        aimf_html_missing(html, "Nothing was demanded of this run.");
        return;
    }
    const char *method = results->methods[results->n_methods > 1 ? 1 : 0].title;
    if (!aimf_run_any_verdicts(results)) {
        aimf_html_put(html, "<p>Demands on %s. All in all: %s, since no seed could be judged: every one failed.</p>\n",
                      AIMF_HTML(method), decision_mark(results->decision));
        return;
    }
    aimf_html_table(html, "", "Demands on %s. All in all: %s.", AIMF_HTML(method), decision_mark(results->decision));
    aimf_html_put(html,
                  "<thead><tr><th class=\"left\" scope=\"col\">Demand</th><th class=\"left\" scope=\"col\">Judged "
                  "on</th><th scope=\"col\">Value, %%</th><th class=\"left\" scope=\"col\">Decision</th>"
                  "<th class=\"left\" scope=\"col\">Why</th></tr></thead>\n<tbody>\n");
    put_verdicts(html, results->verdicts, "the average");
    for (guint s = 0; results->seed_verdicts && s < results->n_seeds; s++) {
        g_autofree char *of = g_strdup_printf("seed %" G_GUINT64_FORMAT, results->seeds[s]);
        put_verdicts(html, results->seed_verdicts[s], of);
    }
    aimf_html_put(html, "</tbody>\n");
    aimf_html_table_end(html);
}

/* --- Notices --- */

static void put_failures(AimfHtml *html, const AimfRunResults *results)
{
    guint n = 0;
    for (guint i = 0; i < results->n_methods * results->n_seeds; i++)
        n += results->cells[i].failure != NULL;
    if (!n)
        return;
    aimf_html_put(html, "<div class=\"notice\">\n<p>%u training%s failed and %s left out of all figures:</p>\n<ul>\n",
                  n, AIMF_PLURAL(n), n == 1 ? "is" : "are");
    for (guint m = 0; m < results->n_methods; m++)
        for (guint s = 0; s < results->n_seeds; s++) {
            const AimfRunCell *cell = aimf_run_cell(results, m, s);
            if (!cell->failure)
                continue;
            aimf_html_put(html, "<li>%s, seed %" G_GUINT64_FORMAT ": ", AIMF_HTML(results->methods[m].title),
                          results->seeds[s]);
            aimf_html_put_text(html, cell->failure, 600);
            aimf_html_put(html, "</li>\n");
        }
    aimf_html_put(html, "</ul>\n</div>\n");
}

/* (owned) the distinct texts at @offset of the cells; NULL-terminated. */
static GPtrArray *distinct(const AimfRunResults *results, gsize offset)
{
    GPtrArray *texts = g_ptr_array_new();
    for (guint i = 0; i < results->n_methods * results->n_seeds; i++) {
        char *text;
        memcpy(&text, (const char *)&results->cells[i] + offset, sizeof text);
        if (text && !g_ptr_array_find_with_equal_func(texts, text, g_str_equal, NULL))
            g_ptr_array_add(texts, text);
    }
    return texts;
}

static void put_mixture(AimfHtml *html, const AimfRunResults *results)
{
    static const struct {
        const char *text;
        gsize offset;
    } kinds[] = {
        { "trained by the engines", G_STRUCT_OFFSET(AimfRunCell, engine) },
        { "trained with the instruction sets", G_STRUCT_OFFSET(AimfRunCell, instruction_set) },
        { "tested by the engines", G_STRUCT_OFFSET(AimfRunCell, test_engine) },
        { "tested with the instruction sets", G_STRUCT_OFFSET(AimfRunCell, test_instruction_set) },
    };
    gboolean any = FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GPtrArray) texts = distinct(results, kinds[i].offset);
        if (texts->len < 2)
            continue;
        if (!any)
            aimf_html_put(html,
                          "<div class=\"notice\">\n<p>The models of this run were not all made alike; trainings on "
                          "different machines differ by rounding, as much as another seed:</p>\n<ul>\n");
        any = TRUE;
        aimf_html_put(html, "<li>%s ", kinds[i].text);
        for (guint t = 0; t < texts->len; t++)
            aimf_html_put(html, "%s%s", t ? "; " : "", AIMF_HTML(g_ptr_array_index(texts, t)));
        aimf_html_put(html, "</li>\n");
    }
    if (any)
        aimf_html_put(html, "</ul>\n</div>\n");
}

void aimf_report_notices(AimfHtml *html, const AimfRunResults *results)
{
    put_failures(html, results);
    put_mixture(html, results);
}
