/* The options of an optimizer, its learning rate and what goes with them, whose defaults are the architecture's. */
#pragma once

#include "cli.h"

#include <aimfair/train.h>

/**
 * AimfRecipeArguments: what the options receive, and what they say. Begin with aimf_recipe_arguments_init.
 * @given: numbers are received here; what the texts below say is put here by aimf_recipe_take
 * @milestones: (nullable) of guint, what @milestone_text says; given.milestones and the settled options point to it
 */
typedef struct {
    AimfRecipe given;
    char *optimizer;
    char *betas;
    char *decay;
    char *schedule;
    char *milestone_text;
    GArray *milestones;
} AimfRecipeArguments;

void aimf_recipe_arguments_init(AimfRecipeArguments *arguments, guint epochs);
void aimf_recipe_arguments_clear(AimfRecipeArguments *arguments);

/** aimf_recipe_take: checks what is given. */
gboolean aimf_recipe_take(AimfRecipeArguments *arguments, GError **error);

/**
 * aimf_recipe_apply: to be called after aimf_recipe_take: aimf_recipe_settle whose errors name options, and says what
 * came out.
 */
gboolean aimf_recipe_apply(AimfCli *cli, const AimfRecipeArguments *arguments, const char *architecture,
                           gboolean finetuning, AimfTrainOptions *options, GError **error);
