/* What a model says about the test set, and its measures: what 'aimfair evaluate' does. */
#include "base/file.h"
#include "run/advice.h"
#include "run/job.h"

#include <aimfair/error.h>
#include <aimfair/sets.h>
#include <math.h>
#include <string.h>

/* (owned) "cells/aim-fair-100/model" of the stage's cell. */
static char *model_of(const AimfRunJob *job, const AimfRunStage *stage)
{
    guint64 seed = aimf_config_integer_at(job->config, AIMF_KEY_SEEDS, stage->seed);
    g_autofree char *cell = aimf_run_cell_name(&job->methods[stage->method], seed);
    return g_strconcat(cell, "/model", NULL);
}

static gboolean describe(AimfRunJob *job, AimfRunStage *stage, AimfProvenance *wanted, GError **error)
{
    g_autofree char *model = model_of(job, stage);
    aimf_run_take_output(job, model, "model.safetensors", wanted);
    const AimfManifest *test = aimf_run_set(job, AIMF_SET_TEST, error);
    return test && aimf_run_take_pictures(job, "shared/data", "test.csv", test, wanted, error);
}

static gboolean set_threshold(const AimfConfig *config, AimfModel *model, GError **error)
{
    double threshold = aimf_config_real(config, AIMF_KEY_EVALUATE_THRESHOLD);
    if (isnan(threshold))
        return TRUE;
    if (model->outputs > 2) {
        aimf_config_error(config, AIMF_KEY_EVALUATE_THRESHOLD, error,
                          "needs a model of two classes; this one chooses the largest of several");
        return FALSE;
    }
    model->threshold = threshold;
    return TRUE;
}

gboolean aimf_run_set_positive(const AimfConfig *config, AimfOutcomes *outcomes, GError **error)
{
    const char *text = aimf_config_text_at(config, AIMF_KEY_EVALUATE_POSITIVE);
    int positive = text ? aimf_outcomes_find_class(outcomes, text, error) : outcomes->positive;
    if (text && positive < 0) {
        g_prefix_error(error, "evaluate.positive: ");
        return FALSE;
    }
    outcomes->positive = positive;
    return TRUE;
}

AimfMeasures *aimf_run_measure(const AimfConfig *config, const AimfOutcomes *outcomes, const AimfMonitor *monitor,
                               GError **error)
{
    return aimf_outcomes_measure(outcomes, (guint)aimf_config_integer(config, AIMF_KEY_EVALUATE_BOOTSTRAP),
                                 AIMF_RUN_RESAMPLING_SEED, monitor, error);
}

/* Pictures of the run are called by their path within it, wherever it was started from; others are absolute. */
static void settle_paths(const AimfRunJob *job, AimfOutcomes *outcomes)
{
    g_autofree char *run = g_canonicalize_filename(job->folder, NULL);
    for (guint i = 0; outcomes->paths && i < outcomes->n; i++) {
        g_autofree char *path = g_canonicalize_filename(outcomes->paths[i], NULL);
        const char *inside = aimf_path_below(path, run);
        g_free(outcomes->paths[i]);
        outcomes->paths[i] = g_strdup(inside ? inside : path);
    }
}

/* Asked again from the file: so that everything that is measured follows from what is written. */
static AimfOutcomes *ask(AimfRunJob *job, const AimfModel *model, const AimfPredictOptions *options, const char *path,
                         GError **error)
{
    const AimfManifest *test = aimf_run_set(job, AIMF_SET_TEST, error);
    g_autoptr(AimfPredictions) predictions =
        test ? aimf_model_predict(model, test, options, job->monitor, error) : NULL;
    g_autoptr(AimfOutcomes) outcomes = predictions ? aimf_outcomes_from_predictions(test, predictions, error) : NULL;
    if (!outcomes)
        return NULL;
    settle_paths(job, outcomes);
    if (!aimf_outcomes_save(outcomes, path, error))
        return NULL;
    g_autoptr(AimfOutcomes) read = aimf_run_open_predictions(path, job->monitor, error);
    if (!read)
        return NULL;
    g_strfreev(read->classes); /* of a table it has those that were predicted */
    read->classes = g_strdupv(outcomes->classes);
    if (!aimf_run_set_positive(job->config, read, error))
        return NULL;
    read->n_skipped = outcomes->n_skipped;
    read->threshold = outcomes->threshold;
    return g_steal_pointer(&read);
}

/* The evaluation of @outcomes, as measures.json; names of files are those of the run's folder. */
static gboolean save_measures(AimfRunJob *job, const AimfRunStage *stage, const AimfModel *model,
                              const char *model_path, const AimfPredictOptions *options, AimfOutcomes *outcomes,
                              const char *path, GError **error)
{
    g_autofree char *data = g_build_filename(job->folder, aimf_run_set_path(AIMF_SET_TEST), NULL);
    g_autofree char *folder = model_of(job, stage);
    g_autoptr(AimfEvaluation) evaluation = g_new0(AimfEvaluation, 1);
    evaluation->runs = 1;
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    aimf_check_evaluation_set(model, job->sets[AIMF_SET_TEST], findings);
    evaluation->findings = aimf_run_advise_findings(findings, job->folder);
    if (!(evaluation->measures = aimf_run_measure(job->config, outcomes, job->monitor, error)) ||
        !(evaluation->evidence = aimf_evidence_new(model_path, model, data, job->sets[AIMF_SET_TEST], options, error)))
        return FALSE;
    evaluation->model = g_strconcat(folder, "/model.safetensors", NULL);
    evaluation->data = g_strdup(aimf_run_set_path(AIMF_SET_TEST));
    evaluation->target = g_strdup(model->target);
    evaluation->n_dropped = outcomes->n_dropped;
    evaluation->n_skipped = outcomes->n_skipped;
    evaluation->labels = g_strdupv(outcomes->labels);
    evaluation->classes = g_strdupv(outcomes->classes);
    evaluation->evidence->threshold = outcomes->threshold;
    evaluation->evidence->resamples = (guint)aimf_config_integer(job->config, AIMF_KEY_EVALUATE_BOOTSTRAP);
    evaluation->evidence->seed = AIMF_RUN_RESAMPLING_SEED;
    g_autofree char *text = aimf_evaluation_json(evaluation);
    return aimf_file_write(path, text, strlen(text), error);
}

static gboolean make(AimfRunJob *job, AimfRunStage *stage, const char *part, AimfProvenance *made, GError **error)
{
    (void)made;
    g_autofree char *folder = model_of(job, stage);
    g_autofree char *model_path = aimf_run_stage_path(job, folder, "model.safetensors");
    g_autofree char *predictions = g_build_filename(part, "predictions.csv", NULL);
    g_autofree char *measures = g_build_filename(part, "measures.json", NULL);
    g_autoptr(AimfModel) model = aimf_model_open(model_path, error);
    if (!model || !set_threshold(job->config, model, error))
        return FALSE;
    const AimfPredictOptions options = {
        .batch = (guint)aimf_config_integer(job->config, AIMF_KEY_EVALUATE_BATCH),
        .device = job->device,
        .precision = job->precision,
        .threads = job->threads,
        .skip_bad = (guint)aimf_config_integer(job->config, AIMF_KEY_DATA_SKIP_BAD),
    };
    g_autoptr(AimfOutcomes) outcomes = ask(job, model, &options, predictions, error);
    return outcomes && save_measures(job, stage, model, model_path, &options, outcomes, measures, error);
}

static double cost(const AimfRunJob *job, const AimfRunStage *stage, double *each)
{
    (void)stage;
    *each = 1;
    enum { NOT_KNOWN_YET = 800 };
    return job->data[AIMF_PART_TEST] ? aimf_manifest_count(job->data[AIMF_PART_TEST]) : NOT_KNOWN_YET;
}

static const AimfConfigKey KEYS[] = { AIMF_KEY_EVALUATE_BATCH,     AIMF_KEY_EVALUATE_BOOTSTRAP,
                                      AIMF_KEY_EVALUATE_THRESHOLD, AIMF_KEY_EVALUATE_POSITIVE,
                                      AIMF_KEY_DATA_SKIP_BAD,      AIMF_N_KEYS };

const AimfStageKind AIMF_STAGE_TEST = {
    .keys = KEYS, .describe = describe, .make = make, .cost = cost, .of_cell = TRUE
};
