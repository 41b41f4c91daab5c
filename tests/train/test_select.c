/* Which epoch is kept, by what, and the figures that an epoch has. */
#include "device/support_devices.h"
#include "train/support_drawn.h"

#include <aimfair/train.h>
#include <math.h>
#include <string.h>

enum { BATCH = 8, N_TRAIN = 48, EPOCHS = 6 };

static char *folder;
static AimfManifest *train_set, *validation_set;

static AimfTrainOptions short_training(AimfSelect select)
{
    return (AimfTrainOptions){
        .device = support_device_under_test(),
        .epochs = EPOCHS,
        .batch = BATCH,
        .learning_rate = 0.0002,
        .optimizer.momentum = 0.9,
        .select = select,
        .shuffle = TRUE,
        .seed = 5,
        .threads = 1,
    };
}

static AimfModel *trained(const AimfTrainOptions *options, AimfTrainResult *result)
{
    return support_drawn_train(train_set, validation_set, options, result);
}

static AimfPredictions *predict(const AimfModel *model, const AimfManifest *manifest)
{
    AimfPredictOptions options = { .batch = BATCH, .device = support_device_under_test(), .threads = 1 };
    GError *error = NULL;
    AimfPredictions *predictions = aimf_model_predict(model, manifest, &options, NULL, &error);
    g_assert_no_error(error);
    return predictions;
}

static const double *groups_of(const AimfTrainResult *result, guint epoch)
{
    return &g_array_index(result->group_accuracy, double, epoch * 4);
}

/* What an epoch's groups make of the figures that are drawn from them: (0, 0), (0, 1), (1, 0), (1, 1). */
static void expect_figures(const AimfTrainResult *result)
{
    static const char *const names[] = { "0 0", "0 1", "1 0", "1 1", NULL };
    g_assert_true(g_strv_equal((const char *const *)result->group_names, names));
    g_assert_cmpuint(result->group_accuracy->len, ==, 4 * EPOCHS);
    for (guint i = 0; i < EPOCHS; i++) {
        const AimfEpoch *epoch = &g_array_index(result->history, AimfEpoch, i);
        const double *group = groups_of(result, i);
        double worst = fmin(fmin(group[0], group[1]), fmin(group[2], group[3]));
        double odds = (fabs(group[0] - group[1]) + fabs(group[2] - group[3])) / 2;
        g_assert_cmpfloat(epoch->val_worst_group_accuracy, ==, worst);
        g_assert_cmpfloat(epoch->val_equalized_odds, ==, odds);
        g_assert_true(epoch->train_accuracy >= 0 && epoch->train_accuracy <= 1);
    }
}

static double score(AimfSelect select, const AimfEpoch *epoch)
{
    return select == AIMF_SELECT_ACCURACY      ? epoch->val_accuracy
           : select == AIMF_SELECT_WORST_GROUP ? epoch->val_worst_group_accuracy
                                               : -epoch->val_equalized_odds;
}

/* The kept weights are those of the epoch that was the best: their answers, counted anew, are that epoch's. */
static void expect_kept(const AimfTrainResult *result, const AimfModel *model)
{
    g_autoptr(AimfPredictions) predictions = predict(model, validation_set);
    guint n[4] = { 0 }, right[4] = { 0 };
    double loss = 0;
    for (guint i = 0; i < predictions->n; i++) {
        AimfSample sample = aimf_manifest_at(validation_set, i);
        double p = 1 / (1 + exp(-(double)predictions->logits[i]));
        loss -= log(sample.target ? p : 1 - p) / predictions->n;
        n[2 * sample.target + sample.group]++;
        right[2 * sample.target + sample.group] += predictions->prediction[i] == sample.target;
    }
    const AimfEpoch *best = &g_array_index(result->history, AimfEpoch, result->best_epoch);
    for (guint g = 0; g < 4; g++)
        g_assert_cmpfloat(groups_of(result, result->best_epoch)[g], ==, right[g] / (double)n[g]);
    g_assert_cmpfloat(fabs(best->val_loss - loss), <=, 1e-5 * loss + 1e-12);
    g_assert_cmpfloat(result->best_accuracy, ==, best->val_accuracy);
}

static void test_select(void)
{
    for (AimfSelect select = AIMF_SELECT_ACCURACY; select <= AIMF_SELECT_EQUALIZED_ODDS; select++) {
        AimfTrainOptions options = short_training(select);
        AimfTrainResult result;
        g_autoptr(AimfModel) model = trained(&options, &result);
        expect_figures(&result);
        guint best = 0;
        for (guint i = 1; i < EPOCHS; i++) {
            const AimfEpoch *epoch = &g_array_index(result.history, AimfEpoch, i);
            gboolean better = score(select, epoch) > score(select, &g_array_index(result.history, AimfEpoch, best));
            g_assert_cmpint(epoch->best, ==, better);
            best = better ? i : best;
        }
        g_assert_cmpuint(result.best_epoch, ==, best);
        expect_kept(&result, model);
        const char *runs = aimf_tensors_metadata(model->tensors, "aimfair.trainings");
        g_assert_cmpint(strstr(runs, "\"select\"") != NULL, ==, select != AIMF_SELECT_ACCURACY);
        aimf_train_result_clear(&result);
    }
}

/* Weights that stand still, pictures as they are: the accuracy of training is that of predicting. */
static void test_train_accuracy(void)
{
    AimfTrainOptions options = short_training(AIMF_SELECT_ACCURACY);
    options.epochs = 1;
    options.learning_rate = 1e-30;
    options.batch_norm = AIMF_BATCH_NORM_FROZEN;
    AimfTrainResult result;
    g_autoptr(AimfModel) model = trained(&options, &result);
    g_autoptr(AimfPredictions) predictions = predict(model, train_set);
    guint right = 0;
    for (guint i = 0; i < N_TRAIN; i++)
        right += predictions->prediction[i] == aimf_manifest_at(train_set, i).target;
    g_assert_cmpfloat(g_array_index(result.history, AimfEpoch, 0).train_accuracy, ==, right / (double)N_TRAIN);
    aimf_train_result_clear(&result);
}

/* @label: (nullable) of every row */
static AimfManifest *labelled(const char *label)
{
    AimfManifest *made = aimf_manifest_new();
    for (guint i = 0; i < aimf_manifest_count(validation_set); i++)
        aimf_manifest_add(made, aimf_manifest_at(validation_set, i).path, aimf_manifest_at(validation_set, i).target,
                          label);
    return made;
}

static void expect_refused(const AimfManifest *validation, AimfSelect select, const char *part)
{
    AimfTrainOptions options = short_training(select);
    AimfTrainResult result;
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfModel) model = aimf_model_new("resnet18", 32, 1, 1, NULL);
    g_assert_false(aimf_train(model, train_set, validation, &options, NULL, &result, &error));
    g_assert_error(error, AIMF_ERROR, AIMF_ERROR_INVALID);
    g_assert_nonnull(strstr(error->message, part));
}

static void test_refused(void)
{
    g_autoptr(AimfManifest) bare = labelled(NULL), one = labelled("a");
    expect_refused(bare, AIMF_SELECT_WORST_GROUP, "needs protected labels in every row");
    expect_refused(bare, AIMF_SELECT_EQUALIZED_ODDS, "needs protected labels in every row");
    expect_refused(one, AIMF_SELECT_EQUALIZED_ODDS, "needs two groups of one class");
}

/* A run goes on by what it began with, and ends as if it had not been stopped. */
static void test_resumed(void)
{
    g_autofree char *state = g_build_filename(folder, "run.state", NULL);
    AimfTrainOptions options = short_training(AIMF_SELECT_EQUALIZED_ODDS);
    AimfTrainResult whole, part;
    g_autoptr(AimfModel) undisturbed = trained(&options, &whole);
    options.state_path = state;
    options.epochs = EPOCHS / 2;
    aimf_model_free(trained(&options, &part));
    aimf_train_result_clear(&part);
    options.epochs = EPOCHS;
    options.resume = TRUE;
    options.select = AIMF_SELECT_WORST_GROUP;
    g_autoptr(GError) error = NULL;
    g_autoptr(AimfModel) other = aimf_model_new("resnet18", 32, 1, 1, NULL);
    g_assert_false(aimf_train(other, train_set, validation_set, &options, NULL, &part, &error));
    g_assert_nonnull(strstr(error->message, "select was \"equalized-odds\" and is \"worst-group\""));
    options.select = AIMF_SELECT_EQUALIZED_ODDS;
    g_autoptr(AimfModel) resumed = trained(&options, &part);
    g_autofree char *a = aimf_model_hash(undisturbed), *b = aimf_model_hash(resumed);
    g_assert_cmpstr(a, ==, b);
    g_assert_cmpuint(part.group_accuracy->len, ==, whole.group_accuracy->len);
    g_assert_true(memcmp(part.group_accuracy->data, whole.group_accuracy->data, 4 * EPOCHS * sizeof(double)) == 0);
    for (guint i = 0; i < EPOCHS; i++) {
        const AimfEpoch *one = &g_array_index(whole.history, AimfEpoch, i);
        const AimfEpoch *two = &g_array_index(part.history, AimfEpoch, i);
        g_assert_cmpfloat(one->train_accuracy, ==, two->train_accuracy);
        g_assert_cmpfloat(one->val_loss, ==, two->val_loss);
        g_assert_cmpfloat(one->val_equalized_odds, ==, two->val_equalized_odds);
        g_assert_cmpint(one->best, ==, two->best);
    }
    aimf_train_result_clear(&whole);
    aimf_train_result_clear(&part);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    folder = support_drawn_folder();
    train_set = support_drawn_manifest(folder, "train", N_TRAIN);
    validation_set = support_drawn_manifest(folder, "validation", 40);
    g_test_add_func("/select/select", test_select);
    g_test_add_func("/select/train_accuracy", test_train_accuracy);
    g_test_add_func("/select/refused", test_refused);
    g_test_add_func("/select/resumed", test_resumed);
    int status = g_test_run();
    aimf_manifest_free(train_set);
    aimf_manifest_free(validation_set);
    support_drawn_remove(folder);
    g_free(folder);
    return status;
}
