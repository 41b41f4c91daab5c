/*
 * A command's table of options before GOption sees it: numbers with their ranges, names that do not exist, options
 * with two values.
 */
#pragma once

#include <glib.h>

/**
 * Entries: a table whose numbers GOption takes as texts, so that what it cannot read is told in our words and with
 * the range. The range stands behind the name of the argument: "N [1, 65536]". Without one, any number of the type
 * will do.
 */
typedef struct Entries Entries;

/** entries_new: @own: ended by G_OPTION_ENTRY_NULL; borrowed, as is what it points to. */
Entries *entries_new(const GOptionEntry *own);
void entries_free(Entries *entries);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Entries, entries_free)

/** entries_table: (borrowed) for GOption. */
const GOptionEntry *entries_table(const Entries *entries);

/** entries_take_numbers: after parsing; FALSE with INVALID, naming the option, the range and what was found. */
gboolean entries_take_numbers(const Entries *entries, GError **error);

/** entries_takes_argument: whether the option is followed by a text. */
gboolean entries_takes_argument(const GOptionEntry *entry);

/**
 * entries_check: FALSE with INVALID for an option that is in none of @tables (n), with the nearest, for one that has
 * two values and is no list, and for an empty argument or value, unless a value is a TEXT. @command: for the hint
 */
gboolean entries_check(const GOptionEntry *const *tables, gsize n, const char *command, int argc, char **argv,
                       GError **error);
