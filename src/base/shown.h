/* Text of files, servers and arguments as messages show it. */
#pragma once

#include <glib.h>

enum { AIMF_SHOWN_BYTES = 80 };

/**
 * AIMF_SHOWN: (char *) foreign @text, of any bytes, for a message: at most AIMF_SHOWN_BYTES of it, "…" where it goes
 * on, cut between characters; what is no UTF-8 is U+FFFD. "(nothing)" for NULL. It lives until the end of the block.
 */
#define AIMF_SHOWN(text) aimf_shown((char[AIMF_SHOWN_BYTES + sizeof "…"]){ 0 }, text)

/** aimf_shown: AIMF_SHOWN into @buffer (AIMF_SHOWN_BYTES and "…" and a 0). */
char *aimf_shown(char *buffer, const char *text);
