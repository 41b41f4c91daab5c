#include "weights/support_weights.h"
#include <string.h>

#define GOLDEN(name) GOLDEN_DIR "/weights/" name

static AimfTensors *open_golden(const char *path)
{
    g_autoptr(GError) error = NULL;
    AimfTensors *tensors = aimf_tensors_open(path, &error);
    g_assert_no_error(error);
    return tensors;
}

/* @index as it is stored, in memory that the sanitizer watches. */
static guint8 *read_whole(const AimfTensors *tensors, guint index)
{
    g_autoptr(GError) error = NULL;
    const AimfTensor *tensor = aimf_tensors_at(tensors, index);
    guint8 *bytes = g_malloc(tensor->bytes + 1);
    g_assert_true(aimf_tensors_read(tensors, index, tensor->dtype, bytes, &error));
    g_assert_no_error(error);
    return bytes;
}

static void assert_same_tensors(const AimfTensors *a, const AimfTensors *b)
{
    g_assert_cmpuint(aimf_tensors_count(a), ==, aimf_tensors_count(b));
    for (guint i = 0; i < aimf_tensors_count(a); i++) {
        const AimfTensor *tensor = aimf_tensors_at(a, i);
        int found = aimf_tensors_find(b, tensor->name);
        if (found < 0)
            g_error("'%s' is missing", tensor->name);
        const AimfTensor *other = aimf_tensors_at(b, (guint)found);
        g_assert_cmpint(tensor->dtype, ==, other->dtype);
        g_assert_true(aimf_shape_equal(&tensor->shape, &other->shape));
        g_autofree guint8 *bytes = read_whole(a, i);
        g_autofree guint8 *other_bytes = read_whole(b, (guint)found);
        support_assert_same_bytes(bytes, tensor->bytes, other_bytes, other->bytes);
    }
}

/* Files of PyTorch beside what PyTorch itself says is in them. */
static void test_reference_files(void)
{
    static const struct {
        const char *checkpoint, *expected;
    } cases[] = {
        { GOLDEN("types_plain.pth"), GOLDEN("types_plain.safetensors") },
        { GOLDEN("types_plain.old.pth"), GOLDEN("types_plain.safetensors") },
        { GOLDEN("network.pth"), GOLDEN("network.safetensors") },
        { GOLDEN("network.old.pth"), GOLDEN("network.safetensors") },
        { GOLDEN("views.pth"), GOLDEN("views.safetensors") },
        { GOLDEN("views.old.pth"), GOLDEN("views.safetensors") },
        { GOLDEN("deflated.pth"), GOLDEN("views.safetensors") },
        { GOLDEN("checkpoint.pth"), GOLDEN("checkpoint.safetensors") },
        { GOLDEN("checkpoint.old.pth"), GOLDEN("checkpoint.safetensors") },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].checkpoint);
        g_autoptr(AimfTensors) tensors = open_golden(cases[i].checkpoint);
        g_autoptr(AimfTensors) expected = open_golden(cases[i].expected);
        assert_same_tensors(tensors, expected);
    }
}

/* The order is the file's; the values are make_weights.py's ramps. */
static void test_state_dict(void)
{
    static const char *const names[] = { "module.0.weight",
                                         "module.0.bias",
                                         "module.1.weight",
                                         "module.1.bias",
                                         "module.1.running_mean",
                                         "module.1.running_var",
                                         "module.1.num_batches_tracked",
                                         "module.2.weight",
                                         "module.2.bias" };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = open_golden(GOLDEN("network.pth"));
    g_assert_cmpuint(aimf_tensors_count(tensors), ==, G_N_ELEMENTS(names));
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_cmpstr(aimf_tensors_at(tensors, i)->name, ==, names[i]);
    float weight[24];
    g_assert_true(aimf_tensors_read(tensors, 0, AIMF_F32, weight, &error));
    for (int i = 0; i < 24; i++)
        g_assert_cmpfloat(weight[i], ==, 0.5f * (float)i);
    gint64 batches;
    g_assert_true(aimf_tensors_read(tensors, 6, AIMF_I64, &batches, &error));
    g_assert_cmpint(batches, ==, 6);
    g_assert_false(aimf_tensors_read(tensors, 6, AIMF_F32, weight, &error));
    support_assert_error(&error, AIMF_ERROR_UNSUPPORTED, "num_batches_tracked");
    g_assert_null(aimf_tensors_writable(tensors, 0));
}

static void test_transposed(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = open_golden(GOLDEN("views.pth"));
    float values[6][4];
    int index = aimf_tensors_find(tensors, "transposed");
    g_assert_true(aimf_shape_equal(&aimf_tensors_at(tensors, (guint)index)->shape, &AIMF_SHAPE(6, 4)));
    g_assert_true(aimf_tensors_read(tensors, (guint)index, AIMF_F32, values, &error));
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 4; j++)
            g_assert_cmpfloat(values[i][j], ==, -1 + 0.3125f * (float)(j * 6 + i));
}

static void test_metadata(void)
{
    static const char *const paths[] = { GOLDEN("checkpoint.pth"), GOLDEN("checkpoint.old.pth") };
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_autoptr(AimfTensors) tensors = open_golden(paths[i]);
        g_assert_cmpint(aimf_tensors_find(tensors, "state_dict.0.weight"), >=, 0);
        g_assert_cmpint(aimf_tensors_find(tensors, "optimizer.state.0.momentum_buffer"), >=, 0);
        g_assert_cmpint(aimf_tensors_find(tensors, "list.1.x"), >=, 0);
        g_assert_cmpint(aimf_tensors_find(tensors, "7"), >=, 0);
        g_assert_cmpstr(aimf_tensors_metadata(tensors, "epoch"), ==, "3");
        g_assert_cmpstr(aimf_tensors_metadata(tensors, "arch"), ==, "resnet18");
        g_assert_cmpstr(aimf_tensors_metadata(tensors, "best"), ==, "0.8125");
        g_assert_cmpstr(aimf_tensors_metadata(tensors, "done"), ==, "false");
        g_assert_cmpstr(aimf_tensors_metadata(tensors, "history"), ==, "[0.5, 0.25]");
        g_assert_cmpstr(aimf_tensors_metadata(tensors, "optimizer.param_groups.0.lr"), ==, "0.1");
        g_assert_cmpstr(aimf_tensors_metadata(tensors, "optimizer.param_groups.0.params"), ==, "[0, 1, 2, 3, 4, 5]");
        g_assert_null(aimf_tensors_metadata(tensors, "nothing"));
        g_assert_null(aimf_tensors_metadata(tensors, "big"));
    }
}

static void test_names(void)
{
    g_autoptr(AimfTensors) wrapped = open_golden(GOLDEN("wrapped.pth"));
    g_assert_cmpstr(aimf_tensors_at(wrapped, 0)->name, ==, "0.weight");
    g_assert_cmpstr(aimf_tensors_metadata(wrapped, "epoch"), ==, "5");
    g_autoptr(AimfTensors) protocol4 = open_golden(GOLDEN("protocol4.pth"));
    assert_same_tensors(wrapped, protocol4);
    g_autoptr(AimfTensors) protocol5 = open_golden(GOLDEN("protocol5.old.pth"));
    assert_same_tensors(wrapped, protocol5);
    g_autoptr(AimfTensors) alone = open_golden(GOLDEN("alone.pth"));
    g_assert_cmpstr(aimf_tensors_at(alone, 0)->name, ==, "tensor");
}

/* The oldest form: what torchvision's first models are in. */
static void test_tar(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) network = open_golden(GOLDEN("network.tar.pth"));
    g_autoptr(AimfTensors) expected = open_golden(GOLDEN("wrapped.pth"));
    assert_same_tensors(network, expected);
    g_autoptr(AimfTensors) views = open_golden(GOLDEN("views.tar.pth"));
    float values[6][4];
    guint index = (guint)aimf_tensors_find(views, "transposed");
    g_assert_true(aimf_tensors_read(views, index, AIMF_F32, values, &error));
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 4; j++)
            g_assert_cmpfloat(values[i][j], ==, -1 + 0.3125f * (float)(j * 6 + i));
    index = (guint)aimf_tensors_find(views, "row");
    g_assert_true(aimf_tensors_read(views, index, AIMF_F32, values, &error));
    g_assert_cmpfloat(values[0][3], ==, -1 + 0.3125f * 15);
    g_assert_cmpint(aimf_tensors_at(views, (guint)aimf_tensors_find(views, "f64"))->dtype, ==, AIMF_F64);
}

static void test_whole_module(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_tensors_open(GOLDEN("whole_module.pth"), &error));
    support_assert_error(&error, AIMF_ERROR_FORMAT, "names torch.nn.modules.container.Sequential");
}

/* Callbacks, keyed by their type and with scores of numpy, are passed over; the step stays. */
static void test_lightning(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(GOLDEN_DIR, "weights", "lightning.ckpt", NULL);
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_tensors_count(tensors), ==, 2);
    g_assert_cmpint(aimf_tensors_find(tensors, "model.weight"), ==, 0);
    g_assert_cmpint(aimf_tensors_find(tensors, "model_ema.num_updates"), ==, 1);
    g_assert_cmpstr(aimf_tensors_metadata(tensors, "global_step"), ==, "875000");
}

static void assert_same_files(const char *a, const char *b)
{
    g_autofree char *a_data = NULL, *b_data = NULL;
    gsize a_bytes, b_bytes;
    g_assert_true(g_file_get_contents(a, &a_data, &a_bytes, NULL));
    g_assert_true(g_file_get_contents(b, &b_data, &b_bytes, NULL));
    support_assert_same_bytes(a_data, a_bytes, b_data, b_bytes);
}

static void convert(const char *from, const char *to)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = open_golden(from);
    g_assert_true(aimf_tensors_save(tensors, to, &error));
    g_assert_no_error(error);
}

static void test_round_trips(void)
{
    static const char *const paths[] = {
        GOLDEN("types.safetensors"), GOLDEN("checkpoint.pth"), GOLDEN("views.old.pth"),
        GOLDEN("network.pth"),       GOLDEN("deflated.pth"),   GOLDEN("views.tar.pth")
    };
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
        const char *first = support_weights_path("first.safetensors");
        const char *checkpoint = support_weights_path("there.PTH");
        const char *second = support_weights_path("second.safetensors");
        convert(paths[i], first);
        convert(first, checkpoint);
        convert(checkpoint, second);
        assert_same_files(first, second);
        const char *again = support_weights_path("again.pt");
        convert(checkpoint, again);
        assert_same_files(checkpoint, again);
        g_autoptr(AimfTensors) original = open_golden(paths[i]);
        g_autoptr(AimfTensors) there = open_golden(checkpoint);
        assert_same_tensors(original, there);
        for (guint t = 0; t < aimf_tensors_count(original); t++)
            g_assert_cmpstr(aimf_tensors_at(original, t)->name, ==, aimf_tensors_at(there, t)->name);
    }
}

static void test_empty_set(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) none = aimf_tensors_new();
    static const char *const names[] = { "none.ckpt", "none.safetensors" };
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_assert_true(aimf_tensors_save(none, support_weights_path(names[i]), &error));
        g_autoptr(AimfTensors) opened = open_golden(support_weights_path(names[i]));
        g_assert_cmpuint(aimf_tensors_count(opened), ==, 0);
    }
}

/* An entry whose shape overflows only beside its 0, and one whose size lies in ZIP's own padding. */
static void test_odd_shapes(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    AimfShape empty = AIMF_SHAPE(0, G_MAXINT64, G_MAXINT64);
    g_assert_cmpint(aimf_tensors_add(tensors, "empty", AIMF_F64, &empty, NULL, &error), ==, 0);
    g_assert_cmpint(aimf_tensors_add(tensors, "ones", AIMF_U8, &AIMF_SHAPE(1, 1, 1, 1, 1, 1, 1, 1), NULL, &error), ==,
                    1);
    g_assert_no_error(error);
    const char *path = support_weights_path("odd.pth");
    g_assert_true(aimf_tensors_save(tensors, path, &error));
    g_autoptr(AimfTensors) opened = open_golden(path);
    assert_same_tensors(tensors, opened);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/checkpoint/reference_files", test_reference_files);
    g_test_add_func("/checkpoint/state_dict", test_state_dict);
    g_test_add_func("/checkpoint/transposed", test_transposed);
    g_test_add_func("/checkpoint/metadata", test_metadata);
    g_test_add_func("/checkpoint/names", test_names);
    g_test_add_func("/checkpoint/tar", test_tar);
    g_test_add_func("/checkpoint/whole_module", test_whole_module);
    g_test_add_func("/checkpoint/lightning", test_lightning);
    g_test_add_func("/checkpoint/round_trips", test_round_trips);
    g_test_add_func("/checkpoint/empty_set", test_empty_set);
    g_test_add_func("/checkpoint/odd_shapes", test_odd_shapes);
    int status = g_test_run();
    support_weights_remove();
    return status;
}
