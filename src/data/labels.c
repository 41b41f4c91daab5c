#include "data/labels.h"

#include "base/format.h"
#include "base/monitor.h"
#include "base/shown.h"

#include <math.h>
#include <string.h>

/* --- Cells --- */

gboolean aimf_label_known(const char *text, const AimfLabelRules *rules)
{
    return !aimf_stands_for_nothing(text) || (*text && rules->missing == AIMF_MISSING_KEEP);
}

/* What a cell may hold: a word for nothing can be a label, which no number and no class is. */
typedef enum { HOLDS_NO_LABEL, HOLDS_LABEL, HOLDS_LABEL_OR_NOTHING } CellKind;

static AimfCellState missing(const AimfCsv *csv, int column, const AimfLabelRules *rules, const char *text,
                             CellKind kind, GError **error)
{
    if (rules->missing == AIMF_MISSING_DROP)
        return AIMF_CELL_MISSING;
    if (rules->missing == AIMF_MISSING_KEEP && *text && kind != HOLDS_NO_LABEL)
        return AIMF_CELL_READ;
    if (kind == HOLDS_LABEL_OR_NOTHING)
        return AIMF_CELL_MISSING;
    if (!*text)
        aimf_csv_fail(csv, column, AIMF_ERROR_INVALID, error, "there is no value; --missing drop leaves such rows out");
    else
        aimf_csv_fail(csv, column, AIMF_ERROR_INVALID, error,
                      "'%s' stands for a missing value; --missing drop leaves such rows out%s", text,
                      kind == HOLDS_LABEL ? ", --missing keep takes the word as a label" : "");
    return AIMF_CELL_FAILED;
}

static gboolean is_utf8(const AimfCsv *csv, int column, GError **error)
{
    const char *text = aimf_csv_field(csv, column);
    return g_utf8_validate(text, -1, NULL) ||
           aimf_csv_fail(csv, column, AIMF_ERROR_FORMAT, error, "'%s' is not UTF-8", AIMF_SHOWN(text));
}

static AimfCellState read_cell(const AimfCsv *csv, int column, const AimfLabelRules *rules, CellKind kind,
                               const char **text, GError **error)
{
    if (!is_utf8(csv, column, error))
        return AIMF_CELL_FAILED;
    *text = aimf_label_strip(g_ptr_array_index(csv->fields, (guint)column));
    return aimf_stands_for_nothing(*text) ? missing(csv, column, rules, *text, kind, error) : AIMF_CELL_READ;
}

AimfCellState aimf_cell_text(const AimfCsv *csv, int column, const AimfLabelRules *rules, const char **text,
                             GError **error)
{
    return read_cell(csv, column, rules, HOLDS_NO_LABEL, text, error);
}

/* A map's own entry counts before the question whether the text stands for nothing, "*" after it. */
static AimfCellState read_mapped(const AimfCsv *csv, int column, const AimfLabelRules *rules, const AimfValueMap *map,
                                 CellKind kind, const char **text, const char **result, GError **error)
{
    if (!is_utf8(csv, column, error))
        return AIMF_CELL_FAILED;
    *text = aimf_label_strip(g_ptr_array_index(csv->fields, (guint)column));
    const AimfMapEntry *entry = map ? aimf_value_map_find(map, *text, rules->merge_spellings) : NULL;
    *result = entry ? entry->result : NULL;
    if (entry) {
        *text = entry->value;
    } else {
        AimfCellState state = read_cell(csv, column, rules, kind, text, error);
        if (state != AIMF_CELL_READ)
            return state;
        *result = map ? aimf_value_map_others(map) : *text;
    }
    if (*result)
        return AIMF_CELL_READ;
    aimf_csv_fail(csv, column, AIMF_ERROR_INVALID, error, "the map has no entry for '%s' and none for '*'",
                  AIMF_SHOWN(*text));
    return AIMF_CELL_FAILED;
}

AimfCellState aimf_cell_mapped(const AimfCsv *csv, int column, const AimfLabelRules *rules, const AimfValueMap *map,
                               const char **text, const char **result, GError **error)
{
    return read_mapped(csv, column, rules, map, HOLDS_LABEL, text, result, error);
}

gboolean aimf_class_of(const char *text, int limit, int *value)
{
    if (strspn(text, "0123456789+.eE") != strlen(text))
        return FALSE;
    char *end;
    double number = g_ascii_strtod(text, &end);
    if (end == text || *end || !(number >= 0 && number < limit) || number != floor(number))
        return FALSE;
    *value = (int)number;
    return TRUE;
}

AimfCellState aimf_cell_class(const AimfCsv *csv, int column, const AimfLabelRules *rules, int limit, int *value,
                              GError **error)
{
    const char *text;
    AimfCellState state = aimf_cell_text(csv, column, rules, &text, error);
    if (state != AIMF_CELL_READ || aimf_class_of(text, limit, value))
        return state;
    aimf_csv_fail(csv, column, AIMF_ERROR_INVALID, error,
                  "'%s' is not a class number from 0 to %d; 'aimfair data csv --target-map' makes numbers of words",
                  text, limit - 1);
    return AIMF_CELL_FAILED;
}

/* --- Labels --- */

typedef struct {
    int column;
    const AimfValueMap *map;
    AimfSpellings *spellings;
} LabelColumn;

/* One label as it is first met. */
typedef struct {
    char **parts; /* (n_columns) after the maps; after finishing, as they are usually spelled */
    char *joined; /* after finishing */
} Label;

struct AimfLabels {
    const AimfCsv *csv;
    const AimfLabelRules *rules;
    CellKind kind;
    GArray *columns;   /* of LabelColumn */
    GHashTable *index; /* char *, the parts with their lengths → number + 1 */
    GArray *labels;    /* of Label */
    GPtrArray *parts;  /* of the current row's label */
    GPtrArray *texts;  /* that they were made of */
    GString *key;
};

static void label_column_clear(gpointer data)
{
    aimf_spellings_free(((LabelColumn *)data)->spellings);
}

static void label_clear(gpointer data)
{
    g_strfreev(((Label *)data)->parts);
    g_free(((Label *)data)->joined);
}

AimfLabels *aimf_labels_new(const AimfCsv *csv, const AimfLabelRules *rules)
{
    AimfLabels *labels = g_new(AimfLabels, 1);
    *labels = (AimfLabels){
        .csv = csv,
        .rules = rules,
        .kind = HOLDS_LABEL,
        .columns = g_array_new(FALSE, FALSE, sizeof(LabelColumn)),
        .index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .labels = g_array_new(FALSE, FALSE, sizeof(Label)),
        .parts = g_ptr_array_new(),
        .texts = g_ptr_array_new(),
        .key = g_string_new(NULL),
    };
    g_array_set_clear_func(labels->columns, label_column_clear);
    g_array_set_clear_func(labels->labels, label_clear);
    return labels;
}

void aimf_labels_free(AimfLabels *labels)
{
    if (!labels)
        return;
    g_array_unref(labels->columns);
    g_hash_table_unref(labels->index);
    g_array_unref(labels->labels);
    g_ptr_array_unref(labels->parts);
    g_ptr_array_unref(labels->texts);
    g_string_free(labels->key, TRUE);
    g_free(labels);
}

void aimf_labels_let_lack(AimfLabels *labels)
{
    labels->kind = HOLDS_LABEL_OR_NOTHING;
}

void aimf_labels_add_column(AimfLabels *labels, int column, const AimfValueMap *map)
{
    const char *name = g_ptr_array_index(labels->csv->columns, (guint)column);
    LabelColumn added = { column, map, aimf_spellings_new(name) };
    if (map)
        aimf_value_map_list(map, added.spellings);
    g_array_append_val(labels->columns, added);
}

/* protected_by and protected-attribute are columns like any other. */
gboolean aimf_is_protected_column(const char *name)
{
    gsize n = strlen("protected");
    return strncmp(name, "protected", n) == 0 && strspn(name + n, "0123456789") == strlen(name + n);
}

/* protected, protected2, …, protected10: the group must not depend on the order of the columns. */
static gint compare_protected(gconstpointer a, gconstpointer b, gpointer user_data)
{
    const AimfCsv *csv = user_data;
    const char *x = g_ptr_array_index(csv->columns, (guint)((const LabelColumn *)a)->column);
    const char *y = g_ptr_array_index(csv->columns, (guint)((const LabelColumn *)b)->column);
    gsize nx = strlen(x), ny = strlen(y);
    return nx != ny ? (nx < ny ? -1 : 1) : strcmp(x, y);
}

void aimf_labels_add_protected(AimfLabels *labels)
{
    for (guint i = 0; i < labels->csv->columns->len; i++)
        if (aimf_is_protected_column(g_ptr_array_index(labels->csv->columns, i)))
            aimf_labels_add_column(labels, (int)i, NULL);
    g_array_sort_with_data(labels->columns, compare_protected, (gpointer)labels->csv);
}

int aimf_labels_part_of(const AimfLabels *labels, int column)
{
    int part = (int)labels->columns->len - 1;
    while (part >= 0 && g_array_index(labels->columns, LabelColumn, (guint)part).column != column)
        part--;
    return part;
}

guint aimf_labels_n_columns(const AimfLabels *labels)
{
    return labels->columns->len;
}

AimfCellState aimf_labels_read(AimfLabels *labels, guint *id, GError **error)
{
    guint n = labels->columns->len;
    g_ptr_array_set_size(labels->parts, (gint)n + 1);
    g_ptr_array_set_size(labels->texts, (gint)n + 1);
    const char **parts = (const char **)labels->parts->pdata, **texts = (const char **)labels->texts->pdata;
    for (guint i = 0; i < n; i++) {
        const LabelColumn *column = &g_array_index(labels->columns, LabelColumn, i);
        AimfCellState state = read_mapped(labels->csv, column->column, labels->rules, column->map, labels->kind,
                                          &texts[i], &parts[i], error);
        if (state != AIMF_CELL_READ)
            return state;
    }
    for (guint i = 0; i < n; i++)
        aimf_spellings_add(g_array_index(labels->columns, LabelColumn, i).spellings, texts[i], 1);
    parts[n] = NULL;
    g_string_truncate(labels->key, 0);
    for (guint i = 0; i < labels->columns->len; i++)
        g_string_append_printf(labels->key, "%" G_GSIZE_FORMAT ":%s", strlen(parts[i]), parts[i]);
    guint known = GPOINTER_TO_UINT(g_hash_table_lookup(labels->index, labels->key->str));
    if (!known) {
        if (labels->labels->len == AIMF_MAX_LABELS) {
            aimf_csv_fail(labels->csv, g_array_index(labels->columns, LabelColumn, 0).column, AIMF_ERROR_INVALID, error,
                          "more than %d different labels; a protected column holds a few groups, not numbers",
                          AIMF_MAX_LABELS);
            return AIMF_CELL_FAILED;
        }
        Label label = { .parts = g_strdupv((char **)parts) };
        g_array_append_val(labels->labels, label);
        known = labels->labels->len;
        g_hash_table_insert(labels->index, g_strdup(labels->key->str), GUINT_TO_POINTER(known));
    }
    *id = known - 1;
    return AIMF_CELL_READ;
}

gboolean aimf_labels_finish(AimfLabels *labels, GError **error)
{
    g_autoptr(GHashTable) joined = g_hash_table_new(g_str_hash, g_str_equal); /* char * → Label * */
    for (guint l = 0; l < labels->labels->len; l++) {
        Label *label = &g_array_index(labels->labels, Label, l);
        for (guint i = 0; labels->rules->merge_spellings && i < labels->columns->len; i++) {
            const LabelColumn *column = &g_array_index(labels->columns, LabelColumn, i);
            if (column->map)
                continue;
            const char *usual = aimf_spellings_usual(column->spellings, label->parts[i]);
            char *old = label->parts[i];
            label->parts[i] = g_strdup(usual);
            g_free(old);
        }
        label->joined = g_strjoinv("_", label->parts);
        const Label *same = g_hash_table_lookup(joined, label->joined);
        if (!same) {
            g_hash_table_insert(joined, label->joined, label);
            continue;
        }
        for (guint i = 0; i < labels->columns->len; i++) {
            if (strcmp(same->parts[i], label->parts[i]) == 0)
                continue;
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "'%s': two groups would both be called '%s', since labels are joined by '_'; rename them, or "
                        "let 'data csv --protected-map' do it",
                        labels->csv->path, label->joined);
            return FALSE;
        }
    }
    return TRUE;
}

guint aimf_labels_count(const AimfLabels *labels)
{
    return labels->labels->len;
}

const char *aimf_labels_at(const AimfLabels *labels, guint id)
{
    return g_array_index(labels->labels, Label, id).joined;
}

const char *aimf_labels_part(const AimfLabels *labels, guint id, guint column)
{
    return g_array_index(labels->labels, Label, id).parts[column];
}

void aimf_labels_tell(const AimfLabels *labels, const char *name, const AimfMonitor *monitor, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = aimf_format_list(format, args);
    va_end(args);
    if (labels->rules->findings)
        aimf_findings_add(labels->rules->findings, name, FALSE, "%s", text);
    else
        aimf_message(monitor, AIMF_LOG_WARNING, "%s", text);
}

void aimf_labels_tell_unused(const AimfLabels *labels, const AimfValueMap *map, const AimfSpellings *column,
                             const char *option, const AimfMonitor *monitor)
{
    g_autofree char *unused = aimf_value_map_describe_unused(map, column);
    if (unused)
        aimf_labels_tell(labels, "map", monitor, "'%s': no row has what %s names: %s", labels->csv->path, option,
                         unused);
}

void aimf_labels_warn(const AimfLabels *labels, const AimfSpellings *other, const char *path, guint n_dropped,
                      const AimfMonitor *monitor)
{
    for (guint i = 0; i < labels->columns->len; i++) {
        const LabelColumn *column = &g_array_index(labels->columns, LabelColumn, i);
        if (column->map)
            aimf_labels_tell_unused(labels, column->map, column->spellings, "--protected-map", monitor);
    }
    if (n_dropped)
        aimf_labels_tell(labels, "missing-values", monitor, "'%s': %u row%s with missing values left out", path,
                         n_dropped, AIMF_PLURAL(n_dropped));
    if (labels->rules->merge_spellings)
        return;
    g_autoptr(GString) sets = g_string_new(NULL);
    for (guint i = 0; i < labels->columns->len; i++)
        aimf_spellings_describe(g_array_index(labels->columns, LabelColumn, i).spellings, sets);
    if (other)
        aimf_spellings_describe(other, sets);
    if (sets->len)
        aimf_labels_tell(labels, "spellings", monitor,
                         "'%s': labels that differ only in case, blanks, the form of a number or of accents count as "
                         "different groups: %s; --merge-labels joins them",
                         path, sets->str);
}
