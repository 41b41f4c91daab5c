#include "run/job.h"

#include "base/file.h"
#include "base/instruction_set.h"
#include "base/monitor.h"
#include "run/advice.h"
#include "run/config_values.h"

#include <aimfair/error.h>
#include <string.h>

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

/* --- Sets and findings --- */

gboolean aimf_run_is_drawn(const AimfConfig *config)
{
    return strcmp(aimf_config_text_at(config, AIMF_KEY_DATA_KIND), "portraits") == 0;
}

const char *aimf_run_set_path(int set)
{
    static const char *const paths[AIMF_N_SETS] = { "shared/data/train.csv", "shared/data/val.csv",
                                                    "shared/data/test.csv", "shared/sets/balanced.csv",
                                                    "shared/sets/biased.csv" };
    return paths[set];
}

/* Manifests that were given are written as they are, also where words for nothing in them were no labels. */
static gboolean has_missing_labels(const AimfConfig *config, int set)
{
    return set < AIMF_N_PARTS && strcmp(aimf_config_text_at(config, AIMF_KEY_DATA_KIND), "manifests") == 0 &&
           aimf_config_choice(config, AIMF_KEY_DATA_MISSING) != AIMF_MISSING_KEEP;
}

AimfManifest *aimf_run_open_set(const AimfConfig *config, const char *folder, int set, const AimfMonitor *monitor,
                                GError **error)
{
    const AimfManifestOptions options = {
        .protected_labels = AIMF_COLUMN_OPTIONAL,
        .labels.missing = has_missing_labels(config, set) ? AIMF_MISSING_ERROR : AIMF_MISSING_KEEP,
    };
    g_autofree char *path = g_build_filename(folder, aimf_run_set_path(set), NULL);
    return aimf_manifest_open_with(path, &options, monitor, error);
}

AimfOutcomes *aimf_run_open_predictions(const char *path, const AimfMonitor *monitor, GError **error)
{
    const AimfLabelRules rules = { .missing = AIMF_MISSING_KEEP };
    return aimf_outcomes_open(path, -1, &rules, monitor, error);
}

AimfManifest *aimf_run_set(AimfRunJob *job, int set, GError **error)
{
    if (!job->sets[set])
        job->sets[set] = aimf_run_open_set(job->config, job->folder, set, job->monitor, error);
    return job->sets[set];
}

gboolean aimf_run_tell_findings(AimfRunJob *job, GError **error)
{
    const char *const *allowed = (const char *const *)aimf_config_list(job->config, AIMF_KEY_DATA_ALLOW);
    AimfFindings *advised = aimf_run_advise_findings(job->findings, job->folder);
    aimf_findings_free(job->findings);
    job->findings = advised;
    if (!aimf_findings_allow(job->findings, allowed, error))
        return FALSE;
    for (; job->findings_told < aimf_findings_count(job->findings); job->findings_told++)
        aimf_message(job->monitor, AIMF_LOG_WARNING, "%s", aimf_findings_at(job->findings, job->findings_told)->text);
    return TRUE;
}

void aimf_run_forget_findings(AimfRunJob *job)
{
    aimf_findings_free(job->findings);
    job->findings = aimf_findings_new();
    job->findings_told = 0;
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

char *aimf_run_rows_hash(const AimfManifest *manifest)
{
    GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint i = 0; i < aimf_manifest_count(manifest); i++) {
        AimfSample sample = aimf_manifest_at(manifest, i);
        g_autofree char *path = g_canonicalize_filename(sample.path, NULL);
        g_autofree char *row = g_strdup_printf("%s\n%d\n%s", path, sample.target, sample.protected_label);
        g_checksum_update(checksum, (const guchar *)row, (gssize)strlen(row) + 1);
    }
    char *hash = g_strdup(g_checksum_get_string(checksum));
    g_checksum_free(checksum);
    return hash;
}

/* A path's file, if there is one; what a folder holds is hashed by the stage that knows it. */
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
    if (hash || (!failure && kind == AIMF_PATH_FOLDER))
        return TRUE;
    const char *place = aimf_config_place(config, key);
    if (!failure)
        g_set_error(&failure, AIMF_ERROR, AIMF_ERROR_NOT_FOUND, "'%s' is not there", path);
    g_propagate_prefixed_error(error, failure, "%s%s%s: ", place ? place : "", place ? ": " : "",
                               aimf_config_name(key));
    return FALSE;
}

AimfProvenance *aimf_run_wanted(AimfRunJob *job, AimfRunStage *stage, GError **error)
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
    if (!stage->waits && stage->kind->describe && !stage->kind->describe(job, stage, wanted, error))
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
    const AimfManifestOptions options = { .target = AIMF_COLUMN_UNUSED, .protected_labels = AIMF_COLUMN_UNUSED };
    g_autoptr(AimfManifest) manifest = aimf_manifest_open_with(path, &options, NULL, error);
    return manifest ? aimf_pictures_hash(job->hashes, manifest, job->monitor, error) : NULL;
}

/* Whether @found follows from every stage that @stage needs; what needs data may use none of it. */
static gboolean follows_from_needs(const AimfRunStage *stage, const AimfProvenance *found)
{
    g_autoptr(GList) inputs = json_object_get_members(found->inputs);
    for (guint i = 0; i < stage->needs->len; i++) {
        const AimfRunStage *need = g_ptr_array_index(stage->needs, i);
        g_autofree char *within = g_strconcat(need->name, "/", NULL);
        gboolean there = strcmp(need->name, "shared/data") == 0;
        for (const GList *input = inputs; input && !there; input = input->next)
            there = g_str_has_prefix(input->data, within);
        if (!there)
            return FALSE;
    }
    return TRUE;
}

/* Whether what stands in the place of a stage that waits cannot be what it should be, whatever it waits for becomes. */
static gboolean is_another(const AimfRunStage *stage, const AimfProvenance *found, const AimfProvenance *known)
{
    gboolean other = g_strcmp0(found->program, known->program) != 0 ||
                     g_strcmp0(found->precision, known->precision) != 0 || found->threads != known->threads ||
                     !follows_from_needs(stage, found);
    for (const AimfConfigKey *key = stage->kind->keys; *key != AIMF_N_KEYS && !other; key++) {
        gboolean path = aimf_config_rows[*key].kind == AIMF_CONFIG_PATH;
        JsonObject *before = path ? found->inputs : found->settings, *now = path ? known->inputs : known->settings;
        const char *name = aimf_config_name(*key);
        other = g_strcmp0(json_object_get_string_member_with_default(before, name, NULL),
                          json_object_get_string_member_with_default(now, name, NULL)) != 0;
    }
    return other;
}

static gboolean look_at_waiting(AimfRunJob *job, AimfRunStage *stage, GError **error)
{
    g_autofree char *place = aimf_run_stage_path(job, stage->name, NULL);
    gboolean there;
    if (!aimf_path_there(place, &there, error))
        return FALSE;
    stage->state = there ? AIMF_STAGE_STALE : AIMF_STAGE_MISSING;
    g_autoptr(AimfProvenance) found = NULL, known = NULL;
    if (!there || !aimf_provenance_look(place, &found, error))
        return !there;
    if (found && !(known = aimf_run_wanted(job, stage, error)))
        return FALSE;
    stage->differs = found && is_another(stage, found, known);
    return TRUE;
}

gboolean aimf_run_look_at(AimfRunJob *job, AimfRunStage *stage, GError **error)
{
    stage->waits = stage->blocked = stage->differs = FALSE;
    for (guint i = 0; i < stage->needs->len; i++) {
        const AimfRunStage *need = g_ptr_array_index(stage->needs, i);
        stage->waits = stage->waits || !need->done;
        stage->blocked = stage->blocked || need->blocked || (need->done && need->done->failure);
    }
    if (stage->blocked)
        return TRUE;
    g_clear_pointer(&stage->done, aimf_provenance_free);
    if (job->writes && !aimf_stage_recover(job->folder, stage->name, error))
        return FALSE;
    if (stage->waits)
        return look_at_waiting(job, stage, error);
    g_autoptr(AimfProvenance) wanted = aimf_run_wanted(job, stage, error), found = NULL;
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
