/* The report: all sections, whatever is missing; nothing that rules the page, loads anything or differs next time. */
#include "run/report_facts.h"
#include "run/report_page.h"
#include "run/support_results.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* What would open elements and attributes, close them, break lines and turn the direction of text. */
static const char HOSTILE[] = "<script>alert(1)</script>\"'&amp; --> ]]> %s%n \x1b[31m \xe2\x80\xae "
                              "<img src=http://example.org/x onerror=alert(2)>";
/* The same of bytes that are no UTF-8. */
static const char INVALID[] = "<script>\xff\"\xe2\x80\xae\xf0\x9f";

static const char *const SECTIONS[] = { "finding", "groups",    "measures",    "confusion", "curves",
                                        "tensors", "synthetic", "photographs", "data",      "configuration",
                                        "limits",  "impact",    "ai-act" };

static char *report_of(const AimfRunResults *results)
{
    g_autoptr(GError) error = NULL;
    char *html = aimf_report_html(&results, 1, &error);
    g_assert_no_error(error);
    return html;
}

static char *report_with(const SupportResultsOptions *options)
{
    g_autoptr(AimfRunResults) results = support_results_new(options);
    return report_of(results);
}

static guint count(const char *html, const char *text)
{
    guint n = 0;
    for (const char *at = html; (at = strstr(at, text)); at += strlen(text))
        n++;
    return n;
}

#define assert_has(html, text) g_assert_nonnull(strstr(html, text))
#define assert_lacks(html, text) g_assert_null(strstr(html, text))

/* --- A page that browsers read as it was meant --- */

static gboolean is_void(const char *name)
{
    static const char *const names[] = { "meta", "link", "img", "br", NULL };
    return g_strv_contains(names, name);
}

/* Elements are closed in order and attributes quoted: GLib's parser sees to that. */
static void ignore_element(GMarkupParseContext *context, const char *name, const char **names, const char **values,
                           gpointer data, GError **error)
{
    (void)context, (void)values, (void)data, (void)error;
    g_assert_cmpstr(name, !=, "script");
    for (guint i = 0; names[i]; i++)
        g_assert_false(g_str_has_prefix(names[i], "on"));
}

/* (owned) the page as XML: void elements closed, no doctype, no style sheet, no entities but those of XML. */
static char *as_xml(const char *html)
{
    g_autoptr(GString) xml = g_string_new(NULL);
    const char *style = strstr(html, "<style>"), *after = strstr(html, "</style>");
    g_assert_true(style && after);
    for (const char *at = strchr(html, '\n'); *at; at++) {
        if (at == style)
            at = after + strlen("</style>");
        if (*at != '<' || at[1] == '/') {
            g_string_append_c(xml, *at);
            continue;
        }
        g_autofree char *name = g_strndup(at + 1, strcspn(at + 1, " >\n"));
        const char *end = strchr(at, '>');
        g_assert_nonnull(end);
        g_string_append_len(xml, at, end - at);
        g_string_append(xml, is_void(name) || end[-1] == '/' ? (end[-1] == '/' ? ">" : "/>") : ">");
        at = end;
    }
    g_string_replace(xml, "&nbsp;", " ", 0);
    g_string_replace(xml, " open>", " open=\"\">", 0);
    return g_string_free(g_steal_pointer(&xml), FALSE);
}

static void assert_sound(const char *html)
{
    static const GMarkupParser parser = { .start_element = ignore_element };
    g_autoptr(GError) error = NULL;
    g_autoptr(GMarkupParseContext) context =
        g_markup_parse_context_new(&parser, G_MARKUP_PREFIX_ERROR_POSITION, NULL, NULL);
    g_autofree char *xml = as_xml(html);
    g_assert_true(g_utf8_validate(html, -1, NULL));
    g_assert_true(g_str_has_prefix(html, "<!DOCTYPE html>\n<html lang=\"en\">\n"));
    g_assert_true(g_str_has_suffix(html, "</body>\n</html>\n"));
    g_markup_parse_context_parse(context, xml, -1, &error);
    g_assert_no_error(error);
    g_markup_parse_context_end_parse(context, &error);
    g_assert_no_error(error);
    assert_lacks(html, ">nan");
    assert_lacks(html, ">inf");
    assert_lacks(html, "\"nan");
    assert_lacks(html, "(null)");
}

/* Headings go down by one level at a time, and ids are there once. */
static void assert_outline(const char *html)
{
    int level = 0;
    for (const char *at = html; (at = strstr(at, "<h")); at += 2) {
        if (!g_ascii_isdigit(at[2]))
            continue;
        g_assert_cmpint(at[2] - '0', <=, level + 1);
        level = at[2] - '0';
    }
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (const char *at = html; (at = strstr(at, " id=\"")); at++) {
        const char *id = at + strlen(" id=\"");
        g_assert_true(g_hash_table_add(ids, g_strndup(id, strcspn(id, "\""))));
    }
    for (const char *at = html; (at = strstr(at, "href=\"#")); at++) {
        const char *id = at + strlen("href=\"#");
        g_autofree char *name = g_strndup(id, strcspn(id, "\""));
        g_assert_true(g_hash_table_contains(ids, name));
    }
}

/* Nothing comes from elsewhere: no address in what loads, and a policy that would stop it. */
static void assert_alone(const char *html)
{
    assert_has(html, "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'");
    g_assert_cmpuint(count(html, "<link "), ==, 1);
    assert_has(html, "<link rel=\"icon\" href=\"data:,\">");
    g_assert_cmpuint(count(html, " src=\""), ==, count(html, " src=\"data:image/jpeg;base64,"));
    g_assert_cmpuint(count(html, " href=\""), ==, count(html, " href=\"#") + 1);
    assert_lacks(html, "url(");
    assert_lacks(html, "@import");
    assert_lacks(html, "<iframe");
    assert_lacks(html, "<object");
    assert_lacks(html, "<form");
}

static void assert_accessible(const char *html)
{
    const guint n_tables = count(html, "<table>");
    g_assert_cmpuint(n_tables, >, 0);
    g_assert_cmpuint(count(html, "<caption>"), ==, n_tables);
    g_assert_cmpuint(count(html, "role=\"region\" tabindex=\"0\" aria-label=\"Table "), ==, n_tables);
    g_assert_cmpuint(count(html, "<figure>"), ==, count(html, "<figcaption>"));
    g_assert_cmpuint(count(html, "<svg "), ==,
                     count(html, "role=\"img\" aria-label=\"") + count(html, "\" aria-hidden=\"true\"><"));
    g_assert_cmpuint(count(html, "<img "), ==, count(html, " alt=\""));
    g_assert_cmpuint(count(html, "<h1 "), ==, 1);
    assert_lacks(html, "<th>");
}

static void assert_all(const char *html)
{
    assert_sound(html);
    assert_outline(html);
    assert_alone(html);
    assert_accessible(html);
}

/* --- Runs of all kinds --- */

static void test_sections(void)
{
    static const SupportResultsOptions cases[] = {
        { 0 },
        { .n_seeds = 5, .n_k = 3, .failed_cell = TRUE, .mixed_engines = TRUE },
        { .n_seeds = 5 },
        { .n_targets = 3, .no_sensitivities = TRUE, .no_gates = TRUE },
        { .n_seeds = 1 },
        { .n_seeds = 1, .failed_cell = TRUE },
        { .n_seeds = 2, .n_targets = 20, .no_gates = TRUE },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *html = report_with(&cases[i]), *again = report_with(&cases[i]);
        assert_all(html);
        g_assert_cmpstr(html, ==, again);
        const char *last = html;
        for (gsize s = 0; s < G_N_ELEMENTS(SECTIONS); s++) {
            g_autofree char *id = g_strdup_printf(" id=\"%s\">", SECTIONS[s]);
            const char *at = strstr(html, id);
            g_assert_true(at > last);
            last = at;
        }
        g_assert_cmpuint(count(html, " id=\"tops\">"), ==, cases[i].n_k > 1 ? 1 : 0);
    }
}

/* The figures are those of the results. */
static void test_figures(void)
{
    g_autoptr(AimfRunResults) results = support_results_new(NULL);
    g_autofree char *html = report_of(results);
    const AimfMeasures *before = results->averages[0].measures, *after = results->averages[1].measures;
    const AimfSeedStatistic *change = &results->averages[1].changes->scalars[1];
    g_autofree char *cells = g_strdup_printf("<td>%s</td><td>%s</td><td>%s</td><td>%s</td>",
                                             AIMF_PERCENT(before->scalars.worst_group_accuracy),
                                             AIMF_PERCENT(after->scalars.worst_group_accuracy),
                                             AIMF_POINTS(change->mean), AIMF_BETWEEN(change->over_pictures));
    assert_has(html, cells);
    for (int g = 0; g < before->n_targets * before->n_protected; g++) {
        g_autofree char *row =
            g_strdup_printf("<td>%s</td><td>%s</td><td>%s</td><td>%s</td>", AIMF_COUNT(before->groups[g].n),
                            AIMF_PERCENT(before->groups[g].accuracy), AIMF_PERCENT(after->groups[g].accuracy),
                            AIMF_POINTS(results->averages[1].changes->groups[g].mean));
        assert_has(html, row);
    }
    guint counts[2][2][2] = { 0 };
    for (guint s = 0; s < results->n_seeds; s++) {
        const AimfOutcomes *o = aimf_run_cell(results, 1, s)->outcomes;
        for (guint i = 0; i < o->n; i++)
            counts[o->group[i]][o->target[i]][o->prediction[i]]++;
    }
    for (int g = 0; g < 2; g++)
        for (int t = 0; t < 2; t++)
            for (int p = 0; p < 2; p++) {
                g_autofree char *cell = g_strdup_printf(">%s <span", AIMF_COUNT(counts[g][t][p]));
                assert_has(html, cell);
            }
    assert_has(html, results->cells[0].model_sha256);
    assert_has(html, results->sets[AIMF_SET_TEST].pictures_sha256);
    assert_has(html, "<code>worst_group_accuracy&gt;=0.7</code>");
    assert_has(html, "Of 62 tensors that is so for");
}

static AimfInterval from_to(double low, double high)
{
    return (AimfInterval){ low, high };
}

/* The sentence says no more than the interval does, and names who lost. */
static void test_finding(void)
{
    g_autoptr(AimfRunResults) results = support_results_new(NULL);
    AimfSeeds *changes = results->averages[1].changes;
    const guint odds = 4;
    for (guint g = 0; g < changes->n_groups; g++)
        changes->groups[g].mean = 0.01;
    changes->scalars[1].over_pictures = from_to(0.1, 0.3);
    changes->scalars[odds].over_pictures = from_to(-0.3, -0.1);
    g_autofree char *better = report_of(results);
    assert_has(better, "the accuracy of the worst group rose from <strong>");
    assert_has(better, "the gap of equalized odds fell from <strong>");
    assert_has(better, "; no group lost accuracy.</p>");
    changes->scalars[1].over_pictures = from_to(-0.1, 0.3);
    changes->scalars[odds].over_pictures = from_to(0.1, 0.2);
    changes->groups[2].mean = -0.05;
    changes->groups[2].over_pictures = from_to(-0.09, -0.01);
    changes->groups[1].mean = -0.02;
    changes->groups[1].over_pictures = from_to(-0.05, 0.01);
    g_autofree char *worse = report_of(results);
    assert_has(worse, "which is not told apart from no change (change ");
    assert_has(worse, "the gap of equalized odds rose from <strong>");
    assert_has(worse,
               "; 2 of 4 groups lost accuracy: smiling, female (−5.0 points); not smiling, male (−2.0 points, not "
               "told apart from none).</p>");
    changes->scalars[1].over_pictures = from_to(NAN, NAN);
    g_autofree char *unknown = report_of(results);
    assert_has(unknown, ", for which there is no interval");
}

static void test_failures(void)
{
    static const SupportResultsOptions failed = { .failed_cell = TRUE, .mixed_engines = TRUE };
    g_autofree char *html = report_with(&failed), *sound = report_with(NULL);
    assert_has(html, "1 training failed and is left out of all figures");
    assert_has(html, "<li>AIM-Fair, seed 2: the loss of epoch 3, batch 17 is not finite</li>");
    assert_has(html, "were not all made alike");
    assert_has(html, "oneDNN 2.6.3, AVX2; oneDNN 2.6.3, AVX-512");
    assert_lacks(sound, "class=\"notice\"");
}

/* No verdict is not the same as no demand. */
static void test_demands(void)
{
    static const SupportResultsOptions failed = { .n_seeds = 1, .failed_cell = TRUE }, none = { .no_gates = TRUE };
    g_autofree char *html = report_with(&failed), *unbound = report_with(&none), *judged = report_with(NULL);
    assert_has(html, "not enough evidence</span>, since no seed could be judged: every one failed.");
    assert_lacks(html, "Nothing was demanded");
    assert_has(unbound, "Nothing was demanded of this run.");
    assert_lacks(judged, "Nothing was demanded");
    assert_lacks(judged, "no seed could be judged");
}

static void test_hostile(void)
{
    static const SupportResultsOptions options = { .n_seeds = 2, .failed_cell = TRUE, .hostile = HOSTILE };
    g_autoptr(AimfRunResults) results = support_results_new(&options);
    g_autoptr(GError) error = NULL;
    g_assert_true(aimf_config_set(results->config, "title=</pre><script>alert(3)</script>", &error));
    g_assert_no_error(error);
    for (guint m = 0; m < results->n_methods; m++) {
        g_free(results->methods[m].title);
        results->methods[m].title = g_strdup(m % 2 ? INVALID : HOSTILE);
    }
    for (guint s = 0; s < results->n_seeds; s++) {
        g_free(results->sensitivities[s]->tensors[0].name);
        results->sensitivities[s]->tensors[0].name = g_strdup(HOSTILE);
    }
    g_free(results->program);
    results->program = g_strdup(INVALID);
    g_free(results->cells[0].engine);
    results->cells[0].engine = g_strdup(INVALID);
    g_free(results->sets[0].path);
    results->sets[0].path = g_strdup(HOSTILE);
    g_autofree char *html = report_of(results);
    assert_all(html);
    assert_lacks(html, "<script");
    assert_lacks(html, "<img");
    assert_lacks(html, "\x1b");
    assert_lacks(html, "\xe2\x80\xae");
    assert_has(html, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;amp;");
    assert_has(html, "&lt;/pre&gt;&lt;script&gt;alert(3)");
}

/* --- What may be missing --- */

static void strip_cell(AimfRunCell *cell)
{
    g_clear_pointer(&cell->history, g_array_unref);
    g_clear_pointer(&cell->start, g_free);
    g_clear_pointer(&cell->trained, g_strfreev);
    g_clear_pointer(&cell->model_sha256, g_free);
    g_clear_pointer(&cell->engine, g_free);
    g_clear_pointer(&cell->instruction_set, g_free);
    g_clear_pointer(&cell->test_engine, g_free);
    g_clear_pointer(&cell->test_instruction_set, g_free);
    for (guint i = 0; i < cell->outcomes->n; i++)
        g_free(cell->outcomes->paths[i]);
    g_clear_pointer(&cell->outcomes->paths, g_free);
}

/* Whatever is of one seed is of the first that came to something, in the report as elsewhere. */
static void test_first_seed(void)
{
    g_autoptr(AimfRunResults) results = support_results_new(NULL);
    AimfRunCell *first = &results->cells[results->n_seeds];
    guint seed = 0;
    g_assert_cmpuint(aimf_run_first_seed(results, 1), ==, 0);
    g_assert_true(aimf_report_cell(results, 1, &seed) == first && seed == 0);
    g_clear_pointer(&first->measures, aimf_measures_free);
    g_assert_cmpuint(aimf_run_first_seed(results, 1), ==, 1);
    g_assert_true(aimf_report_cell(results, 1, &seed) == first + 1 && seed == 1);
    g_assert_null(aimf_report_cell(results, results->n_methods, NULL));
    for (guint s = 1; s < results->n_seeds; s++)
        g_clear_pointer(&first[s].measures, aimf_measures_free);
    g_assert_cmpuint(aimf_run_first_seed(results, 1), ==, results->n_seeds);
    g_assert_null(aimf_report_cell(results, 1, &seed));
}

/* Why there is no annex A is said as it is. */
static void test_no_impact(void)
{
    static const SupportResultsOptions cases[] = { { .n_seeds = 1 }, { .n_targets = 3, .no_gates = TRUE } };
    static const char *const why[] = { "no column was asked for", "there is no positive class" };
    for (gsize c = 0; c < G_N_ELEMENTS(cases); c++) {
        g_autoptr(AimfRunResults) results = support_results_new(&cases[c]);
        g_autofree char *expected = g_strdup_printf("Selection rates were not measured: %s.", why[c]);
        for (guint m = 0; m < results->n_methods; m++)
            g_clear_pointer(&results->impact[m], aimf_impact_free);
        g_autofree char *lost = report_of(results);
        g_assert_true((strstr(lost, "could not be joined to the test set") != NULL) == (c == 0));
        g_assert_true(c || aimf_config_set(results->config, "evaluate.impact=[]", NULL));
        g_autofree char *html = report_of(results);
        assert_has(html, expected);
    }
}

static void test_bare(void)
{
    g_autoptr(AimfRunResults) results = support_results_new(NULL);
    for (guint i = 0; i < results->n_methods * results->n_seeds; i++)
        strip_cell(&results->cells[i]);
    for (guint i = 0; i < AIMF_N_SETS; i++) {
        g_clear_pointer(&results->sets[i].manifest, aimf_manifest_free);
        g_clear_pointer(&results->sets[i].sha256, g_free);
        g_clear_pointer(&results->sets[i].pictures_sha256, g_free);
    }
    for (guint m = 0; m < results->n_methods; m++) {
        g_clear_pointer(&results->impact[m], aimf_impact_free);
        g_clear_pointer(&results->averages[m].spread, aimf_seeds_free);
        g_clear_pointer(&results->averages[m].changes, aimf_seeds_free);
    }
    g_clear_pointer(&results->sensitivities[0], aimf_sensitivities_free);
    g_clear_pointer(&results->verdicts, aimf_verdicts_free);
    g_clear_pointer(&results->config, aimf_config_free);
    g_clear_pointer(&results->classes, g_strfreev);
    g_clear_pointer(&results->title, g_free);
    g_clear_pointer(&results->target, g_free);
    g_clear_pointer(&results->program, g_free);
    g_autofree char *html = report_of(results);
    assert_all(html);
    assert_has(html, "no training is known");
    assert_has(html, "This run has no synthetic pictures.");
    assert_has(html, "The run names no sets.");
    assert_has(html, "Selection rates were not measured");
    assert_has(html, "The configuration is not known.");
    assert_has(html, "A run without a title");
    assert_has(html, "1, male");
}

/* Nobody has to know what 0 and 1 are. */
static void test_names(void)
{
    g_autoptr(AimfRunResults) results = support_results_new(&(SupportResultsOptions){ .utkface = TRUE });
    g_autofree char *html = report_of(results), *card = aimf_results_card(results);
    const char *const texts[] = { html, card };
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        assert_has(texts[i], "smiling, White");
        assert_has(texts[i], "smiling, not White");
        assert_lacks(texts[i], "smiling, 0");
        assert_lacks(texts[i], "smiling, 1");
    }
    const char *annex = strstr(html, "<h2 id=\"impact\"");
    g_assert_nonnull(annex);
    assert_has(annex, "<tr><th scope=\"row\">White</th>");
    assert_has(annex, "<tr><th scope=\"row\">not White</th>");
    assert_lacks(annex, "<th scope=\"row\">0</th>");
    assert_lacks(annex, "<th scope=\"row\">1</th>");
    assert_has(card, "alone: not White, White. Other");
    assert_has(card, "| training | smiling | not White | ");
    g_assert_cmpstr(aimf_run_label_name(results, "2"), ==, "2");
}

/* Nothing at all came out of it. */
static void test_empty(void)
{
    g_autoptr(AimfConfig) config = aimf_config_new();
    char *labels[] = { NULL };
    AimfRunResults results = { .config = config, .labels = labels };
    const AimfRunResults *all[] = { &results, &results };
    g_autofree char *html = report_of(&results);
    g_autofree char *several = aimf_report_html(all, 2, NULL);
    assert_sound(html);
    assert_outline(html);
    assert_alone(html);
    assert_sound(several);
    assert_outline(several);
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_report_html(all, 0, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
}

static void test_unknown_numbers(void)
{
    g_autoptr(AimfRunResults) results = support_results_new(NULL);
    for (guint m = 0; m < results->n_methods; m++) {
        AimfMeasures *measures = results->averages[m].measures;
        for (gsize i = 0; i < AIMF_N_SCALARS; i++)
            ((double *)(void *)&measures->scalars)[i] = i % 3 ? NAN : i % 2 ? INFINITY : 0;
        measures->groups[0].n = 0;
        measures->groups[0].accuracy = NAN;
    }
    AimfSeeds *changes = results->averages[1].changes;
    changes->groups[0] = (AimfSeedStatistic){ NAN, NAN, from_to(NAN, NAN), from_to(NAN, NAN), from_to(NAN, NAN), NAN };
    AimfSensitivity *tensors = results->sensitivities[0]->tensors;
    tensors[0].domain = tensors[1].bias = 0;
    tensors[2].domain = INFINITY;
    tensors[3].bias = NAN;
    for (guint i = 0; i < results->n_seeds; i++)
        for (guint e = 0; e < 3; e++) {
            AimfEpoch *epoch = &g_array_index(results->cells[i].history, AimfEpoch, e);
            epoch->loss = INFINITY;
            epoch->val_worst_group_accuracy = NAN;
        }
    g_autofree char *html = report_of(results);
    assert_all(html);
    assert_has(html, "no pictures</span>");
    assert_has(html, "1 group has no pictures, and nothing is known about it");
}

/* Many groups, tensors, epochs and seeds make a page that is long, and not endless. */
static void test_much(void)
{
    static const SupportResultsOptions options = { .n_seeds = 30, .no_gates = TRUE };
    g_autoptr(AimfRunResults) results = support_results_new(&options);
    GArray *history = results->cells[0].history;
    const AimfEpoch epoch = g_array_index(history, AimfEpoch, 3);
    for (guint i = 0; i < 20000; i++)
        g_array_append_val(history, epoch);
    g_autofree char *html = report_of(results);
    assert_all(html);
    g_assert_cmpuint(strlen(html), <, 2000000);
    assert_has(html, "Further seeds are not drawn.");
}

/* --- Pictures --- */

static void fill(AimfImage *image, guint8 value)
{
    memset(image->data, value, (gsize)image->width * (gsize)image->height * 3);
}

/* (owned) @n pictures in @folder, some of them not there, of two classes and labels. */
static AimfManifest *save_pictures(const char *folder, guint n)
{
    g_autoptr(GError) error = NULL;
    AimfManifest *manifest = aimf_manifest_new();
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("%03u.png", i), *path = g_build_filename(folder, name, NULL);
        g_autoptr(AimfImage) image = aimf_image_new(300, 200, &error);
        g_assert_no_error(error);
        fill(image, (guint8)(i * 3));
        g_assert_true(i % 10 == 9 || aimf_image_save(image, path, &error));
        aimf_manifest_add(manifest, path, (int)(i % 2), i % 4 < 2 ? "female" : "male");
        aimf_manifest_set(manifest, i, "prompt", HOSTILE);
    }
    return manifest;
}

static void remove_pictures(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_dir_close(dir);
    g_rmdir(folder);
}

static void test_synthetic(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("aimfair-report-XXXXXX", NULL);
    g_autoptr(AimfRunResults) results = support_results_new(NULL);
    aimf_manifest_free(results->sets[AIMF_SET_BALANCED].manifest);
    results->sets[AIMF_SET_BALANCED].manifest = save_pictures(folder, 40);
    g_assert_true(aimf_config_set(results->config, "report.examples=5", &error));
    g_autofree char *html = report_of(results);
    assert_all(html);
    /* Of each group the first 5; every tenth picture is missing, so the last of one group, and of another. */
    g_assert_cmpuint(count(html, "src=\"data:image/jpeg;base64,"), ==, 18);
    g_assert_cmpuint(count(html, "1 more could not be read."), ==, 2);
    assert_has(html, "width=\"112\" height=\"75\" alt=\"synthetic picture 1 of not smiling, female\"");
    assert_has(html, "private and not shown");
    assert_lacks(html, folder);
    remove_pictures(folder);
}

static void use_photographs(AimfRunResults *results, const char *folder)
{
    AimfRunSet *test = &results->sets[AIMF_SET_TEST];
    const guint n = aimf_manifest_count(test->manifest);
    g_autoptr(AimfManifest) pictures = save_pictures(folder, 20);
    AimfManifest *moved = aimf_manifest_new();
    for (guint i = 0; i < n; i++) {
        const AimfSample sample = aimf_manifest_at(test->manifest, i);
        aimf_manifest_add(moved, aimf_manifest_at(pictures, i % 9).path, sample.target, sample.protected_label);
    }
    for (guint c = 0; c < results->n_methods * results->n_seeds; c++)
        for (guint i = 0; i < n; i++) {
            g_free(results->cells[c].outcomes->paths[i]);
            results->cells[c].outcomes->paths[i] = g_strdup(aimf_manifest_at(moved, i).path);
        }
    aimf_manifest_free(test->manifest);
    test->manifest = moved;
}

static void test_photographs(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("aimfair-report-XXXXXX", NULL);
    for (int n_targets = 2; n_targets <= 3; n_targets++) {
        const SupportResultsOptions options = { .n_targets = n_targets, .no_gates = n_targets > 2 };
        g_autoptr(AimfRunResults) results = support_results_new(&options);
        use_photographs(results, folder);
        g_autofree char *private = report_of(results);
        g_assert_cmpuint(count(private, "<img "), ==, 0);
        g_assert_true(aimf_config_set(results->config, "report.pictures=true", &error));
        g_assert_true(aimf_config_set(results->config, "report.examples=4", &error));
        g_autofree char *html = report_of(results);
        assert_all(html);
        const AimfComparison *c = results->cells[results->n_seeds].comparison;
        guint n_wrong = 0;
        for (guint i = 0; i < c->n; i++)
            n_wrong += c->predicted_after[i] != c->target[i] ? 1 : 0;
        g_assert_cmpuint(count(html, "<img "), ==, MIN(c->lost, 4U) + MIN(c->won, 4U) + MIN(n_wrong, 4U));
        assert_lacks(html, folder);
        g_assert_true(aimf_config_set(results->config, "report.pictures=false", &error));
    }
    remove_pictures(folder);
}

/* --- Several runs --- */

static void test_several(void)
{
    static const SupportResultsOptions options[] = { { 0 }, { .n_seeds = 1 }, { .n_targets = 3, .no_gates = TRUE } };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfRunResults) one = support_results_new(&options[0]);
    g_autoptr(AimfRunResults) two = support_results_new(&options[1]);
    g_autoptr(AimfRunResults) three = support_results_new(&options[2]);
    const AimfRunResults *all[] = { one, two, three };
    g_assert_true(aimf_config_set(two->config, "train.epochs=7", &error));
    g_free(three->sets[AIMF_SET_TEST].pictures_sha256);
    three->sets[AIMF_SET_TEST].pictures_sha256 = g_strdup("another");
    g_autofree char *html = aimf_report_html(all, 3, &error), *pair = aimf_report_html(all, 2, &error);
    assert_all(html);
    assert_all(pair);
    assert_has(html, "<h1 id=\"finding\">3 runs side by side</h1>");
    assert_has(html, "not all measured on the same test pictures");
    assert_has(pair, "All runs were measured on the same test pictures.");
    assert_has(pair, "<code>train.epochs</code></th><td class=\"left\">15</td><td class=\"left\">7</td>");
    assert_lacks(pair, "<code>train.batch</code></th>");
    g_assert_cmpuint(count(html, "<h2 id=\"run-"), ==, 3);
    g_autofree char *row = g_strdup_printf(
        "<td>%s</td><td>%s</td><td>%s</td>", AIMF_PERCENT(two->averages[0].measures->scalars.accuracy),
        AIMF_PERCENT(two->averages[1].measures->scalars.accuracy), AIMF_POINTS(two->cells[1].comparison->changes[0]));
    assert_has(pair, row);
}

/* --- Words and numbers --- */

static void test_texts(void)
{
    g_assert_cmpstr(AIMF_PERCENT(0.8125), ==, "81.25");
    g_assert_cmpstr(AIMF_POINTS(0.1), ==, "+10.00");
    g_assert_cmpstr(AIMF_POINTS(-0.1), ==, "−10.00");
    g_assert_cmpstr(AIMF_POINTS(-1e-9), ==, "0.00");
    g_assert_cmpstr(AIMF_PERCENT(NAN), ==, "–");
    g_assert_cmpstr(AIMF_BETWEEN(from_to(-0.01, 0.5)), ==, "−1.00 to +50.00");
    g_assert_cmpstr(AIMF_BETWEEN(from_to(NAN, 0.5)), ==, "–");
    g_assert_cmpstr(AIMF_COUNT(9999), ==, "9999");
    g_assert_cmpstr(AIMF_COUNT(1234567), ==, "1\u202F234\u202F567");
    g_assert_cmpstr(AIMF_XY(12.5), ==, "12.5");
    g_assert_cmpstr(AIMF_XY(-0.001), ==, "0");
    g_assert_cmpstr(AIMF_XY(100), ==, "100");
    g_assert_cmpstr(AIMF_XY(NAN), ==, "0");
    g_assert_cmpstr(AIMF_HTML(NULL), ==, "");
    g_assert_cmpstr(AIMF_HTML("a<b\n\"c\""), ==, "a&lt;b &quot;c&quot;");
    g_assert_cmpstr(AIMF_HTML_FIT("abcdef", 6), ==, "abcdef");
    g_assert_cmpstr(AIMF_HTML_FIT("abcdef", 5), ==, "abcd…");
    g_assert_cmpstr(AIMF_HTML_FIT("日本語", 5), ==, "日本…");
    g_assert_cmpstr(AIMF_HTML("\xe2\x80"), ==, "\uFFFD\uFFFD");
    g_autofree char *long_text = g_strnfill(100000, '<');
    g_assert_cmpuint(strlen(AIMF_HTML(long_text)), <, AIMF_HTML_BYTES);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/sections", test_sections);
    g_test_add_func("/report/figures", test_figures);
    g_test_add_func("/report/finding", test_finding);
    g_test_add_func("/report/failures", test_failures);
    g_test_add_func("/report/demands", test_demands);
    g_test_add_func("/report/hostile", test_hostile);
    g_test_add_func("/report/first-seed", test_first_seed);
    g_test_add_func("/report/no-impact", test_no_impact);
    g_test_add_func("/report/bare", test_bare);
    g_test_add_func("/report/names", test_names);
    g_test_add_func("/report/empty", test_empty);
    g_test_add_func("/report/unknown-numbers", test_unknown_numbers);
    g_test_add_func("/report/much", test_much);
    g_test_add_func("/report/synthetic", test_synthetic);
    g_test_add_func("/report/photographs", test_photographs);
    g_test_add_func("/report/several", test_several);
    g_test_add_func("/report/texts", test_texts);
    return g_test_run();
}
