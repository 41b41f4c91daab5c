/* Text files as editors and spreadsheets write them: marks at their beginning, UTF-16, the line ends of old Macs. */
#pragma once

#include <aimfair/error.h>

/**
 * aimf_text_decode:
 * @bytes: (taken) a text file; @name: what errors call it
 * The text without a byte order mark, as UTF-8 where it was UTF-16 (with the mark, or plain from its first
 * characters), and with LF where the file has CR alone as the end of every line. All else, NUL and bytes that are not
 * UTF-8 included, is left to the reader.
 * Returns: (owned) the bytes, ended by a 0 not counted; NULL with FORMAT (UTF-32, broken or cut-off UTF-16) or
 * MEMORY.
 */
GBytes *aimf_text_decode(GBytes *bytes, const char *name, GError **error);

/** aimf_text_read: aimf_file_read and aimf_text_decode in one. */
GBytes *aimf_text_read(const char *path, gsize limit_bytes, GError **error);
