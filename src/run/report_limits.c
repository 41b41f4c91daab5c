/* What the figures do not say, and the two annexes. */
#include "run/report_sections.h"

#include <string.h>

enum { MOST_CATEGORIES = 200, SMALL_GROUP = 100 };

/* --- Limits --- */

static void put_size(AimfHtml *html, const AimfRunResults *results, const AimfMeasures *shape)
{
    const AimfGroupMeasure *smallest = NULL;
    guint n_empty = 0;
    for (int i = 0; i < shape->n_targets * shape->n_protected; i++) {
        n_empty += !shape->groups[i].n;
        if (shape->groups[i].n && (!smallest || shape->groups[i].n < smallest->n))
            smallest = &shape->groups[i];
    }
    g_autofree char *name = smallest ? aimf_report_group(results, smallest->target, smallest->group) : NULL;
    aimf_html_put(html, "<li>The test set has %s pictures", AIMF_COUNT(shape->n));
    if (smallest)
        aimf_html_put(html, "; its smallest group, “%s”, has %s%s", AIMF_HTML(name), AIMF_COUNT(smallest->n),
                      smallest->n < SMALL_GROUP ? ", so few that one picture moves its accuracy by a point and more"
                                                : "");
    if (n_empty)
        aimf_html_put(html, "; %u group%s no pictures, and nothing is known about %s", n_empty,
                      n_empty == 1 ? " has" : "s have", n_empty == 1 ? "it" : "them");
    aimf_html_put(html, ". The worst group was found on the same pictures that it is judged by.</li>\n");
}

static void put_seeds(AimfHtml *html, const AimfRunResults *results)
{
    const guint n = results->n_methods > 1 ? results->averages[1].n : results->averages[0].n;
    if (n < AIMF_LEAST_SEEDS)
        aimf_html_put(html,
                      "<li>There %s %u seed%s, fewer than %u: the intervals speak of these models on other pictures, "
                      "not of what training once more would give.</li>\n",
                      n == 1 ? "is" : "are", n, AIMF_PLURAL(n), (guint)AIMF_LEAST_SEEDS);
    else
        aimf_html_put(html,
                      "<li>With %u seeds the intervals over both speak of other seeds and other pictures of the "
                      "same source, not of other data.</li>\n",
                      n);
}

void aimf_report_limits(AimfHtml *html, const AimfRunResults *results)
{
    const AimfMeasures *shape = aimf_report_shape(results);
    aimf_html_section(html, "limits", "Limits and cautions");
    aimf_html_put(html, "<ul>\n");
    if (shape && results->n_methods)
        put_size(html, results, shape);
    if (shape && results->n_methods)
        put_seeds(html, results);
    aimf_html_put(
        html,
        "<li>Intervals of 95&nbsp;%% miss the truth once in twenty times, and this page has many. A change that is not "
        "told apart from none may still be one that this test set is too small to show.</li>\n"
        "<li>Protected labels are what somebody wrote down about pictures. They can be wrong, are few where people are "
        "many, and say nothing about groups that were not labelled.</li>\n"
        "<li>Groups can become more equal because some of them are served worse. The groups that lost accuracy are "
        "named in the first sentence; whether that price is right is for people to decide.</li>\n"
        "<li>Synthetic pictures carry the habits of the model that made them and of the prompts. What they do not "
        "show, "
        "fine-tuning with them cannot mend.</li>\n"
        "<li>Epochs were chosen by the validation set. Had the test set been used to choose anything else, such as k, "
        "its figures would flatter.</li>\n"
        "<li>These are figures of one test set. Light, cameras, places and people of another use can change "
        "them.</li>\n"
        "</ul>\n");
    aimf_html_section_end(html);
}

/* --- Annex A --- */

/* (owned) its values; those of the protected column are labels, which may have names. */
static char *category_name(const AimfRunResults *results, const AimfImpactTable *table,
                           const AimfImpactCategory *category)
{
    g_autoptr(GString) name = g_string_new(NULL);
    for (guint c = 0; c < table->n_columns; c++) {
        gboolean label = strcmp(table->columns[c], "protected") == 0;
        g_string_append_printf(name, "%s%s", c ? " and " : "",
                               label ? aimf_run_label_name(results, category->values[c]) : category->values[c]);
    }
    return g_string_free(g_steal_pointer(&name), FALSE);
}

static void put_category(AimfHtml *html, const AimfRunResults *results, const AimfImpactTable *table,
                         const AimfImpactCategory *category)
{
    g_autofree char *name = category_name(results, table, category);
    aimf_html_put(html, "<tr><th scope=\"row\">%s%s</th><td>%s</td><td>%s</td><td>%s</td><td>%s</td>", AIMF_HTML(name),
                  category->small ? " <span class=\"small\">(under 2&nbsp;% of all)</span>" : "",
                  AIMF_COUNT(category->n), AIMF_COUNT(category->hits), AIMF_DECIMAL(category->rate, 3),
                  AIMF_DECIMAL(category->ratio, 3));
    if (category->reference)
        aimf_html_put(html, "<td class=\"left apart\">highest rate</td></tr>\n");
    else if (category->below_four_fifths)
        aimf_html_put(html, "<td class=\"left\"><span class=\"worse\"><span aria-hidden=\"true\">◆</span> below "
                            "0.8</span></td></tr>\n");
    else
        aimf_html_put(html, "<td class=\"left apart\">–</td></tr>\n");
}

static void put_impact_table(AimfHtml *html, const AimfRunResults *results, const AimfImpactTable *table,
                             const char *method, const char *positive)
{
    g_autofree char *columns = g_strjoinv(" × ", table->columns);
    aimf_html_table(html, "", "%s: selection as “%s” by %s.%s", AIMF_HTML(method), AIMF_HTML(positive),
                    AIMF_HTML(columns), table->n_columns > 1 ? " Intersections that occur." : "");
    aimf_html_put(html, "<thead><tr><th class=\"left\" scope=\"col\">Category</th><th scope=\"col\">Number</th>"
                        "<th scope=\"col\">Selected</th><th scope=\"col\">Selection rate</th><th scope=\"col\">Impact "
                        "ratio</th><th class=\"left\" scope=\"col\">Mark</th></tr></thead>\n<tbody>\n");
    for (guint i = 0; i < MIN(table->n_categories, (guint)MOST_CATEGORIES); i++)
        put_category(html, results, table, &table->categories[i]);
    aimf_html_put(html, "</tbody>\n");
    aimf_html_table_end(html);
    if (table->n_categories > MOST_CATEGORIES)
        aimf_html_missing(html, "Further categories are left out.");
    if (table->unknown)
        aimf_html_put(html, "<p class=\"note\">%s of %s pictures are in no category, since a value is missing.</p>\n",
                      AIMF_COUNT(table->unknown), AIMF_COUNT(table->n));
}

static gboolean has_impact(const AimfRunResults *results)
{
    for (guint m = 0; results->impact && m < MIN(results->n_methods, 2U); m++)
        if (results->impact[m])
            return TRUE;
    return FALSE;
}

/* What the configuration or the seeds lack, or what a tampered folder does. */
static const char *why_no_impact(const AimfRunResults *results)
{
    const AimfMeasures *shape = aimf_report_shape(results);
    if (results->config && !aimf_config_length(results->config, AIMF_KEY_EVALUATE_IMPACT))
        return "no column was asked for";
    if (!shape)
        return "every seed failed";
    return shape->positive < 0 ? "there is no positive class"
                               : "the predictions could not be joined to the test set’s columns";
}

void aimf_report_impact(AimfHtml *html, const AimfRunResults *results)
{
    aimf_html_section(html, "impact", "Annex A: selection rates and impact ratios");
    if (!has_impact(results)) {
        g_autofree char *why = g_strdup_printf("Selection rates were not measured: %s.", why_no_impact(results));
        aimf_html_missing(html, why);
        aimf_html_section_end(html);
        return;
    }
    aimf_html_put(html,
                  "<p>In the form of New York City’s Local Law 144: the impact ratio is a category’s selection rate "
                  "divided by the highest one. These are numbers, not an audit, which takes an independent "
                  "auditor, and not legal advice.</p>\n");
    for (guint m = 0; m < MIN(results->n_methods, 2U); m++) {
        const AimfImpact *impact = results->impact[m];
        if (!impact)
            continue;
        g_autofree char *positive = aimf_report_class(results, impact->positive);
        for (guint t = 0; t < impact->n_tables; t++)
            put_impact_table(html, results, &impact->selection[t], results->methods[m].title, positive);
    }
    aimf_html_put(html,
                  "<p class=\"note\">Of the first seed that did not fail. A ratio below 0.8 is what the four-fifths "
                  "rule of the United States looks for. Categories under 2&nbsp;%% of all are marked, and are no "
                  "reference for others.</p>\n");
    aimf_html_section_end(html);
}

/* --- Annex B --- */

static const struct {
    const char *part, *where, *lacks;
} ai_act[] = {
    { "Procedures of validation and testing",
      "<a href=\"#configuration\">Configuration and versions</a>; <a href=\"#curves\">learning curves</a>",
      "Who decided on them, and why these." },
    { "Data used for validation and testing, and their main characteristics", "<a href=\"#data\">Data card</a>",
      "Where the data come from, how they were gathered and labelled, whom they stand for." },
    { "Metrics of accuracy",
      "<a href=\"#finding\">Finding</a>; <a href=\"#measures\">all measures</a>; <a href=\"#confusion\">who is "
      "taken for what</a>",
      "" },
    { "Metrics of robustness", "", "Not given: neither disturbed pictures nor other sources were tried." },
    { "Metrics of compliance with other requirements of Chapter III, Section 2", "",
      "Not given, but for the demands that this run was set." },
    { "Potentially discriminatory impacts",
      "<a href=\"#groups\">Accuracy of each group</a>; <a href=\"#impact\">Annex A</a>; <a "
      "href=\"#limits\">limits</a>",
      "Impacts beyond the labels of this test set." },
    { "Test logs",
      "Logs, predictions and hashes of the run’s folder; <a href=\"#configuration\">hashes of the models</a>", "" },
    { "Test reports dated and signed by the responsible persons", "This report",
      "Not given: date and signature. The report has none, so that the same run gives the same file." },
    { "Predetermined changes, point (f)", "", "Not given." },
    { "Cybersecurity measures, point (h)", "", "Not given." },
};

void aimf_report_ai_act(AimfHtml *html)
{
    aimf_html_section(html, "ai-act", "Annex B: technical documentation under the EU AI Act");
    aimf_html_put(html, "<p>Where this report may help with point 2(g) of Annex IV of Regulation (EU) 2024/1689, and "
                        "where it does not. It is help in finding things, not legal advice, and does not make a system "
                        "conform.</p>\n");
    aimf_html_table(html, "", "Parts of Annex IV, point 2(g), and of this report.");
    aimf_html_put(html,
                  "<thead><tr><th class=\"left\" scope=\"col\">Asked for</th><th class=\"left\" scope=\"col\">Here"
                  "</th><th class=\"left\" scope=\"col\">Not here</th></tr></thead>\n<tbody>\n");
    for (gsize i = 0; i < G_N_ELEMENTS(ai_act); i++) {
        aimf_html_put(html,
                      "<tr><th class=\"wrap\" scope=\"row\">%s</th><td class=\"left wrap\">%s</td><td class=\"left "
                      "wrap\">%s</td></tr>\n",
                      ai_act[i].part, *ai_act[i].where ? ai_act[i].where : "–",
                      *ai_act[i].lacks ? ai_act[i].lacks : "–");
    }
    aimf_html_put(html, "</tbody>\n");
    aimf_html_table_end(html);
    aimf_html_section_end(html);
}
