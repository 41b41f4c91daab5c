/*
 * CLIP's vocabulary: which bytes are which tokens, which pairs of tokens become which, and the order in which they
 * do.
 */
#pragma once

#include <aimfair/error.h>

/**
 * AimfSpecial: a token that text itself may spell; @folded: when normalization and lower-casing have made it so, and
 * @text is folded too; @alone: only where no letter, digit or underscore stands beside it
 */
typedef struct {
    char *text;
    gint32 id;
    gboolean folded, alone;
} AimfSpecial;

/**
 * AimfMerge: what a pair becomes; @pair: left id << 32 | right id; @id: -1 in an empty slot; of several pairs, the
 * lowest @rank merges first.
 */
typedef struct {
    guint64 pair;
    guint32 rank;
    gint32 id;
} AimfMerge;

/**
 * AimfVocabulary:
 * @n_tokens: the highest id + 1; @n_own: the same without the tokens that were added later
 * @bytes: token of a byte inside a word [0] and at its end [1]
 * @unknown: stands for a byte that has no token
 * @original: from OpenAI's own file, so text is cleaned as OpenAI's tokenizer does, else as Hugging Face's
 * @specials: (element-type AimfSpecial)
 * @merges: an open hash table of @mask + 1 slots
 */
typedef struct {
    guint n_tokens, n_own;
    gint32 begin, end, unknown;
    gint32 bytes[2][256];
    gboolean original;
    GArray *specials;
    AimfMerge *merges;
    guint mask;
    GHashTable *ids;      /* while it is built: token → id + 1 */
    GStringChunk *names;  /* while it is built: the tokens in ids */
    GArray *merges_found; /* while it is built: AimfMerge, by rank */
} AimfVocabulary;

/** aimf_vocabulary_open: see aimf_tokenizer_open. */
AimfVocabulary *aimf_vocabulary_open(const char *path, GError **error);
void aimf_vocabulary_free(AimfVocabulary *vocabulary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfVocabulary, aimf_vocabulary_free)

/*
 * Building, in this order. Tokens and their parts are texts in which every byte is a printable character. Errors are
 * FORMAT.
 */

AimfVocabulary *aimf_vocabulary_new(void);
/** aimf_vocabulary_add: a token; refused where there is one already with this text. */
gboolean aimf_vocabulary_add(AimfVocabulary *vocabulary, const char *token, gint32 id, GError **error);
/** aimf_vocabulary_add_bytes: the 512 tokens of single bytes, in the order of OpenAI's tokenizer. */
void aimf_vocabulary_add_bytes(AimfVocabulary *vocabulary);
/** aimf_vocabulary_id: the token's id, or -1. */
gint32 aimf_vocabulary_id(const AimfVocabulary *vocabulary, const char *token);
/** aimf_vocabulary_merge: the next merge; its parts and its result must be tokens. */
gboolean aimf_vocabulary_merge(AimfVocabulary *vocabulary, const char *left, const char *right, GError **error);
/** aimf_vocabulary_special: @token, spelled in text; a second call for the same token replaces what the first said. */
gboolean aimf_vocabulary_special(AimfVocabulary *vocabulary, const char *token, gboolean folded, gboolean alone,
                                 GError **error);
/** aimf_vocabulary_finish: refuses a merge that is there twice. */
gboolean aimf_vocabulary_finish(AimfVocabulary *vocabulary, GError **error);

/** aimf_vocabulary_pair: (nullable) (borrowed) what @left and @right become. */
const AimfMerge *aimf_vocabulary_pair(const AimfVocabulary *vocabulary, gint32 left, gint32 right);
