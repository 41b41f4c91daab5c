/* JSON as text: strict, in order, and read back the same. */
#include <aimfair/json.h>

#include "base/json.h"

#include <math.h>
#include <string.h>

static JsonNode *some_object(void)
{
    JsonObject *inner = json_object_new(), *object = json_object_new();
    JsonArray *array = json_array_new();
    json_object_set_double_member(inner, "accuracy", 0.81799999999999995);
    json_object_set_double_member(inner, "whole", 1);
    json_object_set_double_member(inner, "tiny", 5e-324);
    json_object_set_double_member(inner, "large", 1e22);
    json_object_set_double_member(inner, "unknown", NAN);
    json_object_set_double_member(inner, "endless", -INFINITY);
    json_array_add_int_element(array, G_MININT64);
    json_array_add_boolean_element(array, TRUE);
    json_array_add_null_element(array);
    json_array_add_string_element(array, "a\"\\/\b\f\n\r\t\x01\x7f ß𝄞");
    json_object_set_object_member(object, "z", inner);
    json_object_set_array_member(object, "a", array);
    json_object_set_array_member(object, "none", json_array_new());
    json_object_set_object_member(object, "", json_object_new());
    JsonNode *node = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(node, object);
    return node;
}

#define TEXT "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u007f ß𝄞\""

static void test_one_line(void)
{
    g_autoptr(JsonNode) node = some_object();
    g_autofree char *text = aimf_json_write(node, FALSE);
    g_assert_cmpstr(text, ==,
                    "{\"z\":{\"accuracy\":0.818,\"whole\":1.0,\"tiny\":5e-324,\"large\":1e+22,\"unknown\":null,"
                    "\"endless\":null},\"a\":[-9223372036854775808,true,null," TEXT "],\"none\":[],\"\":{}}");
}

static void test_indented(void)
{
    g_autoptr(JsonNode) node = some_object();
    g_autofree char *text = aimf_json_write(node, TRUE);
    g_assert_cmpstr(text, ==,
                    "{\n  \"z\" : {\n    \"accuracy\" : 0.818,\n    \"whole\" : 1.0,\n    \"tiny\" : 5e-324,\n"
                    "    \"large\" : 1e+22,\n    \"unknown\" : null,\n    \"endless\" : null\n  },\n"
                    "  \"a\" : [\n    -9223372036854775808,\n    true,\n    null,\n    " TEXT "\n  ],\n"
                    "  \"none\" : [],\n  \"\" : {}\n}");
}

/* A file's name may be any bytes, a JSON text not: readers refuse the whole of it. */
static void test_no_utf8(void)
{
    g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), "a\xff\xc3z");
    g_autofree char *text = aimf_json_write(node, FALSE);
    g_assert_cmpstr(text, ==, "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
}

static void test_read_back(void)
{
    g_autoptr(JsonNode) node = some_object();
    g_autofree char *text = aimf_json_write(node, TRUE);
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) read = aimf_json_parse(text, strlen(text), &error);
    g_assert_no_error(error);
    g_autofree char *again = aimf_json_write(read, TRUE);
    g_assert_cmpstr(text, ==, again);
    JsonObject *inner = json_object_get_object_member(json_node_get_object(read), "z");
    g_assert_true(json_object_get_double_member(inner, "accuracy") == 0.81799999999999995);
    g_assert_true(json_object_get_double_member(inner, "tiny") == 5e-324);
    g_assert_true(json_node_get_value_type(json_object_get_member(inner, "whole")) == G_TYPE_DOUBLE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-write/one-line", test_one_line);
    g_test_add_func("/json-write/indented", test_indented);
    g_test_add_func("/json-write/no-utf8", test_no_utf8);
    g_test_add_func("/json-write/read-back", test_read_back);
    return g_test_run();
}
