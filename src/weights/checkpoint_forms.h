/* The three forms of PyTorch checkpoints, and what reading them has in common. */
#pragma once

#include "weights/archive.h"
#include "weights/pickle.h"
#include <aimfair/weights.h>

/** aimf_checkpoint_parse_zip: PyTorch 1.6 and later: data.pkl and data/KEY in a ZIP archive. (owned) or NULL. */
AimfTensors *aimf_checkpoint_parse_zip(GBytes *map, GError **error);
/**
 * aimf_checkpoint_parse_stream: PyTorch 0.1.10 to 1.5: pickles one after the other, then the storages. (owned) or NULL.
 */
AimfTensors *aimf_checkpoint_parse_stream(GBytes *map, GError **error);
/**
 * aimf_checkpoint_parse_tar: before that, torchvision's first models among them: pickle, tensors and storages in a
 * tar file.
 */
AimfTensors *aimf_checkpoint_parse_tar(GBytes *map, GError **error);

/**
 * aimf_checkpoint_build: (owned) the set of the tensors in @root, whose storages in @pickle have been found; NULL
 * with FORMAT.
 * @archive: (nullable, taken in any case) has the storages' members
 */
AimfTensors *aimf_checkpoint_build(const AimfPickle *pickle, const AimfPickleValue *root, GBytes *map,
                                   AimfArchive *archive, GError **error);

/** AimfStream: bytes and how far they have been read. */
typedef struct {
    const guint8 *data;
    gsize bytes;
    gsize at;
} AimfStream;

/** aimf_stream_pickle: the pickle that comes next. */
const AimfPickleValue *aimf_stream_pickle(AimfStream *stream, AimfPickle *pickle, GError **error);
/** aimf_stream_take: (borrowed) the next @bytes bytes, or NULL with FORMAT. @what: whose they are, for the error */
const guint8 *aimf_stream_take(AimfStream *stream, guint64 bytes, const char *what, GError **error);
/**
 * aimf_stream_storage: the next bytes, a count and as many elements, are @storage's; FALSE with FORMAT if they are
 * not that.
 */
gboolean aimf_stream_storage(AimfStream *stream, AimfPickleStorage *storage, GError **error);
/** aimf_check_little_endian: whether the dict @sys_info says so; FALSE with UNSUPPORTED. */
gboolean aimf_check_little_endian(const AimfPickleValue *sys_info, GError **error);
