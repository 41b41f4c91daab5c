/* Sensitivities against NumPy, the selection against a restatement of the original in Python, and hostile files. */
#include "fair/support_golden.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static char *folder;

static AimfTensors *golden_gradients(JsonObject *sensitivities)
{
    JsonArray *list = json_object_get_array_member(sensitivities, "gradients");
    AimfTensors *gradients = aimf_tensors_new();
    for (guint i = 0; i < json_array_get_length(list); i++) {
        JsonObject *entry = json_array_get_object_element(list, i);
        JsonArray *sizes = json_object_get_array_member(entry, "shape");
        AimfShape shape = { .rank = (int)json_array_get_length(sizes) };
        for (int d = 0; d < shape.rank; d++)
            shape.dim[d] = json_array_get_int_element(sizes, (guint)d);
        g_autofree float *values = golden_floats(entry, "values");
        g_autoptr(GError) error = NULL;
        aimf_tensors_add(gradients, json_object_get_string_member(entry, "name"), AIMF_F32, &shape, values, &error);
        g_assert_no_error(error);
    }
    return gradients;
}

static void test_from_gradients(void)
{
    g_autoptr(JsonParser) golden = golden_open();
    JsonObject *expected =
        json_object_get_object_member(json_node_get_object(json_parser_get_root(golden)), "sensitivities");
    g_autoptr(AimfTensors) gradients = golden_gradients(expected);
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfSensitivities) found = aimf_sensitivities_from_gradients(gradients, "hash", &error);
    g_assert_no_error(error);
    g_assert_cmpuint(found->n, ==, 3);
    g_assert_cmpstr(found->tensors[0].name, ==, "weight");
    g_assert_cmpint(found->tensors[0].size, ==, 108);
    g_assert_cmpstr(found->tensors[2].name, ==, "scalar");
    for (guint i = 0; i < found->n; i++) {
        const AimfSensitivity *tensor = &found->tensors[i];
        double domain = json_object_get_double_member(json_object_get_object_member(expected, "domain"), tensor->name);
        double bias = json_object_get_double_member(json_object_get_object_member(expected, "bias"), tensor->name);
        assert_close(tensor->domain, domain, 1e-12 * domain, "domain"); /* another order of summation in f64 */
        assert_close(tensor->bias, bias, 1e-12 * bias, "bias");
        guint domain_rank = 1, bias_rank = 1;
        for (guint j = 0; j < found->n; j++) {
            domain_rank += found->tensors[j].domain < tensor->domain;
            bias_rank += found->tensors[j].bias > tensor->bias;
        }
        g_assert_cmpuint(tensor->domain_rank, ==, domain_rank);
        g_assert_cmpuint(tensor->bias_rank, ==, bias_rank);
    }
}

/* A set with real/, biased/ and balanced/ "a" of two elements, and one thing wrong. */
static void assert_refused(const char *drop, const char *add, float value, int code, const char *message)
{
    static const char *const names[] = { "real/a", "biased/a", "balanced/a" };
    g_autoptr(AimfTensors) gradients = aimf_tensors_new();
    g_autoptr(GError) error = NULL;
    AimfShape two = AIMF_SHAPE(2), three = AIMF_SHAPE(3);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_strcmp0(names[i], drop) != 0)
            aimf_tensors_add(gradients, names[i], AIMF_F32, &two, (float[]){ 1, i == 2 ? value : 1 }, &error);
    if (add)
        aimf_tensors_add(gradients, add, AIMF_F32, &three, NULL, &error);
    g_assert_no_error(error);
    g_assert_null(aimf_sensitivities_from_gradients(gradients, "hash", &error));
    g_assert_error(error, AIMF_ERROR, code);
    if (!strstr(error->message, message))
        g_error("expected '%s' in: %s", message, error->message);
}

static void test_bad_gradients(void)
{
    assert_refused("balanced/a", NULL, 1, AIMF_ERROR_NOT_FOUND, "'balanced/a' is missing");
    assert_refused("biased/a", NULL, 1, AIMF_ERROR_NOT_FOUND, "'biased/a' is missing");
    assert_refused("biased/a", "biased/a", 1, AIMF_ERROR_INVALID, "'biased/a' is 3, but 'real/a' is 2");
    assert_refused("real/a", NULL, 1, AIMF_ERROR_INVALID, "0 are called real/");
    assert_refused(NULL, "biased/b", 1, AIMF_ERROR_INVALID, "one of each");
    assert_refused(NULL, NULL, NAN, AIMF_ERROR_FAILED, "'balanced/a' is not finite at element 1");
    assert_refused(NULL, NULL, INFINITY, AIMF_ERROR_FAILED, "'balanced/a' is not finite");
}

/* --- Selection --- */

static AimfSensitivities *golden_sensitivities(JsonObject *selection)
{
    JsonArray *domain = json_object_get_array_member(selection, "domain");
    JsonArray *bias = json_object_get_array_member(selection, "bias");
    guint n = json_array_get_length(domain);
    g_autoptr(AimfTensors) gradients = aimf_tensors_new();
    g_autoptr(GError) error = NULL;
    AimfShape one = AIMF_SHAPE(1);
    for (guint i = 0; i < n; i++) {
        /* biased is 0, so that the two differences are the golden values themselves */
        g_autofree char *real = g_strdup_printf("real/%u", i), *biased = g_strdup_printf("biased/%u", i);
        g_autofree char *balanced = g_strdup_printf("balanced/%u", i);
        float d = (float)golden_double(domain, i), b = (float)golden_double(bias, i);
        aimf_tensors_add(gradients, real, AIMF_F32, &one, &d, &error);
        aimf_tensors_add(gradients, biased, AIMF_F32, &one, NULL, &error);
        aimf_tensors_add(gradients, balanced, AIMF_F32, &one, &b, &error);
        g_assert_no_error(error);
    }
    AimfSensitivities *sensitivities = aimf_sensitivities_from_gradients(gradients, "hash", &error);
    g_assert_no_error(error);
    return sensitivities;
}

static void check_mask(const AimfSensitivities *sensitivities, guint k, const char *mask)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) names = aimf_select_top_k(sensitivities, k, &error);
    if (!strchr(mask, '1')) {
        g_assert_null(names);
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
        g_autofree char *start = g_strdup_printf("--top-k %u selects nothing", k);
        g_assert_true(g_str_has_prefix(error->message, start));
        return;
    }
    g_assert_no_error(error);
    char **name = names;
    for (guint i = 0; i < sensitivities->n; i++)
        if (mask[i] == '1')
            g_assert_cmpstr(*name++, ==, sensitivities->tensors[i].name);
    g_assert_null(*name);
}

static void test_selection(void)
{
    g_autoptr(JsonParser) golden = golden_open();
    JsonArray *selections = golden_array(golden, "selections");
    guint empty = 0;
    g_assert_cmpuint(json_array_get_length(selections), ==, 5);
    for (guint i = 0; i < json_array_get_length(selections); i++) {
        JsonObject *selection = json_array_get_object_element(selections, i);
        g_autoptr(AimfSensitivities) sensitivities = golden_sensitivities(selection);
        JsonArray *masks = json_object_get_array_member(selection, "masks");
        g_assert_cmpuint(json_array_get_length(masks), ==, sensitivities->n);
        for (guint k = 1; k <= sensitivities->n; k++) {
            const char *mask = json_array_get_string_element(masks, k - 1);
            empty += strchr(mask, '1') == NULL;
            check_mask(sensitivities, k, mask);
        }
    }
    g_assert_cmpuint(empty, >, 0);
}

/* The k that the message recommends is the smallest that works. */
static void test_empty_selection(void)
{
    g_autoptr(JsonParser) golden = golden_open();
    JsonArray *selections = golden_array(golden, "selections");
    for (guint i = 0; i < json_array_get_length(selections); i++) {
        g_autoptr(AimfSensitivities) sensitivities = golden_sensitivities(json_array_get_object_element(selections, i));
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) first = aimf_select_top_k(sensitivities, 1, &error);
        if (first)
            continue;
        const char *number = strrchr(error->message, ' ') + 1;
        guint k = (guint)g_ascii_strtoull(number, NULL, 10);
        g_auto(GStrv) names = aimf_select_top_k(sensitivities, k, NULL);
        g_auto(GStrv) none = aimf_select_top_k(sensitivities, k - 1, NULL);
        g_assert_nonnull(names);
        g_assert_null(none);
    }
}

static void test_k_out_of_range(void)
{
    g_autoptr(JsonParser) golden = golden_open();
    g_autoptr(AimfSensitivities) sensitivities =
        golden_sensitivities(json_array_get_object_element(golden_array(golden, "selections"), 0));
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_select_top_k(sensitivities, 0, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_clear_error(&error);
    g_assert_null(aimf_select_top_k(sensitivities, 13, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, "--top-k is 13; with 12 tensors it must be from 1 to 12"));
}

static void test_share(void)
{
    static const struct {
        guint n;
        double share;
        guint k;
    } shares[] = { { 62, AIMF_TOP_K_SHARE, 55 },
                   { 62, 0.89, 55 },
                   { 62, 1, 62 },
                   { 62, 0.001, 1 },
                   { 10, 0.25, 3 },
                   { 10, 0.24, 2 },
                   { 152, 0.5, 76 },
                   { 152, AIMF_TOP_K_SHARE, 135 },
                   { 1, AIMF_TOP_K_SHARE, 1 } };
    for (gsize i = 0; i < G_N_ELEMENTS(shares); i++)
        g_assert_cmpuint(aimf_top_k(shares[i].n, shares[i].share), ==, shares[i].k);
}

/* --- Files --- */

static void test_round_trip(void)
{
    g_autoptr(JsonParser) golden = golden_open();
    g_autoptr(AimfSensitivities) saved =
        golden_sensitivities(json_array_get_object_element(golden_array(golden, "selections"), 4));
    g_autofree char *path = g_build_filename(folder, "sensitivity.json", NULL);
    g_autoptr(GError) error = NULL;
    g_assert_true(aimf_sensitivities_save(saved, path, &error));
    g_assert_no_error(error);
    g_autoptr(AimfSensitivities) opened = aimf_sensitivities_open(path, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(opened->model_hash, ==, "hash");
    g_assert_cmpuint(opened->n, ==, saved->n);
    for (guint i = 0; i < saved->n; i++) {
        const AimfSensitivity *a = &saved->tensors[i], *b = &opened->tensors[i];
        g_assert_cmpstr(a->name, ==, b->name);
        g_assert_cmpint(a->size, ==, b->size);
        g_assert_cmpfloat(a->domain, ==, b->domain);
        g_assert_cmpfloat(a->bias, ==, b->bias);
        g_assert_cmpuint(a->domain_rank, ==, b->domain_rank);
        g_assert_cmpuint(a->bias_rank, ==, b->bias_rank);
    }
    g_assert_false(aimf_sensitivities_save(saved, "/dev/full/x", &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_unlink(path);
}

#define A(domain, bias, ranks)                                                                                         \
    "{\"name\":\"a\",\"size\":4,\"domain\":" domain ",\"bias\":" bias ",\"domain_rank\":" ranks "}"
#define B "{\"name\":\"b\",\"size\":4,\"domain\":2,\"bias\":1,\"domain_rank\":2,\"bias_rank\":2}"
#define FILE_OF(tensors) "{\"version\":1,\"model\":\"m\",\"tensors\":[" tensors "]}"
#define FILE_WITH(member)                                                                                              \
    "{\"version\":1,\"model\":\"m\"," member ",\"tensors\":[" A("1", "2", "1,\"bias_rank\":1") "," B "]}"

static AimfSensitivities *open_text(const char *text, gssize length, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "hostile.json", NULL);
    g_assert_true(g_file_set_contents(path, text, length, NULL));
    AimfSensitivities *sensitivities = aimf_sensitivities_open(path, error);
    g_unlink(path);
    return sensitivities;
}

static void test_hostile_files(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        { "", "not JSON: it is empty" },
        { "[]", "not a JSON object" },
        { "{", "not JSON" },
        { "{}", "'version' is missing" },
        { "{\"version\":2,\"model\":\"m\",\"tensors\":[]}", "'version' must be a whole number from 1 to 1, not 2" },
        { "{\"version\":\"1\",\"model\":\"m\",\"tensors\":[]}", "'version' must be" },
        { "{\"version\":1,\"model\":\"\",\"tensors\":[]}", "'model' must be a text" },
        { "{\"version\":1,\"model\":\"m\",\"tensors\":{}}", "'tensors' must be an array" },
        { FILE_OF(""), "there are none" },
        { FILE_OF("1"), "tensors[0] must be an object" },
        { FILE_OF("null"), "tensors[0] must be an object" },
        { FILE_OF(A("NaN", "2", "1,\"bias_rank\":1") "," B), "not JSON" },
        { FILE_OF(A("1e999", "2", "1,\"bias_rank\":1") "," B), "'domain' must be a number" },
        { FILE_OF(A("-1", "2", "1,\"bias_rank\":1") "," B), "'domain' must be a number" },
        { FILE_OF(A("null", "2", "1,\"bias_rank\":1") "," B), "'domain' must be a number" },
        { FILE_OF(A("1", "2", "0,\"bias_rank\":1") "," B), "'domain_rank' must be a whole number from 1 to 2, not 0" },
        { FILE_OF(A("1", "2", "3,\"bias_rank\":1") "," B), "from 1 to 2, not 3" },
        { FILE_OF(A("1", "2", "1.5,\"bias_rank\":1") "," B), "'domain_rank' must be" },
        { FILE_OF(A("1", "2", "1") "," B), "'bias_rank' is missing" },
        { FILE_OF(A("1", "2", "2,\"bias_rank\":1") "," B),
          "the ranks of 'a' are 2 and 1, but its values give 1 and 1" },
        { FILE_OF(B "," B), "'b' is there twice" },
        { FILE_WITH("\"batch_norm\":\"train\""), "'batch_norm' is 'train'; it can only be 'frozen'" },
        { FILE_WITH("\"batch_norm\":null"), "'batch_norm' must be a text" },
        { FILE_OF("{\"name\":\"a\",\"size\":0,\"domain\":1,\"bias\":1,\"domain_rank\":1,\"bias_rank\":1}"), "'size'" },
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfSensitivities) good = open_text(FILE_OF(A("1", "2", "1,\"bias_rank\":1") "," B), -1, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(good->n, ==, 2);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_null(open_text(cases[i].text, -1, &error));
        if (!g_error_matches(error, AIMF_ERROR, AIMF_ERROR_FORMAT) || !strstr(error->message, cases[i].message))
            g_error("%s: expected '%s', found: %s", cases[i].text, cases[i].message, error->message);
        g_clear_error(&error);
    }
}

/* What the gradients' metadata say goes to the file and back; without them nothing is said. */
static void test_batch_norm(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(folder, "modes.json", NULL);
    for (int frozen = 0; frozen < 2; frozen++) {
        g_autoptr(AimfTensors) gradients = aimf_tensors_new();
        static const char *const names[] = { "real/a", "biased/a", "balanced/a" };
        for (int i = 0; i < 3; i++)
            g_assert_cmpint(
                aimf_tensors_add(gradients, names[i], AIMF_F32, &AIMF_SHAPE(1), &(float){ (float)i }, &error), >=, 0);
        if (frozen)
            aimf_tensors_set_metadata(gradients, AIMF_GRADIENTS_BATCH_NORM_KEY, "frozen");
        g_autoptr(AimfSensitivities) made = aimf_sensitivities_from_gradients(gradients, "hash", &error);
        g_assert_true(made && aimf_sensitivities_save(made, path, &error));
        g_autoptr(AimfSensitivities) found = aimf_sensitivities_open(path, &error);
        g_assert_no_error(error);
        g_autofree char *text = aimf_sensitivities_json(made);
        AimfBatchNormMode mode = frozen ? AIMF_BATCH_NORM_FROZEN : AIMF_BATCH_NORM_TRAIN;
        g_assert_cmpint(made->batch_norm, ==, mode);
        g_assert_cmpint(found->batch_norm, ==, mode);
        g_assert_cmpint(strstr(text, "batch_norm") != NULL, ==, frozen);
        aimf_tensors_set_metadata(gradients, AIMF_GRADIENTS_BATCH_NORM_KEY, "train");
        g_assert_null(aimf_sensitivities_from_gradients(gradients, "hash", &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
        g_clear_error(&error);
    }
    g_unlink(path);
}

static void test_truncated_file(void)
{
    static const char text[] = FILE_OF(A("1", "2", "1,\"bias_rank\":1") "," B);
    for (gsize length = 0; length < sizeof text - 1; length++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(open_text(text, (gssize)length, &error));
        g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
    }
}

static void test_deep_file(void)
{
    enum { DEPTH = 1 << 20 };
    g_autoptr(GString) text = g_string_new("{\"version\":");
    for (int i = 0; i < DEPTH; i++)
        g_string_append_c(text, '[');
    g_autoptr(GError) error = NULL;
    g_assert_null(open_text(text->str, (gssize)text->len, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT);
    g_assert_nonnull(strstr(error->message, "nested deeper"));
}

static void test_not_a_file(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(aimf_sensitivities_open(folder, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
    g_clear_error(&error);
    g_assert_null(aimf_sensitivities_open("/no/such/file.json", &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("aimfair-XXXXXX", NULL);
    g_test_add_func("/sensitivity/from-gradients", test_from_gradients);
    g_test_add_func("/sensitivity/bad-gradients", test_bad_gradients);
    g_test_add_func("/sensitivity/selection", test_selection);
    g_test_add_func("/sensitivity/empty-selection", test_empty_selection);
    g_test_add_func("/sensitivity/k-out-of-range", test_k_out_of_range);
    g_test_add_func("/sensitivity/share", test_share);
    g_test_add_func("/sensitivity/round-trip", test_round_trip);
    g_test_add_func("/sensitivity/hostile-files", test_hostile_files);
    g_test_add_func("/sensitivity/batch-norm", test_batch_norm);
    g_test_add_func("/sensitivity/truncated-file", test_truncated_file);
    g_test_add_func("/sensitivity/deep-file", test_deep_file);
    g_test_add_func("/sensitivity/not-a-file", test_not_a_file);
    int status = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return status;
}
