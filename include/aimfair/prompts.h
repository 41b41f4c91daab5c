/* Prompts for groups: what a language model or the composer writes, what is checked, and what image generation reads. */
#pragma once

#include <aimfair/error.h>

G_BEGIN_DECLS

/** AimfPrompt: one prompt. @dimensions, @contexts: (n_contexts) "hair" and "short curly hair" …, owned */
typedef struct {
    char *text;
    guint n_contexts;
    char **dimensions;
    char **contexts;
} AimfPrompt;

/**
 * AimfPromptGroup:
 * @name: "1_0", or "1_0_1" with two protected attributes: the folder of its images
 * @target: class number; @protected_group: the manifest's text; @words: "smiling female"
 */
typedef struct {
    char *name;
    int target;
    char *protected_group;
    char *words;
    guint n_prompts;
    AimfPrompt *prompts; /* (n_prompts), owned */
} AimfPromptGroup;

/**
 * AimfPrompts: the contents of prompts.json.
 * @task: "Smiling_Male"; @origin: (nullable) a JSON object as text: who wrote them, when, with which seed
 */
typedef struct {
    char *task;
    char *origin;
    guint n_groups;
    AimfPromptGroup *groups; /* (n_groups), owned */
} AimfPrompts;

void aimf_prompts_free(AimfPrompts *prompts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfPrompts, aimf_prompts_free)

/**
 * aimf_prompts_open: reads prompts.json, version 1.
 * Returns: (owned) or NULL with NOT_FOUND, IO or FORMAT (not JSON, another version, a group without prompts or with a name that is
 * no plain folder name, two groups of one name, an empty prompt; names the group and the prompt).
 */
AimfPrompts *aimf_prompts_open(const char *path, GError **error);
/** aimf_prompts_save: writes prompts.json atomically; the same prompts give the same bytes. */
gboolean aimf_prompts_save(const AimfPrompts *prompts, const char *path, GError **error);

G_END_DECLS
