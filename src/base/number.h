/*
 * Numbers as text, for every file and every JSON that is written: the shortest decimal that reads back as the same
 * number.
 */
#pragma once

#include <glib.h>

/** AIMF_NUMBER_SIZE: bytes that the text of any number fits in, with its 0. */
#define AIMF_NUMBER_SIZE 32

/**
 * aimf_number_text, aimf_number_text_single:
 * @text: (AIMF_NUMBER_SIZE) receives "0.818", "5e-324", "-0"; "inf", "-inf" and "nan" for what is not finite
 * No shorter text is read as @value, and among texts of that length it is one of the closest. The point is a point in
 * every locale. A single's text gives it back whether it is read as a single or as a double that is then rounded.
 * Returns: @text.
 */
char *aimf_number_text(char *text, double value);
char *aimf_number_text_single(char *text, float value);

/** aimf_number_of_single: what the single's text says: 0.1 for 0.1F, which as a double is 0.10000000149011612. */
double aimf_number_of_single(float value);
