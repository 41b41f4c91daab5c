/*
 * Group folders: y_s/ or y_s1_s2/, as generated pictures are kept; the folder's name says target and protected label.
 */
#include "data/dataset_reader.h"

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

/* One folder: its pictures' labels are in its name. */
typedef struct {
    const char *path;
    int target;
    const char *label;
} Group;

static gboolean read_folder(AimfDataset *dataset, const Group *group, AimfOtherFormats *others, GError **error)
{
    g_autoptr(GPtrArray) names = aimf_directory_list(group->path, error);
    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        aimf_other_formats_note(others, name);
        if (!aimf_is_image_name(name))
            continue;
        g_autofree char *path = g_build_filename(group->path, name, NULL);
        aimf_manifest_add(dataset->samples, path, group->target, group->label);
    }
    return TRUE;
}

/* What cannot be examined is told by who reads it. */
static gboolean may_be_folder(const char *path)
{
    AimfPathKind kind = aimf_path_kind(path, NULL);
    return kind == AIMF_PATH_FOLDER || kind == AIMF_PATH_UNKNOWN;
}

/*
 * (owned, nullable) a folder below @root that holds group folders: archives often unpack into a folder of their own.
 */
static char *find_deeper(const char *root, const GPtrArray *folders)
{
    for (guint i = 0; i < folders->len && i < 100; i++) {
        g_autofree char *folder = g_build_filename(root, g_ptr_array_index(folders, i), NULL);
        if (!may_be_folder(folder))
            continue;
        g_autoptr(GPtrArray) names = aimf_directory_list(folder, NULL);
        for (guint k = 0; names && k < names->len; k++) {
            int target;
            g_autofree char *inner = g_build_filename(folder, g_ptr_array_index(names, k), NULL);
            if (parse_folder(g_ptr_array_index(names, k), &target) && may_be_folder(inner))
                return g_steal_pointer(&folder);
        }
    }
    return NULL;
}

static gboolean read_folders(AimfDataset *dataset, const char *root, const GPtrArray *folders, AimfOtherFormats *others,
                             const AimfMonitor *monitor, GError **error)
{
    for (guint i = 0; i < folders->len; i++) {
        const char *name = g_ptr_array_index(folders, i);
        g_autofree char *folder = g_build_filename(root, name, NULL);
        AimfPathKind kind = aimf_path_kind(folder, error);
        if (kind == AIMF_PATH_UNKNOWN)
            return FALSE;
        if (kind != AIMF_PATH_FOLDER)
            continue;
        Group group = { .path = folder };
        group.label = parse_folder(name, &group.target);
        if (!group.label) {
            g_autofree char *shown = g_utf8_make_valid(name, -1);
            aimf_message(monitor, AIMF_LOG_WARNING, "the folder '%s' is not named target_protected and is left out",
                         shown);
            dataset->n_bad_names++;
            continue;
        }
        if (!read_folder(dataset, &group, others, error))
            return FALSE;
        guint n_labels;
        aimf_manifest_groups(dataset->samples, &n_labels);
        if (n_labels > AIMF_MAX_LABELS) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' has folders for more than %d protected labels",
                        root, AIMF_MAX_LABELS);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean aimf_read_groups(AimfDataset *dataset, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                          GError **error)
{
    if (!aimf_option_required("--root", options->root, error))
        return FALSE;
    g_autoptr(GPtrArray) folders = aimf_directory_list(options->root, error);
    g_auto(AimfOtherFormats) others = { 0 };
    if (!folders || !read_folders(dataset, options->root, folders, &others, monitor, error))
        return FALSE;
    aimf_other_formats_tell(&others, dataset, monitor);
    if (aimf_manifest_count(dataset->samples))
        return TRUE;
    g_autofree char *deeper = find_deeper(options->root, folders);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                "no JPEG, PNG or WebP pictures in group folders (0_0, 0_1, 1_0, 1_1 …) below '%s'%s%s", options->root,
                deeper ? "; there are such folders in " : "", deeper ? deeper : "");
    return FALSE;
}
