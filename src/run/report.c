/* The report: its sections in their order. */
#include "run/report_sections.h"

#include <string.h>

static const struct {
    const char *id, *title;
} contents[] = {
    { "groups", "Accuracy of each group" },
    { "measures", "All measures" },
    { "confusion", "Who is taken for what" },
    { "curves", "Learning curves" },
    { "tensors", "Which tensors, and why" },
    { "tops", "What another k gives" },
    { "synthetic", "Synthetic pictures" },
    { "photographs", "Photographs that changed sides" },
    { "data", "Data card" },
    { "configuration", "Configuration and versions" },
    { "limits", "Limits and cautions" },
    { "impact", "Annex A: impact ratios" },
    { "ai-act", "Annex B: EU AI Act" },
};

static const char *title_of(const AimfRunResults *results)
{
    return results->title && *results->title ? results->title : "A run without a title";
}

/* Of the sections that @rest has: one may have had nothing to say. */
static void put_navigation(AimfHtml *html, const AimfHtml *rest)
{
    aimf_html_put(html, "<nav aria-label=\"Contents\">\n<p>Contents</p>\n<ul>\n");
    for (gsize i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_autofree char *heading = g_strdup_printf(" id=\"%s\">", contents[i].id);
        if (strstr(rest->text->str, heading))
            aimf_html_put(html, "<li><a href=\"#%s\">%s</a></li>\n", contents[i].id, contents[i].title);
    }
    aimf_html_put(html, "</ul>\n</nav>\n");
}

static void put_first(AimfHtml *html, const AimfRunResults *results)
{
    g_autofree char *sentence = aimf_report_sentence(results);
    aimf_html_put(html, "<header>\n<p class=\"kicker\">Fairness report</p>\n<h1 id=\"finding\">%s</h1>\n",
                  AIMF_HTML(title_of(results)));
    aimf_html_put(html, "<p class=\"finding\">%s</p>\n</header>\n", sentence);
    aimf_report_notices(html, results);
    if (!results->n_methods)
        return;
    aimf_report_changes(html, results);
    aimf_report_gates(html, results);
}

static void put_sections(AimfHtml *html, const AimfRunResults *results)
{
    aimf_report_groups(html, results);
    aimf_report_all_measures(html, results);
    aimf_report_confusion(html, results);
    aimf_report_curves(html, results);
    aimf_report_tensors(html, results);
    aimf_report_tops(html, results);
    aimf_report_synthetic(html, results);
    aimf_report_photographs(html, results);
    aimf_report_data(html, results);
    aimf_report_configuration(html, results);
    aimf_report_limits(html, results);
    aimf_report_impact(html, results);
    aimf_report_ai_act(html);
}

static void put_footer(AimfHtml *html)
{
    aimf_html_put(html, "</main>\n<footer>This file stands alone: it loads nothing, and the same run always gives the "
                        "same file.</footer>\n");
    aimf_html_page_end(html);
}

/* The contents come after the finding, and are known only when all sections are there. */
static void put_one(AimfHtml *html, const AimfRunResults *results)
{
    aimf_html_page(html, title_of(results), results->program);
    aimf_html_put(html, "<main>\n");
    html->level = 1; /* of the page's own heading: the demands below it have the level of sections */
    put_first(html, results);
    AimfHtml rest = *html;
    rest.level = 2;
    rest.text = g_string_new(NULL);
    put_sections(&rest, results);
    html->failure = rest.failure;
    put_navigation(html, &rest);
    g_string_append_len(html->text, rest.text->str, (gssize)rest.text->len);
    g_string_free(rest.text, TRUE);
    put_footer(html);
}

/* --- Several runs --- */

static void put_compact(AimfHtml *html, const AimfRunResults *results, guint number)
{
    g_autofree char *sentence = aimf_report_sentence(results);
    g_autofree char *title = g_strdup_printf("%u. %s", number, title_of(results));
    g_autofree char *id = g_strdup_printf("run-%u", number);
    aimf_html_section(html, id, AIMF_HTML(title));
    aimf_html_put(html, "<p class=\"finding\">%s</p>\n", sentence);
    aimf_report_notices(html, results);
    if (results->n_methods) {
        aimf_report_changes(html, results);
        aimf_report_gates(html, results);
    }
    if (results->n_methods > 1) {
        aimf_html_heading(html, "Groups");
        aimf_report_method_groups(html, results, 1);
    }
    aimf_html_section_end(html);
}

static void put_several(AimfHtml *html, const AimfRunResults *const *results, guint n)
{
    g_autofree char *title = g_strdup_printf("%u runs side by side", n);
    aimf_html_page(html, title, results[0]->program);
    aimf_html_put(html,
                  "<main>\n<header>\n<p class=\"kicker\">Fairness report</p>\n<h1 id=\"finding\">%s</h1>\n"
                  "</header>\n<nav aria-label=\"Contents\">\n<p>Runs</p>\n<ul>\n",
                  title);
    for (guint i = 0; i < n; i++)
        aimf_html_put(html, "<li><a href=\"#run-%u\">%u. %s</a></li>\n", i + 1, i + 1, AIMF_HTML(title_of(results[i])));
    aimf_html_put(html, "</ul>\n</nav>\n");
    aimf_report_compare(html, results, n);
    for (guint i = 0; i < n; i++)
        put_compact(html, results[i], i + 1);
    put_footer(html);
}

char *aimf_report_html(const AimfRunResults *const *results, guint n, GError **error)
{
    if (!n) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "a report needs a run");
        return NULL;
    }
    AimfHtml html = { .text = g_string_new(NULL), .level = 2 };
    if (n == 1)
        put_one(&html, results[0]);
    else
        put_several(&html, results, n);
    char *text = g_string_free(html.text, html.failure != NULL);
    if (html.failure)
        g_propagate_error(error, html.failure);
    return text;
}
