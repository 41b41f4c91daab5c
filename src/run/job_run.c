/* A run from beginning to end: what is not done yet, stage by stage, and then what is written of all of it. */
#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/monitor.h"
#include "run/advice.h"
#include "run/checksums.h"
#include "run/job.h"

#include <aimfair/error.h>
#include <aimfair/version.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

static gboolean is_done(const AimfRunStage *stage)
{
    return stage->blocked || stage->done;
}

/* --- What a changed configuration makes stale --- */

/* Settings and inputs of @now that differ, "train.epochs was 15 and is 3". */
static void append_changes(GString *text, JsonObject *before, JsonObject *now)
{
    g_autoptr(GList) names = json_object_get_members(now);
    for (GList *name = names; name; name = name->next) {
        const char *one = json_object_get_string_member_with_default(before, name->data, NULL);
        const char *other = json_object_get_string_member(now, name->data);
        gboolean hash = strlen(other) == 64 && strspn(other, "0123456789abcdef") == 64;
        if (g_strcmp0(one, other) == 0)
            continue;
        if (hash)
            g_string_append_printf(text, ", %s has changed", (const char *)name->data);
        else
            g_string_append_printf(text, ", %s was '%s' and is '%s'", (const char *)name->data, one ? one : "nothing",
                                   other);
    }
}

static void append_stale(AimfRunJob *job, AimfRunStage *stage, GString *text)
{
    g_autofree char *place = aimf_run_stage_path(job, stage->name, NULL);
    g_string_append_printf(text, "%s%s", text->len ? "; " : "", stage->name);
    if (stage->waits && !stage->differs)
        return;
    g_autoptr(AimfProvenance) found = aimf_provenance_open(place, NULL);
    g_autoptr(AimfProvenance) wanted = aimf_run_wanted(job, stage, NULL);
    if (!found || !wanted)
        return;
    g_autoptr(GString) changes = g_string_new(NULL);
    append_changes(changes, found->settings, wanted->settings);
    append_changes(changes, found->inputs, wanted->inputs);
    if (g_strcmp0(found->program, wanted->program) != 0)
        g_string_append_printf(changes, ", the program was %s and is %s", found->program, wanted->program);
    if (g_strcmp0(found->precision, wanted->precision) != 0)
        g_string_append_printf(changes, ", precision was %s and is %s", found->precision, wanted->precision);
    if (found->threads != wanted->threads)
        g_string_append_printf(changes, ", threads were %d and are %d", found->threads, wanted->threads);
    if (changes->len)
        g_string_append_printf(text, " (%s)", changes->str + 2);
}

/* Whether the folder @name is one of a stage, one above it, or one in which a stage is made. */
static gboolean is_of_stage(const AimfRunJob *job, const char *name)
{
    for (guint i = 0; i < job->stages->len; i++) {
        const char *stage = ((AimfRunStage *)g_ptr_array_index(job->stages, i))->name;
        gsize n = strlen(stage), above = strlen(name);
        if ((strncmp(stage, name, above) == 0 && (!stage[above] || stage[above] == '/')) ||
            (strncmp(stage, name, n) == 0 && (g_str_equal(name + n, ".part") || g_str_equal(name + n, ".old"))))
            return TRUE;
    }
    return FALSE;
}

/* (owned) folders of stages that the configuration has not: of seeds and methods that it had. NULL with an error. */
static GPtrArray *find_strangers(const AimfRunJob *job, GError **error)
{
    static const char *const folders[] = { "shared", "cells" };
    g_autoptr(GPtrArray) strangers = g_ptr_array_new_with_free_func(g_free);
    for (gsize f = 0; f < G_N_ELEMENTS(folders); f++) {
        g_autofree char *path = g_build_filename(job->folder, folders[f], NULL);
        gboolean there;
        if (!aimf_path_there(path, &there, error))
            return NULL;
        g_autoptr(GPtrArray) names = there ? aimf_directory_list(path, error) : g_ptr_array_new();
        if (!names)
            return NULL;
        for (guint i = 0; i < names->len; i++) {
            g_autofree char *name = g_build_filename(folders[f], g_ptr_array_index(names, i), NULL);
            if (!is_of_stage(job, name))
                g_ptr_array_add(strangers, g_steal_pointer(&name));
        }
    }
    return g_steal_pointer(&strangers);
}

/* What a killed replacement or writer left, and what a stage had that now cannot be made. */
static gboolean remove_leftovers(const AimfRunJob *job, GError **error)
{
    static const char *const endings[] = { ".part", ".old", "" };
    for (guint i = 0; i < job->stages->len; i++) {
        const AimfRunStage *stage = g_ptr_array_index(job->stages, i);
        for (gsize e = 0; e < G_N_ELEMENTS(endings) - !stage->blocked; e++) {
            g_autofree char *path = g_strconcat(job->folder, "/", stage->name, endings[e], NULL);
            if (!aimf_folder_remove(path, error))
                return FALSE;
        }
    }
    return aimf_folder_remove_parts(job->folder, error);
}

static gboolean remove_strangers(const AimfRunJob *job, GError **error)
{
    g_autoptr(GPtrArray) strangers = find_strangers(job, error);
    for (guint i = 0; strangers && i < strangers->len; i++) {
        g_autofree char *path = g_build_filename(job->folder, g_ptr_array_index(strangers, i), NULL);
        if (!aimf_folder_remove(path, error))
            return FALSE;
    }
    return strangers != NULL;
}

/* A stage that waits for one that is merely missing or damaged may turn out to be what it should be, if its own
 * settings are the same. */
static gboolean is_stale(const AimfRunStage *stage)
{
    gboolean stale = !stage->waits || stage->differs;
    for (guint i = 0; i < stage->needs->len && !stale; i++)
        stale = is_stale(g_ptr_array_index(stage->needs, i));
    return stale && !stage->blocked && stage->state == AIMF_STAGE_STALE;
}

static void append_all_stale(AimfRunJob *job, GString *text)
{
    g_autoptr(GString) behind = g_string_new(NULL);
    for (guint i = 0; i < job->stages->len; i++) {
        AimfRunStage *stage = g_ptr_array_index(job->stages, i);
        if (is_stale(stage))
            append_stale(job, stage, stage->waits && !stage->differs ? behind : text);
    }
    if (behind->len)
        g_string_append_printf(text, "; and, where what they rest on comes out otherwise: %s", behind->str);
}

static gboolean check_stale(AimfRunJob *job, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    append_all_stale(job, text);
    g_autoptr(GPtrArray) strangers = find_strangers(job, error);
    if (!strangers)
        return FALSE;
    for (guint i = 0; i < strangers->len; i++)
        g_string_append_printf(text, "%s%s (of no seed or method of this configuration: it would be removed)",
                               text->len ? "; " : "", (const char *)g_ptr_array_index(strangers, i));
    if (!text->len)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "'%s' was made by another configuration; with --update these would be made anew, and the old ones kept "
                "until then: %s",
                job->folder, text->str);
    return FALSE;
}

/* --- Doing --- */

static double cost_left(const AimfRunJob *job)
{
    double left = 0, each;
    for (guint i = 0; i < job->stages->len; i++) {
        const AimfRunStage *stage = g_ptr_array_index(job->stages, i);
        if (!is_done(stage))
            left += stage->kind->cost(job, stage, &each);
    }
    return left;
}

/* Of the computation itself, and so of this seed alone: its loss, or that nothing is selected. A configuration that
 * cannot be concerns all of them, and must not stand in the folder as what came out. */
static gboolean concerns_cell(const AimfRunStage *stage, const GError *failure)
{
    return stage->kind->of_cell && g_error_matches(failure, AIMF_ERROR, AIMF_ERROR_FAILED);
}

/* The failure takes the stage's place, so that it is not tried again each time. */
static gboolean note_failure(AimfRunJob *job, AimfRunStage *stage, AimfProvenance *made, const char *message,
                             GError **error)
{
    g_autofree char *part = g_strdup_printf("%s/%s.part", job->folder, stage->name);
    aimf_message(job->monitor, AIMF_LOG_WARNING, "%s failed: %s", stage->name, message);
    made->failure = g_strdup(message);
    return aimf_folder_remove(part, error) && aimf_directory_make(part, error) &&
           aimf_stage_commit(job->folder, made, error);
}

static gboolean do_stage(AimfRunJob *job, AimfRunStage *stage, GError **error)
{
    g_autoptr(AimfProvenance) made = aimf_run_wanted(job, stage, error);
    g_autofree char *part = made ? aimf_stage_prepare(job->folder, made, error) : NULL;
    if (!part)
        return FALSE;
    aimf_message(job->monitor, AIMF_LOG_INFO, "%s", stage->name);
    if (stage->needs->len) /* what was found before is told, and is not of this stage */
        aimf_run_forget_findings(job);
    GError *failure = NULL;
    if (stage->kind->make(job, stage, part, made, &failure))
        return aimf_stage_commit(job->folder, made, error);
    if (concerns_cell(stage, failure)) {
        gboolean noted = note_failure(job, stage, made, failure->message, error);
        g_error_free(failure);
        return noted;
    }
    g_propagate_error(error, failure);
    return FALSE;
}

/* Sets that were read from a stage are read again when it was made anew. */
static void forget_sets(AimfRunJob *job, const AimfRunStage *stage)
{
    for (int set = 0; set < AIMF_N_SETS; set++)
        if (g_str_has_prefix(aimf_run_set_path(set), stage->name))
            g_clear_pointer(&job->sets[set], aimf_manifest_free);
}

/*
 * Nothing is looked at twice before the first stage that is made: files may be large. What a missing or damaged stage
 * was made as may show that those behind it are of another configuration: without @update they stay.
 */
static gboolean do_stages(AimfRunJob *job, gboolean update, GError **error)
{
    for (guint i = 0; i < job->stages->len; i++) {
        AimfRunStage *stage = g_ptr_array_index(job->stages, i);
        if (!aimf_check_stop(job->monitor, "the run", error))
            return FALSE;
        if (!job->n_made && is_done(stage))
            continue;
        if (!aimf_run_look_at(job, stage, error))
            return FALSE;
        if (is_done(stage))
            continue;
        if (!update && stage->state == AIMF_STAGE_STALE && (!aimf_run_look(job, error) || !check_stale(job, error)))
            return FALSE;
        double each, cost = stage->kind->cost(job, stage, &each);
        aimf_work_next(&job->work, cost / each, each);
        job->work.total = job->work.before + cost_left(job); /* sizes of sets are known as they are made */
        forget_sets(job, stage);
        gboolean done = do_stage(job, stage, error);
        job->n_made++;
        GError *unsaved = NULL;
        if (!aimf_picture_hashes_save(job->hashes, &unsaved)) { /* they can be computed again */
            aimf_message(job->monitor, AIMF_LOG_WARNING, "%s", unsaved->message);
            g_error_free(unsaved);
        }
        if (!done || !aimf_run_look_at(job, stage, error))
            return FALSE;
        if (is_done(stage))
            continue;
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_IO, "'%s' changed while it was made", stage->name);
        return FALSE;
    }
    return TRUE;
}

/* --- What is written of it --- */

/* @text: taken */
static gboolean write_text(const char *folder, const char *name, char *text, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL), *before = NULL;
    gsize length;
    /* What is there already keeps its time. */
    gboolean same = text && g_file_get_contents(path, &before, &length, NULL) && length == strlen(text) &&
                    memcmp(before, text, length) == 0;
    gboolean written = same || (text && aimf_file_write(path, text, strlen(text), error));
    g_free(text);
    return written;
}

/* What did it, and when it was last at it: the one file of times beside logs. */
static char *machine_text(const AimfRunJob *job)
{
    g_autofree char *engine = aimf_device_engine(job->device);
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format_iso8601(now);
    JsonObject *object = json_object_new();
    json_object_set_string_member(object, "program", aimf_version());
    json_object_set_string_member(object, "engine", engine);
    json_object_set_string_member(object, "device", aimf_device_name(job->device));
    json_object_set_int_member(object, "threads", job->threads);
    json_object_set_int_member(object, "processors", g_get_num_processors());
    json_object_set_string_member(object, "finished", time);
    return aimf_json_lines(object);
}

/* As it was where nothing was made: then nothing of the run changes. */
static gboolean write_machine(const AimfRunJob *job, GError **error)
{
    g_autofree char *path = g_build_filename(job->folder, "machine.json", NULL);
    gboolean there;
    if (!aimf_path_there(path, &there, error))
        return FALSE;
    return (there && !job->n_made) || write_text(job->folder, "machine.json", machine_text(job), error);
}

static gboolean write_events(const AimfRunJob *job, const AimfRunResults *results, GError **error)
{
    g_autofree char *events = g_build_filename(job->folder, "events", NULL);
    return aimf_folder_remove(events, error) && aimf_results_save_events(results, events, error);
}

static gboolean write_results(AimfRunJob *job, const AimfRunResults *results, GError **error)
{
    const AimfRunResults *runs[] = { results };
    char *report = aimf_report_html(runs, 1, error);
    return report && write_text(job->folder, "report.html", report, error) &&
           write_text(job->folder, "results.json", aimf_results_json(results), error) &&
           write_text(job->folder, "results.csv", aimf_results_csv(results), error) &&
           write_text(job->folder, "model-card.md", aimf_results_card(results), error) &&
           write_text(job->folder, "junit.xml", aimf_results_junit(results), error) &&
           write_events(job, results, error) && write_machine(job, error) &&
           aimf_picture_hashes_save(job->hashes, error);
}

/* What results are read by. */
static gboolean write_config(const AimfRunJob *job, GError **error)
{
    return write_text(job->folder, "config.resolved.yaml", aimf_config_text(job->config), error);
}

/* Before the first stage, by which the folder is known as a run; an earlier one stays until its stages are replaced. */
static gboolean begin_config(const AimfRunJob *job, GError **error)
{
    g_autofree char *path = g_build_filename(job->folder, "config.resolved.yaml", NULL);
    gboolean there;
    return aimf_path_there(path, &there, error) && (there || write_config(job, error));
}

static void summarise(const AimfRunResults *results, AimfRunSummary *summary)
{
    summary->n_rows = results->n_methods;
    summary->rows = g_new0(AimfRunRow, results->n_methods + 1);
    for (guint m = 0; m < results->n_methods; m++) {
        AimfRunAverage *average = &results->averages[m];
        summary->rows[m].name = g_strdup(results->methods[m].name);
        summary->rows[m].n_seeds = average->n;
        summary->rows[m].measures = g_steal_pointer(&average->measures);
        for (guint s = 0; s < results->n_seeds; s++)
            summary->failed += aimf_run_cell(results, m, s)->failure != NULL;
    }
    summary->labels = g_strdupv(results->labels);
    summary->label_names = g_strdupv(results->label_names ? results->label_names : results->labels);
    summary->classes = g_strdupv(results->classes);
    summary->report = g_build_filename(results->folder, "report.html", NULL);
    summary->decision = results->decision;
    summary->n_gates = aimf_config_length(results->config, AIMF_KEY_GATES_REQUIRE) +
                       aimf_config_length(results->config, AIMF_KEY_GATES_EVIDENCE);
}

void aimf_run_summary_clear(AimfRunSummary *summary)
{
    for (guint i = 0; i < summary->n_rows; i++) {
        g_free(summary->rows[i].name);
        aimf_measures_free(summary->rows[i].measures);
    }
    g_free(summary->rows);
    g_strfreev(summary->labels);
    g_strfreev(summary->label_names);
    g_strfreev(summary->classes);
    g_free(summary->report);
    g_free(summary->sums_sha256);
    *summary = (AimfRunSummary){ 0 };
}

/* --- All of it --- */

static AimfLock *lock_folder(const char *folder, GError **error)
{
    GError *failure = NULL;
    g_autofree char *path = g_build_filename(folder, "lock", NULL);
    AimfLock *lock = aimf_lock_take(path, &failure);
    if (failure)
        g_propagate_error(error, failure);
    else if (!lock)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "another process works in '%s'; wait for it, or stop it",
                    folder);
    return lock;
}

/* Whether there is nothing that is not of a run which was killed before it had its configuration. */
static gboolean is_empty(const GPtrArray *names)
{
    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autofree char *whole = aimf_part_of(name);
        if (!g_str_equal(name, "lock") && g_strcmp0(whole, "config.resolved.yaml") != 0)
            return FALSE;
    }
    return TRUE;
}

/* A folder of something else must not be filled with a run, nor emptied by one. */
static gboolean check_folder(const char *folder, GError **error)
{
    g_autofree char *config = g_build_filename(folder, "config.resolved.yaml", NULL);
    gboolean there, ours;
    if (!aimf_path_there(folder, &there, error) || !aimf_path_there(config, &ours, error))
        return FALSE;
    if (!there || ours)
        return TRUE;
    AimfPathKind kind = aimf_path_kind(folder, error);
    if (kind != AIMF_PATH_UNKNOWN && kind != AIMF_PATH_FOLDER)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' is a file; a run is a folder", folder);
    if (kind != AIMF_PATH_FOLDER)
        return FALSE;
    g_autoptr(GPtrArray) names = aimf_directory_list(folder, error);
    gboolean empty = names && is_empty(names);
    if (names && !empty)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s' has files, and is no run: name a new folder, or one of an earlier run", folder);
    return empty;
}

/* What leads out of the folder would be written through, or emptied; and no list of files vouches for it. */
static gboolean check_own(const char *folder, const AimfMonitor *monitor, GError **error)
{
    g_autoptr(AimfFolderFiles) found = aimf_folder_files(folder, monitor, error);
    if (!found || !found->odd->len)
        return found != NULL;
    const AimfOddFile *odd = g_ptr_array_index(found->odd, 0);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "'%s/%s' %s: a run's folder has only files and folders of its own, so take it away first", folder,
                odd->path, odd->why);
    return FALSE;
}

static gboolean work(AimfRunJob *job, gboolean update, AimfRunSummary *summary, GError **error)
{
    if (!aimf_run_open_data(job, error) || !aimf_run_expect_sets(job, error) || !aimf_run_check_job(job, error) ||
        !aimf_run_look(job, error) || (!update && !check_stale(job, error)) || !begin_config(job, error) ||
        !do_stages(job, update, error) || !write_config(job, error) || !remove_strangers(job, error) ||
        !remove_leftovers(job, error))
        return FALSE;
    g_autoptr(AimfRunResults) results = aimf_run_results_open(job->folder, job->monitor, error);
    if (!results || !write_results(job, results, error))
        return FALSE;
    summarise(results, summary);
    return TRUE;
}

static gboolean run(const AimfConfig *config, const AimfRunOptions *options, const AimfMonitor *monitor,
                    AimfRunSummary *summary, GError **error)
{
    if (!check_folder(options->folder, error) || !aimf_directory_make(options->folder, error))
        return FALSE;
    g_autoptr(AimfLock) lock = lock_folder(options->folder, error);
    gboolean own = lock && check_own(options->folder, monitor, error);
    g_autoptr(AimfRunJob) job = own ? aimf_run_job_new(config, options->folder, monitor, error) : NULL;
    char sums[AIMF_SHA256_SIZE];
    if (job)
        job->writes = TRUE;
    if (!job || !work(job, options->update, summary, error) ||
        !aimf_checksums_write(options->folder, monitor, sums, error))
        return FALSE;
    summary->sums_sha256 = g_strdup(sums);
    return TRUE;
}

gboolean aimf_run(const AimfConfig *config, const AimfRunOptions *options, const AimfMonitor *monitor,
                  AimfRunSummary *summary, GError **error)
{
    GError *failure = NULL;
    *summary = (AimfRunSummary){ 0 };
    if (run(config, options, monitor, summary, &failure))
        return TRUE;
    aimf_run_summary_clear(summary);
    aimf_run_advise(failure, error);
    return FALSE;
}

static gboolean lies_within(const char *path, const char *folder)
{
    g_autofree char *file = g_canonicalize_filename(path, NULL), *above = g_canonicalize_filename(folder, NULL);
    return aimf_path_below(file, above) != NULL;
}

gboolean aimf_run_report(const char *const *folders, guint n, const char *path, const AimfMonitor *monitor,
                         GError **error)
{
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func((GDestroyNotify)aimf_run_results_free);
    for (guint i = 0; i < n; i++) {
        if (lies_within(path, folders[i])) {
            g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                        "'%s' is in the folder of the run '%s', whose files are listed in SHA256SUMS; write the report "
                        "elsewhere",
                        path, folders[i]);
            return FALSE;
        }
        AimfRunResults *results = aimf_run_results_open(folders[i], monitor, error);
        if (!results)
            return FALSE;
        g_ptr_array_add(runs, results);
    }
    g_autofree char *text = aimf_report_html((const AimfRunResults *const *)runs->pdata, n, error);
    return text && aimf_file_write(path, text, strlen(text), error);
}
