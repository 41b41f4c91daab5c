#include "run/stage_provenance.h"

#include "base/file.h"
#include "base/json.h"
#include "base/shown.h"
#include "run/config_values.h"
#include "run/file_hash.h"

#include <aimfair/json.h>
#include <aimfair/version.h>
#include <string.h>

/* @MAX_TEXT: bytes of any text in it, such as a list with ", " between its items; of members, of each of the three
 * objects */
enum {
    MAX_FILE_BYTES = 64 << 20,
    MAX_MEMBERS = 1000000,
    MAX_TEXT = AIMF_CONFIG_MAX_ITEMS * (AIMF_CONFIG_MAX_TEXT + 2),
    MAX_THREADS = 65536,
    VERSION = 1
};
static const char FORMAT[] = "aimfair stage";

void aimf_provenance_free(AimfProvenance *provenance)
{
    if (!provenance)
        return;
    g_free(provenance->name);
    g_free(provenance->key);
    g_clear_pointer(&provenance->settings, json_object_unref);
    g_clear_pointer(&provenance->inputs, json_object_unref);
    g_clear_pointer(&provenance->outputs, json_object_unref);
    g_free(provenance->program);
    g_free(provenance->precision);
    g_free(provenance->engine);
    g_free(provenance->instruction_set);
    g_free(provenance->failure);
    g_free(provenance);
}

AimfProvenance *aimf_provenance_new(const char *name, const char *precision, int threads)
{
    AimfProvenance *provenance = g_new0(AimfProvenance, 1);
    provenance->name = g_strdup(name);
    provenance->settings = json_object_new();
    provenance->inputs = json_object_new();
    provenance->outputs = json_object_new();
    provenance->program = g_strdup(aimf_version());
    provenance->precision = g_strdup(precision);
    provenance->threads = threads;
    return provenance;
}

/* --- Writing --- */

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(a, b);
}

/* @object (nullable) with its members sorted by bytes, as member @name of @to. */
static void set_sorted(JsonObject *to, const char *name, JsonObject *object)
{
    JsonObject *sorted = json_object_new();
    g_autoptr(GList) names = object ? g_list_sort(json_object_get_members(object), compare_names) : NULL;
    for (const GList *member = names; member; member = member->next)
        json_object_set_member(sorted, member->data, json_node_copy(json_object_get_member(object, member->data)));
    json_object_set_object_member(to, name, sorted);
}

static char *write_object(JsonObject *object, gboolean indented)
{
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), object);
    return aimf_json_write(node, indented);
}

char *aimf_provenance_key(const AimfProvenance *provenance)
{
    g_autoptr(JsonObject) object = json_object_new();
    set_sorted(object, "inputs", provenance->inputs);
    json_object_set_string_member(object, "precision", provenance->precision);
    json_object_set_string_member(object, "program", provenance->program);
    set_sorted(object, "settings", provenance->settings);
    json_object_set_string_member(object, "stage", provenance->name);
    json_object_set_int_member(object, "threads", provenance->threads);
    g_autofree char *text = write_object(object, FALSE);
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

gboolean aimf_provenance_save(const AimfProvenance *provenance, const char *folder, GError **error)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autofree char *key = provenance->key ? g_strdup(provenance->key) : aimf_provenance_key(provenance);
    json_object_set_string_member(object, "format", FORMAT);
    json_object_set_int_member(object, "version", VERSION);
    json_object_set_string_member(object, "stage", provenance->name);
    json_object_set_string_member(object, "key", key);
    set_sorted(object, "settings", provenance->settings);
    set_sorted(object, "inputs", provenance->inputs);
    json_object_set_string_member(object, "program", provenance->program);
    json_object_set_string_member(object, "precision", provenance->precision);
    json_object_set_int_member(object, "threads", provenance->threads);
    json_object_set_string_member(object, "engine", provenance->engine);
    json_object_set_string_member(object, "instruction_set", provenance->instruction_set);
    set_sorted(object, "outputs", provenance->outputs);
    if (provenance->failure)
        json_object_set_string_member(object, "failure", provenance->failure);
    g_autofree char *text = write_object(object, TRUE);
    g_autofree char *lines = g_strconcat(text, "\n", NULL);
    g_autofree char *path = g_build_filename(folder, AIMF_PROVENANCE, NULL);
    return aimf_file_write(path, lines, strlen(lines), error);
}

/* --- Reading --- */

static gboolean refuse(const char *where, const char *name, const char *expected, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: '%s' must be %s", where, AIMF_SHOWN(name), expected);
    return FALSE;
}

/* (borrowed, nullable) the text that @node is. */
static const char *text_of(JsonNode *node)
{
    gboolean text = node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
    return text && strlen(json_node_get_string(node)) <= MAX_TEXT ? json_node_get_string(node) : NULL;
}

/* *@to: (owned) a text that is not empty; with @nullable also null, or nothing at all. */
static gboolean take_text(JsonObject *object, const char *where, const char *name, gboolean nullable, char **to,
                          GError **error)
{
    JsonNode *node = json_object_get_member(object, name);
    const char *text = text_of(node);
    if (text && *text)
        *to = g_strdup(text);
    else if (!nullable || (node && !JSON_NODE_HOLDS_NULL(node)))
        return refuse(where, name, "a text that is neither empty nor very long", error);
    return TRUE;
}

static gboolean take_hash(JsonObject *object, const char *where, const char *name, GError **error)
{
    const char *text = text_of(json_object_get_member(object, name));
    return (text && aimf_sha256_valid(text)) || refuse(where, name, "a SHA-256: 64 digits of lower case", error);
}

typedef enum { SETTINGS, INPUTS, OUTPUTS } Part;

static gboolean check_member(JsonObject *object, const char *where, const char *name, Part part, GError **error)
{
    if (!*name || strlen(name) > MAX_TEXT)
        return refuse(where, name, "a name of some length", error);
    if (part == SETTINGS)
        return text_of(json_object_get_member(object, name)) || refuse(where, name, "a text", error);
    gsize prefix = g_str_has_prefix(name, AIMF_PICTURES_OF) ? strlen(AIMF_PICTURES_OF) : 0;
    if (part == OUTPUTS && !aimf_run_path_valid(name + prefix))
        return refuse(where, name, "the path of a file below the folder", error);
    return take_hash(object, where, name, error);
}

/* *@to: (owned) the object @name, whose members are texts. */
static gboolean take_object(JsonObject *from, const char *where, const char *name, Part part, JsonObject **to,
                            GError **error)
{
    JsonObject *object = aimf_json_object(from, where, name, error);
    g_autofree char *place = g_strdup_printf("%s, %s", where, name);
    if (!object)
        return FALSE;
    if (json_object_get_size(object) > MAX_MEMBERS) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: more than %d members", place, MAX_MEMBERS);
        return FALSE;
    }
    g_autoptr(GList) names = json_object_get_members(object);
    for (const GList *member = names; member; member = member->next)
        if (!check_member(object, place, member->data, part, error))
            return FALSE;
    *to = json_object_ref(object);
    return TRUE;
}

static gboolean check_names(JsonObject *object, const char *where, GError **error)
{
    static const char *const known[] = { "format",          "version", "stage",     "key",     "settings",
                                         "inputs",          "program", "precision", "threads", "engine",
                                         "instruction_set", "outputs", "failure",   NULL };
    g_autoptr(GList) names = json_object_get_members(object);
    for (const GList *member = names; member; member = member->next) {
        const char *name = member->data;
        if (!g_strv_contains(known, name)) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: '%s' is not known", where, AIMF_SHOWN(name));
            return FALSE;
        }
    }
    return TRUE;
}

static gboolean take_head(JsonObject *object, const char *where, AimfProvenance *provenance, GError **error)
{
    gint64 version;
    const char *format = aimf_json_text(object, where, "format", error);
    if (!format || !aimf_json_int(object, where, "version", 1, G_MAXINT, &version, error))
        return FALSE;
    if (strcmp(format, FORMAT) != 0 || version != VERSION) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "%s: '%s', version %" G_GINT64_FORMAT ", is not '%s', version %d, which is read here", where,
                    AIMF_SHOWN(format), version, FORMAT, VERSION);
        return FALSE;
    }
    return take_text(object, where, "stage", FALSE, &provenance->name, error) &&
           (aimf_run_path_valid(provenance->name) || refuse(where, "stage", "a path below the run's folder", error)) &&
           take_hash(object, where, "key", error) && take_text(object, where, "key", FALSE, &provenance->key, error);
}

static gboolean take_members(JsonObject *object, const char *where, AimfProvenance *provenance, GError **error)
{
    gint64 threads;
    if (!check_names(object, where, error) || !take_head(object, where, provenance, error) ||
        !take_object(object, where, "settings", SETTINGS, &provenance->settings, error) ||
        !take_object(object, where, "inputs", INPUTS, &provenance->inputs, error) ||
        !take_object(object, where, "outputs", OUTPUTS, &provenance->outputs, error) ||
        !take_text(object, where, "program", FALSE, &provenance->program, error) ||
        !take_text(object, where, "precision", FALSE, &provenance->precision, error) ||
        !aimf_json_int(object, where, "threads", 0, MAX_THREADS, &threads, error))
        return FALSE;
    provenance->threads = (int)threads;
    return take_text(object, where, "engine", TRUE, &provenance->engine, error) &&
           take_text(object, where, "instruction_set", TRUE, &provenance->instruction_set, error) &&
           take_text(object, where, "failure", TRUE, &provenance->failure, error);
}

AimfProvenance *aimf_provenance_open(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, AIMF_PROVENANCE, NULL);
    g_autoptr(JsonNode) root = aimf_json_open(path, MAX_FILE_BYTES, error);
    g_autoptr(AimfProvenance) provenance = g_new0(AimfProvenance, 1);
    if (!root || !take_members(json_node_get_object(root), path, provenance, error))
        return NULL;
    return g_steal_pointer(&provenance);
}

gboolean aimf_provenance_look(const char *folder, AimfProvenance **found, GError **error)
{
    GError *failure = NULL;
    *found = aimf_provenance_open(folder, &failure);
    if (aimf_is_fault(failure)) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    g_clear_error(&failure);
    return TRUE;
}
