/* The folder of a generation job: who may work in it, and what stays when one who did is killed. */
#include "diffusion/generation_folder.h"

#include "base/file.h"
#include "base/monitor.h"
#include "diffusion/generation_description.h"
#include "diffusion/generation_preview.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const gsize MAX_JOB_BYTES = (gsize)64 << 20;

static char *in_folder(const AimfFolder *folder, const char *name)
{
    return g_build_filename(folder->job->generation->folder, name, NULL);
}

/* --- Locks: flock's end with the process that holds them, however it ends --- */

/* The file @path, locked; -1 with @error, or without when another process holds it and @wait is FALSE. */
static int open_locked(const char *path, gboolean wait, GError **error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0) {
        aimf_io_error(error, errno, "open", path);
        return -1;
    }
    int result;
    do
        result = flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return fd;
    if (errno != EWOULDBLOCK)
        aimf_io_error(error, errno, "lock", path);
    close(fd);
    return -1;
}

static gboolean lock_folder(AimfFolder *folder, GError **error)
{
    g_autofree char *path = in_folder(folder, ".lock");
    folder->lock = open_locked(path, TRUE, error);
    return folder->lock >= 0;
}

static void unlock_folder(AimfFolder *folder)
{
    if (folder->lock >= 0)
        close(folder->lock);
    folder->lock = -1;
}

/* --- Journals: generation.<shard>-of-<shards>.jsonl, there while their shard is at work or after it was killed --- */

static char *journal_name(guint shard, guint shards)
{
    return g_strdup_printf("generation.%u-of-%u.jsonl", shard, shards);
}

static gboolean is_journal(const char *name, guint *shard, guint *shards)
{
    if (sscanf(name, "generation.%u-of-%u.jsonl", shard, shards) != 2 || *shard >= *shards)
        return FALSE;
    g_autofree char *expected = journal_name(*shard, *shards);
    return strcmp(name, expected) == 0;
}

/* n = a mod m and n = b mod k have a common solution exactly if a = b mod gcd(m, k). */
static gboolean shards_overlap(guint a, guint m, guint b, guint k)
{
    guint gcd = m, rest = k;
    while (rest) {
        guint next = gcd % rest;
        gcd = rest;
        rest = next;
    }
    return a % gcd == b % gcd;
}

static gboolean busy(const char *path, guint shard, guint shards, GError **error)
{
    g_set_error(
        error, AIMF_ERROR, AIMF_ERROR_INVALID,
        "another process is making pictures of shard %u/%u in this folder (it holds '%s'); wait for it, stop it, or "
        "divide the work by --shard",
        shard, shards, path);
    return FALSE;
}

/* Whether the process that writes the journal @name is still there; our own counts as gone. */
static gboolean probe_journal(const AimfFolder *folder, const char *path, gboolean *alive, GError **error)
{
    *alive = FALSE;
    if (strcmp(path, folder->journal_path) == 0)
        return TRUE;
    GError *failure = NULL;
    int fd = open_locked(path, FALSE, &failure);
    if (fd >= 0)
        close(fd); /* nobody takes it meanwhile: the folder is locked */
    *alive = fd < 0 && !failure;
    if (failure)
        g_propagate_error(error, failure);
    return !failure;
}

/* (owned) the journals of processes that are no more, and our own; all journals' lines are on @record then. */
static GPtrArray *read_journals(const AimfFolder *folder, AimfRecord *record, gboolean others_only,
                                const AimfMonitor *monitor, GError **error)
{
    const AimfJob *job = folder->job;
    g_autoptr(GPtrArray) names = aimf_directory_list(job->generation->folder, error);
    g_autoptr(GPtrArray) dead = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; names && i < names->len; i++) {
        guint shard, shards;
        gboolean alive;
        if (!is_journal(names->pdata[i], &shard, &shards))
            continue;
        g_autofree char *path = in_folder(folder, names->pdata[i]);
        if (!probe_journal(folder, path, &alive, error))
            return NULL;
        if (alive && shards_overlap(shard, shards, job->shard, job->shards)) {
            busy(path, shard, shards, error);
            return NULL;
        }
        if (!aimf_record_read(record, job, path, others_only, monitor, error))
            return NULL;
        if (!alive)
            g_ptr_array_add(dead, g_steal_pointer(&path));
    }
    return names ? g_steal_pointer(&dead) : NULL;
}

static gboolean append(AimfFolder *folder, const char *text, GError **error)
{
    gsize done = 0, length = strlen(text);
    while (done < length) {
        gssize n = write(folder->journal, text + done, length - done);
        if (n < 0 && errno != EINTR) {
            aimf_io_error(error, errno, "write", folder->journal_path);
            return FALSE;
        }
        done += n > 0 ? (gsize)n : 0;
    }
    return TRUE;
}

/* The half line that a killed run may have left must not become one with ours. */
static gboolean end_journal(AimfFolder *folder, GError **error)
{
    char last = '\n';
    off_t end = lseek(folder->journal, 0, SEEK_END);
    if (end > 0 && pread(folder->journal, &last, 1, end - 1) != 1)
        end = -1;
    if (end < 0)
        aimf_io_error(error, errno, "read", folder->journal_path);
    return end >= 0 && (last == '\n' || append(folder, "\n", error));
}

static gboolean open_journal(AimfFolder *folder, GError **error)
{
    const AimfJob *job = folder->job;
    g_autofree char *name = journal_name(job->shard, job->shards);
    GError *failure = NULL;
    folder->journal_path = in_folder(folder, name);
    folder->journal = open_locked(folder->journal_path, FALSE, &failure);
    if (failure) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    return folder->journal >= 0 ? end_journal(folder, error)
                                : busy(folder->journal_path, job->shard, job->shards, error);
}

gboolean aimf_folder_append(AimfFolder *folder, guint64 index, const AimfMade *made, GError **error)
{
    g_autofree char *text = aimf_job_line(folder->job, index, made);
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    return append(folder, line, error);
}

/* --- What lies in the folder --- */

static gboolean is_picture(const char *name, guint *number)
{
    return strlen(name) == strlen("000000.png") && strspn(name, "0123456789") == 6 && strcmp(name + 6, ".png") == 0 &&
           sscanf(name, "%6u", number) == 1;
}

/* Only what is written under the folder's lock, which we hold. */
static gboolean is_shared_file(const char *name)
{
    return strcmp(name, "job.json") == 0 || strcmp(name, "generation.jsonl") == 0 ||
           (g_str_has_prefix(name, "manifest.") && g_str_has_suffix(name, ".csv")) ||
           (g_str_has_prefix(name, "preview_") && g_str_has_suffix(name, ".png"));
}

static gboolean is_own_number(const AimfJob *job, guint number)
{
    return number % job->shards == job->shard;
}

/*
 * Removes temporary files of this shard's pictures from the group @path; *n_pictures receives how many of those are
 * there.
 */
static gboolean sweep_group(const AimfJob *job, const char *path, guint *n_pictures, GError **error)
{
    g_autoptr(GPtrArray) names = aimf_directory_list(path, error);
    guint number;
    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *final = aimf_part_of(names->pdata[i]);
        if (final && is_picture(final, &number) && is_own_number(job, number)) {
            g_autofree char *leftover = g_build_filename(path, names->pdata[i], NULL);
            g_unlink(leftover);
        } else if (is_picture(names->pdata[i], &number) && is_own_number(job, number)) {
            ++*n_pictures;
        }
    }
    return names != NULL;
}

static gboolean sweep(const AimfFolder *folder, guint *n_pictures, GError **error)
{
    const AimfJob *job = folder->job;
    g_autoptr(GPtrArray) names = aimf_directory_list(job->generation->folder, error);
    for (guint i = 0; names && i < names->len; i++) {
        g_autofree char *final = aimf_part_of(names->pdata[i]);
        g_autofree char *leftover = in_folder(folder, names->pdata[i]);
        if (final && is_shared_file(final))
            g_unlink(leftover);
    }
    for (guint g = 0; names && g < job->prompts->n_groups; g++) {
        g_autofree char *path = in_folder(folder, job->prompts->groups[g].name);
        gboolean there;
        if (!aimf_path_there(path, &there, error) || (there && !sweep_group(job, path, n_pictures, error)))
            return FALSE;
    }
    return names != NULL;
}

/* *@some: whether @path is a folder with pictures; one that nobody here may list, as lost+found, is of no job's */
static gboolean find_pictures(const char *path, gboolean *some, GError **error)
{
    AimfPathKind kind = aimf_path_kind(path, error);
    if (kind == AIMF_PATH_FOLDER && access(path, R_OK | X_OK) != 0 && errno == EACCES)
        kind = AIMF_PATH_OTHER;
    g_autoptr(GPtrArray) names = kind == AIMF_PATH_FOLDER ? aimf_directory_list(path, error) : NULL;
    guint number;
    *some = FALSE;
    for (guint i = 0; names && i < names->len; i++)
        *some = *some || is_picture(names->pdata[i], &number);
    return names || (kind != AIMF_PATH_FOLDER && kind != AIMF_PATH_UNKNOWN);
}

/* *@something: whether a job's file or folder @name has come of a job */
static gboolean find_results(const AimfFolder *folder, const char *name, gboolean *something, GError **error)
{
    guint shard, shards;
    struct stat info;
    gboolean journal = is_journal(name, &shard, &shards), alive = FALSE;
    g_autofree char *path = in_folder(folder, name);
    if (!journal && strcmp(name, "generation.jsonl") != 0)
        return find_pictures(path, something, error);
    if (journal && !probe_journal(folder, path, &alive, error))
        return FALSE;
    if (stat(path, &info) != 0) {
        aimf_io_error(error, errno, "examine", path);
        return FALSE;
    }
    *something = alive || info.st_size > 0;
    return TRUE;
}

/* *@untouched: whether nothing has come of a job here, so that another one may take its place */
static gboolean see_whether_untouched(const AimfFolder *folder, gboolean *untouched, GError **error)
{
    g_autoptr(GPtrArray) names = aimf_directory_list(folder->job->generation->folder, error);
    *untouched = names != NULL;
    for (guint i = 0; names && i < names->len; i++) {
        gboolean something;
        if (!find_results(folder, names->pdata[i], &something, error))
            return FALSE;
        *untouched = *untouched && !something;
    }
    return names != NULL;
}

/* --- Opening --- */

/* folder->per_group: of the job that job.json describes, 0 if there is none yet. @job becomes one of its version. */
static gboolean check_job(AimfFolder *folder, AimfJob *job, GError **error)
{
    const AimfGeneration *generation = folder->job->generation;
    g_autofree char *path = in_folder(folder, "job.json");
    g_autoptr(GBytes) bytes = NULL;
    gboolean there;
    if (!aimf_path_there(path, &there, error) || (there && !(bytes = aimf_file_read(path, MAX_JOB_BYTES, error))))
        return FALSE;
    gsize length = 0;
    int version = AIMF_JOB_VERSION;
    const char *text = bytes ? g_bytes_get_data(bytes, &length) : NULL;
    g_autofree char *differences = text ? aimf_job_differences(job, text, length, &folder->per_group, &version) : NULL;
    gboolean same = text && !differences && folder->per_group <= generation->per_group;
    if (same) {
        job->version = version;
        return TRUE;
    }
    gboolean untouched;
    if (!see_whether_untouched(folder, &untouched, error))
        return FALSE;
    if (untouched) {
        folder->per_group = 0;
        return TRUE;
    }
    if (!text)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s' has pictures, but no job.json that says of which job; choose another folder",
                    generation->folder);
    else if (differences)
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' holds another job: %s; choose another folder",
                    generation->folder, differences);
    else
        g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                    "'%s' holds a job of %u picture%s per group, and %u %s asked for; ask for as many or for more",
                    generation->folder, folder->per_group, AIMF_PLURAL(folder->per_group), generation->per_group,
                    generation->per_group == 1 ? "is" : "are");
    return FALSE;
}

static gboolean check_resume(const AimfJob *job, const AimfRecord *record, guint n_pictures, GError **error)
{
    GHashTableIter iterator;
    gpointer key;
    guint n_listed = 0;
    g_hash_table_iter_init(&iterator, (GHashTable *)record);
    while (g_hash_table_iter_next(&iterator, &key, NULL))
        if (aimf_job_is_own(job, GPOINTER_TO_SIZE(key) - 1))
            n_listed++;
    if (job->generation->resume || MAX(n_listed, n_pictures) == 0)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID,
                "'%s' has %u picture%s of this job already; resume it, or choose another folder",
                job->generation->folder, MAX(n_listed, n_pictures), AIMF_PLURAL(MAX(n_listed, n_pictures)));
    return FALSE;
}

static gboolean write_job(AimfFolder *folder, GError **error)
{
    guint per_group = folder->job->generation->per_group;
    if (folder->per_group == per_group)
        return TRUE;
    g_autofree char *path = in_folder(folder, "job.json");
    g_autofree char *text = aimf_job_describe(folder->job, per_group);
    folder->per_group = per_group;
    return aimf_file_write(path, text, strlen(text), error);
}

static gboolean make_folder(const char *path, GError **error)
{
    AimfPathKind kind = aimf_path_kind(path, error);
    if (kind == AIMF_PATH_UNKNOWN)
        return FALSE;
    if (kind == AIMF_PATH_MISSING || kind == AIMF_PATH_FOLDER)
        return aimf_directory_make(path, error);
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' is a file, and a folder is to be there", path);
    return FALSE;
}

static gboolean make_group_folders(const AimfFolder *folder, GError **error)
{
    gboolean good = TRUE;
    for (guint g = 0; good && g < folder->job->prompts->n_groups; g++) {
        g_autofree char *path = in_folder(folder, folder->job->prompts->groups[g].name);
        good = make_folder(path, error);
    }
    return good;
}

static gboolean check_writable(const AimfFolder *folder, const char *name, GError **error)
{
    g_autofree char *path = in_folder(folder, name);
    AimfPathKind kind = aimf_path_kind(path, error);
    if (kind == AIMF_PATH_UNKNOWN)
        return FALSE;
    if (kind == AIMF_PATH_MISSING || kind == AIMF_PATH_FILE)
        return TRUE;
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_INVALID, "'%s' is no file, and one is to be written there", path);
    return FALSE;
}

/* Better now than after hours of work. */
static gboolean check_files(const AimfFolder *folder, GError **error)
{
    const AimfJob *job = folder->job;
    if (!check_writable(folder, "manifest.csv", error) || !check_writable(folder, "generation.jsonl", error))
        return FALSE;
    for (guint g = 0; job->generation->preview && g < job->prompts->n_groups; g++) {
        g_autofree char *name = aimf_preview_name(job, g);
        if (!check_writable(folder, name, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean take_folder(AimfFolder *folder, AimfJob *job, AimfRecord *record, const AimfMonitor *monitor,
                            GError **error)
{
    g_autofree char *lines = in_folder(folder, "generation.jsonl");
    guint n_pictures = 0;
    if (!check_files(folder, error) || !open_journal(folder, error) || !check_job(folder, job, error) ||
        !aimf_record_read(record, job, lines, FALSE, monitor, error))
        return FALSE;
    g_autoptr(GPtrArray) dead = read_journals(folder, record, FALSE, monitor, error);
    return dead && make_group_folders(folder, error) && sweep(folder, &n_pictures, error) &&
           check_resume(job, record, n_pictures, error) && write_job(folder, error);
}

gboolean aimf_folder_open(AimfFolder *folder, AimfJob *job, AimfRecord *record, const AimfMonitor *monitor,
                          GError **error)
{
    *folder = (AimfFolder){ .job = job, .lock = -1, .journal = -1 };
    if (!make_folder(job->generation->folder, error) || !lock_folder(folder, error))
        return FALSE;
    gboolean good = take_folder(folder, job, record, monitor, error);
    GStatBuf info;
    if (!good && folder->journal >= 0 && g_stat(folder->journal_path, &info) == 0 && info.st_size == 0)
        g_unlink(folder->journal_path);
    unlock_folder(folder);
    return good;
}

/* --- Finishing --- */

gboolean aimf_folder_preview(AimfFolder *folder, GError **error)
{
    if (!lock_folder(folder, error))
        return FALSE;
    gboolean good = aimf_preview_save(folder->job, folder->per_group, error);
    unlock_folder(folder);
    return good;
}

/* Another shard may have enlarged the job meanwhile. */
static gboolean update_per_group(AimfFolder *folder, GError **error)
{
    g_autofree char *path = in_folder(folder, "job.json");
    g_autoptr(GBytes) bytes = aimf_file_read(path, MAX_JOB_BYTES, error);
    if (!bytes)
        return FALSE;
    gsize length;
    const char *text = g_bytes_get_data(bytes, &length);
    guint per_group;
    int version;
    g_autofree char *differences = aimf_job_differences(folder->job, text, length, &per_group, &version);
    if (!differences)
        folder->per_group = MAX(folder->per_group, per_group);
    return TRUE;
}

/*
 * Takes pictures from @record that are there no more, so that the lists name none of them. *gone: (owned, nullable) the
 * first that this shard lost; those of other shards are told, and theirs to make.
 */
static gboolean drop_gone(const AimfFolder *folder, AimfRecord *record, char **gone, guint *n_gone,
                          const AimfMonitor *monitor, GError **error)
{
    const AimfJob *job = folder->job;
    guint64 n = (guint64)folder->per_group * job->prompts->n_groups;
    for (guint64 index = 0; index < n; index++) {
        const AimfMade *made = aimf_record_find(record, index);
        if (!made || !made->sha256[0])
            continue;
        g_autofree char *name = aimf_job_file(job, index), *path = in_folder(folder, name);
        gboolean there;
        if (!aimf_path_there(path, &there, error))
            return FALSE;
        if (there)
            continue;
        aimf_record_remove(record, index);
        if (!aimf_job_is_own(job, index))
            aimf_message(monitor, AIMF_LOG_WARNING, "'%s', of another shard, is not there and is left out of the lists",
                         path);
        else if (++*n_gone == 1)
            *gone = g_steal_pointer(&path);
    }
    return TRUE;
}

static gboolean lost(const char *gone, guint n_gone, GError **error)
{
    g_set_error(error, AIMF_ERROR, AIMF_ERROR_FAILED,
                "%u picture%s of this job %s deleted while it ran, the first '%s'; resume it to make %s anew", n_gone,
                AIMF_PLURAL(n_gone), n_gone == 1 ? "was" : "were", gone, n_gone == 1 ? "it" : "them");
    return FALSE;
}

gboolean aimf_folder_finish(AimfFolder *folder, AimfRecord *record, const AimfMonitor *monitor, GError **error)
{
    const AimfJob *job = folder->job;
    if (!lock_folder(folder, error))
        return FALSE;
    g_autofree char *lines = in_folder(folder, "generation.jsonl");
    /* What is none of this job's was told at the start. */
    gboolean good = update_per_group(folder, error) && aimf_record_read(record, job, lines, TRUE, NULL, error);
    g_autoptr(GPtrArray) dead = good ? read_journals(folder, record, TRUE, NULL, error) : NULL;
    g_autofree char *gone = NULL;
    guint n_gone = 0;
    good = dead && drop_gone(folder, record, &gone, &n_gone, monitor, error) &&
           aimf_record_save(record, job, folder->per_group, monitor, error) &&
           (!job->generation->preview || aimf_preview_save(job, folder->per_group, error)) &&
           (!gone || lost(gone, n_gone, error));
    for (guint i = 0; good && i < dead->len; i++)
        g_unlink(dead->pdata[i]);
    unlock_folder(folder);
    return good;
}

void aimf_folder_close(AimfFolder *folder)
{
    unlock_folder(folder);
    if (folder->journal >= 0)
        close(folder->journal);
    folder->journal = -1;
    g_clear_pointer(&folder->journal_path, g_free);
}
