/* What a file is by its first bytes, for messages about a file that is not what was expected. */
#pragma once

#include <glib.h>

/** AimfContent: @name: "a GIF picture"; @mend: what can be done, an imperative: "convert it to PNG". */
typedef struct {
    const char *name;
    const char *mend;
} AimfContent;

/**
 * aimf_content_recognise:
 * @data: (@bytes) a whole file, or its beginning
 * Pictures in formats that are not read here, office files, archives, pages and error messages of servers, what a
 * version control system left in place of a file, and files of zeros. JPEG, PNG, WebP and plain text are not among
 * them.
 * Returns: (static) or NULL for what it does not know. Only the bytes that are there are looked at.
 * Source: the signatures of Debian's file 5.44, and of the formats' own specifications.
 */
const AimfContent *aimf_content_recognise(const void *data, gsize bytes);

/**
 * aimf_content_of_others: (static, nullable) the same, of formats that aimfair reads, or could be expected to, where a
 * table or JSON is not meant: pictures, weights, and JSON itself.
 */
const AimfContent *aimf_content_of_others(const void *data, gsize bytes);

/** aimf_content_of_name: (static, nullable) the picture format of a file of this name, if it is not read: "BMP". */
const char *aimf_content_of_name(const char *name);
