/*
 * Every command, with calls of every kind failing one at a time, and from one on. The numbers of those that fail are
 * drawn, because a training makes hundreds of thousands of allocations; where there are few, each has its turn.
 * FAULT_SAMPLES in the environment sets how many of a kind, FAULT_SEED draws others.
 */
#include "faults/support_faults.h"

enum { SAMPLES = 40 };

typedef struct {
    const FaultCommand *command;
    FaultKind kind;
} Case;

static FaultReference references[16];

static guint64 setting(const char *name, guint64 otherwise)
{
    const char *text = g_getenv(name);
    return text ? g_ascii_strtoull(text, NULL, 10) : otherwise;
}

static void test_kind(gconstpointer data)
{
    const Case *c = data;
    const FaultCommand *command = c->command;
    FaultReference *reference = &references[command - fault_commands];
    if (!reference->files)
        faults_reference(command, reference);
    gulong n = reference->counts.calls[c->kind], samples = (gulong)setting("FAULT_SAMPLES", SAMPLES);
    FaultTally tally = { 0 };
    faults_sweep(command, reference, c->kind, samples, setting("FAULT_SEED", 0), &tally);
    g_test_message("%-12s %-7s %7lu calls: %u runs, %u with status 1, %u with 0 and all right, %u not met, %u signals",
                   command->name, fault_kinds[c->kind], n, tally.runs, tally.failed, tally.whole, tally.unmet,
                   tally.killed);
}

static void test_skipped(void)
{
    g_test_skip("the sanitizer has its own allocator and signal handlers");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (FAULTS_SANITIZED) {
        g_test_add_func("/faults/sweep", test_skipped);
        return g_test_run();
    }
    faults_set_up();
    for (guint i = 0; i < n_fault_commands; i++)
        for (guint kind = 0; kind < FAULT_N_KINDS; kind++) {
            Case *c = g_new(Case, 1);
            *c = (Case){ &fault_commands[i], kind };
            g_autofree char *path = g_strdup_printf("/faults/%s/%s", fault_commands[i].name, fault_kinds[kind]);
            g_test_add_data_func_full(path, c, test_kind, g_free);
        }
    int status = g_test_run();
    for (guint i = 0; i < n_fault_commands; i++)
        fault_reference_clear(&references[i]);
    faults_tear_down();
    return status;
}
