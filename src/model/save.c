/*
 * Saved models: safetensors whose metadata makes them usable without flags. Version 1 of the format knows pictures
 * that are resized whole to a square, as this program's training does; version 2 has a key for whatever differs, so
 * that programs of before refuse it.
 */
#include "model/model.h"

#include "base/json.h"
#include "base/number.h"
#include "base/shown.h"

#include <aimfair/json.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#define PLAIN_VERSION "1"
#define EXTENDED_VERSION "2"
#define KEY(name) "aimfair." name

/* Locale-independent and exact on the way back. */
static char *triple_text(const float values[3])
{
    char text[3][AIMF_NUMBER_SIZE];
    for (int i = 0; i < 3; i++)
        aimf_number_text_single(text[i], values[i]);
    return g_strdup_printf("%s,%s,%s", text[0], text[1], text[2]);
}

static char *classes_text(char *const *classes)
{
    g_autoptr(JsonArray) array = json_array_new();
    for (char *const *name = classes; *name; name++)
        json_array_add_string_element(array, *name);
    g_autoptr(JsonNode) node = json_node_init_array(json_node_alloc(), array);
    return aimf_json_write(node, FALSE);
}

/* Returns: whether something differs from what version 1 knows. */
static gboolean store_preprocess(const AimfPreprocess *p, AimfTensors *tensors)
{
    g_autofree char *size =
        p->width == p->height ? g_strdup_printf("%d", p->width) : g_strdup_printf("%dx%d", p->width, p->height);
    g_autofree char *mean = triple_text(p->mean);
    g_autofree char *std = triple_text(p->std);
    gboolean extended = p->width != p->height;
    aimf_tensors_set_metadata(tensors, KEY("image_size"), size);
    aimf_tensors_set_metadata(tensors, KEY("mean"), mean);
    aimf_tensors_set_metadata(tensors, KEY("std"), std);
    for (const char *const *name = aimf_preprocess_names(); *name; name++) {
        g_autofree char *key = g_strconcat(KEY(""), *name, NULL);
        g_autofree char *value = aimf_preprocess_get(p, *name);
        aimf_tensors_set_metadata(tensors, key, value);
        extended = extended || value;
    }
    return extended;
}

gboolean aimf_model_save(const AimfModel *model, const char *path, GError **error)
{
    if (!aimf_model_check(model, error))
        return FALSE;
    AimfTensors *tensors = model->tensors;
    gboolean extended = store_preprocess(&model->preprocess, tensors);
    g_autofree char *outputs = g_strdup_printf("%d", model->outputs);
    g_autofree char *classes = model->classes ? classes_text(model->classes) : NULL;
    char threshold[AIMF_NUMBER_SIZE];
    aimf_number_text(threshold, model->threshold);
    aimf_tensors_set_metadata(tensors, KEY("format"), extended ? EXTENDED_VERSION : PLAIN_VERSION);
    aimf_tensors_set_metadata(tensors, KEY("architecture"), model->architecture);
    aimf_tensors_set_metadata(tensors, KEY("outputs"), outputs);
    aimf_tensors_set_metadata(tensors, KEY("threshold"), threshold);
    if (model->target)
        aimf_tensors_set_metadata(tensors, KEY("target"), model->target);
    if (classes)
        aimf_tensors_set_metadata(tensors, KEY("classes"), classes);
    return aimf_tensors_save(tensors, path, error);
}

/* --- Reading; every reader names the key and what it has. --- */

static gboolean refuse(const char *key, const char *value, const char *expected, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its metadata has %s '%s'; expected %s", key, AIMF_SHOWN(value),
                expected);
    return FALSE;
}

static gboolean read_int(const AimfTensors *tensors, const char *key, int *value, GError **error)
{
    const char *text = aimf_tensors_metadata(tensors, key);
    gint64 number;
    if (!text || !g_ascii_string_to_signed(text, 10, 1, G_MAXINT, &number, NULL))
        return refuse(key, text, "a positive whole number", error);
    *value = (int)number;
    return TRUE;
}

static gboolean read_double(const char *text, double *value)
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
        good = read_double(parts[i], &value) && fabs(value) < 1e6 && (!positive || value > 1e-6);
        values[i] = (float)value;
    }
    return good || refuse(key, text, positive ? "three positive numbers" : "three numbers", error);
}

/* "224", or "320x240": width and height. Whether the architecture takes it is seen later. */
static gboolean read_size(const AimfTensors *tensors, AimfPreprocess *p, GError **error)
{
    const char *text = aimf_tensors_metadata(tensors, KEY("image_size"));
    g_auto(GStrv) sides = g_strsplit(text ? text : "", "x", 3);
    guint n = g_strv_length(sides);
    gint64 width, height;
    if (n < 1 || n > 2 || !g_ascii_string_to_signed(sides[0], 10, 1, G_MAXINT, &width, NULL) ||
        !g_ascii_string_to_signed(sides[n - 1], 10, 1, G_MAXINT, &height, NULL))
        return refuse(KEY("image_size"), text, "a positive whole number, or two: 320x240", error);
    p->width = (int)width;
    p->height = (int)height;
    return TRUE;
}

static gboolean read_preprocess(const AimfTensors *tensors, gboolean extended, AimfPreprocess *p, GError **error)
{
    if (!read_size(tensors, p, error) || !read_triple(tensors, KEY("mean"), p->mean, FALSE, error) ||
        !read_triple(tensors, KEY("std"), p->std, TRUE, error))
        return FALSE;
    for (const char *const *name = aimf_preprocess_names(); extended && *name; name++) {
        g_autofree char *key = g_strconcat(KEY(""), *name, NULL);
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
    *extended = g_str_equal(version, EXTENDED_VERSION);
    return *extended || g_str_equal(version, PLAIN_VERSION) ||
           refuse(KEY("format"), version, "version " PLAIN_VERSION " or " EXTENDED_VERSION ", those this program knows",
                  error);
}

gboolean aimf_saved_preprocess(const AimfTensors *tensors, AimfPreprocess *preprocess, GError **error)
{
    const char *version = aimf_tensors_metadata(tensors, KEY("format"));
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
    return aimf_tensors_metadata(tensors, KEY("architecture"));
}

static gboolean read_classes(const AimfTensors *tensors, AimfModel *model, GError **error)
{
    const char *text = aimf_tensors_metadata(tensors, KEY("classes"));
    if (!text)
        return TRUE;
    g_autoptr(JsonNode) node = aimf_json_parse(text, strlen(text), NULL);
    JsonArray *array = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    guint n = (guint)aimf_model_n_classes(model);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; array && i < n && i < json_array_get_length(array); i++) {
        JsonNode *element = json_array_get_element(array, i);
        if (json_node_get_value_type(element) == G_TYPE_STRING)
            g_ptr_array_add(names, g_strdup(json_node_get_string(element)));
    }
    if (!array || json_array_get_length(array) != n || names->len != n)
        return refuse(KEY("classes"), text, "a JSON list with a name for every class", error);
    g_ptr_array_add(names, NULL);
    model->classes = (char **)g_ptr_array_steal(names, NULL);
    return TRUE;
}

static AimfModel *read_model(const AimfTensors *tensors, GError **error)
{
    const char *version = aimf_tensors_metadata(tensors, KEY("format"));
    if (!version) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "it has weights but does not say how to use them; 'aimfair import' makes a saved model of it, and "
                    "'aimfair train --init' begins with it");
        return NULL;
    }
    gboolean extended;
    if (!check_version(version, &extended, error))
        return NULL;
    const char *architecture = aimf_saved_architecture(tensors);
    AimfPreprocess preprocess = { 0 };
    int outputs;
    if (!architecture) {
        refuse(KEY("architecture"), NULL, "a name", error);
        return NULL;
    }
    if (!read_preprocess(tensors, extended, &preprocess, error) || !read_int(tensors, KEY("outputs"), &outputs, error))
        return NULL;
    g_autoptr(AimfModel) model = aimf_model_blank(architecture, &preprocess, outputs, error);
    if (!model || !aimf_model_check(model, error) || !read_classes(tensors, model, error))
        return NULL;
    const char *threshold = aimf_tensors_metadata(tensors, KEY("threshold"));
    if (!threshold || !read_double(threshold, &model->threshold) || model->threshold <= 0 || model->threshold >= 1) {
        refuse(KEY("threshold"), threshold, "a number between 0 and 1", error);
        return NULL;
    }
    model->target = g_strdup(aimf_tensors_metadata(tensors, KEY("target")));
    return aimf_model_fill(model, tensors, &model->preprocess, FALSE, NULL, error) ? g_steal_pointer(&model) : NULL;
}

AimfModel *aimf_model_open(const char *path, GError **error)
{
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(path, error);
    if (!tensors)
        return NULL;
    AimfModel *model = read_model(tensors, error);
    if (!model) {
        g_prefix_error(error, "'%s' is not a saved model: ", path);
        return NULL;
    }
    g_auto(GStrv) keys = aimf_tensors_metadata_keys(tensors);
    for (char **key = keys; *key; key++)
        aimf_tensors_set_metadata(model->tensors, *key, aimf_tensors_metadata(tensors, *key));
    return model;
}
