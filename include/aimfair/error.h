/*
 * Errors of the library: one GError domain, few codes.
 *
 * Example:
 *     #include <aimfair/data.h>
 *     AimfManifest *open_or_begin(const char *path, GError **error)
 *     {
 *         GError *problem = NULL;
 *         AimfManifest *manifest = aimf_manifest_open(path, &problem);
 *         if (g_error_matches(problem, AIMF_ERROR, AIMF_ERROR_NOT_FOUND)) {
 *             g_error_free(problem);
 *             return aimf_manifest_new();
 *         }
 *         if (problem)
 *             g_propagate_error(error, problem);
 *         return manifest;
 *     }
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * AIMF_ERROR:
 * The error domain of every GError that this library returns. A message names the thing (file, row, tensor, option),
 * what was expected and what was found, and where possible the mend.
 */
#define AIMF_ERROR (aimf_error_quark())

/**
 * AimfErrorCode:
 * @AIMF_ERROR_INVALID: an argument, an option or a datum is out of its range
 * @AIMF_ERROR_NOT_FOUND: a named file, tensor, column or option value does not exist
 * @AIMF_ERROR_FORMAT: a file is not what it claims to be: truncated, inconsistent or hostile
 * @AIMF_ERROR_UNSUPPORTED: understood, but this build, processor or device cannot do it
 * @AIMF_ERROR_IO: reading or writing failed (no space left, no permission, a device error)
 * @AIMF_ERROR_MEMORY: an allocation whose size came from the input could not be made
 * @AIMF_ERROR_FAILED: the computation itself failed, for instance a loss that is no longer finite
 * @AIMF_ERROR_INTERRUPTED: the caller asked to stop; what was won has been kept
 */
typedef enum {
    AIMF_ERROR_INVALID,
    AIMF_ERROR_NOT_FOUND,
    AIMF_ERROR_FORMAT,
    AIMF_ERROR_UNSUPPORTED,
    AIMF_ERROR_IO,
    AIMF_ERROR_MEMORY,
    AIMF_ERROR_FAILED,
    AIMF_ERROR_INTERRUPTED,
} AimfErrorCode;

GQuark aimf_error_quark(void);

G_END_DECLS
