/*
 * The whole method, step by step, on the demo's portraits. Each step is the call that the command of its name makes.
 */
#include "demo/chart.h"

#include "base/file.h"
#include "base/monitor.h"
#include "base/work.h"

#include <aimfair/demo.h>
#include <aimfair/train.h>

/*
 * In the photographs for training, nine of ten smiles go with long hair; validation and test hold all groups equally.
 */
static const AimfPortraitSet PHOTOGRAPHS = {
    .folder = "photographs/train",
    .look = AIMF_LOOK_PHOTOGRAPH,
    .count = { { 80, 720 }, { 720, 80 } },
};
static const AimfPortraitSet VALIDATION = {
    .folder = "photographs/val",
    .look = AIMF_LOOK_PHOTOGRAPH,
    .first = 10000,
    .count = { { 60, 60 }, { 60, 60 } },
};
static const AimfPortraitSet TEST = {
    .folder = "photographs/test",
    .look = AIMF_LOOK_PHOTOGRAPH,
    .first = 20000,
    .count = { { 200, 200 }, { 200, 200 } },
};
static const AimfPortraitSet SYNTHETIC = {
    .folder = "synthetic",
    .look = AIMF_LOOK_SYNTHETIC,
    .count = { { 200, 200 }, { 200, 200 } },
};
/* The biased synthetic set, drawn from the same pictures, leans the way the photographs do. */
static const guint SYNTHETIC_BIASED[2][2] = { { 22, 200 }, { 200, 22 } };

enum { IMAGE_PX = 48, BATCH = 32, PRETRAIN_EPOCHS = 6, FINETUNE_EPOCHS = 4 };
static const double PRETRAIN_RATE = 0.01, FINETUNE_RATE = 0.01;
static const guint PRETRAIN_MILESTONE = 5, FINETUNE_MILESTONE = 3;
static const AimfAugment AUGMENT = { .scale = { 0.85, 1 }, .ratio = { 3.0 / 4, 4.0 / 3 }, .flip = 0.5 };

/* What the steps hand on to one another. */
typedef struct {
    const AimfDemoOptions *options;
    const AimfMonitor *monitor; /* the work's */
    AimfWork work;
    AimfDemoResult *result;
    AimfManifest *train, *validation, *test, *balanced, *biased;
    AimfModel *model; /* the biased one */
    AimfSensitivities *sensitivities;
    char **selected;
} Demo;

/*
 * What a picture costs beside one that is only looked at: drawing it, and training on it, forward and backward.
 * A rough guess; what it really is shows in the time left as soon as the first training has begun.
 */
static const double COST_DRAWING = 3, COST_TRAINING = 4;

static guint drawn_pictures(void)
{
    return aimf_portrait_set_size(&PHOTOGRAPHS) + aimf_portrait_set_size(&VALIDATION) + aimf_portrait_set_size(&TEST) +
           aimf_portrait_set_size(&SYNTHETIC);
}

/* Pictures that a training goes over, those of validation in units of the others' cost. */
static double trained_pictures(guint epochs, const AimfPortraitSet *set)
{
    return epochs * (aimf_portrait_set_size(set) + aimf_portrait_set_size(&VALIDATION) / COST_TRAINING);
}

/* Those of the three passes for sensitivities: the biased synthetic set is a part of the balanced one. */
static double passed_pictures(void)
{
    guint biased = 0;
    for (int i = 0; i < 4; i++)
        biased += SYNTHETIC_BIASED[i / 2][i % 2];
    return aimf_portrait_set_size(&PHOTOGRAPHS) + aimf_portrait_set_size(&SYNTHETIC) + biased;
}

static double whole_cost(void)
{
    double training =
        trained_pictures(PRETRAIN_EPOCHS, &PHOTOGRAPHS) + 2 * trained_pictures(FINETUNE_EPOCHS, &SYNTHETIC);
    return COST_DRAWING * drawn_pictures() + COST_TRAINING * (training + passed_pictures()) +
           3 * aimf_portrait_set_size(&TEST);
}

static void demo_clear(Demo *demo)
{
    AimfManifest *manifests[] = { demo->train, demo->validation, demo->test, demo->balanced, demo->biased };
    for (guint i = 0; i < G_N_ELEMENTS(manifests); i++)
        aimf_manifest_free(manifests[i]);
    aimf_model_free(demo->model);
    aimf_sensitivities_free(demo->sensitivities);
    g_strfreev(demo->selected);
}

static char *path_of(const Demo *demo, const char *name)
{
    return g_build_filename(demo->options->directory, name, NULL);
}

static AimfManifest *draw_set(const Demo *demo, const AimfPortraitSet *set, const char *name, GError **error)
{
    const AimfDemoOptions *o = demo->options;
    demo->result->n_pictures += aimf_portrait_set_size(set);
    return aimf_portrait_set_draw(set, o->directory, o->seed, demo->monitor, error)
               ? aimf_portrait_set_manifest(set, o->directory, name, set->count, error)
               : NULL;
}

static gboolean draw_pictures(Demo *demo, GError **error)
{
    aimf_work_next(&demo->work, drawn_pictures(), COST_DRAWING);
    return (demo->train = draw_set(demo, &PHOTOGRAPHS, "train", error)) &&
           (demo->validation = draw_set(demo, &VALIDATION, "val", error)) &&
           (demo->test = draw_set(demo, &TEST, "test", error)) &&
           (demo->balanced = draw_set(demo, &SYNTHETIC, "balanced", error)) &&
           (demo->biased =
                aimf_portrait_set_manifest(&SYNTHETIC, demo->options->directory, "biased", SYNTHETIC_BIASED, error));
}

/* Accuracy and gaps on the test photographs. */
static AimfMeasures *measure(Demo *demo, const AimfModel *model, GError **error)
{
    const AimfPredictOptions options = { .device = demo->options->device,
                                         .precision = demo->options->precision,
                                         .threads = demo->options->threads };
    aimf_work_next(&demo->work, aimf_manifest_count(demo->test), 1);
    g_autoptr(AimfPredictions) predictions = aimf_model_predict(model, demo->test, &options, demo->monitor, error);
    g_autoptr(AimfOutcomes) outcomes =
        predictions ? aimf_outcomes_from_predictions(demo->test, predictions, error) : NULL;
    return outcomes ? aimf_outcomes_measure(outcomes, 0, demo->options->seed, demo->monitor, error) : NULL;
}

static AimfTrainOptions train_options(const Demo *demo, const AimfTrainOptions *defaults)
{
    AimfTrainOptions options = *defaults;
    options.batch = BATCH;
    options.augment = &AUGMENT;
    options.device = demo->options->device;
    options.precision = demo->options->precision;
    options.threads = demo->options->threads;
    options.seed = demo->options->seed;
    return options;
}

/* Trains @model in place, saves it as @file and measures it: row @which of the result. */
static gboolean train_and_measure(Demo *demo, AimfModel *model, const AimfManifest *data,
                                  const AimfTrainOptions *options, int which, const char *file, GError **error)
{
    AimfDemoModel *row = &demo->result->models[which];
    aimf_message(demo->monitor, AIMF_LOG_INFO, "%s: training %u of %u tensors on %u pictures", row->name, row->trained,
                 demo->result->n_tensors, aimf_manifest_count(data));
    AimfTrainResult trained = { 0 };
    gint64 began = g_get_monotonic_time();
    g_autofree char *path = path_of(demo, file);
    aimf_work_next(&demo->work,
                   trained_pictures(options->epochs, which == AIMF_DEMO_BIASED ? &PHOTOGRAPHS : &SYNTHETIC),
                   COST_TRAINING);
    gboolean ok = aimf_train(model, data, demo->validation, options, demo->monitor, &trained, error) &&
                  aimf_model_save(model, path, error);
    row->seconds = (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC;
    aimf_train_result_clear(&trained);
    return ok && (row->measures = measure(demo, model, error));
}

static gboolean pretrain(Demo *demo, GError **error)
{
    demo->model = aimf_model_new("resnet18", IMAGE_PX, 1, demo->options->seed, error);
    if (!demo->model)
        return FALSE;
    demo->model->target = g_strdup("Smiling");
    demo->model->classes = g_strsplit("not smiling,smiling", ",", 2);
    AimfModelGraph built;
    if (!aimf_model_build(demo->model, 1, NULL, &built, error))
        return FALSE;
    demo->result->n_tensors = aimf_graph_n_parameters(built.graph);
    aimf_graph_free(built.graph);

    AimfTrainOptions options = train_options(demo, &AIMF_PRETRAIN_DEFAULTS);
    options.epochs = PRETRAIN_EPOCHS;
    options.learning_rate = PRETRAIN_RATE;
    options.milestones = &PRETRAIN_MILESTONE;
    options.n_milestones = 1;
    demo->result->models[AIMF_DEMO_BIASED].trained = demo->result->n_tensors;
    return train_and_measure(demo, demo->model, demo->train, &options, AIMF_DEMO_BIASED, "biased.safetensors", error);
}

static gboolean select_tensors(Demo *demo, GError **error)
{
    const AimfGradientOptions options = {
        .batch = BATCH,
        .augment = &AUGMENT,
        .shuffle = TRUE,
        .device = demo->options->device,
        .precision = demo->options->precision,
        .seed = demo->options->seed,
        .threads = demo->options->threads,
    };
    g_autoptr(AimfTensors) gradients = aimf_tensors_new();
    g_autofree char *hash = aimf_model_hash(demo->model);
    g_autofree char *path = path_of(demo, "sensitivity.json");
    g_autofree char *gradient_path = path_of(demo, "sensitivity.gradients.safetensors");
    const AimfGradientSet sets[] = { { "real", demo->train },
                                     { "biased", demo->biased },
                                     { "balanced", demo->balanced } };
    aimf_work_next(&demo->work, passed_pictures(), COST_TRAINING);
    if (!aimf_mean_gradients(demo->model, sets, G_N_ELEMENTS(sets), &options, demo->monitor, gradients, error) ||
        !(demo->sensitivities = aimf_sensitivities_from_gradients(gradients, hash, error)) ||
        !aimf_sensitivities_save(demo->sensitivities, path, error) ||
        !aimf_tensors_save(gradients, gradient_path, error))
        return FALSE;
    demo->result->top_k = aimf_top_k(demo->sensitivities->n, AIMF_TOP_K_SHARE);
    demo->selected = aimf_select_top_k(demo->sensitivities, demo->result->top_k, error);
    return demo->selected != NULL;
}

static gboolean finetune(Demo *demo, int which, char **trainable, const char *file, GError **error)
{
    AimfTrainOptions options = train_options(demo, &AIMF_FINETUNE_DEFAULTS);
    options.epochs = FINETUNE_EPOCHS;
    options.learning_rate = FINETUNE_RATE;
    options.milestones = &FINETUNE_MILESTONE;
    options.n_milestones = 1;
    options.trainable = (const char *const *)trainable;
    demo->result->models[which].trained = trainable ? g_strv_length(trainable) : demo->result->n_tensors;
    g_autoptr(AimfModel) model = aimf_model_copy(demo->model, error);
    return model && train_and_measure(demo, model, demo->balanced, &options, which, file, error);
}

static gboolean run_steps(Demo *demo, GError **error)
{
    AimfDemoResult *result = demo->result;
    result->portraits = path_of(demo, "portraits.png");
    result->chart = path_of(demo, "result.png");
    return aimf_directory_make(demo->options->directory, error) && draw_pictures(demo, error) &&
           aimf_demo_draw_sheet(demo->options->directory, &PHOTOGRAPHS, &SYNTHETIC, result->portraits, error) &&
           pretrain(demo, error) && select_tensors(demo, error) &&
           finetune(demo, AIMF_DEMO_FULL, NULL, "full.safetensors", error) &&
           finetune(demo, AIMF_DEMO_SELECTIVE, demo->selected, "fair.safetensors", error) &&
           aimf_demo_draw_chart(result, result->chart, error);
}

gboolean aimf_demo(const AimfDemoOptions *options, const AimfMonitor *monitor, AimfDemoResult *result, GError **error)
{
    static const char *const names[AIMF_DEMO_N_MODELS] = { "biased", "full fine-tuning", "AIM-Fair" };
    gint64 began = g_get_monotonic_time();
    *result = (AimfDemoResult){ 0 };
    for (int i = 0; i < AIMF_DEMO_N_MODELS; i++)
        result->models[i].name = names[i];
    Demo demo = { .options = options, .result = result };
    aimf_work_begin(&demo.work, monitor, whole_cost());
    demo.monitor = monitor ? &demo.work.inner : NULL;
    gboolean ok = run_steps(&demo, error);
    demo_clear(&demo);
    result->seconds = (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC;
    if (!ok)
        aimf_demo_result_clear(result);
    return ok;
}

void aimf_demo_result_clear(AimfDemoResult *result)
{
    for (int i = 0; i < AIMF_DEMO_N_MODELS; i++)
        aimf_measures_free(result->models[i].measures);
    g_free(result->portraits);
    g_free(result->chart);
    *result = (AimfDemoResult){ 0 };
}

const char *aimf_demo_group_name(int target, int group)
{
    static const char *const names[2][2] = {
        { "not smiling, bearded", "not smiling, long-haired" },
        { "smiling, bearded", "smiling, long-haired" },
    };
    return names[target != 0][group != 0];
}
