/* Fresh weights, foreign weight files and saved models. */
#include "weights/support_weights.h"

#include <aimfair/model.h>
#include <math.h>
#include <string.h>

static AimfModel *small_model(guint64 seed)
{
    GError *error = NULL;
    AimfModel *model = aimf_model_new("resnet18", 32, 1, seed, &error);
    g_assert_no_error(error);
    return model;
}

static const float *floats(const AimfTensors *tensors, const char *name, gint64 *n)
{
    int index = aimf_tensors_find(tensors, name);
    g_assert_cmpint(index, >=, 0);
    *n = aimf_shape_count(&aimf_tensors_at(tensors, (guint)index)->shape);
    return aimf_tensors_data(tensors, (guint)index);
}

static void test_tensors(void)
{
    g_autoptr(AimfModel) model = small_model(1);
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(model->tensors, i);
        g_autofree char *shape = aimf_shape_text(&tensor->shape);
        g_string_append_printf(list, "%s %s %s\n", tensor->name, aimf_dtype_name(tensor->dtype), shape);
    }
    g_autofree char *golden = NULL;
    g_assert_true(g_file_get_contents(GOLDEN_DIR "/model/resnet18_keys.txt", &golden, NULL, NULL));
    g_assert_cmpstr(list->str, ==, golden);
}

static void test_parameter_order(void)
{
    g_autoptr(AimfModel) model = small_model(1);
    AimfModelGraph built;
    g_assert_true(aimf_model_build(model, 2, &(AimfBuildOptions){ .training = TRUE }, &built, NULL));
    g_assert_cmpuint(aimf_graph_n_parameters(built.graph), ==, 62);
    guint next = 0;
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        const char *name = aimf_tensors_at(model->tensors, i)->name;
        if (strstr(name, "running_") || strstr(name, "num_batches"))
            continue;
        g_assert_cmpstr(aimf_graph_name(built.graph, aimf_graph_parameter_at(built.graph, next++)), ==, name);
    }
    g_assert_cmpuint(next, ==, 62);
    aimf_graph_free(built.graph);
}

/* Mean and standard deviation against what the scheme says, within five standard errors. */
static void assert_moments(const AimfTensors *tensors, const char *name, double deviation, double kurtosis)
{
    gint64 n;
    const float *values = floats(tensors, name, &n);
    double sum = 0, squares = 0;
    for (gint64 i = 0; i < n; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    double count = (double)n, variance = deviation * deviation;
    g_assert_cmpfloat(fabs(sum / count), <, 5 * deviation / sqrt(count));
    g_assert_cmpfloat(fabs(squares / count - variance), <, 5 * variance * sqrt((kurtosis - 1) / count));
}

static void assert_constant(const AimfTensors *tensors, const char *name, float value)
{
    gint64 n;
    const float *values = floats(tensors, name, &n);
    for (gint64 i = 0; i < n; i++)
        g_assert_cmpfloat(values[i], ==, value);
}

static void test_initialisation(void)
{
    enum { NORMAL_KURTOSIS = 3 };
    const double uniform_kurtosis = 9.0 / 5;
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", 64, 1000, 5, NULL);
    assert_moments(model->tensors, "conv1.weight", sqrt(2.0 / (64 * 49)), NORMAL_KURTOSIS);
    assert_moments(model->tensors, "layer2.0.conv1.weight", sqrt(2.0 / (128 * 9)), NORMAL_KURTOSIS);
    assert_moments(model->tensors, "layer2.0.downsample.0.weight", sqrt(2.0 / 128), NORMAL_KURTOSIS);
    assert_moments(model->tensors, "layer4.1.conv2.weight", sqrt(2.0 / (512 * 9)), NORMAL_KURTOSIS);
    double bound = 1 / sqrt(512);
    assert_moments(model->tensors, "fc.weight", bound / sqrt(3), uniform_kurtosis);
    assert_moments(model->tensors, "fc.bias", bound / sqrt(3), uniform_kurtosis);
    gint64 n;
    const float *weights = floats(model->tensors, "fc.weight", &n);
    for (gint64 i = 0; i < n; i++)
        g_assert_cmpfloat(fabs((double)weights[i]), <=, bound);
    assert_constant(model->tensors, "layer3.0.bn2.weight", 1);
    assert_constant(model->tensors, "layer3.0.bn2.bias", 0);
    assert_constant(model->tensors, "layer3.0.bn2.running_mean", 0);
    assert_constant(model->tensors, "layer3.0.bn2.running_var", 1);
}

static void test_seeds(void)
{
    g_autoptr(AimfModel) a = small_model(7), same = small_model(7), other = small_model(8);
    g_autofree char *hash = aimf_model_hash(a), *same_hash = aimf_model_hash(same),
                    *other_hash = aimf_model_hash(other);
    g_assert_cmpstr(hash, ==, same_hash);
    g_assert_cmpstr(hash, !=, other_hash);
    /* Another head draws from a sequence of its own: the body stays the same. */
    g_autoptr(AimfModel) wide = aimf_model_new("resnet18", 32, 10, 7, NULL);
    gint64 n;
    const float *left = floats(a->tensors, "layer4.1.conv2.weight", &n);
    const float *right = floats(wide->tensors, "layer4.1.conv2.weight", &n);
    support_assert_same_bytes(left, (gsize)n * 4, right, (gsize)n * 4);
    g_autoptr(AimfModel) copy = aimf_model_copy(a, NULL);
    g_autofree char *copy_hash = aimf_model_hash(copy);
    g_assert_cmpstr(hash, ==, copy_hash);
}

static void test_refused_sizes(void)
{
    GError *error = NULL;
    g_assert_null(aimf_model_new("resnet19", 32, 1, 0, &error));
    support_assert_error(&error, AIMF_ERROR_NOT_FOUND, "there are: resnet18");
    g_assert_null(aimf_model_new("resnet18", 31, 1, 0, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "32 to 4096");
    g_assert_null(aimf_model_new("resnet18", 32, 0, 0, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "outputs");
    g_assert_null(aimf_model_new("resnet18", 32, AIMF_MAX_CLASSES + 1, 0, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "1 to 1000 outputs, not 1001");
    g_autoptr(AimfModel) model = small_model(0);
    AimfModelGraph built;
    g_assert_false(aimf_model_build(model, 0, NULL, &built, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "batch");
    g_assert_false(aimf_model_build(model, 1, &(AimfBuildOptions){ .training = TRUE }, &built, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "no variance");
    g_autoptr(AimfModel) dense = aimf_model_new("densenet121", 40, 1, 0, NULL); /* 1 x 1 from 40 pixels on, not 64 */
    g_assert_false(aimf_model_build(dense, 1, &(AimfBuildOptions){ .training = TRUE }, &built, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "images of 40 x 40 pixels needs a batch of 2 or more");
}

/* Sizes that 32 does not divide: the graph must still fit together. */
static void test_odd_sizes(void)
{
    const int sizes[] = { 33, 50, 100, 224 };
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(AimfModel) model = aimf_model_new("resnet18", sizes[i], 3, 0, NULL);
        AimfModelGraph built;
        g_assert_true(aimf_model_build(model, 4, &(AimfBuildOptions){ .training = TRUE }, &built, NULL));
        AimfShape logits = aimf_graph_shape(built.graph, built.logits);
        g_assert_cmpint(logits.dim[0], ==, 4);
        g_assert_cmpint(logits.dim[1], ==, 3);
        g_assert_cmpint(aimf_graph_shape(built.graph, built.loss).rank, ==, 0);
        g_assert_cmpint(built.loss, !=, AIMF_NONE);
        aimf_graph_free(built.graph);
    }
}

/* --- Foreign weights --- */

/* What a copy has otherwise: names begin with @prefix, those with @skip in them are left out, @extra is added. */
typedef struct {
    const char *prefix;
    const char *skip;
    const char *extra;
    const char *reshaped;
} Change;

static AimfTensors *changed(const AimfTensors *from, Change change)
{
    AimfTensors *to = aimf_tensors_new();
    for (guint i = 0; i < aimf_tensors_count(from); i++) {
        const AimfTensor *tensor = aimf_tensors_at(from, i);
        if (change.skip && strstr(tensor->name, change.skip))
            continue;
        g_autofree char *name = g_strconcat(change.prefix ? change.prefix : "", tensor->name, NULL);
        AimfShape shape = tensor->shape;
        if (g_strcmp0(change.reshaped, tensor->name) == 0)
            shape = AIMF_SHAPE(1, aimf_shape_count(&tensor->shape));
        aimf_tensors_add(to, name, tensor->dtype, &shape, aimf_tensors_data(from, i), NULL);
    }
    if (change.extra)
        aimf_tensors_add(to, change.extra, AIMF_F32, &AIMF_SHAPE(2), NULL, NULL);
    return to;
}

/* As import and train do it: found among what a file holds, then taken. */
static gboolean take(AimfModel *model, AimfTensors *file, const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfTensors) weights = aimf_model_select_weights(file, "resnet18", NULL, NULL, error);
    return weights && aimf_model_take_weights(model, weights, monitor, error);
}

static void test_prefixes(void)
{
    const char *const prefixes[] = { "", "module.", "resnet18.", "module.resnet18.", "resnet18.module." };
    g_autoptr(AimfModel) source = small_model(3);
    g_autofree char *expected = aimf_model_hash(source);
    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        GError *error = NULL;
        g_autoptr(AimfTensors) weights = changed(source->tensors, (Change){ .prefix = prefixes[i] });
        g_autoptr(AimfModel) model = small_model(4);
        take(model, weights, NULL, &error);
        g_assert_no_error(error);
        g_autofree char *hash = aimf_model_hash(model);
        g_assert_cmpstr(hash, ==, expected);
    }
}

static void assert_refused(const AimfTensors *source, Change change, const char *const *says)
{
    g_autoptr(AimfTensors) weights = changed(source, change);
    g_autoptr(AimfModel) model = small_model(4);
    g_autofree char *before = aimf_model_hash(model);
    g_autoptr(GError) error = NULL;
    g_assert_false(take(model, weights, NULL, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    for (; *says; says++)
        g_assert_nonnull(strstr(error->message, *says));
    g_autofree char *after = aimf_model_hash(model);
    g_assert_cmpstr(before, ==, after);
}

static void test_strictness(void)
{
    g_autoptr(AimfModel) source = small_model(3);
    Change all = { .skip = "layer4.1.bn2", .extra = "classifier.weight", .reshaped = "conv1.weight" };
    assert_refused(source->tensors, all,
                   (const char *const[]){ "missing (4): layer4.1.bn2.weight", "surplus (1): classifier.weight",
                                          "conv1.weight is f32 1x9408 in place of f32 64x3x7x7", NULL });
    Change twice = { .extra = "module.bn1.bias" };
    assert_refused(source->tensors, twice, (const char *const[]){ "surplus (1): module.bn1.bias", NULL });
    Change other_names = { .prefix = "stem_" };
    assert_refused(source->tensors, other_names,
                   (const char *const[]){ "missing (102)", "surplus (122)", "and 114 more", NULL });
    Change no_head = { .skip = "fc." };
    assert_refused(source->tensors, no_head, (const char *const[]){ "missing (2): fc.weight, fc.bias", NULL });
    g_autoptr(AimfModel) broken = aimf_model_copy(source, NULL);
    ((float *)aimf_tensors_writable(broken->tensors, 0))[17] = NAN;
    assert_refused(broken->tensors, (Change){ 0 }, (const char *const[]){ "conv1.weight", "nan", "element 17", NULL });
    g_autoptr(AimfModel) negative = aimf_model_copy(source, NULL);
    guint variance = (guint)aimf_tensors_find(negative->tensors, "bn1.running_var");
    ((float *)aimf_tensors_writable(negative->tensors, variance))[3] = -0.5f;
    assert_refused(negative->tensors, (Change){ 0 },
                   (const char *const[]){ "bn1.running_var", "-0.5", "element 3", NULL });
    g_autoptr(AimfTensors) saved = changed(source->tensors, (Change){ .skip = "layer4.1.bn2" });
    aimf_tensors_set_metadata(saved, "aimfair.architecture", "resnet34");
    g_autoptr(AimfModel) model = small_model(4);
    GError *error = NULL;
    g_assert_false(take(model, saved, NULL, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "says '--arch resnet34' of itself");
}

static void count_warning(AimfLogLevel level, const char *text, gpointer user_data)
{
    g_assert_cmpint(level, ==, AIMF_LOG_WARNING);
    g_assert_nonnull(strstr(text, "1000 outputs"));
    ++*(int *)user_data;
}

static void test_other_head(void)
{
    GError *error = NULL;
    int warnings = 0;
    AimfMonitor monitor = { .message = count_warning, .user_data = &warnings };
    g_autoptr(AimfModel) source = aimf_model_new("resnet18", 224, 1000, 3, NULL);
    g_autoptr(AimfTensors) old = changed(source->tensors, (Change){ .skip = "num_batches_tracked" });
    g_autoptr(AimfModel) fresh = small_model(4), model = small_model(4);
    take(model, old, &monitor, &error);
    g_assert_no_error(error);
    g_assert_cmpint(warnings, ==, 1);
    gint64 n;
    const float *expected = floats(fresh->tensors, "fc.weight", &n);
    support_assert_same_bytes(floats(model->tensors, "fc.weight", &n), 512 * 4, expected, 512 * 4);
    expected = floats(source->tensors, "layer1.0.conv1.weight", &n);
    support_assert_same_bytes(floats(model->tensors, "layer1.0.conv1.weight", &n), (gsize)n * 4, expected,
                              (gsize)n * 4);
    g_autoptr(AimfTensors) none = changed(source->tensors, (Change){ .skip = "fc." });
    g_assert_true(aimf_tensors_add(none, "fc.weight", AIMF_F32, &AIMF_SHAPE(0, 512), NULL, NULL));
    g_assert_true(aimf_tensors_add(none, "fc.bias", AIMF_F32, &AIMF_SHAPE(0), NULL, NULL));
    g_assert_false(take(model, none, &monitor, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "fc.weight is f32 0x512 in place of f32 1x512");
}

/* --- Saved models --- */

static AimfPreprocess small_model_preprocess(void)
{
    g_autoptr(AimfModel) model = small_model(1);
    return model->preprocess;
}

static void test_saved(void)
{
    GError *error = NULL;
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", 48, 3, 9, NULL);
    model->target = g_strdup("Mood, \"quoted\"");
    model->classes = g_strdupv((char *[]){ (char[]){ "sad" }, (char[]){ "so, so" }, (char[]){ "glad ☺" }, NULL });
    model->threshold = 0.3;
    model->preprocess.mean[1] = 0.1f;
    model->preprocess.std[2] = 0.229f;
    aimf_tensors_set_metadata(model->tensors, "my.note", "kept");
    const char *path = support_weights_path("model.safetensors");
    aimf_model_save(model, path, &error);
    g_assert_no_error(error);
    g_autoptr(AimfModel) opened = aimf_model_open(path, &error);
    g_assert_no_error(error);
    g_autofree char *hash = aimf_model_hash(model), *opened_hash = aimf_model_hash(opened);
    g_assert_cmpstr(hash, ==, opened_hash);
    g_assert_cmpstr(opened->architecture, ==, "resnet18");
    g_assert_cmpint(opened->preprocess.width, ==, 48);
    g_assert_cmpint(opened->outputs, ==, 3);
    g_assert_cmpfloat(opened->preprocess.mean[1], ==, 0.1f);
    g_assert_cmpfloat(opened->preprocess.std[2], ==, 0.229f);
    g_assert_cmpfloat(opened->threshold, ==, 0.3);
    g_assert_cmpstr(opened->target, ==, model->target);
    g_assert_true(g_strv_equal((const char *const *)opened->classes, (const char *const *)model->classes));
    g_assert_cmpstr(aimf_tensors_metadata(opened->tensors, "my.note"), ==, "kept");
    const char *again = support_weights_path("again.safetensors");
    aimf_model_save(opened, again, &error);
    g_assert_no_error(error);
    g_autofree char *first_bytes = NULL, *second_bytes = NULL;
    gsize first_length, second_length;
    g_assert_true(g_file_get_contents(path, &first_bytes, &first_length, NULL));
    g_assert_true(g_file_get_contents(again, &second_bytes, &second_length, NULL));
    support_assert_same_bytes(first_bytes, first_length, second_bytes, second_length);
}

/* What version 1 cannot say makes version 2, in which every member comes back; and only then. */
static void test_preprocess_saved(void)
{
    const struct {
        const char *name, *value;
    } changes[] = { { "resize", "256" },        { "interpolation", "bicubic" }, { "resizer", "tensor-v2" },
                    { "channel_order", "bgr" }, { "value_range", "255" },       { "resizer", "float" },
                    { "resizer", "tensor" } };
    const char *path = support_weights_path("model.safetensors");
    for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
        GError *error = NULL;
        g_autoptr(AimfModel) model = small_model(1);
        g_assert_true(aimf_preprocess_set(&model->preprocess, changes[i].name, changes[i].value, NULL));
        if (g_str_equal(changes[i].value, "tensor"))
            model->preprocess.aliased = TRUE;
        aimf_model_save(model, path, &error);
        g_assert_no_error(error);
        g_autoptr(AimfModel) opened = aimf_model_open(path, &error);
        g_assert_no_error(error);
        g_assert_cmpint(memcmp(&opened->preprocess, &model->preprocess, sizeof model->preprocess), ==, 0);
        g_assert_cmpstr(aimf_tensors_metadata(opened->tensors, "aimfair.format"), ==, "2");
        /* Back to the default, the file is one of version 1 again, without the key. */
        opened->preprocess = small_model_preprocess();
        aimf_model_save(opened, path, &error);
        g_autoptr(AimfTensors) file = aimf_tensors_open(path, NULL);
        g_autofree char *key = g_strconcat("aimfair.", changes[i].name, NULL);
        g_assert_null(aimf_tensors_metadata(file, key));
        g_assert_cmpstr(aimf_tensors_metadata(file, "aimfair.format"), ==, "1");
    }
    g_autoptr(AimfModel) wide = small_model(1);
    wide->preprocess.width = 64;
    g_assert_true(aimf_model_save(wide, path, NULL));
    g_autoptr(AimfModel) opened = aimf_model_open(path, NULL);
    g_assert_cmpstr(aimf_tensors_metadata(opened->tensors, "aimfair.image_size"), ==, "64x32");
    g_assert_cmpint(opened->preprocess.width, ==, 64);
    g_assert_cmpint(opened->preprocess.height, ==, 32);
    AimfModelGraph built;
    g_assert_true(aimf_model_build(opened, 1, &(AimfBuildOptions){ .training = TRUE }, &built,
                                   NULL)); /* two pixels at the end have a variance */
    g_assert_cmpint(aimf_graph_shape(built.graph, built.images).dim[3], ==, 64);
    aimf_graph_free(built.graph);
}

static void test_plain_weights_refused(void)
{
    GError *error = NULL;
    g_autoptr(AimfModel) model = small_model(1);
    const char *path = support_weights_path("plain.safetensors");
    g_assert_true(aimf_tensors_save(model->tensors, path, NULL));
    g_assert_null(aimf_model_open(path, &error));
    support_assert_error(&error, AIMF_ERROR_FORMAT, "aimfair train --init");
}

static void test_damaged_metadata(void)
{
    g_autofree char *bomb = g_strnfill(200000, '['); /* json-glib recurses */
    const struct {
        const char *key, *value, *says;
    } cases[] = {
        { "aimfair.image_size", "64x", "320x240" },
        { "aimfair.image_size", "64x32x3", "320x240" },
        { "aimfair.image_size", "64x99999", "32 to 4096" },
        { "aimfair.interpolation", "nearest", "none of bilinear, bicubic" },
        { "aimfair.resize", "-1", "number of pixels" },
        { "aimfair.antialias", "no", "Pillow always" },
        { "aimfair.format", "3", "version 1 or 2" },
        { "aimfair.architecture", "vgg", "there are: resnet18" },
        { "aimfair.image_size", "-5", "positive whole number" },
        { "aimfair.image_size", "99999", "32 to 4096" },
        { "aimfair.outputs", "1x", "positive whole number" },
        { "aimfair.outputs", "7", "wrong shape" },
        { "aimfair.outputs", "999999999", "outputs" },
        { "aimfair.mean", "0.5,0.5", "three numbers" },
        { "aimfair.mean", "0.5,nan,0.5", "three numbers" },
        { "aimfair.std", "0.5,0,0.5", "three positive numbers" },
        { "aimfair.threshold", "1.5", "between 0 and 1" },
        { "aimfair.threshold", "", "between 0 and 1" },
        { "aimfair.classes", "[\"a\"]", "name for every class" },
        { "aimfair.classes", "[\"a\",3]", "name for every class" },
        { "aimfair.classes", "{", "name for every class" },
        { "aimfair.classes", bomb, "name for every class" },
    };
    g_autoptr(AimfModel) model = small_model(1);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *path = support_weights_path("model.safetensors");
        GError *error = NULL;
        g_assert_true(aimf_model_save(model, path, NULL));
        g_autoptr(AimfTensors) file = aimf_tensors_open(path, NULL);
        g_autoptr(AimfTensors) loaded = aimf_tensors_load(file, AIMF_N_DTYPES, NULL);
        aimf_tensors_set_metadata(loaded, "aimfair.format", "2");
        aimf_tensors_set_metadata(loaded, cases[i].key, cases[i].value);
        const char *damaged = support_weights_path("damaged.safetensors");
        g_assert_true(aimf_tensors_save(loaded, damaged, NULL));
        g_assert_null(aimf_model_open(damaged, &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, "damaged.safetensors"));
        support_assert_error(&error, (AimfErrorCode)error->code, cases[i].says);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/model/tensors", test_tensors);
    g_test_add_func("/model/parameter-order", test_parameter_order);
    g_test_add_func("/model/initialisation", test_initialisation);
    g_test_add_func("/model/seeds", test_seeds);
    g_test_add_func("/model/refused-sizes", test_refused_sizes);
    g_test_add_func("/model/odd-sizes", test_odd_sizes);
    g_test_add_func("/model/prefixes", test_prefixes);
    g_test_add_func("/model/strictness", test_strictness);
    g_test_add_func("/model/other-head", test_other_head);
    g_test_add_func("/model/saved", test_saved);
    g_test_add_func("/model/preprocess-saved", test_preprocess_saved);
    g_test_add_func("/model/plain-weights-refused", test_plain_weights_refused);
    g_test_add_func("/model/damaged-metadata", test_damaged_metadata);
    int status = g_test_run();
    support_weights_remove();
    return status;
}
