#include "data/dataset.h"

#include "base/content.h"
#include "base/monitor.h"
#include <aimfair/names.h>
#include <string.h>

static const AimfDatasetKind KINDS[] = {
    { "celeba", "CelebA: img_align_celeba/ and list_attr_celeba.txt or .csv, or Img/ and Anno/", TRUE },
    { "utkface", "UTKFace: [age]_[gender]_[race]_[date].jpg", FALSE },
    { "groups", "group folders: target_protected, for instance 0_0, 0_1, 1_0, 1_1", FALSE },
    { "csv", "any CSV with columns for path, target and protected", FALSE },
};

static const AimfDatasetReader READERS[G_N_ELEMENTS(KINDS)] = {
    aimf_read_celeba,
    aimf_read_utkface,
    aimf_read_groups,
    aimf_read_csv,
};

const AimfDatasetKind *aimf_dataset_kinds(guint *n)
{
    *n = G_N_ELEMENTS(KINDS);
    return KINDS;
}

void aimf_dataset_free(AimfDataset *dataset)
{
    if (!dataset)
        return;
    aimf_manifest_free(dataset->samples);
    g_free(dataset->parts);
    g_free(dataset);
}

static AimfDatasetReader find_reader(const char *kind, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++)
        if (strcmp(KINDS[i].name, kind) == 0)
            return READERS[i];
    const char *names[G_N_ELEMENTS(KINDS) + 1] = { NULL };
    for (gsize i = 0; i < G_N_ELEMENTS(KINDS); i++)
        names[i] = KINDS[i].name;
    g_autofree char *list = g_strjoinv(", ", (char **)names);
    g_autofree char *hint = aimf_name_hint(kind, names);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "there is no dataset layout '%s'%s; there are: %s", kind, hint,
                list);
    return NULL;
}

void aimf_dataset_name_last(AimfDataset *dataset, const char *target_name, const char *protected_name)
{
    guint last = aimf_manifest_count(dataset->samples) - 1;
    aimf_manifest_set(dataset->samples, last, "target_name", target_name);
    aimf_manifest_set(dataset->samples, last, "protected_name", protected_name);
}

AimfDataset *aimf_dataset_open(const char *kind, const AimfDatasetOptions *options, const AimfMonitor *monitor,
                               GError **error)
{
    AimfDatasetReader read = find_reader(kind, error);
    if (!read)
        return NULL;
    g_autoptr(AimfDataset) dataset = g_new0(AimfDataset, 1);
    dataset->samples = aimf_manifest_new();
    if (!read(dataset, options, monitor, error))
        return NULL;
    if (dataset->n_missing)
        aimf_message(monitor, AIMF_LOG_WARNING, "%u labelled pictures are not on disk and are left out",
                     dataset->n_missing);
    return g_steal_pointer(&dataset);
}

gboolean aimf_is_image_name(const char *name)
{
    static const char *const ENDINGS[] = { ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp" };
    gsize length = strlen(name);
    for (gsize i = 0; i < G_N_ELEMENTS(ENDINGS); i++) {
        gsize n = strlen(ENDINGS[i]);
        if (length > n && g_ascii_strcasecmp(name + length - n, ENDINGS[i]) == 0)
            return TRUE;
    }
    return FALSE;
}

void aimf_other_formats_note(AimfOtherFormats *others, const char *name)
{
    const char *format = aimf_content_of_name(name);
    for (guint i = 0; format && i < AIMF_MAX_OTHER_FORMATS; i++) {
        if (others->formats[i].name && strcmp(others->formats[i].name, format) != 0)
            continue;
        others->formats[i].name = format;
        others->formats[i].n++;
        others->first = others->first ? others->first : g_strdup(name);
        return;
    }
}

void aimf_other_formats_tell(const AimfOtherFormats *others, AimfDataset *dataset, const AimfMonitor *monitor)
{
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < AIMF_MAX_OTHER_FORMATS && others->formats[i].name; i++) {
        dataset->n_other_formats += others->formats[i].n;
        g_string_append_printf(list, "%s%u %s", i ? ", " : "", others->formats[i].n, others->formats[i].name);
    }
    if (!others->first)
        return;
    g_autofree char *shown = g_utf8_make_valid(others->first, -1);
    aimf_message(
        monitor, AIMF_LOG_WARNING,
        "left out because their format is not read: %s, the first is '%s'; JPEG, PNG and WebP are read: convert "
        "them, for instance with ImageMagick's mogrify -format png",
        list->str, shown);
}

void aimf_other_formats_clear(AimfOtherFormats *others)
{
    g_clear_pointer(&others->first, g_free);
}

gboolean aimf_is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (g_ascii_strcasecmp(name, *names) == 0)
            return TRUE;
    return FALSE;
}

gboolean aimf_option_required(const char *option, const char *value, GError **error)
{
    if (value && *value)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s is missing", option);
    return FALSE;
}
