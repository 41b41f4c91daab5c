#include "run/support_small_run.h"

#include "run/stage.h"
#include "train/support_drawn.h"

void support_small_run_set_up(SupportSmallRun *f, gconstpointer data)
{
    (void)data;
    f->home = support_drawn_folder();
    f->folder = g_build_filename(f->home, "run", NULL);
    f->train = support_drawn_set(f->home, "train", 16, 0.5);
    f->val = support_drawn_set(f->home, "val", 16, 0.5);
    f->test = support_drawn_set(f->home, "test", 16, 0.5);
    f->synthetic = support_drawn_set(f->home, "synthetic", 48, 0.5);
}

void support_small_run_tear_down(SupportSmallRun *f, gconstpointer data)
{
    (void)data;
    g_assert_true(aimf_folder_remove(f->home, NULL));
    g_free(f->home);
    g_free(f->folder);
    g_free(f->train);
    g_free(f->val);
    g_free(f->test);
    g_free(f->synthetic);
}
