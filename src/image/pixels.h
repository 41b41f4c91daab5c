/* Memory for pixels: of the size that a file declares, within what its bytes make likely. */
#pragma once

#include "image/decode_budget.h"
#include <aimfair/image.h>

/**
 * AimfEncoded: an encoded picture and what to call it in errors; all borrowed.
 * @budget: (nullable) what its pixels are taken from; *@taken: how many bytes of it were
 */
typedef struct {
    const guint8 *data;
    gsize bytes;
    const char *name;
    AimfDecodeBudget *budget;
    gsize *taken;
} AimfEncoded;

/**
 * aimf_image_allocate:
 * An image of the size that @picture declares. NULL with FORMAT when the size is absurd, MEMORY when there is none.
 */
AimfImage *aimf_image_allocate(guint64 width, guint64 height, const AimfEncoded *picture, GError **error);
