/* What the names mean that a checkpoint's pickle may use. */
#pragma once

#include "weights/pickle_value.h"

/** AimfPickleMakes: what calling a name gives. */
typedef enum {
    AIMF_MAKES_NOTHING, /* it may be there, but not be called */
    AIMF_MAKES_OPAQUE,  /* what calling it would give is of no use here, and it is not called */
    AIMF_MAKES_STORAGE,
    AIMF_MAKES_ELEMENT, /* a torch.dtype */
    AIMF_MAKES_DICT,    /* of a list of pairs */
    AIMF_MAKES_COUNTS,  /* a dict of a dict, or an empty one */
    AIMF_MAKES_SET,
    AIMF_MAKES_TUPLE,
    AIMF_MAKES_TENSOR,
    AIMF_MAKES_TYPED_TENSOR, /* whose elements have another type than its storage's */
    AIMF_MAKES_COPIED_TENSOR,
    AIMF_MAKES_EMPTY_TENSOR, /* which gets its elements as its state */
    AIMF_MAKES_PARAMETER,
    AIMF_MAKES_FROM_TYPE, /* calls another name that makes a tensor */
    AIMF_MAKES_UNREADABLE,
    AIMF_MAKES_CALLBACK, /* the type of one, as a key */
} AimfPickleMakes;

/**
 * AimfPickleGlobal: @element: of a storage and of an element type; its @unreadable is also what an unreadable tensor
 * is
 */
struct AimfPickleGlobal {
    const char *name;
    AimfPickleMakes makes;
    AimfPickleElement element;
};

/** aimf_pickle_global: the one named "module.name", or NULL with FORMAT. */
const AimfPickleGlobal *aimf_pickle_global(const char *module, const char *name, GError **error);
/** aimf_pickle_name: (borrowed, nullable) what @value names; NULL for what is no name, and for types of callbacks. */
const char *aimf_pickle_name(const AimfPickleValue *value);
