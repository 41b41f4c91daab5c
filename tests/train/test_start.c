/* The start as epoch 0, keeping it, going on from states with and without it, and runs that are made longer. */
#include "device/support_devices.h"
#include "train/support_drawn.h"
#include "weights/support_weights.h"

#include <aimfair/train.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

enum { BATCH = 8 };

static char *folder;
static AimfManifest *train_set, *validation_set, *flipped_set; /* flipped: @train_set with each class for the other */

static AimfManifest *flipped(const AimfManifest *manifest)
{
    AimfManifest *made = aimf_manifest_new();
    for (guint i = 0; i < aimf_manifest_count(manifest); i++) {
        AimfSample sample = aimf_manifest_at(manifest, i);
        aimf_manifest_add(made, sample.path, 1 - sample.target, sample.protected_label);
    }
    return made;
}

static AimfTrainOptions short_training(guint epochs, double rate)
{
    return (AimfTrainOptions){
        .device = support_device_under_test(),
        .epochs = epochs,
        .batch = BATCH,
        .learning_rate = rate,
        .optimizer.momentum = 0.9,
        .shuffle = TRUE,
        .seed = 5,
        .threads = 1,
        .measure_start = TRUE,
    };
}

static AimfModel *trained(const AimfTrainOptions *options, AimfTrainResult *result)
{
    return support_drawn_train(train_set, validation_set, options, result);
}

/* Right answers of @model in each of the four groups, counted without the loop. */
static void count_right(const AimfModel *model, guint n[4], guint right[4])
{
    AimfPredictOptions predict = { .device = support_device_under_test(), .threads = 1 };
    g_autoptr(AimfPredictions) predictions = aimf_model_predict(model, validation_set, &predict, NULL, NULL);
    memset(n, 0, 4 * sizeof *n);
    memset(right, 0, 4 * sizeof *right);
    for (guint i = 0; i < predictions->n; i++) {
        AimfSample sample = aimf_manifest_at(validation_set, i);
        n[2 * sample.target + sample.group]++;
        right[2 * sample.target + sample.group] += predictions->prediction[i] == sample.target;
    }
}

static void expect_groups(const AimfTrainResult *result, const AimfModel *before, const AimfModel *after)
{
    guint n[4], right_before[4], right_after[4];
    count_right(before, n, right_before);
    count_right(after, n, right_after);
    guint all = 0, all_before = 0;
    for (guint g = 0; g < 4; g++) {
        const AimfGroupChange *group = &g_array_index(result->groups, AimfGroupChange, g);
        g_assert_cmpint(group->target * 2 + group->group, ==, g);
        g_assert_cmpuint(group->n, ==, n[g]);
        g_assert_cmpuint(group->right_before, ==, right_before[g]);
        g_assert_cmpuint(group->right_after, ==, right_after[g]);
        all += n[g];
        all_before += right_before[g];
    }
    g_assert_cmpfloat(result->start.val_accuracy, ==, all_before / (double)all);
}

/* Measuring the start changes nothing of what is trained. */
static void test_measured(void)
{
    AimfTrainOptions options = short_training(2, 0.02);
    AimfTrainResult with, without;
    g_autoptr(AimfModel) fresh = aimf_model_new("resnet18", 32, 1, 1, NULL);
    g_autoptr(AimfModel) one = trained(&options, &with);
    options.measure_start = FALSE;
    g_autoptr(AimfModel) other = trained(&options, &without);
    g_autofree char *a = aimf_model_hash(one), *b = aimf_model_hash(other);
    g_assert_cmpstr(a, ==, b);
    g_assert_null(without.groups);
    expect_groups(&with, fresh, one);
    g_autofree char *json = aimf_train_result_json(&with), *bare = aimf_train_result_json(&without);
    g_assert_true(g_str_has_prefix(
        json, "[{\"epoch\":0,\"learning_rate\":null,\"loss\":null,\"train_accuracy\":null,\"val_loss\":"));
    g_assert_true(g_str_has_prefix(bare, "[{\"epoch\":1,"));
    g_assert_nonnull(strstr(aimf_tensors_metadata(one->tensors, "aimfair.trainings"), "\"start_accuracy\":"));
    aimf_train_result_clear(&with);
    aimf_train_result_clear(&without);
}

/* Wrong labels that spoil everything: the start is kept to the bit, or the best of the bad epochs as ever. */
static void test_kept(void)
{
    AimfTrainOptions options = short_training(8, 0.02);
    AimfTrainResult result;
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfModel) good = trained(&options, &result);
    double accuracy = result.best_accuracy;
    aimf_train_result_clear(&result);
    g_assert_cmpfloat(accuracy, >, 0.7);
    g_autofree char *before = aimf_model_hash(good);
    for (AimfKeepBestOf keep = AIMF_KEEP_BEST_OF_EPOCHS; keep <= AIMF_KEEP_BEST_OF_START; keep++) {
        g_autoptr(AimfModel) model = aimf_model_copy(good, NULL);
        options = short_training(2, 0.1);
        options.keep_best_of = keep;
        g_assert_true(aimf_train(model, flipped_set, validation_set, &options, NULL, &result, &error));
        g_autofree char *after = aimf_model_hash(model);
        g_assert_cmpint(strcmp(before, after) == 0, ==, keep == AIMF_KEEP_BEST_OF_START);
        g_assert_cmpint(result.kept_start, ==, keep == AIMF_KEEP_BEST_OF_START);
        g_assert_cmpint(result.start.best, ==, keep == AIMF_KEEP_BEST_OF_START);
        g_assert_cmpfloat(result.start.val_accuracy, ==, accuracy);
        g_assert_cmpint(result.best_accuracy == accuracy, ==, keep == AIMF_KEEP_BEST_OF_START);
        expect_groups(&result, good, model);
        const char *runs = aimf_tensors_metadata(model->tensors, "aimfair.trainings");
        g_assert_cmpint(strstr(runs, "\"best_epoch\":0") != NULL, ==, keep == AIMF_KEEP_BEST_OF_START);
        aimf_train_result_clear(&result);
    }
    options.measure_start = FALSE;
    g_assert_false(aimf_train(good, train_set, validation_set, &options, NULL, &result, &error));
    g_assert_nonnull(strstr(error->message, "only where it is measured"));
}

/* An epoch that is only as good replaces the start where later ties win, and not otherwise. */
static void test_ties(void)
{
    AimfTrainResult result;
    for (int later = 0; later < 2; later++) {
        AimfTrainOptions options = short_training(1, 1e-12); /* so that nothing but running statistics changes */
        options.keep_best_of = AIMF_KEEP_BEST_OF_START;
        options.later_tie_wins = later;
        g_autoptr(AimfModel) model = trained(&options, &result);
        g_assert_nonnull(model);
        const AimfEpoch *epoch = &g_array_index(result.history, AimfEpoch, 0);
        if (epoch->val_accuracy == result.start.val_accuracy)
            g_assert_cmpint(result.kept_start, ==, !later);
        else
            g_assert_cmpint(result.kept_start, ==, epoch->val_accuracy < result.start.val_accuracy);
        aimf_train_result_clear(&result);
    }
}

/* --- States --- */

static void save(const AimfTrainOptions *options, const char *path, AimfTrainResult *result)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfModel) model = trained(options, result);
    aimf_model_save(model, path, &error);
    g_assert_no_error(error);
}

static void assert_same_file(const char *a, const char *b)
{
    g_autofree char *a_bytes = NULL, *b_bytes = NULL;
    gsize a_length, b_length;
    g_assert_true(g_file_get_contents(a, &a_bytes, &a_length, NULL));
    g_assert_true(g_file_get_contents(b, &b_bytes, &b_length, NULL));
    support_assert_same_bytes(a_bytes, a_length, b_bytes, b_length);
}

/* The state at @path with @start in place of the measures of the start; NULL: without, as older programs wrote it. */
static void change_start(const char *path, const char *start)
{
    static const char *const keys[] = { "format", "run", "history", "best_epoch", "best_accuracy" };
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfTensors) file = aimf_tensors_open(path, &error);
    g_autoptr(AimfTensors) old = aimf_tensors_load(file, AIMF_N_DTYPES, &error);
    g_autoptr(AimfTensors) changed = aimf_tensors_new();
    g_assert_nonnull(aimf_tensors_metadata(old, "aimfair.state.start"));
    for (guint i = 0; i < aimf_tensors_count(old); i++) {
        const AimfTensor *tensor = aimf_tensors_at(old, i);
        aimf_tensors_add(changed, tensor->name, tensor->dtype, &tensor->shape, aimf_tensors_data(old, i), &error);
        g_assert_no_error(error);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *key = g_strconcat("aimfair.state.", keys[i], NULL);
        aimf_tensors_set_metadata(changed, key, aimf_tensors_metadata(old, key));
    }
    if (start)
        aimf_tensors_set_metadata(changed, "aimfair.state.start", start);
    aimf_tensors_save(changed, path, &error);
    g_assert_no_error(error);
}

/*
 * Two epochs made four, with a state that has the start and with one that has not: the bytes and measures of four
 * at once.
 */
static void test_longer(void)
{
    AimfTrainOptions options = short_training(4, 0.02);
    AimfTrainResult whole, longer;
    g_autofree char *one = g_build_filename(folder, "whole.safetensors", NULL),
                    *two = g_build_filename(folder, "longer.safetensors", NULL),
                    *state = g_build_filename(folder, "longer.state", NULL);
    save(&options, one, &whole);
    for (int old = 0; old < 2; old++) {
        options = short_training(2, 0.02);
        options.state_path = state;
        save(&options, two, &longer);
        aimf_train_result_clear(&longer);
        if (old)
            change_start(state, NULL);
        options.epochs = 4;
        options.resume = TRUE;
        save(&options, two, &longer);
        assert_same_file(one, two);
        g_assert_cmpuint(longer.history->len, ==, 4);
        support_assert_same_bytes(longer.groups->data, 4 * sizeof(AimfGroupChange), whole.groups->data,
                                  4 * sizeof(AimfGroupChange));
        g_assert_cmpfloat(longer.start.val_accuracy, ==, whole.start.val_accuracy);
        g_assert_cmpfloat(longer.start.val_worst_group_accuracy, ==, whole.start.val_worst_group_accuracy);
        g_assert_true(isnan(longer.start.loss));
        aimf_train_result_clear(&longer);
    }
    aimf_train_result_clear(&whole);
}

static void test_kept_over_a_stop(void)
{
    AimfTrainOptions options = short_training(3, 1);
    AimfTrainResult whole, resumed;
    g_autofree char *one = g_build_filename(folder, "bad.safetensors", NULL),
                    *two = g_build_filename(folder, "stopped.safetensors", NULL),
                    *state = g_build_filename(folder, "stopped.state", NULL);
    options.keep_best_of = AIMF_KEEP_BEST_OF_START;
    save(&options, one, &whole);
    options.epochs = 1;
    options.state_path = state;
    save(&options, two, &resumed);
    aimf_train_result_clear(&resumed);
    options.epochs = 3;
    options.resume = TRUE;
    save(&options, two, &resumed);
    assert_same_file(one, two);
    g_assert_cmpint(resumed.kept_start, ==, whole.kept_start);
    aimf_train_result_clear(&resumed);
    aimf_train_result_clear(&whole);

    /* Another choice is another run. */
    GError *error = NULL;
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", 32, 1, 1, NULL);
    options.keep_best_of = AIMF_KEEP_BEST_OF_EPOCHS;
    g_assert_false(aimf_train(model, train_set, validation_set, &options, NULL, &resumed, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "keep_best_of was \"start\" and is nothing");
    options.keep_best_of = AIMF_KEEP_BEST_OF_START;
    const char *const damages[] = {
        "",
        "{}",
        "[]",
        "{\"val_accuracy\":0.5,\"val_worst_group_accuracy\":0.5,\"groups\":[]}",
        "{\"val_accuracy\":2,\"val_worst_group_accuracy\":0.5,\"groups\":[[1,1,1],[1,1,1],"
        "[1,1,1],[1,1,1]]}",
        "{\"val_accuracy\":0.5,\"val_worst_group_accuracy\":0.5,\"groups\":[[1,2,1],[1,1,1],"
        "[1,1,1],[1,1,1]]}"
    };
    for (gsize i = 0; i < G_N_ELEMENTS(damages); i++) {
        change_start(state, damages[i]);
        g_assert_false(aimf_train(model, train_set, validation_set, &options, NULL, &resumed, &error));
        support_assert_error(&error, AIMF_ERROR_FORMAT, "measures of the start are damaged");
    }
}

/* --- The time left --- */

typedef struct {
    guint n;
    gboolean sane;
    double last;
    guint n_ready;
} Watch;

static void watch(const AimfProgress *progress, gpointer data)
{
    Watch *seen = data;
    seen->n++;
    seen->last = progress->whole_seconds_left;
    /* Of the whole there is no less left than of the stage; at the same rate, which holds for stages of one kind. */
    seen->sane = seen->sane && (seen->last >= 0 || progress->done == 0);
}

static void note_ready(gpointer data)
{
    Watch *seen = data;
    seen->n_ready += seen->n == 0; /* before any work */
}

static void test_time_left(void)
{
    GError *error = NULL;
    Watch seen = { .sane = TRUE };
    const AimfMonitor monitor = { .progress = watch, .user_data = &seen };
    AimfTrainOptions options = short_training(2, 0.02);
    AimfTrainResult result;
    options.ready = note_ready;
    options.ready_data = &seen;
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", 32, 1, 1, NULL);
    g_assert_true(aimf_train(model, train_set, validation_set, &options, &monitor, &result, &error));
    g_assert_true(seen.sane);
    g_assert_cmpuint(seen.n_ready, ==, 1);
    g_assert_cmpuint(seen.n, >=, 2 * 5); /* two epochs, their validation, the start */
    g_assert_cmpfloat(seen.last, ==, 0);
    aimf_train_result_clear(&result);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = support_drawn_folder();
    train_set = support_drawn_manifest(folder, "train", 36);
    validation_set = support_drawn_manifest(folder, "val", 24);
    flipped_set = flipped(train_set);
    g_test_add_func("/start/measured", test_measured);
    g_test_add_func("/start/kept", test_kept);
    g_test_add_func("/start/ties", test_ties);
    g_test_add_func("/start/longer", test_longer);
    g_test_add_func("/start/kept-over-a-stop", test_kept_over_a_stop);
    g_test_add_func("/start/time-left", test_time_left);
    int status = g_test_run();
    aimf_manifest_free(train_set);
    aimf_manifest_free(validation_set);
    aimf_manifest_free(flipped_set);
    support_drawn_remove(folder);
    g_free(folder);
    return status;
}
