#include "train/provenance.h"

#include "base/file.h"
#include "base/json.h"
#include "base/shown.h"
#include "model/model.h"

#include <aimfair/json.h>
#include <string.h>

static void set_text(JsonObject *run, const char *key, char *value)
{
    json_object_set_string_member(run, key, value);
    g_free(value);
}

static void set_doubles(JsonObject *run, const char *key, const double *values, gsize n)
{
    JsonArray *array = json_array_new();
    for (gsize i = 0; i < n; i++)
        json_array_add_double_element(array, values[i]);
    json_object_set_array_member(run, key, array);
}

/* What is as it always was is said as it always was: states and trainings of before stay comparable. */
static void describe_size(JsonObject *run, const AimfPreprocess *preprocess)
{
    if (preprocess->width == preprocess->height)
        json_object_set_int_member(run, "image_size", preprocess->width);
    else
        set_text(run, "image_size", g_strdup_printf("%dx%d", preprocess->width, preprocess->height));
    for (const char *const *name = aimf_preprocess_names(); *name; name++) {
        char *value = aimf_preprocess_get(preprocess, *name);
        if (value)
            set_text(run, *name, value);
    }
}

static void describe_input(JsonObject *run, const AimfModel *model, const AimfTrainOptions *options)
{
    double mean[3], std[3];
    for (int c = 0; c < 3; c++) {
        mean[c] = (double)model->preprocess.mean[c];
        std[c] = (double)model->preprocess.std[c];
    }
    json_object_set_string_member(run, "architecture", model->architecture);
    describe_size(run, &model->preprocess);
    json_object_set_int_member(run, "outputs", model->outputs);
    set_doubles(run, "mean", mean, 3);
    set_doubles(run, "std", std, 3);
    json_object_set_boolean_member(run, "shuffle", options->shuffle);
    if (!options->augment) {
        json_object_set_null_member(run, "augment");
        return;
    }
    const AimfAugment *a = options->augment;
    const double values[] = { a->scale[0], a->scale[1], a->ratio[0], a->ratio[1], a->flip };
    set_doubles(run, "augment", values, G_N_ELEMENTS(values));
}

static void describe_optimizer(JsonObject *run, const AimfOptimizer *o)
{
    if (o->kind == AIMF_OPTIMIZER_ADAMW) {
        json_object_set_string_member(run, "optimizer", "adamw");
        set_doubles(run, "betas", o->betas, 2);
        json_object_set_double_member(run, "epsilon", o->epsilon);
    } else {
        json_object_set_double_member(run, "momentum", o->momentum);
    }
    json_object_set_double_member(run, "weight_decay", o->weight_decay);
    if (o->decay_weights_only)
        json_object_set_string_member(run, "decay", "weights");
    if (o->clip_norm > 0)
        json_object_set_double_member(run, "clip_norm", o->clip_norm);
    if (o->average > 0)
        json_object_set_double_member(run, "ema", o->average);
}

/* The learning rates of a cosine depend on the number of epochs: such a run cannot be made longer. */
static void describe_schedule(JsonObject *run, const AimfTrainOptions *options)
{
    if (options->schedule == AIMF_SCHEDULE_COSINE)
        set_text(run, "schedule", g_strdup_printf("cosine over %u epochs", options->epochs));
    if (options->warmup_epochs)
        json_object_set_int_member(run, "warmup_epochs", options->warmup_epochs);
}

JsonObject *aimf_run_describe(const AimfModel *model, const AimfManifest *train, const AimfManifest *validation,
                              const AimfTrainOptions *options)
{
    JsonObject *run = json_object_new();
    describe_input(run, model, options);
    json_object_set_int_member(run, "epochs", options->epochs);
    json_object_set_int_member(run, "batch", options->batch);
    json_object_set_double_member(run, "learning_rate", options->learning_rate);
    describe_optimizer(run, &options->optimizer);
    json_object_set_double_member(run, "gamma", options->gamma != 0 ? options->gamma : 0.1);
    JsonArray *milestones = json_array_new();
    for (guint i = 0; i < options->n_milestones; i++)
        json_array_add_int_element(milestones, options->milestones[i]);
    json_object_set_array_member(run, "milestones", milestones);
    set_text(run, "trainable", options->trainable ? g_strjoinv(",", (char **)options->trainable) : g_strdup("all"));
    json_object_set_boolean_member(run, "later_tie_wins", options->later_tie_wins);
    json_object_set_string_member(run, "precision", options->precision == AIMF_PRECISION_BF16 ? "bf16" : "f32");
    set_text(run, "seed", g_strdup_printf("%" G_GUINT64_FORMAT, options->seed)); /* JSON's integers are too small */
    json_object_set_int_member(run, "skip_bad", options->skip_bad);
    set_text(run, "train", aimf_manifest_hash(train));
    set_text(run, "validation", aimf_manifest_hash(validation));
    set_text(run, "initial_weights", aimf_model_hash(model));
    /* A run without them is described as it was before there was the choice. */
    describe_schedule(run, options);
    if (options->label_smoothing > 0)
        json_object_set_double_member(run, "label_smoothing", options->label_smoothing);
    if (options->batch_norm == AIMF_BATCH_NORM_FROZEN)
        json_object_set_string_member(run, "batch_norm", "frozen");
    if (options->select != AIMF_SELECT_ACCURACY)
        json_object_set_string_member(run, "select",
                                      options->select == AIMF_SELECT_WORST_GROUP ? "worst-group" : "equalized-odds");
    if (options->keep_best_of == AIMF_KEEP_BEST_OF_START)
        json_object_set_string_member(run, "keep_best_of", "start");
    return run;
}

static char *value_text(JsonObject *run, const char *key)
{
    JsonNode *node = json_object_get_member(run, key);
    return node ? aimf_json_write(node, FALSE) : g_strdup("nothing");
}

char *aimf_run_text(JsonObject *run)
{
    g_autoptr(JsonNode) node = json_node_init_object(json_node_alloc(), run);
    return aimf_json_write(node, FALSE);
}

/* How many epochs there are changes none of them. */
static void note_difference(GString *differences, const char *key, JsonObject *stored, JsonObject *run)
{
    g_autofree char *before = value_text(stored, key);
    g_autofree char *now = value_text(run, key);
    if (strcmp(key, "epochs") != 0 && strcmp(before, now) != 0)
        g_string_append_printf(differences, "%s%s was %s and is %s", differences->len ? "; " : "", AIMF_SHOWN(key),
                               AIMF_SHOWN(before), AIMF_SHOWN(now));
}

gboolean aimf_run_check(JsonObject *run, const char *text, GError **error)
{
    g_autoptr(JsonNode) node = text ? aimf_json_parse(text, strlen(text), NULL) : NULL;
    if (!node || !JSON_NODE_HOLDS_OBJECT(node)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_FORMAT, "its description of the run is damaged");
        return FALSE;
    }
    JsonObject *stored = json_node_get_object(node);
    g_autoptr(GString) differences = g_string_new(NULL);
    g_autoptr(GList) keys = json_object_get_members(run);
    g_autoptr(GList) stored_keys = json_object_get_members(stored);
    for (GList *key = keys; key; key = key->next)
        note_difference(differences, key->data, stored, run);
    for (GList *key = stored_keys; key; key = key->next)
        if (!json_object_has_member(run, key->data))
            note_difference(differences, key->data, stored, run);
    if (differences->len == 0)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "it belongs to another run: %s", differences->str);
    return FALSE;
}

static gint compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/*
 * (owned) a hash of the pictures' names and sizes, in no order, without folders and whatever they are labelled. One
 * that cannot be examined, which training may have tolerated, is of no size.
 */
static char *pictures_hash(const AimfManifest *manifest)
{
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < aimf_manifest_count(manifest); i++) {
        AimfSample sample = aimf_manifest_at(manifest, i);
        AimfStamp stamp;
        gint64 size = aimf_file_stamp(sample.path, &stamp, NULL) ? stamp.bytes : -1;
        g_autofree char *name = g_path_get_basename(sample.path);
        g_ptr_array_add(lines, g_strdup_printf("%s\n%" G_GINT64_FORMAT, name, size));
    }
    g_ptr_array_sort(lines, compare_lines);
    GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint i = 0; i < lines->len; i++) {
        const char *line = g_ptr_array_index(lines, i);
        g_checksum_update(checksum, (const guchar *)line, (gssize)strlen(line) + 1);
    }
    char *hash = g_strdup(g_checksum_get_string(checksum));
    g_checksum_free(checksum);
    return hash;
}

/* (owned) the list of trainings in @weights' metadata; NULL where there is none. */
static JsonNode *read_trainings(const AimfTensors *weights)
{
    const char *text = aimf_tensors_metadata(weights, AIMF_TRAININGS);
    g_autoptr(JsonNode) list = text ? aimf_json_parse(text, strlen(text), NULL) : NULL;
    return list && JSON_NODE_HOLDS_ARRAY(list) ? g_steal_pointer(&list) : NULL;
}

void aimf_run_record(AimfModel *model, JsonObject *run, const AimfManifest *train, const AimfManifest *validation,
                     const AimfTrainResult *result)
{
    g_autoptr(JsonNode) list = read_trainings(model->tensors);
    if (!list) {
        list = json_node_new(JSON_NODE_ARRAY);
        json_node_take_array(list, json_array_new());
    }
    set_text(run, "train_pictures", pictures_hash(train));
    set_text(run, "validation_pictures", pictures_hash(validation));
    json_object_set_int_member(run, "best_epoch", result->kept_start ? 0 : (gint64)result->best_epoch + 1);
    json_object_set_double_member(run, "best_accuracy", result->best_accuracy);
    if (result->groups)
        json_object_set_double_member(run, "start_accuracy", result->start.val_accuracy);
    json_array_add_object_element(json_node_get_array(list), json_object_ref(run));
    g_autofree char *text = aimf_json_write(list, FALSE);
    aimf_tensors_set_metadata(model->tensors, AIMF_TRAININGS, text);
}

static gboolean names_hash(JsonObject *run, const char *member, const char *hash)
{
    JsonNode *node = json_object_get_member(run, member);
    return hash && node && JSON_NODE_HOLDS_VALUE(node) && g_strcmp0(json_node_get_string(node), hash) == 0;
}

AimfUse aimf_run_use(const AimfTensors *weights, const AimfManifest *manifest)
{
    g_autoptr(JsonNode) list = weights ? read_trainings(weights) : NULL;
    AimfUse use = AIMF_USE_NONE;
    if (!list || aimf_manifest_count(manifest) == 0)
        return use;
    g_autofree char *rows = aimf_manifest_hash(manifest), *pictures = pictures_hash(manifest);
    JsonArray *runs = json_node_get_array(list);
    for (guint i = 0; i < json_array_get_length(runs); i++) {
        JsonNode *node = json_array_get_element(runs, i);
        if (!JSON_NODE_HOLDS_OBJECT(node))
            continue;
        JsonObject *run = json_node_get_object(node);
        if (names_hash(run, "train", rows) || names_hash(run, "train_pictures", pictures))
            use = MAX(use, i == 0 ? AIMF_USE_PRETRAINING : AIMF_USE_TRAINING);
        else if (names_hash(run, "validation", rows) || names_hash(run, "validation_pictures", pictures))
            use = MAX(use, AIMF_USE_VALIDATION);
    }
    return use;
}
