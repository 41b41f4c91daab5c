#include "cli/support_tiny_run.h"

#include "cli/support_program.h"
#include "train/support_drawn.h"

#include <glib/gstdio.h>

static const char configuration[] = "title: discs\n"
                                    "seeds: [0, 7]\n"
                                    "threads: 1\n"
                                    "data:\n"
                                    "  kind: manifests\n"
                                    "  train: data/train.csv\n"
                                    "  val: data/val.csv\n"
                                    "  test: data/test.csv\n"
                                    "  target: Disc\n"
                                    "  classes: [dark, bright]\n"
                                    "  allow: [one-class]\n"
                                    "generate:\n"
                                    "  balanced: drawn/synthetic.csv\n"
                                    "  balanced_per_group: 8\n"
                                    "  bias: 1/3\n"
                                    "  biased_count: 24\n"
                                    "train:\n"
                                    "  architecture: mobilenet_v3_small\n"
                                    "  image_size: 32\n"
                                    "  epochs: 1\n"
                                    "  batch: 8\n"
                                    "sensitivity:\n"
                                    "  batch: 8\n"
                                    "finetune:\n"
                                    "  methods: [aim-fair, full]\n"
                                    "  top_k: [0.8, 0.5]\n"
                                    "  epochs: 1\n"
                                    "  batch: 8\n"
                                    "evaluate:\n"
                                    "  bootstrap: 20\n";

char *tiny_run_folder(void)
{
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp("aimfair-run-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *data = g_build_filename(folder, "data", NULL), *drawn = g_build_filename(folder, "drawn", NULL);
    g_autofree char *path = g_build_filename(folder, "one.yaml", NULL);
    g_assert_cmpint(g_mkdir(data, 0777) + g_mkdir(drawn, 0777), ==, 0);
    g_free(support_drawn_set(data, "train", 48, 0.8));
    g_free(support_drawn_set(data, "val", 24, 0.5));
    g_free(support_drawn_set(data, "test", 24, 0.5));
    g_free(support_drawn_set(drawn, "synthetic", 96, 0.5));
    g_file_set_contents(path, configuration, -1, &error);
    g_assert_no_error(error);
    return folder;
}

void tiny_run_remove(char *folder)
{
    g_autofree char *command = g_strdup_printf("rm -rf '%s'", folder);
    g_auto(ProgramRun) run = run_shell(command);
    g_assert_cmpint(run.status, ==, 0);
    g_free(folder);
}

char *tiny_run_tree(const char *folder, const char *run)
{
    g_autofree char *command = g_strdup_printf("cd '%s' && find . -type f ! -name machine.json ! -name "
                                               "machine-pictures.csv ! -name log.csv ! -name SHA256SUMS "
                                               "-print0 | LC_ALL=C sort -z | xargs -0 sha256sum",
                                               run);
    return program_output(folder, 0, command);
}
