/* Selection rates and impact ratios: tests/golden/make_impact.py; and rows that stay beside their answers. */
#include "fair/support_golden.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static char *folder;

static char *write_file(const char *name, const char *text)
{
    char *path = g_build_filename(folder, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static char **texts_of(JsonObject *object, const char *name)
{
    JsonArray *array = json_object_get_array_member(object, name);
    char **texts = g_new0(char *, json_array_get_length(array) + 1);
    for (guint i = 0; i < json_array_get_length(array); i++)
        texts[i] = g_strdup(json_array_get_string_element(array, i));
    return texts;
}

/* --- Against pandas --- */

/* Numbers of the golden have 12 digits; the search for the intervals of ratios in Python ends before the 6th. */
static const double TOLERANCE = 1e-11, OF_RATIOS = 2e-5;

static void check_double(double found, JsonObject *expected, const char *name)
{
    JsonNode *node = json_object_get_member(expected, name);
    assert_close(found, JSON_NODE_HOLDS_NULL(node) ? NAN : json_node_get_double(node), TOLERANCE, name);
}

static void check_interval(AimfInterval found, JsonObject *expected, const char *name, double tolerance)
{
    JsonNode *node = json_object_get_member(expected, name);
    JsonArray *array = JSON_NODE_HOLDS_NULL(node) ? NULL : json_node_get_array(node);
    assert_close(found.low, array ? golden_double(array, 0) : NAN, tolerance, name);
    assert_close(found.high, array ? golden_double(array, 1) : NAN, tolerance * fmax(1, fabs(found.high)), name);
}

static void check_category(const AimfImpactCategory *found, JsonObject *expected)
{
    g_auto(GStrv) values = texts_of(expected, "values");
    g_assert_true(g_strv_equal((const char *const *)found->values, (const char *const *)values));
    g_assert_cmpint(found->n, ==, json_object_get_int_member(expected, "n"));
    g_assert_cmpint(found->hits, ==, json_object_get_int_member(expected, "hits"));
    check_double(found->share, expected, "share");
    check_double(found->rate, expected, "rate");
    check_double(found->ratio, expected, "ratio");
    check_interval(found->rate_interval, expected, "rate_interval", TOLERANCE);
    check_interval(found->ratio_interval, expected, "ratio_interval", OF_RATIOS);
    g_assert_true(found->reference == json_object_get_boolean_member(expected, "reference"));
    g_assert_true(found->small == json_object_get_boolean_member(expected, "small"));
    g_assert_true(found->below_four_fifths == json_object_get_boolean_member(expected, "below_four_fifths"));
}

static void check_tables(const AimfImpactTable *tables, guint n, JsonArray *expected)
{
    g_assert_cmpuint(n, ==, json_array_get_length(expected));
    for (guint t = 0; t < n; t++) {
        JsonObject *object = json_array_get_object_element(expected, t);
        JsonArray *categories = json_object_get_array_member(object, "categories");
        g_auto(GStrv) columns = texts_of(object, "columns");
        g_assert_true(g_strv_equal((const char *const *)tables[t].columns, (const char *const *)columns));
        g_assert_cmpint(tables[t].n, ==, json_object_get_int_member(object, "n"));
        g_assert_cmpint(tables[t].unknown, ==, json_object_get_int_member(object, "unknown"));
        g_assert_cmpuint(tables[t].n_categories, ==, json_array_get_length(categories));
        for (guint i = 0; i < tables[t].n_categories; i++)
            check_category(&tables[t].categories[i], json_array_get_object_element(categories, i));
    }
}

static void check_case(JsonObject *expected)
{
    const char *missing = json_object_get_string_member(expected, "missing");
    g_autoptr(GError) error = NULL;
    g_autofree char *path = write_file("answers.csv", json_object_get_string_member(expected, "text"));
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    const AimfLabelRules rules = {
        .missing = strcmp(missing, "drop") == 0   ? AIMF_MISSING_DROP
                   : strcmp(missing, "keep") == 0 ? AIMF_MISSING_KEEP
                                                  : AIMF_MISSING_ERROR,
        .merge_spellings = json_object_get_boolean_member(expected, "merge"),
        .findings = findings,
    };
    g_auto(GStrv) columns = texts_of(expected, "columns");
    const AimfOutcomesOptions options = { -1, &rules, (const char *const *)columns };
    g_autoptr(AimfOutcomes) outcomes = aimf_outcomes_open_with(path, &options, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(outcomes->impact->n, ==, outcomes->n + outcomes->n_dropped);
    int positive = (int)json_object_get_int_member(expected, "positive");
    g_autoptr(AimfImpact) impact = aimf_impact_measure(outcomes->impact, positive, &error);
    g_assert_no_error(error);
    check_tables(impact->selection, impact->n_tables, json_object_get_array_member(expected, "selection"));
    check_double(impact->median, expected, "median");
    g_assert_true((impact->scoring == NULL) == json_object_get_null_member(expected, "scoring"));
    if (impact->scoring)
        check_tables(impact->scoring, impact->n_tables, json_object_get_array_member(expected, "scoring"));
}

static void test_golden(void)
{
    g_autoptr(JsonParser) golden = golden_open_file("impact.json");
    JsonArray *cases = golden_array(golden, "cases");
    g_assert_cmpuint(json_array_get_length(cases), ==, 10);
    for (guint i = 0; i < json_array_get_length(cases); i++)
        check_case(json_array_get_object_element(cases, i));
}

/* --- Rows and answers --- */

static const char *const SEX[] = { "sex", NULL };

/* Of six pictures the second and the last are skipped; the fourth says nothing about its sex. */
static void test_skipped(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = write_file("set.csv", "path,target,sex,protected\n"
                                                  "a,0,f,p\nb,1,m,q\nc,0,m,p\nd,1,NA,q\ne,1, f,p\nf,1,other,q\n");
    g_autoptr(AimfManifest) manifest = aimf_manifest_open(path, &error);
    static const char *const both[] = { "sex", "protected", NULL };
    AimfImpactRows *rows = aimf_impact_rows_new(manifest, both, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(rows->n, ==, 6);
    float logits[] = { 1, NAN, -1, 2, 3, NAN }, probability[] = { 0.7f, NAN, 0.3f, 0.9f, 0.95f, NAN };
    int prediction[] = { 1, -1, 0, 1, 1, -1 };
    const AimfPredictions predictions = {
        .n = 6, .outputs = 1, .logits = logits, .probability = probability, .prediction = prediction, .threshold = 0.5
    };
    g_autoptr(AimfImpact) early = aimf_impact_measure(rows, 1, &error);
    g_assert_null(early);
    g_assert_nonnull(strstr(error->message, "not judged"));
    g_clear_error(&error);
    g_autoptr(AimfOutcomes) outcomes = aimf_outcomes_from_predictions(manifest, &predictions, &error);
    g_assert_no_error(error);
    aimf_outcomes_take_impact(outcomes, rows, &predictions);
    g_autoptr(AimfImpact) impact = aimf_impact_measure(outcomes->impact, 1, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(impact->n_tables, ==, 3);
    const AimfImpactTable *sex = &impact->selection[0], *group = &impact->selection[1], *all = &impact->selection[2];
    g_assert_cmpuint(sex->n, ==, 4);
    g_assert_cmpuint(sex->unknown, ==, 1);
    g_assert_cmpuint(sex->n_categories, ==, 2); /* the only other was skipped */
    g_assert_cmpstr(sex->categories[0].values[0], ==, "f");
    g_assert_cmpuint(sex->categories[0].hits, ==, 2);
    g_assert_cmpstr(sex->categories[1].values[0], ==, "m");
    g_assert_cmpuint(sex->categories[1].hits, ==, 0);
    g_assert_cmpuint(group->unknown, ==, 0);
    g_assert_cmpstr(group->categories[1].values[0], ==, "q");
    g_assert_cmpuint(group->categories[1].n, ==, 1);
    g_assert_cmpuint(all->n_categories, ==, 2);
    g_assert_cmpstr(all->categories[1].values[0], ==, "m");
    g_assert_cmpstr(all->categories[1].values[1], ==, "p");
    g_assert_cmpstr(impact->score, ==, "logit");
    g_assert_cmpfloat(impact->median, ==, 1.5);
    g_assert_cmpuint(impact->scoring[0].categories[0].hits, ==, 1);
}

/* A row that is left out of the other measures for want of a protected label counts; one without an answer does not. */
static void test_dropped(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = write_file("drop.csv", "target,protected,sex,prediction\n"
                                                   "0,p,f,1\n1,,f,0\n1,q,m,1\n,q,m,1\n1,q,m,NA\n0,nan,,1\n");
    const AimfLabelRules rules = { .missing = AIMF_MISSING_DROP };
    static const char *const both[] = { "protected", "sex", NULL };
    const AimfOutcomesOptions options = { -1, &rules, both };
    g_autoptr(AimfOutcomes) outcomes = aimf_outcomes_open_with(path, &options, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(outcomes->n, ==, 2);
    g_assert_cmpuint(outcomes->n_dropped, ==, 4);
    g_autoptr(AimfImpact) impact = aimf_impact_measure(outcomes->impact, 1, &error);
    g_assert_no_error(error);
    const AimfImpactTable *group = &impact->selection[0], *sex = &impact->selection[1];
    g_assert_cmpuint(group->n, ==, 4);
    g_assert_cmpuint(group->unknown, ==, 2);
    g_assert_cmpuint(sex->unknown, ==, 1);
    g_assert_cmpuint(sex->categories[0].n, ==, 2);
    g_assert_cmpuint(sex->categories[0].hits, ==, 1);
    g_assert_cmpuint(sex->categories[1].n, ==, 1);
    g_assert_cmpuint(impact->selection[2].unknown, ==, 2);
}

/* --- What cannot be --- */

static void assert_refused(const char *text, const char *const *columns, AimfErrorCode code, const char *message)
{
    g_autoptr(GError) error = NULL, other = NULL;
    g_autofree char *path = write_file("bad.csv", text);
    const AimfOutcomesOptions options = { -1, NULL, columns };
    g_assert_null(aimf_outcomes_open_with(path, &options, NULL, &error));
    g_assert_error(error, AIMF_ERROR, (gint)code);
    g_autoptr(AimfManifest) manifest = aimf_manifest_open(path, NULL);
    g_assert_null(aimf_impact_rows_new(manifest, columns, NULL, NULL, &other));
    g_assert_error(other, AIMF_ERROR, (gint)code);
    if (!strstr(error->message, message) || !strstr(other->message, message))
        g_error("expected '%s' in '%s' and '%s'", message, error->message, other->message);
}

static void test_refused(void)
{
    static const char two[] = "path,target,protected,prediction,sex\na,0,p,0,f\nb,1,q,1,\xff\n";
    static const char *const none[] = { NULL }, *const twice[] = { "sex", "sex", NULL },
                             *const other[] = { "sec", NULL };
    static const char *const nine[] = { "1", "2", "3", "4", "5", "6", "7", "8", "9", NULL };
    assert_refused(two, none, AIMF_ERROR_INVALID, "of 1 to 8 columns, not of 0");
    assert_refused(two, nine, AIMF_ERROR_INVALID, "of 1 to 8 columns, not of 9");
    assert_refused(two, twice, AIMF_ERROR_INVALID, "the column 'sex' is named twice");
    assert_refused(two, other, AIMF_ERROR_NOT_FOUND, "no column 'sec' (did you mean 'sex'?)");
    assert_refused(two, SEX, AIMF_ERROR_FORMAT, "column 'sex': '\xef\xbf\xbd' is not UTF-8");
    g_autoptr(GString) many = g_string_new("path,target,protected,prediction,sex\n");
    for (int i = 0; i <= AIMF_MAX_LABELS; i++)
        g_string_append_printf(many, "%d,0,p,0,%d\n", i, i);
    assert_refused(many->str, SEX, AIMF_ERROR_INVALID, "column 'sex': more than 1000 different values");
}

/* Rows that a program made itself: no rows, no class, scores that are no numbers, and infinite ones. */
static void test_own_rows(void)
{
    char *names[] = { (char *)"sex", NULL }, *categories[] = { (char *)"f", (char *)"m", NULL },
         **all[] = { categories };
    int category[] = { 0, 1, 1 }, prediction[] = { 1, 0, 1 };
    double scores[] = { -INFINITY, INFINITY, INFINITY };
    AimfImpactRows rows = { 3, 1, names, all, category, prediction, 1, scores, "logit" };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfImpact) good = aimf_impact_measure(&rows, 1, &error);
    g_assert_no_error(error);
    g_assert_true(good->median == INFINITY);
    g_assert_cmpuint(good->scoring[0].categories[1].hits, ==, 0);
    g_assert_true(isnan(good->scoring[0].categories[0].ratio));
    g_autoptr(AimfImpact) other = aimf_impact_measure(&rows, 0, &error); /* of class 0, which scores the other way */
    g_assert_no_error(error);
    g_assert_true(other->median == -INFINITY);
    g_assert_cmpuint(other->scoring[0].categories[0].hits, ==, 1);
    g_assert_null(aimf_impact_measure(&rows, -1, &error));
    g_assert_nonnull(strstr(error->message, "more than two classes"));
    g_clear_error(&error);
    scores[1] = NAN;
    g_assert_null(aimf_impact_measure(&rows, 1, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_clear_error(&error);
    rows.n = 0;
    g_assert_null(aimf_impact_measure(&rows, 1, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("aimfair-XXXXXX", NULL);
    g_test_add_func("/impact/golden", test_golden);
    g_test_add_func("/impact/skipped", test_skipped);
    g_test_add_func("/impact/dropped", test_dropped);
    g_test_add_func("/impact/refused", test_refused);
    g_test_add_func("/impact/own-rows", test_own_rows);
    int status = g_test_run();
    static const char *const files[] = { "answers.csv", "set.csv", "drop.csv", "bad.csv" };
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(folder, files[i], NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
    g_free(folder);
    return status;
}
