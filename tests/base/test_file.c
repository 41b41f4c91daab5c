#include "base/file.h"
#include "base/lock.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder;

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void assert_holds(const char *path, const char *expected)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

static void assert_refused(const char *path, AimfErrorCode code)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(aimf_file_write(path, "new", 3, &error));
    g_assert_error(error, AIMF_ERROR, (gint)code);
    g_assert_nonnull(strstr(error->message, path));
}

static void test_write(void)
{
    g_autofree char *path = in_folder("plain");
    g_autoptr(GError) error = NULL;
    g_assert_true(aimf_file_write(path, "old", 3, &error));
    g_assert_true(aimf_file_write(path, "newer", 5, &error));
    g_assert_no_error(error);
    assert_holds(path, "newer");
    {
        g_autoptr(AimfWriter) given_up = aimf_writer_open(path, &error);
        aimf_writer_printf(given_up, "half");
    }
    assert_holds(path, "newer");
    g_autoptr(GPtrArray) names = aimf_directory_list(folder, &error);
    g_assert_cmpuint(names->len, ==, 1);
}

/* What a killed writer left goes when the next one begins; other files, and those of a writer at work, stay. */
static void test_leftovers(void)
{
    static const char *const left[] = { "kept.AbC123.aimfair-part", "kept.xyzXYZ.aimfair-part" };
    static const char *const others[] = { "kept.part",
                                          "kept.backup.part",
                                          "kept.AbC12.aimfair-part",
                                          "kept.AbC-23.aimfair-part",
                                          "kept.AbC123.aimfair-parts",
                                          "kept2.AbC123.aimfair-part",
                                          "unkept.AbC123.aimfair-part" };
    g_autofree char *path = in_folder("kept");
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfWriter) at_work = aimf_writer_open(path, &error);
    g_assert_no_error(error);
    aimf_writer_printf(at_work, "first");
    for (gsize i = 0; i < G_N_ELEMENTS(left); i++) {
        g_autofree char *name = in_folder(left[i]);
        g_assert_true(g_file_set_contents(name, "half", -1, NULL));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autofree char *name = in_folder(others[i]);
        g_assert_true(g_file_set_contents(name, "another's", -1, NULL));
    }
    g_autoptr(AimfWriter) next = aimf_writer_open(path, &error);
    g_assert_no_error(error);
    for (gsize i = 0; i < G_N_ELEMENTS(left); i++) {
        g_autofree char *name = in_folder(left[i]);
        g_assert_false(g_file_test(name, G_FILE_TEST_EXISTS));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autofree char *name = in_folder(others[i]);
        g_assert_cmpint(g_unlink(name), ==, 0);
    }
    aimf_writer_printf(next, "second");
    g_assert_true(aimf_writer_commit(next, &error));
    g_assert_true(aimf_writer_commit(at_work, &error));
    g_assert_no_error(error);
    assert_holds(path, "first");
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void test_links(void)
{
    g_autofree char *far = in_folder("far"), *link = in_folder("link"), *ring = in_folder("ring");
    g_assert_true(g_file_set_contents(far, "old", -1, NULL));
    g_assert_cmpint(symlink("far", link), ==, 0);
    g_assert_cmpint(symlink("ring", ring), ==, 0);
    g_autoptr(GError) error = NULL;
    g_assert_true(aimf_file_write(link, "new", 3, &error));
    assert_holds(far, "new");
    g_assert_true(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
    assert_refused(ring, AIMF_ERROR_NOT_FOUND);
    g_assert_null(aimf_file_map(ring, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_assert_cmpint(g_unlink(far), ==, 0);
    assert_refused(link, AIMF_ERROR_NOT_FOUND); /* it leads nowhere now */
    g_assert_true(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
}

/* A device that a new file replaces would be gone for the whole machine. */
static void test_no_regular_file(void)
{
    g_autofree char *pipe = in_folder("pipe");
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    assert_refused(pipe, AIMF_ERROR_INVALID);
    assert_refused(folder, AIMF_ERROR_NOT_FOUND);
    struct stat info;
    g_assert_cmpint(stat(pipe, &info), ==, 0);
    g_assert_true(S_ISFIFO(info.st_mode));
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_file_read(pipe, 10, &error)); /* and does not wait for a writer */
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
}

static void assert_kind(const char *name, AimfPathKind kind)
{
    g_autofree char *path = in_folder(name);
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(aimf_path_kind(path, &error), ==, kind);
    g_assert_cmpint(error != NULL, ==, kind == AIMF_PATH_UNKNOWN);
}

/* A name that leads nowhere is missing; what a broken disk hides is not, see tests/faults. */
static void test_kinds(void)
{
    g_autofree char *file = in_folder("seen"), *loop = in_folder("kind.loop"), *pipe = in_folder("kind.pipe");
    g_assert_true(aimf_file_write(file, "x", 1, NULL));
    g_assert_cmpint(symlink("kind.loop", loop), ==, 0);
    g_assert_cmpint(mkfifo(pipe, 0666), ==, 0);
    assert_kind("seen", AIMF_PATH_FILE);
    assert_kind("", AIMF_PATH_FOLDER);
    assert_kind("kind.pipe", AIMF_PATH_OTHER);
    assert_kind("unseen", AIMF_PATH_MISSING);
    assert_kind("seen/below", AIMF_PATH_MISSING);
    g_autofree char *long_name = g_strnfill(300, 'x');
    assert_kind("kind.loop", AIMF_PATH_MISSING);
    assert_kind(long_name, AIMF_PATH_MISSING);
}

/* Maps are known by their addresses while they live, and by what happens to their files. */
static void test_below(void)
{
    g_assert_cmpstr(aimf_path_below("/a/run/b/c", "/a/run"), ==, "b/c");
    g_assert_null(aimf_path_below("/a/run", "/a/run"));
    g_assert_null(aimf_path_below("/a/runs/b", "/a/run"));
    g_assert_null(aimf_path_below("/a", "/a/run"));
    g_assert_null(aimf_path_below("/a", "/"));
}

static void test_maps(void)
{
    g_autofree char *path = in_folder("mapped"), *other = in_folder("other");
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_set_contents(path, "0123456789", 10, NULL));
    GBytes *map = aimf_file_map(path, &error), *second = aimf_file_map(path, &error);
    g_assert_no_error(error);
    const char *data = g_bytes_get_data(map, NULL);
    g_assert_cmpstr(aimf_file_mapped_at(data + 9), ==, path);
    g_assert_null(aimf_file_mapped_at(data + 10));
    g_assert_null(aimf_file_mapped_at(path));
    g_assert_true(aimf_file_map_unchanged(map, &error));
    g_bytes_unref(second);
    g_assert_cmpstr(aimf_file_mapped_at(data), ==, path);
    /* A file that takes the name leaves the map alone; one that is written to does not. */
    g_assert_cmpint(g_rename(path, other), ==, 0);
    g_assert_true(g_file_set_contents(path, "another", 7, NULL));
    g_assert_true(aimf_file_map_unchanged(map, &error));
    g_assert_cmpint(g_rename(other, path), ==, 0);
    g_assert_cmpint(truncate(path, 5), ==, 0);
    g_assert_false(aimf_file_map_unchanged(map, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_IO);
    g_assert_nonnull(strstr(error->message, path));
    g_bytes_unref(map);
    g_assert_null(aimf_file_mapped_at(data));
}

static void test_lock(void)
{
    g_autofree char *path = in_folder("locked");
    g_autoptr(GError) error = NULL;
    AimfLock *first = aimf_lock_take(path, &error);
    g_assert_nonnull(first);
    g_assert_null(aimf_lock_take(path, &error));
    g_assert_no_error(error);
    aimf_lock_free(first);
    assert_kind("locked", AIMF_PATH_MISSING);
    g_autoptr(AimfLock) again = aimf_lock_take(path, &error);
    g_assert_nonnull(again);
}

static void remove_folder(void)
{
    g_autoptr(GPtrArray) names = aimf_directory_list(folder, NULL);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = in_folder(names->pdata[i]);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("aimfair-file-XXXXXX", NULL);
    g_test_add_func("/file/write", test_write);
    g_test_add_func("/file/leftovers", test_leftovers);
    g_test_add_func("/file/links", test_links);
    g_test_add_func("/file/no-regular-file", test_no_regular_file);
    g_test_add_func("/file/kinds", test_kinds);
    g_test_add_func("/file/below", test_below);
    g_test_add_func("/file/maps", test_maps);
    g_test_add_func("/file/lock", test_lock);
    int status = g_test_run();
    remove_folder();
    return status;
}
