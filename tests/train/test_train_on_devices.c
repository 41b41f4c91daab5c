/* Training, going on, sensitivities and prediction give the same bytes where memory is apart and work is late. */
#include "device/support_devices.h"
#include "train/support_drawn.h"
#include "weights/support_weights.h"

#include <aimfair/fair.h>
#include <aimfair/train.h>
#include <glib/gstdio.h>

enum { BATCH = 8 };

static char *folder;
static AimfManifest *train_set, *validation_set;

/* (owned) What @epochs of training on @device end with; from the state @state_path on, if it is there. */
static AimfModel *train(AimfDevice *device, guint epochs, const char *state_path, const char *const *trainable,
                        gboolean other)
{
    GError *error = NULL;
    AimfTrainOptions options = AIMF_FINETUNE_DEFAULTS;
    if (other) {
        options.learning_rate = AIMF_ADAMW_LEARNING_RATE;
        options.optimizer = AIMF_ADAMW_DEFAULTS;
        options.optimizer.decay_weights_only = TRUE;
        options.optimizer.clip_norm = 1;
        options.optimizer.average = 0.75;
        options.label_smoothing = 0.1;
        options.batch_norm = AIMF_BATCH_NORM_FROZEN;
    }
    options.device = device;
    options.threads = 1;
    options.epochs = epochs;
    options.batch = BATCH;
    options.state_path = state_path;
    options.resume = state_path != NULL;
    options.trainable = trainable;
    AimfTrainResult result;
    AimfModel *model = aimf_model_new("resnet18", 32, 1, 1, NULL);
    aimf_train(model, train_set, validation_set, &options, NULL, &result, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(result.history->len, ==, epochs);
    aimf_train_result_clear(&result);
    return model;
}

static void assert_same_tensors(const AimfTensors *a, const AimfTensors *b)
{
    g_assert_cmpuint(aimf_tensors_count(a), ==, aimf_tensors_count(b));
    for (guint i = 0; i < aimf_tensors_count(a); i++) {
        g_assert_cmpstr(aimf_tensors_at(a, i)->name, ==, aimf_tensors_at(b, i)->name);
        support_assert_same_bytes(aimf_tensors_data(a, i), aimf_tensors_at(a, i)->bytes, aimf_tensors_data(b, i),
                                  aimf_tensors_at(b, i)->bytes);
    }
}

/* A training that one device begins, the other may end. */
static void test_train(gconstpointer data)
{
    static const char *const some[] = { "layer4.1.conv2.weight", "layer4.1.bn2.bias", "fc.weight", NULL };
    const char *const *trainable = g_strcmp0(data, "some") == 0 ? some : NULL;
    gboolean other = g_strcmp0(data, "other") == 0;
    g_autoptr(AimfDevice) cpu = support_device("cpu"), mirror = support_device("mirror");
    g_autofree char *state = g_build_filename(folder, "state", NULL);
    g_autoptr(AimfModel) expected = train(cpu, 2, NULL, trainable, other);
    g_autoptr(AimfModel) through = train(mirror, 2, NULL, trainable, other);
    assert_same_tensors(expected->tensors, through->tensors);
    aimf_model_free(train(mirror, 1, state, trainable, other));
    g_autoptr(AimfModel) ended = train(cpu, 2, state, trainable, other);
    assert_same_tensors(expected->tensors, ended->tensors);
    g_remove(state);
    aimf_model_free(train(cpu, 1, state, trainable, other));
    g_autoptr(AimfModel) ended_there = train(mirror, 2, state, trainable, other);
    assert_same_tensors(expected->tensors, ended_there->tensors);
    g_remove(state);
}

static AimfTensors *gradients_on(AimfDevice *device, const AimfModel *model)
{
    GError *error = NULL;
    AimfGradientOptions options = { .device = device, .threads = 1, .batch = BATCH };
    const AimfGradientSet sets[] = { { "one", train_set }, { "other", validation_set } };
    AimfTensors *gradients = aimf_tensors_new();
    aimf_mean_gradients(model, sets, 2, &options, NULL, gradients, &error);
    g_assert_no_error(error);
    return gradients;
}

static void test_gradients(void)
{
    g_autoptr(AimfDevice) cpu = support_device("cpu"), mirror = support_device("mirror");
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", 32, 1, 1, NULL);
    g_autoptr(AimfTensors) here = gradients_on(cpu, model), there = gradients_on(mirror, model);
    assert_same_tensors(here, there);
}

static void test_predictions(void)
{
    g_autoptr(AimfDevice) cpu = support_device("cpu"), mirror = support_device("mirror");
    AimfDevice *const devices[] = { cpu, mirror };
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", 32, 3, 1, NULL);
    AimfPredictions *predictions[2];
    for (int d = 0; d < 2; d++) {
        AimfPredictOptions options = { .device = devices[d], .threads = 1, .batch = 7 };
        predictions[d] = aimf_model_predict(model, validation_set, &options, NULL, NULL);
        g_assert_nonnull(predictions[d]);
    }
    gsize bytes = predictions[0]->n * 3 * sizeof(float);
    support_assert_same_bytes(predictions[0]->logits, bytes, predictions[1]->logits, bytes);
    for (int d = 0; d < 2; d++)
        aimf_predictions_free(predictions[d]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = support_drawn_folder();
    train_set = support_drawn_manifest(folder, "train", 20);
    validation_set = support_drawn_manifest(folder, "val", 10);
    g_test_add_data_func("/train-on-devices/all", NULL, test_train);
    g_test_add_data_func("/train-on-devices/some", "some", test_train);
    g_test_add_data_func("/train-on-devices/other", "other", test_train);
    g_test_add_func("/train-on-devices/gradients", test_gradients);
    g_test_add_func("/train-on-devices/predictions", test_predictions);
    int status = g_test_run();
    aimf_manifest_free(train_set);
    aimf_manifest_free(validation_set);
    support_drawn_remove(folder);
    g_free(folder);
    return status;
}
