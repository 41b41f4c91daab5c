/* Files that are no weight files, called what they are: downloads that went wrong, and other programs' models. */
#pragma once

#include <glib.h>

/**
 * aimf_foreign:
 * Returns: (owned, nullable) what the file with the bytes @map is, with its article, and what to do about it: "a Git
 * LFS pointer …"; NULL for what may be a weight file and for what is not known. Looks at the beginning only.
 */
char *aimf_foreign(GBytes *map);
/** aimf_foreign_archive: (static, nullable) the same of a ZIP archive, by the names (@n) of its members. */
const char *aimf_foreign_archive(const char *const *names, gsize n);
