/* Answers to the same pictures, put in one order. */
#pragma once

#include "fair/measures.h"

/** AimfTwoSets: what errors call two results: "before and after", "before", "after". */
typedef struct {
    const char *both, *one, *other;
} AimfTwoSets;

/** AimfOrderedRows: one result as rows; target and group are the order's own, borrowed, the others owned. */
typedef struct {
    AimfRows rows;
    int *prediction;
    double *score, *probability, *class_probability; /* nullable */
} AimfOrderedRows;

void aimf_ordered_rows_clear(AimfOrderedRows *rows);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AimfOrderedRows, aimf_ordered_rows_clear)

/**
 * aimf_rows_in_order: the rows of @outcomes in those of @order, by their paths where both have them, each path's rows
 * in their order, else row by row. FALSE with INVALID, in the words of @names, the first of which is @order, where they
 * are not of the same test set.
 */
gboolean aimf_rows_in_order(AimfOrderedRows *rows, const AimfOutcomes *outcomes, const AimfOutcomes *order,
                            const AimfTwoSets *names, GError **error);
