/* aimfair convert, through the real binary. */
#include "cli/support_program.h"
#include "weights/support_weights.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define GOLDEN(name) GOLDEN_DIR "/weights/" name

static void assert_refused(ProgramRun run, int status, const char *says)
{
    g_assert_cmpint(run.status, ==, status);
    assert_contains(run.err, says);
    g_assert_cmpstr(run.out, ==, "");
    program_run_clear(&run);
}

static void test_there_and_back(void)
{
    const char *first = support_weights_path("first.safetensors"), *second = support_weights_path("second.safetensors");
    const char *checkpoint = support_weights_path("there.ckpt");
    g_auto(ProgramRun) run = RUN("convert", GOLDEN("network.old.pth"), first);
    g_assert_cmpint(run.status, ==, 0);
    assert_contains(run.err, "wrote 9 tensors");
    g_assert_cmpstr(run.out, ==, "");
    g_auto(ProgramRun) there = RUN("convert", first, checkpoint, "--quiet");
    g_assert_cmpint(there.status, ==, 0);
    g_assert_cmpstr(there.err, ==, "");
    g_auto(ProgramRun) back = RUN("convert", checkpoint, second);
    g_assert_cmpint(back.status, ==, 0);
    g_autofree char *a = NULL, *b = NULL;
    gsize a_bytes, b_bytes;
    g_assert_true(g_file_get_contents(first, &a, &a_bytes, NULL));
    g_assert_true(g_file_get_contents(second, &b, &b_bytes, NULL));
    support_assert_same_bytes(a, a_bytes, b, b_bytes);
}

static void test_only_and_dtype(void)
{
    const char *path = support_weights_path("only.safetensors");
    g_auto(ProgramRun) run =
        RUN("convert", GOLDEN("checkpoint.pth"), path, "--only", "state_dict", "--dtype", "bf16", "--list");
    g_assert_cmpint(run.status, ==, 0);
    assert_contains(run.out, "\n1.num_batches_tracked                            i64   scalar\n");
    assert_contains(run.out, "9 tensors, 44 elements, 94 bytes");
    assert_contains(run.out, "epoch = 3");
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(aimf_tensors_at(tensors, 0)->dtype, ==, AIMF_BF16);
    g_assert_cmpstr(aimf_tensors_at(tensors, 0)->name, ==, "0.weight");
}

/* A wrapper that opening took away may be named, and a dot behind a key changes nothing. */
static void test_only_names_wrapper(void)
{
    const char *path = support_weights_path("only.safetensors");
    static const char *const keys[] = { "state_dict", "state_dict.", "model." };
    static const char *const files[] = { GOLDEN("foreign/harmless.pth"), GOLDEN("checkpoint.pth"),
                                         GOLDEN("foreign/training.pth") };
    for (guint i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_auto(ProgramRun) run = RUN("convert", files[i], path, "--only", keys[i]);
        g_assert_cmpint(run.status, ==, 0);
    }
}

/* transformers 4 opens no safetensors without it; what says already whose layout it has stays. */
static void test_format(void)
{
    const char *first = support_weights_path("first.safetensors"), *second = support_weights_path("second.safetensors");
    g_auto(ProgramRun) run = RUN("convert", GOLDEN("checkpoint.pth"), first);
    g_assert_cmpint(run.status, ==, 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(first, &error);
    g_assert_cmpstr(aimf_tensors_metadata(tensors, "format"), ==, "pt");
    g_autoptr(AimfTensors) other = aimf_tensors_load(tensors, AIMF_N_DTYPES, NULL);
    aimf_tensors_set_metadata(other, "format", "flax");
    g_assert_true(aimf_tensors_save(other, first, NULL));
    g_auto(ProgramRun) again = RUN("convert", first, second);
    g_assert_cmpint(again.status, ==, 0);
    g_autoptr(AimfTensors) kept = aimf_tensors_open(second, &error);
    g_assert_cmpstr(aimf_tensors_metadata(kept, "format"), ==, "flax");
    g_auto(ProgramRun) checkpoint = RUN("convert", GOLDEN("checkpoint.pth"), support_weights_path("third.pth"));
    g_assert_cmpint(checkpoint.status, ==, 0);
    g_autoptr(AimfTensors) third = aimf_tensors_open(support_weights_path("third.pth"), &error);
    g_assert_null(aimf_tensors_metadata(third, "format"));
}

/* FP8 by value: 448 and 2^-9 are the ends of what e4m3fn can say. */
static void test_eight_bits(void)
{
    const char *path = support_weights_path("wide.safetensors");
    g_auto(ProgramRun) run = RUN("convert", GOLDEN("foreign/types.pth"), path, "--dtype", "f32", "--list");
    g_assert_cmpint(run.status, ==, 0);
    assert_contains(run.out, "u16                                              u16   5");
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(path, &error);
    g_assert_no_error(error);
    const float *values = aimf_tensors_data(tensors, (guint)aimf_tensors_find(tensors, "e4m3"));
    g_assert_cmpfloat(values[0x7e], ==, 448);
    g_assert_cmpfloat(values[0x01], ==, 0x1p-9f);
    g_assert_cmpfloat(values[0xb8], ==, -1);
}

static void test_overflow_is_told(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    const float values[] = { 1e6f, -1e30f, 1 };
    g_assert_cmpint(aimf_tensors_add(tensors, "w", AIMF_F32, &AIMF_SHAPE(3), values, &error), ==, 0);
    const char *path = support_weights_path("large.safetensors"), *to = support_weights_path("half.safetensors");
    g_assert_true(aimf_tensors_save(tensors, path, &error));
    g_auto(ProgramRun) run = RUN("convert", path, to, "--dtype", "f16");
    g_assert_cmpint(run.status, ==, 0);
    assert_contains(run.err, "tensor 'w': 2 values are too large for f16");
    g_auto(ProgramRun) fits = RUN("convert", path, to, "--dtype", "bf16", "--quiet");
    g_assert_cmpstr(fits.err, ==, "");
}

static void test_list(void)
{
    g_auto(ProgramRun) run = RUN("convert", GOLDEN("wrapped.pth"), "--list", "--json");
    g_assert_cmpint(run.status, ==, 0);
    g_autoptr(GError) error = NULL;
    g_autoptr(JsonParser) parser = json_parser_new();
    g_assert_true(json_parser_load_from_data(parser, run.out, -1, &error));
    JsonObject *root = json_node_get_object(json_parser_get_root(parser));
    JsonArray *list = json_object_get_array_member(root, "tensors");
    g_assert_cmpuint(json_array_get_length(list), ==, 9);
    JsonObject *first = json_array_get_object_element(list, 0);
    g_assert_cmpstr(json_object_get_string_member(first, "name"), ==, "0.weight");
    g_assert_cmpstr(json_object_get_string_member(first, "dtype"), ==, "f32");
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(first, "shape")), ==, 4);
    g_assert_cmpint(json_object_get_int_member(first, "bytes"), ==, 96);
    JsonObject *metadata = json_object_get_object_member(root, "metadata");
    g_assert_cmpstr(json_object_get_string_member(metadata, "epoch"), ==, "5");
}

/* A listing must not let a file write to the terminal what it likes. */
static void test_list_is_printable(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    g_assert_cmpint(aimf_tensors_add(tensors, "\033[2J\303\251", AIMF_F32, &AIMF_SHAPE(3), NULL, &error), ==, 0);
    aimf_tensors_set_metadata(tensors, "k\n", "\033");
    const char *path = support_weights_path("escape.pth");
    g_assert_true(aimf_tensors_save(tensors, path, &error));
    g_auto(ProgramRun) run = RUN("convert", path, "--list");
    g_assert_cmpint(run.status, ==, 0);
    assert_contains(run.out, "\\033[2J\303\251");
    g_assert_null(strchr(run.out, '\033'));
}

static void test_wrong_usage(void)
{
    g_autofree char *out = g_strdup(support_weights_path("out.safetensors"));
    assert_refused(RUN("convert"), 2, "found 0");
    assert_refused(RUN("convert", GOLDEN("views.pth")), 2, "found 1");
    assert_refused(RUN("convert", "a", "b", "c"), 2, "found 3");
    assert_refused(RUN("convert", GOLDEN("views.pth"), support_weights_path("out.bin")), 2, "should end in");
    assert_refused(RUN("convert", GOLDEN("views.pth"), out, "--dtype", "f64"), 2, "--dtype");
    assert_refused(RUN("convert", GOLDEN("views.pth"), out, "--only", "nothing"), 2, "begins with 'nothing.'");
    assert_refused(RUN("convert", GOLDEN("whole_module.pth"), out), 2, "names torch.nn.modules.container.Sequential");
    assert_refused(RUN("convert", support_weights_path("absent"), out), 2, "absent");
    assert_refused(RUN("convert", GOLDEN("views.pth"), support_weights_path("no/where.pth")), 2, "no/where.pth");
    assert_refused(RUN("convert", GOLDEN("foreign/sparse.pth"), out), 2, "'fc.weight' is sparse");
    assert_refused(RUN("convert", GOLDEN("foreign/beside.pth"), out), 2, "'extra.q' is quantised");
    assert_refused(RUN("convert", GOLDEN("foreign/beside.pth"), out, "--only", "extra"), 2, "'extra.q' is quantised");
    assert_refused(RUN("convert", GOLDEN("types.safetensors"), GOLDEN("types.safetensors"), "--only", "a"), 2,
                   "would replace");
    const char *pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    assert_refused(RUN("convert", support_weights_write("lfs.pth", pointer, strlen(pointer)), out), 2,
                   "Git LFS pointer");
    g_assert_false(g_file_test(out, G_FILE_TEST_EXISTS));
}

static void test_no_space(void)
{
    g_autofree char *out = g_strdup(support_weights_write("full.pth", "old", 3));
    g_autofree char *line =
        g_strdup_printf("trap '' XFSZ; ulimit -f 1; \"$AIMFAIR\" convert '%s' '%s'", GOLDEN("views.pth"), out);
    assert_refused(run_shell(line), 1, "full.pth");
    g_autofree char *content = NULL;
    g_assert_true(g_file_get_contents(out, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "old");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli_convert/there_and_back", test_there_and_back);
    g_test_add_func("/cli_convert/only_and_dtype", test_only_and_dtype);
    g_test_add_func("/cli_convert/only_names_wrapper", test_only_names_wrapper);
    g_test_add_func("/cli_convert/format", test_format);
    g_test_add_func("/cli_convert/eight_bits", test_eight_bits);
    g_test_add_func("/cli_convert/overflow_is_told", test_overflow_is_told);
    g_test_add_func("/cli_convert/list", test_list);
    g_test_add_func("/cli_convert/list_is_printable", test_list_is_printable);
    g_test_add_func("/cli_convert/wrong_usage", test_wrong_usage);
    g_test_add_func("/cli_convert/no_space", test_no_space);
    int status = g_test_run();
    support_weights_remove();
    return status;
}
