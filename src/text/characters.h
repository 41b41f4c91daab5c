/*
 * What regular expressions and lower-casing ask of a character: GLib's tables, with what newer versions of Unicode
 * add to them.
 */
#pragma once

#include <glib.h>

/** AimfCharacterClass: the regular expressions' \s, \p{L} and \p{N}. */
typedef enum { AIMF_SPACE, AIMF_LETTER, AIMF_NUMBER, AIMF_OTHER } AimfCharacterClass;

AimfCharacterClass aimf_character_class(gunichar c);
/** aimf_character_append_lower: the lower case of a character by itself. */
void aimf_character_append_lower(GString *out, gunichar c);
