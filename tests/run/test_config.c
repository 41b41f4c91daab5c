/* Configurations: what is read, what is refused and where, and that all that is written is read again as the same. */
#include "run/config_values.h"

#include <aimfair/error.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

static AimfConfig *open_text(const char *text, gssize length, const char *const *settings, GError **error)
{
    g_autofree char *folder = g_dir_make_tmp("aimfair-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "my.yaml", NULL);
    g_assert_true(g_file_set_contents(path, text, length, NULL));
    AimfConfig *config = aimf_config_open(path, settings, error);
    g_unlink(path);
    g_rmdir(folder);
    return config;
}

static AimfConfig *open_good(const char *text)
{
    g_autoptr(GError) error = NULL;
    AimfConfig *config = open_text(text, -1, NULL, &error);
    g_assert_no_error(error);
    return config;
}

static void refuse(const char *text, gssize length, int code, const char *line, const char *part)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfConfig) config = open_text(text, length, NULL, &error);
    g_assert_error(error, AIMF_ERROR, code);
    g_assert_null(config);
    if (line)
        g_assert_nonnull(strstr(error->message, line));
    if (!strstr(error->message, part))
        g_error("'%s' lacks '%s'", error->message, part);
}

static void test_defaults(void)
{
    g_autoptr(AimfConfig) config = aimf_config_new();
    g_assert_cmpint(aimf_config_integer(config, AIMF_KEY_TRAIN_EPOCHS), ==, 15);
    g_assert_cmpint(aimf_config_integer(config, AIMF_KEY_FINETUNE_EPOCHS), ==, 10);
    g_assert_cmpfloat(aimf_config_number_at(config, AIMF_KEY_FINETUNE_TOP_K, 0), ==, 55.0 / 62);
    g_assert_true(isnan(aimf_config_real(config, AIMF_KEY_GENERATE_BIAS)));
    g_assert_true(isnan(aimf_config_real(config, AIMF_KEY_TRAIN_LEARNING_RATE)));
    g_assert_false(aimf_config_given(config, AIMF_KEY_TRAIN_LEARNING_RATE));
    g_assert_cmpuint(aimf_config_length(config, AIMF_KEY_SEEDS), ==, 1);
    g_assert_cmpint(aimf_config_choice(config, AIMF_KEY_GENERATE_PREDICTION), ==, -1);
}

static void test_read(void)
{
    g_autoptr(AimfConfig) config = open_good("# a comment\n"
                                             "seeds: [100, 200,\n  300]\n"
                                             "title: 'Is it: \"so\"?'\n"
                                             "data:\n  bias: 3.5/2\n  classes: [no, \"yes, sir\"]\n"
                                             "  target:\n"
                                             "task:\n"
                                             "finetune:\n  top_k: [40, 0.5, 55/62]\n  crop_scale: []\n"
                                             "gates:\n  require: accuracy>=0.7\n"
                                             "train:\n  init: ../weights.pth\n");
    g_assert_cmpuint(aimf_config_length(config, AIMF_KEY_SEEDS), ==, 3);
    g_assert_cmpuint(aimf_config_integer_at(config, AIMF_KEY_SEEDS, 2), ==, 300);
    g_assert_cmpstr(aimf_config_text_at(config, AIMF_KEY_TITLE), ==, "Is it: \"so\"?");
    g_assert_cmpfloat(aimf_config_real(config, AIMF_KEY_DATA_BIAS), ==, 1.75);
    g_assert_cmpstr(aimf_config_list(config, AIMF_KEY_DATA_CLASSES)[1], ==, "yes, sir");
    g_assert_null(aimf_config_text_at(config, AIMF_KEY_DATA_TARGET));
    g_assert_cmpfloat(aimf_config_number_at(config, AIMF_KEY_FINETUNE_TOP_K, 1), ==, 0.5);
    g_assert_cmpuint(aimf_config_length(config, AIMF_KEY_FINETUNE_CROP_SCALE), ==, 0);
    g_assert_cmpstr(aimf_config_list(config, AIMF_KEY_GATES_REQUIRE)[0], ==, "accuracy>=0.7");
    g_assert_true(g_str_has_suffix(aimf_config_place(config, AIMF_KEY_TRAIN_INIT), "my.yaml', line 16"));
    g_autofree char *path = aimf_config_path(config, AIMF_KEY_TRAIN_INIT);
    g_assert_true(g_path_is_absolute(path) && g_str_has_suffix(path, "/../weights.pth"));
}

static void test_refused(void)
{
    refuse("trian:\n  epochs: 3\n", -1, AIMF_ERROR_FORMAT, "line 2", "did you mean 'train'");
    refuse("train:\n  epoch: 3\n", -1, AIMF_ERROR_FORMAT, "line 2", "did you mean 'train.epochs'");
    refuse("train:\n  epochs: 3.5\n", -1, AIMF_ERROR_FORMAT, "line 2", "a whole number from 1 to 100000, not '3.5'");
    refuse("train:\n\n  epochs: 0\n", -1, AIMF_ERROR_FORMAT, "line 3", "from 1");
    refuse("train:\n  epochs:\n", -1, AIMF_ERROR_FORMAT, "line 2", "its default is 15");
    refuse("train:\n  learning_rate: nan\n", -1, AIMF_ERROR_FORMAT, "line 2", "not 'nan'");
    refuse("train:\n  learning_rate: 0x1\n", -1, AIMF_ERROR_FORMAT, "line 2", "not '0x1'");
    refuse("train:\n  learning_rate: 1/0\n", -1, AIMF_ERROR_FORMAT, "line 2", "not '1/0'");
    refuse("train:\n  epochs: [3]\n", -1, AIMF_ERROR_FORMAT, "line 2", "one value, not a list");
    refuse("train:\n  epochs:\n    x: 3\n", -1, AIMF_ERROR_FORMAT, NULL, "a value, not a section");
    refuse("train:\n  epochs: 3\n  epochs: 4\n", -1, AIMF_ERROR_FORMAT, "line 3", "there twice");
    refuse("train: 3\n", -1, AIMF_ERROR_FORMAT, "line 1", "is a section");
    refuse("seeds: []\n", -1, AIMF_ERROR_FORMAT, "line 1", "its default is 0");
    refuse("seeds: [1, [2]]\n", -1, AIMF_ERROR_FORMAT, "line 1", "has a list");
    refuse("seeds: [1, -2]\n", -1, AIMF_ERROR_FORMAT, "line 1", "not '-2'");
    refuse("precision: f23\n", -1, AIMF_ERROR_FORMAT, "line 1", "did you mean 'f32'");
    refuse("report:\n  pictures: yes\n", -1, AIMF_ERROR_FORMAT, "line 2", "true or false");
    refuse("- a\n- b\n", -1, AIMF_ERROR_FORMAT, "line 1", "sections and keys");
    refuse("title: &a x\n", -1, AIMF_ERROR_FORMAT, "line 1", "anchors");
    refuse("title: !!python/object x\n", -1, AIMF_ERROR_FORMAT, "line 1", "tags");
    refuse("title: x\n---\ntitle: y\n", -1, AIMF_ERROR_FORMAT, "line 2", "second document");
    refuse("title: \"x\n", -1, AIMF_ERROR_FORMAT, NULL, "not YAML");
    refuse("title: \"a\\0b\"\n", -1, AIMF_ERROR_FORMAT, "line 1", "character 0");
    refuse("train:\n  init: ${AIMFAIR_NO_SUCH_VARIABLE}/x\n", -1, AIMF_ERROR_INVALID, "line 2",
           "the environment has no");
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_config_open("/no/such/file.yaml", NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
}

static void test_set(void)
{
    static const char *const settings[] = { "train.epochs=3", "seeds=1, 2", "data.protected_maps=[\"1=a,0=b\", 'x']",
                                            "train.init=", NULL };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfConfig) config = open_text("train:\n  epochs: 7\n  init: a.pth\n", -1, settings, &error);
    g_assert_no_error(error);
    g_assert_cmpint(aimf_config_integer(config, AIMF_KEY_TRAIN_EPOCHS), ==, 3);
    g_assert_cmpuint(aimf_config_integer_at(config, AIMF_KEY_SEEDS, 1), ==, 2);
    g_assert_cmpstr(aimf_config_list(config, AIMF_KEY_DATA_PROTECTED_MAPS)[0], ==, "1=a,0=b");
    g_assert_false(aimf_config_given(config, AIMF_KEY_TRAIN_INIT));
    static const char *const wrong[] = { "train.epochs", "train.epoch=3", "train.epochs=x", "seeds=[1", "=", NULL };
    for (const char *const *w = wrong; *w; w++) {
        g_clear_error(&error);
        g_assert_false(aimf_config_set(config, *w, &error));
        g_assert_nonnull(error);
    }
    g_assert_cmpint(aimf_config_integer(config, AIMF_KEY_TRAIN_EPOCHS), ==, 3);
}

/* What is written has every value of what was read, texts that YAML would take for something else included. */
static void test_text(void)
{
    g_autoptr(AimfConfig) config =
        open_good("title: \"null\"\ndata:\n  target: '1'\n  classes: [\"a: b\", '# c', \"\\t\\\"\", "
                  "true, 'é', '- x', '']\n  root: below\nseeds: [7]\n");
    g_autofree char *text = aimf_config_text(config);
    g_autoptr(AimfConfig) again = open_good(text);
    for (int k = 0; k < AIMF_N_KEYS; k++) {
        if (k == AIMF_KEY_DATA_ROOT) /* is absolute now */
            continue;
        g_autofree char *one = aimf_config_value(config, (AimfConfigKey)k);
        g_autofree char *other = aimf_config_value(again, (AimfConfigKey)k);
        g_assert_cmpstr(one, ==, other);
        g_assert_cmpuint(aimf_config_length(config, (AimfConfigKey)k), ==, aimf_config_length(again, (AimfConfigKey)k));
    }
    g_autofree char *text_again = aimf_config_text(again);
    g_assert_cmpstr(text, ==, text_again);
    g_assert_true(g_path_is_absolute(aimf_config_text_at(again, AIMF_KEY_DATA_ROOT)));
}

/* A number is written on one line, whatever it was on. */
static void test_numbers(void)
{
    g_autoptr(AimfConfig) config = open_good("data:\n  bias: \"1/\\n9\"\nfinetune:\n"
                                             "  top_k: [\" 1 /\\t2 \", \"\\n40\", \"-0.5/\\r\\n-1\", 55/62]\n"
                                             "  betas: [-0, 0.5]\n");
    g_autofree char *text = aimf_config_text(config);
    g_assert_nonnull(strstr(text, "\n  bias: \"1/\\n9\"\n"));
    g_assert_nonnull(strstr(text, ", 55/62]\n"));
    g_assert_nonnull(strstr(text, "\n  pictures: false\n"));
    g_assert_nonnull(strstr(text, "\n  betas: [-0, 0.5]\n"));
    g_autoptr(AimfConfig) again = open_good(text);
    g_assert_cmpfloat(aimf_config_real(again, AIMF_KEY_DATA_BIAS), ==, 1.0 / 9);
    for (guint i = 0; i < 4; i++)
        g_assert_cmpfloat(aimf_config_number_at(again, AIMF_KEY_FINETUNE_TOP_K, i), ==,
                          aimf_config_number_at(config, AIMF_KEY_FINETUNE_TOP_K, i));
    g_autofree char *text_again = aimf_config_text(again);
    g_assert_cmpstr(text, ==, text_again);
}

/* All characters of the first plane, and some beyond it: what is written is read again as what it was. */
static void test_odd_characters(void)
{
    g_autofree char *home = g_dir_make_tmp("aimfair-XXXXXX", NULL), *path = g_build_filename(home, "c.yaml", NULL);
    for (gunichar first = 1; first < 0x10000; first += 512) {
        g_autoptr(GString) setting = g_string_new("title= ");
        for (gunichar c = first; c < first + 512 && c < 0x10000; c++)
            if (c < 0xd800 || c > 0xdfff)
                g_string_append_unichar(setting, c);
        g_string_append(setting, "\U0001f600\U0010ffff ");
        g_autoptr(GError) error = NULL;
        g_autoptr(AimfConfig) config = aimf_config_new();
        aimf_config_set(config, setting->str, &error);
        g_assert_no_error(error);
        g_autofree char *text = aimf_config_text(config);
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
        g_autoptr(AimfConfig) again = aimf_config_open(path, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(aimf_config_text_at(again, AIMF_KEY_TITLE), ==, setting->str + strlen("title="));
    }
    g_unlink(path);
    g_rmdir(home);
}

/* What a run wrote is read where its variables are not; what somebody asks for is not. */
static void test_read_back(void)
{
    g_autofree char *home = g_dir_make_tmp("aimfair-XXXXXX", NULL), *path = g_build_filename(home, "c.yaml", NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_set_contents(path, "data:\n  root: \"${AIMFAIR_NO_SUCH}/x\"\n", -1, NULL));
    g_autoptr(AimfConfig) config = aimf_config_read_back(path, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(aimf_config_text_at(config, AIMF_KEY_DATA_ROOT), ==, "${AIMFAIR_NO_SUCH}/x");
    g_assert_null(aimf_config_open(path, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_unlink(path);
    g_rmdir(home);
}

static void test_templates(void)
{
    static const char *const kinds[] = { "celeba", "utkface", "folders", "own-model", "portraits", NULL };
    for (const char *const *kind = kinds; *kind; kind++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *text = aimf_config_template(*kind, &error);
        g_assert_no_error(error);
        g_autoptr(AimfConfig) config = open_good(text);
        for (int k = 0; k < AIMF_N_KEYS; k++) { /* every key, set or as a comment, but those of other kinds of data */
            const char *dot = strrchr(aimf_config_rows[k].name, '.');
            const char *word = dot ? dot + 1 : aimf_config_rows[k].name;
            g_assert_true(g_str_has_prefix(aimf_config_rows[k].name, "data.") || strstr(text, word) != NULL);
        }
        g_assert_nonnull(aimf_config_text_at(config, AIMF_KEY_DATA_KIND));
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_config_template("celebs", &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "did you mean 'celeba'"));
}

static void test_schema(void)
{
    g_autofree char *text = aimf_config_schema();
    g_autoptr(JsonNode) root = json_from_string(text, NULL);
    g_assert_nonnull(root);
    JsonObject *properties = json_object_get_object_member(json_node_get_object(root), "properties");
    for (int k = 0; k < AIMF_N_KEYS; k++) {
        g_auto(GStrv) parts = g_strsplit(aimf_config_rows[k].name, ".", 2);
        JsonObject *in = properties;
        if (parts[1])
            in = json_object_get_object_member(json_object_get_object_member(properties, parts[0]), "properties");
        g_assert_true(json_object_has_member(in, parts[1] ? parts[1] : parts[0]));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/defaults", test_defaults);
    g_test_add_func("/config/read", test_read);
    g_test_add_func("/config/refused", test_refused);
    g_test_add_func("/config/set", test_set);
    g_test_add_func("/config/text", test_text);
    g_test_add_func("/config/numbers", test_numbers);
    g_test_add_func("/config/odd_characters", test_odd_characters);
    g_test_add_func("/config/read_back", test_read_back);
    g_test_add_func("/config/templates", test_templates);
    g_test_add_func("/config/schema", test_schema);
    return g_test_run();
}
