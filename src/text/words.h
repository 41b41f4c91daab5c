/* Text before byte pairs: made valid, folded, and split into words. */
#pragma once

#include <glib.h>

/**
 * aimf_text_repair: (owned) @text with U+FFFD for every longest part that begins a character but does not make one.
 */
char *aimf_text_repair(const char *text);

/**
 * aimf_text_fold: (owned) @length bytes of @text in normal form C and lower case, character by character, one blank
 * for any white space.
 */
char *aimf_text_fold(const char *text, gsize length);

/** AimfWord: a part of a text that byte pairs do not cross; @special: spells <|startoftext|> or <|endoftext|>. */
typedef struct {
    const char *at;
    gsize length;
    gboolean special;
} AimfWord;

/**
 * aimf_word_next: the next word of a folded text from @cursor on, which moves on, as OpenAI's or Hugging Face's
 * pattern; FALSE at its end.
 */
gboolean aimf_word_next(const char **cursor, gboolean original, AimfWord *word);
