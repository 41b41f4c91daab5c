/* Measures from JSON, and several of them to one. The groups are what is believed; everything else must follow from them. */
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

static gboolean read_cell(JsonObject *object, const char *where, AimfCell *cell, GError **error)
{
    gint64 n;
    double accuracy, selection_rate;
    if (!aimf_json_int(object, where, "n", 0, G_MAXINT, &n, error))
        return FALSE;
    *cell = (AimfCell){ .n = (guint64)n };
    if (n == 0)
        return TRUE;
    if (!aimf_json_double(object, where, "accuracy", 0, 1, &accuracy, error) ||
        !aimf_json_double(object, where, "selection_rate", 0, 1, &selection_rate, error))
        return FALSE;
    if (count_of(accuracy, cell->n, &cell->correct) && count_of(selection_rate, cell->n, &cell->selected))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "%s: its rates are not shares of its %" G_GINT64_FORMAT " samples", where, n);
    return FALSE;
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

static AimfMeasures *measures_of_groups(JsonArray *groups, const char *path, double auc, GPtrArray *labels,
                                        GError **error)
{
    guint n = json_array_get_length(groups);
    g_autofree char *list = g_strdup_printf("'%s', groups", path);
    g_autofree AimfCell *cells = g_new0(AimfCell, (gsize)n + 1);
    guint64 samples = 0;
    for (guint i = 0; i < n; i++) {
        g_autofree char *where = g_strdup_printf("%s[%u]", list, i);
        JsonObject *object = aimf_json_element(groups, list, i, error);
        if (!object || !check_place(object, where, i, labels, error) || !read_cell(object, where, &cells[i], error))
            return NULL;
        samples += cells[i].n;
    }
    if (samples < 1 || samples > G_MAXINT) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "%s: %" G_GUINT64_FORMAT " samples; from 1 to %d are possible", list, samples, G_MAXINT);
        return NULL;
    }
    if (!labels->len || n % labels->len || n / labels->len < 2 || n > MAX_GROUPS) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: %u groups of %u protected labels are not whole classes",
                    list, n, labels->len);
        return NULL;
    }
    return aimf_measures_of_cells(cells, (int)(n / labels->len), (int)labels->len, auc);
}

/* A member that may be null (NaN). */
static gboolean read_scalar(JsonObject *object, const char *where, const char *name, double *value, GError **error)
{
    *value = NAN;
    if (json_object_has_member(object, name) && json_object_get_null_member(object, name))
        return TRUE;
    return aimf_json_double(object, where, name, 0, 2, value, error);
}

static gboolean check_scalars(JsonObject *object, const char *path, const AimfScalars *scalars, GError **error)
{
    for (guint i = 0; i < AIMF_N_SCALARS; i++) {
        g_auto(GStrv) parts = g_strsplit(aimf_scalar_name(i), ".", 2);
        g_autofree char *where = g_strdup_printf("'%s'%s%s", path, parts[1] ? ", " : "", parts[1] ? parts[0] : "");
        JsonObject *holder = parts[1] ? aimf_json_object(object, where, parts[0], error) : object;
        double found, expected = aimf_scalar_at(scalars, i);
        if (!holder || !read_scalar(holder, where, parts[1] ? parts[1] : parts[0], &found, error))
            return FALSE;
        if (isnan(found) != isnan(expected) || fabs(found - expected) > 1e-9) {
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
    JsonArray *groups = aimf_json_array(object, where, "groups", error);
    double auc;
    if (!groups || !read_scalar(object, where, "auc", &auc, error))
        return NULL;
    g_autoptr(AimfEvaluation) evaluation = g_new0(AimfEvaluation, 1);
    evaluation->runs = 1;
    evaluation->measures = measures_of_groups(groups, path, auc, labels, error);
    if (!evaluation->measures || !check_scalars(object, path, &evaluation->measures->scalars, error))
        return NULL;
    g_ptr_array_add(labels, NULL);
    evaluation->labels = (char **)g_ptr_array_free(g_steal_pointer(&labels), FALSE);
    evaluation->model = optional_text(object, "model");
    evaluation->data = optional_text(object, "data");
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
    evaluation->measures = average;
    evaluation->runs = n;
    evaluation->findings = aimf_findings_new();
    for (guint i = 0; i < n; i++)
        for (guint k = 0; k < aimf_findings_count(evaluations[i]->findings); k++)
            aimf_findings_copy(evaluation->findings, aimf_findings_at(evaluations[i]->findings, k));
    return evaluation;
}
