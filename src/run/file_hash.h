/* SHA-256 of files, whatever their size, and where paths of a run may lead. */
#pragma once

#include "base/file.h"

#include <aimfair/monitor.h>

/** AIMF_SHA256_SIZE: bytes of a SHA-256 in hexadecimal, with its 0. */
#define AIMF_SHA256_SIZE 65

/**
 * aimf_hash_file:
 * @sha256: (AIMF_SHA256_SIZE) of the regular file's bytes; @stamp: (nullable) of the file as it was read
 * A file that is written to meanwhile is read again, a few times. Several threads may call it.
 * Returns: FALSE with NOT_FOUND, IO, INVALID (it is no regular file) or INTERRUPTED.
 */
gboolean aimf_hash_file(const char *path, const AimfMonitor *monitor, char *sha256, AimfStamp *stamp, GError **error);

/** aimf_sha256_valid: whether @text is 64 digits of lower case, and nothing else. */
gboolean aimf_sha256_valid(const char *text);

/**
 * aimf_run_path_valid: whether @path, from a file, is one below the folder of a run: relative, not empty, without
 * "..", "." or nothing between two slashes.
 */
gboolean aimf_run_path_valid(const char *path);
