/* The tokenizer against its references, on the vocabulary of tests/golden/make_text.py; and on damaged vocabularies. */
#include <aimfair/text.h>

#include "base/file.h"
#include "base/json.h"

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

/* The vocabulary's two files alone: no configuration says that anything is special but begin and end. */
static void test_without_configuration(void)
{
    g_autofree char *folder = g_dir_make_tmp("aimfair-text-XXXXXX", NULL);
    static const char *const names[] = { "vocab.json", "merges.txt" };
    char *copies[2];
    for (guint i = 0; i < 2; i++) {
        g_autofree char *from = g_build_filename(GOLDEN_DIR "/text/pair", names[i], NULL);
        copies[i] = g_build_filename(folder, names[i], NULL);
        g_autoptr(GBytes) bytes = aimf_file_read(from, 1 << 20, NULL);
        gsize size;
        const void *data = g_bytes_get_data(bytes, &size);
        g_assert_true(aimf_file_write(copies[i], data, size, NULL));
    }
    g_autoptr(AimfTokenizer) tokenizer = open_good(folder);
    check_rows(tokenizer, "tokens.json", "hugging_face");
    for (guint i = 0; i < 2; i++) {
        g_remove(copies[i]);
        g_free(copies[i]);
    }
    g_rmdir(folder);
}

static void copy_file(const char *from_folder, const char *to_folder, const char *name)
{
    g_autofree char *from = g_build_filename(from_folder, name, NULL), *to = g_build_filename(to_folder, name, NULL);
    g_autoptr(GBytes) bytes = aimf_file_read(from, 1 << 20, NULL);
    gsize size;
    const void *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;
    g_assert_true(!data || aimf_file_write(to, data, size, NULL)); /* not each of them has each */
}

static void check_added(const char *folder, const char *name)
{
    g_autoptr(AimfTokenizer) tokenizer = open_good(folder);
    g_assert_cmpuint(aimf_tokenizer_size(tokenizer), ==, 758);
    g_assert_cmpint(aimf_tokenizer_end(tokenizer), ==, 753);
    check_rows(tokenizer, "added/tokens.json", name);
}

static void remove_folder(const char *folder)
{
    g_autoptr(GPtrArray) names = aimf_directory_list(folder, NULL);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);
        g_remove(path);
    }
    g_rmdir(folder);
}

/*
 * Tokens that textual inversion added, as transformers 4 stores them: found in folded text, some of them only as
 * whole words.
 */
static void test_added(void)
{
    static const char *const names[] = { "plain", "bare", "single" };
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *folder = g_dir_make_tmp("aimfair-text-XXXXXX", NULL), *pair = golden("pair");
        g_autofree char *added = g_build_filename(GOLDEN_DIR, "text", "added", names[i], NULL);
        copy_file(pair, folder, "vocab.json");
        copy_file(pair, folder, "merges.txt");
        copy_file(added, folder, "added_tokens.json");
        copy_file(added, folder, "tokenizer_config.json");
        check_added(folder, names[i]);
        remove_folder(folder);
    }
}

/* The same as transformers 5 stores it: all in tokenizer.json, whose vocabulary is taken from text/fast. */
static void test_added_fast(void)
{
    g_autofree char *folder = g_dir_make_tmp("aimfair-text-XXXXXX", NULL), *added = golden("added/fast");
    g_autofree char *of_vocabulary = golden("fast/tokenizer.json"), *of_added = golden("added/fast/tokenizer.json");
    g_autofree char *path = g_build_filename(folder, "tokenizer.json", NULL);
    g_autoptr(JsonNode) vocabulary = aimf_json_open(of_vocabulary, 1 << 20, NULL);
    g_autoptr(JsonNode) whole = aimf_json_open(of_added, 1 << 20, NULL);
    JsonNode *model = json_node_copy(json_object_get_member(json_node_get_object(vocabulary), "model"));
    JsonObject *made = json_object_new();
    json_object_set_member(made, "model", model);
    json_object_set_member(made, "added_tokens",
                           json_node_copy(json_object_get_member(json_node_get_object(whole), "added_tokens")));
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), made);
    json_object_unref(made);
    g_autofree char *text = json_to_string(root, FALSE);
    g_assert_true(aimf_file_write(path, text, strlen(text), NULL));
    copy_file(added, folder, "tokenizer_config.json");
    check_added(folder, "fast");
    remove_folder(folder);
}

/* OpenAI's own vocabulary, where it is. */
static void test_real(void)
{
    const char *data = g_getenv("AIMFAIR_DATA");
    g_autofree char *path = g_build_filename(data ? data : "", "clip", "bpe_simple_vocab_16e6.txt.gz", NULL);
    if (!data || !g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_test_skip("AIMFAIR_DATA names no folder with clip/bpe_simple_vocab_16e6.txt.gz");
        return;
    }
    g_autoptr(AimfTokenizer) tokenizer = open_good(path);
    g_assert_cmpuint(aimf_tokenizer_size(tokenizer), ==, 49408);
    g_assert_cmpint(aimf_tokenizer_begin(tokenizer), ==, 49406);
    g_assert_cmpint(aimf_tokenizer_end(tokenizer), ==, 49407);
    check_rows(tokenizer, "real.json", "original");
}

/*
 * Bytes that are no UTF-8: one U+FFFD for every part that could have begun a character, as Unicode recommends
 * (section 3.9).
 */
static void test_invalid(void)
{
    static const char *const cases[][2] = {
        { "a\xff"
          "b",
          "a\xef\xbf\xbd"
          "b" },
        { "\xe2\x82", "\xef\xbf\xbd" },
        { "\xe2\x82\xe2\x82\xac", "\xef\xbf\xbd\xe2\x82\xac" },
        { "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xf0\x9f\x98 x", "\xef\xbf\xbd x" },
        { "\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xf5\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
    };
    static const char *const names[] = { "small.txt", "pair" };
    for (guint k = 0; k < G_N_ELEMENTS(names); k++) {
        g_autofree char *path = golden(names[k]);
        g_autoptr(AimfTokenizer) tokenizer = open_good(path);
        for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
            guint n[2];
            g_autofree gint32 *damaged = aimf_tokenizer_encode(tokenizer, cases[i][0], &n[0]);
            g_autofree gint32 *repaired = aimf_tokenizer_encode(tokenizer, cases[i][1], &n[1]);
            g_assert_cmpuint(n[0], ==, n[1]);
            g_assert_cmpint(memcmp(damaged, repaired, n[0] * sizeof(gint32)), ==, 0);
        }
    }
}

/* A word of a million letters, and a text of a million words, take no more than their length allows. */
static void test_long(void)
{
    static const char *const names[] = { "small.txt", "pair" };
    for (guint k = 0; k < G_N_ELEMENTS(names); k++) {
        g_autofree char *path = golden(names[k]);
        g_autoptr(AimfTokenizer) tokenizer = open_good(path);
        g_autofree char *word = g_strnfill(1000000, 'e');
        guint n;
        g_autofree gint32 *letters = aimf_tokenizer_encode(tokenizer, word, &n);
        g_assert_cmpuint(n, >, 100000);
        g_assert_cmpint(letters[0], ==, letters[1]);
        memset(word, '<', 1000000);
        for (guint i = 0; i < 1000000; i += 2)
            word[i] = '!';
        g_autofree gint32 *signs = aimf_tokenizer_encode(tokenizer, word, &n);
        g_assert_cmpuint(n, >, 100000);
        g_assert_cmpint(signs[n - 1], !=, aimf_tokenizer_end(tokenizer));
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

/* (owned) the hash of the vocabulary that small.txt becomes when @from in it becomes @to. */
static char *hash_of_changed(const char *from, const char *to)
{
    g_autofree char *path = golden("small.txt"), *text = NULL, *changed_path = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_autoptr(GString) changed = g_string_new(text);
    g_assert_cmpuint(g_string_replace(changed, from, to, 1), ==, 1);
    int fd = g_file_open_tmp("aimfair-XXXXXX.txt", &changed_path, NULL);
    g_assert_true(g_close(fd, NULL) && aimf_file_write(changed_path, changed->str, changed->len, NULL));
    g_autoptr(AimfTokenizer) tokenizer = open_good(changed_path);
    g_unlink(changed_path);
    return aimf_tokenizer_hash(tokenizer);
}

static void test_hash(void)
{
    g_autofree char *path = golden("small.txt"), *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", 5); /* the first one is a comment */
    g_autofree char *from = g_strconcat("\n", lines[1], "\n", lines[2], "\n", NULL);
    g_autofree char *swapped = g_strconcat("\n", lines[2], "\n", lines[1], "\n", NULL);
    g_autofree char *comment = g_strconcat(lines[0], " ", NULL);
    g_autofree char *hash = hash_of_changed("\n", "\n"), *same = hash_of_changed(lines[0], comment);
    g_autofree char *other = hash_of_changed(from, swapped);
    g_assert_cmpuint(strlen(hash), ==, 64);
    g_assert_cmpstr(hash, ==, same);
    g_assert_cmpstr(hash, !=, other);
    /* Hugging Face's form of the same pairs: texts are cleaned in another way. */
    g_autofree char *pair_path = golden("pair");
    g_autoptr(AimfTokenizer) pair = open_good(pair_path);
    g_autofree char *pair_hash = aimf_tokenizer_hash(pair);
    g_assert_cmpstr(hash, !=, pair_hash);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tokenizer/added", test_added);
    g_test_add_func("/tokenizer/added_fast", test_added_fast);
    g_test_add_func("/tokenizer/hash", test_hash);
    g_test_add_func("/tokenizer/references", test_references);
    g_test_add_func("/tokenizer/without-configuration", test_without_configuration);
    g_test_add_func("/tokenizer/real", test_real);
    g_test_add_func("/tokenizer/invalid", test_invalid);
    g_test_add_func("/tokenizer/long", test_long);
    g_test_add_func("/tokenizer/prompt", test_prompt);
    return g_test_run();
}
