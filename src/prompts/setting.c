#include "prompts/setting.h"

#include "prompts/sentence.h"

#include <string.h>

/* (owned) "Wearing a straw hat." as it stands behind @lead: "a straw hat". */
static char *as_phrase(const char *context, const char *lead)
{
    char *phrase = g_strstrip(g_strdup(context));
    gsize n = strlen(lead);
    if (n && g_ascii_strncasecmp(phrase, lead, n) == 0 && phrase[n] == ' ')
        memmove(phrase, phrase + n + 1, strlen(phrase + n + 1) + 1);
    for (gsize end = strlen(phrase); end && strchr(".,; ", phrase[end - 1]); end--)
        phrase[end - 1] = 0;
    if (g_ascii_isupper(phrase[0]) && g_ascii_islower(phrase[1]))
        phrase[0] = g_ascii_tolower(phrase[0]);
    return phrase;
}

static const char *context_of(const AimfPrompt *setting, const char *dimension)
{
    for (guint i = 0; i < setting->n_contexts; i++)
        if (strcmp(setting->dimensions[i], dimension) == 0)
            return setting->contexts[i];
    return "";
}

/* (owned) (n_dimensions, then NULL) the task's dimensions as the setting has them, "" where it says nothing. */
static char **choose(const AimfTask *task, const AimfPrompt *setting)
{
    char **chosen = g_new0(char *, task->n_dimensions + 1);
    for (guint d = 0; d < task->n_dimensions; d++)
        chosen[d] = as_phrase(context_of(setting, task->dimensions[d].name), task->dimensions[d].lead);
    return chosen;
}

static void take_labels(AimfPrompt *prompt, const AimfTask *task, char *const *chosen)
{
    prompt->dimensions = g_new0(char *, task->n_dimensions + 1);
    prompt->contexts = g_new0(char *, task->n_dimensions + 1);
    for (guint d = 0; d < task->n_dimensions; d++) {
        g_autofree char *label = aimf_sentence_context(chosen[d]);
        if (!*label)
            continue;
        prompt->dimensions[prompt->n_contexts] = g_strdup(task->dimensions[d].name);
        prompt->contexts[prompt->n_contexts++] = g_steal_pointer(&label);
    }
}

AimfPrompt *aimf_setting_prompts(const AimfTask *task, const AimfPrompt *setting, guint turn)
{
    guint n_groups = aimf_task_groups(task);
    AimfPrompt *prompts = g_new0(AimfPrompt, n_groups);
    g_auto(GStrv) chosen = choose(task, setting);
    for (guint g = 0; g < n_groups; g++) {
        prompts[g].text = aimf_sentence(task, g, turn, (const char *const *)chosen);
        take_labels(&prompts[g], task, chosen);
    }
    return prompts;
}

void aimf_setting_prompts_free(AimfPrompt *prompts, guint n_groups)
{
    for (guint g = 0; g < n_groups; g++) {
        g_free(prompts[g].text);
        g_strfreev(prompts[g].dimensions);
        g_strfreev(prompts[g].contexts);
    }
    g_free(prompts);
}
