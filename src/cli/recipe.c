/* The optimizer, its learning rate and what goes with them: of the options that are given, and the architecture's. */
#include "recipe.h"

#include <math.h>

void aimf_recipe_init(AimfRecipeArguments *recipe, guint epochs)
{
    *recipe = (AimfRecipeArguments){
        .epochs = (gint)epochs,
        .learning_rate = NAN,
        .momentum = NAN,
        .epsilon = NAN,
        .weight_decay = NAN,
        .clip_norm = NAN,
        .label_smoothing = NAN,
        .warmup = -1,
    };
}

void aimf_recipe_clear(AimfRecipeArguments *recipe)
{
    g_free(recipe->optimizer);
    g_free(recipe->betas);
    g_free(recipe->decay);
    g_free(recipe->schedule);
    g_free(recipe->milestone_text);
    g_clear_pointer(&recipe->milestones, g_array_unref);
}

static gboolean take_schedule(AimfRecipeArguments *a, GError **error)
{
    static const char *const schedules[] = { "steps", "cosine", NULL };
    if (a->milestone_text) {
        gboolean none = g_str_equal(a->milestone_text, "none");
        a->milestones =
            none ? g_array_new(FALSE, FALSE, sizeof(guint)) : aimf_cli_uints("--milestones", a->milestone_text, error);
        if (!a->milestones)
            return FALSE;
    }
    a->rates = AIMF_NOT_GIVEN;
    if (a->schedule && (a->rates = aimf_cli_choice("--schedule", a->schedule, schedules, error)) < 0)
        return FALSE;
    if (a->rates == AIMF_SCHEDULE_COSINE && a->milestones) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--milestones are of --schedule steps, not of cosine");
        return FALSE;
    }
    if (a->warmup >= a->epochs) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "--warmup is %d; it must be less than --epochs, %d",
                    a->warmup, a->epochs);
        return FALSE;
    }
    return TRUE;
}

static gboolean take_betas(AimfRecipeArguments *a, GError **error)
{
    return !a->betas || (aimf_cli_pair("--betas", a->betas, a->both_betas, error) &&
                         aimf_cli_check_double("the first of --betas", a->both_betas[0], 0, 0.9999999, error) &&
                         aimf_cli_check_double("the second of --betas", a->both_betas[1], 0, 0.9999999, error));
}

/* What is of the other optimizer would be passed over without a word. @architecture: (nullable) whose default it is */
static gboolean check_optimizer(const AimfRecipeArguments *a, AimfOptimizerKind kind, const char *architecture,
                                GError **error)
{
    gboolean adamw = kind == AIMF_OPTIMIZER_ADAMW;
    const char *other = NULL;
    if (adamw && !isnan(a->momentum))
        other = "--momentum is of SGD; AdamW has --betas";
    else if (!adamw && (a->betas || !isnan(a->epsilon)))
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
    static const char *const decays[] = { "all", "weights", NULL };
    a->kind = a->decays = AIMF_NOT_GIVEN;
    if (a->optimizer && (a->kind = aimf_cli_choice("--optimizer", a->optimizer, kinds, error)) < 0)
        return FALSE;
    if (a->decay && (a->decays = aimf_cli_choice("--decay", a->decay, decays, error)) < 0)
        return FALSE;
    return take_schedule(a, error) && take_betas(a, error) &&
           (!a->optimizer || check_optimizer(a, (AimfOptimizerKind)a->kind, NULL, error));
}

/* --- Defaults --- */

static gboolean find_defaults(const AimfRecipeArguments *a, const char *architecture, gboolean finetuning,
                              AimfTrainOptions *defaults, GError **error)
{
    if (!(finetuning ? aimf_finetune_defaults : aimf_pretrain_defaults)(architecture, defaults, error))
        return FALSE;
    if (a->kind == AIMF_NOT_GIVEN || a->kind == (int)defaults->optimizer.kind)
        return TRUE;
    *defaults = finetuning ? AIMF_FINETUNE_DEFAULTS : AIMF_PRETRAIN_DEFAULTS;
    if (a->kind == AIMF_OPTIMIZER_ADAMW) {
        defaults->optimizer = AIMF_ADAMW_DEFAULTS;
        defaults->learning_rate = AIMF_ADAMW_LEARNING_RATE;
    }
    return TRUE;
}

static double given_or(double given, double otherwise)
{
    return isnan(given) ? otherwise : given;
}

static void settle_optimizer(const AimfRecipeArguments *a, const AimfOptimizer *defaults, AimfOptimizer *optimizer)
{
    *optimizer = *defaults;
    optimizer->weight_decay = given_or(a->weight_decay, defaults->weight_decay);
    optimizer->momentum = given_or(a->momentum, defaults->momentum);
    optimizer->epsilon = given_or(a->epsilon, defaults->epsilon);
    optimizer->clip_norm = given_or(a->clip_norm, defaults->clip_norm);
    optimizer->average = a->ema;
    if (a->decays != AIMF_NOT_GIVEN)
        optimizer->decay_weights_only = a->decays == 1;
    for (int i = 0; a->betas && i < 2; i++)
        optimizer->betas[i] = a->both_betas[i];
}

static void settle_schedule(const AimfRecipeArguments *a, const AimfTrainOptions *defaults, AimfTrainOptions *options)
{
    options->epochs = (guint)a->epochs;
    options->learning_rate = given_or(a->learning_rate, defaults->learning_rate);
    options->schedule = a->rates != AIMF_NOT_GIVEN ? (AimfSchedule)a->rates
                        : a->milestones            ? AIMF_SCHEDULE_STEPS
                                                   : defaults->schedule;
    /* A default must not make a short training impossible. */
    options->warmup_epochs = a->warmup >= 0 ? (guint)a->warmup : MIN(defaults->warmup_epochs, options->epochs - 1);
    options->milestones = AIMF_PRETRAIN_DEFAULTS.milestones;
    options->n_milestones = AIMF_PRETRAIN_DEFAULTS.n_milestones;
    if (a->milestones) {
        options->milestones = (const guint *)(void *)a->milestones->data;
        options->n_milestones = a->milestones->len;
    }
    if (options->schedule == AIMF_SCHEDULE_COSINE)
        options->n_milestones = 0;
}

/* (owned) "sgd, learning rate 0.01, to a tenth after epoch 10, momentum 0.9, weight decay 0.0001" */
static char *describe(const AimfTrainOptions *options)
{
    const AimfOptimizer *o = &options->optimizer;
    gboolean adamw = o->kind == AIMF_OPTIMIZER_ADAMW;
    GString *text = g_string_new(adamw ? "adamw" : "sgd");
    g_string_append_printf(text, ", learning rate %g", options->learning_rate);
    if (options->schedule == AIMF_SCHEDULE_COSINE)
        g_string_append(text, " along a cosine");
    for (guint i = 0; i < options->n_milestones; i++)
        g_string_append_printf(text, "%s %u", i ? "," : ", to a tenth after epoch", options->milestones[i]);
    if (options->warmup_epochs)
        g_string_append_printf(text, ", %u epoch%s of warm-up", options->warmup_epochs,
                               AIMF_PLURAL(options->warmup_epochs));
    if (adamw)
        g_string_append_printf(text, ", betas %g and %g, epsilon %g", o->betas[0], o->betas[1], o->epsilon);
    else
        g_string_append_printf(text, ", momentum %g", o->momentum);
    g_string_append_printf(text, ", weight decay %g%s", o->weight_decay, o->decay_weights_only ? " of weights" : "");
    if (o->clip_norm > 0)
        g_string_append_printf(text, ", gradients of norm %g at most", o->clip_norm);
    if (options->label_smoothing > 0)
        g_string_append_printf(text, ", labels smoothed by %g", options->label_smoothing);
    if (o->average > 0)
        g_string_append_printf(text, ", averages of decay %g", o->average);
    return g_string_free(text, FALSE);
}

gboolean aimf_recipe_settle(AimfCli *cli, const AimfRecipeArguments *recipe, const char *architecture,
                            gboolean finetuning, AimfTrainOptions *options, GError **error)
{
    AimfTrainOptions defaults;
    if (!find_defaults(recipe, architecture, finetuning, &defaults, error) ||
        !check_optimizer(recipe, defaults.optimizer.kind, recipe->optimizer ? NULL : architecture, error))
        return FALSE;
    settle_optimizer(recipe, &defaults.optimizer, &options->optimizer);
    settle_schedule(recipe, &defaults, options);
    options->label_smoothing = given_or(recipe->label_smoothing, defaults.label_smoothing);
    g_autofree char *text = describe(options);
    aimf_cli_message(cli, AIMF_LOG_INFO, "%s is trained by %s", architecture, text);
    return TRUE;
}
