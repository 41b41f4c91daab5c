/* The frame of the program, through the real binary. */
#include "cli/support_program.h"

#include <aimfair/graph.h>
#include <aimfair/version.h>
#include <string.h>

static void test_version(void)
{
    g_auto(ProgramRun) run = RUN("--version");
    g_assert_cmpint(run.status, ==, 0);
    g_autofree char *engine = aimf_device_engine(NULL);
    g_autofree char *expected = g_strdup_printf("aimfair %s, %s\n", aimf_version(), engine);
    g_assert_cmpstr(run.out, ==, expected);
    g_assert_cmpstr(run.err, ==, "");
}

static void test_help(void)
{
    g_auto(ProgramRun) run = RUN("help");
    g_assert_cmpint(run.status, ==, 0);
    assert_contains(run.out, "Usage: aimfair COMMAND");
    g_auto(ProgramRun) same = RUN("--help");
    g_assert_cmpstr(run.out, ==, same.out);
    g_auto(ProgramRun) itself = RUN("help", "help");
    g_assert_cmpint(itself.status, ==, 0);
    g_assert_cmpstr(run.out, ==, itself.out);
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

/* The small texts that options take, through the command that takes all of them. */
static void test_option_texts(void)
{
    static const char *const bad[][3] = {
        { "--crop-scale", "0.5", "--crop-scale takes two numbers with a comma between them, not '0.5'" },
        { "--crop-scale", "0.5,", "--crop-scale takes" },
        { "--crop-scale", ",1", "--crop-scale takes" },
        { "--crop-scale", "0.5,1,2", "--crop-scale takes" },
        { "--crop-scale", "0.5, 1", "--crop-scale takes" },
        { "--crop-scale", "nan,1", "--crop-scale takes" },
        { "--milestones", "6,x", "--milestones takes whole numbers like 6,9, not '6,x'" },
        { "--milestones", "-6", "--milestones takes" },
        { "--milestones", "6,,9", "--milestones takes" },
        { "--milestones", "99999999999", "--milestones takes" },
        { "--cache", "5X", "--cache takes a number of bytes like 512M or 2G, not '5X'" },
        { "--cache", "-5", "--cache takes" },
        { "--cache", "M", "--cache takes" },
        { "--cache", "99999999T", "--cache takes" },
        { "--cache", "1MB", "--cache takes" },
        { "--cache", "99999999999999999999", "--cache takes" },
        { "--epochs", "0", "--epochs is 0; it must be from 1 to" },
        { "--lr", "nan", "--lr is nan; it must be from" },
        { "--precision", "f64", "--precision is one of f32, bf16, not 'f64'" },
        { "--threads", "2000", "--threads takes" },
        { "--seed", "18446744073709551616", "--seed takes" },
        { "--seed", "", "--seed: the value is empty" },
        { "--max-expansion", "0", "--max-expansion takes a whole number from 1 to 1000000" },
        { "--max-expansion", "2x", "--max-expansion takes" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_auto(ProgramRun) run =
            RUN("train", "--train", "t.csv", "--val", "v.csv", "-o", "m.safetensors", bad[i][0], bad[i][1]);
        g_assert_cmpint(run.status, ==, 2);
        assert_contains(run.err, bad[i][2]);
    }
    /* Good ones get as far as the missing manifest. */
    g_auto(ProgramRun) good =
        RUN("train", "--train", "/no/t.csv", "--val", "v.csv", "-o", "m.safetensors", "--crop-scale", "0.5,1",
            "--milestones", "6,9", "--cache", "2G", "--seed", "18446744073709551615");
    g_assert_cmpint(good.status, ==, 2);
    assert_contains(good.err, "/no/t.csv");
}

static void test_command_help(void)
{
    g_auto(ProgramRun) help = RUN("help", "train");
    g_assert_cmpint(help.status, ==, 0);
    assert_contains(help.out, "aimfair train [OPTION");
    assert_contains(help.out, "--crop-scale");
    assert_contains(help.out, "--precision");
    g_auto(ProgramRun) same = RUN("train", "--help");
    g_assert_cmpstr(help.out, ==, same.out);
    g_auto(ProgramRun) unknown = RUN("help", "trian");
    g_assert_cmpint(unknown.status, ==, 2);
    assert_contains(unknown.err, "did you mean 'train'?");
    g_auto(ProgramRun) missing = RUN("train");
    g_assert_cmpint(missing.status, ==, 2);
    assert_contains(missing.err, "aimfair train: --train is missing; 'aimfair help train' says what it means");
    g_auto(ProgramRun) surplus = RUN("train", "surplus");
    g_assert_cmpint(surplus.status, ==, 2);
    assert_contains(surplus.err, "unexpected argument 'surplus'");
    g_auto(ProgramRun) dashes = RUN("train", "--", "--odd");
    assert_contains(dashes.err, "unexpected argument '--odd'");
}

static void test_failed_output(void)
{
    g_auto(ProgramRun) full = run_shell("\"$AIMFAIR\" help >/dev/full");
    g_assert_cmpint(full.status, ==, 1);
    assert_contains(full.err, "cannot write the results");
    g_auto(ProgramRun) closed = run_shell("\"$AIMFAIR\" help >&-");
    g_assert_cmpint(closed.status, ==, 1);
}

/*
 * A closed stream must not become the file that is opened next, and a text in another encoding is the caller's mistake.
 */
static void test_odd_surroundings(void)
{
    g_auto(ProgramRun) closed = run_shell("\"$AIMFAIR\" train --train /no/t.csv --val v -o m <&- >&- 2>&-");
    g_assert_cmpint(closed.status, ==, 2);
    g_auto(ProgramRun) encoding = run_shell("LC_ALL=C \"$AIMFAIR\" train --target Gr\303\266\303\237e");
    g_assert_cmpint(encoding.status, ==, 2);
    assert_contains(encoding.err, "encoding of the locale");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/version", test_version);
    g_test_add_func("/cli/help", test_help);
    g_test_add_func("/cli/wrong-usage", test_wrong_usage);
    g_test_add_func("/cli/command-help", test_command_help);
    g_test_add_func("/cli/option-texts", test_option_texts);
    g_test_add_func("/cli/failed-output", test_failed_output);
    g_test_add_func("/cli/odd-surroundings", test_odd_surroundings);
    return g_test_run();
}
