#include "fair/impact_rows.h"

#include "base/monitor.h"
#include "base/shown.h"
#include "data/labels.h"
#include "data/spellings.h"

#include <aimfair/names.h>
#include <string.h>

/* The values of one column by number of appearance. */
typedef struct {
    char *name;
    GHashTable *ids;  /* char *, owned → number + 1 */
    GPtrArray *texts; /* of const char *, the keys */
    AimfSpellings *spellings;
    GArray *rows; /* of int: numbers, -1 where nothing is known */
} Column;

struct AimfImpactReader {
    AimfLabelRules rules;
    GArray *columns; /* of Column */
    GString *text;
};

void aimf_impact_rows_free(AimfImpactRows *rows)
{
    if (!rows)
        return;
    for (guint c = 0; c < rows->n_columns; c++)
        g_strfreev(rows->categories[c]);
    g_free(rows->categories);
    g_strfreev(rows->columns);
    g_free(rows->category);
    g_free(rows->prediction);
    g_free(rows->scores);
    g_free(rows);
}

static void column_clear(gpointer data)
{
    Column *column = data;
    g_free(column->name);
    g_hash_table_unref(column->ids);
    g_ptr_array_unref(column->texts);
    aimf_spellings_free(column->spellings);
    g_array_unref(column->rows);
}

static gboolean check_columns(const char *const *columns, GError **error)
{
    guint n = 0;
    for (const char *const *name = columns; *name; name++, n++)
        for (const char *const *before = columns; before < name; before++)
            if (strcmp(*before, *name) == 0) {
                g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "impact ratios: the column '%s' is named twice",
                            AIMF_SHOWN(*name));
                return FALSE;
            }
    if (n >= 1 && n <= AIMF_MAX_IMPACT_COLUMNS)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "impact ratios are of 1 to %d columns, not of %u",
                AIMF_MAX_IMPACT_COLUMNS, n);
    return FALSE;
}

AimfImpactReader *aimf_impact_reader_new(const char *const *columns, const AimfLabelRules *rules, GError **error)
{
    if (!check_columns(columns, error))
        return NULL;
    AimfImpactReader *reader = g_new0(AimfImpactReader, 1);
    if (rules)
        reader->rules = *rules;
    reader->text = g_string_new(NULL);
    reader->columns = g_array_new(FALSE, FALSE, sizeof(Column));
    g_array_set_clear_func(reader->columns, column_clear);
    for (const char *const *name = columns; *name; name++) {
        const Column column = {
            .name = g_strdup(*name),
            .ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
            .texts = g_ptr_array_new(),
            .spellings = aimf_spellings_new(*name),
            .rows = g_array_new(FALSE, FALSE, sizeof(int)),
        };
        g_array_append_val(reader->columns, column);
    }
    return reader;
}

void aimf_impact_reader_free(AimfImpactReader *reader)
{
    if (!reader)
        return;
    g_array_unref(reader->columns);
    g_string_free(reader->text, TRUE);
    g_free(reader);
}

char *aimf_impact_reader_add(AimfImpactReader *reader, guint column, const char *text, AimfErrorCode *code)
{
    Column *c = &g_array_index(reader->columns, Column, column);
    *code = AIMF_ERROR_FORMAT;
    if (!g_utf8_validate(text, -1, NULL))
        return g_strdup_printf("'%s' is not UTF-8", AIMF_SHOWN(text));
    g_string_assign(reader->text, text);
    const char *value = aimf_label_strip(reader->text->str);
    int id = -1;
    if (aimf_label_known(value, &reader->rules)) {
        guint known = GPOINTER_TO_UINT(g_hash_table_lookup(c->ids, value));
        *code = AIMF_ERROR_INVALID;
        if (!known && c->texts->len == AIMF_MAX_LABELS)
            return g_strdup_printf("more than %d different values; impact ratios are of a few categories, not of "
                                   "numbers",
                                   AIMF_MAX_LABELS);
        if (!known) {
            char *key = g_strdup(value);
            g_ptr_array_add(c->texts, key);
            known = c->texts->len;
            g_hash_table_insert(c->ids, key, GUINT_TO_POINTER(known));
        }
        aimf_spellings_add(c->spellings, value, 1);
        id = (int)known - 1;
    }
    g_array_append_val(c->rows, id);
    return NULL;
}

/* --- All rows --- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What the rows call a category in the end. */
static const char *usual_of(const AimfImpactReader *reader, const Column *column, guint id)
{
    const char *text = g_ptr_array_index(column->texts, id);
    return reader->rules.merge_spellings ? aimf_spellings_usual(column->spellings, text) : text;
}

/* (owned) the sorted categories; @category (rows) becomes indices into them. */
static char **take_categories(const AimfImpactReader *reader, const Column *column, int *category)
{
    guint n = column->texts->len, kept = 0;
    g_autofree const char **sorted = g_new(const char *, (gsize)n + 1);
    g_autofree int *place = g_new(int, (gsize)n + 1);
    for (guint id = 0; id < n; id++)
        sorted[id] = usual_of(reader, column, id);
    qsort(sorted, n, sizeof *sorted, compare_texts);
    for (guint i = 0; i < n; i++)
        if (!kept || strcmp(sorted[kept - 1], sorted[i]) != 0)
            sorted[kept++] = sorted[i];
    for (guint id = 0; id < n; id++) {
        const char *text = usual_of(reader, column, id);
        place[id] = (int)((const char **)bsearch(&text, sorted, kept, sizeof *sorted, compare_texts) - sorted);
    }
    for (guint i = 0; i < column->rows->len; i++) {
        int id = g_array_index(column->rows, int, i);
        category[i] = id < 0 ? -1 : place[id];
    }
    char **categories = g_new0(char *, (gsize)kept + 1);
    for (guint i = 0; i < kept; i++)
        categories[i] = g_strdup(sorted[i]);
    return categories;
}

static void tell(const AimfImpactReader *reader, const AimfMonitor *monitor, const char *name, const char *text)
{
    if (reader->rules.findings)
        aimf_findings_add(reader->rules.findings, name, FALSE, "%s", text);
    else
        aimf_message(monitor, AIMF_LOG_WARNING, "%s", text);
}

static void warn(const AimfImpactReader *reader, const char *path, const AimfMonitor *monitor)
{
    g_autoptr(GString) sets = g_string_new(NULL);
    g_autofree char *unknown = aimf_spelling_key("unknown");
    for (guint i = 0; i < reader->columns->len; i++) {
        const Column *column = &g_array_index(reader->columns, Column, i);
        if (!reader->rules.merge_spellings && !aimf_is_protected_column(column->name))
            aimf_spellings_describe(column->spellings, sets);
        for (guint id = 0; id < column->texts->len; id++) {
            const char *category = g_ptr_array_index(column->texts, id);
            g_autofree char *key = aimf_spelling_key(category);
            g_autofree char *text = g_strdup_printf("'%s': '%s' of column '%s' counts as a category like any other; "
                                                    "where nothing is known, the field should be empty",
                                                    path, AIMF_SHOWN(category), column->name);
            if (strcmp(key, unknown) == 0)
                tell(reader, monitor, "unknown-category", text);
        }
    }
    g_autofree char *text = g_strdup_printf("'%s': categories that differ only in case, blanks, the form of a number "
                                            "or of accents count as different ones: %s; --merge-labels joins them",
                                            path, sets->str);
    if (sets->len)
        tell(reader, monitor, "spellings", text);
}

AimfImpactRows *aimf_impact_reader_finish(const AimfImpactReader *reader, const char *path, const AimfMonitor *monitor)
{
    AimfImpactRows *rows = g_new0(AimfImpactRows, 1);
    rows->n_columns = reader->columns->len;
    rows->n = g_array_index(reader->columns, Column, 0).rows->len;
    rows->columns = g_new0(char *, (gsize)rows->n_columns + 1);
    rows->categories = g_new0(char **, (gsize)rows->n_columns + 1);
    rows->category = g_new(int, (gsize)rows->n_columns * rows->n + 1);
    for (guint c = 0; c < rows->n_columns; c++) {
        const Column *column = &g_array_index(reader->columns, Column, c);
        g_assert(column->rows->len == rows->n);
        rows->columns[c] = g_strdup(column->name);
        rows->categories[c] = take_categories(reader, column, rows->category + (gsize)c * rows->n);
    }
    warn(reader, path, monitor);
    return rows;
}

/* --- Of a manifest --- */

static gboolean has_columns(const AimfManifest *manifest, const char *const *columns, GError **error)
{
    const char *const *known = aimf_manifest_columns(manifest), *path = aimf_manifest_path(manifest);
    for (const char *const *name = columns; *name; name++) {
        if (g_strv_contains(known, *name))
            continue;
        g_autofree char *hint = aimf_name_hint(*name, known), *list = g_strjoinv(", ", (char **)known);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                    "%s: impact ratios: no column '%s'%s; beside path and target there are: %s",
                    path ? path : "the manifest", AIMF_SHOWN(*name), hint, list);
        return FALSE;
    }
    return TRUE;
}

AimfImpactRows *aimf_impact_rows_new(const AimfManifest *manifest, const char *const *columns,
                                     const AimfLabelRules *rules, const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfImpactReader) reader = aimf_impact_reader_new(columns, rules, error);
    if (!reader || !has_columns(manifest, columns, error))
        return NULL;
    const char *path = aimf_manifest_path(manifest) ? aimf_manifest_path(manifest) : "the manifest";
    for (guint i = 0; i < aimf_manifest_count(manifest); i++)
        for (guint c = 0; columns[c]; c++) {
            AimfErrorCode code;
            g_autofree char *wrong =
                aimf_impact_reader_add(reader, c, aimf_manifest_get(manifest, i, columns[c]), &code);
            if (!wrong)
                continue;
            g_autofree char *place = aimf_manifest_place(manifest, i);
            g_set_error(error, AIMF_ERROR, (gint)code, "%s: %s: column '%s': %s", path, place, columns[c], wrong);
            return NULL;
        }
    return aimf_impact_reader_finish(reader, path, monitor);
}

void aimf_outcomes_take_impact(AimfOutcomes *outcomes, AimfImpactRows *rows, const AimfPredictions *predictions)
{
    g_assert(rows->n == predictions->n && !outcomes->impact);
    guint n = outcomes->n;
    gsize kept = 0;
    for (guint c = 0; c < rows->n_columns; c++)
        for (guint i = 0; i < rows->n; i++) /* never further than what is yet to be read */
            if (predictions->prediction[i] >= 0)
                rows->category[kept++] = rows->category[(gsize)c * rows->n + i];
    g_assert(kept == (gsize)n * rows->n_columns);
    rows->n = n;
    rows->prediction = g_memdup2(outcomes->prediction, n * sizeof *rows->prediction);
    rows->n_scores = outcomes->n_targets == 2 ? 1 : outcomes->n_targets;
    const double *scores = outcomes->n_targets == 2 ? outcomes->logit : outcomes->class_probability;
    rows->scores = g_memdup2(scores, (gsize)n * (gsize)rows->n_scores * sizeof *scores);
    rows->score = outcomes->n_targets == 2 ? "logit" : "probability";
    outcomes->impact = rows;
}
