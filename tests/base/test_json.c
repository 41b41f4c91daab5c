#include "base/json.h"

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/bombs", test_bombs);
    g_test_add_func("/json/texts", test_texts);
    return g_test_run();
}
