/* aimfair data, through the real binary, and the checking of manifests beneath it. */
#include "cli/support_program.h"
#include "data/support_data.h"

#include <json-glib/json-glib.h>
#include <string.h>

static void expect_part(const char *text, const char *part)
{
    if (!strstr(text, part))
        g_error("expected '%s' in:\n%s", part, text);
}

static JsonObject *parse(const char *text, JsonParser **parser)
{
    g_autoptr(GError) error = NULL;
    *parser = json_parser_new();
    json_parser_load_from_data(*parser, text, -1, &error);
    g_assert_no_error(error);
    return json_node_get_object(json_parser_get_root(*parser));
}

static char *utkface_folder(guint per_group)
{
    char *folder = data_folder_new();
    for (guint i = 0; i < 4 * per_group; i++) {
        g_autofree char *unique = g_strdup_printf("faces/%u_%u_%u_%u.jpg", i % 100, i % 2, i / 2 % 2, i);
        data_touch(folder, unique);
    }
    data_touch(folder, "faces/39_1_2017.jpg");
    return folder;
}

static void test_utkface(void)
{
    char *folder = utkface_folder(30);
    g_autofree char *root = g_build_filename(folder, "faces", NULL);
    g_autofree char *out = g_build_filename(folder, "out", "deep", NULL);
    g_auto(ProgramRun) run =
        RUN("data", "utkface", "--root", root, "--target", "gender", "--protected", "White", "--bias", "1/9", "--count",
            "40", "--val-per-group", "3", "--test-per-group", "5", "--seed", "7", "-o", out, "--json");
    g_assert_cmpint(run.status, ==, 0);
    expect_part(run.err, "39_1_2017.jpg");
    g_autoptr(JsonParser) parser = NULL;
    JsonObject *result = parse(run.out, &parser);
    g_assert_cmpint(json_object_get_int_member(result, "bad_names"), ==, 1);
    JsonArray *manifests = json_object_get_array_member(result, "manifests");
    static const gint64 TOTALS[] = { 40, 12, 20 };
    for (guint i = 0; i < 3; i++) {
        JsonObject *written = json_array_get_object_element(manifests, i);
        g_assert_cmpint(json_object_get_int_member(written, "images"), ==, TOTALS[i]);
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfManifest) manifest = aimf_manifest_open(json_object_get_string_member(written, "path"), &error);
        g_assert_no_error(error);
        g_assert_cmpint(aimf_manifest_count(manifest), ==, TOTALS[i]);
    }
    JsonObject *train = json_array_get_object_element(manifests, 0);
    JsonArray *groups = json_object_get_array_member(train, "groups");
    static const gint64 SIZES[] = { 2, 18, 18, 2 };
    for (guint g = 0; g < 4; g++)
        g_assert_cmpint(json_object_get_int_member(json_array_get_object_element(groups, g), "images"), ==, SIZES[g]);

    /* The same seed gives the same bytes. */
    g_autofree char *again = g_build_filename(folder, "again", NULL);
    g_auto(ProgramRun) repeated =
        RUN("data", "utkface", "--root", root, "--target", "gender", "--protected", "White", "--bias", "1/9", "--count",
            "40", "--val-per-group", "3", "--test-per-group", "5", "--seed", "7", "-o", again);
    g_assert_cmpint(repeated.status, ==, 0);
    g_autofree char *command = g_strdup_printf("diff -r '%s' '%s'", out, again);
    g_auto(ProgramRun) diff = run_shell(command);
    g_assert_cmpint(diff.status, ==, 0);
    data_folder_free(folder);
}

/*
 * The names that a dataset has for its numbers are kept in the manifest and shown; a training keeps them in the model.
 */
static void test_names(void)
{
    char *folder = data_folder_new();
    for (guint i = 0; i < 8; i++) {
        g_autofree char *name = g_strdup_printf("faces/30_%u_%u_%u.jpg", i % 2, i / 2 % 2, i);
        data_touch(folder, name);
    }
    g_autofree char *root = g_build_filename(folder, "faces", NULL);
    g_autofree char *path = g_build_filename(folder, "train.csv", NULL);
    g_auto(ProgramRun) run =
        RUN("data", "utkface", "--root", root, "--target", "gender", "--protected", "White", "-o", folder);
    g_assert_cmpint(run.status, ==, 0);
    expect_part(run.out, "         1  1                    2  female, White\n");
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_true(g_str_has_prefix(text, "path,target,protected,target_name,protected_name\n"));
    expect_part(text, "faces/30_0_1_2.jpg,0,0,male,not White\n");
    g_autoptr(AimfManifest) manifest = aimf_manifest_open(path, NULL);
    g_auto(GStrv) classes = aimf_manifest_class_names(manifest);
    g_auto(GStrv) groups = aimf_manifest_group_names(manifest);
    g_autofree char *all = g_strdup_printf("%s %s, %s %s", classes[0], classes[1], groups[0], groups[1]);
    g_assert_cmpstr(all, ==, "male female, not White White");
    g_assert_cmpstr(aimf_manifest_at(manifest, 0).protected_label, ==, "1");
    /* Other attributes, several of them, and a file whose names contradict one another. */
    g_auto(ProgramRun) more =
        RUN("data", "utkface", "--root", root, "--target", "age>=40", "--protected", "Male,race", "-o", folder);
    g_assert_cmpint(more.status, ==, 0);
    expect_part(more.out, "age<40, female and Black");
    g_autofree char *odd = data_write(
        folder, "odd.csv", "path,target,protected,target_name\na.png,0,x,cat\nb.png,0,y,dog\nc.png,1,x,dog\n");
    g_autoptr(AimfManifest) contradictory = aimf_manifest_open(odd, NULL);
    g_assert_null(aimf_manifest_class_names(contradictory));
    g_assert_null(aimf_manifest_group_names(contradictory));
    data_folder_free(folder);
}

static void test_groups(void)
{
    char *folder = data_folder_new();
    for (guint i = 0; i < 40; i++) {
        g_autofree char *name = g_strdup_printf("in/%u_%u/%u.png", i % 2, i / 2 % 2, i);
        data_touch(folder, name);
    }
    g_autofree char *root = g_build_filename(folder, "in", NULL);
    g_auto(ProgramRun) run =
        RUN("data", "groups", "--root", root, "--balanced", "8", "--biased", "1/9:20", "-o", folder);
    g_assert_cmpint(run.status, ==, 0);
    expect_part(run.out, "balanced.csv: 32 images");
    expect_part(run.out, "biased.csv: 20 images");
    g_autofree char *balanced = g_build_filename(folder, "balanced.csv", NULL);
    g_autofree char *biased = g_build_filename(folder, "biased.csv", NULL);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(balanced, &text, NULL, NULL));
    expect_part(text, "\nin/0_0/"); /* relative: the pictures lie below */

    g_auto(ProgramRun) leaking = RUN("data", "check", "--no-decode", balanced, biased);
    g_assert_cmpint(leaking.status, ==, 2);
    g_auto(ProgramRun) check = RUN("data", "check", "--no-decode", "--json", "--allow", "overlap", balanced, biased);
    g_assert_cmpint(check.status, ==, 0);
    g_autoptr(JsonParser) parser = NULL;
    JsonObject *result = parse(check.out, &parser);
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(result, "missing")), ==, 0);
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(result, "repeated")), ==, 0);
    /* The biased majority has 9 of 10 images of its groups, the balanced set 8. */
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(result, "across")), >=, 14);

    g_auto(ProgramRun) short_of = RUN("data", "groups", "--root", root, "--balanced", "11", "-o", folder);
    g_assert_cmpint(short_of.status, ==, 2);
    expect_part(short_of.err, "group 0_0 (target 0, protected 0): 11 images are asked for, 10 there are");
    g_auto(ProgramRun) nothing = RUN("data", "groups", "--root", root, "-o", folder);
    g_assert_cmpint(nothing.status, ==, 2);
    expect_part(nothing.err, "--balanced or --biased");
    g_auto(ProgramRun) unclear = RUN("data", "groups", "--root", root, "--biased", "1/9", "-o", folder);
    g_assert_cmpint(unclear.status, ==, 2);
    expect_part(unclear.err, "1/9:20000");
    data_folder_free(folder);
}

static void test_csv(void)
{
    char *folder = data_folder_new();
    data_touch(folder, "a.png");
    g_autofree char *file = data_write(folder, "pets.csv", "img,kind,light\na.png,dog,dark\n");
    g_autofree char *out = g_build_filename(folder, "out", NULL);
    g_auto(ProgramRun) run =
        RUN("data", "csv", "--file", file, "--path-column", "img", "--target-column", "kind", "--protected-column",
            "light", "--target-map", "dog=1,*=0", "--protected-map", "dark=night", "-o", out);
    g_assert_cmpint(run.status, ==, 0);
    expect_part(run.out, "night");
    expect_part(run.err, "validation set is empty");
    g_autofree char *val = g_build_filename(out, "val.csv", NULL);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(val, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "path,target,protected\n");
    g_auto(ProgramRun) over = RUN("data", "csv", "--file", val, "--path-column", "path", "--target-column", "target",
                                  "--protected-column", "protected", "-o", out);
    g_assert_cmpint(over.status, ==, 2);
    expect_part(over.err, "val.csv would replace a file that this command needs");
    /* A file where the folder should be. */
    g_auto(ProgramRun) blocked = RUN("data", "csv", "--file", file, "--path-column", "img", "--target-column", "kind",
                                     "--protected-column", "light", "--target-map", "*=0", "-o", file);
    g_assert_cmpint(blocked.status, ==, 2);
    expect_part(blocked.err, "pets.csv");
    data_folder_free(folder);
}

/*
 * Files as a first day brings them: Kaggle's nested CelebA with a mark and CRLF, a table from Excel, pictures of
 * other formats.
 */
static void test_first_day(void)
{
    char *folder = data_folder_new();
    g_free(data_draw(folder, "c/img_align_celeba/img_align_celeba/000001.jpg", 1));
    g_free(data_draw(folder, "c/img_align_celeba/img_align_celeba/000002.png", 2));
    data_touch(folder, "c/img_align_celeba/img_align_celeba/000003.bmp");
    g_free(data_write(folder, "c/list_attr_celeba.csv",
                      "\xEF\xBB\xBFimage_id,Smiling,Male\r\n000001.jpg,1,-1\r\n000002.jpg,-1,1\r\n"));
    g_free(data_write(folder, "c/list_eval_partition.csv",
                      "\xEF\xBB\xBFimage_id,partition\r\n000001.jpg,0\r\n000002.jpg,2\r\n"));
    g_autofree char *root = g_build_filename(folder, "c", NULL), *out = g_build_filename(folder, "out", NULL);
    g_auto(ProgramRun) celeba =
        RUN("data", "celeba", "--root", root, "--target", "Smiling", "--protected", "Male", "-o", out, "--json");
    g_assert_cmpint(celeba.status, ==, 0);
    expect_part(celeba.err, "1 BMP, the first is '000003.bmp'");
    g_autoptr(JsonParser) parser = NULL;
    JsonObject *result = parse(celeba.out, &parser);
    g_assert_cmpint(json_object_get_int_member(result, "other_formats"), ==, 1);
    static const gint64 SIZES[] = { 1, 0, 1 };
    JsonArray *manifests = json_object_get_array_member(result, "manifests");
    for (guint i = 0; i < 3; i++)
        g_assert_cmpint(json_object_get_int_member(json_array_get_object_element(manifests, i), "images"), ==,
                        SIZES[i]);

    g_autofree char *sheet =
        data_write(folder, "sheet.csv",
                   "sep=;\r\nBild;Art;Licht;;\r\nc/img_align_celeba/img_align_celeba/000002.png;1;hell;;\r\n"
                   ";;;;\r\n");
    g_auto(ProgramRun) csv = RUN("data", "csv", "--file", sheet, "--path-column", "Bild", "--target-column", "Art",
                                 "--protected-column", "Licht", "-o", out);
    g_assert_cmpint(csv.status, ==, 0);
    expect_part(csv.out, "train.csv: 1 image\n");
    expect_part(csv.err, "sheet.csv' is read as a table separated by semicolons");
    g_autofree char *answers = data_write(folder, "answers.tsv",
                                          "target\tprotected\tprobability\r\n1\ta\t0,75\r\n0\ta\t0,25\r\n"
                                          "1\tb\t0,4\r\n0\tb\t0,6\r\n\t\t\r\n");
    g_auto(ProgramRun) evaluate = RUN("evaluate", "--from-predictions", answers, "--json", "--bootstrap", "0");
    g_assert_cmpint(evaluate.status, ==, 0);
    expect_part(evaluate.err, "answers.tsv' is read as a table separated by tabs");
    g_autoptr(JsonParser) measures = NULL;
    g_assert_cmpfloat(json_object_get_double_member(parse(evaluate.out, &measures), "accuracy"), ==, 0.5);
    /* A photograph that is a page in truth. */
    g_free(data_write(folder, "page.jpg", "<!DOCTYPE html><html><body>Sign in"));
    g_autofree char *list = data_write(folder, "list.csv", "path,target,protected\npage.jpg,1,x\n");
    g_auto(ProgramRun) check = RUN("data", "check", list);
    g_assert_cmpint(check.status, ==, 2);
    expect_part(check.out, "not a JPEG, PNG or WebP picture but an HTML page");
    data_folder_free(folder);
}

static void test_wrong_usage(void)
{
    g_auto(ProgramRun) nothing = RUN("data");
    g_assert_cmpint(nothing.status, ==, 2);
    g_auto(ProgramRun) unknown = RUN("data", "imagenet");
    g_assert_cmpint(unknown.status, ==, 2);
    expect_part(unknown.err, "imagenet");
    g_auto(ProgramRun) help = RUN("help", "data");
    g_assert_cmpint(help.status, ==, 0);
    expect_part(help.out, "utkface");
    g_auto(ProgramRun) alone = RUN("data", "utkface", "--root", ".", "--target", "gender", "--protected", "race",
                                   "--bias", "1/9", "-o", "/tmp");
    g_assert_cmpint(alone.status, ==, 2);
    expect_part(alone.err, "--bias and --count");
    g_auto(ProgramRun) negative = RUN("data", "utkface", "--root", ".", "--target", "gender", "--protected", "race",
                                      "--val-per-group", "-1", "-o", "/tmp");
    g_assert_cmpint(negative.status, ==, 2);
    expect_part(negative.err, "--val-per-group");
    g_auto(ProgramRun) no_manifest = RUN("data", "check");
    g_assert_cmpint(no_manifest.status, ==, 2);
    g_auto(ProgramRun) no_file = RUN("data", "check", "/nowhere/m.csv");
    g_assert_cmpint(no_file.status, ==, 2);
    expect_part(no_file.err, "/nowhere/m.csv");
}

/* --- Checking --- */

typedef struct {
    char *folder;
    char *train;
    char *test;
} CheckFixture;

/*
 * train: 0.png … 9.png, of which 3 is no picture and 5 is not there, and 0 twice; test: 9 as well, spelled
 * differently, and a folder.
 */
static void set_up_check(CheckFixture *f, gconstpointer data)
{
    (void)data;
    f->folder = data_folder_new();
    GString *train = g_string_new("path,target,protected\n");
    for (guint i = 0; i < 10; i++) {
        g_autofree char *name = g_strdup_printf("%u.png", i);
        if (i != 5)
            g_free(data_draw(f->folder, name, i));
        g_string_append_printf(train, "%s,%u,x\n", name, i % 2);
    }
    g_string_append(train, "0.png,1,x\n");
    g_free(data_write(f->folder, "3.png", "no picture"));
    g_free(data_draw(f->folder, "sub/10.png", 10));
    f->train = data_write(f->folder, "train.csv", train->str);
    f->test = data_write(f->folder, "test.csv", "path,target,protected\nsub/10.png,0,x\nsub/../9.png,0,y\nsub,1,y\n");
    g_string_free(train, TRUE);
}

static void tear_down_check(CheckFixture *f, gconstpointer data)
{
    (void)data;
    data_folder_free(f->folder);
    g_free(f->train);
    g_free(f->test);
}

static void expect_problem(const GArray *problems, guint i, guint manifest, guint row, const char *says)
{
    g_assert_cmpuint(i, <, problems->len);
    const AimfProblem *p = &g_array_index(problems, AimfProblem, i);
    g_assert_cmpuint(p->manifest, ==, manifest);
    g_assert_cmpuint(p->row, ==, row);
    expect_part(p->text, says);
}

static void test_check(CheckFixture *f, gconstpointer data)
{
    (void)data;
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfManifest) train = aimf_manifest_open(f->train, &error);
    g_autoptr(AimfManifest) test = aimf_manifest_open(f->test, &error);
    g_assert_no_error(error);
    const AimfManifest *both[] = { train, test };
    for (int threads = 1; threads <= 4; threads++) {
        for (int decode = 0; decode < 2; decode++) {
            g_autoptr(AimfDataCheck) check = aimf_data_check(both, 2, decode, threads, NULL, &error);
            g_assert_no_error(error);
            g_assert_cmpuint(check->missing->len, ==, 1);
            expect_problem(check->missing, 0, 0, 5, "5.png");
            g_assert_cmpuint(check->unreadable->len, ==, decode ? 2 : 1);
            if (decode)
                expect_problem(check->unreadable, 0, 0, 3, "3.png");
            expect_problem(check->unreadable, decode ? 1 : 0, 1, 2, "sub");
            g_assert_cmpuint(check->repeated->len, ==, 1);
            expect_problem(check->repeated, 0, 0, 10, "0.png");
            g_assert_cmpuint(check->across->len, ==, 1);
            expect_problem(check->across, 0, 1, 1, "9.png");
            g_assert_cmpuint(g_array_index(check->across, AimfProblem, 0).other_row, ==, 9);
        }
    }
    volatile int stop = 1;
    AimfMonitor monitor = { .stop = &stop };
    g_assert_null(aimf_data_check(both, 2, TRUE, 2, &monitor, &error));
    data_expect_error(&error, AIMF_ERROR_INTERRUPTED, NULL);
}

static void test_check_command(CheckFixture *f, gconstpointer data)
{
    (void)data;
    g_auto(ProgramRun) run = RUN("data", "check", f->train, f->test);
    g_assert_cmpint(run.status, ==, 2);
    expect_part(run.out, "missing: 1\n");
    expect_part(run.out, "unreadable: 2\n");
    expect_part(run.out, "train.csv, line 12 repeats ");
    expect_part(run.out, "test.csv, line 3 is also in ");
    expect_part(run.err, "1 image is missing, 2 unreadable");
    g_auto(ProgramRun) json = RUN("data", "check", "--json", f->train, f->test);
    g_assert_cmpint(json.status, ==, 2);
    g_autoptr(JsonParser) parser = NULL;
    JsonObject *result = parse(json.out, &parser);
    JsonObject *leak = json_array_get_object_element(json_object_get_array_member(result, "across"), 0);
    g_assert_cmpstr(json_object_get_string_member(leak, "manifest"), ==, f->test);
    g_assert_cmpint(json_object_get_int_member(leak, "line"), ==, 3);
    g_assert_cmpstr(json_object_get_string_member(leak, "other_manifest"), ==, f->train);
    g_assert_cmpint(json_object_get_int_member(leak, "other_line"), ==, 11);
}

/* Places are lines of the file, whatever was left out before, and however many lines a row has. */
static void test_check_lines(void)
{
    char *folder = data_folder_new();
    g_free(data_draw(folder, "a.png", 1));
    g_free(data_draw(folder, "b.png", 2));
    g_autofree char *list = data_write(folder, "list.csv",
                                       "path,target,protected,note\r\na.png,0,x,\"two\r\nlines\"\r\n\r\n"
                                       "gone.png,,x,left out\r\nb.png,1,x,\r\ngone.png,1,x,\r\na.png,0,x,\r\n");
    g_auto(ProgramRun) run = RUN("data", "check", "--missing", "drop", list);
    expect_part(run.out, "list.csv, line 7: ");
    expect_part(run.out, "list.csv, line 8 repeats ");
    expect_part(run.out, "list.csv, line 2: ");
    g_autoptr(AimfManifest) manifest = aimf_manifest_new();
    aimf_manifest_add(manifest, "a.png", 0, "x");
    g_autofree char *place = aimf_manifest_place(manifest, 0);
    g_assert_cmpstr(place, ==, "row 1");
    g_assert_cmpuint(aimf_manifest_line(manifest, 0), ==, 0);
    data_folder_free(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/data-command/utkface", test_utkface);
    g_test_add_func("/data-command/names", test_names);
    g_test_add_func("/data-command/groups", test_groups);
    g_test_add_func("/data-command/csv", test_csv);
    g_test_add_func("/data-command/first-day", test_first_day);
    g_test_add_func("/data-command/wrong-usage", test_wrong_usage);
    g_test_add("/data-command/check", CheckFixture, NULL, set_up_check, test_check, tear_down_check);
    g_test_add("/data-command/check-command", CheckFixture, NULL, set_up_check, test_check_command, tear_down_check);
    g_test_add_func("/data-command/check-lines", test_check_lines);
    return g_test_run();
}
