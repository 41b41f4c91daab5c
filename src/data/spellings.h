/* The different texts in one column of a table, and which of them probably mean the same. */
#pragma once

#include <glib.h>

/**
 * aimf_stands_for_nothing: @text is empty or a word that tables have in place of a value: nan, NA, None, null …, in
 * whatever case.
 */
gboolean aimf_stands_for_nothing(const char *text);

/** aimf_is_blank: a blank, or a character that is not seen: a soft hyphen, a joiner, a byte order mark. */
gboolean aimf_is_blank(gunichar c);

/** aimf_label_strip: (borrowed) @text (UTF-8, not shared) without the blanks around it, cut in place. */
char *aimf_label_strip(char *text);

/** aimf_number_key: (owned) the same for 1, 1.0, 01, +1 and 1e0, exact at any length; NULL for what is no number. */
char *aimf_number_key(const char *text);

/** AimfSpellings: the texts of a column, each with the number of its rows. */
typedef struct AimfSpellings AimfSpellings;

/** aimf_spellings_new: (owned) of the column @column. */
AimfSpellings *aimf_spellings_new(const char *column);
void aimf_spellings_free(AimfSpellings *spellings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfSpellings, aimf_spellings_free)

/** aimf_spellings_add: @rows more rows say @text (UTF-8); 0 for a text that an option named. */
void aimf_spellings_add(AimfSpellings *spellings, const char *text, guint64 rows);

/**
 * aimf_spelling_key: (owned) the same for texts that differ only in case, in blanks and what is not seen, in how a
 * number is written (1, 1.0, 01), by itself or between '_', or in Unicode's forms of a letter (compatibility
 * composition).
 */
char *aimf_spelling_key(const char *text);

/**
 * aimf_spellings_usual: (borrowed) the most frequent text with the key of @text, which was added; the first by bytes
 * of equally many.
 */
const char *aimf_spellings_usual(const AimfSpellings *spellings, const char *text);

/** aimf_spellings_list: (owned) the texts (borrowed), sorted: those of rows, or those without. */
GPtrArray *aimf_spellings_list(const AimfSpellings *spellings, gboolean of_rows);

/**
 * aimf_spellings_describe: appends the sets of texts with one key, "column 'sex': 'F' (3 rows) and 'f' (1)"; FALSE if
 * there are none.
 */
gboolean aimf_spellings_describe(const AimfSpellings *spellings, GString *text);
