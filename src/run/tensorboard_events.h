/*
 * Scalars as TensorBoard reads them: a file of records (TensorFlow's TFRecord), each of which is a message "Event" in
 * protocol buffers' encoding. Source: TensorFlow, tensorflow/core/lib/io/record_writer.h for the records,
 * tensorflow/core/util/event.proto and framework/summary.proto for the messages.
 */
#pragma once

#include <aimfair/error.h>

/** aimf_crc32c: Castagnoli's CRC of @data (@n). Source: RFC 3720, section 12.1 and appendix B.4. */
guint32 aimf_crc32c(const void *data, gsize n);
/** aimf_crc32c_masked: of @data, as records have it, so that the CRC of what has CRCs in it is none of its own. */
guint32 aimf_crc32c_masked(const void *data, gsize n);

/** AimfEventFile: a file that is being made in memory; it begins with its version, at step 0. */
typedef struct AimfEventFile AimfEventFile;

AimfEventFile *aimf_event_file_new(void);
void aimf_event_file_free(AimfEventFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfEventFile, aimf_event_file_free)

/**
 * aimf_event_file_add: @value, as a single, is @tag (any bytes) at the step that aimf_event_file_step ends. NaN is
 * left out.
 */
void aimf_event_file_add(AimfEventFile *file, const char *tag, double value);
/**
 * aimf_event_file_step: what was added since the last one becomes an event of @step, whose time is as many seconds
 * after 0; nothing where nothing was.
 */
void aimf_event_file_step(AimfEventFile *file, guint step);
/** aimf_event_file_save: atomically; FALSE with NOT_FOUND or IO. */
gboolean aimf_event_file_save(const AimfEventFile *file, const char *path, GError **error);
