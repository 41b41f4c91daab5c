/* What prompts must be, in memory as on disk. */
#include "prompts/prompts.h"

#include "base/format.h"

#include <aimfair/data.h>
#include <string.h>

enum { MAX_NAME_BYTES = 100 };

gboolean aimf_prompts_refuse(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = aimf_format_list(format, args);
    va_end(args);
    g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_FORMAT, message);
    return FALSE;
}

/* It becomes a folder's name: no way out of the job's folder, nothing hidden, nothing a terminal would act upon. */
static gboolean is_plain_name(const char *name)
{
    if (!*name || *name == '.' || strlen(name) > MAX_NAME_BYTES || !g_utf8_validate(name, -1, NULL))
        return FALSE;
    for (const char *c = name; *c; c = g_utf8_next_char(c))
        if (*c == '/' || *c == '\\' || g_unichar_iscntrl(g_utf8_get_char(c)))
            return FALSE;
    return TRUE;
}

static gboolean is_text(const char *text, gsize max_bytes)
{
    if (!text || strlen(text) > max_bytes || !g_utf8_validate(text, -1, NULL))
        return FALSE;
    for (const char *c = text; *c; c = g_utf8_next_char(c))
        if (!g_unichar_isspace(g_utf8_get_char(c)))
            return TRUE;
    return FALSE;
}

static gboolean check_prompt(const AimfPrompt *prompt, const char *where, GError **error)
{
    if (!is_text(prompt->text, AIMF_MAX_PROMPT_BYTES))
        return aimf_prompts_refuse(error, "%s: a prompt must be a text of 1 to %d bytes of UTF-8", where,
                                   AIMF_MAX_PROMPT_BYTES);
    if (prompt->n_contexts > AIMF_MAX_CONTEXTS)
        return aimf_prompts_refuse(error, "%s: %u contexts, more than %d", where, prompt->n_contexts,
                                   AIMF_MAX_CONTEXTS);
    for (guint i = 0; i < prompt->n_contexts; i++)
        if (!is_text(prompt->dimensions[i], AIMF_MAX_PROMPT_BYTES) ||
            !is_text(prompt->contexts[i], AIMF_MAX_PROMPT_BYTES))
            return aimf_prompts_refuse(
                error, "%s: context %u: its dimension and its value must be texts that are not empty", where, i);
    return TRUE;
}

static gboolean check_group(const AimfPromptGroup *group, gboolean partial, const char *where, GError **error)
{
    if (!group->name || !is_plain_name(group->name))
        return aimf_prompts_refuse(error, "%s: its name must be a plain folder name such as 1_0, of at most %d bytes",
                                   where, MAX_NAME_BYTES);
    if (group->target < 0 || group->target >= AIMF_MAX_CLASSES)
        return aimf_prompts_refuse(error, "%s '%s': its target must be a class number from 0 to %d, not %d", where,
                                   group->name, AIMF_MAX_CLASSES - 1, group->target);
    if (!is_text(group->protected_group, MAX_NAME_BYTES) || !is_text(group->words, AIMF_MAX_PROMPT_BYTES))
        return aimf_prompts_refuse(error, "%s '%s': 'protected' and 'words' must be texts that are not empty", where,
                                   group->name);
    g_autofree char *name = g_strdup_printf("%d_%s", group->target, group->protected_group);
    if (strcmp(name, group->name) != 0)
        return aimf_prompts_refuse(error, "%s '%s': with target %d and protected '%s' it must be called '%s'", where,
                                   group->name, group->target, group->protected_group, name);
    if (!group->n_prompts && !partial)
        return aimf_prompts_refuse(error, "%s '%s' has no prompts", where, group->name);
    if (group->n_prompts > AIMF_MAX_GROUP_PROMPTS)
        return aimf_prompts_refuse(error, "%s '%s' has %u prompts, more than %d", where, group->name, group->n_prompts,
                                   AIMF_MAX_GROUP_PROMPTS);
    for (guint i = 0; i < group->n_prompts; i++) {
        g_autofree char *prompt = g_strdup_printf("%s '%s', prompts[%u]", where, group->name, i);
        if (!check_prompt(&group->prompts[i], prompt, error))
            return FALSE;
    }
    return TRUE;
}

gboolean aimf_prompts_validate(const AimfPrompts *prompts, gboolean partial, const char *where, GError **error)
{
    if (!is_text(prompts->task, MAX_NAME_BYTES))
        return aimf_prompts_refuse(error, "%s: 'task' must be a name of at most %d bytes", where, MAX_NAME_BYTES);
    if (prompts->n_groups < 1 || prompts->n_groups > AIMF_MAX_PROMPT_GROUPS)
        return aimf_prompts_refuse(error, "%s: there must be 1 to %d groups, not %u", where, AIMF_MAX_PROMPT_GROUPS,
                                   prompts->n_groups);
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint g = 0; g < prompts->n_groups; g++) {
        const AimfPromptGroup *group = &prompts->groups[g];
        g_autofree char *place = g_strdup_printf("%s: groups[%u]", where, g);
        if (!check_group(group, partial, place, error))
            return FALSE;
        if (!g_hash_table_add(names, group->name))
            return aimf_prompts_refuse(error, "%s: the group '%s' is there twice", where, group->name);
    }
    return TRUE;
}
