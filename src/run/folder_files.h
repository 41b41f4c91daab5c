/* Every file below a folder that may be hostile: links, pipes, names of any bytes, folders without end. */
#pragma once

#include <aimfair/error.h>
#include <aimfair/monitor.h>

/** AimfOddFile: what is neither a regular file nor a folder, or could not be looked at; @why: "is a link". */
typedef struct {
    char *path;
    char *why;
} AimfOddFile;

/**
 * AimfFolderFiles: paths from the folder, with '/' between; everything owned.
 * @files: (char *) of regular files, sorted by bytes; @odd: (AimfOddFile *) of all else but folders, sorted alike
 */
typedef struct {
    GPtrArray *files;
    GPtrArray *odd;
} AimfFolderFiles;

/**
 * aimf_folder_files: (owned) links are not followed, but @folder itself may be one. Folders deeper than 64, and what
 * is more than memory should hold, are odd. NULL with NOT_FOUND (of @folder itself), IO or INTERRUPTED.
 */
AimfFolderFiles *aimf_folder_files(const char *folder, const AimfMonitor *monitor, GError **error);
void aimf_folder_files_free(AimfFolderFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfFolderFiles, aimf_folder_files_free)
