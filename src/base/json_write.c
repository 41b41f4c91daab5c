/* JSON to text. json-glib's own writer gives 17 digits to every number, writes nan, and passes broken UTF-8 on. */
#include "base/json_write.h"

#include "base/number.h"

#include <aimfair/json.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static void write_node(GString *text, JsonNode *node, int level);

/* @level: of the line to begin, negative for a text of one line */
static void break_line(GString *text, int level)
{
    if (level >= 0)
        g_string_append_printf(text, "\n%*s", 2 * level, "");
}

static int deeper(int level)
{
    return level < 0 ? level : level + 1;
}

void aimf_json_append_text(GString *text, const char *value)
{
    static const char letters[] = "\"\\\b\f\n\r\t", escapes[] = "\"\\bfnrt";
    g_autofree char *valid = g_utf8_make_valid(value ? value : "", -1);
    g_string_append_c(text, '"');
    for (const char *c = valid; *c; c++) {
        const char *special = strchr(letters, *c);
        if (special)
            g_string_append_printf(text, "\\%c", escapes[special - letters]);
        else if ((guchar)*c < 0x20 || *c == 0x7f)
            g_string_append_printf(text, "\\u%04x", (guint)*c);
        else
            g_string_append_c(text, *c);
    }
    g_string_append_c(text, '"');
}

/* A whole number keeps a point or an exponent, so that readers take it for the real number that it is. */
static void write_double(GString *text, double value)
{
    char number[AIMF_NUMBER_SIZE];
    if (!isfinite(value)) {
        g_string_append(text, "null");
        return;
    }
    aimf_number_text(number, value);
    g_string_append_printf(text, "%s%s", number, strpbrk(number, ".e") ? "" : ".0");
}

static void write_value(GString *text, JsonNode *node)
{
    GType type = json_node_get_value_type(node);
    if (type == G_TYPE_STRING)
        aimf_json_append_text(text, json_node_get_string(node));
    else if (type == G_TYPE_BOOLEAN)
        g_string_append(text, json_node_get_boolean(node) ? "true" : "false");
    else if (type == G_TYPE_INT64)
        g_string_append_printf(text, "%" G_GINT64_FORMAT, json_node_get_int(node));
    else
        write_double(text, json_node_get_double(node));
}

static void write_array(GString *text, JsonArray *array, int level)
{
    guint n = json_array_get_length(array);
    g_string_append_c(text, '[');
    for (guint i = 0; i < n; i++) {
        break_line(text, deeper(level));
        write_node(text, json_array_get_element(array, i), deeper(level));
        if (i + 1 < n)
            g_string_append_c(text, ',');
    }
    if (n)
        break_line(text, level);
    g_string_append_c(text, ']');
}

static void write_object(GString *text, JsonObject *object, int level)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *member;
    gboolean first = TRUE;
    g_string_append_c(text, '{');
    json_object_iter_init_ordered(&iter, object);
    while (json_object_iter_next_ordered(&iter, &name, &member)) {
        if (!first)
            g_string_append_c(text, ',');
        first = FALSE;
        break_line(text, deeper(level));
        aimf_json_append_text(text, name);
        g_string_append(text, level < 0 ? ":" : " : ");
        write_node(text, member, deeper(level));
    }
    if (!first)
        break_line(text, level);
    g_string_append_c(text, '}');
}

static void write_node(GString *text, JsonNode *node, int level)
{
    switch (json_node_get_node_type(node)) {
    case JSON_NODE_OBJECT:
        write_object(text, json_node_get_object(node), level);
        break;
    case JSON_NODE_ARRAY:
        write_array(text, json_node_get_array(node), level);
        break;
    case JSON_NODE_VALUE:
        write_value(text, node);
        break;
    case JSON_NODE_NULL:
        g_string_append(text, "null");
        break;
    }
}

char *aimf_json_write(JsonNode *node, gboolean indented)
{
    GString *text = g_string_new(NULL);
    write_node(text, node, indented ? 0 : -1);
    return g_string_free(text, FALSE);
}
