/* Views of tensors under other names, from memory, from a mapped file and from an archive. */
#include "weights/support_weights.h"
#include "weights/tensors.h"

#include <string.h>

static AimfTensors *numbers(void)
{
    AimfTensors *tensors = aimf_tensors_new();
    float values[12];
    for (int i = 0; i < 12; i++)
        values[i] = (float)i;
    aimf_tensors_add(tensors, "fused", AIMF_F32, &AIMF_SHAPE(6, 2), values, NULL);
    aimf_tensors_add(tensors, "whole", AIMF_F32, &AIMF_SHAPE(3, 4, 1, 1), values, NULL);
    return tensors;
}

static void assert_values(const AimfTensors *tensors, const char *name, float first, int n)
{
    g_autoptr(GError) error = NULL;
    int index = aimf_tensors_find(tensors, name);
    g_assert_cmpint(index, >=, 0);
    float values[12];
    g_assert_cmpuint(aimf_tensors_at(tensors, (guint)index)->bytes, ==, (gsize)n * sizeof *values);
    g_assert_true(aimf_tensors_read(tensors, (guint)index, AIMF_F32, values, &error));
    for (int i = 0; i < n; i++)
        g_assert_cmpfloat(values[i], ==, first + (float)i);
    const float *lying = aimf_tensors_data(tensors, (guint)index);
    g_assert_true(!lying || memcmp(lying, values, (gsize)n * sizeof *values) == 0);
}

/* Takes @from, shows parts of it, and lets go of it first: the view keeps it alive. */
static void check_view_of(AimfTensors *from)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) view = aimf_tensors_new_view();
    guint fused = (guint)aimf_tensors_find(from, "fused"), whole = (guint)aimf_tensors_find(from, "whole");
    g_assert_true(aimf_tensors_add_view(view, "q", from, fused, 0, &AIMF_SHAPE(2, 2), &error));
    g_assert_true(aimf_tensors_add_view(view, "v", from, fused, 8, &AIMF_SHAPE(2, 2), &error));
    g_assert_true(aimf_tensors_add_view(view, "flat", from, whole, 0, &AIMF_SHAPE(3, 4), &error));
    aimf_tensors_free(from);
    for (int round = 0; round < 2; round++) {
        assert_values(view, "q", 0, 4);
        assert_values(view, "v", 8, 4);
        assert_values(view, "flat", 0, 12);
        aimf_tensors_release_pages(view); /* what is read again comes back */
    }
    g_autoptr(AimfTensors) outer = aimf_tensors_new_view();
    g_assert_true(aimf_tensors_add_view(outer, "last", view, 1, 2, &AIMF_SHAPE(1, 2), &error));
    assert_values(outer, "last", 10, 2);
    g_assert_cmpint(aimf_tensors_at(view, 2)->shape.rank, ==, 2);
}

static AimfTensors *saved(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = numbers();
    const char *path = support_weights_path(name);
    g_assert_true(aimf_tensors_save(tensors, path, &error));
    AimfTensors *opened = aimf_tensors_open(path, &error);
    g_assert_no_error(error);
    return opened;
}

static void test_memory(void)
{
    check_view_of(numbers());
}

static void test_mapped(void)
{
    check_view_of(saved("view.safetensors"));
}

static void test_archive(void)
{
    check_view_of(saved("view.pth"));
}

/* Pages of mapped files that this process holds, in kB. */
static guint64 resident_file_pages(void)
{
    g_autofree char *status = NULL;
    g_assert_true(g_file_get_contents("/proc/self/status", &status, NULL, NULL));
    const char *line = strstr(status, "RssFile:");
    g_assert_nonnull(line);
    return g_ascii_strtoull(line + strlen("RssFile:"), NULL, 10);
}

/* Pages that were read become resident and go again, whether the file is mapped or unpacked. */
static void test_release_pages(void)
{
    enum { ELEMENTS = 4 << 20 };
    const char *const names[] = { "large.safetensors", "large.pth" };
    const guint64 kilobytes = ELEMENTS * sizeof(float) / 1024, slack = kilobytes / 4; /* the kernel counts in batches */
    g_autofree float *values = g_new(float, ELEMENTS);
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfTensors) tensors = aimf_tensors_new();
        g_assert_cmpint(aimf_tensors_add(tensors, "large", AIMF_F32, &AIMF_SHAPE(ELEMENTS), NULL, NULL), ==, 0);
        const char *path = support_weights_path(names[i]);
        g_assert_true(aimf_tensors_save(tensors, path, &error));
        g_autoptr(AimfTensors) opened = aimf_tensors_open(path, &error);
        g_autoptr(AimfTensors) view = aimf_tensors_new_view();
        g_assert_true(aimf_tensors_add_view(view, "shown", opened, 0, 0, &AIMF_SHAPE(ELEMENTS), &error));
        guint64 before = resident_file_pages();
        g_assert_true(aimf_tensors_read(view, 0, AIMF_F32, values, &error));
        g_assert_cmpuint(resident_file_pages() + slack, >=, before + kilobytes);
        aimf_tensors_release_pages(view);
        g_assert_cmpuint(resident_file_pages(), <=, before + slack);
    }
}

static void test_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) from = numbers();
    g_autoptr(AimfTensors) view = aimf_tensors_new_view();
    const struct {
        gint64 first;
        AimfShape shape;
    } outside[] = { { 1, AIMF_SHAPE(6, 2) },      { -1, AIMF_SHAPE(1) }, { 13, AIMF_SHAPE(0) },
                    { 0, AIMF_SHAPE(13) },        { 0, AIMF_SHAPE(-1) }, { 0, AIMF_SHAPE(G_MAXINT64, 4) },
                    { G_MAXINT64, AIMF_SHAPE(1) } };
    for (guint i = 0; i < G_N_ELEMENTS(outside); i++) {
        g_assert_false(aimf_tensors_add_view(view, "part", from, 0, outside[i].first, &outside[i].shape, &error));
        support_assert_error(&error, AIMF_ERROR_INVALID, "'fused' (6x2) has no");
    }
    g_assert_true(aimf_tensors_add_view(view, "part", from, 0, 0, &AIMF_SHAPE(6, 2), &error));
    g_assert_false(aimf_tensors_add_view(view, "part", from, 0, 0, &AIMF_SHAPE(6, 2), &error));
    support_assert_error(&error, AIMF_ERROR_FORMAT, "there twice");
    g_assert_cmpuint(aimf_tensors_count(view), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/view/memory", test_memory);
    g_test_add_func("/view/mapped", test_mapped);
    g_test_add_func("/view/archive", test_archive);
    g_test_add_func("/view/release_pages", test_release_pages);
    g_test_add_func("/view/refused", test_refused);
    int status = g_test_run();
    support_weights_remove();
    return status;
}
