#include "base/json.h"

#include "base/file.h"

#include <glib/gstdio.h>

#include <string.h>

/* @before and as many brackets as bring json-glib down. */
static void assert_bomb_refused(const char *before, const char *says)
{
    g_autoptr(GString) text = g_string_new(before);
    gsize start = text->len;
    g_string_set_size(text, start + 1000000);
    memset(text->str + start, '[', 1000000);
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_json_parse(text->str, text->len, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
    g_assert_nonnull(strstr(error->message, says));
}

static void test_bombs(void)
{
    assert_bomb_refused("", "deeper than 64");
    assert_bomb_refused("{\"a\": ", "deeper than 64");
    assert_bomb_refused("[\"\\\"\", ", "deeper than 64");
    assert_bomb_refused("\"\\\"\"", "more behind its end");
    assert_bomb_refused("/*\"*/", "comments");
    assert_bomb_refused("//\"\n", "comments");
    assert_bomb_refused("'\"'", "single quotes");
}

static void test_texts(void)
{
    static const char good[] = "{\"[[[[/*'\": [\"\\\"//\", 1, null]}";
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) node = aimf_json_parse(good, strlen(good), &error);
    g_assert_no_error(error);
    g_assert_true(JSON_NODE_HOLDS_OBJECT(node));
    static const char *const bad[] = { "", " ", "{", "{\"a\"}", "[1,", "\xff", "NaN" };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) refused = NULL;
        g_assert_null(aimf_json_parse(bad[i], strlen(bad[i]), &refused));
        g_assert_error(refused, AIMF_ERROR, AIMF_ERROR_FORMAT);
    }
}

/* Editors put a mark before a file or save it as UTF-16; it stays the same JSON. */
static void test_open(void)
{
    static const struct {
        const char *text;
        gsize n;
    } FORMS[] = {
#define FORM(text) text, sizeof(text) - 1
        { FORM("{\"a\": 7}\n") },
        { FORM("\xEF\xBB\xBF{\"a\": 7}\r\n") },
        { FORM("{\r\"a\":\r7}\r") },
        { FORM("\xFF\xFE{\0\"\0a\0\"\0:\0"
               "7\0}\0") },
        { FORM("\xFE\xFF\0{\0\"\0a\0\"\0:\0"
               "7\0}") },
#undef FORM
    };
    g_autofree char *folder = g_dir_make_tmp("aimfair-json-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "a.json", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(FORMS); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_true(aimf_file_write(path, FORMS[i].text, FORMS[i].n, NULL));
        g_autoptr(JsonNode) node = aimf_json_open(path, 1 << 20, &error);
        g_assert_no_error(error);
        gint64 value = 0;
        g_assert_true(aimf_json_int(json_node_get_object(node), path, "a", 0, 9, &value, &error));
        g_assert_cmpint(value, ==, 7);
    }
    g_unlink(path);
    g_rmdir(folder);
}

/* What is no JSON is said to be none, whatever it has in it; what is JSON but for a comment is told of the comment. */
static void test_not_json(void)
{
    static const struct {
        const char *text;
        gssize length;
        const char *says;
    } cases[] = {
        { "path,target,protected\na/b.jpg,0,1\n", -1, "not JSON: it begins with \"path,target,protected\"" },
        { "it's a photo", -1, "not JSON: it begins with \"it's a photo\"" },
        { "1_0: a/b\n", -1, "not JSON: line 1 has more behind its end" },
        { "<!DOCTYPE html>\n", -1,
          "not JSON: it is an HTML page, as servers send in place of a file; get the file again" },
        { "<a>\n", -1, "not JSON: it is HTML or XML" },
        { "version https://git-lfs.github.com/spec/v1\noid", -1,
          "it is a Git LFS pointer, not the file itself; run 'git lfs pull'" },
        { "GGUF\3\0\0\0\0", 9, "not JSON: it is a file of weights" },
        { "\x89PNG\r\n\x1a\n\0\0", 10, "not JSON: it" },
        { "\x40\0\0\0\0\0\0\0{\"a\": 1}", 16, "not JSON: it is a file of weights" },
        { "PK\x03\x04", -1, "not JSON: it is a ZIP archive" },
        { "\x01\x02", -1, "not JSON: it is binary" },
        { "", -1, "not JSON: it is empty" },
        { " \n\n", -1, "not JSON: it is empty" },
        { "{\"a\": 1, // one\n\"b\": 2}", -1, "not JSON: line 1 has a comment" },
        { "{\n\"a\": /* one */ 1}", -1, "not JSON: line 2 has a comment" },
        { "{\n\n'a': 1}", -1, "not JSON: line 3 has a single quote" },
        { "{\"a\": 1/2}", -1, "not JSON: line 1 has a '/' outside of a text" },
        { "{\"a\": 1", -1, "not JSON: " },
        { "task: smiling\nattributes:\n", -1, "not JSON: it begins with \"task: smiling\"" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        gsize length = cases[i].length < 0 ? strlen(cases[i].text) : (gsize)cases[i].length;
        g_assert_null(aimf_json_parse(cases[i].text, length, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
    static const char marked[] = "\xef\xbb\xbf{\"path\": \"a/b\", \"it\": \"isn't // one\"}";
    g_autoptr(JsonNode) node = aimf_json_parse(marked, strlen(marked), NULL);
    g_assert_nonnull(node);
}

/* Pairs make one character; halves, which no UTF-8 has, become U+FFFD; an escaped backslash begins no escape. */
static void test_halves(void)
{
    static const struct {
        const char *text, *value;
    } cases[] = {
        { "{\"a\": \"\\ud83d\\ude42\"}", "\U0001F642" }, { "{\"a\": \"\\ud83d\"}", "\ufffd" },
        { "{\"a\": \"x\\uDE42y\"}", "x\ufffdy" },        { "{\"a\": \"\\ud83d\\ud83d\\ude42\"}", "\ufffd\U0001F642" },
        { "{\"a\": \"\\\\ud83d\"}", "\\ud83d" },         { "{\"a\": \"\\u00e9\"}", "\u00e9" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonNode) node = aimf_json_parse(cases[i].text, strlen(cases[i].text), &error);
        g_assert_no_error(error);
        g_assert_cmpstr(json_object_get_string_member(json_node_get_object(node), "a"), ==, cases[i].value);
    }
    /* cut off anywhere in an escape: refused, nothing worse */
    static const char whole[] = "{\"a\": \"\\ud83d\\ude42\"";
    for (gsize n = 0; n < strlen(whole); n++) {
        g_autofree char *exact = g_memdup2(whole, MAX(n, 1)); /* so that a sanitizer sees what is read beyond */
        g_autoptr(GError) error = NULL;
        g_assert_null(aimf_json_parse(exact, n, &error));
        g_assert_true(error && g_utf8_validate(error->message, -1, NULL));
    }
}

/* RFC 8259 to the letter, where json-glib knows more: it would take all of these, or leak. */
static void test_grammar(void)
{
    static const char *const good[] = {
        "[]", "{}", " [ 1 , -0.5e+3 , 0 , 10E2 ] ", "{\"a\":{\"b\":[]},\"\":null}", "\"\\/\\b\\u00E9\"", "true",
    };
    static const char *const bad[] = {
        "{}[]",
        "[1,]",
        "[,1]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "[1 2]",
        "01",
        "1.",
        ".5",
        "0x1F",
        "[1e]",
        "+1",
        "--1",
        "nulls",
        "[true1]",
        "[}",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "]",
        "[]]",
        "{1:2}",
        "[\"\\x\"]",
        "[\"\\u12g4\"]",
        "[\"a]",
        "[\"\xff\"]",
        "[1][",
        "{\"a\":1 \"b\":2}",
        "-",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(JsonNode) node = aimf_json_parse(good[i], strlen(good[i]), &error);
        g_assert_no_error(error);
        g_assert_nonnull(node);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", bad[i]);
        g_assert_null(aimf_json_parse(bad[i], strlen(bad[i]), &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
    }
}

/* Whole numbers that 64 bits do not hold become real ones; an escaped NUL cuts no text short. */
static void test_values(void)
{
    static const char text[] = "{\"largest\": 9223372036854775807, \"least\": -9223372036854775808, "
                               "\"model_max_length\": 1000000000000000019884624838656, \"one_more\": "
                               "-9223372036854775809, \"a\\u0000b\": \"12345678901234567890123\\u0000\"}";
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonNode) node = aimf_json_parse(text, strlen(text), &error);
    g_assert_no_error(error);
    JsonObject *object = json_node_get_object(node);
    g_assert_cmpint(json_object_get_int_member(object, "largest"), ==, G_MAXINT64);
    g_assert_cmpint(json_object_get_int_member(object, "least"), ==, G_MININT64);
    /* Sixteen digits are kept. */
    g_assert_cmpfloat_with_epsilon(json_object_get_double_member(object, "model_max_length") / 1e30, 1, 1e-14);
    g_assert_cmpfloat_with_epsilon(json_object_get_double_member(object, "one_more") / -0x1p63, 1, 1e-14);
    g_assert_cmpstr(json_object_get_string_member(object, "a\ufffdb"), ==, "12345678901234567890123\ufffd");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/bombs", test_bombs);
    g_test_add_func("/json/texts", test_texts);
    g_test_add_func("/json/open", test_open);
    g_test_add_func("/json/not-json", test_not_json);
    g_test_add_func("/json/halves", test_halves);
    g_test_add_func("/json/grammar", test_grammar);
    g_test_add_func("/json/values", test_values);
    return g_test_run();
}
