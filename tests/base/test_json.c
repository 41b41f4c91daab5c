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
    assert_bomb_refused("\"\\\"\"", "deeper than 64");
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/bombs", test_bombs);
    g_test_add_func("/json/texts", test_texts);
    g_test_add_func("/json/open", test_open);
    return g_test_run();
}
