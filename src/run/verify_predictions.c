/*
 * Predictions of each test: that they are of the test set's rows, and of a random sample of them that model and
 * pictures give them. Where engine, instruction set and threads are those of the test, they must be the same to the
 * bit; elsewhere rounding differs, and a bound holds.
 */
#include "run/verifier.h"

#include "base/format.h"
#include "base/instruction_set.h"
#include "base/random.h"
#include "model/model.h"
#include "run/config_values.h"
#include "run/joined_rows.h"

#include <aimfair/fair.h>
#include <math.h>
#include <string.h>

enum { MAX_THREADS = 1024 };

/*
 * One test. @what: its predictions.csv, from the run's folder; @model, @manifest: likewise, of its inputs
 * @outcomes: what it says; @test: its set; @rows: (outcomes->n) of the set
 */
typedef struct {
    const AimfProvenance *stage;
    guint number;
    char *what;
    const char *model;
    const char *manifest;
    AimfOutcomes *outcomes;
    AimfManifest *test;
    guint32 *rows;
} Test;

static void test_clear(Test *test)
{
    g_free(test->what);
    aimf_outcomes_free(test->outcomes);
    aimf_manifest_free(test->test);
    g_free(test->rows);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Test, test_clear)

/* --- The rows --- */

static gboolean find_rows(AimfVerifier *verifier, Test *test)
{
    guint failed;
    test->rows = aimf_run_join_rows(test->outcomes, test->test, &failed);
    if (!test->rows)
        aimf_verifier_add(verifier, AIMF_REFUTED, test->what,
                          "its row %u is of no picture of '%s' behind those before it, with this target and label",
                          failed + 1, test->manifest);
    return test->rows != NULL;
}

/* FALSE where the test cannot be looked at, which has a line, or with @error. */
static gboolean open_test(AimfVerifier *verifier, Test *test, GError **error)
{
    GError *failure = NULL;
    g_autofree char *predictions = aimf_verifier_file(verifier, test->what, &failure);
    g_autofree char *manifest = NULL;
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    const AimfLabelRules rules = { .missing = AIMF_MISSING_KEEP, .findings = findings };
    const AimfManifestOptions options = { .labels = rules };
    if (!test->manifest) {
        g_clear_error(&failure);
        aimf_verifier_add(verifier, AIMF_UNCHECKED, test->what, "its stage does not say of which pictures it is");
        return FALSE;
    }
    if (!predictions || !(test->outcomes = aimf_outcomes_open(predictions, -1, &rules, NULL, &failure))) {
        aimf_verifier_add_error(verifier, AIMF_REFUTED, test->what, failure, error);
        return FALSE;
    }
    if (!(manifest = aimf_verifier_file(verifier, test->manifest, &failure)) ||
        !(test->test = aimf_manifest_open_with(manifest, &options, NULL, &failure))) {
        aimf_verifier_add_error(verifier, AIMF_REFUTED, test->manifest, failure, error);
        return FALSE;
    }
    return find_rows(verifier, test);
}

/* --- The sample --- */

static gint compare_numbers(gconstpointer a, gconstpointer b)
{
    guint32 x = *(const guint32 *)a, y = *(const guint32 *)b;
    return x < y ? -1 : x > y;
}

/* (owned, n) indices below @total, sorted, drawn without replacement. */
static guint32 *draw(const AimfVerifier *verifier, const Test *test, guint total, guint n)
{
    AimfRandom random = aimf_random_at(verifier->options->seed, AIMF_STREAM_VERIFY, test->number);
    guint32 *all = g_new(guint32, total);
    for (guint i = 0; i < total; i++)
        all[i] = i;
    aimf_random_shuffle(&random, all, total);
    qsort(all, n, sizeof *all, compare_numbers);
    return all;
}

/* How sampled predictions were compared, and what came of it. */
typedef struct {
    gboolean exact;
    double bound; /* of a logit's size, or of 1 where that is more */
    double largest;
    guint wrong;
    guint first; /* of those that are wrong: a row of the file, from 0 */
} Comparison;

/* Of values that @size is the size of; a NaN is never near. */
static gboolean near(Comparison *comparison, double expected, double found, double size)
{
    double difference = fabs(expected - found);
    comparison->largest = MAX(comparison->largest, difference);
    return comparison->exact ? expected == found : difference <= comparison->bound * MAX(1, size);
}

/* Whether a logit that is another by the bound may fall on the other side of the threshold. */
static gboolean is_close(const Comparison *comparison, double logit, double threshold)
{
    double reach = comparison->bound * MAX(1, fabs(logit));
    gboolean below = aimf_model_sigmoid((float)(logit - reach)) >= (float)threshold;
    gboolean above = aimf_model_sigmoid((float)(logit + reach)) >= (float)threshold;
    return !comparison->exact && below != above;
}

/* Two classes: a decision next to the threshold may fall on either side. */
static gboolean same_of_two(Comparison *comparison, const AimfOutcomes *made, guint k, const AimfOutcomes *said,
                            guint i, double threshold)
{
    if (!said->logit || !said->probability)
        return FALSE;
    double size = fabs(made->logit[k]);
    gboolean close = is_close(comparison, made->logit[k], threshold);
    gboolean same = near(comparison, made->logit[k], said->logit[i], size);
    gboolean probability = comparison->exact
                               ? made->probability[k] == said->probability[i]
                               : fabs(made->probability[k] - said->probability[i]) <= comparison->bound * MAX(1, size);
    return same && probability && (close || made->prediction[k] == said->prediction[i]);
}

/* More classes: their shares are what is written. */
static gboolean same_of_many(Comparison *comparison, const AimfOutcomes *made, guint k, const AimfOutcomes *said,
                             guint i)
{
    gsize n = (gsize)made->n_targets;
    if (!said->class_probability || said->n_targets != made->n_targets)
        return FALSE;
    const double *x = made->class_probability + k * n, *y = said->class_probability + i * n;
    gboolean same = TRUE;
    for (gsize c = 0; c < n; c++)
        same = near(comparison, x[c], y[c], 1) && same;
    int class = said->prediction[i], best = made->prediction[k];
    gboolean close = !comparison->exact && class >= 0 && (gsize) class < n && x[best] - x[class] <= comparison->bound;
    return same && (close || class == best);
}

static void compare(Comparison *comparison, const AimfOutcomes *made, const Test *test, const guint32 *sample, guint n,
                    double threshold)
{
    for (guint k = 0; k < n; k++) {
        guint i = sample[k];
        gboolean same = made->n_targets == 2 ? same_of_two(comparison, made, k, test->outcomes, i, threshold)
                                             : same_of_many(comparison, made, k, test->outcomes, i);
        if (same)
            continue;
        if (comparison->wrong++ == 0)
            comparison->first = i;
    }
}

/* --- Computing again --- */

/* (owned) rule and figures as a text for the line. */
static char *rule_text(const Comparison *comparison, const Test *test, const char *engine, int threads)
{
    const AimfProvenance *stage = test->stage;
    if (comparison->exact)
        return g_strdup_printf("to the bit, by %s, %s, %d thread%s as then", engine, stage->instruction_set, threads,
                               AIMF_PLURAL(threads));
    return aimf_format("within %g of their size or of 1, by %s, %s, %d thread%s (then %s, %s, %d); the largest "
                       "difference is %.3g",
                       comparison->bound, engine, aimf_instruction_set_name(aimf_instruction_set()), threads,
                       AIMF_PLURAL(threads), stage->engine ? stage->engine : "unknown",
                       stage->instruction_set ? stage->instruction_set : "unknown", stage->threads,
                       comparison->largest);
}

static gboolean report(AimfVerifier *verifier, const Test *test, const Comparison *comparison, guint n,
                       const char *rule)
{
    if (comparison->wrong == 0)
        aimf_verifier_add(verifier, AIMF_VERIFIED, test->what, "%u of its %u prediction%s computed again: the same %s",
                          n, test->outcomes->n, AIMF_PLURAL(test->outcomes->n), rule);
    else
        aimf_verifier_add(verifier, AIMF_REFUTED, test->what,
                          "%u of %u predictions computed again are others; the first is row %u. They should be the "
                          "same %s",
                          comparison->wrong, n, comparison->first + 1, rule);
    return TRUE;
}

/* What can fail for want of something here is no fault of the run. */
static AimfVerifyKind kind_of(const GError *failure)
{
    return g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED) ? AIMF_UNCHECKED : AIMF_REFUTED;
}

static gboolean compute(AimfVerifier *verifier, const Test *test, const AimfModel *model, const AimfManifest *pictures,
                        const guint32 *sample, guint n, GError **error)
{
    const AimfProvenance *stage = test->stage;
    GError *failure = NULL;
    g_autofree char *engine = aimf_device_engine(verifier->options->device);
    const char *level = aimf_instruction_set_name(aimf_instruction_set());
    gboolean bf16 = strcmp(stage->precision, "bf16") == 0;
    int threads = verifier->options->threads ? verifier->options->threads : MIN(stage->threads, MAX_THREADS);
    const AimfPredictOptions options = {
        .device = verifier->options->device,
        .precision = bf16 ? AIMF_PRECISION_BF16 : AIMF_PRECISION_F32,
        .threads = threads,
    };
    g_autoptr(AimfPredictions) predictions = aimf_model_predict(model, pictures, &options, verifier->monitor, &failure);
    g_autoptr(AimfOutcomes) made = predictions ? aimf_outcomes_from_predictions(pictures, predictions, &failure) : NULL;
    if (!made)
        return aimf_verifier_add_error(verifier, kind_of(failure), test->what, failure, error);
    Comparison comparison = { .bound = bf16 ? 5e-2 : 1e-3 };
    comparison.exact = threads && threads == stage->threads && g_strcmp0(engine, stage->engine) == 0 &&
                       g_strcmp0(level, stage->instruction_set) == 0;
    compare(&comparison, made, test, sample, n, model->threshold);
    g_autofree char *rule = rule_text(&comparison, test, engine, threads);
    return report(verifier, test, &comparison, n, rule);
}

/* The test may have another threshold than its model: what the configuration may say, 1/3 as well. */
static double threshold_of(const AimfProvenance *stage, double own)
{
    JsonNode *node = json_object_get_member(stage->settings, aimf_config_name(AIMF_KEY_EVALUATE_THRESHOLD));
    const char *text = node ? json_node_get_string(node) : NULL;
    const char *const items[] = { text, NULL };
    g_autoptr(AimfConfig) config = aimf_config_new();
    gboolean taken = text && *text && aimf_config_take(config, AIMF_KEY_EVALUATE_THRESHOLD, items, NULL, ".", NULL);
    return taken ? aimf_config_real(config, AIMF_KEY_EVALUATE_THRESHOLD) : own;
}

static gboolean check_sample(AimfVerifier *verifier, const Test *test, GError **error)
{
    guint n = MIN(verifier->options->sample, test->outcomes->n), missing;
    if (!n)
        return TRUE;
    if (!test->model) {
        aimf_verifier_add(verifier, AIMF_UNCHECKED, test->what, "its stage does not say which model it is of");
        return TRUE;
    }
    g_autofree guint32 *sample = draw(verifier, test, test->outcomes->n, n);
    g_autofree guint32 *rows = g_new(guint32, n);
    for (guint k = 0; k < n; k++)
        rows[k] = test->rows[sample[k]];
    g_autoptr(AimfManifest) pictures = aimf_verifier_pictures(verifier, test->test, rows, n, &missing);
    if (missing) {
        aimf_verifier_add(verifier, AIMF_UNCHECKED, test->what,
                          "of %u predictions to be computed again, %u lack%s their picture", n, missing,
                          missing == 1 ? "s" : "");
        return TRUE;
    }
    GError *failure = NULL;
    g_autofree char *path = aimf_verifier_file(verifier, test->model, &failure);
    g_autoptr(AimfModel) model = path ? aimf_model_open(path, &failure) : NULL;
    if (!model)
        return aimf_verifier_add_error(verifier, kind_of(failure), test->model, failure, error);
    model->threshold = threshold_of(test->stage, model->threshold);
    return compute(verifier, test, model, pictures, sample, n, error);
}

/* --- All tests --- */

/* The model is the one input of that kind, the test set the one whose pictures are an input, too. */
static void find_inputs(Test *test)
{
    g_autoptr(GList) names = json_object_get_members(test->stage->inputs);
    for (const GList *name = names; name; name = name->next) {
        g_autofree char *pictures = g_strconcat(AIMF_PICTURES_OF, name->data, NULL);
        if (g_str_has_suffix(name->data, ".safetensors"))
            test->model = name->data;
        else if (json_object_has_member(test->stage->inputs, pictures))
            test->manifest = name->data;
    }
}

gboolean aimf_verify_predictions(AimfVerifier *verifier, GError **error)
{
    guint tests = 0, refuted = verifier->refuted;
    for (guint i = 0; i < verifier->stages->len; i++) {
        g_auto(Test) test = { .stage = g_ptr_array_index(verifier->stages, i), .number = i };
        GError *failure = NULL;
        if (!json_object_has_member(test.stage->outputs, "predictions.csv"))
            continue;
        test.what = g_strdup_printf("%s/predictions.csv", (const char *)g_ptr_array_index(verifier->places, i));
        find_inputs(&test);
        tests++;
        gboolean open = open_test(verifier, &test, &failure);
        if ((open && !check_sample(verifier, &test, &failure)) || failure) {
            g_propagate_error(error, failure);
            return FALSE;
        }
    }
    if (tests && verifier->refuted == refuted)
        aimf_verifier_add(verifier, AIMF_VERIFIED, "predictions", "those of %u test%s are of the rows of their set",
                          tests, AIMF_PLURAL(tests));
    if (tests && !verifier->options->sample)
        aimf_verifier_add(verifier, AIMF_UNCHECKED, "predictions", "none was to be computed again");
    return TRUE;
}
