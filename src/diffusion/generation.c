/*
 * The generation job at work: what is there is verified, what is missing is made, and every picture is kept at once.
 */
#include "diffusion/generation.h"

#include "base/file.h"
#include "base/format.h"
#include "base/monitor.h"
#include "diffusion/generation_folder.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* So many failures and no success: the rest of a long job would fail as well. */
enum { GIVE_UP_AFTER = 16, MAX_QUOTED = 80 };
enum { PREVIEW_INTERVAL_US = 60 * G_USEC_PER_SEC, REPORT_INTERVAL_US = G_USEC_PER_SEC / 5 };
static const gsize MAX_PICTURE_BYTES = (gsize)2 << 30;

/**
 * Run: @cut: prompts whose end the model does not see, each told once; @n_left: pictures still to make; @batch: in
 * the works
 */
typedef struct {
    const AimfPictureMaker *maker;
    const AimfMonitor *monitor;
    AimfJob job;
    AimfRecord *record;
    AimfFolder folder;
    GHashTable *cut;
    AimfGenerationResult result;
    guint64 n_left;
    guint batch;
    gint64 started_us;
    gint64 reported_us;
    gint64 previewed_us;
} Run;

static void run_clear(Run *run)
{
    aimf_folder_close(&run->folder);
    aimf_job_clear(&run->job);
    g_clear_pointer(&run->record, g_hash_table_unref);
    g_clear_pointer(&run->cut, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

static guint64 n_pictures(const Run *run)
{
    return (guint64)run->job.generation->per_group * run->job.prompts->n_groups;
}

static char *picture_path(const Run *run, guint64 index)
{
    g_autofree char *file = aimf_job_file(&run->job, index);
    return g_build_filename(run->job.generation->folder, file, NULL);
}

static void hash_bytes(GBytes *bytes, AimfMade *made)
{
    g_autofree char *sha256 = g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, bytes);
    g_strlcpy(made->sha256, sha256, sizeof made->sha256);
}

/* --- Verifying what an earlier run made --- */

/* Whether encoding the file's own pixels as picture @index gives the file: then it is whole, and of this job. */
static gboolean is_this_picture(const Run *run, guint64 index, GBytes *file, gboolean retried)
{
    const AimfJob *job = &run->job;
    gsize size;
    const void *data = g_bytes_get_data(file, &size);
    g_autoptr(AimfImage) image = aimf_image_decode(data, size, "", NULL);
    AimfPicture picture = aimf_job_picture(job, index);
    picture.retried = retried;
    g_autoptr(GBytes) encoded = image ? aimf_job_encode(job, index, image, &picture, NULL) : NULL;
    return encoded && g_bytes_equal(file, encoded);
}

/* A picture that was written, but whose line was lost, is taken over; anything else under its name is made anew. */
static gboolean adopt(Run *run, guint64 index, GBytes *file, const char *path, GError **error)
{
    AimfMade made = { 0 };
    gboolean good = is_this_picture(run, index, file, FALSE);
    if (!good)
        good = made.retried = is_this_picture(run, index, file, TRUE);
    if (!good) {
        aimf_message(run->monitor, AIMF_LOG_WARNING, "'%s' is damaged or not from this job; it is made anew", path);
        aimf_record_remove(run->record, index);
        return TRUE;
    }
    hash_bytes(file, &made);
    aimf_record_set(run->record, index, &made);
    return aimf_folder_append(&run->folder, index, &made, error);
}

static gboolean verify_picture(Run *run, guint64 index, GError **error)
{
    const AimfMade *made = aimf_record_find(run->record, index);
    g_autofree char *path = picture_path(run, index);
    struct stat info;
    if (made && !made->sha256[0])
        return TRUE; /* it fails again: nothing but prompt, seed and settings decides */
    if (lstat(path, &info) != 0 && errno == ENOENT) {
        aimf_record_remove(run->record, index);
        return TRUE;
    }
    g_autoptr(GBytes) file = aimf_file_read(path, MAX_PICTURE_BYTES, error);
    if (!file)
        return FALSE;
    AimfMade found;
    hash_bytes(file, &found);
    return (made && strcmp(found.sha256, made->sha256) == 0) || adopt(run, index, file, path, error);
}

/* Counts what is there and what is left to make. */
static void take_stock(Run *run)
{
    run->n_left = 0;
    for (guint64 index = 0; index < n_pictures(run); index++) {
        const AimfMade *made = aimf_record_find(run->record, index);
        if (!aimf_job_is_own(&run->job, index))
            continue;
        if (!made)
            run->n_left++;
        if (made && made->sha256[0])
            run->result.there_before++;
        else if (made)
            run->result.failed++;
        if (made && made->retried)
            run->result.retried++;
    }
}

static gboolean verify(Run *run, GError **error)
{
    AimfStage stage;
    guint64 n = n_pictures(run);
    if (run->job.generation->resume) {
        aimf_stage_begin(&stage, run->monitor, "checking", "pictures", n);
        for (guint64 index = 0; index < n; index++) {
            if (!aimf_check_stop(run->monitor, "checking the pictures that are there", error) ||
                (aimf_job_is_own(&run->job, index) && !verify_picture(run, index, error)))
                return FALSE;
            aimf_stage_step(&stage, 1, NULL);
        }
    }
    take_stock(run);
    return TRUE;
}

/* --- Making --- */

/*
 * Steps of a batch that is in the works count as parts of pictures, so that the time left is known before the first
 * is done.
 */
static void report(Run *run, double share, const char *note)
{
    const AimfMonitor *monitor = run->monitor;
    gint64 now = g_get_monotonic_time();
    guint64 made = run->result.made;
    gboolean last = run->n_left == 0 && share <= 0;
    double seconds = (double)(now - run->started_us) / G_USEC_PER_SEC;
    double rate = seconds > 0 ? ((double)made + share * run->batch) / seconds : 0;
    run->result.images_per_minute = seconds > 0 ? (double)made / seconds * 60 : 0;
    if (!monitor || !monitor->progress || (now - run->reported_us < REPORT_INTERVAL_US && !last))
        return;
    run->reported_us = now;
    g_autofree char *text =
        aimf_format("%.1f images/minute%s%s", rate * 60, note && *note ? ", " : "", note ? note : "");
    const AimfProgress progress = {
        .stage = "generating",
        .unit = "images",
        .done = made,
        .total = made + run->n_left,
        .rate = rate,
        .seconds_left = rate > 0 ? ((double)run->n_left - share * run->batch) / rate : -1,
        .note = text,
        .whole_seconds_left = -1,
    };
    monitor->progress(&progress, monitor->user_data);
}

static void on_steps(const AimfProgress *steps, gpointer user_data)
{
    g_autofree char *note = g_strdup_printf("%s %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
                                            steps->unit ? steps->unit : "", steps->done, steps->total);
    double share = steps->total ? (double)steps->done / (double)steps->total : 0;
    report(user_data, CLAMP(share, 0, 1), note);
}

static void on_message(AimfLogLevel level, const char *text, gpointer user_data)
{
    aimf_message(((Run *)user_data)->monitor, level, "%s", text);
}

static void tell_cut(Run *run, guint64 index, guint tokens_cut)
{
    const AimfPromptGroup *group = aimf_job_group(&run->job, index);
    guint number = aimf_job_prompt_number(&run->job, index);
    const AimfPrompt *prompt = &group->prompts[number];
    if (!tokens_cut || !g_hash_table_add(run->cut, (gpointer)prompt))
        return;
    g_autofree char *beginning = g_utf8_substring(prompt->text, 0, MIN(g_utf8_strlen(prompt->text, -1), MAX_QUOTED));
    aimf_message(run->monitor, AIMF_LOG_WARNING,
                 "prompt %u of group '%s' is too long: its last %u tokens are cut off: \"%s…\"", number, group->name,
                 tokens_cut, beginning);
}

/* The file first, then its line: a kill in between leaves a picture that the next run takes over. */
static gboolean keep(Run *run, guint64 index, const AimfPicture *picture, GError **error)
{
    const AimfJob *job = &run->job;
    AimfMade made = { .retried = picture->retried };
    int size = job->generation->image_size;
    if (picture->image) {
        g_autoptr(AimfImage) small =
            size ? aimf_image_resize(picture->image, NULL, size, size, AIMF_LANCZOS, error) : NULL;
        if (size && !small)
            return FALSE;
        g_autoptr(GBytes) png = aimf_job_encode(job, index, small ? small : picture->image, picture, error);
        g_autofree char *path = picture_path(run, index);
        gsize length;
        const void *data = png ? g_bytes_get_data(png, &length) : NULL;
        if (!data || !aimf_file_write(path, data, length, error))
            return FALSE;
        hash_bytes(png, &made);
    } else {
        aimf_message(run->monitor, AIMF_LOG_WARNING,
                     "picture %u of group '%s' failed: its numbers were not finite, in f32 neither",
                     aimf_job_number(job, index), aimf_job_group(job, index)->name);
    }
    aimf_record_set(run->record, index, &made);
    if (picture->image)
        run->result.made++;
    else
        run->result.failed++;
    if (picture->retried)
        run->result.retried++;
    run->n_left--;
    tell_cut(run, index, picture->tokens_cut);
    return aimf_folder_append(&run->folder, index, &made, error);
}

static gboolean make_batch(Run *run, const guint64 *indices, guint n, GError **error)
{
    const AimfPictureMaker *maker = run->maker;
    g_autofree AimfPicture *pictures = g_try_new0(AimfPicture, n);
    if (!pictures) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for a batch of %u pictures", n);
        return FALSE;
    }
    const AimfMonitor monitor = { on_steps, on_message, run->monitor ? run->monitor->stop : NULL, run };
    run->batch = n;
    for (guint i = 0; i < n; i++)
        pictures[i] = aimf_job_picture(&run->job, indices[i]);
    gboolean good = maker->make(maker->data, &run->job.sampling, pictures, n, &monitor, error);
    for (guint i = 0; i < n; i++) {
        good = good && keep(run, indices[i], &pictures[i], error);
        aimf_image_free(pictures[i].image);
    }
    return good;
}

static gboolean preview_now_and_then(Run *run, GError **error)
{
    gint64 now = g_get_monotonic_time();
    if (!run->job.generation->preview || now - run->previewed_us < PREVIEW_INTERVAL_US)
        return TRUE;
    gboolean good = aimf_folder_preview(&run->folder, error);
    run->previewed_us = g_get_monotonic_time();
    return good;
}

static gboolean none_succeeded(const Run *run, guint least, GError **error)
{
    const AimfGenerationResult *result = &run->result;
    if (result->made + result->there_before > 0 || result->failed < least)
        return FALSE;
    g_set_error(
        error, AIMF_ERROR, AIMF_ERROR_FAILED,
        "all of the first %u picture%s failed: their numbers were not finite, in f32 neither; are these weights "
        "whole?",
        result->failed, AIMF_PLURAL(result->failed));
    return TRUE;
}

static gboolean make_missing(Run *run, GError **error)
{
    guint most = MAX(run->job.generation->batch, 1), n = 0;
    g_autofree guint64 *batch = g_try_new(guint64, most);
    if (!batch) {
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_MEMORY, "no memory for a batch of %u pictures", most);
        return FALSE;
    }
    run->started_us = run->previewed_us = g_get_monotonic_time();
    for (guint64 index = 0; run->n_left; index++) {
        if (aimf_job_is_own(&run->job, index) && !aimf_record_find(run->record, index))
            batch[n++] = index;
        if (n == 0 || (n < most && n < run->n_left))
            continue;
        if (!aimf_check_stop(run->monitor, "generating", error) || !make_batch(run, batch, n, error))
            return FALSE;
        n = 0;
        report(run, 0, NULL);
        if (none_succeeded(run, GIVE_UP_AFTER, error) || !preview_now_and_then(run, error))
            return FALSE;
    }
    return !none_succeeded(run, 1, error);
}

/* Also after a failure the lists tell what there is; then the first error is the one that counts. */
static gboolean work(Run *run, GError **error)
{
    gboolean good = verify(run, error) && make_missing(run, error);
    g_autoptr(GError) second = NULL;
    if (!aimf_folder_finish(&run->folder, run->record, run->monitor, &second) && good) {
        g_propagate_error(error, g_steal_pointer(&second));
        return FALSE;
    }
    return good;
}

gboolean aimf_generate_with(const AimfPictureMaker *maker, const AimfSampling *sampling,
                            const AimfGeneration *generation, AimfGenerationResult *result, const AimfMonitor *monitor,
                            GError **error)
{
    g_auto(Run) run = {
        .maker = maker,
        .monitor = monitor,
        .record = aimf_record_new(),
        .folder = { .lock = -1, .journal = -1 },
        .cut = g_hash_table_new(NULL, NULL),
    };
    gboolean good = aimf_job_init(&run.job, maker, sampling, generation, error) &&
                    aimf_folder_open(&run.folder, &run.job, run.record, monitor, error) && work(&run, error);
    if (result)
        *result = run.result;
    return good;
}
