/* sensitivity.json, version 1. */
#include "base/file.h"
#include "base/json.h"
#include "base/shown.h"
#include "fair/sensitivity.h"

#include <aimfair/json.h>
#include <string.h>

enum { VERSION = 1, MAX_FILE_BYTES = 64 << 20 };

static void build_tensor(JsonBuilder *builder, const AimfSensitivity *tensor)
{
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "name");
    json_builder_add_string_value(builder, tensor->name);
    json_builder_set_member_name(builder, "size");
    json_builder_add_int_value(builder, tensor->size);
    json_builder_set_member_name(builder, "domain");
    json_builder_add_double_value(builder, tensor->domain);
    json_builder_set_member_name(builder, "bias");
    json_builder_add_double_value(builder, tensor->bias);
    json_builder_set_member_name(builder, "domain_rank");
    json_builder_add_int_value(builder, tensor->domain_rank);
    json_builder_set_member_name(builder, "bias_rank");
    json_builder_add_int_value(builder, tensor->bias_rank);
    json_builder_end_object(builder);
}

char *aimf_sensitivities_json(const AimfSensitivities *sensitivities)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "version");
    json_builder_add_int_value(builder, VERSION);
    json_builder_set_member_name(builder, "model");
    json_builder_add_string_value(builder, sensitivities->model_hash);
    /* A file of the usual way says nothing of it, as before there was the choice. */
    if (sensitivities->batch_norm == AIMF_BATCH_NORM_FROZEN) {
        json_builder_set_member_name(builder, "batch_norm");
        json_builder_add_string_value(builder, "frozen");
    }
    json_builder_set_member_name(builder, "tensors");
    json_builder_begin_array(builder);
    for (guint i = 0; i < sensitivities->n; i++)
        build_tensor(builder, &sensitivities->tensors[i]);
    json_builder_end_array(builder);
    g_autofree char *warnings = aimf_findings_json(sensitivities->findings);
    json_builder_set_member_name(builder, "warnings");
    json_builder_add_value(builder, json_from_string(warnings, NULL));
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *text = aimf_json_write(root, TRUE);
    return g_strconcat(text, "\n", NULL);
}

gboolean aimf_sensitivities_save(const AimfSensitivities *sensitivities, const char *path, GError **error)
{
    g_autofree char *text = aimf_sensitivities_json(sensitivities);
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    if (!writer)
        return FALSE;
    aimf_writer_write(writer, text, strlen(text));
    return aimf_writer_commit(writer, error);
}

static gboolean read_tensor(JsonObject *object, const char *where, guint n, AimfSensitivity *tensor, GError **error)
{
    gint64 domain_rank, bias_rank;
    const char *name = aimf_json_text(object, where, "name", error);
    if (!name)
        return FALSE;
    tensor->name = g_strdup(name);
    if (!aimf_json_int(object, where, "size", 1, G_MAXINT64, &tensor->size, error) ||
        !aimf_json_double(object, where, "domain", 0, G_MAXDOUBLE, &tensor->domain, error) ||
        !aimf_json_double(object, where, "bias", 0, G_MAXDOUBLE, &tensor->bias, error) ||
        !aimf_json_int(object, where, "domain_rank", 1, n, &domain_rank, error) ||
        !aimf_json_int(object, where, "bias_rank", 1, n, &bias_rank, error))
        return FALSE;
    tensor->domain_rank = (guint)domain_rank;
    tensor->bias_rank = (guint)bias_rank;
    return TRUE;
}

static gboolean check_names(const AimfSensitivities *sensitivities, const char *path, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < sensitivities->n; i++) {
        if (!g_hash_table_add(names, sensitivities->tensors[i].name)) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s': the tensor '%s' is there twice", path,
                        sensitivities->tensors[i].name);
            return FALSE;
        }
    }
    return TRUE;
}

/* Ranks are a function of the values; a file in which they are not was edited or mixed up. */
static gboolean check_ranks(AimfSensitivities *sensitivities, const char *path, GError **error)
{
    guint n = sensitivities->n;
    g_autofree AimfSensitivity *tensors = g_memdup2(sensitivities->tensors, sizeof *tensors * n);
    AimfSensitivities ranked = { .n = n, .tensors = tensors };
    aimf_sensitivities_rank(&ranked);
    for (guint i = 0; i < n; i++) {
        const AimfSensitivity *found = &sensitivities->tensors[i], *expected = &tensors[i];
        if (found->domain_rank != expected->domain_rank || found->bias_rank != expected->bias_rank) {
            g_set_error(
                error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "'%s': the ranks of '%s' are %u and %u, but its values give %u and %u; measure the sensitivities anew",
                path, found->name, found->domain_rank, found->bias_rank, expected->domain_rank, expected->bias_rank);
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean read_tensors(AimfSensitivities *sensitivities, JsonArray *array, const char *path, GError **error)
{
    g_autofree char *list = g_strdup_printf("'%s', tensors", path);
    guint n = json_array_get_length(array);
    if (n < 1 || n > G_MAXINT) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: there are none", list);
        return FALSE;
    }
    sensitivities->tensors = g_new0(AimfSensitivity, n);
    for (guint i = 0; i < n; i++) {
        sensitivities->n = i + 1; /* what free must look at, also after a failure */
        g_autofree char *where = g_strdup_printf("%s[%u]", list, i);
        JsonObject *object = aimf_json_element(array, list, i, error);
        if (!object || !read_tensor(object, where, n, &sensitivities->tensors[i], error))
            return FALSE;
    }
    return check_names(sensitivities, path, error) && check_ranks(sensitivities, path, error);
}

static gboolean read_batch_norm(AimfSensitivities *sensitivities, JsonObject *object, const char *where, GError **error)
{
    if (!json_object_has_member(object, "batch_norm"))
        return TRUE;
    const char *text = aimf_json_text(object, where, "batch_norm", error);
    if (!text)
        return FALSE;
    sensitivities->batch_norm = AIMF_BATCH_NORM_FROZEN;
    if (strcmp(text, "frozen") == 0)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: 'batch_norm' is '%s'; it can only be 'frozen'", where,
                AIMF_SHOWN(text));
    return FALSE;
}

/* Files of older programs have none. */
static gboolean read_warnings(AimfSensitivities *sensitivities, JsonObject *object, const char *path, GError **error)
{
    JsonNode *node = json_object_get_member(object, "warnings");
    g_autofree char *text = node ? json_to_string(node, FALSE) : NULL;
    sensitivities->findings = aimf_findings_new();
    if (!text || aimf_findings_parse(sensitivities->findings, text))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s': warnings is no list of objects with name and text", path);
    return FALSE;
}

AimfSensitivities *aimf_sensitivities_open(const char *path, GError **error)
{
    g_autoptr(JsonNode) root = aimf_json_open(path, MAX_FILE_BYTES, error);
    if (!root)
        return NULL;
    JsonObject *object = json_node_get_object(root);
    g_autofree char *where = g_strdup_printf("'%s'", path);
    gint64 version;
    const char *model;
    JsonArray *array;
    g_autoptr(AimfSensitivities) sensitivities = g_new0(AimfSensitivities, 1);
    if (!aimf_json_int(object, where, "version", VERSION, VERSION, &version, error) ||
        !(model = aimf_json_text(object, where, "model", error)) ||
        !read_batch_norm(sensitivities, object, where, error) ||
        !(array = aimf_json_array(object, where, "tensors", error)) ||
        !read_tensors(sensitivities, array, path, error) || !read_warnings(sensitivities, object, path, error))
        return NULL;
    sensitivities->model_hash = g_strdup(model);
    return g_steal_pointer(&sensitivities);
}
