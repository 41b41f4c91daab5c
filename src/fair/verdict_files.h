/* Verdicts as other files have them. */
#pragma once

#include <aimfair/verdicts.h>
#include <json-glib/json-glib.h>

/** aimf_json_set_verdicts: the members "require" and "require_evidence", each where there are such demands. */
void aimf_json_set_verdicts(JsonObject *object, const AimfVerdicts *verdicts);
