/*
 * What a configuration asks for against what the data and the model have: said before the first stage, as the stage
 * that meets it may come hours later.
 */
#include "model/model.h"
#include "run/job.h"

#include <aimfair/error.h>
#include <aimfair/names.h>
#include <aimfair/sets.h>

/* A name that is misspelt would allow nothing, and the finding that it was meant for comes late. */
static gboolean check_allowed(const AimfConfig *config, GError **error)
{
    const char *const *known = aimf_allowable_findings();
    for (char *const *name = aimf_config_list(config, AIMF_KEY_DATA_ALLOW); *name; name++) {
        if (g_strv_contains(known, *name))
            continue;
        g_autofree char *list = g_strjoinv(", ", (char **)(gsize)known), *hint = aimf_name_hint(*name, known);
        aimf_config_error(config, AIMF_KEY_DATA_ALLOW, error, "takes %s, not '%s'%s", list, *name, hint);
        return FALSE;
    }
    return TRUE;
}

static gboolean check_crop(const AimfConfig *config, AimfConfigKey key, GError **error)
{
    guint n = aimf_config_length(config, key);
    if (n == 0 || (n == 2 && aimf_config_number_at(config, key, 0) <= aimf_config_number_at(config, key, 1)))
        return TRUE;
    aimf_config_error(config, key, error, "takes two shares, the smallest and the largest, as 0.08, 1");
    return FALSE;
}

/* The values alone. */
static gboolean check_values(const AimfConfig *config, GError **error)
{
    int width, height;
    return check_allowed(config, error) && check_crop(config, AIMF_KEY_TRAIN_CROP_SCALE, error) &&
           check_crop(config, AIMF_KEY_FINETUNE_CROP_SCALE, error) &&
           aimf_run_image_size(config, &width, &height, error);
}

/* What the models of the run will predict: @classes: (owned, nullable) names. */
typedef struct {
    int n;
    char **classes;
} Predicted;

static void predicted_clear(Predicted *predicted)
{
    g_strfreev(predicted->classes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Predicted, predicted_clear)

static gboolean find_predicted(const AimfRunJob *job, Predicted *predicted, GError **error)
{
    const AimfConfig *config = job->config;
    const AimfManifest *train = job->data[AIMF_PART_TRAIN];
    g_autofree char *own = aimf_config_path(config, AIMF_KEY_TRAIN_MODEL);
    if (own) {
        g_autoptr(AimfModel) model = aimf_model_open(own, error);
        if (!model)
            return FALSE;
        predicted->n = aimf_model_n_classes(model);
        predicted->classes = g_strdupv(model->classes);
        return TRUE;
    }
    guint n = aimf_config_length(config, AIMF_KEY_DATA_CLASSES);
    predicted->n = train ? MAX(aimf_manifest_classes(train), 2) : 2; /* of portraits */
    predicted->classes = n       ? g_strdupv((char **)(gsize)aimf_config_list(config, AIMF_KEY_DATA_CLASSES))
                         : train ? aimf_manifest_class_names(train)
                                 : NULL;
    if (!n || n == (guint)predicted->n)
        return TRUE;
    aimf_config_error(config, AIMF_KEY_DATA_CLASSES, error, "has %u name%s; there are %d classes", n, AIMF_PLURAL(n),
                      predicted->n);
    return FALSE;
}

/* Names of no class, and a threshold where the largest of several counts. */
static gboolean check_predicted(const AimfRunJob *job, GError **error)
{
    g_auto(Predicted) predicted = { 0 };
    if (!find_predicted(job, &predicted, error))
        return FALSE;
    AimfOutcomes outcomes = { .n_targets = predicted.n, .classes = predicted.classes, .positive = -1 };
    gboolean known = predicted.classes || job->data[AIMF_PART_TRAIN]; /* portraits that are drawn bring their names */
    if (known && !aimf_run_set_positive(job->config, &outcomes, error))
        return FALSE;
    if (predicted.n <= 2 || !aimf_config_given(job->config, AIMF_KEY_EVALUATE_THRESHOLD))
        return TRUE;
    aimf_config_error(job->config, AIMF_KEY_EVALUATE_THRESHOLD, error,
                      "needs two classes; there are %d, and the largest of several is chosen", predicted.n);
    return FALSE;
}

/* Columns of the test set that nobody has. */
static gboolean check_impact(const AimfRunJob *job, GError **error)
{
    const AimfManifest *test = job->data[AIMF_PART_TEST];
    const char *const *columns = (const char *const *)aimf_config_list(job->config, AIMF_KEY_EVALUATE_IMPACT);
    g_autoptr(GError) failure = NULL;
    if (!test || !*columns)
        return TRUE;
    g_autoptr(AimfFindings) unsaid = aimf_findings_new(); /* the report has them */
    const AimfLabelRules rules = { .missing = AIMF_MISSING_KEEP, .findings = unsaid };
    g_autoptr(AimfImpactRows) rows = aimf_impact_rows_new(test, columns, &rules, NULL, &failure);
    if (!rows)
        aimf_config_error(job->config, AIMF_KEY_EVALUATE_IMPACT, error, "%s", failure->message);
    return rows != NULL;
}

/* Sets are drawn after pictures were generated. */
static gboolean check_bias(const AimfRunJob *job, GError **error)
{
    const AimfManifest *train = job->data[AIMF_PART_TRAIN];
    if (!train || aimf_manifest_has_labels(train) || aimf_config_given(job->config, AIMF_KEY_GENERATE_BIAS))
        return TRUE;
    aimf_config_error(job->config, AIMF_KEY_GENERATE_BIAS, error,
                      "the training set has no protected labels, so that this must say how biased it is, as 1/9");
    return FALSE;
}

/* Of @n pictures at the most, in the set called @name, which @keys say. */
static gboolean check_batch(const AimfRunJob *job, AimfConfigKey key, guint n, const char *name, const char *keys,
                            GError **error)
{
    gint64 batch = aimf_config_integer(job->config, key);
    if (batch <= (gint64)n)
        return TRUE;
    aimf_config_error(job->config, key, error, "is %" G_GINT64_FORMAT ", and the %s has at most %u picture%s (%s)",
                      batch, name, n, AIMF_PLURAL(n), keys);
    return FALSE;
}

/* Synthetic sets are first met after the biased model was trained. Shares of groups are rounded. */
static gboolean check_batches(const AimfRunJob *job, GError **error)
{
    static const char of_balanced[] = "generate.balanced_per_group and generate.balanced",
                      of_biased[] = "generate.biased_count and generate.balanced", of_train[] = "data";
    guint n_train = job->data[AIMF_PART_TRAIN] ? aimf_manifest_count(job->data[AIMF_PART_TRAIN]) : G_MAXUINT;
    guint n_biased = job->n_biased + job->n_groups;
    gboolean selects = FALSE;
    for (guint i = 0; i < job->n_methods; i++)
        selects = selects || job->methods[i].k;
    return (aimf_config_given(job->config, AIMF_KEY_TRAIN_MODEL) ||
            check_batch(job, AIMF_KEY_TRAIN_BATCH, n_train, "training set", of_train, error)) &&
           (!selects ||
            (check_batch(job, AIMF_KEY_SENSITIVITY_BATCH, n_train, "training set", of_train, error) &&
             check_batch(job, AIMF_KEY_SENSITIVITY_BATCH, job->n_balanced, "balanced set", of_balanced, error) &&
             check_batch(job, AIMF_KEY_SENSITIVITY_BATCH, n_biased, "biased synthetic set", of_biased, error))) &&
           check_batch(job, AIMF_KEY_FINETUNE_BATCH, job->n_balanced, "balanced set", of_balanced, error);
}

gboolean aimf_run_check_job(AimfRunJob *job, GError **error)
{
    return check_bias(job, error) && check_values(job->config, error) && aimf_run_check_recipes(job, error) &&
           check_predicted(job, error) && check_impact(job, error) && check_batches(job, error);
}
