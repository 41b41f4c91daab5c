/* Several runs side by side. */
#include "run/report_sections.h"

#include <stddef.h>
#include <string.h>

#define SCALAR(member) (guint)(offsetof(AimfScalars, member) / sizeof(double))

enum { MOST_RUNS_DRAWN = 40 };

/* The first three are drawn; equalized odds are those that a run has. */
static guint scalar_at(const AimfRunResults *run, guint i)
{
    const guint scalars[] = { SCALAR(worst_group_accuracy), aimf_report_odds(run), SCALAR(accuracy) };
    return scalars[i];
}

static const char *const names[] = { "Worst group accuracy", "Equalized odds (EO)", "Accuracy" };
enum { N_COMPARED = G_N_ELEMENTS(names) };

static char *run_name(const AimfRunResults *run, guint i)
{
    return g_strdup_printf("%u. %s", i + 1, run->title && *run->title ? run->title : "run");
}

static void put_charts(AimfHtml *html, const AimfRunResults *const *runs, guint n, guint scalar)
{
    AimfDumbbell rows[MOST_RUNS_DRAWN];
    const guint n_rows = MIN(n, (guint)MOST_RUNS_DRAWN);
    for (guint i = 0; i < n_rows; i++) {
        const guint own = scalar_at(runs[i], scalar);
        const double change = aimf_report_change(runs[i], 1, own).mean;
        rows[i] = (AimfDumbbell){
            .name = run_name(runs[i], i),
            .before = aimf_report_value(runs[i], 0, own),
            .after = aimf_report_value(runs[i], 1, own),
            .lost = aimf_scalar_low_is_bad(own) ? change < 0 : change > 0,
            .note = g_strdup(AIMF_POINTS(change)),
        };
    }
    g_autofree char *title = g_strconcat(names[scalar], ", %", NULL);
    g_autofree char *label =
        g_strdup_printf("%s of each run before and after; the table below has the numbers", names[scalar]);
    aimf_html_figure(html, TRUE);
    aimf_svg_dumbbells(html, rows, n_rows, title, label);
    aimf_html_figure_end(html, TRUE, "%s of each run in %%, and its change in points at the right.", names[scalar]);
    aimf_dumbbells_clear(rows, n_rows);
}

static void put_run_row(AimfHtml *html, const AimfRunResults *run, guint i, guint scalar)
{
    const guint own = scalar_at(run, scalar);
    const AimfSeedStatistic change = aimf_report_change(run, 1, own);
    const AimfInterval interval = aimf_report_widest(&change);
    g_autofree char *name = run_name(run, i);
    aimf_html_put(html,
                  "<tr><th scope=\"row\">%s</th><td class=\"left\">%s</td><td>%u</td><td>%s</td><td>%s</td><td>%s</td>"
                  "<td>%s</td><td class=\"left\">%s</td></tr>\n",
                  AIMF_HTML(name), AIMF_HTML(run->n_methods > 1 ? run->methods[1].title : "no method"),
                  run->n_methods ? run->averages[MIN(run->n_methods - 1, 1U)].n : 0,
                  AIMF_PERCENT(aimf_report_value(run, 0, own)), AIMF_PERCENT(aimf_report_value(run, 1, own)),
                  AIMF_POINTS(change.mean), AIMF_BETWEEN(interval),
                  aimf_html_direction(aimf_report_direction(interval, aimf_scalar_low_is_bad(own))));
}

static void put_runs(AimfHtml *html, const AimfRunResults *const *runs, guint n)
{
    aimf_html_table(html, "", "The main measures of each run, before and after its first method.");
    aimf_html_put(html,
                  "<thead><tr><th class=\"left\" scope=\"col\">Run</th><th class=\"left\" scope=\"col\">Method</th>"
                  "<th scope=\"col\">Seeds</th><th scope=\"col\">Before, %%</th><th scope=\"col\">After, %%</th>"
                  "<th scope=\"col\">Change, points</th><th scope=\"col\">95&nbsp;%% interval</th>"
                  "<th class=\"left\" scope=\"col\">At 95&nbsp;%%</th></tr></thead>\n");
    for (guint s = 0; s < N_COMPARED; s++) {
        aimf_html_put(html, "<tbody>\n<tr><th class=\"group left\" colspan=\"8\" scope=\"rowgroup\">%s</th></tr>\n",
                      names[s]);
        for (guint i = 0; i < n; i++)
            put_run_row(html, runs[i], i, s);
        aimf_html_put(html, "</tbody>\n");
    }
    aimf_html_table_end(html);
}

/* --- Configurations --- */

/* (owned) */
static char *value_of(const AimfRunResults *run, AimfConfigKey key)
{
    return run->config ? aimf_config_value(run->config, key) : g_strdup("");
}

static gboolean differs(const AimfRunResults *const *runs, guint n, AimfConfigKey key)
{
    gboolean same = TRUE;
    g_autofree char *first = value_of(runs[0], key);
    for (guint i = 1; same && i < n; i++) {
        g_autofree char *other = value_of(runs[i], key);
        same = strcmp(first, other) == 0;
    }
    return !same;
}

static void put_differences(AimfHtml *html, const AimfRunResults *const *runs, guint n)
{
    guint n_differing = 0;
    for (AimfConfigKey key = 0; key < AIMF_N_KEYS; key++)
        n_differing += differs(runs, n, key) ? 1 : 0;
    if (!n_differing) {
        aimf_html_missing(html, "The configurations are the same.");
        return;
    }
    aimf_html_table(html, "", "Keys of the configuration in which the runs differ; all others are the same.");
    aimf_html_put(html, "<thead><tr><th class=\"left\" scope=\"col\">Key</th>");
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = run_name(runs[i], i);
        aimf_html_put(html, "<th class=\"left\" scope=\"col\">%s</th>", AIMF_HTML(name));
    }
    aimf_html_put(html, "</tr></thead>\n<tbody>\n");
    for (AimfConfigKey key = 0; key < AIMF_N_KEYS; key++) {
        if (!differs(runs, n, key))
            continue;
        aimf_html_put(html, "<tr><th scope=\"row\"><code>%s</code></th>", AIMF_HTML(aimf_config_name(key)));
        for (guint i = 0; i < n; i++) {
            g_autofree char *value = value_of(runs[i], key);
            aimf_html_put(html, "<td class=\"left\">%s</td>", *value ? AIMF_HTML(value) : "–");
        }
        aimf_html_put(html, "</tr>\n");
    }
    aimf_html_put(html, "</tbody>\n");
    aimf_html_table_end(html);
}

static gboolean same_test_set(const AimfRunResults *const *runs, guint n)
{
    for (guint i = 1; i < n; i++)
        if (g_strcmp0(runs[0]->sets[AIMF_SET_TEST].pictures_sha256, runs[i]->sets[AIMF_SET_TEST].pictures_sha256) != 0)
            return FALSE;
    return runs[0]->sets[AIMF_SET_TEST].pictures_sha256 != NULL;
}

void aimf_report_compare(AimfHtml *html, const AimfRunResults *const *runs, guint n)
{
    aimf_html_section(html, "runs", "Side by side");
    aimf_html_put(html, "<p>%s</p>\n",
                  same_test_set(runs, n)
                      ? "All runs were measured on the same test pictures."
                      : "The runs were not all measured on the same test pictures: their figures can be compared only "
                        "with care.");
    put_runs(html, runs, n);
    aimf_dumbbell_legend(html, "after, where it got worse");
    for (guint s = 0; s < N_COMPARED; s++)
        put_charts(html, runs, n, s);
    if (n > MOST_RUNS_DRAWN)
        aimf_html_missing(html, "Further runs are in the table alone.");
    aimf_html_section_end(html);
    aimf_html_section(html, "differences", "What differs");
    put_differences(html, runs, n);
    aimf_html_section_end(html);
}
