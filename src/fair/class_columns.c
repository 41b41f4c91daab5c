#include "fair/class_columns.h"

#include <string.h>

#define PREFIX "probability_"

void aimf_class_columns_clear(AimfClassColumns *columns)
{
    g_free(columns->columns);
    g_strfreev(columns->names);
    *columns = (AimfClassColumns){ 0 };
}

/* One more than the largest number there is, 0 for none; beside a column probability, a numbering has its first two. */
static guint64 count_numbered(const AimfCsv *csv)
{
    guint64 n = 0;
    gboolean begins = aimf_csv_column(csv, PREFIX "0") >= 0 && aimf_csv_column(csv, PREFIX "1") >= 0;
    if (!begins && aimf_csv_column(csv, "probability") >= 0)
        return 0;
    for (guint i = 0; i < csv->columns->len; i++) {
        const char *name = g_ptr_array_index(csv->columns, i);
        guint64 number;
        if (g_str_has_prefix(name, PREFIX) &&
            g_ascii_string_to_unsigned(name + strlen(PREFIX), 10, 0, G_MAXINT - 1, &number, NULL))
            n = MAX(n, number + 1);
    }
    return n;
}

static gboolean find_numbered(AimfClassColumns *found, const AimfCsv *csv, guint64 n, GError **error)
{
    found->columns = g_new(int, csv->columns->len);
    for (guint64 k = 0; k < n; k++) {
        g_autofree char *name = g_strdup_printf(PREFIX "%" G_GUINT64_FORMAT, k);
        int column = aimf_csv_column(csv, name);
        if (column < 0) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "'%s' has the column " PREFIX "%" G_GUINT64_FORMAT ", but no %s", csv->path, n - 1, name);
            return FALSE;
        }
        found->columns[found->n++] = column;
    }
    return TRUE;
}

static gboolean find_named(AimfClassColumns *found, const AimfCsv *csv, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(AimfSpellings) spellings = aimf_spellings_new("probability_…");
    g_autoptr(GString) alike = g_string_new(NULL);
    found->columns = g_new(int, csv->columns->len);
    for (guint i = 0; i < csv->columns->len; i++) {
        const char *name = g_ptr_array_index(csv->columns, i);
        if (!g_str_has_prefix(name, PREFIX) || !name[strlen(PREFIX)])
            continue;
        found->columns[names->len] = (int)i;
        g_ptr_array_add(names, g_strdup(name + strlen(PREFIX)));
        if (g_utf8_validate(name, -1, NULL))
            aimf_spellings_add(spellings, name + strlen(PREFIX), 0);
    }
    if (aimf_spellings_describe(spellings, alike)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s': classes with nearly the same name, in %s", csv->path,
                    alike->str);
        return FALSE;
    }
    found->n = (int)names->len;
    g_ptr_array_add(names, NULL);
    found->names = (char **)g_ptr_array_steal(names, NULL);
    if (found->n < 2)
        aimf_class_columns_clear(found);
    return TRUE;
}

gboolean aimf_class_columns_find(AimfClassColumns *found, const AimfCsv *csv, GError **error)
{
    guint64 n = count_numbered(csv);
    *found = (AimfClassColumns){ 0 };
    if (!(n ? find_numbered(found, csv, n, error)
            : aimf_csv_column(csv, "probability") >= 0 || find_named(found, csv, error)))
        return FALSE;
    if (found->n <= AIMF_MAX_CLASSES)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' has columns for %d classes; at most %d are possible",
                csv->path, found->n, AIMF_MAX_CLASSES);
    return FALSE;
}

AimfCellState aimf_class_columns_read(const AimfClassColumns *columns, const AimfCsv *csv, const AimfLabelRules *rules,
                                      double *values, int *largest, GError **error)
{
    double best = -1;
    for (int k = 0; k < columns->n; k++) {
        const char *text;
        AimfCellState state = aimf_cell_text(csv, columns->columns[k], rules, &text, error);
        if (state != AIMF_CELL_READ)
            return state;
        char *end;
        double number = g_ascii_strtod(text, &end);
        if (end == text || *end || !(number >= 0 && number <= 1)) {
            aimf_csv_fail(csv, columns->columns[k], AIMF_ERROR_INVALID, error,
                          "expected a probability from 0 to 1, found '%s'", text);
            return AIMF_CELL_FAILED;
        }
        values[k] = number;
        if (values[k] > best)
            *largest = k;
        best = MAX(best, values[k]);
    }
    return AIMF_CELL_READ;
}
