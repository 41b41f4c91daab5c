/* The JSON of weight files: parsed with what the parser leaves unchecked, and the metadata in it. */
#pragma once

#include <aimfair/weights.h>
#include <json-glib/json-glib.h>

/** aimf_header_parse: (owned) one JSON object without duplicate members; NULL with FORMAT. */
JsonParser *aimf_header_parse(const char *json, gsize bytes, GError **error);
/**
 * aimf_header_take_metadata: adds the texts of the object @node to @tensors; FALSE with FORMAT if it is anything else.
 */
gboolean aimf_header_take_metadata(AimfTensors *tensors, JsonNode *node, GError **error);
/** aimf_header_build_metadata: the metadata as an object, sorted by key. */
void aimf_header_build_metadata(JsonBuilder *builder, const AimfTensors *tensors);
/** aimf_header_text: (owned) what was built, compact. */
char *aimf_header_text(JsonBuilder *builder, gsize *bytes);
