/*
 * JSON as this library writes it.
 *
 * Example:
 *     #include <json-glib/json-glib.h>
 *     char *indent(const char *text, GError **error)
 *     {
 *         g_autoptr(JsonNode) node = json_from_string(text, error);
 *         return node ? aimf_json_write(node, TRUE) : NULL;
 *     }
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** JsonNode: json-glib's. */
typedef struct _JsonNode JsonNode;

/**
 * aimf_json_write:
 * @indented: over several lines, by two blanks a level, as json-glib does it; otherwise one line without blanks
 * Strict JSON (RFC 8259): numbers are the shortest text that reads back the same, and a real number that is whole
 * keeps ".0"; what is not finite is null; control characters are escaped; bytes that are no UTF-8 become U+FFFD.
 * Members keep their order.
 * Returns: (owned) the text, without a line break at its end.
 */
char *aimf_json_write(JsonNode *node, gboolean indented);

G_END_DECLS
