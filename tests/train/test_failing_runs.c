/* oneDNN runs out of memory while a model is trained, predicts or gives gradients: an error; what was won is kept. */
#include "device/support_devices.h"
#include "graph/support_failing_library.h"
#include "train/support_drawn.h"
#include "weights/support_weights.h"

#include <aimfair/fair.h>
#include <aimfair/train.h>
#include <string.h>

enum { BATCH = 8, EPOCHS = 2 };

static char *folder;
static AimfManifest *train_set, *validation_set;

static AimfModel *fresh_model(void)
{
    return aimf_model_new("resnet18", 32, 1, 1, NULL);
}

typedef struct {
    const char *stage;
    guint good; /* calls of that stage */
} Failure;

static void arm_in_stage(const AimfProgress *progress, gpointer user_data)
{
    Failure *failure = user_data;
    if (!failure->stage || !g_str_has_prefix(progress->stage, failure->stage))
        return;
    failing_library_arm(failure->good);
    failure->stage = NULL;
}

/* TRUE, or FALSE with the error; @hash receives (owned) what became of the weights. */
static gboolean train(const AimfTrainOptions *options, Failure *failure, char **hash, GError **error)
{
    AimfTrainResult result;
    g_autoptr(AimfModel) model = fresh_model();
    AimfMonitor monitor = { .progress = arm_in_stage, .user_data = failure };
    gboolean good = aimf_train(model, train_set, validation_set, options, &monitor, &result, error);
    g_assert_cmpint(result.history != NULL, ==, good);
    *hash = aimf_model_hash(model);
    aimf_train_result_clear(&result);
    return good;
}

/* Ends at the failure, keeps the epoch before in the state, and goes on from there as if nothing had been. */
static void check_training(const AimfTrainOptions *options, const Failure *failure, const char *says,
                           const char *one_epoch, const char *whole)
{
    g_autoptr(GError) error = NULL;
    Failure once = *failure, never = { 0 };
    g_autofree char *broken = NULL, *resumed = NULL;
    AimfTrainOptions kept = *options;
    kept.state_path = support_weights_path("training.state");
    g_assert_false(train(&kept, &once, &broken, &error));
    g_assert_cmpuint(failing_library_disarm(), ==, 1);
    g_assert_nonnull(strstr(error->message, "out of memory"));
    support_assert_error(&error, AIMF_ERROR_MEMORY, says);
    g_assert_cmpstr(broken, ==, one_epoch);
    kept.resume = TRUE;
    g_assert_true(train(&kept, &never, &resumed, &error));
    g_assert_cmpstr(resumed, ==, whole);
}

static void test_training(void)
{
    static const struct {
        Failure failure;
        const char *says;
    } cases[] = {
        { { "epoch 2/", 0 }, "epoch 2, batch 1: step " },
        { { "epoch 2/", 40 }, "epoch 2, batch " },
        { { "validating 2/", 5 }, "epoch 2: step " },
    };
    g_autoptr(GError) error = NULL;
    Failure never = { 0 };
    g_autofree char *one_epoch = NULL, *whole = NULL;
    const char *const trainable[] = { "layer4.1.conv2.weight", "fc.weight", "fc.bias", NULL };
    AimfTrainOptions options = { .device = support_device_under_test(),
                                 .epochs = EPOCHS,
                                 .batch = BATCH,
                                 .learning_rate = 0.02,
                                 .optimizer.momentum = 0.9,
                                 .shuffle = TRUE,
                                 .later_tie_wins = TRUE,
                                 .trainable = trainable,
                                 .seed = 5,
                                 .threads = 1 };
    g_assert_true(train(&options, &never, &whole, &error));
    options.epochs = 1;
    g_assert_true(train(&options, &never, &one_epoch, &error));
    options.epochs = EPOCHS;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
        check_training(&options, &cases[i].failure, cases[i].says, one_epoch, whole);
}

static void test_predicting(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfModel) model = fresh_model();
    Failure failure = { "predicting", 3 };
    AimfMonitor monitor = { .progress = arm_in_stage, .user_data = &failure };
    AimfPredictOptions options = { .device = support_device_under_test(), .batch = BATCH, .threads = 1 };
    g_assert_null(aimf_model_predict(model, validation_set, &options, &monitor, &error));
    g_assert_cmpuint(failing_library_disarm(), ==, 1);
    support_assert_error(&error, AIMF_ERROR_MEMORY, "step ");
    failing_library_arm(0);
    g_assert_null(aimf_model_predict(model, validation_set, &options, NULL, &error));
    failing_library_disarm();
    support_assert_error(&error, AIMF_ERROR_MEMORY, "packing the tensor '");
    g_autoptr(AimfPredictions) predictions = aimf_model_predict(model, validation_set, &options, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(predictions->n, ==, BATCH);
}

static void test_gradients(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfModel) model = fresh_model();
    g_autoptr(AimfTensors) gradients = aimf_tensors_new();
    AimfGradientSet set = { "drawn", train_set };
    AimfGradientOptions options = { .device = support_device_under_test(), .batch = BATCH, .threads = 1 };
    Failure failure = { "gradients", 0 };
    AimfMonitor monitor = { .progress = arm_in_stage, .user_data = &failure };
    g_assert_false(aimf_mean_gradients(model, &set, 1, &options, &monitor, gradients, &error));
    g_assert_cmpuint(failing_library_disarm(), ==, 1);
    g_assert_cmpuint(aimf_tensors_count(gradients), ==, 0);
    support_assert_error(&error, AIMF_ERROR_MEMORY, "the drawn set, batch 1: step ");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = support_drawn_folder();
    train_set = support_drawn_manifest(folder, "train", 2 * BATCH);
    validation_set = support_drawn_manifest(folder, "validation", BATCH);
    g_test_add_func("/failing_runs/training", test_training);
    g_test_add_func("/failing_runs/predicting", test_predicting);
    g_test_add_func("/failing_runs/gradients", test_gradients);
    int status = g_test_run();
    aimf_manifest_free(train_set);
    aimf_manifest_free(validation_set);
    support_weights_remove();
    support_drawn_remove(folder);
    g_free(folder);
    return status;
}
