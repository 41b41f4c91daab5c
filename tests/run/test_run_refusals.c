/*
 * Runs that are refused before their first stage, and folders that lead elsewhere: what cannot be is said at once, is
 * never recorded as what came out, and nothing outside of the folder is touched.
 */
#include "run/config.h"
#include "run/stage.h"
#include "run/support_small_run.h"

#include <aimfair/error.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef SupportSmallRun Fixture;

static AimfConfig *configuration(const Fixture *f, const char *setting)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf("threads: 1\n"
                                            "data:\n  train: '%s'\n  val: '%s'\n  test: '%s'\n"
                                            "generate:\n  balanced: '%s'\n"
                                            "train:\n  image_size: 32\n  epochs: 1\n  batch: 8\n"
                                            "sensitivity:\n  batch: 8\nfinetune:\n  batch: 8\n",
                                            f->train, f->val, f->test, f->synthetic);
    AimfConfig *config = aimf_config_parse(text, "my.yaml", &error);
    g_assert_no_error(error);
    aimf_config_set(config, setting, &error);
    g_assert_no_error(error);
    return config;
}

/* @part: of the error of the run, and of its estimate where @estimated; no stage was begun. */
static void refuse_all(const Fixture *f, const AimfConfig *config, const char *what, gboolean estimated,
                       const char *part)
{
    g_autoptr(GError) error = NULL, of_estimate = NULL;
    const AimfRunOptions options = { .folder = f->folder };
    AimfRunSummary summary;
    AimfRunEstimate estimate;
    g_assert_false(aimf_run(config, &options, NULL, &summary, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    if (!strstr(error->message, part))
        g_error("%s: '%s' lacks '%s'", what, error->message, part);
    if (estimated) {
        g_assert_false(aimf_run_estimate(config, &options, NULL, &estimate, &of_estimate));
        g_assert_cmpstr(of_estimate->message, ==, error->message);
    }
    g_autofree char *cells = g_build_filename(f->folder, "cells", NULL);
    g_autofree char *resolved = g_build_filename(f->folder, "config.resolved.yaml", NULL);
    g_assert_false(g_file_test(cells, G_FILE_TEST_EXISTS) || g_file_test(resolved, G_FILE_TEST_EXISTS));
}

static void refuse(const Fixture *f, const char *setting, gboolean estimated, const char *part)
{
    g_autoptr(AimfConfig) config = configuration(f, setting);
    refuse_all(f, config, setting, estimated, part);
}

static void test_settings(Fixture *f, gconstpointer data)
{
    (void)data;
    static const char *const cases[][2] = {
        { "data.classes=one", "data.classes: has 1 name; there are 2" },
        { "evaluate.positive=nobody", "evaluate.positive: 'nobody' is no class" },
        { "evaluate.positive=2", "evaluate.positive: '2' is no class" },
        { "evaluate.impact=nobody", "evaluate.impact: " },
        { "train.crop_scale=1,0.5", "train.crop_scale: takes two shares" },
        { "finetune.crop_scale=0.5", "finetune.crop_scale: takes two shares" },
        { "train.image_size=32x", "train.image_size: takes pixels" },
        { "train.warmup=5", "train: the warm-up" },
        { "finetune.warmup=50", "finetune: the warm-up" },
        { "data.allow=ovrlap", "did you mean 'overlap'" },
        { "finetune.top_k=0", "finetune.top_k: 0 is neither" },
        { "finetune.top_k=63", "finetune.top_k: 63 is neither" },
        { "seeds=1,01", "seeds: 01 is there twice" },
        { "train.batch=17", "train.batch: is 17, and the training set has at most 16 pictures" },
        { "sensitivity.batch=17", "sensitivity.batch: is 17, and the training set has at most 16 pictures" },
        { "finetune.batch=128", "finetune.batch: is 128, and the balanced set has at most " },
        { "generate.balanced_per_group=1000", "synthetic sets: " },
        { "generate.biased_count=1000", "synthetic sets: " },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        refuse(f, cases[i][0], TRUE, cases[i][1]);
}

/* Too few pictures of a group are said before they are generated. */
static void test_too_few(Fixture *f, gconstpointer data)
{
    (void)data;
    static const char *const cases[][2] = {
        { "balanced_per_group: 21", "balanced_per_group: the balanced set wants 21 pictures of a group" },
        { "biased_count: 46\n  bias: 1/9",
          "biased_count: the biased set wants 21 pictures of a group, and generate.per_group" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = g_strdup_printf("data:\n  train: '%s'\n  val: '%s'\n  test: '%s'\n"
                                                "generate:\n  model: '%s'\n  per_group: 20\n  %s\n",
                                                f->train, f->val, f->test, f->home, cases[i][0]);
        g_autoptr(AimfConfig) config = aimf_config_parse(text, "my.yaml", &error);
        g_assert_no_error(error);
        refuse_all(f, config, cases[i][0], TRUE, cases[i][1]);
    }
}

/* A training set without labels has no bias that could be found. */
static void test_bias(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(f->train, &text, NULL, NULL));
    char *column = strstr(text, "protected");
    g_assert_nonnull(column);
    memcpy(column, "otherword", strlen("protected"));
    g_assert_true(g_file_set_contents(f->train, text, -1, NULL));
    refuse(f, "seeds=1", TRUE, "generate.bias: the training set has no protected labels");
}

/* Advice names keys, as a run has none of the options that it is given for elsewhere. */
static void test_advice(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(f->test, &text, NULL, NULL));
    char *cell = strstr(text, ",1\n");
    g_assert_nonnull(cell);
    memmove(cell + 1, cell + 2, strlen(cell + 2) + 1);
    refuse(f, "data.kind=celeba", TRUE, "data.root: it is missing");
    g_autofree char *root = g_strconcat("data.root=", f->home, NULL);
    g_autoptr(AimfConfig) config = configuration(f, root);
    g_autoptr(GError) error = NULL;
    const AimfRunOptions options = { .folder = f->folder };
    AimfRunSummary summary;
    g_assert_true(aimf_config_set(config, "data.kind=celeba", NULL));
    g_assert_false(aimf_run(config, &options, NULL, &summary, &error));
    g_assert_nonnull(strstr(error->message, "data.target: it is missing"));
    g_assert_true(g_file_set_contents(f->test, text, -1, NULL));
    refuse(f, "seeds=1", TRUE, "data.missing: drop leaves such rows out");
}

/* --- Folders that lead elsewhere --- */

static void test_link_in_run(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *aside = g_build_filename(f->home, "aside", NULL), *kept = g_build_filename(aside, "kept", NULL);
    g_autofree char *cells = g_build_filename(f->folder, "cells", NULL);
    g_autofree char *resolved = g_build_filename(f->folder, "config.resolved.yaml", NULL);
    g_autoptr(AimfConfig) config = configuration(f, "seeds=1");
    g_autofree char *text = aimf_config_text(config);
    g_assert_cmpint(g_mkdir(aside, 0777) + g_mkdir(f->folder, 0777), ==, 0);
    g_assert_true(g_file_set_contents(kept, "kept", -1, NULL) && g_file_set_contents(resolved, text, -1, NULL));
    g_assert_cmpint(symlink(aside, cells), ==, 0);
    const AimfRunOptions options = { .folder = f->folder, .update = TRUE };
    AimfRunSummary summary;
    g_autoptr(GError) error = NULL;
    g_assert_false(aimf_run(config, &options, NULL, &summary, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "/cells' is a link"));
    g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
}

static void test_remove(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autofree char *aside = g_build_filename(f->home, "aside", NULL), *kept = g_build_filename(aside, "kept", NULL);
    g_autofree char *below = g_build_filename(f->folder, "a/b", NULL), *file = g_build_filename(below, "c", NULL);
    g_autofree char *link = g_build_filename(below, "link", NULL), *gone = g_build_filename(f->home, "gone", NULL);
    g_assert_cmpint(g_mkdir(aside, 0777) + g_mkdir_with_parents(below, 0777), ==, 0);
    g_assert_true(g_file_set_contents(kept, "kept", -1, NULL) && g_file_set_contents(file, "x", -1, NULL));
    g_assert_cmpint(symlink(aside, link), ==, 0);
    g_assert_true(aimf_folder_remove(f->folder, &error)); /* with a link in it */
    g_assert_false(g_file_test(f->folder, G_FILE_TEST_EXISTS));
    g_assert_cmpint(symlink(aside, f->folder), ==, 0);
    g_assert_true(aimf_folder_remove(f->folder, &error)); /* a link itself */
    g_assert_false(g_file_test(f->folder, G_FILE_TEST_IS_SYMLINK));
    g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
    g_assert_true(aimf_folder_remove(gone, &error) && aimf_folder_remove(kept, &error));
    g_assert_false(g_file_test(kept, G_FILE_TEST_EXISTS));
    g_assert_no_error(error);
}

/* What a killed run left half done, an estimate leaves as it is: it has no lock, and another process may be at it. */
static void test_estimate_writes_nothing(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfConfig) config = configuration(f, "train.architecture=mobilenet_v3_small");
    g_autofree char *old = g_build_filename(f->folder, "shared/data.old", NULL);
    g_autofree char *place = g_build_filename(f->folder, "shared/data", NULL);
    g_assert_cmpint(g_mkdir_with_parents(old, 0777), ==, 0);
    const AimfRunOptions options = { .folder = f->folder };
    AimfRunEstimate estimate;
    aimf_run_estimate(config, &options, NULL, &estimate, &error);
    g_assert_no_error(error);
    aimf_run_estimate_clear(&estimate);
    g_assert_true(g_file_test(old, G_FILE_TEST_IS_DIR));
    g_assert_false(g_file_test(place, G_FILE_TEST_EXISTS));
}

/* Pictures that a run does without, an estimate does without as well. */
static void test_estimate_skips_bad(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL, of_strict = NULL;
    g_autofree char *first = g_build_filename(f->home, "train_0.png", NULL);
    g_assert_true(g_file_set_contents(first, "no picture", -1, NULL));
    const AimfRunOptions options = { .folder = f->folder };
    AimfRunEstimate estimate;
    g_autoptr(AimfConfig) config = configuration(f, "train.architecture=mobilenet_v3_small");
    g_assert_false(aimf_run_estimate(config, &options, NULL, &estimate, &of_strict));
    g_assert_nonnull(strstr(of_strict->message, "train_0.png"));
    g_assert_nonnull(strstr(of_strict->message, "data.skip_bad: N leaves out"));
    g_assert_true(aimf_config_set(config, "data.skip_bad=1", NULL));
    aimf_run_estimate(config, &options, NULL, &estimate, &error);
    g_assert_no_error(error);
    aimf_run_estimate_clear(&estimate);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                                            \
    g_test_add("/run_refusals/" name, Fixture, NULL, support_small_run_set_up, function, support_small_run_tear_down)
    ADD("settings", test_settings);
    ADD("too_few", test_too_few);
    ADD("bias", test_bias);
    ADD("advice", test_advice);
    ADD("link_in_run", test_link_in_run);
    ADD("remove", test_remove);
    ADD("estimate_writes_nothing", test_estimate_writes_nothing);
    ADD("estimate_skips_bad", test_estimate_skips_bad);
    return g_test_run();
}
