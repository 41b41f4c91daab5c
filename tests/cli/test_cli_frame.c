/* The frame of the program, through the real binary. */
#include "cli/support_program.h"

#include <aimfair/version.h>
#include <string.h>

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        g_error("expected '%s' in:\n%s", part, text);
}

static void test_version(void)
{
    g_auto(ProgramRun) run = RUN("--version");
    g_assert_cmpint(run.status, ==, 0);
    g_autofree char *start = g_strdup_printf("aimfair %s", aimf_version());
    g_assert_true(g_str_has_prefix(run.out, start));
    g_assert_cmpstr(run.err, ==, "");
}

static void test_help(void)
{
    g_auto(ProgramRun) run = RUN("help");
    g_assert_cmpint(run.status, ==, 0);
    assert_contains(run.out, "Usage: aimfair COMMAND");
    g_auto(ProgramRun) same = RUN("--help");
    g_assert_cmpstr(run.out, ==, same.out);
}

static void test_wrong_usage(void)
{
    g_auto(ProgramRun) nothing = run_program((const char *const[]){ NULL });
    g_assert_cmpint(nothing.status, ==, 2);
    assert_contains(nothing.err, "a command is missing");
    g_auto(ProgramRun) mistyped = RUN("hepl");
    g_assert_cmpint(mistyped.status, ==, 2);
    assert_contains(mistyped.err, "did you mean 'help'?");
    g_auto(ProgramRun) strange = RUN("zzzzzzzzzz");
    g_assert_cmpint(strange.status, ==, 2);
    g_assert_null(strstr(strange.err, "did you mean"));
    g_auto(ProgramRun) empty = RUN("");
    g_assert_cmpint(empty.status, ==, 2);
}

static void test_failed_output(void)
{
    g_auto(ProgramRun) full = run_shell("\"$AIMFAIR\" help >/dev/full");
    g_assert_cmpint(full.status, ==, 1);
    assert_contains(full.err, "cannot write the results");
    g_auto(ProgramRun) closed = run_shell("\"$AIMFAIR\" help >&-");
    g_assert_cmpint(closed.status, ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/version", test_version);
    g_test_add_func("/cli/help", test_help);
    g_test_add_func("/cli/wrong-usage", test_wrong_usage);
    g_test_add_func("/cli/failed-output", test_failed_output);
    return g_test_run();
}
