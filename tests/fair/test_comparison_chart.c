/* The chart of a comparison: files that others can read, a row for all that is known, none for what is not. */
#include "data/support_data.h"

#include <aimfair/fair.h>
#include <aimfair/image.h>
#include <math.h>
#include <string.h>

static char *folder;

enum { PIXELS = 2, ROW = 25 }; /* of a PNG for each unit; units */

/* Right with a chance that differs by group, and with another @after. Labels from @n_used on have nobody. */
static AimfOutcomes *made_outcomes(guint n, int n_targets, int n_protected, int n_used, guint after)
{
    AimfOutcomes *o = g_new0(AimfOutcomes, 1);
    o->n = n;
    o->n_targets = n_targets;
    o->n_protected = n_protected;
    o->positive = n_targets == 2 ? 1 : -1;
    o->threshold = NAN;
    o->target = g_new(int, n);
    o->group = g_new(int, n);
    o->prediction = g_new(int, n);
    o->labels = g_new0(char *, n_protected + 1);
    for (int i = 0; i < n_protected; i++)
        o->labels[i] = g_strdup_printf("label %03d", i);
    for (guint i = 0; i < n; i++) {
        o->target[i] = (int)(i % (guint)n_targets);
        o->group[i] = (int)(i / (guint)n_targets % (guint)n_used);
        guint chance = (i * 7919u + (i % 8 == 0 ? after * 31u : 0)) % 100;
        gboolean right = chance < 70 + 20u * (guint)(o->group[i] % 2) + (o->target[i] == 1 ? after : 0);
        o->prediction[i] = right ? o->target[i] : (o->target[i] + 1) % n_targets;
    }
    return o;
}

static AimfComparison *made_comparison(guint n, int n_targets, int n_protected, int n_used, guint after)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfOutcomes) one = made_outcomes(n, n_targets, n_protected, n_used, 0);
    g_autoptr(AimfOutcomes) two = made_outcomes(n, n_targets, n_protected, n_used, after);
    AimfComparison *comparison = aimf_compare_outcomes(one, two, 50, 1, NULL, &error);
    g_assert_no_error(error);
    return comparison;
}

static void check_element(GMarkupParseContext *context, const char *name, const char **names, const char **values,
                          gpointer count, GError **error)
{
    (void)context, (void)name, (void)error;
    for (gsize i = 0; names[i]; i++)
        g_assert_true(!strstr(values[i], "nan") && !strstr(values[i], "inf"));
    (*(guint *)count)++;
}

/* (owned) the file's text, which is XML with many elements and no coordinate that is not a number. */
static char *draw_svg(const AimfComparison *comparison, const char *before, const char *after)
{
    g_autofree char *path = g_build_filename(folder, "chart.svg", NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    gsize length = 0;
    guint count = 0;
    aimf_comparison_draw(comparison, before, after, path, &error);
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    const GMarkupParser parser = { .start_element = check_element };
    g_autoptr(GMarkupParseContext) context =
        g_markup_parse_context_new(&parser, G_MARKUP_TREAT_CDATA_AS_TEXT, &count, NULL);
    g_markup_parse_context_parse(context, text, (gssize)length, &error);
    g_assert_no_error(error);
    g_markup_parse_context_end_parse(context, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(count, >, 200);
    return text;
}

static void check_svg(const AimfComparison *comparison)
{
    g_free(draw_svg(comparison, "a", "b"));
}

static AimfImage *draw_png(const AimfComparison *comparison)
{
    g_autofree char *path = g_build_filename(folder, "chart.png", NULL);
    g_autoptr(GError) error = NULL;
    aimf_comparison_draw(comparison, "before.csv", "after.csv", path, &error);
    g_assert_no_error(error);
    AimfImage *image = aimf_image_open(path, &error);
    g_assert_no_error(error);
    gsize coloured = 0;
    for (gsize i = 0; i < (gsize)image->width * (gsize)image->height; i++)
        coloured += image->data[3 * i] != image->data[3 * i + 2] ? 1 : 0;
    g_assert_cmpuint(coloured, >, 5000);
    g_assert_cmpint(image->width, ==, 1280 * PIXELS);
    return image;
}

static int height_of(const AimfComparison *comparison)
{
    g_autoptr(AimfImage) image = draw_png(comparison);
    g_assert_cmpint(image->height % PIXELS, ==, 0);
    return image->height / PIXELS;
}

static void test_same_bytes(void)
{
    g_autoptr(AimfComparison) c = made_comparison(800, 2, 2, 2, 9), other = made_comparison(800, 2, 2, 2, 12);
    g_autofree char *one = draw_svg(c, "a.csv", "b.csv"), *two = draw_svg(c, "a.csv", "b.csv");
    g_autofree char *others = draw_svg(other, "a.csv", "b.csv"), *names = draw_svg(c, "a.csv", "c.csv");
    g_assert_cmpstr(one, ==, two);
    g_assert_cmpstr(one, !=, others);
    g_assert_cmpstr(one, !=, names);
    g_autoptr(AimfImage) picture = draw_png(c), again = draw_png(c), third = draw_png(other);
    gsize bytes = (gsize)picture->width * (gsize)picture->height * 3;
    g_assert_cmpint(third->height, ==, picture->height);
    g_assert_cmpint(memcmp(picture->data, again->data, bytes), ==, 0);
    g_assert_cmpint(memcmp(picture->data, third->data, bytes), !=, 0);
}

/* Files of one name are told apart by their folders. */
static void test_names(void)
{
    g_autoptr(AimfComparison) c = made_comparison(100, 2, 2, 2, 9);
    g_autofree char *one = draw_svg(c, "x/a.csv", "y/b.csv"), *two = draw_svg(c, "z/a.csv", "b.csv");
    g_autofree char *three = draw_svg(c, "x/a.csv", "y/a.csv"), *four = draw_svg(c, "z/a.csv", "y/a.csv");
    g_assert_cmpstr(one, ==, two);
    g_assert_cmpstr(three, !=, four);
}

/* What the page says of one changed group: moving its dot changes the picture in its row alone. */
static void test_row(void)
{
    g_autoptr(AimfComparison) c = made_comparison(800, 2, 3, 3, 9);
    c->groups[0].right_before = 0; /* the axis has all shares, whatever group 4 does */
    c->groups[0].right_after = c->groups[0].n;
    c->groups[4].right_after = c->groups[4].right_before;
    g_autoptr(AimfImage) before = draw_png(c);
    c->groups[4].right_after = c->groups[4].right_before / 2;
    g_autoptr(AimfImage) after = draw_png(c);
    int first = -1, last = -1;
    const gsize stride = (gsize)before->width * 3;
    for (int y = 0; y < before->height; y++)
        if (memcmp(before->data + (gsize)y * stride, after->data + (gsize)y * stride, stride) != 0) {
            first = first < 0 ? y : first;
            last = y;
        }
    g_assert_cmpint(first, >=, 0);
    g_assert_cmpint(last - first, <, ROW * PIXELS);
}

static void test_many_groups(void)
{
    g_autoptr(AimfComparison) few = made_comparison(400, 2, 2, 2, 9), most = made_comparison(4000, 2, 30, 30, 9);
    g_autoptr(AimfComparison) many = made_comparison(9000, 2, 150, 150, 9);
    int height = height_of(few);
    g_assert_cmpint(height_of(most), ==, height + (60 - 4) * ROW);
    guint lost = 0;
    for (guint i = 1; i < 300; i++) /* of all, the one that changed most is shown */
        lost = many->groups[i].lost > many->groups[lost].lost ? i : lost;
    many->groups[lost].right_after = 0;
    g_autofree char *one = draw_svg(many, "a", "b");
    many->groups[lost].right_after = 1;
    g_autofree char *two = draw_svg(many, "a", "b");
    g_assert_cmpstr(one, !=, two);
    /* Intervals over so many labels take their time, and some measures have none. */
    guint known = 0;
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        known += isfinite(many->changes[i]) ? 1 : 0;
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        known -= isfinite(few->changes[i]) ? 1 : 0;
    g_assert_cmpint(height_of(many), ==, height + (60 - 4 + 1 + (int)known) * ROW);
}

/* Groups without pictures and measures without a value have no row; one line says so of the groups. */
static void test_unknown(void)
{
    g_autoptr(AimfComparison) c = made_comparison(400, 2, 2, 2, 9), empty = made_comparison(400, 2, 3, 2, 9);
    int height = height_of(c);
    g_assert_cmpint(height_of(empty), ==, height + ROW);
    check_svg(empty);
    c->changes[3] = NAN;
    g_assert_cmpint(height_of(c), ==, height - ROW);
    c->changes[5] = INFINITY;
    g_assert_cmpint(height_of(c), ==, height - 2 * ROW);
    for (guint i = 0; i < AIMF_N_SCALARS; i++)
        c->intervals[i] = (AimfInterval){ NAN, NAN };
    c->groups[0].change = (AimfInterval){ NAN, NAN };
    g_assert_cmpint(height_of(c), ==, height - 2 * ROW);
    check_svg(c);
}

/* Nothing differs, all are right, one sample: axes without extent. */
static void test_extremes(void)
{
    for (guint n = 1; n < 4; n++) {
        g_autoptr(AimfComparison) c = made_comparison(n, 2, 1, 1, 0);
        check_svg(c);
        for (int i = 0; i < 2; i++)
            c->groups[i].right_before = c->groups[i].right_after = i == 1 ? c->groups[i].n : 0;
        check_svg(c);
        for (int i = 0; i < 2; i++)
            c->groups[i].right_before = c->groups[i].right_after = c->groups[i].n;
        check_svg(c);
    }
}

static void test_classes(void)
{
    g_autoptr(AimfComparison) two = made_comparison(600, 2, 2, 2, 9), three = made_comparison(600, 3, 2, 2, 9);
    int rows[2] = { 0 };
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        rows[0] += isfinite(two->changes[i]) ? 1 : 0;
        rows[1] += isfinite(three->changes[i]) ? 1 : 0;
    }
    g_assert_cmpint(rows[1], >, 20);
    const int headings = 2, more_groups = 2;
    g_assert_cmpint(height_of(three), ==, height_of(two) + (rows[1] - rows[0] + headings + more_groups) * ROW);
    g_autofree char *without = draw_svg(three, "a", "b");
    three->classes = g_strdupv((char *[]){ "young", "middle", "old", NULL });
    g_autofree char *with = draw_svg(three, "a", "b");
    g_assert_cmpstr(with, !=, without);
}

static void test_hostile_labels(void)
{
    g_autofree char *long_label = g_strnfill(1000000, 'x');
    const char *const labels[] = {
        "",
        "a\tb\n\x01\x1b[31m",
        "<svg>&amp;\"'</g>",
        "\xff\xfe\xc3",
        "\xef\xbf\xbe\xef\xb7\x90",
        "%s%n%",
        "漢字かな交じり文の長い長い長い名前",
        "\xe2\x80\xae"
        "rtl \xd8\xb9\xd8\xb1",
        long_label,
    };
    g_autoptr(AimfComparison) c = made_comparison(400, 2, (int)G_N_ELEMENTS(labels), (int)G_N_ELEMENTS(labels), 9);
    for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
        g_free(c->labels[i]);
        c->labels[i] = g_strdup(labels[i]);
    }
    c->classes = g_strdupv((char *[]){ "", "\x07\xff", NULL });
    for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
        g_autofree char *svg = draw_svg(c, labels[i], labels[G_N_ELEMENTS(labels) - 1 - i]);
        g_assert_cmpuint(strlen(svg), <, 2000000);
    }
    aimf_image_free(draw_png(c));
}

static void test_errors(void)
{
    g_autoptr(AimfComparison) c = made_comparison(100, 2, 2, 2, 9);
    g_autoptr(GError) error = NULL;
    g_autofree char *pdf = g_build_filename(folder, "chart.pdf", NULL);
    g_autofree char *nowhere = g_build_filename(folder, "no-such-folder", "chart.svg", NULL);
    g_assert_false(aimf_chart_check_name(pdf, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "chart.pdf", ".svg or .png", NULL);
    g_assert_false(aimf_comparison_draw(c, "a", "b", pdf, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, ".svg or .png", NULL);
    g_assert_false(aimf_comparison_draw(c, "a", "b", nowhere, &error));
    data_expect_error(&error, AIMF_ERROR_NOT_FOUND, "no-such-folder", NULL);
    g_assert_false(g_file_test(pdf, G_FILE_TEST_EXISTS));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = data_folder_new();
    g_test_add_func("/comparison-chart/same-bytes", test_same_bytes);
    g_test_add_func("/comparison-chart/names", test_names);
    g_test_add_func("/comparison-chart/row", test_row);
    g_test_add_func("/comparison-chart/many-groups", test_many_groups);
    g_test_add_func("/comparison-chart/unknown", test_unknown);
    g_test_add_func("/comparison-chart/extremes", test_extremes);
    g_test_add_func("/comparison-chart/classes", test_classes);
    g_test_add_func("/comparison-chart/hostile-labels", test_hostile_labels);
    g_test_add_func("/comparison-chart/errors", test_errors);
    int status = g_test_run();
    data_folder_free(folder);
    return status;
}
