/* Cells of a table that hold labels or classes: one rule for all readers of what they mean and of what is no value. */
#pragma once

#include "data/csv.h"
#include "data/value_map.h"

#include <aimfair/data.h>

/** AimfCell…: what became of a cell. AIMF_CELL_MISSING: it has no value, and the rules leave its row out. */
typedef enum { AIMF_CELL_FAILED, AIMF_CELL_READ, AIMF_CELL_MISSING } AimfCellState;

/**
 * aimf_cell_text:
 * @text: receives the text (borrowed, valid until the next row) of a cell that is no label, without the blanks around
 *   it FAILED with FORMAT (not UTF-8) or INVALID (it has no value, and the rules say that this is an error).
 */
AimfCellState aimf_cell_text(const AimfCsv *csv, int column, const AimfLabelRules *rules, const char **text,
                             GError **error);

/**
 * aimf_cell_mapped: as aimf_cell_text, for a label: what @map (nullable: the text itself) makes of it; a map's
 * own entry for a word that stands for a missing value makes it a value. @text: as the entry spells it. @text, @result:
 * borrowed until the next row. FAILED also with INVALID when no entry fits.
 */
AimfCellState aimf_cell_mapped(const AimfCsv *csv, int column, const AimfLabelRules *rules, const AimfValueMap *map,
                               const char **text, const char **result, GError **error);

/** aimf_cell_class: as aimf_cell_text, for a whole number in [0, @limit) however it is written: 1, 1.0, 01. */
AimfCellState aimf_cell_class(const AimfCsv *csv, int column, const AimfLabelRules *rules, int limit, int *value,
                              GError **error);

/**
 * aimf_label_known: whether @text, without the blanks around it, is a label where a row may do without: it is no word
 * for nothing, or one that the rules keep.
 */
gboolean aimf_label_known(const char *text, const AimfLabelRules *rules);

/** aimf_class_of: the class number in [0, @limit) that @text writes; FALSE if it does not. */
gboolean aimf_class_of(const char *text, int limit, int *value);

/**
 * AimfLabels: the labels of groups in one or several columns of a file, joined by '_', while its rows are read.
 * Texts that a map turns into labels are looked up in it; the others are the labels themselves.
 */
typedef struct AimfLabels AimfLabels;

/** aimf_labels_new: (owned) @csv and @rules are borrowed. */
AimfLabels *aimf_labels_new(const AimfCsv *csv, const AimfLabelRules *rules);
void aimf_labels_free(AimfLabels *labels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfLabels, aimf_labels_free)

/**
 * aimf_labels_let_lack: a row without a label is no error: aimf_labels_read then says AIMF_CELL_MISSING, whatever the
 * rules.
 */
void aimf_labels_let_lack(AimfLabels *labels);
/** aimf_labels_add_column: the next column that makes the label; @map: (nullable) borrowed */
void aimf_labels_add_column(AimfLabels *labels, int column, const AimfValueMap *map);
/** aimf_labels_add_protected: the columns protected, protected2, … of the file, in the order of their numbers. */
void aimf_labels_add_protected(AimfLabels *labels);
guint aimf_labels_n_columns(const AimfLabels *labels);
/** aimf_labels_part_of: which part of the label the file's column @column is, from 0; -1 for none. */
int aimf_labels_part_of(const AimfLabels *labels, int column);
/** aimf_is_protected_column: the name is protected, protected2, … */
gboolean aimf_is_protected_column(const char *name);

/**
 * aimf_labels_read: the label of the current row as a number that counts labels in order of appearance, from 0.
 * FAILED also with INVALID when there are more than AIMF_MAX_LABELS different ones.
 */
AimfCellState aimf_labels_read(AimfLabels *labels, guint *id, GError **error);

/**
 * aimf_labels_finish: after the last row: joins what is spelled differently if the rules say so. FALSE with INVALID
 * if two labels read the same.
 */
gboolean aimf_labels_finish(AimfLabels *labels, GError **error);
/**
 * aimf_labels_count, _at, _part: how many numbers were given; after aimf_labels_finish the label of one, and what
 * column @column gave to it.
 */
guint aimf_labels_count(const AimfLabels *labels);
const char *aimf_labels_at(const AimfLabels *labels, guint id);
const char *aimf_labels_part(const AimfLabels *labels, guint id, guint column);

/**
 * aimf_labels_warn: what is doubtful, to the rules' findings or else to @monitor: labels of @path that are probably
 * the same, unless the rules join them, and the number of rows that were left out, @n_dropped.
 * @other: (nullable) spellings of one more column
 */
void aimf_labels_warn(const AimfLabels *labels, const AimfSpellings *other, const char *path, guint n_dropped,
                      const AimfMonitor *monitor);
/** aimf_labels_tell_unused: doubtful "map": the entries of @map, of @option, that are no text of @column. */
void aimf_labels_tell_unused(const AimfLabels *labels, const AimfValueMap *map, const AimfSpellings *column,
                             const char *option, const AimfMonitor *monitor);
/** aimf_labels_tell: one more thing that is doubtful, the same way. @name: of the finding, static */
void aimf_labels_tell(const AimfLabels *labels, const char *name, const AimfMonitor *monitor, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
