/* The training loop on drawn pictures: what is learned, what is kept, what stays as it was. */
#include "device/support_devices.h"
#include "train/support_drawn.h"
#include "weights/support_weights.h"

#include <aimfair/fair.h>
#include <aimfair/train.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

enum { BATCH = 8, N_TRAIN = 36, STEPS = N_TRAIN / BATCH };

static char *folder;
static AimfManifest *train_set, *validation_set;

static char *in_folder(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static AimfModel *fresh_model(void)
{
    return aimf_model_new("resnet18", 32, 1, 1, NULL);
}

/* One thread: on a machine with other work, waiting for a second one takes longer than the work. */
static AimfTrainOptions short_training(guint epochs)
{
    return (AimfTrainOptions){
        .device = support_device_under_test(),
        .epochs = epochs,
        .batch = BATCH,
        .learning_rate = 0.02,
        .optimizer = { .momentum = 0.9, .weight_decay = 1e-4 },
        .shuffle = TRUE,
        .later_tie_wins = TRUE,
        .seed = 5,
        .threads = 1,
    };
}

static void train(AimfModel *model, const AimfTrainOptions *options, AimfTrainResult *result)
{
    GError *error = NULL;
    aimf_train(model, train_set, validation_set, options, NULL, result, &error);
    g_assert_no_error(error);
}

static void assert_fails(const AimfTrainOptions *options, AimfErrorCode code, const char *says)
{
    GError *error = NULL;
    AimfTrainResult result;
    g_autoptr(AimfModel) model = fresh_model();
    g_assert_false(aimf_train(model, train_set, validation_set, options, NULL, &result, &error));
    g_assert_null(result.history);
    support_assert_error(&error, code, says);
}

static void test_learns(void)
{
    AimfTrainOptions options = short_training(10);
    AimfTrainResult result;
    g_autoptr(AimfModel) model = fresh_model();
    train(model, &options, &result);
    g_assert_cmpuint(result.history->len, ==, 10);
    g_assert_cmpfloat(result.best_accuracy, >, 0.95);
    const AimfEpoch *first = &g_array_index(result.history, AimfEpoch, 0);
    const AimfEpoch *last = &g_array_index(result.history, AimfEpoch, 9);
    g_assert_cmpfloat(last->loss, <, first->loss / 2);
    g_assert_cmpfloat(last->images_per_second, >, 0); /* known although nobody watches the progress */
    /* The model has the best epoch's weights: predicting gives the accuracy that was kept. */
    AimfPredictOptions predict = { .device = support_device_under_test(), .batch = 5, .threads = 1 };
    g_autoptr(AimfPredictions) predictions = aimf_model_predict(model, validation_set, &predict, NULL, NULL);
    guint right = 0;
    for (guint i = 0; i < predictions->n; i++)
        right += predictions->prediction[i] == aimf_manifest_at(validation_set, i).target;
    g_assert_cmpfloat(right / (double)predictions->n, ==, result.best_accuracy);
    g_assert_nonnull(strstr(aimf_tensors_metadata(model->tensors, "aimfair.trainings"), "\"best_epoch\":"));
    aimf_train_result_clear(&result);
}

static gint64 counter(const AimfModel *model)
{
    int index = aimf_tensors_find(model->tensors, "layer3.1.bn2.num_batches_tracked");
    return *(const gint64 *)aimf_tensors_data(model->tensors, (guint)index);
}

static gboolean same_tensor(const AimfModel *a, const AimfModel *b, guint index)
{
    return memcmp(aimf_tensors_data(a->tensors, index), aimf_tensors_data(b->tensors, index),
                  aimf_tensors_at(a->tensors, index)->bytes) == 0;
}

static void test_frozen_bits(void)
{
    const char *const trainable[] = { "layer4.1.bn2.bias", "fc.weight", NULL };
    AimfTrainOptions options = short_training(1);
    AimfTrainResult result;
    options.trainable = trainable;
    g_autoptr(AimfModel) before = fresh_model(), after = fresh_model();
    train(after, &options, &result);
    for (guint i = 0; i < aimf_tensors_count(after->tensors); i++) {
        const char *name = aimf_tensors_at(after->tensors, i)->name;
        gboolean changes = g_strv_contains(trainable, name) || strstr(name, "running_") || strstr(name, "num_batches");
        if (same_tensor(before, after, i) == changes)
            g_error("%s has %s", name, changes ? "not changed" : "changed");
    }
    g_assert_cmpint(counter(after), ==, STEPS);
    aimf_train_result_clear(&result);
}

static void test_repeatable(void)
{
    AimfTrainOptions options = short_training(2);
    const AimfAugment augment = AIMF_AUGMENT_DEFAULT;
    options.augment = &augment;
    AimfTrainResult result;
    g_autoptr(AimfModel) one = fresh_model(), two = fresh_model(), other = fresh_model();
    train(one, &options, &result);
    aimf_train_result_clear(&result);
    options.cache_bytes = 1 << 20; /* must not matter */
    train(two, &options, &result);
    aimf_train_result_clear(&result);
    options.seed++;
    train(other, &options, &result);
    aimf_train_result_clear(&result);
    g_autofree char *a = aimf_model_hash(one), *b = aimf_model_hash(two), *c = aimf_model_hash(other);
    g_assert_cmpstr(a, ==, b);
    g_assert_cmpstr(a, !=, c);
    g_assert_cmpstr(aimf_tensors_metadata(one->tensors, "aimfair.trainings"), ==,
                    aimf_tensors_metadata(two->tensors, "aimfair.trainings"));
}

/* --- Resuming --- */

static int stop_flag;

/* Stops in the middle of the second epoch. */
static void stop_in_second(const AimfProgress *progress, gpointer user_data)
{
    (void)user_data;
    if (g_str_has_prefix(progress->stage, "epoch 2/"))
        stop_flag = 1;
}

static void assert_same_file(const char *a, const char *b)
{
    g_autofree char *a_bytes = NULL, *b_bytes = NULL;
    gsize a_length, b_length;
    g_assert_true(g_file_get_contents(a, &a_bytes, &a_length, NULL));
    g_assert_true(g_file_get_contents(b, &b_bytes, &b_length, NULL));
    support_assert_same_bytes(a_bytes, a_length, b_bytes, b_length);
}

static void assert_resume_refused(const AimfTrainOptions *right)
{
    AimfTrainOptions wrong = *right;
    wrong.learning_rate = 0.5;
    wrong.batch = 4;
    assert_fails(&wrong, AIMF_ERROR_INVALID, "batch was 8 and is 4; learning_rate was 0.02");
    g_autofree char *state = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(right->state_path, &state, &length, NULL));
    g_autofree char *cut = in_folder("cut.state");
    g_assert_true(g_file_set_contents(cut, state, (gssize)length / 2, NULL));
    wrong = *right;
    wrong.state_path = cut;
    assert_fails(&wrong, AIMF_ERROR_FORMAT, "cut.state");
    g_unlink(cut);
}

/* The state of @right with one thing changed. */
static void assert_damage_refused(const AimfTrainOptions *right, const char *key, const char *value, const char *says)
{
    g_autoptr(AimfTensors) file = aimf_tensors_open(right->state_path, NULL);
    g_autoptr(AimfTensors) loaded = aimf_tensors_load(file, AIMF_N_DTYPES, NULL);
    int tensor = aimf_tensors_find(loaded, key);
    if (tensor >= 0)
        *(float *)aimf_tensors_writable(loaded, (guint)tensor) = NAN;
    else
        aimf_tensors_set_metadata(loaded, key, value);
    g_autofree char *path = in_folder("damaged.state");
    g_assert_true(aimf_tensors_save(loaded, path, NULL));
    AimfTrainOptions wrong = *right;
    wrong.state_path = path;
    assert_fails(&wrong, AIMF_ERROR_FORMAT, says);
    g_unlink(path);
}

static void assert_damages_refused(const AimfTrainOptions *right)
{
    g_autofree char *bomb = g_strnfill(200000, '['); /* json-glib recurses */
    assert_damage_refused(right, "aimfair.state.history", bomb, "history of epochs is damaged");
    assert_damage_refused(right, "aimfair.state.history", "{}", "history of epochs is damaged");
    assert_damage_refused(right, "aimfair.state.history", "[null]", "history of epochs is damaged");
    assert_damage_refused(right, "aimfair.state.history", "[]", "best epoch");
    assert_damage_refused(right, "aimfair.state.run", bomb, "description of the run is damaged");
    assert_damage_refused(right, "aimfair.state.best_accuracy", "nan", "best epoch");
    assert_damage_refused(right, "weights/fc.weight", NULL, "'weights/fc.weight' has values that are not finite");
    assert_damage_refused(right, "momentum/fc.weight", NULL, "not finite");
    assert_damage_refused(right, "best/fc.weight", NULL, "not finite");
}

static void train_and_save(const AimfTrainOptions *options, guint epochs, const char *path)
{
    GError *error = NULL;
    AimfTrainResult result;
    g_autoptr(AimfModel) model = fresh_model();
    train(model, options, &result);
    g_assert_cmpuint(result.history->len, ==, epochs);
    aimf_train_result_clear(&result);
    aimf_model_save(model, path, &error);
    g_assert_no_error(error);
}

/* An undisturbed run and one that was stopped in its second epoch and goes on have the same bytes. */
static void check_resume(const AimfTrainOptions *given, void (*between)(const AimfTrainOptions *))
{
    GError *error = NULL;
    AimfTrainResult result;
    g_autofree char *state = in_folder("a.state"), *whole = in_folder("whole.safetensors"),
                    *parts = in_folder("parts.safetensors");
    AimfTrainOptions options = *given;
    stop_flag = 0;
    train_and_save(&options, 3, whole);

    AimfMonitor monitor = { .progress = stop_in_second, .stop = &stop_flag };
    options.state_path = state;
    g_autoptr(AimfModel) stopped = fresh_model();
    g_assert_false(aimf_train(stopped, train_set, validation_set, &options, &monitor, &result, &error));
    support_assert_error(&error, AIMF_ERROR_INTERRUPTED, "epoch 2/3");
    g_assert_true(g_file_test(state, G_FILE_TEST_EXISTS));
    options.resume = TRUE;
    between(&options);
    train_and_save(&options, 3, parts);
    assert_same_file(whole, parts);

    /* Killed after the last epoch, before the result was saved: the state still gives it. */
    train_and_save(&options, 3, parts);
    assert_same_file(whole, parts);
    g_unlink(state);
}

static void collect_warnings(AimfLogLevel level, const char *text, gpointer to)
{
    if (level == AIMF_LOG_WARNING)
        g_string_append(to, text);
}

static void assert_resume_warns(const AimfTrainOptions *right, guint epochs, int threads, const char *warning)
{
    g_autoptr(GString) said = g_string_new(NULL);
    const AimfMonitor monitor = { .message = collect_warnings, .user_data = said };
    AimfTrainOptions options = *right;
    options.epochs = epochs;
    options.threads = threads;
    GError *error = NULL;
    AimfTrainResult result;
    g_autoptr(AimfModel) model = fresh_model();
    aimf_train(model, train_set, validation_set, &options, &monitor, &result, &error);
    g_assert_no_error(error);
    aimf_train_result_clear(&result);
    if (warning)
        g_assert_nonnull(strstr(said->str, warning));
    else
        g_assert_cmpstr(said->str, ==, "");
}

/*
 * Sums of other threads, and of another processor, may be rounded otherwise: it is said where anything is computed, and
 * again when what is disturbed goes on.
 */
static void warn_of_others(const AimfTrainOptions *right)
{
    g_autofree char *state = NULL, *path = in_folder("others.state");
    gsize length;
    g_assert_true(g_file_get_contents(right->state_path, &state, &length, NULL));
    g_assert_true(g_file_set_contents(path, state, (gssize)length, NULL));
    AimfTrainOptions options = *right;
    options.state_path = path;
    assert_resume_warns(&options, 1, 1, NULL);
    assert_resume_warns(&options, 1, 2, NULL);
    assert_resume_warns(&options, 2, 2, ", 2 threads: sums may be rounded otherwise");
    assert_resume_warns(&options, 3, 2, ", 2 threads, and now with ");
    assert_resume_warns(&options, 3, 1, NULL);
    g_unlink(path);
}

static void refuse_others(const AimfTrainOptions *options)
{
    warn_of_others(options);
    assert_resume_refused(options);
    assert_damages_refused(options);
}

static void test_resume(void)
{
    const char *const trainable[] = { "fc.weight", "fc.bias", "layer4.1.conv2.weight", NULL };
    AimfTrainOptions options = short_training(3);
    options.trainable = trainable;
    check_resume(&options, refuse_others);
}

/* Everything but the defaults. */
static AimfTrainOptions other_training(guint epochs)
{
    AimfTrainOptions options = short_training(epochs);
    options.learning_rate = 0.003;
    options.schedule = AIMF_SCHEDULE_COSINE;
    options.warmup_epochs = 1;
    options.optimizer = AIMF_ADAMW_DEFAULTS;
    options.optimizer.decay_weights_only = TRUE;
    options.optimizer.clip_norm = 1;
    options.optimizer.average = 0.75;
    options.label_smoothing = 0.1;
    return options;
}

static void refuse_other_optimizers(const AimfTrainOptions *right)
{
    AimfTrainOptions wrong = short_training(3);
    wrong.state_path = right->state_path;
    wrong.resume = TRUE;
    assert_fails(&wrong, AIMF_ERROR_INVALID, "optimizer was \"adamw\" and is nothing");
    wrong = *right;
    wrong.epochs = 4;
    assert_fails(&wrong, AIMF_ERROR_INVALID, "schedule was \"cosine over 3 epochs\" and is \"cosine over 4 epochs\"");
    wrong = *right;
    wrong.optimizer.betas[1] = 0.99;
    wrong.optimizer.clip_norm = wrong.optimizer.average = 0.5;
    wrong.optimizer.decay_weights_only = FALSE;
    wrong.batch_norm = AIMF_BATCH_NORM_FROZEN;
    wrong.label_smoothing = 0;
    wrong.warmup_epochs = 0;
    assert_fails(
        &wrong, AIMF_ERROR_INVALID,
        "betas was [0.9,0.999] and is [0.9,0.99]; clip_norm was 1.0 and is 0.5; ema was 0.75 and is 0.5; "
        "batch_norm was nothing and is \"frozen\"; decay was \"weights\" and is nothing; warmup_epochs was 1 and "
        "is nothing; label_smoothing was 0.1 and is nothing");
    assert_damage_refused(right, "exp_avg_sq/fc.weight", NULL, "not finite");
    assert_damage_refused(right, "average/bn1.running_mean", NULL, "not finite");
}

static void refuse_nothing(const AimfTrainOptions *right)
{
    (void)right;
}

static void test_resume_other(void)
{
    const char *const trainable[] = { "layer4.1.conv2.weight", "layer4.1.bn2.weight", "layer4.1.bn2.bias", "fc.weight",
                                      NULL };
    AimfTrainOptions options = other_training(3);
    options.trainable = trainable;
    check_resume(&options, refuse_other_optimizers);
    options.batch_norm = AIMF_BATCH_NORM_FROZEN;
    options.optimizer = (AimfOptimizer){ .momentum = 0.9, .average = 0.5 };
    check_resume(&options, refuse_nothing);
}

/* --- Averages and frozen batch norm --- */

static gboolean state_has(const AimfTensors *state, const char *prefix, const AimfTensors *tensors, guint index)
{
    const AimfTensor *tensor = aimf_tensors_at(tensors, index);
    g_autofree char *name = g_strconcat(prefix, tensor->name, NULL);
    int entry = aimf_tensors_find(state, name);
    return entry >= 0 &&
           memcmp(aimf_tensors_data(state, (guint)entry), aimf_tensors_data(tensors, index), tensor->bytes) == 0;
}

/* The model is the averaged one, as its accuracy is: parameters and running statistics; counters count. */
static void test_averages(void)
{
    AimfTrainOptions options = other_training(2);
    AimfTrainResult result;
    g_autofree char *path = in_folder("averages.state");
    options.state_path = path;
    g_autoptr(AimfModel) model = fresh_model();
    train(model, &options, &result);
    g_autoptr(AimfTensors) file = aimf_tensors_open(path, NULL);
    g_autoptr(AimfTensors) state = aimf_tensors_load(file, AIMF_N_DTYPES, NULL);
    for (guint i = 0; i < aimf_tensors_count(model->tensors); i++) {
        gboolean counts = aimf_tensors_at(model->tensors, i)->dtype == AIMF_I64;
        g_assert_true(state_has(state, "best/", model->tensors, i));
        if (result.best_epoch == 1) {
            g_assert_cmpint(state_has(state, "average/", model->tensors, i), ==, !counts);
            g_assert_cmpint(state_has(state, "weights/", model->tensors, i), ==, counts);
        }
    }
    AimfPredictOptions predict = { .device = support_device_under_test(), .batch = 5, .threads = 1 };
    g_autoptr(AimfPredictions) predictions = aimf_model_predict(model, validation_set, &predict, NULL, NULL);
    guint right = 0;
    for (guint i = 0; i < predictions->n; i++)
        right += predictions->prediction[i] == aimf_manifest_at(validation_set, i).target;
    g_assert_cmpfloat(right / (double)predictions->n, ==, result.best_accuracy);
    g_assert_cmpuint(result.best_epoch, ==, 1); /* of equals the later: otherwise the comparison above was none */
    aimf_train_result_clear(&result);
    g_unlink(path);
}

/* Running statistics and counters keep their bits, weights and biases of batch norm do not; one picture is a batch. */
static void test_frozen_batch_norm(void)
{
    AimfTrainOptions options = short_training(1);
    AimfTrainResult result;
    options.batch_norm = AIMF_BATCH_NORM_FROZEN;
    options.learning_rate = 1e-4;
    for (int batch = 1; batch <= BATCH; batch += BATCH - 1) {
        g_autoptr(AimfModel) before = fresh_model(), after = fresh_model();
        options.batch = (guint)batch;
        train(after, &options, &result);
        aimf_train_result_clear(&result);
        for (guint i = 0; i < aimf_tensors_count(after->tensors); i++) {
            const char *name = aimf_tensors_at(after->tensors, i)->name;
            gboolean stays = strstr(name, "running_") || strstr(name, "num_batches");
            if (same_tensor(before, after, i) != stays)
                g_error("%s has %s", name, stays ? "changed" : "not changed");
        }
        g_assert_nonnull(
            strstr(aimf_tensors_metadata(after->tensors, "aimfair.trainings"), "\"batch_norm\":\"frozen\""));
    }
}

/* What is the default is told as it was before there was a choice. */
static void test_defaults_told(void)
{
    AimfTrainOptions options = short_training(1);
    AimfTrainResult result;
    options.trainable = (const char *const[]){ "fc.bias", NULL };
    g_autoptr(AimfModel) model = fresh_model();
    train(model, &options, &result);
    aimf_train_result_clear(&result);
    const char *told = aimf_tensors_metadata(model->tensors, "aimfair.trainings");
    static const char *const others[] = { "optimizer", "betas",    "epsilon",       "decay\"",         "clip_norm",
                                          "ema",       "schedule", "warmup_epochs", "label_smoothing", "batch_norm" };
    for (gsize i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autofree char *member = g_strconcat("\"", others[i], NULL);
        g_assert_null(strstr(told, member));
    }
}

/* --- Logs and errors --- */

static void test_logs(void)
{
    const char *const trainable[] = { "fc.bias", NULL };
    AimfTrainOptions options = short_training(2);
    AimfTrainResult result;
    g_autofree char *csv = in_folder("log.csv"), *json = in_folder("log.jsonl"), *text = NULL, *lines = NULL;
    options.trainable = trainable;
    options.log_path = csv;
    g_autoptr(AimfModel) model = fresh_model(), other = fresh_model();
    train(model, &options, &result);
    aimf_train_result_clear(&result);
    options.log_path = json;
    train(other, &options, &result);
    aimf_train_result_clear(&result);
    g_assert_true(g_file_get_contents(csv, &text, NULL, NULL));
    g_auto(GStrv) rows = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(rows), ==, 4);
    g_assert_cmpstr(rows[0], ==,
                    "epoch,learning_rate,loss,train_accuracy,val_loss,val_accuracy,val_worst_group_accuracy,"
                    "val_equalized_odds,images_per_second,seconds,best,val_group_accuracy[0 0],val_group_accuracy[0 1],"
                    "val_group_accuracy[1 0],val_group_accuracy[1 1]");
    g_assert_true(g_str_has_prefix(rows[2], "2,0.02,"));
    g_assert_true(g_file_get_contents(json, &lines, NULL, NULL));
    g_assert_true(g_str_has_prefix(lines, "{\"epoch\":1,\"learning_rate\":0.02"));
    g_assert_nonnull(strstr(lines, "}\n{\"epoch\":2,"));
}

static void test_wrong_options(void)
{
    AimfTrainOptions options = short_training(1);
    options.batch = N_TRAIN + 1;
    assert_fails(&options, AIMF_ERROR_INVALID, "fewer than one batch of 37");
    options = short_training(1);
    options.trainable = (const char *const[]){ "fc.wait", NULL };
    assert_fails(&options, AIMF_ERROR_INVALID, "'fc.wait'");
    options = short_training(0);
    assert_fails(&options, AIMF_ERROR_INVALID, "epochs");
    options = short_training(1);
    options.learning_rate = NAN;
    assert_fails(&options, AIMF_ERROR_INVALID, "learning rate");
    options = short_training(2);
    options.warmup_epochs = 2;
    assert_fails(&options, AIMF_ERROR_INVALID, "warming up must end before the last epoch");
    options = short_training(1);
    options.label_smoothing = 1;
    assert_fails(&options, AIMF_ERROR_INVALID, "smoothing of labels");
    static const struct {
        AimfOptimizer optimizer;
        const char *says;
    } wrong[] = {
        { { .momentum = 1 }, "the momentum" },
        { { .weight_decay = -1 }, "the weight decay" },
        { { .clip_norm = -1 }, "the norm" },
        { { .average = 1 }, "the decay of averages" },
        { { .kind = AIMF_OPTIMIZER_ADAMW, .betas = { 0.9, 1 }, .epsilon = 1e-8 }, "both betas" },
        { { .kind = AIMF_OPTIMIZER_ADAMW, .betas = { 0.9, 0.999 } }, "epsilon" },
    };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        options = short_training(1);
        options.optimizer = wrong[i].optimizer;
        assert_fails(&options, AIMF_ERROR_INVALID, wrong[i].says);
    }
}

static void test_failures(void)
{
    AimfTrainOptions options = short_training(1);
    options.learning_rate = 1e30;
    assert_fails(&options, AIMF_ERROR_FAILED, "epoch 1, batch 2");
    options = short_training(1);
    options.log_path = "/nonexistent/log.csv";
    options.trainable = (const char *const[]){ "fc.bias", NULL };
    assert_fails(&options, AIMF_ERROR_NOT_FOUND, "/nonexistent/log.csv");
}

/*
 * oneDNN's ReLU in a batch norm makes 0 of NaN at some instruction sets, and then the loss stays finite: the tensor
 * is named at the end of the epoch. Where the NaN goes through, the loss of the first batch shows it.
 */
static void test_hidden_nan(void)
{
    AimfTrainOptions options = short_training(1);
    AimfTrainResult result;
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfModel) model = fresh_model();
    guint weight = (guint)aimf_tensors_find(model->tensors, "conv1.weight");
    *(float *)aimf_tensors_writable(model->tensors, weight) = NAN;
    g_assert_false(aimf_train(model, train_set, validation_set, &options, NULL, &result, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_FAILED);
    g_test_message("%s", error->message);
    g_assert_true(strstr(error->message, "epoch 1: 'conv1.weight'") || strstr(error->message, "epoch 1, batch 1"));
}

static void test_wrong_data(void)
{
    GError *error = NULL;
    AimfTrainResult result;
    AimfTrainOptions options = short_training(1);
    g_autoptr(AimfModel) model = fresh_model();
    g_autoptr(AimfManifest) three = aimf_manifest_new(), empty = aimf_manifest_new();
    for (int i = 0; i < 9; i++)
        aimf_manifest_add(three, "x.png", i % 3, "0");
    g_assert_false(aimf_train(model, three, validation_set, &options, NULL, &result, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "target 2 (row 3, 'x.png')");
    g_assert_false(aimf_train(model, train_set, empty, &options, NULL, &result, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "the validation set has no images");
}

/* --- Predicting and gradients --- */

static AimfManifest *with_broken_row(void)
{
    AimfManifest *manifest = aimf_manifest_new();
    g_autofree char *broken = in_folder("broken.png");
    g_assert_true(g_file_set_contents(broken, "no picture", -1, NULL));
    for (guint i = 0; i < 9; i++)
        aimf_manifest_add(manifest, i == 7 ? broken : aimf_manifest_at(train_set, i).path, 0, "0");
    return manifest;
}

static void test_predictions(void)
{
    GError *error = NULL;
    g_autoptr(AimfModel) model = fresh_model();
    g_autoptr(AimfManifest) manifest = with_broken_row();
    AimfPredictOptions options = { .device = support_device_under_test(), .batch = 3, .threads = 1 };
    g_assert_null(aimf_model_predict(model, manifest, &options, NULL, &error));
    support_assert_error(&error, AIMF_ERROR_FORMAT, "broken.png");
    options.skip_bad = 1;
    g_autoptr(AimfPredictions) small = aimf_model_predict(model, manifest, &options, NULL, &error);
    g_assert_no_error(error);
    options.batch = 9;
    g_autoptr(AimfPredictions) large = aimf_model_predict(model, manifest, &options, NULL, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < 9; i++) {
        if (i == 7) {
            g_assert_true(isnan(small->logits[i]) && isnan(small->probability[i]));
            g_assert_cmpint(small->prediction[i], ==, -1);
            continue;
        }
        /* Batches of other sizes add in another order. */
        g_assert_cmpfloat_with_epsilon(small->logits[i], large->logits[i], 1e-4f * (1 + fabsf(large->logits[i])));
        g_assert_cmpint(small->prediction[i], ==, small->probability[i] >= 0.5f);
    }
    g_autofree char *csv = in_folder("p.csv"), *text = NULL;
    g_assert_true(aimf_predictions_save(small, manifest, csv, NULL));
    g_assert_true(g_file_get_contents(csv, &text, NULL, NULL));
    g_assert_true(g_str_has_prefix(text, "path,logit,probability,prediction\n"));
    g_assert_nonnull(strstr(text, "broken.png,,,\n"));
}

/* The classes of three drawn at random: what matters is that probabilities and classes follow from the logits. */
static void test_three_classes(void)
{
    GError *error = NULL;
    AimfTrainResult result;
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", 32, 3, 1, NULL);
    g_autoptr(AimfManifest) manifest = aimf_manifest_new();
    for (guint i = 0; i < N_TRAIN; i++)
        aimf_manifest_add(manifest, aimf_manifest_at(train_set, i).path, (int)i % 3, "0");
    AimfTrainOptions options = short_training(1);
    aimf_train(model, manifest, manifest, &options, NULL, &result, &error);
    g_assert_no_error(error);
    AimfPredictOptions predict = { .device = support_device_under_test(), .threads = 1 };
    g_autoptr(AimfPredictions) predictions = aimf_model_predict(model, manifest, &predict, NULL, &error);
    g_assert_no_error(error);
    guint right = 0;
    for (guint i = 0; i < N_TRAIN; i++) {
        const float *logits = predictions->logits + 3 * i;
        int best = 0;
        double sum = 0;
        for (int k = 0; k < 3; k++) {
            best = logits[k] > logits[best] ? k : best;
            sum += exp((double)logits[k]);
        }
        g_assert_cmpint(predictions->prediction[i], ==, best);
        g_assert_cmpfloat_with_epsilon((double)predictions->probability[i], exp((double)logits[best]) / sum, 1e-6);
        right += best == (int)i % 3;
    }
    g_assert_cmpfloat(right / (double)N_TRAIN, ==, result.best_accuracy);
    aimf_train_result_clear(&result);
}

/* @second holds what follows a first batch; the last rows of @both are no whole batch. */
static AimfTensors *gradients_of_parts(const AimfModel *model, const AimfGradientOptions *options)
{
    GError *error = NULL;
    g_autoptr(AimfManifest) first = aimf_manifest_new(), second = aimf_manifest_new(), both = aimf_manifest_new();
    for (guint i = 0; i < 2 * BATCH + 3; i++) {
        AimfSample sample = aimf_manifest_at(train_set, i);
        aimf_manifest_add(both, sample.path, sample.target, sample.protected_label);
        if (i < 2 * BATCH)
            aimf_manifest_add(i < BATCH ? first : second, sample.path, sample.target, sample.protected_label);
    }
    AimfTensors *gradients = aimf_tensors_new();
    const AimfGradientSet sets[] = { { "first", first }, { "second", second }, { "both", both } };
    aimf_mean_gradients(model, sets, G_N_ELEMENTS(sets), options, NULL, gradients, &error);
    g_assert_no_error(error);
    return gradients;
}

/* With running statistics each picture counts alone: the gradients of a batch are the mean of those of its halves. */
static void test_frozen_gradients(void)
{
    GError *error = NULL;
    g_autoptr(AimfModel) model = fresh_model();
    AimfTensors *gradients[2];
    for (int i = 0; i < 2; i++) {
        AimfGradientOptions options = { .device = support_device_under_test(),
                                        .batch = i ? BATCH : BATCH / 2,
                                        .batch_norm = AIMF_BATCH_NORM_FROZEN,
                                        .threads = 1 };
        g_autoptr(AimfManifest) set = aimf_manifest_new();
        for (guint k = 0; k < BATCH; k++)
            aimf_manifest_add(set, aimf_manifest_at(train_set, k).path, (int)k % 2, "0");
        gradients[i] = aimf_tensors_new();
        aimf_mean_gradients(model, &(AimfGradientSet){ "set", set }, 1, &options, NULL, gradients[i], &error);
        g_assert_no_error(error);
    }
    for (guint i = 0; i < aimf_tensors_count(gradients[0]); i++) {
        const float *a = aimf_tensors_data(gradients[0], i), *b = aimf_tensors_data(gradients[1], i);
        double difference = 0, size = 0;
        for (gsize k = 0; k < aimf_tensors_at(gradients[0], i)->bytes / sizeof(float); k++) {
            difference += ((double)a[k] - (double)b[k]) * ((double)a[k] - (double)b[k]);
            size += (double)a[k] * (double)a[k];
        }
        /* Sums of f32 in another order; with batch statistics they differ in the first digit. */
        g_assert_cmpfloat(sqrt(difference), <=, 1e-4 * sqrt(size));
    }
    aimf_tensors_free(gradients[0]);
    aimf_tensors_free(gradients[1]);
}

/* Batches in file order: the mean over all of them is the mean of the means over each. */
static void test_mean_gradients(void)
{
    AimfGradientOptions options = { .device = support_device_under_test(), .batch = BATCH, .threads = 1 };
    g_autoptr(AimfModel) model = fresh_model();
    g_autofree char *before = aimf_model_hash(model);
    g_autoptr(AimfTensors) gradients = gradients_of_parts(model, &options);
    g_assert_cmpuint(aimf_tensors_count(gradients), ==, 3 * 62);
    double largest = 0;
    for (guint i = 0; i < 62; i++) {
        const AimfTensor *tensor = aimf_tensors_at(gradients, i);
        const float *a = aimf_tensors_data(gradients, i), *b = aimf_tensors_data(gradients, i + 62),
                    *mean = aimf_tensors_data(gradients, i + 124);
        for (gint64 k = 0; k < aimf_shape_count(&tensor->shape); k++) {
            double expected = ((double)a[k] + (double)b[k]) / 2; /* three roundings to f32 apart */
            g_assert_cmpfloat(fabs((double)mean[k] - expected), <=, 1e-6 * (fabs((double)a[k]) + fabs((double)b[k])));
            largest = MAX(largest, fabs(expected));
        }
    }
    g_assert_cmpfloat(largest, >, 1e-3);
    g_autofree char *after = aimf_model_hash(model);
    g_assert_cmpstr(before, ==, after);
    GError *error = NULL;
    options.batch = N_TRAIN + 1;
    g_assert_false(
        aimf_mean_gradients(model, &(AimfGradientSet){ "x", train_set }, 1, &options, NULL, gradients, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "fewer than one batch of 37");
    g_autoptr(AimfManifest) small = aimf_manifest_new();
    AimfSample sample = aimf_manifest_at(train_set, 0);
    aimf_manifest_add(small, sample.path, sample.target, sample.protected_label);
    const AimfGradientSet sets[] = { { "whole", train_set }, { "small", small } };
    options.batch = BATCH; /* all sets are looked at before anything is computed */
    g_assert_false(aimf_mean_gradients(model, sets, 2, &options, NULL, gradients, &error));
    support_assert_error(&error, AIMF_ERROR_INVALID, "the small set has");
    g_assert_cmpuint(aimf_tensors_count(gradients), ==, 3 * 62);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = support_drawn_folder();
    train_set = support_drawn_manifest(folder, "train", N_TRAIN);
    validation_set = support_drawn_manifest(folder, "val", 20);
    g_test_add_func("/train/learns", test_learns);
    g_test_add_func("/train/frozen-bits", test_frozen_bits);
    g_test_add_func("/train/repeatable", test_repeatable);
    g_test_add_func("/train/resume", test_resume);
    g_test_add_func("/train/resume-other", test_resume_other);
    g_test_add_func("/train/averages", test_averages);
    g_test_add_func("/train/frozen-batch-norm", test_frozen_batch_norm);
    g_test_add_func("/train/defaults-told", test_defaults_told);
    g_test_add_func("/train/logs", test_logs);
    g_test_add_func("/train/wrong-options", test_wrong_options);
    g_test_add_func("/train/failures", test_failures);
    g_test_add_func("/train/hidden-nan", test_hidden_nan);
    g_test_add_func("/train/wrong-data", test_wrong_data);
    g_test_add_func("/train/predictions", test_predictions);
    g_test_add_func("/train/three-classes", test_three_classes);
    g_test_add_func("/train/mean-gradients", test_mean_gradients);
    g_test_add_func("/train/frozen-gradients", test_frozen_gradients);
    int status = g_test_run();
    aimf_manifest_free(train_set);
    aimf_manifest_free(validation_set);
    support_drawn_remove(folder);
    g_free(folder);
    return status;
}
