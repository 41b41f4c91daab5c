/* Hashes of pictures: what they are, that they are remembered, and never beyond a change. */
#include "base/file.h"
#include "run/pictures_hash.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N = 150 }; /* more than are hashed at once */

typedef struct {
    char *folder;
    char *cache;
    char *paths[N];
} Fixture;

static gint64 clock_s = 1000000000; /* of the files, long past */

static void write_at(const char *path, const char *text, gint64 seconds)
{
    const struct timespec times[2] = { { .tv_sec = seconds }, { .tv_sec = seconds } };
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
}

static void set_up(Fixture *f, gconstpointer data)
{
    (void)data;
    f->folder = g_dir_make_tmp("aimfair-hashes-XXXXXX", NULL);
    f->cache = g_build_filename(f->folder, "machine-pictures.csv", NULL);
    for (int i = 0; i < N; i++) {
        g_autofree char *name = g_strdup_printf("%d, \"a\".png", i), *text = g_strdup_printf("picture %d", i);
        f->paths[i] = g_build_filename(f->folder, name, NULL);
        write_at(f->paths[i], text, clock_s);
    }
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    g_unlink(f->cache);
    for (int i = 0; i < N; i++) {
        g_unlink(f->paths[i]);
        g_free(f->paths[i]);
    }
    g_rmdir(f->folder);
    g_free(f->cache);
    g_free(f->folder);
}

static AimfManifest *manifest_of(const Fixture *f, int n)
{
    AimfManifest *manifest = aimf_manifest_new();
    for (int i = 0; i < n; i++)
        aimf_manifest_add(manifest, f->paths[i], i % 2, "0");
    return manifest;
}

/* (owned) the hash as the header has it, from contents of whole files. */
static char *expected_of(const Fixture *f, int n)
{
    g_autoptr(GString) lines = g_string_new(NULL);
    for (int i = 0; i < n; i++) {
        g_autofree char *text = NULL;
        gsize length;
        if (g_file_get_contents(f->paths[i], &text, &length, NULL)) {
            g_autofree char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, length);
            g_string_append(lines, hash);
        } else {
            g_string_append(lines, "unreadable");
        }
        g_string_append_c(lines, '\n');
    }
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, lines->str, -1);
}

static void assert_hash(const Fixture *f, const char *cache, int n)
{
    g_autoptr(AimfManifest) manifest = manifest_of(f, n);
    g_autoptr(AimfPictureHashes) hashes = aimf_picture_hashes_open(cache);
    g_autoptr(GError) error = NULL;
    g_autofree char *hash = aimf_pictures_hash(hashes, manifest, NULL, &error);
    g_autofree char *expected = expected_of(f, n);
    g_assert_no_error(error);
    g_assert_cmpstr(hash, ==, expected);
    g_assert_true(aimf_picture_hashes_save(hashes, &error));
}

static void test_contents(Fixture *f, gconstpointer data)
{
    (void)data;
    const int counts[] = { 0, 1, 63, 64, 65, N };
    for (gsize i = 0; i < G_N_ELEMENTS(counts); i++)
        assert_hash(f, NULL, counts[i]);
    g_unlink(f->paths[3]); /* nothing there */
    g_unlink(f->paths[4]);
    g_assert_cmpint(g_mkdir(f->paths[4], 0777), ==, 0); /* a folder */
    assert_hash(f, NULL, 10);
    g_rmdir(f->paths[4]);
    g_assert_cmpint(mkfifo(f->paths[4], 0666), ==, 0); /* nobody will ever write into it */
    g_unlink(f->paths[5]);
    g_assert_cmpint(symlink(f->paths[5], f->paths[5]), ==, 0); /* a ring */
    g_autoptr(AimfManifest) manifest = manifest_of(f, 10);
    g_autoptr(AimfPictureHashes) hashes = aimf_picture_hashes_open(NULL);
    g_autofree char *hash = aimf_pictures_hash(hashes, manifest, NULL, NULL);
    g_unlink(f->paths[4]); /* the reader of this test would wait */
    g_autofree char *expected = expected_of(f, 10);
    g_assert_cmpstr(hash, ==, expected);
}

/* The order of the rows is a part of the hash. */
static void test_order(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(AimfManifest) manifest = manifest_of(f, 2);
    const guint32 rows[] = { 1, 0 };
    g_autoptr(AimfManifest) turned = aimf_manifest_subset(manifest, rows, 2);
    g_autoptr(AimfPictureHashes) hashes = aimf_picture_hashes_open(NULL);
    g_autofree char *hash = aimf_pictures_hash(hashes, manifest, NULL, NULL);
    g_autofree char *other = aimf_pictures_hash(hashes, turned, NULL, NULL);
    g_assert_cmpstr(hash, !=, other);
}

/* Replaces the first hash of the cache by one that no file has, to see what is believed. */
static char *forge(const Fixture *f)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(f->cache, &text, NULL, NULL));
    char *line = strchr(text, '\n') + 1;
    memset(line, 'e', 64);
    g_assert_true(g_file_set_contents(f->cache, text, -1, NULL));
    return g_strdup(line);
}

static void test_remembered(Fixture *f, gconstpointer data)
{
    (void)data;
    assert_hash(f, f->cache, 1);
    g_autofree char *line = forge(f);
    g_autoptr(AimfManifest) manifest = manifest_of(f, 1);
    g_autoptr(AimfPictureHashes) hashes = aimf_picture_hashes_open(f->cache);
    g_autofree char *hash = aimf_pictures_hash(hashes, manifest, NULL, NULL);
    g_autofree char *first = g_strndup(line, 65);
    first[64] = '\n';
    g_autofree char *forged = g_compute_checksum_for_string(G_CHECKSUM_SHA256, first, 65);
    g_assert_cmpstr(hash, ==, forged); /* the file was not read */
}

/* Any of time, size, inode and device that differs, and the file is read. */
static void test_changes(Fixture *f, gconstpointer data)
{
    (void)data;
    assert_hash(f, f->cache, N);
    write_at(f->paths[0], "another", clock_s);       /* another file, and size */
    write_at(f->paths[1], "pictuRe 1", clock_s + 1); /* another time */
    assert_hash(f, f->cache, N);
    int file = open(f->paths[2], O_WRONLY | O_CLOEXEC); /* the same file and size */
    g_assert_cmpint(write(file, "P", 1), ==, 1);
    close(file);
    assert_hash(f, f->cache, N);
    g_assert_cmpint(g_rename(f->paths[3], f->paths[4]), ==, 0);
    assert_hash(f, f->cache, N);
}

/* What was written to just now may be written to again within the same tick of the clock: it is not remembered. */
static void test_fresh(Fixture *f, gconstpointer data)
{
    (void)data;
    g_assert_true(g_file_set_contents(f->paths[0], "fresh", -1, NULL));
    assert_hash(f, f->cache, 2);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(f->cache, &text, NULL, NULL));
    g_assert_null(strstr(text, "0, \"\"a\"\".png"));
    g_assert_nonnull(strstr(text, "1, \"\"a\"\".png"));
}

static void test_damaged(Fixture *f, gconstpointer data)
{
    (void)data;
    assert_hash(f, f->cache, N);
    g_autofree char *good = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(f->cache, &good, &length, NULL));
    static const char *const hostile[] = {
        "",
        "\n\n\n",
        "sha256\n",
        "{\"a\": 1}",
        "\xff\xfe\x00",
        "sha256,bytes,modified_ns,inode,device,path\n,,,,,\n",
        "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee,99999999999999999999999,1,1,1,/\n",
        "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee,1,1,1,1,\"\n",
        "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee,1,1,1,1,",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(hostile); i++) {
        g_assert_true(g_file_set_contents(f->cache, hostile[i], -1, NULL));
        assert_hash(f, f->cache, 3);
    }
    for (gsize n = 0; n < length; n += 97) { /* cut anywhere */
        g_assert_true(g_file_set_contents(f->cache, good, (gssize)n, NULL));
        assert_hash(f, f->cache, N);
    }
    g_autofree char *again = NULL;
    g_assert_true(g_file_get_contents(f->cache, &again, NULL, NULL));
    g_assert_cmpstr(again, ==, good);
    g_unlink(f->cache);
    g_assert_cmpint(g_mkdir(f->cache, 0777), ==, 0); /* it cannot be saved, and says so */
    g_autoptr(AimfManifest) manifest = manifest_of(f, 1);
    g_autoptr(AimfPictureHashes) hashes = aimf_picture_hashes_open(f->cache);
    g_autofree char *hash = aimf_pictures_hash(hashes, manifest, NULL, NULL);
    g_autoptr(GError) error = NULL;
    g_assert_nonnull(hash);
    g_assert_false(aimf_picture_hashes_save(hashes, &error));
    g_assert_nonnull(error);
    g_rmdir(f->cache);
}

/* A path through a link and ".." is another file than its text says. */
static void test_links(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *inner = g_build_filename(f->folder, "a/b", NULL),
                    *link = g_build_filename(f->folder, "link", NULL);
    g_autofree char *far = g_build_filename(f->folder, "a/p.png", NULL),
                    *near = g_build_filename(f->folder, "p.png", NULL);
    g_autofree char *outer = g_build_filename(f->folder, "a", NULL), *path = g_build_filename(link, "../p.png", NULL);
    g_assert_cmpint(g_mkdir_with_parents(inner, 0777), ==, 0);
    g_assert_cmpint(symlink(inner, link), ==, 0);
    write_at(far, "far", clock_s);
    write_at(near, "near", clock_s);
    g_autoptr(AimfManifest) manifest = aimf_manifest_new();
    aimf_manifest_add(manifest, path, 0, "0");
    g_autoptr(AimfPictureHashes) hashes = aimf_picture_hashes_open(NULL);
    g_autofree char *hash = aimf_pictures_hash(hashes, manifest, NULL, NULL);
    g_autofree char *one = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "far", -1);
    g_autofree char *line = g_strconcat(one, "\n", NULL);
    g_autofree char *expected = g_compute_checksum_for_string(G_CHECKSUM_SHA256, line, -1);
    g_assert_cmpstr(hash, ==, expected);
    g_unlink(far);
    g_unlink(near);
    g_unlink(link);
    g_rmdir(inner);
    g_rmdir(outer);
}

/* A full table of files says nothing about a picture. */
static void test_fault(Fixture *f, gconstpointer data)
{
    (void)data;
    struct rlimit table;
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfPictureHashes) hashes = aimf_picture_hashes_open(NULL);
    g_autoptr(AimfManifest) manifest = manifest_of(f, N);
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &table), ==, 0);
    const struct rlimit full = { 0, table.rlim_max };
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &full), ==, 0);
    g_autofree char *hash = aimf_pictures_hash(hashes, manifest, NULL, &error);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &table), ==, 0);
    g_assert_null(hash);
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_IO);
}

static void test_interrupted(Fixture *f, gconstpointer data)
{
    (void)data;
    static const volatile int stop = 1;
    const AimfMonitor monitor = { .stop = &stop };
    g_autoptr(AimfManifest) manifest = manifest_of(f, N);
    g_autoptr(AimfPictureHashes) hashes = aimf_picture_hashes_open(f->cache);
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_pictures_hash(hashes, manifest, &monitor, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/pictures_hash/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("contents", test_contents);
    ADD("order", test_order);
    ADD("remembered", test_remembered);
    ADD("changes", test_changes);
    ADD("fresh", test_fresh);
    ADD("damaged", test_damaged);
    ADD("links", test_links);
    ADD("fault", test_fault);
    ADD("interrupted", test_interrupted);
    return g_test_run();
}
