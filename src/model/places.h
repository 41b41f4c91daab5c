/* A vision transformer's rows for the places of its input, which another size of input has another number of. */
#pragma once

#include "model/model.h"

/** aimf_places_alike: whether the tensor @name is of that kind, and @theirs and @ours differ in nothing but rows. */
gboolean aimf_places_alike(const AimfArchitecture *architecture, const char *name, const AimfShape *ours,
                           const AimfShape *theirs);
/** AimfPlaces: how the rows behind that of the class lie: as so many lines of so many places. */
typedef struct {
    gint64 height, width;
} AimfPlaces;

/**
 * aimf_places_of:
 * @pictures: (nullable) the input that the weights are for, where that is known; otherwise as many rows as ours are for
 *   the model's own input, and others for a square
 * @places: receives how the rows @theirs lie
 * Whether they are such rows, and as many as that.
 */
gboolean aimf_places_of(const AimfModel *model, const AimfTensor *ours, const AimfTensor *theirs,
                        const AimfPreprocess *pictures, AimfPlaces *places);

/** aimf_places_are_ours: whether rows that lie so are for the model's input. */
gboolean aimf_places_are_ours(const AimfModel *model, const AimfPlaces *places);

/**
 * aimf_places_resample: the rows @entry of @from, which lie as @places says, to the size of the model's tensor @index:
 * bicubic with antialiasing, in f32. Source: timm/layers/pos_embed.py, resample_abs_pos_embed, and the filter of
 * PyTorch's interpolate.
 */
gboolean aimf_places_resample(const AimfModel *model, guint index, const AimfTensors *from, guint entry,
                              const AimfPlaces *places, const AimfMonitor *monitor, GError **error);
