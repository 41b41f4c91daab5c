/* Text of files, servers and arguments as messages show it. */
#pragma once

#include <glib.h>

enum { AIMF_SHOWN_BYTES = 80, AIMF_MESSAGE_BYTES = 4000 };

/**
 * AIMF_SHOWN: (char *) foreign @text, of any bytes, for a message: at most AIMF_SHOWN_BYTES of it, "…" where it goes
 * on, cut between characters; what is no UTF-8, and control characters, are U+FFFD. "(nothing)" for NULL. It lives
 * until the end of the block.
 */
#define AIMF_SHOWN(text) aimf_shown((char[AIMF_SHOWN_BYTES + sizeof "…"]){ 0 }, text)

/** aimf_shown: AIMF_SHOWN into @buffer (AIMF_SHOWN_BYTES and "…" and a 0). */
char *aimf_shown(char *buffer, const char *text);

/**
 * aimf_message_text: (owned) @text (taken), any bytes, as what people read: valid UTF-8, at most AIMF_MESSAGE_BYTES and
 * "…", without control characters but line breaks, which could rule a terminal. The library's every error, finding and
 * message passes through it (error.c, monitor.c, data/findings.c), so names of files may stand in them as they are;
 * what may be long is also shortened where it is quoted, by AIMF_SHOWN.
 */
char *aimf_message_text(char *text);
