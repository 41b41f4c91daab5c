/* Group folders: y_s/ or y_s1_s2/, as generated pictures are kept; the folder's name says target and protected label. */
#include "data/dataset.h"

#include "base/file.h"
#include "base/monitor.h"
#include <string.h>

/* "1_0" or "1_0_1": the class number, then the label behind the first '_'. */
static const char *parse_folder(const char *name, int *target)
{
    const char *separator = strchr(name, '_');
    if (!separator || separator == name || !separator[1] || !g_utf8_validate(name, -1, NULL))
        return NULL;
    g_autofree char *number = g_strndup(name, (gsize)(separator - name));
    guint64 value;
    if (!g_ascii_string_to_unsigned(number, 10, 0, AIMF_MAX_CLASSES - 1, &value, NULL))
        return NULL;
    *target = (int)value;
    return separator + 1;
}

static gboolean read_folder(AimfDataset *dataset, const char *folder, int target, const char *label, GError **error)
{
    g_autoptr(GPtrArray) names = aimf_directory_list(folder, error);
    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        if (!aimf_is_image_name(name))
            continue;
        g_autofree char *path = g_build_filename(folder, name, NULL);
        aimf_manifest_add(dataset->samples, path, target, label);
    }
    return TRUE;
}

gboolean aimf_read_groups(AimfDataset *dataset, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                          GError **error)
{
    if (!aimf_option_required("--root", options->root, error))
        return FALSE;
    g_autoptr(GPtrArray) folders = aimf_directory_list(options->root, error);
    if (!folders)
        return FALSE;
    for (guint i = 0; i < folders->len; i++) {
        const char *name = g_ptr_array_index(folders, i);
        g_autofree char *folder = g_build_filename(options->root, name, NULL);
        if (!g_file_test(folder, G_FILE_TEST_IS_DIR))
            continue;
        int target;
        const char *label = parse_folder(name, &target);
        if (!label) {
            g_autofree char *shown = g_utf8_make_valid(name, -1);
            aimf_message(monitor, AIMF_LOG_WARNING, "the folder '%s' is not named target_protected and is left out",
                         shown);
            dataset->n_bad_names++;
            continue;
        }
        if (!read_folder(dataset, folder, target, label, error))
            return FALSE;
        guint n_labels;
        aimf_manifest_groups(dataset->samples, &n_labels);
        if (n_labels > AIMF_MAX_LABELS) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' has folders for more than %d protected labels",
                        options->root, AIMF_MAX_LABELS);
            return FALSE;
        }
    }
    if (aimf_manifest_count(dataset->samples))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                "no pictures in group folders (0_0, 0_1, 1_0, 1_1 …) below '%s'", options->root);
    return FALSE;
}
