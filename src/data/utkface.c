/* UTKFace: the labels are in the file names, [age]_[gender]_[race]_[date].jpg, often with .chip.jpg behind. */
#include "data/attribute.h"
#include "data/dataset.h"

#include "base/file.h"
#include "base/monitor.h"
#include <string.h>

enum { AGE, GENDER, RACE, N_FIELDS };

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

static void add_sample(AimfDataset *dataset, const char *path, const int fields[N_FIELDS], const AimfAttribute *target,
                       const GArray *attributes)
{
    g_autoptr(GString) label = g_string_new(NULL), names = g_string_new(NULL);
    for (guint i = 0; i < attributes->len; i++) {
        const AimfAttribute *attribute = &g_array_index(attributes, AimfAttribute, i);
        int value = field_of(attribute, fields);
        g_autofree char *name = aimf_attribute_name_of(attribute, value);
        g_string_append_printf(label, "%s%d", i ? "_" : "", value);
        g_string_append_printf(names, "%s%s", i ? " and " : "", name);
    }
    int value = field_of(target, fields);
    g_autofree char *name = aimf_attribute_name_of(target, value);
    aimf_manifest_add(dataset->samples, path, value, label->str);
    aimf_dataset_name_last(dataset, name, names->str);
}

gboolean aimf_read_utkface(AimfDataset *dataset, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                           GError **error)
{
    AimfAttribute target;
    if (!aimf_option_required("--root", options->root, error) ||
        !aimf_option_required("--target", options->target, error) ||
        !aimf_option_required("--protected", options->protected_attributes, error) ||
        !aimf_attribute_parse("utkface", options->target, &target, error))
        return FALSE;
    g_autoptr(GArray) attributes = aimf_attributes_parse("utkface", options->protected_attributes, error);
    g_autoptr(GPtrArray) names = attributes ? aimf_directory_list(options->root, error) : NULL;
    if (!names)
        return FALSE;
    const char *bad_name = NULL;
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        if (!aimf_is_image_name(name))
            continue;
        int fields[N_FIELDS];
        if (!parse_name(name, fields)) {
            dataset->n_bad_names++;
            bad_name = bad_name ? bad_name : name;
            continue;
        }
        g_autofree char *path = g_build_filename(options->root, name, NULL);
        add_sample(dataset, path, fields, &target, attributes);
    }
    if (dataset->n_bad_names) {
        g_autofree char *shown = g_utf8_make_valid(bad_name, -1);
        aimf_message(monitor, AIMF_LOG_WARNING,
                     "left out for names that are not [age]_[gender]_[race]_[date]: %u, the first is '%s'",
                     dataset->n_bad_names, shown);
    }
    if (aimf_manifest_count(dataset->samples))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                "no picture named [age]_[gender]_[race]_[date].jpg in '%s'; --root is the folder that holds them",
                options->root);
    return FALSE;
}
