/* oneDNN runs out of memory anywhere in a job: an error, what was made is listed, and resuming makes the rest. */
#include "diffusion/support_generation.h"
#include "diffusion/support_tiny_diffusion.h"
#include "graph/support_failing_library.h"

#include <aimfair/data.h>
#include <string.h>

enum { PICTURES = 3, PARTS = 5 };

static AimfDiffusion *open_model(const char *folder)
{
    g_autoptr(GError) error = NULL;
    AimfDiffusionOptions options = tiny_diffusion_options(folder);
    options.threads = 1;
    AimfDiffusion *diffusion = aimf_diffusion_open(&options, NULL, &error);
    g_assert_no_error(error);
    return diffusion;
}

/* One picture at a time, so that a failure can fall between any two of them. */
static gboolean generate(AimfDiffusion *diffusion, const TestJob *f, const char *folder, gboolean resume,
                         AimfGenerationResult *result, GError **error)
{
    AimfSampling sampling = { .steps = 2, .guidance = 5, .width = TINY_SIDE, .height = TINY_SIDE };
    AimfGeneration generation = test_job(f, 1, folder);
    generation.batch = 1;
    generation.resume = resume;
    return aimf_generate(diffusion, &sampling, &generation, result, NULL, error);
}

static void assert_listed(const char *folder, guint n)
{
    g_autofree char *path = g_build_filename(folder, "manifest.csv", NULL);
    g_autoptr(AimfManifest) manifest = aimf_manifest_open(path, NULL);
    g_assert_cmpuint(manifest ? aimf_manifest_count(manifest) : 0, ==, n);
}

static void test_everywhere(TestJob *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    AimfGenerationResult result;
    g_autofree char *model = tiny_diffusion_write(TINY_SOUND), *whole = test_below(f, "whole");
    g_autoptr(AimfDiffusion) undisturbed = open_model(model);
    guint before = failing_library_calls();
    g_assert_true(generate(undisturbed, f, whole, FALSE, &result, &error));
    guint calls = failing_library_calls() - before, made = 0;
    g_autofree char *expected = test_tree(whole);
    for (guint part = 0; part < PARTS; part++) {
        g_autofree char *name = g_strdup_printf("part %u", part), *folder = test_below(f, name);
        g_autoptr(AimfDiffusion) diffusion = open_model(model);
        failing_library_arm(part * (calls - 1) / (PARTS - 1)); /* from the first call to the last */
        g_assert_false(generate(diffusion, f, folder, FALSE, &result, &error));
        g_assert_cmpuint(failing_library_disarm(), ==, 1);
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY);
        g_test_message("%s", error->message);
        g_assert_true(g_str_has_prefix(error->message, "the ") && strstr(error->message, "out of memory"));
        g_clear_error(&error);
        g_assert_cmpuint(result.made, >=, made);
        made = result.made;
        assert_listed(folder, made);
        g_assert_true(generate(diffusion, f, folder, TRUE, &result, &error));
        g_assert_cmpuint(result.there_before, ==, made);
        test_assert_tree(folder, expected);
    }
    g_assert_cmpuint(made, ==, PICTURES - 1);
    tiny_diffusion_remove(model);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/failing_generation/everywhere", TestJob, NULL, test_job_set_up, test_everywhere, test_job_tear_down);
    return g_test_run();
}
