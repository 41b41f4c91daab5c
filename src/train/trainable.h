/* Which parameters are trained, and whether they still are numbers. */
#pragma once

#include <aimfair/train.h>

/** aimf_train_all_finite: of @values (n); a ReLU can hide a NaN before it from the loss. */
gboolean aimf_train_all_finite(const float *values, gsize n);

/**
 * aimf_train_parameters:
 * @names: (nullable) NULL-terminated; NULL for all
 * Returns: (owned) the values of these parameters in the graph's order, @n of them, or NULL with INVALID: an unknown
 * name, or none.
 */
AimfValue *aimf_train_parameters(const AimfGraph *graph, const char *const *names, guint *n, GError **error);
