/* What a result rests on: sets with their counts and hashes, the configuration, the machines' programs. */
#include "run/report_sections.h"

#include <string.h>

enum { MOST_ROWS = 240, MOST_CONFIGURATION = 200000 };

/* --- Counts --- */

static int by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* (owned) the labels of all sets, sorted. */
static GPtrArray *all_labels(const AimfRunResults *results)
{
    GPtrArray *labels = g_ptr_array_new();
    for (guint s = 0; s < AIMF_N_SETS; s++) {
        guint n = 0;
        const char *const *of_set =
            results->sets[s].manifest ? aimf_manifest_groups(results->sets[s].manifest, &n) : NULL;
        for (guint i = 0; i < n; i++)
            if (!g_ptr_array_find_with_equal_func(labels, of_set[i], g_str_equal, NULL))
                g_ptr_array_add(labels, (gpointer)of_set[i]);
    }
    g_ptr_array_sort(labels, by_text);
    return labels;
}

/* AimfSetCounts: @by_group: (targets, labels) owned, nullable; @label: (all labels) that of the set, or -1 */
typedef struct {
    guint *by_group;
    int n_targets;
    guint n_labels;
    int *label;
    guint n;
} AimfSetCounts;

static void count_set(const AimfManifest *manifest, const GPtrArray *labels, AimfSetCounts *counts)
{
    *counts = (AimfSetCounts){ .label = g_new(int, labels->len + 1) };
    for (guint i = 0; i < labels->len; i++)
        counts->label[i] = -1;
    if (!manifest)
        return;
    const char *const *of_set = aimf_manifest_groups(manifest, &counts->n_labels);
    counts->n = aimf_manifest_count(manifest);
    counts->n_targets = aimf_manifest_classes(manifest);
    counts->by_group = counts->n_targets ? aimf_manifest_counts(manifest) : NULL;
    for (guint i = 0; i < labels->len; i++)
        for (guint k = 0; k < counts->n_labels; k++)
            if (strcmp(labels->pdata[i], of_set[k]) == 0)
                counts->label[i] = (int)k;
}

static guint count_at(const AimfSetCounts *counts, int target, guint label)
{
    if (!counts->by_group || target >= counts->n_targets || counts->label[label] < 0)
        return 0;
    return counts->by_group[(guint)target * counts->n_labels + (guint)counts->label[label]];
}

static void put_count_head(AimfHtml *html, const AimfRunResults *results)
{
    aimf_html_put(html, "<thead><tr><th class=\"left\" scope=\"col\">Class and label</th>");
    for (guint s = 0; s < AIMF_N_SETS; s++)
        if (results->sets[s].manifest)
            aimf_html_put(html, "<th scope=\"col\">%s</th>", AIMF_HTML(results->sets[s].name));
    aimf_html_put(html, "</tr></thead>\n<tbody>\n");
}

static void put_count_row(AimfHtml *html, const AimfRunResults *results, const AimfSetCounts *counts, int target,
                          guint label, const char *label_text)
{
    g_autofree char *class_name = aimf_report_class(results, target);
    aimf_html_put(html, "<tr><th scope=\"row\">%s, %s</th>", AIMF_HTML(class_name),
                  AIMF_HTML(aimf_run_label_name(results, label_text)));
    for (guint s = 0; s < AIMF_N_SETS; s++) {
        const guint n = count_at(&counts[s], target, label);
        if (!results->sets[s].manifest)
            continue;
        if (n)
            aimf_html_put(html, "<td>%s <span class=\"small\">%s&nbsp;%%</span></td>", AIMF_COUNT(n),
                          AIMF_PERCENT_SHORT((double)n / counts[s].n));
        else
            aimf_html_put(html, "<td class=\"apart\">0</td>");
    }
    aimf_html_put(html, "</tr>\n");
}

static void put_counts(AimfHtml *html, const AimfRunResults *results)
{
    g_autoptr(GPtrArray) labels = all_labels(results);
    AimfSetCounts counts[AIMF_N_SETS];
    int n_targets = 0;
    guint n_rows = 0;
    for (guint s = 0; s < AIMF_N_SETS; s++) {
        count_set(results->sets[s].manifest, labels, &counts[s]);
        n_targets = MAX(n_targets, counts[s].n_targets);
    }
    aimf_html_table(html, "", "Pictures of each set by class and protected label, and their share of the set.");
    put_count_head(html, results);
    for (int t = 0; t < n_targets; t++)
        for (guint i = 0; i < labels->len && n_rows < MOST_ROWS; i++, n_rows++)
            put_count_row(html, results, counts, t, i, labels->pdata[i]);
    aimf_html_put(html, "</tbody>\n<tfoot><tr><th scope=\"row\">All</th>");
    for (guint s = 0; s < AIMF_N_SETS; s++)
        if (results->sets[s].manifest)
            aimf_html_put(html, "<td>%s</td>", AIMF_COUNT(counts[s].n));
    aimf_html_put(html, "</tr></tfoot>\n");
    aimf_html_table_end(html);
    if (n_rows == MOST_ROWS)
        aimf_html_missing(html, "Further groups are left out; the sets’ manifests have them.");
    for (guint s = 0; s < AIMF_N_SETS; s++) {
        g_free(counts[s].by_group);
        g_free(counts[s].label);
    }
}

/* --- Files --- */

static void put_hash(AimfHtml *html, const char *hash)
{
    if (hash)
        aimf_html_put(html, "<td class=\"hash\"><code class=\"hash\">%s</code></td>", AIMF_HTML(hash));
    else
        aimf_html_put(html, "<td class=\"left\">–</td>");
}

static void put_files(AimfHtml *html, const AimfRunResults *results)
{
    guint n_dropped = 0;
    aimf_html_table(html, "", "SHA-256 of each set’s manifest, and of its pictures in their order.");
    aimf_html_put(html,
                  "<thead><tr><th class=\"left\" scope=\"col\">Set</th><th class=\"left\" scope=\"col\">Manifest</th>"
                  "<th class=\"left\" scope=\"col\">Hash of the manifest</th><th class=\"left\" "
                  "scope=\"col\">Hash of the pictures</th></tr></thead>\n<tbody>\n");
    for (guint s = 0; s < AIMF_N_SETS; s++) {
        const AimfRunSet *set = &results->sets[s];
        if (!set->manifest)
            continue;
        n_dropped += aimf_manifest_n_dropped(set->manifest);
        aimf_html_put(html, "<tr><th scope=\"row\">%s</th><td class=\"left\">%s</td>", AIMF_HTML(set->name),
                      AIMF_HTML(set->path));
        put_hash(html, set->sha256);
        put_hash(html, set->pictures_sha256);
        aimf_html_put(html, "</tr>\n");
    }
    aimf_html_put(html, "</tbody>\n");
    aimf_html_table_end(html);
    if (n_dropped)
        aimf_html_put(html, "<p class=\"note\">%s row%s of these files %s left out, since a value is missing.</p>\n",
                      AIMF_COUNT(n_dropped), AIMF_PLURAL(n_dropped), n_dropped == 1 ? "is" : "are");
}

/* Paths that two sets share. That links lead to one file, or files are copies, is for the checks before a run. */
static guint shared_paths(const AimfManifest *one, const AimfManifest *other)
{
    g_autoptr(GHashTable) paths = g_hash_table_new(g_str_hash, g_str_equal);
    guint n = 0;
    for (guint i = 0; i < aimf_manifest_count(one); i++)
        g_hash_table_add(paths, (gpointer)aimf_manifest_at(one, i).path);
    for (guint i = 0; i < aimf_manifest_count(other); i++)
        n += g_hash_table_contains(paths, aimf_manifest_at(other, i).path) ? 1 : 0;
    return n;
}

static void put_overlaps(AimfHtml *html, const AimfRunResults *results)
{
    gboolean any = FALSE;
    for (guint a = 0; a < AIMF_SET_BALANCED; a++)
        for (guint b = a + 1; b < AIMF_SET_BALANCED; b++) {
            const AimfRunSet *one = &results->sets[a], *other = &results->sets[b];
            const guint n = one->manifest && other->manifest ? shared_paths(one->manifest, other->manifest) : 0;
            if (!n)
                continue;
            any = TRUE;
            aimf_html_put(
                html, "<div class=\"notice\"><p>%s row%s of the %s set name%s a picture of the %s set.</p></div>\n",
                AIMF_COUNT(n), AIMF_PLURAL(n), AIMF_HTML(other->name), n == 1 ? "s" : "", AIMF_HTML(one->name));
        }
    if (!any)
        aimf_html_put(html,
                      "<p>No picture of training, validation and test set is in two of them, by their paths.</p>\n");
}

void aimf_report_data(AimfHtml *html, const AimfRunResults *results)
{
    gboolean any = FALSE;
    for (guint s = 0; s < AIMF_N_SETS; s++)
        any = any || results->sets[s].manifest;
    aimf_html_section(html, "data", "Data card");
    if (results->target)
        aimf_html_put(html, "<p>What is predicted: %s.</p>\n", AIMF_HTML(results->target));
    if (any) {
        put_counts(html, results);
        put_overlaps(html, results);
        put_files(html, results);
    } else {
        aimf_html_missing(html, "The run names no sets.");
    }
    aimf_html_section_end(html);
}

/* --- Configuration and machines --- */

static void put_versions(AimfHtml *html, const AimfRunResults *results)
{
    aimf_html_put(html,
                  "<p>Made by aimfair %s; models are %s; computed in %s with %d thread%s. The same figures are in "
                  "<code>results.json</code> and <code>results.csv</code> of the run’s folder, which "
                  "<code>aimfair verify</code> checks.</p>\n",
                  AIMF_HTML(results->program), AIMF_HTML(results->architecture), AIMF_HTML(results->precision),
                  results->threads, results->threads == 1 ? "" : "s");
}

/* An engine's text says its own instruction set; that of our kernels follows where it is another one. */
static void put_engine(AimfHtml *html, const char *engine, const char *instruction_set)
{
    const gboolean said = engine && instruction_set && g_str_has_suffix(engine, instruction_set);
    aimf_html_put(html, "<td class=\"left\">%s%s%s</td>", engine ? AIMF_HTML(engine) : "–",
                  instruction_set && !said ? "; kernels " : "",
                  instruction_set && !said ? AIMF_HTML(instruction_set) : "");
}

static void put_model_row(AimfHtml *html, const AimfRunResults *results, guint method, guint seed)
{
    const AimfRunCell *cell = aimf_run_cell(results, method, seed);
    guint n_trained = 0;
    while (cell->trained && cell->trained[n_trained])
        n_trained++;
    aimf_html_put(html, "<tr><th scope=\"row\">%" G_GUINT64_FORMAT "</th>", results->seeds[seed]);
    if (cell->failure) {
        aimf_html_put(html, "<td class=\"left\" colspan=\"4\">failed</td></tr>\n");
        return;
    }
    if (cell->trained)
        aimf_html_put(html, "<td>%u of %u</td>", n_trained, cell->n_tensors);
    else
        aimf_html_put(html, "<td>–</td>");
    put_engine(html, cell->engine, cell->instruction_set);
    put_engine(html, cell->test_engine, cell->test_instruction_set);
    put_hash(html, cell->model_sha256);
    aimf_html_put(html, "</tr>\n");
}

static void put_models(AimfHtml *html, const AimfRunResults *results)
{
    aimf_html_table(html, results->n_methods * results->n_seeds > 8 ? "tall" : "",
                    "Models, what computed them and their files’ SHA-256.");
    aimf_html_put(html,
                  "<thead><tr><th class=\"left\" scope=\"col\">Seed</th><th scope=\"col\">Tensors trained</th>"
                  "<th class=\"left\" scope=\"col\">Trained by</th><th class=\"left\" scope=\"col\">Tested by</th>"
                  "<th class=\"left\" scope=\"col\">Model</th></tr></thead>\n");
    for (guint m = 0; m < results->n_methods; m++) {
        aimf_html_put(html, "<tbody>\n<tr><th class=\"group left\" colspan=\"5\" scope=\"rowgroup\">%s</th></tr>\n",
                      AIMF_HTML(results->methods[m].title));
        for (guint s = 0; s < results->n_seeds; s++)
            put_model_row(html, results, m, s);
        aimf_html_put(html, "</tbody>\n");
    }
    aimf_html_table_end(html);
}

void aimf_report_configuration(AimfHtml *html, const AimfRunResults *results)
{
    aimf_html_section(html, "configuration", "Configuration and versions");
    put_versions(html, results);
    put_models(html, results);
    if (results->config) {
        g_autofree char *text = aimf_config_text(results->config);
        aimf_html_put(html, "<details open>\n<summary>Configuration, with every default</summary>\n"
                            "<pre tabindex=\"0\" role=\"region\" aria-label=\"Configuration\">");
        aimf_html_put_text(html, text, MOST_CONFIGURATION);
        aimf_html_put(html, "</pre>\n</details>\n");
    } else {
        aimf_html_missing(html, "The configuration is not known.");
    }
    aimf_html_section_end(html);
}
