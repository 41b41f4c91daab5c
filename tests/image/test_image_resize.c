#include "image/resize.h"
#include "image/support_image.h"

#include "base/random.h"

#include <stdlib.h>
#include <string.h>

static void resize_with(const AimfPasses *passes, const AimfImage *image, AimfBox box, AimfImage *out,
                        AimfFilter filter, gboolean flip)
{
    AimfResizeOptions options = { .image = image, .box = box, .width = out->width, .height = out->height };
    options.filter = filter;
    options.flip = flip;
    options.passes = passes;
    g_autoptr(AimfResizer) resizer = aimf_resizer_new(&options, NULL);
    gsize stride = (gsize)out->width * 3;
    for (int y = 0; y < out->height; y++)
        memcpy(out->data + (gsize)y * stride, aimf_resizer_row(resizer), stride);
}

/* Every row of the table, with every instruction set that this processor has. */
static void test_pillow(void)
{
    g_autoptr(GPtrArray) rows = test_golden_rows("resize.txt");
    guint n_passes;
    const AimfPasses *const *passes = aimf_passes_supported(&n_passes);
    for (guint r = 0; r < rows->len; r++) {
        char **row = rows->pdata[r];
        int n[10];
        for (int i = 0; i < 10; i++)
            n[i] = atoi(row[i]);
        AimfFilter filter = strcmp(row[10], "lanczos") == 0 ? AIMF_LANCZOS : AIMF_BILINEAR;
        AimfBox box = { n[4], n[5], n[6], n[7] };
        g_autoptr(AimfImage) image = test_noise((guint64)n[0], n[1], n[2], n[3]);
        g_autoptr(AimfImage) out = aimf_image_new(n[8], n[9], NULL);
        for (guint p = 0; p < n_passes; p++) {
            resize_with(passes[p], image, box, out, filter, FALSE);
            g_autofree char *digest = test_sha256(out->data, (gsize)n[8] * (gsize)n[9] * 3);
            if (strcmp(digest, row[11]) != 0)
                g_error("row %u of resize.txt differs from Pillow with %s passes", r, passes[p]->name);
        }
        g_autoptr(AimfImage) public_one = aimf_image_resize(image, &box, n[8], n[9], filter, NULL);
        g_assert_true(test_images_equal(public_one, out));
    }
}

static AimfBox random_box(AimfRandom *random, int width, int height)
{
    AimfBox box;
    box.width = 1 + (int)aimf_random_below(random, (guint64)width);
    box.height = 1 + (int)aimf_random_below(random, (guint64)height);
    box.x = (int)aimf_random_below(random, (guint64)(width - box.width + 1));
    box.y = (int)aimf_random_below(random, (guint64)(height - box.height + 1));
    return box;
}

/* More sizes than the table has: all instruction sets agree, also mirrored, and mirroring is what its name says. */
static void test_passes_agree(void)
{
    guint n_passes;
    const AimfPasses *const *passes = aimf_passes_supported(&n_passes);
    AimfRandom random = aimf_random_at(5, AIMF_STREAM_TEST, 0);
    for (guint64 i = 0; i < 150; i++) {
        int width = 1 + (int)aimf_random_below(&random, 300), height = 1 + (int)aimf_random_below(&random, 100);
        int new_width = 1 + (int)aimf_random_below(&random, 300), new_height = 1 + (int)aimf_random_below(&random, 50);
        g_autoptr(AimfImage) image = test_noise(i, width, height, i % 2 != 0);
        AimfBox box = random_box(&random, width, height);
        AimfFilter filter = i % 4 < 2 ? AIMF_BILINEAR : AIMF_LANCZOS;
        g_autoptr(AimfImage) plain = aimf_image_new(new_width, new_height, NULL);
        g_autoptr(AimfImage) other = aimf_image_new(new_width, new_height, NULL);
        for (int flip = 0; flip < 2; flip++) {
            resize_with(&aimf_passes_plain, image, box, plain, filter, flip);
            for (guint p = 0; p < n_passes; p++) {
                resize_with(passes[p], image, box, other, filter, flip);
                g_assert_true(test_images_equal(plain, other));
            }
        }
        resize_with(NULL, image, box, other, filter, FALSE);
        for (int y = 0; y < new_height; y++)
            for (int x = 0; x < new_width; x++)
                g_assert_true(memcmp(plain->data + (y * new_width + x) * 3,
                                     other->data + (y * new_width + new_width - 1 - x) * 3, 3) == 0);
    }
}

/* A picture whose pixels end where its memory ends: under the address sanitizer this sees every read beyond them. */
static void test_exact_memory(void)
{
    for (int width = 1; width < 40; width += 3)
        for (int height = 1; height < 5; height++) {
            g_autofree guint8 *data = g_malloc((gsize)(width * height) * 3);
            memset(data, 200, (gsize)(width * height) * 3);
            AimfImage image = { width, height, data };
            g_autoptr(AimfImage) out = aimf_image_resize(&image, NULL, 31, 2 * height, AIMF_LANCZOS, NULL);
            for (int i = 0; i < 31 * 2 * height * 3; i++)
                g_assert_cmpuint(out->data[i], ==, 200);
        }
}

static void check_invalid(const AimfImage *image, const AimfBox *box, int width, int height)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_image_resize(image, box, width, height, AIMF_BILINEAR, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
}

static void test_invalid(void)
{
    g_autoptr(AimfImage) image = test_noise(0, 20, 10, FALSE);
    static const AimfBox boxes[] = { { -1, 0, 5, 5 },       { 0, -1, 5, 5 },       { 16, 0, 5, 5 },
                                     { 0, 6, 5, 5 },        { 0, 0, 0, 5 },        { 0, 0, 5, -3 },
                                     { G_MAXINT, 0, 5, 5 }, { 0, 0, G_MAXINT, 5 }, { 0, 0, 21, 5 },
                                     { 0, 0, 5, G_MININT }, { 0, G_MININT, 5, 5 } };
    for (gsize i = 0; i < G_N_ELEMENTS(boxes); i++)
        check_invalid(image, &boxes[i], 5, 5);
    check_invalid(image, NULL, 0, 5);
    check_invalid(image, NULL, 5, -5);
    check_invalid(image, NULL, G_MAXINT, G_MAXINT);
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_image_new(0, 7, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image/resize/pillow", test_pillow);
    g_test_add_func("/image/resize/passes-agree", test_passes_agree);
    g_test_add_func("/image/resize/exact-memory", test_exact_memory);
    g_test_add_func("/image/resize/invalid", test_invalid);
    return g_test_run();
}
