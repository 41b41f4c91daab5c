/* An interval in JSON. */
#pragma once

#include <aimfair/fair.h>
#include <json-glib/json-glib.h>

/** aimf_json_set_interval: the member @name: [low, high], or null where it is unknown. */
void aimf_json_set_interval(JsonObject *object, const char *name, AimfInterval interval);
