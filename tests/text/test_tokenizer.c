/* The tokenizer against its references, on the vocabulary of tests/golden/make_text.py; and on damaged vocabularies. */
#include <aimfair/text.h>

#include "base/file.h"
#include "base/json.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

static char *golden(const char *name)
{
    return g_build_filename(GOLDEN_DIR "/text", name, NULL);
}

static AimfTokenizer *open_good(const char *path)
{
    g_autoptr(GError) error = NULL;
    AimfTokenizer *tokenizer = aimf_tokenizer_open(path, &error);
    g_assert_no_error(error);
    return tokenizer;
}

/* Rows of [text, [token, …]]. */
static void check_rows(const AimfTokenizer *tokenizer, const char *file, const char *name)
{
    g_autofree char *path = golden(file);
    g_autoptr(JsonNode) root = aimf_json_open(path, 1 << 20, NULL);
    JsonArray *rows = json_object_get_array_member(json_node_get_object(root), name);
    g_assert_cmpuint(json_array_get_length(rows), >, 20);
    for (guint i = 0; i < json_array_get_length(rows); i++) {
        JsonArray *row = json_array_get_array_element(rows, i);
        const char *text = json_array_get_string_element(row, 0);
        JsonArray *expected = json_array_get_array_element(row, 1);
        guint n;
        g_autofree gint32 *ids = aimf_tokenizer_encode(tokenizer, text, &n);
        gboolean same = n == json_array_get_length(expected);
        for (guint k = 0; same && k < n; k++)
            same = ids[k] == json_array_get_int_element(expected, k);
        if (!same)
            g_error("%s, %s[%u], '%s': other tokens than the reference's", file, name, i, text);
    }
}

static void test_references(void)
{
    static const struct {
        const char *path, *rows;
    } cases[] = { { "pair", "pair" }, { "fast", "fast" }, { "small.txt", "original" } };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = golden(cases[i].path);
        g_autoptr(AimfTokenizer) tokenizer = open_good(path);
        g_assert_cmpuint(aimf_tokenizer_size(tokenizer), ==, 754);
        g_assert_cmpint(aimf_tokenizer_begin(tokenizer), ==, 752);
        g_assert_cmpint(aimf_tokenizer_end(tokenizer), ==, 753);
        check_rows(tokenizer, "tokens.json", cases[i].rows);
    }
}

static void test_prompt(void)
{
    g_autofree char *path = golden("small.txt");
    g_autoptr(AimfTokenizer) tokenizer = open_good(path);
    gint32 ids[AIMF_PROMPT_TOKENS + 1] = { [AIMF_PROMPT_TOKENS] = -7 };
    g_assert_cmpuint(aimf_tokenizer_prompt(tokenizer, "a a", 5, ids), ==, 0);
    guint n;
    g_autofree gint32 *a = aimf_tokenizer_encode(tokenizer, "a", &n);
    g_assert_cmpuint(n, ==, 1);
    const gint32 expected[] = { 752, a[0], a[0], 753, 5, 5 };
    for (guint i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpint(ids[i], ==, expected[i]);
    g_assert_cmpint(ids[AIMF_PROMPT_TOKENS - 1], ==, 5);

    g_autoptr(GString) text = g_string_new(NULL);
    for (guint words = 1; words <= 80; words++) {
        g_string_append(text, "a ");
        g_assert_cmpuint(aimf_tokenizer_prompt(tokenizer, text->str, 0, ids), ==, words > 75 ? words - 75 : 0);
        g_assert_cmpint(ids[MIN(words, 75) + 1], ==, 753);
        g_assert_cmpint(ids[MIN(words, 75)], ==, a[0]);
    }
    g_assert_cmpint(ids[AIMF_PROMPT_TOKENS], ==, -7);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tokenizer/references", test_references);
    g_test_add_func("/tokenizer/prompt", test_prompt);
    return g_test_run();
}
