/*
 * Runs killed (SIGKILL) at moments drawn over their whole length and gone on with by the same command: in the end the
 * folder is that of a run that nothing disturbed. RUN_KILLS sets how often.
 */
#include "cli/support_program.h"
#include "cli/support_tiny_run.h"

#include "base/random.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

enum { KILLS = 10, SEED = 2026 };

static char *folder;

static guint kills(void)
{
    const char *text = g_getenv("RUN_KILLS");
    return text ? (guint)g_ascii_strtoull(text, NULL, 10) : KILLS;
}

/* The run's name is in its report: both are called "run", each in a folder of its own. */
static char *command_of(const char *above, const char *settings)
{
    return g_strdup_printf("cd %s && exec \"$AIMFAIR\" run -q ../one.yaml -o run %s >/dev/null 2>../said", above,
                           settings);
}

/* Ends with the command's status, or with 128 + SIGKILL after @delay_us, if that is not negative. */
static int run_for(const char *command, gint64 delay_us)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) environment = g_environ_setenv(g_get_environ(), "AIMFAIR", AIMFAIR_PROGRAM, TRUE);
    environment = g_environ_setenv(environment, "OMP_WAIT_POLICY", "passive", TRUE);
    char *argv[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" }, (char *)command, NULL };
    GPid child;
    int raw;
    g_spawn_async(folder, argv, environment, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &child, &error);
    g_assert_no_error(error);
    if (delay_us >= 0) {
        g_usleep((gulong)delay_us);
        kill(child, SIGKILL);
    }
    g_assert_cmpint(waitpid(child, &raw, 0), ==, child);
    return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
}

static void finish(const char *command)
{
    int status = run_for(command, -1);
    if (status != 0) {
        g_autofree char *said = program_output(folder, 0, "cat said");
        g_error("%s: status %d\n%s", command, status, said);
    }
}

/* Every file that SHA256SUMS of the last whole state does not know was made since; none that it knows is half. */
static void check_stages(void)
{
    g_free(program_output(
        folder, 0,
        "cd killed/run && for p in $(find shared cells -name provenance.json ! -path '*.part/*' "
        "! -path '*.old/*' 2>/dev/null); do d=$(dirname $p); sed -n '/\"outputs\"/,/}/p' $p | "
        "sed -n 's/^ *\"\\([^ \"]*\\)\" : \"\\([0-9a-f]*\\)\",*$/\\2  \\1/p' >../sums && test -s ../sums && "
        "(cd $d && sha256sum -c --quiet --strict) <../sums || exit 1; done"));
}

/* @took_us: of the command undisturbed */
static void kill_often(const char *command, gint64 took_us, const char *name)
{
    AimfRandom random = aimf_random_at(SEED, AIMF_STREAM_TEST, g_str_hash(name));
    guint killed = 0, whole = 0;
    /* Each gets on a little, so that together they would end early: a third of the time each, on average a sixth. */
    while (killed < kills() && killed + whole < 4 * kills()) {
        int status = run_for(command, (gint64)(aimf_random_uniform(&random) * (double)took_us / 3));
        killed += status == 128 + SIGKILL;
        whole += status != 128 + SIGKILL;
        g_assert_true(status == 0 || status == 128 + SIGKILL);
        check_stages();
        if (status == 0)
            break;
    }
    g_test_message("%s: %u killed", name, killed);
    g_assert_cmpuint(killed, >, 0);
    finish(command);
}

static void compare(void)
{
    g_autofree char *one = tiny_run_tree(folder, "whole/run"), *other = tiny_run_tree(folder, "killed/run");
    g_assert_cmpstr(one, ==, other);
    program_expect(folder, 0, "\"$AIMFAIR\" verify -q --sample 4 killed/run", "Nothing speaks against the run");
    g_free(program_output(folder, 0,
                          "cd killed/run && sha256sum -c --quiet --strict SHA256SUMS && "
                          "test -z \"$(find . -name '*.part*' -o -name '*-part' -o -name '*.old' -o -name 'lock')\""));
}

static gint64 time_whole(const char *settings)
{
    g_autofree char *command = command_of("whole", settings);
    gint64 began = g_get_monotonic_time();
    finish(command);
    return g_get_monotonic_time() - began;
}

static void test_first(void)
{
    g_autofree char *command = command_of("killed", "");
    g_free(program_output(folder, 0, "mkdir whole killed"));
    kill_often(command, time_whole(""), "first");
    compare();
}

/* Other settings for some stages, fewer seeds: the stages have the old outputs or the new ones. */
static void test_update(void)
{
    static const char settings[] = "--update --set seeds=7 --set finetune.learning_rate=0.001 --set finetune.top_k=0.9";
    g_autofree char *command = command_of("killed", settings);
    kill_often(command, time_whole(settings), "update");
    compare();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = tiny_run_folder();
    g_test_add_func("/run-kills/first", test_first);
    g_test_add_func("/run-kills/update", test_update);
    int status = g_test_run();
    tiny_run_remove(folder);
    return status;
}
