/* What the files of prompts/ share. */
#pragma once

#include <aimfair/prompts.h>

/**
 * aimf_prompts_validate:
 * Whether prompts.json could hold @prompts: names, numbers, no empty texts, nothing twice. @where: begins the messages
 * @partial: groups may be without prompts. FALSE with FORMAT.
 */
gboolean aimf_prompts_validate(const AimfPrompts *prompts, gboolean partial, const char *where, GError **error);

/** aimf_prompts_refuse: FORMAT with a message. Always FALSE. */
gboolean aimf_prompts_refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** aimf_prompt_group_clear_prompts: leaves the group without prompts. */
void aimf_prompt_group_clear_prompts(AimfPromptGroup *group);
