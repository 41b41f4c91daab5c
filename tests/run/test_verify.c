/*
 * aimfair verify: a small run is made once, and holds; each case then changes a copy of it, and the change is named.
 */
#include "base/file.h"
#include "base/random.h"
#include "cli/support_program.h"
#include "run/checksums.h"
#include "run/results.h"
#include "run/stage_provenance.h"
#include "train/support_drawn.h"

#include <aimfair/json.h>
#include <aimfair/run.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *home;   /* of everything */
static char *master; /* the run as it was made */
static char *copy;   /* of it, to be changed */

#define TEST "cells/biased-0/test"
#define MODEL "cells/biased-0/model/model.safetensors"

static void shell(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void shell(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *command = g_strdup_vprintf(format, args);
    va_end(args);
    g_auto(ProgramRun) run = run_shell(command);
    if (run.status)
        g_error("%s: %s", command, run.err);
}

/* --- The run --- */

static void make_run(void)
{
    home = g_dir_make_tmp("aimfair-verify-XXXXXX", NULL);
    g_autofree char *data = g_build_filename(home, "data", NULL),
                    *synthetic = g_build_filename(home, "synthetic", NULL);
    g_assert_cmpint(g_mkdir(data, 0777) + g_mkdir(synthetic, 0777), ==, 0);
    master = g_build_filename(home, "master", NULL);
    copy = g_build_filename(home, "copy", NULL);
    g_autofree char *train = support_drawn_set(data, "train", 32, 0.8), *val = support_drawn_set(data, "val", 16, 0.5);
    g_autofree char *test = support_drawn_set(data, "test", 40, 0.5);
    g_autofree char *balanced = support_drawn_set(synthetic, "synthetic", 96, 0.5);
    const char *const settings[][2] = {
        { "data.train", train },
        { "data.val", val },
        { "data.test", test },
        { "generate.balanced", balanced },
        { "train.image_size", "32" },
        { "train.epochs", "1" },
        { "finetune.epochs", "1" },
        { "train.batch", "8" },
        { "finetune.batch", "8" },
        { "sensitivity.batch", "8" },
        { "evaluate.bootstrap", "20" },
        { "generate.balanced_per_group", "8" },
        { "threads", "1" },
        { "data.allow", "one-class" },
        { "data.root", data },
        { "train.architecture", "mobilenet_v3_small" },
    };
    g_autoptr(AimfConfig) config = aimf_config_new();
    g_autoptr(GError) error = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        g_autofree char *setting = g_strdup_printf("%s=%s", settings[i][0], settings[i][1]);
        aimf_config_set(config, setting, &error);
        g_assert_no_error(error);
    }
    const AimfRunOptions options = { .folder = master };
    AimfRunSummary summary;
    aimf_run(config, &options, NULL, &summary, &error);
    g_assert_no_error(error);
    aimf_run_summary_clear(&summary);
}

static void remove_run(void)
{
    shell("chmod -R u+rwx '%s' && rm -rf '%s'", home, home);
    g_free(home);
    g_free(master);
    g_free(copy);
}

typedef struct {
    AimfVerification *found;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    (void)data;
    f->found = NULL;
    shell("cp -r '%s' '%s'", master, copy);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    (void)data;
    aimf_verification_free(f->found);
    shell("rm -rf '%s'", copy);
}

static const AimfVerification *verify_with(Fixture *f, const char *data, guint sample, int threads)
{
    const AimfVerifyOptions options = { .folder = copy, .data = data, .sample = sample, .threads = threads };
    g_autoptr(GError) error = NULL;
    aimf_verification_free(f->found);
    f->found = aimf_run_verify(&options, NULL, &error);
    g_assert_no_error(error);
    return f->found;
}

/* How many lines are refuted, where nothing is computed again. */
static guint faults(Fixture *f)
{
    return verify_with(f, NULL, 0, 0)->refuted;
}

static const AimfVerification *verify(Fixture *f)
{
    return verify_with(f, NULL, 8, 0);
}

/* Whether there is a line of @kind about @what with @text in it. */
static gboolean has_line(const AimfVerification *found, AimfVerifyKind kind, const char *what, const char *text)
{
    for (guint i = 0; i < found->n; i++) {
        const AimfVerifyLine *line = &found->lines[i];
        if (line->kind == kind && strcmp(line->what, what) == 0 && strstr(line->text, text))
            return TRUE;
    }
    return FALSE;
}

static void assert_line(const AimfVerification *found, AimfVerifyKind kind, const char *what, const char *text)
{
    if (has_line(found, kind, what, text))
        return;
    for (guint i = 0; i < found->n; i++)
        g_test_message("%d %s: %s", found->lines[i].kind, found->lines[i].what, found->lines[i].text);
    g_error("no line %d about %s with '%s'", kind, what, text);
}

static char *path_of(const char *name)
{
    return g_build_filename(copy, name, NULL);
}

static char *read_file(const char *name, gsize *size)
{
    g_autofree char *path = path_of(name);
    gsize length;
    GBytes *bytes = aimf_file_read(path, (gsize)1 << 30, NULL);
    g_assert_nonnull(bytes);
    return g_bytes_unref_to_data(bytes, size ? size : &length);
}

static void write_file(const char *name, const char *text, gssize size)
{
    g_autofree char *path = path_of(name);
    g_assert_true(g_file_set_contents(path, text, size, NULL));
}

/* The first @from in the file @name becomes @to. */
static void replace(const char *name, const char *from, const char *to)
{
    g_autofree char *text = read_file(name, NULL);
    const char *at = strstr(text, from);
    g_assert_nonnull(at);
    g_autofree char *before = g_strndup(text, (gsize)(at - text));
    g_autofree char *changed = g_strconcat(before, to, at + strlen(from), NULL);
    write_file(name, changed, -1);
}

/* What a forger does: SHA256SUMS, and the output of @stage (nullable), are made to fit. */
static void rewrite(const char *stage, const char *output)
{
    char hash[AIMF_SHA256_SIZE];
    g_autoptr(GError) error = NULL;
    if (stage) {
        g_autofree char *folder = path_of(stage), *path = g_build_filename(folder, output, NULL);
        g_autoptr(AimfProvenance) provenance = aimf_provenance_open(folder, &error);
        g_assert_no_error(error);
        g_assert_true(aimf_hash_file(path, NULL, hash, NULL, &error));
        json_object_set_string_member(provenance->outputs, output, hash);
        g_assert_true(aimf_provenance_save(provenance, folder, &error));
    }
    g_assert_true(aimf_checksums_write(copy, NULL, hash, &error));
}

/* --- What holds --- */

static void test_whole(Fixture *f, gconstpointer data)
{
    (void)data;
    const AimfVerification *found = verify(f);
    for (guint i = 0; i < found->n; i++)
        if (found->lines[i].kind == AIMF_REFUTED)
            g_error("%s: %s", found->lines[i].what, found->lines[i].text);
    g_assert_cmpuint(found->refuted, ==, 0);
    g_autofree char *sums = read_file(AIMF_CHECKSUMS, NULL);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, sums, -1);
    g_assert_cmpstr(found->sums_sha256, ==, hash);
    assert_line(found, AIMF_VERIFIED, AIMF_CHECKSUMS, hash);
    assert_line(found, AIMF_VERIFIED, "stages", "keys");
    assert_line(found, AIMF_VERIFIED, "pictures", "hashes");
    assert_line(found, AIMF_VERIFIED, "measures", "2 tests");
    assert_line(found, AIMF_VERIFIED, "results", "5 files");
    assert_line(found, AIMF_VERIFIED, "predictions", "2 tests");
    assert_line(found, AIMF_VERIFIED, TEST "/predictions.csv", "to the bit");
    assert_line(found, AIMF_VERIFIED, "cells/aim-fair-0/test/predictions.csv", "8 of its 40");
    assert_line(found, AIMF_UNCHECKED, "inputs", "data.train");
    /* With other threads a bound holds, and none are asked for. */
    found = verify_with(f, NULL, 1000, 2);
    g_assert_cmpuint(found->refuted, ==, 0);
    assert_line(found, AIMF_VERIFIED, TEST "/predictions.csv", "40 of its 40");
    assert_line(found, AIMF_VERIFIED, TEST "/predictions.csv", "within 0.001");
    found = verify_with(f, NULL, 0, 0);
    g_assert_cmpuint(found->refuted, ==, 0);
    assert_line(found, AIMF_UNCHECKED, "predictions", "none");
}

/* --- One byte --- */

/* Flips a bit of the file @path at @at, or flips it back. */
static void flip(const char *path, guint64 at, guint bit)
{
    guint8 byte = 0;
    int file = open(path, O_RDWR | O_CLOEXEC);
    gboolean done = pread(file, &byte, 1, (off_t)at) == 1;
    byte = (guint8)(byte ^ (1U << bit));
    done = done && pwrite(file, &byte, 1, (off_t)at) == 1;
    close(file);
    g_assert_true(done);
}

/* Whether the hashes show that the file @name is another; @good: what SHA256SUMS was. */
static gboolean shown_by_hash(const char *name, const char *path, const char *good)
{
    char hash[AIMF_SHA256_SIZE];
    g_autofree char *sums_path = path_of(AIMF_CHECKSUMS);
    g_autoptr(AimfChecksums) sums = aimf_checksums_open(sums_path, NULL);
    if (strcmp(name, AIMF_CHECKSUMS) == 0)
        return !sums || strcmp(sums->sha256, good) != 0;
    g_assert_true(aimf_hash_file(path, NULL, hash, NULL, NULL));
    return strcmp(aimf_checksums_find(sums, name), hash) != 0;
}

static gboolean is_named(const AimfVerification *found, const char *name)
{
    for (guint i = 0; i < found->n; i++)
        if (found->lines[i].kind == AIMF_REFUTED && strcmp(found->lines[i].what, name) == 0)
            return TRUE;
    return FALSE;
}

/* A thousand bytes of all files: each is seen by the hashes, and of some the whole verification names the file. */
static void test_bytes(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(AimfFolderFiles) files = aimf_folder_files(copy, NULL, NULL);
    AimfRandom random = aimf_random_at(5, AIMF_STREAM_TEST, 0);
    g_autofree char *text = read_file(AIMF_CHECKSUMS, NULL);
    g_autofree char *good = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    for (int i = 0; i < 1000; i++) {
        const char *name = g_ptr_array_index(files->files, aimf_random_below(&random, files->files->len));
        g_autofree char *path = path_of(name);
        struct stat info;
        g_assert_cmpint(stat(path, &info), ==, 0);
        if (!info.st_size)
            continue;
        guint64 at = aimf_random_below(&random, (guint64)info.st_size);
        guint bit = (guint)aimf_random_below(&random, 8);
        flip(path, at, bit);
        g_assert_true(shown_by_hash(name, path, good));
        if (i % 100 == 0) {
            const AimfVerification *found = verify_with(f, NULL, 0, 0);
            g_assert_cmpuint(found->refuted, >, 0);
            g_assert_true(is_named(found, name) || strcmp(name, AIMF_CHECKSUMS) == 0);
        }
        flip(path, at, bit);
    }
    guint n = faults(f);
    g_assert_cmpuint(n, ==, 0);
}

/* Bytes of SHA256SUMS itself, from its first to its last. */
static void test_sums(Fixture *f, gconstpointer data)
{
    (void)data;
    gsize size;
    g_autofree char *path = path_of(AIMF_CHECKSUMS), *good = read_file(AIMF_CHECKSUMS, &size);
    for (gsize k = 0; k < 12; k++) {
        gsize at = k * (size - 1) / 11;
        flip(path, at, 0);
        guint n = faults(f);
        g_assert_cmpuint(n, >, 0);
        flip(path, at, 0);
    }
    const char *second = strchr(good, '\n') + 1, *third = strchr(second, '\n') + 1;
    g_autofree char *one = g_strndup(good, (gsize)(second - good)), *two = g_strndup(second, (gsize)(third - second));
    g_autofree char *swapped = g_strconcat(two, one, third, NULL);
    g_autofree char *name = g_strstrip(g_strdup(one + AIMF_SHA256_SIZE + 1));
    write_file(AIMF_CHECKSUMS, swapped, -1);
    assert_line(verify_with(f, NULL, 0, 0), AIMF_REFUTED, AIMF_CHECKSUMS, "line 2");
    write_file(AIMF_CHECKSUMS, second, -1);
    assert_line(verify_with(f, NULL, 0, 0), AIMF_REFUTED, name, "does not list it");
    g_unlink(path);
    assert_line(verify_with(f, NULL, 0, 0), AIMF_REFUTED, AIMF_CHECKSUMS, "");
}

/* --- Files --- */

static void test_files(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *link = path_of("cells/link"), *pipe = path_of("shared/pipe"),
                    *log = path_of("shared/data/val.csv");
    write_file("cells/biased-0/model/extra", "x", -1);
    write_file("cells/.hidden", "x", -1);
    write_file("lock", "x", -1);
    g_assert_cmpint(symlink("..", link), ==, 0);
    g_assert_cmpint(mkfifo(pipe, 0666), ==, 0);
    g_unlink(log);
    const AimfVerification *found = verify_with(f, NULL, 0, 0);
    assert_line(found, AIMF_REFUTED, "cells/biased-0/model/extra", "SHA256SUMS does not list it");
    assert_line(found, AIMF_REFUTED, "cells/biased-0/model/extra", "lies in the stage");
    assert_line(found, AIMF_REFUTED, "cells/.hidden", "does not list it");
    assert_line(found, AIMF_REFUTED, "lock", "not empty");
    assert_line(found, AIMF_REFUTED, "cells/link", "is a link");
    assert_line(found, AIMF_REFUTED, "shared/pipe", "no regular file");
    assert_line(found, AIMF_REFUTED, "shared/data/val.csv", "missing; SHA256SUMS");
    assert_line(found, AIMF_REFUTED, "shared/data/val.csv", "missing; the stage 'shared/data'");
}

/* What a stage does not list, and what belongs to none, where SHA256SUMS fits. */
static void test_strangers(Fixture *f, gconstpointer data)
{
    (void)data;
    write_file("cells/biased-0/test/extra", "x", -1);
    write_file("cells/stranger", "x", -1);
    rewrite(NULL, NULL);
    const AimfVerification *found = verify_with(f, NULL, 0, 0);
    g_assert_cmpuint(found->refuted, ==, 1);
    assert_line(found, AIMF_REFUTED, "cells/biased-0/test/extra", "lies in the stage");
    assert_line(found, AIMF_UNCHECKED, "cells/stranger", "no stage");
}

/* --- Forgeries: hashes that fit what was changed --- */

static void test_forged_sums(Fixture *f, gconstpointer data)
{
    (void)data;
    replace(TEST "/measures.json", "\"n\" : 40", "\"n\" : 41");
    rewrite(NULL, NULL);
    const AimfVerification *found = verify(f);
    assert_line(found, AIMF_REFUTED, TEST "/measures.json", "as the stage '" TEST "' says");
    assert_line(found, AIMF_REFUTED, TEST "/measures.json", "'n' is 41; 40 follows");
}

/* The name of the column @column in the first row of a test becomes @to. */
static void change_field(guint column, const char *to)
{
    g_autofree char *text = read_file(TEST "/predictions.csv", NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_auto(GStrv) fields = g_strsplit(lines[1], ",", -1);
    g_free(fields[column]);
    fields[column] = g_strdup(to);
    g_free(lines[1]);
    lines[1] = g_strjoinv(",", fields);
    g_autofree char *changed = g_strjoinv("\n", lines);
    write_file(TEST "/predictions.csv", changed, -1);
}

static void test_forged_predictions(Fixture *f, gconstpointer data)
{
    (void)data;
    enum { TARGET = 1, LABEL, LOGIT, PROBABILITY, PREDICTION };
    g_autofree char *good = read_file(TEST "/predictions.csv", NULL);
    change_field(LOGIT, "9.5");
    change_field(PROBABILITY, "0.99992514");
    change_field(PREDICTION, "1");
    rewrite(TEST, "predictions.csv");
    const AimfVerification *found = verify_with(f, NULL, 1000, 0);
    assert_line(found, AIMF_REFUTED, TEST "/predictions.csv", "1 of 40 predictions computed again");
    assert_line(found, AIMF_REFUTED, TEST "/measures.json", "follows from the predictions");
    found = verify_with(f, NULL, 1000, 2); /* by the bound alike */
    assert_line(found, AIMF_REFUTED, TEST "/predictions.csv", "the first is row 1");
    write_file(TEST "/predictions.csv", good, -1);
    change_field(TARGET, "1");
    rewrite(TEST, "predictions.csv");
    assert_line(verify(f), AIMF_REFUTED, TEST "/predictions.csv", "is of no picture of 'shared/data/test.csv'");
    write_file(TEST "/predictions.csv", good, -1);
    change_field(0, "another.png");
    rewrite(TEST, "predictions.csv");
    assert_line(verify(f), AIMF_REFUTED, TEST "/predictions.csv", "row 1 is of no picture");
}

/* A logit that is another by its last digit is seen where bits count. */
static void test_last_digit(Fixture *f, gconstpointer data)
{
    (void)data;
    enum { LOGIT = 3 };
    g_autofree char *text = read_file(TEST "/predictions.csv", NULL);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_auto(GStrv) fields = g_strsplit(lines[1], ",", -1);
    g_autofree char *changed = g_strdup_printf("%.9g", g_ascii_strtod(fields[LOGIT], NULL) * (1 + 1e-6));
    change_field(LOGIT, changed);
    rewrite(TEST, "predictions.csv");
    const AimfVerification *found = verify_with(f, NULL, 1000, 0);
    assert_line(found, AIMF_REFUTED, TEST "/predictions.csv", "1 of 40 predictions computed again");
    found = verify_with(f, NULL, 1000, 2);
    assert_line(found, AIMF_VERIFIED, TEST "/predictions.csv", "within 0.001");
}

/* The stage of TEST gets another threshold, and its predictions those that this one gives. */
static void change_threshold(const char *text, double threshold)
{
    enum { PROBABILITY = 4, PREDICTION };
    g_autofree char *csv = read_file(TEST "/predictions.csv", NULL), *folder = path_of(TEST);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) lines = g_strsplit(csv, "\n", -1);
    for (char **line = lines + 1; *line && **line; line++) {
        g_auto(GStrv) fields = g_strsplit(*line, ",", -1);
        gboolean one = (float)g_ascii_strtod(fields[PROBABILITY], NULL) >= (float)threshold;
        g_free(fields[PREDICTION]);
        fields[PREDICTION] = g_strdup(one ? "1" : "0");
        g_free(*line);
        *line = g_strjoinv(",", fields);
    }
    g_autofree char *changed = g_strjoinv("\n", lines);
    write_file(TEST "/predictions.csv", changed, -1);
    g_autoptr(AimfProvenance) provenance = aimf_provenance_open(folder, &error);
    g_assert_no_error(error);
    json_object_set_string_member(provenance->settings, "evaluate.threshold", text);
    g_assert_true(aimf_provenance_save(provenance, folder, &error));
    rewrite(TEST, "predictions.csv");
}

/* Thresholds are what configurations may have: fractions, and both ends. */
static void test_thresholds(Fixture *f, gconstpointer data)
{
    (void)data;
    static const struct {
        const char *text;
        double threshold;
    } cases[] = { { "1/3", 1.0 / 3 }, { "0.47", 0.47 }, { "2 / 4", 0.5 }, { "0", 0 }, { "1", 1 } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        change_threshold(cases[i].text, cases[i].threshold);
        assert_line(verify_with(f, NULL, 1000, 1), AIMF_VERIFIED, TEST "/predictions.csv", "40 of its 40");
        assert_line(verify_with(f, NULL, 1000, 2), AIMF_VERIFIED, TEST "/predictions.csv", "40 of its 40");
    }
    change_threshold("0", 1);
    assert_line(verify_with(f, NULL, 1000, 2), AIMF_REFUTED, TEST "/predictions.csv", "40 of 40");
}

static void test_forged_stage(Fixture *f, gconstpointer data)
{
    (void)data;
    replace("cells/biased-0/model/provenance.json", "\"train.epochs\" : \"1\"", "\"train.epochs\" : \"2\"");
    replace("shared/sets/provenance.json", "\"stage\" : \"shared/sets\"", "\"stage\" : \"shared/set\"");
    replace("shared/sets/balanced.csv", "0\n", "1\n");
    rewrite("shared/sets", "balanced.csv");
    const AimfVerification *found = verify_with(f, NULL, 0, 0);
    assert_line(found, AIMF_REFUTED, "cells/biased-0/model/provenance.json", "its key is");
    assert_line(found, AIMF_REFUTED, "shared/sets/provenance.json", "it is of the stage 'shared/set'");
    assert_line(found, AIMF_REFUTED, "shared/sets/balanced.csv", "as the stage 'cells/aim-fair-0/model' says");
}

static void test_forged_results(Fixture *f, gconstpointer data)
{
    (void)data;
    replace("results.csv", "biased", "Biased");
    replace("report.html", "</title>", "!</title>");
    replace("junit.xml", "failures=\"0\"", "failures=\"1\"");
    rewrite(NULL, NULL);
    const AimfVerification *found = verify_with(f, NULL, 0, 0);
    g_assert_cmpuint(found->refuted, ==, 3);
    assert_line(found, AIMF_REFUTED, "junit.xml", "from line 2");
    assert_line(found, AIMF_REFUTED, "results.csv", "from line");
    assert_line(found, AIMF_REFUTED, "report.html", "from line");
}

/* --- Pictures --- */

static void test_pictures(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *picture = g_build_filename(home, "data/test_7.png", NULL);
    struct stat info;
    g_assert_cmpint(stat(picture, &info), ==, 0);
    flip(picture, (guint64)info.st_size - 1, 0);
    const AimfVerification *found = verify_with(f, NULL, 1000, 0);
    assert_line(found, AIMF_REFUTED, "pictures of shared/data/test.csv", "are not those of the stage");
    g_assert_false(is_named(found, "pictures of shared/data/train.csv"));
    flip(picture, (guint64)info.st_size - 1, 0);
    guint n = faults(f);
    g_assert_cmpuint(n, ==, 0);
}

static void test_moved(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *here = g_build_filename(home, "data", NULL), *there = g_build_filename(home, "moved", NULL);
    g_assert_cmpint(g_rename(here, there), ==, 0);
    const AimfVerification *found = verify(f);
    assert_line(found, AIMF_UNCHECKED, "pictures of shared/data/test.csv", "40 of 40");
    assert_line(found, AIMF_UNCHECKED, TEST "/predictions.csv", "of 8 predictions");
    g_assert_cmpuint(found->refuted, ==, 0);
    found = verify_with(f, there, 8, 0);
    g_assert_cmpuint(found->refuted, ==, 0);
    assert_line(found, AIMF_VERIFIED, TEST "/predictions.csv", "8 of its 40");
    g_assert_false(has_line(found, AIMF_UNCHECKED, "pictures of shared/data/test.csv", ""));
    found = verify_with(f, home, 8, 0); /* another folder */
    assert_line(found, AIMF_UNCHECKED, "pictures of shared/data/test.csv", "40 of 40");
    g_assert_cmpint(g_rename(there, here), ==, 0);
}

/* The report shows synthetic pictures, and photographs where they were asked for: without them it is not refuted. */
static void test_lacking(Fixture *f, gconstpointer data)
{
    (void)data;
    static const char *const folders[] = { "synthetic", "data" };
    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *here = g_build_filename(home, folders[i], NULL), *there = g_strconcat(here, "-moved", NULL);
        if (i == 1)
            replace("config.resolved.yaml", "pictures: false", "pictures: true");
        rewrite(NULL, NULL);
        g_assert_cmpint(g_rename(here, there), ==, 0);
        const AimfVerification *found = verify_with(f, NULL, 0, 0);
        g_assert_cmpint(g_rename(there, here), ==, 0);
        assert_line(found, AIMF_UNCHECKED, "report.html", "some are not there");
        g_assert_cmpuint(found->refuted, ==, 0);
    }
}

/* Pictures of a job say that they were generated. */
static void test_marks(Fixture *f, gconstpointer data)
{
    (void)data;
    const AimfImageText good = aimf_image_source_text(AIMF_SOURCE_TRAINED_ALGORITHMIC_MEDIA);
    const AimfImageText bad = aimf_image_source_text(AIMF_SOURCE_ALGORITHMIC_MEDIA);
    g_autofree char *folder = path_of("shared/pictures/0_0"), *marked = g_build_filename(folder, "1.png", NULL);
    g_autofree char *drawn = g_build_filename(folder, "2.png", NULL), *plain = g_build_filename(folder, "3.png", NULL);
    g_autoptr(AimfImage) image = aimf_image_new(8, 8, NULL);
    memset(image->data, 7, 8 * 8 * 3);
    g_mkdir_with_parents(folder, 0777);
    g_assert_true(aimf_image_save_png(image, &good, 1, marked, NULL));
    g_assert_true(aimf_image_save_png(image, &bad, 1, drawn, NULL));
    g_assert_true(aimf_image_save_png(image, NULL, 0, plain, NULL));
    write_file("shared/pictures/job.json", "{}", -1);
    write_file("shared/pictures/0_0/4.png", "\x89PNG\r\n\x1a\n\xff\xff\xff\xffiTXt", -1);
    const AimfVerification *found = verify_with(f, NULL, 0, 0);
    static const char lacks[] = "lacks the digital source type";
    g_assert_false(has_line(found, AIMF_REFUTED, "shared/pictures/0_0/1.png", lacks));
    assert_line(found, AIMF_REFUTED, "shared/pictures/0_0/2.png", lacks);
    assert_line(found, AIMF_REFUTED, "shared/pictures/0_0/3.png", lacks);
    assert_line(found, AIMF_REFUTED, "shared/pictures/0_0/4.png", lacks);
}

/* --- Hostile folders --- */

static void test_hostile(Fixture *f, gconstpointer data)
{
    (void)data;
    gsize size;
    g_autofree char *json = read_file(TEST "/measures.json", &size), *huge = path_of("shared/huge");
    g_autofree char *manifest = path_of("shared/data/train.csv"), *resolved = path_of("config.resolved.yaml");
    write_file(MODEL, "no model", -1);
    write_file(TEST "/measures.json", json, (gssize)size / 2);
    write_file("shared/sets/provenance.json", "[[[[", -1);
    write_file("cells/aim-fair-0/test/predictions.csv", "\xff\xfe\x00", 3);
    write_file("cells/provenance.json", "{\"format\": \"aimfair stage\"}", -1);
    FILE *sparse = fopen(huge, "wb");
    g_assert_cmpint(ftruncate(fileno(sparse), 1 << 28), ==, 0); /* of zeros, and no memory */
    fclose(sparse);
    g_unlink(manifest);
    g_assert_cmpint(mkfifo(manifest, 0666), ==, 0);
    g_unlink(resolved);
    g_assert_cmpint(symlink("config.resolved.yaml", resolved), ==, 0);
    shell("cd '%s' && for i in 1 2 3 4 5 6 7 8 9; do mkdir -p d/d/d/d/d/d/d/d/d && cd d/d/d/d/d/d/d/d/d; done", copy);
    const AimfVerification *found = verify(f);
    assert_line(found, AIMF_REFUTED, MODEL, "as SHA256SUMS says");
    assert_line(found, AIMF_REFUTED, MODEL, "no model");
    assert_line(found, AIMF_REFUTED, TEST "/measures.json", "not JSON");
    assert_line(found, AIMF_REFUTED, "shared/sets/provenance.json", "not JSON");
    assert_line(found, AIMF_REFUTED, "cells/provenance.json", "");
    assert_line(found, AIMF_REFUTED, "cells/aim-fair-0/test/measures.json", "");
    assert_line(found, AIMF_REFUTED, "shared/huge", "does not list it");
    assert_line(found, AIMF_REFUTED, "shared/data/train.csv", "no regular file");
    assert_line(found, AIMF_REFUTED, "config.resolved.yaml", "is a link");
    assert_line(found, AIMF_UNCHECKED, "results", "is not read");
}

/* Settings that every run has, and the folder of none need have. */
static void test_lost_settings(Fixture *f, gconstpointer data)
{
    (void)data;
    static const char *const kinds[] = { "manifests", "celeba", "utkface", "groups", "csv", "portraits" };
    g_autofree char *report = g_build_filename(home, "lost.html", NULL);
    g_autofree char *written = read_file("config.resolved.yaml", NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GString) text = g_string_new(written);
        g_autofree char *kind = g_strdup_printf("kind: %s\n", kinds[i]);
        const char *const one[] = { copy };
        g_autoptr(GError) error = NULL;
        g_string_replace(text, "kind: manifests\n", kind, 0);
        write_file("config.resolved.yaml", text->str, -1);
        guint n = faults(f);
        g_assert_cmpuint(n, >=, i ? 1 : 0);
        g_assert_true(aimf_run_report(one, 1, report, NULL, &error));
        g_assert_no_error(error);
    }
    g_unlink(report);
}

/* Pictures that could not be read have no prediction; the others are joined to the test set's columns all the same. */
static void test_skipped(Fixture *f, gconstpointer data)
{
    (void)data;
    static const char *const tests[] = { TEST, "cells/aim-fair-0/test" };
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *name = g_strconcat(tests[i], "/predictions.csv", NULL), *text = read_file(name, NULL);
        char *third = strchr(strchr(strchr(text, '\n') + 1, '\n') + 1, '\n') + 1, *fourth = strchr(third, '\n') + 1;
        memmove(third, fourth, strlen(fourth) + 1);
        write_file(name, text, -1);
    }
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfRunResults) results = aimf_run_results_open(copy, NULL, &error);
    g_assert_no_error(error);
    for (guint m = 0; m < 2; m++) {
        g_assert_nonnull(results->impact[m]);
        g_assert_cmpuint(results->impact[m]->selection[0].n, ==, 39);
    }
    const AimfVerification *found = verify_with(f, NULL, 1000, 0);
    assert_line(found, AIMF_VERIFIED, TEST "/predictions.csv", "39 of its 39");
}

/* A folder does not decide how long it is looked at. */
static void test_resamples(Fixture *f, gconstpointer data)
{
    (void)data;
    replace("config.resolved.yaml", "bootstrap: 20\n", "bootstrap: 100001\n");
    rewrite(NULL, NULL);
    const AimfVerification *found = verify_with(f, NULL, 0, 0);
    assert_line(found, AIMF_UNCHECKED, "results", "have 100001 resamples; more than 100000 are not made again");
    g_assert_cmpuint(found->refuted, ==, 0);
    replace(TEST "/measures.json", "\"resamples\" : 20", "\"resamples\" : 100001");
    assert_line(verify_with(f, NULL, 0, 0), AIMF_UNCHECKED, TEST "/measures.json", "100001 resamples");
}

static void test_stopped(Fixture *f, gconstpointer data)
{
    (void)data;
    (void)f;
    static const volatile int stop = 1;
    const AimfMonitor monitor = { .stop = &stop };
    const AimfVerifyOptions options = { .folder = copy };
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_run_verify(&options, &monitor, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INTERRUPTED);
    const AimfVerifyOptions elsewhere = { .folder = home }, nowhere = { .folder = "/nowhere" };
    g_clear_error(&error);
    g_assert_null(aimf_run_verify(&elsewhere, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(aimf_run_verify(&nowhere, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
}

/* --- The program --- */

static void test_program(Fixture *f, gconstpointer data)
{
    (void)data;
    (void)f;
    g_autofree char *text = program_output(home, 0, "$AIMFAIR verify copy --sample 4 -q");
    assert_contains(text, "verified   SHA256SUMS");
    assert_contains(text, "4 of its 40");
    assert_contains(text, "Nothing speaks against the run");
    program_expect(home, 2, "$AIMFAIR verify .", "is no folder of a run");
    program_expect(home, 2, "$AIMFAIR verify copy copy", "the folder of one run");
    program_expect(home, 2, "$AIMFAIR verify nowhere", "there is no folder");
    write_file("cells/\033[31m", "x", -1);
    g_autofree char *bad = program_output(home, 3, "$AIMFAIR verify copy --sample 0 -q");
    g_assert_true(g_str_has_prefix(bad, "refuted"));
    g_assert_null(strchr(bad, '\033'));
    g_auto(ProgramRun) run = RUN("verify", copy, "--json", "-q", "--sample", "0");
    g_assert_cmpint(run.status, ==, 3);
    g_autoptr(JsonNode) node = program_json(run.out);
    JsonObject *object = json_node_get_object(node);
    g_assert_false(json_object_get_boolean_member(object, "verified"));
    g_assert_cmpint(json_object_get_int_member(object, "refuted"), ==, 1);
    JsonObject *first = json_array_get_object_element(json_object_get_array_member(object, "lines"), 0);
    g_assert_cmpstr(json_object_get_string_member(first, "kind"), ==, "refuted");
    g_assert_cmpuint(strlen(json_object_get_string_member(object, "sums_sha256")), ==, 64);
}

/* The key of cells/biased-0/test is made to fit its inputs, in which @name is @hash. */
static void add_input(AimfProvenance *provenance, const char *name, const char *hash)
{
    json_object_set_string_member(provenance->inputs, name, hash);
    g_clear_pointer(&provenance->key, g_free);
    provenance->key = aimf_provenance_key(provenance);
}

/* A model and a manifest beside the run, that a stage says it is of: they would be read if its word were taken. */
static void test_outside(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = path_of(TEST), *csv = path_of("shared/data/test.csv");
    static const char *const outside[] = { "../outside.safetensors", "../outside.csv" };
    shell("cp '%s/" MODEL "' '%s/outside.safetensors' && cp '%s' '%s/outside.csv'", copy, home, csv, home);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, "x", -1);
    for (int manifest = 0; manifest < 2; manifest++) {
        g_autoptr(AimfProvenance) provenance = aimf_provenance_open(folder, &error);
        g_assert_no_error(error);
        json_object_remove_member(provenance->inputs, manifest ? "shared/data/test.csv" : MODEL);
        add_input(provenance, outside[manifest], hash);
        if (manifest) {
            json_object_remove_member(provenance->inputs, AIMF_PICTURES_OF "shared/data/test.csv");
            json_object_remove_member(provenance->inputs, outside[0]);
            add_input(provenance, AIMF_PICTURES_OF "../outside.csv", hash);
        }
        g_assert_true(aimf_provenance_save(provenance, folder, &error));
        assert_line(verify(f), AIMF_REFUTED, outside[manifest], "no regular file of the run");
    }
}

/* Links in place of files that are read by their names. */
static void test_links(Fixture *f, gconstpointer data)
{
    (void)data;
    static const char *const names[] = { AIMF_CHECKSUMS, TEST "/predictions.csv", "shared/data/test.csv", MODEL };
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = path_of(names[i]), *to = g_strdup_printf("%s/linked-%" G_GSIZE_FORMAT, home, i);
        g_assert_cmpint(g_rename(path, to) + symlink(to, path), ==, 0);
    }
    const AimfVerification *found = verify(f);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        assert_line(found, AIMF_REFUTED, names[i], "is a link");
    assert_line(found, AIMF_REFUTED, AIMF_CHECKSUMS, "no regular file of the run");
    assert_line(found, AIMF_REFUTED, TEST "/measures.json", "no regular file of the run");
    assert_line(found, AIMF_UNCHECKED, "results", "is not read");
}

/* Names of classes and groups are looked up by numbers that other files have. */
static void test_names(Fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *good = read_file(TEST "/predictions.csv", NULL);
    g_auto(GStrv) lines = g_strsplit(good, "\n", -1);
    g_auto(GStrv) names = g_strsplit(lines[0], ",", -1);
    guint column = 0;
    while (names[column] && strcmp(names[column], "protected") != 0)
        column++;
    g_assert_nonnull(names[column]);
    g_auto(GStrv) fields = g_strsplit(lines[1], ",", -1);
    g_free(fields[column]);
    fields[column] = g_strdup("a third");
    g_free(lines[1]);
    lines[1] = g_strjoinv(",", fields);
    g_autofree char *changed = g_strjoinv("\n", lines);
    write_file(TEST "/predictions.csv", changed, -1);
    assert_line(verify_with(f, NULL, 0, 0), AIMF_REFUTED, "results", "other classes or protected labels");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    make_run();
#define ADD(name, function) g_test_add("/verify/" name, Fixture, NULL, set_up, function, tear_down)
    ADD("whole", test_whole);
    ADD("bytes", test_bytes);
    ADD("sums", test_sums);
    ADD("files", test_files);
    ADD("strangers", test_strangers);
    ADD("forged_sums", test_forged_sums);
    ADD("forged_predictions", test_forged_predictions);
    ADD("last_digit", test_last_digit);
    ADD("thresholds", test_thresholds);
    ADD("forged_stage", test_forged_stage);
    ADD("forged_results", test_forged_results);
    ADD("pictures", test_pictures);
    ADD("moved", test_moved);
    ADD("lacking", test_lacking);
    ADD("marks", test_marks);
    ADD("hostile", test_hostile);
    ADD("lost_settings", test_lost_settings);
    ADD("skipped", test_skipped);
    ADD("resamples", test_resamples);
    ADD("outside", test_outside);
    ADD("links", test_links);
    ADD("names", test_names);
    ADD("stopped", test_stopped);
    ADD("program", test_program);
    int status = g_test_run();
    remove_run();
    return status;
}
