/* Files that are no weight files are called what they are. */
#include "weights/support_weights.h"

#include <string.h>
#include <zip.h>

typedef struct {
    const char *data;
    gsize bytes;
    const char *says;
} Case;
#define CASE(text, says)                                                                                               \
    {                                                                                                                  \
        text, sizeof(text) - 1, says                                                                                   \
    }

static void assert_refused(const char *path, const char *says)
{
    g_autoptr(GError) error = NULL;
    if (aimf_tensors_open(path, &error))
        g_error("accepted what is %s", says);
    support_assert_error(&error, AIMF_ERROR_FORMAT, says);
}

static void test_kinds(void)
{
    static const Case cases[] = {
        CASE("", "empty file (0 bytes)"),
        CASE("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 46830571\n",
             "a Git LFS pointer, which stands for a file of 46830571 bytes"),
        CASE("<!DOCTYPE html>\n<html><body>Sign in</body></html>", "an HTML page"),
        CASE("\n \n<HTML lang=en>", "an HTML page"),
        CASE("\xef\xbb\xbf<!doctype HTML>", "an HTML page"),
        CASE("<!-- saved from -->\n<html>", "an HTML page"),
        CASE("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "an XML document"),
        CASE("{\"error\": \"Repository not found\"}", "a JSON text"),
        CASE("{\"file\":{\"a\":1}}", "a JSON text"), /* a brace where safetensors have one */
        CASE("[1, 2]", "a JSON text"),
        CASE("{\"metadata\": {}, \"weight_map\": {\"a\": \"model-00001.safetensors\"}}", "a JSON list of the files"),
        CASE("path,target,protected\na.png,1,0\n", "a table (CSV) that begins with 'path,target,protected'"),
        CASE("Entry not found", "a text that begins with 'Entry not found'"),
        CASE("\033[2Jhello", "a text that begins with ' [2Jhello'"),
        CASE("GGUF\3\0\0\0\1\0\0\0\0\0\0\0", "a GGUF file"),
        CASE("\x89HDF\r\n\x1a\n\0\0\0\0", "an HDF5 file"),
        CASE("\x08\x07\x12\x07pytorch\x1a\x05"
             "2.1.0",
             "an ONNX model"),
        CASE("\x08\x01\x12\xf0\x10\x0a\x05\x32", "a saved model of TensorFlow"),
        CASE("\x1c\0\0\0TFL3\0\0\0\0", "a TensorFlow Lite model"),
        CASE("\x1f\x8b\x08\0\0\0\0\0\0\3abc", "a gzip archive"),
        CASE("BZh91AY&SY", "a bzip2 archive"),
        CASE("\xfd"
             "7zXZ\0\0\4",
             "an xz archive"),
        CASE("\x28\xb5\x2f\xfd\0\0\0\0\0", "a Zstandard archive"),
        CASE("7z\xbc\xaf\x27\x1c\0\4", "a 7-Zip archive"),
        CASE("Rar!\x1a\x07\0", "a RAR archive"),
        CASE("\x93NUMPY\1\0v\0{'descr'", "an array of numpy"),
        CASE("\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture"),
        CASE("\x89PNG\r\n\x1a\n\0\0\0\x0d", "a PNG picture"),
        CASE("RIFF\0\0\0\0WEBPVP8 ", "a WebP picture"),
        CASE("%PDF-1.7\n\x80", "a PDF document"),
        CASE("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "nothing but zero bytes"),
        CASE("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "an empty ZIP archive"),
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_refused(support_weights_write("foreign.pth", cases[i].data, cases[i].bytes), cases[i].says);
}

static void test_archives(void)
{
    static const struct {
        const char *member, *says;
    } cases[] = {
        { "arr_0.npy", "numpy's .npz" },
        { "model.weights.h5", "a Keras model" },
        { "data.pkl", "packed again" },
        { "resnet/resnet18.pth", "an archive with checkpoints in it" },
        { "[Content_Types].xml", "an office document" },
        { "photos/1.jpg", "an archive of pictures" },
        { "readme", "not a PyTorch checkpoint: 'data.pkl' is not in a folder of it" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *path = support_weights_path("archive.pth");
        int code;
        zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
        zip_file_add(zip, cases[i].member, zip_source_buffer(zip, "x", 1, 0), 0);
        g_assert_cmpint(zip_close(zip), ==, 0);
        assert_refused(path, cases[i].says);
    }
}

/* A download that broke off, in each of the forms. */
static void test_cut_off(void)
{
    static const struct {
        const char *path, *says;
    } cases[] = {
        { GOLDEN_DIR "/weights/network.pth", "the file is cut off" },
        { GOLDEN_DIR "/weights/network.old.pth", "truncated" },
        { GOLDEN_DIR "/weights/types.safetensors", "cut off? get it again" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *whole = NULL;
        gsize bytes;
        g_assert_true(g_file_get_contents(cases[i].path, &whole, &bytes, NULL));
        assert_refused(support_weights_write("cut.pth", whole, bytes - 20), cases[i].says);
    }
    g_autofree char *whole = NULL;
    g_assert_true(g_file_get_contents(GOLDEN_DIR "/weights/types.safetensors", &whole, NULL, NULL));
    assert_refused(support_weights_write("cut.safetensors", whole, 100),
                   "cut off? get it again"); /* within the header */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/foreign/kinds", test_kinds);
    g_test_add_func("/foreign/archives", test_archives);
    g_test_add_func("/foreign/cut_off", test_cut_off);
    int status = g_test_run();
    support_weights_remove();
    return status;
}
