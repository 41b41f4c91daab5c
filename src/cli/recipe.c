/* The options of an optimizer, its learning rate and what goes with them. */
#include "recipe.h"

#include <math.h>

void aimf_recipe_arguments_init(AimfRecipeArguments *arguments, guint epochs)
{
    *arguments = (AimfRecipeArguments){ 0 };
    aimf_recipe_init(&arguments->given, epochs);
}

void aimf_recipe_arguments_clear(AimfRecipeArguments *arguments)
{
    g_free(arguments->optimizer);
    g_free(arguments->betas);
    g_free(arguments->decay);
    g_free(arguments->schedule);
    g_free(arguments->milestone_text);
    g_clear_pointer(&arguments->milestones, g_array_unref);
}

static gboolean take_milestones(AimfRecipeArguments *a, GError **error)
{
    gboolean none = g_str_equal(a->milestone_text, "none");
    a->milestones =
        none ? g_array_new(FALSE, FALSE, sizeof(guint)) : aimf_cli_uints("--milestones", a->milestone_text, error);
    if (!a->milestones)
        return FALSE;
    a->given.milestones = (const guint *)(void *)a->milestones->data;
    a->given.n_milestones = a->milestones->len;
    a->given.milestones_given = TRUE;
    return TRUE;
}

/* The library checks combinations too, but does not know what options are called; so here and below. */
static gboolean take_schedule(AimfRecipeArguments *a, GError **error)
{
    static const char *const schedules[] = { "steps", "cosine", NULL };
    AimfRecipe *given = &a->given;
    if (a->milestone_text && !take_milestones(a, error))
        return FALSE;
    if (a->schedule && (given->schedule = aimf_cli_choice("--schedule", a->schedule, schedules, error)) < 0)
        return FALSE;
    if (given->schedule == AIMF_SCHEDULE_COSINE && a->milestones) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--milestones are of --schedule steps, not of cosine");
        return FALSE;
    }
    if (given->warmup_epochs >= (int)given->epochs) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--warmup is %d; it must be less than --epochs, %u",
                    given->warmup_epochs, given->epochs);
        return FALSE;
    }
    return TRUE;
}

static gboolean take_betas(AimfRecipeArguments *a, GError **error)
{
    double *betas = a->given.betas;
    return !a->betas || (aimf_cli_pair("--betas", a->betas, betas, error) &&
                         aimf_cli_check_double("the first of --betas", betas[0], 0, 0.9999999, error) &&
                         aimf_cli_check_double("the second of --betas", betas[1], 0, 0.9999999, error));
}

/* @architecture: (nullable) whose default @kind is */
static gboolean check_optimizer(const AimfRecipeArguments *a, AimfOptimizerKind kind, const char *architecture,
                                GError **error)
{
    gboolean adamw = kind == AIMF_OPTIMIZER_ADAMW;
    const char *other = NULL;
    if (adamw && !isnan(a->given.momentum))
        other = "--momentum is of SGD; AdamW has --betas";
    else if (!adamw && (a->betas || !isnan(a->given.epsilon)))
        other = "--betas and --epsilon are of AdamW, --optimizer adamw";
    if (other && architecture && adamw)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s, and %s has AdamW without --optimizer sgd", other,
                    architecture);
    else if (other)
        g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_INVALID, other);
    return !other;
}

gboolean aimf_recipe_take(AimfRecipeArguments *a, GError **error)
{
    static const char *const kinds[] = { "sgd", "adamw", NULL };
    static const char *const decays[] = { "all", "weights", NULL }; /* FALSE and TRUE of decay_weights_only */
    AimfRecipe *given = &a->given;
    if (a->optimizer && (given->optimizer = aimf_cli_choice("--optimizer", a->optimizer, kinds, error)) < 0)
        return FALSE;
    if (a->decay && (given->decay_weights_only = aimf_cli_choice("--decay", a->decay, decays, error)) < 0)
        return FALSE;
    return take_schedule(a, error) && take_betas(a, error) &&
           (!a->optimizer || check_optimizer(a, (AimfOptimizerKind)given->optimizer, NULL, error));
}

gboolean aimf_recipe_apply(AimfCli *cli, const AimfRecipeArguments *a, const char *architecture, gboolean finetuning,
                           AimfTrainOptions *options, GError **error)
{
    AimfTrainOptions own; /* fine-tuning has the same optimizer */
    if (!aimf_pretrain_defaults(architecture, &own, error) ||
        (!a->optimizer && !check_optimizer(a, own.optimizer.kind, architecture, error)) ||
        !aimf_recipe_settle(&a->given, architecture, finetuning, options, error))
        return FALSE;
    g_autofree char *text = aimf_recipe_text(options);
    aimf_cli_message(cli, AIMF_LOG_INFO, "%s is trained by %s", architecture, text);
    return TRUE;
}
