/*
 * A reader of pickles that can build tensors, dicts, lists, numbers and texts, and nothing else: it never calls
 * anything. It passes over what is known to be harmless, and a pickle that names anything else is refused by that
 * name. Opcodes of protocols 2 to 5, as far as torch.save writes them.
 * Source: CPython, Lib/pickletools.py, for the opcodes; PyTorch, torch/_utils.py and torch/serialization.py, for what
 * the names mean, and torch/_weights_only_unpickler.py, for what PyTorch itself takes to be harmless.
 */
#pragma once

#include "weights/pickle_value.h"

/**
 * aimf_pickle_load:
 * One pickle at the beginning of @data, which must outlive the values; how long it was in *@used.
 * Returns: (borrowed) what it is, or NULL with FORMAT or UNSUPPORTED.
 */
const AimfPickleValue *aimf_pickle_load(AimfPickle *pickle, const guint8 *data, gsize bytes, gsize *used,
                                        GError **error);
