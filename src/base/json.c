#include "base/json.h"

#include "base/content.h"
#include "base/shown.h"
#include "base/text_file.h"

#include <aimfair/json.h>
#include <math.h>
#include <string.h>

enum { MAX_DEPTH = 64, BINARY_BYTES = 512, SHOWN_BYTES = 24 };

static gboolean not_json(GError **error, const char *text, gsize at, const char *why)
{
    guint line = 1;
    for (gsize i = 0; i < at; i++)
        line += text[i] == '\n';
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "not JSON: line %u has %s", line, why);
    return FALSE;
}

/* What no JSON begins with is another kind of file, whatever stands further down in it. */
static gboolean check_beginning(const char *text, gsize length, GError **error)
{
    gsize start = 0;
    const AimfContent *content = aimf_content_recognise(text, length);
    while (start < length && strchr(" \t\r\n", text[start]) && text[start])
        start++;
    if (start == length) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "not JSON: it is empty");
        return FALSE;
    }
    if (!content)
        content = aimf_content_of_others(text, length);
    if (content && text[start] != '{' && text[start] != '[') {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "not JSON: it is %s; %s", content->name, content->mend);
        return FALSE;
    }
    for (gsize i = start; i < MIN(length, start + BINARY_BYTES); i++) {
        if ((guchar)text[i] >= ' ' || strchr("\t\r\n\f\b\x1b", text[i] ? text[i] : 'x'))
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "not JSON: it is binary");
        return FALSE;
    }
    static const char *const words[] = { "true", "false", "null" };
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
        if (length - start >= strlen(words[i]) && memcmp(text + start, words[i], strlen(words[i])) == 0)
            return TRUE;
    if (strchr("{[\"-/'0123456789", text[start]))
        return TRUE;
    gsize n = MIN(strcspn(text + start, "\r\n"), SHOWN_BYTES);
    g_autofree char *shown = g_utf8_make_valid(text + start, (gssize)n);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "not JSON: it %s\"%s\"",
                text[start] == '<' ? "is HTML or XML and begins with " : "begins with ", shown);
    return FALSE;
}

/*
 * Looked at first, because json-glib recurses; it also knows comments and single quotes, and they could hide
 * brackets.
 */
static gboolean check_nesting(const char *text, gsize length, GError **error)
{
    guint depth = 0, deepest = 0;
    gboolean inside_text = FALSE;
    for (gsize i = 0; i < length; i++) {
        char c = text[i];
        if (inside_text) {
            if (c == '\\')
                i++;
            else if (c == '"')
                inside_text = FALSE;
        } else if (c == '"') {
            inside_text = TRUE;
        } else if (c == '/') {
            gboolean comment = i + 1 < length && (text[i + 1] == '/' || text[i + 1] == '*');
            return not_json(error, text, i,
                            comment ? "a comment, and JSON has no comments" : "a '/' outside of a text");
        } else if (c == '\'') {
            return not_json(error, text, i, "a single quote, and JSON has no single quotes");
        } else if (c == '[' || c == '{') {
            depth++;
            deepest = MAX(deepest, depth);
        } else if ((c == ']' || c == '}') && depth) {
            depth--;
        }
    }
    if (deepest > MAX_DEPTH)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "JSON nested deeper than %d levels", MAX_DEPTH);
    return deepest <= MAX_DEPTH;
}

/* The 16 bits of the escape \uXXXX at the beginning of @text, which ends at @end; -1 if there is none. */
static int unit_at(const char *text, const char *end)
{
    if (end - text < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;
    int unit = 0;
    for (int i = 2; i < 6; i++) {
        if (!g_ascii_isxdigit(text[i]))
            return -1;
        unit = unit << 4 | g_ascii_xdigit_value(text[i]);
    }
    return unit;
}

/*
 * (owned) @text with \ufffd in the place of halves of characters, \ud800 to \udfff without the other half: json-glib
 * makes bytes of them that are no UTF-8.
 */
static char *without_halves(const char *text, gsize length)
{
    char *copy = g_try_malloc(length + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = 0;
    const char *end = copy + length;
    for (char *at = copy; (at = memchr(at, '\\', (gsize)(end - at)));) {
        int unit = unit_at(at, end);
        if (unit < 0) {
            at += MIN(end - at, 2); /* the other escapes */
            continue;
        }
        int next = unit_at(at + 6, end);
        if (unit >= 0xD800 && unit < 0xDC00 && next >= 0xDC00 && next < 0xE000)
            at += 6;
        else if (unit >= 0xD800 && unit < 0xE000)
            memcpy(at, "\\ufffd", 6);
        at += 6;
    }
    return copy;
}

JsonNode *aimf_json_parse(const char *text, gsize length, GError **error)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (length >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0) {
        text += strlen(mark);
        length -= strlen(mark);
    }
    if (!check_beginning(text, length, error) || !check_nesting(text, length, error))
        return NULL;
    g_autofree char *whole = without_halves(text, length);
    if (!whole) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for JSON of %" G_GSIZE_FORMAT " bytes", length);
        return NULL;
    }
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
    g_autofree char *expected = g_strdup_printf("a number from %g to %g", low, high);
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
