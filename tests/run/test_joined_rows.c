/* Rows of predictions and the pictures that they are of. */
#include "run/joined_rows.h"

#include <string.h>

/* (owned) pictures of class 0, female, at @paths, NULL-terminated. */
static AimfManifest *manifest_of(const char *const *paths)
{
    AimfManifest *manifest = aimf_manifest_new();
    for (; *paths; paths++)
        aimf_manifest_add(manifest, *paths, 0, "female");
    return manifest;
}

static char *labels[] = { "female", NULL };

/* What is asked about, as "1 2"; "-N" where outcome N has no row. */
static void expect(const char *const *pictures, const char *const *judged, const char *expected)
{
    g_autoptr(AimfManifest) manifest = manifest_of(pictures);
    guint n = g_strv_length((char **)(gsize)judged), failed = 0;
    g_autofree int *zeros = g_new0(int, n + 1);
    const AimfOutcomes outcomes = {
        .n = n, .paths = (char **)(gsize)judged, .target = zeros, .group = zeros, .labels = labels
    };
    g_autofree guint32 *rows = aimf_run_join_rows(&outcomes, manifest, &failed);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; rows && i < n; i++)
        g_string_append_printf(text, "%s%u", i ? " " : "", rows[i]);
    if (!rows)
        g_string_append_printf(text, "-%u", failed);
    g_assert_cmpstr(text->str, ==, expected);
}
#define PATHS(...)                                                                                                     \
    (const char *const[])                                                                                              \
    {                                                                                                                  \
        __VA_ARGS__, NULL                                                                                              \
    }

static void test_same(void)
{
    expect(PATHS("a/1.png", "a/2.png"), PATHS("a/1.png", "a/2.png"), "0 1");
    expect(PATHS("run/shared/data/../x/1.png", "run/shared/data/../x/2.png"), PATHS("x/1.png", "x/2.png"), "0 1");
    expect(PATHS("a/1.png", "a/1.png", "a/1.png"), PATHS("a/1.png", "a/1.png"), "0 1");
}

/* Of pictures that were passed over there is no row, and another's is not taken for it. */
static void test_skipped(void)
{
    expect(PATHS("a/1.png", "b/1.png", "c/2.png"), PATHS("b/1.png", "c/2.png"), "1 2");
    expect(PATHS("/new/a/1.png", "/new/b/1.png", "/new/c/2.png"), PATHS("/old/b/1.png", "/old/c/2.png"), "1 2");
    expect(PATHS("/new/a/x/1.png", "/new/b/x/1.png", "/new/c/x/1.png"), PATHS("/old/a/x/1.png", "/old/c/x/1.png"),
           "0 2");
    expect(PATHS("ab/1.png", "b/1.png"), PATHS("b/1.png"), "1");
    expect(PATHS("b/11.png", "b/1.png"), PATHS("1.png"), "1");
}

static void test_none(void)
{
    expect(PATHS("a/1.png", "a/2.png"), PATHS("a/1.png", "a/3.png"), "-1");
    expect(PATHS("a/1.png", "a/2.png"), PATHS("a/2.png", "a/1.png"), "-0");
    expect(PATHS("a/1.png"), PATHS("a/1.png", "a/1.png"), "-0");
    g_autoptr(AimfManifest) manifest = manifest_of(PATHS("a/1.png"));
    char *others[] = { "male", NULL };
    int zero = 0, one = 1;
    AimfOutcomes outcomes = { .n = 1, .target = &zero, .group = &zero, .labels = others };
    g_assert_null(aimf_run_join_rows(&outcomes, manifest, NULL));
    outcomes.labels = labels;
    g_autofree guint32 *rows = aimf_run_join_rows(&outcomes, manifest, NULL);
    g_assert_nonnull(rows);
    outcomes.target = &one;
    g_assert_null(aimf_run_join_rows(&outcomes, manifest, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/joined_rows/same", test_same);
    g_test_add_func("/joined_rows/skipped", test_skipped);
    g_test_add_func("/joined_rows/none", test_none);
    return g_test_run();
}
