/* What a run says, for programs: docs/results.schema.json describes it. Nothing in it depends on when it was made. */
#include "base/json.h"
#include "fair/impact_json.h"
#include "fair/verdict_files.h"
#include "run/results.h"

#include <string.h>

/* --- Members --- */

static void set_text(JsonObject *object, const char *name, const char *value)
{
    if (value)
        json_object_set_string_member(object, name, value);
    else
        json_object_set_null_member(object, name);
}

static void set_texts(JsonObject *object, const char *name, char *const *values)
{
    if (!values) {
        json_object_set_null_member(object, name);
        return;
    }
    JsonArray *array = json_array_new();
    for (; *values; values++)
        json_array_add_string_element(array, *values);
    json_object_set_array_member(object, name, array);
}

/* json-glib's whole numbers have a sign; a seed that needs all 64 bits is a text. */
static JsonNode *seed_node(guint64 seed)
{
    JsonNode *node = json_node_alloc();
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, seed);
    return seed <= G_MAXINT64 ? json_node_init_int(node, (gint64)seed) : json_node_init_string(node, text);
}

/* What is an array or object of its own in other files of the program: @text (taken, nullable) as they write it. */
static void set_parsed(JsonObject *object, const char *name, char *text)
{
    JsonNode *node = text ? aimf_json_parse(text, strlen(text), NULL) : NULL;
    json_object_set_member(object, name, node ? node : json_node_init_null(json_node_alloc()));
    g_free(text);
}

/* --- Sets --- */

static JsonArray *group_counts(const AimfRunResults *results, const AimfManifest *manifest)
{
    JsonArray *array = json_array_new();
    guint n_labels, n_classes = (guint)MAX(aimf_manifest_classes(manifest), 0);
    const char *const *labels = aimf_manifest_groups(manifest, &n_labels);
    g_autofree guint *counts = aimf_manifest_counts(manifest);
    guint n_names = results->classes ? g_strv_length(results->classes) : 0;
    for (guint i = 0; i < n_classes * n_labels; i++) {
        JsonObject *object = json_object_new();
        json_object_set_int_member(object, "target", i / n_labels);
        set_text(object, "class", i / n_labels < n_names ? results->classes[i / n_labels] : NULL);
        json_object_set_string_member(object, "protected", labels[i % n_labels]);
        json_object_set_int_member(object, "n", counts[i]);
        json_array_add_object_element(array, object);
    }
    return array;
}

static JsonArray *set_objects(const AimfRunResults *results)
{
    JsonArray *array = json_array_new();
    for (guint i = 0; i < AIMF_N_SETS; i++) {
        const AimfRunSet *set = &results->sets[i];
        if (!set->manifest) /* of synthetic ones, where every tensor is trained on other pictures */
            continue;
        JsonObject *object = json_object_new();
        set_text(object, "name", set->name);
        set_text(object, "path", set->path);
        json_object_set_int_member(object, "n", aimf_manifest_count(set->manifest));
        json_object_set_array_member(object, "groups", group_counts(results, set->manifest));
        set_text(object, "sha256", set->sha256);
        set_text(object, "pictures_sha256", set->pictures_sha256);
        json_array_add_object_element(array, object);
    }
    return array;
}

/* --- Measures --- */

/*
 * As `aimfair evaluate --json` prints them, without what stands elsewhere in this file and without its warnings, which
 * are not known here. @runs: that were averaged
 */
static void set_measures(JsonObject *object, const AimfRunResults *results, const AimfMeasures *measures, guint runs)
{
    static const char *const elsewhere[] = { "model", "data", "target", "class_names", "warnings" };
    if (!measures) {
        json_object_set_null_member(object, "measures");
        return;
    }
    const AimfEvaluation evaluation = {
        .classes = results->classes,
        .labels = results->labels,
        .measures = (AimfMeasures *)measures,
        .runs = runs,
    };
    set_parsed(object, "measures", aimf_evaluation_json(&evaluation));
    JsonNode *node = json_object_get_member(object, "measures");
    for (gsize i = 0; JSON_NODE_HOLDS_OBJECT(node) && i < G_N_ELEMENTS(elsewhere); i++)
        json_object_remove_member(json_node_get_object(node), elsewhere[i]);
}

static JsonObject *cell_object(const AimfRunResults *results, guint method, guint seed)
{
    const AimfRunCell *cell = aimf_run_cell(results, method, seed);
    JsonObject *object = json_object_new();
    json_object_set_member(object, "seed", seed_node(results->seeds[seed]));
    set_text(object, "folder", cell->folder);
    set_text(object, "failure", cell->failure);
    set_measures(object, results, cell->measures, 1);
    set_parsed(object, "comparison", cell->comparison ? aimf_comparison_json(cell->comparison) : NULL);
    set_text(object, "engine", cell->engine);
    set_text(object, "instruction_set", cell->instruction_set);
    set_text(object, "test_engine", cell->test_engine);
    set_text(object, "test_instruction_set", cell->test_instruction_set);
    set_text(object, "model_sha256", cell->model_sha256);
    set_text(object, "weights_sha256", cell->weights_sha256);
    if (cell->failure)
        json_object_set_null_member(object, "n_tensors");
    else
        json_object_set_int_member(object, "n_tensors", cell->n_tensors);
    set_texts(object, "trained", cell->trained);
    return object;
}

static void set_impact(JsonObject *object, const AimfRunResults *results, guint method)
{
    const AimfImpact *impact = results->impact ? results->impact[method] : NULL;
    guint seed = aimf_run_first_seed(results, method);
    if (!impact || seed == results->n_seeds) {
        json_object_set_null_member(object, "impact");
        return;
    }
    JsonObject *of_seed = json_object_new();
    json_object_set_member(of_seed, "seed", seed_node(results->seeds[seed]));
    aimf_impact_set_json(of_seed, impact);
    json_object_set_object_member(object, "impact", of_seed);
}

static JsonObject *method_object(const AimfRunResults *results, guint m)
{
    const AimfRunMethod *method = &results->methods[m];
    const AimfRunAverage *average = &results->averages[m];
    guint first = aimf_run_first_seed(results, m);
    JsonObject *object = json_object_new();
    JsonArray *cells = json_array_new();
    set_text(object, "name", method->name);
    set_text(object, "title", method->title);
    if (method->k)
        json_object_set_int_member(object, "k", method->k);
    else
        json_object_set_null_member(object, "k");
    json_object_set_int_member(object, "n_seeds", average->n);
    /* An average of one has ranges of no width; its own intervals say more. */
    if (average->n == 1 && first < results->n_seeds)
        set_measures(object, results, aimf_run_cell(results, m, first)->measures, 1);
    else
        set_measures(object, results, average->measures, average->n);
    set_parsed(object, "spread", average->spread ? aimf_seeds_json(average->spread, results->labels) : NULL);
    set_parsed(object, "changes", average->changes ? aimf_seeds_json(average->changes, results->labels) : NULL);
    set_impact(object, results, m);
    for (guint s = 0; s < results->n_seeds; s++)
        json_array_add_object_element(cells, cell_object(results, m, s));
    json_object_set_array_member(object, "cells", cells);
    return object;
}

/* --- Demands --- */

/* @seed: (taken) null for the average. */
static void add_verdicts(JsonArray *array, JsonNode *seed, const AimfVerdicts *verdicts)
{
    static const char *const members[] = { "require", "require_evidence" };
    JsonObject *object = json_object_new();
    json_object_set_member(object, "seed", seed);
    aimf_json_set_verdicts(object, verdicts);
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
        if (!json_object_has_member(object, members[i]))
            json_object_set_array_member(object, members[i], json_array_new());
    json_array_add_object_element(array, object);
}

static void set_gates(JsonObject *root, const AimfRunResults *results)
{
    JsonArray *gates = json_array_new();
    gboolean any = aimf_run_any_gates(results);
    if (results->verdicts && results->verdicts->n)
        add_verdicts(gates, json_node_init_null(json_node_alloc()), results->verdicts);
    for (guint s = 0; results->seed_verdicts && s < results->n_seeds; s++) {
        const AimfVerdicts *verdicts = results->seed_verdicts[s];
        if (verdicts && verdicts->n)
            add_verdicts(gates, seed_node(results->seeds[s]), verdicts);
    }
    set_text(root, "gated_method", any ? results->methods[results->n_methods > 1 ? 1 : 0].name : NULL);
    json_object_set_array_member(root, "gates", gates);
    set_text(root, "decision", any ? aimf_decision_name(results->decision) : NULL);
}

/* --- Engines --- */

static JsonObject *engine_object(JsonArray *engines, const char *engine, const char *instruction_set)
{
    for (guint i = 0; i < json_array_get_length(engines); i++) {
        JsonObject *object = json_array_get_object_element(engines, i);
        if (g_strcmp0(json_object_get_string_member_with_default(object, "engine", NULL), engine) == 0 &&
            g_strcmp0(json_object_get_string_member_with_default(object, "instruction_set", NULL), instruction_set) ==
                0)
            return object;
    }
    JsonObject *object = json_object_new();
    set_text(object, "engine", engine);
    set_text(object, "instruction_set", instruction_set);
    json_object_set_array_member(object, "trained", json_array_new());
    json_object_set_array_member(object, "tested", json_array_new());
    json_array_add_object_element(engines, object);
    return object;
}

/* Which engine computed what: the same seed gives other bytes on another. */
static void set_engines(JsonObject *root, const AimfRunResults *results)
{
    JsonArray *engines = json_array_new();
    for (guint i = 0; i < results->n_methods * results->n_seeds; i++) {
        const AimfRunCell *cell = &results->cells[i];
        if (cell->engine) {
            JsonObject *object = engine_object(engines, cell->engine, cell->instruction_set);
            json_array_add_string_element(json_object_get_array_member(object, "trained"), cell->folder);
        }
        if (cell->test_engine) {
            JsonObject *object = engine_object(engines, cell->test_engine, cell->test_instruction_set);
            json_array_add_string_element(json_object_get_array_member(object, "tested"), cell->folder);
        }
    }
    json_object_set_boolean_member(root, "mixed_engines", json_array_get_length(engines) > 1);
    json_object_set_array_member(root, "engines", engines);
}

/* --- All of it --- */

static void set_run(JsonObject *root, const AimfRunResults *results)
{
    JsonArray *seeds = json_array_new();
    set_text(root, "format", "aimfair results");
    json_object_set_int_member(root, "version", 1);
    set_text(root, "title", results->title);
    set_text(root, "program", results->program);
    set_text(root, "precision", results->precision);
    json_object_set_int_member(root, "threads", results->threads);
    set_text(root, "architecture", results->architecture);
    set_text(root, "target", results->target);
    set_texts(root, "classes", results->classes);
    set_texts(root, "labels", results->labels);
    for (guint s = 0; s < results->n_seeds; s++)
        json_array_add_element(seeds, seed_node(results->seeds[s]));
    json_object_set_array_member(root, "seeds", seeds);
}

char *aimf_results_json(const AimfRunResults *results)
{
    JsonObject *object = json_object_new();
    JsonArray *methods = json_array_new();
    set_run(object, results);
    set_engines(object, results);
    json_object_set_array_member(object, "sets", set_objects(results));
    for (guint m = 0; m < results->n_methods; m++)
        json_array_add_object_element(methods, method_object(results, m));
    json_object_set_array_member(object, "methods", methods);
    set_gates(object, results);
    return aimf_json_lines(object);
}
