/* A vision transformer's rows for the places of its input, which another size of input has another number of. */
#pragma once

#include "model/model.h"

/** aimf_places_alike: whether the tensor @name is of that kind, and @theirs and @ours differ in nothing but rows. */
gboolean aimf_places_alike(const AimfArchitecture *architecture, const char *name, const AimfShape *ours,
                           const AimfShape *theirs);
/** aimf_places_fit: the same, and rows can be resampled: those of a square behind that of the class; or are as many. */
gboolean aimf_places_fit(const AimfArchitecture *architecture, const char *name, const AimfShape *ours,
                         const AimfShape *theirs);
/**
 * aimf_places_resample: the rows @entry of @from to the size of the model's tensor @index: bicubic with antialiasing,
 * in f32. Source: timm/layers/pos_embed.py, resample_abs_pos_embed, and the filter of PyTorch's interpolate.
 */
gboolean aimf_places_resample(const AimfModel *model, guint index, const AimfTensors *from, guint entry,
                              const AimfMonitor *monitor, GError **error);
