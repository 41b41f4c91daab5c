#include "evaluate_answers.h"

#include "evaluate_impact.h"

#include <aimfair/sets.h>

static gboolean save_outcomes(const char *path, gconstpointer outcomes, GError **error)
{
    return aimf_outcomes_save(outcomes, path, error);
}

static AimfOutcomes *ask_model(AimfCli *cli, AimfEvaluateOptions *o, const char *path, AimfEvaluation *evaluation,
                               GError **error)
{
    AimfFindings *findings = o->allow.findings;
    g_autoptr(AimfModel) model = aimf_model_open(path, error);
    g_autoptr(AimfManifest) manifest = NULL;
    if (model)
        manifest = aimf_cli_open_manifest(cli, o->data, AIMF_COLUMN_REQUIRED, AIMF_COLUMN_REQUIRED, findings, error);
    if (!manifest)
        return NULL;
    g_autoptr(AimfImpactRows) impact = NULL;
    if (o->impact &&
        !(impact = aimf_cli_impact_rows(cli, manifest, o->impact, model->outputs, o->positive, findings, error)))
        return NULL;
    aimf_check_evaluation_set(model, manifest, findings);
    if (!aimf_allow_report(cli, &o->allow, error))
        return NULL;
    if (o->threshold >= 0 && model->outputs > 2) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "--threshold needs a model of two classes; this one chooses the largest of several");
        return NULL;
    }
    if (o->threshold >= 0)
        model->threshold = o->threshold;
    AimfPredictOptions options = {
        .batch = (guint)o->batch,
        .device = cli->device,
        .precision = cli->precision,
        .threads = cli->threads,
        .skip_bad = (guint)o->skip_bad,
    };
    evaluation->target = g_strdup(model->target);
    evaluation->evidence = aimf_evidence_new(path, model, o->data, manifest, &options, error);
    g_autoptr(AimfPredictions) predictions =
        evaluation->evidence ? aimf_model_predict(model, manifest, &options, cli->monitor, error) : NULL;
    g_autoptr(AimfOutcomes) outcomes =
        predictions ? aimf_outcomes_from_predictions(manifest, predictions, error) : NULL;
    if (!outcomes || (o->save && !aimf_cli_write_text(cli, o->save, save_outcomes, outcomes, error)))
        return NULL;
    if (impact)
        aimf_outcomes_take_impact(outcomes, g_steal_pointer(&impact), predictions);
    return g_steal_pointer(&outcomes);
}

static AimfOutcomes *read_answers(AimfCli *cli, const AimfEvaluateOptions *o, const char *path,
                                  AimfEvaluation *evaluation, GError **error)
{
    evaluation->evidence = aimf_evidence_new(NULL, NULL, path, NULL, NULL, error);
    AimfLabelRules rules = cli->labels;
    rules.findings = o->allow.findings;
    const AimfOutcomesOptions options = { o->threshold, &rules, (const char *const *)o->impact };
    return evaluation->evidence ? aimf_outcomes_open_with(path, &options, cli->monitor, error) : NULL;
}

static gboolean set_positive(AimfOutcomes *outcomes, const char *text, GError **error)
{
    int class = text ? aimf_outcomes_find_class(outcomes, text, error) : outcomes->positive;
    if (text && class < 0) {
        g_prefix_error(error, "--positive: ");
        return FALSE;
    }
    outcomes->positive = class;
    return TRUE;
}

AimfOutcomes *aimf_evaluate_answers(AimfCli *cli, AimfEvaluateOptions *o, const char *path, AimfEvaluation *evaluation,
                                    GError **error)
{
    gboolean table = path == o->given || (path != o->model && aimf_are_tables(1, (char **)&path));
    g_autoptr(AimfOutcomes) outcomes =
        table ? read_answers(cli, o, path, evaluation, error) : ask_model(cli, o, path, evaluation, error);
    if (!outcomes || !set_positive(outcomes, o->positive, error))
        return NULL;
    evaluation->evidence->threshold = outcomes->threshold;
    return g_steal_pointer(&outcomes);
}
