/* The biased classifier, sensitivities of its tensors, and the fairer ones: what the commands of these names do. */
#include "base/file.h"
#include "base/json.h"
#include "base/monitor.h"
#include "model/model.h"
#include "run/job.h"

#include <aimfair/error.h>
#include <aimfair/sets.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static guint64 seed_of(const AimfRunJob *job, const AimfRunStage *stage)
{
    return aimf_config_integer_at(job->config, AIMF_KEY_SEEDS, stage->seed);
}

static void set_seed(const AimfRunJob *job, const AimfRunStage *stage, AimfProvenance *wanted)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, seed_of(job, stage));
    json_object_set_string_member(wanted->settings, "seed", text);
}

/* (owned) "cells/biased-100/model" of the stage's seed. */
static char *start_of(const AimfRunJob *job, const AimfRunStage *stage)
{
    g_autofree char *cell = aimf_run_cell_name(&job->methods[0], seed_of(job, stage));
    return g_strconcat(cell, "/model", NULL);
}

static char *sensitivity_of(const AimfRunJob *job, const AimfRunStage *stage)
{
    return g_strdup_printf("shared/sensitivity-%" G_GUINT64_FORMAT, seed_of(job, stage));
}

static gboolean take_set(AimfRunJob *job, int set, AimfProvenance *wanted, GError **error)
{
    AimfManifest *manifest = aimf_run_set(job, set, error);
    g_auto(GStrv) parts = g_strsplit(aimf_run_set_path(set), "/", 3);
    g_autofree char *stage = g_strconcat(parts[0], "/", parts[1], NULL);
    return manifest && aimf_run_take_pictures(job, stage, parts[2], manifest, wanted, error);
}

/* --- Options of a training --- */

/* A key that pre-training and fine-tuning have alike. */
#define KEY(finetuning, name) (finetuning ? AIMF_KEY_FINETUNE_##name : AIMF_KEY_TRAIN_##name)

static int choice_or(const AimfConfig *config, AimfConfigKey key, int otherwise)
{
    return aimf_config_given(config, key) ? aimf_config_choice(config, key) : otherwise;
}

/* @milestones: receives (owned) what the options point to */
static gboolean take_recipe(const AimfConfig *config, gboolean finetuning, const char *architecture,
                            AimfTrainOptions *options, guint **milestones, GError **error)
{
    AimfRecipe recipe;
    aimf_recipe_init(&recipe, (guint)aimf_config_integer(config, KEY(finetuning, EPOCHS)));
    recipe.optimizer = choice_or(config, KEY(finetuning, OPTIMIZER), AIMF_NOT_GIVEN);
    recipe.schedule = choice_or(config, KEY(finetuning, SCHEDULE), AIMF_NOT_GIVEN);
    recipe.decay_weights_only = choice_or(config, KEY(finetuning, DECAY), AIMF_NOT_GIVEN);
    recipe.learning_rate = aimf_config_real(config, KEY(finetuning, LEARNING_RATE));
    recipe.momentum = aimf_config_real(config, KEY(finetuning, MOMENTUM));
    recipe.epsilon = aimf_config_real(config, KEY(finetuning, EPSILON));
    recipe.weight_decay = aimf_config_real(config, KEY(finetuning, WEIGHT_DECAY));
    recipe.clip_norm = aimf_config_real(config, KEY(finetuning, CLIP_NORM));
    recipe.label_smoothing = aimf_config_real(config, KEY(finetuning, LABEL_SMOOTHING));
    recipe.average = aimf_config_real(config, KEY(finetuning, EMA));
    if (aimf_config_given(config, KEY(finetuning, WARMUP)))
        recipe.warmup_epochs = (int)aimf_config_integer(config, KEY(finetuning, WARMUP));
    for (guint i = 0; i < 2 && aimf_config_given(config, KEY(finetuning, BETAS)); i++)
        recipe.betas[i] = aimf_config_number_at(config, KEY(finetuning, BETAS), i);
    recipe.n_milestones = aimf_config_length(config, KEY(finetuning, MILESTONES));
    recipe.milestones_given = recipe.n_milestones > 0;
    *milestones = g_new0(guint, recipe.n_milestones + 1);
    for (guint i = 0; i < recipe.n_milestones; i++)
        (*milestones)[i] = (guint)aimf_config_integer_at(config, KEY(finetuning, MILESTONES), i);
    recipe.milestones = *milestones;
    if (aimf_recipe_settle(&recipe, architecture, finetuning, options, error))
        return TRUE;
    g_prefix_error(error, "%s: ", finetuning ? "finetune" : "train");
    return FALSE;
}

gboolean aimf_run_check_recipes(const AimfRunJob *job, GError **error)
{
    gboolean own = aimf_config_given(job->config, AIMF_KEY_TRAIN_MODEL);
    int width, height;
    g_autofree char *architecture = aimf_run_architecture(job->config, error);
    if (!own && !aimf_run_image_size(job->config, &width, &height, error))
        return FALSE;
    for (int finetuning = own ? 1 : 0; architecture && finetuning < 2; finetuning++) {
        const AimfTrainOptions standard[] = { AIMF_PRETRAIN_DEFAULTS, AIMF_FINETUNE_DEFAULTS };
        AimfTrainOptions options = standard[finetuning];
        g_autofree guint *milestones = NULL;
        if (!take_recipe(job->config, finetuning, architecture, &options, &milestones, error))
            return FALSE;
    }
    return architecture != NULL;
}

/* (nullable) the crop of @key, written to @augment. */
static const AimfAugment *take_crop(const AimfConfig *config, AimfConfigKey key, AimfAugment *augment)
{
    const AimfAugment standard = AIMF_AUGMENT_DEFAULT;
    *augment = standard;
    if (!aimf_config_given(config, key))
        return NULL;
    guint n = aimf_config_length(config, key);
    augment->scale[0] = aimf_config_number_at(config, key, 0);
    augment->scale[1] = aimf_config_number_at(config, key, n - 1);
    return augment;
}

static void take_pass(AimfRunJob *job, const AimfRunStage *stage, gboolean finetuning, AimfTrainOptions *options)
{
    const AimfConfig *config = job->config;
    options->batch = (guint)aimf_config_integer(config, KEY(finetuning, BATCH));
    options->batch_norm = (AimfBatchNormMode)aimf_config_choice(config, KEY(finetuning, BATCH_NORM));
    options->select = (AimfSelect)aimf_config_choice(config, KEY(finetuning, SELECT));
    options->cache_bytes = (gsize)aimf_config_integer(config, KEY(finetuning, CACHE)) << 20;
    options->skip_bad = (guint)aimf_config_integer(config, AIMF_KEY_DATA_SKIP_BAD);
    options->device = job->device;
    options->precision = job->precision;
    options->threads = job->threads;
    options->seed = seed_of(job, stage);
    if (finetuning)
        options->keep_best_of = (AimfKeepBestOf)aimf_config_choice(config, AIMF_KEY_FINETUNE_KEEP_BEST_OF);
}

/* --- Training --- */

/*
 * The epochs, the start among them as epoch 0, without how long they took: what came out is the same whenever it did.
 */
static JsonNode *epochs_node(const AimfTrainResult *result)
{
    g_autofree char *text = aimf_train_result_json(result);
    JsonNode *node = json_from_string(text, NULL);
    JsonArray *epochs = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(epochs); i++) {
        json_object_remove_member(json_array_get_object_element(epochs, i), "seconds");
        json_object_remove_member(json_array_get_object_element(epochs, i), "images_per_second");
    }
    return node;
}

/* What is trained and how it came out, as training.json. */
static gboolean save_training(const char *part, const AimfTrainResult *result, char *const *trained, guint n_tensors,
                              const AimfFindings *findings, GError **error)
{
    g_autofree char *path = g_build_filename(part, "training.json", NULL), *warnings = aimf_findings_json(findings);
    JsonObject *object = json_object_new();
    json_object_set_int_member(object, "tensors", n_tensors);
    if (trained) {
        JsonArray *names = json_array_new();
        for (; *trained; trained++)
            json_array_add_string_element(names, *trained);
        json_object_set_array_member(object, "trained", names);
    } else {
        json_object_set_null_member(object, "trained"); /* all of them; none where there is no best epoch */
    }
    if (result) {
        json_object_set_int_member(object, "best_epoch", result->kept_start ? 0 : (gint64)result->best_epoch + 1);
        json_object_set_double_member(object, "best_accuracy", result->best_accuracy);
        json_object_set_member(object, "epochs", epochs_node(result));
    } else {
        json_object_set_null_member(object, "best_epoch");
        json_object_set_null_member(object, "best_accuracy");
        json_object_set_null_member(object, "epochs");
    }
    json_object_set_member(object, "warnings", json_from_string(warnings, NULL));
    g_autofree char *text = aimf_json_lines(object);
    return aimf_file_write(path, text, strlen(text), error);
}

typedef struct {
    AimfModel *model;
    const AimfManifest *train;
    const AimfTensors *start; /* (nullable) what the weights begin with */
    gboolean fresh_head;
    gboolean finetuning;
    char *const *trained; /* (nullable) all */
} Training;

static gboolean check_sets(AimfRunJob *job, const Training *training, AimfBatchNormMode batch_norm, GError **error)
{
    const AimfTrainingSets sets = {
        .start = training->start,
        .model = training->model,
        .train = training->train,
        .validation = aimf_run_set(job, AIMF_SET_VAL, error),
        .finetuning = training->finetuning,
        .batch_norm = batch_norm,
    };
    return sets.validation && aimf_check_training_sets(&sets, job->monitor, job->findings, error) &&
           aimf_run_tell_findings(job, error);
}

/* The state is what a stopped run goes on from; a log has times. */
static gboolean train(AimfRunJob *job, const Training *training, AimfTrainOptions *options, const char *part,
                      GError **error)
{
    g_autofree char *state = g_build_filename(part, "state", NULL), *log = g_build_filename(part, "log.csv", NULL);
    g_autofree char *path = g_build_filename(part, "model.safetensors", NULL);
    options->state_path = state;
    options->log_path = log;
    options->trainable = (const char *const *)training->trained;
    if (!aimf_path_there(state, &options->resume, error) || !check_sets(job, training, options->batch_norm, error))
        return FALSE;
    g_autofree char *text = aimf_recipe_text(options);
    aimf_message(job->monitor, AIMF_LOG_INFO, "%s on %u pictures: %s", training->model->architecture,
                 aimf_manifest_count(training->train), text);
    AimfTrainResult result;
    if (!aimf_train(training->model, training->train, job->sets[AIMF_SET_VAL], options, job->monitor, &result, error))
        return FALSE;
    aimf_check_result(&result, job->sets[AIMF_SET_VAL], training->fresh_head, job->findings);
    gboolean good = aimf_run_tell_findings(job, error) && aimf_model_save(training->model, path, error) &&
                    save_training(part, &result, training->trained, job->n_tensors, job->findings, error);
    aimf_train_result_clear(&result);
    if (good)
        g_unlink(state);
    return good;
}

/* --- The biased classifier --- */

static gboolean describe_train(AimfRunJob *job, AimfRunStage *stage, AimfProvenance *wanted, GError **error)
{
    if (aimf_config_given(job->config, AIMF_KEY_TRAIN_MODEL)) /* which is the same with every seed and all data */
        return TRUE;
    set_seed(job, stage, wanted);
    return take_set(job, AIMF_SET_TRAIN, wanted, error) && take_set(job, AIMF_SET_VAL, wanted, error);
}

gboolean aimf_run_image_size(const AimfConfig *config, int *width, int *height, GError **error)
{
    g_auto(GStrv) sides = g_strsplit(aimf_config_text_at(config, AIMF_KEY_TRAIN_IMAGE_SIZE), "x", 3);
    guint n = g_strv_length(sides);
    guint64 w = 0, h = 0;
    if ((n == 1 || n == 2) && g_ascii_string_to_unsigned(sides[0], 10, 1, 65536, &w, NULL) &&
        g_ascii_string_to_unsigned(sides[n - 1], 10, 1, 65536, &h, NULL)) {
        *width = (int)w;
        *height = (int)h;
        return TRUE;
    }
    aimf_config_error(config, AIMF_KEY_TRAIN_IMAGE_SIZE, error, "takes pixels, 224 or 320x240, not '%s'",
                      aimf_config_text_at(config, AIMF_KEY_TRAIN_IMAGE_SIZE));
    return FALSE;
}

gboolean aimf_run_choose_preprocess(const AimfConfig *config, const AimfTensors *file, AimfPreprocess *preprocess,
                                    GError **error)
{
    *preprocess =
        (AimfPreprocess){ .width = 224, .height = 224, .mean = { 0.5f, 0.5f, 0.5f }, .std = { 0.5f, 0.5f, 0.5f } };
    GError *failure = NULL;
    gboolean saved = file && aimf_saved_preprocess(file, preprocess, &failure);
    if (failure) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    int width, height;
    if (!aimf_run_image_size(config, &width, &height, error))
        return FALSE;
    if (!saved || aimf_config_place(config, AIMF_KEY_TRAIN_IMAGE_SIZE))
        aimf_preprocess_resize_input(preprocess, width, height);
    return aimf_preprocess_check(preprocess, error);
}

static gboolean set_names(AimfRunJob *job, AimfModel *model, const AimfManifest *data, GError **error)
{
    guint expected = (guint)aimf_model_n_classes(model), n = aimf_config_length(job->config, AIMF_KEY_DATA_CLASSES);
    model->target = g_strdup(aimf_config_text_at(job->config, AIMF_KEY_DATA_TARGET));
    model->classes =
        n ? g_strdupv((char **)aimf_config_list(job->config, AIMF_KEY_DATA_CLASSES)) : aimf_manifest_class_names(data);
    if (!n || n == expected)
        return TRUE;
    aimf_config_error(job->config, AIMF_KEY_DATA_CLASSES, error, "has %u name%s; there are %u classes", n,
                      AIMF_PLURAL(n), expected);
    return FALSE;
}

/* @start: receives (owned, nullable) the file of the weights that it begins with */
static AimfModel *new_model(AimfRunJob *job, const AimfRunStage *stage, const AimfManifest *data, AimfTensors **start,
                            gboolean *fresh_head, GError **error)
{
    const char *architecture = aimf_config_text_at(job->config, AIMF_KEY_TRAIN_ARCHITECTURE);
    g_autofree char *init = aimf_config_path(job->config, AIMF_KEY_TRAIN_INIT);
    g_autoptr(AimfTensors) file = init ? aimf_tensors_open_partly(init, error) : NULL;
    g_autoptr(AimfTensors) weights =
        file ? aimf_model_select_weights(file, architecture, NULL, job->monitor, error) : NULL;
    AimfPreprocess preprocess;
    if ((init && !weights) || !aimf_run_choose_preprocess(job->config, file, &preprocess, error))
        return NULL;
    int classes = aimf_manifest_classes(data), found = weights ? aimf_weights_outputs(architecture, weights) : 0;
    gboolean fits = found > 0 && MAX(found, 2) == MAX(classes, 2);
    int outputs = fits ? found : classes > 2 ? classes : 1;
    g_autoptr(AimfModel) model = aimf_model_new_for(architecture, &preprocess, outputs, seed_of(job, stage), error);
    if (!model || !set_names(job, model, data, error) ||
        (weights && !aimf_model_take_weights(model, weights, job->monitor, error)))
        return NULL;
    *fresh_head = !fits;
    *start = g_steal_pointer(&file);
    return g_steal_pointer(&model);
}

static gboolean take_own_model(AimfRunJob *job, const char *part, GError **error)
{
    g_autofree char *from = aimf_config_path(job->config, AIMF_KEY_TRAIN_MODEL);
    g_autofree char *path = g_build_filename(part, "model.safetensors", NULL);
    g_autoptr(AimfModel) model = aimf_model_open(from, error);
    return model && aimf_model_save(model, path, error) && save_training(part, NULL, NULL, job->n_tensors, NULL, error);
}

static gboolean make_train(AimfRunJob *job, AimfRunStage *stage, const char *part, AimfProvenance *made, GError **error)
{
    (void)made;
    if (aimf_config_given(job->config, AIMF_KEY_TRAIN_MODEL))
        return take_own_model(job, part, error);
    const AimfManifest *data = aimf_run_set(job, AIMF_SET_TRAIN, error);
    g_autoptr(AimfTensors) start = NULL;
    Training training = { .train = data };
    g_autoptr(AimfModel) model = data ? new_model(job, stage, data, &start, &training.fresh_head, error) : NULL;
    if (!model)
        return FALSE;
    AimfTrainOptions options = AIMF_PRETRAIN_DEFAULTS;
    AimfAugment augment;
    g_autofree guint *milestones = NULL;
    training.model = model;
    training.start = start;
    take_pass(job, stage, FALSE, &options);
    options.augment = take_crop(job->config, AIMF_KEY_TRAIN_CROP_SCALE, &augment);
    options.measure_start = start != NULL;
    return take_recipe(job->config, FALSE, model->architecture, &options, &milestones, error) &&
           train(job, &training, &options, part, error);
}

/* A picture that is trained on costs three times one that is looked at, or four. */
static const double COST_TRAINING = 4;

static guint n_of(const AimfRunJob *job, int set)
{
    enum { NOT_KNOWN_YET = 1600 };
    const AimfManifest *known = set < AIMF_N_PARTS && job->data[set] ? job->data[set] : job->sets[set];
    if (known)
        return aimf_manifest_count(known);
    if (set == AIMF_SET_BALANCED)
        return job->n_balanced;
    if (set == AIMF_SET_BIASED)
        return job->n_biased;
    return NOT_KNOWN_YET;
}

static double cost_of_training(const AimfRunJob *job, int set, guint epochs)
{
    return epochs * (COST_TRAINING * n_of(job, set) + n_of(job, AIMF_SET_VAL));
}

static double cost_train(const AimfRunJob *job, const AimfRunStage *stage, double *each)
{
    (void)stage;
    *each = COST_TRAINING;
    if (aimf_config_given(job->config, AIMF_KEY_TRAIN_MODEL))
        return 0;
    return cost_of_training(job, AIMF_SET_TRAIN, (guint)aimf_config_integer(job->config, AIMF_KEY_TRAIN_EPOCHS));
}

/* clang-format off */
#define TRAINING_KEYS(S)                                                                                               \
    AIMF_KEY_##S##_EPOCHS, AIMF_KEY_##S##_BATCH, AIMF_KEY_##S##_OPTIMIZER, AIMF_KEY_##S##_LEARNING_RATE,               \
        AIMF_KEY_##S##_SCHEDULE, AIMF_KEY_##S##_MILESTONES, AIMF_KEY_##S##_WARMUP, AIMF_KEY_##S##_MOMENTUM,            \
        AIMF_KEY_##S##_BETAS, AIMF_KEY_##S##_EPSILON, AIMF_KEY_##S##_WEIGHT_DECAY, AIMF_KEY_##S##_DECAY,               \
        AIMF_KEY_##S##_CLIP_NORM, AIMF_KEY_##S##_LABEL_SMOOTHING, AIMF_KEY_##S##_EMA, AIMF_KEY_##S##_BATCH_NORM,       \
        AIMF_KEY_##S##_CROP_SCALE, AIMF_KEY_##S##_SELECT
/* clang-format on */

static const AimfConfigKey TRAIN_KEYS[] = {
    AIMF_KEY_TRAIN_MODEL,      AIMF_KEY_TRAIN_ARCHITECTURE, AIMF_KEY_TRAIN_INIT,
    AIMF_KEY_TRAIN_IMAGE_SIZE, AIMF_KEY_DATA_CLASSES,       AIMF_KEY_DATA_TARGET,
    AIMF_KEY_DATA_SKIP_BAD,    TRAINING_KEYS(TRAIN),        AIMF_N_KEYS
};

const AimfStageKind AIMF_STAGE_TRAIN = {
    .keys = TRAIN_KEYS, .describe = describe_train, .make = make_train, .cost = cost_train, .of_cell = TRUE
};

/* --- Sensitivities --- */

static gboolean describe_sensitivity(AimfRunJob *job, AimfRunStage *stage, AimfProvenance *wanted, GError **error)
{
    g_autofree char *start = start_of(job, stage);
    set_seed(job, stage, wanted);
    aimf_run_take_output(job, start, "model.safetensors", wanted);
    return take_set(job, AIMF_SET_TRAIN, wanted, error) && take_set(job, AIMF_SET_BIASED, wanted, error) &&
           take_set(job, AIMF_SET_BALANCED, wanted, error);
}

static gboolean check_sensitivity_sets(AimfRunJob *job, const AimfModel *model, const AimfGradientSet *sets,
                                       GError **error)
{
    const AimfSensitivitySets given = {
        .model = model, .real = sets[0].manifest, .biased = sets[1].manifest, .balanced = sets[2].manifest
    };
    return aimf_check_sensitivity_sets(&given, job->monitor, job->findings, error) &&
           aimf_run_tell_findings(job, error);
}

static gboolean make_sensitivity(AimfRunJob *job, AimfRunStage *stage, const char *part, AimfProvenance *made,
                                 GError **error)
{
    (void)made;
    g_autofree char *start = start_of(job, stage);
    g_autofree char *path = aimf_run_stage_path(job, start, "model.safetensors");
    g_autoptr(AimfModel) model = aimf_model_open(path, error);
    const AimfGradientSet sets[] = { { "real", model ? aimf_run_set(job, AIMF_SET_TRAIN, error) : NULL },
                                     { "biased", model ? aimf_run_set(job, AIMF_SET_BIASED, error) : NULL },
                                     { "balanced", model ? aimf_run_set(job, AIMF_SET_BALANCED, error) : NULL } };
    AimfAugment augment;
    const AimfGradientOptions options = {
        .batch = (guint)aimf_config_integer(job->config, AIMF_KEY_SENSITIVITY_BATCH),
        .augment = take_crop(job->config, AIMF_KEY_FINETUNE_CROP_SCALE, &augment),
        .shuffle = TRUE,
        .batch_norm = (AimfBatchNormMode)aimf_config_choice(job->config, AIMF_KEY_SENSITIVITY_BATCH_NORM),
        .device = job->device,
        .precision = job->precision,
        .seed = seed_of(job, stage),
        .threads = job->threads,
        .skip_bad = (guint)aimf_config_integer(job->config, AIMF_KEY_DATA_SKIP_BAD),
    };
    g_autoptr(AimfTensors) gradients = aimf_tensors_new();
    if (!sets[2].manifest || !check_sensitivity_sets(job, model, sets, error) ||
        !aimf_mean_gradients(model, sets, G_N_ELEMENTS(sets), &options, job->monitor, gradients, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(sets); i++) {
        g_autofree char *key = g_strconcat(AIMF_GRADIENTS_DATA_KEY, sets[i].name, NULL);
        g_autofree char *rows = aimf_manifest_hash(sets[i].manifest);
        aimf_tensors_set_metadata(gradients, key, rows);
    }
    g_autofree char *hash = aimf_model_hash(model);
    g_autofree char *json = g_build_filename(part, "sensitivity.json", NULL);
    g_autofree char *tensors = g_build_filename(part, "gradients.safetensors", NULL);
    g_autoptr(AimfSensitivities) sensitivities = aimf_sensitivities_from_gradients(gradients, hash, error);
    if (!sensitivities)
        return FALSE;
    aimf_check_sensitivities(sensitivities, gradients, job->findings);
    return aimf_run_tell_findings(job, error) && aimf_sensitivities_save(sensitivities, json, error) &&
           aimf_tensors_save(gradients, tensors, error);
}

static double cost_sensitivity(const AimfRunJob *job, const AimfRunStage *stage, double *each)
{
    (void)stage;
    *each = COST_TRAINING;
    return COST_TRAINING * (n_of(job, AIMF_SET_TRAIN) + n_of(job, AIMF_SET_BIASED) + n_of(job, AIMF_SET_BALANCED));
}

static const AimfConfigKey SENSITIVITY_KEYS[] = { AIMF_KEY_SENSITIVITY_BATCH, AIMF_KEY_SENSITIVITY_BATCH_NORM,
                                                  AIMF_KEY_FINETUNE_CROP_SCALE, AIMF_KEY_DATA_SKIP_BAD, AIMF_N_KEYS };

const AimfStageKind AIMF_STAGE_SENSITIVITY = { .keys = SENSITIVITY_KEYS,
                                               .describe = describe_sensitivity,
                                               .make = make_sensitivity,
                                               .cost = cost_sensitivity,
                                               .of_cell = TRUE };

/* --- Fine-tuning --- */

static gboolean describe_finetune(AimfRunJob *job, AimfRunStage *stage, AimfProvenance *wanted, GError **error)
{
    const AimfRunMethod *method = &job->methods[stage->method];
    g_autofree char *start = start_of(job, stage), *sensitivity = sensitivity_of(job, stage);
    set_seed(job, stage, wanted);
    aimf_run_take_output(job, start, "model.safetensors", wanted);
    if (method->k) {
        g_autofree char *k = g_strdup_printf("%u", method->k);
        json_object_set_string_member(wanted->settings, "k", k);
        aimf_run_take_output(job, sensitivity, "sensitivity.json", wanted);
    } else {
        json_object_set_string_member(wanted->settings, "method", method->name);
    }
    return take_set(job, AIMF_SET_BALANCED, wanted, error) && take_set(job, AIMF_SET_VAL, wanted, error);
}

/* (owned) names of the tensors of the final layer. */
static char **last_layer(const AimfModel *model, GError **error)
{
    AimfModelGraph built;
    const AimfArchitecture *architecture = aimf_architecture_find(model->architecture, error);
    if (!architecture || !aimf_model_build(model, 1, NULL, &built, error))
        return NULL;
    g_autoptr(AimfGraph) graph = built.graph;
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    for (guint i = 0; i < aimf_graph_n_parameters(graph); i++) {
        const char *name = aimf_graph_name(graph, aimf_graph_parameter_at(graph, i));
        if (aimf_is_of_head(architecture, name))
            g_strv_builder_add(names, name);
    }
    return g_strv_builder_end(names);
}

/* @trained: receives (owned) names, NULL for all */
static gboolean select_tensors(AimfRunJob *job, const AimfRunStage *stage, const AimfModel *model,
                               const AimfTrainOptions *options, char ***trained, GError **error)
{
    const AimfRunMethod *method = &job->methods[stage->method];
    if (strcmp(method->name, "last-layer") == 0)
        return (*trained = last_layer(model, error)) != NULL;
    if (!method->k)
        return TRUE;
    g_autofree char *sensitivity = sensitivity_of(job, stage);
    g_autofree char *path = aimf_run_stage_path(job, sensitivity, "sensitivity.json");
    g_autoptr(AimfSensitivities) sensitivities = aimf_sensitivities_open(path, error);
    if (!sensitivities)
        return FALSE;
    aimf_check_batch_norm(sensitivities, model, options->batch_norm, job->findings);
    g_autoptr(GError) nothing = NULL; /* as k is none that is out of range, it is this seed that selects nothing */
    if (!(*trained = aimf_select_top_k(sensitivities, method->k, &nothing)))
        g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_FAILED, nothing->message);
    return *trained != NULL;
}

static gboolean make_finetune(AimfRunJob *job, AimfRunStage *stage, const char *part, AimfProvenance *made,
                              GError **error)
{
    (void)made;
    g_autofree char *start = start_of(job, stage);
    g_autofree char *path = aimf_run_stage_path(job, start, "model.safetensors");
    const AimfManifest *balanced = aimf_run_set(job, AIMF_SET_BALANCED, error);
    g_autoptr(AimfModel) model = balanced ? aimf_model_open(path, error) : NULL;
    if (!model)
        return FALSE;
    AimfTrainOptions options = AIMF_FINETUNE_DEFAULTS;
    AimfAugment augment;
    g_autofree guint *milestones = NULL;
    g_auto(GStrv) trained = NULL;
    take_pass(job, stage, TRUE, &options);
    options.augment = take_crop(job->config, AIMF_KEY_FINETUNE_CROP_SCALE, &augment);
    if (!take_recipe(job->config, TRUE, model->architecture, &options, &milestones, error) ||
        !select_tensors(job, stage, model, &options, &trained, error))
        return FALSE;
    const Training training = {
        .model = model, .train = balanced, .start = model->tensors, .finetuning = TRUE, .trained = trained
    };
    return train(job, &training, &options, part, error);
}

static double cost_finetune(const AimfRunJob *job, const AimfRunStage *stage, double *each)
{
    (void)stage;
    *each = COST_TRAINING;
    return cost_of_training(job, AIMF_SET_BALANCED, (guint)aimf_config_integer(job->config, AIMF_KEY_FINETUNE_EPOCHS));
}

static const AimfConfigKey FINETUNE_KEYS[] = { TRAINING_KEYS(FINETUNE), AIMF_KEY_FINETUNE_KEEP_BEST_OF,
                                               AIMF_KEY_DATA_SKIP_BAD, AIMF_N_KEYS };

const AimfStageKind AIMF_STAGE_FINETUNE = {
    .keys = FINETUNE_KEYS, .describe = describe_finetune, .make = make_finetune, .cost = cost_finetune, .of_cell = TRUE
};
