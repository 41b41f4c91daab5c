#include "portraits/portrait_set.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static const gsize N_BYTES = (gsize)AIMF_PORTRAIT_PX * AIMF_PORTRAIT_PX * 3;

static AimfImage *paint(guint64 seed, guint64 index, AimfLook look, gboolean smiling, gboolean bearded)
{
    g_autoptr(GError) error = NULL;
    AimfPortrait portrait = aimf_portrait_draw(seed, index, look, smiling, bearded);
    AimfImage *image = aimf_portrait_paint(&portrait, &error);
    g_assert_no_error(error);
    g_assert_cmpint(image->width, ==, AIMF_PORTRAIT_PX);
    g_assert_cmpint(image->height, ==, AIMF_PORTRAIT_PX);
    return image;
}

static void test_reproducible(void)
{
    for (int look = 0; look < 2; look++) {
        g_autoptr(AimfImage) first = paint(3, 5, (AimfLook)look, TRUE, FALSE);
        g_autoptr(AimfImage) again = paint(3, 5, (AimfLook)look, TRUE, FALSE);
        g_autoptr(AimfImage) other_seed = paint(4, 5, (AimfLook)look, TRUE, FALSE);
        g_autoptr(AimfImage) other_index = paint(3, 6, (AimfLook)look, TRUE, FALSE);
        g_assert_true(memcmp(first->data, again->data, N_BYTES) == 0);
        g_assert_true(memcmp(first->data, other_seed->data, N_BYTES) != 0);
        g_assert_true(memcmp(first->data, other_index->data, N_BYTES) != 0);
    }
}

/*
 * The label is the mouth, with a gap; nothing else on the face may tell the style of hair, nor hair and beard the
 * smile.
 */
static void test_labels(void)
{
    enum { N = 4000 };
    for (int look = 0; look < 2; look++) {
        double lowest_smile = INFINITY, highest_other = -INFINITY;
        double curve[2] = { 0 }, skin[2] = { 0 }, beard[2] = { 0 };
        for (guint i = 0; i < N; i++) {
            for (int label = 0; label < 2; label++) {
                AimfPortrait smile = aimf_portrait_draw(1, i, (AimfLook)look, TRUE, label);
                AimfPortrait bearded = aimf_portrait_draw(1, i, (AimfLook)look, label, TRUE);
                lowest_smile = fmin(lowest_smile, smile.mouth_curve);
                if (!label)
                    highest_other = fmax(highest_other, bearded.mouth_curve);
                curve[label] += smile.mouth_curve / N;
                skin[label] += smile.skin.green / N;
                beard[label] += bearded.beard_density / N;
            }
        }
        g_assert_cmpfloat(lowest_smile - highest_other, >, 0.4);
        /* Five standard errors of a difference of means: deviations are 0.13, 0.20 and 0.19. */
        g_assert_cmpfloat_with_epsilon(curve[0], curve[1], 5 * 0.13 * sqrt(2.0 / N));
        g_assert_cmpfloat_with_epsilon(skin[0], skin[1], 5 * 0.20 * sqrt(2.0 / N));
        g_assert_cmpfloat_with_epsilon(beard[0], beard[1], 5 * 0.19 * sqrt(2.0 / N));
    }
}

static guint count_colours(const AimfImage *image)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    for (gsize i = 0; i < N_BYTES; i += 3)
        g_hash_table_add(
            seen, GUINT_TO_POINTER((guint)image->data[i] << 16 | (guint)image->data[i + 1] << 8 | image->data[i + 2]));
    return g_hash_table_size(seen);
}

/* The two looks are two domains: the synthetic one is flat. */
static void test_looks(void)
{
    for (guint i = 0; i < 20; i++) {
        g_autoptr(AimfImage) photograph = paint(1, i, AIMF_LOOK_PHOTOGRAPH, i % 2, i / 2 % 2);
        g_autoptr(AimfImage) synthetic = paint(1, i, AIMF_LOOK_SYNTHETIC, i % 2, i / 2 % 2);
        g_assert_cmpuint(count_colours(photograph), >, 3 * count_colours(synthetic));
    }
}

typedef struct {
    char *directory;
} Place;

static void set_up(Place *place, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    place->directory = g_dir_make_tmp("aimfair-portraits-XXXXXX", &error);
    g_assert_no_error(error);
}

static void remove_tree(const char *path)
{
    GDir *directory = g_dir_open(path, 0, NULL);
    if (directory) {
        for (const char *name; (name = g_dir_read_name(directory));) {
            g_autofree char *entry = g_build_filename(path, name, NULL);
            remove_tree(entry);
        }
        g_dir_close(directory);
    }
    g_remove(path);
}

static void tear_down(Place *place, gconstpointer data)
{
    (void)data;
    remove_tree(place->directory);
    g_free(place->directory);
}

static const AimfPortraitSet SMALL[2] = {
    { .folder = "photographs", .look = AIMF_LOOK_PHOTOGRAPH, .first = 7, .count = { { 1, 2 }, { 3, 1 } } },
    { .folder = "synthetic", .look = AIMF_LOOK_SYNTHETIC, .count = { { 1, 1 }, { 1, 1 } } },
};

static void draw_small(const Place *place)
{
    g_autoptr(GError) error = NULL;
    for (int i = 0; i < 2; i++) {
        aimf_portrait_set_draw(&SMALL[i], place->directory, 1, NULL, &error);
        g_assert_no_error(error);
    }
}

static void test_set(Place *place, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    draw_small(place);
    static const guint some[2][2] = { { 1, 1 }, { 2, 0 } };
    g_autoptr(AimfManifest) manifest = aimf_portrait_set_manifest(&SMALL[0], place->directory, "some", some, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_manifest_count(manifest), ==, 4);
    g_assert_cmpuint(aimf_portrait_set_size(&SMALL[0]), ==, 7);

    g_autofree char *path = g_build_filename(place->directory, "some.csv", NULL);
    g_autoptr(AimfManifest) opened = aimf_manifest_open(path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_manifest_count(opened), ==, 4);
    guint counts[2][2] = { 0 }, n;
    const char *const *groups = aimf_manifest_groups(opened, &n);
    g_assert_cmpuint(n, ==, 2);
    g_assert_cmpstr(groups[0], ==, AIMF_PORTRAIT_HAIR[TRUE]);
    for (guint i = 0; i < 4; i++) {
        AimfSample sample = aimf_manifest_at(opened, i);
        counts[sample.target][strcmp(sample.protected_label, AIMF_PORTRAIT_HAIR[TRUE]) == 0]++;
        g_autoptr(AimfImage) image = aimf_image_open(sample.path, &error);
        g_assert_no_error(error);
        g_assert_cmpint(image->width, ==, AIMF_PORTRAIT_PX);
    }
    g_assert_true(memcmp(counts, some, sizeof some) == 0);
}

/* A synthetic picture on disk is the picture that was painted. */
static void test_lossless(Place *place, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    draw_small(place);
    g_autofree char *path = aimf_portrait_set_path(place->directory, &SMALL[1], 1, 0, 0);
    g_autoptr(AimfImage) read = aimf_image_open(path, &error);
    g_assert_no_error(error);
    g_autoptr(AimfImage) painted = paint(1, 0, AIMF_LOOK_SYNTHETIC, TRUE, FALSE);
    g_assert_true(memcmp(read->data, painted->data, N_BYTES) == 0);
}

static void test_failures(Place *place, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autofree char *file = g_build_filename(place->directory, "photographs", NULL);
    g_assert_true(g_file_set_contents(file, "in the way", -1, NULL));
    g_assert_false(aimf_portrait_set_draw(&SMALL[0], place->directory, 1, NULL, &error));
    g_assert_nonnull(strstr(error->message, file));
    g_clear_error(&error);

    static const volatile int stop = 1;
    const AimfMonitor monitor = { .stop = &stop };
    g_assert_false(aimf_portrait_set_draw(&SMALL[1], place->directory, 1, &monitor, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/portrait/reproducible", test_reproducible);
    g_test_add_func("/portrait/labels", test_labels);
    g_test_add_func("/portrait/looks", test_looks);
    g_test_add("/portrait/set", Place, NULL, set_up, test_set, tear_down);
    g_test_add("/portrait/lossless", Place, NULL, set_up, test_lossless, tear_down);
    g_test_add("/portrait/failures", Place, NULL, set_up, test_failures, tear_down);
    return g_test_run();
}
