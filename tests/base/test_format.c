/* Numbers in texts, in a program whose locale has a comma. */
#include "base/format.h"
#include "base/json.h"
#include "base/support_locale.h"

#include <aimfair/findings.h>
#include <locale.h>
#include <string.h>

static char *listed(const char *format, ...) G_GNUC_PRINTF(1, 2);
static char *listed(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = aimf_format_list(format, args);
    va_end(args);
    return text;
}

static void test_point(void)
{
    g_autofree char *text = aimf_format("%.2f of %s", 0.5, "ä"), *list = listed("%g %d", 1e-5 + 0.25, 3);
    g_autoptr(GString) more = g_string_new("so: ");
    aimf_format_append(more, "%+.1f%%", 12.25);
    g_assert_cmpstr(text, ==, "0.50 of ä");
    g_assert_cmpstr(list, ==, "0.25001 3");
    g_assert_cmpstr(more->str, ==, "so: +12.2%");
}

static gpointer in_thread(gpointer data)
{
    (void)data;
    test_point();
    return NULL;
}

/* What errors and findings say is the library's own text as well. */
static void test_texts(void)
{
    g_autoptr(JsonObject) object = json_object_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    double value;
    json_object_set_double_member(object, "x", 7);
    g_assert_false(aimf_json_double(object, "'a.json'", "x", 0.25, 1.5, &value, &error));
    g_assert_nonnull(strstr(error->message, "from 0.25 to 1.5"));
    aimf_findings_add(findings, "collapse", FALSE, "%.1f points", 2.5);
    g_assert_cmpstr(aimf_findings_at(findings, 0)->text, ==, "2.5 points");
}

static void test_comma(void)
{
    if (!support_comma_begin()) {
        g_test_skip("no locale with a comma, and no localedef");
        return;
    }
    g_autofree char *before = g_strdup_printf("%.1f", 0.5);
    test_point();
    test_texts();
    g_thread_join(g_thread_new("comma", in_thread, NULL));
    g_autofree char *after = g_strdup_printf("%.1f", 0.5);
    support_comma_end();
    g_assert_cmpstr(before, ==, "0,5");
    g_assert_cmpstr(after, ==, "0,5"); /* the caller's locale stays */
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/format/point", test_point);
    g_test_add_func("/format/texts", test_texts);
    g_test_add_func("/format/comma", test_comma);
    return g_test_run();
}
