/* What a saved model's metadata say of it; every reader names the key and what it has. */
#include "model/saved.h"

#include "base/shown.h"

#include <math.h>
#include <string.h>

gboolean aimf_saved_refuse(const char *key, const char *value, const char *expected, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its metadata has %s '%s'; expected %s", key, AIMF_SHOWN(value),
                expected);
    return FALSE;
}

gboolean aimf_saved_double(const char *text, double *value)
{
    char *end;
    *value = g_ascii_strtod(text, &end);
    return end != text && *end == 0 && isfinite(*value);
}

static gboolean read_triple(const AimfTensors *tensors, const char *key, float values[3], gboolean positive,
                            GError **error)
{
    const char *text = aimf_tensors_metadata(tensors, key);
    g_auto(GStrv) parts = text ? g_strsplit(text, ",", 4) : NULL;
    gboolean good = parts && g_strv_length(parts) == 3;
    for (int i = 0; good && i < 3; i++) {
        double value = 0;
        good = aimf_saved_double(parts[i], &value) && fabs(value) < 1e6 && (!positive || value > 1e-6);
        values[i] = (float)value;
    }
    return good || aimf_saved_refuse(key, text, positive ? "three positive numbers" : "three numbers", error);
}

/* "224", or "320x240": width and height. Whether the architecture takes it is seen later. */
static gboolean read_size(const AimfTensors *tensors, AimfPreprocess *p, GError **error)
{
    const char *text = aimf_tensors_metadata(tensors, AIMF_SAVED_KEY("image_size"));
    g_auto(GStrv) sides = g_strsplit(text ? text : "", "x", 3);
    guint n = g_strv_length(sides);
    gint64 width, height;
    if (n < 1 || n > 2 || !g_ascii_string_to_signed(sides[0], 10, 1, G_MAXINT, &width, NULL) ||
        !g_ascii_string_to_signed(sides[n - 1], 10, 1, G_MAXINT, &height, NULL))
        return aimf_saved_refuse(AIMF_SAVED_KEY("image_size"), text, "a positive whole number, or two: 320x240", error);
    p->width = (int)width;
    p->height = (int)height;
    return TRUE;
}

static gboolean read_preprocess(const AimfTensors *tensors, gboolean extended, AimfPreprocess *p, GError **error)
{
    if (!read_size(tensors, p, error) || !read_triple(tensors, AIMF_SAVED_KEY("mean"), p->mean, FALSE, error) ||
        !read_triple(tensors, AIMF_SAVED_KEY("std"), p->std, TRUE, error))
        return FALSE;
    for (const char *const *name = aimf_preprocess_names(); extended && *name; name++) {
        g_autofree char *key = g_strconcat(AIMF_SAVED_KEY(""), *name, NULL);
        const char *value = aimf_tensors_metadata(tensors, key);
        if (value && !aimf_preprocess_set(p, *name, value, error)) {
            g_prefix_error(error, "its metadata has %s: ", key);
            return FALSE;
        }
    }
    return TRUE;
}

/* @version: the format that a file names */
static gboolean check_version(const char *version, gboolean *extended, GError **error)
{
    *extended = g_str_equal(version, AIMF_SAVED_EXTENDED);
    return *extended || g_str_equal(version, AIMF_SAVED_PLAIN) ||
           aimf_saved_refuse(AIMF_SAVED_KEY("format"), version,
                             "version " AIMF_SAVED_PLAIN " or " AIMF_SAVED_EXTENDED ", those this program knows",
                             error);
}

gboolean aimf_saved_preprocess(const AimfTensors *tensors, AimfPreprocess *preprocess, GError **error)
{
    const char *version = aimf_tensors_metadata(tensors, AIMF_SAVED_KEY("format"));
    AimfPreprocess found = { 0 };
    gboolean extended;
    if (!version)
        return FALSE;
    if (!check_version(version, &extended, error) || !read_preprocess(tensors, extended, &found, error))
        return FALSE;
    *preprocess = found;
    return TRUE;
}

const char *aimf_saved_architecture(const AimfTensors *tensors)
{
    return aimf_tensors_metadata(tensors, AIMF_SAVED_KEY("architecture"));
}
