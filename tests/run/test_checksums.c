/* SHA256SUMS: what is written is what GNU's sha256sum reads, and nothing else is read. */
#include "run/checksums.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    char *folder;
    char *sums;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void)data;
    f->folder = g_dir_make_tmp("aimfair-checksums-XXXXXX", NULL);
    f->sums = g_build_filename(f->folder, AIMF_CHECKSUMS, NULL);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    const char *const arguments[] = { "rm", "-rf", f->folder, NULL };
    g_assert_true(
        g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
    g_free(f->sums);
    g_free(f->folder);
}

static void put(const Fixture *f, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(f->folder, name, NULL), *above = g_path_get_dirname(path);
    g_mkdir_with_parents(above, 0777);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static const char *const NAMES[] = { "B",    "a",       "a b",    "a.csv",    "a/x",     "a\\b/c\nd",
                                     "e\rf", ".hidden", "a/lock", "\xff\xfe", "\xc3\xa4" };

static void fill(const Fixture *f)
{
    for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++)
        if (strcmp(NAMES[i], "a") != 0) /* a is a folder */
            put(f, NAMES[i], NAMES[i]);
    put(f, AIMF_RUN_LOCK, "");
}

static void test_written(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    char sha256[AIMF_SHA256_SIZE];
    fill(f);
    g_assert_true(aimf_checksums_write(f->folder, NULL, sha256, &error));
    g_assert_no_error(error);
    g_autoptr(AimfChecksums) sums = aimf_checksums_open(f->sums, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(sums->n, ==, G_N_ELEMENTS(NAMES) - 1);
    g_assert_cmpstr(sums->sha256, ==, sha256);
    for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++) {
        g_autofree char *expected = g_compute_checksum_for_string(G_CHECKSUM_SHA256, NAMES[i], -1);
        g_assert_cmpstr(aimf_checksums_find(sums, NAMES[i]), ==, strcmp(NAMES[i], "a") ? expected : NULL);
    }
    g_assert_null(aimf_checksums_find(sums, AIMF_RUN_LOCK));
    g_assert_null(aimf_checksums_find(sums, AIMF_CHECKSUMS));
    /* Written again, with the first one there, it is the same. */
    g_autofree char *first = NULL, *second = NULL;
    g_assert_true(g_file_get_contents(f->sums, &first, NULL, NULL));
    g_assert_true(aimf_checksums_write(f->folder, NULL, NULL, &error));
    g_assert_true(g_file_get_contents(f->sums, &second, NULL, NULL));
    g_assert_cmpstr(first, ==, second);
}

/* The order and form are those of sha256sum itself, which finds every file as listed. */
static void test_coreutils(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *program = g_find_program_in_path("sha256sum");
    if (!program) {
        g_test_skip("there is no sha256sum");
        return;
    }
    fill(f);
    g_assert_true(aimf_checksums_write(f->folder, NULL, NULL, NULL));
    g_autofree char *command = g_strdup_printf(
        "cd '%s' && sha256sum --strict --quiet -c SHA256SUMS && find . -type f ! -path ./SHA256SUMS ! -path ./lock "
        "-printf '%%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum -- | cmp - SHA256SUMS",
        f->folder);
    const char *const arguments[] = { "/bin/sh", "-c", command, NULL };
    int status;
    g_assert_true(g_spawn_sync(NULL, (char **)arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status, NULL));
    g_assert_true(g_spawn_check_wait_status(status, NULL));
}

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void test_refused(Fixture *f, gconstpointer data)
{
    (void)data;
    static const struct {
        const char *text, *message;
    } cases[] = {
        { A "  a", "line 1: the file does not end" },
        { A "  a\n" A "  b", "line 2: the file does not end" },
        { "\n", "line 1: too short" },
        { A "  a\n\n", "line 2: too short" },
        { A "\n", "line 1: two blanks" },
        { A "  \n", "line 1: two blanks" },
        { A " a\n", "line 1: two blanks" },
        { A " *a\n", "line 1: two blanks" },
        { "A" A "  a\n", "line 1: it does not begin" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA  a\n", "line 1: it does not begin" },
        { A "  b\n" A "  a\n", "line 2: its path does not follow" },
        { A "  a\n" A "  a\n", "line 2: its path is there twice" },
        { A "  /a\n", "line 1: its path is not" },
        { A "  ../a\n", "line 1: its path is not" },
        { A "  a/../b\n", "line 1: its path is not" },
        { A "  ./a\n", "line 1: its path is not" },
        { A "  a//b\n", "line 1: its path is not" },
        { A "  a/\n", "line 1: its path is not" },
        { A "  SHA256SUMS\n", "line 1: this file is never" },
        { A "  lock\n", "line 1: this file is never" },
        { A "  a\\b\n", "line 1: a backslash" },
        { "\\" A "  ab\n", "line 1: a backslash" },
        { "\\" A "  a\\tb\n", "line 1: a backslash" },
        { "\\" A "  a\\\n", "line 1: a backslash" },
        { A "  a\r\n", "line 1: a backslash" },
        { "\\\\" A "  a\\\\b\n", "line 1: it does not begin" },
        { "\xef\xbb\xbf" A "  a\n", "line 1: it does not begin" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_true(g_file_set_contents(f->sums, cases[i].text, -1, NULL));
        g_autoptr(AimfChecksums) sums = aimf_checksums_open(f->sums, &error);
        g_assert_null(sums);
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
    g_assert_true(g_file_set_contents(f->sums, A "  a\0b\n", (gssize)sizeof(A "  a\0b\n") - 1, NULL));
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_checksums_open(f->sums, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
}

/* Any byte of it that is another, and it is refused or says something else. */
static void test_bytes(Fixture *f, gconstpointer data)
{
    (void)data;
    fill(f);
    g_assert_true(aimf_checksums_write(f->folder, NULL, NULL, NULL));
    g_autofree char *good = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(f->sums, &good, &size, NULL));
    g_autoptr(AimfChecksums) expected = aimf_checksums_open(f->sums, NULL);
    for (gsize at = 0; at < size; at++) {
        g_autofree char *bad = g_memdup2(good, size);
        bad[at] = (char)(bad[at] ^ (1 << g_test_rand_int_range(0, 8)));
        g_assert_true(g_file_set_contents(f->sums, bad, (gssize)size, NULL));
        g_autoptr(AimfChecksums) found = aimf_checksums_open(f->sums, NULL);
        gboolean same = found && found->n == expected->n;
        for (guint i = 0; same && i < found->n; i++)
            same = strcmp(found->files[i].path, expected->files[i].path) == 0 &&
                   strcmp(found->files[i].sha256, expected->files[i].sha256) == 0;
        g_assert_false(same);
    }
}

/* What is no regular file is named. */
static void test_odd(Fixture *f, gconstpointer data)
{
    (void)data;
    fill(f);
    for (int i = 0; i < 3; i++) {
        g_autofree char *path = g_build_filename(f->folder, "a/odd", NULL);
        g_autoptr(GError) error = NULL;
        g_assert_cmpint(i == 0 ? symlink("x", path) : i == 1 ? symlink("..", path) : mkfifo(path, 0666), ==, 0);
        g_assert_false(aimf_checksums_write(f->folder, NULL, NULL, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
        g_assert_nonnull(strstr(error->message, "a/odd"));
        g_assert_cmpint(g_unlink(path), ==, 0);
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *nowhere = g_build_filename(f->folder, "nowhere", NULL);
    g_assert_false(aimf_checksums_write(nowhere, NULL, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
}

/* A folder that goes on and on, deeper than any path may be. */
static void test_deep(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *start = g_get_current_dir();
    char name[201];
    memset(name, 'd', 200);
    name[200] = 0;
    g_assert_cmpint(g_chdir(f->folder), ==, 0);
    for (int i = 0; i < 70; i++)
        g_assert_true(g_mkdir(name, 0777) == 0 && g_chdir(name) == 0);
    g_assert_cmpint(g_chdir(start), ==, 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfFolderFiles) files = aimf_folder_files(f->folder, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(files->files->len, ==, 0);
    g_assert_cmpuint(files->odd->len, ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/checksums/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("written", test_written);
    ADD("coreutils", test_coreutils);
    ADD("refused", test_refused);
    ADD("bytes", test_bytes);
    ADD("odd", test_odd);
    ADD("deep", test_deep);
    return g_test_run();
}
