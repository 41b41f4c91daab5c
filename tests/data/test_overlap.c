/* Which pictures of manifests are the same: under other names, through links, as copies. */
#include "data/overlap.h"
#include "data/support_data.h"

#include <glib/gstdio.h>
#include <unistd.h>

static char *folder;

static AimfManifest *manifest(const char *first, ...)
{
    AimfManifest *made = aimf_manifest_new();
    va_list names;
    va_start(names, first);
    for (const char *name = first; name; name = va_arg(names, const char *)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        aimf_manifest_add(made, path, 0, "a");
    }
    va_end(names);
    return made;
}

static AimfOverlap overlap_of(const AimfManifest *a, const AimfManifest *b, AimfCompareFiles comparison)
{
    GError *error = NULL;
    const AimfManifest *const both[] = { a, b };
    g_autoptr(AimfPictures) pictures = aimf_pictures_compare(both, 2, comparison, NULL, &error);
    g_assert_no_error(error);
    return aimf_pictures_overlap(pictures, 0, 1);
}

static void set_up(void)
{
    folder = data_folder_new();
    g_free(data_write(folder, "one.png", "first picture"));
    g_free(data_write(folder, "two.png", "other picture")); /* as long */
    g_free(data_write(folder, "three.png", "a third, longer picture"));
    g_free(data_write(folder, "deep/copy.png", "first picture"));
    g_free(data_write(folder, "empty.png", ""));
    g_free(data_write(folder, "void.png", ""));
    g_autofree char *one = g_build_filename(folder, "one.png", NULL),
                    *hard = g_build_filename(folder, "hard.png", NULL),
                    *soft = g_build_filename(folder, "soft.png", NULL), *dir = g_build_filename(folder, "link", NULL);
    g_assert_cmpint(link(one, hard), ==, 0);
    g_assert_cmpint(symlink("one.png", soft), ==, 0);
    g_assert_cmpint(symlink(".", dir), ==, 0);
}

/* The same file by each of its names is no copy; a file of equal size with other bytes is nothing. */
static void test_names(void)
{
    g_autoptr(AimfManifest) one = manifest("one.png", NULL);
    const char *const names[] = { "one.png", "hard.png", "soft.png", "link/one.png", "deep/../link/./soft.png" };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(AimfManifest) other = manifest("two.png", names[i], NULL);
        for (AimfCompareFiles c = AIMF_COMPARE_FILES; c <= AIMF_COMPARE_ALL; c++) {
            AimfOverlap overlap = overlap_of(one, other, c);
            g_assert_cmpuint(overlap.n_files, ==, 1);
            g_assert_cmpuint(overlap.n_copies, ==, 0);
            g_assert_cmpuint(overlap.row_a, ==, 0);
            g_assert_cmpuint(overlap.row_b, ==, 1);
            g_assert_false(overlap.whole);
        }
    }
}

static void test_copies(void)
{
    g_autoptr(AimfManifest) one = manifest("three.png", "one.png", NULL), copy = manifest("deep/copy.png", NULL);
    AimfOverlap overlap = overlap_of(one, copy, AIMF_COMPARE_ACROSS);
    g_assert_cmpuint(overlap.n_files, ==, 0);
    g_assert_cmpuint(overlap.n_copies, ==, 1);
    g_assert_cmpuint(overlap.row_a, ==, 1);
    g_assert_false(overlap.whole);
    g_assert_cmpuint(overlap_of(one, copy, AIMF_COMPARE_FILES).n_copies, ==, 0);
    g_autoptr(AimfManifest) same = manifest("deep/copy.png", "three.png", "hard.png", NULL);
    overlap = overlap_of(one, same, AIMF_COMPARE_ACROSS);
    g_assert_true(overlap.whole); /* in another order, and once twice */
    g_assert_cmpuint(overlap.n_files, ==, 2);
    g_assert_cmpuint(overlap.n_copies, ==, 1);
}

/* Empty files are like no other, missing ones are known by their names, and one set may be empty. */
static void test_odd_files(void)
{
    g_autoptr(AimfManifest) a = manifest("empty.png", "none.png", "deep", NULL),
                            b = manifest("void.png", "deep/../none.png", NULL), none = aimf_manifest_new();
    AimfOverlap overlap = overlap_of(a, b, AIMF_COMPARE_ALL);
    g_assert_cmpuint(overlap.n_files, ==, 1);
    g_assert_cmpuint(overlap.n_copies, ==, 0);
    g_assert_cmpuint(overlap.row_a, ==, 1);
    g_assert_cmpuint(overlap.row_b, ==, 1);
    g_assert_false(overlap_of(a, none, AIMF_COMPARE_ALL).whole);
    g_assert_false(overlap_of(none, none, AIMF_COMPARE_ALL).whole);
}

static void test_within(void)
{
    GError *error = NULL;
    g_autoptr(AimfManifest) alone = manifest("one.png", "two.png", "deep/copy.png", "soft.png", NULL);
    const AimfManifest *const all[] = { alone };
    for (AimfCompareFiles c = AIMF_COMPARE_ACROSS; c <= AIMF_COMPARE_ALL; c++) {
        g_autoptr(AimfPictures) pictures = aimf_pictures_compare(all, 1, c, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(pictures->file[0][3], ==, pictures->file[0][0]);
        g_assert_cmpuint(pictures->file[0][2], !=, pictures->file[0][0]);
        g_assert_cmpint(pictures->content[0][2] == pictures->content[0][0], ==, c == AIMF_COMPARE_ALL);
        g_assert_cmpuint(pictures->content[0][1], !=, pictures->content[0][0]);
    }
}

static void test_stop(void)
{
    GError *error = NULL;
    const int stop = 1;
    const AimfMonitor monitor = { .stop = &stop };
    g_autoptr(AimfManifest) one = manifest("one.png", NULL);
    const AimfManifest *const all[] = { one };
    g_assert_null(aimf_pictures_compare(all, 1, AIMF_COMPARE_ALL, &monitor, &error));
    data_expect_error(&error, AIMF_ERROR_INTERRUPTED, "common pictures", NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    set_up();
    g_test_add_func("/overlap/names", test_names);
    g_test_add_func("/overlap/copies", test_copies);
    g_test_add_func("/overlap/odd-files", test_odd_files);
    g_test_add_func("/overlap/within", test_within);
    g_test_add_func("/overlap/stop", test_stop);
    int status = g_test_run();
    data_folder_free(folder);
    return status;
}
