#include "fair/support_golden.h"

#include <math.h>

JsonParser *golden_open_file(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(GOLDEN_DIR, name, NULL);
    JsonParser *parser = json_parser_new_immutable();
    json_parser_load_from_file(parser, path, &error);
    g_assert_no_error(error);
    return parser;
}

JsonParser *golden_open(void)
{
    return golden_open_file("fair.json");
}

JsonArray *golden_array(JsonParser *golden, const char *name)
{
    return json_object_get_array_member(json_node_get_object(json_parser_get_root(golden)), name);
}

double golden_double(JsonArray *array, guint index)
{
    JsonNode *node = json_array_get_element(array, index);
    return JSON_NODE_HOLDS_NULL(node) ? NAN : json_node_get_double(node);
}

int *golden_ints(JsonObject *object, const char *name)
{
    JsonArray *array = json_object_get_array_member(object, name);
    guint n = json_array_get_length(array);
    int *values = g_new(int, n);
    for (guint i = 0; i < n; i++)
        values[i] = (int)json_array_get_int_element(array, i);
    return values;
}

double *golden_doubles(JsonObject *object, const char *name)
{
    if (json_object_get_null_member(object, name))
        return NULL;
    JsonArray *array = json_object_get_array_member(object, name);
    guint n = json_array_get_length(array);
    double *values = g_new(double, n);
    for (guint i = 0; i < n; i++)
        values[i] = golden_double(array, i);
    return values;
}

float *golden_floats(JsonObject *object, const char *name)
{
    g_autofree double *values = golden_doubles(object, name);
    guint n = values ? json_array_get_length(json_object_get_array_member(object, name)) : 0;
    float *singles = values ? g_new(float, n) : NULL;
    for (guint i = 0; i < n; i++)
        singles[i] = (float)values[i];
    return singles;
}

void assert_close(double found, double expected, double tolerance, const char *what)
{
    if (isnan(found) && isnan(expected))
        return;
    if (!(fabs(found - expected) <= tolerance))
        g_error("%s: %.17g, expected %.17g within %g", what, found, expected, tolerance);
}
