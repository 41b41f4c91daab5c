/*
 * Vocabularies that are missing, damaged, of another kind or made to do harm: refused by name, with what was expected.
 */
#include <aimfair/text.h>

#include "base/file.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    char *folder;
} Fixture;

static void set_up(Fixture *fixture, gconstpointer data)
{
    (void)data;
    fixture->folder = g_dir_make_tmp("aimfair-vocabulary-XXXXXX", NULL);
    g_assert_nonnull(fixture->folder);
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    (void)data;
    g_autoptr(GPtrArray) names = aimf_directory_list(fixture->folder, NULL);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(fixture->folder, names->pdata[i], NULL);
        g_remove(path);
    }
    g_rmdir(fixture->folder);
    g_free(fixture->folder);
}

static void write_file(const Fixture *fixture, const char *name, const void *data, gsize bytes)
{
    g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
    g_assert_true(aimf_file_write(path, data, bytes, NULL));
}

static void assert_refused(const Fixture *fixture, const char *name, int code, const char *says)
{
    g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTokenizer) tokenizer = aimf_tokenizer_open(path, &error);
    g_assert_null(tokenizer);
    g_assert_error(error, AIMF_ERROR, code);
    if (!strstr(error->message, says) || !strstr(error->message, fixture->folder))
        g_error("'%s' should name the file and say '%s'", error->message, says);
}

static void refuse_bytes(const Fixture *fixture, const void *data, gsize bytes, const char *says)
{
    write_file(fixture, "bpe.txt", data, bytes);
    assert_refused(fixture, "bpe.txt", AIMF_ERROR_FORMAT, says);
}

static void refuse_text(const Fixture *fixture, const char *text, const char *says)
{
    refuse_bytes(fixture, text, strlen(text), says);
}

static void assert_tokens(const Fixture *fixture, const char *name, guint size, const char *text, guint expected)
{
    g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTokenizer) tokenizer = aimf_tokenizer_open(path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_tokenizer_size(tokenizer), ==, size);
    guint n;
    g_autofree gint32 *ids = aimf_tokenizer_encode(tokenizer, text, &n);
    g_assert_cmpuint(n, ==, expected);
    for (guint i = 0; i < n; i++)
        g_assert_cmpint(ids[i], <, (int)size);
}

static void test_absent(Fixture *fixture, gconstpointer data)
{
    (void)data;
    assert_refused(fixture, "", AIMF_ERROR_NOT_FOUND, "bpe_simple_vocab_16e6.txt");
    assert_refused(fixture, "nowhere", AIMF_ERROR_NOT_FOUND, "merges.txt");
    write_file(fixture, "vocab.json", "{}", 2);
    assert_refused(fixture, "", AIMF_ERROR_NOT_FOUND, "merges.txt");
    g_autofree char *pipe = g_build_filename(fixture->folder, "pipe", NULL);
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_tokenizer_open(pipe, &error));
    g_assert_nonnull(error);
}

static void test_lists(Fixture *fixture, gconstpointer data)
{
    (void)data;
    refuse_text(fixture, "", "lists no merges");
    refuse_text(fixture, "#version: 0.2\n", "lists no merges");
    refuse_text(fixture, "h e\n", "line 1: expected '#version'");
    refuse_text(fixture, "#version: 0.2\nhe\n", "line 2: expected two tokens with a space between them, found 'he'");
    refuse_text(fixture, "#version: 0.2\nh e\n\nhe \n", "line 4: expected two tokens");
    refuse_text(fixture, "#version: 0.2\n h\n", "line 2: expected two tokens");
    refuse_text(fixture, "#version: 0.2\nh e l\n", "line 2: expected two tokens");
    refuse_text(fixture, "#version: 0.2\nhe l</w>\n", "line 2: 'he' and 'l</w>' are merged, but 'he' is no token");
    refuse_text(fixture, "#version: 0.2\nh e\nh e\n", "line 3: the token 'he' is number 512 already");
    refuse_text(fixture, "#version: 0.2\nh e\nl l\n\xffh e\n", "line 4: not UTF-8");
    refuse_bytes(fixture, "#version: 0.2\nh e\nl\0l\n", 22, "line 3: not UTF-8");
    refuse_text(fixture, "#version: 0.2\n<|startoftext| >\n", "no token");
    g_autoptr(GString) words = g_string_new("#version: 0.2\n");
    for (guint i = 0; i < 1000000; i++)
        g_string_append_printf(words, "long%u line%u\n", i, i);
    refuse_bytes(fixture, words->str, words->len, "line 2: ");
    g_autofree char *line = g_strnfill(30 << 20, 'x');
    memcpy(line, "#version: 0.2\nh ", 16);
    refuse_text(fixture, line, "line 2: ");
    g_autofree char *large = g_malloc0((32 << 20) + 1);
    refuse_bytes(fixture, large, (32 << 20) + 1, "at most");
    static const char windows[] = "#version: 0.2\r\nh e\r\nl o</w>\r\n";
    write_file(fixture, "bpe.txt", windows, strlen(windows));
    assert_tokens(fixture, "bpe.txt", 516, "helo", 2);
    static const char marked[] = "\xEF\xBB\xBF#version: 0.2\nh e\nl o</w>\n";
    write_file(fixture, "bpe.txt", marked, strlen(marked));
    assert_tokens(fixture, "bpe.txt", 516, "helo", 2);
}

/* (owned) @text packed by gzip. */
static GByteArray *pack(const void *text, gsize bytes)
{
    g_autoptr(GZlibCompressor) gzip = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
    GByteArray *packed = g_byte_array_new();
    g_autofree guint8 *room = g_malloc(1 << 16);
    gsize from = 0;
    for (GConverterResult result = G_CONVERTER_CONVERTED; result != G_CONVERTER_FINISHED;) {
        gsize taken, made;
        result = g_converter_convert(G_CONVERTER(gzip), (const guint8 *)text + from, bytes - from, room, 1 << 16,
                                     G_CONVERTER_INPUT_AT_END, &taken, &made, NULL);
        g_assert_cmpint(result, !=, G_CONVERTER_ERROR);
        from += taken;
        g_byte_array_append(packed, room, (guint)made);
    }
    return packed;
}

static void test_packed(Fixture *fixture, gconstpointer data)
{
    (void)data;
    static const char good[] = "#version: 0.2\nh e\nl o</w>\n";
    g_autoptr(GByteArray) packed = pack(good, strlen(good));
    write_file(fixture, "good.gz", packed->data, packed->len);
    assert_tokens(fixture, "good.gz", 516, "helo", 2);
    for (guint bytes = 2; bytes < packed->len; bytes++)
        refuse_bytes(fixture, packed->data, bytes, "");
    for (guint at = 2; at < packed->len; at++) { /* any byte may be wrong: refused, or a header that does not matter */
        g_autoptr(GByteArray) damaged = g_byte_array_new();
        g_byte_array_append(damaged, packed->data, packed->len);
        damaged->data[at] ^= 0x55;
        write_file(fixture, "bpe.txt", damaged->data, damaged->len);
        g_autofree char *path = g_build_filename(fixture->folder, "bpe.txt", NULL);
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfTokenizer) tokenizer = aimf_tokenizer_open(path, &error);
        if (!tokenizer)
            g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
        else
            g_assert_cmpuint(at, <, 10);
    }
    g_autofree char *zeros = g_malloc0(40 << 20);
    g_autoptr(GByteArray) bomb = pack(zeros, 40 << 20);
    g_assert_cmpuint(bomb->len, <, 100000);
    refuse_bytes(fixture, bomb->data, bomb->len, "inflates to more than");
}

static void refuse_pair(const Fixture *fixture, const char *tokens, const char *merges, const char *says)
{
    write_file(fixture, "vocab.json", tokens, strlen(tokens));
    write_file(fixture, "merges.txt", merges, strlen(merges));
    assert_refused(fixture, "", AIMF_ERROR_FORMAT, says);
}

#define SPECIALS "\"<|startoftext|>\": 8, \"<|endoftext|>\": 9"

static void test_pairs(Fixture *fixture, gconstpointer data)
{
    (void)data;
    refuse_pair(fixture, "", "", "not JSON");
    refuse_pair(fixture, "[]", "", "not a JSON object");
    refuse_pair(fixture, "{}", "", "special token '<|startoftext|>' is missing");
    refuse_pair(fixture, "{\"a\": -1, " SPECIALS "}", "", "'a' must be a whole number from 0");
    refuse_pair(fixture, "{\"a\": 99999999999, " SPECIALS "}", "", "'a' must be a whole number from 0");
    refuse_pair(fixture, "{\"a\": \"0\", " SPECIALS "}", "", "'a' must be a whole number from 0");
    refuse_pair(fixture, "{\"a\": [0], " SPECIALS "}", "", "'a' must be a whole number from 0");
    refuse_pair(fixture, "{\"a\": 0, " SPECIALS "}", "#version: 0.2\na b\n", "merges.txt', line 2: ");
    refuse_pair(fixture, "{\"a\": 0, " SPECIALS "}", "a\n", "merges.txt', line 1: expected two tokens");
    refuse_pair(fixture, "{\"a\": 0, \"aa\": 1, " SPECIALS "}", "a a\na a\n", "merge 2 is the same as merge 1");
    refuse_pair(fixture, "{\"a\": 0, \"aa\": 1, " SPECIALS "}", "a \xc3\n", "line 1: not UTF-8");
    static const char tokens[] = "{\"a\": 0, \"a</w>\": 1, \"aa</w>\": 2, " SPECIALS "}";
    write_file(fixture, "vocab.json", tokens, strlen(tokens));
    write_file(fixture, "merges.txt", "a a</w>\n", 8);
    assert_tokens(fixture, "", 10, "aaa AA b", 4); /* b has no token: it is unknown, as Hugging Face has it */
    static const char *const configs[][2] = {
        { "{", "tokenizer_config.json" },
        { "{\"pad_token\": \"[PAD]\"}", "special token '[PAD]' is missing" },
        { "{\"bos_token\": {\"content\": \"[CLS]\"}}", "special token '[CLS]' is missing" },
        { "{\"added_tokens_decoder\": {\"3\": {\"content\": \"[X]\"}}}", "'[X]' has the number 3; those from 10" },
        { "{\"added_tokens_decoder\": {\"x\": {\"content\": \"[X]\"}}}", "added_tokens_decoder has 'x'" },
        { "{\"added_tokens_decoder\": {\"99999999\": {\"content\": \"[X]\"}}}", "added_tokens_decoder has '99999999'" },
        { "{\"eos_token\": \"\"}", "special token '' is missing" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(configs); i++) {
        write_file(fixture, "tokenizer_config.json", configs[i][0], strlen(configs[i][0]));
        assert_refused(fixture, "", AIMF_ERROR_FORMAT, configs[i][1]);
    }
    static const char odd[] =
        "{\"pad_token\": 5, \"bos_token\": null, \"added_tokens_decoder\": {\"1\": 7, \"2\": []}}";
    write_file(fixture, "tokenizer_config.json", odd, strlen(odd));
    assert_tokens(fixture, "", 10, "a", 1);
    static const char *const added[][2] = {
        { "[]", "not a JSON object" },
        { "{\"<new>\": 3}", "'<new>' has the number 3; those from 10" },
        { "{\"<new>\": -1}", "'<new>' must be a whole number" },
        { "{\"<new>\": \"10\"}", "'<new>' must be a whole number" },
        { "{\"\": 10}", "has the number 10" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(added); i++) {
        write_file(fixture, "added_tokens.json", added[i][0], strlen(added[i][0]));
        assert_refused(fixture, "", AIMF_ERROR_FORMAT, added[i][1]);
    }
    write_file(fixture, "added_tokens.json", "{\"<new>\": 10}", strlen("{\"<new>\": 10}"));
    assert_tokens(fixture, "", 11, "a<NEW>a", 3);
}

static void test_tokenizer_json(Fixture *fixture, gconstpointer data)
{
    (void)data;
    static const char *const cases[][2] = {
        { "{}", "'model' is missing" },
        { "{\"model\": 3}", "'model' must be an object" },
        { "{\"model\": {\"vocab\": []}}", "'vocab' must be an object" },
        { "{\"model\": {\"vocab\": {}, \"merges\": {}}}", "'merges' must be an array" },
        { "{\"model\": {\"vocab\": {}, \"merges\": [1]}}", "merges[0]: expected two tokens" },
        { "{\"model\": {\"vocab\": {}, \"merges\": [[\"a\"]]}}", "merges[0]: expected two tokens" },
        { "{\"model\": {\"vocab\": {}, \"merges\": [[\"a\", 1]]}}", "merges[0]: expected two tokens" },
        { "{\"model\": {\"vocab\": {}, \"merges\": [[\"a\", \"b\"]]}}", "'a' is no token" },
        { "{\"model\": {\"vocab\": {}, \"merges\": [\"a\"]}}", "merges[0]: expected two tokens" },
        { "{\"model\": {\"vocab\": {}, \"merges\": []}}", "'<|startoftext|>' is missing" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        write_file(fixture, "tokenizer.json", cases[i][0], strlen(cases[i][0]));
        assert_refused(fixture, "", AIMF_ERROR_FORMAT, cases[i][1]);
    }
    static const char good[] =
        "{\"model\": {\"vocab\": {\"a\": 0, \"a</w>\": 1, \"aa</w>\": 2, " SPECIALS "}, \"merges\": [\"a a</w>\"]}}";
    write_file(fixture, "tokenizer.json", good, strlen(good));
    assert_tokens(fixture, "", 10, "aa a", 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/vocabulary/absent", Fixture, NULL, set_up, test_absent, tear_down);
    g_test_add("/vocabulary/lists", Fixture, NULL, set_up, test_lists, tear_down);
    g_test_add("/vocabulary/packed", Fixture, NULL, set_up, test_packed, tear_down);
    g_test_add("/vocabulary/pairs", Fixture, NULL, set_up, test_pairs, tear_down);
    g_test_add("/vocabulary/tokenizer-json", Fixture, NULL, set_up, test_tokenizer_json, tear_down);
    return g_test_run();
}
