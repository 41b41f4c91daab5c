/* The options of an optimizer, its learning rate and what goes with them, whose defaults are the architecture's. */
#pragma once

#include "cli.h"

#include <aimfair/train.h>

enum { AIMF_NOT_GIVEN = -1 };

/**
 * AimfRecipeArguments: what the options receive and what they say. Begin with aimf_recipe_init.
 * Numbers that are NAN, @warmup below 0 and texts that are NULL are not given.
 * @kind, @decays, @rates: what @optimizer, @decay and @schedule say, or AIMF_NOT_GIVEN; @both_betas: what @betas says
 * @milestones: (nullable) of guint, what @milestone_text says; the settled options point to it
 */
typedef struct {
    gint epochs;
    char *optimizer;
    gdouble learning_rate;
    gdouble momentum;
    char *betas;
    gdouble epsilon;
    gdouble weight_decay;
    char *decay;
    gdouble clip_norm;
    gdouble ema;
    char *schedule;
    char *milestone_text;
    gint warmup;
    gdouble label_smoothing;
    int kind;   /* an AimfOptimizerKind */
    int decays; /* 0: all, 1: weights */
    int rates;  /* an AimfSchedule */
    double both_betas[2];
    GArray *milestones;
} AimfRecipeArguments;

void aimf_recipe_init(AimfRecipeArguments *recipe, guint epochs);
void aimf_recipe_clear(AimfRecipeArguments *recipe);

/** aimf_recipe_take: checks what is given. */
gboolean aimf_recipe_take(AimfRecipeArguments *recipe, GError **error);

/**
 * aimf_recipe_settle: to be called after aimf_recipe_take: the defaults of @architecture, and over them what is given,
 * become a part of @options, and are said. Where another optimizer than the architecture's is given, its other
 * defaults do not hold: those of SGD are the paper's, those of AdamW PyTorch's and for the rest the paper's.
 */
gboolean aimf_recipe_settle(AimfCli *cli, const AimfRecipeArguments *recipe, const char *architecture,
                            gboolean finetuning, AimfTrainOptions *options, GError **error);
