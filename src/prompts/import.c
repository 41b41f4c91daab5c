/* Prompts in a user's own form. */
#include "base/file.h"
#include "base/shown.h"
#include "base/text_file.h"
#include "data/csv.h"
#include "prompts/prompts.h"

#include <aimfair/data.h>
#include <string.h>

enum { MAX_TEXT_FILE_BYTES = 64 << 20 };
static const char TEXT_SUFFIX[] = ".txt";

/* "1_0": the class number, then the label behind the first '_'. NULL if @name is not so. */
static AimfPromptGroup *find_or_add_group(AimfPrompts *prompts, const char *name)
{
    for (guint g = 0; g < prompts->n_groups; g++)
        if (strcmp(prompts->groups[g].name, name) == 0)
            return &prompts->groups[g];
    const char *separator = strchr(name, '_');
    g_autofree char *number = separator ? g_strndup(name, (gsize)(separator - name)) : NULL;
    guint64 target;
    if (!separator || !separator[1] || !g_utf8_validate(name, -1, NULL) ||
        !g_ascii_string_to_unsigned(number, 10, 0, AIMF_MAX_CLASSES - 1, &target, NULL) ||
        prompts->n_groups == AIMF_MAX_PROMPT_GROUPS)
        return NULL;
    prompts->groups = g_renew(AimfPromptGroup, prompts->groups, prompts->n_groups + 1);
    AimfPromptGroup *group = &prompts->groups[prompts->n_groups++];
    *group = (AimfPromptGroup){
        .name = g_strdup(name),
        .target = (int)target,
        .protected_group = g_strdup(separator + 1),
        .words = g_strdup(name),
    };
    return group;
}

static gboolean no_group(const char *where, const char *name, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "%s: '%s' is no group; groups are called TARGET_PROTECTED, such as 1_0, and there are at most %d",
                where, AIMF_SHOWN(name), AIMF_MAX_PROMPT_GROUPS);
    return FALSE;
}

static gboolean add_prompt(AimfPromptGroup *group, const char *text, const char *where, GError **error)
{
    if (group->n_prompts == AIMF_MAX_GROUP_PROMPTS) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: more than %d prompts in the group %s", where,
                    AIMF_MAX_GROUP_PROMPTS, group->name);
        return FALSE;
    }
    aimf_prompt_group_add(group, &(AimfPrompt){ .text = (char *)text });
    return TRUE;
}

static gboolean read_lines(AimfPromptGroup *group, const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = aimf_text_read(path, MAX_TEXT_FILE_BYTES, error);
    if (!bytes)
        return FALSE;
    gsize size;
    const char *text = g_bytes_get_data(bytes, &size);
    if (memchr(text, 0, size)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' holds a NUL byte; it must be UTF-8 text", path);
        return FALSE;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++)
        if (*g_strstrip(*line) && !add_prompt(group, *line, path, error))
            return FALSE;
    return TRUE;
}

/* @path is called after its group: 1_0.txt. */
static gboolean read_text(AimfPrompts *prompts, const char *path, GError **error)
{
    g_autofree char *name = g_path_get_basename(path);
    name[strlen(name) - strlen(TEXT_SUFFIX)] = 0;
    AimfPromptGroup *group = find_or_add_group(prompts, name);
    return group ? read_lines(group, path, error) : no_group(path, name, error);
}

static gboolean read_folder(AimfPrompts *prompts, const char *path, GError **error)
{
    g_autoptr(GPtrArray) names = aimf_directory_list(path, error);
    if (!names)
        return FALSE;
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (g_str_has_suffix(name, TEXT_SUFFIX) && !read_text(prompts, file, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean read_csv(AimfPrompts *prompts, const char *path, GError **error)
{
    g_autoptr(AimfCsv) csv = aimf_csv_open(path, error);
    int group_column = csv ? aimf_csv_require(csv, "group", error) : -1;
    int prompt_column = group_column >= 0 ? aimf_csv_require(csv, "prompt", error) : -1;
    if (prompt_column < 0)
        return FALSE;
    GError *reason = NULL;
    while (aimf_csv_next(csv, &reason)) {
        g_autofree char *where = g_strdup_printf("%s:%" G_GUINT64_FORMAT, path, csv->line);
        const char *name = aimf_csv_field(csv, group_column);
        AimfPromptGroup *group = find_or_add_group(prompts, name);
        if (!group)
            return no_group(where, name, error);
        g_autofree char *text = g_strstrip(g_strdup(aimf_csv_field(csv, prompt_column)));
        if (!add_prompt(group, text, where, error))
            return FALSE;
    }
    if (!reason)
        return TRUE;
    g_propagate_error(error, reason);
    return FALSE;
}

AimfPrompts *aimf_prompts_import(const char *path, GError **error)
{
    g_autofree char *lower = g_ascii_strdown(path, -1);
    AimfPathKind kind = aimf_path_kind(path, error);
    if (kind == AIMF_PATH_UNKNOWN)
        return NULL;
    gboolean folder = kind == AIMF_PATH_FOLDER,
             csv = g_str_has_suffix(lower, ".csv") || g_str_has_suffix(lower, ".tsv");
    if (!folder && !csv && !g_str_has_suffix(path, TEXT_SUFFIX))
        return aimf_prompts_open(path, error);
    g_autoptr(AimfPrompts) prompts = g_new0(AimfPrompts, 1);
    prompts->task = g_strdup("imported");
    if (!(folder ? read_folder : csv ? read_csv : read_text)(prompts, path, error))
        return NULL;
    for (guint g = 0; g < prompts->n_groups; g++)
        if (prompts->groups[g].n_prompts)
            return g_steal_pointer(&prompts);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s' holds no prompts%s", path,
                folder ? "; it should hold 0_0.txt, 0_1.txt … with a prompt per line" : "");
    return NULL;
}
