/*
 * Every command killed (SIGKILL) at moments drawn over its whole run: outputs are the old or the new ones, and the
 * next run ends with the bytes of one that nothing disturbed, and with nothing left over. FAULT_KILLS sets how often.
 */
#include "faults/support_faults.h"

#include "base/random.h"

enum { KILLS = 50, SEED = 2026 };

static void test_kills(gconstpointer data)
{
    const FaultCommand *command = data;
    const char *text = g_getenv("FAULT_KILLS");
    guint n = text ? (guint)g_ascii_strtoull(text, NULL, 10) : KILLS;
    g_auto(FaultReference) reference = { 0 };
    FaultTally tally = { 0 };
    faults_reference(command, &reference);
    AimfRandom random = aimf_random_at(SEED, AIMF_STREAM_TEST, g_str_hash(command->name));
    while (tally.killed < n && tally.runs < 4 * n)
        faults_kill(command, &reference, (gint64)(aimf_random_uniform(&random) * (double)reference.took_us), &tally);
    g_test_message("%-12s %u runs, %u killed, %u had ended before", command->name, tally.runs, tally.killed,
                   tally.whole);
    g_assert_cmpuint(tally.killed, ==, n);
}

static void test_skipped(void)
{
    g_test_skip("the library that is loaded first has an allocator, as the sanitizer has");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (FAULTS_SANITIZED) {
        g_test_add_func("/kills/all", test_skipped);
        return g_test_run();
    }
    faults_set_up();
    for (guint i = 0; i < n_fault_commands; i++) {
        g_autofree char *path = g_strdup_printf("/kills/%s", fault_commands[i].name);
        g_test_add_data_func(path, &fault_commands[i], test_kills);
    }
    int status = g_test_run();
    faults_tear_down();
    return status;
}
