/*
 * Generation jobs in processes of their own, killed at any moment: what the next run makes of it is what nothing
 * disturbed.
 */
#include "diffusion/support_generation.h"

#include "base/random.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PER_GROUP = 12, DELAY_US = 3000 };

static const char *own_program;

/* What a child does: the job FOLDER SHARD SHARDS. */
static int work(char **arguments)
{
    g_autoptr(AimfPrompts) prompts = test_prompts("a portrait");
    TestMaker maker = { .delay_us = DELAY_US };
    const AimfGeneration generation = {
        .prompts = prompts,
        .per_group = PER_GROUP,
        .batch = 2,
        .image_size = 16,
        .folder = arguments[0],
        .shard = (guint)g_ascii_strtoull(arguments[1], NULL, 10),
        .shards = (guint)g_ascii_strtoull(arguments[2], NULL, 10),
        .resume = TRUE,
    };
    g_autoptr(GError) error = NULL;
    gboolean done = test_generate(&maker, &generation, NULL, NULL, &error);
    if (error)
        g_printerr("%s\n", error->message);
    return done ? 0 : 1;
}

static pid_t start(const char *folder, const char *shard, const char *shards)
{
    pid_t child = fork();
    if (child == 0) {
        execl(own_program, own_program, "--job", folder, shard, shards, (char *)NULL);
        _exit(127);
    }
    g_assert_cmpint(child, >, 0);
    return child;
}

static int wait_for(pid_t child)
{
    int status;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* (owned) what an undisturbed process leaves; *took_us receives its time. */
static char *undisturbed(const TestJob *f, gint64 *took_us)
{
    g_autofree char *folder = test_below(f, "undisturbed");
    gint64 started = g_get_monotonic_time();
    g_assert_cmpint(wait_for(start(folder, "0", "1")), ==, 0);
    *took_us = g_get_monotonic_time() - started;
    return test_tree(folder);
}

static void test_kill(TestJob *f, gconstpointer data)
{
    (void)data;
    gint64 took_us;
    g_autofree char *expected = undisturbed(f, &took_us), *folder = test_below(f, "killed");
    AimfRandom random = aimf_random_at(2026, AIMF_STREAM_TEST, 0);
    for (guint killed = 0; killed < 10;) {
        pid_t child = start(folder, "0", "1");
        g_usleep((gulong)(aimf_random_uniform(&random) * (double)took_us / 3));
        kill(child, SIGKILL);
        if (wait_for(child) == 128 + SIGKILL) {
            killed++;
        } else { /* it was done before; from the start again */
            test_assert_tree(folder, expected);
            test_remove(folder);
        }
    }
    g_assert_cmpint(wait_for(start(folder, "0", "1")), ==, 0);
    test_assert_tree(folder, expected);
}

/* Three shards at once in one folder, each killed now and then, and gone on with. */
static void test_kill_shards(TestJob *f, gconstpointer data)
{
    (void)data;
    gint64 took_us;
    g_autofree char *expected = undisturbed(f, &took_us), *folder = test_below(f, "killed");
    static const char *const shards[] = { "0", "1", "2" };
    pid_t children[3];
    AimfRandom random = aimf_random_at(2027, AIMF_STREAM_TEST, 0);
    for (guint i = 0; i < 3; i++)
        children[i] = start(folder, shards[i], "3");
    for (guint i = 0; i < 12; i++) {
        g_usleep((gulong)(aimf_random_uniform(&random) * (double)took_us / 8));
        kill(children[i % 3], SIGKILL);
        wait_for(children[i % 3]);
        children[i % 3] = start(folder, shards[i % 3], "3");
    }
    for (guint i = 0; i < 3; i++)
        g_assert_cmpint(wait_for(children[i]), ==, 0);
    test_assert_tree(folder, expected);
}

static void test_second_process(TestJob *f, gconstpointer data)
{
    (void)data;
    gint64 took_us;
    g_autofree char *expected = undisturbed(f, &took_us), *folder = test_below(f, "both");
    pid_t first = start(folder, "0", "1"), second = start(folder, "0", "1");
    g_assert_cmpint(wait_for(first) + wait_for(second), ==, 1); /* whichever came later is refused */
    test_assert_tree(folder, expected);
}

#define ADD(name, function)                                                                                            \
    g_test_add("/generation/kill/" name, TestJob, NULL, test_job_set_up, function, test_job_tear_down)

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--job") == 0)
        return work(argv + 2);
    own_program = argv[0];
    g_test_init(&argc, &argv, NULL);
    ADD("one", test_kill);
    ADD("shards", test_kill_shards);
    ADD("second-process", test_second_process);
    return g_test_run();
}
