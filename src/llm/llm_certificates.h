/* Whom to trust about an encrypted server: where this system has its list of certificates. */
#pragma once

#include <aimfair/error.h>

/**
 * aimf_certificates_find:
 * @named: (nullable) the file that the user names, SSL_CERT_FILE; empty is none
 * @places: NULL-terminated, the files to look for otherwise; NULL: where libcurl and the distributions have them
 * Returns: (owned) the file; NULL with NOT_FOUND that says what to set: the one named, or each of them, is not there.
 */
char *aimf_certificates_find(const char *named, const char *const *places, GError **error);
