/* Pictures decoded within a budget of memory. */
#pragma once

#include "image/decode_budget.h"
#include <aimfair/image.h>

/**
 * aimf_image_open_within: aimf_image_open that waits for room. A thread must let its picture go, one way or the other,
 * before it opens another.
 */
AimfImage *aimf_image_open_within(AimfDecodeBudget *budget, const char *path, GError **error);
/** aimf_image_free_within: @image (nullable) is freed; aimf_image_keep_within: it is kept, and no longer counts. */
void aimf_image_free_within(AimfDecodeBudget *budget, AimfImage *image);
void aimf_image_keep_within(AimfDecodeBudget *budget, const AimfImage *image);
