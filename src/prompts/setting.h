/* A setting that a language model wrote without knowing a group, put into words for each group. */
#pragma once

#include <aimfair/prompts.h>

/**
 * aimf_setting_prompts:
 * @setting: contexts in a model's words; its text is not looked at
 * @turn: which of the words that a value uses in turn
 * Returns: (owned) (groups of the task) one prompt per group, differing in the attributes' words alone.
 */
AimfPrompt *aimf_setting_prompts(const AimfTask *task, const AimfPrompt *setting, guint turn);
void aimf_setting_prompts_free(AimfPrompt *prompts, guint n_groups);
