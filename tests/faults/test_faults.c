/*
 * A sample of what test_slow_faults does with every command and kind of calls, and the faults that need more than a
 * failing call.
 */
#include "faults/support_faults.h"

#include "cli/support_program.h"

enum { SEED = 7 };

static void test_sample(gconstpointer data)
{
    const FaultCommand *command = data;
    gulong samples = command->timed ? 1 : 2;
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

/*
 * Where the process may not have more: no signal, and words. With the least of these not even the libraries are
 * loaded, which ld.so tells.
 */
static void test_address_space(void)
{
    faults_shell("for limit in $(seq 72 10 132); do rm -rf out; mkdir out; "
                 "(ulimit -v ${limit}000; \"$AIMFAIR\" generate -q --threads 1 --steps 1 --model tiny "
                 "--tokenizer small.txt --prompts prompts.json --per-group 1 -o out/job 2>limited); status=$?; "
                 "test $status = 0 || (test $status = 127 && grep -q 'shared libraries' limited) || "
                 "(test $status = 1 && grep -qi memory limited) || { cat limited; exit 1; }; "
                 "echo $status; done >statuses && grep -qx 1 statuses");
}

#define GENERATE                                                                                                       \
    "generate -q --threads 1 --steps 1 --batch 1 --model tiny --tokenizer small.txt --prompts prompts.json "           \
    "--per-group 2 "
#define UNET "tiny/unet/diffusion_pytorch_model.safetensors"

/* Weights that are written to between two pictures, which with --low-memory are read again for each. */
static void test_mixed_weights(void)
{
    faults_shell("rm -rf out; mkdir out; cp " UNET " unet.before");
    faults_while(GENERATE "--low-memory -o out/job", FAULT_RENAME, 2,
                 "printf x | dd of=" UNET " bs=1 seek=20000 conv=notrunc status=none", 1,
                 UNET "' was written to while it was in use");
    faults_shell("test $(ls out/job/*/*.png | wc -l) = 1; cat unet.before >" UNET);
    /* A file that takes its name leaves ours as it was. */
    faults_shell("rm -rf out; mkdir out");
    faults_while(GENERATE "--low-memory -o out/job", FAULT_RENAME, 2,
                 "cp " UNET
                 " tiny/unet/other && printf x | dd of=tiny/unet/other bs=1 seek=20000 conv=notrunc status=none && "
                 "mv " UNET " unet.kept && mv tiny/unet/other " UNET,
                 0, "");
    faults_shell("cat unet.before >" UNET "; cp -r out/job before; rm -rf out; mkdir out; "
                 "\"$AIMFAIR\" " GENERATE "-o out/job && diff -r out/job before");
}

/* A picture that is deleted between its line and the end: the lists are without it, and the next run makes it. */
static void test_deleted_picture(void)
{
    faults_shell("rm -rf out; mkdir out");
    faults_while(GENERATE "-o out/job", FAULT_RENAME, 4, "rm out/job/0_0/000000.png", 1,
                 "1 picture of this job was deleted while it ran, the first 'out/job/0_0/000000.png'");
    faults_shell("! grep -q 0_0/000000.png out/job/manifest.csv && grep -q 1_0/000000.png out/job/manifest.csv");
    faults_shell("\"$AIMFAIR\" " GENERATE "-o out/job --resume && test -e out/job/0_0/000000.png && "
                 "grep -q 0_0/000000.png out/job/manifest.csv");
}

/*
 * A full table of files says nothing about a picture, however many bad ones are tolerated; what is no picture any
 * more does.
 */
static void test_skip_bad(void)
{
    const char *line =
        "train -q --threads 1 --epochs 1 --batch 8 --image-size 32 --skip-bad 100 --train train.csv --val val.csv "
        "-o out/m.safetensors";
    faults_shell("rm -rf out; mkdir out; cp train_5.png kept.png");
    faults_while(line, FAULT_MMAP, 1, "echo no picture >train_5.png", 0,
                 "skipped unreadable image 1 of at most 100: 'train_5.png'");
    faults_shell("mv kept.png train_5.png");
    faults_while(line, FAULT_OPEN, 20, NULL, 1, ".png': Too many open files");
}

/* Pictures and manifests that are replaced while they are used. */
static void test_replaced(void)
{
    const char *line = "train -q --threads 1 --epochs 2 --batch 8 --image-size 32 --train train.csv --val val.csv -o "
                       "out/m.safetensors";
    faults_shell("rm -rf out; mkdir out; cp train_7.png kept.png");
    faults_while(line, FAULT_FSYNC, 1, "cp train_6.png train_7.png", 1,
                 "'train_7.png' was replaced or written to since an earlier epoch read it");
    faults_shell("mv kept.png train_7.png; cp val.csv kept.csv");
    faults_while("evaluate -q --threads 1 --model model.safetensors --data val.csv", FAULT_MMAP, 2, "echo >>val.csv", 1,
                 "'val.csv' was replaced or written to since it was read");
    faults_shell("mv kept.csv val.csv");
}

/* Two trainings with one output. */
static void test_two_trainings(void)
{
    const char *line = "train -q --threads 1 --epochs 1 --batch 8 --image-size 32 --train train.csv --val val.csv -o "
                       "out/m.safetensors";
    faults_shell("rm -rf out; mkdir out");
    faults_while(
        line, FAULT_FSYNC, 1,
        "\"$AIMFAIR\" train -q --threads 1 --epochs 1 --batch 8 --image-size 32 --train train.csv --val val.csv "
        "-o out/m.safetensors 2>second; echo $? >>second",
        0, "");
    faults_shell("grep -q \"another process is training with the state 'out/m.safetensors.state'\" second && "
                 "tail -1 second | grep -qx 2 && test \"$(ls -A out)\" = m.safetensors");
}

#define DATA                                                                                                           \
    "data csv -q --file all.csv --path-column path --target-column target --protected-column protected "               \
    "--val-per-group 1 --test-per-group 1 -o out"

/* Killed between the names of two manifests: neither can be used until they are made anew. */
static void test_half_a_set(void)
{
    faults_shell("rm -rf out; \"$AIMFAIR\" " DATA " --seed 4 >printed && cp -r out sets.before");
    faults_while(DATA, FAULT_RENAME, 3, "kill -KILL $PPID", 137, "");
    faults_shell("! cmp out/train.csv sets.before/train.csv && cmp out/val.csv sets.before/val.csv");
    faults_shell(
        "for set in train val test; do \"$AIMFAIR\" data check out/$set.csv 2>said; test $? = 2 && "
        "grep -q 'may not belong together; make them again' said || exit 1; done; \"$AIMFAIR\" data check val.csv");
    faults_shell("\"$AIMFAIR\" " DATA " >printed && \"$AIMFAIR\" data check out/train.csv && "
                 "test \"$(ls -A out | tr '\\n' ' ')\" = 'test.csv train.csv val.csv '");
}

static void test_skipped(void)
{
    g_test_skip("the sanitizer has its own allocator and signal handlers");
}

int main(int argc, char **argv)
{
    static const char *const sampled[] = { "convert", "data", "prompts", "generate", "report", "verify" };
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
    g_test_add_func("/faults/mixed-weights", test_mixed_weights);
    g_test_add_func("/faults/deleted-picture", test_deleted_picture);
    g_test_add_func("/faults/two-trainings", test_two_trainings);
    g_test_add_func("/faults/half-a-set", test_half_a_set);
    g_test_add_func("/faults/replaced", test_replaced);
    g_test_add_func("/faults/skip-bad", test_skip_bad);
    int status = g_test_run();
    faults_tear_down();
    return status;
}
