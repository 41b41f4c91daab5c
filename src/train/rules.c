#include "train/rules.h"

#include "model/architecture.h"

#include <math.h>

static const AimfAugment augment = AIMF_AUGMENT_DEFAULT;
static const guint milestone[] = { 10 };

const AimfTrainOptions AIMF_PRETRAIN_DEFAULTS = {
    .epochs = 15,
    .batch = 128,
    .learning_rate = 0.01,
    .optimizer = { .momentum = 0.9, .weight_decay = 1e-4 },
    .milestones = milestone,
    .n_milestones = G_N_ELEMENTS(milestone),
    .augment = &augment,
    .shuffle = TRUE,
    .later_tie_wins = TRUE,
};

const AimfTrainOptions AIMF_FINETUNE_DEFAULTS = {
    .epochs = 10,
    .batch = 128,
    .learning_rate = 0.06,
    .optimizer = { .momentum = 0.9, .weight_decay = 1e-4 },
    .milestones = milestone,
    .n_milestones = G_N_ELEMENTS(milestone),
    .augment = &augment,
    .shuffle = TRUE,
    .later_tie_wins = FALSE,
    .measure_start = TRUE,
};

const AimfOptimizer AIMF_ADAMW_DEFAULTS = {
    .kind = AIMF_OPTIMIZER_ADAMW,
    .weight_decay = 0.01,
    .betas = { 0.9, 0.999 },
    .epsilon = 1e-8,
};

static void follow(const AimfArchitectureRecipe *recipe, AimfTrainOptions *options)
{
    if (recipe->optimizer == AIMF_OPTIMIZER_ADAMW) {
        options->optimizer = AIMF_ADAMW_DEFAULTS;
        options->learning_rate = recipe->learning_rate;
        options->schedule = AIMF_SCHEDULE_COSINE;
        options->n_milestones = 0;
    }
    options->optimizer.weight_decay = recipe->weight_decay;
    options->optimizer.decay_weights_only = recipe->decay_weights_only;
    options->optimizer.clip_norm = recipe->clip_norm;
    options->label_smoothing = recipe->label_smoothing;
}

gboolean aimf_pretrain_defaults(const char *architecture, AimfTrainOptions *options, GError **error)
{
    const AimfArchitecture *found = aimf_architecture_find(architecture, error);
    if (!found)
        return FALSE;
    *options = AIMF_PRETRAIN_DEFAULTS;
    if (found->recipe) {
        follow(found->recipe, options);
        options->warmup_epochs = found->recipe->warmup_epochs;
    }
    return TRUE;
}

gboolean aimf_finetune_defaults(const char *architecture, AimfTrainOptions *options, GError **error)
{
    const AimfArchitecture *found = aimf_architecture_find(architecture, error);
    if (!found)
        return FALSE;
    *options = AIMF_FINETUNE_DEFAULTS;
    if (found->recipe)
        follow(found->recipe, options);
    return TRUE;
}

double aimf_train_learning_rate(const AimfTrainOptions *options, guint epoch)
{
    const double warmup_begin = 0.01;
    double rate = options->learning_rate, warmup = options->warmup_epochs;
    if (epoch < options->warmup_epochs)
        return rate * (warmup_begin + (1 - warmup_begin) * epoch / warmup);
    if (options->schedule == AIMF_SCHEDULE_COSINE)
        return rate * (1 + cos(G_PI * (epoch - warmup) / (options->epochs - warmup))) / 2;
    for (guint i = 0; i < options->n_milestones; i++)
        if (options->milestones[i] <= epoch)
            rate *= options->gamma != 0 ? options->gamma : 0.1;
    return rate;
}

double aimf_train_score(AimfSelect select, const AimfEpoch *epoch)
{
    if (select == AIMF_SELECT_WORST_GROUP)
        return epoch->val_worst_group_accuracy;
    return select == AIMF_SELECT_EQUALIZED_ODDS ? -epoch->val_equalized_odds : epoch->val_accuracy;
}

gboolean aimf_train_is_better(gboolean later_tie_wins, gboolean first, double score, double best)
{
    return first || isnan(best) || score > best || (later_tie_wins && score >= best);
}
