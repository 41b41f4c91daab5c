/* What an architecture must fill in: its row in the registry, and the walk over its layers. */
#pragma once

#include "model/layer_builder.h"

/**
 * AimfArchitecture: a registry row.
 * @min_image_size, @max_image_size: side of the input in pixels
 * @head: name of the final layer, whose number of outputs may differ from a weight file's
 * @children: (NULL-terminated) the modules in the order of upstream's children(): their numbers in an nn.Sequential
 * @logits: the walk: images (N, 3, S, S) -> (N, outputs)
 */
typedef struct {
    const char *name;
    int min_image_size;
    int max_image_size;
    const char *head;
    const char *const *children;
    AimfValue (*logits)(AimfBuilder *b, AimfValue images, int outputs);
} AimfArchitecture;

AimfValue aimf_resnet18_logits(AimfBuilder *b, AimfValue images, int outputs);

/** aimf_architecture_find: (borrowed) NULL with NOT_FOUND that lists what there is. */
const AimfArchitecture *aimf_architecture_find(const char *name, GError **error);
/** aimf_is_of_head: whether the tensor @name is one of the final layer's. */
gboolean aimf_is_of_head(const AimfArchitecture *architecture, const char *name);
