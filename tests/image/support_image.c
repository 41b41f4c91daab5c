#include "image/support_image.h"

#include "base/file.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

AimfImage *test_noise(guint64 index, int width, int height, gboolean extremes)
{
    AimfImage *image = aimf_image_new(width, height, NULL);
    AimfRandom random = aimf_random_at(1, AIMF_STREAM_TEST, index);
    for (gsize i = 0; i < (gsize)width * (gsize)height * 3; i++) {
        guint32 word = aimf_random_u32(&random);
        image->data[i] = (guint8)(extremes ? 255 * (word & 1) : word & 255);
    }
    return image;
}

AimfImage *test_portrait(guint64 index, int width, int height)
{
    AimfImage *image = aimf_image_new(width, height, NULL);
    AimfRandom random = aimf_random_at(2, AIMF_STREAM_TEST, index);
    guint8 *sample = image->data;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++) {
                double shade = 128 + 90 * sin((x + 40 * c) * 0.03) * cos((y - 20 * c) * 0.02);
                *sample++ = (guint8)CLAMP(shade + 6 * aimf_random_normal(&random), 0, 255);
            }
    return image;
}

GBytes *test_golden(const char *name)
{
    g_autofree char *path = g_build_filename(GOLDEN_DIR, "image", name, NULL);
    g_autoptr(GError) error = NULL;
    GBytes *bytes = aimf_file_read(path, 1 << 20, &error);
    g_assert_no_error(error);
    return bytes;
}

static void free_row(gpointer row)
{
    g_strfreev(row);
}

GPtrArray *test_golden_rows(const char *name)
{
    g_autoptr(GBytes) bytes = test_golden(name);
    g_auto(GStrv) lines = g_strsplit(g_bytes_get_data(bytes, NULL), "\n", -1);
    GPtrArray *rows = g_ptr_array_new_with_free_func(free_row);
    for (char **line = lines; *line; line++)
        if (**line && **line != '#')
            g_ptr_array_add(rows, g_strsplit(*line, " ", -1));
    g_assert_cmpuint(rows->len, >, 0);
    return rows;
}

gboolean test_images_equal(const AimfImage *a, const AimfImage *b)
{
    return a->width == b->width && a->height == b->height &&
           memcmp(a->data, b->data, (gsize)a->width * (gsize)a->height * 3) == 0;
}

char *test_sha256(const void *data, gsize bytes)
{
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, bytes);
}

char *test_folder(void)
{
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp("aimfair-image-XXXXXX", &error);
    g_assert_no_error(error);
    return folder;
}
