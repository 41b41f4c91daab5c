/* Pictures: examples of the synthetic ones, and photographs where they were asked for. */
#include "run/report_sections.h"

#include "base/file.h"
#include "image/formats.h"
#include "run/joined_rows.h"

enum { SIDE = 112, MOST_PICTURES = 288, MOST_GROUPS = 40, QUALITY = 85, DEFAULT_EXAMPLES = 12 };

static guint examples_of(const AimfRunResults *results)
{
    const gint64 n =
        results->config ? aimf_config_integer(results->config, AIMF_KEY_REPORT_EXAMPLES) : DEFAULT_EXAMPLES;
    return (guint)CLAMP(n, 1, 36);
}

/* (owned, nullable) a small JPEG of the picture @path: nothing that a file says beside its pixels gets into it. */
static GBytes *shrink(const char *path, int *width, int *height, GError **error)
{
    g_autoptr(AimfImage) image = aimf_image_open(path, error);
    if (!image)
        return NULL;
    const int longer = MAX(image->width, image->height);
    const double scale = longer > SIDE ? (double)SIDE / longer : 1;
    *width = MAX(1, (int)(image->width * scale + 0.5));
    *height = MAX(1, (int)(image->height * scale + 0.5));
    g_autoptr(AimfImage) small = aimf_image_resize(image, NULL, *width, *height, AIMF_BICUBIC, error);
    return small ? aimf_jpeg_encode_at(small, QUALITY, error) : NULL;
}

/* FALSE if the picture cannot be read: what is another person's and shut is as good as elsewhere. */
static gboolean put_picture(AimfHtml *html, const char *path, const char *alt, const char *tip)
{
    int width, height;
    GError *failure = NULL;
    g_autoptr(GBytes) bytes = html->failure ? NULL : shrink(path, &width, &height, &failure);
    if (!bytes) {
        if (aimf_is_fault(failure) && !aimf_path_forbidden(path))
            html->failure = failure;
        else
            g_clear_error(&failure);
        return FALSE;
    }
    gsize n;
    const void *data = g_bytes_get_data(bytes, &n);
    g_autofree char *text = g_base64_encode(data, n);
    aimf_html_put(html, "<li><img width=\"%d\" height=\"%d\" alt=\"%s\"", width, height, AIMF_HTML(alt));
    if (tip && *tip)
        aimf_html_put(html, " title=\"%s\"", AIMF_HTML(tip));
    g_string_append(html->text, " src=\"data:image/jpeg;base64,");
    g_string_append(html->text, text);
    g_string_append(html->text, "\">");
    return TRUE;
}

/* --- Synthetic pictures --- */

static void put_group(AimfHtml *html, const AimfRunResults *results, const AimfManifest *manifest, int target,
                      int group, guint most)
{
    guint shown = 0, unreadable = 0, n_labels;
    const char *const *labels = aimf_manifest_groups(manifest, &n_labels);
    g_autofree char *class_name = aimf_report_class(results, target);
    g_autofree char *name = g_strconcat(class_name, ", ", aimf_run_label_name(results, labels[group]), NULL);
    aimf_html_heading(html, name);
    aimf_html_put(html, "<ul class=\"pictures\">\n");
    for (guint i = 0; i < aimf_manifest_count(manifest) && shown + unreadable < most; i++) {
        const AimfSample sample = aimf_manifest_at(manifest, i);
        if (sample.target != target || sample.group != group)
            continue;
        g_autofree char *alt = g_strdup_printf("synthetic picture %u of %s", shown + 1, name);
        if (put_picture(html, sample.path, alt, aimf_manifest_get(manifest, i, "prompt"))) {
            aimf_html_put(html, "</li>\n");
            shown++;
        } else {
            unreadable++;
        }
    }
    if (!shown)
        aimf_html_put(html, "<li class=\"small\">none that can be read</li>\n");
    aimf_html_put(html, "</ul>\n");
    if (unreadable && shown)
        aimf_html_put(html, "<p class=\"note\">%u more could not be read.</p>\n", unreadable);
}

static void put_sheet(AimfHtml *html, const AimfRunResults *results, const AimfManifest *manifest)
{
    guint n_labels, n_groups = 0, n_put = 0;
    const int n_targets = aimf_manifest_classes(manifest);
    g_autofree guint *counts = aimf_manifest_counts(manifest);
    aimf_manifest_groups(manifest, &n_labels);
    for (guint i = 0; i < (guint)n_targets * n_labels; i++)
        n_groups += counts[i] != 0;
    const guint most = CLAMP(MOST_PICTURES / MAX(1U, n_groups), 1U, examples_of(results));
    aimf_html_put(html,
                  "<p>The first %u of each group of the balanced set, made small. They are no photographs of "
                  "people.</p>\n",
                  most);
    for (int t = 0; t < n_targets; t++)
        for (guint g = 0; g < n_labels && n_put < MOST_GROUPS; g++)
            if (counts[(guint)t * n_labels + g]) {
                put_group(html, results, manifest, t, (int)g, most);
                n_put++;
            }
    if (n_put < n_groups)
        aimf_html_missing(html, "Further groups are not shown.");
}

void aimf_report_synthetic(AimfHtml *html, const AimfRunResults *results)
{
    const AimfManifest *manifest = results->sets[AIMF_SET_BALANCED].manifest;
    aimf_html_section(html, "synthetic", "Synthetic pictures");
    if (manifest && aimf_manifest_count(manifest) && aimf_manifest_has_targets(manifest))
        put_sheet(html, results, manifest);
    else
        aimf_html_missing(html, "This run has no synthetic pictures.");
    aimf_html_section_end(html);
}

/* --- Photographs --- */

/* (owned) "smiling → not smiling" */
static char *answer_words(const AimfRunResults *results, const AimfRunCell *cell, guint i)
{
    g_autofree char *before = aimf_report_class(results, cell->comparison->predicted_before[i]);
    g_autofree char *after = aimf_report_class(results, cell->outcomes->prediction[i]);
    return g_strconcat(before, " → ", after, NULL);
}

/* Up to @most of rows @rows (n), in their order. @joined: (nullable) what the rows are of the test set */
static void put_photographs(AimfHtml *html, const AimfRunResults *results, const AimfRunCell *cell,
                            const guint32 *joined, const guint *rows, guint n, guint most)
{
    const AimfManifest *test = results->sets[AIMF_SET_TEST].manifest;
    guint shown = 0;
    aimf_html_put(html, "<ul class=\"pictures\">\n");
    for (guint r = 0; r < n && shown < most; r++) {
        const guint i = rows[r];
        const char *path = joined ? aimf_manifest_at(test, joined[i]).path : NULL;
        g_autofree char *group = aimf_report_group(results, cell->outcomes->target[i], cell->outcomes->group[i]);
        g_autofree char *words = answer_words(results, cell, i);
        g_autofree char *alt = g_strconcat("photograph of ", group, NULL);
        if (!path || !put_picture(html, path, alt, NULL))
            continue;
        aimf_html_put(html, "<p class=\"words\">%s<br>%s</p></li>\n", AIMF_HTML(group), AIMF_HTML(words));
        shown++;
    }
    if (!shown)
        aimf_html_put(html, "<li class=\"small\">none%s</li>\n", n ? " that can be read" : "");
    aimf_html_put(html, "</ul>\n");
    if (shown && n > shown)
        aimf_html_put(html, "<p class=\"note\">%u of %u.</p>\n", shown, n);
}

/* How sure of its answer the model was; NaN where it said only a class. */
static double certainty(const AimfOutcomes *o, guint i)
{
    if (o->class_probability)
        return o->class_probability[i * (guint)o->n_targets + (guint)o->prediction[i]];
    if (!o->probability)
        return NAN;
    return o->prediction[i] ? o->probability[i] : 1 - o->probability[i];
}

static int by_certainty(gconstpointer a, gconstpointer b, gpointer data)
{
    const guint one = *(const guint *)a, other = *(const guint *)b;
    const double first = certainty(data, one), second = certainty(data, other);
    return first != second ? (first > second ? -1 : 1) : one < other ? -1 : one > other;
}

/* @before < 0: wrong after, whatever it was before. The comparison has the rows of the outcomes, in their order. */
static guint rows_where(const AimfRunCell *cell, int before, gboolean after, guint *rows)
{
    const AimfComparison *c = cell->comparison;
    guint n = 0;
    for (guint i = 0; i < MIN(c->n, cell->outcomes->n); i++)
        if ((before < 0 || (c->predicted_before[i] == c->target[i]) == (before == 1)) &&
            (c->predicted_after[i] == c->target[i]) == after)
            rows[n++] = i;
    return n;
}

/* A comparison keeps the order before; where that after is another one, its rows cannot be looked up. */
static gboolean same_rows(const AimfRunCell *cell)
{
    const AimfComparison *c = cell->comparison;
    gboolean same = c->n == cell->outcomes->n && cell->outcomes->paths;
    for (guint i = 0; same && i < c->n; i++)
        same = c->predicted_after[i] == cell->outcomes->prediction[i] && c->target[i] == cell->outcomes->target[i];
    return same;
}

static void put_disagreements(AimfHtml *html, const AimfRunResults *results, const AimfRunCell *cell, guint seed)
{
    const guint most = examples_of(results);
    const AimfManifest *test = results->sets[AIMF_SET_TEST].manifest;
    g_autofree guint32 *joined = test ? aimf_run_join_rows(cell->outcomes, test, NULL) : NULL;
    g_autofree guint *rows = g_new(guint, cell->comparison->n + 1);
    aimf_html_put(html,
                  "<p>Of the first test pictures in the set’s order, with seed %" G_GUINT64_FORMAT ". Below each: "
                  "class and label, then what was predicted before and after.</p>\n",
                  results->seeds[seed]);
    guint n = rows_where(cell, 1, FALSE, rows);
    aimf_html_heading(html, "Lost: right before, wrong after");
    put_photographs(html, results, cell, joined, rows, n, most);
    n = rows_where(cell, 0, TRUE, rows);
    aimf_html_heading(html, "Won: wrong before, right after");
    put_photographs(html, results, cell, joined, rows, n, most);
    n = rows_where(cell, -1, FALSE, rows);
    aimf_html_heading(html, "Worst remaining errors: wrong with the highest probability");
    if (n && isnan(certainty(cell->outcomes, rows[0]))) {
        aimf_html_missing(html, "The predictions have no probabilities.");
        return;
    }
    g_qsort_with_data(rows, (gint)n, sizeof *rows, by_certainty, cell->outcomes);
    put_photographs(html, results, cell, joined, rows, n, most);
}

void aimf_report_photographs(AimfHtml *html, const AimfRunResults *results)
{
    guint seed = 0;
    const AimfRunCell *cell = results->n_methods > 1 ? aimf_report_cell(results, 1, &seed) : NULL;
    aimf_html_section(html, "photographs", "Photographs that changed sides");
    if (!results->config || !aimf_config_boolean(results->config, AIMF_KEY_REPORT_PICTURES))
        aimf_html_missing(html, "Photographs of the data are private and not shown unless <code>report.pictures</code> "
                                "asks for them.");
    else if (!cell || !cell->comparison)
        aimf_html_missing(html, "Nothing was compared.");
    else if (!same_rows(cell))
        aimf_html_missing(html, "The predictions do not say which pictures they are of.");
    else
        put_disagreements(html, results, cell, seed);
    aimf_html_section_end(html);
}
