/* The folders that CelebA and UTKFace come in: the originals', Kaggle's, and what people make of them. */
#include "data/support_data.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static GString *told; /* the messages of the last reading */

static void hear(AimfLogLevel level, const char *text, gpointer user_data)
{
    (void)user_data;
    g_string_append_printf(told, "%s%s\n", level == AIMF_LOG_WARNING ? "warning: " : "", text);
}

static AimfDataset *open_dataset(const char *kind, const char *root, GError **error)
{
    const AimfMonitor monitor = { .message = hear };
    gboolean celeba = strcmp(kind, "celeba") == 0;
    const AimfDatasetOptions options = {
        .root = root,
        .target = celeba ? "Smiling" : "gender",
        .protected_attributes = celeba ? "Male" : "race:0",
    };
    g_string_truncate(told, 0);
    return aimf_dataset_open(kind, &options, &monitor, error);
}

/* "path below root target label part" in a row each; parts are train, val and test, none without an official split. */
static void expect_dataset(const char *kind, const char *root, const char *expected)
{
    static const char *const PARTS[] = { " train", " val", " test" };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfDataset) dataset = open_dataset(kind, root, &error);
    g_assert_no_error(error);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < aimf_manifest_count(dataset->samples); i++) {
        AimfSample sample = aimf_manifest_at(dataset->samples, i);
        g_assert_true(g_str_has_prefix(sample.path, root));
        g_assert_true(g_file_test(sample.path, G_FILE_TEST_IS_REGULAR));
        g_string_append_printf(text, "%s %d %s%s\n", sample.path + strlen(root) + 1, sample.target,
                               sample.protected_label, dataset->parts ? PARTS[dataset->parts[i]] : "");
    }
    g_assert_cmpstr(text->str, ==, expected);
}

static void expect_refused(const char *kind, const char *root, AimfErrorCode code, const char *says)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(open_dataset(kind, root, &error));
    data_expect_error(&error, code, says, NULL);
}

static void expect_told(const char *part)
{
    if (!strstr(told->str, part))
        g_error("'%s' is not in: %s", part, told->str);
}

/* --- CelebA --- */

#define NAMES "Male Smiling"
static const char LIST[] = "4\n" NAMES "\n000001.jpg -1  1\n000002.jpg  1 -1\n162771.jpg  1  1\n182638.jpg -1 -1\n";
static const char TABLE[] =
    "image_id,Male,Smiling\n000001.jpg,-1,1\n000002.jpg,1,-1\n162771.jpg,1,1\n182638.jpg,-1,-1\n";

static void touch_celeba(const char *folder, const char *below, const char *ending)
{
    static const char *const NUMBERS[] = { "000001", "000002", "162771", "182638" };
    for (gsize i = 0; i < G_N_ELEMENTS(NUMBERS); i++) {
        g_autofree char *name = g_strconcat(below, NUMBERS[i], ending, NULL);
        data_touch(folder, name);
    }
}

/* What all layouts with the pictures below @below say. */
static void expect_celeba(const char *root, const char *below, const char *ending)
{
    g_autofree char *expected = g_strdup_printf("%s000001%s 1 0 train\n%s000002%s 0 1 train\n%s162771%s 1 1 val\n"
                                                "%s182638%s 0 0 test\n",
                                                below, ending, below, ending, below, ending, below, ending);
    expect_dataset("celeba", root, expected);
}

static void test_celeba_folders(void)
{
    static const struct {
        const char *pictures, *list, *ending;
    } CASES[] = {
        { "img_align_celeba/", "list_attr_celeba.txt", ".jpg" },
        { "img_align_celeba/img_align_celeba/", "list_attr_celeba.csv", ".jpg" },
        { "Img/img_align_celeba/", "Anno/list_attr_celeba.txt", ".jpg" },
        { "Img/img_align_celeba_png/", "Anno/list_attr_celeba.txt", ".png" },
        { "Img/img_align_celeba_png.7z/img_align_celeba_png/", "Anno/list_attr_celeba.txt", ".png" },
        { "img_align_celeba_png/", "list_attr_celeba.txt", ".png" },
        { "img_align_celeba/", "list_attr_celeba.csv/list_attr_celeba.csv", ".JPG" },
        { "CelebA/Img/img_align_celeba/", "CelebA/Anno/list_attr_celeba.txt", ".jpeg" },
        { "celeba-dataset/img_align_celeba/img_align_celeba/", "celeba-dataset/list_attr_celeba.csv", ".PNG" },
        { "IMG/Img_Align_Celeba/", "anno/LIST_ATTR_CELEBA.TXT", ".webp" },
        { "", "list_attr_celeba.txt", ".jpg" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(CASES); i++) {
        char *folder = data_folder_new();
        touch_celeba(folder, CASES[i].pictures, CASES[i].ending);
        g_free(data_write(folder, CASES[i].list, g_str_has_suffix(CASES[i].list, ".csv") ? TABLE : LIST));
        expect_celeba(folder, CASES[i].pictures, CASES[i].ending);
        g_assert_cmpint(strstr(told->str, "no .jpg") != NULL, ==, strcmp(CASES[i].ending, ".jpg") != 0);
        data_folder_free(folder);
    }
}

/* The lists as they arrive: with marks, in UTF-16, with other line ends, as a table under the other's name. */
static void test_celeba_lists(void)
{
    static const char *const FORMS[] = {
        "\xEF\xBB\xBF"
        "4\r\n" NAMES " \r\n000001.jpg -1  1\r\n000002.jpg  1 -1\r\n162771.jpg  1  1\r\n182638.jpg -1 -1\r\n",
        "4\r" NAMES "\r000001.jpg -1 1\r000002.jpg 1 -1\r162771.jpg 1 1\r182638.jpg -1 -1\r",
        "\xEF\xBB\xBFimage_id;Male;Smiling;;\r\n000001.jpg;-1;1;;\r\n;;;;\r\n000002.jpg;1;-1;;\r\n162771.jpg;1;1;;\r\n"
        "182638.jpg;-1;-1;;\r\n",
        "image_id\tSmiling\tMale\n000001.png\t1\t-1\n000002\t-1\t1\n162771.jpg\t1.0\t1\n182638.jpg\t-1.0\t -1 \n",
        TABLE,
    };
    char *folder = data_folder_new();
    touch_celeba(folder, "img_align_celeba/", ".jpg");
    for (gsize i = 0; i < G_N_ELEMENTS(FORMS); i++) {
        g_free(data_write(folder, "list_attr_celeba.txt", FORMS[i]));
        expect_celeba(folder, "img_align_celeba/", ".jpg");
    }
    gsize n;
    g_autofree char *utf16 = g_convert(LIST, -1, "UTF-16LE", "UTF-8", NULL, &n, NULL);
    g_free(data_write_bytes(folder, "list_attr_celeba.txt", utf16, n));
    expect_celeba(folder, "img_align_celeba/", ".jpg");
    g_free(data_write(folder, "list_attr_celeba.txt", "image_id,Male,Smiling\n000001.jpg,0,1\n"));
    expect_refused("celeba", folder, AIMF_ERROR_FORMAT, "txt:2: column 'Male': expected 1 or -1, found '0'");
    data_folder_free(folder);
}

static void test_celeba_partition(void)
{
    static const char *const FORMS[] = {
        "000001.jpg 2\n000002.jpg 0\n162771.jpg 1\n182638.jpg 0\n000007.jpg 0\n",
        "\357\273\277000001.jpg 2\r\n\r\n000002.jpg 0\r\n162771.jpg 1\r\n182638.jpg 0\r\n",
        "\xEF\xBB\xBFimage_id,partition\r\n000001.jpg,2\r\n000002.jpg,0\r\n162771.jpg,1\r\n182638.jpg,0\r\n,\r\n",
        "image_id;partition\n000001.jpg;2\n000002.jpg;0\n162771.jpg;1\n182638.jpg;0\n",
    };
    char *folder = data_folder_new();
    touch_celeba(folder, "Img/img_align_celeba/", ".jpg");
    g_free(data_write(folder, "Anno/list_attr_celeba.txt", LIST));
    for (gsize i = 0; i < G_N_ELEMENTS(FORMS); i++) {
        g_free(data_write(folder, "Eval/list_eval_partition.txt", FORMS[i]));
        expect_dataset("celeba", folder,
                       "Img/img_align_celeba/000001.jpg 1 0 test\nImg/img_align_celeba/000002.jpg 0 1 train\n"
                       "Img/img_align_celeba/162771.jpg 1 1 val\nImg/img_align_celeba/182638.jpg 0 0 train\n");
        expect_told("2 pictures are in another part than officially");
    }
    static const char *const WRONG[][2] = {
        { "000001.jpg 2\n000002.jpg 0\n162771.jpg 1\n", "does not say to which part image 182638" },
        { "000001.jpg 3\n", "list_eval_partition.txt:1: expected 0 (training)" },
        { "000001.jpg\n", "list_eval_partition.txt:1: expected a name" },
        { "\n000001.jpg 0\nface.jpg 0\n", "list_eval_partition.txt:3: expected an image number" },
        { "image_id,part\n000001.jpg,1\n", "no column 'partition'" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(WRONG); i++) {
        g_free(data_write(folder, "Eval/list_eval_partition.txt", WRONG[i][0]));
        expect_refused("celeba", folder, i == 4 ? AIMF_ERROR_NOT_FOUND : AIMF_ERROR_FORMAT, WRONG[i][1]);
    }
    /* The official list says what the numbers say. */
    g_free(
        data_write(folder, "Eval/list_eval_partition.txt", "000001.jpg 0\n000002.jpg 0\n162771.jpg 1\n182638.jpg 2\n"));
    expect_celeba(folder, "Img/img_align_celeba/", ".jpg");
    expect_told("0 pictures are in another part");
    data_folder_free(folder);
}

/*
 * Every number once, whatever there is of it: the .jpg before the .png of a folder, what lies further up before the
 * rest.
 */
static void test_celeba_mixed(void)
{
    char *folder = data_folder_new();
    static const char *const FILES[] = {
        "img_align_celeba/000001.jpg",     "img_align_celeba/000001.png",
        "img_align_celeba/000002.png",     "img_align_celeba/162771.gif",
        "img_align_celeba_png/000001.png", "img_align_celeba_png/162771.png",
        "img_align_celeba/000001.jpg.png", "img_align_celeba/._182638.jpg",
        "img_align_celeba/182638.heic",    "other/182638.jpg",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(FILES); i++)
        data_touch(folder, FILES[i]);
    g_free(data_write(folder, "list_attr_celeba.txt", LIST));
    expect_dataset("celeba", folder,
                   "img_align_celeba/000001.jpg 1 0 train\nimg_align_celeba/000002.png 0 1 train\n"
                   "img_align_celeba_png/162771.png 1 1 val\n");
    expect_told("2 of the 3 pictures are no .jpg");
    expect_told("warning: 1 labelled pictures are not on disk");
    expect_told("1 GIF, 1 HEIC, the first is '162771.gif'");
    data_folder_free(folder);
}

static void test_celeba_not_found(void)
{
    char *folder = data_folder_new();
    g_free(data_write(folder, "list_attr_celeba.txt", LIST));
    data_touch(folder, "img_align_celeba.zip");
    data_touch(folder, "Img/img_celeba/000001.jpg");
    expect_refused("celeba", folder, AIMF_ERROR_NOT_FOUND, "unpack");
    expect_refused("celeba", folder, AIMF_ERROR_NOT_FOUND, "not aligned");
    touch_celeba(folder, "img_align_celeba/", ".jpg");
    g_autofree char *inner = g_build_filename(folder, "img_align_celeba", NULL);
    expect_refused("celeba", inner, AIMF_ERROR_NOT_FOUND, "in the folder above");
    g_autofree char *loop = g_build_filename(folder, "img_align_celeba", "img", NULL);
    g_assert_cmpint(symlink(folder, loop), ==, 0);
    expect_celeba(folder, "img_align_celeba/", ".jpg");
    data_folder_free(folder);
}

/* --- UTKFace --- */

static void test_utkface_folders(void)
{
    static const char *const BELOW[] = { "",
                                         "UTKFace/",
                                         "UTKFace/UTKFace/",
                                         "crop_part1/",
                                         "part3/",
                                         "utkface_aligned_cropped/crop_part1/",
                                         "UTKface_inthewild/part1/",
                                         "utkface/" };
    for (gsize i = 0; i < G_N_ELEMENTS(BELOW); i++) {
        char *folder = data_folder_new();
        g_autofree char *one = g_strconcat(BELOW[i], "26_1_0_20170116.jpg.chip.jpg", NULL);
        g_autofree char *two = g_strconcat(BELOW[i], "30_0_2_20170117.JPG", NULL);
        data_touch(folder, one);
        data_touch(folder, two);
        g_autofree char *expected = g_strdup_printf("%s 1 1\n%s 0 0\n", one, two);
        expect_dataset("utkface", folder, expected);
        data_folder_free(folder);
    }
}

/*
 * Kaggle's archive holds every picture several times: copies in the test set and in the training set would be a
 * leak.
 */
static void test_utkface_repeated(void)
{
    char *folder = data_folder_new();
    static const char *const FILES[] = {
        "UTKFace/26_1_0_20170116.jpg.chip.jpg",
        "UTKFace/26_1_0_20170116_2.jpg.chip.jpg",
        "UTKFace/55_0_2_20170116232725357jpg.chip.jpg",
        "crop_part1/26_1_0_20170116.jpg.chip.jpg",
        "utkface_aligned_cropped/UTKFace/26_1_0_20170116.jpg.chip.jpg",
        "utkface_aligned_cropped/crop_part1/40_0_0_20170118.jpg.chip.jpg",
        "part1/26_1_0_20170116.jpg",
        "part1/55_0_2_20170116232725357.jpg",
        "part2/7_1_3_20170119.png",
        "part2/8_1_3_20170119.bmp",
        "part2/39_1_20170116.jpg",
        "extra/9_1_3_20170119.png",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(FILES); i++)
        data_touch(folder, FILES[i]);
    expect_dataset(
        "utkface", folder,
        "UTKFace/26_1_0_20170116.jpg.chip.jpg 1 1\nUTKFace/26_1_0_20170116_2.jpg.chip.jpg 1 1\n"
        "UTKFace/55_0_2_20170116232725357jpg.chip.jpg 0 0\n"
        "utkface_aligned_cropped/crop_part1/40_0_0_20170118.jpg.chip.jpg 0 1\npart2/7_1_3_20170119.png 1 0\n");
    expect_told("5 pictures in 3 folders; 4 more that are there twice are taken once");
    expect_told("1 BMP, the first is '8_1_3_20170119.bmp'");
    expect_told("the first is '39_1_20170116.jpg'");
    data_folder_free(folder);
}

/* --- Group folders --- */

static void test_groups(void)
{
    char *folder = data_folder_new();
    static const char *const FILES[] = { "in/0_0/a.JPEG", "in/0_0/b.PNG", "in/0_1/c.jfif", "in/0_1/d.tiff",
                                         "in/1_0/e.gif",  "in/1_0/f.GIF", "in/1_0/g.JPG",  "in/1_1/h.txt" };
    for (gsize i = 0; i < G_N_ELEMENTS(FILES); i++)
        data_touch(folder, FILES[i]);
    g_autofree char *root = g_build_filename(folder, "in", NULL);
    expect_dataset("groups", root, "0_0/a.JPEG 0 0\n0_0/b.PNG 0 0\n0_1/c.jfif 0 1\n1_0/g.JPG 1 0\n");
    expect_told("1 TIFF, 2 GIF, the first is 'd.tiff'");
    expect_refused("groups", folder, AIMF_ERROR_NOT_FOUND, root); /* one folder too far up */
    data_folder_free(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    told = g_string_new(NULL);
    g_test_add_func("/layouts/celeba/folders", test_celeba_folders);
    g_test_add_func("/layouts/celeba/lists", test_celeba_lists);
    g_test_add_func("/layouts/celeba/partition", test_celeba_partition);
    g_test_add_func("/layouts/celeba/mixed", test_celeba_mixed);
    g_test_add_func("/layouts/celeba/not-found", test_celeba_not_found);
    g_test_add_func("/layouts/utkface/folders", test_utkface_folders);
    g_test_add_func("/layouts/utkface/repeated", test_utkface_repeated);
    g_test_add_func("/layouts/groups", test_groups);
    int status = g_test_run();
    g_string_free(told, TRUE);
    return status;
}
