/* What the program says to mistakes, and where it writes, through the real binary. */
#include "cli/support_program.h"

#include <aimfair/findings.h>
#include <glib/gstdio.h>
#include <string.h>

/* A shell command line in a folder of its own, in which $AIMFAIR is the program. */
static ProgramRun run_in(const char *folder, const char *command)
{
    g_autofree char *line = g_strdup_printf("cd '%s' && %s", folder, command);
    return run_shell(line);
}

static void expect_refusal(const char *command, const char *says)
{
    g_autofree char *line = g_strdup_printf("\"$AIMFAIR\" %s", command);
    g_auto(ProgramRun) run = run_shell(line);
    g_test_message("%s: %s", command, run.err);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_cmpstr(run.out, ==, "");
    assert_contains(run.err, says);
}

static void test_subcommands(void)
{
    static const char *const pages[] = { "data celeba", "data utkface",  "data groups",  "data csv",
                                         "data check",  "prompts check", "prompts tasks" };
    for (gsize i = 0; i < G_N_ELEMENTS(pages); i++) {
        g_autofree char *first = g_strdup_printf("\"$AIMFAIR\" help %s", pages[i]);
        g_autofree char *second = g_strdup_printf("\"$AIMFAIR\" %s --help", pages[i]);
        g_autofree char *title = g_strdup_printf("aimfair %s [OPTION", pages[i]);
        g_auto(ProgramRun) help = run_shell(first);
        g_auto(ProgramRun) same = run_shell(second);
        g_assert_cmpint(help.status, ==, 0);
        assert_contains(help.out, title);
        g_assert_cmpstr(help.out, ==, same.out);
    }
    g_auto(ProgramRun) all = RUN("help", "data");
    g_auto(ProgramRun) same = RUN("data", "-h");
    assert_contains(all.out, "  groups    draw balanced and biased sets");
    g_assert_cmpstr(all.out, ==, same.out);
    g_auto(ProgramRun) prompts = RUN("prompts", "--help");
    assert_contains(prompts.out, "--llm-model");
    assert_contains(prompts.out, "  check     check prompts");
    expect_refusal("help data grups", "did you mean 'groups'?");
    expect_refusal("data chekc m.csv", "did you mean 'check'?");
    expect_refusal("prompts chek x", "did you mean 'check'?");
    expect_refusal("help prompts nonsense", "there is no 'prompts nonsense'; 'aimfair help prompts' lists");
    expect_refusal("help train more", "'train' has no 'more'");
    expect_refusal("help data groups more", "'data groups' has no 'more'");
    expect_refusal("data", "'aimfair help data' lists what there is");
}

/* Every kind of name that can be mistyped. */
static void test_nearest(void)
{
    expect_refusal("train --epoch 3", "there is no option '--epoch' (did you mean '--epochs'?)");
    expect_refusal("train --ephocs=3", "there is no option '--ephocs' (did you mean '--epochs'?)");
    expect_refusal("train -epochs 3", "did you mean '--epochs'?");
    expect_refusal("train --Batch 3", "did you mean '--batch'?");
    expect_refusal("train -x", "there is no option '-x'; 'aimfair help train' lists the options");
    expect_refusal("data groups --balance 3", "(did you mean '--balanced'?); 'aimfair help data groups' lists");
    expect_refusal("train --verbos", "did you mean '--verbose'?");
    expect_refusal("train -vz", "there is no option '-vz'");
    expect_refusal("train --precision bf61", "did you mean 'bf16'?");
    expect_refusal("prompts --task Smilin_Male -o x.json", "(did you mean 'Smiling_Male'?)");
    expect_refusal("prompts --target Smilng --protected Male -o x.json", "(did you mean 'Smiling'?)");
    expect_refusal("prompts --target Smiling --protected Male --dataset celebA-HQ -o x.json",
                   "is one of celeba, utkface");
    expect_refusal("prompts --target Smiling --protected Male --dataset utkfaces -o x.json", "did you mean 'utkface'?");
    expect_refusal("data utkface --root . --target gendr --protected race:0 -o x", "(did you mean 'gender'?)");
    expect_refusal("data utkface --root . --target gender --protected Wite -o x", "(did you mean 'White'?)");
    expect_refusal("generate --model m --prompt p -o x.png --sampler dpm", "did you mean 'dpm-solver++'?");
    expect_refusal("generate --model m --prompt p -o x.png --spacing linspce", "did you mean 'linspace'?");
    expect_refusal("plan --arch resnet81", "(did you mean 'resnet18'?); there are: resnet18");
    expect_refusal("plan --device x", "--device: there is no device 'x'; there are: cpu, reference, auto");
    expect_refusal("predict --device refrence --model m -o x", "(did you mean 'reference'?)");
    expect_refusal("plan --image-size 32 --batch 2 --trainable layr4,fc", "(did you mean 'layer4'?)");
    expect_refusal("plan --image-size 32 --batch 2 --trainable fc.wieght", "(did you mean 'fc.weight'?)");
    expect_refusal("evaluate --from-predictions x --require 'acuracy>=1'", "(did you mean 'accuracy'?)");
    expect_refusal("evaluate --from-predictions x --require 'accuracy=1'", "'accuracy=1' is not a demand like");
    /* What follows an option that takes a text is that text, and what follows "--" no option. */
    expect_refusal("train --target --epoch --train t.csv", "--val is missing");
    expect_refusal("train -o --epoch --train t.csv", "--val is missing");
    expect_refusal("predict --model m -o x.csv --images -- --odd.png", "cannot open 'm'");
}

static void test_numbers(void)
{
    expect_refusal("train --batch 1e3", "--batch takes a whole number from 1 to 65536, not '1e3'");
    expect_refusal("train --epochs 99999999999", "--epochs is 99999999999; it must be from 1 to 100000");
    expect_refusal("train --epochs 99999999999999999999999", "it must be from 1 to 100000");
    expect_refusal("train --epochs=", "--epochs takes a whole number from 1 to 100000, not ''");
    expect_refusal("train --epochs 1.5", "--epochs takes a whole number from 1 to 100000, not '1.5'");
    expect_refusal("train --lr abc", "--lr takes a number from 1e-12 to 1000000, not 'abc'");
    expect_refusal("train --lr 0,01", "--lr takes a number from 1e-12 to 1000000, not '0,01'");
    expect_refusal("train --lr 1e999", "--lr is 1e999; it must be from 1e-12 to 1000000");
    expect_refusal("train --lr -1", "--lr is -1; it must be from");
    expect_refusal("train --momentum nan", "--momentum is nan; it must be from 0 to 0.999999");
    expect_refusal("plan --batch 0", "--batch is 0; it must be from 1 to 65536");
    expect_refusal("finetune --top-k 0", "--top-k is 0; it must be a whole number of tensors from 1 to");
    expect_refusal("generate --steps 1000", "--steps is 1000; it must be from 1 to 999");
    expect_refusal("data groups --balanced 0x10", "--balanced takes a whole number from 1 to");
    expect_refusal("prompts --llm-max-tokens 99999999999999999999", "from 0 to 9223372036854775807");
    expect_refusal("evaluate --threshold 2", "--threshold is 2; it must be from 0 to 1");
    expect_refusal("evaluate --threshold x", "--threshold takes a number from 0 to 1, not 'x'");
    expect_refusal("data groups --root . --biased 1/9:0 -o x", "from 1 to 100000000 images, not '1/9:0'");
    expect_refusal("autoencode --image-size 5000", "--image-size is 5000; it must be from 0 to 4096");
}

/* Of two values that differ none is the right one; the same one twice, a flag twice and lists are. */
static void test_given_twice(void)
{
    expect_refusal("train --seed 1 --seed 2", "--seed is given twice: '1' and '2'");
    expect_refusal("train --epochs=3 --epochs 4", "--epochs is given twice: '3' and '4'");
    expect_refusal("train -o a.safetensors --output=b.safetensors", "--output is given twice: 'a.safetensors' and 'b");
    expect_refusal("train -qoa -ob", "--output is given twice: 'a' and 'b'");
    expect_refusal("data groups --root . --balanced 3 --balanced 4 -o x", "--balanced is given twice");
    expect_refusal("train --seed 1 --seed=1 -q -q --quiet --seed 1", "--train is missing");
    expect_refusal("train --seed 1 -- --seed 2", "unexpected argument '--seed'");
    expect_refusal("train --target --seed --seed 1", "--train is missing");
    expect_refusal("finetune --prefix fc --prefix layer4 --model m --val v -o x.safetensors", "--train is missing");
    expect_refusal("train --seed 1 --seed", "Missing argument for --seed");
}

static void test_empty_names(void)
{
    expect_refusal("predict --model m --images '' -o p.csv", "an argument is empty");
    expect_refusal("predict --model m -o p.csv --images -- x ''", "an argument is empty");
    expect_refusal("predict --model '' -o p.csv --data x", "--model: the name is empty");
    expect_refusal("predict --model=", "--model: the name is empty");
    expect_refusal("evaluate --from-predictions ''", "--from-predictions: the name is empty");
    expect_refusal("evaluate --average a.json ''", "an argument is empty");
    expect_refusal("data check ''", "an argument is empty");
    expect_refusal("demo -o ''", "--output: the name is empty");
    expect_refusal("generate --negative '' --model ''", "--model: the name is empty");
    expect_refusal("generate ''", "an argument is empty");
    expect_refusal("data csv t.csv --protected-column '' -o d", "--protected-column: the value is empty; give one");
    expect_refusal("train --train t --val v -o m.safetensors --milestones ''", "--milestones: the value is empty");
    expect_refusal("train --train t --val v -o m.safetensors --target=", "--target: the value is empty");
    expect_refusal("train --train t --val v -o m.safetensors --allow ''", "--allow: the value is empty");
    expect_refusal("finetune --prefix '' --model m", "--prefix: the value is empty");
}

/* The help names every finding that can be allowed. */
static void test_allow(void)
{
    g_auto(ProgramRun) help = RUN("train", "--help");
    for (const char *const *name = aimf_allowable_findings(); *name; name++)
        g_assert_nonnull(strstr(help.out, *name));
}

static void test_trainable_of_nothing(void)
{
    expect_refusal("plan --image-size 32 --batch 2 --trainable ''", "--trainable: the value is empty");
    expect_refusal("plan --image-size 32 --batch 2 --trainable ,", "--trainable: no parameter of the model fits ''");
}

/* A file of another kind where JSON is expected. */
static void test_not_json(const char *folder)
{
    g_auto(ProgramRun) made =
        run_in(folder, "printf 'path,target,protected\\na/b.png,0,x\\n' >m.csv; cp m.csv table.json; "
                       "printf '<html>\\n' >page.json; printf '{\"a\": 1} // x\\n' >comment.json; "
                       "printf 'PK\\003\\004\\000' >zip.json; : >empty.json");
    g_assert_cmpint(made.status, ==, 0);
    static const char *const cases[][2] = {
        { "table.json", "'table.json': not JSON: it begins with \"path,target,protected\"" },
        { "page.json", "not JSON: it is an HTML page" },
        { "comment.json", "not JSON: line 1 has a comment" },
        { "zip.json", "not JSON: it is a ZIP archive; unpack it first" },
        { "empty.json", "not JSON: it is empty" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *command = g_strdup_printf("\"$AIMFAIR\" evaluate --average %s table.json", cases[i][0]);
        g_auto(ProgramRun) run = run_in(folder, command);
        g_assert_cmpint(run.status, ==, 2);
        assert_contains(run.err, cases[i][1]);
    }
    g_auto(ProgramRun) prompts = run_in(folder, "\"$AIMFAIR\" generate --model . --prompts m.csv --per-group 1 -o x");
    assert_contains(prompts.err, "'m.csv': not JSON");
}

/* Texts go to stdout for "-", and what is said about them then to stderr; what is no text does not. */
static void test_standard_output(const char *folder)
{
    static const char PLAIN[] = "\"$AIMFAIR\" prompts --task Smiling_Male --count 1 --plain ";
    g_autofree char *both = g_strconcat(PLAIN, "-o p.json --text p.txt", NULL);
    g_auto(ProgramRun) files = run_in(folder, both);
    g_assert_cmpint(files.status, ==, 0);
    static const char *const same[] = { "-o - | diff - p.json", "-o q.json --text - | diff - p.txt" };
    for (gsize i = 0; i < G_N_ELEMENTS(same); i++) {
        g_autofree char *command = g_strconcat(PLAIN, same[i], NULL);
        g_auto(ProgramRun) run = run_in(folder, command);
        g_assert_cmpstr(run.out, ==, "");
        g_assert_cmpint(run.status, ==, 0);
        assert_contains(run.err, "Smiling_Male, tokens estimated");
    }
    g_autofree char *quiet = g_strconcat(PLAIN, "-q -o - >/dev/null", NULL);
    g_auto(ProgramRun) silent = run_in(folder, quiet);
    g_assert_cmpstr(silent.err, ==, "");
    g_autofree char *full = g_strconcat(PLAIN, "-o - >/dev/full", NULL);
    g_auto(ProgramRun) failed = run_in(folder, full);
    g_assert_cmpint(failed.status, ==, 1);
    g_autofree char *twice = g_strconcat(PLAIN, "-o - --text -", NULL);
    g_auto(ProgramRun) refused = run_in(folder, twice);
    g_assert_cmpint(refused.status, ==, 2);
    assert_contains(refused.err, "both write to the standard output");
    g_autofree char *json = g_strconcat(PLAIN, "-o - --json", NULL);
    g_auto(ProgramRun) with_json = run_in(folder, json);
    g_assert_cmpint(with_json.status, ==, 2);
    expect_refusal("train --train t --val v -o -", "only texts go to the standard output");
    expect_refusal("prompts --task Smiling_Male --llm http://localhost:1/v1 --llm-model m --llm-log - -o x.json",
                   "--llm-log: cannot write '-'");
    expect_refusal("data groups --root . --balanced 1 -o -", "-o is a folder for several files");
    expect_refusal("generate --model m --prompts p --per-group 1 -o -", "folder of pictures");
}

typedef struct {
    void (*test)(const char *folder);
} InFolder;

static void with_folder(gconstpointer data)
{
    g_autofree char *folder = g_dir_make_tmp("aimfair-XXXXXX", NULL);
    ((const InFolder *)data)->test(folder);
    g_autofree char *command = g_strdup_printf("rm -r '%s'", folder);
    g_auto(ProgramRun) removed = run_shell(command);
    g_assert_cmpint(removed.status, ==, 0);
}

int main(int argc, char **argv)
{
    static const InFolder not_json = { test_not_json }, standard_output = { test_standard_output };
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/manners/subcommands", test_subcommands);
    g_test_add_func("/cli/manners/nearest", test_nearest);
    g_test_add_func("/cli/manners/numbers", test_numbers);
    g_test_add_func("/cli/manners/given-twice", test_given_twice);
    g_test_add_func("/cli/manners/empty-names", test_empty_names);
    g_test_add_func("/cli/manners/allow", test_allow);
    g_test_add_func("/cli/manners/trainable-of-nothing", test_trainable_of_nothing);
    g_test_add_data_func("/cli/manners/not-json", &not_json, with_folder);
    g_test_add_data_func("/cli/manners/standard-output", &standard_output, with_folder);
    return g_test_run();
}
