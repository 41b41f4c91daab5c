/* Making tasks: what built-in ones and a user's file have in common. */
#pragma once

#include <aimfair/prompts.h>

/** aimf_word_list: (owned) "woman, grey hair" as NULL-terminated list; NULL gives an empty one. */
char **aimf_word_list(const char *text);

/** aimf_phrase_has_slot: whether @phrase has the slot {@name}. */
gboolean aimf_phrase_has_slot(const char *phrase, const char *name);

/** aimf_task_add_attribute: (borrowed) a new, empty attribute. */
AimfTaskAttribute *aimf_task_add_attribute(AimfTask *task, const char *name);

/**
 * aimf_words_for_attribute:
 * Fills in @attribute from the words known for the attribute expression @text of the dataset @kind. FALSE with
 * NOT_FOUND or INVALID.
 */
gboolean aimf_words_for_attribute(const char *kind, const char *text, AimfTaskAttribute *attribute, GError **error);
/** aimf_words_for_animals: fills in cat or dog, dark or light. */
void aimf_words_for_animals(AimfTaskAttribute *species, AimfTaskAttribute *tone);

/** aimf_task_take_people, aimf_task_take_animals: contexts of our own, for people or animals. */
void aimf_task_take_people(AimfTask *task);
void aimf_task_take_animals(AimfTask *task);

/**
 * aimf_task_finish:
 * Checks what a builder made and leaves out what no prompt could use: dimensions that attributes exclude, and
 * contexts that say, give away or cannot go with a value. @where: begins the messages. FALSE with FORMAT.
 */
gboolean aimf_task_finish(AimfTask *task, const char *where, GError **error);
