/* `aimfair evaluate --model` through the real binary: answers, progress on a terminal and off it, and Ctrl-C. */
#include "base/random.h"
#include "cli/support_program.h"

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

static JsonNode *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    JsonNode *root = json_from_string(text, &error);
    g_assert_no_error(error);
    return root;
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
    g_autoptr(JsonNode) a = parse(asked.out), b = parse(read.out);
    g_assert_cmpstr(json_object_get_string_member(json_node_get_object(a), "model"), ==, model_path);
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(a), "n"), ==, N_IMAGES);
    JsonNode *nodes[] = { a, b };
    for (int i = 0; i < 2; i++) {
        json_object_remove_member(json_node_get_object(nodes[i]), "model");
        json_object_remove_member(json_node_get_object(nodes[i]), "data");
    }
    g_autofree char *left = json_to_string(a, FALSE), *right = json_to_string(b, FALSE);
    g_assert_cmpstr(left, ==, right);
    g_assert_cmpint(g_unlink(answers_path), ==, 0);
}

static void test_threshold(void)
{
    g_auto(ProgramRun) all = RUN("evaluate", "--model", model_path, "--data", manifest_path, "--threshold", "0", "-q",
                                 "--require", "demographic_parity<=0", "--require", "equal_opportunity<=0", "--json");
    g_assert_cmpint(all.status, ==, 0); /* everybody is class 1, so nobody is treated differently */
    g_autoptr(JsonNode) root = parse(all.out);
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
    g_autoptr(JsonNode) root = parse(lenient.out);
    g_assert_cmpint(json_object_get_int_member(json_node_get_object(root), "n"), ==, N_IMAGES);
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
    g_auto(GStrv) parts = g_strsplit(text->str, "\r\033[K", -1);
    guint n = g_strv_length(parts);
    g_assert_cmpuint(n, >=, 3);
    for (guint i = 1; i + 1 < n; i++)
        g_assert_cmpint(g_utf8_strlen(parts[i], -1), <, 30);
    g_assert_true(g_str_has_prefix(parts[n - 1], "{")); /* the results come after the line was erased */
}

/* Ctrl-C: status 130, the message says so, the old answers stay. It is sent as soon as the program catches it (signal 2). */
static void test_interrupt(void)
{
    g_assert_true(g_file_set_contents(answers_path, "old", -1, NULL));
    g_autofree char *command = g_strdup_printf(
        "\"$AIMFAIR\" evaluate --model '%s' --data '%s' --predictions '%s' & "
        "i=0; until grep -q '^SigCgt:.*[2367abef]$' /proc/$!/status || [ $((i += 1)) -gt 400 ]; do sleep 0.05; done; "
        "kill -INT $!; wait $!",
        model_path, long_path, answers_path);
    g_auto(ProgramRun) run = run_shell(command);
    g_assert_cmpint(run.status, ==, 130);
    g_assert_nonnull(strstr(run.err, "interrupted"));
    g_assert_cmpstr(run.out, ==, "");
    g_autofree char *kept = NULL;
    g_assert_true(g_file_get_contents(answers_path, &kept, NULL, NULL));
    g_assert_cmpstr(kept, ==, "old");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    set_up();
    g_test_add_func("/cli-evaluate-model/answers", test_answers);
    g_test_add_func("/cli-evaluate-model/threshold", test_threshold);
    g_test_add_func("/cli-evaluate-model/bad-images", test_bad_images);
    g_test_add_func("/cli-evaluate-model/unknown-class", test_unknown_class);
    g_test_add_func("/cli-evaluate-model/plain-progress", test_plain_progress);
    g_test_add_func("/cli-evaluate-model/terminal-progress", test_terminal_progress);
    g_test_add_func("/cli-evaluate-model/interrupt", test_interrupt);
    int status = g_test_run();
    tear_down();
    return status;
}
