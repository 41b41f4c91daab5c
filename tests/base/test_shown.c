/* Foreign text in messages: short and always UTF-8. */
#include "base/shown.h"

#include <aimfair/weights.h>
#include <string.h>

static void test_short(void)
{
    g_assert_cmpstr(AIMF_SHOWN("plain"), ==, "plain");
    g_assert_cmpstr(AIMF_SHOWN(""), ==, "");
    g_assert_cmpstr(AIMF_SHOWN(NULL), ==, "(nothing)");
    g_assert_cmpstr(AIMF_SHOWN("grün"), ==, "grün");
    char *first = AIMF_SHOWN("first"), *second = AIMF_SHOWN("second");
    g_assert_cmpstr(first, ==, "first");
    g_assert_cmpstr(second, ==, "second");
}

static void test_broken(void)
{
    g_assert_cmpstr(AIMF_SHOWN("a\xff"
                               "b"),
                    ==,
                    "a\xef\xbf\xbd"
                    "b");
    g_assert_cmpstr(AIMF_SHOWN("half \xe2\x82"), ==, "half \xef\xbf\xbd\xef\xbf\xbd");
    g_assert_cmpstr(AIMF_SHOWN("\xed\xa0\x80"), ==, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* a lone surrogate */
}

/* What would rule a terminal is not shown as it is. */
static void test_control(void)
{
    g_assert_cmpstr(AIMF_SHOWN("a\x1b[31m\n\x7f\302\205z"), ==, "a\ufffd[31m\ufffd\ufffd\ufffdz");
}

/* Whatever a file is called, an error about it can be shown, and so can all that is put before one. */
static void test_errors(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_tensors_open("no such \xff\x1b]0;file", &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "no such \ufffd\ufffd]0;file"));
    g_autofree char *path = g_strnfill(20000, 'x');
    g_autoptr(GError) large = NULL;
    g_assert_null(aimf_tensors_open(path, &large));
    g_assert_cmpuint(strlen(large->message), <=, AIMF_MESSAGE_BYTES + strlen("…"));
    g_autofree char *lines = aimf_message_text(g_strdup("one\ntwo\r\xe2\x82"));
    g_assert_cmpstr(lines, ==, "one\ntwo\ufffd\ufffd\ufffd");
}

/* Wherever the cut falls, in letters of one to four bytes or in what is none. */
static void test_long(void)
{
    static const char *const LETTERS[] = { "a", "ü", "€", "🙂", "\xff", "\xe2\x82" };
    for (gsize i = 0; i < G_N_ELEMENTS(LETTERS); i++)
        for (guint before = 0; before < 4; before++) {
            g_autoptr(GString) text = g_string_new("xxx");
            g_string_truncate(text, before);
            while (text->len < 300)
                g_string_append(text, LETTERS[i]);
            const char *shown = AIMF_SHOWN(text->str);
            g_assert_true(g_utf8_validate(shown, -1, NULL));
            g_assert_true(g_str_has_suffix(shown, "…"));
            g_assert_cmpuint(strlen(shown), <=, AIMF_SHOWN_BYTES + strlen("…"));
            g_assert_cmpuint(strlen(shown), >, AIMF_SHOWN_BYTES - 4);
        }
    g_autofree char *just = g_strnfill(AIMF_SHOWN_BYTES, 'x');
    g_assert_cmpstr(AIMF_SHOWN(just), ==, just);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shown/short", test_short);
    g_test_add_func("/shown/broken", test_broken);
    g_test_add_func("/shown/control", test_control);
    g_test_add_func("/shown/errors", test_errors);
    g_test_add_func("/shown/long", test_long);
    return g_test_run();
}
