/* PyTorch checkpoints: the three forms that are read, and the one that is written. */
#pragma once

#include "base/file.h"
#include <aimfair/weights.h>

/** aimf_is_checkpoint: whether the bytes begin as a ZIP archive, a pickle or a tar file does. */
gboolean aimf_is_checkpoint(GBytes *map);
/** aimf_checkpoint_parse: (owned) a set whose data stay in @map; NULL with FORMAT or UNSUPPORTED. */
AimfTensors *aimf_checkpoint_parse(GBytes *map, GError **error);
/**
 * aimf_checkpoint_write: in ZIP form, as a dict of tensors that torch.load(weights_only=True) reads. Metadata go into
 * a member of their own, which PyTorch does not look at. The same set gives the same bytes.
 */
gboolean aimf_checkpoint_write(const AimfTensors *tensors, AimfWriter *writer, GError **error);
