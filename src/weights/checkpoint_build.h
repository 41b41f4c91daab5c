/* What reading the forms of checkpoints has in common. */
#pragma once

#include "weights/archive.h"
#include "weights/pickle_value.h"
#include <aimfair/weights.h>

/**
 * aimf_checkpoint_build: (owned) the set of the tensors in @root, whose storages in @pickle have been found; NULL
 * with FORMAT.
 * @archive: (nullable, taken in any case) has the storages' members
 */
AimfTensors *aimf_checkpoint_build(const AimfPickle *pickle, const AimfPickleValue *root, GBytes *map,
                                   AimfArchive *archive, GError **error);

/* The archive's member that holds the metadata, a JSON object of texts. */
#define AIMF_CHECKPOINT_METADATA "aimfair_metadata.json"
