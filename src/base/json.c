#include "base/json.h"

#include "base/format.h"
#include "base/json_grammar.h"
#include "base/shown.h"
#include "base/text_file.h"

#include <aimfair/json.h>
#include <math.h>
#include <string.h>

JsonNode *aimf_json_parse(const char *text, gsize length, GError **error)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (length >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0) {
        text += strlen(mark);
        length -= strlen(mark);
    }
    g_autofree char *whole = aimf_json_prepare(text, length, error);
    if (!whole)
        return NULL;
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) reason = NULL;
    if (!json_parser_load_from_data(parser, whole, (gssize)length, &reason)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "not JSON: %s", reason->message);
        return NULL;
    }
    JsonNode *root = json_parser_get_root(parser);
    if (!root)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "not JSON: it is empty");
    return root ? json_node_copy(root) : NULL;
}

JsonNode *aimf_json_open(const char *path, gsize limit_bytes, GError **error)
{
    g_autoptr(GBytes) bytes = aimf_text_read(path, limit_bytes, error);
    if (!bytes)
        return NULL;
    gsize length;
    const char *text = g_bytes_get_data(bytes, &length);
    g_autoptr(JsonNode) root = aimf_json_parse(text, length, error);
    if (!root) {
        g_prefix_error(error, "'%s': ", path);
        return NULL;
    }
    if (JSON_NODE_HOLDS_OBJECT(root))
        return g_steal_pointer(&root);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' is not a JSON object", path);
    return NULL;
}

static JsonNode *member(JsonObject *object, const char *where, const char *name, GError **error)
{
    JsonNode *node = json_object_get_member(object, name);
    if (!node)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: '%s' is missing", where, name);
    return node;
}

static gboolean wrong_kind(const char *where, const char *name, const char *expected, JsonNode *found, GError **error)
{
    g_autofree char *text = aimf_json_write(found, FALSE);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: '%s' must be %s, not %s", where, name, expected,
                AIMF_SHOWN(text));
    return FALSE;
}

gboolean aimf_json_int(JsonObject *object, const char *where, const char *name, gint64 low, gint64 high, gint64 *value,
                       GError **error)
{
    JsonNode *node = member(object, where, name, error);
    if (!node)
        return FALSE;
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_INT64) {
        *value = json_node_get_int(node);
        if (*value >= low && *value <= high)
            return TRUE;
    }
    g_autofree char *expected =
        g_strdup_printf("a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, low, high);
    return wrong_kind(where, name, expected, node, error);
}

gboolean aimf_json_double(JsonObject *object, const char *where, const char *name, double low, double high,
                          double *value, GError **error)
{
    JsonNode *node = member(object, where, name, error);
    if (!node)
        return FALSE;
    GType type = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;
    if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE) {
        *value = json_node_get_double(node);
        if (isfinite(*value) && *value >= low && *value <= high)
            return TRUE;
    }
    g_autofree char *expected = aimf_format("a number from %g to %g", low, high);
    return wrong_kind(where, name, expected, node, error);
}

const char *aimf_json_text(JsonObject *object, const char *where, const char *name, GError **error)
{
    JsonNode *node = member(object, where, name, error);
    if (!node)
        return NULL;
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING && *json_node_get_string(node))
        return json_node_get_string(node);
    wrong_kind(where, name, "a text that is not empty", node, error);
    return NULL;
}

JsonArray *aimf_json_array(JsonObject *object, const char *where, const char *name, GError **error)
{
    JsonNode *node = member(object, where, name, error);
    if (!node)
        return NULL;
    if (JSON_NODE_HOLDS_ARRAY(node))
        return json_node_get_array(node);
    wrong_kind(where, name, "an array", node, error);
    return NULL;
}

JsonObject *aimf_json_object(JsonObject *object, const char *where, const char *name, GError **error)
{
    JsonNode *node = member(object, where, name, error);
    if (!node)
        return NULL;
    if (JSON_NODE_HOLDS_OBJECT(node))
        return json_node_get_object(node);
    wrong_kind(where, name, "an object", node, error);
    return NULL;
}

JsonObject *aimf_json_element(JsonArray *array, const char *where, guint index, GError **error)
{
    JsonNode *node = json_array_get_element(array, index);
    if (JSON_NODE_HOLDS_OBJECT(node))
        return json_node_get_object(node);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s[%u] must be an object", where, index);
    return NULL;
}

char *aimf_json_lines(JsonObject *object)
{
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
    json_object_unref(object);
    g_autofree char *text = aimf_json_write(node, TRUE);
    return g_strconcat(text, "\n", NULL);
}
