/* Byte-pair encoding of one word. */
#pragma once

#include "text/vocabulary.h"

/**
 * AimfBytePairs: scratch memory that words share.
 * @symbols: the word's tokens as a linked list; @heap: merges that could be made, the next one first
 */
typedef struct {
    GArray *symbols;
    GArray *heap;
} AimfBytePairs;

AimfBytePairs aimf_byte_pairs_new(void);
void aimf_byte_pairs_clear(AimfBytePairs *pairs);
/** aimf_byte_pairs_encode: appends the tokens of @word (@length > 0 bytes) to @ids (gint32). */
void aimf_byte_pairs_encode(AimfBytePairs *pairs, const AimfVocabulary *vocabulary, const char *word, gsize length,
                            GArray *ids);
