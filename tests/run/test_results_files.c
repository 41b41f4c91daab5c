/* What is written of a run's results says what they are: JSON, CSV, card, JUnit. */
#include "base/file.h"
#include "base/json.h"
#include "data/csv.h"
#include "run/card_text.h"
#include "run/support_results.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static char *folder;

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

/* --- JSON --- */

static JsonNode *parse(const AimfRunResults *results)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = aimf_results_json(results);
    g_assert_true(g_str_has_suffix(text, "}\n"));
    JsonNode *root = aimf_json_parse(text, strlen(text), &error);
    g_assert_no_error(error);
    return root;
}

static void assert_number(JsonObject *object, const char *name, double expected)
{
    JsonNode *node = json_object_get_member(object, name);
    g_assert_nonnull(node);
    if (isnan(expected))
        g_assert_true(JSON_NODE_HOLDS_NULL(node));
    else
        g_assert_true(json_node_get_double(node) == expected);
}

static void assert_interval(JsonObject *object, const char *name, AimfInterval expected)
{
    JsonNode *node = json_object_get_member(object, name);
    g_assert_nonnull(node);
    if (isnan(expected.low)) {
        g_assert_true(JSON_NODE_HOLDS_NULL(node));
        return;
    }
    JsonArray *array = json_node_get_array(node);
    g_assert_true(json_array_get_double_element(array, 0) == expected.low);
    g_assert_true(json_array_get_double_element(array, 1) == expected.high);
}

static void assert_text(JsonObject *object, const char *name, const char *expected)
{
    JsonNode *node = json_object_get_member(object, name);
    g_assert_nonnull(node);
    g_assert_cmpstr(JSON_NODE_HOLDS_NULL(node) ? NULL : json_node_get_string(node), ==, expected);
}

static void check_measures(JsonObject *holder, const AimfRunResults *results, const AimfMeasures *measures,
                           gboolean ranges)
{
    JsonNode *node = json_object_get_member(holder, "measures");
    if (!measures) {
        g_assert_true(JSON_NODE_HOLDS_NULL(node));
        return;
    }
    JsonObject *object = json_node_get_object(node);
    JsonArray *groups = json_object_get_array_member(object, "groups");
    assert_number(object, "accuracy", measures->scalars.accuracy);
    assert_number(object, "worst_group_accuracy", measures->scalars.worst_group_accuracy);
    assert_number(json_object_get_object_member(object, "equalized_odds"), "mean",
                  measures->scalars.equalized_odds_mean);
    assert_interval(json_object_get_object_member(object, ranges ? "ranges" : "intervals"), "accuracy",
                    measures->intervals[0]);
    g_assert_true(json_object_has_member(object, "intervals") == !ranges);
    g_assert_cmpint(json_array_get_length(groups), ==, measures->n_targets * measures->n_protected);
    for (guint i = 0; i < json_array_get_length(groups); i++) {
        JsonObject *group = json_array_get_object_element(groups, i);
        assert_text(group, "protected", results->labels[measures->groups[i].group]);
        assert_text(group, "class", results->classes[measures->groups[i].target]);
        assert_number(group, "accuracy", measures->groups[i].accuracy);
    }
    g_assert_false(json_object_has_member(object, "warnings"));
}

static void check_comparison(JsonObject *holder, const AimfComparison *c)
{
    JsonNode *node = json_object_get_member(holder, "comparison");
    if (!c) {
        g_assert_true(JSON_NODE_HOLDS_NULL(node));
        return;
    }
    JsonObject *first =
        json_array_get_object_element(json_object_get_array_member(json_node_get_object(node), "measures"), 0);
    assert_number(first, "before", c->before->scalars.accuracy);
    assert_number(first, "change", c->changes[0]);
    assert_interval(first, "interval", c->intervals[0]);
}

static void check_cell(JsonObject *object, const AimfRunResults *results, guint method, guint seed)
{
    const AimfRunCell *cell = aimf_run_cell(results, method, seed);
    g_assert_cmpint(json_object_get_int_member(object, "seed"), ==, (gint64)results->seeds[seed]);
    assert_text(object, "folder", cell->folder);
    assert_text(object, "failure", cell->failure);
    assert_text(object, "engine", cell->engine);
    assert_text(object, "instruction_set", cell->instruction_set);
    assert_text(object, "model_sha256", cell->model_sha256);
    assert_text(object, "weights_sha256", cell->weights_sha256);
    check_measures(object, results, cell->measures, FALSE);
    check_comparison(object, cell->comparison);
    if (cell->failure) {
        g_assert_true(json_object_get_null_member(object, "trained"));
        g_assert_true(json_object_get_null_member(object, "n_tensors"));
        return;
    }
    JsonArray *trained = json_object_get_array_member(object, "trained");
    g_assert_cmpuint(json_array_get_length(trained), ==, g_strv_length(cell->trained));
    for (guint i = 0; cell->trained[i]; i++)
        g_assert_cmpstr(json_array_get_string_element(trained, i), ==, cell->trained[i]);
}

static void check_statistics(JsonObject *object, const char *name, const AimfSeeds *seeds)
{
    JsonNode *node = json_object_get_member(object, name);
    if (!seeds) {
        g_assert_true(JSON_NODE_HOLDS_NULL(node));
        return;
    }
    JsonObject *first = json_array_get_object_element(json_node_get_array(node), 0);
    assert_text(first, "measure", "accuracy");
    assert_number(first, "mean", seeds->scalars[0].mean);
    assert_number(first, "deviation", seeds->scalars[0].deviation);
    assert_interval(first, "over_pictures", seeds->scalars[0].over_pictures);
    assert_interval(first, "over_both", seeds->scalars[0].over_both);
}

static void check_method(JsonObject *object, const AimfRunResults *results, guint m)
{
    const AimfRunAverage *average = &results->averages[m];
    JsonArray *cells = json_object_get_array_member(object, "cells");
    assert_text(object, "name", results->methods[m].name);
    assert_text(object, "title", results->methods[m].title);
    g_assert_true(json_object_get_null_member(object, "k") == !results->methods[m].k);
    g_assert_cmpint(json_object_get_int_member(object, "n_seeds"), ==, average->n);
    if (average->n == 1) /* its own intervals, not a range of one */
        check_measures(object, results, aimf_run_cell(results, m, 0)->measures, FALSE);
    else
        check_measures(object, results, average->measures, TRUE);
    check_statistics(object, "spread", average->spread);
    check_statistics(object, "changes", average->changes);
    g_assert_true(json_object_get_null_member(object, "impact") == !results->impact[m]);
    g_assert_cmpuint(json_array_get_length(cells), ==, results->n_seeds);
    for (guint s = 0; s < results->n_seeds; s++)
        check_cell(json_array_get_object_element(cells, s), results, m, s);
}

static void check_sets(JsonObject *root, const AimfRunResults *results)
{
    JsonArray *sets = json_object_get_array_member(root, "sets");
    g_assert_cmpuint(json_array_get_length(sets), ==, AIMF_N_SETS);
    for (guint i = 0; i < AIMF_N_SETS; i++) {
        JsonObject *set = json_array_get_object_element(sets, i);
        JsonArray *groups = json_object_get_array_member(set, "groups");
        gint64 n = 0;
        for (guint g = 0; g < json_array_get_length(groups); g++)
            n += json_object_get_int_member(json_array_get_object_element(groups, g), "n");
        g_assert_cmpint(n, ==, json_object_get_int_member(set, "n"));
        g_assert_cmpint(n, ==, aimf_manifest_count(results->sets[i].manifest));
        assert_text(set, "name", results->sets[i].name);
        assert_text(set, "path", results->sets[i].path);
        assert_text(set, "sha256", results->sets[i].sha256);
        assert_text(set, "pictures_sha256", results->sets[i].pictures_sha256);
    }
}

static void check_gates(JsonObject *root, const AimfRunResults *results, gboolean demanded)
{
    JsonArray *gates = json_object_get_array_member(root, "gates");
    guint at = 0;
    if (!demanded) {
        assert_text(root, "decision", NULL);
        assert_text(root, "gated_method", NULL);
        g_assert_cmpuint(json_array_get_length(gates), ==, 0);
        return;
    }
    assert_text(root, "decision", aimf_decision_name(results->decision));
    assert_text(root, "gated_method", results->methods[1].name);
    if (!results->verdicts) { /* every seed failed */
        assert_text(root, "decision", "not enough evidence");
        g_assert_cmpuint(json_array_get_length(gates), ==, 0);
        return;
    }
    JsonObject *average = json_array_get_object_element(gates, at++);
    JsonObject *first = json_array_get_object_element(json_object_get_array_member(average, "require"), 0);
    g_assert_true(json_object_get_null_member(average, "seed"));
    assert_number(first, "value", results->verdicts->verdicts[0].value);
    g_assert_true(json_object_get_boolean_member(first, "met") ==
                  (results->verdicts->verdicts[0].decision == AIMF_MET));
    for (guint s = 0; s < results->n_seeds; s++) {
        const AimfVerdicts *verdicts = results->seed_verdicts[s];
        if (!verdicts)
            continue;
        JsonObject *object = json_array_get_object_element(gates, at++);
        first = json_array_get_object_element(json_object_get_array_member(object, "require_evidence"), 0);
        g_assert_cmpint(json_object_get_int_member(object, "seed"), ==, (gint64)results->seeds[s]);
        assert_text(first, "decision", aimf_decision_name(verdicts->verdicts[0].decision));
    }
    g_assert_cmpuint(json_array_get_length(gates), ==, at);
}

static void test_json(gconstpointer data)
{
    const SupportResultsOptions *options = data;
    g_autoptr(AimfRunResults) results = support_results_new(options);
    g_autoptr(JsonNode) node = parse(results);
    JsonObject *root = json_node_get_object(node);
    JsonArray *methods = json_object_get_array_member(root, "methods");
    assert_text(root, "format", "aimfair results");
    g_assert_cmpint(json_object_get_int_member(root, "version"), ==, 1);
    assert_text(root, "title", results->title);
    assert_text(root, "target", results->target);
    g_assert_true(json_object_get_boolean_member(root, "mixed_engines") == options->mixed_engines);
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(root, "engines")), ==,
                     options->mixed_engines ? 2 : 1);
    g_assert_cmpuint(json_array_get_length(methods), ==, results->n_methods);
    for (guint m = 0; m < results->n_methods; m++)
        check_method(json_array_get_object_element(methods, m), results, m);
    check_sets(root, results);
    check_gates(root, results, !options->no_gates);
}

/* --- The schema --- */

/* Where a schema is an object of ours, with all its members named, what is written has those and no others. */
static void check_object(JsonObject *schema, JsonObject *object)
{
    JsonArray *required = json_object_get_array_member(schema, "required");
    JsonObject *properties = json_object_get_object_member(schema, "properties");
    g_assert_false(json_object_get_boolean_member(schema, "additionalProperties"));
    for (guint i = 0; i < json_array_get_length(required); i++)
        g_assert_true(json_object_has_member(object, json_array_get_string_element(required, i)));
    g_autoptr(GList) members = json_object_get_members(object);
    for (GList *member = members; member; member = member->next)
        g_assert_true(json_object_has_member(properties, member->data));
}

static void check_elements(JsonObject *definitions, const char *name, JsonArray *array)
{
    for (guint i = 0; i < json_array_get_length(array); i++)
        check_object(json_object_get_object_member(definitions, name), json_array_get_object_element(array, i));
}

static void test_schema(gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfRunResults) results = support_results_new(data);
    g_autoptr(JsonNode) node = parse(results);
    g_autoptr(JsonNode) file = aimf_json_open(GOLDEN_DIR "/../../docs/results.schema.json", 1 << 20, &error);
    g_assert_no_error(error);
    JsonObject *schema = json_node_get_object(file), *root = json_node_get_object(node);
    JsonObject *definitions = json_object_get_object_member(schema, "$defs");
    JsonArray *methods = json_object_get_array_member(root, "methods");
    check_object(schema, root);
    check_elements(definitions, "engine", json_object_get_array_member(root, "engines"));
    check_elements(definitions, "set", json_object_get_array_member(root, "sets"));
    check_elements(definitions, "gates", json_object_get_array_member(root, "gates"));
    check_elements(definitions, "method", methods);
    for (guint m = 0; m < json_array_get_length(methods); m++)
        check_elements(definitions, "cell",
                       json_object_get_array_member(json_array_get_object_element(methods, m), "cells"));
}

/* --- CSV --- */

/* The row's value and interval, as they are in @key: "biased,0,accuracy,". */
static GHashTable *read_rows(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfCsv) csv = aimf_csv_open(path, &error);
    g_assert_no_error(error);
    GHashTable *rows = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_strfreev);
    static const char *const columns[] = { "method", "seed", "measure", "group", "value", "low", "high", "n" };
    g_assert_cmpuint(csv->columns->len, ==, G_N_ELEMENTS(columns));
    for (int i = 0; i < (int)G_N_ELEMENTS(columns); i++)
        g_assert_cmpint(aimf_csv_column(csv, columns[i]), ==, i);
    while (aimf_csv_next(csv, &error)) {
        char *key = g_strdup_printf("%s,%s,%s,%s", aimf_csv_field(csv, 0), aimf_csv_field(csv, 1),
                                    aimf_csv_field(csv, 2), aimf_csv_field(csv, 3));
        char **values = g_new0(char *, 5);
        for (int i = 0; i < 4; i++)
            values[i] = g_strdup(aimf_csv_field(csv, 4 + i));
        g_assert_true(g_hash_table_insert(rows, key, values)); /* none is there twice */
    }
    g_assert_no_error(error);
    return rows;
}

/* @group: (taken, nullable) */
static void assert_row(GHashTable *rows, const char *method, const char *seed, const char *measure, char *group,
                       double value, AimfInterval interval, guint n)
{
    g_autofree char *key = g_strdup_printf("%s,%s,%s,%s", method, seed, measure, group ? group : "");
    char **values = g_hash_table_lookup(rows, key);
    const double expected[] = { value, interval.low, interval.high, n };
    g_assert_nonnull(values);
    for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
        if (isnan(expected[i]))
            g_assert_cmpstr(values[i], ==, "");
        else
            g_assert_true(*values[i] && g_ascii_strtod(values[i], NULL) == expected[i]);
    }
    g_free(group);
}

static void check_rows_of_cell(GHashTable *rows, const AimfRunResults *results, guint m, guint s)
{
    const AimfRunCell *cell = aimf_run_cell(results, m, s);
    const char *method = results->methods[m].name;
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, results->seeds[s]);
    g_autofree char *accuracy = g_strdup_printf("%s,%s,accuracy,", method, seed);
    const AimfMeasures *measures = cell->measures;
    g_assert_true(g_hash_table_contains(rows, accuracy) == (measures != NULL));
    for (guint i = 0; measures && i < AIMF_N_SCALARS; i++)
        if (!aimf_scalar_of_classes(i) || measures->n_targets > 2)
            assert_row(rows, method, seed, aimf_scalar_name(i), NULL, aimf_scalar_at(&measures->scalars, i),
                       measures->intervals[i], measures->n);
    for (int i = 0; measures && i < measures->n_targets * measures->n_protected; i++) {
        const AimfGroupMeasure *group = &measures->groups[i];
        assert_row(rows, method, seed, "group_accuracy",
                   g_strdup_printf("%d_%s", group->target, results->labels[group->group]), group->accuracy,
                   group->interval, group->n);
    }
    for (int g = 0; measures && g < measures->n_protected; g++)
        assert_row(rows, method, seed, "tpr", g_strdup(results->labels[g]), measures->protected_groups[g].tpr,
                   (AimfInterval){ NAN, NAN }, measures->protected_groups[g].n);
    if (measures && measures->classes)
        assert_row(rows, method, seed, "class_2.precision", g_strdup(results->labels[1]),
                   measures->classes[2].groups[1].precision, (AimfInterval){ NAN, NAN },
                   measures->classes[2].groups[1].n);
    if (cell->comparison)
        assert_row(rows, method, seed, "change.accuracy", NULL, cell->comparison->changes[0],
                   cell->comparison->intervals[0], cell->comparison->n);
}

static void check_rows_of_average(GHashTable *rows, const AimfRunResults *results, guint m)
{
    const AimfRunAverage *average = &results->averages[m];
    const char *method = results->methods[m].name;
    if (!average->measures)
        return;
    assert_row(rows, method, "", "accuracy", NULL, average->measures->scalars.accuracy,
               average->spread->scalars[0].over_pictures, average->measures->n);
    assert_row(rows, method, "", "worst_group_accuracy", NULL, average->measures->scalars.worst_group_accuracy,
               (AimfInterval){ NAN, NAN }, average->measures->n);
    if (average->changes)
        assert_row(rows, method, "", "change.accuracy", NULL, average->changes->scalars[0].mean,
                   average->changes->scalars[0].over_pictures, average->measures->n);
}

static void test_csv(gconstpointer data)
{
    g_autoptr(AimfRunResults) results = support_results_new(data);
    g_autofree char *text = aimf_results_csv(results), *path = path_of("results.csv");
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_autoptr(GHashTable) rows = read_rows(path);
    for (guint m = 0; m < results->n_methods; m++) {
        check_rows_of_average(rows, results, m);
        for (guint s = 0; s < results->n_seeds; s++)
            check_rows_of_cell(rows, results, m, s);
    }
    g_unlink(path);
}

/* --- Card --- */

static void test_card_text(void)
{
    static const struct {
        const char *text, *yaml, *markdown;
    } cases[] = {
        { "young", "\"young\"", "young" },
        { "a\"b\\", "\"a\\\"b\\\\\"", "a\\\"b\\\\" },
        { "a: b\n---", "\"a: b\\u000a---\"", "a\\: b\xef\xbf\xbd---" },
        { "\xe2\x80\xa8\xc2\x85", "\"\\u2028\xef\xbf\xbd\"", "\xe2\x80\xa8\xef\xbf\xbd" },
        { "<b>|`", "\"<b>|`\"", "\\<b\\>\\|\\`" },
        { "\xff\xc3\xa9", "\"\xef\xbf\xbd\xc3\xa9\"", "\xef\xbf\xbd\xc3\xa9" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) yaml = g_string_new(NULL), markdown = g_string_new(NULL);
        aimf_yaml_append(yaml, cases[i].text);
        aimf_markdown_append(markdown, cases[i].text);
        g_assert_cmpstr(yaml->str, ==, cases[i].yaml);
        g_assert_cmpstr(markdown->str, ==, cases[i].markdown);
    }
    g_autoptr(GString) numbers = g_string_new(NULL);
    const double values[] = { 0.5, 1, 1e-5, 1.5e-7 };
    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        aimf_yaml_append_number(numbers, values[i]);
        g_string_append_c(numbers, ' ');
    }
    g_assert_cmpstr(numbers->str, ==, "0.5 1 1.0e-05 1.5e-07 ");
}

static guint count_lines(const char *text, const char *prefix)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    guint n = 0;
    for (char **line = lines; *line; line++)
        n += g_str_has_prefix(*line, prefix) ? 1 : 0;
    return n;
}

static void check_metric(const char *card, const char *type, double value)
{
    g_autoptr(GString) line = g_string_new("\n    - type: ");
    aimf_yaml_append(line, type);
    const char *at = strstr(card, line->str);
    g_assert_nonnull(at);
    at = strstr(at, "\n      value: ");
    g_assert_nonnull(at);
    g_assert_true(g_ascii_strtod(at + strlen("\n      value: "), NULL) == value);
}

/* The card of hostile names has the lines and cells of any other. */
static void test_card(gconstpointer data)
{
    const SupportResultsOptions *options = data;
    SupportResultsOptions tame = *options;
    tame.hostile = NULL;
    g_autoptr(AimfRunResults) results = support_results_new(options), likewise = support_results_new(&tame);
    g_autofree char *card = aimf_results_card(results), *other = aimf_results_card(likewise);
    gboolean failed = results->n_seeds == 1 && options->failed_cell;
    const AimfRunCell *cell = aimf_run_cell(results, failed ? 0 : 1, 0);
    g_assert_true(g_utf8_validate(card, -1, NULL));
    g_assert_cmpuint(count_lines(card, ""), ==, count_lines(other, ""));
    g_assert_cmpuint(count_lines(card, "---"), ==, 2);
    g_assert_cmpuint(count_lines(card, "| "), ==, count_lines(other, "| "));
    g_assert_cmpuint(count_lines(card, "#"), ==, count_lines(other, "#"));
    g_assert_cmpuint(count_lines(card, "license"), ==, 0);
    check_metric(card, "accuracy", cell->measures->scalars.accuracy);
    check_metric(card, "worst_group_accuracy", cell->measures->scalars.worst_group_accuracy);
    check_metric(card, "group_accuracy", cell->measures->groups[0].accuracy);
    g_assert_nonnull(strstr(card, cell->model_sha256));
    g_assert_nonnull(strstr(card, results->sets[AIMF_SET_TEST].pictures_sha256));
    g_assert_null(strstr(strstr(card, "\n---\n"), "<b>&"));
    g_assert_true(!options->hostile || strstr(card, "\\<b\\>\\&amp\\;"));
    g_assert_nonnull(strstr(card, "\n## Caveats\n"));
}

/* --- JUnit --- */

/* What an XML file counts, and the names and messages it has. */
typedef struct {
    guint suites, cases, failures, skipped;
    GString *texts;
} Junit;

static void see_element(GMarkupParseContext *context, const char *name, const char **names, const char **values,
                        gpointer data, GError **error)
{
    Junit *junit = data;
    (void)context;
    (void)error;
    junit->suites += strcmp(name, "testsuite") == 0;
    junit->cases += strcmp(name, "testcase") == 0;
    junit->failures += strcmp(name, "failure") == 0;
    junit->skipped += strcmp(name, "skipped") == 0;
    for (; *names; names++, values++)
        if (strcmp(*names, "name") == 0 || strcmp(*names, "message") == 0)
            g_string_append_printf(junit->texts, "%s\n", *values);
}

static void expect_junit(const AimfRunResults *results, const AimfVerdicts *verdicts, Junit *expected)
{
    (void)results;
    expected->suites++;
    expected->cases += verdicts->n;
    for (guint i = 0; i < verdicts->n; i++)
        expected->failures += verdicts->verdicts[i].decision != AIMF_MET;
}

static void test_junit(gconstpointer data)
{
    static const GMarkupParser parser = { .start_element = see_element };
    g_autoptr(GError) error = NULL;
    const SupportResultsOptions *options = data;
    g_autoptr(AimfRunResults) results = support_results_new(options);
    g_autofree char *text = aimf_results_junit(results);
    Junit found = { .texts = g_string_new(NULL) }, expected = { 0 };
    g_autoptr(GMarkupParseContext) context = g_markup_parse_context_new(&parser, 0, &found, NULL);
    g_assert_true(g_markup_parse_context_parse(context, text, -1, &error));
    g_assert_true(g_markup_parse_context_end_parse(context, &error));
    if (results->verdicts)
        expect_junit(results, results->verdicts, &expected);
    for (guint s = 0; s < results->n_seeds; s++) {
        const char *failure = aimf_run_cell(results, 1, s)->failure;
        if (results->seed_verdicts[s])
            expect_junit(results, results->seed_verdicts[s], &expected);
        else if (!options->no_gates && failure) {
            expected.suites++, expected.cases++, expected.skipped++;
            g_assert_nonnull(strstr(found.texts->str, "the loss of epoch 3, batch 17 is not finite"));
        }
    }
    g_assert_cmpuint(found.suites, ==, expected.suites);
    g_assert_cmpuint(found.cases, ==, expected.cases);
    g_assert_cmpuint(found.failures, ==, expected.failures);
    g_assert_cmpuint(found.skipped, ==, expected.skipped);
    if (results->verdicts)
        g_assert_nonnull(strstr(found.texts->str, "not met: accuracy is "));
    if (results->seed_verdicts[0])
        g_assert_nonnull(strstr(found.texts->str, ", seed 0\n"));
    g_string_free(found.texts, TRUE);
}

/* --- All of them --- */

/* The same results give the same bytes; whether anything of the machine or the time is in them would show here. */
static void test_same_bytes(gconstpointer data)
{
    g_autoptr(AimfRunResults) once = support_results_new(data), again = support_results_new(data);
    g_autofree char *json = aimf_results_json(once), *json_again = aimf_results_json(again);
    g_autofree char *csv = aimf_results_csv(once), *csv_again = aimf_results_csv(again);
    g_autofree char *card = aimf_results_card(once), *card_again = aimf_results_card(again);
    g_assert_cmpstr(json, ==, json_again);
    g_assert_cmpstr(csv, ==, csv_again);
    g_autofree char *junit = aimf_results_junit(once), *junit_again = aimf_results_junit(again);
    g_assert_cmpstr(card, ==, card_again);
    g_assert_cmpstr(junit, ==, junit_again);
}

/* Where nothing can be written, that is an error and no crash. */
static void test_unwritable(void)
{
    g_autoptr(AimfRunResults) results = support_results_new(NULL);
    g_autofree char *file = path_of("file"), *below = g_build_filename(file, "events", NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(g_file_set_contents(file, "", 0, NULL));
    g_assert_false(aimf_results_save_events(results, below, &error));
    g_assert_true(error && error->domain == AIMF_ERROR);
    g_unlink(file);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        GTestDataFunc function;
    } tests[] = { { "json", test_json }, { "schema", test_schema }, { "csv", test_csv },
                  { "card", test_card }, { "junit", test_junit },   { "same_bytes", test_same_bytes } };
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("aimfair-results-XXXXXX", NULL);
    for (gsize t = 0; t < G_N_ELEMENTS(tests); t++)
        for (guint c = 0; c < SUPPORT_N_RESULTS; c++) {
            g_autofree char *name = g_strdup_printf("/run/results_files/%s/%u", tests[t].name, c);
            g_test_add_data_func(name, &support_results_cases[c], tests[t].function);
        }
    g_test_add_func("/run/results_files/card_text", test_card_text);
    g_test_add_func("/run/results_files/unwritable", test_unwritable);
    int status = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return status;
}
