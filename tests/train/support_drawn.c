#include "train/support_drawn.h"

#include "base/random.h"

#include <aimfair/image.h>
#include <glib/gstdio.h>

enum { SIDE = 32, RADIUS = 10 };

/* @bright: the disc; @reddish: the ground */
static void draw(AimfRandom *random, gboolean bright, gboolean reddish, const char *path)
{
    GError *error = NULL;
    g_autoptr(AimfImage) image = aimf_image_new(SIDE, SIDE, &error);
    g_assert_no_error(error);
    int left = (int)aimf_random_below(random, 6) + SIDE / 2 - 3, top = (int)aimf_random_below(random, 6) + SIDE / 2 - 3;
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            guint8 *pixel = image->data + (y * SIDE + x) * 3;
            gboolean inside = (x - left) * (x - left) + (y - top) * (y - top) < RADIUS * RADIUS;
            for (int c = 0; c < 3; c++) {
                double ground = reddish && c == 0 ? 150 : 110;
                double value = inside ? (bright ? 220 : 20) : ground;
                pixel[c] = (guint8)CLAMP(value + 15 * aimf_random_normal(random), 0, 255);
            }
        }
    }
    aimf_image_save(image, path, &error);
    g_assert_no_error(error);
}

char *support_drawn_set(const char *folder, const char *name, guint n, double bias)
{
    g_autoptr(AimfManifest) manifest = aimf_manifest_new();
    for (guint i = 0; i < n; i++) {
        AimfRandom random = aimf_random_at(g_str_hash(name), AIMF_STREAM_TEST, i);
        gboolean target = i % 2, same = aimf_random_uniform(&random) < bias;
        gboolean reddish = same ? target : aimf_random_below(&random, 2) == 1;
        g_autofree char *file = g_strdup_printf("%s/%s_%u.png", folder, name, i);
        draw(&random, target, reddish, file);
        aimf_manifest_add(manifest, file, target, reddish ? "1" : "0");
    }
    GError *error = NULL;
    g_autofree char *file = g_strconcat(name, ".csv", NULL);
    char *path = g_build_filename(folder, file, NULL);
    aimf_manifest_save(manifest, path, &error);
    g_assert_no_error(error);
    return path;
}

AimfManifest *support_drawn_manifest(const char *folder, const char *name, guint n)
{
    GError *error = NULL;
    g_autofree char *path = support_drawn_set(folder, name, n, 0.5);
    AimfManifest *manifest = aimf_manifest_open(path, &error);
    g_assert_no_error(error);
    return manifest;
}

char *support_drawn_folder(void)
{
    GError *error = NULL;
    char *folder = g_dir_make_tmp("aimfair-train-XXXXXX", &error);
    g_assert_no_error(error);
    return folder;
}

void support_drawn_remove(const char *folder)
{
    GDir *directory = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(directory));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_dir_close(directory);
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

AimfModel *support_drawn_train(const AimfManifest *train, const AimfManifest *validation,
                               const AimfTrainOptions *options, AimfTrainResult *result)
{
    GError *error = NULL;
    AimfModel *model = aimf_model_new("resnet18", 32, 1, 1, NULL);
    aimf_train(model, train, validation, options, NULL, result, &error);
    g_assert_no_error(error);
    return model;
}
