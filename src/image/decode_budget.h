/* The memory that threads decoding pictures have in common: one budget for all of them, however many they are. */
#pragma once

#include <glib.h>

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

/** aimf_decode_budget_take, _give: @bytes of pixels; taking waits for room. */
void aimf_decode_budget_take(AimfDecodeBudget *budget, gsize bytes);
void aimf_decode_budget_give(AimfDecodeBudget *budget, gsize bytes);
