/*
 * measures.json of each test follows from predictions.csv beside it: measured again with the bootstrap that it says,
 * and compared as written, number by number.
 */
#include "run/verifier.h"

#include "base/json.h"
#include "base/shown.h"
#include "run/checksums.h"

#include <aimfair/fair.h>
#include <aimfair/json.h>
#include <math.h>
#include <string.h>

enum { MAX_FILE_BYTES = 64 << 20 };

/* --- Comparing --- */

/* What measures do not decide: names of files and classes, what the data are like, demands. */
static gboolean is_beside(const char *name, gboolean top)
{
    static const char *const beside[] = { "target",          "class_names",       "model",   "data",
                                          "dropped",         "skipped",           "impact",  "impact_scores",
                                          "on_training_set", "on_validation_set", "require", "require_evidence",
                                          "evidence",        "warnings",          NULL };
    return top ? g_strv_contains(beside, name) : strcmp(name, "class") == 0;
}

static gboolean differs(const char *where, const char *expected, const char *found, char **difference)
{
    *difference = g_strdup_printf("'%s' is %s; %s follows from the predictions", AIMF_SHOWN(where), AIMF_SHOWN(found),
                                  AIMF_SHOWN(expected));
    return FALSE;
}

static gboolean same_nodes(JsonNode *expected, JsonNode *found, const char *where, char **difference);

static gboolean same_objects(JsonObject *expected, JsonObject *found, const char *where, char **difference)
{
    gboolean top = !*where;
    g_autoptr(GList) names = json_object_get_members(expected), others = json_object_get_members(found);
    for (const GList *name = names; name; name = name->next) {
        g_autofree char *place = g_strdup_printf("%s%s%s", where, top ? "" : ".", (const char *)name->data);
        JsonNode *node = json_object_get_member(found, name->data);
        if (is_beside(name->data, top))
            continue;
        if (!node || !same_nodes(json_object_get_member(expected, name->data), node, place, difference))
            return node ? FALSE : differs(place, "something", "missing", difference);
    }
    for (const GList *name = others; name; name = name->next) {
        g_autofree char *place = g_strdup_printf("%s%s%s", where, top ? "" : ".", (const char *)name->data);
        if (!json_object_has_member(expected, name->data) && !is_beside(name->data, top))
            return differs(place, "nothing", "there", difference);
    }
    return TRUE;
}

static gboolean same_nodes(JsonNode *expected, JsonNode *found, const char *where, char **difference)
{
    if (JSON_NODE_HOLDS_OBJECT(expected) && JSON_NODE_HOLDS_OBJECT(found))
        return same_objects(json_node_get_object(expected), json_node_get_object(found), where, difference);
    if (JSON_NODE_HOLDS_ARRAY(expected) && JSON_NODE_HOLDS_ARRAY(found)) {
        JsonArray *a = json_node_get_array(expected), *b = json_node_get_array(found);
        for (guint i = 0; i < json_array_get_length(a) && i < json_array_get_length(b); i++) {
            g_autofree char *place = g_strdup_printf("%s[%u]", where, i);
            if (!same_nodes(json_array_get_element(a, i), json_array_get_element(b, i), place, difference))
                return FALSE;
        }
        if (json_array_get_length(a) == json_array_get_length(b))
            return TRUE;
    }
    g_autofree char *a = aimf_json_write(expected, FALSE), *b = aimf_json_write(found, FALSE);
    return strcmp(a, b) == 0 || differs(where, a, b, difference);
}

/* --- Measuring again --- */

/* The bootstrap that the file says. */
static gboolean read_bootstrap(JsonObject *file, const char *where, gint64 *resamples, guint64 *seed, GError **error)
{
    JsonObject *evidence = aimf_json_object(file, where, "evidence", error);
    JsonObject *bootstrap = evidence ? aimf_json_object(evidence, where, "bootstrap", error) : NULL;
    JsonNode *node = bootstrap ? json_object_get_member(bootstrap, "seed") : NULL;
    gint64 number = 0;
    if (!bootstrap || !aimf_json_int(bootstrap, where, "resamples", 0, AIMF_MAX_RESAMPLES, resamples, error))
        return FALSE;
    if (node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING)
        return g_ascii_string_to_unsigned(json_node_get_string(node), 10, 0, G_MAXUINT64, seed, error);
    gboolean good = aimf_json_int(bootstrap, where, "seed", 0, G_MAXINT64, &number, error);
    *seed = (guint64)number;
    return good;
}

/* (owned) what the file should be, as far as measures decide it; NULL with an error. */
static JsonNode *measure_again(AimfOutcomes *outcomes, JsonObject *file, const char *where, gint64 resamples,
                               guint64 seed, const AimfMonitor *monitor, GError **error)
{
    gint64 positive;
    JsonNode *named = json_object_get_member(file, "positive");
    if (named && !JSON_NODE_HOLDS_NULL(named)) {
        if (!aimf_json_int(file, where, "positive", 0, outcomes->n_targets - 1, &positive, error))
            return NULL;
        outcomes->positive = (int)positive;
    }
    AimfMeasures *measures = aimf_outcomes_measure(outcomes, (guint)resamples, seed, monitor, error);
    if (!measures)
        return NULL;
    AimfEvaluation *evaluation = g_new0(AimfEvaluation, 1);
    evaluation->measures = measures;
    evaluation->labels = g_strdupv(outcomes->labels);
    evaluation->runs = 1;
    evaluation->findings = aimf_findings_new();
    g_autofree char *text = aimf_evaluation_json(evaluation);
    aimf_evaluation_free(evaluation);
    return aimf_json_parse(text, strlen(text), error);
}

/*
 * Whether @place's measures.json follows from its predictions.csv; otherwise *@difference (owned) says what does not,
 * or @error why that cannot be known.
 */
static gboolean verify_measures(const AimfVerifier *verifier, const char *place, char **difference, GError **error)
{
    g_autofree char *json = g_build_filename(place, "measures.json", NULL);
    g_autofree char *csv = g_build_filename(place, "predictions.csv", NULL);
    g_autofree char *path = aimf_verifier_path(verifier, json);
    g_autofree char *predictions = aimf_verifier_file(verifier, csv, error);
    gint64 resamples;
    guint64 seed;
    g_autoptr(JsonNode) file = predictions ? aimf_json_open(path, MAX_FILE_BYTES, error) : NULL;
    if (!file || !read_bootstrap(json_node_get_object(file), path, &resamples, &seed, error))
        return FALSE;
    if (resamples > AIMF_VERIFY_MOST_RESAMPLES) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED,
                    "its intervals have %" G_GINT64_FORMAT " resamples; more than %d are not made again", resamples,
                    AIMF_VERIFY_MOST_RESAMPLES);
        return FALSE;
    }
    g_autoptr(AimfFindings) findings = aimf_findings_new();
    const AimfLabelRules rules = { .missing = AIMF_MISSING_KEEP, .findings = findings };
    g_autoptr(AimfOutcomes) outcomes = aimf_outcomes_open(predictions, -1, &rules, NULL, error);
    g_autoptr(JsonNode) expected =
        outcomes ? measure_again(outcomes, json_node_get_object(file), path, resamples, seed, verifier->monitor, error)
                 : NULL;
    return expected && same_nodes(expected, file, "", difference);
}

/* --- All tests --- */

gboolean aimf_verify_measures(AimfVerifier *verifier, GError **error)
{
    guint held = 0;
    for (guint i = 0; i < verifier->files->files->len; i++) {
        const char *path = g_ptr_array_index(verifier->files->files, i);
        g_autofree char *name = g_path_get_basename(path), *place = g_path_get_dirname(path);
        g_autofree char *difference = NULL;
        if (!g_str_has_prefix(path, "cells/") || strcmp(name, "measures.json") != 0)
            continue;
        GError *failure = NULL;
        if (verify_measures(verifier, place, &difference, &failure)) {
            held++;
        } else if (difference) {
            aimf_verifier_add(verifier, AIMF_REFUTED, path, "%s", difference);
        } else {
            gboolean unsupported = g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_UNSUPPORTED);
            AimfVerifyKind kind = unsupported ? AIMF_UNCHECKED : AIMF_REFUTED;
            if (!aimf_verifier_add_error(verifier, kind, path, failure, error))
                return FALSE;
        }
    }
    if (held)
        aimf_verifier_add(verifier, AIMF_VERIFIED, "measures", "those of %u test%s follow from predictions.csv", held,
                          AIMF_PLURAL(held));
    return TRUE;
}
