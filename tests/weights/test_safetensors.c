#include "weights/element.h"
#include "weights/support_weights.h"
#include <string.h>

/* Opens a file made of a header and as many data bytes, its first byte 1, the second 2 and so on. */
static AimfTensors *open_made(const char *header, gsize data_bytes, GError **error)
{
    g_autoptr(GByteArray) file = g_byte_array_new();
    guint64 length = strlen(header);
    g_byte_array_append(file, (const guint8 *)&length, 8);
    g_byte_array_append(file, (const guint8 *)header, (guint)length);
    for (gsize i = 0; i < data_bytes; i++)
        g_byte_array_append(file, (const guint8[]){ (guint8)(i + 1) }, 1);
    return aimf_tensors_open(support_weights_write("made.safetensors", file->data, file->len), error);
}

static void assert_refused(const char *header, gsize data_bytes, AimfErrorCode code, const char *says)
{
    g_autoptr(GError) error = NULL;
    if (open_made(header, data_bytes, &error))
        g_error("%s is accepted", header);
    support_assert_error(&error, code, says);
}

static void test_reference_file(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(GOLDEN_DIR "/weights/types.safetensors", &error);
    g_assert_no_error(error);
    enum { N_DTYPES = AIMF_BOOL + 1 }; /* the others are in weights/foreign/types.safetensors */
    g_assert_cmpuint(aimf_tensors_count(tensors), ==, N_DTYPES + 2);
    g_assert_cmpstr(aimf_tensors_metadata(tensors, "made by"), ==, "safetensors \"0.8\" – é");
    g_assert_null(aimf_tensors_metadata(tensors, "made"));
    for (int dtype = 0; dtype < N_DTYPES; dtype++) {
        int index = aimf_tensors_find(tensors, aimf_dtype_name((AimfDtype)dtype));
        g_assert_cmpint(index, >=, 0);
        const AimfTensor *tensor = aimf_tensors_at(tensors, (guint)index);
        g_assert_cmpint(tensor->dtype, ==, dtype);
        g_assert_true(aimf_shape_equal(&tensor->shape, &AIMF_SHAPE(2, 3)));
        g_assert_cmpuint(tensor->bytes, ==, 6 * aimf_dtype_bytes((AimfDtype)dtype));
        g_assert_nonnull(aimf_tensors_data(tensors, (guint)index));
        g_assert_null(aimf_tensors_writable(tensors, (guint)index));
        if (!aimf_dtype_is_float((AimfDtype)dtype))
            continue;
        float values[6];
        g_assert_true(aimf_tensors_read(tensors, (guint)index, AIMF_F32, values, &error));
        for (int i = 0; i < 6; i++)
            g_assert_cmpfloat(values[i], ==, -2 + 0.3125f * (float)i);
    }
    gint64 integers[6];
    int index = aimf_tensors_find(tensors, "i64");
    g_assert_true(aimf_tensors_read(tensors, (guint)index, AIMF_I64, integers, &error));
    for (int i = 0; i < 6; i++)
        g_assert_cmpint(integers[i], ==, i + 1);
    g_assert_false(aimf_tensors_read(tensors, (guint)index, AIMF_F32, integers, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED);
    g_assert_cmpint(aimf_tensors_at(tensors, (guint)aimf_tensors_find(tensors, "scalar"))->shape.rank, ==, 0);
    g_assert_cmpuint(aimf_tensors_at(tensors, (guint)aimf_tensors_find(tensors, "empty"))->bytes, ==, 0);
    g_assert_cmpint(aimf_tensors_find(tensors, "absent"), ==, -1);
}

/* The reference library wrote it; our writer has nothing to change about it. */
static void test_rewrites_reference_file(void)
{
    g_autoptr(GError) error = NULL;
    const char *path = support_weights_path("again.safetensors");
    g_autofree char *first = NULL, *second = NULL;
    gsize first_bytes, second_bytes;
    g_autoptr(AimfTensors) tensors = aimf_tensors_open(GOLDEN_DIR "/weights/types.safetensors", &error);
    g_assert_true(aimf_tensors_save(tensors, path, &error));
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(GOLDEN_DIR "/weights/types.safetensors", &first, &first_bytes, NULL));
    g_assert_true(g_file_get_contents(path, &second, &second_bytes, NULL));
    support_assert_same_bytes(first, first_bytes, second, second_bytes);
}

static void test_in_memory(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    const float values[] = { 1, -2, 3.5f };
    g_assert_cmpint(aimf_tensors_add(tensors, "b", AIMF_F32, &AIMF_SHAPE(3), values, &error), ==, 0);
    g_assert_cmpint(aimf_tensors_add(tensors, "a", AIMF_F16, &AIMF_SHAPE(1, 3), NULL, &error), ==, 1);
    g_assert_cmpint(aimf_tensors_add(tensors, "n", AIMF_I64, &(AimfShape){ 0 }, NULL, &error), ==, 2);
    *(gint64 *)aimf_tensors_writable(tensors, 2) = 77;
    g_assert_cmpint(aimf_tensors_add(tensors, "a", AIMF_F32, &AIMF_SHAPE(3), NULL, &error), ==, -1);
    support_assert_error(&error, AIMF_ERROR_INVALID, "there twice");
    g_assert_cmpint(aimf_tensors_add(tensors, "", AIMF_F32, &AIMF_SHAPE(3), NULL, &error), ==, -1);
    support_assert_error(&error, AIMF_ERROR_INVALID, "empty name");
    g_assert_cmpint(aimf_tensors_add(tensors, "c", AIMF_F32, &AIMF_SHAPE(1, -3), NULL, &error), ==, -1);
    support_assert_error(&error, AIMF_ERROR_INVALID, "no memory can hold");
    g_assert_cmpint(aimf_tensors_add(tensors, "c", AIMF_F32, &AIMF_SHAPE(1 << 20, 1 << 20, 1 << 21), NULL, &error), ==,
                    -1);
    support_assert_error(&error, AIMF_ERROR_INVALID, "no memory can hold");
    aimf_tensors_set_metadata(tensors, "z", "last");
    aimf_tensors_set_metadata(tensors, "k", "first");
    aimf_tensors_set_metadata(tensors, "k", "replaced \n \"");

    const char *path = support_weights_path("memory.safetensors");
    g_assert_true(aimf_tensors_save(tensors, path, &error));
    g_autoptr(AimfTensors) opened = aimf_tensors_open(path, &error);
    g_assert_no_error(error);
    g_autoptr(AimfTensors) loaded = aimf_tensors_load(opened, AIMF_BF16, &error);
    g_assert_no_error(error);
    g_auto(GStrv) keys = aimf_tensors_metadata_keys(loaded);
    g_assert_cmpstrv(keys, ((const char *[]){ "k", "z", NULL }));
    g_assert_cmpstr(aimf_tensors_metadata(loaded, "k"), ==, "replaced \n \"");
    g_assert_cmpstr(aimf_tensors_at(loaded, 0)->name, ==, "b"); /* the set's order, not the data's */
    g_assert_cmpint(aimf_tensors_at(loaded, 0)->dtype, ==, AIMF_BF16);
    support_assert_same_bytes(aimf_tensors_data(loaded, 0), 6, ((guint16[]){ 0x3f80, 0xc000, 0x4060 }), 6);
    g_assert_cmpint(*(const gint64 *)aimf_tensors_data(loaded, 2), ==, 77);
    g_assert_cmpint(*(const gint64 *)aimf_tensors_data(opened, 2), ==, 77);
}

static void test_select(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = aimf_tensors_new();
    aimf_tensors_add(tensors, "real/w", AIMF_U8, &AIMF_SHAPE(2), (guint8[]){ 3, 4 }, &error);
    aimf_tensors_add(tensors, "other/w", AIMF_U8, &AIMF_SHAPE(1), NULL, &error);
    g_assert_no_error(error);
    g_autoptr(AimfTensors) real = aimf_tensors_select(tensors, "real/", AIMF_N_DTYPES, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(aimf_tensors_count(real), ==, 1);
    g_assert_cmpstr(aimf_tensors_at(real, 0)->name, ==, "w");
    support_assert_same_bytes(aimf_tensors_data(real, 0), 2, ((guint8[]){ 3, 4 }), 2);
    g_assert_null(aimf_tensors_select(tensors, "absent/", AIMF_N_DTYPES, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
}

/* Data that no pointer to its type may point at can still be read. */
static void test_unaligned(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) tensors = open_made("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                                               "\"b\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[1,5]}}  ",
                                               5, &error);
    g_assert_no_error(error);
    g_assert_nonnull(aimf_tensors_data(tensors, 0));
    g_assert_null(aimf_tensors_data(tensors, 1));
    gint16 values[2];
    g_assert_true(aimf_tensors_read(tensors, 1, AIMF_I16, values, &error));
    g_assert_cmpint(values[0], ==, 0x0302);
    g_assert_cmpint(values[1], ==, 0x0504);
}

#define U8(name, shape, offsets) "\"" name "\":{\"dtype\":\"U8\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void test_hostile(void)
{
    static const struct {
        const char *header;
        gsize data_bytes;
        AimfErrorCode code;
        const char *says;
    } cases[] = {
        { "{" U8("a", "[4]", "[0,4]") "," U8("b", "[4]", "[2,6]") "}", 6, AIMF_ERROR_FORMAT, "'b' begins at byte 2" },
        { "{" U8("a", "[4]", "[0,4]") "," U8("b", "[4]", "[5,9]") "}", 9, AIMF_ERROR_FORMAT, "'b' begins at byte 5" },
        { "{" U8("a", "[4]", "[0,4]") "}", 5, AIMF_ERROR_FORMAT, "end at byte 4" },
        { "{" U8("a", "[4]", "[0,4]") "}", 3, AIMF_ERROR_FORMAT, "'a' does not lie within the 3 bytes" },
        { "{" U8("a", "[4]", "[4,0]") "}", 4, AIMF_ERROR_FORMAT, "'a' does not lie" },
        { "{" U8("a", "[4]", "[-4,0]") "}", 4, AIMF_ERROR_FORMAT, "'a' does not lie" },
        { "{" U8("a", "[4]", "[0,4,8]") "}", 4, AIMF_ERROR_FORMAT, "'a' does not lie" },
        { "{" U8("a", "[4]", "[0.0,4.0]") "}", 4, AIMF_ERROR_FORMAT, "'a' does not lie" },
        { "{" U8("a", "[4]", "\"all\"") "}", 4, AIMF_ERROR_FORMAT, "'a' does not lie" },
        { "{" U8("a", "[5]", "[0,4]") "}", 4, AIMF_ERROR_FORMAT, "needs 5 bytes" },
        { "{" U8("a", "[-4]", "[0,4]") "}", 4, AIMF_ERROR_FORMAT, "'a' needs a shape" },
        { "{" U8("a", "[true]", "[0,4]") "}", 4, AIMF_ERROR_FORMAT, "'a' needs a shape" },
        { "{" U8("a", "4", "[0,4]") "}", 4, AIMF_ERROR_FORMAT, "'a' needs a shape" },
        { "{" U8("a", "[1,1,1,1,1,1,1,1,4]", "[0,4]") "}", 4, AIMF_ERROR_FORMAT, "at most 8 sizes" },
        { "{" U8("a", "[4294967296,4294967296]", "[0,4]") "}", 4, AIMF_ERROR_FORMAT, "no memory can hold" },
        { "{" U8("a", "[4]", "[0,18446744073709551620]") "}", 4, AIMF_ERROR_FORMAT, "do not have" },
        { "{" U8("a", "[4]", "[0,4]") "," U8("a", "[4]", "[0,4]") "}", 4, AIMF_ERROR_FORMAT, "twice" },
        { "{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, AIMF_ERROR_FORMAT,
          "twice" },
        { "{" U8("a\\u0000b", "[4]", "[0,4]") "}", 4, AIMF_ERROR_FORMAT, "do not have" },
        { "{" U8("", "[4]", "[0,4]") "}", 4, AIMF_ERROR_FORMAT, "empty name" },
        { "{\"a\":{\"dtype\":\"F8_E8M0\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, AIMF_ERROR_UNSUPPORTED,
          "F8_E8M0" },
        { "{\"a\":{\"dtype\":7,\"shape\":[4],\"data_offsets\":[0,4]}}", 4, AIMF_ERROR_FORMAT, "no dtype" },
        { "{\"a\":{\"shape\":[4],\"data_offsets\":[0,4]}}", 4, AIMF_ERROR_FORMAT, "no dtype" },
        { "{\"a\":{\"dtype\":\"U8\"}}", 4, AIMF_ERROR_FORMAT, "shape" },
        { "{\"a\":[1]}", 4, AIMF_ERROR_FORMAT, "'a' is not an object" },
        { "{\"__metadata__\":{\"k\":1}}", 0, AIMF_ERROR_FORMAT, "'k' is not a text" },
        { "{\"__metadata__\":[]}", 0, AIMF_ERROR_FORMAT, "not an object" },
        { "{\"a\":[[[[[1]]]]]}", 0, AIMF_ERROR_FORMAT, "nesting" },
        { "{\"a\"", 0, AIMF_ERROR_FORMAT, "not JSON" },
        { "{\"a\xff\":{}}", 0, AIMF_ERROR_FORMAT, "not JSON" },
        { "{} {}", 0, AIMF_ERROR_FORMAT, "do not have" },
        { "{\"a\\", 0, AIMF_ERROR_FORMAT, "JSON" },
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_refused(cases[i].header, cases[i].data_bytes, cases[i].code, cases[i].says);

    g_autofree char *deep = g_strnfill(1 << 20, '[');
    deep[0] = '{';
    assert_refused(deep, 0, AIMF_ERROR_FORMAT, "nesting");
    g_autofree char *name = g_strnfill(5000, 'n');
    g_autofree char *long_name =
        g_strdup_printf("{\"%s\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", name);
    assert_refused(long_name, 4, AIMF_ERROR_FORMAT, "5000 bytes");
}

static void test_header_length(void)
{
    const guint64 lengths[] = { 3, 1000, 1ull << 40, G_MAXUINT64, G_MAXUINT64 - 7, (guint64)G_MAXINT64 };
    for (guint i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autoptr(GError) error = NULL;
        char file[10] = { 0 };
        memcpy(file, &lengths[i], 8);
        memcpy(file + 8, "{}", 2);
        g_assert_null(aimf_tensors_open(support_weights_write("length.safetensors", file, sizeof file), &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
    }
}

static void test_truncated(void)
{
    g_autofree char *whole = NULL;
    gsize bytes;
    g_assert_true(g_file_get_contents(GOLDEN_DIR "/weights/types.safetensors", &whole, &bytes, NULL));
    for (gsize n = 0; n < bytes; n++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(aimf_tensors_open(support_weights_write("truncated.safetensors", whole, n), &error));
        support_assert_error(&error, AIMF_ERROR_FORMAT, "truncated.safetensors");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/safetensors/reference_file", test_reference_file);
    g_test_add_func("/safetensors/rewrites_reference_file", test_rewrites_reference_file);
    g_test_add_func("/safetensors/in_memory", test_in_memory);
    g_test_add_func("/safetensors/select", test_select);
    g_test_add_func("/safetensors/unaligned", test_unaligned);
    g_test_add_func("/safetensors/hostile", test_hostile);
    g_test_add_func("/safetensors/header_length", test_header_length);
    g_test_add_func("/safetensors/truncated", test_truncated);
    int status = g_test_run();
    support_weights_remove();
    return status;
}
