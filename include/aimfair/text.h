/*
 * Text as numbers: CLIP's byte-pair encoding.
 *
 * Example:
 *     gboolean print_tokens(const char *vocabulary, const char *prompt, GError **error)
 *     {
 *         g_autoptr(AimfTokenizer) tokenizer = aimf_tokenizer_open(vocabulary, error);
 *         if (!tokenizer)
 *             return FALSE;
 *         gint32 ids[AIMF_PROMPT_TOKENS];
 *         guint cut = aimf_tokenizer_prompt(tokenizer, prompt, aimf_tokenizer_end(tokenizer), ids);
 *         for (int i = 0; i < AIMF_PROMPT_TOKENS; i++)
 *             g_print("%d ", ids[i]);
 *         g_print("(%u cut off)\n", cut);
 *         return TRUE;
 *     }
 */
#pragma once

#include <aimfair/error.h>

G_BEGIN_DECLS

/** AIMF_PROMPT_TOKENS: tokens a CLIP text encoder of Stable Diffusion sees, begin and end included. */
#define AIMF_PROMPT_TOKENS 77

typedef struct AimfTokenizer AimfTokenizer;

/**
 * aimf_tokenizer_open:
 * @path: OpenAI's vocabulary bpe_simple_vocab_16e6.txt, plain or gzipped; or a folder with Hugging Face's vocab.json
 * and merges.txt (diffusers' tokenizer/), else with tokenizer.json, else with the former.
 * The form of the vocabulary says whose tokenizer it is. From OpenAI's file, text is cleaned as OpenAI's does: HTML's
 * character references are read, typography is made plain, control characters go. From Hugging Face's, text is taken
 * as it is (normal form C), and the special tokens that the folder's configuration names are found in it.
 * docs/tokenizer-and-samplers.md says it in full.
 * Returns: (owned) or NULL with NOT_FOUND (says what to get where), IO, FORMAT (not a vocabulary; names the line) or
 * MEMORY.
 * Source: openai/CLIP, simple_tokenizer.py; huggingface/transformers, CLIPTokenizer of version 5.
 */
AimfTokenizer *aimf_tokenizer_open(const char *path, GError **error);
void aimf_tokenizer_free(AimfTokenizer *tokenizer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfTokenizer, aimf_tokenizer_free)

/** aimf_tokenizer_size: how many tokens there are; aimf_tokenizer_begin, aimf_tokenizer_end: the two special ones. */
guint aimf_tokenizer_size(const AimfTokenizer *tokenizer);
gint32 aimf_tokenizer_begin(const AimfTokenizer *tokenizer);
gint32 aimf_tokenizer_end(const AimfTokenizer *tokenizer);

/** aimf_tokenizer_hash: (owned) SHA-256 that changes with whatever tokens depend on, not with the form of the files. */
char *aimf_tokenizer_hash(const AimfTokenizer *tokenizer);

/**
 * aimf_tokenizer_encode: (owned) the @n tokens of @text without begin and end. Invalid UTF-8 is read as U+FFFD, one
 * for each longest part that could begin a character. May be called from several threads at once.
 */
gint32 *aimf_tokenizer_encode(const AimfTokenizer *tokenizer, const char *text, guint *n);

/**
 * aimf_tokenizer_prompt:
 * @pad: the token that fills up after the end: aimf_tokenizer_end for Stable Diffusion 1.x, 0 for 2.x
 * @ids: receives begin, at most 75 tokens, end, padding
 * Returns: how many tokens of @text were cut off.
 */
guint aimf_tokenizer_prompt(const AimfTokenizer *tokenizer, const char *text, gint32 pad,
                            gint32 ids[AIMF_PROMPT_TOKENS]);

G_END_DECLS
