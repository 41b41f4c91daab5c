/* HTML's character references. */
#pragma once

#include <glib.h>

/** aimf_html_unescape: (owned) as a browser reads text: numbers, names with and, for old ones, without ";". */
char *aimf_html_unescape(const char *text);

/**
 * aimf_html_unescape_plain: (owned) only what ends in ";" and cannot be meant otherwise, but also names written in
 * capitals.
 */
char *aimf_html_unescape_plain(const char *text);

/**
 * aimf_windows_1252: the character that byte 0x80 to 0x9f is in Windows-1252, which is what such numbers mean on the
 * web.
 */
gunichar aimf_windows_1252(gunichar c);
