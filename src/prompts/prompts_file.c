/* prompts.json, version 1. */
#include "base/file.h"
#include "base/json.h"
#include "prompts/prompts.h"

#include <aimfair/data.h>
#include <aimfair/json.h>
#include <string.h>

enum { VERSION = 1, MAX_FILE_BYTES = 256 << 20 };

/* --- Writing --- */

static void add_text(JsonBuilder *builder, const char *name, const char *text)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_string_value(builder, text);
}

static void build_prompt(JsonBuilder *builder, const AimfPrompt *prompt)
{
    json_builder_begin_object(builder);
    add_text(builder, "prompt", prompt->text);
    json_builder_set_member_name(builder, "context");
    json_builder_begin_object(builder);
    for (guint i = 0; i < prompt->n_contexts; i++)
        add_text(builder, prompt->dimensions[i], prompt->contexts[i]);
    json_builder_end_object(builder);
    json_builder_end_object(builder);
}

static void build_group(JsonBuilder *builder, const AimfPromptGroup *group)
{
    json_builder_begin_object(builder);
    add_text(builder, "name", group->name);
    json_builder_set_member_name(builder, "target");
    json_builder_add_int_value(builder, group->target);
    add_text(builder, "protected", group->protected_group);
    add_text(builder, "words", group->words);
    json_builder_set_member_name(builder, "prompts");
    json_builder_begin_array(builder);
    for (guint i = 0; i < group->n_prompts; i++)
        build_prompt(builder, &group->prompts[i]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
}

static gboolean build_origin(JsonBuilder *builder, const char *origin, GError **error)
{
    g_autoptr(JsonNode) node = aimf_json_parse(origin, strlen(origin), error);
    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        g_clear_error(error);
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the origin of prompts must be a JSON object");
        return FALSE;
    }
    json_builder_set_member_name(builder, "origin");
    json_builder_add_value(builder, g_steal_pointer(&node));
    return TRUE;
}

gboolean aimf_prompts_save(const AimfPrompts *prompts, const char *path, GError **error)
{
    g_autofree char *where = g_strdup_printf("cannot write '%s'", path);
    if (!aimf_prompts_validate(prompts, TRUE, where, error))
        return FALSE;
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "version");
    json_builder_add_int_value(builder, VERSION);
    add_text(builder, "task", prompts->task);
    if (prompts->origin && !build_origin(builder, prompts->origin, error))
        return FALSE;
    json_builder_set_member_name(builder, "groups");
    json_builder_begin_array(builder);
    for (guint g = 0; g < prompts->n_groups; g++)
        build_group(builder, &prompts->groups[g]);
    json_builder_end_array(builder);
    json_builder_end_object(builder);
    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *json = aimf_json_write(root, TRUE);
    g_autofree char *text = g_strconcat(json, "\n", NULL);
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    if (!writer)
        return FALSE;
    aimf_writer_write(writer, text, strlen(text));
    return aimf_writer_commit(writer, error);
}

gboolean aimf_prompts_save_text(const AimfPrompts *prompts, const char *path, GError **error)
{
    g_autoptr(AimfWriter) writer = aimf_writer_open(path, error);
    if (!writer)
        return FALSE;
    aimf_writer_printf(writer, "%s\n", prompts->task);
    for (guint g = 0; g < prompts->n_groups; g++) {
        const AimfPromptGroup *group = &prompts->groups[g];
        aimf_writer_printf(writer, "\n%s: %s (%u prompt%s)\n\n", group->name, group->words, group->n_prompts,
                           AIMF_PLURAL(group->n_prompts));
        for (guint i = 0; i < group->n_prompts; i++)
            aimf_writer_printf(writer, "%4u. %s\n", i + 1, group->prompts[i].text);
    }
    return aimf_writer_commit(writer, error);
}

/* --- Reading --- */

static gboolean read_contexts(AimfPrompt *prompt, JsonObject *object, const char *where, GError **error)
{
    if (!json_object_has_member(object, "context") || json_object_get_null_member(object, "context"))
        return TRUE;
    JsonObject *contexts = aimf_json_object(object, where, "context", error);
    if (!contexts)
        return FALSE;
    g_autoptr(GList) names = json_object_get_members(contexts);
    guint n = json_object_get_size(contexts);
    prompt->dimensions = g_new0(char *, n);
    prompt->contexts = g_new0(char *, n);
    for (GList *name = names; name; name = name->next) {
        const char *text = aimf_json_text(contexts, where, name->data, error);
        if (!text)
            return FALSE;
        prompt->dimensions[prompt->n_contexts] = g_strdup(name->data);
        prompt->contexts[prompt->n_contexts++] = g_strdup(text);
    }
    return TRUE;
}

static gboolean read_prompts(AimfPromptGroup *group, JsonArray *array, const char *where, GError **error)
{
    guint n = json_array_get_length(array);
    g_autofree char *list = g_strdup_printf("%s '%s', prompts", where, group->name);
    for (guint i = 0; i < n; i++) {
        JsonObject *object = aimf_json_element(array, list, i, error);
        g_autofree char *place = g_strdup_printf("%s[%u]", list, i);
        const char *text = object ? aimf_json_text(object, place, "prompt", error) : NULL;
        if (!text)
            return FALSE;
        aimf_prompt_group_add(group, &(AimfPrompt){ .text = (char *)text });
        if (!read_contexts(&group->prompts[i], object, place, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean read_group(AimfPromptGroup *group, JsonObject *object, const char *where, GError **error)
{
    gint64 target;
    const char *name, *protected_group, *words;
    JsonArray *prompts;
    if (!(name = aimf_json_text(object, where, "name", error)) ||
        !aimf_json_int(object, where, "target", 0, AIMF_MAX_CLASSES - 1, &target, error) ||
        !(protected_group = aimf_json_text(object, where, "protected", error)) ||
        !(words = aimf_json_text(object, where, "words", error)) ||
        !(prompts = aimf_json_array(object, where, "prompts", error)))
        return FALSE;
    group->name = g_strdup(name);
    group->target = (int)target;
    group->protected_group = g_strdup(protected_group);
    group->words = g_strdup(words);
    return read_prompts(group, prompts, where, error);
}

static gboolean read_groups(AimfPrompts *prompts, JsonArray *array, const char *where, GError **error)
{
    g_autofree char *list = g_strdup_printf("%s: groups", where);
    guint n = json_array_get_length(array);
    prompts->groups = g_new0(AimfPromptGroup, n);
    for (guint g = 0; g < n; g++) {
        prompts->n_groups = g + 1; /* what free must look at, also after a failure */
        g_autofree char *place = g_strdup_printf("%s[%u]", list, g);
        JsonObject *object = aimf_json_element(array, list, g, error);
        if (!object || !read_group(&prompts->groups[g], object, place, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean read_origin(AimfPrompts *prompts, JsonObject *object, const char *where, GError **error)
{
    if (!json_object_has_member(object, "origin") || json_object_get_null_member(object, "origin"))
        return TRUE;
    if (!aimf_json_object(object, where, "origin", error))
        return FALSE;
    prompts->origin = aimf_json_write(json_object_get_member(object, "origin"), FALSE);
    return TRUE;
}

static AimfPrompts *read_file(const char *path, gboolean partial, GError **error)
{
    g_autoptr(JsonNode) root = aimf_json_open(path, MAX_FILE_BYTES, error);
    if (!root)
        return NULL;
    JsonObject *object = json_node_get_object(root);
    g_autofree char *where = g_strdup_printf("'%s'", path);
    gint64 version;
    const char *task;
    JsonArray *groups;
    g_autoptr(AimfPrompts) prompts = g_new0(AimfPrompts, 1);
    if (!aimf_json_int(object, where, "version", VERSION, VERSION, &version, error) ||
        !(task = aimf_json_text(object, where, "task", error)) || !read_origin(prompts, object, where, error) ||
        !(groups = aimf_json_array(object, where, "groups", error)))
        return NULL;
    prompts->task = g_strdup(task);
    if (!read_groups(prompts, groups, where, error) || !aimf_prompts_validate(prompts, partial, where, error))
        return NULL;
    return g_steal_pointer(&prompts);
}

AimfPrompts *aimf_prompts_open(const char *path, GError **error)
{
    return read_file(path, FALSE, error);
}

AimfPrompts *aimf_prompts_open_partial(const char *path, GError **error)
{
    return read_file(path, TRUE, error);
}
