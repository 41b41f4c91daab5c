/* Impact ratios in JSON. */
#pragma once

#include <aimfair/fair.h>
#include <json-glib/json-glib.h>

/** aimf_impact_set_json: the members "impact" and, where there are scores, "impact_scores" of @root. */
void aimf_impact_set_json(JsonObject *root, const AimfImpact *impact);
