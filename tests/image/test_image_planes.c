#include "image/support_image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
        AimfPreprocess preprocess = { .width = n[8], .height = n[8] };
        memcpy(preprocess.mean, norm, sizeof preprocess.mean);
        memcpy(preprocess.std, norm + 3, sizeof preprocess.std);
        g_assert_true(aimf_image_to_planes(image, &box, n[7], &preprocess, planes, &error));
        g_assert_no_error(error);
        g_autofree char *digest = test_sha256(planes, count * sizeof(float));
        g_assert_cmpstr(digest, ==, row[15]);
    }
}

static AimfPreprocess golden_preprocess(char **row)
{
    AimfPreprocess p = {
        .width = atoi(row[3]), .height = atoi(row[4]), .crop_first = atoi(row[5]), .resize = atoi(row[6])
    };
    const char *const names[] = { "interpolation", "resizer", "antialias" };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_true(aimf_preprocess_set(&p, names[i], row[7 + i], NULL));
    g_assert_true(aimf_preprocess_set(&p, "channel_order", row[11], NULL));
    g_assert_true(aimf_preprocess_set(&p, "value_range", row[12], NULL));
    for (int c = 0; c < 3; c++) {
        p.mean[c] = (float)g_ascii_strtod(row[13 + c], NULL);
        p.std[c] = (float)g_ascii_strtod(row[16 + c], NULL);
    }
    return p;
}

/* Floating-point tensors are not rounded, so PyTorch's own order of adding shows in the last bits. */
static void check_floats(const float *planes, gsize n, char **row, guint r)
{
    double sum = 0, scale = 0;
    for (gsize i = 0; i < n; i++) {
        sum += (double)planes[i];
        scale = MAX(scale, fabs((double)planes[i]));
    }
    const double found[] = { (double)planes[0], (double)planes[n / 2], (double)planes[n - 1], sum / (double)n };
    for (int i = 0; i < 4; i++)
        if (!(fabs(found[i] - g_ascii_strtod(row[19 + i], NULL)) <= 1e-6 * MAX(scale, 1)))
            g_error("row %u of preprocess.txt: %.9g in place of %s", r, found[i], row[19 + i]);
}

/* Every way of preprocessing that there is, against torchvision. */
static void test_preprocess(void)
{
    g_autoptr(GPtrArray) rows = test_golden_rows("preprocess.txt");
    for (guint r = 0; r < rows->len; r++) {
        char **row = rows->pdata[r];
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfImage) image = test_noise((guint64)atoi(row[0]), atoi(row[1]), atoi(row[2]), FALSE);
        AimfPreprocess p = golden_preprocess(row);
        gsize n = 3 * (gsize)p.width * (gsize)p.height;
        g_autofree float *planes = g_new(float, n);
        aimf_image_to_planes(image, NULL, atoi(row[10]), &p, planes, &error);
        g_assert_no_error(error);
        g_autofree char *digest = test_sha256(planes, n * sizeof(float));
        if (p.resizing == AIMF_RESIZE_FLOAT)
            check_floats(planes, n, row, r);
        else if (strcmp(digest, row[19]) != 0)
            g_error("row %u of preprocess.txt (%s) differs from torchvision", r, row[8]);
    }
}

/* A crop of training is resized as the model resizes, and to the input's size whatever its shape. */
static void test_crop(void)
{
    g_autoptr(AimfImage) image = test_noise(3, 40, 30, FALSE);
    const AimfBox box = { 5, 4, 20, 11 };
    g_autoptr(AimfImage) part = aimf_image_new(box.width, box.height, NULL);
    for (int y = 0; y < box.height; y++)
        memcpy(part->data + y * box.width * 3, image->data + ((box.y + y) * image->width + box.x) * 3,
               (gsize)box.width * 3);
    AimfPreprocess p = { .width = 33, .height = 25, .filter = AIMF_BICUBIC, .bgr = TRUE, .std = { 1, 2, 3 } };
    float cropped[3 * 33 * 25], alone[3 * 33 * 25];
    for (int resizing = 0; resizing <= AIMF_RESIZE_FLOAT; resizing++) {
        p.resizing = (AimfResizing)resizing;
        p.resize = 28;
        p.crop_first = 12;
        g_assert_true(aimf_image_to_planes(image, &box, TRUE, &p, cropped, NULL));
        p.resize = p.crop_first = 0;
        g_assert_true(aimf_image_to_planes(part, NULL, TRUE, &p, alone, NULL));
        g_assert_cmpint(memcmp(cropped, alone, sizeof cropped), ==, 0);
    }
}

/* A strip one pixel wide would become a million pixels long: refused, not computed. */
static void test_long_picture(void)
{
    g_autoptr(AimfImage) strip = test_noise(1, 1, 5000, FALSE);
    AimfPreprocess p = { .width = 8, .height = 8, .resize = 224, .std = { 1, 1, 1 } };
    float planes[3 * 8 * 8];
    g_autoptr(GError) error = NULL;
    g_assert_false(aimf_image_to_planes(strip, NULL, FALSE, &p, planes, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    p.resize = 10;
    for (int resizing = 0; resizing <= AIMF_RESIZE_FLOAT; resizing++) {
        p.resizing = (AimfResizing)resizing;
        g_assert_true(aimf_image_to_planes(strip, NULL, FALSE, &p, planes, NULL));
    }
}

static void test_names(void)
{
    AimfPreprocess p = { .width = 8, .height = 6, .std = { 1, 1, 1 } };
    for (const char *const *name = aimf_preprocess_names(); *name; name++)
        g_assert_null(aimf_preprocess_get(&p, *name));
    const char *const wrong[][2] = { { "resize", "0" },        { "resize", "12px" },     { "interpolation", "lanczos" },
                                     { "resizer", "opencv" },  { "antialias", "maybe" }, { "channel_order", "RGB" },
                                     { "value_range", "254" }, { "interpolation", "" } };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(aimf_preprocess_set(&p, wrong[i][0], wrong[i][1], &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    }
    g_assert_true(aimf_preprocess_set(&p, "antialias", "no", NULL));
    g_assert_false(aimf_preprocess_check(&p, NULL)); /* Pillow cannot do that */
    g_assert_true(aimf_preprocess_set(&p, "resizer", "tensor-v2", NULL));
    g_assert_true(aimf_preprocess_check(&p, NULL));
    g_autofree char *text = aimf_preprocess_text(&p), *resizer = aimf_preprocess_get(&p, "resizer");
    g_assert_cmpstr(resizer, ==, "tensor-v2");
    g_assert_cmpstr(text, ==,
                    "8x6 pixels, bilinear (tensor-v2, not antialiased), RGB from 0 to 1, mean 0,0,0, std 1,1,1");
    g_assert_true(aimf_preprocess_set(&p, "crop_first", "5", NULL));
    g_autofree char *cropped = aimf_preprocess_text(&p);
    g_assert_true(g_str_has_prefix(cropped, "of the middle 5x5: 8x6 pixels, "));
    p.crop_first = -1;
    g_assert_false(aimf_preprocess_check(&p, NULL));
}

/* Another size of the input shows as much of the picture, and no edges that were not there. */
static void test_resize_input(void)
{
    const int cases[][7] = {
        /* width, height, resize -> to width, height: resize; then what it is from there back */
        { 224, 224, 256, 320, 320, 366, 256 }, { 224, 224, 256, 32, 32, 37, 259 },   { 48, 32, 56, 32, 32, 56, 84 },
        { 224, 224, 0, 320, 160, 0, 0 },       { 8, 8, 16000, 16, 16, 16384, 8192 },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const int *n = cases[i];
        AimfPreprocess p = { .width = n[0], .height = n[1], .resize = n[2], .std = { 1, 1, 1 } };
        aimf_preprocess_resize_input(&p, n[3], n[4]);
        g_assert_cmpint(p.width, ==, n[3]);
        g_assert_cmpint(p.height, ==, n[4]);
        g_assert_cmpint(p.resize, ==, n[5]);
        g_assert_true(aimf_preprocess_check(&p, NULL));
        aimf_preprocess_resize_input(&p, n[0], n[1]);
        g_assert_cmpint(p.resize, ==, n[6]);
    }
}

/* The whole picture when there is no box; against the public resize and the definition, at the network's size. */
static void test_whole_picture(void)
{
    enum { SIZE = 224 };
    static const AimfPreprocess preprocess = {
        .width = SIZE, .height = SIZE, .mean = { 0.485f, 0.456f, 0.406f }, .std = { 0.229f, 0.224f, 0.225f }
    };
    const float *mean = preprocess.mean, *std = preprocess.std;
    g_autoptr(AimfImage) image = test_portrait(1, 178, 218);
    g_autoptr(AimfImage) resized = aimf_image_resize(image, NULL, SIZE, SIZE, AIMF_BILINEAR, NULL);
    g_autofree float *planes = g_new(float, 3 * SIZE * SIZE);
    for (int flip = 0; flip < 2; flip++) {
        g_assert_true(aimf_image_to_planes(image, NULL, flip, &preprocess, planes, NULL));
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
    AimfPreprocess preprocess = { .width = size, .height = size, .mean = { 0, 0, mean }, .std = { 1, 1, std } };
    float planes[3];
    g_assert_false(aimf_image_to_planes(image, box, FALSE, &preprocess, planes, &error));
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
    g_test_add_func("/image/planes/preprocess", test_preprocess);
    g_test_add_func("/image/planes/crop", test_crop);
    g_test_add_func("/image/planes/long-picture", test_long_picture);
    g_test_add_func("/image/planes/names", test_names);
    g_test_add_func("/image/planes/resize-input", test_resize_input);
    g_test_add_func("/image/planes/invalid", test_invalid);
    return g_test_run();
}
