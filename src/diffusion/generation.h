/*
 * The generation job, in parts: what each picture is (generation_job.c), what has been made (generation_record.c),
 * the folder with its locks and files (generation_folder.c), contact sheets (generation_preview.c) and the work
 * itself (generation.c).
 */
#pragma once

#include "diffusion/generation_job.h"

/** aimf_generate_with: aimf_generate with pictures from @maker. */
gboolean aimf_generate_with(const AimfPictureMaker *maker, const AimfSampling *sampling,
                            const AimfGeneration *generation, AimfGenerationResult *result, const AimfMonitor *monitor,
                            GError **error);
