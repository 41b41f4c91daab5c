/* UTKFace: the labels are in the file names, [age]_[gender]_[race]_[date].jpg, often with .chip.jpg behind. */
#include "data/attribute.h"
#include "data/dataset_reader.h"

#include "base/file.h"
#include "base/monitor.h"
#include <string.h>

enum { AGE, GENDER, RACE, N_FIELDS };

/* As the archives unpack, aligned and cropped pictures before the same ones as they were found. */
static const char *const FOLDERS[] = {
    "UTKFace", "utkface_aligned_cropped", "crop_part1", "UTKface_inthewild", "part1", "part2", "part3", NULL
};
enum { MAX_DEPTH = 3 };

/* Takes a number of at most @digits digits off *@text. */
static gboolean take_number(const char **text, int digits, int high, int *value)
{
    *value = 0;
    const char *start = *text;
    for (; g_ascii_isdigit(**text) && *text - start < digits; (*text)++)
        *value = *value * 10 + g_ascii_digit_value(**text);
    return *text > start && *value <= high;
}

/* Some real names lack a field: then the date stands where the race should, and is too large for one. */
static gboolean parse_name(const char *name, int fields[N_FIELDS])
{
    static const int HIGH[N_FIELDS] = { 150, 1, 4 };
    for (int i = 0; i < N_FIELDS; i++)
        if (!take_number(&name, 3, HIGH[i], &fields[i]) || *name++ != '_')
            return FALSE;
    return g_ascii_isdigit(*name);
}

static int field_of(const AimfAttribute *attribute, const int fields[N_FIELDS])
{
    static const char *const NAMES[N_FIELDS] = { "age", "gender", "race" };
    for (int i = 0; i < N_FIELDS; i++)
        if (strcmp(attribute->field, NAMES[i]) == 0)
            return aimf_attribute_evaluate(attribute, fields[i]);
    g_assert_not_reached();
}

typedef struct {
    AimfDataset *dataset;
    AimfAttribute target;
    GArray *attributes;
    AimfOtherFormats others;
    GHashTable *seen; /* char *: the pictures of the folders before, by fields and date */
    guint n_folders;  /* that have pictures */
    guint n_repeated;
    char *bad_name; /* the first */
} Reading;

static void reading_clear(Reading *r)
{
    g_clear_pointer(&r->attributes, g_array_unref);
    g_clear_pointer(&r->seen, g_hash_table_unref);
    g_clear_pointer(&r->bad_name, g_free);
    aimf_other_formats_clear(&r->others);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

static void add_sample(Reading *r, const char *path, const int fields[N_FIELDS])
{
    g_autoptr(GString) label = g_string_new(NULL), names = g_string_new(NULL);
    for (guint i = 0; i < r->attributes->len; i++) {
        const AimfAttribute *attribute = &g_array_index(r->attributes, AimfAttribute, i);
        int value = field_of(attribute, fields);
        g_autofree char *name = aimf_attribute_name_of(attribute, value);
        g_string_append_printf(label, "%s%d", i ? "_" : "", value);
        g_string_append_printf(names, "%s%s", i ? " and " : "", name);
    }
    int target = field_of(&r->target, fields);
    g_autofree char *target_name = aimf_attribute_name_of(&r->target, target);
    aimf_manifest_add(r->dataset->samples, path, target, label->str);
    aimf_dataset_name_last(r->dataset, target_name, names->str);
}

/*
 * Kaggle's archive holds the same pictures up to four times: a test picture's copy would be trained on. What is called
 * alike up to the date is the same face; within a folder, names differ for a reason.
 */
static void read_pictures(Reading *r, const char *folder, const GPtrArray *names)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new();
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        aimf_other_formats_note(&r->others, name);
        if (!aimf_is_image_name(name))
            continue;
        int fields[N_FIELDS];
        if (!parse_name(name, fields)) {
            r->dataset->n_bad_names++;
            r->bad_name = r->bad_name ? r->bad_name : g_strdup(name);
            continue;
        }
        g_autofree char *key = g_strndup(name, strspn(name, "0123456789_"));
        if (g_hash_table_contains(r->seen, key)) {
            r->n_repeated++;
            continue;
        }
        g_ptr_array_add(keys, g_steal_pointer(&key));
        g_autofree char *path = g_build_filename(folder, name, NULL);
        add_sample(r, path, fields);
    }
    r->n_folders += keys->len > 0;
    for (guint i = 0; i < keys->len; i++)
        g_hash_table_add(r->seen, g_ptr_array_index(keys, i));
}

static gboolean read_folder(Reading *r, const char *folder, int depth, GError **error)
{
    g_autoptr(GPtrArray) names = aimf_directory_list(folder, error);
    if (!names)
        return FALSE;
    read_pictures(r, folder, names);
    for (const char *const *known = FOLDERS; *known && depth < MAX_DEPTH; known++) {
        for (guint i = 0; i < names->len; i++) {
            const char *name = g_ptr_array_index(names, i);
            if (g_ascii_strcasecmp(name, *known) != 0)
                continue;
            g_autofree char *inner = g_build_filename(folder, name, NULL);
            AimfPathKind kind = aimf_path_kind(inner, error);
            if (kind == AIMF_PATH_UNKNOWN || (kind == AIMF_PATH_FOLDER && !read_folder(r, inner, depth + 1, error)))
                return FALSE;
        }
    }
    return TRUE;
}

static void tell(const Reading *r, const AimfMonitor *monitor)
{
    aimf_other_formats_tell(&r->others, r->dataset, monitor);
    if (r->n_folders > 1)
        aimf_message(monitor, AIMF_LOG_INFO, "%u picture%s in %u folders; %u more that are there twice are taken once",
                     aimf_manifest_count(r->dataset->samples), AIMF_PLURAL(aimf_manifest_count(r->dataset->samples)),
                     r->n_folders, r->n_repeated);
    if (!r->dataset->n_bad_names)
        return;
    g_autofree char *shown = g_utf8_make_valid(r->bad_name, -1);
    aimf_message(monitor, AIMF_LOG_WARNING,
                 "left out for names that are not [age]_[gender]_[race]_[date]: %u, the first is '%s'",
                 r->dataset->n_bad_names, shown);
}

gboolean aimf_read_utkface(AimfDataset *dataset, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                           GError **error)
{
    g_auto(Reading) r = { .dataset = dataset };
    if (!aimf_option_required("--root", options->root, error) ||
        !aimf_option_required("--target", options->target, error) ||
        !aimf_option_required("--protected", options->protected_attributes, error) ||
        !aimf_attribute_parse("utkface", options->target, &r.target, error))
        return FALSE;
    r.attributes = aimf_attributes_parse("utkface", options->protected_attributes, error);
    r.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!r.attributes || !aimf_attributes_check(&r.target, r.attributes, error) ||
        !read_folder(&r, options->root, 0, error))
        return FALSE;
    tell(&r, monitor);
    if (aimf_manifest_count(dataset->samples))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                "no picture named [age]_[gender]_[race]_[date].jpg in '%s' or its folders UTKFace, crop_part1, part1, "
                "part2, part3; --root is the folder that holds them",
                options->root);
    return FALSE;
}
