#include "image/support_image.h"

#include "base/file.h"
#include "base/random.h"
#include "image/image.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

/** Case: one record of decode.bin. @pixels is NULL for a file that must be refused. */
typedef struct {
    char name[64];
    int width, height;
    const guint8 *file;
    gsize bytes;
    const guint8 *pixels;
} Case;

/*
 * Calls @check for every record: a line "name width height bytes", the file, and its RGB pixels unless both sizes are
 * 0.
 */
static void for_each_case(void (*check)(const Case *c))
{
    g_autoptr(GBytes) golden = test_golden("decode.bin");
    gsize size;
    const guint8 *at = g_bytes_get_data(golden, &size), *end = at + size;
    at = (const guint8 *)strchr((const char *)at, '\n') + 1; /* versions */
    guint n = 0;
    for (; at < end; n++) {
        Case c = { 0 };
        g_assert_cmpint(sscanf((const char *)at, "%63s %d %d %zu", c.name, &c.width, &c.height, &c.bytes), ==, 4);
        c.file = (const guint8 *)strchr((const char *)at, '\n') + 1;
        at = c.file + c.bytes;
        if (c.width > 0) {
            c.pixels = at;
            at += c.width * c.height * 3;
        }
        g_assert_true(at <= end);
        check(&c);
    }
    g_assert_cmpuint(n, >, 80);
}

/* Decodes from memory that ends with the file, so that the address sanitizer sees reads beyond it. */
static AimfImage *decode(const guint8 *file, gsize bytes, const char *name, GError **error)
{
    g_autofree guint8 *copy = g_memdup2(file, bytes);
    return aimf_image_decode(copy, bytes, name, error);
}

static void check_refused(const guint8 *file, gsize bytes, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfImage) image = decode(file, bytes, name, &error);
    if (image)
        g_error("%s was decoded, but is broken", name);
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
    g_assert_nonnull(strstr(error->message, name));
}

static void check_pixels(const Case *c)
{
    if (!c->pixels) {
        check_refused(c->file, c->bytes, c->name);
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfImage) image = decode(c->file, c->bytes, c->name, &error);
    g_assert_no_error(error);
    AimfImage expected = { c->width, c->height, (guint8 *)c->pixels };
    if (!test_images_equal(image, &expected))
        g_error("%s differs from Pillow", c->name);
}

static void test_pillow(void)
{
    for_each_case(check_pixels);
}

/* Cut anywhere, a file is refused, or its pixels were complete already. */
static void check_truncations(const Case *c)
{
    if (!c->pixels)
        return;
    AimfImage expected = { c->width, c->height, (guint8 *)c->pixels };
    for (gsize bytes = 0; bytes < c->bytes; bytes++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfImage) image = decode(c->file, bytes, c->name, &error);
        if (image)
            g_assert_true(test_images_equal(image, &expected));
        else
            g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
    }
}

static void test_truncated(void)
{
    for_each_case(check_truncations);
}

/* Any byte changed: an image or an error, nothing else. */
static void check_flips(const Case *c)
{
    AimfRandom random = aimf_random_at(3, AIMF_STREAM_TEST, c->bytes);
    g_autofree guint8 *copy = g_memdup2(c->file, c->bytes);
    for (gsize i = 0; c->pixels && i < c->bytes; i++) {
        copy[i] ^= (guint8)(1 + aimf_random_below(&random, 255));
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfImage) image = decode(copy, c->bytes, c->name, &error);
        g_assert_true((image != NULL) == (error == NULL));
        copy[i] = c->file[i];
    }
}

static void test_flipped(void)
{
    for_each_case(check_flips);
}

static void test_empty(void)
{
    check_refused((const guint8 *)"", 0, "nothing.jpg");
    check_refused((const guint8 *)"\xff\xd8\xff", 3, "start.jpg");
    check_refused((const guint8 *)"\x89PNG\r\n\x1a\n", 8, "start.png");
    check_refused((const guint8 *)"RIFF\4\0\0\0WEBP", 12, "start.webp");
}

/* A WebP of one colour takes no bit for a pixel: 30 bytes ask for 13000 x 13000 of them, which Pillow would make. */
static void test_bomb(void)
{
    static const guint8 bomb[] = "RIFF\x16\0\0\0WEBPVP8L\x0a\0\0\0\x2f\xc7\xf2\xb1\x0c\x88\x88\x08\0\0";
    g_autoptr(GError) error = NULL;
    g_assert_null(decode(bomb, sizeof bomb - 1, "bomb.webp", &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
    g_assert_nonnull(strstr(error->message, "13000 x 13000 pixels in 30 bytes"));
}

typedef struct {
    AimfDecodeBudget budget;
    gint alone; /* atomic: how often a picture beyond the limit was decoded */
} Shared;

static gpointer use_budget(gpointer data)
{
    Shared *shared = data;
    AimfRandom random = aimf_random_at(1, AIMF_STREAM_TEST, 0);
    for (int i = 0; i < 2000; i++) {
        gsize bytes = 1 + aimf_random_below(&random, 120);
        aimf_decode_budget_take(&shared->budget, bytes);
        g_mutex_lock(&shared->budget.lock);
        gboolean within = shared->budget.used <= shared->budget.limit || shared->budget.used == bytes;
        g_mutex_unlock(&shared->budget.lock);
        g_assert_true(within);
        if (bytes > shared->budget.limit)
            g_atomic_int_inc(&shared->alone);
        aimf_decode_budget_give(&shared->budget, bytes);
    }
    return NULL;
}

/* However many threads decode, their pictures together keep to the budget, or there is but one. */
static void test_budget(void)
{
    Shared shared = { .alone = 0 };
    GThread *threads[4];
    aimf_decode_budget_init(&shared.budget);
    shared.budget.limit = 100;
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("budget", use_budget, &shared);
    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++)
        g_thread_join(threads[i]);
    g_assert_cmpint(shared.alone, >, 0);
    g_assert_cmpuint(shared.budget.used, ==, 0);
    aimf_decode_budget_clear(&shared.budget);
}

/* What is no picture of ours is called by what it is, and what can be done is said. */
static void test_others(void)
{
    static const struct {
        const char *bytes;
        gsize n;
        const char *says[2];
    } CASES[] = {
#define BYTES(text) text, sizeof(text) - 1
        { BYTES(""), { "0 bytes", "was expected" } },
        { BYTES("GIF89a\1\0\1\0\0\0\0"), { "a GIF picture", "convert" } },
        { BYTES("II*\0\x08\0\0\0"), { "a TIFF picture", "convert" } },
        { BYTES("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"), { "a BMP picture", "convert" } },
        { BYTES("\0\0\0\x18"
                "ftypheic"),
          { "a HEIC picture", "convert" } },
        { BYTES("\0\0\0\x1C"
                "ftypavif"),
          { "an AVIF picture", "convert" } },
        { BYTES("<html><body>404 Not Found"), { "an HTML page", "get the file again" } },
        { BYTES("<svg xmlns='http://www.w3.org/2000/svg'/>"), { "an SVG drawing", "convert" } },
        { BYTES("%PDF-1.4\n%"), { "a PDF document", "" } },
        { BYTES("version https://git-lfs.github.com/spec/v1\n"), { "a Git LFS pointer", "git lfs pull" } },
        { BYTES("\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), { "nothing but zero bytes", "get the file again" } },
        { BYTES("{\"error\":\n\"no such key\"}"), { "but text: '{\"error\": \"no such key\"}'", "" } },
        { BYTES("404: Not Found"), { "but text: '404: Not Found'", "" } },
        { BYTES("\xFF\xD8"), { "a JPEG picture that is cut off after 2 bytes", "get the file again" } },
        { BYTES("\x89PNG\r"), { "a PNG picture that is cut off after 5 bytes", "" } },
        { BYTES("RIFF\4\0"), { "a WebP picture that is cut off after 6 bytes", "" } },
        { BYTES("RIFF\4\0\0\0WAVEfmt "), { "a sound", "" } },
        { BYTES("\1\2\3\4\5\6\7\x08\x0e\x0f\x10\x11\x12"), { "not a JPEG, PNG or WebP picture", "" } },
#undef BYTES
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(decode((const guint8 *)CASES[i].bytes, CASES[i].n, "face.jpg", &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
        for (int k = 0; k < 2; k++)
            if (!strstr(error->message, CASES[i].says[k]) || !strstr(error->message, "face.jpg"))
                g_error("'%s' is not in: %s", CASES[i].says[k], error->message);
    }
}

static void check_open_fails(const char *path, int code)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_image_open(path, &error));
    g_assert_error(error, AIMF_ERROR, code);
    g_assert_nonnull(strstr(error->message, path));
}

static void test_open(void)
{
    g_autofree char *folder = test_folder();
    g_autofree char *path = g_build_filename(folder, "picture.JPEG", NULL);
    check_open_fails(folder, AIMF_ERROR_NOT_FOUND);
    check_open_fails(path, AIMF_ERROR_NOT_FOUND);
    g_assert_true(aimf_file_write(path, "", 0, NULL));
    check_open_fails(path, AIMF_ERROR_FORMAT);
    g_unlink(path);
    g_rmdir(folder);
}

static void test_save(void)
{
    g_autofree char *folder = test_folder();
    g_autoptr(AimfImage) image = test_portrait(0, 61, 43);
    static const char *const names[] = { "a.png", "b.PNG", "c.jpg", "d.JPEG" };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(folder, names[i], NULL);
        g_autoptr(GError) error = NULL;
        g_assert_true(aimf_image_save(image, path, &error));
        g_assert_no_error(error);
        g_autoptr(AimfImage) back = aimf_image_open(path, &error);
        g_assert_no_error(error);
        g_assert_cmpint(back->width, ==, 61);
        g_assert_cmpint(back->height, ==, 43);
        double squares = 0;
        for (int k = 0; k < 61 * 43 * 3; k++)
            squares += (back->data[k] - image->data[k]) * (back->data[k] - image->data[k]);
        if (i < 2)
            g_assert_true(squares == 0);
        else /* quality 95, half the colour resolution: noise of deviation 6 comes back within about its own size */
            g_assert_cmpfloat(squares / (61 * 43 * 3), <, 36);
        g_unlink(path);
    }
    g_rmdir(folder);
}

static void check_save_fails(const AimfImage *image, const char *path, int code)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(aimf_image_save(image, path, &error));
    g_assert_error(error, AIMF_ERROR, code);
    g_assert_nonnull(strstr(error->message, path));
}

static void test_save_fails(void)
{
    g_autofree char *folder = test_folder();
    g_autoptr(AimfImage) image = test_noise(0, 4, 4, FALSE), wide = test_noise(0, 70000, 1, FALSE);
    g_autofree char *bad_name = g_build_filename(folder, "picture.bmp", NULL);
    g_autofree char *missing = g_build_filename(folder, "missing", "picture.png", NULL);
    g_autofree char *directory = g_build_filename(folder, "folder.png", NULL);
    g_autofree char *too_wide = g_build_filename(folder, "wide.jpg", NULL);
    check_save_fails(image, bad_name, AIMF_ERROR_INVALID);
    check_save_fails(image, missing, AIMF_ERROR_NOT_FOUND);
    g_assert_cmpint(g_mkdir(directory, 0777), ==, 0);
    check_save_fails(image, directory, AIMF_ERROR_NOT_FOUND);
    check_save_fails(wide, too_wide, AIMF_ERROR_INVALID); /* JPEG ends at 65500 */
    g_rmdir(directory);
    g_assert_cmpint(g_rmdir(folder), ==, 0); /* nothing was left behind */
}

/*
 * (owned) the texts of a PNG as "keyword=text" lines, read chunk by chunk; iTXt's keyword ends with a 0, two bytes,
 * two more 0.
 */
static char *png_texts(GBytes *png)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(png, &size);
    g_autoptr(GString) lines = g_string_new(NULL);
    for (gsize at = 8; at + 12 <= size;) {
        guint32 length;
        memcpy(&length, data + at, sizeof length);
        length = GUINT32_FROM_BE(length);
        const char *kind = (const char *)data + at + 4, *body = kind + 4;
        gsize skip = strncmp(kind, "tEXt", 4) == 0 ? 1 : strncmp(kind, "iTXt", 4) == 0 ? 5 : 0;
        gsize keyword = strlen(body);
        if (skip)
            g_string_append_printf(lines, "%.4s %s=%.*s\n", kind, body, (int)(length - keyword - skip),
                                   body + keyword + skip);
        at += 12 + length;
    }
    return g_strdup(lines->str);
}

static void test_texts(void)
{
    g_autoptr(AimfImage) image = test_noise(3, 9, 5, FALSE);
    static const AimfImageText texts[] = { { "prompt", "ein M\303\244dchen\nlacht" },
                                           { "negative prompt", "" },
                                           { "seed", "7" } };
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) png = aimf_image_encode_png(image, texts, G_N_ELEMENTS(texts), &error);
    g_assert_no_error(error);
    g_autofree char *found = png_texts(png);
    g_assert_cmpstr(found, ==, "iTXt prompt=ein M\303\244dchen\nlacht\ntEXt negative prompt=\ntEXt seed=7\n");
    gsize size;
    const void *data = g_bytes_get_data(png, &size);
    g_autoptr(AimfImage) back = aimf_image_decode(data, size, "texts", &error);
    g_assert_true(test_images_equal(image, back));
    g_autofree char *long_keyword = g_strnfill(80, 'k');
    const AimfImageText bad[] = { { "", "x" },          { " x", "x" },         { "x ", "x" },  { "x  y", "x" },
                                  { "M\303\244", "x" }, { long_keyword, "x" }, { "x", "\377" } };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) refusal = NULL;
        g_assert_null(aimf_image_encode_png(image, &bad[i], 1, &refusal));
        g_assert_error(refusal, AIMF_ERROR, AIMF_ERROR_INVALID);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image/decode/pillow", test_pillow);
    g_test_add_func("/image/decode/truncated", test_truncated);
    g_test_add_func("/image/decode/flipped", test_flipped);
    g_test_add_func("/image/decode/empty", test_empty);
    g_test_add_func("/image/decode/others", test_others);
    g_test_add_func("/image/decode/bomb", test_bomb);
    g_test_add_func("/image/decode/budget", test_budget);
    g_test_add_func("/image/decode/open", test_open);
    g_test_add_func("/image/save", test_save);
    g_test_add_func("/image/texts", test_texts);
    g_test_add_func("/image/save/fails", test_save_fails);
    return g_test_run();
}
