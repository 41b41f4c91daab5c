/* aimfair evaluate: how accurate a classifier is and how fair. */
#include "evaluate_compare.h"

#include <aimfair/sets.h>
#include <math.h>

typedef struct {
    char *model;
    char *data;
    char *save;
    char *given;
    char *positive;
    char *by_group_text;
    char **require;
    char *changes;
    char *chart;
    gboolean average;
    gboolean compare;
    gint bootstrap;
    gint batch;
    gint skip_bad;
    double threshold; /* negative: not given */
    AimfByGroup by_group;
    AimfAllow allow;
} Options;

static void options_clear(Options *o)
{
    g_free(o->model);
    g_free(o->data);
    g_free(o->save);
    g_free(o->given);
    g_free(o->positive);
    g_free(o->by_group_text);
    g_strfreev(o->require);
    g_free(o->changes);
    g_free(o->chart);
    aimf_allow_clear(&o->allow);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static gboolean invalid(const char *message, GError **error)
{
    g_set_error_literal(error, AIMF_ERROR, AIMF_ERROR_INVALID, message);
    return FALSE;
}

/* --- Options --- */

static gboolean is_table(const char *path)
{
    g_autofree char *lower = g_ascii_strdown(path, -1);
    return g_str_has_suffix(lower, ".csv") || g_str_has_suffix(lower, ".tsv");
}

static gboolean check_compare(AimfCli *cli, const Options *o, int n_files, char **files, GError **error)
{
    if (n_files != 2)
        return invalid("--compare needs two files, before and after: models, or tables of predictions (.csv)", error);
    if (o->save || o->require || o->by_group_text)
        return invalid("--predictions, --require and --by-group have no meaning with --compare", error);
    gboolean tables = is_table(files[0]) && is_table(files[1]);
    if (tables && o->data)
        return invalid("--data is for models, and both files are tables", error);
    const char *const inputs[] = { files[0], files[1], o->data };
    const char *const others[] = { files[0], files[1], o->data, o->changes };
    return (tables || aimf_cli_require(cli, "--data", o->data, error)) &&
           (!o->changes || (aimf_cli_check_text_output(cli, "--changes", o->changes, error) &&
                            aimf_cli_check_apart("--changes", o->changes, inputs, G_N_ELEMENTS(inputs), error))) &&
           (!o->chart || (aimf_cli_check_chart("--chart", o->chart, error) &&
                          aimf_cli_check_apart("--chart", o->chart, others, G_N_ELEMENTS(others), error)));
}

static gboolean check_options(AimfCli *cli, Options *o, int n_files, char **files, GError **error)
{
    if ((o->model != NULL) + (o->given != NULL) + (o->average != FALSE) + (o->compare != FALSE) > 1)
        return invalid("--model, --from-predictions, --average and --compare exclude each other", error);
    if (o->changes && !o->compare)
        return invalid("--changes is of --compare", error);
    if (o->chart && !o->compare)
        return invalid("--chart is of --compare", error);
    if (o->compare && !check_compare(cli, o, n_files, files, error))
        return FALSE;
    if (o->compare)
        return aimf_allow_check(&o->allow, error);
    if (!o->average && n_files)
        return invalid("files without an option belong to --average or --compare", error);
    if (o->average && n_files < 2)
        return invalid("--average needs two JSON files or more", error);
    if (o->average && (o->data || o->save || o->threshold >= 0 || o->positive))
        return invalid("--data, --predictions, --threshold and --positive have no meaning with --average", error);
    if (o->given && (o->data || o->save))
        return invalid("--data and --predictions belong to --model, not to --from-predictions", error);
    if (!o->given && !o->average &&
        (!aimf_cli_require(cli, "--model (or --from-predictions, or --average)", o->model, error) ||
         !aimf_cli_require(cli, "--data", o->data, error)))
        return FALSE;
    const char *const inputs[] = { o->model, o->data };
    return (!o->save || (aimf_cli_check_text_output(cli, "--predictions", o->save, error) &&
                         aimf_cli_check_apart("--predictions", o->save, inputs, G_N_ELEMENTS(inputs), error))) &&
           aimf_cli_by_group(o->by_group_text, &o->by_group, error) && aimf_allow_check(&o->allow, error);
}

static gboolean parse(AimfCli *cli, int *argc, char **argv, Options *o, GError **error)
{
    const GOptionEntry entries[] = {
        { "model", 0, 0, G_OPTION_ARG_FILENAME, &o->model, "a saved model to evaluate", "FILE" },
        { "data", 0, 0, G_OPTION_ARG_FILENAME, &o->data, "manifest to evaluate it on", "CSV" },
        { "predictions", 0, 0, G_OPTION_ARG_FILENAME, &o->save,
          "also write the model's answers, with the labels; - for stdout", "CSV" },
        { "from-predictions", 0, 0, G_OPTION_ARG_FILENAME, &o->given, "evaluate answers of any program instead",
          "CSV" },
        { "average", 0, 0, G_OPTION_ARG_NONE, &o->average, "average JSON results of several seeds instead", NULL },
        { "compare", 0, 0, G_OPTION_ARG_NONE, &o->compare,
          "compare two models on --data, or two tables of predictions, BEFORE and AFTER", NULL },
        { "changes", 0, 0, G_OPTION_ARG_FILENAME, &o->changes, "list the pictures whose answers changed; - for stdout",
          "CSV" },
        { "chart", 0, 0, G_OPTION_ARG_FILENAME, &o->chart, "draw the comparison, as .svg or .png", "FILE" },
        { "threshold", 0, 0, G_OPTION_ARG_DOUBLE, &o->threshold,
          "probability from which on it is class 1 (the model's own, 0.5)", "P [0, 1]" },
        { "positive", 0, 0, G_OPTION_ARG_STRING, &o->positive,
          "the class, by number or name, that rates and gaps are of (1; none of more than two)", "CLASS" },
        { "by-group", 0, 0, G_OPTION_ARG_STRING, &o->by_group_text,
          "what to show of every protected label: tpr,precision,… or all", "MEASURES" },
        { "bootstrap", 0, 0, G_OPTION_ARG_INT, &o->bootstrap,
          "resamples for the intervals of STD and calibration, 0 for none (1000)", "N [0, 1000000]" },
        { "require", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->require,
          "exit with 3 unless this holds, \"worst_group_accuracy>=0.7\"; repeatable", "GATE" },
        { "batch", 0, 0, G_OPTION_ARG_INT, &o->batch, "images at a time (128)", "N [1, 65536]" },
        { "skip-bad", 0, 0, G_OPTION_ARG_INT, &o->skip_bad, "unreadable images to tolerate (0)", "N [0, 2147483647]" },
        AIMF_ALLOW_ENTRY(&o->allow),
        G_OPTION_ENTRY_NULL,
    };
    return aimf_cli_parse(cli, entries, argc, argv, error) && check_options(cli, o, *argc - 1, argv + 1, error);
}

static gboolean parse_gates(AimfEvaluation *evaluation, char **texts, GError **error)
{
    if (!texts)
        return TRUE;
    evaluation->gates = g_new0(AimfGate, g_strv_length(texts));
    for (char **text = texts; *text; text++) {
        if (!aimf_gate_parse(*text, &evaluation->gates[evaluation->n_gates], error)) {
            g_prefix_error(error, "--require ");
            return FALSE;
        }
        evaluation->n_gates++;
    }
    return TRUE;
}

/* --- Sources of measures --- */

static gboolean save_outcomes(const char *path, gconstpointer outcomes, GError **error)
{
    return aimf_outcomes_save(outcomes, path, error);
}

static AimfOutcomes *ask_model(AimfCli *cli, Options *o, const char *path, AimfEvaluation *evaluation, GError **error)
{
    AimfFindings *findings = o->allow.findings;
    g_autoptr(AimfModel) model = aimf_model_open(path, error);
    g_autoptr(AimfManifest) manifest = NULL;
    if (model)
        manifest = aimf_cli_open_manifest(cli, o->data, AIMF_COLUMN_REQUIRED, AIMF_COLUMN_REQUIRED, findings, error);
    if (!manifest)
        return NULL;
    aimf_check_evaluation_set(model, manifest, findings);
    if (!aimf_allow_report(cli, &o->allow, error))
        return NULL;
    if (o->threshold >= 0 && model->outputs > 2) {
        invalid("--threshold needs a model of two classes; this one chooses the largest of several", error);
        return NULL;
    }
    if (o->threshold >= 0)
        model->threshold = o->threshold;
    AimfPredictOptions options = {
        .batch = (guint)o->batch,
        .precision = cli->precision,
        .threads = cli->threads,
        .skip_bad = (guint)o->skip_bad,
    };
    evaluation->target = g_strdup(model->target);
    evaluation->evidence = aimf_evidence_new(path, model, o->data, manifest, cli->precision, error);
    g_autoptr(AimfPredictions) predictions =
        evaluation->evidence ? aimf_model_predict(model, manifest, &options, cli->monitor, error) : NULL;
    g_autoptr(AimfOutcomes) outcomes =
        predictions ? aimf_outcomes_from_predictions(manifest, predictions, error) : NULL;
    if (!outcomes || (o->save && !aimf_cli_write_text(cli, o->save, save_outcomes, outcomes, error)))
        return NULL;
    return g_steal_pointer(&outcomes);
}

static AimfOutcomes *read_answers(AimfCli *cli, const Options *o, const char *path, AimfEvaluation *evaluation,
                                  GError **error)
{
    evaluation->evidence = aimf_evidence_new(NULL, NULL, path, NULL, AIMF_PRECISION_F32, error);
    AimfLabelRules rules = cli->labels;
    rules.findings = o->allow.findings;
    return evaluation->evidence ? aimf_outcomes_open(path, o->threshold, &rules, cli->monitor, error) : NULL;
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

static gboolean evaluate(AimfCli *cli, Options *o, AimfEvaluation *evaluation, GError **error)
{
    g_autoptr(AimfOutcomes) outcomes =
        o->given ? read_answers(cli, o, o->given, evaluation, error) : ask_model(cli, o, o->model, evaluation, error);
    if (!outcomes || !set_positive(outcomes, o->positive, error))
        return FALSE;
    evaluation->runs = 1;
    evaluation->n_dropped = outcomes->n_dropped;
    evaluation->n_skipped = outcomes->n_skipped;
    evaluation->model = g_strdup(o->model);
    evaluation->data = g_strdup(o->given ? o->given : o->data);
    evaluation->labels = g_steal_pointer(&outcomes->labels);
    evaluation->classes = g_steal_pointer(&outcomes->classes);
    evaluation->evidence->threshold = outcomes->threshold;
    evaluation->evidence->resamples = (guint)o->bootstrap;
    evaluation->evidence->seed = cli->seed;
    evaluation->measures = aimf_outcomes_measure(outcomes, (guint)o->bootstrap, cli->seed, cli->monitor, error);
    return evaluation->measures != NULL;
}

static gboolean average(AimfCli *cli, Options *o, char **paths, guint n, AimfEvaluation *evaluation, GError **error)
{
    if (!aimf_check_results((const char *const *)paths, n, o->allow.findings, error) ||
        !aimf_allow_report(cli, &o->allow, error))
        return FALSE;
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_evaluation_free);
    for (guint i = 0; i < n; i++) {
        AimfEvaluation *run = aimf_evaluation_open(paths[i], error);
        if (!run)
            return FALSE;
        g_ptr_array_add(runs, run);
    }
    g_autoptr(AimfEvaluation) mean = aimf_evaluations_average((const AimfEvaluation *const *)runs->pdata, n, error);
    if (!mean)
        return FALSE;
    evaluation->runs = mean->runs;
    evaluation->n_dropped = mean->n_dropped;
    evaluation->n_skipped = mean->n_skipped;
    evaluation->labels = g_steal_pointer(&mean->labels);
    evaluation->classes = g_steal_pointer(&mean->classes);
    evaluation->target = g_steal_pointer(&mean->target);
    evaluation->measures = g_steal_pointer(&mean->measures);
    for (guint i = 0; i < aimf_findings_count(mean->findings); i++)
        aimf_findings_copy(o->allow.findings, aimf_findings_at(mean->findings, i));
    evaluation->evidence = aimf_evidence_of_results((const char *const *)paths, n, error);
    return evaluation->evidence != NULL;
}

static gboolean save_changes(const char *path, gconstpointer comparison, GError **error)
{
    return aimf_comparison_save_changes(comparison, path, error);
}

/* (owned) what the model or the table @path says. */
static AimfOutcomes *judge(AimfCli *cli, Options *o, const char *path, AimfEvaluation *evaluation, GError **error)
{
    g_autoptr(AimfOutcomes) outcomes =
        is_table(path) ? read_answers(cli, o, path, evaluation, error) : ask_model(cli, o, path, evaluation, error);
    if (!outcomes || !set_positive(outcomes, o->positive, error))
        return NULL;
    evaluation->evidence->threshold = outcomes->threshold;
    return g_steal_pointer(&outcomes);
}

static gboolean compare(AimfCli *cli, Options *o, char **paths, GError **error)
{
    g_autoptr(AimfEvaluation) one = g_new0(AimfEvaluation, 1), two = g_new0(AimfEvaluation, 1);
    g_autoptr(AimfOutcomes) before = judge(cli, o, paths[0], one, error);
    g_autoptr(AimfOutcomes) after = before ? judge(cli, o, paths[1], two, error) : NULL;
    g_autoptr(AimfComparison) comparison =
        after ? aimf_compare_outcomes(before, after, (guint)o->bootstrap, cli->seed, cli->monitor, error) : NULL;
    if (!comparison)
        return FALSE;
    aimf_comparison_check(comparison, o->allow.findings);
    if (!aimf_allow_report(cli, &o->allow, error) ||
        (o->changes && !aimf_cli_write_text(cli, o->changes, save_changes, comparison, error)) ||
        (o->chart && !aimf_comparison_draw(comparison, paths[0], paths[1], o->chart, error)))
        return FALSE;
    const AimfComparedFiles files = { paths[0], paths[1], o->data, one->evidence, two->evidence };
    if (cli->json)
        aimf_cli_json_comparison(cli, comparison, &files, o->allow.findings);
    else
        aimf_cli_print_comparison(cli, comparison, &files);
    return TRUE;
}

/* --- The command --- */

/* The two mistakes that make a measure unknown whatever the answers are. */
static const char *why_unknown(const AimfEvaluation *evaluation, guint scalar)
{
    const AimfMeasures *measures = evaluation->measures;
    const guint first_of_class = G_STRUCT_OFFSET(AimfScalars, positive) / sizeof(double);
    if (aimf_scalar_of_classes(scalar))
        return measures->n_targets == 2 ? ": there are two classes; leave macro and worst away" : "";
    return measures->positive < 0 && scalar >= first_of_class
               ? ": with more than two classes put macro or worst and a point before it, or name a class by --positive"
               : "";
}

static void report_gates(AimfCli *cli, const AimfEvaluation *evaluation)
{
    const AimfScalars *scalars = &evaluation->measures->scalars;
    for (guint i = 0; i < evaluation->n_gates; i++) {
        const AimfGate *gate = &evaluation->gates[i];
        if (aimf_gate_met(gate, scalars))
            continue;
        double value = aimf_scalar_at(scalars, gate->scalar);
        const char *name = aimf_scalar_name(gate->scalar);
        if (isnan(value))
            aimf_cli_message(cli, AIMF_LOG_WARNING, "not met: %s (%s is unknown%s)", gate->text, name,
                             why_unknown(evaluation, gate->scalar));
        else
            aimf_cli_message(cli, AIMF_LOG_WARNING, "not met: %s (%s is %.6g)", gate->text, name, value);
        cli->exit_status = AIMF_EXIT_GATE;
    }
}

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Options) o = { .bootstrap = AIMF_DEFAULT_RESAMPLES, .batch = 128, .threshold = -1 };
    g_autoptr(AimfEvaluation) evaluation = g_new0(AimfEvaluation, 1);
    aimf_allow_init(&o.allow);
    if (!parse(cli, &argc, argv, &o, error) || !parse_gates(evaluation, o.require, error))
        return FALSE;
    if (o.compare)
        return compare(cli, &o, argv + 1, error);
    gboolean done = o.average ? average(cli, &o, argv + 1, (guint)argc - 1, evaluation, error)
                              : evaluate(cli, &o, evaluation, error);
    if (!done || !aimf_allow_report(cli, &o.allow, error))
        return FALSE;
    evaluation->findings = g_steal_pointer(&o.allow.findings);
    if (cli->json) {
        g_autofree char *text = aimf_evaluation_json(evaluation);
        aimf_cli_print(cli, "%s", text);
    } else {
        aimf_cli_print_evaluation(cli, evaluation, &o.by_group);
    }
    report_gates(cli, evaluation);
    return TRUE;
}

const AimfCommand AIMF_COMMAND_EVALUATE = {
    .name = "evaluate",
    .summary = "measure how accurate and how fair a classifier is",
    .arguments = "[RESULT.json… | BEFORE AFTER]",
    .description = "Examples:\n"
                   "  aimfair evaluate --model fair.safetensors --data test.csv\n"
                   "  aimfair evaluate --from-predictions answers.csv --require 'equalized_odds.mean<=0.1'\n"
                   "  aimfair evaluate --from-predictions answers.csv --by-group tpr,precision,calibration_error\n"
                   "  aimfair evaluate --compare biased.safetensors fair.safetensors --data test.csv\n"
                   "  aimfair evaluate --average seed100.json seed200.json seed300.json\n",
    .reads_labels = TRUE,
    .run = run,
};
