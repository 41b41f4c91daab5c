/*
 * Intervals of shares against statsmodels, SciPy and definitions computed another way: tests/golden/make_intervals.py.
 */
#include "fair/intervals.h"
#include "fair/support_golden.h"

#include <math.h>

static JsonParser *golden;

static JsonArray *array_of(JsonObject *object, const char *name)
{
    return json_object_get_array_member(object, name);
}

static JsonObject *item(JsonArray *array, guint i)
{
    return json_array_get_object_element(array, i);
}

static void check(AimfInterval found, JsonArray *expected, double tolerance, const char *what)
{
    assert_close(found.low, golden_double(expected, 0), tolerance, what);
    assert_close(found.high, golden_double(expected, 1), tolerance * fmax(1, fabs(found.high)), what);
}

static AimfShare share_of(JsonArray *array)
{
    return (AimfShare){ (guint64)json_array_get_int_element(array, 0), (guint64)json_array_get_int_element(array, 1) };
}

static double alpha_of(JsonObject *object)
{
    return json_object_get_double_member(object, "alpha");
}

static void test_quantiles(void)
{
    JsonArray *cases = golden_array(golden, "quantiles");
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        double z = json_object_get_double_member(item(cases, i), "z");
        double found = aimf_normal_quantile(json_object_get_double_member(item(cases, i), "p"));
        assert_close(found, z, 1e-13 * fmax(1, fabs(z)), "quantile");
    }
}

static void test_shares(void)
{
    JsonArray *wilson = golden_array(golden, "wilson"), *differences = golden_array(golden, "differences");
    JsonArray *ratios = golden_array(golden, "ratios");
    for (guint i = 0; i < json_array_get_length(wilson); i++) {
        JsonObject *one = item(wilson, i);
        const AimfShare share = { (guint64)json_object_get_int_member(one, "x"),
                                  (guint64)json_object_get_int_member(one, "n") };
        check(aimf_wilson(share, alpha_of(one)), array_of(one, "interval"), 1e-13, "Wilson");
    }
    for (guint i = 0; i < json_array_get_length(differences); i++) {
        JsonObject *one = item(differences, i);
        check(aimf_newcombe(share_of(array_of(one, "a")), share_of(array_of(one, "b")), alpha_of(one)),
              array_of(one, "interval"), 1e-13, "Newcombe");
    }
    g_assert_cmpuint(json_array_get_length(ratios), >=, 15);
    for (guint i = 0; i < json_array_get_length(ratios); i++) {
        JsonObject *one = item(ratios, i);
        check(aimf_ratio_interval(share_of(array_of(one, "a")), share_of(array_of(one, "b")), alpha_of(one)),
              array_of(one, "interval"), 1e-5, "ratio"); /* statsmodels' own search ends there */
    }
}

/* Where something is 0 or all, and where nothing is known. */
static void test_ends(void)
{
    AimfInterval of_zero = aimf_ratio_interval((AimfShare){ 0, 20 }, (AimfShare){ 5, 20 }, 0.05);
    AimfInterval by_zero = aimf_ratio_interval((AimfShare){ 5, 20 }, (AimfShare){ 0, 20 }, 0.05);
    AimfInterval same = aimf_ratio_interval((AimfShare){ 20, 20 }, (AimfShare){ 20, 20 }, 0.05);
    g_assert_true(of_zero.low == 0 && of_zero.high > 0 && of_zero.high < 1);
    g_assert_true(by_zero.low > 1 && isinf(by_zero.high));
    assert_close(1 / by_zero.low, of_zero.high, 1e-12, "a ratio and its inverse");
    g_assert_true(same.low < 1 && same.high > 1);
    assert_close(1 / same.high, same.low, 1e-12, "all and all");
    g_assert_true(isnan(aimf_ratio_interval((AimfShare){ 0, 9 }, (AimfShare){ 0, 9 }, 0.05).low));
    g_assert_true(isnan(aimf_wilson((AimfShare){ 0, 0 }, 0.05).low));
    g_assert_true(isnan(aimf_newcombe((AimfShare){ 1, 2 }, (AimfShare){ 0, 0 }, 0.05).high));
    g_assert_true(isnan(aimf_tango((AimfPairs){ 0, 0, 0, 0 }, 0.05).low));
    g_assert_cmpfloat(aimf_wilson((AimfShare){ 0, 9 }, 0.05).low, ==, 0);
    g_assert_cmpfloat(aimf_wilson((AimfShare){ 9, 9 }, 0.05).high, ==, 1);
}

static AimfPairs pairs_of(JsonObject *object)
{
    JsonArray *table = array_of(object, "table");
    guint64 counts[4];
    for (guint i = 0; i < 4; i++)
        counts[i] = (guint64)json_array_get_int_element(table, i);
    return (AimfPairs){ counts[0], counts[1], counts[2], counts[3] };
}

static void test_pairs(void)
{
    JsonArray *pairs = golden_array(golden, "pairs"), *tests = golden_array(golden, "mcnemar");
    for (guint i = 0; i < json_array_get_length(pairs); i++) {
        JsonObject *one = item(pairs, i);
        check(aimf_tango(pairs_of(one), alpha_of(one)), array_of(one, "tango"), 1e-6, "Tango"); /* a numeric maximum */
    }
    for (guint i = 0; i < json_array_get_length(tests); i++) {
        JsonObject *one = item(tests, i);
        double exact = json_object_get_double_member(one, "exact"), mid = json_object_get_double_member(one, "mid");
        assert_close(aimf_mcnemar(pairs_of(one), FALSE), exact, 1e-11, "McNemar");
        assert_close(aimf_mcnemar(pairs_of(one), TRUE), mid, 1e-11, "McNemar, mid-p");
    }
}

/* The variance says nothing where the AUC is 1, and the interval then says more than a point. */
static void test_auc(void)
{
    AimfInterval usual = aimf_auc_interval(0.8, 0.0025, 50, 60, 0.05), perfect = aimf_auc_interval(1, 0, 10, 10, 0.05);
    double spread = 1.959963984540054 * 0.05 / 0.16;
    assert_close(log(usual.low / (1 - usual.low)), log(4) - spread, 1e-13, "AUC");
    assert_close(log(usual.high / (1 - usual.high)), log(4) + spread, 1e-13, "AUC");
    g_assert_cmpfloat(perfect.high, ==, 1);
    g_assert_true(perfect.low > 0.6 && perfect.low < 0.9);
    AimfInterval none = aimf_auc_interval(0, 0, 10, 10, 0.05);
    assert_close(none.high, 1 - perfect.low, 1e-12, "mirrored");
    g_assert_true(isnan(aimf_auc_interval(NAN, NAN, 0, 10, 0.05).low));
}

static void test_student(void)
{
    JsonArray *cases = golden_array(golden, "student");
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        JsonObject *object = json_array_get_object_element(cases, i);
        guint freedom = (guint)json_object_get_int_member(object, "freedom");
        double t = json_object_get_double_member(object, "t"), alpha = json_object_get_double_member(object, "alpha");
        double p = json_object_get_double_member(object, "p");
        double critical = json_object_get_double_member(object, "critical");
        assert_close(aimf_student_two_sided(t, freedom), p, 1e-13, "P(|T| > t)");
        assert_close(aimf_student_two_sided(-t, freedom), p, 1e-13, "P(|T| > t)");
        assert_close(aimf_student_critical(alpha, freedom) / critical, 1, 1e-11, "critical t");
    }
    g_assert_cmpfloat(aimf_student_two_sided(0, 3), ==, 1);
}

static void test_exact(void)
{
    JsonArray *cases = golden_array(golden, "exact");
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        JsonObject *object = json_array_get_object_element(cases, i);
        AimfShare share = { (guint64)json_object_get_int_member(object, "x"),
                            (guint64)json_object_get_int_member(object, "n") };
        g_autofree double *ends = golden_doubles(object, "interval");
        AimfInterval found = aimf_clopper_pearson(share, json_object_get_double_member(object, "alpha"));
        assert_close(found.low, ends[0], 1e-13, "low");
        assert_close(found.high, ends[1], 1e-13, "high");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    golden = golden_open_file("intervals.json");
    g_test_add_func("/intervals/quantiles", test_quantiles);
    g_test_add_func("/intervals/shares", test_shares);
    g_test_add_func("/intervals/ends", test_ends);
    g_test_add_func("/intervals/pairs", test_pairs);
    g_test_add_func("/intervals/auc", test_auc);
    g_test_add_func("/intervals/student", test_student);
    g_test_add_func("/intervals/exact", test_exact);
    int status = g_test_run();
    g_object_unref(golden);
    return status;
}
