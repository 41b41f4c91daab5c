/*
 * What is found about sets by their pictures, classes and groups, and by what a model carries. Right values by hand.
 */
#include "data/support_data.h"
#include "train/grid.h"
#include "train/provenance.h"

#include <aimfair/sets.h>
#include <string.h>

static char *folder;

/* Pictures @first … of so many in the groups 0_a, 0_b, 1_a, 1_b; each number is a file of its own. */
static AimfManifest *set_of(guint first, const guint counts[4])
{
    AimfManifest *set = aimf_manifest_new();
    for (guint g = 0; g < 4; g++) {
        for (guint i = 0; i < counts[g]; i++) {
            g_autofree char *name = g_strdup_printf("%u.png", first), *text = g_strdup_printf("picture %u", first);
            g_autofree char *path = data_write(folder, name, text);
            aimf_manifest_add(set, path, (int)(g / 2), g % 2 ? "b" : "a");
            first++;
        }
    }
    return set;
}
#define SET(first, ...) set_of(first, (const guint[]){ __VA_ARGS__ })

/* The names of @findings with ! for certain ones: "one-class! overlap". */
static char *names_of(const AimfFindings *findings)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < aimf_findings_count(findings); i++) {
        const AimfFinding *finding = aimf_findings_at(findings, i);
        g_test_message("%s%s: %s", finding->name, finding->certain ? "!" : "", finding->text);
        g_string_append_printf(text, "%s%s%s", i ? " " : "", finding->name, finding->certain ? "!" : "");
    }
    return g_string_free(text, FALSE);
}

static void expect_training(const AimfTrainingSets *sets, const char *names, const char *says)
{
    GError *error = NULL;
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    g_assert_true(aimf_check_training_sets(sets, NULL, findings, &error));
    g_autofree char *found = names_of(findings);
    g_assert_cmpstr(found, ==, names);
    g_assert_true(!*says || strstr(aimf_findings_at(findings, 0)->text, says));
}

static void expect_sensitivity(const AimfManifest *real, const AimfManifest *biased, const AimfManifest *balanced,
                               const char *names, const char *says)
{
    GError *error = NULL;
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    const AimfSensitivitySets sets = { .real = real, .biased = biased, .balanced = balanced };
    g_assert_true(aimf_check_sensitivity_sets(&sets, NULL, findings, &error));
    g_autofree char *found = names_of(findings);
    g_assert_cmpstr(found, ==, names);
    g_assert_true(!*says || strstr(aimf_findings_at(findings, 0)->text, says));
}

/* --- Groups --- */

static void expect_grid(const guint counts[4], double evenness, double distance)
{
    g_autoptr(AimfManifest) set = set_of(0, counts);
    g_auto(AimfGrid) grid = { 0 };
    const AimfManifest *const sets[] = { set };
    aimf_grid_init(&grid, sets, 1, 0);
    g_autofree guint *found = aimf_grid_counts(&grid, set);
    g_assert_cmpuint(grid.n, ==, 4);
    for (guint g = 0; g < 4; g++)
        g_assert_cmpuint(found[g], ==, counts[g]);
    g_assert_cmpfloat_with_epsilon(aimf_grid_evenness(&grid, found), evenness, 1e-12);
    g_assert_cmpfloat_with_epsilon(aimf_grid_distance(&grid, found), distance, 1e-12);
}

static void test_grid(void)
{
    expect_grid((const guint[]){ 5, 5, 5, 5 }, 1, 0);
    expect_grid((const guint[]){ 1, 9, 9, 1 }, 1.0 / 9, 0.4);
    expect_grid((const guint[]){ 4, 4, 4, 0 }, 0, 0.25);
    expect_grid((const guint[]){ 2, 4, 4, 2 }, 0.5, 1.0 / 6);
}

/* A set with one label that no other has knows nothing about labels: then there is nothing to be balanced. */
static void test_without_labels(void)
{
    g_autoptr(AimfManifest) labelled = SET(0, 9, 1, 1, 9), plain = aimf_manifest_new();
    aimf_manifest_add(plain, "/none/1.png", 0, "");
    aimf_manifest_add(plain, "/none/2.png", 1, "");
    const AimfManifest *const both[] = { plain, labelled }, *const alone[] = { plain };
    g_auto(AimfGrid) grid = { 0 }, bare = { 0 };
    aimf_grid_init(&grid, both, 2, 1);
    g_assert_true(aimf_grid_has_labels(&grid) && grid.n == 4);
    g_assert_false(aimf_grid_knows(&grid, plain));
    aimf_grid_init(&bare, alone, 1, 0);
    g_assert_false(aimf_grid_has_labels(&bare));
    g_autofree guint *counts = aimf_grid_counts(&bare, plain);
    g_autofree char *text = aimf_grid_text(&bare, counts);
    g_assert_cmpstr(text, ==, "class 0: 1, class 1: 1");
    expect_training(&(AimfTrainingSets){ .train = plain, .validation = labelled, .finetuning = TRUE }, "", "");
    expect_training(&(AimfTrainingSets){ .train = labelled, .validation = plain, .finetuning = TRUE }, "unbalanced",
                    "0_a: 9, 0_b: 1, 1_a: 1, 1_b: 9");
    expect_sensitivity(plain, labelled, labelled, "same-set! unbalanced", "all 20 of them");
}

/* --- Training --- */

static void test_training(void)
{
    g_autoptr(AimfManifest) train = SET(0, 2, 9, 9, 2), val = SET(100, 3, 3, 3, 3), half = SET(20, 3, 3, 3, 3),
                            one = SET(200, 5, 5, 0, 0), gap = SET(300, 3, 0, 3, 3), even = SET(400, 4, 4, 3, 3);
    expect_training(&(AimfTrainingSets){ .train = train, .validation = val }, "", "");
    expect_training(&(AimfTrainingSets){ .train = train, .validation = train }, "same-set!", "all 22 of them");
    expect_training(&(AimfTrainingSets){ .train = train, .validation = half }, "overlap!",
                    "2 of the 12 pictures of the validation set are also in the training set, the first in row 1");
    expect_training(&(AimfTrainingSets){ .train = one, .validation = val }, "one-class!",
                    "all 10 pictures of the training set have the target 0");
    expect_training(&(AimfTrainingSets){ .train = train, .validation = one }, "one-class! empty-group", "target 0");
    expect_training(&(AimfTrainingSets){ .train = train, .validation = gap }, "empty-group",
                    "0_a: 3, 0_b: 0, 1_a: 3, 1_b: 3");
    expect_training(&(AimfTrainingSets){ .train = even, .validation = val, .finetuning = TRUE }, "", "");
    expect_training(&(AimfTrainingSets){ .train = train, .validation = val, .finetuning = TRUE }, "unbalanced",
                    "0_a: 2, 0_b: 9, 1_a: 9, 1_b: 2");
    expect_training(&(AimfTrainingSets){ .train = gap, .validation = val, .finetuning = TRUE }, "unbalanced", "0_b: 0");
}

/* Random weights have no statistics that could be kept; a norm without any has none to keep. */
static void test_frozen_start(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfManifest) train = SET(0, 3, 3, 3, 3), val = SET(100, 3, 3, 3, 3);
    static const struct {
        const char *architecture, *names;
    } cases[] = { { "resnet18", "batch-norm" }, { "vit_small_patch32_224", "" } };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(AimfModel) model = aimf_model_new(cases[i].architecture, 32, 1, 1, &error);
        g_assert_no_error(error);
        AimfTrainingSets sets = { .model = model, .train = train, .validation = val };
        expect_training(&sets, "", "");
        sets.batch_norm = AIMF_BATCH_NORM_FROZEN;
        expect_training(&sets, cases[i].names, cases[i].names[0] ? "of no pictures" : "");
        sets.finetuning = TRUE;
        expect_training(&sets, "", "");
        sets.finetuning = FALSE;
        sets.start = model->tensors;
        expect_training(&sets, "", "");
    }
}

static void test_classes(void)
{
    g_autoptr(AimfManifest) three = SET(0, 4, 4, 4, 4), two = SET(100, 4, 4, 4, 4);
    aimf_manifest_add(three, "/none/3.png", 2, "a");
    expect_training(&(AimfTrainingSets){ .train = three, .validation = two }, "missing-class empty-group",
                    "the validation set has no pictures with the target 2");
}

static void expect_use(const AimfModel *model, const AimfManifest *data, const char *names)
{
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    aimf_check_evaluation_set(model, data, findings);
    g_autofree char *found = names_of(findings);
    g_assert_cmpstr(found, ==, names);
}

/* --- Names --- */

/* Pictures @first …, one for each of @rows (n): target, name, label, name of the label. */
typedef const char *Named[4];
static AimfManifest *named_set(guint first, const Named *rows, guint n)
{
    AimfManifest *set = SET(first, 4, 4, 4, 4);
    for (guint i = 0; i < n; i++) {
        g_autofree char *path = g_strdup_printf("/none/%u.png", first + i);
        guint row = aimf_manifest_count(set);
        aimf_manifest_add(set, path, rows[i][0][0] - '0', rows[i][2]);
        aimf_manifest_set(set, row, "target_name", rows[i][1]);
        aimf_manifest_set(set, row, "protected_name", rows[i][3]);
    }
    return set;
}
#define NAMED(first, ...)                                                                                              \
    named_set(first, (const Named[]){ __VA_ARGS__ }, sizeof((const Named[]){ __VA_ARGS__ }) / sizeof(Named))

/* One number with two names: certain where a name also stands for another number, else doubtful. */
static void test_names(void)
{
    g_autoptr(AimfManifest)
        set = NAMED(0, { "0", "male", "a", "old" }, { "1", "female", "b", "young" }),
        same = NAMED(100, { "0", "Male ", "a", "Old" }, { "1", "", "b", "b" }),
        swapped = NAMED(200, { "0", "female", "a", "old" }, { "1", "male", "b", "young" }),
        other = NAMED(300, { "0", "man", "a", "old" }, { "1", "woman", "b", "young" }),
        groups = NAMED(400, { "0", "male", "a", "young" }, { "1", "female", "b", "old" }),
        twice = NAMED(500, { "0", "male", "a", "old" }, { "0", "female", "a", "old" }, { "1", "female", "b", "x" });
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", 32, 1, 1, NULL);
    expect_training(&(AimfTrainingSets){ .train = set, .validation = same }, "", "");
    expect_training(&(AimfTrainingSets){ .train = set, .validation = same, .model = model }, "", "");
    expect_training(&(AimfTrainingSets){ .train = set, .validation = swapped }, "names!",
                    "class 0 is 'male' in the training set and 'female' in the validation set; class 1 is 'female' in "
                    "the training set and 'male' in the validation set");
    expect_training(&(AimfTrainingSets){ .train = set, .validation = other }, "names",
                    "class 0 is 'male' in the training set and 'man' in the validation set; class 1 is");
    expect_training(&(AimfTrainingSets){ .train = set, .validation = groups }, "names!",
                    "protected label a is 'old' in the training set and 'young' in the validation set");
    expect_training(&(AimfTrainingSets){ .train = same, .validation = twice }, "names!",
                    "class 0 is 'male' in the validation set and 'female': ");
    model->classes = g_strsplit("female,male", ",", -1);
    expect_training(&(AimfTrainingSets){ .train = set, .validation = same, .model = model }, "names!",
                    "class 0 is 'male' in the training set and 'female' in the model");
    expect_use(model, set, "names!");
    expect_use(model, swapped, "");
    expect_use(model, other, "names");
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    GError *error = NULL;
    g_assert_true(
        aimf_check_sensitivity_sets(&(AimfSensitivitySets){ NULL, same, set, swapped }, NULL, findings, &error));
    g_assert_true(aimf_findings_has(findings, "names"));
}

static void expect_names(const AimfNamed *sources, guint n, const char *names)
{
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    aimf_check_names(sources, n, findings);
    g_autofree char *found = names_of(findings);
    g_assert_cmpstr(found, ==, names);
}

/* A source that only says it in other words hides no swap between two others, in whatever order they come. */
static void test_names_of_three(void)
{
    static const char *const male[] = { "male", "female", NULL };
    static const char *const man[] = { "man", "woman", NULL };
    static const char *const swapped[] = { "female", "male", NULL };
    static const char *const woman[] = { "woman", "man", NULL };
    static const int ORDERS[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
    const AimfNamed first[] = { { .source = "a", .classes = (char *const *)male },
                                { .source = "b", .classes = (char *const *)man },
                                { .source = "c", .classes = (char *const *)swapped } };
    const AimfNamed second[] = { first[0], first[1], { .source = "d", .classes = (char *const *)woman } };
    for (gsize i = 0; i < G_N_ELEMENTS(ORDERS); i++) {
        AimfNamed one[3], two[3];
        for (int k = 0; k < 3; k++) {
            one[k] = first[ORDERS[i][k]];
            two[k] = second[ORDERS[i][k]];
        }
        expect_names(one, 3, "names!");
        expect_names(two, 3, "names!");
    }
    expect_names(first, 2, "names");
    expect_names(first, 1, "");
}

/* Names may be any bytes, and blanks around them do not count; captions are no names. */
static void test_odd_names(void)
{
    g_autoptr(AimfManifest) latin = NAMED(600, { "0", "m\xe4nnlich", "a", "alt" }, { "1", "weiblich", "b", "jung" }),
                            same = NAMED(700, { "0", " m\xe4nnlich ", "a", " " }, { "1", "weiblich", "b", "jung" });
    expect_names((AimfNamed[]){ { .source = "a", .manifest = latin }, { .source = "b", .manifest = same } }, 2, "");
    enum { N = 4 * 1000 + 2 };
    g_autofree Named *rows = g_new(Named, N);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < N; i++) {
        g_ptr_array_add(texts, g_strdup_printf("caption %u", i));
        rows[i][0] = i % 2 ? "1" : "0";
        rows[i][1] = g_ptr_array_index(texts, i);
        rows[i][2] = "a";
        rows[i][3] = "x";
    }
    g_autoptr(AimfManifest) captions = named_set(1000, (const Named *)rows, N);
    expect_names((AimfNamed[]){ { .source = "captions", .manifest = captions } }, 1, "");
}

/* --- What a model carries --- */

static AimfManifest *reversed_copy(const AimfManifest *set, const char *where)
{
    AimfManifest *copy = aimf_manifest_new();
    for (guint i = aimf_manifest_count(set); i-- > 0;) {
        AimfSample sample = aimf_manifest_at(set, i);
        g_autofree char *name = g_path_get_basename(sample.path), *below = g_build_filename(where, name, NULL);
        g_autofree char *text = NULL;
        g_assert_true(g_file_get_contents(sample.path, &text, NULL, NULL));
        g_autofree char *path = data_write(folder, below, text);
        aimf_manifest_add(copy, path, sample.target, sample.protected_label);
    }
    return copy;
}

static void record_training(AimfModel *model, const AimfManifest *train, const AimfManifest *validation)
{
    AimfTrainOptions options = AIMF_PRETRAIN_DEFAULTS;
    JsonObject *run = aimf_run_describe(model, train, validation, &options);
    AimfTrainResult result = { .best_accuracy = 0.5 };
    aimf_run_record(model, run, train, validation, &result);
    json_object_unref(run);
}

static AimfModel *trained_model(const AimfManifest *train, const AimfManifest *validation)
{
    AimfModel *model = aimf_model_new("resnet18", 32, 1, 1, NULL);
    record_training(model, train, validation);
    return model;
}

static void test_provenance(void)
{
    g_autoptr(AimfManifest) train = SET(0, 2, 9, 9, 2), val = SET(100, 3, 3, 3, 3), other = SET(200, 3, 3, 3, 3),
                            moved = reversed_copy(train, "elsewhere"), moved_val = reversed_copy(val, "elsewhere");
    g_autoptr(AimfModel) model = trained_model(train, val), fresh = aimf_model_new("resnet18", 32, 1, 1, NULL);
    expect_use(model, train, "trained-on");
    expect_use(model, moved, "trained-on");
    expect_use(model, val, "chosen-on");
    expect_use(model, moved_val, "chosen-on");
    expect_use(model, other, "");
    expect_use(fresh, train, "");
    const AimfTensors *start = model->tensors;
    expect_training(&(AimfTrainingSets){ .start = start, .train = other, .validation = moved, .finetuning = TRUE },
                    "trained-on!", "the model to begin with was trained on");
    expect_training(&(AimfTrainingSets){ .start = start, .train = moved, .validation = other, .finetuning = TRUE },
                    "same-set!", "it is not balanced (0_a: 2, 0_b: 9, 1_a: 9, 1_b: 2)");
    expect_training(&(AimfTrainingSets){ .start = start, .train = val, .validation = other, .finetuning = TRUE },
                    "chosen-on", "");
    /* Fine-tuning on with the set of an earlier fine-tuning is only what it is. */
    g_autoptr(AimfManifest) uneven = SET(300, 2, 5, 2, 2);
    record_training(model, uneven, val);
    expect_use(model, uneven, "trained-on");
    expect_training(&(AimfTrainingSets){ .start = start, .train = uneven, .validation = other, .finetuning = TRUE },
                    "unbalanced", "");
    aimf_tensors_set_metadata(model->tensors, "aimfair.trainings", "[{\"train\": 5}, 7, {}]");
    expect_use(model, train, "");
    aimf_tensors_set_metadata(model->tensors, "aimfair.trainings", "nonsense");
    expect_use(model, train, "");
}

/* --- Sensitivity --- */

static void test_sensitivity(void)
{
    g_autoptr(AimfManifest) real = SET(0, 2, 18, 18, 2), biased = SET(100, 1, 9, 9, 1), balanced = SET(200, 5, 5, 5, 5),
                            shared = SET(105, 4, 4, 4, 4), missing = SET(300, 6, 6, 6, 0), mild = SET(400, 4, 5, 5, 4),
                            part = SET(35, 1, 9, 9, 1), even = SET(500, 5, 5, 5, 5), one = SET(600, 0, 0, 8, 8);
    expect_sensitivity(real, biased, balanced, "", "");
    expect_sensitivity(real, biased, shared, "", ""); /* two drawings from one folder */
    expect_sensitivity(real, balanced, biased, "swapped!", "0_a: 1, 0_b: 9, 1_a: 9, 1_b: 1");
    expect_sensitivity(real, even, mild, "swapped", "less balanced");
    expect_sensitivity(real, real, balanced, "same-set!", "the real set and the biased set have the same pictures");
    expect_sensitivity(real, biased, biased, "same-set! unbalanced", "the biased set and the balanced set");
    expect_sensitivity(real, real, real, "same-set! same-set! same-set! unbalanced", "all 40 of them");
    expect_sensitivity(real, part, balanced, "overlap!", "5 of the 20 pictures of the biased set");
    expect_sensitivity(real, biased, missing, "unbalanced", "1_b: 0");
    expect_sensitivity(balanced, biased, even, "unbiased", "the real set is hardly biased");
    expect_sensitivity(real, biased, one, "one-class! swapped", "target 1");
}

/* The photographs in a synthetic set's place are known by the model. */
static void test_sensitivity_of_model(void)
{
    GError *error = NULL;
    g_autoptr(AimfManifest) real = SET(0, 2, 18, 18, 2), val = SET(50, 3, 3, 3, 3), biased = SET(100, 1, 9, 9, 1),
                            balanced = SET(200, 5, 5, 5, 5);
    g_autoptr(AimfModel) model = trained_model(real, val);
    for (int swapped = 0; swapped < 2; swapped++) {
        g_autoptr(AimfFindings) findings = aimf_findings_new();
        const AimfSensitivitySets sets = { model, swapped ? biased : real, swapped ? real : biased, balanced };
        g_assert_true(aimf_check_sensitivity_sets(&sets, NULL, findings, &error));
        g_autofree char *names = names_of(findings);
        g_assert_cmpstr(names, ==, swapped ? "swapped!" : "");
    }
}

/* (owned) the pictures of @set with other classes and labels; a NULL label is none at all. */
static AimfManifest *relabelled(const AimfManifest *set, gboolean other_classes, const char *a, const char *b)
{
    AimfManifest *copy = aimf_manifest_new();
    for (guint i = 0; i < aimf_manifest_count(set); i++) {
        AimfSample sample = aimf_manifest_at(set, i);
        aimf_manifest_add(copy, sample.path, other_classes ? 1 - sample.target : sample.target,
                          strcmp(sample.protected_label, "a") == 0 ? a : b);
    }
    return copy;
}

/* A set is the same under other labels, without any, and for another question. */
static void test_provenance_without_labels(void)
{
    g_autoptr(AimfManifest) train = SET(0, 2, 9, 9, 2), val = SET(100, 3, 3, 3, 3), other = SET(200, 3, 3, 3, 3),
                            bare = relabelled(train, FALSE, NULL, NULL), renamed = relabelled(train, FALSE, "x", "y"),
                            asked = relabelled(train, TRUE, "a", "b"), bare_val = relabelled(val, FALSE, NULL, NULL);
    g_autoptr(AimfModel) model = trained_model(train, val), unlabelled = trained_model(bare, bare_val);
    const AimfManifest *const again[] = { bare, renamed, asked };
    for (gsize i = 0; i < G_N_ELEMENTS(again); i++) {
        expect_use(model, again[i], "trained-on");
        expect_training(
            &(AimfTrainingSets){ .start = model->tensors, .train = other, .validation = again[i], .finetuning = TRUE },
            again[i] == renamed ? "labels trained-on!" : "trained-on!", "");
    }
    expect_use(model, bare_val, "chosen-on");
    expect_use(unlabelled, train, "trained-on");
    expect_use(unlabelled, val, "chosen-on");
    expect_training(
        &(AimfTrainingSets){ .start = model->tensors, .train = bare, .validation = other, .finetuning = TRUE },
        "same-set", "is a set that the model was trained on before");
    expect_training(
        &(AimfTrainingSets){ .start = model->tensors, .train = renamed, .validation = other, .finetuning = TRUE },
        "labels same-set!", "");
}

static void test_labels(void)
{
    g_autoptr(AimfManifest) real = SET(0, 2, 18, 18, 2), balanced = SET(200, 5, 5, 5, 5), other = aimf_manifest_new();
    for (int i = 0; i < 8; i++) {
        g_autofree char *path = g_strdup_printf("/none/%d.png", i);
        aimf_manifest_add(other, path, i % 2, i < 3 ? "x" : "y");
    }
    expect_sensitivity(real, other, balanced, "labels labels", "no protected label in common");
    expect_training(&(AimfTrainingSets){ .train = balanced, .validation = other, .finetuning = TRUE }, "labels",
                    "('a' there, 'x' here)");
}

/* Twice the same is many a drawing; twice different is wrong once. */
static void test_contradiction(void)
{
    g_autoptr(AimfManifest) train = SET(0, 5, 5, 5, 5), val = SET(100, 3, 3, 3, 3);
    aimf_manifest_add(val, aimf_manifest_at(val, 0).path, 0, "a");
    expect_training(&(AimfTrainingSets){ .train = train, .validation = val }, "", "");
    aimf_manifest_add(val, aimf_manifest_at(val, 0).path, 1, "a");
    aimf_manifest_add(val, aimf_manifest_at(val, 0).path, 1, "a");
    expect_training(&(AimfTrainingSets){ .train = train, .validation = val }, "contradiction",
                    "has the target 0 in row 1 and 1 in row 14 (such rows: 2)");
}

/* Spellings of one label are told, and are one group when sets are compared, or wherever they are merged. */
static void test_spellings(void)
{
    g_autoptr(AimfManifest) train = SET(0, 5, 5, 5, 5), plain = SET(100, 3, 3, 3, 3), real = SET(300, 2, 18, 18, 2),
                            biased = SET(400, 1, 9, 9, 1), val = relabelled(plain, FALSE, "A", " b\xC2\xAD"),
                            mixed = relabelled(plain, FALSE, "a", "B");
    expect_training(&(AimfTrainingSets){ .train = train, .validation = val, .finetuning = TRUE }, "spellings",
                    "spell protected labels differently, which count as different groups: 'a' and 'A', 'b' and ' b");
    expect_sensitivity(real, biased, val, "spellings spellings", "--merge-labels");
    expect_sensitivity(real, val, biased, "spellings spellings swapped!", "");
    expect_sensitivity(real, biased, mixed, "spellings spellings", "'b' and 'B'");
    AimfManifest *const all[] = { train, val, mixed };
    guint n;
    aimf_manifests_merge_labels(all, 3);
    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        const char *const *labels = aimf_manifest_groups(all[i], &n);
        g_assert_cmpuint(n, ==, 2);
        g_assert_cmpstr(labels[0], ==, "a"); /* 16 rows of 22 */
        g_assert_cmpstr(labels[1], ==, "b");
    }
    g_assert_cmpstr(aimf_manifest_at(val, 5).protected_label, ==, "b");
    g_assert_cmpint(aimf_manifest_at(val, 5).group, ==, 1);
    expect_sensitivity(real, biased, val, "", "");
}

/* --- Findings themselves --- */

static void test_allowing(void)
{
    GError *error = NULL;
    g_autoptr(AimfFindings) findings = aimf_findings_new(), read = aimf_findings_new();
    aimf_findings_add(findings, "overlap", TRUE, "%d shared", 3);
    aimf_findings_add(findings, "overlap", TRUE, "%d shared", 3);
    aimf_findings_add(findings, "same-set", TRUE, "all \"the\" same");
    aimf_findings_add(findings, "labels", FALSE, "\xff");
    g_assert_cmpuint(aimf_findings_count(findings), ==, 3);
    g_assert_false(aimf_findings_allow(findings, (const char *const[]){ "swapped", NULL }, &error));
    data_expect_error(&error, AIMF_ERROR_INVALID, "3 shared; all \"the\" same", "--allow overlap,same-set", NULL);
    g_assert_true(aimf_findings_allow(findings, (const char *const[]){ "overlap", NULL }, &error)); /* the whole, too */
    g_assert_false(aimf_findings_at(findings, 1)->certain);
    g_assert_true(aimf_findings_allow(findings, NULL, &error));
    g_autofree char *json = aimf_findings_json(findings);
    g_assert_true(aimf_findings_parse(read, json));
    g_autofree char *again = aimf_findings_json(read), *none = aimf_findings_json(NULL);
    g_assert_cmpstr(again, ==, json);
    g_assert_cmpstr(none, ==, "[]");
    const char *const wrong[] = { "", "{}", "[1]", "[{}]", "[{\"name\": 1, \"text\": \"x\"}]" };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
        g_assert_false(aimf_findings_parse(read, wrong[i]));
}

/* --- What a training did --- */

static void expect_judged(gboolean fresh_head, const guint counts[4][3], double start, double best, gboolean kept,
                          const char *names, const char *says)
{
    g_autoptr(AimfManifest) val = SET(0, 1, 1, 1, 1);
    AimfTrainResult result = { .history = g_array_new(FALSE, FALSE, sizeof(AimfEpoch)),
                               .groups = g_array_new(FALSE, FALSE, sizeof(AimfGroupChange)),
                               .best_accuracy = kept ? start : best,
                               .kept_start = kept,
                               .start = { .val_accuracy = start, .val_worst_group_accuracy = 1 } };
    AimfEpoch epoch = { .val_accuracy = best };
    g_array_append_val(result.history, epoch);
    for (int g = 0; g < 4; g++) {
        AimfGroupChange change = { g / 2, g % 2, counts[g][0], counts[g][1], counts[g][2] };
        g_array_append_val(result.groups, change);
        if (change.n)
            result.start.val_worst_group_accuracy =
                MIN(result.start.val_worst_group_accuracy, (double)change.right_before / change.n);
    }
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    aimf_check_result(&result, val, fresh_head, findings);
    g_autofree char *found = names_of(findings);
    g_assert_cmpstr(found, ==, names);
    g_autofree char *json = aimf_findings_json(findings);
    g_assert_true(strstr(json, says));
    aimf_train_result_clear(&result);
}

static void expect_result(const guint counts[4][3], double start, double best, gboolean kept, const char *names,
                          const char *says)
{
    expect_judged(FALSE, counts, start, best, kept, names, says);
}

/* A new final layer is right by chance: what is trained is judged by the most frequent class alone. */
static void test_fresh_head(void)
{
    static const guint lucky[4][3] = { { 60, 34, 30 }, { 60, 58, 50 }, { 40, 38, 30 }, { 20, 15, 10 } };
    expect_judged(TRUE, lucky, 145 / 180.0, 120 / 180.0 + 0.01, FALSE, "", "[]");
    expect_judged(FALSE, lucky, 145 / 180.0, 120 / 180.0 + 0.01, FALSE, "start-better collapse levelling-down", "");
    expect_judged(
        TRUE, lucky, 145 / 180.0, 120 / 180.0, FALSE, "collapse",
        "no better than one that gives every picture the class 0: validation accuracy 66.67 %, and that class "
        "has 66.67 % of the pictures");
    expect_judged(TRUE, lucky, 145 / 180.0, 0.75, TRUE, "start-better", "right by chance alone; the start is kept");
}

static void test_result(void)
{
    expect_result((const guint[4][3]){ { 50, 40, 45 }, { 50, 45, 46 }, { 50, 44, 44 }, { 50, 30, 35 } }, 0.795, 0.85,
                  FALSE, "", "[]");
    expect_result((const guint[4][3]){ { 50, 40, 45 }, { 50, 45, 40 }, { 0, 0, 0 }, { 50, 30, 35 } }, 0.767, 0.8, FALSE,
                  "levelling-down",
                  "1 of 3 groups are worse than at the start, in accuracy on the validation set: 0_b "
                  "from 90.00 to 80.00 % (-10.00)");
    expect_result((const guint[4][3]){ { 60, 34, 8 }, { 60, 50, 60 }, { 60, 52, 60 }, { 60, 45, 42 } }, 0.7542, 0.7083,
                  FALSE, "start-better collapse levelling-down", "fell from 56.67 to 13.33 %");
    expect_result((const guint[4][3]){ { 60, 34, 8 }, { 60, 50, 30 }, { 60, 52, 50 }, { 60, 45, 42 } }, 0.7542, 0.57,
                  FALSE, "start-better collapse levelling-down", "validation accuracy fell from 75.42 to 57.00 %");
    expect_result((const guint[4][3]){ { 60, 34, 34 }, { 60, 50, 50 }, { 60, 52, 52 }, { 60, 45, 45 } }, 0.7542, 0.7083,
                  TRUE, "start-better", "the start is kept");
    /* A start that says one class everywhere is nothing to be worse than. */
    expect_result((const guint[4][3]){ { 50, 50, 45 }, { 50, 50, 40 }, { 50, 0, 30 }, { 50, 0, 35 } }, 0.5, 0.75, FALSE,
                  "", "[]");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = data_folder_new();
    g_test_add_func("/check-sets/grid", test_grid);
    g_test_add_func("/check-sets/without-labels", test_without_labels);
    g_test_add_func("/check-sets/training", test_training);
    g_test_add_func("/check-sets/frozen-start", test_frozen_start);
    g_test_add_func("/check-sets/classes", test_classes);
    g_test_add_func("/check-sets/names", test_names);
    g_test_add_func("/check-sets/names-of-three", test_names_of_three);
    g_test_add_func("/check-sets/odd-names", test_odd_names);
    g_test_add_func("/check-sets/provenance", test_provenance);
    g_test_add_func("/check-sets/sensitivity", test_sensitivity);
    g_test_add_func("/check-sets/sensitivity-of-model", test_sensitivity_of_model);
    g_test_add_func("/check-sets/provenance-without-labels", test_provenance_without_labels);
    g_test_add_func("/check-sets/labels", test_labels);
    g_test_add_func("/check-sets/contradiction", test_contradiction);
    g_test_add_func("/check-sets/spellings", test_spellings);
    g_test_add_func("/check-sets/allowing", test_allowing);
    g_test_add_func("/check-sets/result", test_result);
    g_test_add_func("/check-sets/fresh-head", test_fresh_head);
    int status = g_test_run();
    data_folder_free(folder);
    return status;
}
