/* A job as job.json has it. */
#pragma once

#include "diffusion/generation_job.h"

/**
 * aimf_job_describe: (owned) the text of job.json: what must be the same for pictures to belong together, and
 * @per_group.
 */
char *aimf_job_describe(const AimfJob *job, guint per_group);
/**
 * aimf_job_differences:
 * (owned, nullable) what differs between this job and the one that the job.json @text describes; NULL: nothing, and
 * @per_group and @version receive those that it was written for.
 */
char *aimf_job_differences(const AimfJob *job, const char *text, gsize length, guint *per_group, int *version);
