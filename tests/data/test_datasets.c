#include "data/support_data.h"

#include <string.h>

static AimfDataset *open_good(const char *kind, AimfDatasetOptions options)
{
    g_autoptr(GError) error = NULL;
    AimfDataset *dataset = aimf_dataset_open(kind, &options, NULL, &error);
    g_assert_no_error(error);
    return dataset;
}

static void expect_refused(const char *kind, AimfDatasetOptions options, AimfErrorCode code, const char *says)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_dataset_open(kind, &options, NULL, &error));
    data_expect_error(&error, code, says, NULL);
}

/* One line per sample: name, target, label. */
static void expect_samples(const AimfDataset *dataset, const char *expected)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < aimf_manifest_count(dataset->samples); i++) {
        AimfSample sample = aimf_manifest_at(dataset->samples, i);
        g_autofree char *name = g_path_get_basename(sample.path);
        g_string_append_printf(text, "%s %d %s\n", name, sample.target, sample.protected_label);
    }
    g_assert_cmpstr(text->str, ==, expected);
    g_string_free(text, TRUE);
}

/* --- Attributes --- */

static void test_attributes(void)
{
    static const char *const CASES[][3] = {
        { "celeba", "BlondHair", "Blond_Hair" },
        { "celeba", "blond hair", "Blond_Hair" },
        { "celeba", "5_o_clock_shadow", "5_o_Clock_Shadow" },
        { "celeba", "female", "Male:0" },
        { "celeba", "Smiling:0", "Smiling:0" },
        { "utkface", "Female", "gender:1" },
        { "utkface", "sex", "gender" },
        { "utkface", "sex:0", "gender:0" },
        { "utkface", "white", "race:0" },
        { "utkface", "RACE:3", "race:3" },
        { "utkface", "age >= 40", "age>=40" },
        { "utkface", "age<18", "age<18" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *name = aimf_attribute_canonical(CASES[i][0], CASES[i][1], &error);
        g_assert_no_error(error);
        g_assert_cmpstr(name, ==, CASES[i][2]);
    }
    static const struct {
        const char *kind;
        const char *text;
        AimfErrorCode code;
        const char *says;
    } WRONG[] = {
        { "celeba", "Smilin", AIMF_ERROR_NOT_FOUND, "Smiling" },
        { "celeba", "", AIMF_ERROR_NOT_FOUND, "''" },
        { "celeba", "gender", AIMF_ERROR_NOT_FOUND, "'gender'" },
        { "celeba", "Male:2", AIMF_ERROR_INVALID, "from 0 to 1" },
        { "utkface", "Smiling", AIMF_ERROR_NOT_FOUND, "race" },
        { "utkface", "race:5", AIMF_ERROR_INVALID, "from 0 to 4" },
        { "utkface", "race:", AIMF_ERROR_INVALID, "from 0 to 4" },
        { "utkface", "race:x", AIMF_ERROR_INVALID, "'x'" },
        { "utkface", "age", AIMF_ERROR_INVALID, "age>=40" },
        { "utkface", "age>=99999999999999999999", AIMF_ERROR_INVALID, "150" },
        { "groups", "race", AIMF_ERROR_NOT_FOUND, "none" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(aimf_attribute_canonical(WRONG[i].kind, WRONG[i].text, &error));
        data_expect_error(&error, WRONG[i].code, WRONG[i].says, NULL);
    }
}

/* --- UTKFace --- */

static void test_utkface(void)
{
    char *folder = data_folder_new();
    static const char *const NAMES[] = {
        "1_0_0_20170101.jpg",
        "26_1_4_20170116.jpg.chip.jpg",
        "55_0_2_20170116232725357jpg.chip.jpg",
        "110_1_0_1.PNG",
        /* not of the form */
        "39_1_20170116174525125.jpg.chip.jpg",
        "61_1_.jpg",
        "20_2_0_2017.jpg",
        "20_0_5_2017.jpg",
        "200_0_0_2017.jpg",
        "_0_0_2017.jpg",
        "face.jpg",
        "20_0_0_.jpg",
        "20_0_0.jpg",
        "-1_0_0_2017.jpg",
        "99999999999_0_0_2017.jpg",
        /* no pictures */
        "readme.txt",
        ".20_0_0_2017.jpg",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++)
        data_touch(folder, NAMES[i]);
    g_autoptr(AimfDataset) white = open_good(
        "utkface", (AimfDatasetOptions){ .root = folder, .target = "gender", .protected_attributes = "race:0" });
    expect_samples(white, "110_1_0_1.PNG 1 1\n1_0_0_20170101.jpg 0 1\n26_1_4_20170116.jpg.chip.jpg 1 0\n"
                          "55_0_2_20170116232725357jpg.chip.jpg 0 0\n");
    g_assert_cmpuint(white->n_bad_names, ==, 11);
    g_assert_null(white->parts);
    g_autoptr(AimfDataset) several = open_good(
        "utkface", (AimfDatasetOptions){ .root = folder, .target = "age>=30", .protected_attributes = "race, Female" });
    expect_samples(several, "110_1_0_1.PNG 1 0_1\n1_0_0_20170101.jpg 0 0_0\n26_1_4_20170116.jpg.chip.jpg 0 4_1\n"
                            "55_0_2_20170116232725357jpg.chip.jpg 1 2_0\n");
    AimfDatasetOptions options = { .root = folder, .target = "gender", .protected_attributes = "" };
    expect_refused("utkface", options, AIMF_ERROR_INVALID, "--protected");
    options.protected_attributes = "race,,age";
    expect_refused("utkface", options, AIMF_ERROR_NOT_FOUND, "''");
    options.protected_attributes = "race";
    options.target = NULL;
    expect_refused("utkface", options, AIMF_ERROR_INVALID, "--target");
    options.target = "gender";
    options.root = "/nowhere/at/all";
    expect_refused("utkface", options, AIMF_ERROR_NOT_FOUND, "/nowhere/at/all");
    g_autofree char *empty = g_build_filename(folder, "readme.txt", NULL);
    options.root = empty;
    expect_refused("utkface", options, AIMF_ERROR_NOT_FOUND, "readme.txt");
    data_folder_free(folder);
}

/* --- Group folders --- */

static void test_groups(void)
{
    char *folder = data_folder_new();
    static const char *const NAMES[] = { "1_0/b.png",       "1_0/a.jpeg",   "0_1_1/c.webp", "12_old/d.jpg",
                                         "0_1_1/notes.txt", "extra/x.png",  "a_0/x.png",    "_0/x.png",
                                         "1_/x.png",        "1000_0/x.png", "file.png",     "0_0/empty.txt" };
    for (gsize i = 0; i < G_N_ELEMENTS(NAMES); i++)
        data_touch(folder, NAMES[i]);
    g_autoptr(AimfDataset) dataset = open_good("groups", (AimfDatasetOptions){ .root = folder });
    expect_samples(dataset, "c.webp 0 1_1\nd.jpg 12 old\na.jpeg 1 0\nb.png 1 0\n");
    g_assert_cmpuint(dataset->n_bad_names, ==, 5);
    g_autofree char *sub = g_build_filename(folder, "1_0", NULL);
    expect_refused("groups", (AimfDatasetOptions){ .root = sub }, AIMF_ERROR_NOT_FOUND, "group folders");
    expect_refused("groups", (AimfDatasetOptions){ 0 }, AIMF_ERROR_INVALID, "--root");
    expect_refused("imagenet", (AimfDatasetOptions){ 0 }, AIMF_ERROR_NOT_FOUND, "utkface");
    data_folder_free(folder);
}

/* --- Any CSV --- */

static void test_csv(void)
{
    char *folder = data_folder_new();
    for (char name[] = "a.png"; name[0] <= 'e'; name[0]++)
        data_touch(folder, name);
    g_autofree char *file = data_write(folder, "pets.csv",
                                       "kind,light,where,img,use\n"
                                       "cat,dark,in,a.png,train\n"
                                       "dog,bright,out,b.png,TRAIN\n"
                                       "dog,dark,\"in\",c.png,val\n"
                                       "bird,dark,out,d.png, 2.0\n"
                                       "cat,bright,out,gone.png,test\n");
    const char *const maps[] = { "dark=1,*=0", NULL };
    AimfDatasetOptions options = {
        .file = file,
        .path_column = "img",
        .target = "kind",
        .protected_attributes = "light, where",
        .split_column = "use",
        .target_map = "dog=1,cat=0,bird=2",
        .protected_maps = maps,
    };
    g_autoptr(AimfDataset) dataset = open_good("csv", options);
    expect_samples(dataset, "a.png 0 1_in\nb.png 1 0_out\nc.png 1 1_in\nd.png 2 1_out\n");
    g_assert_cmpuint(dataset->n_missing, ==, 1);
    static const guint8 PARTS[] = { AIMF_PART_TRAIN, AIMF_PART_TRAIN, AIMF_PART_VAL, AIMF_PART_TEST };
    for (guint i = 0; i < 4; i++)
        g_assert_cmpuint(dataset->parts[i], ==, PARTS[i]);

    AimfDatasetOptions wrong = options;
    wrong.target_map = NULL;
    expect_refused("csv", wrong, AIMF_ERROR_INVALID, "pets.csv:2: column 'kind': 'cat'");
    wrong.target_map = "dog=1,cat=0";
    expect_refused("csv", wrong, AIMF_ERROR_INVALID, "pets.csv:5: column 'kind': the map has no entry for 'bird'");
    wrong.target_map = "dog=one,*=0";
    expect_refused("csv", wrong, AIMF_ERROR_INVALID, "'one'");
    wrong.target_map = "dog";
    expect_refused("csv", wrong, AIMF_ERROR_INVALID, "--target-map");
    wrong = options;
    wrong.protected_attributes = "light,shade";
    expect_refused("csv", wrong, AIMF_ERROR_NOT_FOUND, "kind, light, where, img, use");
    wrong = options;
    wrong.split_column = "where";
    expect_refused("csv", wrong, AIMF_ERROR_INVALID, "--split-column and --protected-column name one column, 'where'");
    wrong.protected_attributes = "light";
    expect_refused("csv", wrong, AIMF_ERROR_INVALID, "pets.csv:2: column 'where'");
    wrong = options;
    wrong.protected_attributes = "light,light";
    expect_refused("csv", wrong, AIMF_ERROR_INVALID,
                   "--protected-column and --protected-column name one column, 'light'");
    wrong.protected_attributes = "kind";
    wrong.protected_maps = NULL;
    expect_refused("csv", wrong, AIMF_ERROR_INVALID, "--target-column and --protected-column name one column, 'kind'");
    wrong = options;
    wrong.protected_attributes = "light";
    const char *const too_many[] = { "*=0", "*=1", NULL };
    wrong.protected_maps = too_many;
    expect_refused("csv", wrong, AIMF_ERROR_INVALID, "2 protected maps for 1");
    /* Two maps make two things of one column. */
    const char *const of_kind[] = { "dog=furry,cat=furry,bird=feathered", NULL };
    AimfDatasetOptions twice = options;
    twice.protected_attributes = "kind";
    twice.protected_maps = of_kind;
    g_autoptr(AimfDataset) mapped = open_good("csv", twice);
    expect_samples(mapped, "a.png 0 furry\nb.png 1 furry\nc.png 1 furry\nd.png 2 feathered\n");
    wrong = options;
    wrong.root = "/nowhere";
    expect_refused("csv", wrong, AIMF_ERROR_NOT_FOUND, "/nowhere");
    wrong = options;
    wrong.path_column = NULL;
    expect_refused("csv", wrong, AIMF_ERROR_INVALID, "--path-column");
    data_folder_free(folder);
}

/* Attributes that say the same, in whatever words. */
static void test_same_attributes(void)
{
    static const struct {
        const char *kind, *target, *protected_attributes, *says;
    } REFUSED[] = {
        { "utkface", "gender", "gender", "the protected attribute 'gender' and the target 'gender' say the same" },
        { "utkface", "gender", "race:0, Female", "'gender:1' and the target 'gender'" },
        { "utkface", "age>=40", "age<40", "'age<40' and the target 'age>=40'" },
        { "utkface", "age>=40", "race,race", "the protected attributes 'race' and 'race' say the same" },
        { "celeba", "Smiling", "Male, Female", "the protected attributes 'Male:0' and 'Male'" },
        { "celeba", "Male:0", "Male", "'Male' and the target 'Male:0'" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(REFUSED); i++)
        expect_refused(REFUSED[i].kind,
                       (AimfDatasetOptions){ .root = "/nowhere",
                                             .target = REFUSED[i].target,
                                             .protected_attributes = REFUSED[i].protected_attributes },
                       AIMF_ERROR_INVALID, REFUSED[i].says);
    /* Parts of one field say different things. */
    expect_refused("utkface",
                   (AimfDatasetOptions){ .root = "/nowhere", .target = "age>=40", .protected_attributes = "age>=60" },
                   AIMF_ERROR_NOT_FOUND, "/nowhere");
}

static void expect_findings(const char *rows, const char *names, const char *says)
{
    g_autoptr(AimfManifest) samples = aimf_manifest_new();
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    g_autoptr(GString) found = g_string_new(NULL);
    for (const char *row = rows; *row; row += 3) /* "0a 1b " */
        aimf_manifest_add(samples, "x.png", row[0] - '0', (const char[]){ row[1], 0 });
    aimf_check_dataset(samples, "the dataset", findings);
    for (guint i = 0; i < aimf_findings_count(findings); i++) {
        g_assert_false(aimf_findings_at(findings, i)->certain);
        g_string_append_printf(found, "%s%s", i ? " " : "", aimf_findings_at(findings, i)->name);
        g_assert_nonnull(strstr(aimf_findings_at(findings, i)->text, says));
    }
    g_assert_cmpstr(found->str, ==, names);
}

/* What has nothing to compare. */
static void test_check_dataset(void)
{
    expect_findings("", "", "");
    expect_findings("0a 0b 1a 1b ", "", "");
    expect_findings("0a 0b 1a ", "", ""); /* a group is empty, but neither tells the other */
    expect_findings("1a 1b 1b ", "one-class", "all 3 pictures of the dataset have the target 1");
    expect_findings("0a 1a ", "one-group", "all 2 pictures of the dataset have the protected label 'a'");
    expect_findings("0a 0a ", "one-class one-group", "all 2 pictures");
    expect_findings("0a 0a 1b ", "confounded", "there are only 0_a: 2, 1_b: 1");
    expect_findings("0a 1b 1c ", "confounded", "there are only 0_a: 1, 1_b: 1, 1_c: 1");
    expect_findings("0a 1a 2b ", "confounded", "there are only 0_a: 1, 1_a: 1, 2_b: 1");
}

/* --- CelebA, broken --- */

static void test_celeba_broken(void)
{
    static const struct {
        const char *text;
        AimfErrorCode code;
        const char *says;
    } CASES[] = {
        { "", AIMF_ERROR_FORMAT, "list_attr_celeba.txt:1" },
        { "many\nMale Smiling\n", AIMF_ERROR_FORMAT, "'many'" },
        { "1\nMale\n000001.jpg 1\n", AIMF_ERROR_FORMAT, "list_attr_celeba.txt:2: no column 'Smiling'" },
        { "1\nMale Smiling\n000001.jpg 1\n", AIMF_ERROR_FORMAT, "list_attr_celeba.txt:3" },
        { "1\nMale Smiling\n000001.jpg 1 1 1\n", AIMF_ERROR_FORMAT, "found 4 words" },
        { "1\nMale Smiling\n000001.jpg 1 2\n", AIMF_ERROR_FORMAT, "list_attr_celeba.txt:3: column 'Smiling'" },
        { "1\nMale Smiling\nface.jpg 1 1\n", AIMF_ERROR_FORMAT, "'face.jpg'" },
        { "1\nMale Smiling\n99999999999999.jpg 1 1\n", AIMF_ERROR_FORMAT, "99999999999999" },
        { "3\nMale Smiling\n000001.jpg 1 -1\n", AIMF_ERROR_FORMAT, "truncated" },
        { "1\nMale Smiling\n000009.jpg 1 -1\n", AIMF_ERROR_NOT_FOUND, "none of the images" },
    };
    char *folder = data_folder_new();
    AimfDatasetOptions options = { .root = folder, .target = "Smiling", .protected_attributes = "Male" };
    expect_refused("celeba", options, AIMF_ERROR_NOT_FOUND, "img_align_celeba");
    data_touch(folder, "img_align_celeba/000001.jpg");
    expect_refused("celeba", options, AIMF_ERROR_NOT_FOUND, "list_attr_celeba.txt");
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        g_free(data_write(folder, "list_attr_celeba.txt", CASES[i].text));
        expect_refused("celeba", options, CASES[i].code, CASES[i].says);
    }
    static const char ZERO[] = "1\nMale Smiling\n0000\00001.jpg 1 1\n";
    g_free(data_write_bytes(folder, "list_attr_celeba.txt", ZERO, sizeof ZERO - 1));
    expect_refused("celeba", options, AIMF_ERROR_FORMAT, "NUL");
    g_free(data_write(folder, "list_attr_celeba.txt", "1\r\nSmiling Male\r\n000001.jpg   1 -1\r\n\r\n"));
    g_autoptr(AimfDataset) windows = open_good("celeba", options);
    expect_samples(windows, "000001.jpg 1 0\n");
    data_folder_free(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/datasets/attributes", test_attributes);
    g_test_add_func("/datasets/same-attributes", test_same_attributes);
    g_test_add_func("/datasets/check-dataset", test_check_dataset);
    g_test_add_func("/datasets/utkface", test_utkface);
    g_test_add_func("/datasets/groups", test_groups);
    g_test_add_func("/datasets/csv", test_csv);
    g_test_add_func("/datasets/celeba-broken", test_celeba_broken);
    return g_test_run();
}
