#include "image/support_image.h"

#include <math.h>
#include <stdlib.h>

static void test_golden_draws(void)
{
    g_autoptr(GPtrArray) rows = test_golden_rows("augment.txt");
    for (guint r = 0; r < rows->len; r++) {
        char **row = rows->pdata[r];
        double d[5];
        for (int i = 0; i < 5; i++)
            d[i] = g_ascii_strtod(row[5 + i], NULL);
        AimfAugment augment = { .scale = { d[0], d[1] }, .ratio = { d[2], d[3] }, .flip = d[4] };
        guint64 seed = g_ascii_strtoull(row[0], NULL, 10);
        guint epoch = (guint)strtoul(row[1], NULL, 10), sample = (guint)strtoul(row[2], NULL, 10);
        AimfBox box;
        gboolean flip;
        aimf_augment_draw(&augment, seed, epoch, sample, atoi(row[3]), atoi(row[4]), &box, &flip);
        int drawn[] = { box.x, box.y, box.width, box.height, flip };
        for (int i = 0; i < 5; i++)
            g_assert_cmpint(drawn[i], ==, atoi(row[10 + i]));
    }
}

/*
 * In a picture so large that rounding does not show, and with areas so small that every first try fits, the crop's
 * area is uniform, the logarithm of its ratio is uniform, and both are independent; its place is uniform in what is
 * left.
 */
static void test_distribution(void)
{
    enum { N = 40000, SIDE = 20000 };
    AimfAugment augment = { .scale = { 0.05, 0.25 }, .ratio = { 0.5, 2 }, .flip = 0.3 };
    double area = 0, area2 = 0, ratio = 0, ratio2 = 0, cross = 0, x = 0, y = 0, flips = 0;
    for (guint i = 0; i < N; i++) {
        AimfBox box;
        gboolean flip;
        aimf_augment_draw(&augment, 11, 3, i, SIDE, SIDE, &box, &flip);
        double a = ((double)box.width * box.height / ((double)SIDE * SIDE) - 0.05) / 0.2; /* uniform in [0, 1) */
        double r = (log((double)box.width / box.height) / log(2) + 1) / 2;                /* likewise */
        area += a;
        area2 += a * a;
        ratio += r;
        ratio2 += r * r;
        cross += (a - 0.5) * (r - 0.5);
        x += (double)box.x / (SIDE - box.width);
        y += (double)box.y / (SIDE - box.height);
        flips += flip;
    }
    /*
     * Five standard errors: 0.2887 / sqrt(N) for a mean, 0.2981 / sqrt(N) for a mean square, 1/12 / sqrt(N) for the
     * product.
     */
    const double mean = 5 * 0.2887 / 200, square = 5 * 0.2981 / 200;
    g_assert_cmpfloat_with_epsilon(area / N, 0.5, mean);
    g_assert_cmpfloat_with_epsilon(ratio / N, 0.5, mean);
    g_assert_cmpfloat_with_epsilon(x / N, 0.5, mean);
    g_assert_cmpfloat_with_epsilon(y / N, 0.5, mean);
    g_assert_cmpfloat_with_epsilon(area2 / N, 1.0 / 3, square);
    g_assert_cmpfloat_with_epsilon(ratio2 / N, 1.0 / 3, square);
    g_assert_cmpfloat_with_epsilon(cross / N, 0, 5.0 / 12 / 200);
    g_assert_cmpfloat_with_epsilon(flips / N, 0.3, 5 * 0.4583 / 200);
}

/* Whatever is asked for, and of whatever picture, the box lies inside. */
static void test_inside(void)
{
    static const AimfAugment augments[] = {
        AIMF_AUGMENT_DEFAULT,
        { .scale = { 1, 1 }, .ratio = { 50, 100 }, .flip = 1 },
        { .scale = { 5, 1e300 }, .ratio = { 1e-300, 1e300 } },
        { .scale = { 0, 0 }, .ratio = { 1, 1 } },
        { .scale = { -1, -1 }, .ratio = { -2, -1 } },
        { .scale = { NAN, NAN }, .ratio = { NAN, NAN }, .flip = NAN },
        { .scale = { 0.1, INFINITY }, .ratio = { 0, INFINITY } },
    };
    static const int sizes[][2] = { { 1, 1 }, { 1, 500 }, { 500, 1 }, { 178, 218 }, { 3, 2 } };
    for (gsize a = 0; a < G_N_ELEMENTS(augments); a++)
        for (gsize s = 0; s < G_N_ELEMENTS(sizes); s++)
            for (guint i = 0; i < 50; i++) {
                AimfBox box;
                gboolean flip;
                aimf_augment_draw(&augments[a], 1, 0, i, sizes[s][0], sizes[s][1], &box, &flip);
                g_assert_cmpint(box.x, >=, 0);
                g_assert_cmpint(box.y, >=, 0);
                g_assert_cmpint(box.width, >=, 1);
                g_assert_cmpint(box.height, >=, 1);
                g_assert_cmpint(box.x + box.width, <=, sizes[s][0]);
                g_assert_cmpint(box.y + box.height, <=, sizes[s][1]);
            }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image/augment/golden", test_golden_draws);
    g_test_add_func("/image/augment/distribution", test_distribution);
    g_test_add_func("/image/augment/inside", test_inside);
    return g_test_run();
}
