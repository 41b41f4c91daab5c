/* job.json: which job a folder holds, and what differs when it is another. */
#include "diffusion/generation_description.h"

#include "base/json.h"
#include "base/shown.h"

#include <aimfair/json.h>
#include <string.h>

static char *hash_prompts(const AimfPromptGroup *group)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint i = 0; i < group->n_prompts; i++) {
        const char *text = group->prompts[i].text;
        /* With its 0: no two lists alike. */
        g_checksum_update(checksum, (const guchar *)text, (gssize)strlen(text) + 1);
    }
    return g_strdup(g_checksum_get_string(checksum));
}

static JsonArray *describe_groups(const AimfPrompts *prompts)
{
    JsonArray *groups = json_array_new();
    for (guint i = 0; i < prompts->n_groups; i++) {
        const AimfPromptGroup *group = &prompts->groups[i];
        g_autofree char *hash = hash_prompts(group);
        JsonObject *entry = json_object_new();
        json_object_set_string_member(entry, "name", group->name);
        json_object_set_int_member(entry, "target", group->target);
        json_object_set_string_member(entry, "protected", group->protected_group);
        json_object_set_int_member(entry, "prompts", group->n_prompts);
        json_object_set_string_member(entry, "sha256", hash);
        json_array_add_object_element(groups, entry);
    }
    return groups;
}

/* The seed is text, because 64 bits do not fit every reader's numbers. */
static JsonObject *describe(const AimfJob *job, guint per_group)
{
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, job->generation->seed);
    JsonObject *description = json_object_new();
    json_object_set_int_member(description, "version", job->version);
    json_object_set_int_member(description, "per_group", per_group);
    json_object_set_string_member(description, "seed", seed);
    json_object_set_object_member(description, "settings", json_object_ref(job->settings));
    json_object_set_array_member(description, "groups", describe_groups(job->prompts));
    return description;
}

char *aimf_job_describe(const AimfJob *job, guint per_group)
{
    g_autoptr(JsonObject) description = describe(job, per_group);
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), description);
    g_autofree char *text = aimf_json_write(node, TRUE);
    return g_strconcat(text, "\n", NULL);
}

/* As texts: a number read back from a file and the one we write are then compared as they are written. */
static void compare_member(GString *differences, JsonObject *here, JsonObject *there, const char *name)
{
    JsonNode *mine = json_object_get_member(here, name), *theirs = json_object_get_member(there, name);
    g_autofree char *ours = aimf_json_write(mine, FALSE);
    g_autofree char *found = theirs ? aimf_json_write(theirs, FALSE) : g_strdup("missing");
    if (strcmp(ours, found) != 0)
        g_string_append_printf(differences, "%s%s is %s there and %s here", differences->len ? ", " : "", name,
                               AIMF_SHOWN(found), AIMF_SHOWN(ours));
}

static void compare_settings(GString *differences, JsonObject *here, JsonObject *there)
{
    g_autoptr(GList) names = json_object_get_members(here);
    for (GList *name = names; name; name = name->next)
        compare_member(differences, here, there, name->data);
}

static void compare_groups(GString *differences, JsonArray *here, JsonArray *there)
{
    guint n = json_array_get_length(here), found = json_array_get_length(there);
    if (n != found) {
        g_string_append_printf(differences, "%sthere are %u groups there and %u here", differences->len ? ", " : "",
                               found, n);
        return;
    }
    for (guint i = 0; i < n; i++) {
        JsonObject *group = json_array_get_object_element(here, i);
        if (!json_node_equal(json_array_get_element(here, i), json_array_get_element(there, i)))
            g_string_append_printf(differences, "%sgroup '%s' has other prompts or labels",
                                   differences->len ? ", " : "", json_object_get_string_member(group, "name"));
    }
}

char *aimf_job_differences(const AimfJob *job, const char *text, gsize length, guint *per_group, int *version)
{
    g_autoptr(GError) reason = NULL;
    g_autoptr(JsonNode) root = aimf_json_parse(text, length, &reason);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return g_strdup_printf("its job.json cannot be read: %s", reason ? reason->message : "it is not an object");
    JsonObject *there = json_node_get_object(root);
    gint64 there_version, there_per_group;
    JsonObject *settings;
    JsonArray *groups;
    if (!aimf_json_int(there, "job.json", "version", AIMF_FIRST_JOB_VERSION, AIMF_JOB_VERSION, &there_version,
                       &reason) ||
        !aimf_json_int(there, "job.json", "per_group", 1, AIMF_MAX_PER_GROUP, &there_per_group, &reason) ||
        !(settings = aimf_json_object(there, "job.json", "settings", &reason)) ||
        !(groups = aimf_json_array(there, "job.json", "groups", &reason)))
        return g_strdup(reason->message);
    g_autoptr(JsonObject) here = describe(job, (guint)there_per_group);
    GString *differences = g_string_new(NULL);
    compare_member(differences, here, there, "seed");
    compare_settings(differences, job->settings, settings);
    compare_groups(differences, json_object_get_array_member(here, "groups"), groups);
    *per_group = (guint)there_per_group;
    *version = (int)there_version;
    return g_string_free(differences, differences->len == 0);
}
