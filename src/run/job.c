#include "run/job.h"

#include "base/file.h"
#include "base/instruction_set.h"
#include "base/monitor.h"
#include "run/config_values.h"

#include <aimfair/error.h>
#include <omp.h>
#include <string.h>

/* --- Methods --- */

char *aimf_run_architecture(const AimfConfig *config, GError **error)
{
    g_autofree char *path = aimf_config_path(config, AIMF_KEY_TRAIN_MODEL);
    if (!path)
        return g_strdup(aimf_config_text_at(config, AIMF_KEY_TRAIN_ARCHITECTURE));
    g_autoptr(AimfModel) model = aimf_model_open(path, error);
    return model ? g_strdup(model->architecture) : NULL;
}

static gboolean count_tensors(const AimfConfig *config, guint *n, GError **error)
{
    enum { ANY_SIZE = 224 };
    g_autofree char *architecture = aimf_run_architecture(config, error);
    AimfArchitectureCost cost;
    if (!architecture || !aimf_architecture_cost(architecture, ANY_SIZE, ANY_SIZE, 1, &cost, error))
        return FALSE;
    *n = cost.tensors;
    return TRUE;
}

static void add_method(GArray *methods, char *name, char *title, guint k)
{
    AimfRunMethod method = { name, title, k };
    g_array_append_val(methods, method);
}

static gboolean add_selections(const AimfConfig *config, guint n_tensors, GArray *methods, GError **error)
{
    guint n = aimf_config_length(config, AIMF_KEY_FINETUNE_TOP_K);
    for (guint i = 0; i < n; i++) {
        double value = aimf_config_number_at(config, AIMF_KEY_FINETUNE_TOP_K, i);
        guint k = value < 1 ? aimf_top_k(n_tensors, value) : (guint)value;
        if (k > n_tensors || (value >= 1 && value != k)) {
            aimf_config_error(config, AIMF_KEY_FINETUNE_TOP_K, error,
                              "%g is neither a share below 1 nor a number of the model's %u tensors", value, n_tensors);
            return FALSE;
        }
        for (guint m = 0; m < methods->len; m++) {
            if (g_array_index(methods, AimfRunMethod, m).k != k)
                continue;
            aimf_config_error(config, AIMF_KEY_FINETUNE_TOP_K, error, "k = %u is there twice", k);
            return FALSE;
        }
        add_method(methods, n == 1 ? g_strdup("aim-fair") : g_strdup_printf("aim-fair-k%u", k),
                   g_strdup_printf("AIM-Fair, k = %u", k), k);
    }
    return TRUE;
}

static void method_clear(gpointer data)
{
    AimfRunMethod *method = data;
    g_free(method->name);
    g_free(method->title);
}

AimfRunMethod *aimf_run_methods(const AimfConfig *config, guint n_tensors, guint *n, GError **error)
{
    static const char *const titles[] = { NULL, "full fine-tuning", "last layer" };
    GArray *methods = g_array_new(FALSE, TRUE, sizeof(AimfRunMethod));
    g_array_set_clear_func(methods, method_clear);
    add_method(methods, g_strdup("biased"), g_strdup("biased"), 0);
    gboolean seen[G_N_ELEMENTS(titles)] = { FALSE };
    gboolean good = TRUE;
    for (guint i = 0; good && i < aimf_config_length(config, AIMF_KEY_FINETUNE_METHODS); i++) {
        guint kind = (guint)aimf_config_integer_at(config, AIMF_KEY_FINETUNE_METHODS, i);
        const char *name = aimf_config_list(config, AIMF_KEY_FINETUNE_METHODS)[i];
        if (seen[kind]) {
            aimf_config_error(config, AIMF_KEY_FINETUNE_METHODS, error, "%s is there twice", name);
            good = FALSE;
        } else if (kind == 0) {
            good = add_selections(config, n_tensors, methods, error);
        } else {
            add_method(methods, g_strdup(name), g_strdup(titles[kind]), 0);
        }
        seen[kind] = TRUE;
    }
    if (!good) {
        g_array_unref(methods);
        return NULL;
    }
    *n = methods->len;
    g_array_set_clear_func(methods, NULL);
    return (AimfRunMethod *)(void *)g_array_free(methods, FALSE);
}

/* --- Stages --- */

char *aimf_run_cell_name(const AimfRunMethod *method, guint64 seed)
{
    return g_strdup_printf("cells/%s-%" G_GUINT64_FORMAT, method->name, seed);
}

AimfRunStage *aimf_run_stage(const AimfRunJob *job, const char *name)
{
    for (guint i = 0; i < job->stages->len; i++) {
        AimfRunStage *stage = g_ptr_array_index(job->stages, i);
        if (strcmp(stage->name, name) == 0)
            return stage;
    }
    return NULL;
}

char *aimf_run_stage_path(const AimfRunJob *job, const char *stage, const char *file)
{
    return g_build_filename(job->folder, stage, file, NULL);
}

static void stage_free(gpointer data)
{
    AimfRunStage *stage = data;
    g_free(stage->name);
    g_ptr_array_unref(stage->needs);
    aimf_provenance_free(stage->done);
    g_free(stage);
}

/* @needs: (up to NULL, nullable elements are passed over) names */
static AimfRunStage *add_stage(AimfRunJob *job, char *name, const AimfStageKind *kind, const char *const *needs,
                               gsize n_needs)
{
    AimfRunStage *stage = g_new0(AimfRunStage, 1);
    *stage = (AimfRunStage){ .name = name, .kind = kind, .needs = g_ptr_array_new() };
    for (gsize i = 0; i < n_needs; i++) {
        AimfRunStage *need = needs[i] ? aimf_run_stage(job, needs[i]) : NULL;
        if (need)
            g_ptr_array_add(stage->needs, need);
    }
    g_ptr_array_add(job->stages, stage);
    return stage;
}

static void add_cell(AimfRunJob *job, guint method, guint seed)
{
    guint64 number = aimf_config_integer_at(job->config, AIMF_KEY_SEEDS, seed);
    g_autofree char *cell = aimf_run_cell_name(&job->methods[method], number);
    g_autofree char *biased = aimf_run_cell_name(&job->methods[0], number);
    g_autofree char *start = g_strconcat(biased, "/model", NULL), *model = g_strconcat(cell, "/model", NULL);
    g_autofree char *sensitivity = g_strdup_printf("shared/sensitivity-%" G_GUINT64_FORMAT, number);
    if (method && job->methods[method].k && !aimf_run_stage(job, sensitivity)) {
        const char *const needs[] = { "shared/data", "shared/sets", start };
        add_stage(job, g_strdup(sensitivity), &AIMF_STAGE_SENSITIVITY, needs, G_N_ELEMENTS(needs))->seed = seed;
    }
    const char *const needs[] = { "shared/data", method ? "shared/sets" : NULL, method ? start : NULL,
                                  method && job->methods[method].k ? sensitivity : NULL };
    AimfRunStage *stage =
        add_stage(job, g_strdup(model), method ? &AIMF_STAGE_FINETUNE : &AIMF_STAGE_TRAIN, needs, G_N_ELEMENTS(needs));
    stage->method = method;
    stage->seed = seed;
    const char *const test_needs[] = { "shared/data", model };
    stage = add_stage(job, g_strconcat(cell, "/test", NULL), &AIMF_STAGE_TEST, test_needs, G_N_ELEMENTS(test_needs));
    stage->method = method;
    stage->seed = seed;
}

static void add_stages(AimfRunJob *job)
{
    gboolean portraits = g_strcmp0(aimf_config_text_at(job->config, AIMF_KEY_DATA_KIND), "portraits") == 0;
    gboolean ready = aimf_config_given(job->config, AIMF_KEY_GENERATE_BALANCED);
    static const char *const of_pictures[] = { "shared/prompts" }, *const of_sets[] = { "shared/data",
                                                                                        "shared/pictures" };
    add_stage(job, g_strdup("shared/data"), &AIMF_STAGE_DATA, NULL, 0);
    if (!ready && !portraits)
        add_stage(job, g_strdup("shared/prompts"), &AIMF_STAGE_PROMPTS, NULL, 0);
    if (!ready)
        add_stage(job, g_strdup("shared/pictures"), &AIMF_STAGE_PICTURES, of_pictures, G_N_ELEMENTS(of_pictures));
    add_stage(job, g_strdup("shared/sets"), &AIMF_STAGE_SETS, of_sets, G_N_ELEMENTS(of_sets));
    for (guint seed = 0; seed < aimf_config_length(job->config, AIMF_KEY_SEEDS); seed++)
        for (guint method = 0; method < job->n_methods; method++)
            add_cell(job, method, seed);
}

/* --- The job --- */

/* What no stage would say before hours of work. */
static gboolean check_config(const AimfConfig *config, GError **error)
{
    for (guint i = 0; i < aimf_config_length(config, AIMF_KEY_SEEDS); i++)
        for (guint k = 0; k < i; k++)
            if (aimf_config_integer_at(config, AIMF_KEY_SEEDS, i) ==
                aimf_config_integer_at(config, AIMF_KEY_SEEDS, k)) {
                aimf_config_error(config, AIMF_KEY_SEEDS, error, "%s is there twice",
                                  aimf_config_list(config, AIMF_KEY_SEEDS)[i]);
                return FALSE;
            }
    gboolean portraits = g_strcmp0(aimf_config_text_at(config, AIMF_KEY_DATA_KIND), "portraits") == 0;
    if (!portraits && !aimf_config_given(config, AIMF_KEY_GENERATE_BALANCED) &&
        !aimf_config_given(config, AIMF_KEY_GENERATE_MODEL)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "nothing says where synthetic pictures come from: generate.model names Stable Diffusion, or "
                    "generate.balanced a manifest of ready ones");
        return FALSE;
    }
    if (aimf_config_length(config, AIMF_KEY_TRAIN_BETAS) == 1 || aimf_config_length(config, AIMF_KEY_TRAIN_BETAS) > 2 ||
        aimf_config_length(config, AIMF_KEY_FINETUNE_BETAS) == 1 ||
        aimf_config_length(config, AIMF_KEY_FINETUNE_BETAS) > 2) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "betas are two numbers");
        return FALSE;
    }
    return TRUE;
}

/* Gates are read before the work whose results they judge. */
static gboolean check_gates(const AimfConfig *config, GError **error)
{
    static const AimfConfigKey keys[] = { AIMF_KEY_GATES_REQUIRE, AIMF_KEY_GATES_EVIDENCE };
    for (gsize k = 0; k < G_N_ELEMENTS(keys); k++) {
        for (char *const *text = aimf_config_list(config, keys[k]); *text; text++) {
            AimfGate gate;
            g_autoptr(GError) failure = NULL;
            if (!aimf_gate_parse(*text, keys[k] == AIMF_KEY_GATES_EVIDENCE, &gate, &failure)) {
                aimf_config_error(config, keys[k], error, "%s", failure->message);
                return FALSE;
            }
            aimf_gate_clear(&gate);
        }
    }
    return TRUE;
}

AimfRunJob *aimf_run_job_new(const AimfConfig *config, const char *folder, const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfRunJob) job = g_new0(AimfRunJob, 1);
    job->config = config;
    job->folder = folder;
    aimf_work_begin(&job->work, monitor, 0);
    job->monitor = &job->work.inner;
    job->stages = g_ptr_array_new_with_free_func(stage_free);
    job->findings = aimf_findings_new();
    job->precision = aimf_config_choice(config, AIMF_KEY_PRECISION) == 1 ? AIMF_PRECISION_BF16 : AIMF_PRECISION_F32;
    job->threads = (int)aimf_config_integer(config, AIMF_KEY_THREADS);
    if (!job->threads)
        job->threads = omp_get_max_threads();
    g_autofree char *known = g_build_filename(folder, "machine-pictures.csv", NULL);
    job->hashes = aimf_picture_hashes_open(known);
    if (!check_config(config, error) || !check_gates(config, error) ||
        !(job->device = aimf_device_open(aimf_config_text_at(config, AIMF_KEY_DEVICE), error)) ||
        !count_tensors(config, &job->n_tensors, error) ||
        !(job->methods = aimf_run_methods(config, job->n_tensors, &job->n_methods, error)))
        return NULL;
    add_stages(job);
    return g_steal_pointer(&job);
}

void aimf_run_job_free(AimfRunJob *job)
{
    if (!job)
        return;
    for (guint i = 0; i < job->n_methods; i++)
        method_clear(&job->methods[i]);
    g_free(job->methods);
    for (int i = 0; i < AIMF_N_PARTS; i++)
        aimf_manifest_free(job->data[i]);
    for (int i = 0; i < AIMF_N_SETS; i++)
        aimf_manifest_free(job->sets[i]);
    g_ptr_array_unref(job->stages);
    aimf_findings_free(job->findings);
    aimf_picture_hashes_free(job->hashes);
    aimf_device_free(job->device);
    g_free(job);
}

/* --- Sets and findings --- */

const char *aimf_run_set_path(int set)
{
    static const char *const paths[AIMF_N_SETS] = { "shared/data/train.csv", "shared/data/val.csv",
                                                    "shared/data/test.csv", "shared/sets/balanced.csv",
                                                    "shared/sets/biased.csv" };
    return paths[set];
}

AimfManifest *aimf_run_set(AimfRunJob *job, int set, GError **error)
{
    if (job->sets[set])
        return job->sets[set];
    const AimfManifestOptions options = { .protected_labels = AIMF_COLUMN_OPTIONAL };
    g_autofree char *path = g_build_filename(job->folder, aimf_run_set_path(set), NULL);
    return job->sets[set] = aimf_manifest_open_with(path, &options, job->monitor, error);
}

gboolean aimf_run_tell_findings(AimfRunJob *job, GError **error)
{
    const char *const *allowed = (const char *const *)aimf_config_list(job->config, AIMF_KEY_DATA_ALLOW);
    if (!aimf_findings_allow(job->findings, allowed, error)) {
        g_prefix_error(error, "(data.allow takes what is meant to be so) ");
        return FALSE;
    }
    for (; job->findings_told < aimf_findings_count(job->findings); job->findings_told++)
        aimf_message(job->monitor, AIMF_LOG_WARNING, "%s", aimf_findings_at(job->findings, job->findings_told)->text);
    return TRUE;
}

/* --- Keys --- */

void aimf_run_take_output(const AimfRunJob *job, const char *stage, const char *file, AimfProvenance *wanted)
{
    const AimfRunStage *done = aimf_run_stage(job, stage);
    g_autofree char *name = g_strdup_printf("%s/%s", stage, file);
    json_object_set_string_member(wanted->inputs, name,
                                  json_object_get_string_member_with_default(done->done->outputs, file, "missing"));
}

gboolean aimf_run_take_pictures(const AimfRunJob *job, const char *stage, const char *file,
                                const AimfManifest *manifest, AimfProvenance *wanted, GError **error)
{
    aimf_run_take_output(job, stage, file, wanted);
    g_autofree char *name = g_strdup_printf("%s%s/%s", AIMF_PICTURES_OF, stage, file);
    g_autofree char *hash = aimf_pictures_hash(job->hashes, manifest, job->monitor, error);
    if (hash)
        json_object_set_string_member(wanted->inputs, name, hash);
    return hash != NULL;
}

/* A path's file, or nothing where there is none; a folder has its hash from the stage that knows it. */
static gboolean add_input(const AimfConfig *config, AimfConfigKey key, AimfProvenance *wanted, GError **error)
{
    g_autofree char *path = aimf_config_path(config, key);
    if (!path)
        return TRUE;
    GError *failure = NULL;
    AimfPathKind kind = aimf_path_kind(path, &failure);
    g_autofree char *hash = kind == AIMF_PATH_FILE ? aimf_file_sha256(path, &failure) : NULL;
    if (hash)
        json_object_set_string_member(wanted->inputs, aimf_config_name(key), hash);
    else if (!failure && kind == AIMF_PATH_FOLDER)
        return TRUE;
    if (hash)
        return TRUE;
    const char *place = aimf_config_place(config, key);
    if (!failure)
        g_set_error(&failure, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "'%s' is not there", path);
    g_propagate_prefixed_error(error, failure, "%s%s%s: ", place ? place : "", place ? ": " : "",
                               aimf_config_name(key));
    return FALSE;
}

AimfProvenance *aimf_run_describe(AimfRunJob *job, AimfRunStage *stage, GError **error)
{
    g_autoptr(AimfProvenance) wanted =
        aimf_provenance_new(stage->name, job->precision == AIMF_PRECISION_BF16 ? "bf16" : "f32", job->threads);
    for (const AimfConfigKey *key = stage->kind->keys; *key != AIMF_N_KEYS; key++) {
        if (aimf_config_rows[*key].kind == AIMF_CONFIG_PATH) {
            if (!add_input(job->config, *key, wanted, error))
                return NULL;
            continue;
        }
        g_autofree char *value = aimf_config_value(job->config, *key);
        json_object_set_string_member(wanted->settings, aimf_config_name(*key), value);
    }
    if (stage->kind->describe && !stage->kind->describe(job, stage, wanted, error))
        return NULL;
    g_free(wanted->engine);
    wanted->engine = aimf_device_engine(job->device);
    g_free(wanted->instruction_set);
    wanted->instruction_set = g_strdup(aimf_instruction_set_name(aimf_instruction_set()));
    return g_steal_pointer(&wanted);
}

static char *hash_pictures(const char *path, gpointer data, GError **error)
{
    AimfRunJob *job = data;
    const AimfManifestOptions options = { AIMF_COLUMN_OPTIONAL, AIMF_COLUMN_OPTIONAL, { 0 } };
    g_autoptr(AimfManifest) manifest = aimf_manifest_open_with(path, &options, NULL, error);
    return manifest ? aimf_pictures_hash(job->hashes, manifest, job->monitor, error) : NULL;
}

gboolean aimf_run_look_at(AimfRunJob *job, AimfRunStage *stage, GError **error)
{
    stage->waits = stage->blocked = FALSE;
    for (guint i = 0; i < stage->needs->len; i++) {
        const AimfRunStage *need = g_ptr_array_index(stage->needs, i);
        stage->waits = stage->waits || !need->done;
        stage->blocked = stage->blocked || need->blocked || (need->done && need->done->failure);
    }
    if (stage->blocked)
        return TRUE;
    g_clear_pointer(&stage->done, aimf_provenance_free);
    if (!aimf_stage_recover(job->folder, stage->name, error))
        return FALSE;
    if (stage->waits) {
        g_autofree char *place = aimf_run_stage_path(job, stage->name, NULL);
        gboolean there;
        if (!aimf_path_there(place, &there, error))
            return FALSE;
        stage->state = there ? AIMF_STAGE_STALE : AIMF_STAGE_MISSING;
        return TRUE;
    }
    g_autoptr(AimfProvenance) wanted = aimf_run_describe(job, stage, error), found = NULL;
    if (!wanted || !aimf_stage_look(job->folder, wanted, hash_pictures, job, &stage->state, &found, error))
        return FALSE;
    if (stage->state == AIMF_STAGE_DONE)
        stage->done = g_steal_pointer(&found);
    else if (stage->state == AIMF_STAGE_DAMAGED)
        aimf_message(job->monitor, AIMF_LOG_WARNING, "'%s' is not what it was made as: it is made anew", stage->name);
    return TRUE;
}

gboolean aimf_run_look(AimfRunJob *job, GError **error)
{
    for (guint i = 0; i < job->stages->len; i++)
        if (!aimf_run_look_at(job, g_ptr_array_index(job->stages, i), error))
            return FALSE;
    return TRUE;
}
