/*
 * Any CSV: the user says which columns are the path, the target and the protected attributes, and what their values
 * mean.
 */
#include "data/dataset_reader.h"

#include "base/shown.h"
#include "data/labels.h"

#include "base/file.h"

#include <string.h>

typedef struct {
    AimfCsv *csv;
    const AimfLabelRules *rules;
    int path;
    int target; /* or -1 */
    int split;  /* or -1 */
    AimfLabels *labels;
    AimfValueMap *target_map;
    AimfSpellings *target_spellings; /* with a map */
    GPtrArray *protected_maps;       /* of AimfValueMap * */
    const char *folder;
    GArray *rows; /* of Row */
    GByteArray *parts;
} Reading;

/* A sample whose label waits until all of the file is known. */
typedef struct {
    char *path;
    int target;
    guint label;
} Row;

static void row_clear(gpointer data)
{
    g_free(((Row *)data)->path);
}

static void reading_clear(Reading *r)
{
    aimf_labels_free(r->labels);
    aimf_csv_free(r->csv);
    aimf_spellings_free(r->target_spellings);
    aimf_value_map_free(r->target_map);
    g_clear_pointer(&r->protected_maps, g_ptr_array_unref);
    g_clear_pointer(&r->rows, g_array_unref);
    g_clear_pointer(&r->parts, g_byte_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

static AimfCellState read_target(const Reading *r, int *target, GError **error)
{
    const char *text, *class_text;
    AimfCellState state = AIMF_CELL_READ;
    *target = -1;
    if (r->target < 0)
        return state;
    if (r->target_map)
        state = aimf_cell_mapped(r->csv, r->target, r->rules, r->target_map, &text, &class_text, error);
    else
        state = aimf_cell_text(r->csv, r->target, r->rules, &class_text, error);
    if (state == AIMF_CELL_READ && r->target_map)
        aimf_spellings_add(r->target_spellings, text, 1);
    if (state != AIMF_CELL_READ || aimf_class_of(class_text, AIMF_MAX_CLASSES, target))
        return state;
    aimf_csv_fail(r->csv, r->target, AIMF_ERROR_INVALID, error,
                  "'%s' is not a class number from 0 to %d; --target-map turns values into them", class_text,
                  AIMF_MAX_CLASSES - 1);
    return AIMF_CELL_FAILED;
}

static gboolean read_part(const Reading *r, guint8 *part, GError **error)
{
    static const struct {
        const char *name;
        guint8 part;
    } NAMES[] = {
        { "train", AIMF_PART_TRAIN },  { "training", AIMF_PART_TRAIN }, { "val", AIMF_PART_VAL },
        { "valid", AIMF_PART_VAL },    { "validation", AIMF_PART_VAL }, { "test", AIMF_PART_TEST },
        { "testing", AIMF_PART_TEST },
    };
    *part = AIMF_PART_TRAIN;
    if (r->split < 0)
        return TRUE;
    g_autofree char *cell = g_utf8_make_valid(aimf_csv_field(r->csv, r->split), -1);
    const char *text = aimf_label_strip(cell);
    int number;
    if (aimf_class_of(text, AIMF_N_PARTS, &number)) { /* CelebA's, however they are written */
        *part = (guint8)number;
        return TRUE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        if (g_ascii_strcasecmp(text, NAMES[i].name) == 0) {
            *part = NAMES[i].part;
            return TRUE;
        }
    }
    return aimf_csv_fail(r->csv, r->split, AIMF_ERROR_INVALID, error, "expected train, val or test, found '%s'",
                         AIMF_SHOWN(text));
}

static gboolean read_sample(Reading *r, AimfDataset *dataset, GError **error)
{
    guint8 part;
    Row row;
    const char *name = aimf_csv_field(r->csv, r->path);
    if (!*name)
        return aimf_csv_fail(r->csv, r->path, AIMF_ERROR_INVALID, error, "no path");
    AimfCellState state = read_target(r, &row.target, error);
    if (state == AIMF_CELL_READ)
        state = aimf_labels_read(r->labels, &row.label, error);
    dataset->n_dropped += state == AIMF_CELL_MISSING;
    if (state != AIMF_CELL_READ)
        return state == AIMF_CELL_MISSING;
    if (!read_part(r, &part, error))
        return FALSE;
    row.path = g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(r->folder, name, NULL);
    gboolean there;
    if (!aimf_path_there(row.path, &there, error)) {
        g_free(row.path);
        return FALSE;
    }
    if (!there) {
        dataset->n_missing++;
        g_free(row.path);
        return TRUE;
    }
    g_array_append_val(r->rows, row);
    g_byte_array_append(r->parts, &part, 1);
    return TRUE;
}

/* The column @name that an option gave; NULL: none. */
static gboolean find_column(const AimfCsv *csv, const char *name, int *column, GError **error)
{
    *column = -1;
    return !name || (*column = aimf_csv_require(csv, name, error)) >= 0;
}

static gboolean find_columns(Reading *r, const AimfDatasetOptions *options, GError **error)
{
    if (!find_column(r->csv, options->path_column, &r->path, error) ||
        !find_column(r->csv, options->target, &r->target, error) ||
        !find_column(r->csv, options->split_column, &r->split, error))
        return FALSE;
    r->labels = aimf_labels_new(r->csv, r->rules);
    if (!options->protected_attributes)
        return TRUE;
    g_auto(GStrv) names = g_strsplit(options->protected_attributes, ",", -1);
    for (char **name = names; *name; name++) {
        int column = aimf_csv_require(r->csv, g_strstrip(*name), error);
        if (column < 0)
            return FALSE;
        guint i = aimf_labels_n_columns(r->labels);
        aimf_labels_add_column(r->labels, column,
                               i < r->protected_maps->len ? g_ptr_array_index(r->protected_maps, i) : NULL);
    }
    return TRUE;
}

static gboolean parse_maps(Reading *r, const AimfDatasetOptions *options, GError **error)
{
    if (options->target_map) {
        r->target_map = aimf_value_map_parse("--target-map", options->target_map, r->rules->merge_spellings, error);
        if (!r->target_map)
            return FALSE;
        r->target_spellings = aimf_spellings_new(options->target);
        aimf_value_map_list(r->target_map, r->target_spellings);
    }
    for (guint i = 0; options->protected_maps && options->protected_maps[i]; i++) {
        AimfValueMap *map =
            aimf_value_map_parse("--protected-map", options->protected_maps[i], r->rules->merge_spellings, error);
        if (!map)
            return FALSE;
        g_ptr_array_add(r->protected_maps, map);
    }
    return TRUE;
}

/* One column cannot be two things, unless each time a map makes something else of it. */
static gboolean check_columns(const AimfDatasetOptions *options, GError **error)
{
    g_auto(GStrv) attributes = g_strsplit(options->protected_attributes ? options->protected_attributes : "", ",", -1);
    guint n_maps = options->protected_maps ? g_strv_length((char **)options->protected_maps) : 0;
    g_autoptr(GHashTable) options_of = g_hash_table_new(g_str_hash, g_str_equal); /* column → option */
    g_autoptr(GHashTable) mapped_of = g_hash_table_new(g_str_hash, g_str_equal);  /* columns, always with a map */
    const struct {
        const char *column, *option;
        gboolean mapped;
    } others[] = { { options->path_column, "--path-column", FALSE },
                   { options->split_column, "--split-column", FALSE },
                   { options->target, "--target-column", options->target_map != NULL } };
    for (guint i = 0; i < G_N_ELEMENTS(others) + g_strv_length(attributes); i++) {
        guint a = i - (guint)G_N_ELEMENTS(others);
        gboolean is_other = i < G_N_ELEMENTS(others);
        const char *column = is_other ? others[i].column : g_strstrip(attributes[a]);
        const char *option = is_other ? others[i].option : "--protected-column";
        gboolean mapped = is_other ? others[i].mapped : a < n_maps;
        const char *first = column ? g_hash_table_lookup(options_of, column) : NULL;
        if (first && !(mapped && g_hash_table_contains(mapped_of, column))) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "%s and %s name one column, '%s'; only --target-map and --protected-map can make two things of "
                        "it, one for each",
                        first, option, column);
            return FALSE;
        }
        if (column)
            g_hash_table_insert(options_of, (gpointer)column, (gpointer)option);
        if (column && mapped)
            g_hash_table_add(mapped_of, (gpointer)column);
    }
    return TRUE;
}

static gboolean check_options(const AimfDatasetOptions *options, GError **error)
{
    if (!aimf_option_required("--file", options->file, error) ||
        !aimf_option_required("--path-column", options->path_column, error) ||
        (options->target_map && !aimf_option_required("--target-column", options->target, error)))
        return FALSE;
    guint n_columns = 0, n_maps = 0;
    for (const char *c = options->protected_attributes; c; c = strchr(c, ','), c = c ? c + 1 : NULL)
        n_columns++;
    while (options->protected_maps && options->protected_maps[n_maps])
        n_maps++;
    if (n_maps > n_columns)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%u protected maps for %u protected columns", n_maps,
                    n_columns);
    return n_maps <= n_columns && check_columns(options, error);
}

static gboolean read_rows(Reading *r, AimfDataset *dataset, const AimfMonitor *monitor, GError **error)
{
    GError *failure = NULL;
    while (!failure && aimf_csv_next(r->csv, &failure))
        read_sample(r, dataset, &failure);
    if (failure) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (!aimf_labels_finish(r->labels, error))
        return FALSE;
    gboolean labelled = aimf_labels_n_columns(r->labels) > 0;
    for (guint i = 0; i < r->rows->len; i++) {
        const Row *row = &g_array_index(r->rows, Row, i);
        aimf_manifest_add(dataset->samples, row->path, row->target,
                          labelled ? aimf_labels_at(r->labels, row->label) : NULL);
    }
    if (r->target_map)
        aimf_labels_tell_unused(r->labels, r->target_map, r->target_spellings, "--target-map", monitor);
    aimf_labels_warn(r->labels, r->target_spellings, r->csv->path, dataset->n_dropped, monitor);
    return TRUE;
}

gboolean aimf_read_csv(AimfDataset *dataset, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                       GError **error)
{
    if (!check_options(options, error))
        return FALSE;
    g_autofree char *own_folder = g_path_get_dirname(options->file);
    g_auto(Reading) r = { .rules = &options->labels, .folder = options->root ? options->root : own_folder };
    r.csv = aimf_csv_open(options->file, error);
    aimf_csv_tell(r.csv, monitor);
    r.protected_maps = g_ptr_array_new_with_free_func((GDestroyNotify)(void (*)(void))aimf_value_map_free);
    r.rows = g_array_new(FALSE, FALSE, sizeof(Row));
    g_array_set_clear_func(r.rows, row_clear);
    r.parts = g_byte_array_new();
    if (!r.csv || !parse_maps(&r, options, error) || !find_columns(&r, options, error) ||
        !read_rows(&r, dataset, monitor, error))
        return FALSE;
    if (options->split_column)
        dataset->parts = g_byte_array_free(g_steal_pointer(&r.parts), FALSE);
    if (aimf_manifest_count(dataset->samples))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "'%s': none of its %u image%s is on disk below '%s'",
                options->file, dataset->n_missing, AIMF_PLURAL(dataset->n_missing), r.folder);
    return FALSE;
}
