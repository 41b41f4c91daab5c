/* The training loop. */
#include "train/batches.h"
#include "train/history.h"
#include "train/provenance.h"
#include "train/rules.h"
#include "train/state.h"
#include "train/trainable.h"
#include "train/validation.h"

#include "base/file.h"
#include "base/format.h"
#include "base/monitor.h"
#include "base/work.h"
#include "graph/device.h"
#include "model/evaluator.h"
#include "model/model.h"

#include <math.h>
#include <string.h>

/* What an image costs in training, forward and backward, beside one that is only looked at. */
enum { TRAINING_COST = 3 };

/*
 * Everything a run holds. The model has the best weights so far, @current those of the last finished epoch: the
 * store's, and the counters that the plans do not know; @averaged, where there are averages, those of them, which are
 * measured and kept in place of @current.
 */
typedef struct {
    AimfModel *model;
    const AimfManifest *train;
    const AimfManifest *validation;
    const AimfTrainOptions *options;
    const AimfMonitor *monitor;
    AimfTrainResult *result;
    AimfTensors *current;
    AimfTensors *averaged;
    JsonObject *run;
    char *engine; /* and how many threads, as they followed one another: what makes other sums of the same run */
    AimfModelGraph built;
    AimfStore *store; /* of both plans: training's and, without averages, the evaluator's */
    AimfPlan *plan;
    AimfBatches *batches;
    AimfLoader *train_loader;
    AimfEvaluator *evaluator;
    AimfLoader *validation_loader;
    AimfValidation *measured;
    AimfWork work;
} Trainer;

static void trainer_clear(Trainer *trainer)
{
    aimf_loader_free(trainer->train_loader);
    aimf_loader_free(trainer->validation_loader);
    aimf_evaluator_free(trainer->evaluator);
    aimf_batches_free(trainer->batches);
    aimf_plan_free(trainer->plan);
    aimf_graph_free(trainer->built.graph);
    aimf_tensors_free(trainer->current);
    aimf_tensors_free(trainer->averaged);
    aimf_store_free(trainer->store);
    g_clear_pointer(&trainer->run, json_object_unref);
    g_free(trainer->engine);
    aimf_validation_free(trainer->measured);
}

void aimf_train_result_clear(AimfTrainResult *result)
{
    g_clear_pointer(&result->history, g_array_unref);
    g_clear_pointer(&result->group_names, g_strfreev);
    g_clear_pointer(&result->group_accuracy, g_array_unref);
    g_clear_pointer(&result->groups, g_array_unref);
}

/* --- Preparation --- */

static gboolean is_decay(double value)
{
    return value >= 0 && value < 1;
}

/* (nullable) */
static const char *find_mistake(const AimfOptimizer *o)
{
    if (o->kind == AIMF_OPTIMIZER_SGD && !is_decay(o->momentum))
        return "the momentum must be at least 0 and less than 1";
    if (!(isfinite(o->weight_decay) && o->weight_decay >= 0))
        return "the weight decay must not be negative";
    if (o->kind == AIMF_OPTIMIZER_ADAMW && !(is_decay(o->betas[0]) && is_decay(o->betas[1])))
        return "both betas must be at least 0 and less than 1";
    if (o->kind == AIMF_OPTIMIZER_ADAMW && !(isfinite(o->epsilon) && o->epsilon > 0))
        return "epsilon must be a positive number";
    if (!(isfinite(o->clip_norm) && o->clip_norm >= 0))
        return "the norm that gradients are clipped to must not be negative";
    if (!is_decay(o->average))
        return "the decay of averages must be at least 0 and less than 1";
    return NULL;
}

static gboolean check_options(const AimfTrainOptions *o, GError **error)
{
    const char *wrong = NULL;
    if (o->epochs < 1)
        wrong = "the number of epochs must be at least 1";
    else if (o->batch < 1)
        wrong = "the batch must be at least 1";
    else if (!(isfinite(o->learning_rate) && o->learning_rate > 0))
        wrong = "the learning rate must be a positive number";
    else if (o->warmup_epochs >= o->epochs)
        wrong = "warming up must end before the last epoch";
    else if (!(o->label_smoothing >= 0 && o->label_smoothing < 1))
        wrong = "the smoothing of labels must be at least 0 and less than 1";
    else if (!(isfinite(o->gamma) && o->gamma >= 0))
        wrong = "gamma must not be negative";
    else if (o->keep_best_of == AIMF_KEEP_BEST_OF_START && !o->measure_start)
        wrong = "the start can be kept only where it is measured";
    else if (o->resume && !o->state_path)
        wrong = "resuming needs the path of a state file";
    else
        wrong = find_mistake(&o->optimizer);
    if (wrong)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "%s", wrong);
    return !wrong;
}

static gboolean check_data(const Trainer *trainer, GError **error)
{
    if (!aimf_model_check_manifest(trainer->model, trainer->train, "training", error) ||
        !aimf_model_check_manifest(trainer->model, trainer->validation, "validation", error))
        return FALSE;
    guint n = aimf_manifest_count(trainer->train);
    if (n >= trainer->options->batch)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "the training set has %u image%s, fewer than one batch of %u; choose a smaller batch", n,
                AIMF_PLURAL(n), trainer->options->batch);
    return FALSE;
}

static gboolean compile(Trainer *trainer, GError **error)
{
    const AimfTrainOptions *o = trainer->options;
    AimfModelGraph *built = &trainer->built;
    guint n;
    const AimfBuildOptions building = {
        .training = TRUE,
        .batch_norm = o->batch_norm,
        .dropout = TRUE,
        .seed = o->seed,
        .label_smoothing = o->label_smoothing,
    };
    if (!aimf_model_build(trainer->model, o->batch, &building, built, error))
        return FALSE;
    g_autofree AimfValue *trainable = aimf_train_parameters(built->graph, o->trainable, &n, error);
    if (!trainable || !(trainer->store = aimf_store_new(o->device, o->threads, error)))
        return FALSE;
    const AimfCompileOptions options = {
        .store = trainer->store,
        .trace = o->trace,
        .precision = o->precision,
        .outputs = (const AimfValue[]){ built->loss, built->logits },
        .n_outputs = 2,
        .loss = built->loss,
        .trainable = trainable,
        .n_trainable = n,
        .optimizer = &o->optimizer,
    };
    trainer->plan = aimf_graph_compile(built->graph, &options, error);
    if (!trainer->plan)
        return FALSE;
    trainer->batches =
        aimf_batches_new(trainer->plan, built, o->batch, 3 * aimf_model_pixels(trainer->model), trainer->model, error);
    AimfEvaluatorOptions evaluating = { .store = trainer->store, .precision = o->precision };
    if (o->optimizer.average > 0)
        evaluating = (AimfEvaluatorOptions){ .device = o->device, .threads = o->threads, .precision = o->precision };
    trainer->evaluator = trainer->batches ? aimf_evaluator_new(trainer->model, o->batch, &evaluating, error) : NULL;
    return trainer->evaluator != NULL;
}

/*
 * Both sets are read once per epoch, so a byte helps as much in one as in the other: each gets its share of the
 * pictures.
 */
static gboolean open_loaders(Trainer *trainer, GError **error)
{
    const AimfTrainOptions *o = trainer->options;
    double n_train = aimf_manifest_count(trainer->train), n_validation = aimf_manifest_count(trainer->validation);
    gsize validation_bytes = (gsize)((double)o->cache_bytes * (n_validation / (n_train + n_validation)));
    AimfLoaderOptions loading = aimf_model_loader_options(trainer->model);
    loading.seed = o->seed;
    loading.threads = o->threads;
    loading.skip_bad = o->skip_bad;
    loading.trace = o->trace;
    loading.batch = aimf_evaluator_batch(trainer->evaluator);
    loading.cache_bytes = validation_bytes;
    trainer->validation_loader = aimf_loader_new(trainer->validation, &loading, trainer->monitor, error);
    if (!trainer->validation_loader)
        return FALSE;
    loading.batch = o->batch;
    loading.augment = o->augment;
    loading.shuffle = o->shuffle;
    loading.drop_last = TRUE;
    loading.cache_bytes = o->cache_bytes - validation_bytes;
    trainer->train_loader = aimf_loader_new(trainer->train, &loading, trainer->monitor, error);
    return trainer->train_loader != NULL;
}

static gboolean check_select(const Trainer *trainer, GError **error)
{
    AimfSelect select = trainer->options->select;
    const char *lack = NULL;
    if (select != AIMF_SELECT_ACCURACY && !aimf_manifest_has_labels(trainer->validation))
        lack = "protected labels in every row";
    else if (select == AIMF_SELECT_EQUALIZED_ODDS && !aimf_validation_has_gaps(trainer->measured))
        lack = "two groups of one class";
    if (lack)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "to choose the best epoch by its groups the validation set needs %s; choose it by accuracy", lack);
    return !lack;
}

static void prepare_groups(Trainer *trainer)
{
    AimfTrainResult *result = trainer->result;
    trainer->measured = aimf_validation_new(trainer->validation, (guint)aimf_model_n_classes(trainer->model));
    result->group_names = aimf_validation_names(trainer->measured);
    result->group_accuracy = g_array_new(FALSE, FALSE, sizeof(double));
    if (!trainer->options->measure_start)
        return;
    result->groups = g_array_new(FALSE, TRUE, sizeof(AimfGroupChange));
    for (guint i = 0; i < aimf_validation_n_groups(trainer->measured); i++) {
        AimfGroupChange change = { .target = aimf_validation_target(trainer->measured, i),
                                   .group = aimf_validation_label(trainer->measured, i) };
        g_array_append_val(result->groups, change);
    }
}

/* --- Measuring on the validation set --- */

/* (owned) what follows the accuracy; nothing where the worst group is unknown */
static char *worst_text(double accuracy)
{
    return isnan(accuracy) ? g_strdup("") : aimf_format(", worst group %.2f %%", 100 * accuracy);
}

/* @evaluator: has the weights */
static gboolean measure_weights(Trainer *trainer, AimfEvaluator *evaluator, const char *stage, AimfEpoch *epoch,
                                GError **error)
{
    aimf_work_next(&trainer->work, aimf_manifest_count(trainer->validation), 1);
    g_autoptr(AimfPredictions) predictions =
        aimf_evaluator_run(evaluator, trainer->validation_loader, trainer->validation, stage, trainer->monitor, error);
    return predictions && aimf_validation_measure(trainer->measured, predictions, epoch, error);
}

/* The groups as they were just measured are those of the weights that are kept. */
static void keep_groups(Trainer *trainer)
{
    for (guint i = 0; trainer->result->groups && i < trainer->result->groups->len; i++) {
        AimfGroupChange *group = &g_array_index(trainer->result->groups, AimfGroupChange, i);
        group->n = aimf_validation_n(trainer->measured, i);
        group->right_after = aimf_validation_right(trainer->measured, i);
    }
}

/* @evaluator: has the weights that training begins with */
static gboolean measure_start(Trainer *trainer, AimfEvaluator *evaluator, GError **error)
{
    AimfTrainResult *result = trainer->result;
    AimfEpoch *start = &result->start;
    gint64 started = g_get_monotonic_time();
    *start = (AimfEpoch){ .learning_rate = NAN, .loss = NAN, .train_accuracy = NAN, .images_per_second = NAN };
    if (!measure_weights(trainer, evaluator, "validating the start", start, error)) {
        g_prefix_error(error, "before the first epoch: ");
        return FALSE;
    }
    start->seconds = (double)(g_get_monotonic_time() - started) / G_USEC_PER_SEC;
    start->best = trainer->options->keep_best_of == AIMF_KEEP_BEST_OF_START;
    for (guint i = 0; i < result->groups->len; i++)
        g_array_index(result->groups, AimfGroupChange, i).right_before = aimf_validation_right(trainer->measured, i);
    g_autofree char *worst = worst_text(start->val_worst_group_accuracy);
    aimf_message(trainer->monitor, AIMF_LOG_INFO, "start: validation accuracy %.2f %%%s", 100 * start->val_accuracy,
                 worst);
    return TRUE;
}

/* --- Going on where a run was stopped --- */

static AimfTrainState trainer_state(Trainer *trainer)
{
    return (AimfTrainState){
        .run = trainer->run,
        .engine = trainer->engine,
        .current = trainer->current,
        .best = trainer->model->tensors,
        .graph = trainer->built.graph,
        .plan = trainer->plan,
        .result = trainer->result,
    };
}

/* States of older programs have no start: it is measured now, and so are the weights that were the best so far. */
static gboolean measure_belatedly(Trainer *trainer, const AimfTensors *initial, GError **error)
{
    const AimfTrainOptions *o = trainer->options;
    AimfEvaluatorOptions options = { .device = o->device, .threads = o->threads, .precision = o->precision };
    g_autoptr(AimfEvaluator) evaluator = aimf_evaluator_new(trainer->model, o->batch, &options, error);
    AimfEpoch best;
    if (!evaluator || !aimf_evaluator_load(evaluator, initial, error) || !measure_start(trainer, evaluator, error) ||
        !aimf_evaluator_load(evaluator, trainer->model->tensors, error) ||
        !measure_weights(trainer, evaluator, "validating the best epoch", &best, error))
        return FALSE;
    keep_groups(trainer);
    return TRUE;
}

/* (owned) */
static char *describe_engine(const AimfTrainOptions *options)
{
    g_autofree char *engine = aimf_device_engine(options->device);
    int threads = aimf_threads(options->threads);
    return g_strdup_printf("%s, %d thread%s", engine, threads, AIMF_PLURAL(threads));
}

/* The state remembers them all: what was disturbed once stays so. */
static void add_engine(Trainer *trainer, const char *before)
{
    g_autofree char *now = g_steal_pointer(&trainer->engine), *end = g_strconcat(", then ", now, NULL);
    aimf_message(trainer->monitor, AIMF_LOG_WARNING,
                 "so far this training was computed with %s, and now with %s: sums may be rounded otherwise, and the "
                 "result need not be the bytes of an undisturbed run",
                 before, now);
    trainer->engine = g_strconcat(before, g_str_has_suffix(before, end) ? NULL : end, NULL);
}

static gboolean continue_run(Trainer *trainer, GError **error)
{
    const AimfTrainOptions *o = trainer->options;
    g_autoptr(AimfTensors) initial =
        o->measure_start ? aimf_tensors_load(trainer->model->tensors, AIMF_N_DTYPES, error) : NULL;
    AimfTrainState state = trainer_state(trainer);
    gboolean loaded = (!o->measure_start || initial) && aimf_train_state_load(&state, o->epochs, o->state_path, error);
    g_autofree char *other_engine = state.other_engine;
    if (!loaded)
        return FALSE;
    if (other_engine && trainer->result->history->len < o->epochs)
        add_engine(trainer, other_engine);
    AimfEpoch *start = &trainer->result->start;
    start->learning_rate = start->loss = start->train_accuracy = start->images_per_second = NAN;
    aimf_message(trainer->monitor, AIMF_LOG_INFO, "continuing after epoch %u", trainer->result->history->len);
    return !o->measure_start || state.has_start || measure_belatedly(trainer, initial, error);
}

static gboolean resume(Trainer *trainer, GError **error)
{
    const AimfTrainOptions *o = trainer->options;
    AimfPathKind kind = o->state_path ? aimf_path_kind(o->state_path, error) : AIMF_PATH_MISSING;
    if (kind == AIMF_PATH_UNKNOWN)
        return FALSE;
    gboolean there = kind != AIMF_PATH_MISSING;
    if (kind == AIMF_PATH_FOLDER) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_IO,
                    "'%s' is a folder; the training's state would be written there: move it away", o->state_path);
        return FALSE;
    }
    if (!o->resume) {
        if (there)
            aimf_message(trainer->monitor, AIMF_LOG_WARNING,
                         "'%s' has the state of an earlier training; it will be replaced by this one's", o->state_path);
        return TRUE;
    }
    if (!there) {
        aimf_message(trainer->monitor, AIMF_LOG_INFO, "there is no state '%s': training begins at the first epoch",
                     o->state_path);
        return TRUE;
    }
    return continue_run(trainer, error);
}

/* What is left to do, for the time that it will take. */
static void begin_work(Trainer *trainer)
{
    const AimfTrainOptions *o = trainer->options;
    double images = (double)aimf_loader_batches(trainer->train_loader) * o->batch;
    double validation = aimf_manifest_count(trainer->validation), left = o->epochs - trainer->result->history->len;
    double start = trainer->result->history->len == 0 && o->measure_start ? validation : 0;
    const AimfMonitor *outer = trainer->work.outer;
    aimf_work_begin(&trainer->work, outer, left * (TRAINING_COST * images + validation) + start);
}

static gboolean prepare(Trainer *trainer, GError **error)
{
    const AimfTrainOptions *o = trainer->options;
    if (!check_options(o, error) || !check_data(trainer, error))
        return FALSE;
    prepare_groups(trainer);
    if (!check_select(trainer, error) || !compile(trainer, error) || !open_loaders(trainer, error) ||
        !aimf_store_load(trainer->store, trainer->model->tensors, error))
        return FALSE;
    if (o->optimizer.average > 0 &&
        (!(trainer->averaged = aimf_tensors_load(trainer->model->tensors, AIMF_N_DTYPES, error)) ||
         !aimf_evaluator_load(trainer->evaluator, trainer->averaged, error)))
        return FALSE;
    trainer->current = aimf_store_tensors(trainer->store, trainer->model->tensors, error);
    trainer->run = aimf_run_describe(trainer->model, trainer->train, trainer->validation, o);
    trainer->engine = describe_engine(o);
    if (!trainer->current || !resume(trainer, error))
        return FALSE;
    begin_work(trainer);
    if (o->ready)
        o->ready(o->ready_data);
    return TRUE;
}

/* --- One epoch --- */

/* PyTorch counts every batch that a batch norm has seen. */
static void count_batches(AimfTensors *tensors, guint n)
{
    for (guint i = 0; i < aimf_tensors_count(tensors); i++)
        if (aimf_tensors_at(tensors, i)->dtype == AIMF_I64)
            *(gint64 *)aimf_tensors_writable(tensors, i) += n;
}

/* A loss may be told some batches after its own: what is given and what is known are counted apart. */
static gboolean give_batches(Trainer *trainer, const char *stage_name, AimfStage *stage, GError **error)
{
    AimfBatch batch;
    GError *failure = NULL;
    while (aimf_check_stop(trainer->monitor, stage_name, &failure) &&
           aimf_loader_next(trainer->train_loader, &batch, &failure)) {
        if (!aimf_batches_run(trainer->batches, &batch, &failure))
            break;
        g_autofree char *note = NULL;
        if (aimf_batches_count(trainer->batches))
            note = aimf_format("loss %.4f", aimf_batches_mean_loss(trainer->batches));
        aimf_stage_step(stage, trainer->options->batch, note);
    }
    if (!failure)
        aimf_batches_finish(trainer->batches, &failure);
    if (failure)
        g_propagate_error(error, failure);
    return !failure;
}

static gboolean run_batches(Trainer *trainer, AimfEpoch *epoch, GError **error)
{
    const AimfTrainOptions *o = trainer->options;
    g_autofree char *stage_name = g_strdup_printf("epoch %u/%u", epoch->epoch + 1, o->epochs);
    g_autofree char *where = g_strdup_printf("epoch %u", epoch->epoch + 1);
    AimfStage stage;
    guint64 n_images = (guint64)aimf_loader_batches(trainer->train_loader) * o->batch;
    aimf_work_next(&trainer->work, (double)n_images, TRAINING_COST);
    aimf_stage_begin(&stage, trainer->monitor, stage_name, "images", n_images);
    aimf_loader_begin(trainer->train_loader, epoch->epoch);
    aimf_batches_begin(trainer->batches, epoch->epoch, where, "; a smaller learning rate may help");
    if (!aimf_plan_set_learning_rate(trainer->plan, epoch->learning_rate, error) ||
        !give_batches(trainer, stage_name, &stage, error))
        return FALSE;
    guint n_batches = aimf_batches_count(trainer->batches);
    if (n_batches == 0) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED, "no image could be read in %s", stage_name);
        return FALSE;
    }
    epoch->loss = aimf_batches_mean_loss(trainer->batches);
    epoch->train_accuracy = aimf_batches_accuracy(trainer->batches);
    epoch->images_per_second = stage.progress.rate;
    if (o->batch_norm == AIMF_BATCH_NORM_TRAIN)
        count_batches(trainer->current, n_batches);
    return TRUE;
}

static gboolean check_weights(const AimfTensors *tensors, GError **error)
{
    for (guint i = 0; i < aimf_tensors_count(tensors); i++) {
        const AimfTensor *tensor = aimf_tensors_at(tensors, i);
        if (tensor->dtype != AIMF_F32 ||
            aimf_train_all_finite(aimf_tensors_data(tensors, i), tensor->bytes / sizeof(float)))
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED,
                    "'%s' has values that are not finite any more; a smaller learning rate may help", tensor->name);
        return FALSE;
    }
    return TRUE;
}

/* The averages of what has one; counters as they are. */
static gboolean take_averages(Trainer *trainer, GError **error)
{
    g_autoptr(AimfTensors) state = aimf_plan_optimizer_state(trainer->plan, error);
    for (guint i = 0; state && i < aimf_tensors_count(trainer->averaged); i++) {
        const AimfTensor *tensor = aimf_tensors_at(trainer->averaged, i);
        g_autofree char *name = g_strconcat("average/", tensor->name, NULL);
        int entry = aimf_tensors_find(state, name);
        const void *from = entry < 0 ? aimf_tensors_data(trainer->current, i) : aimf_tensors_data(state, (guint)entry);
        memcpy(aimf_tensors_writable(trainer->averaged, i), from, tensor->bytes);
    }
    return state && aimf_evaluator_load(trainer->evaluator, trainer->averaged, error);
}

static gboolean validate(Trainer *trainer, AimfEpoch *epoch, GError **error)
{
    g_autofree char *stage_name = g_strdup_printf("validating %u/%u", epoch->epoch + 1, trainer->options->epochs);
    if (aimf_store_save(trainer->store, trainer->current, error) && check_weights(trainer->current, error) &&
        (!trainer->averaged || take_averages(trainer, error)) &&
        measure_weights(trainer, trainer->evaluator, stage_name, epoch, error))
        return TRUE;
    g_prefix_error(error, "epoch %u: ", epoch->epoch + 1);
    return FALSE;
}

/* (borrowed) what the model has now, or NULL before the first epoch. */
static const AimfEpoch *best_so_far(const AimfTrainResult *result)
{
    if (result->kept_start)
        return &result->start;
    return result->history->len ? &g_array_index(result->history, AimfEpoch, result->best_epoch) : NULL;
}

static void keep_if_best(Trainer *trainer, AimfEpoch *epoch)
{
    const AimfTrainOptions *o = trainer->options;
    AimfTrainResult *result = trainer->result;
    const AimfEpoch *best = best_so_far(result);
    epoch->best = aimf_train_is_better(o->later_tie_wins, !best, aimf_train_score(o->select, epoch),
                                       best ? aimf_train_score(o->select, best) : 0);
    if (!epoch->best)
        return;
    result->best_epoch = epoch->epoch;
    result->best_accuracy = epoch->val_accuracy;
    result->kept_start = FALSE;
    keep_groups(trainer);
    AimfTensors *kept = trainer->model->tensors, *now = trainer->averaged ? trainer->averaged : trainer->current;
    for (guint i = 0; i < aimf_tensors_count(kept); i++)
        memcpy(aimf_tensors_writable(kept, i), aimf_tensors_data(now, i), aimf_tensors_at(kept, i)->bytes);
}

static gboolean save(Trainer *trainer, GError **error)
{
    const AimfTrainOptions *o = trainer->options;
    if (o->log_path && !aimf_history_log(trainer->result, o->log_path, error))
        return FALSE;
    if (!o->state_path)
        return TRUE;
    AimfTrainState state = trainer_state(trainer);
    return aimf_train_state_save(&state, o->state_path, error);
}

static gboolean run_epoch(Trainer *trainer, GError **error)
{
    guint index = trainer->result->history->len;
    AimfEpoch epoch = { .epoch = index, .learning_rate = aimf_train_learning_rate(trainer->options, index) };
    gint64 started = g_get_monotonic_time();
    if (!run_batches(trainer, &epoch, error) || !validate(trainer, &epoch, error))
        return FALSE;
    epoch.seconds = (double)(g_get_monotonic_time() - started) / G_USEC_PER_SEC;
    keep_if_best(trainer, &epoch);
    g_array_append_val(trainer->result->history, epoch);
    for (guint i = 0; i < aimf_validation_n_groups(trainer->measured); i++) {
        double accuracy = aimf_validation_accuracy(trainer->measured, i);
        g_array_append_val(trainer->result->group_accuracy, accuracy);
    }
    g_autofree char *worst = worst_text(epoch.val_worst_group_accuracy);
    aimf_message(trainer->monitor, AIMF_LOG_INFO,
                 "epoch %u/%u: loss %.4f, validation accuracy %.2f %%%s, %.0f images/s%s", index + 1,
                 trainer->options->epochs, epoch.loss, 100 * epoch.val_accuracy, worst, epoch.images_per_second,
                 epoch.best ? ", best so far" : "");
    return save(trainer, error);
}

/* The weights that training begins with, as epoch 0. */
static gboolean run_start(Trainer *trainer, GError **error)
{
    AimfTrainResult *result = trainer->result;
    if (!trainer->options->measure_start || result->history->len)
        return TRUE;
    if (!measure_start(trainer, trainer->evaluator, error))
        return FALSE;
    keep_groups(trainer);
    result->kept_start = result->start.best;
    result->best_accuracy = result->kept_start ? result->start.val_accuracy : 0;
    return TRUE;
}

gboolean aimf_train(AimfModel *model, const AimfManifest *train, const AimfManifest *validation,
                    const AimfTrainOptions *options, const AimfMonitor *monitor, AimfTrainResult *result,
                    GError **error)
{
    *result = (AimfTrainResult){ .history = g_array_new(FALSE, FALSE, sizeof(AimfEpoch)) };
    Trainer trainer = {
        .model = model,
        .train = train,
        .validation = validation,
        .options = options,
        .result = result,
    };
    aimf_work_begin(&trainer.work, monitor, 0);
    trainer.monitor = monitor ? &trainer.work.inner : NULL;
    gboolean good = prepare(&trainer, error) && run_start(&trainer, error);
    while (good && result->history->len < options->epochs)
        good = run_epoch(&trainer, error);
    if (good)
        aimf_run_record(model, trainer.run, train, validation, result);
    else
        aimf_train_result_clear(result);
    trainer_clear(&trainer);
    return good;
}
