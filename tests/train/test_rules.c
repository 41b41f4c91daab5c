/* The method's rules: learning rate, ties, filling up a batch, naming parameters. */
#include "train/rules.h"
#include "train/trainable.h"
#include "weights/support_weights.h"

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

static void test_ties(void)
{
    g_assert_true(aimf_train_is_better(FALSE, TRUE, 0, 0));
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
    g_test_add_func("/rules/ties", test_ties);
    g_test_add_func("/rules/parameters", test_parameters);
    return g_test_run();
}
