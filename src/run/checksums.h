/*
 * SHA256SUMS: every file of a run with its hash, as GNU's sha256sum writes and `sha256sum -c` reads it, in text mode:
 * "<SHA-256>  <path>\n", sorted by the paths' bytes. Names with a backslash, LF or CR have these as \\, \n and \r, and
 * their lines begin with a backslash. It lists all regular files but itself and the file that locks the run.
 */
#pragma once

#include "run/file_hash.h"
#include "run/folder_files.h"

#define AIMF_CHECKSUMS "SHA256SUMS"
/** AIMF_RUN_LOCK: the file that locks a run: there while somebody works in it, and empty. */
#define AIMF_RUN_LOCK "lock"

/** AimfChecksum: @path: from the run's folder, owned */
typedef struct {
    char *path;
    char sha256[AIMF_SHA256_SIZE];
} AimfChecksum;

/** AimfChecksums: @files: (n) sorted by path, owned; @sha256: of the text that they were read from */
typedef struct {
    AimfChecksum *files;
    guint n;
    char sha256[AIMF_SHA256_SIZE];
} AimfChecksums;

void aimf_checksums_free(AimfChecksums *sums);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfChecksums, aimf_checksums_free)

/** aimf_checksums_leave_out: whether SHA256SUMS does not list the file @path of a run. */
gboolean aimf_checksums_leave_out(const char *path);

/**
 * aimf_checksums_write: @folder's SHA256SUMS, atomically. @sha256: (nullable, AIMF_SHA256_SIZE) receives its own hash
 * Returns: FALSE with NOT_FOUND, IO, INTERRUPTED, or INVALID naming what is no regular file: a link, a pipe.
 */
gboolean aimf_checksums_write(const char *folder, const AimfMonitor *monitor, char *sha256, GError **error);

/**
 * aimf_checksums_open: (owned) the file @path, which must be as aimf_checksums_write writes it, to the byte.
 * NULL with NOT_FOUND, IO, or FORMAT naming its first wrong line.
 */
AimfChecksums *aimf_checksums_open(const char *path, GError **error);

/** aimf_checksums_find: (borrowed, nullable) the hash of the file @path. */
const char *aimf_checksums_find(const AimfChecksums *sums, const char *path);
