/* The data's three sets: found, checked, hashed, and written as manifests; or drawn. */
#include "base/file.h"
#include "base/json.h"
#include "base/monitor.h"
#include "portraits/portrait_set.h"
#include "run/job.h"

#include <aimfair/error.h>
#include <aimfair/sets.h>
#include <math.h>
#include <string.h>

static const char *const NAMES[AIMF_N_PARTS] = { "train", "val", "test" };

/* --- Portraits --- */

/*
 * In the photographs for training, nine of ten smiles go with long hair; validation and test hold all groups equally.
 */
static const AimfPortraitSet PORTRAITS[AIMF_N_PARTS] = {
    { "photographs/train", AIMF_LOOK_PHOTOGRAPH, 0, { { 80, 720 }, { 720, 80 } } },
    { "photographs/val", AIMF_LOOK_PHOTOGRAPH, 10000, { { 60, 60 }, { 60, 60 } } },
    { "photographs/test", AIMF_LOOK_PHOTOGRAPH, 20000, { { 200, 200 }, { 200, 200 } } },
};

static gboolean draw(AimfRunJob *job, const char *part, AimfProvenance *made, GError **error)
{
    guint64 seed = (guint64)aimf_config_integer(job->config, AIMF_KEY_DATA_SEED);
    for (int i = 0; i < AIMF_N_PARTS; i++) {
        if (!aimf_portrait_set_draw(&PORTRAITS[i], part, seed, job->monitor, error))
            return FALSE;
        g_autoptr(AimfManifest) manifest =
            aimf_portrait_set_manifest(&PORTRAITS[i], part, NAMES[i], PORTRAITS[i].count, error);
        g_autofree char *name = g_strdup_printf("%s%s.csv", AIMF_PICTURES_OF, NAMES[i]);
        g_autofree char *hash = manifest ? aimf_pictures_hash(job->hashes, manifest, job->monitor, error) : NULL;
        if (!hash)
            return FALSE;
        json_object_set_string_member(made->outputs, name, hash);
    }
    return TRUE;
}

/* --- Sets that are there --- */

static AimfLabelRules label_rules(AimfRunJob *job)
{
    return (AimfLabelRules){
        .missing = (AimfMissing)aimf_config_choice(job->config, AIMF_KEY_DATA_MISSING),
        .merge_spellings = aimf_config_boolean(job->config, AIMF_KEY_DATA_MERGE_LABELS),
        .findings = job->findings,
    };
}

static gboolean need(const AimfConfig *config, AimfConfigKey key, GError **error)
{
    if (aimf_config_given(config, key))
        return TRUE;
    aimf_config_error(config, key, error, "it is missing, and data.kind is %s",
                      aimf_config_text_at(config, AIMF_KEY_DATA_KIND));
    return FALSE;
}

/* (owned, nullable) Absolute: what is told of a file, and kept, does not depend on where the run was started. */
static char *absolute_path(const AimfConfig *config, AimfConfigKey key)
{
    g_autofree char *path = aimf_config_path(config, key);
    return path ? g_canonicalize_filename(path, NULL) : NULL;
}

/* Training does without protected labels; measuring does not. */
static gboolean open_manifests(AimfRunJob *job, GError **error)
{
    static const AimfConfigKey keys[] = { AIMF_KEY_DATA_TRAIN, AIMF_KEY_DATA_VAL, AIMF_KEY_DATA_TEST };
    for (int i = 0; i < AIMF_N_PARTS; i++) {
        if (!need(job->config, keys[i], error))
            return FALSE;
        const AimfManifestOptions options = {
            .labels = label_rules(job),
            .protected_labels = i == AIMF_PART_TEST ? AIMF_COLUMN_REQUIRED : AIMF_COLUMN_OPTIONAL,
        };
        g_autofree char *path = absolute_path(job->config, keys[i]);
        if (!(job->data[i] = aimf_manifest_open_with(path, &options, job->monitor, error)))
            return FALSE;
    }
    if (aimf_config_boolean(job->config, AIMF_KEY_DATA_MERGE_LABELS))
        aimf_manifests_merge_labels(job->data, AIMF_N_PARTS);
    return TRUE;
}

static AimfDataset *open_dataset(AimfRunJob *job, GError **error)
{
    const AimfConfig *config = job->config;
    const char *kind = aimf_config_text_at(config, AIMF_KEY_DATA_KIND);
    gboolean csv = strcmp(kind, "csv") == 0, named = strcmp(kind, "groups") != 0;
    if (!need(config, csv ? AIMF_KEY_DATA_FILE : AIMF_KEY_DATA_ROOT, error) ||
        (named && (!need(config, AIMF_KEY_DATA_TARGET, error) || !need(config, AIMF_KEY_DATA_PROTECTED, error))))
        return NULL;
    g_autofree char *root = absolute_path(config, AIMF_KEY_DATA_ROOT);
    g_autofree char *file = absolute_path(config, AIMF_KEY_DATA_FILE);
    const AimfDatasetOptions options = {
        .root = root,
        .target = aimf_config_text_at(config, AIMF_KEY_DATA_TARGET),
        .protected_attributes = aimf_config_text_at(config, AIMF_KEY_DATA_PROTECTED),
        .file = file,
        .path_column = csv ? aimf_config_text_at(config, AIMF_KEY_DATA_PATH_COLUMN) : NULL,
        .split_column = aimf_config_text_at(config, AIMF_KEY_DATA_SPLIT_COLUMN),
        .target_map = aimf_config_text_at(config, AIMF_KEY_DATA_TARGET_MAP),
        .protected_maps = (const char *const *)aimf_config_list(config, AIMF_KEY_DATA_PROTECTED_MAPS),
        .labels = label_rules(job),
    };
    return aimf_dataset_open(kind, &options, job->monitor, error);
}

static gboolean split_dataset(AimfRunJob *job, GError **error)
{
    const AimfConfig *config = job->config;
    g_autoptr(AimfDataset) dataset = open_dataset(job, error);
    if (!dataset)
        return FALSE;
    if (strcmp(aimf_config_text_at(config, AIMF_KEY_DATA_SPLIT), "drawn") == 0)
        g_clear_pointer(&dataset->parts, g_free);
    AimfSplitOptions options = {
        .biased = aimf_config_given(config, AIMF_KEY_DATA_BIAS),
        .bias = aimf_config_real(config, AIMF_KEY_DATA_BIAS),
        .count = (guint)aimf_config_integer(config, AIMF_KEY_DATA_COUNT),
        .seed = (guint64)aimf_config_integer(config, AIMF_KEY_DATA_SEED),
    };
    if (!dataset->parts) {
        options.val_per_group = (guint)aimf_config_integer(config, AIMF_KEY_DATA_VAL_PER_GROUP);
        options.test_per_group = (guint)aimf_config_integer(config, AIMF_KEY_DATA_TEST_PER_GROUP);
    }
    aimf_check_dataset(dataset->samples, "dataset", job->findings);
    if (options.biased)
        aimf_check_bias(dataset->samples, options.bias, options.count, job->findings);
    return aimf_dataset_split(dataset, &options, job->monitor, job->data, error);
}

static gboolean check_parts(AimfRunJob *job, GError **error)
{
    static const char *const shown[AIMF_N_PARTS] = { "training set", "validation set", "test set" };
    for (int i = 0; i < AIMF_N_PARTS; i++) {
        if (aimf_manifest_count(job->data[i]) == 0) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "the %s has no pictures", shown[i]);
            return FALSE;
        }
    }
    return aimf_check_parts((const AimfManifest *const *)job->data, shown, AIMF_N_PARTS, job->monitor, job->findings,
                            error) &&
           aimf_run_tell_findings(job, error);
}

gboolean aimf_run_open_data(AimfRunJob *job, GError **error)
{
    if (aimf_run_is_drawn(job->config))
        return TRUE;
    gboolean manifests = strcmp(aimf_config_text_at(job->config, AIMF_KEY_DATA_KIND), "manifests") == 0;
    return (manifests ? open_manifests : split_dataset)(job, error) && check_parts(job, error);
}

/* --- The stage --- */

static gboolean describe(AimfRunJob *job, AimfRunStage *stage, AimfProvenance *wanted, GError **error)
{
    for (int i = 0; i < AIMF_N_PARTS && !aimf_run_is_drawn(job->config); i++) {
        g_autofree char *rows = g_strdup_printf("rows of %s", NAMES[i]);
        g_autofree char *pictures = g_strdup_printf("%s%s/%s.csv", AIMF_PICTURES_OF, stage->name, NAMES[i]);
        g_autofree char *rows_hash = aimf_run_rows_hash(job->data[i]);
        g_autofree char *hash = aimf_pictures_hash(job->hashes, job->data[i], job->monitor, error);
        if (!hash)
            return FALSE;
        json_object_set_string_member(wanted->inputs, rows, rows_hash);
        json_object_set_string_member(wanted->inputs, pictures, hash);
    }
    return TRUE;
}

/* (owned) The folder that pictures lie in: where they are looked for when they were moved. */
static char *root_of(AimfRunJob *job)
{
    g_autofree char *file = absolute_path(job->config, AIMF_KEY_DATA_FILE);
    g_autofree char *train = absolute_path(job->config, AIMF_KEY_DATA_TRAIN);
    char *root = absolute_path(job->config, AIMF_KEY_DATA_ROOT);
    return root || !(file || train) ? root : g_path_get_dirname(file ? file : train);
}

/* Where pictures come from, and what is doubtful about the sets. */
static gboolean save_description(AimfRunJob *job, const char *part, GError **error)
{
    g_autofree char *path = g_build_filename(part, "data.json", NULL), *root = root_of(job);
    g_autofree char *warnings = aimf_findings_json(job->findings);
    JsonObject *object = json_object_new();
    if (root && g_utf8_validate(root, -1, NULL))
        json_object_set_string_member(object, "root", root);
    else
        json_object_set_null_member(object, "root");
    json_object_set_string_member(object, "kind", aimf_config_text_at(job->config, AIMF_KEY_DATA_KIND));
    json_object_set_member(object, "warnings", json_from_string(warnings, NULL));
    g_autofree char *text = aimf_json_lines(object);
    return aimf_file_write(path, text, strlen(text), error);
}

static gboolean make(AimfRunJob *job, AimfRunStage *stage, const char *part, AimfProvenance *made, GError **error)
{
    (void)stage;
    if (aimf_run_is_drawn(job->config))
        return draw(job, part, made, error) && save_description(job, part, error);
    for (int i = 0; i < AIMF_N_PARTS; i++) {
        g_autofree char *file = g_strconcat(NAMES[i], ".csv", NULL), *path = g_build_filename(part, file, NULL);
        if (!aimf_manifest_save(job->data[i], path, error))
            return FALSE;
    }
    return save_description(job, part, error);
}

static double cost(const AimfRunJob *job, const AimfRunStage *stage, double *each)
{
    (void)stage;
    const double drawing = 3; /* beside looking at a picture */
    double pictures = 0;
    *each = drawing;
    for (int i = 0; i < AIMF_N_PARTS && aimf_run_is_drawn(job->config); i++)
        pictures += aimf_portrait_set_size(&PORTRAITS[i]);
    return drawing * pictures;
}

static const AimfConfigKey KEYS[] = {
    AIMF_KEY_DATA_KIND,
    AIMF_KEY_DATA_TRAIN,
    AIMF_KEY_DATA_VAL,
    AIMF_KEY_DATA_TEST,
    AIMF_KEY_DATA_TARGET,
    AIMF_KEY_DATA_PROTECTED,
    AIMF_KEY_DATA_FILE,
    AIMF_KEY_DATA_PATH_COLUMN,
    AIMF_KEY_DATA_SPLIT_COLUMN,
    AIMF_KEY_DATA_TARGET_MAP,
    AIMF_KEY_DATA_PROTECTED_MAPS,
    AIMF_KEY_DATA_MISSING,
    AIMF_KEY_DATA_MERGE_LABELS,
    AIMF_KEY_DATA_SPLIT,
    AIMF_KEY_DATA_BIAS,
    AIMF_KEY_DATA_COUNT,
    AIMF_KEY_DATA_VAL_PER_GROUP,
    AIMF_KEY_DATA_TEST_PER_GROUP,
    AIMF_KEY_DATA_SEED,
    AIMF_N_KEYS,
};

const AimfStageKind AIMF_STAGE_DATA = { .keys = KEYS, .describe = describe, .make = make, .cost = cost };
