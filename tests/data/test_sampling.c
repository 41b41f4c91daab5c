/*
 * Biased sampling against the original algorithm (tests/golden/make_sampling.py), and seeded draws against what they
 * promise.
 */
#include "data/support_data.h"

#include "base/random.h"
#include <string.h>

static char **golden_lines(const char *name)
{
    g_autofree char *path = g_build_filename(GOLDEN_DIR, "sampling", name, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return g_strsplit(g_strchomp(text), "\n", -1);
}

static double bias_of(const char *text)
{
    g_autoptr(GError) error = NULL;
    double bias = -1;
    aimf_bias_parse(text, &bias, &error);
    g_assert_no_error(error);
    return bias;
}

static guint size_of(double bias, guint count, int target, const char *label)
{
    g_autoptr(GError) error = NULL;
    guint size = 0;
    aimf_bias_count(bias, count, target, label, &size, &error);
    g_assert_no_error(error);
    return size;
}

static guint number(const char *text)
{
    return (guint)g_ascii_strtoull(text, NULL, 10);
}

static void test_sizes(void)
{
    g_auto(GStrv) lines = golden_lines("sizes.csv");
    guint n = 0;
    for (char **line = lines + 1; *line; line++, n++) {
        g_auto(GStrv) f = g_strsplit(*line, ",", -1);
        double bias = bias_of(f[0]);
        g_assert_cmpuint(size_of(bias, number(f[1]), 0, "0"), ==, number(f[2]));
        g_assert_cmpuint(size_of(bias, number(f[1]), 0, "1"), ==, number(f[3]));
        g_assert_cmpuint(size_of(bias, number(f[1]), 1, "0"), ==, number(f[4]));
        g_assert_cmpuint(size_of(bias, number(f[1]), 1, "1"), ==, number(f[5]));
    }
    g_assert_cmpuint(n, ==, 160);
}

/* Taken alone, every one of several attributes has the table of the single case. */
static void test_sizes_of_several(void)
{
    double bias = bias_of("1/9");
    static const char *const LABELS[] = { "0_0", "0_1", "1_0", "1_1" };
    static const guint EXPECTED[] = { 100, 900, 900, 8100, 8100, 900, 900, 100 };
    for (int target = 0; target < 2; target++)
        for (int i = 0; i < 4; i++)
            g_assert_cmpuint(size_of(bias, 20000, target, LABELS[i]), ==, EXPECTED[4 * target + i]);
}

static void test_wrong_bias(void)
{
    static const char *const TEXTS[] = { "",    "1/",  "/9",    "1/0",  "-1/9", "1/-9",
                                         "nan", "inf", "1e400", "1/9x", "a",    "1/9/2" };
    for (gsize i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
        g_autoptr(GError) error = NULL;
        double bias;
        g_assert_false(aimf_bias_parse(TEXTS[i], &bias, &error));
        data_expect_error(&error, AIMF_ERROR_INVALID, "1/9", NULL);
    }
    static const char *const LABELS[] = { "", "2", "White", "0_", "_0", "00", "0_1_0_1_0_1_0_1_0" };
    for (gsize i = 0; i < G_N_ELEMENTS(LABELS); i++) {
        g_autoptr(GError) error = NULL;
        guint size;
        g_assert_false(aimf_bias_count(0.1, 100, 0, LABELS[i], &size, &error));
        data_expect_error(&error, AIMF_ERROR_INVALID, LABELS[i], NULL);
    }
    g_autoptr(GError) error = NULL;
    guint size;
    g_assert_false(aimf_bias_count(0.1, 100, 2, "0", &size, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "target", NULL);
}

/* --- CelebA --- */

/* A CelebA folder with the golden table in the form @name; the files are empty, for no picture may be opened. */
static char *celeba_folder(const char *name)
{
    char *folder = data_folder_new();
    g_auto(GStrv) table = golden_lines("list_attr_celeba.csv");
    g_auto(GStrv) absent = golden_lines("absent.txt");
    for (char **line = table + 1; *line; line++) {
        g_autofree char *image = g_strndup(*line, strcspn(*line, ","));
        g_autofree char *path = g_build_filename("img_align_celeba", image, NULL);
        if (!g_strv_contains((const char *const *)absent, image))
            data_touch(folder, path);
    }
    g_auto(GStrv) lines = golden_lines(name);
    g_autofree char *text = g_strjoinv("\n", lines);
    g_free(data_write(folder, name, text));
    return folder;
}

static void expect_golden_train(const AimfManifest *train, char **lines, guint wanted)
{
    guint at = 0;
    for (char **line = lines + 1; *line; line++) {
        g_auto(GStrv) f = g_strsplit(*line, ",", -1);
        if (number(f[0]) != wanted)
            continue;
        g_assert_cmpuint(at, <, aimf_manifest_count(train));
        g_autofree char *name = g_path_get_basename(aimf_manifest_at(train, at++).path);
        g_assert_cmpstr(name, ==, f[5]);
    }
    g_assert_cmpuint(at, ==, aimf_manifest_count(train));
}

static void free_parts(AimfManifest *parts[AIMF_N_PARTS])
{
    for (int i = 0; i < AIMF_N_PARTS; i++)
        aimf_manifest_free(parts[i]);
}

static void test_celeba(gconstpointer form)
{
    char *folder = celeba_folder(form);
    g_auto(GStrv) lines = golden_lines("samples.csv");
    guint n_cases = 0;
    for (char **line = lines + 1; *line; line++) {
        g_auto(GStrv) f = g_strsplit(*line, ",", -1);
        if (number(f[0]) < n_cases)
            continue;
        g_autoptr(GError) error = NULL;
        AimfDatasetOptions options = { .root = folder, .target = f[1], .protected_attributes = f[2] };
        g_autoptr(AimfDataset) dataset = aimf_dataset_open("celeba", &options, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(dataset->n_missing, ==, 60);
        AimfSplitOptions split = { .biased = TRUE, .bias = bias_of(f[3]), .count = number(f[4]) };
        AimfManifest *parts[AIMF_N_PARTS];
        aimf_dataset_split(dataset, &split, NULL, parts, &error);
        g_assert_no_error(error);
        expect_golden_train(parts[AIMF_PART_TRAIN], lines, n_cases++);
        free_parts(parts);
    }
    g_assert_cmpuint(n_cases, ==, 6);
    data_folder_free(folder);
}

/* Without a bias all of each range is taken; the borders are 162770 and 182637. */
static void test_celeba_ranges(void)
{
    char *folder = celeba_folder("list_attr_celeba.txt");
    g_autoptr(GError) error = NULL;
    AimfDatasetOptions options = { .root = folder, .target = "blondhair", .protected_attributes = "Female, young" };
    g_autoptr(AimfDataset) dataset = aimf_dataset_open("celeba", &options, NULL, &error);
    g_assert_no_error(error);
    AimfManifest *parts[AIMF_N_PARTS];
    aimf_dataset_split(dataset, &(AimfSplitOptions){ 0 }, NULL, parts, &error);
    g_assert_no_error(error);
    guint seen[AIMF_N_PARTS] = { 0 }, n_labels;
    for (guint part = 0; part < AIMF_N_PARTS; part++) {
        seen[part] = aimf_manifest_count(parts[part]);
        for (guint i = 0; i < seen[part]; i++) {
            g_autofree char *name = g_path_get_basename(aimf_manifest_at(parts[part], i).path);
            g_assert_cmpuint(number(name) <= 162770 ? 0 : number(name) <= 182637 ? 1 : 2, ==, part);
        }
    }
    g_assert_cmpuint(seen[0] + seen[1] + seen[2], ==, 360 - 60);
    g_assert_cmpuint(MIN(seen[1], seen[2]), >, 10);
    const char *const *labels = aimf_manifest_groups(dataset->samples, &n_labels);
    g_assert_cmpuint(n_labels, ==, 4);
    g_assert_cmpstr(labels[2], ==, "1_0");
    free_parts(parts);
    AimfSplitOptions drawn = { .val_per_group = 1 };
    g_assert_false(aimf_dataset_split(dataset, &drawn, NULL, parts, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "official split", NULL);
    AimfSplitOptions greedy = { .biased = TRUE, .bias = 1. / 9, .count = 20000 };
    g_assert_false(aimf_dataset_split(dataset, &greedy, NULL, parts, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "group 0_0_0", "100 images", NULL);
    data_folder_free(folder);
}

/* --- Seeded draws --- */

static AimfManifest *pool_of(guint per_group)
{
    AimfManifest *pool = aimf_manifest_new();
    for (guint i = 0; i < 4 * per_group; i++) {
        g_autofree char *path = g_strdup_printf("/pool/%05u.png", i);
        aimf_manifest_add(pool, path, (int)(i & 1), i & 2 ? "1" : "0");
    }
    return pool;
}

/* Names of the images in @manifest, which must be in the order of the pool. */
static GHashTable *names_of(const AimfManifest *manifest)
{
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const char *last = "";
    for (guint i = 0; i < aimf_manifest_count(manifest); i++) {
        const char *path = aimf_manifest_at(manifest, i).path;
        g_assert_cmpstr(last, <, path);
        g_hash_table_add(names, g_strdup(path));
        last = path;
    }
    return names;
}

static gboolean overlap(GHashTable *a, GHashTable *b)
{
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init(&iter, a);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (g_hash_table_contains(b, name))
            return TRUE;
    return FALSE;
}

static void expect_counts(const AimfManifest *manifest, const guint expected[4])
{
    g_autofree guint *counts = aimf_manifest_counts(manifest);
    for (int g = 0; g < 4; g++)
        g_assert_cmpuint(counts[g], ==, expected[g]);
}

static void test_split(void)
{
    AimfDataset dataset = { .samples = pool_of(100) };
    g_autoptr(GError) error = NULL;
    char *test_hash = NULL;
    static const guint TRAIN[][4] = { { 4, 36, 36, 4 }, { 6, 54, 54, 6 } };
    for (guint round = 0; round < 2; round++) {
        AimfSplitOptions options = {
            .biased = TRUE,
            .bias = 1. / 9,
            .count = round ? 120 : 80,
            .val_per_group = round ? 10 : 25,
            .test_per_group = 30,
            .seed = 5,
        };
        AimfManifest *parts[AIMF_N_PARTS];
        aimf_dataset_split(&dataset, &options, NULL, parts, &error);
        g_assert_no_error(error);
        guint val = options.val_per_group;
        expect_counts(parts[AIMF_PART_TRAIN], TRAIN[round]);
        expect_counts(parts[AIMF_PART_VAL], (const guint[]){ val, val, val, val });
        expect_counts(parts[AIMF_PART_TEST], (const guint[]){ 30, 30, 30, 30 });
        g_autoptr(GHashTable) train = names_of(parts[AIMF_PART_TRAIN]);
        g_autoptr(GHashTable) validation = names_of(parts[AIMF_PART_VAL]);
        g_autoptr(GHashTable) test = names_of(parts[AIMF_PART_TEST]);
        g_assert_false(overlap(train, validation) || overlap(train, test) || overlap(validation, test));
        /* The test set does not move when the others change their size. */
        g_autofree char *hash = aimf_manifest_hash(parts[AIMF_PART_TEST]);
        if (round)
            g_assert_cmpstr(hash, ==, test_hash);
        else
            test_hash = g_steal_pointer(&hash);
        free_parts(parts);
    }
    g_free(test_hash);
    aimf_manifest_free(dataset.samples);
}

static void test_split_short(void)
{
    AimfDataset dataset = { .samples = pool_of(10) };
    AimfManifest *parts[AIMF_N_PARTS];
    g_autoptr(GError) error = NULL;
    AimfSplitOptions options = { .val_per_group = 6, .test_per_group = 5 };
    g_assert_false(aimf_dataset_split(&dataset, &options, NULL, parts, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "group 0_0", "11 images", "5 for testing", "10 there are", NULL);
    options = (AimfSplitOptions){ .biased = TRUE, .bias = 1, .count = 41 };
    g_assert_true(aimf_dataset_split(&dataset, &options, NULL, parts, &error)); /* 10.25 each */
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_manifest_count(parts[AIMF_PART_TRAIN]), ==, 40);
    g_assert_cmpuint(aimf_manifest_count(parts[AIMF_PART_TEST]), ==, 0);
    free_parts(parts);
    options = (AimfSplitOptions){ .val_per_group = G_MAXUINT, .test_per_group = G_MAXUINT };
    g_assert_false(aimf_dataset_split(&dataset, &options, NULL, parts, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "too many", NULL);
    aimf_manifest_free(dataset.samples);
}

/* The order of each group's images, drawn again from the generator's definition, without the code under test. */
static void test_balanced(void)
{
    g_autoptr(AimfManifest) pool = pool_of(50);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfManifest) drawn = aimf_manifest_draw_balanced(pool, 20, 9, &error);
    g_assert_no_error(error);
    expect_counts(drawn, (const guint[]){ 20, 20, 20, 20 });
    g_autoptr(GHashTable) names = names_of(drawn);
    for (guint g = 0; g < 4; g++) {
        guint target = g / 2, label = g % 2;
        guint32 order[50];
        for (guint32 i = 0; i < 50; i++)
            order[i] = 4 * i + 2 * label + target;
        AimfRandom random = aimf_random_at(9, AIMF_STREAM_SPLIT, (guint64)1 << 32 | g);
        for (guint n = 50; n > 1; n--) {
            guint32 other = (guint32)aimf_random_below(&random, n), kept = order[n - 1];
            order[n - 1] = order[other];
            order[other] = kept;
        }
        for (guint i = 0; i < 50; i++) {
            g_autofree char *path = g_strdup_printf("/pool/%05u.png", order[i]);
            g_assert_cmpint(g_hash_table_contains(names, path), ==, i < 20);
        }
    }
    g_autoptr(AimfManifest) other = aimf_manifest_draw_balanced(pool, 20, 10, &error);
    g_autofree char *hash = aimf_manifest_hash(drawn);
    g_autofree char *other_hash = aimf_manifest_hash(other);
    g_assert_cmpstr(hash, !=, other_hash);
    g_assert_null(aimf_manifest_draw_balanced(pool, 51, 9, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "group 0_0", "51 images", "50 there are", NULL);
}

static void test_biased(void)
{
    g_autoptr(AimfManifest) pool = pool_of(450);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfManifest) drawn = aimf_manifest_draw_biased(pool, bias_of("1/9"), 1000, 1, &error);
    g_assert_no_error(error);
    expect_counts(drawn, (const guint[]){ 50, 450, 450, 50 });
    g_autoptr(GHashTable) names = names_of(drawn);
    g_assert_cmpuint(g_hash_table_size(names), ==, 1000);
    g_assert_null(aimf_manifest_draw_biased(pool, bias_of("1/9"), 1100, 1, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "group 0_1", "495 images", "450 there are", NULL);

    g_autoptr(AimfManifest) one_sided = aimf_manifest_new();
    for (int i = 0; i < 100; i++)
        aimf_manifest_add(one_sided, "/x.png", i % 2, "0");
    g_assert_null(aimf_manifest_draw_biased(one_sided, 1, 8, 1, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "group 0_1", "2 images", "0 there are", NULL);
    aimf_manifest_add(one_sided, "/x.png", 2, "0");
    g_assert_null(aimf_manifest_draw_biased(one_sided, 1, 8, 1, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "target of 0 or 1", NULL);
    g_autoptr(AimfManifest) mixed = aimf_manifest_new();
    aimf_manifest_add(mixed, "/x.png", 0, "0");
    aimf_manifest_add(mixed, "/x.png", 0, "0_1");
    g_assert_null(aimf_manifest_draw_biased(mixed, 1, 8, 1, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "'0_1'", NULL);
    g_autoptr(AimfManifest) empty = aimf_manifest_new();
    g_assert_null(aimf_manifest_draw_biased(empty, 1, 8, 1, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "no images", NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sampling/sizes", test_sizes);
    g_test_add_func("/sampling/sizes-of-several", test_sizes_of_several);
    g_test_add_func("/sampling/wrong-bias", test_wrong_bias);
    g_test_add_data_func("/sampling/celeba-text", "list_attr_celeba.txt", test_celeba);
    g_test_add_data_func("/sampling/celeba-csv", "list_attr_celeba.csv", test_celeba);
    g_test_add_func("/sampling/celeba-ranges", test_celeba_ranges);
    g_test_add_func("/sampling/split", test_split);
    g_test_add_func("/sampling/split-short", test_split_short);
    g_test_add_func("/sampling/balanced", test_balanced);
    g_test_add_func("/sampling/biased", test_biased);
    return g_test_run();
}
