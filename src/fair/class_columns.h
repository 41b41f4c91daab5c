/* A CSV file's probabilities of every class: probability_0, probability_1, … or probability_NAME, … */
#pragma once

#include "data/labels.h"

/**
 * AimfClassColumns: @n of them, 0 for none; everything owned. @columns: (n); @names: (n, nullable) of the classes,
 * NULL-terminated
 */
typedef struct {
    int n;
    int *columns;
    char **names;
} AimfClassColumns;

/**
 * aimf_class_columns_find: by number if there are probability_0 and probability_1, otherwise by name in the file's
 * order unless it has a column probability: then others that begin so are somebody else's. FALSE with INVALID when a
 * number is left out.
 */
gboolean aimf_class_columns_find(AimfClassColumns *found, const AimfCsv *csv, GError **error);
void aimf_class_columns_clear(AimfClassColumns *columns);

/**
 * aimf_class_columns_read: the current row's probabilities into @values (n); *@largest: the first of the largest, if
 * there are columns. FAILED with INVALID naming file, line and column.
 */
AimfCellState aimf_class_columns_read(const AimfClassColumns *columns, const AimfCsv *csv, const AimfLabelRules *rules,
                                      double *values, int *largest, GError **error);
