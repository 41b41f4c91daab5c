/* What has been made. */
#pragma once

#include "diffusion/generation_job.h"

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
