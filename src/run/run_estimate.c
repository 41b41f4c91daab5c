/* What a run would do and how long it would take, from a short measurement on this machine. */
#include "base/file.h"
#include "base/monitor.h"
#include "run/job.h"

#include <aimfair/diffusion.h>
#include <aimfair/error.h>
#include <math.h>
#include <string.h>

/* What one of each costs here, in seconds. */
typedef struct {
    double pass;    /* a picture forward and backward */
    double look;    /* a picture forward */
    double picture; /* generated */
    guint64 model_bytes;
} Rates;

static double seconds_since(gint64 began)
{
    return (double)(g_get_monotonic_time() - began) / G_USEC_PER_SEC;
}

/* --- Measuring --- */

/* (owned) the data's first pictures, enough for some batches; NULL with an error. */
static AimfManifest *some_pictures(const AimfRunJob *job, guint n)
{
    const AimfManifest *train = job->data[AIMF_PART_TRAIN];
    guint count = train ? aimf_manifest_count(train) : 0;
    if (!count)
        return NULL;
    g_autofree guint32 *rows = g_new(guint32, n);
    for (guint i = 0; i < n; i++)
        rows[i] = i % count;
    return aimf_manifest_subset(train, rows, n);
}

/* Decoding and computing on the first pictures: one batch that compiles, and some that are timed. */
static gboolean time_passes(AimfRunJob *job, const AimfModel *model, Rates *rates, GError **error)
{
    enum { BATCH = 32, BATCHES = 2 };
    g_autoptr(AimfManifest) pictures = some_pictures(job, BATCH * BATCHES);
    if (!pictures)
        return TRUE;
    const AimfAugment augment = AIMF_AUGMENT_DEFAULT;
    const AimfGradientOptions options = {
        .batch = BATCH, .augment = &augment, .device = job->device, .precision = job->precision, .threads = job->threads
    };
    const AimfPredictOptions looking = {
        .batch = BATCH, .device = job->device, .precision = job->precision, .threads = job->threads
    };
    const AimfGradientSet set = { "timed", pictures };
    double seconds[2] = { 0 };
    for (int i = 0; i < 2; i++) { /* the first also compiles and reads files that the second finds in memory */
        g_autoptr(AimfTensors) gradients = aimf_tensors_new();
        gint64 began = g_get_monotonic_time();
        if (!aimf_mean_gradients(model, &set, 1, &options, NULL, gradients, error))
            return FALSE;
        seconds[i] = seconds_since(began);
    }
    rates->pass = MIN(seconds[0], seconds[1]) / (BATCH * BATCHES);
    gint64 began = g_get_monotonic_time();
    g_autoptr(AimfPredictions) predictions = aimf_model_predict(model, pictures, &looking, NULL, error);
    rates->look = seconds_since(began) / (BATCH * BATCHES);
    return predictions != NULL;
}

static AimfModel *estimated_model(const AimfRunJob *job, GError **error)
{
    g_autofree char *own = aimf_config_path(job->config, AIMF_KEY_TRAIN_MODEL);
    if (own)
        return aimf_model_open(own, error);
    AimfPreprocess preprocess = {
        .width = 224, .height = 224, .mean = { 0.5f, 0.5f, 0.5f }, .std = { 0.5f, 0.5f, 0.5f }
    };
    int width, height;
    if (!aimf_run_image_size(job->config, &width, &height, error))
        return NULL;
    aimf_preprocess_resize_input(&preprocess, width, height);
    int classes = job->data[AIMF_PART_TRAIN] ? aimf_manifest_classes(job->data[AIMF_PART_TRAIN]) : 2;
    return aimf_model_new_for(aimf_config_text_at(job->config, AIMF_KEY_TRAIN_ARCHITECTURE), &preprocess,
                              classes > 2 ? classes : 1, 0, error);
}

/* One picture of two steps: a step's time is the half of what they take beyond text and decoding, which hardly count. */
static gboolean time_picture(AimfRunJob *job, Rates *rates, GError **error)
{
    enum { STEPS = 2 };
    g_autofree char *model = aimf_config_path(job->config, AIMF_KEY_GENERATE_MODEL);
    g_autofree char *vae = aimf_config_path(job->config, AIMF_KEY_GENERATE_VAE);
    g_autofree char *tokenizer = aimf_config_path(job->config, AIMF_KEY_GENERATE_TOKENIZER);
    const AimfDiffusionOptions options = { .model = model,
                                           .vae = vae,
                                           .tokenizer = tokenizer,
                                           .device = job->device,
                                           .prediction = aimf_config_text_at(job->config, AIMF_KEY_GENERATE_PREDICTION),
                                           .precision = job->precision,
                                           .threads = job->threads };
    AimfSampling sampling = AIMF_SAMPLING_DEFAULT;
    double wanted = (double)aimf_config_integer(job->config, AIMF_KEY_GENERATE_STEPS);
    sampling.guidance = aimf_config_real(job->config, AIMF_KEY_GENERATE_GUIDANCE);
    sampling.width = sampling.height = (int)aimf_config_integer(job->config, AIMF_KEY_GENERATE_SIZE);
    g_autoptr(AimfDiffusion) diffusion = aimf_diffusion_open(&options, job->monitor, error);
    double seconds[2] = { 0 };
    for (int i = 0; i < 2; i++) {
        AimfPicture picture = { .prompt = "a portrait photo", .seed = 1 };
        sampling.steps = STEPS * (i + 1);
        gint64 began = g_get_monotonic_time();
        if (!diffusion || !aimf_diffusion_generate(diffusion, &sampling, &picture, 1, job->monitor, error))
            return FALSE;
        seconds[i] = seconds_since(began);
        aimf_image_free(picture.image);
        if (i == 0) { /* which also read and packed the weights */
            AimfPicture again = { .prompt = "a portrait photo", .seed = 1 };
            began = g_get_monotonic_time();
            if (!aimf_diffusion_generate(diffusion, &sampling, &again, 1, job->monitor, error))
                return FALSE;
            seconds[0] = seconds_since(began);
            aimf_image_free(again.image);
        }
    }
    double step = MAX(seconds[1] - seconds[0], 0) / STEPS;
    rates->picture = seconds[0] + step * (wanted - STEPS);
    return TRUE;
}

/* --- Adding up --- */

static const char *state_word(const AimfRunStage *stage)
{
    if (stage->blocked)
        return "cannot be";
    if (stage->done)
        return stage->done->failure ? "failed" : "done";
    return stage->state == AIMF_STAGE_STALE ? "anew" : "to do";
}

static void add_stage(const AimfRunJob *job, const AimfRunStage *stage, const Rates *rates, AimfRunEstimate *e)
{
    double each, cost = stage->kind->cost(job, stage, &each);
    const double passes_per_look = 4; /* as costs are counted */
    if (stage->kind == &AIMF_STAGE_TEST) {
        e->passes += (guint64)cost;
        e->seconds += cost * rates->look;
    } else if (stage->kind == &AIMF_STAGE_PICTURES && aimf_config_given(job->config, AIMF_KEY_GENERATE_MODEL)) {
        const guint64 bytes_each = 90000, groups = 4; /* a PNG of 224 pixels */
        guint64 n = groups * (guint64)aimf_config_integer(job->config, AIMF_KEY_GENERATE_PER_GROUP);
        e->pictures += n;
        e->seconds += (double)n * rates->picture;
        e->bytes += n * bytes_each;
    } else if (stage->kind == &AIMF_STAGE_TRAIN || stage->kind == &AIMF_STAGE_FINETUNE) {
        e->passes += (guint64)(cost / passes_per_look);
        e->seconds += cost / passes_per_look * rates->pass;
        e->bytes += rates->model_bytes;
    } else if (stage->kind == &AIMF_STAGE_SENSITIVITY) {
        e->passes += (guint64)(cost / passes_per_look);
        e->seconds += cost / passes_per_look * rates->pass;
        e->bytes += 3 * rates->model_bytes; /* gradients of three sets */
    }
}

static void append_duration(GString *text, double seconds)
{
    if (seconds >= 5400)
        g_string_append_printf(text, "about %.1f hours", seconds / 3600);
    else if (seconds >= 90)
        g_string_append_printf(text, "about %.0f minutes", seconds / 60);
    else
        g_string_append_printf(text, "about %.0f seconds", seconds);
}

static void describe_sets(const AimfRunJob *job, GString *text)
{
    static const char *const names[AIMF_N_PARTS] = { "training", "validation", "test" };
    for (int i = 0; i < AIMF_N_PARTS; i++)
        if (job->data[i])
            g_string_append_printf(text, "%-12s %u pictures\n", names[i], aimf_manifest_count(job->data[i]));
}

static void describe(const AimfRunJob *job, const AimfRunOptions *options, AimfRunEstimate *e)
{
    g_autoptr(GString) text = g_string_new(NULL);
    describe_sets(job, text);
    g_string_append_printf(text, "\nStages in '%s':\n", options->folder);
    for (guint i = 0; i < job->stages->len; i++) {
        const AimfRunStage *stage = g_ptr_array_index(job->stages, i);
        g_string_append_printf(text, "  %-10s %s\n", state_word(stage), stage->name);
    }
    g_string_append_printf(
        text, "\n%" G_GUINT64_FORMAT " pictures to be generated, %" G_GUINT64_FORMAT " passes of pictures through %s, ",
        e->pictures, e->passes, aimf_config_text_at(job->config, AIMF_KEY_TRAIN_ARCHITECTURE));
    if (isnan(e->seconds))
        g_string_append(text, "an unknown time (no picture to measure with is drawn yet)");
    else
        append_duration(text, e->seconds);
    g_string_append_printf(text, " on this machine and %.1f GB on disk.\n", (double)e->bytes / 1e9);
    e->text = g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean pictures_to_do(const AimfRunJob *job)
{
    const AimfRunStage *pictures = aimf_run_stage(job, "shared/pictures");
    return pictures && !pictures->done && aimf_config_given(job->config, AIMF_KEY_GENERATE_MODEL);
}

gboolean aimf_run_estimate(const AimfConfig *config, const AimfRunOptions *options, const AimfMonitor *monitor,
                           AimfRunEstimate *estimate, GError **error)
{
    *estimate = (AimfRunEstimate){ 0 };
    g_autoptr(AimfRunJob) job = aimf_run_job_new(config, options->folder, monitor, error);
    if (!job || !aimf_run_open_data(job, error) || !aimf_run_look(job, error))
        return FALSE;
    Rates rates = { 0 };
    AimfArchitectureCost cost;
    g_autoptr(AimfModel) model = estimated_model(job, error);
    if (!model ||
        !aimf_architecture_cost(model->architecture, model->preprocess.width, model->preprocess.height, model->outputs,
                                &cost, error) ||
        !time_passes(job, model, &rates, error) || (pictures_to_do(job) && !time_picture(job, &rates, error)))
        return FALSE;
    rates.model_bytes = (guint64)cost.bytes;
    for (guint i = 0; i < job->stages->len; i++) {
        const AimfRunStage *stage = g_ptr_array_index(job->stages, i);
        if (!stage->done && !stage->blocked)
            add_stage(job, stage, &rates, estimate);
    }
    if (estimate->passes && !rates.pass)
        estimate->seconds = NAN;
    describe(job, options, estimate);
    return TRUE;
}

void aimf_run_estimate_clear(AimfRunEstimate *estimate)
{
    g_free(estimate->text);
    *estimate = (AimfRunEstimate){ 0 };
}
