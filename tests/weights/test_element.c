#include "weights/element.h"

#include "weights/support_weights.h"

#include <math.h>
#include <string.h>

static guint64 convert_one(AimfDtype from, guint64 bits, AimfDtype to)
{
    guint64 converted = 0;
    aimf_elements_convert(1, from, &bits, to, &converted);
    return converted;
}

/* Every value of the 16-bit types survives the way through every wider one, NaNs with all their bits. */
static void test_widening_is_exact(void)
{
    const struct {
        AimfDtype narrow, wide;
    } pairs[] = { { AIMF_F16, AIMF_F32 }, { AIMF_F16, AIMF_F64 }, { AIMF_BF16, AIMF_F32 }, { AIMF_BF16, AIMF_F64 } };
    for (guint p = 0; p < G_N_ELEMENTS(pairs); p++)
        for (guint64 bits = 0; bits < 65536; bits++) {
            guint64 wide = convert_one(pairs[p].narrow, bits, pairs[p].wide);
            g_assert_cmphex(convert_one(pairs[p].wide, wide, pairs[p].narrow), ==, bits);
        }
}

/* IEEE 754 half precision, value by value, spelled out with ldexp. */
static void test_half_values(void)
{
    for (guint64 bits = 0; bits < 65536; bits++) {
        int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
        double expected = exponent == 31 ? (fraction ? NAN : INFINITY)
                          : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                         : ldexp(fraction, -24);
        if (bits >> 15)
            expected = -expected;
        guint64 wide = convert_one(AIMF_F16, bits, AIMF_F64);
        double value;
        memcpy(&value, &wide, sizeof value);
        g_assert_true(isnan(expected) ? isnan(value) : value == expected && signbit(value) == signbit(expected));
    }
}

/* FP8 as PyTorch widens it, every value, and back to the same bits; one of the two has no infinities. */
static void test_eight_bits(void)
{
    static const struct {
        const char *name;
        AimfDtype dtype;
    } types[] = { { "e4m3", AIMF_F8_E4M3 }, { "e5m2", AIMF_F8_E5M2 } };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) file = aimf_tensors_open(GOLDEN_DIR "/weights/foreign/widened.safetensors", &error);
    g_assert_no_error(error);
    for (guint t = 0; t < G_N_ELEMENTS(types); t++) {
        float expected[256];
        g_assert_true(
            aimf_tensors_read(file, (guint)aimf_tensors_find(file, types[t].name), AIMF_F32, expected, &error));
        for (guint64 bits = 0; bits < 256; bits++) {
            guint64 wide = convert_one(types[t].dtype, bits, AIMF_F32);
            float value;
            memcpy(&value, &wide, sizeof value);
            g_assert_true(isnan(expected[bits]) ? isnan(value) : value == expected[bits]);
            g_assert_cmpint(signbit(value) != 0, ==, bits >= 128);
            g_assert_cmphex(convert_one(AIMF_F32, wide, types[t].dtype), ==, bits);
        }
    }
    double largest[2] = { 0, 0 };
    for (guint t = 0; t < 2; t++)
        for (guint64 bits = 0; bits < 128; bits++) {
            guint64 wide = convert_one(types[t].dtype, bits, AIMF_F64);
            double value;
            memcpy(&value, &wide, sizeof value);
            if (isfinite(value))
                largest[t] = fmax(largest[t], value);
        }
    g_assert_cmpfloat(largest[0], ==, 448);
    g_assert_cmpfloat(largest[1], ==, 57344);
}

/* Widens both to f64 and compares there; which NaN it is, PyTorch does not keep. */
static void assert_same_values(const AimfTensors *tensors, const char *name, AimfDtype dtype, const void *found)
{
    g_autoptr(GError) error = NULL;
    guint index = (guint)aimf_tensors_find(tensors, name);
    gsize n = aimf_tensors_at(tensors, index)->bytes / aimf_dtype_bytes(dtype);
    g_assert_cmpint(aimf_tensors_at(tensors, index)->dtype, ==, dtype);
    g_autofree double *expected = g_new(double, n), *values = g_new(double, n);
    g_assert_true(aimf_tensors_read(tensors, index, AIMF_F64, expected, &error));
    aimf_elements_convert(n, dtype, found, AIMF_F64, values);
    for (gsize i = 0; i < n; i++)
        if (isnan(expected[i]) ? !isnan(values[i])
                               : values[i] != expected[i] || signbit(values[i]) != signbit(expected[i]))
            g_error("%s, element %" G_GSIZE_FORMAT ": %a, not %a", name, i, values[i], expected[i]);
}

static void test_against_references(void)
{
    static const struct {
        const char *from, *to;
        AimfDtype dtype;
    } cases[] = {
        { "f32", "f32_bf16", AIMF_BF16 },
        { "f32", "f32_f16", AIMF_F16 },
        { "f32", "f32_f64", AIMF_F64 },
        { "f64", "f64_f32", AIMF_F32 },
        { "f64", "f64_f16", AIMF_F16 },
        { "singles", "singles_e4m3", AIMF_F8_E4M3 },
        { "singles", "singles_e5m2", AIMF_F8_E5M2 },
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) sixteen = aimf_tensors_open(GOLDEN_DIR "/weights/conversions.safetensors", &error);
    g_assert_no_error(error);
    g_autoptr(AimfTensors) eight = aimf_tensors_open(GOLDEN_DIR "/weights/foreign/widened.safetensors", &error);
    g_assert_no_error(error);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        const AimfTensors *tensors = strcmp(cases[i].from, "singles") == 0 ? eight : sixteen;
        guint index = (guint)aimf_tensors_find(tensors, cases[i].from);
        gsize n = (gsize)aimf_shape_count(&aimf_tensors_at(tensors, index)->shape);
        g_autofree void *found = g_malloc(n * aimf_dtype_bytes(cases[i].dtype));
        g_assert_true(aimf_tensors_read(tensors, index, cases[i].dtype, found, &error));
        g_assert_no_error(error);
        assert_same_values(tensors, cases[i].to, cases[i].dtype, found);
    }
}

/* Rounding to f32 first would turn these into ties and round them the other way. */
static void test_rounds_once(void)
{
    const double above = 1 + 0x1p-8 + 0x1p-40, below = 1 + 3 * 0x1p-8 - 0x1p-40;
    guint64 bits;
    memcpy(&bits, &above, sizeof bits);
    g_assert_cmphex(convert_one(AIMF_F64, bits, AIMF_BF16), ==, 0x3f81);
    memcpy(&bits, &below, sizeof bits);
    g_assert_cmphex(convert_one(AIMF_F64, bits, AIMF_BF16), ==, 0x3f81);
}

/* A NaN whose set bits are all cut off must not become infinity. */
static void test_nan(void)
{
    g_assert_cmphex(convert_one(AIMF_F32, 0x7f800001, AIMF_BF16), ==, 0x7fc0);
    g_assert_cmphex(convert_one(AIMF_F32, 0xff800001, AIMF_F16), ==, 0xfe00);
    g_assert_cmphex(convert_one(AIMF_F32, 0x7fa10000, AIMF_BF16), ==, 0x7fa1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/element/widening_is_exact", test_widening_is_exact);
    g_test_add_func("/element/half_values", test_half_values);
    g_test_add_func("/element/eight_bits", test_eight_bits);
    g_test_add_func("/element/against_references", test_against_references);
    g_test_add_func("/element/rounds_once", test_rounds_once);
    g_test_add_func("/element/nan", test_nan);
    return g_test_run();
}
