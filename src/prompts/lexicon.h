/* A task's lists of words, ready to be looked for. */
#pragma once

#include "prompts/prompt_words.h"
#include <aimfair/prompts.h>

typedef struct AimfLexicon AimfLexicon;

AimfLexicon *aimf_lexicon_new(const AimfTask *task);
void aimf_lexicon_free(AimfLexicon *lexicon);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfLexicon, aimf_lexicon_free)

/**
 * AimfMention: a value that a text says. @at, @n: the words that say it; @negated: it says "not smiling". An
 * attribute of two values that is negated says the other one: then @value is that.
 */
typedef struct {
    guint value;
    guint at;
    guint n;
    gboolean negated;
} AimfMention;

/** aimf_lexicon_mentions: (owned) array of AimfMention: values of attribute @attribute said in @words, in order. */
GArray *aimf_lexicon_mentions(const AimfLexicon *lexicon, guint attribute, const AimfWords *words);
/** aimf_lexicon_telling: whether a word gives @attribute away; @at, @n receive which. */
gboolean aimf_lexicon_telling(const AimfLexicon *lexicon, guint attribute, const AimfWords *words, guint *at, guint *n);
/** aimf_lexicon_impossible: whether @words cannot go with some value of @attribute. */
gboolean aimf_lexicon_impossible(const AimfLexicon *lexicon, guint attribute, const AimfWords *words);
