/* Measures as JSON. */
#include "fair/impact_json.h"
#include "fair/interval_json.h"
#include "fair/verdict_files.h"

#include <aimfair/json.h>
#include <aimfair/seeds.h>
#include <aimfair/version.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

void aimf_evaluation_free(AimfEvaluation *evaluation)
{
    if (!evaluation)
        return;
    g_free(evaluation->model);
    g_free(evaluation->data);
    g_free(evaluation->target);
    g_strfreev(evaluation->classes);
    g_strfreev(evaluation->labels);
    aimf_measures_free(evaluation->measures);
    aimf_verdicts_free(evaluation->verdicts);
    aimf_seeds_free(evaluation->seeds);
    aimf_findings_free(evaluation->findings);
    aimf_evidence_free(evaluation->evidence);
    aimf_impact_free(evaluation->impact);
    g_free(evaluation);
}

/* What is not finite is written as null. */
static void set_double(JsonObject *object, const char *name, double value)
{
    json_object_set_double_member(object, name, value);
}

static void set_text(JsonObject *object, const char *name, const char *value)
{
    if (value)
        json_object_set_string_member(object, name, value);
    else
        json_object_set_null_member(object, name);
}

static void set_texts(JsonObject *object, const char *name, char *const *values)
{
    JsonArray *array = json_array_new();
    for (char *const *value = values; value && *value; value++)
        json_array_add_string_element(array, *value);
    if (values)
        json_object_set_array_member(object, name, g_steal_pointer(&array));
    else
        json_object_set_null_member(object, name);
    g_clear_pointer(&array, json_array_unref);
}

static void set_class(JsonObject *object, const char *name, const AimfEvaluation *evaluation, int target)
{
    if (evaluation->classes)
        json_object_set_string_member(object, name, evaluation->classes[target]);
}

/*
 * The object in @root that the member @path, "macro.equalized_odds.mean", belongs into, made if missing; its own name
 * to @member.
 */
static JsonObject *holder_of(JsonObject *root, const char *path, const char **member)
{
    const char *dot = strchr(path, '.');
    *member = path;
    if (!dot)
        return root;
    g_autofree char *name = g_strndup(path, (gsize)(dot - path));
    if (!json_object_has_member(root, name))
        json_object_set_object_member(root, name, json_object_new());
    return holder_of(json_object_get_object_member(root, name), dot + 1, member);
}

static void set_path(JsonObject *root, const char *path, double value)
{
    const char *member;
    JsonObject *holder = holder_of(root, path, &member);
    set_double(holder, member, value);
}

/* A member per measure, and per interval; those over classes only where there are more than two. */
static void set_scalars(JsonObject *root, const AimfEvaluation *evaluation)
{
    const AimfMeasures *measures = evaluation->measures;
    JsonObject *intervals = json_object_new(), *methods = json_object_new();
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        if (aimf_scalar_of_classes(i) && measures->n_targets == 2)
            continue;
        set_path(root, aimf_scalar_name(i), aimf_scalar_at(&measures->scalars, i));
        const char *member;
        JsonObject *holder = holder_of(intervals, aimf_scalar_name(i), &member);
        aimf_json_set_interval(holder, member, measures->intervals[i]);
        holder = holder_of(methods, aimf_scalar_name(i), &member);
        set_text(holder, member, measures->methods[i]);
    }
    json_object_set_object_member(root, evaluation->runs > 1 ? "ranges" : "intervals", intervals);
    if (evaluation->runs == 1)
        json_object_set_object_member(root, "interval_methods", methods);
    else
        json_object_unref(methods);
}

static void set_groups(JsonObject *root, const AimfEvaluation *evaluation)
{
    const AimfMeasures *measures = evaluation->measures;
    JsonArray *groups = json_array_new();
    for (int i = 0; i < measures->n_targets * measures->n_protected; i++) {
        const AimfGroupMeasure *group = &measures->groups[i];
        JsonObject *object = json_object_new();
        json_object_set_int_member(object, "target", group->target);
        set_class(object, "class", evaluation, group->target);
        set_text(object, "protected", evaluation->labels[group->group]);
        json_object_set_int_member(object, "n", group->n);
        set_double(object, "accuracy", group->accuracy);
        if (evaluation->runs == 1)
            aimf_json_set_interval(object, "accuracy_interval", group->interval);
        set_double(object, "tpr", measures->protected_groups[group->group].tpr);
        set_double(object, "fpr", measures->protected_groups[group->group].fpr);
        set_double(object, "selection_rate", group->selection_rate);
        json_array_add_object_element(groups, object);
    }
    json_object_set_array_member(root, "groups", groups);
}

/* An object per protected label, with the numbers from @first on. */
static JsonArray *label_objects(const AimfEvaluation *evaluation, const AimfProtectedMeasure *labels, guint first)
{
    JsonArray *array = json_array_new();
    for (int g = 0; g < evaluation->measures->n_protected; g++) {
        JsonObject *object = json_object_new();
        set_text(object, "protected", evaluation->labels[g]);
        json_object_set_int_member(object, "n", labels[g].n);
        for (guint i = first; i < AIMF_N_GROUP_MEASURES; i++)
            set_double(object, aimf_group_measure_name(i), aimf_group_measure_at(&labels[g], i));
        json_array_add_object_element(array, object);
    }
    return array;
}

/* Classes that nobody has and nobody was said to have are left out. */
static void set_classes(JsonObject *root, const AimfEvaluation *evaluation)
{
    const AimfMeasures *measures = evaluation->measures;
    const guint first_scalar = offsetof(AimfScalars, positive) / sizeof(double);
    JsonArray *array = json_array_new();
    for (int target = 0; target < measures->n_targets; target++) {
        const AimfClassMeasure *measure = &measures->classes[target];
        if (!measure->occurs)
            continue;
        const AimfScalars own = { .positive = measure->scalars };
        JsonObject *object = json_object_new();
        json_object_set_int_member(object, "target", target);
        set_class(object, "class", evaluation, target);
        json_object_set_int_member(object, "n", measure->n);
        set_double(object, "tpr", measure->tpr);
        set_double(object, "fpr", measure->fpr);
        set_double(object, "precision", measure->precision);
        set_double(object, "selection_rate", measure->selection_rate);
        for (guint i = first_scalar; i < first_scalar + AIMF_N_CLASS_SCALARS; i++)
            set_path(object, aimf_scalar_name(i), aimf_scalar_at(&own, i));
        json_object_set_array_member(object, "by_group",
                                     label_objects(evaluation, measure->groups, aimf_group_measure_find("tpr")));
        json_array_add_object_element(array, object);
    }
    json_object_set_array_member(root, "classes", array);
}

static void set_seeds(JsonObject *root, const AimfEvaluation *evaluation)
{
    g_autofree char *text = aimf_seeds_json(evaluation->seeds, evaluation->labels);
    json_object_set_member(root, "seeds", json_from_string(text, NULL));
}

/* json-glib's whole numbers have a sign; a seed that needs all 64 bits is a text. */
static void set_bootstrap(JsonObject *object, const AimfEvidence *evidence)
{
    JsonObject *bootstrap = json_object_new();
    json_object_set_int_member(bootstrap, "resamples", evidence->resamples);
    if (evidence->seed <= G_MAXINT64) {
        json_object_set_int_member(bootstrap, "seed", (gint64)evidence->seed);
    } else {
        g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, evidence->seed);
        set_text(bootstrap, "seed", seed);
    }
    json_object_set_object_member(object, "bootstrap", bootstrap);
}

static void set_results(JsonObject *object, const AimfEvidence *evidence)
{
    JsonArray *results = json_array_new();
    for (guint i = 0; evidence->results[i]; i++) {
        JsonObject *result = json_object_new();
        set_text(result, "file", evidence->results[i]);
        set_text(result, "sha256", evidence->results_sha256[i]);
        json_array_add_object_element(results, result);
    }
    json_object_set_array_member(object, "results", results);
}

static void set_evidence(JsonObject *root, const AimfEvidence *evidence)
{
    JsonObject *object = json_object_new();
    set_text(object, "version", aimf_version());
    if (evidence->results)
        set_results(object, evidence);
    if (!evidence->results || evidence->resamples) { /* of results that were read, their own files say it */
        set_text(object, "model_sha256", evidence->model_sha256);
        set_text(object, "weights_sha256", evidence->weights_sha256);
        set_text(object, "data_sha256", evidence->data_sha256);
        set_text(object, "rows_sha256", evidence->rows_sha256);
        set_double(object, "threshold", evidence->threshold);
        json_object_set_int_member(object, "calibration_bins", AIMF_CALIBRATION_BINS);
        set_bootstrap(object, evidence);
        set_text(object, "precision", evidence->precision);
        set_text(object, "engine", evidence->engine);
        set_text(object, "instruction_set", evidence->instruction_set);
    }
    json_object_set_object_member(root, "evidence", object);
}

/* What was found about the data; that a model was measured on what it has seen is also a member of its own. */
static void set_findings(JsonObject *root, const AimfFindings *findings)
{
    static const struct {
        const char *finding, *member;
    } marks[] = { { "trained-on", "on_training_set" }, { "chosen-on", "on_validation_set" } };
    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++)
        if (aimf_findings_has(findings, marks[i].finding))
            json_object_set_boolean_member(root, marks[i].member, TRUE);
    g_autofree char *warnings = aimf_findings_json(findings);
    json_object_set_member(root, "warnings", json_from_string(warnings, NULL));
}

char *aimf_evaluation_json(const AimfEvaluation *evaluation)
{
    const AimfMeasures *measures = evaluation->measures;
    JsonObject *object = json_object_new();
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    json_node_take_object(root, object);
    set_scalars(object, evaluation);
    set_groups(object, evaluation);
    json_object_set_array_member(object, "by_group", label_objects(evaluation, measures->protected_groups, 0));
    if (measures->classes)
        set_classes(object, evaluation);
    if (measures->positive < 0)
        json_object_set_null_member(object, "positive");
    else
        json_object_set_int_member(object, "positive", measures->positive);
    set_text(object, "target", evaluation->target);
    set_texts(object, "class_names", evaluation->classes);
    set_text(object, "model", evaluation->model);
    set_text(object, "data", evaluation->data);
    json_object_set_int_member(object, "n", measures->n);
    if (evaluation->n_dropped)
        json_object_set_int_member(object, "dropped", evaluation->n_dropped);
    if (evaluation->n_skipped)
        json_object_set_int_member(object, "skipped", evaluation->n_skipped);
    if (evaluation->runs > 1)
        json_object_set_int_member(object, "runs", evaluation->runs);
    if (evaluation->impact)
        aimf_impact_set_json(object, evaluation->impact);
    aimf_json_set_verdicts(object, evaluation->verdicts);
    if (evaluation->seeds)
        set_seeds(object, evaluation);
    if (evaluation->evidence)
        set_evidence(object, evaluation->evidence);
    set_findings(object, evaluation->findings);
    g_autofree char *text = aimf_json_write(root, TRUE);
    return g_strconcat(text, "\n", NULL);
}
