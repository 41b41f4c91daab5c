/* Members of tar files in memory. Source: POSIX.1-2017, pax, "ustar Interchange Format". */
#pragma once

#include <glib.h>

/** aimf_is_tar: whether the bytes begin with a tar header. */
gboolean aimf_is_tar(GBytes *map);
/**
 * aimf_tar_find: (borrowed, nullable) the regular file @name in it; NULL also where the archive is broken before it.
 */
const guint8 *aimf_tar_find(GBytes *map, const char *name, gsize *bytes);
