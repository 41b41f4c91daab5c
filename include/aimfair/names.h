/*
 * The name that was meant: a hint for messages about names that do not exist.
 *
 * Example:
 *     #include <aimfair/model.h>
 *     void complain(const char *name)
 *     {
 *         g_autofree char *hint = aimf_name_hint(name, aimf_architectures());
 *         g_printerr("there is no architecture '%s'%s\n", name, hint); // 'resnet-81' (did you mean 'resnet18'?)
 *     }
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * aimf_nearest_name:
 * @names: NULL-terminated
 * Capitals, '_', '-' and blanks do not matter; two or a third of the letters (one of less than five) may be wrong,
 * missing, too many or exchanged with their neighbour, and the beginning of a name is enough.
 * Returns: (borrowed, nullable) the one of @names most like @text, the first of several; NULL if none is alike.
 * Source: optimal string alignment, the restricted form of Damerau's and Levenshtein's distance.
 */
const char *aimf_nearest_name(const char *text, const char *const *names);

/** aimf_name_hint: (owned) " (did you mean 'NAME'?)", or "" where no name is alike. */
char *aimf_name_hint(const char *text, const char *const *names);

G_END_DECLS
