/* Reading JSON files that may be hostile: nesting is limited, and every member is checked before it is used. */
#pragma once

#include <aimfair/error.h>
#include <json-glib/json-glib.h>

/**
 * aimf_json_parse:
 * @text: (@length), from a file: for texts that may be hostile in place of json_from_string, which a few thousand
 *   brackets bring down. A byte order mark is passed over; half of a character, as in "\ud800", becomes U+FFFD.
 * Returns: (owned) or NULL with FORMAT: "not JSON" and why, also for what json-glib takes beyond RFC 8259; or nested
 *   deeper than 64; or MEMORY. See base/json_grammar.h.
 */
JsonNode *aimf_json_parse(const char *text, gsize length, GError **error);

/**
 * aimf_json_open:
 * The file @path, whose root must be an object. Refused above @limit_bytes and for what aimf_json_parse refuses.
 * Returns: (owned) or NULL with NOT_FOUND, IO, or FORMAT naming line and column.
 */
JsonNode *aimf_json_open(const char *path, gsize limit_bytes, GError **error);

/** aimf_json_lines: (owned) @object (taken) as a file has it: indented, ended by a line break. */
char *aimf_json_lines(JsonObject *object);

/* Members of @object, which errors call @where ("file.json, tensors[3]"). Each fails with FORMAT. */

/** aimf_json_int: a whole number in [@low, @high]. */
gboolean aimf_json_int(JsonObject *object, const char *where, const char *name, gint64 low, gint64 high, gint64 *value,
                       GError **error);
/** aimf_json_double: a finite number in [@low, @high]. */
gboolean aimf_json_double(JsonObject *object, const char *where, const char *name, double low, double high,
                          double *value, GError **error);
/** aimf_json_text: (borrowed) a text that is not empty. */
const char *aimf_json_text(JsonObject *object, const char *where, const char *name, GError **error);
/** aimf_json_array, aimf_json_object: (borrowed). */
JsonArray *aimf_json_array(JsonObject *object, const char *where, const char *name, GError **error);
JsonObject *aimf_json_object(JsonObject *object, const char *where, const char *name, GError **error);
/** aimf_json_element: (borrowed) element @index of an array of objects. */
JsonObject *aimf_json_element(JsonArray *array, const char *where, guint index, GError **error);
