/*
 * Saved models: safetensors whose metadata makes them usable without flags. Version 1 of the format knows pictures
 * that are resized whole to a square, as this program's training does; version 2 has a key for whatever differs, so
 * that programs of before refuse it.
 */
#include "model/saved.h"

#include "base/json.h"
#include "base/number.h"

#include <aimfair/json.h>
#include <string.h>

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
    aimf_tensors_set_metadata(tensors, AIMF_SAVED_KEY("image_size"), size);
    aimf_tensors_set_metadata(tensors, AIMF_SAVED_KEY("mean"), mean);
    aimf_tensors_set_metadata(tensors, AIMF_SAVED_KEY("std"), std);
    for (const char *const *name = aimf_preprocess_names(); *name; name++) {
        g_autofree char *key = g_strconcat(AIMF_SAVED_KEY(""), *name, NULL);
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
    aimf_tensors_set_metadata(tensors, AIMF_SAVED_KEY("format"), extended ? AIMF_SAVED_EXTENDED : AIMF_SAVED_PLAIN);
    aimf_tensors_set_metadata(tensors, AIMF_SAVED_KEY("architecture"), model->architecture);
    aimf_tensors_set_metadata(tensors, AIMF_SAVED_KEY("outputs"), outputs);
    aimf_tensors_set_metadata(tensors, AIMF_SAVED_KEY("threshold"), threshold);
    if (model->target)
        aimf_tensors_set_metadata(tensors, AIMF_SAVED_KEY("target"), model->target);
    if (classes)
        aimf_tensors_set_metadata(tensors, AIMF_SAVED_KEY("classes"), classes);
    return aimf_tensors_save(tensors, path, error);
}

/* --- Reading --- */

static gboolean read_int(const AimfTensors *tensors, const char *key, int *value, GError **error)
{
    const char *text = aimf_tensors_metadata(tensors, key);
    gint64 number;
    if (!text || !g_ascii_string_to_signed(text, 10, 1, G_MAXINT, &number, NULL))
        return aimf_saved_refuse(key, text, "a positive whole number", error);
    *value = (int)number;
    return TRUE;
}

static gboolean read_classes(const AimfTensors *tensors, AimfModel *model, GError **error)
{
    const char *text = aimf_tensors_metadata(tensors, AIMF_SAVED_KEY("classes"));
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
        return aimf_saved_refuse(AIMF_SAVED_KEY("classes"), text, "a JSON list with a name for every class", error);
    g_ptr_array_add(names, NULL);
    model->classes = (char **)g_ptr_array_steal(names, NULL);
    return TRUE;
}

static AimfModel *read_model(const AimfTensors *tensors, GError **error)
{
    if (!aimf_tensors_metadata(tensors, AIMF_SAVED_KEY("format"))) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "it has weights but does not say how to use them; 'aimfair import' makes a saved model of it, and "
                    "'aimfair train --init' begins with it");
        return NULL;
    }
    const char *architecture = aimf_saved_architecture(tensors);
    AimfPreprocess preprocess = { 0 };
    int outputs = 0;
    if (!aimf_saved_preprocess(tensors, &preprocess, error) ||
        !read_int(tensors, AIMF_SAVED_KEY("outputs"), &outputs, error))
        return NULL;
    if (!architecture) {
        aimf_saved_refuse(AIMF_SAVED_KEY("architecture"), NULL, "a name", error);
        return NULL;
    }
    g_autoptr(AimfModel) model = aimf_model_blank(architecture, &preprocess, outputs, error);
    if (!model || !aimf_model_check(model, error) || !read_classes(tensors, model, error))
        return NULL;
    const char *threshold = aimf_tensors_metadata(tensors, AIMF_SAVED_KEY("threshold"));
    if (!threshold || !aimf_saved_double(threshold, &model->threshold) || model->threshold <= 0 ||
        model->threshold >= 1) {
        aimf_saved_refuse(AIMF_SAVED_KEY("threshold"), threshold, "a number between 0 and 1", error);
        return NULL;
    }
    model->target = g_strdup(aimf_tensors_metadata(tensors, AIMF_SAVED_KEY("target")));
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
