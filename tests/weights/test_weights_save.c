/* Saving that fails leaves the old file and nothing else. */
#include "weights/support_weights.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

static AimfTensors *large_set(void)
{
    g_autoptr(GError) error = NULL;
    AimfTensors *tensors = aimf_tensors_new();
    aimf_tensors_add(tensors, "w", AIMF_F32, &AIMF_SHAPE(256, 1024), NULL, &error);
    g_assert_no_error(error);
    return tensors;
}

static guint count_files(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    guint n = 0;
    while (g_dir_read_name(folder))
        n++;
    return n;
}

/* A limit on file sizes stands in for a full disk: writing fails in the middle. */
static void test_no_space(void)
{
    static const char *const names[] = { "full.safetensors", "full.pth" };
    g_autoptr(AimfTensors) tensors = large_set();
    g_autofree char *folder = g_strdup(support_weights_path(""));
    struct rlimit before;
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        const char *path = support_weights_write(names[i], "old", 3);
        guint files = count_files(folder);
        g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 100000, before.rlim_max }), ==, 0);
        gboolean done = aimf_tensors_save(tensors, path, &error);
        g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
        g_assert_false(done);
        support_assert_error(&error, AIMF_ERROR_IO, names[i]);
        g_autofree char *content = NULL;
        g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
        g_assert_cmpstr(content, ==, "old");
        g_assert_cmpuint(count_files(folder), ==, files);
        g_assert_true(aimf_tensors_save(tensors, path, &error)); /* and with room it works */
        g_assert_no_error(error);
    }
}

static void test_no_place(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = large_set();
    g_assert_false(aimf_tensors_save(tensors, support_weights_path("missing/w.pth"), &error));
    support_assert_error(&error, AIMF_ERROR_NOT_FOUND, "missing/w.pth");
    g_assert_false(aimf_tensors_save(tensors, support_weights_path(""), &error));
    support_assert_error(&error, AIMF_ERROR_NOT_FOUND, "irectory");
    g_assert_false(aimf_tensors_save(tensors, "/dev/null/w.safetensors", &error));
    support_assert_error(&error, AIMF_ERROR_NOT_FOUND, "/dev/null");
}

/* What cannot be read cannot be saved either, and nothing is left half written. */
static void test_broken_source(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *file = NULL;
    gsize bytes;
    g_assert_true(g_file_get_contents(GOLDEN_DIR "/weights/network.pth", &file, &bytes, NULL));
    const float value = 11.5f; /* of module.0.weight, and of no other */
    char *data = memmem(file, bytes, &value, sizeof value);
    g_assert_nonnull(data);
    data[0] ^= 1;
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(support_weights_write("broken.pth", file, bytes), &error);
    g_assert_no_error(error);
    static const char *const names[] = { "kept.safetensors", "kept.pth" };
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *path = support_weights_write(names[i], "old", 3);
        g_assert_false(aimf_tensors_save(tensors, path, &error));
        support_assert_error(&error, AIMF_ERROR_FORMAT, "module.0.weight");
        g_autofree char *content = NULL;
        g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
        g_assert_cmpstr(content, ==, "old");
    }

    /* Through a view the tensor is called once, and what the file calls it. */
    g_autoptr(AimfTensors) view = aimf_tensors_new_view();
    guint broken = (guint)aimf_tensors_find(tensors, "module.0.weight");
    const AimfShape *shape = &aimf_tensors_at(tensors, broken)->shape;
    g_assert_true(aimf_tensors_add_view(view, "other", tensors, broken, 0, shape, NULL));
    g_assert_false(aimf_tensors_save(view, support_weights_path("view.pth"), &error));
    g_assert_nonnull(strstr(error->message, "tensor 'module.0.weight': the ZIP archive is broken"));
    g_assert_null(strstr(error->message, "other"));
}

static gpointer read_all(gpointer data)
{
    const AimfTensors *tensors = data;
    gdouble sum = 0;
    for (int pass = 0; pass < 50; pass++)
        for (guint i = 0; i < aimf_tensors_count(tensors); i++) {
            double values[64];
            const AimfTensor *tensor = aimf_tensors_at(tensors, i);
            if (tensor->dtype > AIMF_F64 || !aimf_tensors_read(tensors, i, AIMF_F64, values, NULL))
                continue;
            for (gint64 k = 0; k < aimf_shape_count(&tensor->shape); k++)
                sum += values[k];
        }
    return g_memdup2(&sum, sizeof sum);
}

static void test_threads(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(GOLDEN_DIR "/weights/deflated.pth", &error);
    g_assert_no_error(error);
    g_autofree double *alone = read_all(tensors);
    g_assert_cmpfloat(*alone, >, 0);
    GThread *threads[4];
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("reader", read_all, tensors);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autofree double *sum = g_thread_join(threads[i]);
        g_assert_cmpfloat(*sum, ==, *alone);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGXFSZ, SIG_IGN);
    g_test_add_func("/weights_save/no_space", test_no_space);
    g_test_add_func("/weights_save/no_place", test_no_place);
    g_test_add_func("/weights_save/broken_source", test_broken_source);
    g_test_add_func("/weights_save/threads", test_threads);
    int status = g_test_run();
    support_weights_remove();
    return status;
}
