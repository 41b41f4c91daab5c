#include "diffusion/support_generation.h"

#include "base/random.h"
#include "image/support_image.h"

#include <glib/gstdio.h>
#include <string.h>

enum { SIDE = 64 };

AimfPrompts *test_prompts(const char *words)
{
    static const struct {
        const char *name;
        int target;
        const char *label;
        guint n;
    } groups[] = { { "0_0", 0, "0", 3 }, { "0_1", 0, "1", 2 }, { "1_1", 1, "1", 1 } };
    AimfPrompts *prompts = g_new0(AimfPrompts, 1);
    prompts->task = g_strdup("test");
    prompts->n_groups = G_N_ELEMENTS(groups);
    prompts->groups = g_new0(AimfPromptGroup, G_N_ELEMENTS(groups));
    for (guint g = 0; g < G_N_ELEMENTS(groups); g++) {
        prompts->groups[g] = (AimfPromptGroup){
            .name = g_strdup(groups[g].name),
            .target = groups[g].target,
            .protected_group = g_strdup(groups[g].label),
            .words = g_strdup(words),
            .n_prompts = groups[g].n,
            .prompts = g_new0(AimfPrompt, groups[g].n),
        };
        for (guint i = 0; i < groups[g].n; i++)
            prompts->groups[g].prompts[i].text =
                g_strdup_printf("%s of \"%s\", M\303\244rz %u", words, groups[g].name, i);
    }
    return prompts;
}

static AimfImage *draw(const AimfPicture *picture, const AimfSampling *sampling)
{
    AimfImage *image = aimf_image_new(sampling->width, sampling->height, NULL);
    AimfRandom random =
        aimf_random_at(picture->seed ^ g_str_hash(picture->prompt), AIMF_STREAM_TEST, (guint64)sampling->steps);
    guint32 slope = aimf_random_u32(&random);
    for (int i = 0; i < image->width * image->height * 3; i++)
        image->data[i] = (guint8)((guint32)i * slope >> 24);
    return image;
}

static gboolean make(gpointer data, const AimfSampling *sampling, AimfPicture *pictures, guint n,
                     const AimfMonitor *monitor, GError **error)
{
    TestMaker *maker = data;
    (void)error;
    maker->calls++;
    maker->largest = MAX(maker->largest, n);
    if (maker->inside)
        maker->inside(maker->inside_data);
    g_usleep(maker->delay_us);
    const AimfProgress half = { .stage = "sampling", .unit = "steps", .done = 1, .total = 2 };
    monitor->progress(&half, monitor->user_data);
    for (guint i = 0; i < n; i++) {
        pictures[i].retried = strstr(pictures[i].prompt, "RETRY") != NULL;
        pictures[i].tokens_cut = strstr(pictures[i].prompt, "LONG") ? 3 : 0;
        if (!strstr(pictures[i].prompt, "FAIL"))
            pictures[i].image = draw(&pictures[i], sampling);
    }
    maker->made += n;
    if (maker->stop_after && maker->made >= maker->stop_after)
        maker->stop = 1;
    return TRUE;
}

static void note_message(AimfLogLevel level, const char *text, gpointer user_data)
{
    if (user_data)
        g_string_append_printf(user_data, "%s%s\n", level == AIMF_LOG_WARNING ? "warning: " : "", text);
}

static void note_progress(const AimfProgress *progress, gpointer user_data)
{
    (void)user_data;
    g_assert_cmpuint(progress->done, <=, progress->total);
}

gboolean test_generate(TestMaker *maker, const AimfGeneration *generation, AimfGenerationResult *result,
                       GString *messages, GError **error)
{
    const AimfPictureMaker pictures = {
        .info = { .family = "test",
                  .prediction = "epsilon",
                  .weights = "raw",
                  .vae = "none",
                  .image_size = SIDE,
                  .scale = 8,
                  .latent_channels = 4,
                  .hash = maker->model ? maker->model : "model" },
        .make = make,
        .data = maker,
    };
    const AimfSampling sampling = AIMF_SAMPLING_DEFAULT;
    const AimfMonitor monitor = { note_progress, note_message, &maker->stop, messages };
    return aimf_generate_with(&pictures, &sampling, generation, result, &monitor, error);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_tree(GString *tree, const char *path, const char *shown)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; folder && (name = g_dir_read_name(folder));)
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *below = g_build_filename(path, names->pdata[i], NULL);
        g_autofree char *label = g_build_filename(shown, names->pdata[i], NULL);
        add_tree(tree, below, label);
    }
    g_autofree char *data = NULL;
    gsize size;
    if (folder || !g_file_get_contents(path, &data, &size, NULL))
        return;
    g_autofree char *sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)data, size);
    g_string_append_printf(tree, "%s %s\n", shown, sha256);
}

char *test_tree(const char *path)
{
    GString *tree = g_string_new(NULL);
    add_tree(tree, path, "");
    return g_string_free(tree, FALSE);
}

void test_remove(const char *path)
{
    g_autoptr(GDir) folder = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    for (const char *name; folder && (name = g_dir_read_name(folder));) {
        g_autofree char *below = g_build_filename(path, name, NULL);
        test_remove(below);
    }
    g_remove(path);
}

void test_job_set_up(TestJob *f, gconstpointer data)
{
    (void)data;
    *f = (TestJob){ .folder = test_folder(), .prompts = test_prompts("a portrait") };
}

void test_job_tear_down(TestJob *f, gconstpointer data)
{
    (void)data;
    test_remove(f->folder);
    g_free(f->folder);
    aimf_prompts_free(f->prompts);
}

char *test_below(const TestJob *f, const char *name)
{
    return g_build_filename(f->folder, name, NULL);
}

AimfGeneration test_job(const TestJob *f, guint per_group, const char *folder)
{
    return (AimfGeneration){
        .prompts = f->prompts, .per_group = per_group, .batch = 2, .image_size = 16, .folder = folder
    };
}

void test_job_run(TestJob *f, const AimfGeneration *generation)
{
    g_autoptr(GError) error = NULL;
    gboolean done = test_generate(&f->maker, generation, &f->result, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(done);
}

char *test_job_undisturbed(TestJob *f, guint per_group)
{
    g_autofree char *folder = test_below(f, "undisturbed");
    const AimfGeneration generation = test_job(f, per_group, folder);
    TestMaker maker = f->maker;
    test_job_run(f, &generation);
    f->maker = maker;
    char *tree = test_tree(folder);
    test_remove(folder);
    return tree;
}

void test_assert_tree(const char *folder, const char *expected)
{
    g_autofree char *tree = test_tree(folder);
    g_assert_cmpstr(tree, ==, expected);
}
