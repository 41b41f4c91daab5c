/* Prompts in memory: growing and freeing. */
#include "prompts/prompts.h"

static void prompt_clear(AimfPrompt *prompt)
{
    for (guint i = 0; i < prompt->n_contexts; i++) {
        g_free(prompt->dimensions[i]);
        g_free(prompt->contexts[i]);
    }
    g_free(prompt->dimensions);
    g_free(prompt->contexts);
    g_free(prompt->text);
}

void aimf_prompt_group_clear_prompts(AimfPromptGroup *group)
{
    for (guint i = 0; i < group->n_prompts; i++)
        prompt_clear(&group->prompts[i]);
    g_clear_pointer(&group->prompts, g_free);
    group->n_prompts = 0;
}

static void group_clear(AimfPromptGroup *group)
{
    aimf_prompt_group_clear_prompts(group);
    g_free(group->name);
    g_free(group->protected_group);
    g_free(group->words);
}

void aimf_prompts_free(AimfPrompts *prompts)
{
    if (!prompts)
        return;
    for (guint g = 0; g < prompts->n_groups; g++)
        group_clear(&prompts->groups[g]);
    g_free(prompts->groups);
    g_free(prompts->task);
    g_free(prompts->origin);
    g_free(prompts);
}

static char **copy_texts(char *const *texts, guint n)
{
    char **copy = g_new0(char *, n);
    for (guint i = 0; i < n; i++)
        copy[i] = g_strdup(texts[i]);
    return copy;
}

void aimf_prompt_group_add(AimfPromptGroup *group, const AimfPrompt *prompt)
{
    guint n = group->n_prompts;
    if ((n & (n - 1)) == 0) /* full at every power of two: so the struct needs no capacity of its own */
        group->prompts = g_renew(AimfPrompt, group->prompts, n ? 2 * (gsize)n : 1);
    group->prompts[group->n_prompts++] = (AimfPrompt){
        .text = g_strdup(prompt->text),
        .n_contexts = prompt->n_contexts,
        .dimensions = copy_texts(prompt->dimensions, prompt->n_contexts),
        .contexts = copy_texts(prompt->contexts, prompt->n_contexts),
    };
}
