#include "base/content.h"
#include "base/text_file.h"

#include <string.h>

static GBytes *decode(const char *data, gsize n, GError **error)
{
    g_autofree char *copy =
        g_memdup2(data, n); /* ends with the text, so that the address sanitizer sees reads beyond it */
    GBytes *bytes = g_bytes_new_take(g_steal_pointer(&copy), n);
    return aimf_text_decode(bytes, "notes.txt", error);
}

#define BYTES(text) text, sizeof(text) - 1

static void test_forms(void)
{
    static const struct {
        const char *bytes;
        gsize n;
        const char *text;
        gsize text_n;
    } CASES[] = {
        { BYTES(""), BYTES("") },
        { BYTES("a"), BYTES("a") },
        { BYTES("plain \xC3\xA4\n"), BYTES("plain \xC3\xA4\n") },
        { BYTES("\xEF\xBB\xBFwith a mark\r\n"), BYTES("with a mark\r\n") },
        { BYTES("\xEF\xBB\xBF"), BYTES("") },
        { BYTES("\xEF\xBB"), BYTES("\xEF\xBB") },
        { BYTES("\xEF\xBB\xBF\xEF\xBB\xBFx\xEF\xBB\xBF"), BYTES("x\xEF\xBB\xBF") },
        { BYTES("\xFF\xFE"
                "h\0\xE4\0\r\0\n\0"),
          BYTES("h\xC3\xA4\r\n") },
        { BYTES("\xFE\xFF\0h\0\xE4\0\n"), BYTES("h\xC3\xA4\n") },
        { BYTES("\xFF\xFE\x3D\xD8\0\xDE"), BYTES("\xF0\x9F\x98\x80") }, /* U+1F600, two units */
        { BYTES("\xFF\xFE"), BYTES("") },
        { BYTES("p\0a\0t\0h\0,\0t\0"), BYTES("path,t") },
        { BYTES("\0p\0a\0t\0h\0\n"), BYTES("path\n") },
        { BYTES("p\0a\0t\0"), BYTES("p\0a\0t\0") }, /* too little to tell */
        { BYTES("path\0\0\0\0\0"), BYTES("path\0\0\0\0\0") },
        { BYTES("one\rtwo\r"), BYTES("one\ntwo\n") },
        { BYTES("one\rtwo\n"), BYTES("one\rtwo\n") }, /* not the end of every line */
        { BYTES("one\r\ntwo\r\n"), BYTES("one\r\ntwo\r\n") },
        { BYTES("\xFF\xFE"
                "a\0\r\0b\0\r\0"),
          BYTES("a\nb\n") },
        { BYTES("latin \xE4\n"), BYTES("latin \xE4\n") }, /* the reader's to refuse */
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GBytes) text = decode(CASES[i].bytes, CASES[i].n, &error);
        g_assert_no_error(error);
        gsize n;
        const char *data = g_bytes_get_data(text, &n);
        g_assert_cmpuint(n, ==, CASES[i].text_n);
        g_assert_true(n == 0 || memcmp(data, CASES[i].text, n) == 0);
    }
}

static void test_broken(void)
{
    static const struct {
        const char *bytes;
        gsize n;
        const char *says;
    } CASES[] = {
        { BYTES("\xFF\xFE"
                "a\0b"),
          "half a character" },
        { BYTES("\xFF\xFE\0\0a\0\0\0"), "UTF-32" },
        { BYTES("\0\0\xFE\xFF\0\0\0a"), "UTF-32" },
        { BYTES("\xFF\xFE"
                "a\0\0\0b\0"),
          "character 2 is a NUL" },
        { BYTES("\xFF\xFE"
                "a\0\0\xDC"
                "b\0"),
          "character 2" },                               /* the second half of a pair, alone */
        { BYTES("\xFE\xFF\0a\xD8\0"), "broken UTF-16" }, /* the first half, at the end */
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(decode(CASES[i].bytes, CASES[i].n, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
        g_assert_nonnull(strstr(error->message, "notes.txt"));
        if (!strstr(error->message, CASES[i].says))
            g_error("'%s' is not in: %s", CASES[i].says, error->message);
    }
}

/* Megabytes of two-byte text must not take more than a pass: a quadratic way would be seen by the test's time limit. */
static void test_long(void)
{
    enum { UNITS = 4 << 20 };
    g_autofree char *data = g_malloc(2 * (gsize)UNITS + 2);
    memcpy(data, "\xFF\xFE", 2);
    for (gsize i = 0; i < UNITS; i++) {
        data[2 + 2 * i] = 'x';
        data[3 + 2 * i] = i % 2 ? 0 : 1; /* x and U+0178 */
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) text = decode(data, 2 * (gsize)UNITS + 2, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(g_bytes_get_size(text), ==, UNITS / 2 * 3);
}

/* --- What a file is --- */

static void test_content(void)
{
    static const struct {
        const char *bytes;
        gsize n;
        const char *name; /* a part of it; NULL: not known */
    } CASES[] = {
        { BYTES("GIF89a\1\0\1\0"), "GIF" },
        { BYTES("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\2\0\0\0"), "BMP" },
        { BYTES("BMW,path,target\n"), NULL },
        { BYTES("BM,path,target,protected\n"), NULL },
        { BYTES("II*\0\x08\0\0\0"), "TIFF" },
        { BYTES("MM\0*\0\0\0\x08"), "TIFF" },
        { BYTES("\0\0\0\x18"
                "ftypheic\0\0\0\0"),
          "HEIC" },
        { BYTES("\0\0\0\x1C"
                "ftypavif\0\0\0\0"),
          "AVIF" },
        { BYTES("\0\0\0\x20"
                "ftypisom\0\0\0\0"),
          "video" },
        { BYTES("leftyp,path"), NULL },
        { BYTES("abcdftypes,path,target\n"), NULL },
        { BYTES("\0\0\0\014jP  \r\n\x87\n"), "JPEG 2000" },
        { BYTES("\xFF\x4F\xFF\x51\0\x2F"), "JPEG 2000" },
        { BYTES("\xFF\x0A\x01"), "JPEG XL" },
        { BYTES("P6\n2 2\n255\n"), "PNM" },
        { BYTES("P1,P2,path\n"), NULL },
        { BYTES("%PDF-1.7\n"), "PDF" },
        { BYTES("<!DOCTYPE html><html>"), "HTML" },
        { BYTES("\xEF\xBB\xBF\r\n  <HTML lang=en>"), "HTML" },
        { BYTES("<?xml version=\"1.0\"?><!DOCTYPE html><html xmlns="), "HTML" },
        { BYTES("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>"), "XML" },
        { BYTES("<?xml version=\"1.0\"?>\n<!-- drawn -->\n<svg width="), "SVG" },
        { BYTES("<svg xmlns="), "SVG" },
        { BYTES("<b>,path,target\n"), NULL },
        { BYTES("version https://git-lfs.github.com/spec/v1\noid"), "Git LFS" },
        { BYTES("\x1F\x8B\x08\0"), "gzip" },
        { BYTES("PK\3\4\x14\0\6\0\x08\0\0\0!\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml"), "Excel" },
        { BYTES("PK\3\4\x14\0\0\0\0\0"), "ZIP" },
        { BYTES("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), "Excel" },
        { BYTES("PAR1\x15\4\x15"), "Parquet" },
        { BYTES("PAR1,PAR2,path\n"), NULL },
        { BYTES("\0\5\x16\7\0\2\0\0"), "macOS" },
        { BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "zero bytes" },
        { BYTES("\0"), "zero bytes" },
        { BYTES("path,target,protected\n"), NULL },
        { BYTES(""), NULL },
        { BYTES("\xFF\xD8\xFF\xE0"), NULL },
        { BYTES("\x89PNG\r\n\x1a\n"), NULL },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        for (gsize n = 0; n <= CASES[i].n; n++) { /* cut anywhere, nothing beyond is looked at */
            g_autofree char *copy = g_memdup2(CASES[i].bytes, n);
            const AimfContent *content = aimf_content_recognise(copy, n);
            if (n < CASES[i].n)
                continue;
            if ((content != NULL) != (CASES[i].name != NULL) || (content && !strstr(content->name, CASES[i].name)))
                g_error("case %zu: '%s' instead of '%s'", i, content ? content->name : "nothing",
                        CASES[i].name ? CASES[i].name : "nothing");
        }
    }
    g_autofree char *tar = g_malloc0(512);
    memcpy(tar, "x.jpg", 5);
    memcpy(tar + 257, "ustar", 5);
    g_assert_nonnull(strstr(aimf_content_recognise(tar, 512)->name, "tar"));
    memset(tar, 'a', 257);
    g_assert_null(aimf_content_recognise(tar, 512));
}

static void test_names(void)
{
    static const char *const CASES[][2] = {
        { "a.bmp", "BMP" },    { "b.GIF", "GIF" }, { "c.TiFf", "TIFF" },   { "d.heic", "HEIC" }, { "e.AVIF", "AVIF" },
        { "f.jpg", NULL },     { "g.png", NULL },  { "h.txt", NULL },      { "bmp", NULL },      { ".gif", NULL },
        { "i.gif.png", NULL }, { "k.", NULL },     { "l.jpg.bmp", "BMP" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++)
        g_assert_cmpstr(aimf_content_of_name(CASES[i][0]), ==, CASES[i][1]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text-file/forms", test_forms);
    g_test_add_func("/text-file/broken", test_broken);
    g_test_add_func("/text-file/long", test_long);
    g_test_add_func("/content/bytes", test_content);
    g_test_add_func("/content/names", test_names);
    return g_test_run();
}
