/*
 * Measures from JSON, and several of them to one. The groups are what is believed; everything else must follow from
 * them.
 */
#include "base/json.h"
#include "fair/measures.h"

#include <math.h>
#include <string.h>

enum { MAX_FILE_BYTES = 64 << 20, MAX_GROUPS = 1 << 20 };

/* The whole number that @rate is a share of; FALSE if there is none within rounding. */
static gboolean count_of(double rate, guint64 n, guint64 *count)
{
    double product = rate * (double)n;
    *count = (guint64)(product + 0.5);
    return fabs(product - (double)*count) < 1e-3;
}

/* A member that may be null or missing (NaN). */
static gboolean read_optional(JsonObject *object, const char *where, const char *name, double high, double *value,
                              GError **error)
{
    *value = NAN;
    if (!json_object_has_member(object, name) || json_object_get_null_member(object, name))
        return TRUE;
    return aimf_json_double(object, where, name, 0, high, value, error);
}

static gboolean not_a_share(const char *where, guint64 n, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "%s: its rates are not shares of its %" G_GUINT64_FORMAT " sample%s", where, n, AIMF_PLURAL(n));
    return FALSE;
}

static gboolean read_cell(JsonObject *object, const char *where, gboolean selects, AimfCell *cell, GError **error)
{
    gint64 n;
    double accuracy, selection_rate = 0;
    if (!aimf_json_int(object, where, "n", 0, G_MAXINT, &n, error))
        return FALSE;
    *cell = (AimfCell){ .n = (guint64)n };
    if (n == 0)
        return TRUE;
    if (!aimf_json_double(object, where, "accuracy", 0, 1, &accuracy, error) ||
        (selects && !aimf_json_double(object, where, "selection_rate", 0, 1, &selection_rate, error)))
        return FALSE;
    return (count_of(accuracy, cell->n, &cell->correct) && count_of(selection_rate, cell->n, &cell->selected)) ||
           not_a_share(where, cell->n, error);
}

/* Labels repeat for every target, in the same ascending order. */
static gboolean check_place(JsonObject *object, const char *where, guint index, GPtrArray *labels, GError **error)
{
    gint64 target;
    const char *label = aimf_json_text(object, where, "protected", error);
    if (!label || !aimf_json_int(object, where, "target", 0, MAX_GROUPS, &target, error))
        return FALSE;
    gboolean first = labels->len == index && target == 0;
    const char *before = labels->len ? g_ptr_array_index(labels, labels->len - 1) : NULL;
    if (first && (!before || strcmp(before, label) < 0)) {
        g_ptr_array_add(labels, g_strdup(label));
        return TRUE;
    }
    if (!first && labels->len && target == index / labels->len &&
        strcmp(g_ptr_array_index(labels, index % labels->len), label) == 0)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: group (%" G_GINT64_FORMAT ", %s) is out of order", where,
                target, label);
    return FALSE;
}

/* The class that rates are of. Files of before it could be chosen are of class 1. */
static gboolean read_positive(JsonObject *object, const char *where, int *positive, GError **error)
{
    gint64 value = 1;
    gboolean none = json_object_has_member(object, "positive") && json_object_get_null_member(object, "positive");
    if (!none && json_object_has_member(object, "positive") &&
        !aimf_json_int(object, where, "positive", 0, MAX_GROUPS, &value, error))
        return FALSE;
    *positive = none ? -1 : (int)value;
    return TRUE;
}

static gboolean read_groups(JsonArray *groups, const char *list, gboolean selects, AimfCell *cells, GPtrArray *labels,
                            GError **error)
{
    guint64 samples = 0;
    guint n = json_array_get_length(groups);
    for (guint i = 0; i < n; i++) {
        g_autofree char *where = g_strdup_printf("%s[%u]", list, i);
        JsonObject *object = aimf_json_element(groups, list, i, error);
        if (!object || !check_place(object, where, i, labels, error) ||
            !read_cell(object, where, selects, &cells[i], error))
            return FALSE;
        samples += cells[i].n;
    }
    if (samples < 1 || samples > G_MAXINT) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "%s: %" G_GUINT64_FORMAT " samples; from 1 to %d are possible", list, samples, G_MAXINT);
        return FALSE;
    }
    if (labels->len && n % labels->len == 0 && n / labels->len >= 2 && n <= MAX_GROUPS)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: %u groups of %u protected labels are not whole classes",
                list, n, labels->len);
    return FALSE;
}

static gboolean read_scores(JsonObject *object, const char *where, AimfScores *scores, GError **error)
{
    return read_optional(object, where, "auc", 1, &scores->auc, error) &&
           read_optional(object, where, "calibration_error", 1, &scores->calibration_error, error) &&
           read_optional(object, where, "calibration_error_gap", 1, &scores->calibration_error_gap, error);
}

/* How often each label was predicted as class @target, and the class's scores. */
static gboolean read_class(JsonObject *object, const char *where, AimfCounts *counts, int target, GError **error)
{
    JsonArray *labels = aimf_json_array(object, where, "by_group", error);
    g_autofree char *list = g_strdup_printf("%s, by_group", where);
    if (!labels || !read_scores(object, where, &counts->scores[target], error))
        return FALSE;
    if (json_array_get_length(labels) != (guint)counts->n_protected) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: %u protected labels, but the groups have %d", list,
                    json_array_get_length(labels), counts->n_protected);
        return FALSE;
    }
    for (int g = 0; g < counts->n_protected; g++) {
        g_autofree char *place = g_strdup_printf("%s[%d]", list, g);
        JsonObject *label = aimf_json_element(labels, list, (guint)g, error);
        AimfCell *cell = &counts->cells[target * counts->n_protected + g];
        double rate;
        if (!label || !read_optional(label, place, "selection_rate", 1, &rate, error))
            return FALSE;
        if (counts->totals[g] && (isnan(rate) || !count_of(rate, counts->totals[g], &cell->predicted)))
            return not_a_share(place, counts->totals[g], error);
        if (cell->predicted < cell->correct || cell->predicted - cell->correct > counts->totals[g] - cell->n) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: its selection rate contradicts its accuracy", place);
            return FALSE;
        }
    }
    return TRUE;
}

/*
 * Classes that are not there occur neither among targets nor among predictions; the measures tell if that is not
 * true.
 */
static gboolean read_classes(JsonObject *object, const char *path, AimfCounts *counts, GError **error)
{
    g_autofree char *where = g_strdup_printf("'%s'", path), *list = g_strdup_printf("'%s', classes", path);
    JsonArray *classes = aimf_json_array(object, where, "classes", error);
    if (!classes)
        return FALSE;
    gint64 before = -1, target;
    for (guint i = 0; i < json_array_get_length(classes); i++) {
        g_autofree char *place = g_strdup_printf("%s[%u]", list, i);
        JsonObject *class = aimf_json_element(classes, list, i, error);
        if (!class || !aimf_json_int(class, place, "target", before + 1, counts->n_targets - 1, &target, error) ||
            !read_class(class, place, counts, (int)target, error))
            return FALSE;
        before = target;
    }
    for (int i = 0; i < counts->n_targets * counts->n_protected; i++) {
        if (counts->cells[i].predicted >= counts->cells[i].correct)
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: class %d was predicted rightly, but is not among them",
                    list, i / counts->n_protected);
        return FALSE;
    }
    return TRUE;
}

/* With two classes, and for the positive one in old files, predictions follow from who was selected in each group. */
static void take_selected(AimfCounts *counts)
{
    for (int g = 0; g < counts->n_protected; g++) {
        guint64 selected = 0;
        for (int target = 0; target < counts->n_targets; target++)
            selected += counts->cells[target * counts->n_protected + g].selected;
        counts->cells[counts->positive * counts->n_protected + g].predicted = selected;
        if (counts->n_targets == 2)
            counts->cells[(1 - counts->positive) * counts->n_protected + g].predicted = counts->totals[g] - selected;
    }
}

static gboolean read_counts(JsonObject *object, const char *path, AimfCounts *counts, GPtrArray *labels, GError **error)
{
    g_autofree char *where = g_strdup_printf("'%s'", path), *list = g_strdup_printf("'%s', groups", path);
    JsonArray *groups = aimf_json_array(object, where, "groups", error);
    int positive;
    if (!groups || !read_positive(object, where, &positive, error))
        return FALSE;
    guint n = json_array_get_length(groups);
    g_autofree AimfCell *cells = g_new0(AimfCell, (gsize)n + 1);
    if (!read_groups(groups, list, positive >= 0, cells, labels, error))
        return FALSE;
    int n_protected = (int)labels->len, n_targets = (int)n / n_protected;
    if (positive >= n_targets || (positive < 0 && n_targets == 2)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: its positive class is %d; it must be from 0 to %d",
                    where, positive, n_targets - 1);
        return FALSE;
    }
    if (!aimf_counts_init(counts, n_targets, n_protected, positive)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for %u groups", n);
        return FALSE;
    }
    memcpy(counts->cells, cells, n * sizeof *cells);
    for (guint i = 0; i < n; i++)
        counts->totals[i % labels->len] += cells[i].n;
    counts->classes_known = n_targets == 2 || json_object_has_member(object, "classes");
    if (positive >= 0)
        take_selected(counts);
    if (n_targets > 2 && counts->classes_known && !read_classes(object, path, counts, error))
        return FALSE;
    AimfScores scores;
    if (!read_scores(object, where, &scores, error))
        return FALSE;
    if (positive >= 0)
        counts->scores[positive] = scores;
    return TRUE;
}

/* AUC and calibration error of each protected label, which no counts give. */
static gboolean read_label_scores(JsonObject *object, const char *where, AimfProtectedMeasure *labels, guint n,
                                  GError **error)
{
    if (!json_object_has_member(object, "by_group"))
        return TRUE;
    JsonArray *array = aimf_json_array(object, where, "by_group", error);
    g_autofree char *list = g_strdup_printf("%s, by_group", where);
    for (guint g = 0; array && g < n && g < json_array_get_length(array); g++) {
        g_autofree char *place = g_strdup_printf("%s[%u]", list, g);
        JsonObject *label = aimf_json_element(array, list, g, error);
        if (!label || !read_optional(label, place, "auc", 1, &labels[g].auc, error) ||
            !read_optional(label, place, "calibration_error", 1, &labels[g].calibration_error, error))
            return FALSE;
    }
    return array != NULL;
}

static gboolean read_all_label_scores(JsonObject *object, const char *where, AimfMeasures *measures, GError **error)
{
    guint n = (guint)measures->n_protected;
    if (!read_label_scores(object, where, measures->protected_groups, n, error))
        return FALSE;
    JsonArray *classes = measures->classes ? json_object_get_array_member(object, "classes") : NULL;
    for (guint i = 0; classes && i < json_array_get_length(classes); i++) {
        JsonObject *class = json_array_get_object_element(classes, i);
        gsize target = (gsize)json_object_get_int_member(class, "target"); /* checked before */
        if (!read_label_scores(class, where, measures->class_groups + target * n, n, error))
            return FALSE;
    }
    return TRUE;
}

/* Measures that results did not have in the first version of this file. */
static gboolean is_new(const char *name)
{
    return g_str_has_prefix(name, "macro.") || g_str_has_prefix(name, "worst.") || g_str_has_suffix(name, "_ratio") ||
           g_str_has_suffix(name, "_gap") || g_str_has_prefix(name, "calibration_error");
}

/* The number called @path, "equalized_odds.mean"; *@missing instead if it is new and not there. */
static gboolean find_scalar(JsonObject *object, const char *path, const char *file, double *value, gboolean *missing,
                            GError **error)
{
    g_auto(GStrv) parts = g_strsplit(path, ".", -1);
    g_autofree char *where = g_strdup_printf("'%s'", file);
    char **part = parts;
    for (; part[1]; part++) {
        *missing = is_new(path) && !json_object_has_member(object, *part);
        if (*missing)
            return TRUE;
        if (!(object = aimf_json_object(object, where, *part, error)))
            return FALSE;
        g_autofree char *outer = g_steal_pointer(&where);
        where = g_strdup_printf("%s, %s", outer, *part);
    }
    *missing = is_new(path) && !json_object_has_member(object, *part);
    *value = NAN;
    return *missing || (json_object_has_member(object, *part) && json_object_get_null_member(object, *part)) ||
           aimf_json_double(object, where, *part, 0, 2, value, error);
}

static gboolean check_scalars(JsonObject *object, const char *path, const AimfMeasures *measures, GError **error)
{
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        double found, expected = aimf_scalar_at(&measures->scalars, i);
        gboolean missing;
        if (aimf_scalar_of_classes(i) && measures->n_targets == 2)
            continue;
        if (!find_scalar(object, aimf_scalar_name(i), path, &found, &missing, error))
            return FALSE;
        if (!missing && (isnan(found) != isnan(expected) || fabs(found - expected) > 1e-9)) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s': %s is %g, but its groups give %g", path,
                        aimf_scalar_name(i), found, expected);
            return FALSE;
        }
    }
    return TRUE;
}

static char *optional_text(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    gboolean text = node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING;
    return text ? g_strdup(json_node_get_string(node)) : NULL;
}

/* (owned) the names of the classes, NULL if there is not one for each. */
static char **optional_names(JsonObject *object, int n_targets)
{
    JsonNode *node = json_object_get_member(object, "class_names");
    JsonArray *array = node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
    if (!array || json_array_get_length(array) != (guint)n_targets)
        return NULL;
    g_auto(GStrv) names = g_new0(char *, (gsize)n_targets + 1);
    for (guint i = 0; i < (guint)n_targets; i++) {
        JsonNode *name = json_array_get_element(array, i);
        if (!JSON_NODE_HOLDS_VALUE(name) || json_node_get_value_type(name) != G_TYPE_STRING)
            return NULL;
        names[i] = g_strdup(json_node_get_string(name));
    }
    return g_steal_pointer(&names);
}

/* Whether all results have names of classes, and the same ones. */
static gboolean same_names(const AimfEvaluation *const *evaluations, guint n)
{
    for (guint i = 0; i < n; i++)
        if (!evaluations[i]->classes ||
            !g_strv_equal((const char *const *)evaluations[0]->classes, (const char *const *)evaluations[i]->classes))
            return FALSE;
    return TRUE;
}

/* Rows that were left out; none if it does not say. */
static gboolean read_left_out(JsonObject *object, const char *where, const char *name, guint *n, GError **error)
{
    gint64 value = 0;
    if (json_object_has_member(object, name) && !aimf_json_int(object, where, name, 0, G_MAXINT, &value, error))
        return FALSE;
    *n = (guint)value;
    return TRUE;
}

AimfEvaluation *aimf_evaluation_open(const char *path, GError **error)
{
    g_autoptr(JsonNode) root = aimf_json_open(path, MAX_FILE_BYTES, error);
    if (!root)
        return NULL;
    JsonObject *object = json_node_get_object(root);
    if (json_object_has_member(object, "runs")) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s' is an average already; average the single results instead", path);
        return NULL;
    }
    g_autofree char *where = g_strdup_printf("'%s'", path);
    g_autoptr(GPtrArray) labels = g_ptr_array_new_with_free_func(g_free);
    g_auto(AimfCounts) counts = { 0 };
    if (!read_counts(object, path, &counts, labels, error))
        return NULL;
    g_autoptr(AimfEvaluation) evaluation = g_new0(AimfEvaluation, 1);
    evaluation->runs = 1;
    evaluation->measures = aimf_measures_of_counts(&counts);
    if (!check_scalars(object, path, evaluation->measures, error) ||
        !read_all_label_scores(object, where, evaluation->measures, error))
        return NULL;
    g_ptr_array_add(labels, NULL);
    evaluation->labels = (char **)g_ptr_array_free(g_steal_pointer(&labels), FALSE);
    evaluation->model = optional_text(object, "model");
    evaluation->data = optional_text(object, "data");
    evaluation->target = optional_text(object, "target");
    evaluation->classes = optional_names(object, counts.n_targets);
    if (!read_left_out(object, where, "dropped", &evaluation->n_dropped, error) ||
        !read_left_out(object, where, "skipped", &evaluation->n_skipped, error))
        return NULL;
    evaluation->findings = aimf_findings_new();
    JsonNode *warnings = json_object_get_member(object, "warnings"); /* older files have none */
    g_autofree char *text = warnings ? json_to_string(warnings, FALSE) : NULL;
    if (text && !aimf_findings_parse(evaluation->findings, text)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "'%s': warnings is no list of objects with name and text",
                    path);
        return NULL;
    }
    return g_steal_pointer(&evaluation);
}

AimfEvaluation *aimf_evaluations_average(const AimfEvaluation *const *evaluations, guint n, GError **error)
{
    g_autofree const AimfMeasures **measures = g_new0(const AimfMeasures *, (gsize)n + 1);
    for (guint i = 0; i < n; i++) {
        measures[i] = evaluations[i]->measures;
        if (!g_strv_equal((const char *const *)evaluations[0]->labels, (const char *const *)evaluations[i]->labels)) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "result %u has other protected labels than the first",
                        i + 1);
            return NULL;
        }
    }
    AimfMeasures *average = aimf_measures_average(measures, n, error);
    if (!average)
        return NULL;
    AimfEvaluation *evaluation = g_new0(AimfEvaluation, 1);
    evaluation->labels = g_strdupv(evaluations[0]->labels);
    evaluation->classes = same_names(evaluations, n) ? g_strdupv(evaluations[0]->classes) : NULL;
    gboolean same_target = TRUE;
    for (guint i = 1; i < n; i++)
        same_target = same_target && g_strcmp0(evaluations[0]->target, evaluations[i]->target) == 0;
    evaluation->target = same_target ? g_strdup(evaluations[0]->target) : NULL;
    evaluation->measures = average;
    evaluation->runs = n;
    evaluation->findings = aimf_findings_new();
    for (guint i = 0; i < n; i++) {
        evaluation->n_dropped += evaluations[i]->n_dropped;
        evaluation->n_skipped += evaluations[i]->n_skipped;
    }
    for (guint i = 0; i < n; i++)
        for (guint k = 0; k < aimf_findings_count(evaluations[i]->findings); k++)
            aimf_findings_copy(evaluation->findings, aimf_findings_at(evaluations[i]->findings, k));
    return evaluation;
}
