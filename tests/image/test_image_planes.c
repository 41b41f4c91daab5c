#include "image/support_image.h"

#include <math.h>
#include <stdlib.h>

static void test_torchvision(void)
{
    g_autoptr(GPtrArray) rows = test_golden_rows("planes.txt");
    for (guint r = 0; r < rows->len; r++) {
        char **row = rows->pdata[r];
        int n[9];
        float norm[6];
        for (int i = 0; i < 9; i++)
            n[i] = atoi(row[i]);
        for (int i = 0; i < 6; i++)
            norm[i] = (float)g_ascii_strtod(row[9 + i], NULL);
        g_autoptr(AimfImage) image = test_noise((guint64)n[0], n[1], n[2], FALSE);
        AimfBox box = { n[3], n[4], n[5], n[6] };
        gsize count = 3 * (gsize)n[8] * (gsize)n[8];
        g_autofree float *planes = g_new(float, count);
        g_autoptr(GError) error = NULL;
        g_assert_true(aimf_image_to_planes(image, &box, n[7], n[8], norm, norm + 3, planes, &error));
        g_assert_no_error(error);
        g_autofree char *digest = test_sha256(planes, count * sizeof(float));
        g_assert_cmpstr(digest, ==, row[15]);
    }
}

/* The whole picture when there is no box; against the public resize and the definition, at the network's size. */
static void test_whole_picture(void)
{
    enum { SIZE = 224 };
    static const float mean[3] = { 0.485f, 0.456f, 0.406f }, std[3] = { 0.229f, 0.224f, 0.225f };
    g_autoptr(AimfImage) image = test_portrait(1, 178, 218);
    g_autoptr(AimfImage) resized = aimf_image_resize(image, NULL, SIZE, SIZE, AIMF_BILINEAR, NULL);
    g_autofree float *planes = g_new(float, 3 * SIZE * SIZE);
    for (int flip = 0; flip < 2; flip++) {
        g_assert_true(aimf_image_to_planes(image, NULL, flip, SIZE, mean, std, planes, NULL));
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++)
                for (int c = 0; c < 3; c++) {
                    guint8 value = resized->data[(y * SIZE + (flip ? SIZE - 1 - x : x)) * 3 + c];
                    g_assert_true(planes[(c * SIZE + y) * SIZE + x] == ((float)value / 255.0f - mean[c]) / std[c]);
                }
    }
}

static void check_invalid(const AimfBox *box, int size, float mean, float std)
{
    g_autoptr(AimfImage) image = test_noise(0, 20, 10, FALSE);
    g_autoptr(GError) error = NULL;
    float means[3] = { 0, 0, mean }, stds[3] = { 1, 1, std }, planes[3];
    g_assert_false(aimf_image_to_planes(image, box, FALSE, size, means, stds, planes, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
}

static void test_invalid(void)
{
    check_invalid(&(AimfBox){ 0, 0, 21, 10 }, 1, 0, 1);
    check_invalid(NULL, 0, 0, 1);
    check_invalid(NULL, -4, 0, 1);
    check_invalid(NULL, G_MAXINT, 0, 1);
    check_invalid(NULL, 1, 0, 0);
    check_invalid(NULL, 1, NAN, 1);
    check_invalid(NULL, 1, 0, INFINITY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image/planes/torchvision", test_torchvision);
    g_test_add_func("/image/planes/whole-picture", test_whole_picture);
    g_test_add_func("/image/planes/invalid", test_invalid);
    return g_test_run();
}
