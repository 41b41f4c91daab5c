#include <aimfair/error.h>
#include <aimfair/findings.h>
#include <aimfair/json.h>

#include "base/format.h"
#include "base/json.h"
#include "base/shown.h"
#include <string.h>

struct AimfFindings {
    GArray *items;       /* of AimfFinding */
    GStringChunk *names; /* of those that were parsed */
    GHashTable *known;   /* set of "name: text" */
};

static void finding_clear(gpointer data)
{
    g_free(((AimfFinding *)data)->text);
}

AimfFindings *aimf_findings_new(void)
{
    AimfFindings *findings = g_new(AimfFindings, 1);
    findings->items = g_array_new(FALSE, FALSE, sizeof(AimfFinding));
    findings->names = g_string_chunk_new(64);
    findings->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_array_set_clear_func(findings->items, finding_clear);
    return findings;
}

void aimf_findings_free(AimfFindings *findings)
{
    if (!findings)
        return;
    g_array_unref(findings->items);
    g_string_chunk_free(findings->names);
    g_hash_table_unref(findings->known);
    g_free(findings);
}

guint aimf_findings_count(const AimfFindings *findings)
{
    return findings ? findings->items->len : 0;
}

const AimfFinding *aimf_findings_at(const AimfFindings *findings, guint index)
{
    g_assert(index < findings->items->len);
    return &g_array_index(findings->items, AimfFinding, index);
}

gboolean aimf_findings_has(const AimfFindings *findings, const char *name)
{
    for (guint i = 0; i < aimf_findings_count(findings); i++)
        if (strcmp(aimf_findings_at(findings, i)->name, name) == 0)
            return TRUE;
    return FALSE;
}

/* @text is taken. */
static void add(AimfFindings *findings, const char *name, gboolean certain, char *text)
{
    if (!g_hash_table_add(findings->known, g_strdup_printf("%s: %s", name, text))) {
        g_free(text);
        return;
    }
    AimfFinding finding = { name, text, certain };
    g_array_append_val(findings->items, finding);
}

void aimf_findings_add(AimfFindings *findings, const char *name, gboolean certain, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = aimf_message_text(aimf_format_list(format, args));
    va_end(args);
    add(findings, name, certain, text);
}

void aimf_findings_copy(AimfFindings *findings, const AimfFinding *finding)
{
    add(findings, g_string_chunk_insert_const(findings->names, finding->name), finding->certain,
        aimf_message_text(g_strdup(finding->text)));
}

const char *const *aimf_allowable_findings(void)
{
    static const char *const names[] = { "empty-group", "insensitive", "names",      "one-class", "overlap",
                                         "same-set",    "swapped",     "trained-on", NULL };
    return names;
}

static gboolean allowed(const char *name, const char *const *names)
{
    return names &&
           (g_strv_contains(names, name) || (strcmp(name, "same-set") == 0 && g_strv_contains(names, "overlap")));
}

gboolean aimf_findings_allow(AimfFindings *findings, const char *const *names, GError **error)
{
    g_autoptr(GString) wrong = g_string_new(NULL);
    g_autoptr(GPtrArray) needed = g_ptr_array_new();
    for (guint i = 0; i < findings->items->len; i++) {
        AimfFinding *finding = &g_array_index(findings->items, AimfFinding, i);
        if (!finding->certain)
            continue;
        if (allowed(finding->name, names)) {
            finding->certain = FALSE;
            continue;
        }
        g_string_append_printf(wrong, "%s%s", wrong->len ? "; " : "", finding->text);
        if (!g_ptr_array_find_with_equal_func(needed, finding->name, g_str_equal, NULL))
            g_ptr_array_add(needed, (gpointer)finding->name);
    }
    if (!wrong->len)
        return TRUE;
    g_ptr_array_add(needed, NULL);
    g_autofree char *list = g_strjoinv(",", (char **)needed->pdata);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s (if that is meant: --allow %s)", wrong->str, list);
    return FALSE;
}

/* --- JSON --- */

char *aimf_findings_json(const AimfFindings *findings)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_array(builder);
    for (guint i = 0; i < aimf_findings_count(findings); i++) {
        const AimfFinding *finding = aimf_findings_at(findings, i);
        json_builder_begin_object(builder);
        json_builder_set_member_name(builder, "name");
        json_builder_add_string_value(builder, finding->name);
        json_builder_set_member_name(builder, "text");
        json_builder_add_string_value(builder, finding->text);
        json_builder_end_object(builder);
    }
    json_builder_end_array(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    return aimf_json_write(root, FALSE);
}

static const char *text_of(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    gboolean text = node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
    return text ? json_node_get_string(node) : NULL;
}

gboolean aimf_findings_parse(AimfFindings *findings, const char *text)
{
    g_autoptr(JsonNode) root = aimf_json_parse(text, strlen(text), NULL);
    if (!root || !JSON_NODE_HOLDS_ARRAY(root))
        return FALSE;
    JsonArray *array = json_node_get_array(root);
    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonNode *node = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_OBJECT(node))
            return FALSE;
        const char *name = text_of(json_node_get_object(node), "name");
        const char *what = text_of(json_node_get_object(node), "text");
        if (!name || !what)
            return FALSE;
        aimf_findings_copy(findings, &(AimfFinding){ .name = name, .text = (char *)what });
    }
    return TRUE;
}
