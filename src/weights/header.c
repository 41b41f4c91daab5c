#include "weights/header.h"

#include "base/json_grammar.h"
#include "base/shown.h"

#include <aimfair/json.h>
#include <string.h>

enum {
    MAX_DEPTH = 3,   /* the object of tensors, a tensor, its shape */
    MAX_DIGITS = 18, /* what gint64 always holds: the JSON parser does not check for overflow */
};

/*
 * What the JSON parser would not survive or would silently get wrong: nesting (it recurses), numbers that overflow,
 * names cut short by an escaped NUL, and more values after the first.
 */
static gboolean is_plain_json(const char *json, gsize bytes)
{
    int depth = 0, digits = 0;
    gboolean in_text = FALSE;
    for (gsize i = 0; i < bytes; i++) {
        char c = json[i];
        digits = !in_text && g_ascii_isdigit(c) ? digits + 1 : 0;
        if (c == 0 || digits > MAX_DIGITS || (depth == 0 && i > 0 && c != ' '))
            return FALSE;
        if (in_text && c == '\\') {
            i++;
            if (bytes - i >= 5 && memcmp(json + i, "u0000", 5) == 0)
                return FALSE;
        } else if (c == '"') {
            in_text = !in_text;
        } else if (!in_text && (c == '{' || c == '[')) {
            if (++depth > MAX_DEPTH)
                return FALSE;
        } else if (!in_text && (c == '}' || c == ']')) {
            depth--;
        }
    }
    return TRUE;
}

/*
 * The parser lets a later member of the same name replace and free an earlier one; counting them, alive, finds it
 * out.
 */
static void count_member(JsonParser *parser, JsonObject *object, const char *name, gpointer counts)
{
    (void)parser;
    (void)name;
    gpointer n = g_hash_table_lookup(counts, object);
    g_hash_table_insert(counts, json_object_ref(object), GUINT_TO_POINTER(GPOINTER_TO_UINT(n) + 1));
}

static gboolean has_duplicates(GHashTable *counts)
{
    GHashTableIter iter;
    gpointer object, n;
    g_hash_table_iter_init(&iter, counts);
    while (g_hash_table_iter_next(&iter, &object, &n))
        if (json_object_get_size(object) != GPOINTER_TO_UINT(n))
            return TRUE;
    return FALSE;
}

JsonParser *aimf_header_parse(const char *json, gsize bytes, GError **error)
{
    if (!is_plain_json(json, bytes)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "the header holds nesting, a number or a character that weight files do not have");
        return NULL;
    }
    g_autofree char *prepared = aimf_json_prepare(json, bytes, error);
    if (!prepared) {
        g_prefix_error(error, "the header is ");
        return NULL;
    }
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GHashTable) counts = g_hash_table_new_full(NULL, NULL, (GDestroyNotify)json_object_unref, NULL);
    g_signal_connect(parser, "object-member", G_CALLBACK(count_member), counts);
    g_autoptr(GError) cause = NULL;
    if (!json_parser_load_from_data(parser, prepared, (gssize)bytes, &cause)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the header is not JSON: %s", cause->message);
    } else if (!json_parser_get_root(parser) || !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser))) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the header is not a JSON object");
    } else if (has_duplicates(counts)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the header has a name twice");
    } else {
        return g_steal_pointer(&parser);
    }
    return NULL;
}

gboolean aimf_header_take_metadata(AimfTensors *tensors, JsonNode *node, GError **error)
{
    g_autoptr(GList) keys = JSON_NODE_HOLDS_OBJECT(node) ? json_object_get_members(json_node_get_object(node)) : NULL;
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the metadata are not an object");
        return FALSE;
    }
    for (GList *key = keys; key; key = key->next) {
        JsonNode *value = json_object_get_member(json_node_get_object(node), key->data);
        if (!JSON_NODE_HOLDS_VALUE(value) || json_node_get_value_type(value) != G_TYPE_STRING) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "the metadata '%s' is not a text", AIMF_SHOWN(key->data));
            return FALSE;
        }
        aimf_tensors_set_metadata(tensors, key->data, json_node_get_string(value));
    }
    return TRUE;
}

void aimf_header_build_metadata(JsonBuilder *builder, const AimfTensors *tensors)
{
    g_auto(GStrv) keys = aimf_tensors_metadata_keys(tensors);
    json_builder_begin_object(builder);
    for (char **key = keys; *key; key++) {
        json_builder_set_member_name(builder, *key);
        json_builder_add_string_value(builder, aimf_tensors_metadata(tensors, *key));
    }
    json_builder_end_object(builder);
}

char *aimf_header_text(JsonBuilder *builder, gsize *bytes)
{
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    char *text = aimf_json_write(root, FALSE);
    *bytes = strlen(text);
    return text;
}
