/* Unicode's normal forms. */
#pragma once

#include <glib.h>

/**
 * aimf_utf8_normalize: (owned) g_utf8_normalize of @length bytes of valid UTF-8, -1: up to the 0. GLib's gives NULL
 * for lack of memory; this ends the process as GLib's other functions of text do.
 */
char *aimf_utf8_normalize(const char *text, gssize length, GNormalizeMode mode);
