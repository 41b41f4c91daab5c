/*
 * JSON as RFC 8259 has it, looked at before json-glib reads it: that recurses, takes more than JSON and leaks some of
 * what is none.
 */
#pragma once

#include <aimfair/error.h>

/**
 * aimf_json_prepare:
 * @text: (@length) without a byte order mark
 * Refuses what is no JSON, by line, and nesting deeper than 64. Unlike the RFC it allows control characters in texts,
 * which language models write. In the copy, half of a character as in "\ud800", and "\u0000", which would cut a text
 * short, are U+FFFD; whole numbers beyond 64 bits are written as real ones, or they would overflow.
 * Returns: (owned) a copy of the same length, ended by a 0 not counted; NULL with FORMAT or MEMORY.
 */
char *aimf_json_prepare(const char *text, gsize length, GError **error);
