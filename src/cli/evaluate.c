/* aimfair evaluate: how accurate a classifier is and how fair. */
#include "evaluate_answers.h"
#include "evaluate_compare.h"
#include "evaluate_impact.h"
#include "evaluate_seeds.h"

static gboolean evaluate(AimfCli *cli, AimfEvaluateOptions *o, AimfEvaluation *evaluation, GError **error)
{
    g_autoptr(AimfOutcomes) outcomes = aimf_evaluate_answers(cli, o, o->given ? o->given : o->model, evaluation, error);
    if (!outcomes)
        return FALSE;
    if (outcomes->impact && !(evaluation->impact = aimf_impact_measure(outcomes->impact, outcomes->positive, error)))
        return FALSE;
    evaluation->measures = aimf_outcomes_measure(outcomes, (guint)o->bootstrap, cli->seed, cli->monitor, error);
    if (!evaluation->measures)
        return FALSE;
    evaluation->verdicts =
        aimf_judge(o->demands.gates, o->demands.n, evaluation->measures, outcomes, NULL, cli->monitor, error);
    evaluation->runs = 1;
    evaluation->n_dropped = outcomes->n_dropped;
    evaluation->n_skipped = outcomes->n_skipped;
    evaluation->model = g_strdup(o->model);
    evaluation->data = g_strdup(o->given ? o->given : o->data);
    evaluation->labels = g_steal_pointer(&outcomes->labels);
    evaluation->classes = g_steal_pointer(&outcomes->classes);
    evaluation->evidence->resamples = (guint)o->bootstrap;
    evaluation->evidence->seed = cli->seed;
    return evaluation->verdicts != NULL;
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(AimfEvaluateOptions) o = { .model = NULL };
    g_autoptr(AimfEvaluation) evaluation = g_new0(AimfEvaluation, 1);
    if (!aimf_evaluate_parse(cli, &argc, argv, &o, error))
        return FALSE;
    if (o.compare && argc > 3)
        return aimf_evaluate_pairs(cli, &o, argv + 1, (guint)(argc - 1) / 2, error);
    if (o.compare)
        return aimf_evaluate_compare(cli, &o, argv + 1, error);
    gboolean done = o.average ? aimf_evaluate_average(cli, &o, argv + 1, (guint)argc - 1, evaluation, error)
                              : evaluate(cli, &o, evaluation, error);
    if (!done || !aimf_allow_report(cli, &o.allow, error) ||
        !aimf_demands_save(cli, &o.demands, evaluation->verdicts, AIMF_EVALUATE_SUITE, error))
        return FALSE;
    evaluation->findings = g_steal_pointer(&o.allow.findings);
    if (cli->json) {
        g_autofree char *text = aimf_evaluation_json(evaluation);
        aimf_cli_print(cli, "%s", text);
    } else {
        aimf_cli_print_evaluation(cli, evaluation, &o.by_group);
        if (evaluation->seeds)
            aimf_cli_print_seeds(cli, evaluation->seeds, evaluation->labels);
        if (evaluation->impact)
            aimf_cli_print_impact(cli, evaluation);
        aimf_cli_print_verdicts(cli, evaluation->verdicts);
    }
    aimf_demands_end(cli, evaluation->verdicts, evaluation->measures);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_EVALUATE = {
    .name = "evaluate",
    .summary = "measure how accurate and how fair a classifier is",
    .arguments = "[RUN… | BEFORE… AFTER…]",
    .description = "Examples:\n"
                   "  aimfair evaluate --model fair.safetensors --data test.csv\n"
                   "  aimfair evaluate --from-predictions answers.csv --require 'equalized_odds.mean<=0.1'\n"
                   "  aimfair evaluate --from-predictions answers.csv --by-group tpr,precision,calibration_error\n"
                   "  aimfair evaluate --from-predictions answers.csv --impact sex,race\n"
                   "  aimfair evaluate --compare biased.safetensors fair.safetensors --data test.csv\n"
                   "  aimfair evaluate --compare biased-*.csv fair-*.csv\n"
                   "  aimfair evaluate --average seed100.json seed200.json seed300.json\n",
    .reads_labels = TRUE,
    .run = run,
};
