#include "faults/support_faults.h"

#include "base/random.h"
#include "cli/support_program.h"
#include "diffusion/support_tiny_diffusion.h"
#include "train/support_drawn.h"

#include <aimfair/image.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMEOUT_US = 60 * G_USEC_PER_SEC, POLL_US = 500 };

#define ONE_THREAD " -q --threads 1 "
#define TRAINING ONE_THREAD "--epochs 1 --batch 8 --val val.csv "

const FaultCommand fault_commands[] = {
    { .name = "train",
      .line = "train" TRAINING "--image-size 32 --train train.csv -o out/model.safetensors",
      .again = "--resume",
      .old = "out/model.safetensors" },
    { .name = "finetune",
      .line =
          "finetune" TRAINING "--model model.safetensors --trainable fc --train balanced.csv -o out/fair.safetensors",
      .again = "--resume",
      .old = "out/fair.safetensors" },
    { .name = "sensitivity",
      .line = "sensitivity" ONE_THREAD "--batch 8 --model model.safetensors --real train.csv --biased synthetic.csv "
              "--balanced balanced.csv -o out/s.json",
      .old = "out/s.json" },
    { .name = "generate",
      .line = "generate" ONE_THREAD "--steps 2 --model tiny --tokenizer small.txt --prompts prompts.json --per-group 2 "
              "--preview -o out/job",
      .again = "--resume",
      .timed = TRUE },
    { .name = "convert", .line = "convert -q views.pth out/views.safetensors", .old = "out/views.safetensors" },
    { .name = "evaluate",
      .line = "evaluate" ONE_THREAD "--model model.safetensors --data synthetic.csv --predictions out/p.csv --json",
      .old = "out/p.csv" },
    { .name = "predict",
      .line = "predict" ONE_THREAD "--model model.safetensors --data val.csv -o out/p.csv",
      .old = "out/p.csv" },
    { .name = "pictures",
      .line = "predict" ONE_THREAD "--model model.safetensors --images -o out/p.csv picture.jpg",
      .old = "out/p.csv" },
    { .name = "data",
      .line = "data csv -q --file all.csv --path-column path --target-column target --protected-column protected "
              "--val-per-group 1 --test-per-group 1 -o out",
      .old = "out/val.csv" },
    { .name = "prompts",
      .line = "prompts -q --task Smiling_Male --count 6 -o out/prompts.json",
      .old = "out/prompts.json" },
    { .name = "run", .line = "run -q run.yaml -o out/run", .timed = TRUE },
    { .name = "report", .line = "report -q made -o out/report.html", .old = "out/report.html" },
    { .name = "verify", .line = "verify" ONE_THREAD "out/run", .before = "cp -a made out/run" },
};
const guint n_fault_commands = G_N_ELEMENTS(fault_commands);

static char *folder, *tiny;

/* --- The folder --- */

static const char PROMPTS[] =
    "{\"version\":1,\"task\":\"test\",\"groups\":["
    "{\"name\":\"0_0\",\"target\":0,\"protected\":\"0\",\"words\":\"a\",\"prompts\":[{\"prompt\":\"a photo\"}]},"
    "{\"name\":\"1_0\",\"target\":1,\"protected\":\"0\",\"words\":\"b\",\"prompts\":[{\"prompt\":\"a house\"}]}]}";

static const char RUN[] = "threads: 1\n"
                          "data: {kind: manifests, train: train.csv, val: val.csv, test: balanced.csv}\n"
                          "generate: {balanced: all.csv, balanced_per_group: 3, biased_count: 8}\n"
                          "train: {architecture: mobilenet_v3_small, image_size: 32, epochs: 1, batch: 8}\n"
                          "sensitivity: {batch: 8}\n"
                          "finetune: {methods: [aim-fair], epochs: 1, batch: 8}\n"
                          "evaluate: {bootstrap: 10}\n";

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void make_jpeg(void)
{
    g_autofree char *png = in_folder("val_0.png"), *jpeg = in_folder("picture.jpg");
    g_autoptr(AimfImage) image = aimf_image_open(png, NULL);
    g_assert_true(image && aimf_image_save(image, jpeg, NULL));
}

void faults_set_up(void)
{
    static const struct {
        const char *name;
        guint n;
        double bias;
    } sets[] = {
        { "train", 16, 0.9 }, { "val", 16, 0.5 }, { "synthetic", 16, 0.9 }, { "balanced", 24, 0.5 }, { "all", 40, 0.5 }
    };
    folder = support_drawn_folder();
    tiny = tiny_diffusion_write(TINY_SOUND);
    for (gsize i = 0; i < G_N_ELEMENTS(sets); i++)
        g_free(support_drawn_set(folder, sets[i].name, sets[i].n, sets[i].bias));
    make_jpeg();
    g_autofree char *prompts = in_folder("prompts.json"), *configuration = in_folder("run.yaml");
    g_assert_true(g_file_set_contents(prompts, PROMPTS, -1, NULL));
    g_assert_true(g_file_set_contents(configuration, RUN, -1, NULL));
    g_autofree char *links = g_strdup_printf(
        "ln -s '%s' tiny; ln -s " GOLDEN_DIR "/text/small.txt " GOLDEN_DIR "/weights/views.pth .", tiny);
    g_free(program_output(folder, 0, links));
    g_free(program_output(folder, 0,
                          "\"$AIMFAIR\" train" TRAINING "--image-size 32 --seed 1 --train train.csv "
                          "-o model.safetensors"));
    g_free(program_output(folder, 0, "\"$AIMFAIR\" run -q run.yaml -o made"));
}

void faults_tear_down(void)
{
    g_free(program_output("/", 0, "true"));
    g_autofree char *remove = g_strdup_printf("rm -rf '%s' '%s'", folder, tiny);
    g_free(program_output("/", 0, remove));
    g_clear_pointer(&folder, g_free);
    g_clear_pointer(&tiny, g_free);
}

/* --- Files --- */

static void remove_below(const char *path)
{
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    for (const char *name; directory && (name = g_dir_read_name(directory));) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        if (g_file_test(inner, G_FILE_TEST_IS_DIR))
            remove_below(inner);
        g_remove(inner);
    }
}

/* What a run keeps about its machine and its hours. */
static gboolean tells_times(const char *name)
{
    static const char *const names[] = { "machine.json", "machine-pictures.csv", "log.csv", "SHA256SUMS", NULL };
    return g_strv_contains(names, name);
}

static void collect(GHashTable *files, const char *path, const char *name)
{
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    for (const char *entry; directory && (entry = g_dir_read_name(directory));) {
        g_autofree char *inner = g_build_filename(path, entry, NULL), *inner_name = g_build_filename(name, entry, NULL);
        g_autofree char *text = NULL;
        gsize length;
        if (tells_times(entry))
            continue;
        if (g_file_get_contents(inner, &text, &length, NULL))
            g_hash_table_insert(files, g_steal_pointer(&inner_name),
                                g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, length));
        else
            collect(files, inner, inner_name);
    }
}

/* (owned) all files below out/ */
static GHashTable *found_files(void)
{
    GHashTable *files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *out = in_folder("out");
    collect(files, out, "out");
    return files;
}

static const char OLD[] = "what was there before\n";

static void begin(const FaultCommand *command)
{
    g_autofree char *out = in_folder("out"), *old = command->old ? in_folder(command->old) : NULL;
    remove_below(out);
    g_mkdir(out, 0777);
    if (old)
        g_assert_true(g_file_set_contents(old, OLD, -1, NULL));
    if (command->before)
        g_free(program_output(folder, 0, command->before));
}

/* --- Runs --- */

typedef struct {
    int status; /* or 128 + signal */
    gboolean timed_out;
    char *out;
    char *err;
    FaultCounts counts;
} Run;

static void run_clear(Run *run)
{
    g_free(run->out);
    g_free(run->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

static char *contents(const char *name)
{
    g_autofree char *path = in_folder(name);
    char *text = NULL;
    g_file_get_contents(path, &text, NULL, NULL);
    return text ? text : g_strdup("");
}

static void redirect(int fd, const char *name)
{
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0 || dup2(file, fd) < 0)
        _exit(127);
    close(file);
}

static pid_t start(char **argv, char **environment)
{
    pid_t child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child)
        return child;
    if (chdir(folder) != 0)
        _exit(127);
    redirect(STDOUT_FILENO, "stdout");
    redirect(STDERR_FILENO, "stderr");
    execve(argv[0], argv, environment);
    _exit(127);
}

/* Waits until @child ends, or kills it after @limit_us. */
static int await(pid_t child, gint64 limit_us, gboolean *killed)
{
    gint64 end = g_get_monotonic_time() + limit_us;
    int status;
    *killed = FALSE;
    while (waitpid(child, &status, WNOHANG) == 0) {
        if (g_get_monotonic_time() >= end && !*killed) {
            kill(child, SIGKILL);
            *killed = TRUE;
        }
        g_usleep(POLL_US);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Which calls fail, or what is done to files at the one. @kind: NULL: none */
typedef struct {
    const char *kind;
    gulong at;
    gboolean from_there;
    const char *deed; /* nullable */
} Disturbance;

static const Disturbance none = { 0 };

/* @more: (nullable) further arguments; @limit_us: before it is killed */
static Run run(const char *arguments, const char *more, const Disturbance *disturbance, gint64 limit_us)
{
    Run result = { 0 };
    gulong at = disturbance->at;
    const char *kind = disturbance->kind;
    g_autofree char *line = g_strdup_printf("%s %s %s", AIMFAIR_PROGRAM, arguments, more ? more : "");
    g_autofree char *number = g_strdup_printf("%lu", at), *counts = in_folder("counts");
    g_auto(GStrv) environment = g_get_environ(), argv = NULL;
    g_assert_true(g_shell_parse_argv(line, NULL, &argv, NULL));
    g_assert_true(g_file_set_contents(counts, (const char *)&result.counts, sizeof result.counts, NULL));
    environment = g_environ_setenv(environment, "LD_PRELOAD", FAULTS_LIBRARY, TRUE);
    environment = g_environ_setenv(environment, "FAULT_COUNTS", counts, TRUE);
    environment = g_environ_setenv(environment, "OMP_NUM_THREADS", "1", TRUE);
    environment = g_environ_setenv(environment, "AIMFAIR", AIMFAIR_PROGRAM, TRUE);
    if (kind) {
        environment = g_environ_setenv(environment, "FAULT_KIND", kind, TRUE);
        environment = g_environ_setenv(environment, "FAULT_AT", number, TRUE);
    }
    if (disturbance->deed)
        environment = g_environ_setenv(environment, "FAULT_DO", disturbance->deed, TRUE);
    if (disturbance->from_there)
        environment = g_environ_setenv(environment, "FAULT_FROM_THERE", "1", TRUE);
    result.status = await(start(argv, environment), limit_us, &result.timed_out);
    result.out = contents("stdout");
    result.err = contents("stderr");
    g_autofree char *text = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(counts, &text, &length, NULL) && length == sizeof result.counts);
    memcpy(&result.counts, text, sizeof result.counts);
    return result;
}

void faults_reference(const FaultCommand *command, FaultReference *reference)
{
    begin(command);
    gint64 started = g_get_monotonic_time();
    g_auto(Run) first = run(command->line, NULL, &none, TIMEOUT_US);
    reference->took_us = g_get_monotonic_time() - started;
    reference->files = found_files();
    if (first.status != 0)
        g_error("%s: status %d: %s", command->name, first.status, first.err);
    g_assert_cmpuint(first.counts.calls[FAULT_ALLOC], >, 100); /* the library is in place */
    reference->counts = first.counts;
    reference->out = g_steal_pointer(&first.out);
}

void fault_reference_clear(FaultReference *reference)
{
    g_clear_pointer(&reference->files, g_hash_table_unref);
    g_clear_pointer(&reference->out, g_free);
}

/* --- What must hold --- */

/* (owned, nullable) how the files that are there differ from those of an undisturbed run. */
static char *differences(const FaultReference *reference, GHashTable *files)
{
    g_autoptr(GString) text = g_string_new(NULL);
    GHashTableIter iterator;
    gpointer name, sum;
    g_hash_table_iter_init(&iterator, reference->files);
    while (g_hash_table_iter_next(&iterator, &name, &sum)) {
        const char *found = g_hash_table_lookup(files, name);
        if (!found || strcmp(found, sum) != 0)
            g_string_append_printf(text, " %s is %s;", (char *)name, found ? "different" : "missing");
    }
    g_hash_table_iter_init(&iterator, files);
    while (g_hash_table_iter_next(&iterator, &name, NULL))
        if (!g_hash_table_contains(reference->files, name))
            g_string_append_printf(text, " %s is left over;", (char *)name);
    return text->len ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

static gboolean is_part(const char *name)
{
    return g_str_has_suffix(name, ".aimfair-part");
}

/* The output that was there before is it or the new one, and so is every file that has its final name. */
static char *broken_files(const FaultCommand *command, const FaultReference *reference)
{
    g_autofree char *old = g_compute_checksum_for_string(G_CHECKSUM_SHA256, OLD, -1);
    g_autoptr(GHashTable) files = found_files();
    if (command->old && !g_hash_table_contains(files, command->old))
        return g_strdup_printf("%s is gone", command->old);
    GHashTableIter iterator;
    gpointer name, sum;
    g_hash_table_iter_init(&iterator, files);
    while (g_hash_table_iter_next(&iterator, &name, &sum)) {
        const char *expected = g_hash_table_lookup(reference->files, name);
        gboolean is_old = command->old && strcmp(name, command->old) == 0 && strcmp(sum, old) == 0;
        gboolean lists = g_str_has_suffix(name, ".csv") || g_str_has_suffix(name, ".jsonl") ||
                         strstr(name, "preview_"); /* a job's tell what there is so far */
        if (expected && strcmp(expected, sum) != 0 && !is_old && (command->old || !lists) && !is_part(name))
            return g_strdup_printf("%s is neither the old nor the new one", (char *)name);
    }
    return NULL;
}

/* (owned, nullable) what is wrong with how the program ended. */
static char *wrong_end(const FaultCommand *command, const FaultReference *reference, const Run *run)
{
    if (run->timed_out)
        return g_strdup("it hung");
    if (!g_utf8_validate(run->err, -1, NULL))
        return g_strdup("its message is no UTF-8");
    if (run->status == 0) {
        g_autoptr(GHashTable) files = found_files();
        g_autofree char *how = differences(reference, files);
        if (how)
            return g_strdup_printf("status 0, and%s", how);
        return command->timed || strcmp(run->out, reference->out) == 0
                   ? NULL
                   : g_strdup("status 0 and another text on stdout");
    }
    if (run->status != 1)
        return g_strdup_printf("status %d", run->status);
    if (strstr(run->err, "libgomp: Out of memory")) /* which ends the process with status 1 itself */
        return NULL;
    const char *message = g_strrstr(run->err, "aimfair");
    if (!message || !(strchr(message, '\'') || strstr(message, "memory") || strstr(message, "standard output")))
        return g_strdup("its message names nothing");
    return NULL;
}

/* What a person does then: the same once more. */
static char *wrong_next(const FaultCommand *command, const FaultReference *reference)
{
    g_auto(Run) next = run(command->line, command->again, &none, TIMEOUT_US);
    if (next.status != 0)
        return g_strdup_printf("the next run ends with %d: %s", next.status, next.err);
    g_autoptr(GHashTable) files = found_files();
    g_autofree char *how = differences(reference, files);
    return how ? g_strdup_printf("after the next run%s", how) : NULL;
}

/* So that one run of the sweep shows everything. */
static void complain(const FaultCommand *command, const char *what, const Run *run, const char *wrong)
{
    g_test_message("%s, %s: %s\n%s", command->name, what, wrong, run->err);
    g_test_fail();
}

void faults_inject(const FaultCommand *command, const FaultReference *reference, FaultKind kind, gulong at,
                   gboolean from_there, FaultTally *tally)
{
    begin(command);
    const Disturbance disturbance = { fault_kinds[kind], at, from_there, NULL };
    g_auto(Run) broken = run(command->line, NULL, &disturbance, TIMEOUT_US);
    g_autofree char *what = g_strdup_printf("%s %lu%s", fault_kinds[kind], at, from_there ? " and later" : "");
    g_autofree char *end = wrong_end(command, reference, &broken), *files = broken_files(command, reference);
    if (end)
        complain(command, what, &broken, end);
    if (files)
        complain(command, what, &broken, files);
    tally->runs++;
    tally->unmet += broken.counts.failed == 0;
    tally->whole += broken.counts.failed > 0 && broken.status == 0;
    tally->failed += broken.status == 1;
    tally->killed += broken.status > 128;
    if (broken.status == 0)
        return;
    g_autofree char *next = wrong_next(command, reference);
    if (next)
        complain(command, what, &broken, next);
}

void faults_kill(const FaultCommand *command, const FaultReference *reference, gint64 after_us, FaultTally *tally)
{
    begin(command);
    g_auto(Run) broken = run(command->line, NULL, &none, after_us);
    g_autofree char *what = g_strdup_printf("killed after %" G_GINT64_FORMAT " us", after_us);
    g_autofree char *files = broken_files(command, reference);
    g_autofree char *next = wrong_next(command, reference);
    tally->runs++;
    tally->killed += broken.status == 128 + SIGKILL;
    tally->whole += broken.status == 0;
    if (files)
        complain(command, what, &broken, files);
    if (next)
        complain(command, what, &broken, next);
}

void faults_sweep(const FaultCommand *command, const FaultReference *reference, FaultKind kind, gulong samples,
                  guint64 seed, FaultTally *tally)
{
    gulong n = reference->counts.calls[kind];
    AimfRandom random = aimf_random_at(seed, AIMF_STREAM_TEST, g_str_hash(command->name) + kind);
    for (gulong i = 0; i < MIN(n, samples); i++) {
        gulong at = n <= samples ? i + 1 : 1 + aimf_random_u64(&random) % n;
        faults_inject(command, reference, kind, at, i % 4 == 3, tally);
    }
}

const FaultCommand *faults_command(const char *name)
{
    for (guint i = 0; i < n_fault_commands; i++)
        if (strcmp(fault_commands[i].name, name) == 0)
            return &fault_commands[i];
    g_error("there is no command '%s'", name);
}

void faults_shell(const char *command)
{
    g_free(program_output(folder, 0, command));
}

void faults_while(const char *line, FaultKind kind, gulong at, const char *deed, int status, const char *says)
{
    const Disturbance disturbance = { fault_kinds[kind], at, !deed, deed };
    g_auto(Run) disturbed = run(line, NULL, &disturbance, TIMEOUT_US);
    g_assert_cmpuint(disturbed.counts.failed, >, 0);
    if (disturbed.status != status || !strstr(disturbed.err, says))
        g_error("%s: status %d in place of %d, or no '%s' in:\n%s", line, disturbed.status, status, says,
                disturbed.err);
}
