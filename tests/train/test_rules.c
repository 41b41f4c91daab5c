/* The method's rules: learning rate, ties, filling up a batch, naming parameters. */
#include "train/rules.h"
#include "train/trainable.h"
#include "weights/support_weights.h"

#include <math.h>

static void test_learning_rate(void)
{
    const guint milestones[] = { 6, 9 };
    AimfTrainOptions options = { .learning_rate = 0.05, .milestones = milestones, .n_milestones = 2 };
    g_assert_cmpfloat(aimf_train_learning_rate(&options, 0), ==, 0.05);
    g_assert_cmpfloat(aimf_train_learning_rate(&options, 5), ==, 0.05);
    g_assert_cmpfloat_with_epsilon(aimf_train_learning_rate(&options, 6), 0.005, 1e-15);
    g_assert_cmpfloat_with_epsilon(aimf_train_learning_rate(&options, 8), 0.005, 1e-15);
    g_assert_cmpfloat_with_epsilon(aimf_train_learning_rate(&options, 9), 0.0005, 1e-16);
    options.gamma = 0.5;
    g_assert_cmpfloat(aimf_train_learning_rate(&options, 100), ==, 0.0125);
}

/* tests/golden/make_optimizers.py has the same schedules. */
static void test_schedules(void)
{
    const guint milestones[] = { 6, 9 };
    const struct {
        const char *name;
        AimfTrainOptions options;
    } schedules[] = {
        { "schedule/cosine", { .epochs = 8, .schedule = AIMF_SCHEDULE_COSINE } },
        { "schedule/cosine_warmup", { .epochs = 12, .schedule = AIMF_SCHEDULE_COSINE, .warmup_epochs = 3 } },
        { "schedule/steps_warmup", { .epochs = 12, .milestones = milestones, .n_milestones = 2, .warmup_epochs = 2 } },
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) file = aimf_tensors_open(GOLDEN_DIR "/optimizers.safetensors", &error);
    g_autoptr(AimfTensors) golden = file ? aimf_tensors_load(file, AIMF_N_DTYPES, &error) : NULL;
    g_assert_no_error(error);
    for (gsize s = 0; s < G_N_ELEMENTS(schedules); s++) {
        AimfTrainOptions options = schedules[s].options;
        int entry = aimf_tensors_find(golden, schedules[s].name);
        g_assert_cmpint(entry, >=, 0);
        const double *rates = aimf_tensors_data(golden, (guint)entry);
        g_assert_cmpuint(aimf_tensors_at(golden, (guint)entry)->bytes, ==, options.epochs * sizeof *rates);
        options.learning_rate = 0.3;
        for (guint e = 0; e < options.epochs; e++) /* PyTorch computes each rate from the one before */
            g_assert_cmpfloat_with_epsilon(aimf_train_learning_rate(&options, e), rates[e], 1e-15 * options.epochs);
    }
}

static void test_paper_defaults(void)
{
    const AimfTrainOptions *p = &AIMF_PRETRAIN_DEFAULTS, *f = &AIMF_FINETUNE_DEFAULTS;
    g_assert_cmpfloat_with_epsilon(aimf_train_learning_rate(p, 9), 0.01, 1e-12);
    g_assert_cmpfloat_with_epsilon(aimf_train_learning_rate(p, 10), 0.001, 1e-12);
    g_assert_cmpfloat_with_epsilon(aimf_train_learning_rate(f, 9), 0.06, 1e-12);
    g_assert_true(p->later_tie_wins);
    g_assert_false(f->later_tie_wins);
    g_assert_cmpuint(p->epochs, ==, 15);
    g_assert_cmpuint(f->epochs, ==, 10);
}

/* What docs/architectures.md says of each. @decay: < 0: of weights alone */
static const struct {
    const char *architecture;
    AimfOptimizerKind optimizer;
    double rate, finetuning_rate, decay;
    guint warmup;
    double clip_norm, smoothing;
} recipes[] = {
    { "resnet18", AIMF_OPTIMIZER_SGD, 0.01, 0.06, 1e-4, 0, 0, 0 },
    { "resnet34", AIMF_OPTIMIZER_SGD, 0.01, 0.06, 1e-4, 0, 0, 0 },
    { "resnet50", AIMF_OPTIMIZER_SGD, 0.01, 0.06, 1e-4, 0, 0, 0 },
    { "resnet101", AIMF_OPTIMIZER_SGD, 0.01, 0.06, 1e-4, 0, 0, 0 },
    { "resnet152", AIMF_OPTIMIZER_SGD, 0.01, 0.06, 1e-4, 0, 0, 0 },
    { "mobilenet_v2", AIMF_OPTIMIZER_SGD, 0.01, 0.06, 4e-5, 0, 0, 0 },
    { "mobilenet_v3_large", AIMF_OPTIMIZER_SGD, 0.01, 0.06, 1e-5, 0, 0, 0 },
    { "mobilenet_v3_small", AIMF_OPTIMIZER_SGD, 0.01, 0.06, 1e-5, 0, 0, 0 },
    { "efficientnet_b0", AIMF_OPTIMIZER_SGD, 0.01, 0.06, -1e-5, 0, 0, 0 },
    { "tf_efficientnet_lite0", AIMF_OPTIMIZER_SGD, 0.01, 0.06, -1e-5, 0, 0, 0 },
    { "vit_small_patch32_224", AIMF_OPTIMIZER_SGD, 0.01, 0.06, 1e-4, 0, 0, 0 },
    { "vit_small_patch16_224", AIMF_OPTIMIZER_ADAMW, 1.25e-4, 1.25e-4, -0.05, 1, 1, 0 },
    { "vit_base_patch16_224", AIMF_OPTIMIZER_ADAMW, 1.25e-4, 1.25e-4, -0.05, 1, 1, 0 },
    { "convnext_tiny", AIMF_OPTIMIZER_ADAMW, 1.25e-4, 1.25e-4, -0.05, 1, 0, 0.1 },
    { "densenet121", AIMF_OPTIMIZER_SGD, 0.01, 0.06, 1e-4, 0, 0, 0 },
    { "vgg16_bn", AIMF_OPTIMIZER_SGD, 0.01, 0.06, 1e-4, 0, 0, 0 },
};

/* @row: of recipes; @like: the paper's options, which hold whatever a recipe does not say */
static void check_recipe(gsize row, const AimfTrainOptions *options, const AimfTrainOptions *like)
{
    gboolean adamw = recipes[row].optimizer == AIMF_OPTIMIZER_ADAMW;
    const AimfOptimizer *o = &options->optimizer;
    g_assert_cmpint(o->kind, ==, recipes[row].optimizer);
    g_assert_cmpfloat(o->weight_decay, ==, fabs(recipes[row].decay));
    g_assert_cmpint(o->decay_weights_only, ==, recipes[row].decay < 0);
    g_assert_cmpfloat(o->clip_norm, ==, recipes[row].clip_norm);
    g_assert_cmpfloat(o->average, ==, 0);
    g_assert_cmpfloat(o->momentum, ==, adamw ? 0 : 0.9);
    g_assert_cmpfloat(o->betas[1], ==, adamw ? 0.999 : 0);
    g_assert_cmpfloat(options->label_smoothing, ==, recipes[row].smoothing);
    g_assert_cmpint(options->schedule, ==, adamw ? AIMF_SCHEDULE_COSINE : AIMF_SCHEDULE_STEPS);
    g_assert_cmpuint(options->n_milestones, ==, adamw ? 0 : 1);
    g_assert_true(options->milestones == like->milestones);
    g_assert_cmpuint(options->epochs, ==, like->epochs);
    g_assert_cmpuint(options->batch, ==, like->batch);
    g_assert_cmpint(options->later_tie_wins, ==, like->later_tie_wins);
    g_assert_cmpint(options->measure_start, ==, like->measure_start);
    g_assert_true(options->augment == like->augment && options->shuffle);
}

static void test_recipes(void)
{
    g_autoptr(GError) error = NULL;
    const char *const *names = aimf_architectures();
    g_assert_cmpuint(g_strv_length((char **)names), ==, G_N_ELEMENTS(recipes));
    for (gsize i = 0; i < G_N_ELEMENTS(recipes); i++) {
        AimfTrainOptions train, finetune;
        g_assert_cmpstr(names[i], ==, recipes[i].architecture);
        g_assert_true(aimf_pretrain_defaults(names[i], &train, &error));
        g_assert_true(aimf_finetune_defaults(names[i], &finetune, &error));
        g_assert_no_error(error);
        check_recipe(i, &train, &AIMF_PRETRAIN_DEFAULTS);
        check_recipe(i, &finetune, &AIMF_FINETUNE_DEFAULTS);
        g_assert_cmpfloat(train.learning_rate, ==, recipes[i].rate);
        g_assert_cmpfloat(finetune.learning_rate, ==, recipes[i].finetuning_rate);
        g_assert_cmpuint(train.warmup_epochs, ==, recipes[i].warmup);
        g_assert_cmpuint(finetune.warmup_epochs, ==, 0);
    }
}

static void test_no_recipe(void)
{
    AimfTrainOptions options = { .epochs = 7 };
    GError *error = NULL;
    g_assert_false(aimf_pretrain_defaults("resnet19", &options, &error));
    support_assert_error(&error, AIMF_ERROR_NOT_FOUND, "resnet18");
    g_assert_false(aimf_finetune_defaults("resnet19", &options, &error));
    support_assert_error(&error, AIMF_ERROR_NOT_FOUND, "resnet18");
    g_assert_cmpuint(options.epochs, ==, 7);
}

static void test_ties(void)
{
    g_assert_true(aimf_train_is_better(FALSE, TRUE, 0, 0));
    g_assert_true(aimf_train_is_better(FALSE, FALSE, 0, NAN));
    g_assert_false(aimf_train_is_better(TRUE, FALSE, NAN, 0.8));
    g_assert_true(aimf_train_is_better(TRUE, FALSE, 0.8, 0.8));
    g_assert_false(aimf_train_is_better(FALSE, FALSE, 0.8, 0.8));
    for (int later = 0; later < 2; later++) {
        g_assert_true(aimf_train_is_better(later, FALSE, 0.81, 0.8));
        g_assert_false(aimf_train_is_better(later, FALSE, 0.79, 0.8));
    }
}

static void test_parameters(void)
{
    GError *error = NULL;
    guint n;
    g_autoptr(AimfGraph) graph = aimf_graph_new();
    AimfValue a = aimf_graph_parameter(graph, "a", AIMF_SHAPE(1)), b = aimf_graph_parameter(graph, "b", AIMF_SHAPE(1));
    g_autofree AimfValue *all = aimf_train_parameters(graph, NULL, &n, &error);
    g_assert_cmpuint(n, ==, 2);
    g_assert_true(all[0] == a && all[1] == b);
    const char *const reversed[] = { "b", "a", "b", NULL };
    g_autofree AimfValue *ordered = aimf_train_parameters(graph, reversed, &n, &error);
    g_assert_cmpuint(n, ==, 2);
    g_assert_true(ordered[0] == a && ordered[1] == b);
    const char *const unknown[] = { "a", "x", "y", NULL };
    g_assert_null(aimf_train_parameters(graph, unknown, &n, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "'x', 'y'");
    const char *const none[] = { NULL };
    g_assert_null(aimf_train_parameters(graph, none, &n, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "nothing to train");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rules/learning-rate", test_learning_rate);
    g_test_add_func("/rules/schedules", test_schedules);
    g_test_add_func("/rules/paper-defaults", test_paper_defaults);
    g_test_add_func("/rules/recipes", test_recipes);
    g_test_add_func("/rules/no-recipe", test_no_recipe);
    g_test_add_func("/rules/ties", test_ties);
    g_test_add_func("/rules/parameters", test_parameters);
    return g_test_run();
}
