/* Any CSV: the user says which columns are the path, the target and the protected attributes, and what their values mean. */
#include "data/csv.h"
#include "data/dataset.h"

#include <string.h>

/* "female=1,male=0,*=2": values of a column and what they become. */
typedef struct {
    GHashTable *values; /* char * → char * */
    const char *others; /* (nullable) what all other values become */
} ValueMap;

static void value_map_free(gpointer data)
{
    ValueMap *map = data;
    g_hash_table_unref(map->values);
    g_free(map);
}

static ValueMap *value_map_parse(const char *option, const char *text, GError **error)
{
    ValueMap *map = g_new0(ValueMap, 1);
    map->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) pairs = g_strsplit(text, ",", -1);
    for (char **pair = pairs; *pair; pair++) {
        char *sign = strrchr(*pair, '=');
        if (!sign || sign == *pair || !sign[1]) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s: expected VALUE=NUMBER-OR-LABEL, found '%s'", option,
                        *pair);
            value_map_free(map);
            return NULL;
        }
        g_hash_table_replace(map->values, g_strndup(*pair, (gsize)(sign - *pair)), g_strdup(sign + 1));
    }
    map->others = g_hash_table_lookup(map->values, "*");
    return map;
}

typedef struct {
    int path;
    int target;
    int split;         /* or -1 */
    GArray *protected; /* of int */
    ValueMap *target_map;
    GPtrArray *protected_maps; /* of ValueMap * */
    const char *folder;
    GByteArray *parts;
} Reading;

static void reading_clear(Reading *r)
{
    g_clear_pointer(&r->protected, g_array_unref);
    g_clear_pointer(&r->target_map, value_map_free);
    g_clear_pointer(&r->protected_maps, g_ptr_array_unref);
    g_clear_pointer(&r->parts, g_byte_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

/* The text of a field after its map; NULL with an error when the map does not know it or it is no label. */
static const char *read_mapped(const AimfCsv *csv, int column, const ValueMap *map, GError **error)
{
    const char *text = aimf_csv_field(csv, column);
    if (map) {
        const char *value = g_hash_table_lookup(map->values, text);
        value = value ? value : map->others;
        if (!value)
            aimf_csv_fail(csv, column, AIMF_ERROR_INVALID, error, "the map has no entry for '%s' and none for '*'",
                          text);
        return value;
    }
    if (!*text || !g_utf8_validate(text, -1, NULL)) {
        aimf_csv_fail(csv, column, AIMF_ERROR_INVALID, error, "'%s' is not a label", text);
        return NULL;
    }
    return text;
}

static gboolean read_target(const Reading *r, const AimfCsv *csv, int *target, GError **error)
{
    const char *text = read_mapped(csv, r->target, r->target_map, error);
    if (!text)
        return FALSE;
    guint64 number;
    if (!g_ascii_string_to_unsigned(text, 10, 0, AIMF_MAX_CLASSES - 1, &number, NULL))
        return aimf_csv_fail(csv, r->target, AIMF_ERROR_INVALID, error,
                             "'%s' is not a class number from 0 to %d; --target-map turns values into them", text,
                             AIMF_MAX_CLASSES - 1);
    *target = (int)number;
    return TRUE;
}

static gboolean read_part(const Reading *r, const AimfCsv *csv, guint8 *part, GError **error)
{
    static const struct {
        const char *name;
        guint8 part;
    } NAMES[] = {
        { "train", AIMF_PART_TRAIN }, { "training", AIMF_PART_TRAIN }, { "0", AIMF_PART_TRAIN },
        { "val", AIMF_PART_VAL },     { "valid", AIMF_PART_VAL },      { "validation", AIMF_PART_VAL },
        { "1", AIMF_PART_VAL },       { "test", AIMF_PART_TEST },      { "testing", AIMF_PART_TEST },
        { "2", AIMF_PART_TEST },
    };
    *part = AIMF_PART_TRAIN;
    if (r->split < 0)
        return TRUE;
    const char *text = aimf_csv_field(csv, r->split);
    for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        if (g_ascii_strcasecmp(text, NAMES[i].name) == 0) {
            *part = NAMES[i].part;
            return TRUE;
        }
    }
    return aimf_csv_fail(csv, r->split, AIMF_ERROR_INVALID, error, "expected train, val or test, found '%s'", text);
}

static gboolean read_sample(Reading *r, const AimfCsv *csv, AimfDataset *dataset, GError **error)
{
    int target = 0;
    guint8 part;
    const char *name = aimf_csv_field(csv, r->path);
    if (!*name)
        return aimf_csv_fail(csv, r->path, AIMF_ERROR_INVALID, error, "no path");
    if (!read_target(r, csv, &target, error) || !read_part(r, csv, &part, error))
        return FALSE;
    g_autoptr(GString) label = g_string_new(NULL);
    for (guint i = 0; i < r->protected->len; i++) {
        const ValueMap *map = i < r->protected_maps->len ? g_ptr_array_index(r->protected_maps, i) : NULL;
        const char *text = read_mapped(csv, g_array_index(r->protected, int, i), map, error);
        if (!text)
            return FALSE;
        g_string_append_printf(label, "%s%s", i ? "_" : "", text);
    }
    g_autofree char *path = g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(r->folder, name, NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        dataset->n_missing++;
        return TRUE;
    }
    aimf_manifest_add(dataset->samples, path, target, label->str);
    g_byte_array_append(r->parts, &part, 1);
    guint n_labels;
    aimf_manifest_groups(dataset->samples, &n_labels);
    if (n_labels <= AIMF_MAX_LABELS)
        return TRUE;
    return aimf_csv_fail(csv, g_array_index(r->protected, int, 0), AIMF_ERROR_INVALID, error,
                         "more than %d different labels; --protected-map turns values into groups", AIMF_MAX_LABELS);
}

static gboolean find_columns(Reading *r, const AimfCsv *csv, const AimfDatasetOptions *options, GError **error)
{
    r->path = aimf_csv_require(csv, options->path_column, error);
    if (r->path < 0 || (r->target = aimf_csv_require(csv, options->target, error)) < 0)
        return FALSE;
    r->split = -1;
    if (options->split_column && (r->split = aimf_csv_require(csv, options->split_column, error)) < 0)
        return FALSE;
    g_auto(GStrv) names = g_strsplit(options->protected_attributes, ",", -1);
    for (char **name = names; *name; name++) {
        int column = aimf_csv_require(csv, g_strstrip(*name), error);
        if (column < 0)
            return FALSE;
        g_array_append_val(r->protected, column);
    }
    return TRUE;
}

static gboolean parse_maps(Reading *r, const AimfDatasetOptions *options, GError **error)
{
    if (options->target_map && !(r->target_map = value_map_parse("--target-map", options->target_map, error)))
        return FALSE;
    for (guint i = 0; options->protected_maps && options->protected_maps[i]; i++) {
        ValueMap *map = value_map_parse("--protected-map", options->protected_maps[i], error);
        if (!map)
            return FALSE;
        g_ptr_array_add(r->protected_maps, map);
    }
    if (r->protected_maps->len <= r->protected->len)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%u protected maps for %u protected columns",
                r->protected_maps->len, r->protected->len);
    return FALSE;
}

gboolean aimf_read_csv(AimfDataset *dataset, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                       GError **error)
{
    (void)monitor;
    if (!aimf_option_required("--file", options->file, error) ||
        !aimf_option_required("--path-column", options->path_column, error) ||
        !aimf_option_required("--target-column", options->target, error) ||
        !aimf_option_required("--protected-column", options->protected_attributes, error))
        return FALSE;
    g_autoptr(AimfCsv) csv = aimf_csv_open(options->file, error);
    if (!csv)
        return FALSE;
    g_autofree char *own_folder = g_path_get_dirname(options->file);
    g_auto(Reading) r = { .folder = options->root ? options->root : own_folder };
    r.protected = g_array_new(FALSE, FALSE, sizeof(int));
    r.protected_maps = g_ptr_array_new_with_free_func(value_map_free);
    r.parts = g_byte_array_new();
    if (!find_columns(&r, csv, options, error) || !parse_maps(&r, options, error))
        return FALSE;
    GError *failure = NULL;
    while (!failure && aimf_csv_next(csv, &failure))
        read_sample(&r, csv, dataset, &failure);
    if (failure) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (options->split_column)
        dataset->parts = g_byte_array_free(g_steal_pointer(&r.parts), FALSE);
    if (aimf_manifest_count(dataset->samples))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "'%s': none of its %u images is on disk below '%s'",
                options->file, dataset->n_missing, r.folder);
    return FALSE;
}
