#include "base/random.h"
#include "llm/llm_answer.h"
#include "llm/llm_secret.h"

#include <string.h>

static const char *const DIMENSIONS[] = { "hair", "face shape", "light" };
enum { LIMIT = 100 };

static GArray *read_answer(const char *text)
{
    return aimf_answer_read(text, DIMENSIONS, G_N_ELEMENTS(DIMENSIONS), LIMIT);
}

/* (owned) What was found, one per line: "text|hair=…|light=…". */
static char *summary(const char *text)
{
    g_autoptr(GArray) found = read_answer(text);
    GString *lines = g_string_new(NULL);
    for (guint i = 0; i < found->len; i++) {
        const AimfPrompt *prompt = &g_array_index(found, AimfPrompt, i);
        g_string_append_printf(lines, "%s%s", i ? "\n" : "", prompt->text ? prompt->text : "");
        for (guint c = 0; c < prompt->n_contexts; c++)
            g_string_append_printf(lines, "|%s=%s", prompt->dimensions[c], prompt->contexts[c]);
    }
    return g_string_free(lines, FALSE);
}

static void test_forms(void)
{
    static const struct {
        const char *answer;
        const char *found;
    } cases[] = {
        /* as asked */
        { "{\"prompts\": [{\"hair\": \"short\", \"face_shape\": \"\", \"light\": \"dusk\", \"prompt\": \"A man.\"}]}",
          "A man.|hair=short|light=dusk" },
        { "{\"prompts\": [{\"hair\": \"short\", \"light\": \"none\"}, {\"Face-Shape\": \"oval\"}]}",
          "|hair=short\n|face shape=oval" },
        /* the schema ignored */
        { "{\"prompts\": [\"A man.\", \"A cat.\"]}", "A man.\nA cat." },
        { "[\"A man.\", \"A cat.\"]", "A man.\nA cat." },
        { "[{\"text\": \"A man.\", \"context\": {\"hair\": \"short\"}}]", "A man.|hair=short" },
        { "{\"results\": [{\"description\": \"A man.\"}]}", "A man." },
        { "{\"1\": \"A man.\", \"2\": \"A cat.\"}", "A man.\nA cat." },
        { "{\"answer\": {\"prompts\": [\"A man.\"]}}", "A man." },
        { "{\"prompt\": \"A man.\"}\n{\"prompt\": \"A cat.\"}", "A man.\nA cat." },
        /* fences and prose */
        { "```json\n{\"prompts\": [\"A man.\"]}\n```", "A man." },
        { "Sure [of course]! Here: {\"prompts\": [\"A man.\"]} Anything else?", "A man." },
        { "He said \"so\" {not JSON} then ```[\"A man.\"]```", "A man." },
        /* cut off */
        { "{\"prompts\": [{\"prompt\": \"A man.\"}, {\"prompt\": \"A ca", "A man." },
        { "{\"prompts\": [{\"prompt\": \"A man.\", \"hair\": \"short\"}, {\"prompt\": \"A cat.\", \"hai",
          "A man.|hair=short" },
        { "```json\n[\"A man.\", \"A cat.\", \"A d", "A man.\nA cat." },
        { "{\"prompts\": [", "" },
        { "{\"prompts\": [\"A m", "" },
        /* lists of lines */
        { "Here are two:\n\n1. A man.\n2) A cat.\n\nEnjoy!", "A man.\nA cat." },
        { "- \"A man.\"\n* **A cat.**\n• “A dog.”", "A man.\nA cat.\nA dog." },
        { "A man.\nA cat.", "A man.\nA cat." },
        { "1. hair: short; light: dusk\n2. Hair: long; face shape: round.; light: -",
          "|hair=short|light=dusk\n|hair=long|face shape=round" },
        { "1. A man: tall; thin", "A man: tall; thin" },
        /* nothing */
        { "", "" },
        { "\n\n```\n```\n", "" },
        { "{}", "" },
        { "[]", "" },
        { "{\"prompts\": []}", "" },
        { "[1, 2, null, true, [[[]]], {\"a\": 5}]", "" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = summary(cases[i].answer);
        g_test_message("%s", cases[i].answer);
        /* "{}" and its like leave their own line of text, which the checks refuse */
        if (*cases[i].found || !strpbrk(cases[i].answer, "{["))
            g_assert_cmpstr(found, ==, cases[i].found);
        else
            g_assert_null(strstr(found, "|"));
    }
}

/* What is built to take time or memory takes neither. */
static void test_bombs(void)
{
    static const char *const pieces[] = { "[",  "{",   "{\"a\":", "[[\"", "\"", "\\",     "[]",
                                          "{}", "[1,", "1. ",     ";:",   "\n", "[\"a\"," };
    for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        while (text->len < 300000)
            g_string_append(text, pieces[i]);
        gint64 began = g_get_monotonic_time();
        g_autoptr(GArray) found = read_answer(text->str);
        g_assert_cmpuint(found->len, <=, LIMIT);
        g_test_message("%s: %.2f s", pieces[i], (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC);
        g_assert_cmpint((g_get_monotonic_time() - began) / G_USEC_PER_SEC, <, 20);
    }
}

/* Good answers with bytes changed, doubled and left out: whatever is found is UTF-8, and nothing breaks. */
static void test_fuzz(void)
{
    static const char good[] =
        "Sure:\n```json\n{\"prompts\": [{\"hair\": \"sh\\u00f6rt\", \"prompt\": \"A man; light: x.\"}, [\"b\"]]}\n```\n"
        "1. hair: a; light: b\n";
    static const char alphabet[] = "{}[]\"\\:,;\n1. u\xc3\xb6";
    for (guint round = 0; round < 3000; round++) {
        AimfRandom random = aimf_random_at(1, AIMF_STREAM_TEST, round);
        g_autoptr(GString) text = g_string_new(good);
        for (guint changes = 1 + (guint)aimf_random_below(&random, 6); changes; changes--) {
            gssize at = (gssize)aimf_random_below(&random, text->len);
            guint64 kind = aimf_random_below(&random, 3);
            if (kind != 1)
                g_string_insert_c(text, at, alphabet[aimf_random_below(&random, sizeof alphabet - 1)]);
            if (kind != 2)
                g_string_erase(text, at, 1);
        }
        g_autofree char *valid = g_utf8_make_valid(text->str, -1);
        g_autofree char *found = summary(valid);
        g_assert_true(g_utf8_validate(found, -1, NULL));
    }
}

static void test_secret(void)
{
    static const char key[] = "sk/3f9-Zq7";
    static const struct {
        const char *said;
        const char *shown;
    } cases[] = {
        { "no key", "no key" },
        { "sk/3f9-Zq7", "**********" },
        { "a sk/3f9-Zq7sk/3f9-Zq7 b", "a ******************** b" },
        { "as JSON: sk\\/3f9-Zq7.", "as JSON: ***********." },
        { "as codes: \\u0073k\\u002F3f9-Zq\\u0037.", "as codes: *************************." },
        { "as JSON in JSON: \\\\u0073k\\\\\\/3f9-Zq7", "as JSON in JSON: *******************" },
        { "sk/3f9-Zq", "sk/3f9-Zq" },
        { "sk/3f9-Zq\\u0038 sk/3f9-Zq\\u00", "sk/3f9-Zq\\u0038 sk/3f9-Zq\\u00" },
        { "two\nlines\x1b[31m\xc2\x9b\xe2\x80\xae", "two lines [31m" },
        { "bad \xff byte", "bad \xef\xbf\xbd byte" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *line = aimf_secret_line(cases[i].said, -1, key);
        g_assert_cmpstr(line, ==, cases[i].shown);
    }
    g_autofree char *placeholder = aimf_secret_line("none of it", -1, "none");
    g_assert_cmpstr(placeholder, ==, "none of it");
    g_autofree char *part = aimf_secret_line("abc", 2, NULL);
    g_assert_cmpstr(part, ==, "ab");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/llm-answer/forms", test_forms);
    g_test_add_func("/llm-answer/bombs", test_bombs);
    g_test_add_func("/llm-answer/fuzz", test_fuzz);
    g_test_add_func("/llm-answer/secret", test_secret);
    return g_test_run();
}
