/*
 * What a language model wrote, whatever the form that came out: JSON as asked, JSON in a fence or in prose, a cut
 * one, a list of lines.
 */
#pragma once

#include <aimfair/prompts.h>

/**
 * aimf_answer_read:
 * @text: valid UTF-8 of anybody's making
 * @dimensions: (n) whose contexts are looked for; '_', '-' and capitals in the answer's names do not matter
 * @limit: more candidates than this are left out
 * Returns: (owned) array of AimfPrompt, cleared with it: the text (NULL where an answer has contexts alone) and the
 * contexts of those dimensions that are mentioned. Empty when there is nothing of the kind.
 */
GArray *aimf_answer_read(const char *text, const char *const *dimensions, guint n, guint limit);

/**
 * aimf_answer_json:
 * @thoughts: valid UTF-8: what a model thought, where its answer may stand among it
 * Returns: (owned, nullable) all of it where it begins like an answer, else the last whole JSON object or array, one
 * with "prompts" before others.
 */
char *aimf_answer_json(const char *thoughts);

/** aimf_answer_name: (owned) the dimension @name as a name in JSON: "hair colour" gives "hair_colour". */
char *aimf_answer_name(const char *name);
