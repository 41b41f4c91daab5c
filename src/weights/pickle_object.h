/* How storages, tensors and containers are made from what a checkpoint's pickle names. */
#pragma once

#include "weights/pickle_value.h"

/** aimf_pickle_call: what calling @callable with the tuple @args gives. */
AimfPickleValue *aimf_pickle_call(AimfPickle *pickle, const AimfPickleValue *callable, const AimfPickleValue *args,
                                  GError **error);
/** aimf_pickle_build: gives @object the attributes @state. */
gboolean aimf_pickle_build(AimfPickle *pickle, AimfPickleValue *object, const AimfPickleValue *state, GError **error);
/** aimf_pickle_persistent: the storage or tensor that the persistent id @id means. */
AimfPickleValue *aimf_pickle_persistent(AimfPickle *pickle, const AimfPickleValue *id, GError **error);

/* --- For forms that keep storages and tensors outside of the pickle that uses them --- */

/** aimf_pickle_storage_type: whether @value names a type of storage, and of which elements. */
gboolean aimf_pickle_storage_type(const AimfPickleValue *value, AimfPickleElement *type);
/**
 * aimf_pickle_storage: (borrowed) storage @key as a value; NULL with FORMAT: a size that is impossible or not the one
 * it had before.
 */
AimfPickleValue *aimf_pickle_storage(AimfPickle *pickle, const char *key, const AimfPickleElement *type, gint64 count,
                                     GError **error);
/** aimf_pickle_narrow: (borrowed) @count elements of the value @storage from @offset on; NULL with FORMAT. */
AimfPickleValue *aimf_pickle_narrow(AimfPickle *pickle, const AimfPickleValue *storage, gint64 offset, gint64 count,
                                    GError **error);
/**
 * aimf_pickle_tensor: (borrowed) the tensor that @view, whose storage and type are not yet set, sees in the value
 * @storage; NULL with FORMAT.
 */
AimfPickleValue *aimf_pickle_tensor(AimfPickle *pickle, const AimfPickleValue *storage, const AimfPickleView *view,
                                    GError **error);
/** aimf_pickle_define: what the persistent id @id, a number as text, means in later pickles. */
void aimf_pickle_define(AimfPickle *pickle, gint64 id, AimfPickleValue *value);
