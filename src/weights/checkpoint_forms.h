/* The three forms of PyTorch checkpoints. */
#pragma once

#include <aimfair/weights.h>

/** aimf_checkpoint_parse_zip: PyTorch 1.6 and later: data.pkl and data/KEY in a ZIP archive. (owned) or NULL. */
AimfTensors *aimf_checkpoint_parse_zip(GBytes *map, GError **error);
/**
 * aimf_checkpoint_parse_stream: PyTorch 0.1.10 to 1.5: pickles one after the other, then the storages. (owned) or NULL.
 */
AimfTensors *aimf_checkpoint_parse_stream(GBytes *map, GError **error);
/**
 * aimf_checkpoint_parse_tar: before that, torchvision's first models among them: pickle, tensors and storages in a
 * tar file.
 */
AimfTensors *aimf_checkpoint_parse_tar(GBytes *map, GError **error);
