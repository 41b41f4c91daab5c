/* tests/golden/fair.json, made by make_fair.py. */
#pragma once

#include <aimfair/fair.h>
#include <json-glib/json-glib.h>

/** golden_open_file: (owned) another parsed file of tests/golden; golden_open: (owned) fair.json. */
JsonParser *golden_open_file(const char *name);
JsonParser *golden_open(void);
/** golden_array: the array member @name of the file's root. */
JsonArray *golden_array(JsonParser *golden, const char *name);

/** golden_double: a number; NaN for null. */
double golden_double(JsonArray *array, guint index);
/** golden_ints, golden_floats, golden_doubles: (owned) the array member @name of @object; NULL for null. */
int *golden_ints(JsonObject *object, const char *name);
float *golden_floats(JsonObject *object, const char *name);
double *golden_doubles(JsonObject *object, const char *name);

/** assert_close: equal within @tolerance, or both NaN. */
void assert_close(double found, double expected, double tolerance, const char *what);
