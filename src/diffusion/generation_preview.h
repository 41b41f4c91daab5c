/* Contact sheets. */
#pragma once

#include "diffusion/generation_job.h"

/** aimf_preview_name: (owned) "preview_1_0.png". */
char *aimf_preview_name(const AimfJob *job, guint group);
/** aimf_preview_save: preview_<group>.png of the first pictures of every group that are there, @per_group at most. */
gboolean aimf_preview_save(const AimfJob *job, guint per_group, GError **error);
