/*
 * What programs store beside their weights, and tensors of unusual kinds: files of PyTorch
 * (tests/golden/make_checkpoints.py).
 */
#include "weights/support_weights.h"

#include <string.h>

#define FOREIGN(name) GOLDEN_DIR "/weights/foreign/" name

static AimfTensors *open_good(const char *path)
{
    g_autoptr(GError) error = NULL;
    AimfTensors *tensors = aimf_tensors_open(path, &error);
    g_assert_no_error(error);
    return tensors;
}

static void assert_same(const AimfTensors *found, const AimfTensors *expected)
{
    g_assert_cmpuint(aimf_tensors_count(found), ==, aimf_tensors_count(expected));
    for (guint i = 0; i < aimf_tensors_count(expected); i++) {
        g_autoptr(GError) error = NULL;
        const AimfTensor *right = aimf_tensors_at(expected, i);
        int index = aimf_tensors_find(found, right->name);
        if (index < 0)
            g_error("'%s' is missing", right->name);
        const AimfTensor *tensor = aimf_tensors_at(found, (guint)index);
        g_assert_cmpint(tensor->dtype, ==, right->dtype);
        g_assert_true(aimf_shape_equal(&tensor->shape, &right->shape));
        g_autofree guint8 *bytes = g_malloc(right->bytes + 1), *right_bytes = g_malloc(right->bytes + 1);
        g_assert_true(aimf_tensors_read(found, (guint)index, tensor->dtype, bytes, &error));
        g_assert_true(aimf_tensors_read(expected, i, right->dtype, right_bytes, &error));
        support_assert_same_bytes(bytes, right->bytes, right_bytes, right->bytes);
    }
}

/* To the bit what torch.load(weights_only=True) finds, in both of PyTorch's forms. */
static void test_like_the_safe_loader(void)
{
    static const char *const names[] = { "training",     "averaged", "harmless",      "keys",
                                         "attributes",   "types",    "training.old",  "averaged.old",
                                         "harmless.old", "keys.old", "attributes.old" };
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_test_message("%s", names[i]);
        g_autofree char *path = g_strdup_printf(FOREIGN("%s.pth"), names[i]);
        g_autofree char *right = g_strdup_printf(FOREIGN("%s.safetensors"), names[i]);
        g_autoptr(AimfTensors) tensors = open_good(path);
        g_autoptr(AimfTensors) expected = open_good(right);
        assert_same(tensors, expected);
    }
}

/* What the safe loader refuses, though it is as harmless: arguments, paths, numpy's random numbers, and protocol 5. */
static void test_more_than_the_safe_loader(void)
{
    static const char *const paths[] = { FOREIGN("trusted.pth"), FOREIGN("trusted.old.pth"), FOREIGN("protocol5.pth") };
    g_autoptr(AimfTensors) expected = open_good(FOREIGN("harmless.safetensors"));
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(AimfTensors) tensors = open_good(paths[i]);
        assert_same(tensors, expected);
    }
}

static void test_metadata(void)
{
    g_autoptr(AimfTensors) tensors = open_good(FOREIGN("training.pth"));
    g_assert_cmpstr(aimf_tensors_metadata(tensors, "epoch"), ==, "3");
    g_assert_cmpstr(aimf_tensors_metadata(tensors, "lr_scheduler.milestones.10"), ==, "1"); /* a collections.Counter */
    g_autoptr(AimfTensors) harmless = open_good(FOREIGN("harmless.pth"));
    g_assert_cmpstr(aimf_tensors_metadata(harmless, "counter.a"), ==, "2");
    g_assert_cmpstr(aimf_tensors_metadata(harmless, "size"), ==, "[1, 2]");
    g_assert_null(aimf_tensors_metadata(harmless, "surrogate"));
    g_assert_null(aimf_tensors_metadata(harmless, "zero"));
}

/* A tensor that cannot be read is named, with its kind; nothing advises to save a state_dict, for these are ones. */
static void test_kinds(void)
{
    static const struct {
        const char *name, *says;
    } cases[] = {
        { "sparse", "'fc.weight' is sparse" },           { "sparse_csr", "'fc.weight' is sparse" },
        { "quantised", "'fc.weight' is quantised" },     { "meta", "'fc.weight' is a meta tensor" },
        { "nested", "'fc.weight' is nested" },           { "complex", "'fc.weight' is of complex numbers (complex64)" },
        { "conjugated", "'fc.weight' is a conjugated" },
    };
    for (guint i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        const char *name = cases[i / 2].name;
        g_autofree char *path = g_strdup_printf(FOREIGN("%s%s.pth"), name, i % 2 ? ".old" : "");
        g_autoptr(GError) error = NULL;
        g_assert_null(aimf_tensors_open(path, &error));
        g_assert_nonnull(error);
        g_assert_null(strstr(error->message, "state_dict"));
        support_assert_error(&error, AIMF_ERROR_UNSUPPORTED, cases[i / 2].says);
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_tensors_open(FOREIGN("fnuz.pth"), &error));
    support_assert_error(&error, AIMF_ERROR_UNSUPPORTED, "'fc.weight' is of the type float8_e4m3fnuz");
}

/* Beside other tensors, one of a kind that is not read is in the way of nobody who does not ask for it. */
static void test_kinds_beside(void)
{
    static const char *const names[] = { FOREIGN("beside.pth"), FOREIGN("beside.old.pth") };
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(aimf_tensors_open(names[i], &error));
        support_assert_error(&error, AIMF_ERROR_UNSUPPORTED, "'extra.q' is quantised");
        g_autoptr(AimfTensors) tensors = aimf_tensors_open_partly(names[i], &error);
        g_assert_no_error(error);
        g_assert_cmpuint(aimf_tensors_count(tensors), ==, 2);
        g_autoptr(AimfTensors) model = aimf_tensors_select(tensors, "model.", AIMF_N_DTYPES, &error);
        g_assert_no_error(error);
        g_assert_cmpint(aimf_tensors_find(model, "weight"), >=, 0);
        g_assert_null(aimf_tensors_select(tensors, "extra.s", AIMF_N_DTYPES, &error));
        support_assert_error(&error, AIMF_ERROR_UNSUPPORTED, "'extra.s' is sparse");
        g_assert_null(aimf_tensors_load(tensors, AIMF_N_DTYPES, &error));
        support_assert_error(&error, AIMF_ERROR_UNSUPPORTED, "'extra.q' is quantised");
    }
}

/* Types that have no storage of their own go out and come back. */
static void test_types_written(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = open_good(FOREIGN("types.pth"));
    const char *path = support_weights_path("types.pth");
    g_assert_true(aimf_tensors_save(tensors, path, &error));
    g_assert_no_error(error);
    g_autoptr(AimfTensors) again = open_good(path);
    assert_same(again, tensors);
}

/* The name of the wrapper that opening takes away still finds its tensors. */
static void test_below(void)
{
    g_autoptr(AimfTensors) wrapped = open_good(FOREIGN("harmless.pth"));
    g_autoptr(AimfTensors) whole = open_good(FOREIGN("training.pth"));
    g_autofree char *nothing = aimf_tensors_below(wrapped, "state_dict");
    g_autofree char *part = aimf_tensors_below(wrapped, "state_dict.weight.");
    g_autofree char *model = aimf_tensors_below(whole, "model");
    g_assert_cmpstr(nothing, ==, "");
    g_assert_cmpstr(part, ==, "weight.");
    g_assert_cmpstr(model, ==, "model.");
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_tensors_select(whole, "net.", AIMF_N_DTYPES, &error));
    support_assert_error(&error, AIMF_ERROR_NOT_FOUND,
                         "begins with 'net.'; they begin with 'model', 'optimizer', 'rng'");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/checkpoint_values/like_the_safe_loader", test_like_the_safe_loader);
    g_test_add_func("/checkpoint_values/more_than_the_safe_loader", test_more_than_the_safe_loader);
    g_test_add_func("/checkpoint_values/metadata", test_metadata);
    g_test_add_func("/checkpoint_values/kinds", test_kinds);
    g_test_add_func("/checkpoint_values/kinds-beside", test_kinds_beside);
    g_test_add_func("/checkpoint_values/types_written", test_types_written);
    g_test_add_func("/checkpoint_values/below", test_below);
    int status = g_test_run();
    support_weights_remove();
    return status;
}
