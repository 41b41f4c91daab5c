/* A job's folder, with its locks and files. */
#pragma once

#include "diffusion/generation_record.h"

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
 * and puts what it made on @record; @job gets the version that the folder's job.json has. FALSE with INVALID: it holds
 * another job, pictures without resume, or another process works on it.
 */
gboolean aimf_folder_open(AimfFolder *folder, AimfJob *job, AimfRecord *record, const AimfMonitor *monitor,
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
