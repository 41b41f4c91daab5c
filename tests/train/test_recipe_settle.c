/* What is given of a recipe, over what the architecture has by default. */
#include "weights/support_weights.h"

#include <aimfair/train.h>

#include <math.h>

static const guint later[] = { 3, 5 };

/* What each case begins with: ten epochs, and nothing else is given. */
static AimfRecipe nothing(void)
{
    AimfRecipe recipe;
    aimf_recipe_init(&recipe, 10);
    return recipe;
}

static AimfTrainOptions settled(const AimfRecipe *recipe, const char *architecture, gboolean finetuning)
{
    g_autoptr(GError) error = NULL;
    AimfTrainOptions options = finetuning ? AIMF_FINETUNE_DEFAULTS : AIMF_PRETRAIN_DEFAULTS;
    g_assert_true(aimf_recipe_settle(recipe, architecture, finetuning, &options, &error));
    g_assert_no_error(error);
    return options;
}

static void check_text(const AimfTrainOptions *options, const char *expected)
{
    g_autofree char *text = aimf_recipe_text(options);
    g_assert_cmpstr(text, ==, expected);
}

/* Nothing given is the architecture's defaults, member by member, whichever the architecture. */
static void test_nothing_given(void)
{
    const char *const *names = aimf_architectures();
    for (gsize i = 0; names[i]; i++)
        for (int finetuning = 0; finetuning < 2; finetuning++) {
            g_autoptr(GError) error = NULL;
            AimfTrainOptions expected = { 0 };
            g_assert_true((finetuning ? aimf_finetune_defaults : aimf_pretrain_defaults)(names[i], &expected, &error));
            g_assert_no_error(error);
            AimfRecipe recipe;
            aimf_recipe_init(&recipe, expected.epochs);
            AimfTrainOptions options = settled(&recipe, names[i], finetuning);
            const AimfOptimizer *o = &options.optimizer, *e = &expected.optimizer;
            g_assert_cmpint(o->kind, ==, e->kind);
            g_assert_cmpfloat(o->weight_decay, ==, e->weight_decay);
            g_assert_cmpint(o->decay_weights_only, ==, e->decay_weights_only);
            g_assert_cmpfloat(o->momentum, ==, e->momentum);
            g_assert_cmpfloat(o->betas[0], ==, e->betas[0]);
            g_assert_cmpfloat(o->betas[1], ==, e->betas[1]);
            g_assert_cmpfloat(o->epsilon, ==, e->epsilon);
            g_assert_cmpfloat(o->clip_norm, ==, e->clip_norm);
            g_assert_cmpfloat(o->average, ==, 0);
            g_assert_cmpuint(options.epochs, ==, expected.epochs);
            g_assert_cmpfloat(options.learning_rate, ==, expected.learning_rate);
            g_assert_cmpint(options.schedule, ==, expected.schedule);
            g_assert_cmpuint(options.n_milestones, ==, expected.n_milestones);
            g_assert_cmpuint(options.warmup_epochs, ==, expected.warmup_epochs);
            g_assert_cmpfloat(options.label_smoothing, ==, expected.label_smoothing);
        }
}

/* Everything that is given is there, and what is no part of a recipe stays. */
static void test_everything_given(void)
{
    AimfRecipe recipe = nothing();
    recipe.optimizer = AIMF_OPTIMIZER_ADAMW;
    recipe.learning_rate = 0.003;
    recipe.epsilon = 1e-6;
    recipe.weight_decay = 0;
    recipe.clip_norm = 2;
    recipe.label_smoothing = 0.25;
    recipe.betas[0] = 0.8;
    recipe.betas[1] = 0.95;
    recipe.average = 0.99;
    recipe.decay_weights_only = TRUE;
    recipe.schedule = AIMF_SCHEDULE_STEPS;
    recipe.milestones = later;
    recipe.n_milestones = G_N_ELEMENTS(later);
    recipe.milestones_given = TRUE;
    recipe.warmup_epochs = 2;
    AimfTrainOptions options = { .batch = 77, .gamma = 0.5, .select = AIMF_SELECT_WORST_GROUP, .seed = 9 };
    g_autoptr(GError) error = NULL;
    g_assert_true(aimf_recipe_settle(&recipe, "resnet18", TRUE, &options, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(options.epochs, ==, 10);
    g_assert_true(options.milestones == later);
    check_text(&options, "adamw, learning rate 0.003, to a tenth after epoch 3, 5, 2 epochs of warm-up, betas 0.8 and "
                         "0.95, epsilon 1e-06, weight decay 0 of weights, gradients of norm 2 at most, labels smoothed "
                         "by 0.25, averages of decay 0.99");
    g_assert_cmpuint(options.batch, ==, 77);
    g_assert_cmpfloat(options.gamma, ==, 0.5);
    g_assert_cmpint(options.select, ==, AIMF_SELECT_WORST_GROUP);
    g_assert_cmpuint(options.seed, ==, 9);
}

/* What zero would be is given too: only NaN and AIMF_NOT_GIVEN are not. */
static void test_zeros_are_given(void)
{
    AimfRecipe recipe = nothing();
    recipe.weight_decay = recipe.clip_norm = recipe.label_smoothing = 0;
    recipe.decay_weights_only = FALSE;
    recipe.warmup_epochs = 0;
    AimfTrainOptions options = settled(&recipe, "vit_small_patch16_224", FALSE);
    check_text(&options, "adamw, learning rate 0.000125 along a cosine, betas 0.9 and 0.999, epsilon 1e-08, weight "
                         "decay 0");
    recipe = nothing();
    recipe.momentum = 0;
    recipe.milestones_given = TRUE; /* none of them */
    options = settled(&recipe, "resnet18", FALSE);
    check_text(&options, "sgd, learning rate 0.01, momentum 0, weight decay 0.0001");
}

/* With another optimizer than its own, an architecture's own rate, schedule and the rest do not hold. */
static void test_other_optimizer(void)
{
    AimfRecipe recipe = nothing();
    recipe.optimizer = AIMF_OPTIMIZER_SGD;
    AimfTrainOptions options = settled(&recipe, "convnext_tiny", FALSE);
    check_text(&options, "sgd, learning rate 0.01, to a tenth after epoch 10, momentum 0.9, weight decay 0.0001");
    options = settled(&recipe, "convnext_tiny", TRUE);
    check_text(&options, "sgd, learning rate 0.06, to a tenth after epoch 10, momentum 0.9, weight decay 0.0001");
    recipe.optimizer = AIMF_OPTIMIZER_ADAMW;
    recipe.betas[1] = 0.95; /* alone */
    options = settled(&recipe, "resnet18", TRUE);
    check_text(&options, "adamw, learning rate 0.001, to a tenth after epoch 10, betas 0.9 and 0.95, epsilon 1e-08, "
                         "weight decay 0.01");
}

static void test_schedule(void)
{
    AimfRecipe recipe = nothing();
    recipe.milestones = later;
    recipe.n_milestones = 1;
    recipe.milestones_given = TRUE;
    AimfTrainOptions options = settled(&recipe, "convnext_tiny", FALSE); /* whose own is a cosine */
    g_assert_cmpint(options.schedule, ==, AIMF_SCHEDULE_STEPS);
    g_assert_cmpuint(options.n_milestones, ==, 1);
    recipe = nothing();
    recipe.schedule = AIMF_SCHEDULE_STEPS;
    options = settled(&recipe, "convnext_tiny", FALSE);
    g_assert_cmpuint(options.n_milestones, ==, 1);
    g_assert_cmpuint(options.milestones[0], ==, 10);
    recipe.schedule = AIMF_SCHEDULE_COSINE;
    options = settled(&recipe, "resnet18", FALSE);
    check_text(&options, "sgd, learning rate 0.01 along a cosine, momentum 0.9, weight decay 0.0001");
    aimf_recipe_init(&recipe, 1); /* the default warm-up of one epoch would be all there is */
    options = settled(&recipe, "convnext_tiny", FALSE);
    g_assert_cmpuint(options.warmup_epochs, ==, 0);
    g_assert_cmpuint(options.epochs, ==, 1);
}

static void refuse(const AimfRecipe *recipe, const char *architecture, AimfErrorCode code, const char *says)
{
    AimfTrainOptions options = { .epochs = 7, .learning_rate = 5, .optimizer = { .momentum = 0.1 } };
    GError *error = NULL;
    g_assert_false(aimf_recipe_settle(recipe, architecture, FALSE, &options, &error));
    g_assert_null(strstr(error->message, "--"));
    support_assert_error(&error, code, says);
    g_assert_cmpuint(options.epochs, ==, 7);
    g_assert_cmpfloat(options.learning_rate, ==, 5);
    g_assert_cmpfloat(options.optimizer.momentum, ==, 0.1);
}

static void test_refused(void)
{
    AimfRecipe recipe = nothing();
    refuse(&recipe, "resnet19", AIMF_ERROR_NOT_FOUND, "resnet18");
    recipe.epochs = 0;
    refuse(&recipe, "resnet18", AIMF_ERROR_INVALID, "the epochs are 0");
    recipe = nothing();
    recipe.warmup_epochs = 10;
    refuse(&recipe, "resnet18", AIMF_ERROR_INVALID, "the warm-up is 10 epochs; it must be less than the epochs, 10");
    recipe = nothing();
    recipe.schedule = AIMF_SCHEDULE_COSINE;
    recipe.milestones_given = TRUE;
    refuse(&recipe, "resnet18", AIMF_ERROR_INVALID, "milestones are of the schedule of steps");
    recipe = nothing();
    recipe.momentum = 0.9;
    refuse(&recipe, "convnext_tiny", AIMF_ERROR_INVALID,
           "momentum is of SGD; AdamW has betas, and convnext_tiny has AdamW by default");
    recipe.optimizer = AIMF_OPTIMIZER_ADAMW;
    refuse(&recipe, "resnet18", AIMF_ERROR_INVALID, "momentum is of SGD; AdamW has betas");
    for (int what = 0; what < 3; what++) {
        recipe = nothing();
        *(what == 2 ? &recipe.epsilon : &recipe.betas[what]) = 0.5;
        refuse(&recipe, "resnet18", AIMF_ERROR_INVALID,
               "betas and epsilon are of AdamW; SGD has momentum, and resnet18 has SGD by default");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/recipe/nothing-given", test_nothing_given);
    g_test_add_func("/recipe/everything-given", test_everything_given);
    g_test_add_func("/recipe/zeros-are-given", test_zeros_are_given);
    g_test_add_func("/recipe/other-optimizer", test_other_optimizer);
    g_test_add_func("/recipe/schedule", test_schedule);
    g_test_add_func("/recipe/refused", test_refused);
    return g_test_run();
}
