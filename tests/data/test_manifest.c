#include "data/support_data.h"

#include <glib/gstdio.h>
#include <string.h>

static AimfManifest *open_good(const char *path)
{
    g_autoptr(GError) error = NULL;
    AimfManifest *manifest = aimf_manifest_open(path, &error);
    g_assert_no_error(error);
    return manifest;
}

static void save_good(const AimfManifest *manifest, const char *path)
{
    g_autoptr(GError) error = NULL;
    aimf_manifest_save(manifest, path, &error);
    g_assert_no_error(error);
}

static void expect_contents(const char *path, const char *expected)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, expected);
}

/* BOM, CRLF, quotes, a line break in quotes, columns in another order, blank lines, no line end at the end. */
static void test_rfc4180(void)
{
    char *folder = data_folder_new();
    g_autofree char *path = data_write(folder, "m.csv",
                                       "\xEF\xBB\xBFprotected,note,path,target\r\n"
                                       "b,\"say \"\"hi\"\", twice\",\"a,b.png\",1\r\n"
                                       "\r\n"
                                       "\"a\",\"two\r\nlines\",/abs/c.png,0\n"
                                       "b,,d.png,3");
    g_autoptr(AimfManifest) manifest = open_good(path);
    g_assert_cmpuint(aimf_manifest_count(manifest), ==, 3);
    AimfSample sample = aimf_manifest_at(manifest, 0);
    g_autofree char *first = g_build_filename(folder, "a,b.png", NULL);
    g_assert_cmpstr(sample.path, ==, first);
    g_assert_cmpint(sample.target, ==, 1);
    g_assert_cmpint(sample.group, ==, 1);
    g_assert_cmpstr(sample.protected_label, ==, "b");
    g_assert_cmpstr(aimf_manifest_at(manifest, 1).path, ==, "/abs/c.png");
    g_assert_cmpint(aimf_manifest_at(manifest, 1).group, ==, 0);
    g_assert_cmpstr(aimf_manifest_get(manifest, 0, "note"), ==, "say \"hi\", twice");
    g_assert_cmpstr(aimf_manifest_get(manifest, 1, "note"), ==, "two\r\nlines");
    g_assert_cmpstr(aimf_manifest_get(manifest, 2, "note"), ==, "");
    g_assert_null(aimf_manifest_get(manifest, 2, "weight"));
    g_assert_cmpint(aimf_manifest_classes(manifest), ==, 4);
    guint n;
    const char *const *labels = aimf_manifest_groups(manifest, &n);
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpstr(labels[0], ==, "a");
    g_assert_cmpstr(labels[1], ==, "b");
    g_autofree guint *counts = aimf_manifest_counts(manifest);
    static const guint EXPECTED[] = { 1, 0, 0, 1, 0, 0, 0, 1 };
    for (guint i = 0; i < G_N_ELEMENTS(EXPECTED); i++)
        g_assert_cmpuint(counts[i], ==, EXPECTED[i]);
    data_folder_free(folder);
}

static void test_round_trip(void)
{
    char *folder = data_folder_new();
    const char *text = "path,target,protected10,protected_by,protected,protected2\n"
                       "a.png,1,x,real,1,0\n"
                       "/abs/b.png,0,y,\"generated, mostly\",0,1\n"
                       "sub/c.png,0,x,,0,1\n";
    g_autofree char *path = data_write(folder, "m.csv", text);
    g_autofree char *copy = g_build_filename(folder, "copy.csv", NULL);
    g_autoptr(AimfManifest) manifest = open_good(path);
    /* By number, not by place in the header nor by bytes. */
    g_assert_cmpstr(aimf_manifest_at(manifest, 0).protected_label, ==, "1_0_x");
    g_assert_cmpstr(aimf_manifest_at(manifest, 1).protected_label, ==, "0_1_y");
    save_good(manifest, copy);
    expect_contents(copy, text);
    g_autoptr(AimfManifest) again = open_good(copy);
    g_autofree char *hash = aimf_manifest_hash(manifest);
    g_autofree char *same_hash = aimf_manifest_hash(again);
    g_assert_cmpstr(hash, ==, same_hash);

    const guint32 rows[] = { 2, 0 };
    g_autoptr(AimfManifest) subset = aimf_manifest_subset(manifest, rows, 2);
    g_autofree char *subset_path = g_build_filename(folder, "sub", "subset.csv", NULL);
    data_touch(folder, "sub/c.png");
    save_good(subset, subset_path);
    g_autofree char *expected = g_strdup_printf("path,target,protected10,protected_by,protected,protected2\n"
                                                "c.png,0,x,,0,1\n"
                                                "%s/a.png,1,x,real,1,0\n",
                                                folder);
    expect_contents(subset_path, expected);
    g_autofree char *other_hash = aimf_manifest_hash(subset);
    g_assert_cmpstr(hash, !=, other_hash);
    data_folder_free(folder);
}

static void test_build(void)
{
    char *folder = data_folder_new();
    g_autoptr(AimfManifest) manifest = aimf_manifest_new();
    g_assert_cmpint(aimf_manifest_classes(manifest), ==, 0);
    g_autofree char *path = g_build_filename(folder, "m.csv", NULL);
    save_good(manifest, path);
    expect_contents(path, "path,target,protected\n");
    g_autoptr(AimfManifest) empty = open_good(path);
    g_assert_cmpuint(aimf_manifest_count(empty), ==, 0);

    g_autofree char *inside = g_build_filename(folder, "in, side.png", NULL);
    aimf_manifest_add(manifest, inside, 0, "white");
    aimf_manifest_add(manifest, "/elsewhere/b.png", 1, "black");
    g_assert_cmpint(aimf_manifest_at(manifest, 0).group, ==, 1); /* "black" came before it in the order */
    g_assert_cmpint(aimf_manifest_at(manifest, 1).group, ==, 0);
    g_assert_cmpint(aimf_manifest_classes(manifest), ==, 2);
    aimf_manifest_set(manifest, 1, "source", "generated");
    aimf_manifest_add(manifest, "/elsewhere/c.png", 1, "asian");
    save_good(manifest, path);
    expect_contents(path, "path,target,protected,source\n"
                          "\"in, side.png\",0,white,\n"
                          "/elsewhere/b.png,1,black,generated\n"
                          "/elsewhere/c.png,1,asian,\n");
    data_folder_free(folder);
}

/* What may not be read, and what the message has to name. */
static void test_hostile(void)
{
    static const struct {
        const char *text;
        AimfErrorCode code;
        const char *says[2];
    } CASES[] = {
        { "", AIMF_ERROR_FORMAT, { "m.csv:1", "empty" } },
        { "\xEF\xBB\xBF", AIMF_ERROR_FORMAT, { "m.csv:1", "empty" } },
        { "path,target\na,1\n", AIMF_ERROR_NOT_FOUND, { "'protected'", "path, target" } },
        { "path,protected\n", AIMF_ERROR_NOT_FOUND, { "'target'", "path, protected" } },
        { "target,protected\n", AIMF_ERROR_NOT_FOUND, { "'path'", "target, protected" } },
        { "path,target,protected2\n", AIMF_ERROR_NOT_FOUND, { "'protected'", "protected2" } },
        { "path,target,protected,path\n", AIMF_ERROR_FORMAT, { "m.csv:1", "'path' is there twice" } },
        { "path,target,prot\xff"
          "ected\n",
          AIMF_ERROR_FORMAT,
          { "m.csv:1", "UTF-8" } },
        { "path,target,protected\na,1,0\nb,1\n", AIMF_ERROR_FORMAT, { "m.csv:3", "2 fields" } },
        { "path,target,protected\na,1,0,9\n", AIMF_ERROR_FORMAT, { "m.csv:2", "4 fields" } },
        { "path,target,protected\na,1,0\n,1,0\n", AIMF_ERROR_INVALID, { "m.csv:3", "'path'" } },
        { "path,target,protected\na,-1,0\n", AIMF_ERROR_INVALID, { "m.csv:2: column 'target'", "'-1'" } },
        { "path,target,protected\na,1.5,0\n", AIMF_ERROR_INVALID, { "m.csv:2: column 'target'", "'1.5'" } },
        { "path,target,protected\na,0x1,0\n", AIMF_ERROR_INVALID, { "m.csv:2: column 'target'", "'0x1'" } },
        { "path,target,protected\na,1 0,0\n", AIMF_ERROR_INVALID, { "m.csv:2: column 'target'", "'1 0'" } },
        { "path,target,protected\na,,0\n", AIMF_ERROR_INVALID, { "m.csv:2: column 'target'", "no value" } },
        { "path,target,protected\na,1000,0\n", AIMF_ERROR_INVALID, { "'target'", "999" } },
        { "path,target,protected\na,99999999999999999999,0\n", AIMF_ERROR_INVALID, { "m.csv:2", "'target'" } },
        { "path,target,protected\na,nan,0\n", AIMF_ERROR_INVALID, { "m.csv:2", "'nan'" } },
        { "path,target,protected\na,1,\n", AIMF_ERROR_INVALID, { "m.csv:2: column 'protected'", "no value" } },
        { "path,target,protected,protected2\na,1,1,\n", AIMF_ERROR_INVALID, { "column 'protected2'", "m.csv:2" } },
        { "path,target,protected\na,1,\xff\n", AIMF_ERROR_FORMAT, { "m.csv:2: column 'protected'", "UTF-8" } },
        { "path,target,protected\n\"a,1,0\n", AIMF_ERROR_FORMAT, { "m.csv:2", "closing quote" } },
        { "path,target,protected\n\"a\nb\"c,1,0\n", AIMF_ERROR_FORMAT, { "m.csv:2", "closing quote" } },
        { "path,target,protected\na\"b,1,0\n", AIMF_ERROR_FORMAT, { "m.csv:2", "quote" } },
        { "path,target,protected\ra,1,0\n", AIMF_ERROR_FORMAT, { "m.csv:1", "carriage return" } },
        { "path,target,protected\n\"a\nb\",1,0\nc,x,0\n", AIMF_ERROR_INVALID, { "m.csv:4", "'x'" } },
    };
    char *folder = data_folder_new();
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autofree char *path = data_write(folder, "m.csv", CASES[i].text);
        g_autoptr(GError) error = NULL;
        g_assert_null(aimf_manifest_open(path, &error));
        data_expect_error(&error, CASES[i].code, CASES[i].says[0], CASES[i].says[1], NULL);
    }
    data_folder_free(folder);
}

static void expect_bytes_refused(const char *folder, const char *bytes, gsize n, const char *says)
{
    g_autofree char *path = data_write_bytes(folder, "m.csv", bytes, n);
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_manifest_open(path, &error));
    data_expect_error(&error, AIMF_ERROR_FORMAT, "m.csv:", says, NULL);
}

static void test_bytes(void)
{
    char *folder = data_folder_new();
    static const char NUL_BARE[] = "path,target,protected\na\0b,1,0\n";
    static const char NUL_QUOTED[] = "path,target,protected\n\"a\0b\",1,0\n";
    expect_bytes_refused(folder, NUL_BARE, sizeof NUL_BARE - 1, "NUL");
    expect_bytes_refused(folder, NUL_QUOTED, sizeof NUL_QUOTED - 1, "NUL");

    /* Overlong: a bare field, a quote that never closes, and far too many columns. */
    enum { LONG = 3 << 20 };
    g_autofree char *text = g_malloc(LONG);
    memset(text, 'x', LONG);
    expect_bytes_refused(folder, text, LONG, "1 MiB");
    text[0] = '"';
    expect_bytes_refused(folder, text, LONG, "1 MiB");
    memset(text, ',', LONG);
    expect_bytes_refused(folder, text, LONG, "4096 columns");
    data_folder_free(folder);
}

/* A number in place of a label would make as many groups as rows. */
static void test_too_many_labels(void)
{
    char *folder = data_folder_new();
    GString *text = g_string_new("path,target,protected\n");
    for (int i = 0; i <= AIMF_MAX_LABELS; i++)
        g_string_append_printf(text, "%d.png,0,%d\n", i, i);
    g_autofree char *path = data_write(folder, "m.csv", text->str);
    g_string_free(text, TRUE);
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_manifest_open(path, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "m.csv:1002", "'protected'", NULL);
    data_folder_free(folder);
}

static void test_files(void)
{
    char *folder = data_folder_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *nowhere = g_build_filename(folder, "no", "m.csv", NULL);
    g_assert_null(aimf_manifest_open(nowhere, &error));
    data_expect_error(&error, AIMF_ERROR_NOT_FOUND, nowhere, NULL);
    g_assert_null(aimf_manifest_open(folder, &error));
    data_expect_error(&error, AIMF_ERROR_NOT_FOUND, folder, NULL);
    g_autoptr(AimfManifest) manifest = aimf_manifest_new();
    aimf_manifest_add(manifest, "a.png", 0, "0");
    g_assert_false(aimf_manifest_save(manifest, folder, &error));
    data_expect_error(&error, AIMF_ERROR_NOT_FOUND, folder, NULL);
    g_assert_false(aimf_manifest_save(manifest, nowhere, &error));
    data_expect_error(&error, AIMF_ERROR_NOT_FOUND, nowhere, NULL);
    data_folder_free(folder);
}

/* Whatever is cut off a good file, the rest is read or refused, never more than it says. */
static void test_truncated(void)
{
    static const char TEXT[] = "path,target,protected\r\n\"a \"\"x\"\"\",1,0\r\nb,0,1\r\n";
    char *folder = data_folder_new();
    for (gsize n = 0; n < sizeof TEXT; n++) {
        g_autofree char *path = data_write_bytes(folder, "m.csv", TEXT, n);
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfManifest) manifest = aimf_manifest_open(path, &error);
        g_assert_true(!manifest == !!error);
        if (manifest)
            g_assert_cmpuint(aimf_manifest_count(manifest), <=, 2);
    }
    data_folder_free(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/manifest/rfc4180", test_rfc4180);
    g_test_add_func("/manifest/round-trip", test_round_trip);
    g_test_add_func("/manifest/build", test_build);
    g_test_add_func("/manifest/hostile", test_hostile);
    g_test_add_func("/manifest/bytes", test_bytes);
    g_test_add_func("/manifest/too-many-labels", test_too_many_labels);
    g_test_add_func("/manifest/files", test_files);
    g_test_add_func("/manifest/truncated", test_truncated);
    return g_test_run();
}
