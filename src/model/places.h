/* A vision transformer's rows for the places of its input, which another size of input has another number of. */
#pragma once

#include "model/model.h"

/**
 * aimf_places_fit: whether the tensor @name is of that kind, and rows of the shape @theirs can be resampled to @ours:
 * as many channels, and rows of a square behind that of the class.
 */
gboolean aimf_places_fit(const AimfArchitecture *architecture, const char *name, const AimfShape *ours,
                         const AimfShape *theirs);
/**
 * aimf_places_resample: the rows @entry of @from to the size of the model's tensor @index: bicubic with antialiasing,
 * in f32. Source: timm/layers/pos_embed.py, resample_abs_pos_embed, and the filter of PyTorch's interpolate.
 */
gboolean aimf_places_resample(const AimfModel *model, guint index, const AimfTensors *from, guint entry,
                              const AimfMonitor *monitor, GError **error);
