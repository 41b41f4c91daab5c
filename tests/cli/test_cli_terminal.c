/* What somebody at a terminal sees, and what goes elsewhere is spared. */
#include "cli/support_program.h"
#include "cli/support_terminal.h"
#include "data/support_data.h"
#include "train/support_drawn.h"

#include <string.h>

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"
#define ERASE_REST "\033[K"

static char *folder;

/* (owned) @command in the folder; it takes the place of the shell, so that signals are for it. */
static char *in_folder(const char *command)
{
    return g_strdup_printf("cd '%s' && exec %s", folder, command);
}

/* (owned) without colours; every other sequence stays */
static char *without_colours(const char *text)
{
    g_autoptr(GRegex) colour = g_regex_new("\033\\[[0-9]*m", 0, 0, NULL);
    return g_regex_replace_literal(colour, text, -1, 0, "", 0, NULL);
}

static const struct {
    int status;
    const char *command, *says; /* on a terminal with colours */
} coloured[] = {
    { 2, "\"$AIMFAIR\" tarin", RED "aimfair:" PLAIN " there is no command 'tarin'" },
    { 2, "\"$AIMFAIR\" train --batch 0", RED "aimfair train:" PLAIN " --batch is 0" },
    { 3, "\"$AIMFAIR\" evaluate --from-predictions answers.csv --require 'accuracy>=0.99'",
      YELLOW "warning:" PLAIN " not met: accuracy>=0.99" },
    { 0, "\"$AIMFAIR\" evaluate --from-predictions answers.csv --require-evidence 'accuracy>=0.1'",
      "   " GREEN "met" PLAIN "\n" },
    { 3, "\"$AIMFAIR\" evaluate --from-predictions answers.csv --require-evidence 'accuracy>=0.99'",
      "   " RED "not met" PLAIN "\n" },
    { 4, "\"$AIMFAIR\" evaluate --from-predictions answers.csv --require-evidence 'accuracy>=0.6'",
      "   " YELLOW "not enough evidence" PLAIN "\n" },
};

static void test_colours(void)
{
    static const char *const with[] = { "TERM=xterm", "TERM=xterm-256color NO_COLOR=" };
    static const char *const without[] = { "TERM=dumb", "TERM=xterm NO_COLOR=1", "TERM=xterm NO_COLOR=0", "TERM=", "" };
    for (gsize i = 0; i < G_N_ELEMENTS(coloured); i++) {
        g_autofree char *command = in_folder(coloured[i].command);
        g_auto(ProgramRun) run = run_shell(command);
        g_autofree char *piped = g_strconcat(run.out, run.err, NULL);
        g_assert_cmpint(run.status, ==, coloured[i].status);
        g_assert_null(strchr(piped, '\033'));
        for (gsize w = 0; w < G_N_ELEMENTS(with); w++) {
            g_autofree char *seen = terminal_output(with[w], coloured[i].status, command);
            g_autofree char *bare = without_colours(seen);
            assert_contains(seen, coloured[i].says);
            g_assert_cmpstr(bare, ==, piped);
        }
        for (gsize w = 0; w < G_N_ELEMENTS(without); w++) {
            g_autofree char *seen = terminal_output(without[w], coloured[i].status, command);
            g_assert_cmpstr(seen, ==, piped);
        }
    }
}

/* Each stream by itself: one may be a file while the other is seen. */
static void test_streams(void)
{
    static const char evaluate[] = "\"$AIMFAIR\" evaluate --from-predictions answers.csv "
                                   "--require-evidence 'accuracy>=0.99' ";
    g_autofree char *command = in_folder(evaluate);
    g_autofree char *out = g_strconcat(command, ">out.txt", NULL), *err = g_strconcat(command, "2>err.txt", NULL);
    g_autofree char *seen_err = terminal_output("TERM=xterm", 3, out),
                    *seen_out = terminal_output("TERM=xterm", 3, err);
    g_autofree char *files = program_output(folder, 0, "cat out.txt err.txt");
    g_assert_null(strchr(files, '\033'));
    assert_contains(files, "   not met\n");
    assert_contains(files, "warning: not met: ");
    assert_contains(seen_err, YELLOW "warning:" PLAIN);
    g_assert_null(strstr(seen_err, RED));
    assert_contains(seen_out, RED "not met" PLAIN);
    g_assert_null(strstr(seen_out, YELLOW));
    g_autofree char *json = g_strconcat(command, "--json 2>/dev/null", NULL);
    g_autofree char *seen_json = terminal_output("TERM=xterm", 3, json);
    g_assert_null(strchr(seen_json, '\033'));
    g_autofree char *passed_on = g_strconcat(command, "--junit - >report.xml", NULL);
    g_autofree char *moved = terminal_output("TERM=xterm", 3, passed_on); /* what is printed goes to stderr then */
    assert_contains(moved, RED "not met" PLAIN);
}

/* What others wrote cannot colour anything. */
static void test_others_colours(void)
{
    g_autofree char *seen = terminal_output("TERM=xterm", 2, "\"$AIMFAIR\" \"$(printf '\\033[35mtrain')\"");
    assert_contains(seen, RED "aimfair:" PLAIN " there is no command '\\u001b[35mtrain'");
    g_assert_null(strstr(seen, "\033[35m"));
}

#define TRAIN(epochs)                                                                                                  \
    "\"$AIMFAIR\" train --threads 1 --image-size 32 --batch 8 --train train.csv --val val.csv -o x.safetensors "       \
    "--epochs " epochs

static gboolean matches(const char *text, const char *pattern)
{
    return g_regex_match_simple(pattern, text, 0, 0);
}

/* Every line of progress in @text fits @cells; how many there are. */
static guint check_lines(const char *text, glong cells)
{
    guint n = 0;
    g_auto(GStrv) parts = g_strsplit(text, "\r", -1);
    for (char **part = parts + 1; *parts && *part; part++) {
        char *end = strstr(*part, ERASE_REST);
        if (!end || end == *part) /* where reading ended, or what is said in its place */
            continue;
        *end = 0;
        g_assert_cmpint(g_utf8_strlen(*part, -1), <=, cells);
        n++;
    }
    return n;
}

/* One line that is written over, erased before anything else, at whatever width the terminal has. */
static void test_live_line(void)
{
    g_autofree char *command = in_folder(TRAIN("60"));
    Terminal *terminal = terminal_open(60, "TERM=xterm", command);
    gsize narrowed = terminal_wait(terminal, 0, "\repoch 3/60: 0/24 images");
    terminal_resize(terminal, 12);
    /* Wider lines may have been on their way. */
    gsize settled = terminal_wait(terminal, narrowed, "\rvalidating " ERASE_REST), stopped = settled;
    for (int i = 0; i < 6; i++)
        stopped = terminal_wait(terminal, stopped, "\repoch ");
    terminal_type(terminal, "\003");
    g_autofree char *seen = terminal_close(terminal, 130);
    assert_contains(seen, "images, ");
    assert_contains(seen, " left");
    g_assert_null(strstr(seen, "\r" ERASE_REST "validating")); /* erased before it is written it would flicker */
    g_autofree char *before = g_strndup(seen, narrowed), *after = g_strdup(strstr(seen + settled, "\repoch "));
    g_assert_cmpuint(check_lines(before, 59), >=, 5);
    g_assert_cmpuint(check_lines(after, 11), >=, 5);
    g_assert_null(strstr(after, " left"));
    /* Ctrl-C may come between two lines; but none is left there, and what comes next begins a line of its own. */
    assert_contains(after, "stopping at the next safe point; once more stops at once\n");
    g_assert_false(matches(after, "\repoch[^\r\n]*(\\^C)?\nstopping"));
    g_assert_true(matches(after, "(\n|\r\033\\[K)\033\\[31maimfair train:\033\\[0m [^\n]*interrupted"));
}

static void test_end(void)
{
    g_autofree char *command = in_folder(TRAIN("1")), *both = g_strconcat(command, " 2>&1", NULL);
    g_autofree char *seen = terminal_output("TERM=xterm", 0, command);
    assert_contains(seen, "\r" ERASE_REST "epoch 1/1: loss ");
    assert_contains(seen, ", best so far\nx.safetensors: epoch 1 of 1");
    g_autofree char *predict =
        in_folder("\"$AIMFAIR\" predict --threads 1 --model x.safetensors --data val.csv -o p.csv");
    g_autofree char *predicted = terminal_output("TERM=xterm", 0, predict);
    assert_contains(predicted, ERASE_REST "\r" ERASE_REST "p.csv: 20 images");
    g_autofree char *quiet = g_strconcat(command, " -q", NULL);
    g_autofree char *said = terminal_output("TERM=xterm", 0, quiet);
    g_assert_null(strstr(said, ERASE_REST));
    g_autofree char *dumb = terminal_output("TERM=dumb", 0, command);
    g_auto(ProgramRun) piped = run_shell(both);
    const char *const plain[] = { dumb, piped.out };
    for (gsize i = 0; i < G_N_ELEMENTS(plain); i++) {
        g_assert_null(strpbrk(plain[i], "\r\033"));
        assert_contains(plain[i], "\nepoch 1/1: 24/24 images, ");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = support_drawn_folder();
    g_free(support_drawn_set(folder, "train", 24, 0.9));
    g_free(support_drawn_set(folder, "val", 20, 0));
    g_free(data_write(folder, "answers.csv", program_answers));
    g_test_add_func("/cli/terminal/colours", test_colours);
    g_test_add_func("/cli/terminal/streams", test_streams);
    g_test_add_func("/cli/terminal/others-colours", test_others_colours);
    g_test_add_func("/cli/terminal/live-line", test_live_line);
    g_test_add_func("/cli/terminal/end", test_end);
    int status = g_test_run();
    support_drawn_remove(folder);
    g_free(folder);
    return status;
}
