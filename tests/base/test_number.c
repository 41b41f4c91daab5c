/* Numbers as text: read back the same, and no text is shorter. Expected texts are Python's repr and NumPy's str. */
#include "base/number.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

static double double_of_bits(guint64 bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float single_of_bits(guint32 bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void test_doubles(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 0.81799999999999995, "0.818" },
        { 0.1, "0.1" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1.0 / 3, "0.3333333333333333" },
        { 2.0 / 3, "0.6666666666666666" },
        { 0, "0" },
        { -0.0, "-0" },
        { 1, "1" },
        { -7.25, "-7.25" },
        { 1e-5, "1e-05" },
        { 1e22, "1e+22" },
        { 1e23, "1e+23" },
        { 9007199254740993.0, "9007199254740992" },
        { 123456789012345680.0, "1.2345678901234568e+17" },
        { 5e-324, "5e-324" }, /* the smallest subnormal: one digit tells it from its neighbours */
        { 1.5e-323, "1.5e-323" },
        { 2.2250738585072011e-308, "2.225073858507201e-308" }, /* the largest subnormal */
        { 2.2250738585072014e-308, "2.2250738585072014e-308" },
        { 1.7976931348623157e308, "1.7976931348623157e+308" },
        { 0x1p-1017, "7.120236347223045e-307" }, /* the nearest of 16 digits does not read back, the one above does */
        { 0x1p-791, "7.678447687145631e-239" },  /* and with a 0 in the way */
        { 0x1p863, "6.150157786156811e+259" },
        { -0x1p-778, "-6.290184345309701e-235" },
        { INFINITY, "inf" },
        { -INFINITY, "-inf" },
        { NAN, "nan" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        char text[AIMF_NUMBER_SIZE];
        g_assert_cmpstr(aimf_number_text(text, cases[i].value), ==, cases[i].text);
    }
}

static void test_singles(void)
{
    static const struct {
        float value;
        const char *text;
    } cases[] = {
        { 0.485F, "0.485" },
        { 0.1F, "0.1" },
        { 1.0F / 3, "0.33333334" },
        { 16777216.0F, "16777216" },
        { 1e-45F, "1e-45" },
        { 1.1754942e-38F, "1.1754942e-38" }, /* the largest subnormal */
        { 3.4028235e38F, "3.4028235e+38" },
        { 0x1p87F, "1.5474251e+26" }, /* as 2^-1017 of the doubles */
        { 0x1p90F, "1.2379401e+27" },
        { -0.5F, "-0.5" },
        { 0, "0" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        char text[AIMF_NUMBER_SIZE];
        g_assert_cmpstr(aimf_number_text_single(text, cases[i].value), ==, cases[i].text);
    }
}

static guint digits_of(const char *text)
{
    guint digits = 0, zeros = 0;
    for (const char *c = text; *c && *c != 'e'; c++) {
        if (!g_ascii_isdigit(*c) || (*c == '0' && !digits))
            continue;
        zeros = *c == '0' ? zeros + 1 : 0;
        digits++;
    }
    return digits - zeros;
}

/* No text of one digit less is read as the same number: neither the nearest one nor its neighbours. */
static gboolean shorter_exists(double value, guint digits, gboolean single)
{
    char format[16], text[64];
    g_snprintf(format, sizeof format, "%%.%ue", digits - 2);
    g_ascii_formatd(text, sizeof text, format, value);
    double nearest = g_ascii_strtod(text, NULL), step = fabs(nearest) * pow(10, -(double)digits + 2);
    for (int k = -1; k <= 1; k++) {
        g_ascii_formatd(text, sizeof text, format, nearest + k * step);
        double read = g_ascii_strtod(text, NULL);
        if (single ? (float)read == (float)value : read == value)
            return TRUE;
    }
    return FALSE;
}

static void test_round_trip(void)
{
    AimfRandom random = aimf_random_at(1, AIMF_STREAM_TEST, 1);
    for (guint i = 0; i < 200000; i++) {
        char text[AIMF_NUMBER_SIZE];
        double value = double_of_bits(aimf_random_u64(&random));
        float single = single_of_bits(aimf_random_u32(&random));
        if (i % 4 == 1) { /* numbers as results have them */
            value = (double)aimf_random_below(&random, 1000) / (double)(1 + aimf_random_below(&random, 1000));
            single = (float)value;
        } else if (i % 4 == 2) { /* subnormal ones */
            value = double_of_bits(aimf_random_below(&random, 1ULL << 52));
            single = single_of_bits((guint32)aimf_random_below(&random, 1U << 23));
        } else if (i % 4 == 3) { /* powers of two */
            value = ldexp(1, (int)aimf_random_below(&random, 2098) - 1074);
            single = ldexpf(1, (int)aimf_random_below(&random, 277) - 149);
        }
        if (isfinite(value)) {
            g_assert_true(g_ascii_strtod(aimf_number_text(text, value), NULL) == value);
            guint digits = digits_of(text);
            g_assert_false(digits > 1 && shorter_exists(value, digits, FALSE));
        }
        if (isfinite(single)) {
            g_assert_true((float)g_ascii_strtod(aimf_number_text_single(text, single), NULL) == single);
            guint digits = digits_of(text);
            g_assert_false(digits > 1 && shorter_exists((double)single, digits, TRUE));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/number/doubles", test_doubles);
    g_test_add_func("/number/singles", test_singles);
    g_test_add_func("/number/round-trip", test_round_trip);
    return g_test_run();
}
