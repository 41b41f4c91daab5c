/* aimfair evaluate: how accurate a classifier is and how fair. */
#include "evaluate_compare.h"
#include "evaluate_demands.h"
#include "evaluate_impact.h"
#include "evaluate_seeds.h"

#include <aimfair/sets.h>
#include <math.h>

typedef struct {
    char *model;
    char *data;
    char *save;
    char *given;
    char *positive;
    char *by_group_text;
    char *impact_text;
    char **impact;
    char *changes;
    char *chart;
    gboolean average;
    gboolean compare;
    gint bootstrap;
    gint batch;
    gint skip_bad;
    double threshold; /* negative: not given */
    AimfDemands demands;
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
    aimf_demands_clear(&o->demands);
    g_free(o->impact_text);
    g_strfreev(o->impact);
    g_free(o->changes);
    g_free(o->chart);
    aimf_allow_clear(&o->allow);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static const char SUITE[] = "aimfair evaluate";

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

static gboolean are_tables(int n_files, char **files)
{
    for (int i = 0; i < n_files; i++)
        if (!is_table(files[i]))
            return FALSE;
    return TRUE;
}

/* Whether the runs of an average are models and tables, whose answers are known, and not results. */
static gboolean averages_answers(const Options *o, int n_files, char **files)
{
    return o->average && (o->data || are_tables(n_files, files));
}

static gboolean check_average(const Options *o, int n_files, char **files, GError **error)
{
    if (n_files < 2)
        return invalid("--average needs two files or more: JSON results, tables of predictions (.csv), or models",
                       error);
    if (o->save)
        return invalid("--predictions has no meaning with --average", error);
    if (o->data && are_tables(n_files, files))
        return invalid("--data is for models, and the files are tables", error);
    if (!averages_answers(o, n_files, files) && (o->threshold >= 0 || o->positive))
        return invalid("--threshold and --positive have no meaning with --average of results", error);
    return TRUE;
}

static gboolean check_compare(AimfCli *cli, const Options *o, int n_files, char **files, GError **error)
{
    if (n_files < 2 || n_files % 2)
        return invalid("--compare needs two files, before and after: models, or tables of predictions (.csv); or those "
                       "before of several seeds, then as many after",
                       error);
    gboolean several = n_files > 2;
    if (several && (o->changes || o->chart || o->demands.require || o->demands.require_evidence))
        return invalid("--changes, --chart and demands are about one pair; compare one at a time", error);
    if (o->save || o->by_group_text)
        return invalid("--predictions and --by-group have no meaning with --compare", error);
    gboolean tables = are_tables(n_files, files);
    if (tables && o->data)
        return invalid("--data is for models, and the files are tables", error);
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
    if (o->impact_text && (o->compare || o->average))
        return invalid("--impact needs the rows of one result: it has no meaning with --compare and --average", error);
    if (o->impact_text && !(o->impact = aimf_cli_impact_columns(o->impact_text, error)))
        return FALSE;
    if (o->compare && !check_compare(cli, o, n_files, files, error))
        return FALSE;
    if (o->compare)
        return aimf_allow_check(&o->allow, error);
    if (!o->average && n_files)
        return invalid("files without an option belong to --average or --compare", error);
    if (o->average && !check_average(o, n_files, files, error))
        return FALSE;
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

static gboolean parse_demands(AimfCli *cli, Options *o, int n_files, char **files, GError **error)
{
    AimfDemandsAbout about = o->average   ? AIMF_ABOUT_AN_AVERAGE
                             : o->compare ? AIMF_ABOUT_A_COMPARISON
                                          : AIMF_ABOUT_ANSWERS;
    const char *const inputs[] = {
        o->model, o->data, o->given, o->save, o->changes, n_files > 0 ? files[0] : NULL, n_files > 1 ? files[1] : NULL
    };
    return aimf_demands_parse(cli, &o->demands, about, inputs, G_N_ELEMENTS(inputs), error);
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
        { "average", 0, 0, G_OPTION_ARG_NONE, &o->average,
          "average several seeds instead: JSON results, tables of predictions, or models on --data", NULL },
        { "compare", 0, 0, G_OPTION_ARG_NONE, &o->compare,
          "compare two models on --data, or two tables of predictions; of several seeds those before, then those after",
          NULL },
        { "changes", 0, 0, G_OPTION_ARG_FILENAME, &o->changes, "list the pictures whose answers changed; - for stdout",
          "CSV" },
        { "chart", 0, 0, G_OPTION_ARG_FILENAME, &o->chart, "draw the comparison, as .svg or .png", "FILE" },
        { "threshold", 0, 0, G_OPTION_ARG_DOUBLE, &o->threshold,
          "probability from which on it is class 1 (the model's own, 0.5)", "P [0, 1]" },
        { "positive", 0, 0, G_OPTION_ARG_STRING, &o->positive,
          "the class, by number or name, that rates and gaps are of (1; none of more than two)", "CLASS" },
        { "by-group", 0, 0, G_OPTION_ARG_STRING, &o->by_group_text,
          "what to show of every protected label: tpr,precision,… or all", "MEASURES" },
        { "impact", 0, 0, G_OPTION_ARG_STRING, &o->impact_text,
          "selection rates and impact ratios by each of these columns, and by all together", "COLUMN,…" },
        { "bootstrap", 0, 0, G_OPTION_ARG_INT, &o->bootstrap,
          "resamples for the intervals of STD and calibration, 0 for none (1000)", "N [0, 1000000]" },
        { "require", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->demands.require,
          "exit with 3 unless this holds, \"worst_group_accuracy>=0.7\"; repeatable", "GATE" },
        { "require-evidence", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o->demands.require_evidence,
          "exit with 3 if the test set refutes this, with 4 if it does not show it; repeatable", "GATE" },
        { "junit", 0, 0, G_OPTION_ARG_FILENAME, &o->demands.junit,
          "write what became of the demands as JUnit's XML; - for stdout", "XML" },
        { "batch", 0, 0, G_OPTION_ARG_INT, &o->batch, "images at a time (128)", "N [1, 65536]" },
        { "skip-bad", 0, 0, G_OPTION_ARG_INT, &o->skip_bad, "unreadable images to tolerate (0)", "N [0, 2147483647]" },
        AIMF_ALLOW_ENTRY(&o->allow),
        G_OPTION_ENTRY_NULL,
    };
    return aimf_cli_parse(cli, entries, argc, argv, error) && check_options(cli, o, *argc - 1, argv + 1, error) &&
           parse_demands(cli, o, *argc - 1, argv + 1, error);
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
    g_autoptr(AimfImpactRows) impact = NULL;
    if (o->impact &&
        !(impact = aimf_cli_impact_rows(cli, manifest, o->impact, model->outputs, o->positive, findings, error)))
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
    if (impact)
        aimf_outcomes_take_impact(outcomes, g_steal_pointer(&impact), predictions);
    return g_steal_pointer(&outcomes);
}

static AimfOutcomes *read_answers(AimfCli *cli, const Options *o, const char *path, AimfEvaluation *evaluation,
                                  GError **error)
{
    evaluation->evidence = aimf_evidence_new(NULL, NULL, path, NULL, AIMF_PRECISION_F32, error);
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

static gboolean evaluate(AimfCli *cli, Options *o, AimfEvaluation *evaluation, GError **error)
{
    g_autoptr(AimfOutcomes) outcomes =
        o->given ? read_answers(cli, o, o->given, evaluation, error) : ask_model(cli, o, o->model, evaluation, error);
    if (!outcomes || !set_positive(outcomes, o->positive, error))
        return FALSE;
    if (outcomes->impact && !(evaluation->impact = aimf_impact_measure(outcomes->impact, outcomes->positive, error)))
        return FALSE;
    evaluation->measures = aimf_outcomes_measure(outcomes, (guint)o->bootstrap, cli->seed, cli->monitor, error);
    if (!evaluation->measures)
        return FALSE;
    evaluation->verdicts = aimf_judge(o->demands.gates, o->demands.n, evaluation->measures, outcomes, NULL, error);
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
    return evaluation->verdicts != NULL;
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
    comparison->verdicts = aimf_judge(o->demands.gates, o->demands.n, comparison->after, after, comparison, error);
    if (!comparison->verdicts || !aimf_allow_report(cli, &o->allow, error) ||
        !aimf_demands_save(cli, &o->demands, comparison->verdicts, SUITE, error) ||
        (o->changes && !aimf_cli_write_text(cli, o->changes, save_changes, comparison, error)) ||
        (o->chart && !aimf_comparison_draw(comparison, paths[0], paths[1], o->chart, error)))
        return FALSE;
    const AimfComparedFiles files = { paths[0], paths[1], o->data, one->evidence, two->evidence };
    if (cli->json)
        aimf_cli_json_comparison(cli, comparison, &files, o->allow.findings);
    else
        aimf_cli_print_comparison(cli, comparison, &files);
    aimf_demands_end(cli, comparison->verdicts, comparison->after);
    return TRUE;
}

/* --- Several seeds --- */

/* What @mean says of all of them, and the files @paths (n). */
static gboolean take_average(AimfEvaluation *mean, Options *o, char **paths, guint n, AimfEvaluation *evaluation,
                             GError **error)
{
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
    if (evaluation->evidence)
        evaluation->verdicts = aimf_judge(o->demands.gates, o->demands.n, evaluation->measures, NULL, NULL, error);
    return evaluation->verdicts != NULL;
}

/* (owned) measures, labels and evidence of each; @outcomes receives their answers. */
static GPtrArray *ask_runs(AimfCli *cli, Options *o, char **paths, guint n, GPtrArray *outcomes, GError **error)
{
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_evaluation_free);
    g_autoptr(GPtrArray) evidence = g_ptr_array_new();
    for (guint i = 0; i < n; i++) {
        AimfEvaluation *run = g_new0(AimfEvaluation, 1);
        g_ptr_array_add(runs, run);
        AimfOutcomes *answers = judge(cli, o, paths[i], run, error);
        if (!answers)
            return NULL;
        g_ptr_array_add(outcomes, answers);
        g_ptr_array_add(evidence, run->evidence);
        run->runs = 1;
        run->n_dropped = answers->n_dropped;
        run->n_skipped = answers->n_skipped;
        run->labels = g_strdupv(answers->labels);
        run->classes = g_strdupv(answers->classes);
        run->measures = aimf_outcomes_measure(answers, (guint)o->bootstrap, cli->seed, cli->monitor, error);
        if (!run->measures)
            return NULL;
    }
    aimf_check_runs((const AimfEvidence *const *)evidence->pdata, (const char *const *)paths, n, o->allow.findings);
    return g_steal_pointer(&runs);
}

static GPtrArray *read_runs(Options *o, char **paths, guint n, GError **error)
{
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_evaluation_free);
    if (!aimf_check_results((const char *const *)paths, n, o->allow.findings, error))
        return NULL;
    for (guint i = 0; i < n; i++) {
        AimfEvaluation *run = aimf_evaluation_open(paths[i], error);
        if (!run)
            return NULL;
        g_ptr_array_add(runs, run);
    }
    return g_steal_pointer(&runs);
}

static gboolean average(AimfCli *cli, Options *o, char **paths, guint n, AimfEvaluation *evaluation, GError **error)
{
    gboolean answers = averages_answers(o, (int)n, paths);
    g_autoptr(GPtrArray) outcomes = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_outcomes_free);
    g_autoptr(GPtrArray) runs = answers ? ask_runs(cli, o, paths, n, outcomes, error) : read_runs(o, paths, n, error);
    if (!runs || !aimf_allow_report(cli, &o->allow, error))
        return FALSE;
    g_autofree const AimfMeasures **measures = g_new(const AimfMeasures *, n);
    for (guint i = 0; i < n; i++)
        measures[i] = ((const AimfEvaluation *)g_ptr_array_index(runs, i))->measures;
    g_autoptr(AimfEvaluation) mean = aimf_evaluations_average((const AimfEvaluation *const *)runs->pdata, n, error);
    if (!mean || !(evaluation->seeds = aimf_seeds_of_measures(measures, n, error)) ||
        (answers && !aimf_seeds_resample(evaluation->seeds, (const AimfOutcomes *const *)outcomes->pdata, NULL,
                                         (guint)o->bootstrap, cli->seed, cli->monitor, error)))
        return FALSE;
    evaluation->data = g_strdup(o->data);
    return take_average(mean, o, paths, n, evaluation, error);
}

/* Fills @outcomes with the answers of the files @paths (n), which are different models. */
static gboolean judge_all(AimfCli *cli, Options *o, char **paths, guint n, GPtrArray *outcomes, GError **error)
{
    g_autoptr(GPtrArray) evaluations = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_evaluation_free);
    g_autoptr(GPtrArray) evidence = g_ptr_array_new();
    for (guint i = 0; i < n; i++) {
        AimfEvaluation *evaluation = g_new0(AimfEvaluation, 1);
        g_ptr_array_add(evaluations, evaluation);
        AimfOutcomes *answers = judge(cli, o, paths[i], evaluation, error);
        if (!answers)
            return FALSE;
        g_ptr_array_add(outcomes, answers);
        g_ptr_array_add(evidence, evaluation->evidence);
    }
    aimf_check_runs((const AimfEvidence *const *)evidence->pdata, (const char *const *)paths, n, o->allow.findings);
    return TRUE;
}

/* @paths: (2 n) those before, then those after */
static gboolean compare_pairs(AimfCli *cli, Options *o, char **paths, guint n, GError **error)
{
    g_autoptr(GPtrArray) before = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_outcomes_free);
    g_autoptr(GPtrArray) after = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_outcomes_free);
    g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_comparison_free);
    if (!judge_all(cli, o, paths, n, before, error) || !judge_all(cli, o, paths + n, n, after, error))
        return FALSE;
    for (guint i = 0; i < n; i++) {
        AimfComparison *pair = aimf_compare_outcomes(before->pdata[i], after->pdata[i], (guint)o->bootstrap, cli->seed,
                                                     cli->monitor, error);
        if (!pair) {
            g_prefix_error(error, "'%s' and '%s': ", paths[i], paths[n + i]);
            return FALSE;
        }
        g_ptr_array_add(pairs, pair);
    }
    const AimfComparison *const *compared = (const AimfComparison *const *)pairs->pdata;
    g_autoptr(AimfSeeds) seeds = aimf_seeds_of_comparisons(compared, n, error);
    if (!seeds ||
        !aimf_seeds_resample(seeds, (const AimfOutcomes *const *)after->pdata,
                             (const AimfOutcomes *const *)before->pdata, (guint)o->bootstrap, cli->seed, cli->monitor,
                             error) ||
        !aimf_allow_report(cli, &o->allow, error))
        return FALSE;
    const AimfSeedPairs all = { n, paths, paths + n, o->data, compared, seeds };
    if (cli->json)
        aimf_cli_json_pairs(cli, &all, o->allow.findings);
    else
        aimf_cli_print_pairs(cli, &all);
    return TRUE;
}

/* --- The command --- */

static gboolean run(AimfCli *cli, int argc, char **argv, GError **error)
{
    g_auto(Options) o = { .bootstrap = AIMF_DEFAULT_RESAMPLES, .batch = 128, .threshold = -1 };
    g_autoptr(AimfEvaluation) evaluation = g_new0(AimfEvaluation, 1);
    aimf_allow_init(&o.allow);
    if (!parse(cli, &argc, argv, &o, error))
        return FALSE;
    if (o.compare && argc > 3)
        return compare_pairs(cli, &o, argv + 1, (guint)(argc - 1) / 2, error);
    if (o.compare)
        return compare(cli, &o, argv + 1, error);
    gboolean done = o.average ? average(cli, &o, argv + 1, (guint)argc - 1, evaluation, error)
                              : evaluate(cli, &o, evaluation, error);
    if (!done || !aimf_allow_report(cli, &o.allow, error) ||
        !aimf_demands_save(cli, &o.demands, evaluation->verdicts, SUITE, error))
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
