/* A vision transformer's rows for places, resampled for another size of input: as timm does it (make_places.py). */
#include "fair/support_golden.h"
#include "model/model.h"
#include "weights/tensors.h"

#include <glib/gstdio.h>
#include <math.h>

static const char ROWS[] = "pos_embed";

static AimfModel *new_model(int width, int height)
{
    g_autoptr(GError) error = NULL;
    const AimfPreprocess pictures = { .width = width, .height = height, .mean = { 0.5F }, .std = { 1, 1, 1 } };
    AimfModel *model = aimf_model_blank("vit_small_patch32_224", &pictures, 1, &error);
    g_assert_no_error(error);
    return model;
}

static const AimfTensor *rows_of(const AimfTensors *tensors, const float **data)
{
    int index = aimf_tensors_find(tensors, ROWS);
    g_assert_cmpint(index, >=, 0);
    *data = aimf_tensors_data(tensors, (guint)index);
    return aimf_tensors_at(tensors, (guint)index);
}

/* As rows() of make_places.py. */
static void fill(AimfModel *model)
{
    const float *unused;
    const AimfTensor *tensor = rows_of(model->tensors, &unused);
    float *data = aimf_tensors_writable(model->tensors, (guint)aimf_tensors_find(model->tensors, ROWS));
    gint64 n = tensor->shape.dim[1], width = tensor->shape.dim[2];
    for (gint64 r = 0; r < n; r++)
        for (gint64 c = 0; c < width; c++)
            data[r * width + c] = (float)((r * r * 5 + r * 7 + c * 13) % 29 - 14) / 16;
}

static void check_rows(const AimfModel *model, JsonArray *channels, JsonArray *values)
{
    const float *data;
    const AimfTensor *tensor = rows_of(model->tensors, &data);
    guint n = json_array_get_length(channels);
    g_assert_cmpint(json_array_get_length(values), ==, tensor->shape.dim[1] * n);
    for (guint i = 0; i < json_array_get_length(values); i++) {
        double found = (double)data[i / n * tensor->shape.dim[2] + json_array_get_int_element(channels, i % n)];
        g_assert_cmpfloat(fabs(found - json_array_get_double_element(values, i)), <, 2e-6);
    }
}

static void size_of(JsonObject *object, const char *name, int size[2])
{
    JsonArray *sides = json_object_get_array_member(object, name);
    for (guint i = 0; i < 2; i++)
        size[i] = (int)json_array_get_int_element(sides, i);
}

static void save(const AimfModel *model, const char *path)
{
    g_autoptr(GError) error = NULL;
    aimf_model_save(model, path, &error);
    g_assert_no_error(error);
}

/* The weights at @path, of a saved model or, without what it says, of an unknown size. */
static gboolean take(AimfModel *model, const char *path, gboolean known, GError **error)
{
    g_autoptr(AimfTensors) weights = aimf_tensors_open(path, error);
    if (!known)
        aimf_tensors_set_metadata(weights, "aimfair.format", NULL);
    return aimf_model_take_weights(model, weights, NULL, error);
}

/* Weights of a saved model, which says for which size they are; of no known one; and a model that gets another size. */
static void test_timm(void)
{
    g_autoptr(JsonParser) golden = golden_open_file("places.json");
    JsonObject *root = json_node_get_object(json_parser_get_root(golden));
    JsonArray *channels = json_object_get_array_member(root, "channels");
    JsonArray *cases = json_object_get_array_member(root, "cases");
    g_autofree char *folder = g_dir_make_tmp("aimfair-places-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "model.safetensors", NULL);
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        g_autoptr(GError) error = NULL;
        JsonObject *c = json_array_get_object_element(cases, i);
        JsonArray *values = json_object_get_array_member(c, "values");
        int before[2], after[2];
        size_of(c, "before", before);
        size_of(c, "after", after);
        g_autoptr(AimfModel) old = new_model(before[0], before[1]), taken = new_model(after[0], after[1]);
        g_autoptr(AimfModel) unknown = new_model(after[0], after[1]);
        fill(old);
        save(old, path);
        take(taken, path, TRUE, &error);
        g_assert_no_error(error);
        check_rows(taken, channels, values);
        if (before[0] == before[1]) {
            take(unknown, path, FALSE, &error);
            g_assert_no_error(error);
            check_rows(unknown, channels, values);
        }
        AimfPreprocess pictures = taken->preprocess;
        aimf_model_set_preprocess(old, &pictures, NULL, &error);
        g_assert_no_error(error);
        check_rows(old, channels, values);
    }
    g_assert_cmpint(g_unlink(path) | g_rmdir(folder), ==, 0);
}

/* Rows of no square of a size that nothing says, and a saved model that has not as many as it says. */
static void test_refused(void)
{
    g_autoptr(GError) error = NULL, failure = NULL;
    g_autofree char *folder = g_dir_make_tmp("aimfair-places-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "model.safetensors", NULL);
    g_autoptr(AimfModel) old = new_model(96, 64), other = new_model(128, 128);
    save(old, path);
    g_assert_false(take(other, path, FALSE, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "rows for places"));
    g_assert_nonnull(strstr(error->message, "pos_embed is f32 1x7x384 in place of f32 1x17x384"));

    old->preprocess.width = old->preprocess.height = 128;
    save(old, path);
    g_autoptr(AimfModel) opened = aimf_model_open(path, &failure);
    g_assert_null(opened);
    g_assert_error(failure, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_assert_nonnull(strstr(failure->message, "pos_embed is f32 1x7x384 in place of f32 1x17x384"));
    g_assert_null(strstr(failure->message, "square")); /* it said which it has */
    g_assert_cmpint(g_unlink(path) | g_rmdir(folder), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/places/timm", test_timm);
    g_test_add_func("/places/refused", test_refused);
    return g_test_run();
}
