#include "data/dataset_reader.h"

#include "base/content.h"
#include "base/monitor.h"
#include <string.h>

void aimf_dataset_name_last(AimfDataset *dataset, const char *target_name, const char *protected_name)
{
    guint last = aimf_manifest_count(dataset->samples) - 1;
    aimf_manifest_set(dataset->samples, last, "target_name", target_name);
    aimf_manifest_set(dataset->samples, last, "protected_name", protected_name);
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
