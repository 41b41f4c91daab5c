/* What the files of this folder do with a manifest that others may not. */
#pragma once

#include <aimfair/data.h>

/**
 * aimf_manifest_relabel: every label of aimf_manifest_groups becomes the one of @labels (in that order) at its place;
 * two may become one. The texts of columns stay as they are.
 */
void aimf_manifest_relabel(AimfManifest *manifest, const char *const *labels);
