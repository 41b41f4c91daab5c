/* What is given of a recipe over what the architecture has by default. */
#include <aimfair/train.h>

#include <math.h>

void aimf_recipe_init(AimfRecipe *recipe, guint epochs)
{
    *recipe = (AimfRecipe){
        .epochs = epochs,
        .optimizer = AIMF_NOT_GIVEN,
        .learning_rate = NAN,
        .momentum = NAN,
        .epsilon = NAN,
        .weight_decay = NAN,
        .clip_norm = NAN,
        .label_smoothing = NAN,
        .betas = { NAN, NAN },
        .decay_weights_only = AIMF_NOT_GIVEN,
        .schedule = AIMF_NOT_GIVEN,
        .warmup_epochs = AIMF_NOT_GIVEN,
    };
}

/* --- What cannot be meant --- */

/* What is of the other optimizer would be passed over without a word. @architecture: whose default may be @kind */
static gboolean check_optimizer(const AimfRecipe *recipe, AimfOptimizerKind kind, const char *architecture,
                                GError **error)
{
    gboolean adamw = kind == AIMF_OPTIMIZER_ADAMW;
    gboolean of_adamw = !isnan(recipe->betas[0]) || !isnan(recipe->betas[1]) || !isnan(recipe->epsilon);
    if (adamw ? isnan(recipe->momentum) : !of_adamw)
        return TRUE;
    g_autofree char *whose = recipe->optimizer == AIMF_NOT_GIVEN
                                 ? g_strdup_printf(", and %s has %s by default", architecture, adamw ? "AdamW" : "SGD")
                                 : g_strdup("");
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s%s",
                adamw ? "momentum is of SGD; AdamW has betas" : "betas and epsilon are of AdamW; SGD has momentum",
                whose);
    return FALSE;
}

static gboolean check_epochs(const AimfRecipe *recipe, GError **error)
{
    if (!recipe->epochs)
        g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the epochs are 0; there must be at least one");
    else if (recipe->warmup_epochs >= 0 && (guint)recipe->warmup_epochs >= recipe->epochs)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "the warm-up is %d epoch%s; it must be less than the epochs, %u", recipe->warmup_epochs,
                    AIMF_PLURAL(recipe->warmup_epochs), recipe->epochs);
    else if (recipe->schedule == AIMF_SCHEDULE_COSINE && recipe->milestones_given)
        g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                            "milestones are of the schedule of steps, not of the cosine");
    else
        return TRUE;
    return FALSE;
}

/* --- Defaults --- */

static gboolean find_defaults(const AimfRecipe *recipe, const char *architecture, gboolean finetuning,
                              AimfTrainOptions *defaults, GError **error)
{
    if (!(finetuning ? aimf_finetune_defaults : aimf_pretrain_defaults)(architecture, defaults, error))
        return FALSE;
    if (recipe->optimizer == AIMF_NOT_GIVEN || recipe->optimizer == (int)defaults->optimizer.kind)
        return TRUE;
    *defaults = finetuning ? AIMF_FINETUNE_DEFAULTS : AIMF_PRETRAIN_DEFAULTS;
    if (recipe->optimizer == AIMF_OPTIMIZER_ADAMW) {
        defaults->optimizer = AIMF_ADAMW_DEFAULTS;
        defaults->learning_rate = AIMF_ADAMW_LEARNING_RATE;
    }
    return TRUE;
}

static double given_or(double given, double otherwise)
{
    return isnan(given) ? otherwise : given;
}

static void settle_optimizer(const AimfRecipe *recipe, const AimfOptimizer *defaults, AimfOptimizer *optimizer)
{
    *optimizer = *defaults;
    optimizer->weight_decay = given_or(recipe->weight_decay, defaults->weight_decay);
    optimizer->momentum = given_or(recipe->momentum, defaults->momentum);
    optimizer->epsilon = given_or(recipe->epsilon, defaults->epsilon);
    optimizer->clip_norm = given_or(recipe->clip_norm, defaults->clip_norm);
    optimizer->average = recipe->average;
    if (recipe->decay_weights_only != AIMF_NOT_GIVEN)
        optimizer->decay_weights_only = recipe->decay_weights_only != 0;
    for (int i = 0; i < 2; i++)
        optimizer->betas[i] = given_or(recipe->betas[i], defaults->betas[i]);
}

static void settle_schedule(const AimfRecipe *recipe, const AimfTrainOptions *defaults, AimfTrainOptions *options)
{
    options->epochs = recipe->epochs;
    options->learning_rate = given_or(recipe->learning_rate, defaults->learning_rate);
    options->schedule = recipe->schedule != AIMF_NOT_GIVEN ? (AimfSchedule)recipe->schedule
                        : recipe->milestones_given         ? AIMF_SCHEDULE_STEPS
                                                           : defaults->schedule;
    /* A default must not make a short training impossible. */
    options->warmup_epochs =
        recipe->warmup_epochs >= 0 ? (guint)recipe->warmup_epochs : MIN(defaults->warmup_epochs, recipe->epochs - 1);
    options->milestones = recipe->milestones_given ? recipe->milestones : AIMF_PRETRAIN_DEFAULTS.milestones;
    options->n_milestones = recipe->milestones_given ? recipe->n_milestones : AIMF_PRETRAIN_DEFAULTS.n_milestones;
    if (options->schedule == AIMF_SCHEDULE_COSINE)
        options->n_milestones = 0;
}

gboolean aimf_recipe_settle(const AimfRecipe *recipe, const char *architecture, gboolean finetuning,
                            AimfTrainOptions *options, GError **error)
{
    AimfTrainOptions defaults;
    if (!find_defaults(recipe, architecture, finetuning, &defaults, error) || !check_epochs(recipe, error) ||
        !check_optimizer(recipe, defaults.optimizer.kind, architecture, error))
        return FALSE;
    settle_optimizer(recipe, &defaults.optimizer, &options->optimizer);
    settle_schedule(recipe, &defaults, options);
    options->label_smoothing = given_or(recipe->label_smoothing, defaults.label_smoothing);
    return TRUE;
}

/* --- Words --- */

/* "@before 0.0001"; the point is a point in every locale */
static void append_number(GString *text, const char *before, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf(text, "%s %s", before, g_ascii_formatd(number, sizeof number, "%g", value));
}

static void append_schedule(GString *text, const AimfTrainOptions *options)
{
    append_number(text, ", learning rate", options->learning_rate);
    if (options->schedule == AIMF_SCHEDULE_COSINE)
        g_string_append(text, " along a cosine");
    for (guint i = 0; i < options->n_milestones; i++)
        g_string_append_printf(text, "%s %u", i ? "," : ", to a tenth after epoch", options->milestones[i]);
    if (options->warmup_epochs)
        g_string_append_printf(text, ", %u epoch%s of warm-up", options->warmup_epochs,
                               AIMF_PLURAL(options->warmup_epochs));
}

char *aimf_recipe_text(const AimfTrainOptions *options)
{
    const AimfOptimizer *o = &options->optimizer;
    gboolean adamw = o->kind == AIMF_OPTIMIZER_ADAMW;
    GString *text = g_string_new(adamw ? "adamw" : "sgd");
    append_schedule(text, options);
    if (adamw) {
        append_number(text, ", betas", o->betas[0]);
        append_number(text, " and", o->betas[1]);
        append_number(text, ", epsilon", o->epsilon);
    } else
        append_number(text, ", momentum", o->momentum);
    append_number(text, ", weight decay", o->weight_decay);
    if (o->decay_weights_only)
        g_string_append(text, " of weights");
    if (o->clip_norm > 0) {
        append_number(text, ", gradients of norm", o->clip_norm);
        g_string_append(text, " at most");
    }
    if (options->label_smoothing > 0)
        append_number(text, ", labels smoothed by", options->label_smoothing);
    if (o->average > 0)
        append_number(text, ", averages of decay", o->average);
    return g_string_free(text, FALSE);
}
