/* Of which categories rows are, collected row by row: from a manifest, or while a table of answers is read. */
#pragma once

#include <aimfair/fair.h>

/** AimfImpactReader: the values of some columns so far. */
typedef struct AimfImpactReader AimfImpactReader;

/**
 * aimf_impact_reader_new: (owned) @columns: NULL-terminated; @rules (nullable) are borrowed. NULL with INVALID: no
 * column, too many, or one twice.
 */
AimfImpactReader *aimf_impact_reader_new(const char *const *columns, const AimfLabelRules *rules, GError **error);
void aimf_impact_reader_free(AimfImpactReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfImpactReader, aimf_impact_reader_free)

/**
 * aimf_impact_reader_add: the next row says @text (any bytes) in column @column. Every row must add to every column.
 * Returns: NULL, or (owned) what is wrong with it; @code: of the error that this is.
 */
char *aimf_impact_reader_add(AimfImpactReader *reader, guint column, const char *text, AimfErrorCode *code);

/**
 * aimf_impact_reader_finish: (owned) all rows, not judged. What is doubtful goes to the rules' findings, or else to
 * @monitor; @path: of the file, for that. Spellings of protected columns are left to those who read them as labels.
 */
AimfImpactRows *aimf_impact_reader_finish(const AimfImpactReader *reader, const char *path, const AimfMonitor *monitor);
