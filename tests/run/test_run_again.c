/*
 * Small runs, and runs over what an earlier one left: what another configuration made is refused, also where it shows
 * late, half written files go, labels come back as they were read, and names of folders change nothing.
 */
#include "run/config.h"
#include "run/stage.h"
#include "run/support_small_run.h"
#include "train/support_drawn.h"

#include <aimfair/error.h>
#include <glib/gstdio.h>
#include <string.h>

typedef SupportSmallRun Fixture;

/* @settings: (up to NULL) */
static AimfConfig *configuration(const Fixture *f, const char *const *settings)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf("threads: 1\n"
                                            "data:\n  train: '%s'\n  val: '%s'\n  test: '%s'\n"
                                            "generate:\n  balanced: '%s'\n  balanced_per_group: 4\n"
                                            "  biased_count: 12\n  bias: 1/2\n"
                                            "train:\n  architecture: mobilenet_v3_small\n  image_size: 32\n"
                                            "  epochs: 1\n  batch: 8\n"
                                            "sensitivity:\n  batch: 8\n"
                                            "finetune:\n  methods: full\n  epochs: 1\n  batch: 8\n"
                                            "evaluate:\n  bootstrap: 0\n",
                                            f->train, f->val, f->test, f->synthetic);
    AimfConfig *config = aimf_config_parse(text, "my.yaml", &error);
    g_assert_no_error(error);
    for (; settings && *settings; settings++) {
        aimf_config_set(config, *settings, &error);
        g_assert_no_error(error);
    }
    return config;
}

static gboolean run(const Fixture *f, const char *const *settings, gboolean update, GError **error)
{
    g_autoptr(AimfConfig) config = configuration(f, settings);
    const AimfRunOptions options = { .folder = f->folder, .update = update };
    AimfRunSummary summary;
    gboolean done = aimf_run(config, &options, NULL, &summary, error);
    aimf_run_summary_clear(&summary);
    return done;
}

static void must_run(const Fixture *f, const char *const *settings, gboolean update)
{
    g_autoptr(GError) error = NULL;
    run(f, settings, update, &error);
    g_assert_no_error(error);
}

static char *path_of(const Fixture *f, const char *name)
{
    return g_build_filename(f->folder, name, NULL);
}

static char *hash_of(const Fixture *f, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of(f, name);
    char *hash = aimf_file_sha256(path, &error);
    g_assert_no_error(error);
    return hash;
}

static void verify(const Fixture *f)
{
    g_autoptr(GError) error = NULL;
    const AimfVerifyOptions options = { .folder = f->folder, .sample = 4, .threads = 1 };
    g_autoptr(AimfVerification) found = aimf_run_verify(&options, NULL, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < found->n; i++)
        if (found->lines[i].kind == AIMF_REFUTED)
            g_error("%s: %s", found->lines[i].what, found->lines[i].text);
}

/* --- Another configuration's --- */

/* The run is refused with a message that has @says, and leaves cells, configuration and results as they were. */
static void refuse(const Fixture *f, const char *const *settings, const char *says)
{
    static const char *const files[] = { "config.resolved.yaml", "results.json",
                                         "cells/biased-0/model/model.safetensors",
                                         "cells/full-0/model/model.safetensors", "cells/full-0/test/predictions.csv" };
    g_autoptr(GError) error = NULL;
    char *before[G_N_ELEMENTS(files)];
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++)
        before[i] = hash_of(f, files[i]);
    g_assert_false(run(f, settings, FALSE, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    if (!strstr(error->message, says) || !strstr(error->message, "--update"))
        g_error("'%s' lacks '%s'", error->message, says);
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *after = hash_of(f, files[i]);
        g_assert_cmpstr(before[i], ==, after);
        g_free(before[i]);
    }
}

static void remove_file(const Fixture *f, const char *name)
{
    g_autofree char *path = path_of(f, name);
    g_assert_true(aimf_folder_remove(path, NULL));
}

static void test_behind_damaged(Fixture *f, gconstpointer data)
{
    (void)data;
    static const char *const epochs[] = { "train.epochs=2", NULL }, *const seed[] = { "generate.seed=7", NULL };
    g_autofree char *model = g_strconcat("generate.model=", f->val, NULL); /* which is not opened */
    const char *const other[] = { "generate.balanced=", model, NULL };
    must_run(f, NULL, FALSE);
    remove_file(f, "shared/data/val.csv");
    refuse(f, epochs, "cells/biased-0/model (train.epochs was '1' and is '2')");
    g_autofree char *damaged = path_of(f, "shared/data/val.csv"), *sets = path_of(f, "shared/sets");
    g_assert_false(g_file_test(damaged, G_FILE_TEST_EXISTS)); /* nothing was made */
    must_run(f, NULL, FALSE);
    refuse(f, other, ": shared/sets");
    remove_file(f, "shared/sets"); /* what it holds with this seed shows when it is made */
    refuse(f, seed, "cells/full-0/model (shared/sets/balanced.csv has changed");
    g_assert_true(g_file_test(sets, G_FILE_TEST_IS_DIR));
    must_run(f, seed, TRUE);
    must_run(f, seed, FALSE);
    verify(f);
}

/* --- Killed writers --- */

static void write_file(const Fixture *f, const char *name)
{
    g_autofree char *path = path_of(f, name);
    g_assert_true(g_file_set_contents(path, "half", -1, NULL));
}

static void test_parts(Fixture *f, gconstpointer data)
{
    (void)data;
    static const char first[] = "config.resolved.yaml.aB3dE6.aimfair-part", later[] = "results.csv.aB3dE6.aimfair-part";
    g_autofree char *half = path_of(f, first), *other = path_of(f, later);
    g_assert_cmpint(g_mkdir(f->folder, 0777), ==, 0);
    write_file(f, first);
    must_run(f, NULL, FALSE); /* which was killed before it had a configuration */
    write_file(f, later);
    must_run(f, NULL, FALSE);
    g_assert_false(g_file_test(half, G_FILE_TEST_EXISTS) || g_file_test(other, G_FILE_TEST_EXISTS));
    verify(f);
}

/* --- Words for nothing --- */

static void replace(const char *path, const char *old, const char *new)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) parts = g_strsplit(text, old, -1);
    g_autofree char *replaced = g_strjoinv(new, parts);
    g_assert_true(g_file_set_contents(path, replaced, -1, NULL));
}

static void expect_none(const Fixture *f)
{
    g_autofree char *path = path_of(f, "results.json"), *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "\"none\""));
    verify(f);
}

static void test_kept(Fixture *f, gconstpointer data)
{
    (void)data;
    static const char *const settings[] = {
        "data.missing=keep",           "generate.bias=",           "finetune.methods=aim-fair,full",
        "finetune.select=worst-group", "train.select=worst-group", NULL
    };
    const char *const sets[] = { f->train, f->val, f->test, f->synthetic };
    for (gsize i = 0; i < G_N_ELEMENTS(sets); i++)
        replace(sets[i], ",1\n", ",none\n");
    must_run(f, settings, FALSE);
    expect_none(f);
}

/* (owned) "<home>/<name>" with the pictures of @manifest in folders of groups, whose second label is "none". */
static char *group_folders(const Fixture *f, const char *manifest, const char *name)
{
    g_autoptr(AimfManifest) samples = aimf_manifest_open(manifest, NULL);
    char *root = g_build_filename(f->home, name, NULL);
    for (guint i = 0; i < aimf_manifest_count(samples); i++) {
        AimfSample sample = aimf_manifest_at(samples, i);
        g_autofree char *folder = g_strdup_printf("%s/%d_%s", root, sample.target, sample.group ? "none" : "0");
        g_autofree char *base = g_path_get_basename(sample.path), *path = g_build_filename(folder, base, NULL);
        g_assert_cmpint(g_mkdir_with_parents(folder, 0777), ==, 0);
        g_assert_cmpint(g_rename(sample.path, path), ==, 0);
    }
    return root;
}

static void test_groups(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *many = support_drawn_set(f->home, "many", 64, 0.5);
    g_autofree char *real = group_folders(f, many, "real"), *drawn = group_folders(f, f->synthetic, "drawn");
    g_autofree char *root = g_strconcat("data.root=", real, NULL);
    g_autofree char *balanced = g_strconcat("generate.balanced=", drawn, NULL);
    const char *const settings[] = { "data.kind=groups",
                                     root,
                                     balanced,
                                     "data.val_per_group=3",
                                     "data.test_per_group=3",
                                     "generate.bias=",
                                     "finetune.select=worst-group",
                                     NULL };
    must_run(f, settings, FALSE);
    expect_none(f);
    g_autofree char *model = g_strconcat("generate.model=", f->val, NULL); /* which is not opened */
    const char *const other[] = { "data.kind=groups",
                                  root,
                                  "data.val_per_group=3",
                                  "data.test_per_group=3",
                                  "generate.balanced=",
                                  model,
                                  "generate.bias=",
                                  "finetune.select=worst-group",
                                  NULL };
    refuse(f, other, ": shared/sets");
}

/* --- Names --- */

/* What stages hold does not depend on how the run's folder was called, warnings about sets of the run included. */
static void test_names(Fixture *f, gconstpointer data)
{
    (void)data;
    static const char *const files[] = { "shared/data/data.json", "cells/biased-0/model/training.json",
                                         "cells/full-0/model/training.json", "cells/full-0/test/measures.json" };
    static const char *const settings[] = { "data.allow=overlap", NULL };
    g_autofree char *train = NULL, *val = NULL, *before = g_get_current_dir();
    g_assert_true(g_file_get_contents(f->train, &train, NULL, NULL) && g_file_get_contents(f->val, &val, NULL, NULL));
    g_auto(GStrv) rows = g_strsplit(val, "\n", 3);
    g_autofree char *more = g_strconcat(train, rows[1], "\n", NULL); /* a picture of both sets */
    g_assert_true(g_file_set_contents(f->train, more, -1, NULL));
    must_run(f, settings, FALSE);
    g_assert_cmpint(g_chdir(f->home), ==, 0);
    Fixture relative = *f;
    relative.folder = g_strdup("./relative/");
    must_run(&relative, settings, FALSE);
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *one = hash_of(f, files[i]), *other = hash_of(&relative, files[i]);
        g_assert_cmpstr(one, ==, other);
    }
    g_autofree char *path = path_of(f, files[1]), *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "the validation set 'shared/data/val.csv'"));
    verify(f);
    g_free(relative.folder);
    g_assert_cmpint(g_chdir(before), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                                            \
    g_test_add("/run_again/" name, Fixture, NULL, support_small_run_set_up, function, support_small_run_tear_down)
    ADD("behind_damaged", test_behind_damaged);
    ADD("parts", test_parts);
    ADD("kept", test_kept);
    ADD("groups", test_groups);
    ADD("names", test_names);
    return g_test_run();
}
