/* Pages as files and text that fits, whatever it is made of. */
#include "base/drawing.h"
#include "data/support_data.h"

#include <aimfair/image.h>
#include <string.h>

static char *folder;

static char *draw_page(const char *name, int width, int height, double scale)
{
    g_autoptr(GError) error = NULL;
    char *path = g_build_filename(folder, name, NULL);
    g_autoptr(AimfPage) page = aimf_page_new(path, width, height, scale, &error);
    g_assert_no_error(error);
    aimf_draw_font(page->cr, 12, TRUE);
    aimf_draw_paint(page->cr, AIMF_TEAL);
    aimf_draw_text(page->cr, width / 2.0, height - 4, AIMF_CENTRE, "Ünï → text");
    g_assert_true(aimf_page_write(page, &error));
    g_assert_no_error(error);
    return path;
}

static void test_files(void)
{
    g_autofree char *png = draw_page("one.PNG", 200, 40, 1.5), *svg = draw_page("one.svg", 200, 40, 1.5);
    g_autofree char *again = draw_page("two.svg", 200, 40, 1.5), *one = NULL, *two = NULL;
    g_autoptr(AimfImage) image = aimf_image_open(png, NULL);
    g_assert_nonnull(image);
    g_assert_cmpint(image->width, ==, 300);
    g_assert_cmpint(image->height, ==, 60);
    g_assert_cmpint(image->data[0], ==, 255);
    g_assert_true(g_file_get_contents(svg, &one, NULL, NULL) && g_file_get_contents(again, &two, NULL, NULL));
    g_assert_cmpstr(one, ==, two);
    g_assert_nonnull(strstr(one, "width=\"200px\" height=\"40px\""));
    g_assert_null(strstr(one, "surface"));
}

static void test_names(void)
{
    static const char *const good[] = { "a.svg", "a.png", "x/y.SVG", "a.pdf.Png" };
    static const char *const bad[] = { "", "-", "a.pdf", "svg", ".svg", "a.svg.gz", "png.a", "x/a.svgz" };
    g_autoptr(GError) error = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(aimf_page_check_name(good[i], NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(aimf_page_check_name(bad[i], &error));
        data_expect_error(&error, AIMF_ERROR_INVALID, bad[i], ".svg or .png", NULL);
        g_assert_null(aimf_page_new(bad[i], 10, 10, 1, NULL));
    }
}

static void test_unwritable(void)
{
    static const char *const names[] = { "no-such-folder/a.svg", "no-such-folder/a.png" };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfPage) page = aimf_page_new(path, 10, 10, 1, NULL);
        g_assert_nonnull(page);
        g_assert_false(aimf_page_write(page, &error));
        data_expect_error(&error, AIMF_ERROR_NOT_FOUND, path, NULL);
    }
}

/* A page that no memory holds, or that cairo has no coordinates for, is an error and leaves no file. */
static void test_too_large(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(folder, "large.png", NULL);
    g_autoptr(AimfPage) page = aimf_page_new(path, 40000, 10, 1, NULL);
    g_assert_nonnull(page);
    g_assert_false(aimf_page_write(page, &error));
    data_expect_error(&error, AIMF_ERROR_FAILED, path, NULL);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void test_fitting(void)
{
    const double room = 80;
    g_autoptr(AimfPage) page = aimf_page_new("never-written.svg", 100, 100, 1, NULL);
    g_autofree char *long_text = g_strnfill(100000, 'm'), *long_name = g_strconcat(long_text, "/end", NULL);
    const struct {
        const char *text;
        gboolean keep_end;
        const char *fits; /* NULL: something that is cut */
    } cases[] = {
        { "short", FALSE, "short" },
        { "", FALSE, "" },
        { "a\tb\n\x7f\xc2\x85", FALSE,
          "a\xef\xbf\xbd"
          "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xff\xfe", TRUE, "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xef\xbf\xbe\xef\xb7\x90\xf4\x8f\xbf\xbf", FALSE, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { long_text, FALSE, NULL },
        { long_name, TRUE, NULL },
        { "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", FALSE, NULL },
    };
    aimf_draw_font(page->cr, 12, FALSE);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = aimf_fit_text(page->cr, cases[i].text, room, cases[i].keep_end);
        g_assert_true(g_utf8_validate(text, -1, NULL));
        g_assert_cmpfloat(aimf_text_width(page->cr, text), <=, room);
        if (cases[i].fits)
            g_assert_cmpstr(text, ==, cases[i].fits);
        else {
            g_assert_true(cases[i].keep_end ? g_str_has_prefix(text, "…") : g_str_has_suffix(text, "…"));
            g_assert_cmpfloat(aimf_text_width(page->cr, text), >, room - 26);
        }
        aimf_draw_text(page->cr, 0, 10, AIMF_LEFT, text);
        g_assert_cmpint(cairo_status(page->cr), ==, CAIRO_STATUS_SUCCESS);
    }
    g_autofree char *end = aimf_fit_text(page->cr, long_name, room, TRUE);
    g_assert_true(g_str_has_suffix(end, "m/end"));
    g_autofree char *none = aimf_fit_text(page->cr, long_text, 0, FALSE);
    g_assert_cmpstr(none, ==, "…");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = data_folder_new();
    g_test_add_func("/drawing/files", test_files);
    g_test_add_func("/drawing/names", test_names);
    g_test_add_func("/drawing/unwritable", test_unwritable);
    g_test_add_func("/drawing/too-large", test_too_large);
    g_test_add_func("/drawing/fitting", test_fitting);
    int status = g_test_run();
    data_folder_free(folder);
    return status;
}
