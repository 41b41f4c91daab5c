/* A key in memory: taken out of whatever others say, and wiped after use. */
#pragma once

#include <glib.h>

/** aimf_secret_wipe: (nullable, owned by the call) overwrites and frees @secret. */
void aimf_secret_wipe(char *secret);

/**
 * aimf_secret_redact:
 * @secret: (nullable); keys under 8 characters are placeholders that local servers ignore, and stay
 * Overwrites every occurrence in the @length bytes at @text with asterisks, also where JSON writes letters as codes.
 */
void aimf_secret_redact(char *text, gsize length, const char *secret);

/**
 * aimf_secret_line: (owned) what a stranger said in @length bytes (-1: up to the 0), for people: one line of valid
 * UTF-8, not too long, without
 * @secret and without characters that a terminal acts upon.
 */
char *aimf_secret_line(const char *text, gssize length, const char *secret);
