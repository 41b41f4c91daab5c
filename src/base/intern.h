/* Names that live as long as the process: of tensors, nodes and steps. */
#pragma once

#include <glib.h>

/**
 * aimf_intern: (borrowed) the one copy of @name; NULL for NULL. Two names are equal if their copies are the same. Any
 * thread may call it. For names that the program makes, of which there are few, never for what a file says: nothing is
 * ever freed.
 *
 * g_intern_string does the same in a table that is lost, and reported by leak checkers, whenever it grows.
 */
const char *aimf_intern(const char *name);
