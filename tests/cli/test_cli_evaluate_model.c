/* `aimfair evaluate --model` through the real binary: answers, progress on a terminal and off it, and Ctrl-C. */
#include "base/random.h"
#include "cli/support_program.h"

#include <aimfair/graph.h>
#include <aimfair/model.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <pty.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_IMAGES = 40, SIDE = 32 };

static char *folder;
static char *model_path;
static char *manifest_path; /* N_IMAGES rows, every target and label */
static char *long_path;     /* the same images over and over: tens of seconds of work */
static char *answers_path;

static void make_images(void)
{
    for (guint i = 0; i < N_IMAGES; i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *name = g_strdup_printf("%u.png", i);
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autoptr(AimfImage) image = aimf_image_new(SIDE, SIDE, &error);
        AimfRandom random = aimf_random_at(1, AIMF_STREAM_TEST, i);
        for (gsize k = 0; k < (gsize)SIDE * SIDE * 3; k++)
            image->data[k] = (guint8)aimf_random_below(&random, 256);
        aimf_image_save(image, path, &error);
        g_assert_no_error(error);
    }
}

static char *make_manifest(const char *name, guint rows)
{
    g_autoptr(GString) text = g_string_new("path,target,protected\n");
    for (guint i = 0; i < rows; i++)
        g_string_append_printf(text, "%u.png,%u,%s\n", i % N_IMAGES, i % 2, i / 2 % 2 ? "b" : "a");
    char *path = g_build_filename(folder, name, NULL);
    g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
    return path;
}

static void set_up(void)
{
    g_autoptr(GError) error = NULL;
    folder = g_dir_make_tmp("aimfair-XXXXXX", &error);
    make_images();
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", SIDE, 1, 1, &error);
    model_path = g_build_filename(folder, "model.safetensors", NULL);
    aimf_model_save(model, model_path, &error);
    g_assert_no_error(error);
    manifest_path = make_manifest("test.csv", N_IMAGES);
    long_path = make_manifest("long.csv", 200000);
    answers_path = g_build_filename(folder, "answers.csv", NULL);
}

static void tear_down(void)
{
    g_autoptr(GDir) directory = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(directory));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_assert_cmpint(g_unlink(path), ==, 0);
    }
    g_rmdir(folder);
    char *paths[] = { folder, model_path, manifest_path, long_path, answers_path };
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
        g_free(paths[i]);
}

/* What the model says, measured at once, is what its saved answers give. */
static void test_answers(void)
{
    g_auto(ProgramRun) asked =
        RUN("evaluate", "--model", model_path, "--data", manifest_path, "--predictions", answers_path, "--json");
    g_assert_cmpint(asked.status, ==, 0);
    g_assert_nonnull(strstr(asked.err, "40/40 images"));
    g_auto(ProgramRun) read = RUN("evaluate", "--from-predictions", answers_path, "--json", "--quiet");
    g_assert_cmpint(read.status, ==, 0);
    g_assert_cmpstr(read.err, ==, "");
    g_autoptr(JsonNode) a = program_json(asked.out), b = program_json(read.out);
    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(a), "model"), ==, model_path);
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(a), "n"), ==, N_IMAGES);
    JsonNode *nodes[] = { a, b };
    for (int i = 0; i < 2; i++) {
        json_object_remove_member(json_node_get_object(nodes[i]), "model");
        json_object_remove_member(json_node_get_object(nodes[i]), "data");
        json_object_remove_member(json_node_get_object(nodes[i]), "evidence");
    }
    g_autofree char *left = json_to_string(a, FALSE), *right = json_to_string(b, FALSE);
    g_assert_cmpstr(left, ==, right);
    g_assert_cmpint(g_unlink(answers_path), ==, 0);
}

/* Two models, here one and itself, are asked about the same manifest. */
static void test_compare(void)
{
    g_auto(ProgramRun) run =
        RUN("evaluate", "--compare", model_path, model_path, "--data", manifest_path, "--json", "--quiet");
    g_assert_cmpint(run.status, ==, 0);
    g_assert_nonnull(strstr(run.err, "say the same of all 40 samples"));
    g_autoptr(JsonNode) root = program_json(run.out);
    JsonObject *object = json_node_get_object(root);
    JsonObject *before = json_object_get_object_member(object, "before");
    g_assert_cmpstr(json_object_get_string_member(before, "file"), ==, model_path);
    g_assert_cmpuint(strlen(json_object_get_string_member(before, "model_sha256")), ==, 64);
    g_assert_cmpstr(json_object_get_string_member(object, "data"), ==, manifest_path);
    JsonObject *comparison = json_object_get_object_member(object, "comparison");
    g_assert_cmpint(json_object_get_int_member(comparison, "n"), ==, N_IMAGES);
    g_assert_cmpint(json_object_get_int_member(comparison, "lost"), ==, 0);
}

static char *hash_of(const char *path)
{
    g_autofree char *text = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, length);
}

static void test_evidence(void)
{
    g_auto(ProgramRun) run = RUN("evaluate", "--model", model_path, "--data", manifest_path, "--json", "--quiet",
                                 "--threshold", "0.3", "--seed", "9", "--bootstrap", "20");
    g_assert_cmpint(run.status, ==, 0);
    g_autoptr(JsonNode) root = program_json(run.out);
    JsonObject *evidence = json_object_get_object_member(json_node_get_object(root), "evidence");
    g_autoptr(AimfModel) model = aimf_model_open(model_path, NULL);
    g_autoptr(AimfManifest) manifest = aimf_manifest_open(manifest_path, NULL);
    g_autofree char *file = hash_of(model_path), *weights = aimf_model_hash(model);
    g_autofree char *data = hash_of(manifest_path), *rows = aimf_manifest_hash(manifest);
    g_autofree char *engine = aimf_device_engine(NULL);
    g_assert_cmpstr(json_object_get_string_member(evidence, "model_sha256"), ==, file);
    g_assert_cmpstr(json_object_get_string_member(evidence, "weights_sha256"), ==, weights);
    g_assert_cmpstr(json_object_get_string_member(evidence, "data_sha256"), ==, data);
    g_assert_cmpstr(json_object_get_string_member(evidence, "rows_sha256"), ==, rows);
    g_assert_cmpstr(json_object_get_string_member(evidence, "engine"), ==, engine);
    g_assert_cmpstr(json_object_get_string_member(evidence, "precision"), ==, "f32");
    g_assert_nonnull(json_object_get_string_member(evidence, "instruction_set"));
    g_assert_cmpfloat(json_object_get_double_member(evidence, "threshold"), ==, 0.3);
    g_assert_cmpint(json_object_get_int_member(json_object_get_object_member(evidence, "bootstrap"), "seed"), ==, 9);
}

/* Three classes with names: the names are everywhere, and the saved probabilities give the same measures again. */
static void test_named_classes(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", SIDE, 3, 1, &error);
    g_assert_no_error(error);
    model->target = g_strdup("age");
    model->classes = g_strsplit("young,adult,\"old\", very", ",", 3);
    g_autofree char *path = g_build_filename(folder, "three.safetensors", NULL);
    aimf_model_save(model, path, &error);
    g_assert_no_error(error);
    g_auto(ProgramRun) asked =
        RUN("evaluate", "--model", path, "--data", manifest_path, "--predictions", answers_path, "--json", "--quiet");
    g_assert_cmpint(asked.status, ==, 0);
    g_autofree char *saved = NULL;
    g_assert_true(g_file_get_contents(answers_path, &saved, NULL, NULL));
    g_assert_true(
        g_str_has_prefix(saved, "path,target,protected,prediction,probability_0,probability_1,probability_2,class\n"));
    g_auto(ProgramRun) read = RUN("evaluate", "--from-predictions", answers_path, "--json", "--quiet");
    g_assert_cmpstr(read.err, ==, "");
    g_autoptr(JsonNode) a = program_json(asked.out), b = program_json(read.out);
    JsonObject *from_model = json_node_get_object(a), *from_file = json_node_get_object(b);
    g_assert_cmpstr(json_object_get_string_member(from_model, "target"), ==, "age");
    g_assert_cmpstr(json_array_get_string_element(json_object_get_array_member(from_model, "class_names"), 2), ==,
                    "\"old\", very");
    const char *const same[] = { "accuracy", "macro", "worst", "by_group" };
    for (gsize i = 0; i < G_N_ELEMENTS(same); i++)
        g_assert_true(
            json_node_equal(json_object_get_member(from_model, same[i]), json_object_get_member(from_file, same[i])));
    g_auto(ProgramRun) table =
        RUN("evaluate", "--model", path, "--data", manifest_path, "--quiet", "--positive", "adult");
    g_assert_nonnull(strstr(table.out, "target: age\npositive class: 1 adult\n"));
    g_assert_nonnull(strstr(table.out, "\n2 \"old\", very"));

    g_auto(ProgramRun) told =
        RUN("predict", "--model", path, "--data", manifest_path, "-o", answers_path, "--json", "--quiet");
    g_assert_cmpint(told.status, ==, 0);
    g_autoptr(JsonNode) root = program_json(told.out);
    JsonArray *names = json_object_get_array_member(json_node_get_object(root), "class_names");
    g_assert_cmpstr(json_array_get_string_element(names, 0), ==, "young");
    g_autofree char *answers = NULL;
    g_assert_true(g_file_get_contents(answers_path, &answers, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(answers, "\n", 3);
    g_assert_cmpstr(
        lines[0], ==,
        "path,logit_0,logit_1,logit_2,probability,prediction,probability_0,probability_1,probability_2,class");
    g_auto(GStrv) fields = g_strsplit(lines[1], ",", 10);
    double shares[3];
    for (guint k = 0; k < 3; k++)
        shares[k] = g_ascii_strtod(fields[6 + k], NULL);
    gint64 predicted = g_ascii_strtoll(fields[5], NULL, 10);
    g_assert_cmpfloat_with_epsilon(shares[0] + shares[1] + shares[2], 1, 1e-6);
    g_assert_cmpfloat(shares[predicted], ==, g_ascii_strtod(fields[4], NULL));
    g_autofree char *quoted = g_strdup_printf("\"\"\"%s", "old");
    g_assert_true(g_str_has_prefix(fields[9], predicted == 2 ? quoted : model->classes[predicted]));
    g_assert_cmpint(g_unlink(answers_path), ==, 0);
}

static void test_threshold(void)
{
    g_auto(ProgramRun) all = RUN("evaluate", "--model", model_path, "--data", manifest_path, "--threshold", "0", "-q",
                                 "--require", "demographic_parity<=0", "--require", "equal_opportunity<=0", "--json");
    g_assert_cmpint(all.status, ==, 0); /* everybody is class 1, so nobody is treated differently */
    g_autoptr(JsonNode) root = program_json(all.out);
    g_assert_cmpfloat(json_object_get_double_member(json_node_get_object(root), "accuracy"), ==, 0.5);
}

static void test_bad_images(void)
{
    g_autofree char *rows = NULL;
    g_assert_true(g_file_get_contents(manifest_path, &rows, NULL, NULL));
    g_autofree char *text = g_strconcat(rows, "missing.png,1,a\n", NULL);
    g_autofree char *path = g_build_filename(folder, "bad.csv", NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_auto(ProgramRun) strict = RUN("evaluate", "--model", model_path, "--data", path, "--predictions", answers_path);
    g_assert_cmpint(strict.status, ==, 2);
    g_assert_nonnull(strstr(strict.err, "missing.png"));
    g_assert_false(g_file_test(answers_path, G_FILE_TEST_EXISTS));
    g_auto(ProgramRun) lenient =
        RUN("evaluate", "--model", model_path, "--data", path, "--skip-bad", "1", "--json", "--quiet");
    g_assert_cmpint(lenient.status, ==, 0);
    g_assert_nonnull(strstr(lenient.err, "missing.png"));
    g_autoptr(JsonNode) root = program_json(lenient.out);
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(root), "n"), ==, N_IMAGES);
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(root), "skipped"), ==, 1);
}

static JsonArray *impact_of(JsonNode *root)
{
    return json_object_get_array_member(json_node_get_object(root), "impact");
}

/* Columns of the manifest stay beside their pictures, though one of these cannot be read. */
static void test_impact(void)
{
    g_autoptr(GString) text = g_string_new("path,target,protected,copy\nmissing.png,1,a,z\n");
    for (guint i = 0; i < N_IMAGES; i++) {
        const char *label = i / 3 % 2 ? "b" : "a";
        g_string_append_printf(text, "%u.png,%u,%s,%s\n", i, i % 2, label, i == 7 ? "" : label);
    }
    g_autofree char *path = g_build_filename(folder, "impact.csv", NULL);
    g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
    g_auto(ProgramRun) asked = RUN("evaluate", "--model", model_path, "--data", path, "--skip-bad", "1", "--json", "-q",
                                   "--threshold", "0.5", "--predictions", answers_path, "--impact", "protected,copy");
    g_assert_cmpint(asked.status, ==, 0);
    g_auto(ProgramRun) read =
        RUN("evaluate", "--from-predictions", answers_path, "--json", "--quiet", "--impact", "protected");
    g_assert_cmpint(read.status, ==, 0);
    g_autoptr(JsonNode) a = json_from_string(asked.out, NULL), b = json_from_string(read.out, NULL);
    g_autofree char *left = json_to_string(json_array_get_element(impact_of(a), 0), FALSE);
    g_autofree char *right = json_to_string(json_array_get_element(impact_of(b), 0), FALSE);
    g_assert_cmpstr(left, ==, right);
    JsonObject *copy = json_array_get_object_element(impact_of(a), 1);
    g_assert_cmpint(json_object_get_int_member(copy, "n"), ==, N_IMAGES);
    g_assert_cmpint(json_object_get_int_member(copy, "unknown"), ==, 1);
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(copy, "categories")), ==, 2);
    JsonObject *both = json_array_get_object_element(impact_of(a), 2);
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(both, "categories")), ==, 2);
    g_auto(ProgramRun) wrong = RUN("evaluate", "--model", model_path, "--data", path, "--impact", "copie", "-q");
    g_assert_cmpint(wrong.status, ==, 2);
    g_assert_nonnull(strstr(wrong.err, "no column 'copie' (did you mean 'copy'?)"));
    g_assert_cmpint(g_unlink(answers_path), ==, 0);
}

static void test_unknown_class(void)
{
    g_autofree char *path = g_build_filename(folder, "classes.csv", NULL);
    g_assert_true(g_file_set_contents(path, "path,target,protected\n0.png,0,a\n1.png,2,a\n", -1, NULL));
    g_auto(ProgramRun) run = RUN("evaluate", "--model", model_path, "--data", path);
    g_assert_cmpint(run.status, ==, 2);
    g_assert_nonnull(strstr(run.err, "is of class 2, but the model knows 2 classes"));
}

/* Off a terminal: no control characters. */
static void test_plain_progress(void)
{
    g_auto(ProgramRun) run = RUN("evaluate", "--model", model_path, "--data", manifest_path);
    g_assert_cmpint(run.status, ==, 0);
    g_assert_null(strchr(run.err, '\r'));
    g_assert_null(strchr(run.err, '\033'));
}

static void read_all(int fd, GString *text)
{
    char buffer[4096];
    for (gssize n; (n = read(fd, buffer, sizeof buffer)) > 0;)
        g_string_append_len(text, buffer, n);
}

/* On one: a line that is rewritten, no wider than the terminal, and gone at the end. */
static void test_terminal_progress(void)
{
    struct winsize size = { .ws_row = 24, .ws_col = 30 };
    int terminal;
    pid_t child = forkpty(&terminal, NULL, NULL, &size);
    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        setenv("TERM", "xterm", 1);
        execl(AIMFAIR_PROGRAM, "aimfair", "evaluate", "--model", model_path, "--data", manifest_path, "--json", NULL);
        _exit(127);
    }
    g_autoptr(GString) text = g_string_new(NULL);
    read_all(terminal, text);
    int status;
    waitpid(child, &status, 0);
    close(terminal);
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    char *results = strstr(text->str, "\r\033[K{"); /* they come after the line was erased */
    g_assert_nonnull(results);
    *results = 0;
    g_auto(GStrv) parts = g_strsplit(text->str, "\r", -1);
    guint n = g_strv_length(parts);
    g_assert_cmpuint(n, >=, 2);
    for (guint i = 1; i < n; i++) {
        g_assert_true(g_str_has_suffix(parts[i], "\033[K"));
        g_assert_cmpint(g_utf8_strlen(parts[i], -1), <, 30 + 3);
    }
}

/*
 * Ctrl-C, kill, and a terminal that is closed: status 130, the message says so, the old answers stay. The signal is
 * sent as soon as the program catches SIGHUP (1) and SIGINT (2); the shell that becomes the program catches the second
 * too, so its name is looked at as well.
 */
static void test_interrupt(void)
{
    static const char *const signals[] = { "INT", "TERM", "HUP" };
    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++) {
        g_assert_true(g_file_set_contents(answers_path, "old", -1, NULL));
        g_autofree char *command = g_strdup_printf(
            "env --default-signal=HUP \"$AIMFAIR\" evaluate --model '%s' --data '%s' --predictions '%s' & "
            "i=0; until [ $(grep -c -e '^Name:.*aimfair' -e '^SigCgt:.*[37bf]$' /proc/$!/status) = 2 ]; do "
            "[ $((i += 1)) -lt 2000 ] || { kill -KILL $!; exit 99; }; sleep 0.05; done; kill -%s $!; wait $!",
            model_path, long_path, answers_path, signals[i]);
        g_auto(ProgramRun) run = run_shell(command);
        g_assert_cmpint(run.status, ==, 130);
        g_assert_nonnull(strstr(run.err, "interrupted"));
        g_assert_cmpstr(run.out, ==, "");
        g_autofree char *kept = NULL;
        g_assert_true(g_file_get_contents(answers_path, &kept, NULL, NULL));
        g_assert_cmpstr(kept, ==, "old");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    set_up();
    g_test_add_func("/cli-evaluate-model/answers", test_answers);
    g_test_add_func("/cli-evaluate-model/compare", test_compare);
    g_test_add_func("/cli-evaluate-model/evidence", test_evidence);
    g_test_add_func("/cli-evaluate-model/named-classes", test_named_classes);
    g_test_add_func("/cli-evaluate-model/threshold", test_threshold);
    g_test_add_func("/cli-evaluate-model/bad-images", test_bad_images);
    g_test_add_func("/cli-evaluate-model/impact", test_impact);
    g_test_add_func("/cli-evaluate-model/unknown-class", test_unknown_class);
    g_test_add_func("/cli-evaluate-model/plain-progress", test_plain_progress);
    g_test_add_func("/cli-evaluate-model/terminal-progress", test_terminal_progress);
    g_test_add_func("/cli-evaluate-model/interrupt", test_interrupt);
    int status = g_test_run();
    tear_down();
    return status;
}
