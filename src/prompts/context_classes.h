/* Classes of contexts, by the words that people use for them: so that prompts of any author can be counted. */
#pragma once

#include "prompts/prompt_words.h"
#include <aimfair/prompts.h>

/** aimf_class_dimensions: how many dimensions have classes; aimf_class_dimension: (borrowed) the name of one. */
guint aimf_class_dimensions(void);
const char *aimf_class_dimension(guint dimension);

/**
 * aimf_class_covers: whether contexts labelled @label are counted by classes, so that the labels themselves need not
 * be.
 */
gboolean aimf_class_covers(const char *label);

/**
 * aimf_class_text: (owned) where @prompt speaks of @dimension: its labels for it; the whole text of a prompt without
 * labels.
 */
char *aimf_class_text(guint dimension, const AimfPrompt *prompt);

typedef struct AimfClassifier AimfClassifier;

AimfClassifier *aimf_classifier_new(void);
void aimf_classifier_free(AimfClassifier *classifier);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfClassifier, aimf_classifier_free)

/** aimf_classify: (borrowed, nullable) the first class of @dimension whose words are in @words. */
const char *aimf_classify(const AimfClassifier *classifier, guint dimension, const AimfWords *words);
