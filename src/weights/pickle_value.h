/* What pickles are read to: values that live as long as the pickle, and the storages that tensors are views of. */
#pragma once

#include <aimfair/error.h>
#include <aimfair/tensor.h>

typedef enum {
    AIMF_PICKLE_NONE,
    AIMF_PICKLE_BOOL,
    AIMF_PICKLE_INT,
    AIMF_PICKLE_FLOAT,
    AIMF_PICKLE_LONG, /* an integer beyond 64 bits */
    AIMF_PICKLE_TEXT,
    AIMF_PICKLE_TUPLE,
    AIMF_PICKLE_LIST,
    AIMF_PICKLE_DICT,
    AIMF_PICKLE_GLOBAL,
    AIMF_PICKLE_STORAGE,
    AIMF_PICKLE_TENSOR,
    AIMF_PICKLE_UNREADABLE, /* a tensor of a kind that is not read */
    AIMF_PICKLE_OPAQUE,     /* something that is known to be harmless and is not looked into */
} AimfPickleKind;

/** AimfPickleElement: what elements are; @unreadable: (nullable) as of AimfPickleValue, then @dtype says nothing. */
typedef struct {
    AimfDtype dtype;
    gsize bytes;
    const char *unreadable;
} AimfPickleElement;

/** AimfPickleGlobal: a name that pickles may use; see pickle_names.h. */
typedef struct AimfPickleGlobal AimfPickleGlobal;

/**
 * AimfPickleStorage: a block of @count elements that tensors are views of.
 * @key: (owned) what the file calls it; @type: of its elements; @data: (nullable) its bytes, or @member: of the
 *   archive that has them; set by the caller
 */
typedef struct {
    char *key;
    AimfPickleElement type;
    gint64 count;
    const guint8 *data;
    guint64 member;
} AimfPickleStorage;

/** AimfPickleView: a tensor: which elements of which storage. Lies within it: that is checked when it is made. */
typedef struct {
    guint storage;   /* index into the pickle's storages */
    AimfDtype dtype; /* may be another than the storage's */
    gint64 offset;   /* in elements of @dtype */
    AimfShape shape;
    gint64 stride[AIMF_MAX_RANK];
} AimfPickleView;

typedef struct AimfPickleValue AimfPickleValue;
struct AimfPickleValue {
    AimfPickleKind kind;
    union {
        gint64 integer; /* BOOL, INT */
        double number;
        struct {
            const char *data; /* in the pickle, not terminated; LONG: little-endian, two's complement */
            gsize bytes;
        } text;
        GPtrArray *items; /* TUPLE, LIST; DICT: key, value, key, value … */
        const AimfPickleGlobal *global;
        struct {
            guint index;
            gint64 offset, count; /* a part of it, in elements */
        } storage;
        const char *unreadable; /* what kind it is, why it is not read, and the mend: "sparse …" */
        AimfPickleView *view;   /* owned; NULL for a Parameter that never got its tensor */
    };
};

/** AimfPickle: what was built, by one pickle or several of the same file. @storages: of AimfPickleStorage. */
typedef struct {
    gsize bytes;       /* that were read */
    GPtrArray *values; /* all of them; they live as long as the pickle */
    GArray *storages;
    GHashTable *storage_indices; /* key to index + 1 */
    GHashTable *objects;         /* text, owned, to the value that it means as a persistent id */
} AimfPickle;

AimfPickle *aimf_pickle_new(void);
void aimf_pickle_free(AimfPickle *pickle);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfPickle, aimf_pickle_free)

/**
 * aimf_pickle_value: (borrowed) a new value, containers with no items; NULL with FORMAT when there are absurdly many.
 */
AimfPickleValue *aimf_pickle_value(AimfPickle *pickle, AimfPickleKind kind, GError **error);
gboolean aimf_pickle_is_text(const AimfPickleValue *value, const char *text);
/** aimf_pickle_lookup: (nullable) the dict @value's entry under the text @key. */
const AimfPickleValue *aimf_pickle_lookup(const AimfPickleValue *value, const char *key);
