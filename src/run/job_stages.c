/* Which stages a run has, in which order, and what each needs; and what is checked before the first. */
#include "base/file.h"
#include "run/config_values.h"
#include "run/job.h"

#include <aimfair/error.h>
#include <omp.h>
#include <string.h>

/* --- Stages --- */

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
    gboolean ready = aimf_config_given(job->config, AIMF_KEY_GENERATE_BALANCED);
    static const char *const of_pictures[] = { "shared/prompts" }, *const of_sets[] = { "shared/data",
                                                                                        "shared/pictures" };
    add_stage(job, g_strdup("shared/data"), &AIMF_STAGE_DATA, NULL, 0);
    if (!ready && !aimf_run_is_drawn(job->config))
        add_stage(job, g_strdup("shared/prompts"), &AIMF_STAGE_PROMPTS, NULL, 0);
    if (!ready)
        add_stage(job, g_strdup("shared/pictures"), &AIMF_STAGE_PICTURES, of_pictures, G_N_ELEMENTS(of_pictures));
    add_stage(job, g_strdup("shared/sets"), &AIMF_STAGE_SETS, of_sets, G_N_ELEMENTS(of_sets));
    for (guint seed = 0; seed < aimf_config_length(job->config, AIMF_KEY_SEEDS); seed++)
        for (guint method = 0; method < job->n_methods; method++)
            add_cell(job, method, seed);
}

/* --- The job --- */

static gboolean check_betas(const AimfConfig *config, AimfConfigKey key, GError **error)
{
    guint n = aimf_config_length(config, key);
    if (n == 0 || n == 2)
        return TRUE;
    aimf_config_error(config, key, error, "takes two numbers, as 0.9, 0.999, not %u", n);
    return FALSE;
}

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
    if (!aimf_run_is_drawn(config) && !aimf_config_given(config, AIMF_KEY_GENERATE_BALANCED) &&
        !aimf_config_given(config, AIMF_KEY_GENERATE_MODEL)) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "nothing says where synthetic pictures come from: generate.model names Stable Diffusion, or "
                    "generate.balanced a manifest of ready ones");
        return FALSE;
    }
    return check_betas(config, AIMF_KEY_TRAIN_BETAS, error) && check_betas(config, AIMF_KEY_FINETUNE_BETAS, error);
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

/* Whatever a later stage will read: that it is there. */
static gboolean check_paths(const AimfConfig *config, GError **error)
{
    for (guint key = 0; key < AIMF_N_KEYS; key++) {
        if (aimf_config_rows[key].kind != AIMF_CONFIG_PATH)
            continue;
        g_autofree char *path = aimf_config_path(config, (AimfConfigKey)key);
        gboolean there = TRUE;
        if (path && !aimf_path_there(path, &there, error))
            return FALSE;
        if (!there) {
            aimf_config_error(config, (AimfConfigKey)key, error, "'%s' is not there", path);
            return FALSE;
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
    if (!check_config(config, error) || !check_gates(config, error) || !check_paths(config, error) ||
        !(job->device = aimf_device_open(aimf_config_text_at(config, AIMF_KEY_DEVICE), error)) ||
        !aimf_run_count_tensors(config, &job->n_tensors, error) ||
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
        aimf_run_method_clear(&job->methods[i]);
    g_free(job->methods);
    for (int i = 0; i < AIMF_N_PARTS; i++)
        aimf_manifest_free(job->data[i]);
    for (int i = 0; i < AIMF_N_SETS; i++)
        aimf_manifest_free(job->sets[i]);
    g_ptr_array_unref(job->stages);
    aimf_findings_free(job->findings);
    aimf_picture_hashes_free(job->hashes);
    aimf_device_free(job->device);
    g_free(job->diffusion_hash);
    g_free(job);
}
