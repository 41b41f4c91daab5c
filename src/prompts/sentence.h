/* Prompts as sentences: a task's words and contexts in English order. */
#pragma once

#include <aimfair/prompts.h>

/**
 * aimf_sentence:
 * @turn: which of the words that a value uses in turn; @chosen: (n_dimensions) phrases, NULL or "" for none
 * Returns: (owned) "A portrait photo of a smiling woman with short brown hair, wearing a plain T-shirt, in open shade."
 */
char *aimf_sentence(const AimfTask *task, guint group, guint turn, const char *const *chosen);

/** aimf_sentence_context: (owned) a phrase as a label: without the slots that other words fill. */
char *aimf_sentence_context(const char *phrase);
