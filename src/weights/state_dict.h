/* A checkpoint's nested dicts as one level of named tensors and texts. */
#pragma once

#include "weights/pickle_value.h"

/**
 * AimfStateEntry: a tensor (@view), one of a kind that is not read (@unreadable: which, and the mend), or a number or
 * text as text (@text). @name: keys joined by '.'.
 */
typedef struct {
    char *name;
    char *text;                 /* owned, nullable */
    const AimfPickleView *view; /* borrowed from the pickle, nullable */
    const char *unreadable;     /* static, nullable */
} AimfStateEntry;

/**
 * aimf_state_dict:
 * @wrapper: receives (static, nullable) the top-level key that the names have lost
 * Walks @root, which @pickle was read to. List and tuple items are named by their index, dicts' items by their key,
 * "#2" the third one if its key cannot be written; a list of nothing but numbers is one text, "[1, 2]"; a tensor
 * alone is named "tensor". When all tensors lie below one top-level key that is commonly used for that ("state_dict",
 * "model" …), their names lose it. None, texts longer than 4096 bytes and metadata beyond 10000 are left out.
 * Returns: (owned) array of AimfStateEntry in the file's order, or NULL with FORMAT.
 */
GArray *aimf_state_dict(const AimfPickle *pickle, const AimfPickleValue *root, const char **wrapper, GError **error);
