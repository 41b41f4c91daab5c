/* Unicode's normal forms in linear time. */
#pragma once

#include <glib.h>

/**
 * aimf_normalize: (owned) @length bytes of @text (valid UTF-8; -1: to its 0) in the form @mode. g_utf8_normalize takes
 * time with the square of how many combining marks stand in a row; here those beyond 64 are a run of their own, with
 * which those before exchange no places, and lack of memory ends the process. Words have a handful: the Stream-Safe
 * Text Format allows 30 (Unicode, UAX 15).
 */
char *aimf_normalize(const char *text, gssize length, GNormalizeMode mode);
