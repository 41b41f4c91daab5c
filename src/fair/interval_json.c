#include "fair/interval_json.h"

#include <math.h>

void aimf_json_set_interval(JsonObject *object, const char *name, AimfInterval interval)
{
    if (isnan(interval.low)) {
        json_object_set_null_member(object, name);
        return;
    }
    JsonArray *array = json_array_new();
    json_array_add_double_element(array, interval.low);
    json_array_add_double_element(array, interval.high);
    json_object_set_array_member(object, name, array);
}
