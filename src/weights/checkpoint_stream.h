/* Pickles and storages one after the other, in a stream or in a file of a tar archive. */
#pragma once

#include "weights/pickle_value.h"

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
