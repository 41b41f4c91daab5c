/* The memory that threads decoding pictures have in common: one budget for all of them, however many they are. */
#pragma once

#include <aimfair/image.h>

/**
 * AimfDecodeBudget: @used: bytes of the pictures that are decoded now; one that alone is larger than @limit waits for
 * all others.
 */
typedef struct {
    GMutex lock;
    GCond room;
    gsize used;
    gsize limit;
} AimfDecodeBudget;

void aimf_decode_budget_init(AimfDecodeBudget *budget);
void aimf_decode_budget_clear(AimfDecodeBudget *budget);

/**
 * aimf_image_open_within: aimf_image_open that waits for room. A thread must let its picture go, one way or the other,
 * before it opens another.
 */
AimfImage *aimf_image_open_within(AimfDecodeBudget *budget, const char *path, GError **error);
/** aimf_image_free_within: @image (nullable) is freed; aimf_image_keep_within: it is kept, and no longer counts. */
void aimf_image_free_within(AimfDecodeBudget *budget, AimfImage *image);
void aimf_image_keep_within(AimfDecodeBudget *budget, const AimfImage *image);

/** aimf_decode_budget_take, _give: for aimf_image_allocate: @bytes of pixels. */
void aimf_decode_budget_take(AimfDecodeBudget *budget, gsize bytes);
void aimf_decode_budget_give(AimfDecodeBudget *budget, gsize bytes);
