/* What OpenAI's tokenizer does to a text before it looks for words. */
#pragma once

#include <glib.h>

/**
 * aimf_text_clean: (owned) @text (valid UTF-8) cleaned and in lower case: HTML's character references become
 * characters, typography becomes plain (quotes, ligatures, full and half width), control characters and terminal
 * sequences go, and the rest gets normal form C. What ftfy also does, guessing at text that was decoded by the wrong
 * table, is left out.
 * Source: openai/CLIP, simple_tokenizer.py, basic_clean; ftfy 6.3, fix_text; Python's html.unescape.
 */
char *aimf_text_clean(const char *text);
