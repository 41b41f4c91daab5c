/*
 * What each picture of a generation job is.
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

enum { AIMF_MAX_PER_GROUP = 1000000 }; /* six digits, so that names sort by number */

/**
 * AIMF_JOB_VERSION: of job.json. Before version 2 pictures did not say in XMP how they came to be; a job goes on as it
 * began.
 */
enum { AIMF_JOB_VERSION = 2, AIMF_FIRST_JOB_VERSION = 1 };

/**
 * AimfJob: @sampling: with its sizes resolved; @settings: (owned) all that pictures depend on, but for prompt and
 * seed; @version: see AIMF_JOB_VERSION
 */
typedef struct {
    int version;
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
 * aimf_picture_encode: (owned) the PNG of @image with settings, prompt and seed, of a picture that is of no job.
 * aimf_job_encode: of picture @index of a job, with its group and number too.
 */
GBytes *aimf_picture_encode(const AimfImage *image, JsonObject *settings, const AimfPicture *picture, GError **error);

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
GBytes *aimf_job_encode(const AimfJob *job, guint64 index, const AimfImage *image, const AimfPicture *picture,
                        GError **error);
/** aimf_job_picture: prompt and seed of the picture @index. */
AimfPicture aimf_job_picture(const AimfJob *job, guint64 index);
/** aimf_job_file: (owned) "1_0/000042.png". */
char *aimf_job_file(const AimfJob *job, guint64 index);
/** aimf_job_line: (owned) the line of generation.jsonl, without its end. */
char *aimf_job_line(const AimfJob *job, guint64 index, const AimfMade *made);
/** aimf_job_take_line: reads such a line. FALSE unless its values are those that this job writes. */
gboolean aimf_job_take_line(const AimfJob *job, const char *line, gsize length, guint64 *index, AimfMade *made);
/** aimf_job_row: (owned) the row of manifest.csv, without its end; AIMF_GENERATION_HEADER: the first one. */
char *aimf_job_row(const AimfJob *job, guint64 index);
extern const char AIMF_GENERATION_HEADER[];
