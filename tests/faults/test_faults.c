/* A sample of what test_slow_faults does with every command and kind of calls, and the faults that need more than a failing call. */
#include "faults/support_faults.h"

#include "cli/support_program.h"

enum { SEED = 7 };

static void test_sample(gconstpointer data)
{
    const FaultCommand *command = data;
    gulong samples = command->again || command->timed ? 1 : 3;
    g_auto(FaultReference) reference = { 0 };
    FaultTally tally = { 0 };
    faults_reference(command, &reference);
    for (guint kind = 0; kind < FAULT_N_KINDS; kind++)
        faults_sweep(command, &reference, kind, samples, SEED, &tally);
    g_assert_cmpuint(tally.failed, >, 0);
    g_assert_cmpuint(tally.unmet, <, tally.runs);
}

/* The file that is mapped becomes shorter while its tensors are being written. */
static void test_cut_short(void)
{
    faults_shell("cp model.safetensors cut.safetensors && mkdir -p out && rm -rf out/*");
    faults_while("convert -q cut.safetensors out/cut.pth", FAULT_WRITE, 1, "truncate -s 4096 cut.safetensors", 1,
                 "aimfair convert: 'cut.safetensors' was cut short while it was in use");
    faults_shell("test ! -e out/cut.pth");
    faults_shell(
        "\"$AIMFAIR\" convert -q model.safetensors out/cut.pth && test \"$(ls -A out)\" = cut.pth && rm out/cut.pth");
}

/* Where the process may not have more: no signal, and words. With the least of these not even the libraries are loaded, which ld.so tells. */
static void test_address_space(void)
{
    faults_shell("for limit in $(seq 72 4 132); do rm -rf out; mkdir out; "
                 "(ulimit -v ${limit}000; \"$AIMFAIR\" generate -q --threads 1 --steps 1 --model tiny "
                 "--tokenizer small.txt --prompts prompts.json --per-group 1 -o out/job 2>limited); status=$?; "
                 "test $status = 0 || (test $status = 127 && grep -q 'shared libraries' limited) || "
                 "(test $status = 1 && grep -qi memory limited) || { cat limited; exit 1; }; "
                 "echo $status; done >statuses && grep -qx 1 statuses");
}

static void test_skipped(void)
{
    g_test_skip("the sanitizer has its own allocator and signal handlers");
}

int main(int argc, char **argv)
{
    static const char *const sampled[] = { "convert", "data", "prompts", "predict", "generate" };
    g_test_init(&argc, &argv, NULL);
    if (FAULTS_SANITIZED) {
        g_test_add_func("/faults/all", test_skipped);
        return g_test_run();
    }
    faults_set_up();
    for (gsize i = 0; i < G_N_ELEMENTS(sampled); i++) {
        g_autofree char *path = g_strdup_printf("/faults/sample/%s", sampled[i]);
        g_test_add_data_func(path, faults_command(sampled[i]), test_sample);
    }
    g_test_add_func("/faults/cut-short", test_cut_short);
    g_test_add_func("/faults/address-space", test_address_space);
    int status = g_test_run();
    faults_tear_down();
    return status;
}
