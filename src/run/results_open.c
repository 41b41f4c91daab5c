/* A finished run, read back from its folder: everything that is not in a file follows from files here. */
#include "base/file.h"
#include "base/json.h"
#include "run/job.h"
#include "run/joined_rows.h"

#include <aimfair/error.h>
#include <aimfair/version.h>
#include <math.h>
#include <string.h>

enum { MAX_JSON_BYTES = 1 << 26 };

static char *path_of(const AimfRunResults *r, const char *folder, const char *file)
{
    return g_build_filename(r->folder, folder, file, NULL);
}

/* --- Cells --- */

static double number_of(JsonObject *object, const char *name)
{
    JsonNode *node = json_object_get_member(object, name);
    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : NAN;
}

static AimfEpoch epoch_of(JsonObject *object)
{
    double number = number_of(object, "epoch");
    return (AimfEpoch){
        .epoch = number >= 1 && number <= 1e6 ? (guint)number - 1 : 0,
        .learning_rate = number_of(object, "learning_rate"),
        .loss = number_of(object, "loss"),
        .train_accuracy = number_of(object, "train_accuracy"),
        .val_loss = number_of(object, "val_loss"),
        .val_accuracy = number_of(object, "val_accuracy"),
        .val_worst_group_accuracy = number_of(object, "val_worst_group_accuracy"),
        .val_equalized_odds = number_of(object, "val_equalized_odds"),
        .best = json_object_get_boolean_member_with_default(object, "best", FALSE),
    };
}

/* The groups are those of the first epoch, in its order, and of every other: so they cost no more than the file. */
static gboolean take_group_accuracies(AimfRunCell *cell, JsonObject *epoch, const char *path, GError **error)
{
    JsonNode *node = json_object_get_member(epoch, "val_group_accuracy");
    JsonObject *groups = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
    if (!cell->group_names) {
        g_autoptr(GList) names = groups ? json_object_get_members(groups) : NULL;
        g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
        for (GList *name = names; name; name = name->next)
            g_strv_builder_add(builder, name->data);
        cell->group_names = g_strv_builder_end(builder);
        cell->group_accuracy = g_array_new(FALSE, FALSE, sizeof(double));
    }
    if (g_strv_length(cell->group_names) != (groups ? json_object_get_size(groups) : 0)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "%s: its epochs have different groups", path);
        return FALSE;
    }
    for (char **name = cell->group_names; *name; name++) {
        double accuracy = number_of(groups, *name);
        g_array_append_val(cell->group_accuracy, accuracy);
    }
    return TRUE;
}

static gboolean take_epochs(AimfRunCell *cell, JsonArray *epochs, const char *path, GError **error)
{
    cell->history = g_array_new(FALSE, FALSE, sizeof(AimfEpoch));
    for (guint i = 0; i < json_array_get_length(epochs); i++) {
        JsonObject *object = aimf_json_element(epochs, path, i, error);
        if (!object)
            return FALSE;
        AimfEpoch epoch = epoch_of(object);
        if (number_of(object, "epoch") == 0) {
            cell->start = g_new(AimfEpoch, 1);
            *cell->start = epoch;
            continue;
        }
        g_array_append_val(cell->history, epoch);
        if (!take_group_accuracies(cell, object, path, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean read_training(AimfRunCell *cell, const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, "training.json", NULL);
    g_autoptr(JsonNode) node = aimf_json_open(path, MAX_JSON_BYTES, error);
    gint64 tensors;
    if (!node)
        return FALSE;
    JsonObject *object = json_node_get_object(node);
    if (!aimf_json_int(object, path, "tensors", 1, 1000000, &tensors, error))
        return FALSE;
    cell->n_tensors = (guint)tensors;
    JsonNode *trained = json_object_get_member(object, "trained"), *epochs = json_object_get_member(object, "epochs");
    if (trained && JSON_NODE_HOLDS_ARRAY(trained)) {
        g_autoptr(GStrvBuilder) names = g_strv_builder_new();
        JsonArray *array = json_node_get_array(trained);
        for (guint i = 0; i < json_array_get_length(array); i++) {
            JsonNode *name = json_array_get_element(array, i);
            const char *text = JSON_NODE_HOLDS_VALUE(name) ? json_node_get_string(name) : NULL;
            g_strv_builder_add(names, text ? text : "");
        }
        cell->trained = g_strv_builder_end(names);
    }
    return !epochs || !JSON_NODE_HOLDS_ARRAY(epochs) || take_epochs(cell, json_node_get_array(epochs), path, error);
}

/* The stage of the cell: with what it says of itself, or with why there is nothing. */
static gboolean read_provenance(const AimfRunResults *r, const char *stage, char **engine, char **instruction_set,
                                char **failure, GError **error)
{
    g_autofree char *folder = g_build_filename(r->folder, stage, NULL);
    g_autoptr(AimfProvenance) provenance = aimf_provenance_open(folder, error);
    if (!provenance)
        return FALSE;
    *engine = g_steal_pointer(&provenance->engine);
    *instruction_set = g_steal_pointer(&provenance->instruction_set);
    *failure = g_steal_pointer(&provenance->failure);
    return TRUE;
}

static gboolean read_model(const AimfRunResults *r, AimfRunCell *cell, GError **error)
{
    g_autofree char *stage = g_strconcat(cell->folder, "/model", NULL), *folder = path_of(r, stage, NULL);
    g_autofree char *path = g_build_filename(folder, "model.safetensors", NULL);
    if (!read_provenance(r, stage, &cell->engine, &cell->instruction_set, &cell->failure, error))
        return FALSE;
    if (cell->failure)
        return TRUE;
    g_autoptr(AimfModel) model = aimf_model_open(path, error);
    if (!model || !read_training(cell, folder, error) || !(cell->model_sha256 = aimf_file_sha256(path, error)))
        return FALSE;
    cell->weights_sha256 = aimf_model_hash(model);
    return TRUE;
}

/* (nullable) a test that was read before, whose groups all others have. */
static const AimfOutcomes *any_outcomes(const AimfRunResults *r)
{
    for (guint i = 0; i < r->n_methods * r->n_seeds; i++)
        if (r->cells[i].outcomes && r->cells[i].measures)
            return r->cells[i].outcomes;
    return NULL;
}

/* Names are looked up by the numbers of classes and groups, of this test and of others. */
static gboolean check_groups(const AimfRunResults *r, const AimfOutcomes *outcomes, char **classes, const char *path,
                             GError **error)
{
    const AimfOutcomes *first = any_outcomes(r);
    guint n = classes ? g_strv_length(classes) : (guint)outcomes->n_targets;
    if (n != (guint)outcomes->n_targets) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                    "'%s' has %u names of classes; the predictions have %d classes", path, n, outcomes->n_targets);
        return FALSE;
    }
    if (!first || (first->n_targets == outcomes->n_targets &&
                   g_strv_equal((const char *const *)first->labels, (const char *const *)outcomes->labels)))
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT,
                "'%s' is of other classes or protected labels than the run's other "
                "tests",
                path);
    return FALSE;
}

static gboolean read_outcomes(AimfRunResults *r, AimfRunCell *cell, const AimfMonitor *monitor, GError **error)
{
    g_autofree char *stage = g_strconcat(cell->folder, "/test", NULL);
    g_autofree char *predictions = path_of(r, stage, "predictions.csv"), *measures = path_of(r, stage, "measures.json");
    if (!read_provenance(r, stage, &cell->test_engine, &cell->test_instruction_set, &cell->failure, error))
        return FALSE;
    if (cell->failure)
        return TRUE;
    g_autoptr(AimfEvaluation) evaluation = aimf_evaluation_open(measures, error);
    if (!evaluation || !(cell->outcomes = aimf_run_open_predictions(predictions, NULL, error)))
        return FALSE;
    if (!check_groups(r, cell->outcomes, evaluation->classes, measures, error))
        return FALSE;
    g_strfreev(cell->outcomes->classes); /* of a table it has those that were predicted */
    cell->outcomes->classes = g_strdupv(evaluation->classes);
    cell->outcomes->n_skipped = evaluation->n_skipped;
    if (!aimf_run_set_positive(r->config, cell->outcomes, error) ||
        !(cell->measures = aimf_run_measure(r->config, cell->outcomes, monitor, error)))
        return FALSE;
    if (!r->labels) {
        r->labels = g_strdupv(cell->outcomes->labels);
        r->classes = g_strdupv(evaluation->classes);
        r->target = g_strdup(evaluation->target);
    }
    return TRUE;
}

/* A seed whose biased classifier or sensitivities failed has nothing of what rests on them. */
static gboolean failed_before(const AimfRunResults *r, guint method, guint seed, AimfRunCell *cell, GError **error)
{
    const AimfRunCell *start = aimf_run_cell(r, 0, seed);
    if (method && start->failure && !start->model_sha256) {
        cell->failure = g_strdup("the biased classifier of this seed failed");
        return TRUE;
    }
    if (!method || !r->methods[method].k)
        return TRUE;
    g_autofree char *stage = g_strdup_printf("shared/sensitivity-%" G_GUINT64_FORMAT, r->seeds[seed]);
    g_autofree char *folder = path_of(r, stage, NULL);
    g_autoptr(AimfProvenance) provenance = aimf_provenance_open(folder, error);
    if (provenance && provenance->failure)
        cell->failure = g_strdup_printf("its sensitivities: %s", provenance->failure);
    return provenance != NULL;
}

static gboolean read_cell(AimfRunResults *r, guint method, guint seed, const AimfMonitor *monitor, GError **error)
{
    AimfRunCell *cell = &r->cells[method * r->n_seeds + seed];
    cell->folder = aimf_run_cell_name(&r->methods[method], r->seeds[seed]);
    if (!failed_before(r, method, seed, cell, error))
        return FALSE;
    if (cell->failure)
        return TRUE;
    if (!read_model(r, cell, error) || (!cell->failure && !read_outcomes(r, cell, monitor, error)))
        return FALSE;
    const AimfRunCell *start = aimf_run_cell(r, 0, seed);
    if (!method || cell->failure || !start->outcomes)
        return TRUE;
    cell->comparison = aimf_compare_outcomes(start->outcomes, cell->outcomes,
                                             (guint)aimf_config_integer(r->config, AIMF_KEY_EVALUATE_BOOTSTRAP),
                                             AIMF_RUN_RESAMPLING_SEED, monitor, error);
    return cell->comparison != NULL;
}

/* --- Averages --- */

static gboolean average(AimfRunResults *r, guint method, const AimfMonitor *monitor, GError **error)
{
    AimfRunAverage *mean = &r->averages[method];
    guint resamples = (guint)aimf_config_integer(r->config, AIMF_KEY_EVALUATE_BOOTSTRAP), n_pairs = 0;
    g_autofree const AimfMeasures **measures = g_new0(const AimfMeasures *, r->n_seeds + 1);
    g_autofree const AimfOutcomes **outcomes = g_new0(const AimfOutcomes *, r->n_seeds + 1);
    g_autofree const AimfOutcomes **before = g_new0(const AimfOutcomes *, r->n_seeds + 1);
    g_autofree const AimfOutcomes **after = g_new0(const AimfOutcomes *, r->n_seeds + 1);
    g_autofree const AimfComparison **pairs = g_new0(const AimfComparison *, r->n_seeds + 1);
    for (guint s = 0; s < r->n_seeds; s++) {
        const AimfRunCell *cell = aimf_run_cell(r, method, s);
        if (cell->failure)
            continue;
        measures[mean->n] = cell->measures;
        outcomes[mean->n++] = cell->outcomes;
        if (!cell->comparison)
            continue;
        before[n_pairs] = aimf_run_cell(r, 0, s)->outcomes;
        after[n_pairs] = cell->outcomes;
        pairs[n_pairs++] = cell->comparison;
    }
    if (!mean->n)
        return TRUE;
    if (!(mean->measures = aimf_measures_average(measures, mean->n, error)) ||
        !(mean->spread = aimf_seeds_of_measures(measures, mean->n, error)) ||
        !aimf_seeds_resample(mean->spread, outcomes, NULL, resamples, AIMF_RUN_RESAMPLING_SEED, monitor, error))
        return FALSE;
    if (!n_pairs)
        return TRUE;
    return (mean->changes = aimf_seeds_of_comparisons(pairs, n_pairs, error)) &&
           aimf_seeds_resample(mean->changes, after, before, resamples, AIMF_RUN_RESAMPLING_SEED, monitor, error);
}

/* --- Gates --- */

/*
 * Judged on the average, as the paper's figures are; what the test set must show, and what is about groups of pairs,
 * on each seed.
 */
static gboolean on_average(const AimfGate *gate)
{
    return !gate->evidence && gate->scalar != AIMF_NO_GROUP_WORSE_THAN;
}

static GArray *read_gates(const AimfConfig *config, gboolean average_ones, GError **error)
{
    static const AimfConfigKey keys[] = { AIMF_KEY_GATES_REQUIRE, AIMF_KEY_GATES_EVIDENCE };
    GArray *gates = g_array_new(FALSE, TRUE, sizeof(AimfGate));
    g_array_set_clear_func(gates, (GDestroyNotify)aimf_gate_clear);
    for (gsize k = 0; k < G_N_ELEMENTS(keys); k++) {
        for (char *const *text = aimf_config_list(config, keys[k]); *text; text++) {
            AimfGate gate;
            if (!aimf_gate_parse(*text, keys[k] == AIMF_KEY_GATES_EVIDENCE, &gate, error)) {
                g_array_unref(gates);
                return NULL;
            }
            if (on_average(&gate) == average_ones)
                g_array_append_val(gates, gate);
            else
                aimf_gate_clear(&gate);
        }
    }
    return gates;
}

static void take_decision(AimfRunResults *r, const AimfVerdicts *verdicts)
{
    for (guint i = 0; verdicts && i < verdicts->n; i++) {
        AimfDecision decision = verdicts->verdicts[i].decision;
        if (decision == AIMF_NOT_MET || (decision == AIMF_NOT_ENOUGH_EVIDENCE && r->decision == AIMF_MET))
            r->decision = decision;
    }
}

static gboolean judge(AimfRunResults *r, const AimfMonitor *monitor, GError **error)
{
    guint method = r->n_methods > 1 ? 1 : 0;
    g_autoptr(GArray) mean = read_gates(r->config, TRUE, error);
    g_autoptr(GArray) single = mean ? read_gates(r->config, FALSE, error) : NULL;
    if (!single)
        return FALSE;
    const AimfMeasures *measures = r->averages[method].measures;
    if (measures && mean->len &&
        !(r->verdicts =
              aimf_judge((const AimfGate *)(void *)mean->data, mean->len, measures, NULL, NULL, monitor, error)))
        return FALSE;
    take_decision(r, r->verdicts);
    for (guint s = 0; s < r->n_seeds && single->len; s++) {
        const AimfRunCell *cell = aimf_run_cell(r, method, s);
        if (cell->failure)
            continue;
        r->seed_verdicts[s] = aimf_judge((const AimfGate *)(void *)single->data, single->len, cell->measures,
                                         cell->outcomes, cell->comparison, monitor, error);
        if (!r->seed_verdicts[s])
            return FALSE;
        take_decision(r, r->seed_verdicts[s]);
    }
    /* What was never measured meets nothing. */
    gboolean missing = !measures || r->averages[method].n < r->n_seeds;
    if ((mean->len || single->len) && missing && r->decision == AIMF_MET)
        r->decision = AIMF_NOT_ENOUGH_EVIDENCE;
    return TRUE;
}

/* --- Sets --- */

static gboolean read_set(AimfRunResults *r, int set, GError **error)
{
    static const char *const names[AIMF_N_SETS] = { "training", "validation", "test", "synthetic, balanced",
                                                    "synthetic, biased" };
    AimfRunSet *s = &r->sets[set];
    g_autofree char *path = g_build_filename(r->folder, aimf_run_set_path(set), NULL);
    s->name = names[set];
    s->path = g_strdup(aimf_run_set_path(set));
    return (s->manifest = aimf_run_open_set(r->config, r->folder, set, NULL, error)) &&
           (s->sha256 = aimf_file_sha256(path, error));
}

/* Hashes of pictures are in the stages that used them, so that reading a run needs no pictures. */
static gboolean find_picture_hashes(AimfRunResults *r, const char *stage, GError **error)
{
    g_autofree char *folder = g_build_filename(r->folder, stage, NULL);
    g_autoptr(AimfProvenance) provenance = NULL;
    if (!aimf_provenance_look(folder, &provenance, error))
        return FALSE;
    for (int set = 0; provenance && set < AIMF_N_SETS; set++) {
        g_autofree char *name = g_strconcat(AIMF_PICTURES_OF, aimf_run_set_path(set), NULL);
        const char *hash = json_object_get_string_member_with_default(provenance->inputs, name, NULL);
        if (hash && !r->sets[set].pictures_sha256)
            r->sets[set].pictures_sha256 = g_strdup(hash);
    }
    return TRUE;
}

static gboolean find_all_picture_hashes(AimfRunResults *r, GError **error)
{
    if (!find_picture_hashes(r, "shared/data", error))
        return FALSE;
    for (guint i = 0; i < r->n_methods * r->n_seeds; i++) {
        g_autofree char *model = g_strconcat(r->cells[i].folder, "/model", NULL);
        g_autofree char *test = g_strconcat(r->cells[i].folder, "/test", NULL);
        if (!find_picture_hashes(r, model, error) || !find_picture_hashes(r, test, error))
            return FALSE;
    }
    for (guint s = 0; s < r->n_seeds; s++) {
        g_autofree char *stage = g_strdup_printf("shared/sensitivity-%" G_GUINT64_FORMAT, r->seeds[s]);
        if (!find_picture_hashes(r, stage, error))
            return FALSE;
    }
    return TRUE;
}

/* --- Impact ratios --- */

/* Rows @kept (n) alone, in their order. */
static void keep_rows(AimfImpactRows *rows, const guint32 *kept, guint n)
{
    gsize to = 0;
    for (guint c = 0; c < rows->n_columns; c++)
        for (guint i = 0; i < n; i++) /* never further than what is yet to be read */
            rows->category[to++] = rows->category[(gsize)c * rows->n + kept[i]];
    rows->n = n;
}

/* (nullable) Of the columns of those of the test set's pictures that could be read. */
static AimfImpact *measure_impact(const AimfRunResults *r, const AimfOutcomes *outcomes)
{
    const AimfManifest *test = r->sets[AIMF_SET_TEST].manifest;
    const char *const *columns = (const char *const *)aimf_config_list(r->config, AIMF_KEY_EVALUATE_IMPACT);
    if (!*columns || outcomes->positive < 0)
        return NULL;
    const AimfLabelRules rules = { .missing = AIMF_MISSING_KEEP }; /* as they were checked before the first stage */
    g_autofree guint32 *joined = aimf_run_join_rows(outcomes, test, NULL);
    g_autoptr(AimfImpactRows) rows = joined ? aimf_impact_rows_new(test, columns, &rules, NULL, NULL) : NULL;
    if (!rows)
        return NULL;
    keep_rows(rows, joined, outcomes->n);
    rows->prediction = g_new(int, outcomes->n);
    memcpy(rows->prediction, outcomes->prediction, outcomes->n * sizeof *rows->prediction);
    return aimf_impact_measure(rows, outcomes->positive, NULL);
}

static void take_impacts(AimfRunResults *r)
{
    for (guint m = 0; m < r->n_methods; m++) {
        guint s = aimf_run_first_seed(r, m);
        if (s < r->n_seeds)
            r->impact[m] = measure_impact(r, aimf_run_cell(r, m, s)->outcomes);
    }
}

/* --- All of it --- */

static char *title_of(const AimfRunResults *r)
{
    const char *title = aimf_config_text_at(r->config, AIMF_KEY_TITLE);
    const char *attribute = aimf_config_text_at(r->config, AIMF_KEY_DATA_PROTECTED);
    if (title)
        return g_strdup(title);
    if (r->target && attribute)
        return g_strdup_printf("%s, by %s", r->target, attribute);
    return g_strdup(r->target ? r->target : "A fairer classifier");
}

static gboolean read_sensitivities(AimfRunResults *r, GError **error)
{
    for (guint s = 0; s < r->n_seeds; s++) {
        g_autofree char *path =
            g_strdup_printf("%s/shared/sensitivity-%" G_GUINT64_FORMAT "/sensitivity.json", r->folder, r->seeds[s]);
        gboolean there;
        if (!aimf_path_there(path, &there, error) ||
            (there && !(r->sensitivities[s] = aimf_sensitivities_open(path, error))))
            return FALSE;
    }
    return TRUE;
}

/* The first cell's first stage says with which program, precision and number of threads all were made. */
static gboolean read_conditions(AimfRunResults *r, GError **error)
{
    g_autofree char *folder = g_build_filename(r->folder, "shared/data", NULL);
    g_autoptr(AimfProvenance) provenance = aimf_provenance_open(folder, error);
    if (!provenance)
        return FALSE;
    r->program = g_steal_pointer(&provenance->program);
    r->precision = g_steal_pointer(&provenance->precision);
    r->threads = provenance->threads;
    return TRUE;
}

/* As a model that came to be says, or where none did, as those would have that were asked for. */
static gboolean count_tensors(const AimfRunResults *r, guint *n, GError **error)
{
    for (guint s = 0; s < r->n_seeds; s++) {
        g_autofree char *path =
            g_strdup_printf("%s/cells/biased-%" G_GUINT64_FORMAT "/model/training.json", r->folder, r->seeds[s]);
        GError *failure = NULL;
        g_autoptr(JsonNode) node = aimf_json_open(path, MAX_JSON_BYTES, &failure);
        gint64 tensors;
        if (aimf_is_fault(failure)) {
            g_propagate_error(error, failure);
            return FALSE;
        }
        g_clear_error(&failure);
        if (node && aimf_json_int(json_node_get_object(node), path, "tensors", 1, 1000000, &tensors, NULL)) {
            *n = (guint)tensors;
            return TRUE;
        }
    }
    if (!aimf_config_given(r->config, AIMF_KEY_TRAIN_MODEL))
        return aimf_run_count_tensors(r->config, n, error);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' is not finished: no seed has its biased classifier",
                r->folder);
    return FALSE;
}

static gboolean read_config(AimfRunResults *r, GError **error)
{
    g_autofree char *path = g_build_filename(r->folder, "config.resolved.yaml", NULL);
    gboolean there;
    if (!aimf_path_there(path, &there, error))
        return FALSE;
    if (!there) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_NOT_FOUND,
                    "'%s' is no folder of a run: it has no config.resolved.yaml", r->folder);
        return FALSE;
    }
    if (!(r->config = aimf_config_read_back(path, error)))
        return FALSE;
    r->n_seeds = aimf_config_length(r->config, AIMF_KEY_SEEDS);
    r->seeds = g_new0(guint64, r->n_seeds + 1);
    for (guint s = 0; s < r->n_seeds; s++)
        r->seeds[s] = aimf_config_integer_at(r->config, AIMF_KEY_SEEDS, s);
    guint n_tensors;
    if (!count_tensors(r, &n_tensors, error) ||
        !(r->methods = aimf_run_methods(r->config, n_tensors, &r->n_methods, error)))
        return FALSE;
    r->cells = g_new0(AimfRunCell, r->n_methods * r->n_seeds + 1);
    r->averages = g_new0(AimfRunAverage, r->n_methods + 1);
    r->impact = g_new0(AimfImpact *, r->n_methods + 1);
    r->sensitivities = g_new0(AimfSensitivities *, r->n_seeds + 1);
    r->seed_verdicts = g_new0(AimfVerdicts *, r->n_seeds + 1);
    return TRUE;
}

/* What all models are of. */
static gboolean read_architecture(AimfRunResults *r, GError **error)
{
    for (guint i = 0; i < r->n_methods * r->n_seeds && !r->architecture; i++) {
        if (!r->cells[i].model_sha256)
            continue;
        g_autofree char *path = g_build_filename(r->folder, r->cells[i].folder, "model/model.safetensors", NULL);
        g_autoptr(AimfModel) model = aimf_model_open(path, error);
        if (!model)
            return FALSE;
        r->architecture = g_strdup(model->architecture);
    }
    if (!r->architecture)
        r->architecture = aimf_run_architecture(r->config, error);
    return r->architecture != NULL;
}

/* Where no model came to be, what it would have been asked. */
static void settle_names(AimfRunResults *r)
{
    guint n;
    const char *const *labels = aimf_manifest_groups(r->sets[AIMF_SET_TEST].manifest, &n);
    if (r->labels)
        return;
    r->labels = g_new0(char *, n + 1);
    for (guint i = 0; i < n; i++)
        r->labels[i] = g_strdup(labels[i]);
    r->target = g_strdup(aimf_config_text_at(r->config, AIMF_KEY_DATA_TARGET));
    if (aimf_config_length(r->config, AIMF_KEY_DATA_CLASSES))
        r->classes = g_strdupv((char **)aimf_config_list(r->config, AIMF_KEY_DATA_CLASSES));
    else
        r->classes = aimf_manifest_class_names(r->sets[AIMF_SET_TEST].manifest);
}

AimfRunResults *aimf_run_results_open(const char *folder, const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfRunResults) r = g_new0(AimfRunResults, 1);
    r->folder = g_strdup(folder);
    r->decision = AIMF_MET;
    if (!read_config(r, error) || !read_conditions(r, error))
        return NULL;
    for (int set = 0; set < AIMF_N_SETS; set++)
        if (!read_set(r, set, error))
            return NULL;
    for (guint s = 0; s < r->n_seeds; s++)
        for (guint m = 0; m < r->n_methods; m++)
            if (!read_cell(r, m, s, monitor, error))
                return NULL;
    settle_names(r);
    aimf_run_results_name_labels(r);
    for (guint m = 0; m < r->n_methods; m++)
        if (!average(r, m, monitor, error))
            return NULL;
    if (!read_sensitivities(r, error) || !read_architecture(r, error) || !judge(r, monitor, error) ||
        !find_all_picture_hashes(r, error))
        return NULL;
    take_impacts(r);
    r->title = title_of(r);
    return g_steal_pointer(&r);
}
