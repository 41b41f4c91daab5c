/* What a run would do and how long it would take, from a short measurement on this machine. */
#include "base/file.h"
#include "base/format.h"
#include "base/monitor.h"
#include "portraits/portrait_set.h"
#include "run/advice.h"
#include "run/job.h"

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

/* (owned) the data's first pictures, or drawn ones in @folder, as many as are to be timed. */
static AimfManifest *some_pictures(const AimfRunJob *job, guint n, const char *folder, GError **error)
{
    const AimfManifest *train = job->data[AIMF_PART_TRAIN];
    guint count = train ? aimf_manifest_count(train) : 0;
    if (!count) {
        const AimfPortraitSet set = { .folder = "timed", .count = { { n / 4, n / 4 }, { n / 4, n / 4 } } };
        return aimf_portrait_set_draw(&set, folder, 0, NULL, error)
                   ? aimf_portrait_set_manifest(&set, folder, "timed", set.count, error)
                   : NULL;
    }
    g_autofree guint32 *rows = g_new(guint32, n);
    for (guint i = 0; i < n; i++)
        rows[i] = i % count;
    return aimf_manifest_subset(train, rows, n);
}

typedef struct {
    AimfRunJob *job;
    const AimfModel *model;
    AimfManifest *few, *many;
} Timed;

enum { TIMED_BATCH = 32, FEW_BATCHES = 1, MANY_BATCHES = 5 };

/* Seconds of a pass of training over @pictures, or of looking at them. */
static gboolean time_pass(const Timed *t, const AimfManifest *pictures, gboolean training, double *seconds,
                          GError **error)
{
    const AimfRunJob *job = t->job;
    /* Pictures are taken again and again, and the unreadable ones among them count each time. */
    guint skip_bad = aimf_config_integer(job->config, AIMF_KEY_DATA_SKIP_BAD) ? G_MAXUINT : 0;
    const AimfAugment augment = AIMF_AUGMENT_DEFAULT;
    const AimfGradientOptions gradients_of = { .batch = TIMED_BATCH,
                                               .augment = &augment,
                                               .device = job->device,
                                               .precision = job->precision,
                                               .threads = job->threads,
                                               .skip_bad = skip_bad };
    const AimfPredictOptions predictions_of = { .batch = TIMED_BATCH,
                                                .device = job->device,
                                                .precision = job->precision,
                                                .threads = job->threads,
                                                .skip_bad = skip_bad };
    const AimfGradientSet set = { "timed", pictures };
    g_autoptr(AimfTensors) gradients = aimf_tensors_new();
    g_autoptr(AimfPredictions) predictions = NULL;
    gint64 began = g_get_monotonic_time();
    gboolean good = training
                        ? aimf_mean_gradients(t->model, &set, 1, &gradients_of, NULL, gradients, error)
                        : (predictions = aimf_model_predict(t->model, pictures, &predictions_of, NULL, error)) != NULL;
    *seconds = seconds_since(began);
    return good;
}

/* What many batches take beyond few: without compiling, and with files that are in memory. */
static gboolean time_each(const Timed *t, gboolean training, double *each, GError **error)
{
    double warm, few, many;
    if (!time_pass(t, t->many, training, &warm, error) || !time_pass(t, t->few, training, &few, error) ||
        !time_pass(t, t->many, training, &many, error))
        return FALSE;
    *each = MAX(many - few, 0) / (TIMED_BATCH * (MANY_BATCHES - FEW_BATCHES));
    return TRUE;
}

static gboolean time_on(AimfRunJob *job, const AimfModel *model, const char *folder, Rates *rates, GError **error)
{
    g_autoptr(AimfManifest) many = some_pictures(job, TIMED_BATCH * MANY_BATCHES, folder, error);
    if (!many)
        return FALSE;
    guint32 rows[TIMED_BATCH * FEW_BATCHES];
    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        rows[i] = i;
    g_autoptr(AimfManifest) few = aimf_manifest_subset(many, rows, G_N_ELEMENTS(rows));
    const Timed timed = { job, model, few, many };
    return time_each(&timed, TRUE, &rates->pass, error) && time_each(&timed, FALSE, &rates->look, error);
}

static gboolean time_passes(AimfRunJob *job, const AimfModel *model, Rates *rates, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autofree char *folder = g_dir_make_tmp("aimfair-XXXXXX", &reason);
    if (!folder) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_IO, "cannot make a passing folder: %s; is TMPDIR right?",
                    reason->message);
        return FALSE;
    }
    gboolean timed = time_on(job, model, folder, rates, error);
    return aimf_folder_remove(folder, timed ? error : NULL) && timed;
}

static AimfModel *estimated_model(const AimfRunJob *job, GError **error)
{
    g_autofree char *own = aimf_config_path(job->config, AIMF_KEY_TRAIN_MODEL);
    if (own)
        return aimf_model_open(own, error);
    AimfPreprocess preprocess;
    if (!aimf_run_choose_preprocess(job->config, NULL, &preprocess, error))
        return NULL;
    int classes = job->data[AIMF_PART_TRAIN] ? aimf_manifest_classes(job->data[AIMF_PART_TRAIN]) : 2;
    return aimf_model_new_for(aimf_config_text_at(job->config, AIMF_KEY_TRAIN_ARCHITECTURE), &preprocess,
                              classes > 2 ? classes : 1, 0, error);
}

static gboolean time_sampling(AimfRunJob *job, AimfDiffusion *diffusion, int steps, double *seconds, GError **error)
{
    AimfSampling sampling = AIMF_SAMPLING_DEFAULT;
    AimfPicture picture = { .prompt = "a portrait photo", .seed = 1 };
    sampling.steps = steps;
    sampling.guidance = aimf_config_real(job->config, AIMF_KEY_GENERATE_GUIDANCE);
    sampling.width = sampling.height = (int)aimf_config_integer(job->config, AIMF_KEY_GENERATE_SIZE);
    gint64 began = g_get_monotonic_time();
    gboolean good = aimf_diffusion_generate(diffusion, &sampling, &picture, 1, job->monitor, error);
    *seconds = seconds_since(began);
    aimf_image_free(picture.image);
    return good;
}

/* What a picture takes with few steps, and each further step; the first one also reads and packs the weights. */
static gboolean time_picture(AimfRunJob *job, Rates *rates, GError **error)
{
    enum { FEW = 2, MANY = 4 };
    double warm, few, many, wanted = (double)aimf_config_integer(job->config, AIMF_KEY_GENERATE_STEPS);
    g_autoptr(AimfDiffusion) diffusion = aimf_run_open_diffusion(job, error);
    if (!diffusion || !time_sampling(job, diffusion, FEW, &warm, error) ||
        !time_sampling(job, diffusion, FEW, &few, error) || !time_sampling(job, diffusion, MANY, &many, error))
        return FALSE;
    rates->picture = few + MAX(many - few, 0) / (MANY - FEW) * (wanted - FEW);
    return TRUE;
}

/* --- Adding up --- */

/* Behind a stage that is only made again because it was lost or damaged, one stays if that comes out as it was. */
static gboolean is_surely_anew(const AimfRunStage *stage)
{
    gboolean sure = stage->state == AIMF_STAGE_STALE && (!stage->waits || stage->differs);
    for (guint i = 0; i < stage->needs->len; i++)
        sure = sure || is_surely_anew(g_ptr_array_index(stage->needs, i));
    return sure;
}

static const char *state_word(const AimfRunStage *stage)
{
    if (stage->blocked)
        return "cannot be";
    if (stage->done)
        return stage->done->failure ? "failed" : "done";
    if (stage->state != AIMF_STAGE_STALE)
        return "to do";
    return is_surely_anew(stage) ? "anew" : "perhaps";
}

static void add_stage(const AimfRunJob *job, const AimfRunStage *stage, const Rates *rates, AimfRunEstimate *e)
{
    double each, cost = stage->kind->cost(job, stage, &each);
    const double passes_per_look = 4; /* as costs are counted */
    if (stage->kind == &AIMF_STAGE_TEST) {
        e->passes += (guint64)cost;
        e->seconds += cost * rates->look;
    } else if (stage->kind == &AIMF_STAGE_PICTURES && aimf_config_given(job->config, AIMF_KEY_GENERATE_MODEL)) {
        const guint64 bytes_each = 90000; /* a PNG of 224 pixels */
        guint64 n = job->n_generated;
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
        aimf_format_append(text, "%.1f hours", seconds / 3600);
    else if (seconds >= 90)
        g_string_append_printf(text, "%.0f minutes", seconds / 60);
    else
        g_string_append_printf(text, "%.0f seconds", seconds);
}

static void describe_sets(const AimfRunJob *job, GString *text)
{
    static const char *const names[AIMF_N_PARTS] = { "training", "validation", "test" };
    for (int i = 0; i < AIMF_N_PARTS; i++)
        if (job->data[i])
            g_string_append_printf(text, "%-12s %u pictures\n", names[i], aimf_manifest_count(job->data[i]));
}

static void describe(const AimfRunJob *job, const char *folder, const char *architecture, AimfRunEstimate *e)
{
    g_autoptr(GString) text = g_string_new(NULL);
    describe_sets(job, text);
    g_string_append_printf(text, "\nStages in '%s':\n", folder);
    for (guint i = 0; i < job->stages->len; i++) {
        const AimfRunStage *stage = g_ptr_array_index(job->stages, i);
        g_string_append_printf(text, "  %-10s %s\n", state_word(stage), stage->name);
    }
    g_string_append_printf(text,
                           "\n%" G_GUINT64_FORMAT " pictures to be generated, %" G_GUINT64_FORMAT
                           " passes of pictures through %s, about ",
                           e->pictures, e->passes, architecture);
    append_duration(text, e->seconds);
    aimf_format_append(text, " on this machine and %.1f GB on disk.\n", (double)e->bytes / 1e9);
    e->text = g_string_free(g_steal_pointer(&text), FALSE);
}

static gboolean pictures_to_do(const AimfRunJob *job)
{
    const AimfRunStage *pictures = aimf_run_stage(job, "shared/pictures");
    return pictures && !pictures->done && aimf_config_given(job->config, AIMF_KEY_GENERATE_MODEL);
}

/* Of ready pictures the sets can be drawn at once: whether there are enough, and how many they will be. */
static gboolean draw_sets(AimfRunJob *job, GError **error)
{
    const AimfManifest *train = job->data[AIMF_PART_TRAIN];
    if (!train || job->sets[AIMF_SET_BALANCED] || !aimf_config_given(job->config, AIMF_KEY_GENERATE_BALANCED))
        return TRUE;
    g_clear_pointer(&job->sets[AIMF_SET_BIASED], aimf_manifest_free);
    return aimf_run_draw_sets(job, train, &job->sets[AIMF_SET_BALANCED], &job->sets[AIMF_SET_BIASED], error);
}

/* Where nothing is left, there is nothing to be timed. */
static gboolean passes_to_do(const AimfRunJob *job)
{
    gboolean any = FALSE;
    for (guint i = 0; i < job->stages->len && !any; i++) {
        const AimfRunStage *stage = g_ptr_array_index(job->stages, i);
        any = stage->kind->of_cell && !stage->done && !stage->blocked;
    }
    return any;
}

static gboolean estimate_run(const AimfConfig *config, const AimfRunOptions *options, const AimfMonitor *monitor,
                             AimfRunEstimate *estimate, GError **error)
{
    g_autoptr(AimfRunJob) job = aimf_run_job_new(config, options->folder, monitor, error);
    if (!job || !aimf_run_open_data(job, error) || !aimf_run_expect_sets(job, error) ||
        !aimf_run_check_job(job, error) || !aimf_run_look(job, error) || !draw_sets(job, error))
        return FALSE;
    Rates rates = { 0 };
    AimfArchitectureCost cost;
    g_autoptr(AimfModel) model = estimated_model(job, error);
    if (!model ||
        !aimf_architecture_cost(model->architecture, model->preprocess.width, model->preprocess.height, model->outputs,
                                &cost, error) ||
        (passes_to_do(job) && !time_passes(job, model, &rates, error)) ||
        (pictures_to_do(job) && !time_picture(job, &rates, error)))
        return FALSE;
    rates.model_bytes = (guint64)cost.bytes;
    for (guint i = 0; i < job->stages->len; i++) {
        const AimfRunStage *stage = g_ptr_array_index(job->stages, i);
        if (!stage->done && !stage->blocked)
            add_stage(job, stage, &rates, estimate);
    }
    describe(job, options->folder, model->architecture, estimate);
    return TRUE;
}

gboolean aimf_run_estimate(const AimfConfig *config, const AimfRunOptions *options, const AimfMonitor *monitor,
                           AimfRunEstimate *estimate, GError **error)
{
    GError *failure = NULL;
    *estimate = (AimfRunEstimate){ 0 };
    gboolean known = estimate_run(config, options, monitor, estimate, &failure);
    aimf_run_advise(failure, error);
    return known;
}

void aimf_run_estimate_clear(AimfRunEstimate *estimate)
{
    g_free(estimate->text);
    *estimate = (AimfRunEstimate){ 0 };
}
