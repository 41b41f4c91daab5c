/*
 * The generation job, in parts: what each picture is (generation_job.c), what has been made (generation_record.c),
 * the folder with its locks and files (generation_folder.c), contact sheets (generation_preview.c) and the work
 * itself (generation.c).
 *
 * Picture @number of group @group has the index number * groups + group: the order in which pictures are made and
 * listed, so that a job that was stopped is balanced and a larger one begins with the same lines.
 */
#pragma once

#include <aimfair/diffusion.h>
#include <json-glib/json-glib.h>

/**
 * AimfPictureMaker: where pictures come from; tests have a cheap one. @info: borrowed; @make: as
 * aimf_diffusion_generate
 */
typedef struct {
    AimfDiffusionInfo info;
    gboolean (*make)(gpointer data, const AimfSampling *sampling, AimfPicture *pictures, guint n,
                     const AimfMonitor *monitor, GError **error);
    gpointer data;
} AimfPictureMaker;

/** aimf_generate_with: aimf_generate with pictures from @maker. */
gboolean aimf_generate_with(const AimfPictureMaker *maker, const AimfSampling *sampling,
                            const AimfGeneration *generation, AimfGenerationResult *result, const AimfMonitor *monitor,
                            GError **error);

/* --- What each picture is --- */

enum { AIMF_MAX_PER_GROUP = 1000000 }; /* six digits, so that names sort by number */

/**
 * AimfJob: @sampling: with its sizes resolved; @settings: (owned) all that pictures depend on, but for prompt and
 * seed
 */
typedef struct {
    const AimfGeneration *generation;
    const AimfPrompts *prompts;
    guint shard;
    guint shards;
    AimfSampling sampling;
    JsonObject *settings;
} AimfJob;

/** AimfMade: what became of a picture. @sha256: of its file, in hexadecimal; empty where it failed */
typedef struct {
    gboolean retried;
    char sha256[65];
} AimfMade;

/** aimf_generation_settings: (owned) the settings of pictures by @info's model, as they stand in all files. */
JsonObject *aimf_generation_settings(const AimfDiffusionInfo *info, const AimfSampling *sampling, int image_size);
/**
 * aimf_picture_encode: (owned) the PNG of @image with settings, prompt and seed; @group (nullable) and @number too.
 */
GBytes *aimf_picture_encode(const AimfImage *image, JsonObject *settings, const AimfPicture *picture, const char *group,
                            guint number, GError **error);

/** aimf_job_init: checks the arguments, which are borrowed. FALSE with INVALID. */
gboolean aimf_job_init(AimfJob *job, const AimfPictureMaker *maker, const AimfSampling *sampling,
                       const AimfGeneration *generation, GError **error);
void aimf_job_clear(AimfJob *job);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfJob, aimf_job_clear)

guint aimf_job_number(const AimfJob *job, guint64 index);
const AimfPromptGroup *aimf_job_group(const AimfJob *job, guint64 index);
guint aimf_job_prompt_number(const AimfJob *job, guint64 index);
/** aimf_job_is_own: whether the picture belongs to this job's shard. */
gboolean aimf_job_is_own(const AimfJob *job, guint64 index);
/** aimf_job_picture: prompt and seed of the picture @index. */
AimfPicture aimf_job_picture(const AimfJob *job, guint64 index);
/** aimf_job_file: (owned) "1_0/000042.png". */
char *aimf_job_file(const AimfJob *job, guint64 index);
/** aimf_job_line: (owned) the line of generation.jsonl, without its end. */
char *aimf_job_line(const AimfJob *job, guint64 index, const AimfMade *made);
/** aimf_job_take_line: reads such a line. FALSE unless its values are those that this job writes. */
gboolean aimf_job_take_line(const AimfJob *job, const char *line, gsize length, guint64 *index, AimfMade *made);
/** aimf_job_row: (owned) the row of manifest.csv, without its end; aimf_manifest_header: its first line. */
char *aimf_job_row(const AimfJob *job, guint64 index);
extern const char AIMF_GENERATION_HEADER[];

/**
 * aimf_job_describe: (owned) the text of job.json: what must be the same for pictures to belong together, and
 * @per_group.
 */
char *aimf_job_describe(const AimfJob *job, guint per_group);
/**
 * aimf_job_differences:
 * (owned, nullable) what differs between this job and the one that the job.json @text describes; NULL: nothing, and
 * @per_group receives the number it was written for.
 */
char *aimf_job_differences(const AimfJob *job, const char *text, gsize length, guint *per_group);

/* --- What has been made --- */

/** AimfRecord: index + 1 -> AimfMade, owned. */
typedef GHashTable AimfRecord;

AimfRecord *aimf_record_new(void);
const AimfMade *aimf_record_find(const AimfRecord *record, guint64 index);
void aimf_record_set(AimfRecord *record, guint64 index, const AimfMade *made);
void aimf_record_remove(AimfRecord *record, guint64 index);

/**
 * aimf_record_read: takes the lines of the file @path that are this job's; later ones replace earlier ones, and those
 * of the job's own shard are passed over with @others_only. A missing file is empty. How many lines were none of this
 * job's is told to @monitor.
 */
gboolean aimf_record_read(AimfRecord *record, const AimfJob *job, const char *path, gboolean others_only,
                          const AimfMonitor *monitor, GError **error);
/**
 * aimf_record_save: manifest.csv and generation.jsonl of the first @per_group of each group; a manifest that somebody
 * edited is kept.
 */
gboolean aimf_record_save(const AimfRecord *record, const AimfJob *job, guint per_group, const AimfMonitor *monitor,
                          GError **error);

/* --- The folder --- */

/**
 * AimfFolder: @lock: of the folder, held while shared files change; @journal: of this shard, held for the whole run
 */
typedef struct {
    const AimfJob *job;
    int lock;
    int journal;
    char *journal_path;
    guint per_group; /* of the job that the folder holds */
} AimfFolder;

/**
 * aimf_folder_open:
 * Makes the folder or sees that it holds this job, locks this shard's journal, clears away what a killed run left,
 * and puts what it made on
 * @record. FALSE with INVALID: it holds another job, pictures without resume, or another process works on it.
 */
gboolean aimf_folder_open(AimfFolder *folder, const AimfJob *job, AimfRecord *record, const AimfMonitor *monitor,
                          GError **error);
/** aimf_folder_append: a picture at the end of the journal, for the next run to find should this one be killed. */
gboolean aimf_folder_append(AimfFolder *folder, guint64 index, const AimfMade *made, GError **error);
/** aimf_folder_preview: draws the contact sheets anew. */
gboolean aimf_folder_preview(AimfFolder *folder, GError **error);
/**
 * aimf_folder_finish: adds what other shards made, writes manifest.csv, generation.jsonl and previews, and removes
 * the journals that those have taken in. FALSE with FAILED where pictures of this shard are gone again: the lists are
 * without them.
 */
gboolean aimf_folder_finish(AimfFolder *folder, AimfRecord *record, const AimfMonitor *monitor, GError **error);
void aimf_folder_close(AimfFolder *folder);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfFolder, aimf_folder_close)

/* --- Contact sheets --- */

/** aimf_preview_name: (owned) "preview_1_0.png". */
char *aimf_preview_name(const AimfJob *job, guint group);
/** aimf_preview_save: preview_<group>.png of the first pictures of every group that are there, @per_group at most. */
gboolean aimf_preview_save(const AimfJob *job, guint per_group, GError **error);
