#include "run/support_results.h"

#include "base/number.h"
#include "base/random.h"
#include "fair/sensitivity.h"

#include <aimfair/seeds.h>
#include <math.h>
#include <string.h>

enum { N_SAMPLES = 400, N_EPOCHS = 6, N_LABELS = 2, N_TENSORS = 62, RESAMPLES = 100, BOOTSTRAP_SEED = 1 };

/* What ends lines, fields, texts, cells and documents, and is text here. */
#define HOSTILE "a \"q\" 'x': --- #\n---\n<b>&amp; | `c` [l](http://example.org), {{ \\ !!y \xe2\x80\xa8 \x1b[31m"

const SupportResultsOptions support_results_cases[SUPPORT_N_RESULTS] = {
    { 0 },
    { .n_seeds = 5, .n_k = 3, .failed_cell = TRUE, .mixed_engines = TRUE },
    { .n_targets = 3, .no_sensitivities = TRUE, .no_gates = TRUE },
    { .n_seeds = 1 },
    { .n_seeds = 1, .failed_cell = TRUE },
    { .n_seeds = 2, .failed_cell = TRUE, .hostile = HOSTILE },
};

/* How sure a method is: of what was common in the training set, and of what was rare. */
typedef struct {
    double common, rare;
} Skill;

static Skill skill_of(const AimfRunResults *results, guint method)
{
    static const Skill biased = { 1.9, 0.1 }, selective = { 1.7, 1.1 }, full = { 1.3, 1.0 };
    if (method == 0)
        return biased;
    return method + 1 < results->n_methods ? selective : full;
}

/* (owned) @text, with what is hostile in it. */
static char *named(const SupportResultsOptions *options, const char *text)
{
    return options->hostile ? g_strconcat(text, " ", options->hostile, NULL) : g_strdup(text);
}

static char *hash_of(const char *what, const char *of)
{
    g_autofree char *text = g_strconcat(what, " of ", of, NULL);
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

/* --- Pictures --- */

static int target_of(const AimfRunResults *results, guint sample)
{
    return (int)(sample % g_strv_length(results->classes));
}

/* Not all groups are of one size. */
static int group_of(guint64 set, guint sample)
{
    AimfRandom random = aimf_random_at(set, AIMF_STREAM_TEST, sample);
    return aimf_random_uniform(&random) < 0.45;
}

static void make_set(AimfRunResults *results, guint index)
{
    static const char *const names[] = { "training", "validation", "test", "synthetic, balanced", "synthetic, biased" };
    static const char *const files[] = { "data/train.csv", "data/val.csv", "data/test.csv", "synthetic/balanced.csv",
                                         "synthetic/biased.csv" };
    AimfRunSet *set = &results->sets[index];
    set->name = names[index];
    set->path = g_strdup(files[index]);
    set->manifest = aimf_manifest_new();
    for (guint i = 0; i < N_SAMPLES; i++) {
        g_autofree char *path = g_strdup_printf("pictures/%u/%04u.png", index, i);
        aimf_manifest_add(set->manifest, path, target_of(results, i), results->labels[group_of(index, i)]);
    }
    set->sha256 = hash_of("file", set->path);
    set->pictures_sha256 = hash_of("pictures", set->path);
}

/* --- Answers --- */

static void make_answer(const AimfRunResults *results, AimfOutcomes *o, guint method, guint seed, guint i)
{
    int n = o->n_targets;
    AimfRandom picture = aimf_random_at(1000, AIMF_STREAM_TEST, i);
    AimfRandom own = aimf_random_at(2000 + (guint64)method * 100 + seed, AIMF_STREAM_TEST, i);
    Skill skill = skill_of(results, method);
    gboolean common = (o->target[i] == 1) == (o->group[i] == 0);
    double margin = (common ? skill.common : skill.rare) + 0.8 * aimf_random_normal(&picture);
    if (n == 2) {
        double logit = margin + 0.6 * aimf_random_normal(&own);
        o->logit[i] = aimf_number_of_single((float)(o->target[i] ? logit : -logit));
        o->probability[i] = aimf_number_of_single((float)(1 / (1 + exp(-o->logit[i]))));
        o->prediction[i] = o->probability[i] >= 0.5;
        return;
    }
    double *shares = o->class_probability + i * (guint)n, sum = 0;
    for (int k = 0; k < n; k++)
        sum += shares[k] = exp(0.6 * aimf_random_normal(&own) + (k == o->target[i] ? margin : 0));
    for (int k = 0; k < n; k++) {
        shares[k] = aimf_number_of_single((float)(shares[k] / sum));
        if (shares[k] > shares[o->prediction[i]])
            o->prediction[i] = k;
    }
}

static AimfOutcomes *outcomes_new(const AimfRunResults *results, guint method, guint seed)
{
    AimfOutcomes *o = g_new0(AimfOutcomes, 1);
    o->n = N_SAMPLES;
    o->n_targets = (int)g_strv_length(results->classes);
    o->n_protected = N_LABELS;
    o->labels = g_strdupv(results->labels);
    o->classes = g_strdupv(results->classes);
    o->positive = o->n_targets == 2 ? 1 : -1;
    o->threshold = o->n_targets == 2 ? 0.5 : NAN;
    o->paths = g_new0(char *, N_SAMPLES + 1);
    o->target = g_new(int, N_SAMPLES);
    o->group = g_new(int, N_SAMPLES);
    o->prediction = g_new0(int, N_SAMPLES);
    o->logit = o->n_targets == 2 ? g_new(double, N_SAMPLES) : NULL;
    o->probability = o->n_targets == 2 ? g_new(double, N_SAMPLES) : NULL;
    o->class_probability = o->n_targets == 2 ? NULL : g_new(double, N_SAMPLES *(gsize)o->n_targets);
    for (guint i = 0; i < N_SAMPLES; i++) {
        AimfSample sample = aimf_manifest_at(results->sets[AIMF_SET_TEST].manifest, i);
        o->paths[i] = g_strdup(sample.path);
        o->target[i] = sample.target;
        o->group[i] = sample.group;
        make_answer(results, o, method, seed, i);
    }
    return o;
}

/* --- Tensors --- */

/* (owned) those of ResNet-18. */
static char **tensor_names(void)
{
    static const char *const parts[] = { "conv1.weight",        "bn1.weight",          "bn1.bias",
                                         "conv2.weight",        "bn2.weight",          "bn2.bias",
                                         "downsample.0.weight", "downsample.1.weight", "downsample.1.bias" };
    char **names = g_new0(char *, N_TENSORS + 1);
    guint n = 0;
    for (guint p = 0; p < 3; p++)
        names[n++] = g_strdup(parts[p]);
    for (guint block = 0; block < 8; block++)
        for (guint p = 0; p < (block >= 2 && block % 2 == 0 ? 9U : 6U); p++)
            names[n++] = g_strdup_printf("layer%u.%u.%s", block / 2 + 1, block % 2, parts[p]);
    names[n++] = g_strdup("fc.weight");
    names[n++] = g_strdup("fc.bias");
    g_assert_cmpuint(n, ==, N_TENSORS);
    return names;
}

static AimfSensitivities *sensitivities_new(guint seed)
{
    g_auto(GStrv) names = tensor_names();
    AimfSensitivities *s = g_new0(AimfSensitivities, 1);
    g_autofree char *of = g_strdup_printf("biased-%u", seed);
    s->model_hash = hash_of("weights", of);
    s->n = N_TENSORS;
    s->tensors = g_new0(AimfSensitivity, N_TENSORS);
    for (guint i = 0; i < N_TENSORS; i++) {
        AimfRandom random = aimf_random_at(3000 + seed, AIMF_STREAM_TEST, i);
        gint64 channels = 64 << MIN(i / 15, 3U);
        AimfSensitivity *t = &s->tensors[i];
        t->name = g_strdup(names[i]);
        t->size = strstr(names[i], "conv") ? 9 * channels * channels : channels;
        t->domain = 2e-3 * exp(aimf_random_normal(&random) - 0.03 * i);
        t->bias = 1e-3 * exp(0.8 * aimf_random_normal(&random) + 0.02 * i);
    }
    aimf_sensitivities_rank(s);
    return s;
}

/* --- Cells --- */

static char **group_names(const AimfRunResults *results)
{
    guint n_targets = g_strv_length(results->classes);
    char **names = g_new0(char *, n_targets *N_LABELS + 1);
    for (guint i = 0; i < n_targets * N_LABELS; i++)
        names[i] = g_strdup_printf("%u %s", i / N_LABELS, results->labels[i % N_LABELS]);
    return names;
}

static AimfEpoch epoch_new(guint e, double noise)
{
    double left = exp(-0.5 * e);
    return (AimfEpoch){
        .epoch = e,
        .learning_rate = e < 4 ? 0.01 : 0.001,
        .loss = 0.2 + 0.5 * left + noise,
        .train_accuracy = 0.95 - 0.3 * left,
        .val_loss = 0.3 + 0.4 * left + noise,
        .val_accuracy = 0.9 - 0.25 * left - noise,
        .val_worst_group_accuracy = 0.7 - 0.3 * left - noise,
        .val_equalized_odds = 0.1 + 0.2 * left + noise,
        .images_per_second = 40,
        .seconds = 100 + e,
        .best = e + 1 < N_EPOCHS,
    };
}

static void make_history(const AimfRunResults *results, AimfRunCell *cell, guint method, guint seed)
{
    AimfRandom random = aimf_random_at(4000 + seed, AIMF_STREAM_TEST, method);
    cell->history = g_array_new(FALSE, FALSE, sizeof(AimfEpoch));
    cell->group_accuracy = g_array_new(FALSE, FALSE, sizeof(double));
    cell->group_names = group_names(results);
    for (guint e = 0; e < N_EPOCHS; e++) {
        AimfEpoch epoch = epoch_new(e, 0.02 * aimf_random_uniform(&random));
        g_array_append_val(cell->history, epoch);
        for (guint g = 0; cell->group_names[g]; g++) {
            double accuracy = epoch.val_accuracy - 0.05 * (double)(g % 3);
            g_array_append_val(cell->group_accuracy, accuracy);
        }
    }
    if (method == 0)
        return;
    cell->start = g_new0(AimfEpoch, 1);
    *cell->start = (AimfEpoch){ .learning_rate = NAN, .loss = NAN, .train_accuracy = NAN, .val_loss = 0.61 };
    cell->start->val_accuracy = 0.77;
    cell->start->val_worst_group_accuracy = 0.51;
    cell->start->val_equalized_odds = 0.33;
    cell->start->images_per_second = NAN;
}

static char **trained_of(const AimfRunResults *results, guint method, guint seed)
{
    const AimfSensitivities *sensitivities = results->sensitivities[seed];
    if (!results->methods[method].k || !sensitivities)
        return tensor_names();
    g_autoptr(GError) error = NULL;
    char **names = aimf_select_top_k(sensitivities, results->methods[method].k, &error);
    g_assert_no_error(error);
    return names;
}

static void make_cell(AimfRunResults *results, const SupportResultsOptions *options, guint method, guint seed)
{
    g_autoptr(GError) error = NULL;
    AimfRunCell *cell = &results->cells[method * results->n_seeds + seed];
    const AimfRunCell *biased = aimf_run_cell(results, 0, seed);
    gboolean other = options->mixed_engines && seed + 1 == results->n_seeds;
    cell->folder = g_strdup_printf("cells/%s-%" G_GUINT64_FORMAT, results->methods[method].name, results->seeds[seed]);
    if (options->failed_cell && method == 1 && seed + 1 == results->n_seeds) {
        cell->failure = named(options, "the loss of epoch 3, batch 17 is not finite");
        return;
    }
    cell->outcomes = outcomes_new(results, method, seed);
    cell->measures = aimf_outcomes_measure(cell->outcomes, RESAMPLES, BOOTSTRAP_SEED, NULL, &error);
    g_assert_no_error(error);
    if (method) {
        cell->comparison =
            aimf_compare_outcomes(biased->outcomes, cell->outcomes, RESAMPLES, BOOTSTRAP_SEED, NULL, &error);
        g_assert_no_error(error);
    }
    make_history(results, cell, method, seed);
    cell->trained = trained_of(results, method, seed);
    cell->n_tensors = N_TENSORS;
    cell->model_sha256 = hash_of("model", cell->folder);
    cell->weights_sha256 = hash_of("weights", cell->folder);
    cell->engine = g_strdup(other ? "oneDNN 2.6.3, AVX-512" : "oneDNN 2.6.3, AVX2");
    cell->instruction_set = g_strdup(other ? "AVX-512" : "AVX2");
    cell->test_engine = g_strdup("oneDNN 2.6.3, AVX2");
    cell->test_instruction_set = g_strdup("AVX2");
}

/* --- Methods --- */

static void make_methods(AimfRunResults *results, guint n_k)
{
    results->n_methods = n_k + 2;
    results->methods = g_new0(AimfRunMethod, results->n_methods);
    results->methods[0] = (AimfRunMethod){ g_strdup("biased"), g_strdup("Biased classifier"), 0 };
    for (guint i = 0; i < n_k; i++) {
        guint k = 55 - 5 * i;
        results->methods[i + 1] =
            n_k == 1 ? (AimfRunMethod){ g_strdup("aim-fair"), g_strdup("AIM-Fair"), k }
                     : (AimfRunMethod){ g_strdup_printf("aim-fair-k%u", k), g_strdup_printf("AIM-Fair, k = %u", k), k };
    }
    results->methods[n_k + 1] = (AimfRunMethod){ g_strdup("full"), g_strdup("Full fine-tuning"), 0 };
}

static void make_average(AimfRunResults *results, guint method)
{
    g_autoptr(GError) error = NULL;
    AimfRunAverage *average = &results->averages[method];
    guint most = results->n_seeds;
    g_autofree const AimfMeasures **measures = g_new0(const AimfMeasures *, most);
    g_autofree const AimfComparison **comparisons = g_new0(const AimfComparison *, most);
    g_autofree const AimfOutcomes **after = g_new0(const AimfOutcomes *, most);
    g_autofree const AimfOutcomes **before = g_new0(const AimfOutcomes *, most);
    guint n = 0;
    for (guint s = 0; s < most; s++) {
        const AimfRunCell *cell = aimf_run_cell(results, method, s);
        if (cell->failure)
            continue;
        measures[n] = cell->measures;
        comparisons[n] = cell->comparison;
        after[n] = cell->outcomes;
        before[n++] = aimf_run_cell(results, 0, s)->outcomes;
    }
    if (!(average->n = n))
        return;
    average->measures = aimf_measures_average(measures, n, &error);
    g_assert_no_error(error);
    average->spread = aimf_seeds_of_measures(measures, n, &error);
    g_assert_no_error(error);
    aimf_seeds_resample(average->spread, after, NULL, RESAMPLES, BOOTSTRAP_SEED, NULL, &error);
    g_assert_no_error(error);
    if (!method)
        return;
    average->changes = aimf_seeds_of_comparisons(comparisons, n, &error);
    g_assert_no_error(error);
    aimf_seeds_resample(average->changes, after, before, RESAMPLES, BOOTSTRAP_SEED, NULL, &error);
    g_assert_no_error(error);
}

static void make_impact(AimfRunResults *results, guint method)
{
    g_autoptr(GError) error = NULL;
    static const char *const columns[] = { "protected", NULL };
    const AimfOutcomes *o = NULL;
    for (guint s = 0; !o && s < results->n_seeds; s++)
        o = aimf_run_cell(results, method, s)->outcomes;
    if (!o || o->positive < 0)
        return;
    g_autoptr(AimfImpactRows) rows =
        aimf_impact_rows_new(results->sets[AIMF_SET_TEST].manifest, columns, NULL, NULL, &error);
    g_assert_no_error(error);
    rows->prediction = g_memdup2(o->prediction, sizeof *o->prediction * o->n);
    rows->scores = g_memdup2(o->logit, sizeof *o->logit * o->n);
    rows->n_scores = 1;
    rows->score = "logit";
    results->impact[method] = aimf_impact_measure(rows, o->positive, &error);
    g_assert_no_error(error);
}

/* --- Demands --- */

static void decide(AimfRunResults *results, const AimfVerdicts *verdicts)
{
    for (guint i = 0; i < verdicts->n; i++) {
        AimfDecision decision = verdicts->verdicts[i].decision;
        if (decision == AIMF_NOT_MET || (decision != AIMF_MET && results->decision == AIMF_MET))
            results->decision = decision;
    }
}

static AimfVerdicts *judge(AimfRunResults *results, const char *const *texts, guint n, gboolean evidence,
                           const AimfMeasures *measures, const AimfRunCell *cell)
{
    g_autoptr(GError) error = NULL;
    AimfGate gates[4];
    for (guint i = 0; i < n; i++) {
        /* Groups that may not lose need no evidence, but they are of a comparison, so of a seed. */
        aimf_gate_parse(texts[i], evidence && !g_str_has_prefix(texts[i], "no_group"), &gates[i], &error);
        g_assert_no_error(error);
    }
    AimfVerdicts *verdicts =
        aimf_judge(gates, n, measures, cell ? cell->outcomes : NULL, cell ? cell->comparison : NULL, NULL, &error);
    g_assert_no_error(error);
    for (guint i = 0; i < n; i++)
        aimf_gate_clear(&gates[i]);
    decide(results, verdicts);
    return verdicts;
}

/* What was never measured meets nothing. */
static void make_verdicts(AimfRunResults *results)
{
    static const char *const plain[] = { "worst_group_accuracy>=0.7", "accuracy >= 0.999" };
    static const char *const of_seeds[] = { "worst_group_accuracy>=0.6", "no_group_worse_than<=0.2" };
    g_autofree char *require = g_strdup_printf("gates.require=%s,%s,%s", plain[0], plain[1], of_seeds[1]);
    g_autofree char *evidence = g_strdup_printf("gates.require_evidence=%s", of_seeds[0]);
    g_assert_true(aimf_config_set(results->config, require, NULL));
    g_assert_true(aimf_config_set(results->config, evidence, NULL));
    if (results->averages[1].measures)
        results->verdicts = judge(results, plain, 2, FALSE, results->averages[1].measures, NULL);
    for (guint s = 0; s < results->n_seeds; s++) {
        const AimfRunCell *cell = aimf_run_cell(results, 1, s);
        if (!cell->failure)
            results->seed_verdicts[s] = judge(results, of_seeds, 2, TRUE, cell->measures, cell);
        else if (results->decision == AIMF_MET)
            results->decision = AIMF_NOT_ENOUGH_EVIDENCE;
    }
}

/* --- All of it --- */

static void make_names(AimfRunResults *results, const SupportResultsOptions *options)
{
    results->folder = g_strdup("run");
    results->title = named(options, "Smiling and gender");
    results->architecture = g_strdup("resnet18");
    results->target = named(options, "Smiling");
    results->labels = g_new0(char *, N_LABELS + 1);
    results->labels[0] = named(options, options->utkface ? "0" : "female");
    results->labels[1] = named(options, options->utkface ? "1" : "male");
    guint n_classes = options->n_targets ? (guint)options->n_targets : 2;
    results->classes = g_new0(char *, n_classes + 1);
    for (guint i = 0; i < n_classes; i++) {
        static const char *const names[] = { "not smiling", "smiling", "laughing" };
        results->classes[i] = i < G_N_ELEMENTS(names) ? named(options, names[i]) : g_strdup_printf("class %u", i);
    }
    results->program = g_strdup("0.1.0");
    results->precision = g_strdup("f32");
    results->threads = 2;
}

AimfRunResults *support_results_new(const SupportResultsOptions *options)
{
    static const SupportResultsOptions standard = { 0 };
    options = options ? options : &standard;
    AimfRunResults *results = g_new0(AimfRunResults, 1);
    results->config = aimf_config_new();
    make_names(results, options);
    if (options->utkface) {
        g_assert_true(aimf_config_set(results->config, "data.kind=utkface", NULL));
        g_assert_true(aimf_config_set(results->config, "data.protected=White", NULL));
    }
    aimf_run_results_name_labels(results);
    make_methods(results, options->n_k ? options->n_k : 1);
    results->n_seeds = options->n_seeds ? options->n_seeds : 3;
    results->seeds = g_new(guint64, results->n_seeds);
    results->sensitivities = g_new0(AimfSensitivities *, results->n_seeds);
    results->seed_verdicts = g_new0(AimfVerdicts *, results->n_seeds);
    results->cells = g_new0(AimfRunCell, results->n_methods * results->n_seeds);
    results->averages = g_new0(AimfRunAverage, results->n_methods);
    results->impact = g_new0(AimfImpact *, results->n_methods);
    for (guint i = 0; i < AIMF_N_SETS; i++)
        make_set(results, i);
    for (guint s = 0; s < results->n_seeds; s++) {
        results->seeds[s] = s;
        results->sensitivities[s] = options->no_sensitivities ? NULL : sensitivities_new(s);
    }
    for (guint m = 0; m < results->n_methods; m++) {
        for (guint s = 0; s < results->n_seeds; s++)
            make_cell(results, options, m, s);
        make_average(results, m);
        make_impact(results, m);
    }
    results->decision = AIMF_MET;
    if (!options->no_gates)
        make_verdicts(results);
    return results;
}
