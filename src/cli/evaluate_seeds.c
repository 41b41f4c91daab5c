#include "evaluate_seeds.h"

#include "evaluate_answers.h"
#include "evaluate_compare.h"

#include <aimfair/json.h>
#include <aimfair/sets.h>
#include <math.h>

/*
 * What was compared: (n) pairs of files with their comparisons, and what is said over all of them. @data: (nullable)
 * the manifest that models were asked about
 */
typedef struct {
    guint n;
    char *const *before;
    char *const *after;
    const char *data;
    const AimfEvaluation *const *sides; /* (2 n) their evidence */
    const AimfComparison *const *pairs;
    const AimfSeeds *seeds;
} SeedPairs;

/* --- Text --- */

/* "75.20 ± 1.31", with a sign if they are @changes. */
static char *mean_text(const AimfSeedStatistic *s, gboolean changes)
{
    g_autofree char *mean = changes ? g_strdup_printf("%+.2f", 100 * s->mean) : g_strdup_printf("%.2f", 100 * s->mean);
    return isnan(s->deviation) ? g_strdup(mean) : g_strdup_printf("%s ± %.2f", mean, 100 * s->deviation);
}

/* The rest of a line. */
static void print_statistic(AimfCli *cli, const AimfSeedStatistic *s, gboolean changes)
{
    g_autofree char *mean = mean_text(s, changes), *pictures = aimf_cli_interval_text(s->over_pictures, changes, "-");
    g_autofree char *seeds = aimf_cli_interval_text(s->over_seeds, changes, "-"),
                    *both = aimf_cli_interval_text(s->over_both, changes, "-");
    aimf_cli_print_padded(cli, mean, 18);
    aimf_cli_print_padded(cli, pictures, 19);
    aimf_cli_print_padded(cli, seeds, 19);
    if (changes) {
        aimf_cli_print_padded(cli, both, 19);
        if (isnan(s->p))
            aimf_cli_print(cli, "-");
        else
            aimf_cli_print(cli, "%.3g", s->p);
    } else {
        aimf_cli_print(cli, "%s", both);
    }
    aimf_cli_print(cli, "\n");
}

static void print_heading(AimfCli *cli, const char *what, gboolean changes)
{
    aimf_cli_print(cli, "\n%-36s", what);
    aimf_cli_print_padded(cli, "mean ± deviation", 18);
    aimf_cli_print(cli, "%-19s%-19s", "other pictures", "other seeds");
    aimf_cli_print(cli, changes ? "%-19s%s\n" : "%s%s\n", "both", changes ? "p (t test)" : "");
}

void aimf_cli_print_seeds(AimfCli *cli, const AimfSeeds *seeds, char *const *labels)
{
    guint n_labels = g_strv_length((char **)labels);
    print_heading(cli, seeds->changes ? "change, in points" : "over the runs", seeds->changes);
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        if (isnan(seeds->scalars[i].mean))
            continue;
        aimf_cli_print_title(cli, i);
        aimf_cli_print(cli, "  ");
        print_statistic(cli, &seeds->scalars[i], seeds->changes);
    }
    for (guint g = 0; g < seeds->n_groups; g++) {
        if (isnan(seeds->groups[g].mean))
            continue;
        g_autofree char *name = g_strdup_printf("accuracy of %u_%s", g / n_labels, labels[g % n_labels]);
        g_autofree char *shown = aimf_cli_printable(name);
        aimf_cli_print_padded(cli, shown, 36);
        print_statistic(cli, &seeds->groups[g], seeds->changes);
    }
    aimf_cli_print(cli,
                   "\n95 %% intervals. Other pictures: these %u models, on all pictures. Other seeds: all seeds, on "
                   "these pictures.\n",
                   seeds->n_runs);
    if (seeds->n_runs < AIMF_LEAST_SEEDS)
        aimf_cli_print(cli, "Of fewer than %d runs nothing is concluded about other seeds.\n", AIMF_LEAST_SEEDS);
}

static void print_pair(AimfCli *cli, const SeedPairs *all, guint r, glong width)
{
    const AimfComparison *c = all->pairs[r];
    g_autofree char *before = aimf_cli_printable(all->before[r]), *after = aimf_cli_printable(all->after[r]);
    aimf_cli_print_padded(cli, before, width);
    aimf_cli_print_padded(cli, after, width);
    aimf_cli_print(cli, "%8.2f%8.2f%8u%8u%12.3g\n", 100 * c->before->scalars.accuracy, 100 * c->after->scalars.accuracy,
                   c->lost, c->won, c->mcnemar_mid);
}

static void print_pairs(AimfCli *cli, const SeedPairs *all)
{
    glong width = 8;
    for (guint r = 0; r < 2 * all->n; r++) {
        g_autofree char *name = aimf_cli_printable(r < all->n ? all->before[r] : all->after[r - all->n]);
        width = MAX(width, 2 + g_utf8_strlen(name, -1));
    }
    g_autofree char *data = all->data ? aimf_cli_printable(all->data) : NULL;
    aimf_cli_print(cli, "%u pairs, %u sample%s%s%s\n\n", all->n, all->pairs[0]->n, AIMF_PLURAL(all->pairs[0]->n),
                   data ? " of " : "", data ? data : "");
    aimf_cli_print_padded(cli, "before", width);
    aimf_cli_print_padded(cli, "after", width);
    aimf_cli_print(cli, "%16s%8s%8s%12s\n", "accuracy, %", "lost", "won", "McNemar's p");
    for (guint r = 0; r < all->n; r++)
        print_pair(cli, all, r, width);
    aimf_cli_print_seeds(cli, all->seeds, all->pairs[0]->labels);
}

/* --- JSON --- */

static JsonNode *pair_node(const SeedPairs *all, guint r)
{
    const AimfComparison *c = all->pairs[r];
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_evidence(builder, "before", all->before[r], all->sides[r]->evidence);
    aimf_cli_json_evidence(builder, "after", all->after[r], all->sides[all->n + r]->evidence);
    g_autofree char *text = aimf_comparison_json(c);
    json_builder_set_member_name(builder, "comparison");
    json_builder_add_value(builder, json_from_string(text, NULL));
    json_builder_end_object(builder);
    return json_builder_get_root(builder);
}

static void json_pairs(AimfCli *cli, const SeedPairs *all, const AimfFindings *findings)
{
    g_autofree char *text = aimf_seeds_json(all->seeds, all->pairs[0]->labels);
    g_autoptr(JsonBuilder) builder = json_builder_new();
    json_builder_begin_object(builder);
    aimf_cli_json_text(builder, "data", all->data);
    json_builder_set_member_name(builder, "pairs");
    json_builder_begin_array(builder);
    for (guint r = 0; r < all->n; r++)
        json_builder_add_value(builder, pair_node(all, r));
    json_builder_end_array(builder);
    json_builder_set_member_name(builder, "changes");
    json_builder_add_value(builder, json_from_string(text, NULL));
    aimf_allow_json(builder, findings);
    json_builder_end_object(builder);
    aimf_cli_print_json(cli, builder);
}

/* --- Averages --- */

/* What the answers of all runs rest on alike, as @first has it. */
static void take_conditions(const AimfEvidence *first, const AimfCli *cli, const AimfEvaluateOptions *o,
                            AimfEvidence *evidence)
{
    if (o->data) {
        evidence->data_sha256 = g_strdup(first->data_sha256);
        evidence->rows_sha256 = g_strdup(first->rows_sha256);
    }
    evidence->threshold = o->threshold >= 0 ? o->threshold : NAN; /* a model's own may be another in each */
    evidence->resamples = (guint)o->bootstrap;
    evidence->seed = cli->seed;
    evidence->precision = first->precision;
    evidence->engine = g_strdup(first->engine);
    evidence->instruction_set = first->instruction_set;
}

/* What @mean says of all of them, and the files @paths (n). */
static gboolean take_average(const AimfCli *cli, AimfEvaluation *mean, AimfEvaluateOptions *o, char **paths, guint n,
                             AimfEvaluation *evaluation, GError **error)
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
        evaluation->verdicts =
            aimf_judge(o->demands.gates, o->demands.n, evaluation->measures, NULL, NULL, cli->monitor, error);
    return evaluation->verdicts != NULL;
}

/* (owned) an evaluation of each of (n) @paths, without measures; @outcomes receives their answers. */
static GPtrArray *ask_all(AimfCli *cli, AimfEvaluateOptions *o, char **paths, guint n, GPtrArray *outcomes,
                          GError **error)
{
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_evaluation_free);
    g_autofree const AimfEvidence **evidence = g_new(const AimfEvidence *, n);
    for (guint i = 0; i < n; i++) {
        AimfEvaluation *run = g_new0(AimfEvaluation, 1);
        g_ptr_array_add(runs, run);
        AimfOutcomes *answers = aimf_evaluate_answers(cli, o, paths[i], run, error);
        if (!answers)
            return NULL;
        g_ptr_array_add(outcomes, answers);
        evidence[i] = run->evidence;
    }
    aimf_check_runs(evidence, (const char *const *)paths, n, o->allow.findings);
    return g_steal_pointer(&runs);
}

static gboolean measure_run(AimfCli *cli, const AimfEvaluateOptions *o, const AimfOutcomes *answers,
                            AimfEvaluation *run, GError **error)
{
    run->runs = 1;
    run->n_dropped = answers->n_dropped;
    run->n_skipped = answers->n_skipped;
    run->labels = g_strdupv(answers->labels);
    run->classes = g_strdupv(answers->classes);
    run->measures = aimf_outcomes_measure(answers, (guint)o->bootstrap, cli->seed, cli->monitor, error);
    return run->measures != NULL;
}

static GPtrArray *ask_runs(AimfCli *cli, AimfEvaluateOptions *o, char **paths, guint n, GPtrArray *outcomes,
                           GError **error)
{
    g_autoptr(GPtrArray) runs = ask_all(cli, o, paths, n, outcomes, error);
    for (guint i = 0; runs && i < n; i++)
        if (!measure_run(cli, o, outcomes->pdata[i], runs->pdata[i], error))
            return NULL;
    return g_steal_pointer(&runs);
}

static GPtrArray *read_runs(AimfEvaluateOptions *o, char **paths, guint n, GError **error)
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

gboolean aimf_evaluate_average(AimfCli *cli, AimfEvaluateOptions *o, char **paths, guint n, AimfEvaluation *evaluation,
                               GError **error)
{
    gboolean answers = aimf_averages_answers(o, (int)n, paths);
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
    if (!take_average(cli, mean, o, paths, n, evaluation, error))
        return FALSE;
    if (answers)
        take_conditions(((const AimfEvaluation *)g_ptr_array_index(runs, 0))->evidence, cli, o, evaluation->evidence);
    return TRUE;
}

/* --- Pairs --- */

/* What aimf_comparison_check finds, with the pair's names before it. */
static void check_pair(const AimfComparison *pair, const char *before, const char *after, AimfFindings *findings)
{
    g_autoptr(AimfFindings) found = aimf_findings_new();
    aimf_comparison_check(pair, found);
    for (guint i = 0; i < aimf_findings_count(found); i++) {
        const AimfFinding *finding = aimf_findings_at(found, i);
        aimf_findings_add(findings, finding->name, finding->certain, "'%s' and '%s': %s", before, after, finding->text);
    }
}

gboolean aimf_evaluate_pairs(AimfCli *cli, AimfEvaluateOptions *o, char **paths, guint n, GError **error)
{
    g_autoptr(GPtrArray) answers = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_outcomes_free);
    g_autoptr(GPtrArray) pairs = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_comparison_free);
    g_autoptr(GPtrArray) sides = ask_all(cli, o, paths, 2 * n, answers, error);
    if (!sides || !aimf_allow_report(cli, &o->allow, error))
        return FALSE;
    const AimfOutcomes *const *before = (const AimfOutcomes *const *)answers->pdata, *const *after = before + n;
    for (guint i = 0; i < n; i++) {
        AimfComparison *pair =
            aimf_compare_outcomes(before[i], after[i], (guint)o->bootstrap, cli->seed, cli->monitor, error);
        if (!pair) {
            g_prefix_error(error, "'%s' and '%s': ", paths[i], paths[n + i]);
            return FALSE;
        }
        g_ptr_array_add(pairs, pair);
        check_pair(pair, paths[i], paths[n + i], o->allow.findings);
    }
    const AimfComparison *const *compared = (const AimfComparison *const *)pairs->pdata;
    g_autoptr(AimfSeeds) seeds = aimf_seeds_of_comparisons(compared, n, error);
    if (!seeds || !aimf_seeds_resample(seeds, after, before, (guint)o->bootstrap, cli->seed, cli->monitor, error) ||
        !aimf_allow_report(cli, &o->allow, error))
        return FALSE;
    const SeedPairs all = {
        n, paths, paths + n, o->data, (const AimfEvaluation *const *)sides->pdata, compared, seeds
    };
    if (cli->json)
        json_pairs(cli, &all, o->allow.findings);
    else
        print_pairs(cli, &all);
    return TRUE;
}
